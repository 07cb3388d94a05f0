//! What a schema cannot say about a template: names that exist, one kind a layer, defaults that
//! their own field accepts. All of it at once.

use super::expr;
use super::field::{Field, FieldType};
use super::layer::Layer;
use super::load::Template;
use super::preflight::PreflightSettings;
use super::print::{Laid, RgbObjects, Space, SpotInk, Standard, Step};
use super::profile::{Output, Profile};
use super::value::ColorSpec;
use crate::compose::env::{Piece, pieces};
use crate::error::{Code, Violation, Violations};
use crate::order::field as reader;
use crate::preflight::Rule;
use crate::schema::escape;
use serde_json::Value;
use std::collections::BTreeSet;

/// Keys whose strings are expressions.
const MEASURES: [&str; 18] = [
    "x", "y", "width", "height", "rotate", "size", "min_size", "radius", "gap", "columns", "aspect",
    "step_x", "step_y", "turn", "gutter", "bleed", "safe", "index",
];

/// Everything wrong with a template that its schema lets pass.
pub(super) fn lint(template: &Template) -> Result<(), Violations> {
    let mut out = Violations::default();
    for (name, field) in &template.fields {
        let place = format!("/fields/{}", escape(name));
        if field.by.is_none() {
            invalid(&mut out, &place, "a field says who controls it: by customer, business or either");
        }
        lint_field(field, &place, &mut out);
    }
    let mut names = Names { fields: template, items: Vec::new(), numbers: BTreeSet::new() };
    for (name, axis) in &template.variants {
        let place = format!("/variants/{}", escape(name));
        if axis.options.is_empty() {
            invalid(&mut out, &place, "an axis has at least one option");
        }
        if axis.default.as_ref().is_some_and(|default| !axis.options.contains_key(default)) {
            invalid(&mut out, &format!("{place}/default"), "the default is not one of the options");
        }
        for option in axis.options.values() {
            names.numbers.extend(option.measures.keys().cloned());
        }
    }
    for (name, measure) in &template.measures {
        let value = serde_json::to_value(measure).unwrap_or_default();
        names.expression(&value, &format!("/measures/{}", escape(name)), &mut out);
        names.numbers.insert(name.clone());
    }
    if template.surfaces.is_empty() {
        invalid(&mut out, "/surfaces", "a template has at least one surface, its own or its product's");
    }
    let mut surface_names = BTreeSet::new();
    for (index, surface) in template.surfaces.iter().enumerate() {
        let place = format!("/surfaces/{index}");
        if !surface_names.insert(surface.name.as_str()) {
            invalid(&mut out, &format!("{place}/name"), "two surfaces have this name");
        }
        names
            .numbers
            .extend(["width", "height", "bleed", "safe", "index", "count", "page"].map(str::to_owned));
        let mut value = serde_json::to_value(surface).unwrap_or_default();
        let layers = value.as_object_mut().and_then(|surface| surface.remove("layers"));
        if let Some(repeat) = &surface.repeat {
            names.items.push(repeat.item.clone());
        }
        names.walk(&value, &place, &mut out);
        if let Some(layers) = layers {
            names.walk(&layers, &format!("{place}/layers"), &mut out);
        }
        let mut ids = BTreeSet::new();
        let panels: BTreeSet<&str> = surface.panels.keys().map(String::as_str).collect();
        for (i, layer) in surface.layers.iter().enumerate() {
            lint_layer(layer, template, &panels, &mut ids, &format!("{place}/layers/{i}"), &mut out);
        }
        names.items.clear();
    }
    out.or(())
}

/// Everything wrong with a profile that its schema lets pass.
pub(super) fn lint_profile(profile: &Profile) -> Result<(), Violations> {
    let mut out = Violations::default();
    if ![0, 90, 180, 270].contains(&profile.rotate) {
        invalid(&mut out, "/rotate", "a page is turned by 0, 90, 180 or 270 degrees");
    }
    if ![8, 16].contains(&profile.png.depth) {
        invalid(&mut out, "/png/depth", "a PNG has 8 or 16 bits a component");
    }
    if matches!(profile.png.background, Some(ColorSpec::Spot(_))) {
        invalid(&mut out, "/png/background", "a ground is a process colour");
    }
    for (name, spot) in &profile.spots {
        if matches!(spot.alternate, ColorSpec::Spot(_)) {
            invalid(&mut out, &format!("/spots/{}", escape(name)), "an alternate is a process colour");
        }
    }
    lint_print(profile, &mut out);
    lint_plates(profile, &mut out);
    lint_preflight(&profile.preflight, &mut out);
    out.or(())
}

