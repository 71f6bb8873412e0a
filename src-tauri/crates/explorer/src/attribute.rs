//! One attribute of a device as the explorer keeps it: its newest values, how they are decoded, how
//! many were lost, and what is under way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use decode::{Format, Presented};
use radio::{
    AttrId, AttrKind, Handle, NotifyMode, NotifyRoute, Properties, Sample, SampleKind, Timestamp,
};
use session::{Kind, Recorded};
use uuid::Uuid;

use crate::counter::{CounterChoice, CounterView, Counting, SequenceGap};
use crate::device::{WallOffset, hex, named};
use crate::device_time::{DeviceTime, Placing, Stamp};
use crate::fields;
use crate::formats::{Why, text_of};
use crate::scope::Track;
use crate::view::{ActionsView, AttributeView, HistoryRow, InspectView, Problem, ValueView};

/// Values kept in memory for the inspector and for drawing anew when the format changes. The
/// recording has all of them.
const HISTORY: usize = 10_000;
/// Rows of the history that the inspector gets.
const HISTORY_ROWS: usize = 200;
/// Bytes of a value that a row shows.
const ROW_BYTES: usize = 64;
/// Stretches of unknown loss that are remembered for drawing anew.
const OUTAGES: usize = 1_000;
/// How long a loss stays on an attribute's row.
const LATELY: std::time::Duration = std::time::Duration::from_secs(5);

/// One attribute of one discovery. The [state](Memory) behind it outlives the discovery: after a
/// reconnection the same characteristic goes on where it was.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) id: AttrId,
    /// Its place in words; see [`AttributeView::key`].
    pub(crate) key: String,
    pub(crate) kind: AttrKind,
    pub(crate) uuid: Uuid,
    pub(crate) handle: Option<Handle>,
    pub(crate) properties: Properties,
    pub(crate) parent: Option<AttrId>,
    /// Which of how many with this UUID under the same parent.
    pub(crate) instance: Option<(u32, u32)>,
    reach: Reach,
    memory: Arc<Mutex<Memory>>,
}

/// What an attribute is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// A link; with the most bytes of a write, with and without response.
    Link((usize, usize)),
    /// A recording: it is looked at and nothing else.
    Recording,
}

/// How a value in the history came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Read,
    Write,
    Pushed(SampleKind),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) origin: Origin,
    /// How many values are missing before it.
    lost_before: u32,
    /// Why.
    cause: plot::Cause,
    bytes: Bytes,
}

impl Origin {
    /// How a value of a recording came; none if the event carries none.
    pub(crate) fn recorded(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::ReadResult => Origin::Read,
            Kind::WriteRequest | Kind::WriteCommand => Origin::Write,
            Kind::Notification => Origin::Pushed(SampleKind::Notification),
            Kind::Indication => Origin::Pushed(SampleKind::Indication),
            Kind::NotificationOrIndication => Origin::Pushed(SampleKind::NotificationOrIndication),
            _ => return None,
        })
    }
}

impl Entry {
    /// A value of a recording; none if the event carries none.
    fn recorded(event: &Recorded) -> Option<Self> {
        Some(Self {
            at: Timestamp(event.at.nanos()),
            origin: Origin::recorded(event.kind)?,
            lost_before: 0,
            cause: plot::Cause::DeviceSequence,
            bytes: event.value.clone()?,
        })
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn ink(&self) -> Ink<'_> {
        Ink {
            at: self.at,
            origin: self.origin,
            missing: self.lost_before,
            cause: self.cause,
            stamp: None,
            bytes: &self.bytes,
        }
    }
}

