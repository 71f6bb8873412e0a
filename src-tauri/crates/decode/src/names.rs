//! What the Bluetooth SIG and some vendors call their numbers.
//!
//! The tables are generated, checked in and sorted; a look-up is a binary search and allocates
//! nothing. A 128-bit UUID on the Bluetooth base UUID (Core Specification, Vol 3, Part B, 2.5.1)
//! is the short number that it stands for. `cargo xtask names` makes the tables anew.

use std::fmt;

use uuid::Uuid;

use crate::units;

mod appearances;
mod characteristics;
mod companies;
mod descriptors;
mod owners;
mod services;

/// The Bluetooth base UUID, `00000000-0000-1000-8000-00805F9B34FB`.
pub const BASE: Uuid = Uuid::from_u128(0x0000_0000_0000_1000_8000_0080_5f9b_34fb);

/// The 128-bit form of a 16-bit UUID.
#[must_use]
pub const fn uuid16(short: u16) -> Uuid {
    Uuid::from_u128(((short as u128) << 96) | BASE.as_u128())
}

/// The 16-bit UUID that `uuid` stands for, if it lies on the base UUID and fits.
#[must_use]
pub fn short16(uuid: Uuid) -> Option<u16> {
    short32(uuid).and_then(|short| u16::try_from(short).ok())
}

/// The 32-bit UUID that `uuid` stands for, if it lies on the base UUID.
#[must_use]
pub fn short32(uuid: Uuid) -> Option<u32> {
    const REST: u128 = (1 << 96) - 1;
    let whole = uuid.as_u128();
    (whole & REST == BASE.as_u128() & REST).then_some((whole >> 96) as u32)
}

/// A name, and who gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The name; fit to be shown.
    pub name: &'static str,
    /// Who gave it.
    pub giver: Giver,
}

/// Who gave a number its name. Its text form says so: `assigned by the Bluetooth SIG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// The Assigned Numbers document.
    Sig,
    /// The Assigned Numbers document, which says only to which company it gave the number.
    Member,
    /// A company or a project, for its own UUIDs.
    Vendor(&'static str),
}

impl fmt::Display for Giver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sig => "assigned by the Bluetooth SIG",
            Self::Member => "the member that the Bluetooth SIG gave the number",
            Self::Vendor(vendor) => vendor,
        })
    }
}

/// The name of a service, SIG-assigned, of a member, or of a well-known vendor, and who gave it.
#[must_use]
pub fn known_service(uuid: Uuid) -> Option<Known> {
    /// Numbers for members and for other standards' bodies (Assigned Numbers, 3.10 and 3.11); what
    /// the latter name is a service.
    const MEMBERS: std::ops::RangeInclusive<u16> = 0xFC00..=0xFEFF;
    let mut known = by_uuid(uuid, services::SHORT, services::LONG)?;
    if known.giver == Giver::Sig && short16(uuid).is_some_and(|short| MEMBERS.contains(&short)) {
        known.giver = Giver::Member;
    }
    Some(known)
}

/// The name of a characteristic, SIG-assigned or of a well-known vendor, and who gave it.
#[must_use]
pub fn known_characteristic(uuid: Uuid) -> Option<Known> {
    by_uuid(uuid, characteristics::SHORT, characteristics::LONG)
}

/// The name of a descriptor, and who gave it.
#[must_use]
pub fn known_descriptor(uuid: Uuid) -> Option<Known> {
    by_uuid(uuid, descriptors::SHORT, descriptors::LONG)
}

/// The name of a service: SIG-assigned, of a member, or of a well-known vendor.
#[must_use]
pub fn service(uuid: Uuid) -> Option<&'static str> {
    known_service(uuid).map(|known| known.name)
}

/// The name of a characteristic: SIG-assigned or of a well-known vendor.
#[must_use]
pub fn characteristic(uuid: Uuid) -> Option<&'static str> {
    known_characteristic(uuid).map(|known| known.name)
}

/// The name of a descriptor.
#[must_use]
pub fn descriptor(uuid: Uuid) -> Option<&'static str> {
    known_descriptor(uuid).map(|known| known.name)
}

/// What a device says it looks like (Assigned Numbers, 2.6): the name of the subcategory; where that
/// has none, the name of the category. Some names stand for several values.
#[must_use]
pub fn appearance(value: u16) -> Option<&'static str> {
    find(appearances::SHORT, value).or_else(|| find(appearances::SHORT, value & !0x3F))
}

