//! What a person types into a write editor, as bytes; or the sentence that says why not.

use crate::clean;
use crate::number::{Class, Endian, NumberType};

mod fields;
mod time;

pub use fields::{Blank, BlankKind, Given, Misfit};
pub(crate) use fields::{Typed as TypedDecimal, bytes, integer, shown, uuid};
pub(crate) use time::{far_time, no_time, time};

/// Characters of the user's text that a message repeats.
const QUOTED: usize = 24;

/// Input that is not what it should be. Its text says what was found where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Not two hex digits.
    #[error("\"{found}\" at character {} is not a hex byte. Use pairs of 0–9 and A–F, such as 01 A0.", at + 1)]
    NotHex {
        /// What stands there.
        found: String,
        /// Where, in characters from 0.
        at: usize,
    },
    /// A single hex digit.
    #[error("\"{found}\" at character {} is half a byte. Write it as 0{found}.", at + 1)]
    HalfByte {
        /// The digit.
        found: char,
        /// Where, in characters from 0.
        at: usize,
    },
    /// Nothing to encode.
    #[error("There is no number yet. Type one, such as {example}.")]
    NoNumber {
        /// A number of the wanted type.
        example: &'static str,
    },
    /// A character that no number has there.
    #[error("\"{found}\" at character {} does not belong in a number here. Write it like {example}.", at + 1)]
    NotNumber {
        /// What stands there.
        found: String,
        /// Where, in characters from 0.
        at: usize,
        /// A number of the wanted type.
        example: &'static str,
    },
    /// A fraction for an integer.
    #[error("{found} is not a whole number. {number} holds whole numbers from {low} to {high}.")]
    NotWhole {
        /// What was typed.
        found: String,
        /// The wanted type.
        number: NumberType,
        /// The smallest number that fits.
        low: String,
        /// The largest number that fits.
        high: String,
    },
    /// A number outside the range of its type.
    #[error("{found} does not fit {number}, which holds {low} to {high}.")]
    DoesNotFit {
        /// What was typed.
        found: String,
        /// The wanted type.
        number: NumberType,
        /// The smallest number that fits.
        low: String,
        /// The largest number that fits.
        high: String,
    },
    /// A field that cannot say what was given.
    #[error("{field}: {misfit}")]
    Field {
        /// The field's name, with its element.
        field: String,
        /// Why not.
        misfit: Misfit,
    },
    /// The format cannot be written by its fields.
    #[error("This format is written as a whole: as hex, text or a number.")]
    NotByFields,
}

impl EncodeError {
    /// Where in the input, in characters from 0; `None` where it is the whole.
    #[must_use]
    pub const fn at(&self) -> Option<usize> {
        match self {
            Self::NotHex { at, .. } | Self::HalfByte { at, .. } | Self::NotNumber { at, .. } => {
                Some(*at)
            }
            Self::NoNumber { .. }
            | Self::NotWhole { .. }
            | Self::DoesNotFit { .. }
            | Self::Field { .. }
            | Self::NotByFields => None,
        }
    }
}

/// Bytes from hex digits in pairs. White space and `,` `;` `:` `-` `_` separate, `0x` may stand
/// before each group; nothing at all is an empty value.
///
/// # Errors
/// Says which pair is no byte, and where.
///
/// ```
/// use decode::encode;
///
/// assert_eq!(encode::hex("01 A0,0f 0x0F"), Ok(vec![0x01, 0xA0, 0x0F, 0x0F]));
/// assert_eq!(
///     encode::hex("01 3G").unwrap_err().to_string(),
///     "\"3G\" at character 4 is not a hex byte. Use pairs of 0–9 and A–F, such as 01 A0."
/// );
/// ```
pub fn hex(text: &str) -> Result<Vec<u8>, EncodeError> {
    let separates = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '_');
    let characters: Vec<char> = text.chars().collect();
    let mut bytes = Vec::with_capacity(characters.len() / 2);
    let mut at = 0;
    while let Some(rest) = characters.get(at..) {
        let group: &[char] = rest.split(|&c| separates(c)).next().unwrap_or_default();
        let prefix = match group {
            ['0', 'x' | 'X', _, ..] => 2,
            _ => 0,
        };
        for (index, pair) in group[prefix..].chunks(2).enumerate() {
            let at = at + prefix + 2 * index;
            let mut digits = pair.iter().map(|c| c.to_digit(16));
            let value = digits.try_fold(0, |value, digit| Some(value * 16 + digit?));
            match (value.and_then(|value| u8::try_from(value).ok()), pair) {
                (Some(byte), [_, _]) => bytes.push(byte),
                (Some(_), [digit]) => {
                    let found = digit.to_ascii_uppercase();
                    return Err(EncodeError::HalfByte { found, at });
                }
                _ => {
                    let found = quoted(&pair.iter().collect::<String>());
                    return Err(EncodeError::NotHex { found, at });
                }
            }
        }
        at += group.len() + 1;
    }
    Ok(bytes)
}