/// What a print shop would refuse.
fn lint_print(profile: &Profile, out: &mut Violations) {
    let color = &profile.color;
    let cmyk = color.space == Space::Cmyk;
    if cmyk != color.condition.is_some() {
        invalid(out, "/color/condition", "a printing condition is named for `cmyk`, and only for it");
    }
    if profile.outputs.contains(&Output::Tiff) && !cmyk {
        invalid(out, "/outputs", "a TIFF holds process inks: set the colour space to `cmyk`");
    }
    let standard = profile.pdf.standard;
    if standard != Standard::Plain && !cmyk {
        invalid(out, "/pdf/standard", "PDF/X names a printing condition: set the colour space to `cmyk`");
    }
    if standard == Standard::X1a && color.rgb == RgbObjects::Tagged {
        invalid(out, "/color/rgb", "PDF/X-1a holds process and spot inks only: set `rgb` to `convert`");
    }
    if let (Some(limit), Some(inks)) = (color.ink_limit, color.rich_black)
        && inks.iter().sum::<f32>() * 100.0 > limit
    {
        invalid(out, "/color/rich_black", "the rich black has more ink than the profile's `ink_limit`");
    }
    let last = profile.spots.values().filter_map(SpotInk::turn).max();
    for (name, spot) in &profile.spots {
        let place = format!("/spots/{}", escape(name));
        let process = ["All", "None", "Cyan", "Magenta", "Yellow", "Black"];
        if process.contains(&spot.plate.as_str()) {
            invalid(out, &place, "a spot ink's plate is not called as a process plate, `All` or `None`");
        }
        if profile.spots.values().filter(|other| other.plate == spot.plate).any(|other| other != spot) {
            invalid(out, &place, "two inks of one plate differ: a plate is the same everywhere");
        }
        if standard.is_flat() && spot.laid == Laid::Multiply {
            invalid(out, &format!("{place}/laid"), "this standard has no blend modes: lay it by overprint");
        }
        if spot.step == Some(Step::White) && (spot.turn() != last || spot.laid == Laid::Knockout) {
            invalid(out, &place, "white is painted last, and by overprint or multiply");
        }
    }
}

/// Plates made from the art name spots that exist.
fn lint_plates(profile: &Profile, out: &mut Violations) {
    let spot = |out: &mut Violations, name: &str, place: String, laid: bool| {
        if laid && profile.spots.get(name).is_some_and(|spot| spot.laid == Laid::Knockout) {
            invalid(out, &place, "a plate that is made from the art is laid by overprint or multiply");
        }
        if !profile.spots.contains_key(name) {
            let known = profile.spots.keys().map(String::as_str);
            out.push(
                Violation::new(Code::TemplateInvalid, "the profile has no such spot ink")
                    .at(place)
                    .allowed(known),
            );
        }
    };
    if let Some(underbase) = &profile.underbase {
        spot(out, &underbase.spot, "/underbase/spot".into(), true);
        if underbase.choke > 0.0 && underbase.spread > 0.0 {
            invalid(out, "/underbase", "an underbase has a choke or a spread, not both");
        }
    }
    for (i, contour) in profile.contour.iter().enumerate() {
        spot(out, &contour.spot, format!("/contour/{i}/spot"), true);
    }
    for (list, names) in [("cut", &profile.svg.cut), ("engrave", &profile.svg.engrave)] {
        for (i, name) in names.iter().enumerate() {
            spot(out, name, format!("/svg/{list}/{i}"), false);
        }
    }
    if profile.jpeg.min_quality > profile.jpeg.quality {
        invalid(out, "/jpeg/min_quality", "the least quality is at most the first one tried");
    }
}

fn lint_preflight(settings: &PreflightSettings, out: &mut Violations) {
    let limits = [
        ("dpi_warn", settings.dpi_warn),
        ("dpi_fail", settings.dpi_fail),
        ("dpi_most", settings.dpi_most),
        ("bleed", settings.bleed),
        ("safe_zone", settings.safe_zone),
        ("line_min", settings.line_min),
        ("type_min", settings.type_min),
    ];
    for (key, _) in limits.iter().filter(|(_, limit)| limit.is_some_and(|limit| limit < 0.0)) {
        invalid(out, &format!("/preflight/{key}"), "a limit is not negative");
    }
    for code in settings.verdicts.keys().filter(|code| Rule::from_code(code).is_none()) {
        invalid(out, &format!("/preflight/verdicts/{}", escape(code)), "there is no such finding");
    }
}

fn invalid(out: &mut Violations, place: &str, detail: &str) {
    out.push(Violation::new(Code::TemplateInvalid, detail).at(place));
}

