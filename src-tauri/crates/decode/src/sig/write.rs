//! A whole standard value from what a person gave, by the table that reads it.
//!
//! What is there depends on bits at the beginning: flags and op codes. They are found out from
//! what was given: a field that is given needs its bits, and one that is not rules its bits out.

use crate::encode::{Blank, BlankKind, EncodeError, Given, Misfit};
use crate::field::Label;

use super::Sig;
use super::part::{Kind, Part, When};

/// Bytes at the beginning that conditions look at.
const LOOKED_AT: usize = 8;

/// Bits of the first bytes, least significant first: which are decided, and what they are.
#[derive(Clone, Copy, Default)]
struct Bits {
    decided: u64,
    are: u64,
}

impl Bits {
    /// The bits that have to be for a condition to hold; none of one that is met by not being.
    fn of(when: When) -> Option<Self> {
        match when {
            When::Masked {
                at,
                mask,
                equals,
                not: false,
            } => Some(Self {
                decided: u64::from(mask) << (8 * at),
                are: u64::from(equals) << (8 * at),
            }),
            _ => None,
        }
    }

    /// What both say alike.
    const fn common(self, other: Self) -> Self {
        let decided = self.decided & other.decided & !(self.are ^ other.are);
        Self {
            decided,
            are: self.are & decided,
        }
    }

    /// Takes over what `other` has decided; whether that was possible.
    const fn add(&mut self, other: Self) -> bool {
        if self.decided & other.decided & (self.are ^ other.are) != 0 {
            return false;
        }
        self.decided |= other.decided;
        self.are |= other.are;
        true
    }

    /// Whether a condition holds, as far as that is decided.
    fn hold(self, when: When) -> Option<bool> {
        let When::Masked {
            at,
            mask,
            equals,
            not,
        } = when
        else {
            return Some(true);
        };
        let mask = u64::from(mask) << (8 * at);
        let wrong = (self.are ^ u64::from(equals) << (8 * at)) & mask;
        if wrong & self.decided != 0 {
            Some(not)
        } else if mask & !self.decided == 0 {
            Some(!not)
        } else {
            None
        }
    }

    /// Decides one bit so that a condition does not hold: the lowest that is open.
    fn rule_out(&mut self, when: When) {
        if let Some(needed) = Self::of(when) {
            let open = needed.decided & !self.decided;
            let bit = open & open.wrapping_neg();
            self.decided |= bit;
            self.are |= bit & !needed.are;
        }
    }
}

/// What was given, and what of it is in the value already.
struct Form<'g> {
    given: Vec<&'g Given<'g>>,
    used: Vec<bool>,
}

impl<'g> Form<'g> {
    fn new(given: Vec<&'g Given<'g>>) -> Self {
        let used = vec![false; given.len()];
        Self { given, used }
    }

    fn position(&self, name: &str, fits: impl Fn(&str) -> bool) -> Option<usize> {
        (0..self.given.len()).find(|&at| {
            let free = self.used.get(at) == Some(&false);
            free && self
                .given
                .get(at)
                .is_some_and(|one| one.name == name && fits(one.text))
        })
    }

    fn peek(&self, name: &str) -> Option<&'g Given<'g>> {
        self.given.get(self.position(name, |_| true)?).copied()
    }

    fn take(&mut self, name: &str) -> Option<&'g Given<'g>> {
        let at = self.position(name, |_| true)?;
        self.put_in(at);
        self.given.get(at).copied()
    }

    fn put_in(&mut self, at: usize) {
        if let Some(used) = self.used.get_mut(at) {
            *used = true;
        }
    }

    /// What a bit is given as: by one of its words, or as 0 or 1 where no other field could mean it.
    fn bit(&self, name: &str, words: (&str, &str), alone: bool) -> Option<(usize, bool)> {
        let says = |text: &str| says_bit(text, words, alone);
        let at = self.position(name, |text| says(text).is_some())?;
        Some((at, says(self.given.get(at)?.text)?))
    }
}

