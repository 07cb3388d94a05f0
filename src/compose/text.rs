//! Words: content filled in, laid out, painted.

use super::place::Container;
use super::{Composer, Remark};
use crate::catalog::layer::{Case, Layer, PaintSpec, TextLayer};
use crate::error::{Code, Violation};
use crate::scene::{Color, Fill, FillRule, Group, Ink, MM_PER_PT, Node, Paint, PathNode};
use crate::text::{MissingGlyph, Overflow, Run, TextBlock, layout};
use std::sync::Arc;

/// Type smaller than this cannot be meant.
const SMALLEST_PT: f64 = 0.5;

impl Composer<'_> {
    /// A text layer's outlines. Blank content prints nothing.
    pub(super) fn text(
        &self,
        text: &TextLayer,
        layer: &Layer,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let env = &container.env;
        let Some(content) = env.get(&text.content)? else { return Ok(Vec::new()) };
        let words = env.fill(&content)?;
        let words = match text.case {
            Case::Typed => words,
            Case::Upper => words.to_uppercase(),
            Case::Lower => words.to_lowercase(),
        };
        if words.trim().is_empty() {
            return Ok(Vec::new());
        }
        let (Some(font), Some(size)) = (env.get(&text.font)?, env.measure(&text.size)?) else {
            return Err(Violation::new(
                Code::TemplateInvalid,
                "a text's font or size follows a field that may have no value",
            ));
        };
        let min_size = text.min_size.as_ref().map(|m| env.number(m)).transpose()?;
        if !(SMALLEST_PT..10_000.0).contains(&size) || min_size.is_some_and(|min| min < SMALLEST_PT) {
            return Err(Violation::new(
                Code::TemplateInvalid,
                "a text's size is between 0.5 and 10,000 points",
            ));
        }
        let policy = &self.order.profile().policy;
        let place = container.to_trim.transform_rect_bbox(container.size.to_rect());
        let block = TextBlock {
            text: &words,
            font: &font,
            size: size * MM_PER_PT,
            min_size: min_size.map(|min| min.min(size) * MM_PER_PT),
            width: container.size.width,
            height: container.size.height,
            align: text.align,
            valign: text.valign,
            line_height: text.line_height,
            letter_spacing: text.letter_spacing,
            wrap: text.wrap,
            max_lines: text.max_lines,
            overflow: Overflow::Allow,
            glyphs: MissingGlyph::Allow,
        };
        let laid = layout(self.fonts, &block)?;
        if laid.overflows {
            self.remark(Remark {
                code: Code::TextOverflow,
                action: policy.overflow,
                layer: &layer.id,
                place,
                detail: "this text does not fit its place at its smallest size: shorten it".into(),
            })?;
        }
        if laid.missing > 0 {
            self.remark(Remark {
                code: Code::TextGlyphMissing,
                action: policy.glyphs,
                layer: &layer.id,
                place,
                detail: format!(
                    "{} characters of this text are in no font of the library: leave them out, or add a font",
                    laid.missing
                ),
            })?;
        }
        self.painted(laid.runs, text, layer, container)
    }

    fn painted(
        &self,
        runs: Vec<Run>,
        text: &TextLayer,
        layer: &Layer,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let env = &container.env;
        let stroke = match &text.stroke {
            Some(stroke) => self.stroke(stroke, env)?,
            None => None,
        };
        let black = Paint::Solid(Ink::Process(Color::BLACK));
        let mut nodes = Vec::new();
        for run in runs {
            match run {
                Run::Outline(path) if path.elements().is_empty() => {}
                Run::Outline(path) => {
                    let path = Arc::new(path);
                    let filled = |paint: Paint| {
                        Node::Path(Arc::new(PathNode {
                            path: path.clone(),
                            fill: Some(Fill { paint, opacity: 1.0, rule: FillRule::NonZero }),
                            stroke: stroke.clone(),
                            stroke_first: !text.stroke_in_front,
                            overprint: false,
                        }))
                    };
                    let paint = match &text.fill {
                        None => Some(black.clone()),
                        Some(spec) => self.plain_paint(spec, container.size, env)?,
                    };
                    match (paint, &text.fill) {
                        (Some(paint), _) => nodes.push(filled(paint)),
                        // A picture or pattern seen through the words, with the stroke on its own.
                        (None, Some(spec @ (PaintSpec::Image(_) | PaintSpec::Pattern(_)))) => {
                            let mut pieces = Vec::new();
                            let outline =
                                super::shape::Outline { path: (*path).clone(), rule: FillRule::NonZero };
                            pieces.extend(self.fill_nodes(spec, outline, layer, container)?);
                            if stroke.is_some() {
                                let line = PathNode {
                                    path: path.clone(),
                                    fill: None,
                                    stroke: stroke.clone(),
                                    stroke_first: false,
                                    overprint: false,
                                };
                                pieces.insert(
                                    if text.stroke_in_front { pieces.len() } else { 0 },
                                    Node::Path(Arc::new(line)),
                                );
                            }
                            nodes.extend(pieces);
                        }
                        (None, _) => {}
                    }
                }
                Run::Color(group) => nodes.push(Node::Group(Arc::new(Group {
                    nodes: vec![Node::Group(group)],
                    ..Group::default()
                }))),
            }
        }
        Ok(nodes)
    }
}
