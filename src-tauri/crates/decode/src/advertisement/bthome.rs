//! BTHome, versions 2 (bthome.io/format) and 1 (bthome.io/v1): a row of measurements and events.
//!
//! Version 2 knows the length of an object by its number; version 1 tells length and kind of
//! number before each. Both number the objects alike.

use super::beacon::{Body, Known, Origin};
use super::objects::{Next, Object, Objects, numbered, object};
use super::part::*;
use crate::field::{Role, Shown, Value};
use crate::number::{Class, Endian, NumberType, binary16};

const TEXT: u16 = 0x53;
const RAW: u16 = 0x54;
const COMMAND: u16 = 0x3B;
/// Stands for an address, which has no number in version 1; above all numbers that are sent.
const ADDRESS: u16 = 0x100;

/// Two states, as numbers that can be plotted.
const fn state(name: &'static str, words: Words) -> Part {
    choice(name, U8, words).plotted().as_named(name)
}

const fn measured(name: &'static str, of: crate::NumberType, unit: &'static str) -> Part {
    quantity(name, of, unit).value()
}

const fn millionths(part: Part) -> Part {
    part.scaled(1.0, 1_000_000.0, 6)
}

const OFF_ON: Words = &[(0, "off"), (1, "on")];
const CLOSED_OPEN: Words = &[(0, "closed"), (1, "open")];
const CLEAR_DETECTED: Words = &[(0, "clear"), (1, "detected")];

const BUTTON: Words = &[
    (0x00, "none"),
    (0x01, "press"),
    (0x02, "double press"),
    (0x03, "triple press"),
    (0x04, "long press"),
    (0x05, "long double press"),
    (0x06, "long triple press"),
    (0x80, "hold press"),
    (0x81, "hold release"),
];

