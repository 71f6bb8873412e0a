//! What can happen, and the numbers that stand for it in the file.

use std::borrow::Cow;

use bytes::Bytes;
use radio::{
    Advertisement, AttError, AttrId, DisconnectReason, NotifyMode, RadioState, Rssi, SampleKind,
    Timestamp, WriteKind,
};
use serde::{Deserialize, Serialize};

/// A device of one session: the number of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceKey(pub u32);

/// A link of one session: the number of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkKey(pub u32);

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, $direction:ident;)*) => {
        /// What kind of event a row of the file is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name = $number,)* }

        impl Kind {
            /// All of them, by number.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The kind with this number in the file.
            #[must_use]
            pub fn from_number(number: i64) -> Option<Self> {
                match number { $($number => Some(Kind::$name),)* _ => None }
            }

            /// Its name in the file and in exports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Kind::$name => $text,)* }
            }

            /// Who did it.
            #[must_use]
            pub fn direction(self) -> Direction {
                match self { $(Kind::$name => Direction::$direction,)* }
            }
        }
    };
}

kinds! {
    /// A report of an advertisement.
    Advertisement = 1, "advertisement", In;
    /// A scan began.
    ScanStarted = 2, "scan_started", Local;
    /// A scan ended.
    ScanStopped = 3, "scan_stopped", Local;
    /// The adapter changed its state.
    AdapterState = 4, "adapter_state", Local;
    /// Advertisements are left out by the user's choice, or no more.
    Sampling = 5, "sampling", Local;
    /// A connection was asked for.
    Connecting = 10, "connecting", Out;
    /// A link came up.
    Connected = 11, "connected", In;
    /// No link came up.
    ConnectFailed = 12, "connect_failed", Local;
    /// The ATT MTU became known or changed.
    Mtu = 13, "mtu", In;
    /// The attributes of the device became known.
    Discovered = 14, "discovered", In;
    /// A link ended.
    Disconnected = 15, "disconnected", In;
    /// The signal strength of a link.
    Rssi = 16, "rssi", In;
    /// A value was asked for.
    ReadRequest = 20, "read_request", Out;
    /// The value, or the refusal.
    ReadResult = 21, "read_result", In;
    /// A value was sent and an answer awaited.
    WriteRequest = 22, "write_request", Out;
    /// A value was sent and no answer awaited.
    WriteCommand = 23, "write_command", Out;
    /// What became of a write.
    WriteResult = 24, "write_result", In;
    /// Values were subscribed to.
    Subscribed = 25, "subscribed", Out;
    /// A subscription ended.
    Unsubscribed = 26, "unsubscribed", Out;
    /// A value came as a notification.
    Notification = 30, "notification", In;
    /// A value came as an indication.
    Indication = 31, "indication", In;
    /// A value came as one of the two; the system does not tell which.
    NotificationOrIndication = 32, "notification_or_indication", In;
    /// Something went wrong that belongs to no request.
    Error = 40, "error", Local;
    /// A text of the user.
    Note = 41, "note", Local;
    /// A moment that the user or a script marked.
    Marker = 42, "marker", Local;
    /// Something is missing here.
    Gap = 43, "gap", Local;
}

impl Kind {
    /// Those that carry a value of an attribute.
    pub const VALUES: &'static [Kind] = &[
        Kind::ReadResult,
        Kind::WriteRequest,
        Kind::WriteCommand,
        Kind::Notification,
        Kind::Indication,
        Kind::NotificationOrIndication,
    ];

    /// The kind's number in the file.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }
}

/// Which way an event went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the peer to this computer.
    In,
    /// From this computer to the peer.
    Out,
    /// Neither.
    Local,
}

impl Direction {
    /// Its name in the file and in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Direction::In => "in",
            Direction::Out => "out",
            Direction::Local => "local",
        }
    }
}

/// Who lost something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The device's own counter skipped: lost in the device or on the air.
    DeviceSequence,
    /// The radio's own queue overflowed.
    HostQueue,
    /// The recorder could not keep up, or could not write.
    Gattscope,
    /// The link was down; how many were missed is not known.
    LinkDown,
}

impl Cause {
    /// All of them, by number.
    pub const ALL: [Cause; 4] = [
        Cause::DeviceSequence,
        Cause::HostQueue,
        Cause::Gattscope,
        Cause::LinkDown,
    ];

