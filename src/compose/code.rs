//! Scannable codes in a box.

use super::Composer;
use super::place::Container;
use crate::catalog::layer::{CodeLayer, Fit};
use crate::code::{CodeOptions, Symbology, encode};
use crate::error::Violation;
use crate::scene::{Color, Fill, FillRule, Ink, Node, Paint, PathNode};
use kurbo::{Affine, Rect, Size};
use std::sync::Arc;

impl Composer<'_> {
    /// A code's bars on their ground. Blank content prints nothing.
    pub(super) fn code(&self, code: &CodeLayer, container: &Container<'_>) -> Result<Vec<Node>, Violation> {
        let env = &container.env;
        let Some(content) = env.get(&code.content)? else { return Ok(Vec::new()) };
        let content = env.fill(&content)?;
        if content.is_empty() {
            return Ok(Vec::new());
        }
        let options = CodeOptions { error_level: code.error_level, quiet_zone: code.quiet_zone };
        let symbol = encode(code.symbology, &content, &options)?;
        let modules = Size::new(f64::from(symbol.width), f64::from(symbol.height));
        let fit = match code.symbology {
            Symbology::Qr | Symbology::DataMatrix => Fit::Fit,
            Symbology::Ean13 | Symbology::UpcA | Symbology::Code128 => Fit::Stretch,
        };
        let (into, _) = super::place::fit(fit, modules, container.size);
        let mut nodes = Vec::new();
        if let Some(ground) = &code.ground
            && let Some(ink) = self.ink(ground, env)?
        {
            let rect = Rect::from_origin_size((0.0, 0.0), modules);
            nodes.push(filled(super::shape::rounded_rect(rect, 0.0), into, ink));
        }
        let ink = match &code.color {
            Some(color) => self.ink(color, env)?,
            None => None,
        };
        nodes.push(filled(symbol.path, into, ink.unwrap_or(Ink::Process(Color::BLACK))));
        Ok(nodes)
    }
}

fn filled(mut path: kurbo::BezPath, into: Affine, ink: Ink) -> Node {
    path.apply_affine(into);
    Node::Path(Arc::new(PathNode {
        path: Arc::new(path),
        fill: Some(Fill { paint: Paint::Solid(ink), opacity: 1.0, rule: FillRule::NonZero }),
        stroke: None,
        stroke_first: false,
        overprint: false,
    }))
}
