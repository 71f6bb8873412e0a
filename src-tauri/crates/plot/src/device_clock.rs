//! A device's own clock, placed on the clock of arrivals.
//!
//! A value that carries the device's time (a timestamp, or a counter that runs with it) arrives later
//! than it was taken, by a delay that is never negative and never the same: it waits for a connection
//! event, is sent again, stands in a queue. Against the device's time, arrivals therefore lie on or
//! above a straight line, and the line is the two clocks: its slope the rate, its height the smallest
//! delay. A line through the middle (least squares) would follow the delays instead.
//!
//! The line is the highest one below every point that is nearest to them in sum: what S. B. Moon,
//! P. Skelly and D. Towsley, *Estimation and Removal of Clock Skew from Network Delay Measurements*
//! (INFOCOM 1999), find by linear programming. L. Zhang, Z. Liu and C. H. Xia, *Clock Synchronization
//! Algorithms for Network Measurements* (INFOCOM 2002), show that it is the edge of the points' lower
//! convex hull above their mean, and a hull is kept online, in few points.
//!
//! What it cannot know: the smallest delay itself, which is in every arrival; and a drift that hides
//! in a regular pattern of delays. Where values are due at nearly the same phase of each connection
//! interval, the smallest delay creeps through the interval within hours, and the line creeps with it.
//!
//! ```
//! use plot::{DeviceClock, Tick};
//!
//! // 32 bits of microseconds, 40 ppm fast; each value is late by up to 9 ms.
//! let mut clock = DeviceClock::new(32, Tick::Nanoseconds(1e3));
//! for n in 0..3_000_i64 {
//!     let device = (n as f64 * 10_000.4) as u64;
//!     clock.take(n * 10_000_000 + n * 7 % 10 * 1_000_000, device, 0.0);
//! }
//! let fit = clock.fit().unwrap();
//! assert!((fit.drift_ppm.unwrap() - 40.0).abs() < 1.0);
//! assert!((fit.residual.p95 as f64 - 9e6).abs() < 1e4);
//! ```

use std::collections::VecDeque;

/// A stretch of the fit; the line stands on this one and the one before it, five to ten minutes. A
/// crystal's rate changes with its temperature, and does so within minutes.
const STRETCH: i64 = 300 * SECOND;
/// A stretch has at least so many values, however slowly they come.
const STRETCH_VALUES: u64 = 64;
/// Corners of the hull of a stretch. Delays by chance give about the logarithm of the number of values.
const CORNERS: usize = 48;
/// Values of a stretch that the residual is worked out from.
const KEPT: usize = 256;
/// Lines of past stretches that are kept.
const PAST: usize = 256;
/// From then on the slope is fitted where the tick is known; before, drift is lost in the delays.
const SETTLED: (i64, u64) = (10 * SECOND, 32);
/// From then on it is where nothing is known of the tick.
const RATE_KNOWN: (i64, u64) = (2 * SECOND, 8);
/// How often the line is fitted anew while no value lies below it.
const FITTED_EVERY: i64 = SECOND / 10;
/// A known tick may be wrong by so much. It covers a clock that counts 1,024 to the second and says
/// milliseconds; what is beyond is another unit.
const PLAUSIBLE: f64 = 0.05;
/// A value that comes so much before all others could means that the device's clock was set.
const EARLY: i64 = SECOND / 10;
/// The same while the first, perhaps late, values are all that is known.
const EARLY_AT_FIRST: i64 = SECOND;
/// Nothing is this late: the device's clock was set back.
const LATEST: i64 = 10 * SECOND;
/// A clock that seems to stand behind for this long does.
const BEHIND_FOR: i64 = 5 * SECOND;
/// How far a counter must stand behind for that; it does when the device paused.
const BEHIND: f64 = 0.25e9;
/// How far a timestamp must.
const BEHIND_TIMESTAMP: f64 = 2e9;

const SECOND: i64 = 1_000_000_000;

/// How long a tick of a device's clock is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tick {
    /// By the device's word, so many nanoseconds.
    Nanoseconds(f64),
    /// A bare counter of packets or samples: how fast it runs is found out.
    Unknown,
}

/// Where a value stands on the device's clock; [`DeviceClock::at`] says when that was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    stretch: u64,
    segment: u64,
    ticks: f64,
}

impl Moment {
    /// Ticks since an earlier moment; none if nobody knows them, because of what was in between.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<f64> {
        (self.segment == earlier.segment).then_some(self.ticks - earlier.ticks)
    }

    /// So many ticks later.
    #[must_use]
    pub fn after(self, ticks: f64) -> Self {
        Self {
            ticks: self.ticks + ticks,
            ..self
        }
    }
}

