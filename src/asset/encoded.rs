//! Encoded bytes: in memory, or where an edge keeps them until they are wanted.

use crate::error::{Code, Violation};
use std::fmt::Debug;
use std::sync::Arc;

/// Bytes that lie outside memory; an edge implements it. The core loads them for as long as it
/// decodes and drops them after, so that a job's pictures need not fit into memory together.
pub trait Spool: Send + Sync + Debug {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// True when there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them.
    ///
    /// # Errors
    /// Where they can no longer be read.
    fn load(&self) -> Result<Arc<[u8]>, Violation>;
}

/// Encoded bytes that are cheap to clone.
#[derive(Debug, Clone)]
pub enum Encoded {
    /// At hand.
    Memory(Arc<[u8]>),
    /// Elsewhere.
    Spooled(Arc<dyn Spool>),
}

impl Encoded {
    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        match self {
            Encoded::Memory(bytes) => bytes.len() as u64,
            Encoded::Spooled(spool) => spool.len(),
        }
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, for as long as the caller keeps them.
    ///
    /// # Errors
    /// `asset.checksum_mismatch` when what is read has another length than before, and whatever
    /// the edge reports when nothing can be read.
    pub fn load(&self) -> Result<Arc<[u8]>, Violation> {
        match self {
            Encoded::Memory(bytes) => Ok(bytes.clone()),
            Encoded::Spooled(spool) => {
                let bytes = spool.load()?;
                if bytes.len() as u64 == spool.len() { Ok(bytes) } else { Err(changed()) }
            }
        }
    }
}

/// The violation of bytes that are no longer the ones that were probed.
pub(super) fn changed() -> Violation {
    Violation::new(
        Code::AssetChecksumMismatch,
        "the file changed while it was being used: send the order again",
    )
}

impl From<Vec<u8>> for Encoded {
    fn from(bytes: Vec<u8>) -> Self {
        Encoded::Memory(bytes.into())
    }
}

impl From<Arc<[u8]>> for Encoded {
    fn from(bytes: Arc<[u8]>) -> Self {
        Encoded::Memory(bytes)
    }
}

impl From<&[u8]> for Encoded {
    fn from(bytes: &[u8]) -> Self {
        Encoded::Memory(bytes.into())
    }
}
