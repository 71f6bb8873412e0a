//! What the discoveries of a capture found: first collected from all of it, then given numbers, so
//! that an operation knows its attribute whenever it was discovered.

use std::collections::{BTreeMap, BTreeSet};

use radio::{AttrId, AttrKind, Generation, Handle, Properties};
use uuid::Uuid;

use super::store::NewAttribute;
use crate::LinkKey;

/// The Bluetooth Base UUID with an assigned number in its place.
pub(super) fn assigned(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) << 96 | 0x1000_8000_0080_5F9B_34FB)
}

/// A UUID of 2, 4 or 16 bytes as it goes over the air.
pub(super) fn uuid(bytes: &[u8]) -> Option<Uuid> {
    match bytes {
        [a, b] => Some(assigned(u16::from_le_bytes([*a, *b]).into())),
        [a, b, c, d] => Some(assigned(u32::from_le_bytes([*a, *b, *c, *d]))),
        bytes => Some(Uuid::from_u128(u128::from_le_bytes(bytes.try_into().ok()?))),
    }
}

/// What was found on one link.
#[derive(Default)]
pub(super) struct Discovery {
    /// By their first handle: the last one, and the UUID.
    services: BTreeMap<u16, (u16, Uuid)>,
    /// By the handle of the value: that of the declaration, properties and UUID.
    characteristics: BTreeMap<u16, (u16, u8, Uuid)>,
    descriptors: BTreeMap<u16, Uuid>,
    /// Handles that something was done with.
    used: BTreeSet<u16>,
}

impl Discovery {
    pub(super) fn service(&mut self, start: u16, end: u16, uuid: Uuid) {
        self.services.entry(start).or_insert((end, uuid));
    }

    pub(super) fn characteristic(
        &mut self,
        declaration: u16,
        properties: u8,
        value: u16,
        uuid: Uuid,
    ) {
        self.characteristics
            .entry(value)
            .or_insert((declaration, properties, uuid));
    }

    pub(super) fn descriptor(&mut self, handle: u16, uuid: Uuid) {
        self.descriptors.entry(handle).or_insert(uuid);
    }

    pub(super) fn used(&mut self, handle: u16) {
        self.used.insert(handle);
    }

    /// The attributes of the link, parents first, and how many of them were discovered. Those that
    /// were only used come last.
    pub(super) fn attributes(&self, link: LinkKey) -> (Vec<NewAttribute>, usize) {
        let mut all: Vec<NewAttribute> = Vec::new();
        let mut push = |kind, uuid, handle, parent, properties| {
            // A handle stands once, and there are 65,535 of them.
            let index = u16::try_from(all.len()).ok()?;
            let id = AttrId {
                generation: Generation(link.0),
                index,
            };
            all.push(NewAttribute {
                id,
                link,
                kind,
                uuid,
                handle: Some(Handle(handle)),
                parent,
                properties: Properties(properties),
            });
            Some(id)
        };
        let mut by_handle: BTreeMap<u16, (AttrKind, Uuid, u8)> = BTreeMap::new();
        for (handle, uuid) in &self.descriptors {
            by_handle.insert(*handle, (AttrKind::Descriptor, *uuid, 0));
        }
        for (value, (_, properties, uuid)) in &self.characteristics {
            by_handle.insert(*value, (AttrKind::Characteristic, *uuid, *properties));
        }
        for (start, (_, uuid)) in &self.services {
            by_handle.insert(*start, (AttrKind::Service, *uuid, 0));
        }
        // A list of all attributes tells the declarations, too.
        for (declaration, _, _) in self.characteristics.values() {
            if matches!(by_handle.get(declaration), Some((AttrKind::Descriptor, ..))) {
                by_handle.remove(declaration);
            }
        }
        let (mut service, mut characteristic) = (None, None);
        for (handle, (kind, uuid, properties)) in &by_handle {
            if let Some((end, _)) = service
                && handle > end
            {
                (service, characteristic) = (None, None);
            }
            let within = service.map(|(_, id)| id);
            match kind {
                AttrKind::Service => {
                    let end = self.services.get(handle).map_or(&u16::MAX, |(end, _)| end);
                    service = push(*kind, *uuid, *handle, None, 0).map(|id| (end, id));
                    characteristic = None;
                }
                AttrKind::Characteristic => {
                    characteristic = push(*kind, *uuid, *handle, within, *properties);
                }
                AttrKind::Descriptor => {
                    push(*kind, *uuid, *handle, characteristic, 0);
                }
            }
        }
        let found = by_handle.len();
        for handle in self
            .used
            .iter()
            .filter(|handle| !by_handle.contains_key(handle))
        {
            push(AttrKind::Characteristic, Uuid::nil(), *handle, None, 0);
        }
        (all, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_belong_to_the_characteristic_before_them_and_both_to_their_service() {
        let mut found = Discovery::default();
        found.service(1, 5, assigned(0x1800));
        found.service(0x10, u16::MAX, assigned(0x180D));
        found.characteristic(0x11, 0x10, 0x12, assigned(0x2A37));
        found.descriptor(0x11, assigned(0x2803));
        found.descriptor(0x13, assigned(0x2902));
        found.characteristic(2, 2, 3, assigned(0x2A00));
        found.used(0x12);
        found.used(8);
        let (all, discovered) = found.attributes(LinkKey(7));
        let shape: Vec<_> = all
            .iter()
            .map(|new| {
                let parent = new.parent.map(|parent| parent.index);
                (new.handle.unwrap().0, new.kind, parent)
            })
            .collect();
        use AttrKind::{Characteristic, Descriptor, Service};
        assert_eq!(
            shape,
            [
                (1, Service, None),
                (3, Characteristic, Some(0)),
                (0x10, Service, None),
                (0x12, Characteristic, Some(2)),
                (0x13, Descriptor, Some(3)),
                (8, Characteristic, None),
            ]
        );
        assert_eq!(discovered, 5);
        assert_eq!(all[5].uuid, Uuid::nil());
        assert_eq!(all[0].id.generation, Generation(7));
    }

    #[test]
    fn a_uuid_has_three_lengths_on_the_air() {
        assert_eq!(uuid(&[0x0D, 0x18]), Some(assigned(0x180D)));
        assert_eq!(uuid(&[0x0D, 0x18, 0, 0]), Some(assigned(0x180D)));
        let long = assigned(0x180D).as_u128().to_le_bytes();
        assert_eq!(uuid(&long), Some(assigned(0x180D)));
        assert_eq!(uuid(&[1, 2, 3]), None);
    }
}
