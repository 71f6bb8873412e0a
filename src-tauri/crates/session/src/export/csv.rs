//! One row per event, as RFC 4180 has it: fields by commas, rows by CR LF, UTF-8, a header.
//!
//! A text that a spreadsheet would run as a formula gets an apostrophe in front, and so does one
//! that begins with an apostrophe: taking one leading apostrophe away gives the text back. Our own
//! numbers stay numbers.
//!
//! Nothing of an event is left out, so that a file can be imported again as it was.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use radio::{AttrId, AttrKind, Generation, Handle, Properties};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::walk::{Counted, walk_in_place};
use super::words::{adapter_state, disconnect_reason, notify_mode, status_name};
use super::{Export, OnProgress, Summary};
use crate::reader::Seen;
use crate::{
    Anchors, Attribute, Device, DeviceKey, Error, Filter, Kind, Result, Session, SessionTime,
};

pub(crate) const HEADER: [&str; 22] = [
    "event",
    "time",
    "seconds",
    "kind",
    "direction",
    "device_name",
    "device_id",
    "service",
    "characteristic",
    "descriptor",
    "handle",
    "bytes",
    "hex",
    "text",
    "status",
    "status_name",
    "rssi_dbm",
    "mtu",
    "count",
    "link",
    "attribute",
    "detail",
];

/// Events as CSV.
///
/// Columns: `event` (its number), `time` (ISO 8601 with nanoseconds and offset), `seconds` (since
/// the session's start), `kind`, `direction` (in, out, local), `device_name`, `device_id`,
/// `service`, `characteristic`, `descriptor` (UUIDs), `handle` (decimal), `bytes` (length of the
/// value), `hex` (the value, bytes by spaces), `text` (the value, where it is printable UTF-8),
/// `status` (0, ATT code, or -1), `status_name`, `rssi_dbm`, `mtu`, `count` (of what is missing,
/// of attributes found, or of advertisements left out by choice), `link` (number of the connection), `attribute` (its number, with those of
/// the other tables), `detail`, and `decoded` if asked for. The detail of an advertisement is its
/// content as JSON, that of a discovery its attributes: nothing of an event is left out, and
/// [`import`](crate::import()) reads all of it back.
#[derive(Default)]
pub struct Csv<'a> {
    /// Which events.
    pub filter: Filter,
    /// Gives the meaning of a value, for a last column `decoded`; without it there is none.
    #[expect(
        clippy::type_complexity,
        reason = "a name for it would say less than its signature"
    )]
    pub decode: Option<&'a dyn Fn(&Attribute, &[u8]) -> Option<String>>,
}

impl Export for Csv<'_> {
    fn write(
        &self,
        session: &Session,
        writer: &mut dyn Write,
        target: &Path,
        progress: &mut OnProgress<'_>,
    ) -> Result<Summary> {
        let fail = |error: io::Error| Error::io(target, &error);
        let mut out = Counted { writer, bytes: 0 };
        let mut line = Line(Vec::with_capacity(2 * CHUNK));
        for name in HEADER {
            line.text(Some(name));
        }
        if self.decode.is_some() {
            line.text(Some("decoded"));
        }
        line.end();

        let (devices, attributes) = (session.device_table()?, session.attribute_table()?);
        let discoveries = Discoveries {
            of: session.discoveries()?,
            attributes: session.attributes()?,
        };
        let mut time = TimeOfDay::new(session.anchors());
        let mut names = Names::new(&devices, &attributes);
        let walked = walk_in_place(session, &self.filter, progress, |event| {
            let detail = detail(session, &discoveries, event)?;
            line.number(Some(event.id));
            line.time(&mut time, event.at);
            line.seconds(event.at);
            line.cells(names.of(event));
            line.count(event.value.map(<[u8]>::len));
            line.hex(event.value);
            line.text(event.value.and_then(printable));
            line.number(event.status);
            line.text(event.status.map(status_name));
            line.number(only(event, &[Kind::Advertisement, Kind::Rssi]));
            line.number(only(event, &[Kind::Mtu]));
            line.number(only(event, &[Kind::Gap, Kind::Discovered, Kind::Sampling]));
            line.number(event.link.map(|link| link.0.into()));
            line.number(event.attribute.map(|id| id.to_u64().cast_signed()));
            line.text(detail.as_deref());
            if let Some(decode) = self.decode {
                let attribute = event.attribute.and_then(|id| attributes.get(&id));
                let meaning = attribute
                    .zip(event.value)
                    .and_then(|(attribute, value)| decode(attribute, value));
                line.text(meaning.as_deref());
            }
            line.end();
            if line.0.len() >= CHUNK {
                out.write_all(&line.0).map_err(fail)?;
                line.0.clear();
            }
            Ok(())
        })?;
        out.write_all(&line.0)
            .and_then(|()| out.flush())
            .map_err(fail)?;
        walked.finish(progress, out.bytes)
    }
}

