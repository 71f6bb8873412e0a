//! The writer thread: takes what waits, and commits it at most 100 ms after it came.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use radio::{AddressKind, Advertisement, AttrKind, CompanyId, Timestamp};
use rusqlite::{Connection, OpenFlags, params};
use serde_json::json;
use uuid::Uuid;

use super::checkpoint::{Checkpointer, checkpoint};
use super::lock::RecordingLock;
use super::queue::{AttributeRow, Chunk, Dropped, Item, Row};
use super::state::State;
use super::{Shared, with_suffix};
use crate::event::Columns;
use crate::export::hex;
use crate::tally::Tally;
use crate::time::{Anchor, SessionTime};
use crate::{
    APPLICATION_ID, Cause, DeviceKey, Error, Event, Kind, LinkKey, Result, SCHEMA, SCHEMA_VERSION,
};

/// How long events are gathered for one commit. With the time that a commit takes it stays under
/// 100 ms.
const GATHER: Duration = Duration::from_millis(50);
/// When a backlog is written: how long until what is done so far is committed.
const TRANSACTION: Duration = Duration::from_millis(50);
/// How often the wall clock is looked at when nothing happens.
const IDLE: Duration = Duration::from_secs(1);
/// How long a pause lasts before the next try.
const RETRY: Duration = Duration::from_secs(1);
/// How far the wall clock may move against the session's before that is a jump.
const JUMP_NS: u64 = 50_000_000;
/// How much is committed before a checkpoint is due, in bytes, and how long it may wait.
const CHECKPOINT_BYTES: u64 = 4 << 20;
const CHECKPOINT_AGE: Duration = Duration::from_secs(10);
/// How long the log may get before the writer itself makes a checkpoint.
const LOG_LIMIT: u64 = 256 << 20;

/// Makes the session file out of an empty file.
pub(crate) fn create(path: &Path, writer: &str, anchor: Anchor) -> Result<Connection> {
    let make = || {
        let mut file = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        file.execute_batch(
            "PRAGMA foreign_keys = OFF;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = 16777216;
             PRAGMA cache_size = -16000;
             PRAGMA temp_store = MEMORY;",
        )?;
        lay_out(&mut file, writer, anchor)?;
        Ok(file)
    };
    make().map_err(|error| Error::sqlite(path, &error))
}

/// Makes the tables of a session that starts at `anchor`.
pub(crate) fn lay_out(file: &mut Connection, writer: &str, anchor: Anchor) -> rusqlite::Result<()> {
    // All of it at once: nobody meets a session without its tables.
    let first = file.transaction()?;
    first.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}"
    ))?;
    first.execute_batch(SCHEMA)?;
    first.execute("INSERT INTO session (id, writer) VALUES (1, ?1)", [writer])?;
    insert_anchor(&first, anchor)?;
    first.commit()
}

/// Starts the writer on a new session file.
pub(super) fn spawn(
    file: Connection,
    lock: RecordingLock,
    shared: Arc<Shared>,
    anchor: Anchor,
) -> Result<JoinHandle<Result<()>>> {
    let path = shared.path.clone();
    let writer = Writer {
        checkpointer: Checkpointer::spawn(&path).map_err(|error| Error::sqlite(&path, &error))?,
        log: with_suffix(&path, "-wal"),
        file,
        lock,
        shared,
        pending: VecDeque::new(),
        dropped: None,
        progress: Progress {
            next_event: 1,
            ..Progress::default()
        },
        known: Known::default(),
        anchor,
        size_limit: 0,
        since_checkpoint: 0,
        last_checkpoint: Instant::now(),
    };
    thread::Builder::new()
        .name("session-writer".into())
        .spawn(move || writer.run())
        .map_err(|error| Error::io(&path, &error))
}

struct Writer {
    checkpointer: Checkpointer,
    log: PathBuf,
    file: Connection,
    /// Given up when the file is closed.
    lock: RecordingLock,
    shared: Arc<Shared>,
    /// Taken from the queue and not yet on disk.
    pending: VecDeque<Chunk>,
    dropped: Option<Dropped>,
    progress: Progress,
    known: Known,
    anchor: Anchor,
    /// The limit that the connection was told.
    size_limit: i64,
    /// Bytes that were committed since the last checkpoint, roughly.
    since_checkpoint: u64,
    last_checkpoint: Instant,
}

/// What a transaction changes, and a rollback takes back.
#[derive(Clone, Copy, Default)]
struct Progress {
    next_event: i64,
    values: u64,
}

