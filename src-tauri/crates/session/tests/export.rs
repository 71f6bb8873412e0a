//! Other programs read what we write: Python's `csv`, `json` and `sqlite3`, which need `python3`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use radio::{
    Advertisement, AttError, AttrId, AttrKind, Clock, DeviceId, GattDb, Handle, Properties, Rssi,
    Timestamp,
};
use session::export::{
    Csv, Export, Fields, Jsonl, Pcapng, Profile, Progress, Target, to_file, to_writer,
};
use session::{
    Event, Failure, Filter, Kind, Options, Recorder, Session, SessionTime, WallClock, WallTime,
};
use uuid::Uuid;

const HOSTILE: [&str; 9] = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1:A2)",
    "\t=1",
    "\r\n=1",
    "\u{FF1D}1+1",
    "a,\"b\"\r\nc",
    "\u{202E}gnp.exe",
];

fn python(script: &str, file: &Path) -> serde_json::Value {
    let run = Command::new("python3")
        .args(["-I", "-X", "utf8", "-c", script])
        .arg(file)
        .output()
        .expect("python3 must be installed: this test reads our files with it");
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{errors}");
    serde_json::from_slice(&run.stdout).unwrap()
}

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A session with hostile names, a refusal, values and a loss.
fn record(folder: &Path) -> (PathBuf, AttrId) {
    let options = Options {
        wall: WallClock::from_fn(|| WallTime {
            unix_ns: 1_769_947_509_000_000_042,
            utc_offset_s: -5400,
        }),
        ..Options::default()
    };
    let recorder = Recorder::create(folder, Clock::manual(), options).unwrap();
    for (at, name) in HOSTILE.into_iter().enumerate() {
        let mut report = Advertisement::new(DeviceId::from(name), Timestamp(at as i64));
        report.local_name = Some(name.into());
        report.rssi = Some(Rssi(-58));
        recorder.advertisement(report);
    }
    let device = recorder.device(&DeviceId::from("C4:7C:8D:6A:11:02"), Some("HR"));
    let link = recorder.link_up(Timestamp(100), device);
    let mut db = GattDb::new();
    let service = Uuid::from_u128(0x180D);
    let service = db
        .push(
            AttrKind::Service,
            service,
            Some(Handle(1)),
            None,
            Properties::default(),
        )
        .unwrap();
    let attribute = db
        .push(
            AttrKind::Characteristic,
            Uuid::from_u128(0x2A37),
            Some(Handle(3)),
            Some(service),
            Properties::READ,
        )
        .unwrap();
    recorder.attributes(Timestamp(100), link, &db);
    let read = |at, result| {
        recorder.record(Timestamp(at), Event::ReadResult { attribute, result });
    };
    read(1_500_000_000, Ok(Bytes::from_static(b"=1+1")));
    read(1_600_000_000, Ok(Bytes::from_static(&[0x00, 0xE5, 0x10])));
    read(1_700_000_000, Ok(Bytes::new()));
    let refused = radio::Error::Att(AttError::INSUFFICIENT_AUTHENTICATION);
    read(1_800_000_000, Err(Failure::from(refused)));
    recorder.record(
        Timestamp(1_900_000_000),
        Event::Gap {
            cause: session::Cause::HostQueue,
            attribute: Some(attribute),
            count: 12,
            from: Timestamp(0),
            to: Timestamp(1_900_000_000),
        },
    );
    recorder.close().unwrap();
    (recorder.path().to_owned(), attribute)
}

