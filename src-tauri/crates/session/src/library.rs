//! Sessions as documents: what is in a folder, in a few numbers each, and what a user does with a
//! document: name it, say something of it, keep it, save it elsewhere, delete it, find it.
//!
//! Listing reads a few pages of each file, whatever its size. Nothing here changes what was recorded;
//! the title, the comment and whether it is kept are the user's.

mod retention;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

pub use self::retention::{Retention, Tidied, due, tidy};
use crate::copy::copy;
use crate::export::{OnProgress, Part, Target};
use crate::reader::distrust;
use crate::recorder::{is_recorded, make_folder, numbered, remove_with_companions, with_suffix};
use crate::{
    Error, Kind, Losses, Result, SCHEMA_VERSION, SUFFIX, Session, SessionTime, WallTime, schema,
};

/// How many names of devices an [`Entry`] has at most.
const NAMES: usize = 12;

/// How long another program may hold a file that is to be changed.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was closed.
    Closed,
    /// It is being recorded, here or by another process.
    Running,
    /// It was not closed: the program ended, or the computer did. All that was committed is there.
    Interrupted,
    /// The end of the file is missing. What is left can be read.
    CutOff,
}

/// A session of a folder, in a few numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// What the user calls it; `None` if nothing, then the name of the file serves.
    pub title: Option<String>,
    /// What the user says of it.
    pub comment: Option<String>,
    /// Whether the user saved it; then [`tidy`] leaves it alone.
    pub kept: bool,
    /// The name of the file that it was imported from; `None` if it was recorded.
    pub source: Option<String>,
    /// The program that recorded it.
    pub writer: String,
    /// How it ended.
    pub end: End,
    /// When it started.
    pub started: WallTime,
    /// How long it lasted, or has lasted up to now.
    pub duration: Duration,
    /// How many devices it has.
    pub devices: u64,
    /// What at most twelve of them are called (their identifiers, where no name was received), those
    /// that were connected first. *As received*: clean them before showing them.
    pub device_names: Vec<String>,
    /// How many events it has, gaps included. 0 where the file does not tell without being read
    /// through: it is cut off.
    pub events: u64,
    /// How many of them are notifications and indications, reads and writes; `None` where the file
    /// does not tell: it is of an older version or cut off.
    pub values: Option<u64>,
    /// How many events are missing.
    pub lost: Losses,
    /// Its size on disk, in bytes.
    pub bytes: u64,
}

impl Entry {
    /// What to call it: the title, or the name of the file without its suffix.
    #[must_use]
    pub fn name(&self) -> String {
        let stem = || self.path.file_stem().unwrap_or_default().to_string_lossy();
        self.title.clone().unwrap_or_else(|| stem().into_owned())
    }

    /// When it ended, or up to when it has come.
    #[must_use]
    pub fn ended(&self) -> WallTime {
        let lasted = i64::try_from(self.duration.as_nanos()).unwrap_or(i64::MAX);
        WallTime {
            unix_ns: self.started.unix_ns.saturating_add(lasted),
            ..self.started
        }
    }
}

/// The sessions of a folder.
#[derive(Debug, Default)]
pub struct Listing {
    /// Those that can be opened, the latest first.
    pub sessions: Vec<Entry>,
    /// Files with the suffix of a session that cannot, and why.
    pub refused: Vec<Error>,
}

/// Lists the sessions of a folder, not those of folders in it. A folder that is not there has none.
///
/// # Errors
///
/// [`Error::NotAFolder`], [`Error::NotReadable`].
pub fn list(folder: &Path) -> Result<Listing> {
    let mut listing = Listing::default();
    for path in paths(folder)? {
        match entry(&path) {
            Ok(entry) => listing.sessions.push(entry),
            // Deleted since.
            Err(Error::NotFound { .. }) => {}
            Err(error) => listing.refused.push(error),
        }
    }
    listing
        .sessions
        .sort_by(|a, b| (b.started.unix_ns, &b.path).cmp(&(a.started.unix_ns, &a.path)));
    Ok(listing)
}

