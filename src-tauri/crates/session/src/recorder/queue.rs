//! The queue between the radio and the writer: bounded, in memory, and never waited for.
//!
//! Whoever puts something in holds the lock for one push into room that is already there; the writer
//! holds it to take whole chunks. Nobody holds it while the disk is at work.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use radio::{AttrKind, DeviceId, Generation, Handle, Properties, Timestamp};
use uuid::Uuid;

use super::state::Losses;
use crate::{Cause, DeviceKey, Event, LinkKey};

/// How many items are taken, written and given back as one.
const CHUNK: usize = 1024;

/// How many gaps on disk are kept for whoever asks what was dropped.
const WRITTEN_DROPS: usize = 1024;

/// How many empty chunks are kept for the next burst.
const SPARE: usize = 64;

/// What waits to be written.
pub(crate) enum Item {
    /// An event, and when it happened.
    Event(Timestamp, Event),
    /// A row that later events refer to; never dropped.
    Row(Box<Row>),
}

/// A row of a table that events refer to.
pub(crate) enum Row {
    Device {
        key: DeviceKey,
        id: DeviceId,
        name: Option<Box<str>>,
        at: Timestamp,
    },
    DeviceName {
        key: DeviceKey,
        name: Box<str>,
    },
    Link {
        key: LinkKey,
        device: DeviceKey,
        at: Timestamp,
    },
    Attributes {
        link: LinkKey,
        generation: Generation,
        attributes: Vec<AttributeRow>,
        at: Timestamp,
    },
}

/// An attribute as it is written.
pub(crate) struct AttributeRow {
    pub(crate) id: u64,
    pub(crate) kind: AttrKind,
    pub(crate) uuid: Uuid,
    pub(crate) handle: Option<Handle>,
    pub(crate) parent: Option<u64>,
    pub(crate) properties: Properties,
    pub(crate) service: Option<Uuid>,
    pub(crate) characteristic: Option<Uuid>,
    pub(crate) path: String,
}

/// What was dropped because there was no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// How often something was.
    pub(crate) times: u64,
    /// How many events are missing for it, and how many were known to be missing before.
    pub(crate) lost: Losses,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

impl Dropped {
    fn of(at: Timestamp, event: &Event) -> Self {
        let mut lost = Losses::default();
        let (mut from, mut to) = (at, at);
        match event {
            // What it tells of is told with the rest; it is no event of the radio itself.
            Event::Gap {
                cause,
                count,
                from: since,
                to: until,
                ..
            } => {
                *lost.of(*cause) = *count;
                (from, to) = (*since, *until);
            }
            Event::Value { lost_before, .. } => {
                lost.host_queue = u64::from(*lost_before);
                lost.gattscope = 1;
            }
            _ => lost.gattscope = 1,
        }
        Self {
            times: 1,
            lost,
            from,
            to,
        }
    }

    pub(crate) fn merge(into: &mut Option<Self>, more: Self) {
        match into {
            None => *into = Some(more),
            Some(all) => {
                all.times += more.times;
                for cause in Cause::ALL {
                    let mut more = more.lost;
                    *all.lost.of(cause) += *more.of(cause);
                }
                all.from = all.from.min(more.from);
                all.to = all.to.max(more.to);
            }
        }
    }
}

/// A run of items that were put in one after the other.
#[derive(Default)]
pub(crate) struct Chunk {
    pub(crate) items: Vec<Item>,
    /// Bytes that the items hold beside their own size.
    pub(crate) payload: usize,
}

/// What the writer takes at once.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) chunks: VecDeque<Chunk>,
    pub(crate) dropped: Option<Dropped>,
    /// Nothing will follow.
    pub(crate) closing: bool,
}

/// How full the queue may get.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) items: usize,
    pub(crate) payload: usize,
}

pub(crate) struct Queue {
    limits: Limits,
    inner: Mutex<Inner>,
    /// Tells the writer.
    work: Condvar,
    /// Tells those who wait for the writer.
    done: Condvar,
}

#[derive(Default)]
struct Inner {
    chunks: VecDeque<Chunk>,
    spare: Vec<Vec<Item>>,
    dropped: Option<Dropped>,
    /// What was dropped and taken by the writer, and is not on disk yet.
    untold: Option<Dropped>,
    /// Gaps that are on disk and nobody has asked for yet.
    written_drops: VecDeque<Dropped>,
    /// Put in and not yet written, whether taken or not.
    items: usize,
    payload: usize,
    /// How many items have ever been put in, and how many of them are on disk.
    pushed: u64,
    written: u64,
    /// How often something has ever been dropped, and of how many of these a gap on disk tells.
    drops: u64,
    drops_told: u64,
    /// How often the writer has failed.
    failures: u64,
    urgent: bool,
    closing: bool,
    stopped: bool,
}

