//! Reading, writing, subscribing; decoding and plotting what comes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use decode::Format;
use radio::{
    AttrId, DeviceId, Interruption, NotifyMode, NotifyRoute, Sample, SampleSink, Timestamp,
    WriteKind,
};
use session::Event as Recorded;

use crate::attribute::{Attribute, Origin, Taken};
use crate::connection::Connection;
use crate::device::hex;
use crate::explorer::{Explorer, Inner};
use crate::scope::Owner;
use crate::view::{InspectView, Problem, PumpRequest, StatisticsView, WriteInput};
use crate::writing::encode;

/// Longest description (0x2901), and name of the user's, that is shown, in characters.
pub(crate) const DESCRIPTION_LENGTH: usize = 64;
/// Most series that are drawn at once.
pub(crate) const MAX_SERIES: usize = 64;

impl Inner {
    /// The attribute of this identifier, and the connection that it belongs to.
    pub(crate) fn attribute(
        &self,
        id: AttrId,
    ) -> Result<(Arc<Connection>, Arc<Attribute>), Problem> {
        self.connections()
            .into_iter()
            .find_map(|connection| {
                connection
                    .attribute(id)
                    .map(|attribute| (connection, attribute))
            })
            .ok_or_else(|| radio::Error::StaleAttribute { attribute: id }.into())
    }

    /// Runs one operation on an attribute: shows that it is under way, then how it ended.
    async fn operate<T>(
        &self,
        attribute: &Attribute,
        busy: &'static str,
        operation: impl Future<Output = radio::Result<T>>,
    ) -> Result<T, radio::Error> {
        {
            let mut memory = attribute.memory();
            memory.busy = busy;
            memory.problem = None;
            memory.touch();
        }
        self.tell_values(false);
        let result = operation.await;
        {
            let mut memory = attribute.memory();
            memory.busy = "";
            memory.problem = result.as_ref().err().map(Problem::from);
            memory.touch();
        }
        result
    }

    /// Says how an operation ended: in the log, and in the rows at once.
    fn done<T>(
        &self,
        category: &str,
        operation: &str,
        connection: &Connection,
        attribute: &Attribute,
        result: Result<T, radio::Error>,
        detail: impl FnOnce(&T) -> String,
    ) -> Result<T, Problem> {
        self.tell_values(false);
        let device = Some(&connection.device);
        match result {
            Ok(value) => {
                let detail = detail(&value);
                self.log_done(category, operation, device, Some(attribute.name()), detail);
                Ok(value)
            }
            Err(error) => {
                let keys = error.needs_pairing();
                let problem = Problem::from(error);
                // Some descriptors are read without being asked for.
                if keys && !crate::formats::DESCRIBING.contains(&attribute.uuid) {
                    let title = format!("{} asks for pairing", attribute.name());
                    self.notice("warn", title, problem.clone(), device, "pair");
                }
                let operation = format!("{operation} failed");
                self.log_problem(
                    category,
                    &operation,
                    device,
                    Some(attribute.name()),
                    &problem,
                );
                Err(problem)
            }
        }
    }

    pub(crate) async fn read(self: &Arc<Self>, id: AttrId) -> Result<(), Problem> {
        let (connection, attribute) = self.attribute(id)?;
        let link = connection.link()?;
        let started = self.now();
        self.record(|recorder| recorder.record(started, Recorded::ReadRequest { attribute: id }));
        let result = self.operate(&attribute, "reading", link.read(id)).await;
        let recorded = result.clone().map_err(Into::into);
        let now = {
            // In the recording and here, values stand in the same order.
            let mut memory = attribute.memory();
            let now = self.now();
            self.record(|recorder| {
                recorder.record(
                    now,
                    Recorded::ReadResult {
                        attribute: id,
                        result: recorded,
                    },
                );
            });
            if let Ok(bytes) = &result {
                memory.remember(now, Origin::Read, bytes.clone());
            }
            now
        };
        if let Ok(bytes) = &result
            && self.described(&connection, &attribute, bytes)
        {
            self.decode_anew(&|of, _| of.device == connection.device);
        }
        self.done("read", "Read", &connection, &attribute, result, |bytes| {
            let text = attribute.memory().summary().unwrap_or_default();
            format!(
                "{text} ({} bytes, {} ms)",
                bytes.len(),
                now.since(started).as_millis()
            )
        })?;
        Ok(())
    }

