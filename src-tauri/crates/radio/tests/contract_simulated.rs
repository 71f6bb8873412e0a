//! The contract suite on the simulated radio, where no time passes.

#[path = "contract/suite.rs"]
mod contract;

use std::sync::Arc;

use async_trait::async_trait;
use radio::simulated::{Lab, Simulated};
use radio::{Backend, Clock};

use contract::{Bench, Wanted, contract};

struct Simulation;

#[async_trait]
impl Bench for Simulation {
    async fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(Simulated::with_lab(Clock::tokio(), 2, Lab::contract()))
    }

    fn difficult(&self) -> Wanted {
        Wanted::Named("=1+1;Difficult")
    }

    fn unreachable(&self) -> Wanted {
        Wanted::Identified("f9:00:13:13:13:66")
    }

    fn tells_att_codes(&self) -> bool {
        true
    }

    fn writes_long_values(&self) -> bool {
        true
    }

    fn patience(&self) -> u32 {
        1
    }
}

contract!(
    #[tokio::test(start_paused = true)]
    Simulation
);
