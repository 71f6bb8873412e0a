//! What the standard characteristics and descriptors say, so that a newcomer sees meaning.
//!
//! A format is a row of [`Part`]s in a table: type, unit, scale, on which flag it depends, what
//! special values stand for. One interpreter reads all tables; another characteristic is another
//! table. Field layouts are those of the GATT Specification Supplement; where a service's own
//! specification says more, it is named beside the table.

use std::fmt;
use std::ops::RangeInclusive;

use uuid::Uuid;

use crate::field::{Field, Rest, Series, Value};
use crate::names;
use crate::number::{Class, Endian, Linear, NumberType, Raw};

mod tables;

/// The format of a standard characteristic or descriptor.
#[derive(Clone, Copy)]
pub struct Sig(&'static Definition);

/// A format: its 16-bit UUID and its parts in the order of the bytes.
struct Definition {
    uuid: u16,
    parts: &'static [Part],
}

/// One field of a format.
struct Part {
    name: &'static str,
    kind: Kind,
    when: When,
    /// Repeats to the end of the value.
    repeats: bool,
    unit: Option<&'static str>,
    linear: Linear,
    /// What single values stand for.
    meanings: &'static [(i128, &'static str)],
    /// What values stand for that say why there is no number.
    voids: &'static [(i128, &'static str)],
    /// The column of its numbers; variants of one field share it.
    column: Option<usize>,
    summary: Summary,
}

#[derive(Clone, Copy)]
enum Kind {
    Number(NumberType),
    /// Bits of an integer that several parts share; the last of them moves on.
    Bits {
        of: NumberType,
        first: u8,
        last: u8,
        ends: bool,
    },
    /// UTF-8 to the end.
    Text,
}

/// When a part is present or worth showing.
#[derive(Clone, Copy)]
enum When {
    Always,
    /// The value's first byte, the flags, masked, equals this.
    Flags(u8, u8),
    /// Always there, and shown when not zero: reserved bits.
    NotZero,
}

/// How the one-line summary shows a part.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Summary {
    No,
    Value,
    Named(&'static str),
}

const U16: NumberType = NumberType::known(Class::Unsigned, 2, Endian::Little);
const I16: NumberType = NumberType::known(Class::Signed, 2, Endian::Little);
const U32: NumberType = NumberType::known(Class::Unsigned, 4, Endian::Little);

impl Part {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            when: When::Always,
            repeats: false,
            unit: None,
            linear: Linear::IDENTITY,
            meanings: &[],
            voids: &[],
            column: None,
            summary: Summary::No,
        }
    }

    const fn number(name: &'static str, number: NumberType) -> Self {
        Self::new(name, Kind::Number(number))
    }

    const fn bits(name: &'static str, of: NumberType, first: u8, last: u8) -> Self {
        let ends = last as u32 == of.bits() - 1;
        let kind = Kind::Bits {
            of,
            first,
            last,
            ends,
        };
        Self::new(name, kind)
    }

    const fn reserved(of: NumberType, first: u8, last: u8) -> Self {
        let mut part = Self::bits("Reserved", of, first, last);
        part.when = When::NotZero;
        part
    }

    const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text).summarised(Summary::Value)
    }

    const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    const fn scaled(mut self, linear: Linear) -> Self {
        self.linear = linear;
        self
    }

    const fn if_flags(mut self, mask: u8, equals: u8) -> Self {
        self.when = When::Flags(mask, equals);
        self
    }

    const fn repeating(mut self) -> Self {
        self.repeats = true;
        self
    }

    const fn meaning(mut self, meanings: &'static [(i128, &'static str)]) -> Self {
        self.meanings = meanings;
        self
    }

    const fn void(mut self, voids: &'static [(i128, &'static str)]) -> Self {
        self.voids = voids;
        self
    }

    const fn column(mut self, column: usize) -> Self {
        self.column = Some(column);
        self
    }

    const fn summarised(mut self, summary: Summary) -> Self {
        self.summary = summary;
        self
    }

    /// Bytes of one element; text has no fixed length.
    const fn size(&self) -> usize {
        match self.kind {
            Kind::Number(number) | Kind::Bits { of: number, .. } => number.size(),
            Kind::Text => 0,
        }
    }

    /// The field of one element at `at`.
    fn field<'a>(&self, bytes: &'a [u8], at: usize, element: Option<usize>) -> Field<'a> {
        let len = bytes.len();
        let (value, bits): (_, Option<RangeInclusive<u8>>) = match self.kind {
            Kind::Text => (bytes.get(at..).map(Value::Text), None),
            Kind::Number(number) => {
                let raw = bytes.get(at..).and_then(|rest| number.read(rest));
                (raw.map(Value::from), None)
            }
            Kind::Bits {
                of, first, last, ..
            } => {
                let raw = bytes.get(at..).and_then(|rest| of.read(rest));
                let value = raw.and_then(|raw| match raw {
                    Raw::Unsigned(whole) => {
                        let mask = u64::MAX >> (63 - (last - first));
                        Some(Value::Int(((whole >> first) & mask).into()))
                    }
                    _ => None,
                });
                (value, Some(first..=last))
            }
        };
        let range = match (value, self.kind) {
            (Some(_), Kind::Number(_) | Kind::Bits { .. }) => at..at + self.size(),
            (Some(_), Kind::Text) | (None, _) => at.min(len)..len,
        };
        let mut field = Field::plain(self.name, value.unwrap_or(Value::Missing), range);
        field.element = element;
        field.unit = self.unit;
        field.bits = bits;
        field.linear = self.linear;
        if let Value::Int(value) = field.value {
            field.meaning = meaning(self.meanings, value);
            if let Some(void) = meaning(self.voids, value) {
                field.meaning = Some(void);
                field.void = true;
            }
        }
        field
    }
}