    /// The cause's number in the file.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Cause::DeviceSequence => 1,
            Cause::HostQueue => 2,
            Cause::Gattscope => 3,
            Cause::LinkDown => 4,
        }
    }

    /// The cause with this number in the file.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.number() == number)
    }

    /// Its name in the file and in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Cause::DeviceSequence => "device_sequence",
            Cause::HostQueue => "host_queue",
            Cause::Gattscope => "gattscope",
            Cause::LinkDown => "link_down",
        }
    }
}

/// Why something failed: the peer's ATT error, or words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code that the peer answered with.
    pub att: Option<AttError>,
    /// What went wrong, for people.
    pub text: Box<str>,
}

impl Failure {
    /// A failure on this side.
    pub fn local(text: impl Into<Box<str>>) -> Self {
        Self {
            att: None,
            text: text.into(),
        }
    }
}

impl From<&radio::Error> for Failure {
    fn from(error: &radio::Error) -> Self {
        Self {
            att: match error {
                radio::Error::Att(code) => Some(*code),
                _ => None,
            },
            text: error.to_string().into(),
        }
    }
}

impl From<radio::Error> for Failure {
    fn from(error: radio::Error) -> Self {
        Self::from(&error)
    }
}

/// Something that happened.
///
/// A read or a write is two events, the request and the result: what was cut off between them is
/// seen as what it is. Reading and writing a descriptor are the same events; the attribute tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A report of an advertisement.
    Advertisement {
        /// Who sent it.
        device: DeviceKey,
        /// The report.
        report: Box<Advertisement>,
    },
    /// A scan began.
    ScanStarted {
        /// What was listened for; empty for everything.
        filter: Box<str>,
    },
    /// A scan ended.
    ScanStopped,
    /// Advertisements are left out by the user's choice: a choice and no loss, and counted all the same.
    Sampling {
        /// What is recorded, in words.
        choice: Box<str>,
        /// How many were left out since the last event of this kind.
        left_out: u64,
    },
    /// The adapter changed its state.
    AdapterState {
        /// The new state.
        state: RadioState,
        /// The adapter.
        adapter: Box<str>,
    },
    /// A connection is asked for.
    Connecting {
        /// The device.
        device: DeviceKey,
    },
    /// No link came up.
    ConnectFailed {
        /// The device.
        device: DeviceKey,
        /// Why.
        failure: Failure,
    },
    /// The ATT MTU became known or changed.
    Mtu {
        /// The link.
        link: LinkKey,
        /// The MTU in bytes.
        mtu: u16,
    },
    /// A link ended.
    Disconnected {
        /// The link.
        link: LinkKey,
        /// Why.
        reason: DisconnectReason,
    },
    /// The signal strength of a link.
    Rssi {
        /// The link.
        link: LinkKey,
        /// The strength.
        rssi: Rssi,
    },
    /// A value is asked for.
    ReadRequest {
        /// The characteristic or descriptor.
        attribute: AttrId,
    },
    /// The value, or the refusal.
    ReadResult {
        /// The characteristic or descriptor.
        attribute: AttrId,
        /// The bytes, or why there are none.
        result: Result<Bytes, Failure>,
    },
    /// A value is sent.
    Write {
        /// The characteristic or descriptor.
        attribute: AttrId,
        /// The bytes.
        value: Bytes,
        /// Whether an answer is awaited.
        kind: WriteKind,
    },
    /// What became of a write.
    WriteResult {
        /// The characteristic or descriptor.
        attribute: AttrId,
        /// Why it failed, if it did.
        result: Result<(), Failure>,
    },
    /// Values were subscribed to.
    Subscribed {
        /// The characteristic.
        attribute: AttrId,
        /// What was asked for.
        mode: NotifyMode,
        /// Why it failed, if it did.
        result: Result<(), Failure>,
    },
    /// A subscription ended.
    Unsubscribed {
        /// The characteristic.
        attribute: AttrId,
        /// Why it failed, if it did.
        result: Result<(), Failure>,
    },
    /// A value came without being asked for.
    Value {
        /// The characteristic.
        attribute: AttrId,
        /// How it came.
        kind: SampleKind,
        /// How many values the radio's own queue dropped just before this one.
        lost_before: u32,
        /// The bytes.
        bytes: Bytes,
    },
    /// Something went wrong that belongs to no request.
    Error {
        /// The device, if it concerns one.
        device: Option<DeviceKey>,
        /// What went wrong.
        failure: Failure,
    },
    /// A text of the user.
    Note {
        /// The text.
        text: Box<str>,
    },
    /// A moment that the user or a script marks.
    Marker {
        /// Its label.
        label: Box<str>,
    },
    /// Something is missing.
    Gap {
        /// Who lost it.
        cause: Cause,
        /// The characteristic whose values are missing, if it is one.
        attribute: Option<AttrId>,
        /// How many are missing.
        count: u64,
        /// Not before.
        from: Timestamp,
        /// Not after.
        to: Timestamp,
    },
}

