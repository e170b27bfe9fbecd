//! The vbench command line.
fn main() {}
