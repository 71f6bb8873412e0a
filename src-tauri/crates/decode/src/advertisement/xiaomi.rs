//! Xiaomi's sensors: MiBeacon (Mijia BLE MiBeacon protocol v4 and v5, Mijia BLE object definition;
//! objects that these do not have by the readers of Home Assistant, `xiaomi-ble`), and the two
//! formats of the free firmware for their thermometers (`github.com/atc1441/ATC_MiThermometer`,
//! `github.com/pvvx/ATC_MiThermometer`).

use super::beacon::{Body, Known, Origin};
use super::objects::{Next, Object, Objects, numbered, object};
use super::part::*;
use crate::field::Role;

const MIBEACON: u16 = 0xFE95;
const THERMOMETER: u16 = 0x181A;

const CLEAR_DETECTED: Words = &[(0, "clear"), (1, "detected")];
const OFF_ON: Words = &[(0, "off"), (1, "on")];

const TEMPERATURE: Part = quantity("Temperature", I16, "°C").tenths().value();
const HUMIDITY: Part = quantity("Humidity", U16, "%").tenths().value();
const BATTERY: Part = quantity("Battery", U8, "%").as_named("battery");

const fn state(name: &'static str, words: Words) -> Part {
    choice(name, U8, words).plotted().as_named(name)
}

const fn event(name: &'static str, words: Words) -> Part {
    number(name, U8).meaning(words).as_named(name)
}

static OBJECTS: [Object; 44] = numbered([
    object(0x0003, &[hex("Motion event", U8)]),
    object(
        0x0006,
        &[
            hex("Key", U32),
            event(
                "Fingerprint",
                &[
                    (0, "match"),
                    (1, "no match"),
                    (2, "timeout"),
                    (3, "low quality"),
                    (4, "too small an area"),
                    (5, "skin too dry"),
                    (6, "skin too wet"),
                ],
            ),
        ],
    ),
    object(
        0x0007,
        &[event(
            "Door",
            &[
                (0, "open"),
                (1, "closed"),
                (2, "left open"),
                (3, "knocked at"),
                (4, "prised"),
                (5, "stuck"),
            ],
        )],
    ),
    object(
        0x0008,
        &[
            event("Armed", OFF_ON),
            number("Time", U32).shown(UNIX).if_left(),
        ],
    ),
    object(
        0x000A,
        &[quantity("Body temperature", I16, "°C").hundredths().value()],
    ),
    object(
        0x000B,
        &[
            bits("Lock action", U8, 0, 3)
                .meaning(&[
                    (0, "unlocked outside"),
                    (1, "locked"),
                    (2, "deadlock on"),
                    (3, "deadlock off"),
                    (4, "unlocked inside"),
                    (5, "locked inside"),
                    (6, "child lock on"),
                    (7, "child lock off"),
                    (8, "locked outside"),
                    (15, "abnormal"),
                ])
                .closed()
                .as_named("lock"),
            bits("Lock method", U8, 4, 7)
                .meaning(&[
                    (0, "Bluetooth"),
                    (1, "password"),
                    (2, "biometrics"),
                    (3, "key"),
                    (4, "turntable"),
                    (5, "NFC"),
                    (6, "one-time password"),
                    (7, "two-step verification"),
                    (8, "under duress"),
                    (9, "HomeKit"),
                    (10, "by hand"),
                    (11, "automatic"),
                    (15, "abnormal"),
                ])
                .closed(),
            hex("Key or exception", U32),
            number("Time", U32).shown(UNIX),
        ],
    ),
    object(
        0x000F,
        &[quantity("Motion with light", U24, "lx").as_named("motion")],
    ),
    object(
        0x0010,
        &[
            event("Toothbrush", &[(0, "started"), (1, "ended")]),
            count("Toothbrush counter", U8).if_left(),
        ],
    ),
    object(
        0x1001,
        &[
            number("Button", U16).as_named("button"),
            event(
                "Press",
                &[(0, "single"), (1, "double"), (2, "long"), (3, "triple")],
            ),
        ],
    ),
    object(0x1002, &[state("Sleep", &[(0, "awake"), (1, "asleep")])]),
    object(0x1003, &[quantity("RSSI", I8, "dBm")]),
    object(0x1004, &[TEMPERATURE]),
    object(
        0x1005,
        &[
            state("Power", OFF_ON),
            quantity("Water temperature", U8, "°C").value(),
        ],
    ),
    object(0x1006, &[HUMIDITY]),
    object(0x1007, &[quantity("Illuminance", U24, "lx").value()]),
    object(
        0x1008,
        &[quantity("Moisture", U8, "%").as_named("moisture")],
    ),
    object(0x1009, &[quantity("Conductivity", U16, "µS/cm").value()]),
    object(0x100A, &[BATTERY]),
    object(0x100D, &[TEMPERATURE, HUMIDITY]),
    object(0x100E, &[hex("Lock state", U8).as_named("lock")]),
    object(
        0x100F,
        &[event("Door state", &[(0, "closed"), (1, "open")])],
    ),
    object(
        0x1010,
        &[quantity("Formaldehyde", U16, "mg/m³").hundredths().value()],
    ),
    object(0x1012, &[state("Power", OFF_ON)]),
    object(
        0x1013,
        &[quantity("Consumable", U8, "%").as_named("consumable")],
    ),
    object(0x1014, &[state("Flooding", CLEAR_DETECTED)]),
    object(0x1015, &[state("Smoke", CLEAR_DETECTED)]),
    object(0x1016, &[state("Gas", CLEAR_DETECTED)]),
    object(
        0x1017,
        &[quantity("Without motion", U32, "s").as_named("no motion for")],
    ),
    object(0x1018, &[state("Light", &[(0, "weak"), (1, "strong")])]),
    object(
        0x1019,
        &[event(
            "Opening",
            &[(0, "open"), (1, "closed"), (2, "left open"), (3, "reset")],
        )],
    ),
    object(
        0x101A,
        &[quantity("Weight", U16, "kg").hundredths().value()],
    ),
    object(
        0x101B,
        &[quantity("Without motion", U32, "s").as_named("no motion for")],
    ),
    object(0x4801, &[quantity("Temperature", F32, "°C").value()]),
    object(0x4802, &[quantity("Humidity", U8, "%").value()]),
    object(0x4803, &[BATTERY]),
    object(0x4804, &[event("Opening", &[(1, "open"), (2, "closed")])]),
    object(0x4805, &[quantity("Illuminance", F32, "lx").value()]),
    object(0x4806, &[state("Flooding", CLEAR_DETECTED)]),
    object(0x4808, &[quantity("Humidity", F32, "%").value()]),
    object(
        0x4818,
        &[quantity("Without motion", U16, "s").as_named("no motion for")],
    ),
    object(
        0x484E,
        &[event("Occupancy", &[(0, "clear"), (1, "detected")])],
    ),
    object(0x4A01, &[state("Low battery", &[(0, "no"), (1, "yes")])]),
    object(
        0x4A08,
        &[quantity("Motion with light", F32, "lx").as_named("motion")],
    ),
    object(0x4A12, &[event("Opening", &[(1, "open"), (2, "closed")])]),
]);

