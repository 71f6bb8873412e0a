//! RuuviTag and Ruuvi Air (Ruuvi, "Bluetooth advertisements": data formats 3, 5, 6, 8, C5 and E1).
//! All numbers come most significant byte first.

use super::beacon::{Body, Known, Origin};
use super::part::*;
use crate::field::{Role, Value};

const COMPANY: u16 = 0x0499;

const NO_I16: Words = &[(-0x8000, "not available")];
const NO_U16: Words = &[(0xFFFF, "not available")];
const NO_U8: Words = &[(0xFF, "not available")];
const NO_U24: Words = &[(0xFF_FFFF, "not available")];

const FORMAT: Part = hex("Data format", U8);
const TEMPERATURE: Part = quantity("Temperature", I16_BE, "°C")
    .scaled(1.0, 200.0, 3)
    .void(NO_I16)
    .value();
const HUMIDITY: Part = quantity("Humidity", U16_BE, "%")
    .scaled(1.0, 400.0, 4)
    .void(NO_U16)
    .value();
const PRESSURE: Part = quantity("Pressure", U16_BE, "hPa")
    .hundredths()
    .plus(50_000.0)
    .void(NO_U16)
    .value();
const TX_POWER: Part = bits("Tx power", U16_BE, 0, 4)
    .unit("dBm")
    .plotted()
    .scaled(2.0, 1.0, 0)
    .plus(-40.0)
    .void(&[(31, "not available")]);
const BATTERY: Part = bits("Battery", U16_BE, 5, 15)
    .unit("mV")
    .plotted()
    .plus(1600.0)
    .void(&[(0x7FF, "not available")]);
const MOVEMENTS: Part = count("Movements", U8).void(NO_U8);
const MEASUREMENT: Part = count("Measurement", U16_BE).void(NO_U16).role(Role::Count);
const CO2: Part = quantity("CO₂", U16_BE, "ppm").void(NO_U16).value();

const fn acceleration(name: &'static str) -> Part {
    quantity(name, I16_BE, "g").thousandths().void(NO_I16)
}

/// Format 3 has no value that says "not available".
const fn acceleration_3(name: &'static str) -> Part {
    quantity(name, I16_BE, "g").thousandths()
}

const fn particles(name: &'static str) -> Part {
    quantity(name, U16_BE, "µg/m³").tenths().void(NO_U16)
}

/// An index of nine bits, the lowest of which is a bit of the flags.
const fn index(name: &'static str, read: fn(&[u8], usize) -> Value<'static>) -> Part {
    of(name, Kind::Read { size: 1, read })
        .plotted()
        .void(&[(0x1FF, "not available")])
}

const FLAGS: Part = set(
    "Flags",
    U8,
    0,
    &[
        "Calibration in progress",
        "",
        "",
        "",
        "",
        "",
        "Lowest bit of VOC index",
        "Lowest bit of NOx index",
    ],
);

/// The byte at `at` above bit `bit` of the byte at `flags`.
fn nine_bits(bytes: &[u8], at: usize, flags: usize, bit: u8) -> Value<'static> {
    match (bytes.get(at), bytes.get(flags)) {
        (Some(&high), Some(&flags)) => {
            Value::Int(i128::from(high) << 1 | i128::from(flags >> bit & 1))
        }
        _ => Value::Missing,
    }
}

/// Format 3: a sign and whole degrees, then hundredths.
fn sign_and_hundredths(bytes: &[u8], at: usize) -> Value<'static> {
    let (Some(&whole), Some(&hundredths)) = (bytes.get(at), bytes.get(at + 1)) else {
        return Value::Missing;
    };
    let magnitude = i128::from(whole & 0x7F) * 100 + i128::from(hundredths);
    Value::Int(if whole & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    })
}

/// Format 6: 0 to 65535 lx in 254 logarithmic steps.
fn logarithmic(bytes: &[u8], at: usize) -> Value<'static> {
    match bytes.get(at) {
        None => Value::Missing,
        Some(&0xFF) => Value::Int(0xFF),
        Some(&code) => {
            let lux = (f64::from(code) * 65_536_f64.ln() / 254.0).exp() - 1.0;
            // The format promises no more than two decimals.
            Value::Float((lux * 100.0).round() / 100.0)
        }
    }
}

