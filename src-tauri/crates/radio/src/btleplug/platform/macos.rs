//! CoreBluetooth.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::time::Duration;

use ::btleplug::Result;
use ::btleplug::api::{BDAddr, Central as _, RetrievePeripheralsOptions};
use ::btleplug::platform::{Adapter, Peripheral, PeripheralId};
use uuid::Uuid;

use super::super::adverts::Telling;
use super::super::table::Prefers;
use super::{HostEvent, Patience};
use crate::caps::NO_CACHE;
use crate::{AdapterId, Cap, DeviceId, Support};

pub(in crate::btleplug) const STACK: &str = "CoreBluetooth";
pub(in crate::btleplug) const FORGETS_DEVICES: bool = false;
pub(in crate::btleplug) const TELLING: Telling = Telling::Fields;
pub(in crate::btleplug) const PREFERS: Prefers = Prefers::Untold;
/// The reverse: while a read is under way, CoreBluetooth gives a notification out as its answer.
pub(in crate::btleplug) const ECHOES_READS: bool = false;
pub(in crate::btleplug) const DISCOVERY: Patience = Patience {
    times: 10,
    pause: Duration::from_millis(200),
};

pub(in crate::btleplug) fn support(cap: Cap) -> Support {
    match cap {
        Cap::Address => Support::No(
            "macOS hides addresses and names devices by identifiers of its own, which differ from Mac \
             to Mac. Tell devices apart by name.",
        ),
        Cap::Connectable => Support::No(
            "btleplug does not hand on CoreBluetooth's connectable flag. Try to connect.",
        ),
        Cap::RawAdvertisement => Support::No(
            "CoreBluetooth hands out advertisements taken apart. Use PacketLogger to see every byte.",
        ),
        Cap::PassiveScan => Support::No("CoreBluetooth has no interface for passive scans."),
        Cap::Handles => Support::No("CoreBluetooth has no public interface for handles."),
        Cap::DuplicateUuids => Support::No(
            "btleplug finds attributes by UUID: of several with one UUID only the last is shown.",
        ),
        Cap::ChooseNotifyMode => {
            Support::No("CoreBluetooth chooses by itself where a characteristic has both.")
        }
        Cap::NotifyRoute => Support::No("CoreBluetooth has one way for notifications."),
        Cap::Mtu => Support::Partly(
            "CoreBluetooth tells the largest write, from which the MTU follows, once the services are \
             found.",
        ),
        Cap::ConnectionParameters => Support::No(
            "CoreBluetooth has no interface for connection parameters. Use PacketLogger to see them.",
        ),
        Cap::CachedRead => Support::No(NO_CACHE),
        Cap::LinkRssi => Support::Yes,
        Cap::DisconnectReason => {
            Support::No("btleplug tells that a link ended and not why. Use PacketLogger to see it.")
        }
        Cap::SetPower => {
            Support::No("macOS lets no program switch Bluetooth. Use the Control Centre.")
        }
        Cap::Pairing => Support::No(
            "macOS pairs by itself as soon as a protected attribute is used, and has no interface to \
             ask for it. Read or write such an attribute.",
        ),
        Cap::Forget => Support::No(
            "macOS has no interface to forget a device. Remove it in System Settings, Bluetooth.",
        ),
    }
}

pub(in crate::btleplug) fn device_id(id: &PeripheralId) -> DeviceId {
    id.to_string().into()
}

pub(in crate::btleplug) fn adapter_id(info: &str, _address: Option<BDAddr>) -> (AdapterId, String) {
    (info.into(), "Bluetooth of this Mac".into())
}

/// The handle of a device: CoreBluetooth's own, or retrieved by its identifier, for a handle dies
/// with its connection.
pub(in crate::btleplug) async fn find(
    adapter: &Adapter,
    device: &DeviceId,
    _heard: Option<&PeripheralId>,
) -> Result<Option<Peripheral>> {
    let Ok(uuid) = device.as_str().parse::<Uuid>() else {
        return Ok(None);
    };
    let id = PeripheralId::from(uuid);
    if let Ok(found) = adapter.peripheral(&id).await {
        return Ok(Some(found));
    }
    let options = RetrievePeripheralsOptions {
        identifiers: Some(vec![id]),
        services: None,
    };
    let found = adapter.retrieve_peripherals(options).await?;
    Ok(found.into_iter().next())
}

pub(in crate::btleplug) fn name_and_text(
    _error: &(dyn StdError + Send + Sync + 'static),
) -> Option<(String, String)> {
    None
}

pub(in crate::btleplug) struct Watch;

/// CoreBluetooth tells of its state by events of the adapter.
#[expect(clippy::unused_async, reason = "Linux has to wait for the system here")]
pub(in crate::btleplug) async fn watch(
    _tell: impl Fn(HostEvent) + Clone + Send + Sync + 'static,
) -> std::result::Result<Watch, Infallible> {
    Ok(Watch)
}
