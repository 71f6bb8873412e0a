//! What was exported comes back, and what others captured comes in; nothing that a file contains ends
//! the program.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use bytes::Bytes;
use proptest::prelude::*;
use radio::{
    Address, AddressKind, Advertisement, AttError, AttrId, AttrKind, Clock, CompanyId, DeviceId,
    DisconnectReason, GattDb, Handle, NotifyMode, Properties, RadioState, Rssi, SampleKind,
    Timestamp, WriteKind,
};
use session::export::{Csv, Pcapng, Progress, Target, to_file, to_writer};
use session::{
    Cause, Event, Failure, Filter, Imported, Kind, LinkKey, Options, Recorded, Recorder, Session,
    SessionTime, WallClock, WallTime, import,
};
use uuid::Uuid;

const START: i64 = 1_769_947_509_000_000_042;

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn connect(recorder: &Recorder, at: i64, id: &str, handles: bool) -> (LinkKey, Vec<AttrId>) {
    let device = recorder.device(&DeviceId::from(id), Some("=HR,\"strap\"\r\n"));
    let link = recorder.link_up(Timestamp(at), device);
    let mut db = GattDb::new();
    let mut ids = Vec::new();
    let short = |number: u128| Uuid::from_u128(number << 96 | 0x1000_8000_0080_5F9B_34FB);
    use AttrKind::{Characteristic, Descriptor, Service};
    let (read, notify) = (Properties::READ, Properties::NOTIFY | Properties::WRITE);
    let none = Properties::default();
    // A UUID stands twice, and one is nobody's number.
    for (kind, uuid, handle, parent, properties) in [
        (Service, short(0x180D), 1, None, none),
        (Characteristic, short(0x2A37), 3, Some(0), notify),
        (Descriptor, short(0x2902), 4, Some(1), none),
        (Characteristic, short(0x2A37), 6, Some(0), read),
        (Service, Uuid::from_u128(7), 10, None, none),
        (Characteristic, Uuid::from_u128(8), 12, Some(4), read),
    ] {
        let handle = handles.then_some(Handle(handle));
        let parent = parent.map(|parent: usize| ids[parent]);
        ids.push(db.push(kind, uuid, handle, parent, properties).unwrap());
    }
    recorder.attributes(Timestamp(at + 1), link, &db);
    (link, ids)
}

