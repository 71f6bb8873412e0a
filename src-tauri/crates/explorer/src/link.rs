//! Connecting and disconnecting, and seeing at once when a link ends by itself.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use radio::{
    AttrKind, Cap, ConnectOptions, ConnectionPreset, DeviceId, DisconnectReason, Link, LinkState,
};
use session::Event as Recorded;
use tokio_util::sync::CancellationToken;

use crate::attribute::Attribute;
use crate::connection::{Connection, Phase, Up};
use crate::explorer::{Explorer, Inner};
use crate::formats::DESCRIBING;
use crate::reconnect::Retry;
use crate::view::{Event, Problem};

/// The longest time that a person can ask for.
const LONGEST_TIMEOUT_S: u32 = 300;
/// How often the signal of a link is measured.
const MEASURE: Duration = Duration::from_secs(2);
/// How soon after the answer to a question of pairing the end of a link speaks of the answer.
const NOT_THE_KEY: Duration = Duration::from_secs(5);
/// How long the end of a link may take before it is given up.
const DISCONNECT: Duration = Duration::from_secs(10);

impl Inner {
    /// The connection to a device, made if there is none.
    fn connection(&self, device: &DeviceId) -> Arc<Connection> {
        let mut connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let connection = connections
            .entry(device.clone())
            .or_insert_with(|| Arc::new(Connection::new(device.clone(), self.now())));
        Arc::clone(connection)
    }

    pub(crate) fn known_connection(&self, device: &DeviceId) -> Option<Arc<Connection>> {
        let connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        connections.get(device).cloned()
    }

    pub(crate) fn set_phase(&self, connection: &Connection, phase: Phase) {
        {
            let mut state = connection.state();
            state.phase = phase;
            state.since = self.now();
            state.deadline = None;
            if state.closed {
                return;
            }
        }
        self.devices().set_link(&connection.device, phase.name());
        self.scope
            .set_live(connection.device.as_str(), phase == Phase::Connected);
        self.tell_devices();
        self.tell_link(connection);
        self.tell_series();
    }

    /// How long connecting may take.
    pub(crate) fn patience(&self) -> Duration {
        let seconds = self.preference(|preferences| preferences.connect_timeout_s);
        Duration::from_secs(u64::from(seconds.clamp(1, LONGEST_TIMEOUT_S)))
    }

