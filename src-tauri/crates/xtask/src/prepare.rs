//! Getting a machine ready: system packages, Node, the UI's packages and its build. What is there is left alone.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use crate::checkout;
use crate::failure::Failure;
use crate::process;

/// What building the application needs on Debian and Ubuntu.
pub(crate) const BUILD: &[&str] = &[
    "build-essential",
    "pkg-config",
    "libwebkit2gtk-4.1-dev",
    "libgtk-3-dev",
    "libdbus-1-dev",
];
/// What a virtual screen needs, fonts that look like a desktop's included.
pub(crate) const SCREEN: &[&str] = &[
    "xvfb",
    "dbus",
    "imagemagick",
    "adwaita-icon-theme",
    "fonts-inter",
    "fonts-dejavu-core",
];
/// What driving the window and the system's dialogs from a test needs.
pub(crate) const WEBDRIVER: &[&str] = &["procps", "webkit2gtk-driver", "xdotool"];

/// Other people's programs that must be able to read our files.
pub(crate) const READERS: &[&str] = &["python3", "sqlite3", "tshark"];

/// What reads and runs Python packages.
pub(crate) const PYTHON: &[&str] = &["python3", "python3-venv"];

/// What benchmarks measure themselves against.
pub(crate) const PEERS: &[&str] = &["python3", "sqlite3"];

/// May packages be installed without a question?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    Given,
    Ask,
}

impl Consent {
    /// Given by `--yes`, and in CI, where nobody would answer.
    pub(crate) fn from(yes: bool) -> Self {
        let ci = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        if yes || ci { Self::Given } else { Self::Ask }
    }
}

/// Installs those of the Debian packages that are missing. Does nothing on macOS and Windows.
pub(crate) fn packages(wanted: &[&[&str]], consent: Consent) -> Result<(), Failure> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let wanted: BTreeSet<&str> = wanted
        .iter()
        .flat_map(|list| list.iter().copied())
        .collect();
    if !process::answers(Command::new("apt-get").arg("--version")) {
        println!(
            "This installs packages with apt only. Where the build misses something, look for what Debian calls:"
        );
        println!("  {}", Vec::from_iter(wanted).join(" "));
        return Ok(());
    }
    let missing = missing(&wanted)?;
    if missing.is_empty() {
        return Ok(());
    }
    println!("Missing packages: {}", missing.join(" "));
    let mut elevate: &[&str] = &[];
    if process::output(Command::new("id").arg("-u"))?.trim() != "0" {
        let install = format!("apt-get install {}", missing.join(" "));
        if !process::answers(Command::new("sudo").arg("-V")) {
            return Err(Failure::Told(format!(
                "only root can install packages, and there is no sudo; run as root: {install}"
            )));
        }
        elevate = match consent {
            Consent::Given => &["sudo", "--non-interactive"],
            Consent::Ask if agreed("Install them now with sudo apt-get?") => &["sudo"],
            Consent::Ask => {
                return Err(Failure::Told(format!(
                    "not installed; you can do it yourself: sudo {install}"
                )));
            }
        };
    }
    // By `env`, for sudo drops most of the environment.
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> = elevate
            .iter()
            .copied()
            .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .collect();
        let mut command = process::command(words[0]);
        command.args(&words[1..]).args(arguments);
        command
    };
    process::run(&mut apt(&["update", "-qq"]))?;
    process::run(apt(&["install", "-y", "-qq", "--no-install-recommends"]).args(&missing))
}

/// Those of the packages that dpkg does not have installed.
fn missing<'a>(wanted: &BTreeSet<&'a str>) -> Result<Vec<&'a str>, Failure> {
    let mut query = Command::new("dpkg-query");
    query
        .args(["-W", "-f", "${db:Status-Status} ${Package}\n"])
        .args(wanted);
    // It fails when it does not know one of them, which is what we want to learn.
    let answer = query.output().map_err(|source| Failure::Start {
        command: "dpkg-query".into(),
        source,
    })?;
    Ok(not_installed(
        wanted,
        &String::from_utf8_lossy(&answer.stdout),
    ))
}

/// Those of the packages that the answer, lines of state and name, does not tell to be installed.
fn not_installed<'a>(wanted: &BTreeSet<&'a str>, answer: &str) -> Vec<&'a str> {
    let installed: BTreeSet<&str> = answer
        .lines()
        .filter_map(|line| line.strip_prefix("installed "))
        .collect();
    wanted
        .iter()
        .copied()
        .filter(|package| !installed.contains(package))
        .collect()
}

