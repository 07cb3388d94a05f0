//! How a surface lies on its medium: film is printed mirrored, some media shrink.

use super::rotation;
use kurbo::Affine;

/// How the art lies on its medium: scaled, then mirrored, then turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Horizontal and vertical scale.
    pub scale: (f64, f64),
    /// Left and right are exchanged.
    pub mirror: bool,
    /// Quarter turns, clockwise.
    pub quarter_turns: u8,
}

impl Default for Placement {
    fn default() -> Self {
        Placement { scale: (1.0, 1.0), mirror: false, quarter_turns: 0 }
    }
}

impl Placement {
    /// The matrix, from the surface's millimetres to millimetres somewhere around the origin.
    pub fn matrix(&self) -> Affine {
        let flip = if self.mirror { -1.0 } else { 1.0 };
        rotation(f64::from(self.quarter_turns % 4) * 90.0)
            * Affine::scale_non_uniform(self.scale.0 * flip, self.scale.1)
    }
}
