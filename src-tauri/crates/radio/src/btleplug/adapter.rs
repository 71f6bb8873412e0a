//! One adapter: its events, its scan and its connections.
//!
//! Two tasks live as long as the adapter is open. The *pump* takes events from `btleplug`, whose own
//! queue holds 16 on macOS and Windows and drops beyond without a word: it only stamps, looks for
//! news of links and of the adapter, and queues the rest. The *reporter* makes advertisements of what
//! was queued, and may wait for the system meanwhile.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ::btleplug::api::{
    self, AddressType, Central as _, CentralEvent, CentralState, Peripheral as _,
};
use ::btleplug::platform::{Peripheral, PeripheralId};
use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::{AbortHandle, JoinError};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::adverts::{Heard, Listener, Memory, Step};
use super::fault::Fault;
use super::link::{Connection, Linked, TIDYING};
use super::platform;
use super::table::Table;
use crate::interface::unsupported;
use crate::{
    AdapterInfo, AdvertisementSink, Cap, Caps, Clock, ConnectOptions, DeviceId, DisconnectReason,
    Error, Link, PairingSink, Radio, RadioState, Result, ScanFilter, Support, Timestamp,
};

/// How long a scan may hear nothing before it is started anew.
const SILENCE: Duration = Duration::from_secs(30);
/// How often silence is looked for.
const LISTEN: Duration = Duration::from_secs(5);
/// How long the system may take to answer what needs no air.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the system may take to start or stop a scan, for which the controller has to be free.
const SCAN_ANSWER: Duration = Duration::from_secs(15);
/// How often a connection is tried that the controller itself gave up.
const ATTEMPTS: u32 = 3;
/// The pause before it is tried again.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(300);
/// How long a device is looked for that was heard and that the system forgot.
const RESCAN: Duration = Duration::from_secs(5);
/// How long after the news of a link's end the news of the adapter's may come.
const NEWS_OF_ADAPTER: Duration = Duration::from_millis(150);

/// A scan that runs, with who hears it.
struct Hearing {
    /// Which scan it is; what was asked for an earlier one is not told to this.
    number: u64,
    sink: Arc<dyn AdvertisementSink>,
    listener: Listener,
}

