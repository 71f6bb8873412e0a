//! A session of the real BlueZ of the lab, exported as a capture, beside what the lab's own controller wrote down of the
//! same time: Wireshark must see the same operations in both. `cargo xtask test lab` runs the first test in the guest and
//! the one that compares beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "../../session/tests/wireshark/dissect.rs"]
mod dissect;
#[path = "../../radio/tests/contract/turn.rs"]
mod turn;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use explorer::view::{AttributeView, ExportRequest, WriteInput};
use explorer::{Config, Explorer, Preferences};
use radio::bluez::Bluez;
use radio::{Clock, DeviceId};

const VIRTUAL_HR: &str = "F0:F1:F2:F3:F4:F5";
const DIFFICULT: &str = "F0:F1:F2:F3:F4:D1";

/// Where the lab writes; the controller's own record is there, too.
fn log() -> PathBuf {
    PathBuf::from(
        std::env::var_os("LAB_LOG").expect("LAB_LOG is set: this belongs to the lab, tests/radio"),
    )
}

fn heart(last: &str) -> String {
    format!("12345678-1234-5678-1234-56789abcde{last}")
}

fn vendor(last: &str) -> String {
    format!("d1ff1c00-7e57-4000-8000-00000000{last}")
}

fn assigned(short: &str) -> String {
    format!("0000{short}-0000-1000-8000-00805f9b34fb")
}

/// Every attribute below `tree` that is no service.
fn below(tree: Vec<AttributeView>) -> Vec<AttributeView> {
    let flat = |one: AttributeView| {
        let mut children = below(one.children.clone());
        children.insert(0, one);
        children
    };
    tree.into_iter().flat_map(flat).collect()
}

struct Bench {
    explorer: Explorer,
    device: DeviceId,
}

impl Bench {
    fn all(&self, uuid: &str) -> Vec<u64> {
        let attributes = below(self.explorer.tree(&self.device).unwrap()).into_iter();
        let found: Vec<_> = attributes
            .filter(|attribute| attribute.uuid.uuid == uuid)
            .map(|attribute| attribute.id)
            .collect();
        assert!(!found.is_empty(), "{} has no {uuid}", self.device);
        found
    }

    async fn read(&self, uuid: &str) {
        for id in self.all(uuid) {
            // What is refused is recorded, too.
            let _ = self.explorer.read(id).await;
        }
    }

    async fn write(&self, uuid: &str, hex: &str, answered: bool) {
        let input = WriteInput {
            kind: "hex".into(),
            text: hex.into(),
        };
        let id = self.all(uuid)[0];
        let _ = self.explorer.write(id, input, answered).await;
    }

