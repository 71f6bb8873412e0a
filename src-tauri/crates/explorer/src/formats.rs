//! Which format reads the values of a characteristic, and why: the user's for this model of device, else
//! the user's for every device, else the standard one, else what the device itself says (0x2904, 0x2905).
//!
//! A model is the Model Number String (0x2A24) with the Manufacturer Name String (0x2A29), where they were
//! read, else the advertised name. A format that was saved under one of these is found under all of them
//! that the device has, the most exact first.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use decode::{Format, Layout, Presentation, Presented};
use radio::{AttrId, AttrKind};
use serde::{Deserialize, Serialize};
use session::Session;
use uuid::Uuid;

use crate::attribute::Attribute;
use crate::connection::Connection;
use crate::device::hex;
use crate::explorer::{Explorer, Inner};
use crate::fields;
use crate::format_files::note_key;
use crate::gatt::id;
use crate::preferences::Preferences;
use crate::view::{FormatView, PreviewView, Problem};

const DESCRIPTION: Uuid = decode::names::uuid16(0x2901);
const PRESENTATION: Uuid = decode::names::uuid16(0x2904);
const AGGREGATE: Uuid = decode::names::uuid16(0x2905);
const MODEL: Uuid = decode::names::uuid16(0x2A24);
const MANUFACTURER: Uuid = decode::names::uuid16(0x2A29);

/// Descriptors that are read after each discovery, because they say something of the values above them.
pub(crate) const DESCRIBING: [Uuid; 3] = [DESCRIPTION, PRESENTATION, AGGREGATE];
/// What stands for a format among the user's choices, where that is no layout.
const STANDARD: &str = "sig";
/// The format that the device itself says.
const PRESENTED: &str = "0x2904";
const BYTES: &str = "bytes";
/// Longest name of a model, in characters.
pub(crate) const MODEL_LENGTH: usize = 80;

/// Why a characteristic has its format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Why {
    /// It has none.
    #[default]
    None,
    /// The user chose it for this model.
    Model,
    /// The user chose it for every device.
    Every,
    Standard,
    Device,
}

/// Devices whose model is remembered between runs.
const KEPT: usize = 500;

/// What a device said of its model: the Manufacturer Name String and the Model Number String, cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    manufacturer: Option<String>,
    number: Option<String>,
}

/// What devices said of their models, the last to say so at the end; bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Models(Vec<(String, Said)>);

impl Models {
    fn of(&self, device: &str) -> Option<&Said> {
        self.0
            .iter()
            .find_map(|(of, said)| (of == device).then_some(said))
    }

    fn keep(&mut self, device: &str, said: Said) {
        self.0.retain(|(of, _)| of != device);
        self.0.push((device.into(), said));
        self.0.drain(..self.0.len().saturating_sub(KEPT));
    }
}

impl Said {
    /// Takes the value of a characteristic. Says whether that changes anything.
    fn take(&mut self, uuid: Uuid, bytes: &[u8]) -> bool {
        let place = match uuid {
            MODEL => &mut self.number,
            MANUFACTURER => &mut self.manufacturer,
            _ => return false,
        };
        let text = decode::clean::bytes(bytes, MODEL_LENGTH).trim().to_owned();
        let text = (!text.is_empty()).then_some(text);
        let new = *place != text;
        *place = text;
        new
    }

    /// What formats for its model may be saved under, the most exact first.
    fn names(&self, advertised: Option<&str>) -> Vec<String> {
        let mut names = Vec::new();
        if let (Some(manufacturer), Some(number)) = (&self.manufacturer, &self.number) {
            names.push(format!("{manufacturer} {number}"));
        }
        names.extend(self.number.clone());
        names.extend(
            advertised
                .map(|name| decode::clean::text(name.trim(), MODEL_LENGTH).into_owned())
                .filter(|name| !name.is_empty()),
        );
        names
    }
}

/// What the user may choose.
enum Choice {
    Standard,
    Presented,
    Bytes,
    Layout(Layout),
}