/// A session with everything that can be in one.
fn record(folder: &Path) -> PathBuf {
    let (clock, wall) = (Clock::manual(), Arc::new(AtomicI64::new(START)));
    let options = Options {
        wall: WallClock::from_fn({
            let wall = Arc::clone(&wall);
            move || WallTime {
                unix_ns: wall.load(SeqCst),
                utc_offset_s: 19_800,
            }
        }),
        ..Options::default()
    };
    let recorder = Recorder::create(folder, clock.clone(), options).unwrap();
    let tell = |at, event| recorder.record(Timestamp(at), event);
    tell(-5, Event::ScanStarted { filter: "".into() });
    let mut full = Advertisement::new(DeviceId::from("C4:7C:8D:6A:11:02"), Timestamp(1));
    full.address = Some(Address([0xC4, 0x7C, 0x8D, 0x6A, 0x11, 0x02]));
    full.address_kind = Some(AddressKind::RandomStatic);
    full.rssi = Some(Rssi(-58));
    full.local_name = Some("'quoted' \u{202E}gnp\0".into());
    full.tx_power = Some(-4);
    full.appearance = Some(832);
    full.services = vec![Uuid::from_u128(1), Uuid::from_u128(2)];
    full.manufacturer_data = vec![
        (CompanyId(0x4C), Bytes::from_static(&[2, 0x15])),
        (CompanyId(0xFFFF), Bytes::new()),
    ];
    full.service_data = vec![(Uuid::from_u128(3), Bytes::from_static(&[9]))];
    full.connectable = Some(false);
    full.raw = Some(Bytes::from_static(&[2, 1, 6]));
    recorder.advertisement(full);
    recorder.advertisement(Advertisement::new(DeviceId::from("-2+3"), Timestamp(2)));
    tell(3, Event::ScanStopped);
    for (state, adapter) in [(RadioState::Off, "hci0: x"), (RadioState::On, "")] {
        let adapter = adapter.into();
        tell(4, Event::AdapterState { state, adapter });
    }
    let device = recorder.device(&DeviceId::from("other"), None);
    tell(5, Event::Connecting { device });
    let failure = Failure::local("=no\r\nanswer");
    tell(6, Event::ConnectFailed { device, failure });
    let (link, ids) = connect(&recorder, 10, "C4:7C:8D:6A:11:03", true);
    let (second, others) = connect(&recorder, 20, "F8-mac-identifier", false);
    tell(30, Event::Mtu { link, mtu: 247 });
    let rssi = Rssi(-70);
    tell(31, Event::Rssi { link, rssi });
    let refused = || Failure::from(radio::Error::Att(AttError::INSUFFICIENT_ENCRYPTION));
    for attribute in [ids[1], ids[3], others[1], others[2]] {
        tell(40, Event::ReadRequest { attribute });
        for result in [
            Ok(Bytes::from_static(b"=1+1")),
            Ok(Bytes::new()),
            Ok(Bytes::from(vec![0xA5; 512])),
            Err(refused()),
            Err(Failure::local("it took too long")),
        ] {
            tell(41, Event::ReadResult { attribute, result });
        }
        for kind in [WriteKind::WithResponse, WriteKind::WithoutResponse] {
            let value = Bytes::from_static(&[1, 2]);
            tell(
                42,
                Event::Write {
                    attribute,
                    value,
                    kind,
                },
            );
            tell(
                43,
                Event::WriteResult {
                    attribute,
                    result: Ok(()),
                },
            );
            tell(
                44,
                Event::WriteResult {
                    attribute,
                    result: Err(refused()),
                },
            );
        }
    }
    let attribute = ids[1];
    for mode in [NotifyMode::System, NotifyMode::Notify, NotifyMode::Indicate] {
        for result in [Ok(()), Err(refused()), Err(Failure::local("x: y"))] {
            tell(
                50,
                Event::Subscribed {
                    attribute,
                    mode,
                    result,
                },
            );
        }
    }
    for (kind, lost_before) in [
        (SampleKind::Notification, 0),
        (SampleKind::Indication, 3),
        (SampleKind::NotificationOrIndication, 0),
    ] {
        let bytes = Bytes::from_static(&[0, 60]);
        tell(
            60,
            Event::Value {
                attribute,
                kind,
                lost_before,
                bytes,
            },
        );
    }
    tell(
        70,
        Event::Unsubscribed {
            attribute,
            result: Ok(()),
        },
    );
    for (cause, attribute) in Cause::ALL
        .into_iter()
        .zip([None, Some(attribute), None, None])
    {
        let (from, to) = (Timestamp(-1_500_000_000), Timestamp(80));
        tell(
            80,
            Event::Gap {
                cause,
                attribute,
                count: 12,
                from,
                to,
            },
        );
    }
    let (device, failure) = (None, refused());
    tell(90, Event::Error { device, failure });
    recorder.flush().unwrap();
    // An hour that was no hour, and an event that comes late to it.
    clock.advance(std::time::Duration::from_secs(1));
    wall.fetch_add(3_601_000_000_000, SeqCst);
    for text in ["", "first\nsecond", "'", "''=", "\u{FF1D}x"] {
        tell(1_000_000_000, Event::Note { text: text.into() });
        recorder.flush().unwrap();
        tell(95, Event::Marker { label: text.into() });
        tell(
            96,
            Event::Sampling {
                choice: text.into(),
                left_out: 3,
            },
        );
    }
    for (link, reason) in [
        (link, DisconnectReason::Remote(Some("0x13: x".into()))),
        (second, DisconnectReason::Requested),
    ] {
        tell(1_000_000_001, Event::Disconnected { link, reason });
    }
    // The same device again: another generation of the same attributes.
    let (_, ids) = connect(&recorder, 1_000_000_002, "C4:7C:8D:6A:11:03", true);
    let bytes = Bytes::from_static(&[1]);
    let (attribute, kind) = (ids[3], SampleKind::Notification);
    tell(
        1_000_000_009,
        Event::Value {
            attribute,
            kind,
            lost_before: 0,
            bytes,
        },
    );
    recorder.close().unwrap();
    recorder.path().to_owned()
}

fn events(session: &Session) -> Vec<Recorded> {
    let events = session.events(&Filter::default()).unwrap();
    events.map(Result::unwrap).collect()
}

