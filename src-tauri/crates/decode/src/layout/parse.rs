//! From the line that a user types to a layout, or to the characters that cannot stand there.

use std::collections::{BTreeMap, HashSet};

use super::error::{
    self, LayoutErrorKind as Wrong, MAX_BYTES, MAX_FIELDS, MAX_LINE, MAX_NAME, MAX_UNIT, MAX_WORK,
};
use super::plan::{Placing, SLOTS};
use super::{Definition, Form, Item, Kind, Layout, LayoutError, Names, Presence, Repeat, Source};
use crate::clean;
use crate::field::Role;
use crate::number::{Class, Decimal, Endian, NumberType};

type Parsed<T> = Result<T, LayoutError>;

pub(super) fn parse(text: &str) -> Parsed<Layout> {
    let mut parser = Parser {
        text: text.chars().collect(),
        at: 0,
        names: HashSet::new(),
        deciding: BTreeMap::new(),
        sources: Vec::new(),
        roles: [false; 2],
        moved: false,
        in_group: false,
    };
    if let Some(beyond @ 1..) = parser.text.len().checked_sub(MAX_LINE) {
        return Err(parser.wrong(MAX_LINE, beyond, Wrong::LineTooLong));
    }
    let mut placing = Placing::default();
    let mut ended = false;
    let mut fields = 0;
    loop {
        parser.spaces();
        let start = parser.at;
        if ended && parser.peek().is_none() {
            return Err(parser.wrong(start, 0, Wrong::AfterEnd));
        }
        let item = if parser.peek() == Some('{') {
            parser.group()?
        } else {
            parser.item()?
        };
        let end = parser.at;
        // Of fields that run to the end, a condition chooses one.
        if ended && !matches!(item.presence, Presence::If { .. }) {
            return Err(parser.wrong(start, end - start, Wrong::AfterEnd));
        }
        ended |= item.repeat == Repeat::ToEnd;
        fields += item.fields.len();
        if fields > MAX_FIELDS {
            return Err(parser.wrong(start, end - start, Wrong::TooManyFields));
        }
        placing.push(item);
        let bytes = placing.length();
        if bytes > MAX_BYTES {
            return Err(parser.wrong(start, end - start, Wrong::TooLong(bytes)));
        }
        let work = placing.work();
        if work > MAX_WORK {
            return Err(parser.wrong(start, end - start, Wrong::TooMuch(work)));
        }
        match parser.peek() {
            None => break,
            Some(',') => parser.at += 1,
            Some(_) => return Err(parser.stray()),
        }
    }
    Ok(placing.finish(&parser.sources))
}

fn name_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ')
}

/// Where a text that is read by people and drawn on charts hides or piles up something.
fn hidden(text: &str) -> Option<usize> {
    let whole = |text: &str| clean::text(text, usize::MAX) == text;
    if whole(text) {
        return None;
    }
    let ends = text.char_indices().map(|(at, c)| (c, at + c.len_utf8()));
    let mut beginnings = ends.map(|(c, end)| (c, text.get(..end).unwrap_or_default()));
    beginnings.position(|(c, beginning)| c != ' ' && !whole(beginning))
}

/// Whether `name` can stand before a colon; where not, the offset in characters.
fn check_name(name: &str) -> Result<(), (usize, Wrong)> {
    let first = name.chars().next();
    if !first.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return Err((0, Wrong::Name));
    }
    if let Some(at) = name.chars().position(|c| !name_character(c)) {
        return Err((at, Wrong::Name));
    }
    if name.chars().count() > MAX_NAME {
        return Err((MAX_NAME, Wrong::NameTooLong));
    }
    hidden(name).map_or(Ok(()), |at| Err((at, Wrong::Name)))
}

/// Whether `unit` can stand after a space; where not, the offset in characters.
fn check_unit(unit: &str) -> Result<(), (usize, Wrong)> {
    if unit.starts_with(['*', '+', '-', '\u{2212}', '[', '?', '=', '{']) {
        return Err((0, Wrong::Unit));
    }
    if let Some(at) = unit.chars().position(|c| matches!(c, ',' | '!' | '}')) {
        return Err((at, Wrong::Unit));
    }
    if unit.chars().count() > MAX_UNIT {
        return Err((MAX_UNIT, Wrong::Unit));
    }
    hidden(unit).map_or(Ok(()), |at| Err((at, Wrong::Unit)))
}

