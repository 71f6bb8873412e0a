//! What each reading of some bytes would save.

use super::{FIELD_COST, Observed};
use crate::number::{Class, Endian, NumberType};

/// One reading of some bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) at: usize,
    /// Bytes.
    pub(super) size: usize,
    /// Bits per value.
    pub(super) saved: f64,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Unknown,
    Constant(Vec<u8>),
    Counter {
        number: NumberType,
        step: u64,
        held: usize,
        of: usize,
    },
    Clock {
        number: NumberType,
        tick: Tick,
        /// Ticks for each that the time of arrival gives.
        rate: f64,
        seconds: f64,
    },
    Integer {
        number: NumberType,
        low: i64,
        high: i64,
        change: f64,
        /// Whether the other sign reads the same.
        either: bool,
    },
    Float {
        number: NumberType,
        low: f64,
        high: f64,
        change: f64,
    },
    Bool,
    Flags(u8),
    Text,
    /// Several samples in a value, to its end.
    Samples {
        number: NumberType,
        channels: usize,
        within: f64,
        across: f64,
        packets: usize,
        fewest: usize,
        most: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tick {
    Millisecond,
    Microsecond,
    Crystal,
}

impl Tick {
    const ALL: [Self; 3] = [Self::Millisecond, Self::Microsecond, Self::Crystal];

    fn nanoseconds(self) -> f64 {
        match self {
            Self::Millisecond => 1e6,
            Self::Microsecond => 1e3,
            Self::Crystal => 1e9 / 32_768.0,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Millisecond => "millisecond",
            Self::Microsecond => "microsecond",
            Self::Crystal => "tick of 32,768 Hz",
        }
    }
}

/// The bits that a change of this size takes on average, if small ones are more likely.
pub(super) fn bits_of(change: f64) -> f64 {
    (1.0 + 2.0 * std::f64::consts::E * change).log2()
}

pub(super) fn printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')
}

/// Text, if that is all that the values are.
pub(super) fn all_text(values: &[Observed<'_>]) -> Option<Candidate> {
    let longest = values.iter().map(|value| value.bytes.len()).max()?;
    let differ = values.windows(2).any(|pair| match pair {
        [a, b] => a.bytes != b.bytes,
        _ => false,
    });
    let all = values.iter().all(|value| {
        let text = value
            .bytes
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |at| at + 1);
        value.bytes.iter().take(text).all(|&byte| printable(byte))
    });
    let bytes: usize = values.iter().map(|value| value.bytes.len()).sum();
    (all && differ && bytes >= 4 * values.len()).then_some(Candidate {
        at: 0,
        size: longest,
        saved: 1.4 * longest as f64,
        what: What::Text,
    })
}

/// What is known of one byte.
struct Byte {
    distinct: usize,
    /// Bits that ever change.
    mask: u8,
    /// Bits per value, if values are told by how frequent they are.
    entropy: f64,
    first: u8,
    /// All values, by how often they are.
    counts: [usize; 256],
    printable: bool,
}

