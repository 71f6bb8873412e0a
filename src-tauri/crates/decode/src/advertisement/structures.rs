//! AD structures: what each type holds (Core Specification Supplement, Part A, by the name of the
//! type; types by Assigned Numbers, 2.3). Compared with public readers: BlueZ's monitor/packet.c,
//! Wireshark's dissector, Bumble's data_types.py and, for BIGInfo, Zephyr's pdu.h. Where these
//! differ, it is said below.

use super::objects::{Next, Object, Objects, numbered, object};
use super::part::*;
use super::{AdType, Beacon, Source, beacon};
use crate::field::{Field, Rest, Shown};
use crate::names::Names;
use crate::number::NumberType;

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
    // Those of Mesh are beacons themselves.
    if let Some(beacon) = Beacon::of(Source::Structure(kind), data) {
        return beacon.decode(data, f);
    }
    if kind.0 == TRANSPORTS {
        return TRANSPORT_BLOCKS.walk(data, |_, _, field| f(field));
    }
    let known = ALL.iter().find(|(known, _)| *known == kind.0);
    let parts = known.map_or(UNKNOWN, |(_, parts)| parts);
    beacon::walk(parts, data, |_, field| f(field))
}

const TRANSPORTS: u8 = 0x26;

/// Transport Discovery Data: one block per organisation, each with its length.
static TRANSPORT_BLOCKS: Objects = Objects {
    head: &[],
    number: number("Organisation", U8).meaning(&[
        (1, "Bluetooth SIG"),
        (2, "Wi-Fi Alliance, neighbor awareness networking"),
        (3, "Wi-Fi Alliance, service advertisement"),
    ]),
    number_at: 0,
    says_number: true,
    next: |_, bytes, at| {
        let length = bytes.get(at + 2).map_or(0, |&length| usize::from(length));
        Next {
            // All organisations have the same blocks.
            number: Some(0),
            head: 1,
            end: at + 3 + length,
            kind: None,
        }
    },
    all: &BLOCK,
    same: 1,
};

static BLOCK: [Object; 1] = numbered([object(
    0,
    &[
        bits("Role", U8, 0, 1).meaning(&[
            (0, "not specified"),
            (1, "seeker"),
            (2, "provider"),
            (3, "seeker and provider"),
        ]),
        bits("Data incomplete", U8, 2, 2).meaning(&[(0, "no"), (1, "yes")]),
        choice_bits(
            "Transport",
            U8,
            3,
            4,
            &[(0, "off"), (1, "on"), (2, "temporarily unavailable")],
        ),
        reserved(U8, 5, 7),
        number("Length", U8),
        of("Transport data", Kind::Rest).if_left(),
    ],
)]);

const UNKNOWN: &[Part] = &[of("Data", Kind::Rest).if_left()];

const fn uuids(size: usize) -> Part {
    of("Service", Kind::Bytes(size))
        .shown(Shown::Uuid)
        .any_number()
}

const fn bytes(name: &'static str, size: usize) -> Part {
    of(name, Kind::Bytes(size))
}

const UUIDS_16: &[Part] = &[uuids(2)];
const UUIDS_32: &[Part] = &[uuids(4)];
const UUIDS_128: &[Part] = &[uuids(16)];
const ADDRESSES: &[Part] = &[address("Address").repeating()];

/// An interval in steps of 0.625 ms.
const fn slots(number: NumberType) -> Part {
    quantity("Advertising interval", number, "ms").scaled(625.0, 1000.0, 3)
}

const fn connection_interval(name: &'static str) -> Part {
    quantity(name, U16, "ms")
        .scaled(125.0, 100.0, 2)
        .void(&[(0xFFFF, "no specific value")])
        .within(6, 3200)
}

/// The bits of the controller's features, a byte each; zero bytes at the end are left out.
const fn features(names: &'static [&'static str]) -> Part {
    set("Features", U8, 0, names).if_left()
}

