//! A large session: how long it takes until its first chart stands, with nothing of it in memory, to
//! list it, and to give it away as CSV; beside `sqlite3` and Python on the same file.
//!
//! `cargo bench -p explorer --bench large -- [events [file]]`: ten million by default, in a temporary
//! file; one that is named stays, and is measured again the next time. Two characteristics of one
//! device, 2,000 notifications of 20 bytes a second in all, committed every 50 ms as a radio's are.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops at the first surprise"
)]

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use decode::Format;
use plot::{Series, Window};
use radio::{
    AttrId, AttrKind, Clock, DeviceId, GattDb, Handle, Properties, Sample, SampleKind, Timestamp,
};
use session::export::{self, Csv};
use session::{Options, Recorder, Session, SessionTime, WallClock, WallTime, import, library};
use uuid::Uuid;

/// Nanoseconds from one notification to the next.
const STEP: i64 = 500_000;
/// What a first chart shows.
const MINUTE: i64 = 60_000_000_000;
const MOST: usize = 100_000;
const PIXELS: usize = 1200;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'));
    let events: i64 = arguments
        .next()
        .map_or(10_000_000, |events| events.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = match arguments.next().map(PathBuf::from) {
        Some(path) if path.exists() => path,
        Some(path) => {
            std::fs::copy(make(folder.path(), events), &path).unwrap();
            path
        }
        None => make(folder.path(), events),
    };
    let size = std::fs::metadata(&path).unwrap().len();
    let events = Session::open(&path).unwrap().info().unwrap().events;
    println!("{events} events: {} MB", size >> 20);
    first_chart(&path);
    listed(&path);
    csv(&path, folder.path());
}

fn make(folder: &Path, events: i64) -> PathBuf {
    // The wall clock stands with the session's, which is never moved: no jump of one against the other.
    let start = WallTime::now();
    let options = Options {
        wall: WallClock::from_fn(move || start),
        ..Options::default()
    };
    let recorder = Recorder::create(folder, Clock::manual(), options).unwrap();
    let device = recorder.device(&DeviceId::from("00:00:00:00:00:01"), Some("bench"));
    let link = recorder.link_up(Timestamp(0), device);
    let mut gatt = GattDb::new();
    let attributes = [3, 6].map(|handle| {
        let uuid = Uuid::from_u128(handle.into());
        let (kind, handle) = (AttrKind::Characteristic, Some(Handle(handle)));
        gatt.push(kind, uuid, handle, None, Properties::NOTIFY)
            .unwrap()
    });
    recorder.attributes(Timestamp(0), link, &gatt);
    for number in 0..events {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        recorder.sample(&Sample {
            attribute: attributes[usize::from(number % 20 == 19)],
            at: Timestamp(number * STEP),
            lost_before: 0,
            kind: SampleKind::Notification,
            bytes: Bytes::copy_from_slice(&bytes),
        });
        if number % 100 == 99 {
            recorder.flush().unwrap();
        }
    }
    recorder.close().unwrap();
    assert_eq!(recorder.status().lost.total(), 0);
    recorder.path().to_owned()
}

/// From nothing to the points of the busier characteristic's last minute.
fn first_chart(path: &Path) {
    let format = Format::Layout("x:u16le".parse().unwrap());
    let draw = |end: fn(i64) -> i64| {
        let session = Session::open(path).unwrap();
        let attribute = session.attributes().unwrap()[0].id;
        let end = end(session.info().unwrap().last.unwrap().nanos());
        points(&session, attribute, end, &format)
    };
    // What is warm before is the program alone.
    draw(|end| end);
    let cold = forget(path);
    let ((values, points), took) = timed(|| draw(|end| end));
    println!(
        "{cold}: opened, {values} values of the last minute read, decoded and drawn as {points} \
         points in {took}"
    );
    let cold = forget(path);
    let ((values, _), middle) = timed(|| draw(|end| end / 2));
    println!("{cold}: the same of a minute in the middle, {values} values, in {middle}");

    let sql = format!(
        "SELECT t_ns, hex(value) FROM event WHERE attribute = (SELECT min(id) FROM attribute)
          ORDER BY id DESC LIMIT {values}"
    );
    forget(path);
    let mut sqlite = Command::new("sqlite3");
    sqlite.arg("-readonly").arg(path).arg(&sql);
    found(
        &format!("{cold} to first chart"),
        took,
        "sqlite3, the rows alone",
        peer(sqlite, None),
    );
    forget(path);
    let python = python(
        path,
        &format!(
            "rows = sqlite3.connect(sys.argv[1]).execute('''{}''')
points = [(t / 1e9, int.from_bytes(value[:2], 'little')) for t, value in rows]",
            sql.replace("hex(value)", "value")
        ),
    );
    found(
        &format!("{cold} to first chart"),
        took,
        "Python, the numbers alone",
        peer(python, None),
    );
}

