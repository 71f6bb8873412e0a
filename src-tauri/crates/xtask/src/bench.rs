//! `cargo xtask bench`: what the project promises in numbers, measured beside what somebody would use
//! instead, on this machine and in the same run. Never a test: how fast a machine is, is no mistake.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::process::{Command, ExitCode};

use lexopt::Arg;

use crate::checkout;
use crate::failure::Failure;
use crate::prepare::{self, Consent};
use crate::process;
use crate::python;

/// How a line begins that says what was promised and is not so here.
const BROKEN: &str = "PROMISE NOT KEPT";

/// One program that measures. It prints a line `| what | here | peer | ratio |` for each finding, the
/// ratio above 1 where it is better than the peer; where a promise is not kept, a line that begins with
/// [`BROKEN`], and it fails.
struct Bench {
    name: &'static str,
    /// What it measures, and how long that takes.
    what: &'static str,
    package: &'static str,
    target: Target,
}

/// Where cargo has it.
enum Target {
    Bench(&'static str),
    /// A benchmark beside these packages of Python, whose interpreter it finds in its environment.
    Peers(&'static str, &'static [&'static str]),
    /// A test that is run with this in its environment.
    Test(&'static str, &'static str, &'static str),
}

/// All of them, in the order in which they are run. A new one needs a line here and nothing else.
const BENCHES: &[Bench] = &[
    Bench {
        name: "recording",
        what: "notifications a second that reach the disk, and whether one is lost; 80 s",
        package: "session",
        target: Target::Bench("recorder"),
    },
    Bench {
        name: "decode",
        what: "Heart Rate, nine axes and a beacon decoded a second on one core; 25 s",
        package: "decode",
        target: Target::Peers("peers", &["bluetooth-sig==0.6.0"]),
    },
    Bench {
        name: "large",
        what: "first chart and CSV of ten million events; 5 min, 6 GB of disk for that time",
        package: "explorer",
        target: Target::Bench("large"),
    },
    Bench {
        name: "memory",
        what: "an hour of 2,000 values a second through the whole program; 2 min",
        package: "explorer",
        target: Target::Bench("memory"),
    },
    Bench {
        name: "durability",
        what: "500 kills under 5,000 values a second; 10 min",
        package: "explorer",
        target: Target::Test("durability", "GATTSCOPE_KILLS", "500"),
    },
];

impl Bench {
    fn from_name(name: &OsStr) -> Result<&'static Self, Failure> {
        BENCHES
            .iter()
            .find(|bench| name == bench.name)
            .ok_or_else(|| {
                let all = BENCHES
                    .iter()
                    .map(|bench| format!("\n  {} ({})", bench.name, bench.what));
                Failure::Usage(format!(
                    "there is no benchmark `{}`; there are{}",
                    name.to_string_lossy(),
                    all.collect::<String>()
                ))
            })
    }

    fn command(&self) -> Result<Command, Failure> {
        let mut cargo = checkout::cargo();
        if let Target::Peers(_, packages) = self.target {
            let python = python::environment(self.name, packages)?;
            cargo.env("GATTSCOPE_PYTHON", python);
        }
        match self.target {
            Target::Bench(name) | Target::Peers(name, _) => {
                cargo.args([
                    "bench",
                    "--locked",
                    "--package",
                    self.package,
                    "--bench",
                    name,
                ]);
            }
            Target::Test(name, variable, value) => {
                cargo.args(["test", "--release", "--locked", "--package", self.package]);
                cargo.args(["--test", name]).env(variable, value);
            }
        }
        Ok(cargo)
    }
}

pub(crate) fn main(mut arguments: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (mut benches, mut yes) = (Vec::new(), false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("yes") => yes = true,
            Arg::Value(name) => benches.push(Bench::from_name(&name)?),
            other => return Err(other.unexpected().into()),
        }
    }
    if benches.is_empty() {
        benches.extend(BENCHES);
    }
    prepare::packages(
        &[prepare::BUILD, prepare::PEERS, prepare::PYTHON],
        Consent::from(yes),
    )?;
    let mut table = vec![
        "| what | here | beside it | times better |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    let (mut failed, mut broken) = (Vec::new(), Vec::new());
    for bench in benches {
        println!("\n=== {}: {} ===", bench.name, bench.what);
        let outcome = bench.command().and_then(|mut command| {
            process::follow(&mut command, |line| {
                if line.starts_with(BROKEN) {
                    broken.push(format!("{}: {line}", bench.name));
                }
                if line.starts_with("| ") {
                    table.push(line.to_owned());
                }
            })
        });
        if let Err(failure) = outcome {
            println!("=== {}: {failure}", bench.name);
            failed.push(bench.name);
        }
    }
    println!("\n{}\n", machine());
    table.iter().for_each(|line| println!("{line}"));
    if failed.is_empty() && broken.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!();
    broken.iter().for_each(|line| println!("{line}"));
    if !failed.is_empty() {
        println!("FAILED: {}", failed.join(", "));
    }
    Ok(ExitCode::FAILURE)
}

/// What the figures were measured on, and how busy it was.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cpu = after(&cpu, "model name").unwrap_or(env::consts::ARCH);
    let memory = read("/proc/meminfo");
    let memory = after(&memory, "MemTotal").unwrap_or("memory not told");
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    format!(
        "{cores} cores of {cpu}, {memory}; {} {}; load at the end {}",
        env::consts::OS,
        kernel.trim(),
        load.split(' ').next().unwrap_or_default(),
    )
}

/// What stands behind the first `name:` of a file of `/proc`.
fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_the_machine_are_read_where_the_system_tells_them() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Other\n";
        assert_eq!(after(text, "model name"), Some("Some CPU @ 2 GHz"));
        assert_eq!(after(text, "MemTotal"), None);
    }

    #[test]
    fn a_benchmark_that_is_not_there_is_refused_with_those_that_are() {
        let Err(Failure::Usage(words)) = Bench::from_name(OsStr::new("speed")) else {
            panic!("it was found");
        };
        assert!(BENCHES.iter().all(|bench| words.contains(bench.name)));
    }
}
