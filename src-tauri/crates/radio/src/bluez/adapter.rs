//! One adapter: what BlueZ tells of it, its scan, its connections and its pairings.
//!
//! Signals are taken at once, on the task that hears them: reports are made and handed out there. What
//! has to wait for BlueZ runs in tasks of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ::bluer::monitor::{Monitor, Pattern, data_type};
use ::bluer::{DiscoveryFilter, DiscoveryTransport};
use async_trait::async_trait;
use dbus::arg::PropMap;
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, broadcast, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::adverts::{Listener, Memory};
use super::bus::{self, ADAPTER, DEVICE, MONITORS, Objects, Signal};
use super::link::{Connection, Linked, TIDYING};
use super::table::Table;
use super::{ANSWER, Host, Way, fault};
use crate::btleplug::fault::Fault;
use crate::caps::NO_CACHE;
use crate::interface::unsupported;
use crate::{
    AdapterId, AdapterInfo, AdvertisementSink, Cap, Caps, Clock, ConnectOptions, DeviceId,
    DisconnectReason, Error, Link, PairingFailure, PairingSink, Radio, RadioState, Result,
    ScanFilter, Support, Timestamp,
};

/// How long a scan may hear nothing before it is started anew.
const SILENCE: Duration = Duration::from_secs(30);
/// How often silence is looked for.
const LISTEN: Duration = Duration::from_secs(5);
/// How long BlueZ may take to start or stop a scan, for which the controller has to be free.
const SCAN_ANSWER: Duration = Duration::from_secs(15);
/// How long BlueZ may take to switch an adapter.
const SWITCHING: Duration = Duration::from_secs(10);
/// How long pairing may take, with somebody reading and typing.
const PAIRING: Duration = Duration::from_secs(90);
/// How often a connection is tried that the controller itself gave up.
const ATTEMPTS: u32 = 3;
/// The pause before anything is tried again.
const PAUSE: Duration = Duration::from_millis(300);
/// How often a scan is tried that an adapter which came back does not take yet.
const COMING_BACK: u32 = 20;
/// How long a device is looked for that BlueZ does not know.
const RESCAN: Duration = Duration::from_secs(5);
/// How long a device may have no services although BlueZ says that they are resolved.
const EMPTY: Duration = Duration::from_secs(2);
/// How long after the news of a link's end the news of the adapter's may come.
const NEWS_OF_ADAPTER: Duration = Duration::from_millis(150);
/// The first bytes of the advertising flags that are in use: discoverable or not, with BR/EDR or not
/// (Core Specification Supplement, Part A, 1.3).
const FLAGS: [u8; 16] = [
    0x00, 0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x0A, 0x0C, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E,
];

/// A scan with who hears it.
struct Hearing {
    sink: Arc<dyn AdvertisementSink>,
    listener: Listener,
}

/// BlueZ's scan.
struct Running {
    filter: ScanFilter,
    kept: Kept,
}

/// The task that keeps a scan, which ends when this is dropped.
struct Kept(JoinHandle<()>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What BlueZ's scan should do and does.
#[derive(Default)]
struct Scan {
    wanted: Option<ScanFilter>,
    running: Option<Running>,
}

/// The scan rests: a controller that scans and connects gives the connection up. Dropping this lets it
/// go on.
struct Rest(Arc<Adapter>);

impl Drop for Rest {
    fn drop(&mut self) {
        self.0.rests.fetch_sub(1, Ordering::AcqRel);
        let adapter = self.0.clone();
        self.0.runtime.spawn(async move {
            adapter
                .settle_or_warn(&mut *adapter.scan.lock().await)
                .await;
        });
    }
}

/// The place of a device among the links.
enum Slot {
    Connecting(u64),
    Up(Weak<Linked>),
}

impl Slot {
    fn is_attempt(&self, number: u64) -> bool {
        matches!(self, Slot::Connecting(this) if *this == number)
    }
}

/// What BlueZ says of a device's connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    known: bool,
    connected: bool,
    resolved: bool,
    paired: bool,
    /// How often it was told that a connection is no more.
    ends: u64,
}

impl Standing {
    /// BlueZ does not know the device any more.
    fn forget(&mut self) {
        *self = Self {
            ends: self.ends + 1,
            ..Self::default()
        };
    }
}

#[derive(Default)]
struct Shared {
    hearing: Option<Hearing>,
    last_heard: Option<Instant>,
    memories: HashMap<DeviceId, Memory>,
    standings: HashMap<DeviceId, watch::Sender<Standing>>,
    links: HashMap<DeviceId, Slot>,
    number: u64,
    /// How often the state was told.
    told: u64,
    tasks: Vec<AbortHandle>,
    monitors: bool,
    tells_reasons: Option<bool>,
}

/// An adapter that was opened.
pub(super) struct Adapter {
    info: AdapterInfo,
    host: Arc<Host>,
    runtime: Handle,
    state: watch::Sender<RadioState>,
    scan: Mutex<Scan>,
    /// How many connections are being made, during which nothing is scanned.
    rests: AtomicU32,
    /// What was begun and has to be tidied up, even if nobody waits for it any more.
    under_way: TaskTracker,
    /// One connection is made at a time.
    connecting: Arc<Mutex<()>>,
    /// A scan runs that looks for a device.
    search: SyncMutex<Option<Running>>,
    shared: SyncMutex<Shared>,
    this: Weak<Adapter>,
}

