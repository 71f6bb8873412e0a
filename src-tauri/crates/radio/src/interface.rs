//! The traits that every radio implements, and what passes through them.
//!
//! Three rules hold for all of them. Every call ends: it has a deadline or can be cancelled. Sinks
//! are synchronous and must return at once: they stamp, count or queue, and never wait. What is lost
//! is counted, never hidden.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    AdapterId, AdapterInfo, Advertisement, AttrId, Cap, Caps, DeviceId, Error, GattDb, Result,
    Rssi, Support, Timestamp,
};

/// Which implementation a radio is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RadioKind {
    /// BlueZ itself, on Linux.
    Bluez,
    /// The system's Bluetooth through `btleplug`.
    Btleplug,
    /// The lab of virtual devices.
    Simulated,
    /// A recorded session that plays as virtual devices.
    Replay,
}

/// Whether an adapter can be used now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RadioState {
    /// It works.
    On,
    /// It is switched off.
    Off,
    /// The system does not let this program use it.
    Unauthorized,
    /// It was unplugged, or the system's service is gone.
    Gone,
    /// The system has not said yet.
    #[default]
    Unknown,
}

/// What to listen for. Everything is heard by default; the explorer's own filter does the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanFilter {
    /// Only devices that advertise one of these services; empty for all. (macOS needs it in the
    /// background and on 12.0 to 12.2.)
    pub services: Vec<Uuid>,
    /// Listens without asking for scan responses, where [`Cap::PassiveScan`](crate::Cap::PassiveScan)
    /// is there; elsewhere such a scan is refused.
    pub passive: bool,
}

/// How to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Gives up after this long, service discovery included.
    pub timeout: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
        }
    }
}

/// With or without an answer from the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteKind {
    /// The peer confirms (ATT Write Request, or a queued write when it is long).
    WithResponse,
    /// Nobody confirms (ATT Write Command).
    WithoutResponse,
}

/// What to ask for when an attribute offers both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyMode {
    /// Whatever the system prefers.
    #[default]
    System,
    /// Notifications, which nobody confirms.
    Notify,
    /// Indications, which the system confirms.
    Indicate,
}

/// How often the two ends of a link meet, and when they give each other up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionParameters {
    /// From one connection event to the next, in microseconds: 7 500 to 4 000 000.
    pub interval_us: u32,
    /// How many connection events in a row the device may sleep through: 0 to 499.
    pub latency: u16,
    /// After what silence the link is lost, in microseconds: 100 000 to 32 000 000.
    pub supervision_timeout_us: u32,
}

/// What connection parameters are asked for. Which numbers these are is the system's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionPreset {
    /// Between the other two.
    #[default]
    Balanced,
    /// Short intervals: many values, little delay.
    Throughput,
    /// Long intervals: little power.
    Power,
}

/// By which of the system's ways notifications come, where
/// [`Cap::NotifyRoute`](crate::Cap::NotifyRoute) offers a choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyRoute {
    /// By a socket of the characteristic's own, which is fast, and where the system has none as
    /// signals. What a device sends before it has confirmed the subscription is lost.
    #[default]
    Socket,
    /// As signals to every program: slower, and complete from the first value.
    Signals,
}

/// What a system asks the user during pairing. The passkey has six decimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "question", content = "passkey", rename_all = "snake_case")]
pub enum PairingQuestion {
    /// May the device pair? There is nothing to compare (*just works*).
    Allow,
    /// Does the device show this number too (*numeric comparison*)?
    SameNumber(u32),
    /// Which number does the device show (*passkey entry*)?
    EnterPasskey,
    /// Type this number on the device. It is shown until the request is withdrawn, and needs no
    /// answer; to refuse it, cancel the pairing.
    ShowPasskey(u32),
}

/// What the user answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "answer", content = "passkey", rename_all = "snake_case")]
pub enum PairingAnswer {
    /// Yes.
    Accept,
    /// The number that the device shows, 0 to 999999.
    Passkey(u32),
    /// No.
    Refuse,
}

/// A question that waits for its answer. Dropping it refuses, except for
/// [`ShowPasskey`](PairingQuestion::ShowPasskey), which needs none.
#[derive(Debug)]
pub struct PairingRequest {
    /// Who wants to pair.
    pub device: DeviceId,
    /// What is asked.
    pub question: PairingQuestion,
    /// Cancelled when the question is settled without an answer: pairing succeeded, failed, or was
    /// given up.
    pub withdrawn: CancellationToken,
    answer: oneshot::Sender<PairingAnswer>,
}

impl PairingRequest {
    /// A question, and where its answer comes.
    #[must_use]
    pub fn new(
        device: DeviceId,
        question: PairingQuestion,
        withdrawn: CancellationToken,
    ) -> (Self, oneshot::Receiver<PairingAnswer>) {
        let (answer, answered) = oneshot::channel();
        let request = Self {
            device,
            question,
            withdrawn,
            answer,
        };
        (request, answered)
    }

    /// Answers it; an answer that comes too late is nobody's.
    pub fn answer(self, answer: PairingAnswer) {
        let _ = self.answer.send(answer);
    }
}

