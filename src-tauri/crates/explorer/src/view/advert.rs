//! What a device advertises, part by part.

use serde::Serialize;
use ts_rs::TS;

use super::{DeviceRow, FieldView, HistoryRow};

/// What a device advertises: the page before a connection.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct AdvertView {
    /// The device.
    pub row: DeviceRow,
    /// The newest of everything that it says, each in the place where it was first heard.
    pub parts: Vec<AdvertPart>,
    /// What was heard and is in no part, because there are too many; empty when nothing was.
    pub more: String,
    /// All bytes of the latest report, hexadecimal with spaces; empty where the system gives fields alone.
    pub raw: String,
    /// The parts that are plotted, `signal` among them.
    pub plotted: Vec<String>,
    /// The part that was asked for; null if none was.
    pub part: Option<String>,
    /// Newest values of that part, newest first.
    pub history: Vec<HistoryRow>,
    /// Signal strength over time: Unix ms and dBm, oldest first.
    pub signal: Vec<(f64, i16)>,
}

/// One AD structure, or one kind of payload of a company or a service.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct AdvertPart {
    /// What commands call it, such as `company:0499/ruuvi-5` or `ad:09`.
    pub part: String,
    /// Whether it is manufacturer or service data: what can be given a layout and plotted.
    pub payload: bool,
    /// AD type, such as `0xFF`.
    pub ad_type: String,
    /// Its name.
    pub name: String,
    /// The company or the service whose data it is, with its number.
    pub owner: String,
    /// What kind of beacon it is known to be; empty if none.
    pub kind: String,
    /// What it says, in a line.
    pub text: String,
    /// When it was last said; null where only the system tells it.
    pub at_ms: Option<f64>,
    /// Its bytes after the identifier of the company or the service, hexadecimal with spaces.
    pub bytes: String,
    /// The first number or text, without its unit.
    pub headline: String,
    /// Unit of the headline.
    pub unit: String,
    /// Decoded fields.
    pub fields: Vec<FieldView>,
    /// The user's layout; empty if there is none.
    pub format: String,
    /// What is wrong with its bytes; empty when nothing is.
    pub note: String,
    /// Why it cannot be plotted; null when it can.
    pub unplotted: Option<String>,
}
