//! A disk that is full, or cannot be written: a small one of memory, in a mount namespace of its own.
//!
//! This program starts itself again in that namespace. Where the system does not let this user make
//! one, what is left is the size limit, which ends in the same error of SQLite; `recording.rs` has
//! that.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("small disks can be made on Linux only; the size limit is tested everywhere");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ops::ControlFlow;
    use std::path::Path;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use bytes::Bytes;
    use radio::{AttrKind, Clock, DeviceId, GattDb, Properties, Sample, SampleKind, Timestamp};
    use session::export::{Csv, Export, Fields, Jsonl, Pcapng, to_file};
    use session::{Options, Recorder, Session, State};
    use uuid::Uuid;

    /// Names an empty folder: this process may mount on it.
    const CHILD: &str = "GATTSCOPE_FULL_DISK_CHILD";
    /// What the child returns if it may not, after all.
    const MAY_NOT: i32 = 77;

    pub(super) fn main() {
        if let Some(folder) = std::env::var_os(CHILD) {
            return inside(Path::new(&folder));
        }
        let folder = tempfile::tempdir().unwrap();
        for namespace in ["--mount", "--map-root-user"] {
            let run = Command::new("unshare")
                .args(["--mount", namespace, "--"])
                .arg(std::env::current_exe().unwrap())
                .env(CHILD, folder.path())
                .status()
                .unwrap();
            match run.code() {
                Some(0) => return,
                // unshare itself returns 1 when it is not allowed; a failed test returns 101.
                Some(1 | MAY_NOT) => {}
                _ => panic!("failed on a small disk"),
            }
        }
        println!("this user may not mount a small disk; the size limit is tested everywhere");
    }

    fn mount(folder: &Path, options: &str) -> bool {
        Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder)
            .status()
            .unwrap()
            .success()
    }

    fn inside(folder: &Path) {
        if !mount(folder, "size=4m") {
            std::process::exit(MAY_NOT);
        }
        recording_pauses_on_a_full_disk_and_goes_on_when_there_is_room(folder);
        assert!(mount(folder, "size=16k"));
        no_session_begins_on_a_full_disk(folder);
        assert!(mount(folder, "size=32m"));
        a_session_on_a_read_only_disk_is_read_and_not_changed(folder);
        assert!(mount(folder, "ro"));
        no_session_begins_where_nothing_can_be_written(folder);
        println!("4 tests on small disks passed");
    }

    fn names(folder: &Path) -> Vec<std::ffi::OsString> {
        let files = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    }

    fn create(folder: &Path) -> Result<Recorder, session::Error> {
        let options = Options {
            max_waiting: 500,
            ..Options::default()
        };
        Recorder::create(folder, Clock::monotonic(), options)
    }

    fn recording_pauses_on_a_full_disk_and_goes_on_when_there_is_room(folder: &Path) {
        let ballast = folder.join("ballast");
        std::fs::write(&ballast, vec![1; 2 << 20]).unwrap();
        let recorder = create(folder).unwrap();
        let device = recorder.device(&DeviceId::from("counter"), None);
        let link = recorder.link_up(Timestamp(0), device);
        let mut db = GattDb::new();
        let (kind, uuid) = (AttrKind::Characteristic, Uuid::from_u128(1));
        let attribute = db.push(kind, uuid, None, None, Properties::NOTIFY).unwrap();
        recorder.attributes(Timestamp(0), link, &db);
        let mut sent: u32 = 0;
        let mut send = |count: u32| {
            for _ in 0..count {
                let mut bytes = vec![0; 512];
                bytes[..4].copy_from_slice(&sent.to_le_bytes());
                recorder.sample(&Sample {
                    attribute,
                    at: Timestamp(i64::from(sent)),
                    lost_before: 0,
                    kind: SampleKind::Notification,
                    bytes: bytes.into(),
                });
                sent += 1;
            }
            sent
        };
        let error = loop {
            send(100);
            if let Err(error) = recorder.flush() {
                break error;
            }
        };
        assert!(error.to_string().contains("disk is full"), "{error}");
        let safe = recorder.status().values;
        assert!(safe > 1000, "{safe}");
        send(2000);
        let full = recorder.status();
        assert!(matches!(full.state, State::Paused { .. }), "{full:?}");
        assert!(full.lost.gattscope > 0, "{full:?}");
        let session = Session::open(recorder.path()).unwrap();
        let kept = session.values(attribute, usize::MAX).unwrap().len();
        assert_eq!(kept as u64, safe);
        // What is in the file can be exported, though not to here; and nothing is left of the attempt.
        let target = folder.join("out");
        let before = names(folder);
        let read = |_: &session::Attribute, _: &[u8], number: &mut dyn FnMut(usize, f64)| {
            number(0, 0.0);
        };
        let fields = Fields {
            filter: session::Filter::default(),
            columns: &["x".to_owned()],
            read: &read,
            hold: false,
        };
        let whats: [&dyn Export; 4] = [
            &Csv::default(),
            &fields,
            &Jsonl::default(),
            &Pcapng::default(),
        ];
        let mut go_on = |_| ControlFlow::Continue(());
        for what in whats {
            let error = to_file(&session, what, &target, &mut go_on).unwrap_err();
            assert_eq!(error.code(), "no_space", "{error}");
        }
        let error = session::library::save_as(recorder.path(), &target, &mut go_on).unwrap_err();
        assert_eq!(error.code(), "no_space", "{error}");
        assert_eq!(names(folder), before);
        let elsewhere = tempfile::tempdir().unwrap();
        let target = elsewhere.path().join("out.csv");
        let summary = to_file(&session, &Csv::default(), &target, &mut go_on).unwrap();
        assert!(summary.rows >= safe, "{summary:?}");

        std::fs::remove_file(&ballast).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while recorder.status().state != State::Recording {
            assert!(Instant::now() < deadline, "{:?}", recorder.status());
            std::thread::sleep(Duration::from_millis(20));
        }
        let sent = send(100);
        drop(session);
        recorder.close().unwrap();
        let status = recorder.status();
        assert_eq!(status.values + status.lost.gattscope, u64::from(sent));
        let session = Session::open(recorder.path()).unwrap();
        assert_eq!(session.info().unwrap().lost, status.lost);
        let numbers: Vec<u32> = session
            .values(attribute, usize::MAX)
            .unwrap()
            .iter()
            .map(|value| value.value.as_ref().map(Bytes::as_ref).unwrap())
            .map(|bytes| u32::from_le_bytes(bytes[..4].try_into().unwrap()))
            .collect();
        assert!(numbers[..safe as usize].iter().copied().eq(0..safe as u32));
        assert!(numbers.is_sorted_by(|a, b| a < b));
        assert_eq!(numbers.len() as u64, status.values);
    }

    fn no_session_begins_on_a_full_disk(folder: &Path) {
        let _ = std::fs::write(folder.join("ballast"), vec![1; 1 << 20]);
        let error = create(folder).unwrap_err();
        assert_eq!(error.code(), "no_space", "{error}");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
    }

    fn no_session_begins_where_nothing_can_be_written(folder: &Path) {
        for place in [folder, &folder.join("new")] {
            let error = create(place).unwrap_err();
            assert_eq!(error.code(), "not_writable", "{error}");
            assert!(!error.hint().is_empty());
        }
    }

    fn a_session_on_a_read_only_disk_is_read_and_not_changed(folder: &Path) {
        let recorder = create(folder).unwrap();
        let note = |text: &str| {
            let text = text.into();
            recorder.record(Timestamp(1), session::Event::Note { text });
            recorder.flush().unwrap();
        };
        note("first");
        // As if it were cut off here: with a log, and with one that is empty.
        let interrupted = folder.join("100% cut.gattscope");
        let folded = folder.join("folded.gattscope");
        for target in [&interrupted, &folded] {
            for suffix in ["", "-wal"] {
                let with = |path: &Path| format!("{}{suffix}", path.display());
                let copy = Command::new("cp")
                    .args([with(recorder.path()), with(target)])
                    .status();
                assert!(copy.unwrap().success());
            }
        }
        let file = rusqlite::Connection::open(&folded).unwrap();
        file.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
            .unwrap();
        // Keeps its log's name in its header, but there is none beside it.
        drop(file);
        recorder.close().unwrap();
        let status = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(folder)
            .status();
        assert!(status.unwrap().success());
        let before = names(folder);
        for path in [recorder.path(), &interrupted, &folded] {
            let session = Session::open(path).unwrap();
            assert_eq!(session.info().unwrap().events, 1, "{}", path.display());
            let error = session::library::rename(path, "mine").unwrap_err();
            assert_eq!(error.code(), "not_writable", "{error}");
            let error = session::library::delete(path).unwrap_err();
            assert_eq!(error.code(), "not_writable", "{error}");
        }
        let listing = session::library::list(folder).unwrap();
        assert_eq!((listing.sessions.len(), listing.refused.len()), (3, 0));
        let target = folder.join("out.csv");
        let session = Session::open(recorder.path()).unwrap();
        let mut go_on = |_| ControlFlow::Continue(());
        let error = to_file(&session, &Csv::default(), &target, &mut go_on).unwrap_err();
        assert_eq!(error.code(), "not_writable");
        assert_eq!(names(folder), before);
    }
}
