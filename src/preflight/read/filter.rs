//! Streams are decoded within a limit: a bomb ends where its limit is, not where memory ends.

use super::error::ReadError;
use super::predictor::Predictor;
use super::value::{Dict, Value};
use std::io::Read;

/// The filters whose result is a picture; their streams are left as they are.
const PICTURES: &[&str] = &["DCTDecode", "DCT", "JPXDecode", "JBIG2Decode", "CCITTFaxDecode", "CCF"];

/// True for a filter whose result is a picture.
pub(super) fn is_picture(name: &str) -> bool {
    PICTURES.contains(&name)
}

/// A stream's filters by name, with their parameters.
pub(crate) fn filters(dict: &Dict) -> Vec<(String, Dict)> {
    let list = |keys: [&str; 2]| -> Vec<Value> {
        match keys.iter().find_map(|key| dict.get(key)) {
            Some(Value::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        }
    };
    let mut parameters = list(["DecodeParms", "DP"]).into_iter();
    list(["Filter", "F"])
        .iter()
        .map(|name| {
            let own = parameters.next().and_then(|p| p.dict().cloned()).unwrap_or_default();
            (name.name().unwrap_or_default(), own)
        })
        .collect()
}

/// Decodes a stream, up to a filter that makes a picture, which is named.
pub(crate) fn decode(
    data: Vec<u8>,
    filters: Vec<(String, Dict)>,
    most: u64,
) -> Result<(Vec<u8>, Option<String>), ReadError> {
    let mut data = data;
    for (name, parameters) in filters {
        if is_picture(&name) {
            return Ok((data, Some(name)));
        }
        data = match name.as_str() {
            "FlateDecode" | "Fl" => predicted(inflate(&data, most)?, &parameters)?,
            "LZWDecode" | "LZW" => {
                let early = parameters.get("EarlyChange").and_then(Value::int) != Some(0);
                predicted(lzw(&data, early, most)?, &parameters)?
            }
            "ASCIIHexDecode" | "AHx" => hexadecimal(&data)?,
            "ASCII85Decode" | "A85" => base85(&data)?,
            "RunLengthDecode" | "RL" => run_length(&data, most)?,
            "Crypt" => data,
            _ => return Err(ReadError::damaged("a stream has a filter that PDF does not know")),
        };
    }
    Ok((data, None))
}

fn over(most: u64) -> ReadError {
    ReadError::limit(format!("a stream decodes to more than {most} bytes"))
}

fn inflate(data: &[u8], most: u64) -> Result<Vec<u8>, ReadError> {
    // No stream at all, which writers leave of empty ones.
    if data.is_empty() {
        return Ok(Vec::new());
    }
    let mut out = Vec::new();
    let mut reader = flate2::read::ZlibDecoder::new(data).take(most.saturating_add(1));
    reader
        .read_to_end(&mut out)
        .map_err(|_| ReadError::damaged("a stream's compressed data is broken or cut off"))?;
    if out.len() as u64 > most { Err(over(most)) } else { Ok(out) }
}

/// Undoes a PNG or TIFF predictor.
fn predicted(data: Vec<u8>, parameters: &Dict) -> Result<Vec<u8>, ReadError> {
    let Some(predictor) = Predictor::of(parameters)? else { return Ok(data) };
    let mut out = Vec::with_capacity(data.len());
    let undone = predictor.undo(&data[..]).read_to_end(&mut out);
    undone.map_err(|_| ReadError::damaged("a stream's predictor is malformed"))?;
    Ok(out)
}

fn hexadecimal(data: &[u8]) -> Result<Vec<u8>, ReadError> {
    let digits = data.iter().take_while(|b| **b != b'>').filter(|b| !b.is_ascii_whitespace() && **b != 0);
    let digits: Option<Vec<u8>> = digits.map(|b| char::from(*b).to_digit(16).map(|d| d as u8)).collect();
    let digits = digits.ok_or_else(|| ReadError::damaged("a hexadecimal stream is malformed"))?;
    Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect())
}

