//! What a person filled into a form, field by field, and what a form asks for.
//!
//! A format that can say what its bytes mean can also say which bytes mean this: the same table is
//! read the other way. The words and numbers are those that decoding shows.

use crate::number::Linear;

use super::{EncodeError, hex, quoted};

/// One field as a person gave it.
///
/// The text is what [`Field`](crate::Field)'s `Display` writes, without the unit: `72`, `23.74`,
/// `Chest`, `not known`, `present`, `2024-05-01 12:30:00`, `01 AB`; with `-` or the real minus
/// sign, numbers also in hex, named numbers also by their number. Texts and bytes are given whole,
/// where the display cuts long ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given<'a> {
    /// The field's name, as decoding gives it.
    pub name: &'a str,
    /// Which element of an array or which record, from 0; of a single field, nothing.
    pub element: Option<usize>,
    /// What it shall say.
    pub text: &'a str,
}

/// One thing that a form asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blank {
    /// The field's name, for [`Given::name`].
    pub name: String,
    /// Which element of an array of a fixed length.
    pub element: Option<usize>,
    /// The unit that numbers are in. Where a flag of the format says which of two (°C and °F), it
    /// is the first; a number may be given with the other, as `97.5 °F`.
    pub unit: Option<String>,
    /// What is to be typed or chosen.
    pub kind: BlankKind,
    /// Words that may be given: all that can be of a [`BlankKind::Choice`], those beside the
    /// numbers of a [`BlankKind::Number`], such as `not known`.
    pub choices: Vec<String>,
    /// Whether the value cannot be without it.
    pub required: bool,
    /// Whether it may be given several times, as elements 0, 1, 2 …
    pub repeats: bool,
}

/// What a [`Blank`] takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlankKind {
    /// A number from `least` to `most`, in the unit.
    Number {
        /// The smallest, as it is shown.
        least: String,
        /// The largest, as it is shown.
        most: String,
    },
    /// One of [`Blank::choices`], or its number where it has one.
    Choice,
    /// A day, such as 2024-05-01.
    Date,
    /// A day and a time, such as 2024-05-01 12:30:00.
    DateTime,
    /// Text; of exactly so many bytes of UTF-8 where there is a number.
    Text(Option<usize>),
    /// Bytes in hex; exactly so many where there is a number.
    Bytes(Option<usize>),
    /// A UUID of 16 or 128 bits.
    Uuid,
}

/// Why a text is no value of its field: what was found, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// The format has no such field.
    #[error("there is no such field. There are: {}.", known.join(", "))]
    Unknown {
        /// The names that the format has.
        known: Vec<String>,
    },
    /// The field cannot be beside the others that are given.
    #[error("it has no place beside the flags, the op code or the other fields that are given.")]
    NoPlace,
    /// The field cannot be beside the others that are given, in a format without flags of its own.
    #[error("it has no place beside the other fields that are given.")]
    NotHere,
    /// The value cannot be without it.
    #[error("it is needed here and was not given.")]
    Needed,
    /// It comes after one that is not given, and cannot be told apart from it.
    #[error("it can only follow {before}, which was not given.")]
    Follows {
        /// The field before it.
        before: String,
    },
    /// No number.
    #[error("\"{found}\" is no number. Write one like {example}.")]
    NotNumber {
        /// What was given.
        found: String,
        /// A number, or words, that can be.
        example: String,
    },
    /// Too small or too large.
    #[error("{found} does not fit. It takes {least} to {most}.")]
    OutOfRange {
        /// What was given.
        found: String,
        /// The smallest that fits.
        least: String,
        /// The largest that fits.
        most: String,
    },
    /// Between two numbers that can be.
    #[error("{found} lies between {below} and {above}, the nearest that it can say.")]
    Between {
        /// What was given.
        found: String,
        /// The next smaller one.
        below: String,
        /// The next larger one.
        above: String,
    },
    /// More digits than a decimal float holds.
    #[error("{found} has too many digits: it holds {least} to {most}, times a power of ten.")]
    Digits {
        /// What was given.
        found: String,
        /// The smallest mantissa.
        least: String,
        /// The largest mantissa.
        most: String,
    },
    /// None of the words.
    #[error("\"{found}\" is none of: {}.", allowed.join(", "))]
    NotChoice {
        /// What was given.
        found: String,
        /// The words that can be.
        allowed: Vec<String>,
    },
    /// No day or time.
    #[error("\"{found}\" is no such time. Write it like {example}.")]
    NotTime {
        /// What was given.
        found: String,
        /// One that can be.
        example: &'static str,
    },
    /// No UUID.
    #[error("\"{0}\" is no UUID. Write it like 0x2A37 or with all its 32 hex digits.")]
    NotUuid(String),
    /// No bytes.
    #[error("{0}")]
    NotHex(Box<EncodeError>),
    /// Too short or too long.
    #[error("it has {has} bytes and must have {needs}.")]
    Length {
        /// Bytes given.
        has: usize,
        /// Bytes that it takes.
        needs: usize,
    },
    /// A zero byte within a text that ends at one.
    #[error("it has a zero byte, which would end it.")]
    ZeroByte,
}

