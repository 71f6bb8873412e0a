//! An opened session as a radio: what was recorded is on the air again, at the distances at which it came, faster, slower,
//! or one value at a time. Decoders, charts and programs are tried on it without hardware, and tests run on it.
//!
//! One position in the recording is played, for everybody: a [`Transport`] moves it, and watches it. What lies there is
//! handed to whoever listens:
//!
//! - An advertisement goes to the scan, with everything that its report contained. Who scans is also told who was
//!   connected in the recording ([`Radio::connected`]), whether or not it advertised.
//! - A device that was connected in the recording can be connected, at any time. It has the attributes of its latest
//!   discovery up to the position, or of its first. Other attributes found later replace them, and subscriptions go on.
//! - A notification or indication goes to its subscription, whichever connection of the recording it came on. Its stamp is
//!   the exact time at the chosen pace. Losses of a queue are its `lost_before`; where it is not known whose values were
//!   lost, or how many, every subscription is told of an interruption, and so it is where the playback jumps to another
//!   place: what comes then does not follow what came.
//! - A read gives what was last read, notified or indicated up to the position, or the ATT error that was last the answer.
//!   Where there was nothing yet, it is refused.
//! - A write is refused, also one that the recording holds: nothing that it would do could be played.
//! - The end of a connection by the peer, the air or the adapter ends the link. One that the user of the recording asked
//!   for does not: who is connected now has not asked.
//!
//! A seek forgets what was said of a connection up to there: its MTU and RSSI are those that come after it, and a link that
//! had ended by then can be up.
//!
//! Nothing is loaded whole: pages are read ahead, on a thread of their own. Time is that of the clock that was passed and
//! of tokio's timers, so that a test with paused time does not wait, and sees the same each time.
//!
//! ```
//! use radio::{Backend, Clock, ConnectOptions, DeviceId, NotifyMode, Sample};
//! use session::{Session, replay::{Pace, Replay}};
//! use std::sync::Arc;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let (file, uuid) = (std::path::Path::new("a.gattscope"), uuid::Uuid::nil());
//! let replay = Replay::new(Clock::monotonic(), Session::open(file)?, "yesterday")?;
//! let transport = replay.transport();
//! let radio = replay.open(&replay.adapters().await?[0].id).await?;
//!
//! let strap = DeviceId::from("C4:7C:8D:6A:11:02");
//! let link = radio.connect(&strap, ConnectOptions::default(), Default::default()).await?;
//! let rate = link.gatt().characteristic(uuid)?.id;
//! let sink = Arc::new(|sample: Sample| println!("{:?}", sample.bytes));
//! link.subscribe(rate, NotifyMode::System, sink).await?;
//!
//! if let Some(pace) = Pace::times(10.0) {
//!     transport.set_pace(pace);
//! }
//! transport.play();
//! transport.watch().wait_for(|state| state.ended).await?;
//! # Ok(())
//! # }
//! ```

mod ahead;
mod link;
mod player;
mod transport;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use radio::{
    AdapterId, AdapterInfo, AdvertisementSink, Backend, Cap, Caps, Clock, ConnectOptions, DeviceId,
    DisconnectReason, Error, Link, Radio, RadioKind, RadioState, ScanFilter, Support,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub use self::transport::{Pace, State, Transport};

use self::player::{Core, Scan};
use crate::{Result, Session};

/// A backend with one adapter: a recorded session.
///
/// It begins to exist at the start of the recording, paused. What it plays ends with it: links are down then, and the
/// adapter is gone.
pub struct Replay {
    core: Arc<Core>,
    player: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl Replay {
    /// Makes a radio of `session`, called `name`. What is recorded from now on, where the session is recorded still, is
    /// not played.
    ///
    /// `clock` gives the origin of all stamps. It must run with tokio's timers: [`Clock::monotonic`], or [`Clock::tokio`]
    /// where time is paused.
    ///
    /// This waits for the disk; how long does not depend on the size of the session, unless it is
    /// [cut off](Session::is_cut_off).
    ///
    /// # Errors
    ///
    /// [`Damaged`](crate::Error::Damaged) and what else keeps the session from being read.
    pub fn new(clock: Clock, session: Session, name: &str) -> Result<Self> {
        Ok(Self {
            core: Arc::new(Core::new(clock, session, name)?),
            player: Mutex::default(),
        })
    }

    /// The handle that plays, pauses and seeks.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.core.transport()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        lock(&self.player).take();
        self.core.gone();
    }
}

#[async_trait]
impl Backend for Replay {
    fn kind(&self) -> RadioKind {
        RadioKind::Replay
    }

    fn stack(&self) -> &'static str {
        "Replay"
    }

