//! Single quantities and their ranges and statistics: light, electricity, mechanics, time spans,
//! counts, states.

use super::super::Definition;
use super::super::part::{
    F32, I8, I16, I32, Kind, Part, U8, U16, U24, U32, U48, choice, choice_bits, count, number, of,
    quantity, set,
};
use super::environment::TEMPERATURE;
use super::{INVALID_24, INVALID_32, UNKNOWN_8, UNKNOWN_16, UNKNOWN_24, UNKNOWN_32, Words, one};
use crate::field::Shown;

pub(super) static ALL: &[Definition] = &[
    one(0x2AE0, &[CURRENT.value(), SENSING]),
    one(0x2AE1, &[VOLTAGE.value(), SENSING]),
    one(
        0x2AE2,
        &[choice("Boolean", U8, &[(0, "false"), (1, "true")])],
    ),
    one(0x2AE3, &[DUV]),
    one(
        0x2AE4,
        &[
            CHROMATICITY.named("x coordinate").as_named("x"),
            CHROMATICITY.named("y coordinate").as_named("y"),
        ],
    ),
    one(0x2AE5, &[CCT.value(), DUV.as_named("Duv")]),
    one(
        0x2AE6,
        &[count("Chromaticity tolerance", U8).scaled(1.0, 10_000.0, 4)],
    ),
    one(
        0x2AE7,
        &[count("Color rendering index", I8)
            .void(&[(127, "not known")])
            .within(-128, 100)],
    ),
    one(0x2AE8, &[count("Coefficient", F32)]),
    one(0x2AE9, &[CCT]),
    one(0x2AEA, &[COUNT_16]),
    one(0x2AEB, &[count("Count", U24).void(UNKNOWN_24)]),
    one(
        0x2AEC,
        &[number("Country code", U16).void(UNKNOWN_16).within(0, 4095)],
    ),
    one(0x2AED, &[DATE_UTC.named("Date")]),
    one(0x2AEE, &[CURRENT]),
    one(
        0x2AEF,
        &[
            CURRENT.named("Minimum current").value(),
            CURRENT.named("Maximum current").as_named("to"),
        ],
    ),
    one(
        0x2AF0,
        &[
            CURRENT.named("Minimum current").as_named("min"),
            CURRENT.named("Typical current").as_named("typ"),
            CURRENT.named("Maximum current").as_named("max"),
        ],
    ),
    one(
        0x2AF1,
        &[
            CURRENT.named("Average current").value(),
            CURRENT.named("Standard deviation").as_named("\u{b1}"),
            CURRENT.named("Minimum current").as_named("min"),
            CURRENT.named("Maximum current").as_named("max"),
            SENSING,
        ],
    ),
    one(0x2AF2, &[ENERGY]),
    one(0x2AF3, &[ENERGY.value(), START_TIME, END_TIME]),
    one(
        0x2AF4,
        &[
            COUNT_16.named("Number of events").as_named("events"),
            SECONDS_16.named("Average duration").as_named("average"),
            EXPONENTIAL.named("Time since last event").as_named("last"),
            SENSING,
        ],
    ),
    one(0x2AF5, &[of("Fixed string", Kind::FixedText(16))]),
    one(0x2AF6, &[of("Fixed string", Kind::FixedText(24))]),
    one(0x2AF7, &[of("Fixed string", Kind::FixedText(36))]),
    one(0x2AF8, &[of("Fixed string", Kind::FixedText(8))]),
    one(0x2AF9, &[LEVEL]),
    one(
        0x2AFA,
        &[number("Global trade item number", U48).void(&[(0, "not known")])],
    ),
    one(0x2AFB, &[ILLUMINANCE]),
    one(
        0x2AFC,
        &[quantity("Luminous efficacy", U16, "lm/W")
            .tenths()
            .void(UNKNOWN_16)
            .within(0, 18_000)],
    ),
    one(
        0x2AFD,
        &[quantity("Luminous energy", U24, "klm h").void(UNKNOWN_24)],
    ),
    one(
        0x2AFE,
        &[quantity("Luminous exposure", U24, "klx h").void(UNKNOWN_24)],
    ),
    one(0x2AFF, &[FLUX]),
    one(
        0x2B00,
        &[
            FLUX.named("Minimum luminous flux").value(),
            FLUX.named("Maximum luminous flux").as_named("to"),
        ],
    ),
    one(
        0x2B01,
        &[quantity("Luminous intensity", U16, "cd").void(UNKNOWN_16)],
    ),
    one(
        0x2B02,
        &[quantity("Mass flow", U16, "g/s").void(UNKNOWN_16)],
    ),
    one(0x2B03, &[count("Perceived lightness", U16)]),
    one(0x2B04, &[PERCENTAGE.named("Percentage")]),
    one(0x2B05, &[POWER]),
    one(
        0x2B06,
        &[
            POWER.named("Minimum power").as_named("min"),
            POWER.named("Typical power").as_named("typ"),
            POWER.named("Maximum power").as_named("max"),
        ],
    ),
    one(
        0x2B07,
        &[
            PERCENTAGE.named("Relative runtime").value(),
            CURRENT.named("Minimum current").as_named("from"),
            CURRENT.named("Maximum current").as_named("to"),
        ],
    ),
    one(
        0x2B08,
        &[
            PERCENTAGE.named("Relative runtime").value(),
            LEVEL.named("Minimum level").as_named("from"),
            LEVEL.named("Maximum level").as_named("to"),
        ],
    ),
    one(
        0x2B09,
        &[
            PERCENTAGE.named("Relative value").value(),
            VOLTAGE.named("Minimum voltage").as_named("from"),
            VOLTAGE.named("Maximum voltage").as_named("to"),
        ],
    ),
    one(
        0x2B0A,
        &[
            PERCENTAGE.named("Relative value").value(),
            ILLUMINANCE.named("Minimum illuminance").as_named("from"),
            ILLUMINANCE.named("Maximum illuminance").as_named("to"),
        ],
    ),
    one(
        0x2B0B,
        &[
            PERCENTAGE.named("Relative value").value(),
            START_TIME,
            END_TIME,
        ],
    ),
    one(
        0x2B0C,
        &[
            PERCENTAGE.named("Relative value").value(),
            TEMPERATURE.named("Minimum temperature").as_named("from"),
            TEMPERATURE.named("Maximum temperature").as_named("to"),
        ],
    ),
    one(0x2B0D, &[TEMPERATURE_8]),
    one(0x2B0E, &[TEMPERATURE_8.value(), START_TIME, END_TIME]),
    one(
        0x2B0F,
        &[
            TEMPERATURE_8.named("Average temperature").value(),
            TEMPERATURE_8.named("Standard deviation").as_named("\u{b1}"),
            TEMPERATURE_8.named("Minimum temperature").as_named("min"),
            TEMPERATURE_8.named("Maximum temperature").as_named("max"),
            SENSING,
        ],
    ),
    one(
        0x2B10,
        &[
            TEMPERATURE.named("Minimum temperature").value(),
            TEMPERATURE.named("Maximum temperature").as_named("to"),
        ],
    ),
    one(
        0x2B11,
        &[
            TEMPERATURE.named("Average temperature").value(),
            TEMPERATURE.named("Standard deviation").as_named("\u{b1}"),
            TEMPERATURE.named("Minimum temperature").as_named("min"),
            TEMPERATURE.named("Maximum temperature").as_named("max"),
            SENSING,
        ],
    ),
    one(0x2B12, &[DECIHOUR.named("Time of day")]),
    one(0x2B13, &[EXPONENTIAL.named("Time span")]),
    one(0x2B14, &[quantity("Time span", U24, "h").void(UNKNOWN_24)]),
    one(
        0x2B15,
        &[quantity("Time span", U24, "s")
            .thousandths()
            .void(UNKNOWN_24)],
    ),
    one(0x2B16, &[SECONDS_16.named("Time span")]),
    one(0x2B17, &[quantity("Time span", U8, "s").void(UNKNOWN_8)]),
    one(0x2B18, &[VOLTAGE]),
    one(
        0x2B19,
        &[
            VOLTAGE.named("Minimum voltage").as_named("min"),
            VOLTAGE.named("Typical voltage").as_named("typ"),
            VOLTAGE.named("Maximum voltage").as_named("max"),
        ],
    ),
    one(
        0x2B1A,
        &[
            VOLTAGE.named("Average voltage").value(),
            VOLTAGE.named("Standard deviation").as_named("\u{b1}"),
            VOLTAGE.named("Minimum voltage").as_named("min"),
            VOLTAGE.named("Maximum voltage").as_named("max"),
            SENSING,
        ],
    ),
    one(
        0x2B1B,
        &[quantity("Volume flow", U16, "L/s")
            .thousandths()
            .void(UNKNOWN_16)],
    ),
    one(0x2B1C, &[CHROMATICITY.named("Chromaticity coordinate")]),
    one(
        0x2B89,
        &[quantity("Apparent energy", U32, "kVAh")
            .thousandths()
            .void(INVALID_32)],
    ),
    one(
        0x2B8A,
        &[quantity("Apparent power", U24, "VA")
            .tenths()
            .void(INVALID_24)],
    ),
    one(
        0x2B8D,
        &[count("Cosine of the angle", I8)
            .hundredths()
            .void(&[(127, "not known")])
            .within(-100, 100)],
    ),
    one(
        0x2BA8,
        &[quantity("Energy", U32, "kWh")
            .thousandths()
            .void(INVALID_32)],
    ),
    one(0x2BDE, &[of("Fixed string", Kind::FixedText(64))]),
    one(
        0x2BDF,
        &[quantity("Temperature", I16, "°C")
            .halves()
            .void(&[(-0x7FFF, "not valid"), (-0x8000, "not known")])
            .within(-546, 32_767)],
    ),
    one(
        0x2BE0,
        &[quantity("Voltage", U24, "V")
            .scaled(1.0, 64.0, 3)
            .void(UNKNOWN_24)],
    ),
    one(
        0x2BE1,
        &[choice(
            "Light distribution",
            U8,
            &[
                (0, "not specified"),
                (1, "type I"),
                (2, "type II"),
                (3, "type III"),
                (4, "type IV"),
                (5, "type V"),
            ],
        )],
    ),
    one(
        0x2BE2,
        &[quantity("Light output", U24, "lm").void(INVALID_24)],
    ),
    one(
        0x2BE3,
        &[choice(
            "Light source type",
            U8,
            &[
                (0x00, "not specified"),
                (0x01, "low pressure fluorescent"),
                (0x02, "high intensity discharge"),
                (0x03, "low voltage halogen"),
                (0x04, "incandescent"),
                (0x05, "LED"),
                (0x06, "OLED"),
                (0xFD, "other"),
                (0xFE, "no light source"),
                (0xFF, "multiple types"),
            ],
        )],
    ),
    one(
        0x2BE5,
        &[
            PERCENTAGE.named("Relative runtime").value(),
            CCT.named("Minimum color temperature").as_named("from"),
            CCT.named("Maximum color temperature").as_named("to"),
        ],
    ),
    one(0x2BE6, &[quantity("Time span", U32, "s").void(UNKNOWN_32)]),
    one(
        0x2BE8,
        &[quantity("Voltage frequency", U16, "Hz").void(&[
            (0, "DC"),
            (0xFFFE, "not valid"),
            (0xFFFF, "not known"),
        ])],
    ),
    one(0x2C05, &[count("Steps", U8).void(UNKNOWN_8).within(1, 200)]),
    one(
        0x2C06,
        &[quantity("Acceleration", I32, "m/s²")
            .thousandths()
            .void(UNKNOWN_I32)],
    ),
    one(
        0x2C07,
        &[quantity("Force", I32, "N").thousandths().void(UNKNOWN_I32)],
    ),
    one(
        0x2C08,
        &[quantity("Linear position", I32, "m")
            .scaled(1.0, 10_000_000.0, 7)
            .void(UNKNOWN_I32)],
    ),
    one(
        0x2C09,
        &[quantity("Rotational speed", I32, "1/min").void(UNKNOWN_I32)],
    ),
    one(
        0x2C0A,
        &[quantity("Length", U32, "m")
            .scaled(1.0, 10_000_000.0, 7)
            .void(UNKNOWN_32)],
    ),
    one(
        0x2C0B,
        &[quantity("Torque", I32, "Nm").hundredths().void(UNKNOWN_I32)],
    ),
    one(
        0x2C1C,
        &[quantity("Illuminance", U16, "lx").void(UNKNOWN_16)],
    ),
    one(0x2C1D, &[gravity_8("X"), gravity_8("Y"), gravity_8("Z")]),
    one(0x2C1E, &[gravity_16("X"), gravity_16("Y"), gravity_16("Z")]),
    one(
        0x2C1F,
        &[choice(
            "Acceleration",
            U8,
            &[(0, "no change"), (1, "changed")],
        )],
    ),
    one(
        0x2C20,
        &[choice(
            "Door or window",
            U8,
            &[(0, "open"), (1, "closed"), (2, "tilted or ajar")],
        )],
    ),
    one(
        0x2C21,
        &[
            button("Button 0", 0),
            button("Button 1", 2),
            button("Button 2", 4),
            button("Button 3", 6),
        ],
    ),
    one(
        0x2C22,
        &[set(
            "Contacts",
            U8,
            0,
            &[
                "Contact 0",
                "Contact 1",
                "Contact 2",
                "Contact 3",
                "Contact 4",
                "Contact 5",
                "Contact 6",
                "Contact 7",
            ],
        )
        .words("open or not in use", "closed")
        .if_set()],
    ),
];

