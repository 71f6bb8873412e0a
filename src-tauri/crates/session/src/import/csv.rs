//! CSV that was exported here. Columns are found by their names; what is wrong is said with its line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use radio::{AttrId, AttrKind, DeviceId, Generation, Handle, Properties};
use uuid::Uuid;

use super::store::{NewAttribute, Store};
use super::{Imported, Work};
use crate::advertisement;
use crate::event;
use crate::export::{Found, adapter_state, disconnect_reason, notify_mode, unhex};
use crate::{
    Anchor, Anchors, Cause, DeviceKey, Error, Kind, LinkKey, Result, SessionTime, WallTime,
};

/// How often the progress is told, in rows.
const TELL: u64 = 1024;

/// Whether a file that begins so may be one of ours. A spreadsheet may have put a mark in front.
pub(super) fn is_one(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    start.starts_with(b"event,time,") || start.starts_with(b"\"event\",\"time")
}

/// Where the columns are.
struct Columns {
    time: usize,
    seconds: usize,
    kind: usize,
    device_name: usize,
    device_id: usize,
    service: usize,
    characteristic: usize,
    descriptor: usize,
    handle: usize,
    bytes: usize,
    hex: usize,
    status: usize,
    rssi: usize,
    mtu: usize,
    count: usize,
    link: usize,
    attribute: usize,
    detail: usize,
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, String> {
        let place = |name: &str| {
            header
                .iter()
                .position(|column| column.trim_start_matches('\u{FEFF}') == name)
                .ok_or_else(|| format!("it has no column {name}"))
        };
        Ok(Self {
            time: place("time")?,
            seconds: place("seconds")?,
            kind: place("kind")?,
            device_name: place("device_name")?,
            device_id: place("device_id")?,
            service: place("service")?,
            characteristic: place("characteristic")?,
            descriptor: place("descriptor")?,
            handle: place("handle")?,
            bytes: place("bytes")?,
            hex: place("hex")?,
            status: place("status")?,
            rssi: place("rssi_dbm")?,
            mtu: place("mtu")?,
            count: place("count")?,
            link: place("link")?,
            attribute: place("attribute")?,
            detail: place("detail")?,
        })
    }
}

/// What has been imported so far.
struct Table {
    store: Store,
    columns: Columns,
    anchors: Anchors,
    devices: HashMap<String, (DeviceKey, String)>,
    links: HashMap<LinkKey, ()>,
}

/// Why a row is not imported: because of what stands in it, or because it cannot be written.
enum Wrong {
    Cell(String),
    Other(Error),
}

