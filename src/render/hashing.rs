//! Files that are hashed as they are written.

use super::{Destination, sink_failed};
use crate::error::Violation;
use crate::order::event::Artifact;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

/// Bytes of a block of either hash.
const BLOCK: usize = 64;

/// A file that knows its size and hashes when it is done.
pub(super) struct Hashing<W> {
    inner: W,
    sha256: Sha256,
    md5: Md5,
    bytes: u64,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(inner: W) -> Self {
        Hashing { inner, sha256: Sha256::new(), md5: Md5::new(), bytes: 0 }
    }
}

impl<W> Hashing<W> {
    /// The file, whatever became of it.
    pub(super) fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write + Send> Hashing<W> {
    pub(super) fn finish<D: Destination<File = W>>(
        mut self,
        name: &str,
        destination: &mut D,
        artifact: &mut Artifact,
    ) -> Result<(), Violation> {
        self.inner.flush().map_err(|e| sink_failed(&e))?;
        artifact.bytes = self.bytes;
        artifact.sha256 = hex::encode(self.sha256.finalize());
        artifact.md5 = hex::encode(self.md5.finalize());
        artifact.uri = destination.finish(name, self.inner)?;
        Ok(())
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        let taken = &buffer[..written];
        // A block of one, a block of the other: each is a long chain of operations that wait for the one
        // before, and the processor works on both chains at once.
        let odd = (self.bytes % BLOCK as u64) as usize;
        let (first, blocks) = taken.split_at(if odd == 0 { 0 } else { (BLOCK - odd).min(written) });
        for block in std::iter::once(first).chain(blocks.chunks(BLOCK)) {
            self.md5.update(block);
            self.sha256.update(block);
        }
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
