//! Lines of what devices advertise: numbers of a payload, and how strong a device is heard.
//!
//! An advertisement is sent many times and heard by chance, so each is drawn when it arrived, none is missed, and a
//! counter in it is a number like any other. Only what is drawn is decoded.
//!
//! What is remembered is drawn at once, so that there is a line to see. Then the recording is read in the background as
//! far as it is older, what is remembered is drawn behind it, and the whole line takes the place of the first one; a
//! later change makes that be in vain. So each report is drawn once: from the file up to a time, and by its number
//! after it. A report is heard and drawn under one lock, or it waits in what is remembered. What is neither remembered
//! nor in the recording (by choice, or of a recording before) is not drawn. A session that is open is drawn from its
//! file alone.

use std::collections::HashMap;
use std::ops::{Bound, ControlFlow};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use decode::advertisement::{Beacon, Source};
use decode::{Format, Series};
use radio::{Advertisement, DeviceId, Timestamp};
use session::{Session, SessionTime};

use crate::advert::{self, Heard, Key, Part};
use crate::explorer::{Explorer, Inner, Recording};
use crate::export::settle;
use crate::gatt::MAX_SERIES;
use crate::scope::{Owner, Track};
use crate::view::{AdvertView, PreviewView, Problem};

/// The line of a device that was not heard for so long is broken.
const SILENCE: Duration = Duration::from_secs(60);
/// How often the window hears of lines that were found in a file.
const PACE: Duration = Duration::from_millis(250);

/// As many are drawn while the radio's task waits.
const SLICE: usize = 64;
/// A time after every report.
const ALL: Timestamp = Timestamp(i64::MAX);
/// How late a report may be in the file, nanoseconds after others of its time.
const LATE: i64 = 1_000_000_000;

/// What is drawn of devices' advertisements.
#[derive(Debug, Default)]
pub(crate) struct Adverts {
    lines: Mutex<HashMap<DeviceId, Vec<Line>>>,
    drawings: AtomicU64,
    /// A column came for the first time, and the window has not heard of it.
    new: AtomicBool,
    /// A column came for which the scope has no room, and the user has not heard of it.
    refused: AtomicBool,
}

/// The numbers of one part of what a device advertises.
#[derive(Clone, Debug)]
struct Line {
    part: Part,
    /// What gives the numbers; none of the signal.
    format: Option<Arc<Format>>,
    /// Every column that may come. Those of which nothing came are not shown.
    columns: Vec<Series>,
    tracks: Vec<Option<Track>>,
    /// The numbers of one payload, while it is drawn.
    came: Vec<(usize, f64)>,
    name: String,
    last: Option<Timestamp>,
    /// Which drawing it is: what was begun before is in vain.
    drawing: u64,
    /// What is remembered is being drawn: what comes waits there.
    behind: bool,
}

/// What an attribute is called whose values are advertised.
fn attribute(part: Part) -> String {
    format!("{}{part}", crate::scope::ADVERTISED)
}

impl Line {
    fn new(part: Part, format: Option<Format>, drawing: u64) -> Self {
        let (columns, name) = match part {
            Part::Signal => (vec![rssi()], "Signal".into()),
            Part::Said(source, _) => (
                format.as_ref().map(Format::series).unwrap_or_default(),
                advert::name(source, format.as_ref()),
            ),
        };
        let most = columns.iter().map(|column| column.column + 1).max();
        Self {
            tracks: vec![None; most.unwrap_or(0)],
            came: Vec::new(),
            part,
            format: format.map(Arc::new),
            columns,
            name,
            last: None,
            drawing,
            behind: false,
        }
    }

    /// The same line, with nothing drawn.
    fn blank(&self) -> Self {
        Self {
            tracks: vec![None; self.tracks.len()],
            last: None,
            ..self.clone()
        }
    }

    /// Whether a payload is of this line.
    fn takes(&self, source: Source, data: &[u8]) -> bool {
        match self.part {
            Part::Signal => false,
            Part::Said(own, beacon) => {
                own == source && (beacon.is_none() || Beacon::of(source, data) == beacon)
            }
        }
    }

