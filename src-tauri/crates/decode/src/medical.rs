//! The decimal floats of IEEE 11073-20601: SFLOAT in 16 bits and FLOAT in 32.
//!
//! A signed exponent of ten sits above a signed mantissa, and five mantissas say why there is no
//! number. GATT calls them medfloat16 and medfloat32.

use std::fmt::{self, Write as _};

use crate::encode::{self, Misfit, TypedDecimal};

const NOT_A_NUMBER: &str = "not a number";
const NOT_AT_RESOLUTION: &str = "not at this resolution";
const INFINITY: &str = "+infinity";
const MINUS_INFINITY: &str = "\u{2212}infinity";

/// What special values are called.
pub(crate) const WORDS: [&str; 4] = [NOT_A_NUMBER, NOT_AT_RESOLUTION, INFINITY, MINUS_INFINITY];

/// What such a float says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Medical {
    /// The decimal number, as near as binary comes.
    Number(f64),
    /// A special value: what it stands for, and the closest thing among floats.
    Special(&'static str, f64),
    /// The special value that is reserved.
    Reserved,
}

impl Medical {
    /// The first two bytes as SFLOAT: 4 bits of exponent, 12 of mantissa. `shift` more powers of
    /// ten bring it from the unit that is transmitted to the one that is shown.
    pub(crate) fn short(bytes: &[u8], shift: i8) -> Option<Self> {
        let word = u16::from_le_bytes(*bytes.first_chunk()?);
        let mantissa = (word << 4).cast_signed() >> 4;
        let exponent = word.cast_signed() >> 12;
        Some(Self::of(mantissa.into(), exponent.into(), 1 << 11, shift))
    }

    /// The first four bytes as FLOAT: 8 bits of exponent, 24 of mantissa.
    pub(crate) fn long(bytes: &[u8], shift: i8) -> Option<Self> {
        let word = u32::from_le_bytes(*bytes.first_chunk()?);
        let mantissa = (word << 8).cast_signed() >> 8;
        let exponent = word.cast_signed() >> 24;
        Some(Self::of(mantissa, exponent, 1 << 23, shift))
    }

    /// `end` is the first positive mantissa that does not fit any more.
    fn of(mantissa: i32, exponent: i32, end: i32, shift: i8) -> Self {
        if exponent == 0 {
            match mantissa {
                _ if mantissa == end - 1 => return Self::Special(NOT_A_NUMBER, f64::NAN),
                _ if mantissa == end - 2 => return Self::Special(INFINITY, f64::INFINITY),
                _ if mantissa == -end => return Self::Special(NOT_AT_RESOLUTION, f64::NAN),
                _ if mantissa == 1 - end => return Self::Reserved,
                _ if mantissa == 2 - end => {
                    return Self::Special(MINUS_INFINITY, f64::NEG_INFINITY);
                }
                _ => {}
            }
        }
        let power = exponent + i32::from(shift);
        let number = f64::from(mantissa);
        // Up to 10^22 a power of ten is a whole float, and dividing by it or multiplying with it
        // gives the float nearest to the decimal.
        Self::Number(match power {
            -22..0 => number / 10_f64.powi(-power),
            0..=22 => number * 10_f64.powi(power),
            _ => far(mantissa, power),
        })
    }

