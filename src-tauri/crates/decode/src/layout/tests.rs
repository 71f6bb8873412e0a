//! The grammar, decoding, and what must hold for every layout and every value.

use std::ops::Range;

use proptest::prelude::*;

use super::*;
use crate::field::Value;

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
        ("{a:u8*2 g,b:u8*2 mg}[]", "{a:u8 g, b:u8 mg}[]*2"),
        ("{a:u8, b:bool}[3]*2", "{a:u8*2, b:bool}[3]"),
        ("n:u8,a:u8[ n ]", "n:u8, a:u8[n]"),
        ("f:u8,a:u8?f.0=1", "f:u8, a:u8?f.0"),
        ("f:u8,a:u8?f.0!=1", "f:u8, a:u8?f.0!=1"),
        ("m:u8{0x10=b, 1= a }", "m:u8{1=a, 16=b}"),
        ("m:u16le=43605", "m:u16le=0xAA55"),
        ("s:u8!count/1", "s:u8!count"),
        ("a:u8.4-4{1=x}-6", "a:u8.4{1=x}-6"),
    ] {
        assert_eq!(layout(text).to_string(), written, "{text}");
        assert_eq!(layout(written), layout(text), "{text}");
    }
}

#[test]
fn a_group_gives_several_samples_of_several_columns() {
    let text = "seq:u16le!count, {x:i16le, y:i16le}[]*0.001 g";
    let bytes = [7, 0, 0xE8, 3, 0, 0, 0x18, 0xFC, 1, 0];
    assert_eq!(
        shown(text, &bytes),
        [
            "seq 7",
            "x[0] 1.000 g",
            "y[0] 0.000 g",
            "x[1] \u{2212}1.000 g",
            "y[1] 0.001 g"
        ]
    );
    assert_eq!(
        columns(text, &bytes),
        [(0, 7.0), (1, 1.0), (2, 0.0), (1, -1.0), (2, 0.001)]
    );
    let layout = layout(text);
    let repeats: Vec<_> = layout
        .series()
        .into_iter()
        .map(|s| (s.name, s.repeats))
        .collect();
    let names = [("seq", false), ("x", true), ("y", true)];
    assert_eq!(
        repeats,
        names.map(|(name, repeats)| (name.to_owned(), repeats))
    );
    assert_eq!(
        (
            layout.samples(&bytes),
            layout.samples(&bytes[..9]),
            layout.samples(&[])
        ),
        (2, 1, 1)
    );
    let (fields, rest) = decoded(text, &bytes[..9]);
    assert_eq!(
        (fields.len(), rest.extra),
        (3, 6..9),
        "what is no whole sample is left over"
    );
    // One that says how many keeps what is there of the last.
    assert_eq!(
        shown("{x:u8, y:u8}[2], z:u8", &[1, 2, 3]),
        ["x[0] 1", "y[0] 2", "x[1] 3", "y[1] missing", "z missing"]
    );
    assert_eq!(
        shown("{acc:u8[2], t:u8}[2]", &[1, 2, 3, 4, 5, 6]),
        [
            "acc[0][0] 1",
            "acc[0][1] 2",
            "t[0] 3",
            "acc[1][0] 4",
            "acc[1][1] 5",
            "t[1] 6"
        ]
    );
}

#[test]
fn a_field_says_how_many_follow() {
    let text = "n:u8, {x:u8, y:u8}[n], end:u8";
    assert_eq!(
        shown(text, &[2, 1, 2, 3, 4, 9]),
        ["n 2", "x[0] 1", "y[0] 2", "x[1] 3", "y[1] 4", "end 9"]
    );
    assert_eq!(shown(text, &[0, 9]), ["n 0", "end 9"]);
    assert_eq!(
        shown(text, &[200, 1, 2, 3]),
        [
            "n 200",
            "x[0] 1",
            "y[0] 2",
            "x[1] 3",
            "y[1] missing",
            "end missing"
        ],
        "of many that are not there, one is missing"
    );
    assert_eq!(layout(text).samples(&[2, 1, 2, 3, 4, 9]), 2);
    assert_eq!(shown("n:i8, x:u8[n]", &[0xFF, 1]), ["n \u{2212}1"]);
    assert_eq!(
        shown("len:u8, name:utf8[len], v:u8", b"\x03abc\x07"),
        ["len 3", "name abc", "v 7"]
    );
    assert_eq!(
        shown("len:u8, name:utf8[len], v:u8", b"\x04abc"),
        ["len 4", "name missing", "v missing"]
    );
    assert_eq!(
        columns("n:u8, x:i16le[n]", &[2, 1, 0, 2, 0, 3]),
        [(0, 2.0), (1, 1.0), (1, 2.0)]
    );
}

