//! How many events of each kind each device has, and how many are missing: counted as they are
//! written, so that nobody has to go through a large file to know.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::{Cause, DeviceKey, Kind};

/// What one transaction adds.
#[derive(Default)]
pub(crate) struct Tally {
    events: HashMap<(u32, Kind), i64>,
    lost: HashMap<Cause, i64>,
}

impl Tally {
    pub(crate) fn event(&mut self, device: Option<DeviceKey>, kind: Kind, count: i64) {
        let device = device.map_or(0, |key| key.0);
        *self.events.entry((device, kind)).or_default() += count;
    }

    pub(crate) fn lost(&mut self, cause: Cause, count: i64) {
        let lost = self.lost.entry(cause).or_default();
        *lost = lost.saturating_add(count);
    }

    /// Adds it to what the file has.
    pub(crate) fn write(&self, file: &Connection) -> rusqlite::Result<()> {
        let mut add = file.prepare_cached(
            "INSERT INTO tally VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET events = events + excluded.events",
        )?;
        for ((device, kind), count) in &self.events {
            if *count != 0 {
                add.execute(params![device, kind.number(), count])?;
            }
        }
        let mut add = file.prepare_cached("UPDATE cause SET lost = lost + ?2 WHERE id = ?1")?;
        for (cause, count) in &self.lost {
            add.execute(params![cause.number(), count])?;
        }
        Ok(())
    }
}
