//! What a device says of itself: generic access, device information, alerts, objects, reports.

use super::super::Definition;
use super::super::part::{
    I8, Kind, Part, U8, U16, U32, U48, U64, choice, count, flags, hex, number, of, quantity,
    reserved, set, text,
};
use super::{OFF_ON, Words, one};
use crate::field::Shown;
use crate::names::Names;

pub(super) static ALL: &[Definition] = &[
    one(0x2A00, &[text("Device name")]),
    one(0x2A01, &[hex("Appearance", U16).names(Names::Appearances)]),
    one(0x2A02, &[choice("Privacy", U8, &[(0, "off"), (1, "on")])]),
    one(
        0x2A04,
        // Core Specification, Vol 3, Part C, 12.3: in 1.25 ms; 0xFFFF asks for nothing.
        &[
            quantity("Minimum interval", U16, "ms")
                .scaled(5.0, 4.0, 2)
                .void(NO_WISH)
                .within(6, 3200)
                .as_named("interval"),
            quantity("Maximum interval", U16, "ms")
                .scaled(5.0, 4.0, 2)
                .void(NO_WISH)
                .within(6, 3200)
                .as_named("to"),
            count("Latency", U16).within(0, 499).as_named("latency"),
            quantity("Supervision timeout", U16, "ms")
                .scaled(10.0, 1.0, 0)
                .void(NO_WISH)
                .within(10, 3200)
                .as_named("timeout"),
        ],
    ),
    one(
        0x2A05,
        &[
            hex("First handle", U16).as_named("handles"),
            hex("Last handle", U16).as_named("to"),
        ],
    ),
    one(0x2A06, &[choice("Alert level", U8, ALERT_LEVELS)]),
    one(0x2A07, &[quantity("TX power", I8, "dBm").within(-100, 20)]),
    one(0x2A22, &[of("Keyboard report", Kind::Rest)]),
    one(0x2A23, &[hex("EUI-64", U64)]),
    one(0x2A24, &[text("Model number")]),
    one(0x2A25, &[text("Serial number")]),
    one(0x2A26, &[text("Firmware revision")]),
    one(0x2A27, &[text("Hardware revision")]),
    one(0x2A28, &[text("Software revision")]),
    one(0x2A29, &[text("Manufacturer name")]),
    one(
        0x2A2A,
        &[of("Regulatory certification data list", Kind::Rest)],
    ),
    one(
        0x2A31,
        &[choice(
            "Scan refresh",
            U8,
            &[(0, "server requires refresh")],
        )],
    ),
    one(0x2A32, &[of("Keyboard LEDs", Kind::Rest)]),
    one(0x2A33, &[of("Mouse report", Kind::Rest)]),
    one(
        0x2A3F,
        &[
            set(
                "Alert status",
                U8,
                0,
                &["Ringer", "Vibration", "Display alert"],
            )
            .words("not active", "active")
            .if_set(),
            reserved(U8, 3, 7),
        ],
    ),
    one(
        0x2A40,
        &[choice(
            "Ringer",
            U8,
            &[
                (1, "silent mode"),
                (2, "mute once"),
                (3, "cancel silent mode"),
            ],
        )],
    ),
    one(
        0x2A41,
        &[choice("Ringer", U8, &[(0, "silent"), (1, "normal")])],
    ),
    one(0x2A42, ALERT_CATEGORY_MASK),
    one(0x2A43, &[ALERT_CATEGORY]),
    one(
        0x2A44,
        &[
            choice(
                "Command",
                U8,
                &[
                    (0, "enable new alerts"),
                    (1, "enable unread status"),
                    (2, "disable new alerts"),
                    (3, "disable unread status"),
                    (4, "notify new alerts now"),
                    (5, "notify unread status now"),
                ],
            )
            .value(),
            // The Alert Notification Service has 0xFF stand for all categories.
            ALERT_CATEGORY.value(),
        ],
    ),
    one(
        0x2A45,
        &[
            ALERT_CATEGORY.value(),
            count("Unread count", U8)
                .void(&[(255, "more than 254")])
                .value(),
        ],
    ),
    one(
        0x2A46,
        &[
            ALERT_CATEGORY.value(),
            count("Number of new alerts", U8).value(),
            text("Text").if_left(),
        ],
    ),
    one(0x2A47, ALERT_CATEGORY_MASK),
    one(0x2A48, ALERT_CATEGORY_MASK),
    // HID Service 1.0, 2.4 to 2.10.
    one(
        0x2A4A,
        &[
            hex("HID version", U16).as_named("HID"),
            number("Country code", U8),
            set("Flags", U8, 0, &["Remote wake", "Normally connectable"]).if_set(),
            reserved(U8, 2, 7),
        ],
    ),
    one(0x2A4B, &[of("Report descriptor", Kind::Rest)]),
    one(
        0x2A4C,
        &[choice(
            "HID command",
            U8,
            &[(0, "suspend"), (1, "exit suspend")],
        )],
    ),
    one(0x2A4D, &[of("Report", Kind::Rest)]),
    one(
        0x2A4E,
        &[choice("Protocol mode", U8, &[(0, "boot"), (1, "report")])],
    ),
    one(
        0x2A4F,
        // Scan Parameters Service 1.0, 3.1: in 0.625 ms.
        &[
            quantity("Scan interval", U16, "ms")
                .scaled(5.0, 8.0, 3)
                .within(4, 0x4000)
                .as_named("interval"),
            quantity("Scan window", U16, "ms")
                .scaled(5.0, 8.0, 3)
                .within(4, 0x4000)
                .as_named("window"),
        ],
    ),
    one(
        0x2A50,
        &[
            choice(
                "Vendor ID source",
                U8,
                &[(1, "Bluetooth SIG"), (2, "USB Implementer's Forum")],
            )
            .value(),
            hex("Vendor ID", U16)
                .names(Names::Companies)
                .if_byte(0, 1)
                .as_named("vendor"),
            hex("Vendor ID", U16).unless_byte(0, 1).as_named("vendor"),
            hex("Product ID", U16).as_named("product"),
            hex("Product version", U16).as_named("version"),
        ],
    ),
    one(
        0x2AA6,
        &[choice(
            "Address resolution",
            U8,
            &[(0, "not supported"), (1, "supported")],
        )],
    ),
    // Object Transfer Service 1.0, 3.
    one(
        0x2ABD,
        &[
            set(
                "Object actions",
                U32,
                0,
                &[
                    "Create",
                    "Delete",
                    "Calculate checksum",
                    "Execute",
                    "Read",
                    "Write",
                    "Append",
                    "Truncate",
                    "Patch",
                    "Abort",
                ],
            ),
            reserved(U32, 10, 31),
            set(
                "Object list",
                U32,
                0,
                &[
                    "Go to",
                    "Order",
                    "Request number of objects",
                    "Clear marking",
                ],
            ),
            reserved(U32, 4, 31),
        ],
    ),
    one(0x2ABE, &[text("Object name")]),
    one(0x2ABF, &[of("Object type", Kind::Rest).shown(Shown::Uuid)]),
    one(
        0x2AC0,
        &[
            quantity("Current size", U32, "B").value(),
            quantity("Allocated size", U32, "B").as_named("of"),
        ],
    ),
    one(0x2AC1, &[of("First created", Kind::DateTime)]),
    one(0x2AC2, &[of("Last modified", Kind::DateTime)]),
    one(0x2AC3, &[hex("Object ID", U48)]),
    one(
        0x2AC4,
        &[
            set(
                "Object properties",
                U32,
                0,
                &[
                    "Delete", "Execute", "Read", "Write", "Append", "Truncate", "Patch", "Mark",
                ],
            )
            .if_set(),
            reserved(U32, 8, 31),
        ],
    ),
    // Core Specification, Vol 3, Part G, 7.2 to 7.4 and Part C, 12.
    one(
        0x2AC9,
        &[choice(
            "Resolvable private address only",
            U8,
            &[(0, "used after bonding")],
        )],
    ),
    one(
        0x2B29,
        &[
            set(
                "Client features",
                U8,
                0,
                &[
                    "Robust caching",
                    "Enhanced ATT bearer",
                    "Multiple handle value notifications",
                ],
            )
            .if_set(),
            reserved(U8, 3, 7),
            of("More features", Kind::Rest).if_left(),
        ],
    ),
    one(0x2B2A, &[of("Database hash", Kind::Bytes(16))]),
    one(
        0x2B3A,
        &[
            set("Server features", U8, 0, &["Enhanced ATT bearer"]).if_set(),
            reserved(U8, 1, 7),
            of("More features", Kind::Rest).if_left(),
        ],
    ),
    // Volume Control Service 1.0, 3.
    one(
        0x2B7D,
        &[
            count("Volume", U8).value(),
            choice("Mute", U8, OFF_ON).as_named("mute"),
            number("Change counter", U8),
        ],
    ),
    one(
        0x2B7F,
        &[
            set("Volume flags", U8, 0, &["Volume setting persisted"]).if_set(),
            reserved(U8, 1, 7),
        ],
    ),
    one(0x2BBA, &[number("Content control ID", U8)]),
    // Microphone Control Service 1.0, 3.1.
    one(
        0x2BC3,
        &[choice(
            "Mute",
            U8,
            &[(0, "not muted"), (1, "muted"), (2, "disabled")],
        )],
    ),
    one(
        0x2BFF,
        &[
            flags(
                U8,
                0,
                &[
                    "UDI label",
                    "UDI device identifier",
                    "UDI issuer",
                    "UDI authority",
                ],
            ),
            reserved(U8, 4, 7),
            of("UDI label", Kind::ZeroText).on(0).value(),
            of("UDI device identifier", Kind::ZeroText)
                .on(1)
                .as_named("device"),
            of("UDI issuer", Kind::ZeroText).on(2).as_named("issuer"),
            of("UDI authority", Kind::ZeroText)
                .on(3)
                .as_named("authority"),
        ],
    ),
];

