//! What the window is told: plain data, cleaned for display, one shape for each part of the screen.
//!
//! Everything here is generated into `ui/src/bindings` (`cargo xtask test bindings` fails when they
//! differ). Text from the air has been cleaned; times are Unix milliseconds unless a name says
//! otherwise; an attribute is one number ([`radio::AttrId::to_u64`]).

mod advert;
mod export;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::naming::NameView;

pub use self::advert::{AdvertPart, AdvertView};
pub use self::export::{
    AttributeChoice, ContentsAttribute, ContentsDevice, ContentsKind, ContentsView, CountView,
    ExportRequest, ExportView,
};

/// A failure as it is shown: what happened and why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Problem {
    /// A stable word for the kind of failure, such as `att` or `timed_out`.
    pub code: String,
    /// What happened and why.
    pub message: String,
    /// What to do about it; empty when there is nothing.
    pub hint: String,
    /// Where in the input the trouble is (character offset), for input that was typed.
    pub at: Option<u32>,
}

/// News for the window, over one channel.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export)]
pub enum Event {
    /// The adapter, its power, the scan. Sent whole on every change.
    Radio(RadioView),
    /// Rows of the device table that changed, at most four times a second.
    Devices(DevicesView),
    /// A connection changed. Sent whole.
    Link(LinkView),
    /// The attributes of a device, after each discovery.
    Gatt(GattView),
    /// Newest values of attributes, at most four times a second.
    Values {
        /// One entry for each attribute that has news.
        values: Vec<ValueView>,
    },
    /// The list of series changed. Sent whole.
    Series {
        /// Every series, in the order in which they were added.
        series: Vec<SeriesView>,
    },
    /// The marks of the recording. Sent whole.
    Marks {
        /// Every mark, oldest first.
        marks: Vec<MarkView>,
    },
    /// The recording, at most four times a second.
    Recording(RecordingView),
    /// What was lost, at most four times a second.
    Losses(crate::ledger::LossesView),
    /// Rates for the status bar, once a second.
    Rates(RatesView),
    /// New log entries, at most ten times a second; older ones are dropped from the view, not from
    /// the file.
    Log {
        /// The new entries, oldest first.
        entries: Vec<LogEntry>,
    },
    /// Something that the person at the screen should see at once.
    Notice(NoticeView),
    /// The system asks something to pair with a device, or the question is over.
    Pairing(PairingView),
    /// Settings changed. Sent whole.
    Settings(SettingsView),
    /// A session was opened in front of what is on the air, or closed: everything of the window's that
    /// belongs to devices is forgotten and told anew. Sent again as it is read.
    Document {
        /// The session; null when what is on the air is shown again.
        document: Option<DocumentView>,
    },
    /// The session that plays as a radio, at most four times a second.
    Replay {
        /// Where it stands; `None` when the radio in use is another.
        replay: Option<crate::ReplayView>,
    },
    /// What takes long and goes on beside everything else. Sent whole, at most five times a second.
    Jobs {
        /// Those that are under way, oldest first.
        jobs: Vec<JobView>,
    },
}

/// A session that is open to be looked at.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct DocumentView {
    /// Which opening it is: each has another number.
    pub number: u32,
    /// The session.
    pub session: SessionView,
    /// Its last moment, Unix milliseconds.
    pub end_ms: f64,
    /// How much of it was read through, 0 to 1. What is counted from all that can be read is there at 1.
    pub part: f64,
    /// Why not all of it can be read.
    pub problem: Option<Problem>,
}

/// What the window needs before its first event.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct Welcome {
    /// Gattscope's version.
    pub version: String,
    /// `linux`, `macos` or `windows`.
    pub os: String,
    /// Unix milliseconds at which the session's clock stood at zero.
    pub session_start_ms: f64,
    /// Settings as they are stored.
    pub settings: SettingsView,
}

