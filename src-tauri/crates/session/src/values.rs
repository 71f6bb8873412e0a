//! The values of one attribute over time, as a chart reads them: in order, from any moment of a
//! session of any size, without going through the rest and without a copy of each value.

use std::collections::VecDeque;
use std::ops::{Bound, ControlFlow, RangeBounds};

use radio::AttrId;
use rusqlite::{Row, params};

use crate::reader::{COLUMNS, Seen, attr_id, kind, numbers, recorded};
use crate::{Error, Filter, Kind, Recorded, Result, Session, SessionTime};

/// How many values are read at once; between two pages the file is let go, so that reading a long
/// time does not make the log of a recording grow.
const PAGE: i64 = 1 << 14;
/// How many commits an event may come after one of a later time. Commits follow one another every
/// 50 ms, and what is stamped on arrival is handed over in less.
const LATE: i64 = 1000;
/// Up to how many events they are counted one by one.
const COUNTED: i64 = 1 << 18;
/// The fewest events that are looked through at once for the last values.
const BLOCK: i64 = 4096;
/// Within how many events the answer to a write is looked for.
const SOON: i64 = 1 << 17;
/// How many places of a longer time are looked at to say how many there are, and how many events at
/// each.
const PLACES: i64 = 64;
const AT_EACH: i64 = 128;

/// A value where it lies: its bytes are there for the time of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// The number of its event.
    pub id: i64,
    /// When it came or went.
    pub at: SessionTime,
    /// How it came or went: one of [`Kind::VALUES`].
    pub kind: Kind,
    /// The attribute, of whichever generation.
    pub attribute: AttrId,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A stretch of the file, and which times of it are asked for.
#[derive(Clone, Copy)]
struct Stretch {
    /// Numbers of events, both included.
    first: i64,
    last: i64,
    /// Not before, and before.
    from: i64,
    to: i64,
}

