//! Packets of the Host Controller Interface as H4 frames (Core Specification, Vol 4, Parts A and E),
//! and L2CAP in them.

use radio::Address;
use serde::Deserialize;
use uuid::Uuid;

use super::{on_air, short};

const COMMAND: u8 = 0x01;
const ACL_DATA: u8 = 0x02;
const EVENT: u8 = 0x04;

const DISCONNECTION_COMPLETE: u8 = 0x05;
const COMMAND_COMPLETE: u8 = 0x0E;
const LE_META: u8 = 0x3E;
const VENDOR_SPECIFIC: u8 = 0xFF;

const LE_CONNECTION_COMPLETE: u8 = 0x01;
const LE_ADVERTISING_REPORT: u8 = 0x02;
const LE_EXTENDED_ADVERTISING_REPORT: u8 = 0x0D;

const READ_RSSI: u16 = 0x1405;
const LE_SET_SCAN_ENABLE: u16 = 0x200C;
const LE_CREATE_CONNECTION: u16 = 0x200D;

/// Connection Failed to be Established (Vol 1, Part F, 1.3).
pub(super) const FAILED_TO_BE_ESTABLISHED: u8 = 0x3E;

/// The channel of the Attribute Protocol.
const ATT_CHANNEL: u16 = 0x0004;
/// What one frame holds of a value, in bytes: the length of a frame has 16 bits.
pub(super) const MAX_VALUE: usize = 65_535 - 4 - 3;

/// Connection handles go up to this one.
const MAX_CONNECTION: u32 = 0x0EFF;
/// The connection handle of what belongs to no known link.
pub(super) const UNKNOWN_LINK: u16 = 0x0EFF;

/// Data of advertising before there were extended ones, and of one report of those, in bytes.
const LEGACY_DATA: usize = 31;
const REPORT_DATA: usize = 229;

/// The connection parameters that are made up: 30 ms, none, 4 s.
const INTERVAL: u16 = 24;
const LATENCY: u16 = 0;
const TIMEOUT: u16 = 400;

/// The signal strength that is not known.
const NO_RSSI: i8 = 127;

/// The other side.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: Address,
    pub(super) random: bool,
}

impl Peer {
    /// A random static address that nobody has told.
    pub(super) fn made_up(number: u32) -> Self {
        let [a, b, c, d] = number.to_be_bytes();
        Self {
            address: Address([0xC0, 0x00, a, b, c, d]),
            random: true,
        }
    }

    fn bytes(self) -> [u8; 7] {
        let [a, b, c, d, e, g] = self.address.0;
        [u8::from(self.random), g, e, d, c, b, a]
    }
}

/// The connection handle of a link by its number; links that are up at once have different ones.
pub(super) fn connection_handle(link: u32) -> u16 {
    // Always fits: it is less than the highest handle.
    u16::try_from(link % MAX_CONNECTION).unwrap_or(UNKNOWN_LINK)
}

pub(super) fn dbm(number: Option<i64>) -> i8 {
    number
        .and_then(|dbm| i8::try_from(dbm).ok())
        .unwrap_or(NO_RSSI)
}

/// An ATT PDU in L2CAP in ACL data.
pub(super) fn att(connection: u16, sent: bool, pdu: &[u8]) -> Vec<u8> {
    // First fragment: not flushable to the controller, flushable from it.
    let first = if sent { 0x0000 } else { 0x2000 };
    let len = |extra: usize| u16::try_from(pdu.len() + extra).unwrap_or(u16::MAX);
    let mut packet = vec![ACL_DATA];
    for number in [connection | first, len(4), len(0), ATT_CHANNEL] {
        packet.extend_from_slice(&number.to_le_bytes());
    }
    packet.extend_from_slice(pdu);
    packet
}

pub(super) fn connection_complete(status: u8, connection: u16, peer: Peer) -> Vec<u8> {
    let mut data = vec![LE_CONNECTION_COMPLETE, status];
    data.extend_from_slice(&connection.to_le_bytes());
    // The role of this side: central.
    data.push(0);
    data.extend_from_slice(&peer.bytes());
    for number in [INTERVAL, LATENCY, TIMEOUT] {
        data.extend_from_slice(&number.to_le_bytes());
    }
    // Clock accuracy of the central: does not apply.
    data.push(0);
    event(LE_META, &data)
}

