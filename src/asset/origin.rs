//! Who answers for an asset: the order that names it, or the template it belongs to.

use crate::error::{Code, Violation};

/// Where an asset was named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said.
    #[default]
    Unknown,
    /// The order, at this JSON Pointer.
    Order(String),
    /// A template, as this file of the catalog.
    Catalog(String),
}

impl Origin {
    /// Puts a violation about the asset in its place: the order's value, or the template's file.
    /// One that is in its place already stays as it is.
    pub fn blame(&self, violation: Violation) -> Violation {
        match self {
            Origin::Order(pointer) if violation.pointer.is_none() => violation.at(pointer.clone()),
            // A file that cannot be read today is no fault of the template.
            Origin::Catalog(path)
                if !matches!(violation.code, Code::TemplateInvalid | Code::StoreUnavailable) =>
            {
                Violation::new(
                    Code::TemplateInvalid,
                    format!("the template's file {path}: {}", violation.detail),
                )
            }
            Origin::Unknown | Origin::Order(_) | Origin::Catalog(_) => violation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalog_that_cannot_be_read_today_is_not_the_templates_fault() {
        let catalog = Origin::Catalog("mug/1/art.svg".into());
        let blamed = |code| catalog.blame(Violation::new(code, "so")).code;
        assert_eq!(blamed(Code::StoreUnavailable), Code::StoreUnavailable);
        assert_eq!(blamed(Code::AssetNotFound), Code::TemplateInvalid);
    }
}