    /// Takes a value that says something of others: a description (0x2901) names the characteristic above
    /// it; for the rest see [`formats`](crate::formats). Says whether formats may be others then.
    pub(crate) fn described(
        &self,
        connection: &Connection,
        attribute: &Attribute,
        bytes: &[u8],
    ) -> bool {
        if attribute.uuid != decode::names::uuid16(0x2901) {
            return self.learn(connection, attribute, bytes);
        }
        let text = decode::clean::bytes(bytes, DESCRIPTION_LENGTH);
        let text = text.trim();
        if let Some(parent) = attribute
            .parent
            .and_then(|parent| connection.attribute(parent))
            && !text.is_empty()
        {
            parent.memory().description = Some(text.to_owned());
            let device = connection.device.to_string();
            self.scope.rename(&device, &parent.key, &parent.name());
            self.tell_series();
        }
        false
    }

    async fn write(
        self: &Arc<Self>,
        id: AttrId,
        input: WriteInput,
        with_response: bool,
    ) -> Result<(), Problem> {
        let bytes = Bytes::from(encode(&input)?);
        let (connection, attribute) = self.attribute(id)?;
        let link = connection.link()?;
        let kind = if with_response {
            WriteKind::WithResponse
        } else {
            WriteKind::WithoutResponse
        };
        let started = self.now();
        let value = bytes.clone();
        self.record(|recorder| {
            recorder.record(
                started,
                Recorded::Write {
                    attribute: id,
                    value,
                    kind,
                },
            );
        });
        let result = self
            .operate(&attribute, "writing", link.write(id, bytes.clone(), kind))
            .await;
        let now = self.now();
        let recorded = result.clone().map_err(Into::into);
        self.record(|recorder| {
            recorder.record(
                now,
                Recorded::WriteResult {
                    attribute: id,
                    result: recorded,
                },
            );
        });
        if result.is_ok() {
            attribute
                .memory()
                .remember(now, Origin::Write, bytes.clone());
        }
        self.done("write", "Write", &connection, &attribute, result, |()| {
            let how = if with_response {
                "acknowledged"
            } else {
                "sent without response"
            };
            format!(
                "{} ({how}, {} ms)",
                shortened(&bytes),
                now.since(started).as_millis()
            )
        })
    }

    pub(crate) async fn subscribe(self: &Arc<Self>, id: AttrId) -> Result<(), Problem> {
        let (connection, attribute) = self.attribute(id)?;
        let link = connection.link()?;
        attribute.memory().begin();
        let sink = Arc::new(Feed {
            inner: Arc::clone(self),
            connection: Arc::clone(&connection),
            attribute: Arc::clone(&attribute),
        });
        let (mode, route) = attribute.memory().notify;
        let subscribe = link.subscribe_by(route, id, mode, sink);
        let result = self.operate(&attribute, "subscribing", subscribe).await;
        self.subscribed(&attribute, result.is_ok());
        let now = self.now();
        if result.is_ok() {
            self.outage_ends(&connection.device, &attribute, now);
        }
        let recorded = result.clone().map_err(Into::into);
        self.record(|recorder| {
            recorder.record(
                now,
                Recorded::Subscribed {
                    attribute: id,
                    mode,
                    result: recorded,
                },
            );
        });
        self.done(
            "write",
            "Subscribe",
            &connection,
            &attribute,
            result,
            |()| "Values will come".into(),
        )
    }

    fn subscribed(&self, attribute: &Attribute, subscribed: bool) {
        let mut memory = attribute.memory();
        memory.subscribed = subscribed;
        memory.touch();
    }

    /// Writes the stretch in which nothing could come, because the link was down, into the ledger, if
    /// there was one. It ended with the first value, or `now`.
    pub(crate) fn outage_ends(&self, device: &DeviceId, attribute: &Attribute, now: Timestamp) {
        let outage = attribute.memory().outage(now);
        if let Some((from, to)) = outage {
            self.missed(device, attribute, from, to);
        }
    }

