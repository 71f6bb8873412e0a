//! Sessions as documents, also while they are recorded here or elsewhere. Needs `python3`, which
//! stands for another program.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use radio::{
    AttrId, AttrKind, Clock, DeviceId, GattDb, Handle, Properties, Sample, SampleKind, Timestamp,
};
use session::export::{Csv, Export, Jsonl, Pcapng, Progress, Target, to_file, to_writer};
use session::library::{
    self, End, Match, Retention, annotate, delete, entry, keep, list, rename, save_as, search, tidy,
};
use session::{
    Cause, Event, Filter, Kind, Options, Recorder, Session, SessionTime, WallClock, WallTime,
};
use tempfile::TempDir;
use uuid::Uuid;

const START: WallTime = WallTime {
    unix_ns: 1_769_947_509_000_000_042,
    utc_offset_s: 3600,
};

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A recorder that starts `hours` after [`START`].
fn recorder(folder: &Path, hours: i64) -> Recorder {
    let options = Options {
        wall: WallClock::from_fn(move || WallTime {
            unix_ns: START.unix_ns + hours * 3_600_000_000_000,
            ..START
        }),
        ..Options::default()
    };
    Recorder::create(folder, Clock::manual(), options).unwrap()
}

fn connect(recorder: &Recorder, id: &str, name: Option<&str>) -> AttrId {
    let device = recorder.device(&DeviceId::from(id), name);
    let link = recorder.link_up(Timestamp(0), device);
    let mut db = GattDb::new();
    let uuid = Uuid::from_u128(0x2A37 << 96 | 0x1000_8000_0080_5F9B_34FB);
    let attribute = db
        .push(
            AttrKind::Characteristic,
            uuid,
            Some(Handle(3)),
            None,
            Properties::NOTIFY,
        )
        .unwrap();
    recorder.attributes(Timestamp(0), link, &db);
    attribute
}

fn notify(recorder: &Recorder, attribute: AttrId, at: i64) {
    recorder.sample(&Sample {
        attribute,
        at: Timestamp(at),
        lost_before: 0,
        kind: SampleKind::Notification,
        bytes: Bytes::copy_from_slice(&at.to_le_bytes()),
    });
}

fn note(recorder: &Recorder, at: i64, text: &str) {
    recorder.record(Timestamp(at), Event::Note { text: text.into() });
}

/// What a program that was killed while it recorded leaves: taken by another process, as closing a
/// handle of a file here would take SQLite's locks away.
fn interrupted(folder: &Path, from: &Recorder, name: &str) -> PathBuf {
    from.flush().unwrap();
    let to = folder.join(format!("{name}.gattscope"));
    for suffix in ["", "-wal", "-lock"] {
        let mut source = from.path().as_os_str().to_owned();
        source.push(suffix);
        let mut target = to.clone().into_os_string();
        target.push(suffix);
        let copied = Command::new("cp").arg(source).arg(target).status().unwrap();
        assert!(copied.success());
    }
    to
}

/// Another program that has done something with a session and holds it until it is dropped.
struct Other(Child);