impl From<String> for Wrong {
    fn from(reason: String) -> Self {
        Self::Cell(reason)
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

pub(super) fn import(
    work: &mut Work<'_, '_>,
    target: &Path,
    place: &Path,
    reader: impl Read,
) -> Result<(Store, Imported)> {
    let mut reader = csv::ReaderBuilder::new().from_reader(reader);
    let mut row = csv::StringRecord::new();
    let header = reader
        .headers()
        .cloned()
        .map_err(|error| unreadable(work, error))?;
    let columns = Columns::find(&header).map_err(|reason| work.refuse(reason))?;
    let mut table: Option<Table> = None;
    let mut columns = Some(columns);
    while reader
        .read_record(&mut row)
        .map_err(|error| unreadable(work, error))?
    {
        let line = row.position().map_or(0, csv::Position::line);
        let mut take = || {
            if let Some(columns) = columns.take() {
                let first = begin(target, place, &row, columns)?;
                table = Some(first);
            }
            match &mut table {
                Some(table) => table.row(&row),
                None => Ok(()),
            }
        };
        match take() {
            Ok(()) => {}
            Err(Wrong::Other(error)) => return Err(error),
            Err(Wrong::Cell(reason)) => {
                return Err(work.refuse(format!("line {line}: {reason}")));
            }
        }
        let events = table.as_ref().map_or(0, |table| table.store.events());
        if events.is_multiple_of(TELL) {
            let bytes = row.position().map_or(0, csv::Position::byte);
            work.tell(events, bytes)?;
        }
    }
    let table = table.ok_or_else(|| work.refuse("it has no rows, and so no time"))?;
    Ok((table.store, Imported::default()))
}

fn unreadable(work: &Work<'_, '_>, error: csv::Error) -> Error {
    let line = error
        .position()
        .map(|position| format!("line {}: ", position.line()))
        .unwrap_or_default();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => work.unread(&error),
        csv::ErrorKind::Utf8 { .. } => work.refuse(format!("{line}it is not UTF-8")),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => work.refuse(format!("{line}{len} cells instead of {expected_len}")),
        _ => work.refuse(format!("{line}it is not CSV")),
    }
}

/// The session that the first row tells the start of.
fn begin(
    target: &Path,
    place: &Path,
    row: &csv::StringRecord,
    columns: Columns,
) -> Result<Table, Wrong> {
    let (at, wall) = times(row, &columns)?;
    let start = Anchor {
        at: SessionTime(0),
        wall: WallTime {
            unix_ns: wall
                .unix_ns
                .checked_sub(at.0)
                .ok_or("its session starts at no time that can be")?,
            ..wall
        },
    };
    Ok(Table {
        store: Store::create(target, place, start)?,
        columns,
        anchors: Anchors::new(start, Vec::new()),
        devices: HashMap::new(),
        links: HashMap::new(),
    })
}

impl From<&str> for Wrong {
    fn from(reason: &str) -> Self {
        Self::Cell(reason.into())
    }
}

impl Table {
    fn row(&mut self, row: &csv::StringRecord) -> Result<(), Wrong> {
        let cell = |place: usize| row.get(place).unwrap_or_default();
        let columns = &self.columns;
        let (at, wall) = times(row, columns)?;
        if self.anchors.wall_time(at) != wall {
            let anchor = Anchor { at, wall };
            self.anchors.push(anchor);
            self.store.anchor(anchor)?;
        }
        let name = text(cell(columns.kind));
        let kind = Kind::ALL.iter().find(|kind| kind.name() == name);
        let kind = *kind.ok_or_else(|| format!("{name:?} is no kind of event"))?;
        let (id, name) = (
            text(cell(columns.device_id)),
            text(cell(columns.device_name)),
        );
        let link = number::<u32>(cell(columns.link), "link")?.map(LinkKey);
        let attribute = number::<u64>(cell(columns.attribute), "attribute")?
            .map(|number| AttrId::from_u64(number).ok_or("no attribute has that number"))
            .transpose()?;
        let detail = match kind {
            // JSON escapes what it must: it stands as it is.
            Kind::Advertisement | Kind::Discovered => cell(columns.detail).to_owned(),
            _ => text(cell(columns.detail)),
        };
        let value = match (cell(columns.bytes), cell(columns.hex)) {
            ("", "") => None,
            ("", _) => return Err("a value without its length".into()),
            (len, digits) => {
                let len: usize = number(len, "bytes")?.unwrap_or(0);
                let value = unhex(&digits.replace(' ', ""))
                    .filter(|value| value.len() == len)
                    .ok_or("the value does not have as many bytes as it says")?;
                Some(value)
            }
        };
        let status = number(cell(columns.status), "status")?;
        let figure = match kind {
            Kind::Advertisement | Kind::Rssi => number(cell(columns.rssi), "rssi_dbm")?,
            Kind::Mtu => number(cell(columns.mtu), "mtu")?,
            Kind::Gap | Kind::Discovered | Kind::Sampling => number(cell(columns.count), "count")?,
            _ => None,
        };

        let device = match &*id {
            "" => None,
            id => Some(self.device(id, &name, at)?),
        };
        if let Some(key) = link
            && self.links.insert(key, ()).is_none()
        {
            let device = device.ok_or("a link without a device")?;
            self.store.link(key, device, at)?;
        }
        if let Some(id) = attribute
            && !self.store.knows(id)
        {
            self.attribute(id, link, row)?;
        }
        let mut new = event::Columns {
            device,
            link,
            attribute,
            value: value.as_deref(),
            status,
            number: figure,
            ..event::Columns::of(kind)
        };
        let words = |found: Option<(i64, Option<String>)>| {
            found.ok_or_else(|| format!("the detail {detail:?} is not one of its kind"))
        };
        let own;
        match kind {
            Kind::Advertisement => {
                let report = match &*detail {
                    "" => None,
                    json => Some(advertisement::parse(json, DeviceId::from(""), at)?),
                };
                let event = self.store.event(at, &new)?;
                if let Some(report) = report {
                    self.store.advertisement(event, &report)?;
                }
                return Ok(());
            }
            Kind::Gap => {
                let gap = match &*detail {
                    "" => None,
                    words => Some(gap(words).ok_or("the detail of a gap is not as it was")?),
                };
                let event = self.store.event(at, &new)?;
                if let Some((cause, from, to)) = gap {
                    let count = figure.unwrap_or(0);
                    self.store.gap(event, cause, count, from, to)?;
                }
                return Ok(());
            }
            Kind::Discovered => {
                if let Some(link) = link.filter(|_| !detail.is_empty()) {
                    self.discovery(link, &detail)?;
                }
            }
            Kind::Disconnected => {
                (new.number, own) = words(meant(&detail, disconnect_reason, 0..=2))
                    .map(|(number, words)| (Some(number), words))?;
                new.detail = own.map(Cow::Owned);
                self.store.event(at, &new)?;
                if let Some(link) = link {
                    self.store.link_down(link, at)?;
                }
                return Ok(());
            }
            Kind::AdapterState | Kind::Subscribed => {
                let found = match kind {
                    Kind::AdapterState => meant(&detail, adapter_state, 0..=4),
                    _ => meant(&detail, notify_mode, 0..=2),
                };
                (new.number, own) = words(found).map(|(number, words)| (Some(number), words))?;
                new.detail = own.map(Cow::Owned);
                self.store.event(at, &new)?;
                return Ok(());
            }
            _ => new.detail = Some(Cow::Borrowed(&*detail)).filter(|detail| !detail.is_empty()),
        }
        // The text of a note may be empty.
        if matches!(kind, Kind::Note | Kind::Marker) {
            new.detail = Some(Cow::Borrowed(&*detail));
        }
        self.store.event(at, &new)?;
        Ok(())
    }

