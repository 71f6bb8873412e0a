//! How everybody knows that a session is being recorded: a file beside it, `-lock`, that its recorder
//! keeps locked. The system takes the lock away when the recorder ends, however it ends.
//!
//! The session file itself is not used for that: SQLite holds locks on it that the system forgets as
//! soon as the same process closes any other handle of the file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::with_suffix;
use crate::{Error, Result};

/// Held as long as a session is recorded.
pub(super) struct RecordingLock {
    path: PathBuf,
    _file: File,
}

impl RecordingLock {
    pub(super) fn take(session: &Path) -> Result<Self> {
        let path = with_suffix(session, "-lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| Error::io(session, &error))?;
        // A file system without locks: then SQLite's own are what tells.
        if let Err(error) = file.lock() {
            tracing::debug!(%error, "the session is recorded without a lock");
        }
        Ok(Self { path, _file: file })
    }
}

impl Drop for RecordingLock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether somebody records this session now, in whichever process.
pub(crate) fn is_recorded(session: &Path) -> bool {
    let Ok(file) = File::open(with_suffix(session, "-lock")) else {
        return false;
    };
    match file.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        // Nobody can tell: as if it were, so that nothing is deleted.
        Err(TryLockError::Error(_)) => true,
    }
}
