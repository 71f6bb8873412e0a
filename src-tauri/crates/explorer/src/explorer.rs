//! The explorer itself: what it holds, how it starts and ends, and the tasks that tell the window.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use radio::{Backend, Clock, DeviceId, Timestamp};
use session::Recorder;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::Preferences;
use crate::adverts::Adverts;
use crate::connection::Connection;
use crate::device::{DeviceTable, WallOffset};
use crate::document::Source;
use crate::jobs::Jobs;
use crate::ledger::Ledger;
use crate::log::{Log, entry};
use crate::news::News;
use crate::pairing::Pairings;
use crate::radios::{Radios, watch_adapters};
use crate::redraw::Redraws;
use crate::replay::Replaying;
use crate::sampling::Sampling;
use crate::scope::Scope;
use crate::view::{
    Event, LogEntry, LostView, MarkView, NoticeView, Problem, RatesView, RecordingView,
    SettingsView, Welcome,
};

/// How often the window hears of devices, values and the recording.
const TICK: Duration = Duration::from_millis(250);
/// How long a link or the scan may take to end when the program does.
const LINK_ENDS: Duration = Duration::from_secs(3);
/// After how many ticks, a multiple of four, the recording is told which advertisements were left out.
const SAMPLING_TOLD: u32 = 40;
/// Log entries that go to the window at once.
const LOG_BATCH: usize = 500;

/// What an explorer starts with.
pub struct Config {
    /// The radios, in the order of preference; the simulated one last.
    pub backends: Vec<Arc<dyn Backend>>,
    /// Where session files go.
    pub session_folder: PathBuf,
    /// Where log files are; only to be shown.
    pub log_folder: PathBuf,
    /// The user's choices so far.
    pub preferences: Preferences,
    /// The clock that the radios stamp with.
    pub clock: Clock,
}

/// The application without a window. Clones are the same explorer.
#[derive(Clone)]
pub struct Explorer(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) wall: WallOffset,
    pub(crate) runtime: Handle,
    pub(crate) radios: Radios,
    pub(crate) devices: Mutex<DeviceTable>,
    pub(crate) connections: Mutex<BTreeMap<DeviceId, Arc<Connection>>>,
    /// Connecting is one after the other.
    pub(crate) connecting: tokio::sync::Mutex<()>,
    pub(crate) pairings: Pairings,
    pub(crate) jobs: Jobs,
    pub(crate) replaying: Replaying,
    pub(crate) scope: Scope,
    pub(crate) advertised: Adverts,
    pub(crate) redraws: Redraws,
    marks: Mutex<Vec<MarkView>>,
    pub(crate) log: Log,
    pub(crate) news: News,
    pub(crate) recording: RwLock<Recording>,
    pub(crate) session_folder: PathBuf,
    log_folder: PathBuf,
    preferences: Arc<watch::Sender<Preferences>>,
    pub(crate) adverts: AtomicU64,
    pub(crate) notifications: AtomicU64,
    /// Stretches in which an unknown number of values was lost.
    pub(crate) outages: AtomicU64,
    pub(crate) ledger: Ledger,
    pub(crate) sampling: Sampling,
    /// Asks for a look whether sessions have had their time.
    pub(crate) tidying: tokio::sync::Notify,
    /// Ends the tasks.
    pub(crate) closing: tokio_util::sync::CancellationToken,
    /// Links begin in one recording: it does not change meanwhile.
    pub(crate) beginning: Mutex<()>,
    /// Sessions are opened one after the other.
    pub(crate) opening: tokio::sync::Mutex<()>,
    /// What the file of formats would change that was read last.
    formats_file: Mutex<crate::format_files::Plan>,
    /// The session that is open in front of this.
    pub(crate) document: Mutex<Option<Explorer>>,
    /// The session that this shows, in place of what is on the air.
    pub(crate) source: Option<Arc<Source>>,
}

/// The recording, or why there is none.
pub(crate) enum Recording {
    On(Arc<Recorder>),
    Off(Problem),
}