#[test]
fn fields_are_there_by_flag_by_value_and_by_length() {
    let text = "flags:u8, hr:u8?flags.0=0 bpm, hr wide:u16le?flags.0 bpm, rr:u16le[]?flags.4";
    assert_eq!(shown(text, &[0, 72]), ["flags 0", "hr 72 bpm"]);
    assert_eq!(
        shown(text, &[0x11, 72, 1, 5, 0]),
        ["flags 17", "hr wide 328 bpm", "rr[0] 5"]
    );
    assert_eq!(
        shown(text, &[]),
        ["flags missing"],
        "what is unknown hangs on nothing"
    );
    let text = "mode:u8.0-2, len:u8.3-7, a:u8[]?mode=1, b:u16le[]?mode=2, c:hex?mode!=1";
    assert_eq!(shown(text, &[1, 5]), ["mode 1", "len 0", "a[0] 5"]);
    assert_eq!(
        shown(text, &[2, 5, 1]),
        ["mode 2", "len 0", "b[0] 261", "c "]
    );
    assert_eq!(shown(text, &[3, 5]), ["mode 3", "len 0", "c 05"]);
    assert_eq!(
        shown("f:u16be, a:u8?f.8-11=2", &[2, 0, 9]),
        ["f 512", "a 9"]
    );
    assert_eq!(shown("a:u8, b:u16le??", &[1]), ["a 1"]);
    assert_eq!(shown("a:u8, b:u16le??", &[1, 2]), ["a 1", "b missing"]);
    assert_eq!(shown("a:u8, b:u16le??", &[1, 2, 0]), ["a 1", "b 2"]);
    // A field that hangs on an absent one is absent, and neighbouring bits share an optional byte.
    assert_eq!(shown("f:u8, g:u8?f.0, x:u8?g.0", &[0, 1]), ["f 0"]);
    let (fields, rest) = decoded("a:u8, b:u8.0??, c:u8.1??", &[1, 2]);
    assert_eq!((fields.len(), rest.extra), (3, 2..2));
}

#[test]
fn names_with_dots_are_told_from_bits() {
    assert_eq!(
        shown("f:u8, f.1:u8, a:u8?f.1", &[2, 0, 9]),
        ["f 2", "f.1 0", "a 9"]
    );
    assert_eq!(
        shown("f:u8, f.1:u8, a:u8?f.1=0", &[2, 0, 9]),
        ["f 2", "f.1 0", "a 9"]
    );
    assert_eq!(
        shown("f:u8, f.1:u8, a:u8?f.1.0", &[0, 1, 9]),
        ["f 0", "f.1 1", "a 9"]
    );
    assert_eq!(
        shown("my flags:u8, a:u8?my flags.0 g", &[1, 9]),
        ["my flags 1", "a 9 g"]
    );
}

#[test]
fn values_and_bits_have_names() {
    let text = "mode:u8.0-2{2=charging, 0=off, 1=on}, ok:bool{0=open, 1=closed}";
    assert_eq!(shown(text, &[1, 1]), ["mode on", "ok closed"]);
    assert_eq!(shown(text, &[7, 0]), ["mode 7", "ok open"]);
    assert_eq!(columns(text, &[1, 1]), [(0, 1.0), (1, 1.0)]);
    let text = "flags:u16be{.0=overrun, .9=low battery}";
    assert_eq!(shown(text, &[2, 1]), ["flags overrun, low battery"]);
    assert_eq!(shown(text, &[0, 6]), ["flags bit 1, bit 2"]);
    assert_eq!(shown(text, &[0, 0]), ["flags none"]);
    assert_eq!(columns(text, &[2, 1]), [(0, 513.0)]);
    // A named value of a measurement is no measurement.
    let text = "t:i16le{-32768=not known}*0.01 °C";
    assert_eq!(shown(text, &[0, 0x80]), ["t not known"]);
    assert_eq!(columns(text, &[0, 0x80]), []);
    assert_eq!(columns(text, &[100, 0]), [(0, 1.0)]);
}

#[test]
fn bits_of_wide_words_have_their_order_and_their_sign() {
    let text = "a:u16be.0-3, b:i16be.4-15, c:u16le.15";
    assert_eq!(
        shown(text, &[0xFF, 0xF5, 0, 0x80]),
        ["a 5", "b \u{2212}1", "c 1"]
    );
    let (_, rest) = decoded(text, &[0; 4]);
    assert_eq!(rest.extra, 4..4);
    // Two samples of 12 bits in three bytes.
    assert_eq!(
        columns("{a:u24le.0-11, b:u24le.12-23}[]", &[0x34, 0x12, 0xAB]),
        [(0, 564.0), (1, 2737.0)]
    );
    assert_eq!(shown("a:u64le.1-63", &[0xFE; 8]), ["a 9187201950435737471"]);
}

