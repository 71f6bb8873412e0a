//! BlueZ, over the system's D-Bus.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use ::btleplug::Result;
use ::btleplug::api::{BDAddr, Central as _, Peripheral as _};
use ::btleplug::platform::{Adapter, Peripheral, PeripheralId};
use bluez_async::BluetoothError;
use dbus::arg::PropMap;
use dbus::message::MatchRule;
use dbus::nonblock::{MsgMatch, SyncConnection};
use tokio::task::JoinHandle;

use super::super::adverts::Telling;
use super::super::table::Prefers;
use super::{HostEvent, Patience};
use crate::caps::NO_CACHE;
use crate::{AdapterId, Cap, DeviceId, Support};

pub(in crate::btleplug) const STACK: &str = "BlueZ by btleplug";
/// BlueZ forgets a device 30 s after the scan that heard it, and at once if it takes no connection.
pub(in crate::btleplug) const FORGETS_DEVICES: bool = true;
pub(in crate::btleplug) const TELLING: Telling = Telling::Properties;
/// BlueZ writes 0x0001 to the CCCD wherever it may (src/shared/gatt-client.c).
pub(in crate::btleplug) const PREFERS: Prefers = Prefers::Notifications;
pub(in crate::btleplug) const ECHOES_READS: bool = true;
/// BlueZ can say that services are resolved before their objects are there.
pub(in crate::btleplug) const DISCOVERY: Patience = Patience {
    times: 10,
    pause: Duration::from_millis(200),
};

pub(in crate::btleplug) fn support(cap: Cap) -> Support {
    match cap {
        Cap::Address => Support::Yes,
        Cap::Connectable => {
            Support::No("BlueZ does not say whether a device accepts connections. Try to connect.")
        }
        Cap::RawAdvertisement => Support::No(
            "BlueZ hands out advertisements taken apart, and btleplug only the parts that it knows. \
             Capture the air with btmon to see every byte.",
        ),
        Cap::PassiveScan => Support::No(
            "btleplug has no interface to BlueZ's advertisement monitors, so every scan asks for scan \
             responses.",
        ),
        Cap::Handles => Support::No(
            "btleplug gives attributes by UUID only. BlueZ's object paths, which bluetoothctl shows, \
             hold the handles.",
        ),
        Cap::DuplicateUuids => Support::No(
            "btleplug finds attributes by UUID: of several characteristics with one UUID in a service \
             only the first is shown, and of several services with one UUID only one.",
        ),
        Cap::ChooseNotifyMode => Support::No(
            "BlueZ asks for notifications wherever a characteristic has both, and has no interface to \
             choose.",
        ),
        Cap::NotifyRoute => {
            Support::No("btleplug uses BlueZ's signals only. The radio \"BlueZ\" also has sockets.")
        }
        Cap::Mtu => Support::Partly(
            "BlueZ tells the MTU as it was when the services were found; before BlueZ 5.62 it does \
             not, and 23 is assumed.",
        ),
        Cap::ConnectionParameters => Support::No(
            "BlueZ has no interface for connection parameters. Capture with btmon to see them.",
        ),
        Cap::CachedRead => Support::No(NO_CACHE),
        Cap::LinkRssi => Support::No(
            "BlueZ has no interface for the signal strength of a connection, only for that of \
             advertisements. Scan to see it while the device advertises.",
        ),
        Cap::DisconnectReason => Support::No(
            "btleplug tells that a link ended and not why. Capture with btmon to see the reason.",
        ),
        Cap::SetPower => Support::No(
            "btleplug cannot switch adapters. Use the system's settings, or: bluetoothctl power on.",
        ),
        Cap::Pairing => Support::No(
            "btleplug cannot pair. Pair in the system's settings, or: bluetoothctl pair ADDRESS.",
        ),
        Cap::Forget => Support::No(
            "btleplug cannot make BlueZ forget a device. Use: bluetoothctl remove ADDRESS.",
        ),
    }
}

/// The address in `hci0/dev_F0_F1_F2_F3_F4_F5`.
pub(in crate::btleplug) fn device_id(id: &PeripheralId) -> DeviceId {
    device_of_path(&id.to_string())
}

fn device_of_path(path: &str) -> DeviceId {
    match path.rsplit_once("/dev_") {
        Some((_, address)) => address.replace('_', ":").into(),
        None => path.into(),
    }
}

/// Identifier and name in `hci0 (usb:v1D6Bp0246d0542)`, whose parenthesis names BlueZ itself.
pub(in crate::btleplug) fn adapter_id(info: &str, _address: Option<BDAddr>) -> (AdapterId, String) {
    let id = info.split_whitespace().next().unwrap_or(info);
    (id.into(), id.to_owned())
}

