//! One series: samples as they came, a pyramid over them, and the gaps between them.

use std::collections::VecDeque;

use crate::pyramid::{FAN, Pyramid, Run};

/// Samples that are kept one by one unless told otherwise: nine minutes at 2,000 a second.
const RAW: usize = 1 << 20;
/// Buckets that each level of the pyramid keeps.
const BUCKETS: usize = 1 << 16;
/// Gaps that are kept one by one.
const GAPS: usize = 1 << 14;
/// A gap that has not ended ends then.
const OPEN: i64 = i64::MAX;

/// Why a line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The device's own counter skipped.
    DeviceSequence,
    /// The queue of the system or of a library overflowed.
    HostQueue,
    /// Gattscope could not keep up.
    Gattscope,
    /// The link was down.
    LinkDown,
}

/// A stretch without samples that is known to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the last sample before it came, nanoseconds.
    pub from: i64,
    /// When the first sample after it came, nanoseconds.
    pub to: i64,
    /// Why.
    pub cause: Cause,
    /// How many samples are missing, where it is known; else zero.
    pub count: u64,
}

/// Points to draw, reused from frame to frame. A y that is not a number breaks the line; a point
/// with a break on each side has no line and is a dot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// Times, nanoseconds, never decreasing.
    pub xs: Vec<i64>,
    /// Values, as many as times.
    pub ys: Vec<f64>,
}

/// Numbers of a range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// How many samples are numbers.
    pub count: u64,
    /// The smallest.
    pub min: Option<f64>,
    /// The mean; none if the numbers are too large to be added up.
    pub mean: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// Samples per second, between the first and the last of the range.
    pub rate: Option<f64>,
    /// How many are known to be missing.
    pub lost: u64,
    /// Time in nanoseconds and value of the first sample that was counted.
    pub first: Option<(i64, f64)>,
    /// Time in nanoseconds and value of the last sample that was counted.
    pub last: Option<(i64, f64)>,
}

/// Numbers over time, in the order in which they came.
///
/// Memory is bounded. The latest samples are kept one by one, 16 bytes each, with 24 bytes more for
/// one before which something is missing. Over all samples stands a pyramid of buckets of 96 bytes,
/// each over sixteen of the next finer: 6.4 bytes a sample, of which every level keeps its latest
/// 65,536 buckets, 6 MiB. An hour at 2,000 a second takes 25 MiB and a day 34 MiB; what is older than
/// nine minutes is then known in steps of 256 samples, what is older than two hours in steps of 4,096.
#[derive(Debug)]
pub struct Series {
    raw: VecDeque<(i64, f64)>,
    raw_capacity: usize,
    /// Number of the first sample in `raw`.
    first: u64,
    pyramid: Pyramid,
    /// Where the line breaks between samples that are kept one by one.
    breaks: VecDeque<Break>,
    /// What is missing before the sample that comes next.
    pending: Option<Break>,
    /// Gaps in order; only the last may be open.
    gaps: VecDeque<Gap>,
    forgotten: u64,
    lost: u64,
    clamped: u64,
    not_numbers: u64,
}

/// The line breaks before a sample.
#[derive(Clone, Copy, Debug)]
struct Break {
    /// Number of the sample.
    index: u64,
    /// When what is missing began, nanoseconds.
    from: i64,
    lost: u64,
}

impl Default for Series {
    fn default() -> Self {
        Self::with_raw_capacity(RAW)
    }
}

impl Series {
    /// An empty series that keeps the latest `samples` one by one, at least 256. The
    /// [default](Series::default) keeps 2²⁰.
    #[must_use]
    pub fn with_raw_capacity(samples: usize) -> Self {
        // What the samples cover, the buckets cover too: else a wide window would go one by one.
        let samples = samples.max((FAN * FAN) as usize);
        Self::sized(samples, BUCKETS.max(samples.div_ceil(FAN as usize)))
    }

    /// Keeps `samples` one by one and `buckets` of each level. Both are at least sixteen, or there
    /// would be samples that no complete bucket holds.
    fn sized(samples: usize, buckets: usize) -> Self {
        Self {
            raw: VecDeque::new(),
            raw_capacity: samples,
            first: 0,
            pyramid: Pyramid::new(buckets),
            breaks: VecDeque::new(),
            pending: None,
            gaps: VecDeque::new(),
            forgotten: 0,
            lost: 0,
            clamped: 0,
            not_numbers: 0,
        }
    }

