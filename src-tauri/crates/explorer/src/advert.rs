//! What one device advertises, part by part: the newest of each, and what came before of payloads.
//!
//! Nothing is decoded as it is heard. Bytes are told apart by where they come from and what they begin with, and
//! decoded when somebody looks at them or draws them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use decode::advertisement::{self, AdPart, AdType, Beacon, Source};
use decode::{Format, Layout};
use radio::{Advertisement, Rssi, Timestamp};
use uuid::Uuid;

use crate::device::{WallOffset, hex};
use crate::fields;
use crate::view::{AdvertPart, HistoryRow};

/// Payloads of a device that are remembered: minutes of them, bounded.
const REMEMBERED: usize = 240;
/// As many, of a device of which something is drawn.
const REMEMBERED_DRAWN: usize = 10_000;
/// Parts that are kept apart: a device on the air may make up as many as it likes. The recording has
/// all of them.
const PARTS: usize = 64;
/// What was not said for so long while other things were is left out of the line about the device.
const FRESH: Duration = Duration::from_secs(60);
/// Kinds that the line about a device names.
const SUMMARISED: usize = 2;
/// Rows of the history that the page gets.
const HISTORY_ROWS: usize = 60;
/// Bytes of a payload that a row shows.
const ROW_BYTES: usize = 64;
/// Longest name of a part or its owner, in characters.
const NAME: usize = 64;

/// Something that a device says on the air, of which there is a newest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// How strong it is heard.
    Signal,
    /// An AD structure or a payload; of several kinds of payload from one source, this one.
    Said(Source, Option<Beacon>),
}

/// The user's own layouts of payloads, by where these come from.
pub(crate) type Layouts = HashMap<Source, Format>;

/// A source as settings and the window call it: `company:0499`, `service:` and a UUID, `ad:2b`.
pub(crate) struct Key(pub(crate) Source);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Source::Manufacturer(company) => write!(f, "company:{company:04x}"),
            Source::Service(uuid) => write!(f, "service:{uuid}"),
            Source::Structure(kind) => write!(f, "ad:{:02x}", kind.0),
        }
    }
}

impl FromStr for Key {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (kind, which) = text.split_once(':').ok_or(())?;
        Ok(Self(match kind {
            "company" => Source::Manufacturer(u16::from_str_radix(which, 16).map_err(drop)?),
            "service" => Source::Service(Uuid::try_parse(which).map_err(drop)?),
            "ad" => {
                // Which one of its type it is in a report, only the page tells apart.
                let (kind, after) = which.split_once('+').unwrap_or((which, "1"));
                after.parse::<u16>().map_err(drop)?;
                Source::Structure(AdType(u8::from_str_radix(kind, 16).map_err(drop)?))
            }
            _ => return Err(()),
        }))
    }
}

/// `signal`, or a source, with the kind of its payload behind a slash: `company:0499/ruuvi-5`.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Signal => f.write_str("signal"),
            Part::Said(source, None) => Key(*source).fmt(f),
            Part::Said(source, Some(beacon)) => write!(f, "{}/{}", Key(*source), beacon.key()),
        }
    }
}

impl FromStr for Part {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "signal" {
            return Ok(Part::Signal);
        }
        let (source, beacon) = match text.split_once('/') {
            Some((source, key)) => {
                let known = Beacon::all().find(|beacon| beacon.key() == key);
                (source, Some(known.ok_or(())?))
            }
            None => (text, None),
        };
        Ok(Part::Said(source.parse::<Key>()?.0, beacon))
    }
}

/// The layouts that the user chose; what cannot be read of another version's is left out.
pub(crate) fn layouts(chosen: &BTreeMap<String, String>) -> Layouts {
    let read = |(key, text): (&String, &String)| {
        let layout = Layout::parse(text).ok()?;
        Some((key.parse::<Key>().ok()?.0, Format::Layout(layout)))
    };
    chosen.iter().filter_map(read).collect()
}

/// Hands over every payload of a report with its source: manufacturer and service data, also such as the system left in
/// the bytes alone.
pub(crate) fn payloads(report: &Advertisement, mut f: impl FnMut(Source, &[u8])) {
    for (company, data) in &report.manufacturer_data {
        f(Source::Manufacturer(company.0), data);
    }
    for (uuid, data) in &report.service_data {
        f(Source::Service(*uuid), data);
    }
    let Some(raw) = &report.raw else { return };
    for part in advertisement::parts(raw) {
        if let AdPart::Structure { kind, data, .. } = part
            && let Some((source, within)) = Source::of_structure(kind, &raw[data.clone()])
            && !told(report, source)
        {
            f(source, &raw[data][within]);
        }
    }
}

