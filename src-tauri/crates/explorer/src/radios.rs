//! Which radio is in use: every adapter of every backend, the one that was chosen, its scan.

use std::sync::{Arc, Mutex, PoisonError};

use radio::{
    AdapterId, AdapterInfo, Advertisement, Backend, Cap, Radio, RadioKind, RadioState, ScanFilter,
    Support, Timestamp,
};
use tokio_util::sync::CancellationToken;

use crate::device::WallOffset;
use crate::explorer::{Explorer, Inner};
use crate::view::{AdapterView, CapView, Event, Problem, RadioView, SeekView};

/// How long adapters get to settle before they are listed anew.
const SETTLED: std::time::Duration = std::time::Duration::from_millis(300);

/// How often a scan is tried on an adapter that came back.
const COMING_BACK: u32 = 20;

/// How long the system may take to say why an adapter is gone.
const WHY: std::time::Duration = std::time::Duration::from_secs(1);

/// The backends and what is open of them.
pub(crate) struct Radios {
    pub(crate) backends: Vec<Arc<dyn Backend>>,
    state: Mutex<State>,
    /// Choosing, scanning and looking come one after the other.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    adapters: Vec<(Arc<dyn Backend>, AdapterInfo)>,
    open: Option<Open>,
    openings: u64,
    fallback: Option<String>,
    scanning: bool,
    /// The scan that runs asks for no scan responses.
    passive: bool,
    /// A device that is waited for: what it is called, until when, and what gives it up.
    seeking: Option<Seeking>,
    searches: u64,
    /// Somebody wants a scan: it begins again when the adapter is back.
    wanted: bool,
}

/// A search for a device.
struct Seeking {
    number: u64,
    text: String,
    until: Timestamp,
    stop: CancellationToken,
}

#[derive(Clone)]
struct Open {
    /// Which opening it is: one adapter may be opened again.
    number: u64,
    id: String,
    kind: RadioKind,
    stack: &'static str,
    radio: Arc<dyn Radio>,
}

/// How an adapter of any backend is named to the window.
fn address(kind: RadioKind, id: &AdapterId) -> String {
    match kind {
        RadioKind::Bluez => format!("bluez:{id}"),
        RadioKind::Btleplug => format!("btleplug:{id}"),
        RadioKind::Simulated => format!("simulated:{id}"),
        RadioKind::Replay => format!("replay:{id}"),
    }
}

/// Whether its devices are virtual. Such a radio is never taken for a real one.
fn is_virtual(kind: RadioKind) -> bool {
    matches!(kind, RadioKind::Simulated | RadioKind::Replay)
}

fn state_name(state: RadioState) -> &'static str {
    match state {
        RadioState::On => "on",
        RadioState::Off => "off",
        RadioState::Unauthorized => "unauthorized",
        RadioState::Gone => "gone",
        RadioState::Unknown => "unknown",
    }
}

impl Radios {
    /// For each backend that tells it: that adapters came or went.
    pub(crate) fn changes(&self) -> Vec<tokio::sync::watch::Receiver<u64>> {
        self.backends.iter().filter_map(|b| b.changes()).collect()
    }

