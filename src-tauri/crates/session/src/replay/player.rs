//! The player: hands out what lies at the position, and moves it on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use radio::{
    AdapterId, AdapterInfo, Advertisement, AdvertisementSink, Clock, DeviceId, Error, RadioState,
    Rssi, Timestamp,
};
use tokio::sync::watch;
use uuid::Uuid;

use super::ahead::{Ahead, Item, Tape, What};
use super::link::{Peer, ReplayLink};
use super::transport::{Shared, Transport, Wish};
use super::{GONE, lock};
use crate::{DeviceKey, Discovery, Kind, Result, Session, SessionTime};

/// How many events are handed out before others get a turn.
const IN_A_ROW: u32 = 128;

pub(super) struct Scan {
    /// The radio that scans.
    pub(super) owner: Arc<()>,
    pub(super) services: Vec<Uuid>,
    pub(super) sink: Arc<dyn AdvertisementSink>,
}

impl Scan {
    fn hears(&self, report: &Advertisement) -> bool {
        self.services.is_empty()
            || report
                .services
                .iter()
                .any(|service| self.services.contains(service))
    }
}

/// What a replay is made of.
pub(super) struct Core {
    pub(super) adapter: AdapterInfo,
    pub(super) state: watch::Sender<RadioState>,
    pub(super) scan: Mutex<Option<Scan>>,
    pub(super) tape: Arc<Mutex<Tape>>,
    shared: Arc<Shared>,
    devices: HashMap<DeviceId, DeviceKey>,
    discoveries: HashMap<DeviceKey, Vec<Discovery>>,
    /// Devices that were connected in the recording, with their names.
    connectable: Vec<(DeviceId, Option<String>)>,
    /// Steps go from one value to the next.
    has_values: bool,
    /// The last event that was handed out.
    head: AtomicI64,
    links: Mutex<HashMap<DeviceKey, Slot>>,
    told: Mutex<HashMap<DeviceKey, Told>>,
}

/// A device that somebody is connected to, or connecting.
enum Slot {
    Connecting,
    Up(Arc<Peer>),
}

/// What the recording said of a device so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Told {
    pub(super) mtu: Option<u16>,
    pub(super) rssi: Option<Rssi>,
    /// When its link ended last.
    down: Option<SessionTime>,
}

impl Core {
    pub(super) fn new(clock: Clock, session: Session, name: &str) -> Result<Self> {
        let info = session.info()?;
        let length = info.ended.max(info.last).unwrap_or_default();
        let has_values = session.counts()?.iter().any(|count| {
            matches!(
                count.kind,
                Kind::Notification | Kind::Indication | Kind::NotificationOrIndication
            )
        });
        let mut discoveries: HashMap<DeviceKey, Vec<Discovery>> = HashMap::new();
        for discovery in session.discovered()? {
            discoveries
                .entry(discovery.device)
                .or_default()
                .push(discovery);
        }
        let known = session.devices()?;
        let connectable = known
            .iter()
            .filter(|device| discoveries.contains_key(&device.key))
            .map(|device| {
                (
                    DeviceId::from(device.identifier.as_str()),
                    device.name.clone(),
                )
            })
            .collect();
        let stem = session.path().file_stem().unwrap_or_default();
        Ok(Self {
            adapter: AdapterInfo {
                id: AdapterId(stem.to_string_lossy().into()),
                name: format!("Replay: {name}"),
                address: None,
                state: RadioState::On,
            },
            state: watch::Sender::new(RadioState::On),
            scan: Mutex::default(),
            shared: Arc::new(Shared::new(clock, length)),
            devices: known
                .into_iter()
                .map(|device| (DeviceId::from(device.identifier), device.key))
                .collect(),
            tape: Arc::new(Mutex::new(Tape::new(session, discoveries.clone())?)),
            discoveries,
            connectable,
            has_values,
            head: AtomicI64::new(0),
            links: Mutex::default(),
            told: Mutex::default(),
        })
    }

    pub(super) fn transport(&self) -> Transport {
        Transport {
            shared: Arc::clone(&self.shared),
        }
    }

    pub(super) fn usable(&self) -> radio::Result<()> {
        match *self.state.borrow() {
            RadioState::On => Ok(()),
            _ => Err(Error::NoAdapter {
                id: self.adapter.id.to_string(),
            }),
        }
    }

