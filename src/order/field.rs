//! One field's value: from JSON to a [`FieldValue`], with every violation of its constraints.

use super::value::{FieldValue, Item};
use super::wire::{CropValue, ImageValue, PlacementValue};
use crate::catalog::{Choice, ColorSpec, Field, FieldType};
use crate::error::{Code, Violation, Violations};
use crate::scene::Color;
use crate::schema::escape;
use crate::text::FontSpec;
use indexmap::IndexMap;
use serde_json::Value;

/// Text longer than this is refused before anything else looks at it.
const HARD_TEXT_LIMIT: usize = 10_000;

/// Reads `value` as `field` declares it. `pointer` is where it stands in the order.
pub fn read(field: &Field, value: &Value, pointer: &str, out: &mut Violations) -> Option<FieldValue> {
    let wrong = |out: &mut Violations, detail: &str| {
        out.push(Violation::new(Code::OptionInvalid, detail).at(pointer));
        None
    };
    match field.kind {
        FieldType::Text => match value.as_str() {
            Some(text) => read_text(field, text, pointer, out),
            None => wrong(out, "this has to be a string"),
        },
        FieldType::Choice => {
            let (id, choice) = option_of(field, value, pointer, out)?;
            let value = choice.value.clone().unwrap_or_else(|| Value::from(id));
            Some(FieldValue::Choice { id: id.to_owned(), value })
        }
        FieldType::Color => read_color(field, value, pointer, out),
        FieldType::Font => {
            let (id, choice) = option_of(field, value, pointer, out)?;
            let font = choice.font.clone().unwrap_or_else(|| FontSpec::family(id));
            Some(FieldValue::Font { id: id.to_owned(), font })
        }
        FieldType::Image => read_image(value, pointer, out),
        FieldType::Toggle => match value.as_bool() {
            Some(on) => Some(FieldValue::Toggle(on)),
            None => wrong(out, "this has to be true or false"),
        },
        FieldType::Number => match value.as_f64() {
            Some(number) => read_number(field, number, pointer, out),
            None => wrong(out, "this has to be a number"),
        },
        FieldType::Date => match value.as_str() {
            Some(text) => super::date::read(field, text, pointer, out),
            None => wrong(out, "this has to be a day, written YYYY-MM-DD"),
        },
        FieldType::List => match value.as_array() {
            Some(items) => read_list(field, items, pointer, out),
            None => wrong(out, "this has to be a list"),
        },
        FieldType::Placement => read_placement(field, value, pointer, out),
    }
}

fn option_of<'f, 'v>(
    field: &'f Field,
    value: &'v Value,
    pointer: &str,
    out: &mut Violations,
) -> Option<(&'v str, &'f Choice)> {
    let found = value.as_str().and_then(|id| Some((id, field.options.get(id)?)));
    if found.is_none() {
        out.push(
            Violation::new(Code::OptionInvalid, "this is not one of the field's options: give the id of one")
                .at(pointer)
                .allowed(field.options.keys()),
        );
    }
    found
}

fn read_text(field: &Field, text: &str, pointer: &str, out: &mut Violations) -> Option<FieldValue> {
    if text.len() > HARD_TEXT_LIMIT {
        out.push(
            Violation::new(
                Code::TextTooLong,
                format!("this text is over the limit of {HARD_TEXT_LIMIT} bytes: shorten it"),
            )
            .at(pointer)
            .limit(HARD_TEXT_LIMIT),
        );
        return None;
    }
    let before = out.0.len();
    let mut refuse = |detail: String, limit: Value| {
        out.push(Violation::new(Code::OptionInvalid, detail).at(pointer).limit(limit));
    };
    let chars = text.chars().count();
    let most = field.max_chars.unwrap_or(1000) as usize;
    if chars > most {
        refuse(format!("this text has {chars} characters, at most {most} are allowed"), most.into());
    }
    if let Some(least) = field.min_chars.filter(|least| chars < *least as usize) {
        refuse(format!("this text has {chars} characters, at least {least} are needed"), least.into());
    }
    let lines = text.split('\n').count();
    let most = field.max_lines.unwrap_or(1) as usize;
    if lines > most {
        refuse(format!("this text has {lines} lines, at most {most} are allowed"), most.into());
    }
    if let Some(pattern) = &field.pattern {
        let matches = regex::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(text));
        if !matches {
            refuse(format!("this text does not match the pattern {pattern}"), pattern.as_str().into());
        }
    }
    (out.0.len() == before).then(|| FieldValue::Text(text.to_owned()))
}

