//! The device's own time of a characteristic: where its format has one, where each value stands on it,
//! and what the window says of it.

use decode::Format;
use plot::{DeviceClock, InOrder, Moment, Tick};
use radio::Timestamp;

use crate::attribute::Memory;
use crate::device::WallOffset;
use crate::explorer::{Explorer, Inner};
use crate::gatt::id;
use crate::view::{DeviceTimeView, Problem, TimeAxisView};

/// A clock whose line had so many chances to settle, and did not, does not run as the format says.
const CHANCES: u64 = 4;
/// How far samples that are counted as they come may stay behind, nanoseconds: less than one of them,
/// or what is lost without a word would stay in the time.
const COUNTED_PATIENCE: f64 = 5e6;
/// An interval between two samples so much longer than the last ones has a loss in it.
const LOSS: f64 = 1.5;

/// Follows the device's clock through the values of one characteristic. Nothing is allocated for a
/// value.
#[derive(Debug)]
pub(crate) struct DeviceTime {
    source: Source,
    clock: DeviceClock,
    /// Of which columns a value can have several samples.
    repeating: Vec<bool>,
    /// Samples so far, where they are what is counted.
    counted: u64,
    /// The device's clock and the number of samples of the value before.
    before: Option<(Moment, usize)>,
    /// Ticks between two samples of a value, where the clock is a timestamp.
    spacing: f64,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    /// A timestamp, of the first sample.
    Clock(decode::Clock),
    /// A counter, one for each value.
    Counter(decode::Counter),
    /// Samples, counted as they come.
    Samples,
}

/// Where a value stands on the device's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    first: Moment,
    /// Ticks from one sample of the value to the next.
    spacing: f64,
}

/// Why a format offers no time of the device; none if it does.
pub(crate) fn off(format: Option<&Format>) -> Option<&'static str> {
    match format {
        None => Some(
            "Device time is off: no format says where the device's counter or clock is. Write a layout with !count, !ms or !us.",
        ),
        Some(Format::Layout(layout)) => (layout.clock().is_none()
            && layout.counter().is_none()
            && !layout.repeats())
        .then_some(
            "Device time is off: the layout has no counter (!count), no clock (!ms, !us) and no several samples ([]).",
        ),
        Some(_) => Some(
            "Device time is off: the standard format has no counter and no clock. Write a layout with !count, !ms or !us.",
        ),
    }
}

impl DeviceTime {
    /// The time that a format offers, if it does.
    pub(crate) fn of(format: &Format) -> Option<Self> {
        let Format::Layout(layout) = format else {
            return None;
        };
        let (source, clock) = if let Some(clock) = layout.clock() {
            let tick = Tick::Nanoseconds(clock.tick);
            (Source::Clock(clock), DeviceClock::new(clock.bits, tick))
        } else if let Some(counter) = layout.counter() {
            let clock = DeviceClock::new(counter.bits, Tick::Unknown);
            (Source::Counter(counter), clock)
        } else if layout.repeats() {
            let clock = DeviceClock::new(64, Tick::Unknown).with_patience(COUNTED_PATIENCE);
            (Source::Samples, clock)
        } else {
            return None;
        };
        let series = layout.series().into_iter();
        let repeating = series.map(|series| series.repeats).collect();
        Some(Self {
            source,
            clock,
            repeating,
            counted: 0,
            before: None,
            spacing: 0.0,
        })
    }

    /// Takes a value that came by itself. None if the device's time is not in it.
    pub(crate) fn take(
        &mut self,
        at: Timestamp,
        format: &Format,
        bytes: &[u8],
        lost_before: u32,
    ) -> Option<Stamp> {
        let samples = match format {
            Format::Layout(layout) => layout.samples(bytes),
            _ => 1,
        };
        let rest = (samples - 1) as f64;
        Some(match self.source {
            Source::Clock(clock) => {
                let ticks = clock.read(bytes)?;
                let first = self.clock.take(at.0, ticks, rest * self.spacing);
                if let Some((before, of)) = self.before.replace((first, samples)) {
                    self.space(first.since(before), of, lost_before);
                }
                Stamp {
                    first,
                    spacing: self.spacing,
                }
            }
            Source::Counter(counter) => {
                let last = self.clock.take(at.0, counter.read(bytes)?, 0.0);
                let spacing = f64::from(counter.step) / samples as f64;
                Stamp {
                    first: last.after(-rest * spacing),
                    spacing,
                }
            }
            Source::Samples => {
                let lost = u64::from(lost_before);
                self.counted += samples as u64 * (1 + lost);
                let last = self.clock.take(at.0, self.counted, 0.0);
                Stamp {
                    first: last.after(-rest),
                    spacing: 1.0,
                }
            }
        })
    }

    /// Learns how far samples are apart, from one value of `of` samples to the next.
    fn space(&mut self, ticks: Option<f64>, of: usize, lost_before: u32) {
        let Some(ticks) = ticks.filter(|ticks| *ticks > 0.0 && lost_before == 0) else {
            return;
        };
        let spacing = ticks / of as f64;
        // A loss that nobody knows of makes one interval long; a slower rate makes all of them so, and
        // is believed by and by.
        self.spacing = if self.spacing > 0.0 && spacing > LOSS * self.spacing {
            self.spacing * 1.1
        } else {
            spacing
        };
    }

    /// The connection was another one since the last value.
    pub(crate) fn interrupted(&mut self) {
        self.clock.interrupted();
        self.before = None;
    }

    /// When a sample of a value was taken, as far as it is known now.
    fn at(&self, stamp: Stamp, sample: usize) -> Option<i64> {
        self.clock
            .at(stamp.first.after(sample as f64 * stamp.spacing))
    }