#[test]
fn csv_comes_back_as_the_same_session_and_goes_out_again_as_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = record(folder.path());
    let before = Session::open(&path).unwrap();
    let kinds: Vec<_> = events(&before).iter().map(|event| event.kind).collect();
    for kind in Kind::ALL {
        assert!(kinds.contains(kind), "{kind:?} is not tried");
    }
    let table = folder.path().join("out.csv");
    to_file(&before, &Csv::default(), &table, &mut go_on).unwrap();
    let target = folder.path().join("back.gattscope");
    let imported = import(&table, &target, &mut go_on).unwrap();
    let after = Session::open(&target).unwrap();
    assert_eq!(imported.events, kinds.len() as u64);
    for (ours, theirs) in events(&before).iter().zip(&events(&after)) {
        assert_eq!(theirs, ours);
        let (gap, same) = (before.gap(ours.id), after.gap(ours.id));
        assert_eq!(same.unwrap(), gap.unwrap());
        let advertised = before.advertisement_json(ours.id).unwrap();
        assert_eq!(after.advertisement_json(ours.id).unwrap(), advertised);
        let wall = before.anchors().wall_time(ours.at);
        assert_eq!(after.anchors().wall_time(ours.at), wall);
    }
    assert_eq!(after.attributes().unwrap(), before.attributes().unwrap());
    assert_eq!(after.links().unwrap(), before.links().unwrap());
    assert_eq!(after.counts().unwrap(), before.counts().unwrap());
    let devices = |session: &Session| -> Vec<_> {
        let devices = session.devices().unwrap().into_iter();
        devices
            .map(|device| (device.key, device.identifier, device.name))
            .collect()
    };
    assert_eq!(devices(&after), devices(&before));
    let (told, wanted) = (after.info().unwrap(), before.info().unwrap());
    assert_eq!((told.events, told.lost), (wanted.events, wanted.lost));
    assert_eq!((told.kept, told.source.as_deref()), (true, Some("out.csv")));
    let mut again = Vec::new();
    to_writer(&after, &Csv::default(), &mut again, &mut go_on).unwrap();
    assert_eq!(again, std::fs::read(&table).unwrap());
    let beside = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(beside.count(), 3, "something else is left");
}

#[test]
fn a_part_of_a_session_comes_back_with_what_its_rows_tell() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&record(folder.path())).unwrap();
    let filter = Filter {
        kinds: vec![Kind::ReadResult],
        from: Some(SessionTime(41)),
        ..Filter::default()
    };
    let what = Csv {
        filter: filter.clone(),
        decode: None,
    };
    let table = folder.path().join("out.csv");
    to_file(&session, &what, &table, &mut go_on).unwrap();
    let target = folder.path().join("back.gattscope");
    import(&table, &target, &mut go_on).unwrap();
    let after = Session::open(&target).unwrap();
    let wanted: Vec<_> = session
        .events(&filter)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let found = events(&after);
    assert_eq!(found.len(), wanted.len());
    assert!(found.len() >= 20);
    let (all, known) = (session.attributes().unwrap(), after.attributes().unwrap());
    for (ours, theirs) in wanted.iter().zip(&found) {
        assert_eq!(
            (theirs.at, &theirs.value, theirs.attribute),
            (ours.at, &ours.value, ours.attribute)
        );
        let of = |all: &[session::Attribute], id| {
            let found = all
                .iter()
                .find(|attribute| Some(attribute.id) == id)
                .unwrap();
            (
                found.kind,
                found.uuid,
                found.handle,
                found.service,
                found.characteristic,
            )
        };
        assert_eq!(of(&known, theirs.attribute), of(&all, ours.attribute));
    }
}

