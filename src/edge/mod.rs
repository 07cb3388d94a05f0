//! The edge: the only place where files, and later networks, are touched.

pub mod dir;
