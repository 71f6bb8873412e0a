//! Vectors are computed by hand from the tables of the GATT Specification Supplement and the
//! Heart Rate Service specification.

use std::ops::Range;

use proptest::prelude::*;

use super::*;

fn sig(uuid: u16) -> Sig {
    Sig::of(names::uuid16(uuid)).unwrap()
}

fn decoded(uuid: u16, bytes: &[u8]) -> (Vec<(String, String, Range<usize>)>, Rest) {
    let mut all = Vec::new();
    let rest = sig(uuid).decode(bytes, |field| {
        all.push((field.label().to_string(), field.to_string(), field.range));
    });
    (all, rest)
}

fn only(uuid: u16, bytes: &[u8]) -> String {
    let (fields, rest) = decoded(uuid, bytes);
    assert_eq!((fields.len(), rest.missing), (1, 0));
    fields[0].1.clone()
}

fn columns(uuid: u16, bytes: &[u8]) -> Vec<(usize, f64)> {
    let mut all = Vec::new();
    sig(uuid).columns(bytes, &mut |column, number| all.push((column, number)));
    all
}

fn triple(name: &str, value: &str, range: Range<usize>) -> (String, String, Range<usize>) {
    (name.to_owned(), value.to_owned(), range)
}

#[test]
fn tables_are_ascending_and_no_format_is_in_two() {
    for table in tables::ALL {
        assert!(table.windows(2).all(|pair| pair[0].uuid < pair[1].uuid));
    }
    for sig in Sig::all() {
        assert_eq!(Sig::of(sig.uuid()), Some(sig));
    }
    let mut all: Vec<u16> = Sig::all().map(Sig::short).collect();
    all.sort_unstable();
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn columns_count_from_zero() {
    for sig in Sig::all() {
        let series = sig.series();
        assert!((0..).zip(&series).all(|(at, series)| series.column == at));
    }
}

/// Formats of characteristics that are younger than the list of names.
const UNNAMED: std::ops::RangeInclusive<u16> = 0x2BFF..=0x2C30;

#[test]
fn every_format_has_a_name_in_the_assigned_numbers() {
    for sig in Sig::all() {
        let name = names::characteristic(sig.uuid()).or_else(|| names::descriptor(sig.uuid()));
        assert!(name.is_some() || UNNAMED.contains(&sig.short()), "{sig:?}");
    }
}

/// Bits of one integer come one after the other without a gap, and the last of them ends it:
/// else the parts after them would be read from the wrong place.
#[test]
fn bits_of_an_integer_cover_it() {
    for sig in Sig::all() {
        let mut next: Option<(u8, u32)> = None;
        for part in sig.0.parts {
            let (of, first, after, ends) = match part.kind {
                Kind::Bits {
                    of,
                    first,
                    last,
                    ends,
                } => (of, first, last + 1, ends),
                Kind::Set {
                    of,
                    first,
                    names,
                    ends,
                    ..
                } => (of, first, first + u8::try_from(names.len()).unwrap(), ends),
                _ => {
                    assert_eq!(next, None, "{sig:?} {}", part.name);
                    continue;
                }
            };
            let (expected, bits) = next.unwrap_or((0, of.bits()));
            assert_eq!(
                (first, of.bits()),
                (expected, bits),
                "{sig:?} {}",
                part.name
            );
            assert_eq!(ends, u32::from(after) == bits, "{sig:?} {}", part.name);
            next = (!ends).then_some((after, bits));
        }
        assert_eq!(next, None, "{sig:?}");
    }
}

#[test]
fn a_full_heart_rate_measurement_says_everything() {
    // Flags 0b1_1111: 16 bits, contact detected, energy, RR. 300 bpm, 1000 kJ, RR 832 and 1024.
    let bytes = [0x1F, 0x2C, 0x01, 0xE8, 0x03, 0x40, 0x03, 0x00, 0x04];
    let (fields, rest) = decoded(0x2A37, &bytes);
    assert_eq!(
        fields,
        [
            triple("Heart rate format", "16 bits", 0..1),
            triple("Sensor contact", "detected", 0..1),
            triple("Energy expended field", "present", 0..1),
            triple("RR interval field", "present", 0..1),
            triple("Heart rate", "300 bpm", 1..3),
            triple("Energy expended", "1000 kJ", 3..5),
            triple("RR interval[0]", "812 ms", 5..7),
            triple("RR interval[1]", "1000 ms", 7..9),
        ]
    );
    assert_eq!(
        rest,
        Rest {
            extra: 9..9,
            missing: 0
        }
    );
    assert_eq!(
        columns(0x2A37, &bytes),
        [(0, 300.0), (1, 1000.0), (2, 812.5), (2, 1000.0)]
    );
}

#[test]
fn a_short_heart_rate_measurement_has_the_same_column() {
    assert_eq!(columns(0x2A37, &[0x00, 72]), [(0, 72.0)]);
    let (fields, _) = decoded(0x2A37, &[0x04, 72]);
    assert_eq!(fields[1], triple("Sensor contact", "not detected", 0..1));
    assert_eq!(fields[4], triple("Heart rate", "72 bpm", 1..2));
    let series: Vec<_> = sig(0x2A37)
        .series()
        .into_iter()
        .map(|series| (series.name, series.unit, series.repeats))
        .collect();
    let unit = |unit: &str| Some(unit.to_owned());
    assert_eq!(
        series,
        [
            ("Heart rate".to_owned(), unit("bpm"), false),
            ("Energy expended".to_owned(), unit("kJ"), false),
            ("RR interval".to_owned(), unit("ms"), true),
        ]
    );
}

#[test]
fn a_cut_heart_rate_measurement_decodes_as_far_as_it_goes() {
    let (fields, rest) = decoded(0x2A37, &[0x19, 0x2C]);
    assert_eq!(
        fields[4..],
        [
            triple("Heart rate", "missing", 1..2),
            triple("Energy expended", "missing", 2..2),
            triple("RR interval", "missing", 2..2),
        ]
    );
    assert_eq!(
        rest,
        Rest {
            extra: 2..2,
            missing: 3
        }
    );
    let (fields, rest) = decoded(0x2A37, &[]);
    assert_eq!(
        (fields.len(), rest.missing),
        (5, 5),
        "flags and a heart rate"
    );
    let (_, rest) = decoded(0x2A37, &[0x10, 72, 0, 4, 9]);
    assert_eq!(rest.extra, 4..5, "half an RR interval");
}

#[test]
fn reserved_flags_are_shown_when_set() {
    let (fields, _) = decoded(0x2A37, &[0x60, 72]);
    assert_eq!(fields[4], triple("Reserved", "3", 0..1));
    assert_eq!(fields[5], triple("Heart rate", "72 bpm", 1..2));
}

#[test]
fn environmental_values_have_their_scale_and_their_not_known() {
    assert_eq!(only(0x2A6E, &[0x85, 0xFF]), "\u{2212}1.23 °C");
    assert_eq!(only(0x2A6E, &[0x00, 0x80]), "not known");
    assert_eq!(columns(0x2A6E, &[0x00, 0x80]), []);
    assert_eq!(only(0x2A6F, &[0x88, 0x13]), "50.00 %");
    assert_eq!(only(0x2A6F, &[0xFF, 0xFF]), "not known");
    // 1 013 250 tenths of a pascal.
    assert_eq!(only(0x2A6D, &[0x02, 0x76, 0x0F, 0x00]), "101325.0 Pa");
    assert_eq!(columns(0x2A6D, &[0x02, 0x76, 0x0F, 0x00]), [(0, 101_325.0)]);
}

#[test]
fn simple_values_are_named() {
    assert_eq!(only(0x2A19, &[87]), "87 %");
    assert_eq!(only(0x2A38, &[1]), "Chest");
    assert_eq!(only(0x2A38, &[7]), "7");
    assert_eq!(only(0x2A01, &[0x41, 0x03]), "833");
    assert_eq!(only(0x2A00, b"Evil\x1b[2J"), "Evil\u{FFFD}[2J");
    assert_eq!(only(0x2A29, b"Acme\0"), "Acme");
    assert_eq!(only(0x2901, "Küche".as_bytes()), "Küche");
}

#[test]
fn the_client_configuration_shows_both_switches() {
    let (fields, rest) = decoded(0x2902, &[0x01, 0x80]);
    assert_eq!(
        fields,
        [
            triple("Notifications", "on", 0..2),
            triple("Indications", "off", 0..2),
            triple("Reserved", "8192", 0..2),
        ]
    );
    assert_eq!(
        rest,
        Rest {
            extra: 2..2,
            missing: 0
        }
    );
}

proptest! {
    #[test]
    fn any_bytes_decode_within_themselves(
        which in 0..Sig::all().count(),
        bytes in prop::collection::vec(any::<u8>(), 0..48),
    ) {
        let sig = Sig::all().nth(which).unwrap();
        let columns = sig.series().len();
        let mut missing = 0;
        let rest = sig.decode(&bytes, |field| {
            assert!(field.range.start <= field.range.end && field.range.end <= bytes.len());
            let _shown = field.to_string();
            missing += usize::from(field.value == Value::Missing);
        });
        prop_assert_eq!(rest.missing, missing);
        prop_assert!(rest.extra.start <= rest.extra.end && rest.extra.end == bytes.len());
        sig.columns(&bytes, &mut |column, _| assert!(column < columns));
    }
}
