//! What `bluer` says of a failed call, in BlueZ's own names, from which its meaning is known.

use ::bluer::{ErrorKind, InternalErrorKind};

use crate::Error;
use crate::btleplug::fault::{Fault, from_bluez};

/// What a failed call of `bluer` means.
pub(super) fn of(error: &::bluer::Error) -> Fault {
    let text = error.message.as_str();
    match &error.kind {
        ErrorKind::NotFound => from_bluez("org.freedesktop.DBus.Error.UnknownObject", text),
        ErrorKind::ServicesUnresolved => Error::NotConnected.into(),
        ErrorKind::Internal(InternalErrorKind::DBus(name)) => from_bluez(name, text),
        ErrorKind::Internal(InternalErrorKind::DBusConnectionLost) => {
            from_bluez("org.freedesktop.DBus.Error.Disconnected", "connection lost")
        }
        // The others are named as BlueZ names them, or say all by their text.
        kind => match format!("{kind:?}") {
            name if name.chars().all(char::is_alphanumeric) => {
                from_bluez(&format!("org.bluez.Error.{name}"), text)
            }
            _ => Error::Os {
                message: error.to_string(),
            }
            .into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AttError;

    fn error(kind: ErrorKind, message: &str) -> Error {
        let message = message.to_owned();
        of(&::bluer::Error { kind, message }).error
    }

    #[test]
    fn the_names_of_bluez_are_found_again() {
        let refused = error(ErrorKind::Failed, "Operation failed with ATT error: 0x80");
        assert_eq!(refused, Error::Att(AttError(0x80)));
        let forbidden = error(ErrorKind::NotPermitted, "Read not permitted");
        assert_eq!(forbidden, Error::Att(AttError::READ_NOT_PERMITTED));
        let busy = ::bluer::Error {
            kind: ErrorKind::InProgress,
            message: "In Progress".into(),
        };
        assert!(of(&busy).in_progress);
        assert_eq!(error(ErrorKind::NotReady, "").code(), "powered_off");
        assert_eq!(error(ErrorKind::NotFound, "").code(), "unknown_device");
        assert_eq!(error(ErrorKind::AuthenticationFailed, "").code(), "pairing");
    }

    #[test]
    fn a_lost_bus_is_a_missing_service() {
        let name = "org.freedesktop.DBus.Error.ServiceUnknown".to_owned();
        let gone = error(
            ErrorKind::Internal(InternalErrorKind::DBus(name)),
            "no owner",
        );
        assert_eq!(gone.code(), "no_service");
        let lost = ErrorKind::Internal(InternalErrorKind::DBusConnectionLost);
        assert_eq!(error(lost, "").code(), "no_service");
    }
}
