//! Which bytes of a value count, and what is missing by that: received + lost = sent.
//!
//! The counter is the user's choice for a UUID, else the `!count` of the layout. What it misses is held
//! back for a moment: a value that comes out of its order is no loss.

use std::time::Duration;

use decode::{Format, Layout};
use radio::{AttrKind, Timestamp};
use serde::{Deserialize, Serialize};
use session::{Event as Recorded, Reconciler, Reconciliation, Step};
use ts_rs::TS;

use crate::attribute::Attribute;
use crate::connection::Connection;
use crate::explorer::{Explorer, Inner};
use crate::gatt::id;
use crate::view::Problem;

/// How long a value that is missing may still come.
const LATE: Duration = Duration::from_secs(1);
/// The last byte of the longest value.
const LAST_BYTE: u16 = 511;
/// The largest number that the page can name exactly.
const LARGEST: u64 = (1 << 53) - 1;

/// Where the user says that a device counts its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CounterChoice {
    /// Its first byte, from 0.
    pub at: u16,
    /// `u8`, `u16le`, `u24be` and so on, or bits of one byte such as `u8.4-7`: as in a layout.
    pub kind: String,
    /// Its highest value, after which comes 0; null if it uses all of its bits.
    #[ts(type = "number | null")]
    pub last: Option<u64>,
    /// How much it goes up from one value to the next.
    #[ts(type = "number")]
    pub step: u64,
}

/// What a counter has found since the recording began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CounterView {
    /// The user's choice; null if the format says what counts.
    pub choice: Option<CounterChoice>,
    /// How many values came, each counted once.
    #[ts(type = "number")]
    pub received: u64,
    /// How many are missing, those that the system's queue lost included.
    #[ts(type = "number")]
    pub lost: u64,
    /// How many the device sent: received and lost.
    #[ts(type = "number")]
    pub sent: u64,
    /// How many came once more.
    #[ts(type = "number")]
    pub repeated: u64,
    /// How often the device began anew.
    #[ts(type = "number")]
    pub restarts: u64,
}

/// The counter of one characteristic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ReconciledView {
    /// The device.
    pub device: String,
    /// Its name.
    pub device_name: String,
    /// The characteristic's key, as in [`AttributeView::key`](crate::view::AttributeView::key).
    pub attribute: String,
    /// Its name.
    pub attribute_name: String,
    /// What its counter has found.
    pub counter: CounterView,
}

/// Values that are missing between two, by the device's own counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SequenceGap {
    pub(crate) count: u64,
    /// When the last value before the gap came.
    pub(crate) from: Timestamp,
    /// When the first value after it came.
    pub(crate) to: Timestamp,
}

/// Follows the counter of one characteristic.
#[derive(Debug)]
pub(crate) struct Counting {
    read: decode::Counter,
    choice: Option<CounterChoice>,
    reconciler: Reconciler,
    /// The last gap, as long as what is missing may still come.
    held: Option<SequenceGap>,
}

impl CounterChoice {
    /// How to find the counter in a value, and how it counts.
    fn meant(&self) -> Result<(decode::Counter, session::Counter), Problem> {
        let wrong = |message: String| Problem::input(message, 0);
        if self.at > LAST_BYTE {
            return Err(wrong(format!("A value has bytes 0 to {LAST_BYTE}.")));
        }
        let skip = match self.at {
            0 => String::new(),
            bytes => format!("_:skip[{bytes}], "),
        };
        let of_a_layout = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let read = Some(&self.kind)
            .filter(|kind| kind.chars().all(of_a_layout))
            .and_then(|kind| Layout::parse(&format!("{skip}n:{kind}!count")).ok())
            .and_then(|layout| layout.counter())
            .ok_or_else(|| {
                wrong(format!(
                    "{} cannot count at byte {}. Use u8, u16le, u24be and so on, or bits such as u8.4-7.",
                    decode::clean::text(&self.kind, 16),
                    self.at
                ))
            })?;
        let whole = session::Counter::of_bits(read.bits);
        let counter = match self.last {
            None => whole,
            Some(last) if read.bits < 64 && last >> read.bits != 0 || last > LARGEST => None,
            Some(last) => session::Counter::wrapping_after(last),
        };
        let counter = counter.ok_or_else(|| {
            let most = (u64::MAX >> (64 - read.bits)).min(LARGEST);
            wrong(format!(
                "The highest value of {} is 1 to {most}.",
                self.kind
            ))
        })?;
        let counter = counter.by(self.step).ok_or_else(|| {
            wrong("A counter goes up by 1 or more, and by less than it has values.".into())
        })?;
        Ok((read, counter))
    }

    /// In words, for the log and the recording.
    fn words(&self) -> String {
        let mut words = format!("{} at byte {}", self.kind, self.at);
        if let Some(last) = self.last {
            words.push_str(&format!(", 0 after {last}"));
        }
        if self.step != 1 {
            words.push_str(&format!(", in steps of {}", self.step));
        }
        words
    }
}

