//! What was lost, in the live list and in the file: from every cause, once, with the same numbers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "bench/bench.rs"]
mod bench;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bench::{Bench, contract_with};
use explorer::view::Event;
use explorer::{Config, CounterChoice, Explorer, LossView, Preferences};
use radio::Clock;
use radio::simulated::{VirtualDevice, uuids};
use session::WallTime;

async fn scanning(preferences: Preferences) -> Bench {
    Bench::scanning(contract_with(&[VirtualDevice::MotionSensor]), preferences).await
}

impl Bench {
    /// The list as the window has it.
    fn losses(&self) -> Vec<LossView> {
        let mut losses = BTreeMap::new();
        for event in self.news.lock().unwrap().iter() {
            if let Event::Losses(view) = event {
                if view.reset {
                    losses.clear();
                }
                let new = view.losses.iter().cloned();
                losses.extend(new.map(|loss| (loss.id, loss)));
            }
        }
        losses.into_values().collect()
    }

    fn logged(&self, operation: &str) -> Vec<String> {
        let news = self.news.lock().unwrap();
        let entries = news.iter().filter_map(|event| match event {
            Event::Log { entries } => Some(entries),
            _ => None,
        });
        let entries = entries.flatten().filter(|e| e.operation == operation);
        entries.map(|entry| entry.detail.clone()).collect()
    }

    /// The session files, in the order of their names.
    fn files(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.session_folder()).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|e| e == "gattscope"));
        files.sort();
        files
    }
}

fn preferences() -> Preferences {
    Preferences::default()
}

