//! What this radio has that others have not: both ways of notifications, passive scans, adapters that
//! tell of themselves, devices by a typed address.

use std::sync::Arc;

use radio::bluez::Bluez;
use radio::{
    Advertisement, Backend as _, Cap, Clock, ConnectOptions, DeviceId, DisconnectReason, Error,
    LinkState, NotifyMode, NotifyRoute, Sample, ScanFilter,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Lab;
use super::contract::{Bench as _, Ready, STREAM, characteristic, sequence, subscribe};

/// BlueZ tells of its own reads as it tells of notifications by signals.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_is_not_taken_for_a_notification_by_either_way() {
    let ready = Ready::new(&Lab).await;
    for route in [NotifyRoute::Socket, NotifyRoute::Signals] {
        // On a link of its own, so that no last sample of an earlier subscription comes.
        let link = ready.connect(Lab.virtual_hr()).await;
        let stream = characteristic(&*link, STREAM);
        let (came, mut samples) = mpsc::unbounded_channel();
        let sink = Arc::new(move |sample: Sample| {
            // The test may have seen enough.
            let _ = came.send(sample);
        });
        link.subscribe_by(route, stream, NotifyMode::Notify, sink)
            .await
            .expect("it can be subscribed");
        ready
            .within(20, "reads and samples side by side", async {
                for next in 0..100 {
                    let sample = samples.recv().await.expect("the stream runs");
                    assert_eq!(sequence(&sample), next, "{route:?}: {sample:?}");
                    // The clock in bytes 4 to 11 runs since 1970; what is read is all zero.
                    assert_ne!(
                        sample.bytes[4..12],
                        [0; 8],
                        "{route:?}: sample {next} is an echo"
                    );
                    if next % 20 == 10 {
                        let value = link.read(stream).await.expect("the stream reads");
                        assert_eq!(value, [0; 20][..]);
                    }
                }
            })
            .await;
        link.unsubscribe(stream)
            .await
            .expect("the subscription ends");
        ready.close(link).await;
    }
}

/// The switch between the two ways, while the subscription runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_moves_from_one_way_to_the_other() {
    let ready = Ready::new(&Lab).await;
    let link = ready.connect(Lab.virtual_hr()).await;
    let stream = characteristic(&*link, STREAM);
    let mut last = None;
    for route in [
        NotifyRoute::Socket,
        NotifyRoute::Signals,
        NotifyRoute::Socket,
    ] {
        let (came, mut samples) = mpsc::unbounded_channel();
        let sink = Arc::new(move |sample: Sample| {
            let _ = came.send(sample);
        });
        link.subscribe_by(route, stream, NotifyMode::System, sink)
            .await
            .unwrap_or_else(|error| panic!("{route:?}: {error}"));
        let mut before: Option<u32> = None;
        for _ in 0..10 {
            let sample = ready.within(10, "a sample", samples.recv()).await;
            let now = sequence(&sample.unwrap_or_else(|| panic!("{route:?} is silent")));
            // The device counts anew when it is subscribed anew; until then it sends by the last way.
            assert!(
                before.is_none_or(|before| now == before + 1 || now == 0),
                "{route:?}: {before:?}, then {now}"
            );
            before = Some(now);
        }
        if let Some(mut last) = last.replace(samples) {
            // What came before the change is there; nothing after it.
            while last.try_recv().is_ok() {}
            tokio::time::sleep(ready.limit(1)).await;
            assert!(last.try_recv().is_err(), "two ways at once, now {route:?}");
        }
    }
    ready.close(link).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_dropped_ends() {
    let ready = Ready::new(&Lab).await;
    let link = ready.connect(Lab.virtual_hr()).await;
    let mut state = link.state();
    drop(link);
    let state = ready
        .within(
            5,
            "the end of a dropped link",
            state.wait_for(|state| matches!(state, LinkState::Down(_))),
        )
        .await
        .expect("the state outlives the end of the link")
        .clone();
    assert_eq!(state, LinkState::Down(DisconnectReason::Requested));
    // It advertises again, so it is not connected any more.
    ready.find(Lab.virtual_hr()).await;
}

