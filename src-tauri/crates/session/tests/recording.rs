//! The recorder and the reader together: what went in comes out, and what did not is counted.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use radio::{
    Advertisement, AttError, AttrId, AttrKind, Clock, CompanyId, DeviceId, DisconnectReason,
    GattDb, Handle, NotifyMode, Properties, RadioState, Rssi, Sample, SampleKind, Timestamp,
    WriteKind,
};
use session::{
    Cause, Error, Event, Failure, Filter, Kind, Options, Recorder, Session, SessionTime, State,
    WallClock, WallTime,
};
use tempfile::TempDir;
use uuid::Uuid;

const START: WallTime = WallTime {
    unix_ns: 1_769_947_509_000_000_042,
    utc_offset_s: 3600,
};

fn options() -> Options {
    Options {
        wall: WallClock::from_fn(|| START),
        ..Options::default()
    }
}

fn recorder(folder: &TempDir) -> Recorder {
    Recorder::create(folder.path(), Clock::manual(), options()).unwrap()
}

/// A service with two characteristics of one UUID, the first with a descriptor.
fn gatt() -> (GattDb, [AttrId; 4]) {
    let mut db = GattDb::new();
    let mut push = |kind, uuid, handle, parent| {
        let uuid = Uuid::from_u128(uuid);
        db.push(kind, uuid, Some(Handle(handle)), parent, Properties::NOTIFY)
            .unwrap()
    };
    let service = push(AttrKind::Service, 0x180D, 1, None);
    let first = push(AttrKind::Characteristic, 0x2A37, 3, Some(service));
    let descriptor = push(AttrKind::Descriptor, 0x2902, 4, Some(first));
    let second = push(AttrKind::Characteristic, 0x2A37, 6, Some(service));
    (db, [service, first, descriptor, second])
}

fn connect(recorder: &Recorder) -> (session::LinkKey, [AttrId; 4]) {
    let device = recorder.device(&DeviceId::from("C4:7C:8D:6A:11:02"), Some("HR"));
    let link = recorder.link_up(Timestamp(0), device);
    let (db, attributes) = gatt();
    recorder.attributes(Timestamp(0), link, &db);
    (link, attributes)
}

fn value(attribute: AttrId, at: i64, bytes: &[u8]) -> Sample {
    Sample {
        attribute,
        at: Timestamp(at),
        lost_before: 0,
        kind: SampleKind::Notification,
        bytes: Bytes::copy_from_slice(bytes),
    }
}

fn bytes(session: &Session, attribute: AttrId, latest: usize) -> Vec<Vec<u8>> {
    let values = session.values(attribute, latest).unwrap();
    let values = values.into_iter();
    values.map(|value| value.value.unwrap().to_vec()).collect()
}

#[test]
fn values_of_every_length_come_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let (_, [_, attribute, ..]) = connect(&recorder);
    let all: Vec<Vec<u8>> = (0..=512)
        .map(|len| (0..len).map(|n| n as u8).collect())
        .collect();
    for (at, bytes) in all.iter().enumerate() {
        recorder.sample(&value(attribute, at as i64, bytes));
    }
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    assert_eq!(bytes(&session, attribute, 1000), all);
    assert_eq!(bytes(&session, attribute, 2), all[511..]);
}

