//! What these tests stand on: an explorer without a window over the simulated lab, and what it has told.
//!
//! Each test program takes what it needs; what only one of them needs, it adds to [`Bench`] itself.
#![allow(dead_code, reason = "no test program needs all of it")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use explorer::view::{
    AttributeView, Event, LinkView, Problem, RadioView, RecordingView, SeriesView, ValueView,
};
use explorer::{Config, Explorer, Preferences};
use radio::simulated::{Lab, Simulated, VirtualDevice};
use radio::{Clock, DeviceId};

/// Long enough for every device of the lab to have been heard.
const HEARD: Duration = Duration::from_secs(3);

pub(crate) struct Bench {
    pub(crate) explorer: Explorer,
    pub(crate) lab: Arc<Simulated>,
    pub(crate) news: Arc<Mutex<Vec<Event>>>,
    /// Its sessions are in [`Bench::session_folder`] below it, unless they were sent elsewhere.
    pub(crate) folder: tempfile::TempDir,
}

/// The contract's devices, and these.
pub(crate) fn contract_with(devices: &[VirtualDevice]) -> Lab {
    let mut contents = Lab::contract();
    contents.devices.extend_from_slice(devices);
    contents
}

impl Bench {
    pub(crate) fn new(contents: Lab, preferences: Preferences) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sessions = folder.path().join("sessions");
        Self::recording_to(&sessions, folder, contents, preferences)
    }

    pub(crate) fn recording_to(
        sessions: &Path,
        folder: tempfile::TempDir,
        contents: Lab,
        preferences: Preferences,
    ) -> Self {
        let clock = Clock::tokio();
        let lab = Arc::new(Simulated::with_lab(clock.clone(), 7, contents));
        let config = Config {
            backends: vec![Arc::clone(&lab) as Arc<dyn radio::Backend>],
            session_folder: sessions.into(),
            log_folder: folder.path().into(),
            preferences,
            clock,
        };
        let explorer = Explorer::start(config, tokio::runtime::Handle::current());
        let news = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&news);
        explorer.listen(move |event| heard.lock().unwrap().push(event));
        Self {
            explorer,
            lab,
            news,
            folder,
        }
    }

    /// One that scans, and has heard everybody.
    pub(crate) async fn scanning(contents: Lab, preferences: Preferences) -> Self {
        let bench = Self::new(contents, preferences);
        bench.explorer.look_again().await.unwrap();
        bench.explorer.start_scan().await.unwrap();
        tokio::time::sleep(HEARD).await;
        bench
    }

    pub(crate) fn device(&self, device: VirtualDevice) -> DeviceId {
        self.lab.device(device).unwrap()
    }

    pub(crate) async fn connected(&self, device: VirtualDevice) -> DeviceId {
        let device = self.device(device);
        self.explorer.connect(device.clone()).await.unwrap();
        device
    }

    /// Connected, and subscribed to the characteristic of this UUID.
    pub(crate) async fn streaming(
        &self,
        device: VirtualDevice,
        uuid: &str,
    ) -> (DeviceId, AttributeView) {
        let device = self.connected(device).await;
        let attribute = self.attribute(&device, uuid);
        self.explorer.subscribe(attribute.id).await.unwrap();
        (device, attribute)
    }

    /// The first attribute of this UUID.
    pub(crate) fn attribute(&self, device: &DeviceId, uuid: &str) -> AttributeView {
        find(self.explorer.tree(device).unwrap(), uuid).unwrap()
    }

    pub(crate) fn last<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Option<T> {
        self.news.lock().unwrap().iter().rev().find_map(pick)
    }

    /// Waits for the first of the news that is meant.
    pub(crate) async fn until<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            if let Some(found) = self.last(&pick) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn radio(&self) -> RadioView {
        self.last(|event| match event {
            Event::Radio(view) => Some(view.clone()),
            _ => None,
        })
        .unwrap()
    }

    pub(crate) fn link(&self, device: &DeviceId) -> LinkView {
        self.last(|event| match event {
            Event::Link(view) if view.device == device.as_str() => Some(view.clone()),
            _ => None,
        })
        .unwrap()
    }

    pub(crate) fn recording(&self) -> RecordingView {
        self.last(|event| match event {
            Event::Recording(view) => Some(view.clone()),
            _ => None,
        })
        .unwrap()
    }

    pub(crate) fn series(&self) -> Vec<SeriesView> {
        self.last(|event| match event {
            Event::Series { series } => Some(series.clone()),
            _ => None,
        })
        .unwrap()
    }

    pub(crate) fn value(&self, attribute: u64) -> ValueView {
        self.last(|event| match event {
            Event::Values { values } => values
                .iter()
                .find(|value| value.attribute == attribute)
                .cloned(),
            _ => None,
        })
        .unwrap()
    }

    pub(crate) fn notices(&self) -> Vec<(String, Problem)> {
        let news = self.news.lock().unwrap();
        news.iter()
            .filter_map(|event| match event {
                Event::Notice(notice) => Some((notice.title.clone(), notice.problem.clone())),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn session_folder(&self) -> PathBuf {
        self.folder.path().join("sessions")
    }

    /// Ends the recording and opens its file as any other program would.
    pub(crate) async fn recorded(&self) -> rusqlite::Connection {
        let name = self.recording().name;
        self.explorer.close().await;
        rusqlite::Connection::open(self.session_folder().join(name)).unwrap()
    }
}

/// The first attribute of this UUID in a tree.
pub(crate) fn find(tree: Vec<AttributeView>, uuid: &str) -> Option<AttributeView> {
    tree.into_iter().find_map(|attribute| {
        if attribute.uuid.uuid == uuid {
            Some(attribute)
        } else {
            find(attribute.children, uuid)
        }
    })
}
