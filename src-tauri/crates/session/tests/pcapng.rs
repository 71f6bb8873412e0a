//! Wireshark's own dissectors read our captures. Needs `tshark`; without it these tests say that
//! they are skipped, and in CI on Linux they fail.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

#[path = "wireshark/dissect.rs"]
mod dissect;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use dissect::{operations, pdus, tshark, tshark_is_here};
use radio::{
    Address, AddressKind, Advertisement, AttError, AttrId, AttrKind, Clock, CompanyId, DeviceId,
    DisconnectReason, GattDb, Handle, NotifyMode, Properties, Rssi, Sample, SampleKind, Timestamp,
    WriteKind,
};
use session::export::{Pcapng, Progress, to_file, to_writer};
use session::{
    Cause, Event, Failure, Filter, Kind, LinkKey, Options, Recorder, Session, SessionTime,
    WallClock, WallTime,
};
use tempfile::TempDir;
use uuid::Uuid;

const HEART_RATE: Uuid = assigned(0x180D);
const MEASUREMENT: Uuid = assigned(0x2A37);
const CONFIGURATION: Uuid = assigned(0x2902);
const OTHER: Uuid = Uuid::from_u128(0xE7A1_0002_5B2D_4C6E_9A70_1B2C_3D4E_5F60);
const OURS: Uuid = Uuid::from_u128(0xE7A1_0001_5B2D_4C6E_9A70_1B2C_3D4E_5F60);

const fn assigned(number: u128) -> Uuid {
    Uuid::from_u128(number << 96 | 0x1000_8000_0080_5F9B_34FB)
}

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn recorder(folder: &TempDir) -> Recorder {
    let options = Options {
        wall: WallClock::from_fn(|| WallTime {
            unix_ns: 1_769_947_509_000_000_042,
            utc_offset_s: 3600,
        }),
        ..Options::default()
    };
    Recorder::create(folder.path(), Clock::manual(), options).unwrap()
}

/// A heart rate service with its measurement, and one of ours with a value.
struct Found {
    link: LinkKey,
    measurement: AttrId,
    ours: AttrId,
    other: AttrId,
}

fn connect(recorder: &Recorder, address: &str, handles: bool) -> Found {
    let device = recorder.device(&DeviceId::from(address), Some("HR"));
    recorder.record(Timestamp(0), Event::Connecting { device });
    let link = recorder.link_up(Timestamp(1_000), device);
    let mut db = GattDb::new();
    let mut push = |kind, uuid, handle, parent, properties| {
        let handle = handles.then_some(Handle(handle));
        db.push(kind, uuid, handle, parent, properties).unwrap()
    };
    let none = Properties::default();
    let heart = push(AttrKind::Service, HEART_RATE, 0x10, None, none);
    let measurement = push(
        AttrKind::Characteristic,
        MEASUREMENT,
        0x12,
        Some(heart),
        Properties::NOTIFY,
    );
    push(
        AttrKind::Descriptor,
        CONFIGURATION,
        0x13,
        Some(measurement),
        none,
    );
    let service = push(AttrKind::Service, OURS, 0x20, None, none);
    let ours = push(
        AttrKind::Characteristic,
        OURS,
        0x22,
        Some(service),
        Properties(Properties::READ.0 | Properties::WRITE.0 | Properties::INDICATE.0),
    );
    let other = push(
        AttrKind::Characteristic,
        OTHER,
        0x25,
        Some(service),
        Properties::READ,
    );
    recorder.attributes(Timestamp(2_000), link, &db);
    Found {
        link,
        measurement,
        ours,
        other,
    }
}

fn value(attribute: AttrId, at: i64, kind: SampleKind, bytes: &[u8]) -> Sample {
    Sample {
        attribute,
        at: Timestamp(at),
        lost_before: 0,
        kind,
        bytes: Bytes::copy_from_slice(bytes),
    }
}