/// What is remembered of an attribute.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    history: VecDeque<Entry>,
    count: u64,
    /// Values of a recording that were asked for, and those that were counted.
    recalled: usize,
    read_through: u64,
    /// Values that came unasked.
    pub(crate) pushed: u64,
    /// `pushed` when the rate and the log were last told.
    pub(crate) told: u64,
    rate: Option<f64>,
    lost: u64,
    lost_lately: VecDeque<(Timestamp, u64)>,
    pub(crate) format: Option<Format>,
    /// The user's choice of what counts.
    choice: Option<CounterChoice>,
    counting: Option<Counting>,
    pub(crate) tracks: Vec<Track>,
    /// The device's own time, where the format has it. It is followed whether or not it is drawn.
    pub(crate) device_time: Option<Box<DeviceTime>>,
    /// Whether the tracks are drawn on it.
    pub(crate) by_device: bool,
    /// The times at which values were placed.
    order: plot::InOrder,
    /// Steps when what is drawn of a recording has to be drawn anew: what was begun before is in vain.
    pub(crate) drawing: u64,
    pub(crate) subscribed: bool,
    /// How it is subscribed, where there is a choice.
    pub(crate) notify: (NotifyMode, NotifyRoute),
    /// When the link ended under the subscription.
    down_since: Option<Timestamp>,
    /// When the last value came by itself, and the first of this subscription.
    last_pushed: Option<Timestamp>,
    first_pushed: Option<Timestamp>,
    /// Stretches in which an unknown number of values was lost, oldest first.
    outages: VecDeque<(Timestamp, Timestamp)>,
    pub(crate) busy: &'static str,
    pub(crate) problem: Option<Problem>,
    /// The device's own name for it (0x2901), cleaned.
    pub(crate) description: Option<String>,
    /// How the device itself presents its values (0x2904, 0x2905), once that was read.
    pub(crate) presented: Option<Presented>,
    /// After which discovery it was read without being asked for.
    pub(crate) described: Option<radio::Generation>,
    /// Why it has its format.
    pub(crate) why: Why,
    /// How far the values were counted that are here or were.
    reached: Reached,
    /// How much of the recording was read to draw it anew, while that is under way.
    pub(crate) reread: Option<f64>,
    /// Some of what is drawn was not in the recording, because the disk took nothing.
    pub(crate) unwritten: bool,
    /// The user's name for its UUID.
    pub(crate) own_name: Option<String>,
    changed: bool,
}

/// How far a row of values reaches: which of those in a recording are among them. One attribute's values
/// come in the order of time, apart for those that came unasked and those that were read; where several
/// have the same time, they are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    pushed: Option<(Timestamp, u32)>,
    read: Option<(Timestamp, u32)>,
    kept: u64,
}

impl Reached {
    /// Whatever comes.
    pub(crate) const ALL: Self = {
        let end = Some((Timestamp(i64::MAX), u32::MAX));
        Self {
            pushed: end,
            read: end,
            kept: u64::MAX,
        }
    };

    /// Takes the next value in.
    pub(crate) fn count(&mut self, at: Timestamp, origin: Origin) {
        let Some(last) = self.of(origin) else { return };
        *last = match *last {
            Some((time, many)) if time >= at => Some((time, many + u32::from(time == at))),
            _ => Some((at, 1)),
        };
    }

    /// Takes the next value in. Says whether it is one that `until` has and `since` has not.
    pub(crate) fn passes(
        &mut self,
        mut since: Self,
        mut until: Self,
        at: Timestamp,
        origin: Origin,
    ) -> bool {
        self.count(at, origin);
        match (self.of(origin), since.of(origin), until.of(origin)) {
            (Some(here), Some(since), Some(until)) => *here > *since && *here <= *until,
            _ => false,
        }
    }

    /// How many values of any kind were kept up to there.
    pub(crate) fn kept(self) -> u64 {
        self.kept
    }

    /// Before this, it has every value.
    pub(crate) fn since(self) -> Option<Timestamp> {
        let at = |last: Option<(Timestamp, u32)>| last.map(|(at, _)| at);
        match (at(self.pushed), at(self.read)) {
            (Some(pushed), Some(read)) => Some(pushed.min(read)),
            // Of one kind there was none: the first of it may be as late as it likes, or as early.
            (one, None) | (None, one) => one,
        }
    }

    fn of(&mut self, origin: Origin) -> Option<&mut Option<(Timestamp, u32)>> {
        match origin {
            Origin::Pushed(_) => Some(&mut self.pushed),
            Origin::Read => Some(&mut self.read),
            Origin::Write => None,
        }
    }
}

/// What a value says of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// When the value before it came, if there is one.
    pub(crate) previous: Option<Timestamp>,
    /// A gap in the device's own counter that is certain now.
    pub(crate) gap: Option<SequenceGap>,
}

