//! What a layer's bound values, measures, conditions and words stand for in one order.

use crate::catalog::layer::{Bound64, Flip};
use crate::catalog::value::FieldRef;
use crate::catalog::{Bound, ColorSpec, Condition, Measure, expr};
use crate::error::{Code, Violation};
use crate::order::{FieldValue, Item};
use crate::text::FontSpec;
use indexmap::IndexMap;
use serde_json::Value;

/// A scope of names: the order's fields, the items around a layer, and numbers.
#[derive(Clone)]
pub(crate) struct Env<'a> {
    fields: &'a IndexMap<String, FieldValue>,
    items: Vec<(&'a str, &'a Item)>,
    numbers: Vec<(String, f64)>,
}

impl<'a> Env<'a> {
    /// The order's fields and the template's measures.
    pub(crate) fn new(fields: &'a IndexMap<String, FieldValue>, measures: &IndexMap<String, f64>) -> Self {
        Env { fields, items: Vec::new(), numbers: measures.iter().map(|(k, v)| (k.clone(), *v)).collect() }
    }

    /// The same scope with one more number; it hides an earlier one of its name.
    #[must_use]
    pub(crate) fn with_number(mut self, name: &str, value: f64) -> Self {
        self.numbers.push((name.to_owned(), value));
        self
    }

    /// The same scope inside a container of this size in mm.
    #[must_use]
    pub(crate) fn inside(self, width: f64, height: f64) -> Self {
        self.with_number("width", width).with_number("height", height)
    }

    /// The same scope with a list's item, its index and the list's length.
    #[must_use]
    pub(crate) fn with_item(mut self, name: &'a str, item: &'a Item, index: usize, count: usize) -> Self {
        self.items.push((name, item));
        self.with_number("index", index as f64).with_number("count", count as f64)
    }

