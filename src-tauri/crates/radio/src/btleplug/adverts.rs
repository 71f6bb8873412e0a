//! Making advertisements of what `btleplug` tells, each with only what its report contained.
//!
//! The three systems tell in three ways, which [`Telling`] names. All three also keep a memory of
//! each device, and that memory is not a report: what is taken from it is said at [`Telling`].

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use crate::{Address, AddressKind, Advertisement, CompanyId, DeviceId, Rssi, Timestamp};

/// How often the memory is asked for the name of a device that had none so far.
const NAME_AGAIN: Duration = Duration::from_secs(5);

/// How a system tells of an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    dead_code,
    reason = "each system tells in one of these ways; the tests go through all of them"
)]
pub(super) enum Telling {
    /// BlueZ: one event per changed property, and no event for a name. The first report of a device
    /// in a scan carries what BlueZ remembers of its name, appearance, transmit power and services,
    /// for they come in no other way. A device that is only remembered has no signal strength and is
    /// not reported.
    Properties,
    /// CoreBluetooth: one event per field. Manufacturer data arrives as everything ever received,
    /// of which only what is new was in this report. Signal strength is remembered from the packet
    /// that carried the field.
    Fields,
    /// WinRT: one event per field, and `DeviceDiscovered` or `DeviceUpdated` ends the packet. Name,
    /// transmit power, appearance and services accumulate: only what is new was in this report.
    Packets,
}

/// What one event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Discovered,
    Updated,
    Rssi(i16),
    ManufacturerData(HashMap<u16, Vec<u8>>),
    ServiceData(HashMap<Uuid, Vec<u8>>),
    Services(Vec<Uuid>),
}

/// What a system remembers of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) name: Option<String>,
    pub(super) random_address: Option<bool>,
    pub(super) rssi: Option<i16>,
    pub(super) tx_power: Option<i16>,
    pub(super) appearance: Option<u16>,
    pub(super) services: Vec<Uuid>,
    pub(super) manufacturer_data: HashMap<u16, Vec<u8>>,
    pub(super) service_data: HashMap<Uuid, Vec<u8>>,
}

/// What to do with an event.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// It reports nothing, or nothing yet.
    Nothing,
    /// It is a report.
    Report(Advertisement),
    /// It is a report once [`Listener::complete`] has seen the device's memory.
    Ask,
}

/// What was reported of a device in this scan.
#[derive(Default)]
struct Told {
    kind: Option<AddressKind>,
    name: Option<String>,
    asked: Option<Timestamp>,
    tx_power: Option<i16>,
    appearance: Option<u16>,
    services: Vec<Uuid>,
    manufacturer_data: HashMap<u16, Vec<u8>>,
    /// A packet that is not complete yet.
    packet: Option<Advertisement>,
}

/// One scan's listener: takes events in the order in which they came.
pub(super) struct Listener {
    telling: Telling,
    told: HashMap<DeviceId, Told>,
}

impl Listener {
    pub(super) fn new(telling: Telling) -> Self {
        Self {
            telling,
            told: HashMap::new(),
        }
    }

    /// Takes an event of a device that is `connected` to this program or not.
    pub(super) fn hear(
        &mut self,
        device: &DeviceId,
        at: Timestamp,
        heard: &Heard,
        connected: bool,
    ) -> Step {
        match self.telling {
            Telling::Properties => self.hear_property(device, at, heard, connected),
            Telling::Fields => Step::Ask,
            Telling::Packets => self.hear_of_packet(device, at, heard),
        }
    }

    fn hear_property(
        &self,
        device: &DeviceId,
        at: Timestamp,
        heard: &Heard,
        connected: bool,
    ) -> Step {
        let Some(told) = self.told.get(device) else {
            return match heard {
                // Services also change when a connection discovers them: no sign of life.
                Heard::Services(_) | Heard::Updated => Step::Nothing,
                _ => Step::Ask,
            };
        };
        if told.name.is_none() && told.asked.is_none_or(|asked| at.since(asked) >= NAME_AGAIN) {
            return Step::Ask;
        }
        let mut report = told.begin(device, at);
        match heard {
            Heard::Discovered | Heard::Updated => return Step::Nothing,
            Heard::Services(services) if connected || *services == told.services => {
                return Step::Nothing;
            }
            heard => fill(&mut report, heard),
        }
        Step::Report(report)
    }