impl Explorer {
    /// Starts recording and the tasks; the radio is chosen by [`look_again`](Self::look_again).
    ///
    /// Radio work runs on `runtime`, which must have more than the thread of a window.
    #[must_use]
    pub fn start(config: Config, runtime: Handle) -> Self {
        let now = config.clock.now();
        let wall =
            WallOffset(jiff::Timestamp::now().as_nanosecond() as f64 / 1e6 - now.0 as f64 / 1e6);
        let recording = Recording::start(&config.session_folder, &config.clock);
        let problem = match &recording {
            Recording::Off(problem) => Some(problem.clone()),
            Recording::On(_) => None,
        };
        let explorer = Self(Arc::new(Inner::new(Foundation {
            clock: config.clock,
            wall,
            runtime,
            backends: config.backends,
            news: News::default(),
            recording,
            session_folder: config.session_folder,
            log_folder: config.log_folder,
            preferences: Arc::new(watch::Sender::new(config.preferences)),
            source: None,
        })));
        if let Some(problem) = problem {
            explorer
                .0
                .log_problem("app", "Not recording", None, None, &problem);
        }
        let begun = explorer.0.now();
        explorer
            .0
            .record(|recorder| explorer.0.sampling.begin(recorder, begun));
        explorer.0.runtime.spawn(tell(Arc::clone(&explorer.0)));
        let tend = crate::retention::tend(Arc::clone(&explorer.0));
        explorer.0.runtime.spawn(tend);
        for changes in explorer.0.radios.changes() {
            let watch = watch_adapters(Arc::clone(&explorer.0), changes);
            explorer.0.runtime.spawn(watch);
        }
        explorer
    }

    /// From now on `listener` hears what happens, beginning with everything as it is.
    pub fn listen(&self, listener: impl Fn(Event) + Send + Sync + 'static) -> Welcome {
        let inner = &self.0;
        inner.news.bind(listener);
        inner.news.tell(Event::Settings(self.settings()));
        inner.tell_radio();
        inner.ledger.start_over();
        inner.tell_losses();
        inner.tell_questions();
        inner.tell_jobs();
        inner.tell_replay(true);
        inner.news.tell(Event::Recording(inner.recording_view()));
        if let Recording::Off(problem) = &*inner.recording() {
            inner.notice("bad", "Not recording", problem.clone(), None, "");
        }
        let shown = self.shown();
        shown.0.tell_document();
        shown.tell_everything();
        Welcome {
            version: env!("CARGO_PKG_VERSION").into(),
            os: std::env::consts::OS.into(),
            session_start_ms: inner.wall.0,
            settings: self.settings(),
        }
    }

    /// Tells the window all that it shows of devices, as if it had nothing.
    pub(crate) fn tell_everything(&self) {
        let inner = &self.0;
        inner.devices().start_over();
        inner.log.rewind();
        inner.tell_devices();
        for connection in inner.connections() {
            inner.tell_link(&connection);
            if let Some(gatt) = connection.gatt() {
                inner.news.tell(Event::Gatt(gatt));
            }
        }
        inner.tell_values(true);
        inner.tell_series();
        inner.tell_marks();
    }

    /// The user's choices, live: the shell keeps them.
    #[must_use]
    pub fn preferences(&self) -> watch::Receiver<Preferences> {
        self.0.preferences.subscribe()
    }

    /// Changes the user's choices.
    pub fn prefer(&self, change: impl FnOnce(&mut Preferences)) {
        self.0.prefer(change);
    }

    fn settings(&self) -> SettingsView {
        self.0.settings()
    }

    /// Adds what the program says of itself to the log view.
    pub fn log(&self, entry: LogEntry) {
        self.0.log.push(entry);
    }

    /// Unix milliseconds now, by the session's clock.
    #[must_use]
    pub fn now_ms(&self) -> f64 {
        self.0.wall.ms(self.0.clock.now())
    }

    /// Ends every link and the recording. The operating system may keep links of a program that
    /// ended without this.
    pub async fn close(&self) {
        self.close_session();
        let inner = Arc::clone(&self.0);
        let _ = self
            .0
            .runtime
            .spawn(async move { inner.close().await })
            .await;
    }
}

