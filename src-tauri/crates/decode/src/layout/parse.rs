//! From the line that a user types to a layout, or to the character that cannot stand there.

use std::collections::HashSet;

use super::{Definition, Kind, Layout, Repeat};
use crate::clean;
use crate::field::Role;
use crate::number::{Decimal, NumberType};

/// Bytes that a layout may describe: the longest attribute value.
const MAX_BYTES: usize = 512;
const MAX_NAME: usize = 64;
const MAX_UNIT: usize = 24;
/// Characters of the user's text that a message repeats.
const QUOTED: usize = 16;

/// A line that is no layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("At character {}: {kind}", at + 1)]
pub struct LayoutError {
    /// Where: an offset in characters, from 0; the length of the text where something is missing
    /// at its end.
    pub at: usize,
    /// What is wrong there, and what can stand there.
    pub kind: LayoutErrorKind,
}

/// What is wrong with a layout. Its text is a sentence that says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutErrorKind {
    /// No name.
    #[error(
        "A field begins with a name of letters, digits, _ - . / and spaces, such as temp:i16le."
    )]
    Name,
    /// A name beyond 64 characters.
    #[error("A name has at most {MAX_NAME} characters.")]
    NameTooLong,
    /// A name that stands twice.
    #[error("The name {0} stands twice. Give every field its own; only _ may repeat.")]
    NameTaken(String),
    /// No colon after the name.
    #[error("After the name comes a colon and a type, such as temp:i16le.")]
    Colon,
    /// No such type.
    #[error(
        "\"{0}\" is not a type. Use u8, i8, bool, u or i with 16, 24, 32 or 64 and le or be, \
         f with 32 or 64 and le or be, u8.3 for a bit, u8.4-6 for bits, hex, utf8 or skip."
    )]
    Type(String),
    /// A type of several bytes without their order.
    #[error("{0} needs its byte order: {0}le (least significant first, usual in GATT) or {0}be.")]
    ByteOrder(String),
    /// No such bits.
    #[error("A byte has bits 0 to 7, the lower one first, such as u8.3 or u8.4-6.")]
    Bits,
    /// No such count.
    #[error(
        "Between the brackets goes a count from 1 to {MAX_BYTES}, or nothing to repeat to the end."
    )]
    Count,
    /// No closing bracket.
    #[error("The bracket is not closed. Write [3], or [] to repeat to the end.")]
    Bracket,
    /// No number.
    #[error("A decimal number of at most 15 digits is expected here, such as 0.01, 40 or 1e-6.")]
    Number,
    /// A scale of zero.
    #[error("A scale of 0 makes every value 0. Remove it or write another.")]
    ZeroScale,
    /// A scale, offset, unit or role on what is no number.
    #[error("Only numbers have {0}. Remove it, or choose a number type.")]
    NumbersOnly(&'static str),
    /// No unit.
    #[error(
        "After a space comes the unit, at most {MAX_UNIT} characters. Brackets, scale and offset \
         go before the space, such as temp:i16le*0.01 °C."
    )]
    Unit,
    /// No such role.
    #[error(
        "\"{0}\" is not a role. Use !count for a sequence counter, !ms or !us for the device clock."
    )]
    Role(String),
    /// A role on a field that cannot have it.
    #[error(
        "A sequence counter is one integer without brackets, scale and offset, such as seq:u16le!count."
    )]
    Counter,
    /// A clock on a field that cannot be one.
    #[error("The device clock is one number without brackets, such as t:u32le!ms.")]
    Clock,
    /// A second counter or clock.
    #[error("There is a {0} already. A layout has one.")]
    RoleTaken(&'static str),
    /// Something after `[]`.
    #[error(
        "Nothing can follow a field that runs to the end. Move it to the end or give it a count, such as [4]."
    )]
    AfterEnd,
    /// More than an attribute can hold.
    #[error("The fields take {0} bytes up to here, but a value has at most {MAX_BYTES}.")]
    TooLong(usize),
    /// A stray character.
    #[error("\"{0}\" cannot stand here. Next comes a comma and the next field, or the end.")]
    Stray(String),
}

