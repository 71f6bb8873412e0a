//! The values of one attribute over time: those that are asked for, all of them, in order.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::ops::{ControlFlow, RangeBounds};
use std::path::Path;

use bytes::Bytes;
use proptest::prelude::*;
use radio::{
    Advertisement, AttrId, AttrKind, Clock, DeviceId, GattDb, Handle, Properties, Sample,
    SampleKind, Timestamp, WriteKind,
};
use session::{Event, Failure, Options, Recorder, Session, SessionTime, import};
use tempfile::TempDir;
use uuid::Uuid;

/// A recording with two characteristics.
struct Bench {
    folder: TempDir,
    recorder: Recorder,
    /// Of the latest generation.
    attributes: [AttrId; 2],
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recorder =
            Recorder::create(folder.path(), Clock::manual(), Options::default()).unwrap();
        let attributes = connect(&recorder, 0);
        Self {
            folder,
            recorder,
            attributes,
        }
    }

    fn value(&self, attribute: usize, at: i64, number: u32) {
        self.recorder.sample(&Sample {
            attribute: self.attributes[attribute],
            at: Timestamp(at),
            lost_before: 0,
            kind: SampleKind::Notification,
            bytes: Bytes::copy_from_slice(&number.to_le_bytes()),
        });
    }

    fn close(self) -> (Session, TempDir) {
        self.recorder.close().unwrap();
        (Session::open(self.recorder.path()).unwrap(), self.folder)
    }
}

fn connect(recorder: &Recorder, at: i64) -> [AttrId; 2] {
    let device = recorder.device(&DeviceId::from("C4:7C:8D:6A:11:02"), Some("HR"));
    let link = recorder.link_up(Timestamp(at), device);
    let mut db = GattDb::new();
    let attributes = [1, 2].map(|uuid| {
        let (kind, handle) = (AttrKind::Characteristic, Some(Handle(uuid)));
        let uuid = Uuid::from_u128(uuid.into());
        db.push(kind, uuid, handle, None, Properties::NOTIFY)
            .unwrap()
    });
    recorder.attributes(Timestamp(at), link, &db);
    attributes
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().unwrap())
}

