//! The walk from scene nodes to content operations.
//!
//! A plain group is painted in place; anything composited as a whole becomes a transparency
//! form. Masks, and clips that one PDF path cannot say, become luminosity soft masks in
//! DeviceGray, which every renderer treats alike.

use super::bounds;
use super::color::{Spaces, Tone};
use super::content::{Content, PathPaint};
use super::image::Images;
use super::object::{dictionary, name, numbers};
use super::objects::Objects;
use crate::catalog::print::Laid;
use crate::control::Control;
use crate::error::Violation;
use crate::print::{Inking, Role, group_blend, single_path};
use crate::scene::{Blend, Clip, FillRule, Group, Mask, MaskKind, Node, PatternNode};
use kurbo::{Affine, Rect};
use lopdf::{Object, ObjectId};
use std::io::Write;

/// Where painting stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Space {
    /// From the current space to that of the content stream: patterns are placed in the latter.
    pub(super) to_stream: Affine,
    /// From the current space to millimetres on the page; in a form that is used many times, the
    /// largest use.
    pub(super) to_page: Affine,
    /// What can be seen, in the current space.
    pub(super) visible: Rect,
    /// What colours become.
    pub(super) tone: Tone,
    /// What is painted, where black is concerned.
    pub(super) role: Role,
    /// Straight onto the page, not into a form.
    pub(super) direct: bool,
}

impl Space {
    /// Inside a group. `None` where nothing of it can be seen.
    pub(super) fn enter(&self, transform: Affine) -> Option<Space> {
        if transform.determinant().abs() < 1e-18 {
            return None;
        }
        let visible = transform.inverse().transform_rect_bbox(self.visible);
        Some(Space {
            to_stream: self.to_stream * transform,
            to_page: self.to_page * transform,
            visible,
            ..*self
        })
    }

    /// Inside a form that is drawn here.
    fn form(&self, tone: Tone) -> Space {
        Space { to_stream: Affine::IDENTITY, tone, direct: false, ..*self }
    }

    /// A millimetre on the page, in this space.
    pub(super) fn millimetre(&self) -> f64 {
        1.0 / libm::sqrt(self.to_page.determinant().abs()).max(1e-9)
    }

    /// The visible part of an area, with a margin for anti-aliased edges.
    pub(super) fn seen(&self, area: Rect) -> Option<Rect> {
        let margin = self.millimetre();
        let seen = area.inflate(margin, margin).intersect(self.visible.inflate(margin, margin));
        (seen.width() > 0.0 && seen.height() > 0.0).then_some(seen)
    }
}

/// Paints nodes into content streams.
pub(super) struct Painter<'a, W> {
    /// The document.
    pub(super) objects: &'a mut Objects<W>,
    /// Pictures the document already has.
    pub(super) images: &'a mut Images,
    /// The document's colour spaces.
    pub(super) spaces: Spaces,
    /// How process colours are printed.
    pub(super) inking: Inking<'a>,
    /// How the plate is laid that is being painted after all art.
    pub(super) lifting: Option<Laid>,
    /// How much larger than the surface the page is printed.
    pub(super) scale: f64,
    /// May the work go on?
    pub(super) control: Control<'a>,
}

