//! How many values a second are decoded on one core, beside what one would use in Python: `bluetooth-sig`, and `struct` by
//! hand. Both read the same bytes, and find the same numbers in them before anything is timed.
//!
//! `cargo xtask bench decode` gives it a Python that has `bluetooth-sig`; by itself it takes `python3` or what
//! `GATTSCOPE_PYTHON` says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::env;
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use decode::advertisement::{self, AdPart, AdType};
use decode::{Format, Layout, names};
use serde_json::Value;

/// Values of each kind.
const VALUES: usize = 4096;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(300);

const MOTION: &str =
    "seq:u16le!count, acc:i16le[3]*0.001 g, gyr:i16le[3]*0.1 dps, mag:i16le[3]*0.15 uT";

fn main() {
    let heart = Format::default_for(names::uuid16(0x2A37)).expect("it is a standard one");
    let motion = Format::Layout(Layout::parse(MOTION).unwrap());
    let cases: BTreeMap<&str, Vec<Vec<u8>>> = [
        ("heart", hearts()),
        ("motion", motions()),
        ("advertisement", advertisements()),
    ]
    .into();
    let (found, speeds) = python(&cases);

    for (way, ours) in [
        ("heart_by_hand", numbers(&heart, &cases["heart"])),
        ("heart_by_sig", numbers(&heart, &cases["heart"])),
        ("motion_by_hand", numbers(&motion, &cases["motion"])),
        ("advertisement_by_hand", beacons(&cases["advertisement"])),
    ] {
        let Some(theirs) = found.get(way) else {
            println!("{way} is not here");
            continue;
        };
        let theirs: Vec<Vec<f64>> = serde_json::from_value(theirs.clone()).unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let same = |(ours, theirs): (&f64, &f64)| (ours - theirs).abs() <= 1e-9;
            assert!(
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(same),
                "{way}: {ours:?} here, {theirs:?} there"
            );
        }
    }
    println!("The same numbers here and there, in {VALUES} values of each kind.");

    let heart_all = speed(&cases["heart"], |value| fields(&heart, value));
    let heart_columns = speed(&cases["heart"], |value| columns(&heart, value));
    let motion_all = speed(&cases["motion"], |value| fields(&motion, value));
    let motion_columns = speed(&cases["motion"], |value| columns(&motion, value));
    let beacon = speed(&cases["advertisement"], |value| {
        black_box(said(value));
    });
    let sig = "bluetooth-sig";
    let hand = "struct by hand";
    for (what, ours, way, name) in [
        ("Heart Rate, all fields", heart_all, "heart_by_sig", sig),
        ("Heart Rate, all fields", heart_all, "heart_by_hand", hand),
        ("Heart Rate, numbers", heart_columns, "heart_by_hand", hand),
        (
            "9 axes and a counter, all fields",
            motion_all,
            "motion_by_hand",
            hand,
        ),
        (
            "9 axes and a counter, numbers",
            motion_columns,
            "motion_by_hand",
            hand,
        ),
        (
            "AD structures and their beacon in words",
            beacon,
            "advertisement_by_hand",
            hand,
        ),
    ] {
        match speeds.get(way) {
            Some(theirs) => println!(
                "| decoding: {what} | {ours:.0}/s | Python, {name}: {theirs:.0}/s | {:.1} |",
                ours / theirs
            ),
            None => println!("| decoding: {what} | {ours:.0}/s | Python, {name}: not here | |"),
        }
    }
}

/// Numbers without a pattern, the same in every run (Knuth's MMIX generator).
fn random() -> impl FnMut() -> u16 {
    let mut state = 1_u64;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 48) as u16
    }
}

/// What straps send: the rate in one byte, contact, one or two intervals; every eighth with energy.
fn hearts() -> Vec<Vec<u8>> {
    let mut random = random();
    let mut one = |at: usize| {
        let rate = 60 + random() % 120;
        let energy = at.is_multiple_of(8);
        let mut value = vec![0x16 | u8::from(energy) << 3, rate as u8];
        if energy {
            value.extend(random().to_le_bytes());
        }
        for _ in 0..=random() % 2 {
            value.extend((300 + random() % 900).to_le_bytes());
        }
        value
    };
    (0..VALUES).map(&mut one).collect()
}