impl Other {
    fn does(sql: &str, path: &Path) -> Self {
        let script = "import sqlite3, sys\n\
                      db = sqlite3.connect(sys.argv[2], isolation_level=None)\n\
                      db.execute(sys.argv[1]).fetchall()\n\
                      print('done', flush=True)\n\
                      sys.stdin.read()\n\
                      db.close()";
        let mut child = Command::new("python3")
            .args(["-I", "-c", script, sql])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 must be installed: it stands for another program");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "done\n");
        Self(child)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_folder_lists_its_sessions_the_latest_first_with_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first = recorder(folder, 0);
    first.device(&DeviceId::from("AA:00:00:00:00:01"), None);
    first.device(&DeviceId::from("AA:00:00:00:00:02"), Some("Beacon"));
    let attribute = connect(&first, "AA:00:00:00:00:03", Some("HR strap"));
    for at in 0..500 {
        notify(&first, attribute, at * 1_000_000);
    }
    first.record(
        Timestamp(700_000_000),
        Event::Gap {
            cause: Cause::DeviceSequence,
            attribute: Some(attribute),
            count: 7,
            from: Timestamp(0),
            to: Timestamp(700_000_000),
        },
    );
    let cut = interrupted(folder, &first, "cut");
    first.close().unwrap();
    let second = recorder(folder, 1);
    note(&second, 5, "still going");
    second.flush().unwrap();
    std::fs::write(folder.join("text.gattscope"), "time,value\n".repeat(100)).unwrap();
    std::fs::write(folder.join("notes.txt"), "not ours").unwrap();
    std::fs::create_dir(folder.join("folder.gattscope")).unwrap();

    let listing = list(folder).unwrap();
    assert_eq!(listing.refused.len(), 1);
    assert_eq!(listing.refused[0].code(), "not_a_session");
    let ends: Vec<_> = listing
        .sessions
        .iter()
        .map(|session| (session.path.as_path(), session.end))
        .collect();
    assert_eq!(
        ends,
        [
            (second.path(), End::Running),
            (&*cut, End::Interrupted),
            (first.path(), End::Closed),
        ]
    );
    for session in &listing.sessions[1..] {
        assert_eq!(session.devices, 3);
        assert_eq!(
            session.device_names,
            ["HR strap", "Beacon", "AA:00:00:00:00:01"]
        );
        assert_eq!((session.events, session.values), (503, Some(500)));
        assert_eq!(session.duration, Duration::from_millis(700));
        assert_eq!(session.lost.device_sequence, 7);
        assert!(session.bytes > 16_384, "{}", session.bytes);
        assert_eq!(session.started, START);
    }
    assert_eq!(listing.sessions[2].name(), "2026-02-01 13.05.09");
    assert_eq!(listing.sessions[0].events, 1);
    assert_eq!(list(&folder.join("none")).unwrap().sessions, []);
    let error = list(&folder.join("notes.txt")).unwrap_err();
    assert_eq!(error.code(), "not_a_folder");
}

#[test]
fn counts_in_the_file_are_those_of_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(folder.path(), 0);
    let device = recorder.device(&DeviceId::from("early"), None);
    let link = recorder.link_up(Timestamp(0), device);
    let mut db = GattDb::new();
    let attribute = db
        .push(
            AttrKind::Characteristic,
            Uuid::from_u128(1),
            None,
            None,
            Properties::NOTIFY,
        )
        .unwrap();
    // Before anybody knows whose it is, and in another transaction.
    notify(&recorder, attribute, 1);
    recorder.flush().unwrap();
    notify(&recorder, attribute, 2);
    recorder.attributes(Timestamp(3), link, &db);
    notify(&recorder, attribute, 4);
    note(&recorder, 5, "nobody's");
    recorder.close().unwrap();
    let session = Session::open(recorder.path()).unwrap();
    let counted: Vec<_> = session.counts().unwrap();
    let file = rusqlite::Connection::open(recorder.path()).unwrap();
    let mut rows = file
        .prepare("SELECT device, kind, count(*) FROM event GROUP BY 1, 2 ORDER BY 1, 2")
        .unwrap();
    let found: Vec<(Option<u32>, i64, i64)> = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let counted: Vec<_> = counted
        .iter()
        .map(|count| {
            let device = count.device.map(|key| key.0);
            (device, count.kind.number(), count.events as i64)
        })
        .collect();
    assert_eq!(counted, found);
    assert!(found.contains(&(Some(1), Kind::Notification.number(), 3)));
}

#[test]
fn a_session_is_named_and_annotated_also_while_it_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(folder.path(), 0);
    let attribute = connect(&recorder, "x", None);
    let path = recorder.path();
    for round in 0..20 {
        notify(&recorder, attribute, round);
        rename(path, &format!("  Round {round} ")).unwrap();
        annotate(path, "left hand\nsecond strap").unwrap();
    }
    recorder.close().unwrap();
    let told = entry(path).unwrap();
    assert_eq!(told.name(), "Round 19");
    assert_eq!(told.comment.as_deref(), Some("left hand\nsecond strap"));
    assert_eq!((told.values, told.kept), (Some(20), false));
    keep(path, true).unwrap();
    rename(path, " ").unwrap();
    let told = entry(path).unwrap();
    assert_eq!((told.title, told.kept), (None, true));
    assert_eq!(names(folder.path()), ["2026-02-01 13.05.09.gattscope"]);
}

