//! Any texts for the fields of any standard format: two bytes say which format, then come lines, each with a byte that says
//! which field and the text for it. What is taken is a value that can be read.
#![no_main]

use std::collections::HashMap;

use decode::encode::Given;
use decode::{Format, Sig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(([low, high], lines)) = data.split_first_chunk() else {
        return;
    };
    let at = usize::from(u16::from_le_bytes([*low, *high])) % Sig::all().count();
    let Some(format) = Sig::all().nth(at).map(Format::Sig) else {
        return;
    };
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
        Ok(value) => decode_fuzz::read(&format, &value),
        Err(error) => decode_fuzz::shown(&error.to_string()),
    }
});