    /// Takes a sample. A time before the last one is taken for the last one and counted; a value
    /// that is not a number breaks the line and is counted.
    pub fn push(&mut self, at: i64, value: f64) {
        let at = match self.raw.back() {
            Some((last, _)) if *last > at => {
                self.clamped += 1;
                *last
            }
            _ => at,
        };
        self.not_numbers += u64::from(!value.is_finite());
        if let Some(open) = self.gaps.back_mut().filter(|gap| gap.to == OPEN) {
            open.to = at.max(open.from);
        }
        if self.raw.len() == self.raw_capacity {
            self.raw.pop_front();
            self.first += 1;
            while self
                .breaks
                .front()
                .is_some_and(|before| before.index < self.first)
            {
                self.breaks.pop_front();
            }
        }
        let before = self.pending.take();
        self.breaks.extend(before);
        self.raw.push_back((at, value));
        self.pyramid
            .push(Run::one(at, value, before.map(|before| before.lost)));
    }

    /// Breaks the line before the next sample. A link that is down stays down until that comes.
    /// Gaps come in the order of time; one that begins before the last one began is taken to begin
    /// with it.
    pub fn gap(&mut self, gap: Gap) {
        self.lost = self.lost.saturating_add(gap.count);
        let index = self.len();
        match &mut self.pending {
            Some(before) => before.lost = before.lost.saturating_add(gap.count),
            none => {
                *none = Some(Break {
                    index,
                    from: gap.from,
                    lost: gap.count,
                })
            }
        }
        let mut gap = gap;
        if let Some(last) = self.gaps.back_mut() {
            gap.from = gap.from.max(last.from);
            if last.to == OPEN {
                let up = if gap.cause == Cause::LinkDown {
                    gap.from
                } else {
                    gap.to
                };
                last.to = up.max(last.from);
            }
            gap.to = gap.to.max(last.to);
        }
        gap.to = if gap.cause == Cause::LinkDown {
            OPEN
        } else {
            gap.to.max(gap.from)
        };
        if self.gaps.len() == GAPS {
            self.gaps.pop_front();
            self.forgotten += 1;
        }
        self.gaps.push_back(gap);
    }