const UNKNOWN_I32: Words = &[(0x7FFF_FFFF, "not known")];

const CURRENT: Part = quantity("Current", U16, "A").hundredths().void(UNKNOWN_16);
/// Up to 1022 V.
const VOLTAGE: Part = quantity("Voltage", U16, "V")
    .scaled(1.0, 64.0, 3)
    .void(UNKNOWN_16)
    .within(0, 65_408);
pub(super) const POWER: Part = quantity("Power", U24, "W").tenths().void(INVALID_24);
const ENERGY: Part = quantity("Energy", U24, "kWh").void(UNKNOWN_24);
const ILLUMINANCE: Part = quantity("Illuminance", U24, "lx")
    .hundredths()
    .void(UNKNOWN_24);
const FLUX: Part = quantity("Luminous flux", U16, "lm").void(UNKNOWN_16);
const LEVEL: Part = count("Generic level", U16);
const COUNT_16: Part = count("Count", U16).void(UNKNOWN_16);
const CHROMATICITY: Part = count("Chromaticity", U16).scaled(1.0, 65_536.0, 5);
const CCT: Part = quantity("Correlated color temperature", U16, "K")
    .void(UNKNOWN_16)
    .within(800, 65_534);
const DUV: Part = count("Distance from Planckian", I16)
    .scaled(1.0, 100_000.0, 5)
    .void(&[(0x7FFF, "not valid"), (0x7FFE, "not known")])
    .within(-5000, 5000);
