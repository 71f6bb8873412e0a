//! The attribute table of a link: BlueZ's objects as a [`GattDb`], and the way back.
//!
//! BlueZ names every object by its handle, `service0010/char0011/desc0013`, so attributes of one UUID
//! stay apart, and sorting by handle is the device's own order. A characteristic's object has the
//! handle of the declaration; the value is the attribute after it (Core Specification, Vol 3, Part G,
//! 3.3.2). Generic Access and Generic Attribute, BlueZ keeps to itself.

use std::sync::Arc;

use dbus::arg::PropMap;
use uuid::Uuid;

use super::bus::{self, CHARACTERISTIC, DESCRIPTOR, Objects, SERVICE};
use crate::{
    AttrId, AttrKind, Attribute, Error, GattDb, Handle, MAX_ATTRIBUTE_LEN, NotifyMode, Properties,
    Result, SampleKind, WriteKind,
};

/// Client Characteristic Configuration (Core Specification, Vol 3, Part G, 3.3.3.3).
const CCCD: Uuid = Uuid::from_u128(0x00002902_0000_1000_8000_00805f9b34fb);

/// Bytes of an ATT Write Command or Handle Value Notification that are not value.
const ATT_HEADER_LEN: usize = 3;

/// The handles in an object's path, which are what `bluer` names it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) service: u16,
    pub(super) characteristic: Option<u16>,
    pub(super) descriptor: Option<u16>,
}

impl Place {
    /// The place of an object `below` a device, such as `service0010/char0011`.
    fn of(below: &str) -> Option<Self> {
        let mut parts = below.split('/');
        let mut handle = |prefix: &str| {
            let part = parts.next()?;
            let digits = part.strip_prefix(prefix)?;
            u16::from_str_radix(digits, 16).ok()
        };
        let place = Self {
            service: handle("service")?,
            characteristic: handle("char"),
            descriptor: handle("desc"),
        };
        parts.next().is_none().then_some(place)
    }

    /// The place of the object at `path`, if that is below this device.
    pub(super) fn below(device: &str, path: &str) -> Option<Self> {
        Self::of(path.strip_prefix(device)?.strip_prefix('/')?)
    }

    /// The object's path below its device.
    pub(super) fn path(self, device: &str) -> String {
        let mut path = format!("{device}/service{:04x}", self.service);
        if let Some(characteristic) = self.characteristic {
            path += &format!("/char{characteristic:04x}");
        }
        if let Some(descriptor) = self.descriptor {
            path += &format!("/desc{descriptor:04x}");
        }
        path
    }
}

pub(super) struct Table {
    pub(super) db: Arc<GattDb>,
    places: Vec<Place>,
    /// The ATT MTU, where BlueZ tells it.
    pub(super) mtu: Option<u16>,
}