    /// A field, an item, or a field of an item. `None` where the order has no value for it.
    pub(crate) fn lookup(&self, name: &str) -> Option<&'a FieldValue> {
        for (item_name, item) in self.items.iter().rev() {
            match item {
                Item::Single(value) if name == *item_name => return Some(value),
                Item::Object(fields) => {
                    if let Some(inner) = name.strip_prefix(item_name).and_then(|rest| rest.strip_prefix('.'))
                    {
                        return fields.get(inner);
                    }
                }
                Item::Single(_) => {}
            }
        }
        self.fields.get(name)
    }

    /// The items of a list field; empty where the order has none.
    pub(crate) fn list(&self, name: &str) -> &'a [Item] {
        if let Some(FieldValue::List(items)) = self.lookup(name) { items } else { &[] }
    }

    /// A measure's number.
    pub(crate) fn number(&self, measure: &Measure) -> Result<f64, Violation> {
        match measure {
            Measure::Number(number) => Ok(*number),
            Measure::Expression(text) => expr::evaluate(text, &|name| self.named(name))
                .map_err(|e| Violation::new(Code::TemplateInvalid, format!("the measure {text:?}: {e}"))),
        }
    }

    fn named(&self, name: &str) -> Option<f64> {
        let number = self.numbers.iter().rev().find(|(known, _)| known == name).map(|(_, value)| *value);
        number.or_else(|| self.lookup(name)?.number())
    }

    /// A bound value; `None` where it follows a field that has no value.
    pub(crate) fn get<T: FromField + Clone>(&self, bound: &Bound<T>) -> Result<Option<T>, Violation> {
        match bound {
            Bound::Value(value) => Ok(Some(value.clone())),
            Bound::Field(reference) => self.follow(reference),
        }
    }

    fn follow<T: FromField + Clone>(&self, reference: &FieldRef<T>) -> Result<Option<T>, Violation> {
        let Some(value) = self.lookup(&reference.field) else { return Ok(reference.otherwise.clone()) };
        if let Some(map) = &reference.map {
            let key = match value.comparable() {
                Value::String(key) => key,
                other @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_)) => other.to_string().trim_end_matches(".0").to_owned(),
            };
            return Ok(map.get(&key).or(reference.otherwise.as_ref()).cloned());
        }
        T::from_field(value).map(Some).ok_or_else(|| {
            Violation::new(
                Code::TemplateInvalid,
                format!("the field {:?} cannot be used where the template uses it", reference.field),
            )
        })
    }

    /// A bound measure's number.
    pub(crate) fn measure(&self, bound: &Bound<Measure>) -> Result<Option<f64>, Violation> {
        self.get(bound)?.map(|measure| self.number(&measure)).transpose()
    }

    /// A seed.
    pub(crate) fn seed(&self, seed: &Bound64) -> Result<u64, Violation> {
        Ok(match seed {
            Bound64::Value(seed) => *seed,
            Bound64::Field(reference) => self.follow(reference)?.unwrap_or(0),
        })
    }

    /// Whether a condition holds.
    pub(crate) fn holds(&self, condition: &Condition) -> bool {
        let all = condition.all.as_ref().is_none_or(|list| list.iter().all(|c| self.holds(c)));
        let any = condition.any.as_ref().is_none_or(|list| list.iter().any(|c| self.holds(c)));
        let not = condition.not.as_ref().is_none_or(|c| !self.holds(c));
        let tests = condition.field.as_ref().is_none_or(|name| {
            let value = self.lookup(name);
            let comparable = value.map_or(Value::Null, FieldValue::comparable);
            let number = value.and_then(FieldValue::number).or_else(|| self.named(name));
            condition.given.is_none_or(|given| given == value.is_some_and(|v| !v.is_blank()))
                && condition.is.as_ref().is_none_or(|wanted| same(wanted, &comparable))
                && condition
                    .one_of
                    .as_ref()
                    .is_none_or(|list| list.iter().any(|wanted| same(wanted, &comparable)))
                && condition.at_least.is_none_or(|least| number.unwrap_or(0.0) >= least)
                && condition.at_most.is_none_or(|most| number.unwrap_or(0.0) <= most)
        });
        all && any && not && tests
    }

    /// Words with `{field}` and `{field|fallback}` filled in.
    pub(crate) fn fill(&self, content: &str) -> Result<String, Violation> {
        let mut out = String::with_capacity(content.len());
        for piece in pieces(content)? {
            match piece {
                Piece::Words(words) => out.push_str(&words),
                Piece::Field { name, fallback } => {
                    let value = self.lookup(name).filter(|v| !v.is_blank()).and_then(FieldValue::words);
                    match value {
                        Some(words) => out.push_str(&words),
                        None => match self.named(name).filter(|_| self.lookup(name).is_none()) {
                            Some(number) => {
                                out.push_str(Value::from(number).to_string().trim_end_matches(".0"))
                            }
                            None => out.push_str(fallback),
                        },
                    }
                }
            }
        }
        Ok(out)
    }
}

/// JSON values are the same, with `3` and `3.0` alike.
fn same(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a == b)
}

/// A piece of a text's content.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece<'a> {
    /// Words as they stand.
    Words(String),
    /// A field's words, or the fallback where there are none.
    Field {
        /// The field.
        name: &'a str,
        /// What stands in for it.
        fallback: &'a str,
    },
}

/// Splits content at its braces. `{{` and `}}` are braces themselves.
pub(crate) fn pieces(content: &str) -> Result<Vec<Piece<'_>>, Violation> {
    let unbalanced = || {
        Violation::new(
            Code::TemplateInvalid,
            "a text's content has an unbalanced brace; write {{ and }} for braces",
        )
    };
    let mut out = Vec::new();
    let mut words = String::new();
    let mut rest = content;
    while let Some(at) = rest.find(['{', '}']) {
        words.push_str(&rest[..at]);
        let tail = &rest[at..];
        if let Some(after) = tail.strip_prefix("{{") {
            words.push('{');
            rest = after;
        } else if let Some(after) = tail.strip_prefix("}}") {
            words.push('}');
            rest = after;
        } else if let Some(after) = tail.strip_prefix('{') {
            let (inside, after) = after.split_once('}').ok_or_else(unbalanced)?;
            let (name, fallback) = inside.split_once('|').unwrap_or((inside, ""));
            if !words.is_empty() {
                out.push(Piece::Words(std::mem::take(&mut words)));
            }
            out.push(Piece::Field { name: name.trim(), fallback });
            rest = after;
        } else {
            return Err(unbalanced());
        }
    }
    words.push_str(rest);
    if !words.is_empty() {
        out.push(Piece::Words(words));
    }
    Ok(out)
}

