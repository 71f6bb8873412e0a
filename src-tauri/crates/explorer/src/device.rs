//! The device table: who is on the air, from advertisements alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use decode::Format;
use decode::advertisement::{AdType, Beacon, Source};
use radio::{AddressKind, Advertisement, DeviceId, Rssi, Timestamp};
use uuid::Uuid;

use crate::advert::{Heard, Layouts, Part, Remembered, Said};
use crate::filter::{Candidate, Filter};
use crate::view::{AdvertView, DeviceRow, DevicesView, NamedUuid};

/// Not heard for this long and not connected: gone.
const GONE_AFTER: Duration = Duration::from_secs(60);
/// Not heard for this long: no longer listed.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
/// Points of the little signal line, one for each two seconds.
const TREND_POINTS: usize = 30;
const TREND_STEP: Duration = Duration::from_secs(2);
/// Signal reports kept for the page of one device: minutes of them, bounded.
const SIGNAL_POINTS: usize = 1200;
/// Longest name that is shown, in characters.
const NAME_LENGTH: usize = 64;
/// Longest line about what a device says as a beacon, in characters.
const SUMMARY_LENGTH: usize = 96;
/// Services that a row keeps: a device on the air may make up as many as it likes. The recording has
/// all of them.
const KINDS: usize = 64;

/// Everybody who was heard, and which of their rows have changed since the window was told.
#[derive(Debug, Default)]
pub struct DeviceTable {
    devices: HashMap<DeviceId, Device>,
    filter: Filter,
    dirty: HashSet<DeviceId>,
    /// What the window has.
    shown: HashSet<DeviceId>,
    reset: bool,
    /// The system tells of some reports only: the time between them is not the device's.
    samples: bool,
    /// The user's layouts of what is advertised.
    layouts: Layouts,
}

#[derive(Debug)]
struct Device {
    first_seen: Timestamp,
    last_seen: Option<Timestamp>,
    adverts: u32,
    interval: Interval,
    local_name: Option<String>,
    address: Option<String>,
    address_kind: Option<AddressKind>,
    connectable: Option<bool>,
    rssi: Option<Rssi>,
    tx_power: Option<i16>,
    appearance: Option<u16>,
    services: Vec<(Uuid, Option<&'static str>)>,
    said: Said,
    trend: VecDeque<i16>,
    trend_at: Timestamp,
    signal: VecDeque<(Timestamp, Rssi)>,
    /// How many of these are remembered no more.
    signal_forgot: u64,
    link: &'static str,
    was_gone: bool,
    alias: Option<String>,
    starred: bool,
    /// The system is connected to it, whether it is heard or not.
    held: bool,
}

/// Estimates an advertising interval from arrival times.
///
/// Reports are lost on the air and the interval itself jitters by up to 10 ms (Core Specification,
/// Vol 6, Part B, 4.4.2.2), so the median of the last gaps is taken, not their mean.
#[derive(Debug, Default)]
struct Interval {
    gaps: VecDeque<Duration>,
}

impl Interval {
    const GAPS: usize = 15;
    /// Reports closer than this are parts of one advertising event: the same packet on another
    /// channel, or its scan response.
    const ONE_EVENT: Duration = Duration::from_millis(8);

    fn heard(&mut self, gap: Duration) {
        if gap >= Self::ONE_EVENT {
            if self.gaps.len() == Self::GAPS {
                self.gaps.pop_front();
            }
            self.gaps.push_back(gap);
        }
    }

