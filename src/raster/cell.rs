//! Patterns: a cell is painted once for each way it is turned, and then only copied.

use super::colorants::Mixing;
use super::layer::Area;
use super::list::{CellSpec, Compositing, GroupItem, Item, Shader, Spec, What};
use super::resolve::{Builder, Measure, resolve_as, union};
use super::sampler;
use super::shade::{Tiles, inverse};
use crate::error::{Code, Violation};
use crate::scene::{Blend, Group, Node, PatternNode, Tiling};
use kurbo::{Affine, Rect};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Positions of copied cells are kept to this fraction of a pixel.
const PHASES: f64 = 4.0;
/// Most pixels of all painted cells of a surface (4 or 8 bytes each).
const MAX_CELL_PIXELS: usize = 8_000_000;
/// More kinds of turning than this are read from one painted cell.
const MAX_KINDS: usize = 8;
/// Empty pixels around a painted cell, so that reading between its pixels stays inside.
const MARGIN: f64 = sampler::REACH as f64;

/// Resolves a pattern.
pub(super) fn pattern(
    builder: &mut Builder,
    node: &Arc<PatternNode>,
    to_px: Affine,
    out: &mut Vec<Item>,
) -> Result<(), Violation> {
    let places: Vec<Affine> = node.instances.iter().map(|place| to_px * *place).collect();
    // How often each linear part occurs, by its bits.
    let mut kinds: BTreeMap<[u64; 4], usize> = BTreeMap::new();
    for place in &places {
        *kinds.entry(linear_bits(*place)).or_default() += 1;
    }
    let copied = kinds.len() <= MAX_KINDS;
    let scales: BTreeSet<u64> = places.iter().map(|place| scale(*place).to_bits()).collect();
    // Scales are not negative, so that their bits are in their order.
    let largest = scales.last().filter(|_| scales.len() > MAX_KINDS).map(|bits| f64::from_bits(*bits));
    // Black lines are what they are where they are largest, as in the one form of a PDF.
    let by_size = |a: &&Affine, b: &&Affine| a.determinant().abs().total_cmp(&b.determinant().abs());
    let widest = places.iter().max_by(by_size).copied().unwrap_or(to_px);
    let outer = builder.measure;
    // A copied cell covers what lies beneath it: one that spares inks is painted each time.
    let in_place = builder.scope.spares(&node.cell) || blends(&node.cell);
    for place in places {
        let whole = Area::around(place.transform_rect_bbox(node.bounds));
        if whole.intersect(builder.frame).is_empty() {
            continue;
        }
        builder.measure = outer.apart(place, widest);
        let painted = print(builder, node, place, (in_place, copied), largest, out);
        builder.measure = outer;
        painted?;
    }
    Ok(())
}

/// True where something in a group is blended with what lies beneath the group.
fn blends(group: &Group) -> bool {
    group.blend != Blend::Normal
        || group.is_plain()
            && group.nodes.iter().any(|node| match node {
                Node::Group(inner) => blends(inner),
                Node::Pattern(pattern) => blends(&pattern.cell),
                Node::Path(_) | Node::Image(_) | Node::Filter(_) | Node::Separation(_) => false,
            })
}

/// One print of a pattern, in its place or from a painted cell.
fn print(
    builder: &mut Builder,
    node: &Arc<PatternNode>,
    place: Affine,
    (in_place, copied): (bool, bool),
    largest: Option<f64>,
    out: &mut Vec<Item>,
) -> Result<(), Violation> {
    if in_place {
        return builder.nodes(&[Node::Group(node.cell.clone())], place, out);
    }
    let item = if copied {
        copy(builder, node, place)?
    } else {
        turned(builder, node, place, painted_scale(scale(place), largest))?
    };
    match item {
        Some(item) => out.push(item),
        None => direct(builder, &node.cell, place, out)?,
    }
    Ok(())
}

/// A cell painted for its linear part and sub-pixel phase.
fn copy(builder: &mut Builder, node: &Arc<PatternNode>, place: Affine) -> Result<Option<Item>, Violation> {
    let [a, b, c, d, e, f] = place.as_coeffs();
    let (x, y) = (libm::round(e * PHASES), libm::round(f * PHASES));
    let (column, row) = (libm::floor(x / PHASES), libm::floor(y / PHASES));
    let phase = Affine::new([a, b, c, d, x / PHASES - column, y / PHASES - row]);
    let area = Area::around(phase.transform_rect_bbox(node.bounds));
    let by = (column as i32, row as i32);
    let shown = area.shift(by.0, by.1).intersect(builder.frame);
    let key =
        format!("{}cell {:?} {:?}", builder.scope.cell_key(), Arc::as_ptr(&node.cell), phase.as_coeffs());
    let Some(resource) = cell(builder, key, &node.cell, phase, builder.measure, (area, shown))? else {
        return Ok(None);
    };
    Ok(Some(Item { area: shown, what: What::Blit { resource, by } }))
}

/// The scale that a cell is painted at to be shown at `scale`: itself, or, of many, the next of a few
/// sizes from the largest down, each at most √2 too large.
fn painted_scale(scale: f64, largest: Option<f64>) -> f64 {
    let Some(mut step) = largest else { return scale };
    while step / std::f64::consts::SQRT_2 >= scale && step > 1e-6 {
        step /= std::f64::consts::SQRT_2;
    }
    step
}

