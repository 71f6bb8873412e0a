//! Apple: iBeacon (Proximity Beacon Specification, R1), HomeKit (as
//! HAPBLEAccessoryServer+Advertising.c of `github.com/apple/HomeKitADK` sends it), and the messages
//! of Continuity.
//!
//! Apple has not published the latter. What is said of them is by public research, not by Apple:
//! Martin et al., "Handoff All Your Privacy" (2019); Celosia and Cunche, "Discontinued Privacy"
//! (2020); Stute et al., "A Billion Open Interfaces" (2019); Heinrich et al., "Who Can Find My
//! Devices?" (2021); the notes of `github.com/furiousMAC/continuity`; and, for which pod of a pair
//! comes first, `docs/ble-proximity-pairing.md` of `github.com/mstroecker/LinuxPods`. Bits and bytes that
//! research could not explain are called unknown.

use super::beacon::{Body, Known, Origin};
use super::objects::{Next, Object, Objects, numbered, object};
use super::part::*;
use crate::field::Shown;

const COMPANY: u16 = 0x004C;
const HOMEKIT: u8 = 0x06;
const HOMEKIT_ENCRYPTED: u8 = 0x11;

const IBEACON: &[Part] = &[
    of("Proximity UUID", Kind::Bytes(16))
        .shown(Shown::UuidBig)
        .value(),
    number("Major", U16_BE).as_named("major"),
    number("Minor", U16_BE).as_named("minor"),
    dbm("Measured power at 1 m"),
];

const UNKNOWN_15: Words = &[(15, "not known")];

/// Tenths of a full battery.
const fn battery(name: &'static str, first: u8) -> Part {
    bits(name, U8, first, first + 3)
        .unit("%")
        .plotted()
        .scaled(10.0, 1.0, 0)
        .void(UNKNOWN_15)
        .within(0, 10)
        .as_named(name)
}

const PAIRED: u8 = 1;

/// Present when paired and, by bit 5 of the status, the left pod is the primary one, which comes
/// first; or the right one.
const fn if_primary(part: Part, is_left: bool) -> Part {
    let left = if is_left { 0x2000_0000 } else { 0 };
    part.masked(0, 0x2000_00FF, left | PAIRED as u32)
}

const fn charging(primary: &'static [&'static str]) -> Part {
    set("Charging", U8, 4, primary)
}

const PROXIMITY_PAIRING: &[Part] = &[
    hex("Prefix", U8),
    hex("Model", U16_BE)
        .meaning(&[
            (0x0220, "AirPods"),
            (0x0320, "Powerbeats3"),
            (0x0520, "BeatsX"),
            (0x0620, "Beats Solo3"),
            (0x0E20, "AirPods Pro"),
            (0x0F20, "AirPods 2"),
        ])
        .value()
        .if_byte(0, PAIRED),
    hex("Status", U8)
        .meaning(&[
            (0x01, "both out of case"),
            (0x02, "right in ear, left in case"),
            (0x03, "right in ear, left out of case"),
            (0x0B, "both in ear"),
            (0x11, "right out of case, left in case"),
            (0x13, "right in ear, left in case"),
            (0x21, "both taken out of ears"),
            (0x22, "left in ear, right in case"),
            (0x23, "left in ear, right out of case"),
            (0x2B, "both in ear"),
            (0x31, "left out of case, right in case"),
            (0x33, "left in ear, right in case"),
            (0x51, "left out of case, right in case"),
            (0x53, "left in ear, right in case"),
            (0x55, "both in case"),
            (0x71, "right out of case, left in case"),
            (0x73, "right in ear, left in case"),
            (0x75, "both in case"),
        ])
        .if_byte(0, PAIRED),
    if_primary(battery("Battery, left", 0), true),
    if_primary(battery("Battery, right", 4), true),
    if_primary(battery("Battery, right", 0), false),
    if_primary(battery("Battery, left", 4), false),
    battery("Battery, case", 0).if_byte(0, PAIRED),
    if_primary(
        charging(&[
            "Charging, left",
            "Charging, right",
            "Charging, case",
            "Unknown",
        ]),
        true,
    ),
    if_primary(
        charging(&[
            "Charging, right",
            "Charging, left",
            "Charging, case",
            "Unknown",
        ]),
        false,
    ),
    number("Lid openings", U8).if_byte(0, PAIRED),
    hex("Colour", U8)
        .meaning(&[
            (0, "white"),
            (1, "black"),
            (2, "red"),
            (3, "blue"),
            (4, "pink"),
            (5, "grey"),
            (6, "silver"),
            (7, "gold"),
            (8, "rose gold"),
            (9, "space grey"),
            (10, "dark blue"),
            (11, "light blue"),
            (12, "yellow"),
        ])
        .if_byte(0, PAIRED),
    hex("Suffix", U8).if_byte(0, PAIRED),
    of("Encrypted", Kind::Rest).if_byte(0, PAIRED).if_left(),
];

