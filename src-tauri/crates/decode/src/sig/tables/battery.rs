//! Batteries: Battery Service 1.1.

use super::super::Definition;
use super::super::part::{
    I8, Part, U8, U16, U24, choice, choice_bits, count, flags, hex, number, quantity, reserved,
    set, sfloat,
};
use super::quantities::DATE_UTC;
use super::{Words, one};

pub(super) static ALL: &[Definition] = &[
    one(0x2A19, &[LEVEL]),
    one(
        0x2BE9,
        &[
            set(
                "Battery critical status",
                U8,
                0,
                &["Critical power state", "Immediate service required"],
            )
            .if_set(),
            reserved(U8, 2, 7),
        ],
    ),
    one(
        0x2BEA,
        &[
            flags(
                U8,
                0,
                &[
                    "Health summary",
                    "Cycle count",
                    "Temperature",
                    "Deep discharge count",
                ],
            ),
            reserved(U8, 4, 7),
            quantity("Battery health summary", U8, "%")
                .within(0, 100)
                .on(0)
                .value(),
            count("Cycle count", U16).on(1).as_named("cycles"),
            CELSIUS.named("Current temperature").on(2).value(),
            count("Deep discharge count", U16).on(3),
        ],
    ),
    one(
        0x2BEB,
        &[
            flags(
                U8,
                0,
                &[
                    "Cycle count designed lifetime",
                    "Designed operating temperatures",
                ],
            ),
            reserved(U8, 2, 7),
            count("Cycle count designed lifetime", U16)
                .on(0)
                .as_named("cycles"),
            CELSIUS
                .named("Minimum designed operating temperature")
                .on(1)
                .as_named("min"),
            CELSIUS
                .named("Maximum designed operating temperature")
                .on(1)
                .as_named("max"),
        ],
    ),
    one(0x2BEC, INFORMATION),
    one(0x2BED, LEVEL_STATUS),
    one(
        0x2BEE,
        &[
            flags(
                U8,
                0,
                &["Time until discharged on standby", "Time until recharged"],
            ),
            reserved(U8, 2, 7),
            MINUTES
                .named("Time until discharged")
                .as_named("discharged in"),
            MINUTES.named("Time until discharged on standby").on(0),
            MINUTES
                .named("Time until recharged")
                .on(1)
                .as_named("recharged in"),
        ],
    ),
    one(0x2BEF, &[DATE_UTC.named("Estimated service date")]),
    one(
        0x2BF0,
        &[
            flags(
                U8,
                0,
                &[
                    "External source power",
                    "Present voltage",
                    "Available energy",
                    "Available battery capacity",
                    "Charge rate",
                    "Available energy at last charge",
                ],
            ),
            reserved(U8, 6, 7),
            sfloat("External source power", "W").on(0),
            sfloat("Present voltage", "V").on(1).value(),
            sfloat("Available energy", "kWh").on(2).value(),
            sfloat("Available battery capacity", "kWh").on(3),
            sfloat("Charge rate", "W").on(4).value(),
            sfloat("Available energy at last charge", "kWh").on(5),
        ],
    ),
];

const LEVEL: Part = quantity("Battery level", U8, "%").within(0, 100);

const CELSIUS: Part = quantity("Temperature", I8, "°C")
    .void(&[(0x7F, "greater than 126"), (-0x80, "less than \u{2212}127")]);

const MINUTES: Part = quantity("Time", U24, "min")
    .void(&[(0xFF_FFFE, "more than 16777213"), (0xFF_FFFF, "not known")]);

const INFORMATION: &[Part] = &[
    flags(
        U16,
        0,
        &[
            "Manufacture date",
            "Expiration date",
            "Designed capacity",
            "Low energy",
            "Critical energy",
            "Chemistry",
            "Nominal voltage",
            "Aggregation group",
        ],
    ),
    reserved(U16, 8, 15),
    set("Battery features", U8, 0, &["Replaceable", "Rechargeable"]).if_set(),
    reserved(U8, 2, 7),
    DATE_UTC.named("Manufacture date").on(0).as_named("made"),
    DATE_UTC.named("Expiration date").on(1).as_named("expires"),
    sfloat("Designed capacity", "kWh").on(2).value(),
    sfloat("Low energy", "kWh").on(3),
    sfloat("Critical energy", "kWh").on(4),
    choice(
        "Chemistry",
        U8,
        &[
            (0, "not known"),
            (1, "alkaline"),
            (2, "lead acid"),
            (3, "lithium (LiFeS2)"),
            (4, "lithium (LiMnO2)"),
            (5, "lithium ion"),
            (6, "lithium polymer"),
            (7, "nickel oxyhydroxide"),
            (8, "nickel cadmium"),
            (9, "nickel-metal hydride"),
            (10, "silver oxide"),
            (11, "zinc chloride"),
            (12, "zinc air"),
            (13, "zinc carbon"),
            (255, "other"),
        ],
    )
    .on(5)
    .value(),
    sfloat("Nominal voltage", "V").on(6).value(),
    number("Aggregation group", U8)
        .meaning(&[(0, "none")])
        .within(0, 254)
        .on(7),
];

const CONNECTED: Words = &[(0, "no"), (1, "yes"), (2, "not known")];

const LEVEL_STATUS: &[Part] = &[
    flags(U8, 0, &["Identifier", "Battery level", "Additional status"]),
    reserved(U8, 3, 7),
    set("Power state", U16, 0, &["Battery present"]),
    choice_bits("Wired external power", U16, 1, 2, CONNECTED),
    choice_bits("Wireless external power", U16, 3, 4, CONNECTED),
    choice_bits(
        "Charge state",
        U16,
        5,
        6,
        &[
            (0, "charge state not known"),
            (1, "charging"),
            (2, "discharging"),
            (3, "discharging (inactive)"),
        ],
    )
    .value(),
    choice_bits(
        "Charge level",
        U16,
        7,
        8,
        &[
            (0, "charge level not known"),
            (1, "good"),
            (2, "low"),
            (3, "critical"),
        ],
    )
    .value(),
    choice_bits(
        "Charging type",
        U16,
        9,
        11,
        &[
            (0, "not known or not charging"),
            (1, "constant current"),
            (2, "constant voltage"),
            (3, "trickle"),
            (4, "float"),
        ],
    ),
    set(
        "Charging fault",
        U16,
        12,
        &[
            "Charging fault: battery",
            "Charging fault: external power",
            "Charging fault: other",
            "",
        ],
    )
    .if_set(),
    hex("Identifier", U16).on(0),
    LEVEL.on(1).value(),
    choice_bits(
        "Service required",
        U8,
        0,
        1,
        &[(0, "no"), (1, "yes"), (2, "not known")],
    )
    .on(2),
    set(
        "Additional status",
        U8,
        2,
        &["Battery fault", "", "", "", "", ""],
    )
    .on(2)
    .if_set(),
];
