//! The one place that speaks D-Bus itself, for what `bluer` does not give.
//!
//! A single connection hears every signal of BlueZ in the order in which BlueZ sent it, on one task,
//! which stamps and hands on: one signal of a device is one report of an advertisement, a removed
//! object is the end of an attribute, and a value stands before or after the answer of a read as it did
//! on the air. `bluer` spreads the same signals over streams that keep no order between them, begins
//! to listen to a characteristic only when `StartNotify` has answered, and has no signal
//! `Device1.Disconnected`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dbus::arg::{AppendAll, PropMap, ReadAll, RefArg};
use dbus::message::MatchRule;
use dbus::nonblock::{MsgMatch, Proxy, SyncConnection};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::btleplug::fault::{Fault, from_bluez};
use crate::{AdapterId, DeviceId, Error};

pub(super) const ADAPTER: &str = "org.bluez.Adapter1";
pub(super) const DEVICE: &str = "org.bluez.Device1";
pub(super) const SERVICE: &str = "org.bluez.GattService1";
pub(super) const CHARACTERISTIC: &str = "org.bluez.GattCharacteristic1";
pub(super) const DESCRIPTOR: &str = "org.bluez.GattDescriptor1";
pub(super) const MONITORS: &str = "org.bluez.AdvertisementMonitorManager1";

const BLUEZ: &str = "org.bluez";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const OBJECTS: &str = "org.freedesktop.DBus.ObjectManager";

/// How long the message bus may take to let us in.
const JOINING: Duration = Duration::from_secs(10);

/// Every object of BlueZ: path, interface, properties.
pub(super) type Objects = HashMap<dbus::Path<'static>, HashMap<String, PropMap>>;

/// What BlueZ or the bus told.
pub(super) enum Signal {
    /// The connection to the bus is lost, and this [`Bus`] with it.
    Lost,
    /// BlueZ ended.
    ServiceGone,
    /// BlueZ is there again; its objects come one by one.
    ServiceBack,
    /// An object has more interfaces.
    Added {
        path: String,
        interfaces: HashMap<String, PropMap>,
    },
    /// An object has fewer interfaces.
    Removed {
        path: String,
        interfaces: Vec<String>,
    },
    /// Properties changed.
    Changed {
        path: String,
        interface: String,
        properties: PropMap,
    },
    /// Why a device disconnected: BlueZ 5.82 and later.
    Disconnected { path: String, message: String },
}

/// Whether the way to the bus can carry sockets. One over TCP, to the BlueZ of another machine,
/// cannot: a message with a socket in it would never come.
pub(super) fn carries_sockets() -> bool {
    let address = std::env::var("DBUS_SYSTEM_BUS_ADDRESS").unwrap_or_default();
    !address.starts_with("tcp:")
}

/// Tells of a connection that is lost, whatever ended it: a sink that panics takes its task along.
struct Tells<F: Fn(Signal)>(F);

impl<F: Fn(Signal)> Drop for Tells<F> {
    fn drop(&mut self) {
        // At the end of the program nobody is left to tell.
        if Handle::try_current().is_ok() {
            (self.0)(Signal::Lost);
        }
    }
}

/// A connection to the system bus. It ends when it is dropped.
pub(super) struct Bus {
    connection: Arc<SyncConnection>,
    matches: Vec<MsgMatch>,
    io: JoinHandle<()>,
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.io.abort();
        self.matches.clear();
    }
}

impl Bus {
    /// Joins the system bus and hands every signal of BlueZ to `tell`, which must return at once.
    pub(super) async fn join(
        tell: impl Fn(Signal) + Clone + Send + Sync + 'static,
    ) -> Result<Self, Fault> {
        // Joining blocks until the bus has answered.
        let joined = tokio::task::spawn_blocking(dbus_tokio::connection::new_system_sync);
        let (io, connection) = match timeout(JOINING, joined).await {
            Ok(Ok(joined)) => joined.map_err(|error| fault_of(&error))?,
            Ok(Err(error)) => return Err(text(&error.to_string())),
            Err(_) => {
                return Err(Fault::from(Error::NoService {
                    message: "the system message bus (D-Bus) does not answer".into(),
                }));
            }
        };
        let lost = Tells(tell.clone());
        let io = tokio::spawn(async move {
            let _lost = lost;
            let error = io.await;
            tracing::warn!(%error, "the connection to the system bus is lost");
        });
        let mut bus = Self {
            connection,
            matches: Vec::new(),
            io,
        };
        match timeout(JOINING, bus.listen(tell)).await {
            Ok(listening) => listening.map_err(|error| fault_of(&error))?,
            Err(_) => {
                return Err(Fault::from(Error::NoService {
                    message: "the system message bus (D-Bus) does not answer".into(),
                }));
            }
        }
        Ok(bus)
    }

