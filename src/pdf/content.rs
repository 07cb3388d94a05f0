//! A content stream under construction.
//!
//! Operations are `printpdf`'s. They are encoded a few thousand at a time, since an encoded
//! operation is far smaller than its parts. Resources are named after the objects they refer
//! to, so that equal content has equal bytes wherever it stands.

use super::object::{dictionary, name, numbers};
use super::objects::Objects;
use crate::error::{Code, Violation};
use kurbo::{Affine, BezPath, PathEl, Rect};
use lopdf::{Dictionary, Object, ObjectId};
use printpdf::{
    CurTransMat, DictItem, ExtendedGraphicsStateId, LineDashPattern, Mm, Op, PdfDocument, PdfPage,
    PdfSaveOptions, Pt,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// Operations that are encoded together.
const BATCH: usize = 4096;

/// The kinds of named resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Colour spaces.
    Space,
    /// Graphics states.
    State,
    /// Patterns.
    Pattern,
    /// Shadings.
    Shading,
    /// Pictures and forms.
    Object,
    /// Layers.
    Layer,
}

impl Kind {
    fn key(self) -> &'static str {
        match self {
            Kind::Space => "ColorSpace",
            Kind::State => "ExtGState",
            Kind::Pattern => "Pattern",
            Kind::Shading => "Shading",
            Kind::Object => "XObject",
            Kind::Layer => "Properties",
        }
    }

    fn letter(self) -> char {
        match self {
            Kind::Space => 'C',
            Kind::State => 'G',
            Kind::Pattern => 'P',
            Kind::Shading => 'S',
            Kind::Object => 'X',
            Kind::Layer => 'L',
        }
    }
}

/// How a path is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathPaint {
    /// `f` or `f*`.
    Fill,
    /// `S`.
    Stroke,
    /// `W n` or `W* n`.
    Clip,
}

/// Operations and the resources they name.
#[derive(Default)]
pub(super) struct Content {
    operations: Vec<Op>,
    encoded: Vec<u8>,
    resources: BTreeSet<(Kind, ObjectId)>,
    broken: bool,
}

impl Content {
    fn push(&mut self, operation: Op) {
        self.operations.push(operation);
        if self.operations.len() >= BATCH {
            self.encode();
        }
    }

    /// Has `printpdf` encode what has been gathered, as the page of a throwaway document.
    fn encode(&mut self) {
        if self.operations.is_empty() {
            return;
        }
        let mut document = PdfDocument::new("");
        document.pages.push(PdfPage::new(Mm(1.0), Mm(1.0), std::mem::take(&mut self.operations)));
        let options = PdfSaveOptions {
            optimize: false,
            subset_fonts: false,
            // Operators that have no type of their own in printpdf pass as they are.
            secure: false,
            image_optimization: None,
        };
        let made = document.to_lopdf_document(&options, &mut Vec::new());
        let page = made.page_iter().next().map(|id| made.get_page_content(id));
        match page {
            Some(bytes) => {
                self.encoded.extend(bytes);
                self.encoded.push(b'\n');
            }
            None => self.broken = true,
        }
    }

    fn number(&mut self, value: f64) -> f32 {
        let value = value as f32;
        if !value.is_finite() {
            self.broken = true;
        }
        value
    }

    /// An operator by its name, with numbers.
    pub(super) fn raw(&mut self, operator: &str, operands: &[f64]) {
        let value = operands.iter().map(|v| DictItem::Real(self.number(*v))).collect();
        self.push(Op::Unknown { key: operator.to_owned(), value });
    }

    fn named(&mut self, operator: &str, name: &str) {
        let value = vec![DictItem::Name(name.as_bytes().to_vec())];
        self.push(Op::Unknown { key: operator.to_owned(), value });
    }

    fn resource(&mut self, kind: Kind, id: ObjectId) -> String {
        self.resources.insert((kind, id));
        format!("{}{}", kind.letter(), id.0)
    }

    /// `q`.
    pub(super) fn save(&mut self) {
        self.push(Op::SaveGraphicsState);
    }

    /// `Q`.
    pub(super) fn restore(&mut self) {
        self.push(Op::RestoreGraphicsState);
    }

    /// `cm`, left out for the identity.
    pub(super) fn transform(&mut self, matrix: Affine) {
        if matrix != Affine::IDENTITY {
            let raw = matrix.as_coeffs().map(|c| self.number(c));
            self.push(Op::SetTransformationMatrix { matrix: CurTransMat::Raw(raw) });
        }
    }

    /// `BDC`: what follows, up to [`Content::end_layer`], is on a layer.
    pub(super) fn begin_layer(&mut self, id: ObjectId) {
        let name = self.resource(Kind::Layer, id);
        let value = vec![DictItem::Name(b"OC".to_vec()), DictItem::Name(name.into_bytes())];
        self.push(Op::Unknown { key: "BDC".to_owned(), value });
    }

    /// `EMC`.
    pub(super) fn end_layer(&mut self) {
        self.raw("EMC", &[]);
    }

    /// `gs`.
    pub(super) fn state(&mut self, id: ObjectId) {
        let name = self.resource(Kind::State, id);
        self.push(Op::LoadGraphicsState { gs: ExtendedGraphicsStateId(name) });
    }

    /// `Do`.
    pub(super) fn draw(&mut self, id: ObjectId) {
        let name = self.resource(Kind::Object, id);
        self.named("Do", &name);
    }

    /// `sh`.
    pub(super) fn shade(&mut self, id: ObjectId) {
        let name = self.resource(Kind::Shading, id);
        self.named("sh", &name);
    }

