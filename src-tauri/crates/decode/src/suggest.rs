//! Layouts for values that nobody has described, with what speaks for them.
//!
//! Every reading of some bytes (a counter, a clock, a number of a width and an order, text, flags)
//! is measured by what it saves: how many bits fewer a value takes for somebody who reads it so and
//! expects of each field what it was before. Bytes without structure save nothing in any reading,
//! so nothing is proposed for them. The fields that save the most together are the proposal.

use std::ops::Range;

use crate::layout::Layout;
use crate::number::Endian;

mod measure;
mod samples;
mod words;

use measure::{Candidate, What};

/// Fewer values than these say nothing.
const FEWEST: usize = 16;
/// Values looked at, the latest ones.
const MOST: usize = 2_000;
/// Bytes looked at in all.
const MOST_BYTES: usize = 200_000;
/// Bits that it takes to say that a field is there.
const FIELD_COST: f64 = 3.0;

/// A value and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed<'a> {
    /// Nanoseconds on any clock that runs steadily.
    pub at_ns: i64,
    /// The value.
    pub bytes: &'a [u8],
}

/// A layout that would fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// To be taken as it is, or to be edited.
    pub layout: Layout,
    /// What speaks for it, in the order of the bytes.
    pub evidence: Vec<Evidence>,
    /// The share of a value's bits that it explains: above 0, at most 1.
    pub score: f64,
}

/// What speaks for one field. Its numbers are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The field's name in the layout.
    pub field: String,
    /// Its bytes in a value.
    pub range: Range<usize>,
    /// One sentence, such as `bytes 0–1 rose by 1 in 998 of 999 steps`.
    pub sentence: String,
}

