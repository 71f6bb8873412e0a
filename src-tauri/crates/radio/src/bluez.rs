//! BlueZ itself, the Bluetooth of Linux, through the `bluer` library.
//!
//! It does what [`btleplug`](crate::btleplug) cannot do here: attributes with their handles, so that
//! those of one UUID stay apart; notifications by sockets; pairing; forgetting a device; switching
//! adapters; one report for each signal of the air. `bluer` makes the calls, serves pairing and
//! advertisement monitors, and takes sockets over; `bus` hears what BlueZ tells.
//!
//! Every call has a deadline of its own. When BlueZ or the message bus goes, adapters say that they
//! are [`Gone`](crate::RadioState::Gone) and links that they are down; both are looked for until they
//! are back, and a scan that ran runs again.

mod adapter;
mod adverts;
mod agent;
mod bus;
mod fault;
mod link;
mod streams;
mod table;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ::bluer::agent::AgentHandle;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};

use self::adapter::Adapter;
use self::agent::Pairings;
use self::bus::{Bus, Signal};
use crate::{AdapterId, AdapterInfo, Backend, Clock, Error, Radio, RadioKind, RadioState, Result};

const NO_LINK_RSSI: &str = "BlueZ has no interface for the signal strength of a connection, only for \
                            that of advertisements. Scan to see it while the device advertises.";

/// How long BlueZ may take to answer what needs no air.
const ANSWER: Duration = Duration::from_secs(5);
/// How often a lost message bus is looked for.
const REJOIN: Duration = Duration::from_millis(500);

/// BlueZ.
pub struct Bluez {
    host: Arc<Host>,
}

/// The way to BlueZ: as long as it is there.
#[derive(Clone)]
struct Way {
    bus: Arc<Bus>,
    session: ::bluer::Session,
    /// Answers for this program when something is paired; registered when it first is.
    agent: Arc<Mutex<Option<AgentHandle>>>,
}

/// What all adapters share.
struct Host {
    clock: Clock,
    way: Mutex<Option<Way>>,
    gone: SyncMutex<Gone>,
    /// The message bus is being looked for.
    looking: AtomicBool,
    opened: SyncMutex<HashMap<AdapterId, Weak<Adapter>>>,
    changes: watch::Sender<u64>,
    pairings: Pairings,
}

/// What of the way to BlueZ has to be built anew.
#[derive(Clone, Copy, Default)]
struct Gone {
    bus: bool,
    service: bool,
}

fn locked<T>(mutex: &SyncMutex<T>) -> MutexGuard<'_, T> {
    // Every change is a single step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bluez {
    /// BlueZ, stamping with `clock`. Nothing is asked of the system yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            host: Arc::new(Host {
                clock,
                way: Mutex::default(),
                gone: SyncMutex::default(),
                looking: AtomicBool::default(),
                opened: SyncMutex::default(),
                changes: watch::Sender::new(0),
                pairings: Pairings::default(),
            }),
        }
    }
}

impl Host {
    /// The way to BlueZ, built anew if it was lost. Whoever waits for it may go away: what was begun
    /// is seen to its end.
    async fn way(self: &Arc<Self>) -> Result<Way> {
        let host = self.clone();
        let way = tokio::spawn(async move { host.build().await }).await;
        way.unwrap_or_else(|error| {
            Err(Error::NoService {
                message: format!("the way to BlueZ was given up ({error})"),
            })
        })
    }

    async fn build(self: &Arc<Self>) -> Result<Way> {
        let mut way = self.way.lock().await;
        // What goes meanwhile is seen next time.
        let gone = std::mem::take(&mut *locked(&self.gone));
        let last = way.clone().filter(|_| !gone.bus);
        if let Some(found) = &last
            && !gone.service
        {
            return Ok(found.clone());
        }
        let joins = last.is_none();
        match self.rebuild(last.map(|last| last.bus)).await {
            Ok(found) => {
                *way = Some(found.clone());
                if joins {
                    // Signals of the time without a bus were told to nobody.
                    tokio::spawn(self.clone().all_back());
                }
                Ok(found)
            }
            Err(error) => {
                {
                    let mut still = locked(&self.gone);
                    still.bus |= joins;
                    still.service |= gone.service;
                }
                if joins {
                    self.look_for_bus();
                }
                Err(error)
            }
        }
    }

    async fn rebuild(self: &Arc<Self>, bus: Option<Arc<Bus>>) -> Result<Way> {
        let bus = match bus {
            Some(bus) => bus,
            None => {
                let host = Arc::downgrade(self);
                let tell = move |signal| {
                    if let Some(host) = host.upgrade() {
                        host.take(signal);
                    }
                };
                Arc::new(Bus::join(tell).await.map_err(|fault| fault.error)?)
            }
        };
        // A session of `bluer` remembers what it asked for of a BlueZ that is no more.
        let session = match timeout(ANSWER, ::bluer::Session::new()).await {
            Ok(session) => session.map_err(|error| fault::of(&error).error),
            Err(_) => Err(Error::NoService {
                message: "the system message bus (D-Bus) does not answer".into(),
            }),
        };
        Ok(Way {
            bus,
            session: session?,
            agent: Arc::default(),
        })
    }