use LayoutErrorKind as Wrong;

pub(super) fn parse(text: &str) -> Result<Layout, LayoutError> {
    let mut parser = Parser {
        text: text.chars().collect(),
        at: 0,
    };
    let mut names = HashSet::new();
    let mut roles = [false; 2];
    let mut definitions: Vec<Definition> = Vec::new();
    loop {
        parser.spaces();
        let start = parser.at;
        if definitions
            .last()
            .is_some_and(|last| last.repeat == Repeat::ToEnd)
        {
            return Err(wrong(start, Wrong::AfterEnd));
        }
        let definition = parser.field(&mut roles)?;
        if &*definition.name != "_" && !names.insert(definition.name.clone()) {
            let name = definition.name.into_string();
            return Err(wrong(start, Wrong::NameTaken(name)));
        }
        definitions.push(definition);
        // Bit fields share bytes, so only placing tells the length.
        let bytes = length(&definitions);
        if bytes > MAX_BYTES {
            return Err(wrong(start, Wrong::TooLong(bytes)));
        }
        match parser.peek() {
            None => break,
            Some(',') => parser.at += 1,
            Some(_) => return Err(wrong(parser.at, Wrong::Stray(parser.quote()))),
        }
    }
    Ok(Layout::place(definitions))
}

/// Bytes up to the end of the last definition.
fn length(definitions: &[Definition]) -> usize {
    let mut bytes = 0_usize;
    let mut taken = 0_u8;
    for definition in definitions {
        match (definition.kind, definition.repeat) {
            (Kind::Bits(first, last), Repeat::Once) => {
                let mask = (0xFF >> (7 - (last - first))) << first;
                if taken == 0 || taken & mask != 0 {
                    bytes += 1;
                    taken = 0;
                }
                taken |= mask;
            }
            _ => {
                taken = 0;
                bytes += definition.size();
            }
        }
    }
    bytes
}

fn wrong(at: usize, kind: LayoutErrorKind) -> LayoutError {
    LayoutError { at, kind }
}

fn name_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ')
}

fn unit_character(c: char) -> bool {
    // Units are read by people and drawn on charts: nothing in them may hide.
    let mut buffer = [0; 4];
    let shown: &str = c.encode_utf8(&mut buffer);
    c == ' ' || (!matches!(c, ',' | '!') && clean::text(shown, 2) == shown)
}

/// Whether `name` can stand before a colon; where not, the offset in characters.
pub(super) fn check_name(name: &str) -> Result<(), (usize, LayoutErrorKind)> {
    let first = name.chars().next();
    if !first.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return Err((0, Wrong::Name));
    }
    if let Some(at) = name.chars().position(|c| !name_character(c)) {
        return Err((at, Wrong::Name));
    }
    if name.chars().count() > MAX_NAME {
        return Err((MAX_NAME, Wrong::NameTooLong));
    }
    Ok(())
}

/// Whether `unit` can stand after a space; where not, the offset in characters.
pub(super) fn check_unit(unit: &str) -> Result<(), (usize, LayoutErrorKind)> {
    if unit.starts_with(['*', '+', '-', '\u{2212}', '[']) {
        return Err((0, Wrong::Unit));
    }
    if let Some(at) = unit.chars().position(|c| !unit_character(c)) {
        return Err((at, Wrong::Unit));
    }
    if unit.chars().count() > MAX_UNIT {
        return Err((MAX_UNIT, Wrong::Unit));
    }
    Ok(())
}

struct Parser {
    text: Vec<char>,
    /// The next character.
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn take_minus(&mut self) -> bool {
        self.take('-') || self.take('\u{2212}')
    }

    fn spaces(&mut self) {
        while self.take(' ') || self.take('\t') || self.take('\n') || self.take('\r') {}
    }

