//! Eddystone (`github.com/google/eddystone`: eddystone-uid, -url, -tlm, -eid) and the frames of
//! Google's Find My Device network, which share its service (Find My Device Network Accessory
//! Specification, v1.3; that a frame has 20 bytes and hashed flags was compared with public firmware).
//! All numbers come most significant byte first.

use std::fmt;

use super::beacon::{Body, Known, Origin};
use super::part::*;
use crate::clean;
use crate::field::Shown;

const SERVICE: u16 = 0xFEAA;

/// Characters of a URL that are shown: the longest that Eddystone can say, with room.
const SHOWN_URL: usize = 100;

const SCHEMES: [&str; 4] = ["http://www.", "https://www.", "http://", "https://"];
const ENDINGS: [&str; 14] = [
    ".com/", ".org/", ".edu/", ".net/", ".info/", ".biz/", ".gov/", ".com", ".org", ".edu", ".net",
    ".info", ".biz", ".gov",
];

const fn frame(
    key: &'static str,
    name: &'static str,
    is: fn(&[u8]) -> bool,
    parts: &'static [Part],
) -> Known {
    Known {
        key,
        name,
        brief: name,
        from: Origin::Service(SERVICE),
        is,
        body: Body::Parts(parts),
    }
}

pub(super) static ALL: &[Known] = &[
    frame(
        "eddystone-uid",
        "Eddystone UID",
        |data| data.first() == Some(&0x00),
        &[
            constant("Frame type", U8),
            dbm("Tx power at 0 m"),
            id("Namespace", 10).value(),
            id("Instance", 6).value(),
            // Some leave them out.
            of("Reserved", Kind::Bytes(2)).if_left(),
        ],
    ),
    frame(
        "eddystone-url",
        "Eddystone URL",
        |data| data.first() == Some(&0x10),
        &[
            constant("Frame type", U8),
            dbm("Tx power at 0 m"),
            of("URL", Kind::Rest).shown(Shown::EddystoneUrl).value(),
        ],
    ),
    frame(
        "eddystone-tlm",
        "Eddystone TLM",
        |data| data.starts_with(&[0x20, 0x00]),
        &[
            constant("Frame type", U8),
            number("Version", U8),
            quantity("Battery", U16_BE, "mV")
                .void(&[(0, "not measured")])
                .value(),
            quantity("Temperature", I16_BE, "°C")
                .scaled(1.0, 256.0, 2)
                .void(&[(-0x8000, "not measured")])
                .value(),
            count("Advertisements", U32_BE),
            quantity("Time since start", U32_BE, "s").tenths(),
        ],
    ),
    frame(
        "eddystone-tlm-encrypted",
        "Eddystone TLM (encrypted)",
        |data| data.starts_with(&[0x20, 0x01]),
        &[
            constant("Frame type", U8),
            number("Version", U8),
            of("Encrypted", Kind::Bytes(12)),
            hex("Salt", U16_BE),
            hex("Integrity check", U16_BE),
        ],
    ),
    frame(
        "eddystone-eid",
        "Eddystone EID",
        |data| data.first() == Some(&0x30),
        &[
            constant("Frame type", U8),
            dbm("Tx power at 0 m"),
            id("Ephemeral identifier", 8).value(),
        ],
    ),
    Known {
        key: "fmdn",
        name: "Find My Device network (Google)",
        brief: "Find My Device",
        from: Origin::Service(SERVICE),
        is: |data| matches!(data.first(), Some(0x40 | 0x41)),
        body: Body::Parts(&[
            number("Frame type", U8)
                .meaning(&[
                    (0x40, "separated or near its owner"),
                    (0x41, "unwanted tracking protection"),
                ])
                .value(),
            // 20 bytes by one curve, 32 by the other; a byte of flags may follow.
            id("Ephemeral identifier", 20).given(|data| data.len() <= 22),
            id("Ephemeral identifier", 32).given(|data| data.len() > 22),
            hex("Hashed flags", U8).if_left(),
        ]),
    },
];

/// The address of an Eddystone-URL frame: a byte for the scheme, then characters and bytes that
/// stand for endings. A byte that the format reserves becomes U+FFFD.
pub(crate) struct EddystoneUrl<'a>(pub(crate) &'a [u8]);

impl fmt::Display for EddystoneUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, encoded)) = self.0.split_first() else {
            return Ok(());
        };
        let scheme = SCHEMES.get(usize::from(*scheme)).copied();
        let mut url = scheme.unwrap_or("\u{FFFD}").to_owned();
        for &byte in encoded {
            match (ENDINGS.get(usize::from(byte)), byte) {
                (Some(ending), _) => url.push_str(ending),
                (None, 0x21..=0x7E) => url.push(char::from(byte)),
                (None, _) => url.push('\u{FFFD}'),
            }
        }
        f.write_str(&clean::text(&url, SHOWN_URL))
    }
}
