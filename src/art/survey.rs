//! One walk over a parsed tree: its pictures, its colours, its filters, and what will be lost.

use super::recolor::{Rgb, rgb};
use super::scan::Findings;
use crate::asset::{Limits, Picture};
use crate::error::{Code, Violations};
use kurbo::Rect;
use resvg::usvg::{self, ImageKind, Node, Paint};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Survey {
    /// Probed pictures by where usvg keeps their bytes. Only looked up, never iterated.
    pub(super) pictures: BTreeMap<usize, Arc<Picture>>,
    /// Every colour of a fill, stroke or gradient stop.
    pub(super) colors: BTreeSet<Rgb>,
    /// Region in the viewport's user units and number of primitives of each filter.
    pub(super) filters: Vec<(Rect, usize)>,
    /// Some element meets what lies beneath it by a blend mode.
    pub(super) blends: bool,
    problems: Violations,
    under_filter: usize,
}

impl Survey {
    pub(super) fn of(tree: &usvg::Tree, limits: &Limits, findings: &mut Findings) -> Result<Self, Violations> {
        let mut survey = Survey::default();
        survey.group(tree.root(), limits, findings);
        std::mem::take(&mut survey.problems).or(survey)
    }

    fn group(&mut self, group: &usvg::Group, limits: &Limits, findings: &mut Findings) {
        self.blends |= group.blend_mode() != usvg::BlendMode::Normal;
        if group.blend_mode() == usvg::BlendMode::PlusLighter {
            findings.add(Code::SvgUnsupported, "the SVG uses the blend mode plus-lighter, which print has not; it is painted as screen");
        }
        let filtered = usize::from(!group.filters().is_empty());
        for filter in group.filters() {
            let region = filter.rect().transform(group.abs_transform()).unwrap_or(filter.rect());
            self.filters.push((super::paint::rect(region), filter.primitives().len()));
        }
        self.under_filter += filtered;
        for node in group.children() {
            self.node(node, limits, findings);
            node.subroots(|root| self.group(root, limits, findings));
        }
        self.under_filter -= filtered;
    }

    fn node(&mut self, node: &Node, limits: &Limits, findings: &mut Findings) {
        match node {
            Node::Group(group) => self.group(group, limits, findings),
            Node::Path(path) => {
                self.paint(path.fill().map(usvg::Fill::paint));
                self.paint(path.stroke().map(usvg::Stroke::paint));
                if path.stroke().is_some_and(|stroke| stroke.linejoin() == usvg::LineJoin::MiterClip) {
                    findings.add(Code::SvgUnsupported, "the SVG uses clipped miter joins; they are drawn as plain miters");
                }
            }
            Node::Image(image) => self.image(image, limits, findings),
            // Its outlines come as a subroot.
            Node::Text(_) => {}
        }
    }

    fn paint(&mut self, paint: Option<&Paint>) {
        let stops = match paint {
            Some(Paint::Color(color)) => {
                self.colors.insert(rgb(*color));
                return;
            }
            Some(Paint::LinearGradient(gradient)) => gradient.stops(),
            Some(Paint::RadialGradient(gradient)) => gradient.stops(),
            Some(Paint::Pattern(_)) | None => return,
        };
        self.colors.extend(stops.iter().map(|stop| rgb(stop.color())));
    }

    fn image(&mut self, image: &usvg::Image, limits: &Limits, findings: &mut Findings) {
        if self.under_filter > 0 && !matches!(image.kind(), ImageKind::SVG(_)) {
            findings.add(Code::SvgUnsupported, "the SVG filters an embedded picture, which is left out; filter it before embedding");
        }
        match image.kind() {
            ImageKind::SVG(tree) => self.group(tree.root(), limits, findings),
            ImageKind::GIF(_) => findings.add(Code::SvgUnsupported, "the SVG embeds a GIF, which is left out; embed PNG or JPEG"),
            ImageKind::JPEG(data) | ImageKind::PNG(data) | ImageKind::WEBP(data) => {
                let key = Arc::as_ptr(data) as usize;
                if self.pictures.contains_key(&key) {
                    return;
                }
                if let Some(picture) = self.problems.absorb(Picture::probe(data.as_slice().into(), limits)) {
                    if picture.orientation() > 1 {
                        let detail = "the SVG embeds a picture that is turned by EXIF; it is turned inside its frame";
                        findings.add(Code::SvgUnsupported, detail);
                    }
                    self.pictures.insert(key, Arc::new(picture));
                }
            }
        }
    }
}