impl Choice {
    fn read(text: &str) -> Result<Self, Problem> {
        Ok(match text {
            STANDARD => Self::Standard,
            PRESENTED => Self::Presented,
            BYTES => Self::Bytes,
            text => Self::Layout(layout(text)?),
        })
    }

    fn text(&self) -> String {
        match self {
            Self::Standard => STANDARD.into(),
            Self::Presented => PRESENTED.into(),
            Self::Bytes => BYTES.into(),
            Self::Layout(layout) => layout.to_string(),
        }
    }

    /// The format; none at all if it is not there, one of none if it is to be none.
    fn format(self, uuid: Uuid, presented: Option<&Presented>) -> Option<Option<Format>> {
        Some(match self {
            Self::Standard => Some(Format::default_for(uuid)?),
            Self::Presented => Some(Format::Presented(presented?.clone())),
            Self::Bytes => None,
            Self::Layout(layout) => Some(Format::Layout(layout)),
        })
    }
}

/// A format as the window names it, and as it is kept; see
/// [`AttributeView::format`](crate::view::AttributeView::format).
pub(crate) fn text_of(format: Option<&Format>) -> String {
    match format {
        Some(Format::Sig(_)) => STANDARD.into(),
        Some(Format::Layout(layout)) => layout.to_string(),
        Some(Format::Presented(_)) => PRESENTED.into(),
        _ => String::new(),
    }
}

/// Reads a layout that was typed.
pub(crate) fn layout(text: &str) -> Result<Layout, Problem> {
    Layout::parse(text).map_err(|error| Problem::input(error.to_string(), error.at))
}

/// A choice as it is kept, if it can be read.
pub(crate) fn readable(text: &str) -> Result<String, Problem> {
    Choice::read(text).map(|choice| choice.text())
}

/// The format of a characteristic by the user's choices, else the standard or the device's own, and why.
fn resolve(
    preferences: &Preferences,
    models: &[String],
    uuid: Uuid,
    presented: Option<&Presented>,
) -> (Option<Format>, Why) {
    let key = uuid.to_string();
    let of = preferences.model_formats.get(&key);
    let of_models = models.iter().filter_map(|name| of?.get(name));
    let every = preferences.formats.get(&key);
    // What cannot be read here, another version may have written: the next best holds.
    for (text, why) in of_models
        .map(|text| (text, Why::Model))
        .chain(every.map(|text| (text, Why::Every)))
    {
        if let Ok(choice) = Choice::read(text)
            && let Some(format) = choice.format(uuid, presented)
        {
            return (format, why);
        }
    }
    if let Some(format) = Format::default_for(uuid) {
        return (Some(format), Why::Standard);
    }
    match presented {
        Some(presented) => (Some(Format::Presented(presented.clone())), Why::Device),
        None => (None, Why::None),
    }
}

/// A descriptor of a characteristic, or of another.
struct Descriptor {
    uuid: Uuid,
    handle: Option<u16>,
    bytes: Option<Bytes>,
}

/// How a device presents a value, by the descriptors of its characteristic, and by `all` of its
/// descriptors: an aggregate names others by their handles.
fn presented(own: &[&Descriptor], all: &[Descriptor]) -> Option<Presented> {
    let read = |descriptor: &Descriptor| Presentation::read(descriptor.bytes.as_ref()?);
    let formats = |of: &[&Descriptor]| -> Option<Vec<Presentation>> {
        let formats = of.iter().filter(|one| one.uuid == PRESENTATION);
        formats.map(|one| read(one)).collect()
    };
    let aggregate = own.iter().find(|one| one.uuid == AGGREGATE);
    let handles = aggregate.and_then(|one| one.bytes.as_deref());
    let all = match (aggregate, handles) {
        // Where the system tells no handles, the order of the descriptors is the best guess.
        (Some(_), Some(handles)) if all.iter().any(|one| one.handle.is_some()) => handles
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| {
                let handle = Some(u16::from_le_bytes(*pair));
                let one = |one: &&Descriptor| one.handle == handle && one.uuid == PRESENTATION;
                read(all.iter().find(one)?)
            })
            .collect::<Option<Vec<_>>>()?,
        // One without the other says nothing of the whole value.
        (Some(_), None) => return None,
        _ => formats(own)?,
    };
    Presented::aggregate(all)
}