impl Memory {
    /// Takes a value that came unasked. This is on the way of every notification: nothing here
    /// waits, and nothing grows without a bound.
    pub(crate) fn take(&mut self, sample: &Sample) -> Taken {
        let previous = self.last_pushed.replace(sample.at);
        self.first_pushed.get_or_insert(sample.at);
        let from = previous.unwrap_or(sample.at);
        // What the radio's own queue lost is missing from the device's counter too: it counts once.
        let (skipped, gap) = self.counting.as_mut().map_or((0, None), |counting| {
            counting.take(&sample.bytes, sample.lost_before, from, sample.at)
        });
        let missing = u64::from(sample.lost_before).saturating_add(skipped);
        let cause = match skipped {
            0 => plot::Cause::HostQueue,
            _ => plot::Cause::DeviceSequence,
        };
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        if sample.lost_before > 0 {
            self.lose(sample.at, sample.lost_before.into());
        }
        if let Some(gap) = gap {
            self.skipped(gap);
        }
        self.pushed += 1;
        let stamp = match (&mut self.device_time, &self.format) {
            (Some(time), Some(format)) => time.take(sample.at, format, &sample.bytes, missing),
            _ => None,
        };
        let entry = Entry {
            at: sample.at,
            origin: Origin::Pushed(sample.kind),
            lost_before: sample.lost_before,
            cause: plot::Cause::HostQueue,
            bytes: sample.bytes.clone(),
        };
        self.keep(entry, stamp, missing, cause, previous);
        Taken { previous, gap }
    }

    fn lose(&mut self, at: Timestamp, count: u64) {
        self.lost = self.lost.saturating_add(count);
        self.lost_lately.push_back((at, count));
        self.changed = true;
    }

    /// Notes a gap of the device's own counter before the value that ended it.
    fn skipped(&mut self, gap: SequenceGap) {
        self.lose(gap.to, gap.count);
        let ended = self
            .history
            .iter_mut()
            .rev()
            .find(|entry| entry.at == gap.to);
        if let Some(entry) = ended {
            let count = u32::try_from(gap.count).unwrap_or(u32::MAX);
            entry.lost_before = entry.lost_before.saturating_add(count);
            entry.cause = plot::Cause::DeviceSequence;
        }
    }

    /// The last gap of the device's own counter, if it is certain at `now`, or whenever it is.
    pub(crate) fn certain(&mut self, now: Option<Timestamp>) -> Option<SequenceGap> {
        let gap = self.counting.as_mut()?.certain(now)?;
        self.skipped(gap);
        Some(gap)
    }

    /// What counts from now on: the user's choice, else the format. Whoever changes it takes what is
    /// [certain](Self::certain) before.
    pub(crate) fn set_counter(&mut self, choice: Option<CounterChoice>) {
        self.choice = choice;
        self.count();
    }

    /// A counter that stays the same goes on.
    fn count(&mut self) {
        let counting = Counting::of(self.format.as_ref(), self.choice.as_ref());
        let same = match (&self.counting, &counting) {
            (Some(last), Some(next)) => last.is(next),
            (last, next) => last.is_none() && next.is_none(),
        };
        if !same {
            self.counting = counting;
        }
    }

    /// Counts for another recording from now on.
    pub(crate) fn begin_anew(&mut self) {
        if let Some(counting) = &mut self.counting {
            counting.begin_anew();
        }
    }

    /// What the counter has found; `None` where nothing counts.
    pub(crate) fn counter_view(&self) -> Option<CounterView> {
        self.counting.as_ref().map(Counting::view)
    }

    /// The next value may count from anywhere.
    fn interrupt(&mut self) {
        if let Some(counting) = &mut self.counting {
            counting.interrupt();
        }
        if let Some(time) = &mut self.device_time {
            time.interrupted();
        }
    }

    /// Takes a value that was read or written.
    pub(crate) fn remember(&mut self, at: Timestamp, origin: Origin, bytes: Bytes) {
        let cause = plot::Cause::DeviceSequence;
        let entry = Entry {
            at,
            origin,
            lost_before: 0,
            cause,
            bytes,
        };
        self.keep(entry, None, 0, cause, None);
    }

