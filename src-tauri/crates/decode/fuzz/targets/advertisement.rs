//! Any bytes as an advertisement: AD structures without a gap, and the beacons in them.
#![no_main]

use decode::advertisement::{self, AdPart, AdType};
use decode::names;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut next = 0;
    for part in advertisement::parts(data) {
        let (kind, range, inner) = match part {
            AdPart::Structure { kind, range, data } => (Some(kind), range, data),
            AdPart::Truncated {
                kind,
                range,
                data,
                missing,
            } => {
                assert!(missing > 0);
                (kind, range, data)
            }
            AdPart::Padding { range } => (None, range.clone(), range),
        };
        assert_eq!(range.start, next);
        assert!(range.start < range.end && range.end <= data.len());
        assert!(range.start <= inner.start && inner.start <= inner.end && inner.end <= range.end);
        next = range.end;
        let inner = &data[inner];
        let summary = match (kind, inner) {
            (Some(AdType::MANUFACTURER_DATA), [low, high, rest @ ..]) => {
                advertisement::summary([(u16::from_le_bytes([*low, *high]), rest)], [])
            }
            (Some(AdType::SERVICE_DATA_16), [low, high, rest @ ..]) => {
                let uuid = names::uuid16(u16::from_le_bytes([*low, *high]));
                advertisement::summary([], [(uuid, rest)])
            }
            _ => None,
        };
        if let Some(summary) = summary {
            decode_fuzz::shown(&summary);
        }
    }
    assert_eq!(next, data.len());
});
