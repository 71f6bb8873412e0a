//! What a person wants to write, as bytes: typed as a whole, or filled in field by field as the format of
//! the attribute asks for it.

use std::collections::HashMap;

use decode::encode::{Blank, BlankKind, EncodeError, Given};
use decode::{Field, Format, NumberType, Value};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::device::hex;
use crate::explorer::Explorer;
use crate::gatt::id;
use crate::view::{EncodedView, Problem, WriteInput};

/// One thing that a write form asks for.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct BlankView {
    /// The field's name.
    pub name: String,
    /// Which element of an array of a fixed length.
    pub element: Option<u32>,
    /// The unit that numbers are in; empty without one.
    pub unit: String,
    /// `number`, `choice`, `date`, `datetime`, `text`, `bytes` or `uuid`.
    pub kind: String,
    /// The smallest and the largest number that can be.
    pub range: Option<(String, String)>,
    /// Bytes that it has exactly, of text and bytes.
    pub len: Option<u32>,
    /// Words that may be given.
    pub choices: Vec<String>,
    /// Whether the value cannot be without it.
    pub required: bool,
    /// Whether it may be given several times, as elements 0, 1, 2 …
    pub repeats: bool,
}

/// A form that is filled in with a value.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct FilledView {
    /// What the value says.
    pub fields: Vec<GivenField>,
    /// Whether these fields give the same bytes again. Bits and bytes that no field has, and texts
    /// that are none, are not among them.
    pub whole: bool,
}

/// One field as it was filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct GivenField {
    /// The field's name.
    pub name: String,
    /// Which element of an array, from 0.
    pub element: Option<u32>,
    /// What it says, as it is shown, without the unit.
    pub text: String,
}

impl From<Blank> for BlankView {
    fn from(blank: Blank) -> Self {
        let (kind, range, len) = match blank.kind {
            BlankKind::Number { least, most } => ("number", Some((least, most)), None),
            BlankKind::Choice => ("choice", None, None),
            BlankKind::Date => ("date", None, None),
            BlankKind::DateTime => ("datetime", None, None),
            BlankKind::Text(len) => ("text", None, len),
            BlankKind::Bytes(len) => ("bytes", None, len),
            BlankKind::Uuid => ("uuid", None, None),
            // A kind of a newer decoder: typed as it is shown.
            _ => ("text", None, None),
        };
        Self {
            name: blank.name,
            element: narrow(blank.element),
            unit: blank.unit.unwrap_or_default(),
            kind: kind.into(),
            range,
            len: narrow(len),
            choices: blank.choices,
            required: blank.required,
            repeats: blank.repeats,
        }
    }
}

fn narrow(number: Option<usize>) -> Option<u32> {
    number.and_then(|number| u32::try_from(number).ok())
}

/// The bytes of what was typed.
pub(crate) fn encode(input: &WriteInput) -> Result<Vec<u8>, Problem> {
    let problem = |error: decode::encode::EncodeError| Problem {
        at: error.at().and_then(|at| u32::try_from(at).ok()),
        ..Problem::new("input", error.to_string(), "")
    };
    let bytes = match input.kind.as_str() {
        "hex" => decode::encode::hex(&input.text).map_err(problem)?,
        "text" => decode::encode::text(&input.text),
        kind => {
            let number: NumberType = kind.parse().map_err(|_| {
                Problem::new(
                    "input",
                    format!("{} is no kind of value.", decode::clean::text(kind, 16)),
                    "",
                )
            })?;
            decode::encode::number(&input.text, number).map_err(problem)?
        }
    };
    within_an_attribute(bytes)
}

/// No value is longer than the longest attribute.
fn within_an_attribute(bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    if bytes.len() > radio::MAX_ATTRIBUTE_LEN {
        let error = radio::Error::TooLong {
            len: bytes.len(),
            max: radio::MAX_ATTRIBUTE_LEN,
        };
        return Err(error.into());
    }
    Ok(bytes)
}

/// What a field says, whole, as a form takes it; `None` for what is not there.
fn said(field: &Field<'_>) -> Option<String> {
    Some(match field.value {
        Value::Missing => return None,
        Value::Text(text) => String::from_utf8(text.to_vec()).ok()?,
        Value::Bytes(bytes) if field.meaning.is_none() => hex(bytes),
        _ => field.bare().to_string(),
    })
}

