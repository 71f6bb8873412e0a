//! The devices of the lab that only advertise, and the crowd that is heard beside them.

use std::f64::consts::TAU;
use std::time::Duration;

use bytes::Bytes;
use rand::Rng;

use super::VirtualDevice;
use super::ad::AdStructures;
use super::peripheral::{Dice, Peripheral, Table};
use crate::{Address, AddressKind};

/// iBeacon: company 0x004C, type 0x02, length 0x15, UUID, u16 major, u16 minor (big-endian), i8 dBm at 1 m.
pub(super) fn ibeacon() -> Peripheral {
    const REGION: u128 = 0xe2c56db5_dffb_48d2_b060_d0f5a71096e0;
    let mut frame = vec![0x02, 0x15];
    frame.extend(REGION.to_be_bytes());
    frame.extend(1u16.to_be_bytes());
    frame.extend(7u16.to_be_bytes());
    frame.extend((-59i8).to_be_bytes());
    let bytes = AdStructures::discoverable()
        .manufacturer(0x004C, &frame)
        .bytes();
    Peripheral {
        rssi_spread: 10.0,
        ..Peripheral::beacon(
            Some(VirtualDevice::IBeacon),
            [0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0x1B],
            Box::new(move |_, _| bytes.clone()),
        )
    }
}

/// Eddystone: URL frames, and every fifth time telemetry (TLM, unencrypted).
pub(super) fn eddystone() -> Peripheral {
    const SERVICE: u16 = 0xFEAA;
    const URL: u8 = 0x10;
    const HTTPS: u8 = 0x03;
    const DOT_COM: u8 = 0x07;
    const TELEMETRY: u8 = 0x20;
    let mut sent: u32 = 0;
    let says = move |at: Duration, _: &mut Dice| {
        sent = sent.wrapping_add(1);
        let mut frame = Vec::new();
        if sent.is_multiple_of(5) {
            let t = at.as_secs_f64();
            let millivolts = 2_987u16.saturating_sub((t / 120.0) as u16);
            let celsius = 23.5 + 0.8 * (TAU * t / 600.0).sin();
            frame.extend([TELEMETRY, 0x00]);
            frame.extend(millivolts.to_be_bytes());
            frame.extend(((celsius * 256.0).round() as i16).to_be_bytes());
            frame.extend(sent.to_be_bytes());
            frame.extend(((t * 10.0) as u32).to_be_bytes());
        } else {
            let dbm_at_0_m = -20i8;
            frame.push(URL);
            frame.extend(dbm_at_0_m.to_be_bytes());
            frame.push(HTTPS);
            frame.extend(b"example");
            frame.push(DOT_COM);
        }
        AdStructures::discoverable()
            .services(&[SERVICE])
            .service_data(SERVICE, &frame)
            .bytes()
    };
    Peripheral {
        interval: Duration::from_millis(500),
        ..Peripheral::beacon(
            Some(VirtualDevice::Eddystone),
            [0xC9, 0x1E, 0x40, 0x77, 0x5A, 0x08],
            Box::new(says),
        )
    }
}

/// RuuviTag data format 5 (RAWv2): company 0x0499, 24 bytes, big-endian.
pub(super) fn ruuvi(mut dice: Dice) -> Peripheral {
    const ADDRESS: [u8; 6] = [0xCB, 0xB8, 0x33, 0x4C, 0x88, 0x4F];
    let phase = dice.random_range(0.0..TAU);
    let mut sequence: u16 = 0;
    let mut movements: u8 = 0;
    let says = move |at: Duration, dice: &mut Dice| {
        let t = at.as_secs_f64();
        let slow = (TAU * t / 700.0 + phase).sin();
        sequence = sequence.wrapping_add(1);
        if dice.random_bool(0.02) {
            movements = movements.wrapping_add(1);
        }
        let celsius = 19.2 + 1.5 * slow + dice.random_range(-0.02..0.02);
        let humidity = 52.0 - 4.0 * slow + dice.random_range(-0.1..0.1);
        let pascal = 100_640.0 + 90.0 * (TAU * t / 1_900.0 + phase).sin();
        let millivolts: u16 = 2_934;
        let tx_power: i8 = 4;
        let mut frame = vec![0x05];
        frame.extend(((celsius / 0.005).round() as i16).to_be_bytes());
        frame.extend(((humidity / 0.0025).round() as u16).to_be_bytes());
        frame.extend(((pascal - 50_000.0).round() as u16).to_be_bytes());
        for mean in [12.0, -28.0, 1_012.0] {
            let milli_g: f64 = mean + dice.random_range(-4.0..4.0);
            frame.extend((milli_g.round() as i16).to_be_bytes());
        }
        let power = (millivolts - 1_600) << 5 | ((tx_power + 40) / 2) as u16;
        frame.extend(power.to_be_bytes());
        frame.push(movements);
        frame.extend(sequence.to_be_bytes());
        frame.extend(ADDRESS);
        AdStructures::discoverable()
            .manufacturer(0x0499, &frame)
            .bytes()
    };
    Peripheral {
        interval: Duration::from_millis(1_285),
        mean_rssi: -69.0,
        ..Peripheral::beacon(Some(VirtualDevice::Ruuvi), ADDRESS, Box::new(says))
    }
}

