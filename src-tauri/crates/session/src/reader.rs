//! Reading a session file, also while it is being written. Nothing is loaded whole, and no call
//! changes the file.

mod count;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use radio::{AttrId, AttrKind, Generation, Handle, Properties};
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use tempfile::TempDir;
use uuid::Uuid;

pub use self::count::Reckoned;
use crate::copy;
use crate::recorder::with_suffix;
use crate::schema;
use crate::time::{Anchor, Anchors, SessionTime, WallTime};
use crate::{
    APPLICATION_ID, Cause, DeviceKey, Error, Kind, LinkKey, Losses, Result, SCHEMA_VERSION,
};

/// How many events are read at once; between two pages the file is let go, so that a long export
/// does not make the recording's log grow.
const PAGE: i64 = 2048;
/// How many are looked at for that, so that somebody who waits for a rare one can be told how far it
/// is, and can end it.
const WINDOW: i64 = 1 << 16;
/// What a copy is called in its folder.
const COPY: &str = "session";

/// A session file, opened for reading.
#[derive(Debug)]
pub struct Session {
    path: PathBuf,
    file: Connection,
    anchors: Anchors,
    cut_off: bool,
    version: i64,
    /// The copy that is read in the file's place; deleted with the last that reads it.
    copy: Option<Arc<TempDir>>,
}

/// A session in a few numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// What the user calls it.
    pub title: Option<String>,
    /// What the user says of it.
    pub comment: Option<String>,
    /// Whether the user saved it.
    pub kept: bool,
    /// The name of the file that it was imported from; `None` if it was recorded.
    pub source: Option<String>,
    /// The program that recorded it.
    pub writer: String,
    /// When it started.
    pub started: WallTime,
    /// When it was closed; `None` while it is recorded, or if it was cut off.
    pub ended: Option<SessionTime>,
    /// The latest time of an event.
    pub last: Option<SessionTime>,
    /// How many events it has, gaps included.
    pub events: u64,
    /// How many are missing.
    pub lost: Losses,
}

/// A device of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its key.
    pub key: DeviceKey,
    /// The radio's name for it.
    pub identifier: String,
    /// The last name that was received, *as received*: clean it before showing it.
    pub name: Option<String>,
    /// When it was first seen.
    pub first_seen: SessionTime,
}

/// A link of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its key.
    pub key: LinkKey,
    /// The device at the other end.
    pub device: DeviceKey,
    /// When it came up.
    pub up: SessionTime,
    /// When it ended, if that was recorded.
    pub down: Option<SessionTime>,
}

/// An attribute of one generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its identity, as it was when it was recorded.
    pub id: AttrId,
    /// The link on which it was found.
    pub link: LinkKey,
    /// The device that it belongs to.
    pub device: DeviceKey,
    /// What it is.
    pub kind: AttrKind,
    /// Its UUID.
    pub uuid: Uuid,
    /// Its handle, where the system told it.
    pub handle: Option<Handle>,
    /// The service of a characteristic, the characteristic of a descriptor.
    pub parent: Option<AttrId>,
    /// Properties of a characteristic.
    pub properties: Properties,
    /// The UUID of the service that it is or belongs to.
    pub service: Option<Uuid>,
    /// The UUID of the characteristic that it is or belongs to.
    pub characteristic: Option<Uuid>,
    /// The same for the same attribute in every generation.
    pub path: String,
}

/// How many events of a kind a device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The device; `None` for what belongs to none.
    pub device: Option<DeviceKey>,
    /// The kind.
    pub kind: Kind,
    /// How many.
    pub events: u64,
}

/// One event as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number: the order in which events reached the recorder.
    pub id: i64,
    /// When it happened.
    pub at: SessionTime,
    /// What it is.
    pub kind: Kind,
    /// The device that it concerns.
    pub device: Option<DeviceKey>,
    /// The link that it concerns.
    pub link: Option<LinkKey>,
    /// The attribute that it concerns.
    pub attribute: Option<AttrId>,
    /// The bytes.
    pub value: Option<Bytes>,
    /// 0 for success, 1 to 255 for an ATT error, -1 for another failure.
    pub status: Option<i64>,
    /// What it means depends on the kind; `schema.sql` tells.
    pub number: Option<i64>,
    /// What it means depends on the kind; `schema.sql` tells. *As received*.
    pub detail: Option<String>,
}

/// What is missing somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Who lost it.
    pub cause: Cause,
    /// How many events.
    pub count: u64,
    /// Not before.
    pub from: SessionTime,
    /// Not after.
    pub to: SessionTime,
}

