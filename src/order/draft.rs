//! From bytes to a [`Draft`]: JSON of a schema we know, that names a run.

use crate::error::{Code, Violation};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Orders above this many bytes are refused unread.
pub const MAX_ORDER_BYTES: usize = 256 * 1024;
/// JSON nested deeper than this is refused.
const MAX_DEPTH: usize = 32;

/// An order that names a run and is JSON of a schema we know; nothing else is certain.
#[derive(Debug, Clone)]
pub struct Draft {
    value: Value,
    job_id: String,
    revision: u32,
}

impl Draft {
    /// Reads an order's bytes.
    pub fn parse(bytes: &[u8]) -> Result<Draft, Violation> {
        if bytes.len() > MAX_ORDER_BYTES {
            return Err(Violation::new(
                Code::OrderTooLarge,
                format!("an order has at most {MAX_ORDER_BYTES} bytes"),
            )
            .limit(MAX_ORDER_BYTES));
        }
        if depth(bytes) > MAX_DEPTH {
            return Err(Violation::new(
                Code::OrderTooLarge,
                format!("an order is nested at most {MAX_DEPTH} deep"),
            )
            .limit(MAX_DEPTH));
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|e| {
            Violation::new(
                Code::OrderMalformed,
                format!("the body is not JSON (line {}, column {})", e.line(), e.column()),
            )
        })?;
        if !value.is_object() {
            return Err(Violation::new(Code::OrderMalformed, "an order is a JSON object"));
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        match text("schema")
            .and_then(|s| s.strip_prefix("presswork.order/"))
            .and_then(|n| n.parse::<u32>().ok())
        {
            Some(1) => {}
            Some(newer) if newer > 1 => {
                return Err(Violation::new(
                    Code::OrderSchemaNewer,
                    "this worker knows presswork.order/1; a newer one is needed",
                )
                .at("/schema"));
            }
            _ => {
                return Err(Violation::new(Code::OrderSchemaUnsupported, "there is no such schema")
                    .at("/schema")
                    .allowed(["presswork.order/1"]));
            }
        }
        let unidentified = |detail: &str, at: &str| Violation::new(Code::OrderUnidentified, detail).at(at);
        let job_id = text("job_id").filter(|id| is_job_id(id)).ok_or_else(|| {
            let detail = "job_id starts with a letter or digit and has up to 80 letters, digits, dots, underscores and hyphens";
            unidentified(detail, "/job_id")
        })?;
        // Half a name is none: taken for another revision, this order would decide that one.
        let revision = named_revision(&value).ok_or_else(|| {
            unidentified("revision is a whole number from 1 to 4294967295, or left out", "/revision")
        })?;
        Ok(Draft { job_id: job_id.to_owned(), revision, value })
    }

    /// The run's name.
    pub fn job_id(&self) -> &str {
        &self.job_id
    }

    /// The run's revision; 1 unless the order says otherwise.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// The order as it came.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The pinned template's name, where the order has one.
    pub fn template(&self) -> Option<&str> {
        self.value.get("template")?.as_str()
    }

    /// The render profile's name, where the order has one.
    pub fn profile(&self) -> Option<&str> {
        self.value.get("profile")?.as_str()
    }

    /// SHA-256 (hex) of the order's RFC 8785 form without `metadata`; a picture with a
    /// declared SHA-256 counts as that hash, any other without its query.
    pub fn digest(&self) -> String {
        let mut value = self.value.clone();
        if let Some(order) = value.as_object_mut() {
            order.remove("metadata");
        }
        normalize_assets(&mut value);
        // Canonical JSON exists for every JSON value; the fallback keeps the type honest.
        let canonical = serde_json_canonicalizer::to_vec(&value).unwrap_or_default();
        hex::encode(Sha256::digest(&canonical))
    }
}

/// Whether a string names a run.
pub fn is_job_id(id: &str) -> bool {
    let mut bytes = id.bytes();
    id.len() <= 80
        && bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// The revision that an order names: 1 where it names none, `None` where it names one that cannot be.
fn named_revision(order: &Value) -> Option<u32> {
    match order.get("revision") {
        None => Some(1),
        Some(revision) => u32::try_from(revision.as_u64()?).ok().filter(|revision| *revision > 0),
    }
}

/// How deep the brackets of a JSON text nest, strings apart.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn normalize_assets(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(hash) = map.get("sha256").and_then(Value::as_str).map(str::to_owned)
                && map.contains_key("asset")
            {
                map.insert("asset".into(), Value::from(hash));
            } else if let Some(Value::String(asset)) = map.get_mut("asset")
                && let Some((path, _)) = asset.split_once('?')
            {
                *asset = path.to_owned();
            }
            map.values_mut().for_each(normalize_assets);
        }
        Value::Array(items) => items.iter_mut().for_each(normalize_assets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The digest of an order with this picture and these notes.
    fn digest(photo: Value, metadata: Value) -> String {
        let order = json!({
            "schema": "presswork.order/1", "job_id": "A", "template": "t@1", "profile": "p",
            "customization": { "photo": photo, "list": [{ "asset": "b.jpg" }] }, "metadata": metadata,
        });
        Draft::parse(order.to_string().as_bytes()).unwrap().digest()
    }

    #[test]
    fn a_revision_that_does_not_read_names_no_run() {
        let order = |revision: Option<Value>| {
            let mut order = json!({ "schema": "presswork.order/1", "job_id": "A" });
            order.as_object_mut().unwrap().extend(revision.map(|r| ("revision".to_owned(), r)));
            Draft::parse(order.to_string().as_bytes())
        };
        assert_eq!(order(None).unwrap().revision(), 1);
        assert_eq!(order(Some(json!(7))).unwrap().revision(), 7);
        for revision in
            [json!("7"), json!(0), json!(-1), json!(1.5), json!(null), json!([7]), json!(1_u64 << 32)]
        {
            let wrong = order(Some(revision.clone())).unwrap_err();
            let told = (wrong.code, wrong.pointer.as_deref());
            assert_eq!(told, (Code::OrderUnidentified, Some("/revision")), "{revision}");
        }
    }

    #[test]
    fn a_picture_with_a_hash_counts_as_the_hash() {
        let picture =
            |asset: &str, sha256: &str| digest(json!({ "asset": asset, "sha256": sha256 }), json!({}));
        let (one, other) = ("a".repeat(64), "b".repeat(64));
        // Wherever it lies: the same bytes are the same order.
        let place = picture("https://cdn.example.com/a.jpg?signature=1", &one);
        assert_eq!(picture("https://other.example.com/z.png", &one), place);
        assert_eq!(picture("uploads/a.jpg", &one), place);
        assert_ne!(picture("uploads/a.jpg", &other), place);
        // What else is said of the picture still counts.
        let turned = json!({ "asset": "uploads/a.jpg", "sha256": one, "rotate": 90 });
        assert_ne!(digest(turned, json!({})), place);
    }

    #[test]
    fn the_query_of_an_address_does_not_count() {
        let address = |address: &str| digest(json!({ "asset": address }), json!({}));
        let signed = address("https://cdn.example.com/a.jpg?expires=1&signature=x");
        assert_eq!(address("https://cdn.example.com/a.jpg?expires=2&signature=y"), signed);
        assert_eq!(address("https://cdn.example.com/a.jpg"), signed);
        assert_ne!(address("https://cdn.example.com/b.jpg?expires=1&signature=x"), signed);
        assert_ne!(address("https://other.example.com/a.jpg"), signed);
    }

    #[test]
    fn notes_and_the_order_of_keys_do_not_count() {
        let order = |text: &str| Draft::parse(text.as_bytes()).unwrap().digest();
        let plain = order(r#"{"schema":"presswork.order/1","job_id":"A","quantity":1}"#);
        let noted =
            r#"{ "quantity": 1.0, "metadata": {"a": 1}, "job_id": "A", "schema": "presswork.order/1" }"#;
        assert_eq!(order(noted), plain);
        assert_ne!(order(r#"{"schema":"presswork.order/1","job_id":"A","quantity":2}"#), plain);
    }
}
