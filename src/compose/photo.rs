//! Pictures: crop, focal point, turn, masks and filters become one matrix and a few numbers.

use super::env::Env;
use super::place::Container;
use super::{Asset, Composer, Remark, Source};
use crate::asset::Picture;
use crate::catalog::Action;
use crate::catalog::layer::{Fit, ImageLayer, Layer, PhotoFilter, PhotoLayer};
use crate::error::{Code, Violation};
use crate::order::{FieldValue, ImageValue};
use crate::scene::{Adjust, Group, ImageNode, MM_PER_INCH, Node, PathNode, rotation};
use kurbo::{Affine, Point, Rect, Size};
use std::sync::Arc;

/// How a picture is used in a box.
pub(super) struct Framing<'a> {
    pub(super) fit: Fit,
    /// The part of the upright picture that may be shown, in fractions.
    pub(super) crop: Rect,
    /// What a cut keeps in sight, in fractions of the upright picture.
    pub(super) focal: Point,
    /// Quarter turns clockwise, in degrees.
    pub(super) turn: u16,
    pub(super) adjust: Vec<Adjust>,
    pub(super) matte: Option<Arc<Picture>>,
    /// The layer, for findings.
    pub(super) layer: &'a str,
}

impl Framing<'_> {
    /// The whole picture, upright and unchanged.
    pub(super) fn whole(fit: Fit, layer: &str) -> Framing<'_> {
        Framing {
            fit,
            crop: Rect::new(0.0, 0.0, 1.0, 1.0),
            focal: Point::new(0.5, 0.5),
            turn: 0,
            adjust: Vec::new(),
            matte: None,
            layer,
        }
    }
}