#[test]
fn every_kind_of_event_keeps_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let device = recorder.device(&DeviceId::from("A"), None);
    let (link, [_, first, descriptor, second]) = connect(&recorder);
    let at = Timestamp(5);
    let refused = || Failure::from(radio::Error::Att(AttError::READ_NOT_PERMITTED));
    for event in [
        Event::ScanStarted { filter: "".into() },
        Event::ScanStopped,
        Event::AdapterState {
            state: RadioState::Off,
            adapter: "hci0".into(),
        },
        Event::Connecting { device },
        Event::ConnectFailed {
            device,
            failure: Failure::local("too far away"),
        },
        Event::Mtu { link, mtu: 247 },
        Event::Rssi {
            link,
            rssi: Rssi(-58),
        },
        Event::ReadRequest { attribute: first },
        Event::ReadResult {
            attribute: first,
            result: Err(refused()),
        },
        Event::ReadResult {
            attribute: descriptor,
            result: Ok(Bytes::new()),
        },
        Event::Write {
            attribute: second,
            value: Bytes::from_static(&[1, 2]),
            kind: WriteKind::WithResponse,
        },
        Event::Write {
            attribute: second,
            value: Bytes::from_static(&[3]),
            kind: WriteKind::WithoutResponse,
        },
        Event::WriteResult {
            attribute: second,
            result: Ok(()),
        },
        Event::Subscribed {
            attribute: first,
            mode: NotifyMode::Indicate,
            result: Ok(()),
        },
        Event::Value {
            attribute: first,
            kind: SampleKind::Indication,
            lost_before: 0,
            bytes: Bytes::from_static(&[9]),
        },
        Event::Unsubscribed {
            attribute: first,
            result: Ok(()),
        },
        Event::Error {
            device: None,
            failure: Failure::local("odd"),
        },
        Event::Note {
            text: "battery changed".into(),
        },
        Event::Marker { label: "A".into() },
        Event::Sampling {
            choice: "one of each device in 10 s".into(),
            left_out: 7,
        },
        Event::Disconnected {
            link,
            reason: DisconnectReason::Remote(Some("timeout".into())),
        },
    ] {
        recorder.record(at, event);
    }
    recorder.close().unwrap();

    let session = Session::open(recorder.path()).unwrap();
    let events: Vec<_> = session.events(&Filter::default()).unwrap().collect();
    let events: Vec<_> = events
        .into_iter()
        .map(Result::unwrap)
        .map(|e| {
            (
                e.kind,
                e.value.map(|v| v.to_vec()),
                e.status,
                e.number,
                e.detail,
            )
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    let refusal = refused().text.into_string();
    assert_eq!(
        events,
        [
            (Kind::Connected, None, None, None, None),
            (Kind::Discovered, None, None, Some(4), None),
            (Kind::ScanStarted, None, None, None, None),
            (Kind::ScanStopped, None, None, None, None),
            (Kind::AdapterState, None, None, Some(2), text("hci0")),
            (Kind::Connecting, None, None, None, None),
            (
                Kind::ConnectFailed,
                None,
                Some(-1),
                None,
                text("too far away")
            ),
            (Kind::Mtu, None, None, Some(247), None),
            (Kind::Rssi, None, None, Some(-58), None),
            (Kind::ReadRequest, None, None, None, None),
            (Kind::ReadResult, None, Some(2), None, Some(refusal)),
            (Kind::ReadResult, Some(vec![]), Some(0), None, None),
            (Kind::WriteRequest, Some(vec![1, 2]), None, None, None),
            (Kind::WriteCommand, Some(vec![3]), None, None, None),
            (Kind::WriteResult, None, Some(0), None, None),
            (Kind::Subscribed, None, Some(0), Some(2), None),
            (Kind::Indication, Some(vec![9]), None, None, None),
            (Kind::Unsubscribed, None, Some(0), None, None),
            (Kind::Error, None, Some(-1), None, text("odd")),
            (Kind::Note, None, None, None, text("battery changed")),
            (Kind::Marker, None, None, None, text("A")),
            (
                Kind::Sampling,
                None,
                None,
                Some(7),
                text("one of each device in 10 s")
            ),
            (Kind::Disconnected, None, None, Some(1), text("timeout")),
        ]
    );
    let links = session.links().unwrap();
    assert_eq!(links[0].down, Some(SessionTime(5)));
    let info = session.info().unwrap();
    assert_eq!((info.started, info.events), (START, 23));
    assert!(info.ended.is_some());
}

#[test]
fn an_event_of_an_attribute_knows_its_link_and_its_device() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let (link, [_, attribute, ..]) = connect(&recorder);
    recorder.sample(&value(attribute, 1, &[1]));
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    let value = &session.values(attribute, 1).unwrap()[0];
    assert_eq!(value.link, Some(link));
    assert_eq!(value.device, Some(session.devices().unwrap()[0].key));
}

#[test]
fn a_value_that_comes_before_its_attribute_is_told_is_kept_and_belongs_to_it() {
    let folder = TempDir::new().unwrap();
    let recorder = recorder(&folder);
    let (db, [_, attribute, ..]) = gatt();
    let device = recorder.device(&"C4:7C:8D:6A:11:02".into(), Some("Strap"));
    let link = recorder.link_up(Timestamp(1_000), device);
    recorder.sample(&value(attribute, 2_000, &[1]));
    recorder.flush().unwrap();
    recorder.attributes(Timestamp(3_000), link, &db);
    recorder.sample(&value(attribute, 4_000, &[2]));
    recorder.flush().unwrap();
    assert_eq!(recorder.status().state, State::Recording);
    let session = Session::open(recorder.path()).unwrap();
    assert_eq!(bytes(&session, attribute, 10), [[1], [2]]);
    let early = &session.values(attribute, 10).unwrap()[0];
    assert_eq!((early.link, early.device), (Some(link), Some(device)));
}

