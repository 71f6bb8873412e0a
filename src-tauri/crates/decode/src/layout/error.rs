//! Where a line is no layout, what stands there, what can stand there, and what was perhaps meant.

use crate::clean;

/// Bytes that a layout may describe: the longest attribute value.
pub(super) const MAX_BYTES: usize = 512;
pub(super) const MAX_NAME: usize = 64;
pub(super) const MAX_UNIT: usize = 24;
/// Fields of one layout: each bit of the longest value.
pub(super) const MAX_FIELDS: usize = 8 * MAX_BYTES;
/// Characters of a line: as many fields as there can be, with short names.
pub(super) const MAX_LINE: usize = 64 * 1024;
/// Elements, and bytes, of all fields together, those that are not there beside others included: as
/// many as sixteen of the longest values. A layout makes no more work than this, whatever the value.
pub(super) const MAX_WORK: usize = 16 * MAX_BYTES;
/// Characters of the user's text that a message repeats.
const QUOTED: usize = 16;

/// A line that is no layout. Its text says where, what stands there, and what can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {kind}{}", self.place(), self.hint())]
pub struct LayoutError {
    /// Where: an offset in characters, from 0; the length of the text where something is missing
    /// at its end.
    pub at: usize,
    /// How many characters are wrong from there on; 0 where something is missing.
    pub len: usize,
    /// What stands there, fit to be shown and cut; empty where something is missing.
    pub found: String,
    /// What is wrong with it, and what can stand there.
    pub kind: LayoutErrorKind,
    /// What was perhaps meant, to stand in place of these characters.
    pub instead: Option<String>,
}

impl LayoutError {
    /// What is wrong in a text from a character on.
    pub(super) fn new(text: &[char], at: usize, len: usize, kind: LayoutErrorKind) -> Self {
        let wrong: String = text.iter().skip(at).take(len).collect();
        Self {
            at,
            len,
            found: clean::text(&wrong, QUOTED).into_owned(),
            kind,
            instead: None,
        }
    }

    fn place(&self) -> String {
        if self.found.is_empty() {
            format!("At character {}", self.at + 1)
        } else {
            format!("At character {}, \"{}\"", self.at + 1, self.found)
        }
    }

    fn hint(&self) -> String {
        self.instead
            .as_ref()
            .map_or_else(String::new, |meant| format!(" Did you mean {meant}?"))
    }
}

