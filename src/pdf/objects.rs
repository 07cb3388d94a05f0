//! The document as it is written: objects leave as soon as they are known.
//!
//! Every object is written once: an object equal to an earlier one gets the earlier one's
//! number, so that profiles, pictures, forms and graphics states are shared across pages
//! without anybody keeping a list. What stays in memory is a digest and an offset an object.

use super::{deflate, object};
use crate::error::{Code, Violation};
use lopdf::{Dictionary, Object, ObjectId};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;

/// What follows the version: the four bytes that mark a binary file.
const BINARY: &[u8] = b"\n%\xE2\xE3\xCF\xD3\n";

/// A stream under way. Nothing else is written until it is closed.
pub(super) struct OpenStream {
    id: ObjectId,
    length: ObjectId,
    bytes: i64,
}

/// A document under way.
pub(super) struct Objects<W> {
    out: W,
    written: u64,
    /// Where each object begins; the first is object 1.
    offsets: Vec<u64>,
    known: BTreeMap<[u8; 32], ObjectId>,
    /// Over all that was written, streams by what identifies their data: the document's identity.
    digest: Sha256,
}

impl<W: Write> Objects<W> {
    /// Begins a document of a version, such as `1.6`.
    pub(super) fn new(out: W, version: &str) -> Result<Self, Violation> {
        let mut objects =
            Objects { out, written: 0, offsets: Vec::new(), known: BTreeMap::new(), digest: Sha256::new() };
        objects.write(format!("%PDF-{version}").as_bytes())?;
        objects.write(BINARY)?;
        Ok(objects)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.digest.update(bytes);
        self.write_identified(bytes)
    }

