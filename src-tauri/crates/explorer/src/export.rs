//! What of a session is exported: the choice of a user, who names devices and attributes as a screen does, becomes a
//! filter and, for fields side by side, columns by the formats in use.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use decode::Format;
use radio::{AttrId, AttrKind, Handle};
use session::{DeviceKey, Filter, Kind, Recorder, Session, SessionTime};
use uuid::Uuid;

use crate::explorer::{Explorer, Inner, Recording};
use crate::files::blocking;
use crate::view::{
    ContentsAttribute, ContentsDevice, ContentsKind, ContentsView, CountView, ExportRequest,
    Problem,
};

/// Characters of a name that are shown.
const NAME: usize = 80;
/// Characteristic User Description (Core Specification, Vol 3, Part G, 3.3.3.2).
const DESCRIPTION: Uuid = decode::names::uuid16(0x2901);
/// How long counting may take before it becomes an estimate: somebody looks at the number while choosing.
const PATIENCE: Duration = Duration::from_millis(150);
/// Values that came, and were not written by this side.
const RECEIVED: [Kind; 4] = [
    Kind::ReadResult,
    Kind::Notification,
    Kind::Indication,
    Kind::NotificationOrIndication,
];

/// A session that is exported.
pub(crate) struct Meant {
    pub(crate) session: Session,
    /// Events that recording, which is paused, has in memory and not in the file.
    pub(crate) waiting: u64,
}

/// An attribute of a device, in every discovery that found it.
struct Found {
    device: DeviceKey,
    path: String,
    uuid: Uuid,
    handle: Option<Handle>,
    kind: AttrKind,
    characteristic: Option<Uuid>,
    /// What the device itself calls it, if that was read.
    description: Option<String>,
    /// The user's name for its UUID.
    own_name: Option<String>,
    ids: Vec<AttrId>,
}

impl Found {
    /// The format of its last discovery.
    fn format(&self, formats: &HashMap<AttrId, Format>) -> Option<Format> {
        self.ids
            .iter()
            .max()
            .and_then(|id| formats.get(id))
            .cloned()
    }
}

/// Which columns the numbers of an attribute go to.
struct Places {
    format: Format,
    /// By the format's own columns.
    columns: Vec<Option<usize>>,
}

/// The columns of an export of fields.
#[derive(Default)]
pub(crate) struct Columns {
    /// Their names, with whose they are and their units.
    pub(crate) names: Vec<String>,
    places: HashMap<AttrId, Arc<Places>>,
}

impl Columns {
    /// Hands over the numbers of a value with their columns.
    pub(crate) fn read(
        &self,
        attribute: &session::Attribute,
        value: &[u8],
        number: &mut dyn FnMut(usize, f64),
    ) {
        if let Some(places) = self.places.get(&attribute.id) {
            places.format.columns(value, &mut |column, value| {
                if let Some(Some(place)) = places.columns.get(column) {
                    number(*place, value);
                }
            });
        }
    }
}

/// What is exported.
pub(crate) struct Plan {
    pub(crate) filter: Filter,
    /// Empty unless the format is `fields`.
    pub(crate) columns: Columns,
}

/// Brings what was recorded into the file. Gives how many events stay in memory, because recording is paused.
pub(crate) fn settle(recorder: &Recorder) -> Result<u64, Problem> {
    match recorder.flush() {
        Ok(()) => Ok(0),
        Err(session::Error::Paused { .. }) => Ok(recorder.status().waiting),
        Err(error) => Err(error.into()),
    }
}

impl Inner {
    /// The session that is meant: one of the folder, or what the window shows: the session that is open, or
    /// the recording.
    pub(crate) fn meant(&self, file: Option<&str>) -> Result<Meant, Problem> {
        let open = self
            .document()
            .as_ref()
            .and_then(|document| document.0.source.clone());
        if let (None, Some(source)) = (file, open) {
            let session = source.again()?;
            return Ok(Meant {
                session,
                waiting: 0,
            });
        }
        let path = match file {
            Some(file) => self.session_file(file)?,
            None => self.recorder()?.path().to_owned(),
        };
        let recorder = match &*self.recording() {
            Recording::On(recorder) if recorder.path() == path => Some(Arc::clone(recorder)),
            _ => None,
        };
        let waiting = recorder.as_deref().map_or(Ok(0), settle)?;
        let session = Session::open(&path)?;
        Ok(Meant { session, waiting })
    }