fn number(file: &rusqlite::Connection, sql: &str) -> i64 {
    file.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Cause, count and end of each gap, in milliseconds of the session, with the attribute's UUID.
fn gaps(file: &rusqlite::Connection) -> Vec<(String, i64, i64, Option<String>)> {
    let mut rows = file
        .prepare(
            "SELECT c.name, g.count, g.to_ns / 1000000, a.uuid FROM gap g JOIN cause c ON c.id = g.cause
               JOIN event e ON e.id = g.event LEFT JOIN attribute a ON a.id = e.attribute
              ORDER BY g.to_ns, c.id",
        )
        .unwrap();
    let rows = rows.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[tokio::test(start_paused = true)]
async fn the_live_list_and_the_file_have_the_same_losses_of_every_cause() {
    let bench = scanning(preferences()).await;
    let lossy = uuids::LOSSY.to_string();
    let (device, attribute) = bench.streaming(VirtualDevice::Difficult, &lossy).await;
    bench
        .explorer
        .set_format(attribute.id, "seq:u32le!count")
        .unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(bench.lab.faults().lose(&device, 5));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(bench.lab.faults().drop_link(&device, "Connection Timeout"));
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(bench.lab.faults().lose(&device, 3));
    tokio::time::sleep(Duration::from_secs(5)).await;
    bench
        .explorer
        .unsubscribe(bench.attribute(&device, &lossy).id)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;

    let losses = bench.losses();
    let sum = |cause: &str| -> u64 {
        let of = losses.iter().filter(|loss| loss.cause == cause);
        of.map(|loss| loss.count.unwrap_or(0)).sum()
    };
    let view = bench.recording();
    assert_eq!(sum("queue"), 8);
    assert!(sum("device") > 0, "{losses:?}");
    assert_eq!(
        (sum("device"), sum("queue")),
        (view.lost.device, view.lost.queue)
    );
    let down: Vec<_> = losses.iter().filter(|loss| loss.cause == "link").collect();
    assert_eq!((down.len(), down[0].count), (1, None), "{down:?}");
    assert!(losses.iter().all(|loss| loss.from_ms <= loss.to_ms
        && loss.attribute.as_deref() == Some(attribute.key.as_str())
        && loss.device.as_deref() == Some(device.as_str())));

    let start = view.since_ms;
    let mut live: Vec<_> = losses
        .iter()
        .map(|loss| {
            let cause = match loss.cause.as_str() {
                "device" => "device_sequence",
                "queue" => "host_queue",
                _ => "link_down",
            };
            let count = loss.count.unwrap_or(0) as i64;
            (cause.to_owned(), count, (loss.to_ms - start).round() as i64)
        })
        .collect();
    let file = bench.recorded().await;
    let mut recorded: Vec<_> = gaps(&file)
        .into_iter()
        .map(|(cause, count, to, uuid)| {
            assert_eq!(uuid.as_ref(), Some(&lossy));
            (cause, count, to)
        })
        .collect();
    live.sort();
    recorded.sort();
    assert_eq!(live.len(), recorded.len());
    for (live, recorded) in live.iter().zip(&recorded) {
        assert_eq!((&live.0, live.1), (&recorded.0, recorded.1));
        // The wall clock's start is known to the millisecond.
        assert!((live.2 - recorded.2).abs() <= 2, "{live:?} {recorded:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn received_and_lost_are_what_a_device_that_counts_has_sent() {
    let bench = scanning(preferences()).await;
    let stream = uuids::MOTION_STREAM.to_string();
    let device = bench.lab.device(VirtualDevice::MotionSensor).unwrap();
    bench.explorer.connect(device.clone()).await.unwrap();
    let attribute = bench.attribute(&device, &stream);
    // Before anything comes, and without any format.
    let choice = CounterChoice {
        at: 0,
        kind: "u16le".into(),
        last: None,
        step: 1,
    };
    bench
        .explorer
        .set_counter(attribute.id, Some(choice.clone()))
        .unwrap();
    bench.explorer.subscribe(attribute.id).await.unwrap();
    for lost in [3, 40, 1] {
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(bench.lab.faults().lose(&device, lost));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    bench.explorer.unsubscribe(attribute.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;

    let found = bench.explorer.reconciliations();
    let [one] = &found[..] else {
        unreachable!("one counts: {found:?}")
    };
    assert_eq!(
        (&one.attribute, &one.device),
        (&attribute.key, &device.to_string())
    );
    let counter = &one.counter;
    assert_eq!(counter.choice.as_ref(), Some(&choice));
    assert_eq!(
        (counter.lost, counter.repeated, counter.restarts),
        (44, 0, 0)
    );
    assert_eq!(counter.received + counter.lost, counter.sent);
    // What the queue lost is not counted once more as the device's.
    assert_eq!(bench.recording().lost.device, 0);
    let said = bench.logged("Counter");
    assert_eq!(
        said,
        ["Lost values are found by u16le at byte 0, from here on"]
    );

    let file = bench.recorded().await;
    let values = "SELECT count(*) FROM event WHERE kind BETWEEN 30 AND 32";
    assert_eq!(number(&file, values), counter.received as i64);
    assert_eq!(number(&file, "SELECT sum(count) FROM gap"), 44);
    // Its own counter: the last minus the first, and one.
    let mut rows = file
        .prepare("SELECT value FROM event WHERE kind BETWEEN 30 AND 32 ORDER BY id")
        .unwrap();
    let values: Vec<Vec<u8>> = rows
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let counted = |value: &[u8]| u32::from_le_bytes(value[..4].try_into().unwrap());
    let (first, last) = (counted(&values[0]), counted(&values[values.len() - 1]));
    assert_eq!(u64::from(last - first) + 1, counter.sent);
    let note: String = file
        .query_row("SELECT detail FROM event WHERE kind = 41", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert!(note.contains("u16le at byte 0"), "{note}");
}

#[tokio::test(start_paused = true)]
async fn a_counter_is_chosen_for_its_uuid_is_kept_and_is_taken_back() {
    let bench = scanning(preferences()).await;
    let lossy = uuids::LOSSY.to_string();
    let (device, attribute) = bench.streaming(VirtualDevice::Difficult, &lossy).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.losses(), [], "nobody knows where it counts");
    let choice = CounterChoice {
        at: 0,
        kind: "u8".into(),
        last: None,
        step: 1,
    };
    bench
        .explorer
        .set_counter(attribute.id, Some(choice.clone()))
        .unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let lost: u64 = bench.losses().iter().filter_map(|loss| loss.count).sum();
    assert!(lost > 0);
    let kept = bench.explorer.preferences().borrow().counters.clone();
    assert_eq!(kept.get(&lossy), Some(&choice));
    let inspected = bench
        .explorer
        .inspect(attribute.id)
        .unwrap()
        .counter
        .unwrap();
    assert_eq!(inspected.choice, Some(choice));
    // Another format says nothing about it.
    bench.explorer.set_format(attribute.id, "x:u32le").unwrap();
    let still = bench
        .explorer
        .inspect(attribute.id)
        .unwrap()
        .counter
        .unwrap();
    assert_eq!(
        (still.choice, still.sent),
        (inspected.choice, inspected.sent)
    );
    let refused = CounterChoice {
        at: 0,
        kind: "f32le".into(),
        last: None,
        step: 1,
    };
    let problem = bench.explorer.set_counter(attribute.id, Some(refused));
    assert_eq!(problem.unwrap_err().code, "input");

    bench.explorer.set_counter(attribute.id, None).unwrap();
    let counted = bench.losses().len();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(
        bench
            .explorer
            .inspect(attribute.id)
            .unwrap()
            .counter
            .is_none()
    );
    assert!(
        bench.losses().len() <= counted + 1,
        "what was held back is told"
    );
    assert!(bench.explorer.preferences().borrow().counters.is_empty());
    assert!(
        bench
            .explorer
            .set_counter(device.as_str().len() as u64, None)
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_recording_knows_devices_links_and_attributes_from_its_first_moment() {
    let bench = scanning(preferences()).await;
    let stream = uuids::MOTION_STREAM.to_string();
    let (device, attribute) = bench.streaming(VirtualDevice::MotionSensor, &stream).await;
    bench
        .explorer
        .set_format(attribute.id, "seq:u32le!count")
        .unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    bench.explorer.stop_scan().await.unwrap();
    assert!(bench.lab.faults().lose(&device, 4));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.losses().len(), 1);
    let first = bench.recording().name;
    bench.explorer.new_recording().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        bench.losses(),
        [],
        "the losses of the last one are in its file"
    );
    assert!(bench.lab.faults().lose(&device, 2));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let counter = &bench.explorer.reconciliations()[0].counter;
    assert_eq!(counter.lost, 2);
    let file = bench.recorded().await;
    assert_ne!(bench.recording().name, first);
    let of = |sql: &str| number(&file, sql);
    let known = "SELECT count(*) FROM device WHERE name IS NOT NULL";
    assert!(of(known) >= 3, "names although nobody is heard any more");
    let linked = format!(
        "SELECT count(*) FROM link l JOIN device d ON d.id = l.device
          WHERE d.identifier = '{device}' AND d.name = 'Motion sensor'"
    );
    assert_eq!(of(&linked), 1);
    assert!(of("SELECT count(*) FROM attribute") > 5);
    // The first values of all belong to their attribute, link and device already.
    let whole = "SELECT count(*) FROM event WHERE kind BETWEEN 30 AND 32
                    AND (link IS NULL OR device IS NULL OR attribute NOT IN (SELECT id FROM attribute))";
    assert_eq!(of(whole), 0);
    let early = "SELECT min(id) FROM event WHERE kind BETWEEN 30 AND 32";
    let told = "SELECT max(id) FROM event WHERE kind IN (11, 14)";
    assert!(of(told) < of(early));
    assert_eq!(
        of("SELECT count(*) FROM link WHERE down_ns IS NULL"),
        0,
        "its end is known"
    );
    assert_eq!(of("SELECT sum(count) FROM gap"), 2);
}

#[tokio::test(start_paused = true)]
async fn fewer_advertisements_are_recorded_by_choice_and_the_others_are_counted_apart() {
    let sampled = Preferences {
        sample_adverts_s: 10,
        ..preferences()
    };
    let bench = scanning(sampled).await;
    tokio::time::sleep(Duration::from_secs(57)).await;
    let view = bench.recording();
    assert_eq!(view.sample_adverts_s, 10);
    assert!(view.left_out > 100, "{view:?}");
    assert_eq!(
        view.lost,
        explorer::view::LostView::default(),
        "a choice is no loss"
    );
    let problem = bench.explorer.sample_adverts(3601).unwrap_err();
    assert_eq!(problem.code, "input");
    bench.explorer.sample_adverts(0).unwrap();
    let left_out = bench.recording().left_out;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let later = bench.recording();
    assert_eq!(later.sample_adverts_s, 0);
    assert!(later.left_out >= left_out);
    let left_out = later.left_out;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(
        bench.recording().left_out,
        left_out,
        "every one is recorded again"
    );

    let file = bench.recorded().await;
    let counted = number(&file, "SELECT sum(number) FROM event WHERE kind = 5");
    assert_eq!(counted as u64, left_out);
    let mut rows = file
        .prepare("SELECT detail FROM event WHERE kind = 5 ORDER BY id")
        .unwrap();
    let said: Vec<String> = rows
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(said[0], "at most one advertisement of each device in 10 s");
    assert_eq!(said.last().unwrap(), "every advertisement");
    let closest = "SELECT min(gap) FROM (SELECT t_ns - lag(t_ns) OVER (PARTITION BY device ORDER BY id) AS gap
                     FROM event WHERE kind = 1 AND id < (SELECT max(id) FROM event WHERE kind = 5))";
    assert!(number(&file, closest) >= 10_000_000_000);
    assert_eq!(number(&file, "SELECT count(*) FROM gap"), 0);
}

#[tokio::test(start_paused = true)]
async fn old_sessions_go_by_age_and_size_and_what_is_kept_used_or_recorded_stays() {
    let bench = scanning(preferences()).await;
    for _ in 0..3 {
        bench.explorer.new_recording().await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let files = bench.files();
    assert_eq!(files.len(), 4);
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let running = bench.recording().name;
    let now = WallTime {
        unix_ns: jiff::Timestamp::now().as_nanosecond() as i64,
        utc_offset_s: 0,
    };
    let days = |days: i64| WallTime {
        unix_ns: now.unix_ns + days * 86_400_000_000_000,
        ..now
    };
    let others: Vec<_> = files.iter().filter(|path| name(path) != running).collect();
    bench
        .explorer
        .keep_session(name(others[0]), true)
        .await
        .unwrap();
    assert!(
        bench
            .explorer
            .tidy_sessions(days(29))
            .await
            .unwrap()
            .is_empty()
    );
    bench.explorer.set_retention(0, 0).unwrap();
    assert!(
        bench
            .explorer
            .tidy_sessions(days(9999))
            .await
            .unwrap()
            .is_empty()
    );
    bench.explorer.set_retention(30, 10).unwrap();
    // Somebody reads one.
    let reader = rusqlite::Connection::open(others[1]).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM event")
        .unwrap();
    let gone = bench.explorer.tidy_sessions(days(31)).await.unwrap();
    assert_eq!(gone, [name(others[2])]);
    drop(reader);
    let gone = bench.explorer.tidy_sessions(days(31)).await.unwrap();
    assert_eq!(gone, [name(others[1])]);
    let left: Vec<_> = bench.files().iter().map(name).collect();
    assert_eq!(left.len(), 2);
    assert!(left.contains(&running) && left.contains(&name(others[0])));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let said = bench.logged("Old sessions deleted");
    assert_eq!(said.len(), 2);
    assert!(said[0].starts_with(&name(others[2])), "{said:?}");
    let problem = bench.explorer.set_retention(36_501, 10).unwrap_err();
    assert_eq!(problem.code, "input");
}

#[tokio::test(start_paused = true)]
async fn an_old_session_goes_at_the_start_by_itself_and_the_log_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let old = |hour: i64| {
        let options = session::Options {
            wall: session::WallClock::from_fn(move || WallTime {
                unix_ns: (1_577_836_800 + hour * 3600) * 1_000_000_000,
                utc_offset_s: 0,
            }),
            ..session::Options::default()
        };
        let recorder = session::Recorder::create(folder.path(), Clock::manual(), options).unwrap();
        recorder.close().unwrap();
        recorder.path().to_owned()
    };
    let (gone, kept) = (old(0), old(1));
    session::library::keep(&kept, true).unwrap();
    let clock = Clock::tokio();
    let config = Config {
        backends: Vec::new(),
        session_folder: folder.path().into(),
        log_folder: folder.path().into(),
        preferences: preferences(),
        clock,
    };
    let explorer = Explorer::start(config, tokio::runtime::Handle::current());
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    explorer.listen(move |event| {
        if let Event::Log { entries } = event {
            heard.lock().unwrap().extend(entries);
        }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!gone.exists() && kept.exists());
    let said = said.lock().unwrap();
    let line = said.iter().find(|e| e.operation == "Old sessions deleted");
    let line = line.unwrap();
    assert!(
        line.detail.starts_with("2020-01-01 00.00.00.gattscope: "),
        "{line:?}"
    );
}
