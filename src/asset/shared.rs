//! Decoded pixels that several outputs of one order show: small ones are kept from the first to the next.
//!
//! A photo that its PNG shows at a quarter of its size is decoded at a quarter, which is most of what the
//! PDF beside it costs. What is kept is bounded for all pictures of an order together.

use super::{Depth, Pixels};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes of decoded pixels that an order keeps between its outputs.
pub const MOST_SHARED: u64 = 16 << 20;

/// What an order may still keep.
#[derive(Debug, Clone)]
pub struct Sharing(Arc<AtomicU64>);

impl Default for Sharing {
    fn default() -> Self {
        Sharing(Arc::new(AtomicU64::new(MOST_SHARED)))
    }
}

/// One picture's pixels, as one of the outputs had them.
#[derive(Debug)]
pub(super) struct Shared {
    sharing: Sharing,
    kept: Mutex<Option<(Depth, u32, Pixels)>>,
}

impl Shared {
    /// Nothing yet.
    pub(super) fn new(sharing: Sharing) -> Self {
        Shared { sharing, kept: Mutex::new(None) }
    }

    /// The pixels, where they were kept at this depth and this much smaller than the picture.
    pub(super) fn get(&self, depth: Depth, shrink: u32) -> Option<Pixels> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| (kept.0, kept.1) == (depth, shrink)).map(|kept| kept.2.clone())
    }

    /// Keeps a copy, where none is kept and the order may keep as much.
    pub(super) fn offer(&self, depth: Depth, shrink: u32, pixels: &Pixels) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_some() {
            return;
        }
        let left = |left: u64| left.checked_sub(pixels.bytes());
        if self.sharing.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok() {
            *kept = Some((depth, shrink, pixels.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::{Encoded, Format, Limits, Picture, Samples};
    use crate::control::{Control, Watch, Work};
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    fn png(width: u32, height: u32) -> Encoded {
        let mut out = Vec::new();
        let mut encoder = ::png::Encoder::new(&mut out, width, height);
        encoder.set_color(::png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        let data: Vec<u8> = (0..width * height * 3).map(|i| (i % 251) as u8).collect();
        writer.write_image_data(&data).unwrap();
        writer.finish().unwrap();
        out.into()
    }

    /// Counts what is decoded.
    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Watch for Counted {
        fn now(&self) -> Duration {
            Duration::ZERO
        }

        fn spent(&self, _: Work, _: Duration) {}

        fn decoded(&self, _: Format, _: u64) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_second_output_gets_the_same_pixels_without_decoding_them() {
        let counted = Counted::default();
        let control = Control::NONE.watched_by(&counted);
        let mut picture = Picture::probe(png(40, 30), &Limits::default()).unwrap();
        picture.share(Sharing::default());
        let first = picture.decode_for(Depth::Eight, 1, control).unwrap();
        assert_eq!(picture.decode_for(Depth::Eight, 1, control).unwrap(), first);
        assert_eq!(counted.0.load(Ordering::Relaxed), 1);
        // Another depth is another matter.
        let deep = picture.decode_for(Depth::Sixteen, 1, control).unwrap();
        assert!(matches!(deep.data, Samples::Rgb16(_)));
        assert_eq!(counted.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn an_order_keeps_no_more_than_it_may() {
        // Two thirds of what may be kept: the second of two does not fit.
        let (counted, sharing) = (Counted::default(), Sharing::default());
        let control = Control::NONE.watched_by(&counted);
        let pictures = [(); 2].map(|()| {
            let mut picture = Picture::probe(png(2400, 1500), &Limits::default()).unwrap();
            picture.share(sharing.clone());
            picture
        });
        for picture in pictures.iter().chain(&pictures) {
            picture.decode_for(Depth::Eight, 1, control).unwrap();
        }
        assert_eq!(counted.0.load(Ordering::Relaxed), 3);
    }
}