impl Byte {
    fn of(values: &[Observed<'_>], at: usize) -> Self {
        let mut counts = [0_usize; 256];
        let mut mask = 0;
        let mut text = true;
        let read = |value: &Observed<'_>| value.bytes.get(at).copied().unwrap_or(0);
        let first = values.first().map_or(0, read);
        for byte in values.iter().map(read) {
            if let Some(count) = counts.get_mut(usize::from(byte)) {
                *count += 1;
            }
            mask |= byte ^ first;
            text &= printable(byte);
        }
        let total = values.len() as f64;
        let entropy = counts.iter().filter(|count| **count > 0).map(|count| {
            let share = *count as f64 / total;
            -share * share.log2()
        });
        let entropy: f64 = entropy.sum();
        Self {
            distinct: counts.iter().filter(|count| **count > 0).count(),
            mask,
            entropy,
            first,
            counts,
            printable: text,
        }
    }

    fn varies(&self) -> bool {
        self.distinct > 1
    }
}

/// Every reading of the first bytes that saves something.
pub(super) fn candidates(values: &[Observed<'_>], len: usize) -> Vec<Candidate> {
    let bytes: Vec<Byte> = (0..len).map(|at| Byte::of(values, at)).collect();
    let mut all = Vec::new();
    for at in 0..len {
        let own = bytes.get(at..).unwrap_or_default();
        constants(own, at, &mut all);
        flags(own, at, values.len(), &mut all);
        text(&bytes, at, &mut all);
        for (number, order) in integers() {
            let size = number.size();
            let Some(own) = own.get(..size) else { continue };
            // Most significant first.
            let varies: Vec<bool> = match order {
                Endian::Big => own.iter().map(Byte::varies).collect(),
                Endian::Little => own.iter().rev().map(Byte::varies).collect(),
            };
            let zeros = match order {
                Endian::Big => own
                    .iter()
                    .take_while(|b| !b.varies() && b.first == 0)
                    .count(),
                Endian::Little => {
                    let rev = own.iter().rev();
                    rev.take_while(|b| !b.varies() && b.first == 0).count()
                }
            };
            if varies.last() != Some(&true) {
                continue;
            }
            let words: Vec<u64> = values
                .iter()
                .filter_map(|value| word(value.bytes, at, size, order))
                .collect();
            let still = varies.iter().take_while(|varies| !**varies).count();
            if still == zeros {
                all.extend(counter(&words, number, at));
            }
            all.extend(clock(&words, number, at, values));
            // A number of four bytes may stay small; of fewer, a still byte is a field of its own.
            let whole = match size {
                4 => still <= 2,
                _ => still == 0,
            };
            if whole {
                all.extend(integer(&words, number, at));
            }
        }
        for bits in [32, 64] {
            for order in [Endian::Little, Endian::Big] {
                let number = NumberType::new(Class::Float, bits, order);
                all.extend(number.and_then(|number| float(values, number, at, len)));
            }
        }
    }
    all
}

fn integers() -> impl Iterator<Item = (NumberType, Endian)> {
    [8, 16, 24, 32].into_iter().flat_map(|bits| {
        let orders: &[Endian] = match bits {
            8 => &[Endian::Little],
            _ => &[Endian::Little, Endian::Big],
        };
        orders
            .iter()
            .filter_map(move |&order| Some((NumberType::new(Class::Unsigned, bits, order)?, order)))
    })
}

fn word(bytes: &[u8], at: usize, size: usize, order: Endian) -> Option<u64> {
    let bytes = bytes.get(at..at + size)?;
    let join = |word, byte: &u8| word << 8 | u64::from(*byte);
    Some(match order {
        Endian::Big => bytes.iter().fold(0, join),
        Endian::Little => bytes.iter().rev().fold(0, join),
    })
}

fn constants(own: &[Byte], at: usize, all: &mut Vec<Candidate>) {
    let still = own.iter().take_while(|byte| !byte.varies()).count();
    for size in 1..=still {
        all.push(Candidate {
            at,
            size,
            saved: 8.0 * size as f64 - FIELD_COST,
            what: What::Constant(own.iter().take(size).map(|byte| byte.first).collect()),
        });
    }
}

fn flags(own: &[Byte], at: usize, values: usize, all: &mut Vec<Candidate>) {
    let Some(byte) = own.first().filter(|byte| byte.varies()) else {
        return;
    };
    let bits = byte.mask.count_ones();
    let found: Vec<usize> = (0..256)
        .filter(|value| byte.counts.get(*value).is_some_and(|count| *count > 0))
        .collect();
    // Bits that change alone leave gaps between the values; a small number does not.
    let gaps = found.windows(2).any(|pair| match pair {
        [a, b] => b - a > 1,
        _ => false,
    });
    let what = match found.as_slice() {
        [0, 1] => What::Bool,
        _ if bits <= 3 && (gaps || byte.distinct == 2) => What::Flags(byte.mask),
        _ => return,
    };
    let listed = 8.0 * byte.distinct as f64 / values as f64;
    all.push(Candidate {
        at,
        size: 1,
        // A little more than the same byte as a number, which says less.
        saved: 8.0 - byte.entropy - listed - FIELD_COST + 1.0,
        what,
    });
}

fn text(bytes: &[Byte], at: usize, all: &mut Vec<Candidate>) {
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    if before.is_some_and(|byte| byte.printable) {
        return;
    }
    let own = bytes.get(at..).unwrap_or_default();
    let run = own.iter().take_while(|byte| byte.printable).count();
    let own = own.get(..run).unwrap_or_default();
    if run < 4 || !own.iter().any(Byte::varies) {
        return;
    }
    let saved: f64 = own.iter().map(|byte| 8.0 - byte.entropy.min(6.6)).sum();
    all.push(Candidate {
        at,
        size: run,
        saved: saved - FIELD_COST,
        what: What::Text,
    });
}

/// The least significant bits of a word.
fn low_bits(bits: u32) -> u64 {
    u64::MAX >> (64 - bits)
}

fn counter(words: &[u64], number: NumberType, at: usize) -> Option<Candidate> {
    let steps = |mask: u64| {
        let pairs = words.windows(2);
        pairs.filter_map(move |pair| match pair {
            [a, b] => Some(b.wrapping_sub(*a) & mask),
            _ => None,
        })
    };
    let mask = low_bits(number.bits());
    // The step that is most frequent is the one in the middle, if most are the same.
    let mut sorted: Vec<u64> = steps(mask).collect();
    sorted.sort_unstable();
    let step = *sorted.get(sorted.len() / 2)?;
    let held = steps(mask).filter(|found| *found == step).count();
    let narrow = steps(0xFF).filter(|found| *found == step & 0xFF).count();
    let of = sorted.len();
    let small = match number.size() {
        1 => (1..=16).contains(&step),
        _ => (1..=0xFFFF).contains(&step) && step <= mask / 4,
    };
    // A byte that wraps and carries nothing is a counter alone.
    if !small || held * 10 < of * 9 || held < narrow {
        return None;
    }
    let failed = (of - held) as f64 / of as f64;
    Some(Candidate {
        at,
        size: number.size(),
        saved: f64::from(number.bits()) * (1.0 - failed) - FIELD_COST,
        what: What::Counter {
            number,
            step,
            held,
            of,
        },
    })
}

fn clock(
    words: &[u64],
    number: NumberType,
    at: usize,
    values: &[Observed<'_>],
) -> Option<Candidate> {
    if !matches!(number.size(), 2 | 4) {
        return None;
    }
    let span = values.last()?.at_ns.checked_sub(values.first()?.at_ns)?;
    if span < 100_000_000 {
        return None;
    }
    let mask = low_bits(number.bits());
    let (mut ticks, mut back, mut error) = (0.0, 0_usize, 0.0);
    let steps: Vec<(f64, f64)> = words
        .windows(2)
        .zip(values.windows(2))
        .filter_map(|(words, values)| match (words, values) {
            ([a, b], [before, after]) => {
                let step = b.wrapping_sub(*a) & mask;
                back += usize::from(step == 0 || step > mask / 2);
                ticks += step as f64;
                Some((step as f64, (after.at_ns - before.at_ns) as f64))
            }
            _ => None,
        })
        .collect();
    if back * 100 > words.len() || ticks < 64.0 {
        return None;
    }
    // Off by one step for each that wrapped around more than once, it would be none of these.
    let (tick, rate) = Tick::ALL
        .into_iter()
        .map(|tick| (tick, ticks * tick.nanoseconds() / span as f64))
        .find(|(_, rate)| (0.97..=1.03).contains(rate))?;
    for (step, arrival) in &steps {
        error += (step * tick.nanoseconds() - arrival).abs();
    }
    // Arrivals jitter, but not by more than the time between them.
    if error > span as f64 {
        return None;
    }
    // That it follows time is more than that it rises; but one that rises by one is a counter.
    let ones = steps.iter().filter(|(step, _)| *step == 1.0).count();
    let bonus = if ones * 2 > steps.len() { -4.0 } else { 6.0 };
    Some(Candidate {
        at,
        size: number.size(),
        saved: f64::from(number.bits()) - FIELD_COST + bonus,
        what: What::Clock {
            number,
            tick,
            rate,
            seconds: span as f64 / 1e9,
        },
    })
}

/// Mean difference of neighbours.
fn change(values: &[f64]) -> f64 {
    let steps = values.windows(2).map(|pair| match pair {
        [a, b] => (b - a).abs(),
        _ => 0.0,
    });
    steps.sum::<f64>() / values.len().saturating_sub(1).max(1) as f64
}

fn integer(words: &[u64], number: NumberType, at: usize) -> Option<Candidate> {
    let bits = number.bits();
    let read = |signed: bool| -> Vec<f64> {
        let up = 64 - bits;
        words
            .iter()
            .map(|word| match signed {
                true => ((word << up).cast_signed() >> up) as f64,
                false => *word as f64,
            })
            .collect()
    };
    let (plain, signed) = (read(false), read(true));
    let changes = (change(&plain), change(&signed));
    // Where either reads the same, numbers near the top of the range are small ones below zero.
    let near_the_top = words.iter().all(|word| word >> (bits - 2) == 0b11);
    let reads_signed = changes.1 < changes.0 || (changes.1 == changes.0 && near_the_top);
    let (numbers, change) = if reads_signed {
        (signed, changes.1)
    } else {
        (plain, changes.0)
    };
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let saved = f64::from(bits) - bits_of(change) - FIELD_COST;
    (saved > 0.0 && high - low > 1.0).then_some(Candidate {
        at,
        size: number.size(),
        saved,
        what: What::Integer {
            number: match reads_signed {
                true => NumberType::new(Class::Signed, bits, number.endian())?,
                false => number,
            },
            low: low as i64,
            high: high as i64,
            change,
            either: changes.0 == changes.1,
        },
    })
}

fn float(values: &[Observed<'_>], number: NumberType, at: usize, len: usize) -> Option<Candidate> {
    if at + number.size() > len {
        return None;
    }
    let mut numbers = Vec::with_capacity(values.len());
    for value in values {
        let read = number.read(value.bytes.get(at..)?)?.as_f64();
        let plausible = read == 0.0 || (1e-6..=1e7).contains(&read.abs());
        if !plausible {
            return None;
        }
        numbers.push(read);
    }
    let mut distinct: Vec<u64> = numbers.iter().map(|number| number.to_bits()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 8 {
        return None;
    }
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mantissa = if number.size() == 4 { 23 } else { 52 };
    let finest = low.abs().max(high.abs()) / f64::from(mantissa).exp2();
    let change = change(&numbers);
    // Random bytes are hardly ever all of a plausible size: that itself speaks for floats.
    let saved = f64::from(number.bits()) - bits_of(change / finest) - FIELD_COST + 4.0;
    (saved > 4.0).then_some(Candidate {
        at,
        size: number.size(),
        saved,
        what: What::Float {
            number,
            low,
            high,
            change,
        },
    })
}