    /// What is exported of a session by what the request asks for.
    pub(crate) fn plan(&self, session: &Session, request: &ExportRequest) -> Result<Plan, Problem> {
        let devices = session.devices()?;
        let mut filter = Filter::default();
        if !request.devices.is_empty() {
            let wanted = |row: &&session::Device| request.devices.contains(&row.identifier);
            filter.devices = devices.iter().filter(wanted).map(|row| row.key).collect();
            if filter.devices.is_empty() {
                return Err(Problem::new(
                    "nothing_recorded",
                    "Nothing of these devices is in the session.",
                    "Export the whole session, or wait until the device is heard.",
                ));
            }
        }
        for name in &request.kinds {
            let kind = Kind::ALL.iter().find(|kind| kind.name() == name);
            let name = decode::clean::text(name, NAME);
            let unknown = || Problem::input(format!("There are no events called \"{name}\"."), 0);
            filter.kinds.push(*kind.ok_or_else(unknown)?);
        }
        let time = |seconds: f64| SessionTime((seconds * 1e9) as i64);
        filter.from = request.from.filter(|at| at.is_finite()).map(time);
        filter.to = request.to.filter(|at| at.is_finite()).map(time);
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && from >= to
        {
            return Err(Problem::new(
                "input",
                "The range is empty: it ends before it begins.",
                "Choose an end after the start.",
            ));
        }
        filter.containing = decode::encode::hex(&request.containing).map_err(|error| Problem {
            at: error.at().and_then(|at| u32::try_from(at).ok()),
            ..Problem::new("input", error.to_string(), "")
        })?;
        let mut columns = Columns::default();
        if request.attributes.is_empty() && request.format != "fields" {
            return Ok(Plan { filter, columns });
        }

        let mut found = found(session, &|uuid| self.own_name(uuid))?;
        if !request.attributes.is_empty() {
            let identifier: HashMap<_, _> = devices
                .iter()
                .map(|device| (device.key, device.identifier.as_str()))
                .collect();
            found.retain(|found| {
                let device = identifier.get(&found.device);
                let mut chosen = request.attributes.iter();
                chosen.any(|one| device == Some(&one.device.as_str()) && one.path == found.path)
            });
            if found.is_empty() {
                return Err(Problem::new(
                    "nothing_recorded",
                    "None of these characteristics is in the session.",
                    "Choose others.",
                ));
            }
        }
        if request.format == "fields" {
            if !filter.devices.is_empty() {
                found.retain(|found| filter.devices.contains(&found.device));
            }
            columns = self.columns(session, &devices, &mut found)?;
            if filter.kinds.is_empty() {
                filter.kinds = RECEIVED.to_vec();
            }
        }
        filter.attributes = found.into_iter().flat_map(|found| found.ids).collect();
        Ok(Plan { filter, columns })
    }

    /// A column for each number of what was found, by the formats in use. Leaves in `found` what has any.
    fn columns(
        &self,
        session: &Session,
        devices: &[session::Device],
        found: &mut Vec<Found>,
    ) -> Result<Columns, Problem> {
        let labels = labels(devices, found);
        let formats = self.recorded_formats(session)?;
        let mut columns = Columns::default();
        let mut kept = Vec::new();
        for (found, (device, name)) in std::mem::take(found).into_iter().zip(labels) {
            let Some(format) = found.format(&formats) else {
                continue;
            };
            let series = format.series();
            if series.is_empty() || !has_values(session, &found)? {
                continue;
            }
            let mut places = Vec::new();
            for series in &series {
                places.resize(places.len().max(series.column + 1), None);
                places[series.column] = Some(columns.names.len());
                columns
                    .names
                    .push(format!("{device} / {name} / {}", field(series)));
            }
            let columns_of = Arc::new(Places {
                format,
                columns: places,
            });
            for id in &found.ids {
                columns.places.insert(*id, Arc::clone(&columns_of));
            }
            kept.push(found);
        }
        *found = kept;
        if columns.names.is_empty() {
            return Err(Problem::new(
                "no_numbers",
                "None of what was chosen has a value whose format gives numbers.",
                "Give a characteristic a format in the inspector, choose another, or export a row for each event.",
            ));
        }
        Ok(columns)
    }