/// Whose attributes and links are whose. Learning it twice does no harm, so a rollback leaves it.
#[derive(Default)]
struct Known {
    generations: HashMap<u32, LinkKey>,
    links: HashMap<LinkKey, Up>,
    /// Discoveries of which something came before they were told. A value is never refused for that:
    /// SQLite's own checks are off, and the events get their link when it is known.
    early: HashSet<u32>,
}

#[derive(Clone, Copy)]
struct Up {
    device: DeviceKey,
    since: SessionTime,
}

impl Writer {
    fn run(mut self) -> Result<()> {
        loop {
            let taken = self.shared.queue.take(IDLE, GATHER);
            self.pending.extend(taken.chunks);
            if let Some(dropped) = taken.dropped {
                Dropped::merge(&mut self.dropped, dropped);
            }
            let mut last_try = taken.closing;
            while let Err(error) = self.write() {
                let error = self.explain(&error);
                self.pause(&error);
                if last_try {
                    return self.end(Err(error));
                }
                last_try = self.shared.queue.rest(RETRY);
            }
            self.resume();
            if taken.closing {
                let outcome = self.finish();
                return self.end(outcome);
            }
        }
    }

    /// Writes everything that is pending, in transactions that do not last.
    fn write(&mut self) -> rusqlite::Result<()> {
        self.apply_size_limit()?;
        let jump = self.jump();
        if let Some(anchor) = jump {
            insert_anchor(&self.file, anchor)?;
            self.anchor = anchor;
        }
        while !self.pending.is_empty() || self.dropped.is_some() {
            match self.transaction() {
                Ok((done, progress)) => self.committed(done, progress),
                Err(error) => {
                    if !self.file.is_autocommit() {
                        self.file.execute_batch("ROLLBACK")?;
                    }
                    return Err(error);
                }
            }
        }
        self.measure();
        Ok(())
    }