#[test]
fn a_session_is_saved_while_it_is_recorded_as_one_whole_file_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(folder.path(), 0);
    let attribute = connect(&recorder, "x", Some("HR"));
    for at in 0..20_000 {
        notify(&recorder, attribute, at);
    }
    recorder.flush().unwrap();
    let target = folder.path().join("Ünser #1 100%.gattscope");
    let mut told = 0;
    let bytes = std::thread::scope(|threads| {
        let more = threads.spawn(|| {
            for at in 20_000..60_000 {
                notify(&recorder, attribute, at);
            }
        });
        let bytes = save_as(recorder.path(), &target, &mut |progress| {
            told += 1;
            assert!(progress.done <= progress.total);
            ControlFlow::Continue(())
        });
        more.join().unwrap();
        bytes.unwrap()
    });
    assert!(told > 0);
    assert_eq!(bytes, std::fs::metadata(&target).unwrap().len());
    let copy = Session::open(&target).unwrap();
    let times: Vec<_> = copy
        .events(&Filter::default())
        .unwrap()
        .map(|event| event.unwrap())
        .filter(|event| event.kind == Kind::Notification)
        .map(|event| event.at.0)
        .collect();
    assert!(times.len() >= 20_000);
    assert!(times.iter().copied().eq(0..times.len() as i64));
    let saved = entry(&target).unwrap();
    assert_eq!((saved.end, saved.kept), (End::Closed, true));
    assert_eq!(saved.values, Some(times.len() as u64));
    assert_eq!(entry(recorder.path()).unwrap().end, End::Running);
    drop(copy);
    recorder.close().unwrap();
    assert_eq!(entry(recorder.path()).unwrap().values, Some(60_000));
    assert_eq!(names(folder.path()).len(), 2, "{:?}", names(folder.path()));
}

#[test]
fn saving_says_what_is_in_its_way_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(folder.path(), 0);
    note(&recorder, 0, "x");
    recorder.close().unwrap();
    let path = recorder.path();
    let target = folder.path().join("mine.gattscope");
    let mut cancel = |_| ControlFlow::Break(());
    let error = save_as(path, &target, &mut cancel).unwrap_err();
    assert_eq!(error.code(), "cancelled");
    std::fs::write(&target, "precious").unwrap();
    let to = |target: Target<'_>| save_as(path, target, &mut go_on).unwrap_err().code();
    assert_eq!(to(Target::new_name(&target)), "exists");
    assert_eq!(to(folder.path().into()), "is_a_folder");
    assert_eq!(to(path.into()), "same_file");
    let nowhere = folder.path().join("none").join("mine.gattscope");
    assert_eq!(to((&nowhere).into()), "not_found");
    assert_eq!(std::fs::read(&target).unwrap(), b"precious");
    assert_eq!(names(folder.path()).len(), 2);
    save_as(path, &target, &mut go_on).unwrap();
    assert_eq!(entry(&target).unwrap().events, 1);
}

#[test]
fn a_session_that_is_replaced_leaves_no_log_that_the_new_one_would_take_for_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (recorder(folder.path(), 0), recorder(folder.path(), 1));
    for at in 0..300 {
        note(&first, at, "of the first");
    }
    let replaced = interrupted(folder.path(), &first, "replaced");
    note(&second, 0, "of the second");
    second.flush().unwrap();
    // Not while it is recorded, nor while somebody reads it.
    let error = save_as(second.path(), first.path(), &mut go_on).unwrap_err();
    assert_eq!(error.code(), "in_use");
    let table = folder.path().join("out.csv");
    let session = Session::open(second.path()).unwrap();
    to_file(&session, &Csv::default(), &table, &mut go_on).unwrap();
    let error = to_file(&session, &Csv::default(), first.path(), &mut go_on).unwrap_err();
    assert_eq!(error.code(), "in_use");
    let other = Other::does("SELECT count(*) FROM event", &replaced);
    let error = save_as(second.path(), &replaced, &mut go_on).unwrap_err();
    assert_eq!(error.code(), "in_use");
    drop(other);
    let imported = interrupted(folder.path(), &first, "imported");
    save_as(second.path(), &replaced, &mut go_on).unwrap();
    session::import(&table, &imported, &mut go_on).unwrap();
    for path in [replaced, imported] {
        assert_eq!(entry(&path).unwrap().events, 1);
        let events = Session::open(&path).unwrap();
        let found = events.events(&Filter::default()).unwrap().next();
        assert_eq!(
            found.unwrap().unwrap().detail.as_deref(),
            Some("of the second")
        );
    }
    let left = names(folder.path());
    let beside = left.iter().filter(|name| !name.starts_with("2026"));
    assert_eq!(
        beside.collect::<Vec<_>>(),
        ["imported.gattscope", "out.csv", "replaced.gattscope"]
    );
    first.close().unwrap();
    assert_eq!(entry(first.path()).unwrap().events, 300);
}

