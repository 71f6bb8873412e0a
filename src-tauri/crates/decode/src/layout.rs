//! A user's own format in one line: `seq:u16le!count, acc:i16le[3]*0.001 g`.
//!
//! ```text
//! layout = field { "," field }
//! field  = name ":" type [ "[" [n] "]" ] [ "*" num ] [ ("+"|"-") num ] [ " " unit ] [ "!" role ]
//! type   = u8 i8 bool | (u|i)(16|24|32|64)(le|be) | f(32|64)(le|be)
//!        | u8.3 | u8.4-6 | hex | utf8 | skip
//! role   = count | ms | us
//! ```
//!
//! What the grammar leaves open:
//!
//! - A *name* is 1 to 64 letters and digits of any script, `_`, `-`, `.`, `/` and spaces, beginning
//!   with a letter, digit or `_`. Names differ from one another; only `_` may stand several times.
//! - A *unit* is up to 24 characters without `,` and `!`, and does not begin with `*`, `+`, `-`
//!   or `[`, because those belong before the space.
//! - A *num* is decimal with at most 15 digits: `0.01`, `40`, `1e-6`; a scale may be negative.
//!   `number = raw × scale + offset`, computed in decimals.
//! - Fields follow one another. *Neighbouring bit fields share a byte* while their bits do not
//!   overlap; one that overlaps begins the next byte, as does every array of bit fields (one byte
//!   per element). Bit 0 is the least significant.
//! - `[n]` is n elements of a number or bool, n bytes of `hex`, `utf8` and `skip`. `[]` repeats to
//!   the end of the value and is therefore last. `hex` and `utf8` alone run to the end too; `skip`
//!   alone is one byte.
//! - Scale, offset, unit and role are for numbers. One field may be `!count`, an integer without
//!   scale and brackets; one may be the clock, `!ms` or `!us`, a number without brackets. With a scale
//!   it counts anything: `at:u32le*0.030517578125!ms` are ticks of 32,768 Hz. Before a `[]` array it
//!   says when the first sample was taken.
//! - All fields together take at most 512 bytes, the longest attribute value.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::field::{Field, Rest, Role, Series, Value};
use crate::number::{Class, Decimal, Linear, NumberType, Raw};

mod clock;
mod number_format;
mod parse;

pub use clock::Clock;
pub use number_format::NumberFormat;
pub use parse::{LayoutError, LayoutErrorKind};

/// A user's format: fields at fixed places, the last of which may repeat to the end.
///
/// [`Display`](fmt::Display) writes the line that [`Layout::parse`] reads, in its shortest form.
///
/// ```
/// use decode::Layout;
///
/// let layout = Layout::parse("temp:i16le*0.01 °C, hum:u8 %")?;
/// let mut shown = Vec::new();
/// layout.decode(&[0x46, 0x09, 41], |field| shown.push(format!("{} {field}", field.label())));
/// assert_eq!(shown, ["temp 23.74 °C", "hum 41 %"]);
/// # Ok::<(), decode::LayoutError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    fields: Vec<Placed>,
}

/// What the user wrote about one field.
#[derive(Clone, Debug, PartialEq)]
struct Definition {
    name: Box<str>,
    kind: Kind,
    repeat: Repeat,
    scale: Decimal,
    offset: Decimal,
    unit: Option<Box<str>>,
    role: Option<Role>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number(NumberType),
    /// First and last bit of a byte.
    Bits(u8, u8),
    Bool,
    Hex,
    Utf8,
    Skip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    Once,
    Times(u16),
    ToEnd,
}

/// A definition with what follows from its place in the layout.
#[derive(Clone, Debug, PartialEq)]
struct Placed {
    definition: Definition,
    /// Its first byte.
    at: usize,
    /// The column of its first element; of `[]`, of all.
    column: usize,
    linear: Linear,
}

/// Where a layout keeps the counter that finds loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    at: usize,
    kind: CounterKind,
    /// After how many bits it wraps to zero.
    pub bits: u32,
    /// Its column.
    pub column: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CounterKind {
    Whole(NumberType),
    Bits(u8, u8),
}

