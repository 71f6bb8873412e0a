//! A consistent copy of a session, also while it is recorded.

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::export::{OnProgress, Pace};
use crate::{Error, Result, Session};

/// How many pages (of 4 KiB) are copied between two looks at whether it is still wanted.
const PAGES: i32 = 1024;

/// Copies `session` into a new SQLite file at `to`, which is one piece afterwards. The progress is
/// in pages. What is at `to` after a failure is of no use.
pub(crate) fn copy(session: &Session, to: &Path, progress: &mut OnProgress<'_>) -> Result<()> {
    let unread = |error: rusqlite::Error| Error::sqlite(session.path(), &error);
    let unwritten = |error: rusqlite::Error| Error::sqlite(to, &error);
    let mut target = Connection::open(to).map_err(unwritten)?;
    // The copy is worth nothing before it is whole: no journal, and one wait for the disk.
    target
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        .map_err(unwritten)?;
    // One moment of the session, whatever is recorded meanwhile.
    let moment = session
        .connection()
        .unchecked_transaction()
        .map_err(unread)?;
    moment
        .query_row("SELECT count(*) FROM session", [], |_| Ok(()))
        .map_err(unread)?;
    let backup = Backup::new(&moment, &mut target).map_err(unwritten)?;
    let pace = Pace::start();
    loop {
        let step = backup
            .step(PAGES)
            .map_err(|error| blame(session, to, &error))?;
        let pages = backup.progress();
        let total = u64::try_from(pages.pagecount).unwrap_or(0);
        let left = u64::try_from(pages.remaining).unwrap_or(0);
        let done = total.saturating_sub(left);
        match progress(pace.at(done, done, total)) {
            ControlFlow::Break(()) => return Err(Error::Cancelled),
            ControlFlow::Continue(()) => {}
        }
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            // Another program holds the file: it is tried again, and may be broken off.
            _ => std::thread::sleep(std::time::Duration::from_millis(50)),
        }
    }
    drop(backup);
    drop(moment);
    target
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE")
        .map_err(unwritten)
}

/// Reading and writing fail by the same call: damage is of the session, all else of the copy.
fn blame(session: &Session, to: &Path, error: &rusqlite::Error) -> Error {
    match Error::sqlite(session.path(), error) {
        damaged @ (Error::Damaged { .. } | Error::NotASession { .. }) => damaged,
        _ => Error::sqlite(to, error),
    }
}
