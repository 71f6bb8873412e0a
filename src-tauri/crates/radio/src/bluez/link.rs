//! One connection: what is asked of it waits in a queue, and what BlueZ tells of it comes in order.
//!
//! BlueZ refuses what it finds `InProgress`, so a link asks one thing at a time. A call that began is
//! seen to its end in a task of its own, even if its caller went away.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ::bluer::gatt::remote::{Characteristic, CharacteristicWriteRequest};
use ::bluer::gatt::{CharacteristicReader, WriteOp};
use async_trait::async_trait;
use bytes::Bytes;
use dbus::arg::PropMap;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::adapter::Adapter;
use super::bus::{self, Bus, CHARACTERISTIC, Signal};
use super::fault;
use super::streams::{Standing, Streams, Subscription};
use super::table::{Place, Table};
use crate::btleplug::fault::Fault;
use crate::interface::unsupported;
use crate::{
    AdapterId, AttError, AttrId, Cap, Clock, DEFAULT_ATT_MTU, DeviceId, DisconnectReason, Error,
    GattDb, Interruption, Link, LinkState, NotifyMode, NotifyRoute, Radio as _, Result, Rssi,
    SampleKind, SampleSink, Timestamp, WriteKind,
};

/// How long an ATT transaction may take (Core Specification, Vol 3, Part F, 3.3.3).
const TRANSACTION: Duration = Duration::from_secs(30);
/// After what pause a call is repeated that BlueZ was too busy for.
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// How long BlueZ may take to end a link that was asked to end. It waits 2 s by itself.
const DISCONNECTING: Duration = Duration::from_secs(10);
/// How long BlueZ may take to end a link that nobody waits for any more.
pub(super) const TIDYING: Duration = Duration::from_secs(3);
/// How long after a failed call the news may take that the link ended.
const NEWS_OF_END: Duration = Duration::from_millis(300);
/// How long BlueZ may take to see that the socket of an earlier subscription was closed.
const RELEASING: Duration = Duration::from_secs(2);
/// How long no service comes or goes before the services are looked at again.
const SETTLING: Duration = Duration::from_millis(300);
/// How many reads of no bytes in a row mean that a socket was closed, and not a value of no bytes.
const CLOSED_AFTER: usize = 16;

/// What is shared between a link's handle, its calls and its adapter.
pub(super) struct Linked {
    of: AdapterId,
    device: DeviceId,
    path: String,
    remote: ::bluer::Device,
    bus: Arc<Bus>,
    clock: Clock,
    /// Pairings that were refused.
    refusals: broadcast::Receiver<(AdapterId, DeviceId)>,
    table: SyncMutex<Arc<Table>>,
    gatt: watch::Sender<Arc<GattDb>>,
    state: watch::Sender<LinkState>,
    mtu: watch::Sender<Option<u16>>,
    streams: Arc<Streams>,
    /// The queue: whoever holds it may ask something of the device.
    turn: Mutex<()>,
    asked_to_end: AtomicBool,
    /// Why BlueZ says that it ended.
    words: SyncMutex<Option<String>>,
    /// Objects that went since the services were looked at, and when.
    removed: SyncMutex<HashMap<String, Timestamp>>,
    /// When the first socket ended since then.
    closed: SyncMutex<Option<Timestamp>>,
    changed: Arc<Notify>,
    adapter: Weak<Adapter>,
}

