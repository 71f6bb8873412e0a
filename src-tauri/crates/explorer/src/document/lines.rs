//! The lines of a session: what the scope draws of an attribute that was recorded.
//!
//! The end of it is drawn at once, then all of it, in bounded memory; where a window shows less time than
//! what is remembered of it can tell, its values are read again.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use decode::Format;
use radio::Timestamp;
use session::{Gap, SessionTime, Value};

use super::{PACE, Source, at};
use crate::attribute::{Attribute, Ink, Origin, draw};
use crate::device_time::DeviceTime;
use crate::explorer::Inner;
use crate::scope::Track;
use crate::view::Problem;

/// Values that are drawn at once, the last of them; the others follow.
const FIRST: usize = 50_000;
/// Values that are read again for a window.
const AGAIN: u64 = 1 << 18;

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
            if let Err(problem) = closer(&inner, source, &coarse, from, to) {
                tracing::warn!(%problem, "a window is shown coarsely");
            }
            source
                .looking
                .store(false, std::sync::atomic::Ordering::Release);
        });
    }
}

fn drawn(inner: &Inner, source: &Source, attribute: &Attribute) -> Result<(), Problem> {
    let Some((tracks, format, by_device)) = drawn_so(attribute) else {
        return Ok(());
    };
    let wanted = || {
        let memory = attribute.memory();
        let same = memory.tracks.iter().map(|track| track.id);
        !inner.closing.is_cancelled()
            && memory.by_device == by_device
            && same.eq(tracks.iter().map(|track| track.id))
    };
    let session = source.again()?;
    let gaps = session.gaps(&session.generations(attribute.id)?)?;
    let mut pencil = Pencil::new(&tracks, &format, &gaps, by_device);
    let all = session.values_between(attribute.id, .., FIRST, |value| {
        pencil.draw(&value);
        ControlFlow::Continue(())
    })?;
    pencil.show(attribute, &tracks);
    if all < FIRST as u64 {
        return Ok(());
    }
    let mut pencil = Pencil::new(&tracks, &format, &gaps, by_device);
    let mut told = Instant::now();
    session.values_between(attribute.id, .., usize::MAX, |value| {
        pencil.draw(&value);
        if told.elapsed() >= PACE {
            told = Instant::now();
            if !wanted() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if wanted() {
        pencil.show(attribute, &tracks);
    }
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
    let aside = to.nanos().saturating_sub(from.nanos()) / 2;
    let (from, to) = (
        from.nanos().saturating_sub(aside),
        to.nanos().saturating_add(aside),
    );
    let within = SessionTime(from)..SessionTime(to);
    for connection in inner.connections() {
        let device = connection.device.to_string();
        for attribute in connection.attributes().iter() {
            // Whichever of its series is coarse, all of an attribute are read at once.
            if !coarse.contains(&(device.clone(), attribute.key.clone())) {
                continue;
            }
            // A clock is fitted to all of the values: a window alone would be placed by another one.
            let Some((tracks, format, false)) = drawn_so(attribute) else {
                continue;
            };
            let gaps = session.gaps(&session.generations(attribute.id)?)?;
            let mut pencil = Pencil::new(&tracks, &format, &gaps, false);
            let many = session.values_estimate(attribute.id, within.clone())?;
            if many.is_none_or(|many| many <= AGAIN) {
                session.values_between(attribute.id, within.clone(), usize::MAX, |value| {
                    pencil.draw(&value);
                    ControlFlow::Continue(())
                })?;
            }
            for (track, draft) in tracks.iter().zip(pencil.drafts) {
                inner.scope.set_close(track.id, from, to, draft);
            }
        }
    }
    Ok(())
}

/// What is drawn of an attribute, by what format, and whether by its device's time.
fn drawn_so(attribute: &Attribute) -> Option<(Vec<Track>, Format, bool)> {
    let memory = attribute.memory();
    let by_device = memory.by_device && memory.device_time.is_some();
    Some((memory.tracks.clone(), memory.format.clone()?, by_device))
}

/// Draws values with the gaps between them, out of sight until all are there.
struct Pencil<'a> {
    drafts: Vec<Track>,
    format: &'a Format,
    gaps: std::iter::Peekable<std::slice::Iter<'a, Gap>>,
    /// The device's clock, if its time is drawn.
    time: Option<(DeviceTime, plot::InOrder)>,
    /// When the last value came.
    previous: Option<Timestamp>,
}

impl<'a> Pencil<'a> {
    fn new(tracks: &[Track], format: &'a Format, gaps: &'a [Gap], by_device: bool) -> Self {
        let time = by_device.then(|| DeviceTime::of(format)).flatten();
        Self {
            drafts: tracks.iter().map(Track::draft).collect(),
            format,
            gaps: gaps.iter().peekable(),
            time: time.map(|time| (time, plot::InOrder::default())),
            previous: None,
        }
    }

    fn draw(&mut self, value: &Value<'_>) {
        let Some(origin) = Origin::recorded(value.kind) else {
            return;
        };
        let now = at(value.at);
        let (mut missing, mut cause) = (0_u32, plot::Cause::HostQueue);
        while let Some(gap) = self.gaps.next_if(|gap| gap.to <= value.at) {
            // Before the first value there is no line to break.
            if self.previous.is_none() {
                continue;
            }
            if gap.count == 0 || at(gap.to) < now {
                for draft in &self.drafts {
                    let count = u32::try_from(gap.count).unwrap_or(u32::MAX);
                    draft.gap(at(gap.from), at(gap.to), drawn_as(gap.cause), count);
                }
                if let Some((time, _)) = &mut self.time {
                    time.interrupted();
                }
            } else {
                missing = missing.saturating_add(u32::try_from(gap.count).unwrap_or(u32::MAX));
                cause = drawn_as(gap.cause);
            }
        }
        let stamp = match (&mut self.time, origin) {
            (Some((time, _)), Origin::Pushed(_)) => {
                time.take(now, self.format, value.bytes, missing)
            }
            _ => None,
        };
        let axis = self.time.as_mut().map(|(time, order)| (&*time, order));
        let ink = Ink {
            at: now,
            origin,
            missing,
            cause,
            stamp,
            bytes: value.bytes,
        };
        draw(self.format, &self.drafts, axis, &ink, self.previous);
        self.previous = Some(now);
    }

    fn show(self, attribute: &Attribute, tracks: &[Track]) {
        for (track, draft) in tracks.iter().zip(self.drafts) {
            track.take_over(draft);
        }
        if let Some((time, _)) = self.time {
            let mut memory = attribute.memory();
            memory.device_time = Some(Box::new(time));
            memory.touch();
        }
    }
}

fn drawn_as(cause: session::Cause) -> plot::Cause {
    match cause {
        session::Cause::DeviceSequence => plot::Cause::DeviceSequence,
        session::Cause::HostQueue => plot::Cause::HostQueue,
        session::Cause::Gattscope => plot::Cause::Gattscope,
        session::Cause::LinkDown => plot::Cause::LinkDown,
    }
}
