//! One decoded field: what it is called, what it says, and which bytes say so.
//!
//! Layouts, SIG formats and whatever comes later give the same [`Field`]s, so that a screen treats
//! all of them alike. Fields borrow from the format and from the bytes: decoding allocates nothing.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::{Range, RangeInclusive};

use crate::advertisement;
use crate::clean;
use crate::medical::Medical;
use crate::number::{Linear, Raw};

/// Characters of a text field that [`Field`]'s `Display` shows.
const SHOWN_TEXT: usize = 64;
/// Bytes of a hex field that [`Field`]'s `Display` shows.
const SHOWN_BYTES: usize = 32;

/// One decoded field of a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<'a> {
    /// What it is called. From a layout that somebody sent, it is within the grammar of names.
    pub name: &'a str,
    /// Which sample of a group that repeats, from 0.
    pub sample: Option<usize>,
    /// Which element of an array, from 0.
    pub element: Option<usize>,
    /// What the bytes hold, before scale and offset.
    pub value: Value<'a>,
    /// The unit of [`Field::number`].
    pub unit: Option<&'a str>,
    /// The bytes that it came from, always within the value. Bit fields may share bytes; of a
    /// missing field, the bytes that are there.
    pub range: Range<usize>,
    /// The bits that it came from, of `range` read as an integer in the format's byte order.
    pub bits: Option<RangeInclusive<u8>>,
    /// What the layout uses it for.
    pub role: Option<Role>,
    /// What this value stands for, where the format names it: `Chest`, `not known`.
    pub meaning: Option<&'a str>,
    /// What is wrong with it, when something is. What could be read is in `value` all the same.
    pub fault: Option<Fault>,
    /// Whether `meaning` says that there is no number, only the reason why.
    pub(crate) void: bool,
    /// Whether other numbers have the same `meaning`, so that this one stands beside it.
    pub(crate) numbered: bool,
    pub(crate) linear: Linear,
    pub(crate) shown: Shown,
    /// Names of bits, where its bits have names; otherwise none.
    pub(crate) flags: &'a [(u8, Box<str>)],
}

/// Why a field is not what its format allows.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The value ended within the field or before it.
    CutShort {
        /// Bytes of the field that are there.
        has: usize,
        /// Bytes that it takes at least.
        needs: usize,
    },
    /// A number, or bits, that the specification keeps for later.
    Reserved,
    /// A number outside the range that the format allows; both ends, in the field's unit, are
    /// within it.
    OutOfRange {
        /// The smallest allowed.
        least: f64,
        /// The largest allowed.
        most: f64,
    },
    /// Text that is not UTF-8.
    NotUtf8 {
        /// Bytes of the text before the first one that does not fit.
        valid: usize,
    },
    /// Text that is not UTF-16: a lone surrogate, or half a unit.
    NotUtf16 {
        /// Bytes of the text before the first one that does not fit.
        valid: usize,
    },
    /// Text that should end with a zero byte and does not.
    Unterminated,
    /// A day or a time of day that does not exist.
    NoSuchTime,
    /// Not the constant that the format expects here.
    NotConstant {
        /// What should stand there.
        expected: i128,
    },
    /// A record that says to be shorter than its own fixed part, or longer than the value.
    RecordLength,
}

impl Fault {
    /// That of text which is not UTF-8.
    pub(crate) fn of_text(text: &[u8]) -> Option<Self> {
        let valid = std::str::from_utf8(text).err()?.valid_up_to();
        Some(Self::NotUtf8 { valid })
    }

