//! What a job knows of its pages before anybody reads the file: names, sizes, safe zones, and how
//! much white ink lies on them.

use crate::catalog::Profile;
use crate::scene::Surface;

/// One page, as it should come out. Lengths are in mm on the page: scaled, mirrored and turned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expected {
    /// The surface's name.
    pub surface: String,
    /// Trim size.
    pub trim: [f64; 2],
    /// How far inside the trim important things stay: left, upper, right, lower side.
    pub safe: [f64; 4],
    /// White plates by name, with the area in mm² that their ink covers. A plate that is not
    /// listed is not held against anything.
    pub white: Vec<(String, f64)>,
}

impl Expected {
    /// A surface as a profile prints it, without its white plates.
    pub fn of(surface: &Surface, profile: &Profile) -> Expected {
        let (x, y) = (profile.scale_x, profile.scale_y);
        let own = surface.safe;
        let mut safe = [own.x0 * x, own.y0 * y, own.x1 * x, own.y1 * y];
        let mut trim = [surface.trim.width * x, surface.trim.height * y];
        if profile.mirror {
            safe.swap(0, 2);
        }
        for _ in 0..(profile.rotate / 90) % 4 {
            // Clockwise: what was the lower side is now on the left.
            safe.rotate_right(1);
            trim.swap(0, 1);
        }
        Expected { surface: surface.name.to_string(), trim, safe, white: Vec::new() }
    }
}