/// The company of a company identifier (Assigned Numbers, 7).
#[must_use]
pub fn company(id: u16) -> Option<&'static str> {
    find(companies::SHORT, id)
}

/// A list of names that fields refer to by 16-bit numbers.
#[derive(Clone, Copy)]
pub(crate) enum Names {
    Appearances,
    Characteristics,
    Companies,
    Units,
}

impl Names {
    /// The name of a number.
    pub(crate) fn of(self, number: u16) -> Option<&'static str> {
        match self {
            Self::Appearances => appearance(number),
            Self::Characteristics => characteristic(uuid16(number)),
            Self::Companies => company(number),
            Self::Units => units::name(number),
        }
    }

    /// The number that a name stands for; `None` where that is none or several.
    pub(crate) fn number(self, name: &str) -> Option<u16> {
        let mut known = (0..)
            .map_while(|at| self.row(at))
            .filter(|(_, other)| other.eq_ignore_ascii_case(name));
        let (number, _) = known.next()?;
        known.next().is_none().then_some(number)
    }

    fn row(self, at: usize) -> Option<(u16, &'static str)> {
        match self {
            Self::Appearances => appearances::SHORT.get(at).copied(),
            Self::Characteristics => characteristics::SHORT.get(at).copied(),
            Self::Companies => companies::SHORT.get(at).copied(),
            Self::Units => units::row(at),
        }
    }
}

/// How `uuid` is shown: `0x180D` where it is SIG-assigned, the long form else.
#[must_use]
pub fn short(uuid: Uuid) -> UuidText {
    UuidText(uuid)
}

/// A UUID as it is shown. See [`short`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UuidText(Uuid);

impl fmt::Display for UuidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match short32(self.0) {
            Some(short) if short <= 0xFFFF => write!(f, "0x{short:04X}"),
            Some(short) => write!(f, "0x{short:08X}"),
            None => self.0.hyphenated().fmt(f),
        }
    }
}