/// What is wrong with a layout. Its text is a sentence or two that say what is expected.
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
        "This is not a type. Use u8, i8, bool; u or i with 16, 24, 32, 40, 48, 56 or 64, or f with \
         16, 32 or 64, and le or be; u8.3 for a bit, u16le.4-6 for bits; bcd8, medfloat16, \
         medfloat32; hex, utf8 or skip."
    )]
    Type,
    /// A type of several bytes without their order.
    #[error("{0} needs its byte order: {0}le (least significant first, usual in GATT) or {0}be.")]
    ByteOrder(String),
    /// No such bits.
    #[error(
        "These bits are not in the type: it has bits 0 to {last}, the lower one first, such as \
         u8.3 or u8.4-6."
    )]
    Bits {
        /// Its highest bit.
        last: u32,
    },
    /// No such count.
    #[error(
        "Between the brackets goes a count from 1 to {MAX_BYTES}, the name of an earlier integer \
         that counts, or nothing to repeat to the end."
    )]
    Count,
    /// No closing bracket.
    #[error("The bracket is not closed. Write [3], or [] to repeat to the end.")]
    Bracket,
    /// A name in brackets or in a condition that is no earlier integer.
    #[error(
        "This is not the name of an earlier field that is one integer or bool outside a group. Only \
         such a field can say how many follow, or whether one is there."
    )]
    Source,
    /// Too many fields decide about others.
    #[error("At most {} fields can say what follows.", super::plan::SLOTS)]
    TooManySources,
    /// No condition.
    #[error(
        "After ? comes a condition: ?flags.2 for a bit that is set, ?mode=2 or ?mode!=2 for a \
         value, or a second ? for \"if bytes are left\"."
    )]
    Condition,
    /// A brace where no group can be.
    #[error(
        "A group is made of fields of fixed length that are always there. It has no group, no [] and \
         no ? inside; text and bytes need a count, such as hex[4]."
    )]
    InGroup,
    /// No closing brace of a group.
    #[error("The group is not closed. Write {{x:i16le, y:i16le}}[].")]
    GroupOpen,
    /// A group without brackets.
    #[error("After a group come brackets with how often it repeats: [4], [n], or [] to the end.")]
    GroupCount,
    /// Scale, offset or unit twice.
    #[error("The field has {0} already. Write it in the field or after the group.")]
    Twice(&'static str),
    /// No names of values or bits.
    #[error(
        "Between braces go names of values, such as {{0=off, 1=on}}, or of bits, such as \
         {{.0=ready, .3=low battery}}, each with at most {MAX_UNIT} characters."
    )]
    Names,
    /// A name for a value or bit that does not exist or has one.
    #[error("This cannot have a name: the type does not hold it, or it is named already.")]
    Named,
    /// A word that stands for another value or bit.
    #[error(
        "This word stands for something else already, so that nobody could tell which of them is \
         meant. Give each value its own; bits are not called none or bit 3."
    )]
    WordTaken,
    /// Names on what has no values.
    #[error(
        "Only integers and bool have named values, and only integers without sign, scale and unit named bits."
    )]
    NamesFor,
    /// No constant.
    #[error("Here goes the integer that always stands here, in decimal or hex, such as =0xAA55.")]
    Constant,
    /// A constant on what cannot have one.
    #[error(
        "Only a single integer without scale, offset, unit and names is compared with a constant."
    )]
    ConstantFor,
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
        "After a space comes the unit, at most {MAX_UNIT} characters without }}. Brackets, names, \
         constant, scale, offset and ? go before the space, such as temp:i16le*0.01 °C."
    )]
    Unit,
    /// No such role.
    #[error(
        "This is not a role. Use !count for a sequence counter, !ms or !us for the device clock."
    )]
    Role,
    /// No step of a counter.
    #[error("After !count/ comes by how much the counter rises per value, 1 to 65535.")]
    Step,
    /// A role on a field that cannot have it.
    #[error(
        "A sequence counter is one integer without brackets, scale and offset, such as seq:u16le!count."
    )]
    Counter,
    /// A clock on a field that cannot be one.
    #[error("The device clock is one number without brackets, such as t:u32le!ms.")]
    Clock,
    /// A role where the field may be absent or move.
    #[error(
        "A counter and a clock are at the same place in every value: outside groups, without ?, and \
         before whatever may be absent or vary in length."
    )]
    RoleMoves,
    /// A second counter or clock.
    #[error("There is a {0} already. A layout has one.")]
    RoleTaken(&'static str),
    /// Something after `[]`.
    #[error(
        "Nothing can follow a field that runs to the end, unless that field has a condition such as \
         ?mode=1. Move it to the end or give it a count, such as [4]."
    )]
    AfterEnd,
    /// More than an attribute can hold.
    #[error("The fields take {0} bytes up to here, but a value has at most {MAX_BYTES}.")]
    TooLong(usize),
    /// A line that nobody types.
    #[error("A layout has at most {MAX_LINE} characters.")]
    LineTooLong,
    /// More than the alternatives of a value need.
    #[error(
        "With all that is there only under a condition, the fields have {0} elements or bytes up to \
         here. At most are {MAX_WORK}."
    )]
    TooMuch(usize),
    /// More fields than a value has bits.
    #[error("A layout has at most {MAX_FIELDS} fields.")]
    TooManyFields,
    /// A stray character.
    #[error("This cannot stand here. Next comes a comma and the next field, or the end.")]
    Stray,
}

