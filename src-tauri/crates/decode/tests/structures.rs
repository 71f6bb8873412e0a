//! AD structures by the Core Specification Supplement. It has few examples: bytes are put together
//! by hand from its tables where no other source is named.

#![allow(
    clippy::unwrap_used,
    reason = "bytes that cannot be read fail the test"
)]

use decode::advertisement::{AdType, decode_structure};

fn said(kind: u8, bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let rest = decode_structure(AdType(kind), bytes, |field| {
        let fault = field
            .fault
            .map_or(String::new(), |fault| format!(" [{fault}]"));
        lines.push(format!("{}: {field}{fault}", field.label()));
    });
    if !rest.extra.is_empty() {
        lines.push(format!("extra {:?}", rest.extra));
    }
    lines
}

#[test]
fn flags_are_named_bits() {
    assert_eq!(
        said(0x01, &[0x06]),
        [
            "Limited discoverable: no",
            "General discoverable: yes",
            "No BR/EDR: yes",
            "BR/EDR and LE at once, controller: no",
            "BR/EDR and LE at once, host: no",
        ]
    );
    assert_eq!(said(0x01, &[0x80])[5], "Reserved: yes [reserved]");
    assert_eq!(said(0x01, &[6, 1])[5], "Reserved: 01");
    assert_eq!(said(0x01, &[]), ["Flags: missing [missing]"]);
}

#[test]
fn lists_of_services_come_one_by_one() {
    for kind in [0x02, 0x03, 0x14] {
        let two = said(kind, &[0x0D, 0x18, 0x0F, 0x18]);
        assert_eq!(two, ["Service[0]: 0x180D", "Service[1]: 0x180F"]);
    }
    assert_eq!(said(0x03, &[]), [""; 0]);
    assert_eq!(
        said(0x03, &[0x0D, 0x18, 0x0F]),
        ["Service[0]: 0x180D", "extra 2..3"]
    );
    for kind in [0x04, 0x05, 0x1F] {
        assert_eq!(said(kind, &[0x0D, 0x18, 0, 0]), ["Service[0]: 0x0000180D"]);
    }
    let long = 0x6e40_0001_b5a3_f393_e0a9_e50e_24dc_ca9e_u128.to_le_bytes();
    for kind in [0x06, 0x07, 0x15] {
        assert_eq!(
            said(kind, &long),
            ["Service[0]: 6e400001-b5a3-f393-e0a9-e50e24dcca9e"]
        );
    }
}

#[test]
fn names_are_cleaned_text() {
    assert_eq!(said(0x09, b"Lamp"), ["Complete local name: Lamp"]);
    assert_eq!(said(0x08, b"La"), ["Shortened local name: La"]);
    assert_eq!(
        said(0x30, b"a\x1b\xff"),
        ["Broadcast name: a\u{FFFD} [not UTF-8 from byte 2 on]"]
    );
}

#[test]
fn numbers_have_units() {
    assert_eq!(said(0x0A, &[0xF4]), ["Tx power level: \u{2212}12 dBm"]);
    assert_eq!(
        said(0x0A, &[0x80]),
        ["Tx power level: \u{2212}128 dBm [outside \u{2212}127 to 127]"]
    );
    // 7.5 ms and 4 s, the ends of the range.
    assert_eq!(
        said(0x12, &[6, 0, 0x80, 0x0C]),
        [
            "Least connection interval: 7.50 ms",
            "Greatest connection interval: 4000.00 ms"
        ]
    );
    assert_eq!(
        said(0x12, &[0xFF, 0xFF, 5, 0]),
        [
            "Least connection interval: no specific value",
            "Greatest connection interval: 6.25 ms [outside 7.5 to 4000]",
        ]
    );
    assert_eq!(said(0x1A, &[0xA0, 0]), ["Advertising interval: 100.000 ms"]);
    assert_eq!(
        said(0x2F, &[0, 0, 1]),
        ["Advertising interval: 40960.000 ms"]
    );
    assert_eq!(
        said(0x2F, &[0, 0, 1, 0]),
        ["Advertising interval: 40960.000 ms"]
    );
    assert_eq!(said(0x19, &[0x41, 0x03]), ["Appearance: Heart Rate Belt"]);
    // As the characteristic of the same name: the subcategory, else the category with its number.
    assert_eq!(said(0x19, &[0xC1, 0x03]), ["Appearance: Keyboard"]);
    assert_eq!(
        said(0x19, &[0x7F, 0x03]),
        ["Appearance: Heart Rate Sensor (0x037F)"]
    );
    assert_eq!(said(0x19, &[0xFF, 0xFF]), ["Appearance: 0xFFFF"]);
    assert_eq!(said(0x1C, &[3]), ["LE role: both, central preferred"]);
    assert_eq!(said(0x1C, &[4]), ["LE role: 4 [reserved]"]);
}

