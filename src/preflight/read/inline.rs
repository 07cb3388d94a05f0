//! Inline images: the one place where a content stream holds bytes that are no operators.

use super::error::ReadError;
use super::lex::{Lexer, bad, is_delimiter, is_space};
use super::value::Dict;

impl Lexer<'_> {
    /// The entries of an inline image, up to its `ID`; its data begins here.
    pub(crate) fn inline_entries(&mut self) -> Result<Dict, ReadError> {
        let mut dict = Dict::default();
        loop {
            if self.keyword("ID") {
                self.at += 1;
                return Ok(dict);
            }
            if self.peek() != Some(b'/') {
                return Err(bad("an inline image is malformed"));
            }
            let key = self.name()?;
            dict.entries().push((key, self.value()?));
        }
    }

    /// Passes an inline image's data and its `EI`. `length` is known where nothing is compressed.
    pub(crate) fn inline_data(&mut self, length: Option<usize>) -> Result<(), ReadError> {
        let mut from = self.at.saturating_add(length.unwrap_or(0));
        while let Some(found) =
            self.data.get(from..).and_then(|rest| rest.windows(2).position(|pair| pair == b"EI"))
        {
            let at = from + found;
            let before = at == self.at
                || self.data.get(at - 1).copied().is_some_and(is_space)
                || length == Some(at - self.at);
            let after = self.data.get(at + 2).copied().is_none_or(|b| is_space(b) || is_delimiter(b));
            if before && after {
                self.at = at + 2;
                return Ok(());
            }
            from = at + 2;
        }
        Err(bad("an inline image does not end"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::lex::Token;
    use super::super::value::Value;
    use super::*;

    #[test]
    fn an_inline_image_ends_where_its_data_ends() {
        let data = b"/W 1 /H 1 /BPC 8 /CS /G ID EI EI Q";
        let mut lexer = Lexer::content(data, 9);
        let entries = lexer.inline_entries().unwrap();
        assert_eq!(entries.get("W"), Some(&Value::Int(1)));
        lexer.inline_data(Some(3)).unwrap();
        assert_eq!(lexer.token().unwrap(), Some(Token::Operator(b"Q"[..].into())));
    }
}
