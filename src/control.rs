//! How a caller stops work that is under way, and watches it.
//!
//! The core has no clock. Long steps call [`Control::check`] between bands, pages and layers;
//! the edge decides there whether the deadline has passed or the job was given up. An edge that
//! wants to know what decoding and encoding cost brings a [`Watch`], with the clock in it.

use crate::asset::Format;
use crate::error::Violation;
use std::time::Duration;

/// Work that goes on inside other stages, on many threads at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Encoded pictures become pixels.
    Decode,
    /// Pixels become bytes of a file.
    Encode,
}

/// Someone who measures. Every method may be called from many threads at once.
pub trait Watch: Sync {
    /// The time since a moment of the watch's choice.
    fn now(&self) -> Duration;

    /// One thread spent so long on a piece of work.
    fn spent(&self, work: Work, time: Duration);

    /// A picture of so many pixels was decoded.
    fn decoded(&self, format: Format, pixels: u64);
}

/// A question that long work asks again and again: may I go on?
#[derive(Clone, Copy)]
pub struct Control<'a> {
    may_go_on: &'a (dyn Fn() -> Result<(), Violation> + Sync),
    watch: Option<&'a dyn Watch>,
}

impl<'a> Control<'a> {
    /// Work that nobody stops.
    pub const NONE: Control<'static> = Control { may_go_on: &|| Ok(()), watch: None };

    /// Asks the given function; its violation ends the work.
    pub fn new(may_go_on: &'a (dyn Fn() -> Result<(), Violation> + Sync)) -> Self {
        Control { may_go_on, watch: None }
    }

    /// The same, with someone who measures.
    #[must_use]
    pub fn watched_by(self, watch: &'a dyn Watch) -> Self {
        Control { watch: Some(watch), ..self }
    }

    /// An error when the work has to end now.
    pub fn check(&self) -> Result<(), Violation> {
        (self.may_go_on)()
    }

    /// Does a piece of work, measured where somebody measures.
    pub fn measured<T>(&self, work: Work, run: impl FnOnce() -> T) -> T {
        let Some(watch) = self.watch else { return run() };
        let begin = watch.now();
        let made = run();
        watch.spent(work, watch.now().saturating_sub(begin));
        made
    }

    /// A picture of so many pixels was decoded.
    pub fn decoded(&self, format: Format, pixels: u64) {
        if let Some(watch) = self.watch {
            watch.decoded(format, pixels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A clock that moves by a second each time it is looked at.
    #[derive(Default)]
    struct Ticking(Mutex<(u64, Vec<String>)>);

    impl Watch for Ticking {
        fn now(&self) -> Duration {
            let mut inner = self.0.lock().unwrap();
            inner.0 += 1;
            Duration::from_secs(inner.0)
        }

        fn spent(&self, work: Work, time: Duration) {
            self.0.lock().unwrap().1.push(format!("{work:?} {}", time.as_secs()));
        }

        fn decoded(&self, format: Format, pixels: u64) {
            self.0.lock().unwrap().1.push(format!("{format:?} {pixels}"));
        }
    }

    #[test]
    fn work_is_measured_where_somebody_watches() {
        let watch = Ticking::default();
        let control = Control::NONE.watched_by(&watch);
        assert_eq!(control.measured(Work::Encode, || 7), 7);
        control.decoded(Format::Png, 12);
        assert_eq!(watch.0.lock().unwrap().1, ["Encode 1", "Png 12"]);
        assert_eq!(Control::NONE.measured(Work::Decode, || 8), 8);
    }
}