#[test]
fn a_table_that_was_changed_is_refused_with_the_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&record(folder.path())).unwrap();
    let mut table = Vec::new();
    to_writer(&session, &Csv::default(), &mut table, &mut go_on).unwrap();
    let table = String::from_utf8(table).unwrap();
    let path = folder.path().join("in.csv");
    let target = folder.path().join("back.gattscope");
    for (from, to, said) in [
        ("scan_stopped", "scan_halted", "is no kind of event"),
        (",3D 31 2B 31,", ",3D 31 2B,", "does not have as many bytes"),
        (
            ",3D 31 2B 31,",
            ",3D 31 2B 3X,",
            "does not have as many bytes",
        ),
        (",seconds,", ",second,", "no column seconds"),
        ("2026-02-01T", "01.02.2026 ", "is no time with its offset"),
        (",-58,", ",minus 58,", "for the column rssi_dbm"),
        ("host_queue from", "somebody from", "detail of a gap"),
        (
            "\"\"company\"\":76",
            "\"\"company\"\":76000",
            "advertisement is not as it was",
        ),
        ("scan_stopped,", "scan_stopped,,", "cells instead of"),
    ] {
        assert!(table.contains(from), "{from}");
        std::fs::write(&path, table.replacen(from, to, 1)).unwrap();
        let error = import(&path, &target, &mut go_on).unwrap_err();
        assert_eq!(error.code(), "not_importable");
        assert!(error.to_string().contains(said), "{error}");
        assert!(
            said.contains("column seconds") || error.to_string().contains(": line "),
            "{error}"
        );
        assert!(!target.exists());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn an_import_says_what_is_in_its_way_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&record(folder.path())).unwrap();
    let table = folder.path().join("in.csv");
    to_file(&session, &Csv::default(), &table, &mut go_on).unwrap();
    let target = folder.path().join("back.gattscope");
    let refused = |source: &Path, target: Target<'_>| {
        let error = import(source, target, &mut go_on).unwrap_err();
        error.code()
    };
    assert_eq!(
        refused(&folder.path().join("none"), (&target).into()),
        "not_found"
    );
    assert_eq!(refused(folder.path(), (&target).into()), "is_a_folder");
    assert_eq!(refused(session.path(), (&target).into()), "not_importable");
    assert_eq!(refused(&table, Target::new_name(&table)), "exists");
    assert_eq!(refused(&table, (&table).into()), "same_file");
    for empty in ["", "event,time,", "btsnoop\0", "\n\r\r\n"] {
        let path = folder.path().join("empty");
        std::fs::write(&path, empty).unwrap();
        assert_eq!(refused(&path, (&target).into()), "not_importable");
        std::fs::remove_file(&path).unwrap();
    }
    let mut cancel = |_| ControlFlow::Break(());
    let error = import(&table, &target, &mut cancel).unwrap_err();
    assert_eq!(error.code(), "cancelled");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// A session of which a capture can tell everything.
fn record_for_capture(folder: &Path) -> PathBuf {
    let options = Options {
        wall: WallClock::from_fn(|| WallTime {
            unix_ns: START,
            utc_offset_s: 0,
        }),
        ..Options::default()
    };
    let recorder = Recorder::create(folder, Clock::manual(), options).unwrap();
    let mut now = 0;
    let mut tell = |event| {
        recorder.record(Timestamp(now), event);
        now += 1_000_000;
    };
    tell(Event::ScanStarted { filter: "".into() });
    for (number, len) in [(1, 3), (2, 200), (3, 400)] {
        let address = Address([0xC4, 0, 0, 0, 0, number]);
        let id = DeviceId::from(address.to_string());
        let mut report = Advertisement::new(id.clone(), Timestamp(0));
        report.address = Some(address);
        report.address_kind = Some(AddressKind::RandomStatic);
        report.rssi = Some(Rssi(-58));
        report.connectable = Some(true);
        let mut raw = vec![3, 0x09, b'A', b'0' + number];
        for _ in 0..len / 10 {
            raw.extend_from_slice(&[9, 0xFF, 0x4C, 0, 1, 2, 3, 4, 5, 6]);
        }
        report.raw = Some(raw.into());
        report.local_name = Some(format!("A{number}"));
        let device = recorder.device(&id, report.local_name.as_deref());
        let report = Box::new(report);
        tell(Event::Advertisement { device, report });
    }
    tell(Event::ScanStopped);
    let (link, ids) = connect(&recorder, 6_500_000, "C4:00:00:00:00:02", true);
    tell(Event::Mtu { link, mtu: 100 });
    for len in [0, 5, 99, 100, 512] {
        let attribute = ids[3];
        tell(Event::ReadRequest { attribute });
        let result = Ok(Bytes::from(vec![7; len]));
        tell(Event::ReadResult { attribute, result });
    }
    let refused = || Failure::from(radio::Error::Att(AttError::INSUFFICIENT_ENCRYPTION));
    let attribute = ids[1];
    for result in [Ok(()), Err(refused())] {
        let (value, kind) = (Bytes::from_static(&[1, 2, 3]), WriteKind::WithResponse);
        tell(Event::Write {
            attribute,
            value,
            kind,
        });
        tell(Event::WriteResult { attribute, result });
    }
    let (value, kind) = (Bytes::from_static(&[4]), WriteKind::WithoutResponse);
    tell(Event::Write {
        attribute,
        value,
        kind,
    });
    for number in 0..50 {
        let kind = match number % 2 {
            0 => SampleKind::Notification,
            _ => SampleKind::Indication,
        };
        let bytes = Bytes::from(vec![number; usize::from(number)]);
        tell(Event::Value {
            attribute,
            kind,
            lost_before: 0,
            bytes,
        });
    }
    tell(Event::Note {
        text: "first".into(),
    });
    let rssi = Rssi(-61);
    tell(Event::Rssi { link, rssi });
    let reason = DisconnectReason::Requested;
    tell(Event::Disconnected { link, reason });
    recorder.close().unwrap();
    recorder.path().to_owned()
}