#[test]
fn the_history_of_a_characteristic_goes_on_across_connections_and_never_mixes_equal_uuids() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let mut last = None;
    for connection in 0..3 {
        let (_, [_, first, _, second]) = connect(&recorder);
        recorder.sample(&value(first, connection, &[connection as u8]));
        recorder.sample(&value(second, connection, &[0xFF]));
        last = Some(first);
    }
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    assert_eq!(session.links().unwrap().len(), 3);
    assert_eq!(session.devices().unwrap().len(), 1);
    assert_eq!(bytes(&session, last.unwrap(), 10), [[0], [1], [2]]);
    assert_eq!(bytes(&session, last.unwrap(), 2), [[1], [2]]);
}

#[test]
fn an_advertisement_keeps_all_that_the_report_contained_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let mut report = Advertisement::new(DeviceId::from("B"), Timestamp(1));
    recorder.advertisement(report.clone());
    report.at = Timestamp(2);
    report.rssi = Some(Rssi(-70));
    report.address = Some("C4:7C:8D:6A:11:02".parse().unwrap());
    report.local_name = Some("=cmd|' /C calc'!A0\u{202E}\0".into());
    report.tx_power = Some(-4);
    report.appearance = Some(0x0341);
    report.services = vec![Uuid::from_u128(1)];
    report.manufacturer_data = vec![(CompanyId(0x004C), Bytes::from_static(&[2, 0x15]))];
    report.service_data = vec![(Uuid::from_u128(2), Bytes::from_static(&[0xAB]))];
    report.connectable = Some(false);
    report.raw = Some(Bytes::from_static(&[2, 1, 6]));
    recorder.advertisement(report);
    recorder.close().unwrap();

    let session = Session::open(recorder.path()).unwrap();
    let json = |event| {
        let json = session.advertisement_json(event).unwrap().unwrap();
        serde_json::from_str::<serde_json::Value>(&json).unwrap()
    };
    assert_eq!(json(1), serde_json::json!({}));
    assert_eq!(
        json(2),
        serde_json::json!({
            "address": "C4:7C:8D:6A:11:02",
            "local_name": "=cmd|' /C calc'!A0\u{202E}\0",
            "tx_power": -4,
            "appearance": 0x0341,
            "connectable": false,
            "services": [Uuid::from_u128(1)],
            "manufacturer": [{"company": 0x004C, "data": "0215"}],
            "service_data": [{"uuid": Uuid::from_u128(2), "data": "ab"}],
            "raw": "020106",
        })
    );
    let event = session.events(&Filter::default()).unwrap().nth(1);
    assert_eq!(event.unwrap().unwrap().number, Some(-70));
    // The name came with the second report only.
    let name = session.devices().unwrap()[0].name.clone();
    assert_eq!(name.as_deref(), Some("=cmd|' /C calc'!A0\u{202E}\0"));
}

#[test]
fn what_the_queue_has_no_room_for_is_counted_exactly_and_said_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        max_waiting: 100,
        ..options()
    };
    let recorder = Recorder::create(folder.path(), Clock::manual(), options).unwrap();
    let (_, [_, attribute, ..]) = connect(&recorder);
    recorder.flush().unwrap();
    let sent = 200_000;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let recorder = &recorder;
            scope.spawn(move || {
                for n in 0..sent / 4 {
                    recorder.sample(&value(attribute, n, &[thread]));
                }
            });
        }
    });
    recorder.close().unwrap();
    let status = recorder.status();
    assert!(status.lost.gattscope > 0, "{status:?}");
    assert_eq!(status.values + status.lost.gattscope, sent as u64);
    let told = recorder.overflows();
    assert_eq!(told.waiting, None);

    let session = Session::open(recorder.path()).unwrap();
    assert_eq!(session.info().unwrap().lost, status.lost);
    let values = session.values(attribute, usize::MAX).unwrap().len();
    assert_eq!(values as u64, status.values);
    let gaps = Filter {
        kinds: vec![Kind::Gap],
        ..Filter::default()
    };
    let mut missing = Vec::new();
    for event in session.events(&gaps).unwrap() {
        let gap = session.gap(event.unwrap().id).unwrap().unwrap();
        assert_eq!(gap.cause, Cause::Gattscope);
        assert!(gap.from <= gap.to);
        missing.push((gap.count, gap.from.nanos(), gap.to.nanos()));
    }
    let sum: u64 = missing.iter().map(|(count, ..)| count).sum();
    assert_eq!(sum, status.lost.gattscope);
    // What the recorder says of itself is what stands in the file.
    let told = told.written.iter().map(|o| (o.count, o.from.0, o.to.0));
    assert_eq!(told.collect::<Vec<_>>(), missing);
    assert!(recorder.overflows().written.is_empty(), "told once");
}

