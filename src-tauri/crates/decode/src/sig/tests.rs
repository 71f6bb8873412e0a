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

/// A word that stands for two numbers could not be written as what it was read from.
#[test]
fn a_word_of_a_field_stands_for_one_number() {
    let mut twice = Vec::new();
    for sig in Sig::all() {
        for part in sig.0.parts {
            let mut words = part.choices();
            let all = words.len();
            words.sort_by_key(|word| word.to_lowercase());
            words.dedup_by_key(|word| word.to_lowercase());
            if words.len() != all {
                twice.push((sig, part.name));
            }
        }
    }
    assert_eq!(twice, []);
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

#[test]
fn every_format_has_a_name_in_the_assigned_numbers() {
    for sig in Sig::all() {
        let name = names::characteristic(sig.uuid()).or_else(|| names::descriptor(sig.uuid()));
        assert!(name.is_some(), "{sig:?}");
    }
}

/// Bits of one integer come one after the other without a gap, and the last of them ends it:
/// else the parts after them would be read from the wrong place.
#[test]
fn bits_of_an_integer_cover_it() {
    for sig in Sig::all() {
        let mut next: Option<(u8, u32)> = None;
        for part in sig.0.parts {
            assert!(!part.repeats || part.size() > 0, "{sig:?} would not end");
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
    assert_eq!(only(0x2A01, &[0x41, 0x03]), "Heart Rate Belt");
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

/// Names, values and faults of the fields that are not as they should be.
fn faults(uuid: u16, bytes: &[u8]) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    sig(uuid).decode(bytes, |field| {
        if let Some(fault) = field.fault {
            let label = field.label().to_string();
            all.push((label, field.to_string(), fault.to_string()));
        }
    });
    all
}

fn fault(name: &str, value: &str, fault: &str) -> (String, String, String) {
    (name.to_owned(), value.to_owned(), fault.to_owned())
}

#[test]
fn what_cannot_be_is_marked_and_the_rest_decodes() {
    // Humidity of 120 %: the number is handed on all the same.
    assert_eq!(
        faults(0x2A6F, &[0xE0, 0x2E]),
        [fault("Humidity", "120.00 %", "outside 0 to 100")]
    );
    assert_eq!(columns(0x2A6F, &[0xE0, 0x2E]), [(0, 120.0)]);
    assert_eq!(
        faults(0x2A6E, &[0x01, 0x80]),
        [fault(
            "Temperature",
            "\u{2212}327.67 °C",
            "outside \u{2212}273.15 to 327.67"
        )]
    );
    // Month 13, and the 30th of February.
    let odd = [0xE8, 0x07, 13, 1, 12, 0, 0, 3];
    assert_eq!(
        faults(0x2A0A, &odd),
        [fault(
            "Date and time",
            "2024-13-01 12:00:00",
            "no such time"
        )]
    );
    assert_eq!(decoded(0x2A0A, &odd).0[1].1, "Wednesday");
    assert_eq!(faults(0x2A85, &[0xE7, 0x07, 2, 29]).len(), 1);
    assert_eq!(faults(0x2A85, &[0xE8, 0x07, 2, 29]), []);
    assert_eq!(only(0x2A85, &[0, 0, 5, 0]), "????-05-??");
    assert_eq!(
        faults(0x2A38, &[7]),
        [fault("Body sensor location", "7", "reserved")]
    );
    assert_eq!(
        faults(0x2A37, &[0xE0, 72]),
        [fault("Reserved", "7", "reserved")]
    );
    assert_eq!(
        faults(0x2A29, b"Ac\xFFme"),
        [fault(
            "Manufacturer name",
            "Ac\u{FFFD}me",
            "not UTF-8 from byte 2 on"
        )]
    );
    assert_eq!(
        faults(0x2BFF, b"\x03ab\0cd"),
        [fault(
            "UDI device identifier",
            "cd",
            "no zero byte at the end"
        )]
    );
    assert_eq!(
        faults(0x2A6D, &[1, 2, 3]),
        [fault("Pressure", "missing", "cut short: 3 of 4 bytes")]
    );
    assert_eq!(
        faults(0x2BCF, &[0x01, 0x08]),
        [fault("Ammonia concentration", "reserved", "reserved")]
    );
    // A reserved bit in the middle of a set.
    let (fields, _) = decoded(0x2A18, &[0x08, 1, 0, 0xE8, 7, 1, 1, 0, 0, 0, 0x01, 0x10]);
    assert!(fields.contains(&triple("Device battery low", "yes", 10..12)));
    assert!(fields.contains(&triple("Reserved", "yes", 10..12)));
}

#[test]
fn overlong_values_leave_the_rest_over() {
    for sig in Sig::all() {
        let endless = sig.0.parts.iter().any(|part| {
            part.repeats
                || part.when == When::Left
                || matches!(part.kind, Kind::Text | Kind::ZeroText | Kind::Rest)
        });
        if !endless {
            let rest = sig.decode(&[0; 80], |_| ());
            assert!(rest.extra.end == 80 && rest.extra.start < 80, "{sig:?}");
        }
    }
}

#[test]
fn records_of_glucose_are_told_apart() {
    // Two records of six bytes: 100 mg/dL after 5 min, 98 after 10.
    let two = [6, 0, 0x64, 0x00, 5, 0, 6, 0, 0x62, 0x00, 10, 0];
    let (fields, rest) = decoded(0x2AA7, &two);
    assert!(fields.contains(&triple("Glucose concentration[0]", "100 mg/dL", 2..4)));
    assert!(fields.contains(&triple("Time offset[1]", "10 min", 10..12)));
    assert_eq!((rest.missing, rest.extra), (0, 12..12));
    assert_eq!(columns(0x2AA7, &two), [(0, 100.0), (0, 98.0)]);
    assert!(sig(0x2AA7).series()[0].repeats);

    assert_eq!(
        faults(0x2AA7, &[0, 0, 0x64, 0x00, 5, 0]),
        [fault("Size", "0 B", "impossible length")]
    );
    assert_eq!(
        faults(0x2AA7, &[9, 0, 0x64, 0x00, 5, 0]),
        [fault("Size", "9 B", "impossible length")]
    );
    // A record that ends before its glucose, and a whole one after it.
    let (fields, rest) = decoded(0x2AA7, &[3, 0, 0x64, 6, 0, 0x62, 0x00, 10, 0]);
    assert!(fields.contains(&triple("Glucose concentration[0]", "missing", 2..3)));
    assert!(fields.contains(&triple("Glucose concentration[1]", "98 mg/dL", 5..7)));
    assert_eq!(rest.missing, 2);
    // More than the flags say is not lost.
    let (fields, _) = decoded(0x2AA7, &[9, 0, 0x64, 0x00, 5, 0, 0x34, 0x12, 7]);
    assert!(fields.contains(&triple("E2E-CRC", "0x1234", 6..8)));
    assert!(fields.contains(&triple("More than the flags say", "07", 8..9)));
}

/// Op codes and operands by the tables of each service's control point, by hand.
#[test]
fn control_points_name_op_code_and_operand() {
    let rows: &[(u16, &[u8], &[&str])] = &[
        // Record Access: number of records from sequence number 5 on; no records found.
        (
            0x2A52,
            &[4, 3, 1, 5, 0],
            &[
                "report number of stored records",
                "greater than or equal to",
                "01 05 00",
            ],
        ),
        (
            0x2A52,
            &[6, 0, 1, 6],
            &["response", "null", "1", "no records found"],
        ),
        // SC: supported locations in shoe and hip.
        (
            0x2A55,
            &[0x10, 4, 1, 2, 3],
            &["response", "4", "success", "in shoe", "hip"],
        ),
        (0x2A55, &[0x10, 1, 1], &["response", "1", "success"]),
        // Cycling Power: a crank of 172.5 mm, asked for and set.
        (
            0x2A66,
            &[0x20, 5, 1, 0x59, 0x01],
            &["response", "5", "success", "172.5 mm"],
        ),
        (0x2A66, &[4, 0x59, 0x01], &["set crank length", "172.5 mm"]),
        // Location and Navigation: every 5 s; elevation of \u{2212}1 m.
        (0x2A6B, &[7, 5], &["set fix rate", "5 s"]),
        (
            0x2A6B,
            &[8, 0x9C, 0xFF, 0xFF],
            &["set elevation", "\u{2212}1.00 m"],
        ),
        // CGM: hyper alert level of 180 mg/dL; every 5 min; a response.
        (
            0x2AAC,
            &[0x10, 0xB4, 0x00],
            &["set hyper alert level", "180 mg/dL"],
        ),
        (0x2AAC, &[0x03, 5], &["communication interval", "5 min"]),
        (0x2AAC, &[0x1C, 0x1A, 1], &["response", "26", "success"]),
        // Fitness Machine: 100 W; a simulation of 2 m/s wind at 1.50 %; control not permitted.
        (0x2AD9, &[5, 100, 0], &["set target power", "100 W"]),
        (
            0x2AD9,
            &[0x11, 0xD0, 0x07, 0x96, 0x00, 0x28, 0x33],
            &[
                "set indoor bike simulation",
                "2.000 m/s",
                "1.50 %",
                "0.0040",
                "0.51 kg/m",
            ],
        ),
        (
            0x2AD9,
            &[0x80, 5, 5],
            &["response", "5", "control not permitted"],
        ),
        (0x2ADA, &[8, 0x2C, 1], &["target power changed", "300 W"]),
        // An op code of tomorrow, with whatever it brings.
        (0x2AD9, &[0x7E, 1, 2], &["126", "01 02"]),
    ];
    for (uuid, bytes, values) in rows {
        let (fields, rest) = decoded(*uuid, bytes);
        let got: Vec<_> = fields.iter().map(|(_, value, _)| value.as_str()).collect();
        assert_eq!(got, *values, "{uuid:04X} {bytes:02x?}");
        assert_eq!((rest.missing, rest.extra.len()), (0, 0), "{uuid:04X}");
    }
}

/// A calibration of 100 mg/dL after 10 min from a finger, the next after 70 min, record 3.
#[test]
fn a_calibration_is_a_whole_operand() {
    let bytes = [6, 0x64, 0x00, 10, 0, 0x11, 70, 0, 3, 0, 0x04];
    let (fields, rest) = decoded(0x2AAC, &bytes);
    assert!(fields.contains(&triple("Calibration time", "10 min", 3..5)));
    assert!(fields.contains(&triple("Sample location", "finger", 5..6)));
    assert!(fields.contains(&triple("Calibration process pending", "yes", 10..11)));
    assert_eq!((rest.missing, rest.extra), (0, 11..11));
}

/// Characteristics that the Supplement leaves to their services' specifications, by hand.
#[test]
fn other_characteristics_are_summed_up() {
    let rows: &[(u16, &[u8], &str)] = &[
        // 7.5 to 30 ms, no latency, 2 s.
        (
            0x2A04,
            &[6, 0, 24, 0, 0, 0, 200, 0],
            "interval 7.50 ms, to 30.00 ms, latency 0, timeout 2000 ms",
        ),
        (0x2A05, &[1, 0, 0xFF, 0xFF], "handles 0x0001, to 0xFFFF"),
        (
            0x2A4F,
            &[0x60, 0, 0x30, 0],
            "interval 60.000 ms, window 30.000 ms",
        ),
        (
            0x2A50,
            &[1, 0x4C, 0x00, 0x01, 0x02, 0x10, 0x01],
            "Bluetooth SIG, vendor Apple, Inc., product 0x0201, version 0x0110",
        ),
        (
            0x2A50,
            &[2, 0x4C, 0x00, 0x01, 0x02, 0x10, 0x01],
            "USB Implementer's Forum, vendor 0x004C, product 0x0201, version 0x0110",
        ),
        // SpO2 97 %, pulse 64, time stamp.
        (
            0x2A5E,
            &[1, 0x61, 0, 0x40, 0, 0xE8, 7, 5, 1, 12, 30, 0],
            "SpO2 97 %, 64 bpm",
        ),
        (
            0x2A5F,
            &[0, 0xFF, 0x07, 0x40, 0],
            "SpO2 not a number, 64 bpm",
        ),
        (0x2AC0, &[16, 0, 0, 0, 32, 0, 0, 0], "16 B, of 32 B"),
        (0x2AD3, b"\x01\x0Dhello", "manual mode, hello"),
        (0x2902, &[3, 0], "Notifications on, Indications on"),
        (0x2908, &[1, 2], "report 1, output"),
        (
            0x2904,
            &[0x0E, 0xFE, 0x2F, 0x27, 1, 0, 0],
            "sint16, exponent \u{2212}2, unit degree Celsius",
        ),
        (0x2905, &[3, 0, 4, 0], "0x0003 0x0004"),
        (0x2ABF, &[0xCA, 0x2A], "0x2ACA"),
        (
            0x2A1C,
            &[0x06, 0x6C, 0x01, 0x00, 0xFF, 0xE8, 7, 5, 1, 12, 30, 0, 6],
            "36.4 °C, mouth",
        ),
        (0x2A35, &[0, 120, 0, 80, 0, 93, 0], "120 mmHg, / 80 mmHg"),
        (
            0x2BED,
            &[2, 0x23, 0, 85],
            "charging, charge level not known, 85 %",
        ),
        (0x2AED, &[0x84, 0x4D, 0], "2024-05-01"),
        (0x2B13, &[70], "1.772 s"),
        (0x2A9D, &[0, 0x30, 0x39], "73.200 kg"),
    ];
    for (uuid, bytes, line) in rows {
        let format = crate::Format::Sig(sig(*uuid));
        assert_eq!(format.summary(bytes), *line, "{uuid:04X}");
        assert_eq!(faults(*uuid, bytes), [], "{uuid:04X}");
    }
}

#[test]
fn fitness_features_fill_both_words() {
    let (fields, rest) = decoded(0x2ACC, &[0x02, 0x40, 0, 0, 0x08, 0x20, 0, 0]);
    let set: Vec<_> = fields
        .iter()
        .filter(|(_, value, _)| value == "yes")
        .map(|(name, _, range)| (name.as_str(), range.clone()))
        .collect();
    assert_eq!(
        set,
        [
            ("Cadence", 0..4),
            ("Power measurement", 0..4),
            ("Power target", 4..8),
            ("Bike simulation parameters", 4..8),
        ]
    );
    assert_eq!((fields.len(), rest.missing), (34, 0));
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

    /// The numbers for charts come by a way of their own.
    #[test]
    fn columns_are_the_numbers_of_the_fields(
        which in 0..Sig::all().count(),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(0xFF)], 0..48),
    ) {
        let sig = Sig::all().nth(which).unwrap();
        let mut fields = Vec::new();
        sig.walk(&bytes, |part, field| {
            if part.plot != Plot::No && let Some(number) = field.number() {
                fields.push((part.name, part.unit, number.to_bits()));
            }
        });
        let series = sig.series();
        let mut numbers = Vec::new();
        sig.columns(&bytes, &mut |column, number| {
            let series = &series[column];
            numbers.push((series.name.clone(), series.unit.clone(), number.to_bits()));
        });
        let fields: Vec<_> = fields
            .into_iter()
            .map(|(name, unit, bits)| (name.to_owned(), unit.map(str::to_owned), bits))
            .collect();
        prop_assert_eq!(numbers, fields);
    }
}
