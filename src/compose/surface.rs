//! Surfaces and their panels.

use super::env::Env;
use super::place::{Container, SurfaceState, lock};
use super::{Composer, Source};
use crate::catalog::Space;
use crate::catalog::layer::Layer;
use crate::catalog::template::{Mirror, Panel, SurfaceSpec};
use crate::error::{Code, Violation, Violations};
use crate::order::Item;
use crate::scene::{BlendSpace, Group, Node, Surface};
use kurbo::{Affine, Insets, Rect, Size};
use std::sync::Arc;

impl Composer<'_> {
    /// Every surface the order prints, repeated ones as pages.
    pub(super) fn surfaces(&self) -> Result<Vec<Surface>, Violations> {
        let env = Env::new(self.order.fields(), self.order.measures());
        let mut out = Violations::default();
        let mut surfaces = Vec::new();
        let template = self.order.template().clone();
        for (index, spec) in template.surfaces.iter().enumerate() {
            if spec.when.as_ref().is_some_and(|when| !env.holds(when)) {
                continue;
            }
            let pages: Vec<(String, Env<'_>)> = match &spec.repeat {
                None => vec![(spec.name.clone(), env.clone())],
                Some(repeat) => {
                    let items: &[Item] = env.list(&repeat.over);
                    let page = |(i, item)| {
                        let env = env.clone().with_item(&repeat.item, item, i, items.len());
                        (format!("{}-{}", spec.name, i + 1), env.with_number("page", (i + 1) as f64))
                    };
                    items.iter().enumerate().map(page).collect()
                }
            };
            for (name, env) in pages {
                let place = format!("/surfaces/{index}");
                let surface = self.surface(spec, &name, env, &place);
                surfaces.extend(out.absorb(surface));
            }
        }
        if surfaces.is_empty() && out.is_empty() {
            out.push(Violation::new(
                Code::OptionInvalid,
                "this order prints nothing: every surface is left out by its condition",
            ));
        }
        out.or(surfaces)
    }

    fn surface(
        &self,
        spec: &SurfaceSpec,
        name: &str,
        env: Env<'_>,
        pointer: &str,
    ) -> Result<Surface, Violations> {
        self.control.check()?;
        let number = |measure| env.number(measure).map_err(|v| template_place(v, pointer));
        let trim = Size::new(number(&spec.width)?, number(&spec.height)?);
        let (bleed, safe) = (number(&spec.bleed)?, number(&spec.safe)?);
        let sane = |size: f64| (0.1..100_000.0).contains(&size);
        if !(sane(trim.width)
            && sane(trim.height)
            && (0.0..1000.0).contains(&bleed)
            && (0.0..1000.0).contains(&safe))
        {
            let detail =
                "a surface is between 0.1 mm and 100 m on each side, with a bleed and a safe zone under 1 m";
            return Err(Violation::new(Code::OutputTooLarge, detail).into());
        }
        *lock(&self.surface) = SurfaceState {
            name: name.into(),
            trim,
            drawing: spec.drawing.as_ref().map(|path| Source::Catalog(format!("{}/{path}", spec.base))),
            layers: Vec::new(),
        };
        let env = env.inside(trim.width, trim.height).with_number("bleed", bleed).with_number("safe", safe);
        let container = Container {
            env,
            size: trim,
            to_trim: Affine::IDENTITY,
            mirrored: false,
            suffix: String::new(),
            listed: true,
        };
        let mut out = Violations::default();
        let mut nodes = Vec::new();
        for (i, layer) in spec.layers.iter().enumerate() {
            let made = match &layer.panel {
                None => self.layer(layer, &container),
                Some(panel) => self.on_panels(layer, panel, spec, &container),
            };
            let place = format!("{pointer}/layers/{i}");
            nodes.extend(out.absorb(made.map_err(|v| template_place(v, &place))).into_iter().flatten());
        }
        let garment = match &spec.garment {
            Some(color) => out.absorb(self.ink(color, &container.env)).flatten(),
            None => None,
        };
        let layers = std::mem::take(&mut lock(&self.surface).layers);
        out.or(Surface {
            name: name.into(),
            trim,
            bleed: Insets::uniform(bleed),
            safe: Insets::uniform(safe),
            garment: garment.map(|ink| crate::scene::Color::Srgb(ink.to_srgb())),
            blend_space: match self.order.profile().color.space {
                Space::Srgb => BlendSpace::Srgb,
                Space::Cmyk => BlendSpace::Process,
            },
            nodes,
            layers,
        })
    }

    /// A layer on one panel, in the panel's coordinates; or on all of them, in the surface's.
    fn on_panels(
        &self,
        layer: &Layer,
        name: &str,
        spec: &SurfaceSpec,
        container: &Container<'_>,
    ) -> Result<Vec<Node>, Violation> {
        let mut nodes = Vec::new();
        for (panel_name, panel) in &spec.panels {
            if name != "*" && name != panel_name {
                continue;
            }
            let rect = self.place(Some(&panel.place), container)?;
            let mut clips = Vec::new();
            let to_trim = container.to_trim * Affine::translate(rect.origin().to_vec2());
            let mask =
                panel.mask.clone().unwrap_or(crate::catalog::layer::ShapeSpec::Rect(Default::default()));
            clips.push(self.outline(&mask, rect.size(), &container.env, to_trim)?.clip());
            let art = panel_art(panel, rect, name == "*", container.size);
            let size = if name == "*" { container.size } else { rect.size() };
            let inner = Container {
                env: container.env.clone().inside(size.width, size.height),
                size,
                to_trim: to_trim * art,
                mirrored: panel.mirror == Mirror::Art,
                suffix: if name == "*" {
                    format!("{}.{panel_name}", container.suffix)
                } else {
                    container.suffix.clone()
                },
                listed: container.listed,
            };
            let content = self.layer(layer, &inner)?;
            nodes.push(Node::Group(Arc::new(Group {
                transform: Affine::translate(rect.origin().to_vec2()),
                clips,
                nodes: vec![Node::Group(Arc::new(Group {
                    transform: art,
                    nodes: content,
                    ..Group::default()
                }))],
                ..Group::default()
            })));
        }
        Ok(nodes)
    }
}

/// From a layer's container to the panel's box: turned, mirrored, and for layers on every panel
/// shifted to the panel's window of the surface.
fn panel_art(panel: &Panel, rect: Rect, everywhere: bool, surface: Size) -> Affine {
    let middle = rect.size().to_rect().center().to_vec2();
    let mut art = Affine::IDENTITY;
    if everywhere {
        let window = panel.window.map_or(rect, |[x, y, w, h]| Rect::from_origin_size((x, y), (w, h)));
        let (width, height) = if window.width() > 0.0 && window.height() > 0.0 {
            (window.width(), window.height())
        } else {
            (surface.width, surface.height)
        };
        art = Affine::scale_non_uniform(rect.width() / width, rect.height() / height)
            * Affine::translate(-window.origin().to_vec2());
    }
    let mirror = match panel.mirror {
        Mirror::None => Affine::IDENTITY,
        Mirror::Art | Mirror::All => Affine::new([-1.0, 0.0, 0.0, 1.0, rect.width(), 0.0]),
    };
    let turn = Affine::translate(middle) * crate::scene::rotation(panel.turn) * Affine::translate(-middle);
    turn * mirror * art
}

/// Faults of a template say where in the template; those of an order keep their pointer into it.
fn template_place(violation: Violation, place: &str) -> Violation {
    if violation.code == Code::TemplateInvalid && violation.pointer.is_none() {
        violation.at(place)
    } else {
        violation
    }
}
