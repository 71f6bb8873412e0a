//! The user's formats and names for UUIDs as a file, to keep and to share.
//!
//! A file is JSON: `{"gattscope-formats": 1, "formats": [{"uuid", "model"?, "layout", "note"?}], "adverts":
//! {source: layout}, "names": {uuid: name}}`; a source of what is advertised is `company:0499`, or `service:`
//! and a UUID. A UUID is of four or eight hexadecimal digits, or whole; an entry without a model is for
//! every device; a layout may also be `sig`, `0x2904` or `bytes`. Reading one changes nothing: it says what
//! would be added and what would be replaced, and what is wrong with each entry that is not understood.

use std::collections::{BTreeMap, HashMap, hash_map};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use decode::advertisement::Source;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::advert::Key;
use crate::device::named;
use crate::explorer::Explorer;
use crate::files::blocking;
use crate::formats::{MODEL_LENGTH, layout, readable};
use crate::gatt::DESCRIPTION_LENGTH;
use crate::preferences::Preferences;
use crate::view::{ExportView, FormatsEntryView, FormatsFileView, NamedUuid, Problem};

/// The version of the file that is written, and the newest that is read.
const VERSION: u64 = 1;
const MARK: &str = "gattscope-formats";
/// Largest file that is read, bytes.
const LARGEST: u64 = 4 << 20;
/// Longest note, characters.
const NOTE: usize = 200;
/// Entries that are taken of one file: many times what anybody has written by hand.
const ENTRIES: usize = 2_000;
/// Problems that are told one by one.
const TOLD: usize = 20;

/// The file as it is written.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(rename = "gattscope-formats")]
    version: u64,
    formats: Vec<Format<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    adverts: &'a BTreeMap<String, String>,
    names: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Format<'a> {
    uuid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    layout: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

/// One entry of `formats` as it is read.
#[derive(Deserialize)]
struct Read {
    uuid: String,
    model: Option<String>,
    layout: String,
    note: Option<String>,
}

/// What a file says of one UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Format {
        uuid: Uuid,
        model: Option<String>,
        layout: String,
        note: String,
    },
    Advert {
        source: String,
        layout: String,
    },
    Name {
        uuid: Uuid,
        name: String,
    },
}

/// What an entry is for: of two for the same, one holds.
#[derive(PartialEq, Eq, Hash)]
enum Place {
    Format(Uuid, Option<String>),
    Advert(String),
    Name(Uuid),
}

/// What stands in the place of an entry: its text, and its note.
type Before = Option<(String, String)>;

/// What a file that was read would change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    number: u32,
    /// Each with what stood there when it was read.
    entries: Vec<(Entry, Before)>,
}

/// Where the note of a format is kept.
pub(crate) fn note_key(uuid: &str, model: Option<&str>) -> String {
    match model {
        Some(model) => format!("{uuid} {model}"),
        None => uuid.into(),
    }
}

impl Entry {
    fn before(&self, preferences: &Preferences) -> Before {
        let text = match self {
            Self::Format { uuid, model, .. } => {
                let key = uuid.to_string();
                match model {
                    None => preferences.formats.get(&key),
                    Some(model) => preferences.model_formats.get(&key)?.get(model),
                }
            }
            Self::Advert { source, .. } => preferences.advert_formats.get(source),
            Self::Name { uuid, .. } => preferences.names.get(&uuid.to_string()),
        }?;
        let note = match self {
            Self::Format { uuid, model, .. } => {
                let key = note_key(&uuid.to_string(), model.as_deref());
                preferences.format_notes.get(&key).cloned()
            }
            Self::Advert { .. } | Self::Name { .. } => None,
        };
        Some((text.clone(), note.unwrap_or_default()))
    }

    fn place(&self) -> Place {
        match self {
            Self::Format { uuid, model, .. } => Place::Format(*uuid, model.clone()),
            Self::Advert { source, .. } => Place::Advert(source.clone()),
            Self::Name { uuid, .. } => Place::Name(*uuid),
        }
    }

    fn note(&self) -> &str {
        match self {
            Self::Format { note, .. } => note,
            Self::Advert { .. } | Self::Name { .. } => "",
        }
    }