/// Types that a field's own value can stand for.
pub(crate) trait FromField: Sized {
    /// The value, where the field has one of this kind.
    fn from_field(value: &FieldValue) -> Option<Self>;
}

impl FromField for String {
    fn from_field(value: &FieldValue) -> Option<Self> {
        value.words()
    }
}

impl FromField for f64 {
    fn from_field(value: &FieldValue) -> Option<Self> {
        value.number()
    }
}

impl FromField for u64 {
    fn from_field(value: &FieldValue) -> Option<Self> {
        value.number().filter(|n| *n >= 0.0).map(|n| n as u64)
    }
}

impl FromField for bool {
    fn from_field(value: &FieldValue) -> Option<Self> {
        if let FieldValue::Toggle(on) = value { Some(*on) } else { None }
    }
}

impl FromField for Measure {
    fn from_field(value: &FieldValue) -> Option<Self> {
        if let FieldValue::Choice { value: Value::String(text), .. } = value {
            return Some(Measure::Expression(text.clone()));
        }
        value.number().map(Measure::Number)
    }
}

impl FromField for ColorSpec {
    fn from_field(value: &FieldValue) -> Option<Self> {
        if let FieldValue::Color { color, .. } = value {
            return Some(color.clone());
        }
        if let FieldValue::Choice { value, .. } = value {
            serde_json::from_value(value.clone()).ok()
        } else {
            None
        }
    }
}

impl FromField for FontSpec {
    fn from_field(value: &FieldValue) -> Option<Self> {
        if let FieldValue::Font { font, .. } = value { Some(font.clone()) } else { None }
    }
}

impl FromField for Flip {
    fn from_field(value: &FieldValue) -> Option<Self> {
        if let FieldValue::Toggle(on) = value {
            return Some(if *on { Flip::Horizontal } else { Flip::None });
        }
        if let FieldValue::Choice { value, .. } = value {
            serde_json::from_value(value.clone()).ok()
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_filled_with_fallbacks() {
        let fields = IndexMap::from([
            ("recipient.first_name".to_owned(), FieldValue::Text("Zoë".into())),
            ("city".to_owned(), FieldValue::Text("  ".into())),
        ]);
        let env = Env::new(&fields, &IndexMap::from([("count".to_owned(), 3.0)]));
        let fill = |text: &str| env.fill(text).expect("balanced");
        assert_eq!(fill("For {recipient.first_name|Friend} of {city|Nowhere}"), "For Zoë of Nowhere");
        assert_eq!(fill("{none}{{{count}}}"), "{3}");
        assert!(env.fill("{open").is_err());
        assert!(env.fill("close}").is_err());
    }

    #[test]
    fn conditions_combine() {
        let fields = IndexMap::from([("pets".to_owned(), FieldValue::Number(2.0))]);
        let env = Env::new(&fields, &IndexMap::new());
        let test = |json: &str| env.holds(&serde_json::from_str(json).expect("a condition"));
        assert!(test(r#"{"field": "pets", "at_least": 1, "at_most": 2}"#));
        assert!(test(r#"{"field": "pets", "is": 2}"#));
        assert!(!test(r#"{"field": "pets", "given": false}"#));
        assert!(test(r#"{"not": {"field": "cats", "given": true}}"#));
        assert!(test(r#"{"any": [{"field": "cats", "given": true}, {"field": "pets", "is": 2}]}"#));
        assert!(!test(r#"{"all": [{"field": "cats", "given": true}, {"field": "pets", "is": 2}]}"#));
    }
}
