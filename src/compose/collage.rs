//! Collages: a layout chosen by the photos' number and shapes.

use super::place::Container;
use super::{Composer, Source};
use crate::catalog::layer::{CollageLayer, Fit};
use crate::error::{Code, Violation};
use crate::order::{FieldValue, ImageValue, Item};
use crate::scene::{Group, Node};
use kurbo::{Affine, Point, Rect, Size};
use std::sync::Arc;

impl Composer<'_> {
    /// The photos of a list field, each in its cell.
    pub(super) fn collage(
        &self,
        collage: &CollageLayer,
        layer: &str,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let env = &container.env;
        let mut photos = Vec::new();
        for item in env.list(&collage.field) {
            if let Item::Single(FieldValue::Image { image, pointer }) = item {
                let aspect = self
                    .aspect(image)
                    .map_err(|v| if v.pointer.is_none() { v.at(pointer.clone()) } else { v })?;
                photos.push((image, pointer, aspect));
            }
        }
        if photos.is_empty() {
            return Ok(Vec::new());
        }
        let gutter =
            collage.gutter.as_ref().map(|g| env.measure(g)).transpose()?.flatten().unwrap_or(0.0).max(0.0);
        let radius = collage.radius.as_ref().map(|r| env.number(r)).transpose()?.unwrap_or(0.0);
        let aspects: Vec<f64> = photos.iter().map(|(_, _, aspect)| *aspect).collect();
        let given: Vec<Vec<Rect>> = collage
            .layouts
            .iter()
            .filter(|cells| cells.len() == photos.len())
            .map(|cells| scaled(cells, container.size))
            .collect();
        let cells = match given
            .into_iter()
            .map(|cells| (loss(&cells, &aspects), cells))
            .min_by(|a, b| a.0.total_cmp(&b.0))
        {
            Some((_, cells)) => cells.into_iter().map(|cell| inset(cell, container.size, gutter)).collect(),
            None => rows(&aspects, container.size, gutter),
        };
        let adjust = self.adjust(&collage.filters, env)?;
        let mut nodes = Vec::new();
        for ((image, pointer, _), cell) in photos.into_iter().zip(cells) {
            if cell.width() <= 0.0 || cell.height() <= 0.0 {
                return Err(Violation::new(
                    Code::TemplateInvalid,
                    "a collage's gutters leave no room for its photos",
                ));
            }
            let to_cell = Affine::translate(cell.origin().to_vec2());
            let boxed =
                Container { size: cell.size(), to_trim: container.to_trim * to_cell, ..container.clone() };
            let inside = self
                .order_picture(image, Fit::Fill, Point::new(0.5, 0.5), adjust.clone(), layer, &boxed)
                .map_err(|v| if v.pointer.is_none() { v.at(pointer.clone()) } else { v })?;
            let mut clips = Vec::new();
            if radius > 0.0 {
                let path = super::shape::rounded_rect(cell.size().to_rect(), radius);
                clips.push(super::shape::Outline { path, rule: Default::default() }.clip());
            }
            nodes.push(Node::Group(Arc::new(Group {
                transform: to_cell,
                clips,
                nodes: inside,
                ..Group::default()
            })));
        }
        Ok(nodes)
    }

    /// Width over height of the part of a picture that is used.
    fn aspect(&self, image: &ImageValue) -> Result<f64, Violation> {
        let (width, height) = self.picture(&Source::Order(image.asset.clone()))?.size();
        let (w, h) = image.crop.map_or((1.0, 1.0), |c| (c.w, c.h));
        let aspect = f64::from(width) * w / (f64::from(height) * h);
        Ok(if image.turn.unwrap_or(0).is_multiple_of(180) { aspect } else { 1.0 / aspect })
    }
}

/// Cells in fractions of the box, in mm.
fn scaled(cells: &[[f64; 4]], size: Size) -> Vec<Rect> {
    let cell = |[x, y, w, h]: &[f64; 4]| {
        Rect::from_origin_size((x * size.width, y * size.height), (w * size.width, h * size.height))
    };
    cells.iter().map(cell).collect()
}