    /// Commits some of the chunks, in order, and after the last one what was dropped; says how many.
    fn transaction(&mut self) -> rusqlite::Result<(usize, Progress)> {
        let until = Instant::now() + TRANSACTION;
        let first = self.progress.next_event;
        self.file.execute_batch("BEGIN IMMEDIATE")?;
        let mut rows = Rows::new(&self.file, &self.shared, &mut self.known, self.progress)?;
        let mut done = 0;
        for chunk in &self.pending {
            for item in &chunk.items {
                match item {
                    Item::Event(at, event) => rows.event(*at, event)?,
                    Item::Row(row) => rows.row(row)?,
                }
            }
            done += 1;
            if Instant::now() >= until {
                break;
            }
        }
        if done == self.pending.len()
            && let Some(dropped) = self.dropped
        {
            rows.dropped(dropped)?;
        }
        rows.tally.write(&self.file)?;
        let Rows {
            progress, min, max, ..
        } = rows;
        if progress.next_event > first {
            self.file
                .prepare_cached("INSERT INTO batch VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![first, progress.next_event - 1, min, max])?;
        }
        self.file.execute_batch("COMMIT")?;
        Ok((done, progress))
    }

    fn committed(&mut self, done: usize, progress: Progress) {
        let counters = &self.shared.counters;
        let events = (progress.next_event - self.progress.next_event).unsigned_abs();
        counters.events.fetch_add(events, Relaxed);
        counters
            .values
            .fetch_add(progress.values - self.progress.values, Relaxed);
        self.progress = progress;
        self.since_checkpoint += events * 64;
        if done == self.pending.len()
            && let Some(dropped) = self.dropped.take()
        {
            self.shared.queue.told(dropped);
        }
        let payload: usize = self.pending.iter().take(done).map(|c| c.payload).sum();
        self.since_checkpoint += payload as u64;
        self.shared.queue.written(self.pending.drain(..done));
        self.resume();
        if self.since_checkpoint >= CHECKPOINT_BYTES {
            self.ask_for_checkpoint();
        }
    }

    fn ask_for_checkpoint(&mut self) {
        self.checkpointer.ask();
        self.since_checkpoint = 0;
        self.last_checkpoint = Instant::now();
    }

    /// Looks at the size on disk, and keeps the log from growing without end.
    fn measure(&mut self) {
        if self.since_checkpoint > 0 && self.last_checkpoint.elapsed() >= CHECKPOINT_AGE {
            self.ask_for_checkpoint();
        }
        let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        let log = size(&self.log);
        if log > LOG_LIMIT
            && let Err(error) = checkpoint(&self.file)
        {
            tracing::debug!(%error, "checkpoint failed");
        }
        let bytes = size(&self.shared.path) + log;
        self.shared.counters.bytes.store(bytes, Relaxed);
    }

    /// The anchor that is due because the wall clock has jumped.
    fn jump(&self) -> Option<Anchor> {
        let now = Anchor {
            at: self.shared.session_time(self.shared.clock.now()),
            wall: self.shared.wall.now(),
        };
        let expected = self.anchor.wall_time(now.at);
        let off = now.wall.unix_ns.abs_diff(expected.unix_ns) > JUMP_NS
            || now.wall.utc_offset_s != expected.utc_offset_s;
        off.then_some(now)
    }

    fn apply_size_limit(&mut self) -> rusqlite::Result<()> {
        let limit = self.shared.counters.size_limit.load(Relaxed);
        if limit == self.size_limit {
            return Ok(());
        }
        let page: i64 = self
            .file
            .query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let pages = match limit {
            ..=0 => i64::from(u32::MAX) - 1,
            bytes => (bytes / page).max(1),
        };
        self.file
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        self.size_limit = limit;
        Ok(())
    }

    fn explain(&self, error: &rusqlite::Error) -> Error {
        match Error::sqlite(&self.shared.path, error) {
            Error::NoSpace { path } if self.at_size_limit() => Error::Storage {
                path,
                reason: "the session has reached its size limit".into(),
            },
            other => other,
        }
    }

    fn at_size_limit(&self) -> bool {
        let number = |pragma: &str| -> i64 {
            self.file
                .query_row(pragma, [], |row| row.get(0))
                .unwrap_or_default()
        };
        // A page may be needed for the row and some for what finds it.
        self.size_limit > 0 && number("PRAGMA page_count") + 8 >= number("PRAGMA max_page_count")
    }

    fn pause(&mut self, error: &Error) {
        let paused = State::Paused {
            reason: error.to_string(),
            hint: error.hint().to_owned(),
        };
        if *self.shared.state.borrow() != paused {
            tracing::warn!(%error, "recording is paused");
            self.shared.state.send_replace(paused);
        }
        self.shared.queue.failed();
    }

    fn resume(&self) {
        if *self.shared.state.borrow() != State::Recording {
            tracing::info!("recording goes on");
            self.shared.state.send_replace(State::Recording);
        }
    }

    /// Closes the file: everything in one piece, readable where nothing can be written beside it.
    fn finish(&mut self) -> Result<()> {
        let ended = self.shared.session_time(self.shared.clock.now());
        self.file
            .execute("UPDATE session SET ended_ns = ?1", [ended.0])
            .map_err(|error| Error::sqlite(&self.shared.path, &error))?;
        Ok(())
    }

    fn end(self, outcome: Result<()>) -> Result<()> {
        let Self {
            checkpointer,
            file,
            lock,
            shared,
            pending,
            ..
        } = self;
        // The checkpointer's connection would keep the log from being folded in.
        drop(checkpointer);
        // A reader may hold the log; then it stays beside the file, and the next to open folds it in.
        let folded: rusqlite::Result<String> =
            file.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0));
        if let Err(error) = folded {
            tracing::debug!(%error, "the log stays beside the session file");
        }
        drop(file);
        drop(lock);
        let left = shared.queue.stop();
        let events = |item: &&Item| matches!(item, Item::Event(..));
        let lost = pending
            .iter()
            .chain(&left.chunks)
            .flat_map(|chunk| &chunk.items)
            .filter(events)
            .count();
        shared.counters.lost(Cause::Gattscope, lost as u64);
        let bytes = fs::metadata(&shared.path).map_or(0, |file| file.len());
        shared.counters.bytes.store(bytes, Relaxed);
        shared.state.send_replace(State::Stopped);
        outcome
    }
}

pub(crate) fn insert_anchor(file: &Connection, anchor: Anchor) -> rusqlite::Result<()> {
    file.execute(
        "INSERT INTO anchor VALUES (?1, ?2, ?3)",
        params![anchor.at.0, anchor.wall.unix_ns, anchor.wall.utc_offset_s],
    )?;
    Ok(())
}

/// The rows of one transaction.
struct Rows<'a> {
    file: &'a Connection,
    shared: &'a Shared,
    known: &'a mut Known,
    progress: Progress,
    insert: rusqlite::CachedStatement<'a>,
    tally: Tally,
    min: i64,
    max: i64,
}

