//! Giving a session to other programs: what to write is an [`Export`], which [`to_writer`] and
//! [`to_file`] take.

mod csv;
mod fields;
mod file;
mod jsonl;
mod pcapng;
mod profile;
mod walk;
mod words;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

pub use self::csv::Csv;
pub(crate) use self::csv::Found;
pub use self::fields::Fields;
pub(crate) use self::file::Part;
pub use self::file::{Target, whole_file};
pub use self::jsonl::Jsonl;
pub use self::pcapng::Pcapng;
pub(crate) use self::pcapng::{hex, unhex};
pub use self::profile::Profile;
pub(crate) use self::words::{adapter_state, disconnect_reason, notify_mode};
use crate::{Result, Session};

/// Something that a session can be written as.
pub trait Export {
    /// Writes it. Of a damaged file, what stands before the damage is written, and
    /// [`Summary::damaged`] says so. Errors call what is written to `target`.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`](crate::Error::Cancelled), or what kept it from being read or written.
    fn write(
        &self,
        session: &Session,
        writer: &mut dyn Write,
        target: &Path,
        progress: &mut OnProgress<'_>,
    ) -> Result<Summary>;
}

/// Writes a session as something.
///
/// # Errors
///
/// As [`Export::write`].
pub fn to_writer(
    session: &Session,
    what: &dyn Export,
    mut writer: impl Write,
    progress: &mut OnProgress<'_>,
) -> Result<Summary> {
    what.write(session, &mut writer, Path::new("The export"), progress)
}

/// Writes a session as something into a file, which appears under its name only when it is whole.
/// What stands there is replaced then, and stays otherwise.
///
/// # Errors
///
/// [`Error::IsAFolder`](crate::Error::IsAFolder); [`Error::Exists`](crate::Error::Exists) if it must
/// not be replaced; [`Error::NoSpace`](crate::Error::NoSpace);
/// [`Error::NotWritable`](crate::Error::NotWritable); [`Error::SameFile`](crate::Error::SameFile) if
/// it is the session itself; [`Error::InUse`](crate::Error::InUse) if it is another that is being
/// recorded; else as [`Export::write`].
pub fn to_file<'a>(
    session: &Session,
    what: &dyn Export,
    target: impl Into<Target<'a>>,
    progress: &mut OnProgress<'_>,
) -> Result<Summary> {
    let target = target.into();
    file::whole(session, target, |writer| {
        what.write(session, writer, target.path(), progress)
    })
}

/// How far a long work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many rows, lines or events were written; pages of 4 KiB when a session is copied.
    pub rows: u64,
    /// How much was gone through, whether it was to be written or not.
    pub done: u64,
    /// How much there is to go through; far too much if the file [is cut
    /// off](crate::Session::is_cut_off), because nobody knows.
    pub total: u64,
    /// How long it has taken.
    pub elapsed: Duration,
}

impl Progress {
    /// Rows per second, on the average; `None` before there is one.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        (seconds > 0.0 && self.rows > 0).then(|| self.rows as f64 / seconds)
    }

    /// How long the rest will take if it goes on as it went; `None` if that cannot be told yet.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.total.checked_sub(self.done)?;
        let seconds = self.elapsed.as_secs_f64() / self.done as f64 * left as f64;
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|_| self.done > 0)
    }
}

/// Since when a work is under way.
pub(crate) struct Pace(Instant);

impl Pace {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn at(&self, rows: u64, done: u64, total: u64) -> Progress {
        Progress {
            rows,
            done: done.min(total),
            total,
            elapsed: self.0.elapsed(),
        }
    }
}

/// Told of the progress now and then; it may [break](ControlFlow::Break) the work off.
pub type OnProgress<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many rows without the header, lines, or packets.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Whether the session is damaged and this is what stands before the damage.
    pub damaged: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(rows: u64, done: u64, total: u64, seconds: u64) -> Progress {
        Progress {
            rows,
            done,
            total,
            elapsed: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn the_rest_takes_as_long_as_what_was_done_took() {
        let half_way = progress(100, 5000, 10_000, 4);
        assert_eq!(half_way.rate(), Some(25.0));
        assert_eq!(half_way.remaining(), Some(Duration::from_secs(4)));
        let done = progress(200, 10_000, 10_000, 8);
        assert_eq!(done.remaining(), Some(Duration::ZERO));
    }

    #[test]
    fn before_there_is_anything_to_go_by_nothing_is_said() {
        let start = progress(0, 0, 10_000, 0);
        assert_eq!((start.rate(), start.remaining()), (None, None));
        let waiting = progress(0, 0, 10_000, 3);
        assert_eq!((waiting.rate(), waiting.remaining()), (None, None));
    }
}
