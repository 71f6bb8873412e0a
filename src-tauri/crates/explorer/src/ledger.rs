//! The ledger of what was lost, live: each loss once, as it is written into the file, newest last.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use radio::{DeviceId, Timestamp};
use serde::Serialize;
use session::{Cause, Event as Recorded, Overflow, Overflows};
use ts_rs::TS;

use crate::attribute::Attribute;
use crate::connection::Connection;
use crate::counter::SequenceGap;
use crate::device::WallOffset;
use crate::explorer::{Inner, Recording};
use crate::view::Event;

/// Losses that are kept for the window. The file has all of them.
const KEPT: usize = 5_000;

/// One loss.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct LossView {
    /// Its number; one that is told again with the same number has changed.
    #[ts(type = "number")]
    pub id: u64,
    /// Not before.
    pub from_ms: f64,
    /// Not after.
    pub to_ms: f64,
    /// `device` (its own counter skipped), `queue` (of the system), `gattscope` (the recorder had no
    /// room) or `link` (it was down).
    pub cause: String,
    /// The device; null where it is not known.
    pub device: Option<String>,
    /// Its name.
    pub device_name: String,
    /// The characteristic's key, as in [`AttributeView::key`](crate::view::AttributeView::key).
    pub attribute: Option<String>,
    /// Its name.
    pub attribute_name: String,
    /// How many; null where nobody knows.
    #[ts(type = "number | null")]
    pub count: Option<u64>,
}

/// News of the ledger, at most four times a second.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct LossesView {
    /// Whether what the window had must be forgotten first.
    pub reset: bool,
    /// Losses that are new or have changed, oldest first.
    pub losses: Vec<LossView>,
    /// How many older losses are in the file and no longer in the list.
    #[ts(type = "number")]
    pub hidden: u64,
}

/// The losses of the recording.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    losses: VecDeque<LossView>,
    next: u64,
    /// Those from this number on were not told.
    untold: u64,
    reset: bool,
    hidden: u64,
    /// What the recorder has no room for just now: the loss grows.
    growing: Option<u64>,
    /// Losses that were told and have grown since.
    grown: Vec<u64>,
}

impl State {
    fn add(&mut self, mut loss: LossView) -> u64 {
        let id = self.next;
        self.next += 1;
        loss.id = id;
        if self.losses.len() == KEPT {
            self.losses.pop_front();
            self.hidden += 1;
        }
        self.losses.push_back(loss);
        id
    }

    fn get(&mut self, id: u64) -> Option<&mut LossView> {
        self.losses.iter_mut().rev().find(|loss| loss.id == id)
    }

    /// Says how much the recorder had no room for, in the loss that grows or in a new one.
    fn grow(&mut self, overflow: Overflow, wall: WallOffset) {
        let (from_ms, to_ms) = (wall.ms(overflow.from), wall.ms(overflow.to));
        let count = Some(overflow.count);
        let known = self.growing;
        if let Some(loss) = known.and_then(|id| self.get(id)) {
            if (loss.from_ms, loss.to_ms, loss.count) != (from_ms, to_ms, count) {
                (loss.from_ms, loss.to_ms, loss.count) = (from_ms, to_ms, count);
                let id = loss.id;
                self.grown.push(id);
            }
            return;
        }
        let loss = LossView {
            id: 0,
            from_ms,
            to_ms,
            cause: name(Cause::Gattscope).into(),
            device: None,
            device_name: String::new(),
            attribute: None,
            attribute_name: String::new(),
            count,
        };
        self.growing = Some(self.add(loss));
    }
}

impl Ledger {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what the recorder says of itself.
    fn overflows(&self, overflows: Overflows, wall: WallOffset) {
        let mut state = self.state();
        for overflow in overflows.written {
            state.grow(overflow, wall);
            state.growing = None;
        }
        if let Some(overflow) = overflows.waiting {
            state.grow(overflow, wall);
        }
    }

