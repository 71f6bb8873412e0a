//! How many events a filter lets through: known where the file keeps count, else counted as far as
//! there is patience for, and estimated from there.

use rusqlite::params;

use super::{Filter, Session, WINDOW, choose, distance};
use crate::Result;

/// How many events there are of some kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reckoned {
    /// How many.
    pub events: u64,
    /// Whether each of them was counted; else it is what the part that was counted makes likely.
    pub exact: bool,
}

impl Session {
    /// How many events `filter` lets through. Asks `go_on` now and then whether to count on; where it
    /// says no, the rest is taken to be like what was counted.
    ///
    /// # Errors
    ///
    /// What kept the file from being read.
    pub fn reckon(&self, filter: &Filter, go_on: &mut dyn FnMut() -> bool) -> Result<Reckoned> {
        let by_tally = filter.from.is_none()
            && filter.to.is_none()
            && filter.attributes.is_empty()
            && filter.containing.is_empty();
        if by_tally && self.is_counted() {
            let lets_through = |count: &crate::Count| {
                let device = count
                    .device
                    .is_some_and(|key| filter.devices.contains(&key));
                (device || filter.devices.is_empty())
                    && (filter.kinds.is_empty() || filter.kinds.contains(&count.kind))
            };
            let counts = self.counts()?;
            let counts = counts.iter().filter(|count| lets_through(count));
            return Ok(Reckoned {
                events: counts.map(|count| count.events).sum(),
                exact: true,
            });
        }
        if self.is_cut_off() {
            return self.reckon_before_damage(filter, go_on);
        }
        let (from, to) = filter.times();
        let (first, last) = self.range(from, to)?;
        let sql = choose("count(*)", filter, true);
        let mut after = first.saturating_sub(1);
        let mut events = 0_u64;
        while after < last {
            let upto = last.min(after.saturating_add(WINDOW));
            events = events.saturating_add(self.counted(&sql, after, upto)?);
            after = upto;
            if after < last && !go_on() {
                let (done, all) = (distance(first, after), distance(first, last));
                let likely = events as f64 * (all as f64 / done.max(1) as f64);
                return Ok(Reckoned {
                    events: likely.round() as u64,
                    exact: false,
                });
            }
        }
        Ok(Reckoned {
            events,
            exact: true,
        })
    }

    /// Of a file whose end is missing, nobody knows where it ends but by reading; what was reached when
    /// the patience ended is then the least that there are.
    fn reckon_before_damage(
        &self,
        filter: &Filter,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Reckoned> {
        let mut pages = self.events(filter)?;
        let mut events = 0;
        while let Some((page, damage)) = pages.next_page() {
            events += page.len() as u64;
            if damage.is_some() {
                break;
            }
            if !go_on() {
                let exact = false;
                return Ok(Reckoned { events, exact });
            }
        }
        let exact = true;
        Ok(Reckoned { events, exact })
    }

    fn counted(&self, sql: &str, after: i64, upto: i64) -> Result<u64> {
        let mut count = self
            .file
            .prepare_cached(sql)
            .map_err(|error| self.fail(&error))?;
        count
            .query_row(params![after, upto], |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(|error| self.fail(&error))
    }
}
