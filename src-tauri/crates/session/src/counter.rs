//! What a device's own counter says is missing: received + lost = sent.
//!
//! A counter is known by where it wraps and by how much it goes up. From each value to the next it
//! tells how many lie between; what is known to have been lost here already is not counted again.

use std::collections::{HashSet, VecDeque};

use radio::AttrId;

use crate::{Cause, Error, Filter, Gap, Kind, LinkKey, Losses, Result, Session, SessionTime};

/// How a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The highest value; the next one is 0.
    last: u64,
    step: u64,
}

impl Counter {
    /// A counter of so many bits, 1 to 64, that goes up by one; `None` for any other number.
    #[must_use]
    pub fn of_bits(bits: u32) -> Option<Self> {
        let last = u64::MAX.checked_shr(64_u32.checked_sub(bits)?)?;
        Some(Self { last, step: 1 })
    }

    /// A counter whose value after `last` is 0, and that goes up by one. `None` if it could not count.
    #[must_use]
    pub fn wrapping_after(last: u64) -> Option<Self> {
        (last > 0).then_some(Self { last, step: 1 })
    }

    /// One that goes up by `step` each time; `None` if it could not count so.
    #[must_use]
    pub fn by(self, step: u64) -> Option<Self> {
        (1..=self.last)
            .contains(&step)
            .then_some(Self { step, ..self })
    }

    /// How much it went up from `from` to `to`, wrapped where `to` is less.
    fn distance(self, from: u64, to: u64) -> u64 {
        match to.checked_sub(from) {
            Some(up) => up,
            None => (self.last - from) + to + 1,
        }
    }
}

/// What a value tells about those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first one: nothing is known of what came before.
    First,
    /// The next one.
    Next,
    /// So many are missing in between, beyond what was known to be.
    Missing(u64),
    /// The same once more: it was sent again.
    Repeated,
    /// One that was taken for missing has come after all, out of its order.
    Late,
    /// It went back, or by what it does not count by: the device began anew, and how many are missing
    /// is not known.
    Restarted,
}

/// What was received and what is missing, by the counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// How many values were received, each counted once.
    pub received: u64,
    /// How many are missing that nobody else had counted: lost in the device or on the air.
    pub lost: u64,
    /// How many are missing that were known to be lost here.
    pub known_lost: u64,
    /// How many came once more.
    pub repeated: u64,
    /// How often the device began anew.
    pub restarts: u64,
}

impl Reconciliation {
    /// How many the device sent from the first received to the last, what it sent again not counted.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.received
            .saturating_add(self.lost)
            .saturating_add(self.known_lost)
    }
}

/// How many steps behind a value may come and still be one that was missing.
const LATE: u64 = 32;

/// Values that are missing between two, as long as they may still come.
#[derive(Clone, Copy, Debug)]
struct Hole {
    /// The value after it.
    to: u64,
    /// How many of it lost nobody else.
    left: u64,
    /// How many values it has.
    values: u64,
    /// Which of them have come, counted back from `to`, a bit each.
    came: u32,
}

/// Where a counter was before it seemed to begin anew.
#[derive(Clone, Copy, Debug)]
struct Stray {
    value: u64,
    /// How many known losses were counted when it seemed so.
    known: u64,
}

/// Follows one counter of one device.
///
/// A value that is a little behind and was missing is [late](Step::Late). One that is behind and was
/// not missing is either the first after the device began anew, or a stray: which of the two, the next
/// value tells.
///
/// ```
/// use session::{Counter, Reconciler, Step};
///
/// # fn main() -> Option<()> {
/// let mut sequence = Reconciler::new(Counter::of_bits(8)?);
/// assert_eq!(sequence.next(253, 0), Step::First);
/// assert_eq!(sequence.next(254, 0), Step::Next);
/// // 255, 0 and 1 did not come; one of them was lost in the host's queue.
/// assert_eq!(sequence.next(2, 1), Step::Missing(2));
/// let found = sequence.so_far();
/// assert_eq!((found.received, found.lost, found.known_lost), (3, 2, 1));
/// assert_eq!(found.sent(), 6);
/// # Some(())
/// # }
/// # main().unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reconciler {
    counter: Counter,
    before: Option<u64>,
    hole: Option<Hole>,
    /// What was before the last value, if that one seems to have begun anew.
    stray: Option<Stray>,
    so_far: Reconciliation,
}