/// Whether the fields of a report have a payload, or it is none.
fn told(report: &Advertisement, source: Source) -> bool {
    match source {
        Source::Manufacturer(id) => report
            .manufacturer_data
            .iter()
            .any(|(company, _)| company.0 == id),
        Source::Service(id) => report.service_data.iter().any(|(uuid, _)| *uuid == id),
        Source::Structure(_) => true,
    }
}

/// What a device was heard to say.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// In the order in which each was first heard, so that none changes its place.
    parts: Vec<Saying>,
    history: VecDeque<Entry>,
    /// How many are remembered no more.
    forgot: u64,
    drawn: bool,
    raw: Option<Bytes>,
    /// How many values were of no part, because there are too many parts.
    further: u64,
}

/// What is remembered of a part of what a device advertises. Numbers count what the device said, of whatever part.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// Oldest first.
    pub(crate) entries: Vec<(Timestamp, Heard)>,
    /// The number of the oldest that is remembered.
    pub(crate) first: u64,
    /// The number of what comes next.
    pub(crate) next: u64,
    /// When the oldest was heard.
    pub(crate) oldest: Option<Timestamp>,
}

/// What a report said of a part.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    Payload(Source, Bytes),
    Signal(Rssi),
}

/// The newest of one part.
#[derive(Debug)]
struct Saying {
    source: Source,
    beacon: Option<Beacon>,
    /// How many structures of its type stood before it in its report.
    after: u16,
    at: Timestamp,
    data: Bytes,
    /// How many of its bytes are not there.
    missing: usize,
}

/// A payload that was heard.
#[derive(Debug)]
struct Entry {
    at: Timestamp,
    /// Which part it is of.
    part: usize,
    data: Bytes,
}

impl Said {
    /// Takes a report.
    pub(crate) fn hear(&mut self, report: &Advertisement) {
        let at = report.at;
        payloads(report, |source, data| {
            let beacon = Beacon::of(source, data);
            if let Some((part, data)) = self.say((source, beacon, 0), at, data, 0) {
                let most = if self.drawn {
                    REMEMBERED_DRAWN
                } else {
                    REMEMBERED
                };
                while self.history.len() >= most {
                    self.history.pop_front();
                    self.forgot += 1;
                }
                self.history.push_back(Entry { at, part, data });
            }
        });
        let Some(raw) = &report.raw else { return };
        // A report may have several of one type.
        let mut before = [0_u16; 256];
        for part in advertisement::parts(raw) {
            let (kind, data, missing) = match part {
                AdPart::Structure { kind, data, .. } => (kind, data, 0),
                AdPart::Truncated {
                    kind: Some(kind),
                    data,
                    missing,
                    ..
                } => (kind, data, missing),
                AdPart::Truncated { kind: None, .. } | AdPart::Padding { .. } => continue,
            };
            // What is cut off is shown as far as it goes, whatever it would have been.
            let whole = missing == 0
                && Source::of_structure(kind, &raw[data.clone()])
                    .is_some_and(|(source, _)| !matches!(source, Source::Structure(_)));
            if !whole {
                let before = &mut before[usize::from(kind.0)];
                let which = (Source::Structure(kind), None, *before);
                *before = before.saturating_add(1);
                self.say(which, at, &raw[data], missing);
            }
        }
        self.raw = Some(raw.clone());
    }

    /// Takes the newest of a part. Says which one it is, and its bytes; those that are the same as before are not kept
    /// twice, and others as a copy, for a slice would keep the whole report.
    fn say(
        &mut self,
        (source, beacon, after): (Source, Option<Beacon>, u16),
        at: Timestamp,
        data: &[u8],
        missing: usize,
    ) -> Option<(usize, Bytes)> {
        let same = |saying: &Saying| {
            (saying.source, saying.beacon, saying.after) == (source, beacon, after)
        };
        if let Some(place) = self.parts.iter().position(same) {
            let saying = &mut self.parts[place];
            if saying.data != data {
                saying.data = Bytes::copy_from_slice(data);
            }
            (saying.at, saying.missing) = (at, missing);
            return Some((place, saying.data.clone()));
        }
        if self.parts.len() == PARTS {
            self.further += 1;
            return None;
        }
        let data = Bytes::copy_from_slice(data);
        self.parts.push(Saying {
            source,
            beacon,
            after,
            at,
            data: data.clone(),
            missing,
        });
        Some((self.parts.len() - 1, data))
    }