fn locked<T>(mutex: &SyncMutex<T>) -> MutexGuard<'_, T> {
    // Every change is a single step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Linked {
    /// Takes over a device that is connected and whose services are known.
    pub(super) fn new(
        device: DeviceId,
        path: String,
        remote: ::bluer::Device,
        bus: Arc<Bus>,
        table: Table,
        adapter: &Arc<Adapter>,
    ) -> Arc<Self> {
        let linked = Arc::new(Self {
            of: adapter.id().clone(),
            refusals: adapter.refusals(),
            clock: adapter.clock(),
            device,
            path,
            remote,
            bus,
            gatt: watch::Sender::new(table.db.clone()),
            mtu: watch::Sender::new(table.mtu),
            table: SyncMutex::new(Arc::new(table)),
            state: watch::Sender::new(LinkState::Up),
            streams: Arc::default(),
            turn: Mutex::new(()),
            asked_to_end: AtomicBool::new(false),
            words: SyncMutex::default(),
            removed: SyncMutex::default(),
            closed: SyncMutex::default(),
            changed: Arc::default(),
            adapter: Arc::downgrade(adapter),
        });
        // What changed before this was in its place, it was not told.
        linked.changed.notify_one();
        tokio::spawn(follow_services(Arc::downgrade(&linked)));
        linked
    }

    pub(super) fn is_up(&self) -> bool {
        *self.state.borrow() == LinkState::Up
    }

    pub(super) fn was_asked_to_end(&self) -> bool {
        self.asked_to_end.load(Ordering::Acquire)
    }

    /// Whether what ends it from now on was asked for.
    pub(super) fn asks_to_end(&self, asked: bool) {
        self.asked_to_end.store(asked, Ordering::Release);
    }

    /// BlueZ says why the device disconnected, before it says that it did.
    pub(super) fn words(&self, words: String) {
        *locked(&self.words) = Some(words);
    }

    /// Why BlueZ says that it ended.
    pub(super) fn take_words(&self) -> Option<String> {
        locked(&self.words).take()
    }

    /// Takes what BlueZ tells of an attribute, at once.
    pub(super) fn take(&self, at: Timestamp, signal: Signal) {
        let below = |path: &str| path.starts_with(&self.path) && path.len() > self.path.len();
        match signal {
            Signal::Changed {
                path,
                interface,
                properties,
            } if interface == CHARACTERISTIC => self.changed(at, &path, &properties),
            Signal::Added { path, .. } if below(&path) => self.changed.notify_one(),
            Signal::Removed { path, .. } if below(&path) => {
                locked(&self.removed).entry(path).or_insert(at);
                self.changed.notify_one();
            }
            _ => {}
        }
    }

    fn changed(&self, at: Timestamp, path: &str, properties: &PropMap) {
        if let Some(value) = bus::bytes(properties, "Value")
            && let Some(place) = Place::below(&self.path, path)
        {
            self.streams.signalled(place, at, value);
        }
        if let Some(mtu) = bus::number(properties, "MTU") {
            self.tell_mtu(mtu);
        }
    }

    fn tell_mtu(&self, mtu: u16) {
        self.mtu.send_if_modified(|told| {
            let changed = *told != Some(mtu);
            *told = Some(mtu);
            changed
        });
    }

    fn mtu_now(&self) -> Option<u16> {
        *self.mtu.borrow()
    }

    fn table(&self) -> Arc<Table> {
        locked(&self.table).clone()
    }

    /// Says that the link ended. The first reason stays.
    pub(super) fn down(&self, reason: DisconnectReason) {
        let was_up = self.state.send_if_modified(|state| {
            let up = *state == LinkState::Up;
            if up {
                tracing::info!(device = %self.device, ?reason, "the link ended");
                *state = LinkState::Down(reason);
            }
            up
        });
        if was_up {
            self.streams.clear();
            self.changed.notify_one();
            if let Some(adapter) = self.adapter.upgrade() {
                adapter.link_ended(&self.device, self);
            }
        }
    }

    fn check_up(&self) -> Result<()> {
        if self.is_up() {
            Ok(())
        } else {
            Err(Error::NotConnected)
        }
    }

    async fn wait_until_down(&self) {
        // The sender lives in `self`, so the state cannot close.
        let _ = self
            .state
            .subscribe()
            .wait_for(|state| *state != LinkState::Up)
            .await;
    }

    /// Does `job` when it is this call's turn, to its end.
    async fn in_turn<T, F>(self: &Arc<Self>, job: impl FnOnce(Arc<Self>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.check_up()?;
        let linked = self.clone();
        let job = job(self.clone());
        let work = tokio::spawn(async move {
            let _turn = tokio::select! {
                biased;
                () = linked.wait_until_down() => return Err(Error::NotConnected),
                turn = linked.turn.lock() => turn,
            };
            job.await
        });
        work.await.unwrap_or_else(|error| {
            Err(Error::Os {
                message: format!("a call to BlueZ failed: {error}"),
            })
        })
    }

    /// Asks BlueZ, until it answers, the link ends, or a transaction's time is over.
    async fn ask<T, F>(&self, operation: &'static str, call: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let answer = async {
            loop {
                match call().await {
                    Err(fault) if fault.in_progress => sleep(BUSY_PAUSE).await,
                    answer => return answer,
                }
            }
        };
        let mut refusals = self.refusals.resubscribe();
        let refused = async {
            loop {
                match refusals.recv().await {
                    Ok((adapter, device)) if (&adapter, &device) == (&self.of, &self.device) => {
                        // The device's own answer may be on its way.
                        return sleep(NEWS_OF_END).await;
                    }
                    Err(RecvError::Closed) => std::future::pending().await,
                    _ => {}
                }
            }
        };
        let answer = tokio::select! {
            // An answer that came before the end of the link is an answer.
            biased;
            answer = timeout(TRANSACTION, answer) => answer,
            () = self.wait_until_down() => return Err(Error::NotConnected),
            // BlueZ began to pair for this call, and waits 30 s after it was refused.
            () = refused => return Err(Error::NotPaired {
                system: "BlueZ: the pairing was refused",
            }),
        };
        let fault = match answer {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(fault)) => fault,
            Err(_) => {
                return Err(Error::TimedOut {
                    operation,
                    after: TRANSACTION,
                });
            }
        };
        match fault.error {
            // The attribute's object is gone: with the connection, or because the services changed.
            Error::UnknownDevice { .. } => match timeout(NEWS_OF_END, self.wait_until_down()).await
            {
                Err(_) if self.is_connected().await => Err(Error::Os {
                    message: "the device's services changed, and this attribute is gone".into(),
                }),
                _ => Err(Error::NotConnected),
            },
            // BlueZ answers what was under way with 0x0E when a link drops, which is no answer of the
            // device, or with a text, and the news of the end comes after it.
            error @ (Error::Att(AttError::UNLIKELY)
            | Error::Os { .. }
            | Error::NoService { .. }) => {
                match timeout(NEWS_OF_END, self.wait_until_down()).await {
                    Ok(()) => Err(Error::NotConnected),
                    Err(_) => Err(error),
                }
            }
            error => Err(error),
        }
    }

    async fn characteristic(&self, place: Place) -> Result<Characteristic, Fault> {
        let service = self.remote.service(place.service).await;
        let service = service.map_err(|error| fault::of(&error))?;
        let id = place.characteristic.unwrap_or_default();
        service
            .characteristic(id)
            .await
            .map_err(|error| fault::of(&error))
    }

    async fn read_in_turn(&self, attribute: AttrId) -> Result<Bytes> {
        let place = self.table().to_read(attribute)?;
        if self.streams.read_begins(place) {
            // Over the connection that the signals come by, so that they keep their order.
            let path = place.path(&self.path);
            let call = || {
                let options = (PropMap::new(),);
                self.bus.call::<(Vec<u8>,)>(
                    &path,
                    CHARACTERISTIC,
                    "ReadValue",
                    options,
                    TRANSACTION,
                )
            };
            let value = self.ask("Reading", call).await.map(|(value,)| value);
            let mtu = self.mtu_now().unwrap_or(DEFAULT_ATT_MTU);
            let answer = value.as_ref().ok().map(Vec::as_slice);
            self.streams.read_ended(place, answer, mtu);
            return value.map(Bytes::from);
        }
        let read = || async {
            let characteristic = self.characteristic(place).await?;
            let value = match place.descriptor {
                None => characteristic.read().await,
                Some(id) => match characteristic.descriptor(id).await {
                    Ok(descriptor) => descriptor.read().await,
                    Err(error) => Err(error),
                },
            };
            value.map_err(|error| fault::of(&error))
        };
        self.ask("Reading", read).await.map(Bytes::from)
    }

    async fn write_in_turn(&self, attribute: AttrId, value: &[u8], kind: WriteKind) -> Result<()> {
        let (place, max) = self.table().to_write(attribute, kind, self.mtu_now())?;
        if value.len() > max {
            let len = value.len();
            return Err(Error::TooLong { len, max });
        }
        let request = CharacteristicWriteRequest {
            op_type: match kind {
                WriteKind::WithResponse => WriteOp::Request,
                WriteKind::WithoutResponse => WriteOp::Command,
            },
            ..CharacteristicWriteRequest::default()
        };
        let write = || async {
            let characteristic = self.characteristic(place).await?;
            let written = match place.descriptor {
                None => characteristic.write_ext(value, &request).await,
                Some(id) => match characteristic.descriptor(id).await {
                    Ok(descriptor) => descriptor.write(value).await,
                    Err(error) => Err(error),
                },
            };
            written.map_err(|error| fault::of(&error))
        };
        self.ask("Writing", write).await
    }

    async fn subscribe_in_turn(
        self: &Arc<Self>,
        attribute: AttrId,
        mode: NotifyMode,
        route: NotifyRoute,
        sink: Arc<dyn SampleSink>,
    ) -> Result<()> {
        let (place, uuid, kind) = self.table().to_subscribe(attribute, mode)?;
        let subscription = Subscription {
            attribute,
            uuid,
            kind,
            // Only notifications come by socket.
            route: match kind {
                SampleKind::Notification => route,
                _ => NotifyRoute::Signals,
            },
            sink,
        };
        match self.streams.standing(place) {
            Standing::Runs(running) if running == subscription.route => {
                self.streams.replace(place, subscription);
                return Ok(());
            }
            Standing::Runs(running) => self.stop(place, running).await?,
            Standing::None => {}
        }
        self.start(place, subscription).await
    }

    async fn start(self: &Arc<Self>, place: Place, mut subscription: Subscription) -> Result<()> {
        if subscription.route == NotifyRoute::Socket && !bus::carries_sockets() {
            subscription.route = NotifyRoute::Signals;
        }
        if subscription.route == NotifyRoute::Socket {
            match self.start_by_socket(place, subscription.clone()).await? {
                true => return Ok(()),
                false => subscription.route = NotifyRoute::Signals,
            }
        }
        self.streams.begin(place, subscription);
        let path = place.path(&self.path);
        let start = || async {
            let started: Result<(), Fault> = self
                .bus
                .call(&path, CHARACTERISTIC, "StartNotify", (), TRANSACTION)
                .await;
            match started {
                // BlueZ keeps a session over a disconnection and takes it up again by itself.
                Err(fault) if fault.already => Ok(()),
                started => started,
            }
        };
        let started = self.ask_once_released(start).await;
        match started {
            Ok(()) => self.streams.by_signals(place),
            Err(_) => self.streams.end(place),
        }
        started
    }

    /// Asks for notifications. BlueZ may not have seen yet that an earlier socket was closed.
    async fn ask_once_released<T, F>(&self, call: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let patience = Instant::now() + RELEASING;
        loop {
            match self.ask("Subscribing", &call).await {
                Err(Error::Os { message })
                    if message.contains("Notify acquired") && Instant::now() < patience =>
                {
                    sleep(BUSY_PAUSE).await;
                }
                answer => return answer,
            }
        }
    }

    /// Subscribes by socket; `false` if BlueZ or the bus has none to give.
    async fn start_by_socket(
        self: &Arc<Self>,
        place: Place,
        subscription: Subscription,
    ) -> Result<bool> {
        let number = self.streams.begin(place, subscription);
        let acquire = || async {
            let characteristic = self.characteristic(place).await?;
            characteristic
                .notify_io()
                .await
                .map_err(|error| fault::of(&error))
        };
        let reader = match self.ask_once_released(acquire).await {
            Ok(reader) => reader,
            // The bus cannot pass sockets, as over TCP, or BlueZ has none for this.
            Err(Error::Os { message }) if message.contains("NotSupported") => {
                tracing::debug!(%message, "no socket for notifications");
                self.streams.end(place);
                return Ok(false);
            }
            Err(error) => {
                self.streams.end(place);
                return Err(error);
            }
        };
        if let Ok(mtu) = u16::try_from(reader.mtu()) {
            self.tell_mtu(mtu);
        }
        let streams = self.streams.clone();
        let clock = self.clock.clone();
        let reading = read_socket(reader, clock, move |at, value| {
            streams.read(place, number, at, value)
        });
        let this = Arc::downgrade(self);
        let reading = tokio::spawn(async move {
            reading.await;
            if let Some(this) = this.upgrade() {
                locked(&this.closed).get_or_insert_with(|| this.clock.now());
                this.changed.notify_one();
            }
        });
        self.streams
            .by_socket(place, number, reading.abort_handle());
        Ok(true)
    }

    /// Ends a subscription that runs.
    async fn stop(&self, place: Place, running: NotifyRoute) -> Result<()> {
        let stopped = match running {
            // BlueZ sees that the socket is closed.
            NotifyRoute::Socket => Ok(()),
            NotifyRoute::Signals => {
                let path = place.path(&self.path);
                let stop = || {
                    self.bus
                        .call(&path, CHARACTERISTIC, "StopNotify", (), TRANSACTION)
                };
                self.ask("Unsubscribing", stop).await
            }
        };
        // Where BlueZ goes on, so do its values.
        if stopped.is_ok() {
            self.streams.end(place);
        }
        stopped
    }

    async fn unsubscribe_in_turn(&self, attribute: AttrId) -> Result<()> {
        let (place, ..) = self.table().to_subscribe(attribute, NotifyMode::System)?;
        match self.streams.standing(place) {
            Standing::Runs(running) => self.stop(place, running).await,
            Standing::None => Ok(()),
        }
    }

    /// Looks at the services again, and takes subscriptions over into what is there now.
    async fn rediscover_in_turn(self: Arc<Self>) -> Result<()> {
        let removed = std::mem::take(&mut *locked(&self.removed));
        let closed = locked(&self.closed).take();
        let objects = self.bus.objects(TRANSACTION).await;
        let now = objects
            .map_err(|fault| fault.error)
            .and_then(|objects| Table::new(&self.path, &objects));
        let now = match now {
            Ok(now) => now,
            Err(error) => {
                // Next time, then.
                locked(&self.removed).extend(removed);
                *locked(&self.closed) = closed;
                return Err(error);
            }
        };
        let before = self.table();
        let changed = !now.same(&before);
        let table = if changed { Arc::new(now) } else { before };
        if changed {
            tracing::info!(device = %self.device, "the services changed");
            *locked(&self.table) = table.clone();
            self.gatt.send_replace(table.db.clone());
        }
        if let Some(mtu) = table.mtu {
            self.tell_mtu(mtu);
        }
        if !changed && removed.is_empty() && closed.is_none() {
            return Ok(());
        }
        let gone = |place: Place| removed.contains_key(&place.path(&self.path));
        let since = removed.values().copied().chain(closed).min();
        let since = since.unwrap_or_else(|| self.clock.now());
        for (place, subscription) in self.streams.carry_over(&table, gone) {
            let attribute = subscription.attribute;
            let sink = subscription.sink.clone();
            let started = self.start(place, subscription).await;
            if let Err(error) = &started {
                tracing::warn!(%attribute, %error, "a subscription did not come back");
            }
            // The end of the link speaks for itself.
            if self.is_up() {
                sink.interrupted(Interruption {
                    attribute,
                    since,
                    until: started.map(|()| self.clock.now()),
                });
            }
        }
        Ok(())
    }

    /// Ends the link within `limit`.
    async fn end(&self, limit: Duration) -> Result<()> {
        self.asks_to_end(true);
        let ended = timeout(limit, self.remote.disconnect()).await;
        let error = match ended {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(fault::of(&error).error),
            Err(_) => Some(Error::TimedOut {
                operation: "Disconnecting",
                after: limit,
            }),
        };
        match error {
            Some(error) if self.is_up() && self.is_connected().await => {
                self.asks_to_end(false);
                Err(error)
            }
            _ => {
                self.down(DisconnectReason::Requested);
                Ok(())
            }
        }
    }

    /// Whether BlueZ says that the device is still connected.
    pub(super) async fn is_connected(&self) -> bool {
        matches!(
            timeout(TIDYING, self.remote.is_connected()).await,
            Ok(Ok(true))
        )
    }
}

