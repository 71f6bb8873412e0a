//! What a recording says, read ahead of the playback, page by page, where waiting for the disk holds nobody up.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use radio::{
    Advertisement, AttrId, AttrKind, DeviceId, DisconnectReason, Generation, Handle,
    MAX_ATTRIBUTE_LEN, Rssi, SampleKind,
};
use rusqlite::types::ValueRef;
use tokio::task::JoinHandle;

use super::lock;
use crate::advertisement::Report;
use crate::reader::{attr_id, text};
use crate::{
    Attribute, Cause, DeviceKey, Discovery, Error, Filter, Kind, Result, Session, SessionTime,
};

/// How many events are read at once. Two such pages are in memory at most: with values of
/// [`MAX_ATTRIBUTE_LEN`] bytes that is a megabyte.
const PAGE: usize = 1024;
/// After how many bytes of advertisements a page ends: two pages of them are in memory at most, too, and one
/// advertisement more in each.
const BUDGET: usize = 1 << 20;
/// The longest reason for the end of a link that is told, in bytes.
const MAX_REASON: usize = 1 << 10;
/// How long a file is left alone that somebody else has locked for longer than SQLite waits.
const LOCKED: Duration = Duration::from_millis(50);
/// How many numbers are looked through for a page, so that a seek need not wait for a long stretch of other events.
const WINDOW: i64 = 1 << 16;
/// The kinds of events that are something to the playback.
const PLAYED: &str = "1, 13, 14, 15, 16, 21, 30, 31, 32, 43";
/// How many discoveries are kept to tell what an event belongs to; then they are read anew.
const KNOWN: usize = 64;

/// Something that is to be played.
pub(super) struct Item {
    /// The number of its event.
    pub(super) id: i64,
    /// When it happened.
    pub(super) at: SessionTime,
    pub(super) what: What,
}

pub(super) enum What {
    /// A report, not stamped yet.
    Advertisement(Box<Advertisement>),
    Value {
        whose: Whose,
        kind: SampleKind,
        bytes: Bytes,
    },
    /// Values were lost before the next one.
    Lost {
        whose: Whose,
        count: u64,
    },
    /// Values may have been lost: of one attribute, or of every one.
    Interrupted {
        whose: Option<Whose>,
        /// Whether it is what the end of a link leaves behind.
        by_end: bool,
        from: SessionTime,
        to: SessionTime,
    },
    Discovered {
        device: DeviceKey,
        found: Arc<Vec<Attribute>>,
    },
    Mtu {
        device: DeviceKey,
        mtu: u16,
    },
    Rssi {
        device: DeviceKey,
        rssi: Rssi,
    },
    Down {
        device: DeviceKey,
        reason: DisconnectReason,
    },
    /// A read was answered: it can be read from here on.
    Answered,
    /// It cannot be told: longer than anything on the air, or damaged.
    Unreadable,
}

/// An attribute, whichever discovery found it.
#[derive(Clone)]
pub(super) struct Whose {
    pub(super) device: DeviceKey,
    pub(super) path: Arc<str>,
}

/// What the file says of a discovery.
struct Known {
    found: Arc<Vec<Attribute>>,
    paths: HashMap<AttrId, Whose>,
}

/// What a page is read from. One thread at a time has it.
pub(super) struct Tape {
    pub(super) session: Session,
    devices: HashMap<DeviceKey, DeviceId>,
    discoveries: HashMap<i64, Generation>,
    with_services: HashMap<DeviceKey, Vec<Discovery>>,
    known: HashMap<Generation, Known>,
    /// The last event that is played: a recording may go on while it is played.
    last: i64,
}

/// A page, and up to where it goes.
struct Page {
    items: Vec<Item>,
    upto: i64,
    damage: Option<String>,
    /// Somebody else has the file for themselves; it is to be asked again.
    locked: bool,
}

impl Page {
    fn upto(upto: i64) -> Self {
        Self {
            items: Vec::new(),
            upto,
            damage: None,
            locked: false,
        }
    }
}

impl Tape {
    pub(super) fn new(
        session: Session,
        with_services: HashMap<DeviceKey, Vec<Discovery>>,
    ) -> Result<Self> {
        let devices = session.devices()?.into_iter();
        let devices = devices
            .map(|device| (device.key, DeviceId::from(device.identifier)))
            .collect();
        let discoveries = session.discoveries()?;
        let last = session.events(&Filter::default())?.last_number();
        Ok(Self {
            session,
            devices,
            discoveries,
            with_services,
            known: HashMap::new(),
            last,
        })
    }

