//! The subscriptions of a link: who gets which value, by which of BlueZ's two ways.
//!
//! *By socket* (`AcquireNotify`): a socket of its own for each characteristic, with a reader that does
//! nothing else; nothing but notifications comes by it. BlueZ drops what finds the socket full, about
//! 170 values of 244 bytes, and what a device sends before it has confirmed the subscription.
//!
//! *By signal* (`StartNotify`): a change of the property `Value`, which BlueZ also tells for each read.
//! So while such a characteristic is read, what comes is held back, and when the answer is there, *one*
//! value equal to it is the echo and is dropped. A value that does not fit one PDU is echoed twice,
//! first its beginning. The read of another program is echoed to everybody, and cannot be told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::table::{Place, Table};
use crate::{AttrId, NotifyRoute, Sample, SampleKind, SampleSink, Timestamp};

/// What a subscription is, apart from the object that it is of.
#[derive(Clone)]
pub(super) struct Subscription {
    pub(super) attribute: AttrId,
    pub(super) uuid: Uuid,
    pub(super) kind: SampleKind,
    pub(super) route: NotifyRoute,
    pub(super) sink: Arc<dyn SampleSink>,
}

/// How the values of a subscription come.
enum Way {
    /// BlueZ was not asked yet; signals count, for they can come before its answer.
    Asking,
    Socket(AbortHandle),
    Signals,
}

struct Stream {
    number: u64,
    subscription: Subscription,
    way: Way,
    /// While it is read.
    held: Option<Vec<(Timestamp, Vec<u8>)>>,
}

impl Stream {
    /// Hands out what was held for a read whose answer does not come any more.
    fn let_out(&mut self) {
        for (at, value) in self.held.take().unwrap_or_default() {
            self.hand_out(at, value);
        }
    }

    /// Ends it.
    fn end(mut self) {
        self.let_out();
        if let Way::Socket(reader) = self.way {
            reader.abort();
        }
    }

    fn hand_out(&self, at: Timestamp, value: Vec<u8>) {
        self.subscription.sink.sample(Sample {
            attribute: self.subscription.attribute,
            at,
            // BlueZ does not say what it dropped.
            lost_before: 0,
            kind: self.subscription.kind,
            bytes: Bytes::from(value),
        });
    }
}

#[derive(Default)]
struct Inner {
    number: u64,
    streams: HashMap<Place, Stream>,
}

/// The subscriptions of one link.
#[derive(Default)]
pub(super) struct Streams(Mutex<Inner>);

/// What was found of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It runs by this way.
    Runs(NotifyRoute),
    /// There is none.
    None,
}

impl Streams {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is a single step, so a sink that panicked left nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a characteristic is subscribed, and how.
    pub(super) fn standing(&self, place: Place) -> Standing {
        match self.inner().streams.get(&place) {
            Some(stream) => Standing::Runs(match stream.way {
                Way::Socket(_) => NotifyRoute::Socket,
                Way::Signals | Way::Asking => NotifyRoute::Signals,
            }),
            None => Standing::None,
        }
    }

    /// Gives a running subscription another sink.
    pub(super) fn replace(&self, place: Place, subscription: Subscription) {
        if let Some(stream) = self.inner().streams.get_mut(&place) {
            stream.subscription = subscription;
        }
    }

    /// Begins a subscription, before BlueZ is asked: some devices send before they confirm.
    pub(super) fn begin(&self, place: Place, subscription: Subscription) -> u64 {
        let mut inner = self.inner();
        inner.number += 1;
        let stream = Stream {
            number: inner.number,
            subscription,
            way: Way::Asking,
            held: None,
        };
        inner.streams.insert(place, stream);
        inner.number
    }

    /// The reader of a socket was started.
    pub(super) fn by_socket(&self, place: Place, number: u64, reader: AbortHandle) {
        match self.inner().streams.get_mut(&place) {
            Some(stream) if stream.number == number => stream.way = Way::Socket(reader),
            _ => reader.abort(),
        }
    }

    /// BlueZ sends the values as signals.
    pub(super) fn by_signals(&self, place: Place) {
        if let Some(stream) = self.inner().streams.get_mut(&place) {
            stream.way = Way::Signals;
        }
    }

    /// Ends a subscription. Its sink is not called after this returns.
    pub(super) fn end(&self, place: Place) {
        let mut inner = self.inner();
        if let Some(stream) = inner.streams.remove(&place) {
            stream.end();
        }
    }

