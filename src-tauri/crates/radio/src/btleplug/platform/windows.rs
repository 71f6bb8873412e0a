//! WinRT.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::time::Duration;

use ::btleplug::Result;
use ::btleplug::api::{BDAddr, Central as _};
use ::btleplug::platform::{Adapter, Peripheral, PeripheralId};

use super::super::adverts::Telling;
use super::super::table::Prefers;
use super::{HostEvent, Patience};
use crate::caps::NO_CACHE;
use crate::{AdapterId, Cap, DeviceId, Support};

pub(in crate::btleplug) const STACK: &str = "WinRT";
pub(in crate::btleplug) const FORGETS_DEVICES: bool = false;
pub(in crate::btleplug) const TELLING: Telling = Telling::Packets;
pub(in crate::btleplug) const PREFERS: Prefers = Prefers::Indications;
pub(in crate::btleplug) const ECHOES_READS: bool = false;
/// Windows can answer with an empty list while it still finds out.
pub(in crate::btleplug) const DISCOVERY: Patience = Patience {
    times: 10,
    pause: Duration::from_secs(1),
};

pub(in crate::btleplug) fn support(cap: Cap) -> Support {
    match cap {
        Cap::Address => Support::Yes,
        Cap::Connectable => Support::No(
            "btleplug does not hand on the connectable flag that Windows has. Try to connect.",
        ),
        Cap::RawAdvertisement => Support::No(
            "btleplug does not hand on the data sections that Windows has. Use Bluetooth Virtual \
             Sniffer (btvs.exe) to see every byte.",
        ),
        Cap::PassiveScan => {
            Support::No("btleplug always asks Windows for scan responses and has no switch for it.")
        }
        Cap::Handles => Support::No(
            "btleplug gives attributes by UUID only and does not hand on the handles that Windows has.",
        ),
        Cap::DuplicateUuids => Support::No(
            "btleplug finds attributes by UUID: of several with one UUID only the first is shown.",
        ),
        Cap::ChooseNotifyMode => Support::No(
            "btleplug asks Windows for indications wherever a characteristic has both, and has no \
             switch for it.",
        ),
        Cap::NotifyRoute => Support::No("WinRT has one way for notifications."),
        Cap::Mtu => Support::Yes,
        Cap::ConnectionParameters => {
            Support::Partly("Windows 11 and later; Windows 10 has no interface for them.")
        }
        Cap::CachedRead => Support::No(NO_CACHE),
        Cap::LinkRssi => Support::No(
            "Windows has no interface for the signal strength of a connection, only for that of \
             advertisements. Scan to see it while the device advertises.",
        ),
        Cap::DisconnectReason => Support::No(
            "Windows tells that a link ended and not why. Use Bluetooth Virtual Sniffer (btvs.exe).",
        ),
        Cap::SetPower => {
            Support::No("btleplug cannot switch adapters. Use Settings, Bluetooth & devices.")
        }
        Cap::Pairing => Support::Yes,
        Cap::Forget => Support::No(
            "btleplug cannot make Windows forget a device. Remove it in Settings, Bluetooth & devices.",
        ),
    }
}

pub(in crate::btleplug) fn device_id(id: &PeripheralId) -> DeviceId {
    id.to_string().into()
}

/// Windows names adapters only by their address here; without one, by the interface.
pub(in crate::btleplug) fn adapter_id(info: &str, address: Option<BDAddr>) -> (AdapterId, String) {
    match address {
        Some(address) => {
            let address = address.to_string();
            (address.as_str().into(), format!("Bluetooth {address}"))
        }
        None => (info.into(), "Bluetooth".into()),
    }
}

/// The handle of a device that was heard. Windows drops it from its list when a link ends, and it is
/// made again from the address.
pub(in crate::btleplug) async fn find(
    adapter: &Adapter,
    device: &DeviceId,
    heard: Option<&PeripheralId>,
) -> Result<Option<Peripheral>> {
    if let Some(id) = heard {
        return adapter.add_peripheral(id).await.map(Some);
    }
    let Ok(address) = device.as_str().parse::<BDAddr>() else {
        return Ok(None);
    };
    Ok(adapter.peripheral(&PeripheralId::from(address)).await.ok())
}

pub(in crate::btleplug) fn name_and_text(
    _error: &(dyn StdError + Send + Sync + 'static),
) -> Option<(String, String)> {
    None
}

pub(in crate::btleplug) struct Watch;

/// Windows tells of its radio's state by events of the adapter.
#[expect(clippy::unused_async, reason = "Linux has to wait for the system here")]
pub(in crate::btleplug) async fn watch(
    _tell: impl Fn(HostEvent) + Clone + Send + Sync + 'static,
) -> std::result::Result<Watch, Infallible> {
    Ok(Watch)
}
