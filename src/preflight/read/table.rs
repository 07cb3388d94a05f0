//! Cross-reference tables and streams, from the last to the first.

use super::error::ReadError;
use super::file::PdfFile;
use super::lex::Lexer;
use super::value::{Dict, Value};
use std::collections::BTreeSet;
use std::io::{Read, Seek};

/// Where an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Entry {
    /// Nowhere.
    #[default]
    Free,
    /// At an offset of the file.
    At(u64),
    /// The `index`th of an object stream.
    Within {
        /// The stream's number.
        stream: u32,
        /// Its place in there.
        index: u32,
    },
}

/// Where every object is.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// `None` until a section says something; the newest section is read first.
    entries: Vec<Option<Entry>>,
}

impl Table {
    /// Where this object is.
    pub(crate) fn get(&self, number: u32) -> Entry {
        self.entries.get(number as usize).copied().flatten().unwrap_or_default()
    }

    fn set(&mut self, number: u64, entry: Entry, most: u32) -> Result<(), ReadError> {
        if number >= u64::from(most) {
            return Err(ReadError::limit(format!("the file has more than {most} objects")));
        }
        let index = number as usize;
        if self.entries.len() <= index {
            self.entries.resize(index + 1, None);
        }
        self.entries[index].get_or_insert(entry);
        Ok(())
    }
}

fn bad(what: &str) -> ReadError {
    ReadError::damaged(format!("the cross-reference table {what}"))
}

/// Fills in a file's table and trailer.
pub(crate) fn load<R: Read + Seek>(file: &mut PdfFile<R>) -> Result<(), ReadError> {
    let tail_at = file.size.saturating_sub(1024);
    let tail = file.bytes(tail_at, 1024)?;
    let rposition = |word: &[u8]| tail.windows(word.len()).rposition(|w| w == word);
    if rposition(b"%%EOF").is_none() {
        return Err(ReadError::damaged("the file does not end with %%EOF; it may be cut off"));
    }
    let at = rposition(b"startxref")
        .ok_or_else(|| ReadError::damaged("the file does not say where its table is"))?;
    let mut lexer = Lexer::objects(&tail, at + b"startxref".len(), 2);
    let mut next = Some(lexer.unsigned().ok_or_else(|| ReadError::damaged("startxref names no place"))?);
    let mut seen = BTreeSet::new();
    while let Some(at) = next {
        if !seen.insert(at) {
            return Err(bad("leads round in a circle"));
        }
        if seen.len() > 1000 {
            return Err(ReadError::limit("the file was changed more than 1000 times"));
        }
        if at >= file.size {
            return Err(bad("lies outside the file"));
        }
        let trailer = section(file, at)?;
        let offset = |key: &str| match trailer.get(key) {
            None => Ok(None),
            Some(Value::Int(at)) => u64::try_from(*at).map(Some).map_err(|_| bad("is malformed")),
            Some(Value::Real(at)) if *at >= 0.0 => Ok(Some(*at as u64)),
            Some(_) => Err(bad("is malformed")),
        };
        if let Some(hybrid) = offset("XRefStm")? {
            if !seen.insert(hybrid) {
                return Err(bad("leads round in a circle"));
            }
            stream_section(file, hybrid)?;
        }
        next = offset("Prev")?;
        if seen.len() == 1 || file.trailer.0.is_empty() {
            file.trailer = trailer;
        }
    }
    Ok(())
}

fn section<R: Read + Seek>(file: &mut PdfFile<R>, at: u64) -> Result<Dict, ReadError> {
    let head = file.bytes(at, 32)?;
    if Lexer::objects(&head, 0, 2).keyword("xref") {
        plain_section(file, at)
    } else {
        stream_section(file, at)
    }
}