/// What the system's scan should do and does.
#[derive(Default)]
struct Scan {
    wanted: Option<ScanFilter>,
    /// How many connections are being made, during which nothing is scanned.
    paused: u32,
    /// What runs.
    running: Option<ScanFilter>,
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

/// An event on its way from the pump to the reporter.
struct Queued {
    at: Timestamp,
    id: PeripheralId,
    heard: Heard,
}

#[derive(Default)]
struct Shared {
    hearing: Option<Hearing>,
    last_heard: Option<Instant>,
    /// How the system names what was heard.
    heard: HashMap<DeviceId, PeripheralId>,
    links: HashMap<DeviceId, Slot>,
    number: u64,
    tasks: Vec<AbortHandle>,
}

/// An adapter that was opened.
pub(super) struct Adapter {
    info: AdapterInfo,
    central: ::btleplug::platform::Adapter,
    clock: Clock,
    runtime: Handle,
    state: watch::Sender<RadioState>,
    scan: Mutex<Scan>,
    /// Held while the system's scan is being started or stopped.
    system_scan: Arc<Mutex<()>>,
    /// What was begun and has to be tidied up, even if nobody waits for it any more.
    under_way: TaskTracker,
    /// One connection is made at a time.
    connecting: Mutex<()>,
    /// A scan runs that looks for a forgotten device.
    searching: AtomicBool,
    shared: SyncMutex<Shared>,
    this: Weak<Adapter>,
    /// Tells of the system's service for as long as anybody uses it.
    _watch: Arc<platform::Watch>,
}

pub(super) fn radio_state(state: &CentralState) -> RadioState {
    match state {
        CentralState::PoweredOn => RadioState::On,
        CentralState::PoweredOff => RadioState::Off,
        CentralState::Unknown => RadioState::Unknown,
    }
}

impl Adapter {
    pub(super) async fn open(
        central: ::btleplug::platform::Adapter,
        info: AdapterInfo,
        clock: Clock,
        watch: Arc<platform::Watch>,
    ) -> Result<Arc<Self>> {
        let mut events = central
            .events()
            .await
            .map_err(|error| Fault::from(error).error)?;
        let adapter = Arc::new_cyclic(|this| Self {
            state: watch::Sender::new(info.state),
            info,
            central,
            clock: clock.clone(),
            runtime: Handle::current(),
            scan: Mutex::default(),
            system_scan: Arc::default(),
            under_way: TaskTracker::new(),
            connecting: Mutex::default(),
            searching: AtomicBool::new(false),
            shared: SyncMutex::default(),
            this: this.clone(),
            _watch: watch,
        });
        let (queue, queued) = mpsc::unbounded_channel();
        let pumped = Arc::downgrade(&adapter);
        let pump = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let at = clock.now();
                let Some(adapter) = pumped.upgrade() else {
                    break;
                };
                adapter.take(at, event, &queue);
            }
        });
        let reporter = tokio::spawn(report(Arc::downgrade(&adapter), queued));
        let watchdog = tokio::spawn(watch_for_silence(Arc::downgrade(&adapter)));
        adapter.shared().tasks = vec![
            pump.abort_handle(),
            reporter.abort_handle(),
            watchdog.abort_handle(),
        ];
        Ok(adapter)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // Every change is a single step, so a sink that panicked left nothing half done.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event as it comes: at once, and without waiting for anything.
    fn take(&self, at: Timestamp, event: CentralEvent, queue: &mpsc::UnboundedSender<Queued>) {
        let (id, heard) = match event {
            CentralEvent::StateUpdate(state) => return self.changed(radio_state(&state)),
            CentralEvent::DeviceDisconnected(id) => return self.disconnected(&id),
            CentralEvent::DeviceConnected(_) | CentralEvent::DeviceServicesModified(_) => return,
            CentralEvent::DeviceDiscovered(id) => (id, Heard::Discovered),
            CentralEvent::DeviceUpdated(id) => (id, Heard::Updated),
            CentralEvent::RssiUpdate { id, rssi } => (id, Heard::Rssi(rssi)),
            CentralEvent::ManufacturerDataAdvertisement {
                id,
                manufacturer_data,
            } => (id, Heard::ManufacturerData(manufacturer_data)),
            CentralEvent::ServiceDataAdvertisement { id, service_data } => {
                (id, Heard::ServiceData(service_data))
            }
            CentralEvent::ServicesAdvertisement { id, services } => (id, Heard::Services(services)),
        };
        let mut shared = self.shared();
        if shared.hearing.is_some() {
            shared.last_heard = Some(Instant::now());
            drop(shared);
            // The reporter lives as long as the pump.
            let _ = queue.send(Queued { at, id, heard });
        }
    }

    /// The adapter's state is now this.
    pub(super) fn changed(&self, state: RadioState) {
        let before = self.state.send_replace(state);
        if before == state {
            return;
        }
        tracing::info!(adapter = %self.info.id, ?state, "the adapter changed");
        if matches!(state, RadioState::Off | RadioState::Gone) {
            for linked in self.links_up() {
                linked.down(DisconnectReason::AdapterLost);
            }
        }
        // A scan ends with the power and does not come back by itself.
        if let Some(this) = self.this.upgrade() {
            self.runtime.spawn(async move {
                let mut scan = this.scan.lock().await;
                if !usable(state) {
                    scan.running = None;
                }
                this.settle_or_warn(&mut scan).await;
            });
        }
    }

    /// The adapter is there again, in a state that has to be asked for.
    pub(super) fn back(self: &Arc<Self>) {
        let this = self.clone();
        self.runtime.spawn(async move {
            match timeout(ANSWER, this.central.adapter_state()).await {
                Ok(Ok(state)) => this.changed(radio_state(&state)),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the adapter that came back tells nothing")
                }
                Err(_) => tracing::warn!("the adapter that came back does not answer"),
            }
        });
    }

    fn links_up(&self) -> Vec<Arc<Linked>> {
        let shared = self.shared();
        let up = shared.links.values().filter_map(|slot| match slot {
            Slot::Up(linked) => linked.upgrade(),
            Slot::Connecting(_) => None,
        });
        up.collect()
    }

    fn link_to(&self, device: &DeviceId) -> Option<Arc<Linked>> {
        match self.shared().links.get(device)? {
            Slot::Up(linked) => linked.upgrade(),
            Slot::Connecting(_) => None,
        }
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

    fn disconnected(&self, id: &PeripheralId) {
        let Some(linked) = self.link_to(&platform::device_id(id)) else {
            return;
        };
        let mut state = self.state.subscribe();
        self.runtime.spawn(async move {
            // The news may be of an earlier connection to the same device.
            if linked.is_connected().await {
                return;
            }
            if linked.was_asked_to_end() {
                return linked.down(DisconnectReason::Requested);
            }
            // An adapter that goes off takes its links along, and says so a little later.
            let lost = state.wait_for(|state| matches!(state, RadioState::Off | RadioState::Gone));
            let reason = match timeout(NEWS_OF_ADAPTER, lost).await {
                Ok(Ok(_)) => DisconnectReason::AdapterLost,
                _ => DisconnectReason::Remote(None),
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
                id: self.info.id.to_string(),
            }),
        }
    }

    /// Makes the system's scan do what it should.
    async fn settle(&self, scan: &mut Scan) -> Result<()> {
        let usable = usable(*self.state.borrow());
        let target = scan.wanted.as_ref().filter(|_| usable && scan.paused == 0);
        if scan.running.as_ref() == target {
            return Ok(());
        }
        let target = target.cloned();
        if scan.running.take().is_some() {
            self.stop_system_scan().await;
        }
        if let Some(filter) = target {
            self.start_system_scan(&filter).await?;
            self.shared().last_heard = Some(Instant::now());
            scan.running = Some(filter);
        }
        Ok(())
    }

    async fn settle_or_warn(&self, scan: &mut Scan) {
        if let Err(error) = self.settle(scan).await {
            tracing::warn!(%error, "the scan did not start again");
        }
    }

    /// Starts the system's scan. What was begun is seen to its end, even if this is given up: BlueZ
    /// would keep a scan whose start nobody waited for, and refuse every other.
    async fn start_system_scan(&self, filter: &ScanFilter) -> Result<()> {
        let central = self.central.clone();
        let turn = self.system_scan.clone();
        let filter = filter.services.clone();
        let start = tokio::spawn(async move {
            let _turn = turn.lock().await;
            let start = async {
                loop {
                    let services = filter.clone();
                    let started = central.start_scan(api::ScanFilter { services }).await;
                    match started.map_err(Fault::from) {
                        Ok(()) => return Ok(()),
                        // An earlier scan is still starting or stopping, or was left behind.
                        Err(fault) if fault.in_progress => {
                            sleep(ATTEMPT_PAUSE).await;
                            let stopped = central.stop_scan().await;
                            tracing::debug!(?stopped, "stopped what ran before the scan");
                        }
                        Err(fault) => return Err(fault.error),
                    }
                }
            };
            let timed_out = Err(Error::TimedOut {
                operation: "Starting the scan",
                after: SCAN_ANSWER,
            });
            timeout(SCAN_ANSWER, start).await.unwrap_or(timed_out)
        });
        start.await.unwrap_or_else(|error| Err(failed(&error)))
    }

    /// Stops the system's scan, and sees it to its end as starting does.
    async fn stop_system_scan(&self) {
        let central = self.central.clone();
        let turn = self.system_scan.clone();
        let stop = tokio::spawn(async move {
            let _turn = turn.lock().await;
            match timeout(SCAN_ANSWER, central.stop_scan()).await {
                Ok(Ok(())) => {}
                // What cannot be stopped has stopped by itself, or stops with the adapter.
                Ok(Err(error)) => tracing::debug!(%error, "the scan did not stop"),
                Err(_) => tracing::warn!("the scan did not stop in time"),
            }
        });
        if let Err(error) = stop.await {
            tracing::warn!(%error, "the scan did not stop");
        }
    }

    /// What the system remembers of a device.
    async fn memory(&self, id: &PeripheralId) -> Option<Memory> {
        let ask = async {
            let peripheral = self.central.peripheral(id).await.ok()?;
            peripheral.properties().await.ok()?
        };
        let found = timeout(ANSWER, ask).await.ok()??;
        // Linux gives a made-up alias as the local name where there is no name.
        let name = if cfg!(target_os = "linux") {
            found.advertisement_name
        } else {
            found.advertisement_name.or(found.local_name)
        };
        Some(Memory {
            name,
            random_address: found.address_type.map(|kind| kind == AddressType::Random),
            rssi: found.rssi,
            tx_power: found.tx_power_level,
            appearance: found.appearance,
            services: found.services,
            manufacturer_data: found.manufacturer_data,
            service_data: found.service_data,
        })
    }

    /// Does what has to be done although nobody waits for it.
    pub(super) fn sees_to(&self, job: impl Future<Output = ()> + Send + 'static) {
        self.under_way.spawn_on(job, &self.runtime);
    }

    /// Connects, one device at a time, with the scan at rest.
    async fn establish(
        self: Arc<Self>,
        device: DeviceId,
        number: u64,
        limit: Duration,
        cancel: CancellationToken,
    ) -> Result<Connection> {
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
        let result = match turn {
            Err(error) => Err(error),
            Ok(_turn) => {
                self.pause(true).await;
                let mut tried = None;
                let attempt = self.attempt(&device, number, &mut tried);
                let result = tokio::select! {
                    biased;
                    () = cancel.cancelled() => Err(Error::Cancelled),
                    result = timeout_at(deadline, attempt) => {
                        result.unwrap_or_else(|_| Err(timed_out()))
                    }
                };
                // The attempt may have been given up anywhere.
                self.end_search().await;
                if let (Err(error), Some(peripheral)) = (&result, tried) {
                    tracing::info!(%device, %error, "connecting did not succeed");
                    // It also ends an attempt that the system still makes.
                    if timeout(TIDYING, peripheral.disconnect()).await.is_err() {
                        tracing::warn!(%device, "the attempt to connect does not end");
                    }
                }
                self.pause(false).await;
                result
            }
        };
        if result.is_err() {
            self.leave(&device, number);
        }
        result.map(|linked| Connection::new(linked, self.clone()))
    }

    /// Gives up the place of a device that is not connected.
    fn leave(&self, device: &DeviceId, number: u64) {
        let mut shared = self.shared();
        if shared
            .links
            .get(device)
            .is_some_and(|slot| slot.is_attempt(number))
        {
            shared.links.remove(device);
        }
    }

    /// Stops the scan while a connection is made: a controller that does both gives the connection up.
    async fn pause(&self, pause: bool) {
        let mut scan = self.scan.lock().await;
        if pause {
            scan.paused += 1;
        } else {
            scan.paused = scan.paused.saturating_sub(1);
        }
        self.settle_or_warn(&mut scan).await;
    }

    async fn attempt(
        self: &Arc<Self>,
        device: &DeviceId,
        number: u64,
        tried: &mut Option<Peripheral>,
    ) -> Result<Arc<Linked>> {
        let error_of = |error: ::btleplug::Error| about(device, Fault::from(error).error);
        let mut peripheral = self.find(device).await?;
        *tried = Some(peripheral.clone());
        let mut attempt = 1;
        while let Err(error) = peripheral.connect().await {
            let fault = Fault::from(error);
            match fault.error {
                // Until the deadline: what is under way ends.
                _ if fault.in_progress => {}
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
                Error::UnknownDevice { .. } if platform::FORGETS_DEVICES => {
                    peripheral = self.find(device).await?;
                    *tried = Some(peripheral.clone());
                }
                error => return Err(about(device, error)),
            }
            sleep(ATTEMPT_PAUSE).await;
        }
        // From here on values are kept, and the first subscription comes later.
        let notifications = peripheral.notifications().await.map_err(error_of)?;
        let mut asked = 0;
        let services = loop {
            peripheral.discover_services().await.map_err(error_of)?;
            let services = peripheral.services();
            if !services.is_empty() || asked == platform::DISCOVERY.times {
                break services;
            }
            asked += 1;
            sleep(platform::DISCOVERY.pause).await;
        };
        let table = Table::new(services)?;
        let linked = Linked::new(
            device.clone(),
            peripheral,
            table,
            notifications,
            self.clock.clone(),
            self,
        );
        {
            let mut shared = self.shared();
            match shared.links.get_mut(device) {
                Some(slot) if slot.is_attempt(number) => *slot = Slot::Up(Arc::downgrade(&linked)),
                // The caller went away meanwhile.
                _ => return Err(Error::Cancelled),
            }
        }
        // An end before the link was in its place was told to nobody.
        if !linked.is_connected().await {
            linked.down(DisconnectReason::Remote(None));
            return Err(Error::NotConnected);
        }
        if let Err(error) = self.check_usable() {
            linked.down(DisconnectReason::AdapterLost);
            return Err(error);
        }
        tracing::info!(%device, "connected");
        Ok(linked)
    }

    /// Ends the scan that [`find`](Self::find) began, if it runs.
    async fn end_search(&self) {
        if self.searching.swap(false, Ordering::AcqRel) {
            self.stop_system_scan().await;
        }
    }

    /// The system's handle of a device. Of one that was heard and is forgotten, which BlueZ does 30 s
    /// after a scan, a short scan makes a new one.
    async fn find(&self, device: &DeviceId) -> Result<Peripheral> {
        let heard = self.shared().heard.get(device).cloned();
        let look = || platform::find(&self.central, device, heard.as_ref());
        let error_of = |error| about(device, Fault::from(error).error);
        if let Some(found) = look().await.map_err(error_of)? {
            return Ok(found);
        }
        let unknown = || Error::UnknownDevice {
            device: device.to_string(),
        };
        if heard.is_none() {
            return Err(unknown());
        }
        tracing::info!(%device, "scanning for a device that the system forgot");
        self.searching.store(true, Ordering::Release);
        self.start_system_scan(&ScanFilter::default()).await?;
        let search = async {
            loop {
                sleep(ATTEMPT_PAUSE).await;
                match look().await {
                    Ok(None) => {}
                    Ok(Some(found)) => return Ok(found),
                    Err(error) => return Err(error_of(error)),
                }
            }
        };
        let found = timeout(RESCAN, search).await;
        self.end_search().await;
        found.unwrap_or_else(|_| Err(unknown()))
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        for task in self.shared().tasks.drain(..) {
            task.abort();
        }
        if self.scan.get_mut().running.is_some() {
            let central = self.central.clone();
            self.runtime.spawn(async move {
                // There is nobody left to tell.
                let _ = timeout(TIDYING, central.stop_scan()).await;
            });
        }
    }
}

