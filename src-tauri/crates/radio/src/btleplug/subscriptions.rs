//! Who gets which notification: the sinks of a link, and the echoes of reads taken out.
//!
//! BlueZ tells of a read of its own as it tells of a notification: the value that was read appears
//! as a changed property, in order just before the read's answer (src/gatt-client.c, `chrc_read_cb`).
//! So while a subscribed characteristic is read, what arrives for it is held back; when the answer is
//! there, *one* value equal to it is the echo and is dropped, and the rest is handed out with the
//! stamps of their arrival. A value that does not fit one PDU is echoed twice, first its beginning.
//! What cannot be told: the read of another program, which BlueZ echoes to everybody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::table::Key;
use crate::{AttrId, Sample, SampleKind, SampleSink, Timestamp};

/// One subscribed characteristic.
struct Subscription {
    attribute: AttrId,
    kind: SampleKind,
    sink: Arc<dyn SampleSink>,
}

/// A read whose echo is awaited, and what arrived meanwhile.
struct Reading {
    key: Key,
    held: Vec<(Timestamp, Vec<u8>)>,
}

#[derive(Default)]
struct Inner {
    sinks: HashMap<Key, Subscription>,
    reading: Option<Reading>,
}

/// The subscriptions of one link.
#[derive(Default)]
pub(super) struct Subscriptions(Mutex<Inner>);

impl Subscriptions {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is a single step, so a sink that panicked left nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the sink of a characteristic, and tells whether it had one.
    pub(super) fn set(
        &self,
        key: Key,
        attribute: AttrId,
        kind: SampleKind,
        sink: Arc<dyn SampleSink>,
    ) -> bool {
        let subscription = Subscription {
            attribute,
            kind,
            sink,
        };
        self.inner().sinks.insert(key, subscription).is_some()
    }

    /// Takes the sink away, and tells whether there was one. It is not called after this returns.
    pub(super) fn remove(&self, key: &Key) -> bool {
        self.inner().sinks.remove(key).is_some()
    }

    /// Takes all sinks away.
    pub(super) fn clear(&self) {
        *self.inner() = Inner::default();
    }

    /// Hands a value to its sink, or holds it while its characteristic is read.
    pub(super) fn arrived(&self, key: &Key, at: Timestamp, value: Vec<u8>) {
        let mut inner = self.inner();
        match &mut inner.reading {
            Some(reading) if reading.key == *key => reading.held.push((at, value)),
            _ => inner.hand_out(key, at, value),
        }
    }

    /// A read of this characteristic begins; `false` if nobody would take its echo for a value.
    pub(super) fn read_begins(&self, key: Key) -> bool {
        let mut inner = self.inner();
        let subscribed = inner.sinks.contains_key(&key);
        if subscribed {
            let held = Vec::new();
            inner.reading = Some(Reading { key, held });
        }
        subscribed
    }

    /// The read ended with `answer`, and all that arrived before it has been taken.
    pub(super) fn read_ended(&self, answer: Option<&[u8]>, mtu: u16) {
        let mut inner = self.inner();
        let Some(mut reading) = inner.reading.take() else {
            return;
        };
        if let Some(answer) = answer {
            let drop_one = |held: &mut Vec<(Timestamp, Vec<u8>)>, echo: &[u8]| {
                if let Some(place) = held.iter().position(|(_, value)| value == echo) {
                    held.remove(place);
                }
            };
            // An ATT Read Response carries MTU - 1 bytes.
            let first = usize::from(mtu).saturating_sub(1);
            if let Some(beginning) = answer.get(..first).filter(|_| answer.len() > first) {
                drop_one(&mut reading.held, beginning);
            }
            drop_one(&mut reading.held, answer);
        }
        for (at, value) in reading.held {
            inner.hand_out(&reading.key, at, value);
        }
    }
}