    /// Sees to it that the message bus is joined again when it is back.
    fn look_for_bus(self: &Arc<Self>) {
        if !self.looking.swap(true, Ordering::AcqRel) {
            tokio::spawn(look_for_bus(Arc::downgrade(self)));
        }
    }

    /// Takes what BlueZ told, at once, and hands it to whom it concerns.
    fn take(self: &Arc<Self>, signal: Signal) {
        let at = self.clock.now();
        let path = match &signal {
            Signal::Lost => {
                locked(&self.gone).bus = true;
                self.all_gone();
                return self.look_for_bus();
            }
            Signal::ServiceGone => {
                tracing::warn!("BlueZ ended");
                locked(&self.gone).service = true;
                return self.all_gone();
            }
            Signal::ServiceBack => {
                tracing::info!("BlueZ is there");
                tokio::spawn(self.clone().all_back());
                return;
            }
            Signal::Added { path, .. }
            | Signal::Removed { path, .. }
            | Signal::Changed { path, .. }
            | Signal::Disconnected { path, .. } => path,
        };
        let adapter = bus::adapter_of(path);
        if adapter.is_some() {
            let news = match &signal {
                Signal::Changed { properties, .. } => properties.contains_key("Powered"),
                _ => true,
            };
            if news {
                self.changes.send_modify(|changes| *changes += 1);
            }
        }
        let adapter = adapter.or_else(|| bus::device_of(path).map(|(adapter, _)| adapter));
        let opened = adapter.and_then(|id| locked(&self.opened).get(&id).and_then(Weak::upgrade));
        if let Some(adapter) = opened {
            adapter.take(at, signal);
        }
    }

    fn all_opened(&self) -> Vec<Arc<Adapter>> {
        locked(&self.opened)
            .values()
            .filter_map(Weak::upgrade)
            .collect()
    }

    fn all_gone(&self) {
        for adapter in self.all_opened() {
            adapter.changed(RadioState::Gone);
        }
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Tells every adapter what is there now. Boxed, for it asks for the way that may have asked for it.
    fn all_back(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.tell_all().await })
    }

    async fn tell_all(self: &Arc<Self>) {
        let adapters = self.all_opened();
        let asked: Vec<_> = adapters.iter().map(|adapter| adapter.told()).collect();
        let objects = match self.way().await {
            Ok(way) => way.bus.objects(ANSWER).await.map_err(|fault| fault.error),
            Err(error) => Err(error),
        };
        match objects {
            Ok(objects) => {
                for (adapter, asked) in adapters.iter().zip(asked) {
                    adapter.learn(&objects, asked);
                }
                self.changes.send_modify(|changes| *changes += 1);
            }
            Err(error) => tracing::warn!(%error, "BlueZ does not say what it has"),
        }
    }
}

/// Joins the message bus again when it is back.
async fn look_for_bus(host: Weak<Host>) {
    loop {
        sleep(REJOIN).await;
        let Some(host) = host.upgrade() else {
            break;
        };
        match host.way().await {
            Ok(_) => {
                tracing::info!("joined the system bus");
                host.looking.store(false, Ordering::Release);
                // It may have gone before that was noted.
                if locked(&host.gone).bus {
                    host.look_for_bus();
                }
                break;
            }
            Err(error) => tracing::debug!(%error, "the system bus is not back"),
        }
    }
}

#[async_trait]
impl Backend for Bluez {
    fn kind(&self) -> RadioKind {
        RadioKind::Bluez
    }

    fn stack(&self) -> &'static str {
        "BlueZ"
    }

    async fn adapters(&self) -> Result<Vec<AdapterInfo>> {
        let way = self.host.way().await?;
        let objects = way.bus.objects(ANSWER).await.map_err(|fault| fault.error)?;
        Ok(adapter::found(&objects))
    }

    /// Opening an adapter again while it is open gives the same radio.
    async fn open(&self, adapter: &AdapterId) -> Result<Arc<dyn Radio>> {
        let way = self.host.way().await?;
        if let Some(open) = locked(&self.host.opened)
            .get(adapter)
            .and_then(Weak::upgrade)
        {
            return Ok(open);
        }
        let objects = way.bus.objects(ANSWER).await.map_err(|fault| fault.error)?;
        let info = adapter::found(&objects)
            .into_iter()
            .find(|info| info.id == *adapter)
            .ok_or_else(|| Error::NoAdapter {
                id: adapter.to_string(),
            })?;
        let radio = {
            let mut opened = locked(&self.host.opened);
            if let Some(open) = opened.get(adapter).and_then(Weak::upgrade) {
                return Ok(open);
            }
            let radio = Adapter::open(self.host.clone(), info);
            opened.insert(adapter.clone(), Arc::downgrade(&radio));
            radio
        };
        // Only from here on it hears what BlueZ tells.
        let asked = radio.told();
        let objects = way.bus.objects(ANSWER).await.map_err(|fault| fault.error)?;
        radio.learn(&objects, asked);
        Ok(radio)
    }

    fn changes(&self) -> Option<watch::Receiver<u64>> {
        Some(self.host.changes.subscribe())
    }
}