/// The adapters among BlueZ's objects.
pub(super) fn found(objects: &Objects) -> Vec<AdapterInfo> {
    let mut all: Vec<AdapterInfo> = objects
        .iter()
        .filter_map(|(path, interfaces)| {
            let id = bus::adapter_of(path)?;
            let properties = interfaces.get(ADAPTER)?;
            Some(AdapterInfo {
                name: id.to_string(),
                id,
                address: bus::string(properties, "Address").and_then(|text| text.parse().ok()),
                state: powered(properties).unwrap_or_default(),
            })
        })
        .collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all
}

fn powered(properties: &PropMap) -> Option<RadioState> {
    bus::flag(properties, "Powered").map(|on| if on { RadioState::On } else { RadioState::Off })
}

/// The device as BlueZ writes it; an address may have been typed.
fn canonical(device: &DeviceId) -> DeviceId {
    device.as_str().to_ascii_uppercase().into()
}

fn usable(state: RadioState) -> bool {
    matches!(state, RadioState::On | RadioState::Unknown)
}

impl Adapter {
    pub(super) fn open(host: Arc<Host>, info: AdapterInfo) -> Arc<Self> {
        let adapter = Arc::new_cyclic(|this| Self {
            state: watch::Sender::new(info.state),
            info,
            host,
            runtime: Handle::current(),
            scan: Mutex::default(),
            rests: AtomicU32::default(),
            under_way: TaskTracker::new(),
            connecting: Arc::default(),
            search: SyncMutex::default(),
            shared: SyncMutex::default(),
            this: this.clone(),
        });
        let watchdog = tokio::spawn(watch_for_silence(Arc::downgrade(&adapter)));
        adapter.shared().tasks.push(watchdog.abort_handle());
        adapter
    }

    pub(super) fn id(&self) -> &AdapterId {
        &self.info.id
    }

    pub(super) fn clock(&self) -> Clock {
        self.host.clock.clone()
    }