#[test]
fn a_loss_that_the_radio_knows_of_is_a_gap_from_the_last_value_to_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let (_, [_, attribute, ..]) = connect(&recorder);
    recorder.sample(&value(attribute, 100, &[1]));
    recorder.sample(&Sample {
        lost_before: 7,
        ..value(attribute, 200, &[9])
    });
    recorder.record(
        Timestamp(300),
        Event::Gap {
            cause: Cause::DeviceSequence,
            attribute: Some(attribute),
            count: 3,
            from: Timestamp(200),
            to: Timestamp(300),
        },
    );
    recorder.close().unwrap();
    let lost = recorder.status().lost;
    assert_eq!((lost.host_queue, lost.device_sequence), (7, 3));
    let session = Session::open(recorder.path()).unwrap();
    assert_eq!(session.info().unwrap().lost, lost);
    let gap = session.gap(4).unwrap().unwrap();
    assert_eq!((gap.cause, gap.count), (Cause::HostQueue, 7));
    assert_eq!((gap.from, gap.to), (SessionTime(100), SessionTime(200)));
}

#[test]
fn events_are_filtered_by_time_device_attribute_and_kind() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let (_, [_, first, _, second]) = connect(&recorder);
    // More than a page, in several commits.
    for at in 0..5000 {
        recorder.sample(&value(if at % 2 == 0 { first } else { second }, at, &[]));
        if at % 1000 == 0 {
            recorder.flush().unwrap();
        }
    }
    let other = recorder.device(&DeviceId::from("other"), None);
    recorder.record(Timestamp(10), Event::Connecting { device: other });
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    let times = |filter: Filter| -> Vec<i64> {
        let events = session.events(&filter).unwrap();
        events.map(|event| event.unwrap().at.0).collect()
    };
    assert_eq!(times(Filter::default()).len(), 5003);
    let range = Filter {
        from: Some(SessionTime(1998)),
        to: Some(SessionTime(2003)),
        ..Filter::default()
    };
    assert_eq!(times(range.clone()), [1998, 1999, 2000, 2001, 2002]);
    let one = Filter {
        attributes: vec![first],
        ..range.clone()
    };
    assert_eq!(times(one), [1998, 2000, 2002]);
    let both = Filter {
        attributes: vec![first, second],
        ..Filter::default()
    };
    assert_eq!(times(both), (0..5000).collect::<Vec<_>>());
    let device = Filter {
        devices: vec![other],
        ..Filter::default()
    };
    assert_eq!(times(device), [10]);
    let kinds = Filter {
        kinds: vec![Kind::Connected, Kind::Discovered],
        ..Filter::default()
    };
    assert_eq!(times(kinds), [0, 0]);
    let none = Filter {
        containing: vec![0, 1],
        ..Filter::default()
    };
    assert_eq!(times(none), [0_i64; 0]);
    let counts = session.counts().unwrap();
    let notified = counts.iter().find(|count| count.kind == Kind::Notification);
    assert_eq!(notified.unwrap().events, 5000);
}

#[test]
fn a_session_is_read_while_it_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let (_, [_, attribute, ..]) = connect(&recorder);
    recorder.flush().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    for round in 1..=20_u8 {
        recorder.sample(&value(attribute, i64::from(round), &[round]));
        recorder.flush().unwrap();
        assert_eq!(bytes(&session, attribute, 1), [[round]]);
    }
    assert_eq!(session.info().unwrap().ended, None);
    recorder.close().unwrap();
    assert_eq!(bytes(&session, attribute, 100).len(), 20);
}