impl Counting {
    /// What counts: the user's choice, else what the format says; `None` if nothing does.
    pub(crate) fn of(format: Option<&Format>, choice: Option<&CounterChoice>) -> Option<Self> {
        let (read, counter) = match choice {
            Some(choice) => choice.meant().ok()?,
            None => {
                let read = format?.counter()?;
                let counter = session::Counter::of_bits(read.bits)?;
                (read, counter.by(read.step.into())?)
            }
        };
        Some(Self {
            read,
            choice: choice.cloned(),
            reconciler: Reconciler::new(counter),
            held: None,
        })
    }

    /// Whether `other` would count the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.read == other.read && self.choice == other.choice
    }

    /// Takes a value that came after the one at `from`, with `known_lost` known to be missing before
    /// it. Says how many more are missing, and gives the gap before that one if it is certain now.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        known_lost: u32,
        from: Timestamp,
        at: Timestamp,
    ) -> (u64, Option<SequenceGap>) {
        let Some(value) = self.read.read(bytes) else {
            return (0, None);
        };
        match self.reconciler.next(value, known_lost.into()) {
            Step::Missing(count) => {
                let gap = SequenceGap {
                    count,
                    from,
                    to: at,
                };
                (count, self.held.replace(gap))
            }
            Step::Late => {
                if let Some(held) = &mut self.held {
                    held.count -= 1;
                }
                self.held = self.held.filter(|held| held.count > 0);
                (0, None)
            }
            Step::First | Step::Next | Step::Repeated | Step::Restarted => (0, None),
        }
    }

    /// The last gap, if nothing of it can come any more: at `now`, or whenever it is.
    pub(crate) fn certain(&mut self, now: Option<Timestamp>) -> Option<SequenceGap> {
        let waits = |held: &SequenceGap| now.is_some_and(|now| now.since(held.to) < LATE);
        let gap = self.held.take_if(|held| !waits(held))?;
        self.reconciler.settle();
        Some(gap)
    }

    /// The next value may be any.
    pub(crate) fn interrupt(&mut self) {
        self.reconciler.interrupt();
    }

    /// Counts for another recording from now on.
    pub(crate) fn begin_anew(&mut self) {
        self.reconciler.begin_anew();
    }

    pub(crate) fn view(&self) -> CounterView {
        let found: Reconciliation = self.reconciler.so_far();
        CounterView {
            choice: self.choice.clone(),
            received: found.received,
            lost: found.lost.saturating_add(found.known_lost),
            sent: found.sent(),
            repeated: found.repeated,
            restarts: found.restarts,
        }
    }
}

impl Inner {
    /// Says what counts in the characteristics of a connection, by the user's choices.
    pub(crate) fn count(&self, connection: &Connection) {
        for attribute in connection.attributes().iter() {
            let choice = self.counter(attribute);
            attribute.memory().set_counter(choice);
        }
    }

    fn counter(&self, attribute: &Attribute) -> Option<CounterChoice> {
        let uuid = attribute.uuid.to_string();
        self.preference(|preferences| preferences.counters.get(&uuid).cloned())
    }

    fn set_counter(&self, number: u64, choice: Option<CounterChoice>) -> Result<(), Problem> {
        let (connection, chosen) = self.attribute(id(number)?)?;
        if chosen.kind != AttrKind::Characteristic {
            let why = "Only characteristics send values that could be counted.";
            return Err(Problem::input(why, 0));
        }
        if let Some(choice) = &choice {
            choice.meant()?;
        }
        let uuid = chosen.uuid;
        self.prefer(|preferences| {
            match &choice {
                Some(choice) => preferences
                    .counters
                    .insert(uuid.to_string(), choice.clone()),
                None => preferences.counters.remove(&uuid.to_string()),
            };
        });
        for connection in self.connections() {
            for attribute in connection.attributes().iter().filter(|a| a.uuid == uuid) {
                self.settle(&connection, attribute, None);
                attribute.memory().set_counter(choice.clone());
            }
        }
        let what = match &choice {
            Some(choice) => format!("Lost values are found by {}, from here on", choice.words()),
            None => {
                "Lost values are found by the format's counter, if it has one, from here on".into()
            }
        };
        let name = chosen.name();
        let now = self.now();
        let text = format!("{name} ({uuid}): {what}").into();
        self.record(|recorder| recorder.record(now, Recorded::Note { text }));
        self.log_done(
            "lost",
            "Counter",
            Some(&connection.device),
            Some(name),
            what,
        );
        Ok(())
    }

    /// Takes what is missing by the counter for lost: what is certain at `now`, or all of it.
    pub(crate) fn settle(
        &self,
        connection: &Connection,
        attribute: &Attribute,
        now: Option<Timestamp>,
    ) {
        let gap = attribute.memory().certain(now);
        if let Some(gap) = gap {
            self.skipped(connection, attribute, gap);
        }
    }

    /// The same for every characteristic of every connection.
    pub(crate) fn settle_all(&self, now: Option<Timestamp>) {
        for connection in self.connections() {
            for attribute in connection.attributes().iter() {
                self.settle(&connection, attribute, now);
            }
        }
    }
}

