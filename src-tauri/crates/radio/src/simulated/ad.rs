//! AD structures (Core Specification Supplement, Part A): built for the air, and read back, so that the fields of an
//! [`Advertisement`] are always what its bytes say.

use bytes::Bytes;
use uuid::Uuid;

use super::uuids::short;
use crate::{Advertisement, CompanyId};

const FLAGS: u8 = 0x01;
const SOME_SERVICES_16: u8 = 0x02;
const ALL_SERVICES_16: u8 = 0x03;
const SOME_SERVICES_128: u8 = 0x06;
const ALL_SERVICES_128: u8 = 0x07;
const SHORT_NAME: u8 = 0x08;
const NAME: u8 = 0x09;
const TX_POWER: u8 = 0x0A;
const SERVICE_DATA_16: u8 = 0x16;
const APPEARANCE: u8 = 0x19;
const SERVICE_DATA_128: u8 = 0x21;
const MESH_BEACON: u8 = 0x2B;
const MANUFACTURER_DATA: u8 = 0xFF;

/// AD structures under construction.
#[derive(Default)]
pub(super) struct AdStructures(Vec<u8>);

impl AdStructures {
    /// General discoverable, no BR/EDR.
    pub(super) fn discoverable() -> Self {
        Self::default().structure(FLAGS, &[0x06])
    }

    /// Nothing about discovery, as scan responses and most beacons.
    pub(super) fn bare() -> Self {
        Self::default()
    }

    fn structure(mut self, kind: u8, data: &[u8]) -> Self {
        // One byte counts the type and the data; what is longer, no packet could carry.
        let data = &data[..data.len().min(254)];
        self.0.push(data.len() as u8 + 1);
        self.0.push(kind);
        self.0.extend_from_slice(data);
        self
    }

    pub(super) fn name(self, name: &str) -> Self {
        self.structure(NAME, name.as_bytes())
    }

    pub(super) fn services(self, uuids: &[u16]) -> Self {
        let bytes: Vec<u8> = uuids.iter().flat_map(|uuid| uuid.to_le_bytes()).collect();
        self.structure(ALL_SERVICES_16, &bytes)
    }

    pub(super) fn some_services(self, uuids: &[u16]) -> Self {
        let bytes: Vec<u8> = uuids.iter().flat_map(|uuid| uuid.to_le_bytes()).collect();
        self.structure(SOME_SERVICES_16, &bytes)
    }

    pub(super) fn vendor_service(self, uuid: Uuid) -> Self {
        self.structure(SOME_SERVICES_128, &uuid.as_u128().to_le_bytes())
    }

    pub(super) fn tx_power(self, dbm: i8) -> Self {
        self.structure(TX_POWER, &dbm.to_le_bytes())
    }

    pub(super) fn appearance(self, appearance: u16) -> Self {
        self.structure(APPEARANCE, &appearance.to_le_bytes())
    }

    pub(super) fn manufacturer(self, company: u16, data: &[u8]) -> Self {
        self.structure(
            MANUFACTURER_DATA,
            &[&company.to_le_bytes()[..], data].concat(),
        )
    }

    pub(super) fn service_data(self, uuid: u16, data: &[u8]) -> Self {
        self.structure(SERVICE_DATA_16, &[&uuid.to_le_bytes()[..], data].concat())
    }

    pub(super) fn mesh_beacon(self, beacon: &[u8]) -> Self {
        self.structure(MESH_BEACON, beacon)
    }

    pub(super) fn bytes(self) -> Bytes {
        self.0.into()
    }
}

/// Puts what `raw` says into `advertisement`. A structure that is cut off ends it, as the specification demands.
pub(super) fn read_into(raw: &Bytes, advertisement: &mut Advertisement) {
    let mut rest = raw.clone();
    while let [len, following @ ..] = &rest[..] {
        let len = usize::from(*len);
        if len == 0 || following.len() < len {
            break;
        }
        let structure = rest.slice(1..=len);
        rest = rest.slice(1 + len..);
        read_structure(structure[0], structure.slice(1..), advertisement);
    }
    advertisement.raw = Some(raw.clone());
}

fn read_structure(kind: u8, data: Bytes, advertisement: &mut Advertisement) {
    match kind {
        SOME_SERVICES_16 | ALL_SERVICES_16 => {
            let uuids = data.as_chunks().0.iter();
            advertisement
                .services
                .extend(uuids.map(|bytes| short(u16::from_le_bytes(*bytes))));
        }
        SOME_SERVICES_128 | ALL_SERVICES_128 => {
            let uuids = data.as_chunks().0.iter();
            advertisement
                .services
                .extend(uuids.map(|bytes| Uuid::from_u128(u128::from_le_bytes(*bytes))));
        }
        SHORT_NAME | NAME => {
            advertisement.local_name = Some(String::from_utf8_lossy(&data).into_owned());
        }
        TX_POWER => {
            advertisement.tx_power = data.first().map(|dbm| i16::from(*dbm as i8));
        }
        APPEARANCE => {
            advertisement.appearance = data.first_chunk().copied().map(u16::from_le_bytes);
        }
        SERVICE_DATA_16 => {
            if let Some(uuid) = data.first_chunk() {
                let uuid = short(u16::from_le_bytes(*uuid));
                advertisement.service_data.push((uuid, data.slice(2..)));
            }
        }
        SERVICE_DATA_128 => {
            if let Some(uuid) = data.first_chunk() {
                let uuid = Uuid::from_u128(u128::from_le_bytes(*uuid));
                advertisement.service_data.push((uuid, data.slice(16..)));
            }
        }
        MANUFACTURER_DATA => {
            if let Some(company) = data.first_chunk() {
                let company = CompanyId(u16::from_le_bytes(*company));
                advertisement
                    .manufacturer_data
                    .push((company, data.slice(2..)));
            }
        }
        _ => {}
    }
}
