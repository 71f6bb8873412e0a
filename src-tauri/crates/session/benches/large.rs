//! A large session: how long it takes to list and open it and to read what a first chart needs, and
//! to write it as CSV, beside `sqlite3 -csv` and Python's csv writer on the same file.
//! `cargo bench -p session --bench large [events]`; ten million by default.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops at the first surprise"
)]

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use radio::{AttrKind, Clock, DeviceId, GattDb, Handle, Properties, Sample, SampleKind, Timestamp};
use session::export::{Csv, to_file};
use session::{Options, Recorder, Session, import, library};
use uuid::Uuid;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u64>().ok());
    let events = numbers.next().unwrap_or(10_000_000);
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(folder.path(), Clock::manual(), Options::default()).unwrap();
    let device = recorder.device(&DeviceId::from("00:00:00:00:00:01"), Some("bench"));
    let link = recorder.link_up(Timestamp(0), device);
    let mut gatt = GattDb::new();
    let uuid = Uuid::from_u128(1);
    let (kind, handle) = (AttrKind::Characteristic, Some(Handle(3)));
    let attribute = gatt
        .push(kind, uuid, handle, None, Properties::NOTIFY)
        .unwrap();
    recorder.attributes(Timestamp(0), link, &gatt);
    for number in 0..events {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        recorder.sample(&Sample {
            attribute,
            at: Timestamp(i64::try_from(number).unwrap() * 500_000),
            lost_before: 0,
            kind: SampleKind::Notification,
            bytes: Bytes::copy_from_slice(&bytes),
        });
        if number % 500_000 == 0 {
            recorder.flush().unwrap();
        }
    }
    recorder.close().unwrap();
    let path = recorder.path();
    assert_eq!(recorder.status().lost.total(), 0);
    let size = std::fs::metadata(path).unwrap().len();
    println!("{events} notifications of 20 bytes: {} MB", size >> 20);

    forget(path);
    let (entry, took) = timed(|| library::entry(path).unwrap());
    assert_eq!(entry.values, Some(events));
    println!("listed in {took:?}, with nothing of it in memory where the system allows that");
    forget(path);
    let (count, took) = timed(|| {
        let session = Session::open(path).unwrap();
        session.info().unwrap();
        session.counts().unwrap();
        session.attributes().unwrap();
        session.values(attribute, 4096).unwrap().len()
    });
    assert!(count > 0);
    println!("opened, and the last {count} values read, in {took:?}");

    let target = folder.path().join("ours.csv");
    let session = Session::open(path).unwrap();
    let (summary, took) = timed(|| {
        let mut go_on = |_| ControlFlow::Continue(());
        to_file(&session, &Csv::default(), &target, &mut go_on).unwrap()
    });
    let rows = summary.rows as f64;
    tell("CSV by session", rows, took, summary.bytes);
    for (name, sql) in [
        ("CSV by sqlite3 -csv", "SELECT * FROM log"),
        (
            "CSV by sqlite3 -csv of the bare table, without names and times of day",
            "SELECT id, t_ns, kind, device, link, attribute, hex(value), status FROM event",
        ),
    ] {
        let mut sqlite = Command::new("sqlite3");
        let options = ["-readonly", "-header", "-csv"];
        sqlite.args(options).arg(path).arg(sql);
        peer(name, sqlite, rows, &folder.path().join("sqlite.csv"));
    }
    let mut python = Command::new("python3");
    python.args(["-I", "-c"]).arg(
        "import csv, sqlite3, sys\n\
         rows = sqlite3.connect(sys.argv[1]).execute('SELECT * FROM log')\n\
         csv.writer(sys.stdout).writerows(rows)",
    );
    python.arg(path);
    peer(
        "CSV by Python's csv",
        python,
        rows,
        &folder.path().join("python.csv"),
    );

    let back = folder.path().join("back.gattscope");
    let (imported, took) = timed(|| {
        let mut go_on = |_| ControlFlow::Continue(());
        import(&target, &back, &mut go_on).unwrap()
    });
    assert_eq!(imported.events, summary.rows);
    tell("CSV imported", rows, took, summary.bytes);
    let copy = folder.path().join("copy.gattscope");
    let mut go_on = |_| ControlFlow::Continue(());
    let (bytes, took) = timed(|| library::save_as(path, &copy, &mut go_on).unwrap());
    tell("saved as", rows, took, bytes);
}

/// Lets the system forget what it holds of a file, where this user may ask for that.
fn forget(path: &Path) {
    File::open(path).unwrap().sync_all().unwrap();
    let _ = std::fs::write("/proc/sys/vm/drop_caches", "3");
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

fn peer(name: &str, mut command: Command, rows: f64, target: &Path) {
    command
        .stdout(File::create(target).unwrap())
        .stderr(Stdio::null());
    let (status, took) = timed(|| command.status());
    match status {
        Ok(status) if status.success() => {
            tell(name, rows, took, std::fs::metadata(target).unwrap().len());
        }
        _ => println!("{name}: not here"),
    }
}

fn tell(name: &str, rows: f64, took: Duration, bytes: u64) {
    let rate = rows / took.as_secs_f64();
    println!("{name}: {took:.2?}, {rate:.0} rows/s, {} MB", bytes >> 20);
}
