//! Orders that are refused: what they may waive, what their events name, and how large these may become.

use super::*;
use crate::order::brief::MAX_EVENT_BYTES;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A shop with one template of these fields and a profile whose `image.low_resolution` may be waived.
fn shop(fields: &Value) -> (TempDir, App) {
    let folder = TempDir::new().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let template = json!({
        "schema": "presswork.template/1", "name": "Card", "profiles": ["plain"], "fields": fields,
        "surfaces": [{ "name": "front", "width": 10, "height": 10, "layers": [] }],
    });
    write("catalog/card/1/template.json", &template.to_string());
    write(
        "profiles/plain.toml",
        "schema = \"presswork.profile/1\"\ntitle = \"Plain\"\ndpi = 72\noutputs = [\"png\"]\n\
         [color]\nspace = \"srgb\"\n[policy]\nwaivable = [\"image.low_resolution\", \"ink.limit\"]\n",
    );
    let at = |name: &str| Some(folder.path().join(name));
    let places = Places { catalog: at("catalog"), profiles: at("profiles"), ..Places::default() };
    let app = App::new(places, Limits::default()).unwrap();
    (folder, app)
}

/// What becomes of an order for the shop's template; `more` is laid over the plain one.
fn run(folder: &TempDir, app: &App, more: &Value) -> ResultEvent {
    let mut order = json!({
        "schema": "presswork.order/1", "job_id": "ORDER-1", "template": "card@1", "profile": "plain",
    });
    for (key, value) in more.as_object().unwrap() {
        order[key] = value.clone();
    }
    let path = folder.path().join("order.json");
    std::fs::write(&path, order.to_string()).unwrap();
    app.run(&path, &folder.path().join("out"), Control::NONE, &mut |_| {}).event
}

#[test]
fn only_what_the_profile_lets_be_waived_is_waived() {
    let (folder, app) = shop(&json!({}));
    let event = run(&folder, &app, &json!({ "accept": ["ink.limit", "image.low_resolution"] }));
    assert_eq!((event.kind, event.data.errors.len()), (EventType::Completed, 0));
    let accept = ["image.low_resolution", "type.too_small", "no.such_finding", "ink.limit"];
    let event = run(&folder, &app, &json!({ "accept": accept }));
    assert_eq!(event.kind, EventType::Failed);
    let refused: Vec<_> =
        event.data.errors.iter().map(|e| (e.code.as_str(), e.pointer.as_deref().unwrap())).collect();
    assert_eq!(refused, [("option.invalid", "/accept/1"), ("option.invalid", "/accept/2")]);
    for error in &event.data.errors {
        assert_eq!(error.allowed, ["image.low_resolution", "ink.limit"]);
    }
}

/// The event's bytes, as a worker would publish them.
fn size(event: &ResultEvent) -> usize {
    event.to_bytes().unwrap().len()
}

#[test]
fn a_hostile_order_gets_a_small_answer() {
    // Each unknown name is answered with all the names there are.
    let name = |i: usize| format!("field-{i:04}-{}", "n".repeat(60));
    let fields: serde_json::Map<String, Value> =
        (0..400).map(|i| (name(i), json!({ "type": "text", "by": "customer" }))).collect();
    let (folder, app) = shop(&Value::Object(fields));
    let unknown: serde_json::Map<String, Value> =
        (0..200).map(|i| (format!("x{i}-{}", "é/~".repeat(200)), json!("x"))).collect();
    let metadata = "ü".repeat(1900);
    let names = "o".repeat(200);
    let event = run(
        &folder,
        &app,
        &json!({
            "customization": unknown, "metadata": { "note": metadata },
            "order_ref": names, "item_ref": names,
        }),
    );
    assert_eq!(event.kind, EventType::Failed);
    assert!(size(&event) < MAX_EVENT_BYTES, "{} bytes", size(&event));
    let errors = &event.data.errors;
    assert!(errors.len() >= 10, "{} errors", errors.len());
    assert!(errors.iter().all(|error| error.code == "order.unknown_field"), "{errors:?}");
    // Places are whole or those around them, never a part of one.
    for error in errors {
        let pointer = error.pointer.as_deref().unwrap();
        assert!(pointer == "/customization" || pointer.ends_with("é~1~0"), "{pointer}");
    }

    // One name as long as an order may be.
    let long: serde_json::Map<String, Value> = [("y".repeat(200_000), json!("x"))].into_iter().collect();
    let event = run(&folder, &app, &json!({ "customization": long }));
    assert!(size(&event) < MAX_EVENT_BYTES, "{} bytes", size(&event));
    assert_eq!(event.data.errors[0].pointer.as_deref(), Some("/customization"));
    assert!(!event.data.errors[0].allowed.is_empty(), "what would be accepted is still said");
}

