use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::clean;
use crate::field::{Fault, Field, Value};

fn all_sources() -> Vec<Source> {
    let mut all: Vec<Source> = [0x004C, 0x0006, 0x0499, 0x0118]
        .map(Source::Manufacturer)
        .into();
    let services = [
        0xFEAA, 0xFE2C, 0xFD6F, 0xFCB2, 0xFFF6, 0xFCD2, 0x181C, 0x181E, 0xFE95, 0x181A, 0x1827,
        0x1828,
    ];
    all.extend(services.map(|short| Source::Service(crate::names::uuid16(short))));
    all.extend([0x29, 0x2A, 0x2B].map(|kind| Source::Structure(AdType(kind))));
    all
}

/// That a field lies within its bytes, and a reason stands where a value is missing.
fn sound(field: &Field<'_>, len: usize) -> Result<(), TestCaseError> {
    prop_assert!(field.range.start <= field.range.end && field.range.end <= len);
    if let Some(bits) = &field.bits {
        prop_assert!(usize::from(*bits.end()) < 8 * field.range.len());
    }
    if field.value == Value::Missing {
        prop_assert!(field.fault.is_some(), "{}", field.name);
        prop_assert_eq!(field.number(), None);
    }
    Ok(())
}

fn check(beacon: Beacon, bytes: &[u8]) -> Result<(), TestCaseError> {
    let series = beacon.series();
    let mut fields = Vec::new();
    let mut missing = 0;
    let mut sound_all = Ok(());
    let rest = beacon.decode(bytes, |field| {
        sound_all = sound_all.clone().and(sound(&field, bytes.len()));
        missing += usize::from(field.value == Value::Missing);
        let label = field.label().to_string();
        let plotted = series
            .iter()
            .find(|one| one.name == label && one.unit.as_deref() == field.unit);
        if let (Some(one), Some(number)) = (plotted, field.number()) {
            fields.push((one.column, number.to_bits()));
        }
    });
    sound_all?;
    prop_assert!(rest.extra.end <= bytes.len() && rest.extra.start <= rest.extra.end);
    prop_assert_eq!(rest.missing, missing, "{:?}", beacon);
    let mut columns = Vec::new();
    beacon.columns(bytes, &mut |column, number| {
        columns.push((column, number.to_bits()))
    });
    prop_assert_eq!(columns, fields, "{:?}", beacon);
    let summary = Format::Beacon(beacon).summary(bytes);
    prop_assert_eq!(clean::text(&summary, 2000), summary.as_str());
    Ok(())
}

#[test]
fn every_beacon_has_a_key_of_its_own_and_reads_back() {
    let mut keys = HashSet::new();
    for beacon in Beacon::all() {
        assert!(keys.insert(beacon.key()), "{beacon:?} twice");
        let text = Format::Beacon(beacon).to_string();
        assert_eq!(text.parse(), Ok(Format::Beacon(beacon)));
        assert!(!beacon.name().is_empty() && !beacon.brief().is_empty());
        for (at, one) in beacon.series().iter().enumerate() {
            assert_eq!(one.column, at, "{beacon:?}");
        }
    }
    assert_eq!(keys.len(), 43);
}

#[test]
fn columns_of_a_beacon_have_names_of_their_own() {
    for beacon in Beacon::all() {
        let mut names = HashSet::new();
        for one in beacon.series() {
            assert!(
                names.insert((one.name.clone(), one.unit)),
                "{beacon:?} {}",
                one.name
            );
        }
    }
}

#[test]
fn a_payload_that_is_cut_short_keeps_what_is_there() {
    let whole = [5, 0x12, 0xFC, 0x53, 0x94, 0xC3, 0x7C];
    let beacon = Beacon::of(Source::Manufacturer(0x0499), &whole).unwrap();
    let mut there = 0;
    let rest = beacon.decode(&whole[..6], |field| match field.value {
        Value::Missing => assert!(matches!(field.fault, Some(Fault::CutShort { .. }))),
        _ => there += 1,
    });
    assert_eq!((there, rest.missing), (3, 9));
    let long = [&whole[..], &[0; 40]].concat();
    assert_eq!(beacon.decode(&long, |_| {}).extra, 24..47);
}

#[test]
fn the_bytes_of_a_structure_are_told_apart_from_its_identifier() {
    let source = |kind, data: &[u8]| Source::of_structure(AdType(kind), data);
    assert_eq!(
        source(0xFF, &[0x99, 0x04, 5]),
        Some((Source::Manufacturer(0x0499), 2..3))
    );
    let battery = Source::Service(crate::names::uuid16(0x180F));
    assert_eq!(source(0x16, &[0x0F, 0x18]), Some((battery, 2..2)));
    assert_eq!(source(0x20, &[0x0F, 0x18, 0, 0, 1]), Some((battery, 4..5)));
    let mut long = battery_bytes();
    long.push(1);
    assert_eq!(source(0x21, &long), Some((battery, 16..17)));
    assert_eq!(source(0x21, &long[..15]), None);
    let beacon = Source::Structure(AdType(0x2B));
    assert_eq!(source(0x2B, &[0]), Some((beacon, 0..1)));
}