impl Counter {
    /// The counter's state in a value; `None` when the value is too short. A signed counter is
    /// read as the bits that it is.
    #[must_use]
    pub fn read(&self, bytes: &[u8]) -> Option<u64> {
        let bytes = bytes.get(self.at..)?;
        match self.kind {
            CounterKind::Bits(first, last) => {
                bytes.first().map(|&byte| bits(byte, first, last).into())
            }
            CounterKind::Whole(number) => match number.read(bytes)? {
                Raw::Unsigned(value) => Some(value),
                Raw::Signed(value) => Some(value.cast_unsigned() & (u64::MAX >> (64 - self.bits))),
                Raw::Single(_) | Raw::Double(_) => None,
            },
        }
    }
}

impl Kind {
    /// Bytes of one element.
    const fn size(self) -> usize {
        match self {
            Self::Number(number) => number.size(),
            _ => 1,
        }
    }

    /// Whether it gives columns.
    const fn is_numeric(self) -> bool {
        matches!(self, Self::Number(_) | Self::Bits(..) | Self::Bool)
    }

    /// One element from exactly its bytes.
    #[inline]
    fn raw(self, bytes: &[u8]) -> Option<Raw> {
        match self {
            Self::Number(number) => number.read(bytes),
            Self::Bits(first, last) => bytes
                .first()
                .map(|&byte| Raw::Unsigned(bits(byte, first, last).into())),
            Self::Bool => bytes.first().map(|&byte| Raw::Unsigned((byte != 0).into())),
            Self::Hex | Self::Utf8 | Self::Skip => None,
        }
    }
}

const fn bits(byte: u8, first: u8, last: u8) -> u8 {
    (byte >> first) & (0xFF >> (7 - (last - first)))
}

impl Definition {
    /// Bytes that it takes at least.
    const fn size(&self) -> usize {
        match self.repeat {
            Repeat::Once => self.kind.size(),
            Repeat::Times(times) => self.kind.size() * times as usize,
            Repeat::ToEnd => 0,
        }
    }

    /// How many columns it gives.
    const fn columns(&self) -> usize {
        match (self.kind.is_numeric(), self.repeat) {
            (false, _) => 0,
            (true, Repeat::Times(times)) => times as usize,
            (true, Repeat::Once | Repeat::ToEnd) => 1,
        }
    }
}

impl Layout {
    /// Reads one line of the layout grammar.
    ///
    /// # Errors
    /// Points at the character that cannot stand there and says what can.
    pub fn parse(text: &str) -> Result<Self, LayoutError> {
        parse::parse(text)
    }

