//! The little arithmetic of templates: `2 * 148 + spine`.
//!
//! Numbers, names, `+ - * /`, parentheses and `min max floor ceil round`. Parsing is bounded in
//! depth, and a result that is not finite is an error.

/// Why an expression has no value. The text is for the template's author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// It does not read as an expression.
    #[error("{0}")]
    Syntax(String),
    /// It names something that has no number.
    #[error("there is no number called {0:?} here")]
    Unknown(String),
    /// A division by zero, or a number without bounds.
    #[error("the result is not a finite number")]
    NotFinite,
}

const MAX_DEPTH: usize = 32;

/// The value of `text`, with names looked up in `lookup`.
pub fn evaluate(text: &str, lookup: &dyn Fn(&str) -> Option<f64>) -> Result<f64, ExprError> {
    let mut parser = Parser { rest: text, lookup };
    let value = parser.sum(0)?;
    if !parser.rest.trim_start().is_empty() {
        return Err(ExprError::Syntax(format!(
            "unexpected text after column {}",
            text.len() - parser.rest.len()
        )));
    }
    if value.is_finite() { Ok(value) } else { Err(ExprError::NotFinite) }
}

struct Parser<'a> {
    rest: &'a str,
    lookup: &'a dyn Fn(&str) -> Option<f64>,
}

impl Parser<'_> {
    fn take(&mut self, symbol: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self, depth: usize) -> Result<f64, ExprError> {
        let mut value = self.product(depth)?;
        loop {
            if self.take('+') {
                value += self.product(depth)?;
            } else if self.take('-') {
                value -= self.product(depth)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self, depth: usize) -> Result<f64, ExprError> {
        let mut value = self.factor(depth)?;
        loop {
            if self.take('*') {
                value *= self.factor(depth)?;
            } else if self.take('/') {
                value /= self.factor(depth)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn factor(&mut self, depth: usize) -> Result<f64, ExprError> {
        if depth > MAX_DEPTH {
            return Err(ExprError::Syntax("nested too deep".into()));
        }
        if self.take('-') {
            return Ok(-self.factor(depth + 1)?);
        }
        if self.take('(') {
            let value = self.sum(depth + 1)?;
            return self.close(value);
        }
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.')))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word.bytes().next() {
            None => Err(ExprError::Syntax("a number or a name is missing".into())),
            Some(b'0'..=b'9' | b'.') => {
                word.parse().map_err(|_| ExprError::Syntax(format!("{word:?} is not a number")))
            }
            Some(_) if self.take('(') => self.call(word, depth + 1),
            Some(_) => (self.lookup)(word).ok_or_else(|| ExprError::Unknown(word.into())),
        }
    }

    fn call(&mut self, name: &str, depth: usize) -> Result<f64, ExprError> {
        let first = self.sum(depth)?;
        let value = match name {
            "floor" => libm::floor(first),
            "ceil" => libm::ceil(first),
            "round" => libm::round(first),
            "min" | "max" => {
                if !self.take(',') {
                    return Err(ExprError::Syntax(format!("{name} takes two values")));
                }
                let second = self.sum(depth)?;
                if name == "min" { first.min(second) } else { first.max(second) }
            }
            _ => {
                return Err(ExprError::Syntax(format!(
                    "there is no function {name:?}: min, max, floor, ceil, round"
                )));
            }
        };
        self.close(value)
    }

    fn close(&mut self, value: f64) -> Result<f64, ExprError> {
        if self.take(')') { Ok(value) } else { Err(ExprError::Syntax("a ) is missing".into())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(text: &str) -> Result<f64, ExprError> {
        evaluate(text, &|name| (name == "spine").then_some(12.5))
    }

    #[test]
    fn arithmetic_has_the_usual_precedence() {
        assert_eq!(eval("2 * 148 + spine"), Ok(308.5));
        assert_eq!(eval("-(1 + 2) * 3 / 2"), Ok(-4.5));
        assert_eq!(eval("max(1, min(spine, 3)) + floor(2.9)"), Ok(5.0));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(eval("1 / 0"), Err(ExprError::NotFinite));
        assert_eq!(eval("spin + 1"), Err(ExprError::Unknown("spin".into())));
        assert!(matches!(eval("1 +"), Err(ExprError::Syntax(_))));
        assert!(matches!(eval("1 2"), Err(ExprError::Syntax(_))));
        assert!(matches!(eval(&"(".repeat(10_000)), Err(ExprError::Syntax(_))));
        assert!(matches!(eval(&"-".repeat(10_000)), Err(ExprError::Syntax(_))));
    }
}