fn motions() -> Vec<Vec<u8>> {
    let mut random = random();
    let mut one = |at: usize| {
        let mut value = (at as u16).to_le_bytes().to_vec();
        (0..9).for_each(|_| value.extend(random().to_le_bytes()));
        value
    };
    (0..VALUES).map(&mut one).collect()
}

/// Flags and an iBeacon: the whole of a legacy advertisement.
fn advertisements() -> Vec<Vec<u8>> {
    let mut random = random();
    let mut one = |_| {
        let mut value = vec![
            0x02, 0x01, 0x06, 0x1A, 0xFF, 0x4C, 0x00, 0x02, 0x15, 0xE2, 0xC5, 0x6D, 0xB5, 0xDF,
            0xFB, 0x48, 0xD2, 0xB0, 0x60, 0xD0, 0xF5, 0xA7, 0x10, 0x96, 0xE0,
        ];
        value.extend(random().to_be_bytes());
        value.extend(random().to_be_bytes());
        value.push(0xC5);
        value
    };
    (0..VALUES).map(&mut one).collect()
}

fn numbers(format: &Format, values: &[Vec<u8>]) -> Vec<Vec<f64>> {
    let one = |value: &Vec<u8>| {
        let mut all = Vec::new();
        format.columns(value, &mut |_, number| all.push(number));
        all
    };
    values.iter().map(one).collect()
}

/// How many AD structures there are, and the beacon's two numbers, out of the words.
fn beacons(values: &[Vec<u8>]) -> Vec<Vec<f64>> {
    let one = |value: &Vec<u8>| {
        let (structures, words) = said(value);
        let words = words.expect("it has a beacon");
        let numbers = words
            .split([' ', ','])
            .filter_map(|word| word.parse::<u16>().ok())
            .map(f64::from)
            .take(2);
        [f64::from(structures)].into_iter().chain(numbers).collect()
    };
    values.iter().map(one).collect()
}

fn fields(format: &Format, value: &[u8]) {
    format.decode(value, |field| {
        black_box(field.number());
        black_box(field);
    });
}

fn columns(format: &Format, value: &[u8]) {
    format.columns(value, &mut |column, number| {
        black_box((column, number));
    });
}

fn said(value: &[u8]) -> (u32, Option<String>) {
    let (mut structures, mut words) = (0, None);
    for part in advertisement::parts(value) {
        let AdPart::Structure { kind, data, .. } = part else {
            continue;
        };
        structures += 1;
        if let (AdType::MANUFACTURER_DATA, [low, high, rest @ ..]) = (kind, &value[data]) {
            let company = u16::from_le_bytes([*low, *high]);
            words = advertisement::summary([(company, rest)], []);
        }
    }
    (structures, words)
}

/// Values a second on this core, the best of some rounds.
fn speed(values: &[Vec<u8>], mut decode: impl FnMut(&[u8])) -> f64 {
    let mut round = || {
        let (start, mut count) = (Instant::now(), 0);
        while start.elapsed() < ROUND {
            values.iter().for_each(|value| decode(black_box(value)));
            count += values.len();
        }
        count as f64 / start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| round()).fold(0.0, f64::max)
}

/// What Python finds in the values by each of its ways, and how many a second it decodes.
fn python(cases: &BTreeMap<&str, Vec<Vec<u8>>>) -> (Value, BTreeMap<String, f64>) {
    let hex = |value: &Vec<u8>| -> String { value.iter().map(|b| format!("{b:02x}")).collect() };
    let cases: BTreeMap<_, Vec<_>> = cases
        .iter()
        .map(|(name, values)| (name, values.iter().map(hex).collect()))
        .collect();
    let program = env::var_os("GATTSCOPE_PYTHON").unwrap_or_else(|| "python3".into());
    let mut python = Command::new(&program)
        .args(["-c", include_str!("peers.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("there is Python, which this is measured beside");
    let mut input = python.stdin.take().unwrap();
    writeln!(input, "{}", serde_json::to_string(&cases).unwrap()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "Python ended with {}",
        output.status
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let mut line = || lines.next().expect("two lines");
    let found = serde_json::from_str(line()).unwrap();
    (found, serde_json::from_str(line()).unwrap())
}
