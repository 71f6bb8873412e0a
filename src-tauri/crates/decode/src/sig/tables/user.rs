//! The person: limits, body, weight, activity.

use super::super::Definition;
use super::super::part::{
    Kind, Part, U8, U16, U24, U32, choice, choice_bits, count, flags, hex, number, of, quantity,
    reserved, set, text,
};
use super::time::DATE_TIME;
use super::{UNKNOWN_USER, Words, one};
use crate::names::Names;

pub(super) static ALL: &[Definition] = &[
    one(0x2A7E, &[bpm("Aerobic heart rate lower limit")]),
    one(0x2A7F, &[bpm("Aerobic threshold")]),
    one(0x2A80, &[quantity("Age", U8, "years")]),
    one(0x2A81, &[bpm("Anaerobic heart rate lower limit")]),
    one(0x2A82, &[bpm("Anaerobic heart rate upper limit")]),
    one(0x2A83, &[bpm("Anaerobic threshold")]),
    one(0x2A84, &[bpm("Aerobic heart rate upper limit")]),
    one(0x2A85, &[of("Date of birth", Kind::Date)]),
    one(0x2A86, &[of("Date of threshold assessment", Kind::Date)]),
    one(0x2A87, &[text("Email address")]),
    one(0x2A88, &[bpm("Fat burn heart rate lower limit")]),
    one(0x2A89, &[bpm("Fat burn heart rate upper limit")]),
    one(0x2A8A, &[text("First name")]),
    one(
        0x2A8B,
        &[
            bpm("Very light to light limit").value(),
            bpm("Light to moderate limit").value(),
            bpm("Moderate to hard limit").value(),
            bpm("Hard to maximum limit").value(),
        ],
    ),
    one(
        0x2A8C,
        &[choice(
            "Gender",
            U8,
            &[(0, "male"), (1, "female"), (2, "unspecified")],
        )],
    ),
    one(0x2A8D, &[bpm("Maximum heart rate")]),
    one(0x2A8E, &[quantity("Height", U16, "m").hundredths()]),
    one(
        0x2A8F,
        &[quantity("Hip circumference", U16, "m").hundredths()],
    ),
    one(0x2A90, &[text("Last name")]),
    one(0x2A91, &[bpm("Maximum recommended heart rate")]),
    one(0x2A92, &[bpm("Resting heart rate")]),
    one(
        0x2A93,
        &[choice(
            "Sport type",
            U8,
            &[
                (0, "unspecified"),
                (1, "running (treadmill)"),
                (2, "cycling (ergometer)"),
                (3, "rowing (ergometer)"),
                (4, "cross training (elliptical)"),
                (5, "climbing"),
                (6, "skiing"),
                (7, "skating"),
                (8, "arm exercising"),
                (9, "lower body exercising"),
                (10, "upper body exercising"),
                (11, "whole body exercising"),
            ],
        )],
    ),
    one(
        0x2A94,
        &[
            bpm("Light to moderate limit").value(),
            bpm("Moderate to hard limit").value(),
        ],
    ),
    one(0x2A95, &[bpm("Fat burn to fitness limit")]),
    one(0x2A96, &[quantity("VO2 max", U8, "mL/kg/min")]),
    one(
        0x2A97,
        &[quantity("Waist circumference", U16, "m").hundredths()],
    ),
    one(0x2A98, &[KILOGRAMS.named("Weight")]),
    one(0x2A99, &[count("Database change increment", U32)]),
    one(0x2A9A, &[number("User index", U8).meaning(UNKNOWN_USER)]),
    one(
        0x2A9B,
        &[
            set(
                "Body composition feature",
                U32,
                0,
                &[
                    "Time stamp",
                    "Multiple users",
                    "Basal metabolism",
                    "Muscle percentage",
                    "Muscle mass",
                    "Fat free mass",
                    "Soft lean mass",
                    "Body water mass",
                    "Impedance",
                    "Weight",
                    "Height",
                ],
            )
            .if_set(),
            choice_bits("Weight resolution", U32, 11, 14, WEIGHT_RESOLUTION),
            choice_bits("Height resolution", U32, 15, 17, HEIGHT_RESOLUTION),
            reserved(U32, 18, 31),
        ],
    ),
    one(0x2A9C, BODY_COMPOSITION),
    one(
        0x2A9D,
        &[
            choice_bits("Units", U8, 0, 0, UNITS),
            flags(U8, 1, &["Time stamp", "User ID", "BMI and height"]),
            reserved(U8, 4, 7),
            KILOGRAMS.named("Weight").off(0).value(),
            POUNDS.named("Weight").on(0).value(),
            DATE_TIME.named("Time stamp").on(1),
            USER_ID.on(2),
            quantity("BMI", U16, "kg/m²").tenths().on(3).as_named("BMI"),
            METRES.on_off(3, 0),
            INCHES.on_on(3, 0),
        ],
    ),
    one(
        0x2A9E,
        &[
            set(
                "Weight scale feature",
                U32,
                0,
                &["Time stamp", "Multiple users", "BMI"],
            )
            .if_set(),
            choice_bits("Weight resolution", U32, 3, 6, WEIGHT_RESOLUTION),
            choice_bits("Height resolution", U32, 7, 9, HEIGHT_RESOLUTION),
            reserved(U32, 10, 31),
        ],
    ),
    one(0x2AA2, &[text("Language")]),
    one(
        0x2B46,
        &[hex("Unit", U16).names(Names::Units).repeating().value()],
    ),
    one(
        0x2B47,
        &[quantity("Height", U16, "m").scaled(1.0, 10_000.0, 4)],
    ),
    one(0x2B48, &[text("Middle name")]),
    one(0x2B49, &[quantity("Stride length", U16, "m").thousandths()]),
    one(
        0x2B4A,
        &[choice(
            "Handedness",
            U8,
            &[
                (0, "left handed"),
                (1, "right handed"),
                (2, "ambidextrous"),
                (3, "unspecified"),
            ],
        )],
    ),
    one(0x2B4B, &[choice("Device wearing position", U8, WORN)]),
    one(
        0x2B4C,
        &[
            bpm("Light to moderate limit").value(),
            bpm("Moderate to hard limit").value(),
            bpm("Hard to maximum limit").value(),
        ],
    ),
    one(
        0x2B4D,
        &[
            choice(
                "Threshold as",
                U8,
                &[
                    (0, "none"),
                    (1, "energy expenditure per hour"),
                    (2, "metabolic equivalent"),
                    (3, "percentage of maximum heart rate"),
                    (4, "heart rate"),
                ],
            ),
            quantity("Energy expenditure per hour", U16, "kJ")
                .if_byte(0, 1)
                .value(),
            quantity("Metabolic equivalent", U8, "MET")
                .tenths()
                .if_byte(0, 2)
                .value(),
            quantity("Percentage of maximum heart rate", U8, "%")
                .if_byte(0, 3)
                .value(),
            bpm("Heart rate").if_byte(0, 4).value(),
        ],
    ),
    one(
        0x2B4E,
        &[
            flags(
                U8,
                0,
                &[
                    "Total energy expenditure",
                    "Normal walking steps",
                    "Intensity steps",
                    "Floor steps",
                    "Distance",
                    "Duration of normal walking",
                    "Duration of intensity walking",
                ],
            ),
            reserved(U8, 7, 7),
            quantity("Total energy expenditure", U16, "kJ")
                .on(0)
                .value(),
            count("Normal walking steps", U24).on(1).as_named("steps"),
            count("Intensity steps", U24).on(2),
            count("Floor steps", U24).on(3),
            quantity("Distance", U24, "m").on(4).value(),
            quantity("Duration of normal walking", U24, "s").on(5),
            quantity("Duration of intensity walking", U24, "s").on(6),
        ],
    ),
    one(
        0x2B4F,
        &[quantity("Sedentary interval", U16, "s").meaning(&[(0, "no notification")])],
    ),
    one(0x2B50, &[quantity("Caloric intake", U16, "kcal")]),
];

