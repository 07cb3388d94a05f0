//! Layers of pictures: fixed art in pixels, photos of the order, collages of them.

use super::layer::MaskSpec;
use super::shape::{ShapeSpec, StrokeSpec};
use super::value::{Bound, ColorSpec, Measure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

pub(super) fn centre() -> [f64; 2] {
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
