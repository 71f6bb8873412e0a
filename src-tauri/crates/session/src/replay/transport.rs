//! The transport of a replay: play, pause, pace, step, seek; and where it stands.

use std::sync::{Arc, Mutex};

use radio::{Clock, Timestamp};
use tokio::sync::{Notify, watch};

use super::lock;
use crate::SessionTime;

/// How far the playback may fall behind before the rest is played later and not in one burst. It falls behind where a
/// pace asks for more than this computer can do, and where the machine stands still.
const SLIP_NS: i64 = 1_000_000_000;

/// How fast a recording plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace(Option<f64>);

impl Pace {
    /// As it was recorded.
    pub const ORIGINAL: Self = Self(Some(1.0));
    /// As fast as it can be read and handed out.
    pub const UNBOUNDED: Self = Self(None);
    /// The slowest that can be chosen. Who wants to look closer than that steps.
    pub const SLOWEST: f64 = 0.1;
    /// The fastest that can be chosen with the distances kept. Timers count milliseconds, and a device that sent ten times
    /// a second sends once in each of them then.
    pub const FASTEST: f64 = 100.0;

    /// This many times as fast as it was recorded, from [`SLOWEST`](Self::SLOWEST) to [`FASTEST`](Self::FASTEST); `None`
    /// beyond.
    #[must_use]
    pub fn times(factor: f64) -> Option<Self> {
        (Self::SLOWEST..=Self::FASTEST)
            .contains(&factor)
            .then_some(Self(Some(factor)))
    }

    /// How many times as fast as it was recorded; `None` for as fast as it can.
    #[must_use]
    pub fn factor(self) -> Option<f64> {
        self.0
    }
}

/// Where a replay stands.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Up to which time of the recording it has come.
    pub position: SessionTime,
    /// Where the recording ends.
    pub length: SessionTime,
    /// How fast it plays.
    pub pace: Pace,
    /// Whether it plays.
    pub playing: bool,
    /// Whether it has come to the end and stands there.
    pub ended: bool,
    /// Whether it begins anew at the end.
    pub looping: bool,
    /// How many events were passed over because they could not be read: they are longer than anything on the air, or
    /// damaged.
    pub unreadable: u64,
    /// Why the rest of the recording cannot be played: the file is damaged there.
    pub damage: Option<String>,
}

/// The handle of a replay. Clones are the same transport; every call returns at once.
#[derive(Clone)]
pub struct Transport {
    pub(super) shared: Arc<Shared>,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.state().fmt(f)
    }
}

pub(super) struct Shared {
    clock: Clock,
    control: Mutex<Control>,
    /// The player has to look at the control again.
    pub(super) changed: Notify,
    state: watch::Sender<State>,
}

struct Control {
    playing: bool,
    stepping: bool,
    pace: Pace,
    looping: bool,
    ended: bool,
    /// Where the player has to go first.
    seek: Option<SessionTime>,
    /// At `base_at` it stood at `base`.
    base_at: Timestamp,
    base: SessionTime,
    length: SessionTime,
    /// Something was handed out since the beginning: a recording of nothing does not go round.
    played: bool,
    unreadable: u64,
    damage: Option<String>,
}

/// What the player does next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wish {
    Rest,
    Seek(SessionTime),
    Step,
    Play,
}

impl Control {
    fn wish(&self) -> Wish {
        if let Some(to) = self.seek {
            Wish::Seek(to)
        } else if self.stepping {
            Wish::Step
        } else if self.playing {
            Wish::Play
        } else {
            Wish::Rest
        }
    }

    fn position(&self, now: Timestamp) -> SessionTime {
        let Some(factor) = self.pace.0.filter(|_| self.playing) else {
            return self.base;
        };
        let passed = now.0.saturating_sub(self.base_at.0) as f64 * factor;
        let position = SessionTime(self.base.0.saturating_add(passed as i64));
        // A base may lie beyond the end: an event that came late.
        position.min(self.length).max(self.base)
    }

    /// Whatever comes from here on is measured from here.
    fn rebase(&mut self, now: Timestamp) {
        self.base = self.position(now);
        self.base_at = now;
    }

