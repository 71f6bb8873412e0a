//! The shell: commands of a few lines, one bridge, settings, the log file, the window.
//!
//! Everything that is not about a window, a file dialog or the place of a file is in
//! [`explorer`]; what is here takes what it needs, calls it, and returns.

mod arguments;
mod commands;
mod demo;
mod logging;
mod settings;
mod shell;

pub use arguments::{Arguments, Stop};
pub use shell::run;