/// Every operation, with every outcome.
fn record(folder: &TempDir, handles: bool) -> PathBuf {
    let recorder = recorder(folder);
    let Found {
        link,
        measurement,
        ours,
        ..
    } = connect(&recorder, "C4:7C:8D:6A:11:02", handles);
    let mut now = 10_000;
    let mut tell = |event| {
        now += 1_000_000;
        recorder.record(Timestamp(now), event);
    };
    tell(Event::Mtu { link, mtu: 247 });
    let refused = Failure::from(radio::Error::Att(AttError::INSUFFICIENT_ENCRYPTION));
    let results = [
        Ok(Bytes::from_static(&[0xDE, 0xAD])),
        Ok(Bytes::new()),
        Ok(Bytes::from(vec![0x5A; 512])),
        Err(refused.clone()),
        Err(Failure::local("it took too long")),
        Ok(Bytes::from_static(&[1])),
    ];
    for result in results {
        tell(Event::ReadRequest { attribute: ours });
        tell(Event::ReadResult {
            attribute: ours,
            result,
        });
    }
    for result in [Ok(()), Err(refused.clone())] {
        tell(Event::Write {
            attribute: ours,
            value: Bytes::from_static(&[1, 2, 3]),
            kind: WriteKind::WithResponse,
        });
        tell(Event::WriteResult {
            attribute: ours,
            result,
        });
    }
    tell(Event::Write {
        attribute: ours,
        value: Bytes::from_static(&[7]),
        kind: WriteKind::WithoutResponse,
    });
    tell(Event::WriteResult {
        attribute: ours,
        result: Ok(()),
    });
    for (attribute, mode) in [
        (measurement, NotifyMode::Notify),
        (ours, NotifyMode::System),
    ] {
        tell(Event::Subscribed {
            attribute,
            mode,
            result: Ok(()),
        });
    }
    for number in 0..40_u8 {
        tell(Event::Value {
            attribute: measurement,
            kind: SampleKind::Notification,
            lost_before: 0,
            bytes: Bytes::copy_from_slice(&[0, number]),
        });
    }
    for (kind, len) in [
        (SampleKind::Indication, 0),
        (SampleKind::NotificationOrIndication, 20),
        (SampleKind::Notification, 244),
    ] {
        tell(Event::Value {
            attribute: ours,
            kind,
            lost_before: 0,
            bytes: Bytes::from(vec![len; len.into()]),
        });
    }
    tell(Event::Rssi {
        link,
        rssi: Rssi(-61),
    });
    tell(Event::Unsubscribed {
        attribute: measurement,
        result: Ok(()),
    });
    tell(Event::Disconnected {
        link,
        reason: DisconnectReason::Remote(Some("0x13".into())),
    });
    recorder.close().unwrap();
    recorder.path().to_owned()
}

fn export(folder: &TempDir, path: &Path, filter: Filter) -> (PathBuf, session::export::Summary) {
    let session = Session::open(path).unwrap();
    let target = folder.path().join("out.pcapng");
    let summary = to_file(&session, &Pcapng { filter }, &target, &mut go_on).unwrap();
    assert_eq!(summary.bytes, std::fs::metadata(&target).unwrap().len());
    if tshark_is_here() {
        let all = tshark(&target, "frame", &["frame.number"]);
        assert_eq!(summary.rows, all.len() as u64);
        let wrong = tshark(
            &target,
            "_ws.malformed || _ws.short || _ws.unreassembled || _ws.expert.severity >= 0x600000",
            &["frame.number", "_ws.col.Info", "_ws.expert.message"],
        );
        assert_eq!(wrong, Vec::<Vec<String>>::new());
    }
    (target, summary)
}

/// ATT, but not what an MTU exchange or a discovery says.
const OPERATIONS: &str =
    "btatt && !(btatt.opcode in {0x02, 0x03, 0x04, 0x05, 0x08, 0x09, 0x10, 0x11})";

/// Nanoseconds since 1970 of a session time, as tshark prints it.
fn printed(at: SessionTime) -> String {
    let at = 1_769_947_509_000_000_042 + at.nanos();
    format!("{}.{:09}", at / 1_000_000_000, at % 1_000_000_000)
}

