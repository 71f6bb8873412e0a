//! A connection to a virtual device: its requests, one after the other, and its subscriptions.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rand::Rng;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::air::{Air, Core, Device, Life};
use super::lock;
use super::peripheral::{CLIENT_CONFIGURATION, Reaction};
use crate::interface::unsupported;
use crate::{
    AttError, AttrId, AttrKind, Attribute, Cap, ConnectionParameters, ConnectionPreset, DeviceId,
    DisconnectReason, Error, GattDb, Link, LinkState, MAX_ATTRIBUTE_LEN, NotifyMode, Properties,
    Result, Rssi, Sample, SampleKind, SampleSink, WriteKind,
};

/// The head of a notification, and of a write, in bytes (Core Specification, Vol 3, Part F, 3.4.7.1).
const ATT_HEAD: usize = 3;

/// After this long without an answer a link is of no use (Core Specification, Vol 3, Part F, 3.3.3).
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(30);

/// The most that the radio's queue holds: what came before, while the program stood still, is lost and counted.
const QUEUE: Duration = Duration::from_secs(10);

pub(super) struct SimulatedLink {
    air: Arc<Air>,
    place: usize,
    core: Arc<Core>,
    gatt: Arc<GattDb>,
    parameters: Mutex<ConnectionPreset>,
    /// One request at a time, as on a real bearer.
    turn: tokio::sync::Mutex<()>,
    /// By the place of the characteristic.
    subscriptions: Mutex<HashMap<u16, Running>>,
    /// What the device does by itself, until the link ends.
    tasks: Mutex<JoinSet<()>>,
}

/// A subscription and the task that serves it, which ends with it.
type Running = (Arc<Subscription>, AbortOnDropHandle<()>);

impl SimulatedLink {
    pub(super) fn new(air: Arc<Air>, place: usize, core: Arc<Core>, gatt: GattDb) -> Self {
        let device = &air.devices()[place];
        let hangs_up_after = device.hangs_up_after.map(|mean| {
            // Never in the first third, so that something can be done before; the rest is memoryless.
            let dice: f64 = lock(&device.life).dice.random_range(f64::EPSILON..1.0);
            mean / 3 + mean.mul_f64(-dice.ln() * 2.0 / 3.0)
        });
        let link = Self {
            air,
            place,
            core,
            gatt: Arc::new(gatt),
            parameters: Mutex::default(),
            turn: tokio::sync::Mutex::new(()),
            subscriptions: Mutex::default(),
            tasks: Mutex::default(),
        };
        if let Some(after) = hangs_up_after {
            link.hang_up(after);
        }
        link
    }

    fn peer(&self) -> &Device {
        &self.air.devices()[self.place]
    }

    fn mtu_now(&self) -> usize {
        self.core
            .mtu
            .borrow()
            .map_or(usize::from(crate::DEFAULT_ATT_MTU), usize::from)
    }

    /// An attribute of this link, while the link is up.
    fn attribute(&self, id: AttrId) -> Result<&Attribute> {
        let attribute = self.gatt.get(id)?;
        if self.core.ended.is_cancelled() {
            Err(Error::NotConnected)
        } else {
            Ok(attribute)
        }
    }

