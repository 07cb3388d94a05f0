//! A customer's JPEG made fit for a PDF: not one bit of its picture data is touched.
//!
//! Dropped are the segments that say who took the photo, where, and with what: APP1, APP13,
//! comments, thumbnails and every other application segment. The JFIF and Adobe segments stay,
//! for they say what the components mean; the ICC profile is lifted out for the PDF's colour space.

use super::jpeg::{Jpeg, Meaning, without_metadata};
use crate::color::{ProfileSpace, Source};
use std::sync::Arc;

/// A JPEG ready for a PDF's DCTDecode.
#[derive(Debug, Clone)]
pub struct JpegStream {
    /// The file without private metadata.
    pub bytes: Vec<u8>,
    /// 1 grey, 3 RGB (from YCbCr), 4 CMYK.
    pub components: u8,
    /// The components are inverted (Adobe CMYK): needs `/Decode [1 0 …]`.
    pub inverted: bool,
    /// The embedded ICC profile, verified to parse and to have as many channels.
    pub icc: Option<Arc<[u8]>>,
}

pub(super) fn rebuild(
    file: &[u8],
    jpeg: &Jpeg,
    source: &Source,
    space: Option<ProfileSpace>,
) -> Option<JpegStream> {
    let (components, inverted) = match jpeg.meaning {
        Meaning::Grey => (1, false),
        Meaning::YCbCr => (3, false),
        // Without Adobe's marker a PDF reader takes three components for YCbCr.
        Meaning::Rgb if !jpeg.adobe => return None,
        Meaning::Rgb => (3, false),
        Meaning::Cmyk { inverted } => (4, inverted),
        Meaning::Ycck => (4, true),
    };
    let icc = match (source, space) {
        (Source::Icc(icc), Some(space)) => {
            let channels = match space {
                ProfileSpace::Grey => 1,
                ProfileSpace::Rgb => 3,
                ProfileSpace::Cmyk => 4,
            };
            if channels != components {
                return None;
            }
            Some(icc.clone())
        }
        (Source::Icc(_), None) | (Source::Calibrated(_), _) => return None,
        (Source::Srgb, _) => None,
    };
    let bytes = without_metadata(file, jpeg, |segment| {
        let payload = segment.payload(file);
        segment.marker == 0xe0 && payload.starts_with(b"JFIF\0")
            || segment.marker == 0xee && payload.starts_with(b"Adobe")
    });
    Some(JpegStream { bytes, components, inverted, icc })
}
