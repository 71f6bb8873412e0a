//! What went wrong, in this crate's words: the systems' error names and texts taken apart.
//!
//! `btleplug` has no ATT error codes. Where a system's text gives one, it is taken from there; where
//! it does not, none is invented, and the text is handed on.

use std::time::Duration;

use crate::{AttError, Error, PairingFailure};

/// The end of a failed attempt to connect that another attempt may mend.
const ABORTED: [&str; 2] = [
    "le-connection-abort-by-local",
    "Software caused connection abort",
];

/// What a failed call said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What it means.
    pub(crate) error: Error,
    /// The system was busy with something else: the same call may work in a moment.
    pub(crate) in_progress: bool,
    /// The controller gave up an attempt to connect because it was also scanning or connecting.
    pub(crate) aborted: bool,
    /// What was asked for is so already.
    pub(crate) already: bool,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self {
            error,
            in_progress: false,
            aborted: false,
            already: false,
        }
    }
}

impl From<::btleplug::Error> for Fault {
    fn from(error: ::btleplug::Error) -> Self {
        use ::btleplug::Error as From;
        match error {
            From::PermissionDenied => Error::Unauthorized.into(),
            From::NotConnected => Error::NotConnected.into(),
            From::DeviceNotFound => Error::UnknownDevice {
                device: String::new(),
            }
            .into(),
            From::NoAdapterAvailable => Error::NoAdapter { id: String::new() }.into(),
            From::TimedOut(after) => Error::TimedOut {
                operation: "The operation",
                after,
            }
            .into(),
            From::RuntimeError(text) => from_text(&text),
            From::NotSupported(text) => from_text(&text),
            From::Other(other) => match super::platform::name_and_text(&*other) {
                Some((name, text)) => from_bluez(&name, &text),
                None => from_text(&other.to_string()),
            },
            other => os(&other.to_string()).into(),
        }
    }
}

/// What a D-Bus error means: `name` as in `org.bluez.Error.Failed`, `text` as BlueZ 5.66 to 5.87
/// write it (src/error.c, src/gatt-client.c, src/device.c).
pub(crate) fn from_bluez(name: &str, text: &str) -> Fault {
    let kind = name.strip_prefix("org.bluez.Error.").unwrap_or(name);
    let error = match (kind, text) {
        ("Failed", _) if att_code(text).is_some() => {
            att_code(text).map_or_else(|| os(text), Error::Att)
        }
        ("NotPermitted", "Read not permitted") => Error::Att(AttError::READ_NOT_PERMITTED),
        ("NotPermitted", "Write not permitted") => Error::Att(AttError::WRITE_NOT_PERMITTED),
        // BlueZ says this for three codes (0x05, 0x0C, 0x0F) and does not tell which.
        ("NotPermitted", "Not paired") => Error::NotPaired {
            system: "BlueZ: \"Not paired\"",
        },
        ("InvalidArguments", "Invalid offset") => Error::Att(AttError(0x07)),
        ("InvalidArguments", "Invalid Length") => {
            Error::Att(AttError::INVALID_ATTRIBUTE_VALUE_LENGTH)
        }
        ("NotAuthorized", _) => Error::Att(AttError::INSUFFICIENT_AUTHORIZATION),
        ("NotConnected", _) | ("Failed", "Not connected" | "No ATT transport") => {
            Error::NotConnected
        }
        ("NotReady", _) => Error::PoweredOff,
        ("NotAvailable" | "Failed", "No such adapter") => Error::NoAdapter { id: String::new() },
        (
            "org.freedesktop.DBus.Error.UnknownObject" | "org.freedesktop.DBus.Error.UnknownMethod",
            _,
        )
        | ("DoesNotExist", _) => Error::UnknownDevice {
            device: String::new(),
        },
        ("AuthenticationFailed", _) => Error::Pairing(PairingFailure::Authentication),
        ("AuthenticationRejected", _) => Error::Pairing(PairingFailure::Refused),
        ("AuthenticationCanceled", _) => Error::Pairing(PairingFailure::Cancelled),
        ("AuthenticationTimeout", _) => Error::Pairing(PairingFailure::TimedOut),
        ("ConnectionAttemptFailed", _) => Error::Pairing(PairingFailure::Unreachable),
        ("org.freedesktop.DBus.Error.AccessDenied", _) => Error::Unauthorized,
        (
            "org.freedesktop.DBus.Error.ServiceUnknown"
            | "org.freedesktop.DBus.Error.NameHasNoOwner"
            | "org.freedesktop.DBus.Error.Spawn.ChildExited",
            _,
        ) => no_service("BlueZ (bluetoothd) is not running", text),
        ("org.freedesktop.DBus.Error.NoReply", _)
            if text.contains("disconnected from message bus") =>
        {
            no_service("BlueZ (bluetoothd) ended", text)
        }
        // The 30 s that bluez-async gives every call.
        ("org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.Timeout", _) => {
            Error::TimedOut {
                operation: "The call to BlueZ",
                after: Duration::from_secs(30),
            }
        }
        (
            "org.freedesktop.DBus.Error.FileNotFound"
            | "org.freedesktop.DBus.Error.NoServer"
            | "org.freedesktop.DBus.Error.Disconnected",
            _,
        ) => no_service("the system message bus (D-Bus) cannot be reached", text),
        _ => named(name, text),
    };
    Fault {
        error,
        in_progress: kind == "InProgress" || text == "Operation already in progress",
        aborted: ABORTED.iter().any(|aborted| text.contains(aborted)),
        already: kind == "AlreadyConnected" || (kind == "Failed" && text == "Already notifying"),
    }
}