#[test]
fn addresses_are_most_significant_byte_first() {
    let address = [0x66, 0x55, 0x44, 0x33, 0x22, 0x11];
    assert_eq!(
        said(0x1B, &[&address[..], &[1]].concat()),
        ["Address: 11:22:33:44:55:66", "Address type: random"]
    );
    for kind in [0x17, 0x18] {
        let two = said(kind, &[address, address].concat());
        assert_eq!(
            two,
            [
                "Address[0]: 11:22:33:44:55:66",
                "Address[1]: 11:22:33:44:55:66"
            ]
        );
    }
}

#[test]
fn uris_are_written_out_with_their_scheme() {
    // Mesh Protocol, sample data of the URI hash.
    let mesh = "\u{17}//www.example.com/mesh/products/light-switch-v3";
    assert_eq!(
        said(0x24, mesh.as_bytes()),
        ["URI: https://www.example.com/mesh/products/light-switch-v3"]
    );
    assert_eq!(said(0x24, b"\x16//a"), ["URI: http://a"]);
    assert_eq!(said(0x24, b"\x01x-own:a"), ["URI: x-own:a"]);
    assert_eq!(
        said(0x24, b"\x26a@example.com"),
        ["URI: mailto:a@example.com"]
    );
    // U+00B9 is two bytes, and U+00FF no scheme.
    assert_eq!(said(0x24, "\u{B9}a".as_bytes()), ["URI: example:a"]);
    assert_eq!(said(0x24, "\u{FF}a".as_bytes()), ["URI: \u{FFFD}a"]);
    assert_eq!(said(0x24, b"\x17//a\x1b"), ["URI: https://a\u{FFFD}"]);
}

#[test]
fn data_of_a_company_or_service_begin_with_their_identifier() {
    let company = said(0xFF, &[0x99, 0x04, 5, 1]);
    assert!(company[0].starts_with("Company: Ruuvi"), "{company:?}");
    assert_eq!(company[1..], ["Data: 05 01"]);
    assert_eq!(
        said(0x16, &[0x0F, 0x18, 90]),
        ["Service: 0x180F", "Data: 5A"]
    );
    assert_eq!(said(0x20, &[0x0F, 0x18, 0, 0]), ["Service: 0x0000180F"]);
    assert_eq!(
        said(0xFF, &[0x99]),
        ["Company: missing [cut short: 1 of 2 bytes]"]
    );
}

#[test]
fn the_class_of_a_device_is_taken_apart() {
    // Audio and rendering: a wearable headset.
    let class = said(0x0D, &[0x04, 0x04, 0x24]);
    assert_eq!(
        class[..3],
        [
            "Format: 0",
            "Minor device class: 1",
            "Major device class: audio or video"
        ]
    );
    assert!(class.contains(&"Audio: yes".to_owned()), "{class:?}");
    assert!(class.contains(&"Rendering: yes".to_owned()), "{class:?}");
    assert!(class.contains(&"Telephony: no".to_owned()), "{class:?}");
}

#[test]
fn features_come_by_byte_and_trailing_zeros_may_be_left_out() {
    let two = said(0x27, &[0x01, 0x10]);
    assert_eq!(two.len(), 16);
    assert_eq!(two[0], "LE encryption: yes");
    assert_eq!(two[12], "Extended advertising: yes");
    let all = said(0x27, &[0, 0, 0, 0, 0, 0x40, 1]);
    assert_eq!(
        all[46..],
        [
            "Channel sounding: yes",
            "Channel sounding, host: no",
            "Later features: 01"
        ]
    );
}

