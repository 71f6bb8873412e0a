//! One beacon of each further kind that people meet: what they say is laid out as the pages below demand.
//!
//! - AltBeacon: `github.com/AltBeacon/spec`.
//! - Eddystone UID and EID: `github.com/google/eddystone`.
//! - BTHome: `bthome.io/format`, version 2.
//! - ATC: `github.com/atc1441/ATC_MiThermometer`, the custom advertising format.
//! - Swift Pair: Microsoft, Bluetooth Swift Pair, the payload for pairing over Low Energy alone.
//! - Matter: Core Specification, the payload of a commissionable device.
//! - Mesh: Mesh Protocol, unprovisioned device beacon and secure network beacon.

use std::f64::consts::TAU;
use std::time::Duration;

use rand::Rng;

use super::VirtualDevice;
use super::ad::AdStructures;
use super::peripheral::{Dice, Peripheral, Table};

/// An AltBeacon: company, 0xBEAC, 20 bytes of identity, i8 dBm at 1 m, one byte of the company's.
pub(super) fn altbeacon() -> Peripheral {
    const REGION: u128 = 0x2f23_4454_cf6d_4a0f_adf2_f491_1ba9_ffa6;
    let mut frame = vec![0xBE, 0xAC];
    frame.extend(REGION.to_be_bytes());
    frame.extend(1u16.to_be_bytes());
    frame.extend(2u16.to_be_bytes());
    frame.extend((-61i8).to_be_bytes());
    frame.push(0);
    let bytes = AdStructures::discoverable()
        .manufacturer(0x0118, &frame)
        .bytes();
    Peripheral::beacon(
        Some(VirtualDevice::AltBeacon),
        [0xE2, 0xA1, 0x7B, 0xEA, 0xC0, 0x01],
        Box::new(move |_, _| bytes.clone()),
    )
}

/// Eddystone identities: a fixed one (UID), and in turn one that changes every 17 minutes (EID).
pub(super) fn eddystone_id(mut dice: Dice) -> Peripheral {
    const SERVICE: u16 = 0xFEAA;
    const UID: u8 = 0x00;
    const EID: u8 = 0x30;
    const DBM_AT_0_M: i8 = -18;
    /// The rotation exponent is 10: every 1,024 seconds.
    const ROTATION: u64 = 1_024;
    let secret: u64 = dice.random();
    let mut fixed = false;
    let says = move |at: Duration, _: &mut Dice| {
        fixed = !fixed;
        let mut frame = vec![if fixed { UID } else { EID }];
        frame.extend(DBM_AT_0_M.to_be_bytes());
        if fixed {
            frame.extend(b"gattscopes");
            frame.extend(7u64.to_be_bytes().split_at(2).1);
            frame.extend([0, 0]);
        } else {
            let turn = at.as_secs() / ROTATION;
            let identity = (secret ^ turn).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            frame.extend(identity.to_be_bytes());
        }
        AdStructures::discoverable()
            .services(&[SERVICE])
            .service_data(SERVICE, &frame)
            .bytes()
    };
    Peripheral {
        interval: Duration::from_millis(700),
        ..Peripheral::beacon(
            Some(VirtualDevice::EddystoneId),
            [0xC9, 0x1E, 0x40, 0x77, 0x5A, 0x09],
            Box::new(says),
        )
    }
}

/// A weather station: BTHome version 2, not encrypted; objects in the order of their identifiers.
pub(super) fn weather_station(mut dice: Dice) -> Peripheral {
    const SERVICE: u16 = 0xFCD2;
    let phase = dice.random_range(0.0..TAU);
    let mut packet: u8 = 0;
    let says = move |at: Duration, dice: &mut Dice| {
        let t = at.as_secs_f64();
        let slow = (TAU * t / 900.0 + phase).sin();
        packet = packet.wrapping_add(1);
        let celsius = 11.4 + 3.0 * slow + dice.random_range(-0.05..0.05);
        let humidity = 71.0 - 9.0 * slow + dice.random_range(-0.2..0.2);
        let hectopascal = 1_007.0 + 2.5 * (TAU * t / 2_400.0 + phase).sin();
        let [low, middle, high, _] = ((hectopascal * 100.0) as u32).to_le_bytes();
        let mut frame = vec![0x40, 0x00, packet, 0x01, 87, 0x02];
        frame.extend(((celsius * 100.0).round() as i16).to_le_bytes());
        frame.push(0x03);
        frame.extend(((humidity * 100.0).round() as u16).to_le_bytes());
        frame.extend([0x04, low, middle, high]);
        AdStructures::discoverable()
            .service_data(SERVICE, &frame)
            .name("DIY 7F")
            .bytes()
    };
    Peripheral {
        interval: Duration::from_millis(1_000),
        mean_rssi: -72.0,
        ..Peripheral::beacon(
            Some(VirtualDevice::WeatherStation),
            [0xD4, 0x3B, 0x04, 0x52, 0x11, 0x7F],
            Box::new(says),
        )
    }
}

