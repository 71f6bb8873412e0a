//! Writing a session that was not recorded here: rows as they come, in one file without a log.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use radio::{Advertisement, AttrId, AttrKind, Handle, Properties};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::event::Columns;
use crate::recorder::{insert_advertisement, insert_anchor, lay_out};
use crate::tally::Tally;
use crate::{Anchor, Cause, DeviceKey, Error, LinkKey, Result, SessionTime};

/// How many events are committed together; their times are looked up together, too.
const BATCH: i64 = 4096;

/// An attribute as a row has it.
#[derive(Clone)]
pub(super) struct NewAttribute {
    pub(super) id: AttrId,
    pub(super) link: LinkKey,
    pub(super) kind: AttrKind,
    pub(super) uuid: Uuid,
    pub(super) handle: Option<Handle>,
    pub(super) parent: Option<AttrId>,
    pub(super) properties: Properties,
}

/// What the others of a discovery must know of an attribute.
struct Told {
    path: String,
    kind: AttrKind,
    uuid: Uuid,
    service: Option<Uuid>,
}

/// A session file that is being made.
pub(super) struct Store {
    file: Connection,
    /// The name that errors say.
    target: PathBuf,
    next: i64,
    /// The first event of the batch, and its times.
    first: i64,
    min: i64,
    max: i64,
    latest: i64,
    tally: Tally,
    attributes: HashMap<AttrId, Told>,
    /// How many there are of each path of a discovery.
    equals: HashMap<(u32, String), u32>,
}

