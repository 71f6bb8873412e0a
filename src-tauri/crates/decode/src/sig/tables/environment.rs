//! Weather, air and gases. SFLOAT concentrations are transmitted in kg/m³.

use super::super::Definition;
use super::super::part::{
    I8, I16, I24, Part, U8, U16, U24, U32, choice, count, quantity, sfloat, sfloat_moved,
};
use super::{UNKNOWN_8, UNKNOWN_16, Words, one};

pub(super) static ALL: &[Definition] = &[
    one(0x2A2C, &[bearing("Magnetic declination")]),
    one(0x2A6C, &[quantity("Elevation", I24, "m").hundredths()]),
    one(0x2A6D, &[quantity("Pressure", U32, "Pa").tenths()]),
    one(0x2A6E, &[TEMPERATURE]),
    one(0x2A6F, &[HUMIDITY]),
    one(
        0x2A70,
        &[quantity("True wind speed", U16, "m/s").hundredths()],
    ),
    one(0x2A71, &[bearing("True wind direction")]),
    one(
        0x2A72,
        &[quantity("Apparent wind speed", U16, "m/s").hundredths()],
    ),
    one(0x2A73, &[bearing("Apparent wind direction")]),
    one(0x2A74, &[count("Gust factor", U8).tenths()]),
    one(0x2A75, &[quantity("Pollen concentration", U24, "1/m³")]),
    one(0x2A76, &[count("UV index", U8)]),
    one(0x2A77, &[quantity("Irradiance", U16, "W/m²").tenths()]),
    one(0x2A78, &[quantity("Rainfall", U16, "mm")]),
    one(0x2A79, &[quantity("Wind chill", I8, "°C")]),
    one(0x2A7A, &[quantity("Heat index", I8, "°C")]),
    one(0x2A7B, &[quantity("Dew point", I8, "°C")]),
    one(0x2AA0, &[tesla("X"), tesla("Y")]),
    one(0x2AA1, &[tesla("X"), tesla("Y"), tesla("Z")]),
    one(
        0x2AA3,
        &[choice(
            "Barometric pressure trend",
            U8,
            &[
                (0, "not known"),
                (1, "continuously falling"),
                (2, "continuously rising"),
                (3, "falling, then steady"),
                (4, "rising, then steady"),
                (5, "falling before a lesser rise"),
                (6, "falling before a greater rise"),
                (7, "rising before a greater fall"),
                (8, "rising before a lesser fall"),
                (9, "steady"),
            ],
        )],
    ),
    one(
        0x2B8C,
        &[quantity("CO2 concentration", U16, "ppm").void(FULL)],
    ),
    one(0x2BCF, &[gas("Ammonia concentration")]),
    one(0x2BD0, &[gas("Carbon monoxide concentration")]),
    one(0x2BD1, &[sfloat("Methane concentration", "ppb")]),
    one(0x2BD2, &[gas("Nitrogen dioxide concentration")]),
    one(
        0x2BD3,
        &[gas("Non-methane volatile organic compounds concentration")],
    ),
    one(0x2BD4, &[gas("Ozone concentration")]),
    one(0x2BD5, &[gas("PM1 concentration")]),
    one(0x2BD6, &[gas("PM2.5 concentration")]),
    one(0x2BD7, &[gas("PM10 concentration")]),
    one(0x2BD8, &[gas("Sulfur dioxide concentration")]),
    one(0x2BD9, &[gas("Sulfur hexafluoride concentration")]),
    one(
        0x2BE4,
        &[quantity("Noise", U8, "dB SPL").void(&[(0xFE, "254 or more"), (0xFF, "not known")])],
    ),
    one(
        0x2BE7,
        &[quantity("VOC concentration", U16, "ppb").void(FULL)],
    ),
    one(
        0x2C1B,
        &[quantity("Humidity", U8, "%")
            .halves()
            .void(UNKNOWN_8)
            .within(0, 200)],
    ),
];

const FULL: Words = &[(0xFFFE, "65534 or more"), (0xFFFF, "not known")];

pub(super) const TEMPERATURE: Part = quantity("Temperature", I16, "°C")
    .hundredths()
    .void(&[(-0x8000, "not known")])
    .within(-27_315, 32_767);

pub(super) const HUMIDITY: Part = quantity("Humidity", U16, "%")
    .hundredths()
    .void(UNKNOWN_16)
    .within(0, 10_000);

const fn bearing(name: &'static str) -> Part {
    quantity(name, U16, "°").hundredths().within(0, 35_999)
}

const fn tesla(axis: &'static str) -> Part {
    quantity(axis, I16, "µT").tenths().as_named(axis)
}

const fn gas(name: &'static str) -> Part {
    sfloat_moved(name, "µg/m³", 9)
}
