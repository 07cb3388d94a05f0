//! The edge: the only place where files and networks are touched.

pub mod assets;
pub mod dir;
mod durable;
pub(crate) mod lock;
pub mod machine;
pub mod queue;
pub mod store;