impl Inner {
    /// What formats for the model of a device may be saved under, the most exact first.
    fn models(&self, connection: &Connection) -> Vec<String> {
        let said = self.said(connection);
        let devices = self.devices();
        said.names(devices.local_name(&connection.device))
    }

    /// What a device says of its model, or said when it was asked last.
    fn said(&self, connection: &Connection) -> Said {
        let said = connection.state().said.clone();
        said.unwrap_or_else(|| self.said_before(connection.device.as_str()))
    }

    fn said_before(&self, device: &str) -> Said {
        self.preference(|preferences| preferences.models.of(device).cloned())
            .unwrap_or_default()
    }

    /// Decodes with the formats for what devices are called now: a name may come late, or change.
    pub(crate) fn call_models_anew(self: &Arc<Self>) {
        for connection in self.connections() {
            let models = self.models(&connection);
            let last = std::mem::replace(&mut connection.state().models, models.clone());
            if last != models {
                self.decode_anew(&|of, _| of.device == connection.device);
            }
        }
    }

    /// The formats of a device's characteristics, before anything was read of them.
    pub(crate) fn formats_of(
        &self,
        connection: &Connection,
    ) -> impl Fn(Uuid) -> (Option<Format>, Why) {
        let models = self.models(connection);
        move |uuid| self.preference(|preferences| resolve(preferences, &models, uuid, None))
    }

    /// Takes what a value says of its device's model, or of the values above it. Formats may be others
    /// then: see [`decode_anew`](Self::decode_anew).
    pub(crate) fn learn(
        &self,
        connection: &Connection,
        attribute: &Attribute,
        bytes: &[u8],
    ) -> bool {
        if attribute.uuid == PRESENTATION || attribute.uuid == AGGREGATE {
            return self.learn_presented(connection);
        }
        let mut said = self.said(connection);
        if !said.take(attribute.uuid, bytes) {
            return false;
        }
        connection.state().said = Some(said.clone());
        // What a recording says is read from it again.
        if self.source.is_none() {
            let device = connection.device.as_str();
            self.prefer(|preferences| preferences.models.keep(device, said));
        }
        true
    }

    /// Takes what the descriptors of the last discovery say of the values above them. Says whether that
    /// changes anything.
    pub(crate) fn learn_presented(&self, connection: &Connection) -> bool {
        let attributes = connection.attributes();
        let descriptors: Vec<_> = attributes
            .iter()
            .filter(|one| one.kind == AttrKind::Descriptor)
            .map(|one| (one.parent, describing(one)))
            .collect();
        let (parents, all): (Vec<_>, Vec<_>) = descriptors.into_iter().unzip();
        let mut changed = false;
        for characteristic in attributes
            .iter()
            .filter(|one| one.kind == AttrKind::Characteristic)
        {
            let own: Vec<_> = parents
                .iter()
                .zip(&all)
                .filter(|(parent, _)| **parent == Some(characteristic.id))
                .map(|(_, one)| one)
                .collect();
            let presented = presented(&own, &all);
            let mut memory = characteristic.memory();
            changed |= memory.presented != presented;
            memory.presented = presented;
        }
        changed
    }

    /// Gives an attribute the format that is chosen for it now, out of sight. Says whether it is another.
    pub(crate) fn choose(&self, models: &[String], attribute: &Attribute) -> bool {
        let (format, why) = self.chosen_format(models, attribute);
        let same = {
            let mut memory = attribute.memory();
            memory.why = why;
            memory.format == format
        };
        if !same {
            let time = attribute.followed(format.as_ref());
            attribute.memory().set_format(format, time);
        }
        !same
    }

