//! How many notifications of 20 bytes a second reach the disk without loss, and what handing one
//! over costs the radio's thread. `cargo bench -p session [seconds [notifications per second]]`;
//! without a rate it goes as fast as the writer keeps up.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops at the first surprise"
)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use radio::{AttrKind, Clock, DeviceId, GattDb, Properties, Sample, SampleKind};
use session::{Options, Recorder, Session};
use uuid::Uuid;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<f64>().ok());
    let seconds = numbers.next().unwrap_or(5.0);
    let rate = numbers.next();
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::monotonic();
    let recorder = Recorder::create(folder.path(), clock.clone(), Options::default()).unwrap();
    let device = recorder.device(&DeviceId::from("00:00:00:00:00:01"), Some("bench"));
    let link = recorder.link_up(clock.now(), device);
    let mut gatt = GattDb::new();
    let attributes: Vec<_> = (0..4)
        .map(|uuid| {
            let uuid = Uuid::from_u128(uuid);
            gatt.push(
                AttrKind::Characteristic,
                uuid,
                None,
                None,
                Properties::NOTIFY,
            )
            .unwrap()
        })
        .collect();
    recorder.attributes(clock.now(), link, &gatt);

    let started = Instant::now();
    let mut sent: u64 = 0;
    let mut handing_over = Duration::ZERO;
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
        match rate {
            Some(rate) => {
                let due = Duration::from_secs_f64(sent as f64 / rate);
                std::thread::sleep(due.saturating_sub(started.elapsed()));
            }
            None => {
                while recorder.status().waiting > 500_000 {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }
    recorder.flush().unwrap();
    let took = started.elapsed().as_secs_f64();
    let status = recorder.status();
    recorder.close().unwrap();
    let events = Session::open(&status.path).unwrap().info().unwrap().events;
    assert_eq!(events + status.lost.total(), sent + 2);
    println!(
        "{sent} notifications of 20 bytes in {took:.2} s: {:.0}/s on disk, {} lost, {:.0} ns to hand \
         one over, {:.1} bytes each on disk",
        (sent - status.lost.total()) as f64 / took,
        status.lost.total(),
        handing_over.as_nanos() as f64 / sent as f64,
        recorder.status().bytes as f64 / events as f64,
    );
}