    /// That of text which is not little-endian UTF-16.
    pub(crate) fn of_utf16(text: &[u8]) -> Option<Self> {
        let mut valid = 0;
        for read in utf16(text) {
            match read {
                Ok(character) => valid += 2 * character.len_utf16(),
                Err(_) => return Some(Self::NotUtf16 { valid }),
            }
        }
        (valid < text.len()).then_some(Self::NotUtf16 { valid })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort { has: 0, .. } => f.write_str("missing"),
            Self::CutShort { has, needs } => write!(f, "cut short: {has} of {needs} bytes"),
            Self::Reserved => f.write_str("reserved"),
            Self::OutOfRange { least, most } => {
                f.write_str("outside ")?;
                float(f, *least)?;
                f.write_str(" to ")?;
                float(f, *most)
            }
            Self::NotUtf8 { valid } => write!(f, "not UTF-8 from byte {valid} on"),
            Self::NotUtf16 { valid } => write!(f, "not UTF-16 from byte {valid} on"),
            Self::Unterminated => f.write_str("no zero byte at the end"),
            Self::NoSuchTime => f.write_str("no such time"),
            Self::NotConstant { expected } if *expected > 9 => write!(f, "not 0x{expected:02X}"),
            Self::NotConstant { expected } => {
                write!(f, "not {}{}", minus(*expected < 0), expected.unsigned_abs())
            }
            Self::RecordLength => f.write_str("impossible length"),
        }
    }
}

/// How the value of a field is written, where that is not plain.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(crate) enum Shown {
    /// By its type.
    #[default]
    Plain,
    /// A number of this many hex digits.
    Hex(u8),
    /// An integer, with this power of ten.
    Power(i8),
    /// A float with at most this many significant digits.
    Significant(u8),
    /// Days since 1970-01-01, as a date.
    Days,
    /// Seconds since 00:00:00 of a day that is this many days from 1970-01-01, as date and time.
    Seconds(i32),
    /// Bytes that are a UUID in GATT's order.
    Uuid,
    /// Bytes that are a UUID, most significant first.
    UuidBig,
    /// Six bytes that are a device address, least significant first.
    Address,
    /// The same, most significant first.
    AddressBig,
    /// Bytes that are an IP address, version 4 or 6 by their number.
    Ip,
    /// Bytes as hex digits without gaps, an identifier.
    Id,
    /// The first two bytes and the last of such an identifier.
    Brief,
    /// A URL as Eddystone shortens it.
    EddystoneUrl,
    /// A URI as an AD structure shortens it.
    Uri,
    /// Bytes that are text in little-endian UTF-16.
    Utf16,
}

/// The characters of little-endian UTF-16; half a unit at the end is left.
fn utf16(text: &[u8]) -> impl Iterator<Item = Result<char, std::char::DecodeUtf16Error>> {
    let units = text.chunks_exact(2).map(|pair| match *pair {
        [low, high] => u16::from_le_bytes([low, high]),
        _ => 0,
    });
    char::decode_utf16(units)
}

/// What the bytes of a field hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// An integer as transmitted, before scale and offset.
    Int(i128),
    /// A float as transmitted; the narrow one is shown with fewer digits.
    Single(f32),
    /// A float as transmitted. May be infinite or NaN.
    Float(f64),
    /// A truth value: any bit set.
    Bool(bool),
    /// Text as transmitted: claims to be UTF-8, may be anything. Clean it before showing it.
    Text(&'a [u8]),
    /// Bytes without further meaning.
    Bytes(&'a [u8]),
    /// A day, or a day and a time.
    Time(DateTime),
    /// The value ended before this field.
    Missing,
}

impl From<Raw> for Value<'_> {
    fn from(raw: Raw) -> Self {
        match raw {
            Raw::Unsigned(value) => Self::Int(value.into()),
            Raw::Signed(value) => Self::Int(value.into()),
            Raw::Single(value) => Self::Single(value),
            Raw::Double(value) => Self::Float(value),
        }
    }
}

/// A date, maybe with a time of day, as transmitted: Gregorian, in whatever zone the format says.
///
/// A year, month or day of 0 is not known. Nothing else is promised: a device may send month 13,
/// which the field then has as its [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// 1582 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Hours, minutes and seconds; `None` where the format has a date alone.
    pub time: Option<(u8, u8, u8)>,
}