    /// How many samples came.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.first + self.raw.len() as u64
    }

    /// Whether none came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many are known to be missing.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// How many came with a time before the last one.
    #[must_use]
    pub fn clamped(&self) -> u64 {
        self.clamped
    }

    /// How many were not numbers.
    #[must_use]
    pub fn not_numbers(&self) -> u64 {
        self.not_numbers
    }

    /// How many gaps are too long ago for [`gaps`](Self::gaps): it lists the latest 16,384. Lines
    /// break at the others too, and [`statistics`](Self::statistics) counts what they lost.
    #[must_use]
    pub fn gaps_forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The time from which on samples are kept one by one, nanoseconds; what is older is known by its
    /// extremes.
    #[must_use]
    pub fn one_by_one_since(&self) -> i64 {
        match self.raw.front() {
            Some((at, _)) if self.first > 0 => *at,
            _ => i64::MIN,
        }
    }

    /// The newest sample: its time in nanoseconds and its value.
    #[must_use]
    pub fn last(&self) -> Option<(i64, f64)> {
        self.raw.back().copied()
    }

    /// The gaps that touch a range, in order; one that has not ended ends with the range.
    pub fn gaps(&self, from: i64, to: i64) -> impl Iterator<Item = Gap> + '_ {
        let first = self.gaps.partition_point(|gap| gap.to < from);
        self.gaps
            .range(first..)
            .take_while(move |gap| gap.from <= to)
            .map(move |gap| Gap {
                to: if gap.to == OPEN {
                    to.max(gap.from)
                } else {
                    gap.to
                },
                ..*gap
            })
    }

    /// The gaps that touch a range as a plot of `pixels` columns can show them: those of one cause
    /// that are less than a column apart become one, with the sum of their counts. At most one for
    /// each column and cause, however many there are.
    pub fn gaps_seen(&self, from: i64, to: i64, pixels: usize, seen: &mut Vec<Gap>) {
        seen.clear();
        let column = column(from, to, pixels.max(1) as u64);
        for gap in self.gaps(from, to) {
            // Causes are four, so what can be joined is among the last four.
            let near = seen
                .iter_mut()
                .rev()
                .take(4)
                .find(|last| last.cause == gap.cause);
            match near.filter(|last| gap.from.saturating_sub(last.to) < column) {
                Some(last) => {
                    last.to = last.to.max(gap.to);
                    last.count = last.count.saturating_add(gap.count);
                }
                None => seen.push(gap),
            }
        }
    }

    /// Fills `window` with what a plot of `pixels` columns shows of the range `from..=to`: every
    /// sample where there are at most two for each column, else the smallest and the largest of each
    /// column, at the times at which they came. One point beyond each end comes along, so that lines
    /// reach the border. Columns stand at multiples of their width, so that a picture that scrolls
    /// does not shimmer.
    ///
    /// Between two points that a gap or a value that is not a number separates stands a break, at
    /// the time of the second, however narrow it is: no line crosses it. It takes time in proportion
    /// to `pixels`, not to the samples of the range.
    pub fn window(&self, from: i64, to: i64, pixels: usize, window: &mut Window) {
        window.xs.clear();
        window.ys.clear();
        if to < from || self.is_empty() {
            return;
        }
        let pixels = pixels.max(1) as u64;
        let start = self.index_at(from);
        let stop = self.index_after(to).max(start);
        let (first, end) = (start.saturating_sub(1), (stop + 1).min(self.len()));
        let mut pen = Pen { window, up: true };
        if first >= self.first && end - first <= 2 * pixels {
            self.each(first, end, |run| pen.draw(run));
            return;
        }
        let column = column(from, to, pixels);
        // The neighbours are drawn by themselves: they must not hide an extreme of the first column.
        let next = self.runs(first, start, column, |run| pen.draw(run));
        let mut open: Option<(i64, Run)> = None;
        let next = self.runs(next, stop, column / 2, |run| {
            let place = run.start.div_euclid(column);
            match &mut open {
                Some((last, joined)) if *last == place => joined.join(run),
                _ => {
                    if let Some((_, full)) = open.replace((place, *run)) {
                        pen.draw(&full);
                    }
                }
            }
        });
        if let Some((_, full)) = open {
            pen.draw(&full);
        }
        self.runs(next, end, column, |run| pen.draw(run));
    }

    /// Numbers of the range `from..=to`, ends included.
    ///
    /// They are exact for the samples from [`first`](Statistics::first) to
    /// [`last`](Statistics::last). Where samples are kept one by one these are the first and the last
    /// of the range; before that, a bucket that an end of the range cuts counts as a whole.
    /// Something that is missing counts when it touches the range.
    #[must_use]
    pub fn statistics(&self, from: i64, to: i64) -> Statistics {
        if to < from {
            return Statistics::default();
        }
        let start = self.index_at(from);
        let stop = self.index_after(to).max(start);
        let mut all: Option<Run> = None;
        let end = self.runs(start, stop, i64::MAX, |run| match &mut all {
            Some(all) => all.join(run),
            None => all = Some(*run),
        });
        // What is missing at the end of the range counts, though the sample after it is outside.
        let next = self
            .breaks
            .binary_search_by_key(&end, |before| before.index)
            .ok();
        let next = next.map_or(
            self.pending.filter(|pending| pending.index == end),
            |place| self.breaks.get(place).copied(),
        );
        let lost = next
            .filter(|next| next.from <= to)
            .map_or(0, |next| next.lost);
        let Some(all) = all else {
            return Statistics {
                lost,
                ..Statistics::default()
            };
        };
        let numbers = |number: f64| (all.count > 0).then_some(number);
        let mean = (all.sum / all.count as f64).clamp(all.min, all.max);
        let (samples, seconds) = (end - start, all.end.saturating_sub(all.start) as f64 / 1e9);
        Statistics {
            count: all.count,
            min: numbers(all.min),
            mean: numbers(mean).filter(|_| all.sum.is_finite()),
            max: numbers(all.max),
            rate: (samples > 1 && seconds > 0.0).then(|| (samples - 1) as f64 / seconds),
            lost: lost.saturating_add(all.lost),
            first: Some((all.start, all.first)),
            last: Some((all.end, all.last)),
        }
    }

    /// The last value not after `at`, if it is a number; of samples that are no longer kept one by
    /// one, the last that is known.
    #[must_use]
    pub fn value_at(&self, at: i64) -> Option<f64> {
        let value = if self.first == 0 || self.raw.front().is_some_and(|(first, _)| *first <= at) {
            let after = self.raw.partition_point(|(time, _)| *time <= at);
            self.raw.get(after.checked_sub(1)?)?.1
        } else {
            let run = self.pyramid.not_after(at)?;
            if run.end <= at {
                run.last
            } else {
                let extremes = [(run.min_at, run.min), (run.max_at, run.max)];
                let known = extremes
                    .into_iter()
                    .filter(|(time, _)| run.count > 0 && *time <= at);
                known
                    .fold((run.start, run.first), |last, next| {
                        if next.0 > last.0 { next } else { last }
                    })
                    .1
            }
        };
        value.is_finite().then_some(value)
    }

    /// Hands the samples `first..end` to `visit` in order: in the widest buckets of at most `longest`
    /// nanoseconds that fit, in coarser ones where the finer are no longer kept. Returns the number
    /// of the sample after the last one visited, which such a bucket may put after `end`.
    fn runs(&self, first: u64, end: u64, longest: i64, mut visit: impl FnMut(&Run)) -> u64 {
        let mut index = first;
        while index < end {
            if let Some((samples, run)) = self.pyramid.widest(index, end, longest) {
                visit(run);
                index += samples;
            } else if index >= self.first {
                let aligned = (index / FAN + 1) * FAN;
                let next = if index.is_multiple_of(FAN) {
                    aligned
                } else {
                    aligned.min(end)
                }
                .min(end);
                self.each(index, next, &mut visit);
                index = next;
            } else if let Some((next, run)) = self.pyramid.finest(index) {
                visit(run);
                index = next;
            } else {
                // Too long ago for every level.
                index = self.first;
            }
        }
        index
    }

    /// Hands samples that are kept one by one to `visit`.
    fn each(&self, first: u64, end: u64, mut visit: impl FnMut(&Run)) {
        let offset = |index: u64| {
            usize::try_from(index.saturating_sub(self.first))
                .map_or(self.raw.len(), |at| at.min(self.raw.len()))
        };
        let breaks = self.breaks.partition_point(|before| before.index < first);
        let mut breaks = self.breaks.range(breaks..).peekable();
        for (index, (at, value)) in (first..end).zip(self.raw.range(offset(first)..offset(end))) {
            let before = breaks.next_if(|before| before.index == index);
            visit(&Run::one(*at, *value, before.map(|before| before.lost)));
        }
    }

    /// Whether the samples of a time, and one before it, are kept one by one.
    fn recent(&self, at: i64) -> bool {
        self.first == 0 || self.raw.front().is_some_and(|(first, _)| *first < at)
    }

    /// The number of the first sample at or after `at`, as exactly as it is known.
    fn index_at(&self, at: i64) -> u64 {
        let recent = || self.first + self.raw.partition_point(|(time, _)| *time < at) as u64;
        if self.recent(at) {
            recent()
        } else {
            self.pyramid.index_at(at).unwrap_or_else(recent)
        }
    }

    /// The number of the first sample after `at`, as exactly as it is known.
    fn index_after(&self, at: i64) -> u64 {
        let recent = || self.first + self.raw.partition_point(|(time, _)| *time <= at) as u64;
        if self.recent(at) {
            recent()
        } else {
            self.pyramid.index_after(at).unwrap_or_else(recent)
        }
    }
}

