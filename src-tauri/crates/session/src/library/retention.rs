//! Which sessions have had their time: by age and by the size of all of them, never one that is
//! being recorded or that the user saved.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{End, Entry, delete, list};
use crate::{Error, Result, WallTime};

/// What is kept of sessions that the user did not save. The default is everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end a session is kept; `None` for ever.
    pub max_age: Option<Duration>,
    /// How many bytes all of them together may have, what is being recorded included; the oldest go
    /// first. `None` for any number.
    pub max_bytes: Option<u64>,
}

/// Those of `sessions` that `retention` lets go at `now`, the oldest first.
///
/// Sessions that are recorded or [kept](Entry::kept) are never among them, nor are their bytes
/// counted if they are kept.
#[must_use]
pub fn due<'a>(sessions: &'a [Entry], retention: &Retention, now: WallTime) -> Vec<&'a Entry> {
    let counted = sessions.iter().filter(|session| !session.kept);
    let mut bytes: u64 = counted
        .clone()
        .fold(0_u64, |sum, session| sum.saturating_add(session.bytes));
    let mut oldest_first: Vec<_> = counted
        .filter(|session| session.end != End::Running)
        .collect();
    oldest_first.sort_by_key(|session| (session.ended().unix_ns, &session.path));
    oldest_first
        .into_iter()
        .filter(|session| {
            let age = now.unix_ns.saturating_sub(session.ended().unix_ns);
            // A clock that was set back makes no session old.
            let age = Duration::from_nanos(u64::try_from(age).unwrap_or(0));
            let old = retention.max_age.is_some_and(|most| age > most);
            let too_much = retention.max_bytes.is_some_and(|most| bytes > most);
            if old || too_much {
                bytes = bytes.saturating_sub(session.bytes);
            }
            old || too_much
        })
        .collect()
}

/// What tidying did.
#[derive(Debug, Default)]
pub struct Tidied {
    /// The files that are gone.
    pub deleted: Vec<PathBuf>,
    /// How many bytes they had.
    pub bytes: u64,
    /// What should have gone and did not.
    pub failed: Vec<Error>,
}

/// Deletes the sessions of a folder that are [`due`]. One that somebody has open is left for the next
/// time, and so is one that `spared` names, and one that cannot be deleted: it does not keep the others.
///
/// # Errors
///
/// As [`list`].
pub fn tidy(
    folder: &Path,
    retention: &Retention,
    now: WallTime,
    spared: &dyn Fn(&Path) -> bool,
) -> Result<Tidied> {
    let sessions = list(folder)?.sessions;
    let mut tidied = Tidied::default();
    let due = due(&sessions, retention, now).into_iter();
    for session in due.filter(|session| !spared(&session.path)) {
        match delete(&session.path) {
            Ok(()) => {
                tidied.deleted.push(session.path.clone());
                tidied.bytes += session.bytes;
            }
            Err(Error::InUse { .. } | Error::NotFound { .. }) => {}
            Err(error) => tidied.failed.push(error),
        }
    }
    Ok(tidied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Losses;

    const DAY: i64 = 86_400_000_000_000;

    /// Ended at the end of `day`, after an hour.
    fn session(day: i64, bytes: u64) -> Entry {
        Entry {
            path: format!("{day}.gattscope").into(),
            title: None,
            comment: None,
            kept: false,
            source: None,
            writer: String::new(),
            end: End::Closed,
            started: at(day * DAY - 3_600_000_000_000),
            duration: Duration::from_secs(3600),
            devices: 0,
            device_names: Vec::new(),
            events: 0,
            values: None,
            lost: Losses::default(),
            bytes,
        }
    }

    fn at(unix_ns: i64) -> WallTime {
        WallTime {
            unix_ns,
            utc_offset_s: 0,
        }
    }

    fn days(due: &[&Entry]) -> Vec<i64> {
        due.iter()
            .map(|session| session.ended().unix_ns / DAY)
            .collect()
    }

    #[test]
    fn nothing_goes_without_a_limit() {
        let sessions = [session(1, u64::MAX / 4), session(2, u64::MAX / 4)];
        assert_eq!(due(&sessions, &Retention::default(), at(i64::MAX)).len(), 0);
    }

    #[test]
    fn what_is_older_than_the_age_goes_and_what_is_as_old_stays() {
        let sessions = [session(9, 1), session(1, 1), session(3, 1), session(2, 1)];
        let retention = Retention {
            max_age: Some(Duration::from_nanos(7 * DAY as u64)),
            max_bytes: None,
        };
        assert_eq!(days(&due(&sessions, &retention, at(10 * DAY))), [1, 2]);
        assert_eq!(days(&due(&sessions, &retention, at(0))), [0_i64; 0]);
    }

    #[test]
    fn the_oldest_go_until_the_rest_fits() {
        let sessions = [session(3, 40), session(1, 50), session(2, 30)];
        let due_for = |most| {
            let retention = Retention {
                max_age: None,
                max_bytes: Some(most),
            };
            days(&due(&sessions, &retention, at(10 * DAY)))
        };
        assert_eq!(due_for(120), [0_i64; 0]);
        assert_eq!(due_for(119), [1]);
        assert_eq!(due_for(70), [1]);
        assert_eq!(due_for(69), [1, 2]);
        assert_eq!(due_for(0), [1, 2, 3]);
    }

    #[test]
    fn what_is_recorded_or_saved_stays_whatever_its_age_and_size() {
        let mut sessions = [session(1, 100), session(2, 100), session(3, 100)];
        sessions[0].kept = true;
        sessions[1].end = End::Running;
        let retention = Retention {
            max_age: Some(Duration::ZERO),
            max_bytes: Some(0),
        };
        assert_eq!(days(&due(&sessions, &retention, at(10 * DAY))), [3]);
        // What is saved is not counted; what is recorded is.
        let retention = Retention {
            max_age: None,
            max_bytes: Some(200),
        };
        assert_eq!(due(&sessions, &retention, at(10 * DAY)).len(), 0);
        let retention = Retention {
            max_age: None,
            max_bytes: Some(199),
        };
        assert_eq!(days(&due(&sessions, &retention, at(10 * DAY))), [3]);
    }
}
