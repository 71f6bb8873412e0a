//! What a person types to be written: any text as hex bytes and as a number of each type. What is taken reads back as what
//! was typed.
#![no_main]

use decode::{Layout, NumberType, Value, encode};
use libfuzzer_sys::fuzz_target;

const TYPES: [&str; 14] = [
    "u8", "i8", "u16le", "u16be", "i16le", "u24le", "i24be", "u32le", "i32be", "u64le", "i64be",
    "u64be", "f32le", "f64be",
];

fuzz_target!(|text: &str| {
    match encode::hex(text) {
        Ok(bytes) => {
            let written: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            assert_eq!(encode::hex(&written.join(" ")), Ok(bytes));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    for name in TYPES {
        let (Ok(kind), Ok(layout)) = (
            name.parse::<NumberType>(),
            Layout::parse(&format!("x:{name}")),
        ) else {
            panic!("{name} is a type");
        };
        match encode::number(text, kind) {
            Ok(bytes) => {
                assert_eq!(bytes.len(), kind.size());
                let mut again = None;
                layout.decode(&bytes, |field| again = typed(field.value));
                // A NaN has many forms and is typed in one.
                if let Some(again) = again {
                    assert_eq!(encode::number(&again, kind), Ok(bytes), "{again} as {name}");
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});

fn typed(value: Value<'_>) -> Option<String> {
    match value {
        Value::Int(number) => Some(number.to_string()),
        Value::Single(number) => (!number.is_nan()).then(|| number.to_string()),
        Value::Float(number) => (!number.is_nan()).then(|| number.to_string()),
        _ => None,
    }
}