    fn estimate(&self) -> Option<Duration> {
        if self.gaps.len() < 3 {
            return None;
        }
        let mut gaps: Vec<_> = self.gaps.iter().copied().collect();
        gaps.sort_unstable();
        Some(gaps[gaps.len() / 2])
    }
}

/// How the wall clock stands to the session's: Unix milliseconds at its zero.
#[derive(Clone, Copy, Debug)]
pub struct WallOffset(pub f64);

impl WallOffset {
    /// Unix milliseconds of a stamp.
    #[must_use]
    pub fn ms(self, at: Timestamp) -> f64 {
        self.0 + at.0 as f64 / 1e6
    }
}

impl DeviceTable {
    /// Takes one report.
    pub fn hear(&mut self, report: &Advertisement, starred: bool, alias: Option<&str>) {
        let device = self
            .devices
            .entry(report.device.clone())
            .or_insert_with(|| Device::new(report.at));
        if device.adverts == 0 {
            device.starred = starred;
            device.alias = alias.map(Into::into);
        }
        device.hear(report, !self.samples);
        self.mark(&report.device);
    }

    /// Says whether the system hands out every report from now on, or only some.
    pub fn set_samples(&mut self, samples: bool) {
        self.samples = samples;
        for device in self.devices.values_mut() {
            device.interval = Interval::default();
        }
    }

    /// Takes note of a device that is connected already and need not advertise.
    pub fn note(
        &mut self,
        id: &DeviceId,
        name: Option<&str>,
        at: Timestamp,
        starred: bool,
        alias: Option<String>,
    ) {
        let device = self
            .devices
            .entry(id.clone())
            .or_insert_with(|| Device::new(at));
        if let Some(name) = name {
            device.call(name);
        }
        (device.starred, device.alias, device.held) = (starred, alias, true);
        self.mark(id);
    }

    /// Says how often a device was heard in a recording.
    pub fn set_heard(&mut self, id: &DeviceId, adverts: u64) {
        self.change(id, |device| {
            device.adverts = u32::try_from(adverts).unwrap_or(u32::MAX);
        });
    }

    /// Takes a report of a recording; those that it has were counted already.
    pub fn recall(&mut self, report: &Advertisement) {
        if let Some(device) = self.devices.get_mut(&report.device) {
            let adverts = device.adverts;
            device.hear(report, !self.samples);
            device.adverts = adverts;
            self.mark(&report.device);
        }
    }

    /// Nobody is known to be connected to the system any more: noted devices age like the others.
    pub fn release(&mut self) {
        for device in self.devices.values_mut() {
            device.held = false;
        }
    }

    fn mark(&mut self, id: &DeviceId) {
        if !self.dirty.contains(id) {
            self.dirty.insert(id.clone());
        }
    }

    /// Forgets everybody: another adapter hears others.
    pub fn clear(&mut self) {
        self.devices.clear();
        self.start_over();
    }

    /// Shows only what passes `filter`.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.start_over();
    }

    /// The window has nothing any more and gets everything again.
    pub fn start_over(&mut self) {
        self.reset = true;
        self.shown.clear();
        self.dirty = self.devices.keys().cloned().collect();
    }

    /// Says how the connection to a device stands.
    pub fn set_link(&mut self, id: &DeviceId, link: &'static str) {
        self.change(id, |device| device.link = link);
    }

    /// Stars a device or takes the star away.
    pub fn set_starred(&mut self, id: &DeviceId, starred: bool) {
        self.change(id, |device| device.starred = starred);
    }

    /// Gives a device a name of the user's, or takes it away.
    pub fn set_alias(&mut self, id: &DeviceId, alias: Option<String>) {
        self.change(id, |device| device.alias = alias);
    }

    /// Gives every device the name and the star that the user chose for it.
    pub fn set_choices(
        &mut self,
        aliases: &BTreeMap<String, String>,
        favourites: &BTreeSet<String>,
    ) {
        for (id, device) in &mut self.devices {
            device.alias = aliases.get(id.as_str()).cloned();
            device.starred = favourites.contains(id.as_str());
        }
    }

    fn change(&mut self, id: &DeviceId, change: impl FnOnce(&mut Device)) {
        if let Some(device) = self.devices.get_mut(id) {
            change(device);
            self.mark(id);
        }
    }