fn base85(data: &[u8]) -> Result<Vec<u8>, ReadError> {
    let bad = || ReadError::damaged("a base-85 stream is malformed");
    let (mut out, mut group, mut count) = (Vec::new(), 0_u64, 0);
    for b in data.iter().take_while(|b| **b != b'~').filter(|b| !b.is_ascii_whitespace() && **b != 0) {
        match b {
            b'z' if count == 0 => out.extend([0; 4]),
            b'!'..=b'u' => {
                group = group * 85 + u64::from(b - b'!');
                count += 1;
                if count == 5 {
                    out.extend(u32::try_from(group).map_err(|_| bad())?.to_be_bytes());
                    (group, count) = (0, 0);
                }
            }
            _ => return Err(bad()),
        }
    }
    if count == 1 {
        return Err(bad());
    }
    if count > 1 {
        for _ in count..5 {
            group = group * 85 + 84;
        }
        let bytes = u32::try_from(group).map_err(|_| bad())?.to_be_bytes();
        out.extend(&bytes[..count - 1]);
    }
    Ok(out)
}

fn run_length(data: &[u8], most: u64) -> Result<Vec<u8>, ReadError> {
    let cut = || ReadError::damaged("a run-length stream is cut off");
    let (mut out, mut rest) = (Vec::new(), data);
    while let [length, tail @ ..] = rest {
        match length {
            128 => break,
            0..128 => {
                let count = usize::from(*length) + 1;
                out.extend(tail.get(..count).ok_or_else(cut)?);
                rest = &tail[count..];
            }
            129.. => {
                let (value, tail) = tail.split_first().ok_or_else(cut)?;
                out.extend(std::iter::repeat_n(*value, 257 - usize::from(*length)));
                rest = tail;
            }
        }
        if out.len() as u64 > most {
            return Err(over(most));
        }
    }
    Ok(out)
}

/// LZW with codes of 9 to 12 bits, most significant bit first.
fn lzw(data: &[u8], early: bool, most: u64) -> Result<Vec<u8>, ReadError> {
    const CLEAR: usize = 256;
    const END: usize = 257;
    // Where in `out` each word of the table stands.
    let mut words: Vec<(usize, usize)> = Vec::new();
    let mut out: Vec<u8> = Vec::new();
    let (mut width, mut buffer, mut bits) = (9, 0_u32, 0);
    let mut last: Option<(usize, usize)> = None;
    for byte in data {
        buffer = buffer << 8 | u32::from(*byte);
        bits += 8;
        if bits < width {
            continue;
        }
        bits -= width;
        let code = (buffer >> bits) as usize & ((1 << width) - 1);
        buffer &= (1 << bits) - 1;
        if code == END {
            return Ok(out);
        }
        if code == CLEAR {
            words.clear();
            (width, last) = (9, None);
            continue;
        }
        let start = out.len();
        if code < CLEAR {
            out.push(code as u8);
        } else if let Some((from, length)) = words.get(code - 258).copied() {
            out.extend_from_within(from..from + length);
        } else if let (Some((from, length)), true) = (last, code - 258 == words.len()) {
            out.extend_from_within(from..from + length);
            out.push(out[start]);
        } else {
            return Err(ReadError::damaged("an LZW stream is malformed"));
        }
        if let Some((from, length)) = last
            && words.len() < 4096 - 258
        {
            // The earlier word and the first byte of this one stand side by side already.
            words.push((from, length + 1));
        }
        last = Some((start, out.len() - start));
        let next = words.len() + 259 + usize::from(early);
        width = match next {
            0..=512 => 9,
            513..=1024 => 10,
            1025..=2048 => 11,
            _ => 12,
        };
        if out.len() as u64 > most {
            return Err(over(most));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_filters_decode() {
        assert_eq!(hexadecimal(b"48 65 6C6c 6F7>").unwrap(), b"Hellop");
        assert_eq!(base85(b"87cURD]i,\"Ebo7~>").unwrap(), b"Hello World");
        assert_eq!(run_length(&[2, 1, 2, 3, 254, 9, 128], 99).unwrap(), [1, 2, 3, 9, 9, 9]);
        assert!(run_length(&[5, 1], 99).is_err());
    }

    #[test]
    fn the_standards_lzw_example_decodes() {
        let data = [0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01];
        assert_eq!(lzw(&data, true, 99).unwrap(), [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
    }

    #[test]
    fn a_bomb_ends_at_its_limit() {
        use std::io::Write;
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&vec![0; 5_000_000]).unwrap();
        let bomb = packer.finish().unwrap();
        assert!(matches!(inflate(&bomb, 1_000_000), Err(ReadError::TooLarge(_))));
        assert_eq!(inflate(&bomb, 5_000_000).unwrap().len(), 5_000_000);
        assert!(matches!(inflate(&bomb[..100], 5_000_000), Err(ReadError::Damaged(_))));
    }
}