fn says_bit(text: &str, (no, yes): (&str, &str), alone: bool) -> Option<bool> {
    let text = text.trim();
    match text {
        _ if text.eq_ignore_ascii_case(no) => Some(false),
        _ if text.eq_ignore_ascii_case(yes) => Some(true),
        "0" | "false" if alone => Some(false),
        "1" | "true" if alone => Some(true),
        _ => None,
    }
}

fn wrong(name: &str, element: Option<usize>, misfit: Misfit) -> EncodeError {
    EncodeError::Field {
        field: Label::new(name, element).to_string(),
        misfit,
    }
}

impl Sig {
    /// What a form asks for, in the order of the bytes. Flags that only say which fields are
    /// there are not asked for.
    #[must_use]
    pub fn blanks(self) -> Vec<Blank> {
        let mut all: Vec<Blank> = Vec::new();
        let place = self.places();
        for (index, part) in self.0.parts.iter().enumerate() {
            if matches!(part.when, When::NotZero) || (self.0.records && index == 0) {
                continue;
            }
            let at = place.get(index).copied().flatten();
            if let Kind::Set {
                first,
                names,
                words,
                ..
            } = part.kind
            {
                for (bit, name) in names.iter().enumerate() {
                    let follows = at.is_some_and(|at| self.follows(at + usize::from(first) + bit));
                    if name.is_empty() || follows || all.iter().any(|blank| blank.name == *name) {
                        continue;
                    }
                    all.push(Blank {
                        name: (*name).to_owned(),
                        element: None,
                        unit: None,
                        kind: BlankKind::Choice,
                        choices: vec![words.0.to_owned(), words.1.to_owned()],
                        required: false,
                        repeats: self.0.records,
                    });
                }
                continue;
            }
            if let (Kind::Bits { first, last, .. }, Some(at)) = (part.kind, at)
                && (first..=last).all(|bit| self.follows(at + usize::from(bit)))
            {
                continue;
            }
            let optional_bits = matches!(part.kind, Kind::Bits { .. }) && part.may_be_zero();
            let required = self.always(part) && !part.may_be_empty && !optional_bits;
            if let Some(known) = all.iter_mut().find(|blank| blank.name == part.name) {
                // Another form of the same field. One that takes fewer numbers comes first.
                known.repeats |= part.repeats;
                if part.is_number_like() && known.unit.as_deref() == part.unit {
                    known.kind = part.blank_kind();
                }
                for word in part.choices() {
                    if !known.choices.contains(&word) {
                        known.choices.push(word);
                    }
                }
                continue;
            }
            all.push(Blank {
                name: part.name.to_owned(),
                element: None,
                unit: part.unit.map(str::to_owned),
                kind: part.blank_kind(),
                choices: part.choices(),
                required,
                repeats: part.repeats || self.0.records,
            });
        }
        all
    }