const NEARBY_ACTION: Words = &[
    (0x01, "Apple TV setup"),
    (0x04, "mobile backup"),
    (0x05, "watch setup"),
    (0x06, "Apple TV pairing"),
    (0x07, "Internet relay"),
    (0x08, "Wi-Fi password"),
    (0x09, "iOS setup"),
    (0x0A, "repair"),
    (0x0B, "speaker setup"),
    (0x0C, "Apple Pay"),
    (0x0D, "whole-home audio setup"),
    (0x0E, "developer tools pairing"),
    (0x0F, "answered call"),
    (0x10, "ended call"),
    (0x11, "DD ping"),
    (0x12, "DD pong"),
    (0x13, "remote autofill"),
    (0x14, "companion link proximity"),
    (0x15, "remote management"),
    (0x16, "remote autofill pong"),
    (0x17, "remote display"),
];

const CATEGORIES: Words = &[
    (1, "other"),
    (2, "bridge"),
    (3, "fan"),
    (4, "garage door opener"),
    (5, "light bulb"),
    (6, "door lock"),
    (7, "outlet"),
    (8, "switch"),
    (9, "thermostat"),
    (10, "sensor"),
    (11, "security system"),
    (12, "door"),
    (13, "window"),
    (14, "window covering"),
    (15, "programmable switch"),
    (16, "range extender"),
    (17, "IP camera"),
    (18, "video doorbell"),
    (19, "air purifier"),
    (20, "heater"),
    (21, "air conditioner"),
    (22, "humidifier"),
    (23, "dehumidifier"),
    (28, "sprinkler"),
    (29, "faucet"),
    (30, "shower system"),
];

static OBJECTS: [Object; 16] = numbered([
    object(0x02, IBEACON),
    object(
        0x03,
        &[
            hex("Address type", U8),
            hex("Resource path type", U8),
            hex("Security type", U8),
            number("Port", U16_BE),
            of("IP address", Kind::Bytes(16)).shown(Shown::Ip),
            hex("Measured power", U8).if_left(),
        ],
    ),
    object(
        0x05,
        &[
            of("Zeros", Kind::Bytes(8)),
            number("Version", U8),
            id("Start of hash of Apple ID", 2),
            id("Start of hash of phone number", 2),
            id("Start of hash of e-mail", 2),
            id("Start of hash of second e-mail", 2),
            number("Zero", U8),
        ],
    ),
    object(
        0x06,
        &[
            set("Status", U8, 0, &["Not paired", "", "", "", "", "", "", ""]),
            address_big("Device ID"),
            number("Category", U16).meaning(CATEGORIES).value(),
            count("Global state number", U16),
            number("Configuration number", U8),
            number("Compatible version", U8),
            id("Setup hash", 4).if_left(),
        ],
    ),
    object(0x07, PROXIMITY_PAIRING),
    object(
        0x08,
        &[
            id("Perceptual hash", 2),
            number("Signal to noise", U8),
            number("Confidence", U8),
            hex("Device class", U16_BE)
                .meaning(&[
                    (0x02, "iPhone"),
                    (0x03, "iPad"),
                    (0x07, "HomePod"),
                    (0x09, "MacBook"),
                    (0x0A, "Watch"),
                ])
                .value(),
            hex("Random", U8),
        ],
    ),
    object(
        0x09,
        &[
            hex("Flags", U8),
            number("Configuration seed", U8),
            of("IP address", Kind::Bytes(4)).shown(Shown::Ip).value(),
        ],
    ),
    object(0x0A, &[hex("Unknown", U8)]),
    object(
        0x0B,
        &[
            of("Unknown", Kind::Bytes(2)),
            hex("Wrist", U8)
                .meaning(&[
                    (0x03, "not on wrist"),
                    (0x1F, "detection off"),
                    (0x3F, "on wrist"),
                ])
                .value(),
        ],
    ),
    object(
        0x0C,
        &[
            hex("Clipboard", U8),
            number("Sequence number", U16),
            hex("Authentication tag", U8),
            of("Encrypted", Kind::Bytes(10)),
        ],
    ),
    object(0x0D, &[id("Identifier of the iCloud account", 4)]),
    object(
        0x0E,
        &[
            number("Version", U8),
            hex("Flags", U8),
            quantity("Battery", U8, "%")
                .within(0, 100)
                .as_named("battery"),
            number("Cellular service", U16_BE)
                .meaning(&[
                    (0, "4G (GSM)"),
                    (1, "1xRTT"),
                    (2, "GPRS"),
                    (3, "EDGE"),
                    (4, "3G (EV-DO)"),
                    (5, "3G"),
                    (6, "4G"),
                    (7, "LTE"),
                ])
                .value(),
            number("Bars", U8).as_named("bars"),
        ],
    ),
    object(
        0x0F,
        &[
            hex("Flags", U8),
            hex("Action", U8).meaning(NEARBY_ACTION).value(),
            // Bit 7 of the flags, as that project's dissector for Wireshark has it.
            of("Authentication tag", Kind::Bytes(3)).masked(0, 0x80, 0x80),
            of("Parameters", Kind::Rest).if_left(),
        ],
    ),
    object(
        0x10,
        &[
            bits("Activity", U8, 0, 3)
                .meaning(&[
                    (0, "not known"),
                    (1, "not reported"),
                    (3, "idle"),
                    (5, "audio, screen off"),
                    (7, "active"),
                    (9, "video"),
                    (10, "watch on wrist"),
                    (11, "recent interaction"),
                    (13, "driving"),
                    (14, "call"),
                ])
                .value(),
            set(
                "Status",
                U8,
                4,
                &[
                    "Primary device of the account",
                    "Unknown, bit 5",
                    "AirDrop receiving",
                    "Unknown, bit 7",
                ],
            ),
            set(
                "Flags",
                U8,
                0,
                &[
                    "AirPods connected",
                    "Authentication tag of four bytes",
                    "Wi-Fi on",
                    "Unknown, bit 3",
                    "Authentication tag present",
                    "Watch locked",
                    "Auto unlock by watch",
                    "Auto unlock",
                ],
            ),
            of("Authentication tag", Kind::Rest).if_left(),
        ],
    ),
    object(
        0x11,
        &[
            address_big("Device ID"),
            of("Encrypted", Kind::AllBut(4)),
            of("Authentication tag", Kind::Bytes(4)),
        ],
    ),
    object(
        0x12,
        &[
            bits("Unknown", U8, 0, 1),
            bits("Owner", U8, 2, 2)
                .meaning(&[(0, "not seen lately"), (1, "seen lately")])
                .value(),
            bits("Unknown", U8, 3, 5),
            bits("Battery", U8, 6, 7)
                .meaning(&[
                    (0, "full"),
                    (1, "medium"),
                    (2, "low"),
                    (3, "critically low"),
                ])
                .as_named("battery"),
            // Near its owner a device says two bytes, away from it the key too.
            id("Public key, bytes 6 to 27", 22).given(|data| data.len() > 2),
            bits("Public key, top bits", U8, 0, 1),
            reserved(U8, 2, 7),
            hex("Hint", U8).if_left(),
        ],
    ),
]);

