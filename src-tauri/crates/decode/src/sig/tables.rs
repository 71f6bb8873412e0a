//! The formats, one table each. Units and scales: GATT Specification Supplement, by name.

use super::{Definition, I16, Part, Summary, U16, U32};
use crate::number::{Linear, NumberType};

const U8: NumberType = NumberType::U8;

/// Ascending by UUID.
pub(super) static ALL: &[Definition] = &[
    // Descriptors: Core Specification, Vol 3, Part G, 3.3.3.
    one(0x2901, &[Part::text("Description")]),
    one(
        0x2902,
        &[
            Part::bits("Notifications", U16, 0, 0)
                .meaning(OFF_ON)
                .summarised(Summary::Named("Notifications")),
            Part::bits("Indications", U16, 1, 1)
                .meaning(OFF_ON)
                .summarised(Summary::Named("Indications")),
            Part::reserved(U16, 2, 15),
        ],
    ),
    one(0x2A00, &[Part::text("Device name")]),
    one(
        0x2A01,
        &[Part::number("Appearance", U16).summarised(Summary::Value)],
    ),
    one(
        0x2A19,
        &[Part::number("Battery level", U8)
            .unit("%")
            .column(0)
            .summarised(Summary::Value)],
    ),
    one(0x2A24, &[Part::text("Model number")]),
    one(0x2A25, &[Part::text("Serial number")]),
    one(0x2A26, &[Part::text("Firmware revision")]),
    one(0x2A27, &[Part::text("Hardware revision")]),
    one(0x2A28, &[Part::text("Software revision")]),
    one(0x2A29, &[Part::text("Manufacturer name")]),
    one(0x2A37, HEART_RATE_MEASUREMENT),
    one(
        0x2A38,
        &[Part::number("Body sensor location", U8)
            .meaning(&[
                (0, "Other"),
                (1, "Chest"),
                (2, "Wrist"),
                (3, "Finger"),
                (4, "Hand"),
                (5, "Ear lobe"),
                (6, "Foot"),
            ])
            .summarised(Summary::Value)],
    ),
    one(
        0x2A6D,
        &[Part::number("Pressure", U32)
            .unit("Pa")
            .scaled(Linear::ratio(1.0, 10.0, 1))
            .column(0)
            .summarised(Summary::Value)],
    ),
    one(
        0x2A6E,
        &[Part::number("Temperature", I16)
            .unit("°C")
            .scaled(Linear::ratio(1.0, 100.0, 2))
            .void(&[(-0x8000, "not known")])
            .column(0)
            .summarised(Summary::Value)],
    ),
    one(
        0x2A6F,
        &[Part::number("Humidity", U16)
            .unit("%")
            .scaled(Linear::ratio(1.0, 100.0, 2))
            .void(&[(0xFFFF, "not known")])
            .column(0)
            .summarised(Summary::Value)],
    ),
];

/// Heart Rate Service 1.0, 3.1: energy is in kilojoules there, RR intervals in 1/1024 s, oldest
/// first.
const HEART_RATE_MEASUREMENT: &[Part] = &[
    Part::bits("Heart rate format", U8, 0, 0).meaning(&[(0, "8 bits"), (1, "16 bits")]),
    Part::bits("Sensor contact", U8, 1, 2).meaning(&[
        (0, "not supported"),
        (1, "not supported"),
        (2, "not detected"),
        (3, "detected"),
    ]),
    Part::bits("Energy expended field", U8, 3, 3).meaning(ABSENT_PRESENT),
    Part::bits("RR interval field", U8, 4, 4).meaning(ABSENT_PRESENT),
    Part::reserved(U8, 5, 7),
    Part::number("Heart rate", U8)
        .if_flags(0x01, 0x00)
        .unit("bpm")
        .column(0)
        .summarised(Summary::Value),
    Part::number("Heart rate", U16)
        .if_flags(0x01, 0x01)
        .unit("bpm")
        .column(0)
        .summarised(Summary::Value),
    Part::number("Energy expended", U16)
        .if_flags(0x08, 0x08)
        .unit("kJ")
        .column(1),
    Part::number("RR interval", U16)
        .if_flags(0x10, 0x10)
        .repeating()
        .unit("ms")
        .scaled(Linear::ratio(1000.0, 1024.0, 0))
        .column(2)
        .summarised(Summary::Named("RR")),
];

const OFF_ON: &[(i128, &str)] = &[(0, "off"), (1, "on")];
const ABSENT_PRESENT: &[(i128, &str)] = &[(0, "absent"), (1, "present")];

const fn one(uuid: u16, parts: &'static [Part]) -> Definition {
    Definition { uuid, parts }
}
