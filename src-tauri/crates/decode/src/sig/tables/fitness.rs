//! Fitness machines. The Fitness Machine Service 1.0.1, 4.9 says which energies are not
//! available.
//!
//! Of resistance levels, sources contradict each other. The GATT Specification Supplement gives
//! them 8 bits; machines send 16, as the captures in `tests/fitness.rs` do, and readers expect
//! them (`BikeDataResistanceLevelField.kt` of NOHrD-Waterrower/Nohrd-Bike-SDK-Android). So the
//! length of the value tells which it is. In the Supplement, the multiplier of the field says ten
//! and the sentence beside it one; the latter is taken: they are shown as transmitted.

use super::super::part::{
    I16, Kind, Part, U8, U16, U24, U32, choice, choice_bits, count, either, flags, number, of,
    quantity, reserved, set, text,
};
use super::super::{Definition, has_one_more};
use super::{Words, one};
use crate::number::NumberType;

pub(super) static ALL: &[Definition] = &[
    one(
        0x2ACC,
        &[
            set(
                "Machine features",
                U32,
                0,
                &[
                    "Average speed",
                    "Cadence",
                    "Total distance",
                    "Inclination",
                    "Elevation gain",
                    "Pace",
                    "Step count",
                    "Resistance level",
                    "Stride count",
                    "Expended energy",
                    "Heart rate",
                    "Metabolic equivalent",
                    "Elapsed time",
                    "Remaining time",
                    "Power measurement",
                    "Force on belt and power output",
                    "User data retention",
                ],
            )
            .if_set(),
            reserved(U32, 17, 31),
            set(
                "Target settings",
                U32,
                0,
                &[
                    "Speed target",
                    "Inclination target",
                    "Resistance target",
                    "Power target",
                    "Heart rate target",
                    "Expended energy target",
                    "Step number target",
                    "Stride number target",
                    "Distance target",
                    "Training time target",
                    "Time in two zones target",
                    "Time in three zones target",
                    "Time in five zones target",
                    "Bike simulation parameters",
                    "Wheel circumference",
                    "Spin down control",
                    "Cadence target",
                ],
            ),
            reserved(U32, 17, 31),
        ],
    ),
    one(
        0x2ACD,
        &[
            MORE_DATA_16,
            flags(
                U16,
                1,
                &[
                    "Average speed",
                    "Total distance",
                    "Inclination and ramp angle",
                    "Elevation gain",
                    "Pace",
                    "Average pace",
                    "Expended energy",
                    "Heart rate",
                    "Metabolic equivalent",
                    "Elapsed time",
                    "Remaining time",
                    "Force on belt and power output",
                ],
            ),
            reserved(U16, 13, 15),
            SPEED.off(0).value(),
            AVERAGE_SPEED.on(1),
            DISTANCE.on(2).value(),
            INCLINATION.on(3).as_named("inclination"),
            quantity("Ramp angle setting", I16, "°").tenths().on(3),
            quantity("Positive elevation gain", U16, "m").tenths().on(4),
            quantity("Negative elevation gain", U16, "m").tenths().on(4),
            quantity("Pace", U16, "s/500 m").on(5),
            quantity("Average pace", U16, "s/500 m").on(6),
            TOTAL_ENERGY.on(7),
            ENERGY_PER_HOUR.on(7),
            ENERGY_PER_MINUTE.on(7),
            HEART_RATE.on(8).value(),
            METABOLIC.on(9),
            ELAPSED.on(10),
            REMAINING.on(11),
            quantity("Force on belt", I16, "N").on(12),
            quantity("Power output", I16, "W").on(12).value(),
        ],
    ),
    one(0x2ACE, CROSS_TRAINER),
    one(
        0x2ACF,
        &[
            MORE_DATA_16,
            flags(
                U16,
                1,
                &[
                    "Steps per minute",
                    "Average step rate",
                    "Positive elevation gain",
                    "Expended energy",
                    "Heart rate",
                    "Metabolic equivalent",
                    "Elapsed time",
                    "Remaining time",
                ],
            ),
            reserved(U16, 9, 15),
            count("Floors", U16).off(0).as_named("floors"),
            count("Step count", U16).off(0).as_named("steps"),
            STEP_RATE.on(1).value(),
            AVERAGE_STEP_RATE.on(2),
            GAIN.on(3),
            TOTAL_ENERGY.on(4),
            ENERGY_PER_HOUR.on(4),
            ENERGY_PER_MINUTE.on(4),
            HEART_RATE.on(5).value(),
            METABOLIC.on(6),
            ELAPSED.on(7),
            REMAINING.on(8),
        ],
    ),
    one(
        0x2AD0,
        &[
            MORE_DATA_16,
            flags(
                U16,
                1,
                &[
                    "Steps per minute",
                    "Average step rate",
                    "Positive elevation gain",
                    "Stride count",
                    "Expended energy",
                    "Heart rate",
                    "Metabolic equivalent",
                    "Elapsed time",
                    "Remaining time",
                ],
            ),
            reserved(U16, 10, 15),
            count("Floors", U16).off(0).as_named("floors"),
            STEP_RATE.on(1).value(),
            AVERAGE_STEP_RATE.on(2),
            GAIN.on(3),
            count("Stride count", U16).on(4),
            TOTAL_ENERGY.on(5),
            ENERGY_PER_HOUR.on(5),
            ENERGY_PER_MINUTE.on(5),
            HEART_RATE.on(6).value(),
            METABOLIC.on(7),
            ELAPSED.on(8),
            REMAINING.on(9),
        ],
    ),
    one(0x2AD1, ROWER),
    one(0x2AD2, INDOOR_BIKE),
    // Fitness Machine Service 1.0.1, 4.10.
    one(
        0x2AD3,
        &[
            flags(U8, 0, &["Training status string"]),
            set("Flags", U8, 1, &["String goes on"]),
            reserved(U8, 2, 7),
            choice(
                "Training status",
                U8,
                &[
                    (0, "other"),
                    (1, "idle"),
                    (2, "warming up"),
                    (3, "low intensity interval"),
                    (4, "high intensity interval"),
                    (5, "recovery interval"),
                    (6, "isometric"),
                    (7, "heart rate control"),
                    (8, "fitness test"),
                    (9, "speed too low"),
                    (10, "speed too high"),
                    (11, "cool down"),
                    (12, "watt control"),
                    (13, "manual mode"),
                    (14, "pre-workout"),
                    (15, "post-workout"),
                ],
            )
            .value(),
            text("Training status string").on(0),
        ],
    ),
    one(
        0x2AD4,
        &[
            quantity("Minimum speed", U16, "km/h").hundredths().value(),
            quantity("Maximum speed", U16, "km/h")
                .hundredths()
                .as_named("to"),
            quantity("Minimum increment", U16, "km/h")
                .hundredths()
                .as_named("by"),
        ],
    ),
    one(
        0x2AD5,
        &[
            quantity("Minimum inclination", I16, "%").tenths().value(),
            quantity("Maximum inclination", I16, "%")
                .tenths()
                .as_named("to"),
            quantity("Minimum increment", U16, "%")
                .tenths()
                .as_named("by"),
        ],
    ),
    one(
        0x2AD6,
        &[
            resistance_bound("Minimum resistance level", I16).value(),
            resistance_bound("Maximum resistance level", I16).as_named("to"),
            resistance_bound("Minimum increment", U16).as_named("by"),
        ],
    ),
    one(
        0x2AD7,
        &[
            quantity("Minimum heart rate", U8, "bpm").value(),
            quantity("Maximum heart rate", U8, "bpm").as_named("to"),
            quantity("Minimum increment", U8, "bpm").as_named("by"),
        ],
    ),
    one(
        0x2AD8,
        &[
            quantity("Minimum power", I16, "W").value(),
            quantity("Maximum power", I16, "W").as_named("to"),
            quantity("Minimum increment", U16, "W").as_named("by"),
        ],
    ),
    // Fitness Machine Service 1.0.1, 4.16 and 4.17.
    one(0x2AD9, CONTROL_POINT),
    one(0x2ADA, STATUS),
];