/// Of an event: the wall clock, kind, handle, value, status or number, and device.
type Essence = (i64, Kind, Option<u16>, Option<Bytes>, Option<i64>, String);

/// What both sides of a capture must agree on.
fn essence(session: &Session) -> Vec<Essence> {
    let attributes = session.attributes().unwrap();
    let devices = session.devices().unwrap();
    let start = session.anchors().start().unix_ns;
    events(session)
        .into_iter()
        .filter(|event| !matches!(event.kind, Kind::Discovered))
        .map(|event| {
            let attribute = attributes.iter().find(|of| Some(of.id) == event.attribute);
            let device = devices.iter().find(|of| Some(of.key) == event.device);
            (
                start + event.at.0,
                event.kind,
                attribute.and_then(|of| of.handle).map(|handle| handle.0),
                event.value,
                event.status.or(event.number),
                device.map_or_else(String::new, |of| of.identifier.clone()),
            )
        })
        .collect()
}

fn shape(session: &Session) -> Vec<(AttrKind, Uuid, Option<Handle>, Properties, String)> {
    let attributes = session.attributes().unwrap().into_iter();
    attributes
        .map(|of| (of.kind, of.uuid, of.handle, of.properties, of.path))
        .collect()
}

#[test]
fn a_capture_that_was_exported_comes_back_with_the_same_operations_and_attributes() {
    let folder = tempfile::tempdir().unwrap();
    let before = Session::open(&record_for_capture(folder.path())).unwrap();
    let capture = folder.path().join("out.pcapng");
    to_file(&before, &Pcapng::default(), &capture, &mut go_on).unwrap();
    let target = folder.path().join("back.gattscope");
    let imported = import(&capture, &target, &mut go_on).unwrap();
    assert_eq!((imported.skipped, imported.cut_off), (0, false));
    let after = Session::open(&target).unwrap();
    let (ours, theirs) = (essence(&before), essence(&after));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(theirs, ours);
    }
    assert_eq!(theirs.len(), ours.len());
    assert_eq!(shape(&after), shape(&before));
    for event in events(&after) {
        if let Some(json) = after.advertisement_json(event.id).unwrap() {
            let json: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert!(json["local_name"].as_str().unwrap().starts_with('A'));
            assert_eq!(json["address_kind"], "random_static");
        }
    }
    assert_eq!(
        after.devices().unwrap()[1].name.as_deref(),
        Some("=HR,\"strap\"\r\n").and(Some("A2"))
    );
    assert_eq!(after.info().unwrap().source.as_deref(), Some("out.pcapng"));
}

/// The packets of one of our own captures as btsnoop of link type 1002.
fn as_btsnoop(capture: &[u8]) -> Vec<u8> {
    let word = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
    let mut file = b"btsnoop\0\0\0\0\x01\0\0\x03\xEA".to_vec();
    let mut at = 0;
    while at < capture.len() {
        if word(at) == 6 {
            let nanos = u64::from(word(at + 12)) << 32 | u64::from(word(at + 16));
            let len = word(at + 20);
            let received = capture[at + 31];
            let data = &capture[at + 32..at + 28 + len as usize];
            for number in [len - 4, len - 4, received.into(), 0] {
                file.extend(u32::to_be_bytes(number));
            }
            let micros = nanos as i64 / 1000 + 0x00DC_DDB3_0F2F_8000;
            file.extend(micros.to_be_bytes());
            file.extend_from_slice(data);
        }
        at += word(at + 4) as usize;
    }
    file
}