    /// The bytes that say what was given. See [`Format::encode`](crate::Format::encode).
    ///
    /// A set of flags that decoding gives as single fields is given so, too. Where the same number
    /// has two forms (8 and 16 bits), the first that holds it is taken, unless a flag is given.
    /// Bits and states that are not given are 0. Of records, the element says which one.
    ///
    /// # Errors
    /// Names the field that is unknown, missing or cannot say what was given.
    pub fn encode(self, given: &[Given<'_>]) -> Result<Vec<u8>, EncodeError> {
        for one in given {
            if !self.names().any(|name| name == one.name) {
                let mut known: Vec<String> = Vec::new();
                for blank in self.blanks() {
                    known.push(blank.name);
                }
                return Err(wrong(one.name, one.element, Misfit::Unknown { known }));
            }
        }
        if !self.0.records {
            let mut given: Vec<_> = given.iter().collect();
            given.sort_by_key(|one| one.element);
            return self.encode_one(Form::new(given));
        }
        let last = given.iter().filter_map(|one| one.element).max();
        let mut bytes = Vec::new();
        for record in 0..=last.unwrap_or(0) {
            let of_record = |one: &&Given<'_>| one.element.unwrap_or(0) == record;
            let own: Vec<_> = given.iter().filter(of_record).collect();
            bytes.extend(self.encode_record(own, record)?);
        }
        Ok(bytes)
    }

    /// One record: its first field is how many bytes it has.
    fn encode_record(self, given: Vec<&Given<'_>>, record: usize) -> Result<Vec<u8>, EncodeError> {
        let name = self.0.parts.first().map_or("", |part| part.name);
        let size = given.iter().find(|one| one.name == name).copied();
        let length = Given {
            name,
            element: Some(record),
            text: "0",
        };
        let mut own: Vec<_> = given.into_iter().filter(|one| one.name != name).collect();
        own.insert(0, &length);
        let mut bytes = self.encode_one(Form::new(own))?;
        let has = bytes.len();
        if let (Some(first), Ok(has)) = (bytes.first_mut(), u8::try_from(has)) {
            *first = has;
        }
        match size.map(|one| one.text.parse()) {
            None => Ok(bytes),
            Some(Ok(said)) if said == has => Ok(bytes),
            Some(said) => {
                let said = said.unwrap_or(0);
                Err(wrong(
                    name,
                    Some(record),
                    Misfit::Length {
                        has: said,
                        needs: has,
                    },
                ))
            }
        }
    }

    /// The names that decoding can give.
    fn names(self) -> impl Iterator<Item = &'static str> {
        self.0.parts.iter().flat_map(|part| {
            let (of_bits, whole) = match part.kind {
                Kind::Set { names, .. } => (names, None),
                _ => (&[] as &[&str], Some(part.name)),
            };
            whole.into_iter().chain(of_bits.iter().copied())
        })
    }

    /// Where each part begins, in bits, as far as that is always the same.
    fn places(self) -> Vec<Option<usize>> {
        let mut at = Some(0);
        let mut places = Vec::new();
        for part in self.0.parts {
            if !matches!(part.when, When::Always | When::NotZero) {
                at = None;
            }
            places.push(at);
            let fixed = part.size() > 0 && !part.repeats;
            if part.ends() {
                at = at.filter(|_| fixed).map(|at| at + 8 * part.size());
            }
        }
        places
    }

