//! What happened in a session, as lines of the log, and what its attributes add up to.

use std::collections::HashMap;
use std::sync::Arc;

use radio::{AttrId, DeviceId, Timestamp};
use session::{Kind, Recorded, Session};

use super::{at, places};
use crate::attribute::Attribute;
use crate::explorer::Inner;
use crate::log::entry;
use crate::view::{LogEntry, Problem};

/// Values that come by themselves are told once in so many nanoseconds, as they are live.
const FOLD: i64 = 1_000_000_000;
/// What is certain later than it happened, such as a loss, is written so much later at most,
/// nanoseconds.
const LATE: i64 = 5_000_000_000;

/// Reads events in their order.
pub(super) struct Reader<'a> {
    inner: &'a Inner,
    session: &'a Session,
    places: HashMap<AttrId, Arc<Attribute>>,
    devices: HashMap<session::DeviceKey, DeviceId>,
    /// What came of an attribute within this stretch of time: how many, and the last.
    came: HashMap<AttrId, (u64, Recorded)>,
    stretch: i64,
    /// Lines that are told once nothing earlier can come any more.
    held: Vec<LogEntry>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(inner: &'a Inner, session: &'a Session) -> Result<Self, Problem> {
        Ok(Self {
            inner,
            session,
            places: places(inner, session)?,
            devices: session
                .devices()?
                .into_iter()
                .map(|device| (device.key, DeviceId::from(device.identifier.as_str())))
                .collect(),
            came: HashMap::new(),
            stretch: 0,
            held: Vec::new(),
        })
    }

    pub(super) fn event(&mut self, event: &Recorded) -> Result<(), Problem> {
        let stretch = event.at.nanos().div_euclid(FOLD);
        if stretch != self.stretch {
            self.tell_values();
            self.stretch = stretch;
            self.push_until(Some(event.at.nanos().saturating_sub(LATE)));
        }
        if event.value.is_some()
            && Kind::VALUES.contains(&event.kind)
            && let Some(place) = event.attribute.and_then(|id| self.places.get(&id))
        {
            place.memory().count_recorded(1, 0);
        }
        match event.kind {
            Kind::Notification | Kind::Indication | Kind::NotificationOrIndication => {
                if let Some(id) = event.attribute {
                    self.came
                        .entry(id)
                        .and_modify(|(count, last)| {
                            *count += 1;
                            last.value.clone_from(&event.value);
                            last.at = event.at;
                        })
                        .or_insert_with(|| (1, event.clone()));
                }
            }
            Kind::Gap => self.gap(event)?,
            kind => {
                // What came on a link came before its end.
                if matches!(kind, Kind::Connected | Kind::Disconnected) {
                    self.tell_values();
                }
                self.tell(event);
            }
        }
        Ok(())
    }

    /// Tells what was held back.
    pub(super) fn finish(mut self) {
        self.tell_values();
        self.push_until(None);
    }

    /// Tells the lines before a moment, or all of them, in the order in which they happened.
    fn push_until(&mut self, nanos: Option<i64>) {
        self.held.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        let until = nanos.map_or(f64::INFINITY, |nanos| self.inner.wall.ms(Timestamp(nanos)));
        let ready = self.held.partition_point(|line| line.at_ms < until);
        for line in self.held.drain(..ready) {
            self.inner.log.push(line);
        }
    }

    fn tell_values(&mut self) {
        let mut came: Vec<_> = self.came.drain().collect();
        came.sort_by_key(|(_, (_, last))| last.at);
        for (_, (count, last)) in came {
            let operation = match count {
                1 => "Notify".into(),
                count => format!("Notify ×{count}"),
            };
            let detail = self.text(&last);
            self.push(&last, "info", "notify", operation, detail);
        }
    }

    fn gap(&mut self, event: &Recorded) -> Result<(), Problem> {
        let Some(gap) = self.session.gap(event.id)? else {
            return Ok(());
        };
        if let Some(place) = event.attribute.and_then(|id| self.places.get(&id)) {
            place.memory().count_recorded(0, gap.count);
        }
        let from = gap.from.seconds();
        let to = gap.to.seconds();
        let count = match gap.count {
            0 => "An unknown number".into(),
            count => count.to_string(),
        };
        let why = match gap.cause {
            session::Cause::DeviceSequence => "the device's own counter skipped",
            session::Cause::HostQueue => "the radio's own queue overflowed",
            session::Cause::Gattscope => "the recorder could not keep up, or could not write",
            session::Cause::LinkDown => "the link was down",
        };
        let detail = format!("{count} between {from:.3} s and {to:.3} s: {why}");
        self.push(event, "warn", "lost", "Lost".into(), detail);
        Ok(())
    }

    fn tell(&mut self, event: &Recorded) {
        let failed = event.status.is_some_and(|status| status != 0);
        let said = || crate::clean(event.detail.as_deref().unwrap_or_default(), 400);
        let number = |unit: &str| match event.number {
            Some(number) => format!("{number}{unit}"),
            None => String::new(),
        };
        let outcome = |done: String| match (failed, event.status) {
            (false, _) => done,
            (true, Some(code @ 1..=255)) => format!("{} (ATT error 0x{code:02X})", said()),
            (true, _) => said(),
        };
        let (category, operation, detail) = match event.kind {
            Kind::ScanStarted => ("scan", "Scan", said()),
            Kind::ScanStopped => ("scan", "Scan stopped", String::new()),
            Kind::AdapterState => ("scan", "Adapter", said()),
            Kind::Connecting => ("link", "Connect", String::new()),
            Kind::Connected => ("link", "Connected", String::new()),
            Kind::ConnectFailed => ("link", "Connect failed", said()),
            Kind::Mtu => ("link", "ATT MTU", number("")),
            Kind::Discovered => ("discovery", "Discovered", number(" attributes")),
            Kind::Disconnected => ("link", "Disconnected", said()),
            Kind::ReadResult => ("read", "Read", outcome(self.text(event))),
            Kind::WriteRequest => ("write", "Write", self.text(event)),
            Kind::WriteCommand => ("write", "Write without response", self.text(event)),
            // Of a write that was acknowledged, the request tells all.
            Kind::WriteResult if failed => ("write", "Write", outcome(String::new())),
            Kind::Subscribed => ("write", "Subscribe", outcome(String::new())),
            Kind::Unsubscribed => ("write", "Unsubscribe", outcome(String::new())),
            Kind::Error => ("app", "Error", said()),
            Kind::Note => ("app", "Note", said()),
            Kind::Marker => ("app", "Mark", said()),
            _ => return,
        };
        let bad = failed || matches!(event.kind, Kind::ConnectFailed | Kind::Error);
        let operation = match failed {
            true => format!("{operation} failed"),
            false => operation.into(),
        };
        let level = if bad { "error" } else { "info" };
        self.push(event, level, category, operation, detail);
    }

    /// The value in a line.
    fn text(&self, event: &Recorded) -> String {
        let (Some(id), Some(bytes)) = (event.attribute, &event.value) else {
            return String::new();
        };
        self.places
            .get(&id)
            .map(|place| place.memory().text(bytes))
            .unwrap_or_default()
    }

    fn push(
        &mut self,
        event: &Recorded,
        level: &str,
        category: &str,
        operation: String,
        detail: String,
    ) {
        let place = event.attribute.and_then(|id| self.places.get(&id));
        let device = event.device.and_then(|key| self.devices.get(&key));
        let time: Timestamp = at(event.at);
        let line = LogEntry {
            device: device.map(ToString::to_string),
            device_name: device.map(|id| self.inner.devices().name(id).0),
            attribute: place.map(|place| place.name()),
            detail,
            ..entry(self.inner.wall.ms(time), level, category, operation)
        };
        self.held.push(line);
    }
}
