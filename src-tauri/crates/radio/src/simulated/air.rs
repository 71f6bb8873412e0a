//! What radio, links and faults share: the devices, the adapter's state, and time.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::Rng;
use rand_xoshiro::rand_core::SeedableRng;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pairing::Keys;
use super::peripheral::{Dice, Entry, Peripheral, Says, Source, Walk};
use super::{Lab, VirtualDevice, ad, beacons, devices, lock};
use crate::{
    AdapterId, AdapterInfo, Address, AddressKind, Advertisement, AttError, Clock, DeviceId,
    DisconnectReason, Error, LinkState, RadioState, Result, Rssi, Timestamp,
};

const ADAPTER: &str = "sim0";
const ADAPTER_ADDRESS: Address = Address([0x02, 0, 0, 0, 0, 0x01]);

pub(super) struct Air {
    origin: Timestamp,
    began: Instant,
    pub(super) latency: Range<Duration>,
    state: watch::Sender<RadioState>,
    devices: Vec<Device>,
}

/// A device on the air. What never changes is open; the rest is behind locks, which are taken one at a time, except that
/// `life` may be taken while a subscription is.
pub(super) struct Device {
    pub(super) which: Option<VirtualDevice>,
    pub(super) id: DeviceId,
    pub(super) connectable: bool,
    pub(super) answers: bool,
    pub(super) mtu: u16,
    pub(super) interval: Duration,
    pub(super) reports: Option<u32>,
    pub(super) hangs_up_after: Option<Duration>,
    pub(super) keys: Option<Keys>,
    pub(super) entries: Vec<Entry>,
    scan_response: Option<bytes::Bytes>,
    address: Address,
    address_kind: AddressKind,
    voice: Mutex<Voice>,
    pub(super) life: Mutex<Life>,
}

/// How a device sounds.
struct Voice {
    says: Says,
    walk: Walk,
    dice: Dice,
}

/// What is inside a device, and who is connected to it.
pub(super) struct Life {
    pub(super) sources: Vec<Box<dyn Source>>,
    pub(super) connection: Connection,
    pub(super) dice: Dice,
    pub(super) faults: Planned,
    walk: Walk,
}

impl Life {
    pub(super) fn rssi(&mut self) -> Rssi {
        Rssi(self.walk.step(&mut self.dice))
    }
}

pub(super) enum Connection {
    None,
    Connecting,
    Up(Arc<Core>),
}

/// What is to go wrong next.
#[derive(Default)]
pub(super) struct Planned {
    pub(super) hang_connects: u32,
    pub(super) hang_requests: u32,
    pub(super) refuse_reads: VecDeque<(u16, AttError)>,
    pub(super) refuse_writes: VecDeque<(u16, AttError)>,
    pub(super) lose: u32,
}

/// The part of a link that everybody sees who can end it.
pub(super) struct Core {
    pub(super) state: watch::Sender<LinkState>,
    pub(super) mtu: watch::Sender<Option<u16>>,
    pub(super) ended: CancellationToken,
}

impl Core {
    pub(super) fn new(mtu: u16) -> Self {
        Self {
            state: watch::Sender::new(LinkState::Up),
            mtu: watch::Sender::new(Some(mtu)),
            ended: CancellationToken::new(),
        }
    }
}

impl Air {
    pub(super) fn new(clock: &Clock, seed: u64, lab: &Lab) -> Self {
        let named = lab.devices.iter().map(|which| {
            // What a device does must not depend on which others there are.
            let part = move |n: u64| dice(seed, 1_000 * (1 + *which as u64) + n);
            Device::new(devices::build(*which, lab, part), part(998), part(999))
        });
        let crowd = (0..lab.fillers).map(|number| {
            let part = |n: u64| dice(seed, 1_000_000 + 1_000 * number as u64 + n);
            Device::new(beacons::filler(number, part(1)), part(998), part(999))
        });
        Self {
            origin: clock.now(),
            began: Instant::now(),
            latency: lab.latency.clone(),
            state: watch::Sender::new(RadioState::On),
            devices: named.chain(crowd).collect(),
        }
    }

    pub(super) fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The place of a device.
    pub(super) fn find(&self, id: &DeviceId) -> Option<usize> {
        self.devices.iter().position(|device| device.id == *id)
    }

    pub(super) fn adapter(&self) -> AdapterInfo {
        AdapterInfo {
            id: AdapterId::from(ADAPTER),
            name: "Simulated lab".into(),
            address: Some(ADAPTER_ADDRESS),
            state: *self.state.borrow(),
        }
    }

    pub(super) fn state(&self) -> watch::Receiver<RadioState> {
        self.state.subscribe()
    }