    /// Draws a report. Says whether a column came for the first time.
    fn report(&mut self, report: &Advertisement, add: &mut Add<'_>) -> bool {
        if self.part == Part::Signal {
            let rssi = report.rssi.map(|rssi| f64::from(rssi.0));
            return rssi.is_some_and(|rssi| self.numbers(report.at, |push| push(0, rssi), add));
        }
        let mut new = false;
        advert::payloads(report, |source, data| {
            if self.takes(source, data) {
                new |= self.payload(report.at, data, add);
            }
        });
        new
    }

    fn remembered(&mut self, entries: &[(Timestamp, Heard)], add: &mut Add<'_>) {
        for (at, heard) in entries {
            match heard {
                Heard::Payload(source, data) if self.takes(*source, data) => {
                    self.payload(*at, data, add);
                }
                Heard::Payload(..) => {}
                Heard::Signal(rssi) => {
                    self.numbers(*at, |push| push(0, f64::from(rssi.0)), add);
                }
            }
        }
    }

    fn payload(&mut self, at: Timestamp, data: &[u8], add: &mut Add<'_>) -> bool {
        let Some(format) = self.format.clone() else {
            return false;
        };
        self.numbers(
            at,
            |push| format.columns(data, &mut |column, number| push(column, number)),
            add,
        )
    }

    fn numbers(
        &mut self,
        at: Timestamp,
        numbers: impl FnOnce(&mut dyn FnMut(usize, f64)),
        add: &mut Add<'_>,
    ) -> bool {
        if let Some(last) = self.last.replace(at)
            && at.since(last) >= SILENCE
        {
            for track in self.tracks.iter().flatten() {
                track.push(last.after(Duration::from_nanos(1)), f64::NAN);
            }
        }
        let mut came = std::mem::take(&mut self.came);
        numbers(&mut |column, number| came.push((column, number)));
        let first = self.first(&came);
        let picked = matches!(self.format.as_deref(), Some(Format::Layout(_)));
        let mut new = false;
        for (column, number) in came.drain(..) {
            if matches!(self.tracks.get(column), Some(None))
                && let Some(series) = self.columns.iter().find(|one| one.column == column)
            {
                let show = first == Some(column) || (picked && series.role.is_none());
                self.tracks[column] = add(&self.name, self.part, series, show);
                if self.tracks[column].is_none() {
                    // It is not tried again at every report.
                    self.columns.retain(|one| one.column != column);
                }
                new |= self.tracks[column].is_some();
            }
            if let Some(Some(track)) = self.tracks.get(column) {
                track.push(at, number);
            }
        }
        self.came = came;
        new
    }

    /// The column that begins in sight, where nobody has picked fields: of the first payload the first that measures
    /// something. Counters and clocks, batteries and transmit powers are drawn too, out of sight, unless there is
    /// nothing else.
    fn first(&self, came: &[(usize, f64)]) -> Option<usize> {
        if self.tracks.iter().any(Option::is_some) {
            return None;
        }
        let mut here: Vec<&Series> = self.columns.iter().collect();
        here.retain(|one| came.iter().any(|(column, _)| *column == one.column));
        let rank = |one: &Series| match one.role {
            Some(_) => 2,
            None if one.name.starts_with("Battery") || one.unit.as_deref() == Some("dBm") => 1,
            None => 0,
        };
        // Of several alike, the first.
        let first = here.into_iter().min_by_key(|one| rank(one))?;
        Some(first.column)
    }
}

/// A line that is drawn out of sight, to take the place of what is shown.
struct Draft {
    line: Line,
    /// Its columns in the order in which they came, and whether each begins in sight.
    columns: Vec<(usize, bool)>,
}

impl Draft {
    fn of(line: &Line) -> Self {
        Self {
            line: line.blank(),
            columns: Vec::new(),
        }
    }

