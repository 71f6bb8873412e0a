//! Adapters, scans, and what is heard.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use radio::{AdapterId, Advertisement, Cap, Error, ScanFilter, Support};

use super::{Bench, HEART_RATE, Ready};

pub(crate) async fn adapters_are_listed(bench: &impl Bench) {
    let backend = bench.backend().await;
    let adapters = backend.adapters().await.expect("adapters are listed");
    assert!(!adapters.is_empty(), "no adapter on this bench");
    for adapter in &adapters {
        assert!(
            !adapter.name.is_empty(),
            "an adapter without a name: {adapter:?}"
        );
        let radio = backend
            .open(&adapter.id)
            .await
            .unwrap_or_else(|error| panic!("{} does not open: {error}", adapter.id));
        assert_eq!(radio.adapter().id, adapter.id);
    }
    assert!(!backend.stack().is_empty());
}

pub(crate) async fn an_adapter_that_is_not_there_is_refused(bench: &impl Bench) {
    let backend = bench.backend().await;
    let opened = backend.open(&AdapterId::from("no such adapter")).await;
    let error = opened.err().expect("an adapter that is not there opened");
    assert!(matches!(error, Error::NoAdapter { .. }), "{error:?}");
}

pub(crate) async fn every_limit_of_the_radio_has_a_reason(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let caps = ready.radio.caps();
    let answered: Vec<Cap> = caps.iter().map(|(cap, _)| cap).collect();
    assert_eq!(answered, Cap::ALL);
    for (cap, support) in caps.iter() {
        if let Support::Partly(reason) | Support::No(reason) = support {
            assert!(reason.len() > 10, "{cap:?} has no reason: {reason:?}");
        }
    }
}

pub(crate) async fn a_scan_finds_a_device_with_what_it_advertises(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let (found, all) = ready
        .hear("Virtual HR with 180D and RSSI", |report| {
            bench.virtual_hr().matches(report)
                && report.services.contains(&HEART_RATE)
                && report.rssi.is_some()
        })
        .await;
    let rssi = found.rssi.map_or(0, |rssi| rssi.0);
    assert!((-127..=20).contains(&rssi), "RSSI {rssi} dBm");
    let caps = ready.radio.caps();
    if *caps.support(Cap::Address) == Support::Yes {
        assert!(found.address.is_some(), "no address: {found:?}");
    }
    if *caps.support(Cap::RawAdvertisement) == Support::Yes {
        assert!(found.raw.is_some(), "no raw bytes: {found:?}");
    }
    if *caps.support(Cap::Connectable) == Support::Yes {
        assert_eq!(found.connectable, Some(true), "{found:?}");
    }
    let times: Vec<_> = all.iter().map(|report| report.at).collect();
    assert!(times.is_sorted(), "reports went back in time: {times:?}");
}

pub(crate) async fn a_scan_for_a_service_hears_only_who_advertises_it(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    // What the radio knows already must not matter.
    ready.find(bench.difficult()).await;
    let heart_rate = HEART_RATE;
    let (heard, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let sink = Arc::new(move |report: Advertisement| {
        let _ = heard.send(report);
    });
    let filter = ScanFilter {
        services: vec![heart_rate],
        ..ScanFilter::default()
    };
    ready
        .radio
        .start_scan(filter, sink)
        .await
        .expect("the scan starts");
    tokio::time::sleep(ready.limit(2)).await;
    ready.radio.stop_scan().await.expect("the scan stops");
    let mut services = std::collections::BTreeMap::new();
    while let Ok(report) = reports.try_recv() {
        let known: &mut Vec<_> = services.entry(report.device).or_default();
        known.extend(report.services);
    }
    assert!(!services.is_empty(), "nobody was heard");
    for (device, services) in services {
        assert!(services.contains(&heart_rate), "{device}: {services:?}");
    }
}

pub(crate) async fn nothing_is_heard_after_the_scan_is_stopped(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let sink = Arc::new(move |_: Advertisement| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    ready
        .radio
        .start_scan(ScanFilter::default(), sink)
        .await
        .expect("the scan starts");
    ready
        .within(10, "the first report", async {
            while count.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(ready.limit(1) / 20).await;
            }
        })
        .await;
    ready.radio.stop_scan().await.expect("the scan stops");
    let heard = count.load(Ordering::SeqCst);
    tokio::time::sleep(ready.limit(1)).await;
    assert_eq!(
        count.load(Ordering::SeqCst),
        heard,
        "reports after stop_scan"
    );
    ready
        .radio
        .stop_scan()
        .await
        .expect("stopping what does not run is nothing");
}

pub(crate) async fn a_second_scan_takes_the_place_of_the_first(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let first = Arc::new(AtomicUsize::new(0));
    let counter = first.clone();
    ready
        .radio
        .start_scan(
            ScanFilter::default(),
            Arc::new(move |_: Advertisement| {
                counter.fetch_add(1, Ordering::SeqCst);
            }),
        )
        .await
        .expect("the first scan starts");
    let second = Arc::new(Mutex::new(Vec::new()));
    let seen = second.clone();
    ready
        .radio
        .start_scan(
            ScanFilter::default(),
            Arc::new(move |report: Advertisement| seen.lock().unwrap().push(report.device)),
        )
        .await
        .expect("the second scan starts");
    let before = first.load(Ordering::SeqCst);
    ready
        .within(10, "a report for the second sink", async {
            while second.lock().unwrap().is_empty() {
                tokio::time::sleep(ready.limit(1) / 20).await;
            }
        })
        .await;
    assert_eq!(
        first.load(Ordering::SeqCst),
        before,
        "the first sink still heard something"
    );
    ready.radio.stop_scan().await.expect("the scan stops");
}

pub(crate) async fn a_hostile_name_arrives_as_it_was_sent(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let (found, _) = ready
        .hear("Difficult", |report| bench.difficult().matches(report))
        .await;
    let name = found.local_name.expect("it was found by its name");
    for (what, is_it) in [
        ("a right-to-left override", name.contains('\u{202e}')),
        ("markup", name.contains('<')),
        ("an escape character", name.contains('\x1b')),
    ] {
        assert!(is_it, "{what} was lost from the name: {name:?}");
    }
    let link = ready.connect_to(&found.device).await;
    ready.close(link).await;
}