#[test]
fn rarer_numbers_are_read() {
    assert_eq!(
        shown(
            "a:u40le, b:i48be",
            &[1, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE]
        ),
        ["a 4294967297", "b \u{2212}2"]
    );
    // Of IEEE 754 binary16: 1, the largest, the smallest above zero, infinity.
    assert_eq!(
        shown("a:f16be[4]", &[0x3C, 0, 0x7B, 0xFF, 0, 1, 0xFC, 0]),
        [
            "a[0] 1",
            "a[1] 65504",
            "a[2] 5.9604645e-8",
            "a[3] \u{2212}∞"
        ]
    );
    assert_eq!(shown("a:f16le*2 g", &[0, 0xC0]), ["a \u{2212}4 g"]);
    assert_eq!(shown("a:medfloat16 °C", &[0x72, 0xF0]), ["a 11.4 °C"]);
    assert_eq!(
        shown("a:medfloat32 °C", &[0x6C, 0x01, 0x00, 0xFF]),
        ["a 36.4 °C"]
    );
    assert_eq!(shown("a:medfloat16 °C", &[0xFF, 0x07]), ["a not a number"]);
    assert_eq!(columns("a:medfloat16, b:u8", &[0xFF, 0x07, 3]), [(1, 3.0)]);
    assert_eq!(
        shown("a:bcd8, b:bcd16be", &[0x42, 0x12, 0x34]),
        ["a 42", "b 1234"]
    );
    assert_eq!(shown("a:bcd16le*0.1 V", &[0x34, 0x12]), ["a 123.4 V"]);
    assert_eq!(shown("a:bcd8", &[0x4A]), ["a not decimal digits"]);
    assert_eq!(columns("a:bcd8", &[0x4A]), []);
}

#[test]
fn a_constant_is_compared() {
    let layout = layout("magic:u16le=0xAA55, a:i8=-1");
    let faults = |bytes: &[u8]| {
        let mut all = Vec::new();
        layout.decode(bytes, |field| {
            all.push(field.fault.map(|fault| fault.to_string()))
        });
        all
    };
    assert_eq!(faults(&[0x55, 0xAA, 0xFF]), [None, None]);
    assert_eq!(
        faults(&[0x55, 0xAB, 1]),
        [
            Some("not 0xAA55".to_owned()),
            Some("not \u{2212}1".to_owned())
        ]
    );
    assert_eq!(faults(&[]), [None, None]);
}

#[test]
fn a_counter_has_its_step_and_stands_behind_a_group_of_fixed_length() {
    let counter = layout("{x:i16le}[2], seq:u8!count/4").counter().unwrap();
    assert_eq!((counter.step, counter.column, counter.bits), (4, 1, 8));
    assert_eq!(counter.read(&[0, 0, 0, 0, 9]), Some(9));
}

fn encoded(text: &str, given: &[(&str, Option<usize>, &str)]) -> Result<Vec<u8>, String> {
    let given: Vec<_> = given
        .iter()
        .map(|&(name, element, text)| crate::encode::Given {
            name,
            element,
            text,
        })
        .collect();
    layout(text)
        .encode(&given)
        .map_err(|error| error.to_string())
}

#[test]
fn what_decides_follows_from_what_is_given() {
    let text = "flags:u8, hr:u8?flags.0=0 bpm, wide:u16le?flags.0 bpm, rr:u16le[]?flags.4 ms";
    assert_eq!(encoded(text, &[("hr", None, "72")]), Ok(vec![0, 72]));
    assert_eq!(
        encoded(text, &[("wide", None, "300 bpm")]),
        Ok(vec![1, 44, 1])
    );
    assert_eq!(
        encoded(
            text,
            &[
                ("hr", None, "72"),
                ("rr", Some(0), "5"),
                ("rr", Some(1), "6")
            ]
        ),
        Ok(vec![0x10, 72, 5, 0, 6, 0])
    );
    let text = "n:u8, {x:u8, y:i8}[n], len:u8, name:utf8[len], magic:u16be=0xAA55";
    assert_eq!(
        encoded(
            text,
            &[
                ("x", Some(0), "1"),
                ("y", Some(0), "-1"),
                ("name", None, "hé")
            ]
        ),
        Ok(vec![1, 1, 0xFF, 3, b'h', 0xC3, 0xA9, 0xAA, 0x55])
    );
    assert_eq!(encoded(text, &[]), Ok(vec![0, 0, 0xAA, 0x55]));
    let text = "mode:u8.0-2{0=off, 2=fast}, on:u8.7, a:u8?mode=2, b:u8?mode!=2*1";
    let text = text.trim_end_matches("*1");
    assert_eq!(
        encoded(text, &[("a", None, "7"), ("on", None, "1")]),
        Ok(vec![0x82, 7])
    );
    assert_eq!(
        encoded(
            text,
            &[("mode", None, "fast"), ("on", None, "0"), ("a", None, "7")]
        ),
        Ok(vec![2, 7])
    );
    assert_eq!(
        encoded("f:u16be{.0=a, .9=b}", &[("f", None, "a, b, bit 2")]),
        Ok(vec![2, 5])
    );
}