impl DateTime {
    /// Whether such a day and time can be, as far as they are known.
    #[must_use]
    pub const fn exists(&self) -> bool {
        let days = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if self.year == 0 || is_leap(self.year) => 29,
            2 => 28,
            _ => 31,
        };
        let time = match self.time {
            Some((hours, minutes, seconds)) => hours < 24 && minutes < 60 && seconds < 60,
            None => true,
        };
        let year = self.year == 0 || (self.year >= 1582 && self.year <= 9999);
        year && self.month <= 12 && self.day <= days && time
    }
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// `2024-05-01 12:30:00`; `?` for what is not known.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.year {
            0 => f.write_str("????")?,
            year => write!(f, "{year:04}")?,
        }
        for part in [self.month, self.day] {
            match part {
                0 => f.write_str("-??")?,
                part => write!(f, "-{part:02}")?,
            }
        }
        match self.time {
            Some((hours, minutes, seconds)) => {
                write!(f, " {hours:02}:{minutes:02}:{seconds:02}")
            }
            None => Ok(()),
        }
    }
}

/// What a field is for, beside its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A counter that rises by the same step with every value, and so finds loss.
    Count,
    /// The device's clock, in milliseconds.
    Milliseconds,
    /// The device's clock, in microseconds.
    Microseconds,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "count",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
        })
    }
}

/// What decoding left over.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rest {
    /// Bytes after the last field that no field took; empty when there are none.
    pub extra: Range<usize>,
    /// Fields (array elements each) that the value was too short for.
    pub missing: usize,
}

impl<'a> Field<'a> {
    /// A field without unit, scale, role or special meaning.
    pub(crate) fn plain(name: &'a str, value: Value<'a>, range: Range<usize>) -> Self {
        Self {
            name,
            sample: None,
            element: None,
            value,
            unit: None,
            range,
            bits: None,
            role: None,
            meaning: None,
            fault: None,
            void: false,
            numbered: false,
            linear: Linear::IDENTITY,
            shown: Shown::Plain,
            flags: &[],
        }
    }

    /// Takes what an IEEE 11073 float says; nothing of one that is not there.
    pub(crate) fn decimal(&mut self, read: Option<Medical>) {
        let (value, meaning) = match read {
            Some(Medical::Number(number)) => (number, None),
            Some(Medical::Special(meaning, like)) => (like, Some(meaning)),
            Some(Medical::Reserved) => {
                self.fault = Some(Fault::Reserved);
                (f64::NAN, Some("reserved"))
            }
            None => return,
        };
        self.value = Value::Float(value);
        self.void = meaning.is_some();
        self.meaning = meaning;
    }

    /// The number that is meant, in [`Field::unit`]: after scale and offset.
    ///
    /// `None` for text and bytes, for what is missing, and where the format says that a value
    /// stands for "not known". A float that the device sent as NaN or infinite is handed on as
    /// such: it is what was transmitted, and drawing decides what to do with it.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        if self.void {
            return None;
        }
        let raw = match self.value {
            Value::Int(value) => value as f64,
            Value::Single(value) => f64::from(value),
            Value::Float(value) => value,
            Value::Bool(value) => f64::from(u8::from(value)),
            Value::Text(_) | Value::Bytes(_) | Value::Time(_) | Value::Missing => return None,
        };
        Some(self.linear.apply(raw))
    }

    /// Of a bit that is set, its name as what it says.
    pub(crate) fn name_if_set(self) -> Option<Self> {
        let name = Value::Text(self.name.as_bytes());
        (self.value == Value::Bool(true)).then(|| Self::plain(self.name, name, self.range))
    }

    /// The value as a person reads it, without the unit.
    #[must_use]
    pub const fn bare(&self) -> Bare<'_, 'a> {
        Bare(self)
    }

    /// The name with the sample and the element, such as `acc[0]`.
    #[must_use]
    pub fn label(&self) -> Label<'a> {
        Label {
            name: self.name,
            sample: self.sample,
            element: self.element,
        }
    }
}

/// The name of a field with its sample and element. See [`Field::label`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label<'a> {
    name: &'a str,
    sample: Option<usize>,
    element: Option<usize>,
}

