//! A screen for a machine that has none: Xvfb, with a session bus and fonts like those of a desktop.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;
use std::{env, fs};

use crate::checkout;
use crate::failure::Failure;
use crate::process::{self, Background, Echo};

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text
            .split_once('x')
            .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        match sides {
            Some((width, height))
                if (320..=7680).contains(&width) && (240..=4320).contains(&height) =>
            {
                Ok(Self { width, height })
            }
            _ => Err(format!("a size is given as 1440x900, not as {text}")),
        }
    }
}

/// The fonts of a current desktop. A machine without one would take whatever font it finds first.
const FONTS: &str = r#"<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <match target="pattern"><test qual="first" name="family"><string>sans-serif</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
  <match target="pattern"><test qual="first" name="family"><string>Sans</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
  <match target="pattern"><test qual="first" name="family"><string>system-ui</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
  <match target="pattern"><test qual="first" name="family"><string>monospace</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>DejaVu Sans Mono</string></edit></match>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
</fontconfig>
"#;

/// A running virtual screen; dropping it ends it.
pub(crate) struct Screen {
    _xvfb: Background,
    display: String,
    scale: u32,
    fonts: PathBuf,
}

impl Screen {
    /// Starts a screen of `size` logical pixels with `scale` device pixels each way for every one.
    pub(crate) fn start(size: Size, scale: u32) -> Result<Self, Failure> {
        let pixels = format!("{}x{}x24", size.width * scale, size.height * scale);
        let mut xvfb = process::leashed("Xvfb", Duration::ZERO);
        // It chooses a free display number and prints it when it takes connections.
        xvfb.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            &pixels,
            "-nolisten",
            "tcp",
            "-noreset",
        ]);
        let xvfb = Background::start("the virtual screen", &mut xvfb, Echo::Off)?;
        let number = xvfb.line(Duration::from_secs(30), |line| {
            line.trim().parse::<u32>().ok()
        })?;
        let fonts = checkout::target().join("screen-fonts.conf");
        fs::write(&fonts, FONTS).map_err(Failure::file(&fonts))?;
        Ok(Self {
            _xvfb: xvfb,
            display: format!(":{number}"),
            scale,
            fonts,
        })
    }

    /// The X display, for a message.
    pub(crate) fn display(&self) -> &str {
        &self.display
    }

    /// Makes a program draw here and not on the user's screen.
    pub(crate) fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("DISPLAY", &self.display)
            .env("GDK_BACKEND", "x11")
            .env("GDK_SCALE", self.scale.to_string())
            .env("NO_AT_BRIDGE", "1")
            .env("FONTCONFIG_FILE", &self.fonts)
            .env_remove("WAYLAND_DISPLAY")
    }

    /// Saves what the screen shows; the suffix of the file says in which format.
    pub(crate) fn capture(&self, file: &Path) -> Result<(), Failure> {
        process::run(
            self.apply(
                process::command("import")
                    .args(["-window", "root"])
                    .arg(file),
            ),
        )
    }
}

/// A program with a session bus of its own: the shell needs one to find out whether it runs already.
pub(crate) fn with_session_bus(program: impl AsRef<OsStr>, limit: Duration) -> Command {
    let mut command = process::leashed("dbus-run-session", limit);
    command.arg("--").arg(program);
    command
}

/// Is there a screen that a window can open on?
pub(crate) fn present() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read() {
        assert_eq!(
            "1440x900".parse(),
            Ok(Size {
                width: 1440,
                height: 900
            })
        );
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "1440", "x", "1440x", "0x0", "100000x900", "-1440x900"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
