//! presswork on the command line.
fn main() {}