    /// The name to show for a device and its address or identifier.
    #[must_use]
    pub fn name(&self, id: &DeviceId) -> (String, String) {
        self.devices.get(id).map_or_else(
            || (id.to_string(), id.to_string()),
            |device| (device.name(id), device.address(id)),
        )
    }

    /// Who is here: heard of late, or with a link.
    #[must_use]
    pub fn present(&self, now: Timestamp) -> HashSet<DeviceId> {
        let here = |device: &Device| !device.gone(now) || device.link != "none";
        let here = self.devices.iter().filter(|(_, device)| here(device));
        here.map(|(id, _)| id.clone()).collect()
    }

    /// The devices that `text` names: the one with this identifier or address, else all with this name.
    /// Case does not matter.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<DeviceId> {
        let same = |other: &str| other.to_lowercase() == text.to_lowercase();
        let by = |test: &dyn Fn(&DeviceId, &Device) -> bool| -> Vec<DeviceId> {
            let found = self.devices.iter().filter(|(id, device)| test(id, device));
            found.map(|(id, _)| id.clone()).collect()
        };
        let exact = by(&|id, device| same(id.as_str()) || same(&device.address(id)));
        if exact.is_empty() {
            by(&|_, device| {
                [&device.alias, &device.local_name]
                    .into_iter()
                    .flatten()
                    .any(|name| same(name))
            })
        } else {
            exact
        }
    }

    /// The name that it advertises, cleaned.
    #[must_use]
    pub fn local_name(&self, id: &DeviceId) -> Option<&str> {
        self.devices.get(id)?.local_name.as_deref()
    }

    /// Its last signal strength.
    #[must_use]
    pub fn rssi(&self, id: &DeviceId) -> Option<i16> {
        self.devices.get(id)?.rssi.map(|rssi| rssi.0)
    }

    /// What has changed since the last call, and who has aged.
    pub fn changes(&mut self, now: Timestamp, wall: WallOffset) -> Option<DevicesView> {
        let mut removed = Vec::new();
        self.devices.retain(|id, device| {
            // One that has a tab stays, with its name.
            let keep = device.age(now) < FORGOTTEN_AFTER || device.link != "none";
            if !keep && self.shown.remove(id) {
                removed.push(id.to_string());
            }
            keep
        });
        let ages = self.filter.ages();
        for (id, device) in &mut self.devices {
            if ages {
                self.dirty.insert(id.clone());
            }
            let gone = device.gone(now);
            if gone != device.was_gone {
                device.was_gone = gone;
                if gone {
                    device.said.gone();
                }
                self.dirty.insert(id.clone());
            }
        }
        let mut changed = Vec::new();
        for id in std::mem::take(&mut self.dirty) {
            let Some(device) = self.devices.get(&id) else {
                continue;
            };
            let name = device.address(&id);
            let summary = device.said.summary(&self.layouts, SUMMARY_LENGTH);
            let (kinds, advertised) = (device.said.kinds(), device.advertised());
            let said = (summary.as_deref(), &*kinds, &*advertised);
            if self.filter.matches(&device.candidate(&name, said, now)) {
                changed.push(device.row(&id, summary, now, wall));
                self.shown.insert(id);
            } else if self.shown.remove(&id) {
                removed.push(id.to_string());
            }
        }
        let reset = std::mem::take(&mut self.reset);
        if !reset && changed.is_empty() && removed.is_empty() {
            return None;
        }
        Some(DevicesView {
            reset,
            changed,
            removed,
            shown: u32::try_from(self.shown.len()).unwrap_or(u32::MAX),
            total: u32::try_from(self.devices.len()).unwrap_or(u32::MAX),
        })
    }

    /// The page of one device, with the newest values of one part; what of it is drawn and how it was asked for is not known here.
    pub(crate) fn advert(
        &self,
        id: &DeviceId,
        selected: Option<Part>,
        now: Timestamp,
        wall: WallOffset,
    ) -> Option<AdvertView> {
        let device = self.devices.get(id)?;
        let summary = device.said.summary(&self.layouts, SUMMARY_LENGTH);
        let history = selected.map(|part| device.said.history(part, &self.layouts, wall));
        Some(AdvertView {
            row: device.row(id, summary, now, wall),
            parts: device.said.views(&device.told(), &self.layouts, wall),
            raw: device.said.raw().map(|raw| hex(raw)).unwrap_or_default(),
            plotted: Vec::new(),
            more: device.said.more(),
            part: None,
            history: history.unwrap_or_default(),
            signal: device
                .signal
                .iter()
                .map(|(at, rssi)| (wall.ms(*at), rssi.0))
                .collect(),
        })
    }

    /// Reads payloads by other layouts from now on. Says of which sources they changed.
    pub(crate) fn set_layouts(&mut self, layouts: Layouts) -> HashSet<Source> {
        let sources = self.layouts.keys().chain(layouts.keys());
        let changed: HashSet<_> = sources
            .filter(|source| self.layouts.get(source) != layouts.get(source))
            .copied()
            .collect();
        if !changed.is_empty() {
            self.layouts = layouts;
            self.dirty = self.devices.keys().cloned().collect();
        }
        changed.into_iter().collect()
    }

    /// The user's layout of what a company or a service advertises.
    pub(crate) fn layout(&self, source: Source) -> Option<Format> {
        self.layouts.get(&source).cloned()
    }

    /// The parts of a device that come from one source.
    pub(crate) fn payload_parts(&self, id: &DeviceId, source: Source) -> Vec<Part> {
        let device = self.devices.get(id);
        device.map_or_else(Vec::new, |one| {
            one.said.payload_parts(source, &self.layouts)
        })
    }

    /// The newest bytes of a part.
    pub(crate) fn newest(
        &self,
        id: &DeviceId,
        source: Source,
        beacon: Option<Beacon>,
    ) -> Option<Bytes> {
        self.devices.get(id)?.said.newest(source, beacon)
    }

    /// What is remembered of a part since the entry of this number.
    pub(crate) fn remember(&self, id: &DeviceId, part: Part, since: u64) -> Remembered {
        let Some(device) = self.devices.get(id) else {
            return Remembered::default();
        };
        match part {
            Part::Signal => device.remembered_signal(since),
            Part::Said(..) => device.said.remembered(part, since),
        }
    }

    /// More is remembered of a device from now on, because something of it is drawn.
    pub(crate) fn keep_drawn(&mut self, id: &DeviceId) {
        if let Some(device) = self.devices.get_mut(id) {
            device.said.set_drawn(true);
        }
    }

    /// Nothing of a device is drawn any more.
    pub(crate) fn forget_drawn(&mut self, id: &DeviceId) {
        if let Some(device) = self.devices.get_mut(id) {
            device.said.set_drawn(false);
        }
    }
}

