//! Why a command could not do its work, in words for the person who typed it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// What went wrong; its `Display` is printed and nothing else is made of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line cannot be understood; the usage follows.
    #[error("{0}")]
    Usage(String),
    /// A program ran and said no.
    #[error("`{command}` failed ({status})")]
    Command { command: String, status: ExitStatus },
    /// A program could not be started.
    #[error("cannot start `{command}`: {source}")]
    Start { command: String, source: io::Error },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// Anything else, told whole: what happened and what to do.
    #[error("{0}")]
    Told(String),
}

impl Failure {
    /// For `map_err` on an operation that touched `path`.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}
