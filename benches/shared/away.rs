//! Files that nobody keeps: what they cost is what making them costs.

use presswork::error::Violation;
use presswork::render::Destination;
use std::io::Sink;

/// Takes files and forgets them.
pub(crate) struct Away;

impl Destination for Away {
    type File = Sink;

    fn create(&mut self, _name: &str) -> Result<Sink, Violation> {
        Ok(std::io::sink())
    }

    fn discard(&mut self, _name: &str, _file: Sink) -> Result<(), Violation> {
        Ok(())
    }

    fn finish(&mut self, name: &str, _file: Sink) -> Result<String, Violation> {
        Ok(name.to_owned())
    }
}