#[test]
fn pythons_csv_reads_every_row_and_no_cell_is_a_formula() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = record(folder.path());
    let target = folder.path().join("out.csv");
    let session = Session::open(&path).unwrap();
    let summary = to_file(&session, &Csv::default(), &target, &mut go_on).unwrap();
    assert_eq!(summary.bytes, std::fs::metadata(&target).unwrap().len());
    let rows = python(
        "import csv, json, sys\n\
         rows = list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True))\n\
         print(json.dumps(rows))",
        &target,
    );
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), HOSTILE.len() + 7);
    assert_eq!(summary.rows, rows.len() as u64);
    for (row, name) in rows.iter().zip(HOSTILE) {
        for column in ["device_name", "device_id"] {
            let cell = row[column].as_str().unwrap();
            assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), name);
        }
        assert_eq!(row["rssi_dbm"], "-58");
        let detail = row["detail"].as_str().unwrap();
        let detail: serde_json::Value = serde_json::from_str(detail).unwrap();
        assert_eq!(detail["local_name"], name);
    }
    for row in rows {
        for (column, cell) in row.as_object().unwrap() {
            let dangerous = cell.as_str().unwrap().starts_with([
                '=', '+', '-', '@', '\t', '\r', '\n', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}',
                '\u{FF20}',
            ]);
            assert!(!dangerous || column == "rssi_dbm", "{column}: {cell}");
        }
    }
    let value = &rows[HOSTILE.len() + 2];
    let cells = [
        ("event", "12"),
        ("time", "2026-02-01T10:35:10.500000042-01:30"),
        ("seconds", "1.500000000"),
        ("kind", "read_result"),
        ("direction", "in"),
        ("device_name", "HR"),
        ("device_id", "C4:7C:8D:6A:11:02"),
        ("service", "00000000-0000-0000-0000-00000000180d"),
        ("characteristic", "00000000-0000-0000-0000-000000002a37"),
        ("descriptor", ""),
        ("handle", "3"),
        ("bytes", "4"),
        ("hex", "3D 31 2B 31"),
        ("text", "'=1+1"),
        ("status", "0"),
        ("status_name", "Success"),
        ("detail", ""),
    ];
    for (column, cell) in cells {
        assert_eq!(value[column], cell, "{column}");
    }
    let binary = &rows[HOSTILE.len() + 3];
    assert_eq!(
        (&binary["hex"], &binary["text"]),
        (&"00 E5 10".into(), &"".into())
    );
    let empty = &rows[HOSTILE.len() + 4];
    assert_eq!((&empty["hex"], &empty["bytes"]), (&"".into(), &"0".into()));
    let refused = &rows[HOSTILE.len() + 5];
    assert_eq!(refused["status"], "5");
    assert_eq!(refused["status_name"], "Insufficient Authentication");
    assert_eq!(refused["bytes"], "");
    let gap = &rows[HOSTILE.len() + 6];
    assert_eq!(gap["count"], "12");
    assert!(gap["detail"].as_str().unwrap().starts_with("host_queue"));
}

#[test]
fn pythons_json_reads_every_line_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = record(folder.path());
    let target = folder.path().join("out.jsonl");
    let session = Session::open(&path).unwrap();
    let summary = to_file(&session, &Jsonl::default(), &target, &mut go_on).unwrap();
    let text = std::fs::read_to_string(&target).unwrap();
    assert_eq!(summary.bytes, text.len() as u64);
    assert!(!text.contains('\u{202E}'), "a name turns the text around");
    // `splitlines` also splits where JSON need not escape.
    let lines = python(
        "import json, sys\n\
         text = open(sys.argv[1], encoding='utf-8', newline='').read()\n\
         assert text.endswith('\\n')\n\
         lines = [json.loads(line) for line in text.splitlines()]\n\
         for line in lines:\n\
         \x20   if 'hex' in line: line['bytes'] = list(bytes.fromhex(line['hex']))\n\
         print(json.dumps(lines))",
        &target,
    );
    let lines = lines.as_array().unwrap();
    assert_eq!(lines.len(), HOSTILE.len() + 7);
    assert_eq!(summary.rows, lines.len() as u64);
    for (at, (line, name)) in lines.iter().zip(HOSTILE).enumerate() {
        assert_eq!(
            *line,
            serde_json::json!({
                "event": at + 1,
                "time": format!("2026-02-01T10:35:09.{:09}-01:30", 42 + at),
                "t_ns": at,
                "kind": "advertisement",
                "direction": "in",
                "device_name": name,
                "device_id": name,
                "rssi_dbm": -58,
                "advertisement": {"local_name": name},
            })
        );
    }
    assert_eq!(
        lines[HOSTILE.len() + 2],
        serde_json::json!({
            "event": 12,
            "time": "2026-02-01T10:35:10.500000042-01:30",
            "t_ns": 1_500_000_000,
            "kind": "read_result",
            "direction": "in",
            "device_name": "HR",
            "device_id": "C4:7C:8D:6A:11:02",
            "link": 1,
            "service": "00000000-0000-0000-0000-00000000180d",
            "characteristic": "00000000-0000-0000-0000-000000002a37",
            "handle": 3,
            "hex": "3d312b31",
            "bytes": b"=1+1",
            "status": 0,
            "status_name": "Success",
        })
    );
    assert_eq!(
        lines[HOSTILE.len() + 3]["bytes"],
        serde_json::json!([0x00, 0xE5, 0x10])
    );
    assert_eq!(lines[HOSTILE.len() + 4]["hex"], "");
    let refused = &lines[HOSTILE.len() + 5];
    assert_eq!(refused["status"], 5);
    assert_eq!(refused.get("hex"), None);
    assert_eq!(
        lines[HOSTILE.len() + 6]["gap"],
        serde_json::json!({"cause": "host_queue", "count": 12, "from_ns": 0, "to_ns": 1_900_000_000})
    );
}

