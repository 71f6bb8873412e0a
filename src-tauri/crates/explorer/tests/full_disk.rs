//! A disk that is full while the window is open: what is at risk is said, everything else goes on, and
//! the recording does too when there is room.
//!
//! As in the session crate's `full_disk.rs`, this program starts itself again in a mount namespace of
//! its own, with a small disk. Where the system does not let this user make one, the limit of a
//! session's size stands in for it in `ledger.rs` of this crate's sources.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("small disks can be made on Linux only");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::process::Command;
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, Instant};

    use explorer::view::{AttributeView, Event, RecordingView};
    use explorer::{Config, Explorer, Preferences};
    use radio::Clock;
    use radio::simulated::{Lab, Simulated, VirtualDevice, uuids};

    /// Names an empty folder: this process may mount on it.
    const CHILD: &str = "GATTSCOPE_FULL_DISK_CHILD";
    /// What the child returns if it may not, after all.
    const MAY_NOT: i32 = 77;
    /// How long anything may take.
    const PATIENCE: Duration = Duration::from_secs(60);

    pub(super) fn main() {
        if let Some(folder) = std::env::var_os(CHILD) {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            return runtime.block_on(inside(Path::new(&folder)));
        }
        let folder = tempfile::tempdir().unwrap();
        for namespace in ["--mount", "--map-root-user"] {
            let run = Command::new("unshare")
                .args(["--mount", namespace, "--"])
                .arg(std::env::current_exe().unwrap())
                .env(CHILD, folder.path())
                .status()
                .unwrap();
            match run.code() {
                Some(0) => return,
                // unshare itself returns 1 when it is not allowed; a failed test returns 101.
                Some(1 | MAY_NOT) => {}
                _ => panic!("failed on a small disk"),
            }
        }
        println!("this user may not mount a small disk");
    }

    struct Window {
        explorer: Explorer,
        news: Arc<Mutex<Vec<Event>>>,
    }

    impl Window {
        fn last<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Option<T> {
            self.news.lock().unwrap().iter().rev().find_map(pick)
        }

        fn recording(&self) -> RecordingView {
            self.last(|event| match event {
                Event::Recording(view) => Some(view.clone()),
                _ => None,
            })
            .unwrap()
        }

        async fn until(&self, what: &str, shows: impl Fn(&RecordingView) -> bool) -> RecordingView {
            let until = Instant::now() + PATIENCE;
            loop {
                let view = self.recording();
                if shows(&view) {
                    return view;
                }
                assert!(Instant::now() < until, "never {what}: {view:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }

        fn noticed(&self, title: &str) -> Option<String> {
            self.last(|event| match event {
                Event::Notice(notice) if notice.title == title => Some(notice.problem.to_string()),
                _ => None,
            })
        }
    }

    async fn inside(folder: &Path) {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
            .arg(folder)
            .status()
            .unwrap();
        if !mounted.success() {
            std::process::exit(MAY_NOT);
        }
        let ballast = folder.join("ballast");
        std::fs::write(&ballast, vec![1; 4 << 20]).unwrap();
        let clock = Clock::monotonic();
        let contents = Lab {
            devices: vec![VirtualDevice::MotionSensor],
            motion_rate_hz: 2000,
            fillers: 0,
            ..Lab::contract()
        };
        let lab = Arc::new(Simulated::with_lab(clock.clone(), 7, contents));
        let config = Config {
            backends: vec![Arc::clone(&lab) as Arc<dyn radio::Backend>],
            session_folder: folder.into(),
            log_folder: folder.into(),
            preferences: Preferences::default(),
            clock,
        };
        let explorer = Explorer::start(config, tokio::runtime::Handle::current());
        let news = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&news);
        explorer.listen(move |event| heard.lock().unwrap().push(event));
        explorer.look_again().await.unwrap();
        let motion = lab.device(VirtualDevice::MotionSensor).unwrap();
        explorer.connect(motion.clone()).await.unwrap();
        let stream = uuids::MOTION_STREAM.to_string();
        let services = explorer.tree(&motion).unwrap();
        let mut all = services.into_iter().flat_map(|service| service.children);
        let stream: AttributeView = all.find(|found| found.uuid.uuid == stream).unwrap();
        let layout = "seq:u32le!count, acc:i16le[3]";
        explorer.set_format(stream.id, layout).unwrap();
        explorer.subscribe(stream.id).await.unwrap();
        let window = Window { explorer, news };

        let paused = window.until("paused", |view| view.state == "paused").await;
        let problem = paused.problem.clone().unwrap();
        assert!(problem.message.contains("disk is full"), "{problem}");
        assert!(!problem.hint.is_empty());
        assert!(window.noticed("Recording paused").is_some());
        // What is at risk grows, and the live view goes on.
        let more = |view: &RecordingView| view.waiting > paused.waiting + 500;
        let risk = window.until("at risk", more).await;
        assert!(risk.waiting_bytes > risk.waiting * 18, "{risk:?}");
        assert_eq!(risk.lost.gattscope, 0, "there is room in memory");
        let count = |window: &Window| window.explorer.inspect(stream.id).unwrap().count;
        let seen = count(&window);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(count(&window) > seen + 100);

        std::fs::remove_file(&ballast).unwrap();
        let again = window
            .until("recording", |view| view.state == "recording")
            .await;
        assert_eq!(again.waiting, 0, "nothing is at risk beyond a moment");
        let words = window.noticed("Recording goes on").unwrap();
        assert!(words.contains("Nothing was lost"), "{words}");
        window.explorer.unsubscribe(stream.id).await.unwrap();
        let counter = window.explorer.reconciliations().remove(0).counter;
        let name = window.recording().name;
        window.explorer.close().await;
        let file = rusqlite::Connection::open(folder.join(name)).unwrap();
        let number = |sql: &str| -> i64 { file.query_row(sql, [], |row| row.get(0)).unwrap() };
        let values = number("SELECT count(*) FROM event WHERE kind BETWEEN 30 AND 32");
        assert_eq!((counter.lost, values as u64), (0, counter.received));
        assert_eq!(number("SELECT count(*) FROM gap"), 0);
        println!("1 test on a small disk passed");
    }
}
