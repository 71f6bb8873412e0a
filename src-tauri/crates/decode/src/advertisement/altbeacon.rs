//! AltBeacon (`github.com/AltBeacon/spec`, version 1.0). Any company may send it.

use super::beacon::{Body, Known, Origin};
use super::part::*;

pub(super) static ALL: &[Known] = &[Known {
    key: "altbeacon",
    name: "AltBeacon",
    brief: "AltBeacon",
    from: Origin::AnyManufacturer,
    // Without the length two bytes would be enough, which may be anything of anybody.
    is: |data| data.starts_with(&[0xBE, 0xAC]) && matches!(data.len(), 22..=26),
    body: Body::Parts(&[
        constant("Beacon code", U16_BE),
        id("Organisation", 16).value(),
        id("Unit", 4).value(),
        dbm("Reference RSSI at 1 m"),
        number("Manufacturer reserved", U8),
    ]),
}];
