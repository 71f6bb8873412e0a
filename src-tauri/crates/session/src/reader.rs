//! Reading a session file, also while it is being written. Nothing is loaded whole, and no call
//! changes the file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use radio::{AttrId, AttrKind, Handle, Properties};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use uuid::Uuid;

use crate::time::{Anchor, Anchors, SessionTime, WallTime};
use crate::{
    APPLICATION_ID, Cause, DeviceKey, Error, Kind, LinkKey, Losses, Result, SCHEMA_VERSION,
};

/// How many events are read at once; between two pages the file is let go, so that a long export
/// does not make the recording's log grow.
const PAGE: i64 = 2048;

/// A session file, opened for reading.
#[derive(Debug)]
pub struct Session {
    path: PathBuf,
    file: Connection,
    anchors: Anchors,
    cut_off: bool,
}

/// A session in a few numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// What the user calls it.
    pub title: Option<String>,
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
}

impl Session {
    /// Opens a session file.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NotASession`], [`Error::NewerSchema`], [`Error::Damaged`].
    /// Damage further inside is found by the call that reaches it; what comes before can be read.
    pub fn open(path: &Path) -> Result<Self> {
        recognise(path)?;
        let fail = |error: rusqlite::Error| Error::sqlite(path, &error);
        let file = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(fail)?;
        let number = |pragma| file.query_row(pragma, [], |row| row.get::<_, i64>(0));
        // SQLite refuses a file that is shorter than it says. With this it reads the pages that are
        // there; the connection cannot write.
        let cut_off = matches!(
            number("PRAGMA application_id"),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
        );
        if cut_off {
            file.execute_batch("PRAGMA writable_schema = ON")
                .map_err(fail)?;
        }
        if number("PRAGMA application_id").map_err(fail)? != i64::from(APPLICATION_ID) {
            return Err(Error::NotASession {
                path: path.to_owned(),
                reason: "it is the SQLite database of another program",
            });
        }
        let found = number("PRAGMA user_version").map_err(fail)?;
        if found > SCHEMA_VERSION {
            return Err(Error::NewerSchema {
                path: path.to_owned(),
                found,
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
        })
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

    fn fail(&self, error: &rusqlite::Error) -> Error {
        Error::sqlite(&self.path, error)
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        one: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let read = || {
            self.file
                .prepare_cached(sql)?
                .query_map(params, one)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.fail(&error))
    }

    /// The session in a few numbers; quick, whatever its size.
    pub fn info(&self) -> Result<Info> {
        let losses = self.all(
            "SELECT cause, sum(count) FROM gap GROUP BY cause",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )?;
        let mut lost = Losses::default();
        for (cause, count) in losses {
            if let Some(cause) = Cause::from_number(cause) {
                *lost.of(cause) += count.unsigned_abs();
            }
        }
        self.file
            .query_row(
                "SELECT title, writer, ended_ns, (SELECT max(max_t_ns) FROM batch),
                        (SELECT coalesce(max(id), 0) FROM event)
                   FROM session",
                [],
                |row| {
                    Ok(Info {
                        title: row.get(0)?,
                        writer: row.get(1)?,
                        started: self.anchors.start(),
                        ended: row.get::<_, Option<_>>(2)?.map(SessionTime),
                        last: row.get::<_, Option<_>>(3)?.map(SessionTime),
                        events: row.get::<_, i64>(4)?.unsigned_abs(),
                        lost,
                    })
                },
            )
            .map_err(|error| self.fail(&error))
    }

    /// The devices, in the order in which they were first seen.
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

    /// The links, in the order in which they came up.
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
    pub fn attributes(&self) -> Result<Vec<Attribute>> {
        self.all(
            "SELECT a.id, a.link, l.device, a.kind, a.uuid, a.handle, a.parent, a.properties,
                    a.service, a.characteristic, a.path
               FROM attribute AS a JOIN link AS l ON l.id = a.link ORDER BY a.id",
            [],
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

    /// How many events of each kind each device has. Reads the whole file.
    pub fn counts(&self) -> Result<Vec<Count>> {
        self.all(
            "SELECT device, kind, count(*) FROM event GROUP BY device, kind ORDER BY device, kind",
            [],
            |row| {
                Ok(Count {
                    device: row.get::<_, Option<_>>(0)?.map(DeviceKey),
                    kind: kind(row, 1)?,
                    events: row.get::<_, i64>(2)?.unsigned_abs(),
                })
            },
        )
    }

    /// The last `latest` values of an attribute, oldest first, together with those that the same
    /// attribute had in other generations.
    pub fn values(&self, attribute: AttrId, latest: usize) -> Result<Vec<Recorded>> {
        let generations = self.all(
            "SELECT other.id
               FROM attribute AS this
               JOIN link AS mine ON mine.id = this.link
               JOIN attribute AS other ON other.path = this.path
               JOIN link AS theirs ON theirs.id = other.link AND theirs.device = mine.device
              WHERE this.id = ?1
              ORDER BY other.id DESC",
            [attribute.to_u64().cast_signed()],
            |row| row.get::<_, i64>(0),
        )?;
        let kinds = numbers(Kind::VALUES.iter().map(|kind| kind.number()));
        let sql = format!(
            "SELECT {COLUMNS} FROM event
              WHERE attribute = ?1 AND value IS NOT NULL AND kind IN ({kinds})
              ORDER BY id DESC LIMIT ?2"
        );
        let mut values = Vec::new();
        for generation in generations {
            let wanted = i64::try_from(latest.saturating_sub(values.len())).unwrap_or(i64::MAX);
            if wanted == 0 {
                break;
            }
            values.extend(self.all(&sql, params![generation, wanted], recorded)?);
        }
        values.sort_by_key(|value| value.id);
        Ok(values)
    }

    /// The events that `filter` lets through, in the order in which they reached the recorder, up to
    /// the last that is in the file now.
    pub fn events(&self, filter: &Filter) -> Result<Events<'_>> {
        let (first, last) = self.range(filter)?;
        Ok(Events {
            session: self,
            sql: select(filter),
            after: first - 1,
            first,
            last,
            page: Vec::new().into_iter(),
            ended: false,
        })
    }

    /// The numbers between which all events of the filter's times are.
    fn range(&self, filter: &Filter) -> Result<(i64, i64)> {
        let from = filter.from.map_or(i64::MIN, SessionTime::nanos);
        let to = filter.to.map_or(i64::MAX, SessionTime::nanos);
        if self.cut_off {
            // The table of batches may be cut off before the events are.
            return Ok((1, i64::MAX));
        }
        self.file
            .query_row(
                "SELECT coalesce(min(first), 1), coalesce(max(last), 0) FROM batch
                  WHERE max_t_ns >= ?1 AND min_t_ns < ?2",
                [from, to],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(|error| self.fail(&error))
    }

    /// What is missing at a [`Kind::Gap`] event.
    pub fn gap(&self, event: i64) -> Result<Option<Gap>> {
        let read = || {
            self.file
                .prepare_cached("SELECT cause, count, from_ns, to_ns FROM gap WHERE event = ?1")?
                .query_row([event], |row| {
                    let cause: i64 = row.get(0)?;
                    Ok(Gap {
                        cause: Cause::from_number(cause)
                            .ok_or(rusqlite::Error::IntegralValueOutOfRange(0, cause))?,
                        count: row.get::<_, i64>(1)?.unsigned_abs(),
                        from: SessionTime(row.get(2)?),
                        to: SessionTime(row.get(3)?),
                    })
                })
                .optional()
        };
        read().map_err(|error| self.fail(&error))
    }

    /// What a [`Kind::Advertisement`] event contained, as one JSON object: address, address_kind,
    /// local_name, tx_power, appearance, connectable, services, manufacturer, service_data, raw
    /// (hexadecimal). What the report did not contain is missing.
    pub fn advertisement_json(&self, event: i64) -> Result<Option<String>> {
        let read = || {
            self.file
                .prepare_cached(
                    "SELECT json_patch('{}', json_object(
                            'address', address, 'address_kind', address_kind,
                            'local_name', local_name, 'tx_power', tx_power,
                            'appearance', appearance,
                            'connectable', json(CASE connectable WHEN 1 THEN 'true'
                                                                 WHEN 0 THEN 'false' END),
                            'services', json(services), 'manufacturer', json(manufacturer),
                            'service_data', json(service_data),
                            'raw', CASE WHEN raw IS NOT NULL THEN lower(hex(raw)) END))
                       FROM advertisement WHERE event = ?1",
                )?
                .query_row([event], |row| row.get(0))
                .optional()
        };
        read().map_err(|error| self.fail(&error))
    }

    /// The address and its kind that the first advertisement of a device told. Looks where it was
    /// first seen.
    pub(crate) fn advertised_address(
        &self,
        device: &Device,
    ) -> Result<(Option<String>, Option<String>)> {
        let (first, last) = self.range(&Filter {
            from: Some(device.first_seen),
            to: Some(SessionTime(device.first_seen.0.saturating_add(1))),
            ..Filter::default()
        })?;
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
    ended: bool,
}

impl Events<'_> {
    /// How many numbers there are to go through, whether the filter lets them through or not; far
    /// too many if the file [is cut off](Session::is_cut_off), because nobody knows.
    #[must_use]
    pub fn span(&self) -> u64 {
        u64::try_from(self.last - self.first + 1).unwrap_or(0)
    }

    /// How far `event` is into [`span`](Self::span).
    #[must_use]
    pub fn position(&self, event: i64) -> u64 {
        u64::try_from(event - self.first + 1).unwrap_or(0)
    }
}

impl Iterator for Events<'_> {
    type Item = Result<Recorded>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(event) = self.page.next() {
            return Some(Ok(event));
        }
        if self.ended {
            return None;
        }
        let page = match self.session.page(&self.sql, self.after, self.last) {
            Ok(page) => page,
            Err(error) => {
                self.ended = true;
                return Some(Err(error));
            }
        };
        // What stands before the damage comes first; the damage is met again by the next page.
        self.ended = page.is_empty();
        if let Some(last) = page.last() {
            self.after = last.id;
        }
        self.page = page.into_iter();
        self.page.next().map(Ok)
    }
}

