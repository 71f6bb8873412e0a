//! The SIG formats against values that were made and read by others.
//!
//! `sig/generate.py` says where `sig/vectors.txt` comes from, and `sig/vectors.txt` when it was
//! made and under which licence.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::fmt::Write as _;

use decode::{Fault, Field, Format, Sig, Value, names};

const VECTORS: &str = include_str!("sig/vectors.txt");

/// One value and the lines that say what is in it.
struct Vector {
    uuid: u16,
    bytes: Vec<u8>,
    fields: Vec<&'static str>,
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn vectors() -> Vec<Vector> {
    let mut all: Vec<Vector> = Vec::new();
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        if let Some(field) = line.strip_prefix("  ") {
            all.last_mut().unwrap().fields.push(field);
            continue;
        }
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap();
        all.push(Vector {
            uuid: u16::from_str_radix(word(), 16).unwrap(),
            bytes: hex(word()),
            fields: Vec::new(),
        });
        assert!(word().starts_with("gss:"), "its source: {line}");
    }
    all
}

/// What a field says, as a line of the file.
fn line(field: &Field<'_>) -> String {
    let bits = field.bits.as_ref().map_or("-".to_owned(), |bits| {
        format!("{}-{}", bits.start(), bits.end())
    });
    let mut unit = String::new();
    let said = match (field.value, field.fault) {
        (Value::Bool(set), _) => format!("bits \"\" {}", u8::from(set)),
        (Value::Int(number), _) if field.bits.is_some() => format!("bits \"\" {number}"),
        (Value::Int(_), Some(Fault::OutOfRange { .. })) => "outside \"\" -".to_owned(),
        (Value::Int(number), Some(Fault::Reserved)) => format!("reserved \"\" {number}"),
        (Value::Int(_) | Value::Single(_) | Value::Float(_), _) => {
            unit.push_str(field.unit.unwrap_or(""));
            match field.number() {
                Some(number) => format!("number \"{unit}\" {number:?}"),
                None => "special \"\" -".to_owned(),
            }
        }
        (Value::Text(text), _) => format!("text \"\" {}", String::from_utf8_lossy(text)),
        (Value::Time(_), _) => format!("time \"\" {field}"),
        (Value::Bytes(bytes), _) => {
            let mut text = "bytes \"\" ".to_owned();
            for byte in bytes {
                write!(text, "{byte:02x}").unwrap();
            }
            text
        }
        (Value::Missing, _) => "missing".to_owned(),
    };
    format!("{} {} {bits} {said}", field.range.start, field.range.end)
}

/// Whether two lines say the same; numbers may differ in the last digits of a float.
fn same(ours: &str, theirs: &str) -> bool {
    let split = |line: &str| {
        let (rest, last) = line.rsplit_once(' ').unwrap();
        (rest.to_owned(), last.parse::<f64>())
    };
    match (split(ours), split(theirs)) {
        ((a, Ok(x)), (b, Ok(y))) => a == b && (x - y).abs() <= 1e-9 * x.abs().max(y.abs()),
        _ => ours == theirs,
    }
}

#[test]
fn every_value_says_what_its_source_says() {
    let mut wrong = String::new();
    let mut counts = (0, 0);
    for vector in vectors() {
        let name = format!("{:04X} {:02x?}", vector.uuid, vector.bytes);
        let Some(sig) = Sig::of(names::uuid16(vector.uuid)) else {
            writeln!(wrong, "{name}: no format").unwrap();
            continue;
        };
        let mut ours = Vec::new();
        let rest = sig.decode(&vector.bytes, |field| ours.push(line(&field)));
        counts = (counts.0 + 1, counts.1 + ours.len());
        let all = ours.len() == vector.fields.len()
            && ours
                .iter()
                .all(|ours| vector.fields.iter().any(|theirs| same(ours, theirs)))
            && vector
                .fields
                .iter()
                .all(|theirs| ours.iter().any(|ours| same(ours, theirs)));
        if !all || rest.missing > 0 || !rest.extra.is_empty() {
            writeln!(wrong, "{name} {rest:?}").unwrap();
            for line in &ours {
                if !vector.fields.iter().any(|theirs| same(line, theirs)) {
                    writeln!(wrong, "  ours   {line}").unwrap();
                }
            }
            for line in &vector.fields {
                if !ours.iter().any(|ours| same(ours, line)) {
                    writeln!(wrong, "  theirs {line}").unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(counts.0 > 1750 && counts.1 > 6700, "{counts:?}");
}

/// Heart Rate Service 1.0, 3.1: 8-bit rate, contact detected, one interval of 0x032C/1024 s.
#[test]
fn a_heart_rate_says_its_rate_and_its_interval() {
    let format = Format::Sig(Sig::of(names::uuid16(0x2A37)).unwrap());
    let bytes = [0x16, 0x48, 0x2C, 0x03];
    let mut fields = Vec::new();
    let rest = format.decode(&bytes, |field| {
        fields.push((field.label().to_string(), field.to_string(), field.range));
    });
    let wanted = |name: &str, said: &str, range| (name.to_owned(), said.to_owned(), range);
    assert!(fields.contains(&wanted("Sensor contact", "detected", 0..1)));
    assert!(fields.contains(&wanted("Heart rate", "72 bpm", 1..2)));
    assert!(fields.contains(&wanted("RR interval[0]", "793 ms", 2..4)));
    assert_eq!((rest.missing, rest.extra), (0, 4..4));
    let mut numbers = Vec::new();
    format.columns(&bytes, &mut |_, number| numbers.push(number));
    assert_eq!(numbers, [72.0, 812_000.0 / 1024.0]);
    assert_eq!(format.summary(&bytes), "72 bpm, RR 793 ms");
}
