//! Why a file cannot be read, and how much reading one may cost.

use crate::error::Violation;
use thiserror::Error;

/// Why reading ended.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum ReadError {
    /// The bytes break the syntax of PDF, or point nowhere.
    #[error("{0}")]
    Damaged(String),
    /// It would cost more than the limits allow.
    #[error("{0}")]
    TooLarge(String),
    /// It is encrypted.
    #[error("the file is encrypted")]
    Encrypted,
    /// The disk or the caller ended it.
    #[error("{0}")]
    Stopped(Violation),
}

impl ReadError {
    /// A fault of the file.
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        ReadError::Damaged(what.into())
    }

    /// A limit that was passed.
    pub(crate) fn limit(what: impl Into<String>) -> Self {
        ReadError::TooLarge(what.into())
    }
}

/// What reading a file may cost. Every count is checked before memory is taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Objects in the cross-reference table.
    pub objects: u32,
    /// Bytes of one object without its stream.
    pub object_bytes: u64,
    /// Bytes of one stream after decoding.
    pub stream_bytes: u64,
    /// Bytes of all streams after decoding.
    pub decoded_bytes: u64,
    /// Pages.
    pub pages: u32,
    /// Operators of all pages, forms counted each time they are drawn.
    pub operators: u64,
    /// Arrays and dictionaries within each other; forms within forms.
    pub depth: u32,
}

impl Default for ReadLimits {
    fn default() -> Self {
        ReadLimits {
            objects: 2_000_000,
            object_bytes: 32_000_000,
            stream_bytes: 100_000_000,
            decoded_bytes: 4_000_000_000,
            pages: 20_000,
            operators: 100_000_000,
            depth: 60,
        }
    }
}
