//! How long to wait before the broker is connected again.
//!
//! A broker that restarts accepts connections, hands out orders, and breaks off. Whoever comes back
//! at once each time is handed the same orders each time, and their delivery counts climb towards the
//! limit although nobody did anything wrong. So a connection has to have lasted before the next one is
//! tried without delay.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5);
/// A connection that lasted so long was a good one.
const STABLE: Duration = Duration::from_secs(20);

/// Pauses between connections, each twice the last one until a connection holds.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Backoff {
        Backoff { next: FIRST }
    }

    /// The pause after a connection that lasted so long; one that was never made lasted no time.
    pub(super) fn after(&mut self, lasted: Duration) -> Duration {
        if lasted >= STABLE {
            self.next = FIRST;
        }
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_connection_that_lasted_makes_the_next_pause_short() {
        let mut backoff = Backoff::new();
        let short = Duration::from_secs(1);
        let pauses: Vec<u128> = (0..8).map(|_| backoff.after(short).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff.after(Duration::ZERO).as_millis(), 5000);
        assert_eq!(backoff.after(STABLE).as_millis(), 100);
        assert_eq!(backoff.after(STABLE - Duration::from_millis(1)).as_millis(), 200);
    }
}