/// Which events. The default is all of them; each condition that is set narrows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before.
    pub from: Option<SessionTime>,
    /// Before.
    pub to: Option<SessionTime>,
    /// Only of these devices; empty for all.
    pub devices: Vec<DeviceKey>,
    /// Only of these attributes; empty for all.
    pub attributes: Vec<AttrId>,
    /// Only of these kinds; empty for all.
    pub kinds: Vec<Kind>,
    /// Only with a value in which these bytes stand somewhere, one after the other; empty for all.
    pub containing: Vec<u8>,
}

impl Filter {
    /// Its times in nanoseconds: not before the first, and before the second.
    fn times(&self) -> (i64, i64) {
        (
            self.from.map_or(i64::MIN, SessionTime::nanos),
            self.to.map_or(i64::MAX, SessionTime::nanos),
        )
    }
}

impl Session {
    /// Opens a session file, for reading only.
    ///
    /// A file of an older version is read by way of a copy of this version, in the system's folder
    /// for temporary files, as long as the session is open; the file itself stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NotReadable`], [`Error::NotASession`], [`Error::NewerSchema`],
    /// [`Error::Damaged`], [`Error::Locked`]. Damage further inside is found by the call that reaches
    /// it; what comes before can be read.
    pub fn open(path: &Path) -> Result<Self> {
        let session = Self::open_as_it_is(path)?;
        if session.version == SCHEMA_VERSION || session.cut_off {
            return Ok(session);
        }
        match session.migrated() {
            Ok(file) => Ok(file),
            // No room for a copy, or damage in the way: what is missing is counted when it is asked for.
            Err(error) => {
                tracing::warn!(%error, "an older session is read as it is");
                Ok(session)
            }
        }
    }

