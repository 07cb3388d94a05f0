//! Names and numbers that differ each time.

use std::time::{SystemTime, UNIX_EPOCH};

/// A name that no other attempt has.
pub(super) fn token() -> String {
    format!("{:016x}", random())
}

/// Any number.
pub(super) fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without the system's randomness the clock has to do: a token must differ, not be secret.
    if getrandom::fill(&mut bytes).is_err() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        return now.as_nanos() as u64;
    }
    u64::from_le_bytes(bytes)
}