    /// A subscription was interrupted while its link was up.
    fn interrupted(&self, feed: &Feed, interruption: Interruption) {
        let Interruption { since, until, .. } = interruption;
        let to = until.clone().unwrap_or_else(|_| self.now());
        feed.attribute.memory().interrupted(since, to);
        self.missed(&feed.connection.device, &feed.attribute, since, to);
        let device = Some(&feed.connection.device);
        let name = feed.attribute.name();
        match until {
            Ok(_) => {
                let lasted = format!("{} ms; values may be missing", to.since(since).as_millis());
                let operation = "Subscription interrupted";
                self.log_done("notify", operation, device, Some(name), lasted);
            }
            Err(error) => {
                self.subscribed(&feed.attribute, false);
                let problem = Problem::from(error);
                let title = format!("{name} sends no more");
                self.notice("bad", title, problem.clone(), device, "");
                let operation = "Subscription ended";
                self.log_problem("notify", operation, device, Some(name), &problem);
            }
        }
    }

    /// A value came by itself. This runs on the radio's task: record, remember, draw, and return.
    pub(crate) fn arrived(&self, connection: &Connection, attribute: &Attribute, sample: &Sample) {
        self.notifications.fetch_add(1, Ordering::Relaxed);
        self.record(|recorder| recorder.sample(sample));
        let Taken { previous, gap } = attribute.memory().take(sample);
        if sample.lost_before > 0 {
            let between = (previous.unwrap_or(sample.at), sample.at);
            self.overrun(connection, attribute, sample.lost_before, between);
        }
        if let Some(gap) = gap {
            self.skipped(connection, attribute, gap);
        }
    }

    async fn unsubscribe(self: &Arc<Self>, id: AttrId) -> Result<(), Problem> {
        let (connection, attribute) = self.attribute(id)?;
        let link = connection.link()?;
        let result = self
            .operate(&attribute, "unsubscribing", link.unsubscribe(id))
            .await;
        self.subscribed(&attribute, result.is_err());
        let now = self.now();
        let recorded = result.clone().map_err(Into::into);
        self.record(|recorder| {
            recorder.record(
                now,
                Recorded::Unsubscribed {
                    attribute: id,
                    result: recorded,
                },
            );
        });
        self.done(
            "write",
            "Unsubscribe",
            &connection,
            &attribute,
            result,
            |()| String::new(),
        )
    }

    /// Draws every number of an attribute's format, beginning with what is remembered.
    pub(crate) fn plot(self: &Arc<Self>, id: AttrId, on: bool) -> Result<(), Problem> {
        let (connection, attribute) = self.attribute(id)?;
        let device = connection.device.as_str();
        self.scope.remove(device, &attribute.key);
        if on {
            let (name, device_name) = (attribute.name(), self.devices().name(&connection.device).0);
            let by_device = self.by_device(attribute.uuid);
            let mut memory = attribute.memory();
            let Some(columns) = memory
                .format
                .as_ref()
                .map(Format::series)
                .filter(|c| !c.is_empty())
            else {
                return Err(Problem::new(
                    "no_numbers",
                    "Nothing to plot: no format says where the numbers are in these bytes.",
                    "Choose a number format or a layout in the inspector, then plot.",
                ));
            };
            if self.scope.len() + columns.len() > MAX_SERIES {
                return Err(Problem::new(
                    "too_many_series",
                    format!("The scope draws {MAX_SERIES} series at most."),
                    "Remove some that you do not need.",
                ));
            }
            let owner = Owner {
                device,
                device_name: &device_name,
                attribute: &attribute.key,
                attribute_name: &name,
            };
            let standard = matches!(memory.format, Some(Format::Sig(_)));
            let tracks = self.scope.add(&owner, &columns, standard);
            if self.source.is_some() {
                memory.begin_recorded(tracks, by_device);
                drop(memory);
                self.draw_recorded(&attribute);
            } else {
                memory.begin_drawing(tracks, by_device);
                drop(memory);
                self.settle(&connection, &attribute, None);
                self.draw_all(&attribute);
            }
        } else {
            attribute.memory().stop_drawing();
        }
        self.tell_series();
        self.tell_values(false);
        Ok(())
    }
}