#[test]
fn the_same_filter_writes_the_same_events_as_csv_and_as_json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let (path, attribute) = record(folder.path());
    let session = Session::open(&path).unwrap();
    let filter = Filter {
        from: Some(SessionTime(1_500_000_000)),
        to: Some(SessionTime(1_700_000_000)),
        kinds: vec![Kind::ReadResult],
        attributes: vec![attribute],
        ..Filter::default()
    };
    let decode = |_: &session::Attribute, value: &[u8]| Some(format!("{} bytes", value.len()));
    let what = Jsonl {
        filter: filter.clone(),
        decode: Some(&decode),
    };
    let mut lines = Vec::new();
    let rows = to_writer(&session, &what, &mut lines, &mut go_on)
        .unwrap()
        .rows;
    let events: Vec<_> = String::from_utf8(lines)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| (line["event"].to_string(), line["decoded"].to_string()))
        .collect();
    let expected = [("12", "\"4 bytes\""), ("13", "\"3 bytes\"")];
    let expected = expected.map(|(event, decoded)| (event.to_owned(), decoded.to_owned()));
    assert_eq!(events, expected);
    let what = Csv {
        filter,
        decode: None,
    };
    let mut table = Vec::new();
    assert_eq!(
        to_writer(&session, &what, &mut table, &mut go_on)
            .unwrap()
            .rows,
        rows
    );
    let table = String::from_utf8(table).unwrap();
    let numbers = table
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap());
    assert_eq!(numbers.collect::<Vec<_>>(), ["12", "13"]);
}

#[test]
fn pythons_sqlite3_reads_the_documented_views() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = record(folder.path());
    let answer = python(
        "import json, sqlite3, sys\n\
         db = sqlite3.connect(sys.argv[1])\n\
         one = lambda sql: db.execute(sql).fetchall()\n\
         print(json.dumps({\n\
           'id': one('PRAGMA application_id')[0][0], 'version': one('PRAGMA user_version')[0][0],\n\
           'integrity': one('PRAGMA integrity_check')[0][0], 'keys': one('PRAGMA foreign_key_check'),\n\
           'names': [name for name, in one('SELECT name FROM device ORDER BY id')],\n\
           'value': one('SELECT time, seconds, kind, device_name, characteristic, handle, hex FROM value ORDER BY id'),\n\
           'raw': [bytes(v).hex() for v, in one('SELECT value FROM event WHERE value IS NOT NULL ORDER BY id')],\n\
           'loss': one('SELECT cause, count, from_seconds, to_seconds FROM loss'),\n\
         }))",
        &path,
    );
    assert_eq!(answer["id"], session::APPLICATION_ID);
    assert_eq!(answer["version"], session::SCHEMA_VERSION);
    assert_eq!(answer["integrity"], "ok");
    assert_eq!(answer["keys"], serde_json::json!([]));
    let mut names: Vec<_> = HOSTILE.to_vec();
    names.push("HR");
    assert_eq!(answer["names"], serde_json::json!(names));
    let characteristic = "00000000-0000-0000-0000-000000002a37";
    assert_eq!(
        answer["value"][0],
        serde_json::json!([
            "2026-02-01T12:05:10.500000042Z",
            1.5,
            "read_result",
            "HR",
            characteristic,
            3,
            "3D312B31"
        ])
    );
    assert_eq!(answer["raw"], serde_json::json!(["3d312b31", "00e510", ""]));
    assert_eq!(
        answer["loss"],
        serde_json::json!([["host_queue", 12, 0.0, 1.9]])
    );
}

