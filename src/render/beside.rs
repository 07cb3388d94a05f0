//! Files beside print PDFs and PNGs: drawings for cutters, engraving files, JPEG.

use super::{Destination, Hashing, Job, blank, boxes, placement, png_frame, sink_failed};
use crate::catalog::print::Step;
use crate::catalog::{Area, Output};
use crate::encode::grey::{GreyDepth, GreyPng};
use crate::encode::jpeg::jpeg;
use crate::encode::screen::Screener;
use crate::error::{Code, Violation};
use crate::order::event::Artifact;
use crate::raster::{Band, Frame, Packed, Pixel, Rows, Sink};
use crate::scene::{Color, Dpi, Surface};
use crate::svg;
use kurbo::Rect;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Steps of quality that a JPEG is tried at when it is too large.
const QUALITY_STEP: u8 = 4;

impl Job<'_> {
    pub(super) fn shown(&self, surface: &Surface) -> Rect {
        match self.profile.area {
            Area::Trim => surface.trim_box(),
            Area::Bleed => surface.bleed_box(),
        }
    }

    /// What every artifact of one surface says.
    pub(super) fn artifact(&self, surface: &Surface, output: Output, media_type: &str) -> Artifact {
        Artifact {
            role: "print".into(),
            surfaces: vec![surface.name.to_string()],
            output: output.as_str().into(),
            media_type: media_type.into(),
            boxes: vec![boxes::placed(surface, self.shown(surface), placement(self.profile))],
            ..blank()
        }
    }

    /// Writes a drawing of the surface's vector art.
    pub(super) fn drawing<D: Destination>(
        &self,
        surface: &Surface,
        to: &mut D,
    ) -> Result<Artifact, Violation> {
        let text = svg::draw(surface, self.profile, self.shown(surface), placement(self.profile))?;
        let name = format!("{}.svg", surface.name);
        let mut file = Hashing::new(to.create(&name)?);
        file.write_all(text.as_bytes()).map_err(|e| sink_failed(&e))?;
        let mut artifact = self.artifact(surface, Output::Svg, "image/svg+xml");
        file.finish(&name, to, &mut artifact)?;
        Ok(artifact)
    }

    /// Writes a surface as a JPEG, within the supplier's limit.
    pub(super) fn jpeg<D: Destination>(&self, surface: &Surface, to: &mut D) -> Result<Artifact, Violation> {
        let mut frame = png_frame(surface, self.profile)?;
        frame.depth = crate::asset::Depth::Eight;
        // A JPEG has no transparency: without a ground of its own it lies on paper.
        frame.background = frame.background.or(Some(Color::WHITE));
        frame.check(self.limits)?;
        let settings = &self.profile.jpeg;
        let mut quality = settings.quality;
        let bytes = loop {
            let bytes = jpeg(&frame, quality, |sink| self.painted(surface, &frame, sink))?;
            let Some(max) = settings.max_bytes.filter(|max| bytes.len() as u64 > *max) else { break bytes };
            if quality <= settings.min_quality {
                return Err(Violation::new(
                    Code::OutputTooLarge,
                    format!(
                        "the JPEG has {} bytes at quality {quality}, and the profile allows {max}; \
                         use a lower resolution or calmer art",
                        bytes.len()
                    ),
                )
                .limit(max));
            }
            quality = quality.saturating_sub(QUALITY_STEP).max(settings.min_quality);
        };
        let name = format!("{}.jpg", surface.name);
        let mut file = Hashing::new(to.create(&name)?);
        file.write_all(&bytes).map_err(|e| sink_failed(&e))?;
        let mut artifact = Artifact {
            pixels: Some([frame.width, frame.height]),
            dpi: Some(frame.dpi.get()),
            ..self.artifact(surface, Output::Jpeg, "image/jpeg")
        };
        file.finish(&name, to, &mut artifact)?;
        Ok(artifact)
    }

    /// Writes a surface as dots at the engraving device's resolution.
    pub(super) fn engraving<D: Destination>(
        &self,
        surface: &Surface,
        to: &mut D,
    ) -> Result<Artifact, Violation> {
        let settings = &self.profile.engraving;
        let dpi = settings.dpi.map_or(self.profile.dpi(), Dpi::new);
        let mut frame = Frame::of(self.shown(surface), dpi, placement(self.profile));
        frame.background = Some(Color::WHITE);
        let name = format!("{}.engraving.png", surface.name);
        let file = Hashing::new(to.create(&name)?);
        let threshold = libm::ceil(settings.threshold * 255.0).clamp(1.0, 255.0) as u8;
        let sink = DotSink {
            width: frame.width as usize,
            state: Mutex::new((
                Screener::new(settings.screen, frame.width as usize, threshold),
                GreyPng::new(file, frame.width, frame.height, frame.dpi, GreyDepth::One)?,
            )),
        };
        let plates = |names: &[String]| -> Vec<&str> {
            names.iter().filter_map(|n| self.profile.spots.get(n)).map(|spot| spot.plate.as_str()).collect()
        };
        let (cut, engraved) = (plates(&self.profile.svg.cut), plates(&self.profile.svg.engrave));
        // What the knife follows is not burnt too. An ink that is engraved is, whatever step stands for it.
        let shows = |plate: &str, step: Option<Step>| {
            !cut.contains(&plate) && (engraved.contains(&plate) || step.is_none_or(Step::is_color))
        };
        self.in_srgb(surface, &shows, &frame, &sink)?;
        let (_, png) = sink.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let file = png.finish()?;
        let mut artifact = Artifact {
            pixels: Some([frame.width, frame.height]),
            dpi: Some(frame.dpi.get()),
            color_space: "1-bit".into(),
            ..self.artifact(surface, Output::Engraving, "image/png")
        };
        file.finish(&name, to, &mut artifact)?;
        Ok(artifact)
    }
}

/// Painted bands become darkness side by side, and dots in order.
struct DotSink<W> {
    width: usize,
    state: Mutex<(Screener, GreyPng<W>)>,
}

impl<W: Write + Send> Sink for DotSink<W> {
    fn encode(&self, band: &Band<'_>) -> Result<Packed, Violation> {
        let bytes = match band.rows {
            Rows::Eight(pixels) => pixels.iter().map(|p| darkness(*p)).collect(),
            Rows::Sixteen(pixels) => pixels.iter().map(|p| darkness(p.map(|v| (v >> 8) as u8))).collect(),
        };
        Ok(Packed { bytes, ..Packed::default() })
    }

    fn write(&self, packed: Packed) -> Result<(), Violation> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (screener, png) = &mut *state;
        packed.bytes.chunks_exact(self.width).try_for_each(|row| png.row(&screener.row(row)))
    }
}

/// 255 less the Rec. 709 luma of an opaque pixel.
fn darkness([r, g, b, _]: Pixel<u8>) -> u8 {
    let luma = (u32::from(r) * 13_933 + u32::from(g) * 46_871 + u32::from(b) * 4_732 + 32_768) >> 16;
    255 - luma.min(255) as u8
}