impl Session {
    /// The last `latest` values of an attribute, oldest first, together with those that the same
    /// attribute had in other generations.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn values(&self, attribute: AttrId, latest: usize) -> Result<Vec<Recorded>> {
        if self.is_cut_off() {
            let all = (i64::MIN, i64::MAX);
            return Ok(self.last_before_damage(attribute, all, latest)?.into());
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM event WHERE {} ORDER BY id DESC LIMIT ?6",
            condition()
        );
        let (first, last) = self.range(i64::MIN, i64::MAX)?;
        let mut values = Vec::new();
        for generation in self.generations(attribute)? {
            let of = generation.to_u64().cast_signed();
            let wanted = i64::try_from(latest.saturating_sub(values.len())).unwrap_or(i64::MAX);
            if wanted == 0 {
                break;
            }
            let within = params![of, first, last, i64::MIN, i64::MAX, wanted];
            values.extend(self.all(&sql, within, recorded)?);
        }
        values.sort_by_key(|value| value.id);
        Ok(values)
    }

    /// Hands the last `latest` values of an attribute within a time to `one`, the oldest first, until
    /// that breaks; says how many it was handed. [`usize::MAX`] is all of them.
    ///
    /// Values are those that were read, written, notified or indicated, in every generation of the
    /// attribute. Of a file that [is cut off](Self::is_cut_off), those that can be reached.
    ///
    /// ```
    /// # fn draw(session: &session::Session, attribute: radio::AttrId) -> session::Result<()> {
    /// use std::ops::ControlFlow;
    /// use session::SessionTime;
    ///
    /// let minute = SessionTime(60_000_000_000)..SessionTime(120_000_000_000);
    /// let mut sum = 0;
    /// session.values_between(attribute, minute, 100_000, |value| {
    ///     sum += value.bytes.len();
    ///     ControlFlow::Continue(())
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] after what stands before the damage; [`Error::Locked`], [`Error::NotReadable`].
    pub fn values_between(
        &self,
        attribute: AttrId,
        within: impl RangeBounds<SessionTime>,
        latest: usize,
        mut one: impl FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> Result<u64> {
        if self.is_cut_off() {
            let times = times(&within);
            if latest == usize::MAX {
                return self.each_before_damage(attribute, times, &mut |_, value| one(value));
            }
            let mut handed = 0;
            for event in self.last_before_damage(attribute, times, latest)? {
                let (Some(attribute), Some(bytes)) = (event.attribute, &event.value) else {
                    continue;
                };
                handed += 1;
                let value = Value {
                    id: event.id,
                    at: event.at,
                    kind: event.kind,
                    attribute,
                    bytes,
                };
                if one(value).is_break() {
                    break;
                }
            }
            return Ok(handed);
        }
        let mut stretch = self.stretch(&within)?;
        let mut generations = self.generations(attribute)?;
        if latest < usize::MAX {
            let mut left = latest as u64;
            let mut reached = 0;
            for generation in &generations {
                reached += 1;
                let (first, found) = self.before_last(*generation, stretch, left)?;
                left -= found;
                if left == 0 {
                    stretch.first = first;
                    break;
                }
            }
            generations.truncate(reached);
            if latest == 0 {
                return Ok(0);
            }
        }
        // A later generation begins where the one before it has ended.
        generations.reverse();
        self.each(&generations, stretch, &mut one)
    }

    /// About how many values of an attribute there are within a time, to know whether they are many
    /// before they are read; `None` if the file [is cut off](Self::is_cut_off) and nobody knows.
    ///
    /// Among 262,144 events and less its events are counted; among more they are estimated from 64
    /// places of that time. Takes milliseconds, whatever the size.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn values_estimate(
        &self,
        attribute: AttrId,
        within: impl RangeBounds<SessionTime>,
    ) -> Result<Option<u64>> {
        if self.is_cut_off() {
            return Ok(None);
        }
        let Stretch { first, last, .. } = self.stretch(&within)?;
        let generations = self.generations(attribute)?;
        let generations = generations.iter().map(|id| id.to_u64().cast_signed());
        let of = numbers(generations);
        let all = last.saturating_sub(first).saturating_add(1).max(0);
        let count = || -> rusqlite::Result<u64> {
            let file = self.connection();
            if all <= COUNTED {
                let sql = format!(
                    "SELECT count(*) FROM event WHERE attribute IN ({of}) AND id BETWEEN ?1 AND ?2"
                );
                let count: i64 = file.query_row(&sql, [first, last], |row| row.get(0))?;
                return Ok(count.unsigned_abs());
            }
            let mut there = file.prepare(&format!(
                "SELECT count(*) FROM event WHERE +attribute IN ({of}) AND id BETWEEN ?1 AND ?2"
            ))?;
            let mut found = 0;
            for place in 0..PLACES {
                let first = first.saturating_add(all / PLACES * place);
                found += there.query_row([first, first.saturating_add(AT_EACH - 1)], |row| {
                    row.get::<_, i64>(0)
                })?;
            }
            Ok((all as f64 * found as f64 / (PLACES * AT_EACH) as f64) as u64)
        };
        count()
            .map(Some)
            .map_err(|error| Error::sqlite(self.path(), &error))
    }

    fn stretch(&self, within: &impl RangeBounds<SessionTime>) -> Result<Stretch> {
        let (from, to) = times(within);
        let (first, last) = self.range(from, to)?;
        Ok(Stretch {
            first,
            last,
            from,
            to,
        })
    }

    /// Hands the values of an attribute in a file whose end is missing to `one`, from the start: from the
    /// end, and by its indexes, less of it can be reached, or nothing. Says how many it was handed.
    fn each_before_damage(
        &self,
        attribute: AttrId,
        (from, to): (i64, i64),
        one: &mut dyn FnMut(&Seen<'_>, Value<'_>) -> ControlFlow<()>,
    ) -> Result<u64> {
        let filter = Filter {
            from: Some(SessionTime(from)),
            to: Some(SessionTime(to)),
            attributes: self.generations(attribute)?,
            kinds: Kind::VALUES.to_vec(),
            ..Filter::default()
        };
        let (mut handed, mut broken) = (0, filter.attributes.is_empty());
        let mut events = self.events(&filter)?;
        while !broken {
            let page = events.each_of_page(|event| {
                if let (Some(attribute), Some(bytes), false) =
                    (event.attribute, event.value, broken)
                {
                    handed += 1;
                    let value = Value {
                        id: event.id,
                        at: event.at,
                        kind: event.kind,
                        attribute,
                        bytes,
                    };
                    broken = one(event, value).is_break();
                }
                Ok(())
            });
            match page {
                Some(Ok(())) => {}
                Some(Err(error)) => return self.cut_off_here(error).map(|()| handed),
                None => break,
            }
        }
        Ok(handed)
    }

    /// The last `latest` of these.
    fn last_before_damage(
        &self,
        attribute: AttrId,
        within: (i64, i64),
        latest: usize,
    ) -> Result<VecDeque<Recorded>> {
        let mut last = VecDeque::new();
        if latest == 0 {
            return Ok(last);
        }
        self.each_before_damage(attribute, within, &mut |event, _| {
            if last.len() == latest {
                last.pop_front();
            }
            last.push_back(event.to_recorded());
            ControlFlow::Continue(())
        })?;
        Ok(last)
    }

    /// Where the last `wanted` values of one generation begin, and how many there are of them.
    ///
    /// Looks in blocks from the end, and through each forwards: systems read ahead of those who read
    /// forwards, and a file that is not in memory takes about twice as long backwards.
    fn before_last(&self, of: AttrId, stretch: Stretch, wanted: u64) -> Result<(i64, u64)> {
        let sql = format!("SELECT count(*) FROM event WHERE {}", condition());
        let skip = format!(
            "SELECT id FROM event WHERE {} ORDER BY id LIMIT 1 OFFSET ?6",
            condition()
        );
        let Stretch {
            first, from, to, ..
        } = stretch;
        let of = of.to_u64().cast_signed();
        let read = || -> rusqlite::Result<(i64, u64)> {
            let mut count = self.connection().prepare_cached(&sql)?;
            let (mut found, mut last) = (0, stretch.last);
            let mut block = i64::try_from(wanted).unwrap_or(i64::MAX).max(BLOCK);
            while last >= first && found < wanted {
                let start = last.saturating_sub(block - 1).max(first);
                let here: i64 =
                    count.query_row(params![of, start, last, from, to], |row| row.get(0))?;
                let here = here.unsigned_abs();
                if found + here >= wanted {
                    let more = (found + here - wanted).cast_signed();
                    let mut skip = self.connection().prepare_cached(&skip)?;
                    let start =
                        skip.query_row(params![of, start, last, from, to, more], |row| row.get(0))?;
                    return Ok((start, wanted));
                }
                found += here;
                if start == first {
                    break;
                }
                last = start - 1;
                block = block.saturating_mul(2);
            }
            Ok((first, found))
        };
        read().map_err(|error| Error::sqlite(self.path(), &error))
    }

    fn each(
        &self,
        generations: &[AttrId],
        stretch: Stretch,
        one: &mut impl FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> Result<u64> {
        let sql = format!(
            "SELECT id, t_ns, kind, attribute, value FROM event WHERE {} ORDER BY id LIMIT ?6",
            condition()
        );
        let mut handed = 0;
        for generation in generations {
            let mut rest = stretch;
            loop {
                let mut page = Page::default();
                self.page_of(&sql, *generation, rest, &mut page, one)
                    .map_err(|error| Error::sqlite(self.path(), &error))?;
                handed += page.values;
                if page.broken {
                    return Ok(handed);
                }
                if page.ended {
                    break;
                }
                rest.first = page.last.saturating_add(1);
            }
        }
        Ok(handed)
    }

    fn page_of(
        &self,
        sql: &str,
        of: AttrId,
        stretch: Stretch,
        page: &mut Page,
        one: &mut impl FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> rusqlite::Result<()> {
        let Stretch {
            first,
            last,
            from,
            to,
        } = stretch;
        let mut statement = self.connection().prepare_cached(sql)?;
        let of = of.to_u64().cast_signed();
        let mut rows = statement.query(params![of, first, last, from, to, PAGE])?;
        while let Some(row) = rows.next()? {
            let value = value(row)?;
            page.values += 1;
            page.last = value.id;
            if one(value).is_break() {
                page.broken = true;
                return Ok(());
            }
        }
        page.ended = page.values.cast_signed() < PAGE;
        Ok(())
    }

    /// The numbers between which all events are that are not before `from` and before `to`.
    pub(crate) fn range(&self, from: i64, to: i64) -> Result<(i64, i64)> {
        if self.is_cut_off() {
            // The table of batches may be cut off before the events are.
            return Ok((1, i64::MAX));
        }
        let read = || match self.is_in_order()? {
            true => self.batches_near(from, to, LATE),
            false => self.connection().query_row(
                "SELECT coalesce(min(first), 1), coalesce(max(last), 0) FROM batch
                  WHERE max_t_ns >= ?1 AND min_t_ns < ?2",
                [from, to],
                |row| Ok((row.get(0)?, row.get(1)?)),
            ),
        };
        let (first, last) = read().map_err(|error| self.fail(&error))?;
        // The table of batches may say anything: nobody goes through numbers that no event has.
        let there = self
            .connection()
            .query_row("SELECT max(id) FROM event", [], |row| {
                row.get::<_, Option<i64>>(0)
            });
        Ok((
            first,
            there.ok().flatten().map_or(last, |there| last.min(there)),
        ))
    }

    /// Whether commits follow one another in time: as recorded, and not in the order of a file that
    /// somebody else wrote.
    fn is_in_order(&self) -> rusqlite::Result<bool> {
        match self.version() {
            ..2 => Ok(true),
            _ => self
                .connection()
                .query_row("SELECT source IS NULL FROM session", [], |row| row.get(0)),
        }
    }

    /// The same by halves, without going through all batches: a day has over a million. An event may come
    /// `late` batches after one of a later time.
    fn batches_near(&self, from: i64, to: i64, late: i64) -> rusqlite::Result<(i64, i64)> {
        let file = self.connection();
        let (first, last): (i64, i64) = file.query_row(
            "SELECT coalesce((SELECT first FROM batch ORDER BY first LIMIT 1), 1),
                    coalesce((SELECT last FROM batch ORDER BY first DESC LIMIT 1), 0)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if last < first {
            return Ok((1, 0));
        }
        // The batch in which a number is.
        let mut at = file.prepare_cached(
            "SELECT first, last, min_t_ns, max_t_ns FROM batch WHERE first <= ?1
              ORDER BY first DESC LIMIT 1",
        )?;
        // The first of the batches that `is_there`, of which none is before one that is not; the
        // number after the last if none is.
        let mut begin = |is_there: &dyn Fn(i64, i64) -> bool| -> rusqlite::Result<i64> {
            let (mut low, mut high) = (first, last.saturating_add(1));
            while low < high {
                let middle = low.saturating_add_unsigned(high.abs_diff(low) / 2);
                let (start, end, there) = at.query_row([middle], |row| {
                    let there = is_there(row.get(2)?, row.get(3)?);
                    Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, there))
                })?;
                match there {
                    true => high = start.max(low),
                    // Numbers that no batch has, however many, are gone over.
                    false => low = end.max(middle).saturating_add(1),
                }
            }
            Ok(low)
        };
        let begins = match from {
            i64::MIN => first,
            _ => {
                let begins = begin(&|_, max| max >= from)?;
                file.prepare_cached(
                    "SELECT coalesce(min(first), ?1) FROM (SELECT first, max_t_ns FROM batch
                      WHERE first < ?1 ORDER BY first DESC LIMIT ?3) WHERE max_t_ns >= ?2",
                )?
                .query_row([begins, from, late], |row| row.get(0))?
            }
        };
        let ends = match to {
            i64::MAX => last,
            _ => {
                let ends = begin(&|min, _| min >= to)?;
                file.prepare_cached(
                    "SELECT max(?1 - 1, coalesce(max(last), 0)) FROM (SELECT last, min_t_ns FROM batch
                      WHERE first >= ?1 ORDER BY first LIMIT ?3) WHERE min_t_ns < ?2",
                )?
                .query_row([ends, to, late], |row| row.get(0))?
            }
        };
        Ok((begins, ends))
    }
}