    /// Ends all subscriptions.
    pub(super) fn clear(&self) {
        let mut inner = self.inner();
        for (_, stream) in inner.streams.drain() {
            stream.end();
        }
    }

    /// A value came by the socket of subscription `number`; `false` if that is over.
    pub(super) fn read(&self, place: Place, number: u64, at: Timestamp, value: Vec<u8>) -> bool {
        let inner = self.inner();
        let stream = inner.streams.get(&place);
        let Some(stream) = stream.filter(|stream| stream.number == number) else {
            return false;
        };
        stream.hand_out(at, value);
        true
    }

    /// The property `Value` changed.
    pub(super) fn signalled(&self, place: Place, at: Timestamp, value: Vec<u8>) {
        let mut inner = self.inner();
        let Some(stream) = inner.streams.get_mut(&place) else {
            return;
        };
        // While BlueZ is asked for a socket, what changes the property is a read of somebody.
        let by_signal = match stream.way {
            Way::Signals => true,
            Way::Asking => stream.subscription.route == NotifyRoute::Signals,
            Way::Socket(_) => false,
        };
        if !by_signal {
            return;
        }
        match &mut stream.held {
            Some(held) => held.push((at, value)),
            None => stream.hand_out(at, value),
        }
    }

    /// A read of this characteristic begins; `false` if nobody would take its echo for a value.
    pub(super) fn read_begins(&self, place: Place) -> bool {
        let mut inner = self.inner();
        match inner.streams.get_mut(&place) {
            Some(stream) if matches!(stream.way, Way::Signals) => {
                stream.held = Some(Vec::new());
                true
            }
            _ => false,
        }
    }

    /// The read ended with `answer`, and every signal before it has been taken.
    pub(super) fn read_ended(&self, place: Place, answer: Option<&[u8]>, mtu: u16) {
        let mut inner = self.inner();
        let Some(stream) = inner.streams.get_mut(&place) else {
            return;
        };
        let mut held = stream.held.take().unwrap_or_default();
        if let Some(answer) = answer {
            let mut drop_one = |echo: &[u8]| {
                if let Some(place) = held.iter().position(|(_, value)| value == echo) {
                    held.remove(place);
                }
            };
            // An ATT Read Response carries MTU - 1 bytes.
            let first = usize::from(mtu).saturating_sub(1);
            if let Some(beginning) = answer.get(..first).filter(|_| answer.len() > first) {
                drop_one(beginning);
            }
            drop_one(answer);
        }
        for (at, value) in held {
            stream.hand_out(at, value);
        }
    }