/// How late values come, against the line, nanoseconds. The smallest delay counts as none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residual {
    /// Half of the values are not later.
    pub median: i64,
    /// 95 of 100 values are not later.
    pub p95: i64,
}

/// How a device's clock stands to that of arrivals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// When the first value arrived since the device's clock began or was set, nanoseconds.
    pub since: i64,
    /// How many values came since then.
    pub values: u64,
    /// How often the device's clock began anew or was set.
    pub restarts: u64,
    /// How many lines in a row could not settle, this one included: several mean that the clock does
    /// not run as it is said to.
    pub unsettled: u64,
    /// Ticks per second of the clock of arrivals.
    pub rate: f64,
    /// By how many parts in a million the device's clock is fast. None while that is not settled, and
    /// where nobody knows how fast it should be.
    pub drift_ppm: Option<f64>,
    /// By how many parts in a million the rate would differ if one of the two arrivals that the line
    /// rests on had not come: how far it is to be trusted. None while it is not settled.
    pub trust_ppm: Option<f64>,
    /// How late values come.
    pub residual: Residual,
}

#[derive(Clone, Copy, Debug, Default)]
struct Point {
    /// Ticks since the origin.
    x: f64,
    /// Nanoseconds since the origin.
    y: f64,
}

/// Arrival by ticks.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Where x and y begin, nanoseconds of the clock of arrivals.
    origin: i64,
    /// Nanoseconds per tick.
    slope: f64,
    /// Nanoseconds.
    offset: f64,
}

impl Line {
    fn y(&self, x: f64) -> f64 {
        self.slope * x + self.offset
    }
}

/// The lower convex hull of points whose x never falls.
#[derive(Clone, Debug)]
struct Hull<const N: usize> {
    corners: [Point; N],
    len: usize,
}

impl<const N: usize> Hull<N> {
    fn new() -> Self {
        Self {
            corners: [Point::default(); N],
            len: 0,
        }
    }

    fn corners(&self) -> &[Point] {
        &self.corners[..self.len]
    }

    fn add(&mut self, point: Point) {
        if let Some(last) = self.corners().last()
            && point.x <= last.x
        {
            if point.x < last.x || point.y >= last.y {
                return;
            }
            self.len -= 1;
        }
        while let [.., a, b] = self.corners()
            && height(*a, *b, point) <= 0.0
        {
            self.len -= 1;
        }
        if self.len == N {
            self.forget_one();
        }
        self.corners[self.len] = point;
        self.len += 1;
    }

    /// The slope of the edge above `x`, as it would be without one of the corners.
    fn slope_at(&self, x: f64, without: Option<usize>) -> Option<f64> {
        let mut before: Option<Point> = None;
        for (place, corner) in self.corners().iter().enumerate() {
            if Some(place) == without {
                continue;
            }
            if let Some(before) = before
                && corner.x >= x
            {
                return Some((corner.y - before.y) / (corner.x - before.x));
            }
            before = Some(*corner);
        }
        None
    }

    /// Lets go of the corner that stands out least.
    fn forget_one(&mut self) {
        let least = self
            .corners()
            .windows(3)
            .map(|three| height(three[0], three[1], three[2]))
            .enumerate()
            .min_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((before, _)) = least {
            self.corners.copy_within(before + 2..self.len, before + 1);
            self.len -= 1;
        }
    }
}

/// How far `b` lies below the line from `a` to `c`; negative above it.
fn height(a: Point, b: Point, c: Point) -> f64 {
    a.y + (c.y - a.y) * ((b.x - a.x) / (c.x - a.x)) - b.y
}

/// What is known of one stretch of time.
#[derive(Clone, Debug)]
struct Stretch {
    hull: Hull<CORNERS>,
    /// When its first value arrived.
    began: i64,
    values: u64,
    sum: f64,
    /// One of `stride` values, a power of two.
    kept: [Point; KEPT],
    kept_len: usize,
    stride: u64,
}

impl Stretch {
    fn new(began: i64) -> Self {
        Self {
            hull: Hull::new(),
            began,
            values: 0,
            sum: 0.0,
            kept: [Point::default(); KEPT],
            kept_len: 0,
            stride: 1,
        }
    }