const UNIX: crate::field::Shown = crate::field::Shown::Seconds(0);

const fn control(data: &[u8]) -> u16 {
    match data {
        [low, high, ..] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    }
}

const ENCRYPTED: u16 = 1 << 3;
const ADDRESS: u8 = 4;
const CAPABILITY: u8 = 5;
const OBJECT: u16 = 1 << 6;

/// Whether two bytes of input and output capability follow: the capability before them says so.
fn has_io(data: &[u8]) -> bool {
    let control = control(data);
    let at = if control >> ADDRESS & 1 == 1 { 11 } else { 5 };
    control >> CAPABILITY & 1 == 1
        && data
            .get(at)
            .is_some_and(|capability| capability >> 5 & 1 == 1)
}

const HEAD: &[Part] = &[
    set(
        "Frame control",
        U16,
        0,
        &[
            "Request timing",
            "",
            "",
            "Encrypted",
            "Address included",
            "Capability included",
            "Object included",
            "Mesh",
            "Registered",
            "Solicited",
        ],
    ),
    bits("Authentication", U16, 10, 11).meaning(&[
        (0, "old"),
        (1, "secure"),
        (2, "standard"),
        (3, "reserved"),
    ]),
    bits("Version", U16, 12, 15),
    hex("Product", U16).meaning(&[
        (0x0098, "HHCCJCY01 plant sensor"),
        (0x01AA, "LYWSDCGQ thermometer"),
        (0x0347, "CGG1 thermometer"),
        (0x045B, "LYWSD02 clock"),
        (0x055B, "LYWSD03MMC thermometer"),
        (0x0A1C, "MJWSD05MMC thermometer"),
    ]),
    count("Frame counter", U8).role(Role::Count),
    address("Address").on(ADDRESS),
    hex("Capability", U8).on(CAPABILITY),
    hex("I/O capability", U16).given(has_io),
];

