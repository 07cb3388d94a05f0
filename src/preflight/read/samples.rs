//! Pictures' samples: given piece by piece, or only counted, so that a picture is never held whole.

use super::error::ReadError;
use super::file::{Indirect, PdfFile};
use super::filter::is_picture;
use super::predictor::Predictor;
use std::io::{Read, Seek};

/// Bytes that are counted at a time.
const COUNTED: usize = 1 << 16;

impl<R: Read + Seek> PdfFile<R> {
    /// A picture's samples, piece by piece, each but the last of `piece` bytes, until there are no more or
    /// `give` has enough. Gives how many bytes there were; `None`, and nothing is given, of a picture that
    /// is compressed as one.
    pub(crate) fn pieces(
        &mut self,
        object: &Indirect,
        piece: usize,
        give: &mut dyn FnMut(&[u8]) -> Result<bool, ReadError>,
    ) -> Result<Option<u64>, ReadError> {
        let (data, how) = match self.packed(object)? {
            Packed::Deflated(data, predictor) => (data, Some(predictor)),
            Packed::Plain(data) => (data, None),
            Packed::Picture => return Ok(None),
        };
        let mut reader: Box<dyn Read> = match how {
            Some(_) if data.is_empty() => Box::new(std::io::empty()),
            Some(Some(predictor)) => Box::new(predictor.undo(flate2::read::ZlibDecoder::new(&data[..]))),
            Some(None) => Box::new(flate2::read::ZlibDecoder::new(&data[..])),
            None => Box::new(&data[..]),
        };
        let (mut buffer, mut whole) = (Vec::with_capacity(piece), 0);
        loop {
            buffer.clear();
            let read = reader.by_ref().take(piece as u64).read_to_end(&mut buffer);
            read.map_err(|_| broken())?;
            whole += buffer.len() as u64;
            if buffer.is_empty() {
                return Ok(Some(whole));
            }
            self.count(buffer.len())?;
            if !give(&buffer)? {
                return Ok(Some(whole));
            }
        }
    }

    /// How many bytes a picture's samples are, or `enough` of them; `None` of a picture that is compressed
    /// as one.
    pub(crate) fn sample_bytes(&mut self, object: &Indirect, enough: u64) -> Result<Option<u64>, ReadError> {
        let (data, predictor) = match self.packed(object)? {
            Packed::Deflated(data, predictor) => (data, predictor),
            Packed::Plain(data) => return Ok(Some(data.len() as u64)),
            Packed::Picture => return Ok(None),
        };
        if data.is_empty() {
            return Ok(Some(0));
        }
        let mut reader = flate2::read::ZlibDecoder::new(&data[..]);
        let (mut buffer, mut whole) = (vec![0; COUNTED], 0_u64);
        loop {
            let read = reader.read(&mut buffer).map_err(|_| broken())?;
            whole += read as u64;
            let samples = predictor.map_or(whole, |predictor| predictor.samples(whole));
            if read == 0 || samples >= enough {
                return Ok(Some(samples));
            }
            self.count(read)?;
        }
    }

    fn packed(&mut self, object: &Indirect) -> Result<Packed, ReadError> {
        let filters = self.filters(&object.value.dict().cloned().unwrap_or_default())?;
        if let [(name, parameters)] = filters.as_slice()
            && name == "FlateDecode"
        {
            let predictor = Predictor::of(parameters)?;
            return Ok(self.raw(object)?.map_or(Packed::Picture, |data| Packed::Deflated(data, predictor)));
        }
        if filters.last().is_some_and(|(name, _)| is_picture(name)) {
            return Ok(Packed::Picture);
        }
        let (data, picture) = self.unpacked(object)?;
        Ok(if picture.is_some() { Packed::Picture } else { Packed::Plain(data) })
    }
}

/// A picture's data as it comes.
enum Packed {
    /// To be inflated, and its rows undone.
    Deflated(Vec<u8>, Option<Predictor>),
    /// Samples.
    Plain(Vec<u8>),
    /// Its samples are not read here.
    Picture,
}

fn broken() -> ReadError {
    ReadError::damaged("a picture's compressed data is broken or cut off")
}
