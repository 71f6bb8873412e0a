//! Where everything is: made once when a line is read, followed for every value.
//!
//! A layout becomes blocks of a fixed length. Inside a block every field has its place; where a
//! block begins, whether it is there and how often follows from the value. Integers that decide
//! that are kept in a few slots while a value is read, so that reading allocates nothing.

use std::ops::Range;

use super::{Definition, Form, Item, Kind, Layout, Names, Presence, Repeat};
use crate::field::{Field, Value};
use crate::number::{Class, Decimal, Endian, Linear, NumberType};

/// How many fields can decide about others.
pub(super) const SLOTS: usize = 16;
/// More repetitions than any value can hold.
const MANY: usize = 1 << 16;

/// Fields at fixed places, which come together, and maybe several times.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    pub(super) form: Form,
    pub(super) fields: Vec<Placed>,
    pub(super) repeat: Repeat,
    pub(super) presence: Presence,
    /// Bytes of one repetition.
    pub(super) size: usize,
    /// Fields and elements of arrays of one repetition.
    elements: usize,
    /// Its first byte, if that is the same in every value.
    pub(super) start: Option<usize>,
    /// What `columns` reads, and nothing else.
    numbers: Vec<Number>,
    /// Integers that decide about later blocks: slot, place, kind.
    kept: Vec<(usize, usize, Kind)>,
}

/// A definition with what follows from its place in the block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) definition: Definition,
    /// Its first byte in the block.
    pub(super) at: usize,
    /// The column of its first element.
    pub(super) column: usize,
    pub(super) linear: Linear,
}

/// One number, or an array of them, as the hot path reads it.
#[derive(Clone, Debug, PartialEq)]
struct Number {
    at: usize,
    size: usize,
    elements: usize,
    column: usize,
    plain: Plain,
    big: bool,
    /// The bits of an integer are shifted to the top of a word, and down again.
    up: u8,
    down: u8,
    linear: Linear,
    kind: Kind,
    /// Integers that stand for no number, as the 64 bits of their two's complement.
    void: Box<[u64]>,
}

/// How the bits of a number are read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Plain {
    Unsigned,
    Signed,
    Single,
    Double,
    /// Everything else goes a longer way.
    No,
}

impl Number {
    fn of(definition: &Definition, at: usize, column: usize, linear: Linear) -> Self {
        let kind = definition.kind;
        let void: Box<[u64]> = match &definition.names {
            Names::Values(names) if definition.measures() => {
                let mut void: Vec<u64> = names.iter().map(|(value, _)| *value as u64).collect();
                void.sort_unstable();
                void.into()
            }
            _ => Box::default(),
        };
        let (number, first, last) = match kind {
            Kind::Number(number) => (number, 0, (number.bits() - 1) as u8),
            Kind::Bits(number, first, last) => (number, first, last),
            _ => (NumberType::U8, 0, 7),
        };
        let plain = match (kind, number.class()) {
            (Kind::Number(_) | Kind::Bits(..), Class::Unsigned) => Plain::Unsigned,
            (Kind::Number(_) | Kind::Bits(..), Class::Signed) => Plain::Signed,
            (Kind::Number(_), Class::Float) if number.size() == 4 => Plain::Single,
            (Kind::Number(_), Class::Float) => Plain::Double,
            _ => Plain::No,
        };
        Self {
            at,
            size: kind.size(),
            elements: definition.columns(),
            column,
            plain,
            big: number.endian() == Endian::Big,
            up: 63 - last,
            down: 63 - (last - first),
            linear,
            kind,
            void,
        }
    }

