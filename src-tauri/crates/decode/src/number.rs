//! Numbers as bytes hold them, and the exact way from there to what a person reads.
//!
//! A scale is written in decimals (0.01), which binary floats cannot hold. It is therefore kept as
//! a [`Decimal`] and applied as one multiplication, one addition and one division of whole
//! numbers: 2374 × 0.01 is 23.74, not 23.740000000000002.

use std::fmt;
use std::str::FromStr;

/// How the bytes of a number are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// An integer from 0.
    Unsigned,
    /// An integer in two's complement.
    Signed,
    /// IEEE 754.
    Float,
}

/// Which byte comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endian {
    /// Least significant first, as GATT does.
    Little,
    /// Most significant first.
    Big,
}

/// The type of a number in bytes: `u8`, `i8`, `u16le` … `i64be`, `f32le` … `f64be`. Integers have
/// any number of bytes up to eight.
///
/// [`Display`](fmt::Display) and [`FromStr`] use these names, which are the layout grammar's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NumberType {
    class: Class,
    bytes: u8,
    endian: Endian,
}

impl NumberType {
    /// One unsigned byte.
    pub const U8: Self = Self::known(Class::Unsigned, 1, Endian::Little);
    /// One signed byte.
    pub const I8: Self = Self::known(Class::Signed, 1, Endian::Little);

    /// A type of `bits` (8, 16, 24 … 64; of floats 32, 64), `None` for other widths.
    ///
    /// The order of a single byte does not matter and is not kept.
    #[must_use]
    pub const fn new(class: Class, bits: u32, endian: Endian) -> Option<Self> {
        match (class, bits) {
            (Class::Unsigned | Class::Signed, 8) => Some(Self::known(class, 1, Endian::Little)),
            (Class::Unsigned | Class::Signed, 16 | 24 | 40 | 48 | 56) | (_, 32 | 64) => {
                Some(Self::known(class, (bits / 8) as u8, endian))
            }
            _ => None,
        }
    }

    /// A type whose width is known to exist.
    pub(crate) const fn known(class: Class, bytes: u8, endian: Endian) -> Self {
        Self {
            class,
            bytes,
            endian,
        }
    }

    /// Unsigned, signed or float.
    #[must_use]
    pub const fn class(self) -> Class {
        self.class
    }

    /// Which byte comes first.
    #[must_use]
    pub const fn endian(self) -> Endian {
        self.endian
    }

    /// How many bytes it takes.
    #[must_use]
    pub const fn size(self) -> usize {
        self.bytes as usize
    }

    /// How many bits it has.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.bytes as u32 * 8
    }

    /// The unsigned type of the same bytes.
    pub(crate) const fn unsigned(self) -> Self {
        Self::known(Class::Unsigned, self.bytes, self.endian)
    }

    /// The smallest and largest integer that fits; of floats that of a 64-bit integer, unused.
    pub(crate) const fn bounds(self) -> (i128, i128) {
        match self.class {
            Class::Signed => (-(1 << (self.bits() - 1)), (1 << (self.bits() - 1)) - 1),
            Class::Unsigned | Class::Float => (0, (1 << self.bits()) - 1),
        }
    }

    /// The first bytes of `from` as this type; `None` when there are too few.
    #[inline]
    pub(crate) fn read(self, from: &[u8]) -> Option<Raw> {
        let from = from.get(..self.size())?;
        // Most significant first into the low end of a word.
        let mut word = 0_u64;
        match self.endian {
            Endian::Little => {
                for &byte in from.iter().rev() {
                    word = word << 8 | u64::from(byte);
                }
            }
            Endian::Big => {
                for &byte in from {
                    word = word << 8 | u64::from(byte);
                }
            }
        }
        Some(match (self.class, self.bytes) {
            (Class::Unsigned, _) => Raw::Unsigned(word),
            (Class::Signed, _) => {
                let unused = 64 - self.bits();
                Raw::Signed((word << unused).cast_signed() >> unused)
            }
            (Class::Float, 4) => Raw::Single(f32::from_bits(word as u32)),
            (Class::Float, _) => Raw::Double(f64::from_bits(word)),
        })
    }
}