/// Proposes layouts for values that nobody has described, best first, each with what speaks for it.
///
/// The values are those of one attribute, in the order in which they came. Looks at the latest 2,000
/// of them. Fewer than 16, or values without structure, give none.
///
/// ```
/// use decode::suggest::{Observed, suggest};
///
/// let values: Vec<[u8; 3]> = (0..100_u16).map(|n| [n.to_le_bytes()[0], 0x2A, 7]).collect();
/// let observed: Vec<_> = values
///     .iter()
///     .map(|bytes| Observed { at_ns: 0, bytes })
///     .collect();
/// let best = &suggest(&observed)[0];
/// assert_eq!(best.layout.to_string(), "count:u8!count, fixed 1:u16le=0x72A");
/// assert_eq!(best.evidence[0].sentence, "byte 0 rose by 1 in 99 of 99 steps");
/// ```
#[must_use]
pub fn suggest(values: &[Observed<'_>]) -> Vec<Suggestion> {
    let longest = values.iter().map(|value| value.bytes.len()).max();
    let most = (MOST_BYTES / longest.unwrap_or(0).max(1)).clamp(FEWEST, MOST);
    let values = values
        .get(values.len().saturating_sub(most)..)
        .unwrap_or_default();
    let shortest = values.iter().map(|value| value.bytes.len()).min();
    let Some(len) = shortest.filter(|len| *len > 0 && values.len() >= FEWEST) else {
        return Vec::new();
    };
    if let Some(text) = measure::all_text(values) {
        return propose(&[text], values).into_iter().collect();
    }
    let candidates = measure::candidates(values, len);
    let repeated = samples::repeated(values, len);
    let mut all: Vec<Suggestion> = Vec::new();
    for order in [Endian::Little, Endian::Big] {
        let cover = Cover::of(&candidates, len, order);
        // Several samples in a value, if they save more than fields at fixed places.
        let grouped = repeated
            .iter()
            .filter(|group| group.what.order().is_none_or(|own| own == order))
            .map(|group| (cover.saved(group.at) + group.saved, group))
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        let fields = match grouped {
            Some((saved, group)) if saved > cover.saved(len) => {
                let mut fields = cover.fields(group.at);
                fields.push(group.clone());
                fields
            }
            _ => cover.fields(len),
        };
        let suggestion = propose(&fields, values);
        all.extend(suggestion.filter(|new| all.iter().all(|known| known.layout != new.layout)));
    }
    all.sort_by(|a, b| b.score.total_cmp(&a.score));
    all
}

/// The readings that save the most together, up to each byte.
struct Cover<'c> {
    best: Vec<(f64, Option<&'c Candidate>)>,
}

impl<'c> Cover<'c> {
    fn of(candidates: &'c [Candidate], len: usize, order: Endian) -> Self {
        let mut best: Vec<(f64, Option<&Candidate>)> = vec![(0.0, None)];
        for end in 1..=len {
            // A byte that nobody explains costs a little, so that its neighbours are asked.
            let mut top = (best.last().map_or(0.0, |(saved, _)| saved - 1.0), None);
            let ending = candidates.iter().filter(|one| {
                one.at + one.size == end && one.what.order().is_none_or(|own| own == order)
            });
            for candidate in ending {
                let before = best.get(candidate.at).map_or(0.0, |(saved, _)| *saved);
                if before + candidate.saved > top.0 {
                    top = (before + candidate.saved, Some(candidate));
                }
            }
            best.push(top);
        }
        Self { best }
    }

    fn saved(&self, len: usize) -> f64 {
        self.best.get(len).map_or(0.0, |(saved, _)| *saved)
    }

    /// The readings of the first bytes, in their order; bytes without one are unknown.
    fn fields(&self, len: usize) -> Vec<Candidate> {
        let mut fields: Vec<Candidate> = Vec::new();
        let mut end = len;
        while end > 0 {
            match self.best.get(end).and_then(|(_, candidate)| *candidate) {
                Some(candidate) => {
                    end = candidate.at;
                    fields.push(candidate.clone());
                }
                None => {
                    end -= 1;
                    match fields.last_mut() {
                        Some(last) if last.what == What::Unknown => {
                            last.at = end;
                            last.size += 1;
                        }
                        _ => fields.push(Candidate {
                            at: end,
                            size: 1,
                            saved: -1.0,
                            what: What::Unknown,
                        }),
                    }
                }
            }
        }
        fields.reverse();
        fields
    }
}

/// The layout of readings that follow one another; `None` if they say nothing.
fn propose(fields: &[Candidate], values: &[Observed<'_>]) -> Option<Suggestion> {
    let fields = alike(fields);
    if fields.iter().all(|field| field.what == What::Unknown) {
        return None;
    }
    let mut parts = Vec::new();
    let mut evidence = Vec::new();
    let (mut counts, mut times) = (0, 0);
    let mut at = 0;
    while let Some(first) = fields.get(at) {
        // Neighbours of one kind are an array.
        let number = first.what.number();
        let run = fields
            .iter()
            .skip(at)
            .take_while(|field| number.is_some() && field.what.number() == number)
            .count()
            .max(1);
        let name = match &first.what {
            What::Counter { .. } => {
                counts += 1;
                first.name("count", counts == 1)
            }
            What::Clock { .. } => {
                times += 1;
                first.name("time", times == 1)
            }
            what => first.name(what.word(), false),
        };
        parts.push(first.what.written(first, &name, run, counts, times));
        for (element, field) in fields.iter().skip(at).take(run).enumerate() {
            evidence.push(Evidence {
                field: if run > 1 {
                    format!("{name}[{element}]")
                } else {
                    name.clone()
                },
                range: field.at..field.at + field.size,
                sentence: field.sentence(values),
            });
        }
        at += run;
    }
    let end = fields.last().map_or(0, |last| last.at + last.size);
    let open = fields.last().is_some_and(|last| last.what.is_open());
    let longer = values
        .iter()
        .filter(|value| value.bytes.len() > end)
        .count();
    if longer > 0 && !open {
        parts.push("rest:hex??".to_owned());
        evidence.push(Evidence {
            field: "rest".to_owned(),
            range: end..values
                .iter()
                .map(|value| value.bytes.len())
                .max()
                .unwrap_or(end),
            sentence: format!(
                "{longer} of {} values are longer than {end} bytes",
                values.len()
            ),
        });
    }
    let bits: usize = values.iter().map(|value| 8 * value.bytes.len()).sum();
    let saved: f64 = fields.iter().map(|field| field.saved.max(0.0)).sum();
    Some(Suggestion {
        layout: Layout::parse(&parts.join(", ")).ok()?,
        evidence,
        score: (saved * values.len() as f64 / bits.max(1) as f64).clamp(0.0, 1.0),
    })
    .filter(|suggestion| suggestion.score > 0.0)
}

/// Of neighbouring integers of one width and order, those that fit either way have the sign that the
/// others need: an axis that never went below zero is an axis like the others.
fn alike(fields: &[Candidate]) -> Vec<Candidate> {
    let mut fields = fields.to_vec();
    for at in 1..fields.len() {
        for (from, to) in [(at - 1, at), (at, at - 1)] {
            let signed = fields.get(from).and_then(|field| field.what.signed());
            if let (Some(signed), Some(field)) = (signed, fields.get_mut(to)) {
                field.what.sign_like(signed);
            }
        }
    }
    for at in (1..fields.len()).rev() {
        let signed = fields.get(at).and_then(|field| field.what.signed());
        if let (Some(signed), Some(field)) = (signed, fields.get_mut(at - 1)) {
            field.what.sign_like(signed);
        }
    }
    fields
}

#[cfg(test)]
mod tests;
