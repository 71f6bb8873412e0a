//! Trouble on demand, for tests of what stands on a radio.

use std::sync::Arc;

use super::air::{Air, Device, Planned};
use super::lock;
use crate::{AttError, AttrId, DeviceId, DisconnectReason, RadioState};

/// Makes things go wrong in a lab. Each call says whether there was something that it could make go wrong.
#[derive(Clone)]
pub struct Faults {
    air: Arc<Air>,
}

impl Faults {
    pub(super) fn new(air: Arc<Air>) -> Self {
        Self { air }
    }

    fn device(&self, device: &DeviceId) -> Option<&Device> {
        self.air
            .find(device)
            .map(|place| &self.air.devices()[place])
    }

    fn plan(&self, device: &DeviceId, change: impl FnOnce(&mut Planned)) -> bool {
        self.device(device)
            .map(|device| change(&mut lock(&device.life).faults))
            .is_some()
    }

    /// Ends the device's link now, as if the device or the air had, in these words.
    pub fn drop_link(&self, device: &DeviceId, words: &str) -> bool {
        let reason = DisconnectReason::Remote(Some(words.into()));
        self.device(device)
            .is_some_and(|device| device.end_any(reason))
    }

    /// The next connection to the device gets no answer.
    pub fn hang_next_connect(&self, device: &DeviceId) -> bool {
        self.plan(device, |faults| faults.hang_connects += 1)
    }

    /// The next read or write of the device gets no answer; the link ends after 30 s, as the Attribute Protocol demands.
    pub fn hang_next_request(&self, device: &DeviceId) -> bool {
        self.plan(device, |faults| faults.hang_requests += 1)
    }

    /// The device refuses the next read of this attribute.
    pub fn refuse_next_read(&self, device: &DeviceId, attribute: AttrId, error: AttError) -> bool {
        self.plan(device, |faults| {
            faults.refuse_reads.push_back((attribute.index, error));
        })
    }

    /// The device refuses the next write with response of this attribute.
    pub fn refuse_next_write(&self, device: &DeviceId, attribute: AttrId, error: AttError) -> bool {
        self.plan(device, |faults| {
            faults.refuse_writes.push_back((attribute.index, error));
        })
    }

    /// The radio's own queue drops the next `count` values that the device sends. The first that comes after them says so
    /// in its `lost_before`.
    pub fn lose(&self, device: &DeviceId, count: u32) -> bool {
        self.plan(device, |faults| {
            faults.lose = faults.lose.saturating_add(count);
        })
    }

    /// The adapter is unplugged: scans and links end.
    pub fn adapter_gone(&self) {
        self.air.set_state(RadioState::Gone);
    }

    /// The adapter is plugged in and on.
    pub fn adapter_back(&self) {
        self.air.set_state(RadioState::On);
    }

    /// The system takes away, or gives back, the permission to use Bluetooth.
    pub fn authorize(&self, authorized: bool) {
        self.air.set_state(if authorized {
            RadioState::On
        } else {
            RadioState::Unauthorized
        });
    }
}
