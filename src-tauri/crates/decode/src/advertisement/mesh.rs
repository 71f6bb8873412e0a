//! Bluetooth Mesh: beacons, provisioning and messages in AD structures of their own, and what a
//! node says that is reached by GATT (Mesh Protocol, v1.1: 3.10 beacons, 5.3.1 PB-ADV, 3.4.4
//! network PDU, 7.1.2.2.1 and 7.2.2.2.1 service data). All numbers come most significant byte
//! first. Beacons, provisioning and messages were compared with BlueZ's monitor/packet.c.

use super::beacon::{Body, Known, Origin};
use super::part::*;
use crate::field::Shown;

const DEVICE_UUID: Part = of("Device UUID", Kind::Bytes(16))
    .shown(Shown::UuidBig)
    .value();
/// Where the out-of-band information is.
const OOB: Part = set(
    "Out-of-band information",
    U16_BE,
    0,
    &[
        "Other",
        "Electronic, URI",
        "2D machine-readable code",
        "Bar code",
        "NFC",
        "Number",
        "String",
        "Certificate-based provisioning",
        "Provisioning records",
        "",
        "",
        "On box",
        "Inside box",
        "On piece of paper",
        "Inside manual",
        "On device",
    ],
);
const NETWORK: Part = id("Network ID", 8).as_named("network");

const fn structure(
    key: &'static str,
    name: &'static str,
    kind: u8,
    is: fn(&[u8]) -> bool,
    parts: &'static [Part],
) -> Known {
    Known {
        key,
        name,
        brief: name,
        from: Origin::Structure(kind),
        is,
        body: Body::Parts(parts),
    }
}

const fn proxy(
    key: &'static str,
    name: &'static str,
    is: fn(&[u8]) -> bool,
    parts: &'static [Part],
) -> Known {
    Known {
        key,
        name,
        brief: name,
        from: Origin::Service(0x1828),
        is,
        body: Body::Parts(parts),
    }
}

/// A hash that only members of the network can make, and the random number that it is made of.
const IDENTITY: &[Part] = &[
    hex("Identification type", U8),
    id("Hash", 8).as_named("hash"),
    id("Random", 8),
];

pub(super) static ALL: &[Known] = &[
    structure(
        "mesh-unprovisioned",
        "Mesh unprovisioned device",
        0x2B,
        |data| data.first() == Some(&0),
        &[
            hex("Beacon type", U8),
            DEVICE_UUID,
            OOB,
            id("URI hash", 4).if_left(),
        ],
    ),
    structure(
        "mesh-secure-network",
        "Mesh secure network beacon",
        0x2B,
        |data| data.first() == Some(&1),
        &[
            hex("Beacon type", U8),
            bits("Key refresh", U8, 0, 0).meaning(&[(0, "no"), (1, "under way")]),
            bits("IV update", U8, 1, 1).meaning(&[(0, "no"), (1, "under way")]),
            reserved(U8, 2, 7),
            NETWORK,
            count("IV index", U32_BE),
            id("Authentication value", 8),
        ],
    ),
    structure(
        "mesh-private",
        "Mesh private beacon",
        0x2B,
        |data| data.first() == Some(&2),
        &[
            hex("Beacon type", U8),
            id("Random", 13).as_named("random"),
            of("Obfuscated", Kind::Bytes(5)),
            id("Authentication tag", 8),
        ],
    ),
    structure(
        "mesh-provisioning-pdu",
        "Mesh provisioning (PB-ADV)",
        0x29,
        |data| !data.is_empty(),
        &[
            hex("Link ID", U32_BE).as_named("link"),
            number("Transaction number", U8),
            bits("Kind", U8, 0, 1)
                .meaning(&[
                    (0, "transaction start"),
                    (1, "transaction acknowledgment"),
                    (2, "transaction continuation"),
                    (3, "bearer control"),
                ])
                .value(),
            bits("Last segment", U8, 2, 7).masked(5, 3, 0),
            bits("Padding", U8, 2, 7).masked(5, 3, 1),
            bits("Segment", U8, 2, 7).masked(5, 3, 2),
            bits("Bearer op code", U8, 2, 7)
                .meaning(&[
                    (0, "link open"),
                    (1, "link acknowledgment"),
                    (2, "link close"),
                ])
                .closed()
                .masked(5, 3, 3),
            number("Total length", U16_BE).masked(5, 3, 0),
            hex("Frame check sequence", U8).masked(5, 3, 0),
            of("Data", Kind::Rest).if_left(),
        ],
    ),
    structure(
        "mesh-network-pdu",
        "Mesh message",
        0x2A,
        |data| !data.is_empty(),
        &[
            bits("Network key ID", U8, 0, 6),
            bits("Lowest bit of IV index", U8, 7, 7),
            of("Obfuscated", Kind::Bytes(6)),
            of("Encrypted", Kind::Rest).as_named("encrypted"),
        ],
    ),
    Known {
        key: "mesh-provisioning",
        name: "Mesh provisioning service",
        brief: "Mesh unprovisioned device",
        from: Origin::Service(0x1827),
        is: |_| true,
        body: Body::Parts(&[DEVICE_UUID, OOB]),
    },
    proxy(
        "mesh-proxy-network",
        "Mesh proxy, network",
        |data| data.first() == Some(&0),
        &[hex("Identification type", U8), NETWORK],
    ),
    proxy(
        "mesh-proxy-node",
        "Mesh proxy, node",
        |data| data.first() == Some(&1),
        IDENTITY,
    ),
    proxy(
        "mesh-proxy-private-network",
        "Mesh proxy, private network",
        |data| data.first() == Some(&2),
        IDENTITY,
    ),
    proxy(
        "mesh-proxy-private-node",
        "Mesh proxy, private node",
        |data| data.first() == Some(&3),
        IDENTITY,
    ),
];
