//! The attributes of a device, as a recording has them.

use radio::{GattDb, Generation};

use crate::{DeviceKey, LinkKey, Result, Session};

/// What one discovery found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The link on which it was made.
    pub link: LinkKey,
    /// The attributes, under the identifiers that the recording has for them.
    pub gatt: GattDb,
}

impl Session {
    /// What each discovery of a device found, in their order. Of one that the file holds only the
    /// beginning of, the beginning.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn found_by_discoveries(&self, device: DeviceKey) -> Result<Vec<Discovery>> {
        let mut found: Vec<Discovery> = Vec::new();
        for attribute in self.attributes()? {
            if attribute.device != device {
                continue;
            }
            let generation: Generation = attribute.id.generation;
            if found
                .last()
                .is_none_or(|last| last.gatt.generation() != generation)
            {
                found.push(Discovery {
                    link: attribute.link,
                    gatt: GattDb::of(generation),
                });
            }
            let Some(last) = found.last_mut() else {
                continue;
            };
            // Identifiers are places: after one that is missing, none would be right.
            if usize::from(attribute.id.index) == last.gatt.attributes().len() {
                let _ = last.gatt.push(
                    attribute.kind,
                    attribute.uuid,
                    attribute.handle,
                    attribute.parent,
                    attribute.properties,
                );
            }
        }
        Ok(found)
    }
}
