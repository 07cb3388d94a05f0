//! From bytes to objects and operators, strictly: what the syntax does not allow is an error,
//! never a guess. Depth is bounded, and nothing is read twice.

use super::error::ReadError;
use super::value::{Dict, Value};

/// What stands next in a content stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// An operand.
    Operand(Value),
    /// An operator.
    Operator(Box<[u8]>),
}

/// Reads objects out of a slice.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    pub(super) data: &'a [u8],
    /// Where the next byte is.
    pub(crate) at: usize,
    depth: u32,
    /// References are read (`12 0 R`); content streams have none.
    references: bool,
}

/// White space by the standard.
pub(crate) fn is_space(b: u8) -> bool {
    matches!(b, 0 | 9 | 10 | 12 | 13 | 32)
}

pub(super) fn is_delimiter(b: u8) -> bool {
    matches!(b, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

fn is_regular(b: u8) -> bool {
    !is_space(b) && !is_delimiter(b)
}

pub(super) fn bad(what: &str) -> ReadError {
    ReadError::damaged(what)
}

impl<'a> Lexer<'a> {
    /// For the body of a file.
    pub(crate) fn objects(data: &'a [u8], at: usize, depth: u32) -> Self {
        Lexer { data, at, depth, references: true }
    }

    /// For a content stream.
    pub(crate) fn content(data: &'a [u8], depth: u32) -> Self {
        Lexer { data, at: 0, depth, references: false }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    /// Passes white space and comments.
    pub(crate) fn space(&mut self) {
        while let Some(b) = self.peek() {
            if b == b'%' {
                while self.peek().is_some_and(|b| b != b'\n' && b != b'\r') {
                    self.at += 1;
                }
            } else if is_space(b) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn regular(&mut self) -> &'a [u8] {
        let start = self.at;
        while self.peek().is_some_and(is_regular) {
            self.at += 1;
        }
        &self.data[start..self.at]
    }

    /// Passes this keyword, if it stands here as a word of its own.
    pub(crate) fn keyword(&mut self, word: &str) -> bool {
        self.space();
        let start = self.at;
        if self.regular() == word.as_bytes() {
            return true;
        }
        self.at = start;
        false
    }

    /// A whole number that is not negative.
    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        self.space();
        let start = self.at;
        let word = self.regular();
        let number = (word.len() <= 19 && !word.is_empty() && word.iter().all(u8::is_ascii_digit))
            .then(|| std::str::from_utf8(word).ok()?.parse().ok())
            .flatten();
        if number.is_none() {
            self.at = start;
        }
        number
    }

    /// The end of a `stream` keyword's line: its data begins here.
    pub(crate) fn stream_begins(&mut self) -> bool {
        if !self.keyword("stream") {
            return false;
        }
        match (self.peek(), self.data.get(self.at + 1)) {
            (Some(b'\r'), Some(b'\n')) => self.at += 2,
            (Some(b'\n'), _) => self.at += 1,
            _ => return false,
        }
        true
    }

    /// The next object.
    pub(crate) fn value(&mut self) -> Result<Value, ReadError> {
        self.nested(0)
    }

    fn nested(&mut self, depth: u32) -> Result<Value, ReadError> {
        if depth > self.depth {
            return Err(ReadError::limit(format!("objects are nested deeper than {}", self.depth)));
        }
        self.space();
        match self.peek() {
            None => Err(bad("an object ends early")),
            Some(b'/') => self.name().map(Value::Name),
            Some(b'(') => self.literal().map(Value::Text),
            Some(b'<') if self.data.get(self.at + 1) == Some(&b'<') => self.dictionary(depth),
            Some(b'<') => self.hexadecimal().map(Value::Text),
            Some(b'[') => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    self.space();
                    if self.peek() == Some(b']') {
                        self.at += 1;
                        return Ok(Value::Array(items));
                    }
                    items.push(self.nested(depth + 1)?);
                }
            }
            Some(b'+' | b'-' | b'.' | b'0'..=b'9') => self.number(),
            Some(_) => match self.regular() {
                b"true" => Ok(Value::Bool(true)),
                b"false" => Ok(Value::Bool(false)),
                b"null" => Ok(Value::Null),
                _ => Err(bad("something stands where an object should")),
            },
        }
    }

    fn number(&mut self) -> Result<Value, ReadError> {
        let word = self.regular();
        let value = parse_number(word).ok_or_else(|| bad("a number is malformed"))?;
        if let (true, Value::Int(first)) = (self.references, &value)
            && let Ok(number) = u32::try_from(*first)
        {
            let after = self.at;
            if let Some(generation) = self.unsigned()
                && let Ok(generation) = u16::try_from(generation)
                && self.keyword("R")
            {
                return Ok(Value::Ref(number, generation));
            }
            self.at = after;
        }
        Ok(value)
    }

    pub(super) fn name(&mut self) -> Result<Box<[u8]>, ReadError> {
        self.at += 1;
        let raw = self.regular();
        if !raw.contains(&b'#') {
            return Ok(raw.into());
        }
        let mut name = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let [first, tail @ ..] = rest {
            rest = tail;
            if *first != b'#' {
                name.push(*first);
                continue;
            }
            let [high, low, tail @ ..] = rest else { return Err(bad("an escape in a name is malformed")) };
            let digits =
                digit(*high).zip(digit(*low)).ok_or_else(|| bad("an escape in a name is malformed"))?;
            name.push(digits.0 << 4 | digits.1);
            rest = tail;
        }
        Ok(name.into())
    }

    fn dictionary(&mut self, depth: u32) -> Result<Value, ReadError> {
        self.at += 2;
        let mut dict = Dict::default();
        loop {
            self.space();
            match self.peek() {
                Some(b'>') if self.data.get(self.at + 1) == Some(&b'>') => {
                    self.at += 2;
                    return Ok(Value::Dict(dict));
                }
                Some(b'/') => {
                    let key = self.name()?;
                    let value = self.nested(depth + 1)?;
                    dict.entries().push((key, value));
                }
                _ => return Err(bad("a dictionary is malformed")),
            }
        }
    }

    fn hexadecimal(&mut self) -> Result<Box<[u8]>, ReadError> {
        self.at += 1;
        let (mut bytes, mut half) = (Vec::new(), None);
        loop {
            let b = self.peek().ok_or_else(|| bad("a string ends early"))?;
            self.at += 1;
            if b == b'>' {
                bytes.extend(half.map(|high: u8| high << 4));
                return Ok(bytes.into());
            }
            if is_space(b) {
                continue;
            }
            let low = digit(b).ok_or_else(|| bad("a hexadecimal string is malformed"))?;
            half = match half {
                None => Some(low),
                Some(high) => {
                    bytes.push(high << 4 | low);
                    None
                }
            };
        }
    }

    fn literal(&mut self) -> Result<Box<[u8]>, ReadError> {
        self.at += 1;
        let (mut bytes, mut open) = (Vec::new(), 1_u32);
        loop {
            let b = self.peek().ok_or_else(|| bad("a string ends early"))?;
            self.at += 1;
            match b {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        return Ok(bytes.into());
                    }
                }
                b'\\' => {
                    self.escape(&mut bytes)?;
                    continue;
                }
                _ => {}
            }
            bytes.push(b);
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), ReadError> {
        let b = self.peek().ok_or_else(|| bad("a string ends early"))?;
        self.at += 1;
        match b {
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            b'0'..=b'7' => {
                let mut code = u32::from(b - b'0');
                for _ in 0..2 {
                    let Some(next @ b'0'..=b'7') = self.peek() else { break };
                    code = code * 8 + u32::from(next - b'0');
                    self.at += 1;
                }
                bytes.push((code & 255) as u8);
            }
            // A line break after a backslash is none.
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.at += 1;
                }
            }
            b'\n' => {}
            other => bytes.push(other),
        }
        Ok(())
    }

    /// The next operand or operator of a content stream; `None` at its end.
    pub(crate) fn token(&mut self) -> Result<Option<Token>, ReadError> {
        self.space();
        let Some(first) = self.peek() else { return Ok(None) };
        if matches!(first, b'/' | b'(' | b'<' | b'[' | b'+' | b'-' | b'.' | b'0'..=b'9') {
            return self.value().map(|value| Some(Token::Operand(value)));
        }
        match self.regular() {
            b"" => Err(bad("a delimiter stands where an operator should")),
            b"true" => Ok(Some(Token::Operand(Value::Bool(true)))),
            b"false" => Ok(Some(Token::Operand(Value::Bool(false)))),
            b"null" => Ok(Some(Token::Operand(Value::Null))),
            word => Ok(Some(Token::Operator(word.into()))),
        }
    }
}