/// The radio bar.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct RadioView {
    /// Every adapter of every radio, the simulated lab last.
    pub adapters: Vec<AdapterView>,
    /// The one in use.
    pub adapter: Option<String>,
    /// Which opening of an adapter it is.
    pub opening: u32,
    /// How many devices are connected.
    pub links_up: u32,
    /// What runs underneath, such as `BlueZ` or `Simulated lab`.
    pub stack: String,
    /// Whether its devices are virtual: it is the simulated lab or a replay.
    pub simulated: bool,
    /// Why the simulated lab was chosen without being asked for; shown as a banner.
    pub fallback: Option<String>,
    /// `on`, `off`, `unauthorized`, `gone`, `unknown`, or `none` when there is no adapter.
    pub state: String,
    /// Whether a scan runs.
    pub scanning: bool,
    /// The device that is looked for, to be connected once it is heard.
    pub seeking: Option<SeekView>,
    /// The scan that runs asks for no scan responses.
    pub passive: bool,
    /// What this radio can do here.
    pub caps: Vec<CapView>,
}

/// One adapter in the list.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct AdapterView {
    /// Its identifier for `choose_adapter`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its address, where the system tells.
    pub address: Option<String>,
    /// What runs underneath.
    pub stack: String,
    /// Whether its devices are virtual: it is the simulated lab or a replay.
    pub simulated: bool,
}

/// One capability.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct CapView {
    /// Its stable word, such as `pairing`.
    pub cap: String,
    /// A few words for people.
    pub label: String,
    /// `yes`, `partly` or `no`.
    pub support: String,
    /// Why it is not a plain yes; empty otherwise.
    pub reason: String,
}

/// Changes of the device table.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct DevicesView {
    /// Whether what the window had must be forgotten first (another adapter, another filter).
    pub reset: bool,
    /// Rows that are new or changed, and match the filter.
    pub changed: Vec<DeviceRow>,
    /// Devices that no longer match the filter, or were aged out.
    pub removed: Vec<String>,
    /// How many match.
    pub shown: u32,
    /// How many there are.
    pub total: u32,
}

/// One row of the device table.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct DeviceRow {
    /// Its identifier for every command.
    pub id: String,
    /// The name to show: alias, else advertised name, else address or identifier.
    pub name: String,
    /// The advertised name, cleaned.
    pub local_name: Option<String>,
    /// The name that the user gave.
    pub alias: Option<String>,
    /// Whether the user starred it.
    pub starred: bool,
    /// Address, where the system shows it.
    pub address: Option<String>,
    /// `public`, `static`, `private` (resolvable) or `non-resolvable`; `None` where unknown.
    pub address_kind: Option<String>,
    /// Whether it takes connections, where the system tells.
    pub connectable: Option<bool>,
    /// Latest signal strength, dBm.
    pub rssi: Option<i16>,
    /// Signal strength over the last minute, oldest first, at most 30 numbers, dBm.
    pub trend: Vec<i16>,
    /// Estimated advertising interval, ms.
    pub interval_ms: Option<f64>,
    /// When it was first heard.
    pub first_seen_ms: f64,
    /// When it was last heard.
    pub last_seen_ms: f64,
    /// How many advertisements were heard.
    pub adverts: u32,
    /// Advertised services.
    pub services: Vec<NamedUuid>,
    /// Company of the manufacturer data, such as `Apple, Inc.`.
    pub company: Option<String>,
    /// What a beacon says, in a line.
    pub summary: Option<String>,
    /// Advertised transmit power, dBm.
    pub tx_power: Option<i16>,
    /// State of its connection, as in [`LinkView::state`]; `none` when there never was one.
    pub link: String,
    /// Not heard for 60 s and not connected.
    pub gone: bool,
}

/// A UUID with its name.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct NamedUuid {
    /// Whole, lower case.
    pub uuid: String,
    /// `0x180D` for assigned ones, whole otherwise.
    pub short: String,
    /// Its name, where there is one.
    pub name: Option<String>,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct LinkView {
    /// The device.
    pub device: String,
    /// Its name, as in its row.
    pub name: String,
    /// Its address or identifier.
    pub address: String,
    /// `connecting`, `connected`, `disconnecting`, `disconnected`, `failed` or `retrying`.
    pub state: String,
    /// Since when it is in this state.
    pub since_ms: f64,
    /// When connecting gives up.
    pub deadline_ms: Option<f64>,
    /// Whether the system has keys of the device; null where that cannot be known.
    pub paired: Option<bool>,
    /// ATT MTU, where the system tells.
    pub mtu: Option<u16>,
    /// Signal strength: of the link where the system tells, else of its last advertisement.
    pub rssi: Option<i16>,
    /// Connection parameters, where the system tells.
    pub parameters: Option<ParametersView>,
    /// Whether nobody asked for the end of it.
    pub unexpected: bool,
    /// The attempt that is under way or waited for, after the link ended by itself.
    pub retry: Option<RetryView>,
    /// Whether the device is come back to when its link ends by itself.
    pub auto_reconnect: bool,
    /// Why it failed or ended.
    pub problem: Option<Problem>,
}

