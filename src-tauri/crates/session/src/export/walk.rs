//! Going through the events of an export: who follows it is told how far it is, and may end it.

use std::io::{self, Write};

use super::{OnProgress, Progress, Summary};
use crate::{Error, Filter, Recorded, Result, Session};

/// How often the progress is told, in rows.
const TELL: u64 = 1024;

/// What an export has gone through.
pub(super) struct Walked {
    rows: u64,
    total: u64,
}

/// Hands every event that `filter` lets through to `one`, in order.
pub(super) fn walk(
    session: &Session,
    filter: &Filter,
    progress: &mut OnProgress<'_>,
    mut one: impl FnMut(&Recorded) -> Result<()>,
) -> Result<Walked> {
    let mut events = session.events(filter)?;
    let total = events.span();
    let mut rows = 0;
    while let Some(event) = events.next() {
        let event = event?;
        if rows % TELL == 0 {
            let done = events.position(event.id);
            if progress(Progress { done, total }).is_break() {
                return Err(Error::Cancelled);
            }
        }
        one(&event)?;
        rows += 1;
    }
    Ok(Walked { rows, total })
}

impl Walked {
    /// Everything is written. The last word, and the last chance to break off.
    pub(super) fn finish(self, progress: &mut OnProgress<'_>, bytes: u64) -> Result<Summary> {
        let Self { rows, total } = self;
        if progress(Progress { done: total, total }).is_break() {
            return Err(Error::Cancelled);
        }
        Ok(Summary { rows, bytes })
    }
}

/// Counts what goes through.
pub(super) struct Counted<W> {
    pub(super) writer: W,
    pub(super) bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
