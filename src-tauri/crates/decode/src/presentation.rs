//! What a device itself says of a value: the Characteristic Presentation Format descriptor.
//!
//! It gives a type, a power of ten and a unit, so that a characteristic that nobody has described
//! is a number all the same. An Aggregate Format descriptor strings several of them together.
//! Core Specification, Vol 3, Part G, 3.3.3.5 and 3.3.3.6; Assigned Numbers, 2.4 for the types.

use std::fmt;
use std::str::FromStr;

use crate::field::{Fault, Field, Label, Rest, Series, Shown, Value};
use crate::medical::Medical;
use crate::number::{Class, Endian, Linear, NumberType};
use crate::units;

mod write;

/// Most digits after the decimal point that are shown; smaller numbers have an exponent.
const MOST_DECIMALS: u8 = 15;

/// The types, by the number that stands for them.
pub(crate) const FORMATS: &[(i128, &str)] = &[
    (0x01, "boolean"),
    (0x02, "uint2"),
    (0x03, "uint4"),
    (0x04, "uint8"),
    (0x05, "uint12"),
    (0x06, "uint16"),
    (0x07, "uint24"),
    (0x08, "uint32"),
    (0x09, "uint48"),
    (0x0A, "uint64"),
    (0x0B, "uint128"),
    (0x0C, "sint8"),
    (0x0D, "sint12"),
    (0x0E, "sint16"),
    (0x0F, "sint24"),
    (0x10, "sint32"),
    (0x11, "sint48"),
    (0x12, "sint64"),
    (0x13, "sint128"),
    (0x14, "float32"),
    (0x15, "float64"),
    (0x16, "medfloat16"),
    (0x17, "medfloat32"),
    (0x18, "uint16[2]"),
    (0x19, "UTF-8"),
    (0x1A, "UTF-16"),
    (0x1B, "structure"),
    (0x1C, "medASN1"),
];

/// One Characteristic Presentation Format: how the bytes of a value are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Presentation {
    /// The type (Assigned Numbers, 2.4.1), such as 0x0E for a signed 16-bit integer.
    pub format: u8,
    /// The power of ten that an integer is multiplied with.
    pub exponent: i8,
    /// The unit's 16-bit UUID (Assigned Numbers, 3.5).
    pub unit: u16,
    /// Whose `description` it is; 1 is the Bluetooth SIG.
    pub namespace: u8,
    /// Which of several such values it is, in that namespace; 0 is not known.
    pub description: u16,
}

/// How a type lies in bytes.
#[derive(Clone, Copy)]
enum Lies {
    Number(NumberType),
    /// The lowest bits of an integer; the others are padding.
    Low(NumberType, u32),
    /// 128 bits, signed or not.
    Wide(bool),
    Sfloat,
    Float,
    Bool,
    Code,
    Text,
    Wide16,
    Rest,
}

/// What distinguishes several values in the namespace of the Bluetooth SIG, from 0x0100 on:
/// Assigned Numbers, 2.4.2. Below, they are numbered.
const DESCRIPTIONS: &[&str] = &[
    "Front",
    "Back",
    "Top",
    "Bottom",
    "Upper",
    "Lower",
    "Main",
    "Backup",
    "Auxiliary",
    "Supplementary",
    "Flash",
    "Inside",
    "Outside",
    "Left",
    "Right",
    "Internal",
    "External",
];

const fn int(class: Class, bytes: u8) -> NumberType {
    NumberType::known(class, bytes, Endian::Little)
}

impl Presentation {
    /// The value of a Characteristic Presentation Format descriptor; `None` unless it has its
    /// seven bytes.
    #[must_use]
    pub fn read(descriptor: &[u8]) -> Option<Self> {
        let &[
            format,
            exponent,
            unit,
            unit_high,
            namespace,
            description,
            high,
        ] = descriptor
        else {
            return None;
        };
        Some(Self {
            format,
            exponent: exponent.cast_signed(),
            unit: u16::from_le_bytes([unit, unit_high]),
            namespace,
            description: u16::from_le_bytes([description, high]),
        })
    }