    fn draw<T>(&mut self, draw: impl FnOnce(&mut Line, &mut Add<'_>) -> T) -> T {
        let columns = &mut self.columns;
        draw(&mut self.line, &mut |_, _, series, show| {
            columns.push((series.column, show));
            Some(Track::out_of_sight(series.column))
        })
    }

    fn draw_remembered(&mut self, entries: &[(Timestamp, Heard)]) {
        self.draw(|line, add| line.remembered(entries, add));
    }

    /// Something is missing before the first of these.
    fn breaks(&self, entries: &[(Timestamp, Heard)]) {
        if let (Some(last), Some((first, _))) = (self.line.last, entries.first()) {
            for track in self.line.tracks.iter().flatten() {
                track.gap(last, *first, plot::Cause::Gattscope, 0);
            }
        }
    }

    /// Shows it in place of what is drawn of `line`.
    fn show_in(self, line: &mut Line, add: &mut Add<'_>) {
        let first = line.tracks.iter().all(Option::is_none);
        let picked = matches!(line.format.as_deref(), Some(Format::Layout(_)));
        for (column, show) in self.columns {
            // One that was removed meanwhile stays away.
            let Some(series) = line.columns.iter().find(|one| one.column == column) else {
                continue;
            };
            if line.tracks[column].is_none() {
                line.tracks[column] = add(&line.name, line.part, series, show && (first || picked));
            }
            if line.tracks[column].is_none() {
                line.columns.retain(|one| one.column != column);
                continue;
            }
            if let (Some(track), Some(draft)) = (&line.tracks[column], &self.line.tracks[column]) {
                track.take_over(draft.clone());
            }
        }
        (line.last, line.behind) = (self.line.last, false);
    }
}

/// Adds a column that came for the first time to a line, in sight or not. None if there are too many.
type Add<'a> = dyn FnMut(&str, Part, &Series, bool) -> Option<Track> + 'a;

fn rssi() -> Series {
    Series {
        column: 0,
        name: "RSSI".into(),
        unit: Some("dBm".into()),
        role: None,
        repeats: false,
    }
}

impl Adverts {
    fn lines(&self) -> MutexGuard<'_, HashMap<DeviceId, Vec<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parts of a device that are drawn.
    fn of(&self, device: &DeviceId) -> Vec<Part> {
        let lines = self.lines();
        let of = lines.get(device).into_iter().flatten();
        of.map(|line| line.part).collect()
    }

    fn remove(&self, device: &DeviceId, part: Part) {
        let mut lines = self.lines();
        if let Some(of) = lines.get_mut(device) {
            of.retain(|line| line.part != part);
        }
        lines.retain(|_, of| !of.is_empty());
    }
}

/// The line of a drawing, unless that is in vain by now.
fn line_of<'a>(
    lines: &'a mut HashMap<DeviceId, Vec<Line>>,
    device: &DeviceId,
    drawing: u64,
) -> Option<&'a mut Line> {
    let of = lines.get_mut(device)?;
    of.iter_mut().find(|line| line.drawing == drawing)
}

impl Inner {
    /// Takes a report, and draws it if anything of its device is drawn. This is on the way of every advertisement.
    pub(crate) fn hear_advert(&self, report: &Advertisement, starred: bool, alias: Option<&str>) {
        let new = {
            // Whoever begins to draw meanwhile finds it remembered and not drawn yet, or both are to come.
            let mut lines = self.advertised.lines();
            self.devices().hear(report, starred, alias);
            let Some(of) = lines.get_mut(&report.device) else {
                return;
            };
            let mut add = self.adding(&report.device);
            let mut new = false;
            for line in of.iter_mut().filter(|line| !line.behind) {
                new |= line.report(report, &mut add);
            }
            new
        };
        if new {
            // The radio's task waits for no listener.
            self.advertised.new.store(true, Ordering::Release);
        }
    }

    /// Tells the window of columns that came for the first time, if any did.
    pub(crate) fn tell_new_lines(&self) {
        if self.advertised.new.swap(false, Ordering::AcqRel) {
            self.tell_series();
        }
        if self.advertised.refused.swap(false, Ordering::AcqRel) {
            let title = "Some of what is advertised is not drawn";
            self.notice("warn", title, too_many(), None, "");
        }
    }