fn read_color(field: &Field, value: &Value, pointer: &str, out: &mut Violations) -> Option<FieldValue> {
    if field.free
        && let Some(hex) = value.as_str().filter(|text| Color::parse_hex(text).is_some())
    {
        return Some(FieldValue::Color { id: None, color: ColorSpec::Hex(hex.to_owned()) });
    }
    let (id, choice) = option_of(field, value, pointer, out)?;
    let color = choice.color.clone().unwrap_or_else(|| ColorSpec::Hex(id.to_owned()));
    Some(FieldValue::Color { id: Some(id.to_owned()), color })
}

fn read_number(field: &Field, number: f64, pointer: &str, out: &mut Violations) -> Option<FieldValue> {
    let mut refuse = |detail: String, limit: f64| {
        out.push(Violation::new(Code::OptionInvalid, detail).at(pointer).limit(limit));
        None
    };
    if let Some(min) = field.min.filter(|min| number < *min) {
        return refuse(format!("this number has to be at least {min}"), min);
    }
    if let Some(max) = field.max.filter(|max| number > *max) {
        return refuse(format!("this number has to be at most {max}"), max);
    }
    if let Some(step) = field.step {
        let steps = (number - field.min.unwrap_or(0.0)) / step;
        if (steps - libm::round(steps)).abs() > 1e-9 {
            return refuse(format!("this number has to go in steps of {step}"), step);
        }
    }
    Some(FieldValue::Number(number))
}

fn read_list(field: &Field, items: &[Value], pointer: &str, out: &mut Violations) -> Option<FieldValue> {
    let before = out.0.len();
    let mut refuse = |detail: String, limit: u32| {
        out.push(Violation::new(Code::OptionInvalid, detail).at(pointer).limit(limit));
    };
    let most = field.max_items.unwrap_or(100);
    if items.len() > most as usize {
        refuse(format!("this list has {} items, at most {most} are allowed", items.len()), most);
        return None;
    }
    if let Some(least) = field.min_items.filter(|least| items.len() < *least as usize) {
        refuse(format!("this list has {} items, at least {least} are needed", items.len()), least);
    }
    let mut list = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = format!("{pointer}/{index}");
        if let Some(single) = &field.item {
            list.extend(read(single, item, &place, out).map(Item::Single));
        } else if let Some(object) = item.as_object() {
            let mut values = IndexMap::new();
            for (name, value) in object {
                let place = format!("{place}/{}", escape(name));
                match field.fields.get(name) {
                    Some(inner) if !value.is_null() => {
                        values.extend(read(inner, value, &place, out).map(|value| (name.clone(), value)));
                    }
                    Some(_) => {}
                    None => out.push(
                        Violation::new(Code::OrderUnknownField, "the items of this list have no such field")
                            .at(place)
                            .allowed(field.fields.keys()),
                    ),
                }
            }
            for (name, inner) in &field.fields {
                if object.get(name).is_none_or(Value::is_null) {
                    values.extend(
                        absent(inner, &format!("{place}/{}", escape(name)), out).map(|v| (name.clone(), v)),
                    );
                }
            }
            list.push(Item::Object(values));
        } else {
            out.push(
                Violation::new(Code::OptionInvalid, "each item of this list has to be an object").at(place),
            );
        }
    }
    (out.0.len() == before).then_some(FieldValue::List(list))
}

/// What stands for a field that an order leaves out: its default, nothing, or a violation.
pub fn absent(field: &Field, pointer: &str, out: &mut Violations) -> Option<FieldValue> {
    match &field.default {
        Some(default) => read(field, default, pointer, out),
        None => {
            if field.required {
                out.push(Violation::new(Code::OptionMissing, "this field is required").at(pointer));
            }
            None
        }
    }
}