#[test]
fn btsnoop_gives_the_same_operations_to_the_microsecond() {
    let folder = tempfile::tempdir().unwrap();
    let before = Session::open(&record_for_capture(folder.path())).unwrap();
    let capture = folder.path().join("out.pcapng");
    to_file(&before, &Pcapng::default(), &capture, &mut go_on).unwrap();
    let snoop = folder.path().join("out.btsnoop");
    std::fs::write(&snoop, as_btsnoop(&std::fs::read(&capture).unwrap())).unwrap();
    let target = folder.path().join("back.gattscope");
    import(&snoop, &target, &mut go_on).unwrap();
    let micros = |session: &Session| -> Vec<_> {
        let all = essence(session).into_iter();
        // btsnoop has no comments, and so no notes.
        all.filter(|event| event.1 != Kind::Note)
            .map(|event| (event.0 / 1000, event.1, event.2, event.3, event.4, event.5))
            .collect()
    };
    let after = Session::open(&target).unwrap();
    assert_eq!(micros(&after), micros(&before));
    assert_eq!(shape(&after), shape(&before));
}

#[test]
fn a_capture_that_is_cut_off_comes_in_as_far_as_it_goes_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let before = Session::open(&record_for_capture(folder.path())).unwrap();
    let capture = folder.path().join("out.pcapng");
    to_file(&before, &Pcapng::default(), &capture, &mut go_on).unwrap();
    let bytes = std::fs::read(&capture).unwrap();
    std::fs::write(&capture, &bytes[..bytes.len() * 2 / 3 + 1]).unwrap();
    let target = folder.path().join("back.gattscope");
    let imported: Imported = import(&capture, &target, &mut go_on).unwrap();
    assert!(imported.cut_off);
    let (ours, theirs) = (essence(&before), essence(&Session::open(&target).unwrap()));
    assert!(theirs.len() > ours.len() / 3);
    assert_eq!(theirs, ours[..theirs.len()]);
}

/// What hostile files are made of: one that is whole, of each kind.
fn whole() -> [Vec<u8>; 3] {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&record_for_capture(folder.path())).unwrap();
    let capture = folder.path().join("out.pcapng");
    to_file(&session, &Pcapng::default(), &capture, &mut go_on).unwrap();
    let capture = std::fs::read(capture).unwrap();
    let session = Session::open(&record(&folder.path().join("full"))).unwrap();
    let mut table = Vec::new();
    to_writer(&session, &Csv::default(), &mut table, &mut go_on).unwrap();
    [as_btsnoop(&capture), capture, table]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_with_changed_bytes_is_imported_or_refused_and_never_ends_the_program(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        static WHOLE: std::sync::OnceLock<[Vec<u8>; 3]> = std::sync::OnceLock::new();
        let folder = tempfile::tempdir().unwrap();
        for whole in WHOLE.get_or_init(whole) {
            let mut bytes = whole.clone();
            for (place, byte) in &changes {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            if changes.len() % 3 == 0 {
                bytes.truncate(cut.index(bytes.len()));
            }
            let (source, target) = (folder.path().join("in"), folder.path().join("out"));
            std::fs::write(&source, bytes).unwrap();
            match import(&source, &target, &mut go_on) {
                Ok(imported) => {
                    let session = Session::open(&target).unwrap();
                    prop_assert_eq!(session.info().unwrap().events, imported.events);
                    prop_assert_eq!(events(&session).len() as u64, imported.events);
                    session.attributes().unwrap();
                    to_writer(&session, &Csv::default(), std::io::sink(), &mut go_on).unwrap();
                }
                Err(error) => {
                    prop_assert_eq!(error.code(), "not_importable", "{}", error);
                    prop_assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}

#[test]
fn the_sign_for_a_nul_does_not_spoil_what_an_advertisement_contained() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(folder.path(), Clock::manual(), Options::default()).unwrap();
    let mut report = Advertisement::new(DeviceId::from("x"), Timestamp(1));
    report.local_name = Some("a\u{2400}b\0".into());
    recorder.advertisement(report);
    recorder.close().unwrap();
    let before = Session::open(recorder.path()).unwrap();
    let table = folder.path().join("out.csv");
    to_file(&before, &Csv::default(), &table, &mut go_on).unwrap();
    let target = folder.path().join("back.gattscope");
    import(&table, &target, &mut go_on).unwrap();
    let after = Session::open(&target).unwrap();
    let advertised = |session: &Session| session.advertisement_json(1).unwrap().unwrap();
    assert_eq!(advertised(&after), advertised(&before));
    assert!(
        advertised(&after).contains("a\u{2400}b\\u0000"),
        "{}",
        advertised(&after)
    );
    // In the name, which stands as it is, one cannot be told from the other.
    assert_eq!(after.devices().unwrap()[0].name.as_deref(), Some("a\0b\0"));
}
