//! PNG's row filters.

/// A row filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// As it is.
    None,
    /// Minus the pixel to the left.
    Sub,
    /// Minus the pixel above.
    Up,
    /// Minus the mean of both.
    Average,
    /// Minus whichever of left, above and above left is nearest to left + above - above left.
    Paeth,
}

impl Filter {
    /// All filters.
    pub(super) const ALL: [Filter; 5] =
        [Filter::None, Filter::Sub, Filter::Up, Filter::Average, Filter::Paeth];

    /// The byte that begins a filtered row.
    pub(super) fn tag(self) -> u8 {
        match self {
            Filter::None => 0,
            Filter::Sub => 1,
            Filter::Up => 2,
            Filter::Average => 3,
            Filter::Paeth => 4,
        }
    }
}

/// Appends the filtered row and its tag. `above` is the row above, or empty where there is none;
/// `bpp` is the bytes of a pixel.
pub(super) fn filter_row(filter: Filter, row: &[u8], above: &[u8], bpp: usize, out: &mut Vec<u8>) {
    let filter = match filter {
        // The top row of a band stands alone.
        Filter::Up | Filter::Average | Filter::Paeth if above.is_empty() => Filter::Sub,
        Filter::None | Filter::Sub | Filter::Up | Filter::Average | Filter::Paeth => filter,
    };
    out.push(filter.tag());
    let left = &row[..row.len() - bpp];
    let rest = &row[bpp..];
    match filter {
        Filter::None => out.extend_from_slice(row),
        Filter::Sub => {
            out.extend_from_slice(&row[..bpp]);
            out.extend(rest.iter().zip(left).map(|(x, a)| x.wrapping_sub(*a)));
        }
        Filter::Up => out.extend(row.iter().zip(above).map(|(x, b)| x.wrapping_sub(*b))),
        Filter::Average => {
            out.extend(row[..bpp].iter().zip(above).map(|(x, b)| x.wrapping_sub(b / 2)));
            let around = left.iter().zip(&above[bpp..]);
            out.extend(
                rest.iter()
                    .zip(around)
                    .map(|(x, (a, b))| x.wrapping_sub(((u16::from(*a) + u16::from(*b)) / 2) as u8)),
            );
        }
        Filter::Paeth => {
            out.extend(row[..bpp].iter().zip(above).map(|(x, b)| x.wrapping_sub(*b)));
            let around = left.iter().zip(&above[bpp..]).zip(&above[..row.len() - bpp]);
            out.extend(rest.iter().zip(around).map(|(x, ((a, b), c))| x.wrapping_sub(paeth(*a, *b, *c))));
        }
    }
}

#[inline(always)]
fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let (left, above, corner) = (i16::from(a), i16::from(b), i16::from(c));
    let pa = (above - corner).abs();
    let pb = (left - corner).abs();
    let pc = (left + above - 2 * corner).abs();
    let best = if pb <= pc { b } else { c };
    if pa <= pb && pa <= pc { a } else { best }
}