    /// Opens a session file of whichever version, without a copy where that can be.
    pub(crate) fn open_as_it_is(path: &Path) -> Result<Self> {
        let Opened {
            file,
            cut_off,
            copy,
        } = open_file(path)?;
        let fail = |error: rusqlite::Error| Error::sqlite(path, &error);
        let number = |pragma| file.query_row(pragma, [], |row| row.get::<_, i64>(0));
        if number("PRAGMA application_id").map_err(fail)? != i64::from(APPLICATION_ID) {
            return Err(Error::NotASession {
                path: path.to_owned(),
                reason: match number("PRAGMA page_count").map_err(fail)? {
                    0 => "it is empty or cut off at its start",
                    _ => "it is the SQLite database of another program",
                },
            });
        }
        let version = number("PRAGMA user_version").map_err(fail)?;
        if version > SCHEMA_VERSION {
            return Err(Error::NewerSchema {
                path: path.to_owned(),
                found: version,
                known: SCHEMA_VERSION,
            });
        }
        let anchors = anchors(&file)
            .map_err(fail)?
            .ok_or_else(|| Error::Damaged {
                path: path.to_owned(),
                reason: "it does not say when it started".into(),
            })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            anchors,
            cut_off,
            version,
            copy: copy.map(Arc::new),
        })
    }

    /// The same session by way of a copy of this version.
    fn migrated(&self) -> Result<Self> {
        let folder = temporary_folder(&self.path)?;
        let copy = folder.path().join(COPY);
        let fail = |error: rusqlite::Error| Error::sqlite(&copy, &error);
        copy::copy(self, &copy, &mut |_| ControlFlow::Continue(()))?;
        let mut file = Connection::open(&copy).map_err(fail)?;
        schema::migrate(&mut file, self.version).map_err(fail)?;
        drop(file);
        Ok(Self {
            path: self.path.clone(),
            file: connect(&copy, OpenFlags::empty()).map_err(fail)?,
            anchors: self.anchors.clone(),
            cut_off: false,
            version: SCHEMA_VERSION,
            copy: Some(Arc::new(folder)),
        })
    }

    /// The same session, opened once more: for a thread of its own.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn again(&self) -> Result<Self> {
        let Some(folder) = &self.copy else {
            return Self::open_as_it_is(&self.path);
        };
        let fail = |error: rusqlite::Error| Error::sqlite(&self.path, &error);
        let file = connect(&folder.path().join(COPY), OpenFlags::empty()).map_err(fail)?;
        if self.cut_off {
            read_what_is_there(&file).map_err(fail)?;
        }
        Ok(Self {
            path: self.path.clone(),
            file,
            anchors: self.anchors.clone(),
            cut_off: self.cut_off,
            version: self.version,
            copy: Some(Arc::clone(folder)),
        })
    }

    /// The connection to the file.
    pub(crate) fn connection(&self) -> &Connection {
        &self.file
    }

    /// The version of the file that is read.
    pub(crate) fn version(&self) -> i64 {
        self.version
    }

    /// Whether the file has its own counts.
    fn is_counted(&self) -> bool {
        self.version >= 2 && !self.cut_off
    }

    /// Whether the end of the file is missing. What is left can be read.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What session times were on the wall, as known when the file was opened.
    #[must_use]
    pub fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    pub(crate) fn fail(&self, error: &rusqlite::Error) -> Error {
        Error::sqlite(&self.path, error)
    }

    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        mut one: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.each_row(sql, params, |row| {
            all.push(one(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Hands every row to `one`, up to where the file is cut off.
    pub(crate) fn each_row(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        mut one: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        self.rows_until(sql, params, |row| one(row).map(ControlFlow::Continue))
    }

    /// Hands every row to `one`, up to where the file is cut off or nobody wants any more.
    pub(crate) fn rows_until(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        mut one: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<ControlFlow<()>>,
    ) -> Result<()> {
        let read = || {
            let mut statement = self.file.prepare_cached(sql)?;
            let mut rows = statement.query(params)?;
            while let Some(row) = rows.next()? {
                if one(row)?.is_break() {
                    break;
                }
            }
            Ok(())
        };
        match read() {
            Err(error) => self.cut_off_here(self.fail(&error)),
            Ok(()) => Ok(()),
        }
    }

    /// What keeps from reading on is no failure where the file is cut off: it is read as far as it goes.
    pub(crate) fn cut_off_here(&self, error: Error) -> Result<()> {
        if !self.cut_off || matches!(error, Error::Locked { .. }) {
            return Err(error);
        }
        tracing::debug!(%error, "the session is cut off here");
        Ok(())
    }

    /// The session in a few numbers; quick, whatever its size, unless it is [cut
    /// off](Self::is_cut_off).
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn info(&self) -> Result<Info> {
        self.told(false)
    }

    /// The same, but without what only reading through a file that is cut off could tell.
    pub(crate) fn brief(&self) -> Result<Info> {
        self.told(true)
    }

    fn told(&self, brief: bool) -> Result<Info> {
        let mut lost = Losses::default();
        self.each_row(
            match self.is_counted() {
                true => "SELECT id, lost FROM cause",
                // Row by row: a sum of what is cut off would be none.
                false => "SELECT cause, count FROM gap ORDER BY event",
            },
            [],
            |row| {
                if let Some(cause) = Cause::from_number(row.get(0)?) {
                    let lost = lost.of(cause);
                    *lost = lost.saturating_add(row.get::<_, i64>(1)?.unsigned_abs());
                }
                Ok(())
            },
        )?;
        let words = match self.version {
            ..2 => "NULL, 0, NULL",
            _ => "comment, kept, source",
        };
        let (last, events) = match self.cut_off {
            true if brief => (None, 0),
            true => self.counted_to_the_end()?,
            // Batches follow one another, but for the few events that came late to theirs.
            false => self.one(
                "SELECT (SELECT max(max_t_ns) FROM
                            (SELECT max_t_ns FROM batch ORDER BY first DESC LIMIT 1000)),
                        (SELECT coalesce(max(id), 0) FROM event)",
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?,
        };
        self.one(
            &format!("SELECT title, writer, ended_ns, {words} FROM session"),
            |row| {
                Ok(Info {
                    title: text(row.get_ref(0)?),
                    writer: text(row.get_ref(1)?).unwrap_or_default(),
                    started: self.anchors.start(),
                    ended: row.get::<_, Option<_>>(2)?.map(SessionTime),
                    last: last.map(SessionTime),
                    events: events.unsigned_abs(),
                    lost,
                    comment: text(row.get_ref(3)?),
                    kept: row.get(4)?,
                    source: text(row.get_ref(5)?),
                })
            },
        )
    }

    /// The time and the number of the last event that can be reached.
    fn counted_to_the_end(&self) -> Result<(Option<i64>, i64)> {
        let (mut latest, mut number) = (None, 0);
        self.each_row("SELECT t_ns, id FROM event ORDER BY id", [], |row| {
            latest = latest.max(Some(row.get(0)?));
            number = row.get(1)?;
            Ok(())
        })?;
        Ok((latest, number))
    }

    fn one<T>(
        &self,
        sql: &str,
        one: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.file
            .query_row(sql, [], one)
            .map_err(|error| self.fail(&error))
    }

    /// The devices, in the order in which they were first seen.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn devices(&self) -> Result<Vec<Device>> {
        self.all(
            "SELECT id, identifier, name, first_seen_ns FROM device ORDER BY id",
            [],
            |row| {
                Ok(Device {
                    key: DeviceKey(row.get(0)?),
                    identifier: text(row.get_ref(1)?).unwrap_or_default(),
                    name: text(row.get_ref(2)?),
                    first_seen: SessionTime(row.get(3)?),
                })
            },
        )
    }

    /// How many devices there are, and what at most `most` of them are called, the connected first.
    pub(crate) fn device_names(&self, most: usize) -> Result<(u64, Vec<String>)> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let names = self.all(
            "SELECT coalesce(name, identifier) FROM device
              ORDER BY id NOT IN (SELECT device FROM link), name IS NULL, id LIMIT ?1",
            [most],
            |row| Ok(text(row.get_ref(0)?).unwrap_or_default()),
        )?;
        let all = self.all("SELECT count(*) FROM device", [], |row| {
            row.get::<_, i64>(0)
        })?;
        let all = all
            .first()
            .map_or(names.len() as u64, |all| all.unsigned_abs());
        Ok((all, names))
    }

    /// Notes and markers; their detail is the text, *as received*. Quick, whatever the file's size.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn words(&self) -> Result<Vec<Recorded>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM event
              WHERE kind IN (14, 41, 42) AND kind IN (41, 42) ORDER BY id"
        );
        self.all(&sql, [], recorded)
    }

    /// Which discovery each [`Kind::Discovered`] event tells of: those of a link in their order.
    pub(crate) fn discoveries(&self) -> Result<HashMap<i64, Generation>> {
        let mut of_link: HashMap<LinkKey, VecDeque<Generation>> = HashMap::new();
        let found = self.all(
            "SELECT DISTINCT link, id >> 16 FROM attribute ORDER BY 1, 2",
            [],
            |row| Ok((LinkKey(row.get(0)?), Generation(row.get(1)?))),
        )?;
        for (link, generation) in found {
            of_link.entry(link).or_default().push_back(generation);
        }
        let events = self.all(
            "SELECT id, link FROM event WHERE kind IN (14, 41, 42) AND kind = 14 ORDER BY id",
            [],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, Option<_>>(1)?.map(LinkKey),
                ))
            },
        )?;
        Ok(events
            .into_iter()
            .filter_map(|(event, link)| Some((event, of_link.get_mut(&link?)?.pop_front()?)))
            .collect())
    }

    /// The links, in the order in which they came up.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn links(&self) -> Result<Vec<Link>> {
        self.all(
            "SELECT id, device, up_ns, down_ns FROM link ORDER BY id",
            [],
            |row| {
                Ok(Link {
                    key: LinkKey(row.get(0)?),
                    device: DeviceKey(row.get(1)?),
                    up: SessionTime(row.get(2)?),
                    down: row.get::<_, Option<_>>(3)?.map(SessionTime),
                })
            },
        )
    }

    /// The attributes of every generation, in the order in which they were found.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn attributes(&self) -> Result<Vec<Attribute>> {
        self.attributes_between(0, i64::MAX)
    }

    /// The attributes whose numbers are not before `first` and not after `last`.
    pub(crate) fn attributes_between(&self, first: i64, last: i64) -> Result<Vec<Attribute>> {
        self.all(
            "SELECT a.id, a.link, l.device, a.kind, a.uuid, a.handle, a.parent, a.properties,
                    a.service, a.characteristic, a.path
               FROM attribute AS a JOIN link AS l ON l.id = a.link
              WHERE a.id BETWEEN ?1 AND ?2 ORDER BY a.id",
            [first, last],
            |row| {
                Ok(Attribute {
                    id: attr_id(row, 0)?,
                    link: LinkKey(row.get(1)?),
                    device: DeviceKey(row.get(2)?),
                    kind: match row.get(3)? {
                        1_i64 => AttrKind::Service,
                        2 => AttrKind::Characteristic,
                        3 => AttrKind::Descriptor,
                        other => return Err(rusqlite::Error::IntegralValueOutOfRange(3, other)),
                    },
                    uuid: uuid(row, 4)?.ok_or(rusqlite::Error::InvalidQuery)?,
                    handle: row.get::<_, Option<_>>(5)?.map(Handle),
                    parent: row
                        .get::<_, Option<i64>>(6)?
                        .map(|_| attr_id(row, 6))
                        .transpose()?,
                    properties: Properties(row.get(7)?),
                    service: uuid(row, 8)?,
                    characteristic: uuid(row, 9)?,
                    path: row.get(10)?,
                })
            },
        )
    }

    /// How many events of each kind each device has; quick, whatever the file's size, unless it is
    /// [cut off](Self::is_cut_off).
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn counts(&self) -> Result<Vec<Count>> {
        let mut counts: BTreeMap<(Option<DeviceKey>, i64), u64> = BTreeMap::new();
        self.each_row(
            match self.is_counted() {
                true => "SELECT nullif(device, 0), kind, events FROM tally WHERE events > 0",
                // Row by row: what is cut off cannot be put into groups.
                false => "SELECT device, kind, 1 FROM event ORDER BY id",
            },
            [],
            |row| {
                let device = row.get::<_, Option<_>>(0)?.map(DeviceKey);
                kind(row, 1)?;
                let events = counts.entry((device, row.get(1)?)).or_default();
                *events = events.saturating_add(row.get::<_, i64>(2)?.unsigned_abs());
                Ok(())
            },
        )?;
        Ok(counts
            .into_iter()
            .filter_map(|((device, kind), events)| {
                let kind = Kind::from_number(kind)?;
                Some(Count {
                    device,
                    kind,
                    events,
                })
            })
            .collect())
    }

    /// The same attribute in every generation of its device, the latest first.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn generations(&self, attribute: AttrId) -> Result<Vec<AttrId>> {
        self.all(
            "SELECT other.id
               FROM attribute AS this
               JOIN link AS mine ON mine.id = this.link
               JOIN attribute AS other ON other.path = this.path
               JOIN link AS theirs ON theirs.id = other.link AND theirs.device = mine.device
              WHERE this.id = ?1
              ORDER BY other.id DESC",
            [attribute.to_u64().cast_signed()],
            |row| attr_id(row, 0),
        )
    }

    /// The events that `filter` lets through, in the order in which they reached the recorder, up to
    /// the last that is in the file now.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn events(&self, filter: &Filter) -> Result<Events<'_>> {
        let (from, to) = filter.times();
        let (first, last) = self.range(from, to)?;
        Ok(Events {
            session: self,
            sql: self.select(filter),
            after: first.saturating_sub(1),
            first,
            last,
            page: Vec::new().into_iter(),
            damage: None,
        })
    }

    /// What is missing at a [`Kind::Gap`] event.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn gap(&self, event: i64) -> Result<Option<Gap>> {
        let read = || {
            self.file
                .prepare_cached("SELECT cause, count, from_ns, to_ns FROM gap WHERE event = ?1")?
                .query_row([event], lost)
                .optional()
        };
        read().map_err(|error| self.fail(&error))
    }

    /// What is missing of attributes, in the order in which it was noticed.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn gaps(&self, attributes: &[AttrId]) -> Result<Vec<Gap>> {
        let attributes = numbers(attributes.iter().map(|id| id.to_u64().cast_signed()));
        let sql = format!(
            "SELECT g.cause, g.count, g.from_ns, g.to_ns FROM gap AS g JOIN event AS e ON e.id = g.event
              WHERE e.attribute IN ({attributes}) ORDER BY g.event"
        );
        self.all(&sql, [], lost)
    }

    /// What a [`Kind::Advertisement`] event contained, as one JSON object: address, address_kind,
    /// local_name, tx_power, appearance, connectable, services, manufacturer, service_data, raw
    /// (hexadecimal). What the report did not contain is missing; so is what is not as it was written, and
    /// `broken` is true then.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn advertisement_json(&self, event: i64) -> Result<Option<String>> {
        // SQLite refuses the whole row for one column that is not as it was written.
        let plain =
            |column: &str| format!("CASE WHEN typeof({column}) <> 'blob' THEN {column} END");
        let list = |column: &str| format!("CASE WHEN json_valid({column}) THEN json({column}) END");
        let read = || {
            self.file
                .prepare_cached(&format!(
                    "SELECT json_patch('{{}}', json_object(
                            'address', {}, 'address_kind', {}, 'local_name', {},
                            'tx_power', {}, 'appearance', {},
                            'connectable', json(CASE connectable WHEN 1 THEN 'true'
                                                                 WHEN 0 THEN 'false' END),
                            'services', {}, 'manufacturer', {}, 'service_data', {},
                            'raw', CASE WHEN raw IS NOT NULL THEN lower(hex(raw)) END,
                            'broken', CASE WHEN NOT coalesce(json_valid(services), 1)
                                             OR NOT coalesce(json_valid(manufacturer), 1)
                                             OR NOT coalesce(json_valid(service_data), 1)
                                           THEN json('true') END))
                       FROM advertisement WHERE event = ?1",
                    plain("address"),
                    plain("address_kind"),
                    plain("local_name"),
                    plain("tx_power"),
                    plain("appearance"),
                    list("services"),
                    list("manufacturer"),
                    list("service_data"),
                ))?
                .query_row([event], |row| Ok(text(row.get_ref(0)?)))
                .optional()
                .map(Option::flatten)
        };
        read().map_err(|error| self.fail(&error))
    }

    /// The address and its kind that the first advertisement of a device told. Looks where it was
    /// first seen.
    pub(crate) fn advertised_address(
        &self,
        device: &Device,
    ) -> Result<(Option<String>, Option<String>)> {
        let seen = device.first_seen.0;
        let (first, last) = self.range(seen, seen.saturating_add(1))?;
        let read = || {
            self.file
                .prepare_cached(
                    "SELECT a.address, a.address_kind
                       FROM event AS e JOIN advertisement AS a ON a.event = e.id
                      WHERE e.id BETWEEN ?1 AND ?2 AND e.device = ?3
                      ORDER BY e.id LIMIT 1",
                )?
                .query_row([first, last, i64::from(device.key.0)], |row| {
                    Ok((text(row.get_ref(0)?), text(row.get_ref(1)?)))
                })
                .optional()
        };
        read()
            .map(Option::unwrap_or_default)
            .map_err(|error| self.fail(&error))
    }

    /// Every device by its key.
    pub(crate) fn device_table(&self) -> Result<HashMap<DeviceKey, Device>> {
        let devices = self.devices()?.into_iter();
        Ok(devices.map(|device| (device.key, device)).collect())
    }

    /// Every attribute by its identity.
    pub(crate) fn attribute_table(&self) -> Result<HashMap<AttrId, Attribute>> {
        let attributes = self.attributes()?.into_iter();
        Ok(attributes
            .map(|attribute| (attribute.id, attribute))
            .collect())
    }
}