#[test]
fn a_session_that_ended_is_deleted_with_what_stands_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = recorder(folder.path(), 0);
    note(&running, 0, "x");
    let cut = interrupted(folder.path(), &running, "cut");
    entry(&cut).unwrap();
    delete(&cut).unwrap();
    let left = names(folder.path());
    assert!(left.iter().all(|name| !name.contains("cut")), "{left:?}");
    let path = running.path().to_owned();
    assert_eq!(delete(&path).unwrap_err().code(), "in_use");
    drop(running);
    delete(&path).unwrap();
    assert_eq!(names(folder.path()), [""; 0]);
    assert_eq!(delete(&path).unwrap_err().code(), "not_found");
    std::fs::write(&path, "a text that is no session").unwrap();
    assert_eq!(delete(&path).unwrap_err().code(), "not_a_session");
    assert_eq!(names(folder.path()).len(), 1);
}

#[test]
fn a_session_that_another_program_reads_is_not_deleted_under_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = recorder(folder.path(), 0);
    note(&running, 0, "x");
    let cut = interrupted(folder.path(), &running, "cut");
    let other = Other::does("SELECT count(*) FROM event", &cut);
    assert_eq!(delete(&cut).unwrap_err().code(), "in_use");
    // It is read, not recorded.
    assert_eq!(entry(&cut).unwrap().end, End::Interrupted);
    drop(other);
    delete(&cut).unwrap();
}

#[test]
fn a_session_that_another_program_locks_is_refused_as_locked() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(folder.path(), 0);
    note(&recorder, 0, "x");
    recorder.close().unwrap();
    let other = Other::does("BEGIN EXCLUSIVE", recorder.path());
    let error = Session::open(recorder.path()).unwrap_err();
    assert_eq!(error.code(), "locked", "{error}");
    assert_eq!(list(folder.path()).unwrap().refused[0].code(), "locked");
    drop(other);
    Session::open(recorder.path()).unwrap();
}

#[test]
fn opening_a_session_here_does_not_let_another_program_fold_in_the_log_under_the_recorder() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(folder.path(), 0);
    let attribute = connect(&recorder, "x", None);
    for round in 0..5 {
        notify(&recorder, attribute, round);
        recorder.flush().unwrap();
        // Whatever reads here must not close a handle that takes SQLite's locks away, or the other
        // program believes that it is the last and deletes the log.
        drop(Session::open(recorder.path()).unwrap());
        entry(recorder.path()).unwrap();
        assert_eq!(delete(recorder.path()).unwrap_err().code(), "in_use");
        drop(Other::does("SELECT count(*) FROM event", recorder.path()));
        let log = format!("{}-wal", recorder.path().display());
        assert!(Path::new(&log).exists(), "the log is gone in round {round}");
    }
    recorder.close().unwrap();
    assert_eq!(entry(recorder.path()).unwrap().values, Some(5));
}