/// The type that was perhaps meant: what other languages and documents call it, or the nearest.
pub(super) fn meant_type(found: &str) -> Option<String> {
    let lower = found.to_lowercase();
    let plain: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let known = match plain.as_str() {
        "byte" | "uchar" | "uint8" | "uint8t" | "u8le" | "u8be" | "unsignedchar" => "u8",
        "char" | "schar" | "sint8" | "int8" | "int8t" | "s8" | "i8le" | "i8be" => "i8",
        "half" | "float16" | "binary16" => "f16le",
        "float" | "float32" | "single" | "real" | "binary32" => "f32le",
        "double" | "float64" | "binary64" => "f64le",
        "sfloat" | "sfloat16" => "medfloat16",
        "int" | "integer" => "i32le",
        "uint" | "word" | "dword" => "u32le",
        "short" => "i16le",
        "ushort" => "u16le",
        "long" | "longlong" => "i64le",
        "ulong" => "u64le",
        "boolean" | "flag" | "bit" => "bool",
        "string" | "str" | "text" | "ascii" | "utf" | "chars" => "utf8",
        "bytes" | "raw" | "blob" | "data" | "octets" => "hex",
        "pad" | "padding" | "reserved" | "rfu" | "unused" | "ignore" => "skip",
        "bcd" => "bcd8",
        _ => "",
    };
    if !known.is_empty() {
        return Some(known.to_owned());
    }
    spelled_out(&plain).or_else(|| nearest(&lower, types()))
}

/// `uint16_t`, `int32`, `sint24be`, `s16`: a class, a width, perhaps an order.
fn spelled_out(plain: &str) -> Option<String> {
    let digits = plain.find(|c: char| c.is_ascii_digit())?;
    let (class, rest) = plain.split_at(digits);
    let class = match class {
        "u" | "uint" => "u",
        "i" | "s" | "int" | "sint" => "i",
        "f" | "float" => "f",
        _ => return None,
    };
    let width: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let order = match rest.get(width.len()..).unwrap_or_default() {
        "be" | "b" | "big" | "bigendian" | "msb" => "be",
        _ => "le",
    };
    let exact = format!("{class}{width}{order}");
    types().find(|name| *name == exact)
}

/// The names of all types that stand alone.
fn types() -> impl Iterator<Item = String> {
    let integers = ["u", "i", "bcd"].into_iter().flat_map(|class| {
        let single = format!("{class}8");
        let wide = [16, 24, 32, 40, 48, 56, 64].into_iter();
        let wide =
            wide.flat_map(move |width| ["le", "be"].map(|order| format!("{class}{width}{order}")));
        std::iter::once(single).chain(wide)
    });
    let floats = [16, 32, 64]
        .into_iter()
        .flat_map(|width| ["le", "be"].map(|order| format!("f{width}{order}")));
    let others = ["bool", "hex", "utf8", "skip", "medfloat16", "medfloat32"];
    integers.chain(floats).chain(others.map(str::to_owned))
}

/// The role that was perhaps meant.
pub(super) fn meant_role(found: &str) -> Option<String> {
    let role = match found.to_lowercase().as_str() {
        "counter" | "cnt" | "seq" | "sequence" | "index" | "n" => "count",
        "msec" | "millis" | "milliseconds" | "time" | "timestamp" | "clock" | "tick" => "ms",
        "µs" | "μs" | "usec" | "micros" | "microseconds" => "us",
        other => return nearest(other, ["count", "ms", "us"].map(str::to_owned).into_iter()),
    };
    Some(role.to_owned())
}

/// The candidate that differs in the fewest characters, if that is few.
pub(super) fn nearest(found: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let found: Vec<char> = found.chars().take(32).collect();
    let allowed = found.len().div_ceil(3).clamp(1, 2);
    candidates
        .map(|candidate| (distance(&found, &candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= allowed && candidate.chars().count() > *distance
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Characters to insert, delete or replace.
fn distance(from: &[char], to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, a) in from.iter().enumerate() {
        let mut diagonal = above;
        let mut before = above + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(&to) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            before = replaced.min(before + 1).min(*cell + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or(from.len())
}
