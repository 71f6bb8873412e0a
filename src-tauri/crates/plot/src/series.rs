//! One series: samples as they came, a pyramid over them, and the gaps between them.

use std::collections::VecDeque;

use crate::pyramid::{FAN, Pyramid, Run, width};

/// Samples that are kept one by one: nine minutes at 2,000 a second, 16 MiB.
const RAW: usize = 1 << 20;
/// Gaps that are kept.
const GAPS: usize = 1 << 14;

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

/// Points to draw, reused from frame to frame. A y that is not a number breaks the line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// Times, nanoseconds.
    pub xs: Vec<i64>,
    /// Values.
    pub ys: Vec<f64>,
}

impl Window {
    fn clear(&mut self) {
        self.xs.clear();
        self.ys.clear();
    }

    fn push(&mut self, x: i64, y: f64) {
        self.xs.push(x);
        self.ys.push(y);
    }

    fn break_at(&mut self, x: i64) {
        if self.ys.last().is_some_and(|y| !y.is_nan()) {
            self.push(x, f64::NAN);
        }
    }
}

/// Numbers of a range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// How many samples are numbers.
    pub count: u64,
    /// The smallest.
    pub min: Option<f64>,
    /// The mean.
    pub mean: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// Samples per second, between the first and the last of the range.
    pub rate: Option<f64>,
    /// How many are known to be missing.
    pub lost: u64,
}

/// Numbers over time, in the order in which they came.
#[derive(Debug, Default)]
pub struct Series {
    raw: VecDeque<(i64, f64)>,
    /// Number of the first sample in `raw`.
    first: u64,
    pyramid: Pyramid,
    /// Gaps, each with the number of the sample after it.
    gaps: VecDeque<(u64, Gap)>,
    lost: u64,
    /// Samples that came with a time before the last one; they were moved to it.
    clamped: u64,
}

impl Series {
    /// Takes a sample. A time before the last one is taken for the last one and counted; a value
    /// that is not a number breaks the line.
    pub fn push(&mut self, at: i64, value: f64) {
        let at = match self.raw.back() {
            Some((last, _)) if *last > at => {
                self.clamped += 1;
                *last
            }
            _ => at,
        };
        if let Some((next, gap)) = self.gaps.back_mut()
            && gap.to == i64::MAX
            && *next == self.first + self.raw.len() as u64
        {
            gap.to = at;
        }
        if self.raw.len() == RAW {
            self.raw.pop_front();
            self.first += 1;
        }
        self.raw.push_back((at, value));
        self.pyramid.push(Run::one(at, value));
    }

    /// Breaks the line before the next sample. A link that is down stays down until that comes.
    pub fn gap(&mut self, gap: Gap) {
        let to = if gap.cause == Cause::LinkDown { i64::MAX } else { gap.to };
        self.lost += gap.count;
        if self.gaps.len() == GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back((self.len(), Gap { to, ..gap }));
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

    /// The newest sample.
    #[must_use]
    pub fn last(&self) -> Option<(i64, f64)> {
        self.raw.back().copied()
    }

    /// The gaps that touch a range; one that has not ended ends with the range.
    pub fn gaps(&self, from: i64, to: i64) -> impl Iterator<Item = Gap> + '_ {
        self.gaps
            .iter()
            .map(|(_, gap)| *gap)
            .filter(move |gap| gap.from <= to && gap.to >= from)
            .map(move |gap| Gap { to: if gap.to == i64::MAX { to.max(gap.from) } else { gap.to }, ..gap })
    }

