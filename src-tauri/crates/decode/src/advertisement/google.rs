//! Google Fast Pair (developers.google.com/nearby/fast-pair: advertising, battery notification;
//! the numbers of the types as in nRF Connect SDK and `nearby_fp_library.h` of
//! `github.com/google/nearby`), Exposure Notification (Apple and Google, Bluetooth Specification
//! v1.2) and what location trackers of all makers say to whom they may follow (IETF draft
//! "Detecting Unwanted Location Trackers").

use super::beacon::{Body, Known, Origin};
use super::objects::{Next, Object, Objects, numbered, object};
use super::part::*;

const FAST_PAIR: u16 = 0xFE2C;

const fn battery(name: &'static str) -> Part {
    bits(name, U8, 0, 6)
        .unit("%")
        .plotted()
        .void(&[(0x7F, "not known")])
        .within(0, 100)
        .if_left()
        .as_named(name)
}

const fn charging(name: &'static str) -> Part {
    bits(name, U8, 7, 7)
        .meaning(&[(0, "not charging"), (1, "charging")])
        .if_left()
}

const BATTERIES: &[Part] = &[
    battery("Battery, left"),
    charging("Charging, left"),
    battery("Battery, right"),
    charging("Charging, right"),
    battery("Battery, case"),
    charging("Charging, case"),
];

static OBJECTS: [Object; 7] = numbered([
    object(0, &[of("Account key filter", Kind::Rest)]),
    object(1, &[id_rest("Salt")]),
    object(2, &[of("Account key filter", Kind::Rest)]),
    object(3, BATTERIES),
    object(4, BATTERIES),
    object(5, &[of("Encrypted connection state", Kind::Rest)]),
    object(6, &[of("Random resolvable data", Kind::Rest)]),
]);

static NOT_DISCOVERABLE: Objects = Objects {
    head: &[
        bits("Flags", U8, 0, 3),
        bits("Version", U8, 4, 7)
            .closed()
            .meaning(&[(0, "0"), (1, "1")]),
    ],
    number: bits("Type", U8, 0, 3).meaning(&[
        (0, "account key filter, shown"),
        (1, "salt"),
        (2, "account key filter, not shown"),
        (3, "battery, shown"),
        (4, "battery, not shown"),
        (5, "audio switching"),
        (6, "random resolvable data"),
    ]),
    number_at: 0,
    says_number: true,
    next: |_, bytes, at| {
        let first = bytes.get(at).copied();
        Next {
            number: first.map(|first| (first & 0x0F).into()),
            head: 1,
            end: at + 1 + usize::from(first.unwrap_or(0) >> 4),
            kind: None,
        }
    },
    all: &OBJECTS,
    same: 1,
};

pub(super) static ALL: &[Known] = &[
    Known {
        key: "fast-pair-model",
        name: "Google Fast Pair, discoverable",
        brief: "Fast Pair",
        from: Origin::Service(FAST_PAIR),
        is: |data| data.len() == 3,
        body: Body::Parts(&[hex("Model", U24_BE).as_named("model")]),
    },
    Known {
        key: "fast-pair-account",
        name: "Google Fast Pair, not discoverable",
        brief: "Fast Pair",
        from: Origin::Service(FAST_PAIR),
        is: |data| !data.is_empty(),
        body: Body::Objects(&NOT_DISCOVERABLE),
    },
    Known {
        key: "exposure-notification",
        name: "Exposure Notification (Apple and Google)",
        brief: "Exposure Notification",
        from: Origin::Service(0xFD6F),
        is: |_| true,
        body: Body::Parts(&[
            id("Rolling proximity identifier", 16).value(),
            of("Encrypted metadata", Kind::Bytes(4)),
        ]),
    },
    Known {
        key: "unwanted-tracker",
        name: "Location tracker (DULT)",
        brief: "Location tracker",
        from: Origin::Service(0xFCB2),
        is: |data| !data.is_empty(),
        body: Body::Parts(&[
            choice("Network", U8, &[(1, "Apple"), (2, "Google")]).value(),
            bits("Owner", U8, 0, 0)
                .meaning(&[(0, "separated"), (1, "near")])
                .value(),
            reserved(U8, 1, 7),
            of("Network's own", Kind::Rest).if_left(),
        ]),
    },
];
