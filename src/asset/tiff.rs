//! TIFF: stub for compile
use super::{Limits, corrupt};
use crate::color::Raster;
use crate::error::Violation;
#[derive(Debug)]
pub(super) struct Tiff {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) orientation: u8,
    pub(super) icc: Option<Vec<u8>>,
}
impl Tiff {
    pub(super) fn has_alpha(&self) -> bool {
        false
    }
}
pub(super) fn probe(_file: &[u8], _limits: &Limits) -> Result<Tiff, Violation> {
    Err(corrupt("is not read yet"))
}
pub(super) fn decode(_file: &[u8], _probed: &Tiff) -> Result<Raster, Violation> {
    Err(corrupt("is not read yet"))
}