    pub(super) fn refusals(&self) -> broadcast::Receiver<(AdapterId, DeviceId)> {
        self.host.pairings.refusals()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // Every change is a single step, so a sink that panicked left nothing half done.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often BlueZ has told the state of this adapter.
    pub(super) fn told(&self) -> u64 {
        self.shared().told
    }

    /// Takes over what BlueZ has. What signals told since it was `asked`, which is what
    /// [`told`](Self::told) said then, is newer and stays.
    pub(super) fn learn(&self, objects: &Objects, asked: u64) {
        let mut there = None;
        {
            let mut shared = self.shared();
            for (path, interfaces) in objects {
                if bus::adapter_of(path).as_ref() == Some(self.id()) {
                    shared.monitors = interfaces.contains_key(MONITORS);
                    there = interfaces.get(ADAPTER).and_then(powered);
                }
                let Some(properties) = interfaces.get(DEVICE) else {
                    continue;
                };
                if let Some((adapter, device)) = bus::device_of(path)
                    && adapter == *self.id()
                    && !shared.memories.contains_key(&device)
                {
                    shared.learn(&device, properties);
                }
            }
        }
        self.stands(there.unwrap_or(RadioState::Gone), Some(asked));
    }

    /// Takes what BlueZ told of the adapter or of anything below it, at once.
    pub(super) fn take(&self, at: Timestamp, signal: Signal) {
        match &signal {
            Signal::Added { path, interfaces } if bus::adapter_of(path).is_some() => {
                if interfaces.contains_key(MONITORS) {
                    self.shared().monitors = true;
                }
                if let Some(state) = interfaces.get(ADAPTER).and_then(powered) {
                    self.changed(state);
                }
            }
            Signal::Removed { path, interfaces } if bus::adapter_of(path).is_some() => {
                if interfaces.iter().any(|interface| interface == ADAPTER) {
                    self.changed(RadioState::Gone);
                }
            }
            Signal::Changed {
                path,
                interface,
                properties,
            } if bus::adapter_of(path).is_some() => {
                if interface == ADAPTER
                    && let Some(state) = powered(properties)
                {
                    self.changed(state);
                }
            }
            Signal::Added { path, interfaces } if interfaces.contains_key(DEVICE) => {
                if let (Some((_, device)), Some(properties)) =
                    (bus::device_of(path), interfaces.get(DEVICE))
                {
                    self.device_changed(at, &device, properties);
                }
            }
            Signal::Changed {
                path,
                interface,
                properties,
            } if interface == DEVICE => {
                if let Some((_, device)) = bus::device_of(path) {
                    self.device_changed(at, &device, properties);
                }
            }
            Signal::Removed { path, interfaces }
                if interfaces.iter().any(|interface| interface == DEVICE) =>
            {
                if let Some((_, device)) = bus::device_of(path) {
                    self.device_removed(&device);
                }
            }
            Signal::Disconnected { path, message } => {
                if let Some((_, device)) = bus::device_of(path)
                    && let Some(linked) = self.link_to(&device)
                {
                    linked.words(message.clone());
                }
            }
            Signal::Added { path, .. }
            | Signal::Removed { path, .. }
            | Signal::Changed { path, .. } => {
                if let Some((_, device)) = bus::device_of(path)
                    && let Some(linked) = self.link_to(&device)
                {
                    linked.take(at, signal);
                }
            }
            // These are the host's.
            Signal::Lost | Signal::ServiceGone | Signal::ServiceBack => {}
        }
    }

    fn device_changed(&self, at: Timestamp, device: &DeviceId, properties: &PropMap) {
        let mut shared = self.shared();
        let was = shared.standing(device);
        shared.learn(device, properties);
        let now = shared.standing(device);
        let shared = &mut *shared;
        let memory = shared.memories.get(device);
        if let (Some(hearing), Some(memory)) = (&mut shared.hearing, memory) {
            let connected = was.connected || now.connected;
            let report = hearing
                .listener
                .hear(device, at, properties, memory, connected);
            if let Some(report) = report {
                shared.last_heard = Some(Instant::now());
                // Under the lock, so that nothing is handed out once `stop_scan` has returned.
                hearing.sink.advertisement(report);
            }
        }
        // BlueZ tells only the last of two changes that follow at once.
        let ended = bus::flag(properties, "Connected") == Some(false);
        let linked = ended.then(|| shared.link_to(device)).flatten();
        if let Some(linked) = linked {
            self.disconnected(linked);
        }
    }

    fn device_removed(&self, device: &DeviceId) {
        let mut shared = self.shared();
        shared.memories.remove(device);
        if let Some(standing) = shared.standings.get(device) {
            standing.send_modify(Standing::forget);
            if standing.receiver_count() == 0 {
                shared.standings.remove(device);
            }
        }
        let linked = shared.link_to(device);
        drop(shared);
        if let Some(linked) = linked {
            self.disconnected(linked);
        }
    }

    /// The adapter's state is now this.
    pub(super) fn changed(&self, state: RadioState) {
        self.stands(state, None);
    }

    /// The adapter's state is this, unless it was told otherwise since [`told`](Self::told) was `asked`.
    fn stands(&self, state: RadioState, asked: Option<u64>) {
        {
            let mut shared = self.shared();
            if asked.is_some_and(|asked| asked != shared.told) {
                return;
            }
            shared.told += 1;
            if state == RadioState::Gone {
                // What BlueZ says when it is back is new.
                shared.memories.clear();
                for standing in shared.standings.values() {
                    standing.send_modify(Standing::forget);
                }
            }
        }
        let before = self.state.send_replace(state);
        if before == state {
            return;
        }
        tracing::info!(adapter = %self.id(), ?state, "the adapter changed");
        if matches!(state, RadioState::Off | RadioState::Gone) {
            let up: Vec<_> = {
                let shared = self.shared();
                let devices = shared.links.keys();
                devices
                    .filter_map(|device| shared.link_to(device))
                    .collect()
            };
            for linked in up {
                linked.down(DisconnectReason::AdapterLost);
            }
        }
        // A scan ends with the power and does not come back by itself.
        if let Some(this) = self.this.upgrade() {
            self.runtime.spawn(async move {
                // BlueZ says that an adapter is on before it lets anybody scan.
                for _ in 0..COMING_BACK {
                    let settled = this.settle(&mut *this.scan.lock().await).await;
                    match settled {
                        Err(error) if usable(*this.state.borrow()) => {
                            tracing::debug!(%error, "the scan did not start again yet");
                        }
                        _ => return,
                    }
                    sleep(PAUSE).await;
                }
                this.settle_or_warn(&mut *this.scan.lock().await).await;
            });
        }
    }

    fn link_to(&self, device: &DeviceId) -> Option<Arc<Linked>> {
        self.shared().link_to(device)
    }

    /// Does what has to be done although nobody waits for it.
    pub(super) fn sees_to(&self, job: impl Future<Output = ()> + Send + 'static) {
        self.under_way.spawn_on(job, &self.runtime);
    }

    /// A link says that it ended.
    pub(super) fn link_ended(&self, device: &DeviceId, ended: &Linked) {
        let mut shared = self.shared();
        if let Some(Slot::Up(linked)) = shared.links.get(device)
            && std::ptr::eq(linked.as_ptr(), ended)
        {
            shared.links.remove(device);
        }
    }

    fn disconnected(&self, linked: Arc<Linked>) {
        let mut state = self.state.subscribe();
        self.runtime.spawn(async move {
            if linked.was_asked_to_end() {
                return linked.down(DisconnectReason::Requested);
            }
            // An adapter that goes off takes its links along, and says so a little later.
            let lost = state.wait_for(|state| matches!(state, RadioState::Off | RadioState::Gone));
            let reason = match timeout(NEWS_OF_ADAPTER, lost).await {
                Ok(Ok(_)) => DisconnectReason::AdapterLost,
                _ => DisconnectReason::Remote(linked.take_words()),
            };
            linked.down(reason);
        });
    }

    /// Refuses what the adapter cannot do now.
    fn check_usable(&self) -> Result<()> {
        match *self.state.borrow() {
            RadioState::On | RadioState::Unknown => Ok(()),
            RadioState::Off => Err(Error::PoweredOff),
            RadioState::Unauthorized => Err(Error::Unauthorized),
            RadioState::Gone => Err(Error::NoAdapter {
                id: self.id().to_string(),
            }),
        }
    }

    async fn way(&self) -> Result<(Way, ::bluer::Adapter)> {
        let way = self.host.way().await?;
        let adapter = way.session.adapter(&self.id().0);
        let adapter = adapter.map_err(|error| fault::of(&error).error)?;
        Ok((way, adapter))
    }

    /// How `bluer` names a device.
    async fn remote(&self, device: &DeviceId) -> Result<::bluer::Device> {
        let unknown = || Error::UnknownDevice {
            device: device.to_string(),
        };
        let address = device.as_str().parse().map_err(|_| unknown())?;
        let (_, adapter) = self.way().await?;
        adapter
            .device(address)
            .map_err(|error| fault::of(&error).error)
    }

    /// Makes BlueZ's scan do what it should.
    async fn settle(&self, scan: &mut Scan) -> Result<()> {
        let usable = usable(*self.state.borrow());
        let rests = self.rests.load(Ordering::Acquire) > 0;
        let target = scan.wanted.as_ref().filter(|_| usable && !rests);
        let runs = scan
            .running
            .as_ref()
            .filter(|running| !running.kept.0.is_finished());
        if runs.map(|running| &running.filter) == target {
            return Ok(());
        }
        let target = target.cloned();
        self.halt(&mut scan.running).await;
        if let Some(filter) = target {
            scan.running = Some(self.begin(filter).await?);
            self.shared().last_heard = Some(Instant::now());
        }
        Ok(())
    }

    async fn settle_or_warn(&self, scan: &mut Scan) {
        if let Err(error) = self.settle(scan).await {
            tracing::warn!(%error, "the scan did not start again");
        }
    }

    /// Starts BlueZ's scan. What was begun is seen to its end, even if this is given up: BlueZ would
    /// keep a scan whose start nobody waited for.
    async fn begin(&self, filter: ScanFilter) -> Result<Running> {
        let (_, adapter) = self.way().await?;
        let wanted = filter.clone();
        let monitors = self.shared().monitors;
        let begin = tokio::spawn(async move {
            let begin = async {
                loop {
                    let begun = if wanted.passive {
                        listen_passively(&adapter).await
                    } else {
                        discover(&adapter, &wanted).await
                    };
                    match begun {
                        // An earlier scan is still starting or stopping.
                        Err(fault) if fault.in_progress => sleep(PAUSE).await,
                        begun => return begun.map_err(|fault| fault.error),
                    }
                }
            };
            let timed_out = Err(Error::TimedOut {
                operation: "Starting the scan",
                after: SCAN_ANSWER,
            });
            timeout(SCAN_ANSWER, begin).await.unwrap_or(timed_out)
        });
        if filter.passive && !monitors {
            begin.abort();
            return Err(unsupported(&self.caps(), Cap::PassiveScan));
        }
        let kept = begin.await.unwrap_or_else(|error| {
            Err(Error::Os {
                message: format!("starting the scan failed: {error}"),
            })
        })?;
        Ok(Running { filter, kept })
    }

    /// Stops a scan of BlueZ's and waits until it stopped.
    async fn halt(&self, running: &mut Option<Running>) {
        let Some(Running { mut kept, .. }) = running.take() else {
            return;
        };
        kept.0.abort();
        // It was aborted, or ended before.
        let _ = (&mut kept.0).await;
        let Ok((_, adapter)) = self.way().await else {
            return;
        };
        // It waits for the end of the scan before.
        let stopped = adapter.set_discovery_filter(DiscoveryFilter::default());
        match timeout(SCAN_ANSWER, stopped).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the scan did not stop"),
            Err(_) => tracing::warn!("the scan did not stop in time"),
        }
    }

