//! A PDF file on disk: its objects by number, read where they stand and forgotten again.
//!
//! Nothing but the cross-reference table stays in memory, so a file may be of any size. A table
//! that points nowhere is an error: a press's reader may repair it differently, or not at all.

use super::error::{ReadError, ReadLimits};
use super::filter;
use super::lex::Lexer;
use super::table::{Entry, Table};
use super::value::{Dict, Value};
use crate::error::{Code, Violation};
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

/// How many small objects are kept: forms and states are asked for again and again.
const KEPT_OBJECTS: usize = 512;
/// How many bytes a small object has.
const KEPT_BYTES: usize = 2_048;
/// How many decoded object streams are kept.
const KEPT_STREAMS: usize = 4;

/// An object and, of a stream, where its data lies.
#[derive(Debug, Clone)]
pub(crate) struct Indirect {
    /// The object; a stream's dictionary.
    pub(crate) value: Value,
    /// Where its encoded data begins, and how long it is.
    pub(crate) stream: Option<(u64, u64)>,
    /// Bytes it has in the file, without its data.
    bytes: usize,
}

/// An open file.
pub(crate) struct PdfFile<R> {
    source: R,
    /// Bytes.
    pub(crate) size: u64,
    /// The trailer.
    pub(crate) trailer: Dict,
    pub(crate) table: Table,
    /// Some of the table is kept in streams.
    pub(crate) table_streams: bool,
    pub(crate) limits: ReadLimits,
    decoded: u64,
    kept: BTreeMap<u32, Indirect>,
    object_streams: BTreeMap<u32, Arc<ObjectStream>>,
    /// Object streams being opened: one may not lie in itself.
    opening: Vec<u32>,
}

struct ObjectStream {
    data: Vec<u8>,
    /// Number and offset of each object.
    objects: Vec<(u32, usize)>,
}

impl<R: Read + Seek> PdfFile<R> {
    /// Reads the cross-reference tables and the trailer.
    pub(crate) fn open(mut source: R, limits: ReadLimits) -> Result<Self, ReadError> {
        let size = source.seek(SeekFrom::End(0)).map_err(|e| stopped(&e))?;
        let mut file = PdfFile {
            source,
            size,
            trailer: Dict::default(),
            table: Table::default(),
            table_streams: false,
            limits,
            decoded: 0,
            kept: BTreeMap::new(),
            object_streams: BTreeMap::new(),
            opening: Vec::new(),
        };
        super::table::load(&mut file)?;
        if file.trailer.has("Encrypt") {
            return Err(ReadError::Encrypted);
        }
        Ok(file)
    }

    /// Bytes of the file, fewer at its end.
    pub(crate) fn bytes(&mut self, at: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let length = length.min(self.size.saturating_sub(at));
        let mut bytes =
            vec![0; usize::try_from(length).map_err(|_| ReadError::limit("a stream is too long"))?];
        self.source.seek(SeekFrom::Start(at)).map_err(|e| stopped(&e))?;
        self.source.read_exact(&mut bytes).map_err(|e| stopped(&e))?;
        Ok(bytes)
    }

    /// The object of this number; `null` where there is none, as the standard says.
    pub(crate) fn object(&mut self, number: u32) -> Result<Indirect, ReadError> {
        match self.table.get(number) {
            Entry::Free => Ok(Indirect { value: Value::Null, stream: None, bytes: 0 }),
            Entry::At(offset) => {
                if let Some(kept) = self.kept.get(&number) {
                    return Ok(kept.clone());
                }
                let found = self.at(offset, Some(number))?;
                if found.bytes <= KEPT_BYTES {
                    if self.kept.len() >= KEPT_OBJECTS {
                        self.kept.clear();
                    }
                    self.kept.insert(number, found.clone());
                }
                Ok(found)
            }
            Entry::Within { stream, index } => self.within(number, stream, index),
        }
    }

    /// Reads `n g obj …` at an offset.
    pub(crate) fn at(&mut self, offset: u64, number: Option<u32>) -> Result<Indirect, ReadError> {
        let mut window = 4096;
        loop {
            let data = self.bytes(offset, window)?;
            let whole = (data.len() as u64) < window || window >= self.limits.object_bytes;
            let mut lexer = Lexer::objects(&data, 0, self.limits.depth);
            let read = header(&mut lexer, number).and_then(|()| lexer.value());
            // A value at the very end of the window may go on behind it.
            match read {
                Ok(value) if lexer.at + 64 < data.len() || whole => {
                    return self.complete(offset, &mut lexer, value);
                }
                Err(ReadError::Damaged(why)) if whole => {
                    return Err(if window >= self.limits.object_bytes {
                        ReadError::limit(format!(
                            "an object has more than {} bytes",
                            self.limits.object_bytes
                        ))
                    } else {
                        ReadError::Damaged(match number {
                            Some(number) => format!("object {number} is damaged: {why}"),
                            None => why,
                        })
                    });
                }
                Err(ReadError::Damaged(_)) | Ok(_) => window *= 4,
                Err(other) => return Err(other),
            }
        }
    }