/// Half the gutter taken off every edge that is not the box's own.
fn inset(cell: Rect, size: Size, gutter: f64) -> Rect {
    let half = gutter / 2.0;
    let low = |edge: f64| if edge > 1e-6 { edge + half } else { edge };
    let high = |edge: f64, limit: f64| if edge < limit - 1e-6 { edge - half } else { edge };
    Rect::new(low(cell.x0), low(cell.y0), high(cell.x1, size.width), high(cell.y1, size.height))
}

/// How much of the photos is cut away, as the sum of the parts lost.
fn loss(cells: &[Rect], aspects: &[f64]) -> f64 {
    let lost = |(cell, aspect): (&Rect, &f64)| {
        let ratio = cell.width() / cell.height() / aspect;
        1.0 - ratio.min(1.0 / ratio)
    };
    cells.iter().zip(aspects).map(lost).sum()
}

/// Rows that keep the photos' order, split so that the least is cut away when they are
/// stretched to fill the box.
fn rows(aspects: &[f64], size: Size, gutter: f64) -> Vec<Rect> {
    let mut best: Option<(f64, Vec<Rect>)> = None;
    for count in 1..=aspects.len() {
        let cells = fill_rows(&split(aspects, count), size, gutter);
        let cost = loss(&cells, aspects);
        if cells.iter().all(|c| c.width() > 0.0 && c.height() > 0.0)
            && best.as_ref().is_none_or(|(least, _)| cost < least - 1e-9)
        {
            best = Some((cost, cells));
        }
    }
    best.map(|(_, cells)| cells).unwrap_or_else(|| vec![Rect::ZERO; aspects.len()])
}

/// Splits a sequence into `count` runs of nearly equal sums.
fn split(aspects: &[f64], count: usize) -> Vec<&[f64]> {
    let total: f64 = aspects.iter().sum();
    let mut out = Vec::with_capacity(count);
    let (mut start, mut sum) = (0, 0.0);
    for (i, aspect) in aspects.iter().enumerate() {
        let left = count - out.len();
        let goal = total * (out.len() + 1) as f64 / count as f64;
        sum += aspect;
        let must = aspects.len() - (i + 1) == left - 1;
        let full = i + 1 > start && sum + aspects.get(i + 1).unwrap_or(&0.0) / 2.0 >= goal;
        if left > 1 && (must || full) {
            out.push(&aspects[start..=i]);
            start = i + 1;
        }
    }
    out.push(&aspects[start..]);
    out
}

/// Rows of these aspects, their heights scaled alike to fill the box.
fn fill_rows(rows: &[&[f64]], size: Size, gutter: f64) -> Vec<Rect> {
    let width = |row: &[f64]| size.width - gutter * (row.len() as f64 - 1.0);
    let natural: Vec<f64> = rows.iter().map(|row| width(row) / row.iter().sum::<f64>()).collect();
    let room = size.height - gutter * (rows.len() as f64 - 1.0);
    let scale = room / natural.iter().sum::<f64>();
    let mut out = Vec::new();
    let mut y = 0.0;
    for (row, natural) in rows.iter().zip(natural) {
        let height = natural * scale;
        let mut x = 0.0;
        for aspect in *row {
            let cell = width(row) * aspect / row.iter().sum::<f64>();
            out.push(Rect::from_origin_size((x, y), (cell, height)));
            x += cell + gutter;
        }
        y += height + gutter;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_fill_the_box_without_overlap(aspects in prop::collection::vec(0.3..3.0_f64, 1..30), w in 50.0..400.0_f64, h in 50.0..400.0_f64) {
            let size = Size::new(w, h);
            let cells = rows(&aspects, size, 1.0);
            prop_assert_eq!(cells.len(), aspects.len());
            for (i, a) in cells.iter().enumerate() {
                prop_assert!(a.x0 > -1e-6 && a.y0 > -1e-6 && a.x1 < w + 1e-6 && a.y1 < h + 1e-6);
                for b in &cells[..i] {
                    let both = a.intersect(*b);
                    prop_assert!(both.width() < 1e-6 || both.height() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn landscape_photos_stack_in_a_tall_box() {
        let cells = rows(&[1.5, 1.5], Size::new(60.0, 80.0), 0.0);
        assert!(cells[0].x0 == cells[1].x0 && cells[1].y0 > cells[0].y0);
    }
}
