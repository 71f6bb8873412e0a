//! The adapter: scans and connects.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rand::Rng;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::air::{Air, Connection, Core, Device};
use super::link::{SimulatedLink, discover};
use super::lock;
use super::pairing::Keys;
use crate::caps::NO_CACHE;
use crate::interface::unsupported;
use crate::{
    AdapterInfo, Advertisement, AdvertisementSink, Cap, Caps, ConnectOptions, DeviceId,
    DisconnectReason, Error, Link, PairingFailure, PairingSink, Radio, RadioState, Result,
    ScanFilter, Support,
};

/// The only adapter of a lab.
pub(super) struct SimulatedRadio {
    air: Arc<Air>,
    adapter: AdapterInfo,
    scan: Mutex<Option<Scan>>,
}

struct Scan {
    sink: Slot,
    _task: AbortOnDropHandle<()>,
}

/// Where the reports go; empty when the scan is over. Reports are handed out under the lock, so that none comes once it
/// has been emptied.
type Slot = Arc<Mutex<Option<Arc<dyn AdvertisementSink>>>>;

impl Drop for Scan {
    fn drop(&mut self) {
        lock(&self.sink).take();
    }
}

impl SimulatedRadio {
    pub(super) fn new(air: Arc<Air>, adapter: AdapterInfo) -> Self {
        Self {
            air,
            adapter,
            scan: Mutex::new(None),
        }
    }

    fn device(&self, device: &DeviceId) -> Result<&Device> {
        self.air.usable()?;
        let place = self.air.find(device).ok_or_else(|| Self::unknown(device))?;
        Ok(&self.air.devices()[place])
    }

    fn unknown(device: &DeviceId) -> Error {
        Error::UnknownDevice {
            device: device.to_string(),
        }
    }
}

/// What the lab's radio can do.
pub(super) fn caps() -> Caps {
    Caps::each(|cap| match cap {
        Cap::PassiveScan => Support::No(
            "The lab's radio always asks for scan responses, as system radios do unless told otherwise.",
        ),
        Cap::NotifyRoute => {
            Support::No("Simulated values have one way only. On Linux, BlueZ has two.")
        }
        Cap::CachedRead => Support::No(NO_CACHE),
        Cap::Address
        | Cap::Connectable
        | Cap::RawAdvertisement
        | Cap::Handles
        | Cap::DuplicateUuids
        | Cap::ChooseNotifyMode
        | Cap::Mtu
        | Cap::ConnectionParameters
        | Cap::LinkRssi
        | Cap::DisconnectReason
        | Cap::SetPower
        | Cap::Pairing
        | Cap::Forget => Support::Yes,
    })
}

#[async_trait]
impl Radio for SimulatedRadio {
    fn adapter(&self) -> &AdapterInfo {
        &self.adapter
    }

    fn caps(&self) -> Caps {
        caps()
    }

    fn state(&self) -> watch::Receiver<RadioState> {
        self.air.state()
    }

    async fn set_power(&self, on: bool) -> Result<()> {
        sleep(Duration::from_millis(30)).await;
        let off = matches!(self.air.usable(), Err(Error::PoweredOff));
        match (on, off) {
            (true, true) => self.air.set_state(RadioState::On),
            (false, true) => {}
            (_, false) => {
                self.air.usable()?;
                if !on {
                    self.air.set_state(RadioState::Off);
                }
            }
        }
        Ok(())
    }

    async fn start_scan(&self, filter: ScanFilter, sink: Arc<dyn AdvertisementSink>) -> Result<()> {
        if filter.passive {
            return Err(unsupported(&self.caps(), Cap::PassiveScan));
        }
        self.air.usable()?;
        let sink: Slot = Arc::new(Mutex::new(Some(sink)));
        let task = tokio::spawn(listen(self.air.clone(), filter, sink.clone()));
        let scan = Scan {
            sink,
            _task: AbortOnDropHandle::new(task),
        };
        // The old scan, if there is one, ends here and outside of the lock.
        let replaced = lock(&self.scan).replace(scan);
        drop(replaced);
        Ok(())
    }

    async fn stop_scan(&self) -> Result<()> {
        let scan = lock(&self.scan).take();
        drop(scan);
        Ok(())
    }