    /// Nothing is played any more.
    pub(super) fn gone(&self) {
        self.state.send_replace(RadioState::Gone);
        lock(&self.scan).take();
        for peer in self.peers() {
            peer.end(GONE);
        }
    }

    pub(super) fn connectable(&self) -> Vec<(DeviceId, Option<String>)> {
        self.connectable.clone()
    }

    /// The last event that was handed out.
    pub(super) fn head(&self) -> i64 {
        self.head.load(Relaxed)
    }

    pub(super) fn told(&self, device: DeviceKey) -> Told {
        lock(&self.told).get(&device).copied().unwrap_or_default()
    }

    fn peers(&self) -> Vec<Arc<Peer>> {
        let links = lock(&self.links);
        let up = links.values().filter_map(|slot| match slot {
            Slot::Up(peer) => Some(Arc::clone(peer)),
            Slot::Connecting => None,
        });
        up.collect()
    }

    fn peer(&self, device: DeviceKey) -> Option<Arc<Peer>> {
        match lock(&self.links).get(&device) {
            Some(Slot::Up(peer)) => Some(Arc::clone(peer)),
            _ => None,
        }
    }

    /// The link of a device is down: another may come up.
    pub(super) fn release(&self, peer: &Peer) {
        let mut links = lock(&self.links);
        if let Some(Slot::Up(up)) = links.get(&peer.key)
            && std::ptr::eq(Arc::as_ptr(up), peer)
        {
            links.remove(&peer.key);
        }
    }

    pub(super) async fn connect(
        this: &Arc<Self>,
        device: &DeviceId,
    ) -> radio::Result<Arc<ReplayLink>> {
        let unknown = || Error::UnknownDevice {
            device: device.to_string(),
        };
        let key = *this.devices.get(device).ok_or_else(unknown)?;
        let position = this.transport().state().position;
        let found = this.discoveries.get(&key).and_then(|discoveries| {
            let so_far = discoveries.iter().rfind(|one| one.at <= position);
            so_far.or(discoveries.first())
        });
        let generation = found.map(|found| found.generation).ok_or(Error::Unsupported {
            what: "Connecting to this device",
            reason: "The recording holds no discovery of its services: nobody was connected to it.",
        })?;
        let reservation = Reservation::of(this, key)?;
        let tape = Arc::clone(&this.tape);
        let found = blocking(move || lock(&tape).session.attributes_of(generation)).await?;
        let told = this.told(key);
        let peer = Arc::new(Peer::new(device.clone(), key, &found, told.mtu));
        reservation.up(Arc::clone(&peer));
        let link = Arc::new(ReplayLink::new(Arc::clone(this), peer));
        // It may have gone meanwhile; dropping the link ends it.
        this.usable()?;
        Ok(link)
    }

    /// Hands out one event, stamped with `at`.
    fn hand_out(&self, item: Item, at: Timestamp) {
        match item.what {
            What::Advertisement(mut report) => {
                let scan = lock(&self.scan);
                if let Some(scan) = scan.as_ref().filter(|scan| scan.hears(&report)) {
                    report.at = at;
                    scan.sink.advertisement(*report);
                }
            }
            What::Value { whose, kind, bytes } => {
                if let Some(peer) = self.peer(whose.device) {
                    peer.sample(&whose.path, at, kind, bytes);
                }
            }
            What::Lost { whose, count } => {
                if let Some(peer) = self.peer(whose.device) {
                    peer.lost(&whose.path, count);
                }
            }
            What::Interrupted {
                whose,
                by_end,
                from,
                to,
            } => {
                // The end of a link leaves its own gap behind wherever it is played.
                let ended = whose.as_ref().is_some_and(|whose| {
                    let down = self.told(whose.device).down;
                    by_end && down.is_some_and(|down| (from..=to).contains(&down))
                });
                if ended {
                    return;
                }
                let (since, until) = (self.shared.stamp(from), self.shared.stamp(to));
                match whose {
                    Some(whose) => {
                        if let Some(peer) = self.peer(whose.device) {
                            peer.interrupted(Some(&whose.path), since, until);
                        }
                    }
                    None => {
                        for peer in self.peers() {
                            peer.interrupted(None, since, until);
                        }
                    }
                }
            }
            What::Discovered { device, found } => {
                if let Some(peer) = self.peer(device) {
                    peer.discovered(&found);
                }
            }
            What::Mtu { device, mtu } => {
                lock(&self.told).entry(device).or_default().mtu = Some(mtu);
                if let Some(peer) = self.peer(device) {
                    peer.mtu.send_replace(Some(mtu));
                }
            }
            What::Rssi { device, rssi } => {
                lock(&self.told).entry(device).or_default().rssi = Some(rssi);
            }
            What::Down { device, reason } => {
                let told = Told {
                    down: Some(item.at),
                    ..Told::default()
                };
                lock(&self.told).insert(device, told);
                if let Some(peer) = self.peer(device) {
                    peer.end(reason);
                    self.release(&peer);
                }
            }
            What::Answered | What::Unreadable => {}
        }
    }