fn usable(state: RadioState) -> bool {
    matches!(state, RadioState::On | RadioState::Unknown)
}

/// A task that called `btleplug` ended without a result.
pub(super) fn failed(error: &JoinError) -> Error {
    Error::Os {
        message: format!("btleplug failed: {error}"),
    }
}

/// Names the device in an error that lacks it.
fn about(device: &DeviceId, error: Error) -> Error {
    match error {
        Error::UnknownDevice { .. } => Error::UnknownDevice {
            device: device.to_string(),
        },
        error => error,
    }
}

/// Makes advertisements of what the pump queued, in order.
async fn report(adapter: Weak<Adapter>, mut queued: mpsc::UnboundedReceiver<Queued>) {
    while let Some(Queued { at, id, heard }) = queued.recv().await {
        let Some(adapter) = adapter.upgrade() else {
            break;
        };
        let device = platform::device_id(&id);
        let connected = adapter.link_to(&device).is_some();
        let number = {
            let mut shared = adapter.shared();
            let shared = &mut *shared;
            let Some(hearing) = &mut shared.hearing else {
                continue;
            };
            match hearing.listener.hear(&device, at, &heard, connected) {
                Step::Nothing => continue,
                Step::Report(report) => {
                    // Under the lock, so that nothing is handed out once `stop_scan` has returned.
                    hearing.sink.advertisement(report);
                    continue;
                }
                Step::Ask => hearing.number,
            }
        };
        let memory = adapter.memory(&id).await;
        let mut shared = adapter.shared();
        let shared = &mut *shared;
        if let Some(hearing) = &mut shared.hearing
            && hearing.number == number
            && let Some(report) = hearing.listener.complete(&device, at, &heard, memory)
        {
            shared.heard.insert(device, id);
            hearing.sink.advertisement(report);
        }
    }
}

