//! Lines of what devices advertise: numbers of a payload, and how strong a device is heard.
//!
//! An advertisement is sent many times and heard by chance, so each is drawn when it arrived, none is missed, and a
//! counter in it is a number like any other. Only what is drawn is decoded. What comes first is drawn from memory; of a
//! session that is open, from the file.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use decode::advertisement::{Beacon, Source};
use decode::{Format, Series};
use radio::{Advertisement, DeviceId, Timestamp};

use crate::advert::{self, Key, Part};
use crate::explorer::{Explorer, Inner};
use crate::gatt::MAX_SERIES;
use crate::scope::{Owner, Track};
use crate::view::{AdvertView, PreviewView, Problem};

/// The line of a device that was not heard for so long is broken.
const SILENCE: Duration = Duration::from_secs(60);
/// How often the window hears of lines that were found in a file.
const PACE: Duration = Duration::from_millis(250);

/// What is drawn of devices' advertisements.
#[derive(Debug, Default)]
pub(crate) struct Adverts {
    lines: Mutex<HashMap<DeviceId, Vec<Line>>>,
    /// Whether there are any: without, an advertisement costs nothing here.
    any: AtomicBool,
    drawings: AtomicU64,
    /// A column came for the first time, and the window has not heard of it.
    new: AtomicBool,
}

/// The numbers of one part of what a device advertises.
#[derive(Debug)]
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

    /// Draws a report, of which what came before is drawn already. Says whether a column came for the first time.
    fn report(&mut self, report: &Advertisement, add: &mut Add<'_>) -> bool {
        if self.last.is_some_and(|last| last >= report.at) {
            return false;
        }
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
        self.any.store(!lines.is_empty(), Ordering::Release);
    }
}

impl Inner {
    /// Draws a report, if anything of its device is drawn. This is on the way of every advertisement.
    pub(crate) fn draw_advert(&self, report: &Advertisement) {
        if !self.advertised.any.load(Ordering::Acquire) {
            return;
        }
        let new = {
            let mut lines = self.advertised.lines();
            let Some(of) = lines.get_mut(&report.device) else {
                return;
            };
            let mut add = self.adding(&report.device);
            let mut new = false;
            for line in of {
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
    }

    /// How a column of a device becomes a series.
    fn adding(&self, device: &DeviceId) -> impl FnMut(&str, Part, &Series, bool) -> Option<Track> {
        move |name, part, series, show| {
            if self.scope.len() >= MAX_SERIES {
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
            return Err(Problem::new(
                "too_many_series",
                format!("The scope draws {MAX_SERIES} series at most."),
                "Remove some that you do not need.",
            ));
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
        let mut line = Line::new(part, format, drawing);
        {
            // What is heard meanwhile waits, and is told apart from what is remembered by its time.
            let mut lines = self.advertised.lines();
            if self.source.is_none() {
                let mut add = self.adding(device);
                let remembered = self.devices().remember(device, part);
                for (at, source, data) in &remembered.payloads {
                    if line.takes(*source, data) {
                        line.payload(*at, data, &mut add);
                    }
                }
                for (at, rssi) in &remembered.signal {
                    line.numbers(*at, |push| push(0, f64::from(rssi.0)), &mut add);
                }
            }
            lines.entry(device.clone()).or_default().push(line);
            self.advertised.any.store(true, Ordering::Release);
        }
        if self.source.is_some() {
            self.draw_recorded_advert(device.clone(), part, drawing);
        }
        Ok(())
    }

    fn end_advert(&self, device: &DeviceId, part: Part) {
        self.advertised.remove(device, part);
        self.scope.remove(device.as_str(), &attribute(part));
        if self.advertised.of(device).is_empty() {
            self.devices().forget_drawn(device);
        }
    }

    /// Draws all that a session has of a part.
    fn draw_recorded_advert(self: &Arc<Self>, device: DeviceId, part: Part, drawing: u64) {
        let inner = Arc::clone(self);
        self.runtime.spawn_blocking(move || {
            if let Err(problem) = inner.read_adverts(&device, part, drawing) {
                let title = format!("Advertisements of {device} are not drawn to their end");
                inner.notice("warn", title, problem, None, "");
            }
        });
    }

    fn read_adverts(&self, device: &DeviceId, part: Part, drawing: u64) -> Result<(), Problem> {
        let Some(source) = &self.source else {
            return Ok(());
        };
        let mut told = Instant::now();
        let mut new = false;
        source.again()?.advertisements_of(device, |report| {
            let mut add = self.adding(device);
            let mut lines = self.advertised.lines();
            let line = lines.get_mut(device).and_then(|of| {
                of.iter_mut()
                    .find(|line| line.part == part && line.drawing == drawing)
            });
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
        }
        self.tell_series();
        self.tell_devices();
    }
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
        Ok(AdvertView { plotted, ..view })
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

        /// The next report says its number.
        fn hear(&self, number: u32) {
            self.inner().heard(report(self.inner().now(), number));
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

    #[tokio::test(start_paused = true)]
    async fn who_listens_hears_of_a_new_line_from_the_ticker_and_not_on_the_way_of_a_report() {
        let bench = Bench::new();
        bench.explorer.set_advert_format(PART, "x:u32le").unwrap();
        let device = Bench::device();
        bench.explorer.plot_advert(&device, PART, true).unwrap();
        let before = bench.told.load(Ordering::Relaxed);
        bench.hear(1);
        assert_eq!(bench.inner().scope.len(), 1);
        assert_eq!(bench.told.load(Ordering::Relaxed), before);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(bench.told.load(Ordering::Relaxed), before + 1);
        bench.explorer.close().await;
    }
}