fn between(
    session: &Session,
    attribute: AttrId,
    within: impl RangeBounds<SessionTime>,
    latest: usize,
) -> Vec<u32> {
    let mut numbers = Vec::new();
    let handed = session
        .values_between(attribute, within, latest, |value| {
            numbers.push(number(value.bytes));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(handed, numbers.len() as u64);
    numbers
}

#[test]
fn what_was_written_and_refused_is_no_value() {
    let bench = Bench::new();
    let attribute = bench.attributes[0];
    let write = |at, number: u32, result| {
        bench.recorder.record(
            Timestamp(at),
            Event::Write {
                attribute,
                value: Bytes::copy_from_slice(&number.to_le_bytes()),
                kind: WriteKind::WithResponse,
            },
        );
        bench.value(1, at + 1, 0);
        bench
            .recorder
            .record(Timestamp(at + 2), Event::WriteResult { attribute, result });
    };
    write(0, 1, Ok(()));
    write(10, 2, Err(Failure::local("refused")));
    write(20, 3, Ok(()));
    // Nobody knows what becomes of the last one.
    bench.recorder.record(
        Timestamp(30),
        Event::Write {
            attribute,
            value: Bytes::copy_from_slice(&4_u32.to_le_bytes()),
            kind: WriteKind::WithResponse,
        },
    );
    let (session, _folder) = bench.close();
    assert_eq!(between(&session, attribute, .., usize::MAX), [1, 3, 4]);
    assert_eq!(between(&session, attribute, .., 2), [3, 4]);
    let last = session.values(attribute, 2).unwrap();
    let last: Vec<_> = last
        .iter()
        .map(|value| number(value.value.as_ref().unwrap()))
        .collect();
    assert_eq!(last, [3, 4]);
}

#[test]
fn values_of_a_time_come_in_order_across_connections_and_without_those_of_others() {
    let mut bench = Bench::new();
    for n in 0..10 {
        bench.value(0, i64::from(n) * 10, n);
        bench.value(1, i64::from(n) * 10, 1000 + n);
    }
    bench.attributes = connect(&bench.recorder, 100);
    for n in 10..20 {
        bench.value(0, i64::from(n) * 10, n);
    }
    bench.recorder.record(
        Timestamp(200),
        Event::ReadRequest {
            attribute: bench.attributes[0],
        },
    );
    let latest = bench.attributes[0];
    let (session, _folder) = bench.close();
    let earliest = session.attributes().unwrap()[0].id;
    assert_ne!(latest.generation, earliest.generation);

    let time = SessionTime;
    for attribute in [latest, earliest] {
        let all = || (0..20).collect::<Vec<_>>();
        assert_eq!(between(&session, attribute, .., usize::MAX), all());
        assert_eq!(between(&session, attribute, .., 20), all());
        assert_eq!(between(&session, attribute, .., 3), [17, 18, 19]);
        assert_eq!(between(&session, attribute, .., 12), all()[8..]);
        assert_eq!(between(&session, attribute, .., 0), [0; 0]);
        let middle = || time(80)..time(120);
        assert_eq!(between(&session, attribute, middle(), 100), [8, 9, 10, 11]);
        assert_eq!(between(&session, attribute, middle(), 3), [9, 10, 11]);
        assert_eq!(between(&session, attribute, time(80)..=time(90), 9), [8, 9]);
        assert_eq!(between(&session, attribute, ..time(20), 9), [0, 1]);
        assert_eq!(between(&session, attribute, time(180).., 9), [18, 19]);
        assert_eq!(between(&session, attribute, time(201).., 9), [0; 0]);
        assert_eq!(session.values_estimate(attribute, ..).unwrap(), Some(21));
    }
}

#[test]
fn a_value_says_what_it_is() {
    let bench = Bench::new();
    bench.value(1, 70, 5);
    let attribute = bench.attributes[1];
    let (session, _folder) = bench.close();
    let mut seen = 0;
    session
        .values_between(attribute, .., usize::MAX, |value| {
            assert_eq!((value.at, value.attribute), (SessionTime(70), attribute));
            assert_eq!(value.kind, session::Kind::Notification);
            assert_eq!(value.bytes, [5, 0, 0, 0]);
            let recorded = &session.values(attribute, 1).unwrap()[0];
            assert_eq!(value.id, recorded.id);
            seen += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn many_values_are_all_there_and_about_counted() {
    const ALL: u32 = 400_000;
    let bench = Bench::new();
    for n in 0..ALL {
        bench.value(usize::from(n % 4 == 3), i64::from(n), n);
    }
    let [often, seldom] = bench.attributes;
    let (session, _folder) = bench.close();
    let expected = (0..ALL).filter(|n| n % 4 == 3);
    assert!(
        between(&session, seldom, .., usize::MAX)
            .into_iter()
            .eq(expected)
    );
    let expected = (0..ALL).filter(|n| n % 4 != 3).skip(300_000 - 50_000);
    assert!(
        between(&session, often, .., 50_000)
            .into_iter()
            .eq(expected)
    );

    let about = session.values_estimate(often, ..).unwrap().unwrap();
    assert!((285_000..=315_000).contains(&about), "{about}");
    let half = ..SessionTime(i64::from(ALL / 4));
    let few = session.values_estimate(seldom, half).unwrap().unwrap();
    assert!((25_000..=50_000).contains(&few), "{few}");
}

#[test]
fn what_was_imported_in_another_order_is_found_by_its_time() {
    let bench = Bench::new();
    for n in 0..10_000 {
        bench.value(0, i64::from(n) * 1000, n);
    }
    let attribute = bench.attributes[0];
    let (session, folder) = bench.close();
    let source = folder.path().join("turned.csv");
    let mut csv = Vec::new();
    let mut go_on = |_| ControlFlow::Continue(());
    let all = session::export::Csv::default();
    session::export::to_writer(&session, &all, &mut csv, &mut go_on).unwrap();
    let text = String::from_utf8(csv).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    // After the header, the connection and the discovery.
    lines[3..].rotate_left(5000);
    std::fs::write(&source, lines.join("\r\n")).unwrap();
    let path = folder.path().join("turned.gattscope");
    import(&source, &path, &mut go_on).unwrap();
    let session = Session::open(&path).unwrap();
    let at = |number: i64| SessionTime(number * 1000);
    let found = between(&session, attribute, at(4000)..at(6000), usize::MAX);
    assert!(found.into_iter().eq((5000..6000).chain(4000..5000)));
}

#[test]
fn what_is_cut_off_is_read_as_far_as_it_goes_and_not_estimated() {
    let bench = Bench::new();
    let device = bench.recorder.device(&DeviceId::from("BEACON"), None);
    for n in 0..20_000 {
        bench.value(0, i64::from(n), n);
        if n % 4 == 0 {
            let beacon = DeviceId::from("BEACON");
            let mut report = Advertisement::new(beacon, Timestamp(n.into()));
            report.tx_power = Some(4);
            bench.recorder.advertisement(report);
        }
    }
    bench.recorder.flush().unwrap();
    let attribute = bench.attributes[0];
    let (session, folder) = bench.close();
    let heard = session.advertisements(i64::MAX, 3).unwrap();
    assert_eq!(heard.len(), 3);
    let cut = folder.path().join("cut.gattscope");
    let whole = std::fs::read(session.path()).unwrap();
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let session = Session::open(Path::new(&cut)).unwrap();
    assert!(session.is_cut_off());
    let found = between(&session, attribute, .., usize::MAX);
    assert!((1000..20_000).contains(&found.len()), "{}", found.len());
    assert!(found.iter().copied().eq(0..found.len() as u32));
    // The last of what there is.
    assert_eq!(
        between(&session, attribute, .., 3),
        found[found.len() - 3..]
    );
    assert_eq!(between(&session, attribute, .., 0), [0; 0]);
    let last = session.values(attribute, 2).unwrap();
    let last: Vec<_> = last
        .iter()
        .map(|one| number(one.value.as_ref().unwrap()))
        .collect();
    assert_eq!(last, found[found.len() - 2..]);
    let counts = session.counts().unwrap();
    let count = |kind| counts.iter().find(|one| one.kind == kind).unwrap().events;
    assert_eq!(count(session::Kind::Notification), found.len() as u64);
    let adverts = count(session::Kind::Advertisement);
    assert!(adverts.abs_diff(found.len() as u64 / 4) <= 1, "{adverts}");
    let heard = session.advertisements(i64::MAX, 3).unwrap();
    assert_eq!(heard.len(), 3);
    assert_eq!(heard[0].1.tx_power, Some(4));
    assert_eq!(
        counts
            .iter()
            .find(|one| one.device == Some(device))
            .unwrap()
            .events,
        adverts
    );
    assert_eq!(session.values_estimate(attribute, ..).unwrap(), None);
}

#[test]
fn numbers_that_no_recorder_wrote_are_read_past_in_no_time() {
    let bench = Bench::new();
    for n in 0..10 {
        bench.value(0, i64::from(n) * 10, n);
    }
    let attribute = bench.attributes[0];
    let (session, _folder) = bench.close();
    let path = session.path().to_owned();
    drop(session);
    for (first, last) in [
        (1, i64::MAX),
        (i64::MIN, i64::MAX),
        (i64::MIN, 12),
        (i64::MAX, i64::MAX),
    ] {
        let file = rusqlite::Connection::open(&path).unwrap();
        file.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM batch")
            .unwrap();
        let batch = "INSERT INTO batch VALUES (?1, ?2, 0, 90)";
        file.execute(batch, [first, last]).unwrap();
        drop(file);
        let session = Session::open(&path).unwrap();
        let all = if first == i64::MAX { 0 } else { 10 };
        let found = between(&session, attribute, SessionTime(0)..SessionTime(91), 99);
        assert_eq!(found.len(), all, "{first} {last}");
        assert_eq!(session.values(attribute, 99).unwrap().len(), all);
        assert!(session.values_estimate(attribute, ..).unwrap().is_some());
        let events = session.events(&session::Filter::default()).unwrap();
        assert_eq!(events.count(), if all == 0 { 0 } else { 12 });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_value_of_a_time_is_found_however_late_some_were(
        commits in prop::collection::vec(prop::collection::vec(-40_i64..40, 1..4), 1..30),
        window in (0_i64..400, 0_i64..400),
    ) {
        let bench = Bench::new();
        let mut expected = Vec::new();
        let (mut number, within) = (0, SessionTime(window.0)..SessionTime(window.1));
        for (commit, events) in commits.iter().enumerate() {
            for late in events {
                let at = commit as i64 * 10 + late;
                bench.value(0, at, number);
                if within.contains(&SessionTime(at)) {
                    expected.push(number);
                }
                number += 1;
            }
            bench.recorder.flush().unwrap();
        }
        let attribute = bench.attributes[0];
        let (session, _folder) = bench.close();
        prop_assert_eq!(&between(&session, attribute, within, usize::MAX), &expected);
    }
}
