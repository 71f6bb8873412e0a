//! `cargo xtask names`: the tables of names, out of the packages that have them under a licence that allows it.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::Arg;

use crate::checkout;
use crate::failure::Failure;
use crate::prepare::{self, Consent};
use crate::process;
use crate::python;

/// What the tables are made of, with the SHA-256 of the file. To follow a newer release, change it here and review how
/// the tables differ: names that changed are seen by every user.
const SOURCES: [(&str, &str); 2] = [
    (
        "bluetooth-numbers==1.1.2",
        "4fbd09be00587817eef7abe0c50c71b8842b2a9c7cb438983c156286a7b774bd",
    ),
    (
        "bumble==0.0.236",
        "e31b0f9fc49112538638040f38bfb19feefd7a5038340fc33f1607372f342052",
    ),
];

pub(crate) fn main(mut arguments: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (mut check, mut from, mut yes) = (false, None, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("check") => check = true,
            Arg::Long("from") => from = Some(PathBuf::from(arguments.value()?)),
            Arg::Long("yes") => yes = true,
            other => return Err(other.unexpected().into()),
        }
    }
    prepare::packages(&[prepare::PYTHON], Consent::from(yes))?;
    let from = from.map(|folder| std::path::absolute(&folder).map_err(Failure::file(&folder)));
    let wheels = python::wheels(&SOURCES, from.transpose()?.as_deref())?;
    let decode = checkout::root().join("src-tauri/crates/decode");
    let kept = decode.join("src/names");
    let made = if check {
        checkout::target().join("names")
    } else {
        kept.clone()
    };
    fs::create_dir_all(&made).map_err(Failure::file(&made))?;
    process::run(
        process::command("python3")
            .arg(decode.join("names/generate.py"))
            .args(wheels)
            .arg(&made),
    )?;
    if !check {
        println!(
            "The tables are in {}; `git diff` shows what changed.",
            kept.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let mut drifted = Vec::new();
    for entry in fs::read_dir(&made).map_err(Failure::file(&made))? {
        let path = entry.map_err(Failure::file(&made))?.path();
        let name = path.file_name().unwrap_or_default();
        let old = kept.join(name);
        // Git may have changed the line ends on Windows.
        let now = fs::read_to_string(&path).map_err(Failure::file(&path))?;
        if fs::read_to_string(&old).map_or(true, |old| old.replace("\r\n", "\n") != now) {
            drifted.push(name.to_string_lossy().into_owned());
        }
    }
    if drifted.is_empty() {
        println!("The tables are what their sources give.");
        return Ok(ExitCode::SUCCESS);
    }
    drifted.sort();
    Err(Failure::Told(format!(
        "not what the sources give, in {}: {}; `cargo xtask names` makes the tables anew",
        kept.display(),
        drifted.join(", "),
    )))
}
