//! What only the lab's air can show: peripherals that sleep until they are woken, and that change while
//! somebody looks. A radio that cannot do a thing says so by its `Caps`, and the test says loudly that
//! it left it out.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it saw by panicking"
)]

use std::sync::Arc;

use radio::{
    AttrKind, Cap, ConnectOptions, Error, LinkState, NotifyMode, NotifyRoute, Radio, Sample,
    ScanFilter, Support,
};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::air;
use crate::contract::{Bench, Ready, Wanted, characteristic, difficult, sequence, subscribe};

const RESTLESS: &str = "F0:F1:F2:F3:F4:C1";
/// Sends 0, 1 and 2 before it confirms the subscription, and nothing after.
const EAGER: Uuid = difficult(0x0401);
/// A u32 counter, five a second.
const STEADY: Uuid = difficult(0x0402);
/// Reads `new`, when it is there.
const NEW: Uuid = difficult(0x0501);
/// Reads as the number of the one in the crowd.
const NUMBER: Uuid = difficult(0x0700);
/// Counts twice a second.
const COUNTER: Uuid = difficult(0x0033);

/// Says that this radio is not asked for something, and why.
fn left_out(what: &str, why: &str) {
    println!("LEFT OUT: {what}: {why}");
}

fn reason(radio: &dyn Radio, cap: Cap) -> String {
    match radio.caps().support(cap) {
        Support::No(reason) | Support::Partly(reason) => (*reason).to_owned(),
        Support::Yes => String::new(),
    }
}

async fn wake(address: &str) {
    air::tell(&format!("wake {address}")).await;
}

async fn sleep(address: &str) {
    air::tell(&format!("sleep {address}")).await;
}

pub(crate) async fn a_device_that_stops_advertising_after_it_was_found_is_not_waited_for_for_ever(
    bench: &impl Bench,
) {
    let ready = Ready::new(bench).await;
    wake(RESTLESS).await;
    let device = ready.find(Wanted::Identified(RESTLESS)).await;
    sleep(RESTLESS).await;
    let timeout = ready.limit(2);
    let since = Instant::now();
    let connecting = ready.radio.connect(
        &device,
        ConnectOptions { timeout },
        CancellationToken::new(),
    );
    let error = ready
        .within(6, "the end of the attempt", connecting)
        .await
        .err();
    let error = error.expect("it does not answer any more");
    assert!(
        matches!(
            error,
            Error::TimedOut { .. } | Error::UnknownDevice { .. } | Error::Os { .. }
        ),
        "{error:?}"
    );
    println!(
        "MEASURED a silent device: \"{error}\" after {:.2} s",
        since.elapsed().as_secs_f32()
    );
    wake(RESTLESS).await;
    ready.find(Wanted::Identified(RESTLESS)).await;
    let link = ready.connect_to(&device).await;
    ready.close(link).await;
    sleep(RESTLESS).await;
}

pub(crate) async fn ten_devices_are_connected_and_stream_at_once(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let crowd: Vec<String> = (0..10).map(|n| format!("F0:F1:F2:F3:F4:7{n}")).collect();
    for address in &crowd {
        wake(address).await;
    }
    let heard = Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
    let hears = heard.clone();
    let sink = Arc::new(move |report: radio::Advertisement| {
        hears.lock().expect("nobody panics").insert(report.device);
    });
    ready
        .radio
        .start_scan(ScanFilter::default(), sink)
        .await
        .expect("the scan starts");
    let all = || {
        let heard = heard.lock().expect("nobody panics");
        crowd
            .iter()
            .all(|address| heard.contains(&address.as_str().into()))
    };
    let hearing = async {
        while !all() {
            tokio::time::sleep(ready.limit(1) / 20).await;
        }
    };
    ready.within(10, "ten devices", hearing).await;
    ready.radio.stop_scan().await.expect("the scan stops");

    let since = Instant::now();
    let connecting = crowd.iter().map(|address| {
        let (device, options) = (
            address.as_str().into(),
            ConnectOptions {
                timeout: ready.limit(30),
            },
        );
        let radio = ready.radio.clone();
        tokio::spawn(async move {
            radio
                .connect(&device, options, CancellationToken::new())
                .await
        })
    });
    let connecting: Vec<_> = connecting.collect();
    let mut links = Vec::new();
    for connecting in connecting {
        let link = connecting.await.expect("connecting does not panic");
        links.push(link.unwrap_or_else(|error| panic!("one of ten does not connect: {error}")));
    }
    let took = since.elapsed();
    let mut streams = Vec::new();
    for (n, link) in (0u8..).zip(&links) {
        let number = link.read(characteristic(&**link, NUMBER)).await;
        assert_eq!(number.expect("its number reads"), [n][..]);
        let counter = characteristic(&**link, COUNTER);
        streams.push((counter, subscribe(&**link, counter).await));
    }
    for (counter, stream) in &mut streams {
        for expected in 0..5 {
            let sample = ready
                .within(10, "a sample of one in ten", stream.recv())
                .await;
            let sample = sample.expect("the stream runs");
            assert_eq!((sample.attribute, sequence(&sample)), (*counter, expected));
        }
    }
    assert!(
        links
            .iter()
            .all(|link| *link.state().borrow() == LinkState::Up)
    );
    println!(
        "MEASURED ten devices: connected one after the other within {:.2} s",
        took.as_secs_f32()
    );
    for link in links {
        ready.close(link).await;
    }
    for address in &crowd {
        sleep(address).await;
    }
}

