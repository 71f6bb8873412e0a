//! How many notifications of 20 bytes a second reach the disk without loss, how long they wait for it,
//! and what handing one over costs the radio's thread; beside Python's sqlite3 on the same table.
//!
//! `cargo bench -p session --bench recorder -- [seconds [notifications per second]]`: 60 seconds at
//! 260,000 a second by default, then for a sixth of that time as fast as the writer keeps up. It fails
//! when one is lost.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops at the first surprise"
)]

use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use radio::{AttrKind, Clock, DeviceId, GattDb, Properties, Sample, SampleKind};
use session::{Kind, Options, Recorder, Session};
use uuid::Uuid;

/// How often the writer commits, which its peer does, too.
const COMMIT: Duration = Duration::from_millis(50);

/// The same rows in the same tables, made and committed as somebody would who has Python.
const PYTHON: &str = "
import sqlite3, sys, time
path, schema, seconds, commit = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
file = sqlite3.connect(path, isolation_level=None)
file.executescript(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000;'
    'PRAGMA foreign_keys = OFF;' + schema)
sent = 0
def rows(until):
    global sent
    while time.perf_counter() < until:
        for _ in range(250):
            sent += 1
            value = sent.to_bytes(8, 'little') + bytes(12)
            yield (sent, time.monotonic_ns(), 30, 1, 1, 65536 + sent % 4, value, None, None, None)
start = time.perf_counter()
while time.perf_counter() < start + seconds:
    file.execute('BEGIN')
    file.executemany('INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?,?)', rows(time.perf_counter() + commit))
    file.execute('COMMIT')
print(sent / (time.perf_counter() - start))
";

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<f64>().ok());
    let seconds = numbers.next().unwrap_or(60.0);
    let rate = numbers.next().unwrap_or(260_000.0);
    let steady = record(seconds, Some(rate));
    let flat_out = record(seconds / 6.0, None);
    let folder = tempfile::tempdir().unwrap();
    let mut python = Command::new("python3");
    python
        .args(["-I", "-c", PYTHON])
        .arg(folder.path().join("python.db"))
        .arg(session::SCHEMA)
        .arg((seconds / 6.0).to_string())
        .arg(COMMIT.as_secs_f64().to_string());
    let python = python.output().ok().filter(|done| done.status.success());
    let python = python.and_then(|done| String::from_utf8(done.stdout).ok()?.trim().parse().ok());
    for (what, (ours, lost)) in [
        (
            format!("recording for {seconds:.0} s at {rate:.0}/s"),
            steady,
        ),
        ("recording, flat out".into(), flat_out),
    ] {
        match python {
            Some(theirs) => println!(
                "| {what} | {ours:.0}/s, {lost} lost | Python's sqlite3, executemany, flat out: \
                 {theirs:.0}/s | {:.2} |",
                ours / theirs
            ),
            None::<f64> => println!("| {what} | {ours:.0}/s, {lost} lost | Python: not here | |"),
        }
    }
    let lost = steady.1 + flat_out.1;
    if lost > 0 {
        println!("PROMISE NOT KEPT: {lost} notifications were lost; none may be");
        std::process::exit(1);
    }
}

/// How many a second are on disk after so many seconds, and how many were lost.
fn record(seconds: f64, rate: Option<f64>) -> (f64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::monotonic();
    let recorder = Recorder::create(folder.path(), clock.clone(), Options::default()).unwrap();
    let device = recorder.device(&DeviceId::from("00:00:00:00:00:01"), Some("bench"));
    let link = recorder.link_up(clock.now(), device);
    let mut gatt = GattDb::new();
    let attributes: Vec<_> = (0..4)
        .map(|uuid| {
            let (kind, uuid) = (AttrKind::Characteristic, Uuid::from_u128(uuid));
            gatt.push(kind, uuid, None, None, Properties::NOTIFY)
                .unwrap()
        })
        .collect();
    recorder.attributes(clock.now(), link, &gatt);

    let (started, before) = (Instant::now(), cpu());
    let mut sent: u64 = 0;
    let mut handing_over = Duration::ZERO;
    let mut most_waiting = 0;
    while started.elapsed().as_secs_f64() < seconds {
        let before = Instant::now();
        for _ in 0..250 {
            let mut bytes = [0; 20];
            bytes[..8].copy_from_slice(&sent.to_le_bytes());
            recorder.sample(&Sample {
                attribute: attributes[(sent % 4) as usize],
                at: clock.now(),
                lost_before: 0,
                kind: SampleKind::Notification,
                bytes: Bytes::copy_from_slice(&bytes),
            });
            sent += 1;
        }
        handing_over += before.elapsed();
        let mut waiting = recorder.status().waiting;
        most_waiting = most_waiting.max(waiting);
        match rate {
            Some(rate) => {
                let due = Duration::from_secs_f64(sent as f64 / rate);
                std::thread::sleep(due.saturating_sub(started.elapsed()));
            }
            None => {
                while waiting > 100_000 {
                    std::thread::sleep(Duration::from_millis(1));
                    waiting = recorder.status().waiting;
                }
            }
        }
    }
    recorder.flush().unwrap();
    let took = started.elapsed().as_secs_f64();
    let worked = cpu().zip(before).map(|(after, before)| after - before);
    recorder.close().unwrap();
    let status = recorder.status();
    let lost = status.lost.total();
    let session = Session::open(&status.path).unwrap();
    let counts = session.counts().unwrap();
    let values = counts.iter().filter(|one| one.kind == Kind::Notification);
    let values: u64 = values.map(|one| one.events).sum();
    assert_eq!(values + lost, sent);
    let events = session.info().unwrap().events;
    let reached = (sent - lost) as f64 / took;
    println!(
        "{sent} notifications of 20 bytes in {took:.2} s: {reached:.0}/s on disk, {lost} lost, at most \
         {:.0} ms of them waiting, {:.0} ns to hand one over, {:.1} bytes each on disk, {:.2} µs of a \
         processor each",
        most_waiting as f64 / reached * 1000.0,
        handing_over.as_nanos() as f64 / sent as f64,
        status.bytes as f64 / events as f64,
        worked.unwrap_or_default().as_secs_f64() * 1e6 / sent as f64,
    );
    (reached, lost)
}

/// What processors have worked for this process (proc_pid_stat(5); its ticks are hundredths of a
/// second); `None` where the system does not tell.
fn cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks * 10))
}
