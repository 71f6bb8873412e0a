//! One JSON object per event and line, UTF-8, lines by LF: for `jq`, pandas and scripts.
//!
//! Nothing is put in front of texts as in CSV: JSON tells a text from a formula. Control,
//! line-separating and bidirectional characters are escaped, so that a line is a line for every
//! reader and the file shows in an editor as it is.

use std::io::{self, Write};
use std::path::Path;

use radio::AttrKind;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::walk::{Counted, walk};
use super::words::{adapter_state, disconnect_reason, is_hidden, notify_mode, status_name};
use super::{Export, OnProgress, Summary, hex};
use crate::{Attribute, Error, Filter, Kind, Result, Session};

/// Events as JSON Lines.
///
/// Keys, each left out where the event has none: `event` (its number), `time` (ISO 8601 with
/// nanoseconds and offset), `t_ns` (nanoseconds since the session's start), `kind`, `direction` (in,
/// out, local), `device_name`, `device_id`, `link` (number of the connection), `service`,
/// `characteristic`, `descriptor` (UUIDs), `handle`, `hex` (the value, two digits a byte), `status`
/// (0, ATT code, or -1), `status_name`, `rssi_dbm`, `mtu`, `count` (of what is missing, of
/// attributes found, or of advertisements left out by choice), `what` (why it disconnected, the adapter's state, how it was subscribed),
/// `detail` (words of the system, or of the user), `advertisement` (an object:
/// [`Session::advertisement_json`]), `gap` (an object: `cause`, `count`, `from_ns`, `to_ns`), and
/// `decoded` if asked for.
#[derive(Default)]
pub struct Jsonl<'a> {
    /// Which events.
    pub filter: Filter,
    /// Gives the meaning of a value, for a key `decoded`; without it there is none.
    #[expect(
        clippy::type_complexity,
        reason = "a name for it would say less than its signature"
    )]
    pub decode: Option<&'a dyn Fn(&Attribute, &[u8]) -> Option<String>>,
}

/// An event as a line shows it. What an event does not have is left out; an empty value is `""`.
#[derive(Serialize)]
struct Line<'a> {
    event: i64,
    time: String,
    t_ns: i64,
    kind: &'static str,
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    characteristic: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    descriptor: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rssi_dbm: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtu: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advertisement: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap: Option<Missing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decoded: Option<String>,
}

/// What is missing at a gap.
#[derive(Serialize)]
struct Missing {
    cause: &'static str,
    count: u64,
    from_ns: i64,
    to_ns: i64,
}

impl Export for Jsonl<'_> {
    fn write(
        &self,
        session: &Session,
        writer: &mut dyn Write,
        target: &Path,
        progress: &mut OnProgress<'_>,
    ) -> Result<Summary> {
        let unwritten = |error: io::Error| Error::io(target, &error);
        let mut out = Counted { writer, bytes: 0 };
        let mut text = Vec::new();
        let (devices, attributes) = (session.device_table()?, session.attribute_table()?);
        let walked = walk(session, &self.filter, progress, |event| {
            let device = event.device.and_then(|key| devices.get(&key));
            let attribute = event.attribute.and_then(|id| attributes.get(&id));
            let number = |kinds: &[Kind]| event.number.filter(|_| kinds.contains(&event.kind));
            let line = Line {
                event: event.id,
                time: session.anchors().wall_time(event.at).to_string(),
                t_ns: event.at.nanos(),
                kind: event.kind.name(),
                direction: event.kind.direction().name(),
                device_name: device.and_then(|device| device.name.as_deref()),
                device_id: device.map(|device| device.identifier.as_str()),
                link: event.link.map(|link| link.0),
                service: attribute.and_then(|attribute| attribute.service),
                characteristic: attribute.and_then(|attribute| attribute.characteristic),
                descriptor: attribute
                    .filter(|attribute| attribute.kind == AttrKind::Descriptor)
                    .map(|attribute| attribute.uuid),
                handle: attribute
                    .and_then(|attribute| attribute.handle)
                    .map(|handle| handle.0),
                hex: event.value.as_deref().map(hex),
                status: event.status,
                status_name: event.status.map(status_name),
                rssi_dbm: number(&[Kind::Advertisement, Kind::Rssi]),
                mtu: number(&[Kind::Mtu]),
                count: number(&[Kind::Gap, Kind::Discovered, Kind::Sampling]),
                what: match event.kind {
                    Kind::Disconnected => Some(disconnect_reason(event.number)),
                    Kind::AdapterState => Some(adapter_state(event.number)),
                    Kind::Subscribed => Some(notify_mode(event.number)),
                    _ => None,
                },
                detail: event.detail.as_deref(),
                advertisement: match event.kind {
                    Kind::Advertisement => contents(session, event.id)?,
                    _ => None,
                },
                gap: match event.kind {
                    Kind::Gap => session.gap(event.id)?.map(|gap| Missing {
                        cause: gap.cause.name(),
                        count: gap.count,
                        from_ns: gap.from.nanos(),
                        to_ns: gap.to.nanos(),
                    }),
                    _ => None,
                },
                decoded: self.decode.and_then(|decode| {
                    let (attribute, value) = attribute.zip(event.value.as_deref())?;
                    decode(attribute, value)
                }),
            };
            text.clear();
            let mut json = serde_json::Serializer::with_formatter(&mut text, Escaping);
            line.serialize(&mut json)
                .map_err(|error| unwritten(error.into()))?;
            text.push(b'\n');
            out.write_all(&text).map_err(unwritten)
        })?;
        out.flush().map_err(unwritten)?;
        walked.finish(progress, out.bytes)
    }
}

/// What an advertisement contained, as an object within the line.
fn contents(session: &Session, event: i64) -> Result<Option<Value>> {
    let Some(json) = session.advertisement_json(event)? else {
        return Ok(None);
    };
    serde_json::from_str(&json)
        .map(Some)
        .map_err(|error| Error::Damaged {
            path: session.path().to_owned(),
            reason: format!("advertisement {event}: {error}"),
        })
}

/// JSON with everything escaped that is not plainly visible.
struct Escaping;

impl serde_json::ser::Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((place, found)) = rest.char_indices().find(|(_, c)| is_hidden(*c)) {
            writer.write_all(&rest.as_bytes()[..place])?;
            // All of them are in the Basic Multilingual Plane: one escape each.
            write!(writer, "\\u{:04x}", u32::from(found))?;
            rest = &rest[place + found.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}
