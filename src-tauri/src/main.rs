//! Starts Gattscope.
fn main() {}