#[test]
fn what_cannot_be_written_is_said_by_field() {
    let text = "f:u8, a:u8?f.0, b:u8*0.5, c:u8??, d:u8??";
    for (given, words) in [
        (
            vec![("x", None, "1")],
            "x: there is no such field. There are: f, a, b, c, d.",
        ),
        (vec![("f", None, "0")], "b: it is needed here"),
        (
            vec![("f", None, "300"), ("b", None, "1")],
            "f: 300 does not fit. It takes 0 to 255.",
        ),
        (vec![("b", None, "0.7")], "b: 0.7 lies between 0.5 and 1.0"),
        (
            vec![("f", None, "0"), ("a", None, "1"), ("b", None, "1")],
            "a: it has no place",
        ),
        (
            vec![("f", None, "1"), ("b", None, "1")],
            "a: it is needed here",
        ),
        (
            vec![("b", None, "1"), ("d", None, "1")],
            "d: it can only follow c",
        ),
        (vec![("b", Some(1), "1")], "b[1]: it has no place"),
        (
            vec![("b", None, "1"), ("b", None, "1")],
            "b: it has no place",
        ),
    ] {
        let sentence = encoded(text, &given).unwrap_err();
        assert!(sentence.contains(words), "{given:?}: {sentence}");
    }
    let sentence = encoded("m:u8=7", &[("m", None, "8")]).unwrap_err();
    assert!(sentence.starts_with("m: 8 does not fit"), "{sentence}");
    let sentence = encoded("t:f16le", &[("t", None, "70000")]).unwrap_err();
    assert!(sentence.starts_with("t: 70000 does not fit"), "{sentence}");
}

#[test]
fn a_form_asks_for_what_the_layout_has() {
    let layout = layout(
        "_:skip, n:u8, mode:u8{0=off}, t:i16le{-32768=not known}*0.01 °C, a:u8[2], {x:i8, y:u8}[n], z:u8?? V, id:u8=7",
    );
    let asked: Vec<_> = layout
        .blanks()
        .into_iter()
        .map(|blank| (blank.name, blank.element, blank.required, blank.repeats))
        .collect();
    let expected = [
        ("n", None, false, false),
        ("mode", None, true, false),
        ("t", None, true, false),
        ("a", Some(0), true, false),
        ("a", Some(1), true, false),
        ("x", None, false, true),
        ("y", None, false, true),
        ("z", None, false, false),
        ("id", None, false, false),
    ];
    assert_eq!(
        asked,
        expected.map(|(name, at, needed, free)| (name.to_owned(), at, needed, free))
    );
    let blanks = layout.blanks();
    assert_eq!(blanks[1].kind, crate::encode::BlankKind::Choice);
    assert_eq!(blanks[2].choices, ["not known"]);
    assert_eq!(
        blanks[2].kind,
        crate::encode::BlankKind::Number {
            least: "\u{2212}327.68".to_owned(),
            most: "327.67".to_owned()
        }
    );
}

