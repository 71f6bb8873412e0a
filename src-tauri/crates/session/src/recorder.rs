//! Recording: events go in from the radio's threads at once, and reach the disk by one writer thread.

mod checkpoint;
mod lock;
mod queue;
mod state;
mod writer;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use radio::{Advertisement, AttrKind, Clock, DeviceId, GattDb, Sample, Timestamp};
use tokio::sync::watch;

pub(crate) use lock::is_recorded;
pub use state::{Losses, Overflow, Overflows, State, Status};
pub(crate) use writer::{address_kind, insert_advertisement, insert_anchor, lay_out};

use crate::time::{Anchor, SessionTime, WallClock, WallTime};
use crate::{Cause, DeviceKey, Error, Event, LinkKey, Result};
use lock::RecordingLock;
use queue::{AttributeRow, Dropped, Limits, Put, Queue, Row, Waited};
use state::Counters;

/// The suffix of session files, without the dot.
pub const SUFFIX: &str = "gattscope";

/// How to record.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who records: the program's name and version, kept in the file.
    pub writer: String,
    /// The most events that wait in memory; what comes beyond is counted as lost.
    pub max_waiting: usize,
    /// The most bytes of values that wait in memory.
    pub max_waiting_bytes: usize,
    /// The most bytes that the session may take on disk. Recording pauses there.
    pub size_limit: Option<u64>,
    /// Tells the wall-clock time.
    pub wall: WallClock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            writer: "Gattscope".into(),
            max_waiting: 1 << 20,
            max_waiting_bytes: 128 << 20,
            size_limit: None,
            wall: WallClock::system(),
        }
    }
}

/// What the recorder and its writer thread share.
struct Shared {
    path: PathBuf,
    clock: Clock,
    /// The clock's reading at the session's start.
    start: Timestamp,
    started: WallTime,
    wall: WallClock,
    queue: Queue,
    counters: Counters,
    state: watch::Sender<State>,
}

impl Shared {
    fn session_time(&self, at: Timestamp) -> SessionTime {
        SessionTime(at.0.saturating_sub(self.start.0))
    }
}

/// Records one session into one file.
///
/// Every method but [`flush`](Self::flush) and [`close`](Self::close) returns at once, whatever the
/// disk does. Dropping it closes it.
pub struct Recorder {
    shared: Arc<Shared>,
    devices: Mutex<HashMap<DeviceId, Known>>,
    next_link: AtomicU32,
    thread: Mutex<Option<JoinHandle<Result<()>>>>,
}

/// A device that has its row.
struct Known {
    key: DeviceKey,
    name: Option<Box<str>>,
}