/// Takes the questions of pairing. It is called on the radio's task and must return at once; the
/// answer comes later, through the request.
pub trait PairingSink: Send + Sync {
    /// Takes one question.
    fn asked(&self, request: PairingRequest);
}

impl<F: Fn(PairingRequest) + Send + Sync> PairingSink for F {
    fn asked(&self, request: PairingRequest) {
        self(request);
    }
}

/// How a value came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleKind {
    /// As a notification.
    Notification,
    /// As an indication.
    Indication,
    /// The system does not tell which of the two.
    NotificationOrIndication,
}

/// A value that a peer sent without being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The characteristic.
    pub attribute: AttrId,
    /// When it arrived, stamped before anything else was done with it.
    pub at: Timestamp,
    /// How many values the radio's own queue dropped just before this one, where it can know.
    pub lost_before: u32,
    /// How it came.
    pub kind: SampleKind,
    /// The bytes.
    pub bytes: Bytes,
}

/// Why a link ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// This program asked for it.
    Requested,
    /// The peer or the air ended it; the system's words, where it has any.
    Remote(Option<String>),
    /// The adapter went off or away.
    AdapterLost,
}

/// Whether a link is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It is.
    Up,
    /// It is not, and will not be again: a new connection is a new link.
    Down(DisconnectReason),
}

/// Takes advertisements. It is called on the radio's task and must return at once.
pub trait AdvertisementSink: Send + Sync {
    /// Takes one report.
    fn advertisement(&self, advertisement: Advertisement);
}

impl<F: Fn(Advertisement) + Send + Sync> AdvertisementSink for F {
    fn advertisement(&self, advertisement: Advertisement) {
        self(advertisement);
    }
}

/// A stretch of a subscription in which values may have been lost while the link was up: the device's
/// services changed, or the system closed the way by which they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// The characteristic.
    pub attribute: AttrId,
    /// From when on nothing came.
    pub since: Timestamp,
    /// When values could come again; the error if the subscription ended.
    pub until: Result<Timestamp>,
}

/// Takes values of subscribed characteristics. It is called on the radio's task and must return at
/// once.
pub trait SampleSink: Send + Sync {
    /// Takes one value.
    fn sample(&self, sample: Sample);

    /// Takes word of a loss whose count nobody knows.
    fn interrupted(&self, interruption: Interruption) {
        tracing::warn!(?interruption, "a subscription was interrupted");
    }
}

impl<F: Fn(Sample) + Send + Sync> SampleSink for F {
    fn sample(&self, sample: Sample) {
        self(sample);
    }
}

/// A way to reach adapters: the system's, the simulated lab's, or a recording's.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Which implementation it is.
    fn kind(&self) -> RadioKind;

    /// What runs underneath, for people: `BlueZ`, `CoreBluetooth`, `WinRT`, `Simulated lab`.
    fn stack(&self) -> &'static str;

    /// The adapters that are there now; none is an empty list and not an error.
    async fn adapters(&self) -> Result<Vec<AdapterInfo>>;

    /// Opens one of them.
    async fn open(&self, adapter: &AdapterId) -> Result<Arc<dyn Radio>>;

    /// A number that moves whenever [`adapters`](Self::adapters) may answer otherwise than before: one
    /// was plugged, unplugged, or switched. `None` where the system does not tell.
    fn changes(&self) -> Option<watch::Receiver<u64>> {
        None
    }
}

/// One adapter.
#[async_trait]
pub trait Radio: Send + Sync {
    /// The adapter as it was when it was opened.
    fn adapter(&self) -> &AdapterInfo;

    /// What it can do.
    fn caps(&self) -> Caps;

    /// Whether it can be used, live.
    fn state(&self) -> watch::Receiver<RadioState>;

    /// Switches the adapter on or off.
    async fn set_power(&self, on: bool) -> Result<()>;

    /// Hands every advertisement to `sink` until [`stop_scan`](Self::stop_scan). Starting while a
    /// scan runs replaces its filter and sink. A scan outlives the adapter's power: it goes on when the
    /// adapter is on again.
    async fn start_scan(&self, filter: ScanFilter, sink: Arc<dyn AdvertisementSink>) -> Result<()>;

    /// Ends the scan; does nothing when none runs. No report is handed out after it returns.
    async fn stop_scan(&self) -> Result<()>;

    /// Connects and discovers services. One link per device: connecting again while it is up is
    /// [`Busy`](crate::Error::Busy).
    async fn connect(
        &self,
        device: &DeviceId,
        options: ConnectOptions,
        cancel: CancellationToken,
    ) -> Result<Arc<dyn Link>>;

    /// Pairs with a device and remembers the keys, connected or not. What has to be asked meanwhile
    /// goes to `questions`.
    async fn pair(
        &self,
        device: &DeviceId,
        questions: Arc<dyn PairingSink>,
        cancel: CancellationToken,
    ) -> Result<()> {
        let _ = (device, questions, cancel);
        Err(unsupported(&self.caps(), Cap::Pairing))
    }

