//! Codes of bars.

use super::Modules;
use crate::error::{Code, Violation};
use barcoders::sym::{code128::Code128, ean13::EAN13};

/// Longer bars than this cannot be scanned by hand.
const CODE_128_CHARACTERS: usize = 80;

/// Twelve digits and their check digit.
pub(super) fn ean_13(content: &str) -> Result<Modules, Violation> {
    ean(content, 12, "EAN-13", "")
}

/// Eleven digits and their check digit: an EAN-13 that starts with 0.
pub(super) fn upc_a(content: &str) -> Result<Modules, Violation> {
    ean(content, 11, "UPC-A", "0")
}

fn ean(content: &str, digits: usize, name: &str, prefix: &str) -> Result<Modules, Violation> {
    let count = content.len();
    if !content.bytes().all(|b| b.is_ascii_digit()) || (count != digits && count != digits + 1) {
        let detail =
            format!("{name} takes {digits} digits, or {} with the check digit, and nothing else", digits + 1);
        return Err(Violation::new(Code::OptionInvalid, detail));
    }
    let bars = EAN13::new(format!("{prefix}{content}")).map_err(|_| {
        let detail = format!(
            "the last digit is not the check digit of the {digits} before it: correct it, or leave it out"
        );
        Violation::new(Code::OptionInvalid, detail)
    })?;
    Ok(row(&bars.encode()))
}

/// Printable ASCII, with pairs of digits packed where that makes it shorter.
pub(super) fn code_128(content: &str) -> Result<Modules, Violation> {
    let printable = content.bytes().all(|b| (0x20..0x7f).contains(&b));
    if content.is_empty() || !printable || content.len() > CODE_128_CHARACTERS {
        let detail =
            format!("Code 128 takes 1 to {CODE_128_CHARACTERS} letters, digits, spaces and marks of ASCII");
        return Err(Violation::new(Code::OptionInvalid, detail).limit(CODE_128_CHARACTERS));
    }
    let bars = Code128::new(with_code_sets(content))
        .map_err(|_| Violation::new(Code::OptionInvalid, "Code 128 cannot hold this content"))?;
    Ok(row(&bars.encode()))
}

/// Code set B, the encoder's mark.
const SET_B: char = '\u{181}';
/// Code set C (pairs of digits), the encoder's mark.
const SET_C: char = '\u{106}';

/// Marks where code sets change. Set C starts at four digits at either end (or two that are
/// everything), and at six in the middle; ISO/IEC 15417 has this rule for the shortest symbol.
fn with_code_sets(content: &str) -> String {
    let bytes = content.as_bytes();
    let mut out = String::with_capacity(bytes.len() + 8);
    let mut set = None;
    let mut push = |c: char, wanted: char| {
        if set != Some(wanted) {
            out.push(wanted);
            set = Some(wanted);
        }
        out.push(c);
    };
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        if run == 0 {
            push(char::from(bytes[at]), SET_B);
            at += 1;
            continue;
        }
        let (first, last) = (at == 0, at + run == bytes.len());
        let packed = (run >= 4 && (first || last)) || run >= 6 || (run == 2 && first && last);
        // An odd digit stays in the set that is in force anyway: before the pairs, or after them at the start.
        let odd_first = run % 2 == 1 && !first;
        for (i, byte) in bytes[at..at + run].iter().enumerate() {
            let is_odd = run % 2 == 1 && if odd_first { i == 0 } else { i == run - 1 };
            push(char::from(*byte), if packed && !is_odd { SET_C } else { SET_B });
        }
        at += run;
    }
    out
}

fn row(bars: &[u8]) -> Modules {
    Modules { width: bars.len() as u32, height: 1, dark: bars.iter().map(|b| *b == 1).collect() }
}
