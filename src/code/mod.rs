//! stub
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Symbology {
    Qr,
    Ean13,
    UpcA,
    Code128,
    DataMatrix,
}
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorLevel {
    L,
}
pub struct CodeOptions {
    pub error_level: Option<ErrorLevel>,
    pub quiet_zone: Option<u32>,
}
pub struct Symbol {
    pub path: kurbo::BezPath,
    pub width: u32,
    pub height: u32,
}
pub fn encode(_: Symbology, _: &str, _: &CodeOptions) -> Result<Symbol, crate::error::Violation> {
    todo!()
}
