//! The program is killed at unforeseen moments while a device of the simulated lab sends 5,000 values
//! a second: the file opens, and nothing is missing but the last 150 ms.
//!
//! This program starts itself again as the process that is killed. `GATTSCOPE_KILLS` sets how often
//! (5); `cargo xtask bench durability` does it 500 times. One after the other: processes beside each
//! other would be measured waiting for each other. On a machine that is busy with other things they
//! wait for those; how long a thread that only sleeps had to wait too long within those 150 ms is told,
//! and allowed for unless it is measured, which is when `GATTSCOPE_KILLS` is set.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use explorer::{Config, Explorer, Preferences};
use radio::simulated::{Lab, Simulated, VirtualDevice, uuids};
use radio::{Backend, Clock};
use session::{Filter, Kind, Session};

/// Names the folder in which the child records.
const CHILD: &str = "GATTSCOPE_DURABILITY_CHILD";
/// What a kill may cost.
const COST: Duration = Duration::from_millis(150);
/// Values a second.
const RATE: u16 = 5_000;
/// A machine that keeps nobody waiting longer than this keeps up.
const KEEPS_UP: Duration = Duration::from_millis(10);

fn main() {
    if let Some(folder) = std::env::var_os(CHILD) {
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(record(Path::new(&folder)));
    }
    let asked = std::env::var("GATTSCOPE_KILLS").ok();
    let kills: u32 = asked.as_ref().map_or(5, |kills| kills.parse().unwrap());
    let mut all = Vec::new();
    for kill in 0..kills {
        // Steps of the golden ratio: spread evenly, and never in step with the writer.
        let part = (f64::from(kill) * 0.618_034).fract();
        all.push(kill_after(Duration::from_secs_f64(0.3 + 1.2 * part)));
        if kill % 50 == 49 {
            println!("{} kills", kill + 1);
        }
    }
    all.sort_by_key(|killed| killed.missing);
    let (middle, worst) = (all[all.len() / 2].missing, all[all.len() - 1].missing);
    let values: u64 = all.iter().map(|killed| killed.values).sum();
    let stalled = all.iter().map(|killed| killed.stalled).max();
    println!(
        "killed {kills} times at {RATE} values/s: {kills} files opened, {values} values in sequence, \
         missing at the end {middle:.0?} in the middle, {worst:.0?} at most; the machine kept a \
         sleeping thread waiting up to {:.0?}",
        stalled.unwrap_or_default(),
    );
    for killed in all.iter().filter(|killed| killed.missing > COST) {
        println!(
            "  more than {COST:?}: {:.0?}, of which the machine kept {:.0?}",
            killed.missing, killed.stalled
        );
    }
    println!(
        "| {kills} kills at {RATE} values/s | {worst:.0?} missing at most | promised: {COST:?} | {:.2} |",
        COST.as_secs_f64() / worst.as_secs_f64()
    );
    let broken = all.iter().filter(|killed| {
        let allowed = if asked.is_some() {
            Duration::ZERO
        } else {
            killed.stalled
        };
        killed.missing > COST + allowed
    });
    let broken = broken.count();
    if broken > 0 {
        println!(
            "PROMISE NOT KEPT: after {broken} of {kills} kills, more than {COST:?} were missing"
        );
    }
    assert_eq!(broken, 0);
    for killed in all.iter().filter(|killed| killed.kept_up) {
        let sent = f64::from(RATE) * killed.after.saturating_sub(killed.missing).as_secs_f64();
        let values = killed.values as f64;
        assert!(
            values >= 0.9 * sent,
            "{values} of {sent} after {:?}",
            killed.after
        );
    }
}

/// Subscribes to the motion sensor for ever, and says on stdout when values come.
async fn record(folder: &Path) -> ! {
    let clock = Clock::monotonic();
    let lab = Lab {
        motion_rate_hz: RATE,
        ..Lab::default()
    };
    let lab = Arc::new(Simulated::with_lab(clock.clone(), 1, lab));
    let config = Config {
        backends: vec![Arc::clone(&lab) as Arc<dyn Backend>],
        session_folder: folder.into(),
        log_folder: folder.into(),
        preferences: Preferences::default(),
        clock,
    };
    let explorer = Explorer::start(config, tokio::runtime::Handle::current());
    explorer.listen(|_| {});
    explorer.look_again().await.unwrap();
    explorer.start_scan().await.unwrap();
    let sensor = lab.device(VirtualDevice::MotionSensor).unwrap();
    explorer.connect(sensor.clone()).await.unwrap();
    let services = explorer.tree(&sensor).unwrap();
    let stream = uuids::MOTION_STREAM.to_string();
    let mut found = services.iter().flat_map(|service| &service.children);
    let stream = found.find(|found| found.uuid.uuid == stream).unwrap().id;
    let layout = "seq:u32le!count, acc:i16le[3]*0.001 g, _:skip[12]";
    explorer.set_format(stream, layout).unwrap();
    explorer.plot(stream, true).unwrap();
    explorer.subscribe(stream).await.unwrap();
    println!("subscribed");
    std::future::pending().await
}

/// How a recording ended.
struct Killed {
    values: u64,
    /// How long before the kill the last value came that was kept.
    missing: Duration,
    /// How much longer than asked for a sleep took at most within [`COST`] before the kill.
    stalled: Duration,
    /// No sleep took much longer at any time.
    kept_up: bool,
    /// How long after the subscription it was killed.
    after: Duration,
}

fn kill_after(delay: Duration) -> Killed {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(CHILD, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(told.next().unwrap().unwrap(), "subscribed");
    let (started, mut stalls) = (Instant::now(), Vec::new());
    while started.elapsed() < delay {
        let before = Instant::now();
        std::thread::sleep(Duration::from_millis(1));
        let stalled = before.elapsed().saturating_sub(Duration::from_millis(1));
        stalls.push((started.elapsed(), stalled));
    }
    let after = started.elapsed();
    let killed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();

    let file = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|suffix| suffix == "gattscope"))
        .unwrap();
    let session = Session::open(&file).unwrap();
    let wanted = Filter {
        kinds: vec![Kind::Notification],
        ..Filter::default()
    };
    let (mut values, mut last) = (0, None);
    for event in session.events(&wanted).unwrap() {
        let event = event.unwrap();
        let value = event.value.unwrap();
        assert_eq!(value.len(), 22);
        let sequence = u32::from_le_bytes(value[..4].try_into().unwrap());
        assert_eq!(u64::from(sequence), values);
        values += 1;
        last = Some(session.anchors().wall_time(event.at).unix_ns);
    }
    assert_eq!(session.info().unwrap().lost.total(), 0);
    let check: String = rusqlite::Connection::open(&file)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    let last = u64::try_from(last.unwrap()).unwrap();
    Killed {
        values,
        missing: killed.saturating_sub(Duration::from_nanos(last)),
        stalled: stalls
            .iter()
            .filter(|(end, _)| *end + COST >= after)
            .map(|(_, stalled)| *stalled)
            .max()
            .unwrap_or_default(),
        kept_up: stalls.iter().all(|(_, stalled)| *stalled < KEEPS_UP),
        after,
    }
}