    /// The parts that are fields of this name, not bits of a set.
    fn called(self, name: &str) -> impl Iterator<Item = &'static Part> {
        let whole = |part: &&Part| !matches!(part.kind, Kind::Set { .. });
        let parts = self.0.parts.iter().filter(whole);
        parts.filter(move |part| part.name == name)
    }

    /// The bits that all forms of a field need.
    fn needed(self, name: &str) -> Option<Bits> {
        let mut needed = None;
        for part in self.called(name) {
            let bits = Bits::of(part.when)?;
            needed = Some(needed.map_or(bits, |needed: Bits| needed.common(bits)));
        }
        needed
    }

    /// Whether a bit follows from which fields are given and what they say.
    fn follows(self, bit: usize) -> bool {
        let Some(mask) = u32::try_from(bit)
            .ok()
            .and_then(|bit| 1_u64.checked_shl(bit))
        else {
            return false;
        };
        let mut looked_at = false;
        for part in self.0.parts {
            if Bits::of(part.when).is_none_or(|bits| bits.decided & mask == 0) {
                continue;
            }
            looked_at = true;
            let presence = self
                .needed(part.name)
                .is_some_and(|bits| bits.decided & mask != 0);
            if !presence && !self.called(part.name).all(|other| other.is_like(part)) {
                return false;
            }
        }
        looked_at
    }

    /// Whether a field is there, in one form or another, whatever the flags say.
    fn always(self, part: &Part) -> bool {
        let either = |one: &Part| {
            self.called(part.name).any(|other| {
                let (Some(a), Some(b)) = (Bits::of(one.when), Bits::of(other.when)) else {
                    return false;
                };
                a.decided == b.decided && a.decided.is_power_of_two() && a.are != b.are
            })
        };
        matches!(part.when, When::Always) || either(part)
    }

    /// What the given fields decide of the bits that conditions look at.
    fn decided(self, form: &Form<'_>) -> Result<Bits, EncodeError> {
        let mut bits = Bits::default();
        let looked_at = self.looked_at();
        for (part, place) in self.0.parts.iter().zip(self.places()) {
            let (first, width) = part.span();
            let is_looked_at = |place: &usize| looked_at & mask(place + first, width) != 0;
            let Some(place) = place.filter(is_looked_at) else {
                continue;
            };
            match part.kind {
                Kind::Set {
                    first,
                    names,
                    words,
                    ..
                } => {
                    for (bit, name) in names.iter().enumerate() {
                        let alone = self.called(name).next().is_none();
                        if let Some((_, is_set)) = form.bit(name, words, alone) {
                            let at = place + usize::from(first) + bit;
                            bits.add(Bits {
                                decided: 1 << at,
                                are: u64::from(is_set) << at,
                            });
                        }
                    }
                }
                Kind::Bits { .. } | Kind::Number(_) if matches!(part.when, When::Always) => {
                    if let Some(one) = form.peek(part.name) {
                        let value = part
                            .integer_or_bits(one.text)
                            .map_err(|misfit| wrong(one.name, one.element, misfit))?;
                        bits.add(Bits {
                            decided: mask(place + first, width),
                            are: value << (place + first),
                        });
                    }
                }
                _ => {}
            }
        }
        for one in &form.given {
            if self.is_bit(one) {
                continue;
            }
            if let Some(needed) = self.needed(one.name)
                && !bits.add(needed)
            {
                return Err(wrong(one.name, one.element, Misfit::NoPlace));
            }
        }
        Ok(bits)
    }

    /// Whether what is given is a bit of a set.
    fn is_bit(self, one: &Given<'_>) -> bool {
        let alone = self.called(one.name).next().is_none();
        self.0.parts.iter().any(|part| match part.kind {
            Kind::Set { names, words, .. } => {
                names.contains(&one.name) && says_bit(one.text, words, alone).is_some()
            }
            _ => false,
        })
    }

    fn encode_one(self, mut form: Form<'_>) -> Result<Vec<u8>, EncodeError> {
        let mut bits = self.decided(&form)?;
        let mut out: Vec<u8> = Vec::new();
        // Where the integer begins whose bits are being filled in.
        let mut shared = 0;
        let mut left_out = None;
        let mut to_the_end = false;
        // The length tells the width of all numbers that have two: one that is wide makes all so.
        let is_wide = self.0.parts.iter().any(|part| {
            form.peek(part.name)
                .is_some_and(|one| part.needs_wide(one.text))
        });
        for (index, part) in self.0.parts.iter().enumerate() {
            if !self.is_there(index, &mut bits, &form) {
                continue;
            }
            // Reserved bits of an integer that is left out are left out with it.
            if matches!(part.when, When::NotZero) && left_out.is_some() {
                continue;
            }
            if matches!(part.when, When::Left) {
                match (self.asked_for(part, &form), left_out) {
                    (None, _) => {
                        left_out = left_out.or(Some(part.name));
                        continue;
                    }
                    (Some(one), Some(before)) => {
                        let before = String::from(before);
                        return Err(wrong(one.name, one.element, Misfit::Follows { before }));
                    }
                    (Some(_), None) => {}
                }
            }
            match part.kind {
                Kind::Bits { .. } | Kind::Set { .. } => {
                    let value = self.fill(part, &mut form, bits, shared)?;
                    let end = shared + part.size();
                    out.resize(end.max(out.len()), 0);
                    let bytes = out.iter_mut().skip(shared);
                    for (byte, bits) in bytes.zip(value.to_le_bytes()) {
                        *byte |= bits;
                    }
                    if part.ends() {
                        shared = end;
                    }
                    continue;
                }
                _ => {}
            }
            let mut written = 0;
            while let Some(one) = form.take(part.name) {
                // After what goes on to the end of the value, nothing can be told apart.
                if to_the_end {
                    return Err(wrong(one.name, one.element, Misfit::NoPlace));
                }
                let bytes = part
                    .write_either(one.text, is_wide)
                    .map_err(|misfit| wrong(one.name, one.element, misfit))?;
                out.extend(bytes);
                written += 1;
                if !part.repeats {
                    break;
                }
            }
            to_the_end |= written > 0 && part.goes_on();
            if written == 0 && !(part.repeats && part.may_be_empty) {
                // An op code can follow from what else is given.
                let (place, size) = (shared, part.size());
                let all = mask(8 * place, 8 * size);
                if !matches!(part.kind, Kind::Number(_)) || all == 0 || bits.decided & all != all {
                    return Err(wrong(part.name, None, Misfit::Needed));
                }
                let value = bits.are >> (8 * place);
                out.extend(value.to_le_bytes().into_iter().take(size));
            }
            // What stands there now decides what follows.
            for (at, byte) in out.iter().enumerate().take(LOOKED_AT).skip(shared) {
                bits.add(Bits {
                    decided: 0xFF << (8 * at),
                    are: u64::from(*byte) << (8 * at),
                });
            }
            shared = out.len();
        }
        for (at, byte) in out.iter_mut().enumerate().take(LOOKED_AT) {
            *byte |= ((bits.are & self.looked_at()) >> (8 * at)) as u8;
        }
        let over = form.given.iter().zip(&form.used).find(|(_, used)| !**used);
        match over {
            Some((one, _)) => Err(self.left_over(one)),
            None => Ok(out),
        }
    }

    /// What was given for a part, or for one bit of it.
    fn asked_for<'g>(self, part: &Part, form: &Form<'g>) -> Option<&'g Given<'g>> {
        match part.kind {
            Kind::Set { names, words, .. } => {
                let mut bits = names.iter().filter_map(|name| {
                    let alone = self.called(name).next().is_none();
                    form.bit(name, words, alone)
                });
                bits.next().and_then(|(at, _)| form.given.get(at).copied())
            }
            _ => form.peek(part.name),
        }
    }

    /// Why something that was given has not come in.
    fn left_over(self, one: &Given<'_>) -> EncodeError {
        let bit = self.0.parts.iter().find_map(|part| match part.kind {
            Kind::Set { names, words, .. } if names.contains(&one.name) => Some(words),
            _ => None,
        });
        let alone = self.called(one.name).next().is_none();
        let misfit = match bit {
            Some(words) if alone && says_bit(one.text, words, alone).is_none() => {
                Misfit::NotChoice {
                    found: crate::encode::quoted(one.text),
                    allowed: vec![words.0.to_owned(), words.1.to_owned()],
                }
            }
            _ => Misfit::NoPlace,
        };
        wrong(one.name, one.element, misfit)
    }

    /// Whether a part is in the value; decides it where it is open.
    fn is_there(self, index: usize, bits: &mut Bits, form: &Form<'_>) -> bool {
        let Some(part) = self.0.parts.get(index) else {
            return false;
        };
        if let Some(known) = bits.hold(part.when) {
            return known;
        }
        let later = self.0.parts.get(index + 1..).unwrap_or_default();
        let fits = form.peek(part.name).is_some_and(|one| {
            let other_form = later
                .iter()
                .any(|other| other.name == part.name && bits.hold(other.when) != Some(false));
            !other_form || part.repeats || part.write(one.text).is_ok()
        });
        if !fits {
            bits.rule_out(part.when);
            return false;
        }
        Bits::of(part.when).is_some_and(|needed| bits.add(needed))
    }

    /// The bits of one part, in the integer that it shares.
    fn fill(
        self,
        part: &Part,
        form: &mut Form<'_>,
        bits: Bits,
        shared: usize,
    ) -> Result<u64, EncodeError> {
        let (first, width) = part.span();
        if let Kind::Set { names, words, .. } = part.kind {
            let mut word = 0;
            for (bit, name) in names
                .iter()
                .enumerate()
                .filter(|(_, name)| !name.is_empty())
            {
                let alone = self.called(name).next().is_none();
                if let Some((at, is_set)) = form.bit(name, words, alone) {
                    word |= u64::from(is_set) << (first + bit);
                    form.put_in(at);
                }
            }
            return Ok(word);
        }
        if matches!(part.when, When::NotZero) {
            return Ok(0);
        }
        if let Some(one) = form.take(part.name) {
            let value = part
                .integer_or_bits(one.text)
                .map_err(|misfit| wrong(one.name, one.element, misfit))?;
            return Ok(value << first);
        }
        let own = mask(8 * shared + first, width);
        if !part.may_be_zero() && own & (bits.decided | self.looked_at()) == 0 {
            return Err(wrong(part.name, None, Misfit::Needed));
        }
        // What conditions decide of them is put in at the end.
        Ok(0)
    }

    /// The bits that conditions look at.
    fn looked_at(self) -> u64 {
        let parts = self.0.parts.iter();
        parts.fold(0, |all, part| match part.when {
            When::Masked { at, mask, .. } => all | u64::from(mask) << (8 * at),
            _ => all,
        })
    }
}

