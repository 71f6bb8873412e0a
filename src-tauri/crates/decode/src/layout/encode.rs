//! Bytes by a layout, from what a person gave field by field.
//!
//! What decides about other fields (flags, counts, lengths) follows from which fields are given,
//! unless it is given itself. What `skip` passes over and bits that no field has are zero.

use std::collections::HashSet;

use super::plan::{Block, Placed, SLOTS};
use super::{Definition, Form, Kind, Layout, Names, Presence, Repeat};
use crate::encode::{self, Blank, BlankKind, EncodeError, Given, Misfit, TypedDecimal as Typed};
use crate::field::Label;
use crate::medical::{self, Medical};
use crate::number::{Class, Endian, Linear, NumberType, binary16};

/// The name that several fields may have. They are not asked for, and are zero.
const UNNAMED: &str = "_";

impl Layout {
    /// What a form asks for, in the order of the bytes.
    ///
    /// Elements of a group that has several records are counted through all of them.
    #[must_use]
    pub fn blanks(&self) -> Vec<Blank> {
        let deciding = self.deciding();
        let mut all = Vec::new();
        for block in &self.blocks {
            let records = match block.repeat {
                Repeat::Once => 1,
                Repeat::Times(times) => times.into(),
                Repeat::ToEnd | Repeat::Counted(_) => 0,
            };
            let free = records == 0 && !block.is_bytes();
            for record in 0..records.max(1) {
                for placed in &block.fields {
                    // Elements of what repeats freely are asked for once.
                    let asked = if free { 1 } else { placed.elements() };
                    let decides = deciding.contains(&*placed.definition.name);
                    for element in 0..asked {
                        let element = block.element(placed, record, element);
                        let element = element.filter(|_| !free);
                        all.extend(blank(block, placed, element, free, decides));
                    }
                }
            }
        }
        all
    }

    /// The fields that say what follows.
    fn deciding(&self) -> HashSet<&str> {
        let sources = self.blocks.iter().flat_map(|block| {
            let count = match &block.repeat {
                Repeat::Counted(source) => Some(&*source.name),
                _ => None,
            };
            let asked = match &block.presence {
                Presence::If { source, .. } => Some(&*source.name),
                _ => None,
            };
            [count, asked]
        });
        sources.flatten().collect()
    }

