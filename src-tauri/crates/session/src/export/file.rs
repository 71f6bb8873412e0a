//! A file that appears under its name only when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::recorder::is_recorded;
use crate::{Error, Result, Session};

/// Where a file goes. From a path: what stands there is replaced when the new file is whole.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    path: &'a Path,
    replace: bool,
}

impl<'a> Target<'a> {
    /// A name that nothing has yet; [`Error::Exists`] if something has.
    #[must_use]
    pub fn new_name(path: &'a Path) -> Self {
        Self {
            path,
            replace: false,
        }
    }

    pub(crate) fn path(&self) -> &'a Path {
        self.path
    }
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for Target<'a> {
    fn from(path: &'a P) -> Self {
        Self {
            path: path.as_ref(),
            replace: true,
        }
    }
}

/// A file beside its final place, which it takes when it is [whole](Self::put). Until then what
/// stood there stays; dropped before, it leaves nothing.
pub(crate) struct Part<'a> {
    target: Target<'a>,
    place: PathBuf,
    part: PathBuf,
}

impl<'a> Part<'a> {
    /// An empty file that is to replace `path`.
    pub(crate) fn create_beside(path: &'a Path) -> Result<(Self, File)> {
        Self::beside(path.into(), path.to_owned())
    }

    /// An empty file for a work made of `source`, which it must not replace.
    pub(crate) fn create(target: Target<'a>, source: &Path) -> Result<(Self, File)> {
        let path = target.path;
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                return Err(Error::IsAFolder {
                    path: path.to_owned(),
                });
            }
            Ok(_) if !target.replace => {
                return Err(Error::Exists {
                    path: path.to_owned(),
                });
            }
            Ok(found) if !found.is_file() => {
                return Err(Error::NotWritable {
                    path: path.to_owned(),
                    reason: "something else than a file stands there".into(),
                });
            }
            // A file of another name would take its place all the same.
            Ok(found) if found.permissions().readonly() => {
                return Err(Error::NotWritable {
                    path: path.to_owned(),
                    reason: "it is marked as read-only".into(),
                });
            }
            _ => {}
        }
        // A link is written through, not replaced.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if fs::canonicalize(source).is_ok_and(|source| source == place) {
            return Err(Error::SameFile {
                path: path.to_owned(),
            });
        }
        if is_recorded(&place) {
            return Err(Error::InUse {
                path: path.to_owned(),
            });
        }
        Self::beside(target, place)
    }

    fn beside(target: Target<'a>, place: PathBuf) -> Result<(Self, File)> {
        let fail = |error: io::Error| match error.kind() {
            // It is the folder that is missing: the file is yet to be made.
            ErrorKind::NotFound => Error::NotWritable {
                path: target.path.to_owned(),
                reason: "its folder is not there, or takes no files".into(),
            },
            _ => Error::io(target.path, &error),
        };
        let name = place
            .file_name()
            .ok_or_else(|| fail(ErrorKind::InvalidInput.into()))?
            .to_string_lossy();
        let mut number = 0;
        loop {
            let part = place.with_file_name(format!(".{name}.{number}.part"));
            match OpenOptions::new().write(true).create_new(true).open(&part) {
                Ok(file) => {
                    let made = Self {
                        target,
                        place,
                        part,
                    };
                    return Ok((made, file));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(fail(error)),
            }
        }
    }

    /// Where the file goes, links followed.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Where the file is until it is whole.
    pub(crate) fn path(&self) -> &Path {
        &self.part
    }

    /// The file is whole: it gets its name.
    pub(crate) fn put(self) -> Result<()> {
        let path = self.target.path;
        let moved = File::options()
            .write(true)
            .open(&self.part)
            .and_then(|file| file.sync_all())
            .and_then(|()| match self.target.replace {
                true => fs::rename(&self.part, &self.place),
                // Unlike renaming, linking never replaces what came in the meantime.
                false => fs::hard_link(&self.part, &self.place).or_else(|error| {
                    match error.kind() {
                        ErrorKind::AlreadyExists => Err(error),
                        // A file system without links.
                        _ if fs::exists(&self.place)? => Err(ErrorKind::AlreadyExists.into()),
                        _ => fs::rename(&self.part, &self.place),
                    }
                }),
            });
        moved.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Error::Exists {
                path: path.to_owned(),
            },
            _ => Error::io(path, &error),
        })
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        // It is not there any more if it was renamed.
        let _ = fs::remove_file(&self.part);
    }
}

/// Writes a file of these bytes. What stood there is replaced when the new file is whole.
///
/// # Errors
///
/// [`Error::NotWritable`], [`Error::IsAFolder`], [`Error::InUse`] if it is a session that is recorded; then
/// what stood there stays.
pub fn whole_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let (part, mut file) = Part::create(path.into(), Path::new(""))?;
    file.write_all(bytes)
        .map_err(|error| Error::io(path, &error))?;
    part.put()
}

/// Writes a file beside `target` and puts it in its place when `write` succeeds. If anything fails,
/// what stood there stays, and nothing else is left.
pub(super) fn whole<T>(
    session: &Session,
    target: Target<'_>,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T>,
) -> Result<T> {
    let (part, file) = Part::create(target, session.path())?;
    let mut file = BufWriter::with_capacity(1 << 16, file);
    let written = write(&mut file)?;
    file.into_inner()
        .map_err(|error| Error::io(target.path, &error.into_error()))?;
    part.put()?;
    Ok(written)
}