    async fn connect(self: &Arc<Self>, device: DeviceId) -> Result<(), Problem> {
        let connection = self.connection(&device);
        {
            let mut state = connection.state();
            if let Some(retry) = &state.retry {
                // It is waited for already: now, then.
                retry.now();
                return Ok(());
            }
            if !matches!(state.phase, Phase::Disconnected | Phase::Failed) {
                return Err(radio::Error::Busy {
                    operation: "Connecting to this device",
                }
                .into());
            }
            state.asked = false;
        }
        match self.attempt(&connection, self.patience()).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let cancelled = error == radio::Error::Cancelled;
                let problem = Problem::from(error);
                let phase = if cancelled {
                    Phase::Disconnected
                } else {
                    connection.state().problem = Some(problem.clone());
                    Phase::Failed
                };
                self.set_phase(&connection, phase);
                Err(problem)
            }
        }
    }

    /// Tries once to connect. The caller says what a failure means for the connection.
    pub(crate) async fn attempt(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        timeout: Duration,
    ) -> radio::Result<()> {
        let radio = self.radios.open_radio()?;
        let device = &connection.device;
        let cancel = CancellationToken::new();
        {
            let mut state = connection.state();
            if state.asked || state.closed {
                return Err(radio::Error::Cancelled);
            }
            state.phase = Phase::Connecting;
            state.cancel = cancel.clone();
            state.problem = None;
            state.unexpected = false;
        }
        self.set_phase(connection, Phase::Connecting);
        // One after the other: systems refuse, or cancel, what is asked for at once.
        let _turn = tokio::select! {
            turn = self.connecting.lock() => turn,
            () = cancel.cancelled() => return Err(radio::Error::Cancelled),
        };
        let started = self.now();
        connection.state().deadline = Some(started.after(timeout));
        self.tell_link(connection);
        let key = self.record_device(device);
        if let Some(key) = key {
            self.record(|recorder| recorder.record(started, Recorded::Connecting { device: key }));
        }
        let limit = format!("Gives up after {} s", timeout.as_secs());
        self.log_done("link", "Connect", Some(device), None, limit);
        let options = ConnectOptions { timeout };
        let error = match radio.connect(device, options, cancel.clone()).await {
            Ok(link) => {
                if self.connected(connection, Arc::clone(&link), started) {
                    return Ok(());
                }
                // Nobody wants it any more: it was given up in the moment in which it came up.
                match tokio::time::timeout(DISCONNECT, link.disconnect()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "an unwanted link did not end well"),
                    Err(_) => tracing::warn!("an unwanted link did not end in time"),
                }
                radio::Error::Cancelled
            }
            Err(error) => error,
        };
        if let Some(key) = key {
            let (failure, now) = ((&error).into(), self.now());
            let device = key;
            self.record(|recorder| {
                recorder.record(now, Recorded::ConnectFailed { device, failure });
            });
        }
        if error == radio::Error::Cancelled {
            self.log_done("link", "Connect cancelled", Some(device), None, "");
        } else {
            let problem = Problem::from(error.clone());
            self.log_problem("link", "Connect failed", Some(device), None, &problem);
        }
        Err(error)
    }

    fn record_device(&self, device: &DeviceId) -> Option<session::DeviceKey> {
        let mut key = None;
        self.record(|recorder| key = Some(recorder.device(device, None)));
        key
    }

    /// Takes a link over that has come up; `false` if nobody wants it any more.
    fn connected(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        link: Arc<dyn Link>,
        started: radio::Timestamp,
    ) -> bool {
        let now = self.now();
        let db = link.gatt();
        let mtu = *link.mtu().borrow();
        let rssi = self.devices().rssi(&connection.device);
        {
            let mut state = connection.state();
            if state.asked || state.closed || state.cancel.is_cancelled() {
                return false;
            }
            state.up = Some(Up {
                link: Arc::clone(&link),
                key: None,
            });
            state.retry = None;
            state.parameters = None;
            state.mtu = mtu;
            state.rssi = rssi;
        }
        {
            let _same = self.beginning();
            let key = self.record_link(connection, &*link);
            if let Some(up) = &mut connection.state().up {
                up.key = key;
            }
        }
        connection.discovered(&*link, self.formats_of(connection));
        self.count(connection);
        self.give_names(connection);
        self.log_done(
            "link",
            "Connected",
            Some(&connection.device),
            None,
            format!(
                "After {} ms{}",
                now.since(started).as_millis(),
                mtu.map_or_else(String::new, |mtu| format!(", ATT MTU {mtu}"))
            ),
        );
        let count = |kind| db.attributes().iter().filter(|a| a.kind == kind).count();
        self.log_done(
            "discovery",
            "Discovered",
            Some(&connection.device),
            None,
            format!(
                "{} services, {} characteristics",
                count(AttrKind::Service),
                count(AttrKind::Characteristic)
            ),
        );
        self.set_phase(connection, Phase::Connected);
        // Some capabilities show with a connection.
        self.tell_radio();
        self.tell_tree(connection);
        // What is remembered goes on under new identifiers.
        self.tell_values(true);
        self.runtime.spawn(watch(
            Arc::clone(self),
            Arc::clone(connection),
            Arc::clone(&link),
        ));
        self.runtime.spawn(measure(
            Arc::clone(self),
            Arc::clone(connection),
            Arc::clone(&link),
        ));
        let (inner, connection) = (Arc::clone(self), Arc::clone(connection));
        self.runtime.spawn(async move {
            inner.subscribe_again(&connection).await;
            inner.paired_now(&connection.device).await;
            describe(inner, connection).await;
        });
        true
    }

    /// Begins a link in the recording.
    fn record_link(&self, connection: &Connection, link: &dyn Link) -> Option<session::LinkKey> {
        let mut key = None;
        let now = self.now();
        self.record(|recorder| key = Some(begin_link(recorder, now, &connection.device, link)));
        key
    }

    pub(crate) fn tell_tree(&self, connection: &Connection) {
        let _order = self.news.order();
        if let Some(gatt) = connection.gatt() {
            self.news.tell(Event::Gatt(gatt));
        }
    }

    /// The device has other services than before. The radio keeps subscriptions where an attribute
    /// kept its handle and UUID; one that only kept its place is subscribed again.
    fn services_changed(self: &Arc<Self>, connection: &Arc<Connection>, link: &Arc<dyn Link>) {
        let key = connection.state().up.as_ref().and_then(|up| up.key);
        let (now, db) = (self.now(), link.gatt());
        if let Some(key) = key {
            self.record(|recorder| recorder.attributes(now, key, &db));
        }
        let kept: Vec<_> = connection
            .attributes()
            .iter()
            .map(|attribute| (attribute.handle, attribute.uuid))
            .collect();
        connection.discovered(&**link, self.formats_of(connection));
        self.count(connection);
        self.give_names(connection);
        for attribute in connection.attributes().iter() {
            let lost = attribute.memory().subscribed
                && !kept.contains(&(attribute.handle, attribute.uuid))
                && self.down(connection, attribute, now, false);
            if lost {
                let (inner, id) = (Arc::clone(self), attribute.id);
                self.runtime.spawn(async move { inner.subscribe(id).await });
            }
        }
        let attributes = db.attributes().len();
        let detail = format!("{attributes} attributes now");
        let device = Some(&connection.device);
        self.log_done("discovery", "Services changed", device, None, detail);
        self.tell_tree(connection);
        self.tell_values(true);
        let (inner, connection) = (Arc::clone(self), Arc::clone(connection));
        self.runtime.spawn(describe(inner, connection));
    }

    /// Breaks off a subscription, and says whether there was one.
    fn down(
        &self,
        connection: &Connection,
        attribute: &Attribute,
        now: radio::Timestamp,
        asked: bool,
    ) -> bool {
        self.settle(connection, attribute, None);
        let (subscribed, before) = attribute.memory().link_down(now, asked);
        if let Some((from, to)) = before {
            self.missed(&connection.device, attribute, from, to);
        }
        subscribed
    }

    /// Writes what was lost with a link that is not waited for any more.
    pub(crate) fn outages_end(&self, connection: &Connection) {
        let now = self.now();
        for attribute in connection.attributes().iter() {
            self.outage_ends(&connection.device, attribute, now);
        }
    }

    /// Ends a link because somebody asked for it, or cancels the attempt to make one.
    pub(crate) async fn disconnect(self: &Arc<Self>, connection: &Arc<Connection>) {
        let link = {
            let mut state = connection.state();
            state.asked = true;
            state.cancel.cancel();
            state.wanted.clear();
            drop(state);
            // Nobody waits any more for what was lost with a link.
            self.outages_end(connection);
            let mut state = connection.state();
            if let Some(retry) = &state.retry {
                retry.stop();
            }
            let link = state.up.as_ref().map(|up| Arc::clone(&up.link));
            if link.is_some() {
                state.phase = Phase::Disconnecting;
            }
            link
        };
        let Some(link) = link else { return };
        self.set_phase(connection, Phase::Disconnecting);
        match tokio::time::timeout(DISCONNECT, link.disconnect()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the link did not end well"),
            Err(_) => tracing::warn!("the system did not end the link in time"),
        }
        // The system may be silent about an end that was asked for.
        self.ended(connection, &link, &DisconnectReason::Requested);
    }

    /// A link has ended, whoever noticed first.
    fn ended(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        link: &Arc<dyn Link>,
        reason: &DisconnectReason,
    ) {
        let now = self.now();
        let (up, asked) = {
            let mut state = connection.state();
            match &state.up {
                Some(up) if Arc::ptr_eq(&up.link, link) => {}
                _ => return,
            }
            // Whatever words the system has for an end that somebody asked for.
            (state.up.take(), state.asked)
        };
        let reason = match reason {
            _ if asked => &DisconnectReason::Requested,
            reason => reason,
        };
        if let Some(link) = up.and_then(|up| up.key) {
            let reason = reason.clone();
            self.record(|recorder| recorder.record(now, Recorded::Disconnected { link, reason }));
        }
        let mut wanted = Vec::new();
        for attribute in connection.attributes().iter() {
            if self.down(connection, attribute, now, asked) {
                wanted.push(attribute.key.clone());
            }
        }
        let comes_back = *reason != DisconnectReason::Requested && self.stays(&connection.device);
        let hint = if comes_back {
            "What was recorded is kept. Gattscope connects again by itself; the countdown is in the \
             device's tab."
        } else {
            "What was recorded is kept. Bring the device nearer, check its power, then reconnect."
        };
        let answered = connection.state().answered.take();
        let keys = |at: radio::Timestamp| now.since(at) < NOT_THE_KEY;
        let problem = match reason {
            DisconnectReason::Requested => None,
            // BlueZ tells nobody how a pairing ended that it began by itself.
            DisconnectReason::Remote(_) if answered.is_some_and(keys) => Some(Problem::new(
                "pairing",
                "The connection ended right after the number was answered: it was probably wrong, or the \
                 device refused.",
                "Pair with the device again, and compare the number.",
            )),
            DisconnectReason::Remote(words) => Some(Problem::new(
                "disconnected",
                match words {
                    Some(words) => {
                        format!("The connection ended: {}.", decode::clean::text(words, 120))
                    }
                    None => "The connection ended. The system gave no reason.".into(),
                },
                hint,
            )),
            DisconnectReason::AdapterLost => Some(Problem::new(
                "adapter_lost",
                "The connection ended because the adapter went off or away.",
                if comes_back {
                    "What was recorded is kept. Turn the adapter on; Gattscope then connects again by itself."
                } else {
                    "What was recorded is kept. Turn the adapter on, then reconnect."
                },
            )),
        };
        {
            let mut state = connection.state();
            state.unexpected = problem.is_some();
            state.problem.clone_from(&problem);
            if problem.is_some() {
                for key in wanted {
                    if !state.wanted.contains(&key) {
                        state.wanted.push(key);
                    }
                }
            }
        }
        let retry = {
            let mut state = connection.state();
            // Somebody may have asked for the end meanwhile.
            let retry = (comes_back && !state.asked && !state.closed).then(Retry::first);
            state.retry.clone_from(&retry);
            retry
        };
        let comes_back = retry.is_some();
        match problem {
            None => self.log_done(
                "link",
                "Disconnected",
                Some(&connection.device),
                None,
                "As asked",
            ),
            Some(problem) => {
                self.log_problem(
                    "link",
                    "Disconnected",
                    Some(&connection.device),
                    None,
                    &problem,
                );
                let name = self.devices().name(&connection.device).0;
                let title = format!("{name} disconnected");
                let action = match problem.code.as_str() {
                    "pairing" => "pair",
                    _ if comes_back => "",
                    _ => "reconnect",
                };
                self.notice("bad", title, problem, Some(&connection.device), action);
            }
        }
        let phase = if comes_back {
            Phase::Retrying
        } else {
            Phase::Disconnected
        };
        self.set_phase(connection, phase);
        self.tell_values(false);
        if let Some(retry) = retry {
            let (inner, connection) = (Arc::clone(self), Arc::clone(connection));
            self.runtime.spawn(inner.come_back(connection, retry));
        } else {
            self.outages_end(connection);
        }
    }
}

