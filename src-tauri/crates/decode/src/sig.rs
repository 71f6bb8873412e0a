//! What the standard characteristics and descriptors say, so that a newcomer sees meaning.
//!
//! A format is a row of [`Part`]s in a table: type, unit, scale, on which flag it depends, what
//! special values stand for. One interpreter reads all tables; another characteristic is another
//! table. Field layouts are those of the GATT Specification Supplement; where a service's own
//! specification says more, it is named beside the table.

use std::fmt;

use uuid::Uuid;

use crate::field::{Fault, Field, Rest, Series, Value};
use crate::names;

pub(crate) mod part;
mod tables;
mod write;

use part::{Check, Kind, Part, Plot, Summary, When};

/// The format of a standard characteristic or descriptor.
#[derive(Clone, Copy)]
pub struct Sig(&'static Definition);

/// A format: its 16-bit UUID and its parts in the order of the bytes.
struct Definition {
    uuid: u16,
    parts: &'static [Part],
    /// The value is a row of such formats, each of which begins with its length in bytes.
    records: bool,
}

/// Where a walk over a value stands.
pub(crate) struct Place<'a> {
    /// The value, or as much of it as the current record has.
    pub(crate) bytes: &'a [u8],
    /// Where the format, or the current record, begins.
    pub(crate) start: usize,
    /// Where the next part begins; past the end after a part that was cut short.
    pub(crate) at: usize,
    /// Which record of several.
    pub(crate) record: Option<usize>,
    /// What is wrong with the record's length.
    pub(crate) fault: Option<Fault>,
}

impl<'a> Place<'a> {
    /// Whether the part is in the value.
    fn has(&self, when: When) -> bool {
        match when {
            When::Always | When::NotZero => true,
            When::If(Check(when)) => when(self.bytes.get(self.start..).unwrap_or(&[])),
            When::Left => self.at < self.bytes.len(),
            When::Masked {
                at,
                mask,
                equals,
                not,
            } => {
                let from = self.bytes.get(self.start + usize::from(at)..);
                let word = from.unwrap_or(&[]).iter().take(4).rev();
                let word = word.fold(0_u32, |word, &byte| word << 8 | u32::from(byte));
                (word & mask == equals) != not
            }
        }
    }

    /// Hands over the parts from here on; how many of them are missing.
    pub(crate) fn walk(
        &mut self,
        parts: &'static [Part],
        f: &mut impl FnMut(&'static Part, Field<'a>),
    ) -> usize {
        let bytes = self.bytes;
        let len = bytes.len();
        let mut missing = 0;
        for part in parts {
            if !self.has(part.when) {
                continue;
            }
            let size = part.size();
            if part.repeats {
                let elements = len.saturating_sub(self.at) / size.max(1);
                for element in 0..elements {
                    f(part, part.field(bytes, self.at, Some(element)));
                    self.at += size;
                }
                if elements == 0 && !part.may_be_empty {
                    missing += 1;
                    f(part, part.field(bytes, self.at, None));
                    self.at = len;
                }
                continue;
            }
            let mut field = part.field(bytes, self.at, self.record);
            field.fault = self.fault.take().or(field.fault);
            // Not the field's own end: bits may lie in one byte of several.
            let end = part.end(bytes, self.at);
            let short = end.is_none();
            match part.kind {
                Kind::Set { names, .. } if !short => {
                    for bit in 0..names.len() {
                        if let Some(field) = part.bit(&field, bit) {
                            f(part, field);
                        }
                    }
                }
                // Whether a reserved bit is set cannot be told where there is none.
                _ if part.when == When::NotZero
                    && matches!(field.value, Value::Int(0) | Value::Missing) => {}
                _ => {
                    missing += usize::from(field.value == Value::Missing);
                    f(part, field);
                }
            }
            match part.kind {
                // What follows a field that is cut short is missing too.
                _ if !part.ends() => {}
                _ if short => self.at = len.max(self.at + size),
                _ => self.at = end.unwrap_or(len),
            }
        }
        missing
    }

    /// Hands over the numbers of the parts from here on: what [`Place::walk`] would give, without
    /// the words.
    pub(crate) fn numbers(&mut self, parts: &'static [Part], f: &mut impl FnMut(usize, f64)) {
        let bytes = self.bytes;
        let len = bytes.len();
        let mut columns = 0;
        for part in parts {
            columns += usize::from(part.plot == Plot::Column);
            let column = (part.plot != Plot::No).then(|| columns - 1);
            // Bits that others come after take no bytes: nothing to do for those without a number.
            let ends = part.ends();
            if (column.is_none() && !ends) || !self.has(part.when) {
                continue;
            }
            loop {
                let end = part.end(bytes, self.at);
                if let (Some(column), Some(_)) = (column, end)
                    && let Some(number) = part.number(bytes, self.at)
                {
                    f(column, number);
                }
                match end {
                    Some(end) if ends => self.at = end,
                    Some(_) => break,
                    // What follows a part that is cut short is missing too; half an element of a
                    // row is left over.
                    None if !part.repeats => self.at = len.max(self.at + part.size()),
                    None => {}
                }
                if !part.repeats || end.is_none() {
                    break;
                }
            }
        }
    }
}