/// How far a page came.
#[derive(Default)]
struct Page {
    values: u64,
    last: i64,
    ended: bool,
    broken: bool,
}

/// What makes an event a value of attribute ?1, numbered from ?2 to ?3, not before ?4 and before ?5.
/// The index has the numbers of an attribute in their order. What was written and refused is no value;
/// the answer is the attribute's next one, and comes soon.
fn condition() -> String {
    let kinds = numbers(Kind::VALUES.iter().map(|kind| kind.number()));
    let (request, result) = (Kind::WriteRequest.number(), Kind::WriteResult.number());
    format!(
        "attribute = ?1 AND id BETWEEN ?2 AND ?3 AND t_ns >= ?4 AND t_ns < ?5
         AND value IS NOT NULL AND kind IN ({kinds})
         AND (kind <> {request} OR coalesce((
              SELECT answer.status FROM event AS answer
               WHERE answer.attribute = event.attribute AND answer.kind = {result}
                 AND answer.id > event.id AND answer.id < event.id + {SOON}
               ORDER BY answer.id LIMIT 1), 0) = 0)"
    )
}

/// Not before the first, and before the second, in nanoseconds.
pub(crate) fn times(within: &impl RangeBounds<SessionTime>) -> (i64, i64) {
    let from = match within.start_bound() {
        Bound::Included(from) => from.0,
        Bound::Excluded(from) => from.0.saturating_add(1),
        Bound::Unbounded => i64::MIN,
    };
    let to = match within.end_bound() {
        Bound::Included(to) => to.0.saturating_add(1),
        Bound::Excluded(to) => to.0,
        Bound::Unbounded => i64::MAX,
    };
    (from, to)
}

