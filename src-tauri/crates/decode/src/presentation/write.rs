//! Values by their presentation format, from what a person gave.

use crate::encode::{self, Blank, BlankKind, EncodeError, Given, Misfit, TypedDecimal};
use crate::field::Label;
use crate::medical::{self, Medical};
use crate::number::{Class, Linear, NumberType};
use crate::units;

use super::{Lies, Presentation, Presented};

impl Presentation {
    /// The smallest and the largest integer; `None` of what is no integer.
    const fn bounds(self) -> Option<(i128, i128)> {
        match self.lies() {
            Some(Lies::Number(number)) if !matches!(number.class(), Class::Float) => {
                Some(number.bounds())
            }
            Some(Lies::Low(number, width)) => Some(match number.class() {
                Class::Signed => (-(1 << (width - 1)), (1 << (width - 1)) - 1),
                _ => (0, (1 << width) - 1),
            }),
            Some(Lies::Wide(true)) => Some((i128::MIN, i128::MAX)),
            // The upper half is beyond what is counted with here.
            Some(Lies::Wide(false)) => Some((0, i128::MAX)),
            Some(Lies::Code) => Some((0, u32::MAX as i128)),
            _ => None,
        }
    }

    fn write(self, text: &str) -> Result<Vec<u8>, Misfit> {
        let unit = units::symbol(self.unit);
        let trimmed = text.trim();
        let bare = unit.and_then(|unit| trimmed.strip_suffix(unit));
        let bare = bare.map_or(trimmed, str::trim_end);
        let low_bytes = |value: i128, size: usize| -> Vec<u8> {
            value.to_le_bytes().into_iter().take(size).collect()
        };
        if let (Some(bounds), Some(size)) = (self.bounds(), self.size()) {
            let linear = match self.lies() {
                Some(Lies::Code) => Linear::IDENTITY,
                _ => self.linear(),
            };
            let value = if self.is_small() {
                self.small(bare, bounds)?
            } else {
                let example = || encode::shown(&linear, 42.min(bounds.1));
                encode::integer(bare, &linear, bounds, &example)?
            };
            // Padding stays 0, also above a negative number.
            let value = match self.lies() {
                Some(Lies::Low(_, width)) => value & ((1 << width) - 1),
                _ => value,
            };
            return Ok(low_bytes(value, size));
        }
        match self.lies() {
            Some(Lies::Bool) => match bare {
                "false" | "0" => Ok(vec![0]),
                "true" | "1" => Ok(vec![1]),
                _ => Err(Misfit::NotChoice {
                    found: encode::quoted(bare),
                    allowed: vec!["false".to_owned(), "true".to_owned()],
                }),
            },
            Some(Lies::Number(number)) => float(bare, number),
            Some(Lies::Sfloat) => Medical::write(bare, 2, 0),
            Some(Lies::Float) => Medical::write(bare, 4, 0),
            Some(Lies::Text) => Ok(text.as_bytes().to_vec()),
            Some(Lies::Wide16) => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            _ => encode::bytes(text, None),
        }
    }

    /// The integer of a number with a small power of ten, which is taken off as it was typed.
    fn small(self, text: &str, bounds: (i128, i128)) -> Result<i128, Misfit> {
        let exponent = i32::from(self.exponent);
        let raised = |whole: String| format!("{whole}e{exponent}");
        let found = encode::quoted(text);
        let Some(typed) = TypedDecimal::read(text) else {
            let example = raised("42".to_owned());
            return Err(Misfit::NotNumber { found, example });
        };
        let whole = format!(
            "{}e{}",
            typed.mantissa,
            typed.exponent.saturating_sub(exponent)
        );
        let taken = encode::integer(&whole, &Linear::IDENTITY, bounds, &String::new);
        taken.map_err(|misfit| match misfit {
            Misfit::OutOfRange { least, most, .. } => Misfit::OutOfRange {
                found,
                least: raised(least),
                most: raised(most),
            },
            Misfit::Between { below, above, .. } => Misfit::Between {
                found,
                below: raised(below),
                above: raised(above),
            },
            other => other,
        })
    }

