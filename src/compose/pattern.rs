//! Patterns: where a cell's prints stand.

use super::Composer;
use super::place::Container;
use crate::catalog::layer::{PatternArrange, PatternLayer};
use crate::error::{Code, Violation};
use crate::scene::{Group, Node, PatternNode, bounds, rotation};
use kurbo::{Affine, Rect, Size, Vec2};
use std::sync::Arc;

/// Prints of one pattern beyond which a template is taken for mistaken.
const MOST_PRINTS: f64 = 200_000.0;

impl Composer<'_> {
    /// A cell repeated over the container and cut to it.
    pub(super) fn pattern(
        &self,
        pattern: &PatternLayer,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let env = &container.env;
        let length = |bound| Ok::<_, Violation>(env.measure(bound)?.unwrap_or(0.0));
        let cell = Size::new(length(&pattern.cell.width)?, length(&pattern.cell.height)?);
        let step = Vec2::new(
            pattern.step_x.as_ref().map(length).transpose()?.unwrap_or(cell.width),
            pattern.step_y.as_ref().map(length).transpose()?.unwrap_or(cell.height),
        );
        if !(cell.width > 0.0 && cell.height > 0.0 && step.x > 0.0 && step.y > 0.0) {
            return Err(Violation::new(Code::TemplateInvalid, "a pattern's cell and steps are above 0 mm"));
        }
        if container.size.area() / (step.x * step.y) > MOST_PRINTS {
            return Err(Violation::new(
                Code::TemplateInvalid,
                format!("a pattern prints its cell at most {MOST_PRINTS} times"),
            ));
        }
        let inner = Container {
            env: env.clone().inside(cell.width, cell.height),
            size: cell,
            to_trim: container.to_trim,
            mirrored: container.mirrored,
            suffix: container.suffix.clone(),
            listed: false,
        };
        let mut nodes = Vec::new();
        for layer in &pattern.cell.layers {
            nodes.extend(self.layer(layer, &inner)?);
        }
        let Some(covers) = bounds(&nodes, Affine::IDENTITY) else { return Ok(Vec::new()) };
        let turn = pattern.turn.as_ref().map(|t| env.number(t)).transpose()?.unwrap_or(0.0);
        let grid = Grid {
            cell,
            step,
            covers,
            arrange: pattern.arrange,
            turn,
            scale: pattern.scale.unwrap_or([1.0, 1.0]),
            jitter: pattern.jitter,
            seed: env.seed(&pattern.seed)?,
        };
        let instances = grid.instances(container.size);
        let cell = Arc::new(Group { nodes, ..Group::default() });
        let path = super::shape::rounded_rect(container.size.to_rect(), 0.0);
        Ok(vec![Node::Group(Arc::new(Group {
            clips: vec![super::shape::Outline { path, rule: Default::default() }.clip()],
            nodes: vec![Node::Pattern(Arc::new(PatternNode { cell, bounds: covers, instances }))],
            ..Group::default()
        }))])
    }
}

/// A pattern's geometry.
struct Grid {
    cell: Size,
    step: Vec2,
    /// What the cell covers, which may be more than its size.
    covers: Rect,
    arrange: PatternArrange,
    turn: f64,
    scale: [f64; 2],
    jitter: f64,
    seed: u64,
}