/// What a value says, for the blanks that there are.
fn filled(format: &Format, blanks: &[BlankView], bytes: &[u8]) -> FilledView {
    let mut fields = Vec::new();
    // Elements of a group are counted through all of its samples.
    let mut counts: HashMap<&str, u32> = HashMap::new();
    format.decode(bytes, |field| {
        let count = counts.entry(field.name).or_default();
        let element = field.element.or(field.sample).map(|_| *count);
        *count += 1;
        fields.extend(said(&field).map(|text| GivenField {
            name: field.name.into(),
            element,
            text,
        }));
    });
    let asked = |field: &GivenField| {
        blanks.iter().any(|blank| {
            blank.name == field.name && (blank.repeats || blank.element == field.element)
        })
    };
    fields.retain(asked);
    let whole = encoded(format, &fields).is_ok_and(|again| again == bytes);
    FilledView { fields, whole }
}

/// The bytes of what was filled in; else why not, and of which field.
fn encoded(format: &Format, fields: &[GivenField]) -> Result<Vec<u8>, (Option<String>, Problem)> {
    let given: Vec<_> = fields
        .iter()
        .map(|field| Given {
            name: &field.name,
            element: field.element.map(|element| element as usize),
            text: &field.text,
        })
        .collect();
    let bytes = format.encode(&given).map_err(|error| {
        let problem = Problem::new("input", error.to_string(), "");
        match error {
            EncodeError::Field { field, .. } => (Some(field), problem),
            _ => (None, problem),
        }
    })?;
    within_an_attribute(bytes).map_err(|problem| (None, problem))
}

/// What is told of bytes, or of why there are none.
fn told(encoded: Result<Vec<u8>, (Option<String>, Problem)>) -> EncodedView {
    match encoded {
        Ok(bytes) => EncodedView {
            bytes: hex(&bytes),
            len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            field: None,
            problem: None,
        },
        Err((field, problem)) => EncodedView {
            bytes: String::new(),
            len: 0,
            field,
            problem: Some(problem),
        },
    }
}

impl Explorer {
    /// What typing into the write editor would send.
    #[must_use]
    pub fn encode(&self, input: &WriteInput) -> EncodedView {
        told(encode(input).map_err(|problem| (None, problem)))
    }

    /// What a form for a value of this attribute asks for; empty where its format cannot be written by
    /// fields.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if it belongs to an earlier discovery.
    pub fn blanks(&self, attribute: u64) -> Result<Vec<BlankView>, Problem> {
        let format = self.format_of(attribute)?;
        let blanks = format.map(|format| format.blanks()).unwrap_or_default();
        Ok(blanks.into_iter().map(BlankView::from).collect())
    }

    /// What bytes, hexadecimal, say in the words of the form.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the attribute belongs to an earlier discovery or the bytes are none.
    pub fn fill_in(&self, attribute: u64, bytes: &str) -> Result<FilledView, Problem> {
        let bytes = decode::encode::hex(bytes)
            .map_err(|error| Problem::new("input", error.to_string(), ""))?;
        let blanks = self.blanks(attribute)?;
        let format = self.format_of(attribute)?;
        let nothing = || FilledView {
            fields: Vec::new(),
            whole: false,
        };
        Ok(format.map_or_else(nothing, |format| filled(&format, &blanks, &bytes)))
    }

    /// What the form would send.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the attribute belongs to an earlier discovery.
    pub fn encode_fields(
        &self,
        attribute: u64,
        fields: &[GivenField],
    ) -> Result<EncodedView, Problem> {
        let format = self.format_of(attribute)?;
        let encoded = match &format {
            Some(format) => encoded(format, fields),
            None => Err((
                None,
                Problem::new("input", EncodeError::NotByFields.to_string(), ""),
            )),
        };
        Ok(told(encoded))
    }