    /// Gives every field its place. The definitions are checked already.
    fn place(definitions: Vec<Definition>) -> Self {
        let mut next = 0;
        let mut column = 0;
        // The byte that bit fields share, with the bits taken.
        let mut shared: Option<(usize, u8)> = None;
        let mut fields = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let mut at = next;
            match (definition.kind, definition.repeat) {
                (Kind::Bits(first, last), Repeat::Once) => {
                    let mask = (0xFF >> (7 - (last - first))) << first;
                    match shared {
                        Some((byte, taken)) if taken & mask == 0 => {
                            at = byte;
                            shared = Some((byte, taken | mask));
                        }
                        _ => {
                            shared = Some((at, mask));
                            next += 1;
                        }
                    }
                }
                _ => {
                    shared = None;
                    next += definition.size();
                }
            }
            let columns = definition.columns();
            fields.push(Placed {
                at,
                column,
                linear: if definition.scale == Decimal::ONE && definition.offset == Decimal::ZERO {
                    Linear::IDENTITY
                } else {
                    Linear::decimal(definition.scale, definition.offset)
                },
                definition,
            });
            column += columns;
        }
        Self { fields }
    }

    /// Hands every field of a value to `f`, in the order of the layout. Allocates nothing.
    ///
    /// Fields that the value is too short for come as [`Value::Missing`]; `skip` does not come at
    /// all. What is left after the last field is reported as a range.
    pub fn decode<'a>(&'a self, bytes: &'a [u8], mut f: impl FnMut(Field<'a>)) -> Rest {
        let len = bytes.len();
        let mut end = 0;
        let mut missing = 0;
        for placed in &self.fields {
            let definition = &placed.definition;
            let size = definition.kind.size();
            let mut give = |value, range, element| {
                missing += usize::from(value == Value::Missing);
                let mut field = Field::plain(&definition.name, value, range);
                field.element = element;
                field.unit = definition.unit.as_deref();
                field.role = definition.role;
                field.linear = placed.linear;
                if let Kind::Bits(first, last) = definition.kind {
                    field.bits = Some(first..=last);
                }
                f(field);
            };
            match definition.kind {
                Kind::Skip => {
                    end = match definition.repeat {
                        Repeat::ToEnd => len,
                        Repeat::Once | Repeat::Times(_) => placed.at + definition.size(),
                    };
                }
                Kind::Hex | Kind::Utf8 => {
                    let until = match definition.repeat {
                        Repeat::ToEnd => len.max(placed.at),
                        Repeat::Once | Repeat::Times(_) => placed.at + definition.size(),
                    };
                    match (bytes.get(placed.at..until), definition.kind) {
                        (Some(text), Kind::Utf8) => give(Value::Text(text), placed.at..until, None),
                        (Some(raw), _) => give(Value::Bytes(raw), placed.at..until, None),
                        (None, _) => give(Value::Missing, left(placed.at, len), None),
                    }
                    end = until;
                }
                Kind::Number(_) | Kind::Bits(..) | Kind::Bool => {
                    let elements = placed.elements(len);
                    for element in 0..elements {
                        let at = placed.at + element * size;
                        let value = bytes
                            .get(at..at + size)
                            .and_then(|b| definition.kind.raw(b));
                        let index = (definition.repeat != Repeat::Once).then_some(element);
                        match (value, definition.kind) {
                            (Some(Raw::Unsigned(bit)), Kind::Bool) => {
                                give(Value::Bool(bit != 0), at..at + size, index);
                            }
                            (Some(raw), _) => give(raw.into(), at..at + size, index),
                            (None, _) => give(Value::Missing, left(at, len), index),
                        }
                    }
                    // A repeating field that lies behind the end is one missing field.
                    if definition.repeat == Repeat::ToEnd && placed.at > len {
                        give(Value::Missing, len..len, None);
                    }
                    end = placed.at + elements * size;
                }
            }
        }
        Rest {
            // A field that began but did not end lies across the end: its bytes are not extra.
            extra: left(end, len),
            missing,
        }
    }

    /// What can be plotted: one column per number, per element of a fixed array, and one for
    /// all samples of a `[]` array. Truth values are 0 and 1.
    #[must_use]
    pub fn series(&self) -> Vec<Series> {
        let mut all = Vec::new();
        for placed in &self.fields {
            let definition = &placed.definition;
            for element in 0..definition.columns() {
                all.push(Series {
                    column: placed.column + element,
                    name: match definition.repeat {
                        Repeat::Times(_) => format!("{}[{element}]", definition.name),
                        Repeat::Once | Repeat::ToEnd => definition.name.to_string(),
                    },
                    unit: definition.unit.as_deref().map(str::to_owned),
                    role: definition.role,
                    repeats: definition.repeat == Repeat::ToEnd,
                });
            }
        }
        all
    }

    /// Hands every number of a value to `f` with its column, in the order of the bytes.
    ///
    /// This is the way of every plotted sample: it allocates nothing and skips what is missing.
    /// Floats that are infinite or NaN are handed on.
    #[inline]
    pub fn columns(&self, bytes: &[u8], f: &mut impl FnMut(usize, f64)) {
        for placed in &self.fields {
            let definition = &placed.definition;
            if !definition.kind.is_numeric() {
                continue;
            }
            let size = definition.kind.size();
            let step = usize::from(definition.repeat != Repeat::ToEnd);
            for element in 0..placed.elements(bytes.len()) {
                let at = placed.at + element * size;
                let Some(raw) = bytes.get(at..).and_then(|b| definition.kind.raw(b)) else {
                    return;
                };
                f(
                    placed.column + element * step,
                    placed.linear.apply(raw.as_f64()),
                );
            }
        }
    }

    /// The sequence counter, if a field is `!count`.
    #[must_use]
    pub fn counter(&self) -> Option<Counter> {
        let placed = self
            .fields
            .iter()
            .find(|placed| placed.definition.role == Some(Role::Count))?;
        let (kind, bits) = match placed.definition.kind {
            Kind::Number(number) => (CounterKind::Whole(number), number.bits()),
            Kind::Bits(first, last) => (CounterKind::Bits(first, last), (last - first + 1).into()),
            Kind::Bool | Kind::Hex | Kind::Utf8 | Kind::Skip => return None,
        };
        Some(Counter {
            at: placed.at,
            kind,
            bits,
            column: placed.column,
        })
    }

    /// How many samples a value of `len` bytes has: the elements of a `[]` array of numbers, else one.
    #[must_use]
    pub fn samples(&self, len: usize) -> usize {
        self.repeating()
            .map_or(1, |placed| placed.elements(len).max(1))
    }

    /// Whether one value can have several samples: the last field is a `[]` array of numbers.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.repeating().is_some()
    }

    fn repeating(&self) -> Option<&Placed> {
        self.fields.last().filter(|placed| {
            placed.definition.kind.is_numeric() && placed.definition.repeat == Repeat::ToEnd
        })
    }

    /// How many fields a value can give, at most one per array element; `None` if the last
    /// repeats to the end.
    #[must_use]
    pub fn field_count(&self) -> Option<usize> {
        self.fields
            .iter()
            .map(
                |placed| match (placed.definition.kind, placed.definition.repeat) {
                    (Kind::Skip, _) => Some(0),
                    (Kind::Hex | Kind::Utf8, _) => Some(1),
                    (_, Repeat::ToEnd) => None,
                    _ => Some(placed.definition.columns()),
                },
            )
            .sum()
    }
}