/// `reason`: 0 asked for, 1 by the peer or the air, 2 adapter lost.
pub(super) fn disconnection_complete(connection: u16, reason: Option<i64>) -> Vec<u8> {
    let [low, high] = connection.to_le_bytes();
    let code = match reason {
        // Connection Terminated By Local Host, Hardware Failure, Remote User Terminated Connection.
        Some(0) => 0x16,
        Some(2) => 0x03,
        _ => 0x13,
    };
    event(DISCONNECTION_COMPLETE, &[0, low, high, code])
}

pub(super) fn rssi(connection: u16, rssi: i8) -> Vec<u8> {
    let [low, high] = connection.to_le_bytes();
    let [command, group] = READ_RSSI.to_le_bytes();
    let data = [1, command, group, 0, low, high, rssi.to_le_bytes()[0]];
    event(COMMAND_COMPLETE, &data)
}

pub(super) fn scan_enable(on: bool) -> Vec<u8> {
    command(LE_SET_SCAN_ENABLE, &[u8::from(on), 0])
}

pub(super) fn create_connection(peer: Peer) -> Vec<u8> {
    // Scan interval and window: 60 ms, 60 ms; the filter is not used.
    let mut data = vec![0x60, 0x00, 0x60, 0x00, 0x00];
    data.extend_from_slice(&peer.bytes());
    // Our own address: public.
    data.push(0);
    for number in [INTERVAL, INTERVAL, LATENCY, TIMEOUT, 0, 0] {
        data.extend_from_slice(&number.to_le_bytes());
    }
    command(LE_CREATE_CONNECTION, &data)
}

/// An event that says nothing: its comment does.
pub(super) fn nothing() -> Vec<u8> {
    event(VENDOR_SPECIFIC, &[])
}

/// The reports of one advertisement: one, or several where its data is longer than a report holds.
pub(super) fn advertising_reports(
    peer: Peer,
    connectable: bool,
    data: &[u8],
    rssi: i8,
) -> Vec<Vec<u8>> {
    let rssi = rssi.to_le_bytes()[0];
    if let (true, Ok(len)) = (data.len() <= LEGACY_DATA, u8::try_from(data.len())) {
        // ADV_IND or ADV_NONCONN_IND.
        let kind = if connectable { 0 } else { 3 };
        let mut report = vec![LE_ADVERTISING_REPORT, 1, kind];
        report.extend_from_slice(&peer.bytes());
        report.push(len);
        report.extend_from_slice(data);
        report.push(rssi);
        return vec![event(LE_META, &report)];
    }
    let parts = parts(data);
    let last = parts.len().saturating_sub(1);
    parts
        .into_iter()
        .enumerate()
        .map(|(place, chunk)| {
            // Bits 5 and 6: complete, or more to come.
            let more: u16 = if place == last { 0 } else { 0b01 << 5 };
            let kind = u16::from(connectable) | more;
            let mut report = vec![LE_EXTENDED_ADVERTISING_REPORT, 1];
            report.extend_from_slice(&kind.to_le_bytes());
            report.extend_from_slice(&peer.bytes());
            // Primary channel on 1M, none secondary, no set, transmit power not known.
            report.extend_from_slice(&[1, 0, 0xFF, 127, rssi]);
            // No periodic advertising, not directed.
            report.extend_from_slice(&[0; 9]);
            report.push(u8::try_from(chunk.len()).unwrap_or(u8::MAX));
            report.extend_from_slice(chunk);
            event(LE_META, &report)
        })
        .collect()
}

/// The data by what one report holds, between AD structures where it can be: Wireshark looks at each
/// report for itself.
fn parts(data: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let (mut start, mut end) = (0, 0);
    while let Some(len) = data.get(end) {
        let next = (end + 1 + usize::from(*len)).min(data.len());
        if next - start > REPORT_DATA {
            parts.extend(data[start..end].chunks(REPORT_DATA));
            start = end;
        }
        end = next;
    }
    parts.extend(data[start..].chunks(REPORT_DATA));
    parts
}

fn command(opcode: u16, data: &[u8]) -> Vec<u8> {
    let [low, high] = opcode.to_le_bytes();
    let mut packet = vec![
        COMMAND,
        low,
        high,
        u8::try_from(data.len()).unwrap_or(u8::MAX),
    ];
    packet.extend_from_slice(data);
    packet
}

