//! The one thing that a screen needs to read a value: a format, whoever wrote it.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::advertisement::Beacon;
use crate::encode::{Blank, EncodeError, Given};
use crate::field::{Field, Rest, Series};
use crate::layout::{Counter, Layout, LayoutError};
use crate::presentation::{PresentationError, Presented};
use crate::sig::Sig;

/// Fields that a summary names at most.
const SUMMARY_FIELDS: usize = 4;
/// Elements of one array that a summary shows at most.
const SUMMARY_ELEMENTS: usize = 4;

/// How to read a value.
///
/// Its text form, for settings, is the kind and the rest: `sig:2A37`, `layout:temp:i16le*0.01 °C`.
///
/// ```
/// use decode::{Format, names};
///
/// let format = Format::default_for(names::uuid16(0x2A37)).unwrap();
/// assert_eq!(format.summary(&[0x10, 72, 0x40, 0x03]), "72 bpm, RR 812 ms");
/// assert_eq!(format.to_string().parse::<Format>(), Ok(format));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Format {
    /// A standard characteristic or descriptor.
    Sig(Sig),
    /// What the device's own descriptors say of the value.
    Presented(Presented),
    /// The user's own.
    Layout(Layout),
    /// A known payload of an advertisement.
    Beacon(Beacon),
}

impl Format {
    /// The format of a standard characteristic or descriptor, if it is known.
    #[must_use]
    pub fn default_for(uuid: Uuid) -> Option<Self> {
        Sig::of(uuid).map(Self::Sig)
    }

    /// Hands every field of a value to `f`. Allocates nothing. See [`Layout::decode`],
    /// [`Sig::decode`] and [`Beacon::decode`].
    pub fn decode<'a>(&'a self, bytes: &'a [u8], f: impl FnMut(Field<'a>)) -> Rest {
        match self {
            Self::Sig(sig) => sig.decode(bytes, f),
            Self::Presented(presented) => presented.decode(bytes, f),
            Self::Layout(layout) => layout.decode(bytes, f),
            Self::Beacon(beacon) => beacon.decode(bytes, f),
        }
    }

    /// What can be plotted.
    #[must_use]
    pub fn series(&self) -> Vec<Series> {
        match self {
            Self::Sig(sig) => sig.series(),
            Self::Presented(presented) => presented.series(),
            Self::Layout(layout) => layout.series(),
            Self::Beacon(beacon) => beacon.series(),
        }
    }

    /// Hands every number of a value to `f` with its column. Allocates nothing.
    #[inline]
    pub fn columns(&self, bytes: &[u8], f: &mut impl FnMut(usize, f64)) {
        match self {
            Self::Sig(sig) => sig.columns(bytes, f),
            Self::Presented(presented) => presented.columns(bytes, f),
            Self::Layout(layout) => layout.columns(bytes, f),
            Self::Beacon(beacon) => beacon.columns(bytes, f),
        }
    }

    /// What a form asks for, in the order of the bytes; nothing where [`Format::encode`] cannot.
    #[must_use]
    pub fn blanks(&self) -> Vec<Blank> {
        match self {
            Self::Sig(sig) => sig.blanks(),
            Self::Presented(presented) => presented.blanks(),
            Self::Layout(layout) => layout.blanks(),
            Self::Beacon(_) => Vec::new(),
        }
    }

    /// The bytes that say what was given: what [`Format::decode`] reads back. Flags follow from
    /// which fields are given, unless they are given themselves; what is not given and may be
    /// absent is absent.
    ///
    /// # Errors
    /// Names the field that is unknown, missing or cannot say what was given, and what it can.
    pub fn encode(&self, given: &[Given<'_>]) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Sig(sig) => sig.encode(given),
            Self::Presented(presented) => presented.encode(given),
            Self::Layout(layout) => layout.encode(given),
            Self::Beacon(_) => Err(EncodeError::NotByFields),
        }
    }

    /// The sequence counter that finds loss, if the format names one.
    #[must_use]
    pub fn counter(&self) -> Option<Counter> {
        match self {
            Self::Sig(_) | Self::Presented(_) | Self::Beacon(_) => None,
            Self::Layout(layout) => layout.counter(),
        }
    }

    /// The value in one line, such as `72 bpm, RR 812 ms`; fit to be shown.
    ///
    /// A layout of one field shows its value alone; of several, what has a role (counter, clock)
    /// is left out unless there is nothing else.
    #[must_use]
    pub fn summary(&self, bytes: &[u8]) -> String {
        let mut summary = SummaryLine::default();
        match self {
            Self::Sig(sig) => sig.summarise(bytes, |name, field| summary.add(name, &field)),
            Self::Beacon(beacon) => {
                beacon.summarise(bytes, |name, field| summary.add(name, &field))
            }
            Self::Presented(presented) => {
                presented.decode(bytes, |field| summary.add(None, &field));
            }
            Self::Layout(layout) => {
                let mut plain = 0;
                let mut names = 0;
                let mut last = None;
                layout.decode(bytes, |field| {
                    plain += usize::from(field.role.is_none());
                    names += usize::from(last != Some(field.name));
                    last = Some(field.name);
                });
                layout.decode(bytes, |field| {
                    if plain == 0 || field.role.is_none() {
                        let name = (names > 1).then_some(field.name);
                        summary.add(name, &field);
                    }
                });
            }
        }
        summary.finish()
    }
}

