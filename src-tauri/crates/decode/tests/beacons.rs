//! Beacons against payloads that others published with what is in them. Each list says where it is
//! from; a payload that nobody published says so.

#![allow(
    clippy::unwrap_used,
    reason = "a payload that cannot be read fails the test"
)]

use decode::advertisement::{AdType, Beacon, Source};
use decode::{Format, names};

const APPLE: Source = Source::Manufacturer(0x004C);
const MICROSOFT: Source = Source::Manufacturer(0x0006);
const RUUVI: Source = Source::Manufacturer(0x0499);
const EDDYSTONE: Source = Source::Service(names::uuid16(0xFEAA));
const FAST_PAIR: Source = Source::Service(names::uuid16(0xFE2C));
const EXPOSURE: Source = Source::Service(names::uuid16(0xFD6F));
const TRACKER: Source = Source::Service(names::uuid16(0xFCB2));
const MATTER: Source = Source::Service(names::uuid16(0xFFF6));
const BTHOME: Source = Source::Service(names::uuid16(0xFCD2));
const BTHOME_1: Source = Source::Service(names::uuid16(0x181C));
const BTHOME_1_ENCRYPTED: Source = Source::Service(names::uuid16(0x181E));
const MIBEACON: Source = Source::Service(names::uuid16(0xFE95));
const THERMOMETER: Source = Source::Service(names::uuid16(0x181A));
const MESH_PROVISIONING: Source = Source::Service(names::uuid16(0x1827));
const MESH_PROXY: Source = Source::Service(names::uuid16(0x1828));
const MESH_BEACON: Source = Source::Structure(AdType(0x2B));
const MESH_MESSAGE: Source = Source::Structure(AdType(0x2A));
const PB_ADV: Source = Source::Structure(AdType(0x29));

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split(' ').collect();
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// What a payload says, as `name: value` in the order of its bytes; a fault follows in brackets.
fn said(beacon: Beacon, bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let rest = beacon.decode(bytes, |field| {
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

/// That a payload is of a kind and says all of these, in this order, and nothing that is wrong.
#[track_caller]
fn says(source: Source, payload: &str, key: &str, expected: &[&str]) {
    let bytes = hex(payload);
    let beacon = Beacon::of(source, &bytes).unwrap();
    assert_eq!(beacon.key(), key);
    let lines = said(beacon, &bytes);
    let mut left = lines.iter();
    for line in expected {
        assert!(left.any(|said| said == line), "{line} not in {lines:#?}");
    }
    assert!(
        !lines
            .iter()
            .any(|line| line.contains('[') && line.ends_with(']')),
        "{lines:#?}"
    );
    assert!(
        !lines.iter().any(|line| line.starts_with("extra")),
        "{lines:#?}"
    );
}

/// The same with its one line in the device list.
#[track_caller]
fn sums_up(source: Source, payload: &str, key: &str, summary: &str, expected: &[&str]) {
    says(source, payload, key, expected);
    let bytes = hex(payload);
    let beacon = Beacon::of(source, &bytes).unwrap();
    assert_eq!(Format::Beacon(beacon).summary(&bytes), summary);
}

#[test]
fn ibeacon_by_apples_layout() {
    // Proximity Beacon Specification, R1; UUID and power of Apple's AirLocate sample.
    sums_up(
        APPLE,
        "0215 E2C56DB5DFFB48D2B060D0F5A71096E0 0064 0007 C5",
        "ibeacon",
        "e2c5…e0, major 100, minor 7",
        &[
            "Proximity UUID: e2c56db5-dffb-48d2-b060-d0f5a71096e0",
            "Major: 100",
            "Minor: 7",
            "Measured power at 1 m: \u{2212}59 dBm",
        ],
    );
}

#[test]
fn altbeacon_put_together_by_its_specification() {
    // Version 1.0 has a table and no example: beacon code, 16 and 4 bytes, power, one byte.
    sums_up(
        Source::Manufacturer(0x0118),
        "BEAC E2C56DB5DFFB48D2B060D0F5A71096E0 00640007 C5 01",
        "altbeacon",
        "e2c5…e0, 0064…07",
        &[
            "Organisation: e2c56db5dffb48d2b060d0f5a71096e0",
            "Unit: 00640007",
            "Reference RSSI at 1 m: \u{2212}59 dBm",
            "Manufacturer reserved: 1",
        ],
    );
    let other = Beacon::of(Source::Manufacturer(0x0118), &hex("BEAC 0102"));
    assert_eq!(other, None, "two bytes may be anything");
}

#[test]
fn eddystone_by_its_pages() {
    // Namespace and URL are the examples of eddystone-uid and eddystone-url; layouts of all.
    let uid = "00 EE 8b0ca750095477cb3e77 010203040506";
    let said = [
        "Tx power at 0 m: \u{2212}18 dBm",
        "Namespace: 8b0ca750095477cb3e77",
        "Instance: 010203040506",
    ];
    sums_up(EDDYSTONE, uid, "eddystone-uid", "8b0c…77, 0102…06", &said);
    says(EDDYSTONE, &format!("{uid} 0000"), "eddystone-uid", &said);
    sums_up(
        EDDYSTONE,
        "10 12 03 676f6f2e676c2f41713138 7a46",
        "eddystone-url",
        "https://goo.gl/Aq18zF",
        &["Tx power at 0 m: 18 dBm", "URL: https://goo.gl/Aq18zF"],
    );
    let url = |bytes: &str| said_of(EDDYSTONE, bytes).pop().unwrap();
    assert_eq!(url("10 EE 00 61 00 62 07"), "URL: http://www.a.com/b.com");
    let broken = "URL: https://www..gov\u{FFFD}";
    assert_eq!(url("10 EE 01 0D 0E 20 7F FF"), broken);
    sums_up(
        EDDYSTONE,
        "20 00 0BB8 FE80 00000102 00001000",
        "eddystone-tlm",
        "3000 mV, \u{2212}1.50 °C",
        &["Advertisements: 258", "Time since start: 409.6 s"],
    );
    sums_up(
        EDDYSTONE,
        "20 00 0000 8000 00000000 00000000",
        "eddystone-tlm",
        "",
        &["Battery: not measured", "Temperature: not measured"],
    );
    says(
        EDDYSTONE,
        "20 01 000102030405060708090A0B 1234 5678",
        "eddystone-tlm-encrypted",
        &["Salt: 0x1234", "Integrity check: 0x5678"],
    );
    says(
        EDDYSTONE,
        "30 EE 0102030405060708",
        "eddystone-eid",
        &["Ephemeral identifier: 0102030405060708"],
    );
}

fn said_of(source: Source, payload: &str) -> Vec<String> {
    let bytes = hex(payload);
    said(Beacon::of(source, &bytes).unwrap(), &bytes)
}

#[test]
fn find_my_device_put_together_by_its_specification() {
    // v1.3: frame type, identifier of 20 or 32 bytes, hashed flags. Public firmware lays out the 20 bytes
    // so; the 32 are not verified against a published example.
    let short = "0102030405060708090A0B0C0D0E0F1011121314";
    says(
        EDDYSTONE,
        &format!("40 {short} 5A"),
        "fmdn",
        &[
            "Frame type: separated or near its owner",
            "Ephemeral identifier: 0102030405060708090a0b0c0d0e0f1011121314",
            "Hashed flags: 0x5A",
        ],
    );
    let long = format!("41 {short} 15161718191A1B1C1D1E1F20");
    says(
        EDDYSTONE,
        &long,
        "fmdn",
        &["Frame type: unwanted tracking protection"],
    );
}

#[test]
fn ruuvi_3_by_the_vectors_of_its_page() {
    says(
        RUUVI,
        "03291A1ECE1EFC18F94202CA0B53",
        "ruuvi-3",
        &[
            "Humidity: 20.5 %",
            "Temperature: 26.30 °C",
            "Pressure: 1027.66 hPa",
            "Acceleration X: \u{2212}1.000 g",
            "Acceleration Y: \u{2212}1.726 g",
            "Acceleration Z: 0.714 g",
            "Battery: 2899 mV",
        ],
    );
    says(
        RUUVI,
        "03FF7F63FFFF7FFF7FFF7FFFFFFF",
        "ruuvi-3",
        &[
            "Humidity: 127.5 %",
            "Temperature: 127.99 °C",
            "Pressure: 1155.35 hPa",
            "Acceleration X: 32.767 g",
            "Battery: 65535 mV",
        ],
    );
    says(
        RUUVI,
        "0300FF6300008001800180010000",
        "ruuvi-3",
        &[
            "Humidity: 0.0 %",
            "Temperature: \u{2212}127.99 °C",
            "Pressure: 500.00 hPa",
            "Acceleration Z: \u{2212}32.767 g",
            "Battery: 0 mV",
        ],
    );
}

#[test]
fn ruuvi_5_by_the_vectors_of_its_page() {
    sums_up(
        RUUVI,
        "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F",
        "ruuvi-5",
        "24.300 °C, 53.4900 %, 1000.44 hPa",
        &[
            "Acceleration X: 0.004 g",
            "Acceleration Y: \u{2212}0.004 g",
            "Acceleration Z: 1.036 g",
            "Tx power: 4 dBm",
            "Battery: 2977 mV",
            "Movements: 66",
            "Measurement: 205",
            "Address: CB:B8:33:4C:88:4F",
        ],
    );
    says(
        RUUVI,
        "057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F",
        "ruuvi-5",
        &[
            "Temperature: 163.835 °C",
            "Humidity: 163.8350 %",
            "Pressure: 1155.34 hPa",
            "Acceleration X: 32.767 g",
            "Tx power: 20 dBm",
            "Battery: 3646 mV",
            "Movements: 254",
            "Measurement: 65534",
        ],
    );
    says(
        RUUVI,
        "058001000000008001800180010000000000CBB8334C884F",
        "ruuvi-5",
        &[
            "Temperature: \u{2212}163.835 °C",
            "Humidity: 0.0000 %",
            "Pressure: 500.00 hPa",
            "Acceleration X: \u{2212}32.767 g",
            "Tx power: \u{2212}40 dBm",
            "Battery: 1600 mV",
            "Movements: 0",
            "Measurement: 0",
        ],
    );
    sums_up(
        RUUVI,
        "058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF",
        "ruuvi-5",
        "",
        &[
            "Temperature: not available",
            "Humidity: not available",
            "Pressure: not available",
            "Acceleration X: not available",
            "Tx power: not available",
            "Battery: not available",
            "Movements: not available",
            "Measurement: not available",
        ],
    );
}

#[test]
fn ruuvi_6_by_the_vectors_of_its_page() {
    says(
        RUUVI,
        "06170C5668C79E007000C90501D9FFCD004C884F",
        "ruuvi-6",
        &[
            "Temperature: 29.500 °C",
            "Humidity: 55.3000 %",
            "Pressure: 1011.02 hPa",
            "PM 2.5: 11.2 µg/m³",
            "CO₂: 201 ppm",
            "VOC index: 10",
            "NOx index: 2",
            "Luminosity: 13026.67 lx",
            "Measurement, lowest byte: 205",
            "Calibration in progress: no",
            "Address, lowest three bytes: 4c884f",
        ],
    );
    // The page's flags of the largest values have two reserved bits set: marked, and no more.
    let largest = said_of(RUUVI, "067FFF9C40FFFE27109C40FAFAFEFFFF074C8F4F");
    for line in [
        "Temperature: 163.835 °C",
        "Humidity: 100.0000 %",
        "Pressure: 1155.34 hPa",
        "PM 2.5: 1000.0 µg/m³",
        "CO₂: 40000 ppm",
        "VOC index: 500",
        "NOx index: 500",
        "Luminosity: 65535 lx",
        "Measurement, lowest byte: 255",
        "Calibration in progress: yes",
        "Reserved: yes [reserved]",
    ] {
        assert!(
            largest.iter().any(|said| said == line),
            "{line} {largest:#?}"
        );
    }
    says(
        RUUVI,
        "0680010000000000000000000000FF00004C884F",
        "ruuvi-6",
        &[
            "Temperature: \u{2212}163.835 °C",
            "Pressure: 500.00 hPa",
            "VOC index: 0",
            "Luminosity: 0 lx",
        ],
    );
    let nothing = said_of(RUUVI, "068000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
    let missing = nothing
        .iter()
        .filter(|line| line.ends_with("not available"));
    assert_eq!(missing.count(), 8, "{nothing:#?}");
}

#[test]
fn ruuvi_e1_by_the_vectors_of_its_page() {
    // The page says that calibration is under way in the first, and its flags are 0x01.
    says(
        RUUVI,
        "E1170C5668C79E0065007004BD11CA00C90A0213E0ACFFFFFFDECDEE01FFFFFFFFFFCBB8334C884F",
        "ruuvi-e1",
        &[
            "Temperature: 29.500 °C",
            "Humidity: 55.3000 %",
            "Pressure: 1011.02 hPa",
            "PM 1.0: 10.1 µg/m³",
            "PM 2.5: 11.2 µg/m³",
            "PM 4.0: 121.3 µg/m³",
            "PM 10.0: 455.4 µg/m³",
            "CO₂: 201 ppm",
            "VOC index: 20",
            "NOx index: 4",
            "Luminosity: 13027.00 lx",
            "Measurement: 14601710",
            "Calibration in progress: yes",
            "Address: CB:B8:33:4C:88:4F",
        ],
    );
    let largest = said_of(
        RUUVI,
        "E17FFF9C40FFFE27102710271027109C40FAFADC28F0FFFFFFFFFFFE3FFFFFFFFFFFCBB8334C884F",
    );
    for line in [
        "PM 10.0: 1000.0 µg/m³",
        "VOC index: 500",
        "Luminosity: 144284.00 lx",
        "Measurement: 16777214",
    ] {
        assert!(
            largest.iter().any(|said| said == line),
            "{line} {largest:#?}"
        );
    }
    let nothing = said_of(
        RUUVI,
        "E18000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFFFFFFFFFFFFFFFF",
    );
    let missing = nothing
        .iter()
        .filter(|line| line.ends_with("not available"));
    assert_eq!(missing.count(), 12, "{nothing:#?}");
}

#[test]
fn ruuvi_c5_and_8_by_their_pages() {
    // C5 with the first byte that its table says; the page's vector has that of format 5.
    says(
        RUUVI,
        "C512FC5394C37CAC364200CDCBB8334C884F",
        "ruuvi-c5",
        &[
            "Temperature: 24.300 °C",
            "Tx power: 4 dBm",
            "Battery: 2977 mV",
            "Measurement: 205",
        ],
    );
    sums_up(
        RUUVI,
        "08 43825B56324FE019C4BD4D6D3CECAC6E 1C AABBCCDDEEDD",
        "ruuvi-8",
        "encrypted 43 82 5B 56 32 4F E0 19 C4 BD 4D 6D 3C EC AC 6E",
        &["Checksum: 0x1C", "Address: AA:BB:CC:DD:EE:DD"],
    );
}

/// Payload and numbers of BTHome version 2.
const BTHOME_2: &[(&str, &[f64])] = &[
    ("40002e01641e012e34451601", &[46.0, 100.0, 1.0, 52.0, 27.8]),
    ("42b2188d38c1a404138a01", &[1008.83]),
    ("400009015d025d0903b718", &[9.0, 93.0, 23.97, 63.27]),
    ("4002ca0903bf13", &[25.06, 50.55]),
    ("4004138a01", &[1008.83]),
    ("4005138a14", &[13460.67]),
    ("40065e1f", &[80.3]),
    ("40073e1d", &[74.86]),
    ("4008ca06", &[17.38]),
    ("400960", &[96.0]),
    ("400a138a14", &[1346.067]),
    ("400b021b00", &[69.14]),
    ("400c020c", &[3.074]),
    ("400f01", &[1.0]),
    ("401001", &[1.0]),
    ("401100", &[0.0]),
    ("402d01", &[1.0]),
    ("400d120c0e021c", &[3090.0, 7170.0]),
    ("4012e204", &[1250.0]),
    ("40133301", &[307.0]),
    ("4014020c", &[30.74]),
    ("403f020c", &[307.4]),
    ("40400c00", &[12.0]),
    ("40414e00", &[7.8]),
    ("40424e3400", &[13.39]),
    ("40434e34", &[13.39]),
    ("40444e34", &[133.9]),
    ("40624099dfff", &[-2.123456]),
    ("40451101", &[27.3]),
    ("404632", &[5.0]),
    ("40478756", &[2215.1]),
    ("4048dc87", &[34780.0]),
    ("4049dc87", &[34.78]),
    ("404a020c", &[307.4]),
    ("404b138a14", &[1346.067]),
    ("404c41018a01", &[25821.505]),
    ("404d12138a14", &[344593.17]),
    ("404e87562a01", &[19551.879]),
    ("404f87562a01", &[19551.879]),
    ("44518756", &[22.151]),
    ("40630057d0ff", &[-3.123456]),
    ("44528756", &[22.151]),
    ("405587562a01", &[19551.879]),
    ("4056e803", &[1000.0]),
    ("4057ea", &[-22.0]),
    ("4058ea", &[-7.7]),
    ("4059ea", &[-22.0]),
    ("405aeaea", &[-5398.0]),
    ("405bea0234ea", &[-365690134.0]),
    ("405c02fbffff", &[-12.78]),
    ("405d02ea", &[-5.63]),
    ("4002ca0902cf09", &[25.06, 25.11]),
    (
        "4002ca0902cf0902cf0803b71803b717015d",
        &[25.06, 25.11, 22.55, 63.27, 60.71, 93.0],
    ),
    (
        "4000010b0000004a0d0901330ce90c",
        &[1.0, 0.0, 231.7, 51.0, 3.305],
    ),
    ("405e3f755f11d5", &[300.15, 5454.5]),
    ("4061ac0d", &[3500.0]),
    ("406402", &[2.0]),
];

#[test]
fn bthome_2_by_the_payloads_of_bthome_ble() {
    // The tests of bthome-ble 3.25 (MIT), which take many from bthome.io/format.
    for (payload, numbers) in BTHOME_2 {
        let bytes = hex(payload);
        let beacon = Beacon::of(BTHOME, &bytes).unwrap();
        assert_eq!(beacon.key(), "bthome-2");
        let mut ours = Vec::new();
        beacon.columns(&bytes, &mut |_, number| ours.push(number));
        assert_eq!(ours, *numbers, "{payload}");
        let lines = said(beacon, &bytes);
        assert!(
            !lines
                .iter()
                .any(|line| line.ends_with(']') && line.contains(" [")),
            "{lines:?}"
        );
    }
}

#[test]
fn bthome_2_says_events_text_and_time() {
    // Payloads of the same tests.
    let last = |payload: &str| said_of(BTHOME, payload).pop().unwrap();
    assert_eq!(last("403a04"), "Button: long press");
    assert_eq!(last("403a80"), "Button: hold press");
    assert_eq!(last("403afe"), "Button: 254 [reserved]");
    assert_eq!(last("403c0103"), "Steps: 3");
    assert_eq!(last("44505d396164"), "Time: 2023-05-14 19:41:17");
    assert_eq!(last("44530c48656c6c6f20576f726c6421"), "Text: Hello World!");
    assert_eq!(
        last("44530187"),
        "Text: \u{FFFD} [not UTF-8 from byte 0 on]"
    );
    assert_eq!(last("44540248 65"), "Raw: 48 65");
    says(
        BTHOME,
        "403a003a013a03",
        "bthome-2",
        &[
            "Trigger-based: no, regular",
            "Version: 2",
            "Button: none",
            "Button: press",
            "Button: triple press",
        ],
    );
    sums_up(
        BTHOME,
        "400009015d025d0903b718",
        "bthome-2",
        "battery 93 %, 23.97 °C, 63.27 %",
        &["Packet: 9"],
    );
    // An op code without arguments, by the same reader; put together by hand.
    assert_eq!(last("403B0002"), "Command: toggle");
}

#[test]
fn bthome_2_marks_what_it_cannot_read_and_keeps_the_rest() {
    let unknown = said_of(BTHOME, "40015dfe5d0903b718");
    assert_eq!(
        unknown[4..],
        [
            "Battery: 93 %",
            "Unknown object: 0xFE",
            "Data: 5D 09 03 B7 18"
        ]
    );
    let short = said_of(BTHOME, "4002ca0903bf");
    assert_eq!(
        short[4..],
        [
            "Temperature: 25.06 °C",
            "Humidity: missing [cut short: 1 of 2 bytes]"
        ]
    );
    let version = said_of(BTHOME, "2004138a01");
    assert_eq!(version[3], "Version: 1 [reserved]");
    let text = said_of(BTHOME, "40530A4142");
    assert_eq!(text.last().unwrap(), "Text: AB [impossible length]");
}

#[test]
fn the_same_object_again_has_the_next_column() {
    let bytes = hex("4002ca0902cf0902cf080201000200000200 00");
    let beacon = Beacon::of(BTHOME, &bytes).unwrap();
    let series = beacon.series();
    for (at, column) in series.iter().enumerate() {
        assert_eq!(column.column, at);
    }
    let mut named = Vec::new();
    beacon.columns(&bytes, &mut |column, number| {
        named.push((series[column].name.as_str(), number));
    });
    assert_eq!(
        named,
        [
            ("Temperature", 25.06),
            ("Temperature[1]", 25.11),
            ("Temperature[2]", 22.55),
            ("Temperature[3]", 0.01),
        ],
        "the fifth and sixth have a field and no column"
    );
    let fields = said(beacon, &bytes);
    assert_eq!(fields.last().unwrap(), "Temperature[5]: 0.00 °C");
    assert!(
        series
            .iter()
            .any(|one| one.role == Some(decode::Role::Count))
    );
}

#[test]
fn bthome_1_by_the_payloads_of_bthome_ble_and_pvvx() {
    for (payload, numbers) in [
        ("2302ca090303bf13", &[25.06, 50.55][..]),
        ("23025d090303b71802015d", &[23.97, 63.27, 93.0]),
        ("0404138a01", &[1008.83]),
        ("0405138a14", &[13460.67]),
        // A float of two bytes.
        ("4306fe70", &[102.24]),
        ("03073e1d", &[74.86]),
        ("2308ca06", &[17.38]),
        ("020960", &[96.0]),
        ("040a138a14", &[1346.067]),
        ("040b021b00", &[69.14]),
        ("030c020c", &[3.074]),
        ("020f01", &[1.0]),
        ("021100", &[0.0]),
        ("030d120c030e021c", &[3090.0, 7170.0]),
        ("0312e204", &[1250.0]),
        ("03133301", &[307.0]),
        ("0314020c", &[30.74]),
        // atc_mi_format_test.py of pvvx/ATC_MiThermometer.
        ("02005623026c070303ff1302014e", &[86.0, 19.0, 51.19, 78.0]),
        ("020063021001030cd90a", &[99.0, 1.0, 2.777]),
    ] {
        let bytes = hex(payload);
        let beacon = Beacon::of(BTHOME_1, &bytes).unwrap();
        assert_eq!(beacon.key(), "bthome-1");
        let mut ours = Vec::new();
        beacon.columns(&bytes, &mut |_, number| ours.push(number));
        assert_eq!(ours, numbers, "{payload}");
    }
    assert_eq!(
        said_of(BTHOME_1, "a5505d396164"),
        ["Time: 2023-05-14 19:41:17"]
    );
    assert_eq!(said_of(BTHOME_1, "023a04"), ["Button: long press"]);
    // An address has no number, as the parser of custom-components/ble_monitor has it. Made by hand.
    assert_eq!(
        said_of(BTHOME_1, "020160 86010203040506 020161"),
        [
            "Battery: 96 %",
            "Address: 06:05:04:03:02:01",
            "Battery[1]: 97 %"
        ]
    );
    assert_eq!(
        said_of(BTHOME_1, "033c0103"),
        ["Dimmer: rotate left", "Steps: 3"]
    );
    assert_eq!(
        said_of(BTHOME_1, "020960 05"),
        ["Count: 96", "Unknown object: missing [missing]"]
    );
}

#[test]
fn encrypted_payloads_say_so_and_give_their_counter() {
    // bthome-ble, tests of both versions and of Shelly's button.
    says(
        BTHOME,
        "41a47266c95f730011223378237214",
        "bthome-2-encrypted",
        &[
            "Encryption: encrypted",
            "Encrypted: A4 72 66 C9 5F 73",
            "Counter: 857870592",
            "Integrity check: 78 23 72 14",
        ],
    );
    says(
        BTHOME,
        "43a5808fe64854f196c06ffb4900112233f08ecbde",
        "bthome-2-encrypted",
        &["Address: 54:48:E6:8F:80:A5", "Counter: 857870592"],
    );
    says(
        BTHOME_1_ENCRYPTED,
        "fba435e4d3c312fb0011223357d90a99",
        "bthome-1-encrypted",
        &["Encrypted: FB A4 35 E4 D3 C3 12 FB", "Counter: 857870592"],
    );
    // xiaomi-ble, LYWSD03MMC and a frame of version 3.
    says(
        MIBEACON,
        "58585b0550f4830238c1a495ef58763c26000097e2abb5",
        "mibeacon-encrypted",
        &[
            "Encrypted: yes",
            "Version: 5",
            "Product: LYWSD03MMC thermometer",
            "Address: A4:C1:38:02:83:F4",
            "Encrypted object: 95 EF 58 76 3C",
            "Random number: 26 00 00",
            "Integrity check: 97 E2 AB B5",
        ],
    );
    says(
        MIBEACON,
        "5830b603d28b98c54124f8c34914 76757e000000 99",
        "mibeacon-encrypted",
        &[
            "Version: 3",
            "Random number: 00 00 00",
            "Integrity check: 99",
        ],
    );
    // pvvx/ATC_MiThermometer, atc_mi_format_test.py.
    let encrypted = [
        ("bd86c53ffab900c1515859", "pvvx-encrypted"),
        ("bde9b75db856f303", "atc1441-encrypted"),
    ];
    for (payload, key) in encrypted {
        says(THERMOMETER, payload, key, &["Measurement: 189"]);
    }
    let short = said_of(BTHOME, "41ba0db07aeef600");
    assert!(
        short.iter().any(|line| line.contains("cut short")),
        "{short:?}"
    );
}

#[test]
fn thermometers_by_the_payloads_of_pvvx() {
    // pvvx/ATC_MiThermometer, atc_mi_format_test.py; values by the structures of custom_beacon.h.
    sums_up(
        THERMOMETER,
        "ccbbaa38c1a46c07fa13d60a52090f",
        "pvvx",
        "19.00 °C, 51.14 %, battery 82 %",
        &[
            "Address: A4:C1:38:AA:BB:CC",
            "Battery: 2774 mV",
            "Measurement: 9",
            "Reed switch: yes",
        ],
    );
    sums_up(
        THERMOMETER,
        "a4c138aabbcc00ce33430a6ec3",
        "atc1441",
        "20.6 °C, 51 %, battery 67 %",
        &[
            "Address: A4:C1:38:AA:BB:CC",
            "Battery: 2670 mV",
            "Measurement: 195",
        ],
    );
    assert_eq!(
        Beacon::of(THERMOMETER, &[0; 14]),
        None,
        "another length, another format"
    );
}

#[test]
fn mibeacon_by_the_payloads_of_xiaomi_ble() {
    // The tests of xiaomi-ble 1.21 (Apache-2.0) and atc_mi_format_test.py of pvvx.
    for (payload, numbers) in [
        (
            "50305b05034c94b438c1a40d10041001ea01",
            &[3.0, 27.2, 49.0][..],
        ),
        (
            "5020aa01a3bf2e3b342d580d1004b40095020a10013b",
            &[163.0, 18.0, 66.1, 59.0],
        ),
        ("5040df0201df02008d7cc41010027d00", &[1.0, 1.25]),
        ("712098001 2f34f6b8d7cc40d041002c400", &[18.0, 19.6]),
        ("71209800667a3e6a8d7cc40d071003000000", &[102.0, 0.0]),
        ("71209800687a3e6a8d7cc40d0910025702", &[104.0, 599.0]),
        ("71209800477a3e6a8d7cc40d08100140", &[71.0, 64.0]),
        (
            "71205d01015d01008d7cc40d081001400910025702",
            &[1.0, 64.0, 599.0],
        ),
        ("7120bc03cd3e596d8d7cc40d0410023c01", &[205.0, 31.6]),
        ("5059db780df4f80238c1a40d1004eb00e701", &[13.0, 23.5, 48.7]),
        ("50585b051bccbbaa38c1a40d1004be000002", &[27.0, 19.0, 51.2]),
        ("50585b0522ccbbaa38c1a40a10014f", &[34.0, 79.0]),
    ] {
        let bytes = hex(payload);
        let beacon = Beacon::of(MIBEACON, &bytes).unwrap();
        assert_eq!(beacon.key(), "mibeacon", "{payload}");
        let mut ours = vec![];
        beacon.decode(&bytes, |field| {
            if field.name == "Frame counter" {
                ours.extend(field.number());
            }
            assert_eq!(field.fault, None, "{payload} {}", field.name);
        });
        beacon.columns(&bytes, &mut |_, number| ours.push(number));
        assert_eq!(ours, numbers, "{payload}");
    }
    says(
        MIBEACON,
        "31209800 12f34f6b8d7cc40d",
        "mibeacon-presence",
        &[
            "Version: 2",
            "Product: HHCCJCY01 plant sensor",
            "Address: C4:7C:8D:6B:4F:F3",
            "Capability: 0x0D",
        ],
    );
    says(
        MIBEACON,
        "5030e1048e54d3e63053e2011003010000",
        "mibeacon",
        &["Object: 0x1001", "Button: 1", "Press: single"],
    );
    let short = said_of(MIBEACON, "5020aa01a3bf2e3b342d580d1004b400");
    assert_eq!(short[short.len() - 3], "Object: 0x100D [impossible length]");
    assert_eq!(
        short[short.len() - 2..],
        ["Temperature: 18.0 °C", "Humidity: missing [missing]"]
    );
}

#[test]
fn continuity_by_public_research() {
    // furiousMAC/continuity, messages/*.md: the example column of each message, and a nearby info
    // as the same project's captures have it.
    sums_up(
        APPLE,
        "1005031cf7b75e",
        "apple-continuity",
        "nearby info, idle",
        &[
            "Type: nearby info",
            "Activity: idle",
            "AirDrop receiving: no",
            "Wi-Fi on: yes",
            "Authentication tag present: yes",
            "Authentication tag: F7 B7 5E",
        ],
    );
    sums_up(
        APPLE,
        "0719 01 0e20 55 99 37 39 00 00 9672711ae6a965737c80d805039773d1",
        "apple-continuity",
        "proximity pairing, AirPods Pro, Battery, right 90 %, Battery, left 90 %, …",
        &[
            "Model: AirPods Pro",
            "Status: both in case",
            "Battery, right: 90 %",
            "Battery, left: 90 %",
            "Battery, case: 70 %",
            "Charging, right: yes",
            "Charging, left: yes",
            "Charging, case: no",
            "Lid openings: 57",
            "Colour: white",
        ],
    );
    says(
        APPLE,
        "0512 0000000000000000 01 6e2e f7ad 09b2 2080 00",
        "apple-continuity",
        &[
            "Type: AirDrop",
            "Version: 1",
            "Start of hash of Apple ID: 6e2e",
            "Start of hash of second e-mail: 2080",
        ],
    );
    says(
        APPLE,
        "0906 03 07 c0a80102",
        "apple-continuity",
        &[
            "Type: AirPlay target",
            "Configuration seed: 7",
            "IP address: 192.168.1.2",
        ],
    );
    says(
        APPLE,
        "0c0e 00 495a 48 f28a1927bd62fd895b5a",
        "apple-continuity",
        &[
            "Type: Handoff",
            "Sequence number: 23113",
            "Encrypted: F2 8A 19 27 BD 62 FD 89 5B 5A",
        ],
    );
    says(
        APPLE,
        "0807 d6ec 43 00 0007 ca",
        "apple-continuity",
        &[
            "Type: Hey Siri",
            "Signal to noise: 67",
            "Device class: HomePod",
        ],
    );
    says(
        APPLE,
        "0e06 01 00 57 0007 05",
        "apple-continuity",
        &[
            "Type: tethering source",
            "Battery: 87 %",
            "Cellular service: LTE",
            "Bars: 5",
        ],
    );
    says(
        APPLE,
        "0b03 c4b5 3f",
        "apple-continuity",
        &["Wrist: on wrist"],
    );
    says(
        APPLE,
        "0d04 67f36d01",
        "apple-continuity",
        &["Type: tethering target"],
    );
    says(
        APPLE,
        "0f05 40 08 390087",
        "apple-continuity",
        &[
            "Type: nearby action",
            "Action: Wi-Fi password",
            "Parameters: 39 00 87",
        ],
    );
    // Bit 7 of the flags: an authentication tag. Made by hand.
    says(
        APPLE,
        "0f06 c0 08 390087 f9",
        "apple-continuity",
        &["Authentication tag: 39 00 87", "Parameters: F9"],
    );
    says(
        APPLE,
        "060d 01 222022f38f01 1000 fa92 02 02",
        "apple-continuity",
        &[
            "Type: HomeKit",
            "Not paired: yes",
            "Device ID: 22:20:22:F3:8F:01",
            "Category: range extender",
            "Global state number: 37626",
            "Compatible version: 2",
        ],
    );
    // HomeKit's own three bits stand above the length; put together as HAPBLEAccessoryServer+Advertising.c
    // of apple/HomeKitADK writes both forms. Not verified against a published example.
    says(
        APPLE,
        "0631 00 112233445566 0a00 0100 02 02 01020304",
        "apple-continuity",
        &[
            "Type: HomeKit",
            "Category: sensor",
            "Configuration number: 2",
            "Setup hash: 01020304",
        ],
    );
    says(
        APPLE,
        "1136 112233445566 000102030405060708090a0b 0c0d0e0f",
        "apple-continuity",
        &[
            "Type: HomeKit, encrypted",
            "Device ID: 11:22:33:44:55:66",
            "Authentication tag: 0C 0D 0E 0F",
        ],
    );
    says(
        APPLE,
        "1219 00 57364dc7fb77866c40c91076603cb37c1f59f923ab3a 03 00",
        "apple-continuity",
        &[
            "Type: Find My",
            "Owner: not seen lately",
            "Public key, bytes 6 to 27: 57364dc7fb77866c40c91076603cb37c1f59f923ab3a",
            "Public key, top bits: 3",
            "Hint: 0x00",
        ],
    );
    says(
        APPLE,
        "1202 24 03",
        "apple-continuity",
        &[
            "Owner: seen lately",
            "Battery: full",
            "Public key, top bits: 3",
        ],
    );
}

#[test]
fn several_messages_follow_one_another_and_a_broken_one_ends_them() {
    // Put together of the payloads above.
    let both = said_of(
        APPLE,
        "0c0e 00 495a 48 f28a1927bd62fd895b5a 1005 03 1c f7b75e",
    );
    assert_eq!(
        both.iter()
            .filter(|line| line.starts_with("Type: "))
            .count(),
        2
    );
    let broken = said_of(APPLE, "1009 03 1c");
    assert_eq!(broken[0], "Type: nearby info [impossible length]");
    assert_eq!(broken[1], "Activity: idle");
    let unknown = said_of(APPLE, "7702 0102 1001");
    assert_eq!(
        unknown[..3],
        [
            "Type: 0x77",
            "Data: 01 02",
            "Type: nearby info [impossible length]"
        ]
    );
}

#[test]
fn fast_pair_put_together_by_its_pages() {
    // Advertising, and battery notification: left, right and case, S of 1 bit and V of 7. Not verified
    // against a published example; the types are those of nRF Connect SDK and google/nearby.
    sums_up(
        FAST_PAIR,
        "123456",
        "fast-pair-model",
        "model 0x123456",
        &[],
    );
    says(
        FAST_PAIR,
        "00 40 4A003024 11 C7 33 40 E4 7F",
        "fast-pair-account",
        &[
            "Version: 0",
            "Type: account key filter, shown",
            "Account key filter: 4A 00 30 24",
            "Salt: c7",
            "Type: battery, shown",
            "Battery, left: 64 %",
            "Charging, left: not charging",
            "Battery, right: 100 %",
            "Charging, right: charging",
            "Battery, case: not known",
        ],
    );
    // Audio switching is 5 and what a seeker can resolve 6, as google/nearby numbers them.
    says(
        FAST_PAIR,
        "00 25 AABB 26 CCDD",
        "fast-pair-account",
        &[
            "Type: audio switching",
            "Encrypted connection state: AA BB",
            "Type: random resolvable data",
            "Random resolvable data: CC DD",
        ],
    );
}

/// The primary pod, which bit 5 of the status tells, comes first. Made by hand after
/// `docs/ble-proximity-pairing.md` of `github.com/mstroecker/LinuxPods`.
#[test]
fn pods_are_left_and_right_by_which_is_primary() {
    says(
        APPLE,
        "0719 01 0e20 0b 3a 17 39 00 00 9672711ae6a965737c80d805039773d1",
        "apple-continuity",
        &[
            "Battery, right: 100 %",
            "Battery, left: 30 %",
            "Battery, case: 70 %",
            "Charging, right: yes",
            "Charging, left: no",
            "Charging, case: no",
        ],
    );
    says(
        APPLE,
        "0719 01 0e20 2b 3a 17 39 00 00 9672711ae6a965737c80d805039773d1",
        "apple-continuity",
        &[
            "Battery, left: 100 %",
            "Battery, right: 30 %",
            "Battery, case: 70 %",
            "Charging, left: yes",
            "Charging, right: no",
            "Charging, case: no",
        ],
    );
    // Each pod has one column, whichever comes first.
    let columns = |payload: &str| {
        let bytes = hex(payload);
        let beacon = Beacon::of(APPLE, &bytes).unwrap();
        let mut all = Vec::new();
        beacon.columns(&bytes, &mut |column, number| {
            let series = beacon.series().swap_remove(column);
            assert_eq!(series.column, column);
            all.push((series.name, number));
        });
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    };
    let named = |left, right| {
        vec![
            ("Battery, case".to_owned(), 70.0),
            ("Battery, left".to_owned(), left),
            ("Battery, right".to_owned(), right),
        ]
    };
    assert_eq!(
        columns("0719 01 0e20 0b 3a 17 39 00 00 9672711ae6a965737c80d805039773d1"),
        named(30.0, 100.0)
    );
    assert_eq!(
        columns("0719 01 0e20 2b 3a 17 39 00 00 9672711ae6a965737c80d805039773d1"),
        named(100.0, 30.0)
    );
}

#[test]
fn exposure_matter_and_trackers_put_together_by_their_specifications() {
    // GAEN Bluetooth Specification v1.2: 16 bytes and 4. The bytes are of a published capture.
    says(
        EXPOSURE,
        "4fb6c1ab8ed38fb0ac9a664c33a2da21 ac096709",
        "exposure-notification",
        &[
            "Rolling proximity identifier: 4fb6c1ab8ed38fb0ac9a664c33a2da21",
            "Encrypted metadata: AC 09 67 09",
        ],
    );
    // Matter's test vendor and product, and the default discriminator of its examples, put together by
    // ChipBLEDeviceIdentificationInfo of connectedhomeip; not verified against a published example.
    sums_up(
        MATTER,
        "00 000F F1FF 0180 01",
        "matter",
        "discriminator 3840, vendor 0xFFF1, product 0x8001",
        &[
            "Version: 0",
            "Additional data: yes",
            "Extended announcement: no",
        ],
    );
    assert_eq!(Beacon::of(MATTER, &[1]), None);
    // Table 1 of the draft; not verified against a published example.
    says(
        TRACKER,
        "02 01 AABB",
        "unwanted-tracker",
        &["Network: Google", "Owner: near"],
    );
}

#[test]
fn microsoft_by_published_payloads() {
    // MS-CDP 2.2.2.2.3; the payload and its device and salt are of the tests of igsparser.
    sums_up(
        MICROSOFT,
        "010920025E294E5E30809130E56E2CA4701DC8EBED5396B6320B8F",
        "microsoft-cdp",
        "Windows 10 desktop",
        &[
            "Nearby sharing: my devices only",
            "Status: 0x02",
            "Salt: 5e294e5e",
        ],
    );
    // An Xbox controller's, in ublue-os/bazzite issue 203.
    says(
        MICROSOFT,
        "030080",
        "swift-pair",
        &["Pairing: LE", "Reserved RSSI: 0x80"],
    );
    // The same with a name made up, and with the class of device as public firmware sends it. That of
    // BR/EDR alone is not verified against a published example.
    sums_up(
        MICROSOFT,
        "030080 4D6F757365",
        "swift-pair",
        "LE, Mouse",
        &["Reserved RSSI: 0x80"],
    );
    says(
        MICROSOFT,
        "030180 665544332211 180424",
        "swift-pair",
        &[
            "Pairing: BR/EDR",
            "BR/EDR address: 11:22:33:44:55:66",
            "Class of device: 0x240418",
        ],
    );
    says(
        MICROSOFT,
        "030280 180424 4D",
        "swift-pair",
        &[
            "Pairing: LE and BR/EDR",
            "Class of device: 0x240418",
            "Name: M",
        ],
    );
}

#[test]
fn mesh_by_the_sample_data_of_its_specification() {
    // Mesh Protocol, 8.4.3, 8.4.6.1 and 8.4.6.2, as the tests of BlueZ have them.
    says(
        MESH_BEACON,
        "02435f18f85cf78a3121f58478a561e488e7cbf3174f022a514741",
        "mesh-private",
        &[
            "Random: 435f18f85cf78a3121f58478a5",
            "Obfuscated: 61 E4 88 E7 CB",
            "Authentication tag: f3174f022a514741",
        ],
    );
    says(
        MESH_BEACON,
        "021b998f82927535ea6f3076f422ce827408ab2f0ffb94cf97f881",
        "mesh-private",
        &["Authentication tag: 2f0ffb94cf97f881"],
    );
    sums_up(
        MESH_BEACON,
        "01 00 3ecaff672f673370 12345678 8ea261582f364f6f",
        "mesh-secure-network",
        "network 3eca…70",
        &[
            "Key refresh: no",
            "IV update: no",
            "IV index: 305419896",
            "Authentication value: 8ea261582f364f6f",
        ],
    );
    says(
        MESH_PROXY,
        "00 3ecaff672f673370",
        "mesh-proxy-network",
        &["Network ID: 3ecaff672f673370"],
    );
    // The sample of the unprovisioned device beacon, as several public stacks test it.
    says(
        MESH_BEACON,
        "00 70cf7c9732a345b691494810d2e9cbf4 4020 d97478b3",
        "mesh-unprovisioned",
        &[
            "Device UUID: 70cf7c97-32a3-45b6-9149-4810d2e9cbf4",
            "Number: yes",
            "Inside manual: yes",
            "On device: no",
            "URI hash: d97478b3",
        ],
    );
}

#[test]
fn mesh_put_together_by_its_specification() {
    // Not verified against published examples.
    says(
        MESH_PROVISIONING,
        "000102030405060708090A0B0C0D0E0F 8004",
        "mesh-provisioning",
        &[
            "Device UUID: 00010203-0405-0607-0809-0a0b0c0d0e0f",
            "2D machine-readable code: yes",
            "Number: no",
            "On device: yes",
        ],
    );
    for (kind, key) in [
        ("01", "mesh-proxy-node"),
        ("02", "mesh-proxy-private-network"),
        ("03", "mesh-proxy-private-node"),
    ] {
        let payload = format!("{kind} 0001020304050607 08090A0B0C0D0E0F");
        says(
            MESH_PROXY,
            &payload,
            key,
            &["Hash: 0001020304050607", "Random: 08090a0b0c0d0e0f"],
        );
    }
    says(
        PB_ADV,
        "23AF5850 00 08 0012 AB 0102",
        "mesh-provisioning-pdu",
        &[
            "Link ID: 0x23AF5850",
            "Kind: transaction start",
            "Last segment: 2",
            "Total length: 18",
            "Frame check sequence: 0xAB",
            "Data: 01 02",
        ],
    );
    says(
        PB_ADV,
        "23AF5850 00 03 0102",
        "mesh-provisioning-pdu",
        &["Kind: bearer control", "Bearer op code: link open"],
    );
    says(
        MESH_MESSAGE,
        "E8 010203040506 0102030405060708",
        "mesh-network-pdu",
        &["Network key ID: 104", "Lowest bit of IV index: 1"],
    );
}