/// Whether an event found room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Queued,
    Dropped,
}

/// How waiting for the disk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    Written,
    Failed,
    Stopped,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            inner: Mutex::new(Inner::default()),
            work: Condvar::new(),
            done: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event in, or counts it.
    pub(crate) fn event(&self, at: Timestamp, event: Event) -> Put {
        let size = event.payload_len();
        let mut inner = self.lock();
        let full = inner.items >= self.limits.items
            || inner.payload.saturating_add(size) > self.limits.payload;
        if inner.stopped || (full && !event.must_stay()) {
            inner.drops += 1;
            Dropped::merge(&mut inner.dropped, Dropped::of(at, &event));
            return Put::Dropped;
        }
        self.push(inner, Item::Event(at, event), size);
        Put::Queued
    }

    /// Puts in a row that events refer to.
    pub(crate) fn row(&self, row: Row) {
        let inner = self.lock();
        if !inner.stopped {
            self.push(inner, Item::Row(Box::new(row)), 0);
        }
    }

    fn push(&self, mut inner: MutexGuard<'_, Inner>, item: Item, size: usize) {
        let was_empty = inner.chunks.is_empty();
        if inner
            .chunks
            .back()
            .is_none_or(|chunk| chunk.items.len() >= CHUNK)
        {
            let items = inner
                .spare
                .pop()
                .unwrap_or_else(|| Vec::with_capacity(CHUNK));
            inner.chunks.push_back(Chunk { items, payload: 0 });
        }
        if let Some(chunk) = inner.chunks.back_mut() {
            chunk.items.push(item);
            chunk.payload += size;
        }
        inner.items += 1;
        inner.payload += size;
        inner.pushed += 1;
        drop(inner);
        if was_empty {
            self.work.notify_one();
        }
    }

    /// Waits until there is something to write, then for `gather` more, so that one commit serves
    /// many; at most `idle` when there is nothing.
    pub(crate) fn take(&self, idle: Duration, gather: Duration) -> Taken {
        let mut inner = self.lock();
        let wait_until = Instant::now() + idle;
        while inner.chunks.is_empty() && inner.dropped.is_none() && !inner.urgent && !inner.closing
        {
            let Some(left) = wait_until.checked_duration_since(Instant::now()) else {
                return Taken::default();
            };
            inner = self.wait(&self.work, inner, left);
        }
        let gather_until = Instant::now() + gather;
        while !inner.urgent && !inner.closing {
            let Some(left) = gather_until.checked_duration_since(Instant::now()) else {
                break;
            };
            inner = self.wait(&self.work, inner, left);
        }
        inner.urgent = false;
        let dropped = inner.dropped.take();
        if let Some(dropped) = dropped {
            Dropped::merge(&mut inner.untold, dropped);
        }
        Taken {
            chunks: std::mem::take(&mut inner.chunks),
            dropped,
            closing: inner.closing,
        }
    }

    /// Waits for `pause` before another try, unless somebody cannot wait; says whether it is closing.
    pub(crate) fn rest(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut inner = self.lock();
        while !inner.urgent && !inner.closing {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                break;
            };
            inner = self.wait(&self.work, inner, left);
        }
        inner.urgent = false;
        inner.closing
    }

    fn wait<'a>(
        &self,
        what: &Condvar,
        inner: MutexGuard<'a, Inner>,
        at_most: Duration,
    ) -> MutexGuard<'a, Inner> {
        what.wait_timeout(inner, at_most)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// The writer has committed these chunks: there is room again.
    pub(crate) fn written(&self, chunks: impl Iterator<Item = Chunk>) {
        for mut chunk in chunks {
            let items = chunk.items.len();
            // Frees the payloads before the lock is taken.
            chunk.items.clear();
            let mut inner = self.lock();
            inner.items = inner.items.saturating_sub(items);
            inner.payload = inner.payload.saturating_sub(chunk.payload);
            inner.written += items as u64;
            if inner.spare.len() < SPARE {
                inner.spare.push(chunk.items);
            }
        }
        self.done.notify_all();
    }

    /// The writer has committed a gap that tells of these.
    pub(crate) fn told(&self, dropped: Dropped) {
        let mut inner = self.lock();
        inner.drops_told += dropped.times;
        inner.untold = None;
        if inner.written_drops.len() == WRITTEN_DROPS {
            inner.written_drops.pop_front();
        }
        inner.written_drops.push_back(dropped);
        drop(inner);
        self.done.notify_all();
    }

    /// The writer could not write.
    pub(crate) fn failed(&self) {
        self.lock().failures += 1;
        self.done.notify_all();
    }

    /// Nothing is taken from now on; gives back what nobody will write.
    pub(crate) fn stop(&self) -> Taken {
        let mut inner = self.lock();
        inner.stopped = true;
        let left = Taken {
            chunks: std::mem::take(&mut inner.chunks),
            dropped: inner.dropped.take(),
            ..Taken::default()
        };
        drop(inner);
        self.done.notify_all();
        left
    }

    /// Asks the writer to write what there is and end.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_one();
    }

    /// Waits until all that was put in or dropped before is on disk, or the writer has tried and failed.
    pub(crate) fn flush(&self) -> Waited {
        let mut inner = self.lock();
        let (pushed, drops, failures) = (inner.pushed, inner.drops, inner.failures);
        inner.urgent = true;
        self.work.notify_one();
        loop {
            if inner.written >= pushed && inner.drops_told >= drops {
                return Waited::Written;
            }
            if inner.stopped {
                return Waited::Stopped;
            }
            if inner.failures > failures {
                return Waited::Failed;
            }
            inner = self
                .done
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many items are not on disk yet, and how many bytes of memory they take.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.items, inner.payload + inner.items * size_of::<Item>())
    }

    /// What was dropped: the gaps that were written since the last call, and what none tells of yet.
    pub(crate) fn drops(&self) -> (Vec<Dropped>, Option<Dropped>) {
        let mut inner = self.lock();
        let mut waiting = inner.untold;
        if let Some(dropped) = inner.dropped {
            Dropped::merge(&mut waiting, dropped);
        }
        (inner.written_drops.drain(..).collect(), waiting)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use radio::{AttrId, SampleKind};

    use super::*;

    fn value(len: usize) -> Event {
        Event::Value {
            attribute: AttrId::from_u64(1 << 16).unwrap(),
            kind: SampleKind::Notification,
            lost_before: 2,
            bytes: Bytes::from(vec![0; len]),
        }
    }

    fn take(queue: &Queue) -> Taken {
        queue.take(Duration::ZERO, Duration::ZERO)
    }

    #[test]
    fn what_finds_no_room_is_counted_with_its_times_and_what_it_knew_to_be_lost() {
        let queue = Queue::new(Limits {
            items: 2,
            payload: 100,
        });
        for at in 1..=5 {
            let put = queue.event(Timestamp(at), value(1));
            assert_eq!(put == Put::Queued, at <= 2);
        }
        let dropped = take(&queue).dropped.unwrap();
        assert_eq!((dropped.times, dropped.lost.gattscope), (3, 3));
        assert_eq!(dropped.lost.host_queue, 6);
        assert_eq!((dropped.from, dropped.to), (Timestamp(3), Timestamp(5)));
    }

    #[test]
    fn room_is_bounded_in_bytes_too_and_comes_back_only_when_written() {
        let queue = Queue::new(Limits {
            items: 100,
            payload: 10,
        });
        assert_eq!(queue.event(Timestamp(0), value(10)), Put::Queued);
        let taken = take(&queue);
        assert_eq!(queue.event(Timestamp(1), value(1)), Put::Dropped);
        queue.written(taken.chunks.into_iter());
        assert_eq!(queue.event(Timestamp(2), value(1)), Put::Queued);
    }

    #[test]
    fn the_end_of_a_link_stays_even_when_the_queue_is_full() {
        let queue = Queue::new(Limits {
            items: 0,
            payload: 0,
        });
        let end = Event::Disconnected {
            link: LinkKey(1),
            reason: radio::DisconnectReason::Requested,
        };
        assert_eq!(queue.event(Timestamp(0), end), Put::Queued);
        assert_eq!(queue.event(Timestamp(0), value(0)), Put::Dropped);
    }

    #[test]
    fn a_known_loss_that_finds_no_room_is_still_told_and_is_not_a_loss_itself() {
        let queue = Queue::new(Limits {
            items: 0,
            payload: 0,
        });
        let gap = Event::Gap {
            cause: Cause::DeviceSequence,
            attribute: None,
            count: 5,
            from: Timestamp(1),
            to: Timestamp(2),
        };
        queue.event(Timestamp(3), gap);
        let dropped = take(&queue).dropped.unwrap();
        let lost = Losses {
            device_sequence: 5,
            ..Losses::default()
        };
        assert_eq!(dropped.lost, lost);
        assert_eq!((dropped.from, dropped.to), (Timestamp(1), Timestamp(2)));
    }

    #[test]
    fn an_item_stays_small_enough_to_queue_by_the_million() {
        assert!(size_of::<Item>() <= 72, "{}", size_of::<Item>());
    }
}