    fn device(&mut self, id: &str, name: &str, at: SessionTime) -> Result<DeviceKey, Wrong> {
        let next = DeviceKey(u32::try_from(self.devices.len() + 1).unwrap_or(u32::MAX));
        let (key, known) = match self.devices.get_mut(id) {
            Some((key, known)) => (*key, known),
            None => {
                self.store.device(next, id, at)?;
                let new = self.devices.entry(id.to_owned());
                (next, &mut new.or_insert((next, String::new())).1)
            }
        };
        if known != name && !name.is_empty() {
            name.clone_into(known);
            self.store.device_name(key, name)?;
        }
        Ok(key)
    }

    fn discovery(&mut self, link: LinkKey, json: &str) -> Result<(), Wrong> {
        let found: Vec<Found> = serde_json::from_str(json)
            .map_err(|error| format!("its discovery is not as it was: {error}"))?;
        let id = |number| AttrId::from_u64(number).ok_or("no attribute has that number");
        for found in found {
            self.store.attribute(&NewAttribute {
                id: id(found.id)?,
                link,
                kind: found.kind,
                uuid: found.uuid,
                handle: found.handle,
                parent: found.parent.map(id).transpose()?,
                properties: found.properties,
            })?;
        }
        Ok(())
    }

    /// An attribute whose discovery is not among the rows: what its own row tells.
    fn attribute(
        &mut self,
        id: AttrId,
        link: Option<LinkKey>,
        row: &csv::StringRecord,
    ) -> Result<(), Wrong> {
        let Some(link) = link else {
            // It was never told; the event keeps its number.
            return Ok(());
        };
        let columns = &self.columns;
        let cell = |place: usize| row.get(place).unwrap_or_default();
        let uuid = |place: usize| match cell(place) {
            "" => Ok(None),
            text => Uuid::parse_str(text)
                .map(Some)
                .map_err(|_| format!("{text:?} is no UUID")),
        };
        let parts = [
            (AttrKind::Service, uuid(columns.service)?),
            (AttrKind::Characteristic, uuid(columns.characteristic)?),
            (AttrKind::Descriptor, uuid(columns.descriptor)?),
        ];
        let handle = number::<u16>(cell(columns.handle), "handle")?.map(Handle);
        let mut chain = parts
            .into_iter()
            .filter_map(|(kind, uuid)| Some((kind, uuid?)))
            .peekable();
        let mut parent = None;
        let mut place = 0_u16;
        while let Some((kind, uuid)) = chain.next() {
            let last = chain.peek().is_none();
            // Those above it were told by no row: numbers that no discovery has.
            let own = match last {
                true => id,
                false => self.above(id, place),
            };
            place += 1;
            self.store.attribute(&NewAttribute {
                id: own,
                link,
                kind,
                uuid,
                handle: handle.filter(|_| last),
                parent,
                properties: Properties::default(),
            })?;
            parent = Some(own);
        }
        Ok(())
    }