    /// One element before scale and offset; `None` where there are too few bytes, or where they
    /// stand for no number.
    #[inline(always)]
    fn read(&self, bytes: &[u8], at: usize) -> Option<f64> {
        if self.plain == Plain::No {
            return self.read_rare(bytes.get(at..)?);
        }
        let word = match self.size {
            1 => u64::from(*bytes.get(at)?),
            2 => {
                let chunk = *bytes.get(at..)?.first_chunk()?;
                u64::from(match self.big {
                    true => u16::from_be_bytes(chunk),
                    false => u16::from_le_bytes(chunk),
                })
            }
            3 => {
                let &[first, middle, last] = bytes.get(at..)?.first_chunk()?;
                u64::from(match self.big {
                    true => u32::from_be_bytes([0, first, middle, last]),
                    false => u32::from_le_bytes([first, middle, last, 0]),
                })
            }
            4 => {
                let chunk = *bytes.get(at..)?.first_chunk()?;
                u64::from(match self.big {
                    true => u32::from_be_bytes(chunk),
                    false => u32::from_le_bytes(chunk),
                })
            }
            8 => {
                let chunk = *bytes.get(at..)?.first_chunk()?;
                match self.big {
                    true => u64::from_be_bytes(chunk),
                    false => u64::from_le_bytes(chunk),
                }
            }
            size => {
                let own = bytes.get(at..)?.get(..size)?;
                let join = |word, &byte: &u8| word << 8 | u64::from(byte);
                match self.big {
                    true => own.iter().fold(0, join),
                    false => own.iter().rev().fold(0, join),
                }
            }
        };
        match self.plain {
            Plain::Single => Some(f32::from_bits(word as u32).into()),
            Plain::Double => Some(f64::from_bits(word)),
            Plain::Signed => {
                let integer = (word << self.up).cast_signed() >> self.down;
                (!self.is_void(integer.cast_unsigned())).then_some(integer as f64)
            }
            Plain::Unsigned | Plain::No => {
                let integer = (word << self.up) >> self.down;
                (!self.is_void(integer)).then_some(integer as f64)
            }
        }
    }

    /// Whether an integer stands for no number. Most have none that does.
    #[inline(always)]
    fn is_void(&self, integer: u64) -> bool {
        !self.void.is_empty() && self.void.binary_search(&integer).is_ok()
    }

    /// Numbers that are no integers and no floats of their own width; no values of them have names.
    #[inline(never)]
    fn read_rare(&self, bytes: &[u8]) -> Option<f64> {
        self.kind.number(bytes)
    }
}

/// Where a block lies in a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) start: usize,
    /// How often it is there.
    pub(super) times: usize,
    /// Whether it should be there once more.
    cut: bool,
}

impl Extent {
    fn records(self) -> usize {
        self.times + usize::from(self.cut)
    }
}

/// A layout in the making.
#[derive(Default)]
pub(super) struct Placing {
    blocks: Vec<Block>,
    columns: usize,
    /// Bytes of all blocks but the last that are in every value.
    certain: usize,
    /// What [`Placing::work`] is without the last block.
    before: usize,
    shared: Shared,
}

/// The word of neighbouring bit fields: where it is, what it is, and the bits taken.
#[derive(Default)]
struct Shared {
    word: Option<(usize, Kind, u64)>,
}

impl Placing {
    /// Gives every field of the next item its place. The item is checked already.
    pub(super) fn push(&mut self, item: Item) {
        let joins = self.blocks.last().is_some_and(|last| {
            last.form == Form::Run
                && item.form == Form::Run
                && last.presence == item.presence
                && (item.presence != Presence::IfLeft
                    || item.fields.iter().all(|field| self.shared.takes(field)))
        });
        if !joins {
            let start = self.blocks.last().map_or(Some(0), Block::end);
            self.certain += self.blocks.last().map_or(0, Block::certain);
            self.before = self.work();
            self.shared = Shared::default();
            self.blocks.push(Block {
                form: item.form,
                fields: Vec::new(),
                repeat: item.repeat,
                presence: item.presence,
                size: 0,
                elements: 0,
                start,
                numbers: Vec::new(),
                kept: Vec::new(),
            });
        }
        if let Some(block) = self.blocks.last_mut() {
            for definition in item.fields {
                let columns = definition.columns();
                block.push(definition, self.columns, &mut self.shared);
                self.columns += columns;
            }
        }
    }

    /// Bytes that every value has up to here, and those that the last block adds if it is there.
    pub(super) fn length(&self) -> usize {
        let Some(last) = self.blocks.last() else {
            return 0;
        };
        if last.presence == Presence::Always {
            self.certain + last.least()
        } else {
            self.certain.max(last.least())
        }
    }

    /// Elements or bytes of all blocks together, whichever are more: those that no value has beside
    /// others, too.
    pub(super) fn work(&self) -> usize {
        let last = self.blocks.last().map_or(0, Block::work);
        self.before.saturating_add(last)
    }

    /// The layout; `sources` are the fields that decide about others, in the order of their slots.
    pub(super) fn finish(mut self, sources: &[Box<str>]) -> Layout {
        for block in &mut self.blocks {
            for placed in &block.fields {
                let definition = &placed.definition;
                if let Some(slot) = sources.iter().position(|name| *name == definition.name) {
                    block.kept.push((slot, placed.at, definition.kind));
                }
            }
        }
        Layout {
            blocks: self.blocks,
        }
    }
}