    async fn listen(
        &mut self,
        tell: impl Fn(Signal) + Clone + Send + Sync + 'static,
    ) -> Result<(), dbus::Error> {
        let owner = MatchRule::new_signal("org.freedesktop.DBus", "NameOwnerChanged");
        let told = tell.clone();
        let owner = self.connection.add_match(owner).await?.cb(
            move |_, (name, _, now): (String, String, String)| {
                if name == BLUEZ {
                    told(if now.is_empty() {
                        Signal::ServiceGone
                    } else {
                        Signal::ServiceBack
                    });
                }
                true
            },
        );
        self.matches.push(owner);

        let from_bluez =
            |interface, member| MatchRule::new_signal(interface, member).with_sender(BLUEZ);
        let told = tell.clone();
        let added = self
            .connection
            .add_match(from_bluez(OBJECTS, "InterfacesAdded"))
            .await?
            .cb(
                move |_, (path, interfaces): (dbus::Path<'static>, HashMap<String, PropMap>)| {
                    let path = path.to_string();
                    told(Signal::Added { path, interfaces });
                    true
                },
            );
        self.matches.push(added);

        let told = tell.clone();
        let removed = self
            .connection
            .add_match(from_bluez(OBJECTS, "InterfacesRemoved"))
            .await?
            .cb(
                move |_, (path, interfaces): (dbus::Path<'static>, Vec<String>)| {
                    let path = path.to_string();
                    told(Signal::Removed { path, interfaces });
                    true
                },
            );
        self.matches.push(removed);

        let told = tell.clone();
        let changed = self
            .connection
            .add_match(from_bluez(PROPERTIES, "PropertiesChanged"))
            .await?
            .cb(move |message, (interface, properties): (String, PropMap)| {
                if let Some(path) = message.path() {
                    let path = path.to_string();
                    told(Signal::Changed {
                        path,
                        interface,
                        properties,
                    });
                }
                true
            });
        self.matches.push(changed);

        let disconnected = self
            .connection
            .add_match(from_bluez(DEVICE, "Disconnected"))
            .await?
            .cb(move |message, (_, words): (String, String)| {
                if let Some(path) = message.path() {
                    let path = path.to_string();
                    tell(Signal::Disconnected {
                        path,
                        message: words,
                    });
                }
                true
            });
        self.matches.push(disconnected);
        Ok(())
    }

    /// Calls a method of an object of BlueZ.
    pub(super) async fn call<R: ReadAll + 'static>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        arguments: impl AppendAll,
        limit: Duration,
    ) -> Result<R, Fault> {
        let path = dbus::Path::new(path).map_err(|error| text(&error))?;
        let proxy = Proxy::new(BLUEZ, path, limit, &*self.connection);
        let since = Instant::now();
        let answer = proxy.method_call(interface, method, arguments);
        answer.await.map_err(|error| {
            let fault = fault_of(&error);
            match fault.error {
                Error::TimedOut { operation, .. } if since.elapsed() >= limit => {
                    let after = limit;
                    Error::TimedOut { operation, after }.into()
                }
                // Whoever was to answer is gone, and the call was answered for it.
                Error::TimedOut { .. } => Fault::from(Error::NoService {
                    message: "the system message bus (D-Bus) cannot be reached".into(),
                }),
                _ => fault,
            }
        })
    }

    /// Every object of BlueZ.
    pub(super) async fn objects(&self, limit: Duration) -> Result<Objects, Fault> {
        let (objects,) = self
            .call("/", OBJECTS, "GetManagedObjects", (), limit)
            .await?;
        Ok(objects)
    }

    /// Whether this BlueZ tells why a device disconnected.
    pub(super) async fn tells_reasons(&self, device: &str, limit: Duration) -> bool {
        const INTROSPECTABLE: &str = "org.freedesktop.DBus.Introspectable";
        let xml: Result<(String,), _> = self
            .call(device, INTROSPECTABLE, "Introspect", (), limit)
            .await;
        xml.is_ok_and(|(xml,)| xml.contains("<signal name=\"Disconnected\""))
    }
}

fn fault_of(error: &dbus::Error) -> Fault {
    from_bluez(
        error.name().unwrap_or_default(),
        error.message().unwrap_or_default(),
    )
}

fn text(text: &str) -> Fault {
    Fault::from(Error::Os {
        message: text.into(),
    })
}

/// The address in `/org/bluez/hci0/dev_F0_F1_F2_F3_F4_F5` and whatever is below it, with its adapter.
pub(super) fn device_of(path: &str) -> Option<(AdapterId, DeviceId)> {
    let (adapter, rest) = path.strip_prefix("/org/bluez/")?.split_once("/dev_")?;
    let address = rest.split('/').next()?;
    Some((adapter.into(), address.replace('_', ":").into()))
}

/// The adapter of `/org/bluez/hci0`, and of nothing below it.
pub(super) fn adapter_of(path: &str) -> Option<AdapterId> {
    let id = path.strip_prefix("/org/bluez/")?;
    (!id.is_empty() && !id.contains('/')).then(|| id.into())
}