const NO_WISH: Words = &[(0xFFFF, "no specific value")];
const ALERT_LEVELS: Words = &[(0, "no alert"), (1, "mild alert"), (2, "high alert")];

/// 251 to 255 are what a service makes of them.
const ALERT_CATEGORY: Part = choice(
    "Category",
    U8,
    &[
        (0, "simple alert"),
        (1, "email"),
        (2, "news"),
        (3, "call"),
        (4, "missed call"),
        (5, "SMS or MMS"),
        (6, "voice mail"),
        (7, "schedule"),
        (8, "high prioritized alert"),
        (9, "instant message"),
        (251, "defined by the service (251)"),
        (252, "defined by the service (252)"),
        (253, "defined by the service (253)"),
        (254, "defined by the service (254)"),
        (255, "defined by the service (255)"),
    ],
);

/// The second byte may be left out when no bit of it is set.
const ALERT_CATEGORY_MASK: &[Part] = &[
    set(
        "Categories",
        U8,
        0,
        &[
            "Simple alert",
            "Email",
            "News",
            "Call",
            "Missed call",
            "SMS or MMS",
            "Voice mail",
            "Schedule",
        ],
    )
    .if_set(),
    set(
        "Categories",
        U8,
        0,
        &["High prioritized alert", "Instant message"],
    )
    .if_left()
    .if_set(),
    // Where there is no second byte, nothing of it is set.
    reserved(U8, 2, 7),
];