    /// Connects, one device at a time, with the scan at rest. The answer is given as soon as it is
    /// known; what is to be tidied up comes after it.
    async fn establish(
        self: Arc<Self>,
        device: DeviceId,
        number: u64,
        limit: Duration,
        cancel: CancellationToken,
        answer: oneshot::Sender<Result<Connection>>,
    ) {
        let deadline = Instant::now() + limit;
        let timed_out = || Error::TimedOut {
            operation: "Connecting",
            after: limit,
        };
        let turn = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Error::Cancelled),
            turn = timeout_at(deadline, self.connecting.lock()) => turn.map_err(|_| timed_out()),
        };
        let _turn = match turn {
            Ok(turn) => turn,
            Err(error) => {
                self.leave(&device, number);
                let _ = answer.send(Err(error));
                return;
            }
        };
        // Held until a search of the attempt has ended too.
        let mut rest = None;
        let attempt = async {
            rest = Some(self.rest().await);
            self.attempt(&device, number).await
        };
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Error::Cancelled),
            lost = self.wait_until_unusable() => Err(lost),
            result = timeout_at(deadline, attempt) => {
                result.unwrap_or_else(|_| Err(timed_out()))
            }
        };
        let failed = result.is_err();
        if let Err(error) = &result {
            tracing::info!(%device, %error, "connecting did not succeed");
            self.leave(&device, number);
        }
        // A link that nobody waits for any more ends when it is dropped.
        let _ = answer.send(result);
        // The attempt may have been given up anywhere.
        self.end_search().await;
        if failed {
            self.let_go(&device).await;
        }
        drop(rest);
    }

    /// Ends what BlueZ has with a device that nothing here is linked to, an attempt as well.
    async fn let_go(&self, device: &DeviceId) {
        let ended = async {
            if self.link_to(device).is_none()
                && let Ok(remote) = self.remote(device).await
            {
                let ended = remote.disconnect().await;
                tracing::debug!(%device, ?ended, "let go");
            }
        };
        if timeout(TIDYING, ended).await.is_err() {
            tracing::warn!(%device, "what BlueZ has with the device does not end");
        }
    }

    async fn wait_until_unusable(&self) -> Error {
        let mut state = self.state.subscribe();
        // The sender lives in `self`, so the state cannot close.
        let _ = state.wait_for(|state| !usable(*state)).await;
        self.check_usable().err().unwrap_or(Error::PoweredOff)
    }

    /// Gives up the place of a device that is not connected.
    fn leave(&self, device: &DeviceId, number: u64) {
        let mut shared = self.shared();
        let slot = shared.links.get(device);
        if slot.is_some_and(|slot| slot.is_attempt(number)) {
            shared.links.remove(device);
        }
    }

    /// Stops the scan until the answer is dropped.
    async fn rest(self: &Arc<Self>) -> Rest {
        self.rests.fetch_add(1, Ordering::AcqRel);
        let rest = Rest(self.clone());
        self.settle_or_warn(&mut *self.scan.lock().await).await;
        rest
    }

    async fn attempt(self: &Arc<Self>, device: &DeviceId, number: u64) -> Result<Connection> {
        let path = bus::device_path(self.id(), device);
        let mut attempt = 1;
        let remote = loop {
            self.find(device).await?;
            let remote = self.remote(device).await?;
            let Err(error) = remote.connect().await else {
                break remote;
            };
            let fault = fault::of(&error);
            match fault.error {
                // Until the deadline: what is under way ends.
                _ if fault.in_progress => {}
                _ if fault.already => break remote,
                error
                    if (fault.aborted || matches!(error, Error::TimedOut { .. }))
                        && attempt < ATTEMPTS =>
                {
                    tracing::info!(%device, attempt, %error, "connecting again");
                    attempt += 1;
                }
                // What advertises that it takes no connection is forgotten as soon as the scan
                // ends. It may advertise otherwise a little later, so this too lasts until the
                // deadline, or until the device is not heard any more.
                Error::UnknownDevice { .. } => {}
                error => return Err(error),
            }
            sleep(PAUSE).await;
        };
        let (table, ends) = self.resolved(device, &path).await?;
        let (way, _) = self.way().await?;
        let tells_reasons = self.shared().tells_reasons;
        if tells_reasons.is_none() {
            let tells = way.bus.tells_reasons(&path, ANSWER).await;
            self.shared().tells_reasons = Some(tells);
        }
        // A protected value makes BlueZ begin to pair; unanswered, it would wait for 30 s.
        if let Err(error) = self.answer_questions(&way).await {
            tracing::warn!(%error, "BlueZ will not ask this program about pairing");
        }
        let linked = Linked::new(device.clone(), path, remote, way.bus, table, self);
        // From here on, giving the attempt up ends the link.
        let connection = Connection::new(linked.clone(), self.clone());
        {
            let mut shared = self.shared();
            match shared.links.get_mut(device) {
                Some(slot) if slot.is_attempt(number) => *slot = Slot::Up(Arc::downgrade(&linked)),
                // The caller went away meanwhile.
                _ => return Err(Error::Cancelled),
            }
        }
        // An end before the link was in its place was told to nobody.
        if self.shared().standing(device).ends != ends || !linked.is_connected().await {
            linked.down(DisconnectReason::Remote(linked.take_words()));
            return Err(Error::NotConnected);
        }
        if let Err(error) = self.check_usable() {
            linked.down(DisconnectReason::AdapterLost);
            return Err(error);
        }
        tracing::info!(%device, "connected");
        Ok(connection)
    }

    /// Waits until the services of a connected device are there. Gives them, and how many of its
    /// connections had ended when they were asked for.
    async fn resolved(&self, device: &DeviceId, path: &str) -> Result<(Table, u64)> {
        let mut standing = self.shared().follow(device);
        let mut empty_since = None;
        loop {
            let (way, _) = self.way().await?;
            let ends = self.shared().standing(device).ends;
            let objects = way.bus.objects(ANSWER).await.map_err(|fault| fault.error)?;
            let object = objects
                .iter()
                .find(|(this, _)| **this == *path)
                .and_then(|(_, interfaces)| interfaces.get(DEVICE));
            let says = |name| object.and_then(|object| bus::flag(object, name)) == Some(true);
            if !says("Connected") {
                return Err(Error::NotConnected);
            }
            if says("ServicesResolved") {
                let table = Table::new(path, &objects)?;
                // BlueZ can say so before the objects are there.
                let since = *empty_since.get_or_insert_with(Instant::now);
                if !table.is_empty() || since.elapsed() >= EMPTY {
                    return Ok((table, ends));
                }
            }
            // A signal, or a look from time to time.
            let _ = timeout(PAUSE, standing.changed()).await;
        }
    }

    /// Ends the scan that [`find`](Self::find) began, if it runs.
    async fn end_search(&self) {
        let mut search = {
            let mut search = self.search.lock().unwrap_or_else(PoisonError::into_inner);
            search.take()
        };
        self.halt(&mut search).await;
    }

    /// Sees to it that BlueZ knows a device. It forgets one 30 s after the scan that heard it, and has
    /// never heard of one whose address was typed: a short scan finds both.
    async fn find(&self, device: &DeviceId) -> Result<()> {
        let mut standing = self.shared().follow(device);
        if standing.borrow_and_update().known {
            return Ok(());
        }
        tracing::info!(%device, "scanning for a device that BlueZ does not know");
        let search = self.begin(ScanFilter::default()).await?;
        *self.search.lock().unwrap_or_else(PoisonError::into_inner) = Some(search);
        let seen = async { standing.wait_for(|standing| standing.known).await.is_ok() };
        let found = timeout(RESCAN, seen).await.unwrap_or(false);
        self.end_search().await;
        if found {
            Ok(())
        } else {
            Err(Error::UnknownDevice {
                device: device.to_string(),
            })
        }
    }

    async fn remove(&self, device: &DeviceId) -> Result<()> {
        self.check_usable()?;
        let device = &canonical(device);
        let unknown = || Error::UnknownDevice {
            device: device.to_string(),
        };
        let address = device.as_str().parse().map_err(|_| unknown())?;
        let (_, adapter) = self.way().await?;
        let linked = self.link_to(device);
        if let Some(linked) = &linked {
            linked.asks_to_end(true);
        }
        let removed = match timeout(SWITCHING, adapter.remove_device(address)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => match fault::of(&error).error {
                // It remembers nothing: that is what was wanted.
                Error::UnknownDevice { .. } => Ok(()),
                error => Err(error),
            },
            Err(_) => Err(Error::TimedOut {
                operation: "Forgetting the device",
                after: SWITCHING,
            }),
        };
        if let (Some(linked), Err(_)) = (linked, &removed) {
            linked.asks_to_end(false);
        }
        removed
    }

    /// Sees to it that BlueZ asks this program what it has to ask.
    async fn answer_questions(&self, way: &Way) -> Result<()> {
        let mut agent = way.agent.lock().await;
        if agent.is_none() {
            let registered = way.session.register_agent(self.host.pairings.agent());
            let registered = timeout(ANSWER, registered)
                .await
                .map_err(|_| Error::TimedOut {
                    operation: "Preparing to pair",
                    after: ANSWER,
                })?;
            *agent = Some(registered.map_err(|error| fault::of(&error).error)?);
        }
        Ok(())
    }
}

