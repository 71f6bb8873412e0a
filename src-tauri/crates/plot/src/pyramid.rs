//! Samples summed up in buckets of sixteen, those in buckets of sixteen, and so on.
//!
//! Every level keeps a bounded number of buckets and lets the oldest go: what is long ago is known
//! coarsely, what is recent exactly, and memory stays where it is. Buckets are aligned to the number
//! of a sample, so that the bucket of a sample is found by arithmetic.

use std::collections::VecDeque;

/// Samples, or buckets of the level below, in a bucket.
pub(crate) const FAN: u64 = 16;
/// Buckets that a level keeps.
const KEPT: usize = 1 << 16;
/// More levels than this nobody fills: 16^8 samples are 68 years at 2,000 a second.
const LEVELS: u32 = 8;

/// A run of consecutive samples, summed up. One sample is the smallest run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    /// Time of the first and the last sample.
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Samples that are numbers, and their sum.
    pub(crate) count: u64,
    pub(crate) sum: f64,
    /// The smallest and the largest, and when; meaningless while `count` is zero.
    pub(crate) min: f64,
    pub(crate) min_at: i64,
    pub(crate) max: f64,
    pub(crate) max_at: i64,
    /// The last number.
    pub(crate) last: f64,
}

impl Run {
    pub(crate) fn one(at: i64, value: f64) -> Self {
        let finite = value.is_finite();
        Self {
            start: at,
            end: at,
            count: u64::from(finite),
            sum: if finite { value } else { 0.0 },
            min: value,
            min_at: at,
            max: value,
            max_at: at,
            last: value,
        }
    }

    /// This run with the one after it.
    pub(crate) fn join(&mut self, next: &Run) {
        self.end = next.end;
        if next.count == 0 {
            return;
        }
        if self.count == 0 || next.min < self.min {
            (self.min, self.min_at) = (next.min, next.min_at);
        }
        if self.count == 0 || next.max > self.max {
            (self.max, self.max_at) = (next.max, next.max_at);
        }
        self.count += next.count;
        self.sum += next.sum;
        self.last = next.last;
    }
}

#[derive(Debug, Default)]
pub(crate) struct Pyramid {
    levels: Vec<Level>,
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
    FAN.pow(u32::try_from(level).unwrap_or(LEVELS).min(LEVELS) + 1)
}

impl Pyramid {
    /// Takes the next sample.
    pub(crate) fn push(&mut self, sample: Run) {
        let mut run = sample;
        for level in 0..LEVELS as usize {
            if self.levels.len() == level {
                self.levels.push(Level::default());
            }
            let level = &mut self.levels[level];
            match &mut level.open {
                Some(open) => open.join(&run),
                open => *open = Some(run),
            }
            level.filled += 1;
            if level.filled < FAN {
                return;
            }
            level.filled = 0;
            let Some(full) = level.open.take() else { return };
            if level.runs.len() == KEPT {
                level.runs.pop_front();
                level.first += 1;
            }
            level.runs.push_back(full);
            run = full;
        }
    }

    pub(crate) fn levels(&self) -> usize {
        self.levels.len()
    }

    /// The complete bucket that holds a sample, if it is kept.
    pub(crate) fn bucket(&self, level: usize, sample: u64) -> Option<&Run> {
        let kept = self.levels.get(level)?;
        let index = (sample / width(level)).checked_sub(kept.first)?;
        kept.runs.get(usize::try_from(index).ok()?)
    }

    /// The number of the first sample of the first kept bucket that ends at or after `at`; `None` if
    /// the level keeps nothing that reaches back to it.
    pub(crate) fn find(&self, level: usize, at: i64) -> Option<u64> {
        let kept = self.levels.get(level)?;
        if kept.first > 0 && kept.runs.front()?.start > at {
            return None;
        }
        let index = kept.runs.partition_point(|run| run.end < at);
        (index < kept.runs.len()).then(|| (kept.first + index as u64) * width(level))
    }
}