fn paths(folder: &Path) -> Result<Vec<PathBuf>> {
    let files = match fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::unread(folder, &error)),
    };
    let mut paths = Vec::new();
    for file in files {
        let path = file.map_err(|error| Error::unread(folder, &error))?.path();
        if path.extension() == Some(OsStr::new(SUFFIX)) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// One session in a few numbers.
///
/// # Errors
///
/// As [`Session::open`].
pub fn entry(path: &Path) -> Result<Entry> {
    let running = is_recorded(path);
    let session = Session::open_as_it_is(path)?;
    let cut_off = session.is_cut_off();
    let info = session.brief()?;
    let values = match session.version() {
        _ if cut_off => None,
        2.. => {
            let counts = session.counts()?.into_iter();
            let values = counts.filter(|count| Kind::VALUES.contains(&count.kind));
            Some(values.fold(0_u64, |sum, count| sum.saturating_add(count.events)))
        }
        _ => None,
    };
    let (devices, device_names) = session.device_names(NAMES)?;
    let last = info.ended.max(info.last).unwrap_or_default();
    let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    Ok(Entry {
        path: path.to_owned(),
        title: info.title,
        comment: info.comment,
        kept: info.kept,
        source: info.source,
        writer: info.writer,
        end: match info.ended {
            _ if cut_off => End::CutOff,
            _ if running => End::Running,
            Some(_) => End::Closed,
            None => End::Interrupted,
        },
        started: info.started,
        duration: Duration::from_nanos(u64::try_from(last.nanos()).unwrap_or(0)),
        devices,
        device_names,
        events: info.events,
        values,
        lost: info.lost,
        bytes: size(path) + size(&with_suffix(path, "-wal")),
    })
}

/// A file of this folder, which is made if it is not there, that nothing stands under yet: called
/// `stem`, with a number if others are. Whoever writes there says that it must be [a new
/// name](Target::new_name).
///
/// # Errors
///
/// [`Error::NotAFolder`], [`Error::NotWritable`].
pub fn vacant(folder: &Path, stem: &str) -> Result<PathBuf> {
    make_folder(folder)?;
    let mut number = 1;
    while numbered(folder, stem, number).exists() {
        number += 1;
    }
    Ok(numbered(folder, stem, number))
}

/// Calls a session `title`; an empty one gives it the name of its file again. Also while it is
/// recorded. The file keeps its name.
///
/// # Errors
///
/// [`Error::NotWritable`], [`Error::NoSpace`], [`Error::Locked`], [`Error::InUse`] if it is of an
/// older version and cannot be replaced now; else as [`Session::open`].
pub fn rename(path: &Path, title: &str) -> Result<()> {
    change(
        path,
        "UPDATE session SET title = nullif(?1, '')",
        title.trim(),
    )
}

/// Says `comment` of a session, in place of what was said before.
///
/// # Errors
///
/// As [`rename`].
pub fn annotate(path: &Path, comment: &str) -> Result<()> {
    change(
        path,
        "UPDATE session SET comment = nullif(?1, '')",
        comment.trim(),
    )
}

/// Keeps a session from being deleted by its age or size, or does so no more.
///
/// # Errors
///
/// As [`rename`].
pub fn keep(path: &Path, kept: bool) -> Result<()> {
    change(path, "UPDATE session SET kept = ?1", kept)
}

/// Changes what is the user's of a session.
fn change(path: &Path, sql: &str, value: impl rusqlite::ToSql) -> Result<()> {
    let session = Session::open_as_it_is(path)?;
    if session.is_cut_off() {
        return Err(Error::Damaged {
            path: path.to_owned(),
            reason: "its end is missing, and so it is left as it is".into(),
        });
    }
    let version = session.version();
    drop(session);
    if version < SCHEMA_VERSION {
        renew(path)?;
    }
    let fail = |error: rusqlite::Error| match error.sqlite_error_code() {
        // It was read just now, so what cannot be opened is what is written beside it.
        Some(ErrorCode::CannotOpen) => Error::NotWritable {
            path: path.to_owned(),
            reason: "nothing can be written beside it".into(),
        },
        _ => Error::sqlite(path, &error),
    };
    let file = connect(path).map_err(fail)?;
    file.execute(sql, [value]).map_err(fail)?;
    file.close().map_err(|(_, error)| fail(error))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let file = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    file.busy_timeout(PATIENCE)?;
    distrust(&file)?;
    Ok(file)
}

/// Makes a session that another file is to replace one piece. A log that stayed beside the new file
/// would be taken for the new file's.
pub(crate) fn make_way(path: &Path) -> Result<()> {
    if !path.is_file() {
        return Ok(());
    }
    match is_in_use(path) {
        Ok(true) => {
            return Err(Error::InUse {
                path: path.to_owned(),
            });
        }
        Ok(false) => {
            let folded =
                connect(path).and_then(|file| file.execute_batch("PRAGMA journal_mode = DELETE"));
            if let Err(error) = folded {
                tracing::debug!(%error, "what is replaced cannot be made one piece");
            }
        }
        // It is something else, and so is what stands beside it.
        Err(Error::NotASession { .. }) => return Ok(()),
        Err(error) => return Err(error),
    }
    for suffix in ["-wal", "-shm", "-journal", "-lock"] {
        let _ = fs::remove_file(with_suffix(path, suffix));
    }
    Ok(())
}

/// Puts a copy of this version in the place of a session of an older one.
fn renew(path: &Path) -> Result<()> {
    make_way(path)?;
    let session = Session::open_as_it_is(path)?;
    let (part, file) = Part::create_beside(path)?;
    drop(file);
    let fail = |error: rusqlite::Error| Error::sqlite(path, &error);
    copy(&session, part.path(), &mut |_| {
        std::ops::ControlFlow::Continue(())
    })?;
    let version = session.version();
    drop(session);
    let mut file = connect(part.path()).map_err(fail)?;
    schema::migrate(&mut file, version).map_err(fail)?;
    file.close().map_err(|(_, error)| fail(error))?;
    make_way(path)?;
    part.put()
}

/// Saves a copy of a session, also of one that is recorded: then the copy ends now. It is kept. The
/// progress is in pages of 4 KiB. Says how many bytes it has.
///
/// # Errors
///
/// [`Error::IsAFolder`], [`Error::Exists`], [`Error::NoSpace`], [`Error::NotWritable`],
/// [`Error::SameFile`] if the target is the session itself, [`Error::InUse`] if it is another that is
/// in use, [`Error::Cancelled`]; else as
/// [`Session::open`]. Nothing is left under the target's name then but what was there.
pub fn save_as<'a>(
    path: &Path,
    target: impl Into<Target<'a>>,
    progress: &mut OnProgress<'_>,
) -> Result<u64> {
    let target = target.into();
    let running = is_recorded(path);
    let session = Session::open_as_it_is(path)?;
    let (part, file) = Part::create(target, path)?;
    drop(file);
    let fail = |error: rusqlite::Error| Error::sqlite(target.path(), &error);
    copy(&session, part.path(), progress)?;
    let mut file = connect(part.path()).map_err(fail)?;
    if session.version() < SCHEMA_VERSION {
        schema::migrate(&mut file, session.version()).map_err(fail)?;
    }
    let ended =
        "(SELECT max(max_t_ns) FROM (SELECT max_t_ns FROM batch ORDER BY first DESC LIMIT 1000))";
    file.execute(
        &format!(
            "UPDATE session SET kept = 1,
                    ended_ns = CASE WHEN ?1 THEN coalesce(ended_ns, {ended}, 0) ELSE ended_ns END"
        ),
        [running],
    )
    .map_err(fail)?;
    file.close().map_err(|(_, error)| fail(error))?;
    let bytes = fs::metadata(part.path()).map_or(0, |file| file.len());
    make_way(part.place())?;
    part.put()?;
    Ok(bytes)
}