/// As a program leaves behind that was killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_program_connected_is_told_and_shared() {
    let ready = Ready::new(&Lab).await;
    let device = ready.find(Lab.virtual_hr()).await;
    super::turn::bluetoothctl(&["connect", device.as_str()]).await;
    let there = vec![(device.clone(), Some("Virtual HR".to_owned()))];
    let told = async {
        while ready.radio.connected().await.expect("BlueZ tells") != there {
            tokio::time::sleep(ready.limit(1) / 20).await;
        }
    };
    ready.within(10, "the connection of another", told).await;
    let link = ready.connect_to(&device).await;
    let mut samples = subscribe(&*link, characteristic(&*link, STREAM)).await;
    let sample = ready.within(10, "a sample", samples.recv()).await;
    assert!(sample.is_some());
    ready.close(link).await;
    let ended = async {
        while ready.radio.connected().await != Ok(vec![]) {
            tokio::time::sleep(ready.limit(1) / 20).await;
        }
    };
    ready.within(10, "the end of the connection", ended).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_connected_by_a_typed_address_and_after_it_was_forgotten() {
    let ready = Ready::new(&Lab).await;
    let typed = DeviceId::from("f0:f1:f2:f3:f4:f5");
    for _ in 0..2 {
        ready.radio.forget(&typed).await.expect("BlueZ forgets");
        let link = ready.connect_to(&typed).await;
        assert_eq!(link.device().as_str(), "F0:F1:F2:F3:F4:F5");
        let mut samples = subscribe(&*link, characteristic(&*link, STREAM)).await;
        let sample = ready.within(10, "a sample", samples.recv()).await;
        assert!(sample.is_some());
        // Forgetting ends the link.
        ready.radio.forget(&typed).await.expect("BlueZ forgets");
        assert_eq!(ready.down(&*link).await, DisconnectReason::Requested);
    }
    let no_address = DeviceId::from("no address");
    let odd = ready.radio.connect(
        &no_address,
        ConnectOptions::default(),
        CancellationToken::new(),
    );
    let odd = ready
        .within(10, "the refusal", odd)
        .await
        .err()
        .expect("it is no address");
    assert!(matches!(odd, Error::UnknownDevice { .. }), "{odd:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passive_scan_hears_or_says_why_it_cannot() {
    let ready = Ready::new(&Lab).await;
    let (heard, mut reports) = mpsc::unbounded_channel();
    let sink = Arc::new(move |report: Advertisement| {
        let _ = heard.send(report);
    });
    let passive = ScanFilter {
        passive: true,
        ..ScanFilter::default()
    };
    let started = ready.radio.start_scan(passive, sink).await;
    if !ready.radio.caps().has(Cap::PassiveScan) {
        assert!(
            matches!(started, Err(Error::Unsupported { .. })),
            "{started:?}"
        );
        return println!("LEFT OUT: passive scan: {started:?}");
    }
    started.expect("the passive scan starts");
    let report = ready
        .within(20, "a report", reports.recv())
        .await
        .expect("the scan runs");
    println!("MEASURED a passive scan heard {} first", report.device);
    ready.radio.stop_scan().await.expect("the scan stops");
    while reports.try_recv().is_ok() {}
    tokio::time::sleep(ready.limit(1)).await;
    assert!(reports.try_recv().is_err(), "a report after stop_scan");
    // And an active one after it.
    ready.find(Lab.virtual_hr()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signal_strengths_keep_coming() {
    let ready = Ready::new(&Lab).await;
    let (heard, mut reports) = mpsc::unbounded_channel();
    let sink = Arc::new(move |report: Advertisement| {
        if report.rssi.is_some() && report.device.as_str() == "F0:F1:F2:F3:F4:F5" {
            let _ = heard.send(report.rssi);
        }
    });
    ready
        .radio
        .start_scan(ScanFilter::default(), sink)
        .await
        .expect("the scan starts");
    let mut all = Vec::new();
    let collecting = async {
        while all.len() < 20 {
            all.push(reports.recv().await.expect("the scan runs"));
        }
    };
    ready.within(10, "20 signal strengths", collecting).await;
    let small = all.windows(2).filter(|pair| match pair {
        [Some(one), Some(other)] => (one.0 - other.0).abs() < 8,
        _ => false,
    });
    assert!(small.count() > 10, "only great changes are told: {all:?}");
    ready.radio.stop_scan().await.expect("the scan stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn adapters_tell_of_their_changes() {
    let ready = Ready::new(&Lab).await;
    let backend = Bluez::new(Clock::monotonic());
    let mut changes = backend.changes().expect("BlueZ tells");
    let adapters = backend.adapters().await.expect("adapters are listed");
    assert!(
        adapters.iter().all(|adapter| adapter.address.is_some()),
        "{adapters:?}"
    );
    changes.borrow_and_update();
    ready.radio.set_power(false).await.expect("it switches off");
    ready
        .within(5, "the news", changes.changed())
        .await
        .expect("the backend lives");
    let adapters = backend.adapters().await.expect("adapters are listed");
    assert_eq!(adapters[0].state, radio::RadioState::Off);
    ready.radio.set_power(true).await.expect("it switches on");
}
