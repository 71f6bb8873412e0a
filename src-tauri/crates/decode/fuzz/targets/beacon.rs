//! Any bytes as the payload of any kind of beacon, and as the data of any AD structure: a byte says which, the rest is the
//! payload.
#![no_main]

use decode::Format;
use decode::advertisement::{self, AdType, Beacon};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, payload)) = data.split_first() else {
        return;
    };
    let at = usize::from(*which) % Beacon::all().count();
    if let Some(beacon) = Beacon::all().nth(at) {
        let format = Format::Beacon(beacon);
        assert_eq!(format.to_string().parse().as_ref(), Ok(&format));
        decode_fuzz::read(&format, payload);
    }
    let rest = advertisement::decode_structure(AdType(*which), payload, |field| {
        assert!(field.range.start <= field.range.end && field.range.end <= payload.len());
        decode_fuzz::shown(&field.to_string());
    });
    assert!(rest.extra.start <= rest.extra.end && rest.extra.end <= payload.len());
});