    /// The number before the first event that is not before `at`.
    fn before(&self, at: SessionTime) -> Result<i64> {
        let (first, _) = self.session.range(at.nanos(), i64::MAX)?;
        let found = self.session.all(
            "SELECT id - 1 FROM event WHERE id >= ?1 AND t_ns >= ?2 ORDER BY id LIMIT 1",
            [first, at.0],
            |row| row.get(0),
        )?;
        Ok(found.first().copied().unwrap_or(self.last))
    }

    fn page(&mut self, after: i64) -> Page {
        let mut limit = PAGE;
        loop {
            let mut items = Vec::new();
            match self.read(after, limit, &mut items) {
                Ok(upto) => {
                    return Page {
                        items,
                        ..Page::upto(upto)
                    };
                }
                Err(Error::Locked { .. }) => {
                    return Page {
                        locked: true,
                        ..Page::upto(after)
                    };
                }
                // What stands before the damage is played.
                Err(_) if limit > 1 => limit /= 2,
                Err(error) => {
                    return match self.broken(after) {
                        // What stands behind it, too.
                        Some(item) => Page {
                            upto: item.id,
                            items: vec![item],
                            ..Page::upto(after)
                        },
                        None => Page {
                            damage: Some(error.to_string()),
                            ..Page::upto(self.last)
                        },
                    };
                }
            }
        }
    }

    /// The event after a number, if it is in the file but not as it was written.
    fn broken(&self, after: i64) -> Option<Item> {
        let found = self.session.all(
            &format!(
                "SELECT id, t_ns FROM event WHERE id > ?1 AND id <= ?2 AND kind IN ({PLAYED})
                  ORDER BY id LIMIT 1"
            ),
            [after, self.last],
            |row| {
                Ok(Item {
                    id: row.get(0)?,
                    at: SessionTime(row.get(1)?),
                    what: What::Unreadable,
                })
            },
        );
        found.ok()?.pop()
    }