impl Explorer {
    /// Chooses which bytes of a characteristic, and of every other of its UUID, count its values;
    /// without a choice the format says so. It holds from now on, and the recording says so.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is no such attribute, or no device could count so.
    pub fn set_counter(
        &self,
        attribute: u64,
        choice: Option<CounterChoice>,
    ) -> Result<(), Problem> {
        self.0.set_counter(attribute, choice)
    }

    /// What the counters of all characteristics have found since the recording began.
    #[must_use]
    pub fn reconciliations(&self) -> Vec<ReconciledView> {
        let mut all = Vec::new();
        for connection in self.0.connections() {
            for attribute in connection.attributes().iter() {
                let Some(counter) = attribute.memory().counter_view() else {
                    continue;
                };
                if counter.received > 0 {
                    all.push(ReconciledView {
                        device: connection.device.to_string(),
                        device_name: self.0.devices().name(&connection.device).0,
                        attribute: attribute.key.clone(),
                        attribute_name: attribute.name(),
                        counter,
                    });
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(at: u16, kind: &str, last: Option<u64>, step: u64) -> CounterChoice {
        CounterChoice {
            at,
            kind: kind.into(),
            last,
            step,
        }
    }

    fn counting(choice: &CounterChoice) -> Counting {
        Counting::of(None, Some(choice)).unwrap()
    }

    /// How many are missing after these values, each a second after the last.
    fn lost(choice: &CounterChoice, values: &[&[u8]]) -> u64 {
        let mut counting = counting(choice);
        for (second, value) in values.iter().enumerate() {
            let at = Timestamp(second as i64 * 1_000_000_000);
            counting.take(value, 0, at, at);
        }
        counting.view().lost
    }

    #[test]
    fn any_bytes_of_any_width_and_order_can_count() {
        assert_eq!(lost(&choice(0, "u8", None, 1), &[&[255], &[2]]), 2);
        assert_eq!(
            lost(&choice(1, "u16be", None, 1), &[&[9, 0, 255], &[9, 1, 1]]),
            1
        );
        assert_eq!(
            lost(&choice(1, "u16le", None, 1), &[&[9, 255, 0], &[9, 1, 1]]),
            1
        );
        assert_eq!(
            lost(
                &choice(0, "u24le", None, 1),
                &[&[255, 255, 255], &[4, 0, 0]]
            ),
            4
        );
        assert_eq!(lost(&choice(0, "u8.4-7", None, 1), &[&[0xE7], &[0x1A]]), 2);
        let eight = |n: u64| n.to_be_bytes();
        let values: [&[u8]; 2] = [&eight(u64::MAX), &eight(7)];
        assert_eq!(lost(&choice(0, "u64be", None, 1), &values), 7);
        // 0 to 249, and one that goes up by ten.
        assert_eq!(
            lost(&choice(0, "u8", Some(249), 1), &[&[249], &[0], &[2]]),
            1
        );
        assert_eq!(lost(&choice(0, "u8", None, 10), &[&[250], &[4], &[24]]), 1);
        assert_eq!(
            lost(&choice(3, "u8", None, 1), &[&[1], &[9]]),
            0,
            "too short to tell"
        );
    }

    #[test]
    fn what_no_device_could_count_by_is_refused_with_the_reason() {
        for (wrong, part) in [
            (choice(512, "u8", None, 1), "0 to 511"),
            (choice(0, "u16", None, 1), "cannot count"),
            (choice(0, "f32le", None, 1), "cannot count"),
            (choice(511, "u16le", None, 1), "cannot count"),
            (choice(0, "u8!count, x:u8", None, 1), "cannot count"),
            (choice(0, "u8", Some(256), 1), "1 to 255"),
            (choice(0, "u8", Some(0), 1), "1 to 255"),
            (choice(0, "u8", None, 0), "goes up by"),
            (choice(0, "u8", Some(9), 10), "goes up by"),
        ] {
            let problem = wrong.meant().unwrap_err();
            assert!(problem.message.contains(part), "{wrong:?}: {problem}");
        }
    }

    #[test]
    fn what_is_missing_is_certain_after_a_second_or_with_the_next_gap_and_never_if_it_came_late() {
        let ms = |ms: i64| Timestamp(ms * 1_000_000);
        let mut counting = counting(&choice(0, "u8", None, 1));
        let mut take = |at, value| counting.take(&[value], 0, ms(at - 1), ms(at));
        assert_eq!(take(1, 5), (0, None));
        assert_eq!(take(2, 8), (2, None));
        assert_eq!(take(3, 6), (0, None), "late: one is missing still");
        let gap = SequenceGap {
            count: 1,
            from: ms(1),
            to: ms(2),
        };
        assert_eq!(take(4, 10), (1, Some(gap)));
        assert_eq!(take(5, 9), (0, None), "late: none is missing");
        assert_eq!(take(6, 13), (2, None));
        assert_eq!(counting.certain(Some(ms(1005))), None);
        assert_eq!(
            counting.certain(Some(ms(1006))).map(|gap| gap.count),
            Some(2)
        );
        assert_eq!(counting.certain(None), None);
        let view = counting.view();
        assert_eq!((view.received, view.lost, view.sent), (6, 3, 9));
    }
}
