//! One field of a standard format as bytes: what a person gave, by the same row of the table that
//! reads it.

use crate::encode::{self, BlankKind, Misfit, TypedDecimal};
use crate::field::Shown;
use crate::medical::{self, Medical};
use crate::number::Class;

use super::{Kind, Part};

impl Part {
    /// The bytes of one element that says `text`; not for bits, see [`Part::integer`].
    pub(in crate::sig) fn write(&self, text: &str) -> Result<Vec<u8>, Misfit> {
        match self.kind {
            Kind::Number(number) if number.class() == Class::Float => {
                encode::number(text, number).map_err(|_| self.no_number(text))
            }
            Kind::Number(number) | Kind::Bits { of: number, .. } | Kind::Set { of: number, .. } => {
                let value = self.integer(text)?;
                Ok(value
                    .to_le_bytes()
                    .into_iter()
                    .take(number.size())
                    .collect())
            }
            Kind::Either { .. } => self.write_either(text, self.needs_wide(text)),
            Kind::Sfloat(up) => Medical::write(self.without_unit(text.trim()), 2, up),
            Kind::Float(up) => Medical::write(self.without_unit(text.trim()), 4, up),
            Kind::Exponential => Ok(vec![self.exponential(text)?]),
            Kind::DateTime => Ok(encode::time(text, true)?.bytes()),
            Kind::Date => Ok(encode::time(text, false)?.bytes()),
            Kind::Text => Ok(text.as_bytes().to_vec()),
            Kind::FixedText(needs) => match text.len() {
                has if has == needs => Ok(text.as_bytes().to_vec()),
                has => Err(Misfit::Length { has, needs }),
            },
            Kind::ZeroText if text.contains('\0') => Err(Misfit::ZeroByte),
            Kind::ZeroText => Ok([text.as_bytes(), &[0]].concat()),
            Kind::Bytes(needs) => encode::bytes(text, Some(needs)),
            Kind::Rest if self.shown == Shown::Uuid => encode::uuid(text),
            // The latter two stand in advertisements alone, which nobody writes.
            Kind::Rest | Kind::AllBut(_) | Kind::Read { .. } => encode::bytes(text, None),
        }
    }

    /// Whether `text` is an integer that takes the wider of two widths.
    pub(in crate::sig) fn needs_wide(&self, text: &str) -> bool {
        let Kind::Either { narrow, .. } = self.kind else {
            return false;
        };
        let (low, high) = narrow.bounds();
        self.integer(text)
            .is_ok_and(|value| !(low..=high).contains(&value))
    }

    /// The same as [`Part::write`], in one width or the other where there are two.
    pub(in crate::sig) fn write_either(
        &self,
        text: &str,
        is_wide: bool,
    ) -> Result<Vec<u8>, Misfit> {
        let Kind::Either { narrow, wide, .. } = self.kind else {
            return self.write(text);
        };
        let of = if is_wide { wide } else { narrow };
        let bytes = self.integer(text)?.to_le_bytes();
        Ok(bytes.into_iter().take(of.size()).collect())
    }

    /// The integer that says `text`: by a word, by a number in the unit, or by a day.
    pub(in crate::sig) fn integer(&self, text: &str) -> Result<i128, Misfit> {
        if let Some(value) = self.word(text.trim()) {
            return Ok(value);
        }
        let text = self.without_unit(text.trim());
        match self.shown {
            Shown::Days => return self.counted(text, 0, false),
            Shown::Seconds(epoch) => return self.counted(text, epoch, true),
            _ => {}
        }
        let bounds = self.bounds();
        let value = if self.closed || self.names.is_some() {
            TypedDecimal::read(text).ok_or_else(|| self.no_choice(text))?;
            encode::integer(text, &self.linear, bounds, &String::new)?
        } else {
            encode::integer(text, &self.linear, bounds, &|| self.example())?
        };
        if self.closed && !self.meanings.iter().any(|(known, _)| *known == value) {
            return Err(self.no_choice(text));
        }
        if self.voids.iter().any(|(void, _)| *void == value) {
            return Err(self.out_of_range(text, bounds));
        }
        Ok(value)
    }

    /// The same of an unsigned number or bits, as bits from the lowest on.
    pub(in crate::sig) fn integer_or_bits(&self, text: &str) -> Result<u64, Misfit> {
        let (_, width) = self.span();
        let value = match self.kind {
            Kind::Number(number) if number.class() == Class::Float => 0,
            _ => self.integer(text)?,
        };
        Ok((value & i128::from(u64::MAX >> (64 - width))) as u64)
    }

