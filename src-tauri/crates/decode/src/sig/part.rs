//! One field of a standard format, as a row of a table says it, and how it is read from bytes.
//!
//! Rows are constants that are put together from a few words: `quantity("Temperature", I16, "°C")
//! .hundredths().unknown(-0x8000)`. A part that several formats share is one constant under
//! several names.

use std::ops::Range;

use crate::field::{DateTime, Fault, Field, Role, Shown, Value};
use crate::medical::Medical;
use crate::names::Names;
use crate::number::{Class, Endian, Linear, NumberType, Raw};

mod write;

pub(crate) const U8: NumberType = NumberType::U8;
pub(crate) const I8: NumberType = NumberType::I8;
pub(crate) const U16: NumberType = unsigned(2);
pub(crate) const U24: NumberType = unsigned(3);
pub(crate) const U32: NumberType = unsigned(4);
pub(crate) const U48: NumberType = unsigned(6);
pub(crate) const U64: NumberType = unsigned(8);
pub(crate) const I16: NumberType = signed(2);
pub(crate) const I24: NumberType = signed(3);
pub(crate) const I32: NumberType = signed(4);
pub(crate) const F32: NumberType = NumberType::known(Class::Float, 4, Endian::Little);

const fn unsigned(bytes: u8) -> NumberType {
    NumberType::known(Class::Unsigned, bytes, Endian::Little)
}

const fn signed(bytes: u8) -> NumberType {
    NumberType::known(Class::Signed, bytes, Endian::Little)
}

/// What numbers stand for.
pub(crate) type Words = &'static [(i128, &'static str)];

/// One field of a format.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) when: When,
    /// Repeats to the end of the value.
    pub(crate) repeats: bool,
    /// A repeated part may be there no times.
    pub(crate) may_be_empty: bool,
    pub(crate) unit: Option<&'static str>,
    linear: Linear,
    /// What single values stand for.
    meanings: Words,
    /// Values without a meaning are reserved.
    closed: bool,
    /// What values stand for that say why there is no number.
    voids: Words,
    /// The smallest and the largest integer that are allowed beside `voids`.
    limits: Option<(i128, i128)>,
    /// Who knows more names for a 16-bit number.
    names: Option<Names>,
    shown: Shown,
    pub(crate) role: Option<Role>,
    pub(crate) plot: Plot,
    pub(crate) summary: Summary,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Number(NumberType),
    /// A number of one of two widths: which of them, the whole value says.
    Either {
        narrow: NumberType,
        wide: NumberType,
        is_wide: fn(&[u8]) -> bool,
    },
    /// Bits of an integer that several parts share; the last of them moves on.
    Bits {
        of: NumberType,
        first: u8,
        last: u8,
        ends: bool,
    },
    /// Single bits of an integer from `first` on, each a field of its own; those without a name
    /// are reserved.
    Set {
        of: NumberType,
        first: u8,
        names: &'static [&'static str],
        /// What a bit says that is 0, and one that is 1.
        words: (&'static str, &'static str),
        ends: bool,
    },
    /// IEEE 11073 SFLOAT, and how many powers of ten it is moved up for the unit shown.
    Sfloat(i8),
    /// IEEE 11073 FLOAT, likewise.
    Float(i8),
    /// 1.1 to the power of a byte less 64.
    Exponential,
    /// Year, month and day, then hours, minutes and seconds.
    DateTime,
    /// Year, month and day.
    Date,
    /// UTF-8 to the end.
    Text,
    /// UTF-8 of so many bytes.
    FixedText(usize),
    /// UTF-8 up to a zero byte.
    ZeroText,
    /// A number of so many bytes that none of these tells, read from the whole value at a place.
    Read {
        size: usize,
        read: fn(&[u8], usize) -> Value<'static>,
    },
    /// So many bytes.
    Bytes(usize),
    /// What is left.
    Rest,
    /// What is left but for so many bytes at the end.
    AllBut(usize),
}

/// When a part is present or worth showing.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum When {
    Always,
    /// The up to four bytes from `at` on, least significant first, masked, equal this; or `not`.
    Masked {
        at: u8,
        mask: u32,
        equals: u32,
        not: bool,
    },
    /// The bytes from where the format begins say so.
    If(Check),
    /// There are bytes left for it: the format does not say in itself whether it comes.
    Left,
    /// Always there, and shown when not zero: reserved bits.
    NotZero,
}

/// What tells from the bytes of a format whether a part is there.
#[derive(Clone, Copy)]
pub(crate) struct Check(pub(crate) fn(&[u8]) -> bool);

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