struct Parser {
    text: Vec<char>,
    /// The next character.
    at: usize,
    /// Names that are taken.
    names: HashSet<Box<str>>,
    /// Fields that can decide about later ones.
    deciding: BTreeMap<Box<str>, Kind>,
    /// Those that do, by slot.
    sources: Vec<Box<str>>,
    /// Whether there is a counter, and a clock.
    roles: [bool; 2],
    /// Whether what follows is not at the same place in every value.
    moved: bool,
    in_group: bool,
}

/// Scale, offset and unit, with their places.
#[derive(Default)]
struct Measure {
    scale: Option<(usize, Decimal)>,
    offset: Option<(usize, Decimal)>,
    unit: Option<(usize, String)>,
    presence: Option<(usize, Presence)>,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn take_minus(&mut self) -> bool {
        self.take('-') || self.take('\u{2212}')
    }

    fn spaces(&mut self) {
        while self.take(' ') || self.take('\t') || self.take('\n') || self.take('\r') {}
    }

    fn rest(&self) -> &[char] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The characters from here that `belongs` takes.
    fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let run: String = self
            .rest()
            .iter()
            .copied()
            .take_while(|&c| belongs(c))
            .collect();
        self.at += run.chars().count();
        run
    }

    /// Says what is wrong with so many characters.
    fn wrong(&self, at: usize, len: usize, kind: Wrong) -> LayoutError {
        LayoutError::new(&self.text, at, len, kind)
    }

    /// Says what is wrong with what was read since.
    fn since(&self, at: usize, kind: Wrong) -> LayoutError {
        self.wrong(at, self.at - at, kind)
    }

    /// Says what is wrong with the next character, or that it is missing.
    fn next(&self, kind: Wrong) -> LayoutError {
        self.wrong(self.at, usize::from(self.peek().is_some()), kind)
    }

    fn stray(&self) -> LayoutError {
        let ends = |c: &&char| !matches!(c, ',');
        let len = self.rest().iter().take_while(ends).count();
        self.wrong(self.at, len.max(1), Wrong::Stray)
    }

    /// A field, which may repeat to the end or as often as another says, or be absent.
    fn item(&mut self) -> Parsed<Item> {
        let start = self.at;
        let name = self.name()?;
        let colon = self.at;
        let kind = self.kind()?;
        let kind_end = self.at;
        let repeat = self.repeat(kind)?;
        if self.in_group && matches!(repeat, Repeat::ToEnd | Repeat::Counted(_)) {
            let from = if kind_end == self.at { colon } else { kind_end };
            return Err(self.since(from, Wrong::InGroup));
        }
        let (times, repeat) = match repeat {
            Repeat::Once => (None, Repeat::Once),
            Repeat::Times(times) => (Some(times), Repeat::Once),
            several => (None, several),
        };
        let alone = times.is_none() && repeat == Repeat::Once;
        let mut definition = Definition {
            name: name.into(),
            kind,
            times,
            names: Names::None,
            constant: None,
            scale: Decimal::ONE,
            offset: Decimal::ZERO,
            unit: None,
            role: None,
            step: 1,
        };

        let at = self.at;
        if self.peek() == Some('{') {
            definition.names = self.value_names(kind)?;
        }
        let named = self.at - at;
        let at_constant = self.at;
        if self.take('=') {
            if !(alone && kind.is_integer()) || named > 0 {
                return Err(self.wrong(at_constant, 1, Wrong::ConstantFor));
            }
            definition.constant = Some(self.integer(kind, Wrong::Constant)?);
        }

        let measure = self.measure(kind)?;
        let first = [
            measure.scale.as_ref().map(|(at, _)| *at),
            measure.offset.as_ref().map(|(at, _)| *at),
            measure.unit.as_ref().map(|(at, _)| *at),
        ];
        if let Some(&at_measure) = first.iter().flatten().min() {
            if definition.constant.is_some() {
                return Err(self.wrong(at_measure, 1, Wrong::ConstantFor));
            }
            if matches!(definition.names, Names::Bits(_)) {
                return Err(self.wrong(at, named, Wrong::NamesFor));
            }
        }
        definition.apply(&measure);
        let presence = match measure.presence {
            Some((at, _)) if self.in_group => {
                return Err(self.wrong(at, 1, Wrong::InGroup));
            }
            Some((_, presence)) => presence,
            None => Presence::Always,
        };

        let at = self.at;
        if self.take('!') {
            if !kind.measures() {
                return Err(self.wrong(at, 1, Wrong::NumbersOnly("a role")));
            }
            let whole = (colon, kind_end - colon);
            self.role(&mut definition, alone, whole)?;
            if self.in_group || self.moved || presence != Presence::Always {
                return Err(self.since(at, Wrong::RoleMoves));
            }
            self.spaces();
        }

        if &*definition.name != "_" && !self.names.insert(definition.name.clone()) {
            let name = definition.name.into_string();
            let len = name.chars().count();
            return Err(self.wrong(start, len, Wrong::NameTaken(name)));
        }
        let decides = alone && (kind.is_integer() || kind == Kind::Bool) && !self.in_group;
        if decides && &*definition.name != "_" {
            self.deciding.insert(definition.name.clone(), kind);
        }
        self.moved |= repeat != Repeat::Once || presence != Presence::Always;
        Ok(Item {
            form: if repeat == Repeat::Once {
                Form::Run
            } else {
                Form::Array
            },
            fields: vec![definition],
            repeat,
            presence,
        })
    }

    /// Fields between braces, and how often they repeat.
    fn group(&mut self) -> Parsed<Item> {
        let start = self.at;
        self.at += 1;
        self.in_group = true;
        let mut fields: Vec<Definition> = Vec::new();
        loop {
            self.spaces();
            match self.peek() {
                None => return Err(self.wrong(self.at, 0, Wrong::GroupOpen)),
                Some('{') => return Err(self.next(Wrong::InGroup)),
                Some(_) => fields.extend(self.item()?.fields),
            }
            if fields.len() > MAX_FIELDS {
                return Err(self.since(start, Wrong::TooManyFields));
            }
            self.spaces();
            if self.take('}') {
                break;
            }
            if !self.take(',') {
                let kind = match self.peek() {
                    None => Wrong::GroupOpen,
                    Some(_) => return Err(self.stray()),
                };
                return Err(self.next(kind));
            }
        }
        self.in_group = false;
        if self.peek() != Some('[') {
            return Err(self.next(Wrong::GroupCount));
        }
        let repeat = match self.repeat(Kind::Skip)? {
            // A group of one is a group.
            Repeat::Once => Repeat::Times(1),
            several => several,
        };
        let measured = fields.iter().position(Definition::takes_from_group);
        let kind = if measured.is_some() {
            Kind::Number(NumberType::U8)
        } else {
            Kind::Skip
        };
        let measure = self.measure(kind)?;
        for field in fields.iter_mut().filter(|field| field.takes_from_group()) {
            let twice = [
                (
                    measure.scale.as_ref().map(|(at, _)| *at),
                    field.scale != Decimal::ONE,
                    "a scale",
                ),
                (
                    measure.offset.as_ref().map(|(at, _)| *at),
                    field.offset != Decimal::ZERO,
                    "an offset",
                ),
                (
                    measure.unit.as_ref().map(|(at, _)| *at),
                    field.unit.is_some(),
                    "a unit",
                ),
            ];
            for (at, has, what) in twice {
                if let Some(at) = at.filter(|_| has) {
                    return Err(self.wrong(at, 1, Wrong::Twice(what)));
                }
            }
            field.apply(&measure);
        }
        let presence = measure
            .presence
            .map_or(Presence::Always, |(_, presence)| presence);
        self.moved |=
            !matches!(repeat, Repeat::Once | Repeat::Times(_)) || presence != Presence::Always;
        Ok(Item {
            form: Form::Group,
            fields,
            repeat,
            presence,
        })
    }

    fn name(&mut self) -> Parsed<String> {
        let start = self.at;
        let run = self.run(name_character);
        let name = run.trim_end();
        if let Err((offset, kind)) = check_name(name) {
            let at = start + offset;
            let len = match kind {
                Wrong::NameTooLong => self.at - at,
                _ => usize::from(at < self.text.len()),
            };
            return Err(self.wrong(at, len, kind));
        }
        if !self.take(':') {
            return Err(self.next(Wrong::Colon));
        }
        self.spaces();
        Ok(name.to_owned())
    }

    fn kind(&mut self) -> Parsed<Kind> {
        let start = self.at;
        let token = self.run(char::is_alphanumeric);
        let number = token.parse::<NumberType>();
        if let Ok(number) = number
            && number.class() != Class::Float
            && self.take('.')
        {
            let (first, last) = self.bits(number.bits() - 1)?;
            return Ok(Kind::Bits(number, first, last));
        }
        match token.as_str() {
            "bool" => return Ok(Kind::Bool),
            "hex" => return Ok(Kind::Hex),
            "utf8" => return Ok(Kind::Utf8),
            "skip" => return Ok(Kind::Skip),
            "f16le" => return Ok(Kind::Half(Endian::Little)),
            "f16be" => return Ok(Kind::Half(Endian::Big)),
            "medfloat16" => return Ok(Kind::Medical { short: true }),
            "medfloat32" => return Ok(Kind::Medical { short: false }),
            _ => {}
        }
        if let Ok(number) = number {
            return Ok(Kind::Number(number));
        }
        let width = token.strip_prefix("bcd").map(|width| format!("u{width}"));
        if let Some(Ok(number)) = width.as_deref().map(str::parse) {
            return Ok(Kind::Bcd(number));
        }
        let ordered = format!("{}le", width.as_deref().unwrap_or(&token));
        if ordered.parse::<NumberType>().is_ok() || token == "f16" {
            let mut error = self.since(start, Wrong::ByteOrder(token.clone()));
            error.instead = Some(format!("{token}le"));
            return Err(error);
        }
        // The word as the user sees it, which may be longer: uint16_t.
        self.at = start;
        let word = self.run(|c| c.is_alphanumeric() || c == '_');
        let len = match word.is_empty() {
            true => usize::from(self.peek().is_some_and(|c| c != ',')),
            false => self.at - start,
        };
        let mut error = self.wrong(start, len, Wrong::Type);
        error.instead = error::meant_type(&word);
        Err(error)
    }

    /// The bits after `u8.`: `3` or `4-6`, none beyond `last`.
    fn bits(&mut self, last: u32) -> Parsed<(u8, u8)> {
        let start = self.at;
        let first_bit = self.bit(last)?;
        // A minus after a bit begins a range; an offset comes after `u8.4-4` or a scale.
        let last_bit = if self.take_minus() {
            self.bit(last)?
        } else {
            first_bit
        };
        if first_bit > last_bit {
            return Err(self.since(start, Wrong::Bits { last }));
        }
        Ok((first_bit, last_bit))
    }

    fn bit(&mut self, last: u32) -> Parsed<u8> {
        let start = self.at;
        let digits = self.run(|c| c.is_ascii_digit());
        let plain = digits == "0" || !digits.starts_with('0');
        match digits.parse::<u8>() {
            Ok(bit) if plain && u32::from(bit) <= last => Ok(bit),
            _ => {
                let len = (self.at - start).max(usize::from(self.peek().is_some_and(|c| c != ',')));
                Err(self.wrong(start, len, Wrong::Bits { last }))
            }
        }
    }

    fn repeat(&mut self, kind: Kind) -> Parsed<Repeat> {
        let whole = matches!(kind, Kind::Hex | Kind::Utf8);
        if !self.take('[') {
            return Ok(if whole { Repeat::ToEnd } else { Repeat::Once });
        }
        self.spaces();
        let start = self.at;
        let inside = self.run(name_character);
        let inside = inside.trim_end();
        let len = inside.chars().count();
        match self.peek() {
            Some(']') => self.at += 1,
            None | Some(',' | '}') => return Err(self.wrong(self.at, 0, Wrong::Bracket)),
            Some(_) => return Err(self.next(Wrong::Count)),
        }
        if inside.is_empty() {
            return Ok(Repeat::ToEnd);
        }
        if inside.chars().all(|c| c.is_ascii_digit()) {
            return match inside.parse::<u16>() {
                Ok(1) if kind == Kind::Skip => Ok(Repeat::Once),
                Ok(times) if (1..=MAX_BYTES).contains(&times.into()) => Ok(Repeat::Times(times)),
                _ => Err(self.wrong(start, len, Wrong::Count)),
            };
        }
        if !self.deciding.contains_key(inside) {
            return Err(self.no_source(start, len, inside));
        }
        self.source(start, inside).map(Repeat::Counted)
    }

    fn no_source(&self, at: usize, len: usize, found: &str) -> LayoutError {
        let mut error = self.wrong(at, len, Wrong::Source);
        let names = self.deciding.keys().map(|name| name.to_string());
        error.instead = error::nearest(found, names);
        error
    }

    /// An earlier field that decides about this one.
    fn source(&mut self, at: usize, name: &str) -> Parsed<Source> {
        let slot = match self.sources.iter().position(|known| &**known == name) {
            Some(slot) => slot,
            None if self.sources.len() < SLOTS => {
                self.sources.push(name.into());
                self.sources.len() - 1
            }
            None => return Err(self.wrong(at, name.chars().count(), Wrong::TooManySources)),
        };
        Ok(Source {
            name: name.into(),
            slot,
        })
    }

    /// Names between braces: of values, or of bits.
    fn value_names(&mut self, kind: Kind) -> Parsed<Names> {
        let start = self.at;
        self.at += 1;
        if !(kind.is_integer() || kind == Kind::Bool) {
            return Err(self.wrong(start, 1, Wrong::NamesFor));
        }
        self.spaces();
        let of_bits = self.peek() == Some('.');
        if of_bits && (kind == Kind::Bool || kind.bounds().0 < 0) {
            return Err(self.wrong(start, 1, Wrong::NamesFor));
        }
        let mut names: Vec<(i128, Box<str>)> = Vec::new();
        let (mut values, mut words) = (HashSet::new(), HashSet::new());
        loop {
            self.spaces();
            let at = self.at;
            if of_bits && !self.take('.') {
                return Err(self.next(Wrong::Names));
            }
            let value = self.digits(Wrong::Names)?;
            let len = self.at - at;
            let (low, high) = match of_bits {
                true => (0, i128::from(kind.bits()) - 1),
                false => kind.bounds(),
            };
            if !(low..=high).contains(&value) || !values.insert(value) {
                return Err(self.wrong(at, len, Wrong::Named));
            }
            if !self.take('=') {
                return Err(self.next(Wrong::Names));
            }
            self.spaces();
            let at = self.at;
            let run = self.run(|c| !matches!(c, ',' | '}'));
            let name = run.trim_end();
            let len = name.chars().count();
            if !(1..=MAX_UNIT).contains(&len) {
                return Err(self.wrong(at, len, Wrong::Names));
            }
            if let Some(hidden) = hidden(name) {
                return Err(self.wrong(at + hidden, 1, Wrong::Names));
            }
            // Bits without a name, and none at all, are shown in words of their own.
            let own = of_bits && (name == "none" || name.starts_with("bit "));
            if own || !words.insert(name.to_owned()) {
                return Err(self.wrong(at, len, Wrong::WordTaken));
            }
            names.push((value, name.into()));
            if self.take('}') {
                break;
            }
            if !self.take(',') {
                return Err(self.next(Wrong::Names));
            }
        }
        names.sort_by_key(|(value, _)| *value);
        Ok(if of_bits {
            let bit = |(bit, name)| Some((u8::try_from(bit).ok()?, name));
            Names::Bits(names.into_iter().filter_map(bit).collect())
        } else {
            Names::Values(names.into())
        })
    }

    /// An integer that the type holds.
    fn integer(&mut self, kind: Kind, wrong: Wrong) -> Parsed<i128> {
        let start = self.at;
        let value = self.digits(wrong.clone())?;
        let (low, high) = kind.bounds();
        if !(low..=high).contains(&value) {
            return Err(self.since(start, wrong));
        }
        Ok(value)
    }

    /// An integer in decimal or hex.
    fn digits(&mut self, wrong: Wrong) -> Parsed<i128> {
        let start = self.at;
        let negative = self.take_minus();
        let hex = matches!(self.rest(), ['0', 'x' | 'X', ..]);
        self.at += if hex { 2 } else { 0 };
        let radix = if hex { 16 } else { 10 };
        let digits = self.run(|c| c.is_digit(radix));
        match i128::from_str_radix(&digits, radix) {
            Ok(value) => Ok(if negative { -value } else { value }),
            Err(_) if self.at > start => Err(self.since(start, wrong)),
            Err(_) => Err(self.next(wrong)),
        }
    }

    /// Scale, offset, condition and unit.
    fn measure(&mut self, kind: Kind) -> Parsed<Measure> {
        let only = |parser: &Self, at: usize, what| {
            if kind.measures() {
                Ok(())
            } else {
                Err(parser.wrong(at, 1, Wrong::NumbersOnly(what)))
            }
        };
        let mut measure = Measure::default();
        let at = self.at;
        if self.take('*') {
            only(self, at, "a scale")?;
            let start = self.at;
            let scale = self.number(true)?;
            if scale == Decimal::ZERO {
                return Err(self.since(start, Wrong::ZeroScale));
            }
            if scale != Decimal::ONE {
                measure.scale = Some((at, scale));
            }
        }
        let at = self.at;
        let plus = self.take('+');
        if plus || matches!(self.peek(), Some('-' | '\u{2212}')) {
            only(self, at, "an offset")?;
            let offset = self.number(!plus)?;
            if offset != Decimal::ZERO {
                measure.offset = Some((at, offset));
            }
        }
        let at = self.at;
        if self.take('?') {
            measure.presence = Some((at, self.condition()?));
        }
        measure.unit = self.unit()?;
        if let Some((at, _)) = measure.unit {
            only(self, at, "a unit")?;
        }
        Ok(measure)
    }

    /// A condition after its `?`.
    fn condition(&mut self) -> Parsed<Presence> {
        if self.take('?') {
            return Ok(Presence::IfLeft);
        }
        let start = self.at;
        // Names may hold dots and spaces: the longest one that is followed by what compares is meant.
        let mut name = String::new();
        let mut found = None;
        for (at, &c) in self.rest().iter().enumerate().take(MAX_NAME) {
            name.push(c);
            let compares = match self.rest().get(at + 1..).unwrap_or_default() {
                ['=', ..] | ['!', '=', ..] => true,
                ['.', digit, ..] => digit.is_ascii_digit(),
                _ => false,
            };
            if let (true, Some(kind)) = (compares, self.deciding.get(name.as_str())) {
                found = Some((at + 1, name.clone(), *kind));
            }
        }
        let Some((len, name, kind)) = found else {
            let run = self.run(|c| name_character(c) && c != ' ');
            if run.is_empty() {
                return Err(self.next(Wrong::Condition));
            }
            if self.deciding.contains_key(run.as_str()) {
                return Err(self.next(Wrong::Condition));
            }
            let name = run.split('.').next().unwrap_or_default();
            let len = name.chars().count();
            return Err(self.no_source(start, len, name));
        };
        self.at += len;
        let source = self.source(start, &name)?;
        let mut bits = None;
        let mut compared = kind;
        if self.take('.') {
            let (first_bit, last_bit) = self.bits(kind.bits() - 1)?;
            bits = Some((first_bit, last_bit));
            compared = Kind::Bits(NumberType::U8, 0, last_bit - first_bit);
        }
        let not = matches!(self.rest(), ['!', '=', ..]);
        self.at += usize::from(not);
        let single = bits.is_some_and(|(first, last)| first == last);
        if !self.take('=') {
            if !single {
                return Err(self.next(Wrong::Condition));
            }
            return Ok(Presence::If {
                source,
                bits,
                not: false,
                value: 1,
            });
        }
        let value = self.integer(compared, Wrong::Condition)?;
        Ok(Presence::If {
            source,
            bits,
            not,
            value,
        })
    }

    /// A decimal number, as long as it goes.
    fn number(&mut self, signed: bool) -> Parsed<Decimal> {
        let start = self.at;
        let mut text = String::new();
        if signed && self.take_minus() {
            text.push('-');
        }
        text += &self.run(|c| c.is_ascii_digit());
        if self.take('.') {
            text.push('.');
            text += &self.run(|c| c.is_ascii_digit());
        }
        if self.take('e') || self.take('E') {
            text.push('e');
            if self.take_minus() {
                text.push('-');
            } else {
                self.take('+');
            }
            text += &self.run(|c| c.is_ascii_digit());
        }
        text.parse().map_err(|_| match self.at - start {
            0 => self.next(Wrong::Number),
            _ => self.since(start, Wrong::Number),
        })
    }

    /// The unit after a space with its place, if there is one.
    fn unit(&mut self) -> Parsed<Option<(usize, String)>> {
        if !matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            return Ok(None);
        }
        self.spaces();
        let start = self.at;
        let in_group = self.in_group;
        let run = self.run(|c| !(matches!(c, ',' | '!') || in_group && c == '}'));
        let unit = run.trim_end();
        check_unit(unit).map_err(|(offset, kind)| {
            let len = match unit.chars().count() - offset {
                beyond if offset == MAX_UNIT => beyond,
                _ => 1,
            };
            self.wrong(start + offset, len, kind)
        })?;
        Ok((!unit.is_empty()).then(|| (start, unit.to_owned())))
    }

    /// The role after its `!`. `kind` is where the type stands.
    fn role(
        &mut self,
        of: &mut Definition,
        alone: bool,
        (kind_at, kind_len): (usize, usize),
    ) -> Parsed<()> {
        let start = self.at;
        let token = self.run(char::is_alphanumeric);
        let role = match token.as_str() {
            "count" => Role::Count,
            "ms" => Role::Milliseconds,
            "us" => Role::Microseconds,
            _ => {
                let mut error = match token.is_empty() {
                    true => self.next(Wrong::Role),
                    false => self.since(start, Wrong::Role),
                };
                error.instead = error::meant_role(&token);
                return Err(error);
            }
        };
        let end = self.at;
        let unscaled = of.scale == Decimal::ONE && of.offset == Decimal::ZERO;
        let plain = of.constant.is_none() && of.names == Names::None;
        let [counter, clock] = &mut self.roles;
        let (taken, what, refused) = match role {
            Role::Count => {
                let counts = alone && unscaled && plain && of.kind.is_integer();
                let refused = (!counts).then_some(Wrong::Counter);
                (counter, "sequence counter", refused)
            }
            _ => (
                clock,
                "device clock",
                (!(alone && plain)).then_some(Wrong::Clock),
            ),
        };
        if let Some(wrong) = refused {
            return Err(self.wrong(kind_at, kind_len, wrong));
        }
        if std::mem::replace(taken, true) {
            return Err(self.wrong(start, end - start, Wrong::RoleTaken(what)));
        }
        of.role = Some(role);
        if role == Role::Count && self.take('/') {
            let start = self.at;
            let digits = self.run(|c| c.is_ascii_digit());
            let most = u64::MAX >> (64 - of.kind.bits());
            of.step = match digits.parse::<u16>() {
                Ok(step) if step > 0 && u64::from(step) <= most => step.into(),
                _ if digits.is_empty() => return Err(self.next(Wrong::Step)),
                _ => return Err(self.since(start, Wrong::Step)),
            };
        }
        Ok(())
    }
}

impl Definition {
    /// Whether a group's scale, offset and unit are meant for it.
    pub(super) fn takes_from_group(&self) -> bool {
        self.kind.measures() && self.constant.is_none() && self.names == Names::None
    }

    fn apply(&mut self, measure: &Measure) {
        if let Some((_, scale)) = measure.scale {
            self.scale = scale;
        }
        if let Some((_, offset)) = measure.offset {
            self.offset = offset;
        }
        if let Some((_, unit)) = &measure.unit {
            self.unit = Some(unit.as_str().into());
        }
    }
}