/// What the session says should be on the air: time, direction, opcode, handle, value or error code.
fn expected(
    path: &Path,
    handle: impl Fn(AttrId) -> u16,
    configuration: impl Fn(AttrId) -> u16,
) -> Vec<[String; 5]> {
    let session = Session::open(path).unwrap();
    let mut air = Vec::new();
    let mut commanded = false;
    for event in session.events(&Filter::default()).unwrap() {
        let event = event.unwrap();
        let Some(id) = event.attribute else { continue };
        let value = event.value.as_deref().unwrap_or_default();
        let value: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut put = |sent: bool, opcode: u8, handle: u16, value: &str| {
            air.push([
                printed(event.at),
                if sent { "0x00" } else { "0x01" }.to_owned(),
                format!("0x{opcode:02x}"),
                if handle == 0 {
                    String::new()
                } else {
                    format!("0x{handle:04x}")
                },
                value.to_owned(),
            ]);
        };
        let code = event.status.filter(|code| *code > 0);
        let code = code.map(|code| format!("0x{code:02x}"));
        match event.kind {
            Kind::ReadRequest => put(true, 0x0A, handle(id), ""),
            Kind::ReadResult | Kind::WriteResult if event.status == Some(-1) => {}
            Kind::ReadResult | Kind::WriteResult if code.is_some() => {
                put(false, 0x01, handle(id), &code.unwrap());
            }
            Kind::ReadResult => put(false, 0x0B, handle(id), &value),
            Kind::WriteRequest => {
                commanded = false;
                put(true, 0x12, handle(id), &value);
            }
            Kind::WriteCommand => {
                commanded = true;
                put(true, 0x52, handle(id), &value);
            }
            Kind::WriteResult if commanded => {}
            Kind::WriteResult => put(false, 0x13, handle(id), ""),
            Kind::Subscribed | Kind::Unsubscribed => {
                let value = match event.kind {
                    Kind::Unsubscribed => "0000",
                    // Of `record`: what the user left to the system can only indicate.
                    _ if event.number == Some(0) => "0200",
                    _ => "0100",
                };
                put(true, 0x12, configuration(id), value);
                put(false, 0x13, configuration(id), "");
            }
            Kind::Notification | Kind::NotificationOrIndication => {
                put(false, 0x1B, handle(id), &value);
            }
            Kind::Indication => {
                put(false, 0x1D, handle(id), &value);
                put(true, 0x1E, handle(id), "");
            }
            other => panic!("{other:?}"),
        }
    }
    air
}

/// What tshark says was on the air, in the same shape. A value whose format tshark knows has fields
/// of its own there; its bytes are then those of the PDU.
fn dissected(capture: &Path) -> Vec<[String; 5]> {
    let fields = [
        "frame.time_epoch",
        "hci_h4.direction",
        "btatt.opcode",
        "btatt.handle",
        "btatt.value",
        "btatt.error_code",
    ];
    let mut air: Vec<[String; 5]> = Vec::new();
    let rows = tshark(capture, OPERATIONS, &fields);
    let pdus = pdus(capture, OPERATIONS);
    assert_eq!(rows.len(), pdus.len());
    for (row, pdu) in rows.into_iter().zip(pdus) {
        let [time, direction, opcode, handle, shown, code] = row.try_into().unwrap();
        let value = match &*opcode {
            "0x0b" | "0x0d" => &pdu[2..],
            "0x12" | "0x52" | "0x1b" | "0x1d" => &pdu[6..],
            _ => "",
        };
        assert!(shown.is_empty() || shown == value, "{shown} in {pdu}");
        match &*opcode {
            // The value goes on.
            "0x0c" => assert_eq!(air.last().unwrap()[3], handle),
            "0x0d" => air.last_mut().unwrap()[4].push_str(value),
            _ => air.push([time, direction, opcode, handle, value.to_owned() + &code]),
        }
    }
    air
}