    /// Fills `window` with what a plot of `pixels` columns shows of the range `from..=to`: every
    /// sample where there are at most two for each column, else the smallest and the largest of each
    /// column, at the times at which they came. One sample beyond each end comes along, so that lines
    /// reach the border. Columns stand at multiples of their width, so that a picture that scrolls
    /// does not shimmer.
    ///
    /// A gap breaks the line, unless it is narrower than a column that holds several samples: nobody
    /// could see it, and [`gaps`](Self::gaps) still has it.
    pub fn window(&self, from: i64, to: i64, pixels: usize, window: &mut Window) {
        window.clear();
        if to < from || self.is_empty() {
            return;
        }
        let pixels = pixels.max(1) as u64;
        let first = self.index_at(from).saturating_sub(1);
        let end = (self.index_after(to) + 1).min(self.len());
        let count = end.saturating_sub(first);
        let mut breaks = Breaks::new(&self.gaps, first, 0);
        if first >= self.first && count <= 2 * pixels {
            for index in first..end {
                let (at, value) = self.raw[self.offset(index)];
                if breaks.before(index) || !value.is_finite() {
                    window.break_at(at);
                }
                if value.is_finite() {
                    window.push(at, value);
                }
            }
            return;
        }
        let column = u64::try_from(to.saturating_sub(from)).unwrap_or(u64::MAX).div_ceil(pixels).max(1);
        let column = i64::try_from(column).unwrap_or(i64::MAX);
        let mut breaks = Breaks::new(&self.gaps, first, column);
        let walls = breaks.clone();
        let mut open: Option<(i64, Run)> = None;
        self.runs(first, end, count / pixels, &walls, |index, run| {
            let broken = breaks.before(index) || run.count == 0;
            let place = run.start.div_euclid(column);
            match &mut open {
                Some((last, joined)) if *last == place && !broken => joined.join(run),
                _ => {
                    if let Some((_, full)) = open.take() {
                        emit(window, &full);
                    }
                    if broken {
                        window.break_at(run.start);
                    }
                    if run.count > 0 {
                        open = Some((place, *run));
                    }
                }
            }
        });
        if let Some((_, full)) = open {
            emit(window, &full);
        }
    }

    /// Numbers of the range `from..=to`. They are exact as far back as samples are kept one by one
    /// (2²⁰ of them); before that, the samples of a bucket count as a whole.
    #[must_use]
    pub fn statistics(&self, from: i64, to: i64) -> Statistics {
        let mut all: Option<Run> = None;
        let mut ends = None;
        if from <= to {
            let end = self.index_after(to);
            self.runs(self.index_at(from), end, 0, &Breaks::default(), |_, run| {
                if run.start > to || run.end < from {
                    return;
                }
                ends = Some((ends.map_or(run.start, |(start, _)| start), run.end));
                match &mut all {
                    Some(all) => all.join(run),
                    None => all = Some(*run),
                }
            });
        }
        let lost = self.gaps(from, to).map(|gap| gap.count).sum();
        let Some(all) = all.filter(|all| all.count > 0) else {
            return Statistics { lost, ..Statistics::default() };
        };
        let seconds = ends.map_or(0.0, |(start, end)| (end - start) as f64 / 1e9);
        Statistics {
            count: all.count,
            min: Some(all.min),
            mean: Some(all.sum / all.count as f64),
            max: Some(all.max),
            rate: (all.count > 1 && seconds > 0.0).then(|| (all.count - 1) as f64 / seconds),
            lost,
        }
    }

    /// The last number not after `at`; of what is no longer kept one by one, the last of its bucket.
    #[must_use]
    pub fn value_at(&self, at: i64) -> Option<f64> {
        let value = if self.recent(at) {
            let after = self.raw.partition_point(|(time, _)| *time <= at);
            self.raw.get(after.checked_sub(1)?)?.1
        } else {
            self.long_ago(at)?.1.last
        };
        value.is_finite().then_some(value)
    }

    /// Hands the samples `first..end` to `visit`, each run with the number of its first sample:
    /// summed up in buckets of at most about `coarse` samples, in finer ones where a bucket does not
    /// fit, in coarser ones where the finer are no longer kept.
    /// No bucket reaches over a wall, as far as finer ones are kept.
    fn runs(
        &self,
        first: u64,
        end: u64,
        coarse: u64,
        walls: &Breaks,
        mut visit: impl FnMut(u64, &Run),
    ) {
        // A bucket sixteen times finer than a column: its edge is off by a sixteenth of a pixel.
        let finest = (0..self.pyramid.levels()).rev().find(|level| width(*level) <= coarse / FAN * 2);
        let mut index = first;
        while index < end {
            let fitting = finest.into_iter().flat_map(|finest| (0..=finest).rev()).find_map(|level| {
                let width = width(level);
                let aligned = index.is_multiple_of(width)
                    && index + width <= end
                    && !walls.within(index, index + width);
                let run = if aligned { self.pyramid.bucket(level, index) } else { None };
                run.map(|run| (level, run))
            });
            if let Some((level, run)) = fitting {
                visit(index, run);
                index += width(level);
            } else if index >= self.first {
                let (at, value) = self.raw[self.offset(index)];
                visit(index, &Run::one(at, value));
                index += 1;
            } else if let Some((level, run)) = (0..self.pyramid.levels())
                .find_map(|level| self.pyramid.bucket(level, index).map(|run| (level, run)))
            {
                visit(index, run);
                index = (index / width(level) + 1) * width(level);
            } else {
                // Too long ago for every level.
                index = self.first;
            }
        }
    }