#[test]
fn a_text_is_found_in_names_devices_uuids_and_notes() {
    let folder = tempfile::tempdir().unwrap();
    let first = recorder(folder.path(), 0);
    connect(&first, "C4:7C:8D:6A:11:02", Some("WÜRFEL 3"));
    note(&first, 42, "Battery replaced");
    first.close().unwrap();
    let second = recorder(folder.path(), 1);
    note(&second, 7, "nothing of interest");
    second.record(
        Timestamp(8),
        Event::Marker {
            label: "battery low".into(),
        },
    );
    second.flush().unwrap();
    annotate(second.path(), "With the old firmware").unwrap();
    let found = |text| -> Vec<(PathBuf, Vec<Match>)> {
        let found = search(folder.path(), text).unwrap().into_iter();
        found.map(|(entry, found)| (entry.path, found)).collect()
    };
    let note = |event, at, text: &str| {
        let (at, text) = (SessionTime(at), text.to_owned());
        vec![Match::Note { event, at, text }]
    };
    assert_eq!(
        found(" BATTERY "),
        [
            (second.path().into(), note(2, 8, "battery low")),
            (first.path().into(), note(3, 42, "Battery replaced")),
        ]
    );
    let one = |place: Match| vec![(first.path().to_owned(), vec![place])];
    assert_eq!(found("würfel"), one(Match::Device("WÜRFEL 3".into())));
    let identifier = Match::Device("C4:7C:8D:6A:11:02".into());
    assert_eq!(found("6a:11"), one(identifier));
    let uuid = Uuid::from_u128(0x2A37 << 96 | 0x1000_8000_0080_5F9B_34FB);
    assert_eq!(found("0x2a37"), one(Match::Uuid(uuid)));
    assert_eq!(
        found("firmware"),
        [(second.path().to_owned(), vec![Match::Comment])]
    );
    assert_eq!(found("13.05.09"), one(Match::Name));
    assert_eq!(found("no such thing"), []);
}

/// A session as version 1 wrote it.
fn old(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("old.gattscope");
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(
        "PRAGMA foreign_keys = OFF; PRAGMA application_id = 1195463764; PRAGMA user_version = 1",
    )
    .unwrap();
    file.execute_batch(include_str!("schema-1.sql")).unwrap();
    file.execute_batch(
        "INSERT INTO session VALUES (1, 'Gattscope 0.0', 'Old one', 90);
         INSERT INTO anchor VALUES (0, 1769947509000000042, 3600);
         INSERT INTO device VALUES (1, 'C4:7C:8D:6A:11:02', 'HR', 0);
         INSERT INTO event VALUES (1, 10, 10, 1, NULL, NULL, NULL, NULL, NULL, NULL),
                                  (2, 20, 41, NULL, NULL, NULL, NULL, NULL, NULL, 'a note'),
                                  (3, 80, 43, NULL, NULL, NULL, NULL, NULL, 4, NULL);
         INSERT INTO gap VALUES (3, 2, 4, 0, 80);
         INSERT INTO batch VALUES (1, 3, 10, 80);",
    )
    .unwrap();
    path
}

#[test]
fn a_session_of_an_older_version_is_read_by_way_of_a_copy_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = old(&folder);
    let before = std::fs::read(&path).unwrap();
    let session = Session::open(&path).unwrap();
    assert_eq!(session.path(), path);
    let info = session.info().unwrap();
    assert_eq!((info.title.as_deref(), info.events), (Some("Old one"), 3));
    assert_eq!((info.kept, info.lost.host_queue), (false, 4));
    assert_eq!(session.counts().unwrap().len(), 3);
    let events = session.events(&Filter::default()).unwrap();
    assert_eq!(events.count(), 3);
    let told = entry(&path).unwrap();
    assert_eq!((told.events, told.values, told.end), (3, None, End::Closed));
    assert_eq!(told.lost.host_queue, 4);
    assert_eq!(search(folder.path(), "a note").unwrap().len(), 1);
    drop(session);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(names(folder.path()), ["old.gattscope"]);
}

#[test]
fn what_the_user_says_of_an_older_session_makes_it_one_of_this_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = old(&folder);
    annotate(&path, "found again").unwrap();
    let told = entry(&path).unwrap();
    assert_eq!(told.comment.as_deref(), Some("found again"));
    assert_eq!((told.events, told.values), (3, Some(0)));
    assert_eq!(told.name(), "Old one");
    let target = folder.path().join("copy.gattscope");
    let path = old(&tempfile::tempdir_in(folder.path()).unwrap()).with_file_name("none");
    assert_eq!(annotate(&path, "").unwrap_err().code(), "not_found");
    assert!(!target.exists());
}

#[test]
fn an_older_session_is_saved_as_one_of_this_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = old(&folder);
    let target = folder.path().join("copy.gattscope");
    save_as(&path, &target, &mut go_on).unwrap();
    let told = entry(&target).unwrap();
    assert_eq!((told.events, told.values, told.kept), (3, Some(0), true));
    assert_eq!(told.duration, Duration::from_nanos(90));
}

