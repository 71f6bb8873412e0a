//! Bytes that no honest device sends: cut short, too long, all ones, all zeros, bits that are
//! reserved. What cannot be is marked with why, the others are read, and nothing panics.

#![allow(
    clippy::unwrap_used,
    reason = "a format that cannot be had fails the test"
)]

use std::sync::LazyLock;

use decode::advertisement::Beacon;
use decode::{Fault, Format, Presentation, Presented, Sig, Value, clean};
use proptest::prelude::*;

static FORMATS: LazyLock<Vec<Format>> = LazyLock::new(formats);

/// Every standard format and every beacon, one for each presentation format, also the reserved
/// ones, and layouts of all kinds.
fn formats() -> Vec<Format> {
    let presented = (0..=0x20_u8).map(|kind| {
        let descriptor = [kind, 0xFE, 0x2F, 0x27, 1, 0, 0];
        Format::Presented(Presentation::read(&descriptor).unwrap().into())
    });
    let two = |kind: u8| {
        let all = [kind, 0x0E, 0x19].map(|kind| Presentation::read(&[kind, 0, 0, 0x27, 1, 0, 0]));
        Presented::aggregate(all.into_iter().flatten().collect()).unwrap()
    };
    let several = (0..=0x20_u8).map(|kind| Format::Presented(two(kind)));
    let standard = Sig::all().map(Format::Sig);
    let beacons = Beacon::all().map(Format::Beacon);
    let layouts = LAYOUTS.map(|text| Format::Layout(text.parse().unwrap()));
    let all = standard.chain(beacons).chain(presented).chain(several);
    all.chain(layouts).collect()
}

const LAYOUTS: [&str; 7] = [
    "a:utf8",
    "a:utf8[3], b:utf8",
    "n:u8, a:utf8[n], b:hex[2], c:utf8",
    "f:u8{0=none, 255=not known}, x:i16le*0.01 \u{b0}C?f=1, y:f32le, z:utf8??",
    "flags:u8{.0=low, .7=high}, b:u8.1-3, c:bool, t:medfloat16, d:bcd16le",
    "{x:i16le, y:u8}[2], rest:hex",
    "s:i24be[3]*0.5+1 g, u:u64le, h:f64be",
];

/// Text from the air that would hide, reorder or break what stands beside it.
fn fit(text: &str) {
    assert_eq!(clean::text(text, usize::MAX), text, "{text:?}");
}

/// Reads a value in every way there is, and says what was seen.
fn check(format: &Format, bytes: &[u8]) -> Vec<(String, Option<Fault>, std::ops::Range<usize>)> {
    let mut fields = Vec::new();
    let mut numbers = Vec::new();
    let mut missing = 0;
    let rest = format.decode(bytes, |field| {
        let range = field.range.clone();
        assert!(
            range.start <= range.end && range.end <= bytes.len(),
            "{format} {bytes:02x?} {field:?}"
        );
        if let (Some(bits), true) = (&field.bits, field.value != Value::Missing) {
            let width = 8 * range.len();
            assert!(
                bits.start() <= bits.end() && usize::from(*bits.end()) < width,
                "{field:?}"
            );
        }
        if field.value == Value::Missing {
            missing += 1;
            // A layout says by the value alone that a field is missing.
            assert!(
                matches!(format, Format::Layout(_))
                    || matches!(
                        field.fault,
                        Some(Fault::CutShort { .. } | Fault::RecordLength)
                    ),
                "{format} {bytes:02x?} {field:?}"
            );
        }
        fit(&field.to_string());
        fit(&field.label().to_string());
        numbers.extend(field.number());
        fields.push((field.label().to_string(), field.fault, range));
    });
    assert_eq!(rest.missing, missing, "{format} {bytes:02x?}");
    assert!(rest.extra.start <= rest.extra.end && rest.extra.end == bytes.len());
    let columns = format.series().len();
    format.columns(bytes, &mut |column, number| {
        assert!(column < columns, "{format} {bytes:02x?}");
        // Every number of a column is one that a field has.
        let seen = |one: &f64| one.to_bits() == number.to_bits();
        assert!(numbers.iter().any(seen), "{format} {bytes:02x?} {number}");
    });
    let line = format.summary(bytes);
    // The first or the last of it may be an empty text.
    fit(line.trim_matches(' '));
    fields
}

