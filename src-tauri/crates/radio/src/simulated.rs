//! A lab of virtual devices that needs no hardware.
//!
//! It is for learning, for demonstrations and for tests: a [`Simulated`] has one adapter, and on its air are the devices
//! of a [`Lab`]. Everything follows from the seed: the same seed gives the same advertisements and the same values at the
//! same times. Time is that of tokio's timers, so that a test with paused time does not wait.
//!
//! Like the devices of the world they can be read, written, subscribed and lost. Their own formats (all little-endian):
//!
//! | device | characteristic | value |
//! |---|---|---|
//! | Motion sensor | [`MOTION_STREAM`](uuids::MOTION_STREAM) | u32 sequence from 0; i16 acceleration x, y, z (1/4096 g); angular rate (1/16.4 °/s); magnetic field (0.1 µT) |
//! | | [`MOTION_RATE`](uuids::MOTION_RATE) | u16 Hz, 1 to 8,000; others are refused with ATT 0x13 |
//! | | [`MOTION_STAMPED`](uuids::MOTION_STAMPED) | u32 microseconds of the sensor's own clock, 23 ppm fast, at the first sample; four samples of i16 acceleration x (1/4096 g), 208 a second. They wait for connection events, 30 ms apart, and now and then for several |
//! | Virtual HR | [`STREAM`](uuids::STREAM) | u32 sequence from 0; u64 nanoseconds since the lab began; f64 sequence / 10 |
//! | | [`SCRATCH`](uuids::SCRATCH) | up to 512 bytes, read back as they were written |
//! | | [`CONTROL`](uuids::CONTROL) | 0x01: the device hangs up after 200 ms; others are refused with ATT 0x13 |
//! | Door lock | [`LOCK_DISPLAY`](uuids::LOCK_DISPLAY) | its passkey, as text |
//! | | [`LOCK_METHOD`](uuids::LOCK_METHOD) | u8 way of pairing: 0 just works, 1 passkey entry, 2 passkey display, 3 numeric comparison |
//! | | [`LOCK_STATE`](uuids::LOCK_STATE) | u8, refused with ATT 0x05 to those who are not paired |
//! | Difficult | [`LOSSY`](uuids::LOSSY) | u32 sequence that skips: the device itself loses values |
//!
//! ```
//! # async fn example() -> radio::Result<()> {
//! use std::time::Duration;
//! use radio::{Backend, Clock};
//! use radio::simulated::{Lab, Simulated, VirtualDevice};
//!
//! let lab = Lab {
//!     motion_rate_hz: 1_000,
//!     ..Lab::default()
//! };
//! let backend = Simulated::with_lab(Clock::monotonic(), 1, lab);
//! let radio = backend.open(&"sim0".into()).await?;
//! if let Some(strap) = backend.device(VirtualDevice::PulseStrap) {
//!     backend.faults().drop_link(&strap, "Connection Timeout");
//! }
//! # Ok(())
//! # }
//! ```

mod ad;
mod air;
mod beacons;
mod devices;
mod faults;
mod kinds;
mod lab;
mod link;
mod pairing;
mod peripheral;
mod radio;
mod stamped;
#[cfg(test)]
mod tests;
pub mod uuids;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

pub use self::faults::Faults;
pub use self::lab::{Lab, VirtualDevice};

use self::air::Air;
use self::radio::SimulatedRadio;
use crate::{
    AdapterId, AdapterInfo, Backend, Clock, DeviceId, Error, Radio, RadioKind, RadioState, Result,
};

/// A backend with one adapter, `sim0`, and virtual devices on its air.
///
/// What it starts runs on the tokio runtime that its calls are made on, and ends with the radio or the link that started
/// it. What was written to a device stays written for as long as the backend or anything of it lives.
pub struct Simulated {
    air: Arc<Air>,
}

impl Simulated {
    /// The lab that the product offers to somebody without an adapter.
    ///
    /// `clock` gives the origin of all stamps. It must run with tokio's timers: [`Clock::monotonic`], or [`Clock::tokio`]
    /// where time is paused.
    #[must_use]
    pub fn new(clock: Clock, seed: u64) -> Self {
        Self::with_lab(clock, seed, Lab::default())
    }

    /// A lab of one's own.
    #[must_use]
    pub fn with_lab(clock: Clock, seed: u64, lab: Lab) -> Self {
        Self {
            air: Arc::new(Air::new(&clock, seed, &lab)),
        }
    }

    /// The identifier of a device of the lab; `None` if the lab does not have it.
    #[must_use]
    pub fn device(&self, device: VirtualDevice) -> Option<DeviceId> {
        self.air
            .devices()
            .iter()
            .find(|found| found.which == Some(device))
            .map(|found| found.id.clone())
    }

    /// The handle that makes things go wrong.
    #[must_use]
    pub fn faults(&self) -> Faults {
        Faults::new(self.air.clone())
    }
}

#[async_trait]
impl Backend for Simulated {
    fn kind(&self) -> RadioKind {
        RadioKind::Simulated
    }

    fn stack(&self) -> &'static str {
        "Simulated lab"
    }

    async fn adapters(&self) -> Result<Vec<AdapterInfo>> {
        let adapter = self.air.adapter();
        Ok(match adapter.state {
            RadioState::Gone => Vec::new(),
            _ => vec![adapter],
        })
    }

    async fn open(&self, adapter: &AdapterId) -> Result<Arc<dyn Radio>> {
        let info = self.air.adapter();
        if info.id == *adapter && info.state != RadioState::Gone {
            Ok(Arc::new(SimulatedRadio::new(self.air.clone(), info)))
        } else {
            Err(Error::NoAdapter {
                id: adapter.to_string(),
            })
        }
    }
}

/// Locks what no panic can leave half done: every critical section here only moves values.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