impl<'a> Label<'a> {
    pub(crate) const fn new(name: &'a str, element: Option<usize>) -> Self {
        Self {
            name,
            sample: None,
            element,
        }
    }
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        for index in [self.sample, self.element].into_iter().flatten() {
            write!(f, "[{index}]")?;
        }
        Ok(())
    }
}

/// The value as a person reads it, with its unit: `23.74 °C`, `Chest`, `missing`.
///
/// Text is cleaned and long ones are cut; a minus is the real minus sign.
impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bare().fmt(f)?;
        match self.unit {
            Some(unit) if self.meaning.is_none() && self.value.is_number() => write!(f, " {unit}"),
            _ => Ok(()),
        }
    }
}

impl Value<'_> {
    /// Whether it is an integer or a float.
    const fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Single(_) | Self::Float(_))
    }
}

/// The value of a field without its unit. See [`Field::bare`].
#[derive(Clone, Copy, Debug)]
pub struct Bare<'f, 'a>(&'f Field<'a>);

impl fmt::Display for Bare<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(field) = self;
        if let Some(meaning) = field.meaning {
            f.write_str(meaning)?;
            return match (field.numbered, field.value) {
                (true, Value::Int(value)) => write!(f, " (0x{value:04X})"),
                _ => Ok(()),
            };
        }
        if let (Value::Int(value), [_, ..]) = (field.value, field.flags) {
            return flags(f, value, field.flags);
        }
        let number = || field.number().unwrap_or(f64::NAN);
        match (field.shown, field.value) {
            (Shown::Plain, _) => {}
            (Shown::Hex(digits), Value::Int(value)) => {
                return write!(f, "0x{value:0digits$X}", digits = usize::from(digits));
            }
            (Shown::Power(exponent), Value::Int(value)) => return power(f, value, exponent),
            (Shown::Significant(digits), Value::Float(value)) if value.is_finite() => {
                let before = match value.abs() {
                    0.0 => 0,
                    magnitude => magnitude.log10().floor() as i32,
                };
                let decimals = i32::from(digits) - 1 - before;
                let decimals = usize::try_from(decimals).unwrap_or(0);
                return write!(f, "{}{:.decimals$}", minus(value < 0.0), value.abs());
            }
            (Shown::Days, Value::Int(days)) => return date(f, days),
            (Shown::Seconds(day), Value::Int(seconds)) => {
                let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
                date(f, i128::from(day) + days)?;
                let (hours, minutes) = (second / 3600, second / 60 % 60);
                return write!(f, " {hours:02}:{minutes:02}:{:02}", second % 60);
            }
            (Shown::Uuid, Value::Bytes(bytes)) => return uuid(f, bytes),
            (Shown::UuidBig, Value::Bytes(bytes)) => return uuid_big(f, bytes),
            (Shown::Address, Value::Bytes(bytes)) => return address(f, bytes.iter().rev()),
            (Shown::AddressBig, Value::Bytes(bytes)) => return address(f, bytes.iter()),
            (Shown::Ip, Value::Bytes(bytes)) => return ip(f, bytes),
            (Shown::Id, Value::Bytes(bytes)) => return digits(f, bytes),
            (Shown::Brief, Value::Bytes([first, second, .., last])) => {
                return write!(f, "{first:02x}{second:02x}…{last:02x}");
            }
            (Shown::EddystoneUrl, Value::Bytes(bytes)) => {
                return advertisement::EddystoneUrl(bytes).fmt(f);
            }
            (Shown::Uri, Value::Bytes(bytes)) => {
                return advertisement::Uri(bytes).fmt(f);
            }
            (Shown::Utf16, Value::Bytes(bytes)) => {
                let read = |read: Result<char, _>| read.unwrap_or(char::REPLACEMENT_CHARACTER);
                let text: String = utf16(bytes).map(read).collect();
                return f.write_str(&clean::text(&text, SHOWN_TEXT));
            }
            _ => {}
        }
        match field.value {
            Value::Missing => f.write_str("missing"),
            Value::Time(time) => time.fmt(f),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Text(text) => f.write_str(&clean::bytes(text, SHOWN_TEXT)),
            Value::Bytes(bytes) => hex(f, bytes),
            Value::Int(value) => field.linear.shown(value).fmt(f),
            Value::Single(value) if field.linear.is_identity() => float(f, value),
            Value::Single(_) => float(f, number() as f32),
            Value::Float(_) => float(f, number()),
        }
    }
}

