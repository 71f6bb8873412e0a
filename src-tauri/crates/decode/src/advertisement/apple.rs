//! Apple: iBeacon (Proximity Beacon Specification, R1).

use super::beacon::{Known, Origin};
use super::part::*;
use crate::field::Shown;

const COMPANY: u16 = 0x004C;

pub(super) static ALL: &[Known] = &[Known {
    key: "ibeacon",
    name: "iBeacon",
    brief: "iBeacon",
    from: Origin::Manufacturer(COMPANY),
    is: |data| data.starts_with(&[0x02, 0x15]),
    parts: &[
        constant("Type", U8),
        number("Length", U8),
        of("Proximity UUID", Kind::Bytes(16))
            .shown(Shown::UuidBig)
            .value(),
        number("Major", U16_BE).as_named("major"),
        number("Minor", U16_BE).as_named("minor"),
        dbm("Measured power at 1 m"),
    ],
}];
