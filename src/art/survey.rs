//! One walk over a parsed tree: its pictures, its colours, its filters, and what will be lost.

use super::recolor::{Rgb, rgb};
use super::scan::Findings;
use crate::asset::{Limits, Picture};
use crate::error::{Code, Violation, Violations};
use kurbo::Rect;
use resvg::usvg::filter::Kind;
use resvg::usvg::{self, ImageKind, Node, Paint};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Noise functions of one turbulence effect: each costs as much as the first.
const MAX_OCTAVES: u32 = 10;
/// Numbers in a convolution's kernel.
const MAX_KERNEL: usize = 400;
/// A blur's standard deviation, in viewports.
const MAX_BLUR: f32 = 4.0;
/// Effects of all filters.
const MAX_PRIMITIVES: usize = 1_000;
/// Layers inside layers, and effects, that a trial rendering may hold in memory at once.
const MAX_TRIAL_LAYERS: usize = 20;
/// A dilation's radius in user units that a trial rendering may compute.
const MAX_TRIAL_RADIUS: f32 = 10.0;
/// A pattern's cell, in viewports, that a trial rendering may allocate.
const MAX_TRIAL_CELL: f32 = 5.0;

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
    /// A trial rendering at a small size could still take long or much memory.
    pub(super) heavy: bool,
    problems: Violations,
    under_filter: usize,
    /// The viewport's longer side, in user units.
    view: f32,
    layers: usize,
    primitives: usize,
}

impl Survey {
    pub(super) fn of(
        tree: &usvg::Tree,
        limits: &Limits,
        findings: &mut Findings,
    ) -> Result<Self, Violations> {
        let view = tree.size().width().max(tree.size().height());
        let mut survey = Survey { view, ..Survey::default() };
        survey.group(tree.root(), limits, findings);
        std::mem::take(&mut survey.problems).or(survey)
    }

    fn group(&mut self, group: &usvg::Group, limits: &Limits, findings: &mut Findings) {
        self.blends |= group.blend_mode() != usvg::BlendMode::Normal;
        if group.blend_mode() == usvg::BlendMode::PlusLighter {
            findings.add(
                Code::SvgUnsupported,
                "the SVG uses the blend mode plus-lighter, which print has not; it is painted as screen",
            );
        }
        let filtered = usize::from(!group.filters().is_empty());
        for filter in group.filters() {
            let region = filter.rect().transform(group.abs_transform()).unwrap_or(filter.rect());
            self.filters.push((super::paint::rect(region), filter.primitives().len()));
            self.primitives += filter.primitives().len();
            filter
                .primitives()
                .iter()
                .for_each(|primitive| self.primitive(primitive.kind(), group.abs_transform()));
        }
        let layers = usize::from(group.should_isolate());
        self.layers += layers;
        self.heavy |= self.layers > MAX_TRIAL_LAYERS || self.primitives > MAX_TRIAL_LAYERS;
        self.under_filter += filtered;
        for node in group.children() {
            self.node(node, limits, findings);
            node.subroots(|root| self.group(root, limits, findings));
        }
        self.under_filter -= filtered;
        self.layers -= layers;
    }

