//! Buffers that bands hand on to each other.
//!
//! A band's buffers are megabytes. Fresh ones come from the system as pages that have to be cleared
//! and mapped one by one, which costs as much as painting does.

use std::sync::{Mutex, PoisonError};

/// Buffers not in use.
#[derive(Debug)]
pub(super) struct Pool<T>(Mutex<Vec<Vec<T>>>);

impl<T> Pool<T> {
    /// None yet.
    pub(super) fn new() -> Self {
        Pool(Mutex::new(Vec::new()))
    }

    /// A buffer, with what it held.
    pub(super) fn take(&self) -> Vec<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// For the next one.
    pub(super) fn give(&self, buffer: Vec<T>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}
