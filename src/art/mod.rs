//! stub
use crate::scene::*;
#[derive(Debug)]
pub struct Art;
#[derive(Default)]
pub struct Recolor {
    pub swatches: Vec<(Color, Ink)>,
    pub ids: indexmap::IndexMap<String, IdPaint>,
    pub all: Option<Ink>,
}
pub struct IdPaint {
    pub fill: Option<Ink>,
    pub stroke: Option<Ink>,
}
impl Art {
    pub fn load(
        _: &[u8],
        _: std::sync::Arc<resvg::usvg::fontdb::Database>,
        _: &crate::asset::Limits,
    ) -> Result<Art, crate::error::Violations> {
        todo!()
    }
    pub fn size(&self) -> kurbo::Size {
        todo!()
    }
    pub fn group(&self, _: &Recolor) -> Result<Group, crate::error::Violation> {
        todo!()
    }
    pub fn element_box(&self, _: &str) -> Option<kurbo::Rect> {
        None
    }
    pub fn element_path(&self, _: &str) -> Option<kurbo::BezPath> {
        None
    }
    pub fn findings(&self) -> &[crate::error::Violation] {
        &[]
    }
}