impl Session {
    /// One page of events; if the file is damaged within it, what stands before the damage.
    fn page(&self, sql: &str, after: i64, last: i64) -> Result<Vec<Recorded>> {
        let mut page = Vec::new();
        let mut read = || {
            let mut statement = self.file.prepare_cached(sql)?;
            let mut rows = statement.query([after, last, PAGE])?;
            while let Some(row) = rows.next()? {
                page.push(recorded(row)?);
            }
            Ok(())
        };
        match read() {
            Err(error) if page.is_empty() => Err(self.fail(&error)),
            _ => Ok(page),
        }
    }
}

const COLUMNS: &str = "id, t_ns, kind, device, link, attribute, value, status, number, detail";

fn select(filter: &Filter) -> String {
    let mut sql = format!("SELECT {COLUMNS} FROM event WHERE id > ?1 AND id <= ?2");
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
        [one] => only(format!("attribute = {}", one.to_u64())),
        several => {
            let several = several.iter().map(|id| id.to_u64().cast_signed());
            only(format!("+attribute IN ({})", numbers(several)));
        }
    }
    if !filter.kinds.is_empty() {
        let kinds = filter.kinds.iter().map(|kind| kind.number());
        only(format!("kind IN ({})", numbers(kinds)));
    }
    sql.push_str(" ORDER BY id LIMIT ?3");
    sql
}