/// Bytes of a text: its UTF-8, without a terminator.
#[must_use]
pub fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// Bytes of a number of the given type.
///
/// Integers are decimal, `0x` or `0b`, with `_` between digits where it helps; floats are decimal,
/// `NaN` or `inf`. The real minus sign (−) counts as one.
///
/// # Errors
/// Says what is no number and where, or what range the type has.
///
/// ```
/// use decode::encode;
///
/// let number = "i16le".parse().unwrap();
/// assert_eq!(encode::number("−2", number), Ok(vec![0xFE, 0xFF]));
/// let number = "u8".parse().unwrap();
/// assert_eq!(
///     encode::number("300", number).unwrap_err().to_string(),
///     "300 does not fit u8, which holds 0 to 255."
/// );
/// ```
pub fn number(text: &str, number: NumberType) -> Result<Vec<u8>, EncodeError> {
    let before = text.chars().take_while(|c| c.is_whitespace()).count();
    let typed = Typed {
        characters: text.trim().chars().collect(),
        before,
        text: text.trim(),
        number,
    };
    match number.class() {
        Class::Unsigned | Class::Signed => typed.integer(),
        Class::Float => typed.float(),
    }
}

/// A number as typed.
struct Typed<'a> {
    characters: Vec<char>,
    /// Characters before it.
    before: usize,
    text: &'a str,
    number: NumberType,
}

impl Typed<'_> {
    const fn example(&self) -> &'static str {
        match self.number.class() {
            Class::Float => "23.5, −40 or 1e-3",
            Class::Signed => "42, −7, 0x2A or 0b101",
            Class::Unsigned => "42, 0x2A or 0b101",
        }
    }

    fn stray(&self, index: usize) -> EncodeError {
        match self.characters.get(index) {
            None => EncodeError::NoNumber {
                example: self.example(),
            },
            Some(found) => EncodeError::NotNumber {
                found: quoted(&found.to_string()),
                at: self.before + index,
                example: self.example(),
            },
        }
    }

    fn integer(&self) -> Result<Vec<u8>, EncodeError> {
        let negative = matches!(self.characters.first(), Some('-' | '\u{2212}'));
        let signed = negative || self.characters.first() == Some(&'+');
        let mut index = usize::from(signed);
        let radix = match self.characters.get(index..) {
            Some(['0', 'x' | 'X', ..]) => 16,
            Some(['0', 'b' | 'B', ..]) => 2,
            _ => 10,
        };
        if radix != 10 {
            index += 2;
        }
        let start = index;
        let mut magnitude = Some(0_i128);
        while let Some(&c) = self.characters.get(index) {
            match c.to_digit(radix) {
                Some(digit) => {
                    magnitude = magnitude
                        .and_then(|value| value.checked_mul(radix.into()))
                        .and_then(|value| value.checked_add(digit.into()));
                }
                None if c == '_' && index > start => {}
                None if radix == 10 && self.is_fraction() => return Err(self.not_whole()),
                None => return Err(self.stray(index)),
            }
            index += 1;
        }
        if index == start {
            return Err(self.stray(index));
        }
        let (low, high) = self.number.bounds();
        let value = magnitude
            .map(|value| if negative { -value } else { value })
            .filter(|value| (low..=high).contains(value))
            .ok_or_else(|| self.does_not_fit(whole(low), whole(high)))?;
        let len = self.number.size();
        let mut bytes = value.to_le_bytes();
        let used = bytes.get_mut(..len).unwrap_or_default();
        if self.number.endian() == Endian::Big {
            used.reverse();
        }
        Ok(used.to_vec())
    }

    fn float(&self) -> Result<Vec<u8>, EncodeError> {
        let text = self.text.replace('\u{2212}', "-");
        let word = text.trim_start_matches(['-', '+']).to_ascii_lowercase();
        let special = matches!(word.as_str(), "nan" | "inf" | "infinity" | "∞");
        if !special {
            let belongs = |c: &char| {
                c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-' | '\u{2212}')
            };
            if let Some(index) = self.characters.iter().position(|c| !belongs(c)) {
                return Err(self.stray(index));
            }
        }
        let text = text.replace('∞', "inf");
        // Characters that all belong can still stand in the wrong order: the last one tells.
        let last = self.characters.len().saturating_sub(1);
        let wrong = |_| self.stray(last);
        let little = self.number.endian() == Endian::Little;
        if self.number.size() == 4 {
            let value: f32 = text.parse().map_err(wrong)?;
            if value.is_infinite() && !special {
                let limit = format!("{:e}", f32::MAX);
                return Err(self.does_not_fit(format!("\u{2212}{limit}"), limit));
            }
            let order = if little {
                f32::to_le_bytes
            } else {
                f32::to_be_bytes
            };
            Ok(order(value).to_vec())
        } else {
            let value: f64 = text.parse().map_err(wrong)?;
            if value.is_infinite() && !special {
                let limit = format!("{:e}", f64::MAX);
                return Err(self.does_not_fit(format!("\u{2212}{limit}"), limit));
            }
            let order = if little {
                f64::to_le_bytes
            } else {
                f64::to_be_bytes
            };
            Ok(order(value).to_vec())
        }
    }

    fn is_fraction(&self) -> bool {
        let text = self.text.replace('\u{2212}', "-");
        text.bytes().any(|byte| byte.is_ascii_digit()) && text.parse::<f64>().is_ok()
    }

    fn not_whole(&self) -> EncodeError {
        let (low, high) = self.number.bounds();
        EncodeError::NotWhole {
            found: quoted(self.text),
            number: self.number,
            low: whole(low),
            high: whole(high),
        }
    }

    fn does_not_fit(&self, low: String, high: String) -> EncodeError {
        EncodeError::DoesNotFit {
            found: quoted(self.text),
            number: self.number,
            low,
            high,
        }
    }
}

