//! Adapters and devices: how they are named and addressed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::interface::RadioState;

/// How a radio names one of its adapters, such as `hci0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AdapterId(pub Arc<str>);

impl fmt::Display for AdapterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for AdapterId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

/// An adapter as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterInfo {
    /// How the radio names it.
    pub id: AdapterId,
    /// A name for people, such as `Intel AX211` or `hci0`.
    pub name: String,
    /// The adapter's own address, where the system tells.
    pub address: Option<Address>,
    /// Whether it can be used now.
    pub state: RadioState,
}

/// How a radio names a device, for as long as the system remembers it.
///
/// It is the Bluetooth address where the system shows addresses (Linux, Windows) and an identifier
/// of the system's own where it does not (macOS). Only the radio that made it gives it a meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(pub Arc<str>);

impl DeviceId {
    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for DeviceId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for DeviceId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

/// What kind of address a device uses (Core Specification, Vol 6, Part B, 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    /// Given by the IEEE; never changes.
    Public,
    /// Random; stays until the device starts again.
    RandomStatic,
    /// Random and changing; a bonded peer can tell whose it is.
    RandomResolvable,
    /// Random and changing; nobody can tell whose it is.
    RandomNonResolvable,
}

/// A device address, most significant byte first, as it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 6]);

impl Address {
    /// The kind of a *random* address, which its two most significant bits tell.
    ///
    /// Whether an address is random at all, the address does not tell: the system must. `None` for
    /// the bit pattern that the specification reserves.
    #[must_use]
    pub fn random_kind(self) -> Option<AddressKind> {
        match self.0[0] >> 6 {
            0b11 => Some(AddressKind::RandomStatic),
            0b01 => Some(AddressKind::RandomResolvable),
            0b00 => Some(AddressKind::RandomNonResolvable),
            _ => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

/// The text is not an address of six bytes such as `C4:7C:8D:6A:11:02`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a Bluetooth address. Use six bytes such as C4:7C:8D:6A:11:02.")]
pub struct ParseAddressError(String);

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ParseAddressError(text.to_owned());
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts
                .next()
                .filter(|part| part.len() == 2)
                .ok_or_else(refuse)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| refuse())?;
        }
        if parts.next().is_some() {
            Err(refuse())
        } else {
            Ok(Self(bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_prints_as_it_reads() {
        let address: Address = "c4:7C-8d:6a:11:02".parse().unwrap();
        assert_eq!(address.to_string(), "C4:7C:8D:6A:11:02");
        assert_eq!(address.random_kind(), Some(AddressKind::RandomStatic));
    }

    #[test]
    fn what_is_not_an_address_is_refused_with_an_example() {
        for text in [
            "",
            "C4:7C:8D:6A:11",
            "C4:7C:8D:6A:11:02:03",
            "C4:7C:8D:6A:11:0G",
            "+4:7C:8D:6A:11:02:",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.to_string().contains("C4:7C:8D:6A:11:02"), "{error}");
        }
    }
}
