//! PDF objects as they are read: numbers, names, strings, arrays, dictionaries, references.

use kurbo::{Affine, Rect};
use std::sync::Arc;

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point.
    Real(f64),
    /// A name without its slash, escapes resolved.
    Name(Box<[u8]>),
    /// A string, escapes resolved.
    Text(Box<[u8]>),
    /// An array.
    Array(Vec<Value>),
    /// A dictionary.
    Dict(Dict),
    /// An indirect object's number and generation.
    Ref(u32, u16),
}

/// A dictionary, its entries in the order of the file. Copies share them: a page that draws one form a
/// thousand times asks for its resources as often.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Dict(pub(crate) Arc<Vec<(Box<[u8]>, Value)>>);

impl Dict {
    /// The entries, to change them: those of copies stay as they are.
    pub(crate) fn entries(&mut self) -> &mut Vec<(Box<[u8]>, Value)> {
        Arc::make_mut(&mut self.0)
    }

    /// The entry as it stands, references not followed. `null` counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        let found = self.0.iter().find(|(name, _)| &**name == key.as_bytes());
        found.map(|(_, value)| value).filter(|value| **value != Value::Null)
    }

    /// True when the key is there and is not `null`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// True when the entry is this very name.
    pub(crate) fn is(&self, key: &str, name: &str) -> bool {
        self.get(key).is_some_and(|value| value.is_name(name))
    }
}

impl Value {
    /// A number.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(*n as f64),
            Value::Real(n) => Some(*n),
            Value::Null
            | Value::Bool(_)
            | Value::Name(_)
            | Value::Text(_)
            | Value::Array(_)
            | Value::Dict(_)
            | Value::Ref(..) => None,
        }
    }

    /// A whole number.
    pub(crate) fn int(&self) -> Option<i64> {
        if let Value::Int(n) = self { Some(*n) } else { None }
    }

    /// A name, as text; bytes that are not UTF-8 are replaced.
    pub(crate) fn name(&self) -> Option<String> {
        if let Value::Name(name) = self { Some(String::from_utf8_lossy(name).into_owned()) } else { None }
    }

    /// True for this very name.
    pub(crate) fn is_name(&self, name: &str) -> bool {
        matches!(self, Value::Name(found) if **found == *name.as_bytes())
    }

    /// A string's bytes.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        if let Value::Text(bytes) = self { Some(bytes) } else { None }
    }

    /// A boolean.
    pub(crate) fn bool(&self) -> Option<bool> {
        if let Value::Bool(value) = self { Some(*value) } else { None }
    }

    /// An array's items.
    pub(crate) fn array(&self) -> Option<&[Value]> {
        if let Value::Array(items) = self { Some(items) } else { None }
    }

    /// A dictionary.
    pub(crate) fn dict(&self) -> Option<&Dict> {
        if let Value::Dict(dict) = self { Some(dict) } else { None }
    }
}

/// A text string as people read it: UTF-16 with its mark, UTF-8 with its mark, else Latin-1
/// (which PDFDocEncoding is for everything that titles and names are made of).
pub(crate) fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xFE, 0xFF, rest @ ..] => {
            let units: Vec<u16> =
                rest.chunks(2).map(|pair| pair.iter().fold(0, |n, b| n << 8 | u16::from(*b))).collect();
            String::from_utf16_lossy(&units)
        }
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|b| char::from(*b)).collect(),
    }
}

/// Six numbers as a matrix.
pub(crate) fn matrix(items: &[Value]) -> Option<Affine> {
    let numbers: Vec<f64> = items.iter().map_while(Value::number).collect();
    <[f64; 6]>::try_from(numbers).ok().filter(|n| n.iter().all(|v| v.is_finite())).map(Affine::new)
}

/// Four numbers as a rectangle, its corners put in order.
pub(crate) fn rectangle(items: &[Value]) -> Option<Rect> {
    let numbers: Vec<f64> = items.iter().map_while(Value::number).collect();
    let [x0, y0, x1, y1] = <[f64; 4]>::try_from(numbers).ok()?;
    [x0, y0, x1, y1].iter().all(|v| v.is_finite()).then(|| Rect::new(x0, y0, x1, y1).abs())
}
