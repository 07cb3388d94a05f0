//! Encoders: bands of pixels in, bytes of a file out, in order.

pub mod grey;
mod huffman;
pub mod jpeg;
pub mod plates;
pub mod png;
mod png_filter;
pub mod screen;
pub mod tiff;
