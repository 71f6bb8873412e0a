//! What differs between the systems, one file each, with the same items in all of them:
//!
//! - `STACK`, `FORGETS_DEVICES`, `TELLING`, `PREFERS`, `ECHOES_READS`, `DISCOVERY`: facts about the system;
//! - `support`: what it can do, and why not;
//! - `device_id`, `adapter_id`, `find`, `name_and_text`: names, both ways;
//! - `pairing`: pairs and unpairs, where that is possible at all;
//! - `watch`: tells when the system's Bluetooth goes and comes.

use std::time::Duration;

use crate::AdapterId;

#[cfg_attr(target_os = "linux", path = "platform/linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "platform/macos.rs")]
#[cfg_attr(target_os = "windows", path = "platform/windows.rs")]
mod system;

#[cfg_attr(target_os = "windows", path = "platform/windows_pairing.rs")]
#[cfg_attr(not(target_os = "windows"), path = "platform/no_pairing.rs")]
pub(super) mod pairing;

pub(super) use system::*;

/// How often, and after what pause, services are asked for again while the list is empty.
pub(super) struct Patience {
    pub(super) times: u32,
    pub(super) pause: Duration,
}

/// What happened to the system's Bluetooth as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    dead_code,
    reason = "only Linux tells these; elsewhere nothing is built from them"
)]
pub(super) enum HostEvent {
    /// The way to the system's service is gone and must be built anew.
    Lost,
    /// The system's service ended.
    ServiceGone,
    /// An adapter went away.
    AdapterGone(AdapterId),
    /// An adapter is there, again or for the first time.
    AdapterBack(AdapterId),
}
