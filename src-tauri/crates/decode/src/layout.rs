#![doc = include_str!("../LAYOUTS.md")]

use std::str::FromStr;

use crate::field::{Field, Rest, Role, Series};
use crate::number::{Decimal, Endian, NumberType};

mod clock;
mod encode;
mod error;
mod kind;
mod parse;
mod plan;
mod write;

pub use clock::{Clock, Counter};
pub use error::{LayoutError, LayoutErrorKind};

use plan::Block;

/// A user's format: fields one after the other, some of which may repeat or be absent.
///
/// [`Display`](std::fmt::Display) writes the line that [`Layout::parse`] reads, in its shortest form.
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
    /// Parts of a fixed length, whose places follow from what the value says. A layout whose every
    /// field has a fixed place is one block.
    blocks: Vec<Block>,
}

/// What the user wrote about one field.
#[derive(Clone, Debug, PartialEq)]
struct Definition {
    name: Box<str>,
    kind: Kind,
    /// `[n]`: this many in one record.
    times: Option<u16>,
    names: Names,
    constant: Option<i128>,
    scale: Decimal,
    offset: Decimal,
    unit: Option<Box<str>>,
    role: Option<Role>,
    /// By how much a counter rises per value.
    step: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number(NumberType),
    /// IEEE 754 in 16 bits.
    Half(Endian),
    /// IEEE 11073 SFLOAT, or FLOAT.
    Medical {
        short: bool,
    },
    /// Two decimal digits per byte.
    Bcd(NumberType),
    /// First and last bit of an integer; with sign if the integer has one.
    Bits(NumberType, u8, u8),
    Bool,
    Hex,
    Utf8,
    Skip,
}

/// What the values of an integer are called, or its bits; in rising order.
#[derive(Clone, Debug, PartialEq)]
enum Names {
    None,
    Values(Box<[(i128, Box<str>)]>),
    Bits(Box<[(u8, Box<str>)]>),
}

/// How often a field or a group stands in a value.
#[derive(Clone, Debug, PartialEq)]
enum Repeat {
    Once,
    Times(u16),
    ToEnd,
    /// As often as an earlier field says.
    Counted(Source),
}

/// When a field is in a value.
#[derive(Clone, Debug, PartialEq)]
enum Presence {
    Always,
    /// If bytes are left.
    IfLeft,
    If {
        source: Source,
        bits: Option<(u8, u8)>,
        not: bool,
        value: i128,
    },
}

/// An earlier integer that says what follows.
#[derive(Clone, Debug, PartialEq)]
struct Source {
    name: Box<str>,
    /// Where decoding keeps its value.
    slot: usize,
}

/// What stands between two commas.
#[derive(Clone, Debug, PartialEq)]
struct Item {
    form: Form,
    /// One, unless the form is a group.
    fields: Vec<Definition>,
    repeat: Repeat,
    presence: Presence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Fields one after the other.
    Run,
    /// A field that repeats to the end or as often as another says.
    Array,
    /// Fields that repeat together.
    Group,
}

impl Layout {
    /// Reads one line of the layout grammar.
    ///
    /// # Errors
    /// Points at the characters that cannot stand there and says what can.
    pub fn parse(text: &str) -> Result<Self, LayoutError> {
        parse::parse(text)
    }

    /// Hands every field of a value to `f`, in the order of the layout. Allocates nothing.
    ///
    /// Fields that the value is too short for come as [`Value::Missing`](crate::Value::Missing);
    /// those that it says to be absent do not come, and neither does `skip`. What is left after the
    /// last field is reported as a range.
    pub fn decode<'a>(&'a self, bytes: &'a [u8], mut f: impl FnMut(Field<'a>)) -> Rest {
        let mut missing = 0;
        let end = self.walk(bytes, |block, extent| {
            block.fields(bytes, extent, &mut |field| {
                missing += usize::from(field.value == crate::Value::Missing);
                f(field);
            });
        });
        Rest {
            // A field that began but did not end lies across the end: its bytes are not extra.
            extra: plan::left(end, bytes.len()),
            missing,
        }
    }

    /// Hands every number of a value to `f` with its column, in the order of the bytes.
    ///
    /// This is the way of every plotted sample: it allocates nothing and skips what is missing.
    /// Floats that are infinite or NaN are handed on.
    #[inline]
    pub fn columns(&self, bytes: &[u8], f: &mut impl FnMut(usize, f64)) {
        self.walk(bytes, |block, extent| block.numbers(bytes, extent, f));
    }

    /// What can be plotted: one column per number, per element of an array of fixed length, and one
    /// for all samples of what repeats otherwise. Truth values are 0 and 1.
    #[must_use]
    pub fn series(&self) -> Vec<Series> {
        let mut all = Vec::new();
        for block in &self.blocks {
            for definition in block.definitions() {
                for element in 0..definition.columns() {
                    all.push(Series {
                        column: all.len(),
                        name: match definition.times {
                            Some(_) => format!("{}[{element}]", definition.name),
                            None => definition.name.to_string(),
                        },
                        unit: definition.unit.as_deref().map(str::to_owned),
                        role: definition.role,
                        repeats: block.repeats(),
                    });
                }
            }
        }
        all
    }

    /// How many samples a value has: the elements of what repeats and gives numbers, else one.
    #[must_use]
    pub fn samples(&self, bytes: &[u8]) -> usize {
        let mut samples = 1;
        self.walk(bytes, |block, extent| {
            if block.repeats() && block.is_numeric() {
                samples = samples.max(extent.times);
            }
        });
        samples
    }

    /// Whether one value can have several samples of a number.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.blocks
            .iter()
            .any(|block| block.repeats() && block.is_numeric())
    }
}

impl FromStr for Layout {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