impl Inner {
    fn hand_out(&self, key: &Key, at: Timestamp, value: Vec<u8>) {
        if let Some(to) = self.sinks.get(key) {
            to.sink.sample(Sample {
                attribute: to.attribute,
                at,
                // No system says what its queue dropped.
                lost_before: 0,
                kind: to.kind,
                bytes: Bytes::from(value),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Generation;
    use uuid::Uuid;

    const KEY: Key = (Uuid::from_u128(1), Uuid::from_u128(2));
    const OTHER: Key = (Uuid::from_u128(1), Uuid::from_u128(3));

    type Came = Arc<Mutex<Vec<(i64, Vec<u8>)>>>;

    fn subscribed() -> (Subscriptions, Came) {
        let subscriptions = Subscriptions::default();
        let came = Came::default();
        let keep = came.clone();
        let attribute = AttrId {
            generation: Generation(1),
            index: 4,
        };
        let sink = Arc::new(move |sample: Sample| {
            assert_eq!(sample.attribute, attribute);
            keep.lock()
                .unwrap()
                .push((sample.at.nanos(), sample.bytes.to_vec()));
        });
        assert!(!subscriptions.set(KEY, attribute, SampleKind::Notification, sink));
        (subscriptions, came)
    }

    #[test]
    fn a_value_goes_to_the_sink_of_its_characteristic_until_it_is_removed() {
        let (subscriptions, came) = subscribed();
        subscriptions.arrived(&KEY, Timestamp(1), vec![1]);
        subscriptions.arrived(&OTHER, Timestamp(2), vec![2]);
        assert!(subscriptions.remove(&KEY));
        subscriptions.arrived(&KEY, Timestamp(3), vec![3]);
        assert!(!subscriptions.remove(&KEY));
        assert_eq!(*came.lock().unwrap(), [(1, vec![1])]);
    }

    #[test]
    fn the_echo_of_a_read_is_dropped_once_and_everything_else_keeps_its_place_and_stamp() {
        let (subscriptions, came) = subscribed();
        assert!(subscriptions.read_begins(KEY));
        for (at, value) in [(1, 7), (2, 9), (3, 8), (4, 9)] {
            subscriptions.arrived(&KEY, Timestamp(at), vec![value]);
        }
        assert_eq!(*came.lock().unwrap(), [], "held until the answer is known");
        subscriptions.read_ended(Some(&[9]), 23);
        subscriptions.arrived(&KEY, Timestamp(5), vec![9]);
        assert_eq!(
            *came.lock().unwrap(),
            [(1, vec![7]), (3, vec![8]), (4, vec![9]), (5, vec![9])]
        );
    }

    #[test]
    fn a_long_value_is_echoed_by_its_beginning_too() {
        let (subscriptions, came) = subscribed();
        let long: Vec<u8> = (0..60).collect();
        assert!(subscriptions.read_begins(KEY));
        subscriptions.arrived(&KEY, Timestamp(1), long[..22].to_vec());
        subscriptions.arrived(&KEY, Timestamp(2), long[..20].to_vec());
        subscriptions.arrived(&KEY, Timestamp(3), long.clone());
        subscriptions.read_ended(Some(&long), 23);
        assert_eq!(*came.lock().unwrap(), [(2, long[..20].to_vec())]);
    }

    #[test]
    fn a_read_that_failed_or_was_of_another_characteristic_drops_nothing() {
        let (subscriptions, came) = subscribed();
        assert!(subscriptions.read_begins(KEY));
        subscriptions.arrived(&KEY, Timestamp(1), vec![1]);
        subscriptions.read_ended(None, 23);
        assert!(!subscriptions.read_begins(OTHER), "nobody listens to it");
        subscriptions.arrived(&KEY, Timestamp(2), vec![2]);
        subscriptions.read_ended(Some(&[2]), 23);
        assert_eq!(*came.lock().unwrap(), [(1, vec![1]), (2, vec![2])]);
    }
}
