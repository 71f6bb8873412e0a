//! Trouble on the real BlueZ of the lab, as the user sees it: what the window is told, what comes back by itself, and
//! how long that takes. Times are printed. `cargo xtask test lab` runs it in the guest.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "../../radio/tests/contract/air.rs"]
mod air;
#[path = "../../radio/tests/bluez/daemons.rs"]
mod daemons;
#[path = "../../radio/tests/contract/turn.rs"]
mod turn;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use explorer::view::{
    AttributeView, Event, LinkView, NoticeView, RadioView, ValueView, WriteInput,
};
use explorer::{Config, Explorer, Preferences};
use radio::bluez::Bluez;
use radio::{Clock, DeviceId};

const VIRTUAL_HR: &str = "F0:F1:F2:F3:F4:F5";
const DIFFICULT: &str = "F0:F1:F2:F3:F4:D1";
/// Counts from 0 at 50 Hz.
const STREAM: &str = "12345678-1234-5678-1234-56789abcdef1";
const BATTERY_LEVEL: &str = "00002a19-0000-1000-8000-00805f9b34fb";
/// A register of 512 bytes.
const LONG_VALUE: &str = "d1ff1c00-7e57-4000-8000-000000000512";

/// What the window knows.
#[derive(Default)]
struct Window {
    radio: Option<RadioView>,
    links: HashMap<String, LinkView>,
    values: HashMap<u64, ValueView>,
    notices: Vec<NoticeView>,
}