    /// How a column of a device becomes a series.
    fn adding(&self, device: &DeviceId) -> impl FnMut(&str, Part, &Series, bool) -> Option<Track> {
        move |name, part, series, show| {
            if self.scope.len() >= MAX_SERIES {
                self.advertised.refused.store(true, Ordering::Release);
                return None;
            }
            let owner = Owner {
                device: device.as_str(),
                device_name: &self.devices().name(device).0,
                attribute: &attribute(part),
                attribute_name: name,
            };
            let track = self
                .scope
                .add(&owner, std::slice::from_ref(series), true)
                .pop()?;
            if !show {
                self.scope.set_visible(track.id, false);
            }
            Some(track)
        }
    }

    /// Draws the numbers of a part from now on, and what is known of before.
    fn begin_advert(self: &Arc<Self>, device: &DeviceId, part: Part) -> Result<(), Problem> {
        if self.scope.len() >= MAX_SERIES {
            return Err(too_many());
        }
        let drawing = self.advertised.drawings.fetch_add(1, Ordering::Relaxed);
        let format = match part {
            Part::Signal => None,
            Part::Said(source, beacon) => {
                let own = self.devices().layout(source);
                let format = own.or_else(|| beacon.map(Format::Beacon));
                if format.as_ref().is_none_or(|one| one.series().is_empty()) {
                    return Err(Problem::new(
                        "no_numbers",
                        "Nothing to plot: no format says where the numbers are in these bytes.",
                        "Write a layout for them in the inspector, then plot.",
                    ));
                }
                format
            }
        };
        let live = self.source.is_none();
        let mut line = Line::new(part, format, drawing);
        line.behind = live;
        let draft = Draft::of(&line);
        {
            let mut lines = self.advertised.lines();
            self.devices().keep_drawn(device);
            lines.entry(device.clone()).or_default().push(line);
        }
        if live {
            self.draw_behind(device, draft, 0, None);
        }
        if !live || matches!(&*self.recording(), Recording::On(_)) {
            self.draw_recorded_advert(device.clone(), part, drawing);
        }
        Ok(())
    }

    /// Draws behind a draft what is remembered since the entry of this number and came after a time, and shows it.
    fn draw_behind(
        &self,
        device: &DeviceId,
        mut draft: Draft,
        since: u64,
        after: Option<Timestamp>,
    ) {
        let (part, drawing) = (draft.line.part, draft.line.drawing);
        let mut next = since;
        loop {
            let mut lines = self.advertised.lines();
            let mut remembered = self.devices().remember(device, part, next);
            let new = &mut remembered.entries;
            new.retain(|(at, _)| after.is_none_or(|after| *at > after));
            if remembered.first > next {
                // More came than is remembered while a slice was drawn.
                draft.breaks(new);
            }
            next = remembered.next;
            if remembered.entries.len() > SLICE {
                // Reports are heard meanwhile, and remembered.
                drop(lines);
                draft.draw_remembered(&remembered.entries);
                continue;
            }
            draft.draw_remembered(&remembered.entries);
            if let Some(line) = line_of(&mut lines, device, drawing) {
                draft.show_in(line, &mut self.adding(device));
            }
            return;
        }
    }

    /// Takes a part of a device off the scope.
    fn end_advert(&self, device: &DeviceId, part: Part) {
        self.advertised.remove(device, part);
        self.scope.remove(device.as_str(), &attribute(part));
    }

    /// As much of a device is remembered as what is drawn of it needs.
    fn forget_undrawn(&self, device: &DeviceId) {
        let lines = self.advertised.lines();
        if !lines.contains_key(device) {
            self.devices().forget_drawn(device);
        }
    }

    /// Draws all that a session has of a part.
    fn draw_recorded_advert(self: &Arc<Self>, device: DeviceId, part: Part, drawing: u64) {
        let inner = Arc::clone(self);
        self.runtime.spawn_blocking(move || {
            let read = match inner.source {
                Some(_) => inner.read_adverts(&device, drawing),
                None => inner.redraw_advert(&device, part, drawing),
            };
            if let Err(problem) = read {
                let title = format!("Advertisements of {device} are not drawn to their end");
                inner.notice("warn", title, problem, None, "");
            }
        });
    }