impl Recorder {
    /// Starts a session in a new file in `folder`, which is created if it is not there. The file is
    /// named after the local time and never replaces another.
    ///
    /// # Errors
    ///
    /// [`Error::NotAFolder`], [`Error::NotWritable`] or [`Error::NoSpace`] if the file cannot be
    /// made; no file is left behind.
    pub fn create(folder: &Path, clock: Clock, options: Options) -> Result<Self> {
        make_folder(folder)?;
        let (start, started) = (clock.now(), options.wall.now());
        let path = reserve(folder, &started.file_stem())?;
        let shared = Arc::new(Shared {
            path: path.clone(),
            clock,
            start,
            started,
            wall: options.wall,
            queue: Queue::new(Limits {
                items: options.max_waiting,
                payload: options.max_waiting_bytes,
            }),
            counters: Counters::default(),
            state: watch::Sender::new(State::Recording),
        });
        set_size_limit(&shared.counters, options.size_limit);
        let anchor = Anchor {
            at: SessionTime(0),
            wall: started,
        };
        let thread = RecordingLock::take(&path)
            .and_then(|lock| Ok((lock, writer::create(&path, &options.writer, anchor)?)))
            .and_then(|(lock, file)| writer::spawn(file, lock, Arc::clone(&shared), anchor))
            .inspect_err(|_| {
                // Nothing was recorded in it; its absence tells more than an empty file.
                let _ = remove_with_companions(&path);
            })?;
        Ok(Self {
            shared,
            devices: Mutex::default(),
            next_link: AtomicU32::new(1),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// What a stamp of the clock is in the file.
    #[must_use]
    pub fn session_time(&self, at: Timestamp) -> SessionTime {
        self.shared.session_time(at)
    }

    /// The key of a device, which is new or known; its name, if there is one now, replaces the last.
    pub fn device(&self, id: &DeviceId, name: Option<&str>) -> DeviceKey {
        self.device_at(self.shared.clock.now(), id, name)
    }

    fn device_at(&self, at: Timestamp, id: &DeviceId, name: Option<&str>) -> DeviceKey {
        // Held while the row is put in, so that nobody can refer to it before it is.
        let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = devices.get_mut(id) {
            if let Some(name) = name
                && known.name.as_deref() != Some(name)
            {
                known.name = Some(name.into());
                self.shared.queue.row(Row::DeviceName {
                    key: known.key,
                    name: name.into(),
                });
            }
            return known.key;
        }
        let key = DeviceKey(u32::try_from(devices.len() + 1).unwrap_or(u32::MAX));
        let name: Option<Box<str>> = name.map(Into::into);
        self.shared.queue.row(Row::Device {
            key,
            id: id.clone(),
            name: name.clone(),
            at,
        });
        devices.insert(id.clone(), Known { key, name });
        key
    }

    /// Takes over those devices of another recording that `which` wants, with their names, so that
    /// they have them from the first moment.
    pub fn know(&self, other: &Recorder, which: impl Fn(&DeviceId) -> bool) {
        let known: Vec<_> = {
            let devices = other.devices.lock().unwrap_or_else(PoisonError::into_inner);
            let wanted = devices.iter().filter(|(id, _)| which(id));
            let mut wanted: Vec<_> = wanted
                .map(|(id, known)| (known.key, id.clone(), known.name.clone()))
                .collect();
            wanted.sort_by_key(|(key, ..)| *key);
            wanted
        };
        for (_, id, name) in known {
            self.device(&id, name.as_deref());
        }
    }

    /// A link came up: records it and names it.
    pub fn link_up(&self, at: Timestamp, device: DeviceKey) -> LinkKey {
        let key = LinkKey(self.next_link.fetch_add(1, Relaxed));
        self.shared.queue.row(Row::Link { key, device, at });
        key
    }

    /// The attributes of a device became known: records them. From here on their ids, and only
    /// theirs, can be used in events of this link.
    pub fn attributes(&self, at: Timestamp, link: LinkKey, db: &GattDb) {
        self.shared.queue.row(Row::Attributes {
            link,
            generation: db.generation(),
            attributes: rows(db),
            at,
        });
    }

    /// Records something that happened at `at`. Never waits: what finds no room is counted.
    pub fn record(&self, at: Timestamp, event: Event) {
        let counters = &self.shared.counters;
        let mut is_gap = false;
        match event {
            Event::Value { lost_before, .. } if lost_before > 0 => {
                counters.lost(Cause::HostQueue, u64::from(lost_before));
            }
            Event::Gap { cause, count, .. } => {
                counters.lost(cause, count);
                is_gap = true;
            }
            _ => {}
        }
        if self.shared.queue.event(at, event) == Put::Dropped && !is_gap {
            counters.lost(Cause::Gattscope, 1);
        }
    }

    /// Records a value that came without being asked for.
    pub fn sample(&self, sample: &Sample) {
        self.record(
            sample.at,
            Event::Value {
                attribute: sample.attribute,
                kind: sample.kind,
                lost_before: sample.lost_before,
                bytes: sample.bytes.clone(),
            },
        );
    }

    /// Records an advertisement and, if it is new, the device that sent it.
    pub fn advertisement(&self, report: Advertisement) {
        let at = report.at;
        let device = self.device_at(at, &report.device, report.local_name.as_deref());
        let report = Box::new(report);
        self.record(at, Event::Advertisement { device, report });
    }

    /// Whether events reach the disk, live.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.shared.state.subscribe()
    }

    /// Everything that the recorder says of itself, now.
    #[must_use]
    pub fn status(&self) -> Status {
        let counters = &self.shared.counters;
        let (waiting, waiting_bytes) = self.shared.queue.waiting();
        Status {
            path: self.shared.path.clone(),
            started: self.shared.started,
            state: self.shared.state.borrow().clone(),
            events: counters.events.load(Relaxed),
            values: counters.values.load(Relaxed),
            waiting: waiting as u64,
            waiting_bytes: waiting_bytes as u64,
            lost: counters.losses(),
            bytes: counters.bytes.load(Relaxed),
        }
    }

    /// What found no room since this was last asked for, and what is not in the file yet of it. Other
    /// losses that were known to what found no room are not among them: who recorded it knows them.
    #[must_use]
    pub fn overflows(&self) -> Overflows {
        let ours = |dropped: Dropped| Overflow {
            count: dropped.lost.gattscope,
            from: dropped.from,
            to: dropped.to,
        };
        let some = |overflow: &Overflow| overflow.count > 0;
        let (written, waiting) = self.shared.queue.drops();
        Overflows {
            written: written.into_iter().map(ours).filter(some).collect(),
            waiting: waiting.map(ours).filter(some),
        }
    }

    /// Changes the most bytes that the session may take on disk; `None` for no limit. A pause that
    /// the limit caused ends within a second.
    pub fn set_size_limit(&self, limit: Option<u64>) {
        set_size_limit(&self.shared.counters, limit);
    }

    /// Waits until everything that was recorded before is on disk.
    ///
    /// # Errors
    ///
    /// [`Error::Paused`] if it cannot be written now; [`Error::Stopped`] if the recording has ended
    /// without it.
    pub fn flush(&self) -> Result<()> {
        match self.shared.queue.flush() {
            Waited::Written => Ok(()),
            Waited::Stopped => Err(Error::Stopped),
            Waited::Failed => Err(Error::Paused {
                reason: match &*self.shared.state.borrow() {
                    State::Paused { reason, .. } => reason.clone(),
                    _ => "writing failed once and was taken up again.".into(),
                },
            }),
        }
    }

    /// Ends the recording: writes what is left and makes the file one piece. Does nothing when it
    /// has ended.
    ///
    /// # Errors
    ///
    /// What kept the rest from being written; how much that was, [`status`](Self::status) tells.
    pub fn close(&self) -> Result<()> {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else {
            return Ok(());
        };
        self.shared.queue.close();
        thread.join().unwrap_or(Err(Error::Stopped))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the end of the session could not be written");
        }
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

fn set_size_limit(counters: &Counters, limit: Option<u64>) {
    let limit = limit.map_or(0, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX).max(1));
    counters.size_limit.store(limit, Relaxed);
}

pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::NotAFolder {
            path: folder.to_owned(),
        },
        // A folder that cannot be made where nothing may be made, such as /proc.
        io::ErrorKind::NotFound => Error::NotWritable {
            path: folder.to_owned(),
            reason: "no folder can be made there".into(),
        },
        _ => Error::io(folder, &error),
    })
}