/// Where BlueZ has a device.
pub(super) fn device_path(adapter: &AdapterId, device: &DeviceId) -> String {
    let address = device.as_str().to_ascii_uppercase().replace(':', "_");
    format!("/org/bluez/{adapter}/dev_{address}")
}

/// A property that is true or false.
pub(super) fn flag(properties: &PropMap, name: &str) -> Option<bool> {
    properties.get(name)?.0.as_u64().map(|value| value != 0)
}

/// A property that is a number.
pub(super) fn number<T: TryFrom<i64>>(properties: &PropMap, name: &str) -> Option<T> {
    T::try_from(properties.get(name)?.0.as_i64()?).ok()
}

/// A property that is a text.
pub(super) fn string(properties: &PropMap, name: &str) -> Option<String> {
    properties.get(name)?.0.as_str().map(str::to_owned)
}

/// A property that is a list of texts.
pub(super) fn strings(properties: &PropMap, name: &str) -> Option<Vec<String>> {
    let list = properties.get(name)?.0.as_iter()?;
    Some(
        list.filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
    )
}

/// A property that is bytes.
pub(super) fn bytes(properties: &PropMap, name: &str) -> Option<Vec<u8>> {
    bytes_in(&*properties.get(name)?.0)
}

fn bytes_in(value: &(dyn RefArg + 'static)) -> Option<Vec<u8>> {
    if let Some(bytes) = dbus::arg::cast::<Vec<u8>>(value) {
        return Some(bytes.clone());
    }
    // In a variant inside a variant.
    let inner = value.as_iter()?;
    let mut bytes = Vec::new();
    for item in inner {
        match item.as_u64() {
            Some(byte) => bytes.push(u8::try_from(byte).ok()?),
            None => return bytes_in(&item.box_clone()),
        }
    }
    Some(bytes)
}

/// A property that has bytes under keys.
pub(super) fn bytes_by_key<K>(
    properties: &PropMap,
    name: &str,
    key: impl Fn(&dyn RefArg) -> Option<K>,
) -> Option<Vec<(K, Vec<u8>)>> {
    let mut items = properties.get(name)?.0.as_iter()?;
    let mut all = Vec::new();
    // A dictionary is seen as key, value, key, value.
    while let (Some(this), Some(value)) = (items.next(), items.next()) {
        if let (Some(this), Some(value)) = (key(&this.box_clone()), bytes_in(&value.box_clone())) {
            all.push((this, value));
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbus::arg::Variant;

    fn properties(name: &str, value: Box<dyn RefArg>) -> PropMap {
        HashMap::from([(name.to_owned(), Variant(value))])
    }

    #[test]
    fn a_path_names_its_adapter_and_its_device() {
        let path = "/org/bluez/hci1/dev_F0_F1_F2_F3_F4_F5/service0010/char0011";
        let (adapter, device) = device_of(path).unwrap();
        assert_eq!(adapter, "hci1".into());
        assert_eq!(device.as_str(), "F0:F1:F2:F3:F4:F5");
        assert_eq!(device_of("/org/bluez/hci1"), None);
        assert_eq!(adapter_of("/org/bluez/hci1"), Some("hci1".into()));
        assert_eq!(adapter_of("/org/bluez"), None);
        assert_eq!(adapter_of(path), None);
        let there_and_back = device_path(&adapter, &"f0:f1:f2:f3:f4:f5".into());
        assert!(path.starts_with(&format!("{there_and_back}/")));
    }

    #[test]
    fn properties_come_out_as_they_went_in() {
        assert_eq!(
            flag(&properties("Powered", Box::new(true)), "Powered"),
            Some(true)
        );
        assert_eq!(flag(&PropMap::new(), "Powered"), None);
        assert_eq!(
            number::<i16>(&properties("RSSI", Box::new(-52i16)), "RSSI"),
            Some(-52)
        );
        let uuids = properties(
            "UUIDs",
            Box::new(vec!["180d".to_owned(), "180f".to_owned()]),
        );
        assert_eq!(strings(&uuids, "UUIDs").unwrap(), ["180d", "180f"]);
        let value = properties("Value", Box::new(vec![1u8, 2, 3]));
        assert_eq!(bytes(&value, "Value").unwrap(), [1, 2, 3]);
        let empty = properties("Value", Box::new(Vec::<u8>::new()));
        assert_eq!(bytes(&empty, "Value").unwrap(), [0u8; 0]);
        let inner: Variant<Box<dyn RefArg>> = Variant(Box::new(vec![9u8, 8]));
        let data: HashMap<u16, Variant<Box<dyn RefArg>>> = HashMap::from([(0x004C, inner)]);
        let data = properties("ManufacturerData", Box::new(data));
        let company = |key: &dyn RefArg| u16::try_from(key.as_u64()?).ok();
        assert_eq!(
            bytes_by_key(&data, "ManufacturerData", company).unwrap(),
            [(0x004C, vec![9, 8])]
        );
    }
}
