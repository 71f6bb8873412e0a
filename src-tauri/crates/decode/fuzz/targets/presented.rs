//! Any bytes as the value of a characteristic that one to four Presentation Format descriptors describe: a byte says how
//! many, seven bytes are each, the rest is the value.
#![no_main]

use decode::{Format, Presentation, Presented};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((count, rest)) = data.split_first() else {
        return;
    };
    let Some((descriptors, value)) = rest.split_at_checked(7 * (usize::from(*count) % 4 + 1))
    else {
        return;
    };
    let read = descriptors.chunks(7).filter_map(Presentation::read);
    let Some(presented) = Presented::aggregate(read.collect()) else {
        return;
    };
    assert_eq!(presented.to_string().parse().as_ref(), Ok(&presented));
    decode_fuzz::read(&Format::Presented(presented), value);
});