/// So many bits from `first` on; none where they are not all among the first eight bytes.
fn mask(first: usize, width: usize) -> u64 {
    if width == 0 || first + width > 8 * LOOKED_AT {
        return 0;
    }
    u64::MAX >> (64 - width) << first
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A form could not tell two fields of one name apart.
    #[test]
    fn fields_that_can_be_together_have_different_names() {
        let mut same = Vec::new();
        for sig in Sig::all() {
            let whole = |part: &&Part| {
                !matches!(part.kind, Kind::Set { .. }) && !matches!(part.when, When::NotZero)
            };
            let parts: Vec<&Part> = sig.0.parts.iter().filter(whole).collect();
            for (at, one) in parts.iter().enumerate() {
                for other in parts
                    .iter()
                    .skip(at + 1)
                    .filter(|other| other.name == one.name)
                {
                    if matches!(other.when, When::Masked { not: true, .. }) {
                        // Either the one or the other, by the same byte.
                        let byte = |when, whether| match when {
                            When::Masked {
                                at,
                                mask,
                                equals,
                                not,
                            } if not == whether => Some((at, mask, equals)),
                            _ => None,
                        };
                        assert_eq!(byte(other.when, true), byte(one.when, false), "{sig:?}");
                        continue;
                    }
                    let mut both = Bits::of(one.when).unwrap_or_default();
                    if both.add(Bits::of(other.when).unwrap_or_default()) {
                        same.push((sig, one.name));
                    }
                }
            }
        }
        assert_eq!(same, []);
    }

    /// Encoding finds flags and op codes in the bytes that are always at the same place.
    #[test]
    fn conditions_look_at_the_first_bytes() {
        for sig in Sig::all() {
            for part in sig.0.parts {
                if let When::Masked { at, mask, .. } = part.when {
                    let bytes = (32 - mask.leading_zeros()).div_ceil(8) as usize;
                    assert!(
                        usize::from(at) + bytes <= LOOKED_AT,
                        "{sig:?} {}",
                        part.name
                    );
                }
            }
        }
    }

    #[test]
    fn a_form_asks_for_what_does_not_follow() {
        let names = |uuid| -> Vec<String> {
            let blanks = Sig::of_short(uuid).unwrap().blanks();
            blanks.into_iter().map(|blank| blank.name).collect()
        };
        assert_eq!(
            names(0x2A37),
            [
                "Sensor contact",
                "Heart rate",
                "Energy expended",
                "RR interval"
            ]
        );
        assert_eq!(
            names(0x2A1C),
            ["Unit", "Temperature", "Time stamp", "Temperature type"]
        );
        let heart = Sig::of_short(0x2A37).unwrap().blanks();
        assert_eq!(
            heart
                .first()
                .map(|blank| (&blank.kind, blank.choices.len(), blank.required)),
            Some((&BlankKind::Choice, 4, false))
        );
        assert_eq!(
            heart.get(1),
            Some(&Blank {
                name: "Heart rate".to_owned(),
                element: None,
                unit: Some("bpm".to_owned()),
                kind: BlankKind::Number {
                    least: "0".to_owned(),
                    most: "65535".to_owned(),
                },
                choices: Vec::new(),
                required: true,
                repeats: false,
            })
        );
        assert_eq!(
            heart.get(3).map(|blank| (blank.required, blank.repeats)),
            Some((false, true))
        );
    }
}
