//! Fitness machines against values that were captured from them. Their resistance level has 16
//! bits, where the GATT Specification Supplement has 8.

#![allow(
    clippy::unwrap_used,
    reason = "a format that cannot be had fails the test"
)]

use decode::encode::{self, Given};
use decode::{Format, Sig, names};

fn format(uuid: u16) -> Format {
    Format::Sig(Sig::of(names::uuid16(uuid)).unwrap())
}

/// The fields of a value that are no flags, as `name: value`, and what is left over.
fn said(uuid: u16, hex: &str) -> Vec<String> {
    let bytes = encode::hex(hex).unwrap();
    let mut lines = Vec::new();
    let rest = format(uuid).decode(&bytes, |field| {
        if field.bits.is_none() {
            lines.push(format!("{}: {field}", field.label()));
        }
    });
    if !rest.extra.is_empty() {
        lines.push(format!("extra {:?}", rest.extra));
    }
    lines
}

/// A Zwift Hub; `github.com/Berg0162/simcline`, issue 7. The capture's own reader, which expects
/// other flags, has 20, 199 and 104 where the resistance, the power and its average are here.
#[test]
fn a_bike_with_a_resistance_level_of_16_bits_is_read_to_its_end() {
    assert_eq!(
        said(0x2AD2, "FE02FE0934088E007C004A01001400C700680000"),
        [
            "Speed: 25.58 km/h",
            "Average speed: 21.00 km/h",
            "Cadence: 71.0 1/min",
            "Average cadence: 62.0 1/min",
            "Total distance: 330 m",
            "Resistance level: 20",
            "Power: 199 W",
            "Average power: 104 W",
            "Heart rate: 0 bpm",
        ]
    );
    let mut numbers = Vec::new();
    let bytes = encode::hex("FE02FE0934088E007C004A01001400C700680000").unwrap();
    format(0x2AD2).columns(&bytes, &mut |_, number| numbers.push(number));
    assert_eq!(
        numbers,
        [25.58, 21.0, 71.0, 62.0, 330.0, 20.0, 199.0, 104.0, 0.0]
    );
}

/// By the Supplement, made by hand: the same in a value that is as long as 8 bits make it.
#[test]
fn a_bike_with_a_resistance_level_of_8_bits_is_read_too() {
    assert_eq!(
        said(0x2AD2, "610014C700"),
        ["Resistance level: 20", "Power: 199 W"]
    );
}

/// Made by hand after the layouts of the service.
#[test]
fn other_machines_have_either_width() {
    // Two bytes more than 8 bits make it are no wider number.
    assert_eq!(
        said(0x2AD1, "810014C700"),
        ["Resistance level: 20", "extra 3..5"]
    );
    assert_eq!(said(0x2AD1, "810014"), ["Resistance level: 20"]);
    assert_eq!(said(0x2AD1, "8100F6FF"), ["Resistance level: \u{2212}10"]);
    assert_eq!(said(0x2ACE, "81000014"), ["Resistance level: 20"]);
    assert_eq!(said(0x2ACE, "8100002C01"), ["Resistance level: 300"]);
}

/// The range in 16 bits stands in the sources of `github.com/dvmarinoff/Auuki`.
#[test]
fn the_range_of_resistance_levels_has_either_width() {
    assert_eq!(
        said(0x2AD6, "0000E8030100"),
        [
            "Minimum resistance level: 0",
            "Maximum resistance level: 1000",
            "Minimum increment: 1",
        ]
    );
    assert_eq!(
        said(0x2AD6, "006401"),
        [
            "Minimum resistance level: 0",
            "Maximum resistance level: 100",
            "Minimum increment: 1",
        ]
    );
}

/// Made by hand after the op codes of the service.
#[test]
fn a_target_resistance_has_either_width() {
    let target = |uuid, hex| said(uuid, hex).pop().unwrap();
    assert_eq!(target(0x2AD9, "0414"), "Target resistance level: 20");
    assert_eq!(target(0x2AD9, "042C01"), "Target resistance level: 300");
    assert_eq!(
        target(0x2ADA, "07F6FF"),
        "Target resistance level: \u{2212}10"
    );
    let written = |text| {
        format(0x2AD9).encode(&[Given {
            name: "Target resistance level",
            element: None,
            text,
        }])
    };
    assert_eq!(written("20"), Ok(vec![4, 20]));
    assert_eq!(written("300"), Ok(vec![4, 0x2C, 1]));
    assert_eq!(written("-10"), Ok(vec![4, 0xF6, 0xFF]));
}

/// One that needs 16 bits makes all three have them: the length alone tells them apart.
#[test]
fn the_bounds_of_a_range_are_written_in_one_width() {
    let bounds = |most| {
        let given = [
            ("Minimum resistance level", "0"),
            ("Maximum resistance level", most),
            ("Minimum increment", "1"),
        ]
        .map(|(name, text)| Given {
            name,
            element: None,
            text,
        });
        format(0x2AD6).encode(&given)
    };
    assert_eq!(bounds("100"), Ok(vec![0, 100, 1]));
    assert_eq!(bounds("1000"), Ok(vec![0, 0, 0xE8, 3, 1, 0]));
}
