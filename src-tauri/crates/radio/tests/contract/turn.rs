//! One test at a time on the one adapter of the lab, with nothing left of the test before.

#![expect(
    clippy::expect_used,
    reason = "what surrounds the tests says what it misses by panicking"
)]

use std::cell::RefCell;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static ADAPTER: Mutex<()> = Mutex::new(());

thread_local! {
    /// Held until the test's thread ends.
    static TURN: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// Waits until this test has the adapter for itself, and ends the links that a failed test left up.
pub(crate) async fn wait() {
    TURN.with_borrow_mut(|turn| {
        turn.get_or_insert_with(|| ADAPTER.lock().unwrap_or_else(PoisonError::into_inner));
    });
    for line in bluetoothctl(&["devices", "Connected"]).await.lines() {
        if let Some(address) = line.split_whitespace().nth(1) {
            bluetoothctl(&["disconnect", address]).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// What BlueZ's own program prints.
pub(crate) async fn bluetoothctl(words: &[&str]) -> String {
    let mut command = Command::new("timeout");
    command.args(["20", "bluetoothctl"]).args(words);
    let done = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("it does not panic");
    let done = done.expect("bluetoothctl is there");
    String::from_utf8_lossy(&done.stdout).into_owned()
}
