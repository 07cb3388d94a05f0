//! The first 128 bytes of an ICC profile: what kind of device it speaks for.

use sha2::{Digest, Sha256};

/// What tells a profile from others: its identifier where it has one, or else a digest of it.
pub(crate) fn identity(profile: &[u8]) -> Option<Vec<u8>> {
    let size = u32::from_be_bytes(profile.get(..4)?.try_into().ok()?) as usize;
    let (own, id) = (profile.get(..size)?, profile.get(84..100)?);
    if id.iter().any(|byte| *byte != 0) { Some(id.to_vec()) } else { Some(Sha256::digest(own).to_vec()) }
}

/// A profile's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// `prtr` is an output device.
    pub(crate) class: [u8; 4],
    /// Components of its colours.
    pub(crate) components: usize,
    /// The major version.
    pub(crate) version: u8,
}

impl Header {
    /// Reads a header. `None` when these are no profile's bytes, or they are cut off.
    pub(crate) fn read(profile: &[u8]) -> Option<Header> {
        let size = u32::from_be_bytes(profile.get(..4)?.try_into().ok()?) as usize;
        if profile.get(36..40)? != b"acsp" || size > profile.len() || size < 132 {
            return None;
        }
        // The tags lie within the profile.
        let tags = u32::from_be_bytes(profile.get(128..132)?.try_into().ok()?) as usize;
        if tags > 200 || 132 + tags * 12 > size {
            return None;
        }
        for tag in profile[132..132 + tags * 12].chunks(12) {
            let number = |at: usize| tag[at..at + 4].iter().fold(0_usize, |n, b| n << 8 | usize::from(*b));
            if number(4).checked_add(number(8)).is_none_or(|end| end > size) {
                return None;
            }
        }
        let components = match profile.get(16..20)? {
            b"GRAY" => 1,
            b"RGB " | b"Lab " => 3,
            b"CMYK" => 4,
            _ => return None,
        };
        Some(Header { class: profile.get(12..16)?.try_into().ok()?, components, version: *profile.get(8)? })
    }
}