    /// The same for each attribute of a device that nothing is drawn of.
    pub(crate) fn choose_all(&self, connection: &Connection) {
        let models = self.models(connection);
        for attribute in connection.attributes().iter() {
            self.choose(&models, attribute);
        }
    }

    fn chosen_format(&self, models: &[String], attribute: &Attribute) -> (Option<Format>, Why) {
        let presented = attribute.memory().presented.clone();
        self.preference(|of| resolve(of, models, attribute.uuid, presented.as_ref()))
    }

    /// These attributes are decoded with the formats, and drawn on the time, that are chosen for them now.
    pub(crate) fn decode_anew(self: &Arc<Self>, which: &dyn Fn(&Connection, &Attribute) -> bool) {
        for connection in self.connections() {
            let models = self.models(&connection);
            let mut any = false;
            for attribute in connection.attributes().iter() {
                if !which(&connection, attribute) {
                    continue;
                }
                let chosen = self.chosen_format(&models, attribute);
                let (plotted, same) = {
                    let memory = attribute.memory();
                    let plotted = !memory.tracks.is_empty();
                    let axis = !plotted || memory.by_device == self.by_device(attribute.uuid);
                    any |= memory.why != chosen.1;
                    (plotted, memory.format == chosen.0 && axis)
                };
                if same {
                    attribute.memory().why = chosen.1;
                    continue;
                }
                any = true;
                self.settle(&connection, attribute, None);
                self.choose(&models, attribute);
                // A format without numbers has nothing to draw; the series go, and the tree says why.
                if plotted && self.plot(attribute.id, true).is_err() {
                    attribute.memory().stop_drawing();
                    self.tell_series();
                }
            }
            if any {
                self.tell_tree(&connection);
            }
        }
        self.tell_values(false);
    }

    fn set_format(
        self: &Arc<Self>,
        id: AttrId,
        text: &str,
        for_model: bool,
    ) -> Result<FormatView, Problem> {
        let (connection, chosen) = self.attribute(id)?;
        let uuid = chosen.uuid;
        let models = self.models(&connection);
        let presented = chosen.memory().presented.clone();
        let choice = match text.trim() {
            "" => None,
            text => Some(Choice::read(text)?),
        };
        let model = match models.first() {
            Some(model) => Some(model),
            None if for_model => return Err(no_model()),
            None => None,
        };
        self.prefer(|preferences| {
            let key = uuid.to_string();
            // What was chosen for every device and is chosen for one model now is for that alone.
            let text = choice.as_ref().map(Choice::text);
            let moves =
                for_model && text.is_some() && preferences.formats.get(&key) == text.as_ref();
            let note = moves.then(|| {
                preferences.formats.remove(&key);
                preferences.format_notes.remove(&note_key(&key, None))
            });
            // What is chosen now is what holds: what would hide it goes.
            for model in &models {
                preferences
                    .format_notes
                    .remove(&note_key(&key, Some(model)));
            }
            if let Some(of) = preferences.model_formats.get_mut(&key) {
                of.retain(|name, _| !models.contains(name));
                if of.is_empty() {
                    preferences.model_formats.remove(&key);
                }
            }
            if !for_model {
                preferences.formats.remove(&key);
                preferences.format_notes.remove(&note_key(&key, None));
            }
            let Some(choice) = choice else { return };
            let text = choice.text();
            // What comes by itself need not be remembered.
            let (by_itself, _) = resolve(preferences, &models, uuid, presented.as_ref());
            let wanted = choice.format(uuid, presented.as_ref());
            if wanted.is_some_and(|wanted| wanted == by_itself) && text != BYTES {
                return;
            }
            match model.filter(|_| for_model) {
                Some(model) => {
                    if let Some(note) = note.flatten() {
                        let key = note_key(&key, Some(model));
                        preferences.format_notes.insert(key, note);
                    }
                    let of = preferences.model_formats.entry(key).or_default();
                    of.insert(model.clone(), text);
                }
                None => {
                    preferences.formats.insert(key, text);
                }
            }
        });
        self.decode_anew(&|_, attribute| attribute.uuid == uuid);
        Ok(self.format_view(&connection, &chosen))
    }