fn meaning(of: &[(i128, &'static str)], value: i128) -> Option<&'static str> {
    of.iter()
        .find(|(number, _)| *number == value)
        .map(|(_, meaning)| *meaning)
}

impl Sig {
    /// The format of `uuid`, if it is a standard one that is known here.
    #[must_use]
    pub fn of(uuid: Uuid) -> Option<Self> {
        Self::of_short(names::short16(uuid)?)
    }

    pub(crate) fn of_short(uuid: u16) -> Option<Self> {
        let all = tables::ALL;
        let at = all
            .binary_search_by_key(&uuid, |definition| definition.uuid)
            .ok()?;
        all.get(at).map(Self)
    }

    /// The characteristic or descriptor.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        names::uuid16(self.0.uuid)
    }

    pub(crate) const fn short(self) -> u16 {
        self.0.uuid
    }

    /// Hands every field of a value to `f`, in the order of the bytes. Allocates nothing.
    ///
    /// Fields that flags rule out do not come; fields that the value is too short for come as
    /// [`Value::Missing`].
    pub fn decode<'a>(self, bytes: &'a [u8], mut f: impl FnMut(Field<'a>)) -> Rest {
        self.walk(bytes, |_, field| f(field))
    }

    pub(crate) fn summarise<'a>(
        self,
        bytes: &'a [u8],
        mut f: impl FnMut(Option<&'static str>, Field<'a>),
    ) {
        self.walk(bytes, |part, field| match part.summary {
            Summary::No => {}
            Summary::Value => f(None, field),
            Summary::Named(name) => f(Some(name), field),
        });
    }

    /// What can be plotted.
    #[must_use]
    pub fn series(self) -> Vec<Series> {
        let mut all: Vec<Series> = Vec::new();
        for part in self.0.parts {
            let Some(column) = part.column else { continue };
            if all.iter().any(|series| series.column == column) {
                continue;
            }
            all.push(Series {
                column,
                name: part.name.to_owned(),
                unit: part.unit.map(str::to_owned),
                role: None,
                repeats: part.repeats,
            });
        }
        all
    }

    /// Hands every number of a value to `f` with its column. Allocates nothing; what is missing
    /// or not known does not come.
    pub fn columns(self, bytes: &[u8], f: &mut impl FnMut(usize, f64)) {
        self.walk(bytes, |part, field| {
            if let (Some(column), Some(number)) = (part.column, field.number()) {
                f(column, number);
            }
        });
    }

    fn walk<'a>(self, bytes: &'a [u8], mut f: impl FnMut(&'static Part, Field<'a>)) -> Rest {
        let len = bytes.len();
        let flags = bytes.first().copied().unwrap_or(0);
        let mut at = 0;
        let mut missing = 0;
        for part in self.0.parts {
            if let When::Flags(mask, equals) = part.when
                && flags & mask != equals
            {
                continue;
            }
            if part.repeats {
                let elements = len.saturating_sub(at) / part.size().max(1);
                for element in 0..elements {
                    f(part, part.field(bytes, at, Some(element)));
                    at += part.size();
                }
                if elements == 0 {
                    missing += 1;
                    f(part, part.field(bytes, at, None));
                    at = len;
                }
                continue;
            }
            let field = part.field(bytes, at, None);
            let short = field.value == Value::Missing;
            let end = field.range.end;
            let hidden = matches!(part.when, When::NotZero)
                && matches!(field.value, Value::Int(0) | Value::Missing);
            if !hidden {
                missing += usize::from(short);
                f(part, field);
            }
            match part.kind {
                Kind::Bits { ends: false, .. } if !short => {}
                // What follows a field that is cut short is missing too.
                Kind::Bits { ends: false, .. } => {}
                _ if short => at = len.max(at + part.size()),
                _ => at = end,
            }
        }
        Rest {
            extra: if missing > 0 {
                len..len
            } else {
                at.min(len)..len
            },
            missing,
        }
    }
}

impl PartialEq for Sig {
    fn eq(&self, other: &Self) -> bool {
        self.0.uuid == other.0.uuid
    }
}

impl Eq for Sig {}

impl fmt::Debug for Sig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sig({:04X})", self.0.uuid)
    }
}

#[cfg(test)]
mod tests;
