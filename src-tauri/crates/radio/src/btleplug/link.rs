//! One connection: a single `btleplug` handle from connecting until the end, and one queue.
//!
//! What is asked of a link waits in a queue, for BlueZ refuses what it finds `InProgress`. A call
//! that began is seen to its end in a task of its own, even if its caller went away: a read that
//! CoreBluetooth still owes an answer would take the next notification for it.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use ::btleplug::api::{Peripheral as _, WriteType};
use ::btleplug::platform::Peripheral;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::adapter::{Adapter, failed};
use super::fault::Fault;
use super::platform;
use super::subscriptions::Subscriptions;
use super::table::{Key, Named, Table};
use crate::interface::unsupported;
use crate::{
    AttError, AttrId, Cap, Caps, Clock, ConnectionParameters, ConnectionPreset, DeviceId,
    DisconnectReason, Error, GattDb, Link, LinkState, NotifyMode, Result, Rssi, SampleSink,
    Support, WriteKind,
};

/// How long an ATT transaction may take (Core Specification, Vol 3, Part F, 3.3.3).
const TRANSACTION: Duration = Duration::from_secs(30);
/// After what pause a call is repeated that the system was too busy for.
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// How long the system may take to end a link that was asked to end. BlueZ waits 2 s by itself.
const DISCONNECTING: Duration = Duration::from_secs(10);
/// How long the system may take to end a link that nobody waits for any more.
pub(super) const TIDYING: Duration = Duration::from_secs(3);
/// How long after a failed call the news may take that the link ended.
const NEWS_OF_END: Duration = Duration::from_millis(300);

/// What is shared between a link's handle, its calls and its adapter.
pub(super) struct Linked {
    device: DeviceId,
    peripheral: Peripheral,
    table: Table,
    state: watch::Sender<LinkState>,
    mtu: watch::Sender<Option<u16>>,
    subscriptions: Arc<Subscriptions>,
    /// The queue: whoever holds it may ask something of the device.
    turn: Mutex<()>,
    /// To the drain: a read ended, and its echo may be taken out.
    read_ended: mpsc::UnboundedSender<ReadEnded>,
    asked_to_end: AtomicBool,
    adapter: Weak<Adapter>,
}

/// News for the drain, which knows what arrived before it.
pub(super) struct ReadEnded {
    answer: Option<Vec<u8>>,
    mtu: u16,
    seen: oneshot::Sender<()>,
}

impl Linked {
    /// Takes over a device that is connected and whose services are known. The drain begins at once,
    /// before anything can be subscribed.
    pub(super) fn new(
        device: DeviceId,
        peripheral: Peripheral,
        table: Table,
        notifications: impl Stream<Item = ::btleplug::api::ValueNotification> + Send + Unpin + 'static,
        clock: Clock,
        adapter: &Arc<Adapter>,
    ) -> Arc<Self> {
        let (read_ended, reads) = mpsc::unbounded_channel();
        let subscriptions = Arc::new(Subscriptions::default());
        let linked = Arc::new(Self {
            device,
            mtu: watch::Sender::new(Some(peripheral.mtu())),
            peripheral,
            table,
            state: watch::Sender::new(LinkState::Up),
            subscriptions: subscriptions.clone(),
            turn: Mutex::new(()),
            read_ended,
            asked_to_end: AtomicBool::new(false),
            adapter: Arc::downgrade(adapter),
        });
        let state = linked.state.subscribe();
        tokio::spawn(drain(notifications, reads, subscriptions, clock, state));
        linked
    }

    pub(super) fn is_up(&self) -> bool {
        *self.state.borrow() == LinkState::Up
    }

    pub(super) fn was_asked_to_end(&self) -> bool {
        self.asked_to_end.load(Ordering::Acquire)
    }

