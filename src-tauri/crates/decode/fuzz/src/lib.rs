//! What must hold of every format and every value: a broken one ends the process, which is what a fuzzer looks for.

use std::collections::HashMap;

use decode::encode::Given;
use decode::{Format, Value, clean};

/// Reads a value by a format in every way that there is.
pub fn read(format: &Format, bytes: &[u8]) {
    let mut numbers = Vec::new();
    let mut missing = 0;
    let rest = format.decode(bytes, |field| {
        let range = field.range.clone();
        assert!(
            range.start <= range.end && range.end <= bytes.len(),
            "{field:?}"
        );
        if let (Some(bits), true) = (&field.bits, field.value != Value::Missing) {
            assert!(bits.start() <= bits.end(), "{field:?}");
            assert!(usize::from(*bits.end()) < 8 * range.len(), "{field:?}");
        }
        shown(&field.to_string());
        shown(&field.label().to_string());
        missing += usize::from(field.value == Value::Missing);
        numbers.extend(field.number().map(f64::to_bits));
    });
    assert!(rest.extra.start <= rest.extra.end && rest.extra.end <= bytes.len());
    assert_eq!(rest.missing, missing);
    // The first or the last of it may be an empty text.
    shown(format.summary(bytes).trim_matches(' '));

    // What is plotted is what is shown.
    let series = format.series();
    let mut plotted = Vec::new();
    format.columns(bytes, &mut |column, number| {
        assert!(column < series.len());
        plotted.push(number.to_bits());
    });
    let mut left = numbers.iter();
    for number in &plotted {
        assert!(
            left.any(|shown| shown == number),
            "{numbers:x?} {plotted:x?}"
        );
    }
    // A standard value may have numbers that are codes, and no curve.
    if let Format::Layout(_) = format {
        assert_eq!(numbers, plotted);
    }
    if let Some(counter) = format.counter() {
        let state = counter.read(bytes);
        assert!(counter.bits == 64 || state.is_none_or(|state| state >> counter.bits == 0));
    }
}

/// One line without anything that a screen would obey: cleaning finds nothing to do.
pub fn shown(text: &str) {
    assert_eq!(clean::text(text, usize::MAX), text, "{text:?}");
}

/// Fills in the form of a format: lines, each with a byte that says which field and the text for it. What is taken is a value
/// that can be read.
pub fn fill_in(format: &Format, lines: &[u8]) {
    let blanks = format.blanks();
    let mut elements = HashMap::new();
    let mut given = Vec::new();
    for line in lines.split(|&byte| byte == b'\n') {
        let Some((which, text)) = line.split_first() else {
            continue;
        };
        let (Ok(text), false) = (std::str::from_utf8(text), blanks.is_empty()) else {
            return;
        };
        let blank = &blanks[usize::from(*which) % blanks.len()];
        let next = elements.entry(&blank.name).or_insert(0);
        let element = if blank.repeats {
            Some(*next)
        } else {
            blank.element
        };
        *next += 1;
        given.push(Given {
            name: &blank.name,
            element,
            text,
        });
    }
    match format.encode(&given) {
        Ok(value) => read(format, &value),
        Err(error) => shown(&error.to_string()),
    }
}