    /// A number for the service, or the characteristic, of an attribute that stands alone.
    fn above(&self, id: AttrId, place: u16) -> AttrId {
        let mut own = AttrId {
            generation: Generation(u32::MAX - id.generation.0),
            index: id.index.wrapping_mul(2).wrapping_add(place),
        };
        while self.store.knows(own) && own.generation.0 > 0 {
            own.generation = Generation(own.generation.0 - 1);
        }
        own
    }
}

/// When a row happened, on both clocks.
fn times(row: &csv::StringRecord, columns: &Columns) -> Result<(SessionTime, WallTime), String> {
    let cell = |place: usize| row.get(place).unwrap_or_default();
    let (time, seconds) = (cell(columns.time), cell(columns.seconds));
    let at = nanos(seconds).ok_or_else(|| format!("{seconds:?} is no number of seconds"))?;
    let wall = wall(time).ok_or_else(|| format!("{time:?} is no time with its offset"))?;
    Ok((SessionTime(at), wall))
}

/// ISO 8601 with an offset.
fn wall(text: &str) -> Option<WallTime> {
    let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
    let offset = pieces.to_numeric_offset()?;
    let time = pieces.date().to_datetime(pieces.time()?);
    let moment = offset.to_timestamp(time).ok()?;
    Some(WallTime {
        unix_ns: i64::try_from(moment.as_nanosecond()).ok()?,
        utc_offset_s: offset.seconds(),
    })
}

/// Seconds as nanoseconds, exactly.
fn nanos(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || rest.len() > 9 || !plain(whole) || !plain(rest) {
        return None;
    }
    let rest: i128 = format!("{rest:0<9}").parse().ok()?;
    let all = whole.parse::<i128>().ok()?.checked_mul(1_000_000_000)? + rest;
    i64::try_from(if negative { -all } else { all }).ok()
}

fn number<T: std::str::FromStr>(text: &str, column: &str) -> Result<Option<T>, String> {
    match text {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| format!("{text:?} is no number for the column {column}")),
    }
}

/// The text of a cell: without the apostrophe that kept it from being a formula.
fn text(cell: &str) -> String {
    cell.strip_prefix('\'')
        .unwrap_or(cell)
        .replace('\u{2400}', "\0")
}

/// The number that a meaning stands for, and the words behind it.
fn meant(
    detail: &str,
    meaning: fn(Option<i64>) -> &'static str,
    numbers: std::ops::RangeInclusive<i64>,
) -> Option<(i64, Option<String>)> {
    numbers.into_iter().find_map(|number| {
        let rest = detail.strip_prefix(meaning(Some(number)))?;
        match rest.strip_prefix(": ") {
            Some(words) => Some((number, Some(words.to_owned()))),
            None => rest.is_empty().then_some((number, None)),
        }
    })
}

/// `cause from 0.000000000 s to 1.900000000 s`
fn gap(detail: &str) -> Option<(Cause, SessionTime, SessionTime)> {
    let (cause, times) = detail.split_once(" from ")?;
    let cause = Cause::ALL.into_iter().find(|known| known.name() == cause)?;
    let (from, to) = times.split_once(" s to ")?;
    let to = to.strip_suffix(" s")?;
    Some((cause, SessionTime(nanos(from)?), SessionTime(nanos(to)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_exactly_or_refused() {
        for (text, wanted) in [
            ("0.000000000", Some(0)),
            ("-0.000000005", Some(-5)),
            ("1.5", Some(1_500_000_000)),
            ("9223372036.854775807", Some(i64::MAX)),
            ("-9223372036.854775808", Some(i64::MIN)),
            ("9223372036.854775808", None),
            ("1e3", None),
            ("", None),
            ("-", None),
            (".5", None),
            ("1.0000000001", None),
            ("1,5", None),
        ] {
            assert_eq!(nanos(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_time_is_read_with_its_offset_or_refused() {
        let noon = WallTime {
            unix_ns: 1_769_947_509_000_000_042,
            utc_offset_s: -5400,
        };
        assert_eq!(wall(&noon.to_string()), Some(noon));
        for text in [
            "",
            "2026-02-01T10:35:09",
            "01.02.2026 10:35",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(wall(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_comes_back_from_its_meaning_and_the_words_behind_it() {
        let words = |words: &str| Some(words.to_owned());
        assert_eq!(
            meant("asked for", disconnect_reason, 0..=2),
            Some((0, None))
        );
        assert_eq!(
            meant("by the peer or the air: 0x13: x", disconnect_reason, 0..=2),
            Some((1, words("0x13: x")))
        );
        assert_eq!(
            meant("on: hci0", adapter_state, 0..=4),
            Some((1, words("hci0")))
        );
        assert_eq!(meant("once", adapter_state, 0..=4), None);
        assert_eq!(meant("", adapter_state, 0..=4), None);
    }
}