    /// Whether it is what stands there, with its note.
    fn is(&self, before: &Before) -> bool {
        let same = |(text, note): &(String, String)| text == self.text() && note == self.note();
        before.as_ref().is_some_and(same)
    }

    fn text(&self) -> &str {
        match self {
            Self::Format { layout, .. } | Self::Advert { layout, .. } => layout,
            Self::Name { name, .. } => name,
        }
    }

    fn apply(&self, preferences: &mut Preferences) {
        match self {
            Self::Format {
                uuid,
                model,
                layout,
                note,
            } => {
                let key = uuid.to_string();
                let note_key = note_key(&key, model.as_deref());
                let layout = layout.clone();
                match model {
                    None => preferences.formats.insert(key, layout),
                    Some(model) => {
                        let of = preferences.model_formats.entry(key).or_default();
                        of.insert(model.clone(), layout)
                    }
                };
                match note.as_str() {
                    "" => preferences.format_notes.remove(&note_key),
                    note => preferences.format_notes.insert(note_key, note.into()),
                };
            }
            Self::Advert { source, layout } => {
                let layout = layout.clone();
                preferences.advert_formats.insert(source.clone(), layout);
            }
            Self::Name { uuid, name } => {
                preferences.names.insert(uuid.to_string(), name.clone());
            }
        }
    }

    fn view(&self, before: &Before) -> FormatsEntryView {
        let of = |uuid: Uuid| named(uuid, decode::names::characteristic(uuid));
        let (what, uuid, model) = match self {
            Self::Format { uuid, model, .. } => ("format", of(*uuid), model.clone()),
            Self::Advert { source, .. } => ("advert", advertised(source), None),
            Self::Name { uuid, .. } => ("name", of(*uuid), None),
        };
        FormatsEntryView {
            what: what.into(),
            uuid,
            model,
            text: self.text().into(),
            note: self.note().into(),
            state: match before {
                None => "new",
                _ if self.is(before) => "same",
                Some(_) => "replaces",
            }
            .into(),
            before: before.as_ref().map(|(text, _)| text.clone()),
            note_before: before.as_ref().map(|(_, note)| note.clone()),
        }
    }
}

/// A source of what is advertised, as rows name what is no UUID, too.
fn advertised(source: &str) -> NamedUuid {
    let name = match source.parse() {
        Ok(Key(Source::Manufacturer(company))) => decode::names::company(company),
        Ok(Key(Source::Service(uuid))) => return named(uuid, decode::names::service(uuid)),
        _ => None,
    };
    NamedUuid {
        uuid: source.into(),
        short: source.into(),
        name: name.map(Into::into),
    }
}

/// The user's formats and names as a file.
fn written(preferences: &Preferences) -> Result<(Vec<u8>, u64), Problem> {
    let note = |uuid: &str, model: Option<&str>| {
        let key = note_key(uuid, model);
        preferences.format_notes.get(&key).map(String::as_str)
    };
    let every = preferences.formats.iter().map(|(uuid, layout)| Format {
        uuid,
        model: None,
        layout,
        note: note(uuid, None),
    });
    let of_models = preferences.model_formats.iter().flat_map(|(uuid, of)| {
        of.iter().map(move |(model, layout)| Format {
            uuid,
            model: Some(model),
            layout,
            note: note(uuid, Some(model)),
        })
    });
    let formats: Vec<_> = every.chain(of_models).collect();
    let adverts = &preferences.advert_formats;
    let entries = formats.len() + adverts.len() + preferences.names.len();
    let file = Written {
        version: VERSION,
        formats,
        adverts,
        names: &preferences.names,
    };
    let mut bytes = serde_json::to_vec_pretty(&file)
        .map_err(|error| Problem::new("formats", format!("Not written: {error}."), ""))?;
    bytes.push(b'\n');
    Ok((bytes, entries as u64))
}

fn uuid(text: &str) -> Option<Uuid> {
    let text = text.trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let digits = text.bytes().all(|digit| digit.is_ascii_hexdigit());
    match text.len() {
        4 | 8 if digits => {
            let short = u32::from_str_radix(text, 16).ok()?;
            let base = decode::names::uuid16(0).as_u128();
            Some(Uuid::from_u128(base | u128::from(short) << 96))
        }
        _ => Uuid::parse_str(text).ok(),
    }
}

