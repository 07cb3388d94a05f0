//! The threads that orders are rendered on: as many as orders may be rendered at once, made at the start.
//!
//! What rendering leaves with a thread, as a resampler's tables, an outline's sums and a deep stack, stays as
//! long as the thread. Tokio's own threads for work that blocks are as many as anything has ever needed at
//! once; with time each of them has rendered something, and a worker's memory grows for hours.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};
use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// The threads. They end when this is dropped and what they were given is done.
#[derive(Debug)]
pub(super) struct Hands(Sender<Work>);

impl Hands {
    /// So many threads.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub(super) fn new(count: usize) -> io::Result<Hands> {
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..count {
            let receiver = receiver.clone();
            thread::Builder::new().name(format!("order-{number}")).spawn(move || work(&receiver))?;
        }
        Ok(Hands(sender))
    }

    /// Does something on one of the threads; it waits while all are busy. A panic is given back.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> thread::Result<T> {
        let (done, doing) = oneshot::channel();
        let work = Box::new(move || drop(done.send(catch_unwind(AssertUnwindSafe(work)))));
        let sent = self.0.send(work).is_ok();
        match doing.await {
            Ok(result) if sent => result,
            Ok(_) | Err(_) => Err(Box::new("the threads that render are gone")),
        }
    }
}

fn work(receiver: &Mutex<Receiver<Work>>) {
    loop {
        // The lock is held while waiting: whoever comes next waits for it in place of the work.
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        work();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Barrier;

    #[tokio::test]
    async fn work_is_done_on_the_same_few_threads() {
        let hands = Arc::new(Hands::new(2).unwrap());
        // Both at once, or neither would end.
        let both = Arc::new(Barrier::new(2));
        let meet = || {
            let (hands, both) = (hands.clone(), both.clone());
            async move { hands.run(move || both.wait().is_leader()).await.unwrap() }
        };
        let (a, b) = tokio::join!(meet(), meet());
        assert!(a != b);
        let mut names = BTreeSet::new();
        for _ in 0..20 {
            names.insert(hands.run(|| thread::current().name().map(str::to_owned)).await.unwrap());
        }
        let ours = ["order-0", "order-1"].map(|name| Some(name.to_owned()));
        assert!(names.iter().all(|name| ours.contains(name)), "{names:?}");
    }

    #[tokio::test]
    async fn a_panic_costs_no_thread() {
        let hands = Hands::new(1).unwrap();
        for _ in 0..3 {
            assert!(hands.run(|| panic!("on purpose")).await.is_err());
        }
        assert_eq!(hands.run(|| 7).await.unwrap(), 7);
    }
}