#[test]
fn errors_point_at_the_characters_and_say_what_can_stand_there() {
    for (text, at, len, words) in [
        ("", 0, 0, "begins with a name"),
        ("a:u8,", 5, 0, "begins with a name"),
        ("temp", 4, 0, "a colon and a type"),
        ("temp=u8", 4, 1, "a colon and a type"),
        ("a:u8, °:u8", 6, 1, "begins with a name"),
        ("a:u16", 2, 3, "u16 needs its byte order"),
        ("a:f16", 2, 3, "f16 needs its byte order"),
        ("a:bcd16", 2, 5, "bcd16 needs its byte order"),
        ("a:u12le", 2, 5, "not a type"),
        ("a:", 2, 0, "not a type"),
        ("a:uint16_t, b:u8", 2, 8, "not a type"),
        ("a:u8.8", 5, 1, "bits 0 to 7"),
        ("a:u16le.16", 8, 2, "bits 0 to 15"),
        ("a:u8.6-4", 5, 3, "the lower one first"),
        ("a:u8.x", 5, 1, "bits 0 to 7"),
        ("a:u8[0]", 5, 1, "count from 1 to 512"),
        ("a:u8[513]", 5, 3, "count from 1 to 512"),
        ("a:u8[*]", 5, 1, "count from 1 to 512"),
        ("a:u8[3", 6, 0, "not closed"),
        ("n:u8, a:u8[m]", 11, 1, "not the name of an earlier field"),
        (
            "n:f32le, a:u8[n]",
            14,
            1,
            "not the name of an earlier field",
        ),
        ("a:u8?n=1", 5, 1, "not the name of an earlier field"),
        ("a:u8, b:u8?", 11, 0, "After ? comes a condition"),
        ("a:u8, b:u8?a", 12, 0, "After ? comes a condition"),
        ("a:u8, b:u8?a=", 13, 0, "After ? comes a condition"),
        ("a:u8, b:u8?a=256", 13, 3, "After ? comes a condition"),
        ("a:u8, b:u8?a.1-2", 16, 0, "After ? comes a condition"),
        ("a:u8, b:u8?a.8", 13, 1, "bits 0 to 7"),
        (
            "{a:u8, {b:u8}[2]}[3]",
            7,
            1,
            "made of fields of fixed length",
        ),
        ("{a:u8[]}[3]", 5, 2, "made of fields of fixed length"),
        ("{a:hex}[3]", 3, 3, "made of fields of fixed length"),
        ("{a:u8??}[3]", 5, 1, "made of fields of fixed length"),
        ("{a:u8", 5, 0, "The group is not closed"),
        ("{a:u8}", 6, 0, "how often it repeats"),
        ("{a:u8}*2", 6, 1, "how often it repeats"),
        ("{a:u8*2}[]*3", 10, 1, "a scale already"),
        ("{a:u8 g}[] g", 11, 1, "a unit already"),
        ("{a:hex[1]}[] g", 13, 1, "Only numbers have a unit"),
        ("a:u8{}", 5, 1, "go names of values"),
        ("a:u8{0}", 6, 1, "go names of values"),
        ("a:u8{0=}", 7, 0, "go names of values"),
        ("a:u8{0=off", 10, 0, "go names of values"),
        ("a:u8{0=off, 0=on}", 12, 1, "named already"),
        ("a:u8{256=off}", 5, 3, "does not hold it"),
        ("a:u8{.8=off}", 5, 2, "does not hold it"),
        ("a:f32le{0=off}", 7, 1, "Only integers and bool"),
        ("a:i8{.0=off}", 4, 1, "Only integers and bool"),
        ("a:u8{.0=off}*2", 4, 8, "Only integers and bool"),
        ("a:u8=", 5, 0, "the integer that always stands here"),
        ("a:u8=300", 5, 3, "the integer that always stands here"),
        ("a:u8[2]=3", 7, 1, "compared with a constant"),
        ("a:u8=3*2", 6, 1, "compared with a constant"),
        ("a:u8*", 5, 0, "decimal number"),
        ("a:u8*0.0", 5, 3, "A scale of 0"),
        ("a:u8+x", 5, 1, "decimal number"),
        ("a:u8*1.2.3", 8, 2, "cannot stand here"),
        ("a:hex*2", 5, 1, "Only numbers have a scale"),
        ("a:bool+2", 6, 1, "Only numbers have an offset"),
        ("a:utf8 °C", 7, 1, "Only numbers have a unit"),
        ("a:hex[2]!ms", 8, 1, "Only numbers have a role"),
        ("a:u8 *2", 5, 1, "go before the space"),
        ("a:u8 a\u{202E}b", 6, 1, "the unit"),
        ("a:u8 abcdefghijklmnopqrstuvwxyz", 29, 2, "at most 24"),
        ("a:u8!c", 5, 1, "not a role"),
        ("a:u8!", 5, 0, "not a role"),
        ("a:u8!count/0", 11, 1, "by how much"),
        ("a:u8!count/256", 11, 3, "by how much"),
        ("a:u8[2]!count", 2, 2, "one integer without brackets"),
        ("a:f32le!count", 2, 5, "one integer without brackets"),
        ("a:u8[2]!ms", 2, 2, "device clock is one number"),
        (
            "a:u8, b:u8??, c:u8!count",
            18,
            6,
            "at the same place in every value",
        ),
        ("{a:u8!ms}[]", 5, 3, "at the same place in every value"),
        (
            "a:u8!count, b:u8!count",
            17,
            5,
            "a sequence counter already",
        ),
        ("a:u8!ms, b:u8!us", 14, 2, "a device clock already"),
        ("a:u8, a:u8", 6, 1, "The name a stands twice"),
        ("a:u8[], b:u8", 8, 4, "Nothing can follow"),
        ("é:hex, b:u8", 7, 4, "Nothing can follow"),
        ("a:u64le[60], b:u64le[60]", 13, 11, "take 960 bytes"),
        ("{a:u64le}[65]", 0, 13, "take 520 bytes"),
        ("a:u8)", 4, 1, "cannot stand here"),
        ("a:u8!count x", 11, 1, "cannot stand here"),
    ] {
        let error = Layout::parse(text).expect_err(text);
        let sentence = error.to_string();
        assert_eq!((error.at, error.len), (at, len), "{text}: {sentence}");
        assert!(sentence.contains(words), "{text}: {sentence}");
    }
    let long = format!("{}:u8", "a".repeat(65));
    let error = Layout::parse(&long).unwrap_err();
    assert_eq!((error.at, error.len), (64, 1));
    let deciding: String = (0..17)
        .map(|at| format!("n{at}:u8, a{at}:u8?n{at}=1, "))
        .collect();
    let error = Layout::parse(&deciding).unwrap_err();
    assert_eq!(error.kind, LayoutErrorKind::TooManySources);
    let many = vec!["_:u8.0??"; 4097].join(",");
    assert_eq!(
        Layout::parse(&many).unwrap_err().kind,
        LayoutErrorKind::TooManyFields
    );
}