impl Device {
    fn new(at: Timestamp) -> Self {
        Self {
            first_seen: at,
            last_seen: None,
            adverts: 0,
            interval: Interval::default(),
            local_name: None,
            address: None,
            address_kind: None,
            connectable: None,
            rssi: None,
            tx_power: None,
            appearance: None,
            services: Vec::new(),
            said: Said::default(),
            trend: VecDeque::new(),
            trend_at: at,
            signal: VecDeque::new(),
            signal_forgot: 0,
            link: "none",
            was_gone: false,
            alias: None,
            starred: false,
            held: false,
        }
    }

    fn call(&mut self, name: &str) {
        let clean = decode::clean::text(name, NAME_LENGTH);
        if !clean.trim().is_empty() {
            self.local_name = Some(clean.into_owned());
        }
    }

    /// The row shows the latest of each field; the recording keeps each report by itself.
    fn hear(&mut self, report: &Advertisement, every: bool) {
        if let Some(last) = self.last_seen.filter(|_| every) {
            self.interval.heard(report.at.since(last));
        }
        self.last_seen = Some(report.at);
        self.adverts = self.adverts.saturating_add(1);
        if let Some(name) = &report.local_name {
            self.call(name);
        }
        if let Some(address) = report.address {
            self.address = Some(address.to_string());
        }
        self.address_kind = report.address_kind.or(self.address_kind);
        self.connectable = report.connectable.or(self.connectable);
        self.tx_power = report.tx_power.or(self.tx_power);
        self.appearance = report.appearance.or(self.appearance);
        for uuid in &report.services {
            if self.services.len() < KINDS && !self.services.iter().any(|(known, _)| known == uuid)
            {
                self.services.push((*uuid, decode::names::service(*uuid)));
            }
        }
        self.said.hear(report);
        if let Some(rssi) = report.rssi {
            self.rssi = Some(rssi);
            if self.signal.len() == SIGNAL_POINTS {
                self.signal.pop_front();
                self.signal_forgot += 1;
            }
            self.signal.push_back((report.at, rssi));
            if self.trend.is_empty() || report.at.since(self.trend_at) >= TREND_STEP {
                if self.trend.len() == TREND_POINTS {
                    self.trend.pop_front();
                }
                self.trend.push_back(rssi.0);
                self.trend_at = report.at;
            }
        }
    }

