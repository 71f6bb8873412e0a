//! Making advertisements of BlueZ's signals, each with only what its signal contained.
//!
//! BlueZ takes packets apart and tells what changed, all that changed at once in one signal. What does
//! not change, such as a name, comes in no later signal, so the first report of a device in a scan
//! carries what BlueZ remembers of it, from its last packets. A device that is only remembered sends no
//! signal and is not reported.

use std::collections::HashSet;

use bytes::Bytes;
use dbus::arg::PropMap;
use uuid::Uuid;

use super::bus;
use crate::{
    Address, AddressKind, Advertisement, CompanyId, DeviceId, Rssi, ScanFilter, Timestamp,
};

/// What BlueZ remembers of a device, from its signals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    random_address: Option<bool>,
    name: Option<String>,
    tx_power: Option<i16>,
    appearance: Option<u16>,
    services: Vec<Uuid>,
    manufacturer_data: Vec<(CompanyId, Bytes)>,
    service_data: Vec<(Uuid, Bytes)>,
}

impl Memory {
    /// Takes over what a signal or an object says.
    pub(super) fn learn(&mut self, properties: &PropMap) {
        if let Some(kind) = bus::string(properties, "AddressType") {
            self.random_address = Some(kind == "random");
        }
        // Not `Alias`, which BlueZ makes up where there is no name.
        if let Some(name) = bus::string(properties, "Name") {
            self.name = Some(name);
        }
        if let Some(power) = bus::number(properties, "TxPower") {
            self.tx_power = Some(power);
        }
        if let Some(appearance) = bus::number(properties, "Appearance") {
            self.appearance = Some(appearance);
        }
        if let Some(services) = uuids(properties) {
            self.services = services;
        }
        if properties.contains_key("ManufacturerData") {
            self.manufacturer_data = manufacturer_data(properties);
        }
        if properties.contains_key("ServiceData") {
            self.service_data = service_data(properties);
        }
    }
}

/// One scan's listener.
#[derive(Default)]
pub(super) struct Listener {
    /// Only devices with one of these; empty for all. BlueZ knows no such filter in a passive scan, and
    /// tells what other programs' scans hear as well.
    services: Vec<Uuid>,
    told: HashSet<DeviceId>,
}

impl Listener {
    pub(super) fn new(filter: &ScanFilter) -> Self {
        Self {
            services: filter.services.clone(),
            told: HashSet::new(),
        }
    }

    fn wants(&self, memory: &Memory) -> bool {
        self.services.is_empty()
            || self
                .services
                .iter()
                .any(|service| memory.services.contains(service))
    }

    /// Makes a report of a signal; `None` if it tells nothing of the air. `memory` has already learnt
    /// what the signal says. `connected`: services that change then were discovered, not advertised.
    pub(super) fn hear(
        &mut self,
        device: &DeviceId,
        at: Timestamp,
        properties: &PropMap,
        memory: &Memory,
        connected: bool,
    ) -> Option<Advertisement> {
        let has = |name| properties.contains_key(name);
        let on_air = ["RSSI", "ManufacturerData", "ServiceData", "AdvertisingData"];
        let first = !self.told.contains(device);
        let also = ["TxPower", "AdvertisingFlags"];
        let advertised = on_air.into_iter().any(has) || !first && also.into_iter().any(has);
        // Name and services are also read from a connected device.
        let brought = !first && !connected && (has("Name") || has("UUIDs"));
        if !self.wants(memory) || !advertised && !brought {
            return None;
        }
        let mut report = Advertisement::new(device.clone(), at);
        report.address = device.as_str().parse().ok();
        report.address_kind = kind(report.address, memory.random_address);
        report.rssi = bus::number(properties, "RSSI").map(Rssi);
        report.raw = structures(properties);
        if first {
            self.told.insert(device.clone());
            report.local_name.clone_from(&memory.name);
            report.tx_power = memory.tx_power;
            report.appearance = memory.appearance;
            report.services.clone_from(&memory.services);
            report
                .manufacturer_data
                .clone_from(&memory.manufacturer_data);
            report.service_data.clone_from(&memory.service_data);
        } else {
            report.manufacturer_data = manufacturer_data(properties);
            report.service_data = service_data(properties);
            report.tx_power = bus::number(properties, "TxPower");
            if !connected {
                report.local_name = bus::string(properties, "Name");
                report.appearance = bus::number(properties, "Appearance");
                report.services = uuids(properties).unwrap_or_default();
            }
        }
        Some(report)
    }
}

fn manufacturer_data(properties: &PropMap) -> Vec<(CompanyId, Bytes)> {
    let company = |key: &dyn dbus::arg::RefArg| u16::try_from(key.as_u64()?).ok();
    sorted(bus::bytes_by_key(properties, "ManufacturerData", company))
        .into_iter()
        .map(|(company, data)| (CompanyId(company), Bytes::from(data)))
        .collect()
}

fn service_data(properties: &PropMap) -> Vec<(Uuid, Bytes)> {
    let service = |key: &dyn dbus::arg::RefArg| key.as_str()?.parse::<Uuid>().ok();
    sorted(bus::bytes_by_key(properties, "ServiceData", service))
        .into_iter()
        .map(|(service, data)| (service, Bytes::from(data)))
        .collect()
}

fn uuids(properties: &PropMap) -> Option<Vec<Uuid>> {
    let texts = bus::strings(properties, "UUIDs")?;
    Some(texts.iter().filter_map(|text| text.parse().ok()).collect())
}

