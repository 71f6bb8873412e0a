//! What decoding says, encoding takes back: every format, by the fields that it shows.

#![allow(
    clippy::unwrap_used,
    reason = "a value that cannot be read fails the test"
)]

use std::fmt::Write as _;

use decode::encode::Given;
use decode::{Format, Sig, Value};
use proptest::prelude::*;

/// A field as a person would give it.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    name: String,
    element: Option<usize>,
    text: String,
}

/// What a value says; `None` if any of it cannot be.
fn said(format: &Format, bytes: &[u8]) -> Option<Vec<Said>> {
    let mut all = Vec::new();
    let mut sound = true;
    let rest = format.decode(bytes, |field| {
        sound &= field.fault.is_none();
        let text = match field.value {
            Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Value::Bytes(bytes) if bytes.len() != 2 && bytes.len() != 16 => {
                let mut text = String::new();
                for byte in bytes {
                    write!(text, "{byte:02X} ").unwrap();
                }
                text
            }
            _ => field.bare().to_string(),
        };
        all.push(Said {
            name: field.name.to_owned(),
            element: field.element,
            text,
        });
    });
    (sound && rest.missing == 0 && rest.extra.is_empty()).then_some(all)
}

fn encoded(format: &Format, said: &[Said]) -> Result<Vec<u8>, String> {
    let given: Vec<Given<'_>> = said
        .iter()
        .map(|one| Given {
            name: &one.name,
            element: one.element,
            text: &one.text,
        })
        .collect();
    format.encode(&given).map_err(|error| error.to_string())
}

const VECTORS: &str = include_str!("sig/vectors.txt");

/// Formats in which different bytes say the same: decimal floats (120 is 120 × 10^0 and 12 × 10^1)
/// and, in 2A37, RR intervals, which are shown in whole milliseconds and sent in 1/1024 s; and of fitness machines, resistance levels
/// of 8 and of 16 bits. For these, what comes back says the same.
const SAID_IN_TWO_WAYS: &[&str] = &[
    "2A18", "2A1C", "2A1E", "2A34", "2A35", "2A36", "2A37", "2A5E", "2A5F", "2AA7", "2AAC", "2B34",
    "2B35", "2BCF", "2BD0", "2BD1", "2BD2", "2BD3", "2BD4", "2BD5", "2BD6", "2BD7", "2BD8", "2BD9",
    "2BEC", "2BED", "2BF0", "2ACE", "2AD1", "2AD2", "2AD6", "2AD9", "2ADA",
];

/// Whether bytes come back from what they say; `None` where something in them cannot be.
fn comes_back(format: &Format, bytes: &[u8]) -> Option<Result<(), String>> {
    let said = said(format, bytes)?;
    let again = match encoded(format, &said) {
        Ok(again) => again,
        Err(error) => return Some(Err(format!("{format} {bytes:02x?} {error} {said:?}"))),
    };
    let short = format.to_string();
    let two_ways = SAID_IN_TWO_WAYS.contains(&short.trim_start_matches("sig:"));
    let same = again == bytes || (two_ways && self::said(format, &again).as_ref() == Some(&said));
    Some(if same {
        Ok(())
    } else {
        Err(format!("{format} {bytes:02x?} {again:02x?} {said:?}"))
    })
}