/// A device that is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct SeekView {
    /// What it is called, as it was typed.
    pub text: String,
    /// When the search is given up.
    pub until_ms: f64,
}

/// The connection parameters of a link.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct ParametersView {
    /// From one connection event to the next, milliseconds.
    pub interval_ms: f64,
    /// Connection events in a row that the device may sleep through.
    pub latency: u16,
    /// After what silence the link is lost, milliseconds.
    pub timeout_ms: f64,
}

impl From<radio::ConnectionParameters> for ParametersView {
    fn from(parameters: radio::ConnectionParameters) -> Self {
        Self {
            interval_ms: f64::from(parameters.interval_us) / 1e3,
            latency: parameters.latency,
            timeout_ms: f64::from(parameters.supervision_timeout_us) / 1e3,
        }
    }
}

/// A question of pairing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PairingView {
    /// The question, for its answer.
    pub id: u32,
    /// The device.
    pub device: String,
    /// Its name.
    pub name: String,
    /// `allow`, `same_number` (does the device show it too), `enter_passkey` (which one does the
    /// device show) or `show_passkey` (type it on the device; needs no answer).
    pub question: String,
    /// Six digits.
    pub passkey: Option<String>,
    /// It needs no answer any more.
    pub over: bool,
}

/// An attempt to come back to a device.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct RetryView {
    /// Which attempt, from 1.
    pub attempt: u32,
    /// How many there will be.
    pub attempts: u32,
    /// When it begins; null while the adapter is waited for.
    pub at_ms: Option<f64>,
}

/// The attributes of a device.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct GattView {
    /// The device.
    pub device: String,
    /// Which discovery this is.
    pub generation: u32,
    /// Services, each with its characteristics, each with its descriptors.
    pub services: Vec<AttributeView>,
}

/// One attribute of the tree.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct AttributeView {
    /// Its identifier for every command, until the next discovery.
    #[ts(type = "number")]
    pub id: u64,
    /// Its place in words, which outlives a reconnection: `180d/2a37`, with `#2` for a second
    /// instance.
    pub key: String,
    /// `service`, `characteristic` or `descriptor`.
    pub kind: String,
    /// UUID with its name.
    pub uuid: NamedUuid,
    /// The name to show: the first of `names`, else `Unknown characteristic` and its like.
    pub name: String,
    /// Every name that it has and who says so: the user's, what the device itself says (0x2901), the
    /// assigned one.
    pub names: Vec<NameView>,
    /// Handle, where the system tells.
    pub handle: Option<u16>,
    /// Which one of how many with this UUID in the same service, when there are several.
    pub instance: Option<(u32, u32)>,
    /// Names of its properties.
    pub properties: Vec<String>,
    /// What can be done with it.
    pub actions: ActionsView,
    /// Format that decodes its values: `sig`, `0x2904` (as the device says) or a layout such as
    /// `temp:i16le*0.01 °C`; empty for none.
    pub format: String,
    /// Characteristics of a service, descriptors of a characteristic.
    pub children: Vec<AttributeView>,
}

/// For each action: null when it can be done, else why not and what to do.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct ActionsView {
    /// Read.
    pub read: Option<String>,
    /// Write with response.
    pub write: Option<String>,
    /// Write without response.
    pub write_without: Option<String>,
    /// Subscribe.
    pub subscribe: Option<String>,
    /// Most bytes of a write with response.
    pub max_write: u32,
    /// Most bytes of a write without response.
    pub max_write_without: u32,
}