    fn format_of(&self, attribute: u64) -> Result<Option<Format>, Problem> {
        let (_, attribute) = self.0.attribute(id(attribute)?)?;
        let memory = attribute.memory();
        Ok(memory.format.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(kind: &str, text: &str) -> Result<Vec<u8>, Problem> {
        encode(&WriteInput {
            kind: kind.into(),
            text: text.into(),
        })
    }

    #[test]
    fn what_is_typed_becomes_bytes_or_a_sentence() {
        assert_eq!(typed("hex", "01 a0").unwrap(), [1, 0xA0]);
        assert_eq!(typed("text", "hé").unwrap(), "hé".as_bytes());
        assert_eq!(typed("i16le", "-2").unwrap(), [0xFE, 0xFF]);
        let problem = typed("hex", "01 3G").unwrap_err();
        assert_eq!((problem.at, problem.code.as_str()), (Some(3), "input"));
        assert!(typed("u8", "300").unwrap_err().message.contains("255"));
        assert!(typed("f16", "1").is_err());
        assert_eq!(
            typed("text", &"x".repeat(513)).unwrap_err().code,
            "too_long"
        );
    }

    fn field(name: &str, element: Option<u32>, text: &str) -> GivenField {
        GivenField {
            name: name.into(),
            element,
            text: text.into(),
        }
    }

    #[test]
    fn a_value_fills_in_the_form_that_gives_the_same_bytes() {
        let format = Format::default_for(decode::names::uuid16(0x2A37)).unwrap();
        let blanks: Vec<_> = format.blanks().into_iter().map(BlankView::from).collect();
        let heart = blanks
            .iter()
            .find(|blank| blank.name == "Heart rate")
            .unwrap();
        assert_eq!(
            (heart.kind.as_str(), heart.unit.as_str()),
            ("number", "bpm")
        );
        assert!(heart.required);
        let value = [0x16, 72, 0x2C, 0x03];
        let FilledView { fields, whole } = filled(&format, &blanks, &value);
        assert!(whole);
        assert!(
            fields.contains(&field("RR interval", Some(0), "793")),
            "{fields:?}"
        );
        assert_eq!(encoded(&format, &fields).unwrap(), value);
    }

    #[test]
    fn what_stands_in_the_way_is_named_with_its_field() {
        let format = Format::default_for(decode::names::uuid16(0x2A37)).unwrap();
        let (name, problem) = encoded(&format, &[field("Heart rate", None, "fast")]).unwrap_err();
        assert_eq!(name.as_deref(), Some("Heart rate"));
        assert_eq!(problem.code, "input");
        assert!(problem.message.contains("fast"), "{problem}");
        let (name, _) = encoded(&format, &[]).unwrap_err();
        assert_eq!(name.as_deref(), Some("Heart rate"), "what is needed first");
    }

    #[test]
    fn the_samples_of_a_group_fill_in_one_after_the_other() {
        let format: Format = "layout:n:u8, {x:i8, v:u8[2]}[n], {y:u8}[2]"
            .parse()
            .unwrap();
        let blanks: Vec<_> = format.blanks().into_iter().map(BlankView::from).collect();
        let value = [2, 0xFF, 1, 2, 5, 3, 4, 8, 9];
        let FilledView { fields, whole } = filled(&format, &blanks, &value);
        assert!(whole);
        assert!(fields.contains(&field("v", Some(3), "4")), "{fields:?}");
        assert!(fields.contains(&field("y", Some(1), "9")), "{fields:?}");
        assert_eq!(encoded(&format, &fields).unwrap(), value);
    }

    #[test]
    fn texts_and_bytes_fill_in_whole() {
        let long = "x".repeat(300);
        let format = Format::default_for(decode::names::uuid16(0x2A00)).unwrap();
        let blanks: Vec<_> = format.blanks().into_iter().map(BlankView::from).collect();
        let FilledView { fields, whole } = filled(&format, &blanks, long.as_bytes());
        assert!(whole);
        assert_eq!(fields[0].text, long);
        assert_eq!(encoded(&format, &fields).unwrap(), long.as_bytes());
    }

    #[test]
    fn what_no_field_has_is_said_to_be_left_out() {
        for (layout, value) in [
            ("a:u8, _:skip[2], b:u8", &[1_u8, 0xAA, 0xBB, 2][..]),
            ("a:u8", &[1, 2]),
            ("a:u8.0-2", &[0xFF]),
            ("n:u8, t:utf8", &[1, 0xFF, 0xFE]),
        ] {
            let format: Format = format!("layout:{layout}").parse().unwrap();
            let blanks: Vec<_> = format.blanks().into_iter().map(BlankView::from).collect();
            assert!(!filled(&format, &blanks, value).whole, "{layout}");
        }
    }
}
