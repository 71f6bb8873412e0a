//! Decoded fields side by side, as RFC 4180 has it: a column for each, a row for each moment at which
//! any of them came. For spreadsheets and notebooks that draw.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use super::csv::{Seconds, harmless, unwritten};
use super::walk::{Counted, walk};
use super::{Export, OnProgress, Summary};
use crate::{Attribute, Error, Filter, Result, Session, SessionTime};

/// Decoded fields as CSV, and how they are read.
///
/// Columns: `time` (ISO 8601 with nanoseconds and offset), `seconds` (since the session's start), and
/// one for each field. Values of one moment share a row as long as none of them has a field that
/// another has, too; values without any of the fields have none. A value with several samples of a
/// field has a row for each, in their order and all of the moment at which it came.
#[expect(
    clippy::type_complexity,
    reason = "a name for it would say less than its signature"
)]
pub struct Fields<'a> {
    /// Which events; those without a value are left out.
    pub filter: Filter,
    /// The names of the columns, with their units.
    pub columns: &'a [String],
    /// Reads what a value of an attribute has of them: hands over each number with its column, the
    /// samples of one column oldest first. A column that there is not is passed over.
    pub read: &'a dyn Fn(&Attribute, &[u8], &mut dyn FnMut(usize, f64)),
    /// Whether a field that a row does not have is shown with the number that it had last.
    pub hold: bool,
}

/// The row that is being filled.
struct Row {
    at: Option<SessionTime>,
    cells: Vec<Option<f64>>,
    /// Which columns it has of its own, and not by holding.
    own: Vec<bool>,
}

impl Row {
    /// Takes the numbers of one sample.
    fn take(&mut self, at: SessionTime, sample: &[Option<f64>]) {
        self.at = Some(at);
        for ((cell, own), new) in self.cells.iter_mut().zip(&mut self.own).zip(sample) {
            if new.is_some() {
                *cell = *new;
                *own = true;
            }
        }
    }

    fn clashes(&self, sample: &[Option<f64>]) -> bool {
        let mut both = self.own.iter().zip(sample);
        both.any(|(own, new)| *own && new.is_some())
    }
}

/// The samples of one value: as many rows as the field that has most of them.
struct Samples {
    columns: usize,
    /// How many rows of `cells` are in use.
    rows: usize,
    cells: Vec<Option<f64>>,
    /// How many numbers each column has.
    filled: Vec<usize>,
}

impl Samples {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            rows: 0,
            cells: Vec::new(),
            filled: vec![0; columns],
        }
    }

    fn clear(&mut self) {
        self.rows = 0;
        self.cells.clear();
        self.filled.fill(0);
    }

    fn put(&mut self, column: usize, number: f64) {
        let Some(filled) = self.filled.get_mut(column) else {
            return;
        };
        let row = *filled;
        *filled += 1;
        if row == self.rows {
            self.rows += 1;
            self.cells.resize(self.rows * self.columns, None);
        }
        self.cells[row * self.columns + column] = Some(number);
    }

    fn iter(&self) -> impl Iterator<Item = &[Option<f64>]> {
        self.cells.chunks_exact(self.columns.max(1))
    }
}

impl Export for Fields<'_> {
    fn write(
        &self,
        session: &Session,
        writer: &mut dyn Write,
        target: &Path,
        progress: &mut OnProgress<'_>,
    ) -> Result<Summary> {
        let mut out = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Counted { writer, bytes: 0 });
        let header = ["time".into(), "seconds".into()].into_iter();
        let header = header.chain(self.columns.iter().map(|name| harmless(name)));
        out.write_record(header.map(|name| name.into_owned()))
            .map_err(|error| unwritten(target, error))?;
        let attributes = session.attribute_table()?;
        let mut samples = Samples::new(self.columns.len());
        let mut row = Row {
            at: None,
            cells: vec![None; self.columns.len()],
            own: vec![false; self.columns.len()],
        };
        let mut rows = 0;
        let mut cell = String::new();
        let mut put = |row: &mut Row| -> Result<()> {
            let Some(at) = row.at.take() else {
                return Ok(());
            };
            let mut line = || {
                out.write_field(session.anchors().wall_time(at).to_string())?;
                out.write_field(Seconds(at.nanos()).to_string())?;
                for number in &row.cells {
                    cell.clear();
                    if let Some(number) = number {
                        // Writing to a string does not fail.
                        let _ = write!(cell, "{number}");
                    }
                    out.write_field(&cell)?;
                }
                out.write_record(None::<&[u8]>)
            };
            line().map_err(|error| unwritten(target, error))?;
            rows += 1;
            row.own.fill(false);
            if !self.hold {
                row.cells.fill(None);
            }
            Ok(())
        };
        let walked = walk(session, &self.filter, progress, |event| {
            let attribute = event.attribute.and_then(|id| attributes.get(&id));
            let Some((attribute, value)) = attribute.zip(event.value.as_deref()) else {
                return Ok(());
            };
            samples.clear();
            (self.read)(attribute, value, &mut |column, number| {
                samples.put(column, number);
            });
            for sample in samples.iter() {
                if row.at != Some(event.at) || row.clashes(sample) {
                    put(&mut row)?;
                }
                row.take(event.at, sample);
            }
            Ok(())
        })?;
        put(&mut row)?;
        out.flush().map_err(|error| Error::io(target, &error))?;
        let summary = walked.finish(progress, out.get_ref().bytes)?;
        Ok(Summary { rows, ..summary })
    }
}