    fn contents(&self, source: &Meant) -> Result<ContentsView, Problem> {
        let session = &source.session;
        let info = session.info()?;
        let counts = session.counts()?;
        let mut of_device: HashMap<DeviceKey, u64> = HashMap::new();
        let mut of_kind: HashMap<Kind, u64> = HashMap::new();
        for count in &counts {
            *of_kind.entry(count.kind).or_default() += count.events;
            if let Some(device) = count.device {
                *of_device.entry(device).or_default() += count.events;
            }
        }
        let devices = session.devices()?;
        let found = found(session, &|uuid| self.own_name(uuid))?;
        let connected: HashSet<_> = found.iter().map(|found| found.device).collect();
        let mut rows: Vec<_> = devices
            .iter()
            .map(|device| {
                let events = of_device.get(&device.key).copied().unwrap_or(0);
                let row = ContentsDevice {
                    id: device.identifier.clone(),
                    name: called(device),
                    events,
                };
                (!connected.contains(&device.key), events, row)
            })
            .collect();
        rows.sort_by_key(|(bare, events, _)| (*bare, std::cmp::Reverse(*events)));
        let formats = self.recorded_formats(session)?;
        let identifier: HashMap<_, _> = devices
            .iter()
            .map(|device| (device.key, &device.identifier))
            .collect();
        let mut attributes = Vec::new();
        for (found, (_, name)) in found.iter().zip(labels(&devices, &found)) {
            if found.kind == AttrKind::Characteristic && has_values(session, found)? {
                let series = found.format(&formats).map(|format| format.series());
                attributes.push(ContentsAttribute {
                    device: identifier
                        .get(&found.device)
                        .map(|id| (*id).clone())
                        .unwrap_or_default(),
                    path: found.path.clone(),
                    name,
                    fields: series.iter().flatten().map(field).collect(),
                });
            }
        }
        let stem = session.path().file_stem().unwrap_or_default();
        let name = info.title.filter(|title| !title.is_empty());
        let name = name.unwrap_or_else(|| stem.to_string_lossy().into_owned());
        let kinds = Kind::ALL.iter().filter_map(|kind| {
            Some(ContentsKind {
                kind: kind.name().into(),
                events: of_kind.get(kind).copied().filter(|events| *events > 0)?,
                received: RECEIVED.contains(kind),
            })
        });
        Ok(ContentsView {
            name: decode::clean::text(&name, NAME).into_owned(),
            duration_s: info.last.map_or(0.0, SessionTime::seconds),
            events: info.events,
            waiting: source.waiting,
            devices: rows.into_iter().map(|(_, _, row)| row).collect(),
            attributes,
            kinds: kinds.collect(),
        })
    }
}

/// The characteristics and descriptors of a session, each once, in the order in which they were found.
fn found(
    session: &Session,
    own_name: &dyn Fn(Uuid) -> Option<String>,
) -> Result<Vec<Found>, Problem> {
    let mut all: Vec<Found> = Vec::new();
    let mut known = HashMap::new();
    for attribute in session.attributes()? {
        if attribute.kind == AttrKind::Service {
            continue;
        }
        let place = *known
            .entry((attribute.device, attribute.path.clone()))
            .or_insert(all.len());
        match all.get_mut(place) {
            Some(found) => {
                found.ids.push(attribute.id);
                // As the last discovery told it.
                found.handle = attribute.handle;
            }
            None => all.push(Found {
                device: attribute.device,
                path: attribute.path,
                uuid: attribute.uuid,
                handle: attribute.handle,
                kind: attribute.kind,
                characteristic: attribute.characteristic,
                description: None,
                own_name: own_name(attribute.uuid),
                ids: vec![attribute.id],
            }),
        }
    }
    // The attribute above it is where its path begins.
    let mut descriptions = HashMap::new();
    for found in all.iter().filter(|found| found.uuid == DESCRIPTION) {
        let Some((above, _)) = found.path.rsplit_once('/') else {
            continue;
        };
        let last = found.ids.last().map(|id| session.values(*id, 1));
        let last = last.transpose()?.and_then(|mut values| values.pop()?.value);
        let text = decode::clean::bytes(&last.unwrap_or_default(), NAME)
            .trim()
            .to_owned();
        if !text.is_empty() {
            descriptions.insert((found.device, above.to_owned()), text);
        }
    }
    for found in &mut all {
        found.description = descriptions.remove(&(found.device, found.path.clone()));
    }
    Ok(all)
}