/// A whole number with the real minus sign.
fn whole(number: i128) -> String {
    let minus = if number < 0 { "\u{2212}" } else { "" };
    format!("{minus}{}", number.unsigned_abs())
}

pub(crate) fn quoted(text: &str) -> String {
    clean::text(text, QUOTED).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn as_number(text: &str, name: &str) -> Result<Vec<u8>, String> {
        number(text, name.parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn hex_is_read_however_it_is_separated() {
        let bytes = vec![0x01, 0xA0, 0x0F];
        for text in [
            "01A00F",
            "01 a0 0f",
            "01:A0:0F",
            "0x01, 0xA0, 0x0f",
            "0x01A00F",
            " 01-a0_0F\n",
            "01;A0,,0F",
        ] {
            assert_eq!(hex(text), Ok(bytes.clone()), "{text}");
        }
        assert_eq!(hex(""), Ok(vec![]));
        assert_eq!(hex(" , "), Ok(vec![]));
    }

    #[test]
    fn wrong_hex_is_pointed_at() {
        for (text, at, found) in [
            ("01 3G", 3, "3G"),
            ("01A03G05", 4, "3G"),
            ("é", 0, "é"),
            ("0x", 0, "0x"),
            ("hello", 0, "he"),
            ("0x01 0xZZ", 7, "ZZ"),
        ] {
            let error = hex(text).unwrap_err();
            assert_eq!(
                error,
                EncodeError::NotHex {
                    found: found.to_owned(),
                    at
                },
                "{text}"
            );
        }
        let half = hex("01 f").unwrap_err();
        assert_eq!(
            half.to_string(),
            "\"F\" at character 4 is half a byte. Write it as 0F."
        );
        assert_eq!(hex("01A").unwrap_err().at(), Some(2));
    }

    #[test]
    fn text_is_its_utf8() {
        assert_eq!(text("é"), [0xC3, 0xA9]);
    }

    #[test]
    fn integers_are_written_in_their_order() {
        for (typed, name, bytes) in [
            ("255", "u8", vec![255]),
            ("0xff", "u8", vec![255]),
            ("0b101", "u8", vec![5]),
            ("-128", "i8", vec![0x80]),
            ("\u{2212}1", "i24be", vec![0xFF; 3]),
            ("1000", "u16le", vec![0xE8, 0x03]),
            ("1_000", "u16be", vec![0x03, 0xE8]),
            (" +7 ", "i32be", vec![0, 0, 0, 7]),
            ("18446744073709551615", "u64le", vec![0xFF; 8]),
            (
                "-9223372036854775808",
                "i64be",
                vec![0x80, 0, 0, 0, 0, 0, 0, 0],
            ),
        ] {
            assert_eq!(as_number(typed, name), Ok(bytes), "{typed} {name}");
        }
    }

    #[test]
    fn floats_are_written_in_their_order() {
        assert_eq!(
            as_number("0.1", "f32le"),
            Ok(0.1_f32.to_le_bytes().to_vec())
        );
        assert_eq!(
            as_number("\u{2212}1e-3", "f64be"),
            Ok((-1e-3_f64).to_be_bytes().to_vec())
        );
        assert_eq!(
            as_number("-inf", "f32be"),
            Ok(f32::NEG_INFINITY.to_be_bytes().to_vec())
        );
        assert!(as_number("NaN", "f64le").is_ok());
    }

    #[test]
    fn what_does_not_fit_is_told_what_would() {
        for (typed, name, sentence) in [
            ("300", "u8", "300 does not fit u8, which holds 0 to 255."),
            ("-1", "u8", "-1 does not fit u8, which holds 0 to 255."),
            (
                "0x80",
                "i8",
                "0x80 does not fit i8, which holds \u{2212}128 to 127.",
            ),
            (
                "18446744073709551616",
                "u64le",
                "18446744073709551616 does not fit u64le, which holds 0 to 18446744073709551615.",
            ),
            (
                "9999999999999999999999999999999999999999999",
                "u16be",
                "99999999999999999999999… does not fit u16be, which holds 0 to 65535.",
            ),
            (
                "2.5",
                "u8",
                "2.5 is not a whole number. u8 holds whole numbers from 0 to 255.",
            ),
            (
                "1e300",
                "f32le",
                "1e300 does not fit f32le, which holds \u{2212}3.4028235e38 to 3.4028235e38.",
            ),
            (
                "1e999",
                "f64le",
                "1e999 does not fit f64le, which holds \u{2212}1.7976931348623157e308 to 1.7976931348623157e308.",
            ),
        ] {
            assert_eq!(as_number(typed, name), Err(sentence.to_owned()));
        }
    }

    #[test]
    fn what_is_no_number_is_pointed_at() {
        for (typed, name, at) in [
            ("12x", "u8", 2),
            (" 1 2", "u8", 2),
            ("0xG", "u8", 2),
            ("0b12", "u8", 3),
            ("_1", "u8", 0),
            ("2,5", "f32le", 1),
            ("1.2.3", "f32le", 4),
            ("abc", "f64le", 0),
            ("--1", "i8", 1),
        ] {
            let error = number(typed, name.parse().unwrap()).unwrap_err();
            assert_eq!(error.at(), Some(at), "{typed}: {error}");
        }
        assert_eq!(as_number("12x", "u8"), Err("\"x\" at character 3 does not belong in a number here. Write it like 42, 0x2A or 0b101.".to_owned()));
        for empty in ["", "  ", "-", "0x"] {
            let sentence = as_number(empty, "i8").unwrap_err();
            assert_eq!(
                sentence,
                "There is no number yet. Type one, such as 42, \u{2212}7, 0x2A or 0b101."
            );
        }
        assert!(as_number("", "f32le").is_err());
    }

    proptest! {
        #[test]
        fn hex_reads_what_hex_writes(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let text: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
            prop_assert_eq!(hex(&text), Ok(bytes));
        }

        #[test]
        fn integers_read_back(value in any::<i64>()) {
            let bytes = number(&value.to_string(), "i64be".parse().unwrap()).unwrap();
            prop_assert_eq!(bytes, value.to_be_bytes());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,24}", which in 0_usize..4) {
            let name = ["u8", "i64le", "f32be", "f64le"][which];
            let _read = number(&text, name.parse().unwrap());
            if let Err(error) = hex(&text) {
                prop_assert!(error.at().is_some_and(|at| at < text.chars().count()));
            }
        }
    }
}