    fn offset(&self, index: u64) -> usize {
        usize::try_from(index.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// Whether samples of that time are kept one by one.
    fn recent(&self, at: i64) -> bool {
        self.first == 0 || self.raw.front().is_none_or(|(first, _)| *first <= at)
    }

    /// The finest bucket of a time of which samples are no longer kept, and its samples.
    fn long_ago(&self, at: i64) -> Option<(std::ops::Range<u64>, &Run)> {
        (0..self.pyramid.levels()).find_map(|level| {
            let first = self.pyramid.find(level, at)?;
            let run = self.pyramid.bucket(level, first)?;
            Some((first..first + width(level), run))
        })
    }

    /// The number of the first sample at or after `at`, as exactly as it is known.
    fn index_at(&self, at: i64) -> u64 {
        if self.recent(at) {
            self.first + self.raw.partition_point(|(time, _)| *time < at) as u64
        } else {
            self.long_ago(at).map_or(self.first, |(samples, _)| samples.start.min(self.first))
        }
    }

    /// The number of the first sample after `at`, as exactly as it is known.
    fn index_after(&self, at: i64) -> u64 {
        if self.recent(at) {
            self.first + self.raw.partition_point(|(time, _)| *time <= at) as u64
        } else {
            self.long_ago(at).map_or(self.first, |(samples, _)| samples.end)
        }
    }
}

/// The numbers of samples before which a line breaks, for somebody who goes along the samples.
#[derive(Clone, Default)]
struct Breaks {
    at: Vec<u64>,
    next: usize,
}

impl Breaks {
    /// The gaps after the sample `first` that last at least `shortest`.
    fn new(gaps: &VecDeque<(u64, Gap)>, first: u64, shortest: i64) -> Self {
        let after = gaps.partition_point(|(index, _)| *index <= first);
        let wide = |gap: &Gap| gap.to.saturating_sub(gap.from) >= shortest;
        let at = gaps.range(after..).filter(|(_, gap)| wide(gap)).map(|(index, _)| *index).collect();
        Self { at, next: 0 }
    }

    /// Whether the line breaks between the last sample that was asked for and this one.
    fn before(&mut self, index: u64) -> bool {
        let start = self.next;
        while self.at.get(self.next).is_some_and(|at| *at <= index) {
            self.next += 1;
        }
        self.next > start
    }

    /// Whether the line breaks inside a run of samples.
    fn within(&self, first: u64, end: u64) -> bool {
        self.at.get(self.at.partition_point(|at| *at <= first)).is_some_and(|at| *at < end)
    }
}

fn emit(window: &mut Window, run: &Run) {
    let (low, high) = ((run.min_at, run.min), (run.max_at, run.max));
    if low == high {
        return window.push(low.0, low.1);
    }
    let (one, two) = if run.min_at <= run.max_at { (low, high) } else { (high, low) };
    window.push(one.0, one.1);
    window.push(two.0, two.1);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gap(at: i64, count: u64) -> Gap {
        Gap { from: at, to: at + 1, cause: Cause::DeviceSequence, count }
    }

    fn filled(values: &[f64]) -> Series {
        let mut series = Series::default();
        for (at, value) in values.iter().enumerate() {
            series.push(at as i64, *value);
        }
        series
    }

    #[test]
    fn few_samples_are_drawn_exactly_with_a_neighbour_on_each_side() {
        let series = filled(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        let mut window = Window::default();
        series.window(1, 3, 100, &mut window);
        assert_eq!(window.xs, [0, 1, 2, 3, 4]);
        assert_eq!(window.ys, [1.0, 2.0, 3.0, 4.0, 5.0]);
        series.window(2, 2, 100, &mut window);
        assert_eq!(window.xs, [1, 2, 3]);
        series.window(9, 3, 100, &mut window);
        assert!(window.xs.is_empty());
    }

    #[test]
    fn a_line_breaks_at_a_gap_and_at_what_is_no_number() {
        let mut series = filled(&[1.0, 2.0]);
        series.gap(gap(1, 3));
        series.push(2, 3.0);
        series.push(3, f64::INFINITY);
        series.push(4, 5.0);
        let mut window = Window::default();
        series.window(0, 4, 100, &mut window);
        let breaks: Vec<_> = window.ys.iter().map(|y| y.is_nan()).collect();
        assert_eq!(breaks, [false, false, true, false, true, false]);
        assert_eq!((series.lost(), series.statistics(0, 4).lost), (3, 3));
        assert_eq!(series.statistics(0, 4).count, 4);
    }

    #[test]
    fn a_link_is_down_until_the_next_sample() {
        let mut series = filled(&[1.0]);
        series.gap(Gap { from: 5, to: 5, cause: Cause::LinkDown, count: 0 });
        assert_eq!(series.gaps(0, 100).next().unwrap().to, 100);
        series.push(50, 2.0);
        assert_eq!(series.gaps(0, 100).next().unwrap().to, 50);
        assert_eq!(series.gaps(60, 100).count(), 0);
    }

    #[test]
    fn time_never_goes_backwards() {
        let mut series = Series::default();
        series.push(10, 1.0);
        series.push(5, 2.0);
        assert_eq!((series.last(), series.clamped()), (Some((10, 2.0)), 1));
    }

    #[test]
    fn memory_is_bounded_and_what_is_long_ago_is_still_drawn() {
        let mut series = Series::default();
        let total = 3 * RAW as i64;
        for n in 0..total {
            series.push(n, if n == 1000 { 99.0 } else { (n % 7) as f64 });
        }
        assert_eq!(series.raw.len(), RAW);
        let mut window = Window::default();
        series.window(0, total, 500, &mut window);
        assert!(window.xs.len() <= 2 * 503, "{}", window.xs.len());
        assert!(window.ys.contains(&99.0), "the spike of long ago");
        let all = series.statistics(0, total);
        assert_eq!((all.count, all.max, all.min), (total as u64, Some(99.0), Some(0.0)));
        assert!(series.value_at(20).is_some());
    }

    proptest! {
        #[test]
        fn decimation_loses_no_extreme_and_no_point_is_made_up(
            values in prop::collection::vec(-1e6..1e6, 1..3000),
            from in 0_i64..3000, span in 1_i64..3000, pixels in 1_usize..200,
        ) {
            let series = filled(&values);
            let (from, to) = (from, from + span);
            let mut window = Window::default();
            series.window(from, to, pixels, &mut window);
            prop_assert!(window.xs.is_sorted());
            prop_assert!(window.xs.len() <= 2 * (pixels + 3));
            for (x, y) in window.xs.iter().zip(&window.ys) {
                prop_assert_eq!(values[*x as usize], *y);
            }
            let inside: Vec<f64> = values.iter().enumerate()
                .filter(|(at, _)| (from..=to).contains(&(*at as i64))).map(|(_, v)| *v).collect();
            for extreme in [inside.iter().copied().reduce(f64::min), inside.iter().copied().reduce(f64::max)]
                .into_iter().flatten()
            {
                prop_assert!(
                    window.ys.contains(&extreme)
                    // A neighbour beyond the edge may hide it within its column.
                    || window.ys.iter().any(|y| *y < extreme) && window.ys.iter().any(|y| *y > extreme)
                );
            }
        }

        #[test]
        fn statistics_equal_counting_by_hand(
            values in prop::collection::vec(-1e6..1e6, 1..2000),
            from in 0_i64..2000, span in 0_i64..2000,
        ) {
            let series = filled(&values);
            let inside: Vec<f64> = values.iter().enumerate()
                .filter(|(at, _)| (from..=from + span).contains(&(*at as i64))).map(|(_, v)| *v).collect();
            let numbers = series.statistics(from, from + span);
            prop_assert_eq!(numbers.count, inside.len() as u64);
            prop_assert_eq!(numbers.min, inside.iter().copied().reduce(f64::min));
            prop_assert_eq!(numbers.max, inside.iter().copied().reduce(f64::max));
            if let Some(mean) = numbers.mean {
                prop_assert!((mean - inside.iter().sum::<f64>() / inside.len() as f64).abs() < 1e-6);
            }
        }

        #[test]
        fn no_line_crosses_a_gap(
            runs in prop::collection::vec(1_usize..400, 1..20), finer in 1_usize..4,
        ) {
            const GAP: i64 = 50;
            let mut series = Series::default();
            let mut at = 0_i64;
            // Each run of samples has its own value, and the gap after it is as wide as a column.
            for (run, length) in runs.iter().enumerate() {
                for _ in 0..*length {
                    series.push(at, run as f64);
                    at += 1;
                }
                series.gap(Gap { from: at - 1, to: at + GAP, cause: Cause::DeviceSequence, count: 1 });
                at += GAP;
            }
            let pixels = (at / GAP + 1) as usize * finer;
            let mut window = Window::default();
            series.window(0, at, pixels, &mut window);
            for pair in window.ys.windows(2) {
                prop_assert!(pair[0].is_nan() || pair[1].is_nan() || pair[0] == pair[1], "{:?}", window.ys);
            }
            prop_assert_eq!(window.ys.iter().filter(|y| y.is_nan()).count(), runs.len() - 1);
        }
    }
}