/// What an explorer of the air and one of a session differ in.
struct Foundation {
    clock: Clock,
    wall: WallOffset,
    runtime: Handle,
    backends: Vec<Arc<dyn Backend>>,
    news: News,
    recording: Recording,
    session_folder: PathBuf,
    log_folder: PathBuf,
    preferences: Arc<watch::Sender<Preferences>>,
    source: Option<Arc<Source>>,
}

impl Inner {
    fn new(foundation: Foundation) -> Self {
        let sample_adverts_s = foundation.preferences.borrow().sample_adverts_s;
        let layouts = crate::advert::layouts(&foundation.preferences.borrow().advert_formats);
        let mut devices = DeviceTable::default();
        devices.set_layouts(layouts);
        Self {
            clock: foundation.clock,
            wall: foundation.wall,
            runtime: foundation.runtime,
            radios: Radios::new(foundation.backends),
            devices: Mutex::new(devices),
            connections: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            pairings: Pairings::default(),
            jobs: Jobs::default(),
            replaying: Replaying::default(),
            scope: Scope::default(),
            advertised: Adverts::default(),
            redraws: Redraws::default(),
            marks: Mutex::default(),
            log: Log::default(),
            news: foundation.news,
            recording: RwLock::new(foundation.recording),
            session_folder: foundation.session_folder,
            log_folder: foundation.log_folder,
            preferences: foundation.preferences,
            adverts: AtomicU64::new(0),
            notifications: AtomicU64::new(0),
            outages: AtomicU64::new(0),
            ledger: Ledger::default(),
            sampling: Sampling::new(sample_adverts_s),
            tidying: tokio::sync::Notify::new(),
            closing: tokio_util::sync::CancellationToken::new(),
            beginning: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            formats_file: Mutex::default(),
            document: Mutex::default(),
            source: foundation.source,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn devices(&self) -> MutexGuard<'_, DeviceTable> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn connections(&self) -> Vec<Arc<Connection>> {
        let connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        connections.values().cloned().collect()
    }

    pub(crate) fn formats_file(&self) -> MutexGuard<'_, crate::format_files::Plan> {
        self.formats_file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while links begin in a recording, or another recording begins.
    pub(crate) fn beginning(&self) -> MutexGuard<'_, ()> {
        self.beginning
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a device in that was connected.
    pub(crate) fn add_connection(&self, connection: Connection) {
        let mut connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        connections.insert(connection.device.clone(), Arc::new(connection));
    }

    /// What shows a session and belongs to the same window as this.
    pub(crate) fn of_recorded(&self, source: Arc<Source>) -> Self {
        let view = source.view();
        // It stands still at the end of the session.
        let clock = Clock::manual();
        clock.advance(Duration::from_secs_f64(view.session.duration_s.max(0.0)));
        Self::new(Foundation {
            clock,
            wall: WallOffset(view.session.started_ms),
            runtime: self.runtime.clone(),
            backends: Vec::new(),
            news: self.news.of_recorded(),
            recording: Recording::Off(Problem::new(
                "recorded",
                "This is a recording.",
                "Close it to see what is on the air.",
            )),
            session_folder: self.session_folder.clone(),
            log_folder: self.log_folder.clone(),
            preferences: Arc::clone(&self.preferences),
            source: Some(source),
        })
    }

    /// Formats, names and stars as they are chosen now, where they are others than before.
    pub(crate) fn take_over_preferences(self: &Arc<Self>) {
        let (aliases, favourites) = self.preference(|p| (p.aliases.clone(), p.favourites.clone()));
        self.devices().set_choices(&aliases, &favourites);
        self.take_over_names();
        self.decode_anew(&|_, _| true);
        self.take_over_advert_formats();
    }

    pub(crate) fn recording(&self) -> std::sync::RwLockReadGuard<'_, Recording> {
        self.recording
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Records something, if there is a recording. Called on the radio's task: the lock is only ever
    /// taken for writing when a new recording begins.
    pub(crate) fn record(&self, write: impl FnOnce(&Recorder)) {
        if let Recording::On(recorder) = &*self.recording() {
            write(recorder);
        }
    }

    pub(crate) fn preference<T>(&self, get: impl FnOnce(&Preferences) -> T) -> T {
        get(&self.preferences.borrow())
    }

    pub(crate) fn prefer(&self, change: impl FnOnce(&mut Preferences)) {
        let _order = self.news.order();
        self.preferences.send_modify(change);
        self.news.tell(Event::Settings(self.settings()));
    }

    fn settings(&self) -> SettingsView {
        let preferences = self.preferences.borrow();
        SettingsView {
            theme: preferences.theme.clone(),
            log_level: preferences.log_level.clone(),
            connect_timeout_s: preferences.connect_timeout_s,
            single_key_shortcuts: preferences.single_key_shortcuts,
            passive_scan: preferences.passive_scan,
            keep_days: preferences.keep_days,
            keep_gigabytes: preferences.keep_gigabytes,
            sample_adverts_s: preferences.sample_adverts_s,
            sort: preferences.sort.clone(),
            panels: preferences.panels.clone(),
            session_folder: self.session_folder.display().to_string(),
            log_folder: self.log_folder.display().to_string(),
        }
    }

    /// Adds a line about a device to the log.
    pub(crate) fn log_done(
        &self,
        category: &str,
        operation: &str,
        device: Option<&DeviceId>,
        attribute: Option<String>,
        detail: impl Into<String>,
    ) {
        self.log.push(LogEntry {
            detail: detail.into(),
            attribute,
            ..self.entry("info", category, operation, device)
        });
    }

    /// Adds a failure to the log.
    pub(crate) fn log_problem(
        &self,
        category: &str,
        operation: &str,
        device: Option<&DeviceId>,
        attribute: Option<String>,
        problem: &Problem,
    ) {
        self.log.push(LogEntry {
            detail: problem.message.clone(),
            problem: Some(problem.clone()),
            attribute,
            ..self.entry("error", category, operation, device)
        });
    }

    fn entry(
        &self,
        level: &str,
        category: &str,
        operation: &str,
        device: Option<&DeviceId>,
    ) -> LogEntry {
        LogEntry {
            device: device.map(ToString::to_string),
            device_name: device.map(|device| self.devices().name(device).0),
            ..entry(self.wall.ms(self.now()), level, category, operation)
        }
    }

    /// Shows something at once.
    pub(crate) fn notice(
        &self,
        severity: &str,
        title: impl Into<String>,
        problem: Problem,
        device: Option<&DeviceId>,
        action: &str,
    ) {
        self.news.tell(Event::Notice(NoticeView {
            severity: severity.into(),
            title: title.into(),
            problem,
            device: device.map(ToString::to_string),
            action: action.into(),
        }));
    }

    pub(crate) fn tell_devices(&self) {
        let _order = self.news.order();
        let changes = self.devices().changes(self.now(), self.wall);
        if let Some(changes) = changes {
            self.news.tell(Event::Devices(changes));
        }
    }

    pub(crate) fn tell_link(&self, connection: &Connection) {
        let _order = self.news.order();
        if connection.state().closed {
            return;
        }
        let names = self.devices().name(&connection.device);
        self.news.tell(Event::Link(connection.view(
            names,
            self.stays(&connection.device),
            self.wall,
        )));
    }

    pub(crate) fn tell_series(&self) {
        let _order = self.news.order();
        self.news.tell(Event::Series {
            series: self.scope.views(),
        });
    }

    /// The marks of the recording, oldest first.
    pub(crate) fn marks(&self) -> MutexGuard<'_, Vec<MarkView>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell_marks(&self) {
        let _order = self.news.order();
        let marks = self.marks().clone();
        self.news.tell(Event::Marks { marks });
    }