impl Reconciler {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(counter: Counter) -> Self {
        Self {
            counter,
            before: None,
            hole: None,
            stray: None,
            so_far: Reconciliation::default(),
        }
    }

    /// Takes the next value. `known_lost` is how many are known to have been lost since the last one
    /// by somebody else, such as the host's queue.
    ///
    /// A step of more than half of the counter's range is taken for a step back: what is lost between
    /// two values must be less than that.
    pub fn next(&mut self, value: u64, known_lost: u64) -> Step {
        let Counter { last, step } = self.counter;
        let Some(before) = self.before else {
            self.before = Some(value);
            self.so_far.received += 1;
            return Step::First;
        };
        let stray = self.stray.take();
        if value > last || before > last {
            return self.restart(value, None, known_lost);
        }
        if let Some(stray) = stray
            && self.goes_on(stray.value, before, value)
        {
            // It goes on where it was: the one in between was sent again.
            self.so_far.restarts = self.so_far.restarts.saturating_sub(1);
            self.so_far.repeated += 1;
            // The one in between was counted as received.
            self.so_far.received = self.so_far.received.saturating_sub(1);
            return self.forward(stray.value, value, known_lost, stray.known);
        }
        let distance = self.counter.distance(before, value);
        if distance == 0 {
            self.so_far.repeated += 1;
            return Step::Repeated;
        }
        // Half of the range, rounded up: a counter of one bit still counts.
        if distance > last / 2 + 1 {
            if self.is_late(value, before) {
                self.so_far.received += 1;
                self.so_far.lost = self.so_far.lost.saturating_sub(1);
                return Step::Late;
            }
            return self.restart(value, Some(before), known_lost);
        }
        if !distance.is_multiple_of(step) {
            return self.restart(value, Some(before), known_lost);
        }
        self.forward(before, value, known_lost, 0)
    }

    /// Goes up from `before` to `value`. Of those in between, `known_lost` are known to be lost, and
    /// `counted` more, which have been counted.
    fn forward(&mut self, before: u64, value: u64, known_lost: u64, counted: u64) -> Step {
        self.before = Some(value);
        let between = self.counter.distance(before, value) / self.counter.step - 1;
        let known = between.min(known_lost.saturating_add(counted));
        let so_far = &mut self.so_far;
        so_far.received += 1;
        so_far.known_lost = so_far
            .known_lost
            .saturating_add(known.saturating_sub(counted));
        so_far.lost = so_far.lost.saturating_add(between - known);
        match between - known {
            0 => Step::Next,
            missing => {
                self.hole = Some(Hole {
                    to: value,
                    left: missing,
                    values: between,
                    came: 0,
                });
                Step::Missing(missing)
            }
        }
    }

    /// Whether `value` follows `stray` rather than `before`, which came between them.
    fn goes_on(&self, stray: u64, before: u64, value: u64) -> bool {
        let Counter { step, .. } = self.counter;
        let up = self.counter.distance(stray, value);
        let steps = up / step;
        // After a loss only if the one in between is from just before: a device that begins anew begins
        // elsewhere.
        let again = self.counter.distance(before, stray) / step <= LATE;
        up.is_multiple_of(step) && (steps == 1 || again && (2..=LATE).contains(&steps))
    }