#[test]
fn every_vector_is_encoded_as_it_was() {
    let mut wrong = String::new();
    let mut back = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with([' ', '#'])) {
        let mut words = line.split(' ');
        let format: Format = format!("sig:{}", words.next().unwrap()).parse().unwrap();
        let hex = words.next().unwrap().trim_start_matches('-');
        match comes_back(&format, &decode::encode::hex(hex).unwrap()) {
            Some(Ok(())) => back += 1,
            Some(Err(error)) => writeln!(wrong, "{error}").unwrap(),
            None => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(back > 1480, "{back}");
}

/// Names and texts.
type Fields<'a> = &'a [(&'a str, &'a str)];

fn given(uuid: &str, fields: Fields<'_>) -> Result<String, String> {
    let format: Format = format!("sig:{uuid}").parse().unwrap();
    let said: Vec<Said> = fields
        .iter()
        .map(|(name, text)| Said {
            name: (*name).to_owned(),
            element: None,
            text: (*text).to_owned(),
        })
        .collect();
    encoded(&format, &said).map(|bytes| {
        let mut text = String::new();
        for byte in bytes {
            write!(text, "{byte:02x}").unwrap();
        }
        text
    })
}

/// Bytes by hand, from the Supplement's layouts.
#[test]
fn flags_follow_from_the_fields_that_are_given() {
    let rows: &[(&str, Fields<'_>, &str)] = &[
        ("2A37", &[("Heart rate", "72")], "0048"),
        ("2A37", &[("Heart rate", "72 bpm")], "0048"),
        ("2A37", &[("Heart rate", "300")], "012c01"),
        (
            "2A37",
            &[
                ("RR interval", "793"),
                ("Heart rate", "72"),
                ("Sensor contact", "detected"),
            ],
            "16482c03",
        ),
        (
            "2A37",
            &[
                ("Heart rate", "72"),
                ("Energy expended", "7"),
                ("RR interval", "1000"),
                ("RR interval", "500"),
            ],
            "18480700000400 02",
        ),
        ("2A1C", &[("Temperature", "36.4")], "006c0100ff"),
        (
            "2A1C",
            &[
                ("Unit", "Fahrenheit"),
                ("Temperature", "97.5"),
                ("Temperature type", "mouth"),
            ],
            "05cf0300ff06",
        ),
        (
            "2A1C",
            &[
                ("Temperature", "36.4"),
                ("Time stamp", "2024-05-01 12:30:00"),
            ],
            "026c0100ffe80705010c1e00",
        ),
        ("2A1C", &[("Temperature", "97.5 °F")], "01cf0300ff"),
        ("2A6E", &[("Temperature", "\u{2212}40")], "60f0"),
        ("2A6E", &[("Temperature", "not known")], "0080"),
        ("2A38", &[("Body sensor location", "Chest")], "01"),
        ("2A38", &[("Body sensor location", "1")], "01"),
        ("2A39", &[("Heart rate control", "1")], "01"),
        ("2902", &[("Notifications", "on")], "0100"),
        (
            "2A5B",
            &[("Crank revolutions", "7"), ("Last crank event", "1")],
            "0207000004",
        ),
        ("2A9D", &[("Weight", "73.2")], "003039"),
        (
            "2A9D",
            &[("Units", "imperial"), ("Weight", "161.4")],
            "010c3f",
        ),
        ("2A00", &[("Device name", "grün")], "6772c3bc6e"),
        ("2A2B", &[], "?"),
        // An op code follows from its operand where no other has it.
        ("2A55", &[("Cumulative value", "5")], "0105000000"),
        (
            "2A55",
            &[
                ("Op code", "set cumulative value"),
                ("Cumulative value", "0"),
            ],
            "0100000000",
        ),
    ];
    for (uuid, fields, bytes) in rows {
        if *bytes == "?" {
            assert!(given(uuid, fields).is_err(), "{uuid}");
            continue;
        }
        assert_eq!(
            given(uuid, fields),
            Ok(bytes.replace(' ', "")),
            "{uuid} {fields:?}"
        );
    }
}

/// Bytes that say the same as others in words: what is shown tells them apart all the same.
#[test]
fn numbers_that_share_a_name_come_back_as_they_were() {
    for (uuid, bytes) in [
        ("2A37", "0048"),
        ("2A37", "0248"),
        ("2A01", "C002"),
        ("2A01", "C803"),
        ("2A01", "7F03"),
        ("2A01", "C103"),
        ("2A50", "0194000100 0100"),
        ("2A50", "01E307 0100 0100"),
    ] {
        let format: Format = format!("sig:{uuid}").parse().unwrap();
        let bytes = decode::encode::hex(&bytes.replace(' ', "")).unwrap();
        let said = said(&format, &bytes).unwrap();
        assert_eq!(encoded(&format, &said), Ok(bytes), "{said:?}");
    }
    assert_eq!(
        given("2A01", &[("Appearance", "Barcode Scanner (0x03C8)")]),
        Ok("c803".to_owned())
    );
    assert!(given("2A01", &[("Appearance", "Barcode Scanner")]).is_err());
    assert!(given("2A01", &[("Appearance", "Keyboard (0x03C8)")]).is_err());
}

#[test]
fn what_cannot_be_said_is_refused_with_what_can() {
    let rows: &[(&str, Fields<'_>, &str)] = &[
        (
            "2A19",
            &[("Battery level", "101")],
            "Battery level: 101 does not fit. It takes 0 to 100.",
        ),
        (
            "2A19",
            &[("Battery level", "many")],
            "Battery level: \"many\" is no number. Write one like 42.",
        ),
        (
            "2A19",
            &[],
            "Battery level: it is needed here and was not given.",
        ),
        (
            "2A19",
            &[("Battery", "5")],
            "Battery: there is no such field. There are: Battery level.",
        ),
        (
            "2A6E",
            &[("Temperature", "20.005")],
            "Temperature: 20.005 lies between 20.00 and 20.01, the nearest that it can say.",
        ),
        (
            "2A6E",
            &[("Temperature", "400")],
            "Temperature: 400 does not fit. It takes \u{2212}273.15 to 327.67.",
        ),
        (
            "2A37",
            &[("Heart rate", "70000")],
            "Heart rate: 70000 does not fit. It takes 0 to 65535.",
        ),
        (
            "2A37",
            &[
                ("Heart rate", "72"),
                ("RR interval field", "absent"),
                ("RR interval", "800"),
            ],
            "RR interval: it has no place beside the flags, the op code or the other fields that are given.",
        ),
        (
            "2A5B",
            &[("Last crank event", "1")],
            "Crank revolutions: it is needed here and was not given.",
        ),
        (
            "2A35",
            &[
                ("Systolic", "120.55"),
                ("Diastolic", "80"),
                ("Mean arterial pressure", "93"),
            ],
            "Systolic: 120.55 has too many digits: it holds \u{2212}2045 to 2045, times a power of ten.",
        ),
        (
            "2902",
            &[("Notifications", "perhaps")],
            "Notifications: \"perhaps\" is none of: off, on.",
        ),
        (
            "2A08",
            &[("Date and time", "2023-02-29 00:00:00")],
            "Date and time: \"2023-02-29 00:00:00\" is no such time. Write it like 2024-05-01 12:30:00.",
        ),
        (
            "2AF8",
            &[("Fixed string", "short")],
            "Fixed string: it has 5 bytes and must have 8.",
        ),
    ];
    for (uuid, fields, message) in rows {
        assert_eq!(
            given(uuid, fields),
            Err((*message).to_owned()),
            "{uuid} {fields:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_decoding_says_encoding_takes_back(
        which in 0..Sig::all().count(),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(1)], 0..24),
    ) {
        let format = Format::Sig(Sig::all().nth(which).unwrap());
        let extra = format.decode(&bytes, |_| ()).extra;
        prop_assert_eq!(comes_back(&format, &bytes[..extra.start]).unwrap_or(Ok(())), Ok(()));
    }

    /// By whatever names and texts, there is an answer.
    #[test]
    fn any_text_is_encoded_or_refused(
        which in 0..Sig::all().count(),
        texts in prop::collection::vec(
            prop_oneof!["\\PC{0,12}", "[-−]?[0-9]{1,40}(\\.[0-9]{1,4})?(e-?[0-9]{1,6})?", "yes|present|0|1"],
            1..12,
        ),
        last in 0_usize..3,
    ) {
        let format = Format::Sig(Sig::all().nth(which).unwrap());
        let blanks = format.blanks();
        let said: Vec<Said> = blanks.iter().zip(texts.iter().cycle()).map(|(blank, text)| Said {
            name: blank.name.clone(),
            element: blank.repeats.then_some(last),
            text: text.clone(),
        }).collect();
        if let Ok(bytes) = encoded(&format, &said) {
            let read = self::said(&format, &bytes);
            prop_assert!(read.is_some(), "{format} {bytes:02x?} {said:?}");
            let read = read.unwrap();
            for one in said.iter().filter(|one| !one.text.trim().is_empty()) {
                // What is repeated is numbered anew.
                let mut same = read.iter().filter(|other| other.name == one.name);
                prop_assert!(same.next().is_some(), "{format} {one:?} {read:?}");
            }
        }
    }
}