    /// Waits for its turn, and for as long as the device takes to answer `requests` requests, then works.
    async fn exchange<T>(
        &self,
        operation: &'static str,
        requests: usize,
        work: impl FnOnce(&mut Life) -> Result<T>,
    ) -> Result<T> {
        let _turn = tokio::select! {
            biased;
            () = self.core.ended.cancelled() => return Err(Error::NotConnected),
            turn = self.turn.lock() => turn,
        };
        let (latency, hangs) = {
            let mut life = lock(&self.peer().life);
            let latency = &self.air.latency;
            let one = if latency.is_empty() {
                latency.start.as_nanos() as u64
            } else {
                let range = latency.start.as_nanos() as u64..latency.end.as_nanos() as u64;
                life.dice.random_range(range)
            };
            // A request waits for connection events, and so does its answer.
            let preset = *lock(&self.parameters);
            let one = one * u64::from(interval(preset).0)
                / u64::from(interval(ConnectionPreset::Balanced).0);
            let hangs = life.faults.hang_requests > 0;
            life.faults.hang_requests = life.faults.hang_requests.saturating_sub(1);
            // The parts of a long value follow each other within one connection event.
            let more = one / 4 * requests.saturating_sub(1) as u64;
            (Duration::from_nanos(one + more), hangs)
        };
        let wait = if hangs { TRANSACTION_TIMEOUT } else { latency };
        tokio::select! {
            biased;
            () = self.core.ended.cancelled() => return Err(Error::NotConnected),
            () = sleep(wait) => {}
        }
        if hangs {
            let words = Some("the device answered nothing for 30 s".into());
            self.peer().end(&self.core, DisconnectReason::Remote(words));
            return Err(Error::TimedOut {
                operation,
                after: TRANSACTION_TIMEOUT,
            });
        }
        let mut life = lock(&self.peer().life);
        if self.core.ended.is_cancelled() {
            return Err(Error::NotConnected);
        }
        work(&mut life)
    }

    /// How many requests it takes to move this many bytes.
    fn requests(&self, len: usize) -> usize {
        len.div_ceil(self.mtu_now() - ATT_HEAD).max(1)
    }

    fn hang_up(&self, after: Duration) {
        let (air, place, core) = (self.air.clone(), self.place, self.core.clone());
        lock(&self.tasks).spawn(async move {
            sleep(after).await;
            let words = "Remote User Terminated Connection (0x13)".into();
            air.devices()[place].end(&core, DisconnectReason::Remote(Some(words)));
        });
    }

    fn react(&self, reaction: Reaction) {
        match reaction {
            Reaction::Nothing => {}
            Reaction::HangUp(after) => self.hang_up(after),
            Reaction::Retime => {
                for (subscription, _) in lock(&self.subscriptions).values() {
                    subscription.retime(self.peer());
                }
            }
            Reaction::Send(uuid, value) => {
                let subscription = self.subscription_of(uuid);
                // A device whose characteristic nobody has subscribed sends nothing.
                if let Some(subscription) = subscription {
                    subscription.say(&value, self.mtu_now() - ATT_HEAD);
                }
            }
        }
    }

    fn subscription_of(&self, uuid: Uuid) -> Option<Arc<Subscription>> {
        let attribute = self.gatt.characteristic(uuid).ok()?;
        let subscriptions = lock(&self.subscriptions);
        let (subscription, _) = subscriptions.get(&attribute.id.index)?;
        Some(subscription.clone())
    }

    /// The value of a Client Characteristic Configuration: what this client asked for.
    fn configuration(&self, descriptor: &Attribute) -> [u8; 2] {
        let subscriptions = lock(&self.subscriptions);
        let subscription = descriptor
            .parent
            .and_then(|parent| subscriptions.get(&parent.index));
        match subscription.map(|(subscription, _)| subscription.kind) {
            None => [0, 0],
            Some(SampleKind::Indication) => [2, 0],
            Some(SampleKind::Notification | SampleKind::NotificationOrIndication) => [1, 0],
        }
    }

    fn end_subscriptions(&self) {
        let ended: Vec<_> = lock(&self.subscriptions).drain().collect();
        for (_, (subscription, _)) in ended {
            subscription.close();
        }
    }
}

impl Drop for SimulatedLink {
    fn drop(&mut self) {
        self.end_subscriptions();
        self.peer().end(&self.core, DisconnectReason::Requested);
    }
}

#[async_trait]
impl Link for SimulatedLink {
    fn device(&self) -> &DeviceId {
        &self.peer().id
    }

    fn state(&self) -> watch::Receiver<LinkState> {
        self.core.state.subscribe()
    }

    fn mtu(&self) -> watch::Receiver<Option<u16>> {
        self.core.mtu.subscribe()
    }

    fn gatt(&self) -> Arc<GattDb> {
        self.gatt.clone()
    }