    /// Writes bytes that the identity knows in another way: hashing them once more is a tenth of what a
    /// page of photographs takes.
    fn write_identified(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|error| not_written(&error))
    }

    /// The first half of a digest over everything written so far.
    pub(super) fn identity(&self) -> [u8; 16] {
        let mut half = [0; 16];
        half.copy_from_slice(&self.digest.clone().finalize()[..16]);
        half
    }

    /// A number for an object that is written later.
    pub(super) fn reserve(&mut self) -> ObjectId {
        self.offsets.push(0);
        (self.offsets.len() as u32, 0)
    }

    /// Writes the object of a reserved number.
    pub(super) fn put(&mut self, id: ObjectId, value: &Object) -> Result<(), Violation> {
        self.offsets[id.0 as usize - 1] = self.written;
        let mut bytes = format!("{} 0 obj\n", id.0).into_bytes();
        object::write(&mut bytes, value);
        bytes.extend(b"\nendobj\n");
        self.write(&bytes)
    }

    /// Writes an object, or finds its equal.
    pub(super) fn add(&mut self, value: &Object) -> Result<ObjectId, Violation> {
        let mut bytes = Vec::new();
        object::write(&mut bytes, value);
        let digest = Sha256::digest(&bytes).into();
        if let Some(id) = self.known.get(&digest) {
            return Ok(*id);
        }
        let id = self.reserve();
        self.known.insert(digest, id);
        self.put(id, value)?;
        Ok(id)
    }

    /// Writes a stream, deflated, or finds its equal.
    pub(super) fn add_deflated(
        &mut self,
        mut entries: Dictionary,
        data: &[u8],
    ) -> Result<ObjectId, Violation> {
        entries.set("Filter", object::name("FlateDecode"));
        self.add_with(entries, data, deflate::zlib)
    }

    /// Writes a stream whose data is encoded already, or finds its equal.
    pub(super) fn add_encoded(&mut self, entries: Dictionary, data: &[u8]) -> Result<ObjectId, Violation> {
        self.add_with(entries, data, |_| Ok(Vec::new()))
    }

    fn add_with(
        &mut self,
        entries: Dictionary,
        data: &[u8],
        encode: impl Fn(&[u8]) -> Result<Vec<u8>, Violation>,
    ) -> Result<ObjectId, Violation> {
        let mut head = Vec::new();
        object::write_dictionary(&mut head, &entries);
        let digest = Sha256::new().chain_update(&head).chain_update(data).finalize().into();
        if let Some(id) = self.known.get(&digest) {
            return Ok(*id);
        }
        let encoded = encode(data)?;
        let body = if encoded.is_empty() { data } else { &encoded };
        let id = self.add_identified(&digest, entries, body)?;
        self.known.insert(digest, id);
        Ok(id)
    }

    /// Writes a stream whose data is encoded already and that `identity` stands for: a digest of all that
    /// it was made from. Equal ones are the caller's to find.
    pub(super) fn add_identified(
        &mut self,
        identity: &[u8; 32],
        mut entries: Dictionary,
        data: &[u8],
    ) -> Result<ObjectId, Violation> {
        let id = self.reserve();
        entries.set("Length", Object::Integer(data.len() as i64));
        let mut bytes = format!("{} 0 obj\n", id.0).into_bytes();
        object::write_dictionary(&mut bytes, &entries);
        bytes.extend(b"\nstream\n");
        self.offsets[id.0 as usize - 1] = self.written;
        self.write(&bytes)?;
        self.digest.update(identity);
        self.write_identified(data)?;
        self.write(b"\nendstream\nendobj\n")?;
        Ok(id)
    }

    /// Begins a stream whose data come in pieces and whose length is known at its end.
    pub(super) fn open_stream(&mut self, mut entries: Dictionary) -> Result<OpenStream, Violation> {
        let (id, length) = (self.reserve(), self.reserve());
        entries.set("Length", Object::Reference(length));
        let mut bytes = format!("{} 0 obj\n", id.0).into_bytes();
        object::write_dictionary(&mut bytes, &entries);
        bytes.extend(b"\nstream\n");
        self.offsets[id.0 as usize - 1] = self.written;
        self.write(&bytes)?;
        Ok(OpenStream { id, length, bytes: 0 })
    }

    /// Writes a stream's next piece, encoded already.
    pub(super) fn continue_stream(&mut self, stream: &mut OpenStream, data: &[u8]) -> Result<(), Violation> {
        stream.bytes += data.len() as i64;
        self.write(data)
    }

    /// Ends a stream; gives its number.
    pub(super) fn close_stream(&mut self, stream: OpenStream) -> Result<ObjectId, Violation> {
        self.write(b"\nendstream\nendobj\n")?;
        self.put(stream.length, &Object::Integer(stream.bytes))?;
        Ok(stream.id)
    }

    /// Writes the cross-reference table and the trailer; gives the sink back and the size in bytes.
    pub(super) fn finish(mut self, root: ObjectId, info: ObjectId) -> Result<(W, u64), Violation> {
        let start = self.written;
        let id =
            Object::String(self.digest.clone().finalize()[..16].to_vec(), lopdf::StringFormat::Hexadecimal);
        let mut bytes = format!("xref\n0 {}\n0000000000 65535 f \n", self.offsets.len() + 1).into_bytes();
        for offset in &self.offsets {
            bytes.extend(format!("{offset:010} 00000 n \n").bytes());
        }
        let trailer = object::dictionary([
            ("Size", Object::Integer(self.offsets.len() as i64 + 1)),
            ("Root", Object::Reference(root)),
            ("Info", Object::Reference(info)),
            ("ID", Object::Array(vec![id.clone(), id])),
        ]);
        bytes.extend(b"trailer\n");
        object::write_dictionary(&mut bytes, &trailer);
        bytes.extend(format!("\nstartxref\n{start}\n%%EOF\n").bytes());
        self.write(&bytes)?;
        self.out.flush().map_err(|error| not_written(&error))?;
        Ok((self.out, self.written))
    }
}

fn not_written(error: &std::io::Error) -> Violation {
    Violation::new(Code::InternalError, format!("the PDF could not be written: {}", error.kind()))
}