/// A thermometer with the firmware ATC: address, i16 0.1 °C, u8 %, u8 % and u16 mV of the battery (big-endian), u8
/// packet counter.
pub(super) fn thermometer(mut dice: Dice) -> Peripheral {
    const SERVICE: u16 = 0x181A;
    const ADDRESS: [u8; 6] = [0xA4, 0xC1, 0x38, 0x5D, 0x21, 0xC7];
    let phase = dice.random_range(0.0..TAU);
    let mut packet: u8 = 0;
    let says = move |at: Duration, dice: &mut Dice| {
        let slow = (TAU * at.as_secs_f64() / 400.0 + phase).sin();
        packet = packet.wrapping_add(1);
        let celsius = 21.6 + 0.9 * slow + dice.random_range(-0.04..0.04);
        let humidity = 46.0 - 3.0 * slow;
        let mut frame = ADDRESS.to_vec();
        frame.extend(((celsius * 10.0).round() as i16).to_be_bytes());
        frame.extend([humidity.round() as u8, 93]);
        frame.extend(2_961u16.to_be_bytes());
        frame.push(packet);
        AdStructures::bare()
            .service_data(SERVICE, &frame)
            .name("ATC_5D21C7")
            .bytes()
    };
    Peripheral {
        address_kind: crate::AddressKind::Public,
        interval: Duration::from_millis(1_500),
        mean_rssi: -66.0,
        ..Peripheral::beacon(Some(VirtualDevice::Thermometer), ADDRESS, Box::new(says))
    }
}

/// A keyboard that asks to be paired: Microsoft's beacon 0x03, pairing over Low Energy alone (0x00), a reserved byte,
/// the name to show.
pub(super) fn swift_pair() -> Peripheral {
    let bytes = AdStructures::discoverable()
        .appearance(0x03C1)
        .manufacturer(0x0006, &[&[0x03, 0x00, 0x80][..], b"Key board"].concat())
        .bytes();
    Peripheral {
        connectable: true,
        answers: true,
        interval: Duration::from_millis(90),
        mean_rssi: -58.0,
        table: Table::named("Key board", 0x03C1),
        ..Peripheral::beacon(
            Some(VirtualDevice::SwiftPair),
            [0xEB, 0x0A, 0x2D, 0x44, 0x03, 0xC1],
            Box::new(move |_, _| bytes.clone()),
        )
    }
}

/// A lamp that waits to be commissioned: opcode 0, u12 discriminator and u4 version, u16 vendor, u16 product, flags.
pub(super) fn matter() -> Peripheral {
    const SERVICE: u16 = 0xFFF6;
    const DISCRIMINATOR: u16 = 3_840;
    /// The first of those that are for tests.
    const VENDOR: u16 = 0xFFF1;
    const PRODUCT: u16 = 0x8005;
    let mut frame = vec![0x00];
    for number in [DISCRIMINATOR, VENDOR, PRODUCT] {
        frame.extend(number.to_le_bytes());
    }
    frame.push(0);
    let bytes = AdStructures::discoverable()
        .service_data(SERVICE, &frame)
        .bytes();
    Peripheral {
        connectable: true,
        answers: true,
        interval: Duration::from_millis(250),
        table: Table::named("", 0),
        ..Peripheral::beacon(
            Some(VirtualDevice::Matter),
            [0xF4, 0x3A, 0x7E, 0x10, 0x88, 0x26],
            Box::new(move |_, _| bytes.clone()),
        )
    }
}

/// A mesh: a device that can be provisioned, and in turn its neighbour's network, whose IV index rises every minute here
/// so that there is something to see.
pub(super) fn mesh(mut dice: Dice) -> Peripheral {
    const UNPROVISIONED: u8 = 0x00;
    const SECURE_NETWORK: u8 = 0x01;
    let (device, network): ([u8; 16], [u8; 8]) = (dice.random(), dice.random());
    let mut network_turn = false;
    let says = move |at: Duration, dice: &mut Dice| {
        network_turn = !network_turn;
        let mut beacon = Vec::new();
        if network_turn {
            beacon.extend([SECURE_NETWORK, 0x00]);
            beacon.extend(network);
            beacon.extend(((at.as_secs() / 60) as u32).to_be_bytes());
            beacon.extend(dice.random::<[u8; 8]>());
        } else {
            beacon.push(UNPROVISIONED);
            beacon.extend(device);
            // Where else its key can be had: on a piece of paper.
            beacon.extend(0x0080u16.to_be_bytes());
        }
        AdStructures::bare().mesh_beacon(&beacon).bytes()
    };
    Peripheral {
        interval: Duration::from_millis(800),
        ..Peripheral::beacon(
            Some(VirtualDevice::Mesh),
            [0xDB, 0x2B, 0x00, 0x4E, 0x77, 0x5C],
            Box::new(says),
        )
    }
}