    /// What is in no part, in words; empty if nothing is.
    pub(crate) fn more(&self) -> String {
        let values = match self.further {
            0 => return String::new(),
            1 => "1 value of a further part is".into(),
            many => format!("{many} values of further parts are"),
        };
        format!("{PARTS} parts of a device are shown at most: {values} only in the recording.")
    }

    /// The bytes of the last report, where the system gives them.
    pub(crate) fn raw(&self) -> Option<&Bytes> {
        self.raw.as_ref()
    }

    /// Its companies, by their identifiers.
    pub(crate) fn company(&self) -> Option<u16> {
        let companies = self.parts.iter().filter_map(|saying| match saying.source {
            Source::Manufacturer(company) => Some(company),
            _ => None,
        });
        companies.min()
    }

    /// Manufacturer data with the company before it, and service data.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for saying in &self.parts {
            match saying.source {
                Source::Manufacturer(company) => bytes.extend(company.to_le_bytes()),
                Source::Service(_) => {}
                Source::Structure(_) => continue,
            }
            bytes.extend_from_slice(&saying.data);
        }
        bytes
    }

    /// What it says as a beacon, in a line: of kinds that come in turn, the first two in a fixed order.
    pub(crate) fn summary(&self, layouts: &Layouts, most: usize) -> Option<String> {
        let newest = self.parts.iter().map(|saying| saying.at).max()?;
        let mut said: Vec<String> = Vec::new();
        for saying in self.shown(layouts) {
            if newest.since(saying.at) >= FRESH {
                continue;
            }
            let Some(format) = saying.format(layouts) else {
                continue;
            };
            let values = format.summary(&saying.data);
            said.push(match &format {
                Format::Beacon(beacon) if values.is_empty() => beacon.brief().to_owned(),
                Format::Beacon(beacon) => format!("{} {values}", beacon.brief()),
                _ => values,
            });
            if said.len() == SUMMARISED {
                break;
            }
        }
        (!said.is_empty()).then(|| decode::clean::text(&said.join(" · "), most).into_owned())
    }

    /// The kinds of payload that are known, by what settings and people call them.
    pub(crate) fn kinds(&self) -> String {
        let mut kinds = String::new();
        for beacon in self.parts.iter().filter_map(|saying| saying.beacon) {
            for word in [beacon.key(), " ", beacon.name(), "\n"] {
                kinds.push_str(word);
            }
        }
        kinds
    }

    /// Everything, each once; of a source that the user has given a layout, the newest alone.
    fn shown<'a>(&'a self, layouts: &'a Layouts) -> impl Iterator<Item = &'a Saying> {
        let of = |source| self.parts.iter().filter(move |one| one.source == source);
        self.parts.iter().filter_map(move |saying| {
            if !layouts.contains_key(&saying.source) {
                return Some(saying);
            }
            let first = of(saying.source).next();
            first
                .is_some_and(|first| std::ptr::eq(first, saying))
                .then(|| of(saying.source).max_by_key(|one| one.at))
                .flatten()
        })
    }

    /// The parts that can be drawn, or could be with a layout.
    pub(crate) fn payload_parts(&self, source: Source, layouts: &Layouts) -> Vec<Part> {
        let of = self.shown(layouts).filter(|saying| saying.source == source);
        of.map(|saying| saying.part(layouts)).collect()
    }

    /// The newest bytes of a source, or of one kind of its payloads.
    pub(crate) fn newest(&self, source: Source, beacon: Option<Beacon>) -> Option<Bytes> {
        let of = self.parts.iter().filter(|saying| {
            saying.source == source && (beacon.is_none() || saying.beacon == beacon)
        });
        of.max_by_key(|saying| saying.at)
            .map(|saying| saying.data.clone())
    }

    /// Whether more is remembered from now on, because something of it is drawn.
    pub(crate) fn set_drawn(&mut self, drawn: bool) {
        self.drawn = drawn;
    }

    /// Of a device that is gone, and of which nothing is drawn, the newest of each part is enough.
    pub(crate) fn gone(&mut self) {
        if !self.drawn {
            self.forgot += self.history.len() as u64;
            self.history = VecDeque::new();
        }
    }

    /// What is remembered of a part since the entry of this number, of whatever part that is.
    pub(crate) fn remembered(&self, part: Part, since: u64) -> Remembered {
        let Part::Said(source, beacon) = part else {
            return Remembered::default();
        };
        let skip = usize::try_from(since.saturating_sub(self.forgot)).unwrap_or(usize::MAX);
        let of = self.history.iter().skip(skip).filter(|entry| {
            let saying = &self.parts[entry.part];
            saying.source == source && (beacon.is_none() || saying.beacon == beacon)
        });
        let entries = of.map(|entry| (entry.at, Heard::Payload(source, entry.data.clone())));
        Remembered {
            entries: entries.collect(),
            first: self.forgot,
            next: self.forgot + self.history.len() as u64,
            oldest: self.history.front().map(|entry| entry.at),
        }
    }

    /// Everything as the page shows it; `fields` say what the system tells without bytes.
    pub(crate) fn views(
        &self,
        fields: &[(AdType, Vec<u8>)],
        layouts: &Layouts,
        wall: WallOffset,
    ) -> Vec<AdvertPart> {
        let mut views: Vec<_> = self
            .shown(layouts)
            .map(|saying| saying.view(layouts, wall))
            .collect();
        // The first and the last in the order in which they are sent mostly.
        if self.raw.is_none() {
            let told = fields.iter().map(|(kind, data)| {
                let mut view = structure(*kind, data, 0);
                // These are not the bytes that were sent.
                view.bytes = String::new();
                for field in &mut view.fields {
                    field.bytes = (0, 0);
                }
                view
            });
            views.splice(0..0, told);
        }
        views
    }

    /// The newest payloads of a part, newest first.
    pub(crate) fn history(
        &self,
        part: Part,
        layouts: &Layouts,
        wall: WallOffset,
    ) -> Vec<HistoryRow> {
        let Part::Said(source, beacon) = part else {
            return Vec::new();
        };
        let of = self.history.iter().rev().filter(|entry| {
            let saying = &self.parts[entry.part];
            saying.source == source && (layouts.contains_key(&source) || saying.beacon == beacon)
        });
        let row = |entry: &Entry| {
            let format = format(source, &entry.data, layouts);
            let text = |format: Format| format.summary(&entry.data);
            let more = if entry.data.len() > ROW_BYTES {
                " …"
            } else {
                ""
            };
            HistoryRow {
                at_ms: wall.ms(entry.at),
                kind: "advert".into(),
                bytes: hex(&entry.data[..entry.data.len().min(ROW_BYTES)]) + more,
                text: format.map(text).unwrap_or_default(),
                lost_before: 0,
            }
        };
        of.take(HISTORY_ROWS).map(row).collect()
    }
}