/// What a file says, and what is wrong with each entry that is not understood.
fn parsed(text: &str) -> Result<(Vec<Entry>, Vec<String>), Problem> {
    let no_file = |message: String| {
        Problem::new(
            "formats",
            message,
            "Choose a file that Gattscope wrote, or one like it; the README shows what is in it.",
        )
    };
    let file: Value = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        no_file(format!(
            "This is no file of formats: line {line}, column {column} is no JSON."
        ))
    })?;
    match file.get(MARK).and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(newer) => {
            return Err(Problem::new(
                "formats",
                format!("The file is of version {newer}; this program reads version {VERSION}."),
                "Use a newer Gattscope.",
            ));
        }
        None => {
            return Err(no_file(format!(
                "This is no file of formats: it does not say \"{MARK}\": {VERSION}."
            )));
        }
    }
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    match file.get("formats") {
        None => {}
        Some(Value::Array(formats)) => {
            for (at, one) in formats.iter().enumerate() {
                match entry(one) {
                    Ok(entry) => entries.push(entry),
                    Err(why) => problems.push(format!("Entry {} of formats: {why}", at + 1)),
                }
            }
        }
        Some(_) => problems.push("\"formats\" is no list.".into()),
    }
    match file.get("adverts") {
        None => {}
        Some(Value::Object(adverts)) => {
            for (key, layout) in adverts {
                match advert(key, layout) {
                    Ok(entry) => entries.push(entry),
                    Err(why) => {
                        let shown = decode::clean::text(key, 40);
                        problems.push(format!("Layout of \"{shown}\": {why}"));
                    }
                }
            }
        }
        Some(_) => problems.push("\"adverts\" is no list of layouts.".into()),
    }
    match file.get("names") {
        None => {}
        Some(Value::Object(names)) => {
            for (key, name) in names {
                let shown = decode::clean::text(key, 40);
                let name = name
                    .as_str()
                    .map(|name| decode::clean::text(name.trim(), DESCRIPTION_LENGTH));
                match (uuid(key), name) {
                    (None, _) => problems.push(format!("Name of \"{shown}\": that is no UUID.")),
                    (_, None) => problems.push(format!("Name of {shown}: it is no text.")),
                    (_, Some(name)) if name.is_empty() => {
                        problems.push(format!("Name of {shown}: it is empty."));
                    }
                    (Some(uuid), Some(name)) => entries.push(Entry::Name {
                        uuid,
                        name: name.into_owned(),
                    }),
                }
            }
        }
        Some(_) => problems.push("\"names\" is no list of names.".into()),
    }
    // Of two for the same, nobody knows which is meant.
    let mut once: Vec<Entry> = Vec::new();
    let mut places: HashMap<Place, usize> = HashMap::new();
    for entry in entries {
        match places.entry(entry.place()) {
            hash_map::Entry::Occupied(first) if once[*first.get()] == entry => {}
            hash_map::Entry::Occupied(first) => {
                let named = once[*first.get()].view(&None).uuid.short;
                problems.push(format!("{named} stands there twice; the first one holds."));
            }
            hash_map::Entry::Vacant(place) => {
                place.insert(once.len());
                once.push(entry);
            }
        }
    }
    if once.len() > ENTRIES {
        let more = once.len() - ENTRIES;
        once.truncate(ENTRIES);
        let sentence =
            format!("Only {ENTRIES} entries of a file are taken; {more} more are left out.");
        problems.insert(0, sentence);
    }
    Ok((once, problems))
}

fn advert(key: &str, value: &Value) -> Result<Entry, String> {
    let source = match key.trim().parse() {
        Ok(Key(source @ (Source::Manufacturer(_) | Source::Service(_)))) => Key(source).to_string(),
        _ => return Err("that is no company and no service.".into()),
    };
    let text = value.as_str().ok_or("it is no text.")?;
    let layout = layout(text.trim()).map_err(unreadable)?;
    Ok(Entry::Advert {
        source,
        layout: layout.to_string(),
    })
}

fn unreadable(problem: Problem) -> String {
    match problem.at {
        Some(at) => format!("character {} of the layout: {}", at + 1, problem.message),
        None => problem.message,
    }
}