/// What a failure to write CSV to `target` means.
pub(super) fn unwritten(target: &Path, error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::io(target, &error),
        other => Error::Storage {
            path: target.to_owned(),
            reason: format!("{other:?}"),
        },
    }
}

fn only(event: &Seen<'_>, kinds: &[Kind]) -> Option<i64> {
    event.number.filter(|_| kinds.contains(&event.kind))
}

/// What each discovery found.
struct Discoveries {
    of: HashMap<i64, Generation>,
    /// In their order.
    attributes: Vec<Attribute>,
}

impl Discoveries {
    fn json(&self, event: i64) -> Option<String> {
        let generation = self.of.get(&event)?;
        let start = self
            .attributes
            .partition_point(|attribute| attribute.id.generation < *generation);
        let found = self.attributes.get(start..)?.iter();
        let found: Vec<_> = found
            .take_while(|attribute| attribute.id.generation == *generation)
            .map(Found::of)
            .collect();
        serde_json::to_string(&found).ok()
    }
}

/// An attribute as the detail of a discovery has it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) id: u64,
    pub(crate) kind: AttrKind,
    pub(crate) uuid: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) handle: Option<Handle>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<u64>,
    #[serde(default)]
    pub(crate) properties: Properties,
}

impl Found {
    fn of(attribute: &Attribute) -> Self {
        Self {
            id: attribute.id.to_u64(),
            kind: attribute.kind,
            uuid: attribute.uuid,
            handle: attribute.handle,
            parent: attribute.parent.map(AttrId::to_u64),
            properties: attribute.properties,
        }
    }
}

fn detail<'a>(
    session: &Session,
    discoveries: &Discoveries,
    event: &'a Seen<'_>,
) -> Result<Option<Cow<'a, str>>> {
    Ok(match event.kind {
        Kind::Discovered => discoveries.json(event.id).map(Cow::Owned),
        Kind::Advertisement => session.advertisement_json(event.id)?.map(Cow::Owned),
        Kind::Gap => session.gap(event.id)?.map(|gap| {
            Cow::Owned(format!(
                "{} from {} s to {} s",
                gap.cause.name(),
                Seconds(gap.from.nanos()),
                Seconds(gap.to.nanos()),
            ))
        }),
        Kind::Disconnected => Some(with_words(disconnect_reason(event.number), event)),
        Kind::AdapterState => Some(with_words(adapter_state(event.number), event)),
        Kind::Subscribed => Some(with_words(notify_mode(event.number), event)),
        _ => event.detail.as_deref().map(Cow::Borrowed),
    })
}

/// The meaning of an event's number, and the words that came with it.
fn with_words<'a>(meaning: &'static str, event: &'a Seen<'_>) -> Cow<'a, str> {
    match &event.detail {
        Some(words) => Cow::Owned(format!("{meaning}: {words}")),
        None => Cow::Borrowed(meaning),
    }
}

/// The value as text, if it is nothing but printable text.
fn printable(value: &[u8]) -> Option<&str> {
    let text = str::from_utf8(value).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

/// Nanoseconds as seconds, exactly.
pub(super) struct Seconds(pub(super) i64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sign, nanos) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        write!(f, "{sign}{whole}.{rest:09}")
    }
}

/// How many bytes are written at once.
const CHUNK: usize = 1 << 18;

/// Rows in the making. Each cell is followed by a comma, and the last comma makes place for the end.
struct Line(Vec<u8>);

impl Line {
    /// Cells that are as they must be, their commas included.
    fn cells(&mut self, cells: &[u8]) {
        self.0.extend_from_slice(cells);
    }

    fn number(&mut self, number: Option<i64>) {
        if let Some(number) = number {
            if number < 0 {
                self.0.push(b'-');
            }
            self.digits(number.unsigned_abs(), 1);
        }
        self.0.push(b',');
    }

    fn count(&mut self, count: Option<usize>) {
        if let Some(count) = count {
            self.digits(count as u64, 1);
        }
        self.0.push(b',');
    }

    fn time(&mut self, time: &mut TimeOfDay<'_>, at: SessionTime) {
        let nanos = time.turn_to(at);
        self.0.extend_from_slice(&time.second);
        self.digits(nanos, 9);
        self.0.extend_from_slice(&time.offset);
        self.0.push(b',');
    }

