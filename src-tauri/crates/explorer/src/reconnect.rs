//! Coming back to a device whose link ended by itself: when to try again, how often, and what was
//! subscribed.

use std::sync::Arc;
use std::time::Duration;

use radio::{DeviceId, RadioState, Timestamp};
use rand::{Rng as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Phase};
use crate::explorer::{Explorer, Inner};
use crate::view::{Problem, RetryView};

/// Attempts before a device is given up: a quarter of an hour of waiting, and the attempts themselves.
pub(crate) const ATTEMPTS: u32 = 20;
/// The first wait.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);
/// How long one attempt may take: shorter than one that a person asked for, who may be waiting for
/// the adapter to do something else.
const PATIENCE: Duration = Duration::from_secs(15);

/// The waits between attempts: doubling up to a minute, each up to a fifth longer or shorter by
/// chance, so that devices that were lost together do not all come back at once.
struct Backoff {
    next: Duration,
    random: Xoshiro256PlusPlus,
}

impl Backoff {
    fn new(seed: u64) -> Self {
        Self {
            next: SHORTEST,
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        Some(wait.mul_f64(self.random.random_range(0.8..=1.2)))
    }
}

/// A device that is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    attempt: u32,
    /// When the next attempt begins; `None` while the adapter itself is waited for.
    at: Option<Timestamp>,
    now: Arc<Notify>,
    stop: CancellationToken,
}

impl Retry {
    /// What a link that has just ended begins with.
    pub(crate) fn first() -> Self {
        Self {
            attempt: 1,
            at: None,
            now: Arc::default(),
            stop: CancellationToken::new(),
        }
    }

    fn next(&self, attempt: u32, at: Option<Timestamp>) -> Self {
        Self {
            attempt,
            at,
            now: Arc::clone(&self.now),
            stop: self.stop.clone(),
        }
    }

    /// Tries at once instead of waiting.
    pub(crate) fn now(&self) {
        self.now.notify_one();
    }

    /// Gives the device up.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    pub(crate) fn view(&self, wall: crate::device::WallOffset) -> RetryView {
        RetryView {
            attempt: self.attempt,
            attempts: ATTEMPTS,
            at_ms: self.at.map(|at| wall.ms(at)),
        }
    }
}

impl Inner {
    /// Whether a device is come back to by itself.
    pub(crate) fn stays(&self, device: &DeviceId) -> bool {
        self.preference(|preferences| !preferences.no_reconnect.contains(device.as_str()))
    }

    /// Tries until the device is back, somebody stops it, or [`ATTEMPTS`] were in vain.
    pub(crate) async fn come_back(self: Arc<Self>, connection: Arc<Connection>, first: Retry) {
        let (stop, mut last) = (&first.stop, None);
        let waits = Backoff::new(self.now().0.unsigned_abs());
        for (attempt, wait) in (1..=ATTEMPTS).zip(waits) {
            let at = self.now().after(wait);
            self.wait_for(&connection, first.next(attempt, Some(at)));
            let waited = tokio::select! {
                () = tokio::time::sleep(wait) => true,
                () = first.now.notified() => true,
                () = stop.cancelled() => false,
                () = self.closing.cancelled() => false,
            };
            if !waited
                || !self
                    .adapter_on(&connection, first.next(attempt, None))
                    .await
            {
                return self.gave_up(&connection, None);
            }
            match self.attempt(&connection, PATIENCE).await {
                // The next time that this link ends is waited for by itself.
                Ok(()) => return,
                Err(radio::Error::Cancelled) => return self.gave_up(&connection, None),
                Err(error) => last = Some(error),
            }
            if stop.is_cancelled() {
                return self.gave_up(&connection, None);
            }
        }
        self.gave_up(&connection, last);
    }

    fn wait_for(&self, connection: &Connection, retry: Retry) {
        connection.state().retry = Some(retry);
        self.set_phase(connection, Phase::Retrying);
    }