    /// Effects whose cost grows with a number in the file, and not with the picture.
    fn primitive(&mut self, kind: &Kind, transform: usvg::Transform) {
        let (x, y) = transform.get_scale();
        // resvg's blur overflows far above this. Also when a scale is not a number.
        let vast = |dx: f32, dy: f32| !(dx * x <= MAX_BLUR * self.view && dy * y <= MAX_BLUR * self.view);
        let excessive = match kind {
            Kind::Turbulence(turbulence) => turbulence.num_octaves() > MAX_OCTAVES,
            Kind::ConvolveMatrix(convolve) => convolve.matrix().data().len() > MAX_KERNEL,
            Kind::Morphology(morphology) => {
                self.heavy |= morphology.radius_x().get().max(morphology.radius_y().get()) > MAX_TRIAL_RADIUS;
                false
            }
            Kind::GaussianBlur(blur) => vast(blur.std_dev_x().get(), blur.std_dev_y().get()),
            Kind::DropShadow(shadow) => vast(shadow.std_dev_x().get(), shadow.std_dev_y().get()),
            Kind::Blend(_)
            | Kind::ColorMatrix(_)
            | Kind::ComponentTransfer(_)
            | Kind::Composite(_)
            | Kind::DiffuseLighting(_)
            | Kind::DisplacementMap(_)
            | Kind::Flood(_)
            | Kind::Image(_)
            | Kind::Merge(_)
            | Kind::Offset(_)
            | Kind::SpecularLighting(_)
            | Kind::Tile(_) => false,
        };
        if excessive || self.primitives > MAX_PRIMITIVES {
            let detail = format!(
                "the SVG's filters are too large: at most {MAX_OCTAVES} octaves of turbulence, {MAX_KERNEL} numbers in a kernel, blurs of {MAX_BLUR} viewports and {MAX_PRIMITIVES} effects in all"
            );
            let violation = Violation::new(Code::SvgTooComplex, detail);
            if !self.problems.0.contains(&violation) {
                self.problems.push(violation);
            }
        }
    }

    fn node(&mut self, node: &Node, limits: &Limits, findings: &mut Findings) {
        match node {
            Node::Group(group) => self.group(group, limits, findings),
            Node::Path(path) => {
                self.paint(path.fill().map(usvg::Fill::paint), path.abs_transform());
                self.paint(path.stroke().map(usvg::Stroke::paint), path.abs_transform());
                if path.stroke().is_some_and(|stroke| stroke.linejoin() == usvg::LineJoin::MiterClip) {
                    findings.add(
                        Code::SvgUnsupported,
                        "the SVG uses clipped miter joins; they are drawn as plain miters",
                    );
                }
            }
            Node::Image(image) => self.image(image, limits, findings),
            // Its outlines come as a subroot.
            Node::Text(_) => {}
        }
    }

    fn paint(&mut self, paint: Option<&Paint>, transform: usvg::Transform) {
        let stops = match paint {
            Some(Paint::Color(color)) => {
                self.colors.insert(rgb(*color));
                return;
            }
            Some(Paint::LinearGradient(gradient)) => gradient.stops(),
            Some(Paint::RadialGradient(gradient)) => gradient.stops(),
            Some(Paint::Pattern(pattern)) => {
                let (x, y) = transform.pre_concat(pattern.transform()).get_scale();
                let cell = pattern.rect();
                let most = MAX_TRIAL_CELL * self.view;
                // Also when a scale is not a number.
                self.heavy |= !(cell.width() * x <= most && cell.height() * y <= most);
                return;
            }
            None => return,
        };
        self.colors.extend(stops.iter().map(|stop| rgb(stop.color())));
    }

    fn image(&mut self, image: &usvg::Image, limits: &Limits, findings: &mut Findings) {
        if self.under_filter > 0 && !matches!(image.kind(), ImageKind::SVG(_)) {
            findings.add(
                Code::SvgUnsupported,
                "the SVG filters an embedded picture, which is left out; filter it before embedding",
            );
        }
        match image.kind() {
            ImageKind::SVG(tree) => {
                self.heavy = true;
                self.group(tree.root(), limits, findings);
            }
            ImageKind::GIF(_) => findings
                .add(Code::SvgUnsupported, "the SVG embeds a GIF, which is left out; embed PNG or JPEG"),
            ImageKind::JPEG(data) | ImageKind::PNG(data) | ImageKind::WEBP(data) => {
                let key = Arc::as_ptr(data) as usize;
                if self.pictures.contains_key(&key) {
                    return;
                }
                if let Some(picture) = self.problems.absorb(Picture::probe(data.as_slice().into(), limits)) {
                    if picture.orientation() > 1 {
                        let detail =
                            "the SVG embeds a picture that is turned by EXIF; it is turned inside its frame";
                        findings.add(Code::SvgUnsupported, detail);
                    }
                    self.pictures.insert(key, Arc::new(picture));
                }
            }
        }
    }
}