/// An event as the columns of its row.
pub(crate) struct Columns<'a> {
    pub(crate) kind: Kind,
    pub(crate) device: Option<DeviceKey>,
    pub(crate) link: Option<LinkKey>,
    pub(crate) attribute: Option<AttrId>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) status: Option<i64>,
    pub(crate) number: Option<i64>,
    pub(crate) detail: Option<Cow<'a, str>>,
}

impl Columns<'_> {
    pub(crate) fn of(kind: Kind) -> Self {
        Self {
            kind,
            device: None,
            link: None,
            attribute: None,
            value: None,
            status: None,
            number: None,
            detail: None,
        }
    }
}

impl<'a> Columns<'a> {
    fn failed(self, failure: &'a Failure) -> Self {
        Self {
            status: Some(match failure.att {
                Some(AttError(code @ 1..)) => i64::from(code),
                _ => -1,
            }),
            detail: Some(Cow::Borrowed(&failure.text)),
            ..self
        }
    }

    fn outcome(self, result: &'a Result<(), Failure>) -> Self {
        match result {
            Ok(()) => Self {
                status: Some(0),
                ..self
            },
            Err(failure) => self.failed(failure),
        }
    }
}

fn unless_empty(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}

impl Event {
    /// How many bytes it holds beside its own size.
    pub(crate) fn payload_len(&self) -> usize {
        match self {
            Event::Value { bytes: value, .. }
            | Event::Write { value, .. }
            | Event::ReadResult {
                result: Ok(value), ..
            } => value.len(),
            Event::Advertisement { report, .. } => {
                let data = report.manufacturer_data.iter().map(|(_, data)| data.len());
                let more = report.service_data.iter().map(|(_, data)| data.len());
                size_of::<Advertisement>()
                    + report.services.len() * size_of::<uuid::Uuid>()
                    + report.local_name.as_ref().map_or(0, String::len)
                    + report.raw.as_ref().map_or(0, Bytes::len)
                    + data.sum::<usize>()
                    + more.sum::<usize>()
            }
            Event::Note { text: words }
            | Event::Marker { label: words }
            | Event::Sampling { choice: words, .. } => words.len(),
            _ => 0,
        }
    }

    /// Whether it is kept even when the queue is full: rare, and the end of what came before.
    pub(crate) fn must_stay(&self) -> bool {
        matches!(self, Event::Disconnected { .. })
    }

