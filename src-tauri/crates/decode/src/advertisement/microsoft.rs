//! Microsoft: Swift Pair (learn.microsoft.com, "Swift Pair", which shows its three forms as pictures)
//! and the Connected Devices Platform (MS-CDP, 2.2.2.2.3).
//!
//! Public code was found that sends Swift Pair for LE and for both radios. None was found for BR/EDR
//! alone: that the address then stands before the class of device is not verified.

use super::beacon::{Body, Known, Origin};
use super::part::*;

const COMPANY: u16 = 0x0006;

/// Whether there is room for an address before the name: only where BR/EDR alone is paired.
const BR_EDR_ONLY: u8 = 1;

pub(super) static ALL: &[Known] = &[
    Known {
        key: "swift-pair",
        name: "Microsoft Swift Pair",
        brief: "Swift Pair",
        from: Origin::Manufacturer(COMPANY),
        is: |data| data.first() == Some(&0x03),
        body: Body::Parts(&[
            constant("Beacon", U8),
            choice(
                "Pairing",
                U8,
                &[(0, "LE"), (1, "BR/EDR"), (2, "LE and BR/EDR")],
            )
            .value(),
            hex("Reserved RSSI", U8),
            address("BR/EDR address").if_byte(1, BR_EDR_ONLY),
            hex("Class of device", U24).given(|data| matches!(data.get(1), Some(1 | 2))),
            of("Name", Kind::Text).if_left().value(),
        ]),
    },
    Known {
        key: "microsoft-cdp",
        name: "Microsoft Connected Devices Platform",
        brief: "Microsoft device",
        from: Origin::Manufacturer(COMPANY),
        is: |data| data.first() == Some(&0x01),
        body: Body::Parts(&[
            constant("Scenario", U8),
            choice_bits(
                "Device",
                U8,
                0,
                4,
                &[
                    (1, "Xbox One"),
                    (6, "Apple iPhone"),
                    (7, "Apple iPad"),
                    (8, "Android device"),
                    (9, "Windows 10 desktop"),
                    (11, "Windows 10 phone"),
                    (12, "Linux device"),
                    (13, "Windows IoT"),
                    (14, "Surface Hub"),
                    (15, "Windows laptop"),
                    (16, "Windows tablet"),
                ],
            )
            .value(),
            bits("Version", U8, 5, 7),
            bits("Nearby sharing", U8, 0, 4)
                .meaning(&[(0, "my devices only"), (1, "everyone")])
                .closed(),
            bits("Version of flags", U8, 5, 7),
            hex("Status", U8),
            id("Salt", 4),
            of("Device hash", Kind::Rest),
        ]),
    },
];