    /// The seven bytes of the descriptor.
    #[must_use]
    pub const fn bytes(self) -> [u8; 7] {
        let [unit, unit_high] = self.unit.to_le_bytes();
        let [description, high] = self.description.to_le_bytes();
        let exponent = self.exponent.cast_unsigned();
        [
            self.format,
            exponent,
            unit,
            unit_high,
            self.namespace,
            description,
            high,
        ]
    }

    const fn lies(self) -> Option<Lies> {
        use Class::{Float, Signed, Unsigned};
        Some(match self.format {
            0x01 => Lies::Bool,
            0x02 => Lies::Low(int(Unsigned, 1), 2),
            0x03 => Lies::Low(int(Unsigned, 1), 4),
            0x04 => Lies::Number(int(Unsigned, 1)),
            0x05 => Lies::Low(int(Unsigned, 2), 12),
            0x06 => Lies::Number(int(Unsigned, 2)),
            0x07 => Lies::Number(int(Unsigned, 3)),
            0x08 => Lies::Number(int(Unsigned, 4)),
            0x09 => Lies::Number(int(Unsigned, 6)),
            0x0A => Lies::Number(int(Unsigned, 8)),
            0x0B => Lies::Wide(false),
            0x0C => Lies::Number(int(Signed, 1)),
            0x0D => Lies::Low(int(Signed, 2), 12),
            0x0E => Lies::Number(int(Signed, 2)),
            0x0F => Lies::Number(int(Signed, 3)),
            0x10 => Lies::Number(int(Signed, 4)),
            0x11 => Lies::Number(int(Signed, 6)),
            0x12 => Lies::Number(int(Signed, 8)),
            0x13 => Lies::Wide(true),
            0x14 => Lies::Number(int(Float, 4)),
            0x15 => Lies::Number(int(Float, 8)),
            0x16 => Lies::Sfloat,
            0x17 => Lies::Float,
            0x18 => Lies::Code,
            0x19 => Lies::Text,
            0x1A => Lies::Wide16,
            0x1B | 0x1C => Lies::Rest,
            _ => return None,
        })
    }

    /// Whether it says a number.
    const fn is_number(self) -> bool {
        !matches!(
            self.lies(),
            None | Some(Lies::Code | Lies::Text | Lies::Wide16 | Lies::Rest)
        )
    }