const fn minus(negative: bool) -> &'static str {
    if negative { "\u{2212}" } else { "" }
}

/// The names of the bits that are set, and the numbers of those without a name.
fn flags(f: &mut fmt::Formatter<'_>, value: i128, names: &[(u8, Box<str>)]) -> fmt::Result {
    if value == 0 {
        return f.write_str("none");
    }
    let mut gap = "";
    for bit in (0..64_u8).filter(|bit| value >> bit & 1 == 1) {
        match names.iter().find(|(named, _)| *named == bit) {
            Some((_, name)) => write!(f, "{gap}{name}")?,
            None => write!(f, "{gap}bit {bit}")?,
        }
        gap = ", ";
    }
    Ok(())
}

/// The shortest digits that read back as the same float; very small and large ones with exponent.
fn float<T>(f: &mut fmt::Formatter<'_>, number: T) -> fmt::Result
where
    T: Copy + Into<f64> + fmt::Display + fmt::LowerExp + std::ops::Neg<Output = T>,
{
    let wide: f64 = number.into();
    if wide.is_nan() {
        return f.write_str("NaN");
    }
    if wide.is_infinite() {
        return write!(f, "{}∞", minus(wide < 0.0));
    }
    let magnitude = if wide < 0.0 { -number } else { number };
    f.write_str(minus(wide < 0.0))?;
    if wide != 0.0 && !(1e-5..1e16).contains(&wide.abs()) {
        write!(f, "{magnitude:e}")
    } else {
        write!(f, "{magnitude}")
    }
}

/// All digits of `value × 10^exponent`, one of them before the point: `1.2e-19`.
fn power(f: &mut fmt::Formatter<'_>, value: i128, exponent: i8) -> fmt::Result {
    let (mut digits, mut exponent) = (value.unsigned_abs(), i32::from(exponent));
    while digits != 0 && digits.is_multiple_of(10) {
        digits /= 10;
        exponent += 1;
    }
    let Some(places) = digits.checked_ilog10() else {
        return f.write_str("0");
    };
    exponent += places as i32;
    let one = 10_u128.pow(places);
    write!(f, "{}{}", minus(value < 0), digits / one)?;
    if places > 0 {
        write!(f, ".{:0width$}", digits % one, width = places as usize)?;
    }
    write!(f, "e{exponent}")
}

/// The day that is `days` after 1970-01-01, by the Gregorian calendar.
fn date(f: &mut fmt::Formatter<'_>, days: i128) -> fmt::Result {
    // Years from March on, so that the leap day is the last: 146 097 days are 400 of them.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..10 => (year, month + 3),
        _ => (year + 1, month - 9),
    };
    write!(f, "{:04}-{month:02}-{day:02}", era * 400 + year)
}

/// A UUID of 2, 4 or 16 bytes, least significant first; other lengths as bytes.
fn uuid(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    if let Ok(short) = <[u8; 2]>::try_from(bytes) {
        write!(f, "0x{:04X}", u16::from_le_bytes(short))
    } else if let Ok(short) = <[u8; 4]>::try_from(bytes) {
        write!(f, "0x{:08X}", u32::from_le_bytes(short))
    } else if let Ok(long) = <[u8; 16]>::try_from(bytes) {
        write!(f, "{}", uuid::Uuid::from_u128(u128::from_le_bytes(long)))
    } else {
        hex(f, bytes)
    }
}

