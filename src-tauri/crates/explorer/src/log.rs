//! The bounded log that the window shows: what was done, and what the program says of itself.

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::view::{LogEntry, Problem};

/// How many entries are kept for the window. Older ones are in the log file and in the session.
pub const CAPACITY: usize = 20_000;

/// Entries waiting to be taken by the window, and those that a reloaded window gets again.
///
/// Adding never waits for a reader. When more come than are taken, the oldest go; the jump in
/// [`LogEntry::seq`] shows it.
#[derive(Debug, Default)]
pub struct Log {
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<LogEntry>,
    next: u64,
    taken: u64,
}

impl Log {
    /// Adds an entry and numbers it.
    pub fn push(&self, mut entry: LogEntry) {
        let mut ring = self.lock();
        entry.seq = ring.next;
        ring.next += 1;
        if ring.entries.len() == CAPACITY {
            ring.entries.pop_front();
        }
        ring.entries.push_back(entry);
    }

    /// Entries that nobody has taken yet, oldest first, at most `most`.
    #[must_use]
    pub fn take(&self, most: usize) -> Vec<LogEntry> {
        let mut ring = self.lock();
        let first = ring.next - ring.entries.len() as u64;
        let skip = usize::try_from(ring.taken.saturating_sub(first)).unwrap_or(usize::MAX);
        let entries: Vec<_> = ring.entries.iter().skip(skip).take(most).cloned().collect();
        ring.taken = first.max(ring.taken) + entries.len() as u64;
        entries
    }

    /// Hands everything out again from the oldest entry kept: a window was loaded anew.
    pub fn rewind(&self) {
        self.lock().taken = 0;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ring> {
        // A panic while the lock was held leaves a ring that is still a ring.
        self.ring
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// An entry about nothing in particular yet, at `at_ms`.
#[must_use]
pub fn entry(at_ms: f64, level: &str, category: &str, operation: impl Into<String>) -> LogEntry {
    LogEntry {
        seq: 0,
        at_ms,
        level: level.into(),
        category: category.into(),
        device: None,
        device_name: None,
        operation: operation.into(),
        attribute: None,
        detail: String::new(),
        problem: None::<Problem>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_taken_once_until_the_window_is_loaded_anew() {
        let log = Log::default();
        for operation in ["a", "b", "c"] {
            log.push(entry(0.0, "info", "app", operation));
        }
        assert_eq!(
            log.take(2).iter().map(|e| e.seq).collect::<Vec<_>>(),
            [0, 1]
        );
        assert_eq!(log.take(9).iter().map(|e| e.seq).collect::<Vec<_>>(), [2]);
        assert!(log.take(9).is_empty());
        log.rewind();
        assert_eq!(log.take(9).len(), 3);
    }

    #[test]
    fn the_oldest_go_when_nobody_reads_and_the_numbers_show_it() {
        let log = Log::default();
        for _ in 0..CAPACITY + 5 {
            log.push(entry(0.0, "info", "app", "x"));
        }
        let entries = log.take(usize::MAX);
        assert_eq!(entries.len(), CAPACITY);
        assert_eq!(entries[0].seq, 5);
    }
}