    fn remembered_signal(&self, since: u64) -> Remembered {
        let skip = usize::try_from(since.saturating_sub(self.signal_forgot)).unwrap_or(usize::MAX);
        let of = self.signal.iter().skip(skip);
        Remembered {
            entries: of.map(|(at, rssi)| (*at, Heard::Signal(*rssi))).collect(),
            first: self.signal_forgot,
            next: self.signal_forgot + self.signal.len() as u64,
            oldest: self.signal.front().map(|(at, _)| *at),
        }
    }

    fn name(&self, id: &DeviceId) -> String {
        self.alias
            .clone()
            .or_else(|| self.local_name.clone())
            .unwrap_or_else(|| self.address(id))
    }

    fn address(&self, id: &DeviceId) -> String {
        self.address.clone().unwrap_or_else(|| id.to_string())
    }

    fn age(&self, now: Timestamp) -> Duration {
        if self.held {
            return Duration::ZERO;
        }
        now.since(self.last_seen.unwrap_or(self.first_seen))
    }

    fn linked(&self) -> bool {
        !matches!(self.link, "none" | "disconnected" | "failed")
    }

    fn gone(&self, now: Timestamp) -> bool {
        !self.linked() && self.age(now) >= GONE_AFTER
    }

    fn address_kind(&self) -> Option<&'static str> {
        Some(match self.address_kind? {
            AddressKind::Public => "public",
            AddressKind::RandomStatic => "static",
            AddressKind::RandomResolvable => "private",
            AddressKind::RandomNonResolvable => "non-resolvable",
        })
    }

    fn company(&self) -> Option<(u16, Option<&'static str>)> {
        let id = self.said.company()?;
        Some((id, decode::names::company(id)))
    }

    /// The advertised bytes for `adv:`; where the system hides them, the data that it shows.
    fn advertised(&self) -> Vec<u8> {
        self.said
            .raw()
            .map_or_else(|| self.said.bytes(), |raw| raw.to_vec())
    }

    fn candidate<'a>(
        &'a self,
        address: &'a str,
        said: (Option<&'a str>, &'a str, &'a [u8]),
        now: Timestamp,
    ) -> Candidate<'a> {
        let (summary, kinds, advertised) = said;
        let company = self.company();
        Candidate {
            name: self.local_name.as_deref(),
            alias: self.alias.as_deref(),
            address,
            address_kind: self.address_kind(),
            company: company.and_then(|(_, name)| name),
            company_id: company.map(|(id, _)| id),
            summary,
            kinds,
            services: &self.services,
            advertised,
            rssi: self.rssi.map(|rssi| rssi.0),
            interval: self.interval.estimate(),
            age: self.age(now),
            connectable: self.connectable == Some(true),
            starred: self.starred,
            connected: self.link == "connected",
            gone: self.gone(now),
        }
    }

    fn row(
        &self,
        id: &DeviceId,
        summary: Option<String>,
        now: Timestamp,
        wall: WallOffset,
    ) -> DeviceRow {
        DeviceRow {
            id: id.to_string(),
            name: self.name(id),
            local_name: self.local_name.clone(),
            alias: self.alias.clone(),
            starred: self.starred,
            address: self.address.clone(),
            address_kind: self.address_kind().map(Into::into),
            connectable: self.connectable,
            rssi: self.rssi.map(|rssi| rssi.0),
            trend: self.trend.iter().copied().collect(),
            interval_ms: self
                .interval
                .estimate()
                .map(|interval| interval.as_secs_f64() * 1e3),
            first_seen_ms: wall.ms(self.first_seen),
            last_seen_ms: wall.ms(self.last_seen.unwrap_or(self.first_seen)),
            adverts: self.adverts,
            services: self
                .services
                .iter()
                .map(|(uuid, name)| named(*uuid, *name))
                .collect(),
            company: self
                .company()
                .map(|(id, name)| name.map_or_else(|| format!("Company 0x{id:04X}"), Into::into)),
            summary,
            tx_power: self.tx_power,
            link: self.link.into(),
            gone: self.gone(now),
        }
    }

    /// What a system that hands out no bytes tells in fields, as the structures that these were in.
    fn told(&self) -> Vec<(AdType, Vec<u8>)> {
        let mut told = Vec::new();
        if let Some(name) = &self.local_name {
            told.push((AdType(0x09), name.clone().into_bytes()));
        }
        for (uuid, _) in &self.services {
            let short = decode::names::short16(*uuid);
            told.push(match short {
                Some(short) => (AdType(0x03), short.to_le_bytes().into()),
                None => (AdType(0x07), uuid.as_u128().to_le_bytes().into()),
            });
        }
        if let Some(power) = self.tx_power.and_then(|power| i8::try_from(power).ok()) {
            told.push((AdType(0x0A), power.to_le_bytes().into()));
        }
        if let Some(appearance) = self.appearance {
            told.push((AdType(0x19), appearance.to_le_bytes().into()));
        }
        told
    }
}