#[test]
fn only_what_the_filter_lets_through_is_written_and_a_decoder_adds_its_column() {
    let folder = tempfile::tempdir().unwrap();
    let (path, attribute) = record(folder.path());
    let session = Session::open(&path).unwrap();
    let decode = |attribute: &session::Attribute, value: &[u8]| {
        assert_eq!(attribute.handle, Some(Handle(3)));
        value.first().map(|first| format!("-{first}"))
    };
    let what = Csv {
        filter: Filter {
            from: Some(SessionTime(1_600_000_000)),
            kinds: vec![Kind::ReadResult],
            attributes: vec![attribute],
            ..Filter::default()
        },
        decode: Some(&decode),
    };
    let mut out = Vec::new();
    assert_eq!(
        to_writer(&session, &what, &mut out, &mut go_on)
            .unwrap()
            .rows,
        3
    );
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().next().unwrap().ends_with(",detail,decoded"));
    assert!(text.lines().nth(1).unwrap().ends_with(",,'-0"), "{text}");
    assert!(text.ends_with("\r\n"));
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Takes a little, and then there is no room.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whatever a session can be written as.
fn every_export(session: &Session, with: &dyn Fn(&str, &dyn Export)) {
    let device = session.devices().unwrap().last().unwrap().key;
    let columns = ["first".to_owned()];
    let read = |_: &session::Attribute, value: &[u8], number: &mut dyn FnMut(usize, f64)| {
        number(0, value.len() as f64);
    };
    let fields = Fields {
        filter: Filter::default(),
        columns: &columns,
        read: &read,
        hold: false,
    };
    let profile = Profile {
        device,
        name: None,
        decode: None,
    };
    with("csv", &Csv::default());
    with("fields", &fields);
    with("jsonl", &Jsonl::default());
    with("pcapng", &Pcapng::default());
    with("profile", &profile);
}

#[test]
fn no_export_replaces_what_it_must_not_and_each_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = record(folder.path());
    let session = Session::open(&path).unwrap();
    let inside = folder.path().join("a folder");
    std::fs::create_dir(&inside).unwrap();
    let locked = folder.path().join("read-only.csv");
    std::fs::write(&locked, "precious").unwrap();
    let mut read_only = std::fs::metadata(&locked).unwrap().permissions();
    read_only.set_readonly(true);
    std::fs::set_permissions(&locked, read_only).unwrap();
    let options = Options::default();
    let running = Recorder::create(folder.path(), Clock::manual(), options).unwrap();
    let there = folder.path().join("there.csv");
    std::fs::write(&there, "precious").unwrap();
    let nowhere = folder.path().join("no such folder").join("out");
    let below_a_file = there.join("out");
    let before = names(folder.path());
    let events = session.info().unwrap().events;
    every_export(&session, &|name, what| {
        for (target, code) in [
            (Target::from(&inside), "is_a_folder"),
            (Target::from(&locked), "not_writable"),
            (Target::from(&nowhere), "not_writable"),
            (Target::from(&below_a_file), "not_a_folder"),
            (Target::from(&path), "same_file"),
            (Target::from(running.path()), "in_use"),
            (Target::new_name(&there), "exists"),
        ] {
            let error = to_file(&session, what, target, &mut go_on).unwrap_err();
            assert_eq!(error.code(), code, "{name}: {error}");
            assert!(!error.hint().is_empty(), "{name}: {error}");
        }
        assert_eq!(names(folder.path()), before, "{name}");
    });
    for file in [&locked, &there] {
        assert_eq!(std::fs::read(file).unwrap(), b"precious");
    }
    assert_eq!(Session::open(&path).unwrap().info().unwrap().events, events);
}

