//! Layers: what a surface shows, back to front.
//!
//! A layer has the common properties of [`Layer`] and exactly one of its kinds. Coordinates are
//! millimetres in the container: the surface's trim box, the group's box, or a pattern's cell.
//!
//! More than 400 lines, since it is the whole vocabulary of one file format, read from top to
//! bottom.

use super::value::{Bound, ColorSpec, Condition, FieldRef, Measure};
use crate::code::{ErrorLevel, Symbology};
use crate::scene::Blend;
use crate::text::{Align, FontSpec, VAlign};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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

/// How a picture meets its box.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Covers the box; what stands over is cut.
    #[default]
    Fill,
    /// Wholly inside the box.
    Fit,
    /// As wide and as high as the box.
    Stretch,
}

/// Fixed art in pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageLayer {
    /// A path of the template (PNG, JPEG, WebP or TIFF).
    pub asset: Bound<String>,
    /// How it meets the box.
    #[serde(default)]
    pub fit: Fit,
    /// Tone and blur.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<PhotoFilter>,
}

/// A picture from the order. An optional field left empty prints nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhotoLayer {
    /// The image field.
    pub field: String,
    /// How it meets the box.
    #[serde(default)]
    pub fit: Fit,
    /// What `fill` keeps in sight, in fractions of the picture; the order's own focal point wins.
    #[serde(default = "centre")]
    #[schemars(inner(range(min = 0.0, max = 1.0)))]
    pub focal: [f64; 2],
    /// Cut to this outline, in the layer's box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<ShapeSpec>,
    /// Thinned by the alpha of this path of the template, stretched over the box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<MaskSpec>,
    /// Tone and blur, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<PhotoFilter>,
    /// A line around the mask's outline (or the box).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub border: Option<StrokeSpec>,
}

fn centre() -> [f64; 2] {
    [0.5, 0.5]
}

/// A change to a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhotoFilter {
    /// Grey by Rec. 709 luma. Written `{"greyscale": true}`.
    Greyscale(Bound<bool>),
    /// Brown, by 0 to 1.
    Sepia(Bound<f64>),
    /// Components times this.
    Brightness(Bound<f64>),
    /// Contrast about mid grey; 1 changes nothing.
    Contrast(Bound<f64>),
    /// Gaussian blur, standard deviation in mm.
    Blur(Bound<f64>),
    /// Black below this luma (0 to 1), white above.
    Threshold(Bound<f64>),
    /// Luma from one colour (black) to another (white).
    Duotone([Bound<ColorSpec>; 2]),
}

/// Words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextLayer {
    /// What it says: words with `{field}` and `{field|fallback}`; `{{` and `}}` are braces.
    pub content: Bound<String>,
    /// The face.
    pub font: Bound<FontSpec>,
    /// Size in points.
    pub size: Bound<Measure>,
    /// Shrinks to this many points to fit the box, then `text.overflow`. Without it the text never shrinks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_size: Option<Measure>,
    /// Where lines stand in the box.
    #[serde(default)]
    pub align: Align,
    /// Where the lines stand in the box's height.
    #[serde(default)]
    pub valign: VAlign,
    /// Distance of baselines, in sizes.
    #[serde(default = "line_height")]
    pub line_height: f64,
    /// Added between characters, in sizes.
    #[serde(default)]
    pub letter_spacing: f64,
    /// Lines are broken to the box's width. Otherwise only where the text has a line break.
    #[serde(default = "yes")]
    pub wrap: bool,
    /// Most lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lines: Option<usize>,
    /// Changes of case, by Unicode's rules.
    #[serde(default)]
    pub case: Case,
    /// The fill; black unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<PaintSpec>,
    /// A stroke, behind the fill unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stroke: Option<StrokeSpec>,
    /// The stroke stands before the fill.
    #[serde(default)]
    pub stroke_in_front: bool,
}

fn line_height() -> f64 {
    1.2
}

fn yes() -> bool {
    true
}

/// Changes of case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    /// As typed.
    #[default]
    Typed,
    /// CAPITALS.
    Upper,
    /// small letters.
    Lower,
}

/// Vector art.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArtLayer {
    /// A path of the template (SVG). Or give `field`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<Bound<String>>,
    /// An image field whose asset is an SVG of the order (a scannable, a piece of clipart).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How it meets the box.
    #[serde(default = "fit_inside")]
    pub fit: Fit,
    /// Colours of the art and what they become.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub swatches: IndexMap<String, Bound<ColorSpec>>,
    /// Elements of the art, by id, and what they are painted with.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub ids: IndexMap<String, IdSpec>,
    /// The whole art in one colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Bound<ColorSpec>>,
}

fn fit_inside() -> Fit {
    Fit::Fit
}

/// What an element of art is painted with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdSpec {
    /// Its fill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill: Option<Bound<ColorSpec>>,
    /// Its stroke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stroke: Option<Bound<ColorSpec>>,
}

/// A drawn shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShapeLayer {
    /// Its outline.
    pub shape: ShapeSpec,
    /// Its fill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<PaintSpec>,
    /// Its stroke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stroke: Option<StrokeSpec>,
}

/// An outline in a box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShapeSpec {
    /// The box, with rounded corners. Written `{"rect": {"radius": 3}}`.
    Rect(RectShape),
    /// The ellipse in the box. Written `{"ellipse": {}}`.
    Ellipse(EllipseShape),
    /// SVG path data.
    Path(PathShape),
    /// An element of the surface's drawing, where it stands (its own coordinates, not the box).
    Element(String),
}

/// A rectangle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RectShape {
    /// Corner radius, at most half the shorter side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius: Option<Measure>,
}

/// An ellipse.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EllipseShape {}