/// Deletes a session, with what SQLite keeps beside it.
///
/// # Errors
///
/// [`Error::InUse`] if it is recorded, or another program or window has it open; [`Error::NotFound`];
/// [`Error::NotASession`] if it is something else; [`Error::NotWritable`].
pub fn delete(path: &Path) -> Result<()> {
    match Session::open_as_it_is(path) {
        // What is of a newer version or damaged is a session still.
        Ok(_) | Err(Error::NewerSchema { .. } | Error::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    if is_in_use(path)? {
        return Err(Error::InUse {
            path: path.to_owned(),
        });
    }
    remove_with_companions(path).map_err(|error| Error::io(path, &error))
}

/// Whether a session is recorded, or anybody reads it while its log is open.
fn is_in_use(path: &Path) -> Result<bool> {
    if is_recorded(path) {
        return Ok(true);
    }
    let look = || {
        let file = connect(path)?;
        file.busy_timeout(Duration::ZERO)?;
        // Looking must not fold in a log.
        file.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        file.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK")
    };
    match look().map_err(|error| Error::sqlite(path, &error)) {
        Ok(()) => Ok(false),
        Err(Error::Locked { .. }) => Ok(true),
        // Damaged, or where nothing can be written: no recorder is at it.
        Err(Error::Damaged { .. } | Error::NotWritable { .. } | Error::Storage { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where a text was found in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// In its title or the name of its file.
    Name,
    /// In its comment.
    Comment,
    /// In the name or identifier of a device, *as received*.
    Device(String),
    /// In the UUID of a service, characteristic or descriptor.
    Uuid(uuid::Uuid),
    /// In a note or marker.
    Note {
        /// The number of the event.
        event: i64,
        /// When it was written.
        at: SessionTime,
        /// The text.
        text: String,
    },
}

/// How many matches of each sort a session shows at most.
const MATCHES: usize = 20;

/// The sessions of a folder that have `text`, in whichever case, in their name, comment, devices,
/// UUIDs, notes or markers; the latest first, each with at most twenty places of each sort. Values
/// are not searched. What cannot be opened is left out.
///
/// # Errors
///
/// As [`list`].
pub fn search(folder: &Path, text: &str) -> Result<Vec<(Entry, Vec<Match>)>> {
    let wanted = text.trim().to_lowercase();
    let mut found = Vec::new();
    for entry in list(folder)?.sessions {
        match matches(&entry, &wanted) {
            Ok(matches) if matches.is_empty() => {}
            Ok(matches) => found.push((entry, matches)),
            Err(error) => tracing::debug!(%error, "a session could not be searched"),
        }
    }
    Ok(found)
}

fn matches(entry: &Entry, wanted: &str) -> Result<Vec<Match>> {
    let has = |text: &str| text.to_lowercase().contains(wanted);
    let mut matches = Vec::new();
    let file = entry.path.file_stem().unwrap_or_default();
    if entry.title.as_deref().is_some_and(has) || has(&file.to_string_lossy()) {
        matches.push(Match::Name);
    }
    if entry.comment.as_deref().is_some_and(has) {
        matches.push(Match::Comment);
    }
    let session = Session::open_as_it_is(&entry.path)?;
    let devices = session.devices()?.into_iter().filter_map(|device| {
        let name = device.name.unwrap_or_default();
        match has(&name) && !name.is_empty() {
            true => Some(name),
            false => Some(device.identifier).filter(|identifier| has(identifier)),
        }
    });
    matches.extend(devices.take(MATCHES).map(Match::Device));
    let mut seen = HashSet::new();
    let uuids = session.attributes()?.into_iter().filter_map(|attribute| {
        let text = attribute.uuid.to_string();
        // An assigned one is known by its four digits.
        let short = text.get(4..8).filter(|_| text.ends_with(BASE));
        let found = has(&text) || short.is_some_and(|short| wanted == format!("0x{short}"));
        (found && seen.insert(attribute.uuid)).then_some(attribute.uuid)
    });
    matches.extend(uuids.take(MATCHES).map(Match::Uuid));
    let notes = session.words()?.into_iter().filter_map(|word| {
        let text = word.detail.filter(|text| has(text))?;
        Some(Match::Note {
            event: word.id,
            at: word.at,
            text,
        })
    });
    matches.extend(notes.take(MATCHES));
    Ok(matches)
}

/// How a UUID ends that the Bluetooth SIG assigned.
const BASE: &str = "-0000-1000-8000-00805f9b34fb";
