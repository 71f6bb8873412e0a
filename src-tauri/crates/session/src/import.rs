//! Making a session of a file of another kind: CSV that was exported here, and captures of Bluetooth
//! HCI (btsnoop, pcapng).
//!
//! A file may come from anywhere: nothing in it is trusted, and what is wrong is said with its place.

mod att;
mod capture;
mod csv;
mod gatt;
mod hci;
mod store;

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek};
use std::path::Path;

use crate::export::{OnProgress, Pace, Part, Target};
use crate::library::make_way;
use crate::{Error, Result};

/// What an import made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many events the session has.
    pub events: u64,
    /// How many ATT packets of a capture have no place in a session: requests to this computer as a
    /// server and its answers, reads of several values at once, and what is not well formed.
    pub skipped: u64,
    /// Whether the end of the capture is missing or damaged; the session has what comes before.
    pub cut_off: bool,
}

/// Makes a session file out of `source`, which it recognises by its content. The file appears under
/// its name only when it is whole. It names its source ([`Info::source`](crate::Info::source)), and
/// is kept. The progress is in events, and in bytes of the source.
///
/// - CSV that [`Csv`](crate::export::Csv) wrote comes back without loss, but for the time at which
///   a device was first seen when nothing of it is among the events, and for NUL characters in texts:
///   their sign, U+2400, becomes one again.
/// - Of a capture (btsnoop of link type 1001, 1002 or 2001, pcapng of 187, 201 or 254) come
///   advertisements, connections, and what this computer did as a GATT client: discoveries, reads,
///   writes, notifications and indications. Attributes that were not discovered in the capture are
///   characteristics with the nil UUID. Its times are shown in UTC.
///
/// # Errors
///
/// [`Error::NotImportable`] with what is wrong and where; [`Error::NotFound`],
/// [`Error::NotReadable`], [`Error::IsAFolder`], [`Error::Exists`], [`Error::InUse`] and
/// [`Error::SameFile`] for the target, [`Error::NoSpace`],
/// [`Error::NotWritable`], [`Error::Cancelled`]. Then nothing is left under the target's name but
/// what was there.
pub fn import<'a>(
    source: &Path,
    target: impl Into<Target<'a>>,
    progress: &mut OnProgress<'_>,
) -> Result<Imported> {
    let target = target.into();
    let unread = |error| Error::unread(source, &error);
    let mut file = File::open(source).map_err(unread)?;
    let found = file.metadata().map_err(unread)?;
    if found.is_dir() {
        return Err(Error::IsAFolder {
            path: source.to_owned(),
        });
    }
    let mut start = [0; 16];
    let read = fill(&mut file, &mut start).map_err(unread)?;
    file.rewind().map_err(unread)?;
    let start = &start[..read];
    let (part, empty) = Part::create(target, source)?;
    drop(empty);
    let mut work = Work {
        source,
        total: found.len(),
        pace: Pace::start(),
        progress,
    };
    let (store, mut imported) = if capture::is_one(start) {
        hci::import(&mut work, target.path(), part.path(), &file)?
    } else if csv::is_one(start) {
        csv::import(&mut work, target.path(), part.path(), BufReader::new(file))?
    } else if start.starts_with(b"time,seconds,") {
        return Err(work.refuse(
            "it is CSV of fields, which has numbers and not the bytes that they were made of",
        ));
    } else {
        return Err(work.refuse("it is neither CSV that was exported here nor a capture"));
    };
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    imported.events = store.finish(&name)?;
    work.tell(imported.events, work.total)?;
    make_way(part.place())?;
    part.put()?;
    Ok(imported)
}

/// Reads as much of `bytes` as there is.
fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> std::io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(more) => done += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// An import under way.
struct Work<'w, 'p> {
    source: &'w Path,
    total: u64,
    pace: Pace,
    progress: &'w mut OnProgress<'p>,
}

impl Work<'_, '_> {
    /// Says how far it is; an error if it is broken off.
    fn tell(&mut self, events: u64, bytes: u64) -> Result<()> {
        match (self.progress)(self.pace.at(events, bytes, self.total)).is_break() {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }

    fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::NotImportable {
            path: self.source.to_owned(),
            reason: reason.into(),
        }
    }

    fn unread(&self, error: &std::io::Error) -> Error {
        Error::unread(self.source, error)
    }
}
