//! The attribute table of a link: `btleplug`'s services as a [`GattDb`], and the way back.
//!
//! `btleplug` names attributes by UUID alone. It shows one characteristic of a UUID in a service, and
//! one service of a UUID; the others are not in the table, which
//! [`Cap::DuplicateUuids`](crate::Cap::DuplicateUuids) says. Attributes stand in the order of their
//! UUIDs, for the device's order is not told.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::btleplug::api::{Characteristic, Descriptor, Service};
use uuid::Uuid;

use crate::{
    AttrId, AttrKind, Error, GattDb, MAX_ATTRIBUTE_LEN, NotifyMode, Properties, Result, SampleKind,
    WriteKind,
};

/// Client Characteristic Configuration (Core Specification, Vol 3, Part G, 3.3.3.3).
const CCCD: Uuid = Uuid::from_u128(0x00002902_0000_1000_8000_00805f9b34fb);

/// Bytes of an ATT Write Command or Handle Value Notification that are not value.
const ATT_HEADER_LEN: usize = 3;

/// How `btleplug` names an attribute.
#[derive(Clone, Debug)]
pub(super) enum Named {
    Service,
    Characteristic(Characteristic),
    Descriptor(Descriptor),
}

/// Which of the two a system asks for where a characteristic has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    dead_code,
    reason = "each system has one of these; the tests go through all of them"
)]
pub(super) enum Prefers {
    Notifications,
    Indications,
    Untold,
}

/// Names a characteristic in a notification: its service's UUID and its own.
pub(super) type Key = (Uuid, Uuid);

pub(super) struct Table {
    pub(super) db: Arc<GattDb>,
    named: Vec<Named>,
}

impl Table {
    pub(super) fn new(services: BTreeSet<Service>) -> Result<Self> {
        let mut db = GattDb::new();
        let mut named = Vec::new();
        for service in services {
            let none = Properties::default();
            let parent = db.push(AttrKind::Service, service.uuid, None, None, none)?;
            named.push(Named::Service);
            for found in service.characteristics {
                let properties = Properties(found.properties.bits());
                let id = db.push(
                    AttrKind::Characteristic,
                    found.uuid,
                    None,
                    Some(parent),
                    properties,
                )?;
                let descriptors = found.descriptors.clone();
                named.push(Named::Characteristic(found));
                for descriptor in descriptors {
                    db.push(AttrKind::Descriptor, descriptor.uuid, None, Some(id), none)?;
                    named.push(Named::Descriptor(descriptor));
                }
            }
        }
        Ok(Self {
            db: Arc::new(db),
            named,
        })
    }

    fn named(&self, attribute: AttrId) -> Result<(&Named, Properties)> {
        let found = self.db.get(attribute)?;
        let named = self
            .named
            .get(usize::from(attribute.index))
            .ok_or(Error::StaleAttribute { attribute })?;
        Ok((named, found.properties))
    }

    /// What to read, if it can be read.
    pub(super) fn to_read(&self, attribute: AttrId) -> Result<&Named> {
        match self.named(attribute)? {
            (Named::Service, _) => Err(NOT_READ),
            (Named::Characteristic(_), properties) if !properties.contains(Properties::READ) => {
                Err(NOT_READ)
            }
            (named, _) => Ok(named),
        }
    }

    /// What to write, if it can be written so, and the most bytes that it takes.
    ///
    /// The check is what keeps a system from sending another kind of write than was asked for.
    pub(super) fn to_write(
        &self,
        attribute: AttrId,
        kind: WriteKind,
        mtu: u16,
    ) -> Result<(&Named, usize)> {
        let (named, properties) = self.named(attribute)?;
        let offered = match (named, kind) {
            (Named::Service, _) | (Named::Descriptor(_), WriteKind::WithoutResponse) => false,
            (Named::Descriptor(descriptor), WriteKind::WithResponse) => {
                if descriptor.uuid == CCCD {
                    return Err(Error::Unsupported {
                        what: "Writing the Client Characteristic Configuration",
                        reason: "The system writes it itself. Subscribe or unsubscribe instead.",
                    });
                }
                true
            }
            (Named::Characteristic(_), WriteKind::WithResponse) => {
                properties.contains(Properties::WRITE)
            }
            (Named::Characteristic(_), WriteKind::WithoutResponse) => {
                properties.contains(Properties::WRITE_WITHOUT_RESPONSE)
            }
        };
        match (offered, kind) {
            (true, WriteKind::WithResponse) => Ok((named, MAX_ATTRIBUTE_LEN)),
            (true, WriteKind::WithoutResponse) => {
                let fits = usize::from(mtu).saturating_sub(ATT_HEADER_LEN);
                Ok((named, fits.min(MAX_ATTRIBUTE_LEN)))
            }
            (false, WriteKind::WithResponse) => Err(Error::NotOffered { operation: "write" }),
            (false, WriteKind::WithoutResponse) => Err(Error::NotOffered {
                operation: "write without response",
            }),
        }
    }