fn digit(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).map(|d| d as u8)
}

/// A number as PDF writes it: digits, one point, one sign. No exponents.
fn parse_number(word: &[u8]) -> Option<Value> {
    let digits = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"+")).unwrap_or(word);
    let points = digits.iter().filter(|b| **b == b'.').count();
    let fine = digits.iter().all(|b| b.is_ascii_digit() || *b == b'.') && digits.len() > points;
    if !fine || points > 1 || word.len() > 400 {
        return None;
    }
    let text = std::str::from_utf8(word).ok()?;
    if points == 0
        && let Ok(whole) = text.parse()
    {
        return Some(Value::Int(whole));
    }
    text.parse().ok().map(Value::Real)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, ReadError> {
        Lexer::objects(text.as_bytes(), 0, 60).value()
    }

    #[test]
    fn objects_are_read_as_the_standard_says() {
        let Ok(Value::Dict(dict)) =
            read("<< /A#20b (x\\051\\(y\\\n) /C <4 1> /D [1 0 R -.5 +7 true null] >>")
        else {
            panic!("no dictionary")
        };
        assert_eq!(dict.get("A b"), Some(&Value::Text(b"x)(y"[..].into())));
        assert_eq!(dict.get("C"), Some(&Value::Text(b"A"[..].into())));
        let items = [Value::Ref(1, 0), Value::Real(-0.5), Value::Int(7), Value::Bool(true), Value::Null];
        assert_eq!(dict.get("D").and_then(Value::array), Some(&items[..]));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "<< /A", "<< 1 2 >>", "(a", "<4g>", "1e5", "--1", "[1", "]", "foo", "/A#4", "1.2.3"]
        {
            assert!(
                matches!(read(text), Err(ReadError::Damaged(_))) || text == "/A#4" && read(text).is_err(),
                "{text}"
            );
        }
        assert!(matches!(read(&"[".repeat(1_000_000)), Err(ReadError::TooLarge(_))));
    }
}