const MORE_DATA_16: Part = set("Flags", U16, 0, &["More data follows"]);
const SPEED: Part = quantity("Speed", U16, "km/h").hundredths();
const AVERAGE_SPEED: Part = SPEED.named("Average speed");
const DISTANCE: Part = quantity("Total distance", U24, "m");
const INCLINATION: Part = quantity("Inclination", I16, "%").tenths();
const GAIN: Part = quantity("Positive elevation gain", U16, "m");
const STEP_RATE: Part = quantity("Steps per minute", U16, "1/min");
const AVERAGE_STEP_RATE: Part = STEP_RATE.named("Average step rate");
const POWER: Part = quantity("Power", I16, "W");
const AVERAGE_POWER: Part = POWER.named("Average power");
const TOTAL_ENERGY: Part = quantity("Total energy", U16, "kcal").void(NO_ENERGY);
const ENERGY_PER_HOUR: Part = quantity("Energy per hour", U16, "kcal").void(NO_ENERGY);
const ENERGY_PER_MINUTE: Part =
    quantity("Energy per minute", U8, "kcal").void(&[(0xFF, "not available")]);
const HEART_RATE: Part = quantity("Heart rate", U8, "bpm");
const METABOLIC: Part = quantity("Metabolic equivalent", U8, "MET").tenths();
const ELAPSED: Part = quantity("Elapsed time", U16, "s");
const REMAINING: Part = quantity("Remaining time", U16, "s");
const NO_ENERGY: Words = &[(0xFFFF, "not available")];