    /// When `at` of the recording is; now where distances are not kept.
    fn stamp(&self, at: SessionTime, now: Timestamp) -> Timestamp {
        match self.pace.0.filter(|_| self.playing) {
            Some(factor) => {
                let after = at.0.saturating_sub(self.base.0);
                // Exact where nothing is to be divided.
                let after = if factor == 1.0 {
                    after
                } else {
                    (after as f64 / factor).round() as i64
                };
                Timestamp(self.base_at.0.saturating_add(after))
            }
            None => now,
        }
    }

    fn state(&self, now: Timestamp) -> State {
        State {
            position: self.position(now),
            length: self.length,
            pace: self.pace,
            playing: self.playing,
            ended: self.ended,
            looping: self.looping,
            unreadable: self.unreadable,
            damage: self.damage.clone(),
        }
    }

    fn go(&mut self, to: SessionTime, now: Timestamp) {
        self.seek = Some(to);
        (self.base, self.base_at) = (to, now);
        self.ended = false;
        self.played = false;
        self.damage = None;
    }
}

impl Shared {
    pub(super) fn new(clock: Clock, length: SessionTime) -> Self {
        let control = Control {
            playing: false,
            stepping: false,
            pace: Pace::ORIGINAL,
            looping: false,
            ended: false,
            // Devices were known before the session began, and so may events be.
            seek: Some(SessionTime(i64::MIN)),
            base_at: clock.now(),
            base: SessionTime(0),
            length,
            played: false,
            unreadable: 0,
            damage: None,
        };
        Self {
            state: watch::Sender::new(control.state(clock.now())),
            clock,
            control: Mutex::new(control),
            changed: Notify::new(),
        }
    }

    /// Changes the control, tells who watches, and wakes the player.
    fn change(&self, change: impl FnOnce(&mut Control, Timestamp)) {
        self.tell(change);
        self.changed.notify_one();
    }

    fn tell<T>(&self, change: impl FnOnce(&mut Control, Timestamp) -> T) -> T {
        let mut control = lock(&self.control);
        let now = self.clock.now();
        let answer = change(&mut control, now);
        self.state.send_replace(control.state(now));
        answer
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn wish(&self) -> Wish {
        let mut control = lock(&self.control);
        let wish = control.wish();
        control.seek = None;
        wish
    }

    /// When something that was recorded at `at` is to be handed out: in the past where it is due; `None` if
    /// what is to be done is not `wish` any more.
    pub(super) fn due(&self, at: SessionTime, wish: Wish) -> Option<Timestamp> {
        let mut control = lock(&self.control);
        let now = self.clock.now();
        if control.wish() != wish {
            return None;
        }
        if wish == Wish::Step {
            return Some(now);
        }
        let due = control.stamp(at, now);
        let late = now.0.saturating_sub(due.0);
        if late <= SLIP_NS {
            return Some(due);
        }
        // An event that is older than the one before it is late by that alone.
        if at >= control.base {
            (control.base, control.base_at) = (at, now);
        }
        Some(now)
    }

    /// The stamp of another time that goes with what is handed out now.
    pub(super) fn stamp(&self, at: SessionTime) -> Timestamp {
        let control = lock(&self.control);
        let now = self.clock.now();
        control.stamp(at, now).min(now)
    }

    /// Something was handed out that was recorded at `at`. `rests` where a step ends with it.
    pub(super) fn passed(&self, at: SessionTime, rests: bool, readable: bool) {
        let quiet = {
            let mut control = lock(&self.control);
            control.played = true;
            control.unreadable += u64::from(!readable);
            if control.stepping || control.pace.0.is_none() {
                control.base = control.base.max(at);
                control.base_at = self.clock.now();
            }
            !(control.stepping && rests)
        };
        if !quiet {
            self.tell(|control, _| control.stepping = false);
        }
    }

    /// Everything was handed out. When the end is to be waited for, until when.
    pub(super) fn wait_for_end(&self) -> Option<Timestamp> {
        let control = lock(&self.control);
        let now = self.clock.now();
        let end = control.length.max(control.base);
        (control.playing && !control.stepping)
            .then(|| control.stamp(end, now))
            .filter(|end| *end > now)
    }

    /// The end is reached, if what is to be done still leads there.
    pub(super) fn end(&self) {
        self.tell(|control, now| {
            if !matches!(control.wish(), Wish::Step | Wish::Play) {
                return;
            }
            let goes_round = control.playing && !control.stepping && control.looping;
            let end = control.length.max(control.base);
            let at = control.stamp(end, now).min(now);
            if goes_round && control.played {
                control.go(SessionTime(0), at);
                control.seek = Some(SessionTime(i64::MIN));
            } else {
                control.base = end;
                (control.playing, control.stepping, control.ended) = (false, false, true);
            }
        });
    }

    pub(super) fn damaged(&self, damage: String) {
        tracing::warn!(damage, "the rest of a recording cannot be played");
        self.tell(|control, _| control.damage = Some(damage));
    }
}

impl Transport {
    /// Goes on; at the end, begins anew.
    pub fn play(&self) {
        self.shared.change(|control, now| {
            if control.ended {
                control.go(SessionTime(0), now);
                control.seek = Some(SessionTime(i64::MIN));
            }
            control.rebase(now);
            (control.playing, control.stepping) = (true, false);
        });
    }