const TEMPERATURE_8: Part = quantity("Temperature", I8, "°C")
    .halves()
    .void(&[(127, "not known")]);
pub(super) const PERCENTAGE: Part = quantity("Percentage", U8, "%")
    .halves()
    .void(UNKNOWN_8)
    .within(0, 200);
const SECONDS_16: Part = quantity("Time", U16, "s").void(UNKNOWN_16);

/// Its one step is a tenth of the step before; four digits say more than it knows.
const EXPONENTIAL: Part = of("Time", Kind::Exponential)
    .unit("s")
    .void(&[(0xFE, "total life of the device"), (0xFF, "not known")])
    .shown(Shown::Significant(4))
    .plotted();
const SENSING: Part = EXPONENTIAL.named("Sensing duration");

const DECIHOUR: Part = quantity("Time", U8, "h")
    .tenths()
    .void(UNKNOWN_8)
    .within(0, 239);
const START_TIME: Part = DECIHOUR.named("Start time").as_named("from");
const END_TIME: Part = DECIHOUR.named("End time").as_named("to");

pub(super) const DATE_UTC: Part = number("Date", U24)
    .void(&[(0, "not known")])
    .within(1, 0xFF_FFFE)
    .shown(Shown::Days);

const fn gravity_8(axis: &'static str) -> Part {
    quantity(axis, I8, "g")
        .hundredths()
        .void(&[(0x7E, "out of range"), (0x7F, "not known")])
        .as_named(axis)
}

const fn gravity_16(axis: &'static str) -> Part {
    quantity(axis, I16, "g")
        .thousandths()
        .void(&[(0x7FFE, "out of range"), (0x7FFF, "not known")])
        .as_named(axis)
}

const fn button(name: &'static str, first: u8) -> Part {
    choice_bits(
        name,
        U8,
        first,
        first + 1,
        &[
            (0, "not actuated"),
            (1, "pressed"),
            (2, "released"),
            (3, "held"),
        ],
    )
    .as_named(name)
}
