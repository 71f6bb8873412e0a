//! Matter: a device that waits to be commissioned (Matter Core Specification, 5.4.2.5.6; laid out as
//! `src/ble/CHIPBleServiceData.h` of `github.com/project-chip/connectedhomeip` has it).

use super::beacon::{Body, Known, Origin};
use super::part::*;

pub(super) static ALL: &[Known] = &[Known {
    key: "matter",
    name: "Matter, commissionable",
    brief: "Matter",
    from: Origin::Service(0xFFF6),
    is: |data| data.first() == Some(&0),
    body: Body::Parts(&[
        constant("Op code", U8),
        bits("Discriminator", U16, 0, 11).as_named("discriminator"),
        bits("Version", U16, 12, 15),
        hex("Vendor", U16).as_named("vendor"),
        hex("Product", U16).as_named("product"),
        set(
            "Flags",
            U8,
            0,
            &[
                "Additional data",
                "Extended announcement",
                "",
                "",
                "",
                "",
                "",
                "",
            ],
        ),
    ]),
}];