    /// Remembers a value and draws it, with what seems to be missing before it; `previous` is when the
    /// last one came by itself.
    fn keep(
        &mut self,
        entry: Entry,
        stamp: Option<Stamp>,
        missing: u32,
        cause: plot::Cause,
        previous: Option<Timestamp>,
    ) {
        if let Some(format) = &self.format {
            let ink = Ink {
                missing,
                cause,
                stamp,
                ..entry.ink()
            };
            let axis = self.device_time.as_deref().filter(|_| self.by_device);
            let axis = axis.map(|time| (time, &mut self.order));
            draw(format, &self.tracks, axis, &ink, previous);
        }
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.reached.count(entry.at, entry.origin);
        self.history.push_back(entry);
        self.count += 1;
        self.reached.kept = self.count;
        self.changed = true;
    }

    /// What is drawn of it comes from a recording from now on.
    pub(crate) fn begin_recorded(&mut self, tracks: Vec<Track>, by_device: bool) {
        self.tracks = tracks;
        self.by_device = by_device;
        self.drawing += 1;
        self.changed = true;
    }

    /// Takes the last values of a recording, in place of what is remembered.
    pub(crate) fn recall(&mut self, values: &[Recorded], most: usize) {
        self.history = values.iter().filter_map(Entry::recorded).collect();
        self.recalled = most;
        self.count = self.count.max(self.history.len() as u64);
        self.changed = true;
    }

    /// Whether as many values of the recording were asked for.
    pub(crate) fn is_recalled(&self, most: usize) -> bool {
        self.recalled >= most
    }

    /// Counts values of a recording that is read through.
    pub(crate) fn count_recorded(&mut self, values: u64, lost: u64) {
        self.read_through += values;
        self.count = self.count.max(self.read_through);
        self.lost += lost;
        self.changed = true;
    }

    /// A subscription begins: the device's counter may start anywhere.
    pub(crate) fn begin(&mut self) {
        self.subscribed = true;
        self.first_pushed = None;
        self.interrupt();
        self.changed = true;
    }

    /// Decodes with another format from now on; what is plotted is drawn anew by the caller. `time` is the
    /// device's own by that format, as somebody else [followed](Attribute::followed) it through what is
    /// remembered, up to there.
    pub(crate) fn set_format(
        &mut self,
        format: Option<Format>,
        time: Option<(DeviceTime, Reached)>,
    ) {
        self.device_time = time
            .zip(format.as_ref())
            .map(|((mut time, reached), format)| {
                if let Some(new) = self.since(reached) {
                    follow(&mut time, format, new);
                }
                Box::new(time)
            });
        self.format = format;
        self.drawing += 1;
        self.count();
        self.changed = true;
    }

    /// Takes fresh tracks, which are drawn anew by the caller.
    pub(crate) fn begin_drawing(&mut self, tracks: Vec<Track>, by_device: bool) {
        self.tracks = tracks;
        self.by_device = by_device;
        self.order = plot::InOrder::default();
        self.drawing += 1;
        self.changed = true;
    }

    /// The device's clock and its order of time as somebody else followed them through all values.
    pub(crate) fn take_over_time(&mut self, time: DeviceTime, order: plot::InOrder) {
        self.device_time = Some(Box::new(time));
        self.order = order;
        self.changed = true;
    }

    /// How far what is remembered reaches.
    pub(crate) fn reached(&self) -> Reached {
        self.reached
    }

    /// How far what was kept reaches that is not remembered any more, for [`since`](Self::since).
    pub(crate) fn forgotten(&self) -> Reached {
        Reached {
            kept: self.count - self.history.len() as u64,
            ..Reached::default()
        }
    }

    /// Nothing is drawn of it any more, and what reads for that is in vain.
    pub(crate) fn stop_drawing(&mut self) {
        self.tracks.clear();
        self.drawing += 1;
        self.reread = None;
        self.unwritten = false;
        self.changed = true;
    }

    /// The last values that were kept after `reached`; none if they are not all remembered.
    pub(crate) fn since(&self, reached: Reached) -> Option<impl Iterator<Item = &Entry>> {
        let new = usize::try_from(self.count.saturating_sub(reached.kept)).ok()?;
        let from = self.history.len().checked_sub(new)?;
        Some(self.history.range(from..))
    }

