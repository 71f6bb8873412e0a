//! Decoded fields side by side, as RFC 4180 has it: a column for each, a row for each moment at which
//! any of them came. For spreadsheets and notebooks that draw.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use super::csv::{Seconds, harmless, unwritten};
use super::walk::{Counted, walk};
use super::{Export, OnProgress, Summary};
use crate::{Attribute, Error, Filter, Result, Session};

/// Decoded fields as CSV, and how they are read.
///
/// Columns: `time` (ISO 8601 with nanoseconds and offset), `seconds` (since the session's start), and
/// one for each field. Values of one moment share a row as long as none of them has a field that
/// another has, too; values without any of the fields have none.
#[expect(
    clippy::type_complexity,
    reason = "a name for it would say less than its signature"
)]
pub struct Fields<'a> {
    /// Which events; those without a value are left out.
    pub filter: Filter,
    /// The names of the columns, with their units.
    pub columns: &'a [String],
    /// Reads what a value of an attribute has of them: sets the numbers of their columns. All are
    /// `None` before.
    pub read: &'a dyn Fn(&Attribute, &[u8], &mut [Option<f64>]),
    /// Whether a field that a row does not have is shown with the number that it had last.
    pub hold: bool,
}

/// The row that is being filled.
struct Row {
    at: Option<crate::SessionTime>,
    cells: Vec<Option<f64>>,
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
        let none = vec![None; self.columns.len()];
        let mut new = none.clone();
        let mut row = Row {
            at: None,
            cells: none.clone(),
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
            if !self.hold {
                row.cells.fill(None);
            }
            Ok(())
        };
        // Which columns the row has of its own, and not by holding.
        let mut own = vec![false; self.columns.len()];
        let walked = walk(session, &self.filter, progress, |event| {
            let attribute = event.attribute.and_then(|id| attributes.get(&id));
            let Some((attribute, value)) = attribute.zip(event.value.as_deref()) else {
                return Ok(());
            };
            new.clone_from(&none);
            (self.read)(attribute, value, &mut new);
            if new.iter().all(Option::is_none) {
                return Ok(());
            }
            let clash = own.iter().zip(&new).any(|(own, new)| *own && new.is_some());
            if row.at != Some(event.at) || clash {
                put(&mut row)?;
                own.fill(false);
            }
            row.at = Some(event.at);
            for ((cell, own), new) in row.cells.iter_mut().zip(&mut own).zip(&new) {
                if new.is_some() {
                    *cell = *new;
                    *own = true;
                }
            }
            Ok(())
        })?;
        put(&mut row)?;
        out.flush().map_err(|error| Error::io(target, &error))?;
        let summary = walked.finish(progress, out.get_ref().bytes)?;
        Ok(Summary { rows, ..summary })
    }
}
