//! JSON Schema from our own types, and every violation of it at once.
//!
//! The schema that `presswork schema` prints is the one that orders, templates and profiles are
//! checked against, so the two cannot drift apart.

use crate::error::{Code, Violation, Violations};
use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use schemars::JsonSchema;
use serde_json::Value;

/// Which codes a format's violations carry.
#[derive(Debug, Clone, Copy)]
pub struct Codes {
    /// A key that the format does not have.
    pub unknown: Code,
    /// A key that is required and absent.
    pub missing: Code,
    /// Everything else.
    pub invalid: Code,
}

/// A format's schema, ready to check documents.
#[derive(Debug)]
pub struct Checker {
    validator: Validator,
    codes: Codes,
}

/// The JSON Schema (draft 2020-12) of a format.
pub fn schema_of<T: JsonSchema>() -> Value {
    schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

impl Checker {
    /// A checker of `T`'s format.
    pub fn of<T: JsonSchema>(codes: Codes) -> Result<Checker, Violation> {
        let validator = jsonschema::validator_for(&schema_of::<T>()).map_err(|e| {
            Violation::new(Code::InternalError, format!("a schema of this program is broken: {e}"))
        })?;
        Ok(Checker { validator, codes })
    }

    /// Everything that is wrong with a document, in the document's order.
    pub fn check(&self, document: &Value) -> Violations {
        let mut violations = Violations::default();
        for error in self.validator.iter_errors(document) {
            self.explain(&error, &mut violations);
        }
        violations
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the crate's rules are many, and may grow")]
    fn explain(&self, error: &ValidationError<'_>, out: &mut Violations) {
        let place = error.instance_path().as_str().to_owned();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    out.push(
                        Violation::new(
                            self.codes.unknown,
                            "there is no such key here; see `presswork schema`",
                        )
                        .at(format!("{place}/{}", escape(name))),
                    );
                }
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                out.push(
                    Violation::new(self.codes.missing, "this key is required")
                        .at(format!("{place}/{}", escape(name))),
                );
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context }
            | ValidationErrorKind::OneOfMultipleValid { context } => {
                // The alternative that came nearest speaks: the one whose errors lie deepest.
                match context.iter().max_by_key(|errors| nearness(errors, &place)) {
                    Some(errors) if nearness(errors, &place).0 > 0 => {
                        for inner in errors {
                            self.explain(inner, out);
                        }
                    }
                    _ => out.push(
                        Violation::new(
                            self.codes.invalid,
                            "this value has none of the accepted forms; see `presswork schema`",
                        )
                        .at(place),
                    ),
                }
            }
            kind => {
                let mut violation = Violation::new(self.codes.invalid, sentence(kind)).at(place);
                match kind {
                    ValidationErrorKind::Enum { options } => {
                        if let Some(options) = options.as_array() {
                            violation = violation.allowed(
                                options
                                    .iter()
                                    .map(|o| o.as_str().map_or_else(|| o.to_string(), str::to_owned)),
                            );
                        }
                    }
                    ValidationErrorKind::Maximum { limit } | ValidationErrorKind::Minimum { limit } => {
                        violation = violation.limit(limit.clone());
                    }
                    ValidationErrorKind::MaxItems { limit }
                    | ValidationErrorKind::MinItems { limit }
                    | ValidationErrorKind::MaxLength { limit }
                    | ValidationErrorKind::MinLength { limit } => violation = violation.limit(*limit),
                    ValidationErrorKind::Pattern { pattern } => violation = violation.limit(pattern.clone()),
                    _ => {}
                }
                out.push(violation);
            }
        }
    }
}

/// How far into the value an alternative got before it failed, and with how few errors.
fn nearness(errors: &[ValidationError<'static>], place: &str) -> (usize, std::cmp::Reverse<usize>) {
    let depth = |e: &ValidationError<'static>| {
        let extra = e.instance_path().as_str().len().saturating_sub(place.len());
        let own_key = !matches!(
            e.kind(),
            ValidationErrorKind::Type { .. }
                | ValidationErrorKind::Required { .. }
                | ValidationErrorKind::AdditionalProperties { .. }
        );
        extra + usize::from(own_key)
    };
    (errors.iter().map(depth).min().unwrap_or(0), std::cmp::Reverse(errors.len()))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the crate's rules are many, and may grow")]
/// Says what a value has to be, without saying what it was.
fn sentence(kind: &ValidationErrorKind) -> String {
    match kind {
        ValidationErrorKind::Type { kind: TypeKind::Single(expected) } => {
            format!("this has to be of type {expected}")
        }
        ValidationErrorKind::Type { kind: TypeKind::Multiple(expected) } => {
            let names: Vec<String> = expected.iter().map(|t| t.to_string()).collect();
            format!("this has to be one of the types {}", names.join(", "))
        }
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
            "this is not one of the accepted values".into()
        }
        ValidationErrorKind::Maximum { limit } => format!("this is above the limit of {limit}"),
        ValidationErrorKind::Minimum { limit } => format!("this is below the limit of {limit}"),
        ValidationErrorKind::MaxItems { limit } => format!("there may be at most {limit} of these"),
        ValidationErrorKind::MinItems { limit } => format!("there must be at least {limit} of these"),
        ValidationErrorKind::MaxLength { limit } => format!("this may have at most {limit} characters"),
        ValidationErrorKind::MinLength { limit } => format!("this must have at least {limit} characters"),
        ValidationErrorKind::Pattern { pattern } => format!("this does not match the pattern {pattern}"),
        other => format!("this breaks the rule `{}` of the schema", other.keyword()),
    }
}

/// A key as one step of an RFC 6901 pointer.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
