//! Where a layer still has the one opaque colour that it began with.
//!
//! A pattern's prints mostly lie beside each other on a plain ground. Such a print is laid on the
//! colour once and then copied, which gives the very pixels that blending each of them would.

use super::layer::Area;
use super::sample::Pixel;

/// Painted areas that are remembered; prints of a band are hardly ever more.
const MOST: usize = 512;

/// An opaque colour and what has been painted on it.
#[derive(Debug)]
pub(super) struct Ground<S> {
    color: Pixel<S>,
    painted: Vec<Area>,
}

impl<S: Copy> Ground<S> {
    /// Nothing is painted yet.
    pub(super) fn new(color: Pixel<S>) -> Self {
        Ground { color, painted: Vec::new() }
    }

    /// Remembers that something is painted in an area; gives the colour where it is the first
    /// thing there.
    pub(super) fn paint(&mut self, area: Area) -> Option<Pixel<S>> {
        if self.painted.len() == MOST {
            return None;
        }
        let first = self.painted.iter().all(|other| other.intersect(area).is_empty());
        self.painted.push(area);
        first.then_some(self.color)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_beside_everything_else_is_on_the_ground() {
        let color = [9_u8, 9, 9, 255];
        let mut ground = Ground::new(color);
        assert_eq!(ground.paint(Area::new(0, 0, 10, 10)), Some(color));
        assert_eq!(ground.paint(Area::new(10, 0, 20, 10)), Some(color));
        assert_eq!(ground.paint(Area::new(9, 9, 12, 12)), None);
        assert_eq!(ground.paint(Area::new(11, 10, 12, 12)), None);
        assert_eq!(ground.paint(Area::new(30, 0, 40, 10)), Some(color));
        for x in 0..MOST as i32 {
            ground.paint(Area::new(100 + x, 0, 101 + x, 1));
        }
        assert_eq!(ground.paint(Area::new(0, 90, 10, 99)), None, "what is not remembered is not known");
    }
}
