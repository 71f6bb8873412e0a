//! A payload that is a row of objects, each of which says what it is: BTHome, Apple, MiBeacon.
//!
//! What can come is a table of [`Object`]s by number; how one is told from the next is one
//! function. Numbers of the same name and unit share a column, whichever object brings them; the
//! same again in one payload has the next column.

use crate::field::{Fault, Field, Rest, Series, Value};
use crate::sig::Place;
use crate::sig::part::{Kind, Part, Plot, of};

use super::beacon;

/// Plotted parts of one object, at most.
const PLOTTED: usize = 5;
/// Columns by name, at most.
const COLUMNS: usize = 96;

/// The layout of such a payload.
pub(super) struct Objects {
    /// What comes before the first object.
    pub(super) head: &'static [Part],
    /// The number with which an object says what it is.
    pub(super) number: Part,
    /// How many bytes into an object that number is.
    pub(super) number_at: usize,
    /// Whether that number is a field of known objects too, or goes without saying.
    pub(super) says_number: bool,
    /// Which object begins at a place before the end, and where the next one does.
    pub(super) next: fn(&'static [Object], &[u8], usize) -> Next,
    pub(super) all: &'static [Object],
    /// How many columns the same numbers have that come several times in a payload.
    pub(super) same: usize,
}

/// One kind of object.
#[derive(Clone, Copy)]
pub(super) struct Object {
    pub(super) number: u16,
    pub(super) parts: &'static [Part],
    /// The column names that its plotted parts have, in their order.
    columns: [u8; PLOTTED],
}

/// The object at a place.
pub(super) struct Next {
    /// `None` when the payload ends before that is told.
    pub(super) number: Option<u16>,
    /// How many bytes come before its data.
    pub(super) head: usize,
    /// Where it says to end, which may be after the payload.
    pub(super) end: usize,
    /// What its first part is, where the object itself says that.
    pub(super) kind: Option<Kind>,
}

pub(super) const fn object(number: u16, parts: &'static [Part]) -> Object {
    Object {
        number,
        parts,
        columns: [0; PLOTTED],
    }
}

/// Gives the plotted parts their columns.
pub(super) const fn numbered<const N: usize>(mut all: [Object; N]) -> [Object; N] {
    let mut next = 0;
    let mut at = 0;
    while at < N {
        let (mut part, mut plotted) = (0, 0);
        while part < all[at].parts.len() {
            if is_plotted(&all[at].parts[part]) {
                let column = match column_before(&all, at, part) {
                    Some(column) => column,
                    None => {
                        next += 1;
                        next - 1
                    }
                };
                all[at].columns[plotted] = column;
                plotted += 1;
            }
            part += 1;
        }
        at += 1;
    }
    assert!(next as usize <= COLUMNS, "more columns than are counted");
    all
}

/// The column of a part like this one, among those of the objects before and of its own before it.
const fn column_before(all: &[Object], last: usize, own: usize) -> Option<u8> {
    let like = &all[last].parts[own];
    let mut at = 0;
    while at <= last {
        let parts = all[at].parts;
        let end = if at == last { own } else { parts.len() };
        let (mut part, mut plotted) = (0, 0);
        while part < end {
            let other = &parts[part];
            if is_plotted(other) {
                if same(other.name, like.name) && same_unit(other.unit, like.unit) {
                    return Some(all[at].columns[plotted]);
                }
                plotted += 1;
            }
            part += 1;
        }
        at += 1;
    }
    None
}

const fn is_plotted(part: &Part) -> bool {
    matches!(part.plot, Plot::Column)
}

const fn same_unit(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => same(one, other),
        (None, None) => true,
        _ => false,
    }
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// What is left of an object after the parts that are known.
static MORE: [Part; 1] = [of("Data", Kind::Rest).if_left()];

impl Object {
    fn plotted(&self) -> usize {
        self.parts.iter().filter(|part| is_plotted(part)).count()
    }

