//! Running, cycling, location and navigation.

use super::super::Definition;
use super::super::part::{
    I16, I24, I32, Kind, Part, U8, U16, U24, U32, bits, choice, choice_bits, count, flags, number,
    of, quantity, reserved, set,
};
use super::time::DATE_TIME;
use super::{RESPONSES, Words, one};

pub(super) static ALL: &[Definition] = &[
    one(
        0x2A53,
        &[
            flags(U8, 0, &["Stride length", "Total distance"]),
            choice_bits("Gait", U8, 2, 2, &[(0, "walking"), (1, "running")]).value(),
            reserved(U8, 3, 7),
            quantity("Speed", U16, "m/s").scaled(1.0, 256.0, 3).value(),
            quantity("Cadence", U8, "1/min").value(),
            quantity("Stride length", U16, "m").hundredths().on(0),
            quantity("Total distance", U32, "m").tenths().on(1).value(),
        ],
    ),
    one(
        0x2A54,
        &[
            set(
                "RSC feature",
                U16,
                0,
                &[
                    "Stride length",
                    "Total distance",
                    "Walking or running",
                    "Calibration",
                    "Multiple sensor locations",
                ],
            )
            .if_set(),
            reserved(U16, 5, 15),
        ],
    ),
    one(
        0x2A55,
        &[
            choice(
                "Op code",
                U8,
                &[
                    (1, "set cumulative value"),
                    (2, "start sensor calibration"),
                    (3, "update sensor location"),
                    (4, "request supported sensor locations"),
                    (0x10, "response"),
                ],
            )
            .value(),
            number("Cumulative value", U32).if_byte(0, 1).value(),
            SENSOR_LOCATION.if_byte(0, 3).value(),
            number("Request op code", U8)
                .if_byte(0, 0x10)
                .as_named("to"),
            choice("Response code", U8, RESPONSES)
                .if_byte(0, 0x10)
                .value(),
            // Nothing else than locations is ever answered.
            SENSOR_LOCATION.if_byte(1, 4).any_number().value(),
        ],
    ),
    one(
        0x2A5B,
        &[
            flags(U8, 0, &["Wheel revolutions", "Crank revolutions"]),
            reserved(U8, 2, 7),
            count("Wheel revolutions", U32).on(0).as_named("wheel"),
            quantity("Last wheel event", U16, "s")
                .scaled(1.0, 1024.0, 4)
                .on(0),
            count("Crank revolutions", U16).on(1).as_named("crank"),
            quantity("Last crank event", U16, "s")
                .scaled(1.0, 1024.0, 4)
                .on(1),
        ],
    ),
    one(
        0x2A5C,
        &[
            set(
                "CSC feature",
                U16,
                0,
                &[
                    "Wheel revolutions",
                    "Crank revolutions",
                    "Multiple sensor locations",
                ],
            )
            .if_set(),
            reserved(U16, 3, 15),
        ],
    ),
    one(0x2A5D, &[SENSOR_LOCATION]),
    one(
        0x2A63,
        &[
            flags(U16, 0, &["Pedal power balance"]),
            choice_bits(
                "Balance reference",
                U16,
                1,
                1,
                &[(0, "not known"), (1, "left")],
            ),
            flags(U16, 2, &["Accumulated torque"]),
            choice_bits("Torque source", U16, 3, 3, &[(0, "wheel"), (1, "crank")]),
            flags(
                U16,
                4,
                &[
                    "Wheel revolutions",
                    "Crank revolutions",
                    "Extreme forces",
                    "Extreme torques",
                    "Extreme angles",
                    "Top dead spot angle",
                    "Bottom dead spot angle",
                    "Accumulated energy",
                ],
            ),
            set("Flags", U16, 12, &["Offset compensation"]),
            reserved(U16, 13, 15),
            quantity("Power", I16, "W").value(),
            quantity("Pedal power balance", U8, "%")
                .halves()
                .on(0)
                .as_named("balance"),
            quantity("Accumulated torque", U16, "Nm")
                .scaled(1.0, 32.0, 3)
                .on(2),
            count("Wheel revolutions", U32).on(4).as_named("wheel"),
            quantity("Last wheel event", U16, "s")
                .scaled(1.0, 2048.0, 4)
                .on(4),
            count("Crank revolutions", U16).on(5).as_named("crank"),
            quantity("Last crank event", U16, "s")
                .scaled(1.0, 1024.0, 4)
                .on(5),
            quantity("Maximum force", I16, "N").on(6),
            quantity("Minimum force", I16, "N").on(6),
            quantity("Maximum torque", I16, "Nm")
                .scaled(1.0, 32.0, 3)
                .on(7),
            quantity("Minimum torque", I16, "Nm")
                .scaled(1.0, 32.0, 3)
                .on(7),
            bits("Maximum angle", U24, 0, 11).unit("°").plotted().on(8),
            bits("Minimum angle", U24, 12, 23).unit("°").plotted().on(8),
            quantity("Top dead spot angle", U16, "°").on(9),
            quantity("Bottom dead spot angle", U16, "°").on(10),
            quantity("Accumulated energy", U16, "kJ").on(11),
        ],
    ),
    one(
        0x2A64,
        &[
            flags(
                U8,
                0,
                &[
                    "Crank revolutions",
                    "First crank angle",
                    "Forces",
                    "Torques",
                ],
            ),
            choice_bits(
                "Direction",
                U8,
                4,
                5,
                &[
                    (0, "not known"),
                    (1, "tangential"),
                    (2, "radial"),
                    (3, "lateral"),
                ],
            ),
            reserved(U8, 6, 7),
            count("Crank revolutions", U16).on(0).as_named("crank"),
            quantity("Last crank event", U16, "s")
                .scaled(1.0, 1024.0, 4)
                .on(0),
            quantity("First crank measurement angle", U16, "°").on(1),
            quantity("Force magnitude", I16, "N")
                .on(2)
                .any_number()
                .as_named("force"),
            quantity("Torque magnitude", I16, "Nm")
                .scaled(1.0, 32.0, 3)
                .on(3)
                .any_number()
                .as_named("torque"),
        ],
    ),
    one(
        0x2A65,
        &[
            set(
                "Cycling power feature",
                U32,
                0,
                &[
                    "Pedal power balance",
                    "Accumulated torque",
                    "Wheel revolutions",
                    "Crank revolutions",
                    "Extreme magnitudes",
                    "Extreme angles",
                    "Dead spot angles",
                    "Accumulated energy",
                    "Offset compensation indicator",
                    "Offset compensation",
                    "Content masking",
                    "Multiple sensor locations",
                    "Crank length adjustment",
                    "Chain length adjustment",
                    "Chain weight adjustment",
                    "Span length adjustment",
                ],
            )
            .if_set(),
            choice_bits(
                "Sensor measures",
                U32,
                16,
                16,
                &[(0, "force"), (1, "torque")],
            ),
            set(
                "Cycling power feature",
                U32,
                17,
                &[
                    "Measurement direction",
                    "Factory calibration date",
                    "Enhanced offset compensation",
                ],
            ),
            choice_bits(
                "Distributed system",
                U32,
                20,
                21,
                &[(0, "unspecified"), (1, "not for it"), (2, "for it")],
            ),
            reserved(U32, 22, 31),
        ],
    ),
    one(0x2A66, CYCLING_POWER_CONTROL),
    one(
        0x2A67,
        &[
            flags(
                U16,
                0,
                &[
                    "Speed",
                    "Total distance",
                    "Location",
                    "Elevation",
                    "Heading",
                    "Rolling time",
                    "UTC time",
                ],
            ),
            choice_bits("Position status", U16, 7, 8, POSITION_STATUS).value(),
            choice_bits("Speed and distance", U16, 9, 9, &[(0, "2D"), (1, "3D")]),
            choice_bits(
                "Elevation source",
                U16,
                10,
                11,
                &[
                    (0, "positioning system"),
                    (1, "air pressure"),
                    (2, "database"),
                    (3, "other"),
                ],
            ),
            choice_bits("Heading source", U16, 12, 12, HEADING_SOURCE),
            reserved(U16, 13, 15),
            quantity("Speed", U16, "m/s").hundredths().on(0).value(),
            quantity("Total distance", U24, "m").tenths().on(1),
            degrees("Latitude").on(2).value(),
            degrees("Longitude").on(2).value(),
            quantity("Elevation", I24, "m").hundredths().on(3),
            quantity("Heading", U16, "°").hundredths().on(4),
            quantity("Rolling time", U8, "s").on(5),
            DATE_TIME.named("UTC time").on(6),
        ],
    ),
    one(
        0x2A68,
        &[
            flags(
                U16,
                0,
                &[
                    "Remaining distance",
                    "Remaining vertical distance",
                    "Arrival",
                ],
            ),
            choice_bits("Position status", U16, 3, 4, POSITION_STATUS),
            choice_bits("Heading source", U16, 5, 5, HEADING_SOURCE),
            choice_bits(
                "Navigating",
                U16,
                6,
                6,
                &[(0, "to waypoint"), (1, "to destination")],
            ),
            set(
                "Flags",
                U16,
                7,
                &["Waypoint reached", "Destination reached"],
            )
            .if_set(),
            reserved(U16, 9, 15),
            quantity("Bearing", U16, "°")
                .hundredths()
                .as_named("bearing"),
            quantity("Heading", U16, "°")
                .hundredths()
                .as_named("heading"),
            quantity("Remaining distance", U24, "m")
                .tenths()
                .on(0)
                .value(),
            quantity("Remaining vertical distance", I24, "m")
                .hundredths()
                .on(1),
            DATE_TIME.named("Estimated time of arrival").on(2),
        ],
    ),
    one(
        0x2A69,
        &[
            flags(
                U16,
                0,
                &[
                    "Beacons in solution",
                    "Beacons in view",
                    "Time to first fix",
                    "Horizontal error",
                    "Vertical error",
                    "HDOP",
                    "VDOP",
                ],
            ),
            choice_bits("Position status", U16, 7, 8, POSITION_STATUS).value(),
            reserved(U16, 9, 15),
            count("Beacons in solution", U8).on(0).as_named("beacons"),
            count("Beacons in view", U8).on(1).as_named("of"),
            quantity("Time to first fix", U16, "s").tenths().on(2),
            quantity("Horizontal error (EHPE)", U32, "m")
                .hundredths()
                .on(3)
                .value(),
            quantity("Vertical error (EVPE)", U32, "m")
                .hundredths()
                .on(4),
            count("HDOP", U8).scaled(1.0, 5.0, 1).on(5),
            count("VDOP", U8).scaled(1.0, 5.0, 1).on(6),
        ],
    ),
    one(
        0x2A6A,
        &[
            set(
                "LN feature",
                U32,
                0,
                &[
                    "Speed",
                    "Total distance",
                    "Location",
                    "Elevation",
                    "Heading",
                    "Rolling time",
                    "UTC time",
                    "Remaining distance",
                    "Remaining vertical distance",
                    "Estimated time of arrival",
                    "Beacons in solution",
                    "Beacons in view",
                    "Time to first fix",
                    "Horizontal error",
                    "Vertical error",
                    "HDOP",
                    "VDOP",
                    "Content masking",
                    "Fix rate setting",
                    "Elevation setting",
                    "Position status",
                ],
            )
            .if_set(),
            reserved(U32, 21, 31),
        ],
    ),
    one(
        0x2A6B,
        &[
            choice(
                "Op code",
                U8,
                &[
                    (1, "set cumulative value"),
                    (2, "mask content"),
                    (3, "navigation control"),
                    (4, "request number of routes"),
                    (5, "request name of route"),
                    (6, "select route"),
                    (7, "set fix rate"),
                    (8, "set elevation"),
                    (0x20, "response"),
                ],
            )
            .value(),
            // Location and Navigation Service 1.0, 3.5.
            quantity_once("Total distance", U24, "m")
                .tenths()
                .if_byte(0, 1),
            number("Content mask", U16).if_byte(0, 2),
            choice(
                "Navigation",
                U8,
                &[
                    (0, "stop"),
                    (1, "start to first waypoint"),
                    (2, "pause"),
                    (3, "resume"),
                    (4, "skip waypoint"),
                    (5, "start to nearest waypoint"),
                ],
            )
            .if_byte(0, 3)
            .value(),
            number("Route", U16).if_byte(0, 5).value(),
            number("Route", U16).if_byte(0, 6).value(),
            quantity_once("Fix rate", U8, "s").if_byte(0, 7),
            quantity_once("Elevation", I24, "m")
                .hundredths()
                .if_byte(0, 8),
            number("Request op code", U8)
                .if_byte(0, 0x20)
                .as_named("to"),
            choice("Response code", U8, RESPONSES)
                .if_byte(0, 0x20)
                .value(),
            of("Response parameter", Kind::Rest).if_left(),
        ],
    ),
];

