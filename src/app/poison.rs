//! Orders that kill their renderer, for tests. Release builds do not have this.

use crate::order::Draft;

/// What an order's metadata asks for under `presswork-test-poison`.
pub(super) fn strike(draft: &Draft) {
    let metadata = draft.value().get("metadata");
    match metadata.and_then(|m| m.get("presswork-test-poison")).and_then(|p| p.as_str()) {
        Some("abort") => std::process::abort(),
        Some("memory") => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![1_u8; 64 << 20]);
                std::hint::black_box(&hoard);
            }
        }
        Some("loop") => loop {
            std::thread::sleep(std::time::Duration::from_secs(1));
        },
        Some(_) | None => {}
    }
}
