//! Words become outlines.
//!
//! A [`TextBlock`] (words, a [`FontSpec`], a box in mm) goes in; [`layout`] shapes it with the
//! fonts of a [`FontLibrary`], breaks lines, shrinks it where it may, and gives [`Laid`]: one
//! outline in the box's coordinates, colour glyphs beside it, and every glyph's place for those
//! who need more than outlines. Nothing here reads the host's fonts or files.

mod block;
mod clean;
mod color;
mod face;
mod fallback;
mod glyph;
mod layout;
mod library;
mod lines;
mod missing;

pub use block::{Align, FontSpec, Laid, MissingGlyph, Overflow, PlacedGlyph, Run, TextBlock, VAlign};
pub use glyph::Face;
pub use layout::layout;
pub use library::FontLibrary;

#[cfg(test)]
mod fitting;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
