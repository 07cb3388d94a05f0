//! What is taken out of text before it is laid out.
//!
//! Escape sequences and control characters never print; every kind of line break becomes a
//! line feed, a tab becomes a space, soft hyphens go. White space and blank lines at either end
//! are dropped. Joiners, variation selectors and direction marks stay.

use crate::error::{Code, Violation};
use regex::Regex;
use std::sync::LazyLock;

/// The most characters that one text may have.
const CHARACTERS: usize = 10_000;
/// The most marks that one base character may carry.
const MARKS: usize = 16;

/// Marks one after the other; format characters between them do not hide it. How many there may be
/// is counted, not matched: the large class would be compiled once for each.
static STACK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\p{M}\p{Cf}]+").ok());

/// Text that can be shaped.
///
/// # Errors
/// `text.too_long` for more than 10,000 characters, or more than 16 marks on one base.
pub(super) fn clean(text: &str) -> Result<String, Violation> {
    // UTF-8 has at most 4 bytes a character: the count is taken only where it can matter.
    if text.len() > CHARACTERS * 4 || text.chars().count() > CHARACTERS {
        let detail = format!("this text is longer than {CHARACTERS} characters: shorten it");
        return Err(Violation::new(Code::TextTooLong, detail).limit(CHARACTERS));
    }
    if is_stacked(text)? {
        let detail = format!("a character of this text carries more than {MARKS} marks: remove some");
        return Err(Violation::new(Code::TextTooLong, detail).limit(MARKS));
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\t' => out.push(' '),
            '\u{ad}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' => {}
            c if c.is_control() || is_noncharacter(c) => {}
            c => out.push(c),
        }
    }
    Ok(out.trim().to_owned())
}

/// Whether more marks follow each other than are allowed.
fn is_stacked(text: &str) -> Result<bool, Violation> {
    if text.is_ascii() {
        return Ok(false);
    }
    let stack = STACK
        .as_ref()
        .ok_or_else(|| Violation::new(Code::InternalError, "the mark pattern does not compile"))?;
    Ok(stack.find_iter(text).any(|marks| marks.as_str().chars().count() > MARKS))
}

fn is_noncharacter(c: char) -> bool {
    let n = u32::from(c);
    n & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&n)
}

/// What follows ESC (ECMA-48): a control sequence, a string with its terminator, or a single character.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_control_sequence(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            // A string without its terminator is not one: only its introducer goes.
            chars.next();
            let mut ahead = chars.clone();
            while let Some(c) = ahead.next() {
                let ended =
                    c == '\u{7}' || c == '\u{9c}' || (c == '\u{1b}' && ahead.next_if_eq(&'\\').is_some());
                if ended {
                    *chars = ahead;
                    return;
                }
            }
        }
        Some('\u{20}'..='\u{7e}') => {
            while chars.next_if(|c| ('\u{20}'..='\u{2f}').contains(c)).is_some() {}
            chars.next_if(|c| ('\u{30}'..='\u{7e}').contains(c));
        }
        Some(_) | None => {}
    }
}

/// Parameters, intermediates and the final character of a control sequence.
fn skip_control_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while chars.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
    chars.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_controls_go_and_words_stay() {
        let cases = [
            ("\u{1b}[31;1mZoë\u{1b}[0m", "Zoë"),
            ("\u{1b}]0;title\u{7}Zoë", "Zoë"),
            ("\u{1b}]0;title\u{1b}\\Zoë", "Zoë"),
            ("\u{1b}]no end", "no end"),
            ("\u{1b}(BZoë\u{9b}2J", "Zoë"),
            ("a\u{0}b\u{7}c\u{7f}d\u{1b}", "abcd"),
            ("one\r\ntwo\rthree\u{2028}four\u{b}five", "one\ntwo\nthree\nfour\nfive"),
            (" \n tab\there \n\n", "tab here"),
            ("Don\u{ad}au\u{feff}", "Donau"),
            ("👩\u{200d}🚀 ❤\u{fe0f} می\u{200c}خواهم", "👩\u{200d}🚀 ❤\u{fe0f} می\u{200c}خواهم"),
        ];
        for (dirty, expected) in cases {
            assert_eq!(clean(dirty).unwrap(), expected);
        }
    }

    #[test]
    fn long_and_stacked_text_is_refused() {
        assert!(clean(&"é".repeat(CHARACTERS)).is_ok());
        for text in ["x".repeat(CHARACTERS + 1), "x".repeat(5_000_000), format!("Z{}", "\u{301}".repeat(17))]
        {
            assert_eq!(clean(&text).unwrap_err().code, Code::TextTooLong);
        }
        let hidden = format!("Z{}", "\u{301}\u{200d}".repeat(20));
        assert_eq!(clean(&hidden).unwrap_err().code, Code::TextTooLong);
        assert!(clean(&format!("Z{}", "\u{301}".repeat(16))).is_ok());
    }
}