    /// The characteristic to subscribe to, and how its values will come.
    pub(super) fn to_subscribe(
        &self,
        attribute: AttrId,
        mode: NotifyMode,
        prefers: Prefers,
    ) -> Result<(&Characteristic, SampleKind)> {
        let (named, properties) = self.named(attribute)?;
        let Named::Characteristic(characteristic) = named else {
            return Err(NOT_SUBSCRIBED);
        };
        let notify = properties.contains(Properties::NOTIFY);
        let indicate = properties.contains(Properties::INDICATE);
        let kind = match (notify, indicate) {
            (false, false) => return Err(NOT_SUBSCRIBED),
            (true, false) => SampleKind::Notification,
            (false, true) => SampleKind::Indication,
            (true, true) => match prefers {
                Prefers::Notifications => SampleKind::Notification,
                Prefers::Indications => SampleKind::Indication,
                Prefers::Untold => SampleKind::NotificationOrIndication,
            },
        };
        match (mode, kind) {
            (NotifyMode::System, _)
            | (NotifyMode::Notify, SampleKind::Notification)
            | (NotifyMode::Indicate, SampleKind::Indication) => Ok((characteristic, kind)),
            (NotifyMode::Notify, _) if !notify => Err(Error::NotOffered {
                operation: "notifications",
            }),
            (NotifyMode::Indicate, _) if !indicate => Err(Error::NotOffered {
                operation: "indications",
            }),
            _ => Err(Error::Unsupported {
                what: "Choosing between notifications and indications",
                reason: "The system chooses by itself where a characteristic has both. Subscribe \
                         with the system's choice.",
            }),
        }
    }
}

const NOT_READ: Error = Error::NotOffered { operation: "read" };
const NOT_SUBSCRIBED: Error = Error::NotOffered {
    operation: "notifications or indications",
};