/// Whether numbers of a part are a column.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Plot {
    No,
    /// The next column.
    Column,
    /// The column before: another form of the same field.
    Variant,
}

/// How the one-line summary shows a part.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Summary {
    /// Only where there is no other part.
    No,
    Value,
    Named(&'static str),
    /// Of a set, the names of the bits that are set.
    IfSet,
}

const NO_YES: (&str, &str) = ("no", "yes");

/// A number with a unit, which can be plotted.
pub(crate) const fn quantity(name: &'static str, number: NumberType, unit: &'static str) -> Part {
    count(name, number).unit(unit)
}

/// A number without a unit, which can be plotted.
pub(crate) const fn count(name: &'static str, number: NumberType) -> Part {
    Part::new(name, Kind::Number(number)).plotted()
}

/// A number of one of two widths.
pub(crate) const fn either(
    name: &'static str,
    narrow: NumberType,
    wide: NumberType,
    is_wide: fn(&[u8]) -> bool,
) -> Part {
    let kind = Kind::Either {
        narrow,
        wide,
        is_wide,
    };
    Part::new(name, kind)
}

/// A number that says which one, not how much.
pub(crate) const fn number(name: &'static str, number: NumberType) -> Part {
    Part::new(name, Kind::Number(number))
}

/// A number that stands for one of a list; all others are reserved.
pub(crate) const fn choice(name: &'static str, of: NumberType, words: Words) -> Part {
    number(name, of).meaning(words).closed()
}

/// A number that is written in hex, with all its digits.
pub(crate) const fn hex(name: &'static str, of: NumberType) -> Part {
    let mut part = number(name, of);
    part.shown = Shown::Hex((of.size() * 2) as u8);
    part
}

/// Bits `first` to `last` of an integer.
pub(crate) const fn bits(name: &'static str, of: NumberType, first: u8, last: u8) -> Part {
    let ends = last as u32 == of.bits() - 1;
    let kind = Kind::Bits {
        of,
        first,
        last,
        ends,
    };
    Part::new(name, kind)
}

/// Bits that stand for one of a list; all others are reserved.
pub(crate) const fn choice_bits(
    name: &'static str,
    of: NumberType,
    first: u8,
    last: u8,
    words: Words,
) -> Part {
    bits(name, of, first, last).meaning(words).closed()
}

pub(crate) const fn reserved(of: NumberType, first: u8, last: u8) -> Part {
    let mut part = bits("Reserved", of, first, last);
    part.when = When::NotZero;
    part
}

/// Single bits from `first` on, each by its name; `whole` is what they are together.
pub(crate) const fn set(
    whole: &'static str,
    of: NumberType,
    first: u8,
    names: &'static [&'static str],
) -> Part {
    let kind = Kind::Set {
        of,
        first,
        names,
        words: NO_YES,
        ends: first as usize + names.len() == of.bits() as usize,
    };
    Part::new(whole, kind)
}

/// Flags that say which of the fields after them are there.
pub(crate) const fn flags(of: NumberType, first: u8, names: &'static [&'static str]) -> Part {
    let mut part = set("Flags", of, first, names);
    if let Kind::Set { words, .. } = &mut part.kind {
        *words = ("absent", "present");
    }
    part
}

/// SFLOAT, which can be plotted.
pub(crate) const fn sfloat(name: &'static str, unit: &'static str) -> Part {
    sfloat_moved(name, unit, 0)
}

/// SFLOAT that is transmitted in a unit 10^`up` times as large as the one shown.
pub(crate) const fn sfloat_moved(name: &'static str, unit: &'static str, up: i8) -> Part {
    Part::new(name, Kind::Sfloat(up)).unit(unit).plotted()
}

/// FLOAT, which can be plotted.
pub(crate) const fn float(name: &'static str, unit: &'static str) -> Part {
    Part::new(name, Kind::Float(0)).unit(unit).plotted()
}

pub(crate) const fn text(name: &'static str) -> Part {
    Part::new(name, Kind::Text).value()
}

pub(crate) const fn of(name: &'static str, kind: Kind) -> Part {
    Part::new(name, kind)
}