const fn format(
    key: &'static str,
    name: &'static str,
    is: fn(&[u8]) -> bool,
    parts: &'static [Part],
) -> Known {
    Known {
        key,
        name,
        brief: "RuuviTag",
        from: Origin::Manufacturer(COMPANY),
        is,
        body: Body::Parts(parts),
    }
}

const fn air(
    key: &'static str,
    name: &'static str,
    is: fn(&[u8]) -> bool,
    parts: &'static [Part],
) -> Known {
    let mut known = format(key, name, is, parts);
    known.brief = "Ruuvi Air";
    known
}

pub(super) static ALL: &[Known] = &[
    format(
        "ruuvi-3",
        "RuuviTag, data format 3",
        |data| data.first() == Some(&3),
        &[
            FORMAT,
            quantity("Humidity", U8, "%").halves().value(),
            of(
                "Temperature",
                Kind::Read {
                    size: 2,
                    read: sign_and_hundredths,
                },
            )
            .unit("°C")
            .plotted()
            .hundredths()
            .value(),
            quantity("Pressure", U16_BE, "hPa")
                .hundredths()
                .plus(50_000.0)
                .value(),
            acceleration_3("Acceleration X"),
            acceleration_3("Acceleration Y"),
            acceleration_3("Acceleration Z"),
            quantity("Battery", U16_BE, "mV"),
        ],
    ),
    format(
        "ruuvi-5",
        "RuuviTag, data format 5",
        |data| data.first() == Some(&5),
        &[
            FORMAT,
            TEMPERATURE,
            HUMIDITY,
            PRESSURE,
            acceleration("Acceleration X"),
            acceleration("Acceleration Y"),
            acceleration("Acceleration Z"),
            TX_POWER,
            BATTERY,
            MOVEMENTS,
            MEASUREMENT,
            address_big("Address"),
        ],
    ),
    air(
        "ruuvi-6",
        "Ruuvi Air, data format 6",
        |data| data.first() == Some(&6),
        &[
            FORMAT,
            TEMPERATURE,
            HUMIDITY,
            PRESSURE,
            particles("PM 2.5"),
            CO2,
            index("VOC index", |bytes, at| nine_bits(bytes, at, 16, 6)),
            index("NOx index", |bytes, at| nine_bits(bytes, at, 16, 7)),
            of(
                "Luminosity",
                Kind::Read {
                    size: 1,
                    read: logarithmic,
                },
            )
            .unit("lx")
            .plotted()
            .void(NO_U8),
            number("Reserved", U8),
            count("Measurement, lowest byte", U8).role(Role::Count),
            FLAGS,
            id("Address, lowest three bytes", 3),
        ],
    ),
    format(
        "ruuvi-8",
        "RuuviTag, data format 8 (encrypted)",
        |data| data.first() == Some(&8),
        &[
            FORMAT,
            of("Encrypted", Kind::Bytes(16)).as_named("encrypted"),
            hex("Checksum", U8),
            address_big("Address"),
        ],
    ),
    format(
        "ruuvi-c5",
        "RuuviTag, data format C5",
        |data| data.first() == Some(&0xC5),
        &[
            FORMAT,
            TEMPERATURE,
            HUMIDITY,
            PRESSURE,
            TX_POWER,
            BATTERY,
            MOVEMENTS,
            MEASUREMENT,
            address_big("Address"),
        ],
    ),
    air(
        "ruuvi-e1",
        "Ruuvi Air, data format E1",
        |data| data.first() == Some(&0xE1),
        &[
            FORMAT,
            TEMPERATURE,
            HUMIDITY,
            PRESSURE,
            particles("PM 1.0"),
            particles("PM 2.5"),
            particles("PM 4.0"),
            particles("PM 10.0"),
            CO2,
            index("VOC index", |bytes, at| nine_bits(bytes, at, 28, 6)),
            index("NOx index", |bytes, at| nine_bits(bytes, at, 28, 7)),
            quantity("Luminosity", U24_BE, "lx")
                .hundredths()
                .void(NO_U24),
            of("Reserved", Kind::Bytes(3)),
            count("Measurement", U24_BE).void(NO_U24).role(Role::Count),
            FLAGS,
            of("Reserved", Kind::Bytes(5)),
            address_big("Address"),
        ],
    ),
];
