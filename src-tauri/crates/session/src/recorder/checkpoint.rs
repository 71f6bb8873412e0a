//! Moves what was committed from the write-ahead log into the file proper, beside the writer.
//!
//! A checkpoint waits for the disk twice. On a thread of its own, with a connection of its own, it
//! does not hold up the next commit, and so does not widen what a crash would cost.

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OpenFlags};

/// How often a checkpoint that new commits overtook follows them at once.
const PURSUITS: usize = 8;

pub(super) struct Checkpointer {
    /// Taken to end the thread.
    due: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn spawn(path: &Path) -> rusqlite::Result<Self> {
        let file = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        file.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;")?;
        let (due, order) = sync_channel::<()>(1);
        let thread = thread::Builder::new()
            .name("session-checkpoint".into())
            .spawn(move || {
                while order.recv().is_ok() {
                    for _ in 0..PURSUITS {
                        match checkpoint(&file) {
                            Ok(true) => break,
                            Ok(false) => {}
                            Err(error) => {
                                // The writer meets the same disk, and says so to the user.
                                tracing::debug!(%error, "checkpoint failed");
                                break;
                            }
                        }
                    }
                }
            })
            .map_err(|error| {
                rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOMEM),
                    Some(error.to_string()),
                )
            })?;
        Ok(Self {
            due: Some(due),
            thread: Some(thread),
        })
    }

    /// Asks for a checkpoint; one that is already asked for serves this, too.
    pub(super) fn ask(&self) {
        if let Some(due) = &self.due {
            let _ = due.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.due = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Checkpoints as far as it goes without waiting for anyone; says whether that was everything.
pub(super) fn checkpoint(file: &Connection) -> rusqlite::Result<bool> {
    file.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (busy, log, done): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(busy == 0 && log == done)
    })
}