    /// What the inspector says of an attribute's format.
    pub(crate) fn format_view(&self, connection: &Connection, attribute: &Attribute) -> FormatView {
        let models = self.models(connection);
        let said = self.said(connection).number.is_some();
        let memory = attribute.memory();
        let format = memory.format.as_ref();
        let kind = match format {
            Some(Format::Sig(_)) => STANDARD,
            Some(Format::Presented(_)) => PRESENTED,
            Some(_) => "layout",
            None => BYTES,
        };
        let what = match kind {
            STANDARD => "Standard format",
            PRESENTED => "Said by the device (0x2904)",
            "layout" => "Your layout",
            _ => "No format",
        };
        let key = attribute.uuid.to_string();
        let model = self.preference(|preferences| {
            let of = preferences.model_formats.get(&key);
            let named = |name: &&String| of.is_some_and(|of| of.contains_key(*name));
            // The one that holds, else the one that a choice would be saved under.
            models.iter().find(named).or(models.first()).cloned()
        });
        let noted = match memory.why {
            Why::Model => Some(note_key(&key, model.as_deref())),
            Why::Every => Some(note_key(&key, None)),
            Why::Standard | Why::Device | Why::None => None,
        };
        let note = noted.and_then(|at| self.preference(|of| of.format_notes.get(&at).cloned()));
        let why = match memory.why {
            Why::Model => format!(
                "{what}, chosen for devices of model {}.",
                model.as_deref().unwrap_or_default()
            ),
            Why::Every => format!("{what}, chosen for every device."),
            Why::Standard | Why::Device => format!("{what}."),
            Why::None => "No format: none is standard, and the device says none.".into(),
        };
        FormatView {
            kind: kind.into(),
            format: text_of(format),
            why,
            scope: match memory.why {
                Why::Model => "model",
                Why::Every => "every",
                _ => "",
            }
            .into(),
            note: note.unwrap_or_default(),
            model,
            model_from: if said { "model number" } else { "name" }.into(),
            standard: Format::default_for(attribute.uuid).is_some(),
            presented: memory.presented.is_some(),
        }
    }

    /// The formats of what a session has, by the choices of now.
    pub(crate) fn recorded_formats(
        &self,
        session: &Session,
    ) -> Result<HashMap<AttrId, Format>, Problem> {
        let attributes = session.attributes()?;
        let mut said: HashMap<_, Said> = HashMap::new();
        let mut descriptors: HashMap<_, Vec<(Option<AttrId>, Descriptor)>> = HashMap::new();
        for one in &attributes {
            let describing = one.uuid == PRESENTATION || one.uuid == AGGREGATE;
            if !describing && one.uuid != MODEL && one.uuid != MANUFACTURER {
                continue;
            }
            let newest = session.values(one.id, 1)?.pop().and_then(|one| one.value);
            if describing {
                let descriptor = Descriptor {
                    uuid: one.uuid,
                    handle: one.handle.map(|handle| handle.0),
                    bytes: newest,
                };
                let of = descriptors.entry(one.link).or_default();
                of.push((one.parent, descriptor));
            } else if let Some(bytes) = newest {
                let said = said.entry(one.device).or_default();
                said.take(one.uuid, &bytes);
            }
        }
        let models: HashMap<_, _> = session
            .devices()?
            .into_iter()
            .map(|device| {
                let said = said.remove(&device.key);
                let said = said.unwrap_or_else(|| self.said_before(&device.identifier));
                (device.key, said.names(device.name.as_deref()))
            })
            .collect();
        let all: HashMap<_, (Vec<_>, Vec<_>)> = descriptors
            .into_iter()
            .map(|(link, of)| (link, of.into_iter().unzip()))
            .collect();
        let mut formats = HashMap::new();
        for one in &attributes {
            let presented = all.get(&one.link).and_then(|(parents, all)| {
                let own = parents.iter().zip(all);
                let own = own.filter(|(parent, _)| **parent == Some(one.id));
                presented(&own.map(|(_, one)| one).collect::<Vec<_>>(), all)
            });
            let models = models.get(&one.device).map_or(&[][..], Vec::as_slice);
            let (format, _) =
                self.preference(|of| resolve(of, models, one.uuid, presented.as_ref()));
            formats.extend(format.map(|format| (one.id, format)));
        }
        Ok(formats)
    }
}