    /// What its description says it is, such as `Inside`; else `Value`.
    fn name(self) -> &'static str {
        let at = usize::from(self.description).checked_sub(0x0100);
        let ours = at.filter(|_| self.namespace == 1);
        let word = ours.and_then(|at| DESCRIPTIONS.get(at));
        word.copied().unwrap_or("Value")
    }

    fn linear(self) -> Linear {
        // Assigned Numbers: of 2 and 4 bits, the exponent does not count.
        if matches!(self.format, 0x02 | 0x03) {
            return Linear::IDENTITY;
        }
        let power = 10_f64.powi(i32::from(self.exponent).abs());
        if self.exponent < 0 {
            Linear::ratio(1.0, power, self.exponent.unsigned_abs().min(MOST_DECIMALS))
        } else {
            Linear::ratio(power, 1.0, 0)
        }
    }

    /// Whether its integers are too small to be shown without an exponent.
    const fn is_small(self) -> bool {
        self.exponent < -(MOST_DECIMALS as i8) && !matches!(self.format, 0x02 | 0x03 | 0x18)
    }

    /// Bytes that it takes; `None` of what goes on to the end of the value.
    const fn size(self) -> Option<usize> {
        match self.lies() {
            Some(Lies::Number(number) | Lies::Low(number, _)) => Some(number.size()),
            Some(Lies::Bool) => Some(1),
            Some(Lies::Sfloat) => Some(2),
            Some(Lies::Float | Lies::Code) => Some(4),
            Some(Lies::Wide(_)) => Some(16),
            Some(Lies::Text | Lies::Wide16 | Lies::Rest) | None => None,
        }
    }

    /// The field that begins at `at`.
    fn field<'a>(self, bytes: &'a [u8], at: usize, element: Option<usize>) -> Field<'a> {
        let lies = self.lies();
        let left = at.min(bytes.len())..bytes.len();
        let size = self.size().unwrap_or(left.len());
        let from = bytes.get(at..at + size);
        let mut field = Field::plain(self.name(), Value::Missing, left.clone());
        field.element = element;
        field.unit = units::symbol(self.unit);
        let Some(from) = from else {
            field.fault = Some(Fault::CutShort {
                has: left.len(),
                needs: size,
            });
            return field;
        };
        field.range = at..at + size;
        field.value = Value::Bytes(from);
        match lies {
            Some(Lies::Bool) => {
                field.value = Value::Bool(from != [0]);
                field.fault = (!matches!(from, [0 | 1])).then_some(Fault::Reserved);
            }
            Some(Lies::Number(number)) => {
                if let Some(raw) = number.read(from) {
                    field.value = raw.into();
                }
                if number.class() != Class::Float {
                    field.linear = self.linear();
                }
            }
            Some(Lies::Low(number, width)) => {
                let word = match number.read(from).map(Value::from) {
                    Some(Value::Int(word)) => word,
                    _ => 0,
                };
                let low = word & ((1 << width) - 1);
                let negative = number.class() == Class::Signed && low >> (width - 1) == 1;
                let value = if negative { low - (1 << width) } else { low };
                field.value = Value::Int(value);
                // Sign bits above a negative number are no offence.
                field.fault = (word != low && word != value).then_some(Fault::Reserved);
                field.linear = self.linear();
            }
            Some(Lies::Wide(signed)) => {
                if let Ok(wide) = <[u8; 16]>::try_from(from) {
                    let int = i128::from_le_bytes(wide);
                    if signed || int >= 0 {
                        field.value = Value::Int(int);
                        field.linear = self.linear();
                    } else {
                        field.value = Value::Float(u128::from_le_bytes(wide) as f64);
                        field.linear = self.linear();
                    }
                }
            }
            Some(Lies::Sfloat) => field.decimal(Medical::short(from, 0)),
            Some(Lies::Float) => field.decimal(Medical::long(from, 0)),
            Some(Lies::Code) => {
                if let Ok(code) = <[u8; 4]>::try_from(from) {
                    field.value = Value::Int(u32::from_le_bytes(code).into());
                    field.shown = Shown::Hex(8);
                    field.unit = None;
                }
            }
            Some(Lies::Text) => {
                field.value = Value::Text(from);
                field.fault = Fault::of_text(from);
            }
            Some(Lies::Wide16) => {
                field.shown = Shown::Utf16;
                field.fault = Fault::of_utf16(from);
            }
            Some(Lies::Rest) => {}
            None => field.fault = Some(Fault::Reserved),
        }
        if self.is_small() && field.shown == Shown::Plain {
            field.shown = Shown::Power(self.exponent);
        }
        field
    }
}

/// Fourteen hex digits, as the bytes of the descriptor come.
impl fmt::Display for Presentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// The text is no row of presentation formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "A presentation format is 14 hex digits, such as 0EFE2F27010000; several have commas between."
)]
pub struct PresentationError;

impl FromStr for Presentation {
    type Err = PresentationError;

    fn from_str(text: &str) -> Result<Self, PresentationError> {
        let mut bytes = [0; 7];
        if text.len() != 14 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(PresentationError);
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(2 * at..2 * at + 2).unwrap_or_default();
            *byte = u8::from_str_radix(pair, 16).map_err(|_| PresentationError)?;
        }
        Self::read(&bytes).ok_or(PresentationError)
    }
}