    fn max_write(&self, attribute: AttrId, kind: WriteKind) -> Result<usize> {
        let attribute = self.gatt.get(attribute)?;
        offers_write(attribute, kind)?;
        Ok(match kind {
            WriteKind::WithResponse => MAX_ATTRIBUTE_LEN,
            WriteKind::WithoutResponse => MAX_ATTRIBUTE_LEN.min(self.mtu_now() - ATT_HEAD),
        })
    }

    async fn read(&self, attribute: AttrId) -> Result<Bytes> {
        let attribute = self.attribute(attribute)?;
        let readable = match attribute.kind {
            AttrKind::Service => false,
            AttrKind::Characteristic => attribute.properties.contains(Properties::READ),
            AttrKind::Descriptor => true,
        };
        if !readable {
            return Err(Error::NotOffered { operation: "read" });
        }
        if attribute.uuid == CLIENT_CONFIGURATION {
            let value = self.configuration(attribute);
            return self
                .exchange("Reading", 1, |_| Ok(Bytes::copy_from_slice(&value)))
                .await;
        }
        let index = attribute.id.index;
        let read = |life: &mut Life| {
            if let Some(error) = planned(&mut life.faults.refuse_reads, index) {
                return Err(Error::Att(error));
            }
            let at = self.air.elapsed(Instant::now());
            let source = &mut life.sources[usize::from(index)];
            source.read(at).map_err(Error::Att)
        };
        let value = self.exchange("Reading", 1, read).await?;
        let more = self.requests(value.len()) - 1;
        if more > 0 {
            self.exchange("Reading", more, |_| Ok(())).await?;
        }
        Ok(value.into())
    }

    async fn write(&self, attribute: AttrId, value: Bytes, kind: WriteKind) -> Result<()> {
        let attribute = self.attribute(attribute)?;
        let max = self.max_write(attribute.id, kind)?;
        if value.len() > max {
            let len = value.len();
            return Err(Error::TooLong { len, max });
        }
        let index = attribute.id.index;
        let write = |life: &mut Life| {
            if kind == WriteKind::WithResponse
                && let Some(error) = planned(&mut life.faults.refuse_writes, index)
            {
                return Err(Error::Att(error));
            }
            match (life.sources[usize::from(index)].write(&value), kind) {
                (Ok(reaction), _) => Ok(reaction),
                (Err(error), WriteKind::WithResponse) => Err(Error::Att(error)),
                // Nobody is told that a command was refused.
                (Err(_), WriteKind::WithoutResponse) => Ok(Reaction::Nothing),
            }
        };
        let requests = self.requests(value.len());
        let reaction = self.exchange("Writing", requests, write).await?;
        self.react(reaction);
        Ok(())
    }

    async fn subscribe(
        &self,
        attribute: AttrId,
        mode: NotifyMode,
        sink: Arc<dyn SampleSink>,
    ) -> Result<()> {
        let attribute = self.attribute(attribute)?;
        let kind = kind_of(attribute.properties, mode)?;
        let index = attribute.id.index;
        if let Some((subscription, _)) = lock(&self.subscriptions).get(&index)
            && subscription.kind == kind
        {
            subscription.replace(sink);
            return Ok(());
        }
        let begin = |life: &mut Life| {
            let now = Instant::now();
            life.sources[usize::from(index)].begin(self.air.elapsed(now));
            Ok(now)
        };
        let began = self.exchange("Subscribing", 1, begin).await?;
        let subscription = Arc::new(Subscription {
            attribute: attribute.id,
            kind,
            changed: Notify::new(),
            flow: Mutex::new(Flow {
                sink: Some(sink),
                last: began,
                said: VecDeque::new(),
                lost: 0,
            }),
        });
        let task = tokio::spawn(stream(
            self.air.clone(),
            self.place,
            self.core.clone(),
            subscription.clone(),
        ));
        let task = AbortOnDropHandle::new(task);
        let replaced = lock(&self.subscriptions).insert(index, (subscription, task));
        if let Some((replaced, _)) = replaced {
            replaced.close();
        }
        Ok(())
    }