#[test]
fn tshark_dissects_the_operations_handles_values_and_order_that_the_session_has() {
    if !tshark_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = record(&folder, true);
    let (capture, _) = export(&folder, &path, Filter::default());
    let session = Session::open(&path).unwrap();
    let attributes = session.attributes().unwrap();
    let told = |id| {
        let attribute = attributes.iter().find(|attribute| attribute.id == id);
        attribute.unwrap().handle.unwrap().0
    };
    let configuration = |id| match told(id) {
        0x12 => 0x13,
        // Ours has none that was found: the handle behind it is made up.
        0x22 => 0x23,
        other => panic!("{other}"),
    };
    let expected = expected(&path, told, configuration);
    assert!(expected.len() > 60, "{}", expected.len());
    let dissected = dissected(&capture);
    for (place, (ours, theirs)) in expected.iter().zip(&dissected).enumerate() {
        assert_eq!(theirs, ours, "operation {place}");
    }
    assert_eq!(dissected.len(), expected.len());
}

#[test]
fn a_long_value_is_read_by_parts_that_fit_the_mtu() {
    if !tshark_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = record(&folder, true);
    let (capture, _) = export(&folder, &path, Filter::default());
    let parts = tshark(
        &capture,
        "btatt.opcode == 0x0c",
        &["btatt.handle", "btatt.offset"],
    );
    assert_eq!(parts, [["0x0022", "246"], ["0x0022", "492"]]);
}

#[test]
fn tshark_names_attributes_by_the_discovery_and_finds_the_peer_of_the_link() {
    if !tshark_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = record(&folder, true);
    let (capture, _) = export(&folder, &path, Filter::default());
    let fields = ["btatt.service_uuid16", "btatt.uuid16", "bluetooth.src_str"];
    let named = tshark(
        &capture,
        "btatt.opcode == 0x1b && btatt.handle == 0x12",
        &fields,
    );
    assert_eq!(named.len(), 40);
    for name in named {
        assert_eq!(name[..2], ["0x180d", "0x2a37"]);
    }
    let fields = [
        "btatt.characteristic_configuration_client.notification",
        "btatt.characteristic_configuration_client.indication",
    ];
    let configured = tshark(
        &capture,
        "btatt.opcode == 0x12 && btatt.handle == 0x13",
        &fields,
    );
    assert_eq!(configured, [["1", "0"], ["0", "0"]]);
    let up = tshark(
        &capture,
        "bthci_evt.le_meta_subevent == 0x01",
        &["bthci_evt.bd_addr", "bthci_evt.status"],
    );
    assert_eq!(up, [["c4:7c:8d:6a:11:02", "0x00"]]);
    let rssi = tshark(&capture, "bthci_evt.code == 0x0e", &["bthci_evt.rssi"]);
    assert_eq!(rssi, [["-61"]]);
    let down = tshark(&capture, "bthci_evt.code == 0x05", &["frame.comment"]);
    assert_eq!(
        down,
        [["Synthetic: the reason code. Known: by the peer or the air.\u{1E}0x13"]]
    );
}

#[test]
fn an_attribute_without_a_handle_gets_one_of_its_own_and_every_packet_says_so() {
    if !tshark_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = record(&folder, false);
    let (capture, _) = export(&folder, &path, Filter::default());
    let attributes = Session::open(&path).unwrap().attributes().unwrap();
    // As a server numbers them: service 1, declaration 2, measurement 3, configuration 4; service 5,
    // declaration 6, ours 7; declaration 8, the other 9; and behind them the configuration of ours.
    let made_up = |id| {
        let place = attributes.iter().position(|attribute| attribute.id == id);
        [1, 3, 4, 5, 7, 9][place.unwrap()]
    };
    let configuration = |id| if made_up(id) == 3 { 4 } else { 10 };
    let expected = expected(&path, made_up, configuration);
    assert_eq!(dissected(&capture), expected);
    let comments = tshark(
        &capture,
        &format!("{OPERATIONS} && btatt.opcode in {{0x0a, 0x12, 0x1b, 0x1d, 0x52}}"),
        &["btatt.handle", "frame.comment"],
    );
    assert!(comments.len() > 50);
    for row in comments {
        let said = format!(
            "Synthetic: handle {}",
            row[0].to_uppercase().replace('X', "x")
        );
        assert!(row[1].contains(&said), "{row:?}");
    }
}