/// One of the crowd: phones, trackers, televisions, at a distance and with an address that `dice` gives.
pub(super) fn filler(number: usize, mut dice: Dice) -> Peripheral {
    use AddressKind::{Public, RandomNonResolvable, RandomResolvable, RandomStatic};

    let mut blob = [0u8; 20];
    dice.fill(&mut blob);
    let (kind, connectable, advertising): (AddressKind, bool, Bytes) = match number % 12 {
        // A telephone: nearby information, which changes with its state.
        0 => (
            RandomResolvable,
            true,
            AdStructures::discoverable()
                .tx_power(12)
                .manufacturer(0x004C, &[&[0x10, 0x05], &blob[..5]].concat())
                .bytes(),
        ),
        // A computer that announces itself to its neighbours.
        1 => (
            RandomNonResolvable,
            false,
            AdStructures::bare()
                .manufacturer(0x0006, &[&[0x01, 0x09, 0x20, 0x02], &blob[..18]].concat())
                .bytes(),
        ),
        2 => (
            Public,
            true,
            AdStructures::discoverable()
                .manufacturer(0x0075, &[&[0x42, 0x04], &blob[..8]].concat())
                .name("[TV] Lounge")
                .bytes(),
        ),
        // A lost-property tag.
        3 => (
            RandomStatic,
            false,
            AdStructures::bare()
                .manufacturer(0x004C, &[&[0x12, 0x02], &blob[..2]].concat())
                .bytes(),
        ),
        4 => (
            RandomResolvable,
            true,
            AdStructures::discoverable()
                .service_data(0xFE2C, &blob[..3])
                .tx_power(-7)
                .bytes(),
        ),
        // Exposure notification: identifier and metadata, all of it random.
        5 => (
            RandomNonResolvable,
            false,
            AdStructures::bare()
                .services(&[0xFD6F])
                .service_data(0xFD6F, &blob)
                .bytes(),
        ),
        6 => (
            RandomStatic,
            true,
            AdStructures::discoverable()
                .appearance(0x00C1)
                .manufacturer(0x0087, &blob[..6])
                .name("Run 55")
                .bytes(),
        ),
        7 => (
            Public,
            true,
            AdStructures::discoverable()
                .services(&[0xFEBE])
                .manufacturer(0x009E, &blob[..4])
                .name("LE-Headset")
                .bytes(),
        ),
        // A thermometer with a MiBeacon frame.
        8 => (
            Public,
            false,
            AdStructures::discoverable()
                .service_data(0xFE95, &[&[0x30, 0x58, 0x5B, 0x05], &blob[..8]].concat())
                .bytes(),
        ),
        9 => (
            RandomStatic,
            true,
            AdStructures::discoverable()
                .appearance(0x03C2)
                .services(&[0x1812, 0x180F])
                .name("Mouse M3")
                .bytes(),
        ),
        10 => (
            RandomResolvable,
            false,
            AdStructures::bare()
                .services(&[0xFEED])
                .service_data(0xFEED, &[&[0x02, 0x00], &blob[..8]].concat())
                .bytes(),
        ),
        _ => (
            Public,
            true,
            AdStructures::discoverable()
                .manufacturer(0x00C4, &blob[..8])
                .name("Soundbar")
                .bytes(),
        ),
    };
    let table = if connectable {
        Table::named("", 0)
    } else {
        Table::default()
    };
    Peripheral {
        address_kind: kind,
        connectable,
        answers: connectable,
        interval: Duration::from_millis(dice.random_range(150..1_500)),
        mean_rssi: dice.random_range(-97.0..-62.0),
        table,
        ..Peripheral::beacon(
            None,
            address(kind, number, &mut dice).0,
            Box::new(move |_, _| advertising.clone()),
        )
    }
}

/// An address of this kind that no other device of the lab has: its last two bytes are its number.
fn address(kind: AddressKind, number: usize, dice: &mut Dice) -> Address {
    let mut bytes: [u8; 6] = dice.random();
    let number = u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes();
    bytes[4..].copy_from_slice(&number);
    bytes[0] = match kind {
        // Given out by the IEEE: not locally administered, not a group.
        AddressKind::Public => bytes[0] & 0b1111_1100,
        AddressKind::RandomStatic => bytes[0] | 0b1100_0000,
        AddressKind::RandomResolvable => bytes[0] & 0b0011_1111 | 0b0100_0000,
        AddressKind::RandomNonResolvable => bytes[0] & 0b0011_1111,
    };
    Address(bytes)
}