#[test]
fn a_session_whose_end_is_missing_is_listed_and_exported_as_far_as_it_goes_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(folder.path(), 0);
    let attribute = connect(&recorder, "x", Some("HR"));
    for at in 0..20_000 {
        notify(&recorder, attribute, at);
    }
    recorder.close().unwrap();
    let bytes = std::fs::read(recorder.path()).unwrap();
    let cut = folder.path().join("cut.gattscope");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let told = entry(&cut).unwrap();
    assert_eq!((told.end, told.values), (End::CutOff, None));
    assert_eq!(told.device_names, ["HR"]);
    assert_eq!(rename(&cut, "mine").unwrap_err().code(), "damaged");
    let session = Session::open(&cut).unwrap();
    assert!(session.is_cut_off());
    let info = session.info().unwrap();
    assert!((1000..19_000).contains(&info.events), "{}", info.events);
    let target = folder.path().join("out.csv");
    let summary = to_file(&session, &Csv::default(), &target, &mut go_on).unwrap();
    assert!(summary.damaged);
    // What stands before the damage can be counted, and what was reached is the least that there is.
    let reckoned = session.reckon(&Default::default(), &mut || true).unwrap();
    assert_eq!((reckoned.events, reckoned.exact), (summary.rows, true));
    let reckoned = session.reckon(&Default::default(), &mut || false).unwrap();
    assert!(reckoned.events > 0 && reckoned.events < summary.rows && !reckoned.exact);
    assert_eq!(summary.rows, info.events);
    let whole = Session::open(recorder.path()).unwrap();
    let summary = to_file(&whole, &Csv::default(), &target, &mut go_on).unwrap();
    assert_eq!((summary.damaged, summary.rows), (false, 20_002));
    drop(session);
    delete(&cut).unwrap();
    assert!(!cut.exists());
}

/// Named in the environment of the process that records until its input ends.
const CHILD: &str = "GATTSCOPE_LIBRARY_CHILD";

#[test]
#[ignore = "is the other process of the test below"]
fn another_process_records() {
    let Some(folder) = std::env::var_os(CHILD) else {
        return;
    };
    let recorder = recorder(Path::new(&folder), 2);
    note(&recorder, 0, "recorded elsewhere");
    recorder.flush().unwrap();
    std::io::stderr().write_all(b"recording\n").unwrap();
    let _ = std::io::stdin().lines().next();
    // As if it were killed: nothing is closed.
    std::process::abort();
}

#[test]
fn tidying_deletes_what_is_due_and_never_what_another_process_records_or_the_user_saved() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for hours in 0..2 {
        let recorder = recorder(folder, hours);
        note(&recorder, 0, "x");
        recorder.close().unwrap();
    }
    let saved = folder.join("2026-02-01 13.05.09.gattscope");
    keep(&saved, true).unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "another_process_records",
            "--ignored",
            "--nocapture",
        ])
        .env(CHILD, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "recording"));
    let elsewhere = folder.join("2026-02-01 15.05.09.gattscope");
    assert_eq!(entry(&elsewhere).unwrap().end, End::Running);

    let everything = Retention {
        max_age: Some(Duration::ZERO),
        max_bytes: Some(0),
    };
    let now = WallTime {
        unix_ns: i64::MAX,
        utc_offset_s: 0,
    };
    let tidied = tidy(folder, &everything, now, &|_| true).unwrap();
    assert!(tidied.deleted.is_empty(), "all are spared: {tidied:?}");
    let tidied = tidy(folder, &everything, now, &|_| false).unwrap();
    let due = folder.join("2026-02-01 14.05.09.gattscope");
    assert_eq!(tidied.deleted, [due]);
    assert!(
        tidied.bytes > 4096 && tidied.failed.is_empty(),
        "{tidied:?}"
    );
    assert!(saved.exists() && elsewhere.exists());

    drop(other.stdin.take());
    other.wait().unwrap();
    assert_eq!(entry(&elsewhere).unwrap().end, End::Interrupted);
    let tidied = tidy(folder, &everything, now, &|_| false).unwrap();
    assert_eq!(tidied.deleted, [elsewhere]);
    assert_eq!(names(folder), ["2026-02-01 13.05.09.gattscope"]);
    assert_eq!(
        library::tidy(folder, &Retention::default(), now, &|_| false)
            .unwrap()
            .deleted,
        [""; 0].map(PathBuf::from)
    );
}