    /// Takes the questions of pairing that the system begins by itself, as when a protected value is
    /// read. Without somebody to ask, such a read fails and says that pairing is wanted. A desktop's own
    /// dialog may be asked instead.
    fn answer_pairing(&self, questions: Arc<dyn PairingSink>) {
        let _ = questions;
    }

    /// Whether keys of a device are remembered.
    async fn is_paired(&self, device: &DeviceId) -> Result<bool> {
        let _ = device;
        Err(unsupported(&self.caps(), Cap::Pairing))
    }

    /// Forgets the keys of a device. Its link, if there is one, ends.
    async fn unpair(&self, device: &DeviceId) -> Result<()> {
        let _ = device;
        Err(unsupported(&self.caps(), Cap::Pairing))
    }

    /// Makes the system forget all that it remembers of a device: services, keys, names. Its link, if
    /// there is one, ends.
    async fn forget(&self, device: &DeviceId) -> Result<()> {
        let _ = device;
        Err(unsupported(&self.caps(), Cap::Forget))
    }

    /// Devices that are connected to this adapter now, by whatever program, with their names: they may
    /// not advertise. Connecting to one shares its connection. Empty where the system does not tell.
    async fn connected(&self) -> Result<Vec<(DeviceId, Option<String>)>> {
        Ok(Vec::new())
    }

    /// Returns when nothing is under way any more of what was given up: attempts to connect that were
    /// cancelled, links that were dropped. Whoever ends the program waits for it.
    async fn settled(&self) {}

    /// What an older system may still remember after [`forget`](Self::forget), and how to delete it.
    fn still_remembered(&self, device: &DeviceId) -> Option<String> {
        let _ = device;
        None
    }
}

/// The refusal of what a radio cannot do, in the words of its own answer.
pub(crate) fn unsupported(caps: &Caps, cap: Cap) -> Error {
    let reason = match caps.support(cap) {
        Support::No(reason) | Support::Partly(reason) => reason,
        Support::Yes => "",
    };
    Error::Unsupported {
        what: cap.label(),
        reason,
    }
}

/// One connection to one device, from connecting until it ends.
#[async_trait]
pub trait Link: Send + Sync {
    /// The device at the other end.
    fn device(&self) -> &DeviceId;

    /// Whether the link is up, live.
    fn state(&self) -> watch::Receiver<LinkState>;

    /// The ATT MTU in bytes, live; `None` where the system does not tell.
    fn mtu(&self) -> watch::Receiver<Option<u16>>;

    /// What the last discovery found.
    fn gatt(&self) -> Arc<GattDb>;

    /// What the last discovery found, live: the device's services may change while it is connected.
    /// Subscriptions go on where an attribute has the same handle and UUID as before, under its new
    /// [`AttrId`]. `None` where the radio discovers once.
    fn gatt_live(&self) -> Option<watch::Receiver<Arc<GattDb>>> {
        None
    }

    /// The most bytes that a write of this kind to this attribute can carry.
    fn max_write(&self, attribute: AttrId, kind: WriteKind) -> Result<usize>;

    /// Reads a characteristic or descriptor from the device, whole.
    async fn read(&self, attribute: AttrId) -> Result<Bytes>;

    /// Writes a characteristic or descriptor.
    async fn write(&self, attribute: AttrId, value: Bytes, kind: WriteKind) -> Result<()>;

    /// Asks for notifications or indications and hands every one to `sink`, from the first.
    /// Subscribing again replaces the sink.
    async fn subscribe(
        &self,
        attribute: AttrId,
        mode: NotifyMode,
        sink: Arc<dyn SampleSink>,
    ) -> Result<()>;

    /// As [`subscribe`](Self::subscribe), with the way chosen by which the values come.
    async fn subscribe_by(
        &self,
        route: NotifyRoute,
        attribute: AttrId,
        mode: NotifyMode,
        sink: Arc<dyn SampleSink>,
    ) -> Result<()> {
        match route {
            NotifyRoute::Socket => self.subscribe(attribute, mode, sink).await,
            NotifyRoute::Signals => Err(Error::Unsupported {
                what: Cap::NotifyRoute.label(),
                reason: "This radio has one way for notifications. On Linux, the radio \"BlueZ\" has two.",
            }),
        }
    }

    /// Ends a subscription; does nothing when there is none. No value is handed out after it returns.
    async fn unsubscribe(&self, attribute: AttrId) -> Result<()>;

    /// Signal strength of the link.
    async fn rssi(&self) -> Result<Rssi>;

    /// The connection parameters in force.
    async fn connection_parameters(&self) -> Result<ConnectionParameters> {
        Err(self.without(Cap::ConnectionParameters))
    }

    /// Asks for other connection parameters. The device may refuse them, or answer later; what is in
    /// force says [`connection_parameters`](Self::connection_parameters).
    async fn request_connection_parameters(&self, preset: ConnectionPreset) -> Result<()> {
        let _ = preset;
        Err(self.without(Cap::ConnectionParameters))
    }

    /// The refusal of what the radio of this link cannot do, with its reason.
    fn without(&self, cap: Cap) -> Error;

    /// Ends the link; does nothing when it is down.
    async fn disconnect(&self) -> Result<()>;
}