impl Composer<'_> {
    /// A picture of the order. A field without a value prints nothing.
    pub(super) fn photo(
        &self,
        photo: &PhotoLayer,
        layer: &Layer,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let Some(FieldValue::Image { image, pointer }) = container.env.lookup(&photo.field) else {
            return Ok(Vec::new());
        };
        let focal = Point::new(photo.focal[0], photo.focal[1]);
        let adjust = self.adjust(&photo.filters, &container.env)?;
        let mut nodes = self
            .order_picture(image, photo.fit, focal, adjust, &layer.id, container)
            .map_err(|v| if v.pointer.is_none() { v.at(pointer.clone()) } else { v })?;
        let outline = match &photo.mask {
            Some(mask) => Some(self.outline(mask, container.size, &container.env, container.to_trim)?),
            None => None,
        };
        let border = match &photo.border {
            Some(border) => self.stroke(border, &container.env)?,
            None => None,
        };
        let edge = outline.as_ref().map_or_else(
            || super::shape::rounded_rect(container.size.to_rect(), 0.0),
            |outline| outline.path.clone(),
        );
        let mask = match &photo.alpha {
            Some(alpha) => self.mask(alpha, layer, container)?,
            None => None,
        };
        if outline.is_some() || mask.is_some() {
            let clips = outline.map(|outline| outline.clip()).into_iter().collect();
            nodes = vec![Node::Group(Arc::new(Group { clips, mask, nodes, ..Group::default() }))];
        }
        if border.is_some() {
            nodes.push(Node::Path(Arc::new(PathNode {
                path: Arc::new(edge),
                fill: None,
                stroke: border,
                stroke_first: false,
                overprint: false,
            })));
        }
        Ok(nodes)
    }

    /// A value of an image field in a box.
    pub(super) fn order_picture(
        &self,
        image: &ImageValue,
        fit: Fit,
        focal: Point,
        adjust: Vec<Adjust>,
        layer: &str,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let picture = self.picture(&Source::Order(image.asset.clone()))?;
        let matte = match &image.matte {
            Some(matte) => Some(self.picture(&Source::Order(matte.asset.clone()))?),
            None => None,
        };
        let framing = Framing {
            fit,
            crop: image.crop.map_or(Rect::new(0.0, 0.0, 1.0, 1.0), |c| {
                Rect::new(c.x, c.y, (c.x + c.w).min(1.0), (c.y + c.h).min(1.0))
            }),
            focal: image.focal.map_or(focal, |f| Point::new(f.x, f.y)),
            turn: image.turn.unwrap_or(0),
            adjust,
            matte,
            layer,
        };
        self.framed(picture, framing, container)
    }

    /// Fixed art in pixels.
    pub(super) fn image(
        &self,
        image: &ImageLayer,
        layer: &Layer,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let Some(path) = container.env.get(&image.asset)? else { return Ok(Vec::new()) };
        let picture = self.picture(&Source::Catalog(format!("{}/{path}", layer.base)))?;
        let adjust = self.adjust(&image.filters, &container.env)?;
        self.framed(picture, Framing { adjust, ..Framing::whole(image.fit, &layer.id) }, container)
    }

    /// A picture in a box: cut or shrunk by `fit`, with a finding where it has too few pixels.
    pub(super) fn framed(
        &self,
        picture: Arc<Picture>,
        framing: Framing<'_>,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let (width, height) = picture.size();
        let full = Size::new(f64::from(width), f64::from(height));
        let sideways = !framing.turn.is_multiple_of(180);
        let swap = |size: Size| if sideways { Size::new(size.height, size.width) } else { size };
        let shown = Size::new(framing.crop.width() * full.width, framing.crop.height() * full.height);
        let (crop, target) = match framing.fit {
            Fit::Stretch => (framing.crop, container.size.to_rect()),
            Fit::Fit => {
                let (into, _) = super::place::fit(Fit::Fit, swap(shown), container.size);
                (framing.crop, into.transform_rect_bbox(swap(shown).to_rect()))
            }
            Fit::Fill => {
                let wanted = swap(container.size);
                let scale = (shown.width / wanted.width).min(shown.height / wanted.height);
                let part = Size::new(wanted.width * scale / full.width, wanted.height * scale / full.height);
                (cut(framing.crop, part, framing.focal), container.size.to_rect())
            }
        };
        self.judge_resolution(full, crop, swap(target.size()), &framing, container)?;
        let spin = Affine::translate((0.5, 0.5))
            * rotation(f64::from(framing.turn))
            * Affine::translate((-0.5, -0.5));
        let place = Affine::translate(target.origin().to_vec2())
            * Affine::scale_non_uniform(target.width(), target.height());
        Ok(vec![Node::Image(Arc::new(ImageNode {
            picture,
            crop,
            transform: place * spin,
            adjust: framing.adjust,
            matte: framing.matte,
            pixelated: false,
        }))])
    }

    fn judge_resolution(
        &self,
        full: Size,
        crop: Rect,
        target: Size,
        framing: &Framing<'_>,
        container: &Container<'_>,
    ) -> Result<(), Violation> {
        let [a, b, c, d, ..] = container.to_trim.as_coeffs();
        let (grow_x, grow_y) = (libm::hypot(a, b), libm::hypot(c, d));
        let per_inch = |px: f64, mm: f64| px / mm * MM_PER_INCH;
        let ppi = per_inch(crop.width() * full.width, target.width * grow_x)
            .min(per_inch(crop.height() * full.height, target.height * grow_y));
        let profile = self.order.profile();
        let action = if ppi < profile.resolution.fail {
            profile.policy.low_resolution
        } else if ppi < profile.resolution.warn {
            Action::Warn
        } else {
            return Ok(());
        };
        self.remark(Remark {
            code: Code::ImageLowResolution,
            action,
            layer: framing.layer,
            place: container.to_trim.transform_rect_bbox(container.size.to_rect()),
            detail: format!(
                "a picture is printed at {:.0} pixels per inch; the profile wants {:.0}: send a larger one or show more of it",
                libm::floor(ppi),
                profile.resolution.warn
            ),
        })
    }

    /// A probed picture. Vector art where pixels are wanted is the order's mistake, or the template's.
    pub(super) fn picture(&self, source: &Source) -> Result<Arc<Picture>, Violation> {
        let (asset, reference) = self.assets.get(source)?;
        match asset {
            Asset::Picture(picture) => Ok(picture.clone()),
            Asset::Vector(_) => Err(reference.blame(Violation::new(
                Code::AssetTypeUnsupported,
                "a photo is a JPEG, PNG, WebP or TIFF; this is vector art",
            ))),
        }
    }

    /// Photo filters with their amounts.
    pub(super) fn adjust(&self, filters: &[PhotoFilter], env: &Env<'_>) -> Result<Vec<Adjust>, Violation> {
        let mut out = Vec::new();
        for filter in filters {
            let amount =
                |bound, high: f64| Ok::<_, Violation>(env.get(bound)?.map(|v: f64| v.clamp(0.0, high)));
            out.extend(match filter {
                PhotoFilter::Greyscale(on) => env.get(on)?.filter(|on| *on).map(|_| Adjust::Greyscale),
                PhotoFilter::Sepia(v) => amount(v, 1.0)?.map(|v| Adjust::Sepia(v as f32)),
                PhotoFilter::Brightness(v) => amount(v, 10.0)?.map(|v| Adjust::Brightness(v as f32)),
                PhotoFilter::Contrast(v) => amount(v, 10.0)?.map(|v| Adjust::Contrast(v as f32)),
                PhotoFilter::Blur(v) => amount(v, 100.0)?.filter(|v| *v > 0.0).map(Adjust::Blur),
                PhotoFilter::Threshold(v) => amount(v, 1.0)?.map(|v| Adjust::Threshold(v as f32)),
                PhotoFilter::Duotone([dark, light]) => {
                    let srgb = |color| Ok::<_, Violation>(self.ink(color, env)?.map(|ink| ink.to_srgb()));
                    srgb(dark)?.zip(srgb(light)?).map(|(dark, light)| Adjust::Duotone(dark, light))
                }
            });
        }
        Ok(out)
    }
}