fn has_values(session: &Session, found: &Found) -> Result<bool, Problem> {
    match found.ids.last() {
        Some(id) => Ok(!session.values(*id, 1)?.is_empty()),
        None => Ok(false),
    }
}

/// What a device is called, fit to be shown.
fn called(device: &session::Device) -> String {
    let name = device.name.as_deref().unwrap_or_default().trim();
    let name = decode::clean::text(name, NAME);
    match name.is_empty() {
        true => decode::clean::text(&device.identifier, NAME).into_owned(),
        false => name.into_owned(),
    }
}

/// What the devices and the attributes of all that was found are called. No two have the same names.
fn labels(devices: &[session::Device], found: &[Found]) -> Vec<(String, String)> {
    let twice = |names: &[String]| {
        let mut seen = HashSet::new();
        let twice = names.iter().filter(|name| !seen.insert(name.as_str()));
        twice.cloned().collect::<HashSet<_>>()
    };
    let names: Vec<_> = devices.iter().map(called).collect();
    let same = twice(&names);
    let names = devices.iter().zip(names).map(|(device, name)| {
        let told = match same.contains(&name) {
            true => format!("{name} [{}]", decode::clean::text(&device.identifier, NAME)),
            false => name,
        };
        (device.key, told)
    });
    let names: HashMap<_, _> = names.collect();
    let plain: Vec<_> = found.iter().map(name).collect();
    let of_device: Vec<_> = found
        .iter()
        .zip(&plain)
        .map(|(found, name)| format!("{}/{name}", found.device.0))
        .collect();
    let same = twice(&of_device);
    let mut of_name: HashMap<&String, u32> = HashMap::new();
    let mut labels = Vec::with_capacity(found.len());
    for ((found, name), place) in found.iter().zip(&plain).zip(&of_device) {
        let number = of_name.entry(place).or_default();
        *number += 1;
        let name = match (same.contains(place), found.handle) {
            (false, _) => name.clone(),
            (true, Some(handle)) => format!("{name} [{handle}]"),
            (true, None) => format!("{name} [{number}]"),
        };
        let device = names.get(&found.device).cloned().unwrap_or_default();
        labels.push((device, name));
    }
    labels
}

/// What an attribute is called, others aside.
fn name(found: &Found) -> String {
    let uuid = |uuid: Uuid| decode::names::short(uuid).to_string();
    let characteristic =
        |one| decode::names::characteristic(one).map_or_else(|| uuid(one), Into::into);
    match found.kind {
        AttrKind::Descriptor => {
            let own = decode::names::descriptor(found.uuid);
            let own = own.map_or_else(|| uuid(found.uuid), Into::into);
            match found.characteristic {
                Some(of) => format!("{}, {own}", characteristic(of)),
                None => own,
            }
        }
        _ => match found.own_name.as_ref().or(found.description.as_ref()) {
            Some(told) => told.clone(),
            None => characteristic(found.uuid),
        },
    }
}

/// What a field is called, with its unit.
fn field(series: &decode::Series) -> String {
    match &series.unit {
        Some(unit) => format!("{} ({unit})", series.name),
        None => series.name.clone(),
    }
}

impl Explorer {
    /// What a session, the recording if none is named, has that an export can choose from.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if it cannot be read.
    pub async fn export_contents(&self, session: Option<String>) -> Result<ContentsView, Problem> {
        let inner = Arc::clone(&self.0);
        let look = move || inner.contents(&inner.meant(session.as_deref())?);
        blocking(&self.0, look).await
    }

    /// How many events an export goes through: counted, or estimated where that takes long.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the session cannot be read, or has nothing that was asked for.
    pub async fn count_export(&self, request: ExportRequest) -> Result<CountView, Problem> {
        let inner = Arc::clone(&self.0);
        let count = move || {
            let source = inner.meant(request.session.as_deref())?;
            let plan = inner.plan(&source.session, &request)?;
            let since = Instant::now();
            let mut patient = || since.elapsed() < PATIENCE;
            let reckoned = source.session.reckon(&plan.filter, &mut patient)?;
            Ok(CountView {
                events: reckoned.events,
                exact: reckoned.exact,
                columns: plan.columns.names,
            })
        };
        blocking(&self.0, count).await
    }
}

