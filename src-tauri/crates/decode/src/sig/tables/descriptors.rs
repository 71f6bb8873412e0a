//! Descriptors: Core Specification, Vol 3, Part G, 3.3.3; HID, Automation IO and Environmental
//! Sensing for those of their services.

use super::super::Definition;
use super::super::part::{
    Kind, U8, U16, U24, choice, count, hex, number, of, quantity, reserved, set, text,
};
use super::{UNKNOWN_8, UNKNOWN_24, one};
use crate::field::Shown;
use crate::names::Names;
use crate::presentation;

pub(super) static ALL: &[Definition] = &[
    one(
        0x2900,
        &[
            set(
                "Extended properties",
                U16,
                0,
                &["Reliable write", "Writable auxiliaries"],
            )
            .if_set(),
            reserved(U16, 2, 15),
        ],
    ),
    one(0x2901, &[text("Description")]),
    one(
        0x2902,
        &[
            set("Notifications", U16, 0, &["Notifications"])
                .words("off", "on")
                .as_named("Notifications"),
            set("Indications", U16, 1, &["Indications"])
                .words("off", "on")
                .as_named("Indications"),
            reserved(U16, 2, 15),
        ],
    ),
    one(
        0x2903,
        &[
            set("Broadcasts", U16, 0, &["Broadcasts"])
                .words("off", "on")
                .as_named("Broadcasts"),
            reserved(U16, 1, 15),
        ],
    ),
    one(
        0x2904,
        &[
            choice("Format", U8, presentation::FORMATS).value(),
            number("Exponent", super::part::I8).as_named("exponent"),
            hex("Unit", U16).names(Names::Units).as_named("unit"),
            choice("Namespace", U8, &[(0, "none"), (1, "Bluetooth SIG")]),
            hex("Description", U16),
        ],
    ),
    one(0x2905, &[hex("Handle", U16).repeating().value()]),
    one(0x2906, &[of("Lower and upper bound", Kind::Rest)]),
    one(
        0x2907,
        &[of("External report", Kind::Rest).shown(Shown::Uuid)],
    ),
    one(
        0x2908,
        &[
            number("Report ID", U8).as_named("report"),
            choice(
                "Report type",
                U8,
                &[(1, "input"), (2, "output"), (3, "feature")],
            )
            .value(),
        ],
    ),
    one(0x2909, &[count("Number of digitals", U8)]),
    one(
        0x290B,
        &[choice(
            "Trigger logic",
            U8,
            &[(0, "all of them (AND)"), (1, "any of them (OR)")],
        )],
    ),
    one(
        0x290C,
        &[
            hex("Flags", U16),
            choice(
                "Sampling function",
                U8,
                &[
                    (0, "unspecified"),
                    (1, "instantaneous"),
                    (2, "arithmetic mean"),
                    (3, "RMS"),
                    (4, "maximum"),
                    (5, "minimum"),
                    (6, "accumulated"),
                    (7, "count"),
                ],
            )
            .value(),
            quantity("Measurement period", U24, "s").void(&[(0, "not in use")]),
            quantity("Update interval", U24, "s").void(UPDATE_INTERVAL),
            choice("Application", U8, APPLICATIONS).value(),
            quantity("Measurement uncertainty", U8, "%")
                .halves()
                .void(UNKNOWN_8),
        ],
    ),
];

const UPDATE_INTERVAL: super::Words = UNKNOWN_24;

/// Environmental Sensing Service 1.0, 3.1.2.1.
const APPLICATIONS: super::Words = &[
    (0, "unspecified"),
    (1, "air"),
    (2, "water"),
    (3, "barometric"),
    (4, "soil"),
    (5, "infrared"),
    (6, "map database"),
    (7, "barometric elevation source"),
    (8, "GPS only elevation source"),
    (9, "GPS and map database elevation source"),
    (10, "vertical datum elevation source"),
    (11, "onshore"),
    (12, "onboard vessel or vehicle"),
    (13, "front"),
    (14, "back or rear"),
    (15, "upper"),
    (16, "lower"),
    (17, "primary"),
    (18, "secondary"),
    (19, "outdoor"),
    (20, "indoor"),
    (21, "top"),
    (22, "bottom"),
    (23, "main"),
    (24, "backup"),
    (25, "auxiliary"),
    (26, "supplementary"),
    (27, "inside"),
    (28, "outside"),
    (29, "left"),
    (30, "right"),
    (31, "internal"),
    (32, "external"),
    (33, "solar"),
];
