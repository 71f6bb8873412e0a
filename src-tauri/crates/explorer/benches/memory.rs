//! How much memory an hour of recording takes: a device of the simulated lab sends 2,000 values a
//! second to the whole explorer, which records and draws them, as fast as this machine can.
//!
//! `cargo bench -p explorer --bench memory -- [minutes]`; sixty by default. The time is tokio's, which
//! stands still while there is work and leaps to the next timer when there is none, so that an hour of
//! values takes the time that their work takes; it waits for the disk after each of its seconds. The
//! memory is what the process has resident by `/proc/self/statm` (Linux).
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops at the first surprise"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use explorer::view::{Event, PumpRequest};
use explorer::{Config, Explorer, Preferences};
use radio::simulated::{Lab, Simulated, VirtualDevice, uuids};
use radio::{Backend, Clock};
use session::{Kind, Session};

const RATE: u16 = 2_000;
/// The most values that may wait for the disk before time goes on.
const WAITING: u64 = 20_000;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u64>().ok());
    let minutes = numbers.next().unwrap_or(60);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(hour(minutes));
}

async fn hour(minutes: u64) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::tokio();
    let lab = Lab {
        motion_rate_hz: RATE,
        ..Lab::default()
    };
    let lab = Arc::new(Simulated::with_lab(clock.clone(), 1, lab));
    let config = Config {
        backends: vec![Arc::clone(&lab) as Arc<dyn Backend>],
        session_folder: folder.path().into(),
        log_folder: folder.path().into(),
        preferences: Preferences::default(),
        clock,
    };
    let explorer = Explorer::start(config, tokio::runtime::Handle::current());
    let news = Arc::new(AtomicU64::new(0));
    let heard = Arc::clone(&news);
    explorer.listen(move |event: Event| {
        // As the bridge does with it.
        heard.fetch_add(serde_json::to_string(&event).unwrap().len() as u64, Relaxed);
    });
    explorer.look_again().await.unwrap();
    explorer.start_scan().await.unwrap();
    let sensor = lab.device(VirtualDevice::MotionSensor).unwrap();
    explorer.connect(sensor.clone()).await.unwrap();
    let services = explorer.tree(&sensor).unwrap();
    let stream = uuids::MOTION_STREAM.to_string();
    let mut found = services.iter().flat_map(|service| &service.children);
    let stream = found.find(|found| found.uuid.uuid == stream).unwrap().id;
    let layout = "seq:u32le!count, acc:i16le*0.001 g, _:skip[16]";
    explorer.set_format(stream, layout).unwrap();
    explorer.plot(stream, true).unwrap();
    explorer.subscribe(stream).await.unwrap();

    let file = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|suffix| suffix == "gattscope"))
        .unwrap();
    let session = Session::open(&file).unwrap();
    let request = PumpRequest {
        series: vec![0, 1],
        from: None,
        span: 10.0,
        pixels: 1200,
        seen: u64::MAX,
        patience_ms: 0,
    };
    let started = Instant::now();
    let mut figures = Vec::new();
    for second in 0..=minutes * 60 {
        if second % 300 == 10 || second == minutes * 60 {
            figures.push(resident());
            println!(
                "{:>5} s of the session: {:.1} MiB, after {:.0} s",
                second,
                mebibytes(resident()),
                started.elapsed().as_secs_f64()
            );
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let frame = explorer.pump(&request).await;
        assert!(!frame.is_empty());
        tokio::time::sleep(Duration::from_millis(500)).await;
        // The disk writes in its own time.
        let sent = (second + 1) * u64::from(RATE);
        while values(&session) + WAITING < sent {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    explorer.close().await;
    let info = session.info().unwrap();
    assert_eq!(info.lost.total(), 0);
    let values = values(&session);
    assert!(values >= minutes * 60 * u64::from(RATE), "{values}");
    println!(
        "{values} values, {} events in the file, none lost; {} MB of news for the window",
        info.events,
        news.load(Relaxed) >> 20
    );
    let half = figures[figures.len() / 2];
    let (first, last) = (figures[0], *figures.last().unwrap());
    println!(
        "| memory over {minutes} min of {RATE} values/s | {:.1} MiB at 10 s, {:.1} at half, {:.1} at the end | {:+.1} MiB in the second half | |",
        mebibytes(first),
        mebibytes(half),
        mebibytes(last),
        mebibytes(last) - mebibytes(half),
    );
}

/// How many values are on disk.
fn values(session: &Session) -> u64 {
    let counts = session.counts().unwrap();
    let values = counts
        .iter()
        .filter(|count| count.kind == Kind::Notification);
    values.map(|count| count.events).sum()
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let told = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = told.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
