//! A stream that the device stamps itself: it samples by its own clock, which is fast, and what it has
//! sampled waits for a connection event, or for several.

use std::time::Duration;

use rand::Rng;

use super::peripheral::{Dice, Source};

/// Samples per second of the device's clock, and how many a value has.
const RATE: u64 = 208;
const SAMPLES: u64 = 4;
/// By how much the device's clock is fast.
const FAST_PPM: f64 = 23.0;
/// From one connection event to the next.
const INTERVAL: Duration = Duration::from_millis(30);
/// How often a value does not get through in a connection event and has to wait for another.
const RETRIED: f64 = 0.08;

/// u32 microseconds of the device's clock when the first sample was taken, then the samples.
pub(super) struct Stamped<F> {
    dice: Dice,
    /// What the device's clock said when the lab began, microseconds.
    up: u64,
    /// A sample of a moment.
    sample: F,
    next: u64,
    last: Duration,
    due: Duration,
}

impl<F> Stamped<F> {
    pub(super) fn new(mut dice: Dice, sample: F) -> Self {
        Self {
            up: dice.random_range(0..1 << 32),
            dice,
            sample,
            next: 0,
            last: Duration::ZERO,
            due: Duration::ZERO,
        }
    }

    /// When a sample is taken, by its number.
    fn taken(sample: u64) -> Duration {
        Duration::from_secs_f64(sample as f64 / RATE as f64 / (1.0 + FAST_PPM / 1e6))
    }

    /// The connection event in which the next value gets through.
    fn plan(&mut self) {
        let ready = Self::taken(self.next * SAMPLES + SAMPLES - 1).max(self.last);
        let interval = INTERVAL.as_nanos() as u64;
        let mut events = (ready.as_nanos() as u64).div_ceil(interval);
        while self.dice.random_bool(RETRIED) {
            events += 1;
        }
        self.due = Duration::from_nanos(events * interval);
    }
}

impl<F: FnMut(Duration) -> i16 + Send> Source for Stamped<F> {
    fn begin(&mut self, at: Duration) {
        self.last = at;
        self.next = (at.as_secs_f64() * RATE as f64) as u64 / SAMPLES;
        self.plan();
    }

    fn wait(&self) -> Option<Duration> {
        Some(self.due.saturating_sub(self.last))
    }

    fn send(&mut self, at: Duration) -> Vec<u8> {
        let first = self.next * SAMPLES;
        let stamp = self.up.wrapping_add(first * 1_000_000 / RATE) as u32;
        let mut value = stamp.to_le_bytes().to_vec();
        for number in first..first + SAMPLES {
            value.extend((self.sample)(Self::taken(number)).to_le_bytes());
        }
        self.next += 1;
        self.last = at;
        self.plan();
        value
    }
}