    /// Reads at most `limit` events after a number. Gives the number up to which there are no others.
    fn read(&mut self, after: i64, limit: usize, items: &mut Vec<Item>) -> Result<i64> {
        let upto = match self.session.is_cut_off() {
            // Nobody knows where it ends but by reading.
            true => self.last,
            false => self.last.min(after.saturating_add(WINDOW)),
        };
        let mut rows = self.session.all(
            &format!(
                "SELECT e.id, e.t_ns, e.kind, e.device, l.device, e.attribute,
                        CASE WHEN length(e.value) <= {MAX_ATTRIBUTE_LEN} THEN e.value END,
                        e.number, CASE WHEN length(e.detail) <= {MAX_REASON} THEN e.detail END
                   FROM event AS e LEFT JOIN link AS l ON l.id = e.link
                  WHERE e.id > ?1 AND e.id <= ?2
                    AND e.kind IN ({PLAYED})
                  ORDER BY e.id LIMIT {limit}"
            ),
            [after, upto],
            row,
        )?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(upto);
        };
        let upto = if rows.len() == limit { last.id } else { upto };
        let (mut reports, full) = self.session.reports(first.id, last.id, BUDGET)?;
        let upto = full.unwrap_or(upto);
        rows.retain(|row| row.id <= upto);
        for row in rows {
            let what = self.what(&row, &mut reports)?;
            items.extend(what.map(|what| Item {
                id: row.id,
                at: row.at,
                what,
            }));
        }
        Ok(upto)
    }

    /// What an event is to the playback, if anything.
    fn what(&mut self, row: &Row, reports: &mut HashMap<i64, Report>) -> Result<Option<What>> {
        let Some(kind) = Kind::from_number(row.kind) else {
            return Ok(None);
        };
        let unreadable = Ok(Some(What::Unreadable));
        let device = row.device;
        Ok(match kind {
            Kind::Advertisement => {
                let report = reports.remove(&row.id).filter(|report| !report.broken);
                let id = device.and_then(|device| self.devices.get(&device));
                match (id, report) {
                    (Some(id), Some(report)) => {
                        let rssi = row.number.and_then(|rssi| i16::try_from(rssi).ok());
                        let mut advertisement = report.advertisement(id.clone());
                        advertisement.rssi = rssi.map(Rssi);
                        Some(What::Advertisement(Box::new(advertisement)))
                    }
                    _ => return unreadable,
                }
            }
            Kind::Notification | Kind::Indication | Kind::NotificationOrIndication => {
                let (Some(whose), Some(bytes)) = (self.whose(row.attribute)?, &row.value) else {
                    return unreadable;
                };
                Some(What::Value {
                    whose,
                    bytes: bytes.clone(),
                    kind: match kind {
                        Kind::Notification => SampleKind::Notification,
                        Kind::Indication => SampleKind::Indication,
                        _ => SampleKind::NotificationOrIndication,
                    },
                })
            }
            Kind::ReadResult => Some(What::Answered),
            Kind::Gap => self.gap(row)?,
            Kind::Discovered => {
                let (Some(device), Some(generation)) = (device, self.discoveries.get(&row.id))
                else {
                    return Ok(None);
                };
                let generation = *generation;
                let found = Arc::clone(&self.known(generation)?.found);
                let services = found.iter().any(|one| one.kind == AttrKind::Service);
                services.then_some(What::Discovered { device, found })
            }
            Kind::Mtu => device
                .zip(row.number.and_then(|mtu| u16::try_from(mtu).ok()))
                .map(|(device, mtu)| What::Mtu { device, mtu }),
            Kind::Rssi => device
                .zip(row.number.and_then(|rssi| i16::try_from(rssi).ok()))
                .map(|(device, rssi)| What::Rssi {
                    device,
                    rssi: Rssi(rssi),
                }),
            // Whoever recorded it ended the link; who watches the replay has not.
            Kind::Disconnected if row.number == Some(0) => None,
            Kind::Disconnected => device.map(|device| What::Down {
                device,
                reason: DisconnectReason::Remote(match row.number {
                    Some(2) => Some("the adapter of the recording went off or away".into()),
                    _ => row.detail.clone(),
                }),
            }),
            _ => None,
        })
    }

    fn gap(&mut self, row: &Row) -> Result<Option<What>> {
        let Some(gap) = self.session.gap(row.id)? else {
            return Ok(None);
        };
        let whose = self.whose(row.attribute)?;
        Ok(match (gap.cause, whose) {
            // The values themselves show what their device's counter skipped.
            (Cause::DeviceSequence, _) => None,
            (Cause::HostQueue | Cause::Gattscope, Some(whose)) => Some(What::Lost {
                whose,
                count: gap.count,
            }),
            (cause, whose) => Some(What::Interrupted {
                whose,
                by_end: cause == Cause::LinkDown,
                from: gap.from,
                to: gap.to,
            }),
        })
    }

    /// Which attribute of which device, whatever the discovery.
    fn whose(&mut self, attribute: Option<AttrId>) -> Result<Option<Whose>> {
        let Some(attribute) = attribute else {
            return Ok(None);
        };
        let known = self.known(attribute.generation)?;
        Ok(known.paths.get(&attribute).cloned())
    }

    fn known(&mut self, generation: Generation) -> Result<&Known> {
        if self.known.len() >= KNOWN && !self.known.contains_key(&generation) {
            self.known.clear();
        }
        let (found, by_handle) = match self.known.contains_key(&generation) {
            true => Default::default(),
            false => {
                let found = self.session.attributes_of(generation)?;
                let by_handle = self.by_handle(generation, &found)?;
                (found, by_handle)
            }
        };
        Ok(self.known.entry(generation).or_insert_with(|| Known {
            paths: found
                .iter()
                .map(|one| {
                    let elsewhere = one.handle.filter(|_| one.uuid.is_nil());
                    let elsewhere = elsewhere.and_then(|handle| by_handle.get(&handle));
                    let whose = Whose {
                        device: one.device,
                        path: elsewhere.unwrap_or(&one.path).as_str().into(),
                    };
                    (one.id, whose)
                })
                .collect(),
            found: Arc::new(found),
        }))
    }

    /// Where a capture knows handles alone, because the other end remembered the services: what the discovery before, or
    /// the first, found at these handles.
    fn by_handle(
        &self,
        generation: Generation,
        found: &[Attribute],
    ) -> Result<HashMap<Handle, String>> {
        let device = found.iter().find(|one| one.uuid.is_nil());
        let discoveries = device.and_then(|one| self.with_services.get(&one.device));
        let before = discoveries.and_then(|all| {
            let before = all.iter().rfind(|one| one.generation < generation);
            before.or(all.first())
        });
        let Some(before) = before else {
            return Ok(HashMap::new());
        };
        let known = self.session.attributes_of(before.generation)?.into_iter();
        Ok(known
            .filter(|one| !one.uuid.is_nil())
            .filter_map(|one| Some((one.handle?, one.path)))
            .collect())
    }
}