const fn resistance(is_wide: fn(&[u8]) -> bool) -> Part {
    either("Resistance level", U8, I16, is_wide).plotted()
}

/// A bound of the range of resistance levels, which has three of them.
const fn resistance_bound(name: &'static str, wide: NumberType) -> Part {
    either(name, U8, wide, |bytes| bytes.len() >= 6).plotted()
}

/// A resistance level after an op code.
const TARGET_RESISTANCE: Part = either("Target resistance level", U8, I16, |bytes| bytes.len() > 2);

const fn target(name: &'static str, of: NumberType, unit: &'static str) -> Part {
    number(name, of).unit(unit).value()
}

const CROSS_TRAINER: &[Part] = &[
    set("Flags", U24, 0, &["More data follows"]),
    flags(
        U24,
        1,
        &[
            "Average speed",
            "Total distance",
            "Step count",
            "Stride count",
            "Elevation gain",
            "Inclination and ramp angle",
            "Resistance level",
            "Power",
            "Average power",
            "Expended energy",
            "Heart rate",
            "Metabolic equivalent",
            "Elapsed time",
            "Remaining time",
        ],
    ),
    choice_bits("Movement", U24, 15, 15, &[(0, "forward"), (1, "backward")]),
    reserved(U24, 16, 23),
    SPEED.off(0).value(),
    AVERAGE_SPEED.on(1),
    DISTANCE.on(2).value(),
    STEP_RATE.on(3),
    AVERAGE_STEP_RATE.on(3),
    count("Stride count", U16).tenths().on(4),
    GAIN.on(5),
    quantity("Negative elevation gain", U16, "m").on(5),
    INCLINATION.on(6),
    quantity("Ramp angle setting", I16, "°").tenths().on(6),
    resistance(|bytes| has_one_more(CROSS_TRAINER, bytes))
        .on(7)
        .as_named("resistance"),
    POWER.on(8).value(),
    AVERAGE_POWER.on(9),
    TOTAL_ENERGY.on(10),
    ENERGY_PER_HOUR.on(10),
    ENERGY_PER_MINUTE.on(10),
    HEART_RATE.on(11).value(),
    METABOLIC.on(12),
    ELAPSED.on(13),
    REMAINING.on(14),
];