static OBJECTS: [Object; 96] = numbered([
    object(0x00, &[count("Packet", U8).role(Role::Count)]),
    object(0x01, &[quantity("Battery", U8, "%").as_named("battery")]),
    object(0x02, &[measured("Temperature", I16, "°C").hundredths()]),
    object(0x03, &[measured("Humidity", U16, "%").hundredths()]),
    object(0x04, &[measured("Pressure", U24, "hPa").hundredths()]),
    object(0x05, &[measured("Illuminance", U24, "lx").hundredths()]),
    object(0x06, &[measured("Mass", U16, "kg").hundredths()]),
    object(0x07, &[measured("Mass", U16, "lb").hundredths()]),
    object(
        0x08,
        &[quantity("Dew point", I16, "°C")
            .hundredths()
            .as_named("dew point")],
    ),
    object(0x09, &[count("Count", U8).as_named("count")]),
    object(0x0A, &[measured("Energy", U24, "kWh").thousandths()]),
    object(0x0B, &[measured("Power", U24, "W").hundredths()]),
    object(0x0C, &[measured("Voltage", U16, "V").thousandths()]),
    object(0x0D, &[quantity("PM 2.5", U16, "µg/m³").as_named("PM 2.5")]),
    object(0x0E, &[quantity("PM 10", U16, "µg/m³").as_named("PM 10")]),
    object(0x0F, &[state("State", OFF_ON)]),
    object(0x10, &[state("Power", OFF_ON)]),
    object(0x11, &[state("Opening", CLOSED_OPEN)]),
    object(0x12, &[quantity("CO₂", U16, "ppm").as_named("CO₂")]),
    object(0x13, &[quantity("TVOC", U16, "µg/m³").as_named("TVOC")]),
    object(
        0x14,
        &[quantity("Moisture", U16, "%")
            .hundredths()
            .as_named("moisture")],
    ),
    object(0x15, &[state("Low battery", &[(0, "normal"), (1, "low")])]),
    object(
        0x16,
        &[state("Charging", &[(0, "not charging"), (1, "charging")])],
    ),
    object(0x17, &[state("Carbon monoxide", CLEAR_DETECTED)]),
    object(0x18, &[state("Cold", &[(0, "normal"), (1, "cold")])]),
    object(
        0x19,
        &[state(
            "Connectivity",
            &[(0, "disconnected"), (1, "connected")],
        )],
    ),
    object(0x1A, &[state("Door", CLOSED_OPEN)]),
    object(0x1B, &[state("Garage door", CLOSED_OPEN)]),
    object(0x1C, &[state("Gas detected", CLEAR_DETECTED)]),
    object(0x1D, &[state("Heat", &[(0, "normal"), (1, "hot")])]),
    object(0x1E, &[state("Light", &[(0, "no light"), (1, "detected")])]),
    object(0x1F, &[state("Lock", &[(0, "locked"), (1, "unlocked")])]),
    object(0x20, &[state("Wetness", &[(0, "dry"), (1, "wet")])]),
    object(0x21, &[state("Motion", CLEAR_DETECTED)]),
    object(
        0x22,
        &[state("Moving", &[(0, "not moving"), (1, "moving")])],
    ),
    object(0x23, &[state("Occupancy", CLEAR_DETECTED)]),
    object(
        0x24,
        &[state("Plug", &[(0, "unplugged"), (1, "plugged in")])],
    ),
    object(0x25, &[state("Presence", &[(0, "away"), (1, "home")])]),
    object(0x26, &[state("Problem", &[(0, "none"), (1, "problem")])]),
    object(
        0x27,
        &[state("Running", &[(0, "not running"), (1, "running")])],
    ),
    object(0x28, &[state("Safety", &[(0, "unsafe"), (1, "safe")])]),
    object(0x29, &[state("Smoke", CLEAR_DETECTED)]),
    object(0x2A, &[state("Sound", CLEAR_DETECTED)]),
    object(0x2B, &[state("Tamper", OFF_ON)]),
    object(0x2C, &[state("Vibration", CLEAR_DETECTED)]),
    object(0x2D, &[state("Window", CLOSED_OPEN)]),
    object(0x2E, &[measured("Humidity", U8, "%")]),
    object(0x2F, &[quantity("Moisture", U8, "%").as_named("moisture")]),
    object(0x3A, &[choice("Button", U8, BUTTON).as_named("button")]),
    object(
        COMMAND,
        &[
            choice(
                "Command",
                U8,
                &[
                    (0, "off"),
                    (1, "on"),
                    (2, "toggle"),
                    (3, "step up"),
                    (4, "step down"),
                ],
            )
            .as_named("command"),
            of("Arguments", Kind::Rest).if_left(),
        ],
    ),
    object(
        0x3C,
        &[
            choice(
                "Dimmer",
                U8,
                &[(0, "none"), (1, "rotate left"), (2, "rotate right")],
            )
            .as_named("dimmer"),
            number("Steps", U8).as_named("steps"),
        ],
    ),
    object(0x3D, &[count("Count", U16).as_named("count")]),
    object(0x3E, &[count("Count", U32).as_named("count")]),
    object(0x3F, &[measured("Rotation", I16, "°").tenths()]),
    object(0x40, &[measured("Distance", U16, "mm")]),
    object(0x41, &[measured("Distance", U16, "m").tenths()]),
    object(
        0x42,
        &[quantity("Duration", U24, "s")
            .thousandths()
            .as_named("duration")],
    ),
    object(0x43, &[measured("Current", U16, "A").thousandths()]),
    object(0x44, &[measured("Speed", U16, "m/s").hundredths()]),
    object(0x45, &[measured("Temperature", I16, "°C").tenths()]),
    object(0x46, &[count("UV index", U8).tenths().as_named("UV index")]),
    object(0x47, &[measured("Volume", U16, "l").tenths()]),
    object(0x48, &[measured("Volume", U16, "ml")]),
    object(0x49, &[measured("Flow rate", U16, "m³/h").thousandths()]),
    object(0x4A, &[measured("Voltage", U16, "V").tenths()]),
    object(
        0x4B,
        &[quantity("Gas", U24, "m³").thousandths().as_named("gas")],
    ),
    object(
        0x4C,
        &[quantity("Gas", U32, "m³").thousandths().as_named("gas")],
    ),
    object(0x4D, &[measured("Energy", U32, "kWh").thousandths()]),
    object(0x4E, &[measured("Volume", U32, "l").thousandths()]),
    object(
        0x4F,
        &[quantity("Water", U32, "l").thousandths().as_named("water")],
    ),
    object(0x50, &[number("Time", U32).shown(Shown::Seconds(0))]),
    object(0x51, &[measured("Acceleration", U16, "m/s²").thousandths()]),
    object(0x52, &[measured("Rotation rate", U16, "°/s").thousandths()]),
    object(TEXT, &[text("Text")]),
    object(RAW, &[of("Raw", Kind::Rest).as_named("raw")]),
    object(
        0x55,
        &[quantity("Volume stored", U32, "l")
            .thousandths()
            .as_named("stored")],
    ),
    object(0x56, &[measured("Conductivity", U16, "µS/cm")]),
    object(0x57, &[measured("Temperature", I8, "°C")]),
    object(
        0x58,
        &[measured("Temperature", I8, "°C").scaled(35.0, 100.0, 2)],
    ),
    object(0x59, &[count("Count", I8).as_named("count")]),
    object(0x5A, &[count("Count", I16).as_named("count")]),
    object(0x5B, &[count("Count", I32).as_named("count")]),
    object(0x5C, &[measured("Power", I32, "W").hundredths()]),
    object(0x5D, &[measured("Current", I16, "A").thousandths()]),
    object(
        0x5E,
        &[quantity("Direction", U16, "°")
            .hundredths()
            .as_named("direction")],
    ),
    object(0x5F, &[measured("Precipitation", U16, "mm").tenths()]),
    object(0x60, &[number("Channel", U8).as_named("channel")]),
    object(0x61, &[measured("Rotational speed", U16, "rpm")]),
    object(0x62, &[millionths(measured("Speed", I32, "m/s"))]),
    object(0x63, &[millionths(measured("Acceleration", I32, "m/s²"))]),
    object(0x64, &[count("Light level", U8).as_named("light level")]),
    object(0x65, &[number("Settings revision", U8)]),
    object(0xF0, &[hex("Device type", U16)]),
    object(
        0xF1,
        &[
            number("Firmware build", U8),
            number("Firmware patch", U8),
            number("Firmware minor", U8),
            number("Firmware major", U8),
        ],
    ),
    object(
        0xF2,
        &[
            number("Firmware patch", U8),
            number("Firmware minor", U8),
            number("Firmware major", U8),
        ],
    ),
    object(ADDRESS, &[address("Address")]),
]);

