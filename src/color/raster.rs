//! Pixels as a decoder left them: interleaved, in the file's own colours.

/// What the components of a pixel are, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// Grey.
    Grey,
    /// Grey, straight alpha.
    GreyAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, straight alpha.
    RgbAlpha,
    /// Ink coverage, 0 is paper: cyan, magenta, yellow, black.
    Cmyk,
}

impl Channels {
    /// Components of one pixel.
    pub fn count(self) -> usize {
        match self {
            Channels::Grey => 1,
            Channels::GreyAlpha => 2,
            Channels::Rgb => 3,
            Channels::RgbAlpha | Channels::Cmyk => 4,
        }
    }

    /// True when the last component is alpha.
    pub fn has_alpha(self) -> bool {
        match self {
            Channels::GreyAlpha | Channels::RgbAlpha => true,
            Channels::Grey | Channels::Rgb | Channels::Cmyk => false,
        }
    }
}

/// Interleaved components in the file's depth.
#[derive(Debug, Clone, PartialEq)]
pub enum Components {
    /// 8 bits each.
    Eight(Vec<u8>),
    /// 16 bits each.
    Sixteen(Vec<u16>),
}

impl Components {
    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            Components::Eight(values) => values.len(),
            Components::Sixteen(values) => values.len(),
        }
    }

    /// True without values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In 16 bits; 8-bit values are widened so that full stays full.
    pub fn widen(self) -> Vec<u16> {
        match self {
            Components::Eight(values) => values.into_iter().map(|v| u16::from(v) * 257).collect(),
            Components::Sixteen(values) => values,
        }
    }
}

/// A decoded picture in its own colour space, rows top to bottom as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Raster {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// What a pixel consists of.
    pub channels: Channels,
    /// `width × height × channels` values.
    pub components: Components,
}

/// The nearest 8-bit value of a 16-bit one.
pub(super) fn narrow(value: u16) -> u8 {
    ((u32::from(value) * 255 + 32_767) / 65_535) as u8
}