    /// Draws a part from the beginning of the recording, while reports come.
    fn redraw_advert(&self, device: &DeviceId, part: Part, drawing: u64) -> Result<(), Problem> {
        let mut recorder = self.recorder()?;
        // From where on all is remembered: the file has what is older.
        let reached = || {
            let remembered = self.devices().remember(device, part, u64::MAX);
            (remembered.oldest.unwrap_or(ALL), remembered.first)
        };
        let (draft, (mut until, mut next)) = {
            let mut lines = self.advertised.lines();
            let line = line_of(&mut lines, device, drawing);
            (line.map(|line| Draft::of(line)), reached())
        };
        let Some(mut draft) = draft else {
            return Ok(());
        };
        let mut drawn = None;
        let mut files = vec![Arc::clone(&recorder)];
        loop {
            let mut waiting = 0;
            for file in &files {
                waiting += settle(file)?;
                if !self.draw_file(device, &mut draft, file, drawn, until)? {
                    return Ok(());
                }
            }
            let remembered = self.devices().remember(device, part, next);
            if remembered.first > next && waiting == 0 {
                // More came while this was read than is remembered; and another recording may have begun.
                drawn = if until == ALL {
                    draft.line.last
                } else {
                    Some(until)
                };
                (until, next) = reached();
                let current = self.recorder()?;
                files = vec![Arc::clone(&recorder)];
                if !Arc::ptr_eq(&recorder, &current) {
                    files.push(Arc::clone(&current));
                    recorder = current;
                }
                continue;
            }
            // Those of that very time may be in the file, too.
            let (mut new, last) = (remembered.entries, draft.line.last);
            new.retain(|(at, _)| last.is_none_or(|last| *at > last));
            if waiting > 0 {
                // The disk takes nothing: what is between is not drawn.
                draft.breaks(&new);
            }
            draft.draw_remembered(&new);
            self.draw_behind(device, draft, remembered.next, last);
            self.tell_series();
            return Ok(());
        }
    }

