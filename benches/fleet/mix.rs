//! The orders of a busy hour: of twenty, two shirts, ten mugs and eight stickers, in a fixed order.

use serde_json::{Value, json};
use std::path::Path;

/// One of twenty.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Tee,
    Mug,
    Sticker,
}

/// The kinds of twenty orders, mingled.
pub(crate) const TWENTY: [Kind; 20] = {
    use Kind::{Mug as M, Sticker as S, Tee as T};
    [M, S, M, S, T, M, S, M, S, M, M, S, M, S, T, M, S, M, S, M]
};

/// `count` orders with ids of their own below `name`, each with words of its own.
pub(crate) fn orders(name: &str, count: usize) -> Vec<Value> {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/jobs");
    let read = |file: &str| -> Value {
        let bytes = std::fs::read(jobs.join(file)).expect("the jobs are part of the repository");
        serde_json::from_slice(&bytes).expect("a job is JSON")
    };
    let (tee, mug, sticker) = (read("tee.json"), read("mug.json"), read("sticker.json"));
    (0..count)
        .map(|i| {
            let (mut order, outputs) = match TWENTY[i % TWENTY.len()] {
                Kind::Tee => (tee.clone(), json!(["png"])),
                Kind::Mug => (mug.clone(), json!(["png", "pdf"])),
                Kind::Sticker => (sticker.clone(), json!(["png", "pdf"])),
            };
            order["job_id"] = format!("{name}-{i}").into();
            order["outputs"] = outputs;
            order["customization"]["words"] = format!("Order {i} of many").into();
            order
        })
        .collect()
}
