//! A recording process is killed at unforeseen moments: the file opens, and nothing is missing but
//! the last 150 ms.
//!
//! This program starts itself again as the process that is killed. `GATTSCOPE_KILLS` sets how often
//! (5).
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use radio::{AttrId, AttrKind, Clock, DeviceId, GattDb, Properties, Sample, SampleKind};
use session::{Filter, Kind, Options, Recorder, Session};
use uuid::Uuid;

/// Names the folder in which the child records.
const CHILD: &str = "GATTSCOPE_DURABILITY_CHILD";
/// What a kill may cost.
const COST: Duration = Duration::from_millis(150);
/// Values that the child records each millisecond.
const EACH_MS: u64 = 5;

fn main() {
    if let Some(folder) = std::env::var_os(CHILD) {
        record(Path::new(&folder));
    }
    let kills = std::env::var("GATTSCOPE_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let mut worst = Duration::ZERO;
    for kill in 0..kills {
        // Steps of the golden ratio: spread evenly, and never in step with the writer.
        let part = (f64::from(kill) * 0.618_034).fract();
        worst = worst.max(kill_after(Duration::from_secs_f64(0.2 + 0.6 * part)));
    }
    println!("killed {kills} times: at most {worst:?} missing, nothing else");
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Records numbered values for ever, and tells on stdout how far it is and when.
fn record(folder: &Path) -> ! {
    let clock = Clock::monotonic();
    let recorder = Recorder::create(folder, clock.clone(), Options::default()).unwrap();
    let device = recorder.device(&DeviceId::from("counter"), None);
    let link = recorder.link_up(clock.now(), device);
    let mut db = GattDb::new();
    let uuid = Uuid::from_u128(1);
    let attribute = db
        .push(
            AttrKind::Characteristic,
            uuid,
            None,
            None,
            Properties::NOTIFY,
        )
        .unwrap();
    recorder.attributes(clock.now(), link, &db);
    let mut stdout = std::io::stdout().lock();
    let started = Instant::now();
    let mut sent: u64 = 0;
    loop {
        let due = u64::try_from(started.elapsed().as_millis()).unwrap() * EACH_MS;
        while sent < due {
            recorder.sample(&sample(attribute, &clock, sent));
            sent += 1;
        }
        writeln!(stdout, "{sent} {}", now().as_nanos()).unwrap();
        stdout.flush().unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn sample(attribute: AttrId, clock: &Clock, number: u64) -> Sample {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Sample {
        attribute,
        at: clock.now(),
        lost_before: 0,
        kind: SampleKind::Notification,
        bytes: Bytes::copy_from_slice(&bytes),
    }
}

/// Says how long before the kill the last value on disk was recorded.
fn kill_after(delay: Duration) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(CHILD, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = told.next().unwrap().unwrap();
    let reader = std::thread::spawn(move || told.map_while(Result::ok).collect::<Vec<_>>());
    std::thread::sleep(delay);
    let killed = now();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut told = reader.join().unwrap();
    told.insert(0, first);

    let file = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|suffix| suffix == "gattscope"))
        .unwrap();
    let session = Session::open(&file).unwrap();
    let values = Filter {
        kinds: vec![Kind::Notification],
        ..Filter::default()
    };
    let mut kept: u64 = 0;
    for event in session.events(&values).unwrap() {
        let value = event.unwrap().value.unwrap();
        assert_eq!(u64::from_le_bytes(value[..8].try_into().unwrap()), kept);
        assert_eq!(value.len(), 20);
        kept += 1;
    }
    assert_eq!(session.info().unwrap().lost.total(), 0);
    let check: String = rusqlite::Connection::open(&file)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");

    // The first moment at which more had been recorded than was kept.
    let missing_since = told.iter().find_map(|line| {
        let (sent, at) = line.split_once(' ')?;
        let at: u64 = at.parse().ok()?;
        (sent.parse::<u64>().ok()? > kept).then(|| Duration::from_nanos(at))
    });
    let missing = missing_since.map_or(Duration::ZERO, |since| killed.saturating_sub(since));
    assert!(
        missing <= COST,
        "{missing:?} are missing of a recording that was killed after {delay:?}"
    );
    missing
}
