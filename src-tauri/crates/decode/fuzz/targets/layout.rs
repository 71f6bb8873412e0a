//! Any bytes by any layout: text up to the first zero byte, then the value.
#![no_main]

use decode::{Format, Layout};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|&byte| byte == 0);
    let (text, value) = data.split_at(end.unwrap_or(data.len()));
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    if let Ok(layout) = Layout::parse(text) {
        decode_fuzz::read(&Format::Layout(layout), value.get(1..).unwrap_or_default());
    }
});
