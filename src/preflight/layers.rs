//! Layers: which of them presses print, and which stand for a processing step of ISO 19593-1.
//!
//! Presses print by the file's first configuration, `/D`. What it switches off does not count as
//! printed, whatever it is.

use super::content::Mode;
use super::context::Context;
use super::read::{Dict, ReadError, Value};
use std::io::{Read, Seek};

/// A layer, as far as rules care.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layer {
    /// Presses leave it out.
    hidden: bool,
    /// Group and type of its processing step.
    step: Option<(String, String)>,
}

impl<R: Read + Seek> Context<'_, R> {
    /// Reads what the layers are, and which are switched off.
    pub(crate) fn read_layers(&mut self, layers: &Dict, all: &[Value]) -> Result<(), ReadError> {
        let shown = self.file.dict(layers, "D")?.unwrap_or_default();
        let off = self.file.entry(&shown, "BaseState")?.is_some_and(|state| state.is_name("OFF"));
        let other = self.file.entry(&shown, if off { "ON" } else { "OFF" })?;
        let other = other.as_ref().and_then(Value::array).unwrap_or_default();
        for layer in all {
            self.work()?;
            let Value::Ref(number, _) = layer else { continue };
            let dict = self.file.resolve(layer)?.dict().cloned().unwrap_or_default();
            let metadata = self.file.dict(&dict, "GTS_Metadata")?.unwrap_or_default();
            let mut name = |key: &str| -> Result<Option<String>, ReadError> {
                Ok(self.file.entry(&metadata, key)?.and_then(|value| value.name()))
            };
            let kind = name("GTS_ProcStepsType")?.unwrap_or_default();
            let step = name("GTS_ProcStepsGroup")?.map(|group| (group, kind));
            self.layers.insert(*number, Layer { hidden: off != other.contains(layer), step });
        }
        Ok(())
    }

    /// How things are drawn on a layer, or a combination of layers.
    pub(crate) fn on_layer(&mut self, value: &Value, mode: Mode) -> Result<Mode, ReadError> {
        let step = self.members(value)?.into_iter().find(|number| self.step(*number).is_some());
        let hidden = mode.hidden || !self.is_shown(value)?;
        Ok(Mode { hidden, step: step.or(mode.step), ..mode })
    }

    /// The layers that a layer or a combination consists of.
    fn members(&mut self, value: &Value) -> Result<Vec<u32>, ReadError> {
        let known = |value: &Value| match value {
            Value::Ref(number, _) => Some(*number),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Real(_)
            | Value::Name(_)
            | Value::Text(_)
            | Value::Array(_)
            | Value::Dict(_) => None,
        };
        if let Some(number) = known(value).filter(|number| self.layers.contains_key(number)) {
            return Ok(vec![number]);
        }
        let dict = self.file.resolve(value)?.dict().cloned().unwrap_or_default();
        let Some(own) = dict.get("OCGs").cloned() else { return Ok(Vec::new()) };
        if let Some(number) = known(&own).filter(|number| self.layers.contains_key(number)) {
            return Ok(vec![number]);
        }
        let list = self.file.resolve(&own)?;
        let numbers = list.array().unwrap_or_default().iter().filter_map(known);
        Ok(numbers.filter(|number| self.layers.contains_key(number)).collect())
    }

    /// True where the first configuration shows what is on a layer, or a combination of them.
    fn is_shown(&mut self, value: &Value) -> Result<bool, ReadError> {
        let members = self.members(value)?;
        let dict = self.file.resolve(value)?.dict().cloned().unwrap_or_default();
        if let Some(expression) = self.file.entry(&dict, "VE")? {
            return self.holds(&expression, 0);
        }
        let policy = self.file.entry(&dict, "P")?.and_then(|policy| policy.name()).unwrap_or_default();
        let mut shown = members.iter().map(|number| !self.is_hidden(*number));
        Ok(match policy.as_str() {
            _ if members.is_empty() => true,
            "AllOn" => shown.all(|on| on),
            "AnyOff" => shown.any(|on| !on),
            "AllOff" => shown.all(|on| !on),
            _ => shown.any(|on| on),
        })
    }

    /// True where an expression of layers holds; one that does not read does.
    fn holds(&mut self, expression: &Value, depth: u32) -> Result<bool, ReadError> {
        self.work()?;
        if depth > 20 {
            return Err(ReadError::limit("an expression of layers is nested deeper than 20"));
        }
        if let Value::Ref(number, _) = expression
            && self.layers.contains_key(number)
        {
            return Ok(!self.is_hidden(*number));
        }
        let list = self.file.resolve(expression)?;
        let Some((operator, rest)) = list.array().and_then(<[Value]>::split_first) else { return Ok(true) };
        let parts: Vec<bool> =
            rest.iter().map(|part| self.holds(part, depth + 1)).collect::<Result<_, _>>()?;
        Ok(match operator.name().unwrap_or_default().as_str() {
            "And" => parts.iter().all(|part| *part),
            "Or" => parts.iter().any(|part| *part),
            "Not" => parts.first() == Some(&false),
            _ => true,
        })
    }
}

impl<R> Context<'_, R> {
    fn is_hidden(&self, number: u32) -> bool {
        self.layers.get(&number).is_some_and(|layer| layer.hidden)
    }

    /// Group and type of a layer's processing step.
    pub(crate) fn step(&self, number: u32) -> Option<&(String, String)> {
        self.layers.get(&number).and_then(|layer| layer.step.as_ref())
    }
}