    pub(crate) fn columns(&self) -> Columns<'_> {
        match self {
            Event::Advertisement { device, report } => Columns {
                device: Some(*device),
                number: report.rssi.map(|rssi| i64::from(rssi.0)),
                ..Columns::of(Kind::Advertisement)
            },
            Event::ScanStarted { filter } => Columns {
                detail: unless_empty(filter),
                ..Columns::of(Kind::ScanStarted)
            },
            Event::ScanStopped => Columns::of(Kind::ScanStopped),
            Event::Sampling { choice, left_out } => Columns {
                number: Some(i64::try_from(*left_out).unwrap_or(i64::MAX)),
                detail: unless_empty(choice),
                ..Columns::of(Kind::Sampling)
            },
            Event::AdapterState { state, adapter } => Columns {
                number: Some(match state {
                    RadioState::Unknown => 0,
                    RadioState::On => 1,
                    RadioState::Off => 2,
                    RadioState::Unauthorized => 3,
                    RadioState::Gone => 4,
                }),
                detail: unless_empty(adapter),
                ..Columns::of(Kind::AdapterState)
            },
            Event::Connecting { device } => Columns {
                device: Some(*device),
                ..Columns::of(Kind::Connecting)
            },
            Event::ConnectFailed { device, failure } => Columns {
                device: Some(*device),
                ..Columns::of(Kind::ConnectFailed)
            }
            .failed(failure),
            Event::Mtu { link, mtu } => Columns {
                link: Some(*link),
                number: Some(i64::from(*mtu)),
                ..Columns::of(Kind::Mtu)
            },
            Event::Disconnected { link, reason } => {
                let (number, detail) = match reason {
                    DisconnectReason::Requested => (0, None),
                    DisconnectReason::Remote(words) => (1, words.as_deref()),
                    DisconnectReason::AdapterLost => (2, None),
                };
                Columns {
                    link: Some(*link),
                    number: Some(number),
                    detail: detail.map(Cow::Borrowed),
                    ..Columns::of(Kind::Disconnected)
                }
            }
            Event::Rssi { link, rssi } => Columns {
                link: Some(*link),
                number: Some(i64::from(rssi.0)),
                ..Columns::of(Kind::Rssi)
            },
            Event::ReadRequest { attribute } => Columns {
                attribute: Some(*attribute),
                ..Columns::of(Kind::ReadRequest)
            },
            Event::ReadResult { attribute, result } => {
                let columns = Columns {
                    attribute: Some(*attribute),
                    ..Columns::of(Kind::ReadResult)
                };
                match result {
                    Ok(value) => Columns {
                        value: Some(value),
                        status: Some(0),
                        ..columns
                    },
                    Err(failure) => columns.failed(failure),
                }
            }
            Event::Write {
                attribute,
                value,
                kind,
            } => Columns {
                attribute: Some(*attribute),
                value: Some(value),
                ..Columns::of(match kind {
                    WriteKind::WithResponse => Kind::WriteRequest,
                    WriteKind::WithoutResponse => Kind::WriteCommand,
                })
            },
            Event::WriteResult { attribute, result } => Columns {
                attribute: Some(*attribute),
                ..Columns::of(Kind::WriteResult)
            }
            .outcome(result),
            Event::Subscribed {
                attribute,
                mode,
                result,
            } => Columns {
                attribute: Some(*attribute),
                number: Some(match mode {
                    NotifyMode::System => 0,
                    NotifyMode::Notify => 1,
                    NotifyMode::Indicate => 2,
                }),
                ..Columns::of(Kind::Subscribed)
            }
            .outcome(result),
            Event::Unsubscribed { attribute, result } => Columns {
                attribute: Some(*attribute),
                ..Columns::of(Kind::Unsubscribed)
            }
            .outcome(result),
            Event::Value {
                attribute,
                kind,
                bytes,
                ..
            } => Columns {
                attribute: Some(*attribute),
                value: Some(bytes),
                ..Columns::of(match kind {
                    SampleKind::Notification => Kind::Notification,
                    SampleKind::Indication => Kind::Indication,
                    SampleKind::NotificationOrIndication => Kind::NotificationOrIndication,
                })
            },
            Event::Error { device, failure } => Columns {
                device: *device,
                ..Columns::of(Kind::Error)
            }
            .failed(failure),
            Event::Note { text } => Columns {
                detail: Some(Cow::Borrowed(text)),
                ..Columns::of(Kind::Note)
            },
            Event::Marker { label } => Columns {
                detail: Some(Cow::Borrowed(label)),
                ..Columns::of(Kind::Marker)
            },
            Event::Gap {
                attribute, count, ..
            } => Columns {
                attribute: *attribute,
                number: Some(i64::try_from(*count).unwrap_or(i64::MAX)),
                ..Columns::of(Kind::Gap)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_comes_back_from_its_number() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_number(kind.number()), Some(*kind));
        }
        assert_eq!(Kind::from_number(0), None);
        assert_eq!(Kind::from_number(-1), None);
    }

    #[test]
    fn an_event_stays_small_enough_to_queue_by_the_million() {
        assert!(size_of::<Event>() <= 64, "{}", size_of::<Event>());
    }

    #[test]
    fn a_refusal_keeps_its_att_code_and_any_other_failure_does_not_look_like_one() {
        let attribute = AttrId::from_u64(1 << 16).unwrap();
        let status = |failure: Failure| {
            Event::ReadResult {
                attribute,
                result: Err(failure),
            }
            .columns()
            .status
        };
        let refused = radio::Error::Att(AttError::READ_NOT_PERMITTED);
        assert_eq!(status(refused.into()), Some(2));
        assert_eq!(status(radio::Error::NotConnected.into()), Some(-1));
    }
}