const ENCRYPTED_PARTS: &[Part] = &[
    HEAD[0],
    HEAD[1],
    HEAD[2],
    HEAD[3],
    HEAD[4],
    HEAD[5],
    HEAD[6],
    HEAD[7],
    of("Encrypted object", Kind::AllBut(7))
        .as_named("encrypted")
        .given(is_new),
    of("Encrypted object", Kind::AllBut(4))
        .as_named("encrypted")
        .given(|data| !is_new(data)),
    of("Random number", Kind::Bytes(3)),
    of("Integrity check", Kind::Bytes(4)).given(is_new),
    of("Integrity check", Kind::Bytes(1)).given(|data| !is_new(data)),
];

static PLAIN: Objects = Objects {
    head: HEAD,
    number: hex("Object", U16),
    number_at: 0,
    says_number: true,
    next: |_, bytes, at| {
        let head = bytes.get(at..).unwrap_or(&[]);
        let length = head.get(2).map_or(0, |&length| usize::from(length));
        Next {
            number: head.first_chunk().map(|&number| u16::from_le_bytes(number)),
            head: 3,
            end: at + 3 + length,
            kind: None,
        }
    },
    all: &OBJECTS,
    same: 1,
};

const fn mibeacon(
    key: &'static str,
    name: &'static str,
    is: fn(&[u8]) -> bool,
    body: Body,
) -> Known {
    Known {
        key,
        name,
        brief: "MiBeacon",
        from: Origin::Service(MIBEACON),
        is,
        body,
    }
}

const fn thermometer(
    key: &'static str,
    name: &'static str,
    brief: &'static str,
    is: fn(&[u8]) -> bool,
    parts: &'static [Part],
) -> Known {
    Known {
        key,
        name,
        brief,
        from: Origin::Service(THERMOMETER),
        is,
        body: Body::Parts(parts),
    }
}

/// Whether the tail is that of version 4 or 5.
fn is_new(data: &[u8]) -> bool {
    control(data) >> 12 >= 4
}

/// The environmental sensing service is everybody's: only the exact length tells these formats.
pub(super) static ALL: &[Known] = &[
    mibeacon(
        "mibeacon-encrypted",
        "Xiaomi MiBeacon (encrypted)",
        |data| data.len() >= 5 && control(data) & ENCRYPTED != 0 && control(data) & OBJECT != 0,
        Body::Parts(ENCRYPTED_PARTS),
    ),
    mibeacon(
        "mibeacon",
        "Xiaomi MiBeacon",
        |data| data.len() >= 5 && control(data) & OBJECT != 0,
        Body::Objects(&PLAIN),
    ),
    mibeacon(
        "mibeacon-presence",
        "Xiaomi MiBeacon without a value",
        |data| data.len() >= 5,
        Body::Parts(HEAD),
    ),
    thermometer(
        "pvvx",
        "Thermometer, pvvx firmware",
        "pvvx",
        |data| data.len() == 15,
        &[
            address("Address"),
            quantity("Temperature", I16, "°C").hundredths().value(),
            quantity("Humidity", U16, "%").hundredths().value(),
            quantity("Battery", U16, "mV"),
            quantity("Battery level", U8, "%").as_named("battery"),
            count("Measurement", U8).role(Role::Count),
            set(
                "Flags",
                U8,
                0,
                &[
                    "Reed switch",
                    "Trigger output",
                    "Trigger by values",
                    "Temperature trigger",
                    "Humidity trigger",
                    "",
                    "",
                    "",
                ],
            ),
        ],
    ),
    thermometer(
        "atc1441",
        "Thermometer, ATC1441 firmware",
        "ATC1441",
        |data| data.len() == 13,
        &[
            address_big("Address"),
            quantity("Temperature", I16_BE, "°C").tenths().value(),
            quantity("Humidity", U8, "%").value(),
            quantity("Battery level", U8, "%").as_named("battery"),
            quantity("Battery", U16_BE, "mV"),
            count("Measurement", U8).role(Role::Count),
        ],
    ),
    thermometer(
        "pvvx-encrypted",
        "Thermometer, pvvx firmware (encrypted)",
        "pvvx",
        |data| data.len() == 11,
        &[
            count("Measurement", U8).role(Role::Count),
            of("Encrypted", Kind::Bytes(6)).as_named("encrypted"),
            of("Integrity check", Kind::Bytes(4)),
        ],
    ),
    thermometer(
        "atc1441-encrypted",
        "Thermometer, ATC1441 firmware (encrypted)",
        "ATC1441",
        |data| data.len() == 8,
        &[
            count("Measurement", U8).role(Role::Count),
            of("Encrypted", Kind::Bytes(3)).as_named("encrypted"),
            of("Integrity check", Kind::Bytes(4)),
        ],
    ),
];
