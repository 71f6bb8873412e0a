//! What a device offers, as a page of Markdown: its services, characteristics and descriptors as the
//! last discovery found them, each with the last value that was seen.
//!
//! Every text of the device is escaped: it becomes no heading, link, picture or HTML.

use std::io::{self, Write};
use std::path::Path;

use radio::AttrKind;
use uuid::Uuid;

use super::pcapng::short;
use super::walk::Counted;
use super::words::visible;
use super::{Export, OnProgress, Pace, Summary};
use crate::{Attribute, DeviceKey, Error, Result, Session};

/// How many bytes of a value are shown.
const SHOWN: usize = 32;
/// How many characters of a name are shown.
const NAME: usize = 120;

/// The GATT profile of a device as Markdown (CommonMark with tables). [`Summary::rows`] counts
/// attributes. Writing it ends with [`Error::NotFound`] if the session has no such device.
#[expect(
    clippy::type_complexity,
    reason = "names for them would say less than their signatures"
)]
pub struct Profile<'a> {
    /// The device.
    pub device: DeviceKey,
    /// Gives the name of a UUID, such as Heart Rate.
    pub name: Option<&'a dyn Fn(Uuid) -> Option<String>>,
    /// Gives the meaning of a value.
    pub decode: Option<&'a dyn Fn(&Attribute, &[u8]) -> Option<String>>,
}

impl Export for Profile<'_> {
    fn write(
        &self,
        session: &Session,
        writer: &mut dyn Write,
        target: &Path,
        progress: &mut OnProgress<'_>,
    ) -> Result<Summary> {
        let unwritten = |error: io::Error| Error::io(target, &error);
        let devices = session.devices()?;
        let device = devices.iter().find(|device| device.key == self.device);
        let device = device.ok_or_else(|| Error::NotFound {
            path: format!("{} (device {})", session.path().display(), self.device.0).into(),
        })?;
        let links = session.links()?;
        let links = links.iter().filter(|link| link.device == self.device);
        let mut attributes = session.attributes()?;
        let latest = attributes
            .iter()
            .filter(|attribute| attribute.device == self.device)
            .map(|attribute| (attribute.link, attribute.id.generation))
            .max();
        attributes.retain(|attribute| Some((attribute.link, attribute.id.generation)) == latest);
        let wall = |at| session.anchors().wall_time(at);

        let mut out = Counted { writer, bytes: 0 };
        let mut put = |line: &str| writeln!(out, "{line}").map_err(unwritten);
        let name = device.name.as_deref().filter(|name| !name.is_empty());
        put(&format!("# {}\n", text(name.unwrap_or(&device.identifier))))?;
        put("| | |\n|---|---|")?;
        put(&format!("| Identifier | {} |", text(&device.identifier)))?;
        put(&format!("| First seen | {} |", wall(device.first_seen)))?;
        put(&format!("| Connections | {} |", links.count()))?;
        let program = session.info()?.writer;
        put(&format!("| Recorded by | {} |", text(&program)))?;
        if attributes.is_empty() {
            put("\nIts services were not discovered in this session.")?;
        }
        let mut service = None;
        let (pace, total) = (Pace::start(), attributes.len() as u64);
        for (done, attribute) in (0..).zip(&attributes) {
            if progress(pace.at(done, done, total)).is_break() {
                return Err(Error::Cancelled);
            }
            let called = match self.name.and_then(|name| name(attribute.uuid)) {
                Some(name) => text(&name),
                None if attribute.kind == AttrKind::Service => "Unknown service".into(),
                None => String::new(),
            };
            let handle = attribute
                .handle
                .map(|handle| handle.to_string())
                .unwrap_or_default();
            if attribute.kind == AttrKind::Service {
                put(&format!("\n## {called} `{}`\n", of(attribute.uuid)))?;
                if !handle.is_empty() {
                    put(&format!("Handle {handle}.\n"))?;
                }
            }
            if service != attribute.service || attribute.kind == AttrKind::Service {
                if attribute.kind != AttrKind::Service {
                    put("\n## Without a service\n")?;
                }
                put(
                    "| Handle | Attribute | UUID | Properties | Last value |\n|---|---|---|---|---|",
                )?;
            }
            service = attribute.service;
            if attribute.kind == AttrKind::Service {
                continue;
            }
            let properties: Vec<_> = attribute.properties.names().collect();
            let nested = match attribute.kind {
                AttrKind::Descriptor => "↳ ",
                _ => "",
            };
            put(&format!(
                "| {handle} | {nested}{called} | `{}` | {} | {} |",
                of(attribute.uuid),
                properties.join(", "),
                last_value(session, self, attribute)?,
            ))?;
        }
        if progress(pace.at(total, total, total)).is_break() {
            return Err(Error::Cancelled);
        }
        out.flush().map_err(unwritten)?;
        Ok(Summary {
            rows: attributes.len() as u64,
            bytes: out.bytes,
            damaged: session.is_cut_off(),
        })
    }
}

/// The last value of an attribute as a cell.
fn last_value(session: &Session, what: &Profile<'_>, attribute: &Attribute) -> Result<String> {
    let values = session.values(attribute.id, 1)?;
    let Some(value) = values.first().and_then(|event| event.value.as_deref()) else {
        return Ok(String::new());
    };
    if value.is_empty() {
        return Ok("(empty)".into());
    }
    let shown = value.get(..SHOWN).unwrap_or(value);
    let digits: Vec<_> = shown.iter().map(|byte| format!("{byte:02X}")).collect();
    let mut cell = format!("`{}`", digits.join(" "));
    if value.len() > shown.len() {
        cell.push_str(&format!(" … ({} bytes)", value.len()));
    }
    let meaning = what.decode.and_then(|decode| decode(attribute, value));
    if let Some(meaning) = meaning.filter(|meaning| !meaning.is_empty()) {
        cell.push_str(&format!(" {}", text(&meaning)));
    }
    Ok(cell)
}

/// A UUID as people know it.
fn of(uuid: Uuid) -> String {
    match short(uuid) {
        Some(assigned) => format!("{assigned:04X}"),
        None => uuid.to_string(),
    }
}

/// A text that is nothing but text, in one line.
fn text(text: &str) -> String {
    let shown = visible(text);
    let mut safe = String::with_capacity(shown.len());
    for (place, c) in shown.chars().enumerate() {
        if place == NAME {
            safe.push('…');
            break;
        }
        // Any of them may be escaped (CommonMark, 2.4); a dot and a colon make addresses.
        if c.is_ascii_punctuation() && !matches!(c, '-' | ',' | ';' | '\'') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_neither_markup_nor_a_link_nor_a_second_line() {
        assert_eq!(text("HR-2, left"), "HR-2, left");
        assert_eq!(
            text("a|b\n# <img src=x> [x](http://y)"),
            "a\\|b\\\\u000a\\# \\<img src\\=x\\> \\[x\\]\\(http\\:\\/\\/y\\)"
        );
        assert_eq!(text(&"x".repeat(500)).chars().count(), NAME + 1);
    }
}