impl<'a> Rows<'a> {
    fn new(
        file: &'a Connection,
        shared: &'a Shared,
        known: &'a mut Known,
        progress: Progress,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            insert: file.prepare_cached(
                "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?,
            file,
            shared,
            known,
            progress,
            tally: Tally::default(),
            min: i64::MAX,
            max: i64::MIN,
        })
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<()> {
        self.file.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    /// Writes an event row and gives its number.
    fn insert(&mut self, at: SessionTime, columns: &Columns<'_>) -> rusqlite::Result<i64> {
        let id = self.progress.next_event;
        let link = columns.link.or_else(|| {
            let generation = columns.attribute?.generation.0;
            let link = self.known.generations.get(&generation).copied();
            if link.is_none() {
                self.known.early.insert(generation);
            }
            link
        });
        let device = columns
            .device
            .or_else(|| Some(self.known.links.get(&link?)?.device));
        self.insert.execute(params![
            id,
            at.0,
            columns.kind.number(),
            device.map(|key| key.0),
            link.map(|key| key.0),
            columns.attribute.map(|id| sql_id(id.to_u64())),
            columns.value,
            columns.status,
            columns.number,
            columns.detail.as_deref(),
        ])?;
        self.tally.event(device, columns.kind, 1);
        self.progress.next_event += 1;
        self.progress.values += u64::from(columns.value.is_some());
        self.min = self.min.min(at.0);
        self.max = self.max.max(at.0);
        Ok(id)
    }

    fn event(&mut self, at: Timestamp, event: &Event) -> rusqlite::Result<()> {
        let at = self.shared.session_time(at);
        match event {
            Event::Value {
                attribute,
                lost_before: lost @ 1..,
                ..
            } => {
                let gap = Columns {
                    attribute: Some(*attribute),
                    number: Some(i64::from(*lost)),
                    ..Columns::of(Kind::Gap)
                };
                let from = self.last_value(*attribute)?.min(at);
                self.gap(at, &gap, Cause::HostQueue, from, at)?;
                self.insert(at, &event.columns())?;
            }
            Event::Gap {
                cause, from, to, ..
            } => {
                let (from, to) = (
                    self.shared.session_time(*from),
                    self.shared.session_time(*to),
                );
                self.gap(at, &event.columns(), *cause, from, to)?;
            }
            Event::Advertisement { report, .. } => {
                let id = self.insert(at, &event.columns())?;
                insert_advertisement(self.file, id, report)?;
            }
            Event::Disconnected { link, .. } => {
                self.insert(at, &event.columns())?;
                self.execute(
                    "UPDATE link SET down_ns = ?2 WHERE id = ?1",
                    params![link.0, at.0],
                )?;
            }
            _ => {
                self.insert(at, &event.columns())?;
            }
        }
        Ok(())
    }

    /// When the last value of an attribute came, or else its link.
    fn last_value(&self, attribute: radio::AttrId) -> rusqlite::Result<SessionTime> {
        let mut last = self.file.prepare_cached(
            "SELECT t_ns FROM event WHERE attribute = ?1 AND kind BETWEEN 30 AND 32
              ORDER BY id DESC LIMIT 1",
        )?;
        let mut rows = last.query([sql_id(attribute.to_u64())])?;
        if let Some(row) = rows.next()? {
            return Ok(SessionTime(row.get(0)?));
        }
        let link = self.known.generations.get(&attribute.generation.0);
        Ok(link
            .and_then(|link| self.known.links.get(link))
            .map_or(SessionTime(0), |up| up.since))
    }

    fn gap(
        &mut self,
        at: SessionTime,
        columns: &Columns<'_>,
        cause: Cause,
        from: SessionTime,
        to: SessionTime,
    ) -> rusqlite::Result<()> {
        let id = self.insert(at, columns)?;
        self.tally.lost(cause, columns.number.unwrap_or(0));
        self.execute(
            "INSERT INTO gap VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, cause.number(), columns.number, from.0, to.0],
        )
    }

    /// What the queue had no room for, and what was missing before that already.
    fn dropped(&mut self, dropped: Dropped) -> rusqlite::Result<()> {
        let from = self.shared.session_time(dropped.from);
        let to = self.shared.session_time(dropped.to);
        let mut lost = dropped.lost;
        for cause in Cause::ALL {
            let count = *lost.of(cause);
            if count > 0 {
                let columns = Columns {
                    number: Some(i64::try_from(count).unwrap_or(i64::MAX)),
                    ..Columns::of(Kind::Gap)
                };
                self.gap(to, &columns, cause, from, to)?;
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &Row) -> rusqlite::Result<()> {
        match row {
            Row::Device { key, id, name, at } => self.execute(
                "INSERT INTO device VALUES (?1, ?2, ?3, ?4)",
                params![
                    key.0,
                    id.as_str(),
                    name.as_deref(),
                    self.shared.session_time(*at).0
                ],
            ),
            Row::DeviceName { key, name } => self.execute(
                "UPDATE device SET name = ?2 WHERE id = ?1",
                params![key.0, name.as_ref()],
            ),
            Row::Link { key, device, at } => {
                let since = self.shared.session_time(*at);
                let device = *device;
                self.known.links.insert(*key, Up { device, since });
                self.execute(
                    "INSERT INTO link (id, device, up_ns) VALUES (?1, ?2, ?3)",
                    params![key.0, device.0, since.0],
                )?;
                let columns = Columns {
                    link: Some(*key),
                    ..Columns::of(Kind::Connected)
                };
                self.insert(since, &columns)?;
                Ok(())
            }
            Row::Attributes {
                link,
                generation,
                attributes,
                at,
            } => {
                self.known.generations.insert(generation.0, *link);
                let early = self.known.early.contains(&generation.0);
                let device = self.known.links.get(link).map(|up| up.device);
                for attribute in attributes {
                    self.attribute(*link, attribute)?;
                    if early {
                        self.settle(*link, device, attribute.id)?;
                    }
                }
                let columns = Columns {
                    link: Some(*link),
                    number: i64::try_from(attributes.len()).ok(),
                    ..Columns::of(Kind::Discovered)
                };
                self.insert(self.shared.session_time(*at), &columns)?;
                Ok(())
            }
        }
    }

    /// Gives the events that came before their attribute was told what they belong to.
    fn settle(
        &mut self,
        link: LinkKey,
        device: Option<DeviceKey>,
        attribute: u64,
    ) -> rusqlite::Result<()> {
        let mut update = self.file.prepare_cached(
            "UPDATE event SET link = ?1, device = ?2 WHERE attribute = ?3 AND link IS NULL
             RETURNING kind",
        )?;
        let mut rows = update.query(params![link.0, device.map(|key| key.0), sql_id(attribute)])?;
        while let Some(row) = rows.next()? {
            if let Some(kind) = Kind::from_number(row.get(0)?) {
                self.tally.event(None, kind, -1);
                self.tally.event(device, kind, 1);
            }
        }
        Ok(())
    }

    fn attribute(&self, link: LinkKey, attribute: &AttributeRow) -> rusqlite::Result<()> {
        // A discovery that is told twice stays as it was told first.
        self.execute(
            "INSERT OR IGNORE INTO attribute VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                sql_id(attribute.id),
                link.0,
                match attribute.kind {
                    AttrKind::Service => 1,
                    AttrKind::Characteristic => 2,
                    AttrKind::Descriptor => 3,
                },
                attribute.uuid.to_string(),
                attribute.handle.map(|handle| handle.0),
                attribute.parent.map(sql_id),
                attribute.properties.0,
                attribute.service.as_ref().map(Uuid::to_string),
                attribute.characteristic.as_ref().map(Uuid::to_string),
                attribute.path,
            ],
        )
    }
}

/// Writes what an advertisement contained.
pub(crate) fn insert_advertisement(
    file: &Connection,
    event: i64,
    report: &Advertisement,
) -> rusqlite::Result<()> {
    file.prepare_cached(
        "INSERT INTO advertisement VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        event,
        report.address.map(|address| address.to_string()),
        report.address_kind.map(address_kind),
        report.local_name,
        report.tx_power,
        report.appearance,
        report.connectable,
        list(&report.services, |uuid| json!(uuid)),
        list(&report.manufacturer_data, |(CompanyId(company), data)| {
            json!({"company": company, "data": hex(data)})
        }),
        list(&report.service_data, |(uuid, data)| {
            json!({"uuid": uuid, "data": hex(data)})
        }),
        report.raw.as_deref(),
    ])?;
    Ok(())
}

/// SQLite counts up to 63 bits, and attributes have 48.
fn sql_id(id: u64) -> i64 {
    id.cast_signed()
}

pub(crate) fn address_kind(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Public => "public",
        AddressKind::RandomStatic => "random_static",
        AddressKind::RandomResolvable => "random_resolvable",
        AddressKind::RandomNonResolvable => "random_non_resolvable",
    }
}

fn list<T>(items: &[T], one: impl FnMut(&T) -> serde_json::Value) -> Option<String> {
    (!items.is_empty()).then(|| serde_json::Value::from_iter(items.iter().map(one)).to_string())
}