pub(crate) async fn values_before_the_confirmation_arrive_by_signals(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    if !ready.radio.caps().has(Cap::NotifyRoute) {
        return left_out(
            "values before the confirmation",
            &reason(&*ready.radio, Cap::NotifyRoute),
        );
    }
    wake(RESTLESS).await;
    let link = ready.connect(Wanted::Identified(RESTLESS)).await;
    let eager = characteristic(&*link, EAGER);
    let (came, mut samples) = mpsc::unbounded_channel();
    let sink = Arc::new(move |sample: Sample| {
        // The test may have seen enough.
        let _ = came.send(sample.bytes);
    });
    link.subscribe_by(NotifyRoute::Signals, eager, NotifyMode::System, sink)
        .await
        .expect("it can be subscribed by signals");
    for expected in 0..3u8 {
        let value = ready.within(5, "an early value", samples.recv()).await;
        assert_eq!(value.expect("the stream runs"), [expected][..]);
    }
    link.unsubscribe(eager)
        .await
        .expect("the subscription ends");
    ready.close(link).await;
    sleep(RESTLESS).await;
}

pub(crate) async fn services_that_change_are_found_again_and_streams_go_on(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    wake(RESTLESS).await;
    let link = ready.connect(Wanted::Identified(RESTLESS)).await;
    let Some(mut changes) = link.gatt_live() else {
        ready.close(link).await;
        sleep(RESTLESS).await;
        return left_out(
            "services that change",
            "this radio discovers once for each link",
        );
    };
    let before = link.gatt();
    assert_eq!(
        before.characteristic(NEW).err().map(|error| error.code()),
        Some("not_found")
    );
    let stale = characteristic(&*link, STEADY);
    let mut samples = subscribe(&*link, stale).await;
    let first = ready
        .within(10, "a sample", samples.recv())
        .await
        .expect("the stream runs");
    assert_eq!(sequence(&first), 0);
    let mut next = 1;

    for (how, there) in [("more", true), ("less", false), ("more", true)] {
        let since = Instant::now();
        air::tell(&format!("services {how}")).await;
        let changed = changes.wait_for(|gatt| gatt.characteristic(NEW).is_ok() == there);
        let gatt = ready
            .within(10, how, changed)
            .await
            .expect("the link lives")
            .clone();
        println!(
            "MEASURED services changed ({how}): told after {:.2} s",
            since.elapsed().as_secs_f32()
        );
        assert_eq!(link.gatt().generation(), gatt.generation());
        assert_ne!(gatt.generation(), before.generation());
        if there {
            let value = link.read(characteristic(&*link, NEW)).await;
            assert_eq!(value.expect("the new value reads"), b"new"[..]);
        }
        // What stayed goes on under its new name, and nothing is missing.
        let steady = characteristic(&*link, STEADY);
        loop {
            let sample = ready
                .within(10, "a sample", samples.recv())
                .await
                .expect("the stream runs");
            assert_eq!(sequence(&sample), next, "after {how}");
            next += 1;
            if sample.attribute == steady {
                break;
            }
        }
        let refused = link.read(stale).await;
        assert_eq!(refused, Err(Error::StaleAttribute { attribute: stale }));
    }
    assert!(
        link.gatt()
            .attributes()
            .iter()
            .any(|found| found.kind == AttrKind::Service)
    );
    air::tell("services less").await;
    ready.close(link).await;
    sleep(RESTLESS).await;
}

pub(crate) async fn a_name_of_248_bytes_arrives_as_the_system_gives_it(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    wake(RESTLESS).await;
    // The advertisement has a short name; the whole one is read when somebody connects.
    let link = ready.connect(Wanted::Named("Restless")).await;
    ready.close(link).await;
    let (found, _) = ready
        .hear("a long name", |report| {
            let name = report.local_name.as_deref().unwrap_or_default();
            report.device.as_str() == RESTLESS && name.starts_with("Restless")
        })
        .await;
    let name = found.local_name.expect("it was found by its name");
    println!(
        "MEASURED the name of 248 bytes: {} bytes were given",
        name.len()
    );
    assert!(name.len() <= 248, "{} bytes", name.len());
    if name.len() > 8 {
        assert!(name.contains('\u{202e}') && name.contains('<'), "{name:?}");
    }
    sleep(RESTLESS).await;
}

/// Makes a test of each: `contract_in_lab!(#[tokio::test] MyBench);`
macro_rules! contract_in_lab {
    (#[$test:meta] $bench:expr) => {
        contract_in_lab! { @each [#[$test]] [$bench]
            a_device_that_stops_advertising_after_it_was_found_is_not_waited_for_for_ever
            ten_devices_are_connected_and_stream_at_once
            values_before_the_confirmation_arrive_by_signals
            services_that_change_are_found_again_and_streams_go_on
            a_name_of_248_bytes_arrives_as_the_system_gives_it
        }
    };
    (@each [$test:tt $attribute:tt] [$bench:expr] $($name:ident)*) => {
        $(contract_in_lab! { @one [$test $attribute] [$bench] $name })*
    };
    (@one [$test:tt $attribute:tt] [$bench:expr] $name:ident) => {
        $test $attribute
        async fn $name() {
            lab::$name(&$bench).await;
        }
    };
}
pub(crate) use contract_in_lab;
