//! What colour is made of: process colours, spot inks and tints.

use std::sync::Arc;

/// A colour in a named device space. Components run from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Color {
    /// IEC 61966-2-1 sRGB, gamma-encoded.
    Srgb([f32; 3]),
    /// Process ink coverage: cyan, magenta, yellow, black.
    Cmyk([f32; 4]),
    /// sRGB grey: 0 is black, 1 white.
    Grey(f32),
}

impl Color {
    /// Black in sRGB.
    pub const BLACK: Color = Color::Srgb([0.0; 3]);
    /// White in sRGB.
    pub const WHITE: Color = Color::Srgb([1.0; 3]);

    /// From 8-bit sRGB.
    pub fn rgb8(r: u8, g: u8, b: u8) -> Self {
        Color::Srgb([f32::from(r) / 255.0, f32::from(g) / 255.0, f32::from(b) / 255.0])
    }

    /// From `#rgb` or `#rrggbb`.
    pub fn parse_hex(text: &str) -> Option<Self> {
        let hex = text.strip_prefix('#')?;
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let at = |i: usize, n: usize| u8::from_str_radix(hex.get(i..i + n)?, 16).ok();
        match hex.len() {
            3 => Some(Color::rgb8(at(0, 1)? * 17, at(1, 1)? * 17, at(2, 1)? * 17)),
            6 => Some(Color::rgb8(at(0, 2)?, at(2, 2)?, at(4, 2)?)),
            _ => None,
        }
    }

    /// The colour on an sRGB screen. CMYK is mixed as ideal inks (`(1 - c)(1 - k)`), which is a
    /// stand-in for jobs whose profile names no printing condition.
    pub fn to_srgb(self) -> [f32; 3] {
        match self {
            Color::Srgb(rgb) => rgb,
            Color::Grey(grey) => [grey; 3],
            Color::Cmyk([c, m, y, k]) => [c, m, y].map(|ink| (1.0 - ink) * (1.0 - k)),
        }
    }
}

/// What an object is printed with.
#[derive(Debug, Clone, PartialEq)]
pub enum Ink {
    /// The process inks of the job's printing condition.
    Process(Color),
    /// A plate of its own.
    Spot {
        /// The exact plate name.
        name: Arc<str>,
        /// Coverage, 0 to 1.
        tint: f32,
        /// How the full ink looks where it has no plate.
        alternate: Color,
    },
}

impl Ink {
    /// The ink on an sRGB screen: a spot is its alternate, thinned by its tint towards paper white.
    pub fn to_srgb(&self) -> [f32; 3] {
        match self {
            Ink::Process(color) => color.to_srgb(),
            Ink::Spot { tint, alternate, .. } => alternate.to_srgb().map(|c| 1.0 - tint * (1.0 - c)),
        }
    }
}

impl From<Color> for Ink {
    fn from(color: Color) -> Self {
        Ink::Process(color)
    }
}