/// How to read a payload: as the user says, else as what it is known to be.
pub(crate) fn format(source: Source, data: &[u8], layouts: &Layouts) -> Option<Format> {
    let known = || Beacon::of(source, data).map(Format::Beacon);
    layouts.get(&source).cloned().or_else(known)
}

/// What a payload is called in the scope, and whose it is.
pub(crate) fn name(source: Source, format: Option<&Format>) -> String {
    match (format, source) {
        (Some(Format::Beacon(beacon)), _) => beacon.brief().into(),
        (_, Source::Manufacturer(_)) => format!("{} data", owner(source)),
        (_, Source::Service(_)) => format!("{} data", owner(source)),
        (_, Source::Structure(kind)) => structure_name(kind),
    }
}

/// Whose a payload is: a company or a service, with its number.
fn owner(source: Source) -> String {
    let (name, short) = match source {
        Source::Manufacturer(id) => (
            decode::names::company(id).unwrap_or("Unknown company"),
            format!("0x{id:04X}"),
        ),
        Source::Service(uuid) => (
            decode::names::service(uuid).unwrap_or_default(),
            decode::names::short(uuid).to_string(),
        ),
        Source::Structure(_) => return String::new(),
    };
    let name = decode::clean::text(name, NAME);
    format!("{name}{}{short}", if name.is_empty() { "" } else { " " })
}

fn structure_name(kind: AdType) -> String {
    kind.name()
        .map_or_else(|| format!("AD structure {kind}"), Into::into)
}

