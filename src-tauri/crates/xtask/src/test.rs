//! `cargo xtask test`: every lane of tests, each timed and counted, none left out in silence.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use lexopt::Arg;

use crate::checkout;
use crate::failure::Failure;
use crate::fuzz;
use crate::lab;
use crate::prepare::{self, Consent};
use crate::process;
use crate::screen::{self, Screen, Size};
use crate::tally::Tally;

/// A set of tests that is run and reported as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    /// Form: rustfmt, clippy, documentation, the UI's checker.
    Lint,
    /// Every crate and the UI by itself.
    Unit,
    /// The TypeScript that is generated from Rust is the one that is checked in.
    Bindings,
    /// The radio contract on the simulated radio.
    ContractSimulated,
    /// The decoders on bytes and texts that libFuzzer finds, a quarter of a minute each.
    Fuzz,
    /// The radio contract on a real BlueZ.
    Lab,
    /// A real window on the simulated radio.
    Desktop,
    /// A real window on a real BlueZ.
    DesktopLab,
}

impl Lane {
    const ALL: [Self; 8] = [
        Self::Lint,
        Self::Unit,
        Self::Bindings,
        Self::ContractSimulated,
        Self::Fuzz,
        Self::Lab,
        Self::Desktop,
        Self::DesktopLab,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Unit => "unit",
            Self::Bindings => "bindings",
            Self::ContractSimulated => "contract-simulated",
            Self::Fuzz => "fuzz",
            Self::Lab => "lab",
            Self::Desktop => "desktop",
            Self::DesktopLab => "desktop-lab",
        }
    }

    fn from_name(name: &OsStr) -> Result<Self, Failure> {
        Self::ALL
            .into_iter()
            .find(|lane| name == lane.name())
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                Failure::Usage(format!(
                    "there is no lane `{}`; there are {names}",
                    name.to_string_lossy()
                ))
            })
    }

    /// Why this machine cannot run it.
    fn obstacle(self) -> Option<&'static str> {
        match self {
            Self::Lab | Self::DesktopLab
                if !cfg!(all(target_os = "linux", target_arch = "x86_64")) =>
            {
                Some("the lab boots an x86-64 Linux guest")
            }
            Self::Fuzz if !cfg!(target_os = "linux") => {
                Some("libFuzzer with a stable compiler was tried on Linux alone")
            }
            Self::Desktop if !cfg!(target_os = "linux") => {
                Some("the window is driven by WebKitWebDriver, which is on Linux")
            }
            _ => None,
        }
    }

    fn run(self, tally: &mut Tally) -> Result<(), Failure> {
        match self {
            Self::Lint => lint(),
            Self::Unit => unit(tally),
            Self::Bindings => bindings(tally),
            Self::ContractSimulated => follow(
                &mut workspace_tests(&["--package", "radio", "--test", "contract_simulated"]),
                tally,
            ),
            Self::Fuzz => fuzz::lane(tally),
            Self::Lab => contract_in_lab(tally),
            Self::Desktop => desktop(tally),
            Self::DesktopLab => desktop_in_lab(tally),
        }
    }

    /// Lint has no tests to count; everything else that counts none has tested nothing.
    fn counts(self) -> bool {
        self != Self::Lint
    }
}

/// How one lane ended.
struct Report {
    lane: Lane,
    tally: Tally,
    took: Duration,
    failure: Option<String>,
}

