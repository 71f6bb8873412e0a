//! What is exported of a session: what there is to choose from, what was chosen, what came of it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An attribute of a device, in whichever discovery it was found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[ts(export)]
pub struct AttributeChoice {
    /// The device, by identifier.
    pub device: String,
    /// The path of the attribute, as [`ContentsAttribute::path`] has it.
    pub path: String,
}

/// What to export.
#[derive(Clone, Debug, Default, Deserialize, TS)]
#[ts(export)]
pub struct ExportRequest {
    /// The file name of a session of the folder; null for the recording.
    pub session: Option<String>,
    /// `csv` (a row for each event), `fields` (a column for each decoded field), `jsonl`, `pcapng`,
    /// `markdown` (the profile of one device) or `gattscope` (a copy).
    pub format: String,
    /// Only these devices, by identifier; empty for all.
    pub devices: Vec<String>,
    /// Only of these attributes; empty for all.
    pub attributes: Vec<AttributeChoice>,
    /// Only events of these kinds; empty for all, and for the values that came where the format is
    /// `fields`.
    pub kinds: Vec<String>,
    /// Not before, seconds of the session.
    pub from: Option<f64>,
    /// Before, seconds of the session.
    pub to: Option<f64>,
    /// Only values in which these bytes stand somewhere, in hex; empty for all.
    pub containing: String,
    /// Of `fields`: whether a row shows what it has not with the number that it had last.
    pub hold: bool,
}

/// What an export wrote.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct ExportView {
    /// The file.
    pub path: String,
    /// Rows, for a table.
    #[ts(type = "number")]
    pub rows: u64,
    /// Size, bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Whether the session is damaged and this is what stands before the damage.
    pub damaged: bool,
    /// Events that wait in memory, because recording is paused; they are not in it.
    #[ts(type = "number")]
    pub waiting: u64,
}

/// What a session has that an export can choose from.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct ContentsView {
    /// What the session is called.
    pub name: String,
    /// From its start to its last event, seconds.
    pub duration_s: f64,
    /// How many events it has.
    #[ts(type = "number")]
    pub events: u64,
    /// Events that wait in memory, because recording is paused; they are in no export.
    #[ts(type = "number")]
    pub waiting: u64,
    /// Its devices: those with attributes first, then those with most events.
    pub devices: Vec<ContentsDevice>,
    /// Characteristics that have a value, in the order in which they were found.
    pub attributes: Vec<ContentsAttribute>,
    /// The kinds of its events.
    pub kinds: Vec<ContentsKind>,
}

/// A device of a session.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct ContentsDevice {
    /// Its identifier, as recorded.
    pub id: String,
    /// Its name, else its identifier.
    pub name: String,
    /// How many events it has.
    #[ts(type = "number")]
    pub events: u64,
}

/// An attribute of a session.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct ContentsAttribute {
    /// The device, by identifier.
    pub device: String,
    /// The same in every discovery.
    pub path: String,
    /// What it is called, with what tells it from others of that name.
    pub name: String,
    /// The fields with numbers that its format has, with their units.
    pub fields: Vec<String>,
}

/// A kind of event of a session.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct ContentsKind {
    /// Its name in the file.
    pub kind: String,
    /// How many there are.
    #[ts(type = "number")]
    pub events: u64,
    /// Whether it is a value that came, which is what `fields` exports unless told otherwise.
    pub received: bool,
}

/// How much an export would write.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct CountView {
    /// How many events.
    #[ts(type = "number")]
    pub events: u64,
    /// Whether they were counted; else it is an estimate.
    pub exact: bool,
    /// The columns of `fields`, with their units.
    pub columns: Vec<String>,
}
