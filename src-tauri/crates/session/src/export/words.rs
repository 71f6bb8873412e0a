//! The words that exports use for the numbers of the file.

use std::borrow::Cow;
use std::fmt::Write as _;

use radio::AttError;

/// What `status` means: the specification's name for an ATT error code.
pub(super) fn status_name(status: i64) -> &'static str {
    match u8::try_from(status) {
        Ok(0) => "Success",
        Ok(code) => AttError(code).name(),
        Err(_) => "Failed",
    }
}

/// What the number of a disconnection means.
pub(crate) fn disconnect_reason(number: Option<i64>) -> &'static str {
    match number {
        Some(0) => "asked for",
        Some(2) => "adapter lost",
        _ => "by the peer or the air",
    }
}

/// What the number of an adapter's state means.
pub(crate) fn adapter_state(number: Option<i64>) -> &'static str {
    match number {
        Some(1) => "on",
        Some(2) => "off",
        Some(3) => "unauthorized",
        Some(4) => "gone",
        _ => "unknown",
    }
}

/// What the number of a subscription means.
pub(crate) fn notify_mode(number: Option<i64>) -> &'static str {
    match number {
        Some(1) => "notifications",
        Some(2) => "indications",
        _ => "as the system chose",
    }
}

/// Controls, separators of lines, and what turns the direction of a text around.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A text from the air in which everything shows as what it is.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hidden(c) {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}
