//! Any texts for the fields of any standard format: two bytes say which format, then come lines, each with a byte that says
//! which field and the text for it. What is taken is a value that can be read.
#![no_main]

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
    decode_fuzz::fill_in(&format, lines);
});