fn points(session: &Session, attribute: AttrId, end: i64, format: &Format) -> (u64, usize) {
    let mut series = Series::default();
    let within = SessionTime(end - MINUTE)..=SessionTime(end);
    let values = session
        .values_between(attribute, within, MOST, |value| {
            format.columns(value.bytes, &mut |_, number| {
                series.push(value.at.nanos(), number);
            });
            ControlFlow::Continue(())
        })
        .unwrap();
    let mut window = Window::default();
    series.window(end - MINUTE, end, PIXELS, &mut window);
    assert!(window.xs.len() > PIXELS);
    (values, window.xs.len())
}

fn listed(path: &Path) {
    let cold = forget(path);
    let (entry, took) = timed(|| library::entry(path).unwrap());
    assert!(entry.values.is_some());
    println!("{cold}: listed in {took}");
}

fn csv(path: &Path, folder: &Path) {
    let target = folder.join("ours.csv");
    let session = Session::open(path).unwrap();
    let (summary, ours) = timed(|| {
        let mut go_on = |_| ControlFlow::Continue(());
        export::to_file(&session, &Csv::default(), target.as_path(), &mut go_on).unwrap()
    });
    let what = format!("CSV of {} events", summary.rows);
    println!("{what}: {} MB", summary.bytes >> 20);
    let theirs = folder.join("theirs.csv");
    for (name, sql) in [
        ("sqlite3 -csv, the same columns", "SELECT * FROM log"),
        (
            "sqlite3 -csv, the bare table, no names or times of day",
            "SELECT id, t_ns, kind, device, link, attribute, hex(value), status FROM event",
        ),
    ] {
        let mut sqlite = Command::new("sqlite3");
        let options = ["-readonly", "-header", "-csv"];
        sqlite.args(options).arg(path).arg(sql);
        found(&what, ours, name, peer(sqlite, Some(&theirs)));
    }
    let python = python(
        path,
        "rows = sqlite3.connect(sys.argv[1]).execute('SELECT * FROM log')
csv.writer(sys.stdout).writerows(rows)",
    );
    found(
        &what,
        ours,
        "Python's csv, the same columns",
        peer(python, Some(&theirs)),
    );

    let back = folder.join("back.gattscope");
    let (imported, took) = timed(|| {
        let mut go_on = |_| ControlFlow::Continue(());
        import(&target, &back, &mut go_on).unwrap()
    });
    assert_eq!(imported.events, summary.rows);
    println!("imported again in {took}");
    let copy = folder.join("copy.gattscope");
    let mut go_on = |_| ControlFlow::Continue(());
    let (_, took) = timed(|| library::save_as(path, &copy, &mut go_on).unwrap());
    println!("saved as in {took}");
}

/// Lets the system forget what it holds of files, where this user may ask for that; says whether it did.
fn forget(path: &Path) -> &'static str {
    File::open(path).unwrap().sync_all().unwrap();
    match std::fs::write("/proc/sys/vm/drop_caches", "3") {
        Ok(()) => "cold",
        Err(_) => "warm (only root empties the system's cache)",
    }
}

/// How long something took, and how much of that a processor worked for it, where the system tells
/// that: on a machine that is busy with other things, the second says more.
#[derive(Clone, Copy)]
struct Took {
    wall: Duration,
    cpu: Option<Duration>,
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} s", self.wall.as_secs_f64())?;
        match self.cpu {
            Some(cpu) => write!(f, " (CPU {:.2} s)", cpu.as_secs_f64()),
            None => Ok(()),
        }
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Took) {
    let (start, before) = (Instant::now(), cpu());
    let done = work();
    let took = Took {
        wall: start.elapsed(),
        cpu: cpu().zip(before).map(|(after, before)| after - before),
    };
    (done, took)
}

/// What processors have worked for this process and for those that it waited for (proc_pid_stat(5);
/// its ticks are hundredths of a second).
fn cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(4);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks * 10))
}

fn python(path: &Path, program: &str) -> Command {
    let mut python = Command::new("python3");
    python
        .args(["-I", "-c"])
        .arg(format!("import csv, sqlite3, sys\n{program}"))
        .arg(path);
    python
}

/// How long another program takes; `None` if it is not here.
fn peer(mut command: Command, target: Option<&Path>) -> Option<Took> {
    let out = target.map_or(Stdio::null(), |target| File::create(target).unwrap().into());
    command.stdout(out).stderr(Stdio::null());
    let (status, took) = timed(|| command.status());
    status.is_ok_and(|status| status.success()).then_some(took)
}

/// A line of the table that `cargo xtask bench` shows.
fn found(what: &str, ours: Took, peer: &str, theirs: Option<Took>) {
    match theirs {
        Some(theirs) => println!(
            "| {what} | {ours} | {peer}: {theirs} | {:.2} |",
            theirs.wall.as_secs_f64() / ours.wall.as_secs_f64()
        ),
        None => println!("| {what} | {ours} | {peer}: not here | |"),
    }
}
