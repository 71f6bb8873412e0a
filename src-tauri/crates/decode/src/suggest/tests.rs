//! Synthetic devices whose format is known, and noise that has none.

use super::*;

/// A generator of numbers that is the same every time: SplitMix64.
struct Noise(u64);

impl Noise {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn byte(&mut self) -> u8 {
        self.word() as u8
    }

    /// −1 to 1.
    fn fraction(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// What is suggested for so many values, 20 ms apart.
fn device(count: u32, mut value: impl FnMut(u32, f64) -> Vec<u8>) -> Vec<Suggestion> {
    let values: Vec<Vec<u8>> = (0..count).map(|n| value(n, f64::from(n) * 0.02)).collect();
    let observed: Vec<_> = (0_i64..)
        .zip(&values)
        .map(|(n, bytes)| Observed {
            at_ns: n * 20_000_000 + n % 7 * 1_000_000,
            bytes,
        })
        .collect();
    suggest(&observed)
}

fn best(all: &[Suggestion]) -> String {
    all.first()
        .map_or_else(String::new, |best| best.layout.to_string())
}

#[test]
fn a_motion_sensor_is_recognised() {
    let mut noise = Noise(1);
    let all = device(1_000, |n, t| {
        let mut value = (n as u16).to_le_bytes().to_vec();
        for axis in [(1.0, 0.0), (1.3, 0.2), (0.7, 2.5)] {
            let g = 4_096.0 * (0.6 * (t * axis.0).sin() + axis.1) + 12.0 * noise.fraction();
            value.extend((g as i16).to_le_bytes());
        }
        value
    });
    assert_eq!(best(&all), "count:u16le!count, value 2:i16le[3]");
    let sentences: Vec<_> = all[0]
        .evidence
        .iter()
        .map(|e| e.sentence.as_str())
        .collect();
    assert_eq!(sentences[0], "bytes 0–1 rose by 1 in 999 of 999 steps");
    assert!(
        sentences[1].starts_with("bytes 2–3 as i16le are between \u{2d}24"),
        "{sentences:?}"
    );
    assert_eq!(all[0].evidence[3].field, "value 2[2]");
    assert_eq!(all[0].evidence[3].range, 6..8);
    assert!(all[0].score > 0.3, "{}", all[0].score);
}

#[test]
fn small_numbers_below_zero_have_a_sign_and_large_ones_above_it_have_none() {
    let mut noise = Noise(11);
    let mut around = |middle: f64| {
        let all = device(400, |n, t| {
            let number = middle + 300.0 * t.sin() + 5.0 * noise.fraction();
            [vec![n as u8], (number as i32 as u16).to_le_bytes().to_vec()].concat()
        });
        best(&all)
    };
    assert_eq!(around(-1_500.0), "count:u8!count, value 1:i16le");
    assert_eq!(around(45_000.0), "count:u8!count, value 1:u16le");
}

#[test]
fn big_endian_is_told_from_little_endian() {
    let mut noise = Noise(2);
    let all = device(500, |n, t| {
        let mut value = n.wrapping_add(65_000).to_be_bytes().to_vec();
        for rate in [1.0, 1.7] {
            let number = 9_000.0 * (t * rate).sin() + 20.0 * noise.fraction();
            value.extend((number as i16).to_be_bytes());
        }
        value
    });
    assert_eq!(best(&all), "count:u32be!count, value 4:i16be[2]");
}

#[test]
fn a_counter_that_loses_values_is_still_one() {
    let mut noise = Noise(3);
    let mut count = 250_u8;
    let all = device(400, |_, _| {
        count = count.wrapping_add(if noise.byte() < 10 { 3 } else { 1 });
        vec![count, noise.byte(), noise.byte()]
    });
    assert_eq!(best(&all), "count:u8!count, bytes 1:hex[2]");
    let sentence = &all[0].evidence[0].sentence;
    assert!(
        sentence == "byte 0 rose by 1 in 390 of 399 steps",
        "{sentence}"
    );
    assert_eq!(
        all[0].evidence[1].sentence,
        "bytes 1–2 show no pattern in 400 values"
    );
}

#[test]
fn clocks_are_recognised_by_the_time_of_arrival() {
    let mut noise = Noise(4);
    let ms = device(300, |_, t| {
        let mut value = ((t * 1_000.0) as u32 + 123_456).to_le_bytes().to_vec();
        value.push(noise.byte());
        value
    });
    assert_eq!(best(&ms), "time:u32le!ms, bytes 4:hex[1]");
    assert!(ms[0].evidence[0].sentence.starts_with("bytes 0–3 rose by "));
    let us = device(300, |_, t| {
        ((t * 1e6 * 1.0001) as u32).to_le_bytes().to_vec()
    });
    assert_eq!(best(&us), "time:u32le!us");
    let crystal = device(300, |_, t| {
        ((t * 32_768.0) as u32 as u16).to_be_bytes().to_vec()
    });
    assert_eq!(best(&crystal), "time:u16be*30517578125e-12!ms");
}

#[test]
fn floats_constants_flags_and_text_are_recognised() {
    let mut noise = Noise(5);
    let all = device(500, |n, t| {
        let mut value = vec![0x2A];
        let pressure = 1_013.0 + 2.0 * t.sin() + 0.1 * noise.fraction();
        value.extend((pressure as f32).to_le_bytes());
        value.push(if n / 40 % 2 == 0 { 0x01 } else { 0x09 });
        value.push(u8::from(n % 90 > 60));
        value
    });
    assert_eq!(
        best(&all),
        "fixed 0:u8=0x2A, value 1:f32le, flags 5:u8, bool 6:bool"
    );
    let sentences: Vec<_> = all[0]
        .evidence
        .iter()
        .map(|e| e.sentence.as_str())
        .collect();
    assert_eq!(sentences[0], "byte 0 is always 2A in 500 values");
    assert!(
        sentences[1].starts_with("bytes 1–4 as f32le are finite, between 101"),
        "{sentences:?}"
    );
    assert_eq!(
        sentences[2],
        "only bit 3 of byte 5 ever changes in 500 values"
    );
    let doubles = device(200, |_, t| {
        (20.0 + t.sin() + 0.01 * noise.fraction())
            .to_be_bytes()
            .to_vec()
    });
    assert_eq!(best(&doubles), "value 0:f64be");
    let text = device(50, |n, _| {
        format!("T={}.{}C", 20 + n % 3, n % 10).into_bytes()
    });
    assert_eq!(best(&text), "text 0:utf8[7]");
}

#[test]
fn several_samples_in_a_value_are_recognised() {
    let mut noise = Noise(6);
    // 12 samples of three axes, 600 a second.
    let all = device(200, |n, t| {
        let mut value = vec![n as u8];
        for sample in 0..12 {
            let t = t + f64::from(sample) / 600.0;
            for (axis, rate) in [(0.0, 31.0), (1_500.0, 40.0), (-700.0, 23.0)] {
                let number = axis + 3_000.0 * (t * rate).sin() + 10.0 * noise.fraction();
                value.extend((number as i16).to_le_bytes());
            }
        }
        value
    });
    assert_eq!(best(&all), "count:u8!count, {x:i16le, y:i16le, z:i16le}[]");
    let sentence = &all[0].evidence[1].sentence;
    assert!(
        sentence.starts_with("bytes 1–72 as 12 samples of 3 × i16le change by"),
        "{sentence}"
    );
    // An ECG whose values are of different lengths.
    let mut at = 0_u32;
    let all = device(200, |n, _| {
        let mut value = (n as u16).to_le_bytes().to_vec();
        for _ in 0..(10 + n % 3) {
            at += 1;
            let beat = (f64::from(at) * 0.05).sin().powi(7) * 90_000.0;
            value.extend_from_slice(&((beat + 300.0 * noise.fraction()) as i32).to_le_bytes()[..3]);
        }
        value
    });
    assert_eq!(best(&all), "count:u16le!count, sample 2:i24le[]");
}

#[test]
fn nothing_is_invented() {
    for seed in 10..16 {
        for len in [1, 2, 4, 8, 20, 64] {
            for count in [16, 40, 300] {
                let mut noise = Noise(seed);
                let all = device(count, |_, _| (0..len).map(|_| noise.byte()).collect());
                assert_eq!(all, [], "{count} values of {len} bytes, seed {seed}");
            }
        }
    }
    assert_eq!(
        device(15, |n, _| vec![n as u8]),
        [],
        "too few to say anything"
    );
    assert_eq!(suggest(&[]), []);
    assert_eq!(device(50, |_, _| vec![]), []);
}

#[test]
fn values_of_different_lengths_keep_their_rest() {
    let mut noise = Noise(7);
    let all = device(200, |n, _| {
        let mut value = vec![0x10, n as u8];
        value.extend((0..n % 5).map(|_| noise.byte()));
        value
    });
    assert_eq!(best(&all), "fixed 0:u8=0x10, count:u8!count, rest:hex??");
    assert_eq!(
        all[0].evidence[2].sentence,
        "160 of 200 values are longer than 2 bytes"
    );
}

#[test]
fn what_is_suggested_decodes_what_it_was_made_of() {
    for seed in 50..60 {
        let mut noise = Noise(seed);
        let len = 1 + usize::from(noise.byte() % 24);
        let shapes: Vec<u8> = (0..len).map(|_| noise.byte() % 4).collect();
        let mut values = Vec::new();
        for n in 0..100_u32 {
            values.push(
                shapes
                    .iter()
                    .map(|shape| match shape {
                        0 => 7,
                        1 => n as u8,
                        2 => noise.byte() & 9,
                        _ => noise.byte(),
                    })
                    .collect::<Vec<u8>>(),
            );
        }
        let observed: Vec<_> = values
            .iter()
            .map(|bytes| Observed { at_ns: 0, bytes })
            .collect();
        for suggestion in suggest(&observed) {
            assert!(suggestion.score > 0.0 && suggestion.score <= 1.0);
            for bytes in &values {
                let rest = suggestion
                    .layout
                    .decode(bytes, |field| assert_eq!(field.fault, None));
                assert_eq!(
                    (rest.missing, rest.extra.len()),
                    (0, 0),
                    "{}",
                    suggestion.layout
                );
            }
        }
    }
}