pub(crate) fn main(mut arguments: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (mut lanes, mut yes) = (Vec::new(), false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("yes") => yes = true,
            Arg::Value(name) => lanes.push(Lane::from_name(&name)?),
            other => return Err(other.unexpected().into()),
        }
    }
    let chosen = !lanes.is_empty();
    if !chosen {
        lanes.extend(Lane::ALL);
    }
    let (lanes, barred): (Vec<_>, Vec<_>) = lanes
        .into_iter()
        .partition(|lane| lane.obstacle().is_none());
    let absent = barred.iter().filter_map(|lane| {
        Some(format!(
            "NOT RUN HERE: {} ({})",
            lane.name(),
            lane.obstacle()?
        ))
    });
    let absent: Vec<String> = absent.collect();
    absent.iter().for_each(|line| println!("{line}"));

    prepare_for(&lanes, Consent::from(yes))?;
    let reports: Vec<Report> = lanes.into_iter().map(report).collect();
    let passed = summary(&reports, &absent);
    // A lane asked for by name and not run is no success.
    let all_chosen_ran = !chosen || absent.is_empty();
    Ok(if passed && all_chosen_ran {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn prepare_for(lanes: &[Lane], consent: Consent) -> Result<(), Failure> {
    let window = lanes
        .iter()
        .any(|lane| matches!(lane, Lane::Desktop | Lane::DesktopLab));
    let mut packages = vec![prepare::BUILD];
    if window {
        packages.extend([prepare::SCREEN, prepare::WEBDRIVER]);
    }
    if lanes.contains(&Lane::Unit) {
        packages.push(prepare::READERS);
    }
    prepare::packages(&packages, consent)?;
    if lanes.contains(&Lane::Lint) {
        prepare::rust_components()?;
    }
    if lanes
        .iter()
        .any(|lane| matches!(lane, Lane::Lab | Lane::DesktopLab))
    {
        lab::setup()?;
    }
    prepare::ui()
}

fn report(lane: Lane) -> Report {
    println!("\n=== {} ===", lane.name());
    let start = Instant::now();
    let mut tally = Tally::default();
    let outcome = lane.run(&mut tally);
    let failure = match outcome {
        Err(failure) => Some(failure.to_string()),
        Ok(()) if tally.failed > 0 => Some("tests failed".into()),
        Ok(()) if lane.counts() && !tally.any() => Some("no test ran".into()),
        Ok(()) => None,
    };
    let took = start.elapsed();
    match &failure {
        Some(why) => println!("=== {}: FAILED after {}: {why}", lane.name(), minutes(took)),
        None => println!("=== {}: ok after {}", lane.name(), minutes(took)),
    }
    Report {
        lane,
        tally,
        took,
        failure,
    }
}

/// Prints the table and the sum; true if every lane passed.
fn summary(reports: &[Report], absent: &[String]) -> bool {
    println!("\n{:<20}{:<8}{:>8}  tests", "lane", "result", "time");
    let mut sum = Tally::default();
    for report in reports {
        sum += report.tally;
        let result = if report.failure.is_none() {
            "ok"
        } else {
            "FAILED"
        };
        let tests = if report.lane.counts() {
            report.tally.to_string()
        } else {
            String::new()
        };
        let line = format!(
            "{:<20}{result:<8}{:>8}  {tests}",
            report.lane.name(),
            minutes(report.took)
        );
        println!("{}", line.trim_end());
        if let Some(why) = &report.failure {
            println!("    {why}");
        }
    }
    absent.iter().for_each(|line| println!("{line}"));
    let failed = reports
        .iter()
        .filter(|report| report.failure.is_some())
        .count();
    println!(
        "\n{sum}; {} of {} lanes ok",
        reports.len() - failed,
        reports.len()
    );
    failed == 0
}

fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}m {:02}s", seconds / 60, seconds % 60)
}