/// A question with the answer yes or no; nobody there means no.
fn agreed(question: &str) -> bool {
    if !io::stdin().is_terminal() {
        println!("{question} Nobody is there to answer; --yes agrees beforehand.");
        return false;
    }
    print!("{question} [y/N] ");
    let _ = io::stdout().flush();
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "Yes")
}

/// Installs the UI's packages when the lock file is another than last time, and builds the UI: the shell embeds the result.
pub(crate) fn ui() -> Result<(), Failure> {
    node()?;
    let ui = checkout::root().join("ui");
    let lock = ui.join("package-lock.json");
    let wanted = fs::read(&lock).map_err(Failure::file(&lock))?;
    // A copy of what was installed is surer than a time: git gives every file the time of the checkout.
    let stamp = ui.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("The UI's packages are up to date.");
    } else {
        npm(&["ci", "--no-audit", "--no-fund"])?;
        fs::write(&stamp, wanted).map_err(Failure::file(&stamp))?;
    }
    npm(&["run", "build"])
}

/// Runs npm in the UI's folder.
pub(crate) fn npm(arguments: &[&str]) -> Result<(), Failure> {
    process::run(&mut npm_command(arguments))
}

/// npm in the UI's folder.
pub(crate) fn npm_command(arguments: &[&str]) -> Command {
    let mut command = process::command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command
        .current_dir(checkout::root().join("ui"))
        .args(arguments);
    command
}

fn node() -> Result<(), Failure> {
    let hint = "the UI is built with Node 20.19, 22.12 or later, and npm; https://nodejs.org/en/download has them for every system";
    let version = process::output(Command::new("node").arg("--version"))
        .map_err(|_| Failure::Told(format!("Node is missing: {hint}")))?;
    if suits(&version) {
        Ok(())
    } else {
        Err(Failure::Told(format!(
            "this is Node {}: {hint}",
            version.trim()
        )))
    }
}

/// Does the UI's builder run on the Node that says `v20.19.1`? The same as `engines` in its package.json.
fn suits(version: &str) -> bool {
    let mut numbers = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(20)), Some(Ok(minor))) => minor >= 19,
        (Some(Ok(22)), Some(Ok(minor))) => minor >= 12,
        (Some(Ok(major)), _) => major > 22,
        _ => false,
    }
}

/// The parts of the toolchain that a minimal installation leaves out.
pub(crate) fn rust_components() -> Result<(), Failure> {
    let absent: Vec<&str> = [("clippy", "clippy"), ("fmt", "rustfmt")]
        .iter()
        .filter(|(tool, _)| !process::answers(checkout::cargo().args([tool, "--version"])))
        .map(|(_, component)| *component)
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    process::run(
        process::command("rustup")
            .args(["component", "add"])
            .args(absent),
    )
}

/// Builds the application with the UI inside.
pub(crate) fn application(release: bool) -> Result<(), Failure> {
    let mut build = checkout::cargo();
    build.args([
        "build",
        "--locked",
        "--package",
        "gattscope",
        "--features",
        "custom-protocol",
    ]);
    if release {
        build.arg("--release");
    }
    process::run(&mut build)?;
    let binary = checkout::application(release);
    exists(&binary)
        .then_some(())
        .ok_or_else(|| Failure::Told(format!("the build left no {}", binary.display())))
}

fn exists(path: &Path) -> bool {
    path.try_exists().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_refused_and_a_new_one_taken() {
        for good in ["v20.19.0\n", "v20.20.2", "v22.12.0", "v24.1.0"] {
            assert!(suits(good), "{good}");
        }
        for bad in [
            "v18.20.4",
            "v20.18.1",
            "v21.7.0",
            "v22.11.0",
            "node: command not found",
            "",
        ] {
            assert!(!suits(bad), "{bad}");
        }
    }

    #[test]
    fn consent_is_given_by_the_flag() {
        assert!(Consent::from(true) == Consent::Given);
    }

    #[test]
    fn a_package_that_is_unknown_or_only_left_its_settings_is_missing() {
        let wanted = BTreeSet::from(["dbus", "xvfb", "imagemagick"]);
        let answer = "installed dbus\nconfig-files xvfb\n";
        assert_eq!(not_installed(&wanted, answer), ["imagemagick", "xvfb"]);
    }
}