/// A UUID of 16 bytes, most significant first; other lengths as bytes.
fn uuid_big(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    match bytes.try_into() {
        Ok(long) => write!(f, "{}", uuid::Uuid::from_bytes(long)),
        Err(_) => hex(f, bytes),
    }
}

/// A device address from its bytes, most significant first.
fn address<'b>(f: &mut fmt::Formatter<'_>, bytes: impl Iterator<Item = &'b u8>) -> fmt::Result {
    for (at, byte) in bytes.enumerate() {
        let gap = if at == 0 { "" } else { ":" };
        write!(f, "{gap}{byte:02X}")?;
    }
    Ok(())
}

fn ip(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    if let Ok(short) = <[u8; 4]>::try_from(bytes) {
        write!(f, "{}", Ipv4Addr::from(short))
    } else if let Ok(long) = <[u8; 16]>::try_from(bytes) {
        write!(f, "{}", Ipv6Addr::from(long))
    } else {
        hex(f, bytes)
    }
}

fn digits(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes
        .iter()
        .take(SHOWN_BYTES)
        .try_for_each(|byte| write!(f, "{byte:02x}"))?;
    f.write_str(if bytes.len() > SHOWN_BYTES { "…" } else { "" })
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for (at, byte) in bytes.iter().take(SHOWN_BYTES).enumerate() {
        let gap = if at == 0 { "" } else { " " };
        write!(f, "{gap}{byte:02X}")?;
    }
    if bytes.len() > SHOWN_BYTES {
        f.write_str(" …")?;
    }
    Ok(())
}

/// One column of numbers that a format gives: what can be plotted, stored or compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The index that `columns` uses.
    pub column: usize,
    /// The name, with the element where an array gives a column per element: `acc[0]`.
    pub name: String,
    /// The unit of its numbers.
    pub unit: Option<String>,
    /// What the layout uses it for; counters and clocks are rarely worth a lane.
    pub role: Option<Role>,
    /// Whether one value can give several samples of this column, oldest first.
    pub repeats: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: Value<'_>, unit: Option<&str>, linear: Linear) -> String {
        let mut field = Field::plain("x", value, 0..0);
        field.unit = unit;
        field.linear = linear;
        field.to_string()
    }

    #[test]
    fn numbers_are_shown_with_the_digits_that_they_have() {
        let hundredth = Linear::decimal("0.01".parse().unwrap(), crate::Decimal::ZERO);
        assert_eq!(shown(Value::Int(2300), Some("°C"), hundredth), "23.00 °C");
        assert_eq!(
            shown(Value::Int(-5), Some("°C"), hundredth),
            "\u{2212}0.05 °C"
        );
        assert_eq!(shown(Value::Int(-5), None, Linear::IDENTITY), "\u{2212}5");
        assert_eq!(
            shown(Value::Single(0.1), Some("g"), Linear::IDENTITY),
            "0.1 g"
        );
        assert_eq!(
            shown(Value::Float(-1e300), None, Linear::IDENTITY),
            "\u{2212}1e300"
        );
        assert_eq!(shown(Value::Float(f64::NAN), None, Linear::IDENTITY), "NaN");
        assert_eq!(
            shown(Value::Single(f32::NEG_INFINITY), None, Linear::IDENTITY),
            "\u{2212}∞"
        );
    }

    #[test]
    fn text_and_bytes_are_cut_and_cleaned() {
        assert_eq!(
            shown(Value::Text(b"a\x1bb\0"), None, Linear::IDENTITY),
            "a\u{FFFD}b"
        );
        assert_eq!(
            shown(Value::Bytes(&[1, 0xAB]), None, Linear::IDENTITY),
            "01 AB"
        );
        assert!(shown(Value::Bytes(&[0; 99]), None, Linear::IDENTITY).ends_with(" 00 …"));
    }

    #[test]
    fn non_finite_floats_are_handed_on() {
        let field = Field::plain("x", Value::Single(f32::NAN), 0..4);
        assert!(field.number().is_some_and(f64::is_nan));
        assert_eq!(Field::plain("x", Value::Missing, 0..0).number(), None);
    }
}