    async fn adapters(&self) -> radio::Result<Vec<AdapterInfo>> {
        Ok(vec![self.core.adapter.clone()])
    }

    async fn open(&self, adapter: &AdapterId) -> radio::Result<Arc<dyn Radio>> {
        if *adapter != self.core.adapter.id {
            return Err(Error::NoAdapter {
                id: adapter.to_string(),
            });
        }
        let mut player = lock(&self.player);
        if player.is_none() {
            let task = tokio::spawn(player::play(Arc::clone(&self.core)));
            *player = Some(AbortOnDropHandle::new(task));
        }
        Ok(Arc::new(ReplayRadio {
            core: Arc::clone(&self.core),
            own: Arc::default(),
        }))
    }
}

struct ReplayRadio {
    core: Arc<Core>,
    /// What tells its scan from that of another.
    own: Arc<()>,
}

impl ReplayRadio {
    fn end_scan(&self) {
        // Reports are handed out under this lock: none comes any more.
        let stopped = lock(&self.core.scan).take_if(|scan| Arc::ptr_eq(&scan.owner, &self.own));
        drop(stopped);
    }
}

impl Drop for ReplayRadio {
    fn drop(&mut self) {
        self.end_scan();
    }
}

const AS_RECORDED: Support = Support::Partly("As far as the recording tells it.");

fn caps() -> Caps {
    Caps::each(|cap| match cap {
        Cap::Address
        | Cap::Connectable
        | Cap::RawAdvertisement
        | Cap::Handles
        | Cap::Mtu
        | Cap::LinkRssi
        | Cap::DisconnectReason => AS_RECORDED,
        Cap::DuplicateUuids => Support::Yes,
        Cap::PassiveScan => Support::No("A replay gives the advertisements that were recorded."),
        Cap::ChooseNotifyMode => {
            Support::No("A replay gives notifications and indications as they were recorded.")
        }
        Cap::NotifyRoute => Support::No("Replayed values have one way only."),
        Cap::ConnectionParameters => Support::No("Sessions do not hold connection parameters."),
        Cap::CachedRead => {
            Support::No("A read gives the last value that was recorded up to this moment.")
        }
        Cap::SetPower => Support::No("A replay has no power to switch. Pause it instead."),
        Cap::Pairing => Support::No("A replayed device has no keys."),
        Cap::Forget => Support::No("Nothing remembers a replayed device but the recording."),
    })
}

/// The refusal of what a replay cannot do, in the words of its own answer.
fn without(cap: Cap) -> Error {
    let reason = match caps().support(cap) {
        Support::No(reason) | Support::Partly(reason) => *reason,
        Support::Yes => "",
    };
    Error::Unsupported {
        what: cap.label(),
        reason,
    }
}

#[async_trait]
impl Radio for ReplayRadio {
    fn adapter(&self) -> &AdapterInfo {
        &self.core.adapter
    }

    fn caps(&self) -> Caps {
        caps()
    }

    fn state(&self) -> watch::Receiver<RadioState> {
        self.core.state.subscribe()
    }

    async fn set_power(&self, on: bool) -> radio::Result<()> {
        let _ = on;
        Err(without(Cap::SetPower))
    }

    async fn start_scan(
        &self,
        filter: ScanFilter,
        sink: Arc<dyn AdvertisementSink>,
    ) -> radio::Result<()> {
        if filter.passive {
            return Err(without(Cap::PassiveScan));
        }
        self.core.usable()?;
        let scan = Scan {
            owner: Arc::clone(&self.own),
            services: filter.services,
            sink,
        };
        let replaced = lock(&self.core.scan).replace(scan);
        drop(replaced);
        Ok(())
    }

    async fn stop_scan(&self) -> radio::Result<()> {
        self.end_scan();
        Ok(())
    }

    async fn connect(
        &self,
        device: &DeviceId,
        options: ConnectOptions,
        cancel: CancellationToken,
    ) -> radio::Result<Arc<dyn Link>> {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        self.core.usable()?;
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Error::Cancelled),
            link = Core::connect(&self.core, device) => Ok(link? as Arc<dyn Link>),
            () = tokio::time::sleep(options.timeout) => Err(Error::TimedOut {
                operation: "Connecting",
                after: options.timeout,
            }),
        }
    }

    async fn connected(&self) -> radio::Result<Vec<(DeviceId, Option<String>)>> {
        self.core.usable()?;
        Ok(self.core.connectable())
    }
}

/// Ends what a link has: nobody asked for it, and no peer did it.
const GONE: DisconnectReason = DisconnectReason::AdapterLost;

/// Locks what no panic can leave half done: every critical section here only moves values.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