/// A cell painted upright, no smaller than it is shown, and read between its pixels.
fn turned(
    builder: &mut Builder,
    node: &Arc<PatternNode>,
    place: Affine,
    scale: f64,
) -> Result<Option<Item>, Violation> {
    let upright = Affine::scale(scale);
    let area = Area::around(upright.transform_rect_bbox(node.bounds).inflate(MARGIN, MARGIN));
    let shown = Area::around(place.transform_rect_bbox(node.bounds)).intersect(builder.frame);
    let Some(back) = inverse(place) else {
        return Ok(None);
    };
    let key = format!("{}turned {:?} {scale:?}", builder.scope.cell_key(), Arc::as_ptr(&node.cell));
    let measure = builder.measure.apart(upright, place);
    let Some(resource) = cell(builder, key, &node.cell, upright, measure, (area, shown))? else {
        return Ok(None);
    };
    let into = Affine::translate((-f64::from(area.x0), -f64::from(area.y0))) * upright;
    Ok(Some(Item { area: shown, what: What::Turned { resource, from_px: into * back } }))
}

/// Paints the cell's nodes themselves: right for any size, at full price for each print.
fn direct(
    builder: &mut Builder,
    cell: &Arc<Group>,
    place: Affine,
    out: &mut Vec<Item>,
) -> Result<(), Violation> {
    let mut items = Vec::new();
    builder.nodes(&[Node::Group(cell.clone())], place, &mut items)?;
    let area = union(items.iter().map(|item| item.area));
    if !area.is_empty() {
        let layer = Some(Compositing { opacity: 1.0, mixing: Mixing::NORMAL, mask: None });
        out.push(Item { area, what: What::Group(Box::new(GroupItem { items, clips: Vec::new(), layer })) });
    }
    Ok(())
}

/// The resource of a painted cell; `None` when it does not fit the budget.
fn cell(
    builder: &mut Builder,
    key: String,
    group: &Arc<Group>,
    to_px: Affine,
    measure: Measure,
    (area, uses): (Area, Area),
) -> Result<Option<usize>, Violation> {
    let pixels = area.pixels();
    if !builder.knows(&key) {
        if builder.cell_pixels + pixels > MAX_CELL_PIXELS {
            return Ok(None);
        }
        builder.cell_pixels += pixels;
    }
    let scope = builder.scope.within();
    builder
        .resource(key, uses, || {
            let list = resolve_as(&scope, &[Node::Group(group.clone())], to_px, area, measure)?;
            Ok(Spec::Cell(Box::new(CellSpec { list, area })))
        })
        .map(Some)
}

/// A repeated cell as a paint.
pub(super) fn tiling(
    builder: &mut Builder,
    tiling: &Arc<Tiling>,
    opacity: f32,
    to_px: Affine,
    uses: Area,
) -> Result<Option<Shader>, Violation> {
    let to_px = to_px * tiling.transform;
    let Some(back) = inverse(to_px) else {
        return Ok(None);
    };
    let (width, height) = (tiling.cell.width(), tiling.cell.height());
    if width <= 0.0 || height <= 0.0 {
        return Ok(None);
    }
    let [a, b, c, d, _, _] = to_px.as_coeffs();
    let (shown_w, shown_h) = (libm::hypot(a, b) * width, libm::hypot(c, d) * height);
    // A whole number of pixels a cell, so that neighbours meet without a seam. Cells that lie
    // exactly on pixels are copied; others are painted at twice their size and averaged.
    let corner = to_px * tiling.cell.origin();
    let near = |v: f64| (v - libm::round(v)).abs() < 1e-3;
    let on_pixels =
        b.abs() + c.abs() < 1e-9 && near(shown_w) && near(shown_h) && near(corner.x) && near(corner.y);
    let fine = if on_pixels || shown_w * shown_h > MAX_CELL_PIXELS as f64 / 8.0 { 1.0 } else { 2.0 };
    let (w, h) = (libm::round(shown_w * fine).max(1.0), libm::round(shown_h * fine).max(1.0));
    if w * h > MAX_CELL_PIXELS as f64 * 2.0 {
        return Err(Violation::new(
            Code::SvgTooComplex,
            format!("a pattern's cell has {w} x {h} pixels; at most {} are allowed", MAX_CELL_PIXELS * 2),
        )
        .limit((MAX_CELL_PIXELS * 2) as u64));
    }
    let paint = Affine::scale_non_uniform(w / width, h / height)
        * Affine::translate((-tiling.cell.x0, -tiling.cell.y0));
    let area = Area::around(Rect::new(0.0, 0.0, w, h));
    let key = format!("{}tile {:?} {:?} {:?}", builder.scope.cell_key(), Arc::as_ptr(tiling), (w, h), area);
    let group = tiling.group.clone();
    let measure = builder.measure.apart(paint, to_px);
    let scope = builder.scope.within();
    let resource = builder.resource(key, uses, || {
        let list = resolve_as(&scope, &[Node::Group(group)], paint, area, measure)?;
        Ok(Spec::Cell(Box::new(CellSpec { list, area })))
    })?;
    let from_px = Affine::scale_non_uniform(1.0 / width, 1.0 / height)
        * Affine::translate((-tiling.cell.x0, -tiling.cell.y0))
        * back;
    Ok(Some(Shader::Tiles { resource, tiles: Tiles { from_px }, opacity }))
}

fn linear_bits(matrix: Affine) -> [u64; 4] {
    let [a, b, c, d, _, _] = matrix.as_coeffs();
    // Millionths of a pixel: what rounding leaves of equal matrices is equal.
    [a, b, c, d].map(|v| libm::round(v * 1e9).to_bits())
}

/// The larger of a matrix's two lengths.
fn scale(matrix: Affine) -> f64 {
    let [a, b, c, d, _, _] = matrix.as_coeffs();
    let length = libm::hypot(a, b).max(libm::hypot(c, d));
    libm::round(length * 1e6) / 1e6
}
