//! `cargo xtask run`: from a fresh clone to an open window, and to a picture of it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use lexopt::{Arg, ValueExt as _};

use crate::checkout;
use crate::failure::Failure;
use crate::prepare::{self, Consent};
use crate::process::{self, Background, Echo};
use crate::screen::{self, Screen, Size};

/// What the application prints when its window shows data.
const READY: &str = "gattscope: ready";
/// How long it may take to get there; a virtual screen is drawn by the processor.
const PATIENCE: Duration = Duration::from_secs(90);
/// What a live chart needs to fill its width.
const CHART: Duration = Duration::from_secs(12);

struct Options {
    screenshot: Option<PathBuf>,
    theme: Option<String>,
    simulated: bool,
    size: Size,
    scale: u32,
    release: bool,
    yes: bool,
    rest: Vec<OsString>,
}

pub(crate) fn main(arguments: lexopt::Parser) -> Result<ExitCode, Failure> {
    let options = read(arguments)?;
    if options.screenshot.is_some() && !cfg!(target_os = "linux") {
        return Err(Failure::Told("--screenshot needs a virtual screen, which only Linux has; take the picture with the system's own key".into()));
    }
    let present = screen::present();
    let own_screen = options.screenshot.is_some() || !present;
    let wanted: &[&[&str]] = if own_screen {
        &[prepare::BUILD, prepare::SCREEN]
    } else {
        &[prepare::BUILD]
    };
    prepare::packages(wanted, Consent::from(options.yes))?;
    prepare::ui()?;
    prepare::application(options.release)?;

    let application = checkout::application(options.release);
    if !own_screen {
        let mut command = process::command(application);
        return process::run(command.args(options.for_the_application()))
            .map(|()| ExitCode::SUCCESS);
    }
    let screen = Screen::start(options.size, options.scale)?;
    if !present {
        println!(
            "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): using a virtual one."
        );
    }
    let mut command = screen::with_session_bus(application, Duration::ZERO);
    screen
        .apply(&mut command)
        .args(options.for_the_application());
    let mut window = Background::start("the application", &mut command, Echo::On)?;
    if let Some(file) = &options.screenshot {
        picture(&screen, &window, file)?;
    } else {
        println!(
            "The window is on display {0}. `import -display {0} -window root picture.png` takes a picture of it; Ctrl-C ends it.",
            screen.display()
        );
        let status = window.wait()?;
        if !status.success() {
            return Err(Failure::Told(format!(
                "the application ended with {status}"
            )));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn picture(screen: &Screen, window: &Background, file: &Path) -> Result<(), Failure> {
    let ready = window.line(PATIENCE, |line| line.contains(READY).then_some(()));
    if ready.is_ok() {
        thread::sleep(CHART);
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(Failure::file(folder))?;
    }
    // Even of a window that never got ready: the picture shows why.
    screen.capture(file)?;
    println!("Saved {}.", file.display());
    ready
}

impl Options {
    fn for_the_application(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        if self.screenshot.is_some() {
            // Scans, connects and plots by itself, so that there is something to see.
            words.push("--demo".into());
        }
        if self.simulated {
            words.push("--simulated".into());
        }
        if let Some(theme) = &self.theme {
            words.extend(["--theme".into(), theme.into()]);
        }
        words.extend(self.rest.iter().cloned());
        words
    }
}

fn read(mut arguments: lexopt::Parser) -> Result<Options, Failure> {
    let mut options = Options {
        screenshot: None,
        theme: None,
        simulated: false,
        size: Size {
            width: 1440,
            height: 900,
        },
        scale: 1,
        release: false,
        yes: false,
        rest: Vec::new(),
    };
    // The user's folder, for the application and cargo work in the checkout's root.
    let here = std::env::current_dir().map_err(Failure::file(Path::new(".")))?;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("screenshot") => options.screenshot = Some(here.join(arguments.value()?)),
            Arg::Long("theme") => {
                let theme = arguments.value()?.string()?;
                if !["dark", "light"].contains(&theme.as_str()) {
                    return Err(Failure::Usage(format!(
                        "the theme is dark or light, not {theme}"
                    )));
                }
                options.theme = Some(theme);
            }
            Arg::Long("simulated") => options.simulated = true,
            Arg::Long("size") => options.size = arguments.value()?.parse()?,
            Arg::Long("scale") => {
                options.scale = arguments.value()?.parse()?;
                if !(1..=3).contains(&options.scale) {
                    return Err(Failure::Usage("the scale is 1, 2 or 3".into()));
                }
            }
            Arg::Long("release") => options.release = true,
            Arg::Long("yes") => options.yes = true,
            // What follows `--` is the application's.
            Arg::Value(first) => {
                options.rest.push(first);
                options.rest.extend(arguments.raw_args()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Result<Options, Failure> {
        read(lexopt::Parser::from_args(words))
    }

    #[test]
    fn a_picture_asks_for_the_demonstration() {
        let options = options(&["--screenshot", "a.png", "--theme", "light", "--simulated"])
            .expect("it is right");
        assert_eq!(
            options.for_the_application(),
            ["--demo", "--simulated", "--theme", "light"]
        );
        assert!(options.screenshot.expect("it was given").is_absolute());
    }

    #[test]
    fn what_follows_the_dashes_reaches_the_application_untouched() {
        let options = options(&["--release", "--", "--theme", "dark", "-x"]).expect("it is right");
        assert_eq!(options.for_the_application(), ["--theme", "dark", "-x"]);
        assert!(options.release);
    }

    #[test]
    fn a_wrong_command_line_is_told() {
        for words in [
            &["--theme", "green"][..],
            &["--scale", "9"],
            &["--size", "big"],
            &["--screenshot"],
            &["--colour"],
        ] {
            assert!(
                matches!(options(words), Err(Failure::Usage(_))),
                "{words:?}"
            );
        }
    }
}
