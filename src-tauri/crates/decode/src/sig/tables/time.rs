//! Dates, times of day and clocks.

use super::super::Definition;
use super::super::part::{
    I8, Kind, Part, U8, U16, U48, bits, choice, choice_bits, count, number, of, quantity, reserved,
    set,
};
use super::{Words, one};

pub(super) static ALL: &[Definition] = &[
    one(0x2A08, &[DATE_TIME]),
    one(0x2A09, &[DAY_OF_WEEK]),
    one(0x2A0A, &[DATE_TIME.value(), DAY_OF_WEEK.value()]),
    one(0x2A0C, &[DATE_TIME.value(), DAY_OF_WEEK.value(), FRACTIONS]),
    one(0x2A0D, &[DST_OFFSET]),
    one(0x2A0E, &[TIME_ZONE]),
    one(0x2A0F, &[TIME_ZONE.as_named("UTC"), DST_OFFSET.value()]),
    one(0x2A11, &[DATE_TIME.value(), DST_OFFSET.value()]),
    one(0x2A12, &[TIME_ACCURACY]),
    one(0x2A13, &[TIME_SOURCE]),
    one(
        0x2A14,
        &[
            TIME_SOURCE.value(),
            TIME_ACCURACY.as_named("accuracy"),
            quantity("Days since update", U8, "d")
                .void(&[(255, "255 or more")])
                .as_named("updated"),
            quantity("Hours since update", U8, "h")
                .void(&[(255, "255 days or more")])
                .within(0, 23)
                .value(),
        ],
    ),
    one(
        0x2A16,
        &[choice(
            "Time update",
            U8,
            &[(1, "get reference update"), (2, "cancel reference update")],
        )],
    ),
    one(
        0x2A17,
        &[
            choice("Current state", U8, &[(0, "idle"), (1, "update pending")]).value(),
            choice(
                "Result",
                U8,
                &[
                    (0, "successful"),
                    (1, "canceled"),
                    (2, "no connection to reference"),
                    (3, "reference responded with an error"),
                    (4, "timeout"),
                    (5, "not attempted after reset"),
                ],
            )
            .value(),
        ],
    ),
    one(
        0x2A2B,
        &[
            DATE_TIME.value(),
            DAY_OF_WEEK.value(),
            FRACTIONS,
            set(
                "Adjust reason",
                U8,
                0,
                &[
                    "Manual time update",
                    "External reference time update",
                    "Change of time zone",
                    "Change of DST",
                ],
            )
            .if_set(),
            reserved(U8, 4, 7),
        ],
    ),
    one(
        0x2BF2,
        &[
            choice_bits(
                "Reports",
                U8,
                0,
                0,
                &[(0, "a time of day"), (1, "a tick counter")],
            ),
            choice_bits("Time is", U8, 1, 1, &[(0, "local time"), (1, "UTC")]),
            choice_bits(
                "Resolution",
                U8,
                2,
                3,
                &[(0, "1 s"), (1, "100 ms"), (2, "1 ms"), (3, "0.1 ms")],
            ),
            bits("Zone and DST offset field", U8, 4, 4).meaning(&[(0, "not used"), (1, "used")]),
            bits("Current timeline", U8, 5, 5).meaning(super::NO_YES),
            reserved(U8, 6, 7),
            // From 2000 on where it is a time of day; always in seconds here.
            time_value(0, 1.0, 0).plotted(),
            time_value(1, 10.0, 1).variant(),
            time_value(2, 1000.0, 3).variant(),
            time_value(3, 10_000.0, 4).variant(),
            TIME_SOURCE.named("Time sync source").value(),
            TIME_ZONE.named("Zone and DST offset").within(-128, 127),
        ],
    ),
];

const fn time_value(resolution: u32, divide: f64, decimals: u8) -> Part {
    number("Time value", U48)
        .unit("s")
        .scaled(1.0, divide, decimals)
        .masked(0, 0b1100, resolution << 2)
        .value()
}

pub(super) const DATE_TIME: Part = of("Date and time", Kind::DateTime);

const DAY_OF_WEEK: Part = choice(
    "Day of week",
    U8,
    &[
        (0, "day of week not known"),
        (1, "Monday"),
        (2, "Tuesday"),
        (3, "Wednesday"),
        (4, "Thursday"),
        (5, "Friday"),
        (6, "Saturday"),
        (7, "Sunday"),
    ],
);

const FRACTIONS: Part = count("Fractions of a second", U8)
    .unit("s")
    .scaled(1.0, 256.0, 4);

pub(super) const DST_OFFSET: Part = choice(
    "DST offset",
    U8,
    &[
        (0, "standard time"),
        (2, "daylight time (+0.5 h)"),
        (4, "daylight time (+1 h)"),
        (8, "double daylight time (+2 h)"),
        (255, "DST not known"),
    ],
);

pub(super) const TIME_ZONE: Part = number("Time zone", I8)
    .unit("h")
    .scaled(1.0, 4.0, 2)
    .void(&[(-128, "not known")])
    .within(-48, 56);

const TIME_ACCURACY: Part = number("Accuracy", U8)
    .unit("s")
    .scaled(1.0, 8.0, 3)
    .void(TIME_ACCURACY_VOIDS);

const TIME_ACCURACY_VOIDS: Words = &[(254, "more than 31.625 s"), (255, "not known")];

pub(super) const TIME_SOURCE: Part = choice(
    "Time source",
    U8,
    &[
        (0, "source not known"),
        (1, "Network Time Protocol"),
        (2, "GPS"),
        (3, "radio time signal"),
        (4, "set by hand"),
        (5, "atomic clock"),
        (6, "cellular network"),
        (7, "not synchronized"),
    ],
);

pub(super) const MINUTES_OFFSET: Part = number("Time offset", U16).unit("min");
