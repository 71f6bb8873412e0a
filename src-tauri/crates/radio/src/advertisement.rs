//! What a device says on the air before anyone is connected to it.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Address, AddressKind, DeviceId, Timestamp};

/// Received signal strength, in dBm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rssi(pub i16);

impl fmt::Display for Rssi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dBm", self.0)
    }
}

/// A company identifier (Assigned Numbers, 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompanyId(pub u16);

/// One report of an advertisement, as the system gave it.
///
/// Systems differ in what they give: some merge several packets into one report, most hide the raw
/// bytes. What this report did not contain is `None` or empty; it is never carried over from an
/// earlier report.
#[derive(Clone, Debug, PartialEq)]
pub struct Advertisement {
    /// When it arrived.
    pub at: Timestamp,
    /// The device that sent it.
    pub device: DeviceId,
    /// Its address, where the system shows it.
    pub address: Option<Address>,
    /// The kind of its address, where the system tells.
    pub address_kind: Option<AddressKind>,
    /// Signal strength of this report.
    pub rssi: Option<Rssi>,
    /// The local name, *as received*: clean it before showing it.
    pub local_name: Option<String>,
    /// Transmit power, in dBm.
    pub tx_power: Option<i16>,
    /// GAP appearance (Assigned Numbers, 2.6).
    pub appearance: Option<u16>,
    /// Advertised service UUIDs.
    pub services: Vec<Uuid>,
    /// Manufacturer specific data.
    pub manufacturer_data: Vec<(CompanyId, Bytes)>,
    /// Service data.
    pub service_data: Vec<(Uuid, Bytes)>,
    /// Whether it accepts connections, where the system tells.
    pub connectable: Option<bool>,
    /// The AD structures byte for byte, where the system gives them.
    pub raw: Option<Bytes>,
}

impl Advertisement {
    /// A report of `device` at `at` that says nothing more yet.
    #[must_use]
    pub fn new(device: DeviceId, at: Timestamp) -> Self {
        Self {
            at,
            device,
            address: None,
            address_kind: None,
            rssi: None,
            local_name: None,
            tx_power: None,
            appearance: None,
            services: Vec::new(),
            manufacturer_data: Vec::new(),
            service_data: Vec::new(),
            connectable: None,
            raw: None,
        }
    }
}