/// What a text without a name means: CoreBluetooth's descriptions, and what `btleplug` writes where
/// WinRT gave a status.
pub(crate) fn from_text(text: &str) -> Fault {
    if let Some(code) = corebluetooth_code(text) {
        return Error::Att(code).into();
    }
    let error = if text.contains("GattCommunicationStatus(1)") || is_gone(text) {
        Error::NotConnected
    } else if text.contains("GattCommunicationStatus(2)") || text == "ProtocolError" {
        os("the device refused, and btleplug does not hand on the ATT error code that Windows has")
    } else if text.contains("GattCommunicationStatus(3)") {
        os("Windows keeps this attribute to itself, or another program is using it")
    } else {
        os(text)
    };
    error.into()
}

fn is_gone(text: &str) -> bool {
    matches!(
        text,
        "Peripheral no longer available"
            | "Channel closed"
            | "The specified device has disconnected from us."
            | "The connection has timed out unexpectedly."
    )
}

/// The code in BlueZ's `Operation failed with ATT error: 0x80`.
fn att_code(text: &str) -> Option<AttError> {
    let code = text.strip_prefix("Operation failed with ATT error: 0x")?;
    u8::from_str_radix(code, 16).ok().map(AttError)
}

/// The code in `… (CBATTErrorDomain error 128.)`, or that of which CoreBluetooth writes this English
/// description. On a system in another language the description is handed on as it is.
fn corebluetooth_code(text: &str) -> Option<AttError> {
    if let Some((_, rest)) = text.split_once("CBATTErrorDomain error ") {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        return digits.parse().ok().map(AttError);
    }
    let code = match text {
        "The handle is invalid." => 0x01,
        "Reading is not permitted." => 0x02,
        "Writing is not permitted." => 0x03,
        "The command is invalid." => 0x04,
        "Authentication is insufficient." => 0x05,
        "The request is not supported." => 0x06,
        "The offset is invalid." => 0x07,
        "Authorization is insufficient." => 0x08,
        "The prepare queue is full." => 0x09,
        "The attribute could not be found." => 0x0A,
        "The attribute is not long." => 0x0B,
        "The encryption key size is insufficient." => 0x0C,
        "The value's length is invalid." => 0x0D,
        "Unlikely error." => 0x0E,
        "Encryption is insufficient." => 0x0F,
        "The group type is unsupported." => 0x10,
        "Resources are insufficient." => 0x11,
        _ => return None,
    };
    Some(AttError(code))
}

fn named(name: &str, text: &str) -> Error {
    match (name, text) {
        (name, "") => os(name),
        ("org.bluez.Error.Failed", text) => os(text),
        (name, text) => os(&format!("{text} ({name})")),
    }
}

fn no_service(what: &str, text: &str) -> Error {
    let text = text.trim_end_matches('.');
    Error::NoService {
        message: format!("{what}: {text}"),
    }
}

