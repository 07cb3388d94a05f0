//! Scannable codes as vector outlines.
//!
//! Words and digits go in, a [`Symbol`] comes out: one outline of all dark modules, in module
//! units, with its quiet zone around it. The caller scales it and chooses the inks.

mod linear;
mod matrix;
mod outline;

use crate::error::{Code, Violation};
use kurbo::BezPath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most modules a quiet zone may have; more cannot be meant.
const QUIET_ZONE_LIMIT: u32 = 100;

/// Which code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Symbology {
    /// QR Code, ISO/IEC 18004.
    #[serde(rename = "qr")]
    Qr,
    /// EAN-13, ISO/IEC 15420: 12 digits, or 13 with the check digit.
    #[serde(rename = "ean_13")]
    Ean13,
    /// UPC-A, ISO/IEC 15420: 11 digits, or 12 with the check digit.
    #[serde(rename = "upc_a")]
    UpcA,
    /// Code 128, ISO/IEC 15417: printable ASCII.
    #[serde(rename = "code_128")]
    Code128,
    /// Data Matrix ECC 200, ISO/IEC 16022, square.
    #[serde(rename = "data_matrix")]
    DataMatrix,
}

impl Symbology {
    /// True for codes of square modules, which keep their aspect; bars may be of any height.
    pub fn is_matrix(self) -> bool {
        match self {
            Symbology::Qr | Symbology::DataMatrix => true,
            Symbology::Ean13 | Symbology::UpcA | Symbology::Code128 => false,
        }
    }
}

/// How much of a QR code may be lost before it cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrorLevel {
    /// About 7 %.
    L,
    /// About 15 %.
    #[default]
    M,
    /// About 25 %.
    Q,
    /// About 30 %.
    H,
}

/// What a template may choose about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CodeOptions {
    /// For QR only; M unless told. The level is raised where that costs no space.
    pub error_level: Option<ErrorLevel>,
    /// Light modules on each side (left and right of bars); the standard's unless told.
    pub quiet_zone: Option<u32>,
}

/// A code ready to be scaled.
#[derive(Debug, Clone, PartialEq)]
pub struct Symbol {
    /// All dark modules, merged so that neighbours share no edge; non-zero fill, y down, one
    /// unit is one module, the origin is the quiet zone's top left corner.
    pub path: BezPath,
    /// Modules across, quiet zone included.
    pub width: u32,
    /// Modules down, quiet zone included; 1 for bars, whose height the caller chooses.
    pub height: u32,
}

/// Dark and light modules in rows, without a quiet zone.
pub(crate) struct Modules {
    width: u32,
    height: u32,
    dark: Vec<bool>,
}

impl Modules {
    /// Whether a module is dark; outside of the symbol none is.
    fn is_dark(&self, x: i64, y: i64) -> bool {
        let inside = (0..i64::from(self.width)).contains(&x) && (0..i64::from(self.height)).contains(&y);
        inside && self.dark.get((y * i64::from(self.width) + x) as usize).copied().unwrap_or(false)
    }
}

/// Light modules around a symbol.
struct Quiet {
    left: u32,
    right: u32,
    /// Above and below.
    ends: u32,
}

/// Encodes content as a symbol.
///
/// # Errors
/// `option.invalid` where the symbology cannot hold the content, says what it can.
pub fn encode(symbology: Symbology, content: &str, options: &CodeOptions) -> Result<Symbol, Violation> {
    if let Some(quiet) = options.quiet_zone
        && quiet > QUIET_ZONE_LIMIT
    {
        let detail = format!("a quiet zone has at most {QUIET_ZONE_LIMIT} modules");
        return Err(Violation::new(Code::OptionInvalid, detail).limit(QUIET_ZONE_LIMIT));
    }
    let modules = match symbology {
        Symbology::Qr => matrix::qr(content, options.error_level.unwrap_or_default())?,
        Symbology::DataMatrix => matrix::data_matrix(content)?,
        Symbology::Ean13 => linear::ean_13(content)?,
        Symbology::UpcA => linear::upc_a(content)?,
        Symbology::Code128 => linear::code_128(content)?,
    };
    let quiet = quiet_zone(symbology, options.quiet_zone);
    Ok(Symbol {
        path: outline::trace(&modules, quiet.left, quiet.ends),
        width: modules.width + quiet.left + quiet.right,
        height: modules.height + 2 * quiet.ends,
    })
}

fn quiet_zone(symbology: Symbology, asked: Option<u32>) -> Quiet {
    let around = |standard: u32| {
        let n = asked.unwrap_or(standard);
        Quiet { left: n, right: n, ends: n }
    };
    let beside =
        |left: u32, right: u32| Quiet { left: asked.unwrap_or(left), right: asked.unwrap_or(right), ends: 0 };
    match symbology {
        // ISO/IEC 18004, "quiet zone": 4X on all four sides.
        Symbology::Qr => around(4),
        // ISO/IEC 16022, "quiet zone": at least 1X on all four sides. Twice that, since ink spreads.
        Symbology::DataMatrix => around(2),
        // GS1 General Specifications 5.2.3.4: EAN-13 11X left and 7X right, UPC-A 9X on both sides.
        Symbology::Ean13 => beside(11, 7),
        Symbology::UpcA => beside(9, 9),
        // ISO/IEC 15417, "quiet zone": 10X on both sides.
        Symbology::Code128 => beside(10, 10),
    }
}

#[cfg(test)]
mod tests;