#[cfg(unix)]
#[test]
fn an_export_writes_through_a_link_and_takes_the_place_of_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = record(folder.path());
    let session = Session::open(&path).unwrap();
    let link = folder.path().join("link.csv");
    let real = folder.path().join("real.csv");
    std::fs::write(&real, "old").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    to_file(&session, &Csv::default(), &link, &mut go_on).unwrap();
    assert!(link.is_symlink());
    assert!(std::fs::read(&real).unwrap().starts_with(b"event,time,"));
    let to_itself = folder.path().join("same.csv");
    std::os::unix::fs::symlink(&path, &to_itself).unwrap();
    let error = to_file(&session, &Csv::default(), &to_itself, &mut go_on).unwrap_err();
    assert_eq!(error.code(), "same_file");
    let error = to_file(&session, &Csv::default(), "/dev/null", &mut go_on).unwrap_err();
    assert_eq!(error.code(), "not_writable", "{error}");
    assert!(!Path::new("/dev/null").is_file());
}

#[test]
fn every_export_that_finds_no_room_or_is_cancelled_says_so_and_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = record(folder.path());
    let session = Session::open(&path).unwrap();
    every_export(&session, &|name, what| {
        for room in [0, 100] {
            let error = to_writer(&session, what, Full(room), &mut go_on).unwrap_err();
            assert_eq!(error.code(), "no_space", "{name}");
        }
        let target = folder.path().join(format!("out.{name}"));
        for stands in [false, true] {
            if stands {
                std::fs::write(&target, "precious").unwrap();
            }
            let before = names(folder.path());
            // At the first word, and at the last.
            for late in [false, true] {
                let mut cancel = |progress: Progress| match late && progress.done < progress.total {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                };
                let error = to_file(&session, what, &target, &mut cancel).unwrap_err();
                assert_eq!(error.code(), "cancelled", "{name}");
                assert_eq!(names(folder.path()), before, "{name}");
            }
        }
        assert_eq!(std::fs::read(&target).unwrap(), b"precious");
        let summary = to_file(&session, what, &target, &mut go_on).unwrap();
        assert_eq!(summary.bytes, std::fs::metadata(&target).unwrap().len());
    });
}

#[test]
fn samples_of_one_value_have_a_row_each_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let (path, attribute) = record(folder.path());
    let session = Session::open(&path).unwrap();
    let columns = ["count".to_owned(), "x (g)".to_owned()];
    // The first byte once, each of the others as a sample; and a column that there is not.
    let read = |_: &session::Attribute, value: &[u8], number: &mut dyn FnMut(usize, f64)| {
        let Some((count, samples)) = value.split_first() else {
            return;
        };
        number(0, f64::from(*count));
        for sample in samples {
            number(1, f64::from(*sample));
        }
        number(7, 1.0);
    };
    let lines = |hold| -> Vec<String> {
        let what = Fields {
            filter: Filter {
                attributes: vec![attribute],
                from: Some(SessionTime(1_600_000_000)),
                ..Filter::default()
            },
            columns: &columns,
            read: &read,
            hold,
        };
        let mut out = Vec::new();
        to_writer(&session, &what, &mut out, &mut go_on).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let time = "2026-02-01T10:35:10.600000042-01:30,1.600000000";
    let row = |cells: &str| format!("{time},{cells}");
    let header = "time,seconds,count,x (g)".to_owned();
    assert_eq!(lines(false), [header.clone(), row("0,229"), row(",16")]);
    assert_eq!(lines(true), [header, row("0,229"), row("0,16")]);
}

#[test]
fn without_patience_how_much_there_is_is_estimated_and_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(folder.path(), Clock::manual(), Options::default()).unwrap();
    let device = recorder.device(&DeviceId::from("C4:7C:8D:6A:11:02"), None);
    let link = recorder.link_up(Timestamp(0), device);
    for number in 0..150_000_i64 {
        let rssi = Rssi(-58);
        recorder.record(Timestamp(number * 1_000), Event::Rssi { link, rssi });
        if number % 50_000 == 0 {
            recorder.flush().unwrap();
        }
    }
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    let filter = Filter {
        from: Some(SessionTime(1_000)),
        kinds: vec![Kind::Rssi],
        ..Filter::default()
    };
    let patient = session.reckon(&filter, &mut || true).unwrap();
    assert_eq!((patient.events, patient.exact), (149_999, true));
    let mut asked = 0;
    let mut hurried = || {
        asked += 1;
        false
    };
    let reckoned = session.reckon(&filter, &mut hurried).unwrap();
    assert!(!reckoned.exact);
    assert!(
        (149_000..=151_000).contains(&reckoned.events),
        "{reckoned:?}"
    );
    assert_eq!(asked, 1);
}