    fn hear_of_packet(&mut self, device: &DeviceId, at: Timestamp, heard: &Heard) -> Step {
        let told = self.told.entry(device.clone()).or_default();
        let mut packet = told.packet.take().unwrap_or_else(|| told.begin(device, at));
        match heard {
            Heard::Discovered | Heard::Updated => {
                told.packet = Some(packet);
                return Step::Ask;
            }
            Heard::Services(all) => {
                packet.services = new_among(all, &told.services);
                told.services.clone_from(all);
            }
            heard => fill(&mut packet, heard),
        }
        told.packet = Some(packet);
        Step::Nothing
    }

    /// Makes the report for which [`hear`](Self::hear) asked for the memory.
    pub(super) fn complete(
        &mut self,
        device: &DeviceId,
        at: Timestamp,
        heard: &Heard,
        memory: Option<Memory>,
    ) -> Option<Advertisement> {
        match self.telling {
            Telling::Properties => self.complete_property(device, at, heard, memory),
            Telling::Fields => Some(self.complete_field(device, at, heard, memory)),
            Telling::Packets => self.complete_packet(device, memory),
        }
    }

    fn complete_property(
        &mut self,
        device: &DeviceId,
        at: Timestamp,
        heard: &Heard,
        memory: Option<Memory>,
    ) -> Option<Advertisement> {
        let memory = memory.unwrap_or_default();
        if *heard == Heard::Discovered && memory.rssi.is_none() {
            return None;
        }
        let told = self.told.entry(device.clone()).or_default();
        told.asked = Some(at);
        told.kind = kind(device, &memory);
        let mut report = told.begin(device, at);
        fill(&mut report, heard);
        if *heard == Heard::Discovered {
            // The object is new, so all that it has came with this report.
            report.rssi = memory.rssi.map(Rssi);
            fill(
                &mut report,
                &Heard::ManufacturerData(memory.manufacturer_data),
            );
            fill(&mut report, &Heard::ServiceData(memory.service_data));
        }
        if told.name != memory.name {
            told.name.clone_from(&memory.name);
            report.local_name = memory.name;
        }
        report.tx_power = changed(&mut told.tx_power, memory.tx_power);
        report.appearance = changed(&mut told.appearance, memory.appearance);
        if told.services != memory.services {
            told.services.clone_from(&memory.services);
            report.services = memory.services;
        }
        Some(report)
    }

    fn complete_field(
        &mut self,
        device: &DeviceId,
        at: Timestamp,
        heard: &Heard,
        memory: Option<Memory>,
    ) -> Advertisement {
        let memory = memory.unwrap_or_default();
        let told = self.told.entry(device.clone()).or_default();
        let mut report = told.begin(device, at);
        match heard {
            Heard::Discovered | Heard::Updated => report.local_name = memory.name,
            Heard::ManufacturerData(all) => {
                report.rssi = memory.rssi.map(Rssi);
                let mut new: HashMap<u16, Vec<u8>> = all
                    .iter()
                    .filter(|(company, data)| told.manufacturer_data.get(company) != Some(data))
                    .map(|(company, data)| (*company, data.clone()))
                    .collect();
                // One packet holds one company's data; of several that did not change, nothing
                // tells which was repeated.
                if new.is_empty() && all.len() == 1 {
                    new.clone_from(all);
                }
                told.manufacturer_data.clone_from(all);
                fill(&mut report, &Heard::ManufacturerData(new));
            }
            heard => {
                report.rssi = memory.rssi.map(Rssi);
                fill(&mut report, heard);
            }
        }
        report.tx_power = changed(&mut told.tx_power, memory.tx_power);
        report
    }

    fn complete_packet(
        &mut self,
        device: &DeviceId,
        memory: Option<Memory>,
    ) -> Option<Advertisement> {
        let told = self.told.get_mut(device)?;
        let mut packet = told.packet.take()?;
        let memory = memory.unwrap_or_default();
        told.kind = kind(device, &memory);
        packet.address_kind = told.kind;
        // Every packet has a signal strength; the event comes only when it changed.
        packet.rssi = packet.rssi.or(memory.rssi.map(Rssi));
        if told.name != memory.name {
            told.name.clone_from(&memory.name);
            packet.local_name = memory.name;
        }
        packet.tx_power = changed(&mut told.tx_power, memory.tx_power);
        packet.appearance = changed(&mut told.appearance, memory.appearance);
        Some(packet)
    }
}

impl Told {
    fn begin(&self, device: &DeviceId, at: Timestamp) -> Advertisement {
        Advertisement {
            address: device.as_str().parse().ok(),
            address_kind: self.kind,
            ..Advertisement::new(device.clone(), at)
        }
    }
}