/// Newest value of an attribute, for its row in the tree.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct ValueView {
    /// The device.
    pub device: String,
    /// The attribute.
    #[ts(type = "number")]
    pub attribute: u64,
    /// When the value came; `None` when there is none yet.
    pub at_ms: Option<f64>,
    /// In a line: decoded where a format is known, else hexadecimal, shortened.
    pub text: String,
    /// Unit of the text, if it is one number.
    pub unit: String,
    /// Values per second over the last second, when it is more than one.
    pub rate: Option<f64>,
    /// How many values came since the connection.
    #[ts(type = "number")]
    pub count: u64,
    /// How many of them were lost, by the device's counter and by queues.
    #[ts(type = "number")]
    pub lost: u64,
    /// Lost in the last five seconds.
    #[ts(type = "number")]
    pub lost_lately: u64,
    /// Whether it is subscribed.
    pub subscribed: bool,
    /// Whether it is plotted.
    pub plotted: bool,
    /// The device's time, if that is what it is plotted on.
    pub device_time: Option<DeviceTimeView>,
    /// What is under way: `reading`, `writing`, `subscribing`; empty for nothing.
    pub busy: String,
    /// Why the last operation failed.
    pub problem: Option<Problem>,
}

/// What the inspector shows of one attribute.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct InspectView {
    /// How it is subscribed where there is a choice: `system`, `notify` or `indicate`.
    pub notify_mode: String,
    /// By which way notifications come where there is a choice: `socket` or `signals`.
    pub notify_route: String,
    /// The attribute.
    #[ts(type = "number")]
    pub attribute: u64,
    /// When the newest value came.
    pub at_ms: Option<f64>,
    /// Its bytes, hexadecimal with spaces.
    pub bytes: String,
    /// The headline: the first number or text with its unit.
    pub headline: String,
    /// Unit of the headline.
    pub unit: String,
    /// The name of the field that the headline is of.
    pub headline_of: String,
    /// Decoded fields.
    pub fields: Vec<FieldView>,
    /// Format in use, as in [`AttributeView::format`].
    pub format: String,
    /// What is wrong with the format for this value, such as `3 of 4 bytes`; empty when it fits.
    pub format_note: String,
    /// Newest values, newest first.
    pub history: Vec<HistoryRow>,
    /// How many values there were.
    #[ts(type = "number")]
    pub count: u64,
    /// What its counter has found; null where nothing counts.
    pub counter: Option<crate::counter::CounterView>,
    /// On which time its values are drawn.
    pub time: Option<TimeAxisView>,
    /// Which format is in force, and which could be.
    pub choice: Option<FormatView>,
    /// How much of the recording was read to draw it anew, 0 to 1; null when nothing is read.
    pub reread: Option<f64>,
}

/// The format of a characteristic, and why it is that.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct FormatView {
    /// `sig`, `0x2904` (said by the device), `layout`, or `bytes` for none.
    pub kind: String,
    /// The format itself, as in [`AttributeView::format`].
    pub format: String,
    /// Where it comes from, in a sentence.
    pub why: String,
    /// Whether the user chose it for the `model` or for `every` device; empty if nobody chose.
    pub scope: String,
    /// What the user noted beside the choice; empty if nothing.
    pub note: String,
    /// What the model is called that a choice is saved for; null if nobody knows.
    pub model: Option<String>,
    /// What that is: the `model number`, or the advertised `name`.
    pub model_from: String,
    /// Whether there is a standard one.
    pub standard: bool,
    /// Whether the device says one.
    pub presented: bool,
}

/// What a layout would make of the newest value.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct PreviewView {
    /// The value's bytes, hexadecimal with spaces; empty if there is none yet.
    pub bytes: String,
    /// Its fields.
    pub fields: Vec<FieldView>,
    /// The value in a line.
    pub text: String,
    /// Why the layout does not fit the value; empty when it does.
    pub note: String,
    /// The layout in its shortest form; empty if it cannot be read.
    pub layout: String,
    /// Why and where it cannot be read.
    pub problem: Option<Problem>,
}

