//! The contract suite on the system's own Bluetooth: real BlueZ, on the air of the lab in
//! `tests/radio`. There is one adapter, so one test runs at a time.

#[path = "contract/suite.rs"]
mod contract;

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::btleplug::api::{Central as _, Manager as _, Peripheral as _};
use ::btleplug::platform::Manager;
use async_trait::async_trait;
use radio::btleplug::Btleplug;
use radio::{Backend, Clock};

use contract::{Bench, Wanted, contract};

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