/// Takes the values of one subscription.
struct Feed {
    inner: Arc<Inner>,
    connection: Arc<Connection>,
    attribute: Arc<Attribute>,
}

impl SampleSink for Feed {
    fn sample(&self, sample: Sample) {
        self.inner
            .arrived(&self.connection, &self.attribute, &sample);
    }

    fn interrupted(&self, interruption: Interruption) {
        self.inner.interrupted(self, interruption);
    }
}

fn shortened(bytes: &[u8]) -> String {
    const SHOWN: usize = 24;
    let more = if bytes.len() > SHOWN { " …" } else { "" };
    format!("{}{more}", hex(&bytes[..bytes.len().min(SHOWN)]))
}

/// The attribute that the window means.
pub(crate) fn id(number: u64) -> Result<AttrId, Problem> {
    AttrId::from_u64(number)
        .ok_or_else(|| Problem::new("input", format!("{number} is no attribute."), ""))
}

impl Explorer {
    /// Shows only devices that pass a filter.
    ///
    /// # Errors
    ///
    /// A [`Problem`] with the place where the filter cannot be read; the last good one stays.
    pub fn set_filter(&self, text: &str) -> Result<(), Problem> {
        let filter = crate::filter::Filter::parse(text)
            .map_err(|error| Problem::input(error.message, error.at))?;
        self.0.devices().set_filter(filter);
        self.0.tell_devices();
        Ok(())
    }

    /// Stars a device or takes the star away.
    pub fn star(&self, device: &DeviceId, on: bool) {
        self.0.devices().set_starred(device, on);
        self.0.prefer(|preferences| {
            if on {
                preferences.favourites.insert(device.to_string());
            } else {
                preferences.favourites.remove(device.as_str());
            }
        });
        self.0.tell_devices();
    }

    /// Gives a device a name of the user's; none or a blank one takes it away.
    pub fn set_alias(&self, device: &DeviceId, alias: Option<String>) {
        let alias = alias
            .map(|alias| decode::clean::text(alias.trim(), DESCRIPTION_LENGTH).into_owned())
            .filter(|alias| !alias.is_empty());
        self.0.devices().set_alias(device, alias.clone());
        self.0.prefer(|preferences| match alias {
            Some(alias) => {
                preferences.aliases.insert(device.to_string(), alias);
            }
            None => {
                preferences.aliases.remove(device.as_str());
            }
        });
        self.0.tell_devices();
        if let Some(connection) = self.0.connections().iter().find(|c| c.device == *device) {
            self.0.tell_link(connection);
        }
    }

    /// Chooses how a characteristic is subscribed from the next time on, where the system offers a
    /// choice: `mode` is `system`, `notify` or `indicate`; `route` is `socket` or `signals`.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is no such way or no such attribute.
    pub fn set_notify(&self, attribute: u64, mode: &str, route: &str) -> Result<(), Problem> {
        let unknown = || Problem::new("input", "There is no such way to subscribe.", "");
        let mode = match mode {
            "system" => NotifyMode::System,
            "notify" => NotifyMode::Notify,
            "indicate" => NotifyMode::Indicate,
            _ => return Err(unknown()),
        };
        let route = match route {
            "socket" => NotifyRoute::Socket,
            "signals" => NotifyRoute::Signals,
            _ => return Err(unknown()),
        };
        let (_, attribute) = self.0.attribute(id(attribute)?)?;
        attribute.memory().notify = (mode, route);
        Ok(())
    }

    /// The attributes of a device as the last discovery found them.
    #[must_use]
    pub fn tree(&self, device: &DeviceId) -> Option<Vec<crate::view::AttributeView>> {
        let connection = self
            .0
            .connections()
            .into_iter()
            .find(|c| c.device == *device)?;
        Some(connection.gatt()?.services)
    }

