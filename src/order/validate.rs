//! From a draft to a [`ValidOrder`], with every violation at once.
//!
//! The customer's and the business's values are merged here and nowhere else.

use super::draft::Draft;
use super::field::{absent, read};
use super::value::FieldValue;
use super::wire::Order;
use crate::catalog::plates::ContourFrom;
use crate::catalog::{By, Field, Output, Profile, Template, expr};
use crate::error::{Code, Violation, Violations};
use crate::schema::{Checker, Codes, escape};
use indexmap::IndexMap;
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// Most characters of `metadata`.
const MAX_METADATA: usize = 2000;

static CHECKER: LazyLock<Result<Checker, Violation>> = LazyLock::new(|| {
    Checker::of::<Order>(Codes {
        unknown: Code::OrderUnknownField,
        missing: Code::OptionMissing,
        invalid: Code::OptionInvalid,
    })
});

/// An order whose every value is in bounds.
#[derive(Debug, Clone)]
pub struct ValidOrder {
    order: Order,
    template: Arc<Template>,
    profile: Arc<Profile>,
    fields: IndexMap<String, FieldValue>,
    measures: IndexMap<String, f64>,
    outputs: Vec<Output>,
}

impl Draft {
    /// Everything wrong with the order itself, whatever its template: for orders whose template
    /// or profile cannot be had.
    pub fn check_form(&self) -> Violations {
        let mut out = match CHECKER.as_ref() {
            Ok(checker) => checker.check(self.value()),
            Err(violation) => violation.clone().into(),
        };
        if let Some(metadata) = self.value().get("metadata")
            && metadata.to_string().chars().count() > MAX_METADATA
        {
            out.push(
                Violation::new(
                    Code::OptionInvalid,
                    format!("metadata has at most {MAX_METADATA} characters of JSON"),
                )
                .at("/metadata")
                .limit(MAX_METADATA),
            );
        }
        out
    }

    /// Checks every value against the template and the profile.
    pub fn validate(&self, template: Arc<Template>, profile: Arc<Profile>) -> Result<ValidOrder, Violations> {
        let mut out = self.check_form();
        let profile_name = self.profile().unwrap_or_default();
        if !template.profiles.iter().any(|p| p == profile_name) {
            out.push(
                Violation::new(Code::OptionInvalid, "the template may not be printed with this profile")
                    .at("/profile")
                    .allowed(&template.profiles),
            );
        }
        die_lines(&template, &profile, &mut out);
        let mut fields = self.merge(&template, &mut out);
        let measures = self.variants(&template, &mut fields, &mut out);
        let outputs = self.outputs(&profile, &mut out);
        self.waivers(&profile, &mut out);
        if !out.is_empty() {
            return Err(out);
        }
        let order: Order = serde_json::from_value(self.value().clone()).map_err(|_| {
            Violation::new(Code::OrderMalformed, "the order does not read as presswork.order/1")
        })?;
        let measures = evaluate_measures(&template, measures, &fields)?;
        Ok(ValidOrder { order, template, profile, fields, measures, outputs })
    }

    /// The two sides become one: who may say what is enforced, defaults are filled in.
    fn merge(&self, template: &Template, out: &mut Violations) -> IndexMap<String, FieldValue> {
        let side = |name: &str| self.value().get(name).and_then(Value::as_object);
        let (customer, business) = (side("customization"), side("personalization"));
        for (side_name, values) in [("customization", customer), ("personalization", business)] {
            for name in values.into_iter().flat_map(|values| values.keys()) {
                if !template.fields.contains_key(name) {
                    out.push(
                        Violation::new(Code::OrderUnknownField, "the template has no such field")
                            .at(format!("/{side_name}/{}", escape(name)))
                            .allowed(template.fields.keys()),
                    );
                }
            }
        }
        let mut merged = IndexMap::new();
        for (name, field) in &template.fields {
            let said = |values: Option<&'_ serde_json::Map<String, Value>>| {
                values.and_then(|values| values.get(name)).filter(|value| !value.is_null()).cloned()
            };
            merged.extend(
                merge_field(name, field, said(customer), said(business), out).map(|v| (name.clone(), v)),
            );
        }
        merged
    }

    fn variants(
        &self,
        template: &Template,
        fields: &mut IndexMap<String, FieldValue>,
        out: &mut Violations,
    ) -> IndexMap<String, f64> {
        let chosen = self.value().get("variant").and_then(Value::as_object);
        for name in chosen.into_iter().flat_map(|chosen| chosen.keys()) {
            if !template.variants.contains_key(name) {
                out.push(
                    Violation::new(Code::OptionInvalid, "the template has no such variant")
                        .at(format!("/variant/{}", escape(name)))
                        .allowed(template.variants.keys()),
                );
            }
        }
        let mut measures = IndexMap::new();
        for (name, axis) in &template.variants {
            let place = format!("/variant/{}", escape(name));
            let id = match chosen.and_then(|chosen| chosen.get(name)) {
                Some(value) => value.as_str(),
                None => axis.default.as_deref(),
            };
            let Some(option) = id.and_then(|id| axis.options.get(id)) else {
                let (code, detail) = match chosen.and_then(|chosen| chosen.get(name)) {
                    Some(_) => (Code::OptionInvalid, "this is not one of the variant's options"),
                    None => (Code::OptionMissing, "the order has to select one of this variant's options"),
                };
                out.push(Violation::new(code, detail).at(place).allowed(axis.options.keys()));
                continue;
            };
            measures.extend(option.measures.iter().map(|(k, v)| (k.clone(), *v)));
            let id = id.unwrap_or_default().to_owned();
            let value = match &option.color {
                Some(color) => FieldValue::Color { id: Some(id), color: color.clone() },
                None => FieldValue::Choice { value: Value::from(id.as_str()), id },
            };
            fields.insert(format!("variant.{name}"), value);
        }
        measures
    }

    fn outputs(&self, profile: &Profile, out: &mut Violations) -> Vec<Output> {
        let Some(wanted) = self.value().get("outputs").and_then(Value::as_array).filter(|w| !w.is_empty())
        else {
            return profile.outputs.clone();
        };
        for (i, name) in wanted.iter().enumerate() {
            let known = Output::ALL.iter().any(|output| name == output.as_str());
            if known && !profile.outputs.iter().any(|output| name == output.as_str()) {
                out.push(
                    Violation::new(Code::OptionInvalid, "the profile does not make this output")
                        .at(format!("/outputs/{i}"))
                        .allowed(profile.outputs.iter().map(|o| o.as_str())),
                );
            }
        }
        profile
            .outputs
            .iter()
            .copied()
            .filter(|output| wanted.iter().any(|name| name == output.as_str()))
            .collect()
    }

    fn waivers(&self, profile: &Profile, out: &mut Violations) {
        for (i, code) in
            self.value().get("accept").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            let code = code.as_str().unwrap_or_default();
            if !profile.policy.waivable.iter().any(|waivable| waivable == code) {
                out.push(
                    Violation::new(
                        Code::OptionInvalid,
                        "the profile does not let an order waive this finding",
                    )
                    .at(format!("/accept/{i}"))
                    .allowed(&profile.policy.waivable),
                );
            }
        }
    }
}