static CONTINUITY: Objects = Objects {
    head: &[],
    number: hex("Type", U8)
        .meaning(&[
            (0x01, "observed on iOS"),
            (0x02, "iBeacon"),
            (0x03, "AirPrint"),
            (0x05, "AirDrop"),
            (0x06, "HomeKit"),
            (0x07, "proximity pairing"),
            (0x08, "Hey Siri"),
            (0x09, "AirPlay target"),
            (0x0A, "AirPlay source"),
            (0x0B, "magic switch"),
            (0x0C, "Handoff"),
            (0x0D, "tethering target"),
            (0x0E, "tethering source"),
            (0x0F, "nearby action"),
            (0x10, "nearby info"),
            (0x11, "HomeKit, encrypted"),
            (0x12, "Find My"),
        ])
        .value(),
    number_at: 0,
    says_number: true,
    next: |_, bytes, at| {
        let kind = bytes.get(at).copied();
        let said = bytes.get(at + 1).copied().unwrap_or(0);
        // HomeKit has three bits of its own above the length.
        let length = match kind {
            Some(HOMEKIT | HOMEKIT_ENCRYPTED) => said & 0x1F,
            _ => said,
        };
        Next {
            number: kind.map(u16::from),
            head: 2,
            end: at + 2 + usize::from(length),
            kind: None,
        }
    },
    all: &OBJECTS,
    same: 1,
};

pub(super) static ALL: &[Known] = &[
    Known {
        key: "ibeacon",
        name: "iBeacon",
        brief: "iBeacon",
        from: Origin::Manufacturer(COMPANY),
        is: |data| data.starts_with(&[0x02, 0x15]),
        body: Body::Parts(&[
            constant("Type", U8),
            number("Length", U8),
            IBEACON[0],
            IBEACON[1],
            IBEACON[2],
            IBEACON[3],
        ]),
    },
    Known {
        key: "apple-continuity",
        name: "Apple Continuity (by public research)",
        brief: "Apple",
        from: Origin::Manufacturer(COMPANY),
        is: |data| data.len() > 1,
        body: Body::Objects(&CONTINUITY),
    },
];