    fn add(&mut self, point: Point) {
        self.hull.add(point);
        self.sum += point.x;
        // Chosen without a pattern of their own: delays often have one.
        let drawn = self.values.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        if drawn & (self.stride - 1) == 0 {
            if self.kept_len == KEPT {
                for place in 0..KEPT / 2 {
                    self.kept[place] = self.kept[2 * place];
                }
                self.kept_len = KEPT / 2;
                self.stride *= 2;
            }
            self.kept[self.kept_len] = point;
            self.kept_len += 1;
        }
        self.values += 1;
    }
}

/// How far behind the line the values of the last seconds stayed.
#[derive(Clone, Copy, Debug)]
struct Behind {
    since: i64,
    values: u64,
    least: f64,
}

/// Follows the clock of a device. Memory is bounded, about 20 kB, and nothing is allocated for a value.
///
/// Each stretch of five minutes has a line of its own, through the values of that stretch and of the
/// one before. A clock that goes back, or that runs ahead of what could be, began anew: from there on
/// is another line, with the rate that was known.
#[derive(Clone, Debug)]
pub struct DeviceClock {
    mask: u64,
    tick: Option<f64>,
    /// Nanoseconds per tick, as far as they are known.
    slope: Option<f64>,
    fitted: bool,
    line: Option<Line>,
    fitted_at: i64,
    origin: i64,
    /// State of the clock, as sent, and when that arrived.
    last: Option<(u64, i64)>,
    x: f64,
    /// Which line of ticks without a break this is, and its values.
    segment: u64,
    segment_values: u64,
    restarts: u64,
    unsettled: u64,
    stretch: u64,
    old: Option<Box<Stretch>>,
    new: Box<Stretch>,
    past: VecDeque<Option<Line>>,
    behind: Behind,
    patience: f64,
    /// By how much the line has been lowered in this stretch because values came too early for it.
    lowered: f64,
    /// How much the slope hangs on single arrivals, nanoseconds per tick.
    turn: Option<f64>,
}

impl DeviceClock {
    /// A clock of `bits` bits, 1 to 64, of which nothing was heard yet.
    #[must_use]
    pub fn new(bits: u32, tick: Tick) -> Self {
        let tick = match tick {
            Tick::Nanoseconds(tick) if tick.is_finite() && tick > 0.0 => Some(tick),
            _ => None,
        };
        Self {
            mask: u64::MAX >> (64 - bits.clamp(1, 64)),
            tick,
            slope: tick,
            fitted: false,
            line: None,
            fitted_at: 0,
            origin: 0,
            last: None,
            x: 0.0,
            segment: 0,
            segment_values: 0,
            restarts: 0,
            unsettled: 0,
            stretch: 0,
            old: None,
            new: Box::new(Stretch::new(0)),
            past: VecDeque::with_capacity(PAST),
            behind: Behind {
                since: 0,
                values: 0,
                least: f64::INFINITY,
            },
            patience: if tick.is_some() {
                BEHIND_TIMESTAMP
            } else {
                BEHIND
            },
            lowered: 0.0,
            turn: None,
        }
    }

    /// Takes a counter that stays so many nanoseconds behind for one that was set. One that is put
    /// together from what arrived falls behind with each loss that nobody tells of.
    #[must_use]
    pub fn with_patience(mut self, nanoseconds: f64) -> Self {
        self.patience = nanoseconds;
        self
    }

    /// Takes a value: when it arrived (nanoseconds, not before the last one) and what the device's
    /// clock said. `ahead` is how many ticks after that the newest part of the value was taken: it
    /// cannot have been sent before.
    ///
    /// Between two values the clock may wrap. How often it did is told by the time in between where a
    /// round takes longer than any delay; a quicker counter is taken to have gone round no further
    /// than it must.
    pub fn take(&mut self, arrival: i64, ticks: u64, ahead: f64) -> Moment {
        let ticks = ticks & self.mask;
        let step = self
            .last
            .map(|(before, came)| self.step(before, came, arrival, ticks, ahead));
        match step {
            Some(Some(step)) => self.x += step,
            Some(None) => {
                self.restarts += 1;
                self.begin(arrival);
            }
            None => self.begin(arrival),
        }
        let since = self
            .last
            .map_or(0.0, |(_, came)| arrival.saturating_sub(came) as f64);
        self.last = Some((ticks, arrival));
        let mut point = self.point(arrival, ahead);
        if self.stays_behind(arrival, point) {
            self.restarts += 1;
            self.begin(arrival);
            point = self.point(arrival, ahead);
        }
        let full =
            arrival.saturating_sub(self.new.began) >= STRETCH && self.new.values >= STRETCH_VALUES;
        if full {
            self.next_stretch(arrival);
        }
        self.new.add(point);
        self.segment_values += 1;
        let below = self
            .line
            .map_or(f64::INFINITY, |line| line.y(point.x) - point.y);
        if below.is_finite() {
            self.lowered += (below - self.drifted(since)).max(0.0);
        }
        if below > 0.0 || arrival.saturating_sub(self.fitted_at) >= FITTED_EVERY {
            self.fitted_at = arrival;
            self.adjust();
        }
        Moment {
            stretch: self.stretch,
            segment: self.segment,
            ticks: self.x,
        }
    }

