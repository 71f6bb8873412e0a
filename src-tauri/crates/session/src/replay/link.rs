//! A connection to a replayed device.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use radio::{
    AttError, AttrId, AttrKind, Attribute, Cap, DEFAULT_ATT_MTU, DeviceId, DisconnectReason, Error,
    GattDb, Handle, Interruption, Link, LinkState, MAX_ATTRIBUTE_LEN, NotifyMode, Properties,
    Result, Rssi, Sample, SampleKind, SampleSink, Timestamp, WriteKind,
};
use rusqlite::params;
use tokio::sync::watch;
use uuid::Uuid;

use super::player::{Core, blocking};
use super::{lock, without};
use crate::{DeviceKey, Session, gatt};

/// The head of a write command, in bytes (Core Specification, Vol 3, Part F, 3.4.5.3).
const ATT_HEAD: usize = 3;
/// How long a request may take (Core Specification, Vol 3, Part F, 3.3.3); the file may be on a disk that does not answer.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(30);

/// The device at the other end, as the player sees it.
pub(super) struct Peer {
    pub(super) key: DeviceKey,
    pub(super) mtu: watch::Sender<Option<u16>>,
    device: DeviceId,
    state: watch::Sender<LinkState>,
    gatt: watch::Sender<Arc<GattDb>>,
    /// Values are handed out under this lock, so that none comes once its sink has been taken away.
    flow: Mutex<Flow>,
}

struct Flow {
    table: Table,
    subscriptions: HashMap<Arc<str>, Subscription>,
}

struct Subscription {
    sink: Arc<dyn SampleSink>,
    /// Values lost since the last that was handed out.
    lost: u32,
    /// A value was handed out since the playback came here.
    heard: bool,
}

/// What a discovery found, with the path by which each attribute is known in every other.
struct Table {
    db: Arc<GattDb>,
    /// What makes it the same as another one.
    facts: Vec<(Arc<str>, AttrKind, Option<Handle>, Properties)>,
    ids: HashMap<Arc<str>, AttrId>,
}

impl Table {
    fn new(found: &[crate::Attribute]) -> Self {
        let db = gatt::table(found);
        let facts = facts(found);
        Self {
            ids: facts
                .iter()
                .zip(db.attributes())
                .map(|((path, ..), attribute)| (Arc::clone(path), attribute.id))
                .collect(),
            facts,
            db: Arc::new(db),
        }
    }

    fn path(&self, attribute: AttrId) -> Result<Arc<str>> {
        self.db.get(attribute)?;
        let facts = self.facts.get(usize::from(attribute.index));
        facts
            .map(|(path, ..)| Arc::clone(path))
            .ok_or(Error::StaleAttribute { attribute })
    }
}

fn facts(found: &[crate::Attribute]) -> Vec<(Arc<str>, AttrKind, Option<Handle>, Properties)> {
    found
        .iter()
        .map(|one| {
            (
                one.path.as_str().into(),
                one.kind,
                one.handle,
                one.properties,
            )
        })
        .collect()
}

impl Peer {
    pub(super) fn new(
        device: DeviceId,
        key: DeviceKey,
        found: &[crate::Attribute],
        mtu: Option<u16>,
    ) -> Self {
        let table = Table::new(found);
        Self {
            key,
            device,
            mtu: watch::Sender::new(mtu),
            state: watch::Sender::new(LinkState::Up),
            gatt: watch::Sender::new(Arc::clone(&table.db)),
            flow: Mutex::new(Flow {
                table,
                subscriptions: HashMap::new(),
            }),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        *self.state.borrow() == LinkState::Up
    }

    /// The link ends; nothing is handed out after this.
    pub(super) fn end(&self, reason: DisconnectReason) {
        let mut flow = lock(&self.flow);
        let subscriptions = std::mem::take(&mut flow.subscriptions);
        // Under the same lock: whoever subscribes finds it up and is ended with it, or finds it down.
        self.state.send_if_modified(|state| {
            let up = *state == LinkState::Up;
            if up {
                *state = LinkState::Down(reason);
            }
            up
        });
        drop(flow);
        drop(subscriptions);
    }

    pub(super) fn sample(&self, path: &str, at: Timestamp, kind: SampleKind, bytes: Bytes) {
        let mut flow = lock(&self.flow);
        let flow = &mut *flow;
        if let (Some(subscription), Some(attribute)) =
            (flow.subscriptions.get_mut(path), flow.table.ids.get(path))
        {
            subscription.heard = true;
            subscription.sink.sample(Sample {
                attribute: *attribute,
                at,
                lost_before: std::mem::take(&mut subscription.lost),
                kind,
                bytes,
            });
        }
    }

    pub(super) fn lost(&self, path: &str, count: u64) {
        if let Some(subscription) = lock(&self.flow).subscriptions.get_mut(path) {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            subscription.lost = subscription.lost.saturating_add(count);
        }
    }

    /// The playback goes on elsewhere in the recording: what comes does not follow what came.
    pub(super) fn jumped(&self, at: Timestamp) {
        let mut flow = lock(&self.flow);
        let Flow {
            table,
            subscriptions,
        } = &mut *flow;
        for (path, subscription) in subscriptions {
            // What was lost at one place is not lost before another.
            subscription.lost = 0;
            let heard = std::mem::take(&mut subscription.heard);
            if let Some(attribute) = table.ids.get(path).filter(|_| heard) {
                subscription.sink.interrupted(Interruption {
                    attribute: *attribute,
                    since: at,
                    until: Ok(at),
                });
            }
        }
    }

    /// Tells one subscription, or all, of a loss that nobody counted.
    pub(super) fn interrupted(&self, path: Option<&str>, since: Timestamp, until: Timestamp) {
        let flow = lock(&self.flow);
        for (of, subscription) in &flow.subscriptions {
            if let Some(attribute) = flow.table.ids.get(of)
                && path.is_none_or(|path| path == &**of)
            {
                subscription.sink.interrupted(Interruption {
                    attribute: *attribute,
                    since,
                    until: Ok(until),
                });
            }
        }
    }

    /// The device's services were read anew: other ones take the place of those that are known.
    pub(super) fn discovered(&self, found: &[crate::Attribute]) {
        let mut flow = lock(&self.flow);
        if flow.table.facts == facts(found) {
            return;
        }
        flow.table = Table::new(found);
        let Flow {
            table,
            subscriptions,
        } = &mut *flow;
        subscriptions.retain(|path, _| table.ids.contains_key(path));
        self.gatt.send_replace(Arc::clone(&table.db));
    }
}

pub(super) struct ReplayLink {
    core: Arc<Core>,
    peer: Arc<Peer>,
}

impl ReplayLink {
    pub(super) fn new(core: Arc<Core>, peer: Arc<Peer>) -> Self {
        Self { core, peer }
    }