    /// Another recording has other losses.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        *state = State {
            next: state.next,
            untold: state.next,
            reset: true,
            ..State::default()
        };
    }

    /// The window has nothing any more and gets everything again.
    pub(crate) fn start_over(&self) {
        self.state().reset = true;
    }

    /// What was not told yet.
    fn news(&self) -> Option<LossesView> {
        let mut state = self.state();
        let reset = std::mem::take(&mut state.reset);
        let grown = std::mem::take(&mut state.grown);
        let untold = state.untold;
        let losses: Vec<_> = state
            .losses
            .iter()
            .filter(|loss| reset || loss.id >= untold || grown.contains(&loss.id))
            .cloned()
            .collect();
        state.untold = state.next;
        (reset || !losses.is_empty()).then_some(LossesView {
            reset,
            losses,
            hidden: state.hidden,
        })
    }
}

/// What the window calls a cause.
fn name(cause: Cause) -> &'static str {
    match cause {
        Cause::DeviceSequence => "device",
        Cause::HostQueue => "queue",
        Cause::Gattscope => "gattscope",
        Cause::LinkDown => "link",
    }
}

impl Inner {
    /// Adds a loss to the live list. The file is told by whoever calls this.
    fn enter(
        &self,
        (device, attribute): (&DeviceId, &Attribute),
        cause: Cause,
        count: Option<u64>,
        (from, to): (Timestamp, Timestamp),
    ) {
        let loss = LossView {
            id: 0,
            from_ms: self.wall.ms(from),
            to_ms: self.wall.ms(to),
            cause: name(cause).into(),
            device: Some(device.to_string()),
            device_name: self.devices().name(device).0,
            attribute: Some(attribute.key.clone()),
            attribute_name: attribute.name(),
            count,
        };
        self.ledger.state().add(loss);
    }

    /// The system's queue lost values; the recorder knows it from the value after them.
    pub(crate) fn overrun(
        &self,
        connection: &Connection,
        attribute: &Attribute,
        count: u32,
        between: (Timestamp, Timestamp),
    ) {
        let place = (&connection.device, attribute);
        self.enter(place, Cause::HostQueue, Some(count.into()), between);
    }

    /// The device's own counter skipped values.
    pub(crate) fn skipped(&self, connection: &Connection, attribute: &Attribute, gap: SequenceGap) {
        let SequenceGap { count, from, to } = gap;
        let place = (&connection.device, attribute);
        self.enter(place, Cause::DeviceSequence, Some(count), (from, to));
        self.record(|recorder| {
            recorder.record(
                to,
                Recorded::Gap {
                    cause: Cause::DeviceSequence,
                    attribute: Some(attribute.id),
                    count,
                    from,
                    to,
                },
            );
        });
    }

    /// Nothing could come, and nobody knows how much that was.
    pub(crate) fn missed(
        &self,
        device: &DeviceId,
        attribute: &Attribute,
        from: Timestamp,
        to: Timestamp,
    ) {
        self.outages
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.enter((device, attribute), Cause::LinkDown, None, (from, to));
        self.record(|recorder| {
            recorder.record(
                to,
                Recorded::Gap {
                    cause: Cause::LinkDown,
                    attribute: Some(attribute.id),
                    count: 0,
                    from,
                    to,
                },
            );
        });
    }

