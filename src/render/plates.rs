//! What is painted in inks: plates, TIFFs, the soft proofs that pictures of a CMYK job are, and how
//! much ink lies where.

use super::{Destination, Hashing, Job, png_frame, spots};
use crate::catalog::Output;
use crate::catalog::print::{Laid, Step};
use crate::derive::plate_rows;
use crate::encode::grey::{GreyDepth, GreyPng};
use crate::encode::plates::PlateSink;
use crate::encode::tiff::tiff;
use crate::error::{Code, Violation};
use crate::order::event::Artifact;
use crate::print::{Part, PrintRules, Shows, part};
use crate::raster::{Frame, InkMeter, InkPeak, InkSink, Proof, Sink, paint, paint_inks};
use crate::scene::separation::Content;
use crate::scene::{BlendSpace, Color, Dpi, Ink, Node, Placement, Surface};
use std::sync::Arc;

/// The process plates.
const PROCESS: [&str; 4] = ["Cyan", "Magenta", "Yellow", "Black"];

impl Job<'_> {
    /// The rules of a surface that is printed in the process inks of a condition.
    pub(super) fn inks(&self, surface: &Surface) -> Result<Option<PrintRules>, Violation> {
        match surface.blend_space {
            BlendSpace::Srgb => Ok(None),
            BlendSpace::Process => PrintRules::of(self.profile, self.press).map(Some),
        }
    }

    /// Paints a surface as it is seen: in sRGB, or as the soft proof of its plates. What is no colour
    /// on the sheet (cut lines, varnish) is in neither; in sRGB white is not either, like an underbase.
    pub(super) fn painted(&self, surface: &Surface, frame: &Frame, sink: &dyn Sink) -> Result<(), Violation> {
        let (Some(rules), Some(press)) = (self.inks(surface)?, self.press) else {
            return self.in_srgb(surface, &|_, step| step.is_none_or(Step::is_color), frame, sink);
        };
        let used = spots(std::slice::from_ref(surface));
        let (proof, names) = Proof::new(sink, press, &rules, &used, frame.background);
        // The proof has a ground of its own: the inks lie on nothing.
        let bare = Frame { background: None, ..frame.clone() };
        self.on_plates(surface, &rules, &names, &bare, &[&proof])
    }

    /// Paints a surface in sRGB, with the plates that `shows` is true of in their alternates.
    pub(super) fn in_srgb(
        &self,
        surface: &Surface,
        shows: Shows<'_>,
        frame: &Frame,
        sink: &dyn Sink,
    ) -> Result<(), Violation> {
        let rules = PrintRules::of(self.profile, self.press)?;
        let shown = rules.shown(&surface.nodes, shows).map(|nodes| Surface { nodes, ..surface.clone() });
        paint(shown.as_ref().unwrap_or(surface), frame, self.limits, self.control, sink).map(|_| ())
    }

    /// Paints a surface's process plates and some of its spot plates.
    pub(super) fn on_plates(
        &self,
        surface: &Surface,
        rules: &PrintRules,
        spots: &[Arc<str>],
        frame: &Frame,
        sinks: &[&dyn InkSink],
    ) -> Result<(), Violation> {
        paint_inks(&surface.nodes, rules, spots, frame, self.limits, self.control, sinks).map(|_| ())
    }

    /// The place of a surface where the inks of the press add up to the most, looked for in its
    /// bleed box at 150 dpi at most; `None` for a surface in sRGB. Inks that the profile makes a
    /// processing step of (cut lines, white, foil, varnish) are not counted.
    ///
    /// # Errors
    /// As painting.
    pub fn ink_coverage(&self, surface: &Surface) -> Result<Option<InkPeak>, Violation> {
        const FINE: f64 = 150.0;
        let Some(rules) = self.inks(surface)? else { return Ok(None) };
        let dpi = Dpi::new(self.profile.dpi.min(FINE));
        let mut frame = Frame::of(surface.bleed_box(), dpi, Placement::default());
        frame.background = Some(Color::WHITE);
        let mut inks = names(&spots(std::slice::from_ref(surface)));
        inks.retain(|name| rules.plates.get(name).is_none_or(|plate| plate.step.is_none()));
        let meter = InkMeter::new(&frame);
        self.on_plates(surface, &rules, &inks, &frame, &[&meter])?;
        Ok(Some(meter.peak()))
    }

    /// Writes a surface's process inks as a TIFF.
    pub(super) fn tiff<D: Destination>(&self, surface: &Surface, to: &mut D) -> Result<Artifact, Violation> {
        let (Some(rules), Some(press)) = (self.inks(surface)?, self.press) else {
            let detail = "a TIFF holds process inks: the profile needs a CMYK printing condition";
            return Err(Violation::new(Code::TemplateInvalid, detail));
        };
        let frame = Frame { background: Some(Color::WHITE), ..png_frame(surface, self.profile)? };
        frame.check(self.limits)?;
        let name = format!("{}.tif", surface.name);
        let file = Hashing::new(to.create(&name)?);
        let paint = |sink: &dyn InkSink| self.on_plates(surface, &rules, &[], &frame, &[sink]);
        let file = tiff(file, &frame, press.icc(), paint)?;
        let mut artifact = Artifact {
            pixels: Some([frame.width, frame.height]),
            dpi: Some(frame.dpi.get()),
            color_space: "CMYK".into(),
            plates: PROCESS.map(String::from).to_vec(),
            ..self.artifact(surface, Output::Tiff, "image/tiff")
        };
        file.finish(&name, to, &mut artifact)?;
        Ok(artifact)
    }

    /// Writes every plate of a surface.
    pub(super) fn plates<D: Destination>(
        &self,
        surface: &Surface,
        to: &mut D,
    ) -> Result<Vec<Artifact>, Violation> {
        let frame = png_frame(surface, self.profile)?;
        frame.check(self.limits)?;
        let rules = self.inks(surface)?;
        let spots: Vec<Arc<str>> = names(&spots(std::slice::from_ref(surface)));
        let mut plates: Vec<Arc<str>> = Vec::new();
        if rules.is_some() {
            plates.extend(PROCESS.map(Arc::from));
        }
        plates.extend(spots.iter().cloned());
        let files = file_names(surface, &plates);
        let made = |plate: usize, file: Hashing<D::File>, to: &mut D| {
            let mut artifact = Artifact {
                pixels: Some([frame.width, frame.height]),
                dpi: Some(frame.dpi.get()),
                color_space: "Separation".into(),
                plates: vec![plates[plate].to_string()],
                ..self.artifact(surface, Output::Plates, "image/png")
            };
            file.finish(&files[plate], to, &mut artifact)?;
            Ok::<_, Violation>(artifact)
        };
        let open = |plate: usize, to: &mut D| {
            let file = Hashing::new(to.create(&files[plate])?);
            GreyPng::new(file, frame.width, frame.height, frame.dpi, GreyDepth::Eight)
        };
        // Painted together: all that is no coverage made from the art.
        let together = |plate: &usize| rules.is_some() && !covered(surface, &plates[*plate]);
        let mut artifacts: Vec<Option<Artifact>> = plates.iter().map(|_| None).collect();
        let (first, rest): (Vec<usize>, Vec<usize>) = (0..plates.len()).partition(together);
        if let Some(rules) = &rules {
            let pngs = first.iter().map(|plate| Ok((*plate, open(*plate, to)?)));
            let sink = PlateSink::new(frame.width as usize, pngs.collect::<Result<_, Violation>>()?);
            let paper = Frame { background: Some(Color::WHITE), ..frame.clone() };
            self.on_plates(surface, rules, &spots, &paper, &[&sink])?;
            for (plate, file) in first.into_iter().zip(sink.finish()?) {
                artifacts[plate] = Some(made(plate, file, to)?);
            }
        }
        for plate in rest {
            let mut png = open(plate, to)?;
            let alone = self.alone(surface, &plates[plate])?;
            plate_rows(&alone, &plates[plate], &frame, self.limits, self.control, |row| png.row(row))?;
            artifacts[plate] = Some(made(plate, png.finish()?, to)?);
        }
        Ok(artifacts.into_iter().flatten().collect())
    }

    /// What of a surface has a say on a plate: where it is painted after all art, which cannot knock it out,
    /// its own part; else all but other plates that leave it as it is.
    fn alone(&self, surface: &Surface, plate: &str) -> Result<Surface, Violation> {
        let rules = PrintRules::of(self.profile, self.press)?;
        let own = |part: &Part| part.plate.as_ref().is_some_and(|(name, ..)| **name == *plate);
        let parts = rules.parts(&surface.nodes).unwrap_or_default();
        let nodes = parts.into_iter().find(own).map(|part| part.nodes).unwrap_or_else(|| {
            let leaves = |other: &str| rules.plates.get(other).is_some_and(|r| r.laid != Laid::Knockout);
            part(&surface.nodes, &|ink| ink.is_none_or(|other| other == plate || !leaves(other)))
        });
        Ok(Surface { nodes, ..surface.clone() })
    }
}

/// The plates of spot inks.
fn names(inks: &[Ink]) -> Vec<Arc<str>> {
    let name = |ink: &Ink| match ink {
        Ink::Spot { name, .. } => Some(name.clone()),
        Ink::Process(_) => None,
    };
    inks.iter().filter_map(name).collect()
}

/// True where a plate carries coverage that is made from the art.
fn covered(surface: &Surface, plate: &str) -> bool {
    surface.nodes.iter().any(|node| match node {
        Node::Separation(separation) => {
            matches!(&separation.ink, Ink::Spot { name, .. } if **name == *plate)
                && matches!(separation.content, Content::Coverage(_))
        }
        Node::Group(_) | Node::Path(_) | Node::Image(_) | Node::Pattern(_) | Node::Filter(_) => false,
    })
}

/// A file's name for each plate.
fn file_names(surface: &Surface, plates: &[Arc<str>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (number, plate) in plates.iter().enumerate() {
        let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let slug: String = plate.chars().map(sign).collect();
        let mut name = format!("{}.plate-{slug}.png", surface.name);
        if names.contains(&name) {
            // Plates that differ in signs only.
            name = format!("{}.plate-{slug}-{number}.png", surface.name);
        }
        names.push(name);
    }
    names
}