/// Width of a column, nanoseconds.
fn column(from: i64, to: i64, pixels: u64) -> i64 {
    let span = to.abs_diff(from);
    i64::try_from(span.div_ceil(pixels).max(1)).unwrap_or(i64::MAX)
}

/// Draws runs as their extremes, and lifts where the line breaks.
struct Pen<'a> {
    window: &'a mut Window,
    /// The line breaks before the next point.
    up: bool,
}

impl Pen<'_> {
    fn draw(&mut self, run: &Run) {
        if run.count == 0 {
            self.up = true;
            return;
        }
        self.up |= run.breaks_before();
        let (low, high) = ((run.min_at, run.min), (run.max_at, run.max));
        let (one, two) = if run.rises { (low, high) } else { (high, low) };
        self.point(one);
        if one != two {
            self.up = run.breaks.between;
            self.point(two);
        }
        self.up = run.breaks_after();
    }

    fn point(&mut self, (x, y): (i64, f64)) {
        if self.up && !self.window.xs.is_empty() {
            self.window.xs.push(x);
            self.window.ys.push(f64::NAN);
        }
        self.window.xs.push(x);
        self.window.ys.push(y);
        self.up = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(values: &[f64]) -> Series {
        let mut series = Series::default();
        for (at, value) in values.iter().enumerate() {
            series.push(at as i64, *value);
        }
        series
    }

    fn window(series: &Series, from: i64, to: i64, pixels: usize) -> Window {
        let mut window = Window::default();
        series.window(from, to, pixels, &mut window);
        window
    }

    fn lost(from: i64, to: i64, count: u64) -> Gap {
        Gap {
            from,
            to,
            cause: Cause::DeviceSequence,
            count,
        }
    }

    fn link_down(at: i64) -> Gap {
        Gap {
            from: at,
            to: at,
            cause: Cause::LinkDown,
            count: 0,
        }
    }

    #[test]
    fn few_samples_are_drawn_exactly_with_a_neighbour_on_each_side() {
        let series = filled(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        let drawn = window(&series, 1, 3, 100);
        assert_eq!(drawn.xs, [0, 1, 2, 3, 4]);
        assert_eq!(drawn.ys, [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(window(&series, 2, 2, 100).xs, [1, 2, 3]);
        assert!(window(&series, 9, 3, 100).xs.is_empty());
        assert!(window(&Series::default(), 0, 9, 100).xs.is_empty());
    }

    #[test]
    fn a_line_goes_on_through_a_window_between_two_samples() {
        let mut series = filled(&[1.0]);
        series.push(100, 2.0);
        assert_eq!(window(&series, 40, 60, 10).xs, [0, 100]);
    }

    #[test]
    fn a_line_breaks_at_a_gap_and_at_what_is_no_number() {
        let mut series = filled(&[1.0, 2.0]);
        series.gap(lost(1, 2, 3));
        series.push(2, 3.0);
        series.push(3, f64::INFINITY);
        series.push(4, 5.0);
        let breaks: Vec<_> = window(&series, 0, 4, 100)
            .ys
            .iter()
            .map(|y| y.is_nan())
            .collect();
        assert_eq!(breaks, [false, false, true, false, true, false]);
        assert_eq!((series.lost(), series.statistics(0, 4).lost), (3, 3));
        assert_eq!(
            (series.statistics(0, 4).count, series.not_numbers()),
            (4, 1)
        );
        assert_eq!(series.value_at(3), None);
        assert_eq!((series.value_at(4), series.value_at(-1)), (Some(5.0), None));
    }

    #[test]
    fn what_is_missing_counts_where_it_touches_the_range() {
        let mut series = filled(&[1.0, 2.0]);
        series.gap(lost(1, 50, 7));
        assert_eq!(
            series.statistics(0, 30).lost,
            7,
            "before the next sample comes"
        );
        assert_eq!(series.statistics(0, 0).lost, 0);
        series.push(50, 3.0);
        for (from, to, lost) in [
            (0, 60, 7),
            (0, 10, 7),
            (10, 20, 7),
            (40, 60, 7),
            (0, 0, 0),
            (51, 60, 0),
        ] {
            assert_eq!(series.statistics(from, to).lost, lost, "{from} to {to}");
        }
    }

    #[test]
    fn a_link_is_down_until_the_next_sample() {
        let mut series = filled(&[1.0]);
        series.gap(link_down(5));
        assert_eq!(series.gaps(0, 100).next().unwrap().to, 100);
        series.push(50, 2.0);
        assert_eq!(series.gaps(0, 100).next().unwrap().to, 50);
        assert_eq!(series.gaps(60, 100).count(), 0);
    }

    #[test]
    fn a_link_that_is_down_twice_or_loses_samples_as_it_comes_back_does_not_stay_down() {
        let mut series = filled(&[1.0]);
        series.gap(link_down(5));
        series.gap(link_down(20));
        series.gap(lost(0, 50, 2));
        series.push(50, 2.0);
        let gaps: Vec<_> = series
            .gaps(0, 1000)
            .map(|gap| (gap.from, gap.to, gap.count))
            .collect();
        assert_eq!(gaps, [(5, 20, 0), (20, 50, 0), (20, 50, 2)]);
        assert!(window(&series, 0, 60, 100).ys[1].is_nan());
        assert_eq!(series.gaps(51, 1000).count(), 0);
    }

    #[test]
    fn time_never_goes_backwards() {
        let mut series = Series::default();
        series.push(10, 1.0);
        series.push(5, 2.0);
        assert_eq!((series.last(), series.clamped()), (Some((10, 2.0)), 1));
    }

    #[test]
    fn numbers_too_large_to_add_up_have_extremes_but_no_mean() {
        let series = filled(&[f64::MAX, f64::MAX, f64::MIN]);
        let numbers = series.statistics(0, 2);
        assert_eq!(
            (numbers.min, numbers.mean, numbers.max),
            (Some(f64::MIN), None, Some(f64::MAX))
        );
    }

    #[test]
    fn any_time_and_width_is_answered() {
        let mut series = filled(&[1.0, 2.0]);
        series.push(i64::MAX, 3.0);
        series.gap(lost(i64::MIN, i64::MIN, u64::MAX));
        series.gap(lost(i64::MAX, i64::MIN, u64::MAX));
        assert_eq!(series.lost(), u64::MAX);
        for (from, to) in [
            (i64::MIN, i64::MAX),
            (i64::MAX, i64::MAX),
            (i64::MIN, i64::MIN),
        ] {
            for pixels in [0, 1, usize::MAX / 4] {
                let drawn = window(&series, from, to, pixels);
                assert_eq!(drawn.xs.len(), drawn.ys.len());
                series.gaps_seen(from, to, pixels, &mut Vec::new());
                assert!(series.statistics(from, to).count <= 3);
            }
        }
    }

    #[test]
    fn gaps_closer_than_a_column_are_seen_as_one_with_the_sum_of_their_counts() {
        let mut series = filled(&[0.0]);
        for n in 1..=1000 {
            series.gap(lost(n * 10 - 10, n * 10, 2));
            series.push(n * 10, 0.0);
        }
        series.gap(link_down(10_000));
        let mut seen = Vec::new();
        series.gaps_seen(0, 20_000, 100, &mut seen);
        let seen: Vec<_> = seen
            .iter()
            .map(|gap| (gap.cause, gap.from, gap.to, gap.count))
            .collect();
        assert_eq!(
            seen,
            [
                (Cause::DeviceSequence, 0, 10_000, 2_000),
                (Cause::LinkDown, 10_000, 20_000, 0)
            ]
        );
    }

    #[test]
    fn more_gaps_than_are_listed_still_break_the_line_and_count() {
        let mut series = Series::with_raw_capacity(0);
        let total = 3 * GAPS as i64;
        for n in 0..total {
            series.gap(lost(n - 1, n, 1));
            series.push(n, n as f64);
        }
        assert_eq!(series.gaps(0, total).count(), GAPS);
        assert_eq!(series.gaps_forgotten(), 2 * GAPS as u64);
        assert_eq!(series.statistics(i64::MIN, i64::MAX).lost, total as u64);
        let drawn = window(&series, 0, total, 100);
        assert!(
            drawn
                .ys
                .windows(2)
                .all(|pair| pair[0].is_nan() || pair[1].is_nan()),
            "{:?}",
            drawn.ys
        );
        assert!(series.breaks.len() <= series.raw_capacity);
    }

    #[test]
    fn memory_is_bounded_and_what_is_long_ago_is_still_drawn() {
        let mut series = Series::default();
        let total = 3 * RAW as i64;
        for n in 0..total {
            series.push(n, if n == 1000 { 99.0 } else { (n % 7) as f64 });
        }
        assert_eq!(series.raw.len(), RAW);
        let bytes = (
            size_of::<(i64, f64)>(),
            size_of::<Break>(),
            size_of::<Run>(),
        );
        assert_eq!(bytes, (16, 24, 96), "as the documentation of Series says");
        let drawn = window(&series, 0, total, 500);
        assert!(drawn.xs.len() <= 2 * 503, "{}", drawn.xs.len());
        assert!(drawn.ys.contains(&99.0), "the spike of long ago");
        let all = series.statistics(0, total);
        assert_eq!(
            (all.count, all.max, all.min),
            (total as u64, Some(99.0), Some(0.0))
        );
        assert_eq!(
            (all.first, all.last.map(|last| last.0)),
            (Some((0, 0.0)), Some(total - 1))
        );
        assert_eq!(
            series.value_at(20),
            Some(6.0),
            "the largest of its bucket came at 6"
        );
    }

    /// What happened to a series, sample by sample, for counting by hand.
    #[derive(Debug)]
    struct Told {
        at: Vec<i64>,
        /// Whole numbers plus a fraction that is different for each.
        values: Vec<f64>,
        /// What is missing before each, if the line breaks there.
        before: Vec<Option<u64>>,
    }

    impl Told {
        fn tell(&self, series: &mut Series) {
            for (n, at) in self.at.iter().enumerate() {
                if let Some(count) = self.before[n] {
                    series.gap(lost(self.at[n.saturating_sub(1)], *at, count));
                }
                series.push(*at, self.values[n]);
            }
        }

        fn index(&self, value: f64) -> usize {
            self.values
                .iter()
                .position(|known| *known == value)
                .expect("a point was made up")
        }

        fn numbers(&self, from: i64, to: i64) -> Vec<f64> {
            let inside =
                |n: &usize| (from..=to).contains(&self.at[*n]) && self.values[*n].is_finite();
            (0..self.at.len())
                .filter(inside)
                .map(|n| self.values[n])
                .collect()
        }

        fn breaks_between(&self, one: usize, two: usize) -> bool {
            (one + 1..=two).any(|n| self.before[n].is_some() || !self.values[n].is_finite())
        }

        /// Whether `window` draws samples only, in their order, and breaks just where it should.
        fn check(&self, window: &Window) -> Result<(), TestCaseError> {
            prop_assert!(window.xs.is_sorted());
            let mut last: Option<usize> = None;
            let mut lifted = false;
            for (x, y) in window.xs.iter().zip(&window.ys) {
                if y.is_nan() {
                    prop_assert!(!lifted && last.is_some(), "one break is enough");
                    lifted = true;
                    continue;
                }
                let index = self.index(*y);
                prop_assert_eq!(self.at[index], *x);
                if let Some(last) = last {
                    prop_assert!(last < index);
                    prop_assert_eq!(
                        self.breaks_between(last, index),
                        lifted,
                        "{} to {}",
                        last,
                        index
                    );
                }
                (last, lifted) = (Some(index), false);
            }
            prop_assert!(!lifted, "a break separates two points");
            Ok(())
        }
    }

    /// Samples at steps of at least `step`, with gaps and values that are no numbers now and then.
    fn told(step: i64, most: usize) -> impl Strategy<Value = Told> {
        let quiet = prop_oneof![Just((2_u32, 1_u32)), Just((40, 40)), Just((0, 0))];
        let sample = (step..40_i64, -1000_i64..1000, 0_u32..1000, 0_u64..9);
        (quiet, prop::collection::vec(sample, 1..most)).prop_map(|((gaps, odd), samples)| {
            let mut told = Told {
                at: Vec::new(),
                values: Vec::new(),
                before: Vec::new(),
            };
            let mut at = 0;
            for (n, (step, value, chance, lost)) in samples.into_iter().enumerate() {
                at += step;
                told.at.push(at);
                let value = value as f64 + n as f64 / 1e6;
                told.values
                    .push(if chance < odd { f64::NAN } else { value });
                told.before.push((chance >= 1000 - gaps).then_some(lost));
            }
            told
        })
    }

    fn close(one: Option<f64>, two: Option<f64>) -> bool {
        one.zip(two)
            .map_or(one == two, |(one, two)| (one - two).abs() < 1e-6)
    }

    fn least(numbers: &[f64]) -> Option<f64> {
        numbers.iter().copied().reduce(f64::min)
    }

    fn most(numbers: &[f64]) -> Option<f64> {
        numbers.iter().copied().reduce(f64::max)
    }

    proptest! {
        #[test]
        fn a_window_loses_no_extreme_and_draws_nothing_across_a_break(
            told in told(0, 3000), from in -100_i64..60_000, span in 0_i64..60_000, pixels in 1_usize..300,
        ) {
            let mut series = Series::default();
            told.tell(&mut series);
            let to = from + span;
            let drawn = window(&series, from, to, pixels);
            told.check(&drawn)?;
            let finite: Vec<_> = drawn.xs.iter().zip(&drawn.ys).filter(|(_, y)| !y.is_nan()).collect();
            prop_assert!(finite.len() <= 2 * (pixels + 2) + 2, "{} points", finite.len());
            let inside: Vec<f64> =
                finite.iter().filter(|(x, _)| (from..=to).contains(*x)).map(|(_, y)| **y).collect();
            let numbers = told.numbers(from, to);
            prop_assert_eq!(least(&inside), least(&numbers));
            prop_assert_eq!(most(&inside), most(&numbers));
            if numbers.len() + 2 <= 2 * pixels && told.values.iter().all(|value| value.is_finite()) {
                prop_assert_eq!(inside, numbers, "few samples are drawn one by one");
            }
        }

        #[test]
        fn what_is_known_coarsely_loses_no_extreme_either(
            told in told(0, 6000), from in -100_i64..60_000, span in 0_i64..60_000, pixels in 1_usize..100,
        ) {
            let mut series = Series::sized(16, 16);
            told.tell(&mut series);
            let to = from + span;
            let drawn = window(&series, from, to, pixels);
            told.check(&drawn)?;
            let finite: Vec<f64> = drawn.ys.iter().copied().filter(|y| !y.is_nan()).collect();
            let numbers = told.numbers(from, to);
            if let Some((low, high)) = least(&numbers).zip(most(&numbers)) {
                prop_assert!(least(&finite).is_some_and(|y| y <= low) && most(&finite).is_some_and(|y| y >= high));
            }
        }

        #[test]
        fn statistics_equal_counting_by_hand(
            told in told(0, 2000), from in -100_i64..40_000, span in 0_i64..40_000,
        ) {
            let mut series = Series::default();
            told.tell(&mut series);
            let to = from + span;
            let found = series.statistics(from, to);
            let numbers = told.numbers(from, to);
            let inside: Vec<usize> =
                (0..told.at.len()).filter(|n| (from..=to).contains(&told.at[*n])).collect();
            prop_assert_eq!(found.count, numbers.len() as u64);
            prop_assert_eq!(found.min, least(&numbers));
            prop_assert_eq!(found.max, most(&numbers));
            let mean = (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64);
            prop_assert!(close(found.mean, mean));
            prop_assert_eq!(found.first.map(|first| first.0), inside.first().map(|n| told.at[*n]));
            prop_assert_eq!(found.last.map(|last| last.0), inside.last().map(|n| told.at[*n]));
            let seconds = inside.first().zip(inside.last()).map_or(0.0, |(one, two)| (told.at[*two] - told.at[*one]) as f64 / 1e9);
            let rate = (seconds > 0.0).then(|| (inside.len() - 1) as f64 / seconds);
            prop_assert_eq!(found.rate, rate);
            let touches = |n: &usize| {
                told.at[*n] >= from && told.at[n.saturating_sub(1)] <= to
                    && (told.at[*n] <= to || *n == 0 || told.at[n - 1] <= to)
            };
            let missing: u64 = (0..told.at.len()).filter(touches).filter_map(|n| told.before[n]).sum();
            prop_assert_eq!(found.lost, missing);
            let at = from + span / 2;
            let value = told.at.iter().rposition(|time| *time <= at).map(|n| told.values[n]);
            prop_assert_eq!(series.value_at(at), value.filter(|value| value.is_finite()));
        }

        #[test]
        fn statistics_of_long_ago_equal_counting_the_samples_they_name(
            told in told(1, 6000), from in -100_i64..60_000, span in 0_i64..60_000,
        ) {
            let mut series = Series::sized(16, 16);
            told.tell(&mut series);
            let to = from + span;
            let found = series.statistics(from, to);
            let asked = told.numbers(from, to);
            let (Some(first), Some(last)) = (found.first, found.last) else {
                prop_assert_eq!(asked.len(), 0);
                return Ok(());
            };
            let numbers = told.numbers(first.0, last.0);
            prop_assert!(numbers.len() >= asked.len());
            prop_assert_eq!(found.count, numbers.len() as u64);
            prop_assert_eq!((found.min, found.max), (least(&numbers), most(&numbers)));
            let all = series.statistics(i64::MIN, i64::MAX);
            prop_assert_eq!(all.lost, told.before.iter().flatten().sum::<u64>());
            prop_assert_eq!(all.count, told.numbers(i64::MIN, i64::MAX).len() as u64);
            let at = from + span / 2;
            if let Some(value) = series.value_at(at) {
                prop_assert!(told.at[told.index(value)] <= at, "a value from before");
            }
        }
    }
}
