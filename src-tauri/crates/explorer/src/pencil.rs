//! Draws the values of an attribute one after the other, out of sight, with the gaps between them: those
//! of a recording, and those that came since.

use decode::Format;
use radio::{AttrId, Timestamp};
use session::{Gap, Value};

use crate::attribute::{Attribute, Entry, Ink, Memory, Origin, draw};
use crate::device_time::DeviceTime;
use crate::scope::Track;

/// What is drawn of an attribute, and how.
pub(crate) struct So {
    pub(crate) drawing: u64,
    pub(crate) tracks: Vec<Track>,
    format: Format,
    /// By its device's time.
    pub(crate) by_device: bool,
}

impl So {
    pub(crate) fn of(attribute: &Attribute) -> Option<Self> {
        Self::of_memory(&attribute.memory())
    }

    pub(crate) fn of_memory(memory: &Memory) -> Option<Self> {
        Some(Self {
            drawing: memory.drawing,
            tracks: memory.tracks.clone(),
            format: memory.format.clone()?,
            by_device: memory.by_device && memory.device_time.is_some(),
        })
    }
}

/// Draws values with the gaps between them, out of sight until all are there.
pub(crate) struct Pencil<'a> {
    pub(crate) drafts: Vec<Track>,
    format: &'a Format,
    gaps: std::iter::Peekable<std::vec::IntoIter<Gap>>,
    /// The device's clock, if its time is drawn.
    time: Option<(DeviceTime, plot::InOrder)>,
    /// When the last value came.
    previous: Option<Timestamp>,
    /// Which attribute the last recorded value is of: each connection has its own.
    generation: Option<AttrId>,
    /// When the session began.
    start: i64,
}

impl<'a> Pencil<'a> {
    /// For values and gaps of a session that began at `start`, nanoseconds.
    pub(crate) fn new(so: &'a So, gaps: Vec<Gap>, start: i64) -> Self {
        let time = so.by_device.then(|| DeviceTime::of(&so.format)).flatten();
        Self {
            drafts: so.tracks.iter().map(Track::draft).collect(),
            format: &so.format,
            gaps: gaps.into_iter().peekable(),
            time: time.map(|time| (time, plot::InOrder::default())),
            previous: None,
            generation: None,
            start,
        }
    }

    /// Goes on with another session, that began at `start`.
    pub(crate) fn set_start(&mut self, start: i64) {
        self.start = start;
    }

    /// Goes on with the gaps of the recording as it is now.
    pub(crate) fn set_gaps(&mut self, gaps: Vec<Gap>) {
        self.gaps = gaps.into_iter().peekable();
        // Those up to the last value were drawn with it.
        let Some(drawn) = self.previous else { return };
        let drawn = drawn.nanos().saturating_sub(self.start);
        while self.gaps.next_if(|gap| gap.to.nanos() <= drawn).is_some() {}
    }

    /// When a value of the recording came or went, on the clock of the scope.
    pub(crate) fn at(&self, time: session::SessionTime) -> Timestamp {
        Timestamp(time.nanos().saturating_add(self.start))
    }

    /// Draws a value of the recording.
    pub(crate) fn draw_recorded(&mut self, value: &Value<'_>) {
        let Some(origin) = Origin::recorded(value.kind) else {
            return;
        };
        let now = self.at(value.at);
        // Between two connections there is no line, whoever ended the first.
        let other = |last: AttrId| last != value.attribute;
        if self.generation.replace(value.attribute).is_some_and(other)
            && let Some(previous) = self.previous
        {
            self.gap(previous, previous, plot::Cause::LinkDown, 0);
        }
        let (mut missing, mut cause) = (0_u32, plot::Cause::HostQueue);
        while let Some(gap) = self.gaps.next_if(|gap| gap.to <= value.at) {
            // Before the first value there is no line to break.
            if self.previous.is_none() {
                continue;
            }
            let (from, to) = (self.at(gap.from), self.at(gap.to));
            if gap.count == 0 || to < now {
                let count = u32::try_from(gap.count).unwrap_or(u32::MAX);
                self.gap(from, to, drawn_as(gap.cause), count);
            } else {
                missing = missing.saturating_add(u32::try_from(gap.count).unwrap_or(u32::MAX));
                cause = drawn_as(gap.cause);
            }
        }
        self.draw(&Ink {
            at: now,
            origin,
            missing,
            cause,
            stamp: None,
            bytes: value.bytes,
        });
    }

    /// Draws a value that is remembered; `outages` are the stretches before it and after the one before.
    pub(crate) fn draw_remembered(
        &mut self,
        entry: &Entry,
        outages: &mut std::iter::Peekable<impl Iterator<Item = (Timestamp, Timestamp)>>,
    ) {
        while let Some((from, to)) = outages.next_if(|(_, to)| *to <= entry.at) {
            self.gap(from, to, plot::Cause::LinkDown, 0);
        }
        self.draw(&entry.ink());
    }

    /// When the last value came that was drawn.
    pub(crate) fn previous(&self) -> Option<Timestamp> {
        self.previous
    }

    /// Breaks the line.
    pub(crate) fn gap(&mut self, from: Timestamp, to: Timestamp, cause: plot::Cause, count: u32) {
        for draft in &self.drafts {
            draft.gap(from, to, cause, count);
        }
        if let Some((time, _)) = &mut self.time {
            time.interrupted();
        }
    }

    fn draw(&mut self, ink: &Ink<'_>) {
        let stamp = match (&mut self.time, ink.origin) {
            (Some((time, _)), Origin::Pushed(_)) => {
                time.take(ink.at, self.format, ink.bytes, ink.missing)
            }
            _ => None,
        };
        let axis = self.time.as_mut().map(|(time, order)| (&*time, order));
        let ink = Ink { stamp, ..*ink };
        draw(self.format, &self.drafts, axis, &ink, self.previous);
        if !matches!(ink.origin, Origin::Write) {
            self.previous = Some(ink.at);
        }
    }

    /// Shows what was drawn, unless it is to be drawn otherwise by now.
    pub(crate) fn show(self, attribute: &Attribute, so: &So) {
        self.show_in(&mut attribute.memory(), so);
    }

    /// The same for who holds what is remembered. Says whether it is shown.
    pub(crate) fn show_in(mut self, memory: &mut Memory, so: &So) -> bool {
        if memory.drawing != so.drawing {
            return false;
        }
        // The link is down still.
        if let Some(down) = memory.down_since() {
            self.gap(down, down, plot::Cause::LinkDown, 0);
        }
        for (track, draft) in so.tracks.iter().zip(self.drafts) {
            track.take_over(draft);
        }
        if let Some((time, order)) = self.time {
            memory.take_over_time(time, order);
        }
        true
    }
}

fn drawn_as(cause: session::Cause) -> plot::Cause {
    match cause {
        session::Cause::DeviceSequence => plot::Cause::DeviceSequence,
        session::Cause::HostQueue => plot::Cause::HostQueue,
        session::Cause::Gattscope => plot::Cause::Gattscope,
        session::Cause::LinkDown => plot::Cause::LinkDown,
    }
}
