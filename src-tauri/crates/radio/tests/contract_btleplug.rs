//! The contract suite on the system's own Bluetooth: real BlueZ, on the air of the lab in
//! `tests/radio`. There is one adapter, so one test runs at a time.

#![expect(
    clippy::expect_used,
    reason = "what surrounds the tests says what it misses by panicking"
)]

#[path = "contract/air.rs"]
mod air;
#[path = "contract/suite.rs"]
mod contract;
#[path = "contract/lab.rs"]
mod lab;

use std::cell::RefCell;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::btleplug::api::{Central as _, Manager as _, Peripheral as _};
use ::btleplug::platform::Manager;
use async_trait::async_trait;
use radio::btleplug::Btleplug;
use radio::{
    Advertisement, Backend, Clock, DisconnectReason, Error, LinkState, RadioState, ScanFilter,
};
use tokio::sync::mpsc;

use lab::contract_in_lab;

use contract::{Bench, Ready, STREAM, Wanted, characteristic, contract, sequence, subscribe};

static ADAPTER: Mutex<()> = Mutex::new(());

thread_local! {
    /// Held until the test's thread ends.
    static TURN: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// Waits until this test has the adapter for itself.
fn wait_for_turn() {
    TURN.with_borrow_mut(|turn| {
        // A test that failed left nothing that `hang_up` does not tidy.
        turn.get_or_insert_with(|| ADAPTER.lock().unwrap_or_else(PoisonError::into_inner));
    });
}

/// Ends the links that a test left up by failing.
async fn hang_up() {
    let manager = Manager::new().await.expect("the system bus is there");
    for adapter in manager.adapters().await.expect("BlueZ is there") {
        for peripheral in adapter.peripherals().await.expect("devices are listed") {
            while peripheral.is_connected().await.unwrap_or(false) {
                peripheral.disconnect().await.expect("a link ends");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

struct Lab;

#[async_trait]
impl Bench for Lab {
    async fn backend(&self) -> Arc<dyn Backend> {
        wait_for_turn();
        hang_up().await;
        Arc::new(Btleplug::new(Clock::monotonic()))
    }

    fn difficult(&self) -> Wanted {
        Wanted::Named("Difficult")
    }

    /// The beacon, which cannot be connected to.
    fn unreachable(&self) -> Wanted {
        Wanted::Identified("F0:F1:F2:F3:F4:1B")
    }

    fn tells_att_codes(&self) -> bool {
        true
    }

    fn writes_long_values(&self) -> bool {
        true
    }

    fn patience(&self) -> u32 {
        3
    }
}

contract!(
    #[tokio::test]
    Lab
);

contract_in_lab!(
    #[tokio::test]
    Lab
);

/// BlueZ tells of its own reads as it tells of notifications.
#[tokio::test]
async fn what_is_read_is_not_taken_for_a_notification() {
    let ready = Ready::new(&Lab).await;
    let link = ready.connect(Lab.virtual_hr()).await;
    let stream = characteristic(&*link, STREAM);
    let mut samples = subscribe(&*link, stream).await;
    ready
        .within(10, "reads and samples side by side", async {
            for next in 0..100 {
                let sample = samples.recv().await.expect("the stream runs");
                assert_eq!(sequence(&sample), next, "{sample:?}");
                // The clock in bytes 4 to 11 has been running since 1970; what is read is all zero.
                assert_ne!(sample.bytes[4..12], [0; 8], "sample {next} is an echo");
                if next % 20 == 10 {
                    let value = link.read(stream).await.expect("the stream reads");
                    assert_eq!(value, [0; 20][..]);
                }
            }
        })
        .await;
    ready.close(link).await;
}

#[tokio::test]
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

async fn bluetoothctl(words: [&'static str; 2]) {
    let run = move || Command::new("bluetoothctl").args(words).output();
    let done = tokio::task::spawn_blocking(run)
        .await
        .expect("it does not panic");
    let done = done.expect("bluetoothctl is there");
    assert!(done.status.success(), "{words:?}: {done:?}");
}

#[tokio::test]
async fn an_adapter_that_goes_off_takes_its_links_along_and_a_scan_comes_back_with_it() {
    let ready = Ready::new(&Lab).await;
    let link = ready.connect(Lab.virtual_hr()).await;
    let (heard, mut reports) = mpsc::unbounded_channel();
    let sink = Arc::new(move |report: Advertisement| {
        // The test may have seen enough.
        let _ = heard.send(report);
    });
    let radio = &ready.radio;
    radio
        .start_scan(ScanFilter::default(), sink)
        .await
        .expect("the scan starts");

    bluetoothctl(["power", "off"]).await;
    assert_eq!(ready.down(&*link).await, DisconnectReason::AdapterLost);
    let mut state = radio.state();
    ready
        .within(5, "off", state.wait_for(|state| *state == RadioState::Off))
        .await
        .expect("the state outlives the radio");
    let nobody = Arc::new(|_: Advertisement| {});
    let refused = radio.start_scan(ScanFilter::default(), nobody).await;
    assert_eq!(refused, Err(Error::PoweredOff), "the first scan lives on");
    while reports.try_recv().is_ok() {}

    bluetoothctl(["power", "on"]).await;
    ready
        .within(5, "on", state.wait_for(|state| *state == RadioState::On))
        .await
        .expect("the state outlives the radio");
    ready
        .within(20, "a report after the power came back", reports.recv())
        .await
        .expect("the scan runs");
    radio.stop_scan().await.expect("the scan stops");
    let link = ready.connect(Lab.virtual_hr()).await;
    ready.close(link).await;
}