impl Shared {
    fn learn(&mut self, device: &DeviceId, properties: &PropMap) {
        self.memories
            .entry(device.clone())
            .or_default()
            .learn(properties);
        let standing = self.standings.entry(device.clone()).or_default();
        standing.send_if_modified(|standing| {
            let before = *standing;
            standing.known = true;
            if bus::flag(properties, "Connected") == Some(false) {
                standing.ends += 1;
            }
            let facts = [
                ("Connected", &mut standing.connected),
                ("ServicesResolved", &mut standing.resolved),
                ("Paired", &mut standing.paired),
            ];
            for (name, fact) in facts {
                if let Some(now) = bus::flag(properties, name) {
                    *fact = now;
                }
            }
            *standing != before
        });
    }

    fn standing(&self, device: &DeviceId) -> Standing {
        let standing = self.standings.get(device);
        standing.map_or_else(Standing::default, |standing| *standing.borrow())
    }

    fn follow(&mut self, device: &DeviceId) -> watch::Receiver<Standing> {
        self.standings
            .entry(device.clone())
            .or_default()
            .subscribe()
    }

    fn link_to(&self, device: &DeviceId) -> Option<Arc<Linked>> {
        match self.links.get(device)? {
            Slot::Up(linked) => linked.upgrade(),
            Slot::Connecting(_) => None,
        }
    }
}