    /// The first bit and how many, within the integer.
    pub(in crate::sig) const fn span(&self) -> (usize, usize) {
        match self.kind {
            Kind::Bits { first, last, .. } => (first as usize, (last - first + 1) as usize),
            Kind::Set { first, names, .. } => (first as usize, names.len()),
            Kind::Number(number) => (0, number.bits() as usize),
            _ => (0, 64),
        }
    }

    /// The integer that a word stands for.
    fn word(&self, text: &str) -> Option<i128> {
        let same = |(_, word): &&(i128, &str)| word.eq_ignore_ascii_case(text);
        let listed = self.voids.iter().chain(self.meanings).find(same);
        listed.map(|(value, _)| *value).or_else(|| {
            let names = self.names?;
            if let Some(number) = names.number(text) {
                return Some(number.into());
            }
            // A name that several have, with the number that tells them apart.
            let (name, number) = text.strip_suffix(')')?.rsplit_once(" (0x")?;
            let number = u16::from_str_radix(number, 16).ok()?;
            let is_its = names.of(number)?.eq_ignore_ascii_case(name);
            is_its.then_some(number.into())
        })
    }

    /// The smallest and the largest integer that say a number.
    fn bounds(&self) -> (i128, i128) {
        let (mut low, mut high) = match self.kind {
            Kind::Bits { first, last, .. } => (0, (1 << (last - first + 1)) - 1),
            Kind::Number(number) | Kind::Set { of: number, .. } => number.bounds(),
            Kind::Either { narrow, wide, .. } => {
                let (narrow, wide) = (narrow.bounds(), wide.bounds());
                (narrow.0.min(wide.0), narrow.1.max(wide.1))
            }
            _ => (0, 0),
        };
        if let Some((least, most)) = self.limits {
            (low, high) = (low.max(least), high.min(most));
        }
        let void = |value: i128| self.voids.iter().any(|(void, _)| *void == value);
        while low < high && void(high) {
            high -= 1;
        }
        while low < high && void(low) {
            low += 1;
        }
        (low, high)
    }

    /// The day or the second that a time is, counted from day `epoch` since 1970-01-01.
    fn counted(&self, text: &str, epoch: i32, clock: bool) -> Result<i128, Misfit> {
        let time = encode::far_time(text, clock)?;
        let days = time.days().ok_or_else(|| encode::no_time(text, clock))? - i128::from(epoch);
        let value = match time.time {
            Some((hours, minutes, seconds)) => {
                let of_day = (i128::from(hours) * 60 + i128::from(minutes)) * 60;
                days * 86_400 + of_day + i128::from(seconds)
            }
            None => days,
        };
        let (low, high) = self.bounds();
        if (low..=high).contains(&value) {
            return Ok(value);
        }
        let shown = |value: i128| {
            let bytes: Vec<u8> = value.to_le_bytes().into_iter().take(self.size()).collect();
            self.field(&bytes, 0, None).bare().to_string()
        };
        Err(Misfit::OutOfRange {
            found: encode::quoted(text),
            least: shown(low),
            most: shown(high),
        })
    }

    /// The byte of a power of 1.1 that is shown as it was typed.
    fn exponential(&self, text: &str) -> Result<u8, Misfit> {
        let word = self.word(text.trim());
        if let Some(byte) = word.and_then(|value| u8::try_from(value).ok()) {
            return Ok(byte);
        }
        let text = self.without_unit(text.trim());
        let typed = TypedDecimal::read(text).ok_or_else(|| self.no_number(text))?;
        let shown = |byte: u8| self.field(&[byte], 0, None).bare().to_string();
        let said = |byte: &u8| {
            let known = self.word(&shown(*byte)).is_some();
            !known && TypedDecimal::read(&shown(*byte)) == Some(typed)
        };
        if let Some(byte) = (0..=u8::MAX).find(said) {
            return Ok(byte);
        }
        let number = typed.mantissa as f64 * 10_f64.powi(typed.exponent);
        let numbers =
            (0..=u8::MAX).filter_map(|byte| Some((byte, self.field(&[byte], 0, None).number()?)));
        let mut below = None;
        let mut most = 0;
        for (byte, one) in numbers {
            most = byte;
            if one <= number {
                below = Some(byte);
            }
        }
        match below {
            Some(below) if below < most => Err(Misfit::Between {
                found: text.to_owned(),
                below: shown(below),
                above: shown(below + 1),
            }),
            _ => Err(Misfit::OutOfRange {
                found: text.to_owned(),
                least: shown(0),
                most: shown(most),
            }),
        }
    }

