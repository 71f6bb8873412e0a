//! The words that exports use for the numbers of the file.

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
pub(super) fn disconnect_reason(number: Option<i64>) -> &'static str {
    match number {
        Some(0) => "asked for",
        Some(2) => "adapter lost",
        _ => "by the peer or the air",
    }
}

/// What the number of an adapter's state means.
pub(super) fn adapter_state(number: Option<i64>) -> &'static str {
    match number {
        Some(1) => "on",
        Some(2) => "off",
        Some(3) => "unauthorized",
        Some(4) => "gone",
        _ => "unknown",
    }
}

/// What the number of a subscription means.
pub(super) fn notify_mode(number: Option<i64>) -> &'static str {
    match number {
        Some(1) => "notifications",
        Some(2) => "indications",
        _ => "as the system chose",
    }
}