fn value<'a>(row: &'a Row<'_>) -> rusqlite::Result<Value<'a>> {
    Ok(Value {
        id: row.get(0)?,
        at: SessionTime(row.get(1)?),
        kind: kind(row, 2)?,
        attribute: attr_id(row, 3)?,
        bytes: row.get_ref(4)?.as_blob()?,
    })
}

#[cfg(test)]
mod tests {
    use radio::Clock;

    use super::*;
    use crate::{Options, Recorder};

    #[test]
    fn a_time_is_found_by_halves_among_many_commits_however_late_their_events_were() {
        let folder = tempfile::tempdir().unwrap();
        let recorder =
            Recorder::create(folder.path(), Clock::manual(), Options::default()).unwrap();
        recorder.close().unwrap();
        // 3,000 commits of ten events, a hundred nanoseconds each, up to three commits late.
        let late = |batch: i64, by: i64| (batch * by + batch / 7) % 4;
        let batches: Vec<[i64; 4]> = (0..3000)
            .map(|batch| {
                let max = (batch - late(batch, 5)) * 100 + 99;
                let min = max - 99 - late(batch, 3) * 100;
                [batch * 10 + 1, batch * 10 + 10, min, max]
            })
            .collect();
        let mut file = rusqlite::Connection::open(recorder.path()).unwrap();
        file.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM batch")
            .unwrap();
        let change = file.transaction().unwrap();
        for batch in &batches {
            let row = "INSERT INTO batch VALUES (?1, ?2, ?3, ?4)";
            change.execute(row, *batch).unwrap();
        }
        change.commit().unwrap();
        let session = Session::open(recorder.path()).unwrap();
        let mut missed = 0;
        for probe in 0..500 {
            let from = probe * 599;
            let to = from + 1 + probe % 7 * 250;
            let there = |batch: &&[i64; 4]| batch[3] >= from && batch[2] < to;
            let (Some(first), Some(last)) =
                (batches.iter().find(there), batches.iter().rev().find(there))
            else {
                continue;
            };
            let (begins, ends) = session.batches_near(from, to, 8).unwrap();
            assert!(begins <= first[0] && ends >= last[1], "{from} {to}");
            // And little more than that is gone through.
            assert!(
                begins >= first[0] - 80 && ends <= last[1] + 80,
                "{from} {to}"
            );
            let (begins, ends) = session.batches_near(from, to, 0).unwrap();
            missed += i32::from(begins > first[0] || ends < last[1]);
        }
        assert!(missed > 0, "nothing was late");
    }
}