    /// As [`Seconds`] shows it.
    fn seconds(&mut self, at: SessionTime) {
        let nanos = at.nanos().unsigned_abs();
        if at.nanos() < 0 {
            self.0.push(b'-');
        }
        self.digits(nanos / NANOS, 1);
        self.0.push(b'.');
        self.digits(nanos % NANOS, 9);
        self.0.push(b',');
    }

    /// Decimal digits, with zeros in front where they are fewer than `least`, which is at most 20.
    fn digits(&mut self, mut number: u64, least: usize) {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            start -= 1;
            if number == 0 {
                break;
            }
        }
        let start = start.min(digits.len().saturating_sub(least));
        self.0.extend_from_slice(&digits[start..]);
    }

    fn hex(&mut self, value: Option<&[u8]>) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let value = value.unwrap_or_default();
        let start = self.0.len();
        self.0.resize(start + 3 * value.len(), b' ');
        let places = self.0[start..].chunks_exact_mut(3);
        for (place, byte) in places.zip(value) {
            place[0] = DIGITS[usize::from(byte >> 4)];
            place[1] = DIGITS[usize::from(byte & 0xF)];
        }
        // The comma takes the place of the last space.
        match self.0.last_mut().filter(|_| !value.is_empty()) {
            Some(space) => *space = b',',
            None => self.0.push(b','),
        }
    }

    /// A cell of anybody's.
    fn text(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            let text = harmless(text);
            if text.contains([',', '"', '\r', '\n']) {
                self.0.push(b'"');
                self.0.extend(text.replace('"', "\"\"").as_bytes());
                self.0.push(b'"');
            } else {
                self.0.extend_from_slice(text.as_bytes());
            }
        }
        self.0.push(b',');
    }

    fn end(&mut self) {
        self.0.pop();
        self.0.extend_from_slice(b"\r\n");
    }
}

const NANOS: u64 = 1_000_000_000;

/// The text of one second, which the next event is likely to share.
struct TimeOfDay<'a> {
    anchors: &'a Anchors,
    of: Option<(i64, i32)>,
    /// Up to the decimal point, and from the end of the decimals on.
    second: Vec<u8>,
    offset: Vec<u8>,
}

impl<'a> TimeOfDay<'a> {
    fn new(anchors: &'a Anchors) -> Self {
        Self {
            anchors,
            of: None,
            second: Vec::new(),
            offset: Vec::new(),
        }
    }

    /// Makes it the second of `at`; says which nanosecond of it that is.
    fn turn_to(&mut self, at: SessionTime) -> u64 {
        let wall = self.anchors.wall_time(at);
        let second = wall.unix_ns.div_euclid(NANOS.cast_signed());
        let of = Some((second, wall.utc_offset_s));
        if self.of != of {
            let whole = wall.to_string();
            let point = whole.find('.').map_or(whole.len(), |point| point + 1);
            let (second, rest) = whole.as_bytes().split_at(point);
            self.of = of;
            self.second = second.to_vec();
            self.offset = rest.get(9..).unwrap_or_default().to_vec();
        }
        wall.unix_ns.rem_euclid(NANOS.cast_signed()).unsigned_abs()
    }
}

/// What stands between the time and the value: the same for each event of a kind, a device and an
/// attribute.
struct Names<'a> {
    devices: &'a HashMap<DeviceKey, Device>,
    attributes: &'a HashMap<AttrId, Attribute>,
    known: HashMap<Named, usize>,
    cells: Vec<Vec<u8>>,
    last: Option<(Named, usize)>,
}

type Named = (Kind, Option<DeviceKey>, Option<AttrId>);

impl<'a> Names<'a> {
    fn new(
        devices: &'a HashMap<DeviceKey, Device>,
        attributes: &'a HashMap<AttrId, Attribute>,
    ) -> Self {
        Self {
            devices,
            attributes,
            known: HashMap::new(),
            cells: Vec::new(),
            last: None,
        }
    }

    fn of(&mut self, event: &Seen<'_>) -> &[u8] {
        let named = (event.kind, event.device, event.attribute);
        let place = match self.last {
            Some((last, place)) if last == named => place,
            _ => match self.known.get(&named) {
                Some(place) => *place,
                None => {
                    self.cells.push(self.write(named));
                    self.known.insert(named, self.cells.len() - 1);
                    self.cells.len() - 1
                }
            },
        };
        self.last = Some((named, place));
        &self.cells[place]
    }