    /// Whether the system says that the device is still connected.
    pub(super) async fn is_connected(&self) -> bool {
        matches!(
            timeout(TIDYING, self.peripheral.is_connected()).await,
            Ok(Ok(true))
        )
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
            self.subscriptions.clear();
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
            let done = job.await;
            linked.tell_mtu();
            done
        });
        work.await.unwrap_or_else(|error| Err(failed(&error)))
    }

    /// Windows changes the MTU without an event, so it is looked at after every call.
    fn tell_mtu(&self) {
        let mtu = Some(self.peripheral.mtu());
        self.mtu.send_if_modified(|told| {
            let changed = *told != mtu;
            *told = mtu;
            changed
        });
    }

    /// Asks the system, until it answers, the link ends, or a transaction's time is over.
    async fn ask<T, E, F>(&self, operation: &'static str, call: impl Fn() -> F) -> Result<T>
    where
        E: Into<Fault>,
        F: Future<Output = std::result::Result<T, E>>,
    {
        let answer = async {
            loop {
                match call().await.map_err(Into::<Fault>::into) {
                    Ok(value) => return Ok(value),
                    Err(fault) if fault.in_progress => tokio::time::sleep(BUSY_PAUSE).await,
                    Err(fault) => return Err(fault),
                }
            }
        };
        let answer = tokio::select! {
            // An answer that came before the end of the link is an answer.
            biased;
            answer = timeout(TRANSACTION, answer) => answer,
            () = self.wait_until_down() => return Err(Error::NotConnected),
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
            // The object of the attribute is gone, and it goes with the connection.
            Error::UnknownDevice { .. } => Err(Error::NotConnected),
            // BlueZ answers what was under way with 0x0E when a link drops, which is no answer of the
            // device, and other systems with a text. The news of the end can come after it.
            error @ (Error::Att(AttError::UNLIKELY) | Error::Os { .. }) => {
                match timeout(NEWS_OF_END, self.wait_until_down()).await {
                    Ok(()) => Err(Error::NotConnected),
                    Err(_) => Err(error),
                }
            }
            error => Err(error),
        }
    }

    async fn read_in_turn(&self, attribute: AttrId) -> Result<Bytes> {
        let value = match self.table.to_read(attribute)? {
            Named::Characteristic(characteristic) => {
                let key = (characteristic.service_uuid, characteristic.uuid);
                let echoes = platform::ECHOES_READS && self.subscriptions.read_begins(key);
                let read = || self.peripheral.read(characteristic);
                let value = self.ask("Reading", read).await;
                if echoes {
                    self.take_echo_out(value.as_ref().ok()).await;
                }
                value?
            }
            Named::Descriptor(descriptor) => {
                let read = || self.peripheral.read_descriptor(descriptor);
                let value = self.ask("Reading", read).await?;
                #[cfg(target_vendor = "apple")]
                let value = super::table::bytes_of_number(descriptor.uuid, value);
                value
            }
            Named::Service => return Err(Error::NotOffered { operation: "read" }),
        };
        Ok(Bytes::from(value))
    }

    /// Lets the drain take what arrived before the answer, and then take the echo out of it.
    async fn take_echo_out(&self, answer: Option<&Vec<u8>>) {
        let (seen, done) = oneshot::channel();
        let news = ReadEnded {
            answer: answer.cloned(),
            mtu: self.peripheral.mtu(),
            seen,
        };
        if self.read_ended.send(news).is_ok() {
            // It fails only when the link ended, and nobody waits for values any more.
            let _ = done.await;
        }
    }

    async fn write_in_turn(&self, attribute: AttrId, value: &[u8], kind: WriteKind) -> Result<()> {
        let (named, max) = self
            .table
            .to_write(attribute, kind, self.peripheral.mtu())?;
        if value.len() > max {
            let len = value.len();
            return Err(Error::TooLong { len, max });
        }
        let write_type = match kind {
            WriteKind::WithResponse => WriteType::WithResponse,
            WriteKind::WithoutResponse => WriteType::WithoutResponse,
        };
        match named {
            Named::Characteristic(characteristic) => {
                let write = || self.peripheral.write(characteristic, value, write_type);
                self.ask("Writing", write).await
            }
            Named::Descriptor(descriptor) => {
                let write = || self.peripheral.write_descriptor(descriptor, value);
                self.ask("Writing", write).await
            }
            Named::Service => Err(Error::NotOffered { operation: "write" }),
        }
    }

    async fn subscribe_in_turn(
        &self,
        attribute: AttrId,
        mode: NotifyMode,
        sink: Arc<dyn SampleSink>,
    ) -> Result<()> {
        let (characteristic, kind) = self
            .table
            .to_subscribe(attribute, mode, platform::PREFERS)?;
        let key = (characteristic.service_uuid, characteristic.uuid);
        // First the sink: some devices send before they confirm the subscription.
        if self.subscriptions.set(key, attribute, kind, sink) {
            return Ok(());
        }
        let subscribe = || async {
            let subscribed = self.peripheral.subscribe(characteristic).await;
            match subscribed.map_err(Fault::from) {
                // BlueZ keeps a session over a disconnection and takes it up again by itself.
                Err(fault) if fault.already => Ok(()),
                subscribed => subscribed,
            }
        };
        let subscribed = self.ask("Subscribing", subscribe).await;
        if subscribed.is_err() {
            self.subscriptions.remove(&key);
        }
        subscribed
    }

    async fn unsubscribe_in_turn(&self, key: Key, attribute: AttrId) -> Result<()> {
        let (characteristic, _) =
            self.table
                .to_subscribe(attribute, NotifyMode::System, platform::PREFERS)?;
        if !self.subscriptions.remove(&key) {
            return Ok(());
        }
        let unsubscribe = || self.peripheral.unsubscribe(characteristic);
        self.ask("Unsubscribing", unsubscribe).await
    }

    /// Ends the link within `limit`.
    async fn end(&self, limit: Duration) -> Result<()> {
        self.asked_to_end.store(true, Ordering::Release);
        let ended = timeout(limit, self.peripheral.disconnect()).await;
        let error = match ended {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Fault::from(error).error),
            Err(_) => Some(Error::TimedOut {
                operation: "Disconnecting",
                after: limit,
            }),
        };
        match error {
            Some(error) if self.is_up() && self.is_connected().await => {
                // It stays up; when it is lost later, nobody asked for that.
                self.asked_to_end.store(false, Ordering::Release);
                Err(error)
            }
            _ => {
                self.down(DisconnectReason::Requested);
                Ok(())
            }
        }
    }
}