    async fn unsubscribe(&self, attribute: AttrId) -> Result<()> {
        let attribute = self.gatt.get(attribute)?;
        let removed = lock(&self.subscriptions).remove(&attribute.id.index);
        let Some((subscription, _task)) = removed else {
            return Ok(());
        };
        subscription.close();
        // A link that ended took its subscriptions with it.
        match self.exchange("Unsubscribing", 1, |_| Ok(())).await {
            Ok(()) | Err(Error::NotConnected) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn connection_parameters(&self) -> Result<ConnectionParameters> {
        let (interval_us, latency) = interval(*lock(&self.parameters));
        if self.core.ended.is_cancelled() {
            return Err(Error::NotConnected);
        }
        Ok(ConnectionParameters {
            interval_us,
            latency,
            supervision_timeout_us: 4_000_000,
        })
    }

    async fn request_connection_parameters(&self, preset: ConnectionPreset) -> Result<()> {
        self.exchange("Asking for connection parameters", 2, |_| Ok(()))
            .await?;
        *lock(&self.parameters) = preset;
        Ok(())
    }

    fn without(&self, cap: Cap) -> Error {
        unsupported(&super::radio::caps(), cap)
    }

    async fn rssi(&self) -> Result<Rssi> {
        self.exchange("Reading the signal strength", 1, |life| Ok(life.rssi()))
            .await
    }

    async fn disconnect(&self) -> Result<()> {
        self.end_subscriptions();
        self.peer().end(&self.core, DisconnectReason::Requested);
        Ok(())
    }
}

/// The connection interval, in microseconds, and the peripheral latency that a central asks for.
fn interval(preset: ConnectionPreset) -> (u32, u16) {
    match preset {
        ConnectionPreset::Balanced => (30_000, 0),
        ConnectionPreset::Throughput => (15_000, 0),
        ConnectionPreset::Power => (100_000, 0),
    }
}

/// What discovery finds of a device.
pub(super) fn discover(device: &Device) -> Result<GattDb> {
    let mut gatt = GattDb::new();
    let mut ids: Vec<AttrId> = Vec::with_capacity(device.entries.len());
    for entry in &device.entries {
        let parent = entry.parent.map(|parent| ids[parent]);
        ids.push(gatt.push(
            entry.kind,
            entry.uuid,
            Some(entry.handle),
            parent,
            entry.properties,
        )?);
    }
    Ok(gatt)
}

fn planned(refusals: &mut VecDeque<(u16, AttError)>, index: u16) -> Option<AttError> {
    let place = refusals.iter().position(|(of, _)| *of == index)?;
    refusals.remove(place).map(|(_, error)| error)
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
        // The configuration belongs to subscribing; what else can be written, the device knows.
        AttrKind::Descriptor => {
            kind == WriteKind::WithResponse && attribute.uuid != CLIENT_CONFIGURATION
        }
    };
    if offers {
        Ok(())
    } else {
        Err(Error::NotOffered { operation })
    }
}

fn kind_of(properties: Properties, mode: NotifyMode) -> Result<SampleKind> {
    let notifies = properties.contains(Properties::NOTIFY);
    let indicates = properties.contains(Properties::INDICATE);
    match mode {
        NotifyMode::System | NotifyMode::Notify if notifies => Ok(SampleKind::Notification),
        NotifyMode::System | NotifyMode::Indicate if indicates => Ok(SampleKind::Indication),
        NotifyMode::System => Err(Error::NotOffered {
            operation: "notify or indicate",
        }),
        NotifyMode::Notify => Err(Error::NotOffered {
            operation: "notify",
        }),
        NotifyMode::Indicate => Err(Error::NotOffered {
            operation: "indicate",
        }),
    }
}

struct Subscription {
    attribute: AttrId,
    kind: SampleKind,
    /// Something is to be said, or at another time.
    changed: Notify,
    /// Values are handed out under this lock, so that none comes once the sink has been taken away.
    flow: Mutex<Flow>,
}

struct Flow {
    sink: Option<Arc<dyn SampleSink>>,
    /// When the last value was due.
    last: Instant,
    /// What the device says because it was told to, and when.
    said: VecDeque<(Instant, Bytes)>,
    /// Values lost since the last that was handed out.
    lost: u32,
}

impl Subscription {
    fn replace(&self, sink: Arc<dyn SampleSink>) {
        let replaced = lock(&self.flow).sink.replace(sink);
        drop(replaced);
    }

