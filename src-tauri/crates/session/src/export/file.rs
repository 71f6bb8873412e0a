//! A file that appears under its name only when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Writes a file beside `path` and puts it in `path`'s place when `write` succeeds. If anything
/// fails, what stood at `path` stays, and nothing else is left.
pub(super) fn whole<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T>,
) -> Result<T> {
    if path.is_dir() {
        return Err(Error::IsAFolder {
            path: path.to_owned(),
        });
    }
    // A link is written through, not replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (file, part) = beside(&target).map_err(|error| Error::io(path, &error))?;
    let mut file = BufWriter::with_capacity(1 << 16, file);
    let outcome = write(&mut file).and_then(|written| {
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&part, &target))
            .map_err(|error| Error::io(path, &error))?;
        Ok(written)
    });
    if outcome.is_err() {
        let _ = fs::remove_file(&part);
    }
    outcome
}

fn beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?
        .to_string_lossy();
    let mut number = 0;
    loop {
        let part = target.with_file_name(format!(".{name}.{number}.part"));
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Ok(file) => return Ok((file, part)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}
