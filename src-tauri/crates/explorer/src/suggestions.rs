//! Formats for values that nobody has described, proposed from those that came, with what speaks for them.

use decode::Format;
use decode::suggest::{Observed, Suggestion, suggest};
use radio::AttrId;

use crate::attribute::Origin;
use crate::explorer::{Explorer, Inner};
use crate::files::blocking;
use crate::formats::text_of;
use crate::gatt::id;
use crate::view::{EvidenceView, Problem, SuggestionView};

/// The most values that are looked at, the latest ones.
const MOST: usize = 10_000;

impl Inner {
    fn suggestions(&self, id: AttrId) -> Result<Vec<SuggestionView>, Problem> {
        let (_, attribute) = self.attribute(id)?;
        let values: Vec<_> = match self.recorded_values(id, MOST)? {
            Some(recorded) => recorded
                .into_iter()
                .filter(|one| Origin::recorded(one.kind).is_some_and(came))
                .filter_map(|one| Some((one.at.nanos(), one.value?)))
                .collect(),
            None => {
                let memory = attribute.memory();
                let came = memory.entries().filter(|entry| came(entry.origin));
                came.map(|entry| (entry.at.nanos(), entry.bytes().clone()))
                    .collect()
            }
        };
        let observed: Vec<_> = values
            .iter()
            .map(|(at_ns, bytes)| Observed {
                at_ns: *at_ns,
                bytes,
            })
            .collect();
        let newest = observed.last().map_or(&[][..], |newest| newest.bytes);
        let proposed = suggest(&observed);
        Ok(proposed.into_iter().map(|one| view(one, newest)).collect())
    }
}

/// What was written is the computer's, and says nothing of the device's format.
fn came(origin: Origin) -> bool {
    origin != Origin::Write
}

fn view(suggestion: Suggestion, newest: &[u8]) -> SuggestionView {
    let format = Format::Layout(suggestion.layout);
    let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    SuggestionView {
        layout: text_of(Some(&format)),
        score: suggestion.score,
        text: format.summary(newest),
        evidence: suggestion
            .evidence
            .into_iter()
            .map(|one| EvidenceView {
                field: one.field,
                bytes: (at(one.range.start), at(one.range.end)),
                sentence: one.sentence,
            })
            .collect(),
    }
}

impl Explorer {
    /// Proposes layouts for the values of an attribute, best first, from the latest that came; none where
    /// they are too few or have no structure.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is no such attribute, or its values cannot be read.
    pub async fn suggest_formats(&self, attribute: u64) -> Result<Vec<SuggestionView>, Problem> {
        let (inner, id) = (std::sync::Arc::clone(&self.0), id(attribute)?);
        blocking(&self.0, move || inner.suggestions(id)).await
    }
}
