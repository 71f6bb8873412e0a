//! The grammar, decoding, and what must hold for every layout and every value.

use proptest::prelude::*;

use super::*;

fn layout(text: &str) -> Layout {
    Layout::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Label, value as shown, byte range.
fn decoded(text: &str, bytes: &[u8]) -> (Vec<(String, String, Range<usize>)>, Rest) {
    let mut all = Vec::new();
    let layout = layout(text);
    let rest = layout.decode(bytes, |field| {
        all.push((field.label().to_string(), field.to_string(), field.range));
    });
    (all, rest)
}

fn shown(text: &str, bytes: &[u8]) -> Vec<String> {
    let (fields, _) = decoded(text, bytes);
    fields
        .into_iter()
        .map(|(label, value, _)| format!("{label} {value}"))
        .collect()
}

fn columns(text: &str, bytes: &[u8]) -> Vec<(usize, f64)> {
    let mut all = Vec::new();
    layout(text).columns(bytes, &mut |column, number| all.push((column, number)));
    all
}

fn error(text: &str) -> (usize, String) {
    let error = Layout::parse(text).expect_err(text);
    (error.at, error.kind.to_string())
}

#[test]
fn the_examples_of_the_grammar_decode() {
    assert_eq!(
        shown("temp:i16le*0.01 °C, hum:u8 %", &[0x46, 0x09, 41]),
        ["temp 23.74 °C", "hum 41 %"]
    );
    assert_eq!(
        shown(
            "seq:u16le!count, acc:i16le[3]*0.001 g",
            &[7, 0, 0xE8, 0x03, 0x18, 0xFC, 0, 0]
        ),
        [
            "seq 7",
            "acc[0] 1.000 g",
            "acc[1] \u{2212}1.000 g",
            "acc[2] 0.000 g"
        ]
    );
}

#[test]
fn every_type_is_read() {
    assert_eq!(
        shown("a:i8, b:bool, c:bool", &[0x80, 0, 4]),
        ["a \u{2212}128", "b false", "c true"]
    );
    assert_eq!(
        shown("a:u24be, b:i24le", &[1, 2, 3, 0xFF, 0xFF, 0xFF]),
        ["a 66051", "b \u{2212}1"]
    );
    assert_eq!(shown("a:f32le", &1.5_f32.to_le_bytes()), ["a 1.5"]);
    assert_eq!(shown("a:f64be", &0.1_f64.to_be_bytes()), ["a 0.1"]);
    assert_eq!(shown("a:u64le", &[0xFF; 8]), ["a 18446744073709551615"]);
    assert_eq!(
        shown("a:hex[2], b:utf8", b"\x01\xABhello"),
        ["a 01 AB", "b hello"]
    );
    assert_eq!(shown("_:skip[2], a:u8", &[9, 9, 1]), ["a 1"]);
    assert_eq!(shown("_:skip, a:u8", &[9, 1]), ["a 1"]);
}

#[test]
fn scale_and_offset_are_exact_in_decimals() {
    assert_eq!(shown("t:u8-40 °C", &[65]), ["t 25 °C"]);
    assert_eq!(shown("t:u16le*0.1-273.15 K", &[0xA5, 0x0B]), ["t 24.95 K"]);
    assert_eq!(shown("t:u8*\u{2212}0.5", &[3]), ["t \u{2212}1.5"]);
    assert_eq!(columns("t:u16le*0.1+0.05", &[3, 0]), [(0, 0.35)]);
    assert_eq!(
        shown("p:f32le*1e3 Pa", &1.5_f32.to_le_bytes()),
        ["p 1500 Pa"]
    );
}

#[test]
fn neighbouring_bit_fields_share_a_byte_until_they_overlap() {
    let (fields, rest) = decoded(
        "a:u8.0, b:u8.4-6, c:u8.7, d:u8.0-7, e:u8.7",
        &[0b1101_0001, 0xFF, 0x80],
    );
    let ranges: Vec<_> = fields
        .iter()
        .map(|(label, value, range)| (label.as_str(), value.as_str(), range.clone()))
        .collect();
    assert_eq!(
        ranges,
        [
            ("a", "1", 0..1),
            ("b", "5", 0..1),
            ("c", "1", 0..1),
            ("d", "255", 1..2),
            ("e", "1", 2..3)
        ]
    );
    assert_eq!(
        rest,
        Rest {
            extra: 3..3,
            missing: 0
        }
    );
    // The higher bits may come first, and a byte between ends the sharing.
    assert_eq!(
        shown("h:u8.4-7, l:u8.0-3, x:u8, m:u8.4", &[0x5A, 1, 0x10]),
        ["h 5", "l 10", "x 1", "m 1"]
    );
}

#[test]
fn bit_fields_say_which_bits() {
    let layout = layout("a:u8.4-6");
    let mut bits = None;
    layout.decode(&[0], |field| bits = field.bits);
    assert_eq!(bits, Some(4..=6));
}

#[test]
fn arrays_of_bits_take_a_byte_per_element() {
    assert_eq!(
        shown("a:u8.0, b:u8.0-3[2], c:u8.7", &[1, 2, 3, 0x80]),
        ["a 1", "b[0] 2", "b[1] 3", "c 1"]
    );
}

#[test]
fn a_repeating_field_gives_several_samples_of_one_column() {
    let text = "seq:u8!count, x:i16le[]*0.5 mV";
    assert_eq!(
        shown(text, &[1, 2, 0, 4, 0]),
        ["seq 1", "x[0] 1.0 mV", "x[1] 2.0 mV"]
    );
    assert_eq!(
        columns(text, &[1, 2, 0, 4, 0]),
        [(0, 1.0), (1, 1.0), (1, 2.0)]
    );
    let (fields, rest) = decoded(text, &[1, 2, 0, 4]);
    assert_eq!(fields.len(), 2);
    assert_eq!(
        rest,
        Rest {
            extra: 3..4,
            missing: 0
        },
        "half a sample is left over"
    );
    let (fields, rest) = decoded(text, &[1]);
    assert_eq!(
        (fields.len(), rest),
        (
            1,
            Rest {
                extra: 1..1,
                missing: 0
            }
        )
    );
}

#[test]
fn too_few_bytes_leave_the_rest_missing() {
    let (fields, rest) = decoded("a:u8, b:u16le[2], c:u8, d:hex[2], e:utf8", &[1, 2, 3, 4]);
    let fields: Vec<_> = fields
        .iter()
        .map(|(label, value, range)| (label.as_str(), value.as_str(), range.clone()))
        .collect();
    assert_eq!(
        fields,
        [
            ("a", "1", 0..1),
            ("b[0]", "770", 1..3),
            ("b[1]", "missing", 3..4),
            ("c", "missing", 4..4),
            ("d", "missing", 4..4),
            ("e", "missing", 4..4),
        ]
    );
    assert_eq!(
        rest,
        Rest {
            extra: 4..4,
            missing: 4
        }
    );
    assert_eq!(
        columns("a:u8, b:u16le[2], c:u8", &[1, 2, 3, 4]),
        [(0, 1.0), (1, 770.0)]
    );
    let (fields, rest) = decoded("_:skip[4], x:u8[]", &[1]);
    assert_eq!((fields[0].1.as_str(), rest.missing), ("missing", 1));
}

#[test]
fn extra_bytes_are_reported() {
    let (_, rest) = decoded("a:u8", &[1, 2, 3]);
    assert_eq!(
        rest,
        Rest {
            extra: 1..3,
            missing: 0
        }
    );
    let (_, rest) = decoded("a:u8, _:skip[]", &[1, 2, 3]);
    assert_eq!(rest.extra, 3..3, "skipped on purpose is not extra");
}

#[test]
fn series_name_every_column() {
    let layout = layout("seq:u16le!count, ok:bool, acc:i16le[2]*0.001 g, id:hex[2], x:u8.0-3[] mV");
    let series: Vec<_> = layout
        .series()
        .into_iter()
        .map(|s| (s.column, s.name, s.unit, s.role, s.repeats))
        .collect();
    let g = || Some("g".to_owned());
    assert_eq!(
        series,
        [
            (0, "seq".to_owned(), None, Some(Role::Count), false),
            (1, "ok".to_owned(), None, None, false),
            (2, "acc[0]".to_owned(), g(), None, false),
            (3, "acc[1]".to_owned(), g(), None, false),
            (4, "x".to_owned(), Some("mV".to_owned()), None, true),
        ]
    );
}

#[test]
fn non_finite_floats_reach_the_columns() {
    let all = columns("a:f32le", &f32::INFINITY.to_le_bytes());
    assert_eq!(all, [(0, f64::INFINITY)]);
}

#[test]
fn the_counter_is_read_with_its_width() {
    let counter = layout("_:skip, seq:i16le!count").counter().unwrap();
    assert_eq!((counter.bits, counter.column), (16, 0));
    assert_eq!(counter.read(&[0, 0xFF, 0xFF]), Some(65535));
    assert_eq!(counter.read(&[0, 0xFF]), None);
    let counter = layout("x:u8, flag:u8.0, seq:u8.4-7!count")
        .counter()
        .unwrap();
    assert_eq!((counter.bits, counter.column), (4, 2));
    assert_eq!(counter.read(&[0, 0xA0]), Some(10));
    assert_eq!(layout("x:u8").counter(), None);
}

#[test]
fn units_hold_what_units_need() {
    for unit in [
        "%",
        "°C",
        "1/min",
        "m/s²",
        "µg/m³",
        "Ω·m",
        "%RH",
        "counts per s",
    ] {
        let text = format!("x:u8 {unit}");
        assert_eq!(layout(&text).series()[0].unit.as_deref(), Some(unit));
        assert_eq!(layout(&text).to_string(), text);
    }
}

#[test]
fn layouts_are_written_in_their_shortest_form() {
    for (text, written) in [
        (" a : u8 ,b:hex[] ", "a:u8, b:hex"),
        ("a:skip[1],b:u8.4-4", "a:skip, b:u8.4"),
        ("a:u8.4*1-6", "a:u8.4-4-6"),
        ("a:u8.4-6-6", "a:u8.4-6-6"),
        ("a:u8.4[2]-6", "a:u8.4[2]-6"),
        ("a:u16le*1.0+0 ms !ms", "a:u16le ms!ms"),
        ("a:u8*1e-3-5", "a:u8*0.001-5"),
        ("a:u8*2\u{2212}3", "a:u8*2-3"),
        ("Zähler 1:u8", "Zähler 1:u8"),
    ] {
        assert_eq!(layout(text).to_string(), written, "{text}");
        assert_eq!(layout(written), layout(text), "{text}");
    }
}

#[test]
fn errors_point_at_the_character_and_say_what_can_stand_there() {
    for (text, at, words) in [
        ("", 0, "begins with a name"),
        ("a:u8,", 5, "begins with a name"),
        ("temp", 4, "a colon and a type"),
        ("a:u8, °:u8", 6, "begins with a name"),
        ("a:u16", 2, "u16 needs its byte order"),
        ("a:u12le", 2, "\"u12le\" is not a type"),
        ("a:", 2, "\"\" is not a type"),
        ("a:u8.8", 5, "bits 0 to 7"),
        ("a:u8.6-4", 5, "the lower one first"),
        ("a:u8[0]", 5, "count from 1 to 512"),
        ("a:u8[513]", 5, "count from 1 to 512"),
        ("a:u8[x]", 5, "count from 1 to 512"),
        ("a:u8[3", 6, "not closed"),
        ("a:u8*", 5, "decimal number"),
        ("a:u8*0.0", 5, "A scale of 0"),
        ("a:u8+x", 5, "decimal number"),
        ("a:hex*2", 5, "Only numbers have a scale"),
        ("a:bool+2", 6, "Only numbers have an offset"),
        ("a:utf8 °C", 7, "Only numbers have a unit"),
        ("a:u8 *2", 5, "go before the space"),
        ("a:u8 a\u{202E}b", 6, "the unit"),
        ("a:u8!c", 5, "\"c\" is not a role"),
        ("a:u8[2]!count", 2, "one integer without brackets"),
        ("a:f32le!count", 2, "one integer without brackets"),
        ("a:u8[2]!ms", 2, "device clock is one number"),
        ("a:u8!count, b:u8!count", 17, "a sequence counter already"),
        ("a:u8!ms, b:u8!us", 14, "a device clock already"),
        ("a:u8, a:u8", 6, "The name a stands twice"),
        ("a:u8[], b:u8", 8, "Nothing can follow"),
        ("é:hex, b:u8", 7, "Nothing can follow"),
        ("a:u64le[60], b:u64le[60]", 13, "take 960 bytes"),
        ("a:u8)", 4, "\")\" cannot stand here"),
        ("a:u8!count x", 11, "\"x\" cannot stand here"),
    ] {
        let (found, sentence) = error(text);
        assert_eq!(found, at, "{text}: {sentence}");
        assert!(sentence.contains(words), "{text}: {sentence}");
    }
    let error = Layout::parse("a:u12le").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("At character 3: \"u12le\" is not a type.")
    );
}