#[test]
fn requests_that_overlap_are_shown_one_after_the_other_as_a_link_has_them() {
    if !tshark_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let Found { other, ours, .. } = connect(&recorder, "C4:7C:8D:6A:11:02", true);
    let tell = |at: i64, event| recorder.record(Timestamp(at * 1_000_000), event);
    let read = |attribute| Event::ReadRequest { attribute };
    let got = |attribute, byte| Event::ReadResult {
        attribute,
        result: Ok(Bytes::copy_from_slice(&[byte])),
    };
    tell(1, read(ours));
    tell(2, read(other));
    tell(
        3,
        Event::Write {
            attribute: ours,
            value: Bytes::from_static(&[9]),
            kind: WriteKind::WithResponse,
        },
    );
    tell(4, got(ours, 1));
    tell(5, got(other, 2));
    tell(
        6,
        Event::WriteResult {
            attribute: ours,
            result: Ok(()),
        },
    );
    // The answer to this one was never recorded.
    tell(7, read(ours));
    tell(8, read(other));
    tell(9, got(other, 3));
    // And these are waiting when the recording ends.
    tell(10, read(ours));
    tell(11, read(other));
    recorder.close().unwrap();
    let (capture, _) = export(&folder, recorder.path(), Filter::default());
    let rows = tshark(
        &capture,
        OPERATIONS,
        &[
            "btatt.opcode",
            "btatt.handle",
            "frame.number",
            "btatt.request_in_frame",
            "frame.comment",
        ],
    );
    let order: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {}", row[0], row[1]))
        .collect();
    assert_eq!(
        order,
        [
            "0x0a 0x0022",
            "0x0b 0x0022",
            "0x0a 0x0025",
            "0x0b 0x0025",
            "0x12 0x0022",
            "0x13 0x0022",
            "0x0a 0x0022",
            "0x0a 0x0025",
            "0x0b 0x0025",
            "0x0a 0x0022",
            "0x0a 0x0025",
        ]
    );
    // tshark itself finds the question of each answer.
    for answer in [1, 3, 5, 8] {
        assert_eq!(rows[answer][3], rows[answer - 1][2], "{:?}", rows[answer]);
    }
    assert!(
        rows[2][4].contains("asked for 2 ms earlier"),
        "{:?}",
        rows[2]
    );
    assert!(
        rows[10][4].contains("No answer was recorded"),
        "{:?}",
        rows[10]
    );
}