/// A summary in the making: elements of one array stand together before their unit.
#[derive(Default)]
struct SummaryLine<'a> {
    text: String,
    unit: Option<&'a str>,
    last: Option<&'a str>,
    fields: usize,
    elements: usize,
}

impl<'a> SummaryLine<'a> {
    fn add(&mut self, name: Option<&str>, field: &Field<'a>) {
        let unit = field.unit.filter(|_| field.number().is_some());
        let other_unit = matches!((self.unit, unit), (Some(last), Some(next)) if last != next);
        let same = field.element.or(field.sample).is_some_and(|at| at > 0)
            && self.last == Some(field.name)
            && !other_unit;
        if same {
            self.elements += 1;
        } else {
            self.end_field();
            self.fields += 1;
            self.elements = 1;
        }
        self.last = Some(field.name);
        if self.fields > SUMMARY_FIELDS || self.elements > SUMMARY_ELEMENTS {
            return;
        }
        let gap = match (same, self.text.is_empty()) {
            (true, _) => " ",
            (false, true) => "",
            (false, false) => ", ",
        };
        // One element that is no number does not take the unit from the others.
        self.unit = unit.or(self.unit);
        // Writing to a String cannot fail.
        let _ = match name.filter(|_| !same) {
            Some(name) => write!(self.text, "{gap}{name} {}", field.bare()),
            None => write!(self.text, "{gap}{}", field.bare()),
        };
    }

    fn end_field(&mut self) {
        if self.fields > SUMMARY_FIELDS {
            return;
        }
        if self.elements > SUMMARY_ELEMENTS {
            self.text.push_str(" …");
        }
        if let Some(unit) = self.unit.take() {
            self.text.push(' ');
            self.text.push_str(unit);
        }
    }

    fn finish(mut self) -> String {
        self.end_field();
        if self.fields > SUMMARY_FIELDS {
            self.text.push_str(", …");
        }
        self.text
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sig(sig) => write!(f, "sig:{:04X}", sig.short()),
            Self::Presented(presented) => write!(f, "presented:{presented}"),
            Self::Layout(layout) => write!(f, "layout:{layout}"),
            Self::Beacon(beacon) => write!(f, "beacon:{}", beacon.key()),
        }
    }
}

/// A text that is no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// No kind, or one that this version does not know.
    #[error("A format begins with sig:, presented:, layout: or beacon:, such as sig:2A37.")]
    Kind,
    /// No such standard format.
    #[error(
        "\"{0}\" is not a standard format that is known here. Use four hex digits, such as sig:2A37."
    )]
    Sig(String),
    /// No such payload.
    #[error("\"{0}\" is not a beacon that is known here. Use a key such as beacon:ruuvi-5.")]
    Beacon(String),
    /// No presentation formats.
    #[error(transparent)]
    Presented(#[from] PresentationError),
    /// The layout is wrong; its position counts from after `layout:`.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        match text.split_once(':') {
            Some(("sig", short)) => u16::from_str_radix(short, 16)
                .ok()
                .and_then(Sig::of_short)
                .map(Self::Sig)
                .ok_or_else(|| FormatError::Sig(crate::clean::text(short, 16).into_owned())),
            Some(("presented", formats)) => Ok(Self::Presented(formats.parse()?)),
            Some(("layout", line)) => Ok(Self::Layout(Layout::parse(line)?)),
            Some(("beacon", key)) => Beacon::of_key(key)
                .map(Self::Beacon)
                .ok_or_else(|| FormatError::Beacon(crate::clean::text(key, 32).into_owned())),
            _ => Err(FormatError::Kind),
        }
    }
}