impl Store {
    /// Makes a session that starts at `anchor` out of the empty file at `place`.
    pub(super) fn create(target: &Path, place: &Path, anchor: Anchor) -> Result<Self> {
        let make = || {
            let mut file = Connection::open(place)?;
            // It is worth nothing before it is whole.
            file.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;
                 PRAGMA cache_size = -16000;",
            )?;
            lay_out(&mut file, "Gattscope", anchor)?;
            file.execute_batch("BEGIN")?;
            Ok(file)
        };
        Ok(Self {
            file: make().map_err(|error| Error::sqlite(target, &error))?,
            target: target.to_owned(),
            next: 1,
            first: 1,
            min: i64::MAX,
            max: i64::MIN,
            latest: 0,
            tally: Tally::default(),
            attributes: HashMap::new(),
            equals: HashMap::new(),
        })
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<()> {
        let run = || self.file.prepare_cached(sql)?.execute(params);
        match run() {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::sqlite(&self.target, &error)),
        }
    }

    /// How many events there are.
    pub(super) fn events(&self) -> u64 {
        u64::try_from(self.next - 1).unwrap_or(0)
    }

    pub(super) fn anchor(&self, anchor: Anchor) -> Result<()> {
        insert_anchor(&self.file, anchor).map_err(|error| Error::sqlite(&self.target, &error))
    }

    pub(super) fn device(&self, key: DeviceKey, id: &str, at: SessionTime) -> Result<()> {
        self.execute(
            "INSERT INTO device VALUES (?1, ?2, NULL, ?3)",
            params![key.0, id, at.0],
        )
    }

    pub(super) fn device_name(&self, key: DeviceKey, name: &str) -> Result<()> {
        self.execute(
            "UPDATE device SET name = ?2 WHERE id = ?1",
            params![key.0, name],
        )
    }

    pub(super) fn link(&self, key: LinkKey, device: DeviceKey, at: SessionTime) -> Result<()> {
        self.execute(
            "INSERT INTO link (id, device, up_ns) VALUES (?1, ?2, ?3)",
            params![key.0, device.0, at.0],
        )
    }

    pub(super) fn link_down(&self, key: LinkKey, at: SessionTime) -> Result<()> {
        self.execute(
            "UPDATE link SET down_ns = ?2 WHERE id = ?1",
            params![key.0, at.0],
        )
    }

    /// Whether an attribute has its row.
    pub(super) fn knows(&self, id: AttrId) -> bool {
        self.attributes.contains_key(&id)
    }

    /// Writes an attribute, after its parent; one that is there stays as it is.
    pub(super) fn attribute(&mut self, new: &NewAttribute) -> Result<()> {
        if self.knows(new.id) {
            return Ok(());
        }
        let parent = new.parent.and_then(|parent| self.attributes.get(&parent));
        let mut path = match parent {
            Some(parent) => format!("{}/{}", parent.path, new.uuid),
            None => new.uuid.to_string(),
        };
        let (service, characteristic) = match new.kind {
            AttrKind::Service => (Some(new.uuid), None),
            AttrKind::Characteristic => (parent.map(|parent| parent.uuid), Some(new.uuid)),
            AttrKind::Descriptor => (
                parent.and_then(|parent| parent.service),
                parent
                    .filter(|parent| parent.kind == AttrKind::Characteristic)
                    .map(|parent| parent.uuid),
            ),
        };
        let number = self
            .equals
            .entry((new.id.generation.0, path.clone()))
            .or_default();
        path.push_str(&format!("#{number}"));
        *number += 1;
        self.execute(
            "INSERT INTO attribute VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                new.id.to_u64().cast_signed(),
                new.link.0,
                match new.kind {
                    AttrKind::Service => 1,
                    AttrKind::Characteristic => 2,
                    AttrKind::Descriptor => 3,
                },
                new.uuid.to_string(),
                new.handle.map(|handle| handle.0),
                new.parent.map(|parent| parent.to_u64().cast_signed()),
                new.properties.0,
                service.map(|uuid| uuid.to_string()),
                characteristic.map(|uuid| uuid.to_string()),
                path,
            ],
        )?;
        let told = Told {
            path,
            kind: new.kind,
            uuid: new.uuid,
            service,
        };
        self.attributes.insert(new.id, told);
        Ok(())
    }

    /// Writes an event and gives its number.
    pub(super) fn event(&mut self, at: SessionTime, row: &Columns<'_>) -> Result<i64> {
        let id = self.next;
        self.execute(
            "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                id,
                at.0,
                row.kind.number(),
                row.device.map(|key| key.0),
                row.link.map(|key| key.0),
                row.attribute.map(|id| id.to_u64().cast_signed()),
                row.value,
                row.status,
                row.number,
                row.detail.as_deref(),
            ],
        )?;
        self.next += 1;
        self.tally.event(row.device, row.kind, 1);
        self.min = self.min.min(at.0);
        self.max = self.max.max(at.0);
        self.latest = self.latest.max(at.0);
        if self.next - self.first >= BATCH {
            self.commit()?;
            self.execute("BEGIN", [])?;
        }
        Ok(id)
    }

    pub(super) fn advertisement(&self, event: i64, report: &Advertisement) -> Result<()> {
        insert_advertisement(&self.file, event, report)
            .map_err(|error| Error::sqlite(&self.target, &error))
    }

    pub(super) fn gap(
        &mut self,
        event: i64,
        cause: Cause,
        count: i64,
        from: SessionTime,
        to: SessionTime,
    ) -> Result<()> {
        self.tally.lost(cause, count);
        self.execute(
            "INSERT INTO gap VALUES (?1, ?2, ?3, ?4, ?5)",
            params![event, cause.number(), count, from.0, to.0],
        )
    }

    fn commit(&mut self) -> Result<()> {
        if self.next > self.first {
            self.execute(
                "INSERT INTO batch VALUES (?1, ?2, ?3, ?4)",
                params![self.first, self.next - 1, self.min, self.max],
            )?;
            std::mem::take(&mut self.tally)
                .write(&self.file)
                .map_err(|error| Error::sqlite(&self.target, &error))?;
        }
        self.first = self.next;
        (self.min, self.max) = (i64::MAX, i64::MIN);
        self.execute("COMMIT", [])
    }

    /// Ends the session, made of the file called `source`; says how many events it has.
    pub(super) fn finish(mut self, source: &str) -> Result<u64> {
        self.execute(
            "UPDATE session SET ended_ns = ?1, kept = 1, source = ?2",
            params![self.latest, source],
        )?;
        self.commit()?;
        let events = self.events();
        let target = self.target;
        self.file
            .close()
            .map_err(|(_, error)| Error::sqlite(&target, &error))?;
        Ok(events)
    }
}