/// Goes through the events of a session, page by page.
#[derive(Debug)]
pub struct Events<'a> {
    session: &'a Session,
    sql: String,
    first: i64,
    after: i64,
    last: i64,
    page: std::vec::IntoIter<Recorded>,
    /// What comes after the page.
    damage: Option<Error>,
}

impl Events<'_> {
    /// How many numbers there are to go through, whether the filter lets them through or not; far
    /// too many if the file [is cut off](Session::is_cut_off), because nobody knows.
    #[must_use]
    pub fn span(&self) -> u64 {
        distance(self.first, self.last)
    }

    /// How far into [`span`](Self::span) it has come.
    #[must_use]
    pub fn position(&self) -> u64 {
        distance(self.first, self.after)
    }

    /// The last number there is to go through.
    pub(crate) fn last_number(&self) -> i64 {
        self.last
    }

    /// The next events, perhaps none although there are more, and what keeps from reading on; `None`
    /// at the end.
    pub(crate) fn next_page(&mut self) -> Option<(Vec<Recorded>, Option<Error>)> {
        let mut page = Vec::new();
        let outcome = self.each_of_page(|event| {
            page.push(event.to_recorded());
            Ok(())
        })?;
        Some((page, outcome.err()))
    }

    /// Hands the next events to `one` where they lie, perhaps none although there are more, up to
    /// what keeps it, or reading, from going on; `None` at the end.
    pub(crate) fn each_of_page(
        &mut self,
        mut one: impl FnMut(&Seen<'_>) -> Result<()>,
    ) -> Option<Result<()>> {
        if self.after >= self.last {
            return None;
        }
        let upto = match self.session.cut_off {
            // Nobody knows where it ends but by reading.
            true => self.last,
            false => self.last.min(self.after.saturating_add(WINDOW)),
        };
        let (mut events, mut last) = (0, self.after);
        let outcome = self.session.page(&self.sql, self.after, upto, |event| {
            events += 1;
            last = event.id;
            one(event)
        });
        self.after = match events {
            // Numbers that nothing has, however many, are not gone through.
            0 => self.session.before_next(upto).unwrap_or(upto),
            PAGE => last,
            _ => upto,
        };
        if outcome.is_err() {
            self.after = self.last;
        }
        Some(outcome)
    }
}

