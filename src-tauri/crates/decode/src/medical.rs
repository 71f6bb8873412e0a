//! The decimal floats of IEEE 11073-20601: SFLOAT in 16 bits and FLOAT in 32.
//!
//! A signed exponent of ten sits above a signed mantissa, and five mantissas say why there is no
//! number. GATT calls them medfloat16 and medfloat32.

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
                _ if mantissa == end - 1 => return Self::Special("not a number", f64::NAN),
                _ if mantissa == end - 2 => return Self::Special("+infinity", f64::INFINITY),
                _ if mantissa == -end => return Self::Special("not at this resolution", f64::NAN),
                _ if mantissa == 1 - end => return Self::Reserved,
                _ if mantissa == 2 - end => {
                    return Self::Special("\u{2212}infinity", f64::NEG_INFINITY);
                }
                _ => {}
            }
        }
        let power = exponent + i32::from(shift);
        let mantissa = f64::from(mantissa);
        // Dividing by a whole power of ten gives the float nearest to the decimal.
        Self::Number(if power < 0 {
            mantissa / 10_f64.powi(-power)
        } else {
            mantissa * 10_f64.powi(power)
        })
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
        assert!(matches!(
            Medical::long(&[0x00, 0x00, 0x80, 0x00], 0),
            Some(Medical::Special("not at this resolution", _))
        ));
    }
}
