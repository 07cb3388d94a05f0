//! Bytes that jobs share: each takes its whole need at once, in the order of asking.
//!
//! Nobody asks twice of one budget, and budgets are always taken in the same order, so nobody waits
//! for somebody who waits for him.

use crate::error::{Code, Violation};
use prometheus::IntGauge;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Budgets are counted in units of this many bytes.
const UNIT: u64 = 64 * 1024;

/// A bounded number of bytes, first in, first out.
#[derive(Debug, Clone)]
pub struct Budget {
    whole: u32,
    free: Arc<Semaphore>,
    gauge: Option<IntGauge>,
}

/// A share of a budget; it goes back when this is dropped.
#[derive(Debug)]
pub struct Share {
    permit: Option<OwnedSemaphorePermit>,
    budget: Budget,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.permit.take();
        self.budget.show();
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: u64) -> Budget {
        let whole = units(bytes);
        Budget { whole, free: Arc::new(Semaphore::new(whole as usize)), gauge: None }
    }

    /// The same, with a gauge that always says what is taken.
    #[must_use]
    pub fn shown_by(self, gauge: IntGauge) -> Budget {
        Budget { gauge: Some(gauge), ..self }
    }

    fn show(&self) {
        if let Some(gauge) = &self.gauge {
            gauge.set(i64::try_from(self.taken()).unwrap_or(i64::MAX));
        }
    }

    /// Waits for a share. More than there is in all is an error, not a wait for ever.
    pub async fn take(&self, bytes: u64) -> Result<Share, Violation> {
        let need = units(bytes);
        if need > self.whole {
            let limit = u64::from(self.whole) * UNIT;
            return Err(Violation::new(
                Code::RenderMemoryExceeded,
                format!("this job needs {bytes} bytes, and a worker has {limit} for all jobs: give workers more memory"),
            )
            .limit(limit));
        }
        // The semaphore is never closed.
        let permit = self.free.clone().acquire_many_owned(need).await;
        let permit =
            permit.map_err(|_| Violation::new(Code::InternalError, "the memory budget was closed"))?;
        self.show();
        Ok(Share { permit: Some(permit), budget: self.clone() })
    }

    /// Bytes that are taken.
    pub fn taken(&self) -> u64 {
        (u64::from(self.whole)).saturating_sub(self.free.available_permits() as u64) * UNIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn shares_are_whole_and_first_come_first_served() {
        let gauge = IntGauge::new("reserved", "Bytes.").unwrap();
        let budget = Budget::new(10 * UNIT).shown_by(gauge.clone());
        let first = budget.take(7 * UNIT - 1).await.unwrap();
        assert_eq!(budget.taken(), 7 * UNIT);
        // A large request waits, and a small one that would fit does not overtake it.
        let large = tokio::spawn({
            let budget = budget.clone();
            async move { budget.take(8 * UNIT).await }
        });
        tokio::task::yield_now().await;
        assert!(timeout(Duration::from_millis(50), budget.take(UNIT)).await.is_err());
        drop(first);
        let large = large.await.unwrap().unwrap();
        assert_eq!((budget.taken(), gauge.get()), (8 * UNIT, 8 * UNIT as i64));
        drop(large);
        assert_eq!((budget.taken(), gauge.get()), (0, 0));
    }

    #[tokio::test]
    async fn more_than_the_whole_is_refused_at_once() {
        let violation = Budget::new(UNIT).take(UNIT + 1).await.unwrap_err();
        assert_eq!(violation.code, Code::RenderMemoryExceeded);
    }
}
