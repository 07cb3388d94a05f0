//! Codes of square modules.

use super::{ErrorLevel, Modules};
use crate::error::{Code, Violation};
use datamatrix::{DataMatrix, SymbolList};
use qrcodegen::{QrCode, QrCodeEcc};

/// No QR code holds more characters (version 40, level L, digits only).
const QR_CHARACTERS: usize = 7089;
/// No square Data Matrix holds more characters (144×144, digits only).
const DATA_MATRIX_CHARACTERS: usize = 3116;

/// Text as a QR code of the smallest version that holds it.
pub(super) fn qr(content: &str, level: ErrorLevel) -> Result<Modules, Violation> {
    let too_long = || {
        let detail = "this is more than a QR code of the chosen error level holds: shorten it, or choose a lower level";
        Violation::new(Code::OptionInvalid, detail)
    };
    if content.is_empty() {
        return Err(Violation::new(Code::OptionInvalid, "a QR code needs at least one character"));
    }
    // Nothing is allocated for content that cannot fit anyway.
    if content.chars().count() > QR_CHARACTERS {
        return Err(too_long().limit(QR_CHARACTERS));
    }
    let level = match level {
        ErrorLevel::L => QrCodeEcc::Low,
        ErrorLevel::M => QrCodeEcc::Medium,
        ErrorLevel::Q => QrCodeEcc::Quartile,
        ErrorLevel::H => QrCodeEcc::High,
    };
    let code = QrCode::encode_text(content, level).map_err(|_| too_long())?;
    let side = code.size();
    let dark =
        (0..side).flat_map(|y| (0..side).map(move |x| (x, y))).map(|(x, y)| code.get_module(x, y)).collect();
    Ok(Modules { width: side.unsigned_abs(), height: side.unsigned_abs(), dark })
}

/// Text as a square Data Matrix: Latin-1, or UTF-8 marked by an ECI.
pub(super) fn data_matrix(content: &str) -> Result<Modules, Violation> {
    let too_long =
        || Violation::new(Code::OptionInvalid, "this is more than a Data Matrix code holds: shorten it");
    if content.is_empty() {
        return Err(Violation::new(Code::OptionInvalid, "a Data Matrix code needs at least one character"));
    }
    if content.chars().count() > DATA_MATRIX_CHARACTERS {
        return Err(too_long().limit(DATA_MATRIX_CHARACTERS));
    }
    let code =
        DataMatrix::encode_str(content, SymbolList::default().enforce_square()).map_err(|_| too_long())?;
    let bitmap = code.bitmap();
    Ok(Modules { width: bitmap.width() as u32, height: bitmap.height() as u32, dark: bitmap.bits().to_vec() })
}
