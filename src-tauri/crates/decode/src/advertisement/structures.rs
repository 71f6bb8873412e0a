//! AD structures: what each type holds (Core Specification Supplement, Part A, by the name of the
//! type; types by Assigned Numbers, 2.3).

use std::fmt;

use super::part::*;
use super::{AdType, beacon};
use crate::field::{Field, Rest, Shown};

/// Hands every field of an AD structure's data to `f`, in the order of the bytes; ranges lie
/// within `data`. Allocates nothing. A type that is not known here is one field of bytes.
///
/// Manufacturer and service data are an identifier and bytes:
/// [`Source::of_structure`](super::Source::of_structure) says which
/// [`Beacon`](super::Beacon) may know these.
///
/// ```
/// use decode::advertisement::{self, AdType};
///
/// let mut said = Vec::new();
/// advertisement::decode_structure(AdType(0x0A), &[0xF4], |field| {
///     said.push(format!("{} {field}", field.name));
/// });
/// assert_eq!(said, ["Tx power level \u{2212}12 dBm"]);
/// ```
pub fn decode_structure<'a>(kind: AdType, data: &'a [u8], mut f: impl FnMut(Field<'a>)) -> Rest {
    let known = ALL.iter().find(|(known, _)| *known == kind.0);
    beacon::walk(
        known.map_or(UNKNOWN, |(_, parts)| parts),
        data,
        |_, field| f(field),
    )
}

const UNKNOWN: &[Part] = &[of("Data", Kind::Rest)];

const UUIDS_16: &[Part] = &[of("Service", Kind::Bytes(2))
    .shown(Shown::Uuid)
    .any_number()];
const UUIDS_32: &[Part] = &[of("Service", Kind::Bytes(4))
    .shown(Shown::Uuid)
    .any_number()];
const UUIDS_128: &[Part] = &[of("Service", Kind::Bytes(16))
    .shown(Shown::Uuid)
    .any_number()];

static ALL: &[(u8, &[Part])] = &[
    (
        0x01,
        &[set(
            "Flags",
            U8,
            0,
            &[
                "Limited discoverable",
                "General discoverable",
                "No BR/EDR",
                "BR/EDR and LE at once, controller",
                "BR/EDR and LE at once, host",
                "",
                "",
                "",
            ],
        )],
    ),
    (0x02, UUIDS_16),
    (0x03, UUIDS_16),
    (0x04, UUIDS_32),
    (0x05, UUIDS_32),
    (0x06, UUIDS_128),
    (0x07, UUIDS_128),
    (0x08, &[text("Shortened local name")]),
    (0x09, &[text("Complete local name")]),
    (0x0A, &[quantity("Tx power level", I8, "dBm")]),
];

/// A URI: its scheme is one character of UTF-8, which may stand for a whole name.
pub(crate) struct Uri<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::clean::bytes(self.0, 100))
    }
}