#[test]
fn only_the_underscore_may_name_several_fields() {
    assert_eq!(layout("_:u8, _:u8").series().len(), 2);
}

#[test]
fn a_number_format_is_a_layout_and_back() {
    let format = NumberFormat {
        name: "temp".to_owned(),
        number: "i16be".parse().unwrap(),
        skip: 3,
        scale: "0.01".parse().unwrap(),
        offset: "-40".parse().unwrap(),
        unit: "°C".to_owned(),
    };
    let layout = format.layout().unwrap();
    assert_eq!(layout.to_string(), "_:skip[3], temp:i16be*0.01-40 °C");
    assert_eq!(NumberFormat::of(&layout), Some(format));
    assert_eq!(
        NumberFormat::default().layout().unwrap().to_string(),
        "value:u8"
    );
    assert_eq!(
        NumberFormat::of(&Layout::parse("a:u8, b:u8").unwrap()),
        None
    );
}

#[test]
fn a_number_format_cannot_smuggle_in_fields() {
    let named = |name: &str| NumberFormat {
        name: name.to_owned(),
        ..NumberFormat::default()
    };
    assert_eq!(named("a:u8, b").layout().unwrap_err().at, 1);
    let unit = NumberFormat {
        unit: "V, b:u8".to_owned(),
        ..NumberFormat::default()
    };
    assert_eq!(unit.layout().unwrap_err().at, 1);
    let far = NumberFormat {
        skip: 512,
        ..NumberFormat::default()
    };
    assert!(
        far.layout()
            .unwrap_err()
            .kind
            .to_string()
            .contains("take 513 bytes")
    );
    let zero = NumberFormat {
        scale: Decimal::ZERO,
        ..NumberFormat::default()
    };
    assert_eq!(zero.layout().unwrap_err().kind, LayoutErrorKind::ZeroScale);
}