    /// A number may stand with its unit.
    fn without_unit<'a>(&self, text: &'a str) -> &'a str {
        let unit = self.unit.and_then(|unit| text.strip_suffix(unit));
        unit.map_or(text, str::trim_end)
    }

    fn no_number(&self, text: &str) -> Misfit {
        Misfit::NotNumber {
            found: encode::quoted(text),
            example: self.example(),
        }
    }

    fn no_choice(&self, text: &str) -> Misfit {
        Misfit::NotChoice {
            found: encode::quoted(text),
            allowed: self.choices(),
        }
    }

    fn out_of_range(&self, text: &str, (low, high): (i128, i128)) -> Misfit {
        Misfit::OutOfRange {
            found: encode::quoted(text),
            least: encode::shown(&self.linear, low),
            most: encode::shown(&self.linear, high),
        }
    }

    fn example(&self) -> String {
        let (low, high) = self.bounds();
        let mut example = match self.kind {
            Kind::Number(number) if number.class() != Class::Float => {
                encode::shown(&self.linear, 42.clamp(low, high))
            }
            Kind::Either { .. } => encode::shown(&self.linear, 42.clamp(low, high)),
            Kind::Bits { .. } => encode::shown(&self.linear, 1.clamp(low, high)),
            _ => "23.5".to_owned(),
        };
        for (_, word) in self.voids {
            example.push_str(", or ");
            example.push_str(word);
        }
        example
    }

    /// Words that stand for numbers, as far as a list goes.
    pub(in crate::sig) fn choices(&self) -> Vec<String> {
        let listed = self.meanings.iter().chain(self.voids);
        let mut all: Vec<String> = listed.map(|(_, word)| (*word).to_owned()).collect();
        if matches!(self.kind, Kind::Sfloat(_) | Kind::Float(_)) {
            all.extend(medical::WORDS.map(str::to_owned));
        }
        all
    }

    /// What a form says of one element.
    pub(in crate::sig) fn blank_kind(&self) -> BlankKind {
        let number = || {
            let (low, high) = self.bounds();
            BlankKind::Number {
                least: encode::shown(&self.linear, low),
                most: encode::shown(&self.linear, high),
            }
        };
        let limits = |limit: i32, exponent: i32| BlankKind::Number {
            least: format!("\u{2212}{limit}e{exponent}"),
            most: format!("{limit}e{exponent}"),
        };
        match self.kind {
            Kind::Number(of) if of.class() == Class::Float => BlankKind::Number {
                least: format!("\u{2212}{:e}", f32::MAX),
                most: format!("{:e}", f32::MAX),
            },
            Kind::Set { .. } => BlankKind::Choice,
            Kind::Number(_) | Kind::Either { .. } | Kind::Bits { .. } => match self.shown {
                Shown::Days => BlankKind::Date,
                Shown::Seconds(_) => BlankKind::DateTime,
                _ if self.closed || self.all_have_words() => BlankKind::Choice,
                _ => number(),
            },
            // At exponents other than 0 all mantissas are numbers.
            Kind::Sfloat(up) => limits(2047, 7 + i32::from(up)),
            Kind::Float(up) => limits(8_388_607, 127 + i32::from(up)),
            Kind::Exponential => BlankKind::Number {
                least: self.field(&[0], 0, None).bare().to_string(),
                most: self.field(&[0xFD], 0, None).bare().to_string(),
            },
            Kind::DateTime => BlankKind::DateTime,
            Kind::Date => BlankKind::Date,
            Kind::Text | Kind::ZeroText => BlankKind::Text(None),
            Kind::FixedText(size) => BlankKind::Text(Some(size)),
            Kind::Bytes(size) => BlankKind::Bytes(Some(size)),
            Kind::Rest if self.shown == Shown::Uuid => BlankKind::Uuid,
            Kind::Rest | Kind::AllBut(_) | Kind::Read { .. } => BlankKind::Bytes(None),
        }
    }

    /// Whether it takes all bytes that are left.
    pub(in crate::sig) const fn goes_on(&self) -> bool {
        self.repeats || matches!(self.kind, Kind::Text | Kind::Rest)
    }

    fn all_have_words(&self) -> bool {
        let (low, high) = self.bounds();
        // Longer lists are not of bits.
        high - low < 16 && (low..=high).all(|value| self.meanings.iter().any(|it| it.0 == value))
    }

    /// Whether it takes numbers, of which there can be more in another form.
    pub(in crate::sig) const fn is_number_like(&self) -> bool {
        matches!(self.kind, Kind::Number(_)) && !self.closed
    }

    /// Whether bits that nobody gave are 0: that is a flag or a named state.
    pub(in crate::sig) fn may_be_zero(&self) -> bool {
        self.meanings.iter().any(|(value, _)| *value == 0)
    }

    /// Whether two rows say the same in different widths.
    pub(in crate::sig) fn is_like(&self, other: &Self) -> bool {
        self.unit == other.unit && self.linear == other.linear && self.shown == other.shown
    }
}