    /// When a moment was, by the line of its stretch as it is known now: nanoseconds of the clock of
    /// arrivals, the smallest delay included. None while nothing is known of the rate, and when it is
    /// too long ago.
    #[must_use]
    pub fn at(&self, moment: Moment) -> Option<i64> {
        let line = match self.stretch.checked_sub(moment.stretch)? {
            0 => self.line,
            back => {
                let place = self.past.len().checked_sub(usize::try_from(back).ok()?)?;
                *self.past.get(place)?
            }
        }?;
        Some(line.origin.saturating_add(line.y(moment.ticks) as i64))
    }

    /// The connection was another one since the last value: what counts packets may start anywhere.
    /// The rate stays known.
    pub fn interrupted(&mut self) {
        if self.tick.is_none() && self.last.is_some() {
            self.last = None;
        }
    }

    /// How the clocks stand to each other, once anything is known of the rate.
    #[must_use]
    pub fn fit(&self) -> Option<Fit> {
        let line = self.line?;
        let mut late = [0_i64; 2 * KEPT];
        let mut len = 0;
        for stretch in self.old.iter().chain([&self.new]) {
            for point in &stretch.kept[..stretch.kept_len] {
                late[len] = (point.y - line.y(point.x)).max(0.0) as i64;
                len += 1;
            }
        }
        let late = &mut late[..len];
        late.sort_unstable();
        let share = |part: usize| late.get((len * part).div_ceil(100).max(1) - 1).copied();
        Some(Fit {
            since: self.origin,
            values: self.segment_values,
            restarts: self.restarts,
            unsettled: match self.fitted {
                true => 0,
                false => self.unsettled + 1,
            },
            rate: 1e9 / line.slope,
            drift_ppm: self
                .tick
                .filter(|_| self.fitted)
                .map(|tick| (tick / line.slope - 1.0) * 1e6),
            trust_ppm: self
                .turn
                .filter(|_| self.fitted)
                .map(|turn| turn / line.slope * 1e6),
            residual: Residual {
                median: share(50).unwrap_or(0),
                p95: share(95).unwrap_or(0),
            },
        })
    }

    fn point(&self, arrival: i64, ahead: f64) -> Point {
        Point {
            x: self.x + ahead.max(0.0),
            y: arrival.saturating_sub(self.origin) as f64,
        }
    }

    /// How many ticks went by since the last value; none if the clock was set in between.
    fn step(&self, before: u64, came: i64, arrival: i64, ticks: u64, ahead: f64) -> Option<f64> {
        let forward = ticks.wrapping_sub(before) & self.mask;
        let step = forward as f64;
        let Some(line) = self.line else {
            return (forward <= self.mask / 2).then_some(step);
        };
        let round = self.mask as f64 + 1.0;
        let point = self.point(arrival, ahead);
        // How late it is if the clock stood still, and so how far it may have run.
        let due = point.y - line.y(point.x);
        let gap = arrival.saturating_sub(came) as f64;
        let early = if self.fitted { EARLY } else { EARLY_AT_FIRST };
        let early = early as f64;
        // A counter has no half ticks; one of few bits has not much to tell early from late by.
        let early = match self.tick {
            Some(_) => early,
            None => early.max(2.0 * line.slope),
        }
        .min(round * line.slope / 4.0);
        let most = (due + early + self.drifted(gap) - self.lowered) / line.slope;
        if step > most {
            return None;
        }
        let late = due - step * line.slope;
        let latest = LATEST as f64;
        let step = if round * line.slope > latest || late > latest {
            step + ((most - step) / round).floor() * round
        } else {
            step
        };
        (due - step * line.slope <= latest).then_some(step)
    }

    /// By how much the clocks may have gone apart in so many nanoseconds, beyond what the line knows.
    fn drifted(&self, gap: f64) -> f64 {
        gap / if self.fitted { 1e3 } else { 1e2 }
    }