#[test]
fn a_session_of_somebody_else_runs_nothing_and_takes_no_time_for_what_it_does_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(folder.path(), 0);
    connect(&recorder, "x", None);
    recorder.close().unwrap();
    let path = recorder.path();
    let file = rusqlite::Connection::open(path).unwrap();
    // Numbers as far apart as can be, and something to run when the title changes.
    file.execute_batch(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO event (id, t_ns, kind) VALUES (9223372036854775807, 0, 41), (-5, 0, 41);
         UPDATE batch SET first = -9223372036854775808, last = 9223372036854775807;
         CREATE TRIGGER trap AFTER UPDATE ON session BEGIN DELETE FROM event; END;",
    )
    .unwrap();
    drop(file);
    rename(path, "mine").unwrap();
    let session = Session::open(path).unwrap();
    let events = session.events(&Filter::default()).unwrap();
    assert_eq!(events.span(), u64::MAX);
    assert_eq!(events.count(), 4);
    drop(session);
    let file = rusqlite::Connection::open(path).unwrap();
    file.execute_batch(
        "DROP TRIGGER trap; ALTER TABLE event RENAME TO hidden;
         CREATE VIEW event AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
             SELECT id, 0 AS t_ns, 41 AS kind, NULL AS device, NULL AS link, NULL AS attribute,
                    NULL AS value, NULL AS status, NULL AS number, NULL AS detail FROM n;",
    )
    .unwrap();
    drop(file);
    assert!(entry(path).is_err());
    let session = Session::open(path).unwrap();
    let mut events = session.events(&Filter::default()).unwrap();
    assert!(events.next().unwrap().is_err());
}

/// A session with something in each of its tables, as bytes.
fn whole() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(folder.path(), 0);
    let attribute = connect(&recorder, "C4:7C:8D:6A:11:02", Some("HR"));
    let mut report = radio::Advertisement::new(DeviceId::from("y"), Timestamp(1));
    report.local_name = Some("y".into());
    report.services = vec![Uuid::from_u128(1)];
    report.raw = Some(Bytes::from_static(&[1, 2]));
    recorder.advertisement(report);
    for at in 0..400 {
        recorder.sample(&Sample {
            attribute,
            at: Timestamp(at),
            lost_before: u32::from(at % 50 == 0),
            kind: SampleKind::Notification,
            bytes: Bytes::copy_from_slice(&[at as u8; 20]),
        });
    }
    note(&recorder, 500, "x");
    recorder.close().unwrap();
    std::fs::read(recorder.path()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_session_with_changed_bytes_is_read_or_refused_and_never_ends_the_program(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        static WHOLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let mut bytes = WHOLE.get_or_init(whole).clone();
        for (place, byte) in &changes {
            let place = place.index(bytes.len());
            bytes[place] = *byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gattscope");
        std::fs::write(&path, bytes).unwrap();
        let _ = list(folder.path());
        let _ = search(folder.path(), "hr");
        if let Ok(session) = Session::open(&path) {
            let _ = session.info();
            let _ = session.counts();
            let attributes = session.attributes().unwrap_or_default();
            for attribute in &attributes {
                let _ = session.values(attribute.id, 10);
                let counter = session::Counter::of_bits(8).unwrap();
                let read = |bytes: &[u8]| bytes.first().map(|byte| u64::from(*byte));
                let _ = session.reconcile(attribute.id, counter, &read, &mut |_| {});
            }
            // Within a bound: a damaged file may loop in itself.
            let mut steps = 0;
            let mut bounded = |_| {
                steps += 1;
                match steps < 1000 {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            };
            let whats: [&dyn Export; 3] = [&Csv::default(), &Jsonl::default(), &Pcapng::default()];
            for what in whats {
                let _ = to_writer(&session, what, std::io::sink(), &mut bounded);
            }
            let copy = folder.path().join("copy");
            let _ = save_as(&path, &copy, &mut bounded);
        }
        let _ = rename(&path, "mine");
        let _ = delete(&path);
    }
}