    /// Whether the adapter can be used.
    pub(super) fn usable(&self) -> Result<()> {
        match *self.state.borrow() {
            RadioState::On => Ok(()),
            RadioState::Unauthorized => Err(Error::Unauthorized),
            RadioState::Gone => Err(Error::NoAdapter { id: ADAPTER.into() }),
            RadioState::Off | RadioState::Unknown => Err(Error::PoweredOff),
        }
    }

    /// Changes the adapter's state; when it cannot be used any more, every link ends.
    pub(super) fn set_state(&self, state: RadioState) {
        self.state
            .send_if_modified(|now| std::mem::replace(now, state) != state);
        if state != RadioState::On {
            for device in &self.devices {
                device.end_any(DisconnectReason::AdapterLost);
            }
        }
    }

    /// How long after the lab began an instant is.
    pub(super) fn elapsed(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.began)
    }

    /// The stamp of an instant.
    pub(super) fn stamp(&self, at: Instant) -> Timestamp {
        self.origin.after(self.elapsed(at))
    }

    /// What the radio hears of a device at an instant: its advertisement, and the scan response if it has one, in the same
    /// advertising event.
    pub(super) fn hear(&self, device: &Device, at: Instant) -> Vec<Advertisement> {
        let mut voice = lock(&device.voice);
        let Voice { says, walk, dice } = &mut *voice;
        let said = says(self.elapsed(at), dice);
        [Some(said), device.scan_response.clone()]
            .into_iter()
            .filter_map(|raw| {
                let mut report = Advertisement::new(device.id.clone(), self.stamp(at));
                report.address = Some(device.address);
                report.address_kind = Some(device.address_kind);
                report.connectable = Some(device.connectable);
                report.rssi = Some(Rssi(walk.step(dice)));
                ad::read_into(&raw?, &mut report);
                Some(report)
            })
            .collect()
    }

    /// How long until a device advertises again (Core Specification, Vol 6, Part B, 4.4.2.2.1: the interval and a random
    /// delay of up to 10 ms).
    pub(super) fn pause(&self, device: &Device) -> Duration {
        let delay = lock(&device.voice).dice.random_range(0..10_000);
        device.interval + Duration::from_micros(delay)
    }

    /// How long after the start of a scan a device is heard first.
    pub(super) fn first_pause(&self, device: &Device) -> Duration {
        let part = lock(&device.voice).dice.random_range(0.0..1.0);
        device.interval.mul_f64(part)
    }
}

impl Device {
    fn new(peripheral: Peripheral, voice: Dice, life: Dice) -> Self {
        let walk = || Walk::new(peripheral.mean_rssi, peripheral.rssi_spread);
        Self {
            which: peripheral.which,
            id: DeviceId::from(peripheral.address.to_string()),
            connectable: peripheral.connectable,
            answers: peripheral.answers,
            mtu: peripheral.mtu,
            interval: peripheral.interval,
            reports: peripheral.reports,
            hangs_up_after: peripheral.hangs_up_after,
            keys: peripheral.keys,
            entries: peripheral.table.entries,
            scan_response: peripheral.scan_response,
            address: peripheral.address,
            address_kind: peripheral.address_kind,
            voice: Mutex::new(Voice {
                walk: walk(),
                says: peripheral.says,
                dice: voice,
            }),
            life: Mutex::new(Life {
                walk: walk(),
                sources: peripheral.table.sources,
                connection: Connection::None,
                dice: life,
                faults: Planned::default(),
            }),
        }
    }

    /// Whether it advertises: while it is connected it does not.
    pub(super) fn advertises(&self) -> bool {
        !matches!(lock(&self.life).connection, Connection::Up(_))
    }

    /// Ends one link, if it is still up. The state is told after the device is free, so that whoever is told can connect
    /// at once.
    pub(super) fn end(&self, core: &Arc<Core>, reason: DisconnectReason) {
        let mut life = lock(&self.life);
        if matches!(&life.connection, Connection::Up(up) if Arc::ptr_eq(up, core)) {
            life.connection = Connection::None;
        }
        drop(life);
        core.state.send_if_modified(|state| {
            let up = *state == LinkState::Up;
            if up {
                core.ended.cancel();
                *state = LinkState::Down(reason);
            }
            up
        });
    }

    /// Ends whatever link there is; says whether there was one.
    pub(super) fn end_any(&self, reason: DisconnectReason) -> bool {
        let up = match &lock(&self.life).connection {
            Connection::Up(core) => Some(core.clone()),
            Connection::None | Connection::Connecting => None,
        };
        if let Some(core) = &up {
            self.end(core, reason);
        }
        up.is_some()
    }
}

/// The random numbers of one part.
fn dice(seed: u64, part: u64) -> Dice {
    // Any odd constant keeps neighbours apart; seed_from_u64 mixes the rest.
    Dice::seed_from_u64(seed ^ part.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}
