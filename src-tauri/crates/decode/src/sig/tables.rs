//! The formats, one table each, by subject. Units and scales: GATT Specification Supplement, by
//! name.

use super::Definition;
use super::part::{self, Words};

mod battery;
mod cooking;
mod descriptors;
mod device;
mod environment;
mod fitness;
mod health;
mod quantities;
mod sport;
mod time;
mod user;

/// Each of them ascending by UUID, no UUID in two.
pub(super) static ALL: &[&[Definition]] = &[
    descriptors::ALL,
    device::ALL,
    time::ALL,
    health::ALL,
    sport::ALL,
    fitness::ALL,
    environment::ALL,
    user::ALL,
    quantities::ALL,
    battery::ALL,
    cooking::ALL,
];

const OFF_ON: Words = &[(0, "off"), (1, "on")];
const NO_YES: Words = &[(0, "no"), (1, "yes")];
const UNKNOWN_8: Words = &[(0xFF, "not known")];
const UNKNOWN_16: Words = &[(0xFFFF, "not known")];
const UNKNOWN_24: Words = &[(0xFF_FFFF, "not known")];
const UNKNOWN_32: Words = &[(0xFFFF_FFFF, "not known")];
const INVALID_24: Words = &[(0xFF_FFFE, "not valid"), (0xFF_FFFF, "not known")];
const INVALID_32: Words = &[(0xFFFF_FFFE, "not valid"), (0xFFFF_FFFF, "not known")];
const UNKNOWN_USER: Words = &[(0xFF, "unknown user")];
/// What a control point answers.
const RESPONSES: Words = &[
    (1, "success"),
    (2, "op code not supported"),
    (3, "invalid operand"),
    (4, "operation failed"),
];

const fn one(uuid: u16, parts: &'static [part::Part]) -> Definition {
    Definition {
        uuid,
        parts,
        records: false,
    }
}