impl fmt::Display for NumberType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = match self.class {
            Class::Unsigned => 'u',
            Class::Signed => 'i',
            Class::Float => 'f',
        };
        let order = match (self.bytes, self.endian) {
            (1, _) => "",
            (_, Endian::Little) => "le",
            (_, Endian::Big) => "be",
        };
        write!(f, "{class}{}{order}", self.bits())
    }
}

/// The text is no number type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "This is not a number type. Use u8, i8, u or i with 16, 24, 32, 40, 48, 56 or 64, or f with 32 \
     or 64, followed by le or be, such as u16le."
)]
pub struct NumberTypeError;

impl FromStr for NumberType {
    type Err = NumberTypeError;

    fn from_str(text: &str) -> Result<Self, NumberTypeError> {
        let class = match text.as_bytes().first() {
            Some(b'u') => Class::Unsigned,
            Some(b'i') => Class::Signed,
            Some(b'f') => Class::Float,
            _ => return Err(NumberTypeError),
        };
        let rest = text.get(1..).ok_or(NumberTypeError)?;
        let (bits, endian) = if let Some(bits) = rest.strip_suffix("le") {
            (bits, Some(Endian::Little))
        } else if let Some(bits) = rest.strip_suffix("be") {
            (bits, Some(Endian::Big))
        } else {
            (rest, None)
        };
        let bits = match (bits, endian) {
            ("8", None) => 8,
            ("16", Some(_)) => 16,
            ("24", Some(_)) => 24,
            ("32", Some(_)) => 32,
            ("40", Some(_)) => 40,
            ("48", Some(_)) => 48,
            ("56", Some(_)) => 56,
            ("64", Some(_)) => 64,
            _ => return Err(NumberTypeError),
        };
        Self::new(class, bits, endian.unwrap_or(Endian::Little)).ok_or(NumberTypeError)
    }
}

/// A number as read, before scale and offset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Raw {
    Unsigned(u64),
    Signed(i64),
    Single(f32),
    Double(f64),
}

impl Raw {
    #[inline]
    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(value) => value as f64,
            Self::Signed(value) => value as f64,
            Self::Single(value) => f64::from(value),
            Self::Double(value) => value,
        }
    }
}

/// A decimal number with at most 15 digits, exactly: `mantissa × 10^exponent`.
///
/// Kept without trailing zeros, so that equal numbers are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i64,
    exponent: i8,
}

/// Largest power of ten, up or down, that a [`Decimal`] has; all of them are exact as `f64`.
const MAX_EXPONENT: i32 = 18;
/// Largest mantissa, exact as `f64`.
const MAX_MANTISSA: i64 = 999_999_999_999_999;

impl Decimal {
    /// One: a scale that changes nothing.
    pub const ONE: Self = Self {
        mantissa: 1,
        exponent: 0,
    };
    /// Zero: an offset that changes nothing.
    pub const ZERO: Self = Self {
        mantissa: 0,
        exponent: 0,
    };

    /// `mantissa × 10^exponent`; `None` beyond 15 digits or a power of 18 either way.
    #[must_use]
    pub fn new(mantissa: i64, exponent: i32) -> Option<Self> {
        let (mut mantissa, mut exponent) = (mantissa, exponent);
        if mantissa == 0 {
            return Some(Self::ZERO);
        }
        if exponent.unsigned_abs() > 60 {
            return None;
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        let fits = mantissa.unsigned_abs() <= MAX_MANTISSA.unsigned_abs()
            && (-MAX_EXPONENT..=MAX_EXPONENT).contains(&exponent);
        Some(Self {
            mantissa,
            exponent: i8::try_from(exponent).ok().filter(|_| fits)?,
        })
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// Digits after the decimal point.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        if self.exponent < 0 {
            self.exponent.unsigned_abs()
        } else {
            0
        }
    }