    async fn listen(&self, uuid: &str, how_long: Duration) {
        let id = self.all(uuid)[0];
        self.explorer.subscribe(id).await.expect("it subscribes");
        tokio::time::sleep(how_long).await;
        self.explorer.unsubscribe(id).await.expect("it ends");
        // What was on its way is on the air in both before anything else is.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    async fn visit(explorer: &Explorer, address: &str, what: impl AsyncFnOnce(&Self)) {
        explorer
            .connect_to(address.into())
            .await
            .unwrap_or_else(|problem| panic!("{address}: {problem}"));
        let device = DeviceId::from(address);
        let explorer = explorer.clone();
        let bench = Self { explorer, device };
        // What BlueZ itself reads of a new device is over.
        tokio::time::sleep(Duration::from_secs(3)).await;
        what(&bench).await;
        let device = bench.device.clone();
        bench.explorer.disconnect(device).await.expect("it ends");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_two_devices_is_left_as_a_capture() {
    turn::wait().await;
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::monotonic();
    let config = Config {
        backends: vec![Arc::new(Bluez::new(clock.clone()))],
        session_folder: folder.path().into(),
        log_folder: folder.path().into(),
        preferences: Preferences {
            connect_timeout_s: 60,
            ..Preferences::default()
        },
        clock,
    };
    let explorer = Explorer::start(config, tokio::runtime::Handle::current());
    explorer.look_again().await.expect("there is an adapter");
    explorer.start_scan().await.expect("it scans");
    Bench::visit(&explorer, VIRTUAL_HR, async |bench| {
        bench.read(&assigned("2a19")).await;
        bench.read(&heart("f2")).await;
        bench.write(&heart("f2"), "01 02 03 FF", true).await;
        bench.write(&heart("f2"), "C0 FF EE", false).await;
        bench.read(&heart("f2")).await;
        bench.write(&heart("f3"), "02", true).await;
        bench
            .listen(&assigned("2a37"), Duration::from_secs(4))
            .await;
        bench.listen(&heart("f1"), Duration::from_secs(2)).await;
    })
    .await;
    Bench::visit(&explorer, DIFFICULT, async |bench| {
        for last in ["00d1", "0512", "0080", "0008", "000e", "0000"] {
            bench.read(&vendor(last)).await;
        }
        bench.write(&vendor("00d1"), "68 69", true).await;
        bench.write(&vendor("00d1"), &"77".repeat(21), true).await;
        bench.write(&vendor("0512"), &"5A".repeat(512), true).await;
        bench.read(&vendor("0512")).await;
        bench.listen(&vendor("0033"), Duration::from_secs(2)).await;
    })
    .await;
    let request = ExportRequest {
        format: "pcapng".into(),
        ..ExportRequest::default()
    };
    let path = log().join("exported.pcapng");
    explorer.export(request, path).await.expect("it is written");
    explorer.close().await;
}

/// What BlueZ asks of a device by itself, whatever an application does: opcode, handle, value, and at how many of the two
/// visits at most. Both devices have the same first services; the handles are as they are in the lab. Discovery and the
/// exchange of the MTU are not among the operations that are compared.
const BY_BLUEZ: [(&str, &str, &str, usize); 7] = [
    // Device Name and Appearance, of the service that BlueZ keeps to itself.
    ("0x0a", "0x0003", "", 2),
    ("0x0a", "0x0005", "", 2),
    // The configuration of Service Changed, the Client Supported Features, the Database Hash.
    ("0x12", "0x0009", "0200", 2),
    ("0x12", "0x000b", "05", 2),
    ("0x0a", "0x000d", "", 2),
    // The level of the battery and its configuration, for the battery that BlueZ shows on D-Bus.
    ("0x0a", "0x0014", "", 1),
    ("0x12", "0x0015", "0100", 1),
];
/// What is subscribed to, and the configurations that this writes. An application is told the outcome alone, so their place
/// among the values that come at the same time is the session's; they are compared among themselves.
const STREAMS: [(&str, &str); 3] = [
    ("0x0010", "0x0011"),
    ("0x0018", "0x0019"),
    ("0x002d", "0x002f"),
];
/// How long before the application ended a subscription a value may have been on its way to it, seconds.
const ON_ITS_WAY: f64 = 1.0;
/// How far the two records of one operation may be apart, seconds: the emulated machine is slow.
const APART: f64 = 10.0;

type Operation = [String; 5];

/// Splits off what is written to configurations, with the answers.
fn split(all: Vec<Operation>) -> (Vec<Operation>, Vec<Operation>) {
    all.into_iter().partition(|[_, _, opcode, handle, _]| {
        ["0x12", "0x13"].contains(&opcode.as_str())
            && STREAMS
                .iter()
                .any(|(_, configuration)| configuration == handle)
    })
}

fn time(one: &Operation) -> f64 {
    one[0].parse().unwrap()
}

/// The operations are the same, each of about the same time, but for those that BlueZ does by itself, and those that came
/// too `late` to reach an application.
fn same(ours: &[Operation], theirs: &[Operation], late: impl Fn(&Operation) -> bool) {
    let mut left: HashMap<_, usize> = BY_BLUEZ
        .iter()
        .map(|(opcode, handle, value, times)| ((*opcode, *handle, *value), *times))
        .collect();
    let mut ours = ours.iter().peekable();
    let mut theirs = theirs.iter();
    while let Some(seen) = theirs.next() {
        if let Some(told) = ours.next_if(|told| told[1..] == seen[1..]) {
            assert!((time(told) - time(seen)).abs() < APART, "{told:?} {seen:?}");
            continue;
        }
        if late(seen) {
            continue;
        }
        let [_, _, opcode, handle, value] = seen;
        let times = left.get_mut(&(opcode.as_str(), handle.as_str(), value.as_str()));
        let by_bluez = times.is_some_and(|times| {
            *times = times.wrapping_sub(1);
            *times != usize::MAX
        });
        assert!(
            by_bluez,
            "the controller saw {seen:?}, the session has {:?}",
            ours.peek()
        );
        let answer = theirs.next().expect("it is answered");
        assert_eq!((&*answer[1], &answer[3]), ("0x01", handle), "{answer:?}");
    }
    assert_eq!(
        ours.next(),
        None,
        "the session has more than the controller saw"
    );
}

#[test]
#[ignore = "compares what the guest left in LAB_LOG; tshark in an emulated machine takes minutes"]
fn an_exported_capture_has_the_operations_that_the_controller_saw() {
    assert!(dissect::tshark_is_here(), "the comparison needs tshark");
    let (of_ours, ours) = split(dissect::operations(&log().join("exported.pcapng")));
    let (of_theirs, theirs) = split(dissect::operations(&log().join("hci.btsnoop")));
    for (opcode, at_least) in [
        ("0x01", 5),
        ("0x0a", 20),
        ("0x0b", 20),
        ("0x12", 5),
        ("0x13", 3),
        ("0x52", 1),
        ("0x1b", 10),
    ] {
        let found = ours.iter().filter(|one| one[2] == opcode).count();
        assert!(found >= at_least, "{found} of {opcode}");
    }
    // When a subscription ended for the application, and when its device had confirmed that.
    let end = |all: &[Operation], configuration: &str, answer: usize| {
        let written = all
            .iter()
            .position(|one| one[3] == configuration && one[4] == "0000");
        time(&all[written.expect("it ended") + answer])
    };
    let late = |seen: &Operation| {
        let mut streams = STREAMS.iter();
        let of = streams.find(|(handle, _)| seen[2] == "0x1b" && *handle == seen[3]);
        of.is_some_and(|(_, configuration)| {
            time(seen) > end(&of_ours, configuration, 0) - ON_ITS_WAY
                && time(seen) < end(&of_theirs, configuration, 1)
        })
    };
    same(&ours, &theirs, late);
    assert_eq!(of_ours.len(), 12, "three subscriptions, each with its end");
    same(&of_ours, &of_theirs, |_| false);
    println!(
        "{} operations and {} writes of configurations are the same",
        ours.len(),
        of_ours.len()
    );
}