    /// An attribute of this link and the path by which the recording knows it, while the link is up.
    fn attribute(&self, id: AttrId) -> Result<(Attribute, Arc<str>)> {
        let flow = lock(&self.peer.flow);
        let found = (flow.table.db.get(id)?.clone(), flow.table.path(id)?);
        drop(flow);
        if self.peer.is_up() {
            Ok(found)
        } else {
            Err(Error::NotConnected)
        }
    }

    fn end(&self) {
        self.peer.end(DisconnectReason::Requested);
        self.core.release(&self.peer);
    }
}

impl Drop for ReplayLink {
    fn drop(&mut self) {
        self.end();
    }
}

#[async_trait]
impl Link for ReplayLink {
    fn device(&self) -> &DeviceId {
        &self.peer.device
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.peer.state.subscribe()
    }

    fn mtu(&self) -> watch::Receiver<Option<u16>> {
        self.peer.mtu.subscribe()
    }

    fn gatt(&self) -> Arc<GattDb> {
        Arc::clone(&self.peer.gatt.borrow())
    }

    fn gatt_live(&self) -> Option<watch::Receiver<Arc<GattDb>>> {
        Some(self.peer.gatt.subscribe())
    }

    fn max_write(&self, attribute: AttrId, kind: WriteKind) -> Result<usize> {
        let gatt = self.gatt();
        offers_write(gatt.get(attribute)?, kind)?;
        let mtu = self.peer.mtu.borrow().unwrap_or(DEFAULT_ATT_MTU);
        Ok(match kind {
            WriteKind::WithResponse => MAX_ATTRIBUTE_LEN,
            WriteKind::WithoutResponse => {
                MAX_ATTRIBUTE_LEN.min(usize::from(mtu).saturating_sub(ATT_HEAD))
            }
        })
    }

    async fn read(&self, attribute: AttrId) -> Result<Bytes> {
        let (attribute, path) = self.attribute(attribute)?;
        let readable = match attribute.kind {
            AttrKind::Service => false,
            AttrKind::Characteristic => attribute.properties.contains(Properties::READ),
            AttrKind::Descriptor => true,
        };
        if !readable {
            return Err(Error::NotOffered { operation: "read" });
        }
        let (tape, key, head) = (Arc::clone(&self.core.tape), self.peer.key, self.core.head());
        let handle = attribute.handle;
        let ask = blocking(move || last_answer(&lock(&tape).session, key, &path, handle, head));
        let mut state = self.peer.state.subscribe();
        let answer = tokio::select! {
            biased;
            _ = state.wait_for(|state| *state != LinkState::Up) => Err(Error::NotConnected),
            answer = ask => answer,
            () = tokio::time::sleep(TRANSACTION_TIMEOUT) => Err(Error::TimedOut {
                operation: "Reading",
                after: TRANSACTION_TIMEOUT,
            }),
        }?;
        match answer {
            Some(answer) => answer.map_err(Error::Att),
            None => Err(Error::Unsupported {
                what: "Reading this value",
                reason: "The recording has no value of it up to this moment. Play on, or seek to a later time.",
            }),
        }
    }