impl Iterator for Events<'_> {
    type Item = Result<Recorded>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.page.next() {
                return Some(Ok(event));
            }
            if let Some(damage) = self.damage.take() {
                return Some(Err(damage));
            }
            let (page, damage) = self.next_page()?;
            self.page = page.into_iter();
            self.damage = damage;
        }
    }
}

impl Session {
    fn select(&self, filter: &Filter) -> String {
        let sql = choose(COLUMNS, filter, !self.cut_off);
        format!("{sql} ORDER BY id LIMIT ?3")
    }

    /// The number before the next event after `number`; `number` itself if that is not to be known.
    fn before_next(&self, number: i64) -> Option<i64> {
        self.file
            .prepare_cached("SELECT min(id) - 1 FROM event WHERE id > ?1")
            .and_then(|mut next| next.query_row([number], |row| row.get(0)))
            .ok()
            .flatten()
    }

    /// Hands one page of events to `one`; if the file is damaged within it, what stands before the
    /// damage.
    fn page(
        &self,
        sql: &str,
        after: i64,
        upto: i64,
        mut one: impl FnMut(&Seen<'_>) -> Result<()>,
    ) -> Result<()> {
        let damage = |error: rusqlite::Error| self.fail(&error);
        let mut statement = self.file.prepare_cached(sql).map_err(damage)?;
        let mut rows = statement.query([after, upto, PAGE]).map_err(damage)?;
        while let Some(row) = rows.next().map_err(damage)? {
            one(&seen(row).map_err(damage)?)?;
        }
        Ok(())
    }
}

/// A row of the table of gaps.
fn lost(row: &rusqlite::Row<'_>) -> rusqlite::Result<Gap> {
    let cause: i64 = row.get(0)?;
    Ok(Gap {
        cause: Cause::from_number(cause)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(0, cause))?,
        count: row.get::<_, i64>(1)?.unsigned_abs(),
        from: SessionTime(row.get(2)?),
        to: SessionTime(row.get(3)?),
    })
}