/// Starts a scan anew that has heard nothing for long: some systems fall silent after hours.
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
            scan.running = None;
            adapter.stop_system_scan().await;
            adapter.settle_or_warn(&mut scan).await;
        } else if scan.running.is_none() && scan.wanted.is_some() {
            // It did not start again after a connection; settling does nothing while one is made.
            adapter.settle_or_warn(&mut scan).await;
        }
    }
}

#[async_trait]
impl Radio for Adapter {
    fn adapter(&self) -> &AdapterInfo {
        &self.info
    }

    fn caps(&self) -> Caps {
        Caps::each(platform::support)
    }

    async fn settled(&self) {
        self.under_way.close();
        self.under_way.wait().await;
        self.under_way.reopen();
    }

    fn state(&self) -> watch::Receiver<RadioState> {
        self.state.subscribe()
    }

    async fn set_power(&self, _on: bool) -> Result<()> {
        let reason = match platform::support(Cap::SetPower) {
            Support::No(reason) | Support::Partly(reason) => reason,
            Support::Yes => "",
        };
        Err(Error::Unsupported {
            what: "Switching the adapter",
            reason,
        })
    }

    async fn start_scan(&self, filter: ScanFilter, sink: Arc<dyn AdvertisementSink>) -> Result<()> {
        if filter.passive {
            return Err(unsupported(&self.caps(), Cap::PassiveScan));
        }
        // BlueZ would switch the adapter on, which nobody asked for.
        self.check_usable()?;
        let mut scan = self.scan.lock().await;
        {
            let mut shared = self.shared();
            shared.number += 1;
            shared.hearing = Some(Hearing {
                number: shared.number,
                sink,
                listener: Listener::new(platform::TELLING),
            });
        }
        scan.wanted = Some(filter);
        let started = self.settle(&mut scan).await;
        if started.is_err() {
            scan.wanted = None;
            self.shared().hearing = None;
        }
        started
    }

    async fn pair(
        &self,
        device: &DeviceId,
        questions: Arc<dyn PairingSink>,
        cancel: CancellationToken,
    ) -> Result<()> {
        self.check_usable()?;
        platform::pairing::pair(device, questions, cancel).await
    }

    async fn is_paired(&self, device: &DeviceId) -> Result<bool> {
        platform::pairing::is_paired(device).await
    }

    async fn unpair(&self, device: &DeviceId) -> Result<()> {
        platform::pairing::unpair(device).await
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
            shared
                .links
                .insert(device.clone(), Slot::Connecting(number));
            number
        };
        let given_up = CancellationToken::new();
        // If this future is dropped, the task below tidies up.
        let guard = given_up.clone().drop_guard();
        let task = this.establish(device.clone(), number, options.timeout, given_up);
        let mut task = self.under_way.spawn(task);
        let result = tokio::select! {
            biased;
            result = &mut task => result.unwrap_or_else(|error| {
                self.leave(device, number);
                Err(failed(&error))
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
}
