//! The one thing that is read from EXIF: which way up the picture is.

/// The orientation (1 to 8) in an EXIF block that starts with its TIFF header, with or without
/// the `Exif\0\0` prefix. Anything unreadable is 1: cameras write broken EXIF, and a picture
/// that nobody declared rotated is upright.
pub(super) fn orientation(exif: &[u8]) -> u8 {
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    // A broken thumbnail directory must not cost the rotation that stands before it.
    let parsed = exif::Reader::new().continue_on_error(true).read_raw(tiff.to_vec());
    let parsed = match parsed.or_else(|error| error.distill_partial_result(|_| {})) {
        Ok(parsed) => parsed,
        Err(_) => return 1,
    };
    let field = parsed.get_field(exif::Tag::Orientation, exif::In::PRIMARY);
    checked(field.and_then(|f| f.value.get_uint(0)).unwrap_or(1))
}

/// The orientation, or 1 for a number that means none.
pub(super) fn checked(value: u32) -> u8 {
    u8::try_from(value).ok().filter(|v| (1..=8).contains(v)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_byte_orders_and_survives_rubbish() {
        let little = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        assert_eq!(orientation(little), 6);
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0";
        assert_eq!(orientation(big), 8);
        assert_eq!(orientation(b"MM\0*\xff\xff\xff\xff"), 1);
        assert_eq!(orientation(b""), 1);
        assert_eq!(checked(9), 1);
    }
}
