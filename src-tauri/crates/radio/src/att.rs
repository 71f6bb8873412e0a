//! Errors that a peer's attribute server answers with.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An error code of the Attribute Protocol (Core Specification, Vol 3, Part F, 3.4.1.1; common
/// profile codes: Core Specification Supplement, Part B, 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttError(pub u8);

impl AttError {
    /// Invalid Handle.
    pub const INVALID_HANDLE: Self = Self(0x01);
    /// Read Not Permitted.
    pub const READ_NOT_PERMITTED: Self = Self(0x02);
    /// Write Not Permitted.
    pub const WRITE_NOT_PERMITTED: Self = Self(0x03);
    /// Insufficient Authentication.
    pub const INSUFFICIENT_AUTHENTICATION: Self = Self(0x05);
    /// Insufficient Authorization.
    pub const INSUFFICIENT_AUTHORIZATION: Self = Self(0x08);
    /// Invalid Attribute Value Length.
    pub const INVALID_ATTRIBUTE_VALUE_LENGTH: Self = Self(0x0D);
    /// Unlikely Error.
    pub const UNLIKELY: Self = Self(0x0E);
    /// Insufficient Encryption.
    pub const INSUFFICIENT_ENCRYPTION: Self = Self(0x0F);

    /// The specification's name for the code.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0x01 => "Invalid Handle",
            0x02 => "Read Not Permitted",
            0x03 => "Write Not Permitted",
            0x04 => "Invalid PDU",
            0x05 => "Insufficient Authentication",
            0x06 => "Request Not Supported",
            0x07 => "Invalid Offset",
            0x08 => "Insufficient Authorization",
            0x09 => "Prepare Queue Full",
            0x0A => "Attribute Not Found",
            0x0B => "Attribute Not Long",
            0x0C => "Encryption Key Size Too Short",
            0x0D => "Invalid Attribute Value Length",
            0x0E => "Unlikely Error",
            0x0F => "Insufficient Encryption",
            0x10 => "Unsupported Group Type",
            0x11 => "Insufficient Resources",
            0x12 => "Database Out Of Sync",
            0x13 => "Value Not Allowed",
            0x80..=0x9F => "Application Error",
            0xFC => "Write Request Rejected",
            0xFD => "Client Characteristic Configuration Improperly Configured",
            0xFE => "Procedure Already In Progress",
            0xFF => "Out Of Range",
            _ => "Reserved",
        }
    }

    /// Whether a pairing could make the peer answer: Insufficient Authentication, Encryption Key Size
    /// Too Short, Insufficient Encryption.
    #[must_use]
    pub fn needs_pairing(self) -> bool {
        matches!(self.0, 0x05 | 0x0C | 0x0F)
    }

    /// What the person at the screen can do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self.0 {
            0x01 | 0x0A | 0x12 => {
                "The device's services have changed. Disconnect and connect again to read them anew."
            }
            0x02 => "The device does not let this value be read. Subscribe to it, if it notifies.",
            0x03 => "The device does not let this value be written.",
            0x05 | 0x0C | 0x0F => "Pair with the device, then try again.",
            0x08 => "The device must be told, by its own means, that this computer may do so.",
            0x07 | 0x0B | 0x0D => {
                "Send as many bytes as the device expects; its documentation gives the length."
            }
            0x13 | 0xFF => "Send a value in the range that the device accepts.",
            0x09 | 0x11 | 0xFE => "The device is busy. Wait a moment and try again.",
            0xFD => "Subscribe to the characteristic first, then try again.",
            0x80..=0x9F => {
                "The device's own application refused; its documentation explains the code."
            }
            _ => "Try again. If it stays, the device's own log may tell more.",
        }
    }
}

impl fmt::Display for AttError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (ATT 0x{:02X})", self.name(), self.0)
    }
}