fn describing(attribute: &Attribute) -> Descriptor {
    let wanted = attribute.uuid == PRESENTATION || attribute.uuid == AGGREGATE;
    Descriptor {
        uuid: attribute.uuid,
        handle: attribute.handle.map(|handle| handle.0),
        bytes: attribute.memory().newest().filter(|_| wanted),
    }
}

fn no_model() -> Problem {
    Problem::new(
        "no_model",
        "Nobody knows which model this device is: it advertises no name, and its model number was not read.",
        "Read Model Number String (0x2A24), or save the format for every device.",
    )
}

impl Explorer {
    /// Decodes an attribute, and every other of its UUID, with another format: a layout, `sig` for the
    /// standard one, `0x2904` for what the device says, `bytes` for none, or nothing for whichever of these
    /// comes by itself. Answers with the one that is in force then.
    ///
    /// # Errors
    ///
    /// A [`Problem`] with the place where the layout cannot be read; the last format stays.
    pub fn set_format(&self, attribute: u64, format: &str) -> Result<FormatView, Problem> {
        self.0.set_format(id(attribute)?, format, false)
    }

    /// The same for devices of the same model alone.
    ///
    /// # Errors
    ///
    /// As [`set_format`](Self::set_format), and if nobody knows which model it is.
    pub fn set_model_format(&self, attribute: u64, format: &str) -> Result<FormatView, Problem> {
        self.0.set_format(id(attribute)?, format, true)
    }

    /// What a layout would make of the newest value of an attribute. Nothing changes.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is no such attribute. A layout that cannot be read is no failure: the
    /// preview says so.
    pub fn preview_format(&self, attribute: u64, format: &str) -> Result<PreviewView, Problem> {
        let (_, attribute) = self.0.attribute(id(attribute)?)?;
        self.0.recall(&attribute);
        let newest = attribute.memory().newest();
        Ok(preview(format, newest.as_deref()))
    }
}