/// How many numbers there are from `first` to `last`.
fn distance(first: i64, last: i64) -> u64 {
    match last < first {
        true => 0,
        false => last.abs_diff(first).saturating_add(1),
    }
}

pub(crate) const COLUMNS: &str =
    "id, t_ns, kind, device, link, attribute, value, status, number, detail";

/// Asks for `columns` of the events with numbers above ?1 up to ?2 that the filter lets through; `by_index`
/// where the indexes are whole.
fn choose(columns: &str, filter: &Filter, by_index: bool) -> String {
    let mut sql = format!("SELECT {columns} FROM event WHERE id > ?1 AND id <= ?2");
    let mut only = |condition: String| {
        sql.push_str(" AND ");
        sql.push_str(&condition);
    };
    if let Some(from) = filter.from {
        only(format!("t_ns >= {}", from.0));
    }
    if let Some(to) = filter.to {
        only(format!("t_ns < {}", to.0));
    }
    if !filter.devices.is_empty() {
        let devices = filter.devices.iter().map(|device| i64::from(device.0));
        only(format!("device IN ({})", numbers(devices)));
    }
    match &filter.attributes[..] {
        [] => {}
        // The index gives one attribute in order; several it would have to sort for every page.
        [one] if by_index => only(format!("attribute = {}", one.to_u64())),
        several => {
            let several = several.iter().map(|id| id.to_u64().cast_signed());
            only(format!("+attribute IN ({})", numbers(several)));
        }
    }
    if !filter.kinds.is_empty() {
        let kinds = filter.kinds.iter().map(|kind| kind.number());
        only(format!("kind IN ({})", numbers(kinds)));
    }
    if !filter.containing.is_empty() {
        let bytes = filter.containing.iter();
        let digits: String = bytes.map(|byte| format!("{byte:02X}")).collect();
        only(format!("instr(value, x'{digits}') > 0"));
    }
    sql
}