    /// What is remembered, oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.history.iter()
    }

    /// Stretches in which an unknown number of values was lost, that ended after `since`.
    pub(crate) fn outages_since(
        &self,
        since: Option<Timestamp>,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        self.outages
            .iter()
            .copied()
            .filter(move |(_, to)| since.is_none_or(|since| *to > since))
    }

    /// Since when its link is down under a subscription.
    pub(crate) fn down_since(&self) -> Option<Timestamp> {
        self.down_since
    }

    /// The bytes of its newest value.
    pub(crate) fn newest(&self) -> Option<Bytes> {
        self.history.back().map(|entry| entry.bytes.clone())
    }

    /// The link went down: lines break here until values come again. Says whether it was subscribed,
    /// and from when until when an outage before this one lasted, if that was not told yet. What cannot
    /// come from now on is a loss, unless the end was `asked` for.
    pub(crate) fn link_down(
        &mut self,
        at: Timestamp,
        asked: bool,
    ) -> (bool, Option<(Timestamp, Timestamp)>) {
        let subscribed = std::mem::take(&mut self.subscribed);
        // Without a value in between, it is one outage.
        let before = self.first_pushed.and_then(|_| self.outage(at));
        if subscribed && !asked {
            self.down_since.get_or_insert(at);
        }
        self.first_pushed = None;
        self.busy = "";
        self.changed = true;
        // The line breaks here when it is drawn anew, too.
        self.note_outage(at, at);
        for track in &self.tracks {
            track.gap(at, at, plot::Cause::LinkDown, 0);
        }
        (subscribed, before)
    }

    /// From when until when nothing could come, because the link was down: until the first value, if
    /// one came, else until `now`. Tells it once.
    pub(crate) fn outage(&mut self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let from = self.down_since.take()?;
        let to = self.first_pushed.unwrap_or(now).max(from);
        self.note_outage(from, to);
        Some((from, to))
    }

    /// Values may be missing between these, although the link was up.
    pub(crate) fn interrupted(&mut self, from: Timestamp, to: Timestamp) {
        self.note_outage(from, to);
        self.interrupt();
        for track in &self.tracks {
            track.gap(from, to, plot::Cause::LinkDown, 0);
        }
        self.changed = true;
    }

    fn note_outage(&mut self, from: Timestamp, to: Timestamp) {
        if self.outages.len() == OUTAGES {
            self.outages.pop_front();
        }
        self.outages.push_back((from, to));
    }

    /// Something that the tree shows has changed.
    pub(crate) fn touch(&mut self) {
        self.changed = true;
    }

    /// Works out the rate of the last second.
    pub(crate) fn measure(&mut self, seconds: f64) -> u64 {
        let came = self.pushed - self.told;
        self.told = self.pushed;
        let rate = (came > 1).then(|| came as f64 / seconds);
        if rate.is_some() || self.rate.is_some() {
            self.rate = rate;
            self.changed = true;
        }
        came
    }

    /// The newest value in a line.
    pub(crate) fn summary(&self) -> Option<String> {
        self.history.back().map(|entry| self.text(&entry.bytes))
    }

    /// A value in a line.
    pub(crate) fn text(&self, bytes: &[u8]) -> String {
        match &self.format {
            Some(format) => format.summary(bytes),
            None if bytes.len() > 12 => format!("{} …", hex(&bytes[..12])),
            None => hex(bytes),
        }
    }
}

/// Follows the device's own time through values.
fn follow<'a>(time: &mut DeviceTime, format: &Format, values: impl Iterator<Item = &'a Entry>) {
    for entry in values.filter(|entry| matches!(entry.origin, Origin::Pushed(_))) {
        time.take(entry.at, format, &entry.bytes, entry.lost_before);
    }
}

/// A value to be drawn, with what is missing before it.
pub(crate) struct Ink<'a> {
    pub(crate) at: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) missing: u32,
    pub(crate) cause: plot::Cause,
    /// Where it stands on the device's clock, if it has one.
    pub(crate) stamp: Option<Stamp>,
    pub(crate) bytes: &'a [u8],
}

/// Draws the numbers of a value, and what is missing before it; what was written is none of the
/// device's. `axis` is the device's time if it is drawn on that.
pub(crate) fn draw(
    format: &Format,
    tracks: &[Track],
    axis: Option<(&DeviceTime, &mut plot::InOrder)>,
    ink: &Ink<'_>,
    previous: Option<Timestamp>,
) {
    if tracks.is_empty() || ink.origin == Origin::Write {
        return;
    }
    let before = match &axis {
        Some((_, order)) => order.last().map(Timestamp),
        None => previous,
    };
    let mut placing = Placing::new(axis, ink.stamp, ink.at);
    if ink.missing > 0 {
        let to = placing.first();
        for track in tracks {
            track.gap(before.unwrap_or(to), to, ink.cause, ink.missing);
        }
    }
    format.columns(ink.bytes, &mut |column, number| {
        let at = placing.next(column);
        for track in tracks.iter().filter(|track| track.column == column) {
            track.push(at, number);
        }
    });
}