    /// The column name of one of its parts, if that can be plotted.
    fn column(&self, part: &'static Part) -> Option<usize> {
        let plotted = self.parts.iter().filter(|part| is_plotted(part));
        let mut named = plotted.zip(self.columns);
        named
            .find(|(other, _)| std::ptr::eq(*other, part))
            .map(|(_, name)| name.into())
    }
}

impl Objects {
    /// Hands over every field, with the column of its number.
    pub(super) fn walk<'a>(
        &'static self,
        bytes: &'a [u8],
        mut f: impl FnMut(Option<usize>, &'static Part, Field<'a>),
    ) -> Rest {
        let len = bytes.len();
        let mut head = beacon::place(bytes);
        let mut missing = head.walk(self.head, &mut |part, field| f(None, part, field));
        let mut at = head.at.min(len);
        // How often each column name came.
        let mut seen = [0_u8; COLUMNS];
        while at < len {
            let next = (self.next)(self.all, bytes, at);
            let end = next.end.clamp(at + 1, len);
            let mut fault = (next.end > len).then_some(Fault::RecordLength);
            let known = next
                .number
                .and_then(|number| self.all.iter().find(|object| object.number == number));
            if self.says_number || known.is_none() {
                let mut field = self.number.field(bytes, at + self.number_at, None);
                missing += usize::from(field.value == Value::Missing);
                field.fault = field.fault.or(fault.take());
                f(None, &self.number, field);
            }
            let start = (at + next.head).min(end);
            let mut place = Place {
                bytes: bytes.get(..end).unwrap_or(bytes),
                start,
                at: start,
                record: None,
                fault,
            };
            if let Some(object) = known {
                let needs: usize = object.parts.iter().map(Part::size).sum();
                if next.kind.is_none() && needs > end - start {
                    // Its parts say what is missing.
                    place.fault = None;
                }
                let names = object.columns.iter().take(object.plotted());
                // How often numbers of these names came before.
                let again = names
                    .clone()
                    .filter_map(|&name| seen.get(usize::from(name)));
                let again = again.copied().max().unwrap_or(0);
                for &name in names {
                    if let Some(seen) = seen.get_mut(usize::from(name)) {
                        *seen = again.saturating_add(1);
                    }
                }
                let again = usize::from(again);
                place.record = (again > 0).then_some(again);
                let mut each = |part: &'static Part, field: Field<'a>| {
                    let column = object.column(part).filter(|_| again < self.same);
                    f(column.map(|name| name * self.same + again), part, field);
                };
                match (next.kind, object.parts) {
                    (Some(kind), [part]) => {
                        let mut told = *part;
                        told.kind = kind;
                        let mut field = told.field(place.bytes, place.at, place.record);
                        field.fault = field.fault.or(place.fault);
                        missing += usize::from(field.value == Value::Missing);
                        place.at = told.end(place.bytes, place.at).unwrap_or(end);
                        each(part, field);
                    }
                    (_, parts) => missing += place.walk(parts, &mut each),
                }
            }
            place.fault = None;
            place.walk(&MORE, &mut |part, field| f(None, part, field));
            at = end;
        }
        Rest {
            extra: len..len,
            missing,
        }
    }

    /// All columns that can come.
    pub(super) fn series(&self) -> Vec<Series> {
        let mut all: Vec<Series> = Vec::new();
        for object in self.all {
            let plotted = object.parts.iter().filter(|part| is_plotted(part));
            for (part, name) in plotted.zip(object.columns) {
                // Columns are given in the order of the table: a new one is the next.
                if usize::from(name) * self.same < all.len() {
                    continue;
                }
                for again in 0..self.same {
                    all.push(Series {
                        column: all.len(),
                        name: match again {
                            0 => part.name.to_owned(),
                            _ => format!("{}[{again}]", part.name),
                        },
                        unit: part.unit.map(str::to_owned),
                        role: part.role,
                        repeats: false,
                    });
                }
            }
        }
        all
    }
}
