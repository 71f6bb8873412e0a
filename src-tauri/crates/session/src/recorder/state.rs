//! What the recorder says of itself while it records.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use radio::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Cause, WallTime};

/// Whether events reach the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// They do.
    Recording,
    /// They do not; it is tried again every second. What is on disk stays; what comes is kept in
    /// memory as long as there is room, and counted after that.
    Paused {
        /// Why, as a sentence.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// The recording has ended.
    Stopped,
}

/// How many events are missing, by who lost them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losses {
    /// Lost in the device or on the air, as its own counter tells.
    pub device_sequence: u64,
    /// Lost in the radio's own queue.
    pub host_queue: u64,
    /// Lost here: the recorder could not keep up, or could not write.
    pub gattscope: u64,
    /// Missed while the link was down, as far as it is known: the recorder is told of the intervals, seldom of a number.
    pub link_down: u64,
}

impl Losses {
    /// All of them.
    #[must_use]
    pub fn total(self) -> u64 {
        [self.host_queue, self.gattscope, self.link_down]
            .into_iter()
            .fold(self.device_sequence, u64::saturating_add)
    }

    pub(crate) fn of(&mut self, cause: Cause) -> &mut u64 {
        match cause {
            Cause::DeviceSequence => &mut self.device_sequence,
            Cause::HostQueue => &mut self.host_queue,
            Cause::Gattscope => &mut self.gattscope,
            Cause::LinkDown => &mut self.link_down,
        }
    }
}

/// The recorder at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The file.
    pub path: PathBuf,
    /// When the session started.
    pub started: WallTime,
    /// Whether events reach the disk.
    pub state: State,
    /// How many events are on disk, gaps included.
    pub events: u64,
    /// How many of them carry a value of an attribute.
    pub values: u64,
    /// How many wait in memory: what a crash would cost now.
    pub waiting: u64,
    /// How much memory they take, in bytes.
    pub waiting_bytes: u64,
    /// How many are missing.
    pub lost: Losses,
    /// The size of the session on disk, in bytes.
    pub bytes: u64,
}

/// Events that the recorder had no room for, as one gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// How many.
    pub count: u64,
    /// When the first of them happened.
    pub from: Timestamp,
    /// When the last of them happened.
    pub to: Timestamp,
}

/// What the recorder had no room for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overflows {
    /// The gaps that were written to the file since this was last asked for, oldest first.
    pub written: Vec<Overflow>,
    /// What no gap in the file tells of yet.
    pub waiting: Option<Overflow>,
}

/// Counters that the threads share without waiting for one another.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) events: AtomicU64,
    pub(crate) values: AtomicU64,
    pub(crate) device_sequence: AtomicU64,
    pub(crate) host_queue: AtomicU64,
    pub(crate) gattscope: AtomicU64,
    pub(crate) link_down: AtomicU64,
    pub(crate) bytes: AtomicU64,
    /// The most bytes that the session may take on disk; not positive for no limit.
    pub(crate) size_limit: AtomicI64,
}

impl Counters {
    pub(crate) fn lost(&self, cause: Cause, count: u64) {
        match cause {
            Cause::DeviceSequence => &self.device_sequence,
            Cause::HostQueue => &self.host_queue,
            Cause::Gattscope => &self.gattscope,
            Cause::LinkDown => &self.link_down,
        }
        .fetch_add(count, Relaxed);
    }

    pub(crate) fn losses(&self) -> Losses {
        Losses {
            device_sequence: self.device_sequence.load(Relaxed),
            host_queue: self.host_queue.load(Relaxed),
            gattscope: self.gattscope.load(Relaxed),
            link_down: self.link_down.load(Relaxed),
        }
    }
}
