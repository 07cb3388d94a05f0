//! Plates made from the art that would not do what they are for: contours that leave art outside or run off
//! the page, white that leaves art bare. Nobody is left to find out at the machine.

use crate::support::judges::scratch;
use crate::support::shop::{Shop, codes, surface};
use serde_json::{Value, json};

/// A shop whose profile cuts, or lays white, as `sections` say.
fn shop(name: &str, sections: &str) -> Shop {
    let shop = Shop::new(name);
    let profile = format!(
        "schema = \"presswork.profile/1\"\ntitle = \"Stray\"\ndpi = 300\noutputs = [\"pdf\"]\narea = \"bleed\"\n\
         [color]\nspace = \"srgb\"\n\
         [spots.Cut]\nplate = \"CutContour\"\nalternate = \"#ff00ff\"\nlaid = \"overprint\"\nstep = \"cutting\"\n\
         [spots.White]\nplate = \"White\"\nalternate = \"#ffffff\"\nlaid = \"multiply\"\nstep = \"white\"\n{sections}\n"
    );
    shop.write("profiles/plain.toml", profile.as_bytes());
    shop
}

fn shape(id: &str, kind: &str, [x, y, width, height]: [f64; 4]) -> Value {
    json!({ "id": id, "box": { "x": x, "y": y, "width": width, "height": height },
            "shape": { "shape": { kind: {} }, "fill": "#cc3300" } })
}

/// The event of an order for 100 × 70 mm with so much bleed and these layers.
fn event(shop: &Shop, bleed: f64, layers: Value) -> Value {
    let mut card = surface("front", (100.0, 70.0), layers);
    card["bleed"] = json!(bleed);
    shop.template("card", json!({}), json!([card]));
    let order = shop.order("one", "card", json!({}));
    let (_, mut events) = shop.render(&[order], &scratch(&format!("stray-{}", std::process::id())));
    events.remove(0)
}

/// The findings of a job's event about its plates, and where they are.
fn found(event: &Value) -> Vec<(String, [f64; 4])> {
    let findings = event["data"]["preflight"]["findings"].as_array().unwrap_or_else(|| panic!("{event}"));
    findings
        .iter()
        .map(|f| {
            (f["code"].as_str().unwrap().to_owned(), serde_json::from_value(f["place"].clone()).unwrap())
        })
        .collect()
}

fn near(place: [f64; 4], wanted: [f64; 4]) -> bool {
    place.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 0.3)
}

#[test]
fn art_that_a_contour_leaves_outside_holds_the_job() {
    let square = || shape("square", "rect", [10.0, 10.0, 40.0, 40.0]);
    let dot = || shape("dot", "ellipse", [70.0, 20.0, 4.0, 4.0]);
    // A dot and a tail are thinner than the least radius bridges.
    let shop =
        shop("stray-dot", "[[contour]]\nspot = \"Cut\"\nfrom = \"alpha\"\noffset = 0.5\nmin_radius = 3");
    let tail = shape("tail", "rect", [49.0, 45.0, 30.0, 1.0]);
    let event = event(&shop, 5.0, json!([square(), dot(), tail]));
    assert_eq!(event["type"], "presswork.render.held");
    let findings = found(&event);
    let [(code, place)] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!(code, "cut.leaves_art");
    assert!((place[0] + place[2] - 79.0).abs() < 0.3 && place[3] < 1.3, "the tail is the largest: {place:?}");
    let said = event["data"]["preflight"]["findings"][0]["detail"].as_str().unwrap();
    assert!(said.starts_with("2 printed pieces"), "{said}");
}