fn by_uuid(
    uuid: Uuid,
    short: &[(u16, &'static str)],
    long: &[(u128, u8, &'static str)],
) -> Option<Known> {
    let assigned = short16(uuid).and_then(|number| find(short, number));
    if let Some(name) = assigned {
        let giver = Giver::Sig;
        return Some(Known { name, giver });
    }
    let at = long
        .binary_search_by_key(&uuid.as_u128(), |(key, ..)| *key)
        .ok()?;
    let (_, owner, name) = *long.get(at)?;
    let giver = Giver::Vendor(owners::OWNERS.get(usize::from(owner))?);
    Some(Known { name, giver })
}

fn find<K: Ord + Copy>(table: &[(K, &'static str)], key: K) -> Option<&'static str> {
    let at = table.binary_search_by_key(&key, |(key, _)| *key).ok()?;
    table.get(at).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean;

    const SHORTS: [&[(u16, &str)]; 5] = [
        services::SHORT,
        characteristics::SHORT,
        descriptors::SHORT,
        companies::SHORT,
        appearances::SHORT,
    ];
    const LONGS: [&[(u128, u8, &str)]; 3] =
        [services::LONG, characteristics::LONG, descriptors::LONG];

    #[test]
    fn tables_are_strictly_ascending_so_that_the_search_finds_everything() {
        for table in SHORTS {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
        for table in LONGS {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let mut owners = table.iter().map(|(_, owner, _)| usize::from(*owner));
            assert!(owners.all(|owner| owner < owners::OWNERS.len()));
        }
    }

    #[test]
    fn every_name_is_fit_to_be_shown() {
        let names = SHORTS
            .iter()
            .flat_map(|table| table.iter().map(|(_, name)| *name))
            .chain(
                LONGS
                    .iter()
                    .flat_map(|table| table.iter().map(|(.., n)| *n)),
            )
            .chain(owners::OWNERS.iter().copied());
        for name in names {
            assert!(!name.is_empty());
            assert_eq!(clean::text(name, 120), name);
        }
    }

    #[test]
    fn sig_numbers_have_their_names() {
        assert_eq!(service(uuid16(0x180D)), Some("Heart Rate"));
        assert_eq!(
            characteristic(uuid16(0x2A37)),
            Some("Heart Rate Measurement")
        );
        assert_eq!(
            descriptor(uuid16(0x2902)),
            Some("Client Characteristic Configuration")
        );
        assert_eq!(company(0x004C), Some("Apple, Inc."));
        assert_eq!(company(0x0499), Some("Ruuvi Innovations Ltd."));
        assert_eq!(service(uuid16(0xFEFF)), Some("GN Netcom"));
        assert_eq!(service(uuid16(0x0001)), None);
    }

    #[test]
    fn the_same_number_means_different_things_as_service_and_as_characteristic() {
        assert_eq!(characteristic(uuid16(0x180D)), None);
        assert_eq!(service(uuid16(0x2A37)), None);
    }

    #[test]
    fn vendors_have_their_names() {
        let uart = Uuid::from_u128(0x6e400001_b5a3_f393_e0a9_e50e24dcca9e);
        assert_eq!(service(uart), Some("Nordic UART Service"));
        let dfu = Uuid::from_u128(0x8ec90003_f315_4f60_9fb8_838830daea50);
        assert_eq!(characteristic(dfu), Some("Buttonless DFU Without Bonds"));
        let thingy = Uuid::from_u128(0xef680200_9b35_4933_9b10_52ffa9740042);
        assert_eq!(service(thingy), Some("Thingy Weather Station Service"));
    }

    #[test]
    fn who_gave_a_name_is_said() {
        let giver = |known: Option<Known>| known.map(|known| known.giver.to_string());
        let uart = Uuid::from_u128(0x6e400001_b5a3_f393_e0a9_e50e24dcca9e);
        for (known, expected) in [
            (
                known_service(uuid16(0x180D)),
                "assigned by the Bluetooth SIG",
            ),
            (
                known_service(uuid16(0xFEFF)),
                "the member that the Bluetooth SIG gave the number",
            ),
            (known_service(uart), "Nordic Semiconductor"),
            // A number that nobody was given and many use: no name of the SIG.
            (
                known_service(uuid16(0xFFE0)),
                "custom of serial modules, not assigned",
            ),
            (known_characteristic(uuid16(0x1233)), "Google"),
            (
                known_descriptor(uuid16(0x2917)),
                "assigned by the Bluetooth SIG",
            ),
        ] {
            assert_eq!(giver(known).as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_appearance_has_the_name_of_its_subcategory_and_else_of_its_category() {
        assert_eq!(appearance(0x03C1), Some("Keyboard"));
        assert_eq!(appearance(0x0340), Some("Heart Rate Sensor"));
        // The Assigned Numbers have no such subcategory.
        assert_eq!(appearance(0x037F), Some("Heart Rate Sensor"));
        assert_eq!(appearance(0xFFFF), None);
    }

    #[test]
    fn a_name_that_several_numbers_have_stands_for_none() {
        assert_eq!(Names::Appearances.number("keyboard"), Some(0x03C1));
        assert_eq!(Names::Appearances.number("Heart Rate Sensor"), Some(0x0340));
        assert_eq!(
            (appearance(0x02C0), appearance(0x03C8)),
            (Some("Barcode Scanner"), Some("Barcode Scanner"))
        );
        assert_eq!(Names::Appearances.number("Barcode Scanner"), None);
        assert_eq!(Names::Companies.number("Apple, Inc."), Some(0x004C));
        assert_eq!(Names::Companies.number("no such company"), None);
        assert_eq!(Names::Units.number("degree Celsius"), Some(0x272F));
        assert_eq!(
            Names::Characteristics.number("Heart Rate Measurement"),
            Some(0x2A37)
        );
    }

    #[test]
    fn uuids_on_the_base_are_short_and_others_whole() {
        let base = "0000180d-0000-1000-8000-00805f9b34fb";
        let uuid = Uuid::parse_str(base).unwrap();
        assert_eq!(short16(uuid), Some(0x180D));
        assert_eq!(short(uuid).to_string(), "0x180D");

        let wide = Uuid::parse_str("12345678-0000-1000-8000-00805f9b34fb").unwrap();
        assert_eq!(short16(wide), None);
        assert_eq!(short(wide).to_string(), "0x12345678");

        // One digit off the base is a vendor's own UUID.
        let near = Uuid::parse_str("0000180d-0000-1000-8000-00805f9b34fc").unwrap();
        assert_eq!(short16(near), None);
        assert_eq!(
            short(near).to_string(),
            "0000180d-0000-1000-8000-00805f9b34fc"
        );
    }
}