    /// Draws what a recording has of a part after one time and up to another. False if that is in vain.
    fn draw_file(
        &self,
        device: &DeviceId,
        draft: &mut Draft,
        file: &session::Recorder,
        after: Option<Timestamp>,
        until: Timestamp,
    ) -> Result<bool, Problem> {
        let start = -file.session_time(Timestamp(0)).nanos();
        let time = |at: i64| SessionTime(at.saturating_sub(start));
        let from = after.map_or(i64::MIN, |after| after.nanos().saturating_sub(LATE));
        let within = (
            Bound::Included(time(from)),
            Bound::Included(time(until.nanos())),
        );
        let (mut asked, mut wanted) = (Instant::now(), true);
        Session::open(file.path())?.advertisements_of(device, within, |mut report| {
            report.at = Timestamp(report.at.nanos().saturating_add(start));
            if after.is_none_or(|after| report.at > after) {
                draft.draw(|line, add| line.report(&report, add));
            }
            if asked.elapsed() >= PACE {
                asked = Instant::now();
                let mut lines = self.advertised.lines();
                wanted = !self.closing.is_cancelled()
                    && line_of(&mut lines, device, draft.line.drawing).is_some();
                if !wanted {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(wanted)
    }

    fn read_adverts(&self, device: &DeviceId, drawing: u64) -> Result<(), Problem> {
        let Some(source) = &self.source else {
            return Ok(());
        };
        let mut told = Instant::now();
        let mut new = false;
        source.again()?.advertisements_of(device, .., |report| {
            let mut add = self.adding(device);
            let mut lines = self.advertised.lines();
            let line = line_of(&mut lines, device, drawing);
            let Some(line) = line.filter(|_| !self.closing.is_cancelled()) else {
                return ControlFlow::Break(());
            };
            new |= line.report(&report, &mut add);
            drop(lines);
            if new && told.elapsed() >= PACE {
                (told, new) = (Instant::now(), false);
                self.tell_series();
            }
            ControlFlow::Continue(())
        })?;
        self.tell_series();
        self.tell_new_lines();
        Ok(())
    }

    /// Lines let go of series that the scope no longer has; one without any is drawn no more.
    pub(crate) fn forget_advert_tracks(&self) {
        let drawn = self.scope.views();
        let mut ended = Vec::new();
        {
            let mut lines = self.advertised.lines();
            for (device, of) in lines.iter_mut() {
                for line in of {
                    let had = line.tracks.iter().flatten().count();
                    for place in 0..line.tracks.len() {
                        let gone = line.tracks[place]
                            .as_ref()
                            .is_some_and(|track| !drawn.iter().any(|view| view.id == track.id));
                        if gone {
                            line.tracks[place] = None;
                            // It does not come back by itself.
                            line.columns.retain(|column| column.column != place);
                        }
                    }
                    if had > 0 && line.tracks.iter().all(Option::is_none) {
                        ended.push((device.clone(), line.part));
                    }
                }
            }
        }
        for (device, part) in ended {
            self.end_advert(&device, part);
            self.forget_undrawn(&device);
        }
    }

    /// Payloads are read by the layouts that are chosen now; what is drawn of those that changed is drawn anew.
    pub(crate) fn take_over_advert_formats(self: &Arc<Self>) {
        let layouts = self.preference(|preferences| advert::layouts(&preferences.advert_formats));
        let changed = self.devices().set_layouts(layouts);
        let drawn: Vec<(DeviceId, Part)> = {
            let lines = self.advertised.lines();
            let of = |(device, of): (&DeviceId, &Vec<Line>)| {
                let parts = of.iter().map(|line| (device.clone(), line.part));
                parts.collect::<Vec<_>>()
            };
            lines.iter().flat_map(of).collect()
        };
        let mut anew: Vec<(DeviceId, Source)> = Vec::new();
        for (device, part) in drawn {
            if let Part::Said(source, _) = part
                && changed.contains(&source)
            {
                self.end_advert(&device, part);
                if !anew.contains(&(device.clone(), source)) {
                    anew.push((device, source));
                }
            }
        }
        for (device, source) in anew {
            // The table is free again before anything is drawn.
            let parts = self.devices().payload_parts(&device, source);
            for part in parts {
                // A part without numbers has nothing to draw; the page says why.
                let _ = self.begin_advert(&device, part);
            }
            self.forget_undrawn(&device);
        }
        self.tell_series();
        self.tell_devices();
    }
}

fn too_many() -> Problem {
    Problem::new(
        "too_many_series",
        format!("The scope draws {MAX_SERIES} series at most."),
        "Remove some that you do not need.",
    )
}

fn part(text: &str) -> Result<Part, Problem> {
    text.parse().map_err(|()| {
        let text = decode::clean::text(text, 64);
        Problem::new(
            "input",
            format!("{text} is no part of an advertisement."),
            "",
        )
    })
}

impl Explorer {
    /// What a device advertises; of `selected`, a part, the values that are remembered too.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the device is not in the table or there is no such part.
    pub fn advert(&self, device: &DeviceId, selected: Option<&str>) -> Result<AdvertView, Problem> {
        let inner = &self.0;
        let asked = selected.map(Into::into);
        let selected = selected.map(part).transpose()?;
        let plotted = inner
            .advertised
            .of(device)
            .iter()
            .map(Part::to_string)
            .collect();
        let view = inner
            .devices()
            .advert(device, selected, inner.now(), inner.wall)
            .ok_or_else(|| radio::Error::UnknownDevice {
                device: device.to_string(),
            })?;
        Ok(AdvertView {
            plotted,
            part: asked,
            ..view
        })
    }

    /// Draws the numbers of a part of what a device advertises, or stops: of `company:0499/ruuvi-5` and the like, or
    /// of `signal`.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there are no numbers in it.
    pub fn plot_advert(&self, device: &DeviceId, text: &str, on: bool) -> Result<(), Problem> {
        let part = part(text)?;
        self.0.end_advert(device, part);
        let done = if on {
            self.0.begin_advert(device, part)
        } else {
            Ok(())
        };
        self.0.forget_undrawn(device);
        self.0.tell_series();
        done
    }

    /// What a layout would make of the newest payload of the company or service of a part. Nothing changes.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is no such part. A layout that cannot be read is no failure: the preview says so.
    pub fn preview_advert_format(
        &self,
        device: &DeviceId,
        text: &str,
        layout: &str,
    ) -> Result<PreviewView, Problem> {
        let newest = match part(text)? {
            Part::Signal => None,
            Part::Said(source, beacon) => self.0.devices().newest(device, source, beacon),
        };
        Ok(crate::formats::preview(layout, newest.as_deref()))
    }

    /// Reads every payload of the company or service of a part by a layout, or, with none, as what it is known to be.
    ///
    /// # Errors
    ///
    /// A [`Problem`] with the place where the layout cannot be read; the last one stays.
    pub fn set_advert_format(&self, text: &str, layout: &str) -> Result<(), Problem> {
        let Part::Said(source @ (Source::Manufacturer(_) | Source::Service(_)), _) = part(text)?
        else {
            return Err(Problem::new(
                "input",
                "Only the data of a company or a service take a layout.",
                "",
            ));
        };
        let layout = match layout.trim() {
            "" => None,
            text => Some(crate::formats::layout(text)?),
        };
        let key = Key(source).to_string();
        self.0.prefer(|preferences| match &layout {
            Some(layout) => {
                preferences.advert_formats.insert(key, layout.to_string());
            }
            None => {
                preferences.advert_formats.remove(&key);
            }
        });
        self.0.take_over_advert_formats();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use radio::{Clock, CompanyId, Rssi};

    use super::*;
    use crate::view::Event;
    use crate::{Config, Preferences};

    /// The company whose tags speak in these tests.
    const COMPANY: u16 = 0xFFFF;
    const PART: &str = "company:ffff";

    /// A session in which reports are handed in by hand, as fast as it goes.
    struct Bench {
        explorer: Explorer,
        told: Arc<AtomicU64>,
        _folder: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let config = Config {
                backends: Vec::new(),
                session_folder: folder.path().join("sessions"),
                log_folder: folder.path().into(),
                preferences: Preferences::default(),
                clock: Clock::monotonic(),
            };
            let explorer = Explorer::start(config, tokio::runtime::Handle::current());
            let told = Arc::new(AtomicU64::new(0));
            let count = Arc::clone(&told);
            explorer.listen(move |event| {
                if matches!(event, Event::Series { .. }) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            Self {
                explorer,
                told,
                _folder: folder,
            }
        }

        fn inner(&self) -> &Arc<Inner> {
            &self.explorer.0
        }

        fn device() -> DeviceId {
            "tag".into()
        }

        /// The next report says its number; some after another have the same time.
        fn hear(&self, number: u32) {
            let now = self.inner().now().nanos();
            self.inner()
                .heard(report(Timestamp(now / 20_000 * 20_000), number));
        }
    }

    fn report(at: Timestamp, number: u32) -> Advertisement {
        let data = Bytes::copy_from_slice(&number.to_le_bytes());
        Advertisement {
            manufacturer_data: vec![(CompanyId(COMPANY), data)],
            rssi: Some(Rssi(-50)),
            ..Advertisement::new(Bench::device(), at)
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_report_is_recorded_before_anybody_looks_at_it() {
        let bench = Bench::new();
        let inner = Arc::clone(bench.inner());
        let at = inner.now();
        // Whoever looks at it has to wait.
        let table = inner.devices();
        let hearing = {
            let inner = Arc::clone(&inner);
            std::thread::spawn(move || inner.heard(report(at, 1)))
        };
        let recorder = inner.recorder().unwrap();
        let reported = || {
            recorder.flush().unwrap();
            let session = session::Session::open(recorder.path()).unwrap();
            !session.advertisements(i64::MAX, 1).unwrap().is_empty()
        };
        let mut waited = 0;
        while !reported() && waited < 500 {
            waited += 1;
            std::thread::sleep(Duration::from_millis(10));
        }
        let before = reported();
        drop(table);
        hearing.join().unwrap();
        assert!(before);
        bench.explorer.close().await;
    }

    impl Bench {
        /// Waits until nothing is read any more: before that, time does not pass. Gives the numbers of the only line.
        async fn drawn(&self) -> Vec<f64> {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let series = self.inner().scope.views();
            assert_eq!(series.len(), 1);
            let lines = self
                .inner()
                .scope
                .lines(&[series[0].id], 0.0, 1e6, 4_000_000);
            let (_, window, gaps) = lines.into_iter().next().unwrap();
            assert!(gaps.is_empty(), "{gaps:?}");
            window.ys
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_report_of_the_recording_is_drawn_once_while_others_come_and_layouts_change() {
        const ALL: u32 = 60_000;
        let bench = Arc::new(Bench::new());
        let (device, explorer) = (Bench::device(), bench.explorer.clone());
        explorer.set_advert_format(PART, "x:u32le").unwrap();
        (0..2_000).for_each(|number| bench.hear(number));
        explorer.plot_advert(&device, PART, true).unwrap();
        assert_eq!(bench.drawn().await.len(), 2_000);
        let hearing = {
            let bench = Arc::clone(&bench);
            tokio::task::spawn_blocking(move || (2_000..ALL).for_each(|number| bench.hear(number)))
        };
        for layout in ["x:u32le*5", "x:u32le*2"] {
            std::thread::sleep(Duration::from_millis(100));
            explorer.set_advert_format(PART, layout).unwrap();
        }
        std::thread::sleep(Duration::from_millis(300));
        explorer.set_advert_format(PART, "x:u32le*3").unwrap();
        hearing.await.unwrap();
        let expected: Vec<f64> = (0..ALL).map(|number| f64::from(number) * 3.0).collect();
        let drawn = bench.drawn().await;
        assert_eq!(drawn.len(), expected.len());
        assert!(drawn == expected, "one is drawn twice, or another for it");
        // All is there again, too, when nothing comes any more.
        explorer.set_advert_format(PART, "x:u32le").unwrap();
        assert_eq!(bench.drawn().await.len(), ALL as usize);
        explorer.close().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_keeps_what_is_remembered_of_what_is_drawn() {
        let bench = Bench::new();
        bench.explorer.set_advert_format(PART, "x:u32le").unwrap();
        let device = Bench::device();
        bench.hear(0);
        bench.explorer.plot_advert(&device, PART, true).unwrap();
        (1..5_000).for_each(|number| bench.hear(number));
        // Of the recording before, the new one has nothing.
        bench.explorer.new_recording().await.unwrap();
        bench.explorer.set_advert_format(PART, "x:u32le*2").unwrap();
        bench.hear(5_000);
        let drawn = bench.drawn().await;
        assert_eq!(drawn.len(), 5_001);
        assert!(drawn.windows(2).all(|two| two[1] == two[0] + 2.0));
        bench.explorer.close().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_column_for_which_there_is_no_room_is_told_of_once() {
        let bench = Bench::new();
        let notices = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&notices);
        bench.explorer.listen(move |event| {
            if matches!(event, Event::Notice(_)) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let columns: Vec<_> = (0..40).map(|number| format!("x{number}:u8")).collect();
        let device = Bench::device();
        for company in ["company:ffff", "company:fffe"] {
            let layout = columns.join(", ");
            bench.explorer.set_advert_format(company, &layout).unwrap();
            bench.explorer.plot_advert(&device, company, true).unwrap();
        }
        for _ in 0..3 {
            let mut report = report(bench.inner().now(), 0);
            report.manufacturer_data = [0xFFFF, 0xFFFE]
                .map(|company| (CompanyId(company), Bytes::from_static(&[1; 40])))
                .into();
            bench.inner().heard(report);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(bench.inner().scope.len(), MAX_SERIES);
        assert_eq!(notices.load(Ordering::Relaxed), 1);
        bench.explorer.close().await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_listens_hears_of_a_new_line_from_the_ticker_and_not_on_the_way_of_a_report() {
        let bench = Bench::new();
        bench.explorer.set_advert_format(PART, "x:u32le").unwrap();
        let device = Bench::device();
        bench.explorer.plot_advert(&device, PART, true).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = bench.told.load(Ordering::Relaxed);
        bench.hear(1);
        assert_eq!(bench.inner().scope.len(), 1);
        assert_eq!(bench.told.load(Ordering::Relaxed), before);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(bench.told.load(Ordering::Relaxed), before + 1);
        bench.explorer.close().await;
    }
}
