//! Fields that say when a value was taken, or how many came before it: `!count`, `!ms` and `!us`.

use super::plan::Placed;
use super::{Kind, Layout};
use crate::field::Role;
use crate::number::Linear;

/// Where a layout keeps the counter that finds loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    at: usize,
    kind: Kind,
    /// After how many bits it wraps to zero.
    pub bits: u32,
    /// By how much it rises per value.
    pub step: u32,
    /// Its column.
    pub column: usize,
}

impl Counter {
    fn of(start: usize, placed: &Placed) -> Option<Self> {
        let kind = placed.definition.kind;
        kind.is_integer().then(|| Self {
            at: start + placed.at,
            kind,
            bits: kind.bits(),
            step: placed.definition.step,
            column: placed.column,
        })
    }

    /// The counter's state in a value; `None` when the value is too short. A signed counter is
    /// read as the bits that it is.
    #[must_use]
    pub fn read(&self, bytes: &[u8]) -> Option<u64> {
        let value = self.kind.integer(bytes.get(self.at..)?)?;
        Some(value as u64 & (u64::MAX >> (64 - self.bits)))
    }
}

/// Where a layout keeps the device's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    ticks: Ticks,
    /// After how many bits it wraps to zero.
    pub bits: u32,
    /// Nanoseconds per tick; more than 0.
    pub tick: f64,
    /// Its column.
    pub column: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ticks {
    Counted(Counter),
    /// A number that has no ticks: its nanoseconds are counted.
    Measured {
        at: usize,
        kind: Kind,
        linear: Linear,
        unit: f64,
    },
}

impl Clock {
    /// The clock's ticks in a value; `None` when the value is too short or is no number.
    #[must_use]
    pub fn read(&self, bytes: &[u8]) -> Option<u64> {
        match self.ticks {
            Ticks::Counted(counter) => counter.read(bytes),
            Ticks::Measured {
                at,
                kind,
                linear,
                unit,
            } => {
                let nanoseconds = linear.apply(kind.number(bytes.get(at..)?)?) * unit;
                nanoseconds
                    .is_finite()
                    .then(|| (nanoseconds as i64).cast_unsigned())
            }
        }
    }
}

impl Layout {
    /// The sequence counter, if a field is `!count`.
    #[must_use]
    pub fn counter(&self) -> Option<Counter> {
        let (start, placed) = self.with_role(|role| role == Role::Count)?;
        Counter::of(start, placed)
    }

    /// The device's clock, if a field is `!ms` or `!us`. One that runs backwards, by a negative scale,
    /// is none.
    #[must_use]
    pub fn clock(&self) -> Option<Clock> {
        let (start, placed) = self.with_role(|role| role != Role::Count)?;
        let unit = match placed.definition.role? {
            Role::Milliseconds => 1e6,
            Role::Microseconds => 1e3,
            Role::Count => return None,
        };
        let slope = placed.linear.slope();
        let (ticks, bits, tick) = match Counter::of(start, placed) {
            Some(counter) => (Ticks::Counted(counter), counter.bits, slope * unit),
            None => (
                Ticks::Measured {
                    at: start + placed.at,
                    kind: placed.definition.kind,
                    linear: placed.linear,
                    unit,
                },
                64,
                1.0,
            ),
        };
        (slope > 0.0).then_some(Clock {
            ticks,
            bits,
            tick,
            column: placed.column,
        })
    }

    /// The field with a role and where its block begins: roles are given only to fields that are
    /// at the same place in every value.
    fn with_role(&self, is: impl Fn(Role) -> bool) -> Option<(usize, &Placed)> {
        self.blocks.iter().find_map(|block| {
            let has = |placed: &&Placed| placed.definition.role.is_some_and(&is);
            Some((block.start?, block.fields.iter().find(has)?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(text: &str) -> Option<Clock> {
        Layout::parse(text).unwrap().clock()
    }

    #[test]
    fn a_clock_has_its_width_and_the_length_of_its_tick() {
        let at = clock("seq:u8!count, at:u32le!us, x:i16le[]").unwrap();
        assert_eq!((at.bits, at.tick, at.column), (32, 1e3, 1));
        assert_eq!(at.read(&[9, 1, 2, 0, 0]), Some(0x0201));
        assert_eq!(at.read(&[9, 1, 2, 0]), None);
        let crystal = clock("at:u24be*0.030517578125!ms").unwrap();
        assert_eq!((crystal.bits, crystal.tick), (24, 30_517.578_125));
        // An offset moves it, and changes no tick.
        assert_eq!(clock("at:u16le*10+500!ms").unwrap().tick, 1e7);
        // Not even one that is a date.
        let epoch = clock("at:u32le*0.1+1700000000000!ms").unwrap();
        assert_eq!(epoch.tick, 1e5);
        assert_eq!(clock("a:u8.0-3!ms").unwrap().bits, 4);
        assert_eq!(
            clock("at:i16le!ms").unwrap().read(&[0xFF, 0xFF]),
            Some(0xFFFF)
        );
    }

    #[test]
    fn a_float_is_counted_in_nanoseconds() {
        let at = clock("at:f64le*1000!ms").unwrap();
        assert_eq!((at.bits, at.tick), (64, 1.0));
        assert_eq!(at.read(&1.5_f64.to_le_bytes()), Some(1_500_000_000));
        assert_eq!(
            at.read(&(-1.0_f64).to_le_bytes()),
            Some((-1_000_000_000_i64).cast_unsigned())
        );
        assert_eq!(at.read(&f64::NAN.to_le_bytes()), None);
    }

    #[test]
    fn what_is_no_clock_or_runs_backwards_is_none() {
        assert_eq!(clock("seq:u8!count, x:u8"), None);
        assert_eq!(clock("at:u32le*-1!ms"), None);
    }

    #[test]
    fn samples_are_the_elements_of_what_repeats() {
        let layout = Layout::parse("at:u16le!ms, x:i16le[]").unwrap();
        assert!(layout.repeats());
        assert_eq!(layout.samples(&[0; 2 + 8]), 4);
        assert_eq!(layout.samples(&[0; 2 + 9]), 4);
        assert_eq!(layout.samples(&[]), 1);
        let layout = Layout::parse("x:i16le[3]").unwrap();
        assert!(!layout.repeats());
        assert_eq!(layout.samples(&[0; 6]), 1);
        assert_eq!(Layout::parse("x:hex").unwrap().samples(&[0; 6]), 1);
    }
}