pub(crate) fn numbers(numbers: impl Iterator<Item = i64>) -> String {
    let numbers: Vec<_> = numbers.map(|number| number.to_string()).collect();
    numbers.join(",")
}

/// One event where it lies, as [`Recorded`] has it: what it borrows is there for the time of a call.
pub(crate) struct Seen<'a> {
    pub(crate) id: i64,
    pub(crate) at: SessionTime,
    pub(crate) kind: Kind,
    pub(crate) device: Option<DeviceKey>,
    pub(crate) link: Option<LinkKey>,
    pub(crate) attribute: Option<AttrId>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) status: Option<i64>,
    pub(crate) number: Option<i64>,
    pub(crate) detail: Option<Cow<'a, str>>,
}

impl Seen<'_> {
    pub(crate) fn to_recorded(&self) -> Recorded {
        Recorded {
            id: self.id,
            at: self.at,
            kind: self.kind,
            device: self.device,
            link: self.link,
            attribute: self.attribute,
            value: self.value.map(Bytes::copy_from_slice),
            status: self.status,
            number: self.number,
            detail: self.detail.as_deref().map(Into::into),
        }
    }
}

pub(crate) fn recorded(row: &rusqlite::Row<'_>) -> rusqlite::Result<Recorded> {
    Ok(seen(row)?.to_recorded())
}

fn seen<'a>(row: &'a rusqlite::Row<'_>) -> rusqlite::Result<Seen<'a>> {
    Ok(Seen {
        id: row.get(0)?,
        at: SessionTime(row.get(1)?),
        kind: kind(row, 2)?,
        device: row.get::<_, Option<_>>(3)?.map(DeviceKey),
        link: row.get::<_, Option<_>>(4)?.map(LinkKey),
        attribute: match row.get_ref(5)? {
            ValueRef::Null => None,
            _ => Some(attr_id(row, 5)?),
        },
        value: row.get_ref(6)?.as_blob_or_null()?,
        status: row.get(7)?,
        number: row.get(8)?,
        detail: match row.get_ref(9)? {
            ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        },
    })
}

pub(crate) fn kind(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    let number = row.get(column)?;
    Kind::from_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, number))
}

pub(crate) fn attr_id(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<AttrId> {
    let number: i64 = row.get(column)?;
    u64::try_from(number)
        .ok()
        .and_then(AttrId::from_u64)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, number))
}