impl Attribute {
    /// An attribute of a new discovery; `before` is what is remembered of it from the last.
    pub(crate) fn new(
        found: &radio::Attribute,
        key: String,
        instance: Option<(u32, u32)>,
        reach: Reach,
        before: Option<&Attribute>,
        format: (Option<Format>, Why),
    ) -> Self {
        let memory = before.map_or_else(
            || {
                let mut memory = Memory {
                    why: format.1,
                    ..Memory::default()
                };
                let time = format.0.as_ref().and_then(DeviceTime::of);
                memory.set_format(format.0, time.map(|time| (time, Reached::default())));
                Arc::new(Mutex::new(memory))
            },
            |before| Arc::clone(&before.memory),
        );
        Self {
            id: found.id,
            key,
            kind: found.kind,
            uuid: found.uuid,
            handle: found.handle,
            properties: found.properties,
            parent: found.parent,
            instance,
            reach,
            memory,
        }
    }

    /// Its state. Held for moments only: the radio's task waits behind it, and nothing else does.
    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device's own time by a format, followed through what is remembered, and how far. The values are
    /// read while nobody waits.
    pub(crate) fn followed(&self, format: Option<&Format>) -> Option<(DeviceTime, Reached)> {
        let format = format?;
        let mut time = DeviceTime::of(format)?;
        let (values, reached) = {
            let memory = self.memory();
            let values: Vec<Entry> = memory.entries().cloned().collect();
            (values, memory.reached())
        };
        follow(&mut time, format, values.iter());
        Some((time, reached))
    }

    /// For each action null, or why it is off and what to do.
    fn actions(&self) -> ActionsView {
        let Reach::Link(max_write) = self.reach else {
            let off = |what: &str| Some(format!("{what} is off: this is a recording."));
            return ActionsView {
                read: off("Read"),
                write: off("Write with response"),
                write_without: off("Write without response"),
                subscribe: off("Subscribe"),
                max_write: 0,
                max_write_without: 0,
            };
        };
        let offers = self.properties.names().collect::<Vec<_>>().join(", ");
        let off = |what: &str| {
            Some(match self.kind {
                AttrKind::Service => format!("{what} is off: a service has no value of its own."),
                AttrKind::Descriptor => format!("{what} is off: a descriptor is read and written."),
                AttrKind::Characteristic if offers.is_empty() => {
                    format!("{what} is off: the device offers nothing here.")
                }
                AttrKind::Characteristic => {
                    format!("{what} is off: the device offers {offers} only.")
                }
            })
        };
        let unless = |possible: bool, what: &str| if possible { None } else { off(what) };
        let is = |properties| self.properties.intersects(properties);
        let descriptor = self.kind == AttrKind::Descriptor;
        let client_configuration = self.uuid == decode::names::uuid16(0x2902);
        ActionsView {
            read: unless(descriptor || is(Properties::READ), "Read"),
            write: if descriptor && client_configuration {
                Some("Write is off: the system writes this descriptor. Subscribe instead.".into())
            } else {
                unless(descriptor || is(Properties::WRITE), "Write with response")
            },
            write_without: unless(
                is(Properties::WRITE_WITHOUT_RESPONSE),
                "Write without response",
            ),
            subscribe: unless(self.properties.can_subscribe(), "Subscribe"),
            max_write: u32::try_from(max_write.0).unwrap_or(u32::MAX),
            max_write_without: u32::try_from(max_write.1).unwrap_or(u32::MAX),
        }
    }

    /// Its row of the tree, with `children` below it.
    pub(crate) fn view(&self, children: Vec<AttributeView>) -> AttributeView {
        AttributeView {
            id: self.id.to_u64(),
            key: self.key.clone(),
            kind: match self.kind {
                AttrKind::Service => "service",
                AttrKind::Characteristic => "characteristic",
                AttrKind::Descriptor => "descriptor",
            }
            .into(),
            uuid: named(self.uuid, self.known().map(|known| known.name)),
            name: self.name(),
            names: self.names(),
            handle: self.handle.map(|handle| handle.0),
            instance: self.instance,
            properties: self.properties.names().map(Into::into).collect(),
            actions: self.actions(),
            format: text_of(self.memory().format.as_ref()),
            children,
        }
    }

