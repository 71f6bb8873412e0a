//! The radio: what is on the air, and how to talk to it.
//!
//! This crate holds the vocabulary of Bluetooth Low Energy as a client sees it ([`Advertisement`],
//! [`GattDb`], [`AttrId`], [`Sample`]), the traits that every radio implements ([`Backend`],
//! [`Radio`], [`Link`]), and the radios themselves: [`btleplug`] on every system, `bluez` on Linux, and
//! [`simulated`], a lab of virtual devices that needs no hardware.
//!
//! It does not decode values, record them, reconnect by itself, or know a window: it gives what the
//! operating system gave, stamped on arrival, and says what the system cannot do ([`Caps`]).
//!
//! ```
//! use std::sync::Arc;
//! use radio::{Backend, Clock, ConnectOptions, ScanFilter, simulated::Simulated};
//! use tokio_util::sync::CancellationToken;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> radio::Result<()> {
//! let backend = Simulated::new(Clock::monotonic(), 1);
//! let adapters = backend.adapters().await?;
//! let radio = backend.open(&adapters[0].id).await?;
//!
//! // Sinks are plain functions: they must return at once.
//! let (heard, mut devices) = tokio::sync::mpsc::unbounded_channel();
//! radio.start_scan(ScanFilter::default(), Arc::new(move |advertisement| {
//!     let _ = heard.send(advertisement);
//! })).await?;
//! let device = devices.recv().await.map(|advertisement| advertisement.device);
//! radio.stop_scan().await?;
//! # let _ = (device, ConnectOptions::default(), CancellationToken::new());
//! # Ok(())
//! # }
//! ```

mod advertisement;
mod att;
mod caps;
mod device;
mod error;
mod gatt;
mod interface;
mod time;

#[cfg(target_os = "linux")]
pub mod bluez;
pub mod btleplug;
pub mod simulated;

pub use advertisement::{Advertisement, CompanyId, Rssi};
pub use att::AttError;
pub use caps::{Cap, Caps, Support};
pub use device::{AdapterId, AdapterInfo, Address, AddressKind, DeviceId};
pub use error::{Error, PairingFailure, Result};
pub use gatt::{AttrId, AttrKind, Attribute, GattDb, Generation, Handle, Properties};
pub use interface::{
    AdvertisementSink, Backend, ConnectOptions, ConnectionParameters, ConnectionPreset,
    DisconnectReason, Interruption, Link, LinkState, NotifyMode, NotifyRoute, PairingAnswer,
    PairingQuestion, PairingRequest, PairingSink, Radio, RadioKind, RadioState, Sample, SampleKind,
    SampleSink, ScanFilter, WriteKind,
};
pub use time::{Clock, Timestamp};

/// The largest attribute value, in bytes (Core Specification, Vol 3, Part F, 3.2.9).
pub const MAX_ATTRIBUTE_LEN: usize = 512;

/// The ATT MTU of a link before any exchange, in bytes (Core Specification, Vol 3, Part G, 5.2.1).
pub const DEFAULT_ATT_MTU: u16 = 23;