#[test]
fn an_error_says_what_it_found_and_what_was_perhaps_meant() {
    let sentence = |text: &str| Layout::parse(text).unwrap_err().to_string();
    assert!(sentence("a:u12le").starts_with("At character 3, \"u12le\": This is not a type."));
    assert!(sentence("a:u8,").starts_with("At character 6: A field begins"));
    for (text, meant) in [
        ("a:uint16_t", "u16le"),
        ("a:int32", "i32le"),
        ("a:sint24be", "i24be"),
        ("a:u16el", "u16le"),
        ("a:U16LE", "u16le"),
        ("a:float", "f32le"),
        ("a:double", "f64le"),
        ("a:string", "utf8"),
        ("a:byte", "u8"),
        ("a:sfloat", "medfloat16"),
        ("a:u16", "u16le"),
        ("a:skp", "skip"),
        ("a:u8!counter", "count"),
        ("a:u8!msec", "ms"),
        ("a:u8!coutn", "count"),
        ("flags:u8, a:u8?flgas.1", "flags"),
        ("count:u8, a:u8[cuont]", "count"),
    ] {
        let error = Layout::parse(text).unwrap_err();
        assert_eq!(error.instead.as_deref(), Some(meant), "{text}: {error}");
        assert!(
            error
                .to_string()
                .ends_with(&format!("Did you mean {meant}?"))
        );
    }
    // What is like nothing known is not guessed at.
    assert_eq!(Layout::parse("a:elephant").unwrap_err().instead, None);
    assert_eq!(Layout::parse("a:u8!x").unwrap_err().instead, None);
}

#[test]
fn only_the_underscore_may_name_several_fields() {
    assert_eq!(layout("_:u8, _:u8").series().len(), 2);
}

/// A type, and whether it may have a scale.
fn kinds() -> impl Strategy<Value = (String, bool)> {
    let numbers = [
        "u8",
        "i8",
        "u16le",
        "u16be",
        "i24le",
        "u24be",
        "i32le",
        "u32be",
        "u40le",
        "i48be",
        "u56le",
        "u64le",
        "i64be",
        "f16le",
        "f16be",
        "f32le",
        "f32be",
        "f64le",
        "f64be",
        "medfloat16",
        "medfloat32",
        "bcd8",
        "bcd16be",
        "bcd32le",
    ];
    let words = [
        ("u8", 8),
        ("i8", 8),
        ("u16le", 16),
        ("i16be", 16),
        ("u24le", 24),
        ("u64be", 64),
    ];
    prop_oneof![
        4 => prop::sample::select(numbers.to_vec()).prop_map(|name| (name.to_owned(), true)),
        2 => (prop::sample::select(words.to_vec()), 0_u8..64, 0_u8..64).prop_map(
            |((name, width), a, b)| {
                let (a, b) = (a % width, b % width);
                (format!("{name}.{}-{}", a.min(b), a.max(b)), true)
            }
        ),
        1 => prop::sample::select(vec!["bool", "hex[2]", "utf8[3]", "skip", "skip[2]"])
            .prop_map(|name| (name.to_owned(), false)),
    ]
}

/// What may follow the type of a number: brackets, names, a constant, scale, offset.
fn measures() -> impl Strategy<Value = String> {
    let decimal = || (1_i64..=99_999, -9_i32..=9).prop_map(|(m, e)| Decimal::new(m, e).unwrap());
    (
        prop::option::weighted(0.3, 1_u16..5),
        prop_oneof![
            3 => Just(String::new()),
            1 => Just("{0=off, 1=on it goes}".to_owned()),
        ],
        prop::option::weighted(0.4, (decimal(), any::<bool>())),
        prop::option::weighted(0.4, (decimal(), any::<bool>())),
    )
        .prop_map(|(times, names, scale, offset)| {
            let mut text = times.map_or_else(String::new, |times| format!("[{times}]"));
            text += &names;
            if let Some((scale, negative)) = scale {
                text += &format!("*{}{scale}", if negative { "-" } else { "" });
            }
            if let Some((offset, negative)) = offset {
                text += &format!("{}{offset}", if negative { "-" } else { "+" });
            }
            text
        })
}