impl Part {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            when: When::Always,
            repeats: false,
            may_be_empty: false,
            unit: None,
            linear: Linear::IDENTITY,
            meanings: &[],
            closed: false,
            voids: &[],
            limits: None,
            names: None,
            shown: Shown::Plain,
            role: None,
            plot: Plot::No,
            summary: Summary::No,
        }
    }

    /// The same under another name.
    pub(crate) const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(crate) const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// `raw × multiply / divide`, shown with so many decimals.
    pub(crate) const fn scaled(mut self, multiply: f64, divide: f64, decimals: u8) -> Self {
        self.linear = Linear::ratio(multiply, divide, decimals);
        self
    }

    /// What is added to the number as transmitted, before it is divided.
    pub(crate) const fn plus(mut self, add: f64) -> Self {
        self.linear = self.linear.plus(add);
        self
    }

    pub(crate) const fn halves(self) -> Self {
        self.scaled(1.0, 2.0, 1)
    }

    pub(crate) const fn tenths(self) -> Self {
        self.scaled(1.0, 10.0, 1)
    }

    pub(crate) const fn hundredths(self) -> Self {
        self.scaled(1.0, 100.0, 2)
    }

    pub(crate) const fn thousandths(self) -> Self {
        self.scaled(1.0, 1000.0, 3)
    }

    /// Present when `bit` of the flags, with which the value begins, is set.
    pub(crate) const fn on(self, bit: u8) -> Self {
        self.masked(0, 1 << bit, 1 << bit)
    }

    /// Present when `bit` of the flags is not set.
    pub(crate) const fn off(self, bit: u8) -> Self {
        self.masked(0, 1 << bit, 0)
    }

    /// Present when `bit` is set and `clear` is not.
    pub(crate) const fn on_off(self, bit: u8, clear: u8) -> Self {
        self.masked(0, 1 << bit | 1 << clear, 1 << bit)
    }

    /// Present when both bits are set.
    pub(crate) const fn on_on(self, one: u8, other: u8) -> Self {
        self.masked(0, 1 << one | 1 << other, 1 << one | 1 << other)
    }

    /// Present when the byte at `at` is this.
    pub(crate) const fn if_byte(self, at: u8, equals: u8) -> Self {
        self.masked(at, 0xFF, equals as u32)
    }

    /// Present when the byte at `at` is not this.
    pub(crate) const fn unless_byte(mut self, at: u8, equals: u8) -> Self {
        self.when = When::Masked {
            at,
            mask: 0xFF,
            equals: equals as u32,
            not: true,
        };
        self
    }

    /// Present when the bytes from `at` on, masked, are this.
    pub(crate) const fn masked(mut self, at: u8, mask: u32, equals: u32) -> Self {
        self.when = When::Masked {
            at,
            mask,
            equals,
            not: false,
        };
        self
    }

    /// Present when the bytes from where the format begins say so.
    pub(crate) const fn given(mut self, when: fn(&[u8]) -> bool) -> Self {
        self.when = When::If(Check(when));
        self
    }

    /// Present when there are bytes left.
    pub(crate) const fn if_left(mut self) -> Self {
        self.when = When::Left;
        self
    }

    /// At least once, to the end of the value.
    pub(crate) const fn repeating(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Any number of times, to the end of the value.
    pub(crate) const fn any_number(mut self) -> Self {
        self.repeats = true;
        self.may_be_empty = true;
        self
    }

    pub(crate) const fn meaning(mut self, meanings: Words) -> Self {
        self.meanings = meanings;
        self
    }

    /// Numbers without a meaning are reserved.
    pub(crate) const fn closed(mut self) -> Self {
        self.closed = true;
        self
    }

    /// Of a set: what bits say that are 0, and that are 1.
    pub(crate) const fn words(mut self, no: &'static str, yes: &'static str) -> Self {
        if let Kind::Set { words, .. } = &mut self.kind {
            *words = (no, yes);
        }
        self
    }

    pub(crate) const fn void(mut self, voids: Words) -> Self {
        self.voids = voids;
        self
    }

    /// The smallest and the largest integer that may be transmitted.
    pub(crate) const fn within(mut self, least: i128, most: i128) -> Self {
        self.limits = Some((least, most));
        self
    }

    pub(crate) const fn names(mut self, names: Names) -> Self {
        self.names = Some(names);
        self
    }

    pub(crate) const fn shown(mut self, shown: Shown) -> Self {
        self.shown = shown;
        self
    }

    pub(crate) const fn plotted(mut self) -> Self {
        self.plot = Plot::Column;
        self
    }

    pub(crate) const fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    /// Has the column of the plotted part before: another form of the same field.
    pub(crate) const fn variant(mut self) -> Self {
        self.plot = Plot::Variant;
        self
    }

    /// The summary has it.
    pub(crate) const fn value(mut self) -> Self {
        self.summary = Summary::Value;
        self
    }

    /// The summary has it under this name.
    pub(crate) const fn as_named(mut self, name: &'static str) -> Self {
        self.summary = Summary::Named(name);
        self
    }

    /// The summary has the names of the bits that are set.
    pub(crate) const fn if_set(mut self) -> Self {
        self.summary = Summary::IfSet;
        self
    }

    /// Bytes of one element, the least of what has no fixed length or one of two.
    pub(crate) const fn size(&self) -> usize {
        match self.kind {
            Kind::Number(number)
            | Kind::Either { narrow: number, .. }
            | Kind::Bits { of: number, .. }
            | Kind::Set { of: number, .. } => number.size(),
            Kind::Sfloat(_) => 2,
            Kind::Float(_) | Kind::Date => 4,
            Kind::Exponential => 1,
            Kind::DateTime => 7,
            Kind::FixedText(size) | Kind::Bytes(size) | Kind::Read { size, .. } => size,
            Kind::Text | Kind::ZeroText | Kind::Rest => 0,
            Kind::AllBut(end) => end + 1,
        }
    }

    /// Whether the next part begins after this one, not in the same integer.
    pub(crate) const fn ends(&self) -> bool {
        !matches!(
            self.kind,
            Kind::Bits { ends: false, .. } | Kind::Set { ends: false, .. }
        )
    }

    /// Where one element at `at` ends; `None` when the value does before it.
    #[inline]
    pub(crate) fn end(&self, bytes: &[u8], at: usize) -> Option<usize> {
        self.range(bytes, at).map(|range| range.end)
    }

    /// The number of one element at `at`: that of its [`field`](Self::field), sooner.
    #[inline]
    pub(crate) fn number(&self, bytes: &[u8], at: usize) -> Option<f64> {
        let Kind::Number(number) = self.kind else {
            return self.field(bytes, at, None).number();
        };
        let raw = number.read(bytes.get(at..)?)?;
        if !self.voids.is_empty()
            && let Value::Int(value) = raw.into()
            && meaning(self.voids, value).is_some()
        {
            return None;
        }
        Some(self.linear.apply(raw.as_f64()))
    }

    /// The bytes of one element at `at`.
    fn range(&self, bytes: &[u8], at: usize) -> Option<Range<usize>> {
        let from = bytes.get(at..)?;
        let size = match self.kind {
            Kind::Text | Kind::Rest => from.len(),
            Kind::AllBut(end) => from.len().checked_sub(end).filter(|&size| size > 0)?,
            Kind::Either { wide, is_wide, .. } if is_wide(bytes) => wide.size(),
            Kind::ZeroText => from
                .iter()
                .position(|&byte| byte == 0)
                .map_or(from.len(), |end| end + 1),
            _ => self.size(),
        };
        (size <= from.len()).then_some(at..at + size)
    }

    /// The field of one element at `at`.
    pub(crate) fn field<'a>(
        &self,
        bytes: &'a [u8],
        at: usize,
        element: Option<usize>,
    ) -> Field<'a> {
        let range = self.range(bytes, at);
        let Some((range, from)) = range.and_then(|range| Some((range.clone(), bytes.get(range)?)))
        else {
            let left = at.min(bytes.len())..bytes.len();
            let mut field = Field::plain(self.name, Value::Missing, left.clone());
            field.element = element;
            field.unit = self.unit;
            field.fault = Some(Fault::CutShort {
                has: left.len(),
                needs: self.size(),
            });
            return field;
        };
        let mut field = Field::plain(self.name, Value::Bytes(from), range);
        field.element = element;
        field.unit = self.unit;
        field.linear = self.linear;
        field.shown = self.shown;
        field.role = self.role;
        match self.kind {
            Kind::Number(number) | Kind::Set { of: number, .. } => {
                if let Some(raw) = number.read(from) {
                    field.value = raw.into();
                }
            }
            Kind::Either { narrow, wide, .. } => {
                let is_wide = from.len() == wide.size();
                if let Some(raw) = if is_wide { wide } else { narrow }.read(from) {
                    field.value = raw.into();
                }
            }
            Kind::Bits {
                of, first, last, ..
            } => {
                if let Some(Raw::Unsigned(whole)) = of.read(from) {
                    let mask = u64::MAX >> (63 - (last - first));
                    field.value = Value::Int(((whole >> first) & mask).into());
                }
                place_bits(&mut field, of, first, last);
                if self.when == When::NotZero {
                    field.fault = Some(Fault::Reserved);
                }
            }
            Kind::Sfloat(up) => field.decimal(Medical::short(from, up)),
            Kind::Float(up) => field.decimal(Medical::long(from, up)),
            Kind::Exponential => {
                let byte = from.first().copied().unwrap_or(0);
                let seconds = match byte {
                    0 => 0.0,
                    _ => 1.1_f64.powi(i32::from(byte) - 64),
                };
                field.value = Value::Float(seconds);
                field.meaning = meaning(self.voids, byte.into());
                field.void = field.meaning.is_some();
            }
            Kind::DateTime | Kind::Date => {
                if let Some(time) = date_time(from) {
                    field.value = Value::Time(time);
                    field.fault = (!time.exists()).then_some(Fault::NoSuchTime);
                }
            }
            Kind::Text | Kind::FixedText(_) => {
                field.value = Value::Text(from);
                field.fault = Fault::of_text(from);
            }
            Kind::ZeroText => {
                let (text, fault) = match from {
                    [text @ .., 0] => (text, None),
                    _ => (from, Some(Fault::Unterminated)),
                };
                field.value = Value::Text(text);
                field.fault = Fault::of_text(text).or(fault);
            }
            Kind::Read { size, read } => {
                field.value = read(bytes, at);
                // A number that has bits elsewhere too.
                field.fault = (field.value == Value::Missing).then_some(Fault::CutShort {
                    has: size,
                    needs: size + 1,
                });
            }
            Kind::Bytes(_) | Kind::Rest | Kind::AllBut(_) => {}
        }
        if let Value::Int(value) = field.value {
            self.judge(&mut field, value);
        }
        field
    }

    /// What an integer means, or why it cannot be.
    fn judge(&self, field: &mut Field<'_>, value: i128) {
        if let Some(void) = meaning(self.voids, value) {
            field.meaning = Some(void);
            field.void = true;
            return;
        }
        field.meaning = meaning(self.meanings, value);
        if let (None, Some(names), Ok(number)) = (field.meaning, self.names, u16::try_from(value)) {
            field.meaning = names.of(number);
            field.numbered = field
                .meaning
                .is_some_and(|name| names.number(name) != Some(number));
        }
        if field.meaning.is_some() {
            return;
        }
        if self.closed {
            field.fault = Some(Fault::Reserved);
        }
        if let Some((least, most)) = self.limits
            && !(least..=most).contains(&value)
        {
            field.fault = Some(Fault::OutOfRange {
                least: self.linear.apply(least as f64),
                most: self.linear.apply(most as f64),
            });
        }
    }

    /// One bit of the field of a whole set; none for a reserved bit that is not set.
    pub(crate) fn bit<'a>(&self, whole: &Field<'a>, bit: usize) -> Option<Field<'a>> {
        let (
            Kind::Set {
                of,
                first,
                names,
                words,
                ..
            },
            Value::Int(word),
        ) = (self.kind, whole.value)
        else {
            return None;
        };
        let at = first + u8::try_from(bit).ok()?;
        let is_set = word >> at & 1 == 1;
        let name = *names.get(bit)?;
        if name.is_empty() && !is_set {
            return None;
        }
        let name_or = if name.is_empty() { "Reserved" } else { name };
        let mut field = Field::plain(name_or, Value::Bool(is_set), whole.range.clone());
        field.element = whole.element;
        place_bits(&mut field, of, at, at);
        field.meaning = Some(if is_set { words.1 } else { words.0 });
        field.fault = name.is_empty().then_some(Fault::Reserved);
        Some(field)
    }
}

/// Says which bits of which bytes a field is, in the little-endian integer that a field counts in:
/// bits of a big-endian one that lie in one byte are of that byte alone, others of all its bytes.
fn place_bits(field: &mut Field<'_>, of: NumberType, first: u8, last: u8) {
    if of.endian() == Endian::Little {
        field.bits = Some(first..=last);
    } else if first / 8 == last / 8 {
        let at = field.range.end.saturating_sub(1 + usize::from(first / 8));
        field.range = at..at + 1;
        field.bits = Some(first % 8..=last % 8);
    }
}

fn date_time(from: &[u8]) -> Option<DateTime> {
    let (&[low, high, month, day], time) = from.split_first_chunk()?;
    Some(DateTime {
        year: u16::from_le_bytes([low, high]),
        month,
        day,
        time: match *time {
            [hours, minutes, seconds] => Some((hours, minutes, seconds)),
            _ => None,
        },
    })
}

fn meaning(of: Words, value: i128) -> Option<&'static str> {
    of.iter()
        .find(|(number, _)| *number == value)
        .map(|(_, meaning)| *meaning)
}
