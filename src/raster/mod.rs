//! stub
use crate::{
    asset::{Depth, Limits},
    control::Control,
    error::Violation,
    pdf::Placement,
    scene::*,
};
pub struct Frame {
    pub width: u32,
    pub height: u32,
    pub dpi: Dpi,
    pub matrix: kurbo::Affine,
    pub depth: Depth,
    pub background: Option<Color>,
}
impl Frame {
    pub fn of(_: kurbo::Rect, _: Dpi, _: Placement) -> Frame {
        todo!()
    }
    pub fn preview(_: &Surface, _: u32) -> Frame {
        todo!()
    }
}
pub struct PngOptions {
    pub max_bytes: Option<u64>,
}
pub struct PngSink<W>(W);
impl<W: std::io::Write> PngSink<W> {
    pub fn new(w: W, _: &Frame, _: PngOptions) -> Result<Self, Violation> {
        Ok(PngSink(w))
    }
    pub fn finish(self) -> Result<W, Violation> {
        Ok(self.0)
    }
}
pub trait Sink {}
impl<W> Sink for PngSink<W> {}
pub fn paint(_: &Surface, _: &Frame, _: &Limits, _: Control, _: &mut dyn Sink) -> Result<(), Violation> {
    todo!()
}
