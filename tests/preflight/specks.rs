//! A design of next to nothing is held, whatever is made of it.

use crate::support::job;
use crate::support::judges::run;
use serde_json::{Value, json};

/// The findings of a shirt with squares of so many millimetres on its surfaces, none of 0.
fn found(sides: &[f64], outputs: &[&str]) -> (Vec<Value>, String) {
    found_by("dtg-shirt", sides, outputs)
}

fn found_by(profile: &str, sides: &[f64], outputs: &[&str]) -> (Vec<Value>, String) {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("catalog/speck/1");
    std::fs::create_dir_all(&template).unwrap();
    let surfaces = sides.iter().enumerate().map(|(i, side)| {
        // White is ink on a shirt.
        let square = json!({ "id": "square", "box": { "x": 10, "y": 10, "width": side, "height": side },
            "shape": { "shape": { "rect": {} }, "fill": "#ffffff" } });
        let layers = if *side > 0.0 { vec![square] } else { Vec::new() };
        json!({ "name": format!("side{i}"), "width": 100, "height": 120, "bleed": 0, "layers": layers })
    });
    let text = json!({ "schema": "presswork.template/1", "name": "speck", "profiles": [profile],
        "fields": {}, "surfaces": surfaces.collect::<Vec<_>>() });
    std::fs::write(template.join("template.json"), text.to_string()).unwrap();
    let order = json!({ "schema": "presswork.order/1", "job_id": "speck", "order_ref": "1", "item_ref": "1",
        "template": "speck@1", "profile": profile, "outputs": outputs,
        "customization": {}, "personalization": {} });
    let path = folder.path().join("speck.json");
    std::fs::write(&path, order.to_string()).unwrap();
    let out = folder.path().join("out");
    let said = run(job::presswork()
        .arg("render")
        .arg(&path)
        .arg("--catalog")
        .arg(folder.path().join("catalog"))
        .args(["--assets", "fixtures/assets", "--out"])
        .arg(&out));
    let event = job::json(&out.join("speck/result.json"));
    let findings = event["data"]["preflight"]["findings"].as_array();
    let kind = event["type"].as_str().unwrap().to_owned();
    (findings.unwrap_or_else(|| panic!("{event}: {}{}", said.stdout, said.stderr)).clone(), kind)
}

#[test]
fn a_design_of_next_to_nothing_is_held() {
    for outputs in [&["png"][..], &["pdf"]] {
        let (findings, kind) = found(&[0.2], outputs);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0]["code"], "design.too_small");
        assert_eq!(findings[0]["surface"], "side0");
        assert_eq!(kind, "presswork.render.held");
        assert_eq!(found(&[6.0], outputs).0, [Value::Null; 0], "a small design");
    }
    // A back may stay bare, but not both.
    assert_eq!(found(&[6.0, 0.0], &["png"]).0, [Value::Null; 0]);
    assert_eq!(found(&[0.0, 0.0], &["png"]).0.len(), 2);
}

/// What is wrong with a document is wrong with a picture of it.
#[test]
fn a_surface_with_nothing_on_it_is_held_whatever_is_made_of_it() {
    for outputs in [&["png"][..], &["pdf"], &["pdf", "png"]] {
        let (findings, kind) = found_by("mug-sublimation", &[0.0], outputs);
        assert_eq!(findings.len(), 1, "{outputs:?}: {findings:?}");
        assert_eq!((&findings[0]["code"], &findings[0]["surface"]), (&json!("page.blank"), &json!("side0")));
        assert_eq!(kind, "presswork.render.held");
    }
}