/// On which time the values of an attribute are drawn.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct TimeAxisView {
    /// By when the device took them, not by when they arrived.
    pub by_device: bool,
    /// Why the device's time cannot be chosen; null when it can.
    pub off: Option<String>,
    /// The device's time, where the format has it, chosen or not.
    pub device: Option<DeviceTimeView>,
}

/// How a device's clock stands to the clock of arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct DeviceTimeView {
    /// Where it comes from: `clock` (a timestamp), `counter` or `samples` (several in one value).
    pub source: String,
    /// `settling` (too little was heard), `settled`, or `misfit`: it does not run as the format says.
    pub state: String,
    /// Since when one line fits, Unix milliseconds.
    pub since_ms: Option<f64>,
    /// By how many parts in a million the device's clock is fast; of a timestamp.
    pub drift_ppm: Option<f64>,
    /// By how many the drift would differ without one of the two arrivals that the line rests on.
    pub drift_within_ppm: Option<f64>,
    /// Ticks per second; of a counter or samples.
    pub rate: Option<f64>,
    /// 95 of 100 values come at most so much later than the quickest, ms.
    pub residual_ms: Option<f64>,
    /// Half of them do, ms.
    pub median_ms: Option<f64>,
    /// How often the device's clock began anew or was set.
    #[ts(type = "number")]
    pub restarts: u64,
}

/// A layout that would fit the values that came.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct SuggestionView {
    /// To be used as it is, or to be edited.
    pub layout: String,
    /// The share of a value's bits that it explains, 0 to 1.
    pub score: f64,
    /// The newest value in a line, read so.
    pub text: String,
    /// What speaks for it, in the order of the bytes.
    pub evidence: Vec<EvidenceView>,
}

/// What speaks for one field of a proposed layout.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct EvidenceView {
    /// The field.
    pub field: String,
    /// First byte and one past the last.
    pub bytes: (u32, u32),
    /// One sentence.
    pub sentence: String,
}

/// A file of formats, and what taking it would change.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct FormatsFileView {
    /// Which reading it is.
    pub number: u32,
    /// The file.
    pub path: String,
    /// What is in it.
    pub entries: Vec<FormatsEntryView>,
    /// What in it was not understood, and where.
    pub problems: Vec<String>,
}

/// One entry of a file of formats.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct FormatsEntryView {
    /// `format`, `advert` (a layout of what is advertised) or `name`.
    pub what: String,
    /// Of which UUID; of a company's advertisements, `company:` and its number.
    pub uuid: NamedUuid,
    /// For which model; null for every device.
    pub model: Option<String>,
    /// The layout, or the name.
    pub text: String,
    /// What was noted beside it.
    pub note: String,
    /// `new`, `replaces` or `same`.
    pub state: String,
    /// What it would replace.
    pub before: Option<String>,
    /// What is noted beside that.
    pub note_before: Option<String>,
}

/// One decoded field.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct FieldView {
    /// Its name.
    pub name: String,
    /// Its value in words; empty if nothing could be read.
    pub value: String,
    /// Its unit.
    pub unit: String,
    /// First byte and one past the last.
    pub bytes: (u32, u32),
    /// Bits within the bytes, such as `bits 1–2`; empty for whole bytes.
    pub bits: String,
    /// Colour, 1 to 8; 0 for none.
    pub colour: u8,
    /// What is wrong with it, such as `missing` or `reserved`; empty when nothing is.
    pub problem: String,
}

/// One value of the past.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct HistoryRow {
    /// When it came.
    pub at_ms: f64,
    /// `read`, `write`, `notify`, `indicate` or `lost`.
    pub kind: String,
    /// Its bytes, hexadecimal with spaces, shortened at 64 bytes.
    pub bytes: String,
    /// Decoded, in a line.
    pub text: String,
    /// How many were lost just before it.
    pub lost_before: u32,
}