    /// `cs` and `scn` with components, or `CS` and `SCN`.
    pub(super) fn color(&mut self, space: ObjectId, components: &[f64], stroke: bool) {
        let id = self.resource(Kind::Space, space);
        self.push(if stroke { Op::SetColorSpaceStroke { id } } else { Op::SetColorSpaceFill { id } });
        self.raw(if stroke { "SCN" } else { "scn" }, components);
    }

    /// A pattern as the colour.
    pub(super) fn pattern(&mut self, pattern: ObjectId, stroke: bool) {
        let id = "Pattern".to_owned();
        self.push(if stroke { Op::SetColorSpaceStroke { id } } else { Op::SetColorSpaceFill { id } });
        let name = self.resource(Kind::Pattern, pattern);
        self.named(if stroke { "SCN" } else { "scn" }, &name);
    }

    /// Width, caps, joins and dashes.
    pub(super) fn stroke_style(&mut self, style: &kurbo::Stroke) {
        use printpdf::{LineCapStyle, LineJoinStyle};
        let width = self.number(style.width);
        self.push(Op::SetOutlineThickness { pt: Pt(width) });
        let cap = match style.start_cap {
            kurbo::Cap::Butt => LineCapStyle::Butt,
            kurbo::Cap::Round => LineCapStyle::Round,
            kurbo::Cap::Square => LineCapStyle::ProjectingSquare,
        };
        let join = match style.join {
            kurbo::Join::Miter => LineJoinStyle::Miter,
            kurbo::Join::Round => LineJoinStyle::Round,
            kurbo::Join::Bevel => LineJoinStyle::Bevel,
        };
        self.push(Op::SetLineCapStyle { cap });
        self.push(Op::SetLineJoinStyle { join });
        let limit = self.number(style.miter_limit.max(1.0));
        self.push(Op::SetMiterLimit { limit: Pt(limit) });
        let period: f64 = style.dash_pattern.iter().sum();
        if period > 0.0 {
            let dashes: Vec<f32> = style.dash_pattern.iter().map(|d| self.number(d.max(0.0))).collect();
            // PDF wants an offset that is not negative; an odd pattern repeats after two rounds.
            let offset = self.number(style.dash_offset.rem_euclid(period * 2.0));
            self.push(Op::SetLineDashPattern { dash: LineDashPattern::new(offset, &dashes) });
        }
    }

    /// Outlines, then their painting.
    pub(super) fn path(&mut self, path: &BezPath, paint: PathPaint, even_odd: bool) {
        self.outline(path);
        match (paint, even_odd) {
            (PathPaint::Fill, false) => self.raw("f", &[]),
            (PathPaint::Fill, true) => self.raw("f*", &[]),
            (PathPaint::Stroke, _) => self.raw("S", &[]),
            (PathPaint::Clip, rule) => {
                self.raw(if rule { "W*" } else { "W" }, &[]);
                self.raw("n", &[]);
            }
        }
    }

    /// Outlines without painting.
    pub(super) fn outline(&mut self, path: &BezPath) {
        let (mut last, mut start) = (kurbo::Point::ZERO, kurbo::Point::ZERO);
        for element in path.elements() {
            match *element {
                PathEl::MoveTo(p) => {
                    start = p;
                    last = p;
                    self.raw("m", &[p.x, p.y]);
                }
                PathEl::LineTo(p) => {
                    last = p;
                    self.raw("l", &[p.x, p.y]);
                }
                PathEl::QuadTo(c, p) => {
                    // The same curve with two controls.
                    let (a, b) = (last.lerp(c, 2.0 / 3.0), p.lerp(c, 2.0 / 3.0));
                    last = p;
                    self.raw("c", &[a.x, a.y, b.x, b.y, p.x, p.y]);
                }
                PathEl::CurveTo(a, b, p) => {
                    last = p;
                    self.raw("c", &[a.x, a.y, b.x, b.y, p.x, p.y]);
                }
                PathEl::ClosePath => {
                    last = start;
                    self.raw("h", &[]);
                }
            }
        }
    }

    /// The encoded stream and its `/Resources`.
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, Dictionary), Violation> {
        self.encode();
        if self.broken {
            return Err(Violation::new(
                Code::InternalError,
                "a coordinate of the scene is not a number that PDF can hold; please report it",
            ));
        }
        let mut resources = Dictionary::new();
        let mut kinds: BTreeMap<Kind, Dictionary> = BTreeMap::new();
        for (kind, id) in self.resources {
            kinds.entry(kind).or_default().set(format!("{}{}", kind.letter(), id.0), Object::Reference(id));
        }
        for (kind, entries) in kinds {
            resources.set(kind.key(), Object::Dictionary(entries));
        }
        Ok((self.encoded, resources))
    }

    /// Writes the content as a form XObject over a box; a transparency group where its blending
    /// space is given.
    pub(super) fn into_form<W: Write>(
        self,
        objects: &mut Objects<W>,
        bounds: Rect,
        group: Option<Object>,
    ) -> Result<ObjectId, Violation> {
        let (data, resources) = self.finish()?;
        let mut entries = dictionary([
            ("Type", name("XObject")),
            ("Subtype", name("Form")),
            ("BBox", numbers([bounds.x0, bounds.y0, bounds.x1, bounds.y1])),
            ("Resources", Object::Dictionary(resources)),
        ]);
        if let Some(space) = group {
            entries.set("Group", Object::Dictionary(transparency_group(space)));
        }
        objects.add_deflated(entries, &data)
    }
}

/// An isolated transparency group's attributes: its blending space is always named.
pub(super) fn transparency_group(space: Object) -> Dictionary {
    dictionary([
        ("Type", name("Group")),
        ("S", name("Transparency")),
        ("CS", space),
        ("I", Object::Boolean(true)),
    ])
}