    fn restart(&mut self, value: u64, stray: Option<u64>, known_lost: u64) -> Step {
        self.before = Some(value);
        self.stray = stray.map(|value| Stray {
            value,
            known: known_lost,
        });
        self.hole = None;
        self.so_far.received += 1;
        self.so_far.restarts += 1;
        self.so_far.known_lost = self.so_far.known_lost.saturating_add(known_lost);
        Step::Restarted
    }

    /// Whether a value that is behind fills the last hole; it fills it then.
    fn is_late(&mut self, value: u64, before: u64) -> bool {
        let Counter { step, .. } = self.counter;
        let Some(hole) = &mut self.hole else {
            return false;
        };
        let behind = self.counter.distance(value, hole.to);
        let steps = behind / step;
        let near = steps <= LATE && self.counter.distance(hole.to, before) / step <= LATE;
        if hole.left == 0 || steps == 0 || steps > hole.values || !near {
            return false;
        }
        let bit = 1_u32 << (steps - 1);
        if !behind.is_multiple_of(step) || hole.came & bit != 0 {
            return false;
        }
        hole.came |= bit;
        hole.left -= 1;
        true
    }

    /// What is missing now stays missing: nothing of it can be [late](Step::Late) any more.
    pub fn settle(&mut self) {
        self.hole = None;
    }

    /// The next value may be any, as that of a new subscription may; what was found so far stays.
    pub fn interrupt(&mut self) {
        self.before = None;
        self.hole = None;
        self.stray = None;
    }

    /// Finds from now on, as for a new recording: what was found so far is forgotten, and the last
    /// value is not, so that what is missing after it is found.
    pub fn begin_anew(&mut self) {
        self.so_far = Reconciliation::default();
        self.settle();
    }

    /// What has been found so far.
    #[must_use]
    pub fn so_far(&self) -> Reconciliation {
        self.so_far
    }
}

/// What a counter says of the values of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// How many values were received, each counted once.
    pub received: u64,
    /// How many are missing, by who lost them.
    pub lost: Losses,
    /// How many came once more.
    pub repeated: u64,
    /// How often the device began anew.
    pub restarts: u64,
    /// How many values have no counter where it was looked for.
    pub unreadable: u64,
}

impl Ledger {
    /// How many the device sent from the first received to the last: received + lost.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.received.saturating_add(self.lost.total())
    }
}