/// One plotted series: one numeric field of one attribute.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct SeriesView {
    /// Its identifier for the pump.
    pub id: u32,
    /// The device.
    pub device: String,
    /// Its name.
    pub device_name: String,
    /// The attribute's key, as in [`AttributeView::key`].
    pub attribute: String,
    /// The lane it is drawn in: series of one attribute with one unit share it.
    pub lane: String,
    /// Title of the lane.
    pub lane_name: String,
    /// Name of the series.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Colour, 1 to 8.
    pub colour: u8,
    /// Whether it is dashed, because the colours have come round again.
    pub dashed: bool,
    /// Whether it is drawn.
    pub visible: bool,
    /// Whether values still come.
    pub live: bool,
}

/// A moment that somebody marked.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct MarkView {
    /// Its number in this recording.
    pub id: u32,
    /// When, seconds of the session.
    pub at: f64,
    /// What was written beside it.
    pub text: String,
}

/// Numbers of one series over a range, from raw samples.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct StatisticsView {
    /// The series.
    pub series: u32,
    /// How many samples.
    #[ts(type = "number")]
    pub count: u64,
    /// Smallest.
    pub min: Option<f64>,
    /// Mean.
    pub mean: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// Samples per second.
    pub rate: Option<f64>,
    /// Lost in the range.
    #[ts(type = "number")]
    pub lost: u64,
}

/// What the pump is asked for. It answers with one binary frame; see [`crate::frame`].
#[derive(Clone, Debug, Deserialize, TS)]
#[ts(export)]
pub struct PumpRequest {
    /// Series to draw.
    pub series: Vec<u32>,
    /// Start of the range, seconds of the session; `None` follows the newest sample.
    pub from: Option<f64>,
    /// Length of the range, seconds.
    pub span: f64,
    /// Width of the plot, device pixels.
    pub pixels: u32,
    /// Revision of the last frame that was drawn; the answer waits until there is another, or for
    /// `patience_ms`.
    #[ts(type = "number")]
    pub seen: u64,
    /// How long the answer may wait, ms.
    pub patience_ms: u32,
}

/// The recording.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct RecordingView {
    /// `recording`, `paused` (it cannot write; see `problem`) or `off`.
    pub state: String,
    /// File name.
    pub name: String,
    /// Folder.
    pub folder: String,
    /// Since when.
    pub since_ms: f64,
    /// Values recorded: reads, writes, notifications, indications.
    #[ts(type = "number")]
    pub values: u64,
    /// Everything recorded.
    #[ts(type = "number")]
    pub events: u64,
    /// Size on disk, bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Lost, by cause.
    pub lost: LostView,
    /// How many events wait in memory and are not on the disk: what a crash would cost now.
    #[ts(type = "number")]
    pub waiting: u64,
    /// How much memory they take, bytes.
    #[ts(type = "number")]
    pub waiting_bytes: u64,
    /// At most one advertisement of each device is recorded in so many seconds; 0 records every one.
    pub sample_adverts_s: u32,
    /// How many advertisements were left out for that: a choice, and no loss.
    #[ts(type = "number")]
    pub left_out: u64,
    /// Why it does not record.
    pub problem: Option<Problem>,
}

/// Lost values, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct LostView {
    /// Gaps in a device's own counter.
    #[ts(type = "number")]
    pub device: u64,
    /// Dropped by the system's or the library's queue.
    #[ts(type = "number")]
    pub queue: u64,
    /// Dropped by Gattscope.
    #[ts(type = "number")]
    pub gattscope: u64,
    /// Stretches in which nothing could come, because the link was down: how many values each of them
    /// hides, nobody knows.
    #[ts(type = "number")]
    pub outages: u64,
}

/// Rates for the status bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct RatesView {
    /// Advertisements per second.
    pub adverts: f64,
    /// Notifications and indications per second.
    pub notifications: f64,
    /// Dropped by Gattscope and the system's queue, in all.
    #[ts(type = "number")]
    pub dropped: u64,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct LogEntry {
    /// Counts up by one; a jump means that entries were dropped from the view.
    #[ts(type = "number")]
    pub seq: u64,
    /// When.
    pub at_ms: f64,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// `scan`, `link`, `discovery`, `read`, `write`, `notify`, `lost` or `app`.
    pub category: String,
    /// Device, if it is about one.
    pub device: Option<String>,
    /// Its name.
    pub device_name: Option<String>,
    /// What was done, such as `Read` or `Read failed`; the module for `app`.
    pub operation: String,
    /// Name of the attribute.
    pub attribute: Option<String>,
    /// The rest, in a line.
    pub detail: String,
    /// Why it failed.
    pub problem: Option<Problem>,
}