    fn complete(&mut self, offset: u64, lexer: &mut Lexer<'_>, value: Value) -> Result<Indirect, ReadError> {
        let bytes = lexer.at;
        let Value::Dict(dict) = &value else { return Ok(Indirect { value, stream: None, bytes }) };
        if !lexer.stream_begins() {
            return Ok(Indirect { value, stream: None, bytes });
        }
        let begins = offset + lexer.at as u64;
        let length = match dict.get("Length") {
            Some(Value::Int(length)) => u64::try_from(*length).ok(),
            Some(Value::Ref(number, _)) => match self.table.get(*number) {
                // A length is a plain number in the file itself, else this could go round.
                Entry::At(at) => {
                    let data = self.bytes(at, 64)?;
                    let mut lexer = Lexer::objects(&data, 0, 2);
                    header(&mut lexer, Some(*number)).ok().and_then(|()| lexer.unsigned())
                }
                Entry::Free | Entry::Within { .. } => None,
            },
            _ => None,
        };
        let length = length.ok_or_else(|| ReadError::damaged("a stream does not say its length"))?;
        let end = begins.checked_add(length).filter(|end| *end <= self.size);
        let end = end.ok_or_else(|| ReadError::damaged("a stream is longer than the file"))?;
        let tail = self.bytes(end, 32)?;
        if !Lexer::objects(&tail, 0, 2).keyword("endstream") {
            return Err(ReadError::damaged("a stream's length is wrong"));
        }
        Ok(Indirect { value, stream: Some((begins, length)), bytes })
    }

    fn within(&mut self, number: u32, stream: u32, index: u32) -> Result<Indirect, ReadError> {
        let holder = self.object_stream(stream)?;
        let found = holder.objects.get(index as usize).filter(|(own, _)| *own == number);
        let (_, at) =
            found.ok_or_else(|| ReadError::damaged("an object stream lacks an object of the table"))?;
        let value = Lexer::objects(&holder.data, *at, self.limits.depth).value()?;
        Ok(Indirect { value, stream: None, bytes: usize::MAX })
    }

    fn object_stream(&mut self, number: u32) -> Result<Arc<ObjectStream>, ReadError> {
        if let Some(found) = self.object_streams.get(&number) {
            return Ok(found.clone());
        }
        let Entry::At(offset) = self.table.get(number) else {
            return Err(ReadError::damaged("an object stream is not in the file"));
        };
        if self.opening.contains(&number) {
            return Err(ReadError::damaged("an object stream lies within itself"));
        }
        self.opening.push(number);
        let opened = self.at(offset, Some(number)).and_then(|object| self.open_stream(&object));
        self.opening.pop();
        let opened = Arc::new(opened?);
        if self.object_streams.len() >= KEPT_STREAMS {
            self.object_streams.pop_first();
        }
        self.object_streams.insert(number, opened.clone());
        Ok(opened)
    }

    fn open_stream(&mut self, object: &Indirect) -> Result<ObjectStream, ReadError> {
        let bad = || ReadError::damaged("an object stream is malformed");
        let dict = object.value.dict().filter(|dict| dict.is("Type", "ObjStm")).ok_or_else(bad)?;
        let number = |key| dict.get(key).and_then(Value::int).and_then(|n| usize::try_from(n).ok());
        let (count, first) = (number("N").ok_or_else(bad)?, number("First").ok_or_else(bad)?);
        let data = self.data(object)?.ok_or_else(bad)?;
        let mut lexer = Lexer::objects(&data, 0, 2);
        let mut objects = Vec::new();
        // As many as there are bytes for, whatever the count claims.
        for _ in 0..count.min(data.len()) {
            let pair = lexer.unsigned().zip(lexer.unsigned()).ok_or_else(bad)?;
            let number = u32::try_from(pair.0).map_err(|_| bad())?;
            let at = usize::try_from(pair.1).ok().and_then(|at| at.checked_add(first)).ok_or_else(bad)?;
            objects.push((number, at.min(data.len())));
        }
        Ok(ObjectStream { data, objects })
    }

    /// A stream's decoded data; `None` of a picture that is compressed as one.
    pub(crate) fn data(&mut self, object: &Indirect) -> Result<Option<Vec<u8>>, ReadError> {
        let (data, picture) = self.unpacked(object)?;
        Ok(picture.is_none().then_some(data))
    }

