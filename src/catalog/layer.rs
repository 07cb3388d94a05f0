//! Layers: what a surface shows, back to front.
//!
//! A layer has the common properties of [`Layer`] and exactly one of its kinds. Coordinates are
//! millimetres in the container: the surface's trim box, the group's box, or a pattern's cell.

use super::value::{Bound, Condition, Measure};
use crate::scene::Blend;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub use super::pattern::{Bound64, CellSpec, PatternArrange, PatternLayer};
pub use super::photo::{CollageLayer, Fit, ImageLayer, PhotoFilter, PhotoLayer};
pub use super::shape::{
    Cap, EllipseShape, ImageFill, ImageHolder, Join, LinearHolder, LinearSpec, PaintSpec, PathShape,
    PatternHolder, RadialHolder, RadialSpec, RectShape, ShapeLayer, ShapeSpec, StopSpec, StrokeSpec,
};
pub use super::words::{ArtLayer, Case, CodeLayer, IdSpec, TextLayer};

/// One layer. Exactly one of `image`, `photo`, `text`, `art`, `shape`, `pattern`, `code`,
/// `collage` and `group` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// A name, unique on its surface.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"))]
    pub id: String,
    /// The catalog folder that its files stand in; set when the template is loaded.
    #[serde(skip)]
    pub base: Arc<str>,
    /// Where it stands; the whole container unless told.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Printed only when this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Degrees clockwise, about the box's centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate: Option<Bound<Measure>>,
    /// Mirrored about the box's centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip: Option<Bound<Flip>>,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opacity: Option<Bound<f64>>,
    /// How it meets what lies beneath.
    #[serde(default)]
    pub blend: Blend,
    /// Cut to this outline, in the layer's box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<ShapeSpec>,
    /// Thinned by this picture, stretched over the layer's box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<MaskSpec>,
    /// Everything in it is printed with this spot ink of the render profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ink: Option<String>,
    /// A `placement` field by which the customer moves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<String>,
    /// Printed on this panel of the surface, in the coordinates of the panel's box, cut to its
    /// mask and mirrored with it. `*`: on every panel, in the surface's coordinates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel: Option<String>,
    /// Printed once for every item of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// Fixed art in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageLayer>,
    /// A picture from the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<PhotoLayer>,
    /// Words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextLayer>,
    /// Vector art.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art: Option<ArtLayer>,
    /// A drawn shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<ShapeLayer>,
    /// A cell of layers, repeated over the box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<PatternLayer>,
    /// A scannable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeLayer>,
    /// Several pictures of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collage: Option<CollageLayer>,
    /// Layers that belong together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupLayer>,
}

/// The kind of a layer, for exhaustive matches.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// Fixed art in pixels.
    Image(&'a ImageLayer),
    /// A picture from the order.
    Photo(&'a PhotoLayer),
    /// Words.
    Text(&'a TextLayer),
    /// Vector art.
    Art(&'a ArtLayer),
    /// A drawn shape.
    Shape(&'a ShapeLayer),
    /// A repeated cell.
    Pattern(&'a PatternLayer),
    /// A scannable code.
    Code(&'a CodeLayer),
    /// Several pictures.
    Collage(&'a CollageLayer),
    /// Layers that belong together.
    Group(&'a GroupLayer),
}

impl Kind<'_> {
    /// The key by which a template names it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Image(_) => "image",
            Kind::Photo(_) => "photo",
            Kind::Text(_) => "text",
            Kind::Art(_) => "art",
            Kind::Shape(_) => "shape",
            Kind::Pattern(_) => "pattern",
            Kind::Code(_) => "code",
            Kind::Collage(_) => "collage",
            Kind::Group(_) => "group",
        }
    }
}

impl Layer {
    /// Every kind that is given; a valid layer has one.
    pub fn kinds(&self) -> Vec<Kind<'_>> {
        [
            self.image.as_ref().map(Kind::Image),
            self.photo.as_ref().map(Kind::Photo),
            self.text.as_ref().map(Kind::Text),
            self.art.as_ref().map(Kind::Art),
            self.shape.as_ref().map(Kind::Shape),
            self.pattern.as_ref().map(Kind::Pattern),
            self.code.as_ref().map(Kind::Code),
            self.collage.as_ref().map(Kind::Collage),
            self.group.as_ref().map(Kind::Group),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Where a layer stands: a rectangle, or an element of the surface's SVG.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Place {
    /// The bounding box of the element with this id in the surface's `drawing`.
    Element(ElementPlace),
    /// A rectangle.
    Rect(RectPlace),
}

/// An element of the surface's SVG.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ElementPlace {
    /// The element's id.
    pub element: String,
}

/// A rectangle in the container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RectPlace {
    /// Left edge.
    pub x: Measure,
    /// Top edge.
    pub y: Measure,
    /// Width.
    pub width: Measure,
    /// Height.
    pub height: Measure,
}

/// Mirroring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Flip {
    /// As drawn.
    None,
    /// Left and right change places.
    Horizontal,
    /// Top and bottom change places.
    Vertical,
    /// Both.
    Both,
}

/// A picture as a mask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskSpec {
    /// A path of the template (PNG or SVG).
    pub asset: Bound<String>,
    /// Which of its channels counts.
    #[serde(default)]
    pub channel: Channel,
}

/// What of a picture makes a mask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Its alpha.
    #[default]
    Alpha,
    /// Its luminosity: white shows, black hides.
    Luminosity,
}

/// Prints a layer once for every item of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// The list field.
    pub over: String,
    /// What an item is called inside, as in `{person.name}`. A single value is the name itself.
    #[serde(rename = "as")]
    pub item: String,
    /// How the items share the layer's box. Each item's cell becomes its box.
    pub arrange: Arrange,
    /// Space between cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Measure>,
    /// Grid: columns; chosen for the squarest cells unless told. `columns` may depend on `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Measure>,
    /// Width of a cell over its height; cells fill the box unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect: Option<Measure>,
    /// Only items for which this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Condition>,
}