/// What a layout would make of a value, if there is one.
pub(crate) fn preview(format: &str, newest: Option<&[u8]>) -> PreviewView {
    let mut view = PreviewView {
        bytes: newest.map(hex).unwrap_or_default(),
        fields: Vec::new(),
        text: String::new(),
        note: String::new(),
        layout: String::new(),
        problem: None,
    };
    match layout(format) {
        Err(problem) => view.problem = Some(problem),
        Ok(layout) => {
            let format = Format::Layout(layout);
            view.layout = text_of(Some(&format));
            if let Some(bytes) = newest {
                let shown = fields::shown(&format, bytes);
                view.fields = shown.fields;
                view.note = shown.note;
                view.text = format.summary(bytes);
            }
        }
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(uuid: Uuid, handle: Option<u16>, bytes: &'static [u8]) -> Descriptor {
        Descriptor {
            uuid,
            handle,
            bytes: Some(Bytes::from_static(bytes)),
        }
    }

    const CELSIUS: &[u8] = &[0x0E, 0xFE, 0x2F, 0x27, 1, 0, 0];
    const PERCENT: &[u8] = &[0x04, 0x00, 0xAD, 0x27, 1, 0, 0];

    fn summary(presented: Option<Presented>, bytes: &[u8]) -> Option<String> {
        Some(Format::Presented(presented?).summary(bytes))
    }

    #[test]
    fn an_aggregate_gives_the_order_of_its_handles() {
        let all = [
            descriptor(PRESENTATION, Some(10), CELSIUS),
            descriptor(PRESENTATION, Some(11), PERCENT),
            descriptor(AGGREGATE, Some(12), &[11, 0, 10, 0]),
        ];
        let own: Vec<_> = all.iter().collect();
        let value = [41, 0x46, 0x09];
        assert_eq!(
            summary(presented(&own, &all), &value).as_deref(),
            Some("41 %, 23.74 °C")
        );
        // Without it, their own order.
        assert_eq!(
            summary(presented(&own[..2], &all), &[0x46, 0x09, 41]).as_deref(),
            Some("23.74 °C, 41 %")
        );
        let broken = [descriptor(AGGREGATE, Some(12), &[99, 0])];
        assert_eq!(presented(&[&broken[0]], &broken), None);
        assert_eq!(presented(&[], &all), None);
    }

    #[test]
    fn a_format_for_the_model_comes_before_one_for_all_before_the_standard_one_before_the_devices()
    {
        let uuid = Uuid::from_u128(7);
        let device = Presented::from(Presentation::read(CELSIUS).unwrap());
        let models = Said {
            manufacturer: Some("ACME".into()),
            number: Some("X1".into()),
        }
        .names(Some("Kitchen"));
        assert_eq!(models, ["ACME X1", "X1", "Kitchen"]);
        let mut preferences = Preferences::default();
        let why = |preferences: &Preferences| {
            let (format, why) = resolve(preferences, &models, uuid, Some(&device));
            (text_of(format.as_ref()), why)
        };
        assert_eq!(why(&preferences), (PRESENTED.into(), Why::Device));
        let battery = decode::names::uuid16(0x2A19);
        let (standard, because) = resolve(&preferences, &models, battery, Some(&device));
        assert!(matches!(standard, Some(Format::Sig(_))) && because == Why::Standard);
        let key = uuid.to_string();
        preferences.formats.insert(key.clone(), "a:u8".into());
        assert_eq!(why(&preferences), ("a:u8".into(), Why::Every));
        let of = preferences.model_formats.entry(key.clone()).or_default();
        of.insert("Kitchen".into(), "b:u8".into());
        assert_eq!(why(&preferences), ("b:u8".into(), Why::Model));
        let of = preferences.model_formats.entry(key.clone()).or_default();
        of.insert("ACME X1".into(), "c:u8".into());
        assert_eq!(why(&preferences), ("c:u8".into(), Why::Model));
        // A layout that is not readable here hides nothing.
        let of = preferences.model_formats.entry(key).or_default();
        of.insert("ACME X1".into(), "c:from_the_future".into());
        assert_eq!(why(&preferences), ("b:u8".into(), Why::Model));
        preferences.model_formats.clear();
        assert_eq!(why(&preferences), ("a:u8".into(), Why::Every));
    }

    #[test]
    fn models_are_remembered_of_the_last_devices_that_said_theirs() {
        let mut models = Models::default();
        let said = |number: usize| Said {
            manufacturer: None,
            number: Some(number.to_string()),
        };
        models.keep("first", said(0));
        (0..KEPT - 1).for_each(|number| models.keep(&format!("device {number}"), said(number)));
        models.keep("first", said(1));
        models.keep("last", said(2));
        assert_eq!(models.0.len(), KEPT);
        assert_eq!(models.of("device 0"), None);
        assert_eq!(models.of("first"), Some(&said(1)));
        let kept = serde_json::to_string(&models).unwrap();
        assert_eq!(serde_json::from_str::<Models>(&kept).unwrap(), models);
    }

    #[test]
    fn a_layout_that_cannot_be_read_says_where() {
        let problem = layout("a:u8, b:u9").unwrap_err();
        assert_eq!(problem.code, "input");
        assert!(problem.at.is_some_and(|at| at >= 6), "{problem:?}");
    }
}