fn read_image(value: &Value, pointer: &str, out: &mut Violations) -> Option<FieldValue> {
    let before = out.0.len();
    let mut refuse = |code: Code, place: &str, detail: &str| {
        out.push(Violation::new(code, detail).at(format!("{pointer}{place}")));
    };
    let image = match value {
        Value::String(asset) => ImageValue {
            asset: asset.clone(),
            sha256: None,
            crop: None,
            focal: None,
            turn: None,
            matte: None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            match serde_json::from_value::<ImageValue>(value.clone()) {
                Ok(image) => image,
                Err(_) => {
                    refuse(
                        Code::OptionInvalid,
                        "",
                        "a picture is a string, or an object with asset and perhaps sha256, crop {x, y, w, h}, focal {x, y}, turn, matte {asset, sha256}",
                    );
                    return None;
                }
            }
        }
    };
    let assets = [
        ("", Some((&image.asset, &image.sha256))),
        ("/matte", image.matte.as_ref().map(|m| (&m.asset, &m.sha256))),
    ];
    for (place, (asset, sha256)) in assets.into_iter().filter_map(|(place, asset)| Some((place, asset?))) {
        // Whether an address may be asked is a matter of the farm's settings.
        let plain = asset.len() <= 4096 && asset.bytes().all(|b| b.is_ascii_graphic());
        match asset.split_once("://") {
            Some(("https" | "s3", _)) if plain => {}
            Some(_) => refuse(
                Code::AssetSourceForbidden,
                place,
                "an asset is a key, or an https:// or s3:// address in plain ASCII of at most 4096 bytes",
            ),
            None if is_safe_key(asset) => {}
            None => refuse(
                Code::AssetRefForbidden,
                place,
                "an asset is a relative key without `..`, without empty parts and without control characters",
            ),
        }
        if sha256
            .as_ref()
            .is_some_and(|hash| hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            refuse(Code::OptionInvalid, &format!("{place}/sha256"), "a SHA-256 has 64 hexadecimal digits");
        }
    }
    if let Some(CropValue { x, y, w, h }) = image.crop {
        let inside = |start: f64, size: f64| start >= 0.0 && size > 0.0 && start + size <= 1.0 + 1e-9;
        if !(inside(x, w) && inside(y, h)) {
            refuse(
                Code::OptionInvalid,
                "/crop",
                "a crop lies inside the picture: x, y at least 0, w, h above 0, x + w and y + h at most 1",
            );
        }
    }
    if image.focal.is_some_and(|f| !(0.0..=1.0).contains(&f.x) || !(0.0..=1.0).contains(&f.y)) {
        refuse(Code::OptionInvalid, "/focal", "a focal point has x and y from 0 to 1");
    }
    if image.turn.is_some_and(|turn| ![0, 90, 180, 270].contains(&turn)) {
        refuse(Code::OptionInvalid, "/turn", "a picture is turned by 0, 90, 180 or 270 degrees");
    }
    (out.0.len() == before).then(|| FieldValue::Image { image, pointer: pointer.to_owned() })
}

/// A key that cannot leave its root on any store: relative, no dot segments, no backslash, no control characters.
pub fn is_safe_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 1024
        && !key.chars().any(|c| c.is_control() || c == '\\' || c == ':')
        && key.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn read_placement(field: &Field, value: &Value, pointer: &str, out: &mut Violations) -> Option<FieldValue> {
    let Ok(placement) = serde_json::from_value::<PlacementValue>(value.clone()) else {
        out.push(
            Violation::new(
                Code::OptionInvalid,
                "a placement is an object of the numbers dx, dy (mm), turn (degrees), scale",
            )
            .at(pointer),
        );
        return None;
    };
    let [x, y] = field.shift.unwrap_or([0.0; 2]);
    let turn = field.turn.unwrap_or(0.0);
    let [small, large] = field.scale.unwrap_or([1.0; 2]);
    let before = out.0.len();
    let mut within = |name: &str, value: f64, low: f64, high: f64| {
        if !(low..=high).contains(&value) {
            out.push(
                Violation::new(Code::OptionInvalid, format!("{name} has to lie between {low} and {high}"))
                    .at(format!("{pointer}/{name}"))
                    .limit(if value < low { low } else { high }),
            );
        }
    };
    within("dx", placement.dx, -x, x);
    within("dy", placement.dy, -y, y);
    within("turn", placement.turn, -turn, turn);
    within("scale", placement.scale, small, large);
    (out.0.len() == before).then_some(FieldValue::Placement(placement))
}