/// The file of the first, second, .. session of one name.
pub(crate) fn numbered(folder: &Path, stem: &str, number: u32) -> PathBuf {
    folder.join(match number {
        1 => format!("{stem}.{SUFFIX}"),
        _ => format!("{stem} ({number}).{SUFFIX}"),
    })
}

/// Makes an empty file of a name that is not taken, so that nobody else can take it.
pub(crate) fn reserve(folder: &Path, stem: &str) -> Result<PathBuf> {
    let mut number = 1;
    loop {
        let path = numbered(folder, stem, number);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(Error::io(folder, &error)),
        }
    }
}

/// Removes a session file, and what SQLite and the recorder may have left beside it.
pub(crate) fn remove_with_companions(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    for suffix in ["-wal", "-shm", "-journal", "-lock"] {
        match fs::remove_file(with_suffix(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The attributes of a discovery as rows, each with what it belongs to.
fn rows(db: &GattDb) -> Vec<AttributeRow> {
    let mut rows: Vec<AttributeRow> = Vec::with_capacity(db.attributes().len());
    let mut equals: HashMap<String, u32> = HashMap::new();
    for attribute in db.attributes() {
        let parent = attribute
            .parent
            .and_then(|parent| rows.get(usize::from(parent.index)));
        let mut path = match parent {
            Some(parent) => format!("{}/{}", parent.path, attribute.uuid),
            None => attribute.uuid.to_string(),
        };
        let number = equals.entry(path.clone()).or_default();
        path.push_str(&format!("#{number}"));
        *number += 1;
        let (service, characteristic) = match attribute.kind {
            AttrKind::Service => (Some(attribute.uuid), None),
            AttrKind::Characteristic => (parent.map(|parent| parent.uuid), Some(attribute.uuid)),
            AttrKind::Descriptor => (
                parent.and_then(|parent| parent.service),
                parent.map(|parent| parent.uuid),
            ),
        };
        rows.push(AttributeRow {
            id: attribute.id.to_u64(),
            kind: attribute.kind,
            uuid: attribute.uuid,
            handle: attribute.handle,
            parent: attribute.parent.map(radio::AttrId::to_u64),
            properties: attribute.properties,
            service,
            characteristic,
            path,
        });
    }
    rows
}
