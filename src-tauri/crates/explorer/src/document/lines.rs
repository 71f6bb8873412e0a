//! The lines of a session: what the scope draws of an attribute that was recorded.
//!
//! The end of it is drawn at once, then all of it, in bounded memory; where a window shows less time than
//! what is remembered of it can tell, its values are read again.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use radio::Timestamp;
use session::SessionTime;

use super::{PACE, Source};
use crate::attribute::Attribute;
use crate::explorer::Inner;
use crate::pencil::{Pencil, So};
use crate::view::Problem;

/// Values that are drawn at once, the last of them; the others follow.
const FIRST: usize = 50_000;
/// Values that are read again for a window.
const AGAIN: u64 = 1 << 18;

impl Inner {
    /// Draws what was recorded of an attribute: the end of it at once, then all of it.
    pub(crate) fn draw_recorded(self: &Arc<Self>, attribute: &Arc<Attribute>) {
        for track in &attribute.memory().tracks {
            self.scope.forget_close(track.id);
        }
        let (inner, attribute) = (Arc::clone(self), Arc::clone(attribute));
        self.runtime.spawn_blocking(move || {
            let Some(source) = &inner.source else { return };
            if let Err(problem) = drawn(&inner, source, &attribute) {
                let title = format!("{} is not drawn to its end", attribute.name());
                inner.notice("warn", title, problem, None, "");
            }
        });
    }

    /// Reads values again where a window shows less time than is remembered one by one. One window at a
    /// time: the next frame asks for what it shows.
    pub(crate) fn look_closer(self: &Arc<Self>, series: &[u32], from: Timestamp, to: Timestamp) {
        let Some(source) = &self.source else { return };
        let coarse = self.scope.coarse(series, from, to);
        if coarse.is_empty()
            || source
                .looking
                .swap(true, std::sync::atomic::Ordering::AcqRel)
        {
            return;
        }
        let inner = Arc::clone(self);
        self.runtime.spawn_blocking(move || {
            let Some(source) = &inner.source else { return };
            let _looking = Looking(source);
            if let Err(problem) = closer(&inner, source, &coarse, from, to) {
                tracing::warn!(%problem, "windows are shown coarsely");
                for attribute in attributes(&inner, &coarse) {
                    for track in &attribute.memory().tracks {
                        inner.scope.set_too_long(track.id, 0);
                    }
                }
            }
        });
    }
}

/// Somebody reads for a window as long as this is there.
struct Looking<'a>(&'a Source);

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.looking.store(false, Ordering::Release);
    }
}

/// The attributes at these places: device, and key.
fn attributes(inner: &Inner, places: &[(String, String)]) -> Vec<Arc<Attribute>> {
    let mut found = Vec::new();
    for connection in inner.connections() {
        let device = connection.device.to_string();
        let all = connection.attributes();
        let here = all
            .iter()
            .filter(|attribute| places.contains(&(device.clone(), attribute.key.clone())));
        found.extend(here.cloned());
    }
    found
}

fn drawn(inner: &Inner, source: &Source, attribute: &Attribute) -> Result<(), Problem> {
    let Some(so) = So::of(attribute) else {
        return Ok(());
    };
    let wanted = || !inner.closing.is_cancelled() && attribute.memory().drawing == so.drawing;
    let session = source.again()?;
    let gaps = session.gaps(&session.generations(attribute.id)?)?;
    let mut pencil = Pencil::new(&so, gaps.clone(), 0);
    let all = session.values_between(attribute.id, .., FIRST, |value| {
        pencil.draw_recorded(&value);
        ControlFlow::Continue(())
    })?;
    pencil.show(attribute, &so);
    if all < FIRST as u64 {
        return Ok(());
    }
    let mut pencil = Pencil::new(&so, gaps, 0);
    let mut told = Instant::now();
    session.values_between(attribute.id, .., usize::MAX, |value| {
        pencil.draw_recorded(&value);
        if told.elapsed() >= PACE {
            told = Instant::now();
            if !wanted() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    pencil.show(attribute, &so);
    Ok(())
}

/// Reads the values of a window again, and of half as much time on either side.
fn closer(
    inner: &Inner,
    source: &Source,
    coarse: &[(String, String)],
    from: Timestamp,
    to: Timestamp,
) -> Result<(), Problem> {
    let session = source.again()?;
    let length = to.nanos().saturating_sub(from.nanos());
    let (from, to) = (
        from.nanos().saturating_sub(length / 2),
        to.nanos().saturating_add(length / 2),
    );
    let within = SessionTime(from)..SessionTime(to);
    // Whichever of its series is coarse, all of an attribute are read at once.
    for attribute in attributes(inner, coarse) {
        let Some(so) = So::of(&attribute) else {
            continue;
        };
        let not_from = |length| {
            for track in &so.tracks {
                inner.scope.set_too_long(track.id, length);
            }
        };
        // A clock is fitted to all of the values: a window alone would be placed by another one.
        if so.by_device {
            not_from(0);
            continue;
        }
        let many = session.values_estimate(attribute.id, within.clone())?;
        if many.is_some_and(|many| many > AGAIN) {
            not_from(length);
            continue;
        }
        let gaps = session.gaps(&session.generations(attribute.id)?)?;
        let mut pencil = Pencil::new(&so, gaps, 0);
        let mut left = 2 * AGAIN;
        session.values_between(attribute.id, within.clone(), usize::MAX, |value| {
            pencil.draw_recorded(&value);
            left -= 1;
            match left {
                0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })?;
        if left == 0 {
            not_from(length);
            continue;
        }
        let memory = attribute.memory();
        if memory.drawing == so.drawing {
            for (track, draft) in so.tracks.iter().zip(pencil.drafts) {
                inner.scope.set_close(track.id, from, to, draft);
            }
        }
    }
    Ok(())
}