struct Bench {
    explorer: Explorer,
    window: Arc<Mutex<Window>>,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
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
        let window = Arc::new(Mutex::new(Window::default()));
        let told = Arc::clone(&window);
        explorer.listen(move |event| {
            let mut window = told.lock().unwrap();
            match event {
                Event::Radio(radio) => window.radio = Some(radio),
                Event::Link(link) => {
                    window.links.insert(link.device.clone(), link);
                }
                Event::Values { values } => {
                    window
                        .values
                        .extend(values.into_iter().map(|value| (value.attribute, value)));
                }
                Event::Notice(notice) => window.notices.push(notice),
                _ => {}
            }
        });
        explorer.look_again().await.expect("there is an adapter");
        explorer.start_scan().await.expect("it scans");
        Self {
            explorer,
            window,
            folder,
        }
    }

    /// Waits until the window shows something, and says how long that took.
    async fn until<T>(&self, what: &str, shows: impl Fn(&Window) -> Option<T>) -> (T, Duration) {
        let since = Instant::now();
        loop {
            if let Some(shown) = shows(&self.window.lock().unwrap()) {
                return (shown, since.elapsed());
            }
            if since.elapsed() > Duration::from_secs(90) {
                let window = self.window.lock().unwrap();
                panic!(
                    "{what}: not within 90 s; {:?} {:?}",
                    window.links, window.notices
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn state(&self, device: &DeviceId, state: &str) -> (LinkView, Duration) {
        self.until(state, |window| {
            let link = window.links.get(device.as_str())?;
            (link.state == state).then(|| link.clone())
        })
        .await
    }

    fn attribute(&self, device: &DeviceId, uuid: &str) -> AttributeView {
        let services = self.explorer.tree(device).expect("it was discovered");
        let mut attributes = services.into_iter().flat_map(|service| service.children);
        let found = attributes.find(|attribute| attribute.uuid.uuid == uuid);
        found.unwrap_or_else(|| panic!("{device} has no {uuid}"))
    }

    async fn connected(&self, address: &str) -> DeviceId {
        let device = DeviceId::from(address);
        self.explorer
            .connect_to(address.into())
            .await
            .unwrap_or_else(|problem| panic!("{address}: {problem}"));
        self.state(&device, "connected").await;
        device
    }

    /// Waits until values come by themselves, more than the window has now.
    async fn streams(&self, device: &DeviceId) -> Duration {
        let id = self.attribute(device, STREAM).id;
        let before = self.count(id);
        let more = |window: &Window| {
            let value = window.values.get(&id)?;
            (value.subscribed && value.count > before + 5).then_some(())
        };
        self.until("values", more).await.1
    }

    fn count(&self, attribute: u64) -> u64 {
        let window = self.window.lock().unwrap();
        window.values.get(&attribute).map_or(0, |value| value.count)
    }

    async fn streaming(&self) -> DeviceId {
        let device = self.connected(VIRTUAL_HR).await;
        let stream = self.attribute(&device, STREAM);
        self.explorer
            .subscribe(stream.id)
            .await
            .expect("it subscribes");
        self.streams(&device).await;
        device
    }

    /// Ends the program, and counts the stretches of unknown loss in its recording. No value may lie in one.
    async fn gaps(self) -> i64 {
        self.explorer.close().await;
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        let file = files
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|e| e == "gattscope"))
            .unwrap();
        let db = rusqlite::Connection::open(file).unwrap();
        let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(
            one(
                "SELECT count(*) FROM gap AS g JOIN event AS ge ON ge.id = g.event
                   JOIN event AS e ON e.device = ge.device JOIN kind ON kind.id = e.kind
                  WHERE g.cause = 4 AND kind.name LIKE 'notif%'
                    AND e.t_ns > g.from_ns AND e.t_ns < g.to_ns"
            ),
            0,
            "a value came in a stretch in which nothing could"
        );
        one("SELECT count(*) FROM gap WHERE cause = 4")
    }
}

/// Breaks something while a device streams, and mends it: the window says what happened, and all comes back.
async fn survives(
    what: &str,
    broken: impl Future<Output = ()>,
    mended: impl Future<Output = ()>,
    (state, action, words): (&str, &str, &str),
) {
    let bench = Bench::new().await;
    let device = bench.streaming().await;
    bench.window.lock().unwrap().notices.clear();
    broken.await;
    let told = |window: &Window| {
        let mut notices = window.notices.iter();
        notices.find(|notice| notice.action == action).cloned()
    };
    let (notice, told) = bench.until("the notice", told).await;
    let says = format!(
        "{}: {} {}",
        notice.title, notice.problem.message, notice.problem.hint
    );
    assert!(says.contains(words), "{says}");
    let radio = bench.window.lock().unwrap().radio.clone().unwrap();
    assert_eq!((radio.state.as_str(), radio.scanning), (state, false));
    let (link, _) = bench.state(&device, "retrying").await;
    assert!(link.unexpected && link.problem.is_some(), "{link:?}");

    mended.await;
    let scanning = |window: &Window| {
        let radio = window.radio.as_ref()?;
        (radio.state == "on" && radio.scanning).then_some(())
    };
    let ((), scans) = bench.until("the scan", scanning).await;
    let (_, connects) = bench.state(&device, "connected").await;
    let streams = bench.streams(&device).await;
    println!(
        "MEASURED {what}: the window said after {:.2} s \"{says}\"; once mended, it scans after {:.2} s, is connected \
         after {:.2} s more and draws again after {:.2} s more",
        told.as_secs_f32(),
        scans.as_secs_f32(),
        connects.as_secs_f32(),
        streams.as_secs_f32()
    );
    assert_eq!(bench.gaps().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bluetoothd_is_killed_and_started_again() {
    let told = ("gone", "look_again", "bluetooth");
    let broken = daemons::kill_bluetoothd();
    survives(
        "bluetoothd killed",
        broken,
        daemons::start_bluetoothd(),
        told,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_message_bus_is_lost_and_comes_back() {
    let mended = async {
        daemons::kill_bluetoothd_if_there().await;
        daemons::start_bus().await;
        daemons::start_bluetoothd().await;
    };
    let told = ("gone", "look_again", "D-Bus");
    survives("message bus killed", daemons::kill_bus(), mended, told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_adapter_is_unplugged_and_plugged_in_again() {
    let broken = async { drop(air::tell("unplug").await) };
    let mended = async {
        air::tell("plug").await;
        // A desktop would switch it on, or BlueZ with AutoEnable.
        turn::bluetoothctl(&["power", "on"]).await;
    };
    let told = ("gone", "look_again", "no Bluetooth adapter");
    survives("adapter unplugged", broken, mended, told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_adapter_is_switched_off_and_on() {
    let broken = async { drop(turn::bluetoothctl(&["power", "off"]).await) };
    let mended = async { drop(turn::bluetoothctl(&["power", "on"]).await) };
    let told = ("off", "power_on", "adapter is off");
    survives("adapter switched off", broken, mended, told).await;
}

/// Waits until a link that was lost is told as lost, and until it is back.
async fn comes_back(
    bench: &Bench,
    what: &str,
    device: &DeviceId,
    problem: &explorer::view::Problem,
) {
    assert_eq!(problem.code, "not_connected", "{what}: {problem}");
    let (link, _) = bench.state(device, "retrying").await;
    let lost = link.problem.expect("it says why");
    assert_eq!(lost.code, "disconnected", "{what}: {lost}");
    assert!(link.retry.is_some(), "{what}: the countdown is told");
    air::tell(&format!("back {device}")).await;
    let (_, connects) = bench.state(device, "connected").await;
    println!(
        "MEASURED {what}: the row said \"{}\", the tab \"{}\"; back in range, connected after {:.2} s",
        problem.message,
        lost.message,
        connects.as_secs_f32()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_leaves_in_the_middle_of_a_read() {
    let bench = Bench::new().await;
    let device = bench.streaming().await;
    let battery = bench.attribute(&device, BATTERY_LEVEL).id;
    air::tell(&format!("away {VIRTUAL_HR}")).await;
    let problem = loop {
        // One may still have been answered.
        if let Err(problem) = bench.explorer.read(battery).await {
            break problem;
        }
    };
    comes_back(&bench, "out of range in a read", &device, &problem).await;
    bench.streams(&device).await;
    assert_eq!(bench.gaps().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_leaves_in_the_middle_of_a_long_write() {
    let bench = Bench::new().await;
    let device = bench.connected(DIFFICULT).await;
    let long = bench.attribute(&device, LONG_VALUE).id;
    let value = || WriteInput {
        kind: "hex".into(),
        text: "5A".repeat(512),
    };
    let writing = {
        let explorer = bench.explorer.clone();
        tokio::spawn(async move {
            loop {
                if let Err(problem) = explorer.write(long, value(), true).await {
                    break problem;
                }
            }
        })
    };
    // Some writes succeed; it leaves within one.
    let written = |window: &Window| (window.values.get(&long)?.count > 0).then_some(());
    bench.until("a long write", written).await;
    air::tell(&format!("away {DIFFICULT}")).await;
    let problem = writing.await.expect("it does not panic");
    comes_back(&bench, "out of range in a long write", &device, &problem).await;
    let long = bench.attribute(&device, LONG_VALUE).id;
    bench
        .explorer
        .write(long, value(), true)
        .await
        .expect("it writes again");
    assert_eq!(bench.gaps().await, 0, "nothing was subscribed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_leaves_while_its_services_are_discovered() {
    let bench = Bench::new().await;
    let device = bench.connected(DIFFICULT).await;
    bench
        .explorer
        .forget(device.clone())
        .await
        .expect("BlueZ forgets");
    bench.state(&device, "disconnected").await;
    // Before it has told all its services.
    air::tell(&format!("flee {DIFFICULT}")).await;
    let since = Instant::now();
    let problem = bench
        .explorer
        .connect_to(DIFFICULT.into())
        .await
        .expect_err("it fled");
    let (link, _) = bench.state(&device, "failed").await;
    assert_eq!(link.problem.as_ref(), Some(&problem), "the tab says why");
    println!(
        "MEASURED out of range in discovery: after {:.2} s the tab said \"{} {}\"",
        since.elapsed().as_secs_f32(),
        problem.message,
        problem.hint
    );
    air::tell(&format!("back {DIFFICULT}")).await;
    bench.connected(DIFFICULT).await;
    assert_eq!(bench.gaps().await, 0);
}