const fn bpm(name: &'static str) -> Part {
    quantity(name, U8, "bpm")
}

const UNITS: Words = &[(0, "SI"), (1, "Imperial")];
const KILOGRAMS: Part = quantity("Mass", U16, "kg").scaled(1.0, 200.0, 3);
const POUNDS: Part = quantity("Mass", U16, "lb").hundredths();
const METRES: Part = quantity("Height", U16, "m").thousandths();
const INCHES: Part = quantity("Height", U16, "in").tenths();
const USER_ID: Part = number("User ID", U8).meaning(UNKNOWN_USER);

const WEIGHT_RESOLUTION: Words = &[
    (0, "not specified"),
    (1, "0.5 kg or 1 lb"),
    (2, "0.2 kg or 0.5 lb"),
    (3, "0.1 kg or 0.2 lb"),
    (4, "0.05 kg or 0.1 lb"),
    (5, "0.02 kg or 0.05 lb"),
    (6, "0.01 kg or 0.02 lb"),
    (7, "0.005 kg or 0.01 lb"),
];

const HEIGHT_RESOLUTION: Words = &[
    (0, "not specified"),
    (1, "0.01 m or 1 in"),
    (2, "0.005 m or 0.5 in"),
    (3, "0.001 m or 0.1 in"),
];