#[test]
fn a_contour_that_cuts_into_the_art_loses_no_more_than_it_says() {
    let square = || shape("square", "rect", [10.0, 10.0, 40.0, 40.0]);
    let dot = || shape("dot", "ellipse", [70.0, 20.0, 4.0, 4.0]);
    let inwards = shop("stray-in", "[[contour]]\nspot = \"Cut\"\nfrom = \"alpha\"\noffset = -3");
    assert_eq!(found(&event(&inwards, 5.0, json!([square()]))), []);
    let lost = found(&event(&inwards, 5.0, json!([square(), dot()])));
    assert!(
        matches!(lost.as_slice(), [(code, place)] if code == "cut.leaves_art" && near(*place, [70.0, 20.0, 4.0, 4.0])),
        "{lost:?}"
    );
    // Nothing is left of the line.
    let none = shop("stray-none", "[[contour]]\nspot = \"Cut\"\nfrom = \"alpha\"\nmin_radius = 50");
    let lost = found(&event(&none, 5.0, json!([square()])));
    assert!(matches!(lost.as_slice(), [(code, _)] if code == "cut.leaves_art"), "{lost:?}");
    // Around a trim and a die line art runs on.
    let layer = "[[contour]]\nspot = \"Cut\"\nfrom = { layer = \"dot\" }\n[[contour]]\nspot = \"Cut\"\nfrom = \"trim\"";
    let die = shop("stray-die", layer);
    assert_eq!(found(&event(&die, 5.0, json!([square(), dot()]))), []);
}

#[test]
fn a_contour_that_runs_off_the_page_holds_the_job() {
    let shop =
        shop("stray-edge", "[[contour]]\nspot = \"Cut\"\nfrom = \"alpha\"\noffset = 2\nmin_radius = 2");
    let whole = || shape("whole", "rect", [0.0, 0.0, 100.0, 70.0]);
    let event_of = |bleed: f64| event(&shop, bleed, json!([whole()]));
    let held = event_of(0.0);
    assert_eq!(held["type"], "presswork.render.held");
    let off = found(&held);
    assert!(
        matches!(off.as_slice(), [(code, place)] if code == "cut.off_page" && near(*place, [-2.0, -2.0, 104.0, 74.0])),
        "{off:?}"
    );
    assert_eq!(found(&event_of(3.0)), []);
}

#[test]
fn a_contour_without_anything_to_follow_is_an_error() {
    let square = || shape("square", "rect", [10.0, 10.0, 40.0, 40.0]);
    let refused = |name: &str, section: &str| {
        let event = event(&shop(name, section), 3.0, json!([square()]));
        assert_eq!(codes(&event), ["template.invalid"], "{event}");
        event["data"]["errors"][0]["detail"].as_str().unwrap().to_owned()
    };
    let missing = refused("stray-missing", "[[contour]]\nspot = \"Cut\"\nfrom = { layer = \"die\" }");
    assert!(missing.contains("no such layer"), "{missing}");
    let empty =
        refused("stray-empty", "[[contour]]\nspot = \"Cut\"\nfrom = { layer = \"square\" }\noffset = -25");
    assert!(empty.contains("leave nothing"), "{empty}");
    let trim = refused("stray-trim", "[[contour]]\nspot = \"Cut\"\nfrom = \"trim\"\noffset = -40");
    assert!(trim.contains("too large"), "{trim}");
}

#[test]
fn art_fainter_than_the_whites_threshold_is_found() {
    let mut faint = shape("faint", "rect", [50.0, 10.0, 40.0, 40.0]);
    faint["opacity"] = json!(0.45);
    let mut breath = shape("breath", "rect", [5.0, 55.0, 30.0, 10.0]);
    breath["opacity"] = json!(0.1);
    let layers = json!([shape("solid", "rect", [5.0, 5.0, 20.0, 20.0]), faint, breath]);
    for (name, how, bare) in [
        ("vector", "as = \"vector\"", true),
        ("threshold", "threshold = 0.6", true),
        ("low", "threshold = 0.3", false),
        ("alpha", "", false),
    ] {
        let shop = shop(&format!("stray-white-{name}"), &format!("[underbase]\nspot = \"White\"\n{how}"));
        let event = event(&shop, 0.0, layers.clone());
        let findings = found(&event);
        assert_eq!(findings.len(), usize::from(bare), "{name}: {findings:?}");
        let Some((code, place)) = findings.first() else { continue };
        assert!(code == "white.vanishes" && near(*place, [50.0, 10.0, 40.0, 40.0]), "{name}: {findings:?}");
        let said = event["data"]["preflight"]["findings"][0]["detail"].as_str().unwrap();
        assert!(said.contains("fainter"), "{said}");
    }
}
