//! The attributes of a peer: services, characteristics and descriptors, each an instance of its own.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Error, Result};

/// Which discovery of which link an attribute belongs to. No two discoveries share a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u32);

impl Generation {
    /// A number that no discovery in this process has had.
    #[must_use]
    pub fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// One attribute of one discovery, never a UUID: a UUID may stand twice.
///
/// It carries its generation, so that an attribute of an earlier discovery is refused
/// ([`Error::StaleAttribute`]) and not mistaken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttrId {
    /// The discovery that found it.
    pub generation: Generation,
    /// Its place in that discovery's [`GattDb`].
    pub index: u16,
}

impl AttrId {
    /// One number for the way to the window and back; exact in a double.
    #[must_use]
    pub fn to_u64(self) -> u64 {
        u64::from(self.generation.0) << 16 | u64::from(self.index)
    }

    /// The attribute that [`to_u64`](Self::to_u64) made `number` of.
    #[must_use]
    pub fn from_u64(number: u64) -> Option<Self> {
        let generation = u32::try_from(number >> 16).ok()?;
        Some(Self {
            generation: Generation(generation),
            index: (number & 0xFFFF) as u16,
        })
    }
}

impl fmt::Display for AttrId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.generation.0, self.index)
    }
}

/// An attribute handle (Core Specification, Vol 3, Part F, 3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Handle(pub u16);

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04X}", self.0)
    }
}

/// What an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttrKind {
    /// A primary or secondary service.
    Service,
    /// A characteristic.
    Characteristic,
    /// A descriptor.
    Descriptor,
}

/// Characteristic properties (Core Specification, Vol 3, Part G, 3.3.1.1), one bit each.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Properties(pub u8);

impl Properties {
    /// Broadcast.
    pub const BROADCAST: Self = Self(0x01);
    /// Read.
    pub const READ: Self = Self(0x02);
    /// Write without response.
    pub const WRITE_WITHOUT_RESPONSE: Self = Self(0x04);
    /// Write.
    pub const WRITE: Self = Self(0x08);
    /// Notify.
    pub const NOTIFY: Self = Self(0x10);
    /// Indicate.
    pub const INDICATE: Self = Self(0x20);
    /// Authenticated signed writes.
    pub const SIGNED_WRITE: Self = Self(0x40);
    /// Extended properties.
    pub const EXTENDED: Self = Self(0x80);

    const NAMES: [(Self, &'static str); 8] = [
        (Self::BROADCAST, "broadcast"),
        (Self::READ, "read"),
        (Self::WRITE_WITHOUT_RESPONSE, "write-nr"),
        (Self::WRITE, "write"),
        (Self::NOTIFY, "notify"),
        (Self::INDICATE, "indicate"),
        (Self::SIGNED_WRITE, "signed-write"),
        (Self::EXTENDED, "extended"),
    ];

    /// Whether all properties of `these` are among these.
    #[must_use]
    pub fn contains(self, these: Self) -> bool {
        self.0 & these.0 == these.0
    }

    /// Whether any property of `these` is among these.
    #[must_use]
    pub fn intersects(self, these: Self) -> bool {
        self.0 & these.0 != 0
    }

    /// Whether there is anything to subscribe to.
    #[must_use]
    pub fn can_subscribe(self) -> bool {
        self.intersects(Self::NOTIFY | Self::INDICATE)
    }

    /// Short names of the properties, in the specification's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .filter(move |(bit, _)| self.contains(*bit))
            .map(|(_, name)| name)
    }
}

impl std::ops::BitOr for Properties {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its identity.
    pub id: AttrId,
    /// What it is.
    pub kind: AttrKind,
    /// Its UUID (a service's or characteristic's own, not the type of its declaration).
    pub uuid: Uuid,
    /// The handle of its value (of the declaration for a service), where the system tells it.
    pub handle: Option<Handle>,
    /// The service of a characteristic, the characteristic of a descriptor.
    pub parent: Option<AttrId>,
    /// Properties of a characteristic; none for the other kinds.
    pub properties: Properties,
}

/// Every attribute of a peer as one discovery found them: each parent before its children, in the
/// order in which the system gave them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GattDb {
    generation: Generation,
    attributes: Vec<Attribute>,
}