/// Takes values from the system, stamps them and hands them on, and does nothing else.
async fn drain(
    mut notifications: impl Stream<Item = ::btleplug::api::ValueNotification> + Unpin,
    mut reads: mpsc::UnboundedReceiver<ReadEnded>,
    subscriptions: Arc<Subscriptions>,
    clock: Clock,
    mut state: watch::Receiver<LinkState>,
) {
    loop {
        tokio::select! {
            // In this order: the end of a read is looked at when all that came before it is taken.
            biased;
            next = notifications.next() => match next {
                Some(next) => {
                    let at = clock.now();
                    subscriptions.arrived(&(next.service_uuid, next.uuid), at, next.value);
                }
                None => break,
            },
            Some(ended) = reads.recv() => {
                subscriptions.read_ended(ended.answer.as_deref(), ended.mtu);
                // A caller that went away needs no answer.
                let _ = ended.seen.send(());
            }
            _ = state.wait_for(|state| *state != LinkState::Up) => break,
        }
    }
}

/// The handle of a link. Dropping it ends the link, for Linux would leave it up.
pub(super) struct Connection {
    linked: Arc<Linked>,
    /// Keeps the adapter's events coming.
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

impl Connection {
    fn check(&self, cap: Cap) -> Result<()> {
        match platform::support(cap) {
            Support::No(_) => Err(self.without(cap)),
            Support::Yes | Support::Partly(_) => Ok(()),
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
        self.linked.table.db.clone()
    }

    fn max_write(&self, attribute: AttrId, kind: WriteKind) -> Result<usize> {
        let mtu = self.linked.peripheral.mtu();
        let (_, max) = self.linked.table.to_write(attribute, kind, mtu)?;
        Ok(max)
    }

    async fn read(&self, attribute: AttrId) -> Result<Bytes> {
        self.linked.table.to_read(attribute)?;
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
        self.linked
            .table
            .to_subscribe(attribute, mode, platform::PREFERS)?;
        self.linked
            .in_turn(
                move |linked| async move { linked.subscribe_in_turn(attribute, mode, sink).await },
            )
            .await
    }

    async fn unsubscribe(&self, attribute: AttrId) -> Result<()> {
        let (characteristic, _) =
            self.linked
                .table
                .to_subscribe(attribute, NotifyMode::System, platform::PREFERS)?;
        let key = (characteristic.service_uuid, characteristic.uuid);
        if !self.linked.is_up() {
            return Ok(());
        }
        self.linked
            .in_turn(move |linked| async move { linked.unsubscribe_in_turn(key, attribute).await })
            .await
    }

    fn without(&self, cap: Cap) -> Error {
        unsupported(&Caps::each(platform::support), cap)
    }

    async fn connection_parameters(&self) -> Result<ConnectionParameters> {
        self.check(Cap::ConnectionParameters)?;
        let parameters = self
            .linked
            .in_turn(|linked| async move {
                let read = || linked.peripheral.connection_parameters();
                linked.ask("Reading the connection parameters", read).await
            })
            .await?;
        let parameters = parameters.ok_or(Error::NotConnected)?;
        Ok(ConnectionParameters {
            interval_us: parameters.interval_us,
            latency: parameters.latency,
            supervision_timeout_us: parameters.supervision_timeout_us,
        })
    }

    async fn request_connection_parameters(&self, preset: ConnectionPreset) -> Result<()> {
        use ::btleplug::api::ConnectionParameterPreset as Preset;
        self.check(Cap::ConnectionParameters)?;
        let preset = match preset {
            ConnectionPreset::Balanced => Preset::Balanced,
            ConnectionPreset::Throughput => Preset::ThroughputOptimized,
            ConnectionPreset::Power => Preset::PowerOptimized,
        };
        self.linked
            .in_turn(move |linked| async move {
                let ask = || linked.peripheral.request_connection_parameters(preset);
                linked.ask("Asking for connection parameters", ask).await
            })
            .await
    }

    async fn rssi(&self) -> Result<Rssi> {
        self.check(Cap::LinkRssi)?;
        self.linked
            .in_turn(|linked| async move {
                let read = || linked.peripheral.read_rssi();
                linked
                    .ask("Reading the signal strength", read)
                    .await
                    .map(Rssi)
            })
            .await
    }

    async fn disconnect(&self) -> Result<()> {
        if !self.linked.is_up() {
            return Ok(());
        }
        self.linked.end(DISCONNECTING).await
    }
}