fn kind(device: &DeviceId, memory: &Memory) -> Option<AddressKind> {
    let address: Address = device.as_str().parse().ok()?;
    if memory.random_address? {
        address.random_kind()
    } else {
        Some(AddressKind::Public)
    }
}

/// The value now, if it is not what was told before.
fn changed<T: Copy + PartialEq>(told: &mut Option<T>, now: Option<T>) -> Option<T> {
    if *told == now {
        None
    } else {
        *told = now;
        now
    }
}

fn new_among(all: &[Uuid], told: &[Uuid]) -> Vec<Uuid> {
    all.iter()
        .filter(|uuid| !told.contains(uuid))
        .copied()
        .collect()
}

/// Puts into a report what an event says; maps come without an order and get one.
fn fill(report: &mut Advertisement, heard: &Heard) {
    match heard {
        Heard::Discovered | Heard::Updated => {}
        Heard::Rssi(rssi) => report.rssi = Some(Rssi(*rssi)),
        Heard::ManufacturerData(all) => {
            report.manufacturer_data = all
                .iter()
                .map(|(company, data)| (CompanyId(*company), Bytes::copy_from_slice(data)))
                .collect();
            report
                .manufacturer_data
                .sort_by_key(|(company, _)| company.0);
        }
        Heard::ServiceData(all) => {
            report.service_data = all
                .iter()
                .map(|(uuid, data)| (*uuid, Bytes::copy_from_slice(data)))
                .collect();
            report.service_data.sort_by_key(|(uuid, _)| *uuid);
        }
        Heard::Services(services) => report.services.clone_from(services),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEART_RATE: Uuid = Uuid::from_u128(0x0000180d_0000_1000_8000_00805f9b34fb);
    const BATTERY: Uuid = Uuid::from_u128(0x0000180f_0000_1000_8000_00805f9b34fb);

    fn device() -> DeviceId {
        "F0:F1:F2:F3:F4:F5".into()
    }

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000_000)
    }

    fn remembered() -> Memory {
        Memory {
            name: Some("Virtual HR".into()),
            random_address: Some(true),
            rssi: Some(-50),
            services: vec![HEART_RATE],
            manufacturer_data: HashMap::from([(0x004C, vec![1])]),
            ..Memory::default()
        }
    }

    /// Takes an event to its report as the radio does.
    fn report(
        listener: &mut Listener,
        at: Timestamp,
        heard: &Heard,
        memory: &Memory,
    ) -> Option<Advertisement> {
        match listener.hear(&device(), at, heard, false) {
            Step::Nothing => None,
            Step::Report(report) => Some(report),
            Step::Ask => listener.complete(&device(), at, heard, Some(memory.clone())),
        }
    }

    #[test]
    fn a_device_that_bluez_only_remembers_is_not_reported() {
        let mut listener = Listener::new(Telling::Properties);
        let ghost = Memory {
            rssi: None,
            ..remembered()
        };
        let discovered = report(&mut listener, seconds(0), &Heard::Discovered, &ghost);
        assert_eq!(discovered, None);
        let services = Heard::Services(vec![HEART_RATE]);
        assert_eq!(report(&mut listener, seconds(0), &services, &ghost), None);
    }

    #[test]
    fn the_first_report_of_a_device_says_who_it_is_and_later_ones_only_what_they_brought() {
        let mut listener = Listener::new(Telling::Properties);
        let first = report(&mut listener, seconds(1), &Heard::Rssi(-48), &remembered()).unwrap();
        assert_eq!(first.rssi, Some(Rssi(-48)));
        assert_eq!(first.local_name.as_deref(), Some("Virtual HR"));
        assert_eq!(first.services, [HEART_RATE]);
        assert_eq!(first.address, "F0:F1:F2:F3:F4:F5".parse().ok());
        assert_eq!(first.address_kind, Some(AddressKind::RandomStatic));
        assert_eq!(first.manufacturer_data, [], "it has an event of its own");

        let later = report(&mut listener, seconds(20), &Heard::Rssi(-49), &remembered()).unwrap();
        assert_eq!(later.rssi, Some(Rssi(-49)));
        assert_eq!(later.local_name, None);
        assert!(later.services.is_empty());
        assert_eq!(later.address_kind, Some(AddressKind::RandomStatic));
        assert_eq!(later.at, seconds(20));

        let data = Heard::ManufacturerData(HashMap::from([(0x0059, vec![7]), (0x004C, vec![2])]));
        let data = report(&mut listener, seconds(21), &data, &remembered()).unwrap();
        assert_eq!(data.rssi, None);
        let companies: Vec<u16> = data.manufacturer_data.iter().map(|(id, _)| id.0).collect();
        assert_eq!(companies, [0x004C, 0x0059]);
    }

    #[test]
    fn a_new_device_is_reported_with_all_that_its_object_has() {
        let mut listener = Listener::new(Telling::Properties);
        let first = report(&mut listener, seconds(0), &Heard::Discovered, &remembered()).unwrap();
        assert_eq!(first.rssi, Some(Rssi(-50)));
        assert_eq!(
            first.manufacturer_data,
            [(CompanyId(0x004C), Bytes::from_static(&[1]))]
        );
        let again = Heard::Services(vec![HEART_RATE]);
        assert_eq!(
            report(&mut listener, seconds(0), &again, &remembered()),
            None,
            "the services were in the first report"
        );
        let more = Heard::Services(vec![HEART_RATE, BATTERY]);
        let step = listener.hear(&device(), seconds(1), &more, true);
        assert_eq!(step, Step::Nothing, "a connection found them");
    }

    #[test]
    fn a_name_that_comes_late_is_found_without_asking_for_each_report() {
        let mut listener = Listener::new(Telling::Properties);
        let nameless = Memory {
            name: None,
            ..remembered()
        };
        report(&mut listener, seconds(0), &Heard::Rssi(-40), &nameless).unwrap();
        let early = listener.hear(&device(), seconds(4), &Heard::Rssi(-41), false);
        assert!(matches!(early, Step::Report(_)), "{early:?}");
        let late = report(&mut listener, seconds(5), &Heard::Rssi(-42), &remembered()).unwrap();
        assert_eq!(late.local_name.as_deref(), Some("Virtual HR"));
        assert!(late.services.is_empty());
    }

    #[test]
    fn corebluetooths_accumulated_manufacturer_data_is_taken_apart() {
        let mut listener = Listener::new(Telling::Fields);
        let mut all = HashMap::from([(0x004C, vec![1])]);
        let mut hear = |all: &HashMap<u16, Vec<u8>>| {
            let heard = Heard::ManufacturerData(all.clone());
            let report = report(&mut listener, seconds(0), &heard, &remembered()).unwrap();
            assert_eq!(report.rssi, Some(Rssi(-50)));
            assert_eq!(report.local_name, None);
            report
                .manufacturer_data
                .into_iter()
                .map(|(company, data)| (company.0, data.to_vec()))
                .collect::<Vec<_>>()
        };
        assert_eq!(hear(&all), [(0x004C, vec![1])]);
        assert_eq!(hear(&all), [(0x004C, vec![1])], "repeated");
        all.insert(0x0059, vec![9]);
        assert_eq!(hear(&all), [(0x0059, vec![9])]);
        assert_eq!(hear(&all), [], "one of the two was repeated");
    }

    #[test]
    fn a_name_on_macos_brings_no_signal_strength_of_another_packet() {
        let mut listener = Listener::new(Telling::Fields);
        let named = report(&mut listener, seconds(0), &Heard::Updated, &remembered()).unwrap();
        assert_eq!(named.local_name.as_deref(), Some("Virtual HR"));
        assert_eq!(named.rssi, None);
    }

    #[test]
    fn the_events_of_one_windows_packet_become_one_report() {
        let mut listener = Listener::new(Telling::Packets);
        let memory = remembered();
        let data = Heard::ManufacturerData(HashMap::from([(0x004C, vec![3])]));
        let services = Heard::Services(vec![HEART_RATE]);
        for heard in [&data, &services, &Heard::Rssi(-61)] {
            assert_eq!(report(&mut listener, seconds(0), heard, &memory), None);
        }
        let packet = report(&mut listener, seconds(1), &Heard::Discovered, &memory).unwrap();
        assert_eq!(packet.at, seconds(0), "the stamp of its first event");
        assert_eq!(packet.rssi, Some(Rssi(-61)));
        assert_eq!(packet.local_name.as_deref(), Some("Virtual HR"));
        assert_eq!(packet.services, [HEART_RATE]);
        assert_eq!(packet.manufacturer_data.len(), 1);
        assert_eq!(packet.address_kind, Some(AddressKind::RandomStatic));

        let all = Heard::Services(vec![HEART_RATE, BATTERY]);
        assert_eq!(report(&mut listener, seconds(2), &all, &memory), None);
        let next = report(&mut listener, seconds(2), &Heard::Updated, &memory).unwrap();
        assert_eq!(next.services, [BATTERY], "only what is new");
        assert_eq!(next.local_name, None);
        assert_eq!(next.rssi, Some(Rssi(-50)), "unchanged, so from the memory");
        assert_eq!(next.manufacturer_data, []);
    }
}
