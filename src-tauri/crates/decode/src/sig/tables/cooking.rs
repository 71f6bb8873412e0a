//! Kitchen appliances.

use super::super::Definition;
use super::super::part::{
    I8, I16, Kind, Part, U8, U16, choice, flags, number, of, quantity, reserved, set,
};
use super::environment::HUMIDITY;
use super::quantities::{PERCENTAGE, POWER};
use super::{UNKNOWN_16, Words, one};

pub(super) static ALL: &[Definition] = &[
    one(
        0x2C26,
        &[
            choice(
                "Op code",
                U8,
                &[(0, "read"), (1, "start"), (2, "stop"), (3, "delete")],
            )
            .value(),
            // Only deleting needs one.
            STEP.if_left().as_named("step"),
        ],
    ),
    one(0x2C27, RECIPE),
    one(
        0x2C28,
        &[
            set(
                "Flags",
                U8,
                0,
                &[
                    "User action required",
                    "Last cooking step",
                    "Cooking step started",
                ],
            )
            .if_set(),
            reserved(U8, 3, 7),
            STEP.as_named("step"),
            quantity("Remaining time", U16, "s")
                .meaning(&[(0, "no step is executed")])
                .void(UNKNOWN_16)
                .within(0, 0xFF00)
                .value(),
        ],
    ),
    one(
        0x2C29,
        &[
            set(
                "Flags",
                U16,
                0,
                &[
                    "Can be aggregated",
                    "Power level can be set",
                    "Temperature can be set",
                    "Humidity can be set",
                    "Blower fan can be set",
                    "Manufacturer specific control",
                ],
            ),
            reserved(U16, 6, 15),
            choice(
                "Power technology",
                U8,
                &[
                    (0, "heating, other"),
                    (1, "heating, induction"),
                    (2, "heating, gas"),
                    (3, "heating, radiant"),
                    (4, "cooling, refrigeration"),
                    (5, "cooling, freezer"),
                    (0xFF, "manufacturer specific"),
                ],
            )
            .value(),
            number("Number of cooking steps", U16).as_named("steps"),
            POWER.named("Nominal power").on(1).value(),
            quantity("Boost level", U8, "%").on(1),
            PERCEIVED_POWER.named("Minimum available power").on(1),
            TEMPERATURE
                .named("Maximum temperature")
                .on(2)
                .as_named("max"),
            TEMPERATURE
                .named("Minimum temperature")
                .on(2)
                .as_named("min"),
            AIRFLOW.named("Maximum blower fan airflow").on(4),
        ],
    ),
    one(0x2C2A, CONDITIONS),
    one(0x2C2B, CONDITIONS),
    one(0x2C2E, &[TEMPERATURE]),
    one(0x2C2F, &[PERCEIVED_POWER]),
    one(0x2C30, &[AIRFLOW]),
];

const STEP: Part = number("Cooking step index", U16).meaning(&[(0, "not known")]);

const TEMPERATURE: Part = quantity("Temperature", I16, "°C")
    .tenths()
    .void(&[(-0x8000, "not known")])
    .within(-1000, 10_000);

const PERCEIVED_POWER: Part = quantity("Cooking zone perceived power", U16, "%")
    .tenths()
    .within(0, 3550);

const AIRFLOW: Part = quantity("Kitchen appliance airflow", U16, "m³/s")
    .thousandths()
    .void(UNKNOWN_16);

const CONDITIONS: &[Part] = &[
    flags(
        U16,
        0,
        &[
            "Power level",
            "Temperature",
            "Humidity",
            "Blower fan speed",
            "Manufacturer specific data",
        ],
    ),
    reserved(U16, 5, 15),
    PERCEIVED_POWER.named("Power level").on(0).value(),
    TEMPERATURE.on(1).value(),
    HUMIDITY.on(2).value(),
    PERCENTAGE.named("Blower fan speed").on(3).as_named("fan"),
    of("Manufacturer specific data", Kind::Rest).on(4),
];

const RECIPE: &[Part] = &[
    set(
        "Flags",
        U16,
        0,
        &[
            "Overshoot prevention",
            "Last cooking step",
            "User action required",
        ],
    ),
    flags(
        U16,
        3,
        &[
            "Temperature",
            "Temperature gradient",
            "Humidity",
            "Termination condition",
        ],
    ),
    reserved(U16, 7, 15),
    STEP.as_named("step"),
    choice("Cooking process", U8, PROCESSES).value(),
    quantity("Duration", U16, "s").unless_byte(4, 0).value(),
    TEMPERATURE.on(3).value(),
    // Called unsigned, and from -12.8 to 12.7 K/s.
    quantity("Temperature gradient", I8, "K/s")
        .tenths()
        .on_on(3, 4),
    HUMIDITY.on(5).value(),
    set(
        "Termination condition",
        U16,
        0,
        &[
            "Temperature increase",
            "Temperature decrease",
            "Humidity increase",
            "Humidity decrease",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "All conditions (AND)",
        ],
    )
    .on(6),
];

const PROCESSES: Words = &[
    (0x00, "no cooking"),
    (0x01, "preheating"),
    (0x02, "baking"),
    (0x03, "boiling"),
    (0x04, "braising"),
    (0x05, "broiling"),
    (0x06, "cooling"),
    (0x07, "freezing"),
    (0x08, "frying"),
    (0x09, "grilling"),
    (0x0A, "melting"),
    (0x0B, "poaching"),
    (0x0C, "roasting"),
    (0x0D, "sautéing"),
    (0x0E, "simmering"),
    (0x0F, "sous vide"),
    (0x10, "steaming"),
    (0x11, "stewing"),
    (0xFF, "other or not known"),
];