    /// The bytes, 2 or 4, that say a number or one of the special words, in a unit that is
    /// 10^`shift` times finer than the one transmitted.
    ///
    /// One number has several of them: 120 is 120 × 10^0 and 12 × 10^1. This writes the exponent 0
    /// where it can, and else the fewest digits.
    pub(crate) fn write(text: &str, size: usize, shift: i8) -> Result<Vec<u8>, Misfit> {
        let (end, most_exponent) = match size {
            2 => (1_i128 << 11, 7),
            _ => (1 << 23, 127),
        };
        let shift = i32::from(shift);
        let bytes = |mantissa: i128, exponent: i32| {
            let word = exponent << (end.ilog2() + 1) | (mantissa & (2 * end - 1)) as i32;
            word.to_le_bytes().into_iter().take(size).collect()
        };
        let word = text.replacen('-', "\u{2212}", 1);
        let special = WORDS
            .iter()
            .position(|known| known.eq_ignore_ascii_case(&word));
        if let Some(special) = special {
            let mantissas = [end - 1, -end, end - 2, 2 - end];
            return Ok(bytes(mantissas.get(special).copied().unwrap_or(0), 0));
        }
        let Some(TypedDecimal { mantissa, exponent }) = TypedDecimal::read(text) else {
            return Err(Misfit::NotNumber {
                found: encode::quoted(text),
                example: format!("36.6, or {}", WORDS.join(", or ")),
            });
        };
        let exponent = match mantissa {
            0 => 0,
            _ => exponent.saturating_sub(shift),
        };
        let raised = |to: i32| {
            let power = 10_i128.checked_pow(u32::try_from(exponent - to).ok()?)?;
            Some((mantissa.checked_mul(power)?, to))
        };
        let fits = |(mantissa, exponent): &(i128, i32)| {
            // At the exponent 0, the outermost mantissas are special.
            let mantissas = match exponent {
                0 => 3 - end..end - 2,
                _ => -end..end,
            };
            mantissas.contains(mantissa) && (-1 - most_exponent..=most_exponent).contains(exponent)
        };
        let ways = [raised(0), Some((mantissa, exponent)), raised(most_exponent)];
        if let Some((mantissa, exponent)) = ways.into_iter().flatten().find(fits) {
            return Ok(bytes(mantissa, exponent));
        }
        let found = encode::quoted(text);
        if mantissa.abs() < end && exponent > 0 {
            let most = most_exponent + shift;
            return Err(Misfit::OutOfRange {
                found,
                least: format!("\u{2212}{}e{most}", end - 1),
                most: format!("{}e{most}", end - 1),
            });
        }
        if mantissa.abs() < end && exponent < -1 - most_exponent {
            let least = format!("1e{}", shift - 1 - most_exponent);
            let (below, above) = match mantissa {
                ..0 => (format!("\u{2212}{least}"), "0".to_owned()),
                _ => ("0".to_owned(), least),
            };
            return Err(Misfit::Between {
                found,
                below,
                above,
            });
        }
        Err(Misfit::Digits {
            found,
            least: format!("\u{2212}{}", end - 3),
            most: format!("{}", end - 3),
        })
    }
}

