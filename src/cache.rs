//! What orders share, kept by content: parsed templates and profiles, art and decoded pictures of the
//! catalog, printing conditions.
//!
//! A key is the digest of everything a value is made from, so a file that changes under its name is
//! another key, and nothing has to be told. The bytes of all values together stay below a limit;
//! what was not asked for longest goes first. A value is the same whether it was kept or made anew.

use sha2::{Digest, Sha256};
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What a value is. Values of one kind have one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A template's own file, parsed.
    TemplateFile,
    /// A template, joined and checked.
    Template,
    /// A render profile.
    Profile,
    /// Art of the catalog: its resolved tree.
    Art,
    /// A printing condition with its transforms.
    Press,
    /// A picture of the catalog, decoded.
    Pixels,
    /// A picture or a filter of the catalog's art, as a surface shows it.
    Layer,
}

/// Bytes that are kept unless the settings say otherwise.
pub const BYTES: u64 = 64 << 20;

type Key = (Kind, [u8; 32]);
type Listener = Box<dyn Fn(bool) + Send + Sync>;

/// What is large takes at most this part of what may be kept: others are not to be driven out by it.
const SHARE: u64 = 4;

/// Values by content, bounded in bytes.
pub struct Cache {
    limit: u64,
    asked: Option<Listener>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    kept: BTreeMap<Key, Kept>,
    /// By the time of the last question.
    order: BTreeMap<u64, Key>,
    bytes: u64,
    clock: u64,
}

struct Kept {
    value: Arc<dyn Any + Send + Sync>,
    bytes: u64,
    asked: u64,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("limit", &self.limit)
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

/// The digest of several pieces. Each counts with its length, so that no two lists look alike.
pub fn digest<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update((piece.len() as u64).to_le_bytes());
        digest.update(piece);
    }
    digest.finalize().into()
}

impl Cache {
    /// A cache that holds at most so many bytes; with 0 it holds nothing.
    pub fn new(limit: u64) -> Cache {
        Cache { limit, asked: None, inner: Mutex::default() }
    }

    /// The same, telling of every question whether the answer was there.
    #[must_use]
    pub fn told_to(self, asked: impl Fn(bool) + Send + Sync + 'static) -> Cache {
        Cache { asked: Some(Box::new(asked)), ..self }
    }

    /// The most bytes that are held.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// The most bytes of a picture that is held.
    pub fn picture_limit(&self) -> u64 {
        self.limit / SHARE
    }

    /// The bytes of everything that is held.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a content, made with its size in bytes where it is not held. Two that ask at once
    /// may both make it: they make the same.
    ///
    /// # Errors
    /// What `make` reports; nothing is kept then.
    pub fn get_or<T, E>(
        &self,
        kind: Kind,
        content: [u8; 32],
        make: impl FnOnce() -> Result<(T, u64), E>,
    ) -> Result<Arc<T>, E>
    where
        T: Send + Sync + 'static,
    {
        let key = (kind, content);
        let found = self.lock().find(key).and_then(|value| value.downcast::<T>().ok());
        if let Some(asked) = &self.asked {
            asked(found.is_some());
        }
        if let Some(value) = found {
            return Ok(value);
        }
        let (value, bytes) = make()?;
        let value = Arc::new(value);
        self.lock().keep(key, value.clone(), bytes, self.limit);
        Ok(value)
    }
}

impl Inner {
    fn find(&mut self, key: Key) -> Option<Arc<dyn Any + Send + Sync>> {
        let kept = self.kept.get_mut(&key)?;
        self.clock += 1;
        self.order.remove(&kept.asked);
        kept.asked = self.clock;
        self.order.insert(self.clock, key);
        Some(kept.value.clone())
    }

    fn keep(&mut self, key: Key, value: Arc<dyn Any + Send + Sync>, bytes: u64, limit: u64) {
        self.forget(key);
        if bytes > limit {
            return;
        }
        while self.bytes > limit - bytes {
            let Some(oldest) = self.order.values().next().copied() else { break };
            self.forget(oldest);
        }
        self.clock += 1;
        self.bytes += bytes;
        self.order.insert(self.clock, key);
        self.kept.insert(key, Kept { value, bytes, asked: self.clock });
    }

    fn forget(&mut self, key: Key) {
        if let Some(kept) = self.kept.remove(&key) {
            self.order.remove(&kept.asked);
            self.bytes -= kept.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn ask(cache: &Cache, content: u8, bytes: u64) -> (u8, bool) {
        let mut made = false;
        let value = cache.get_or(Kind::Art, [content; 32], || {
            made = true;
            Ok::<_, ()>((content, bytes))
        });
        (*value.unwrap(), made)
    }

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let cache = Cache::new(100);
        assert_eq!([1, 2, 3].map(|c| ask(&cache, c, 40)), [(1, true), (2, true), (3, true)]);
        assert_eq!(cache.bytes(), 80, "1 had to go");
        assert_eq!(ask(&cache, 2, 40), (2, false));
        assert_eq!(ask(&cache, 1, 40), (1, true), "3 goes, since 2 was asked for after it");
        assert_eq!([1, 2].map(|c| ask(&cache, c, 40).1), [false, false]);
        assert_eq!(ask(&cache, 9, 101), (9, true));
        assert_eq!((cache.bytes(), ask(&cache, 9, 101).1), (80, true), "what is too large is never kept");
    }

    #[test]
    fn kinds_and_failures_are_kept_apart() {
        let hits = Arc::new(AtomicU32::new(0));
        let seen = hits.clone();
        let cache = Cache::new(100).told_to(move |hit| {
            seen.fetch_add(u32::from(hit), Ordering::Relaxed);
        });
        assert_eq!(ask(&cache, 1, 1), (1, true));
        let failed: Result<Arc<u8>, &str> = cache.get_or(Kind::Press, [1; 32], || Err("broken"));
        assert_eq!(failed, Err("broken"));
        let press = cache.get_or(Kind::Press, [1; 32], || Ok::<_, ()>(("ink", 5)));
        assert_eq!((*press.unwrap(), cache.bytes()), ("ink", 6));
        assert_eq!(ask(&cache, 1, 1), (1, false));
        assert_eq!(hits.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_cache_of_no_bytes_keeps_nothing() {
        let cache = Cache::new(0);
        assert_eq!([1, 1].map(|c| ask(&cache, c, 1)), [(1, true), (1, true)]);
        assert_ne!(digest([&b"ab"[..], b"c"]), digest([&b"a"[..], b"bc"]));
    }
}