/// A UUID with the name that goes with it.
pub(crate) fn named(uuid: Uuid, name: Option<&str>) -> NamedUuid {
    NamedUuid {
        uuid: uuid.to_string(),
        short: decode::names::short(uuid).to_string(),
        name: name.map(Into::into),
    }
}

/// Bytes as pairs of hexadecimal digits with spaces.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        let gap = if index == 0 { "" } else { " " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{gap}{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: WallOffset = WallOffset(1_000_000.0);

    fn at(ms: i64) -> Timestamp {
        Timestamp(ms * 1_000_000)
    }

    fn report(id: &str, ms: i64, rssi: i16) -> Advertisement {
        Advertisement {
            rssi: Some(Rssi(rssi)),
            ..Advertisement::new(id.into(), at(ms))
        }
    }

    #[test]
    fn only_what_changed_is_told_and_only_once() {
        let mut table = DeviceTable::default();
        table.hear(&report("a", 0, -50), false, None);
        table.hear(&report("b", 0, -60), true, Some("bench"));
        let news = table.changes(at(1), WALL).unwrap();
        assert_eq!((news.changed.len(), news.shown, news.total), (2, 2, 2));
        assert!(table.changes(at(2), WALL).is_none());
        table.hear(&report("b", 3, -61), false, None);
        let news = table.changes(at(4), WALL).unwrap();
        assert_eq!(news.changed.len(), 1);
        let row = &news.changed[0];
        assert_eq!(
            (row.name.as_str(), row.rssi, row.adverts),
            ("bench", Some(-61), 2)
        );
        assert!(row.starred, "a star given before the first report stays");
        assert_eq!(row.last_seen_ms, 1_000_003.0);
    }

    #[test]
    fn a_device_that_stops_matching_is_removed() {
        let mut table = DeviceTable::default();
        table.set_filter(Filter::parse("rssi>-70").unwrap());
        table.hear(&report("a", 0, -50), false, None);
        assert_eq!(table.changes(at(1), WALL).unwrap().shown, 1);
        table.hear(&report("a", 2, -80), false, None);
        let news = table.changes(at(3), WALL).unwrap();
        assert_eq!(
            (news.removed.as_slice(), news.shown, news.total),
            (&["a".to_owned()][..], 0, 1)
        );
    }

    #[test]
    fn silence_makes_a_device_gone_in_place_then_forgotten_but_never_a_connected_one() {
        let mut table = DeviceTable::default();
        table.hear(&report("a", 0, -50), false, None);
        table.hear(&report("b", 0, -50), false, None);
        table.set_link(&"b".into(), "connected");
        table.changes(at(0), WALL);
        let news = table.changes(at(60_000), WALL).unwrap();
        assert_eq!(news.changed.len(), 1);
        assert!(news.changed[0].gone && news.changed[0].id == "a");
        let news = table.changes(at(600_000), WALL).unwrap();
        assert_eq!(
            (news.removed.as_slice(), news.total),
            (&["a".to_owned()][..], 1)
        );
    }

    #[test]
    fn the_interval_is_the_median_gap_without_copies_of_one_event() {
        let mut table = DeviceTable::default();
        for ms in [0, 100, 101, 203, 299, 700, 803] {
            table.hear(&report("a", ms, -50), false, None);
        }
        let row = &table.changes(at(900), WALL).unwrap().changed[0];
        assert_eq!(row.interval_ms, Some(102.0));
    }

    #[test]
    fn a_hostile_name_is_cleaned_and_an_empty_one_is_none() {
        let mut table = DeviceTable::default();
        let name = |name: &str| Advertisement {
            local_name: Some(name.into()),
            ..Advertisement::new("a".into(), at(0))
        };
        table.hear(&name("  "), false, None);
        assert_eq!(table.name(&"a".into()).0, "a");
        table.hear(&name("evil\u{202E}\u{0}txt"), false, None);
        let shown = table.name(&"a".into()).0;
        assert!(!shown.contains(['\u{202E}', '\u{0}']), "{shown:?}");
    }

    #[test]
    fn a_window_that_was_loaded_anew_gets_everything_again() {
        let mut table = DeviceTable::default();
        table.hear(&report("a", 0, -50), false, None);
        table.changes(at(1), WALL);
        table.start_over();
        let news = table.changes(at(2), WALL).unwrap();
        assert!(news.reset && news.changed.len() == 1);
    }

    #[test]
    fn of_a_device_that_is_gone_what_it_said_is_remembered_only_if_it_is_drawn() {
        let mut table = DeviceTable::default();
        let part = Part::Said(Source::Manufacturer(0xFFFF), None);
        let ids = [DeviceId::from("a"), "b".into()];
        for ms in 0..3 {
            for id in ["a", "b"] {
                let mut report = report(id, ms, -50);
                report.manufacturer_data =
                    vec![(radio::CompanyId(0xFFFF), Bytes::from_static(&[1]))];
                table.hear(&report, false, None);
            }
        }
        table.keep_drawn(&ids[1]);
        let remembered = |table: &DeviceTable| {
            ids.each_ref()
                .map(|id| table.remember(id, part, 0).entries.len())
        };
        table.changes(at(10_000), WALL);
        assert_eq!(remembered(&table), [3, 3]);
        table.changes(at(100_000), WALL);
        assert_eq!(remembered(&table), [0, 3]);
        assert!(
            table
                .newest(&ids[0], Source::Manufacturer(0xFFFF), None)
                .is_some()
        );
    }
}
