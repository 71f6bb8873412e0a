//! Ends and starts what the radio stands on: bluetoothd and the message bus.

use std::fs::File;
use std::process::{Command, Stdio};

use super::air::{blocking, variable};

/// Kills every process of this name.
async fn kill(name: &'static str) {
    let killed = blocking(move || Command::new("pkill").args(["-KILL", "-x", name]).status()).await;
    assert!(killed.expect("pkill is there").success(), "no {name} ran");
}

/// Kills bluetoothd, as a crash would.
pub(crate) async fn kill_bluetoothd() {
    kill("bluetoothd").await;
}

/// Kills bluetoothd, unless it ended by itself.
pub(crate) async fn kill_bluetoothd_if_there() {
    let killed = blocking(|| {
        Command::new("pkill")
            .args(["-KILL", "-x", "bluetoothd"])
            .status()
    });
    killed.await.expect("pkill is there");
}

/// Starts bluetoothd as the guest did.
pub(crate) async fn start_bluetoothd() {
    blocking(|| {
        let log = File::options()
            .create(true)
            .append(true)
            .open("/run/bluetoothd.log")
            .expect("a log can be written");
        let command = variable("LAB_BLUETOOTHD");
        let mut words = command.split_whitespace();
        let mut daemon = Command::new(words.next().expect("a program"))
            .args(words)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file has two handles"))
            .stderr(log)
            .spawn()
            .expect("bluetoothd starts");
        std::thread::spawn(move || daemon.wait());
    })
    .await;
}

/// Kills the message bus; whoever is on it ends or is alone.
pub(crate) async fn kill_bus() {
    kill("dbus-daemon").await;
}

/// Starts the message bus as the guest did.
pub(crate) async fn start_bus() {
    let started = blocking(|| {
        // It takes over no socket that is there.
        let _ = std::fs::remove_file("/run/dbus/system_bus_socket");
        let command = variable("LAB_BUS");
        let mut words = command.split_whitespace();
        Command::new(words.next().expect("a program"))
            .args(words)
            .status()
    })
    .await;
    assert!(started.expect("dbus-daemon is there").success());
}