/// Something to see at once.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct NoticeView {
    /// `bad`, `warn` or `info`.
    pub severity: String,
    /// What it is about, in two or three words.
    pub title: String,
    /// What happened, why, what to do.
    pub problem: Problem,
    /// The device, if it is about one.
    pub device: Option<String>,
    /// What a button beside it offers: `reconnect`, `power_on`, `look_again`; empty for none.
    pub action: String,
}

/// What is remembered between runs.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct SettingsView {
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// Log level of the view and the file.
    pub log_level: String,
    /// How long connecting may take, seconds.
    pub connect_timeout_s: u32,
    /// Whether single letters act on a focused row or plot.
    pub single_key_shortcuts: bool,
    /// Whether scans ask for no scan responses, where the system can.
    pub passive_scan: bool,
    /// How many days sessions are kept; 0 for ever.
    pub keep_days: u32,
    /// How many gigabytes sessions may have together; 0 for any number.
    pub keep_gigabytes: u32,
    /// At most one advertisement of each device is recorded in so many seconds; 0 records every one.
    pub sample_adverts_s: u32,
    /// What the device list is sorted by: `signal`, `name`, `last` or `first`.
    pub sort: String,
    /// Sizes of panels that were changed, by name, CSS pixels; 0 is collapsed.
    pub panels: std::collections::BTreeMap<String, u32>,
    /// Folder of the session files.
    pub session_folder: String,
    /// Folder of the log files.
    pub log_folder: String,
}

/// What typing into the write editor would send.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct EncodedView {
    /// The bytes, hexadecimal with spaces; empty when the input cannot be sent.
    pub bytes: String,
    /// How many.
    pub len: u32,
    /// Of a form, the field that stands in the way.
    pub field: Option<String>,
    /// Why it cannot be sent.
    pub problem: Option<Problem>,
}

/// What was typed into the write editor.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WriteInput {
    /// `hex`, `text`, or a number's type: `u8`, `i16le`, `f32be` and so on.
    pub kind: String,
    /// What was typed.
    pub text: String,
}

/// A session of the folder.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct SessionView {
    /// Its file's name, by which it is called for.
    pub file: String,
    /// What it is called.
    pub name: String,
    /// What the user says of it.
    pub comment: String,
    /// Never deleted by age or size.
    pub kept: bool,
    /// The file that it was imported from.
    pub source: Option<String>,
    /// `recording`, `in_use` by another window or program, `closed`, `interrupted` or `cut_off`.
    pub state: String,
    /// When it started, Unix milliseconds.
    pub started_ms: f64,
    /// How long it lasted.
    pub duration_s: f64,
    /// How many devices it has.
    #[ts(type = "number")]
    pub devices: u64,
    /// What the first of them are called.
    pub device_names: Vec<String>,
    /// How many events it has.
    #[ts(type = "number")]
    pub events: u64,
    /// How many values; null where the file does not tell.
    #[ts(type = "number | null")]
    pub values: Option<u64>,
    /// How many are missing.
    #[ts(type = "number")]
    pub lost: u64,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Where it has what was searched for.
    pub found: Vec<String>,
}

/// The sessions of the folder.
#[derive(Clone, Debug, Serialize, TS)]
#[ts(export)]
pub struct SessionsView {
    /// The latest first.
    pub sessions: Vec<SessionView>,
    /// Why others cannot be opened.
    pub refused: Vec<Problem>,
}

/// Something that takes long.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct JobView {
    /// By which it is cancelled.
    pub id: u32,
    /// `export` or `import`.
    pub what: String,
    /// The file.
    pub path: String,
    /// Rows, lines, packets or pages so far.
    #[ts(type = "number")]
    pub rows: u64,
    /// How much of it is done, 0 to 1.
    pub part: f64,
    /// Rows per second.
    pub per_second: Option<f64>,
    /// How long it will take, seconds.
    pub left_s: Option<f64>,
}