/// The handle of a device that BlueZ knows on this adapter.
pub(in crate::btleplug) async fn find(
    adapter: &Adapter,
    device: &DeviceId,
    heard: Option<&PeripheralId>,
) -> Result<Option<Peripheral>> {
    if let Some(id) = heard {
        return match adapter.peripheral(id).await {
            Ok(found) => Ok(Some(found)),
            Err(::btleplug::Error::DeviceNotFound) => Ok(None),
            Err(error) => Err(error),
        };
    }
    let all = adapter.peripherals().await?;
    Ok(all.into_iter().find(|found| {
        device_id(&found.id())
            .as_str()
            .eq_ignore_ascii_case(device.as_str())
    }))
}

/// Name and text of a D-Bus error.
pub(in crate::btleplug) fn name_and_text(
    error: &(dyn StdError + Send + Sync + 'static),
) -> Option<(String, String)> {
    match error.downcast_ref::<BluetoothError>()? {
        BluetoothError::DbusError(error) => Some((
            error.name().unwrap_or_default().to_owned(),
            error.message().unwrap_or_default().to_owned(),
        )),
        _ => None,
    }
}

/// A connection of its own to the system bus, for what `btleplug` does not tell: that the bus or
/// BlueZ is gone, and that adapters come and go. It ends when it is dropped.
pub(in crate::btleplug) struct Watch {
    connection: Arc<SyncConnection>,
    matches: Vec<MsgMatch>,
    io: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.io.abort();
        self.matches.clear();
        tracing::trace!(connection = %self.connection.unique_name(), "left the system bus");
    }
}

/// Watches the system's Bluetooth.
pub(in crate::btleplug) async fn watch(
    tell: impl Fn(HostEvent) + Clone + Send + Sync + 'static,
) -> std::result::Result<Watch, BluetoothError> {
    let (io, connection) = dbus_tokio::connection::new_system_sync()?;
    let lost = tell.clone();
    let io = tokio::spawn(async move {
        let error = io.await;
        tracing::warn!(%error, "the connection to the system bus is lost");
        lost(HostEvent::Lost);
    });
    let mut watch = Watch {
        connection: connection.clone(),
        matches: Vec::new(),
        io,
    };

    let owner = MatchRule::new_signal("org.freedesktop.DBus", "NameOwnerChanged");
    let ended = tell.clone();
    let owner = connection.add_match(owner).await?.cb(
        move |_, (name, _, now): (String, String, String)| {
            if name == "org.bluez" && now.is_empty() {
                ended(HostEvent::ServiceGone);
            }
            true
        },
    );
    watch.matches.push(owner);

    const OBJECTS: &str = "org.freedesktop.DBus.ObjectManager";
    const ADAPTER: &str = "org.bluez.Adapter1";
    let back = tell.clone();
    let added = connection
        .add_match(MatchRule::new_signal(OBJECTS, "InterfacesAdded").with_sender("org.bluez"))
        .await?
        .cb(
            move |_, (path, what): (dbus::Path<'static>, HashMap<String, PropMap>)| {
                if what.contains_key(ADAPTER) {
                    back(HostEvent::AdapterBack(adapter_of_path(&path)));
                }
                true
            },
        );
    watch.matches.push(added);
    let removed = connection
        .add_match(MatchRule::new_signal(OBJECTS, "InterfacesRemoved").with_sender("org.bluez"))
        .await?
        .cb(move |_, (path, what): (dbus::Path<'static>, Vec<String>)| {
            if what.iter().any(|interface| interface == ADAPTER) {
                tell(HostEvent::AdapterGone(adapter_of_path(&path)));
            }
            true
        });
    watch.matches.push(removed);
    Ok(watch)
}

fn adapter_of_path(path: &str) -> AdapterId {
    path.strip_prefix("/org/bluez/").unwrap_or(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_by_its_address() {
        let id = device_of_path("hci0/dev_F0_F1_F2_F3_F4_F5");
        assert_eq!(id.as_str(), "F0:F1:F2:F3:F4:F5");
        assert_eq!(device_of_path("hci0/odd").as_str(), "hci0/odd");
    }

    #[test]
    fn an_adapter_is_named_as_everybody_names_it() {
        let (id, name) = adapter_id("hci0 (usb:v1D6Bp0246d0542)", None);
        assert_eq!((&*id.0, name.as_str()), ("hci0", "hci0"));
        assert_eq!(adapter_of_path("/org/bluez/hci1"), "hci1".into());
    }
}