/// How a device presents a whole value: one presentation format, or the several of an aggregate.
///
/// Who has the descriptors of a characteristic builds it: from its only Presentation Format
/// (0x2904) by [`From`]; of several, an Aggregate Format (0x2905) has the handles in the order in
/// which their values follow each other, each of which is read and handed to
/// [`Presented::aggregate`] in that order.
///
/// What the types do not say, the Core Specification does (Vol 3, Part G, 3.3.3.5.2): numbers of
/// less than a whole byte have one to themselves, their padding bits are 0, and the exponent is of
/// integers alone. Text, structures and types that are kept for later go on to the end of the
/// value, so that what an aggregate has after them is missing. A value of another length has
/// [`Fault::CutShort`] fields, or bytes left over in [`Rest::extra`].
///
/// A field is called by its description in the namespace of the Bluetooth SIG where that is a
/// word, such as `Inside`, and else `Value`; those of an aggregate have elements from 0.
///
/// ```
/// use decode::{Presentation, Presented, Value};
///
/// // A signed 16-bit integer, times 10^-2, in °C.
/// let descriptor = [0x0E, 0xFE, 0x2F, 0x27, 1, 0, 0];
/// let presented = Presented::from(Presentation::read(&descriptor).unwrap());
/// presented.decode(&[0x46, 0x09], |field| assert_eq!(field.to_string(), "23.74 °C"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented(Vec<Presentation>);

impl From<Presentation> for Presented {
    fn from(one: Presentation) -> Self {
        Self(vec![one])
    }
}

impl Presented {
    /// The several of an Aggregate Format descriptor, in its order; `None` for none at all.
    #[must_use]
    pub fn aggregate(all: Vec<Presentation>) -> Option<Self> {
        (!all.is_empty()).then_some(Self(all))
    }

    /// Hands every field of a value to `f`. Allocates nothing.
    pub fn decode<'a>(&self, bytes: &'a [u8], mut f: impl FnMut(Field<'a>)) -> Rest {
        self.walk(bytes, |_, field| f(field))
    }

    /// What can be plotted.
    #[must_use]
    pub fn series(&self) -> Vec<Series> {
        let mut all = Vec::new();
        for (at, one) in self.0.iter().enumerate() {
            if one.is_number() {
                all.push(Series {
                    column: all.len(),
                    name: Label::new(one.name(), self.element(at)).to_string(),
                    unit: units::symbol(one.unit).map(str::to_owned),
                    role: None,
                    repeats: false,
                });
            }
        }
        all
    }

    /// Hands every number of a value to `f` with its column. Allocates nothing.
    pub fn columns(&self, bytes: &[u8], f: &mut impl FnMut(usize, f64)) {
        let mut column = 0;
        self.walk(bytes, |one, field| {
            if one.is_number() {
                if let Some(number) = field.number() {
                    f(column, number);
                }
                column += 1;
            }
        });
    }

    /// The element of a value; the only one needs no number.
    fn element(&self, at: usize) -> Option<usize> {
        (self.0.len() > 1).then_some(at)
    }

    fn walk<'a>(&self, bytes: &'a [u8], mut f: impl FnMut(Presentation, Field<'a>)) -> Rest {
        let len = bytes.len();
        let (mut at, mut missing) = (0, 0);
        for (element, one) in self.0.iter().enumerate() {
            let field = one.field(bytes, at, self.element(element));
            // After one that is cut short, all are missing.
            at = if field.value == Value::Missing {
                missing += 1;
                len + 1
            } else {
                field.range.end
            };
            f(*one, field);
        }
        Rest {
            extra: if missing > 0 { len..len } else { at..len },
            missing,
        }
    }
}

impl fmt::Display for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, one) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { "," };
            write!(f, "{gap}{one}")?;
        }
        Ok(())
    }
}

impl FromStr for Presented {
    type Err = PresentationError;

    fn from_str(text: &str) -> Result<Self, PresentationError> {
        text.split(',')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests;
