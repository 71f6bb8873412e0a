//! A value as the inspector shows it: every field with its bytes, what is wrong with it, and the headline.

use decode::{Field, Format, Value};

use crate::view::FieldView;

/// Colours before they come round again.
const COLOURS: usize = 8;
/// Fields of one value that are shown; a value of 512 bytes can have many times more.
const MOST: usize = 512;
/// Longest name of a field, in characters.
const NAME: usize = 48;

/// What a format makes of bytes.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) fields: Vec<FieldView>,
    /// The first number or text, without its unit.
    pub(crate) headline: String,
    pub(crate) unit: String,
    /// Which field that is.
    pub(crate) headline_of: String,
    /// Why the format does not fit; empty when it does.
    pub(crate) note: String,
}

/// Reads a value field by field.
pub(crate) fn shown(format: &Format, bytes: &[u8]) -> Shown {
    let mut shown = Shown::default();
    let mut more = 0_usize;
    let rest = format.decode(bytes, |field| {
        if shown.fields.len() == MOST {
            more += 1;
            return;
        }
        let view = view(&field, shown.fields.len());
        if shown.headline.is_empty() && !view.value.is_empty() && headlines(&field) {
            shown.headline.clone_from(&view.value);
            shown.unit.clone_from(&view.unit);
            shown.headline_of.clone_from(&view.name);
        }
        shown.fields.push(view);
    });
    let len = bytes.len();
    if rest.missing > 0 {
        let fields = if rest.missing == 1 { "field" } else { "fields" };
        let bytes = if len == 1 { "byte is" } else { "bytes are" };
        shown.note = format!("{len} {bytes} too few: {} {fields} missing.", rest.missing);
    } else if !rest.extra.is_empty() {
        shown.note = format!(
            "{} of {len} bytes used; the rest stays hex.",
            rest.extra.start
        );
    }
    if more > 0 {
        let gap = if shown.note.is_empty() { "" } else { " " };
        shown.note += &format!("{gap}{more} more fields are not shown.");
    }
    shown
}

pub(crate) fn view(field: &Field<'_>, before: usize) -> FieldView {
    let missing = matches!(field.value, Value::Missing);
    let unit = field
        .unit
        .filter(|_| field.meaning.is_none() && !missing)
        .unwrap_or("");
    let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let problem = match field.fault {
        Some(fault) => fault.to_string(),
        None if missing => "missing".into(),
        None => String::new(),
    };
    FieldView {
        name: decode::clean::text(&field.label().to_string(), NAME).into_owned(),
        value: if missing {
            String::new()
        } else {
            field.bare().to_string()
        },
        unit: unit.into(),
        bytes: (at(field.range.start), at(field.range.end)),
        bits: field.bits.as_ref().map_or_else(String::new, |bits| {
            if bits.start() == bits.end() {
                format!("bit {}", bits.start())
            } else {
                format!("bits {}–{}", bits.start(), bits.end())
            }
        }),
        colour: u8::try_from(before % COLOURS).unwrap_or(0) + 1,
        problem,
    }
}

/// Whether a field is what a person looks for first: a number or a text, not flags or a counter.
fn headlines(field: &Field<'_>) -> bool {
    field.role.is_none() && field.bits.is_none() && !field.name.eq_ignore_ascii_case("flags")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_is_named_for_its_field_though_a_counter_says_the_same() {
        let format: Format = "layout:seq:u8!count, level:u8".parse().unwrap();
        let shown = shown(&format, &[7, 7]);
        assert_eq!((&*shown.headline, &*shown.headline_of), ("7", "level"));
    }

    #[test]
    fn what_is_wrong_with_a_field_stands_beside_what_could_be_read_of_it() {
        let date: Format = "sig:2A08".parse().unwrap();
        let wrong = shown(&date, &[0xE8, 0x07, 13, 40, 0, 0, 0]);
        let field = wrong.fields.iter().find(|field| !field.problem.is_empty());
        let field = field.unwrap();
        assert_eq!(field.problem, "no such time");
        assert!(field.value.starts_with("2024-13-40"), "{}", field.value);
        let short = shown(&date, &[0xE8]);
        assert!(short.fields.iter().all(|field| field.value.is_empty()));
        assert!(short.fields[0].problem.contains("cut short: 1 of"));
        assert!(
            short.note.starts_with("1 byte is too few"),
            "{}",
            short.note
        );
    }
}