/// The AD structures that BlueZ gives byte for byte: those that it does not take apart itself.
fn structures(properties: &PropMap) -> Option<Bytes> {
    let kind = |key: &dyn dbus::arg::RefArg| u8::try_from(key.as_u64()?).ok();
    let all = sorted(Some(bus::bytes_by_key(
        properties,
        "AdvertisingData",
        kind,
    )?));
    let mut raw = Vec::new();
    for (kind, data) in all {
        raw.push(u8::try_from(data.len() + 1).ok()?);
        raw.push(kind);
        raw.extend(data);
    }
    (!raw.is_empty()).then(|| raw.into())
}

/// Dictionaries come without an order and get one.
fn sorted<K: Ord>(all: Option<Vec<(K, Vec<u8>)>>) -> Vec<(K, Vec<u8>)> {
    let mut all = all.unwrap_or_default();
    all.sort();
    all
}

fn kind(address: Option<Address>, random: Option<bool>) -> Option<AddressKind> {
    if random? {
        address?.random_kind()
    } else {
        Some(AddressKind::Public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbus::arg::{RefArg, Variant};
    use std::collections::HashMap;

    const HEART_RATE: Uuid = Uuid::from_u128(0x0000180d_0000_1000_8000_00805f9b34fb);

    fn device() -> DeviceId {
        "F0:F1:F2:F3:F4:F5".into()
    }

    fn properties<const N: usize>(all: [(&str, Box<dyn RefArg>); N]) -> PropMap {
        let all = all.into_iter();
        all.map(|(name, value)| (name.to_owned(), Variant(value)))
            .collect()
    }

    fn bytes_of(data: &[u8]) -> Variant<Box<dyn RefArg>> {
        Variant(Box::new(data.to_vec()))
    }

    /// What BlueZ says of a device when it finds it.
    fn found() -> PropMap {
        let data = HashMap::from([(0x004Cu16, bytes_of(&[1])), (0x0001, bytes_of(&[2]))]);
        properties([
            ("AddressType", Box::new("random".to_owned())),
            ("Name", Box::new("Virtual HR".to_owned())),
            ("Alias", Box::new("Virtual HR".to_owned())),
            ("RSSI", Box::new(-50i16)),
            ("UUIDs", Box::new(vec![HEART_RATE.to_string()])),
            ("ManufacturerData", Box::new(data)),
        ])
    }

    struct Air {
        listener: Listener,
        memory: Memory,
    }

    impl Air {
        fn signal(
            &mut self,
            at: i64,
            properties: &PropMap,
            connected: bool,
        ) -> Option<Advertisement> {
            self.memory.learn(properties);
            let at = Timestamp(at);
            self.listener
                .hear(&device(), at, properties, &self.memory, connected)
        }
    }

    fn air() -> Air {
        Air {
            listener: Listener::default(),
            memory: Memory::default(),
        }
    }

    #[test]
    fn a_device_is_reported_with_all_that_its_signal_has_and_later_only_with_what_is_new() {
        let mut air = air();
        let first = air.signal(1, &found(), false).unwrap();
        assert_eq!(first.at, Timestamp(1));
        assert_eq!(first.rssi, Some(Rssi(-50)));
        assert_eq!(first.local_name.as_deref(), Some("Virtual HR"));
        assert_eq!(first.services, [HEART_RATE]);
        assert_eq!(first.address, "F0:F1:F2:F3:F4:F5".parse().ok());
        assert_eq!(first.address_kind, Some(AddressKind::RandomStatic));
        let companies: Vec<u16> = first.manufacturer_data.iter().map(|(id, _)| id.0).collect();
        assert_eq!(companies, [0x0001, 0x004C]);

        let later = air
            .signal(2, &properties([("RSSI", Box::new(-51i16))]), false)
            .unwrap();
        assert_eq!(later.rssi, Some(Rssi(-51)));
        assert_eq!(later.local_name, None);
        assert!(later.services.is_empty() && later.manufacturer_data.is_empty());
        assert_eq!(later.address_kind, Some(AddressKind::RandomStatic));
    }

    #[test]
    fn a_device_that_bluez_remembers_is_reported_when_it_is_heard_with_what_is_remembered() {
        let mut air = air();
        let mut remembered = found();
        remembered.remove("RSSI");
        remembered.remove("ManufacturerData");
        assert_eq!(air.signal(1, &remembered, false), None);
        let heard = air
            .signal(2, &properties([("RSSI", Box::new(-60i16))]), false)
            .unwrap();
        assert_eq!(heard.local_name.as_deref(), Some("Virtual HR"));
        assert_eq!(heard.services, [HEART_RATE]);
    }

    #[test]
    fn what_a_connection_finds_is_no_advertisement() {
        let mut air = air();
        air.signal(1, &found(), false).unwrap();
        for quiet in [
            properties([("Connected", Box::new(true))]),
            properties([("UUIDs", Box::new(vec![HEART_RATE.to_string()]))]),
            properties([("Name", Box::new("Read from 0x2A00".to_owned()))]),
        ] {
            assert_eq!(air.signal(2, &quiet, true), None);
        }
        let named = properties([("Name", Box::new("Late".to_owned()))]);
        let named = air.signal(3, &named, false).unwrap();
        assert_eq!(named.local_name.as_deref(), Some("Late"));
    }

    #[test]
    fn structures_that_bluez_does_not_take_apart_are_given_as_bytes() {
        let mut air = air();
        air.signal(1, &found(), false).unwrap();
        let data = HashMap::from([(0x26u8, bytes_of(&[7, 8])), (0x1A, bytes_of(&[0xA0]))]);
        let report = air.signal(2, &properties([("AdvertisingData", Box::new(data))]), false);
        assert_eq!(
            report.unwrap().raw.unwrap(),
            [2, 0x1A, 0xA0, 3, 0x26, 7, 8][..]
        );
    }
}
