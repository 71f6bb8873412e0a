//! Giving a session to other programs.

mod csv;
mod file;
mod jsonl;
mod pcapng;
mod walk;
mod words;

use std::ops::ControlFlow;

pub use self::csv::{Csv, csv, csv_file};
pub use self::jsonl::{Jsonl, jsonl, jsonl_file};
pub use self::pcapng::{Pcapng, pcapng, pcapng_file};

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many events were gone through.
    pub done: u64,
    /// How many there are to go through.
    pub total: u64,
}

/// Told of the progress now and then; it may [break](ControlFlow::Break) the export off.
pub type OnProgress<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many rows without the header, lines, or packets.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
}
