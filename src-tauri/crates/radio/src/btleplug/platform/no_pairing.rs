//! Pairing where this radio has no interface for it: refused, in the words of its capabilities.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::support;
use crate::interface::unsupported;
use crate::{Cap, Caps, DeviceId, Error, PairingSink, Result};

fn refused() -> Error {
    unsupported(&Caps::each(support), Cap::Pairing)
}

#[expect(
    clippy::unused_async,
    reason = "Windows has to wait for the device here"
)]
pub(in crate::btleplug) async fn pair(
    _device: &DeviceId,
    _questions: Arc<dyn PairingSink>,
    _cancel: CancellationToken,
) -> Result<()> {
    Err(refused())
}

#[expect(clippy::unused_async, reason = "Windows has to be asked here")]
pub(in crate::btleplug) async fn is_paired(_device: &DeviceId) -> Result<bool> {
    Err(refused())
}

#[expect(clippy::unused_async, reason = "Windows has to be asked here")]
pub(in crate::btleplug) async fn unpair(_device: &DeviceId) -> Result<()> {
    Err(refused())
}