#[test]
fn a_plain_mistake_is_told_in_full() {
    let fields: serde_json::Map<String, Value> =
        (0..40).map(|i| (format!("f{i}"), json!({ "type": "text", "by": "customer" }))).collect();
    let (folder, app) = shop(&Value::Object(fields));
    let event = run(&folder, &app, &json!({ "customization": { "nmae": "x" } }));
    assert_eq!(event.data.errors[0].allowed.len(), 40);
}

#[test]
fn a_conflict_says_which_order_it_is_under_an_id_of_what_it_says() {
    let order = |quantity: u32, note: &str| {
        let order = json!({
            "schema": "presswork.order/1", "job_id": "ORDER-1", "revision": 3, "order_ref": "SHOP-9",
            "template": "card@1", "profile": "plain", "quantity": quantity, "metadata": { "note": note },
        });
        order.to_string().into_bytes()
    };
    let conflict = Violation::new(Code::OrderConflict, "this run was decided for another order").into();
    let event = rejected_event(&order(2, "first"), &conflict);
    assert_eq!((event.kind, event.subject.as_deref()), (EventType::Rejected, Some("ORDER-1")));
    assert_eq!((event.data.job_id.as_deref(), event.data.revision), (Some("ORDER-1"), Some(3)));
    assert_eq!(event.data.order_ref.as_deref(), Some("SHOP-9"));
    assert_eq!(event.data.metadata, Some(json!({ "note": "first" })));
    let draft = Draft::parse(&order(2, "first")).unwrap();
    assert_eq!(event.data.order_digest, Some(draft.digest()));
    assert_eq!(rejected_event(&order(2, "first"), &conflict), event);
    let noted = rejected_event(&order(2, "second"), &conflict);
    assert_eq!(noted.data.order_digest, event.data.order_digest, "metadata makes no other order");
    assert_ne!(noted.id, event.id, "it says something else, and one id has one body");
    assert_ne!(rejected_event(&order(4, "first"), &conflict).id, event.id);
    assert_ne!(failed(&draft, &conflict).id, event.id, "it is not the event of the run");
    // Nor is a refusal of the same body by a worker of another version, which says it otherwise.
    let [one, other] = ["the body is not JSON", "the body is no JSON"]
        .map(|said| rejected_event(b"{", &Violation::new(Code::OrderMalformed, said).into()));
    assert_ne!(one.id, other.id);
    // A body that names no run says nothing of one.
    let malformed = Violation::new(Code::OrderMalformed, "the body is not JSON").into();
    assert_eq!(rejected_event(b"{", &malformed).subject, None);
}

#[test]
fn an_order_with_half_a_name_decides_no_run() {
    let (folder, app) = shop(&json!({}));
    let event = run(&folder, &app, &json!({ "revision": "7" }));
    let error = &event.data.errors[0];
    assert_eq!((event.kind, error.code.as_str()), (EventType::Rejected, "order.unidentified"));
    assert_eq!(error.pointer.as_deref(), Some("/revision"));
    assert!(!folder.path().join("out/ORDER-1").exists());
}
