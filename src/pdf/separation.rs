//! Plates beside the art: outlines in a spot ink, and coverage as an image of one component.
//!
//! Coverage is painted in bands when its page is written and deflated as it comes, so that only
//! the packed image is ever held.

use super::content::Content;
use super::image::FLIP;
use super::object::{dictionary, name};
use super::paint::{Painter, Space};
use crate::asset::Limits;
use crate::derive::coverage_rows;
use crate::error::{Code, Violation};
use crate::print::Role;
use crate::raster::Frame;
use crate::scene::separation::{Beneath, Content as Carried, Coverage};
use crate::scene::{Blend, Placement, Separation};
use flate2::write::ZlibEncoder;
use kurbo::Affine;
use lopdf::{Object, ObjectId};
use std::io::Write;

impl<W: Write> Painter<'_, W> {
    /// A plate beside the art.
    pub(super) fn separation(
        &mut self,
        out: &mut Content,
        separation: &Separation,
        space: Space,
    ) -> Result<(), Violation> {
        match &separation.content {
            Carried::Outlines(nodes) => {
                // The paths overprint by themselves; a form around them would mix the spot into
                // the form's own colour space.
                let state = match separation.beneath {
                    // On a layer of its own every path of the plate is laid as the profile says.
                    Beneath::Overprint | Beneath::Multiply if self.lifting.is_some() => None,
                    Beneath::Overprint => None,
                    Beneath::Multiply => self.state(1.0, Blend::Multiply, None, false)?,
                };
                out.save();
                if let Some(state) = state {
                    out.state(state);
                }
                self.nodes(out, nodes, space)?;
                out.restore();
                Ok(())
            }
            Carried::Coverage(coverage) => {
                let ink =
                    self.spaces.ink(self.objects, &separation.ink, space.tone, self.inking, Role::Area)?;
                let image = self.coverage(coverage, ink.space)?;
                let state = match separation.beneath {
                    Beneath::Overprint => self.state(1.0, Blend::Normal, None, true)?,
                    Beneath::Multiply => self.state(1.0, Blend::Multiply, None, false)?,
                };
                let area = coverage.area;
                out.save();
                if let Some(state) = state {
                    out.state(state);
                }
                let place = Affine::translate(area.origin().to_vec2())
                    * Affine::scale_non_uniform(area.width(), area.height());
                out.transform(place * FLIP);
                out.draw(image);
                out.restore();
                Ok(())
            }
        }
    }

    /// The image: 0 is no ink.
    fn coverage(&mut self, coverage: &Coverage, space: ObjectId) -> Result<ObjectId, Violation> {
        let frame = Frame::of(coverage.area, self.images.dpi, Placement::default());
        let limits = Limits { output_pixels: self.images.most_pixels, ..Limits::default() };
        let mut packed = ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
        let failed =
            |_| Violation::new(Code::InternalError, "a plate could not be compressed; please report it");
        coverage_rows(coverage, &frame, &limits, self.control, |row| packed.write_all(row).map_err(failed))?;
        let data = packed.finish().map_err(failed)?;
        let entries = dictionary([
            ("Type", name("XObject")),
            ("Subtype", name("Image")),
            ("Width", Object::Integer(i64::from(frame.width))),
            ("Height", Object::Integer(i64::from(frame.height))),
            ("ColorSpace", Object::Reference(space)),
            ("BitsPerComponent", Object::Integer(8)),
            ("Filter", name("FlateDecode")),
        ]);
        self.objects.add_encoded(entries, &data)
    }
}