impl Layout {
    /// Hands every block that is in a value to `f`, with its place. Says where the last one ends,
    /// which is beyond the value if that is too short.
    #[inline]
    pub(super) fn walk<'l>(&'l self, bytes: &[u8], mut f: impl FnMut(&'l Block, Extent)) -> usize {
        let len = bytes.len();
        let mut known = [None; SLOTS];
        let mut at = 0_usize;
        for block in &self.blocks {
            if !block.presence.holds(&known, at < len) {
                continue;
            }
            let room = len.saturating_sub(at) / block.size.max(1);
            let (times, declared) = match &block.repeat {
                Repeat::Once => (1, 1),
                Repeat::Times(times) => ((*times).into(), (*times).into()),
                Repeat::ToEnd => (room, if at > len { 1 } else { room }),
                Repeat::Counted(source) => {
                    let declared = known.get(source.slot).copied().flatten().unwrap_or(0);
                    let declared = usize::try_from(declared).unwrap_or(0).min(MANY);
                    (declared.min(room), declared)
                }
            };
            let extent = Extent {
                start: at,
                times,
                cut: declared > times,
            };
            f(block, extent);
            for &(slot, place, kind) in &block.kept {
                if let Some(slot) = known.get_mut(slot) {
                    *slot = bytes.get(at + place..).and_then(|b| kind.integer(b));
                }
            }
            at = at.saturating_add(block.size.saturating_mul(declared));
        }
        at
    }
}

impl Shared {
    /// Whether a bit field goes into the word of its neighbour.
    fn takes(&self, definition: &Definition) -> bool {
        match (self.word, word(definition)) {
            (Some((_, kind, taken)), Some((same, mask))) => kind == same && taken & mask == 0,
            _ => false,
        }
    }
}

/// The word of a bit field, without its sign, and the bits that it takes; `None` for other fields.
fn word(definition: &Definition) -> Option<(Kind, u64)> {
    match (definition.kind, definition.times) {
        (Kind::Bits(number, first, last), None) => Some((
            Kind::Bits(number.unsigned(), 0, 0),
            (u64::MAX >> (63 - (last - first))) << first,
        )),
        _ => None,
    }
}

impl Presence {
    #[inline]
    pub(super) fn holds(&self, known: &[Option<i128>; SLOTS], left: bool) -> bool {
        match self {
            Self::Always => true,
            Self::IfLeft => left,
            Self::If {
                source,
                bits,
                not,
                value,
                ..
            } => {
                // What is not there decides that what hangs on it is not there.
                let Some(mut found) = known.get(source.slot).copied().flatten() else {
                    return false;
                };
                if let Some((first, last)) = *bits {
                    found = (found >> first) & ((1 << (last - first + 1)) - 1);
                }
                (found == *value) != *not
            }
        }
    }
}

impl Block {
    fn push(&mut self, definition: Definition, column: usize, shared: &mut Shared) {
        let mut at = self.size;
        if shared.takes(&definition)
            && let (Some((place, _, taken)), Some((_, mask))) =
                (&mut shared.word, word(&definition))
        {
            at = *place;
            *taken |= mask;
        } else {
            shared.word = word(&definition).map(|(kind, mask)| (at, kind, mask));
            self.size += definition.size();
        }
        self.elements += definition.columns().max(1);
        let linear = if definition.scale == Decimal::ONE && definition.offset == Decimal::ZERO {
            Linear::IDENTITY
        } else {
            Linear::decimal(definition.scale, definition.offset)
        };
        if definition.kind.is_numeric() {
            self.numbers
                .push(Number::of(&definition, at, column, linear));
        }
        self.fields.push(Placed {
            definition,
            at,
            column,
            linear,
        });
    }

    /// Bytes that it has at least where it is.
    fn least(&self) -> usize {
        match self.repeat {
            Repeat::Once => self.size,
            Repeat::Times(times) => self.size * usize::from(times),
            Repeat::ToEnd | Repeat::Counted(_) => 0,
        }
    }

    /// Its elements or bytes, whichever are more.
    fn work(&self) -> usize {
        let times = match self.repeat {
            Repeat::Times(times) => times.into(),
            Repeat::Once | Repeat::ToEnd | Repeat::Counted(_) => 1,
        };
        let size = self.size.max(self.elements);
        size.saturating_mul(times)
    }

