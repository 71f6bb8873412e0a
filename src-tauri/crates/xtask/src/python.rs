//! Python packages in a folder of their own, for what measures itself against them or reads their data. Nothing
//! of them is shipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::checkout;
use crate::failure::Failure;
use crate::process;

/// The interpreter of an environment in the target folder that has these packages (`name==version`), made when it is not
/// there or has others.
pub(crate) fn environment(name: &str, packages: &[&str]) -> Result<PathBuf, Failure> {
    let folder = checkout::target().join("python").join(name);
    let python = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let stamp = folder.join("installed.txt");
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    process::run(
        process::command("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    if !packages.is_empty() {
        process::run(pip(&python, &["install", "--quiet"]).args(packages))?;
    }
    fs::write(&stamp, wanted).map_err(Failure::file(&stamp))?;
    Ok(python)
}

/// The files of packages as they are published, each only with the hash (SHA-256) that it had when it was chosen, out of
/// the registry or, where it is given, a folder.
pub(crate) fn wheels(
    packages: &[(&str, &str)],
    from: Option<&Path>,
) -> Result<Vec<PathBuf>, Failure> {
    let python = environment("wheels", &[])?;
    let folder = checkout::target().join("python").join("files");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Failure::file(&folder))?;
    }
    fs::create_dir_all(&folder).map_err(Failure::file(&folder))?;
    let list = folder.join("requirements.txt");
    let lines = packages
        .iter()
        .map(|(package, hash)| format!("{package} --hash=sha256:{hash}\n"));
    fs::write(&list, lines.collect::<String>()).map_err(Failure::file(&list))?;
    let mut download = pip(&python, &["download", "--quiet", "--no-deps"]);
    download.args(["--only-binary=:all:", "--require-hashes", "--requirement"]);
    download.arg(&list).arg("--dest").arg(&folder);
    if let Some(from) = from {
        download.args(["--no-index", "--find-links"]).arg(from);
    }
    process::run(&mut download)?;
    let mut found = Vec::new();
    for (package, _) in packages {
        // A wheel is called `some_name-1.2-...whl`.
        let prefix = package.replace('-', "_").replace("==", "-");
        let wheel = fs::read_dir(&folder)
            .map_err(Failure::file(&folder))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.starts_with(&format!("{prefix}-")))
            });
        found.push(wheel.ok_or_else(|| Failure::Told(format!("pip gave no file of {package}")))?);
    }
    Ok(found)
}

fn pip(python: &Path, arguments: &[&str]) -> Command {
    let mut command = process::command(python);
    command
        .args(["-m", "pip", "--disable-pip-version-check"])
        .args(arguments);
    command
}