impl Misfit {
    /// The same of this text: it was found in another, which the first was made into.
    pub(crate) fn of(mut self, text: &str) -> Self {
        if let Self::NotNumber { found, .. }
        | Self::OutOfRange { found, .. }
        | Self::Between { found, .. }
        | Self::Digits { found, .. } = &mut self
        {
            *found = quoted(text);
        }
        self
    }
}

/// A decimal number as typed: `mantissa × 10^exponent`, with no zeros at the end of the mantissa.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) mantissa: i128,
    pub(crate) exponent: i32,
}

impl Typed {
    /// `72`, `-0.5`, `−40`, `1e-3`, `0x2A`; `None` for anything else and beyond 36 digits.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
            let all = !hex.is_empty() && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
            let mantissa = i128::from_str_radix(hex, 16).ok().filter(|_| all)?;
            return Some(Self::trimmed(
                if negative { -mantissa } else { mantissa },
                0,
            ));
        }
        let (digits, power) = match digits.split_once(['e', 'E']) {
            Some((digits, power)) => {
                let power = power.replace('\u{2212}', "-");
                (digits, i32::from(power.parse::<i16>().ok()?))
            }
            None => (digits, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.len() + fraction.len() == 0 || whole.len() + fraction.len() > 36 {
            return None;
        }
        let mut mantissa = 0_i128;
        for digit in whole.bytes().chain(fraction.bytes()) {
            if !digit.is_ascii_digit() {
                return None;
            }
            mantissa = mantissa * 10 + i128::from(digit - b'0');
        }
        let exponent = power - i32::try_from(fraction.len()).ok()?;
        Some(Self::trimmed(
            if negative { -mantissa } else { mantissa },
            exponent,
        ))
    }

    /// The nearest float.
    pub(crate) fn as_f64(self) -> f64 {
        let digits = format!("{}e{}", self.mantissa, self.exponent);
        digits.parse().unwrap_or(f64::NAN)
    }

    fn trimmed(mut mantissa: i128, mut exponent: i32) -> Self {
        if mantissa == 0 {
            return Self {
                mantissa,
                exponent: 0,
            };
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        Self { mantissa, exponent }
    }
}

/// Which integer stands for a number in the unit that is shown.
///
/// A number is taken when an integer says it exactly, or when the nearest one is shown just as it
/// was typed: 793 ms is 812/1024 s, which is shown so.
pub(crate) fn integer(
    text: &str,
    linear: &Linear,
    (low, high): (i128, i128),
    example: &dyn Fn() -> String,
) -> Result<i128, Misfit> {
    let typed = Typed::read(text).ok_or_else(|| Misfit::NotNumber {
        found: quoted(text),
        example: example(),
    })?;
    let range = || Misfit::OutOfRange {
        found: quoted(text),
        least: shown(linear, if linear.slope() < 0.0 { high } else { low }),
        most: shown(linear, if linear.slope() < 0.0 { low } else { high }),
    };
    let (floor, exact) = match linear.invert(typed.mantissa, typed.exponent) {
        Some(found) => found,
        None => {
            // Beyond whole numbers of 128 bits; as near as floats come. With so many digits after
            // the point, none of them can be exact.
            let raw = linear.unapply(typed.as_f64());
            if !raw.is_finite() || raw.abs() > 1e38 {
                return Err(range());
            }
            (
                raw.floor() as i128,
                raw.fract() == 0.0 && typed.exponent >= 0,
            )
        }
    };
    let inside = |raw: &i128| (low..=high).contains(raw);
    if exact {
        return Some(floor).filter(inside).ok_or_else(range);
    }
    let neighbours = [floor, floor.saturating_add(1)];
    let looks = |raw: &&i128| Typed::read(&shown(linear, **raw)) == Some(typed);
    if let Some(raw) = neighbours.iter().filter(|raw| inside(raw)).find(looks) {
        return Ok(*raw);
    }
    if !neighbours.iter().all(inside) {
        return Err(range());
    }
    let [mut below, mut above] = neighbours.map(|raw| shown(linear, raw));
    if linear.slope() < 0.0 {
        std::mem::swap(&mut below, &mut above);
    }
    Err(Misfit::Between {
        found: quoted(text),
        below,
        above,
    })
}

/// An integer as its field shows it.
pub(crate) fn shown(linear: &Linear, raw: i128) -> String {
    linear.shown(raw).to_string()
}

/// Bytes in hex, exactly so many where there is a number.
pub(crate) fn bytes(text: &str, needs: Option<usize>) -> Result<Vec<u8>, Misfit> {
    let bytes = hex(text).map_err(|error| Misfit::NotHex(Box::new(error)))?;
    match needs {
        Some(needs) if needs != bytes.len() => Err(Misfit::Length {
            has: bytes.len(),
            needs,
        }),
        _ => Ok(bytes),
    }
}

/// A UUID as GATT transmits it: 2 bytes of a short one, 16 of another.
pub(crate) fn uuid(text: &str) -> Result<Vec<u8>, Misfit> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.len() == 4
        && let Ok(short) = u16::from_str_radix(digits, 16)
    {
        return Ok(short.to_le_bytes().to_vec());
    }
    match uuid::Uuid::try_parse(text) {
        Ok(long) => Ok(long.as_u128().to_le_bytes().to_vec()),
        // Of another length, which is shown as bytes.
        Err(_) => bytes(text, None).map_err(|_| Misfit::NotUuid(quoted(text))),
    }
}
