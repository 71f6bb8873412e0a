//! Fewer advertisements in the recording, if the user wants that: at most one of each device in a time.
//! What is left out is a choice and no loss; it is counted, and the recording says so.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use radio::{Advertisement, DeviceId, Timestamp};
use session::{Event as Recorded, Recorder};

use crate::explorer::{Explorer, Inner};
use crate::view::Problem;

/// The longest time that can be chosen, seconds.
const LONGEST_S: u32 = 3600;
/// How many devices are remembered before those that need not be are let go: private addresses change.
const DEVICES: usize = 4096;

/// Which advertisements are recorded.
#[derive(Debug, Default)]
pub(crate) struct Sampling(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// 0 for every one.
    every_s: u32,
    last: HashMap<DeviceId, Timestamp>,
    left_out: u64,
    /// How many of them the recording knows of.
    told: u64,
}

impl Sampling {
    pub(crate) fn new(every_s: u32) -> Self {
        let state = State {
            every_s: every_s.min(LONGEST_S),
            ..State::default()
        };
        Self(Mutex::new(state))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an advertisement is recorded; one that is not is counted.
    fn takes(&self, device: &DeviceId, at: Timestamp) -> bool {
        let mut state = self.state();
        if state.every_s == 0 {
            return true;
        }
        let every = Duration::from_secs(state.every_s.into());
        match state.last.get_mut(device) {
            Some(last) if at.since(*last) < every => {
                state.left_out += 1;
                return false;
            }
            Some(last) => *last = at,
            None => {
                if state.last.len() >= DEVICES {
                    state.last.retain(|_, last| at.since(*last) < every);
                }
                state.last.insert(device.clone(), at);
            }
        }
        true
    }

    /// The choice, and how many were left out in this recording.
    pub(crate) fn now(&self) -> (u32, u64) {
        let state = self.state();
        (state.every_s, state.left_out)
    }

    /// Tells the recording how many were left out since it was last told, if any were.
    pub(crate) fn tell(&self, recorder: &Recorder, now: Timestamp) {
        let mut state = self.state();
        if state.left_out > state.told {
            state.record(recorder, now);
        }
    }

    /// Begins another recording: each device is recorded at once there.
    pub(crate) fn begin(&self, recorder: &Recorder, now: Timestamp) {
        let mut state = self.state();
        (state.left_out, state.told) = (0, 0);
        state.last.clear();
        if state.every_s > 0 {
            state.record(recorder, now);
        }
    }

    fn choose(&self, every_s: u32) {
        let mut state = self.state();
        state.every_s = every_s;
        state.last.clear();
    }

    /// Tells the recording what is chosen, whether or not anything was left out.
    fn say(&self, recorder: &Recorder, now: Timestamp) {
        self.state().record(recorder, now);
    }
}

impl State {
    fn record(&mut self, recorder: &Recorder, now: Timestamp) {
        let left_out = self.left_out - std::mem::replace(&mut self.told, self.left_out);
        let choice = words(self.every_s).into();
        recorder.record(now, Recorded::Sampling { choice, left_out });
    }
}

/// What is recorded, in words.
fn words(every_s: u32) -> String {
    match every_s {
        0 => "every advertisement".into(),
        1 => "at most one advertisement of each device in a second".into(),
        seconds => format!("at most one advertisement of each device in {seconds} s"),
    }
}

impl Inner {
    /// Records an advertisement, or counts it.
    pub(crate) fn record_advertisement(&self, report: &Advertisement) {
        if self.sampling.takes(&report.device, report.at) {
            self.record(|recorder| recorder.advertisement(report.clone()));
        } else if let Some(name) = &report.local_name {
            // The name is the device's and not the advertisement's.
            self.record(|recorder| {
                recorder.device(&report.device, Some(name));
            });
        }
    }
}

impl Explorer {
    /// Records at most one advertisement of each device in so many seconds from now on, at most 3600;
    /// with 0, every one. The recording says so.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the time is too long.
    pub fn sample_adverts(&self, every_s: u32) -> Result<(), Problem> {
        if every_s > LONGEST_S {
            return Err(Problem::new(
                "input",
                format!("Advertisements can be sampled every 1 to {LONGEST_S} seconds."),
                "Type a number in that range, or 0 for every advertisement.",
            ));
        }
        let inner = &self.0;
        let now = inner.now();
        // What was left out until now was left out by the last choice.
        inner.record(|recorder| inner.sampling.tell(recorder, now));
        inner.sampling.choose(every_s);
        inner.record(|recorder| inner.sampling.say(recorder, now));
        inner.prefer(|preferences| preferences.sample_adverts_s = every_s);
        inner.log_done("scan", "Recording of scans", None, None, words(every_s));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_device_is_taken_in_its_time_and_the_others_are_counted() {
        let sampling = Sampling::new(10);
        let taken = |device: &str, ms: i64| {
            let device = DeviceId::from(device);
            sampling.takes(&device, Timestamp(ms * 1_000_000))
        };
        assert!(taken("a", 0) && taken("b", 9_000));
        assert!(!taken("a", 1) && !taken("a", 9_999) && !taken("b", 10_000));
        assert!(taken("a", 10_000));
        assert!(!taken("a", 19_999) && taken("b", 19_000));
        assert_eq!(sampling.now(), (10, 4));
        sampling.choose(0);
        assert!(taken("a", 20_000) && taken("a", 20_001));
        assert_eq!(sampling.now(), (0, 4));
    }

    #[test]
    fn devices_that_are_never_heard_again_are_let_go() {
        let sampling = Sampling::new(1);
        for n in 0..DEVICES as i64 * 3 {
            let device = DeviceId::from(format!("{n}").as_str());
            assert!(sampling.takes(&device, Timestamp(n * 1_000_000)));
        }
        assert!(sampling.state().last.len() <= DEVICES);
    }
}
