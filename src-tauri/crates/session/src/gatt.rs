//! What discoveries found, as the radio's own table of attributes.

use std::collections::HashMap;

use radio::{AttrId, GattDb, Generation};

use crate::{Attribute, DeviceKey, LinkKey, Result, Session, SessionTime};

/// A discovery of a session: the attributes of a device became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// Its number; [`Session::gatt_as_recorded`] gives what it found.
    pub generation: Generation,
    /// The link on which it was made.
    pub link: LinkKey,
    /// The device at the other end.
    pub device: DeviceKey,
    /// When it was done; when its link came up, where the file does not tell.
    pub at: SessionTime,
}

impl Session {
    /// Every discovery that found services, in the order of their numbers. A capture that knows a connection but not its
    /// discovery has attributes that are handles alone.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn discovered(&self) -> Result<Vec<Discovery>> {
        let mut times: HashMap<Generation, SessionTime> = HashMap::new();
        let of_event = self.discoveries()?;
        self.all(
            "SELECT id, t_ns FROM event WHERE kind IN (14, 41, 42) AND kind = 14",
            [],
            |row| {
                if let Some(generation) = of_event.get(&row.get(0)?) {
                    times.insert(*generation, SessionTime(row.get(1)?));
                }
                Ok(())
            },
        )?;
        self.all(
            "SELECT DISTINCT a.id >> 16, l.id, l.device, l.up_ns
               FROM attribute AS a JOIN link AS l ON l.id = a.link
              WHERE a.kind = 1 ORDER BY 1",
            [],
            |row| {
                let generation = Generation(row.get(0)?);
                Ok(Discovery {
                    generation,
                    link: LinkKey(row.get(1)?),
                    device: DeviceKey(row.get(2)?),
                    at: match times.get(&generation) {
                        Some(at) => *at,
                        None => SessionTime(row.get(3)?),
                    },
                })
            },
        )
    }

    /// What a discovery found, under the identifiers that the file has: an attribute can be asked for by the one that
    /// it has here. Of a discovery that the file holds only the beginning of, the beginning.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn gatt_as_recorded(&self, generation: Generation) -> Result<GattDb> {
        let mut db = GattDb::of(generation);
        for attribute in self.attributes_of(generation)? {
            // Identifiers are places: after one that is missing, none would be right.
            if usize::from(attribute.id.index) != db.attributes().len() {
                break;
            }
            let pushed = db.push(
                attribute.kind,
                attribute.uuid,
                attribute.handle,
                attribute.parent,
                attribute.properties,
            );
            if pushed.is_err() {
                break;
            }
        }
        Ok(db)
    }

    /// The attributes of one discovery.
    pub(crate) fn attributes_of(&self, generation: Generation) -> Result<Vec<Attribute>> {
        let first = i64::from(generation.0) << 16;
        self.attributes_between(first, first | 0xFFFF)
    }
}

/// `recorded` as a new discovery, each attribute at its place; one whose parent is missing stands without one.
pub(crate) fn table(recorded: &[Attribute]) -> GattDb {
    let mut db = GattDb::new();
    let mut ids: HashMap<AttrId, AttrId> = HashMap::with_capacity(recorded.len());
    for attribute in recorded {
        let parent = attribute
            .parent
            .and_then(|parent| ids.get(&parent).copied());
        let pushed = db.push(
            attribute.kind,
            attribute.uuid,
            attribute.handle,
            parent,
            attribute.properties,
        );
        // One discovery of the file has at most as many numbers as one of the radio.
        if let Ok(id) = pushed {
            ids.insert(attribute.id, id);
        }
    }
    db
}