    pub(crate) fn tell_values(&self, all: bool) {
        let _order = self.news.order();
        let now = self.now();
        let mut values = Vec::new();
        for connection in self.connections() {
            let device = connection.device.to_string();
            values.extend(
                connection
                    .attributes()
                    .iter()
                    .filter_map(|attribute| attribute.news(&device, now, self.wall, all)),
            );
        }
        if !values.is_empty() {
            self.news.tell(Event::Values { values });
        }
    }

    pub(crate) fn recording_view(&self) -> RecordingView {
        let mut view = RecordingView {
            state: "off".into(),
            name: String::new(),
            folder: self.session_folder.display().to_string(),
            since_ms: 0.0,
            values: 0,
            events: 0,
            bytes: 0,
            lost: LostView::default(),
            waiting: 0,
            waiting_bytes: 0,
            sample_adverts_s: 0,
            left_out: 0,
            problem: None,
        };
        (view.sample_adverts_s, view.left_out) = self.sampling.now();
        match &*self.recording() {
            Recording::Off(problem) => view.problem = Some(problem.clone()),
            Recording::On(recorder) => {
                let status = recorder.status();
                view.name = status
                    .path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default();
                let now = self.now();
                let lasted = recorder.session_time(now).seconds() * 1e3;
                view.since_ms = (self.wall.ms(now) - lasted).round();
                view.values = status.values;
                view.events = status.events;
                view.bytes = status.bytes;
                view.lost = LostView {
                    device: status.lost.device_sequence,
                    queue: status.lost.host_queue,
                    gattscope: status.lost.gattscope,
                    outages: self.outages.load(Ordering::Relaxed),
                };
                match status.state {
                    session::State::Recording => view.state = "recording".into(),
                    session::State::Paused { reason, hint } => {
                        view.state = "paused".into();
                        view.waiting = status.waiting;
                        view.waiting_bytes = status.waiting_bytes;
                        let hint = format!("{hint} Recording goes on by itself then.");
                        view.problem = Some(Problem::new("recording_paused", reason, hint));
                    }
                    session::State::Stopped => {}
                }
            }
        }
        view
    }