/// Whether a value has one byte more than `parts` take at the least: then the number that is
/// [`Kind::Either`] of two widths has the wider.
fn has_one_more(parts: &[Part], bytes: &[u8]) -> bool {
    let place = Place {
        bytes,
        start: 0,
        at: 0,
        record: None,
        fault: None,
    };
    let there = parts
        .iter()
        .filter(|part| part.ends() && place.has(part.when));
    bytes.len() == there.map(Part::size).sum::<usize>() + 1
}

impl Sig {
    /// The format of `uuid`, if it is a standard one that is known here.
    #[must_use]
    pub fn of(uuid: Uuid) -> Option<Self> {
        Self::of_short(names::short16(uuid)?)
    }

    pub(crate) fn of_short(uuid: u16) -> Option<Self> {
        tables::ALL.iter().find_map(|table| {
            let at = table
                .binary_search_by_key(&uuid, |definition| definition.uuid)
                .ok()?;
            table.get(at).map(Self)
        })
    }

    /// All formats that are known here.
    pub fn all() -> impl Iterator<Item = Self> {
        tables::ALL.iter().flat_map(|table| table.iter()).map(Self)
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
    /// [`Value::Missing`]. What is there and cannot be comes with its
    /// [`fault`](Field::fault), and the others come all the same.
    pub fn decode<'a>(self, bytes: &'a [u8], mut f: impl FnMut(Field<'a>)) -> Rest {
        self.walk(bytes, |_, field| f(field))
    }

    pub(crate) fn summarise<'a>(
        self,
        bytes: &'a [u8],
        mut f: impl FnMut(Option<&'static str>, Field<'a>),
    ) {
        let alone = self.0.parts.len() == 1;
        self.walk(bytes, |part, field| match part.summary {
            Summary::No if alone => f(None, field),
            Summary::No => {}
            Summary::Value => f(None, field),
            Summary::Named(name) => f(Some(name), field),
            Summary::IfSet => {
                if field.value == Value::Bool(true) {
                    let name = field.name;
                    f(
                        None,
                        Field::plain(name, Value::Text(name.as_bytes()), field.range),
                    );
                }
            }
        });
    }

    /// What can be plotted.
    #[must_use]
    pub fn series(self) -> Vec<Series> {
        let mut all: Vec<Series> = Vec::new();
        for part in self.0.parts {
            if part.plot != Plot::Column {
                continue;
            }
            all.push(Series {
                column: all.len(),
                name: part.name.to_owned(),
                unit: part.unit.map(str::to_owned),
                role: part.role,
                repeats: part.repeats || self.0.records,
            });
        }
        all
    }

    /// Hands every number of a value to `f` with its column. Allocates nothing; what is missing
    /// or not known does not come.
    pub fn columns(self, bytes: &[u8], f: &mut impl FnMut(usize, f64)) {
        self.each_record(bytes, |place| {
            place.numbers(self.0.parts, f);
            0
        });
    }

    fn walk<'a>(self, bytes: &'a [u8], mut f: impl FnMut(&'static Part, Field<'a>)) -> Rest {
        self.each_record(bytes, |place| place.walk(self.0.parts, &mut f))
    }

    /// Sets `each` to the value, or to one record after the other; it says how many fields are
    /// missing.
    fn each_record<'a>(
        self,
        bytes: &'a [u8],
        mut each: impl FnMut(&mut Place<'a>) -> usize,
    ) -> Rest {
        let len = bytes.len();
        let mut place = Place {
            bytes,
            start: 0,
            at: 0,
            record: None,
            fault: None,
        };
        let mut missing = 0;
        if self.0.records {
            // One record needs no number.
            let several = bytes
                .first()
                .is_some_and(|&size| (1..len).contains(&usize::from(size)));
            let mut record = 0;
            loop {
                let left = len - place.start;
                let size = bytes.get(place.start).copied().map_or(0, usize::from);
                let fits = (1..=left).contains(&size);
                // Where the next record would begin cannot be told: this one has the rest.
                let end = if fits { place.start + size } else { len };
                place.bytes = bytes.get(..end).unwrap_or(bytes);
                place.at = place.start;
                place.record = several.then_some(record);
                place.fault = (!fits && left > 0).then_some(Fault::RecordLength);
                missing += each(&mut place);
                place.start = end;
                record += 1;
                if end >= len {
                    break;
                }
            }
        } else {
            missing = each(&mut place);
        }
        Rest {
            extra: if missing > 0 {
                len..len
            } else {
                place.at.min(len)..len
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
