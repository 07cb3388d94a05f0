//! Which class is next: a stride scheduler.
//!
//! Each class advances by the inverse of its weight when it is served, and the one that is least
//! advanced among those that wait is next. A class that was idle does not save up turns.

use crate::edge::queue::{Class, Delivery};
use std::collections::VecDeque;

/// A turn of a class of weight 1.
const STRIDE: u64 = 1 << 20;

/// Deliveries that wait for a free place, by class.
#[derive(Debug)]
pub(super) struct Schedule<T = Delivery> {
    lines: Vec<Line<T>>,
    now: u64,
}

#[derive(Debug)]
struct Line<T> {
    class: String,
    stride: u64,
    pass: u64,
    waiting: VecDeque<T>,
}

impl<T> Schedule<T> {
    pub(super) fn new(classes: &[Class]) -> Schedule<T> {
        let lines = classes.iter().map(|class| Line {
            class: class.name.clone(),
            stride: STRIDE / u64::from(class.weight.clamp(1, 1000)),
            pass: 0,
            waiting: VecDeque::new(),
        });
        Schedule { lines: lines.collect(), now: 0 }
    }

    /// Adds to a class's line. A class nobody configured stands in the first line: it can only come
    /// from the reaper.
    pub(super) fn push(&mut self, class: &str, item: T) {
        let index = self.lines.iter().position(|line| line.class == class).unwrap_or(0);
        if let Some(line) = self.lines.get_mut(index) {
            if line.waiting.is_empty() {
                line.pass = line.pass.max(self.now);
            }
            line.waiting.push_back(item);
        }
    }

    /// Drops what is not worth keeping.
    pub(super) fn retain(&mut self, keeps: impl Fn(&T) -> bool) {
        self.lines.iter_mut().for_each(|line| line.waiting.retain(&keeps));
    }

    /// The next of the class whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let line =
            self.lines.iter_mut().filter(|line| !line.waiting.is_empty()).min_by_key(|line| line.pass)?;
        self.now = line.pass;
        line.pass += line.stride;
        line.waiting.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.waiting.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes() -> Vec<Class> {
        [("standard", 1), ("rush", 3)].map(|(name, weight)| Class { name: name.into(), weight }).to_vec()
    }

    fn served(schedule: &mut Schedule<&'static str>, turns: usize) -> usize {
        (0..turns).filter_map(|_| schedule.pop()).filter(|class| *class == "rush").count()
    }

    #[test]
    fn classes_share_by_weight_while_both_wait() {
        let mut schedule = Schedule::new(&classes());
        for _ in 0..100 {
            schedule.push("standard", "standard");
            schedule.push("rush", "rush");
        }
        assert_eq!(served(&mut schedule, 40), 30);
    }

    #[test]
    fn an_idle_class_lends_its_share_and_saves_no_turns() {
        let mut schedule = Schedule::new(&classes());
        for _ in 0..100 {
            schedule.push("standard", "standard");
        }
        assert_eq!(served(&mut schedule, 50), 0);
        for _ in 0..100 {
            schedule.push("rush", "rush");
        }
        let rush = served(&mut schedule, 40);
        assert!((29..=31).contains(&rush), "{rush} of 40");
        assert!(!schedule.is_empty());
    }

    #[test]
    fn what_is_not_kept_is_gone_and_the_rest_keeps_its_order() {
        let mut schedule = Schedule::new(&classes());
        for number in 0..6 {
            schedule.push("standard", number);
        }
        schedule.retain(|number| number % 2 == 1);
        assert_eq!(std::iter::from_fn(|| schedule.pop()).collect::<Vec<_>>(), [1, 3, 5]);
    }
}
