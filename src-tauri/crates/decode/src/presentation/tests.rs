//! Vectors are computed by hand from the types of the Assigned Numbers document, 2.4.1.

use proptest::prelude::*;

use super::*;
use crate::encode::Given;

fn shown(format: u8, exponent: i8, unit: u16, bytes: &[u8]) -> (String, Option<Fault>) {
    let presented = Presented::from(Presentation {
        format,
        exponent,
        unit,
        namespace: 1,
        description: 0,
    });
    let mut all = Vec::new();
    presented.decode(bytes, |field| all.push((field.to_string(), field.fault)));
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn every_type_is_read() {
    let rows: &[(u8, i8, &[u8], &str)] = &[
        (0x01, 0, &[1], "true"),
        (0x02, 0, &[3], "3"),
        (0x03, 1, &[0x0F], "15"),
        (0x04, -1, &[200], "20.0"),
        (0x05, 0, &[0xFF, 0x0F], "4095"),
        (0x06, 0, &[0xFF, 0xFF], "65535"),
        (0x07, 0, &[0, 0, 1], "65536"),
        (0x08, -3, &[0x39, 0x30, 0, 0], "12.345"),
        (0x09, 0, &[0, 0, 0, 0, 0, 1], "1099511627776"),
        (0x0A, 0, &[0xFF; 8], "18446744073709551615"),
        (
            0x0B,
            0,
            &[0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            "255",
        ),
        (0x0C, 0, &[0xFF], "\u{2212}1"),
        (0x0D, 0, &[0x00, 0x08], "\u{2212}2048"),
        (0x0E, -2, &[0x46, 0x09], "23.74"),
        (0x0F, 0, &[0xFF, 0xFF, 0xFF], "\u{2212}1"),
        (0x10, 2, &[5, 0, 0, 0], "500"),
        (0x11, 0, &[0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "\u{2212}2"),
        (0x12, 0, &[0xFF; 8], "\u{2212}1"),
        (0x13, 0, &[0xFF; 16], "\u{2212}1"),
        (0x14, 0, &[0, 0, 0xC0, 0x3F], "1.5"),
        (0x15, 0, &[0, 0, 0, 0, 0, 0, 0xF8, 0x3F], "1.5"),
        (0x16, 0, &[0x72, 0xF0], "11.4"),
        (0x17, 0, &[0x6C, 0x01, 0x00, 0xFF], "36.4"),
        (0x18, 0, &[1, 2, 3, 4], "0x04030201"),
        (0x19, 0, "grün".as_bytes(), "grün"),
        (
            0x1A,
            0,
            &[0x41, 0, 0xAC, 0x20, 0x3D, 0xD8, 0x00, 0xDE],
            "A€😀",
        ),
        (0x1B, 0, &[7], "07"),
        (0x1C, 0, &[], ""),
    ];
    for (format, exponent, bytes, text) in rows {
        let got = shown(*format, *exponent, 0x2700, bytes);
        assert_eq!(got, ((*text).to_owned(), None), "{format:02X}");
    }
    let named: Vec<i128> = FORMATS.iter().map(|(format, _)| *format).collect();
    let read: Vec<i128> = rows.iter().map(|row| row.0.into()).collect();
    assert_eq!(named, read, "every type has a vector");
}

#[test]
fn units_have_their_symbol() {
    assert_eq!(shown(0x0E, -2, 0x272F, &[0x46, 0x09]).0, "23.74 °C");
    assert_eq!(shown(0x04, 0, 0x27AD, &[50]).0, "50 %");
    assert_eq!(shown(0x04, 0, 0xABCD, &[50]).0, "50", "no such unit");
}

#[test]
fn what_cannot_be_is_marked() {
    let cut = Some(Fault::CutShort { has: 1, needs: 2 });
    assert_eq!(shown(0x0E, 0, 0x2700, &[1]), ("missing".to_owned(), cut));
    assert_eq!(
        shown(0x00, 0, 0x2700, &[1, 2]),
        ("01 02".to_owned(), Some(Fault::Reserved))
    );
    assert_eq!(
        shown(0x01, 0, 0x2700, &[2]),
        ("true".to_owned(), Some(Fault::Reserved))
    );
    assert_eq!(
        shown(0x05, 0, 0x2700, &[0x01, 0x10]),
        ("1".to_owned(), Some(Fault::Reserved))
    );
    assert_eq!(
        shown(0x0D, 0, 0x2700, &[0xFF, 0xFF]),
        ("\u{2212}1".to_owned(), None)
    );
    assert_eq!(
        shown(0x19, 0, 0x2700, &[b'a', 0xFF]),
        ("a\u{FFFD}".to_owned(), Some(Fault::NotUtf8 { valid: 1 }))
    );
    assert_eq!(
        shown(0x1A, 0, 0x2700, &[0x41, 0, 0x3D, 0xD8, 0x42]),
        ("A\u{FFFD}".to_owned(), Some(Fault::NotUtf16 { valid: 2 }))
    );
    assert_eq!(
        shown(0x1A, 0, 0x2700, &[0x41, 0, 0x42]).1,
        Some(Fault::NotUtf16 { valid: 2 })
    );
    assert_eq!(Presentation::read(&[0; 6]), None);
    assert_eq!(Presentation::read(&[0; 8]), None);
}

#[test]
fn aggregates_are_one_after_the_other() {
    let presented: Presented = "0EFE2F27010000,19000027010000,0400AD27010000"
        .parse()
        .unwrap();
    assert_eq!(
        presented.to_string().parse::<Presented>().unwrap(),
        presented
    );
    let presented: Presented = "0400AD27010000,0EFE2F27010000".parse().unwrap();
    let mut fields = Vec::new();
    let rest = presented.decode(&[50, 0x46, 0x09, 7], |field| {
        fields.push((field.label().to_string(), field.to_string(), field.range));
    });
    assert_eq!(
        fields,
        [
            ("Value[0]".to_owned(), "50 %".to_owned(), 0..1),
            ("Value[1]".to_owned(), "23.74 °C".to_owned(), 1..3),
        ]
    );
    assert_eq!(rest.extra, 3..4);
    let mut columns = Vec::new();
    presented.columns(&[50], &mut |column, number| columns.push((column, number)));
    assert_eq!(columns, [(0, 50.0)]);
    assert_eq!(presented.decode(&[], |_| ()).missing, 2);
    for text in [
        "",
        "0EFE2F2701000",
        "0EFE2F270100GG",
        "0EFE2F27010000,",
        "ää\u{e4}ääää",
    ] {
        assert_eq!(text.parse::<Presented>(), Err(PresentationError), "{text}");
    }
    assert_eq!(Presented::aggregate(Vec::new()), None);
}

#[test]
fn descriptions_name_the_values() {
    let presented: Presented = "0EFE2F27010B01,0EFE2F27010C01,0400AD27020B01"
        .parse()
        .unwrap();
    let names: Vec<_> = presented.series().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["Inside[0]", "Outside[1]", "Value[2]"]);
    let one = Presented::from(Presentation::read(&[4, 0, 0, 0x27, 1, 0x10, 1]).unwrap());
    one.decode(&[1], |field| {
        assert_eq!(field.label().to_string(), "External")
    });
}

fn encoded(presented: &str, given: &[(&str, Option<usize>, &str)]) -> Result<Vec<u8>, String> {
    let given: Vec<_> = given
        .iter()
        .map(|&(name, element, text)| Given {
            name,
            element,
            text,
        })
        .collect();
    let presented: Presented = presented.parse().unwrap();
    presented.encode(&given).map_err(|error| error.to_string())
}

#[test]
fn a_value_is_written_by_its_presentation() {
    let temperature = |text| encoded("0EFE2F27010000", &[("Value", None, text)]);
    assert_eq!(temperature("23.74"), Ok(vec![0x46, 0x09]));
    assert_eq!(temperature("\u{2212}0.01 °C"), Ok(vec![0xFF, 0xFF]));
    assert_eq!(
        temperature("400"),
        Err("Value: 400 does not fit. It takes \u{2212}327.68 to 327.67.".to_owned())
    );
    assert_eq!(
        temperature("0.005"),
        Err("Value: 0.005 lies between 0.00 and 0.01, the nearest that it can say.".to_owned())
    );
    let both = "0400AD27010000,0EFE2F27010000";
    assert_eq!(
        encoded(both, &[("Value", Some(1), "1"), ("Value", Some(0), "50 %")]),
        Ok(vec![50, 100, 0])
    );
    assert_eq!(
        encoded(both, &[("Value", Some(1), "1")]),
        Err("Value[0]: it is needed here and was not given.".to_owned())
    );
    assert_eq!(
        encoded(both, &[("Value", Some(2), "1")]),
        Err("Value[2]: there is no such field. There are: Value[0], Value[1].".to_owned())
    );
    let after_text = "19000027010000,0400AD27010000";
    assert_eq!(
        encoded(
            after_text,
            &[("Value", Some(0), "a"), ("Value", Some(1), "50")]
        ),
        Err(
            "Value[1]: it has no place beside the flags, the op code or the other fields that are \
             given."
                .to_owned()
        )
    );
    assert_eq!(
        encoded("01000027010000", &[("Value", None, "yes")]),
        Err("Value: \"yes\" is none of: false, true.".to_owned())
    );
}

#[test]
fn small_numbers_are_shown_with_an_exponent() {
    for (exponent, bytes, text) in [
        (-15, [1, 0], "0.000000000000001"),
        (-16, [1, 0], "1e-16"),
        (-20, [1, 0], "1e-20"),
        (-20, [0xC4, 0xFF], "\u{2212}6e-19"),
        (-128, [0x39, 0x30], "1.2345e-124"),
        (-20, [0, 0], "0"),
    ] {
        assert_eq!(shown(0x0E, exponent, 0x2700, &bytes).0, text);
    }
    let refused = |text| encoded("0EEC0027010000", &[("Value", None, text)]).unwrap_err();
    assert_eq!(
        refused("1"),
        "Value: 1 does not fit. It takes \u{2212}32768e-20 to 32767e-20."
    );
    assert_eq!(
        refused("1.5e-20"),
        "Value: 1.5e-20 lies between 1e-20 and 2e-20, the nearest that it can say."
    );
}

/// A pair of numbers has no unit of its own.
#[test]
fn a_code_has_no_unit() {
    assert_eq!(shown(0x18, 0, 0x272F, &[1, 2, 3, 4]).0, "0x04030201");
}

proptest! {
    /// All digits are shown, of small numbers with an exponent. Formats 0x16 and 0x17 have several bytes for one number: there, the value comes back.
    #[test]
    fn what_decoding_says_encoding_takes_back(
        format in 1_u8..0x1D,
        exponent in -40_i8..20,
        bytes in prop::collection::vec(any::<u8>(), 0..17),
    ) {
        let one = Presentation { format, exponent, unit: 0x2701, namespace: 1, description: 0 };
        let presented = Presented::from(one);
        let rest = presented.decode(&bytes, |_| ());
        let bytes = &bytes[..rest.extra.start];
        let mut said = None;
        presented.decode(bytes, |field| {
            // Beyond 128 bits with a sign, a number is shown as a float.
            let near = format == 0x0B && matches!(field.value, Value::Float(_));
            // 53 bits are shown of a number with a scale, and 31 digits are typed of a small one.
            let bits = if exponent < -15 { 64 } else { 53 };
            let cut = matches!(field.value, Value::Int(value) if exponent != 0
                && value.unsigned_abs() > 1 << bits);
            if field.fault.is_none() && !near && !cut {
                said = Some(match field.value {
                    Value::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
                    Value::Bytes(bytes) if format == 0x1A => {
                        let units = bytes.chunks(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
                        String::from_utf16(&units.collect::<Vec<_>>()).unwrap()
                    }
                    Value::Single(value) if value.is_nan() => "NaN".to_owned(),
                    _ => field.bare().to_string(),
                });
            }
        });
        if let Some(text) = said && !(format == 0x14 || format == 0x15) | (text != "NaN") {
            let given = [Given { name: "Value", element: None, text: &text }];
            let again = presented.encode(&given);
            prop_assert!(again.is_ok(), "{text} {again:?}");
            let again = again.unwrap();
            if matches!(format, 0x16 | 0x17) {
                let mut back = String::new();
                presented.decode(&again, |field| back = field.bare().to_string());
                prop_assert_eq!(back, text);
            } else if matches!(format, 0x0D) {
                // Above a negative number, the padding may be sign bits.
                prop_assert_eq!((again[0], again[1] & 0x0F), (bytes[0], bytes[1] & 0x0F));
            } else {
                prop_assert_eq!(&again, bytes, "{}", text);
            }
        }
    }

    #[test]
    fn descriptors_read_back(bytes: [u8; 7]) {
        let presentation = Presentation::read(&bytes).unwrap();
        prop_assert_eq!(presentation.bytes(), bytes);
        prop_assert_eq!(presentation.to_string().parse::<Presentation>().unwrap(), presentation);
    }

    #[test]
    fn any_bytes_decode_within_themselves(
        descriptors in prop::collection::vec((0_u8..0x20, any::<[u8; 6]>()), 1..4),
        bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let all = descriptors.iter().map(|(format, rest)| {
            let mut whole = [*format; 7];
            whole[1..].copy_from_slice(rest);
            Presentation::read(&whole).unwrap()
        });
        let presented = Presented::aggregate(all.collect()).unwrap();
        let columns = presented.series().len();
        let mut missing = 0;
        let rest = presented.decode(&bytes, |field| {
            assert!(field.range.start <= field.range.end && field.range.end <= bytes.len());
            let _shown = field.to_string();
            missing += usize::from(field.value == Value::Missing);
        });
        prop_assert_eq!(rest.missing, missing);
        prop_assert!(rest.extra.start <= rest.extra.end && rest.extra.end == bytes.len());
        presented.columns(&bytes, &mut |column, _| assert!(column < columns));
    }
}