fn units() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "", "", "", " %", " °C", " 1/min", " m/s²", " a b", " a{b",
    ])
    .prop_map(str::to_owned)
}

/// One field without its name, with `?` in place of a condition.
fn field(condition: bool) -> impl Strategy<Value = String> {
    let conditions = if condition {
        vec![
            "",
            "",
            "",
            "?flags.0",
            "?flags.1-2=3",
            "?flags.7=0",
            "?mode=2",
            "?mode!=0",
            "??",
        ]
    } else {
        vec![""]
    };
    (
        kinds(),
        measures(),
        prop::sample::select(conditions),
        units(),
    )
        .prop_map(|((kind, number), measures, condition, unit)| {
            // Names are for integers: a value that does not fit is refused, so keep to wide ones.
            let names = kind.starts_with("u8") || kind.starts_with("u16");
            let bits = kind.contains('.');
            let measures = match measures.find('{') {
                Some(at) if !names || bits => measures[..at].to_owned(),
                _ => measures,
            };
            if number {
                format!("{kind}{measures}{condition}{unit}")
            } else {
                format!("{kind}{condition}")
            }
        })
}

/// Any line: a counter, what decides, fields, a group perhaps, and perhaps one to the end.
fn lines() -> impl Strategy<Value = String> {
    let group = (
        prop::collection::vec(field(false), 1..4),
        prop::sample::select(vec!["[1]", "[3]", "[n]"]),
        prop::sample::select(vec!["", "?flags.3", "??"]),
    )
        .prop_map(|(fields, times, condition)| (Some(fields), format!("{times}{condition}")));
    let item = prop_oneof![
        5 => field(true).prop_map(|field| (None, field)),
        1 => prop::sample::select(vec!["u16le[n]", "hex[n]", "utf8[n]?flags.4", "skip[n]"])
            .prop_map(|field| (None, field.to_owned())),
        2 => group,
    ];
    let last = prop::sample::select(vec![
        "",
        "i16le[]*0.5 mV",
        "hex",
        "utf8",
        "skip[]",
        "u8.0-3[]",
        "i16le[]?mode=1",
        "hex??",
        "{x:i16le, y:i16le}[]*0.001 g",
    ]);
    (
        prop::collection::vec(item, 0..8),
        last,
        prop::sample::select(vec!["", "!count", "!count/4", " s!ms"]),
    )
        .prop_map(|(items, last, role)| {
            let mut names = (0..).map(|at: u32| format!("f {at}"));
            let mut name = || names.next().unwrap_or_default();
            let mut line = format!("flags:u8{{.0=a, .7=b}}, mode:u8.0-2, n:u8, seq:u16le{role}");
            for (group, text) in items {
                let item = match group {
                    Some(fields) => {
                        let fields: Vec<_> = fields
                            .iter()
                            .map(|field| format!("{}:{field}", name()))
                            .collect();
                        format!("{{{}}}{text}", fields.join(","))
                    }
                    None => format!("{}:{text}", name()),
                };
                line += &format!(", {item}");
            }
            match last {
                "" => {}
                group if group.starts_with('{') => line += &format!(",{group}"),
                field => line += &format!(",{}:{field}", name()),
            }
            line
        })
}

/// The layouts of those lines.
fn layouts() -> impl Strategy<Value = Layout> {
    lines().prop_map(|line| layout(&line))
}