    /// A stream's data, decoded up to a filter that makes a picture, and that filter's name.
    pub(crate) fn unpacked(&mut self, object: &Indirect) -> Result<(Vec<u8>, Option<String>), ReadError> {
        let Some((at, length)) = object.stream else {
            return Err(ReadError::damaged("something that should be a stream is none"));
        };
        if length > self.limits.stream_bytes {
            return Err(ReadError::limit(format!(
                "a stream has more than {} bytes",
                self.limits.stream_bytes
            )));
        }
        let filters = self.filters(&object.value.dict().cloned().unwrap_or_default())?;
        let data = self.bytes(at, length)?;
        let (data, picture) = filter::decode(data, filters, self.limits.stream_bytes)?;
        if picture.is_none() {
            self.count(data.len())?;
        }
        Ok((data, picture))
    }

    /// Counts decoded bytes against their limit.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), ReadError> {
        self.decoded += bytes as u64;
        if self.decoded > self.limits.decoded_bytes {
            return Err(ReadError::limit(format!(
                "the streams decode to more than {} bytes",
                self.limits.decoded_bytes
            )));
        }
        Ok(())
    }

    /// A stream's filters by name, with their parameters, references followed.
    pub(crate) fn filters(&mut self, dict: &Dict) -> Result<Vec<(String, Dict)>, ReadError> {
        let mut own = Dict::default();
        for key in ["Filter", "DecodeParms"] {
            if let Some(value) = dict.get(key) {
                let value = self.resolved_list(value)?;
                own.entries().push((key.as_bytes().into(), value));
            }
        }
        Ok(filter::filters(&own))
    }

    /// A stream's bytes as they lie in the file, where they are few enough.
    pub(crate) fn raw(&mut self, object: &Indirect) -> Result<Option<Vec<u8>>, ReadError> {
        match object.stream {
            Some((at, length)) if length <= self.limits.stream_bytes => self.bytes(at, length).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// A value, with the references in the first level of an array followed.
    fn resolved_list(&mut self, value: &Value) -> Result<Value, ReadError> {
        let found = self.resolve(value)?;
        let Value::Array(items) = &found else { return Ok(found) };
        items.iter().map(|item| self.resolve(item)).collect::<Result<_, _>>().map(Value::Array)
    }

    /// The object behind a value; a stream's dictionary.
    pub(crate) fn resolve(&mut self, value: &Value) -> Result<Value, ReadError> {
        self.follow(value).map(|found| found.value)
    }

    /// The object behind a value, with the place of its data.
    pub(crate) fn follow(&mut self, value: &Value) -> Result<Indirect, ReadError> {
        let mut found = Indirect { value: value.clone(), stream: None, bytes: 0 };
        for _ in 0..32 {
            let Value::Ref(number, _) = found.value else { return Ok(found) };
            found = self.object(number)?;
        }
        Err(ReadError::damaged("a reference leads round in a circle"))
    }

    /// The entry of a dictionary, its reference followed; `None` when absent or `null`.
    pub(crate) fn entry(&mut self, dict: &Dict, key: &str) -> Result<Option<Value>, ReadError> {
        match dict.get(key) {
            None => Ok(None),
            Some(value) => self.resolve(value).map(|value| Some(value).filter(|v| *v != Value::Null)),
        }
    }

    /// The entry, if it is a dictionary or a stream.
    pub(crate) fn dict(&mut self, dict: &Dict, key: &str) -> Result<Option<Dict>, ReadError> {
        Ok(self.entry(dict, key)?.and_then(|value| value.dict().cloned()))
    }

    /// The entry as an array with its items' references followed.
    pub(crate) fn list(&mut self, dict: &Dict, key: &str) -> Result<Option<Vec<Value>>, ReadError> {
        let Some(value) = dict.get(key) else { return Ok(None) };
        let value = value.clone();
        let found = self.resolved_list(&value)?;
        Ok(if let Value::Array(items) = found { Some(items) } else { None })
    }
}

fn header(lexer: &mut Lexer<'_>, number: Option<u32>) -> Result<(), ReadError> {
    let found = lexer.unsigned();
    let right = found.is_some() && (number.is_none() || found == number.map(u64::from));
    if right && lexer.unsigned().is_some() && lexer.keyword("obj") {
        return Ok(());
    }
    Err(ReadError::damaged("the cross-reference table points at something else"))
}

fn stopped(error: &std::io::Error) -> ReadError {
    ReadError::Stopped(Violation::new(
        Code::InternalError,
        format!("the PDF cannot be read: {}", error.kind()),
    ))
}