#[test]
fn advertisements_are_reports_with_what_was_told_and_nothing_else() {
    if !tshark_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let report = |id: &str, at| Advertisement::new(DeviceId::from(id), Timestamp(at));
    // Raw, in 31 bytes.
    let mut raw = report("C4:7C:8D:6A:11:02", 1);
    raw.address = Some(Address([0xC4, 0x7C, 0x8D, 0x6A, 0x11, 0x02]));
    raw.address_kind = Some(AddressKind::RandomStatic);
    raw.rssi = Some(Rssi(-58));
    raw.connectable = Some(true);
    raw.raw = Some(Bytes::from_static(&[2, 0x01, 0x06, 3, 0x03, 0x0D, 0x18]));
    recorder.advertisement(raw);
    // Told in parts, of a device without an address.
    let mut parts = report("8F3A2C00-9E41-4B7D-A1C5-0123456789AB", 2);
    parts.local_name = Some("Würfel".into());
    parts.tx_power = Some(-4);
    parts.services = vec![HEART_RATE];
    parts.manufacturer_data = vec![(CompanyId(0x004C), Bytes::from_static(&[2, 0x15]))];
    parts.service_data = vec![(HEART_RATE, Bytes::from_static(&[0xAB]))];
    parts.connectable = Some(false);
    recorder.advertisement(parts);
    // Raw, longer than one report of any kind.
    let mut long = report("C4:7C:8D:6A:11:03", 3);
    long.address_kind = Some(AddressKind::Public);
    let mut bytes = vec![200, 0xFF, 0x4C, 0x00];
    bytes.resize(201, 0x77);
    bytes.extend_from_slice(&[60, 0xFF, 0xE0, 0x00]);
    bytes.resize(262, 0x77);
    bytes.extend_from_slice(&[2, 0x0A, 0xFC]);
    long.raw = Some(bytes.into());
    recorder.advertisement(long);
    recorder.close().unwrap();
    let (capture, summary) = export(&folder, recorder.path(), Filter::default());
    assert_eq!(summary.rows, 4);
    let fields = [
        "bthci_evt.le_meta_subevent",
        "bthci_evt.bd_addr",
        "bthci_evt.le_peer_address_type",
        "bthci_evt.rssi",
        "btcommon.eir_ad.entry.type",
        "btcommon.eir_ad.entry.device_name",
        "btcommon.eir_ad.entry.uuid_16",
        "btcommon.eir_ad.entry.company_id",
        "frame.time_epoch",
    ];
    let rows = tshark(&capture, "bthci_evt.code == 0x3e", &fields);
    assert_eq!(
        rows[0],
        [
            "0x02",
            "c4:7c:8d:6a:11:02",
            "0x01",
            "-58",
            "0x01\u{1E}0x03",
            "",
            "0x180d",
            "",
            "1769947509.000000043"
        ]
    );
    assert_eq!(
        rows[1],
        [
            "0x02",
            "c0:00:00:00:00:02",
            "0x01",
            "127",
            "0x03\u{1E}0x0a\u{1E}0x16\u{1E}0xff\u{1E}0x09",
            "Würfel",
            "0x180d\u{1E}0x180d",
            "0x004c",
            "1769947509.000000044"
        ]
    );
    for row in &rows[2..] {
        assert_eq!(row[..3], ["0x0d", "c4:7c:8d:6a:11:03", "0x00"]);
    }
    let comments = tshark(&capture, "frame", &["frame.comment"]);
    assert_eq!(comments[0], [""], "nothing of it is made up");
    for made_up in ["the address, for 8F3A2C00", "the AD structures"] {
        assert!(comments[1][0].contains(made_up), "{:?}", comments[1]);
    }
}

#[test]
fn what_is_no_packet_is_a_comment_in_its_place_and_hostile_text_stays_text() {
    if !tshark_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let Found {
        link, measurement, ..
    } = connect(&recorder, "no address", true);
    let mut late = value(measurement, 5_000, SampleKind::Notification, &[0, 60]);
    late.lost_before = 12;
    recorder.sample(&late);
    recorder.record(
        Timestamp(6_000),
        Event::Note {
            text: "first\nsecond \u{202E}gnp".into(),
        },
    );
    recorder.record(
        Timestamp(7_000),
        Event::Marker {
            label: "ä".repeat(5_000).into(),
        },
    );
    recorder.record(
        Timestamp(8_000),
        Event::Error {
            device: None,
            failure: Failure::local("the adapter coughed"),
        },
    );
    recorder.record(
        Timestamp(9_000),
        Event::Gap {
            cause: Cause::LinkDown,
            attribute: Some(measurement),
            count: 0,
            from: Timestamp(0),
            to: Timestamp(9_000),
        },
    );
    recorder.record(
        Timestamp(10_000),
        Event::Disconnected {
            link,
            reason: DisconnectReason::Requested,
        },
    );
    recorder.close().unwrap();
    let (capture, _) = export(&folder, recorder.path(), Filter::default());
    let rows = tshark(
        &capture,
        "bthci_evt.code == 0xff || btatt.opcode == 0x1b",
        &["btatt.value", "frame.comment"],
    );
    let comments: Vec<_> = rows.iter().map(|row| &*row[1]).collect();
    assert_eq!(rows.len(), 6, "{rows:?}");
    assert!(
        comments[0].starts_with("Missing here of handle 0x0012: 12 events (host_queue), between "),
        "{}",
        comments[0]
    );
    assert!(
        comments[2].starts_with("note: first\\u000asecond \\u202egnp"),
        "{}",
        comments[2]
    );
    assert!(
        comments[3].ends_with("(cut: 5912 bytes more)"),
        "{}",
        comments[3]
    );
    assert!(
        comments[4].contains("the adapter coughed"),
        "{}",
        comments[4]
    );
    assert!(
        comments[5].contains("it is not known how many (link_down)"),
        "{}",
        comments[5]
    );
}