    /// Tells the window what is new in the ledger.
    pub(crate) fn tell_losses(&self) {
        let _order = self.news.order();
        let overflows = match &*self.recording() {
            Recording::On(recorder) => recorder.overflows(),
            Recording::Off(_) => Overflows::default(),
        };
        self.ledger.overflows(overflows, self.wall);
        if let Some(news) = self.ledger.news() {
            self.news.tell(Event::Losses(news));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: WallOffset = WallOffset(0.0);

    fn overflow(count: u64, to_ms: i64) -> Overflow {
        Overflow {
            count,
            from: Timestamp(0),
            to: Timestamp(to_ms * 1_000_000),
        }
    }

    fn told(ledger: &Ledger) -> Vec<(u64, Option<u64>, f64)> {
        let news = ledger.news();
        news.map_or_else(Vec::new, |news| {
            let losses = news.losses.into_iter();
            losses
                .map(|loss| (loss.id, loss.count, loss.to_ms))
                .collect()
        })
    }

    #[test]
    fn what_finds_no_room_is_one_loss_that_grows_until_it_is_written() {
        let ledger = Ledger::default();
        let see = |written: &[Overflow], waiting| {
            let written = written.to_vec();
            ledger.overflows(Overflows { written, waiting }, WALL);
            told(&ledger)
        };
        assert_eq!(see(&[], Some(overflow(3, 10))), [(0, Some(3), 10.0)]);
        assert_eq!(see(&[], Some(overflow(3, 10))), []);
        assert_eq!(see(&[], Some(overflow(9, 20))), [(0, Some(9), 20.0)]);
        // Written with one more; the next is another loss.
        let both = see(&[overflow(10, 21)], Some(overflow(1, 30)));
        assert_eq!(both, [(0, Some(10), 21.0), (1, Some(1), 30.0)]);
        assert_eq!(
            see(&[overflow(1, 30), overflow(2, 40)], None),
            [(2, Some(2), 40.0)]
        );
    }

    #[test]
    fn the_list_is_bounded_says_what_it_hides_and_is_told_again_to_a_new_window() {
        let ledger = Ledger::default();
        for at in 0..KEPT as i64 + 7 {
            let written = vec![overflow(1, at)];
            ledger.overflows(
                Overflows {
                    written,
                    waiting: None,
                },
                WALL,
            );
        }
        let news = ledger.news().unwrap();
        assert_eq!((news.losses.len(), news.hidden), (KEPT, 7));
        assert_eq!(ledger.news(), None);
        ledger.start_over();
        let again = ledger.news().unwrap();
        assert!(again.reset);
        assert_eq!(again.losses, news.losses);
        ledger.clear();
        let cleared = ledger.news().unwrap();
        assert_eq!((cleared.losses.len(), cleared.hidden), (0, 0));
    }

    /// The window's whole way with a recorder that soon has no room: what is dropped is in the live
    /// list while nothing can be written, and in the file with the same numbers when it can be.
    #[tokio::test]
    async fn what_the_recorder_drops_while_it_cannot_write_is_listed_and_written_alike() {
        use std::sync::Arc;
        use std::time::Duration;

        use radio::Clock;
        use session::{Options, Recorder, State};

        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::monotonic();
        let config = crate::Config {
            backends: Vec::new(),
            session_folder: folder.path().into(),
            log_folder: folder.path().into(),
            preferences: crate::Preferences::default(),
            clock: clock.clone(),
        };
        let explorer = crate::Explorer::start(config, tokio::runtime::Handle::current());
        let options = Options {
            max_waiting: 50,
            size_limit: Some(1),
            ..Options::default()
        };
        let small = Arc::new(Recorder::create(folder.path(), clock, options).unwrap());
        *explorer.0.recording.write().unwrap() = Recording::On(Arc::clone(&small));
        let news = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&news);
        explorer.listen(move |event| {
            if let Event::Losses(view) = event {
                heard.lock().unwrap().push(view);
            }
        });
        let wait = || tokio::time::sleep(Duration::from_millis(20));
        let inner = &explorer.0;
        let note = || {
            let text = "x".repeat(4000).into();
            small.record(inner.now(), Recorded::Note { text });
        };
        while small.status().lost.gattscope < 100 {
            note();
            wait().await;
        }
        assert!(matches!(small.status().state, State::Paused { .. }));
        inner.tell_losses();
        let dropped = |views: &[LossesView]| views.last().unwrap().losses.last().unwrap().clone();
        let live = dropped(&news.lock().unwrap());
        assert!(
            live.count >= Some(100) && live.cause == "gattscope",
            "{live:?}"
        );
        let view = inner.recording_view();
        assert_eq!((view.state.as_str(), view.waiting), ("paused", 50));
        assert!(view.waiting_bytes > 50 * 4000, "{view:?}");

        small.set_size_limit(None);
        while small.status().state != State::Recording || small.status().waiting > 0 {
            wait().await;
        }
        small.flush().unwrap();
        inner.tell_losses();
        let told = dropped(&news.lock().unwrap());
        assert_eq!(told.id, live.id, "it is one loss that has grown");
        assert_eq!(told.count, Some(small.status().lost.gattscope));
        let session = session::Session::open(small.path()).unwrap();
        assert_eq!(session.info().unwrap().lost, small.status().lost);
    }
}