const ROWER: &[Part] = &[
    MORE_DATA_16,
    flags(
        U16,
        1,
        &[
            "Average stroke rate",
            "Total distance",
            "Pace",
            "Average pace",
            "Power",
            "Average power",
            "Resistance level",
            "Expended energy",
            "Heart rate",
            "Metabolic equivalent",
            "Elapsed time",
            "Remaining time",
        ],
    ),
    reserved(U16, 13, 15),
    quantity("Stroke rate", U8, "1/min").halves().off(0).value(),
    count("Stroke count", U16).off(0).as_named("strokes"),
    quantity("Average stroke rate", U8, "1/min").halves().on(1),
    DISTANCE.on(2).value(),
    quantity("Pace", U16, "s/500 m").on(3),
    quantity("Average pace", U16, "s/500 m").on(4),
    POWER.on(5).value(),
    AVERAGE_POWER.on(6),
    resistance(|bytes| has_one_more(ROWER, bytes)).on(7),
    TOTAL_ENERGY.on(8),
    ENERGY_PER_HOUR.on(8),
    ENERGY_PER_MINUTE.on(8),
    HEART_RATE.on(9).value(),
    METABOLIC.on(10),
    ELAPSED.on(11),
    REMAINING.on(12),
];

const INDOOR_BIKE: &[Part] = &[
    MORE_DATA_16,
    flags(
        U16,
        1,
        &[
            "Average speed",
            "Cadence",
            "Average cadence",
            "Total distance",
            "Resistance level",
            "Power",
            "Average power",
            "Expended energy",
            "Heart rate",
            "Metabolic equivalent",
            "Elapsed time",
            "Remaining time",
        ],
    ),
    reserved(U16, 13, 15),
    SPEED.off(0).value(),
    AVERAGE_SPEED.on(1),
    quantity("Cadence", U16, "1/min").halves().on(2).value(),
    quantity("Average cadence", U16, "1/min").halves().on(3),
    DISTANCE.on(4),
    resistance(|bytes| has_one_more(INDOOR_BIKE, bytes)).on(5),
    POWER.on(6).value(),
    AVERAGE_POWER.on(7),
    TOTAL_ENERGY.on(8),
    ENERGY_PER_HOUR.on(8),
    ENERGY_PER_MINUTE.on(8),
    HEART_RATE.on(9).value(),
    METABOLIC.on(10),
    ELAPSED.on(11),
    REMAINING.on(12),
];

const CONTROL_POINT: &[Part] = &[
    choice(
        "Op code",
        U8,
        &[
            (0x00, "request control"),
            (0x01, "reset"),
            (0x02, "set target speed"),
            (0x03, "set target inclination"),
            (0x04, "set target resistance level"),
            (0x05, "set target power"),
            (0x06, "set target heart rate"),
            (0x07, "start or resume"),
            (0x08, "stop or pause"),
            (0x09, "set targeted expended energy"),
            (0x0A, "set targeted number of steps"),
            (0x0B, "set targeted number of strides"),
            (0x0C, "set targeted distance"),
            (0x0D, "set targeted training time"),
            (0x0E, "set targeted time in two heart rate zones"),
            (0x0F, "set targeted time in three heart rate zones"),
            (0x10, "set targeted time in five heart rate zones"),
            (0x11, "set indoor bike simulation"),
            (0x12, "set wheel circumference"),
            (0x13, "spin down control"),
            (0x14, "set targeted cadence"),
            (0x80, "response"),
        ],
    )
    .value(),
    target("Target speed", U16, "km/h")
        .hundredths()
        .if_byte(0, 0x02),
    target("Target inclination", I16, "%")
        .tenths()
        .if_byte(0, 0x03),
    TARGET_RESISTANCE.if_byte(0, 0x04).value(),
    target("Target power", I16, "W").if_byte(0, 0x05),
    target("Target heart rate", U8, "bpm").if_byte(0, 0x06),
    choice("Stop or pause", U8, &[(1, "stop"), (2, "pause")])
        .if_byte(0, 0x08)
        .value(),
    target("Targeted expended energy", U16, "kcal").if_byte(0, 0x09),
    number("Targeted number of steps", U16)
        .if_byte(0, 0x0A)
        .value(),
    number("Targeted number of strides", U16)
        .if_byte(0, 0x0B)
        .value(),
    target("Targeted distance", U24, "m").if_byte(0, 0x0C),
    target("Targeted training time", U16, "s").if_byte(0, 0x0D),
    target("Wind speed", I16, "m/s")
        .thousandths()
        .if_byte(0, 0x11),
    target("Grade", I16, "%").hundredths().if_byte(0, 0x11),
    number("Coefficient of rolling resistance", U8)
        .scaled(1.0, 10_000.0, 4)
        .if_byte(0, 0x11),
    number("Wind resistance coefficient", U8)
        .unit("kg/m")
        .hundredths()
        .if_byte(0, 0x11),
    target("Wheel circumference", U16, "mm")
        .tenths()
        .if_byte(0, 0x12),
    choice("Spin down", U8, &[(1, "start"), (2, "ignore")])
        .if_byte(0, 0x13)
        .value(),
    target("Targeted cadence", U16, "1/min")
        .halves()
        .if_byte(0, 0x14),
    number("Request op code", U8)
        .if_byte(0, 0x80)
        .as_named("to"),
    choice(
        "Result",
        U8,
        &[
            (1, "success"),
            (2, "op code not supported"),
            (3, "invalid parameter"),
            (4, "operation failed"),
            (5, "control not permitted"),
        ],
    )
    .if_byte(0, 0x80)
    .value(),
    of("Parameter", Kind::Rest).if_left(),
];

