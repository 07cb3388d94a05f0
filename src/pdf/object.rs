//! PDF objects as text.
//!
//! Objects are `lopdf`'s; this writes one of them in the syntax of ISO 32000-1, 7.3. Numbers
//! come out in their shortest decimal form and dictionaries in the order they were filled, so
//! equal objects have equal bytes.

use lopdf::{Dictionary, Object, StringFormat};
use std::io::Write;

/// A name object.
pub(super) fn name(text: &str) -> Object {
    Object::Name(text.as_bytes().to_vec())
}

/// An array of numbers.
pub(super) fn numbers(values: impl IntoIterator<Item = f64>) -> Object {
    Object::Array(values.into_iter().map(|v| Object::Real(v as f32)).collect())
}

/// A dictionary from its entries.
pub(super) fn dictionary<'a>(entries: impl IntoIterator<Item = (&'a str, Object)>) -> Dictionary {
    let mut dictionary = Dictionary::new();
    for (key, value) in entries {
        dictionary.set(key, value);
    }
    dictionary
}

/// A text string: ASCII as it is, anything else as UTF-16BE with its mark.
pub(super) fn text(value: &str) -> Object {
    if value.bytes().all(|b| (32..127).contains(&b)) {
        return Object::String(value.as_bytes().to_vec(), StringFormat::Literal);
    }
    let mut bytes = vec![0xFE, 0xFF];
    bytes.extend(value.encode_utf16().flat_map(u16::to_be_bytes));
    Object::String(bytes, StringFormat::Hexadecimal)
}

/// Appends an object. A stream must not stand inside another object, and is written with the
/// bytes it holds; its `/Length` has to be right.
pub(super) fn write(out: &mut Vec<u8>, object: &Object) {
    match object {
        Object::Null => out.extend(b"null"),
        Object::Boolean(value) => out.extend(value.to_string().bytes()),
        Object::Integer(value) => out.extend(value.to_string().bytes()),
        Object::Real(value) => write_real(out, *value),
        Object::Name(value) => write_name(out, value),
        Object::String(value, format) => write_string(out, value, format),
        Object::Array(values) => {
            out.push(b'[');
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    out.push(b' ');
                }
                write(out, value);
            }
            out.push(b']');
        }
        Object::Dictionary(value) => write_dictionary(out, value),
        Object::Stream(stream) => {
            write_dictionary(out, &stream.dict);
            out.extend(b"\nstream\n");
            out.extend(&stream.content);
            out.extend(b"\nendstream");
        }
        Object::Reference((id, generation)) => out.extend(format!("{id} {generation} R").bytes()),
    }
}

/// Appends a dictionary.
pub(super) fn write_dictionary(out: &mut Vec<u8>, dictionary: &Dictionary) {
    out.extend(b"<<");
    for (key, value) in dictionary {
        write_name(out, key);
        out.push(b' ');
        write(out, value);
    }
    out.extend(b">>");
}

fn write_real(out: &mut Vec<u8>, value: f32) {
    // Minus zero and whole numbers in their plain form. Writing to memory cannot fail.
    let plain = if value == 0.0 { 0.0 } else { value };
    let _ = write!(out, "{plain}");
}

fn write_name(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'/');
    for &byte in value {
        if (33..127).contains(&byte) && !b"()<>[]{}/%#".contains(&byte) {
            out.push(byte);
        } else {
            out.extend(format!("#{byte:02X}").bytes());
        }
    }
}

fn write_string(out: &mut Vec<u8>, value: &[u8], format: &StringFormat) {
    match format {
        StringFormat::Literal => {
            out.push(b'(');
            for &byte in value {
                if b"()\\".contains(&byte) {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            out.push(b')');
        }
        StringFormat::Hexadecimal => {
            out.push(b'<');
            for byte in value {
                out.extend(format!("{byte:02X}").bytes());
            }
            out.push(b'>');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_follow_the_syntax() {
        let mut out = Vec::new();
        let object = dictionary([
            ("A B", numbers([0.0, -0.0, 0.1, 1e-7, 123456.0])),
            ("S", text("a(b)\\")),
            ("U", text("é")),
            ("R", Object::Reference((7, 0))),
        ]);
        write(&mut out, &Object::Dictionary(object));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "<</A#20B [0 0 0.1 0.0000001 123456]/S (a\\(b\\)\\\\)/U <FEFF00E9>/R 7 0 R>>"
        );
    }
}