    pub(crate) fn new(backends: Vec<Arc<dyn Backend>>) -> Self {
        Self {
            backends,
            state: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The radio in use.
    pub(crate) fn radio(&self) -> Result<Arc<dyn Radio>, Problem> {
        self.open_radio().map_err(Problem::from)
    }

    /// The radio in use, or the radio's own error.
    pub(crate) fn open_radio(&self) -> radio::Result<Arc<dyn Radio>> {
        self.state()
            .open
            .as_ref()
            .map(|open| Arc::clone(&open.radio))
            .ok_or_else(|| radio::Error::NoAdapter { id: String::new() })
    }

    /// Why the simulated lab is used.
    fn fallback(&self, trouble: Option<&Problem>) -> String {
        let real = |backend: &Arc<dyn Backend>| backend.kind() != RadioKind::Simulated;
        match trouble {
            Some(problem) => problem.message.clone(),
            None if self.backends.iter().any(real) => {
                "No Bluetooth adapter was found on this computer.".into()
            }
            None => "It was asked for, and no other radio was looked for.".into(),
        }
    }

    /// Whether this adapter is the one in use, and there.
    fn in_use(&self, id: &str) -> bool {
        self.state()
            .open
            .as_ref()
            .is_some_and(|open| open.id == id && *open.radio.state().borrow() != RadioState::Gone)
    }

    /// Says what device is waited for, which ends the search before. Gives its number, and what gives it
    /// up.
    pub(crate) fn seek(&self, text: &str, until: Timestamp) -> (u64, CancellationToken) {
        self.stop_seeking();
        let stop = CancellationToken::new();
        let mut state = self.state();
        state.searches += 1;
        let number = state.searches;
        state.seeking = Some(Seeking {
            number,
            text: text.into(),
            until,
            stop: stop.clone(),
        });
        (number, stop)
    }

    /// Gives up the search that is under way, if there is one.
    pub(crate) fn stop_seeking(&self) {
        if let Some(seeking) = self.state().seeking.take() {
            seeking.stop.cancel();
        }
    }

    /// A search is over. Whether no other took its place.
    pub(crate) fn sought(&self, number: u64) -> bool {
        let mut state = self.state();
        if state
            .seeking
            .as_ref()
            .is_some_and(|seeking| seeking.number != number)
        {
            return false;
        }
        state.seeking = None;
        true
    }

    /// A replay is the last of the adapters, in place of any other; `None` takes it out of the list.
    pub(crate) fn list_replay(&self, replay: Option<(Arc<dyn Backend>, AdapterInfo)>) {
        let mut state = self.state();
        state
            .adapters
            .retain(|(backend, _)| backend.kind() != RadioKind::Replay);
        state.adapters.extend(replay);
    }

    /// Whether a scan runs.
    pub(crate) fn scanning(&self) -> bool {
        self.state().scanning
    }

    /// Ends the scan, if one runs.
    pub(crate) async fn stop_scan(&self) {
        self.state().scanning = false;
        if let Ok(radio) = self.radio() {
            let _ = radio.stop_scan().await;
        }
    }

    fn view(&self, wall: WallOffset, links_up: usize) -> RadioView {
        let state = self.state();
        let adapters = state
            .adapters
            .iter()
            .map(|(backend, info)| AdapterView {
                id: address(backend.kind(), &info.id),
                name: decode::clean::text(&info.name, 40).into_owned(),
                address: info.address.map(|address| address.to_string()),
                stack: backend.stack().into(),
                simulated: is_virtual(backend.kind()),
            })
            .collect();
        let open = state.open.as_ref();
        RadioView {
            adapters,
            adapter: open.map(|open| open.id.clone()),
            opening: open.map_or(0, |open| u32::try_from(open.number).unwrap_or(u32::MAX)),
            links_up: u32::try_from(links_up).unwrap_or(u32::MAX),
            stack: open.map_or("", |open| open.stack).into(),
            simulated: open.is_some_and(|open| is_virtual(open.kind)),
            fallback: state.fallback.clone(),
            state: open
                .map_or("none", |open| state_name(*open.radio.state().borrow()))
                .into(),
            scanning: state.scanning,
            seeking: state.seeking.as_ref().map(|seeking| SeekView {
                text: seeking.text.clone(),
                until_ms: wall.ms(seeking.until),
            }),
            passive: state.scanning && state.passive,
            caps: open.map_or_else(Vec::new, |open| {
                open.radio
                    .caps()
                    .iter()
                    .map(|(cap, support)| {
                        let (word, reason) = match support {
                            Support::Yes => ("yes", ""),
                            Support::Partly(reason) => ("partly", *reason),
                            Support::No(reason) => ("no", *reason),
                        };
                        CapView {
                            cap: serde_json::to_value(cap)
                                .ok()
                                .and_then(|word| word.as_str().map(Into::into))
                                .unwrap_or_default(),
                            label: cap.label().into(),
                            support: word.into(),
                            reason: reason.into(),
                        }
                    })
                    .collect()
            }),
        }
    }
}

impl Inner {
    /// How many devices are connected.
    fn links_up(&self) -> usize {
        let connections = self.connections();
        connections.iter().filter(|c| c.link().is_ok()).count()
    }

    pub(crate) fn tell_radio(&self) {
        let _order = self.news.order();
        self.news
            .tell(Event::Radio(self.radios.view(self.wall, self.links_up())));
    }

    /// Looks for adapters and, unless one is in use that is still there, opens the best.
    pub(crate) async fn look(self: &Arc<Self>) -> Result<(), Problem> {
        let turn = self.radios.turn.lock().await;
        let mut adapters = Vec::new();
        let mut trouble = None;
        let used = self.radios.state().open.as_ref().map(|open| open.kind);
        for backend in &self.backends() {
            match backend.adapters().await {
                Ok(found) => {
                    adapters.extend(found.into_iter().map(|info| (Arc::clone(backend), info)))
                }
                Err(error) => {
                    tracing::warn!(stack = backend.stack(), %error, "no adapters");
                    let real = !is_virtual(backend.kind());
                    if real && used == Some(backend.kind()) {
                        // Its adapter may be back as soon as the service is: nothing is given up.
                        self.tell_radio();
                        return Err(error.into());
                    }
                    trouble = Some(Problem::from(error));
                }
            }
        }
        let wanted = self.preference(|preferences| preferences.adapter.clone());
        let is = |wanted: &Option<String>, (backend, info): &&(Arc<dyn Backend>, AdapterInfo)| {
            wanted.as_ref() == Some(&address(backend.kind(), &info.id))
        };
        let real = |(backend, _): &&(Arc<dyn Backend>, AdapterInfo)| !is_virtual(backend.kind());
        let (best, fallback) = match adapters
            .iter()
            .find(|adapter| is(&wanted, adapter))
            .or_else(|| adapters.iter().find(real))
        {
            Some(best) => (Some(best.clone()), None),
            None => (
                adapters.first().cloned(),
                Some(self.radios.fallback(trouble.as_ref())),
            ),
        };
        let current = {
            let mut state = self.radios.state();
            state.adapters.clone_from(&adapters);
            state.open.as_ref().map(|open| (open.id.clone(), open.kind))
        };
        let Some((backend, info)) = best else {
            self.tell_radio();
            return Err(
                trouble.unwrap_or_else(|| radio::Error::NoAdapter { id: String::new() }.into())
            );
        };
        // Looking again must not take away a radio that works, but a real one replaces the lab that
        // stood in for it.
        let id = address(backend.kind(), &info.id);
        let stays = current.is_some_and(|(open, kind)| {
            open == id
                || (kind != RadioKind::Simulated
                    && adapters
                        .iter()
                        .any(|(backend, info)| address(backend.kind(), &info.id) == open))
        });
        let opened = if stays {
            Ok(())
        } else {
            self.open(&backend, &info.id, fallback).await
        };
        drop(turn);
        self.tell_radio();
        opened
    }

    /// Whether the adapter itself went, or the system's service under it.
    async fn why_gone(&self, id: &str) -> radio::Error {
        let backend = {
            let state = self.radios.state();
            let found = state
                .adapters
                .iter()
                .find(|(backend, info)| address(backend.kind(), &info.id) == id);
            found.map(|(backend, _)| Arc::clone(backend))
        };
        let gone = radio::Error::NoAdapter {
            id: id.split_once(':').map_or(id, |(_, name)| name).into(),
        };
        let Some(backend) = backend else { return gone };
        match tokio::time::timeout(WHY, backend.adapters()).await {
            Ok(Err(error)) => error,
            Ok(Ok(_)) | Err(_) => gone,
        }
    }

    /// Keeps the list of adapters as it is now, and says when a real one could take the place of the
    /// lab. It never changes the radio in use: somebody may be at work with it.
    async fn refresh(&self) {
        let _turn = self.radios.turn.lock().await;
        let mut adapters = Vec::new();
        for backend in &self.backends() {
            if let Ok(found) = backend.adapters().await {
                adapters.extend(found.into_iter().map(|info| (Arc::clone(backend), info)));
            }
        }
        let news = {
            let mut state = self.radios.state();
            let known: Vec<_> = state.adapters.iter().map(|(_, info)| &info.id).collect();
            let fresh = adapters
                .iter()
                .find(|(backend, info)| !is_virtual(backend.kind()) && !known.contains(&&info.id))
                .map(|(_, info)| info.name.clone());
            state.adapters = adapters;
            let gone = |open: &Open| *open.radio.state().borrow() == RadioState::Gone;
            let gone = state.open.as_ref().is_some_and(gone);
            let fallback = state.fallback.is_some();
            fresh.filter(|_| fallback || gone).map(|name| (name, gone))
        };
        if let Some((name, gone)) = news {
            let name = decode::clean::text(&name, 40).into_owned();
            let problem = if gone {
                Problem::new(
                    "adapter_found",
                    format!("{name} is there now; the adapter that was in use is not."),
                    "Look again to use it. What was recorded is kept; the tabs of devices close.",
                )
            } else {
                Problem::new(
                    "adapter_found",
                    format!("{name} is there now; the simulated lab is still in use."),
                    "Look again to use the adapter. Connections to virtual devices end.",
                )
            };
            self.notice(
                "info",
                "Bluetooth adapter found",
                problem,
                None,
                "look_again",
            );
        }
        self.tell_radio();
    }

    pub(crate) async fn open(
        self: &Arc<Self>,
        backend: &Arc<dyn Backend>,
        adapter: &AdapterId,
        fallback: Option<String>,
    ) -> Result<(), Problem> {
        let radio = backend.open(adapter).await?;
        self.radios.stop_scan().await;
        let last = std::mem::take(
            &mut *self
                .connections
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for connection in last.values() {
            connection.state().closed = true;
            self.disconnect(connection).await;
        }
        // Nothing will come to these lines any more, whatever the next radio calls its devices.
        self.scope.clear();
        self.forget_tracks();
        self.devices().clear();
        let id = address(backend.kind(), adapter);
        // A system may begin to pair by itself, when a protected value is read.
        let asks = Arc::downgrade(self);
        radio.answer_pairing(Arc::new(move |request| {
            if let Some(inner) = asks.upgrade() {
                inner.asked(request);
            }
        }));
        let states = radio.state();
        let number;
        {
            let mut state = self.radios.state();
            state.fallback = fallback;
            state.openings += 1;
            number = state.openings;
            state.open = Some(Open {
                number,
                id: id.clone(),
                kind: backend.kind(),
                stack: backend.stack(),
                radio,
            });
        }
        self.log_done(
            "scan",
            "Radio",
            None,
            None,
            format!("{} {adapter}", backend.stack()),
        );
        self.runtime
            .spawn(watch(Arc::clone(self), number, id, states));
        if backend.kind() != RadioKind::Replay {
            self.replay_over().await;
        }
        Ok(())
    }

    pub(crate) async fn scan(self: &Arc<Self>) -> Result<(), Problem> {
        let _turn = self.radios.turn.lock().await;
        let radio = self.radios.radio()?;
        let inner = Arc::clone(self);
        let sink = Arc::new(move |report: Advertisement| inner.heard(report));
        let wanted = self.preference(|preferences| preferences.passive_scan);
        let passive = wanted && radio.caps().has(Cap::PassiveScan);
        let filter = ScanFilter {
            passive,
            ..ScanFilter::default()
        };
        radio.start_scan(filter, sink).await?;
        self.devices().set_samples(passive);
        // Who is connected to the system already may not advertise.
        let connected = tokio::time::timeout(WHY, radio.connected()).await;
        let connected = connected.ok().and_then(Result::ok).unwrap_or_default();
        self.devices().release();
        for (device, name) in connected {
            let (starred, alias) = self.chosen(device.as_str());
            let now = self.now();
            self.devices()
                .note(&device, name.as_deref(), now, starred, alias);
            if let Some(connection) = self.known_connection(&device) {
                let phase = connection.state().phase.name();
                self.devices().set_link(&device, phase);
            }
        }
        {
            let mut state = self.radios.state();
            state.scanning = true;
            state.passive = passive;
            state.wanted = true;
        }
        let now = self.now();
        self.record(|recorder| {
            recorder.record(now, session::Event::ScanStarted { filter: "".into() });
        });
        self.log_done(
            "scan",
            "Scan started",
            None,
            None,
            if passive {
                "Every device, every report, without scan responses"
            } else {
                "Every device, every report"
            },
        );
        self.tell_radio();
        Ok(())
    }

    /// Whether the user has starred a device, and the user's own name for it.
    pub(crate) fn chosen(&self, id: &str) -> (bool, Option<String>) {
        self.preference(|preferences| {
            (
                preferences.favourites.contains(id),
                preferences.aliases.get(id).cloned(),
            )
        })
    }

    /// Takes an advertisement, on the radio's task.
    pub(crate) fn heard(&self, report: Advertisement) {
        self.adverts
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // First of all: what looks at it may be slow, or fail.
        self.record_advertisement(&report);
        let (starred, alias) = self.chosen(report.device.as_str());
        self.hear_advert(&report, starred, alias.as_deref());
    }

    pub(crate) async fn end_scan(&self) -> Result<(), Problem> {
        let _turn = self.radios.turn.lock().await;
        let radio = self.radios.radio()?;
        let ended = radio.stop_scan().await;
        {
            let mut state = self.radios.state();
            state.scanning = false;
            state.wanted = false;
        }
        let now = self.now();
        self.record(|recorder| recorder.record(now, session::Event::ScanStopped));
        self.log_done("scan", "Scan stopped", None, None, "");
        self.tell_radio();
        Ok(ended?)
    }
}

/// Tells the window how the adapter stands, as long as it is the one in use.
async fn watch(
    inner: Arc<Inner>,
    number: u64,
    id: String,
    mut states: tokio::sync::watch::Receiver<RadioState>,
) {
    loop {
        tokio::select! {
            changed = states.changed() => if changed.is_err() { return },
            () = inner.closing.cancelled() => return,
        }
        if inner
            .radios
            .state()
            .open
            .as_ref()
            .is_none_or(|open| open.number != number)
        {
            return;
        }
        let state = *states.borrow_and_update();
        let now = inner.now();
        inner.record(|recorder| {
            let adapter = id.as_str().into();
            recorder.record(now, session::Event::AdapterState { state, adapter });
        });
        inner.log_done("scan", "Adapter", None, None, state_name(state));
        let problem = match state {
            RadioState::On | RadioState::Unknown => None,
            RadioState::Off => Some((radio::Error::PoweredOff, "power_on")),
            RadioState::Unauthorized => Some((radio::Error::Unauthorized, "")),
            RadioState::Gone => Some((inner.why_gone(&id).await, "look_again")),
        };
        if problem.is_some() {
            inner.radios.state().scanning = false;
        }
        inner.tell_radio();
        // What is over already needs no note.
        if let Some((error, action)) = problem
            && *states.borrow() == state
        {
            let title = "Bluetooth is not available";
            inner.notice("bad", title, error.into(), None, action);
        }
        let again = || {
            let radios = inner.radios.state();
            radios.wanted && !radios.scanning
        };
        // Nobody asked for the scan to end. A system may say that the adapter is on before it scans.
        for attempt in 1..=COMING_BACK {
            if !again() || *states.borrow() != RadioState::On {
                break;
            }
            match inner.scan().await {
                Ok(()) => break,
                Err(problem) if attempt == COMING_BACK => {
                    inner.log_problem("scan", "Scan", None, None, &problem);
                }
                Err(_) => tokio::time::sleep(SETTLED).await,
            }
        }
    }
}

/// Sees adapters come and go, where the system tells.
pub(crate) async fn watch_adapters(
    inner: Arc<Inner>,
    mut changes: tokio::sync::watch::Receiver<u64>,
) {
    loop {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = inner.closing.cancelled() => return,
        }
        // An adapter that is plugged in is told in several steps.
        tokio::time::sleep(SETTLED).await;
        changes.borrow_and_update();
        inner.refresh().await;
    }
}

impl Explorer {
    /// Chooses whether scans ask for scan responses, from now on.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if a scan that runs cannot be started anew.
    pub async fn set_passive_scan(&self, on: bool) -> Result<(), Problem> {
        self.prefer(|preferences| preferences.passive_scan = on);
        if self.0.radios.scanning() {
            self.start_scan().await?;
        }
        Ok(())
    }

    /// Looks for adapters again and uses the best one: the one chosen last, else a real one, else the
    /// simulated lab.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is none at all, or it cannot be opened.
    pub async fn look_again(&self) -> Result<(), Problem> {
        self.run(|inner| async move { inner.look().await }).await
    }

    /// Uses another adapter. Connections of the last one end.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if it is not there or cannot be opened; then the last one stays in use.
    pub async fn choose_adapter(&self, id: String) -> Result<(), Problem> {
        self.run(|inner| async move {
            let turn = inner.radios.turn.lock().await;
            if inner.radios.in_use(&id) {
                return Ok(());
            }
            let found = inner
                .radios
                .state()
                .adapters
                .iter()
                .find(|(backend, info)| address(backend.kind(), &info.id) == id)
                .cloned();
            let Some((backend, info)) = found else {
                return Err(radio::Error::NoAdapter { id }.into());
            };
            let (scans, links) = (inner.radios.scanning(), inner.links_up());
            inner.open(&backend, &info.id, None).await?;
            drop(turn);
            inner.prefer(|preferences| preferences.adapter = Some(id));
            inner.tell_radio();
            if links > 0 {
                let problem = Problem::new(
                    "adapter_changed",
                    match links {
                        1 => "The connection of the last adapter ended.".to_owned(),
                        links => format!("The {links} connections of the last adapter ended."),
                    },
                    "What was recorded is kept.",
                );
                inner.notice("info", "Another adapter is in use", problem, None, "");
            }
            // Who listens goes on listening.
            if scans {
                inner.scan().await?;
            }
            Ok(())
        })
        .await
    }

    /// Switches the adapter on or off.
    ///
    /// # Errors
    ///
    /// A [`Problem`], also where the system lets no program do so.
    pub async fn set_power(&self, on: bool) -> Result<(), Problem> {
        self.run(move |inner| async move { Ok(inner.radios.radio()?.set_power(on).await?) })
            .await
    }

    /// Starts scanning.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the radio cannot.
    pub async fn start_scan(&self) -> Result<(), Problem> {
        self.run(|inner| async move { inner.scan().await }).await
    }

    /// Stops scanning.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is no radio, or it did not stop well.
    pub async fn stop_scan(&self) -> Result<(), Problem> {
        self.run(|inner| async move { inner.end_scan().await })
            .await
    }

    /// Runs radio work on the radio's runtime, wherever the caller is.
    pub(crate) async fn run<T, F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let work = work(Arc::clone(&self.0));
        self.0.runtime.spawn(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "an operation ended abnormally");
            Err(Problem::new(
                "internal",
                "Gattscope made a mistake and gave the operation up.",
                "Try again. The log says more, and a report of it helps.",
            ))
        })
    }
}