#[test]
fn what_is_recorded_reaches_the_disk_without_being_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    connect(&recorder);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while recorder.status().events < 2 {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(recorder.status().waiting, 0);
}

#[test]
fn a_jump_of_the_wall_clock_is_anchored() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, wall) = (Clock::manual(), Arc::new(AtomicI64::new(START.unix_ns)));
    let options = Options {
        wall: WallClock::from_fn({
            let wall = Arc::clone(&wall);
            move || WallTime {
                unix_ns: wall.load(SeqCst),
                ..START
            }
        }),
        ..Options::default()
    };
    let recorder = Recorder::create(folder.path(), clock.clone(), options).unwrap();
    let note = || {
        recorder.record(clock.now(), Event::Note { text: "".into() });
        recorder.flush().unwrap();
    };
    note();
    let hour = 3_600_000_000_000;
    clock.advance(Duration::from_secs(1));
    wall.fetch_add(1_000_000_000 + hour, SeqCst);
    note();
    clock.advance(Duration::from_secs(1));
    wall.fetch_add(1_000_000_000, SeqCst);
    note();
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    let wall_times: Vec<_> = session
        .events(&Filter::default())
        .unwrap()
        .map(|event| session.anchors().wall_time(event.unwrap().at).unix_ns - START.unix_ns)
        .collect();
    assert_eq!(wall_times, [0, hour + 1_000_000_000, hour + 2_000_000_000]);
}

#[test]
fn recording_pauses_at_the_size_limit_loses_nothing_it_had_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        max_waiting: 2000,
        size_limit: Some(1 << 20),
        ..options()
    };
    let recorder = Recorder::create(folder.path(), Clock::manual(), options).unwrap();
    let mut state = recorder.state();
    let (_, [_, attribute, ..]) = connect(&recorder);
    let mut sent: u32 = 0;
    let mut send = |count: u32| {
        for _ in 0..count {
            let mut bytes = vec![0; 512];
            bytes[..4].copy_from_slice(&sent.to_le_bytes());
            recorder.sample(&value(attribute, i64::from(sent), &bytes));
            sent += 1;
        }
    };
    let paused = loop {
        send(200);
        match recorder.flush() {
            Ok(()) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(paused.code(), "paused");
    assert!(paused.to_string().contains("size limit"), "{paused}");
    assert!(matches!(&*state.borrow_and_update(), State::Paused { .. }));
    let safe = recorder.status().values;
    // The limit holds for what is on disk; what finds no room in memory is counted.
    send(5000);
    assert!(recorder.flush().is_err());
    assert!(recorder.status().lost.gattscope > 0);
    let before = Session::open(recorder.path()).unwrap();
    assert_eq!(
        before.values(attribute, usize::MAX).unwrap().len() as u64,
        safe
    );

    recorder.set_size_limit(None);
    recorder.flush().unwrap();
    assert_eq!(*state.borrow_and_update(), State::Recording);
    send(100);
    recorder.close().unwrap();
    let status = recorder.status();
    assert_eq!(status.values + status.lost.gattscope, u64::from(sent));
    let session = Session::open(recorder.path()).unwrap();
    assert_eq!(session.info().unwrap().lost, status.lost);
    let numbers: Vec<u32> = bytes(&session, attribute, usize::MAX)
        .iter()
        .map(|bytes| u32::from_le_bytes(bytes[..4].try_into().unwrap()))
        .collect();
    assert_eq!(numbers.len() as u64, status.values);
    assert!(numbers.is_sorted_by(|a, b| a < b));
    assert_eq!(
        numbers[..safe as usize],
        *(0..safe as u32).collect::<Vec<_>>()
    );
    assert_eq!(numbers.last(), Some(&(sent - 1)));
}

#[test]
fn closing_while_nothing_can_be_written_says_so_and_counts_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        size_limit: Some(1),
        ..options()
    };
    let recorder = Recorder::create(folder.path(), Clock::manual(), options).unwrap();
    let (_, [_, attribute, ..]) = connect(&recorder);
    for at in 0..1000 {
        recorder.sample(&value(attribute, at, &[0; 512]));
    }
    let error = recorder.close().unwrap_err();
    assert_eq!(error.code(), "storage");
    let status = recorder.status();
    assert_eq!((status.state, status.values), (State::Stopped, 0));
    assert_eq!(status.lost.gattscope, 1000);
    recorder.sample(&value(attribute, 0, &[]));
    assert_eq!(recorder.status().lost.gattscope, 1001);
    assert!(matches!(recorder.flush(), Err(Error::Stopped)));
    recorder.close().unwrap();
}

