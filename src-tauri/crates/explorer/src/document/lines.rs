//! The lines of a session: what the scope draws of an attribute that was recorded.

use std::sync::Arc;
use std::time::Instant;

use decode::Format;
use session::{Filter, Gap, Kind, Recorded, Session};

use super::{PACE, Source, at};
use crate::attribute::{Attribute, Entry, draw};
use crate::explorer::Inner;
use crate::scope::Track;
use crate::view::Problem;

/// Values that are drawn at once, the last of them; the others follow.
const FIRST: usize = 50_000;

impl Inner {
    /// Draws what was recorded of an attribute: the end of it at once, then all of it.
    pub(crate) fn draw_recorded(self: &Arc<Self>, attribute: &Arc<Attribute>) {
        let (inner, attribute) = (Arc::clone(self), Arc::clone(attribute));
        self.runtime.spawn_blocking(move || {
            let Some(source) = &inner.source else { return };
            if let Err(problem) = drawn(&inner, source, &attribute) {
                let title = format!("{} is not drawn to its end", attribute.name());
                inner.notice("warn", title, problem, None, "");
            }
        });
    }
}

fn drawn(inner: &Inner, source: &Source, attribute: &Attribute) -> Result<(), Problem> {
    let (tracks, format) = {
        let memory = attribute.memory();
        (memory.tracks.clone(), memory.format.clone())
    };
    let Some(format) = format else { return Ok(()) };
    let wanted = || {
        let memory = attribute.memory();
        let same = memory.tracks.iter().map(|track| track.id);
        !inner.closing.is_cancelled() && same.eq(tracks.iter().map(|track| track.id))
    };
    let session = source.again()?;
    let generations = session.generations(attribute.id)?;
    let gaps = session.gaps(&generations)?;
    let last = session.values(attribute.id, FIRST)?;
    let mut pencil = Pencil::new(&tracks, &format, &gaps);
    for value in &last {
        pencil.draw(value);
    }
    pencil.show(&tracks);
    if last.len() < FIRST {
        return Ok(());
    }
    let mut pencil = Pencil::new(&tracks, &format, &gaps);
    let mut told = Instant::now();
    each_value(&session, generations, |value| {
        pencil.draw(value);
        if told.elapsed() >= PACE {
            told = Instant::now();
            return wanted();
        }
        true
    })?;
    if wanted() {
        pencil.show(&tracks);
    }
    Ok(())
}

/// Every value of an attribute in its order, as long as somebody wants more.
fn each_value(
    session: &Session,
    generations: Vec<radio::AttrId>,
    mut each: impl FnMut(&Recorded) -> bool,
) -> Result<(), Problem> {
    let filter = Filter {
        attributes: generations,
        kinds: Kind::VALUES.to_vec(),
        ..Filter::default()
    };
    for value in session.events(&filter)? {
        if !each(&value?) {
            break;
        }
    }
    Ok(())
}

/// Draws values with the gaps between them, out of sight until all are there.
struct Pencil<'a> {
    drafts: Vec<Track>,
    format: &'a Format,
    gaps: std::iter::Peekable<std::slice::Iter<'a, Gap>>,
    begun: bool,
}

impl<'a> Pencil<'a> {
    fn new(tracks: &[Track], format: &'a Format, gaps: &'a [Gap]) -> Self {
        Self {
            drafts: tracks.iter().map(Track::draft).collect(),
            format,
            gaps: gaps.iter().peekable(),
            begun: false,
        }
    }

    fn draw(&mut self, value: &Recorded) {
        while let Some(gap) = self.gaps.next_if(|gap| gap.to <= value.at) {
            // Before the first value there is no line to break.
            if !self.begun {
                continue;
            }
            let cause = match gap.cause {
                session::Cause::DeviceSequence => plot::Cause::DeviceSequence,
                session::Cause::HostQueue => plot::Cause::HostQueue,
                session::Cause::Gattscope => plot::Cause::Gattscope,
                session::Cause::LinkDown => plot::Cause::LinkDown,
            };
            let count = u32::try_from(gap.count).unwrap_or(u32::MAX);
            for draft in &self.drafts {
                draft.gap(at(gap.from), at(gap.to), cause, count);
            }
        }
        if let Some(entry) = Entry::recorded(value) {
            self.begun = true;
            draw(self.format, &self.drafts, &entry);
        }
    }

    fn show(self, tracks: &[Track]) {
        for (track, draft) in tracks.iter().zip(self.drafts) {
            track.take_over(draft);
        }
    }
}