fn event(code: u8, data: &[u8]) -> Vec<u8> {
    let mut packet = vec![EVENT, code, u8::try_from(data.len()).unwrap_or(u8::MAX)];
    packet.extend_from_slice(data);
    packet
}

/// The parts of an advertisement that the system told (Core Specification Supplement, Part A).
#[derive(Default, Deserialize)]
pub(super) struct Structures {
    local_name: Option<String>,
    tx_power: Option<i64>,
    appearance: Option<u16>,
    #[serde(default)]
    services: Vec<Uuid>,
    #[serde(default)]
    manufacturer: Vec<Manufacturer>,
    #[serde(default)]
    service_data: Vec<ServiceData>,
}

#[derive(Deserialize)]
struct Manufacturer {
    company: u16,
    data: String,
}

#[derive(Deserialize)]
struct ServiceData {
    uuid: Uuid,
    data: String,
}

impl Structures {
    /// The AD structures, and whether one had to be cut.
    pub(super) fn bytes(&self) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let mut cut = false;
        let mut structure = |kind: u8, parts: &[&[u8]]| {
            let data = parts.concat();
            // The length counts the type, too.
            let data = match data.get(..254) {
                Some(start) => {
                    cut |= data.len() > start.len();
                    start
                }
                None => &data[..],
            };
            out.push(u8::try_from(data.len() + 1).unwrap_or(u8::MAX));
            out.push(kind);
            out.extend_from_slice(data);
        };
        let (assigned, long): (Vec<&Uuid>, Vec<&Uuid>) = self
            .services
            .iter()
            .partition(|uuid| short(**uuid).is_some());
        // 15 long ones fill a structure.
        for (kind, services, most) in [(0x03, assigned, 127), (0x07, long, 15)] {
            for some in services.chunks(most) {
                let bytes: Vec<u8> = some.iter().flat_map(|uuid| on_air(**uuid)).collect();
                structure(kind, &[&bytes]);
            }
        }
        if let Some(appearance) = self.appearance {
            structure(0x19, &[&appearance.to_le_bytes()]);
        }
        if let Some(power) = self.tx_power.and_then(|power| i8::try_from(power).ok()) {
            structure(0x0A, &[&power.to_le_bytes()]);
        }
        for of in &self.service_data {
            let kind = if short(of.uuid).is_some() { 0x16 } else { 0x21 };
            let data = unhex(&of.data).unwrap_or_default();
            structure(kind, &[&on_air(of.uuid), &data]);
        }
        for of in &self.manufacturer {
            let data = unhex(&of.data).unwrap_or_default();
            structure(0xFF, &[&of.company.to_le_bytes(), &data]);
        }
        if let Some(name) = &self.local_name {
            structure(0x09, &[name.as_bytes()]);
        }
        (out, cut)
    }
}

/// Bytes as hexadecimal digits, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// The bytes that hexadecimal digits stand for.
pub(crate) fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(value(*high)? << 4 | value(*low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structure(len: u8) -> Vec<u8> {
        let mut bytes = vec![0x77; usize::from(len) + 1];
        bytes[0] = len;
        bytes
    }

    #[test]
    fn long_data_is_parted_between_its_structures_and_nothing_of_it_is_lost() {
        for lens in [
            &[200_u8, 60, 2][..],
            &[255, 3],
            &[10; 60],
            &[255; 6],
            &[1, 0, 0, 240],
        ] {
            let mut data: Vec<u8> = lens.iter().flat_map(|len| structure(*len)).collect();
            // The last one is not whole.
            data.push(9);
            let parts = parts(&data);
            assert_eq!(parts.concat(), data);
            assert!(
                parts
                    .iter()
                    .all(|part| (1..=REPORT_DATA).contains(&part.len()))
            );
        }
        let data = [structure(200), structure(60)].concat();
        assert_eq!(
            parts(&data)
                .iter()
                .map(|part| part.len())
                .collect::<Vec<_>>(),
            [201, 61]
        );
    }

    #[test]
    fn hexadecimal_digits_are_read_or_refused() {
        assert_eq!(hex(&[0, 0xFF, 0xA5]), "00ffa5");
        assert_eq!(unhex("00fFa5"), Some(vec![0, 0xFF, 0xA5]));
        assert_eq!(unhex(""), Some(vec![]));
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("zz"), None);
    }
}