/// A table as text: twenty bytes an entry.
fn plain_section<R: Read + Seek>(file: &mut PdfFile<R>, at: u64) -> Result<Dict, ReadError> {
    let head = file.bytes(at, 64)?;
    let mut lexer = Lexer::objects(&head, 0, 2);
    lexer.keyword("xref");
    let mut at = at + lexer.at as u64;
    loop {
        let head = file.bytes(at, 64)?;
        let mut lexer = Lexer::objects(&head, 0, 2);
        if lexer.keyword("trailer") {
            return trailer(file, at + lexer.at as u64);
        }
        let (first, count) = lexer.unsigned().zip(lexer.unsigned()).ok_or_else(|| bad("is malformed"))?;
        lexer.space();
        at += lexer.at as u64;
        if count > u64::from(file.limits.objects) {
            return Err(ReadError::limit(format!("the file has more than {} objects", file.limits.objects)));
        }
        if at + count * 20 > file.size {
            return Err(bad("is cut off"));
        }
        let rows = file.bytes(at, count * 20)?;
        for (i, row) in rows.chunks(20).enumerate() {
            let mut lexer = Lexer::objects(row, 0, 2);
            let place = lexer.unsigned().zip(lexer.unsigned());
            let (offset, _) = place.ok_or_else(|| bad("has a malformed row"))?;
            let entry = if lexer.keyword("n") {
                Entry::At(offset)
            } else if lexer.keyword("f") {
                Entry::Free
            } else {
                return Err(bad("has a malformed row"));
            };
            file.table.set(first.saturating_add(i as u64), entry, file.limits.objects)?;
        }
        at += count * 20;
    }
}

fn trailer<R: Read + Seek>(file: &mut PdfFile<R>, at: u64) -> Result<Dict, ReadError> {
    let data = file.bytes(at, 65_536)?;
    let found = Lexer::objects(&data, 0, file.limits.depth).value()?;
    if let Value::Dict(dict) = found {
        Ok(dict)
    } else {
        Err(ReadError::damaged("the trailer is no dictionary"))
    }
}

/// A table as a stream: columns of bytes.
fn stream_section<R: Read + Seek>(file: &mut PdfFile<R>, at: u64) -> Result<Dict, ReadError> {
    file.table_streams = true;
    let object = file.at(at, None)?;
    let dict = object
        .value
        .dict()
        .filter(|dict| dict.is("Type", "XRef"))
        .ok_or_else(|| bad("is not where the file says"))?
        .clone();
    let whole = |value: &Value| value.int().and_then(|n| u64::try_from(n).ok());
    let numbers = |key| {
        dict.get(key).and_then(Value::array).map(|items| items.iter().filter_map(whole).collect::<Vec<_>>())
    };
    let widths = numbers("W")
        .filter(|w| w.len() >= 3 && w.iter().all(|w| *w <= 8))
        .ok_or_else(|| bad("is malformed"))?;
    let size = dict.get("Size").and_then(whole).ok_or_else(|| bad("is malformed"))?;
    let ranges = numbers("Index").unwrap_or_else(|| vec![0, size]);
    let data = file.data(&object)?.ok_or_else(|| bad("is malformed"))?;
    let row: usize = widths.iter().sum::<u64>() as usize;
    if row == 0 {
        return Err(bad("is malformed"));
    }
    let mut rows = data.chunks_exact(row);
    for range in ranges.chunks(2) {
        let [first, count] = *range else { return Err(bad("is malformed")) };
        for i in 0..count {
            let mut row = rows.next().ok_or_else(|| bad("is cut off"))?;
            let mut column = |index: usize, default: u64| {
                let width = widths[index] as usize;
                let (own, rest) = row.split_at(width);
                row = rest;
                if width == 0 { default } else { own.iter().fold(0, |n, b| n << 8 | u64::from(*b)) }
            };
            let (kind, second, third) = (column(0, 1), column(1, 0), column(2, 0));
            let narrow = |n: u64| u32::try_from(n).map_err(|_| bad("is malformed"));
            let entry = match kind {
                0 => Entry::Free,
                1 => Entry::At(second),
                2 => Entry::Within { stream: narrow(second)?, index: narrow(third)? },
                _ => Entry::Free,
            };
            file.table.set(first.saturating_add(i), entry, file.limits.objects)?;
        }
    }
    Ok(dict)
}