    /// The characters from here that `belongs` takes.
    fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let run: String = self
            .text
            .get(self.at..)
            .unwrap_or_default()
            .iter()
            .copied()
            .take_while(|&c| belongs(c))
            .collect();
        self.at += run.chars().count();
        run
    }

    /// What stands here, for a message.
    fn quote(&self) -> String {
        let rest: String = self
            .text
            .get(self.at..)
            .unwrap_or_default()
            .iter()
            .take(QUOTED)
            .take_while(|&&c| c != ',')
            .collect();
        quoted(&rest)
    }

    fn field(&mut self, roles: &mut [bool; 2]) -> Result<Definition, LayoutError> {
        let name = self.name()?;
        let kind_at = self.at;
        let kind = self.kind()?;
        let repeat = self.repeat(kind)?;
        let numbers = matches!(kind, Kind::Number(_) | Kind::Bits(..));
        let only = |at, what| {
            if numbers {
                Ok(())
            } else {
                Err(wrong(at, Wrong::NumbersOnly(what)))
            }
        };

        let at = self.at;
        let scale = if self.take('*') {
            only(at, "a scale")?;
            let at = self.at;
            let scale = self.number(true)?;
            if scale == Decimal::ZERO {
                return Err(wrong(at, Wrong::ZeroScale));
            }
            scale
        } else {
            Decimal::ONE
        };

        let at = self.at;
        let offset = if self.take('+') {
            only(at, "an offset")?;
            self.number(false)?
        } else if matches!(self.peek(), Some('-' | '\u{2212}')) {
            only(at, "an offset")?;
            self.number(true)?
        } else {
            Decimal::ZERO
        };

        let unit = self.unit()?;
        if let Some((at, _)) = unit {
            only(at, "a unit")?;
        }

        let at = self.at;
        let mut definition = Definition {
            name: name.into(),
            kind,
            repeat,
            scale,
            offset,
            unit: unit.map(|(_, unit)| unit.into()),
            role: None,
        };
        if self.take('!') {
            only(at, "a role")?;
            definition.role = Some(self.role(&definition, kind_at, roles)?);
            self.spaces();
        }
        Ok(definition)
    }

    fn name(&mut self) -> Result<String, LayoutError> {
        let start = self.at;
        let run = self.run(name_character);
        let name = run.trim_end();
        check_name(name).map_err(|(offset, kind)| wrong(start + offset, kind))?;
        if !self.take(':') {
            return Err(wrong(self.at, Wrong::Colon));
        }
        self.spaces();
        Ok(name.to_owned())
    }

    fn kind(&mut self) -> Result<Kind, LayoutError> {
        let start = self.at;
        let token = self.run(char::is_alphanumeric);
        if token == "u8" && self.take('.') {
            return self.bits();
        }
        match token.as_str() {
            "bool" => return Ok(Kind::Bool),
            "hex" => return Ok(Kind::Hex),
            "utf8" => return Ok(Kind::Utf8),
            "skip" => return Ok(Kind::Skip),
            _ => {}
        }
        if let Ok(number) = token.parse::<NumberType>() {
            return Ok(Kind::Number(number));
        }
        if format!("{token}le").parse::<NumberType>().is_ok() {
            return Err(wrong(start, Wrong::ByteOrder(token)));
        }
        self.at = start;
        let found = if token.is_empty() {
            self.quote()
        } else {
            quoted(&token)
        };
        Err(wrong(start, Wrong::Type(found)))
    }

    /// The bits after `u8.`: `3` or `4-6`.
    fn bits(&mut self) -> Result<Kind, LayoutError> {
        let start = self.at;
        let first = self.bit()?;
        // A minus after a bit begins a range; an offset comes after `u8.4-4` or a scale.
        let last = if self.take_minus() {
            self.bit()?
        } else {
            first
        };
        if first > last {
            return Err(wrong(start, Wrong::Bits));
        }
        Ok(Kind::Bits(first, last))
    }

    fn bit(&mut self) -> Result<u8, LayoutError> {
        let start = self.at;
        let digits = self.run(|c| c.is_ascii_digit());
        match digits.as_bytes() {
            [digit @ b'0'..=b'7'] => Ok(digit - b'0'),
            _ => Err(wrong(start, Wrong::Bits)),
        }
    }

    fn repeat(&mut self, kind: Kind) -> Result<Repeat, LayoutError> {
        let whole = matches!(kind, Kind::Hex | Kind::Utf8);
        if !self.take('[') {
            return Ok(if whole { Repeat::ToEnd } else { Repeat::Once });
        }
        let start = self.at;
        let digits = self.run(|c| c.is_ascii_digit());
        match self.peek() {
            Some(']') => self.at += 1,
            None | Some(',') => return Err(wrong(self.at, Wrong::Bracket)),
            Some(_) => return Err(wrong(self.at, Wrong::Count)),
        }
        if digits.is_empty() {
            return Ok(Repeat::ToEnd);
        }
        match digits.parse::<u16>() {
            Ok(1) if kind == Kind::Skip => Ok(Repeat::Once),
            Ok(times) if (1..=MAX_BYTES).contains(&times.into()) => Ok(Repeat::Times(times)),
            _ => Err(wrong(start, Wrong::Count)),
        }
    }

    /// A decimal number, as long as it goes.
    fn number(&mut self, signed: bool) -> Result<Decimal, LayoutError> {
        let start = self.at;
        let mut text = String::new();
        if signed && self.take_minus() {
            text.push('-');
        }
        text += &self.run(|c| c.is_ascii_digit());
        if self.take('.') {
            text.push('.');
            text += &self.run(|c| c.is_ascii_digit());
        }
        if self.take('e') || self.take('E') {
            text.push('e');
            if self.take_minus() {
                text.push('-');
            } else {
                self.take('+');
            }
            text += &self.run(|c| c.is_ascii_digit());
        }
        text.parse().map_err(|_| wrong(start, Wrong::Number))
    }

    /// The unit after a space with its place, if there is one.
    fn unit(&mut self) -> Result<Option<(usize, String)>, LayoutError> {
        if !matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            return Ok(None);
        }
        self.spaces();
        let start = self.at;
        let run = self.run(|c| !matches!(c, ',' | '!'));
        let unit = run.trim_end();
        check_unit(unit).map_err(|(offset, kind)| wrong(start + offset, kind))?;
        Ok((!unit.is_empty()).then(|| (start, unit.to_owned())))
    }

    fn role(
        &mut self,
        of: &Definition,
        kind_at: usize,
        roles: &mut [bool; 2],
    ) -> Result<Role, LayoutError> {
        let start = self.at;
        let token = self.run(char::is_alphanumeric);
        let role = match token.as_str() {
            "count" => Role::Count,
            "ms" => Role::Milliseconds,
            "us" => Role::Microseconds,
            _ => return Err(wrong(start, Wrong::Role(quoted(&token)))),
        };
        let alone = of.repeat == Repeat::Once;
        let unscaled = of.scale == Decimal::ONE && of.offset == Decimal::ZERO;
        let [counter, clock] = roles;
        let (taken, what) = match role {
            Role::Count if !(alone && unscaled && of.is_integer()) => {
                return Err(wrong(kind_at, Wrong::Counter));
            }
            Role::Count => (counter, "sequence counter"),
            _ if !alone => return Err(wrong(kind_at, Wrong::Clock)),
            _ => (clock, "device clock"),
        };
        if *taken {
            return Err(wrong(start, Wrong::RoleTaken(what)));
        }
        *taken = true;
        Ok(role)
    }
}

/// The user's own text as a message repeats it.
fn quoted(text: &str) -> String {
    clean::text(text, QUOTED).into_owned()
}