/// The text as the system wrote it, without the full stop that the error brings along.
fn os(text: &str) -> Error {
    Error::Os {
        message: text.trim().trim_end_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bluez(name: &str, text: &str) -> Error {
        from_bluez(name, text).error
    }

    #[test]
    fn bluez_gives_the_code_of_a_refusal_in_its_text() {
        let failed = "org.bluez.Error.Failed";
        for (text, code) in [
            ("Operation failed with ATT error: 0x80", 0x80),
            ("Operation failed with ATT error: 0x0e", 0x0E),
            ("Operation failed with ATT error: 0x13", 0x13),
        ] {
            assert_eq!(bluez(failed, text), Error::Att(AttError(code)));
        }
        for (name, text, code) in [
            ("org.bluez.Error.NotPermitted", "Read not permitted", 0x02),
            ("org.bluez.Error.NotPermitted", "Write not permitted", 0x03),
            ("org.bluez.Error.InvalidArguments", "Invalid offset", 0x07),
            (
                "org.bluez.Error.NotAuthorized",
                "Operation Not Authorized",
                0x08,
            ),
            ("org.bluez.Error.InvalidArguments", "Invalid Length", 0x0D),
        ] {
            assert_eq!(
                bluez(name, text),
                Error::Att(AttError(code)),
                "{name} {text}"
            );
        }
    }

    #[test]
    fn no_code_is_invented_where_bluez_gives_none() {
        for (name, text) in [
            ("org.bluez.Error.Failed", "Operation failed"),
            (
                "org.bluez.Error.Failed",
                "Operation failed with ATT error: 0xzz",
            ),
            ("org.bluez.Error.NotSupported", "Operation is not supported"),
            (
                "org.bluez.Error.InvalidArguments",
                "Invalid arguments in method call",
            ),
        ] {
            let error = bluez(name, text);
            assert!(
                matches!(error, Error::Os { .. }),
                "{name} {text}: {error:?}"
            );
        }
        let paired = bluez("org.bluez.Error.NotPermitted", "Not paired");
        assert!(
            paired.needs_pairing() && !matches!(paired, Error::Att(_)),
            "{paired:?}"
        );
        let supported = bluez("org.bluez.Error.NotSupported", "Operation is not supported");
        assert_eq!(
            supported.to_string(),
            "The system reported: Operation is not supported (org.bluez.Error.NotSupported)."
        );
    }

    #[test]
    fn what_can_be_tried_again_is_told_from_what_cannot() {
        let busy = from_bluez(
            "org.bluez.Error.InProgress",
            "Operation already in progress",
        );
        assert!(busy.in_progress && !busy.aborted);
        let aborted = from_bluez("org.bluez.Error.Failed", "le-connection-abort-by-local");
        assert!(aborted.aborted && !aborted.in_progress);
        let refused = from_bluez("org.bluez.Error.Failed", "le-connection-refused");
        assert!(!refused.aborted && !refused.in_progress && !refused.already);
        assert!(from_bluez("org.bluez.Error.Failed", "Already notifying").already);
    }

    #[test]
    fn a_missing_service_names_what_is_missing() {
        let bus = bluez(
            "org.freedesktop.DBus.Error.FileNotFound",
            "Failed to connect to socket /run/dbus/system_bus_socket: No such file or directory",
        );
        let daemon = bluez(
            "org.freedesktop.DBus.Error.ServiceUnknown",
            "The name org.bluez was not provided by any .service files",
        );
        for (error, word) in [(bus, "D-Bus"), (daemon, "bluetoothd")] {
            assert_eq!(error.code(), "no_service");
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn an_answer_that_does_not_come_is_told_from_a_service_that_ended() {
        let name = "org.freedesktop.DBus.Error.NoReply";
        let late = "Did not receive a reply. Possible causes include: the remote application did not \
                    send a reply, or the reply timeout expired.";
        assert_eq!(bluez(name, late).code(), "timed_out");
        let ended = "Message recipient disconnected from message bus without replying";
        assert_eq!(bluez(name, ended).code(), "no_service");
    }

    #[test]
    fn states_of_device_and_adapter_have_their_own_errors() {
        assert_eq!(
            bluez("org.bluez.Error.Failed", "Not connected"),
            Error::NotConnected
        );
        assert_eq!(
            bluez("org.bluez.Error.NotReady", "Resource Not Ready"),
            Error::PoweredOff
        );
        let refused = bluez(
            "org.bluez.Error.AuthenticationRejected",
            "Authentication Rejected",
        );
        assert_eq!(refused, Error::Pairing(PairingFailure::Refused));
        let gone = bluez(
            "org.freedesktop.DBus.Error.UnknownObject",
            "Method \"Connect\" with signature \"\" on interface \"org.bluez.Device1\" doesn't exist\n",
        );
        assert_eq!(gone.code(), "unknown_device");
    }

    #[test]
    fn corebluetooth_and_windows_are_understood_as_far_as_they_tell() {
        let error = |text| from_text(text).error;
        assert_eq!(
            error("Encryption is insufficient."),
            Error::Att(AttError::INSUFFICIENT_ENCRYPTION)
        );
        assert_eq!(
            error("The operation couldn’t be completed. (CBATTErrorDomain error 128.)"),
            Error::Att(AttError(0x80))
        );
        assert_eq!(
            error("Die Verschlüsselung ist unzureichend.").code(),
            "os",
            "another language is not guessed at"
        );
        assert_eq!(
            error("Windows UWP threw error on write: GattCommunicationStatus(1)"),
            Error::NotConnected
        );
        let refused = error("Windows UWP threw error on write: GattCommunicationStatus(2)");
        assert!(refused.to_string().contains("refused"), "{refused}");
    }

    #[test]
    fn a_text_does_not_end_in_two_full_stops() {
        let text = from_text("Something odd.").error.to_string();
        assert_eq!(text, "The system reported: Something odd.");
    }
}