const STATUS: &[Part] = &[
    choice(
        "Op code",
        U8,
        &[
            (0x01, "reset"),
            (0x02, "stopped or paused by the user"),
            (0x03, "stopped by safety key"),
            (0x04, "started or resumed by the user"),
            (0x05, "target speed changed"),
            (0x06, "target inclination changed"),
            (0x07, "target resistance level changed"),
            (0x08, "target power changed"),
            (0x09, "target heart rate changed"),
            (0x0A, "targeted expended energy changed"),
            (0x0B, "targeted number of steps changed"),
            (0x0C, "targeted number of strides changed"),
            (0x0D, "targeted distance changed"),
            (0x0E, "targeted training time changed"),
            (0x0F, "targeted time in two zones changed"),
            (0x10, "targeted time in three zones changed"),
            (0x11, "targeted time in five zones changed"),
            (0x12, "indoor bike simulation changed"),
            (0x13, "wheel circumference changed"),
            (0x14, "spin down status"),
            (0x15, "targeted cadence changed"),
            (0xFF, "control permission lost"),
        ],
    )
    .value(),
    choice("Stopped or paused", U8, &[(1, "stop"), (2, "pause")])
        .if_byte(0, 0x02)
        .value(),
    target("Target speed", U16, "km/h")
        .hundredths()
        .if_byte(0, 0x05),
    target("Target inclination", I16, "%")
        .tenths()
        .if_byte(0, 0x06),
    TARGET_RESISTANCE.if_byte(0, 0x07).value(),
    target("Target power", I16, "W").if_byte(0, 0x08),
    target("Target heart rate", U8, "bpm").if_byte(0, 0x09),
    target("Targeted expended energy", U16, "kcal").if_byte(0, 0x0A),
    number("Targeted number of steps", U16)
        .if_byte(0, 0x0B)
        .value(),
    number("Targeted number of strides", U16)
        .if_byte(0, 0x0C)
        .value(),
    target("Targeted distance", U24, "m").if_byte(0, 0x0D),
    target("Targeted training time", U16, "s").if_byte(0, 0x0E),
    target("Wheel circumference", U16, "mm")
        .tenths()
        .if_byte(0, 0x13),
    choice(
        "Spin down status",
        U8,
        &[
            (1, "requested"),
            (2, "success"),
            (3, "error"),
            (4, "stop pedaling"),
        ],
    )
    .if_byte(0, 0x14)
    .value(),
    target("Targeted cadence", U16, "1/min")
        .halves()
        .if_byte(0, 0x15),
    of("Parameter", Kind::Rest).if_left(),
];