    /// The recording could not write, and can again.
    fn goes_on(&self, lost: u64, waited: u64) {
        let waited = match waited {
            1 => "The event that waited is on the disk".to_owned(),
            events => format!("The {events} events that waited are on the disk"),
        };
        let (severity, problem) = match lost {
            0 => {
                let message = format!("{waited}. Nothing was lost.");
                ("info", Problem::new("recording", message, ""))
            }
            lost => {
                let message = format!("{waited}. {lost} found no room in memory and are lost.");
                let hint = "The list of losses says when.";
                ("warn", Problem::new("recording", message, hint))
            }
        };
        self.log_done(
            "app",
            "Recording goes on",
            None,
            None,
            problem.message.clone(),
        );
        self.notice(severity, "Recording goes on", problem, None, "");
    }

    /// Lines of the log that nobody has seen yet, bursts of notifications folded into one each.
    fn tell_notifications(&self, seconds: f64) {
        for connection in self.connections() {
            for attribute in connection.attributes().iter() {
                let (came, text) = {
                    let mut memory = attribute.memory();
                    let came = memory.measure(seconds);
                    (came, if came > 0 { memory.summary() } else { None })
                };
                if let Some(text) = text {
                    let operation = if came == 1 {
                        "Notify".into()
                    } else {
                        format!("Notify ×{came}")
                    };
                    self.log_done(
                        "notify",
                        &operation,
                        Some(&connection.device),
                        Some(attribute.name()),
                        text,
                    );
                }
            }
        }
    }

