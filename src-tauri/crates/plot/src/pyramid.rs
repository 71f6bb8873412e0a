//! Samples summed up in buckets of sixteen, those in buckets of sixteen, and so on.
//!
//! Every level keeps a bounded number of buckets and lets the oldest go: what is long ago is known
//! coarsely, what is recent exactly, and memory stays where it is. Buckets are aligned to the number
//! of a sample, so that the bucket of a sample is found by arithmetic.
//!
//! A bucket knows where its line breaks relative to its extremes, so that drawing only the extremes
//! never joins what a gap separates, however many gaps there are and however long ago.

use std::collections::VecDeque;

/// Samples, or buckets of the level below, in a bucket.
pub(crate) const FAN: u64 = 16;
/// More levels than this nobody fills: 16^8 samples are 24 days at 2,000 a second, and
/// the last level keeps thousands of such buckets.
const LEVELS: usize = 8;

/// A run of consecutive samples, summed up. One sample is the smallest run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    /// Times of the first and the last sample, nanoseconds.
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Values of the first and the last sample, numbers or not.
    pub(crate) first: f64,
    pub(crate) last: f64,
    /// Samples that are numbers, and their sum.
    pub(crate) count: u64,
    pub(crate) sum: f64,
    /// The smallest and the largest, and when they came first; meaningless while `count` is zero.
    pub(crate) min: f64,
    pub(crate) min_at: i64,
    pub(crate) max: f64,
    pub(crate) max_at: i64,
    /// Samples known to be missing, directly before the first or inside.
    pub(crate) lost: u64,
    /// Whether the smallest came before the largest; times alone may be equal.
    pub(crate) rises: bool,
    /// Where the line breaks.
    pub(crate) breaks: Breaks,
}

/// Whether a line breaks in each part of a run, which its two extremes divide. What is directly
/// before the first sample belongs to the run; what follows the last one belongs to the next run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breaks {
    before_min: bool,
    after_min: bool,
    before_max: bool,
    after_max: bool,
    /// Between the two extremes.
    pub(crate) between: bool,
}

impl Breaks {
    fn any(self) -> bool {
        self.before_min || self.after_min
    }
}

impl Run {
    /// One sample. `before` says that the line breaks before it, and how many samples are missing.
    pub(crate) fn one(at: i64, value: f64, before: Option<u64>) -> Self {
        let finite = value.is_finite();
        let (before_it, after_it) = (before.is_some() || !finite, !finite);
        Self {
            start: at,
            end: at,
            first: value,
            last: value,
            count: u64::from(finite),
            sum: if finite { value } else { 0.0 },
            min: value,
            min_at: at,
            max: value,
            max_at: at,
            lost: before.unwrap_or(0),
            rises: true,
            breaks: Breaks {
                before_min: before_it,
                after_min: after_it,
                before_max: before_it,
                after_max: after_it,
                between: false,
            },
        }
    }

    /// This run with the one directly after it.
    pub(crate) fn join(&mut self, next: &Run) {
        let (a, b) = (self.breaks, next.breaks);
        self.end = next.end;
        self.last = next.last;
        self.lost = self.lost.saturating_add(next.lost);
        if next.count == 0 {
            (self.breaks.after_min, self.breaks.after_max) = (true, true);
            return;
        }
        let first_numbers = self.count == 0;
        let min = first_numbers || next.min < self.min;
        let max = first_numbers || next.max > self.max;
        self.breaks = Breaks {
            before_min: if min {
                a.any() || b.before_min
            } else {
                a.before_min
            },
            after_min: if min {
                b.after_min
            } else {
                a.after_min || b.any()
            },
            before_max: if max {
                a.any() || b.before_max
            } else {
                a.before_max
            },
            after_max: if max {
                b.after_max
            } else {
                a.after_max || b.any()
            },
            between: match (min, max) {
                (false, false) => a.between,
                (true, true) => b.between,
                (true, false) => a.after_max || b.before_min,
                (false, true) => a.after_min || b.before_max,
            },
        };
        self.rises = match (min, max) {
            (false, false) => self.rises,
            (true, true) => next.rises,
            (_, only_max) => only_max,
        };
        if min {
            (self.min, self.min_at) = (next.min, next.min_at);
        }
        if max {
            (self.max, self.max_at) = (next.max, next.max_at);
        }
        self.count += next.count;
        self.sum += next.sum;
    }

    /// Whether the line breaks before the extreme that comes first.
    pub(crate) fn breaks_before(&self) -> bool {
        self.breaks.before_min && self.breaks.before_max
    }

