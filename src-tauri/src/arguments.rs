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

const USAGE: &str = "usage: gattscope [--simulated] [--demo] [--theme light|dark]";

impl Arguments {
    /// Reads the command line of this process.
    ///
    /// # Errors
    ///
    /// A sentence for the person who typed it.
    pub fn from_command_line() -> Result<Self, String> {
        Self::read(std::env::args_os().skip(1))
    }

    fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
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
                            .ok_or(USAGE)?,
                    );
                }
                _ => return Err(format!("{} is not known here; {USAGE}", word.display())),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Arguments, String> {
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
            assert!(read(words).unwrap_err().contains("--simulated"));
        }
    }
}