impl Placed {
    /// How many elements a value of `len` bytes is looked at for.
    #[inline]
    fn elements(&self, len: usize) -> usize {
        match self.definition.repeat {
            Repeat::Once => 1,
            Repeat::Times(times) => times.into(),
            Repeat::ToEnd => len.saturating_sub(self.at) / self.definition.kind.size(),
        }
    }
}

/// The bytes from `at`, as far as there are any.
fn left(at: usize, len: usize) -> Range<usize> {
    at.min(len)..len
}

impl FromStr for Layout {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        Self::parse(text)
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, placed) in self.fields.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            placed.definition.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.name)?;
        match self.kind {
            Kind::Number(number) => number.fmt(f)?,
            Kind::Bool => f.write_str("bool")?,
            Kind::Hex => f.write_str("hex")?,
            Kind::Utf8 => f.write_str("utf8")?,
            Kind::Skip => f.write_str("skip")?,
            Kind::Bits(first, last) => {
                write!(f, "u8.{first}")?;
                // A negative offset straight after `u8.4` would read as the range `u8.4-6`.
                let ambiguous = self.repeat == Repeat::Once
                    && self.scale == Decimal::ONE
                    && self.offset.is_negative();
                if first != last || ambiguous {
                    write!(f, "-{last}")?;
                }
            }
        }
        match self.repeat {
            Repeat::Once => {}
            Repeat::Times(times) => write!(f, "[{times}]")?,
            // Bytes and text run to the end by themselves.
            Repeat::ToEnd if matches!(self.kind, Kind::Hex | Kind::Utf8) => {}
            Repeat::ToEnd => f.write_str("[]")?,
        }
        if self.scale != Decimal::ONE {
            write!(f, "*{}", self.scale)?;
        }
        if self.offset != Decimal::ZERO {
            let sign = if self.offset.is_negative() { "" } else { "+" };
            write!(f, "{sign}{}", self.offset)?;
        }
        if let Some(unit) = &self.unit {
            write!(f, " {unit}")?;
        }
        match self.role {
            Some(role) => write!(f, "!{role}"),
            None => Ok(()),
        }
    }
}

impl Definition {
    /// Whether its numbers are integers.
    const fn is_integer(&self) -> bool {
        match self.kind {
            Kind::Number(number) => !matches!(number.class(), Class::Float),
            Kind::Bits(..) => true,
            Kind::Bool | Kind::Hex | Kind::Utf8 | Kind::Skip => false,
        }
    }
}

#[cfg(test)]
mod tests;
