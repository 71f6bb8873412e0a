//! The values of one attribute over time, as a chart reads them: in order, from any moment of a
//! session of any size, without going through the rest and without a copy of each value.

use std::ops::{Bound, ControlFlow, RangeBounds};

use radio::AttrId;
use rusqlite::{Row, params};

use crate::reader::{attr_id, kind, numbers};
use crate::{Error, Kind, Result, Session, SessionTime};

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

/// Which way to go through values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Forth,
    Back,
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
        self.each(&generations, stretch, Way::Forth, &mut one)
    }

    /// Hands the values of an attribute within a time to `one`, the newest first, until that breaks;
    /// says how many it was handed. See [`values_between`](Self::values_between).
    pub fn values_back(
        &self,
        attribute: AttrId,
        within: impl RangeBounds<SessionTime>,
        mut one: impl FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> Result<u64> {
        let stretch = self.stretch(&within)?;
        self.each(&self.generations(attribute)?, stretch, Way::Back, &mut one)
    }

    /// About how many values of an attribute there are within a time, to know whether they are many
    /// before they are read; `None` if the file [is cut off](Self::is_cut_off) and nobody knows.
    ///
    /// Among 262,144 events and less its events are counted; among more they are estimated from 64
    /// places of that time. Takes milliseconds, whatever the size.
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
                let first = first + all / PLACES * place;
                found +=
                    there.query_row([first, first + AT_EACH - 1], |row| row.get::<_, i64>(0))?;
            }
            Ok((all as f64 * found as f64 / (PLACES * AT_EACH) as f64) as u64)
        };
        count()
            .map(Some)
            .map_err(|error| Error::sqlite(self.path(), &error))
    }

    fn stretch(&self, within: &impl RangeBounds<SessionTime>) -> Result<Stretch> {
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
        let (first, last) = self.range(from, to)?;
        Ok(Stretch {
            first,
            last,
            from,
            to,
        })
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
                last = start - 1;
                block = block.saturating_mul(2);
            }
            Ok((first, found))
        };
        match read() {
            // From the end nothing can be reached; from the start, something.
            Err(_) if self.is_cut_off() => Ok((first, 0)),
            other => other.map_err(|error| Error::sqlite(self.path(), &error)),
        }
    }

    fn each(
        &self,
        generations: &[AttrId],
        stretch: Stretch,
        way: Way,
        one: &mut impl FnMut(Value<'_>) -> ControlFlow<()>,
    ) -> Result<u64> {
        let order = match way {
            Way::Forth => "ASC",
            Way::Back => "DESC",
        };
        let sql = format!(
            "SELECT id, t_ns, kind, attribute, value FROM event
              WHERE {} ORDER BY id {order} LIMIT ?6",
            condition()
        );
        let mut handed = 0;
        for generation in generations {
            let mut rest = stretch;
            loop {
                let mut page = Page::default();
                match self.page_of(&sql, *generation, rest, &mut page, one) {
                    // As far as it goes.
                    Err(error) if self.is_cut_off() => {
                        tracing::debug!(%error, "the session is cut off here");
                        page.ended = true;
                    }
                    other => other.map_err(|error| Error::sqlite(self.path(), &error))?,
                }
                handed += page.values;
                if page.broken {
                    return Ok(handed);
                }
                if page.ended {
                    break;
                }
                match way {
                    Way::Forth => rest.first = page.last.saturating_add(1),
                    Way::Back => rest.last = page.last.saturating_sub(1),
                }
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
            true => self.batches_near(from, to),
            false => self.connection().query_row(
                "SELECT coalesce(min(first), 1), coalesce(max(last), 0) FROM batch
                  WHERE max_t_ns >= ?1 AND min_t_ns < ?2",
                [from, to],
                |row| Ok((row.get(0)?, row.get(1)?)),
            ),
        };
        read().map_err(|error| Error::sqlite(self.path(), &error))
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

    /// The same by halves, without going through all batches: a day has over a million.
    fn batches_near(&self, from: i64, to: i64) -> rusqlite::Result<(i64, i64)> {
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
            let (mut low, mut high) = (first, last + 1);
            while low < high {
                let (start, end, there) = at.query_row([low + (high - low) / 2], |row| {
                    let there = is_there(row.get(2)?, row.get(3)?);
                    Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, there))
                })?;
                match there {
                    true => high = start.max(low),
                    // Numbers that no batch has, however many, are gone over.
                    false => low = end.saturating_add(1).max(low + (high - low) / 2 + 1),
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
                .query_row([begins, from, LATE], |row| row.get(0))?
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
                .query_row([ends, to, LATE], |row| row.get(0))?
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
/// The index has the numbers of an attribute in their order.
fn condition() -> String {
    let kinds = numbers(Kind::VALUES.iter().map(|kind| kind.number()));
    format!(
        "attribute = ?1 AND id BETWEEN ?2 AND ?3 AND t_ns >= ?4 AND t_ns < ?5
         AND value IS NOT NULL AND kind IN ({kinds})"
    )
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