impl<W: Write> Painter<'_, W> {
    /// Nodes, first to last.
    pub(super) fn nodes(&mut self, out: &mut Content, nodes: &[Node], space: Space) -> Result<(), Violation> {
        for node in nodes {
            self.control.check()?;
            match node {
                Node::Group(group) => self.group(out, group, space)?,
                Node::Path(path) => self.path(out, path, space)?,
                Node::Image(image) => self.image(out, image, space)?,
                Node::Pattern(pattern) => self.pattern(out, pattern, space)?,
                Node::Filter(filter) => self.filter(out, filter, space)?,
                Node::Separation(separation) => self.separation(out, separation, space)?,
            }
        }
        Ok(())
    }

    pub(super) fn group(&mut self, out: &mut Content, group: &Group, outer: Space) -> Result<(), Violation> {
        let Some(mut space) = outer.enter(group.transform) else { return Ok(()) };
        if group.readable {
            space.role = Role::Type;
        }
        if group.opacity <= 0.0 || group.nodes.is_empty() {
            return Ok(());
        }
        for clip in &group.clips {
            let Some(seen) = bounds::of_clip(clip).and_then(|area| space.seen(area)) else { return Ok(()) };
            space.visible = seen;
        }
        out.save();
        out.transform(group.transform);
        let mut masks = Vec::new();
        for clip in &group.clips {
            match single_path(clip) {
                Some((path, rule)) => out.path(&path, PathPaint::Clip, rule == FillRule::EvenOdd),
                None => masks.push(self.clip_mask(clip, space)?),
            }
        }
        if let Some(mask) = &group.mask {
            masks.push(self.mask(mask, space)?);
        }
        if group.is_plain() && masks.is_empty() {
            self.nodes(out, &group.nodes, space)?;
        } else if let Some(area) = bounds::of_nodes(&group.nodes).and_then(|area| space.seen(area)) {
            let mut inner = Content::default();
            self.nodes(&mut inner, &group.nodes, space.form(space.tone))?;
            let blending = self.spaces.blending(space.tone, self.inking.blend);
            let mut form = inner.into_form(self.objects, area, Some(blending.clone()))?;
            // One graphics state holds one mask: further ones nest.
            let last = masks.pop();
            for mask in masks {
                let mut wrapped = Content::default();
                let state = self.state(1.0, Blend::Normal, Some(mask), false)?;
                if let Some(state) = state {
                    wrapped.state(state);
                }
                wrapped.draw(form);
                form = wrapped.into_form(self.objects, area, Some(blending.clone()))?;
            }
            let blend = match space.tone {
                Tone::White => Blend::Normal,
                Tone::Color => group_blend(group.blend, self.laid_together(&group.nodes)?),
                Tone::Luma => group.blend,
            };
            if let Some(state) = self.state(group.opacity, blend, last, false)? {
                out.state(state);
            }
            out.draw(form);
        }
        out.restore();
        Ok(())
    }

    /// How nodes that are composited as a whole are laid.
    fn laid_together(&self, nodes: &[Node]) -> Result<Option<Laid>, Violation> {
        match self.lifting {
            Some(laid) => Ok(Some(laid)),
            None => self.inking.rules.laid_together(nodes),
        }
    }

    /// A graphics state, unless it is the default one. `mask` is a form for luminosity.
    pub(super) fn state(
        &mut self,
        opacity: f32,
        blend: Blend,
        mask: Option<ObjectId>,
        overprint: bool,
    ) -> Result<Option<ObjectId>, Violation> {
        let flat = self.inking.rules.standard.is_flat();
        if flat && (opacity < 1.0 || blend != Blend::Normal || mask.is_some()) {
            return Err(super::flat::left_over());
        }
        let mut state = dictionary([("Type", name("ExtGState"))]);
        if opacity < 1.0 {
            let alpha = numbers([f64::from(opacity.max(0.0))]).as_array().map(|a| a[0].clone());
            let alpha = alpha.unwrap_or(Object::Null);
            state.set("CA", alpha.clone());
            state.set("ca", alpha);
        }
        if blend != Blend::Normal {
            state.set("BM", name(blend_name(blend)));
        }
        if let Some(form) = mask {
            state.set(
                "SMask",
                Object::Dictionary(dictionary([
                    ("Type", name("Mask")),
                    ("S", name("Luminosity")),
                    ("G", Object::Reference(form)),
                ])),
            );
        }
        if overprint {
            state.set("OP", Object::Boolean(true));
            state.set("op", Object::Boolean(true));
            state.set("OPM", Object::Integer(1));
        }
        if state.len() == 1 {
            return Ok(None);
        }
        self.objects.add(&Object::Dictionary(state)).map(Some)
    }

    /// The form of a mask.
    fn mask(&mut self, mask: &Mask, space: Space) -> Result<ObjectId, Violation> {
        let tone = match mask.kind {
            MaskKind::Alpha => Tone::White,
            MaskKind::Luminosity => Tone::Luma,
        };
        let mut content = Content::default();
        self.nodes(&mut content, &mask.nodes, space.form(tone))?;
        content.into_form(self.objects, space.visible, Some(name("DeviceGray")))
    }

    /// A union of outlines as a mask: white where any of them is.
    fn clip_mask(&mut self, clip: &Clip, space: Space) -> Result<ObjectId, Violation> {
        let mut content = Content::default();
        content.color(self.spaces.grey, &[1.0], false);
        for (path, rule) in &clip.paths {
            content.path(path, PathPaint::Fill, *rule == FillRule::EvenOdd);
        }
        content.into_form(self.objects, space.visible, Some(name("DeviceGray")))
    }

    fn pattern(&mut self, out: &mut Content, node: &PatternNode, space: Space) -> Result<(), Violation> {
        let largest = node.instances.iter().copied().max_by(|a, b| {
            let (a, b) = (a.determinant().abs(), b.determinant().abs());
            a.total_cmp(&b)
        });
        let Some(largest) = largest.filter(|i| i.determinant().abs() > 1e-18) else { return Ok(()) };
        let to_page = space.to_page * largest;
        let margin = 1.0 / libm::sqrt(to_page.determinant().abs()).max(1e-9);
        let area = node.bounds.inflate(margin, margin);
        // Its form is no group: what is painted in it is painted straight onto what lies beneath.
        let inner = Space { to_page, visible: area, direct: space.direct, ..space.form(space.tone) };
        let mut content = Content::default();
        self.group(&mut content, &node.cell, inner)?;
        let form = content.into_form(self.objects, area, None)?;
        for instance in &node.instances {
            let covered = instance.transform_rect_bbox(node.bounds);
            if covered.intersect(space.visible).area() > 0.0 {
                out.save();
                out.transform(*instance);
                out.draw(form);
                out.restore();
            }
        }
        Ok(())
    }
}

/// PDF's name of a blend mode.
fn blend_name(blend: Blend) -> &'static str {
    match blend {
        Blend::Normal => "Normal",
        Blend::Multiply => "Multiply",
        Blend::Screen => "Screen",
        Blend::Overlay => "Overlay",
        Blend::Darken => "Darken",
        Blend::Lighten => "Lighten",
        Blend::ColorDodge => "ColorDodge",
        Blend::ColorBurn => "ColorBurn",
        Blend::HardLight => "HardLight",
        Blend::SoftLight => "SoftLight",
        Blend::Difference => "Difference",
        Blend::Exclusion => "Exclusion",
        Blend::Hue => "Hue",
        Blend::Saturation => "Saturation",
        Blend::Color => "Color",
        Blend::Luminosity => "Luminosity",
    }
}