#[test]
fn security_and_pairing_data_are_named() {
    for (kind, name) in [
        (0x0E, "Simple pairing hash C-192"),
        (0x0F, "Simple pairing randomizer R-192"),
        (0x10, "Security Manager TK value"),
        (0x1D, "Simple pairing hash C-256"),
        (0x1E, "Simple pairing randomizer R-256"),
        (0x22, "LE Secure Connections confirmation value"),
        (0x23, "LE Secure Connections random value"),
    ] {
        let whole = said(kind, &[7; 16]);
        assert_eq!(whole.len(), 1);
        assert!(whole[0].starts_with(&format!("{name}: 07 07")), "{whole:?}");
        assert_eq!(
            said(kind, &[7; 15]),
            [format!("{name}: missing [cut short: 15 of 16 bytes]")]
        );
    }
    assert_eq!(
        said(0x11, &[0x09]),
        [
            "Out-of-band data present: yes",
            "LE supported by the host: no",
            "BR/EDR and LE at once, host: no",
            "Address type: random",
        ]
    );
    assert_eq!(
        said(0x31, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        [
            "Randomizer: 01 02 03 04 05",
            "Encrypted: 06",
            "Integrity check: 07 08 09 0A"
        ]
    );
    assert_eq!(
        said(0x2E, &[1, 2, 3, 4, 5, 6]),
        ["Hash: 010203", "Random: 040506"]
    );
    assert_eq!(said(0x2D, &[1, 2, 3, 4]), ["Broadcast code: 01020304"]);
}

#[test]
fn periodic_and_isochronous_trains_are_taken_apart() {
    // 33 bytes: 14, 1, 12 and 5 bits; 5, 3, 20 and 4; 20, 4 and 8; and so on, as pdu_big_info of Zephyr
    // has them. The values are made up.
    let first = 100_u32 | 1 << 14 | 8 << 15 | 2 << 27;
    let second = 3_u32 | 2 << 5 | 2500 << 8 | 1 << 28;
    let third = 5000_u32 | 4 << 20 | 120 << 24;
    let fourth = 10_000_u32 | 120 << 20;
    let mut info = Vec::new();
    for word in [first, second, third] {
        info.extend(word.to_le_bytes());
    }
    info.push(0);
    info.extend(0x1234_5678_u32.to_le_bytes());
    info.extend(fourth.to_le_bytes());
    info.extend(0xABCD_u16.to_le_bytes());
    info.extend(&(0x1F_FFFF_FFFF_u64 | 1 << 37).to_le_bytes()[..5]);
    info.extend(&(77_u64 | 1 << 39).to_le_bytes()[..5]);
    assert_eq!(info.len(), 33);
    let plain = [
        "BIG offset: 100",
        "Unit of offset: 300 µs",
        "ISO interval: 10.00 ms",
        "Streams: 2",
        "Subevents: 3",
        "Burst number: 2",
        "Subinterval: 2500 µs",
        "Pretransmission offset: 1",
        "Stream spacing: 5000 µs",
        "Immediate repetition count: 4",
        "Greatest PDU: 120 bytes",
        "Reserved: 0x00",
        "Seed access address: 0x12345678",
        "SDU interval: 10000 µs",
        "Greatest SDU: 120 bytes",
        "Base CRC initial value: 0xABCD",
        "Channel map: 137438953471",
        "PHY: LE 2M",
        "Payload count: 77",
        "Framing: framed",
    ];
    assert_eq!(said(0x2C, &info), plain);
    info.extend([0xEE; 24]);
    assert_eq!(said(0x2C, &info).len(), 22);
    assert_eq!(
        said(0x32, &[0x78, 0x56, 0x34, 0x12, 4, 8, 2, 4]),
        [
            "Access address of responses: 0x12345678",
            "Subevents: 4",
            "Subevent interval: 10.00 ms",
            "Response slot delay: 2.50 ms",
            "Response slot spacing: 0.500 ms",
        ]
    );
    assert_eq!(
        said(0x28, &[0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 0x34, 0x12]),
        ["Channel map: FF FF FF FF 1F", "Instant: 4660"]
    );
}

#[test]
fn positions_and_transports_are_taken_apart() {
    // Local coordinates and a floor. Not verified against a published example, see the table.
    let here = said(0x25, &[0x13, 0xFE, 0xFF, 3, 0, 21]);
    assert_eq!(
        here[7..],
        [
            "Local north coordinate: \u{2212}2",
            "Local east coordinate: 3",
            "Floor number: 21"
        ]
    );
    let globe = said(0x25, &[0x01, 1, 0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(globe[7..], ["Latitude: 1", "Longitude: 2"]);
    assert_eq!(
        said(0x26, &[1, 0x0A, 2, 5, 6]),
        [
            "Organisation: Bluetooth SIG",
            "Role: provider",
            "Data incomplete: no",
            "Transport: on",
            "Length: 2",
            "Transport data: 05 06",
        ]
    );
    // A second block begins where the length of the first says.
    assert_eq!(
        said(0x26, &[1, 0x0A, 1, 5, 2, 0x11, 0]),
        [
            "Organisation: Bluetooth SIG",
            "Role: provider",
            "Data incomplete: no",
            "Transport: on",
            "Length: 1",
            "Transport data: 05",
            "Organisation: Wi-Fi Alliance, neighbor awareness networking",
            "Role: seeker",
            "Data incomplete: no",
            "Transport: temporarily unavailable",
            "Length: 0",
        ]
    );
    assert_eq!(
        said(0x3D, &[0x83, 90])[3..],
        ["Factory test mode: yes", "Path loss threshold: 90 dB"]
    );
    assert_eq!(
        said(0x34, &[1, 2]),
        ["Electronic shelf label message: 01 02"]
    );
}

#[test]
fn mesh_and_unknown_types_are_read_too() {
    assert_eq!(said(0x2B, &[1])[0], "Beacon type: 0x01");
    assert_eq!(said(0x2B, &[9, 1]), ["Data: 09 01"]);
    assert_eq!(said(0x99, &[1, 2]), ["Data: 01 02"]);
    assert_eq!(said(0x99, &[]), [""; 0]);
}

#[test]
fn every_named_type_is_decoded() {
    for kind in (0..=u8::MAX).map(AdType) {
        if kind.name().is_none() {
            continue;
        }
        let mut names = Vec::new();
        decode_structure(kind, &[0; 60], |field| names.push(field.name.to_owned()));
        // The beacons of Mesh tell themselves apart by their first byte.
        assert!(!names.is_empty() && names != ["Data"], "{kind} {names:?}");
    }
}