impl Grid {
    /// One matrix for each print that touches the box, row by row.
    fn instances(&self, size: Size) -> Vec<Affine> {
        let middle = self.cell.to_rect().center().to_vec2();
        let half = Vec2::new(
            (self.covers.x1 - middle.x).abs().max((self.covers.x0 - middle.x).abs()),
            (self.covers.y1 - middle.y).abs().max((self.covers.y0 - middle.y).abs()),
        );
        let largest = self.scale[0].max(self.scale[1]);
        // Turned, a cell reaches as far as its diagonal.
        let reach = if self.turn > 0.0 {
            Vec2::new(libm::hypot(half.x, half.y), libm::hypot(half.x, half.y))
        } else {
            half
        } * largest;
        let shifted = match self.arrange {
            PatternArrange::Scatter => self.step * self.jitter,
            PatternArrange::Grid | PatternArrange::Brick | PatternArrange::HalfDrop => Vec2::ZERO,
        };
        let margin = reach + shifted;
        let from = |margin: f64, middle: f64, step: f64| libm::floor((-margin - middle) / step) as i64 - 1;
        let to = |length: f64, margin: f64, middle: f64, step: f64| {
            libm::ceil((length + margin - middle) / step) as i64 + 1
        };
        let mut out = Vec::new();
        for row in from(margin.y, middle.y, self.step.y)..=to(size.height, margin.y, middle.y, self.step.y) {
            for column in
                from(margin.x, middle.x, self.step.x)..=to(size.width, margin.x, middle.x, self.step.x)
            {
                let place = self.print(row, column, middle);
                let seen = place.transform_rect_bbox(self.covers).intersect(size.to_rect());
                if seen.width() > 1e-9 && seen.height() > 1e-9 {
                    out.push(place);
                }
            }
        }
        out
    }

    fn print(&self, row: i64, column: i64, middle: Vec2) -> Affine {
        let mut corner = Vec2::new(column as f64 * self.step.x, row as f64 * self.step.y);
        let mut random = Random::new(self.seed, row, column);
        match self.arrange {
            PatternArrange::Grid => {}
            PatternArrange::Brick => corner.x += self.step.x * 0.5 * row.rem_euclid(2) as f64,
            PatternArrange::HalfDrop => corner.y += self.step.y * 0.5 * column.rem_euclid(2) as f64,
            PatternArrange::Scatter => {
                corner.x += self.step.x * self.jitter * random.symmetric();
                corner.y += self.step.y * self.jitter * random.symmetric();
            }
        }
        let turn = self.turn * random.symmetric();
        let scale = self.scale[0] + (self.scale[1] - self.scale[0]) * (random.symmetric() + 1.0) / 2.0;
        if turn == 0.0 && scale == 1.0 {
            return Affine::translate(corner);
        }
        Affine::translate(corner + middle)
            * rotation(turn)
            * Affine::scale(scale)
            * Affine::translate(-middle)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), seeded by a cell's place: a print does not depend on
/// how many others there are.
struct Random(u64);

impl Random {
    fn new(seed: u64, row: i64, column: i64) -> Self {
        let mut random = Random(seed);
        random.0 ^= random.next().wrapping_add(row as u64);
        random.0 ^= random.next().wrapping_add((column as u64).rotate_left(32));
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From -1 to 1.
    fn symmetric(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(arrange: PatternArrange, turn: f64) -> Grid {
        let cell = Size::new(10.0, 20.0);
        Grid {
            cell,
            step: Vec2::new(10.0, 20.0),
            covers: cell.to_rect(),
            arrange,
            turn,
            scale: [1.0, 1.0],
            jitter: 0.5,
            seed: 7,
        }
    }

    #[test]
    fn a_grid_covers_its_box_exactly_once() {
        let prints = grid(PatternArrange::Grid, 0.0).instances(Size::new(100.0, 100.0));
        assert_eq!(prints.len(), 50);
    }

    #[test]
    fn half_drop_shifts_every_second_column() {
        let prints = grid(PatternArrange::HalfDrop, 0.0).instances(Size::new(20.0, 40.0));
        let corners: Vec<Vec2> = prints.iter().map(|p| p.translation()).collect();
        assert_eq!(corners.len(), 2 + 3);
        assert!(corners.contains(&Vec2::new(0.0, 20.0)) && corners.contains(&Vec2::new(10.0, -10.0)));
    }

    #[test]
    fn a_print_does_not_depend_on_the_size_of_the_sheet() {
        let grid = grid(PatternArrange::HalfDrop, 30.0);
        let small = grid.instances(Size::new(50.0, 50.0));
        let large = grid.instances(Size::new(500.0, 500.0));
        assert!(small.iter().all(|place| large.contains(place)));
        assert!(small.iter().any(|place| place.as_coeffs()[1] != 0.0));
    }
}
