//! Links that end by themselves: coming back, giving up, and what is told and recorded of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "bench/bench.rs"]
mod bench;

use std::collections::HashMap;
use std::time::Duration;

use bench::{Bench, contract_with};
use explorer::Preferences;
use explorer::view::Event;
use radio::DeviceId;
use radio::simulated::{Lab, VirtualDevice, uuids};
use rand::{Rng as _, SeedableRng as _};

async fn scanning() -> Bench {
    Bench::scanning(Lab::contract(), Preferences::default()).await
}

impl Bench {
    async fn reaches(&self, device: &DeviceId, state: &str) {
        for _ in 0..100_000 {
            if self.link(device).state == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{:?} is not {state}", self.link(device));
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_was_lost_is_come_back_to_and_streams_again() {
    let bench = scanning().await;
    let stream = uuids::STREAM.to_string();
    let (device, _) = bench.streaming(VirtualDevice::VirtualHr, &stream).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.lab.faults().drop_link(&device, "Connection Timeout");
    bench.reaches(&device, "retrying").await;
    let link = bench.link(&device);
    let retry = link.retry.unwrap();
    assert_eq!((retry.attempt, retry.attempts), (1, 20));
    assert!(link.unexpected && link.problem.unwrap().message.contains("Connection Timeout"));

    bench.reaches(&device, "connected").await;
    assert_eq!(bench.link(&device).retry, None);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let db = bench.recorded().await;
    let gaps: Vec<(i64, i64, i64)> = db
        .prepare("SELECT count, from_ns, to_ns FROM gap WHERE cause = 4")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let [(0, from, to)] = gaps[..] else {
        panic!("one interval of unknown number: {gaps:?}")
    };
    assert!(to - from > 500_000_000, "the backoff is in it: {gaps:?}");
    let after: i64 = db
        .query_row(
            "SELECT count(*) FROM event JOIN kind ON kind.id = event.kind
              WHERE kind.name LIKE 'notif%' AND t_ns > ?1",
            [to],
            |row| row.get(0),
        )
        .unwrap();
    assert!(after > 50, "it streams again: {after}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_stopped_stays_stopped() {
    let bench = scanning().await;
    let stream = uuids::STREAM.to_string();
    let (device, _) = bench.streaming(VirtualDevice::VirtualHr, &stream).await;
    bench.lab.faults().drop_link(&device, "Connection Timeout");
    bench.reaches(&device, "retrying").await;
    bench.explorer.cancel_connect(&device);
    bench.reaches(&device, "disconnected").await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(bench.link(&device).state, "disconnected");
    // The wish is dropped with it: connecting by hand starts afresh.
    bench.explorer.connect(device.clone()).await.unwrap();
    bench.explorer.set_auto_reconnect(&device, false);
    bench.lab.faults().drop_link(&device, "Connection Timeout");
    bench.reaches(&device, "disconnected").await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(bench.link(&device).state, "disconnected");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_never_answers_is_given_up_after_twenty_attempts() {
    let bench = scanning().await;
    let stream = uuids::STREAM.to_string();
    let (device, _) = bench.streaming(VirtualDevice::VirtualHr, &stream).await;
    for _ in 0..30 {
        bench.lab.faults().hang_next_connect(&device);
    }
    bench.lab.faults().drop_link(&device, "Connection Timeout");
    bench.reaches(&device, "failed").await;
    let problem = bench.link(&device).problem.unwrap();
    assert_eq!(problem.code, "gave_up");
    let attempts: std::collections::BTreeSet<u32> = bench
        .news
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            Event::Link(link) => link.retry.as_ref().map(|retry| retry.attempt),
            _ => None,
        })
        .collect();
    assert!(attempts.iter().copied().eq(1..=20), "{attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_tried_while_the_adapter_is_away() {
    let bench = scanning().await;
    let stream = uuids::STREAM.to_string();
    let (device, _) = bench.streaming(VirtualDevice::VirtualHr, &stream).await;
    bench.lab.faults().adapter_gone();
    bench.reaches(&device, "retrying").await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let retry = bench.link(&device).retry.unwrap();
    assert_eq!((retry.attempt, retry.at_ms), (1, None));
    bench.lab.faults().adapter_back();
    bench.reaches(&device, "connected").await;
}

#[tokio::test(start_paused = true)]
async fn a_scan_goes_on_when_the_adapter_is_back_unless_somebody_stopped_it() {
    let bench = scanning().await;
    let scans = async || {
        tokio::time::sleep(Duration::from_secs(2)).await;
        bench.radio().scanning
    };
    assert!(scans().await);
    bench.lab.faults().adapter_gone();
    assert!(!scans().await);
    bench.lab.faults().adapter_back();
    assert!(scans().await);
    bench.explorer.stop_scan().await.unwrap();
    bench.lab.faults().adapter_gone();
    bench.lab.faults().adapter_back();
    assert!(!scans().await);
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_when_nobody_comes_back_is_in_the_ledger_and_what_somebody_ended_is_not() {
    let bench = scanning().await;
    let stream = uuids::STREAM.to_string();
    let (device, _) = bench.streaming(VirtualDevice::VirtualHr, &stream).await;
    bench.explorer.disconnect(device.clone()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    bench.explorer.connect(device.clone()).await.unwrap();
    let attribute = bench.attribute(&device, &stream);
    bench.explorer.subscribe(attribute.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..30 {
        bench.lab.faults().hang_next_connect(&device);
    }
    bench.lab.faults().drop_link(&device, "Connection Timeout");
    bench.reaches(&device, "retrying").await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    let db = bench.recorded().await;
    let gaps: Vec<i64> = db
        .prepare("SELECT to_ns - from_ns FROM gap WHERE cause = 4")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let [lasted] = gaps[..] else {
        panic!("only the end that nobody asked for: {gaps:?}")
    };
    assert!(
        (40_000_000_000..42_000_000_000).contains(&lasted),
        "{lasted}"
    );
}

/// Four devices stream; a thousand times one of them is lost.
#[tokio::test(start_paused = true)]
async fn a_thousand_disconnections_cost_what_the_ledger_says_and_nothing_twice() {
    let mut lab = contract_with(&[VirtualDevice::MotionSensor, VirtualDevice::PulseStrap]);
    lab.motion_rate_hz = 20;
    let bench = Bench::scanning(lab, Preferences::default()).await;
    let heart = "00002a37-0000-1000-8000-00805f9b34fb".to_owned();
    let devices = [
        (VirtualDevice::VirtualHr, uuids::STREAM.to_string()),
        (
            VirtualDevice::MotionSensor,
            uuids::MOTION_STREAM.to_string(),
        ),
        (VirtualDevice::Difficult, uuids::LOSSY.to_string()),
        (VirtualDevice::PulseStrap, heart),
    ];
    let mut streams = Vec::new();
    for (device, characteristic) in &devices {
        if bench.lab.device(*device).is_some() {
            streams.push(bench.streaming(*device, characteristic).await.0);
        }
    }
    assert_eq!(streams.len(), 4);
    let mut random = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(3);
    let mut dropped = 0;
    while dropped < 1_000 {
        tokio::time::sleep(Duration::from_millis(random.random_range(20..2_000))).await;
        let device = &streams[random.random_range(0..4)];
        if bench.lab.faults().drop_link(device, "Connection Timeout") {
            dropped += 1;
        }
    }
    for device in &streams {
        bench.reaches(device, "connected").await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let db = bench.recorded().await;
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(
        one(
            "SELECT count(*) FROM event JOIN kind ON kind.id = event.kind
              WHERE kind.name = 'disconnected' AND event.number = 1"
        ),
        1_000
    );

    // Nothing twice: within a link a counter never stands still or turns back.
    let mut rows = db
        .prepare(
            "SELECT e.link, e.attribute, e.value FROM event AS e
               JOIN kind ON kind.id = e.kind JOIN attribute ON attribute.id = e.attribute
              WHERE kind.name LIKE 'notif%'
                -- Heart rates carry no counter.
                AND attribute.uuid <> '00002a37-0000-1000-8000-00805f9b34fb'
              ORDER BY e.id",
        )
        .unwrap();
    let mut last: HashMap<(i64, i64), u32> = HashMap::new();
    let mut values = 0;
    let mut rows = rows.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        values += 1;
        let place = (row.get(0).unwrap(), row.get(1).unwrap());
        let value: Vec<u8> = row.get(2).unwrap();
        let count = u32::from_le_bytes(*value.first_chunk::<4>().unwrap());
        if let Some(before) = last.insert(place, count) {
            assert!(count > before, "{place:?}: {before}, then {count}");
        }
    }
    assert!(values > 10_000, "{values}");
    let links: std::collections::HashSet<_> = last.keys().map(|(link, _)| link).collect();
    assert!(
        links.len() > 600,
        "three of the four count: {}",
        links.len()
    );

    // Every interval in the ledger: each end of a link lies in a gap of its device, and nothing came
    // within a gap.
    assert_eq!(
        one(
            "SELECT count(*) FROM event AS e JOIN kind ON kind.id = e.kind
              WHERE kind.name = 'disconnected' AND e.number = 1 AND NOT EXISTS (
                SELECT 1 FROM gap AS g JOIN event AS ge ON ge.id = g.event
                 WHERE g.cause = 4 AND ge.device = e.device
                   AND g.from_ns <= e.t_ns AND g.to_ns > e.t_ns)"
        ),
        0
    );
    assert_eq!(
        one(
            "SELECT count(*) FROM gap AS g JOIN event AS ge ON ge.id = g.event
               JOIN event AS e ON e.device = ge.device JOIN kind ON kind.id = e.kind
              WHERE g.cause = 4 AND kind.name LIKE 'notif%'
                AND e.t_ns > g.from_ns AND e.t_ns < g.to_ns"
        ),
        0
    );
}