fn kinds() -> impl Strategy<Value = Kind> {
    let number = prop::sample::select(
        [
            "u8", "i8", "u16le", "u16be", "i24le", "u24be", "i32le", "u32be", "u64le", "i64be",
            "f32le", "f32be", "f64le", "f64be",
        ]
        .map(|name| Kind::Number(name.parse().unwrap()))
        .to_vec(),
    );
    prop_oneof![
        4 => number,
        2 => (0_u8..8, 0_u8..8).prop_map(|(a, b)| Kind::Bits(a.min(b), a.max(b))),
        1 => Just(Kind::Bool),
        1 => Just(Kind::Hex),
        1 => Just(Kind::Utf8),
        1 => Just(Kind::Skip),
    ]
}

fn definitions() -> impl Strategy<Value = Definition> {
    let decimal = || {
        prop_oneof![
            Just(None),
            (-99_999_i64..=99_999, -9_i32..=9).prop_map(|(m, e)| Decimal::new(m, e)),
        ]
    };
    (
        kinds(),
        prop_oneof![2 => Just(Repeat::Once), 1 => (1_u16..5).prop_map(Repeat::Times)],
        decimal(),
        decimal(),
        prop::option::of(prop::sample::select(vec![
            "%", "°C", "1/min", "m/s²", "a b",
        ])),
    )
        .prop_map(|(kind, mut repeat, scale, offset, unit)| {
            let numbers = matches!(kind, Kind::Number(_) | Kind::Bits(..));
            if matches!(kind, Kind::Hex | Kind::Utf8) && repeat == Repeat::Once {
                repeat = Repeat::Times(2);
            }
            if kind == Kind::Skip && repeat == Repeat::Times(1) {
                repeat = Repeat::Once;
            }
            Definition {
                name: "".into(),
                kind,
                repeat,
                scale: scale
                    .filter(|s| numbers && *s != Decimal::ZERO)
                    .unwrap_or(Decimal::ONE),
                offset: offset.filter(|_| numbers).unwrap_or(Decimal::ZERO),
                unit: unit.filter(|_| numbers).map(Into::into),
                role: None,
            }
        })
}