impl Table {
    /// What the objects below a device are.
    pub(super) fn new(device: &str, objects: &Objects) -> Result<Self> {
        let mut found: Vec<(Place, AttrKind, Uuid, &PropMap)> = Vec::new();
        for (path, interfaces) in objects {
            let Some(place) = Place::below(device, path) else {
                continue;
            };
            let kinds = [
                (SERVICE, AttrKind::Service),
                (CHARACTERISTIC, AttrKind::Characteristic),
                (DESCRIPTOR, AttrKind::Descriptor),
            ];
            for (interface, kind) in kinds {
                let Some(properties) = interfaces.get(interface) else {
                    continue;
                };
                let uuid = bus::string(properties, "UUID").and_then(|text| text.parse().ok());
                let uuid = uuid.ok_or_else(|| Error::Os {
                    message: format!("BlueZ names {path} by no UUID"),
                })?;
                found.push((place, kind, uuid, properties));
            }
        }
        found.sort_by_key(|(place, ..)| *place);

        let mut db = GattDb::new();
        let mut places = Vec::new();
        let (mut service, mut characteristic, mut mtu) = (None, None, None);
        for (place, kind, uuid, object) in found {
            let own = (place.descriptor.or(place.characteristic)).unwrap_or(place.service);
            let (handle, parent, properties) = match kind {
                AttrKind::Service => (Some(own), None, Properties::default()),
                AttrKind::Characteristic => {
                    mtu = mtu.or(bus::number(object, "MTU"));
                    (own.checked_add(1), service, properties_of(object))
                }
                AttrKind::Descriptor => (Some(own), characteristic, Properties::default()),
            };
            if kind != AttrKind::Service && parent.is_none() {
                // Its parent is not there yet; the signal that brings it brings a new table.
                continue;
            }
            let id = db.push(kind, uuid, handle.map(Handle), parent, properties)?;
            places.push(place);
            match kind {
                AttrKind::Service => (service, characteristic) = (Some(id), None),
                AttrKind::Characteristic => characteristic = Some(id),
                AttrKind::Descriptor => {}
            }
        }
        Ok(Self {
            db: Arc::new(db),
            places,
            mtu,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether the other table has the same attributes.
    pub(super) fn same(&self, other: &Self) -> bool {
        let of = |table: &Self| -> Vec<(Place, Uuid, Properties)> {
            let attributes = table.db.attributes().iter();
            let both = table.places.iter().zip(attributes);
            both.map(|(place, found)| (*place, found.uuid, found.properties))
                .collect()
        };
        of(self) == of(other)
    }

    /// The attribute at a place that has this UUID.
    pub(super) fn at(&self, place: Place, uuid: Uuid) -> Option<AttrId> {
        let index = self.places.iter().position(|this| *this == place)?;
        let found = self.db.attributes().get(index)?;
        (found.uuid == uuid).then_some(found.id)
    }

    fn find(&self, attribute: AttrId) -> Result<(&Attribute, Place)> {
        let found = self.db.get(attribute)?;
        let place = self.places.get(usize::from(attribute.index));
        let place = *place.ok_or(Error::StaleAttribute { attribute })?;
        Ok((found, place))
    }

    /// What to read, if it can be read.
    pub(super) fn to_read(&self, attribute: AttrId) -> Result<Place> {
        let (found, place) = self.find(attribute)?;
        let readable = match found.kind {
            AttrKind::Service => false,
            AttrKind::Characteristic => found.properties.contains(Properties::READ),
            AttrKind::Descriptor => true,
        };
        if readable {
            Ok(place)
        } else {
            Err(Error::NotOffered { operation: "read" })
        }
    }

    /// What to write, if it can be written so, and the most bytes that it takes.
    pub(super) fn to_write(
        &self,
        attribute: AttrId,
        kind: WriteKind,
        mtu: Option<u16>,
    ) -> Result<(Place, usize)> {
        let (found, place) = self.find(attribute)?;
        if found.kind == AttrKind::Descriptor && found.uuid == CCCD {
            return Err(Error::Unsupported {
                what: "Writing the Client Characteristic Configuration",
                reason: "BlueZ writes it itself. Subscribe or unsubscribe instead.",
            });
        }
        let (needed, operation) = match kind {
            WriteKind::WithResponse => (Properties::WRITE, "write"),
            WriteKind::WithoutResponse => {
                (Properties::WRITE_WITHOUT_RESPONSE, "write without response")
            }
        };
        let offered = match found.kind {
            AttrKind::Service => false,
            AttrKind::Characteristic => found.properties.contains(needed),
            AttrKind::Descriptor => kind == WriteKind::WithResponse,
        };
        if !offered {
            return Err(Error::NotOffered { operation });
        }
        let max = match kind {
            // What does not fit a PDU goes as a queued write.
            WriteKind::WithResponse => MAX_ATTRIBUTE_LEN,
            WriteKind::WithoutResponse => {
                let mtu = usize::from(mtu.unwrap_or(crate::DEFAULT_ATT_MTU));
                mtu.saturating_sub(ATT_HEADER_LEN).min(MAX_ATTRIBUTE_LEN)
            }
        };
        Ok((place, max))
    }

    /// What to subscribe to, its UUID, and how its values will come: BlueZ asks for notifications
    /// wherever it may (src/shared/gatt-client.c).
    pub(super) fn to_subscribe(
        &self,
        attribute: AttrId,
        mode: NotifyMode,
    ) -> Result<(Place, Uuid, SampleKind)> {
        let (found, place) = self.find(attribute)?;
        let notify = found.properties.contains(Properties::NOTIFY);
        let indicate = found.properties.contains(Properties::INDICATE);
        let kind = match (notify, indicate) {
            (true, _) => SampleKind::Notification,
            (false, true) => SampleKind::Indication,
            (false, false) => {
                return Err(Error::NotOffered {
                    operation: "notifications or indications",
                });
            }
        };
        match mode {
            NotifyMode::Notify if !notify => Err(Error::NotOffered {
                operation: "notifications",
            }),
            NotifyMode::Indicate if !indicate => Err(Error::NotOffered {
                operation: "indications",
            }),
            NotifyMode::Indicate if notify => Err(Error::Unsupported {
                what: "Choosing between notifications and indications",
                reason: "BlueZ asks for notifications where a characteristic has both. Subscribe \
                         with the system's choice.",
            }),
            _ => Ok((place, found.uuid, kind)),
        }
    }
}

fn properties_of(object: &PropMap) -> Properties {
    let flags = bus::strings(object, "Flags").unwrap_or_default();
    let bits = flags.iter().map(|flag| match flag.as_str() {
        "broadcast" => Properties::BROADCAST,
        "read" => Properties::READ,
        "write-without-response" => Properties::WRITE_WITHOUT_RESPONSE,
        "write" => Properties::WRITE,
        "notify" => Properties::NOTIFY,
        "indicate" => Properties::INDICATE,
        "authenticated-signed-writes" => Properties::SIGNED_WRITE,
        "extended-properties" => Properties::EXTENDED,
        // Of the Extended Properties descriptor, which has its own place in the tree.
        _ => Properties::default(),
    });
    bits.fold(Properties::default(), |all, bit| all | bit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbus::arg::{RefArg, Variant};
    use std::collections::HashMap;

    const DEVICE: &str = "/org/bluez/hci0/dev_F0_F1_F2_F3_F4_F5";
    const ONE: Uuid = Uuid::from_u128(1);

    fn object(interface: &str, uuid: Uuid, flags: &[&str]) -> HashMap<String, PropMap> {
        let text: Box<dyn RefArg> = Box::new(uuid.to_string());
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let flags: Box<dyn RefArg> = Box::new(flags);
        let mtu: Box<dyn RefArg> = Box::new(247u16);
        let all = [("UUID", text), ("Flags", flags), ("MTU", mtu)];
        let all = all.map(|(name, value)| (name.to_owned(), Variant(value)));
        HashMap::from([(interface.to_owned(), PropMap::from(all))])
    }

    fn table(objects: Vec<(&str, HashMap<String, PropMap>)>) -> Table {
        let mut all: Objects = objects
            .into_iter()
            .map(|(below, object)| (format!("{DEVICE}/{below}").into(), object))
            .collect();
        let other = "/org/bluez/hci0/dev_F0_F1_F2_F3_F4_D1/service0001";
        all.insert(other.into(), object(SERVICE, ONE, &[]));
        all.insert(DEVICE.into(), HashMap::new());
        Table::new(DEVICE, &all).unwrap()
    }

    fn twins() -> Table {
        table(vec![
            (
                "service0020/char0021",
                object(CHARACTERISTIC, ONE, &["read"]),
            ),
            ("service0010", object(SERVICE, ONE, &[])),
            (
                "service0010/char0013/desc0015",
                object(DESCRIPTOR, CCCD, &[]),
            ),
            (
                "service0010/char0013",
                object(CHARACTERISTIC, ONE, &["notify", "indicate"]),
            ),
            (
                "service0010/char0011",
                object(CHARACTERISTIC, ONE, &["read", "write"]),
            ),
            ("service0020", object(SERVICE, ONE, &[])),
        ])
    }

    #[test]
    fn attributes_of_one_uuid_stand_apart_in_the_devices_order_with_their_handles() {
        let table = twins();
        let attributes = table.db.attributes();
        let handles: Vec<u16> = attributes
            .iter()
            .map(|found| found.handle.unwrap().0)
            .collect();
        assert_eq!(handles, [0x10, 0x12, 0x14, 0x15, 0x20, 0x22]);
        let parents: Vec<Option<u16>> = attributes
            .iter()
            .map(|found| found.parent.map(|parent| parent.index))
            .collect();
        assert_eq!(parents, [None, Some(0), Some(0), Some(2), None, Some(4)]);
        assert_eq!(
            table.db.characteristic(ONE).unwrap_err().code(),
            "ambiguous"
        );
        let place = table.to_read(attributes[5].id).unwrap();
        assert_eq!(place.path(DEVICE), format!("{DEVICE}/service0020/char0021"));
        assert_eq!(table.at(place, ONE), Some(attributes[5].id));
        assert_eq!(
            table.at(place, CCCD),
            None,
            "another characteristic has its handle"
        );
        assert_eq!(table.mtu, Some(247));
    }

    #[test]
    fn a_table_is_the_same_until_an_attribute_changes() {
        let changed = table(vec![
            ("service0010", object(SERVICE, ONE, &[])),
            (
                "service0010/char0011",
                object(CHARACTERISTIC, ONE, &["read"]),
            ),
        ]);
        assert!(twins().same(&twins()));
        assert!(!twins().same(&changed));
        assert_ne!(twins().db.generation(), twins().db.generation());
    }

    #[test]
    fn an_attribute_without_its_parent_waits_for_it() {
        let early = table(vec![(
            "service0010/char0011",
            object(CHARACTERISTIC, ONE, &["read"]),
        )]);
        assert!(early.is_empty());
    }

    #[test]
    fn what_is_not_offered_is_refused() {
        let table = twins();
        let id = |index: usize| table.db.attributes()[index].id;
        use WriteKind::{WithResponse, WithoutResponse};
        let write = |index, kind, mtu| table.to_write(id(index), kind, mtu).map(|(_, max)| max);
        assert_eq!(write(1, WithResponse, Some(23)), Ok(512));
        for (index, kind) in [(1, WithoutResponse), (2, WithResponse), (0, WithResponse)] {
            let refused = write(index, kind, None).unwrap_err();
            assert_eq!(refused.code(), "not_offered", "{index} {kind:?}");
        }
        assert_eq!(
            write(3, WithResponse, None).unwrap_err().code(),
            "unsupported"
        );
        let read = |index| table.to_read(id(index)).map_err(|error| error.code());
        assert!(read(1).is_ok() && read(3).is_ok());
        assert_eq!(read(0), Err("not_offered"));
        assert_eq!(read(2), Err("not_offered"));
        let command = table_of("write-without-response");
        let max = |mtu| command.to_write(command.db.attributes()[1].id, WithoutResponse, mtu);
        for (mtu, most) in [(None, 20), (Some(247), 244), (Some(517), 512)] {
            assert_eq!(max(mtu).unwrap().1, most);
        }
    }

    fn table_of(flag: &str) -> Table {
        table(vec![
            ("service0010", object(SERVICE, ONE, &[])),
            ("service0010/char0011", object(CHARACTERISTIC, ONE, &[flag])),
        ])
    }

    #[test]
    fn a_subscription_is_of_the_kind_that_bluez_makes_of_it() {
        let kind = |table: &Table, index: usize, mode| {
            let id = table.db.attributes()[index].id;
            let found = table.to_subscribe(id, mode).map_err(|error| error.code());
            found.map(|(_, _, kind)| kind)
        };
        use NotifyMode::{Indicate, Notify, System};
        let both = twins();
        assert_eq!(kind(&both, 2, System), Ok(SampleKind::Notification));
        assert_eq!(kind(&both, 2, Notify), Ok(SampleKind::Notification));
        assert_eq!(kind(&both, 2, Indicate), Err("unsupported"));
        assert_eq!(kind(&both, 1, System), Err("not_offered"));
        let indicate = table_of("indicate");
        assert_eq!(kind(&indicate, 1, System), Ok(SampleKind::Indication));
        assert_eq!(kind(&indicate, 1, Indicate), Ok(SampleKind::Indication));
        assert_eq!(kind(&indicate, 1, Notify), Err("not_offered"));
    }
}
