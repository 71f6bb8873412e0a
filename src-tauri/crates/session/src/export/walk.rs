//! Going through the events of an export: who follows it is told how far it is, and may end it.

use std::io::{self, Write};

use super::{OnProgress, Pace, Summary};
use crate::reader::Seen;
use crate::{Error, Events, Filter, Recorded, Result, Session};

/// What an export has gone through.
pub(super) struct Walked {
    rows: u64,
    total: u64,
    damaged: bool,
    pace: Pace,
}

/// Hands every event that `filter` lets through to `one`, in order; those before the damage, if the
/// file is damaged.
pub(super) fn walk(
    session: &Session,
    filter: &Filter,
    progress: &mut OnProgress<'_>,
    mut one: impl FnMut(&Recorded) -> Result<()>,
) -> Result<Walked> {
    go(session, filter, progress, |events, rows| {
        let (page, damage) = events.next_page()?;
        let written = || {
            for event in &page {
                one(event)?;
                *rows += 1;
            }
            damage.map_or(Ok(()), Err)
        };
        Some(written())
    })
}

/// The same, without a copy of each event. The file is held while `one` is at work.
pub(super) fn walk_in_place(
    session: &Session,
    filter: &Filter,
    progress: &mut OnProgress<'_>,
    mut one: impl FnMut(&Seen<'_>) -> Result<()>,
) -> Result<Walked> {
    go(session, filter, progress, |events, rows| {
        events.each_of_page(|event| {
            one(event)?;
            *rows += 1;
            Ok(())
        })
    })
}

/// Goes through the pages that `page` takes, which counts the rows that it wrote.
fn go(
    session: &Session,
    filter: &Filter,
    progress: &mut OnProgress<'_>,
    mut page: impl FnMut(&mut Events<'_>, &mut u64) -> Option<Result<()>>,
) -> Result<Walked> {
    let pace = Pace::start();
    let mut events = session.events(filter)?;
    let total = events.span();
    let (mut rows, mut damaged) = (0, false);
    loop {
        if progress(pace.at(rows, events.position(), total)).is_break() {
            return Err(Error::Cancelled);
        }
        match page(&mut events, &mut rows) {
            None => break,
            Some(Ok(())) => {}
            Some(Err(Error::Damaged { path, reason })) if path == session.path() => {
                tracing::warn!(reason, "the session is damaged; the export ends before");
                damaged = true;
                break;
            }
            Some(Err(other)) => return Err(other),
        }
    }
    Ok(Walked {
        rows,
        total,
        damaged,
        pace,
    })
}

impl Walked {
    /// Everything is written. The last word, and the last chance to break off.
    pub(super) fn finish(self, progress: &mut OnProgress<'_>, bytes: u64) -> Result<Summary> {
        let Self {
            rows,
            total,
            damaged,
            pace,
        } = self;
        if progress(pace.at(rows, total, total)).is_break() {
            return Err(Error::Cancelled);
        }
        Ok(Summary {
            rows,
            bytes,
            damaged,
        })
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