    /// The bytes that say what was given: what [`Layout::decode`] reads back. What decides about
    /// other fields follows from which are given, unless it is given itself; constants need not be.
    /// Text and bytes that run to the end may make it longer than an attribute value can be.
    ///
    /// # Errors
    /// Names the field that is unknown, missing or cannot say what was given, and what it can.
    pub fn encode(&self, given: &[Given<'_>]) -> Result<Vec<u8>, EncodeError> {
        self.check_names(given)?;
        let mut known = [None; SLOTS];
        let mut bytes: Vec<u8> = Vec::new();
        // A field that is there if bytes are left, and was not given: nothing can follow it.
        let mut last: Option<&str> = None;
        for (index, block) in self.blocks.iter().enumerate() {
            let own = block.given(given);
            // What nobody can give is there if something comes after it.
            let later = || {
                let mut later = self.blocks.iter().skip(index + 1);
                later.any(|b| b.presence == Presence::Always || b.given(given).is_some())
            };
            let left = own.is_some() || block.is_unasked() && later();
            if !block.presence.holds(&known, left) {
                match own {
                    Some(given) => return Err(wrong(given.name, given.element, Misfit::NotHere)),
                    // One that is there no times is not missed.
                    None if block.presence == Presence::IfLeft
                        && (block.repeat == Repeat::ToEnd || block.records(given, &known)? > 0) =>
                    {
                        last = last.or(block.definitions().next().map(|one| &*one.name));
                        continue;
                    }
                    None => continue,
                }
            }
            if let (Some(before), Some(first)) = (last, block.definitions().next()) {
                let before = before.to_owned();
                let (name, element) =
                    own.map_or((&*first.name, None), |own| (own.name, own.element));
                return Err(wrong(name, element, Misfit::Follows { before }));
            }
            let start = bytes.len();
            let records = block.records(given, &known)?;
            if let (true, [placed]) = (block.is_bytes(), block.fields.as_slice()) {
                bytes.extend(self.rest(block, placed, given, records)?);
                continue;
            }
            bytes.resize(start + records * block.size, 0);
            for record in 0..records {
                for placed in &block.fields {
                    for element in 0..placed.elements() {
                        let element_size = match placed.definition.kind.is_bytes() {
                            true => placed.definition.size(),
                            false => placed.definition.kind.size(),
                        };
                        let at = start + record * block.size + placed.at + element * element_size;
                        let index = block.element(placed, record, element);
                        let written = self.one(placed, index, given)?;
                        for (byte, new) in bytes.iter_mut().skip(at).zip(written) {
                            *byte |= new;
                        }
                    }
                }
            }
            for &(slot, place, kind) in block.kept() {
                if let Some(slot) = known.get_mut(slot) {
                    *slot = bytes.get(start + place..).and_then(|b| kind.integer(b));
                }
            }
        }
        Ok(bytes)
    }

    fn check_names(&self, given: &[Given<'_>]) -> Result<(), EncodeError> {
        for (at, one) in given.iter().enumerate() {
            let field = self.blocks.iter().find_map(|block| {
                let mut fields = block.fields.iter();
                let placed = fields.find(|placed| *placed.definition.name == *one.name)?;
                Some((block, placed))
            });
            let Some((block, placed)) = field else {
                let names = self.blocks.iter().flat_map(Block::definitions);
                let known = names
                    .filter(|definition| definition.kind != Kind::Skip)
                    .map(|definition| definition.name.to_string())
                    .collect();
                return Err(wrong(one.name, one.element, Misfit::Unknown { known }));
            };
            let has_elements = block.element(placed, 0, 0).is_some() && !block.is_bytes();
            let again = given.iter().take(at);
            let twice = again
                .into_iter()
                .any(|other| (other.name, other.element) == (one.name, one.element));
            if twice || has_elements != one.element.is_some() {
                return Err(wrong(one.name, one.element, Misfit::NotHere));
            }
        }
        Ok(())
    }

    /// Bytes that go on to the end, or as far as another field says.
    fn rest(
        &self,
        block: &Block,
        placed: &Placed,
        given: &[Given<'_>],
        records: usize,
    ) -> Result<Vec<u8>, EncodeError> {
        let definition = &placed.definition;
        let counted = matches!(block.repeat, Repeat::Counted(_));
        let Some(one) = given.iter().find(|one| *one.name == *definition.name) else {
            return match (definition.kind, counted && records > 0) {
                (Kind::Skip, true) => Ok(vec![0; records]),
                (_, true) => Err(wrong(&definition.name, None, Misfit::Needed)),
                (_, false) => Ok(Vec::new()),
            };
        };
        let bytes = match definition.kind {
            Kind::Utf8 => one.text.as_bytes().to_vec(),
            _ => encode::bytes(one.text, None)
                .map_err(|misfit| wrong(one.name, one.element, misfit))?,
        };
        if counted && bytes.len() != records {
            let misfit = Misfit::Length {
                has: bytes.len(),
                needs: records,
            };
            return Err(wrong(one.name, one.element, misfit));
        }
        Ok(bytes)
    }

    /// One element of a field.
    fn one(
        &self,
        placed: &Placed,
        element: Option<usize>,
        given: &[Given<'_>],
    ) -> Result<Vec<u8>, EncodeError> {
        let definition = &placed.definition;
        let own = given
            .iter()
            .find(|one| *one.name == *definition.name && one.element == element);
        let kind = definition.kind;
        if kind == Kind::Skip {
            return Ok(Vec::new());
        }
        match own {
            Some(one) => definition
                .write(one.text, placed)
                .map_err(|misfit| wrong(one.name, one.element, misfit)),
            None => definition
                .constant
                .or_else(|| self.decided(definition, given))
                .or((*definition.name == *UNNAMED).then_some(0))
                .map(|value| kind.bytes_of(value))
                .ok_or_else(|| wrong(&definition.name, element, Misfit::Needed)),
        }
    }

    /// What a field that was not given has to be, for what was given to be there and the rest not.
    fn decided(&self, definition: &Definition, given: &[Given<'_>]) -> Option<i128> {
        let mut value = 0_i128;
        let mut decides = false;
        let mut settled = 0_i128;
        for wanted in [true, false] {
            for block in &self.blocks {
                if let (Repeat::Counted(source), true) = (&block.repeat, wanted)
                    && *source.name == *definition.name
                {
                    decides = true;
                    value = block.given_records(given) as i128;
                    settled = -1;
                }
                let Presence::If {
                    source,
                    bits,
                    not,
                    value: compared,
                } = &block.presence
                else {
                    continue;
                };
                if *source.name != *definition.name {
                    continue;
                }
                decides = true;
                if block.given(given).is_some() != wanted {
                    continue;
                }
                let (first, last) =
                    bits.unwrap_or_else(|| (0, (definition.kind.bits() - 1).min(63) as u8));
                let mask = ((1_i128 << (last - first + 1)) - 1) << first;
                let compared = (compared << first) & mask;
                let equal = value & mask == compared;
                // To be there it has to be equal, or unequal; to be absent, the other.
                if equal != (wanted != *not) && (wanted || settled & mask == 0) {
                    value = match equal {
                        true => value ^ (1 << first),
                        false => value & !mask | compared,
                    };
                }
                if wanted {
                    settled |= mask;
                }
            }
        }
        decides.then_some(value)
    }
}

/// What a form asks for of one element; nothing of `skip` and what has no name.
fn blank(
    block: &Block,
    placed: &Placed,
    element: Option<usize>,
    free: bool,
    decides: bool,
) -> Option<Blank> {
    let definition = &placed.definition;
    let (kind, choices) = definition
        .asks(placed)
        .filter(|_| *definition.name != *UNNAMED)?;
    let open = free || block.is_bytes() && block.repeat != Repeat::Once;
    let follows = decides || definition.constant.is_some();
    Some(Blank {
        name: definition.name.to_string(),
        element,
        unit: definition.unit.as_deref().map(str::to_owned),
        kind,
        choices,
        required: block.presence == Presence::Always && !open && !follows,
        repeats: free,
    })
}

impl Block {
    fn is_bytes(&self) -> bool {
        let bytes = |placed: &Placed| placed.definition.kind.is_bytes();
        self.form == Form::Array && self.fields.iter().any(bytes)
    }

    /// Whether a form asks for nothing of it.
    fn is_unasked(&self) -> bool {
        let mut all = self.definitions();
        all.all(|one| one.kind == Kind::Skip || *one.name == *UNNAMED)
    }

    /// The number that a form gives to an element: through all records of what repeats.
    fn element(&self, placed: &Placed, record: usize, element: usize) -> Option<usize> {
        let several = placed.definition.times.is_some() && !placed.definition.kind.is_bytes();
        match (self.form, several) {
            (Form::Run, false) => None,
            (Form::Run, true) => Some(element),
            (Form::Array | Form::Group, _) => Some(record * placed.elements() + element),
        }
    }

    /// The first of its fields that was given.
    fn given<'g, 't>(&self, given: &'g [Given<'t>]) -> Option<&'g Given<'t>> {
        given.iter().find(|one| {
            self.definitions()
                .any(|definition| *definition.name == *one.name)
        })
    }

    /// As many records as something was given for.
    fn given_records(&self, given: &[Given<'_>]) -> usize {
        if let (true, Some(one)) = (self.is_bytes(), self.given(given)) {
            return match self.definitions().next().map(|definition| definition.kind) {
                Some(Kind::Utf8) => one.text.len(),
                _ => encode::bytes(one.text, None).map_or(0, |bytes| bytes.len()),
            };
        }
        let all = self.fields.iter().flat_map(|placed| {
            let own = given
                .iter()
                .filter(|one| *one.name == *placed.definition.name);
            own.map(|one| (one.element.unwrap_or(0) / placed.elements().max(1)).saturating_add(1))
        });
        all.max().unwrap_or(0)
    }

    fn records(
        &self,
        given: &[Given<'_>],
        known: &[Option<i128>; SLOTS],
    ) -> Result<usize, EncodeError> {
        let has = self.given_records(given);
        let needs = match &self.repeat {
            Repeat::Once => 1,
            Repeat::Times(times) => (*times).into(),
            Repeat::ToEnd => has,
            Repeat::Counted(source) => {
                let declared = known.get(source.slot).copied().flatten().unwrap_or(0);
                usize::try_from(declared).unwrap_or(0)
            }
        };
        // More than what is said to be there has no place; and no value holds more than this.
        let most = super::error::MAX_BYTES / self.size.max(1);
        match self.given(given) {
            Some(one) if has > needs && !self.is_bytes() || has > most => {
                Err(wrong(one.name, one.element, Misfit::NotHere))
            }
            _ => Ok(needs.min(most + 1)),
        }
    }
}

impl Placed {
    /// How many things of it a form asks for in one record.
    fn elements(&self) -> usize {
        match self.definition.kind {
            Kind::Hex | Kind::Utf8 | Kind::Skip => 1,
            _ => self.definition.columns(),
        }
    }
}

impl Definition {
    /// What a form asks for; nothing of `skip`.
    fn asks(&self, placed: &Placed) -> Option<(BlankKind, Vec<String>)> {
        let exactly = self.times.map(usize::from);
        let number = |[least, most]: [String; 2]| BlankKind::Number { least, most };
        let mut words = Vec::new();
        let kind = match self.kind {
            Kind::Skip => return None,
            Kind::Hex => BlankKind::Bytes(exactly),
            Kind::Utf8 => BlankKind::Text(exactly),
            Kind::Bool => {
                words = vec!["false".to_owned(), "true".to_owned()];
                BlankKind::Choice
            }
            Kind::Medical { .. } => {
                words = medical::WORDS.map(str::to_owned).to_vec();
                number(ends(self.kind, &placed.linear))
            }
            kind if !kind.is_integer() && !matches!(kind, Kind::Bcd(_)) => {
                number(ends(kind, &placed.linear))
            }
            _ => {
                let (low, high) = self.bounds();
                let ends = [low, high].map(|raw| encode::shown(&placed.linear, raw));
                number(in_order(ends, &placed.linear))
            }
        };
        match &self.names {
            Names::None => Some((kind, words)),
            Names::Values(names) => {
                let words = names.iter().map(|(_, name)| name.to_string()).collect();
                let kind = if self.measures() {
                    kind
                } else {
                    BlankKind::Choice
                };
                Some((kind, words))
            }
            Names::Bits(names) => Some((
                kind,
                names.iter().map(|(_, name)| name.to_string()).collect(),
            )),
        }
    }

    /// The smallest and the largest integer that it says.
    fn bounds(&self) -> (i128, i128) {
        match self.kind {
            Kind::Bcd(number) => (0, 10_i128.pow(number.bits() / 4) - 1),
            kind => kind.bounds(),
        }
    }

    /// The bytes of one element that says `text`.
    fn write(&self, text: &str, placed: &Placed) -> Result<Vec<u8>, Misfit> {
        let needs = usize::from(self.times.unwrap_or(1));
        match self.kind {
            Kind::Hex => return encode::bytes(text, Some(needs)),
            Kind::Utf8 => {
                let mut bytes = text.as_bytes().to_vec();
                if bytes.len() > needs {
                    let has = bytes.len();
                    return Err(Misfit::Length { has, needs });
                }
                // Text that is shorter than its place ends with zero bytes.
                bytes.resize(needs, 0);
                return Ok(bytes);
            }
            _ => {}
        }
        let text = text.trim();
        if let Some(value) = self.word(text) {
            return Ok(self.kind.bytes_of(value));
        }
        // What is a number as it stands has no unit behind it, even where the unit is a digit.
        let is_number = Typed::read(text).is_some() || medical::WORDS.contains(&text);
        let unit = self.unit.as_deref().filter(|_| !is_number);
        let bare = unit.and_then(|unit| text.strip_suffix(unit));
        let bare = bare.map_or(text, str::trim_end);
        let no_number = || Misfit::NotNumber {
            found: encode::quoted(bare),
            example: "23.5, \u{2212}40 or 1e-3".to_owned(),
        };
        let too_far = || {
            let [least, most] = ends(self.kind, &placed.linear);
            Misfit::OutOfRange {
                found: encode::quoted(bare),
                least,
                most,
            }
        };
        let float = |number: NumberType| {
            encode::number(bare, number).map_err(|error| match error {
                EncodeError::DoesNotFit { .. } => too_far(),
                _ => no_number(),
            })
        };
        let unscaled = || -> Result<f64, Misfit> {
            let number = NumberType::known(Class::Float, 8, Endian::Big);
            let typed = number.read(&float(number)?).ok_or_else(no_number)?.as_f64();
            let raw = placed.linear.unapply(typed);
            // Only what is typed as infinite, or as no number, is.
            let narrow = matches!(self.kind, Kind::Half(_))
                || matches!(self.kind, Kind::Number(number) if number.size() == 4);
            let overflows = raw.is_infinite() || narrow && (raw as f32).is_infinite();
            match typed.is_finite() && (overflows || raw.is_nan()) {
                true => Err(too_far()),
                false => Ok(raw),
            }
        };
        match self.kind {
            Kind::Medical { short } => {
                let size = if short { 2 } else { 4 };
                if placed.linear.is_identity() || medical::WORDS.contains(&bare) {
                    return Medical::write(bare, size, 0);
                }
                let typed = Typed::read(bare).ok_or_else(no_number)?;
                if unscaled()?.abs() > most(self.kind) {
                    return Err(too_far());
                }
                scaled(typed, &placed.linear, size).map_err(|misfit| misfit.of(bare))
            }
            Kind::Half(order) => {
                let word = half_of(unscaled()? as f32).ok_or_else(too_far)?;
                Ok(match order {
                    Endian::Little => word.to_le_bytes(),
                    Endian::Big => word.to_be_bytes(),
                }
                .to_vec())
            }
            Kind::Number(number) if number.class() == Class::Float => {
                if placed.linear.is_identity() {
                    return float(number);
                }
                let value = unscaled()?;
                let mut bytes = match number.size() {
                    4 => (value as f32).to_le_bytes().to_vec(),
                    _ => value.to_le_bytes().to_vec(),
                };
                if number.endian() == Endian::Big {
                    bytes.reverse();
                }
                Ok(bytes)
            }
            Kind::Bool => Err(Misfit::NotChoice {
                found: encode::quoted(text),
                allowed: vec!["false".to_owned(), "true".to_owned()],
            }),
            kind => {
                let bounds = self.bounds();
                let example = || encode::shown(&placed.linear, 42.min(bounds.1));
                let bounds = self.constant.map_or(bounds, |only| (only, only));
                let value = encode::integer(bare, &placed.linear, bounds, &example)?;
                Ok(kind.bytes_of(value))
            }
        }
    }

    /// The integer that a word, or words, stand for.
    fn word(&self, text: &str) -> Option<i128> {
        match &self.names {
            Names::Values(names) => {
                let mut all = names.iter();
                if let Some((value, _)) = all.find(|(_, name)| **name == *text) {
                    return Some(*value);
                }
            }
            Names::Bits(_) if text == "none" => return Some(0),
            Names::Bits(names) => {
                let mut value = 0;
                let all = text.split(',').map(str::trim).all(|word| {
                    let named = names.iter().find(|(_, name)| **name == *word);
                    let bit = match named {
                        Some((bit, _)) => Some(u32::from(*bit)),
                        None => word.strip_prefix("bit ").and_then(|bit| bit.parse().ok()),
                    };
                    let bit = bit.filter(|bit| *bit < self.kind.bits());
                    value |= bit.map_or(0, |bit| 1 << bit);
                    bit.is_some()
                });
                if all {
                    return Some(value);
                }
            }
            Names::None => {}
        }
        match (self.kind, text) {
            (Kind::Bool, "true" | "1") => Some(1),
            (Kind::Bool, "false" | "0") => Some(0),
            _ => None,
        }
    }
}

impl Kind {
    /// The bytes of an integer that it holds; of bits, with all others zero.
    fn bytes_of(self, value: i128) -> Vec<u8> {
        let (number, value) = match self {
            Self::Bits(number, first, last) => {
                let mask = (1_i128 << (last - first + 1)) - 1;
                (number, (value & mask) << first)
            }
            Self::Bcd(number) => {
                let digits = (0..number.bits() / 4).rev().fold(0, |word, digit| {
                    (word << 4) | (value / 10_i128.pow(digit) % 10)
                });
                (number, digits)
            }
            Self::Number(number) => (number, value),
            _ => (NumberType::U8, value),
        };
        let mut bytes: Vec<u8> = value
            .to_le_bytes()
            .into_iter()
            .take(number.size())
            .collect();
        if number.endian() == Endian::Big {
            bytes.reverse();
        }
        bytes
    }
}

/// The bytes, 2 or 4, of a decimal float that is `typed` after scale and offset, or is shown so.
fn scaled(typed: Typed, linear: &Linear, size: usize) -> Result<Vec<u8>, Misfit> {
    let exact = linear.invert_decimal(typed.mantissa, typed.exponent);
    let written =
        exact.map(|(mantissa, power)| Medical::write(&format!("{mantissa}e{power}"), size, 0));
    if let Some(Ok(bytes)) = written {
        return Ok(bytes);
    }
    let shown = |bytes: &[u8]| {
        let read = match size {
            2 => Medical::short(bytes, 0),
            _ => Medical::long(bytes, 0),
        };
        match read {
            Some(Medical::Number(raw)) => Typed::read(&format!("{:e}", linear.apply(raw))),
            _ => None,
        }
    };
    let raw = linear.unapply(typed.as_f64());
    // All digits that it holds first: one before the point, and these after it.
    let digits = if size == 2 { 3 } else { 6 };
    let near = (0..=digits).rev().find_map(|digits: usize| {
        let bytes = Medical::write(&format!("{raw:.digits$e}"), size, 0).ok()?;
        (shown(&bytes) == Some(typed)).then_some(bytes)
    });
    near.ok_or_else(|| match written {
        Some(Err(misfit @ Misfit::Digits { .. })) => misfit,
        _ => Misfit::Digits {
            found: String::new(),
            least: format!("\u{2212}{}", if size == 2 { 2045 } else { 8_388_605 }),
            most: if size == 2 { 2045 } else { 8_388_605 }.to_string(),
        },
    })
}

/// The largest number of a float type, before scale and offset.
fn most(kind: Kind) -> f64 {
    match kind {
        Kind::Half(_) => 65_504.0,
        Kind::Medical { short: true } => 2047e7,
        Kind::Medical { short: false } => 8_388_607e127,
        Kind::Number(number) if number.size() == 8 => f64::MAX,
        _ => f32::MAX.into(),
    }
}

/// The smallest and the largest number that a float field says.
fn ends(kind: Kind, linear: &Linear) -> [String; 2] {
    let most = most(kind);
    let shown = |raw: f64| {
        let number = linear.apply(raw).clamp(-f64::MAX, f64::MAX);
        let minus = if number < 0.0 { "\u{2212}" } else { "" };
        match number.abs() {
            size if size < 1e7 => format!("{minus}{size}"),
            size if size <= f32::MAX.into() => format!("{minus}{:e}", size as f32),
            size => format!("{minus}{size:e}"),
        }
    };
    in_order([shown(-most), shown(most)], linear)
}

/// The smaller one first: a negative scale turns them around.
fn in_order([low, high]: [String; 2], linear: &Linear) -> [String; 2] {
    match linear.slope() < 0.0 {
        true => [high, low],
        false => [low, high],
    }
}

/// The nearest number of IEEE 754 binary16; `None` of a finite one beyond the largest.
fn half_of(value: f32) -> Option<u16> {
    let sign = (value.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = value.abs();
    if magnitude.is_nan() {
        return Some(sign | 0x7E00);
    }
    if magnitude.is_infinite() {
        return Some(sign | 0x7C00);
    }
    if magnitude >= 65_520.0 {
        return None;
    }
    // Positive halves rise with their bits: the nearest is one of two neighbours.
    let (mut low, mut high) = (0_u16, 0x7BFF_u16);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if binary16(middle) <= magnitude {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    let above = (low + 1).min(0x7BFF);
    let (down, up) = (magnitude - binary16(low), binary16(above) - magnitude);
    let nearest = match down.total_cmp(&up) {
        std::cmp::Ordering::Less => low,
        std::cmp::Ordering::Greater => above,
        std::cmp::Ordering::Equal => low + (low & 1),
    };
    Some(sign | nearest.min(0x7BFF))
}

fn wrong(name: &str, element: Option<usize>, misfit: Misfit) -> EncodeError {
    EncodeError::Field {
        field: Label::new(name, element).to_string(),
        misfit,
    }
}