#[test]
fn how_much_a_filter_lets_through_is_what_an_export_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, attribute) = record(folder.path());
    let session = Session::open(&path).unwrap();
    let device = session.devices().unwrap().last().unwrap().key;
    let all = Filter::default();
    let filters = [
        all.clone(),
        Filter {
            kinds: vec![Kind::ReadResult, Kind::Gap],
            ..all.clone()
        },
        Filter {
            devices: vec![device],
            ..all.clone()
        },
        Filter {
            devices: vec![device],
            kinds: vec![Kind::Advertisement],
            ..all.clone()
        },
        Filter {
            attributes: vec![attribute],
            ..all.clone()
        },
        Filter {
            from: Some(SessionTime(1_600_000_000)),
            to: Some(SessionTime(1_800_000_000)),
            ..all.clone()
        },
        Filter {
            containing: vec![0xE5],
            ..all
        },
    ];
    let mut counts = Vec::new();
    for filter in filters {
        let reckoned = session.reckon(&filter, &mut || true).unwrap();
        assert!(reckoned.exact);
        let decode = None;
        let what = Csv { filter, decode };
        let mut out = Vec::new();
        let written = to_writer(&session, &what, &mut out, &mut go_on).unwrap();
        assert_eq!(reckoned.events, written.rows, "{:?}", what.filter);
        counts.push(reckoned.events);
    }
    assert_eq!(counts, [16, 5, 7, 0, 5, 2, 1]);
}

#[test]
fn the_profile_of_a_device_is_a_page_on_which_hostile_names_stay_text() {
    let folder = tempfile::tempdir().unwrap();
    let (path, attribute) = record(folder.path());
    let session = Session::open(&path).unwrap();
    let devices = session.devices().unwrap();
    let device = devices
        .iter()
        .find(|device| device.identifier.contains("8D"));
    let names = |uuid: Uuid| (uuid.as_u128() == 0x180D).then(|| "Heart | Rate".to_owned());
    let decode = |of: &session::Attribute, value: &[u8]| {
        assert_eq!(of.id, attribute);
        Some(format!("<{}>", value.len()))
    };
    let what = Profile {
        device: device.unwrap().key,
        name: Some(&names),
        decode: Some(&decode),
    };
    let target = folder.path().join("profile.md");
    let summary = to_file(&session, &what, &target, &mut go_on).unwrap();
    let page = std::fs::read_to_string(&target).unwrap();
    assert_eq!((summary.rows, summary.bytes), (2, page.len() as u64));
    assert!(page.starts_with("# HR\n"), "{page}");
    for line in [
        "| Identifier | C4\\:7C\\:8D\\:6A\\:11\\:02 |",
        "| Connections | 1 |",
        "## Heart \\| Rate `00000000-0000-0000-0000-00000000180d`",
        "| 0x0003 |  | `00000000-0000-0000-0000-000000002a37` | read | (empty) |",
    ] {
        assert!(
            page.lines().any(|found| found == line),
            "{line} not in {page}"
        );
    }
    for device in devices {
        let what = Profile {
            device: device.key,
            name: None,
            decode: None,
        };
        let mut page = Vec::new();
        to_writer(&session, &what, &mut page, &mut go_on).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert_eq!(page.matches("\n# ").count(), 0, "{page}");
        assert!(!page.contains('\u{202E}'), "{page}");
    }
    let what = Profile {
        device: session::DeviceKey(99),
        ..what
    };
    let error = to_writer(&session, &what, Vec::new(), &mut go_on).unwrap_err();
    assert_eq!(error.code(), "not_found");
}