    async fn connect(
        &self,
        device: &DeviceId,
        options: ConnectOptions,
        cancel: CancellationToken,
    ) -> Result<Arc<dyn Link>> {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        self.air.usable()?;
        let place = self.air.find(device).ok_or_else(|| Self::unknown(device))?;
        let device = &self.air.devices()[place];
        let reservation = Reservation::of(device)?;
        let mut state = self.air.state();
        let answer = async {
            match reservation.answers_after {
                Some(after) => sleep(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Error::Cancelled),
            _ = state.wait_for(|state| *state != RadioState::On) => {
                Err(self.air.usable().err().unwrap_or(Error::PoweredOff))
            }
            () = answer => {
                let gatt = discover(device)?;
                let link = SimulatedLink::new(self.air.clone(), place, reservation.connected(), gatt);
                // The adapter may have gone off in the very moment in which the link came up; dropping the link ends it.
                self.air.usable()?;
                Ok(Arc::new(link) as Arc<dyn Link>)
            }
            () = sleep(options.timeout) => Err(Error::TimedOut {
                operation: "Connecting",
                after: options.timeout,
            }),
        }
    }

    async fn pair(
        &self,
        device: &DeviceId,
        questions: Arc<dyn PairingSink>,
        cancel: CancellationToken,
    ) -> Result<()> {
        let device = self.device(device)?;
        match &device.keys {
            Some(keys) => keys.exchange(&device.id, &*questions, &cancel).await,
            None => Err(Error::Pairing(PairingFailure::Refused)),
        }
    }

    async fn is_paired(&self, device: &DeviceId) -> Result<bool> {
        Ok(self.device(device)?.keys.as_ref().is_some_and(Keys::paired))
    }

    async fn unpair(&self, device: &DeviceId) -> Result<()> {
        let device = self.device(device)?;
        if let Some(keys) = &device.keys {
            keys.forget();
        }
        device.end_any(DisconnectReason::Requested);
        Ok(())
    }

    /// The lab remembers nothing but keys.
    async fn forget(&self, device: &DeviceId) -> Result<()> {
        self.unpair(device).await
    }
}

/// A device that somebody is connecting to: nobody else can meanwhile.
struct Reservation<'a> {
    device: &'a Device,
    answers_after: Option<Duration>,
}

impl<'a> Reservation<'a> {
    fn of(device: &'a Device) -> Result<Self> {
        let mut life = lock(&device.life);
        match life.connection {
            Connection::None => life.connection = Connection::Connecting,
            Connection::Connecting => {
                return Err(Error::Busy {
                    operation: "Connecting to this device",
                });
            }
            Connection::Up(_) => {
                return Err(Error::Busy {
                    operation: "A connection to this device",
                });
            }
        }
        let after = Duration::from_millis(life.dice.random_range(150..400));
        let hangs = life.faults.hang_connects > 0;
        life.faults.hang_connects = life.faults.hang_connects.saturating_sub(1);
        let answers = device.connectable && device.answers && !hangs;
        Ok(Self {
            device,
            answers_after: answers.then_some(after),
        })
    }

    fn connected(self) -> Arc<Core> {
        let core = Arc::new(Core::new(self.device.mtu));
        lock(&self.device.life).connection = Connection::Up(core.clone());
        core
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut life = lock(&self.device.life);
        if matches!(life.connection, Connection::Connecting) {
            life.connection = Connection::None;
        }
    }
}

/// Hands out what is heard until the adapter cannot be used or the slot is empty.
async fn listen(air: Arc<Air>, filter: ScanFilter, sink: Slot) {
    let mut state = air.state();
    let start = Instant::now();
    let mut heard = vec![0u32; air.devices().len()];
    let mut due: BinaryHeap<_> = air
        .devices()
        .iter()
        .enumerate()
        .map(|(place, device)| Reverse((start + air.first_pause(device), place)))
        .collect();
    while let Some(Reverse((at, place))) = due.pop() {
        tokio::select! {
            biased;
            _ = state.wait_for(|state| *state != RadioState::On) => break,
            () = sleep_until(at) => {}
        }
        let device = &air.devices()[place];
        if device
            .reports
            .is_some_and(|reports| heard[place] >= reports)
        {
            continue;
        }
        if device.advertises() {
            heard[place] += 1;
            let reports = air.hear(device, at);
            if passes(&filter, &reports) {
                let sink = lock(&sink);
                let Some(sink) = &*sink else { break };
                for report in reports {
                    sink.advertisement(report);
                }
            }
        }
        // After a standstill of the machine nothing of what was on the air meanwhile was heard.
        let next = (at + air.pause(device)).max(Instant::now());
        due.push(Reverse((next, place)));
    }
    lock(&sink).take();
}

fn passes(filter: &ScanFilter, reports: &[Advertisement]) -> bool {
    filter.services.is_empty()
        || reports
            .iter()
            .flat_map(|report| &report.services)
            .any(|service| filter.services.contains(service))
}
