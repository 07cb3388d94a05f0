//! The boxes of a surface as a file has them: scaled, mirrored and turned like the file's art.

use crate::order::event::Boxes;
use crate::pdf::PageBoxes;
use crate::scene::{Placement, Surface};
use kurbo::Rect;

/// Of a page of a document.
pub(super) fn of_page(surface: &Surface, page: &PageBoxes) -> Boxes {
    // A page counts upwards.
    let down = |r: Rect| Rect::new(r.x0, page.media.y1 - r.y1, r.x1, page.media.y1 - r.y0);
    boxes(surface, [page.trim, page.bleed, page.media].map(down))
}

/// Of a picture or a drawing that shows an area of the surface.
pub(super) fn placed(surface: &Surface, shown: Rect, placement: Placement) -> Boxes {
    let place = placement.matrix();
    let all = [surface.trim_box(), surface.bleed_box(), shown];
    boxes(surface, all.map(|area| place.transform_rect_bbox(area)))
}

fn boxes(surface: &Surface, [trim, bleed, media]: [Rect; 3]) -> Boxes {
    let round = |mm: f64| libm::round(mm * 10_000.0) / 10_000.0 + 0.0;
    let flat = |r: Rect| [r.x0 - trim.x0, r.y0 - trim.y0, r.width(), r.height()].map(round);
    Boxes { surface: surface.name.to_string(), trim: flat(trim), bleed: flat(bleed), media: flat(media) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::BlendSpace;
    use kurbo::{Insets, Size};

    #[test]
    fn boxes_lie_as_the_art_does() {
        let surface = Surface {
            name: "front".into(),
            trim: Size::new(100.0, 70.0),
            bleed: Insets::new(3.0, 2.0, 1.0, 4.0),
            safe: Insets::ZERO,
            garment: None,
            blend_space: BlendSpace::Srgb,
            nodes: Vec::new(),
            layers: Vec::new(),
        };
        let straight = placed(&surface, surface.bleed_box(), Placement::default());
        assert_eq!((straight.trim, straight.bleed), ([0.0, 0.0, 100.0, 70.0], [-3.0, -2.0, 104.0, 76.0]));
        // Clockwise: the left side comes to lie above, the bottom to the left.
        let turned = Placement { scale: (1.1, 1.0), mirror: false, quarter_turns: 1 };
        let turned = placed(&surface, surface.bleed_box(), turned);
        assert_eq!((turned.trim, turned.media), ([0.0, 0.0, 70.0, 110.0], [-4.0, -3.3, 76.0, 114.4]));
        // Marks stand around the bleed.
        let page = PageBoxes {
            media: Rect::new(0.0, 0.0, 124.0, 98.0),
            bleed: Rect::new(10.0, 12.0, 114.0, 88.0),
            trim: Rect::new(13.0, 16.0, 113.0, 86.0),
        };
        let page = of_page(&surface, &page);
        assert_eq!((page.bleed, page.media), (straight.bleed, [-13.0, -12.0, 124.0, 98.0]));
    }
}