#[test]
fn a_part_of_a_session_begins_with_the_link_and_the_discovery_that_it_needs() {
    if !tshark_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = record(&folder, true);
    let filter = Filter {
        kinds: vec![Kind::Notification],
        from: Some(SessionTime(30_000_000)),
        ..Filter::default()
    };
    let expected = Session::open(&path)
        .unwrap()
        .events(&filter)
        .unwrap()
        .count();
    let (capture, _) = export(&folder, &path, filter);
    let rows = tshark(
        &capture,
        "frame",
        &[
            "bthci_evt.le_meta_subevent",
            "btatt.opcode",
            "frame.comment",
        ],
    );
    assert_eq!(rows[0][0], "0x01");
    assert!(
        rows[0][2].contains("came up before what was exported"),
        "{:?}",
        rows[0]
    );
    let notified = rows.iter().filter(|row| row[1] == "0x1b").count();
    assert_eq!(notified, expected);
    assert!(notified > 10);
    let first = rows.iter().position(|row| row[1] == "0x1b").unwrap();
    assert!(
        rows[..first].iter().any(|row| row[1] == "0x09"),
        "no discovery"
    );
    assert_eq!(rows.len() - first, notified, "something else is among them");
}

#[test]
fn a_capture_that_is_cancelled_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = record(&folder, true);
    let session = Session::open(&path).unwrap();
    let target = folder.path().join("out.pcapng");
    let mut cancel = |_| ControlFlow::Break(());
    let error = to_file(&session, &Pcapng::default(), &target, &mut cancel).unwrap_err();
    assert_eq!(error.code(), "cancelled");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let mut bytes = Vec::new();
    let summary = to_writer(&session, &Pcapng::default(), &mut bytes, &mut go_on).unwrap();
    assert_eq!(summary.bytes, bytes.len() as u64);
    assert_eq!(bytes[..4], [0x0A, 0x0D, 0x0D, 0x0A]);
}

#[test]
fn what_a_system_captured_comes_out_of_a_session_as_the_same_operations() {
    if !tshark_is_here() {
        return;
    }
    // By btmon, of a heart rate strap, a beacon and a difficult device, all of them virtual.
    let captured = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab.btsnoop");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.gattscope");
    session::import(&captured, &path, &mut go_on).unwrap();
    let (exported, _) = export(&folder, &path, Filter::default());
    let (theirs, ours) = (operations(&captured), operations(&exported));
    for opcode in ["0x01", "0x0a", "0x0b", "0x12", "0x13", "0x1b"] {
        let count = theirs.iter().filter(|row| row[2] == opcode).count();
        assert!(count > 0, "{opcode} is not tried");
    }
    for (place, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(ours, theirs, "operation {place}");
    }
    assert_eq!(ours.len(), theirs.len());
    let reports = |capture: &Path| {
        let fields = ["bthci_evt.bd_addr", "bthci_evt.rssi"];
        let rows = tshark(
            capture,
            "bthci_evt.le_meta_subevent in {0x02, 0x0d}",
            &fields,
        );
        let advertised = |row: Vec<String>| {
            let address = row[0].split('\u{1E}').next().unwrap().to_owned();
            (address, row[1].clone())
        };
        rows.into_iter().map(advertised).collect::<Vec<_>>()
    };
    let (theirs, ours) = (reports(&captured), reports(&exported));
    assert!(theirs.len() > 300);
    assert_eq!(ours, theirs);
}
