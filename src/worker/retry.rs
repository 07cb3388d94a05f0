//! How long a failed attempt waits: exponential, with jitter over the rungs below.

use crate::edge::queue::RUNGS;

/// The rungs an attempt may wait on are those up to four to the power of the attempts so far.
fn highest_rung(attempt: u32) -> usize {
    let longest = 4_u64.saturating_pow(attempt.saturating_sub(1).min(10));
    RUNGS.iter().rposition(|seconds| *seconds <= longest).unwrap_or(0)
}

/// Picks uniformly among the allowed rungs. `random` is any number.
pub(super) fn rung(attempt: u32, random: u64) -> usize {
    (random % (highest_rung(attempt) as u64 + 1)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_spread() {
        assert_eq!((1..=8).map(highest_rung).collect::<Vec<_>>(), [0, 2, 4, 6, 7, 7, 7, 7]);
        let rungs: Vec<_> = (0..5).map(|random| rung(3, random)).collect();
        assert_eq!(rungs, [0, 1, 2, 3, 4]);
        assert_eq!(rung(1, 12_345), 0);
    }
}