/// Begins a link in a recording: its device, its attributes, its MTU.
pub(crate) fn begin_link(
    recorder: &session::Recorder,
    now: radio::Timestamp,
    device: &DeviceId,
    link: &dyn Link,
) -> session::LinkKey {
    let device = recorder.device(device, None);
    let key = recorder.link_up(now, device);
    recorder.attributes(now, key, &link.gatt());
    if let Some(mtu) = *link.mtu().borrow() {
        recorder.record(now, Recorded::Mtu { link: key, mtu });
    }
    key
}

/// What was measured, if that succeeded in time.
async fn in_time<T>(measured: impl Future<Output = radio::Result<T>>) -> Option<T> {
    tokio::time::timeout(MEASURE, measured).await.ok()?.ok()
}

/// Measures the signal of a link and its connection parameters for as long as it is up, where the
/// system can.
async fn measure(inner: Arc<Inner>, connection: Arc<Connection>, link: Arc<dyn Link>) {
    let Ok(caps) = inner.radios.open_radio().map(|radio| radio.caps()) else {
        return;
    };
    let (signal, parameters) = (caps.has(Cap::LinkRssi), caps.has(Cap::ConnectionParameters));
    if !signal && !parameters {
        return;
    }
    let mut states = link.state();
    let mut pace = tokio::time::interval(MEASURE);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let measured = async {
            pace.tick().await;
            // A device that does not answer in time is measured the next time.
            let rssi = match signal {
                true => in_time(link.rssi()).await,
                false => None,
            };
            let in_force = match parameters {
                true => in_time(link.connection_parameters()).await,
                false => None,
            };
            (rssi, in_force)
        };
        let (rssi, in_force) = tokio::select! {
            measured = measured => measured,
            _ = states.wait_for(|state| *state != LinkState::Up) => return,
            () = inner.closing.cancelled() => return,
        };
        let key = {
            let mut state = connection.state();
            state.rssi = rssi.map_or(state.rssi, |rssi| Some(rssi.0));
            state.parameters = in_force.or(state.parameters);
            state.up.as_ref().and_then(|up| up.key)
        };
        if let (Some(link), Some(rssi)) = (key, rssi) {
            let now = inner.now();
            inner.record(|recorder| recorder.record(now, Recorded::Rssi { link, rssi }));
        }
        inner.tell_link(&connection);
    }
}