impl Session {
    /// Goes through the notifications and indications of an attribute, in all of its generations, and
    /// finds what is missing by the counter that `read` finds in a value; each hole is told to `hole`
    /// in its order.
    ///
    /// What is missing between two links is [`Cause::LinkDown`]; what the radio's queue is known to
    /// have lost of this attribute stays [`Cause::HostQueue`], and as much as the recorder has lost in
    /// between stays [`Cause::Gattscope`], as it does not know of which attribute; the rest is
    /// [`Cause::DeviceSequence`]. Gaps that were recorded for the device's own counter, or while the
    /// link was down, are not added: they are what is found here again.
    ///
    /// # Errors
    ///
    /// What kept the session from being read.
    pub fn reconcile(
        &self,
        attribute: AttrId,
        counter: Counter,
        read: &dyn Fn(&[u8]) -> Option<u64>,
        hole: &mut dyn FnMut(Gap),
    ) -> Result<Ledger> {
        let mut reconciler = Reconciler::new(counter);
        let mut ledger = Ledger::default();
        let ours: HashSet<AttrId> = self.generations(attribute)?.into_iter().collect();
        // Of every attribute: gaps of the recorder's own belong to none.
        let filter = Filter {
            kinds: vec![
                Kind::Notification,
                Kind::Indication,
                Kind::NotificationOrIndication,
                Kind::Gap,
            ],
            ..Filter::default()
        };
        let mut since: Option<(Option<LinkKey>, SessionTime)> = None;
        let (mut host, mut own) = (0, 0);
        // The last hole, as long as what is missing in it may come late, and those after it.
        let mut held: VecDeque<Gap> = VecDeque::new();
        for event in self.events(&filter)? {
            let event = match event {
                Ok(event) => event,
                Err(Error::Damaged { .. }) => break,
                Err(error) => return Err(error),
            };
            let mine = event.attribute.filter(|id| ours.contains(id));
            if event.kind == Kind::Gap {
                let Some(gap) = self.gap(event.id)? else {
                    continue;
                };
                match gap.cause {
                    Cause::HostQueue if mine.is_some() => {
                        host = gap.count.saturating_add(host);
                    }
                    Cause::Gattscope if mine.is_some() || event.attribute.is_none() => {
                        own = gap.count.saturating_add(own);
                    }
                    _ => {}
                }
                continue;
            }
            if mine.is_none() {
                continue;
            }
            let Some(value) = event.value.as_deref().and_then(read) else {
                ledger.unreadable += 1;
                continue;
            };
            let before = reconciler.so_far();
            let step = reconciler.next(value, host.saturating_add(own));
            if step == Step::Repeated {
                continue;
            }
            if step == Step::Late {
                if let Some(gap) = held.front_mut() {
                    gap.count = gap.count.saturating_sub(1);
                    let lost = ledger.lost.of(gap.cause);
                    *lost = lost.saturating_sub(1);
                }
                continue;
            }
            let now = reconciler.so_far();
            let known = now.known_lost - before.known_lost;
            let by_host = known.min(host);
            let same_link = since.is_none_or(|(last, _)| last == event.link);
            let rest = match same_link {
                true => Cause::DeviceSequence,
                false => Cause::LinkDown,
            };
            for (cause, count) in [
                (Cause::HostQueue, by_host),
                (Cause::Gattscope, known - by_host),
                (rest, now.lost - before.lost),
            ] {
                if count > 0 {
                    let lost = ledger.lost.of(cause);
                    *lost = lost.saturating_add(count);
                    let gap = Gap {
                        cause,
                        count,
                        from: since.map_or(event.at, |(_, at)| at),
                        to: event.at,
                    };
                    // So far behind, nothing is late any more.
                    if cause == rest || held.len() as u64 > LATE {
                        tell(&mut held, hole);
                    }
                    match held.is_empty() && cause != rest {
                        true => hole(gap),
                        false => held.push_back(gap),
                    }
                }
            }
            since = Some((event.link, event.at));
            (host, own) = (0, 0);
        }
        tell(&mut held, hole);
        let found = reconciler.so_far();
        Ok(Ledger {
            received: found.received,
            repeated: found.repeated,
            restarts: found.restarts,
            ..ledger
        })
    }
}