impl Drop for Linked {
    fn drop(&mut self) {
        // Who follows the services has nothing to follow any more.
        self.changed.notify_one();
    }
}

/// Hands on every value of a socket until it closes or nobody wants it any more.
async fn read_socket(
    reader: CharacteristicReader,
    clock: Clock,
    hand_on: impl Fn(Timestamp, Vec<u8>) -> bool,
) {
    while reader.recvable().await.is_ok() {
        // A closed socket gives no bytes for ever, a value of no bytes gives them once.
        let mut nothing = Vec::new();
        loop {
            match reader.try_recv() {
                Ok(value) if value.is_empty() => {
                    nothing.push(clock.now());
                    if nothing.len() == CLOSED_AFTER {
                        return;
                    }
                    continue;
                }
                Ok(value) => {
                    let at = clock.now();
                    let empty = nothing.drain(..).map(|at| (at, Vec::new()));
                    for (at, value) in empty.chain([(at, value)]) {
                        if !hand_on(at, value) {
                            return;
                        }
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => return,
            }
        }
        for at in nothing {
            if !hand_on(at, Vec::new()) {
                return;
            }
        }
    }
}

/// Looks at the services again when some of them came or went, until the link ends.
async fn follow_services(linked: Weak<Linked>) {
    loop {
        let Some(this) = linked.upgrade() else {
            break;
        };
        if !this.is_up() {
            break;
        }
        // Waiting must not keep a link that nobody has any more.
        let changed = this.changed.clone();
        drop(this);
        changed.notified().await;
        // They come and go one by one.
        while timeout(SETTLING, changed.notified()).await.is_ok() {}
        let Some(this) = linked.upgrade().filter(|this| this.is_up()) else {
            break;
        };
        if let Err(error) = this.in_turn(Linked::rediscover_in_turn).await
            && this.is_up()
        {
            tracing::warn!(%error, "the services were not looked at");
            sleep(SETTLING).await;
            this.changed.notify_one();
        }
    }
}

/// The handle of a link. Dropping it ends the link, for BlueZ would leave it up.
pub(super) struct Connection {
    linked: Arc<Linked>,
    /// Keeps the adapter's signals coming.
    adapter: Arc<Adapter>,
}

impl Connection {
    pub(super) fn new(linked: Arc<Linked>, adapter: Arc<Adapter>) -> Self {
        Self { linked, adapter }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.linked.is_up() {
            let linked = self.linked.clone();
            let adapter = self.adapter.clone();
            self.adapter.sees_to(async move {
                if let Err(error) = linked.end(TIDYING).await {
                    tracing::warn!(device = %linked.device, %error, "a dropped link stays up");
                    linked.down(DisconnectReason::Requested);
                }
                drop(adapter);
            });
        }
    }
}

#[async_trait]
impl Link for Connection {
    fn device(&self) -> &DeviceId {
        &self.linked.device
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.linked.state.subscribe()
    }

    fn mtu(&self) -> watch::Receiver<Option<u16>> {
        self.linked.mtu.subscribe()
    }

    fn gatt(&self) -> Arc<GattDb> {
        self.linked.table().db.clone()
    }

    fn gatt_live(&self) -> Option<watch::Receiver<Arc<GattDb>>> {
        Some(self.linked.gatt.subscribe())
    }

    fn max_write(&self, attribute: AttrId, kind: WriteKind) -> Result<usize> {
        let mtu = self.linked.mtu_now();
        let (_, max) = self.linked.table().to_write(attribute, kind, mtu)?;
        Ok(max)
    }

    async fn read(&self, attribute: AttrId) -> Result<Bytes> {
        self.linked.table().to_read(attribute)?;
        self.linked
            .in_turn(move |linked| async move { linked.read_in_turn(attribute).await })
            .await
    }

    async fn write(&self, attribute: AttrId, value: Bytes, kind: WriteKind) -> Result<()> {
        let max = self.max_write(attribute, kind)?;
        if value.len() > max {
            let len = value.len();
            return Err(Error::TooLong { len, max });
        }
        self.linked
            .in_turn(
                move |linked| async move { linked.write_in_turn(attribute, &value, kind).await },
            )
            .await
    }

    async fn subscribe(
        &self,
        attribute: AttrId,
        mode: NotifyMode,
        sink: Arc<dyn SampleSink>,
    ) -> Result<()> {
        self.subscribe_by(NotifyRoute::default(), attribute, mode, sink)
            .await
    }

    async fn subscribe_by(
        &self,
        route: NotifyRoute,
        attribute: AttrId,
        mode: NotifyMode,
        sink: Arc<dyn SampleSink>,
    ) -> Result<()> {
        self.linked.table().to_subscribe(attribute, mode)?;
        self.linked
            .in_turn(move |linked| async move {
                linked.subscribe_in_turn(attribute, mode, route, sink).await
            })
            .await
    }

    async fn unsubscribe(&self, attribute: AttrId) -> Result<()> {
        self.linked
            .table()
            .to_subscribe(attribute, NotifyMode::System)?;
        if !self.linked.is_up() {
            return Ok(());
        }
        self.linked
            .in_turn(move |linked| async move { linked.unsubscribe_in_turn(attribute).await })
            .await
    }

    async fn rssi(&self) -> Result<Rssi> {
        Err(self.without(Cap::LinkRssi))
    }

    fn without(&self, cap: Cap) -> Error {
        unsupported(&self.adapter.caps(), cap)
    }

    async fn disconnect(&self) -> Result<()> {
        if !self.linked.is_up() {
            return Ok(());
        }
        self.linked.end(DISCONNECTING).await
    }
}
