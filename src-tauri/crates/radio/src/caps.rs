//! What a radio can do on this system, and the reason for each thing that it cannot.

use serde::{Deserialize, Serialize};

/// Why no radio reads from a cache.
pub(crate) const NO_CACHE: &str = "Every read asks the device, so that no value is an old one. What \
                                   was read before is in the history.";

/// Something that not every radio can do on every system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// Show the Bluetooth address of a device.
    Address,
    /// Tell whether a device accepts connections.
    Connectable,
    /// Give an advertisement byte for byte.
    RawAdvertisement,
    /// Listen without asking for scan responses.
    PassiveScan,
    /// Tell the ATT handle of an attribute.
    Handles,
    /// Tell apart two attributes of one UUID.
    DuplicateUuids,
    /// Choose between notifications and indications where an attribute has both.
    ChooseNotifyMode,
    /// Choose by which way notifications come ([`NotifyRoute`](crate::NotifyRoute)).
    NotifyRoute,
    /// Tell the ATT MTU of a link.
    Mtu,
    /// Tell the connection parameters of a link, and ask for others.
    ConnectionParameters,
    /// Read what the system remembers of a value instead of asking the device.
    CachedRead,
    /// Give the signal strength of a link.
    LinkRssi,
    /// Tell why a link ended.
    DisconnectReason,
    /// Switch the adapter on and off.
    SetPower,
    /// Pair and unpair.
    Pairing,
    /// Forget what the system remembers of a device.
    Forget,
}

impl Cap {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Cap; 16] = [
        Cap::Address,
        Cap::Connectable,
        Cap::RawAdvertisement,
        Cap::PassiveScan,
        Cap::Handles,
        Cap::DuplicateUuids,
        Cap::ChooseNotifyMode,
        Cap::NotifyRoute,
        Cap::Mtu,
        Cap::ConnectionParameters,
        Cap::CachedRead,
        Cap::LinkRssi,
        Cap::DisconnectReason,
        Cap::SetPower,
        Cap::Pairing,
        Cap::Forget,
    ];

    /// A few words for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Cap::Address => "Device addresses",
            Cap::Connectable => "Connectable or not",
            Cap::RawAdvertisement => "Raw advertising bytes",
            Cap::PassiveScan => "Passive scan",
            Cap::Handles => "Attribute handles",
            Cap::DuplicateUuids => "Duplicate UUIDs told apart",
            Cap::ChooseNotifyMode => "Notify or indicate by choice",
            Cap::NotifyRoute => "Way of notifications by choice",
            Cap::Mtu => "MTU",
            Cap::ConnectionParameters => "Connection parameters",
            Cap::CachedRead => "Reads from the system's cache",
            Cap::LinkRssi => "Signal of a connection",
            Cap::DisconnectReason => "Reason of a disconnection",
            Cap::SetPower => "Adapter power",
            Cap::Pairing => "Pairing",
            Cap::Forget => "Forget and rediscover",
        }
    }
}

/// Whether something can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "support", content = "reason", rename_all = "snake_case")]
pub enum Support {
    /// It can.
    Yes,
    /// It can, with a limit that the text names.
    Partly(&'static str),
    /// It cannot; the text says which interface is missing and what to do instead.
    No(&'static str),
}

/// What a radio can do on this system: one answer for every [`Cap`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps(Vec<(Cap, Support)>);

impl Caps {
    /// Asks `answer` about every capability, so that none can be forgotten.
    pub fn each(answer: impl Fn(Cap) -> Support) -> Self {
        Self(Cap::ALL.into_iter().map(|cap| (cap, answer(cap))).collect())
    }

    /// The answer for one capability.
    #[must_use]
    pub fn support(&self, cap: Cap) -> &Support {
        const UNKNOWN: &Support = &Support::No("This radio did not say.");
        self.0
            .iter()
            .find(|(this, _)| *this == cap)
            .map_or(UNKNOWN, |(_, support)| support)
    }

    /// Whether it can be done at all.
    #[must_use]
    pub fn has(&self, cap: Cap) -> bool {
        !matches!(self.support(cap), Support::No(_))
    }

    /// Every capability with its answer, in the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = (Cap, &Support)> {
        self.0.iter().map(|(cap, support)| (*cap, support))
    }
}
