//! JPEG, streamed: bands go in as they are painted, the encoder takes their rows on a thread of
//! its own. Baseline, without chroma subsampling, with the sRGB profile and the resolution.

use crate::error::{Code, Violation};
use crate::raster::{Band, Frame, Packed, Rows, Sink};
use jpeg_encoder::{
    Encoder, ImageBuffer, JpegColorType, PixelDensity, PixelDensityUnit, SamplingFactor, rgb_to_ycbcr,
};
use std::cell::RefCell;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bands that may wait for the encoder.
const WAITING: usize = 2;

/// A JPEG in memory of what `paint` paints into a sink. The frame has a background.
///
/// # Errors
/// What `paint` reports; `output.too_large` for a side of more than 65,535 pixels.
pub fn jpeg(
    frame: &Frame,
    quality: u8,
    paint: impl FnOnce(&dyn Sink) -> Result<(), Violation>,
) -> Result<Vec<u8>, Violation> {
    let side = |pixels: u32| {
        u16::try_from(pixels).map_err(|_| {
            Violation::new(Code::OutputTooLarge, "a JPEG has at most 65535 pixels a side; use PNG instead")
                .limit(u64::from(u16::MAX))
        })
    };
    let (width, height) = (side(frame.width)?, side(frame.height)?);
    let icc = srgb_profile()?;
    let (sender, receiver) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let encoder = scope.spawn(move || {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, quality);
            encoder.set_sampling_factor(SamplingFactor::F_1_1);
            // A whole number of pixels an inch: JFIF has no other.
            let density = libm::round(frame.dpi.get()).clamp(1.0, 65_535.0) as u16;
            encoder.set_density(PixelDensity { density: (density, density), unit: PixelDensityUnit::Inches });
            encoder.add_icc_profile(&icc)?;
            encoder.encode_image(RowSource { width, height, state: RefCell::new(State::new(receiver)) })?;
            Ok::<_, jpeg_encoder::EncodingError>(bytes)
        });
        let sink = BandSink { sender };
        let painted = paint(&sink);
        // The encoder ends with its sender.
        drop(sink);
        let encoded = encoder.join();
        painted?;
        match encoded {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(_)) | Err(_) => Err(failed()),
        }
    })
}

fn failed() -> Violation {
    Violation::new(Code::InternalError, "a JPEG could not be encoded; please report it")
}

/// The sRGB profile, the same bytes every time: its creation date and identity are blank.
fn srgb_profile() -> Result<Vec<u8>, Violation> {
    let mut bytes = lcms2::Profile::new_srgb().icc().map_err(|_| failed())?;
    for range in [24..36, 84..100] {
        if let Some(field) = bytes.get_mut(range) {
            field.fill(0);
        }
    }
    Ok(bytes)
}

/// Hands on bands as RGB bytes. Dropped with the sender, it ends the encoder's wait.
struct BandSink {
    sender: SyncSender<Vec<u8>>,
}

impl Sink for BandSink {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        let bytes = match band.rows {
            Rows::Eight(pixels) => pixels.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect(),
            Rows::Sixteen(pixels) => {
                pixels.iter().flat_map(|[r, g, b, _]| [*r, *g, *b].map(|v| (v >> 8) as u8)).collect()
            }
        };
        Ok(Packed { bytes, ..Packed::default() })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        self.sender.send(packed.bytes).map_err(|_| failed())
    }
}

/// Rows as the encoder asks for them: one after another, the last one repeated.
struct RowSource {
    width: u16,
    height: u16,
    state: RefCell<State>,
}

struct State {
    receiver: Receiver<Vec<u8>>,
    band: Vec<u8>,
    /// The row that begins the band, and the rows that follow.
    first: usize,
}

impl State {
    fn new(receiver: Receiver<Vec<u8>>) -> Self {
        State { receiver, band: Vec::new(), first: 0 }
    }
}

impl ImageBuffer for RowSource {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let (y, bytes) = (usize::from(y), usize::from(self.width) * 3);
        let mut state = self.state.borrow_mut();
        while y >= state.first + state.band.len() / bytes {
            state.first += state.band.len() / bytes;
            // Painting failed, and says why: the rest of this file is never seen.
            let Ok(band) = state.receiver.recv() else { break };
            state.band = band;
        }
        let start = y.saturating_sub(state.first) * bytes;
        let row = state.band.get(start..start + bytes).unwrap_or_default();
        for pixel in row.chunks_exact(3) {
            let (luma, blue, red) = rgb_to_ycbcr(pixel[0], pixel[1], pixel[2]);
            buffers[0].push(luma);
            buffers[1].push(blue);
            buffers[2].push(red);
        }
        if row.is_empty() {
            for buffer in &mut buffers[..3] {
                buffer.resize(buffer.len() + usize::from(self.width), 0);
            }
        }
    }
}