#[test]
fn an_export_says_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = record(folder.path());
    let session = Session::open(&path).unwrap();
    let mut told = Vec::new();
    let mut listen = |progress| {
        told.push(progress);
        ControlFlow::Continue(())
    };
    let target = folder.path().join("out.csv");
    to_file(
        &session,
        &Csv::default(),
        Target::new_name(&target),
        &mut listen,
    )
    .unwrap();
    let last = told.last().unwrap();
    assert_eq!((last.rows, last.done, last.total), (16, 16, 16));
    assert_eq!(last.remaining(), Some(std::time::Duration::ZERO));
    assert!(told.is_sorted_by_key(|progress| (progress.done, progress.elapsed)));
}

#[test]
fn fields_stand_side_by_side_and_share_the_row_of_their_moment() {
    let folder = tempfile::tempdir().unwrap();
    let (path, attribute) = record(folder.path());
    let file = rusqlite::Connection::open(&path).unwrap();
    // Two more values of the moment of the second, the last with a field that is taken already.
    for value in ["X'01FF'", "X'0007'"] {
        let insert = format!(
            "INSERT INTO event SELECT 100 + (SELECT count(*) FROM event), t_ns, kind, device, link,
                    attribute, {value}, status, NULL, NULL FROM event WHERE id = 13;
             INSERT INTO batch SELECT max(id), max(id), 1600000000, 1600000000 FROM event"
        );
        file.execute_batch(&insert).unwrap();
    }
    drop(file);
    let session = Session::open(&path).unwrap();
    let columns = ["=first".to_owned(), "second (m/s)".to_owned()];
    // 00 xx is the first, 01 xx the second, and "=1+1" neither.
    let read = |of: &session::Attribute, value: &[u8], number_of: &mut dyn FnMut(usize, f64)| {
        assert_eq!(of.id, attribute);
        if let [column @ 0..=1, number, ..] = value {
            number_of(usize::from(*column), f64::from(*number) / 2.0);
        }
    };
    let lines = |hold| -> Vec<String> {
        let mut what = Fields {
            filter: Filter::default(),
            columns: &columns,
            read: &read,
            hold,
        };
        what.filter.kinds = vec![Kind::ReadResult];
        let mut out = Vec::new();
        let summary = to_writer(&session, &what, &mut out, &mut go_on).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(summary.bytes, text.len() as u64);
        assert_eq!(summary.rows as usize, text.lines().count() - 1);
        text.lines().map(str::to_owned).collect()
    };
    let time = "2026-02-01T10:35:10.600000042-01:30,1.600000000";
    let row = |cells: &str| format!("{time},{cells}");
    let header = "time,seconds,'=first,second (m/s)".to_owned();
    assert_eq!(
        lines(false),
        [header.clone(), row("114.5,127.5"), row("3.5,")]
    );
    assert_eq!(lines(true), [header, row("114.5,127.5"), row("3.5,127.5")]);
}

#[test]
fn an_advertisement_that_is_not_as_it_was_written_ends_no_export_and_hides_no_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = record(folder.path());
    let file = rusqlite::Connection::open(&path).unwrap();
    let all = HOSTILE.len() as i64;
    file.execute_batch(
        "UPDATE advertisement SET services = '[\"no' WHERE event > 2;
         UPDATE advertisement SET manufacturer = x'00', local_name = x'FF' WHERE event = 4;",
    )
    .unwrap();
    drop(file);
    let session = Session::open(&path).unwrap();
    let broken = session.advertisement_json(3).unwrap().unwrap();
    assert!(broken.contains("\"broken\":true"), "{broken}");
    assert!(broken.contains("local_name"), "{broken}");
    let whole = session.advertisement_json(1).unwrap().unwrap();
    assert!(!whole.contains("broken"), "{whole}");
    let rows = session.events(&Filter::default()).unwrap().count() as u64;
    for name in ["a.csv", "a.jsonl"] {
        let to = folder.path().join(name);
        let summary = match name {
            "a.csv" => to_file(&session, &Csv::default(), &to, &mut go_on),
            _ => to_file(&session, &Jsonl::default(), &to, &mut go_on),
        };
        assert_eq!(summary.unwrap().rows, rows);
    }
    // A page of broken ones only is no end.
    let found = session.advertisements(all + 1, 3).unwrap();
    assert_eq!(found.iter().map(|one| one.0).collect::<Vec<_>>(), [1, 2]);
}