/// CoreBluetooth gives three descriptors as numbers, which `btleplug` turns into decimal digits. This
/// makes bytes of them again: two, least significant first, as they were on the air.
#[cfg(any(test, target_vendor = "apple"))]
pub(super) fn bytes_of_number(descriptor: Uuid, value: Vec<u8>) -> Vec<u8> {
    const NUMBERS: [u16; 3] = [
        0x2900, // Characteristic Extended Properties
        0x2902, // Client Characteristic Configuration
        0x2903, // Server Characteristic Configuration
    ];
    let base = 0x0000_1000_8000_0080_5f9b_34fb;
    if !NUMBERS
        .iter()
        .any(|short| descriptor.as_u128() == u128::from(*short) << 96 | base)
    {
        return value;
    }
    match std::str::from_utf8(&value)
        .ok()
        .and_then(|text| text.parse::<u16>().ok())
    {
        Some(number) => number.to_le_bytes().to_vec(),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::btleplug::api::CharPropFlags;

    const SERVICE: Uuid = Uuid::from_u128(0xF0);
    const DESCRIPTION: Uuid = Uuid::from_u128(0x00002901_0000_1000_8000_00805f9b34fb);

    fn table(properties: &[CharPropFlags]) -> Table {
        let characteristics = properties.iter().enumerate().map(|(n, properties)| {
            let uuid = Uuid::from_u128(n as u128);
            let descriptor = |of| Descriptor {
                uuid: of,
                service_uuid: SERVICE,
                characteristic_uuid: uuid,
            };
            Characteristic {
                uuid,
                service_uuid: SERVICE,
                properties: *properties,
                descriptors: BTreeSet::from([descriptor(DESCRIPTION), descriptor(CCCD)]),
            }
        });
        Table::new(BTreeSet::from([Service {
            uuid: SERVICE,
            primary: true,
            characteristics: characteristics.collect(),
        }]))
        .unwrap()
    }

    fn characteristic(table: &Table, n: u128) -> AttrId {
        table.db.characteristic(Uuid::from_u128(n)).unwrap().id
    }

    #[test]
    fn the_tree_has_each_parent_before_its_children() {
        let table = table(&[CharPropFlags::READ, CharPropFlags::NOTIFY]);
        let kinds: Vec<AttrKind> = table
            .db
            .attributes()
            .iter()
            .map(|found| found.kind)
            .collect();
        use AttrKind::{Characteristic as C, Descriptor as D, Service as S};
        assert_eq!(kinds, [S, C, D, D, C, D, D]);
        for attribute in table.db.attributes() {
            assert!(
                attribute
                    .parent
                    .is_none_or(|parent| parent.index < attribute.id.index)
            );
            assert_eq!(attribute.handle, None);
        }
        let second = table.db.get(characteristic(&table, 1)).unwrap();
        assert_eq!(second.properties, Properties::NOTIFY);
    }

    #[test]
    fn a_write_of_a_kind_that_is_not_offered_never_becomes_one_that_is() {
        let table = table(&[
            CharPropFlags::WRITE,
            CharPropFlags::WRITE_WITHOUT_RESPONSE,
            CharPropFlags::READ,
        ]);
        let write = |n, kind| {
            table
                .to_write(characteristic(&table, n), kind, 23)
                .map(|(_, max)| max)
        };
        use WriteKind::{WithResponse, WithoutResponse};
        assert_eq!(write(0, WithResponse), Ok(512));
        assert_eq!(write(1, WithoutResponse), Ok(20));
        for (n, kind) in [
            (0, WithoutResponse),
            (1, WithResponse),
            (2, WithResponse),
            (2, WithoutResponse),
        ] {
            assert!(
                matches!(write(n, kind), Err(Error::NotOffered { .. })),
                "{n} {kind:?}"
            );
        }
        let max = |mtu| {
            table
                .to_write(characteristic(&table, 1), WithoutResponse, mtu)
                .map(|(_, max)| max)
        };
        assert_eq!(max(247), Ok(244));
        assert_eq!(max(517), Ok(512), "an attribute holds no more");
    }

    #[test]
    fn descriptors_are_written_with_response_and_the_cccd_not_at_all() {
        let table = table(&[CharPropFlags::NOTIFY]);
        let of = |uuid| {
            let parent = characteristic(&table, 0);
            table
                .db
                .children(parent)
                .find(|found| found.uuid == uuid)
                .unwrap()
                .id
        };
        let write = |uuid, kind| table.to_write(of(uuid), kind, 23).map(|(_, max)| max);
        assert_eq!(write(DESCRIPTION, WriteKind::WithResponse), Ok(512));
        assert!(matches!(
            write(DESCRIPTION, WriteKind::WithoutResponse),
            Err(Error::NotOffered { .. })
        ));
        assert!(matches!(
            write(CCCD, WriteKind::WithResponse),
            Err(Error::Unsupported { .. })
        ));
        assert!(table.to_read(of(DESCRIPTION)).is_ok());
    }

    #[test]
    fn only_what_is_readable_is_read() {
        let table = table(&[CharPropFlags::READ, CharPropFlags::WRITE]);
        assert!(table.to_read(characteristic(&table, 0)).is_ok());
        assert_eq!(
            table.to_read(characteristic(&table, 1)).unwrap_err(),
            NOT_READ
        );
        let service = table.db.services().next().unwrap().id;
        assert_eq!(table.to_read(service).unwrap_err(), NOT_READ);
        let stale = super::tests::table(&[CharPropFlags::READ]);
        assert!(matches!(
            table.to_read(characteristic(&stale, 0)),
            Err(Error::StaleAttribute { .. })
        ));
    }

    #[test]
    fn a_subscription_is_of_the_kind_that_the_system_makes_of_it() {
        let table = table(&[
            CharPropFlags::NOTIFY,
            CharPropFlags::INDICATE,
            CharPropFlags::NOTIFY | CharPropFlags::INDICATE,
            CharPropFlags::READ,
        ]);
        let kind = |n, mode, prefers| {
            table
                .to_subscribe(characteristic(&table, n), mode, prefers)
                .map(|(_, kind)| kind)
                .map_err(|error| error.code())
        };
        use NotifyMode::{Indicate, Notify, System};
        use Prefers::{Indications, Notifications, Untold};
        assert_eq!(kind(0, System, Untold), Ok(SampleKind::Notification));
        assert_eq!(kind(1, System, Notifications), Ok(SampleKind::Indication));
        assert_eq!(
            kind(2, System, Untold),
            Ok(SampleKind::NotificationOrIndication)
        );
        assert_eq!(kind(2, Notify, Notifications), Ok(SampleKind::Notification));
        assert_eq!(kind(2, Indicate, Indications), Ok(SampleKind::Indication));
        assert_eq!(kind(2, Indicate, Notifications), Err("unsupported"));
        assert_eq!(kind(2, Notify, Untold), Err("unsupported"));
        assert_eq!(kind(0, Indicate, Untold), Err("not_offered"));
        assert_eq!(kind(1, Notify, Untold), Err("not_offered"));
        assert_eq!(kind(3, System, Untold), Err("not_offered"));
    }

    #[test]
    fn numbers_that_corebluetooth_makes_of_descriptors_become_bytes_again() {
        assert_eq!(bytes_of_number(CCCD, b"1".to_vec()), [1, 0]);
        assert_eq!(bytes_of_number(CCCD, b"258".to_vec()), [2, 1]);
        assert_eq!(bytes_of_number(DESCRIPTION, b"1".to_vec()), b"1");
        assert_eq!(
            bytes_of_number(CCCD, vec![1, 0]),
            [1, 0],
            "bytes stay bytes"
        );
    }
}
