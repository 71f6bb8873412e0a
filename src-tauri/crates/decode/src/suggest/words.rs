//! A reading in the grammar of layouts, and what speaks for it in one sentence.

use super::Observed;
use super::measure::{Candidate, Tick, What};
use crate::number::{Class, Endian, NumberType};

impl What {
    pub(super) fn order(&self) -> Option<Endian> {
        match self {
            Self::Counter { number, .. }
            | Self::Clock { number, .. }
            | Self::Integer { number, .. }
            | Self::Float { number, .. }
            | Self::Samples { number, .. } => (number.size() > 1).then_some(number.endian()),
            Self::Unknown | Self::Constant(_) | Self::Bool | Self::Flags(_) | Self::Text => None,
        }
    }

    /// The type, where neighbours of one type are an array.
    pub(super) fn number(&self) -> Option<NumberType> {
        match self {
            Self::Integer { number, .. } | Self::Float { number, .. } => Some(*number),
            _ => None,
        }
    }

    /// Whether an integer has a sign, if it is known.
    pub(super) fn signed(&self) -> Option<NumberType> {
        match self {
            Self::Integer {
                number,
                either: false,
                ..
            } if number.class() == Class::Signed => Some(*number),
            _ => None,
        }
    }

    /// Takes the sign of a neighbour of the same width and order, where either fits.
    pub(super) fn sign_like(&mut self, neighbour: NumberType) {
        if let Self::Integer {
            number,
            either: either @ true,
            ..
        } = self
            && number.unsigned() == neighbour.unsigned()
        {
            *number = neighbour;
            *either = false;
        }
    }

    /// Whether it takes all bytes to the end.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Samples { .. })
    }

    /// What a field of this kind is called.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "bytes",
            Self::Constant(_) => "fixed",
            Self::Counter { .. } => "count",
            Self::Clock { .. } => "time",
            Self::Integer { .. } | Self::Float { .. } => "value",
            Self::Bool => "bool",
            Self::Flags(_) => "flags",
            Self::Text => "text",
            Self::Samples { .. } => "sample",
        }
    }

    /// The field in a layout. Only the first counter and the first clock have a role.
    pub(super) fn written(
        &self,
        of: &Candidate,
        name: &str,
        run: usize,
        counts: usize,
        times: usize,
    ) -> String {
        let size = of.size;
        match self {
            Self::Unknown => format!("{name}:hex[{size}]"),
            Self::Constant(bytes) => {
                let word = bytes
                    .iter()
                    .rev()
                    .fold(0_u64, |w, byte| w << 8 | u64::from(*byte));
                match size {
                    1 => format!("{name}:u8={word}"),
                    2 => format!("{name}:u16le={word}"),
                    _ => format!("{name}:hex[{size}]"),
                }
            }
            Self::Counter { number, step, .. } => match (counts, step) {
                (1, 1) => format!("{name}:{number}!count"),
                (1, step) => format!("{name}:{number}!count/{step}"),
                _ => format!("{name}:{number}"),
            },
            Self::Clock { number, tick, .. } => match (times, tick) {
                (1, Tick::Millisecond) => format!("{name}:{number}!ms"),
                (1, Tick::Microsecond) => format!("{name}:{number}!us"),
                (1, Tick::Crystal) => format!("{name}:{number}*0.030517578125!ms"),
                _ => format!("{name}:{number}"),
            },
            Self::Integer { number, .. } | Self::Float { number, .. } => match run {
                1 => format!("{name}:{number}"),
                _ => format!("{name}:{number}[{run}]"),
            },
            Self::Bool => format!("{name}:bool"),
            Self::Flags(_) => format!("{name}:u8"),
            Self::Text => format!("{name}:utf8[{size}]"),
            Self::Samples {
                number, channels, ..
            } => match channels {
                1 => format!("{name}:{number}[]"),
                _ => {
                    let fields: Vec<_> = (0..*channels)
                        .map(|channel| format!("{}:{number}", channel_name(channel, *channels)))
                        .collect();
                    format!("{{{}}}[]", fields.join(", "))
                }
            },
        }
    }
}

/// `x`, `y` and `z` of three, otherwise `ch 1` and so on.
fn channel_name(channel: usize, of: usize) -> String {
    match (of, channel) {
        (3, 0) => "x".to_owned(),
        (3, 1) => "y".to_owned(),
        (3, 2) => "z".to_owned(),
        _ => format!("ch {}", channel + 1),
    }
}

impl Candidate {
    /// A name that no other field has.
    pub(super) fn name(&self, word: &str, only: bool) -> String {
        match only {
            true => word.to_owned(),
            false => format!("{word} {}", self.at),
        }
    }

    fn place(&self) -> String {
        match self.size {
            1 => format!("byte {}", self.at),
            size => format!("bytes {}–{}", self.at, self.at + size - 1),
        }
    }

    /// What speaks for it.
    pub(super) fn sentence(&self, values: &[Observed<'_>]) -> String {
        let place = self.place();
        let all = values.len();
        let verb = if self.size == 1 { "is" } else { "are" };
        match &self.what {
            What::Unknown => format!("{place} show no pattern in {all} values").replace(
                &format!("byte {} show", self.at),
                &format!("byte {} shows", self.at),
            ),
            What::Constant(bytes) => {
                let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                format!("{place} {verb} always {} in {all} values", hex.join(" "))
            }
            What::Counter { step, held, of, .. } => {
                format!("{place} rose by {step} in {held} of {of} steps")
            }
            What::Clock {
                tick,
                rate,
                seconds,
                ..
            } => format!(
                "{place} rose by {rate:.3} for each {} of {seconds:.1} s of arrivals",
                tick.word()
            ),
            What::Integer {
                number,
                low,
                high,
                change,
                ..
            } => format!(
                "{place} as {number} {verb} between {low} and {high} and change by {change:.1} on \
                 average in {all} values"
            ),
            What::Float {
                number,
                low,
                high,
                change,
            } => format!(
                "{place} as {number} are finite, between {low:.4} and {high:.4}, and change by \
                 {change:.4} on average in {all} values"
            ),
            What::Bool => format!("{place} is 0 or 1 in {all} values"),
            What::Flags(mask) => {
                let bits: Vec<_> = (0..8)
                    .filter(|bit| mask >> bit & 1 == 1)
                    .map(|bit| bit.to_string())
                    .collect();
                match bits.as_slice() {
                    [bit] => format!("only bit {bit} of {place} ever changes in {all} values"),
                    bits => format!(
                        "only bits {} of {place} ever change in {all} values",
                        bits.join(", ")
                    ),
                }
            }
            What::Text => format!("{place} are printable characters in {all} values"),
            What::Samples {
                number,
                channels,
                within,
                across,
                packets,
                fewest,
                most,
            } => {
                let many = match fewest == most {
                    true => fewest.to_string(),
                    false => format!("{fewest} to {most}"),
                };
                format!(
                    "{place} as {many} samples of {channels} × {number} change by {within:.1} from \
                     sample to sample, and by {across:.1} at one place from value to value, in \
                     {packets} values"
                )
            }
        }
    }
}
