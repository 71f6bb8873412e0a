//! How the bytes of one element become a number.

use super::{Definition, Kind, Names};
use crate::field::{Fault, Field, Value};
use crate::medical::Medical;
use crate::number::{Class, Decimal, Endian, NumberType, Raw, binary16};

impl Kind {
    /// Bytes of one element.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::Number(number) | Self::Bcd(number) | Self::Bits(number, ..) => number.size(),
            Self::Half(_) | Self::Medical { short: true } => 2,
            Self::Medical { short: false } => 4,
            Self::Bool | Self::Hex | Self::Utf8 | Self::Skip => 1,
        }
    }

    /// Whether it gives columns.
    pub(super) const fn is_numeric(self) -> bool {
        !self.is_bytes()
    }

    /// Whether it is any number of bytes together.
    pub(super) const fn is_bytes(self) -> bool {
        matches!(self, Self::Hex | Self::Utf8 | Self::Skip)
    }

    /// Whether it can have a scale, an offset and a unit.
    pub(super) const fn measures(self) -> bool {
        self.is_numeric() && !matches!(self, Self::Bool)
    }

    /// Whether its numbers are integers in binary.
    pub(super) const fn is_integer(self) -> bool {
        match self {
            Self::Number(number) => !matches!(number.class(), Class::Float),
            Self::Bits(..) => true,
            _ => false,
        }
    }

    /// How many bits an integer has.
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Bits(_, first, last) => u32::from(last - first) + 1,
            Self::Bool => 1,
            _ => 8 * self.size() as u32,
        }
    }

    /// The smallest and the largest integer that it holds.
    pub(super) fn bounds(self) -> (i128, i128) {
        let bits = self.bits();
        match self {
            Self::Number(number) | Self::Bits(number, ..) if number.class() == Class::Signed => {
                (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
            }
            _ => (0, (1 << bits) - 1),
        }
    }

    /// One element from its bytes, which may be followed by others; `None` where there are too few.
    /// What stands for no number is NaN.
    #[inline]
    pub(super) fn raw(self, bytes: &[u8]) -> Option<Raw> {
        match self {
            Self::Number(number) => number.read(bytes),
            Self::Bits(number, first, last) => number
                .read(bytes)
                .map(|word| bits(word, number, first, last)),
            Self::Bool => bytes.first().map(|&byte| Raw::Unsigned((byte != 0).into())),
            Self::Half(endian) => {
                let &pair = bytes.first_chunk()?;
                Some(Raw::Single(binary16(match endian {
                    Endian::Little => u16::from_le_bytes(pair),
                    Endian::Big => u16::from_be_bytes(pair),
                })))
            }
            Self::Bcd(_) | Self::Medical { .. } | Self::Hex | Self::Utf8 | Self::Skip => None,
        }
    }

    /// One element as a number before scale and offset; `None` where there are too few bytes, or
    /// where they say that there is none.
    #[inline]
    pub(super) fn number(self, bytes: &[u8]) -> Option<f64> {
        match self {
            Self::Bcd(number) => match bcd(number, bytes)? {
                Ok(value) => Some(value as f64),
                Err(_) => None,
            },
            Self::Medical { short } => match medical(short, bytes)? {
                Medical::Number(value) => Some(value),
                Medical::Special(..) | Medical::Reserved => None,
            },
            _ => self.raw(bytes).map(Raw::as_f64),
        }
    }

    /// One element as an integer, for what counts and what decides.
    #[inline]
    pub(super) fn integer(self, bytes: &[u8]) -> Option<i128> {
        match self.raw(bytes)? {
            Raw::Unsigned(value) => Some(value.into()),
            Raw::Signed(value) => Some(value.into()),
            Raw::Single(_) | Raw::Double(_) => None,
        }
    }
}

impl Definition {
    /// Bytes that it takes in one record.
    pub(super) fn size(&self) -> usize {
        self.kind.size() * usize::from(self.times.unwrap_or(1))
    }

    /// How many columns it gives.
    pub(super) fn columns(&self) -> usize {
        if self.kind.is_numeric() {
            usize::from(self.times.unwrap_or(1))
        } else {
            0
        }
    }

    /// Whether it is in a unit or a scale of its own, so that a named value is no measurement.
    pub(super) fn measures(&self) -> bool {
        self.unit.is_some() || self.scale != Decimal::ONE || self.offset != Decimal::ZERO
    }

    /// Gives a field its value from the bytes of one element, and what that value means.
    pub(super) fn read<'a>(&'a self, bytes: &'a [u8], field: &mut Field<'a>) {
        match self.kind {
            Kind::Medical { short } => field.decimal(medical(short, bytes)),
            Kind::Bcd(number) => match bcd(number, bytes) {
                Some(Ok(value)) => field.value = Value::Int(value.into()),
                Some(Err(word)) => {
                    field.value = Value::Int(word.into());
                    field.meaning = Some("not decimal digits");
                    field.void = true;
                }
                None => {}
            },
            Kind::Bool => {
                if let Some(&byte) = bytes.first() {
                    field.value = Value::Bool(byte != 0);
                }
            }
            _ => {
                if let Some(raw) = self.kind.raw(bytes) {
                    field.value = raw.into();
                }
            }
        }
        let whole = match field.value {
            Value::Int(whole) => whole,
            Value::Bool(set) => set.into(),
            _ => return,
        };
        match &self.names {
            Names::Values(names) => {
                if let Ok(found) = names.binary_search_by_key(&whole, |(value, _)| *value) {
                    field.meaning = names.get(found).map(|(_, name)| &**name);
                    field.void = self.measures();
                }
            }
            Names::Bits(names) => field.flags = names,
            Names::None => {}
        }
        field.fault = self
            .constant
            .filter(|&expected| expected != whole)
            .map(|expected| Fault::NotConstant { expected });
    }
}

fn bits(word: Raw, number: NumberType, first: u8, last: u8) -> Raw {
    let word = match word {
        Raw::Unsigned(word) => word,
        Raw::Signed(word) => word.cast_unsigned(),
        Raw::Single(_) | Raw::Double(_) => 0,
    };
    // To the top, and down again with or without the sign.
    let (up, down) = (63 - last, 63 - (last - first));
    match number.class() {
        Class::Signed => Raw::Signed((word << up).cast_signed() >> down),
        Class::Unsigned | Class::Float => Raw::Unsigned((word << up) >> down),
    }
}

fn medical(short: bool, bytes: &[u8]) -> Option<Medical> {
    if short {
        Medical::short(bytes, 0)
    } else {
        Medical::long(bytes, 0)
    }
}

/// Two digits per byte; the word as it stands if one of them is none.
fn bcd(number: NumberType, bytes: &[u8]) -> Option<Result<u64, u64>> {
    let Some(Raw::Unsigned(word)) = number.read(bytes) else {
        return None;
    };
    let mut value = 0;
    for digit in (0..number.bits() / 4).rev() {
        match word >> (4 * digit) & 0xF {
            digit @ 0..=9 => value = value * 10 + digit,
            _ => return Some(Err(word)),
        }
    }
    Some(Ok(value))
}