    fn view(&self, wall: WallOffset) -> DeviceTimeView {
        let fit = self.clock.fit();
        let ms = |nanoseconds: i64| nanoseconds as f64 / 1e6;
        let known = matches!(self.source, Source::Clock(_));
        DeviceTimeView {
            source: match self.source {
                Source::Clock(_) => "clock",
                Source::Counter(_) => "counter",
                Source::Samples => "samples",
            }
            .into(),
            state: match fit {
                None => "settling",
                Some(fit) if fit.unsettled >= CHANCES => "misfit",
                Some(fit) if fit.unsettled > 0 => "settling",
                Some(_) => "settled",
            }
            .into(),
            since_ms: fit.map(|fit| wall.ms(Timestamp(fit.since))),
            drift_ppm: fit.and_then(|fit| fit.drift_ppm),
            drift_within_ppm: fit.filter(|_| known).and_then(|fit| fit.trust_ppm),
            rate: fit.filter(|_| !known).map(|fit| fit.rate),
            residual_ms: fit.map(|fit| ms(fit.residual.p95)),
            median_ms: fit.map(|fit| ms(fit.residual.median)),
            restarts: fit.map_or(0, |fit| fit.restarts),
        }
    }
}

/// Places the samples of one value after the other, on the device's time or on that of arrivals.
pub(crate) struct Placing<'a> {
    axis: Option<(&'a DeviceTime, &'a mut InOrder)>,
    stamp: Option<Stamp>,
    arrival: i64,
    first: i64,
    /// Which sample of the value it is, and when that was taken.
    sample: usize,
    now: i64,
    /// The column of its last number.
    last: Option<usize>,
}

impl<'a> Placing<'a> {
    pub(crate) fn new(
        mut axis: Option<(&'a DeviceTime, &'a mut InOrder)>,
        stamp: Option<Stamp>,
        arrival: Timestamp,
    ) -> Self {
        let arrival = arrival.0;
        let first = axis.as_mut().map_or(arrival, |(time, order)| {
            order.place(stamp.and_then(|stamp| time.at(stamp, 0)), arrival)
        });
        Self {
            axis,
            stamp,
            arrival,
            first,
            sample: 0,
            now: first,
            last: None,
        }
    }

    /// When the value was taken; of several samples, the first.
    pub(crate) fn first(&self) -> Timestamp {
        Timestamp(self.first)
    }

    /// When the next number of this column was taken.
    pub(crate) fn next(&mut self, column: usize) -> Timestamp {
        let Some((time, order)) = &mut self.axis else {
            return Timestamp(self.arrival);
        };
        if !time.repeating.get(column).is_some_and(|repeats| *repeats) {
            return Timestamp(self.first);
        }
        // The columns of one sample rise: one that does not begins the next sample.
        if self.last.replace(column).is_some_and(|last| column <= last) {
            self.sample += 1;
            let at = self.stamp.and_then(|stamp| time.at(stamp, self.sample));
            self.now = order.place(at, self.arrival);
        }
        Timestamp(self.now)
    }
}

impl Memory {
    /// What the window says of the device's time, where that is drawn.
    pub(crate) fn drawn_by_device(&self, wall: WallOffset) -> Option<DeviceTimeView> {
        let time = self.device_time.as_ref().filter(|_| self.by_device)?;
        (!self.tracks.is_empty()).then(|| time.view(wall))
    }
}

impl Inner {
    /// Whether values of this UUID are drawn on the device's time where their format has one.
    pub(crate) fn by_device(&self, uuid: uuid::Uuid) -> bool {
        self.preference(|preferences| preferences.device_time.contains(&uuid.to_string()))
    }

    /// What the inspector says of the time of an attribute's values.
    pub(crate) fn time_axis(&self, attribute: &crate::attribute::Attribute) -> TimeAxisView {
        let memory = attribute.memory();
        TimeAxisView {
            by_device: self.by_device(attribute.uuid) && memory.device_time.is_some(),
            off: off(memory.format.as_ref()).map(Into::into),
            device: memory.device_time.as_ref().map(|time| time.view(self.wall)),
        }
    }
}

impl Explorer {
    /// Draws the values of an attribute, and of every other of its UUID, by when they arrived
    /// (`arrival`) or by when the device says they were taken (`device`). The recording has both.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is no such axis, if the format has no time of the device, or if the
    /// attribute is of an earlier discovery.
    pub fn set_time_axis(&self, attribute: u64, axis: &str) -> Result<(), Problem> {
        let inner = &self.0;
        let (_, chosen) = inner.attribute(id(attribute)?)?;
        let uuid = chosen.uuid;
        let by_device = match axis {
            "arrival" => false,
            "device" => {
                if let Some(reason) = off(chosen.memory().format.as_ref()) {
                    return Err(Problem::new("no_device_time", reason, ""));
                }
                true
            }
            _ => return Err(Problem::new("input", "There is no such time axis.", "")),
        };
        inner.prefer(|preferences| {
            if by_device {
                preferences.device_time.insert(uuid.to_string());
            } else {
                preferences.device_time.remove(&uuid.to_string());
            }
        });
        for connection in inner.connections() {
            for attribute in connection.attributes().iter().filter(|a| a.uuid == uuid) {
                if inner.source.is_some() {
                    let mut memory = attribute.memory();
                    let tracks = std::mem::take(&mut memory.tracks);
                    memory.begin_recorded(tracks, by_device);
                    drop(memory);
                    inner.draw_recorded(attribute);
                } else {
                    inner.settle(&connection, attribute, None);
                    let mut memory = attribute.memory();
                    let tracks = std::mem::take(&mut memory.tracks);
                    memory.begin_drawing(tracks, by_device);
                    drop(memory);
                    inner.draw_all(attribute);
                }
            }
        }
        inner.tell_values(false);
        Ok(())
    }
}
