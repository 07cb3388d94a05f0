//! Drawings for cutters and lasers: a surface's vector art as SVG in millimetres.
//!
//! Each of the template's layers, and each plate made from the art, is a group with its name.
//! Spots that are cut become hairlines in 255,0,0, spots that are engraved areas in 0,0,0; that
//! is how these machines tell work apart. What a drawing cannot hold is an error, never left out;
//! that is so of the spot inks alone where nothing else is drawn.

mod engraved;
mod refused;
mod text;

use crate::catalog::Profile;
use crate::catalog::plates::{SvgContent, SvgSettings};
use crate::error::Violation;
use crate::print::part;
use crate::scene::separation::{Content, Purpose};
use crate::scene::{
    Blend, Clip, Fill, FillRule, Group, Ink, MM_PER_PT, Node, Paint, PathNode, Placement, Separation, Stroke,
    Surface,
};
use engraved::Engraved;
use kurbo::{Affine, Cap, Join, Point, Rect, Shape};
use refused::{is_mixed_spot, unheld, unsupported};
use std::collections::BTreeSet;
use std::fmt::Write;
use text::{data, escape, number};

/// Width of a line that is cut, in points.
const HAIRLINE_PT: f64 = 0.001;

/// A surface's drawing; `area` is what it shows.
///
/// # Errors
/// `svg.unsupported` for art that is no plain vector art: pictures, gradients, masks, blending, tints of
/// what is engraved, art that lies on it where nothing but spots is drawn.
pub fn draw(
    surface: &Surface,
    profile: &Profile,
    area: Rect,
    placement: Placement,
) -> Result<String, Violation> {
    let placed = placement.matrix();
    let shown = placed.transform_rect_bbox(area);
    let (width, height) = (number(shown.width()), number(shown.height()));
    let plates = |names: &[String]| {
        names.iter().filter_map(|n| profile.spots.get(n)).map(|spot| spot.plate.clone()).collect()
    };
    let mut drawing = Drawing {
        out: String::new(),
        settings: &profile.svg,
        cut: plates(&profile.svg.cut),
        engrave: plates(&profile.svg.engrave),
        lifted: profile.spots.values().filter(|s| s.turn().is_some()).map(|s| s.plate.clone()).collect(),
        engraved: Engraved::default(),
        seen: shown.with_origin(Point::ZERO),
        ids: BTreeSet::new(),
        clips: 0,
    };
    let _ = writeln!(
        drawing.out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" \
         xmlns:inkscape=\"http://www.inkscape.org/namespaces/inkscape\" version=\"1.1\" \
         width=\"{width}mm\" height=\"{height}mm\" viewBox=\"0 0 {width} {height}\">"
    );
    let to_page = Affine::translate((-shown.x0, -shown.y0)) * placed;
    drawing.nodes(&surface.nodes, to_page)?;
    drawing.out.push_str("</svg>\n");
    Ok(drawing.out)
}

struct Drawing<'a> {
    out: String,
    settings: &'a SvgSettings,
    /// Plates whose lines are cut.
    cut: Vec<String>,
    /// Plates whose areas are engraved.
    engrave: Vec<String>,
    /// Plates that lie above all art, so that nothing takes them away.
    lifted: BTreeSet<String>,
    engraved: Engraved,
    /// What clips let through, on the page.
    seen: Rect,
    ids: BTreeSet<String>,
    clips: u32,
}