    /// Reads an attribute.
    ///
    /// # Errors
    ///
    /// A [`Problem`], as the row of the attribute shows it too.
    pub async fn read(&self, attribute: u64) -> Result<(), Problem> {
        let id = id(attribute)?;
        self.run(move |inner| async move { inner.read(id).await })
            .await
    }

    /// Writes what was typed to an attribute.
    ///
    /// # Errors
    ///
    /// A [`Problem`], also if the input cannot be sent; then nothing was.
    pub async fn write(
        &self,
        attribute: u64,
        input: WriteInput,
        with_response: bool,
    ) -> Result<(), Problem> {
        let id = id(attribute)?;
        self.run(move |inner| async move { inner.write(id, input, with_response).await })
            .await
    }

    /// Asks for an attribute's values to come by themselves.
    ///
    /// # Errors
    ///
    /// A [`Problem`], as the row of the attribute shows it too.
    pub async fn subscribe(&self, attribute: u64) -> Result<(), Problem> {
        let id = id(attribute)?;
        self.run(move |inner| async move { inner.subscribe(id).await })
            .await
    }

    /// Ends a subscription.
    ///
    /// # Errors
    ///
    /// A [`Problem`], as the row of the attribute shows it too.
    pub async fn unsubscribe(&self, attribute: u64) -> Result<(), Problem> {
        let id = id(attribute)?;
        self.run(move |inner| async move { inner.unsubscribe(id).await })
            .await
    }

    /// What the inspector shows of an attribute.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if it belongs to an earlier discovery.
    pub fn inspect(&self, attribute: u64) -> Result<InspectView, Problem> {
        let (connection, attribute) = self.0.attribute(id(attribute)?)?;
        self.0.recall(&attribute);
        let mut view = attribute.inspect(self.0.wall);
        view.time = Some(self.0.time_axis(&attribute));
        view.choice = Some(self.0.format_view(&connection, &attribute));
        Ok(view)
    }

    /// Draws an attribute's numbers, or stops.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if its format has no numbers.
    pub fn plot(&self, attribute: u64, on: bool) -> Result<(), Problem> {
        self.0.plot(id(attribute)?, on)
    }

    /// Shows or hides a series.
    pub fn set_visible(&self, series: u32, visible: bool) {
        self.0.scope.set_visible(series, visible);
        self.0.tell_series();
    }

    /// Stops drawing one series.
    pub fn remove_series(&self, series: u32) {
        self.0.scope.remove_series(series);
        self.0.forget_tracks();
    }

    /// Stops drawing anything.
    pub fn clear_scope(&self) {
        self.0.scope.clear();
        self.0.forget_tracks();
    }

    /// Numbers of series over a range of seconds.
    #[must_use]
    pub fn statistics(&self, series: &[u32], from: f64, to: f64) -> Vec<StatisticsView> {
        self.0.scope.statistics(series, from, to)
    }

    /// The values of series at a moment.
    #[must_use]
    pub fn values_at(&self, series: &[u32], at: f64) -> Vec<Option<f64>> {
        self.0.scope.values_at(series, at)
    }

    /// The next frame of the scope; see [`crate::frame`].
    pub async fn pump(&self, request: &PumpRequest) -> Vec<u8> {
        let inner = &self.0;
        let (from, to) = crate::scope::window(request, inner.now());
        inner.look_closer(&request.series, from, to);
        inner.scope.pump(request, || inner.now()).await
    }
}

impl Inner {
    /// Attributes let go of series that the scope no longer has.
    pub(crate) fn forget_tracks(&self) {
        let drawn = self.scope.views();
        for connection in self.connections() {
            let device = connection.device.as_str();
            for attribute in connection.attributes().iter() {
                let mut memory = attribute.memory();
                let before = memory.tracks.len();
                memory.tracks.retain(|track| {
                    drawn.iter().any(|view| {
                        view.id == track.id
                            && view.device == device
                            && view.attribute == attribute.key
                    })
                });
                match memory.tracks.len() {
                    after if after == before => {}
                    0 => memory.stop_drawing(),
                    _ => memory.touch(),
                }
            }
        }
        self.forget_advert_tracks();
        self.tell_series();
        self.tell_values(false);
    }
}
