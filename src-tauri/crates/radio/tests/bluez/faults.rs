//! Trouble: what the radio says, and how long it takes until all works again without a restart of this
//! program. Times are printed.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use radio::{
    Advertisement, ConnectOptions, DisconnectReason, Error, Link, RadioState, ScanFilter, WriteKind,
};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Lab;
use super::air;
use super::contract::{
    BATTERY_LEVEL, Bench as _, LONG_VALUE, Ready, STREAM, Wanted, characteristic, subscribe,
};
use super::daemons;

const VIRTUAL_HR: &str = "F0:F1:F2:F3:F4:F5";
const DIFFICULT: &str = "F0:F1:F2:F3:F4:D1";

async fn wait_for(ready: &Ready, what: &str, wanted: RadioState) -> Duration {
    let since = Instant::now();
    let mut state = ready.radio.state();
    ready
        .within(20, what, state.wait_for(|state| *state == wanted))
        .await
        .expect("the state outlives the radio");
    since.elapsed()
}

/// Breaks something while a link streams and a scan runs, and mends it; all comes back by itself.
async fn survives<B, M>(what: &str, gone: RadioState, broken: impl FnOnce(Ready) -> B, mended: M)
where
    B: Future<Output = Ready>,
    M: Future<Output = ()>,
{
    let ready = Ready::new(&Lab).await;
    let link = ready.connect(Lab.virtual_hr()).await;
    let mut samples = subscribe(&*link, characteristic(&*link, STREAM)).await;
    let sample = ready.within(10, "the first sample", samples.recv()).await;
    assert!(sample.is_some(), "the stream does not run");
    let battery = characteristic(&*link, BATTERY_LEVEL);
    let (heard, mut reports) = mpsc::unbounded_channel();
    let sink = Arc::new(move |report: Advertisement| {
        // The test may have seen enough.
        let _ = heard.send(report);
    });
    ready
        .radio
        .start_scan(ScanFilter::default(), sink)
        .await
        .expect("the scan starts");
    let report = ready.within(20, "the first report", reports.recv()).await;
    assert!(report.is_some(), "the scan does not run");

    let since = Instant::now();
    let ready = broken(ready).await;
    let told_after = wait_for(&ready, what, gone).await;
    let down = ready.down(&*link).await;
    assert_eq!(down, DisconnectReason::AdapterLost, "{what}");
    let noticed = since.elapsed();
    assert_eq!(link.read(battery).await, Err(Error::NotConnected));
    // No call hangs, and each says what is missing.
    let device = link.device().clone();
    let connecting =
        ready
            .radio
            .connect(&device, ConnectOptions::default(), CancellationToken::new());
    let refused = ready.within(5, "the refusal", connecting).await.err();
    let refused = refused.expect("nothing is there to connect with");
    assert!(
        matches!(
            refused,
            Error::NoAdapter { .. } | Error::PoweredOff | Error::NoService { .. }
        ),
        "{what}: {refused:?}"
    );
    while reports.try_recv().is_ok() {}

    mended.await;
    let since = Instant::now();
    wait_for(&ready, "the adapter's return", RadioState::On).await;
    let on = since.elapsed();
    let report = ready
        .within(30, "a report of the scan that ran before", reports.recv())
        .await;
    assert!(report.is_some(), "{what}: the scan did not come back");
    let scanning = since.elapsed();
    ready.radio.stop_scan().await.expect("the scan stops");
    let link = ready.connect(Lab.virtual_hr()).await;
    let mut samples = subscribe(&*link, characteristic(&*link, STREAM)).await;
    let sample = ready
        .within(10, "a sample of the new link", samples.recv())
        .await;
    assert!(sample.is_some(), "{what}: no stream after it");
    println!(
        "MEASURED {what}: told after {:.2} s ({gone:?}, {:.2} s for link and state, says: {refused}); once mended, adapter on \
         after {:.2} s, scan hears after {:.2} s, streaming after {:.2} s",
        told_after.as_secs_f32(),
        noticed.as_secs_f32(),
        on.as_secs_f32(),
        scanning.as_secs_f32(),
        since.elapsed().as_secs_f32()
    );
    ready.close(link).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bluetoothd_may_be_killed_and_started_again() {
    let kill = |ready| async move {
        daemons::kill_bluetoothd().await;
        ready
    };
    let mend = daemons::start_bluetoothd();
    survives("bluetoothd killed", RadioState::Gone, kill, mend).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_message_bus_may_be_lost_and_come_back() {
    let kill = |ready| async move {
        daemons::kill_bus().await;
        ready
    };
    let mend = async {
        // Without a bus it ends by itself, sooner or later.
        daemons::kill_bluetoothd_if_there().await;
        daemons::start_bus().await;
        daemons::start_bluetoothd().await;
    };
    survives("message bus killed", RadioState::Gone, kill, mend).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_adapter_may_be_unplugged_and_plugged_in_again() {
    let unplug = |ready| async move {
        air::tell("unplug").await;
        ready
    };
    let plug = async {
        air::tell("plug").await;
        // A desktop would switch it on, or BlueZ with AutoEnable.
        super::turn::bluetoothctl(&["power", "on"]).await;
    };
    survives("adapter unplugged", RadioState::Gone, unplug, plug).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_adapter_may_be_switched_off_and_on() {
    let off = |ready: Ready| async move {
        ready.radio.set_power(false).await.expect("it switches off");
        ready
    };
    let on = async {
        // By somebody else, so that the news is what is tested.
        super::turn::bluetoothctl(&["power", "on"]).await;
    };
    survives("adapter switched off", RadioState::Off, off, on).await;
    let ready = Ready::new(&Lab).await;
    for on in [false, true] {
        ready.radio.set_power(on).await.expect("it switches");
        let wanted = if on { RadioState::On } else { RadioState::Off };
        assert_eq!(*ready.radio.state().borrow(), wanted);
    }
    ready.find(Lab.virtual_hr()).await;
}

/// Leaves while `call` is under way, and comes back.
async fn leaves_in_the_middle<T, F>(
    what: &str,
    wanted: Wanted,
    address: &str,
    call: impl FnOnce(Arc<dyn Link>) -> F,
) where
    T: Send + std::fmt::Debug + 'static,
    F: Future<Output = radio::Result<T>> + Send + 'static,
{
    let ready = Ready::new(&Lab).await;
    let link = ready.connect(wanted).await;
    let device = link.device().clone();
    air::tell(&format!("away {address}")).await;
    let since = Instant::now();
    let call = tokio::spawn(call(link.clone()));
    let reason = ready.down(&*link).await;
    assert!(
        matches!(reason, DisconnectReason::Remote(_)),
        "{what}: {reason:?}"
    );
    let ended = since.elapsed();
    let result = ready
        .within(5, what, call)
        .await
        .expect("the call does not panic");
    let answered = since.elapsed();
    let error = result.expect_err(what);
    assert_eq!(error, Error::NotConnected, "{what}");
    air::tell(&format!("back {address}")).await;
    let since = Instant::now();
    let link = ready.connect_to(&device).await;
    println!(
        "MEASURED {what}: the link's end told after {:.2} s ({reason:?}), the call ended after {:.2} s \
         with \"{error}\"; back in range, connected after {:.2} s",
        ended.as_secs_f32(),
        answered.as_secs_f32(),
        since.elapsed().as_secs_f32()
    );
    ready.close(link).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_may_leave_in_the_middle_of_a_read() {
    let wanted = Lab.virtual_hr();
    leaves_in_the_middle(
        "out of range in a read",
        wanted,
        VIRTUAL_HR,
        |link| async move {
            let battery = characteristic(&*link, BATTERY_LEVEL);
            loop {
                // One may still have been answered.
                link.read(battery).await?;
            }
            #[expect(unreachable_code, reason = "it says what the loop would give")]
            Ok(())
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_may_leave_in_the_middle_of_a_long_write() {
    let wanted = Lab.difficult();
    leaves_in_the_middle(
        "out of range in a long write",
        wanted,
        DIFFICULT,
        |link| async move {
            let long = characteristic(&*link, LONG_VALUE);
            let value = Bytes::from(vec![0x5A; 512]);
            link.write(long, value, WriteKind::WithResponse).await
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_may_leave_while_its_services_are_discovered() {
    let ready = Ready::new(&Lab).await;
    let device = ready.find(Lab.difficult()).await;
    ready.radio.forget(&device).await.expect("BlueZ forgets");
    ready.find(Lab.difficult()).await;
    // Before it has told all its services.
    air::tell(&format!("flee {DIFFICULT}")).await;
    let since = Instant::now();
    let options = ConnectOptions {
        timeout: Duration::from_secs(20),
    };
    let connecting = ready
        .radio
        .connect(&device, options, CancellationToken::new());
    let result = ready.within(10, "the end of the attempt", connecting).await;
    let told = result
        .err()
        .expect("it fled before its services were known");
    assert!(
        matches!(
            told,
            Error::NotConnected | Error::TimedOut { .. } | Error::Os { .. }
        ),
        "{told:?}"
    );
    air::tell(&format!("back {DIFFICULT}")).await;
    println!(
        "MEASURED out of range in discovery: ended after {:.2} s with \"{told}\"",
        since.elapsed().as_secs_f32()
    );
    ready.find(Lab.difficult()).await;
    let link = ready.connect_to(&device).await;
    ready.close(link).await;
}
