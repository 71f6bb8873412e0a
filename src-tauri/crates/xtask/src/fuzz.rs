//! `cargo xtask fuzz`: libFuzzer on everything that reads bytes or text from strangers, with what it did in numbers.
//!
//! The targets are in `src-tauri/crates/decode/fuzz`. Nothing of them is kept in the repository but their code: seeds are
//! made of the tests' own vectors, and what libFuzzer learns stays in the target folder for the next time.

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use lexopt::{Arg, ValueExt};

use crate::checkout;
use crate::failure::Failure;
use crate::prepare::{self, Consent};
use crate::process;
use crate::tally::Tally;

/// The version of cargo-fuzz that is installed where it is missing.
const CARGO_FUZZ: &str = "0.13.2";

/// How long each target runs as a lane of tests, in seconds.
pub(crate) const LANE_SECONDS: u64 = 15;

/// The longest input: the longest attribute value, and what says how to read it.
const LONGEST: usize = 700;

/// One of the fuzz targets.
#[derive(Clone, Copy)]
struct Target {
    name: &'static str,
    seeds: fn() -> Result<Vec<Vec<u8>>, Failure>,
    /// Words that belong together.
    words: &'static [&'static str],
}

/// All of them.
const TARGETS: [Target; 10] = [
    Target {
        name: "advertisement",
        seeds: advertisements,
        words: &[],
    },
    Target {
        name: "beacon",
        seeds: payloads,
        words: &[],
    },
    Target {
        name: "sig",
        seeds: standard_values,
        words: &[],
    },
    Target {
        name: "presented",
        seeds: presented,
        words: &[],
    },
    Target {
        name: "grammar",
        seeds: layouts,
        words: GRAMMAR,
    },
    Target {
        name: "layout",
        seeds: values_of_layouts,
        words: GRAMMAR,
    },
    Target {
        name: "typed",
        seeds: typed,
        words: NUMBERS,
    },
    Target {
        name: "form",
        seeds: forms,
        words: NUMBERS,
    },
    Target {
        name: "layout_form",
        seeds: forms_of_layouts,
        words: GRAMMAR,
    },
    Target {
        name: "suggest",
        seeds: streams,
        words: &[],
    },
];

/// Words in numbers that are typed.
const NUMBERS: &[&str] = &["0x", "0b", "NaN", "inf", "e-", "\u{2212}", "1e308"];

/// Words of the layout grammar; the seeds, made of its tests, have the rest.
const GRAMMAR: &[&str] = &[
    "u8",
    "i8",
    "bool",
    "u16le",
    "i16be",
    "u24le",
    "i32le",
    "u64be",
    "f32le",
    "f64be",
    "u8.3",
    "u8.4-6",
    "hex",
    "utf8",
    "skip",
    "[]",
    "[3]",
    "*0.001",
    "+1",
    "-40",
    " g",
    " \u{b0}C",
    "!count",
    "!ms",
    "!us",
    ", a:",
    "{",
    "}[]",
    "}[n]",
    "=0xAA55",
    "{0=off, 1=on}",
    "{.0=a}",
    "?a.2",
    "?a!=2",
    "??",
    "!count/4",
    "bcd8",
    "f16le",
    "medfloat16",
    "utf8[n]",
];

/// What a target did.
struct Report {
    name: &'static str,
    seconds: u64,
    executions: u64,
    features: u64,
    /// Files with inputs that broke a promise.
    findings: Vec<PathBuf>,
    /// Why it ended where it left no such file.
    failure: Option<Failure>,
}