const fn quantity_once(
    name: &'static str,
    number_type: crate::number::NumberType,
    unit: &'static str,
) -> Part {
    number(name, number_type).unit(unit).value()
}

const fn degrees(name: &'static str) -> Part {
    quantity(name, I32, "°").scaled(1.0, 10_000_000.0, 7)
}

const POSITION_STATUS: Words = &[
    (0, "no position"),
    (1, "position OK"),
    (2, "estimated position"),
    (3, "last known position"),
];
const HEADING_SOURCE: Words = &[(0, "movement"), (1, "magnetic compass")];

const SENSOR_LOCATION: Part = choice(
    "Sensor location",
    U8,
    &[
        (0, "other"),
        (1, "top of shoe"),
        (2, "in shoe"),
        (3, "hip"),
        (4, "front wheel"),
        (5, "left crank"),
        (6, "right crank"),
        (7, "left pedal"),
        (8, "right pedal"),
        (9, "front hub"),
        (10, "rear dropout"),
        (11, "chainstay"),
        (12, "rear wheel"),
        (13, "rear hub"),
        (14, "chest"),
        (15, "spider"),
        (16, "chain ring"),
    ],
);

/// Cycling Power Service 1.1, 3.6: lengths in 0.5 and 1 mm, weight in g.
const CYCLING_POWER_CONTROL: &[Part] = &[
    choice(
        "Op code",
        U8,
        &[
            (0x01, "set cumulative value"),
            (0x02, "update sensor location"),
            (0x03, "request supported sensor locations"),
            (0x04, "set crank length"),
            (0x05, "request crank length"),
            (0x06, "set chain length"),
            (0x07, "request chain length"),
            (0x08, "set chain weight"),
            (0x09, "request chain weight"),
            (0x0A, "set span length"),
            (0x0B, "request span length"),
            (0x0C, "start offset compensation"),
            (0x0D, "mask content"),
            (0x0E, "request sampling rate"),
            (0x0F, "request factory calibration date"),
            (0x10, "start enhanced offset compensation"),
            (0x20, "response"),
        ],
    )
    .value(),
    number("Cumulative value", U32).if_byte(0, 0x01).value(),
    SENSOR_LOCATION.if_byte(0, 0x02).value(),
    quantity_once("Crank length", U16, "mm")
        .halves()
        .if_byte(0, 0x04),
    quantity_once("Chain length", U16, "mm").if_byte(0, 0x06),
    quantity_once("Chain weight", U16, "g").if_byte(0, 0x08),
    quantity_once("Span length", U16, "mm").if_byte(0, 0x0A),
    number("Content mask", U16).if_byte(0, 0x0D),
    number("Request op code", U8)
        .if_byte(0, 0x20)
        .as_named("to"),
    choice("Response code", U8, RESPONSES)
        .if_byte(0, 0x20)
        .value(),
    quantity_once("Crank length", U16, "mm")
        .halves()
        .masked(0, 0xFF_FFFF, 0x01_05_20),
    quantity_once("Chain length", U16, "mm").masked(0, 0xFF_FFFF, 0x01_07_20),
    quantity_once("Chain weight", U16, "g").masked(0, 0xFF_FFFF, 0x01_09_20),
    quantity_once("Span length", U16, "mm").masked(0, 0xFF_FFFF, 0x01_0B_20),
    quantity_once("Sampling rate", U8, "Hz").masked(0, 0xFF_FFFF, 0x01_0E_20),
    DATE_TIME
        .named("Factory calibration date")
        .masked(0, 0xFF_FFFF, 0x01_0F_20)
        .value(),
    of("Response parameter", Kind::Rest).if_left(),
];