fn uuid(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<Uuid>> {
    text(row.get_ref(column)?)
        .map(|text| Uuid::parse_str(&text).map_err(|_| rusqlite::Error::InvalidQuery))
        .transpose()
}

/// A text that another program may have changed: never refused for its bytes.
pub(crate) fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

/// How long somebody else may keep the file locked.
const PATIENCE: Duration = Duration::from_secs(2);

struct Opened {
    file: Connection,
    cut_off: bool,
    copy: Option<TempDir>,
}

/// Opens the file by SQLite alone: a handle of our own, once closed, would take away the locks by
/// which a recorder in the same process keeps others from folding in its log.
fn open_file(path: &Path) -> Result<Opened> {
    let fail = |error: &rusqlite::Error| Error::sqlite(path, error);
    let found = fs::metadata(path).map_err(|error| Error::unread(path, &error))?;
    if found.is_dir() {
        return Err(Error::NotASession {
            path: path.to_owned(),
            reason: "it is a folder",
        });
    }
    let mut copy = None;
    let mut file = connect(path, OpenFlags::empty());
    let mut first = file.as_ref().map_or_else(cause, look);
    if matches!(
        first,
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    ) {
        // A log where nothing can be written: SQLite needs a place for its index.
        let log = with_suffix(path, "-wal");
        if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            let folder = temporary_folder(path)?;
            let inside = folder.path().join(COPY);
            for (from, to) in [(path, &inside), (&log, &with_suffix(&inside, "-wal"))] {
                fs::copy(from, to).map_err(|error| Error::unread(from, &error))?;
            }
            file = connect(&inside, OpenFlags::empty());
            copy = Some(folder);
        } else {
            file = connect(&unchanging(path), OpenFlags::SQLITE_OPEN_URI);
        }
        first = file.as_ref().map_or_else(cause, look);
    }
    let file = match file {
        Ok(file) => file,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            // It is open nowhere here, as it cannot be opened; the system tells why.
            return Err(match fs::File::open(path) {
                Err(error) => Error::unread(path, &error),
                Ok(_) => fail(&error),
            });
        }
        Err(error) => return Err(fail(&error)),
    };
    let cut_off = first == Some(ErrorCode::DatabaseCorrupt);
    if cut_off {
        read_what_is_there(&file).map_err(|error| fail(&error))?;
    }
    Ok(Opened {
        file,
        cut_off,
        copy,
    })
}

/// SQLite refuses a file that is shorter than it says. With this it reads the pages that are there; the
/// connection cannot write.
fn read_what_is_there(file: &Connection) -> rusqlite::Result<()> {
    file.execute_batch("PRAGMA writable_schema = ON")
}

fn connect(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let file = Connection::open_with_flags(path, flags)?;
    file.busy_timeout(PATIENCE)?;
    distrust(&file)?;
    Ok(file)
}

/// A session may come from anybody: nothing in it is run, and no view takes the place of a table.
pub(crate) fn distrust(file: &Connection) -> rusqlite::Result<()> {
    for switch in [
        DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
        DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW,
        DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA,
    ] {
        file.set_db_config(switch, false)?;
    }
    Ok(())
}

/// What goes wrong at the first look into the file.
fn look(file: &Connection) -> Option<ErrorCode> {
    file.query_row("PRAGMA application_id", [], |_| Ok(()))
        .err()
        .and_then(|error| error.sqlite_error_code())
}

fn cause(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}

/// The name by which SQLite reads a file that nobody changes, without looking for locks or a log.
fn unchanging(path: &Path) -> PathBuf {
    use std::fmt::Write as _;
    let mut name = String::from("file:");
    for (place, byte) in path.as_os_str().as_encoded_bytes().iter().enumerate() {
        match byte {
            b'\\' if cfg!(windows) => name.push('/'),
            b'/' | b'-' | b'.' | b'_' | b'~' => name.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => {
                // A drive letter has a slash in front.
                if cfg!(windows) && place == 0 {
                    name.push('/');
                }
                name.push(char::from(*byte));
            }
            // Writing to a string does not fail.
            byte => {
                let _ = write!(name, "%{byte:02X}");
            }
        }
    }
    name.push_str("?immutable=1");
    name.into()
}

/// A folder that is deleted with what is in it, for a copy of `path`.
fn temporary_folder(path: &Path) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("gattscope-")
        .tempdir()
        .map_err(|error| Error::Storage {
            path: path.to_owned(),
            reason: format!("no temporary copy can be made: {error}"),
        })
}

fn anchors(file: &Connection) -> rusqlite::Result<Option<Anchors>> {
    let mut rows = file.prepare("SELECT t_ns, unix_ns, utc_offset_s FROM anchor ORDER BY t_ns")?;
    let mut anchors = rows.query_map([], |row| {
        Ok(Anchor {
            at: SessionTime(row.get(0)?),
            wall: WallTime {
                unix_ns: row.get(1)?,
                utc_offset_s: row.get(2)?,
            },
        })
    })?;
    let Some(first) = anchors.next().transpose()? else {
        return Ok(None);
    };
    Ok(Some(Anchors::new(
        first,
        anchors.collect::<rusqlite::Result<_>>()?,
    )))
}