/// Waits for another discovery; for ever where the radio discovers once.
async fn changed(services: &mut Option<tokio::sync::watch::Receiver<Arc<radio::GattDb>>>) {
    if let Some(receiver) = services
        && receiver.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// Sees the end of a link, changes of its MTU, and changes of the device's services.
async fn watch(inner: Arc<Inner>, connection: Arc<Connection>, link: Arc<dyn Link>) {
    let (mut states, mut mtus, mut services) = (link.state(), link.mtu(), link.gatt_live());
    loop {
        let state = states.borrow_and_update().clone();
        if let LinkState::Down(reason) = state {
            return inner.ended(&connection, &link, &reason);
        }
        let mtu = tokio::select! {
            changed = states.changed() => {
                if changed.is_err() {
                    return inner.ended(&connection, &link, &DisconnectReason::Remote(None));
                }
                continue;
            }
            Ok(()) = mtus.changed() => *mtus.borrow_and_update(),
            () = changed(&mut services) => {
                inner.services_changed(&connection, &link);
                continue;
            }
            () = inner.closing.cancelled() => return,
        };
        let key = {
            let mut state = connection.state();
            state.mtu = mtu;
            state.up.as_ref().and_then(|up| up.key)
        };
        if let (Some(link), Some(mtu)) = (key, mtu) {
            let now = inner.now();
            inner.record(|recorder| recorder.record(now, Recorded::Mtu { link, mtu }));
            inner.log_done(
                "link",
                "MTU changed",
                Some(&connection.device),
                None,
                mtu.to_string(),
            );
        }
        // What a write can carry follows from it.
        connection.discovered(&*link, inner.formats_of(&connection));
        inner.tell_tree(&connection);
        inner.tell_link(&connection);
    }
}

/// Reads the device's own names for its characteristics (0x2901) and how it presents their values (0x2904,
/// 0x2905), so that the tree can show them.
async fn describe(inner: Arc<Inner>, connection: Arc<Connection>) {
    let attributes = connection.attributes();
    let mut found = inner.learn_presented(&connection);
    if found {
        // A descriptor that said something is gone.
        inner.decode_anew(&|of, _| of.device == connection.device);
    }
    for attribute in attributes
        .iter()
        .filter(|attribute| DESCRIBING.contains(&attribute.uuid))
    {
        let generation = Some(attribute.id.generation);
        if attribute.memory().described == generation {
            continue;
        }
        if connection.link().is_err() {
            return;
        }
        // A device that refuses one may still answer the next. Nobody asked for the value, so that a
        // failure is the log's and not the row's.
        let read = inner.read(attribute.id).await;
        {
            let mut memory = attribute.memory();
            memory.described = generation;
            if read.is_err() {
                memory.problem = None;
            }
        }
        found |= read.is_ok();
    }
    if found {
        inner.tell_tree(&connection);
    }
}

impl Explorer {
    /// Connects to a device, reads its services and shows them. Where a reconnection is waited for, its
    /// next attempt begins at once, and this returns before it ends.
    ///
    /// # Errors
    ///
    /// A [`Problem`]: it was not found, refused, took too long, or was cancelled.
    pub async fn connect(&self, device: DeviceId) -> Result<(), Problem> {
        self.run(|inner| async move { inner.connect(device).await })
            .await
    }

    /// Asks a connected device for other connection parameters; `preset` is `balanced`, `throughput` or
    /// `power`. What is in force then, the device decides; the link's view shows it.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is no such preset, or the system or the device refuses.
    pub async fn request_parameters(
        &self,
        device: DeviceId,
        preset: String,
    ) -> Result<(), Problem> {
        let wanted = match preset.as_str() {
            "balanced" => ConnectionPreset::Balanced,
            "throughput" => ConnectionPreset::Throughput,
            "power" => ConnectionPreset::Power,
            other => {
                let text = format!("There are no connection parameters called \"{other}\".");
                return Err(Problem::input(text, 0));
            }
        };
        self.run(move |inner| async move {
            let connection = inner
                .known_connection(&device)
                .ok_or(radio::Error::NotConnected)?;
            let link = connection.link()?;
            let result = link.request_connection_parameters(wanted).await;
            let operation = "Connection parameters";
            match result {
                Ok(()) => {
                    connection.state().parameters = link.connection_parameters().await.ok();
                    inner.log_done("link", operation, Some(&device), None, preset);
                    inner.tell_link(&connection);
                    Ok(())
                }
                Err(error) => {
                    let problem = Problem::from(error);
                    inner.log_problem("link", operation, Some(&device), None, &problem);
                    Err(problem)
                }
            }
        })
        .await
    }

    /// Gives an attempt to connect up.
    pub fn cancel_connect(&self, device: &DeviceId) {
        if let Some(connection) = self.0.known_connection(device) {
            let mut state = connection.state();
            state.asked |= state.up.is_none();
            state.cancel.cancel();
            if let Some(retry) = &state.retry {
                retry.stop();
            }
        }
    }

    /// Ends the connection to a device. Does nothing when there is none.
    ///
    /// # Errors
    ///
    /// None of its own; the operation may have ended abnormally.
    pub async fn disconnect(&self, device: DeviceId) -> Result<(), Problem> {
        self.run(|inner| async move {
            if let Some(connection) = inner.known_connection(&device) {
                inner.disconnect(&connection).await;
            }
            Ok(())
        })
        .await
    }

    /// Ends the connection to a device and forgets its tab. What was recorded is kept.
    ///
    /// # Errors
    ///
    /// As [`disconnect`](Self::disconnect).
    pub async fn close_device(&self, device: DeviceId) -> Result<(), Problem> {
        self.run(|inner| async move {
            let known = inner
                .connections
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&device);
            let Some(connection) = known else {
                return Ok(());
            };
            connection.state().closed = true;
            inner.disconnect(&connection).await;
            for attribute in connection.attributes().iter() {
                attribute.memory().stop_drawing();
                inner.scope.remove(device.as_str(), &attribute.key);
            }
            inner.devices().set_link(&device, "none");
            inner.tell_devices();
            inner.tell_series();
            Ok(())
        })
        .await
    }
}
