//! Any texts for the fields of any layout: its text up to the first zero byte, then lines, each with a byte that says which
//! field and the text for it. What is taken is a value that can be read.
#![no_main]

use decode::{Format, Layout};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|&byte| byte == 0);
    let (text, lines) = data.split_at(end.unwrap_or(data.len()));
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    if let Ok(layout) = Layout::parse(text) {
        decode_fuzz::fill_in(&Format::Layout(layout), lines.get(1..).unwrap_or_default());
    }
});