/// How repeated items share a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Arrange {
    /// Side by side.
    Row,
    /// One beneath the other.
    Column,
    /// Rows and columns; a last row that is not full is centred.
    Grid,
    /// All in the whole box (use `index` and `count` in measures).
    Stack,
}

/// Layers that belong together. Their coordinates start at the group's box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupLayer {
    /// The layers, back to front.
    #[schemars(length(min = 1))]
    pub layers: Vec<Layer>,
    /// The children's coordinates span this size, stretched uniformly into the box; millimetres unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canvas: Option<[f64; 2]>,
    /// How the canvas meets the box.
    #[serde(default = "super::words::fit_inside")]
    pub fit: Fit,
}

impl Layer {
    /// A layer of no kind yet, over its whole container.
    pub fn empty(id: &str) -> Layer {
        Layer {
            id: id.to_owned(),
            base: Arc::from(""),
            place: None,
            when: None,
            rotate: None,
            flip: None,
            opacity: None,
            blend: Blend::Normal,
            clip: None,
            mask: None,
            ink: None,
            placement: None,
            panel: None,
            repeat: None,
            image: None,
            photo: None,
            text: None,
            art: None,
            shape: None,
            pattern: None,
            code: None,
            collage: None,
            group: None,
        }
    }

    /// The patterns that fill its shape or its text.
    pub fn paint_patterns_mut(&mut self) -> impl Iterator<Item = &mut PatternLayer> {
        let shape = self.shape.as_mut().and_then(|shape| shape.fill.as_mut());
        let text = self.text.as_mut().and_then(|text| text.fill.as_mut());
        shape.into_iter().chain(text).filter_map(|paint| match paint {
            PaintSpec::Pattern(holder) => Some(holder.pattern.as_mut()),
            PaintSpec::Linear(_) | PaintSpec::Radial(_) | PaintSpec::Image(_) | PaintSpec::Color(_) => None,
        })
    }
}

impl Layer {
    /// The files it and its children name, by their catalog paths: fixed ones and every one a
    /// `map` may choose.
    pub fn fixed_files(&self, out: &mut Vec<String>) {
        let mut add = |asset: Option<&Bound<String>>| {
            let named: Vec<&String> = match asset {
                None => Vec::new(),
                Some(Bound::Value(path)) => vec![path],
                Some(Bound::Field(reference)) => {
                    reference.map.iter().flat_map(IndexMap::values).chain(&reference.otherwise).collect()
                }
            };
            out.extend(named.into_iter().map(|path| format!("{}/{path}", self.base)));
        };
        add(self.mask.as_ref().map(|mask| &mask.asset));
        add(self.image.as_ref().map(|image| &image.asset));
        add(self.photo.as_ref().and_then(|photo| photo.alpha.as_ref()).map(|alpha| &alpha.asset));
        add(self.art.as_ref().and_then(|art| art.asset.as_ref()));
        let paints = [
            self.shape.as_ref().and_then(|s| s.fill.as_ref()),
            self.text.as_ref().and_then(|t| t.fill.as_ref()),
        ];
        for paint in paints.into_iter().flatten() {
            if let PaintSpec::Image(holder) = paint {
                add(holder.image.asset.as_ref());
            }
        }
        let group = self.group.iter().flat_map(|group| &group.layers);
        let cell = self.pattern.iter().flat_map(|pattern| &pattern.cell.layers);
        group.chain(cell).for_each(|layer| layer.fixed_files(out));
    }
}