/// The float nearest to `mantissa × 10^power`, by way of its digits, which are few enough to need
/// no allocation.
fn far(mantissa: i32, power: i32) -> f64 {
    let mut digits = Digits {
        text: [0; 24],
        len: 0,
    };
    // Eight digits and an exponent of three with their signs fit.
    let written = write!(digits, "{mantissa}e{power}");
    let text = digits.text.get(..digits.len).unwrap_or_default();
    let text = std::str::from_utf8(text).ok().filter(|_| written.is_ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

struct Digits {
    text: [u8; 24],
    len: usize,
}

impl fmt::Write for Digits {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let end = self.len + more.len();
        let place = self.text.get_mut(self.len..end).ok_or(fmt::Error)?;
        place.copy_from_slice(more.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        // IEEE 11073-20601, F.8: the examples of SFLOAT 11.4 and FLOAT 36.4.
        assert_eq!(
            Medical::short(&[0x72, 0xF0], 0),
            Some(Medical::Number(11.4))
        );
        assert_eq!(
            Medical::long(&[0x6C, 0x01, 0x00, 0xFF], 0),
            Some(Medical::Number(36.4))
        );
        assert_eq!(
            Medical::short(&[0xFF, 0x2F], 0),
            Some(Medical::Number(-100.0))
        );
        // 98 mg/dL as Glucose sends it, in kg/L.
        assert_eq!(
            Medical::short(&[0x62, 0xB0], 5),
            Some(Medical::Number(98.0))
        );
        assert_eq!(
            Medical::long(&[0x00, 0x3B, 0x00, 0x21], 0),
            Some(Medical::Number(1.5104e37)),
        );
        assert_eq!(
            Medical::long(&[0xFF, 0xFF, 0xFF, 0x80], 0),
            Some(Medical::Number(-1e-128)),
        );
        assert_eq!(Medical::short(&[1], 0), None);
        assert_eq!(Medical::long(&[1, 2, 3], 0), None);
    }

    #[test]
    fn special_values_are_none_but_at_exponent_zero() {
        let meaning = |bytes: [u8; 2]| match Medical::short(&bytes, 0) {
            Some(Medical::Special(meaning, _)) => meaning,
            Some(Medical::Reserved) => "reserved",
            _ => "number",
        };
        assert_eq!(meaning([0xFF, 0x07]), "not a number");
        assert_eq!(meaning([0x00, 0x08]), "not at this resolution");
        assert_eq!(meaning([0xFE, 0x07]), "+infinity");
        assert_eq!(meaning([0x02, 0x08]), "\u{2212}infinity");
        assert_eq!(meaning([0x01, 0x08]), "reserved");
        assert_eq!(meaning([0xFF, 0xF7]), "number");
        let meaning = |word: u32| match Medical::long(&word.to_le_bytes(), 0) {
            Some(Medical::Special(meaning, _)) => meaning,
            Some(Medical::Reserved) => "reserved",
            _ => "number",
        };
        assert_eq!(meaning(0x007F_FFFF), "not a number");
        assert_eq!(meaning(0x0080_0000), "not at this resolution");
        assert_eq!(meaning(0x007F_FFFE), "+infinity");
        assert_eq!(meaning(0x0080_0002), "\u{2212}infinity");
        assert_eq!(meaning(0x0080_0001), "reserved");
        assert_eq!(meaning(0x007F_FFFD), "number");
        assert_eq!(meaning(0xFF7F_FFFF), "number");
    }

    /// The table of "MDER FLOATs and SFLOATs" in the HL7 guide for personal health devices.
    ///
    /// It settles a difference: the Python package bluetooth-sig 0.6.0 reads the exponent as an
    /// unsigned number less 8 (or 128), by which 0xF014 would be 20 × 10^7. It is a number in two's
    /// complement, as the mantissa is, and 0xF014 is 2.0.
    #[test]
    fn exponents_are_in_twos_complement() {
        let number = |read| match read {
            Some(Medical::Number(number)) => number,
            other => panic!("{other:?}"),
        };
        for (word, meant) in [
            (0x0002_u16, 2.0),
            (0xF014, 2.0),
            (0xE0C8, 2.0),
            (0x1002, 20.0),
            (0x2002, 200.0),
            (0x00C8, 200.0),
            (0x04D2, 1234.0),
            (0x0B2E, -1234.0),
        ] {
            let read = Medical::short(&word.to_le_bytes(), 0);
            assert_eq!(number(read), meant, "{word:04X}");
        }
        for (word, meant) in [
            (0x0000_0002_u32, 2.0),
            (0xFF00_0014, 2.0),
            (0xFE00_00C8, 2.0),
            (0x0100_0002, 20.0),
            (0x0200_0002, 200.0),
            (0x0000_00C8, 200.0),
            (0x0000_04D2, 1234.0),
            (0x00FF_FB2E, -1234.0),
        ] {
            let read = Medical::long(&word.to_le_bytes(), 0);
            assert_eq!(number(read), meant, "{word:08X}");
        }
    }

    #[test]
    fn numbers_are_written_in_the_fewest_digits_at_exponent_0_where_they_can() {
        let short = |text: &str, shift| Medical::write(text, 2, shift).unwrap();
        assert_eq!(short("120", 0), [0x78, 0x00]);
        assert_eq!(short("11.40", 0), [0x72, 0xF0]);
        assert_eq!(short("98", 5), [0x62, 0xB0]);
        assert_eq!(short("0", 5), [0, 0]);
        assert_eq!(short("2050", 0), [0xCD, 0x10]);
        assert_eq!(short("-20480", 0), [0x00, 0x18]);
        assert_eq!(short("3e9", 0), [0x2C, 0x71]);
        assert_eq!(short("Not a number", 0), [0xFF, 0x07]);
        assert_eq!(short("-infinity", 0), [0x02, 0x08]);
        let long = |text: &str| Medical::write(text, 4, 0).unwrap();
        assert_eq!(long("36.4"), [0x6C, 0x01, 0x00, 0xFF]);
        assert_eq!(long("\u{2212}infinity"), [0x02, 0x00, 0x80, 0x00]);
        let refused = |text: &str| Medical::write(text, 2, 0).unwrap_err();
        assert!(matches!(refused("2047"), Misfit::Digits { .. }));
        assert!(matches!(refused("12.345"), Misfit::Digits { .. }));
        assert!(matches!(refused("1e11"), Misfit::OutOfRange { .. }));
        assert_eq!(
            refused("-1e-9").to_string(),
            "-1e-9 lies between \u{2212}1e-8 and 0, the nearest that it can say."
        );
        assert!(matches!(refused("1,5"), Misfit::NotNumber { .. }));
    }
}
