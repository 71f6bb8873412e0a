//! RuuviTag (Ruuvi, "Bluetooth advertisements": data formats). All numbers come most significant
//! byte first.

use super::beacon::{Known, Origin};
use super::part::*;
use crate::field::Role;

const COMPANY: u16 = 0x0499;

const NO_I16: Words = &[(-0x8000, "not available")];
const NO_U16: Words = &[(0xFFFF, "not available")];

const fn acceleration(name: &'static str) -> Part {
    quantity(name, I16_BE, "g").thousandths().void(NO_I16)
}

pub(super) static ALL: &[Known] = &[Known {
    key: "ruuvi-5",
    name: "RuuviTag, data format 5",
    brief: "RuuviTag",
    from: Origin::Manufacturer(COMPANY),
    is: |data| data.first() == Some(&5),
    parts: &[
        number("Data format", U8),
        quantity("Temperature", I16_BE, "°C")
            .scaled(1.0, 200.0, 3)
            .void(NO_I16)
            .value(),
        quantity("Humidity", U16_BE, "%")
            .scaled(1.0, 400.0, 4)
            .void(NO_U16)
            .value(),
        quantity("Pressure", U16_BE, "hPa")
            .hundredths()
            .plus(50_000.0)
            .void(NO_U16)
            .value(),
        acceleration("Acceleration X"),
        acceleration("Acceleration Y"),
        acceleration("Acceleration Z"),
        bits("Tx power", U16_BE, 0, 4)
            .unit("dBm")
            .plotted()
            .scaled(2.0, 1.0, 0)
            .plus(-40.0)
            .void(&[(31, "not available")]),
        bits("Battery", U16_BE, 5, 15)
            .unit("mV")
            .plotted()
            .plus(1600.0)
            .void(&[(0x7FF, "not available")]),
        count("Movements", U8).void(&[(0xFF, "not available")]),
        count("Measurement", U16_BE).void(NO_U16).role(Role::Count),
        address_big("Address"),
    ],
}];