/// A row of the event table.
struct Row {
    id: i64,
    at: SessionTime,
    kind: i64,
    device: Option<DeviceKey>,
    attribute: Option<AttrId>,
    value: Option<Bytes>,
    number: Option<i64>,
    detail: Option<String>,
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let own: Option<u32> = row.get(3)?;
    let of_link: Option<u32> = row.get(4)?;
    Ok(Row {
        id: row.get(0)?,
        at: SessionTime(row.get(1)?),
        kind: row.get(2)?,
        device: own.or(of_link).map(DeviceKey),
        attribute: match row.get_ref(5)? {
            ValueRef::Null => None,
            _ => Some(attr_id(row, 5)?),
        },
        value: row
            .get_ref(6)?
            .as_blob_or_null()?
            .map(Bytes::copy_from_slice),
        number: row.get(7)?,
        detail: text(row.get_ref(8)?),
    })
}

/// What comes next, and the page after it on its way.
pub(super) struct Ahead {
    tape: Arc<Mutex<Tape>>,
    next: VecDeque<Item>,
    /// Up to which event everything is in `next` or was.
    upto: i64,
    last: i64,
    coming: Option<JoinHandle<Page>>,
    damage: Option<String>,
}

impl Ahead {
    pub(super) fn new(tape: Arc<Mutex<Tape>>) -> Self {
        let last = lock(&tape).last;
        Self {
            tape,
            next: VecDeque::new(),
            upto: 0,
            last,
            coming: None,
            damage: None,
        }
    }

    /// What comes next; `None` at the end, or if [`fill`](Self::fill) comes first.
    pub(super) fn peek(&self) -> Option<&Item> {
        self.next.front()
    }

    pub(super) fn take(&mut self) -> Option<Item> {
        self.next.pop_front()
    }

    /// Whether everything was taken.
    pub(super) fn is_over(&self) -> bool {
        self.next.is_empty() && self.coming.is_none() && self.upto >= self.last
    }

    /// What kept from reading to the end.
    pub(super) fn damage(&mut self) -> Option<String> {
        self.damage.take()
    }

    /// Reads on where little is left; waits only if nothing is.
    pub(super) async fn fill(&mut self) {
        if self.coming.is_none() && self.next.len() < PAGE / 2 && self.upto < self.last {
            let (tape, after) = (Arc::clone(&self.tape), self.upto);
            // A test's clock stands still for as long as this takes.
            let page = tokio::task::spawn_blocking(move || lock(&tape).page(after));
            self.coming = Some(page);
        }
        if !self.next.is_empty() {
            return;
        }
        let Some(coming) = &mut self.coming else {
            return;
        };
        // Whoever gives the waiting up finds the page still on its way.
        let page = coming.await;
        self.coming = None;
        match page {
            Ok(page) => {
                self.next.extend(page.items);
                self.upto = page.upto;
                self.damage = page.damage;
                if page.locked {
                    tokio::time::sleep(LOCKED).await;
                }
            }
            Err(error) => {
                self.upto = self.last;
                self.damage = Some(format!("the recording was not read on: {error}"));
            }
        }
    }

    /// Goes on with the first event that is not before `at`. Gives the number before it.
    pub(super) async fn seek(&mut self, at: SessionTime) -> i64 {
        self.coming = None;
        self.next.clear();
        let found = loop {
            let tape = Arc::clone(&self.tape);
            let found = tokio::task::spawn_blocking(move || lock(&tape).before(at)).await;
            match found {
                Ok(Err(Error::Locked { .. })) => tokio::time::sleep(LOCKED).await,
                found => break found,
            }
        };
        match found {
            Ok(Ok(before)) => self.upto = before,
            Ok(Err(error)) => {
                self.upto = self.last;
                self.damage = Some(error.to_string());
            }
            Err(error) => {
                self.upto = self.last;
                self.damage = Some(format!("the recording was not read on: {error}"));
            }
        }
        self.upto
    }
}