#[test]
fn all_lengths_of_all_fills_are_read() {
    let mut faults = 0;
    for format in FORMATS.iter() {
        for fill in [0x00, 0x01, 0x7F, 0x80, 0xC3, 0xED, 0xFE, 0xFF] {
            let bytes = [fill; 72];
            for end in 0..=bytes.len() {
                let fields = check(format, &bytes[..end]);
                faults += fields
                    .iter()
                    .filter(|(_, fault, _)| fault.is_some())
                    .count();
            }
        }
    }
    assert!(faults > 100_000, "{faults}");
}

/// Text that reorders, hides, breaks lines, piles up marks or ends within a character.
#[test]
fn hostile_text_is_shown_harmless() {
    let mut seen = 0;
    for text in [
        "\u{202E}gpj.exe",
        "a\u{200B}b\u{2066}c\u{2069}",
        "a\nb\u{2028}c\u{85}d",
        "\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "\u{3164}\u{115F}",
        "\u{200D}x\u{200D}",
        "  x\0\0",
    ] {
        for format in FORMATS.iter() {
            for end in 0..=text.len() {
                seen += check(format, &text.as_bytes()[..end]).len();
            }
        }
    }
    assert!(seen > 10_000, "{seen}");
}

const VECTORS: &str = include_str!("sig/vectors.txt");

/// A label without its element: the only record of a value has no number.
fn bare(label: &str) -> &str {
    label.split('[').next().unwrap()
}

/// The vectors of every format, cut at each length: what is whole in the rest says what it said,
/// and the first field that is not is marked.
#[test]
fn a_value_cut_short_keeps_its_first_fields() {
    let (mut cuts, mut marked) = (0, 0);
    for line in VECTORS.lines().filter(|line| !line.starts_with([' ', '#'])) {
        let mut words = line.split(' ');
        let format: Format = format!("sig:{}", words.next().unwrap()).parse().unwrap();
        let hex = words.next().unwrap().trim_start_matches('-');
        let bytes = decode::encode::hex(hex).unwrap();
        let whole = check(&format, &bytes);
        for end in 0..bytes.len() {
            let cut = check(&format, &bytes[..end]);
            let kept = whole.iter().take_while(|(_, _, range)| range.end <= end);
            for (field, other) in kept.zip(&cut) {
                let same = (bare(&field.0), &field.2) == (bare(&other.0), &other.2);
                let unmarked = field.1 == other.1 || other.1 == Some(Fault::RecordLength);
                assert!(
                    same && unmarked,
                    "{format} {bytes:02x?} {end} {field:?} {other:?}"
                );
            }
            let cut_off = |(_, fault, _): &(_, Option<Fault>, _)| {
                matches!(fault, Some(Fault::CutShort { .. }))
            };
            marked += usize::from(cut.iter().any(cut_off));
            cuts += 1;
        }
    }
    // The others end between two elements of a row, or in text or bytes that go on to the end.
    assert!(cuts > 8000 && marked > cuts * 9 / 10, "{marked} of {cuts}");
}

/// One byte more than a format takes is left over, unless the format goes on to the end.
#[test]
fn bytes_too_many_are_said_to_be() {
    let (mut over, mut taken) = (0, 0);
    for line in VECTORS.lines().filter(|line| !line.starts_with([' ', '#'])) {
        let mut words = line.split(' ');
        let format: Format = format!("sig:{}", words.next().unwrap()).parse().unwrap();
        let hex = words.next().unwrap().trim_start_matches('-');
        let mut bytes = decode::encode::hex(hex).unwrap();
        let before = check(&format, &bytes);
        let len = bytes.len();
        bytes.push(0x5A);
        let after = check(&format, &bytes);
        let rest = format.decode(&bytes, |_| ());
        if rest.extra == (len..len + 1) {
            over += 1;
            assert_eq!(after, before, "{format}");
        } else {
            taken += 1;
        }
    }
    assert!(over > 8 * taken && taken > 10, "{over} {taken}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(
        which in 0..FORMATS.len(),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(0xFF)], 0..80),
    ) {
        check(&FORMATS[which], &bytes);
    }
}