fn lint_field(field: &Field, place: &str, out: &mut Violations) {
    match field.kind {
        FieldType::Choice | FieldType::Font if field.options.is_empty() => {
            invalid(out, place, "a choice or font field has options");
        }
        FieldType::Color if field.options.is_empty() && !field.free => {
            invalid(out, place, "a colour field has options, or is free");
        }
        FieldType::List if field.item.is_none() == field.fields.is_empty() => {
            invalid(out, place, "a list field has either item or fields");
        }
        FieldType::Text
        | FieldType::Choice
        | FieldType::Color
        | FieldType::Font
        | FieldType::Image
        | FieldType::Toggle
        | FieldType::Number
        | FieldType::Date
        | FieldType::List
        | FieldType::Placement => {}
    }
    if let Some(pattern) = &field.pattern
        && regex::Regex::new(&format!("^(?:{pattern})$")).is_err()
    {
        invalid(out, &format!("{place}/pattern"), "this is not a regular expression");
    }
    if field.step.is_some_and(|step| step <= 0.0) {
        invalid(out, &format!("{place}/step"), "a step is above 0");
    }
    for (name, inner) in &field.fields {
        lint_field(inner, &format!("{place}/fields/{}", escape(name)), out);
    }
    if let Some(item) = &field.item {
        lint_field(item, &format!("{place}/item"), out);
    }
    if let Some(default) = &field.default {
        let mut wrong = Violations::default();
        reader::read(field, default, &format!("{place}/default"), &mut wrong);
        out.0.extend(wrong.0.into_iter().map(|v| Violation { code: Code::TemplateInvalid, ..v }));
    }
}

fn lint_layer(
    layer: &Layer,
    template: &Template,
    panels: &BTreeSet<&str>,
    ids: &mut BTreeSet<String>,
    place: &str,
    out: &mut Violations,
) {
    if !ids.insert(layer.id.clone()) {
        invalid(out, &format!("{place}/id"), "two layers of the surface have this id");
    }
    if layer.kinds().len() != 1 {
        invalid(
            out,
            place,
            "a layer has exactly one of image, photo, text, art, shape, pattern, code, collage and group",
        );
    }
    if layer.panel.as_deref().is_some_and(|panel| panel != "*" && !panels.contains(panel)) {
        invalid(out, &format!("{place}/panel"), "the surface has no such panel");
    }
    if let Some(name) = &layer.placement
        && template.fields.get(name).is_none_or(|field| field.kind != FieldType::Placement)
    {
        invalid(out, &format!("{place}/placement"), "there is no placement field of this name");
    }
    if layer.art.as_ref().is_some_and(|art| art.asset.is_some() == art.field.is_some()) {
        invalid(out, &format!("{place}/art"), "art has either asset or field");
    }
    let children = [
        ("group/layers", layer.group.as_ref().map(|g| &g.layers)),
        ("pattern/cell/layers", layer.pattern.as_ref().map(|p| &p.cell.layers)),
    ];
    for (kind, layers) in children {
        for (i, child) in layers.into_iter().flatten().enumerate() {
            lint_layer(child, template, panels, ids, &format!("{place}/{kind}/{i}"), out);
        }
    }
}

/// The names that may be used at a place of the template.
struct Names<'a> {
    fields: &'a Template,
    items: Vec<String>,
    numbers: BTreeSet<String>,
}

impl Names<'_> {
    fn knows(&self, name: &str) -> bool {
        let item = |known: &String| {
            name == known || name.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'))
        };
        self.fields.fields.contains_key(name)
            || name.strip_prefix("variant.").is_some_and(|axis| self.fields.variants.contains_key(axis))
            || self.items.iter().any(item)
            || self.numbers.contains(name)
    }

    fn walk(&mut self, value: &Value, place: &str, out: &mut Violations) {
        match value {
            Value::Object(map) => {
                let alias = map.get("repeat").and_then(|r| r.get("as")).and_then(Value::as_str);
                self.items.extend(alias.map(str::to_owned));
                for (key, inner) in map {
                    let place = format!("{place}/{}", escape(key));
                    match (key.as_str(), inner) {
                        ("field" | "over", Value::String(name)) if !self.knows(name) => {
                            invalid(out, &place, "the template has no field of this name");
                        }
                        ("content", Value::String(text)) => self.content(text, &place, out),
                        (key, Value::String(_)) if MEASURES.contains(&key) => {
                            self.expression(inner, &place, out)
                        }
                        _ => self.walk(inner, &place, out),
                    }
                }
                if alias.is_some() {
                    self.items.pop();
                }
            }
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.walk(item, &format!("{place}/{i}"), out);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn content(&self, text: &str, place: &str, out: &mut Violations) {
        match pieces(text) {
            Ok(pieces) => {
                for piece in pieces {
                    if let Piece::Field { name, .. } = piece
                        && !self.knows(name)
                    {
                        invalid(out, place, "the text names a field that the template does not have");
                    }
                }
            }
            Err(error) => out.push(error.at(place)),
        }
    }

    fn expression(&self, value: &Value, place: &str, out: &mut Violations) {
        let Some(text) = value.as_str() else { return };
        match expr::evaluate(text, &|name| self.knows(name).then_some(1.5)) {
            // A made-up value may divide by zero where real ones do not.
            Ok(_) | Err(expr::ExprError::NotFinite) => {}
            Err(error) => invalid(out, place, &format!("this expression: {error}")),
        }
    }
}