const BODY_COMPOSITION: &[Part] = &[
    choice_bits("Units", U16, 0, 0, UNITS),
    flags(
        U16,
        1,
        &[
            "Time stamp",
            "User ID",
            "Basal metabolism",
            "Muscle percentage",
            "Muscle mass",
            "Fat free mass",
            "Soft lean mass",
            "Body water mass",
            "Impedance",
            "Weight",
            "Height",
        ],
    ),
    set("Flags", U16, 12, &["Multiple packet measurement"]),
    reserved(U16, 13, 15),
    quantity("Body fat percentage", U16, "%")
        .tenths()
        .void(&[(0xFFFF, "measurement unsuccessful")])
        .as_named("fat"),
    DATE_TIME.named("Time stamp").on(1),
    USER_ID.on(2),
    quantity("Basal metabolism", U16, "kJ").on(3),
    quantity("Muscle percentage", U16, "%")
        .tenths()
        .on(4)
        .as_named("muscle"),
    KILOGRAMS.named("Muscle mass").on_off(5, 0),
    POUNDS.named("Muscle mass").on_on(5, 0),
    KILOGRAMS.named("Fat free mass").on_off(6, 0),
    POUNDS.named("Fat free mass").on_on(6, 0),
    KILOGRAMS.named("Soft lean mass").on_off(7, 0),
    POUNDS.named("Soft lean mass").on_on(7, 0),
    KILOGRAMS.named("Body water mass").on_off(8, 0),
    POUNDS.named("Body water mass").on_on(8, 0),
    quantity("Impedance", U16, "Ω").tenths().on(9),
    KILOGRAMS.named("Weight").on_off(10, 0).value(),
    POUNDS.named("Weight").on_on(10, 0).value(),
    METRES.on_off(11, 0),
    INCHES.on_on(11, 0),
];

const WORN: Words = &[
    (0x00, "other"),
    (0x01, "head"),
    (0x02, "ear"),
    (0x03, "right ear"),
    (0x04, "left ear"),
    (0x05, "neck"),
    (0x06, "trunk"),
    (0x07, "pelvis"),
    (0x08, "pelvis, right"),
    (0x09, "pelvis, left"),
    (0x0A, "thorax"),
    (0x0B, "thorax, right"),
    (0x0C, "thorax, left"),
    (0x0D, "back"),
    (0x0E, "upper extremity"),
    (0x0F, "right upper extremity"),
    (0x10, "left upper extremity"),
    (0x11, "wrist"),
    (0x12, "right wrist"),
    (0x13, "left wrist"),
    (0x14, "finger"),
    (0x15, "finger, right"),
    (0x16, "finger, left"),
    (0x17, "hand"),
    (0x18, "right hand"),
    (0x19, "left hand"),
    (0x1A, "lower extremity"),
    (0x1B, "right lower extremity"),
    (0x1C, "left lower extremity"),
    (0x1D, "ankle"),
    (0x1E, "right ankle"),
    (0x1F, "left ankle"),
    (0x20, "foot"),
    (0x21, "right foot"),
    (0x22, "left foot"),
    (0x23, "pants pocket"),
    (0x24, "right pants pocket"),
    (0x25, "left pants pocket"),
    (0x26, "chest pocket"),
    (0x27, "right chest pocket"),
    (0x28, "left chest pocket"),
];
