//! What an advertisement carries: AD structures byte for byte, and the beacons that hide in them.
//!
//! An AD structure is a length, a type and data (Core Specification, Vol 3, Part C, 11). The types
//! are those of Assigned Numbers, 2.3.

use std::fmt;
use std::ops::Range;

use uuid::Uuid;

use crate::format::Format;

mod altbeacon;
mod apple;
mod beacon;
mod bthome;
mod eddystone;
mod google;
mod matter;
mod mesh;
mod microsoft;
mod objects;
mod part;
mod ruuvi;
mod structures;
mod uri;
mod xiaomi;

pub use beacon::{Beacon, Source};
pub(crate) use eddystone::EddystoneUrl;
pub use structures::decode_structure;
pub(crate) use uri::Uri;

/// The type of an AD structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdType(pub u8);

impl AdType {
    /// Manufacturer Specific Data: a company identifier and the company's bytes.
    pub const MANUFACTURER_DATA: Self = Self(0xFF);
    /// Service Data of a 16-bit UUID.
    pub const SERVICE_DATA_16: Self = Self(0x16);

    /// Its name in the Assigned Numbers.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x01 => "Flags",
            0x02 => "Incomplete list of 16-bit service UUIDs",
            0x03 => "Complete list of 16-bit service UUIDs",
            0x04 => "Incomplete list of 32-bit service UUIDs",
            0x05 => "Complete list of 32-bit service UUIDs",
            0x06 => "Incomplete list of 128-bit service UUIDs",
            0x07 => "Complete list of 128-bit service UUIDs",
            0x08 => "Shortened local name",
            0x09 => "Complete local name",
            0x0A => "Tx power level",
            0x0D => "Class of device",
            0x0E => "Simple pairing hash C-192",
            0x0F => "Simple pairing randomizer R-192",
            0x10 => "Security manager TK value",
            0x11 => "Security manager out of band flags",
            0x12 => "Peripheral connection interval range",
            0x14 => "16-bit service solicitation UUIDs",
            0x15 => "128-bit service solicitation UUIDs",
            0x16 => "Service data, 16-bit UUID",
            0x17 => "Public target address",
            0x18 => "Random target address",
            0x19 => "Appearance",
            0x1A => "Advertising interval",
            0x1B => "LE Bluetooth device address",
            0x1C => "LE role",
            0x1D => "Simple pairing hash C-256",
            0x1E => "Simple pairing randomizer R-256",
            0x1F => "32-bit service solicitation UUIDs",
            0x20 => "Service data, 32-bit UUID",
            0x21 => "Service data, 128-bit UUID",
            0x22 => "LE Secure Connections confirmation value",
            0x23 => "LE Secure Connections random value",
            0x24 => "URI",
            0x25 => "Indoor positioning",
            0x26 => "Transport discovery data",
            0x27 => "LE supported features",
            0x28 => "Channel map update indication",
            0x29 => "PB-ADV",
            0x2A => "Mesh message",
            0x2B => "Mesh beacon",
            0x2C => "BIGInfo",
            0x2D => "Broadcast code",
            0x2E => "Resolvable set identifier",
            0x2F => "Advertising interval, long",
            0x30 => "Broadcast name",
            0x31 => "Encrypted advertising data",
            0x32 => "Periodic advertising response timing information",
            0x34 => "Electronic shelf label",
            0x3D => "3D information data",
            0xFF => "Manufacturer specific data",
            _ => return None,
        })
    }
}

impl fmt::Display for AdType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X}", self.0)
    }
}

/// One piece of the bytes of an advertisement. All ranges lie within those bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdPart {
    /// A whole AD structure.
    Structure {
        /// Its type.
        kind: AdType,
        /// All of it, with length and type.
        range: Range<usize>,
        /// Its data alone.
        data: Range<usize>,
    },
    /// The last AD structure, which claims more bytes than there are.
    Truncated {
        /// Its type, if at least that is there.
        kind: Option<AdType>,
        /// All of it that is there.
        range: Range<usize>,
        /// Its data as far as it goes.
        data: Range<usize>,
        /// How many bytes are not there.
        missing: usize,
    },
    /// A length of zero ends the significant part; what follows should be zeros.
    Padding {
        /// From that length to the end.
        range: Range<usize>,
    },
}

/// The pieces of an advertisement's bytes, in their order and without a gap.
///
/// ```
/// use decode::advertisement::{self, AdPart, AdType};
///
/// let bytes = [2, 0x01, 0x06, 5, 0x09, b'L', b'a'];
/// let parts: Vec<_> = advertisement::parts(&bytes).collect();
/// assert_eq!(parts[0], AdPart::Structure { kind: AdType(0x01), range: 0..3, data: 2..3 });
/// assert_eq!(parts[1], AdPart::Truncated { kind: Some(AdType(0x09)), range: 3..7, data: 5..7, missing: 2 });
/// ```
#[must_use]
pub const fn parts(bytes: &[u8]) -> Parts<'_> {
    Parts { bytes, at: 0 }
}

/// See [`parts`].
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for Parts<'_> {
    type Item = AdPart;

    fn next(&mut self) -> Option<AdPart> {
        let start = self.at;
        let len = self.bytes.len();
        let claimed = usize::from(*self.bytes.get(start)?);
        if claimed == 0 {
            self.at = len;
            return Some(AdPart::Padding { range: start..len });
        }
        let end = start + 1 + claimed;
        let kind = self.bytes.get(start + 1).copied().map(AdType);
        let data = (start + 2).min(len);
        self.at = end.min(len);
        Some(match kind {
            Some(kind) if end <= len => AdPart::Structure {
                kind,
                range: start..end,
                data: data..end,
            },
            _ => AdPart::Truncated {
                kind,
                range: start..len,
                data: data..len,
                missing: end - len,
            },
        })
    }
}

/// The first beacon in an advertisement in a few words, such as `RuuviTag 24.300 °C, 53.4900 %`;
/// fit to be shown.
///
/// Manufacturer data come with their company identifier and without its two bytes, service data
/// with their UUID and without it, as operating systems hand them out.
pub fn summary<'a>(
    manufacturer_data: impl IntoIterator<Item = (u16, &'a [u8])>,
    service_data: impl IntoIterator<Item = (Uuid, &'a [u8])>,
) -> Option<String> {
    let manufacturer = manufacturer_data
        .into_iter()
        .map(|(company, data)| (Source::Manufacturer(company), data));
    let service = service_data
        .into_iter()
        .map(|(uuid, data)| (Source::Service(uuid), data));
    manufacturer.chain(service).find_map(|(source, data)| {
        let beacon = Beacon::of(source, data)?;
        let said = Format::Beacon(beacon).summary(data);
        let gap = if said.is_empty() { "" } else { " " };
        Some(format!("{}{gap}{said}", beacon.brief()))
    })
}

#[cfg(test)]
mod tests;