    /// Whether a step ends with this.
    fn is_step(&self, what: &What) -> bool {
        match what {
            What::Value { .. } | What::Down { .. } => true,
            What::Advertisement(_) => !self.has_values,
            _ => false,
        }
    }
}

/// A device that somebody is connecting to: nobody else can meanwhile.
struct Reservation {
    core: Arc<Core>,
    key: DeviceKey,
}

impl Reservation {
    fn of(core: &Arc<Core>, key: DeviceKey) -> radio::Result<Self> {
        let mut links = lock(&core.links);
        let operation = match links.get(&key) {
            Some(Slot::Connecting) => "Connecting to this device",
            Some(Slot::Up(peer)) if peer.is_up() => "A connection to this device",
            _ => {
                links.insert(key, Slot::Connecting);
                return Ok(Self {
                    core: Arc::clone(core),
                    key,
                });
            }
        };
        Err(Error::Busy { operation })
    }

    fn up(self, peer: Arc<Peer>) {
        lock(&self.core.links).insert(self.key, Slot::Up(peer));
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut links = lock(&self.core.links);
        if matches!(links.get(&self.key), Some(Slot::Connecting)) {
            links.remove(&self.key);
        }
    }
}

/// Asks the file where waiting for it holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T> + Send + 'static,
) -> radio::Result<T> {
    let message = match tokio::task::spawn_blocking(ask).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Err(Error::Os {
        message: message.trim_end_matches('.').into(),
    })
}

/// Plays until it is aborted.
pub(super) async fn play(core: Arc<Core>) {
    let shared = Arc::clone(&core.shared);
    let mut ahead = Ahead::new(Arc::clone(&core.tape));
    let mut in_a_row = 0_u32;
    loop {
        let wish = shared.wish();
        match wish {
            Wish::Rest => {
                shared.changed.notified().await;
                continue;
            }
            Wish::Seek(to) => {
                lock(&core.told).clear();
                let at = shared.stamp(core.transport().state().position);
                for peer in core.peers() {
                    peer.jumped(at);
                }
                let before = ahead.seek(to).await;
                core.head.store(before, Relaxed);
                continue;
            }
            Wish::Step | Wish::Play => {}
        }
        ahead.fill().await;
        if let Some(damage) = ahead.damage() {
            shared.damaged(damage);
        }
        let due = match ahead.peek() {
            // Reading may have taken its time: it may be paused, or elsewhere.
            Some(item) => match shared.due(item.at, wish) {
                Some(due) => due,
                None => continue,
            },
            None if !ahead.is_over() => continue,
            None => match shared.wait_for_end() {
                Some(end) => end,
                None => {
                    shared.end();
                    continue;
                }
            },
        };
        // Read after it was asked what is due, so that what is due at once is not waited for.
        let now = shared.now();
        if due > now {
            tokio::select! {
                biased;
                () = shared.changed.notified() => {}
                () = tokio::time::sleep(due.since(now)) => {}
            }
            continue;
        }
        let Some(item) = ahead.take() else { continue };
        core.head.store(item.id, Relaxed);
        let (at, rests) = (item.at, core.is_step(&item.what));
        let readable = !matches!(item.what, What::Unreadable);
        core.hand_out(item, due);
        shared.passed(at, rests, readable);
        in_a_row += 1;
        if in_a_row.is_multiple_of(IN_A_ROW) {
            tokio::task::yield_now().await;
        }
    }
}