    async fn close(&self) {
        self.closing.cancel();
        let connections = self.connections();
        for connection in &connections {
            let mut state = connection.state();
            state.asked = true;
            state.cancel.cancel();
            drop(state);
            self.outages_end(connection);
        }
        self.settle_all(None);
        let now = self.now();
        self.record(|recorder| self.sampling.tell(recorder, now));
        let mut ends = tokio::task::JoinSet::new();
        for connection in connections {
            let up = connection.state().up.take();
            if let Some(up) = up {
                if let Some(link) = up.key {
                    let (now, reason) = (self.now(), radio::DisconnectReason::Requested);
                    self.record(|recorder| {
                        recorder.record(now, session::Event::Disconnected { link, reason });
                    });
                }
                ends.spawn(async move {
                    let _ = tokio::time::timeout(LINK_ENDS, up.link.disconnect()).await;
                });
            }
        }
        let _ = tokio::time::timeout(LINK_ENDS, self.radios.stop_scan()).await;
        ends.join_all().await;
        if let Ok(radio) = self.radios.open_radio()
            && tokio::time::timeout(LINK_ENDS, radio.settled())
                .await
                .is_err()
        {
            tracing::warn!("an attempt to connect did not end in time");
        }
        if let Recording::On(recorder) = &*self.recording()
            && let Err(error) = recorder.close()
        {
            tracing::error!(%error, "the recording did not end well");
        }
    }
}

impl Recording {
    pub(crate) fn start(folder: &std::path::Path, clock: &Clock) -> Self {
        let options = session::Options {
            writer: concat!("Gattscope ", env!("CARGO_PKG_VERSION")).into(),
            ..session::Options::default()
        };
        match Recorder::create(folder, clock.clone(), options) {
            Ok(recorder) => Recording::On(Arc::new(recorder)),
            Err(error) => {
                let what = match error {
                    session::Error::NotAFolder { .. } => "Move away what stands there",
                    session::Error::NotWritable { .. } => "Allow this user to write there",
                    session::Error::NoSpace { .. } => "Make room on the disk",
                    _ => "Look whether the disk is still there and healthy",
                };
                let hint = format!("{what}, then start a new recording. Everything else works.");
                let message = error.to_string();
                Recording::Off(Problem::new("not_recording", message, hint))
            }
        }
    }
}

/// Tells the window what has changed, at a pace that a person can read.
pub(crate) async fn tell(inner: Arc<Inner>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut ticks = 0_u32;
    let (mut adverts, mut notifications, mut second) = (0, 0, inner.now());
    let mut recording = None;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = inner.closing.cancelled() => return,
        }
        ticks = ticks.wrapping_add(1);
        if ticks.is_multiple_of(4) {
            let now = inner.now();
            let seconds = now.since(second).as_secs_f64().max(1e-3);
            second = now;
            inner.tell_notifications(seconds);
            inner.settle_all(Some(now));
            inner.call_models_anew();
            inner.draw_written();
            if ticks.is_multiple_of(SAMPLING_TOLD) {
                inner.record(|recorder| inner.sampling.tell(recorder, now));
            }
            let count = |counter: &AtomicU64, last: &mut u64| {
                let total = counter.load(Ordering::Relaxed);
                let came = total - std::mem::replace(last, total);
                came as f64 / seconds
            };
            let lost = inner.recording_view().lost;
            inner.news.tell(Event::Rates(RatesView {
                adverts: count(&inner.adverts, &mut adverts),
                notifications: count(&inner.notifications, &mut notifications),
                dropped: lost.queue + lost.gattscope,
            }));
        }
        if !inner.news.heard() {
            continue;
        }
        inner.tell_devices();
        inner.tell_new_lines();
        inner.tell_values(false);
        inner.tell_losses();
        inner.tell_replay(false);
        let view = inner.recording_view();
        if recording.as_ref() != Some(&view) {
            if view.state == "paused"
                && recording
                    .as_ref()
                    .is_none_or(|last: &RecordingView| last.state != "paused")
                && let Some(problem) = view.problem.clone()
            {
                inner.notice("bad", "Recording paused", problem, None, "");
            }
            if view.state == "recording"
                && let Some(paused) = recording.as_ref().filter(|last| last.state == "paused")
            {
                inner.goes_on(view.lost.gattscope, paused.waiting);
            }
            inner.news.tell(Event::Recording(view.clone()));
            recording = Some(view);
        }
        let entries = inner.log.take(LOG_BATCH);
        if !entries.is_empty() {
            inner.news.tell(Event::Log { entries });
        }
    }
}