fn battery_bytes() -> Vec<u8> {
    crate::names::uuid16(0x180F)
        .as_u128()
        .to_le_bytes()
        .to_vec()
}

proptest! {
    #[test]
    fn any_bytes_of_any_source_are_decoded_soundly(
        source in prop::sample::select(all_sources()),
        first in prop::collection::vec(prop::sample::select(vec![
            0_u8, 1, 2, 3, 5, 6, 7, 8, 9, 0x10, 0x12, 0x15, 0x20, 0x30, 0x40, 0x41, 0x50, 0x58, 0xC5, 0xE1,
        ]), 0..3),
        rest in prop::collection::vec(any::<u8>(), 0..48),
    ) {
        let bytes = [first, rest].concat();
        if let Some(beacon) = Beacon::of(source, &bytes) {
            check(beacon, &bytes)?;
        }
    }

    #[test]
    fn any_bytes_read_as_any_beacon_are_decoded_soundly(
        at in 0_usize..43,
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0_u8..8], 0..64),
    ) {
        let beacon = Beacon::all().nth(at).unwrap();
        check(beacon, &bytes)?;
    }

    #[test]
    fn any_bytes_of_any_structure_are_decoded_soundly(
        kind in any::<u8>(),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut sound_all = Ok(());
        let mut missing = 0;
        let rest = decode_structure(AdType(kind), &bytes, |field| {
            sound_all = sound_all.clone().and(sound(&field, bytes.len()));
            missing += usize::from(field.value == Value::Missing);
            let shown = field.to_string();
            assert_eq!(clean::text(&shown, 2000), shown.as_str());
        });
        sound_all?;
        prop_assert_eq!(rest.missing, missing);
        prop_assert!(rest.extra.end <= bytes.len());
    }
}

fn all(bytes: &[u8]) -> Vec<AdPart> {
    parts(bytes).collect()
}

#[test]
fn structures_follow_one_another() {
    // Flags, one service (0x180D), and a structure that is a type alone.
    let bytes = [2, 0x01, 0x06, 3, 0x03, 0x0D, 0x18, 1, 0x0A];
    assert_eq!(
        all(&bytes),
        [
            AdPart::Structure {
                kind: AdType(0x01),
                range: 0..3,
                data: 2..3
            },
            AdPart::Structure {
                kind: AdType(0x03),
                range: 3..7,
                data: 5..7
            },
            AdPart::Structure {
                kind: AdType(0x0A),
                range: 7..9,
                data: 9..9
            },
        ]
    );
    assert_eq!(all(&[]), []);
}

#[test]
fn a_structure_that_claims_too_much_is_reported() {
    assert_eq!(
        all(&[9, 0xFF, 1]),
        [AdPart::Truncated {
            kind: Some(AdType(0xFF)),
            range: 0..3,
            data: 2..3,
            missing: 7
        }]
    );
    assert_eq!(
        all(&[1]),
        [AdPart::Truncated {
            kind: None,
            range: 0..1,
            data: 1..1,
            missing: 1
        }]
    );
    assert_eq!(
        all(&[255, 0x09]),
        [AdPart::Truncated {
            kind: Some(AdType(0x09)),
            range: 0..2,
            data: 2..2,
            missing: 254
        }]
    );
}

#[test]
fn a_length_of_zero_ends_the_significant_part() {
    assert_eq!(
        all(&[1, 0x0A, 0, 0, 7]),
        [
            AdPart::Structure {
                kind: AdType(0x0A),
                range: 0..2,
                data: 2..2
            },
            AdPart::Padding { range: 2..5 },
        ]
    );
}

#[test]
fn types_have_names_and_numbers() {
    assert_eq!(
        AdType::MANUFACTURER_DATA.name(),
        Some("Manufacturer specific data")
    );
    assert_eq!(AdType(0x99).name(), None);
    assert_eq!(AdType(0x0A).to_string(), "0x0A");
}

#[test]
fn the_first_beacon_is_summarised() {
    let eddystone = crate::names::uuid16(0xFEAA);
    let tlm: &[u8] = &[0x20, 0, 0x0B, 0xB8, 0x16, 0x80, 0, 0, 0, 1, 0, 0, 0, 10];
    let nobody = [(0x1234, [0x10, 0x05].as_slice())];
    assert_eq!(summary(nobody, []), None);
    assert_eq!(
        summary(nobody, [(eddystone, tlm)]).as_deref(),
        Some("Eddystone TLM 3000 mV, 22.50 °C")
    );
    let apple = [(0x004C, [0x10, 0x05].as_slice())];
    assert_eq!(
        summary(apple, [(eddystone, tlm)]).as_deref(),
        Some("Apple nearby info")
    );
}

proptest! {
    #[test]
    fn any_bytes_come_apart_without_a_gap(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut next = 0;
        for part in parts(&bytes) {
            let (range, data) = match part {
                AdPart::Structure { range, data, .. } | AdPart::Truncated { range, data, .. } => (range, data),
                AdPart::Padding { range } => (range.clone(), range),
            };
            prop_assert_eq!(range.start, next);
            prop_assert!(range.start < range.end && range.end <= bytes.len());
            prop_assert!(data.start <= data.end && data.end <= range.end);
            next = range.end;
        }
        prop_assert_eq!(next, bytes.len());
    }
}