    /// Stands still. Links and subscriptions stay.
    pub fn pause(&self) {
        self.shared.change(|control, now| {
            control.rebase(now);
            (control.playing, control.stepping) = (false, false);
        });
    }

    /// Plays at another pace from here on.
    pub fn set_pace(&self, pace: Pace) {
        self.shared.change(|control, now| {
            control.rebase(now);
            control.pace = pace;
        });
    }

    /// Begins anew at the end, or stands there.
    pub fn set_looping(&self, on: bool) {
        self.shared.change(|control, _| control.looping = on);
    }

    /// Pauses, and goes on to the next notification or indication or to the end of a link; in a recording without any, to
    /// the next advertisement. What lies between is handed out on the way.
    pub fn step(&self) {
        self.shared.change(|control, now| {
            control.rebase(now);
            control.playing = false;
            control.stepping = !control.ended;
        });
    }

    /// Goes to a time of the recording; nothing that lies between is handed out. Links and subscriptions stay. Times
    /// before the start and beyond the end are those.
    pub fn seek(&self, to: SessionTime) {
        self.shared.change(|control, now| {
            let end = control.length.max(SessionTime(0));
            let to = to.clamp(SessionTime(0), end);
            control.go(to, now);
            if to == SessionTime(0) {
                control.seek = Some(SessionTime(i64::MIN));
            }
        });
    }

    /// Where it stands now.
    #[must_use]
    pub fn state(&self) -> State {
        let now = self.shared.clock.now();
        lock(&self.shared.control).state(now)
    }

    /// Where it stood at each change: every command, every finished step, the end. In between it moves on by itself, as
    /// [`state`](Self::state) tells.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<State> {
        self.shared.state.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_while_it_was_paused_or_moved_is_not_due() {
        let shared = Arc::new(Shared::new(Clock::manual(), SessionTime(1000)));
        let transport = Transport {
            shared: Arc::clone(&shared),
        };
        assert!(matches!(shared.wish(), Wish::Seek(_)));
        let at = SessionTime(10);
        transport.play();
        assert_eq!(shared.wish(), Wish::Play);
        assert_eq!(shared.due(at, Wish::Play), Some(Timestamp(10)));
        transport.pause();
        assert_eq!(shared.due(at, Wish::Play), None);
        shared.end();
        assert!(!transport.state().ended);
        transport.step();
        assert_eq!(shared.due(at, Wish::Step), Some(Timestamp(0)));
        assert_eq!(shared.due(at, Wish::Play), None);
        transport.play();
        transport.seek(SessionTime(500));
        assert_eq!(shared.due(at, Wish::Play), None);
        shared.end();
        assert_eq!(shared.wish(), Wish::Seek(SessionTime(500)));
        assert_eq!(shared.wish(), Wish::Play);
        shared.end();
        assert!(transport.state().ended);
    }
}