impl TryFrom<String> for Format {
    type Error = FormatError;

    fn try_from(text: String) -> Result<Self, FormatError> {
        text.parse()
    }
}

impl From<Format> for String {
    fn from(format: Format) -> Self {
        format.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    fn format(text: &str) -> Format {
        text.parse().unwrap()
    }

    #[test]
    fn formats_read_back_from_their_text() {
        for text in [
            "sig:2A37",
            "presented:0EFE2F27010000,0400AD27010000",
            "layout:a:u8.3, b:i16le[]*0.5 °C",
            "beacon:ruuvi-5",
        ] {
            assert_eq!(format(text).to_string(), text);
            let json = serde_json::to_string(&format(text)).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Format>(&json).unwrap(), format(text));
        }
    }

    #[test]
    fn what_is_no_format_is_refused_with_the_reason() {
        assert_eq!("2A37".parse::<Format>(), Err(FormatError::Kind));
        assert_eq!(
            "sig:180D".parse::<Format>(),
            Err(FormatError::Sig("180D".to_owned()))
        );
        assert_eq!(
            "beacon:moon".parse::<Format>(),
            Err(FormatError::Beacon("moon".to_owned()))
        );
        assert_eq!(
            "presented:0E".parse::<Format>(),
            Err(FormatError::Presented(PresentationError))
        );
        let error = "layout:a:u12".parse::<Format>().unwrap_err();
        assert!(matches!(
            error,
            FormatError::Layout(LayoutError { at: 2, .. })
        ));
    }

    #[test]
    fn standard_attributes_have_a_format_and_others_none() {
        assert_eq!(
            Format::default_for(names::uuid16(0x2A37)),
            Some(format("sig:2A37"))
        );
        assert_eq!(Format::default_for(names::uuid16(0x180D)), None);
        assert_eq!(Format::default_for(Uuid::from_u128(0x2A37)), None);
    }

    #[test]
    fn summaries_are_one_line() {
        let heart = format("sig:2A37");
        assert_eq!(heart.summary(&[0x00, 72]), "72 bpm");
        assert_eq!(
            heart.summary(&[0x16, 0x48, 0x2C, 0x03]),
            "72 bpm, RR 793 ms"
        );
        assert_eq!(
            heart.summary(&[0x10, 72, 0x40, 0x03, 0, 4]),
            "72 bpm, RR 812 1000 ms"
        );
        assert_eq!(heart.summary(&[]), "missing");
        assert_eq!(
            format("sig:2902").summary(&[2, 0]),
            "Notifications off, Indications on"
        );
        assert_eq!(format("sig:2A6E").summary(&[0, 0x80]), "not known");
        assert_eq!(format("sig:2A00").summary(b"a\nb"), "a b");
    }

    #[test]
    fn a_layout_summarises_its_fields() {
        let motion = format("layout:seq:u16le!count, acc:i16le[3]*0.001 g");
        assert_eq!(
            motion.summary(&[7, 0, 0xE8, 0x03, 0x18, 0xFC, 0, 0]),
            "acc 1.000 \u{2212}1.000 0.000 g"
        );
        assert_eq!(
            motion.summary(&[7, 0, 0xE8, 0x03]),
            "acc 1.000 missing missing g"
        );
        assert_eq!(
            format("layout:t:i16le*0.01 °C").summary(&[0x46, 0x09]),
            "23.74 °C"
        );
        assert_eq!(format("layout:seq:u8!count").summary(&[9]), "9");
        assert_eq!(
            format("layout:x:u8[] mV").summary(&[1, 2, 3, 4, 5]),
            "1 2 3 4 … mV"
        );
        assert_eq!(
            format("layout:a:u8, b:u8, c:u8, d:u8, e:u8").summary(&[1, 2, 3, 4, 5]),
            "a 1, b 2, c 3, d 4, …"
        );
    }
}