    /// Takes the subscriptions over into another table: those whose attribute stands at its place
    /// with its UUID keep running under its new identity, the others end. Gives those that have to be
    /// asked for again, because their object was `removed` meanwhile or their socket ended.
    pub(super) fn carry_over(
        &self,
        table: &Table,
        removed: impl Fn(Place) -> bool,
    ) -> Vec<(Place, Subscription)> {
        let mut inner = self.inner();
        let mut again = Vec::new();
        for (place, mut stream) in std::mem::take(&mut inner.streams) {
            let ended = matches!(&stream.way, Way::Socket(reader) if reader.is_finished());
            let Some(attribute) = table.at(place, stream.subscription.uuid) else {
                stream.end();
                continue;
            };
            stream.subscription.attribute = attribute;
            if removed(place) || ended {
                again.push((place, stream.subscription.clone()));
                stream.end();
            } else {
                inner.streams.insert(place, stream);
            }
        }
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Generation;

    const PLACE: Place = Place {
        service: 0x10,
        characteristic: Some(0x11),
        descriptor: None,
    };
    const OTHER: Place = Place {
        service: 0x10,
        characteristic: Some(0x14),
        descriptor: None,
    };

    type Came = Arc<Mutex<Vec<(i64, Vec<u8>)>>>;

    fn subscription(route: NotifyRoute) -> (Subscription, Came) {
        let came = Came::default();
        let keep = came.clone();
        let sink = Arc::new(move |sample: Sample| {
            let sample = (sample.at.nanos(), sample.bytes.to_vec());
            keep.lock().unwrap().push(sample);
        });
        let subscription = Subscription {
            attribute: AttrId {
                generation: Generation(1),
                index: 4,
            },
            uuid: Uuid::from_u128(2),
            kind: SampleKind::Notification,
            route,
            sink,
        };
        (subscription, came)
    }

    fn by_signals() -> (Streams, Came) {
        let streams = Streams::default();
        let (subscription, came) = subscription(NotifyRoute::Signals);
        streams.begin(PLACE, subscription);
        streams.by_signals(PLACE);
        (streams, came)
    }

    #[test]
    fn a_value_that_comes_before_the_confirmation_is_kept() {
        let streams = Streams::default();
        let (subscription, came) = subscription(NotifyRoute::Signals);
        streams.begin(PLACE, subscription);
        streams.signalled(PLACE, Timestamp(1), vec![1]);
        streams.by_signals(PLACE);
        streams.signalled(OTHER, Timestamp(2), vec![2]);
        streams.signalled(PLACE, Timestamp(3), vec![3]);
        streams.end(PLACE);
        streams.signalled(PLACE, Timestamp(4), vec![4]);
        assert_eq!(*came.lock().unwrap(), [(1, vec![1]), (3, vec![3])]);
        assert_eq!(streams.standing(PLACE), Standing::None);
    }

    #[test]
    fn the_echo_of_a_read_is_dropped_once_and_everything_else_keeps_its_place_and_stamp() {
        let (streams, came) = by_signals();
        assert!(streams.read_begins(PLACE));
        for (at, value) in [(1, 7), (2, 9), (3, 8), (4, 9)] {
            streams.signalled(PLACE, Timestamp(at), vec![value]);
        }
        assert_eq!(*came.lock().unwrap(), [], "held until the answer is known");
        streams.read_ended(PLACE, Some(&[9]), 23);
        streams.signalled(PLACE, Timestamp(5), vec![9]);
        assert_eq!(
            *came.lock().unwrap(),
            [(1, vec![7]), (3, vec![8]), (4, vec![9]), (5, vec![9])]
        );
    }

    #[test]
    fn a_long_value_is_echoed_by_its_beginning_too_and_a_failed_read_drops_nothing() {
        let (streams, came) = by_signals();
        let long: Vec<u8> = (0..60).collect();
        assert!(streams.read_begins(PLACE));
        streams.signalled(PLACE, Timestamp(1), long[..22].to_vec());
        streams.signalled(PLACE, Timestamp(2), long[..20].to_vec());
        streams.signalled(PLACE, Timestamp(3), long.clone());
        streams.read_ended(PLACE, Some(&long), 23);
        assert!(streams.read_begins(PLACE));
        streams.signalled(PLACE, Timestamp(4), vec![4]);
        streams.read_ended(PLACE, None, 23);
        assert!(!streams.read_begins(OTHER), "nobody listens to it");
        assert_eq!(
            *came.lock().unwrap(),
            [(2, long[..20].to_vec()), (4, vec![4])]
        );
    }

    #[test]
    fn what_is_held_for_a_read_comes_out_when_the_link_ends_first() {
        let ends: [fn(&Streams); 2] = [|streams| streams.clear(), |streams| streams.end(PLACE)];
        for end in ends {
            let (streams, came) = by_signals();
            assert!(streams.read_begins(PLACE));
            streams.signalled(PLACE, Timestamp(1), vec![1]);
            end(&streams);
            streams.read_ended(PLACE, Some(&[1]), 23);
            assert_eq!(*came.lock().unwrap(), [(1, vec![1])]);
        }
    }

    #[tokio::test]
    async fn a_socket_takes_no_echo_and_speaks_for_its_own_subscription_only() {
        let streams = Streams::default();
        let (first, came) = subscription(NotifyRoute::Socket);
        let number = streams.begin(PLACE, first);
        streams.signalled(PLACE, Timestamp(1), vec![1]);
        let reader = tokio::spawn(std::future::pending::<()>());
        streams.by_socket(PLACE, number, reader.abort_handle());
        assert_eq!(streams.standing(PLACE), Standing::Runs(NotifyRoute::Socket));
        assert!(!streams.read_begins(PLACE));
        streams.signalled(PLACE, Timestamp(2), vec![2]);
        assert!(streams.read(PLACE, number, Timestamp(3), vec![3]));
        streams.end(PLACE);
        assert!(reader.await.unwrap_err().is_cancelled());
        let (second, came_later) = subscription(NotifyRoute::Socket);
        streams.begin(PLACE, second);
        assert!(!streams.read(PLACE, number, Timestamp(4), vec![4]));
        assert_eq!(*came.lock().unwrap(), [(3, vec![3])]);
        assert_eq!(*came_later.lock().unwrap(), []);
    }
}