    /// Its newest value, if anything about it changed since the last call or `all` is asked for.
    pub(crate) fn news(
        &self,
        device: &str,
        now: Timestamp,
        wall: WallOffset,
        all: bool,
    ) -> Option<ValueView> {
        let mut memory = self.memory();
        while memory
            .lost_lately
            .front()
            .is_some_and(|(at, _)| now.since(*at) > LATELY)
        {
            memory.lost_lately.pop_front();
            memory.changed = true;
        }
        if !std::mem::take(&mut memory.changed) && !all {
            return None;
        }
        let last = memory.history.back();
        Some(ValueView {
            device: device.into(),
            attribute: self.id.to_u64(),
            at_ms: last.map(|entry| wall.ms(entry.at)),
            text: memory.summary().unwrap_or_default(),
            unit: String::new(),
            rate: memory.rate,
            count: memory.count,
            lost: memory.lost,
            lost_lately: memory.lost_lately.iter().map(|(_, count)| count).sum(),
            subscribed: memory.subscribed,
            plotted: !memory.tracks.is_empty(),
            device_time: memory.drawn_by_device(wall),
            busy: memory.busy.into(),
            problem: memory.problem.clone(),
        })
    }

    /// What the inspector shows.
    pub(crate) fn inspect(&self, wall: WallOffset) -> InspectView {
        let memory = self.memory();
        let format = memory.format.as_ref();
        let last = memory.history.back();
        let (mode, route) = memory.notify;
        let mut view = InspectView {
            notify_mode: match mode {
                NotifyMode::System => "system",
                NotifyMode::Notify => "notify",
                NotifyMode::Indicate => "indicate",
            }
            .into(),
            notify_route: match route {
                NotifyRoute::Socket => "socket",
                NotifyRoute::Signals => "signals",
            }
            .into(),
            attribute: self.id.to_u64(),
            at_ms: last.map(|entry| wall.ms(entry.at)),
            bytes: last.map(|entry| hex(&entry.bytes)).unwrap_or_default(),
            headline: String::new(),
            unit: String::new(),
            headline_of: String::new(),
            fields: Vec::new(),
            format: text_of(format),
            choice: None,
            reread: memory.reread,
            format_note: String::new(),
            history: Vec::new(),
            count: memory.count,
            counter: memory.counter_view(),
            time: None,
        };
        let line = |bytes: &[u8]| match format {
            Some(format) => format.summary(bytes),
            None => decode::clean::bytes(bytes, ROW_BYTES).into_owned(),
        };
        view.history = memory
            .history
            .iter()
            .rev()
            .take(HISTORY_ROWS)
            .map(|entry| HistoryRow {
                at_ms: wall.ms(entry.at),
                kind: match entry.origin {
                    Origin::Read => "read",
                    Origin::Write => "write",
                    Origin::Pushed(SampleKind::Indication) => "indicate",
                    Origin::Pushed(_) => "notify",
                }
                .into(),
                bytes: hex(&entry.bytes[..entry.bytes.len().min(ROW_BYTES)])
                    + if entry.bytes.len() > ROW_BYTES {
                        " …"
                    } else {
                        ""
                    },
                text: line(&entry.bytes),
                lost_before: entry.lost_before,
            })
            .collect();
        let (Some(format), Some(last)) = (format, last) else {
            return view;
        };
        let shown = fields::shown(format, &last.bytes);
        view.fields = shown.fields;
        view.headline = shown.headline;
        view.unit = shown.unit;
        view.headline_of = shown.headline_of;
        view.format_note = shown.note;
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use radio::{GattDb, Handle};

    fn counted() -> Memory {
        let mut memory = Memory::default();
        memory.set_format(
            Some(Format::Layout(
                decode::Layout::parse("seq:u8!count, x:u8").unwrap(),
            )),
            None,
        );
        memory
    }

    fn sample(ms: i64, bytes: &[u8]) -> Sample {
        Sample {
            attribute: AttrId {
                generation: radio::Generation(1),
                index: 0,
            },
            at: Timestamp(ms * 1_000_000),
            lost_before: 0,
            kind: SampleKind::Notification,
            bytes: Bytes::copy_from_slice(bytes),
        }
    }

    #[test]
    fn a_counter_that_skips_is_a_gap_and_one_that_wraps_or_restarts_is_not() {
        let mut memory = counted();
        memory.begin();
        let mut lost = |ms, bytes: &[u8]| {
            memory.take(&sample(ms, bytes));
            memory.certain(None).map_or(0, |gap| gap.count)
        };
        assert_eq!(lost(0, &[254, 0]), 0, "the first value may be anything");
        assert_eq!(lost(1, &[255, 0]), 0);
        assert_eq!(lost(2, &[0, 0]), 0, "wrapped");
        assert_eq!(lost(3, &[4, 0]), 3);
        assert_eq!(lost(4, &[0, 0]), 0, "started anew");
        assert_eq!(lost(5, &[]), 0, "too short to tell");
        assert_eq!(memory.lost, 3);
        assert_eq!(memory.history[3].lost_before, 3);
        memory.begin();
        memory.take(&sample(6, &[90, 0]));
        assert_eq!(memory.certain(None), None, "a new subscription");
    }

    #[test]
    fn a_gap_is_told_once_with_the_time_between_its_neighbours() {
        let mut memory = counted();
        memory.take(&sample(1, &[1, 0]));
        assert_eq!(
            memory.take(&sample(2, &[3, 0])).gap,
            None,
            "it may come late"
        );
        let gap = SequenceGap {
            count: 1,
            from: Timestamp(1_000_000),
            to: Timestamp(2_000_000),
        };
        assert_eq!(memory.take(&sample(3, &[5, 0])).gap, Some(gap));
        assert_eq!(memory.lost, 1);
        let last = memory.certain(Some(Timestamp(2_000_000_000))).unwrap();
        assert_eq!((last.count, memory.lost), (1, 2));
        assert_eq!(memory.certain(None), None);
    }

    #[test]
    fn the_history_is_bounded_and_the_count_is_not() {
        let mut memory = Memory::default();
        for ms in 0..HISTORY as i64 + 5 {
            memory.take(&sample(ms, &[1]));
        }
        assert_eq!(memory.history.len(), HISTORY);
        assert_eq!(memory.count, HISTORY as u64 + 5);
    }

    #[test]
    fn what_the_device_does_not_offer_is_off_with_the_reason() {
        let mut db = GattDb::new();
        let service = db
            .push(
                AttrKind::Service,
                Uuid::nil(),
                None,
                None,
                Properties::default(),
            )
            .unwrap();
        let id = db
            .push(
                AttrKind::Characteristic,
                Uuid::from_u128(1),
                Some(Handle(3)),
                Some(service),
                Properties::NOTIFY,
            )
            .unwrap();
        let attribute = Attribute::new(
            db.get(id).unwrap(),
            "a/b".into(),
            None,
            Reach::Link((512, 20)),
            None,
            (None, Why::None),
        );
        let actions = attribute.view(Vec::new()).actions;
        assert_eq!(actions.subscribe, None);
        assert_eq!(
            actions.read.as_deref(),
            Some("Read is off: the device offers notify only.")
        );
    }

    #[test]
    fn fields_come_with_their_bytes_and_the_headline_is_no_counter() {
        let mut db = GattDb::new();
        let id = db
            .push(
                AttrKind::Characteristic,
                Uuid::nil(),
                None,
                None,
                Properties::READ,
            )
            .unwrap();
        let layout = "seq:u8!count, temp:i16le*0.01 °C";
        let format = Format::Layout(decode::Layout::parse(layout).unwrap());
        let attribute = Attribute::new(
            db.get(id).unwrap(),
            "k".into(),
            None,
            Reach::Link((0, 0)),
            None,
            (Some(format), Why::None),
        );
        attribute.memory().take(&sample(5, &[7, 0x0E, 0x0D, 0xFF]));
        let view = attribute.inspect(WallOffset(0.0));
        assert_eq!(
            (view.headline.as_str(), view.unit.as_str()),
            ("33.42", "°C")
        );
        assert_eq!(view.fields[1].bytes, (1, 3));
        assert_eq!(view.format_note, "3 of 4 bytes used; the rest stays hex.");
        assert_eq!(view.history[0].bytes, "07 0E 0D FF");
    }
}