const INFORMATION: [Part; 6] = [
    bits("Encryption", U8, 0, 0).meaning(&[(0, "none"), (1, "encrypted")]),
    bits("Address included", U8, 1, 1).meaning(&[(0, "no"), (1, "yes")]),
    bits("Trigger-based", U8, 2, 2).meaning(&[(0, "no, regular"), (1, "yes, irregular")]),
    reserved(U8, 3, 4),
    bits("Version", U8, 5, 7).meaning(&[(2, "2")]).closed(),
    address("Address").on(1),
];

static V2: Objects = Objects {
    head: &INFORMATION,
    number: hex("Unknown object", U8),
    number_at: 0,
    says_number: false,
    next: |all, bytes, at| {
        let number = bytes.get(at).map(|&number| u16::from(number));
        let known = all.iter().find(|object| Some(object.number) == number);
        let length = bytes.get(at + 1).map_or(0, |&length| usize::from(length));
        let (head, length) = match (known, number) {
            (_, Some(TEXT | RAW)) => (2, length),
            // The upper bits of the length are reserved; the op code does not count.
            (_, Some(COMMAND)) => (2, (length & 0x1F) + 1),
            (Some(object), _) => (1, object.parts.iter().map(Part::size).sum()),
            // Where the next object would begin cannot be told.
            (None, _) => (1, bytes.len() - at - 1),
        };
        Next {
            number,
            head,
            end: at + head + length,
            kind: None,
        }
    },
    all: &OBJECTS,
    same: 4,
};

/// An IEEE 754 float of two bytes.
fn half(bytes: &[u8], at: usize) -> Value<'static> {
    let Some(&word) = bytes.get(at..).and_then(|from| from.first_chunk()) else {
        return Value::Missing;
    };
    Value::Float(binary16(u16::from_le_bytes(word)).into())
}

static V1: Objects = Objects {
    head: &[],
    number: hex("Unknown object", U8),
    number_at: 1,
    says_number: false,
    next: |_, bytes, at| {
        let control = bytes.get(at).copied().unwrap_or(0);
        let length = usize::from(control & 0x1F);
        if control >> 5 == 4 {
            return Next {
                number: Some(ADDRESS),
                head: 1,
                end: at + 1 + length,
                kind: None,
            };
        }
        let size = length.saturating_sub(1);
        let number = |class| NumberType::known(class, size as u8, Endian::Little);
        let kind = match (control >> 5, size) {
            (0, 1..=8) => Some(Kind::Number(number(Class::Unsigned))),
            (1, 1..=8) => Some(Kind::Number(number(Class::Signed))),
            (2, 2) => Some(Kind::Read {
                size: 2,
                read: half,
            }),
            (2, 4 | 8) => Some(Kind::Number(number(Class::Float))),
            (3, _) => Some(Kind::FixedText(size)),
            (5, 1..=8) => Some(Kind::Number(number(Class::Unsigned))),
            _ => Some(Kind::Bytes(size)),
        };
        Next {
            number: bytes.get(at + 1).map(|&number| number.into()),
            head: 2,
            end: at + 1 + length,
            kind,
        }
    },
    all: &OBJECTS,
    same: 4,
};

pub(super) static ALL: &[Known] = &[
    Known {
        key: "bthome-2",
        name: "BTHome, version 2",
        brief: "BTHome",
        from: Origin::Service(0xFCD2),
        is: |data| matches!(data.first(), Some(information) if information & 1 == 0),
        body: Body::Objects(&V2),
    },
    Known {
        key: "bthome-2-encrypted",
        name: "BTHome, version 2 (encrypted)",
        brief: "BTHome",
        from: Origin::Service(0xFCD2),
        is: |data| matches!(data.first(), Some(information) if information & 1 == 1),
        body: Body::Parts(&[
            INFORMATION[0],
            INFORMATION[1],
            INFORMATION[2],
            INFORMATION[3],
            INFORMATION[4],
            INFORMATION[5],
            of("Encrypted", Kind::AllBut(8)).as_named("encrypted"),
            count("Counter", U32).role(Role::Count),
            of("Integrity check", Kind::Bytes(4)),
        ]),
    },
    Known {
        key: "bthome-1",
        name: "BTHome, version 1",
        brief: "BTHome",
        from: Origin::Service(0x181C),
        is: |data| data.len() > 1,
        body: Body::Objects(&V1),
    },
    Known {
        key: "bthome-1-encrypted",
        name: "BTHome, version 1 (encrypted)",
        brief: "BTHome",
        from: Origin::Service(0x181E),
        is: |data| data.len() > 8,
        body: Body::Parts(&[
            of("Encrypted", Kind::AllBut(8)).as_named("encrypted"),
            count("Counter", U32).role(Role::Count),
            of("Integrity check", Kind::Bytes(4)),
        ]),
    },
];