/// Any layout: up to eight fields, the last of which may repeat to the end, one perhaps the clock.
fn layouts() -> impl Strategy<Value = Layout> {
    (
        prop::collection::vec(definitions(), 1..8),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(mut definitions, endless, clock)| {
            for (index, definition) in definitions.iter_mut().enumerate() {
                definition.name = format!("f {index}").into();
            }
            if endless && let Some(last) = definitions.last_mut() {
                last.repeat = Repeat::ToEnd;
            }
            let number =
                |d: &&mut Definition| matches!(d.kind, Kind::Number(_)) && d.repeat == Repeat::Once;
            if clock && let Some(field) = definitions.iter_mut().find(number) {
                field.role = Some(Role::Milliseconds);
            }
            Layout::place(definitions)
        })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(layout in layouts()) {
        let text = layout.to_string();
        prop_assert_eq!(Layout::parse(&text), Ok(layout), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_within_itself(text in "\\PC{0,40}") {
        if let Err(error) = Layout::parse(&text) {
            prop_assert!(error.at <= text.chars().count());
        }
    }

    #[test]
    fn text_in_the_alphabet_of_the_grammar_is_read_or_refused(text in "([a-z_:,!.* +0-9\\[\\]-]|u8|i16le|f32be|hex|skip|!count|\\[\\]|, ){0,30}") {
        match Layout::parse(&text) {
            Ok(layout) => prop_assert_eq!(Layout::parse(&layout.to_string()), Ok(layout)),
            Err(error) => prop_assert!(error.at <= text.chars().count()),
        }
    }

    #[test]
    fn any_bytes_decode_within_themselves(
        layout in layouts(),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut missing = 0;
        let mut numbers = Vec::new();
        let mut previous = 0;
        let rest = layout.decode(&bytes, |field| {
            assert!(field.range.start <= field.range.end && field.range.end <= bytes.len());
            assert!(field.range.start >= previous, "fields come in the order of the bytes");
            previous = field.range.start;
            let _shown = field.to_string();
            missing += usize::from(field.value == Value::Missing);
            numbers.extend(field.number().map(f64::to_bits));
        });
        prop_assert_eq!(rest.missing, missing);
        prop_assert!(rest.extra.start <= rest.extra.end && rest.extra.end == bytes.len());

        // The hot path gives the same numbers, in columns that exist.
        let series = layout.series().len();
        let mut hot = Vec::new();
        layout.columns(&bytes, &mut |column, number| {
            assert!(column < series);
            hot.push(number.to_bits());
        });
        prop_assert_eq!(hot, numbers);
    }
}