/// Gives all that a value says, and reads what is made of it.
fn round_trip(layout: &Layout, value: &[u8]) -> Result<(), TestCaseError> {
    let read = |bytes: &[u8]| {
        let mut all = Vec::new();
        layout.decode(bytes, |field| {
            let text = match field.value {
                Value::Text(text) => {
                    String::from_utf8(text.to_vec()).unwrap_or_else(|_| "?".repeat(text.len()))
                }
                Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
                _ => field.bare().to_string(),
            };
            let decimal = layout
                .blocks
                .iter()
                .flat_map(Block::definitions)
                .any(|one| *one.name == *field.name && matches!(one.kind, Kind::Medical { .. }));
            // A float that is scaled is shown with the digits of a float, which can be too few.
            let exact = match field.value {
                Value::Single(_) | Value::Float(_) => decimal || field.linear.is_identity(),
                _ => true,
            };
            let scaled = !exact;
            all.push((
                field.name.to_owned(),
                field.sample,
                field.element,
                text,
                scaled,
            ));
        });
        all
    };
    // Text that is no UTF-8 is given as other text; the second value has nothing but text.
    let mut text: Vec<u8> = value.iter().map(|byte| byte & 0x3F | 0x40).collect();
    // As many samples as before, which are there.
    text[2] = value[2];
    for value in [value, &text] {
        let fields = read(value);
        let cannot = |text: &str| matches!(text, "missing" | "not decimal digits" | "reserved");
        if fields
            .iter()
            .any(|(.., text, scaled)| *scaled || cannot(text))
        {
            continue;
        }
        let arrays: std::collections::HashMap<_, _> = fields
            .iter()
            .map(|(name, _, element, ..)| (name.as_str(), element.map_or(1, |at| at + 1)))
            .collect();
        let given: Vec<_> = fields
            .iter()
            .map(|(name, sample, element, text, _)| crate::encode::Given {
                name,
                element: match (sample, element) {
                    (Some(sample), element) => {
                        Some(sample * arrays[name.as_str()] + element.unwrap_or(0))
                    }
                    (None, element) => *element,
                },
                text,
            })
            .collect();
        let bytes = layout
            .encode(&given)
            .map_err(|error| TestCaseError::fail(format!("{layout}: {error}")))?;
        let again = read(&bytes);
        prop_assert_eq!(fields, again, "{}", layout);
    }
    Ok(())
}

/// A count of what decoding and the hot path say.
fn check(layout: &Layout, bytes: &[u8]) {
    let mut missing = 0;
    let mut numbers = Vec::new();
    let mut previous = 0;
    let rest = layout.decode(bytes, |field| {
        assert!(field.range.start <= field.range.end && field.range.end <= bytes.len());
        assert!(
            field.range.start >= previous,
            "fields come in the order of the bytes"
        );
        previous = field.range.start;
        let _shown = field.to_string();
        missing += usize::from(field.value == Value::Missing);
        numbers.extend(field.number().map(f64::to_bits));
    });
    assert_eq!(rest.missing, missing);
    assert!(rest.extra.start <= rest.extra.end && rest.extra.end == bytes.len());

    // The hot path gives the same numbers, in columns that exist.
    let series = layout.series();
    let mut hot = Vec::new();
    layout.columns(bytes, &mut |column, number| {
        assert_eq!(series[column].column, column);
        hot.push(number.to_bits());
    });
    assert_eq!(hot, numbers, "{layout}");
    assert!((1..=bytes.len().max(513)).contains(&layout.samples(bytes)));
}

proptest! {
    #[test]
    fn what_is_written_reads_back_and_is_no_longer(line in lines()) {
        let layout = layout(&line);
        let text = layout.to_string();
        prop_assert_eq!(Layout::parse(&text), Ok(layout.clone()), "{}", text);
        prop_assert_eq!(layout.to_string(), text);
    }

    #[test]
    fn any_text_is_read_or_refused_within_itself(text in "\\PC{0,40}") {
        if let Err(error) = Layout::parse(&text) {
            prop_assert!(error.at + error.len <= text.chars().count());
        }
    }

    #[test]
    fn text_in_the_alphabet_of_the_grammar_is_read_or_refused(
        text in "([a-z_:,!.* +0-9?={}\\[\\]-]|[a-d]:u8, |u8|i16le|f32be|hex|skip|!count|\\[\\]|, |\\{|\\}\\[| x\\}y|\\?a\\.|\\?b=1|\\{0=x){0,30}"
    ) {
        match Layout::parse(&text) {
            Ok(layout) => {
                let written = layout.to_string();
                prop_assert_eq!(Layout::parse(&written), Ok(layout), "{} became {}", text, written);
            }
            Err(error) => prop_assert!(error.at + error.len <= text.chars().count()),
        }
    }

    #[test]
    fn any_bytes_decode_within_themselves(
        layout in layouts(),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        check(&layout, &bytes);
    }

    #[test]
    fn what_is_given_as_it_is_shown_reads_back(
        layout in layouts(),
        flags in any::<u8>(),
        mode in 0_u8..4,
        n in 0_u8..6,
        bytes in prop::collection::vec(any::<u8>(), 300..400),
    ) {
        let mut value = vec![flags, mode, n];
        value.extend(bytes);
        round_trip(&layout, &value)?;
    }

    #[test]
    fn a_few_groups_decode_within_themselves(
        layout in layouts(),
        flags in any::<u8>(),
        mode in 0_u8..4,
        n in 0_u8..6,
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut value = vec![flags, mode, n];
        value.extend(bytes);
        check(&layout, &value);
    }
}