    /// Bytes that it has in every value.
    fn certain(&self) -> usize {
        match self.presence {
            Presence::Always => self.least(),
            _ => 0,
        }
    }

    /// Where the next block begins, if that is the same in every value.
    fn end(&self) -> Option<usize> {
        match (&self.presence, &self.repeat) {
            (Presence::Always, Repeat::Once | Repeat::Times(_)) => Some(self.start? + self.least()),
            _ => None,
        }
    }

    pub(super) fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.fields.iter().map(|placed| &placed.definition)
    }

    /// Integers that decide about later blocks: slot, place, kind.
    pub(super) fn kept(&self) -> &[(usize, usize, Kind)] {
        &self.kept
    }

    /// Whether its numbers are several samples of the same columns.
    pub(super) fn repeats(&self) -> bool {
        self.repeat != Repeat::Once
    }

    pub(super) fn is_numeric(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// See [`Layout::columns`].
    #[inline]
    pub(super) fn numbers(&self, bytes: &[u8], extent: Extent, f: &mut impl FnMut(usize, f64)) {
        for record in 0..extent.records() {
            let start = extent.start + record * self.size;
            for number in &self.numbers {
                for element in 0..number.elements {
                    let at = start + number.at + element * number.size;
                    let Some(raw) = number.read(bytes, at) else {
                        continue;
                    };
                    f(number.column + element, number.linear.apply(raw));
                }
            }
        }
    }

    /// See [`Layout::decode`].
    pub(super) fn fields<'a>(
        &'a self,
        bytes: &'a [u8],
        extent: Extent,
        f: &mut impl FnMut(Field<'a>),
    ) {
        let len = bytes.len();
        if let (Form::Array, [placed]) = (self.form, self.fields.as_slice())
            && placed.definition.kind.is_bytes()
        {
            // Bytes in a row are one field.
            let range = extent.start..extent.start + extent.times;
            placed.bytes(bytes, range, extent.cut, None, f);
            return;
        }
        for record in 0..extent.records() {
            let start = extent.start + record * self.size;
            let sample = (self.form == Form::Group).then_some(record);
            for placed in &self.fields {
                let definition = &placed.definition;
                let at = start + placed.at;
                if definition.kind.is_bytes() {
                    placed.bytes(bytes, at..at + definition.size(), false, sample, f);
                    continue;
                }
                let size = definition.kind.size();
                for element in 0..definition.columns() {
                    let at = at + element * size;
                    let element = match self.form {
                        Form::Array => Some(record),
                        Form::Run | Form::Group => definition.times.map(|_| element),
                    };
                    let mut field = match bytes.get(at..at + size) {
                        Some(own) => {
                            let mut field = placed.field(Value::Missing, at..at + size);
                            definition.read(own, &mut field);
                            field
                        }
                        None => placed.field(Value::Missing, left(at, len)),
                    };
                    field.sample = sample;
                    field.element = element;
                    f(field);
                }
            }
        }
    }
}

impl Placed {
    fn field<'a>(&'a self, value: Value<'a>, range: Range<usize>) -> Field<'a> {
        let definition = &self.definition;
        let mut field = Field::plain(&definition.name, value, range);
        field.unit = definition.unit.as_deref();
        field.role = definition.role;
        field.linear = self.linear;
        if let Kind::Bits(_, first, last) = definition.kind {
            field.bits = Some(first..=last);
        }
        field
    }

    /// Bytes or text; `cut` if there should be more of them.
    fn bytes<'a>(
        &'a self,
        bytes: &'a [u8],
        range: Range<usize>,
        cut: bool,
        sample: Option<usize>,
        f: &mut impl FnMut(Field<'a>),
    ) {
        let value = match (self.definition.kind, bytes.get(range.clone())) {
            (Kind::Skip, _) => return,
            _ if cut => None,
            (Kind::Utf8, Some(text)) => Some(Value::Text(text)),
            (_, raw) => raw.map(Value::Bytes),
        };
        let mut field = match value {
            Some(value) => self.field(value, range),
            None => self.field(Value::Missing, left(range.start, bytes.len())),
        };
        field.sample = sample;
        f(field);
    }
}

/// The bytes from `at`, as far as there are any.
pub(super) fn left(at: usize, len: usize) -> Range<usize> {
    at.min(len)..len
}