    /// It times ten to the power of `up`, as a float.
    fn shifted(self, up: u8) -> f64 {
        let power = i32::from(self.exponent) + i32::from(up);
        let mantissa = self.mantissa as f64;
        if power < 0 {
            mantissa / 10_f64.powi(-power)
        } else {
            mantissa * 10_f64.powi(power)
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_negative() {
            f.write_str("-")?;
        }
        let digits = self.mantissa.unsigned_abs();
        match self.exponent {
            0 => write!(f, "{digits}"),
            1..=3 => write!(
                f,
                "{digits}{:0<1$}",
                "",
                self.exponent.unsigned_abs().into()
            ),
            -9..0 => {
                let point = 10_u64.pow(self.exponent.unsigned_abs().into());
                let width = usize::from(self.exponent.unsigned_abs());
                write!(f, "{}.{:0width$}", digits / point, digits % point)
            }
            exponent => write!(f, "{digits}e{exponent}"),
        }
    }
}

/// The text is no [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This is not a decimal number of at most 15 digits. Write it like 0.01, 40 or 1e-6.")]
pub struct DecimalError;

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, digits) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (digits, power) = match digits.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, power.parse::<i8>().map_err(|_| DecimalError)?),
            None => (digits, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let digit = |c: char| c.is_ascii_digit();
        let points = digits.contains('.');
        if whole.is_empty() || (points && fraction.is_empty()) {
            return Err(DecimalError);
        }
        if !whole.chars().all(digit) || !fraction.chars().all(digit) || fraction.len() > 40 {
            return Err(DecimalError);
        }
        let fraction = fraction.trim_end_matches('0');
        let mut mantissa = 0_i64;
        for digit in whole.bytes().chain(fraction.bytes()) {
            mantissa = mantissa
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(i64::from(digit - b'0')))
                .ok_or(DecimalError)?;
        }
        let exponent = i32::from(power) - i32::try_from(fraction.len()).unwrap_or(i32::MAX);
        Self::new(if negative { -mantissa } else { mantissa }, exponent).ok_or(DecimalError)
    }
}

/// From the number in the bytes to the one that is meant: `(raw × multiply + add) / divide`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Linear {
    multiply: f64,
    add: f64,
    divide: f64,
    decimals: u8,
}

impl Linear {
    /// The number itself.
    pub(crate) const IDENTITY: Self = Self::ratio(1.0, 1.0, 0);

    /// `raw × multiply / divide`, shown with `decimals`.
    pub(crate) const fn ratio(multiply: f64, divide: f64, decimals: u8) -> Self {
        Self {
            multiply,
            add: 0.0,
            divide,
            decimals,
        }
    }

    /// The same, with this added before it is divided.
    pub(crate) const fn plus(mut self, add: f64) -> Self {
        self.add = add;
        self
    }

    /// `raw × scale + offset`, over the common denominator of both.
    pub(crate) fn decimal(scale: Decimal, offset: Decimal) -> Self {
        let decimals = scale.decimals().max(offset.decimals());
        Self {
            multiply: scale.shifted(decimals),
            add: offset.shifted(decimals),
            divide: 10_f64.powi(decimals.into()),
            decimals,
        }
    }

    pub(crate) fn is_identity(&self) -> bool {
        *self == Self::IDENTITY
    }

    /// How much one more of `raw` makes, to the last digit: a difference of two numbers loses them.
    pub(crate) fn slope(&self) -> f64 {
        self.multiply / self.divide
    }

    #[inline]
    pub(crate) fn apply(&self, raw: f64) -> f64 {
        (raw * self.multiply + self.add) / self.divide
    }

    /// The way back from `mantissa × 10^exponent`: the largest integer that means no more, and
    /// whether it means just that. (With a negative scale, that means no less.) `None` where
    /// whole numbers of 128 bits do not suffice.
    pub(crate) fn invert(&self, mantissa: i128, exponent: i32) -> Option<(i128, bool)> {
        let (over, under) = self.fraction(mantissa, exponent)?;
        let floor = over.checked_div_euclid(under)?;
        Some((floor, over.checked_rem_euclid(under)? == 0))
    }

