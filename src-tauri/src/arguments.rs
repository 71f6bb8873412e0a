//! The few words that may stand behind the program's name.

use std::ffi::OsString;

/// What the command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// Only the simulated lab, even if there is an adapter.
    pub simulated: bool,
    /// Connect to devices of the simulated lab and draw them, to look at. Implies `simulated`.
    pub demo: bool,
    /// `light` or `dark` for this run.
    pub theme: Option<String>,
}

const USAGE: &str =
    "usage: gattscope [--simulated] [--demo] [--theme light|dark] [--help] [--version]";

/// What the command line wants instead of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Words to print, and nothing else.
    Printed(String),
    /// It cannot be understood: a sentence for the person who typed it.
    Refused(String),
}

impl Arguments {
    /// Reads the command line of this process.
    ///
    /// # Errors
    ///
    /// What to print instead of opening a window.
    pub fn from_command_line() -> Result<Self, Stop> {
        Self::read(std::env::args_os().skip(1))
    }

    fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, Stop> {
        let mut arguments = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--simulated") => arguments.simulated = true,
                Some("--demo") => (arguments.demo, arguments.simulated) = (true, true),
                Some("--theme") => {
                    let theme = words.next().and_then(|theme| theme.into_string().ok());
                    arguments.theme = Some(
                        theme
                            .filter(|theme| theme == "light" || theme == "dark")
                            .ok_or_else(|| Stop::Refused(USAGE.into()))?,
                    );
                }
                Some("--help" | "-h") => return Err(Stop::Printed(help())),
                Some("--version" | "-V") => {
                    return Err(Stop::Printed(
                        concat!("gattscope ", env!("CARGO_PKG_VERSION")).into(),
                    ));
                }
                _ => {
                    let refused = format!("{} is not known here; {USAGE}", word.display());
                    return Err(Stop::Refused(refused));
                }
            }
        }
        Ok(arguments)
    }

    /// Whether choices of this run are for this run only.
    #[must_use]
    pub fn passing(&self) -> bool {
        self.demo || self.theme.is_some()
    }
}

fn help() -> String {
    format!(
        "Gattscope, an oscilloscope for Bluetooth Low Energy\n\n{USAGE}\n\n  \
         --simulated      only the simulated lab, even if there is an adapter\n  \
         --demo           connect to devices of the simulated lab and draw them\n  \
         --theme THEME    light or dark, for this run; with it, settings are not kept\n  \
         --help           print this and end\n  \
         --version        print the version and end"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Arguments, Stop> {
        Arguments::read(words.iter().map(OsString::from))
    }

    #[test]
    fn a_demonstration_is_simulated_and_leaves_no_trace_in_the_settings() {
        let arguments = read(&["--demo", "--theme", "dark"]).unwrap();
        assert!(arguments.simulated && arguments.passing());
        assert_eq!(arguments.theme.as_deref(), Some("dark"));
    }

    #[test]
    fn unknown_words_are_told_with_the_known_ones() {
        for words in [&["--colour"][..], &["--theme"], &["--theme", "green"]] {
            let refused = read(words).unwrap_err();
            assert!(
                matches!(&refused, Stop::Refused(text) if text.contains("--simulated")),
                "{refused:?}"
            );
        }
    }
}
