//! What a job knows of its pages before anybody reads the file: names, sizes, safe zones, where type and
//! codes are, and how much white ink lies on them.

use crate::catalog::Profile;
use crate::scene::Surface;
use kurbo::Rect;

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
    /// Layers of type and codes.
    pub readable: Vec<Readable>,
}

/// A layer of type, or a code.
#[derive(Debug, Clone, PartialEq)]
pub struct Readable {
    /// The layer's name.
    pub layer: String,
    /// It is to be scanned.
    pub code: bool,
    /// What it covers, from the trim box's top left corner.
    pub area: Rect,
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
        let surface = surface.name.to_string();
        Expected { surface, trim, safe, white: Vec::new(), readable: Vec::new() }
    }

    /// Where an area of a surface comes out on its page.
    pub fn place(area: Rect, surface: &Surface, profile: &Profile) -> Rect {
        let (x, y) = (profile.scale_x, profile.scale_y);
        let [mut width, mut height] = [surface.trim.width * x, surface.trim.height * y];
        let mut area = Rect::new(area.x0 * x, area.y0 * y, area.x1 * x, area.y1 * y);
        if profile.mirror {
            area = Rect::new(width - area.x1, area.y0, width - area.x0, area.y1);
        }
        for _ in 0..(profile.rotate / 90) % 4 {
            area = Rect::new(height - area.y1, area.x0, height - area.y0, area.x1);
            std::mem::swap(&mut width, &mut height);
        }
        area
    }
}