/// Layers that the profile's contours follow are the template's.
fn die_lines(template: &Template, profile: &Profile, out: &mut Violations) {
    for (i, contour) in profile.contour.iter().enumerate() {
        if let ContourFrom::Layer(id) = &contour.from
            && !template.has_layer(id)
        {
            let detail = format!(
                "the profile's contour {} follows the layer {id:?}, and the template has no such layer",
                i + 1
            );
            out.push(Violation::new(Code::TemplateInvalid, detail).at("/profile"));
        }
    }
}

fn merge_field(
    name: &str,
    field: &Field,
    customer: Option<Value>,
    business: Option<Value>,
    out: &mut Violations,
) -> Option<FieldValue> {
    let customer_place = format!("/customization/{}", escape(name));
    let business_place = format!("/personalization/{}", escape(name));
    let by = field.by.unwrap_or(By::Business);
    let forbidden = match by {
        By::Customer => business.is_some().then_some((&business_place, "the customer controls this field")),
        By::Business => customer.is_some().then_some((&customer_place, "the business controls this field")),
        By::Either => None,
    };
    if let Some((place, detail)) = forbidden {
        out.push(Violation::new(Code::OptionNotEditable, detail).at(place.as_str()));
    }
    // Both sides of an `either` field are checked, so that a wrong default does not lie in wait.
    let from_business = match (by, business) {
        (By::Business | By::Either, Some(value)) => Some(read(field, &value, &business_place, out)),
        _ => None,
    };
    let from_customer = match (by, customer) {
        (By::Customer | By::Either, Some(value)) => Some(read(field, &value, &customer_place, out)),
        _ => None,
    };
    match from_customer.or(from_business) {
        Some(value) => value,
        None if forbidden.is_some() => None,
        None => absent(field, if by == By::Business { &business_place } else { &customer_place }, out),
    }
}

fn evaluate_measures(
    template: &Template,
    set: IndexMap<String, f64>,
    fields: &IndexMap<String, FieldValue>,
) -> Result<IndexMap<String, f64>, Violations> {
    let mut known = set.clone();
    for (name, measure) in &template.measures {
        if set.contains_key(name) {
            continue;
        }
        let value = match measure {
            crate::catalog::Measure::Number(number) => *number,
            crate::catalog::Measure::Expression(text) => expr::evaluate(text, &|name| {
                known.get(name).copied().or_else(|| fields.get(name).and_then(FieldValue::number))
            })
            .map_err(|e| {
                Violation::new(Code::TemplateInvalid, format!("the measure {name:?}: {e}"))
                    .at(format!("/measures/{}", escape(name)))
            })?,
        };
        known.insert(name.clone(), value);
    }
    Ok(known)
}

impl ValidOrder {
    /// The order as it travelled.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// Its template.
    pub fn template(&self) -> &Arc<Template> {
        &self.template
    }

    /// Its render profile.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// Every field that has a value; variants stand as `variant.NAME`.
    pub fn fields(&self) -> &IndexMap<String, FieldValue> {
        &self.fields
    }

    /// Every named number of the template, with the variants' own.
    pub fn measures(&self) -> &IndexMap<String, f64> {
        &self.measures
    }

    /// What the job delivers, in the profile's order.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}