    /// Whether every value of some seconds came so late that the clock must have been set back.
    fn stays_behind(&mut self, arrival: i64, point: Point) -> bool {
        let Some(line) = self.line else { return false };
        self.behind.least = self.behind.least.min(point.y - line.y(point.x));
        self.behind.values += 1;
        if arrival.saturating_sub(self.behind.since) < BEHIND_FOR {
            return false;
        }
        let round = (self.mask as f64 + 1.0) * line.slope;
        let behind = self.behind.values >= 8 && self.behind.least > self.patience.min(round / 2.0);
        self.behind = Behind {
            since: arrival,
            values: 0,
            least: f64::INFINITY,
        };
        behind
    }

    /// From this value on the clock is another one.
    fn begin(&mut self, arrival: i64) {
        if self.segment_values > 0 {
            self.past();
            self.unsettled += 1;
        }
        if self.fitted {
            self.unsettled = 0;
        } else {
            // A rate that did not last long enough to be known is not the rate.
            self.slope = self.tick;
        }
        self.fitted = false;
        self.line = None;
        self.origin = arrival;
        self.x = 0.0;
        self.segment += 1;
        self.segment_values = 0;
        self.old = None;
        *self.new = Stretch::new(arrival);
        self.behind = Behind {
            since: arrival,
            values: 0,
            least: f64::INFINITY,
        };
    }

    fn next_stretch(&mut self, arrival: i64) {
        self.past();
        match &mut self.old {
            Some(old) => {
                std::mem::swap(old, &mut self.new);
                *self.new = Stretch::new(arrival);
            }
            none => {
                let full = std::mem::replace(&mut self.new, Box::new(Stretch::new(arrival)));
                *none = Some(full);
            }
        }
    }

    /// The line of this stretch stays as it is.
    fn past(&mut self) {
        self.adjust();
        if self.past.len() == PAST {
            self.past.pop_front();
        }
        self.past.push_back(self.line);
        self.stretch += 1;
        self.lowered = 0.0;
    }

    /// Fits the line to what is known.
    fn adjust(&mut self) {
        let old = self.old.as_deref();
        let mut hull = Hull::<{ 2 * CORNERS }>::new();
        for point in old.iter().flat_map(|old| old.hull.corners()) {
            hull.add(*point);
        }
        for point in self.new.hull.corners() {
            hull.add(*point);
        }
        let (Some(first), Some(last)) = (hull.corners().first(), hull.corners().last()) else {
            return;
        };
        let values = self.new.values + old.map_or(0, |old| old.values);
        let sum = self.new.sum + old.map_or(0.0, |old| old.sum);
        let (long, many) = self.tick.map_or(RATE_KNOWN, |_| SETTLED);
        if last.y - first.y >= long as f64 && values >= many {
            let mean = sum / values as f64;
            let slope = hull.slope_at(mean, None);
            let plausible = |slope: &f64| match self.tick {
                Some(tick) => (slope / tick - 1.0).abs() < PLAUSIBLE,
                None => slope.is_finite() && *slope > 0.0,
            };
            if let Some(slope) = slope.filter(plausible) {
                if !self.fitted {
                    self.lowered = 0.0;
                }
                self.slope = Some(slope);
                self.fitted = true;
                let end = hull.corners().partition_point(|corner| corner.x < mean);
                self.turn = [end.checked_sub(1), Some(end)]
                    .into_iter()
                    .map(|without| Some((hull.slope_at(mean, Some(without?))? - slope).abs()))
                    .try_fold(0.0, |most: f64, turn| Some(most.max(turn?)));
            }
        }
        let Some(slope) = self.slope else { return };
        let offset = hull
            .corners()
            .iter()
            .map(|corner| corner.y - slope * corner.x)
            .fold(f64::INFINITY, f64::min);
        self.line = Some(Line {
            origin: self.origin,
            slope,
            offset,
        });
    }
}

/// Hands out times in order: never before the last one, and, unless that came later, not after the
/// arrival. What has no time on the device's clock has that of its arrival.
#[derive(Clone, Copy, Debug, Default)]
pub struct InOrder {
    last: Option<i64>,
}

impl InOrder {
    /// The time at which a value is placed, nanoseconds.
    pub fn place(&mut self, time: Option<i64>, arrival: i64) -> i64 {
        let time = time.map_or(arrival, |time| time.min(arrival));
        let time = self.last.map_or(time, |last| time.max(last));
        self.last = Some(time);
        time
    }

    /// The time that was handed out last.
    #[must_use]
    pub fn last(&self) -> Option<i64> {
        self.last
    }
}

#[cfg(test)]
mod tests;