/// A part of this size inside `crop`, as near to the focal point as it can be centred.
fn cut(crop: Rect, part: Size, focal: Point) -> Rect {
    let start = |low: f64, high: f64, size: f64, focal: f64| (focal - size / 2.0).min(high - size).max(low);
    let (width, height) = (part.width.min(crop.width()), part.height.min(crop.height()));
    let x = start(crop.x0, crop.x1, width, focal.x);
    let y = start(crop.y0, crop.y1, height, focal.y);
    Rect::new(x, y, x + width, y + height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cut_stays_inside_and_keeps_its_size(
            x in 0.0..0.9_f64, y in 0.0..0.9_f64, w in 0.05..1.0_f64, h in 0.05..1.0_f64,
            pw in 0.01..1.0_f64, ph in 0.01..1.0_f64, fx in 0.0..1.0_f64, fy in 0.0..1.0_f64,
        ) {
            let crop = Rect::new(x, y, (x + w).min(1.0), (y + h).min(1.0));
            let part = Size::new(pw * crop.width(), ph * crop.height());
            let found = cut(crop, part, Point::new(fx, fy));
            prop_assert!(found.x0 >= crop.x0 - 1e-12 && found.x1 <= crop.x1 + 1e-12);
            prop_assert!(found.y0 >= crop.y0 - 1e-12 && found.y1 <= crop.y1 + 1e-12);
            prop_assert!((found.width() - part.width).abs() < 1e-9 && (found.height() - part.height).abs() < 1e-9);
            // The focal point is as near the middle as the crop allows: shown whenever it lies inside.
            if crop.contains(Point::new(fx, fy)) {
                prop_assert!(found.inflate(1e-9, 1e-9).contains(Point::new(fx, fy)));
            }
        }
    }
}