    fn close(&self) {
        let closed = lock(&self.flow).sink.take();
        drop(closed);
    }

    fn say(&self, value: &[u8], most: usize) {
        let now = Instant::now();
        lock(&self.flow).said.extend(
            value
                .chunks(most)
                .map(|part| (now, Bytes::copy_from_slice(part))),
        );
        self.changed.notify_one();
    }

    /// From now on values are due at another rate. What the old rate owed is not made up for at the new one.
    fn retime(&self, device: &Device) {
        let mut flow = lock(&self.flow);
        lock(&device.life).sources[usize::from(self.attribute.index)].retime();
        flow.last = Instant::now();
        self.changed.notify_one();
    }

    /// When the next value is due, if any is.
    fn due(&self, device: &Device) -> Option<Instant> {
        let flow = lock(&self.flow);
        let said = flow.said.front().map(|(at, _)| *at);
        let wait = lock(&device.life).sources[usize::from(self.attribute.index)].wait();
        let measured = wait.map(|wait| flow.last + wait);
        said.into_iter().chain(measured).min()
    }

    /// Hands out everything that is due, each value stamped with its own time.
    fn hand_out(&self, air: &Air, device: &Device, most: usize, ended: &dyn Fn() -> bool) {
        let now = Instant::now();
        let mut flow = lock(&self.flow);
        while !ended() {
            let next = self.next(&mut flow, air, device, now);
            let Some((at, bytes, lost)) = next else { break };
            if lost || now.saturating_duration_since(at) > QUEUE {
                flow.lost = flow.lost.saturating_add(1);
                continue;
            }
            let lost_before = std::mem::take(&mut flow.lost);
            let Some(sink) = &flow.sink else { break };
            sink.sample(Sample {
                attribute: self.attribute,
                at: air.stamp(at),
                lost_before,
                kind: self.kind,
                bytes: bytes.slice(..bytes.len().min(most)),
            });
        }
    }

    /// The next value that is due by `now`, when it was, and whether the radio loses it.
    fn next(
        &self,
        flow: &mut Flow,
        air: &Air,
        device: &Device,
        now: Instant,
    ) -> Option<(Instant, Bytes, bool)> {
        let mut life = lock(&device.life);
        let source = &mut life.sources[usize::from(self.attribute.index)];
        let said = flow.said.front().map(|(at, _)| *at);
        let measured = source.wait().map(|wait| flow.last + wait);
        let (at, bytes) = match measured {
            Some(at) if at <= now && said.is_none_or(|said| at <= said) => {
                flow.last = at;
                (at, Bytes::from(source.send(air.elapsed(at))))
            }
            _ => flow.said.pop_front()?,
        };
        let loses = life.faults.lose > 0;
        life.faults.lose = life.faults.lose.saturating_sub(1);
        Some((at, bytes, loses))
    }
}

/// Sends what a device sends to one subscription, until the link ends.
async fn stream(air: Arc<Air>, place: usize, core: Arc<Core>, subscription: Arc<Subscription>) {
    let device = &air.devices()[place];
    loop {
        let due = subscription.due(device);
        let wait = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = core.ended.cancelled() => break,
            () = subscription.changed.notified() => {}
            () = wait => {}
        }
        let most = core
            .mtu
            .borrow()
            .map_or(usize::from(crate::DEFAULT_ATT_MTU), usize::from)
            - ATT_HEAD;
        subscription.hand_out(&air, device, most, &|| core.ended.is_cancelled());
    }
    subscription.close();
}