/// SVG path data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathShape {
    /// The `d` of an SVG path.
    pub d: String,
    /// The rectangle of the path's coordinates that is stretched over the box: x, y, width, height. Without it, millimetres from the box's corner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<[f64; 4]>,
    /// Inside is where crossings are odd.
    #[serde(default)]
    pub even_odd: bool,
}

/// What an area is painted with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PaintSpec {
    /// A gradient along a line.
    Linear(LinearHolder),
    /// A gradient from the box's centre.
    Radial(RadialHolder),
    /// A picture.
    Image(ImageHolder),
    /// A pattern of layers.
    Pattern(PatternHolder),
    /// One colour.
    Color(Bound<ColorSpec>),
}

/// `{"linear": …}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearHolder {
    /// The gradient.
    pub linear: LinearSpec,
}

/// `{"radial": …}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RadialHolder {
    /// The gradient.
    pub radial: RadialSpec,
}

/// `{"image": …}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageHolder {
    /// The picture.
    pub image: ImageFill,
}

/// `{"pattern": …}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatternHolder {
    /// The pattern.
    pub pattern: Box<PatternLayer>,
}

/// A picture as a fill: a path of the template, or an image field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ImageFill {
    /// A path of the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<Bound<String>>,
    /// An image field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// How it meets the box.
    pub fit: Fit,
}

/// A gradient along a line through the box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearSpec {
    /// Degrees clockwise from left to right; the line spans the box's corners, as in CSS.
    #[serde(default)]
    pub angle: f64,
    /// The colours.
    #[schemars(length(min = 2))]
    pub stops: Vec<StopSpec>,
}

/// A gradient from the box's centre to its corners' ellipse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RadialSpec {
    /// The centre, in fractions of the box.
    #[serde(default = "centre")]
    pub center: [f64; 2],
    /// The radius, in fractions of the box's width and height (0.5 reaches the sides).
    #[serde(default = "half")]
    pub radius: f64,
    /// The colours.
    #[schemars(length(min = 2))]
    pub stops: Vec<StopSpec>,
}

fn half() -> f64 {
    0.5
}

/// A colour of a gradient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopSpec {
    /// 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub at: f64,
    /// The colour.
    pub color: Bound<ColorSpec>,
    /// 0 to 1.
    #[serde(default = "opaque")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub opacity: f64,
}

fn opaque() -> f64 {
    1.0
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrokeSpec {
    /// Width in mm.
    pub width: Measure,
    /// The colour.
    pub color: Bound<ColorSpec>,
    /// Dashes and gaps in mm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dash: Vec<f64>,
    /// Corners.
    #[serde(default)]
    pub join: Join,
    /// Ends.
    #[serde(default)]
    pub cap: Cap,
}

/// A stroke's corners.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "SVG's own names")]
pub enum Join {
    #[default]
    Round,
    Miter,
    Bevel,
}

/// A stroke's ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "SVG's own names")]
pub enum Cap {
    #[default]
    Butt,
    Round,
    Square,
}

/// A cell of layers, repeated over the layer's box and cut to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatternLayer {
    /// What is repeated.
    pub cell: CellSpec,
    /// How cells are set.
    #[serde(default)]
    pub arrange: PatternArrange,
    /// Distance of cell centres in a row; the cell's width unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_x: Option<Bound<Measure>>,
    /// Distance of rows; the cell's height unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_y: Option<Bound<Measure>>,
    /// Each print is turned by a seeded amount, at most this many degrees either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Measure>,
    /// Each print is scaled by a seeded factor between these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<[f64; 2]>,
    /// Scatter: each print is shifted by a seeded amount, at most this part of a step.
    #[serde(default = "scatter")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub jitter: f64,
    /// The seed; the same seed gives the same print, always.
    #[serde(default)]
    pub seed: Bound64,
}

fn scatter() -> f64 {
    0.5
}

/// A seed: a number, or a number field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Bound64 {
    /// Fixed.
    Value(u64),
    /// A number field.
    Field(FieldRef<u64>),
}

impl Default for Bound64 {
    fn default() -> Self {
        Bound64::Value(0)
    }
}

/// What a pattern repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellSpec {
    /// Width in mm.
    pub width: Bound<Measure>,
    /// Height in mm.
    pub height: Bound<Measure>,
    /// Its layers, in the cell's coordinates. They may stand over its edges.
    #[schemars(length(min = 1))]
    pub layers: Vec<Layer>,
}

/// How a pattern's cells are set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PatternArrange {
    /// Rows and columns.
    #[default]
    Grid,
    /// Every second row is shifted by half a step.
    Brick,
    /// Every second column is shifted by half a step.
    HalfDrop,
    /// A grid whose cells are shifted by a seeded amount.
    Scatter,
}

/// A scannable code. A supplied code (a music service's) is an `art` layer instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeLayer {
    /// Which code.
    pub symbology: Symbology,
    /// What it holds, as a text layer's `content`.
    pub content: Bound<String>,
    /// QR: how much may be lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_level: Option<ErrorLevel>,
    /// Modules left free on each side; the standard's unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_zone: Option<u32>,
    /// The bars; black unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Bound<ColorSpec>>,
    /// The ground, quiet zone included; none unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<Bound<ColorSpec>>,
}

/// Several pictures of the order in one box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CollageLayer {
    /// A list field of images.
    pub field: String,
    /// Space between pictures, in mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gutter: Option<Bound<Measure>>,
    /// Corner radius of each picture, in mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius: Option<Measure>,
    /// Layouts to choose from: the first with as many cells as photos whose cells cut the
    /// photos least. Without any, rows are laid out from the photos' aspects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<Vec<[f64; 4]>>,
    /// Tone and blur of every picture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<PhotoFilter>,
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
    #[serde(default = "fit_inside")]
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