/// A connection that BlueZ makes for something else, and that nothing here is linked to. It ends when
/// this is dropped.
struct Visit {
    adapter: Arc<Adapter>,
    device: DeviceId,
    /// Nobody else connects, and nothing is scanned, until the visit is over.
    turn: Option<(OwnedMutexGuard<()>, Rest)>,
}

impl Visit {
    async fn begin(adapter: Arc<Adapter>, device: DeviceId) -> Self {
        let turn = adapter.connecting.clone().lock_owned().await;
        let rest = adapter.rest().await;
        Self {
            adapter,
            device,
            turn: Some((turn, rest)),
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let (adapter, device) = (self.adapter.clone(), self.device.clone());
        let turn = self.turn.take();
        self.adapter.sees_to(async move {
            adapter.end_search().await;
            adapter.let_go(&device).await;
            drop(turn);
        });
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        for task in self.shared().tasks.drain(..) {
            task.abort();
        }
    }
}

/// Starts BlueZ's discovery and gives the task that keeps it.
async fn discover(adapter: &::bluer::Adapter, wanted: &ScanFilter) -> Result<Kept, Fault> {
    let filter = DiscoveryFilter {
        uuids: wanted.services.iter().copied().collect(),
        // Without a limit, BlueZ tells of changes of 8 dB and more only.
        rssi: Some(-127),
        transport: DiscoveryTransport::Le,
        duplicate_data: true,
        ..DiscoveryFilter::default()
    };
    let of = |error: ::bluer::Error| fault::of(&error);
    let filtered = adapter.set_discovery_filter(filter).await;
    filtered.map_err(|error| Fault {
        // The scan before was told to end and has not yet.
        in_progress: error.kind == ::bluer::ErrorKind::DiscoveryActive,
        ..of(error)
    })?;
    let events = adapter.discover_devices().await.map_err(of)?;
    let kept = tokio::spawn(async move {
        let mut events = Box::pin(events);
        // Its news come by signals; it ends when BlueZ ends the discovery.
        while events.next().await.is_some() {}
    });
    Ok(Kept(kept))
}

/// Registers advertisement monitors and gives the task that keeps them.
async fn listen_passively(adapter: &::bluer::Adapter) -> Result<Kept, Fault> {
    let of = |error: ::bluer::Error| fault::of(&error);
    let monitors = adapter.monitor().await.map_err(of)?;
    let mut all = futures_util::stream::SelectAll::new();
    for flags in FLAGS {
        // One pattern each: Linux 6.12 refuses all sixteen in one, and BlueZ 5.66 ends itself when a
        // monitor is refused.
        let monitor = Monitor {
            patterns: Some(vec![Pattern::new(data_type::FLAGS, 0, &[flags])]),
            ..Monitor::default()
        };
        all.push(monitors.register(monitor).await.map_err(of)?);
    }
    let kept = tokio::spawn(async move {
        let _monitors = monitors;
        // Its news come by signals.
        while all.next().await.is_some() {}
    });
    Ok(Kept(kept))
}

/// Starts a scan anew that ended, or that has heard nothing for long: BlueZ can fall silent after
/// hours.
async fn watch_for_silence(adapter: Weak<Adapter>) {
    loop {
        sleep(LISTEN).await;
        let Some(adapter) = adapter.upgrade() else {
            break;
        };
        let silent = |heard: Option<Instant>| heard.is_some_and(|last| last.elapsed() >= SILENCE);
        let mut scan = adapter.scan.lock().await;
        let last_heard = adapter.shared().last_heard;
        if scan.running.is_some() && silent(last_heard) {
            tracing::warn!(
                "nothing was heard for {} s; the scan starts anew",
                SILENCE.as_secs()
            );
            adapter.halt(&mut scan.running).await;
        }
        adapter.settle_or_warn(&mut scan).await;
    }
}

#[async_trait]
impl Radio for Adapter {
    fn adapter(&self) -> &AdapterInfo {
        &self.info
    }

