//! One row per event, as RFC 4180 has it: fields by commas, rows by CR LF, UTF-8, a header.
//!
//! A text that a spreadsheet would run as a formula gets an apostrophe in front, and so does one
//! that begins with an apostrophe: taking one leading apostrophe away gives the text back. Our own
//! numbers stay numbers.
//!
//! Nothing of an event is left out, so that a file can be imported again as it was.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use radio::{AttrId, AttrKind, Generation, Handle, Properties};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::walk::{Counted, walk};
use super::words::{adapter_state, disconnect_reason, notify_mode, status_name};
use super::{Export, OnProgress, Summary};
use crate::{Attribute, Error, Filter, Kind, Recorded, Result, Session};

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
/// `status` (0, ATT code, or -1), `status_name`, `rssi_dbm`, `mtu`, `count` (of what is missing, or
/// of attributes found), `link` (number of the connection), `attribute` (its number, with those of
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
        let unwritten = |error: csv::Error| unwritten(target, error);
        let mut out = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Counted { writer, bytes: 0 });
        for name in HEADER {
            out.write_field(name).map_err(unwritten)?;
        }
        if self.decode.is_some() {
            out.write_field("decoded").map_err(unwritten)?;
        }
        out.write_record(None::<&[u8]>).map_err(unwritten)?;

        let mut cell = String::new();
        let (devices, attributes) = (session.device_table()?, session.attribute_table()?);
        let discoveries = Discoveries {
            of: session.discoveries()?,
            attributes: session.attributes()?,
        };
        let walked = walk(session, &self.filter, progress, |event| {
            let mut row = Row {
                out: &mut out,
                cell: &mut cell,
            };
            let device = event.device.and_then(|key| devices.get(&key));
            let attribute = event.attribute.and_then(|id| attributes.get(&id));
            let detail = detail(session, &discoveries, event)?;
            let name = device.and_then(|device| device.name.as_deref());
            let mut fill = || {
                row.number(Some(event.id))?;
                row.show(Some(session.anchors().wall_time(event.at)))?;
                row.show(Some(Seconds(event.at.nanos())))?;
                row.text(Some(event.kind.name()))?;
                row.text(Some(event.kind.direction().name()))?;
                row.text(name)?;
                row.text(device.map(|device| device.identifier.as_str()))?;
                row.show(attribute.and_then(|attribute| attribute.service))?;
                row.show(attribute.and_then(|attribute| attribute.characteristic))?;
                row.show(
                    attribute
                        .filter(|attribute| attribute.kind == AttrKind::Descriptor)
                        .map(|attribute| attribute.uuid),
                )?;
                row.show(
                    attribute
                        .and_then(|attribute| attribute.handle)
                        .map(|handle| handle.0),
                )?;
                row.show(event.value.as_ref().map(|value| value.len()))?;
                row.hex(event.value.as_deref())?;
                row.text(event.value.as_deref().and_then(printable))?;
                row.number(event.status)?;
                row.text(event.status.map(status_name))?;
                row.number(only(event, &[Kind::Advertisement, Kind::Rssi]))?;
                row.number(only(event, &[Kind::Mtu]))?;
                row.number(only(event, &[Kind::Gap, Kind::Discovered, Kind::Sampling]))?;
                row.show(event.link.map(|link| link.0))?;
                row.show(event.attribute.map(AttrId::to_u64))?;
                row.text(detail.as_deref())?;
                if let Some(decode) = self.decode {
                    let meaning = attribute
                        .zip(event.value.as_deref())
                        .and_then(|(attribute, value)| decode(attribute, value));
                    row.text(meaning.as_deref())?;
                }
                row.end()
            };
            fill().map_err(unwritten)
        })?;
        out.flush().map_err(|error| Error::io(target, &error))?;
        walked.finish(progress, out.get_ref().bytes)
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

fn only(event: &Recorded, kinds: &[Kind]) -> Option<i64> {
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
    event: &'a Recorded,
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
fn with_words<'a>(meaning: &'static str, event: &'a Recorded) -> Cow<'a, str> {
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

struct Row<'a, W: Write> {
    out: &'a mut csv::Writer<W>,
    cell: &'a mut String,
}

impl<W: Write> Row<'_, W> {
    /// A cell of ours, which a spreadsheet may take as what it is.
    fn show(&mut self, value: Option<impl std::fmt::Display>) -> csv::Result<()> {
        self.cell.clear();
        if let Some(value) = value {
            // Writing to a string does not fail.
            let _ = write!(self.cell, "{value}");
        }
        self.out.write_field(&*self.cell)
    }

    fn number(&mut self, number: Option<i64>) -> csv::Result<()> {
        self.show(number)
    }

    fn hex(&mut self, value: Option<&[u8]>) -> csv::Result<()> {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        self.cell.clear();
        for (place, byte) in value.unwrap_or_default().iter().enumerate() {
            if place > 0 {
                self.cell.push(' ');
            }
            for digit in [byte >> 4, byte & 0xF] {
                self.cell.push(char::from(DIGITS[usize::from(digit)]));
            }
        }
        self.out.write_field(&*self.cell)
    }

    /// A cell of anybody's.
    fn text(&mut self, text: Option<&str>) -> csv::Result<()> {
        self.out
            .write_field(harmless(text.unwrap_or_default()).as_bytes())
    }

    fn end(&mut self) -> csv::Result<()> {
        self.out.write_record(None::<&[u8]>)
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
    fn seconds_are_exact_on_both_sides_of_the_start() {
        assert_eq!(Seconds(1_000_000_001).to_string(), "1.000000001");
        assert_eq!(Seconds(-5).to_string(), "-0.000000005");
    }
}
