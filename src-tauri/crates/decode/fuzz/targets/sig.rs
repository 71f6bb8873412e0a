//! Any bytes as the value of any standard characteristic: two bytes say which, the rest is the value.
#![no_main]

use decode::{Format, Sig, names};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(([low, high], value)) = data.split_first_chunk() else {
        return;
    };
    let number = u16::from_le_bytes([*low, *high]);
    let sig = Sig::of(names::uuid16(number)).or_else(|| {
        let at = usize::from(number) % Sig::all().count();
        Sig::all().nth(at)
    });
    if let Some(sig) = sig {
        decode_fuzz::read(&Format::Sig(sig), value);
    }
});