    async fn write(&self, attribute: AttrId, value: Bytes, kind: WriteKind) -> Result<()> {
        let (attribute, _) = self.attribute(attribute)?;
        offers_write(&attribute, kind)?;
        let max = self.max_write(attribute.id, kind)?;
        if value.len() > max {
            return Err(Error::TooLong {
                len: value.len(),
                max,
            });
        }
        Err(Error::Unsupported {
            what: "Writing",
            reason: "A replay gives what was recorded and takes nothing. Go back to the radio, or to the simulated lab, to write.",
        })
    }

    async fn subscribe(
        &self,
        attribute: AttrId,
        mode: NotifyMode,
        sink: Arc<dyn SampleSink>,
    ) -> Result<()> {
        let (attribute, path) = self.attribute(attribute)?;
        offers(attribute.properties, mode)?;
        let subscription = Subscription {
            sink,
            lost: 0,
            heard: false,
        };
        let replaced = {
            let mut flow = lock(&self.peer.flow);
            // It may have ended meanwhile, and its subscriptions with it.
            if !self.peer.is_up() {
                return Err(Error::NotConnected);
            }
            flow.subscriptions.insert(path, subscription)
        };
        drop(replaced);
        Ok(())
    }

    async fn unsubscribe(&self, attribute: AttrId) -> Result<()> {
        let removed = {
            let mut flow = lock(&self.peer.flow);
            let path = flow.table.path(attribute)?;
            flow.subscriptions.remove(&path)
        };
        drop(removed);
        Ok(())
    }

    fn without(&self, cap: Cap) -> Error {
        without(cap)
    }

    async fn rssi(&self) -> Result<Rssi> {
        if !self.peer.is_up() {
            return Err(Error::NotConnected);
        }
        let told = self.core.told(self.peer.key);
        told.rssi.ok_or_else(|| without(Cap::LinkRssi))
    }

    async fn disconnect(&self) -> Result<()> {
        self.end();
        Ok(())
    }
}

fn offers_write(attribute: &Attribute, kind: WriteKind) -> Result<()> {
    let (operation, property) = match kind {
        WriteKind::WithResponse => ("write", Properties::WRITE),
        WriteKind::WithoutResponse => {
            ("write without response", Properties::WRITE_WITHOUT_RESPONSE)
        }
    };
    let offers = match attribute.kind {
        AttrKind::Service => false,
        AttrKind::Characteristic => attribute.properties.contains(property),
        AttrKind::Descriptor => kind == WriteKind::WithResponse,
    };
    if offers {
        Ok(())
    } else {
        Err(Error::NotOffered { operation })
    }
}

/// Whether a mode can be subscribed to: one that a characteristic does not have, or that would be a choice, cannot.
fn offers(properties: Properties, mode: NotifyMode) -> Result<()> {
    let notifies = properties.contains(Properties::NOTIFY);
    let indicates = properties.contains(Properties::INDICATE);
    match mode {
        NotifyMode::System if notifies || indicates => Ok(()),
        NotifyMode::System => Err(Error::NotOffered {
            operation: "notify or indicate",
        }),
        NotifyMode::Notify if !notifies => Err(Error::NotOffered {
            operation: "notify",
        }),
        NotifyMode::Indicate if !indicates => Err(Error::NotOffered {
            operation: "indicate",
        }),
        _ if notifies && indicates => Err(without(Cap::ChooseNotifyMode)),
        _ => Ok(()),
    }
}

/// The last value of an attribute that came up to event `head`, or the ATT error that came in its place.
fn last_answer(
    session: &Session,
    device: DeviceKey,
    path: &str,
    handle: Option<Handle>,
    head: i64,
) -> crate::Result<Option<Result<Bytes, AttError>>> {
    let generations = session.all(
        "SELECT a.id FROM attribute AS a JOIN link AS l ON l.id = a.link
          WHERE l.device = ?1 AND (a.path = ?2 OR a.uuid = ?3 AND a.handle = ?4)",
        params![
            device.0,
            path,
            // What a capture knows by its handle alone.
            Uuid::nil().to_string(),
            handle.map(|handle| handle.0)
        ],
        |row| row.get::<_, i64>(0),
    )?;
    let mut last: Option<(i64, Result<Bytes, AttError>)> = None;
    for attribute in generations {
        let found = session.all(
            &format!(
                "SELECT id, value, status FROM event
                  WHERE attribute = ?1 AND id <= ?2 AND kind IN (21, 30, 31, 32)
                    AND (length(value) <= {MAX_ATTRIBUTE_LEN}
                         OR value IS NULL AND status BETWEEN 1 AND 255)
                  ORDER BY id DESC LIMIT 1"
            ),
            [attribute, head],
            |row| {
                let value = row.get_ref(1)?.as_blob_or_null()?;
                let refused = row.get::<_, Option<u8>>(2)?.unwrap_or_default();
                Ok((
                    row.get(0)?,
                    match value {
                        Some(value) => Ok(Bytes::copy_from_slice(value)),
                        None => Err(AttError(refused)),
                    },
                ))
            },
        )?;
        for answer in found {
            if last.as_ref().is_none_or(|(id, _)| *id < answer.0) {
                last = Some(answer);
            }
        }
    }
    Ok(last.map(|(_, answer)| answer))
}