impl GattDb {
    /// An empty table of a new generation.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Generation::next())
    }

    /// An empty table of a discovery that has its number already: one of a recording.
    #[must_use]
    pub fn of(generation: Generation) -> Self {
        Self {
            generation,
            attributes: Vec::new(),
        }
    }

    /// Appends an attribute and names it.
    ///
    /// # Errors
    ///
    /// [`Error::Os`] if there are more attributes than a 16-bit handle can count.
    pub fn push(
        &mut self,
        kind: AttrKind,
        uuid: Uuid,
        handle: Option<Handle>,
        parent: Option<AttrId>,
        properties: Properties,
    ) -> Result<AttrId> {
        let index = u16::try_from(self.attributes.len()).map_err(|_| Error::Os {
            message: "the device has more than 65,536 attributes".into(),
        })?;
        let id = AttrId {
            generation: self.generation,
            index,
        };
        self.attributes.push(Attribute {
            id,
            kind,
            uuid,
            handle,
            parent,
            properties,
        });
        Ok(id)
    }

    /// Which discovery this is.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Every attribute.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// One attribute.
    ///
    /// # Errors
    ///
    /// [`Error::StaleAttribute`] if it belongs to another discovery.
    pub fn get(&self, id: AttrId) -> Result<&Attribute> {
        Some(id)
            .filter(|id| id.generation == self.generation)
            .and_then(|id| self.attributes.get(usize::from(id.index)))
            .ok_or(Error::StaleAttribute { attribute: id })
    }

    /// The services, in order.
    pub fn services(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes
            .iter()
            .filter(|attribute| attribute.kind == AttrKind::Service)
    }

    /// The characteristics of a service, or the descriptors of a characteristic, in order.
    pub fn children(&self, parent: AttrId) -> impl Iterator<Item = &Attribute> {
        self.attributes
            .iter()
            .filter(move |attribute| attribute.parent == Some(parent))
    }

    /// The one characteristic of this UUID.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none, [`Error::Ambiguous`] if there are several: this never
    /// guesses.
    pub fn characteristic(&self, uuid: Uuid) -> Result<&Attribute> {
        let mut found = self.attributes.iter().filter(|attribute| {
            attribute.kind == AttrKind::Characteristic && attribute.uuid == uuid
        });
        let first = found.next().ok_or(Error::NotFound { uuid })?;
        match found.count() {
            0 => Ok(first),
            more => Err(Error::Ambiguous {
                uuid,
                count: more + 1,
            }),
        }
    }
}

impl Default for GattDb {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn characteristic(db: &mut GattDb, service: AttrId, uuid: u128) -> AttrId {
        db.push(
            AttrKind::Characteristic,
            Uuid::from_u128(uuid),
            None,
            Some(service),
            Properties::READ,
        )
        .unwrap()
    }

    #[test]
    fn a_uuid_that_stands_twice_is_ambiguous_and_never_guessed() {
        let mut db = GattDb::new();
        let service = db
            .push(
                AttrKind::Service,
                Uuid::from_u128(1),
                None,
                None,
                Properties::default(),
            )
            .unwrap();
        characteristic(&mut db, service, 2);
        characteristic(&mut db, service, 2);
        let only = characteristic(&mut db, service, 3);
        assert!(matches!(
            db.characteristic(Uuid::from_u128(2)),
            Err(Error::Ambiguous { count: 2, .. })
        ));
        assert_eq!(db.characteristic(Uuid::from_u128(3)).unwrap().id, only);
        assert!(matches!(
            db.characteristic(Uuid::from_u128(4)),
            Err(Error::NotFound { .. })
        ));
    }

    #[test]
    fn an_attribute_of_another_discovery_is_refused() {
        let mut old = GattDb::new();
        let mut new = GattDb::new();
        let stale = old
            .push(
                AttrKind::Service,
                Uuid::nil(),
                None,
                None,
                Properties::default(),
            )
            .unwrap();
        new.push(
            AttrKind::Service,
            Uuid::nil(),
            None,
            None,
            Properties::default(),
        )
        .unwrap();
        assert!(matches!(new.get(stale), Err(Error::StaleAttribute { .. })));
        assert!(old.get(stale).is_ok());
    }

    #[test]
    fn an_attribute_survives_the_way_to_the_window_and_back() {
        let id = AttrId {
            generation: Generation(u32::MAX),
            index: u16::MAX,
        };
        assert_eq!(AttrId::from_u64(id.to_u64()), Some(id));
        assert!(id.to_u64() < 1 << 53);
        assert_eq!(AttrId::from_u64(u64::MAX), None);
    }

    #[test]
    fn properties_are_named_in_the_specifications_order() {
        let properties = Properties::NOTIFY | Properties::READ;
        assert_eq!(properties.names().collect::<Vec<_>>(), ["read", "notify"]);
        assert!(properties.can_subscribe());
    }
}