fn numbers(numbers: impl Iterator<Item = i64>) -> String {
    let numbers: Vec<_> = numbers.map(|number| number.to_string()).collect();
    numbers.join(",")
}

fn recorded(row: &rusqlite::Row<'_>) -> rusqlite::Result<Recorded> {
    Ok(Recorded {
        id: row.get(0)?,
        at: SessionTime(row.get(1)?),
        kind: kind(row, 2)?,
        device: row.get::<_, Option<_>>(3)?.map(DeviceKey),
        link: row.get::<_, Option<_>>(4)?.map(LinkKey),
        attribute: match row.get_ref(5)? {
            ValueRef::Null => None,
            _ => Some(attr_id(row, 5)?),
        },
        value: row
            .get_ref(6)?
            .as_blob_or_null()?
            .map(Bytes::copy_from_slice),
        status: row.get(7)?,
        number: row.get(8)?,
        detail: text(row.get_ref(9)?),
    })
}

fn kind(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    let number = row.get(column)?;
    Kind::from_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, number))
}

fn attr_id(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<AttrId> {
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
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

/// Refuses what is not even an SQLite database, before SQLite makes anything beside it.
fn recognise(path: &Path) -> Result<()> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let refuse = |reason| {
        Err(Error::NotASession {
            path: path.to_owned(),
            reason,
        })
    };
    if path.is_dir() {
        return refuse("it is a folder");
    }
    let mut file = File::open(path).map_err(|error| Error::io(path, &error))?;
    let mut start = [0; 16];
    match file.read_exact(&mut start) {
        Ok(()) if start == MAGIC => Ok(()),
        Ok(()) => refuse("it is not an SQLite database"),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            refuse("it is empty or cut off at its start")
        }
        Err(error) => Err(Error::io(path, &error)),
    }
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
