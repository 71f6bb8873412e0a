//! What a person types as a layout, or into its form, is read as it was meant, or refused; it is never read as something else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by it")]

use decode::encode::{BlankKind, Given};
use decode::{Format, Layout, LayoutErrorKind as Wrong};

fn layout(text: &str) -> Layout {
    Layout::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Where a line is wrong, and why.
fn wrong(text: &str) -> (usize, Wrong) {
    match Layout::parse(text) {
        Err(error) => (error.at, error.kind),
        Ok(_) => panic!("{text:.60} is a layout"),
    }
}

/// The field `x` alone, given with this text.
fn written(line: &str, text: &str) -> Result<Vec<u8>, String> {
    let given = Given {
        name: "x",
        element: None,
        text,
    };
    layout(line)
        .encode(&[given])
        .map_err(|error| error.to_string())
}

fn shown(line: &str, bytes: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    layout(line).decode(bytes, |field| all.push(field.to_string()));
    all
}

#[test]
fn a_unit_holds_nothing_that_would_end_a_group() {
    assert_eq!(wrong("{a:u8}[2] x}y"), (11, Wrong::Unit));
    assert_eq!(wrong("x:u8 a}"), (6, Wrong::Unit));
    let group = layout("{a:u8, b:u8 V}[2]");
    assert_eq!(Layout::parse(&group.to_string()), Ok(group));
}

#[test]
fn a_space_before_a_condition_a_constant_or_names_does_not_make_a_unit_of_them() {
    assert_eq!(wrong("flags:u8, x:u8 ?flags.1"), (15, Wrong::Unit));
    assert_eq!(wrong("x:u8 =5"), (5, Wrong::Unit));
    assert_eq!(wrong("x:u8 {0=off, 1=on}"), (5, Wrong::Unit));
    assert_eq!(shown("x:u8 m/s?", &[1]), ["1 m/s?"]);
}

#[test]
fn names_show_every_one_of_their_letters() {
    for line in [
        "\u{3164}:u8",
        "a\u{3164}:u8",
        "\u{115F}:u8",
        "a\u{FFA0}b:u8",
    ] {
        let at = line.chars().position(|c| !c.is_ascii()).unwrap();
        assert_eq!(wrong(line), (at, Wrong::Name), "{line:?}");
    }
    // Vowel signs of other scripts are part of their letters; a sign of its own is none.
    assert_eq!(shown("कुल:u8, å:u8, 温度:u8", &[1, 2, 3]).len(), 3);
    assert_eq!(wrong("x:u8 V\u{3164}"), (6, Wrong::Unit));
    assert_eq!(wrong("x:u8{0=a\u{3164}}"), (8, Wrong::Names));
}

#[test]
fn a_line_makes_no_more_work_than_a_value_can_hold() {
    let many = |item: &dyn Fn(usize) -> String, count: usize| {
        (0..count).fold("f:u8".to_owned(), |line, at| line + ", " + &item(at))
    };
    let (_, kind) = wrong(&many(&|at| format!("n{at}:u8[512]?f={at}"), 200));
    assert!(matches!(kind, Wrong::TooMuch(_)), "{kind}");
    let (_, kind) = wrong(&many(&|at| format!("n{at}:u8[512]?f!={at}"), 200));
    assert!(matches!(kind, Wrong::TooMuch(_)), "{kind}");
    let bits = "{a:u8.0, b:u8.1, c:u8.2, d:u8.3}[512]?f=1";
    let group = |at: usize| {
        ["a", "b", "c", "d"]
            .iter()
            .fold(bits.to_owned(), |line, name| {
                line.replace(&format!("{name}:"), &format!("{name}{at}:"))
            })
    };
    let (_, kind) = wrong(&many(&group, 5));
    assert!(matches!(kind, Wrong::TooMuch(_)), "{kind}");
    // Alternatives that together are longer than a value are what conditions are for.
    let alternatives = layout(&many(&|at| format!("n{at}:hex[255]?f={at}"), 30));
    assert_eq!(alternatives.blanks().len(), 31);
    let (at, kind) = wrong(&"x".repeat(100_000));
    assert!(matches!(kind, Wrong::LineTooLong), "{kind}");
    assert!(at < 100_000);
}

#[test]
fn overflow_is_refused_and_not_written_as_infinity() {
    for (line, text) in [
        ("x:f32le*2", "1e300"),
        ("x:f32le", "1e300"),
        ("x:f16le", "70000"),
        ("x:f16le", "1e39"),
        ("x:f16le*2", "1e300"),
        ("x:f64be*0.5", "1.7e308"),
        ("x:f64le*2", "1e309"),
    ] {
        let error = written(line, text).expect_err(line);
        assert!(
            error.contains(" does not fit. It takes \u{2212}"),
            "{error}"
        );
    }
    assert_eq!(
        written("x:f16le*2", "140000").unwrap_err(),
        "x: 140000 does not fit. It takes \u{2212}131008 to 131008."
    );
    assert_eq!(written("x:f16le*2", "131008"), Ok(vec![0xFF, 0x7B]));
    // Infinity is written where infinity is said.
    assert_eq!(written("x:f16le*2", "inf"), Ok(vec![0x00, 0x7C]));
    assert_eq!(
        written("x:f32le*2", "-inf"),
        Ok(f32::NEG_INFINITY.to_le_bytes().to_vec())
    );
    let blank = layout("x:f16le*2").blanks().remove(0);
    let most = "131008".to_owned();
    let least = "\u{2212}131008".to_owned();
    assert_eq!(blank.kind, BlankKind::Number { least, most });
}

#[test]
fn a_scaled_decimal_float_takes_what_it_shows() {
    // 11.4 × 0.1.
    assert_eq!(written("x:medfloat16*0.1", "1.14"), Ok(vec![0x72, 0xF0]));
    // It is shown with the digits of a float, and these are taken as well.
    let shown_so = shown("x:medfloat16*0.1", &[0x72, 0xF0]).remove(0);
    assert_eq!(shown_so, "1.1400000000000001");
    assert_eq!(written("x:medfloat16*0.1", &shown_so), Ok(vec![0x72, 0xF0]));
    assert_eq!(
        written("x:medfloat16*0.1 V", "1.14 V"),
        Ok(vec![0x72, 0xF0])
    );
    // A third of it has no end of digits, but one of the numbers that can be is shown so.
    let third = shown("x:medfloat16*3", &[0x72, 0xF0]).remove(0);
    assert_eq!(written("x:medfloat16*3", &third), Ok(vec![0x72, 0xF0]));
    // What cannot be is quoted as it was typed.
    let error = written("x:medfloat16*0.1", "1.23456").unwrap_err();
    assert!(
        error.starts_with("x: 1.23456 has too many digits"),
        "{error}"
    );
    let error = written("x:medfloat16*0.1", "5e12").unwrap_err();
    assert!(
        error.starts_with("x: 5e12 does not fit. It takes \u{2212}2.047e9 to 2.047e9"),
        "{error}"
    );
}

#[test]
fn a_unit_of_digits_takes_none_of_the_number() {
    assert_eq!(written("x:u8 5", "25"), Ok(vec![25]));
    assert_eq!(written("x:u8 5", "25 5"), Ok(vec![25]));
    assert_eq!(written("x:u8 A", "0x1A"), Ok(vec![0x1A]));
    assert_eq!(written("x:u8 A", "3A"), Ok(vec![3]));
}

#[test]
fn an_element_beyond_all_others_has_no_place() {
    let given = Given {
        name: "x",
        element: Some(usize::MAX),
        text: "1",
    };
    let error = layout("x:u8[]").encode(&[given]).unwrap_err();
    assert!(
        error.to_string().contains("it has no place beside"),
        "{error}"
    );
}

#[test]
fn a_word_stands_for_one_value() {
    assert_eq!(wrong("x:u8{0=a, 1=a}"), (12, Wrong::WordTaken));
    assert_eq!(wrong("x:u8{.0=a, .1=a}"), (14, Wrong::WordTaken));
    // What is shown of bits without names.
    assert_eq!(wrong("x:u8{.0=none}"), (8, Wrong::WordTaken));
    assert_eq!(wrong("x:u8{.0=a, .1=bit 5}"), (14, Wrong::WordTaken));
    assert_eq!(shown("x:u8{0=none, 1=bit 5}", &[1]), ["bit 5"]);
}

#[test]
fn large_integers_show_their_own_digits() {
    let odd = 9_007_199_254_740_993_u64.to_le_bytes();
    assert_eq!(shown("x:u64le*0.001 s", &odd), ["9007199254740.993 s"]);
    assert_eq!(shown("x:u64le*10", &[0xFF; 8]), ["184467440737095516150"]);
    assert_eq!(
        shown("x:i64le*-0.000001+0.5", &(i64::MIN + 1).to_le_bytes()),
        ["9223372036855.275807"]
    );
    for (line, text) in [
        ("x:u64le*0.001", "9007199254740.993"),
        ("x:u64le*0.000000001", "9007199.254740993"),
        (
            "x:u64le*123456789.012345+0.5",
            "1111999897984709897251255.058585",
        ),
    ] {
        let bytes = written(line, text).unwrap();
        assert_eq!(shown(line, &bytes), [text], "{line}");
    }
    // A number below all that floats have is not zero.
    let error = written("x:u8*0.5", "1e-30000").unwrap_err();
    assert_eq!(
        error,
        "x: 1e-30000 lies between 0.0 and 0.5, the nearest that it can say."
    );
}

#[test]
fn one_element_without_a_number_does_not_take_the_unit_of_the_others() {
    let format: Format = "layout:x:i8[3]{-1=not known} mV".parse().unwrap();
    assert_eq!(format.summary(&[1, 2, 0xFF]), "1 2 not known mV");
    assert_eq!(format.summary(&[0xFF, 2, 3]), "not known 2 3 mV");
    assert_eq!(format.summary(&[0xFF; 3]), "not known not known not known");
}

#[test]
fn conditions_take_a_range_of_one_bit_and_the_real_minus() {
    let line = "a:u8, x:u8?a.4-4=1, y:u8?a.5\u{2212}6=2";
    assert_eq!(shown(line, &[0x50, 7, 8]), ["80", "7", "8"]);
    assert_eq!(layout(line).to_string(), "a:u8, x:u8?a.4, y:u8?a.5-6=2");
}

#[test]
fn rare_widths_are_drawn_as_they_are_shown() {
    let line = "a:i24le{-1=not known} V, b:u24be, c:i40le, d:u48be, e:i56be, f:i24be.4-15, g:u16le{65535=none}*0.1";
    let bytes: Vec<u8> = (0x70..)
        .take(64)
        .map(|byte: u8| byte.wrapping_mul(37))
        .collect();
    for value in [&bytes[..], &[0xFF; 64], &[0x80; 64], &bytes[..20]] {
        let (mut numbers, mut drawn) = (Vec::new(), Vec::new());
        let layout = layout(line);
        layout.decode(value, |field| numbers.extend(field.number()));
        layout.columns(value, &mut |_, number| drawn.push(number));
        assert_eq!(numbers, drawn);
        assert!(!drawn.is_empty());
    }
}