impl Drawing<'_> {
    fn spots_only(&self) -> bool {
        self.settings.content == SvgContent::Spots
    }

    fn nodes(&mut self, nodes: &[Node], to_page: Affine) -> Result<(), Violation> {
        for node in nodes {
            match node {
                Node::Group(group) => self.group(group, to_page)?,
                Node::Path(path) => self.path(path, to_page)?,
                Node::Pattern(pattern) => {
                    for place in &pattern.instances {
                        self.group(&pattern.cell, to_page * *place)?;
                    }
                }
                Node::Separation(separation) => self.separation(separation, to_page)?,
                Node::Image(_) | Node::Filter(_) if !self.spots_only() => {
                    return Err(unsupported("pictures and filters"));
                }
                Node::Image(image) => {
                    let unit = Rect::new(0.0, 0.0, 1.0, 1.0);
                    self.engraved.cover(&engraved::boxed(unit, to_page * image.transform), self.seen)?;
                }
                Node::Filter(filter) => {
                    let place = to_page * filter.transform;
                    self.engraved.cover(&engraved::boxed(filter.bounds, place), self.seen)?;
                }
            }
        }
        Ok(())
    }

    fn separation(&mut self, separation: &Separation, to_page: Affine) -> Result<(), Violation> {
        match (separation.purpose, &separation.content) {
            (Purpose::Contour, Content::Outlines(nodes)) => {
                if let Ink::Spot { name, .. } = &separation.ink {
                    self.open(name);
                    self.nodes(nodes, to_page)?;
                    self.out.push_str("</g>\n");
                }
                Ok(())
            }
            // An underbase is printed, not cut, as outlines too.
            (Purpose::Underbase, Content::Outlines(_))
            | (Purpose::Contour | Purpose::Underbase, Content::Coverage(_)) => Ok(()),
        }
    }

    /// Begins a named layer.
    fn open(&mut self, name: &str) {
        let mut id: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
            .collect();
        if !id.starts_with(|c: char| c.is_ascii_alphabetic()) {
            id.insert_str(0, "layer-");
        }
        let mut unique = id.clone();
        let mut count = 1;
        while !self.ids.insert(unique.clone()) {
            count += 1;
            unique = format!("{id}-{count}");
        }
        let _ = writeln!(
            self.out,
            "<g id=\"{unique}\" inkscape:groupmode=\"layer\" inkscape:label=\"{}\">",
            escape(name)
        );
    }

    fn group(&mut self, group: &Group, to_page: Affine) -> Result<(), Violation> {
        if group.opacity <= 0.0 || group.nodes.is_empty() {
            return Ok(());
        }
        let to_page = to_page * group.transform;
        if group.mask.is_some() || group.blend != Blend::Normal {
            if !self.spots_only() {
                return Err(unsupported("masks and blend modes"));
            }
            if !part(&group.nodes, &|plate| plate.is_some()).is_empty() {
                return Err(unheld("a mask or a blend mode on a spot ink"));
            }
        }
        let start = self.out.len();
        let (mut opened, seen) = (0, self.seen);
        if let Some(name) = &group.name {
            self.open(name);
            opened += 1;
        }
        for clip in &group.clips {
            self.clip(clip, to_page);
            let around = clip.paths.iter().map(|(path, _)| (to_page * (**path).clone()).bounding_box());
            self.seen = around.reduce(|a, b| a.union(b)).unwrap_or_default().intersect(self.seen);
            opened += 1;
        }
        if group.opacity < 1.0 {
            let _ = writeln!(self.out, "<g opacity=\"{}\">", number(f64::from(group.opacity)));
            opened += 1;
        }
        let empty = self.out.len();
        self.nodes(&group.nodes, to_page)?;
        self.seen = seen;
        if self.out.len() == empty {
            self.out.truncate(start);
            return Ok(());
        }
        (0..opened).for_each(|_| self.out.push_str("</g>\n"));
        Ok(())
    }

    fn clip(&mut self, clip: &Clip, to_page: Affine) {
        self.clips += 1;
        let id = format!("presswork-clip-{}", self.clips);
        let _ = write!(self.out, "<clipPath id=\"{id}\">");
        for (path, rule) in &clip.paths {
            let rule = if *rule == FillRule::EvenOdd { " clip-rule=\"evenodd\"" } else { "" };
            let _ = write!(self.out, "<path{rule} d=\"{}\"/>", data(path, to_page));
        }
        let _ = writeln!(self.out, "</clipPath>\n<g clip-path=\"url(#{id})\">");
    }

    fn path(&mut self, node: &PathNode, to_page: Affine) -> Result<(), Violation> {
        let spot = |paint: &Paint| match paint {
            Paint::Solid(Ink::Spot { name, .. }) => Some(name.to_string()),
            Paint::Solid(Ink::Process(_)) | Paint::Linear(_) | Paint::Radial(_) | Paint::Tiling(_) => None,
        };
        let fill = node.fill.as_ref().filter(|f| f.opacity > 0.0);
        let stroke = node.stroke.as_ref().filter(|s| s.opacity > 0.0);
        if self.spots_only() {
            self.hold(node, fill, stroke, to_page)?;
        }
        let cut = |paint: &Paint| spot(paint).is_some_and(|plate| self.cut.contains(&plate));
        let around = fill.is_some_and(|f| cut(&f.paint));
        let along = stroke.filter(|s| cut(&s.paint));
        let kept = |paint: &Paint| !cut(paint) && (!self.spots_only() || spot(paint).is_some());
        let fill = fill.filter(|f| kept(&f.paint));
        let stroke = stroke.filter(|s| kept(&s.paint));
        self.shape(node, fill, stroke, to_page)?;
        // Last, as plates that are cut come after the art.
        if around || along.is_some() {
            let width = number(HAIRLINE_PT * MM_PER_PT);
            let dashes = along.filter(|s| !around && s.style.dash_pattern.iter().sum::<f64>() > 0.0);
            let line = match dashes {
                // A perforation. Many machines follow the whole line whatever its dashes, so each is a
                // line of its own.
                Some(stroke) => {
                    stroke.check_dashes(&node.path)?;
                    let Stroke { style, .. } = stroke;
                    let dashes = kurbo::dash(node.path.iter(), style.dash_offset, &style.dash_pattern);
                    data(&dashes.collect(), to_page)
                }
                None => data(&node.path, to_page),
            };
            let _ = writeln!(
                self.out,
                "<path fill=\"none\" stroke=\"#ff0000\" stroke-width=\"{width}\" d=\"{line}\"/>"
            );
        }
        Ok(())
    }

    /// Where nothing but spots is drawn: what of a path's spots cannot be, and what its other paints take
    /// away from engraved areas.
    fn hold(
        &mut self,
        node: &PathNode,
        fill: Option<&Fill>,
        stroke: Option<&Stroke>,
        to_page: Affine,
    ) -> Result<(), Violation> {
        let paints = [fill.map(|fill| &fill.paint), stroke.map(|stroke| &stroke.paint)];
        if paints.into_iter().flatten().any(is_mixed_spot) {
            return Err(unheld("a gradient or a patterned fill in a spot ink"));
        }
        if self.engrave.is_empty() {
            return Ok(());
        }
        let fill = fill.map(|fill| (&fill.paint, engraved::filled(&node.path, fill, to_page)));
        let stroke = match stroke {
            Some(stroke) => Some((&stroke.paint, engraved::stroked(&node.path, stroke, to_page)?)),
            None => None,
        };
        let painted = if node.stroke_first { [stroke, fill] } else { [fill, stroke] };
        for (paint, area) in painted.into_iter().flatten() {
            match paint {
                Paint::Solid(Ink::Spot { name, .. }) => {
                    let plate = name.to_string();
                    if self.engrave.contains(&plate) && !self.lifted.contains(&plate) {
                        self.engraved.add(area, self.seen);
                    }
                }
                Paint::Solid(Ink::Process(_)) | Paint::Linear(_) | Paint::Radial(_) | Paint::Tiling(_) => {
                    self.engraved.cover(&area, self.seen)?;
                }
            }
        }
        Ok(())
    }

    /// What of a path is an area or a line as wide as it is drawn.
    fn shape(
        &mut self,
        node: &PathNode,
        fill: Option<&Fill>,
        stroke: Option<&Stroke>,
        to_page: Affine,
    ) -> Result<(), Violation> {
        if fill.is_none() && stroke.is_none() {
            return Ok(());
        }
        let mut attributes = match fill {
            Some(Fill { paint, opacity, rule }) => {
                let mut text = format!("fill=\"{}\"", self.color(paint)?);
                if *rule == FillRule::EvenOdd {
                    text.push_str(" fill-rule=\"evenodd\"");
                }
                if *opacity < 1.0 {
                    let _ = write!(text, " fill-opacity=\"{}\"", number(f64::from(*opacity)));
                }
                text
            }
            None => "fill=\"none\"".to_owned(),
        };
        // A stroke keeps its shape only where all directions are scaled alike.
        let [a, b, c, d, _, _] = to_page.as_coeffs();
        let scale = libm::sqrt((a * d - b * c).abs());
        let alike = ((a * a + b * b) - (c * c + d * d)).abs() < 1e-9 * scale * scale
            && (a * c + b * d).abs() < 1e-9 * scale * scale;
        let (mut placed, mut stroke_scale) = (to_page, scale);
        if let Some(stroke) = stroke {
            if !alike {
                let matrix = to_page.as_coeffs().map(number).join(" ");
                let _ = write!(attributes, " transform=\"matrix({matrix})\"");
                (placed, stroke_scale) = (Affine::IDENTITY, 1.0);
            }
            let color = self.color(&stroke.paint)?;
            self.stroke(&mut attributes, &stroke.style, stroke.opacity, &color, stroke_scale);
            if node.stroke_first && fill.is_some() {
                attributes.push_str(" paint-order=\"stroke\"");
            }
        }
        let _ = writeln!(self.out, "<path {attributes} d=\"{}\"/>", data(&node.path, placed));
        Ok(())
    }

    fn stroke(&self, out: &mut String, style: &kurbo::Stroke, opacity: f32, color: &str, scale: f64) {
        let cap = match style.start_cap {
            Cap::Butt => "butt",
            Cap::Square => "square",
            Cap::Round => "round",
        };
        let join = match style.join {
            Join::Miter => "miter",
            Join::Round => "round",
            Join::Bevel => "bevel",
        };
        let width = number(style.width * scale);
        let _ = write!(
            out,
            " stroke=\"{color}\" stroke-width=\"{width}\" stroke-linecap=\"{cap}\" \
             stroke-linejoin=\"{join}\" stroke-miterlimit=\"{}\"",
            number(style.miter_limit.max(1.0))
        );
        if !style.dash_pattern.is_empty() {
            let dashes: Vec<String> = style.dash_pattern.iter().map(|d| number(d * scale)).collect();
            let offset = number(style.dash_offset * scale);
            let _ = write!(out, " stroke-dasharray=\"{}\" stroke-dashoffset=\"{offset}\"", dashes.join(" "));
        }
        if opacity < 1.0 {
            let _ = write!(out, " stroke-opacity=\"{}\"", number(f64::from(opacity)));
        }
    }

    fn color(&self, paint: &Paint) -> Result<String, Violation> {
        let Paint::Solid(ink) = paint else { return Err(unsupported("gradients and patterned fills")) };
        if let Ink::Spot { name, tint, .. } = ink
            && self.engrave.iter().any(|plate| plate == name.as_ref())
        {
            return match tint {
                1.0.. => Ok("#000000".to_owned()),
                _ => Err(unheld("a tint of an ink that is engraved")),
            };
        }
        let color = ink.to_srgb().map(|c| (c.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
        let [r, g, b] = match color {
            // Art in the red of the knife would be cut; a level less is seen by nobody.
            [255, 0, 0] if !self.cut.is_empty() => [254, 0, 0],
            color => color,
        };
        Ok(format!("#{r:02x}{g:02x}{b:02x}"))
    }
}

#[cfg(test)]
mod tests;
