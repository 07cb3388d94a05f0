//! Layers: the art, and each plate that is painted after it, on an optional content group of its own.

use super::object::{dictionary, name, text};
use super::objects::Objects;
use crate::catalog::print::Step;
use crate::error::Violation;
use lopdf::{Object, ObjectId};
use std::io::Write;

/// Writes a layer (an optional content group), or finds it: equal names are one layer.
pub(super) fn layer<W: Write>(
    objects: &mut Objects<W>,
    title: &str,
    step: Option<Step>,
) -> Result<ObjectId, Violation> {
    let mut layer = dictionary([("Type", name("OCG")), ("Name", text(title))]);
    if let Some(step) = step {
        let (group, kind) = step.metadata();
        let mut metadata = dictionary([("GTS_ProcStepsGroup", name(group))]);
        if let Some(kind) = kind {
            metadata.set("GTS_ProcStepsType", name(kind));
        }
        layer.set("GTS_Metadata", Object::Dictionary(metadata));
    }
    objects.add(&Object::Dictionary(layer))
}

/// The catalog's list of layers, all of them shown.
pub(super) fn properties(layers: &[ObjectId]) -> Object {
    let all = || Object::Array(layers.iter().map(|id| Object::Reference(*id)).collect());
    let shown = dictionary([("Name", text("Layers")), ("BaseState", name("ON")), ("Order", all())]);
    Object::Dictionary(dictionary([("OCGs", all()), ("D", Object::Dictionary(shown))]))
}
