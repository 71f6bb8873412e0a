//! What can go wrong with a session file: what happened, why, and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// What a call on a session returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call on a session failed. The text says what happened and why; [`hint`](Error::hint) says
/// what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place for session files is something else than a folder.
    #[error("Sessions cannot be recorded in {}: it is not a folder.", .path.display())]
    NotAFolder {
        /// The place.
        path: PathBuf,
    },
    /// The system does not let this program write there.
    #[error("{} cannot be written: {reason}.", .path.display())]
    NotWritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The disk is full.
    #[error("{} cannot be written: the disk is full.", .path.display())]
    NoSpace {
        /// The file or folder.
        path: PathBuf,
    },
    /// The system does not let this program read there.
    #[error("{} cannot be read: {reason}.", .path.display())]
    NotReadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// There is no such file.
    #[error("{} is not there.", .path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a Gattscope session: {reason}.", .path.display())]
    NotASession {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: &'static str,
    },
    /// The file was written by a later version.
    #[error("{} was recorded by a newer Gattscope (file version {found}; this one reads up to {known}).", .path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The file's version.
        found: i64,
        /// The latest version that can be read.
        known: i64,
    },
    /// The file is damaged from here on.
    #[error("{} is damaged: {reason}.", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Another program keeps the file locked.
    #[error("{} is locked by another program.", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The session is being recorded, or another program has it open.
    #[error("{} is in use.", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Something stands already where the file should go.
    #[error("{} is there already.", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// What is written is made of the very file that it should go to.
    #[error("{} is the file that is read, and is not replaced by what is made of it.", .path.display())]
    SameFile {
        /// The file.
        path: PathBuf,
    },
    /// The file is nothing that can be imported.
    #[error("{} cannot be imported: {reason}.", .path.display())]
    NotImportable {
        /// The file.
        path: PathBuf,
        /// What it is, or where it is wrong.
        reason: String,
    },
    /// The disk or the database said something that has no case of its own.
    #[error("{} could not be used: {reason}.", .path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// What was said.
        reason: String,
    },
    /// What was asked to be on disk is not, because recording is paused.
    #[error("Recording is paused: {reason}")]
    Paused {
        /// Why it is paused, as a sentence.
        reason: String,
    },
    /// The recorder was closed before.
    #[error("The recording has ended.")]
    Stopped,
    /// A folder stands where a file should go.
    #[error("{} is a folder.", .path.display())]
    IsAFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The one who follows the progress broke it off.
    #[error("It was cancelled. No file was written.")]
    Cancelled,
}

impl Error {
    /// A short stable word for the kind of failure; the window and the tests match on it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotAFolder { .. } => "not_a_folder",
            Error::NotWritable { .. } => "not_writable",
            Error::NoSpace { .. } => "no_space",
            Error::NotReadable { .. } => "not_readable",
            Error::NotFound { .. } => "not_found",
            Error::NotASession { .. } => "not_a_session",
            Error::NewerSchema { .. } => "newer_schema",
            Error::Damaged { .. } => "damaged",
            Error::Locked { .. } => "locked",
            Error::InUse { .. } => "in_use",
            Error::Exists { .. } => "exists",
            Error::SameFile { .. } => "same_file",
            Error::NotImportable { .. } => "not_importable",
            Error::Storage { .. } => "storage",
            Error::Paused { .. } => "paused",
            Error::Stopped => "stopped",
            Error::IsAFolder { .. } => "is_a_folder",
            Error::Cancelled => "cancelled",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Error::NotAFolder { .. } => "Move away what stands there, or choose another place.",
            Error::NotWritable { .. } => "Choose another place, or allow this user to write there.",
            Error::NoSpace { .. } => "Make room on the disk, or choose another place.",
            Error::NotReadable { .. } => "Allow this user to read it, or choose another file.",
            Error::NotFound { .. } => "It may have been moved or deleted. Choose another file.",
            Error::NotASession { .. } => "Choose a file that ends in .gattscope.",
            Error::NewerSchema { .. } => "Open it with the newer version.",
            Error::Damaged { .. } => "What could be read before the damage is shown; export it.",
            Error::Locked { .. } => "Close the other program, then try again.",
            Error::InUse { .. } => "End the recording or close the other program, then try again.",
            Error::SameFile { .. } => "Choose another name.",
            Error::Exists { .. } => "Choose another name, or allow it to be replaced.",
            Error::NotImportable { .. } => {
                "Import CSV that was exported here, or a btsnoop or pcapng capture of Bluetooth HCI."
            }
            Error::Storage { .. } => "Look whether the disk is still there and healthy.",
            Error::Paused { .. } => {
                "Recording goes on by itself as soon as the file can be written again."
            }
            Error::Stopped => "Start a new recording.",
            Error::IsAFolder { .. } => "Give the file a name inside the folder.",
            Error::Cancelled => "Start again when you are ready.",
        }
    }

    /// What a failure of the file system at `path` means.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        let path = path.to_owned();
        match error.kind() {
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Self::NotWritable {
                path,
                reason: reason(error),
            },
            Kind::StorageFull | Kind::QuotaExceeded => Self::NoSpace { path },
            Kind::NotFound => Self::NotFound { path },
            Kind::NotADirectory => Self::NotAFolder { path },
            Kind::IsADirectory => Self::IsAFolder { path },
            // Windows: a sharing or a lock violation.
            _ if cfg!(windows) && matches!(error.raw_os_error(), Some(32 | 33)) => {
                Self::Locked { path }
            }
            _ => Self::Storage {
                path,
                reason: reason(error),
            },
        }
    }

    /// What a failure to read from the file system at `path` means.
    pub(crate) fn unread(path: &Path, error: &io::Error) -> Self {
        match Self::io(path, error) {
            Self::NotWritable { path, reason } => Self::NotReadable { path, reason },
            other => other,
        }
    }

    /// What a failure of the database at `path` means.
    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => Self::NoSpace { path },
            Some(Code::ReadOnly | Code::PermissionDenied) => Self::NotWritable {
                path,
                reason: "the system does not allow it".into(),
            },
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Locked { path },
            Some(Code::NotADatabase) => Self::NotASession {
                path,
                reason: "it is not an SQLite database",
            },
            Some(Code::DatabaseCorrupt) => Self::Damaged {
                path,
                reason: plain(error),
            },
            // Rows that do not have the documented shape.
            None => Self::Damaged {
                path,
                reason: plain(error),
            },
            Some(_) => Self::Storage {
                path,
                reason: plain(error),
            },
        }
    }
}

/// The system's words, without the number that the standard library appends.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

fn plain(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    }
}