/// Tells holes in their order, but for those of which all came late.
fn tell(held: &mut VecDeque<Gap>, hole: &mut dyn FnMut(Gap)) {
    for gap in held.drain(..).filter(|gap| gap.count > 0) {
        hole(gap);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counters_are_as_wide_as_they_say() {
        assert_eq!(Counter::of_bits(0), None);
        assert_eq!(Counter::of_bits(65), None);
        assert_eq!(Counter::of_bits(1).unwrap().last, 1);
        assert_eq!(Counter::of_bits(12).unwrap().last, 4095);
        assert_eq!(Counter::of_bits(64).unwrap().last, u64::MAX);
        assert_eq!(Counter::wrapping_after(0), None);
        assert_eq!(Counter::of_bits(8).unwrap().by(0), None);
        assert_eq!(Counter::of_bits(8).unwrap().by(256), None);
    }

    fn steps(counter: Counter, values: &[u64]) -> Vec<Step> {
        let mut reconciler = Reconciler::new(counter);
        values
            .iter()
            .map(|value| reconciler.next(*value, 0))
            .collect()
    }

    #[test]
    fn a_wrap_is_no_loss_and_a_loss_across_it_is_counted() {
        use Step::{First, Missing, Next, Repeated, Restarted};
        let byte = Counter::of_bits(8).unwrap();
        assert_eq!(
            steps(byte, &[254, 255, 0, 3, 3, 0]),
            [First, Next, Next, Missing(2), Repeated, Restarted]
        );
        let ten = Counter::wrapping_after(9).unwrap();
        assert_eq!(steps(ten, &[8, 9, 0, 2]), [First, Next, Next, Missing(1)]);
        // Outside of what it can be.
        assert_eq!(steps(ten, &[8, 10, 0]), [First, Restarted, Restarted]);
        let long = Counter::of_bits(64).unwrap();
        assert_eq!(steps(long, &[u64::MAX, 1]), [First, Missing(1)]);
        let bit = Counter::of_bits(1).unwrap();
        assert_eq!(steps(bit, &[0, 1, 0]), [First, Next, Next]);
    }

    #[test]
    fn what_comes_late_or_twice_is_no_loss_and_a_restart_is_none_either() {
        use Step::{First, Late, Missing, Next, Repeated, Restarted};
        let byte = Counter::of_bits(8).unwrap();
        let found = |values: &[u64]| {
            let mut reconciler = Reconciler::new(byte);
            let steps: Vec<_> = values.iter().map(|v| reconciler.next(*v, 0)).collect();
            (steps, reconciler.so_far())
        };
        // Two changed places; across the wrap too.
        for [a, b, c, d] in [[5, 7, 6, 8], [254, 0, 255, 1]] {
            let (steps, so_far) = found(&[a, b, c, d]);
            assert_eq!(steps, [First, Missing(1), Late, Next]);
            assert_eq!((so_far.received, so_far.lost, so_far.sent()), (4, 0, 4));
        }
        // One of three comes late, and once more: the other two are lost.
        let (steps, so_far) = found(&[5, 9, 7, 7, 10]);
        assert_eq!(steps, [First, Missing(3), Late, Restarted, Next]);
        assert_eq!((so_far.received, so_far.lost, so_far.restarts), (4, 2, 0));
        // Sent again after others.
        let (steps, so_far) = found(&[5, 6, 5, 7, 7]);
        assert_eq!(steps, [First, Next, Restarted, Next, Repeated]);
        assert_eq!((so_far.received, so_far.lost), (3, 0));
        assert_eq!((so_far.repeated, so_far.restarts), (2, 0));
        // Sent again, and then a loss: one is missing, and nothing began anew.
        let (steps, so_far) = found(&[5, 6, 5, 8]);
        assert_eq!(steps, [First, Next, Restarted, Missing(1)]);
        assert_eq!((so_far.received, so_far.lost, so_far.sent()), (3, 1, 4));
        assert_eq!((so_far.repeated, so_far.restarts), (1, 0));
        // The device was switched off and on.
        let (steps, so_far) = found(&[90, 91, 0, 1, 3]);
        assert_eq!(steps, [First, Next, Restarted, Next, Missing(1)]);
        assert_eq!((so_far.received, so_far.lost, so_far.restarts), (5, 1, 1));
    }

    #[test]
    fn what_is_known_to_be_lost_is_counted_once_also_where_the_device_begins_anew() {
        let byte = Counter::of_bits(8).unwrap();
        let mut reconciler = Reconciler::new(byte);
        reconciler.next(90, 0);
        assert_eq!(reconciler.next(0, 3), Step::Restarted);
        assert_eq!(reconciler.next(1, 0), Step::Next);
        let found = reconciler.so_far();
        assert_eq!((found.known_lost, found.lost, found.sent()), (3, 0, 6));
        // 7 was lost here, 6 was sent again, and 8 was lost on the air.
        let mut reconciler = Reconciler::new(byte);
        reconciler.next(5, 0);
        reconciler.next(6, 0);
        assert_eq!(reconciler.next(5, 1), Step::Restarted);
        assert_eq!(reconciler.next(9, 0), Step::Missing(1));
        let found = reconciler.so_far();
        assert_eq!((found.known_lost, found.lost, found.sent()), (1, 1, 5));
        assert_eq!(found.restarts, 0);
    }

    #[test]
    fn what_has_settled_is_lost_and_an_interruption_is_not() {
        let mut reconciler = Reconciler::new(Counter::of_bits(8).unwrap());
        reconciler.next(5, 0);
        assert_eq!(reconciler.next(7, 0), Step::Missing(1));
        reconciler.settle();
        assert_eq!(reconciler.next(6, 0), Step::Restarted);
        reconciler.interrupt();
        assert_eq!(reconciler.next(200, 0), Step::First);
        assert_eq!(reconciler.so_far().lost, 1);
        reconciler.begin_anew();
        assert_eq!(reconciler.next(203, 0), Step::Missing(2));
        assert_eq!(reconciler.so_far().sent(), 3);
    }

    #[test]
    fn a_counter_that_goes_up_by_samples_counts_packets() {
        let counter = Counter::of_bits(16).unwrap().by(10).unwrap();
        assert_eq!(
            steps(counter, &[65_530, 4, 34, 39]),
            [Step::First, Step::Next, Step::Missing(2), Step::Restarted]
        );
    }

    proptest! {
        #[test]
        fn received_and_lost_are_what_was_sent(
            bits in 4_u32..=64,
            start: u64,
            drops in prop::collection::vec((0_u64..7, 0_u64..7), 0..200),
        ) {
            let counter = Counter::of_bits(bits).unwrap();
            let mut reconciler = Reconciler::new(counter);
            let mut at = start & counter.last;
            reconciler.next(at, 0);
            let mut sent = 1;
            let mut lost_here = 0;
            for (lost, of_which_known) in drops {
                let known = lost.min(of_which_known);
                sent += lost + 1;
                lost_here += known;
                at = at.wrapping_add(lost + 1) & counter.last;
                reconciler.next(at, known);
            }
            let found = reconciler.so_far();
            prop_assert_eq!(found.sent(), sent);
            prop_assert_eq!(found.received + found.lost + found.known_lost, sent);
            prop_assert_eq!(found.known_lost, lost_here);
            prop_assert_eq!((found.repeated, found.restarts), (0, 0));
        }

        #[test]
        fn neighbours_that_change_places_are_no_loss_and_those_that_are_gone_are(
            bits in 8_u32..=64,
            start: u64,
            pairs in prop::collection::vec((any::<bool>(), 0_u64..20), 0..200),
        ) {
            let counter = Counter::of_bits(bits).unwrap();
            let mut reconciler = Reconciler::new(counter);
            let mut at = start & counter.last;
            let mut take = |value: u64| {
                reconciler.next(value & counter.last, 0);
            };
            take(at);
            let mut lost = 0;
            for (swapped, gone) in &pairs {
                lost += gone;
                let (one, two) = (at.wrapping_add(gone + 1), at.wrapping_add(gone + 2));
                let (first, second) = if *swapped { (two, one) } else { (one, two) };
                take(first);
                take(second);
                at = two;
            }
            let found = reconciler.so_far();
            prop_assert_eq!(found.lost, lost);
            prop_assert_eq!(found.received, 1 + 2 * pairs.len() as u64);
            prop_assert_eq!((found.repeated, found.restarts), (0, 0));
        }

        #[test]
        fn any_values_are_taken_without_a_panic(
            last in 1_u64..,
            step in 1_u64..,
            values in prop::collection::vec((any::<u64>(), any::<u64>()), 0..50),
        ) {
            let counter = Counter::wrapping_after(last).unwrap();
            let counter = counter.by(step).unwrap_or(counter);
            let mut reconciler = Reconciler::new(counter);
            let mut taken = 0;
            for (value, known) in values {
                reconciler.next(value, known);
                taken += 1;
            }
            let found = reconciler.so_far();
            prop_assert_eq!(found.received + found.repeated, taken);
        }
    }
}