    /// Waits until the adapter is on. `false` if somebody stopped it first.
    async fn adapter_on(&self, connection: &Connection, retry: Retry) -> bool {
        let stop = retry.stop.clone();
        let Ok(radio) = self.radios.radio() else {
            return false;
        };
        let mut states = radio.state();
        let ready = |state: &RadioState| matches!(state, RadioState::On | RadioState::Unknown);
        if !ready(&states.borrow()) {
            self.wait_for(connection, retry);
        }
        tokio::select! {
            on = states.wait_for(ready) => on.is_ok(),
            () = stop.cancelled() => false,
            () = self.closing.cancelled() => false,
        }
    }

    /// Ends the waiting: somebody stopped it, or `error` was the last of too many.
    fn gave_up(&self, connection: &Connection, error: Option<radio::Error>) {
        connection.state().retry = None;
        self.outages_end(connection);
        let Some(error) = error else {
            self.log_done(
                "link",
                "Reconnection stopped",
                Some(&connection.device),
                None,
                "",
            );
            return self.set_phase(connection, Phase::Disconnected);
        };
        let problem = Problem::new(
            "gave_up",
            format!("{ATTEMPTS} attempts did not bring the device back. The last one: {error}"),
            "What was recorded is kept. Bring the device nearer, check its power, then reconnect.",
        );
        let device = &connection.device;
        self.log_problem("link", "Reconnection", Some(device), None, &problem);
        let title = format!("{} did not come back", self.devices().name(device).0);
        self.notice("bad", title, problem.clone(), Some(device), "reconnect");
        connection.state().problem = Some(problem);
        self.set_phase(connection, Phase::Failed);
    }

    /// Subscribes again to what was subscribed when the link ended, first of all: values are lost
    /// meanwhile.
    pub(crate) async fn subscribe_again(self: &Arc<Self>, connection: &Connection) {
        let wanted = std::mem::take(&mut connection.state().wanted);
        let attributes = connection.attributes();
        for attribute in attributes.iter() {
            if wanted.contains(&attribute.key) && self.subscribe(attribute.id).await.is_err() {
                // The row and the log say why. It is wanted still, should the link end again.
                connection.state().wanted.push(attribute.key.clone());
            }
        }
        let there = |key: &String| attributes.iter().any(|attribute| attribute.key == *key);
        for key in wanted.iter().filter(|key| !there(key)) {
            let problem = Problem::new(
                "not_found",
                format!("{key} was subscribed, and the device does not have it any more."),
                "Look in the tree for what took its place.",
            );
            let device = Some(&connection.device);
            self.log_problem("link", "Subscribe again", device, None, &problem);
        }
    }
}

impl Explorer {
    /// Chooses whether a device is come back to when its link ends by itself.
    pub fn set_auto_reconnect(&self, device: &DeviceId, on: bool) {
        self.0.prefer(|preferences| {
            if on {
                preferences.no_reconnect.remove(device.as_str());
            } else {
                preferences.no_reconnect.insert(device.to_string());
            }
        });
        let connection = self
            .0
            .connections()
            .into_iter()
            .find(|c| c.device == *device);
        if let Some(connection) = connection {
            if !on && let Some(retry) = &connection.state().retry {
                retry.stop();
            }
            self.0.tell_link(&connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_differ_by_a_fifth_at_most() {
        let waits: Vec<f64> = Backoff::new(7).take(10).map(|w| w.as_secs_f64()).collect();
        let middle = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0];
        for (wait, middle) in waits.iter().zip(middle) {
            assert!((0.8 * middle..=1.2 * middle).contains(wait), "{waits:?}");
        }
    }

    #[test]
    fn two_devices_that_were_lost_together_come_back_apart() {
        let waits = |seed| Backoff::new(seed).take(5).collect::<Vec<_>>();
        assert_ne!(waits(1), waits(2));
        assert_eq!(waits(1), waits(1));
    }
}
