//! How failures of the crates below become one shape for the window.

use crate::view::Problem;

impl Problem {
    /// A problem of the explorer itself.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            hint: hint.into(),
            at: None,
        }
    }

    /// A problem in something that was typed: `at` characters from its start.
    #[must_use]
    pub fn input(message: impl Into<String>, at: usize) -> Self {
        Self {
            at: u32::try_from(at).ok(),
            ..Self::new("input", message, "")
        }
    }
}

impl From<radio::Error> for Problem {
    fn from(error: radio::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&radio::Error> for Problem {
    fn from(error: &radio::Error) -> Self {
        // What the system said may carry text from the air.
        let message = decode::clean::text(&error.to_string(), 400).into_owned();
        Self::new(error.code(), message, error.hint())
    }
}

impl From<session::Error> for Problem {
    fn from(error: session::Error) -> Self {
        Self::new(error.code(), error.to_string(), error.hint())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.message, self.hint)
    }
}

impl std::error::Error for Problem {}