#[test]
fn a_closed_session_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    connect(&recorder);
    recorder.close().unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(files, [recorder.path()]);
    let name = recorder.path().file_name().unwrap();
    assert_eq!(name, "2026-02-01 13.05.09.gattscope");
}

#[test]
fn sessions_of_the_same_second_do_not_replace_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (recorder(&folder), recorder(&folder));
    assert_ne!(one.path(), two.path());
    let name = two.path().file_name().unwrap();
    assert_eq!(name, "2026-02-01 13.05.09 (2).gattscope");
}

#[test]
fn a_folder_that_cannot_be_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "text").unwrap();
    for place in [file.clone(), file.join("inside")] {
        let error = Recorder::create(&place, Clock::manual(), options()).unwrap_err();
        assert_eq!(error.code(), "not_a_folder", "{error}");
        assert!(error.to_string().contains("a file"), "{error}");
        assert!(error.hint().contains("another place"), "{}", error.hint());
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"text");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_where_nothing_may_be_made_is_refused_with_what_to_do() {
    let place = Path::new("/proc/gattscope");
    let error = Recorder::create(place, Clock::manual(), options()).unwrap_err();
    assert_eq!(error.code(), "not_writable", "{error}");
    assert!(!error.hint().is_empty());
}

fn refusal(path: &Path) -> Error {
    Session::open(path).unwrap_err()
}

#[test]
fn what_is_not_a_session_is_refused_by_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.gattscope");
    assert_eq!(refusal(&path).code(), "not_found");
    assert_eq!(refusal(folder.path()).code(), "not_a_session");
    for text in ["", "time,value\r\n2026-01-01,1\r\n"] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(refusal(&path).code(), "not_a_session");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    std::fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    let error = refusal(&path);
    assert!(error.to_string().contains("another program"), "{error}");
}

#[test]
fn a_session_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    recorder.close().unwrap();
    let file = rusqlite::Connection::open(recorder.path()).unwrap();
    file.execute_batch("PRAGMA user_version = 3").unwrap();
    drop(file);
    let before = std::fs::read(recorder.path()).unwrap();
    let error = refusal(recorder.path());
    assert!(matches!(
        error,
        Error::NewerSchema {
            found: 3,
            known: 2,
            ..
        }
    ));
    assert_eq!(std::fs::read(recorder.path()).unwrap(), before);
}

#[test]
fn a_truncated_session_is_read_up_to_the_damage() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let (_, [_, attribute, ..]) = connect(&recorder);
    for at in 0..5000 {
        recorder.sample(&value(attribute, at, &[7; 100]));
    }
    recorder.close().unwrap();
    let bytes = std::fs::read(recorder.path()).unwrap();
    let cut = folder.path().join("cut.gattscope");
    std::fs::write(&cut, &bytes[..bytes.len() / 2 / 4096 * 4096]).unwrap();
    let session = Session::open(&cut).unwrap();
    assert!(session.is_cut_off());
    let events = session.events(&Filter::default()).unwrap();
    let mut events: Vec<_> = events.collect();
    let end = events.pop().unwrap();
    assert_eq!(end.unwrap_err().code(), "damaged");
    assert!(events.len() > 100, "{}", events.len());
    assert!(events.iter().all(Result::is_ok));
    std::fs::write(&cut, &bytes[..10]).unwrap();
    assert_eq!(refusal(&cut).code(), "not_a_session");
}

