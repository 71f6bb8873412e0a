//! Any values of a device that nobody has described: a byte says how long they are, the rest is cut into them. What is
//! proposed reads them.
#![no_main]

use decode::Format;
use decode::suggest::{Observed, suggest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((length, rest)) = data.split_first() else {
        return;
    };
    let values: Vec<_> = rest.chunks(usize::from(*length % 64) + 1).collect();
    let observed: Vec<_> = values
        .iter()
        .zip(0_i64..)
        .map(|(bytes, at)| Observed {
            at_ns: at * 10_000_000,
            bytes,
        })
        .collect();
    for suggestion in suggest(&observed) {
        assert!(suggestion.score.is_finite());
        for evidence in &suggestion.evidence {
            assert!(evidence.range.start <= evidence.range.end);
            decode_fuzz::shown(&evidence.sentence);
        }
        let format = Format::Layout(suggestion.layout);
        for value in &values {
            decode_fuzz::read(&format, value);
        }
    }
});