    fn blank(self, element: Option<usize>) -> Blank {
        let (mut choices, number) = (Vec::new(), |least: String, most: String| {
            BlankKind::Number { least, most }
        });
        let linear = self.linear();
        let kind = match (self.lies(), self.bounds()) {
            (Some(Lies::Bool), _) => {
                choices = vec!["false".to_owned(), "true".to_owned()];
                BlankKind::Choice
            }
            (Some(Lies::Text | Lies::Wide16), _) => BlankKind::Text(None),
            (Some(Lies::Code), _) => number("0x00000000".to_owned(), "0xFFFFFFFF".to_owned()),
            (_, Some((low, high))) if self.is_small() => {
                let whole = |value| encode::shown(&Linear::IDENTITY, value);
                let raised = |value| format!("{}e{}", whole(value), self.exponent);
                number(raised(low), raised(high))
            }
            (_, Some((low, high))) => {
                number(encode::shown(&linear, low), encode::shown(&linear, high))
            }
            (Some(Lies::Sfloat | Lies::Float), _) => {
                choices = medical::WORDS.map(str::to_owned).to_vec();
                let most = match self.format {
                    0x16 => "2047e7",
                    _ => "8388607e127",
                };
                number(format!("\u{2212}{most}"), most.to_owned())
            }
            (Some(Lies::Number(of)), _) => {
                let most = match of.size() {
                    4 => format!("{:e}", f32::MAX),
                    _ => format!("{:e}", f64::MAX),
                };
                number(format!("\u{2212}{most}"), most)
            }
            _ => BlankKind::Bytes(None),
        };
        Blank {
            name: self.name().to_owned(),
            element,
            unit: units::symbol(self.unit)
                .filter(|_| !matches!(self.lies(), Some(Lies::Code)))
                .map(str::to_owned),
            kind,
            choices,
            required: true,
            repeats: false,
        }
    }
}

fn float(text: &str, number: NumberType) -> Result<Vec<u8>, Misfit> {
    encode::number(text, number).map_err(|_| Misfit::NotNumber {
        found: encode::quoted(text),
        example: "23.5, \u{2212}40 or 1e-3".to_owned(),
    })
}

impl Presented {
    /// What a form asks for: one value, or as many as the aggregate has.
    #[must_use]
    pub fn blanks(&self) -> Vec<Blank> {
        let all = self.0.iter().enumerate();
        all.map(|(at, one)| one.blank(self.element(at))).collect()
    }

    /// The bytes that say what was given. See [`Format::encode`](crate::Format::encode).
    ///
    /// # Errors
    /// Names the value that is missing or does not fit, or a name that none has.
    pub fn encode(&self, given: &[Given<'_>]) -> Result<Vec<u8>, EncodeError> {
        let labels = || {
            let all = self.0.iter().enumerate();
            all.map(|(at, one)| Label::new(one.name(), self.element(at)))
        };
        for one in given {
            let label = Label::new(one.name, one.element);
            if !labels().any(|known| known == label) {
                let known = labels().map(|label| label.to_string()).collect();
                return Err(wrong(label, Misfit::Unknown { known }));
            }
        }
        let mut bytes = Vec::new();
        let mut to_the_end = false;
        for (one, label) in self.0.iter().zip(labels()) {
            let is_this = |given: &&Given<'_>| Label::new(given.name, given.element) == label;
            let mut own = given.iter().filter(is_this);
            let text = own.next().ok_or_else(|| wrong(label, Misfit::Needed))?;
            // After what goes on to the end of the value, nothing can be told apart.
            if own.next().is_some() || to_the_end {
                return Err(wrong(label, Misfit::NoPlace));
            }
            to_the_end = one.size().is_none();
            let written = one.write(text.text);
            bytes.extend(written.map_err(|misfit| wrong(label, misfit))?);
        }
        Ok(bytes)
    }
}

fn wrong(label: Label<'_>, misfit: Misfit) -> EncodeError {
    EncodeError::Field {
        field: label.to_string(),
        misfit,
    }
}