    /// Whether the line breaks after the extreme that comes last.
    pub(crate) fn breaks_after(&self) -> bool {
        self.breaks.after_min && self.breaks.after_max
    }
}

#[derive(Debug)]
pub(crate) struct Pyramid {
    levels: Vec<Level>,
    /// Buckets that a level keeps.
    kept: usize,
}

#[derive(Debug, Default)]
struct Level {
    /// Number of the first bucket that is kept.
    first: u64,
    runs: VecDeque<Run>,
    /// The bucket that is being filled, and with how many.
    open: Option<Run>,
    filled: u64,
}

/// How many samples a bucket of a level holds.
pub(crate) fn width(level: usize) -> u64 {
    FAN << (4 * level.min(LEVELS))
}

/// The coarsest level that has a bucket beginning with a sample, if any has.
fn coarsest(sample: u64) -> Option<usize> {
    (sample.trailing_zeros() as usize / 4).checked_sub(1)
}

impl Pyramid {
    /// An empty pyramid that keeps `kept` buckets of each level.
    pub(crate) fn new(kept: usize) -> Self {
        Self {
            levels: Vec::new(),
            kept,
        }
    }

    /// Takes the next sample.
    pub(crate) fn push(&mut self, sample: Run) {
        let mut run = sample;
        for index in 0..LEVELS {
            if self.levels.len() == index {
                self.levels.push(Level::default());
            }
            let level = &mut self.levels[index];
            match &mut level.open {
                Some(open) => open.join(&run),
                open => *open = Some(run),
            }
            level.filled += 1;
            if level.filled < FAN {
                return;
            }
            level.filled = 0;
            let Some(full) = level.open.take() else {
                return;
            };
            if level.runs.len() == self.kept {
                level.runs.pop_front();
                level.first += 1;
            }
            level.runs.push_back(full);
            run = full;
        }
    }

    /// The widest bucket that begins with a sample, ends before the sample `end` and lasts at most
    /// `longest` nanoseconds; with how many samples it holds.
    pub(crate) fn widest(&self, sample: u64, end: u64, longest: i64) -> Option<(u64, &Run)> {
        let coarsest = coarsest(sample)?.min(self.levels.len().checked_sub(1)?);
        (0..=coarsest).rev().find_map(|level| {
            if sample + width(level) > end {
                return None;
            }
            let run = self.bucket(level, sample)?;
            (run.end.saturating_sub(run.start) <= longest).then(|| (width(level), run))
        })
    }

    /// The finest bucket that holds a sample, and the number of the sample after the bucket.
    pub(crate) fn finest(&self, sample: u64) -> Option<(u64, &Run)> {
        (0..self.levels.len()).find_map(|level| {
            let run = self.bucket(level, sample)?;
            Some(((sample / width(level) + 1) * width(level), run))
        })
    }

    /// The complete bucket that holds a sample, if it is kept.
    fn bucket(&self, level: usize, sample: u64) -> Option<&Run> {
        let kept = self.levels.get(level)?;
        let index = (sample / width(level)).checked_sub(kept.first)?;
        kept.runs.get(usize::try_from(index).ok()?)
    }

    /// The finest level that reaches back before `at`, and how wide its buckets are.
    fn reaching(&self, at: i64) -> Option<(u64, &Level)> {
        let reaches = |level: &Level| {
            level.first == 0 || level.runs.front().is_some_and(|run| run.start < at)
        };
        let level = self.levels.iter().position(reaches)?;
        Some((width(level), &self.levels[level]))
    }

    /// The number of the first sample of the first bucket that ends at or after `at`.
    pub(crate) fn index_at(&self, at: i64) -> Option<u64> {
        let (width, level) = self.reaching(at)?;
        let index = level.runs.partition_point(|run| run.end < at);
        Some((level.first + index as u64) * width)
    }

    /// The number of the first sample of the first bucket that begins after `at`.
    pub(crate) fn index_after(&self, at: i64) -> Option<u64> {
        let (width, level) = self.reaching(at)?;
        let index = level.runs.partition_point(|run| run.start <= at);
        Some((level.first + index as u64) * width)
    }

    /// The latest bucket that does not begin after `at`.
    pub(crate) fn not_after(&self, at: i64) -> Option<&Run> {
        let (_, level) = self.reaching(at)?;
        let index = level.runs.partition_point(|run| run.start <= at);
        level.runs.get(index.checked_sub(1)?)
    }
}
