//! Physical lengths, pixels and the one place where they meet.
//!
//! A [`Length`] is whole English Metric Units (1 mm = 36,000; 1 pt = 12,700; 1 in = 914,400),
//! in which whole millimetres, points and inches are exact. Geometry inside a scene is `f64`
//! millimetres; pixels appear only behind [`Dpi`].

use kurbo::Affine;

/// English Metric Units in one millimetre.
const EMU_PER_MM: i64 = 36_000;
/// English Metric Units in one inch.
const EMU_PER_INCH: i64 = 914_400;
/// Millimetres in an inch.
pub const MM_PER_INCH: f64 = 25.4;
/// Millimetres in a point (1/72 in).
pub const MM_PER_PT: f64 = 25.4 / 72.0;

/// A physical length, exact for whole millimetres, points and inches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Length(i64);

impl Length {
    /// From millimetres, rounded to 1/36,000 mm.
    pub fn mm(mm: f64) -> Self {
        Length(libm::round(mm * EMU_PER_MM as f64) as i64)
    }

    /// In millimetres.
    pub fn to_mm(self) -> f64 {
        self.0 as f64 / EMU_PER_MM as f64
    }

    /// In PostScript points (1/72 in).
    pub fn to_pt(self) -> f64 {
        self.0 as f64 / 12_700.0
    }

    /// The nearest whole number of pixels at a resolution; halves round up.
    pub fn to_px(self, dpi: Dpi) -> u32 {
        let milli = i128::from(self.0) * i128::from(dpi.0);
        let unit = i128::from(EMU_PER_INCH) * 1000;
        let px = (milli * 2 + unit).div_euclid(unit * 2);
        u32::try_from(px.max(0)).unwrap_or(u32::MAX)
    }
}

impl std::ops::Add for Length {
    type Output = Length;
    fn add(self, other: Length) -> Length {
        Length(self.0 + other.0)
    }
}

/// A resolution in thousandths of a pixel per inch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dpi(u32);

impl Dpi {
    /// From pixels per inch, kept to a thousandth.
    pub fn new(dpi: f64) -> Self {
        Dpi(libm::round(dpi.clamp(0.001, 1e6) * 1000.0) as u32)
    }

    /// Pixels per inch.
    pub fn get(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// Pixels per millimetre.
    pub fn per_mm(self) -> f64 {
        self.get() / MM_PER_INCH
    }

    /// Pixels per metre, as PNG's `pHYs` wants it.
    pub fn per_metre(self) -> u32 {
        libm::round(self.get() / 0.0254) as u32
    }

    /// The matrix that takes millimetres to pixels.
    pub fn mm_to_px(self) -> Affine {
        Affine::scale(self.per_mm())
    }
}

/// A turn by degrees, clockwise on the page, computed without the platform's math library.
pub fn rotation(degrees: f64) -> Affine {
    let quarter = libm::round(degrees / 90.0);
    if (degrees - quarter * 90.0).abs() < 1e-12 {
        // Exact, so that a quarter turn of a picture stays a permutation of its pixels.
        let (sin, cos) = match quarter.rem_euclid(4.0) as u8 {
            0 => (0.0, 1.0),
            1 => (1.0, 0.0),
            2 => (0.0, -1.0),
            _ => (-1.0, 0.0),
        };
        return Affine::new([cos, sin, -sin, cos, 0.0, 0.0]);
    }
    let radians = degrees * (std::f64::consts::PI / 180.0);
    let (sin, cos) = (libm::sin(radians), libm::cos(radians));
    Affine::new([cos, sin, -sin, cos, 0.0, 0.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supplier_sizes_are_exact() {
        let dpi = Dpi::new(300.0);
        assert_eq!(Length::mm(9.0 * MM_PER_INCH).to_px(dpi), 2700);
        assert_eq!(Length::mm(3.5 * MM_PER_INCH).to_px(dpi), 1050);
        assert_eq!(Length::mm(24.0 * MM_PER_INCH).to_px(dpi), 7200);
        assert_eq!(Length::mm(210.0).to_px(dpi), 2480);
        assert_eq!(dpi.per_metre(), 11_811);
    }

    #[test]
    fn quarter_turns_are_exact() {
        assert_eq!(rotation(90.0).as_coeffs(), [0.0, 1.0, -1.0, 0.0, 0.0, 0.0]);
        assert_eq!(rotation(-90.0).as_coeffs(), rotation(270.0).as_coeffs());
    }
}