impl Saying {
    fn format(&self, layouts: &Layouts) -> Option<Format> {
        match layouts.get(&self.source) {
            Some(layout) => Some(layout.clone()),
            None => self.beacon.map(Format::Beacon),
        }
    }

    fn part(&self, layouts: &Layouts) -> Part {
        let own = layouts.contains_key(&self.source);
        Part::Said(self.source, self.beacon.filter(|_| !own))
    }

    fn view(&self, layouts: &Layouts, wall: WallOffset) -> AdvertPart {
        let mut view = match self.source {
            Source::Structure(kind) => structure(kind, &self.data, self.missing),
            source => payload(source, &self.data, self.format(layouts)),
        };
        view.part = self.part(layouts).to_string();
        if self.after > 0 {
            view.part.push_str(&format!("+{}", self.after));
        }
        view.at_ms = Some(wall.ms(self.at));
        view
    }
}

fn blank(ad_type: AdType, name: String, data: &[u8]) -> AdvertPart {
    AdvertPart {
        part: String::new(),
        payload: false,
        ad_type: ad_type.to_string(),
        name,
        owner: String::new(),
        kind: String::new(),
        text: String::new(),
        at_ms: None,
        bytes: hex(data),
        headline: String::new(),
        unit: String::new(),
        fields: Vec::new(),
        format: String::new(),
        note: String::new(),
        unplotted: None,
    }
}

fn payload(source: Source, data: &[u8], format: Option<Format>) -> AdvertPart {
    let (ad_type, name) = match source {
        Source::Manufacturer(_) => (AdType::MANUFACTURER_DATA, "Manufacturer data"),
        Source::Service(uuid) => {
            let width = if decode::names::short16(uuid).is_some() {
                AdType::SERVICE_DATA_16
            } else if decode::names::short32(uuid).is_some() {
                AdType(0x20)
            } else {
                AdType(0x21)
            };
            (width, "Service data")
        }
        Source::Structure(kind) => (kind, ""),
    };
    let mut view = AdvertPart {
        payload: true,
        owner: owner(source),
        ..blank(ad_type, name.into(), data)
    };
    let Some(format) = format else {
        view.unplotted = Some(
            "Nothing to plot: nobody here knows these bytes. Write a layout in the inspector, then plot."
                .into(),
        );
        return view;
    };
    let shown = fields::shown(&format, data);
    view.text = format.summary(data);
    (view.fields, view.note) = (shown.fields, shown.note);
    (view.headline, view.unit) = (shown.headline, shown.unit);
    match &format {
        Format::Beacon(beacon) => view.kind = beacon.name().into(),
        format => view.format = crate::formats::text_of(Some(format)),
    }
    if format.series().is_empty() {
        view.unplotted = Some("Nothing to plot: there are no numbers in it.".into());
    }
    view
}

/// An AD structure that is no payload of a company or a service.
fn structure(kind: AdType, data: &[u8], missing: usize) -> AdvertPart {
    let mut view = blank(kind, structure_name(kind), data);
    let mut texts = Vec::new();
    let rest = advertisement::decode_structure(kind, data, |field| {
        let mut one = fields::view(&field, view.fields.len());
        if let decode::Value::Bytes(bytes) = field.value
            && let Some(service) = listed(kind, bytes)
            && let Some(name) = decode::names::service(service)
        {
            one.value = format!("{name} {}", decode::names::short(service));
        }
        texts.push(field_text(&field, &one.name, &one.value, &one.unit));
        view.fields.push(one);
    });
    view.text = match (kind.0, data) {
        (0x01, [flags, ..]) => decode::gap::flags_text(*flags),
        _ if view.fields.len() == 1 => line(&view.fields[0].value, &view.fields[0].unit),
        _ if view
            .fields
            .iter()
            .all(|one| one.name.starts_with("Service")) =>
        {
            let values: Vec<_> = view.fields.iter().map(|one| one.value.as_str()).collect();
            values.join(", ")
        }
        _ => texts.into_iter().flatten().collect::<Vec<_>>().join(", "),
    };
    view.text = decode::clean::text(&view.text, 160).into_owned();
    if missing > 0 {
        let bytes = if missing == 1 { "byte is" } else { "bytes are" };
        view.note = format!("Cut off: its length says that {missing} more {bytes} to come.");
    } else if rest.missing > 0 {
        view.note = format!("{} bytes are too few for it.", data.len());
    } else if !rest.extra.is_empty() {
        view.note = format!("{} of {} bytes used.", rest.extra.start, data.len());
    }
    view
}