    fn caps(&self) -> Caps {
        let (monitors, tells_reasons) = {
            let shared = self.shared();
            (shared.monitors, shared.tells_reasons)
        };
        Caps::each(|cap| support(cap, monitors, tells_reasons))
    }

    fn state(&self) -> watch::Receiver<RadioState> {
        self.state.subscribe()
    }

    async fn set_power(&self, on: bool) -> Result<()> {
        let (_, adapter) = self.way().await?;
        let switch = async {
            loop {
                match adapter
                    .set_powered(on)
                    .await
                    .map_err(|error| fault::of(&error))
                {
                    Err(fault) if fault.in_progress => sleep(PAUSE).await,
                    switched => return switched.map_err(|fault| fault.error),
                }
            }
        };
        let timed_out = Error::TimedOut {
            operation: "Switching the adapter",
            after: SWITCHING,
        };
        match timeout(SWITCHING, switch).await {
            Ok(Ok(())) => {}
            Ok(Err(Error::UnknownDevice { .. })) => {
                return Err(Error::NoAdapter {
                    id: self.id().to_string(),
                });
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(timed_out),
        }
        let wanted = if on { RadioState::On } else { RadioState::Off };
        let mut state = self.state.subscribe();
        match timeout(SWITCHING, state.wait_for(|state| *state == wanted)).await {
            Ok(_) => Ok(()),
            Err(_) => Err(timed_out),
        }
    }

    async fn start_scan(&self, filter: ScanFilter, sink: Arc<dyn AdvertisementSink>) -> Result<()> {
        self.check_usable()?;
        if filter.passive && !self.caps().has(Cap::PassiveScan) {
            return Err(unsupported(&self.caps(), Cap::PassiveScan));
        }
        let mut scan = self.scan.lock().await;
        let heard = self.shared().hearing.replace(Hearing {
            sink,
            listener: Listener::new(&filter),
        });
        let wanted = scan.wanted.replace(filter);
        let started = self.settle(&mut scan).await;
        if started.is_err() {
            // The scan that ran goes on.
            scan.wanted = wanted;
            self.shared().hearing = heard;
            self.settle_or_warn(&mut scan).await;
        }
        started
    }

    async fn stop_scan(&self) -> Result<()> {
        self.shared().hearing = None;
        let mut scan = self.scan.lock().await;
        self.shared().hearing = None;
        scan.wanted = None;
        self.settle(&mut scan).await
    }

    async fn connect(
        &self,
        device: &DeviceId,
        options: ConnectOptions,
        cancel: CancellationToken,
    ) -> Result<Arc<dyn Link>> {
        self.check_usable()?;
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let this = self.this.upgrade().ok_or(Error::Cancelled)?;
        let device = &canonical(device);
        let number = {
            let mut shared = self.shared();
            match shared.links.get(device) {
                Some(Slot::Connecting(_)) => {
                    return Err(Error::Busy {
                        operation: "Connecting to this device",
                    });
                }
                Some(Slot::Up(linked)) if linked.upgrade().is_some_and(|linked| linked.is_up()) => {
                    return Err(Error::Busy {
                        operation: "A connection to this device",
                    });
                }
                _ => {}
            }
            shared.number += 1;
            let number = shared.number;
            let slot = Slot::Connecting(number);
            shared.links.insert(device.clone(), slot);
            number
        };
        let given_up = CancellationToken::new();
        // If this future is dropped, the task below tidies up.
        let guard = given_up.clone().drop_guard();
        let (send, answer) = oneshot::channel();
        let task = this.establish(device.clone(), number, options.timeout, given_up, send);
        self.under_way.spawn(task);
        let result = tokio::select! {
            biased;
            result = answer => result.unwrap_or_else(|_| {
                self.leave(device, number);
                Err(Error::Os { message: "connecting was given up".into() })
            }),
            () = cancel.cancelled() => {
                self.leave(device, number);
                return Err(Error::Cancelled);
            }
        };
        guard.disarm();
        let link: Arc<dyn Link> = Arc::new(result?);
        Ok(link)
    }

    async fn pair(
        &self,
        device: &DeviceId,
        questions: Arc<dyn PairingSink>,
        cancel: CancellationToken,
    ) -> Result<()> {
        self.check_usable()?;
        let device = &canonical(device);
        let (way, _) = self.way().await?;
        self.answer_questions(&way).await?;
        let pairings = &self.host.pairings;
        let begun = pairings.begin(self.id().clone(), device.clone(), questions);
        let _under_way = begun.ok_or(Error::Busy {
            operation: "Pairing with this device",
        })?;
        // Asked to pair what is paired, BlueZ tries BR/EDR and never answers.
        if self.is_paired(device).await? {
            return Ok(());
        }
        let this = self.this.upgrade().ok_or(Error::Cancelled)?;
        let connected = self.shared().standing(device).connected;
        // Dropped, `bluer` tells BlueZ that pairing is cancelled.
        let pair = async {
            // BlueZ connects in order to pair.
            let _visit = if connected {
                None
            } else {
                let visit = Visit::begin(this, device.clone()).await;
                self.find(device).await?;
                Some(visit)
            };
            let remote = self.remote(device).await?;
            Ok(timeout(PAIRING, remote.pair()).await)
        };
        let paired = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::Cancelled),
            lost = self.wait_until_unusable() => return Err(lost),
            paired = pair => match paired {
                Ok(paired) => paired,
                Err(error) => return Err(error),
            },
        };
        match paired {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.kind == ::bluer::ErrorKind::AlreadyExists => Ok(()),
            Ok(Err(error)) => Err(fault::of(&error).error),
            Err(_) => Err(Error::Pairing(PairingFailure::TimedOut)),
        }
    }

