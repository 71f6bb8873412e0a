//! The field of a layout that is the device's clock: `!ms` and `!us`.

use super::{Class, Counter, CounterKind, Kind, Layout};
use crate::field::Role;
use crate::number::{Linear, Raw};

/// Where a layout keeps the device's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    counter: Counter,
    /// A float has no ticks: its nanoseconds are counted.
    float: Option<Linear>,
    unit: f64,
    /// After how many bits it wraps to zero.
    pub bits: u32,
    /// Nanoseconds per tick; more than 0.
    pub tick: f64,
    /// Its column.
    pub column: usize,
}

impl Clock {
    /// The clock's ticks in a value; `None` when the value is too short or is no number.
    #[must_use]
    pub fn read(&self, bytes: &[u8]) -> Option<u64> {
        let Some(linear) = &self.float else {
            return self.counter.read(bytes);
        };
        let CounterKind::Whole(number) = self.counter.kind else {
            return None;
        };
        let raw: Raw = number.read(bytes.get(self.counter.at..)?)?;
        let nanoseconds = linear.apply(raw.as_f64()) * self.unit;
        nanoseconds
            .is_finite()
            .then(|| (nanoseconds as i64).cast_unsigned())
    }
}

impl Layout {
    /// The device's clock, if a field is `!ms` or `!us`. One that runs backwards, by a negative scale,
    /// is none.
    #[must_use]
    pub fn clock(&self) -> Option<Clock> {
        let (placed, unit) = self.fields.iter().find_map(|placed| {
            let unit = match placed.definition.role? {
                Role::Milliseconds => 1e6,
                Role::Microseconds => 1e3,
                Role::Count => return None,
            };
            Some((placed, unit))
        })?;
        let (kind, bits, float) = match placed.definition.kind {
            Kind::Number(number) => {
                let float = number.class() == Class::Float;
                let bits = if float { 64 } else { number.bits() };
                (CounterKind::Whole(number), bits, float)
            }
            Kind::Bits(first, last) => {
                let bits = u32::from(last - first) + 1;
                (CounterKind::Bits(first, last), bits, false)
            }
            Kind::Bool | Kind::Hex | Kind::Utf8 | Kind::Skip => return None,
        };
        let tick = placed.linear.slope();
        (tick > 0.0).then_some(Clock {
            counter: Counter {
                at: placed.at,
                kind,
                bits,
                column: placed.column,
            },
            float: float.then_some(placed.linear),
            unit,
            bits,
            tick: if float { 1.0 } else { tick * unit },
            column: placed.column,
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
        assert_eq!(layout.samples(2 + 8), 4);
        assert_eq!(layout.samples(2 + 9), 4);
        assert_eq!(layout.samples(0), 1);
        let layout = Layout::parse("x:i16le[3]").unwrap();
        assert!(!layout.repeats());
        assert_eq!(layout.samples(6), 1);
        assert_eq!(Layout::parse("x:hex").unwrap().samples(6), 1);
    }
}
