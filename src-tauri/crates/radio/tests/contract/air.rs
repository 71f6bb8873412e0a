//! The hand in the lab: wakes and moves peripherals, ends and starts what the radio stands on.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what surrounds the tests says what it misses by panicking"
)]

use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this runs in the lab, tests/radio"))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("it does not panic")
}

/// Tells the air something, and gives its answer.
pub(crate) async fn tell(words: &str) -> String {
    let line = format!("{words}\n");
    let answer = blocking(move || {
        let mut air = UnixStream::connect(variable("LAB_AIR")).expect("the air listens");
        air.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket has a limit");
        air.write_all(line.as_bytes()).expect("the air hears");
        let mut answer = String::new();
        BufReader::new(air).read_line(&mut answer).expect("the air answers");
        answer.trim().to_owned()
    })
    .await;
    assert!(!answer.starts_with("error"), "{words}: {answer}");
    answer
}

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
    let killed = blocking(|| Command::new("pkill").args(["-KILL", "-x", "bluetoothd"]).status());
    killed.await.expect("pkill is there");
}

/// Starts bluetoothd as the guest did.
pub(crate) async fn start_bluetoothd() {
    blocking(|| {
        let log = format!("{}/bluetoothd-again.log", variable("LAB_LOG"));
        let log = File::options().create(true).append(true).open(log).expect("a log can be written");
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
        Command::new(words.next().expect("a program")).args(words).status()
    })
    .await;
    assert!(started.expect("dbus-daemon is there").success());
}