/// A field of several in a line: a name alone says that something is set.
fn field_text(field: &decode::Field<'_>, name: &str, value: &str, unit: &str) -> Option<String> {
    match field.value {
        decode::Value::Missing | decode::Value::Bool(false) => None,
        decode::Value::Bool(true) => Some(name.to_owned()),
        _ => Some(format!("{name} {}", line(value, unit))),
    }
}

fn line(value: &str, unit: &str) -> String {
    format!("{value}{}{unit}", if unit.is_empty() { "" } else { " " })
}

/// The service that an entry of a list of services stands for.
fn listed(kind: AdType, bytes: &[u8]) -> Option<Uuid> {
    if !matches!(kind.0, 0x02..=0x07 | 0x14 | 0x15 | 0x1F) {
        return None;
    }
    Some(match bytes.len() {
        2 => decode::names::uuid16(u16::from_le_bytes(*bytes.first_chunk()?)),
        16 => Uuid::from_u128(u128::from_le_bytes(*bytes.first_chunk()?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use radio::CompanyId;

    const WALL: WallOffset = WallOffset(0.0);

    fn report(ms: i64, raw: &[u8]) -> Advertisement {
        Advertisement {
            raw: Some(Bytes::copy_from_slice(raw)),
            ..Advertisement::new("a".into(), Timestamp(ms * 1_000_000))
        }
    }

    fn tag(ms: i64, temperature: i16) -> Advertisement {
        let mut data = vec![0x05];
        data.extend(temperature.to_be_bytes());
        data.resize(24, 0);
        Advertisement {
            manufacturer_data: vec![(CompanyId(0x0499), data.into())],
            ..Advertisement::new("a".into(), Timestamp(ms * 1_000_000))
        }
    }

    #[test]
    fn a_part_reads_back_from_its_text_and_what_is_none_is_refused() {
        for text in [
            "signal",
            "company:0499/ruuvi-5",
            "company:ffff",
            "service:0000feaa-0000-1000-8000-00805f9b34fb",
            "ad:2b",
        ] {
            assert_eq!(
                text.parse::<Part>().map(|part| part.to_string()),
                Ok(text.into())
            );
        }
        for text in [
            "",
            "company",
            "company:zz",
            "company:0499/moon",
            "ad:2b1",
            "x:1",
        ] {
            assert_eq!(text.parse::<Part>(), Err(()), "{text}");
        }
    }

    #[test]
    fn every_structure_is_a_part_and_one_that_is_cut_off_says_so() {
        let mut said = Said::default();
        said.hear(&report(0, &[2, 1, 6, 3, 3, 0x0D, 0x18, 9, 9, b'L', b'a']));
        let views = said.views(&[], &Layouts::new(), WALL);
        let texts: Vec<_> = views.iter().map(|view| view.text.as_str()).collect();
        assert_eq!(views.len(), 3, "{views:?}");
        assert!(texts[0].contains("eneral discoverable"), "{}", texts[0]);
        assert_eq!(texts[1], "Heart Rate 0x180D");
        assert_eq!(texts[2], "La");
        assert!(views[2].note.starts_with("Cut off"), "{}", views[2].note);
        assert!(views.iter().all(|view| !view.payload));
    }

    #[test]
    fn a_payload_that_the_system_left_in_the_bytes_is_read_from_them_once() {
        let mut said = Said::default();
        let raw = [6, 0xFF, 0x99, 0x04, 0x05, 1, 2];
        said.hear(&report(0, &raw));
        let mut twice = report(1, &raw);
        twice.manufacturer_data = vec![(CompanyId(0x0499), Bytes::from_static(&[5, 1, 3]))];
        said.hear(&twice);
        let views = said.views(&[], &Layouts::new(), WALL);
        assert_eq!(views.len(), 1);
        assert_eq!(views[0].bytes, "05 01 03");
        assert_eq!(views[0].kind, "RuuviTag, data format 5");
        let part = Part::Said(Source::Manufacturer(0x0499), None);
        assert_eq!(said.remembered(part, 0).entries.len(), 2);
    }

    #[test]
    fn the_users_layout_of_a_company_reads_all_of_its_payloads_as_one_part() {
        let mut said = Said::default();
        said.hear(&tag(0, 4000));
        let mut other = tag(5, 0);
        other.manufacturer_data[0].1 = Bytes::from_static(&[0x77, 9]);
        said.hear(&other);
        assert_eq!(said.views(&[], &Layouts::new(), WALL).len(), 2);
        let chosen = BTreeMap::from([("company:0499".to_owned(), "kind:u8, x:u8".to_owned())]);
        let views = said.views(&[], &layouts(&chosen), WALL);
        assert_eq!(views.len(), 1);
        assert_eq!(
            (views[0].text.as_str(), views[0].format.as_str()),
            ("kind 119, x 9", "kind:u8, x:u8")
        );
        assert_eq!(views[0].part, "company:0499");
        let refused = BTreeMap::from([("company:0499".to_owned(), "kind:u9".to_owned())]);
        assert!(layouts(&refused).is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_same_bytes_are_kept_once() {
        let mut said = Said::default();
        for ms in 0..REMEMBERED as i64 + 9 {
            said.hear(&tag(ms, 1));
        }
        assert_eq!(said.history.len(), REMEMBERED);
        let first = said.history[0].data.as_ptr();
        assert!(
            said.history
                .iter()
                .all(|entry| entry.data.as_ptr() == first)
        );
        for number in 0..PARTS as u16 + 9 {
            let mut made_up = tag(0, 1);
            made_up.manufacturer_data[0].0 = CompanyId(0x1000 + number);
            said.hear(&made_up);
        }
        assert_eq!(said.parts.len(), PARTS);
        // One of them is the tag's own.
        assert_eq!(
            said.more(),
            "64 parts of a device are shown at most: 10 values of further parts are only in the recording."
        );
    }

    #[test]
    fn what_is_remembered_keeps_no_whole_report() {
        let mut said = Said::default();
        let first = report(0, &[6, 0xFF, 0x99, 0x04, 0x05, 1, 2, 2, 1, 6]);
        let raw = first.raw.clone().unwrap();
        said.hear(&first);
        said.hear(&report(1, &[6, 0xFF, 0x99, 0x04, 0x05, 3, 4]));
        drop(first);
        assert!(raw.is_unique());
        assert_eq!(said.history.len(), 2);
    }

    #[test]
    fn two_structures_of_one_type_in_a_report_are_two_parts() {
        let mut said = Said::default();
        said.hear(&report(0, &[3, 2, 0x0D, 0x18, 3, 2, 0x0F, 0x18]));
        said.hear(&report(1, &[3, 2, 0x0A, 0x18]));
        let views = said.views(&[], &Layouts::new(), WALL);
        let shown: Vec<_> = views
            .iter()
            .map(|view| (view.part.as_str(), view.bytes.as_str()))
            .collect();
        assert_eq!(shown, [("ad:02", "0A 18"), ("ad:02+1", "0F 18")]);
        let part = "ad:02+1".parse::<Part>();
        assert_eq!(part, Ok(Part::Said(Source::Structure(AdType(2)), None)));
        assert_eq!("ad:02+x".parse::<Part>(), Err(()));
    }

    #[test]
    fn kinds_that_come_in_turn_stand_in_one_line_in_one_order() {
        let eddystone = decode::names::uuid16(0xFEAA);
        let frame = |ms: i64, data: &'static [u8]| Advertisement {
            service_data: vec![(eddystone, Bytes::from_static(data))],
            ..Advertisement::new("a".into(), Timestamp(ms * 1_000_000))
        };
        let url: &[u8] = b"\x10\xEC\x03example\x07";
        let telemetry: &[u8] = &[0x20, 0, 0x0B, 0xB8, 0x16, 0x80, 0, 0, 0, 1, 0, 0, 0, 10];
        let mut said = Said::default();
        said.hear(&frame(0, url));
        said.hear(&frame(1, telemetry));
        let before = said.summary(&Layouts::new(), 64).unwrap();
        said.hear(&frame(2, url));
        assert_eq!(said.summary(&Layouts::new(), 64).unwrap(), before);
        assert!(
            before.contains("example.com") && before.contains("22.5"),
            "{before}"
        );
        said.hear(&frame(120_000, telemetry));
        let after = said.summary(&Layouts::new(), 64).unwrap();
        assert!(!after.contains("example.com"), "{after}");
    }
}