    /// The way back from `mantissa × 10^exponent` in decimals, as mantissa and exponent; `None`
    /// where they have no end or are too many.
    pub(crate) fn invert_decimal(&self, mantissa: i128, exponent: i32) -> Option<(i128, i32)> {
        let (mut over, under) = self.fraction(mantissa, exponent)?;
        for power in 0..20 {
            if over.checked_rem(under)? == 0 {
                return Some((over / under, -power));
            }
            over = over.checked_mul(10)?;
        }
        None
    }

    /// What means `mantissa × 10^exponent`, as a fraction whose lower part is positive.
    fn fraction(&self, mantissa: i128, exponent: i32) -> Option<(i128, i128)> {
        let [multiply, add, divide] = self.whole()?;
        let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
        let (up, down) = if exponent < 0 { (1, power) } else { (power, 1) };
        // Mostly both are powers of ten.
        let common = common_divisor(divide, down);
        let (divide, down) = (divide.checked_div(common)?, down.checked_div(common)?);
        let over = mantissa.checked_mul(up)?.checked_mul(divide)?;
        let over = over.checked_sub(add.checked_mul(down)?)?;
        let under = multiply.checked_mul(down)?;
        Some(match under < 0 {
            true => (-over, -under),
            false => (over, under),
        })
    }

    /// Its parts as whole numbers, if they are some.
    fn whole(&self) -> Option<[i128; 3]> {
        let whole = |part: f64| {
            (part.fract() == 0.0 && part.abs() < 2_f64.powi(100)).then_some(part as i128)
        };
        Some([whole(self.multiply)?, whole(self.add)?, whole(self.divide)?])
    }

    /// An integer as a person reads it: with the digits that it has, not those of the nearest float.
    pub(crate) const fn shown(self, raw: i128) -> ShownInteger {
        ShownInteger { linear: self, raw }
    }

    /// What `raw` means, as a whole number of the last of the decimals that are shown, and how many
    /// of them are one; `None` where it is not whole, or 128 bits do not suffice.
    fn exact(&self, raw: i128) -> Option<(i128, i128)> {
        let [multiply, add, divide] = self.whole()?;
        let one = 10_i128.checked_pow(self.decimals.into())?;
        let steps = raw.checked_mul(multiply)?.checked_add(add)?;
        (divide == one).then_some((steps, one))
    }

    /// The way back as near as floats come.
    pub(crate) fn unapply(&self, number: f64) -> f64 {
        (number * self.divide - self.add) / self.multiply
    }
}

fn common_divisor(mut one: i128, mut other: i128) -> i128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// See [`Linear::shown`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShownInteger {
    linear: Linear,
    raw: i128,
}

impl fmt::Display for ShownInteger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = usize::from(self.linear.decimals);
        let minus = |negative| if negative { "\u{2212}" } else { "" };
        if let Some((steps, one)) = self.linear.exact(self.raw) {
            let (sign, steps) = (minus(steps < 0), steps.unsigned_abs());
            let (before, after) = (steps / one.unsigned_abs(), steps % one.unsigned_abs());
            return match decimals {
                0 => write!(f, "{sign}{before}"),
                _ => write!(f, "{sign}{before}.{after:0decimals$}"),
            };
        }
        let number = self.linear.apply(self.raw as f64);
        // What is rounded to zero is not below it.
        let below = number * 10_f64.powi(self.linear.decimals.into()) <= -0.5;
        write!(f, "{}{:.decimals$}", minus(below), number.abs())
    }
}

/// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. Every one is exact as `f32`.
pub(crate) fn binary16(word: u16) -> f32 {
    let sign = u32::from(word & 0x8000) << 16;
    let exponent = u32::from(word >> 10 & 0x1F);
    let fraction = u32::from(word & 0x3FF);
    match exponent {
        0 => {
            let small = fraction as f32 / 16_777_216.0;
            f32::from_bits(small.to_bits() | sign)
        }
        0x1F => f32::from_bits(sign | 0x7F80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ty(name: &str) -> NumberType {
        name.parse().unwrap()
    }

    #[test]
    fn every_type_has_one_name() {
        for name in [
            "u8", "i8", "u16le", "u16be", "i16le", "u24le", "i24be", "u32le", "i32be", "u40le",
            "i48be", "u56le", "u64le", "i64be", "f32le", "f32be", "f64le", "f64be",
        ] {
            assert_eq!(ty(name).to_string(), name);
        }
        for name in [
            "", "u", "u16", "u8le", "f16le", "f24le", "u12le", "x8", "u016le", "ü8", "U8",
        ] {
            assert_eq!(name.parse::<NumberType>(), Err(NumberTypeError), "{name}");
        }
    }

    #[test]
    fn bytes_are_read_in_their_order_with_their_sign() {
        assert_eq!(ty("u16le").read(&[1, 2]), Some(Raw::Unsigned(0x0201)));
        assert_eq!(ty("u16be").read(&[1, 2]), Some(Raw::Unsigned(0x0102)));
        assert_eq!(ty("i8").read(&[0xFF]), Some(Raw::Signed(-1)));
        assert_eq!(
            ty("i24le").read(&[0, 0, 0x80]),
            Some(Raw::Signed(-8_388_608))
        );
        assert_eq!(ty("u24be").read(&[1, 0, 0]), Some(Raw::Unsigned(65536)));
        assert_eq!(ty("u64le").read(&[0xFF; 8]), Some(Raw::Unsigned(u64::MAX)));
        assert_eq!(ty("i64be").read(&[0xFF; 8]), Some(Raw::Signed(-1)));
        let third = 1.0_f32 / 3.0;
        assert_eq!(
            ty("f32be").read(&third.to_be_bytes()),
            Some(Raw::Single(third))
        );
        assert_eq!(
            ty("f64le").read(&0.1_f64.to_le_bytes()),
            Some(Raw::Double(0.1))
        );
    }

    #[test]
    fn too_few_bytes_are_no_number() {
        assert_eq!(ty("u32le").read(&[1, 2, 3]), None);
        assert_eq!(NumberType::U8.read(&[]), None);
    }

    #[test]
    fn decimal_scales_give_decimal_results() {
        let hundredth = Linear::decimal("0.01".parse().unwrap(), Decimal::ZERO);
        for raw in -40_000_i32..40_000 {
            let text = format!(
                "{}{}.{:02}",
                if raw < 0 { "-" } else { "" },
                raw.abs() / 100,
                raw.abs() % 100
            );
            assert_eq!(hundredth.apply(raw.into()), text.parse::<f64>().unwrap());
        }
        let both = Linear::decimal("0.1".parse().unwrap(), "-273.15".parse().unwrap());
        assert_eq!(both.apply(2981.0), 24.95);
        assert_eq!(both.decimals, 2);
    }

    #[test]
    fn decimals_are_read_and_written() {
        for (text, shown) in [
            ("0.010", "0.01"),
            ("40", "40"),
            ("-1.50", "-1.5"),
            ("\u{2212}3", "-3"),
            ("1e3", "1000"),
            ("1E-6", "0.000001"),
            ("12e12", "12e12"),
            ("1e-12", "1e-12"),
            ("0.0", "0"),
            ("007", "7"),
        ] {
            assert_eq!(
                text.parse::<Decimal>().unwrap().to_string(),
                shown,
                "{text}"
            );
        }
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1e",
            "1e99",
            "0x10",
            "1.2.3",
            "1e-30",
            "1234567890123456",
            "+1",
            "NaN",
        ] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_decimal_reads_back(mantissa in -MAX_MANTISSA..=MAX_MANTISSA, exponent in -18_i32..=18) {
            if let Some(decimal) = Decimal::new(mantissa, exponent) {
                prop_assert_eq!(decimal.to_string().parse::<Decimal>(), Ok(decimal));
            }
        }
    }
}