fn lint() -> Result<(), Failure> {
    process::run(checkout::cargo().args(["fmt", "--all", "--check"]))?;
    process::run(checkout::cargo().args([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    process::run(
        checkout::cargo()
            .args(["doc", "--locked", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    prepare::npm(&["run", "check"])
}

/// `cargo test` with these arguments; a failing test does not keep the others from running.
fn workspace_tests(arguments: &[&str]) -> Command {
    let mut command = checkout::cargo();
    command
        .args(["test", "--locked", "--no-fail-fast"])
        .args(arguments);
    command
}

fn follow(command: &mut Command, tally: &mut Tally) -> Result<(), Failure> {
    process::follow(command, |line| tally.read(line))
}

fn unit(tally: &mut Tally) -> Result<(), Failure> {
    let rust = follow(
        &mut workspace_tests(&["--workspace", "--exclude", "desktop-tests"]),
        tally,
    );
    follow(&mut prepare::npm_command(&["test"]), tally)?;
    rust
}

fn bindings(tally: &mut Tally) -> Result<(), Failure> {
    let fresh = checkout::target().join("bindings");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(Failure::file(&fresh))?;
    }
    // The same packages as in `unit`, so that nothing is built twice.
    let mut generate = workspace_tests(&[
        "--workspace",
        "--exclude",
        "desktop-tests",
        "--lib",
        "--bins",
        "export_bindings",
    ]);
    follow(generate.env("TS_RS_EXPORT_DIR", &fresh), tally)?;
    let kept = checkout::root().join("ui/src/bindings");
    let differences = differences(&kept, &fresh)?;
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failure::Told(format!(
        "ui/src/bindings is not what Rust generates: {}. Generate it anew: TS_RS_EXPORT_DIR={} cargo test --workspace export_bindings",
        differences.join(", "),
        kept.display(),
    )))
}

/// How two trees of TypeScript files differ, a few words for each file.
fn differences(kept: &Path, fresh: &Path) -> Result<Vec<String>, Failure> {
    let (before, now) = (files(kept)?, files(fresh)?);
    let mut told = Vec::new();
    for file in &before {
        if !now.contains(file) {
            told.push(format!("{} is generated no more", file.display()));
        }
    }
    for file in &now {
        let read = |folder: &Path| {
            let path = folder.join(file);
            // Git may have changed the line ends on Windows.
            fs::read_to_string(&path)
                .map(|text| text.replace("\r\n", "\n"))
                .map_err(Failure::file(&path))
        };
        if !before.contains(file) {
            told.push(format!("{} is new", file.display()));
        } else if read(kept)? != read(fresh)? {
            told.push(format!("{} differs", file.display()));
        }
    }
    Ok(told)
}

/// Every TypeScript file under a folder, relative to it and sorted; none if there is no folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(inner) = open.pop() {
        if !inner.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&inner).map_err(Failure::file(&inner))? {
            let path = entry.map_err(Failure::file(&inner))?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|suffix| suffix == "ts") {
                found.push(path.strip_prefix(folder).unwrap_or(&path).to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The tests that stand on BlueZ, each program in a guest of its own: they kill what runs there.
const IN_LAB: [&str; 4] = ["contract_btleplug", "contract_bluez", "trouble", "capture"];

/// The one that leaves files for its ignored tests, which run here: Wireshark takes minutes in an emulated machine.
const COMPARED: &str = "capture";

fn contract_in_lab(tally: &mut Tally) -> Result<(), Failure> {
    let mut build = checkout::cargo();
    build.args([
        "test",
        "--locked",
        "--package",
        "radio",
        "--package",
        "explorer",
        "--features",
        "radio/lab,explorer/lab",
    ]);
    build.args(IN_LAB.iter().flat_map(|target| ["--test", target]));
    build.args(["--no-run", "--message-format=json-render-diagnostics"]);
    let messages = process::output(&mut build)?;
    let mut failed = Vec::new();
    for target in IN_LAB {
        let binary = test_binary(&messages, target)?;
        // One adapter, one test at a time. What tests measure and leave out is printed.
        let command = format!("'{binary}' --test-threads=1 --nocapture");
        let code = lab::run(&command, &lab::log_folder(Some(target)), |line| {
            tally.read(line);
        })?;
        if code != 0 {
            failed.push(format!("{target} in the guest ended with status {code}"));
        } else if target == COMPARED {
            let mut compare = process::command(&binary);
            compare.args(["--ignored", "--nocapture"]);
            compare.env("LAB_LOG", lab::log_folder(Some(target)));
            if let Err(failure) = follow(&mut compare, tally) {
                failed.push(format!("{target}, compared here: {failure}"));
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::Told(failed.join("; ")))
    }
}

/// The program that cargo built for a test target, out of its JSON messages.
fn test_binary(messages: &str, target: &str) -> Result<String, Failure> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == target)
        .find_map(|message| message["executable"].as_str().map(str::to_owned))
        .ok_or_else(|| Failure::Told(format!("cargo built no test program {target}")))
}

fn desktop(tally: &mut Tally) -> Result<(), Failure> {
    prepare::application(false)?;
    desktop_tests("simulated", None, tally)
}

fn desktop_in_lab(tally: &mut Tally) -> Result<(), Failure> {
    prepare::application(false)?;
    // Built before the guest boots, for emulation and a compiler in each other's way are slow.
    process::run(checkout::cargo().args([
        "test",
        "--locked",
        "--package",
        "desktop-tests",
        "--test",
        "lab",
        "--no-run",
    ]))?;
    let bus = lab::serve(lab::free_port()?, &lab::log_folder(Some("desktop")))?;
    desktop_tests("lab", Some(&bus.address()), tally)
}

fn desktop_tests(target: &str, system_bus: Option<&str>, tally: &mut Tally) -> Result<(), Failure> {
    let screen = Screen::start(
        Size {
            width: 1440,
            height: 900,
        },
        1,
    )?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tests = screen::with_session_bus(cargo, Duration::ZERO);
    tests.args([
        "test",
        "--locked",
        "--no-fail-fast",
        "--package",
        "desktop-tests",
        "--test",
        target,
        "--",
        "--test-threads=1",
    ]);
    tests.env("GATTSCOPE_BIN", checkout::application(false));
    tests.env("GATTSCOPE_PICTURES", checkout::target().join("desktop"));
    if let Some(address) = system_bus {
        tests.env("DBUS_SYSTEM_BUS_ADDRESS", address);
    }
    follow(screen.apply(&mut tests), tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_found_by_its_name() {
        for lane in Lane::ALL {
            assert_eq!(
                Lane::from_name(OsStr::new(lane.name())).expect("it has a name"),
                lane
            );
        }
        let failure = Lane::from_name(OsStr::new("units")).expect_err("there is none");
        assert!(
            failure.to_string().contains("contract-simulated"),
            "{failure}"
        );
    }

    #[test]
    fn the_test_program_is_found_among_the_messages_of_cargo() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"radio"},"executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"contract_btleplug"},"executable":"/t/contract_btleplug-1"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(
            test_binary(messages, "contract_btleplug").expect("it is there"),
            "/t/contract_btleplug-1"
        );
        assert!(test_binary(messages, "radio").is_err());
    }

    #[test]
    fn drift_of_generated_files_is_told_file_by_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (kept, fresh) = (folder.path().join("kept"), folder.path().join("fresh"));
        let write = |path: PathBuf, text: &str| {
            fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        };
        write(kept.join("same.ts"), "a\r\n");
        write(fresh.join("same.ts"), "a\n");
        write(kept.join("part/changed.ts"), "a");
        write(fresh.join("part/changed.ts"), "b");
        write(kept.join("gone.ts"), "a");
        write(fresh.join("new.ts"), "a");
        write(kept.join("README.md"), "not generated");
        let told = differences(&kept, &fresh).expect("both can be read");
        let changed = format!("{} differs", Path::new("part/changed.ts").display());
        assert_eq!(
            told,
            [
                "gone.ts is generated no more".to_owned(),
                "new.ts is new".to_owned(),
                changed
            ]
        );
    }

    #[test]
    fn a_missing_tree_has_no_files() {
        assert!(
            files(Path::new("no/such/folder"))
                .expect("that is fine")
                .is_empty()
        );
    }

    #[test]
    fn times_are_told_in_minutes() {
        assert_eq!(minutes(Duration::from_millis(61_900)), "1m 01s");
    }
}
