//! Encoders: bands of pixels in, bytes of a file out, in order.

mod huffman;
pub mod png;
mod png_filter;