#[test]
fn what_a_counter_says_is_missing_is_told_apart_by_who_lost_it_and_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let (_, [_, first, ..]) = connect(&recorder);
    let mut sent = 0_u8;
    let mut send = |attribute, at: i64, lost_on_air: u8, lost_here: u32| {
        sent = sent.wrapping_add(lost_on_air).wrapping_add(lost_here as u8);
        recorder.sample(&Sample {
            lost_before: lost_here,
            ..value(attribute, at, &[0xAA, sent])
        });
        sent = sent.wrapping_add(1);
    };
    for round in 0..600 {
        send(first, round * 10, u8::from(round % 100 == 99) * 3, 0);
    }
    send(first, 6_000, 2, 5);
    // A value without the counter, and the same one again.
    recorder.sample(&value(first, 6_010, &[1]));
    let (_, [_, again, ..]) = connect(&recorder);
    send(again, 7_000, 40, 0);
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    let counter = session::Counter::of_bits(8).unwrap();
    let mut holes = Vec::new();
    let ledger = session
        .reconcile(
            again,
            counter,
            &|bytes| bytes.get(1).map(|byte| u64::from(*byte)),
            &mut |hole| holes.push(hole),
        )
        .unwrap();
    assert_eq!((ledger.received, ledger.unreadable), (602, 1));
    assert_eq!((ledger.repeated, ledger.restarts), (0, 0));
    let lost = ledger.lost;
    assert_eq!((lost.device_sequence, lost.host_queue), (6 * 3 + 2, 5));
    assert_eq!((lost.link_down, lost.gattscope), (40, 0));
    assert_eq!(ledger.sent(), 602 + 20 + 5 + 40);
    assert_eq!(holes.len(), 6 + 2 + 1);
    let end = holes.last().unwrap();
    assert_eq!((end.cause, end.count), (Cause::LinkDown, 40));
    assert_eq!((end.from, end.to), (SessionTime(6_000), SessionTime(7_000)));
}

#[test]
fn what_comes_late_after_another_loss_is_no_loss() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let (_, [_, first, ..]) = connect(&recorder);
    let send = |attribute, at: i64, counter: u8, lost_here: u32| {
        recorder.sample(&Sample {
            lost_before: lost_here,
            ..value(attribute, at, &[0xAA, counter])
        });
    };
    send(first, 1, 10, 0);
    send(first, 2, 13, 0);
    // 14 was lost in the queue, and 12 comes after all.
    send(first, 3, 15, 1);
    send(first, 4, 12, 0);
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    let counter = session::Counter::of_bits(8).unwrap();
    let read = |bytes: &[u8]| bytes.get(1).map(|byte| u64::from(*byte));
    let mut holes = Vec::new();
    let mut hole = |gap: session::Gap| holes.push((gap.cause, gap.count));
    let ledger = session.reconcile(first, counter, &read, &mut hole).unwrap();
    assert_eq!((ledger.received, ledger.sent()), (4, 6));
    assert_eq!(
        (ledger.lost.device_sequence, ledger.lost.host_queue),
        (1, 1)
    );
    assert_eq!(holes, [(Cause::DeviceSequence, 1), (Cause::HostQueue, 1)]);
}

#[test]
fn values_are_found_by_bytes_that_stand_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let (_, [_, attribute, ..]) = connect(&recorder);
    for (at, bytes) in [&[1, 2, 3][..], &[2, 3], &[3, 2], &[0x12, 0x31], &[]]
        .into_iter()
        .enumerate()
    {
        recorder.sample(&value(attribute, at as i64, bytes));
    }
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    let with = |containing: &[u8]| -> Vec<i64> {
        let filter = Filter {
            containing: containing.to_vec(),
            kinds: vec![Kind::Notification],
            ..Filter::default()
        };
        let events = session.events(&filter).unwrap();
        events.map(|event| event.unwrap().at.0).collect()
    };
    assert_eq!(with(&[2, 3]), [0, 1]);
    // Half bytes are none: 12 31 does not contain 23.
    assert_eq!(with(&[0x23]), [0_i64; 0]);
    assert_eq!(with(&[]).len(), 5);
}

#[test]
fn a_loss_across_a_new_discovery_on_the_same_link_is_none_of_the_link() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(&folder);
    let device = recorder.device(&DeviceId::from("C4:7C:8D:6A:11:02"), None);
    let link = recorder.link_up(Timestamp(0), device);
    let discover = |at| {
        let mut db = GattDb::new();
        let (kind, uuid) = (AttrKind::Characteristic, Uuid::from_u128(7));
        let found = db.push(kind, uuid, None, None, Properties::NOTIFY).unwrap();
        recorder.attributes(Timestamp(at), link, &db);
        found
    };
    let before = discover(0);
    recorder.sample(&value(before, 10, &[0, 1]));
    let after = discover(20);
    recorder.sample(&value(after, 30, &[0, 4]));
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    let counter = session::Counter::of_bits(8).unwrap();
    let read = |bytes: &[u8]| bytes.get(1).map(|byte| u64::from(*byte));
    let ledger = session
        .reconcile(after, counter, &read, &mut |_| {})
        .unwrap();
    assert_eq!((ledger.lost.device_sequence, ledger.lost.link_down), (2, 0));
}