#[cfg(test)]
mod tests {
    use radio::Clock;
    use session::State;

    use super::*;
    use crate::{Config, Preferences};

    fn of(request: &str) -> ExportRequest {
        ExportRequest {
            format: request.into(),
            ..ExportRequest::default()
        }
    }

    #[test]
    fn no_two_devices_and_no_two_attributes_of_a_device_have_the_same_name() {
        let device = |key, identifier: &str| session::Device {
            key: DeviceKey(key),
            identifier: identifier.into(),
            name: Some("HR".into()),
            first_seen: SessionTime(0),
        };
        let found = |device, handle: Option<u16>| Found {
            device: DeviceKey(device),
            path: String::new(),
            uuid: decode::names::uuid16(0x2A19),
            handle: handle.map(Handle),
            kind: AttrKind::Characteristic,
            characteristic: None,
            description: None,
            own_name: None,
            ids: Vec::new(),
        };
        let all = [
            found(1, Some(3)),
            found(1, Some(0x1F)),
            found(2, None),
            found(2, None),
        ];
        let devices = [device(1, "F0:01"), device(2, "F0:02")];
        let labels: Vec<_> = labels(&devices, &all)
            .into_iter()
            .map(|(device, name)| format!("{device} / {name}"))
            .collect();
        assert_eq!(
            labels,
            [
                "HR [F0:01] / Battery Level [0x0003]",
                "HR [F0:01] / Battery Level [0x001F]",
                "HR [F0:02] / Battery Level [1]",
                "HR [F0:02] / Battery Level [2]",
            ]
        );
        let [first, _, third, _] = all;
        let labels = super::labels(&devices[1..], &[first, third]);
        assert_eq!(labels[1], ("HR".to_owned(), "Battery Level".to_owned()));
    }

    #[tokio::test]
    async fn while_recording_is_paused_what_is_in_the_file_is_exported_and_the_rest_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            backends: Vec::new(),
            session_folder: folder.path().join("sessions"),
            log_folder: folder.path().into(),
            preferences: Preferences::default(),
            clock: Clock::monotonic(),
        };
        let explorer = Explorer::start(config, tokio::runtime::Handle::current());
        let recorder = explorer.0.recorder().unwrap();
        let mut state = recorder.state();
        explorer.mark("in the file", None);
        recorder.flush().unwrap();
        // A full disk ends in the same pause.
        recorder.set_size_limit(Some(1));
        // More than the pages that the file has already.
        let text = "in memory ".repeat(20_000).into();
        recorder.record(explorer.0.now(), session::Event::Note { text });
        let paused = recorder.flush().unwrap_err();
        assert_eq!(paused.code(), "paused");
        for format in ["csv", "jsonl", "pcapng", "gattscope"] {
            let path = folder.path().join(format);
            let written = explorer.export(of(format), path.clone()).await.unwrap();
            assert_eq!(written.waiting, 1, "{format}");
            let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
            assert!(text.contains("in the file"), "{format}");
            assert!(!text.contains("in memory"), "{format}");
        }
        let contents = explorer.export_contents(None).await.unwrap();
        assert_eq!((contents.events, contents.waiting), (1, 1));
        let listed = explorer.sessions(String::new()).await.unwrap();
        assert_eq!(listed.sessions[0].events, 1);
        let file = Some(listed.sessions[0].file.clone());
        let by_name = ExportRequest {
            session: file,
            ..of("csv")
        };
        let path = folder.path().join("by name");
        assert_eq!(explorer.export(by_name, path).await.unwrap().waiting, 1);

        recorder.set_size_limit(None);
        let goes_on = state.wait_for(|state| *state == State::Recording);
        let patience = std::time::Duration::from_secs(20);
        tokio::time::timeout(patience, goes_on)
            .await
            .unwrap()
            .unwrap();
        let path = folder.path().join("csv");
        let written = explorer.export(of("csv"), path.clone()).await.unwrap();
        assert_eq!(written.waiting, 0);
        assert!(std::fs::read_to_string(path).unwrap().contains("in memory"));
    }
}
