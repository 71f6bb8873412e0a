//! The hand in the lab: wakes, moves and changes peripherals.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what surrounds the tests says what it misses by panicking"
)]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A variable that the guest sets.
pub(crate) fn variable(name: &str) -> String {
    env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: this runs in the lab, tests/radio"))
}

/// Does what blocks on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .expect("it does not panic")
}

/// Tells the air something, and gives its answer.
pub(crate) async fn tell(words: &str) -> String {
    let line = format!("{words}\n");
    let answer = blocking(move || {
        let mut air = UnixStream::connect(variable("LAB_AIR")).expect("the air listens");
        air.set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a socket has a limit");
        air.write_all(line.as_bytes()).expect("the air hears");
        let mut answer = String::new();
        BufReader::new(air)
            .read_line(&mut answer)
            .expect("the air answers");
        answer.trim().to_owned()
    })
    .await;
    assert!(!answer.starts_with("error"), "{words}: {answer}");
    answer
}