    fn answer_pairing(&self, questions: Arc<dyn PairingSink>) {
        self.host.pairings.answer(self.id().clone(), questions);
    }

    async fn is_paired(&self, device: &DeviceId) -> Result<bool> {
        self.check_usable()?;
        let remote = self.remote(device).await?;
        match timeout(ANSWER, remote.is_paired()).await {
            Ok(Ok(paired)) => Ok(paired),
            Ok(Err(error)) => match fault::of(&error).error {
                Error::UnknownDevice { .. } => Ok(false),
                error => Err(error),
            },
            Err(_) => Err(Error::TimedOut {
                operation: "Asking BlueZ",
                after: ANSWER,
            }),
        }
    }

    async fn connected(&self) -> Result<Vec<(DeviceId, Option<String>)>> {
        self.check_usable()?;
        let (way, _) = self.way().await?;
        let objects = way.bus.objects(ANSWER).await.map_err(|fault| fault.error)?;
        let mut all = Vec::new();
        for (path, interfaces) in &objects {
            if let (Some((adapter, device)), Some(object)) =
                (bus::device_of(path), interfaces.get(DEVICE))
                && adapter == *self.id()
                && bus::flag(object, "Connected") == Some(true)
            {
                all.push((device, bus::string(object, "Name")));
            }
        }
        all.sort();
        Ok(all)
    }

    async fn settled(&self) {
        self.under_way.close();
        self.under_way.wait().await;
        self.under_way.reopen();
    }

    /// BlueZ forgets keys only with all else that it remembers.
    async fn unpair(&self, device: &DeviceId) -> Result<()> {
        self.remove(device).await
    }

    async fn forget(&self, device: &DeviceId) -> Result<()> {
        self.remove(device).await
    }

    fn still_remembered(&self, device: &DeviceId) -> Option<String> {
        let adapter = self.info.address?;
        Some(format!(
            "Before BlueZ 5.62 the services may stay in a file. If old ones are found again: sudo rm \
             /var/lib/bluetooth/{adapter}/cache/{} and restart bluetoothd.",
            canonical(device)
        ))
    }
}

fn support(cap: Cap, monitors: bool, tells_reasons: Option<bool>) -> Support {
    match cap {
        Cap::Address
        | Cap::Handles
        | Cap::DuplicateUuids
        | Cap::NotifyRoute
        | Cap::SetPower
        | Cap::Pairing
        | Cap::Forget => Support::Yes,
        Cap::Connectable => {
            Support::No("BlueZ does not say whether a device accepts connections. Try to connect.")
        }
        Cap::RawAdvertisement => Support::Partly(
            "BlueZ takes advertisements apart and gives as bytes only the structures that it does not \
             know. Capture the air with btmon to see every byte.",
        ),
        Cap::PassiveScan if monitors => Support::Partly(
            "BlueZ's advertisement monitors listen for patterns: devices that advertise no flags, as \
             some beacons do, are not heard. BlueZ then tells of a device when its data or its signal \
             strength changed (by 8 dB), and not of every advertisement.",
        ),
        Cap::PassiveScan => Support::No(
            "This BlueZ has no advertisement monitors. They come with BlueZ 5.56 and Linux 5.10, before \
             BlueZ 5.70 or so with bluetoothd --experimental.",
        ),
        Cap::ChooseNotifyMode => Support::No(
            "BlueZ asks for notifications wherever a characteristic has both, and has no interface to \
             choose.",
        ),
        Cap::Mtu => Support::Partly("Before BlueZ 5.62 the MTU is known once a subscription runs."),
        Cap::ConnectionParameters => Support::No(
            "BlueZ has no interface for connection parameters. Capture with btmon to see them.",
        ),
        Cap::CachedRead => Support::No(NO_CACHE),
        Cap::LinkRssi => Support::No(super::NO_LINK_RSSI),
        Cap::DisconnectReason => match tells_reasons {
            Some(true) => Support::Yes,
            Some(false) => Support::No(
                "This BlueZ tells that a link ended and not why; BlueZ 5.82 and later do. Capture with \
                 btmon to see the reason.",
            ),
            None => Support::Partly(
                "BlueZ 5.82 and later tell the reason; which one this is shows with the first connection.",
            ),
        },
    }
}
