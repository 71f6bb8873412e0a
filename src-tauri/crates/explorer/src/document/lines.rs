//! The lines of a session: what the scope draws of an attribute that was recorded.
//!
//! The end of it is drawn at once, then all of it, in bounded memory; where a window shows less time than
//! what is remembered of it can tell, its values are read again.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
    let mut pencil = Pencil::new(&so, &gaps);
    let all = session.values_between(attribute.id, .., FIRST, |value| {
        pencil.draw(&value);
        ControlFlow::Continue(())
    })?;
    pencil.show(attribute, &so);
    if all < FIRST as u64 {
        return Ok(());
    }
    let mut pencil = Pencil::new(&so, &gaps);
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
        let mut pencil = Pencil::new(&so, &gaps);
        let mut left = 2 * AGAIN;
        session.values_between(attribute.id, within.clone(), usize::MAX, |value| {
            pencil.draw(&value);
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

/// What is drawn of an attribute, and how.
struct So {
    drawing: u64,
    tracks: Vec<Track>,
    format: Format,
    /// By its device's time.
    by_device: bool,
}

impl So {
    fn of(attribute: &Attribute) -> Option<Self> {
        let memory = attribute.memory();
        Some(Self {
            drawing: memory.drawing,
            tracks: memory.tracks.clone(),
            format: memory.format.clone()?,
            by_device: memory.by_device && memory.device_time.is_some(),
        })
    }
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
    fn new(so: &'a So, gaps: &'a [Gap]) -> Self {
        let time = so.by_device.then(|| DeviceTime::of(&so.format)).flatten();
        Self {
            drafts: so.tracks.iter().map(Track::draft).collect(),
            format: &so.format,
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

    /// Shows what was drawn, unless it is to be drawn otherwise by now.
    fn show(self, attribute: &Attribute, so: &So) {
        let mut memory = attribute.memory();
        if memory.drawing != so.drawing {
            return;
        }
        for (track, draft) in so.tracks.iter().zip(self.drafts) {
            track.take_over(draft);
        }
        if let Some((time, _)) = self.time {
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