fn entry(value: &Value) -> Result<Entry, String> {
    let read: Read = serde_json::from_value(value.clone())
        .map_err(|error| decode::clean::text(&format!("{error}."), 120).into_owned())?;
    let id = uuid(&read.uuid).ok_or_else(|| {
        let shown = decode::clean::text(&read.uuid, 40);
        format!("\"{shown}\" is no UUID.")
    })?;
    let layout = readable(read.layout.trim()).map_err(unreadable)?;
    let model = read
        .model
        .map(|model| decode::clean::text(model.trim(), MODEL_LENGTH).into_owned());
    if model.as_deref() == Some("") {
        return Err("its model is empty; without \"model\" it is for every device.".into());
    }
    let note = decode::clean::text(read.note.as_deref().unwrap_or_default().trim(), NOTE);
    Ok(Entry::Format {
        uuid: id,
        model,
        layout,
        note: note.into_owned(),
    })
}

fn text_of(path: &Path) -> Result<String, Problem> {
    let unread = |why: String| {
        Problem::new(
            "formats",
            format!("{} cannot be read: {why}.", path.display()),
            "Choose another file.",
        )
    };
    let length = std::fs::metadata(path).map_err(|error| unread(error.to_string()))?;
    if length.len() > LARGEST {
        return Err(unread("it is too large for a file of formats".into()));
    }
    let bytes = std::fs::read(path).map_err(|error| unread(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| unread("it is no text".into()))
}

impl Explorer {
    /// Writes the user's formats and names for UUIDs into a file.
    ///
    /// # Errors
    ///
    /// A [`Problem`]; then nothing stands under that name, or what stood there before.
    pub async fn export_formats(&self, path: PathBuf) -> Result<ExportView, Problem> {
        let (bytes, rows) = self.0.preference(written)?;
        blocking(&self.0, move || {
            session::export::whole_file(&path, &bytes)?;
            Ok(ExportView {
                path: path.display().to_string(),
                rows,
                bytes: bytes.len() as u64,
                damaged: false,
                waiting: 0,
            })
        })
        .await
    }

    /// Reads a file of formats, and says what taking it would change. Nothing changes yet.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if it is no such file.
    pub async fn read_formats(&self, path: PathBuf) -> Result<FormatsFileView, Problem> {
        static NUMBERS: AtomicU32 = AtomicU32::new(1);
        let inner = &self.0;
        let shown = path.display().to_string();
        let (entries, mut problems) = blocking(inner, move || parsed(&text_of(&path)?)).await?;
        let entries: Vec<_> = inner.preference(|preferences| {
            let with_before = entries.into_iter().map(|entry| {
                let before = entry.before(preferences);
                (entry, before)
            });
            with_before.collect()
        });
        if problems.len() > TOLD {
            let more = problems.len() - TOLD;
            problems.truncate(TOLD);
            problems.push(format!("And {more} more."));
        }
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let view = FormatsFileView {
            number,
            path: shown,
            entries: entries
                .iter()
                .map(|(entry, before)| entry.view(before))
                .collect(),
            problems,
        };
        *inner.formats_file() = Plan { number, entries };
        Ok(view)
    }

    /// Takes the file that was read: all of it, or what replaces nothing. Says how many formats and names
    /// are others than before.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if another file was read since, or something else would be replaced than was said;
    /// then nothing changes.
    pub fn take_formats(&self, number: u32, replace: bool) -> Result<u32, Problem> {
        let inner = &self.0;
        let plan = inner.formats_file().clone();
        let stale = || {
            Problem::new(
                "stale",
                "Formats have changed since the file was read. Nothing was taken.",
                "Open the file again.",
            )
        };
        let same = inner.preference(|preferences| {
            let mut entries = plan.entries.iter();
            entries.all(|(entry, before)| entry.before(preferences) == *before)
        });
        if plan.number != number || !same {
            return Err(stale());
        }
        let mut taken = 0;
        inner.prefer(|preferences| {
            for (entry, before) in &plan.entries {
                if !entry.is(before) && (before.is_none() || replace) {
                    entry.apply(preferences);
                    taken += 1;
                }
            }
        });
        *inner.formats_file() = Plan::default();
        let shown = self.shown();
        shown.0.take_over_names();
        shown.0.decode_anew(&|_, _| true);
        shown.0.take_over_advert_formats();
        inner.log_done("app", "Formats taken", None, None, taken.to_string());
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_is_the_same() {
        let mut preferences = Preferences::default();
        let key = Uuid::from_u128(7).to_string();
        preferences.formats.insert(key.clone(), "a:u8".into());
        let of = preferences.model_formats.entry(key.clone()).or_default();
        of.insert("ACME X1".into(), "b:i16le*0.01 °C".into());
        let note = note_key(&key, Some("ACME X1"));
        preferences
            .format_notes
            .insert(note, "from the datasheet".into());
        preferences.names.insert(key, "Shelf".into());
        let adverts = &mut preferences.advert_formats;
        adverts.insert("company:0499".into(), "c:u8".into());
        let (bytes, rows) = written(&preferences).unwrap();
        assert_eq!(rows, 4);
        let (entries, problems) = parsed(std::str::from_utf8(&bytes).unwrap()).unwrap();
        assert_eq!(problems, [""; 0]);
        let mut read = Preferences::default();
        for entry in &entries {
            assert_eq!(entry.before(&read), None);
            entry.apply(&mut read);
        }
        assert_eq!(read, preferences);
    }

    #[test]
    fn an_entry_that_is_not_understood_is_named_and_the_others_are_read() {
        let text = r#"{"gattscope-formats": 1, "formats": [
            {"uuid": "ffe1", "layout": "a:u8"},
            {"uuid": "ffe2", "layout": "a:u9"},
            {"uuid": "nothing", "layout": "a:u8"},
            {"uuid": "ffe3"},
            {"uuid": "ffe1", "layout": "b:u8"}
        ], "adverts": {"company:499": "a:u8", "ad:ff": "a:u8", "company:0001": "a:u9"}, "names": {"ffe1": "Door\u202e", "x": "y"}}"#;
        let (entries, problems) = parsed(text).unwrap();
        assert_eq!(entries.len(), 3, "{entries:?}");
        let ffe1 = Uuid::parse_str("0000ffe1-0000-1000-8000-00805f9b34fb").unwrap();
        assert!(matches!(&entries[0], Entry::Format { uuid, .. } if *uuid == ffe1));
        assert!(matches!(&entries[1], Entry::Advert { source, .. } if source == "company:0499"));
        assert!(!entries[2].text().contains('\u{202e}'));
        assert_eq!(problems.len(), 7, "{problems:?}");
        assert!(
            problems
                .iter()
                .any(|one| one.contains("\"ad:ff\": that is no company"))
        );
        assert!(
            problems
                .iter()
                .any(|one| one.contains("\"company:0001\": character 3"))
        );
        assert!(problems[0].starts_with("Entry 2 of formats: character 3 of the layout:"));
        assert!(problems[1].contains("Entry 3") && problems[1].contains("no UUID"));
        assert!(problems[2].contains("Entry 4") && problems[2].contains("layout"));
        assert!(problems.iter().any(|one| one.contains("twice")));
    }

    #[test]
    fn what_is_no_such_file_says_where_or_why() {
        let message = |text: &str| parsed(text).unwrap_err().message;
        assert!(message("{\n  nonsense").contains("line 2"));
        assert!(message("{}").contains("gattscope-formats"));
        assert!(message(r#"{"gattscope-formats": 2}"#).contains("version 2"));
    }

    #[test]
    fn a_file_of_very_many_entries_is_read_at_once_and_cut_with_a_sentence() {
        let formats: Vec<_> = (0..20_000_u32)
            .map(|number| format!(r#"{{"uuid": "{number:08x}", "layout": "a:u8"}}"#))
            .collect();
        let all = formats.join(",");
        let text = format!(r#"{{"gattscope-formats": 1, "formats": [{all}, {all}]}}"#);
        let begun = std::time::Instant::now();
        let (entries, problems) = parsed(&text).unwrap();
        assert_eq!(entries.len(), ENTRIES);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("18000 more"), "{problems:?}");
        let took = begun.elapsed();
        assert!(took < std::time::Duration::from_secs(5), "{took:?}");
    }
}
