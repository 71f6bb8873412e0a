//! The contract suite on the radio `bluez`: real BlueZ, on the air of the lab in `tests/radio`. There is
//! one adapter, so one test runs at a time.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test says what it saw by panicking")]

#[path = "contract/air.rs"]
mod air;
#[path = "contract/suite.rs"]
mod contract;
#[path = "bluez/daemons.rs"]
mod daemons;
#[path = "bluez/faults.rs"]
mod faults;
#[path = "contract/lab.rs"]
mod lab;
#[path = "bluez/pairing.rs"]
mod pairing;
#[path = "bluez/radio.rs"]
mod radio_of_its_own;
#[path = "contract/turn.rs"]
mod turn;

use std::sync::Arc;

use async_trait::async_trait;
use radio::bluez::Bluez;
use radio::{Backend, Clock};

use contract::{Bench, Wanted, contract};
use lab::contract_in_lab;

struct Lab;

#[async_trait]
impl Bench for Lab {
    async fn backend(&self) -> Arc<dyn Backend> {
        turn::wait().await;
        Arc::new(Bluez::new(Clock::monotonic()))
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
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    Lab
);

contract_in_lab!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    Lab
);