pub(crate) fn main(mut arguments: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (mut targets, mut seconds, mut input, mut yes) = (Vec::new(), None, None, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("seconds") => seconds = Some(arguments.value()?.parse::<u64>()?),
            Arg::Long("input") => input = Some(arguments.value()?.string()?),
            Arg::Long("yes") => yes = true,
            Arg::Value(name) => {
                let found = TARGETS.into_iter().find(|target| name == target.name);
                targets.push(found.ok_or_else(|| {
                    Failure::Usage(format!(
                        "there is no fuzz target `{}`; there are {}",
                        name.to_string_lossy(),
                        TARGETS.map(|target| target.name).join(", ")
                    ))
                })?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    prepare::packages(&[prepare::BUILD], Consent::from(yes))?;
    if let Some(input) = input {
        let [target] = targets[..] else {
            return Err(Failure::Usage("--input is for one target".into()));
        };
        build()?;
        return replay(target, &input);
    }
    if targets.is_empty() {
        targets.extend(TARGETS);
    }
    let all = seconds.unwrap_or(LANE_SECONDS * targets.len() as u64);
    let each = (all / targets.len() as u64).max(1);
    let sound = run(&targets, each, &mut Tally::default())?;
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The lane of tests: all targets, a short time each; each is a test.
pub(crate) fn lane(tally: &mut Tally) -> Result<(), Failure> {
    run(&TARGETS, LANE_SECONDS, tally)?;
    Ok(())
}

fn run(targets: &[Target], seconds: u64, tally: &mut Tally) -> Result<bool, Failure> {
    build()?;
    let mut reports = Vec::new();
    for target in targets {
        println!("fuzzing {} for {seconds} s", target.name);
        reports.push(fuzz(target, seconds)?);
    }
    println!("\n| target | seconds | executions | a second | coverage features | findings |");
    println!("|---|---|---|---|---|---|");
    for report in &reports {
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            report.name,
            report.seconds,
            report.executions,
            report.executions / report.seconds.max(1),
            report.features,
            report.findings.len()
        );
    }
    let mut sound = true;
    for report in &reports {
        for finding in &report.findings {
            let input = fs::read(finding).map_err(Failure::file(finding))?;
            println!(
                "\n{} broke on {}\n  hex: {hex}\n  cargo xtask fuzz {} --input {hex}",
                report.name,
                finding.display(),
                report.name,
                hex = hex(&input)
            );
        }
        if let Some(failure) = &report.failure {
            println!("\n{}: {failure}", report.name);
        }
        if report.findings.is_empty() && report.failure.is_none() {
            tally.passed += 1;
        } else {
            tally.failed += 1;
            sound = false;
        }
    }
    Ok(sound)
}

fn folder(name: &str) -> PathBuf {
    checkout::target().join("fuzz").join(name)
}

/// Installs cargo-fuzz where it is missing, in the target folder, and builds all targets.
fn build() -> Result<(), Failure> {
    let tools = checkout::target().join("tools");
    let bin = tools.join("bin");
    let mut version = Command::new(bin.join("cargo-fuzz"));
    let installed = version.arg("--version").output();
    if !installed.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains(CARGO_FUZZ)) {
        println!("Installing cargo-fuzz {CARGO_FUZZ} in {}", tools.display());
        let mut install = checkout::cargo();
        install.args(["install", "cargo-fuzz", "--locked", "--force", "--version"]);
        process::run(install.arg(CARGO_FUZZ).arg("--root").arg(&tools))?;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin].into_iter().chain(env::split_paths(&path)))
        .map_err(|error| Failure::Told(format!("{}: {error}", tools.display())))?;
    let mut build = checkout::cargo();
    // Without a sanitizer the instrumentation is of options that a stable compiler has; there is no unsafe code to
    // sanitize, and debug assertions and overflow checks are on.
    build.args(["fuzz", "build", "--sanitizer", "none", "--fuzz-dir"]);
    build.arg(checkout::root().join("src-tauri/crates/decode/fuzz"));
    build.arg("--target-dir").arg(folder("build"));
    process::run(build.env("PATH", path))
}

/// The program of a target, in the folder of the only system that it was built for.
fn program(target: &Target) -> Result<PathBuf, Failure> {
    let built = folder("build");
    fs::read_dir(&built)
        .map_err(Failure::file(&built))?
        .filter_map(|entry| Some(entry.ok()?.path().join("release").join(target.name)))
        .find(|path| path.is_file())
        .ok_or_else(|| Failure::Told(format!("cargo fuzz built no {}", target.name)))
}

fn fuzz(target: &Target, seconds: u64) -> Result<Report, Failure> {
    let (seeds, findings) = (folder("seeds"), folder("findings"));
    let (seeds, findings) = (seeds.join(target.name), findings.join(target.name));
    for fresh in [&seeds, &findings] {
        if fresh.exists() {
            fs::remove_dir_all(fresh).map_err(Failure::file(fresh))?;
        }
    }
    let learned = folder("corpus").join(target.name);
    for needed in [&seeds, &findings, &learned] {
        fs::create_dir_all(needed).map_err(Failure::file(needed))?;
    }
    for (at, seed) in (target.seeds)()?.into_iter().enumerate() {
        let path = seeds.join(at.to_string());
        fs::write(&path, seed).map_err(Failure::file(&path))?;
    }
    let mut command = process::command(program(target)?);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={LONGEST}"));
    command.args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    command.arg(format!("-artifact_prefix={}/", findings.display()));
    if !target.words.is_empty() {
        let path = folder("seeds").join(format!("{}.dict", target.name));
        fs::write(&path, dictionary(target.words)).map_err(Failure::file(&path))?;
        command.arg(format!("-dict={}", path.display()));
    }
    command.args([&learned, &seeds]);

    let shown = process::shown(&command);
    let started = |source| Failure::Start {
        command: shown.clone(),
        source,
    };
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(started)?;
    let mut report = Report {
        name: target.name,
        seconds,
        executions: 0,
        features: 0,
        findings: Vec::new(),
        failure: None,
    };
    let mut last = VecDeque::new();
    if let Some(output) = child.stderr.take() {
        let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
        for line in lines.map(|line| String::from_utf8_lossy(&line).into_owned()) {
            report.read(&line);
            last.push_back(line);
            if last.len() > 60 {
                last.pop_front();
            }
        }
    }
    let status = child.wait().map_err(started)?;
    report.findings = files(&findings)?;
    if !status.success() {
        last.iter().for_each(|line| println!("{line}"));
        if report.findings.is_empty() {
            let command = shown;
            report.failure = Some(Failure::Command { command, status });
        }
    }
    Ok(report)
}

impl Report {
    /// Takes what a line of libFuzzer says.
    fn read(&mut self, line: &str) {
        let after = |word: &str| -> Option<u64> {
            let (_, rest) = line.split_once(word)?;
            rest.split_whitespace().next()?.parse().ok()
        };
        // #4096  NEW  cov: 311 ft: 812 corp: 42/1Kb ...
        if line.starts_with('#') {
            self.features = after(" ft: ").unwrap_or(self.features);
        }
        // stat::number_of_executed_units: 7590236
        if let Some(executions) = after("stat::number_of_executed_units: ") {
            self.executions = executions;
        }
    }
}

/// Runs one input, which was told in hex.
fn replay(target: Target, input: &str) -> Result<ExitCode, Failure> {
    let bytes = unhex(input)
        .ok_or_else(|| Failure::Usage(format!("`{input}` is no row of pairs of hex digits")))?;
    let path = folder("replay");
    fs::write(&path, bytes).map_err(Failure::file(&path))?;
    process::run(process::command(program(&target)?).arg(&path))?;
    println!("{} takes it.", target.name);
    Ok(ExitCode::SUCCESS)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(Failure::file(folder))?;
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    found.sort();
    Ok(found)
}

/// libFuzzer's form of a list of words.
fn dictionary(words: &[&str]) -> String {
    let escaped = |word: &&str| {
        let bytes = word.bytes().map(|byte| format!("\\x{byte:02X}"));
        format!("\"{}\"\n", bytes.collect::<String>())
    };
    words.iter().map(escaped).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

fn of_hex(all: &[&str]) -> Result<Vec<Vec<u8>>, Failure> {
    all.iter()
        .map(|text| unhex(text).ok_or_else(|| Failure::Told(format!("{text} is no hex"))))
        .collect()
}

/// Flags and name; iBeacon; Eddystone URL and TLM; RuuviTag 5; a structure that is cut off.
fn advertisements() -> Result<Vec<Vec<u8>>, Failure> {
    of_hex(&[
        "020106050948656172",
        "0201061aff4c000215e2c56db5dffb48d2b060d0f5a71096e000010002c5",
        "0303aafe0d16aafe10ee0072757576690a",
        "1116aafe20000bb81680000000010000000a",
        "1bff99040512fc5394c37c0004fffc040cac364200cdcbb8334c884f",
        "09ff1234",
    ])
}

/// Payloads of the advertisements above and of rows of objects, each as every kind.
fn payloads() -> Result<Vec<Vec<u8>>, Failure> {
    let payloads = of_hex(&[
        "0215e2c56db5dffb48d2b060d0f5a71096e000010002c5",
        "10ee0072757576690a",
        "20000bb81680000000010000000a",
        "0512fc5394c37c0004fffc040cac364200cdcbb8334c884f",
        "400009015d02ca0902cf0903b71853026162",
        "1005031c0102030719010e20559937",
    ])?;
    let each = |kind: u8| {
        payloads
            .iter()
            .map(move |payload| [&[kind], &payload[..]].concat())
    };
    Ok((0..64).flat_map(each).collect())
}

/// One field and several of the first formats.
fn forms() -> Result<Vec<Vec<u8>>, Failure> {
    let line = |at: u16, text: &str| [&at.to_le_bytes(), text.as_bytes()].concat();
    let formats = 0..400;
    Ok(formats
        .flat_map(|at| [line(at, "\x0042"), line(at, "\x0072\n\x01-0.5\n\x02yes")])
        .collect())
}

/// A counter, a constant and a number; noise; one value.
fn streams() -> Result<Vec<Vec<u8>>, Failure> {
    let counted = (0..80_u8).flat_map(|at| [at, 0x2A, at.wrapping_mul(3), 0]);
    let noise = (0..600_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8);
    Ok(vec![
        [3].into_iter().chain(counted).collect(),
        [19].into_iter().chain(noise).collect(),
        vec![7, 1, 2, 3],
    ])
}

/// The vectors of the standard formats: two bytes of UUID, then the value.
fn standard_values() -> Result<Vec<Vec<u8>>, Failure> {
    let path = checkout::root().join("src-tauri/crates/decode/tests/sig/vectors.txt");
    let text = fs::read_to_string(&path).map_err(Failure::file(&path))?;
    Ok(vectors(&text).collect())
}

/// `2A06 02 ...` is a vector; lines that are indented say what is in it.
fn vectors(text: &str) -> impl Iterator<Item = Vec<u8>> {
    text.lines().filter_map(|line| {
        let (uuid, rest) = line.split_once(' ')?;
        let uuid = u16::from_str_radix(uuid, 16).ok()?;
        let value = unhex(rest.split(' ').next()?).unwrap_or_default();
        Some([uuid.to_le_bytes().as_slice(), &value].concat())
    })
}

/// A temperature, a bit and a text, and an IEEE 11073 float that is cut off.
fn presented() -> Result<Vec<Vec<u8>>, Failure> {
    of_hex(&[
        "000efe2f270100004609",
        "0101002f27010000190000270100000168690a",
        "0017002f27010000feff",
    ])
}

/// Every text in the grammar's own tests and documentation that may be a layout.
fn layouts() -> Result<Vec<Vec<u8>>, Failure> {
    let source = checkout::root().join("src-tauri/crates/decode/src");
    let mut paths = files(&source.join("layout"))?;
    paths.push(source.join("layout.rs"));
    let mut all = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(Failure::file(&path))?;
        all.extend(quoted(&text).map(|text| text.as_bytes().to_vec()));
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// What stands in quotes and may be a layout.
fn quoted(source: &str) -> impl Iterator<Item = &str> {
    source.lines().flat_map(|line| {
        let inside = line.split('"').skip(1).step_by(2);
        inside.filter(|text| text.contains(':') && !text.contains(['\\', '{']) && text.len() < 300)
    })
}

fn values_of_layouts() -> Result<Vec<Vec<u8>>, Failure> {
    let value: Vec<u8> = (0..24).map(|byte: u8| byte.wrapping_mul(37)).collect();
    let all = layouts()?.into_iter();
    Ok(all.map(|text| [&text, &[0][..], &value].concat()).collect())
}

fn forms_of_layouts() -> Result<Vec<Vec<u8>>, Failure> {
    let all = layouts()?.into_iter();
    let lines = b"\x0072\n\x01-0.5\n\x02not known\n\x03A0";
    Ok(all.map(|text| [&text, &[0][..], lines].concat()).collect())
}

fn typed() -> Result<Vec<Vec<u8>>, Failure> {
    let all = [
        "01 A0,0f 0x0F",
        "-12",
        "0x1F",
        "0b1010",
        "1_000",
        "3.5e-3",
        "NaN",
        "-inf",
        "\u{2212}7",
    ];
    Ok(all.map(|text| text.as_bytes().to_vec()).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds_and_is_in_the_manifest() {
        let path = checkout::root().join("src-tauri/crates/decode/fuzz/Cargo.toml");
        let manifest = fs::read_to_string(path).expect("it is there");
        let named = manifest.matches("[[bin]]").count();
        assert_eq!(named, TARGETS.len());
        for target in TARGETS {
            assert!(manifest.contains(&format!("name = \"{}\"", target.name)));
            assert!((target.seeds)().is_ok_and(|seeds| seeds.len() > 2));
        }
    }

    #[test]
    fn what_libfuzzer_says_is_counted() {
        let mut report = Report {
            name: "x",
            seconds: 1,
            executions: 0,
            features: 0,
            findings: Vec::new(),
            failure: None,
        };
        report.read("#4096\tNEW    cov: 311 ft: 812 corp: 42/1Kb lim: 80 exec/s: 1000");
        report.read("stat::number_of_executed_units: 7590236");
        assert_eq!((report.features, report.executions), (812, 7_590_236));
    }

    #[test]
    fn seeds_are_read_out_of_what_the_tests_have() {
        let text = "# comment\n2A06 02 1/1\n  0 1 - number\n";
        assert_eq!(vectors(text).collect::<Vec<_>>(), [vec![0x06, 0x2A, 0x02]]);
        let source = "layout(\"a:u8\"), \"no\"\n//! `b:u8`";
        assert_eq!(quoted(source).collect::<Vec<_>>(), ["a:u8"]);
        assert_eq!(unhex("0g"), None);
        assert_eq!(unhex("0"), None);
        assert_eq!(dictionary(&["a\""]), "\"\\x61\\x22\"\n");
    }
}
