//! Encoders: bands of pixels in, bytes of a file out, in order.

pub mod grey;
mod huffman;
mod matches;
pub mod jpeg;
pub(crate) mod pack;
pub mod plates;
pub mod png;
mod png_filter;
mod png_rows;
mod prefix;
pub mod screen;
pub mod tiff;