    fn write(&self, (kind, device, attribute): Named) -> Vec<u8> {
        let device = device.and_then(|key| self.devices.get(&key));
        let attribute = attribute.and_then(|id| self.attributes.get(&id));
        let mut line = Line(Vec::new());
        let uuid = |line: &mut Line, uuid: Option<Uuid>| match uuid {
            Some(uuid) => line.text(Some(uuid.hyphenated().encode_lower(&mut [0; 36]))),
            None => line.text(None),
        };
        line.text(Some(kind.name()));
        line.text(Some(kind.direction().name()));
        line.text(device.and_then(|device| device.name.as_deref()));
        line.text(device.map(|device| device.identifier.as_str()));
        uuid(&mut line, attribute.and_then(|of| of.service));
        uuid(&mut line, attribute.and_then(|of| of.characteristic));
        let descriptor = attribute.filter(|of| of.kind == AttrKind::Descriptor);
        uuid(&mut line, descriptor.map(|of| of.uuid));
        let handle = attribute.and_then(|of| of.handle);
        line.number(handle.map(|handle| handle.0.into()));
        line.0
    }
}

/// A text that no spreadsheet takes for a formula. A NUL, at which many readers of CSV stop, becomes
/// the sign for it.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let invisible =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{200B}' | '\u{FEFF}');
    let starts = |text: &str| {
        text.starts_with([
            '=', '+', '-', '@', '\t', '\r', '\n', '\'',
            // Full-width and small forms, which some programs fold to the plain ones.
            '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}', '\u{FE66}', '\u{FE62}', '\u{FE63}',
            '\u{FE6B}', '\u{2212}',
        ])
    };
    let mut safe = Cow::Borrowed(text);
    if text.contains('\0') {
        safe = Cow::Owned(text.replace('\0', "\u{2400}"));
    }
    if starts(&safe) || starts(safe.trim_start_matches(invisible)) {
        safe = Cow::Owned(format!("'{safe}"));
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_in_any_dress_becomes_text() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "\u{FF1D}1",
            "\u{FF0B}1",
            "\u{FF0D}1",
            "\u{FF20}A",
            "\u{FEFF}=1",
            "\u{2212}1",
        ] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
    }

    #[test]
    fn one_apostrophe_taken_away_gives_the_text_back() {
        for text in ["", "HR strap", "'quoted'", "=x", "1-2", "a=b"] {
            let cell = harmless(text);
            assert_eq!(cell.strip_prefix('\'').unwrap_or(&cell), text);
        }
    }

    #[test]
    fn a_nul_is_shown_as_its_sign() {
        assert_eq!(harmless("a\0b"), "a\u{2400}b");
    }

    #[test]
    fn a_cell_is_what_others_write_for_the_same() {
        let anchors = Anchors::new(
            crate::Anchor {
                at: SessionTime(0),
                wall: crate::WallTime {
                    unix_ns: 1_769_947_509_999_999_998,
                    utc_offset_s: -5400,
                },
            },
            Vec::new(),
        );
        let mut time = TimeOfDay::new(&anchors);
        for nanos in [
            0,
            1,
            2,
            -999_999_999,
            86_400_000_000_000,
            -9,
            i64::MIN,
            i64::MAX,
        ] {
            let at = SessionTime(nanos);
            let mut line = Line(Vec::new());
            line.time(&mut time, at);
            line.seconds(at);
            line.number(Some(nanos));
            let (wall, seconds) = (anchors.wall_time(at), Seconds(nanos));
            let expected = format!("{wall},{seconds},{nanos},");
            assert_eq!(String::from_utf8(line.0).unwrap(), expected);
        }
        for text in [
            "",
            "plain",
            "a,b",
            "say \"hi\"",
            "two\r\nlines",
            "a\nb",
            "\"",
            "é, ü",
        ] {
            let mut line = Line(Vec::new());
            line.text(Some(text));
            line.text(Some("x"));
            line.end();
            let mut theirs = csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .from_writer(Vec::new());
            theirs.write_record([&*harmless(text), "x"]).unwrap();
            assert_eq!(line.0, theirs.into_inner().unwrap());
        }
        for value in [&[][..], &[0xA0], &[0, 0xFF, 0x5C]] {
            let mut line = Line(Vec::new());
            line.hex(Some(value));
            let expected: Vec<_> = value.iter().map(|byte| format!("{byte:02X}")).collect();
            assert_eq!(line.0, format!("{},", expected.join(" ")).into_bytes());
        }
    }

    #[test]
    fn seconds_are_exact_on_both_sides_of_the_start() {
        assert_eq!(Seconds(1_000_000_001).to_string(), "1.000000001");
        assert_eq!(Seconds(-5).to_string(), "-0.000000005");
    }
}
