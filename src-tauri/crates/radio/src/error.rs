//! What can go wrong on the radio: what happened, why, and what to do.

use std::time::Duration;

use uuid::Uuid;

use crate::{AttError, AttrId};

/// What a call on a radio returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call on a radio failed. The text says what happened and why; [`hint`](Error::hint) says
/// what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The peer's attribute server refused.
    #[error("The device refused: {0}.")]
    Att(AttError),
    /// No answer came in time.
    #[error("{operation} took longer than {} s and was given up.", after.as_secs_f32())]
    TimedOut {
        /// What was being done, as the start of a sentence.
        operation: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The caller cancelled.
    #[error("Cancelled.")]
    Cancelled,
    /// The link is down, or went down meanwhile.
    #[error("The device is not connected.")]
    NotConnected,
    /// The attribute belongs to an earlier discovery.
    #[error("Attribute {attribute} belongs to an earlier connection.")]
    StaleAttribute {
        /// The attribute.
        attribute: AttrId,
    },
    /// No characteristic has this UUID.
    #[error("The device has no characteristic {uuid}.")]
    NotFound {
        /// The UUID.
        uuid: Uuid,
    },
    /// Several characteristics have this UUID.
    #[error("The device has {count} characteristics {uuid}, and the UUID does not say which.")]
    Ambiguous {
        /// The UUID.
        uuid: Uuid,
        /// How many have it.
        count: usize,
    },
    /// The attribute does not offer this operation.
    #[error("The characteristic does not offer {operation}.")]
    NotOffered {
        /// The operation, such as `write without response`.
        operation: &'static str,
    },
    /// The value is longer than the operation can carry.
    #[error("{len} bytes were to be sent, and {max} is the most that fits.")]
    TooLong {
        /// How many bytes there are.
        len: usize,
        /// How many would fit.
        max: usize,
    },
    /// The adapter is switched off.
    #[error("The Bluetooth adapter is off.")]
    PoweredOff,
    /// The system does not let this program use Bluetooth.
    #[error("The system does not let Gattscope use Bluetooth.")]
    Unauthorized,
    /// There is no such adapter, or it was unplugged.
    #[error("There is no Bluetooth adapter{}.", if .id.is_empty() { String::new() } else { format!(" {}", .id) })]
    NoAdapter {
        /// The adapter that was asked for; empty if any would have done.
        id: String,
    },
    /// The radio has not heard of this device, or the system has forgotten it.
    #[error("The radio does not know the device {device}.")]
    UnknownDevice {
        /// The device's identifier.
        device: String,
    },
    /// The device serves this over a paired, encrypted connection only, and the system does not hand on
    /// which of the ATT errors 0x05, 0x0C and 0x0F it gave.
    #[error("The device wants a paired, encrypted connection for this ({system}).")]
    NotPaired {
        /// The system's words.
        system: &'static str,
    },
    /// Pairing did not succeed.
    #[error("Pairing did not succeed: {0}.")]
    Pairing(PairingFailure),
    /// Something else is under way that this cannot run beside.
    #[error("{operation} is already under way.")]
    Busy {
        /// What is under way.
        operation: &'static str,
    },
    /// This radio cannot do it on this system.
    #[error("{what} is not possible here. {reason}")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
        /// Why it cannot be done, and what can be done instead.
        reason: &'static str,
    },
    /// The system's Bluetooth service is not there.
    #[error("The system's Bluetooth service does not answer: {message}.")]
    NoService {
        /// What the system said.
        message: String,
    },
    /// The system said something that has no case of its own.
    #[error("The system reported: {message}.")]
    Os {
        /// What the system said.
        message: String,
    },
}

/// Why pairing did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairingFailure {
    /// The keys do not fit: a wrong passkey, numbers that differ, or a device that lost its keys.
    #[error("the device and this computer do not agree on a key")]
    Authentication,
    /// One of the two sides refused.
    #[error("it was refused")]
    Refused,
    /// One of the two sides gave up.
    #[error("it was given up")]
    Cancelled,
    /// The device or the user took too long.
    #[error("no answer came in time")]
    TimedOut,
    /// The device could not be reached.
    #[error("the device does not answer")]
    Unreachable,
}

impl PairingFailure {
    fn hint(self) -> &'static str {
        match self {
            Self::Authentication => {
                "Check the passkey. If the device was paired before, forget it here and delete its \
                 pairing there, then pair again."
            }
            Self::Refused => "Make the device ready for pairing, and accept on both sides.",
            Self::Cancelled => "Pair again when you are ready.",
            Self::TimedOut => "Pair again, and answer within half a minute.",
            Self::Unreachable => "Bring the device nearer and wake it up, then pair again.",
        }
    }
}

impl Error {
    /// A short stable word for the kind of failure; the window and the tests match on it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Error::Att(_) => "att",
            Error::TimedOut { .. } => "timed_out",
            Error::Cancelled => "cancelled",
            Error::NotConnected => "not_connected",
            Error::StaleAttribute { .. } => "stale_attribute",
            Error::NotFound { .. } => "not_found",
            Error::Ambiguous { .. } => "ambiguous",
            Error::NotOffered { .. } => "not_offered",
            Error::TooLong { .. } => "too_long",
            Error::PoweredOff => "powered_off",
            Error::Unauthorized => "unauthorized",
            Error::NoAdapter { .. } => "no_adapter",
            Error::UnknownDevice { .. } => "unknown_device",
            Error::NotPaired { .. } => "not_paired",
            Error::Pairing(_) => "pairing",
            Error::Busy { .. } => "busy",
            Error::Unsupported { .. } => "unsupported",
            Error::NoService { .. } => "no_service",
            Error::Os { .. } => "os",
        }
    }

    /// Whether pairing with the device would mend it.
    #[must_use]
    pub fn needs_pairing(&self) -> bool {
        match self {
            Error::Att(error) => error.needs_pairing(),
            Error::NotPaired { .. } => true,
            _ => false,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Error::Att(error) => error.hint(),
            Error::TimedOut { .. } => {
                "Bring the device nearer, make sure that it is awake and not connected to something \
                 else, then try again."
            }
            Error::Cancelled => "Start again when you are ready.",
            Error::NotConnected => "Connect again, then repeat it.",
            Error::StaleAttribute { .. } => "Choose the attribute again in the tree.",
            Error::NotFound { .. } => "Look in the tree for what the device offers.",
            Error::Ambiguous { .. } => "Choose one of them in the tree.",
            Error::NotOffered { .. } => "Its properties in the tree say what it offers.",
            Error::TooLong { .. } => {
                "Shorten the value, or write with response, which may carry more."
            }
            Error::PoweredOff => "Turn the adapter on.",
            Error::Unauthorized => {
                "Allow Bluetooth for Gattscope in the system's privacy settings, then start it again."
            }
            Error::NoAdapter { .. } => {
                "Plug an adapter in and look again, or work with the simulated lab."
            }
            Error::UnknownDevice { .. } => "Scan until the device is seen, then try again.",
            Error::NotPaired { .. } => "Pair with the device, then repeat it.",
            Error::Pairing(failure) => failure.hint(),
            Error::Busy { .. } => "Wait until it is done, then try again.",
            Error::Unsupported { .. } => "",
            Error::NoService { .. } => {
                "Start the system's Bluetooth service (on Linux: systemctl start bluetooth), then look \
                 again."
            }
            Error::Os { .. } => "Try again. The log may tell more.",
        }
    }
}