static ALL: &[(u8, &[Part])] = &[
    (
        0x01,
        &[
            set(
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
            ),
            // Later bits may come in further bytes.
            of("Reserved", Kind::Rest).if_left(),
        ],
    ),
    (0x02, UUIDS_16),
    (0x03, UUIDS_16),
    (0x04, UUIDS_32),
    (0x05, UUIDS_32),
    (0x06, UUIDS_128),
    (0x07, UUIDS_128),
    (0x08, &[text("Shortened local name")]),
    (0x09, &[text("Complete local name")]),
    (
        0x0A,
        &[quantity("Tx power level", I8, "dBm").within(-127, 127)],
    ),
    (
        0x0D,
        &[
            bits("Format", U24, 0, 1),
            bits("Minor device class", U24, 2, 7),
            bits("Major device class", U24, 8, 12).meaning(&[
                (0, "miscellaneous"),
                (1, "computer"),
                (2, "phone"),
                (3, "network access point"),
                (4, "audio or video"),
                (5, "peripheral"),
                (6, "imaging"),
                (7, "wearable"),
                (8, "toy"),
                (9, "health"),
                (31, "uncategorised"),
            ]),
            set(
                "Major service classes",
                U24,
                13,
                &[
                    "Limited discoverable",
                    "LE Audio",
                    "",
                    "Positioning",
                    "Networking",
                    "Rendering",
                    "Capturing",
                    "Object transfer",
                    "Audio",
                    "Telephony",
                    "Information",
                ],
            ),
        ],
    ),
    (0x0E, &[bytes("Simple pairing hash C-192", 16)]),
    (0x0F, &[bytes("Simple pairing randomizer R-192", 16)]),
    (0x10, &[bytes("Security Manager TK value", 16)]),
    (
        0x11,
        &[
            set(
                "Flags",
                U8,
                0,
                &[
                    "Out-of-band data present",
                    "LE supported by the host",
                    "BR/EDR and LE at once, host",
                ],
            ),
            bits("Address type", U8, 3, 3).meaning(&[(0, "public"), (1, "random")]),
            reserved(U8, 4, 7),
        ],
    ),
    (
        0x12,
        &[
            connection_interval("Least connection interval"),
            connection_interval("Greatest connection interval"),
        ],
    ),
    (0x14, UUIDS_16),
    (0x15, UUIDS_128),
    (
        0x16,
        &[
            bytes("Service", 2).shown(Shown::Uuid),
            of("Data", Kind::Rest).if_left(),
        ],
    ),
    (0x17, ADDRESSES),
    (0x18, ADDRESSES),
    (0x19, &[hex("Appearance", U16).names(Names::Appearances)]),
    (0x1A, &[slots(U16)]),
    (
        // The address first, as Nordic's SDKs send it; Wireshark and Bumble expect the type first.
        0x1B,
        &[
            address("Address"),
            bits("Address type", U8, 0, 0).meaning(&[(0, "public"), (1, "random")]),
            reserved(U8, 1, 7),
        ],
    ),
    (
        0x1C,
        &[choice(
            "LE role",
            U8,
            &[
                (0, "peripheral only"),
                (1, "central only"),
                (2, "both, peripheral preferred"),
                (3, "both, central preferred"),
            ],
        )],
    ),
    (0x1D, &[bytes("Simple pairing hash C-256", 16)]),
    (0x1E, &[bytes("Simple pairing randomizer R-256", 16)]),
    (0x1F, UUIDS_32),
    (
        0x20,
        &[
            bytes("Service", 4).shown(Shown::Uuid),
            of("Data", Kind::Rest).if_left(),
        ],
    ),
    (
        0x21,
        &[
            bytes("Service", 16).shown(Shown::Uuid),
            of("Data", Kind::Rest).if_left(),
        ],
    ),
    (
        0x22,
        &[bytes("LE Secure Connections confirmation value", 16)],
    ),
    (0x23, &[bytes("LE Secure Connections random value", 16)]),
    (0x24, &[of("URI", Kind::Rest).shown(Shown::Uri)]),
    (
        // Indoor Positioning Service: coordinates as transmitted. Not verified: public readers agree
        // on the flags and on nothing else. Altitude stands before floor as Wireshark has it, one
        // pair of coordinates by the second flag as PureSwift has it.
        0x25,
        &[
            set(
                "Flags",
                U8,
                0,
                &[
                    "Coordinates present",
                    "Local coordinates",
                    "Tx power present",
                    "Altitude present",
                    "Floor number present",
                    "Uncertainty present",
                    "Location name by GATT",
                    "",
                ],
            ),
            number("Latitude", I32).on_off(0, 1),
            number("Longitude", I32).on_off(0, 1),
            number("Local north coordinate", I16).on_on(0, 1),
            number("Local east coordinate", I16).on_on(0, 1),
            dbm("Tx power").on(2),
            number("Altitude", U16).on(3),
            number("Floor number", U8).on(4),
            hex("Uncertainty", U8).on(5),
        ],
    ),
    (
        0x27,
        &[
            features(&[
                "LE encryption",
                "Connection parameters request",
                "Extended reject indication",
                "Peripheral-initiated features exchange",
                "LE ping",
                "Data packet length extension",
                "LL privacy",
                "Extended scanning filter policies",
            ]),
            features(&[
                "LE 2M PHY",
                "Stable modulation index, transmitter",
                "Stable modulation index, receiver",
                "LE Coded PHY",
                "Extended advertising",
                "Periodic advertising",
                "Channel selection algorithm #2",
                "Power class 1",
            ]),
            features(&[
                "Minimum number of used channels",
                "Connection CTE request",
                "Connection CTE response",
                "Connectionless CTE transmitter",
                "Connectionless CTE receiver",
                "Antenna switching during CTE transmission",
                "Antenna switching during CTE reception",
                "Receiving constant tone extensions",
            ]),
            features(&[
                "Periodic advertising sync transfer, sender",
                "Periodic advertising sync transfer, recipient",
                "Sleep clock accuracy updates",
                "Remote public key validation",
                "Connected isochronous stream, central",
                "Connected isochronous stream, peripheral",
                "Isochronous broadcaster",
                "Synchronized receiver",
            ]),
            features(&[
                "Connected isochronous stream, host",
                "LE power control request",
                "LE power control request, second bit",
                "LE path loss monitoring",
                "Periodic advertising ADI",
                "Connection subrating",
                "Connection subrating, host",
                "Channel classification",
            ]),
            features(&[
                "Advertising coding selection",
                "Advertising coding selection, host",
                "Decision-based advertising filtering",
                "Periodic advertising with responses, advertiser",
                "Periodic advertising with responses, scanner",
                "Unsegmented framed mode",
                "Channel sounding",
                "Channel sounding, host",
            ]),
            of("Later features", Kind::Rest).if_left(),
        ],
    ),
    (0x28, &[bytes("Channel map", 5), number("Instant", U16)]),
    (
        0x2C,
        &[
            bits("BIG offset", U32, 0, 13),
            bits("Unit of offset", U32, 14, 14).meaning(&[(0, "30 µs"), (1, "300 µs")]),
            bits("ISO interval", U32, 15, 26)
                .unit("ms")
                .scaled(125.0, 100.0, 2),
            bits("Streams", U32, 27, 31),
            bits("Subevents", U32, 0, 4),
            bits("Burst number", U32, 5, 7),
            bits("Subinterval", U32, 8, 27).unit("µs"),
            bits("Pretransmission offset", U32, 28, 31),
            bits("Stream spacing", U32, 0, 19).unit("µs"),
            bits("Immediate repetition count", U32, 20, 23),
            bits("Greatest PDU", U32, 24, 31).unit("bytes"),
            hex("Reserved", U8),
            hex("Seed access address", U32),
            bits("SDU interval", U32, 0, 19).unit("µs"),
            bits("Greatest SDU", U32, 20, 31).unit("bytes"),
            hex("Base CRC initial value", U16),
            bits("Channel map", U40, 0, 36),
            choice_bits(
                "PHY",
                U40,
                37,
                39,
                &[(0, "LE 1M"), (1, "LE 2M"), (2, "LE Coded")],
            ),
            bits("Payload count", U40, 0, 38),
            bits("Framing", U40, 39, 39).meaning(&[(0, "unframed"), (1, "framed")]),
            // Of an encrypted group.
            bytes("Group initialization vector", 8).given(|data| data.len() > 33),
            bytes("Group session key diversifier", 16).given(|data| data.len() > 33),
        ],
    ),
    (0x2D, &[id_rest("Broadcast code")]),
    (0x2E, &[id("Hash", 3), id("Random", 3)]),
    (
        0x2F,
        &[
            slots(U24).given(|data| data.len() < 4),
            slots(U32).given(|data| data.len() >= 4),
        ],
    ),
    (0x30, &[text("Broadcast name")]),
    (
        0x31,
        &[
            bytes("Randomizer", 5),
            of("Encrypted", Kind::AllBut(4)),
            bytes("Integrity check", 4),
        ],
    ),
    (
        0x32,
        &[
            hex("Access address of responses", U32),
            number("Subevents", U8),
            quantity("Subevent interval", U8, "ms").scaled(125.0, 100.0, 2),
            quantity("Response slot delay", U8, "ms").scaled(125.0, 100.0, 2),
            quantity("Response slot spacing", U8, "ms").scaled(125.0, 1000.0, 3),
        ],
    ),
    (0x34, &[of("Electronic shelf label message", Kind::Rest)]),
    (
        0x3D,
        &[
            set(
                "Flags",
                U8,
                0,
                &[
                    "Association notification",
                    "Battery level reporting",
                    "Battery level on start-up",
                    "",
                    "",
                    "",
                    "",
                    "Factory test mode",
                ],
            ),
            quantity("Path loss threshold", U8, "dB"),
        ],
    ),
    (
        0xFF,
        &[
            hex("Company", U16).names(Names::Companies),
            of("Data", Kind::Rest).if_left(),
        ],
    ),
];
