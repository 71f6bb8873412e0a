//! The scope: which numbers are drawn, and the frames that draw them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plot::{Cause, Gap, Series, Window};
use radio::Timestamp;
use tokio::sync::Notify;

use crate::frame::{self, SeriesHeader, Writer};
use crate::view::{PumpRequest, SeriesView, StatisticsView};

/// Colours before they come round again.
const COLOURS: u32 = 8;
/// The widest plot that is answered, in pixels: two 8K screens.
const MAX_PIXELS: u32 = 16_384;

/// One series as the attribute that feeds it holds it.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    /// The series that it feeds.
    pub(crate) id: u32,
    /// The column of the format.
    pub(crate) column: usize,
    data: Arc<Mutex<Series>>,
    news: Arc<Revision>,
}

/// Counts what could change a picture, and wakes whoever waits for it.
#[derive(Debug, Default)]
pub(crate) struct Revision {
    number: AtomicU64,
    changed: Notify,
}

impl Revision {
    fn step(&self) {
        self.number.fetch_add(1, Ordering::Release);
        self.changed.notify_waiters();
    }

    fn now(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }
}

impl Track {
    /// Adds a number. The lock is shared with the pump alone, which holds it for microseconds.
    pub(crate) fn push(&self, at: Timestamp, number: f64) {
        lock(&self.data).push(at.0, number);
        self.news.step();
    }

    /// A line of a column out of sight, of which there is none in sight yet.
    pub(crate) fn out_of_sight(column: usize) -> Self {
        Self {
            id: 0,
            column,
            data: Arc::default(),
            news: Arc::default(),
        }
    }

    /// The same line, empty and out of sight.
    pub(crate) fn draft(&self) -> Self {
        Self {
            data: Arc::default(),
            news: Arc::default(),
            ..*self
        }
    }

    /// Shows what was drawn out of sight in place of what was shown.
    pub(crate) fn take_over(&self, draft: Track) {
        std::mem::swap(&mut *lock(&self.data), &mut *lock(&draft.data));
        self.news.step();
    }

    /// Breaks the line: values are missing, or the link is down.
    pub(crate) fn gap(&self, from: Timestamp, to: Timestamp, cause: Cause, count: u32) {
        lock(&self.data).gap(Gap {
            from: from.0,
            to: to.0,
            cause,
            count: u64::from(count),
        });
        self.news.step();
    }
}

/// A series by its number: whole, and as a window of it is drawn.
type Drawn = (u32, Arc<Mutex<Series>>, Arc<Mutex<Series>>);

/// What is drawn.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    lanes: Mutex<Lanes>,
    news: Arc<Revision>,
}

#[derive(Debug, Default)]
struct Lanes {
    series: Vec<Shown>,
    next: u32,
}

#[derive(Debug)]
struct Shown {
    view: SeriesView,
    data: Arc<Mutex<Series>>,
    close: Option<Close>,
    /// A window of so many nanoseconds and more is not read again: it has too many values.
    too_long: i64,
}

/// A stretch of a recorded series that was read again, one by one.
#[derive(Debug)]
struct Close {
    from: i64,
    to: i64,
    data: Arc<Mutex<Series>>,
}

impl Shown {
    /// What is drawn of it for a window.
    fn data(&self, from: i64, to: i64) -> Arc<Mutex<Series>> {
        match &self.close {
            Some(close)
                if close.from <= from
                    && close.to >= to
                    && from < lock(&self.data).one_by_one_since() =>
            {
                Arc::clone(&close.data)
            }
            _ => Arc::clone(&self.data),
        }
    }
}

/// What the attribute of a series begins with whose numbers are advertised, and need no link.
pub(crate) const ADVERTISED: &str = "advert/";

/// Whose numbers they are.
pub(crate) struct Owner<'a> {
    pub(crate) device: &'a str,
    pub(crate) device_name: &'a str,
    pub(crate) attribute: &'a str,
    pub(crate) attribute_name: &'a str,
}

impl Scope {
    /// Draws every numeric column of `columns`. Counters and device clocks start hidden when there is
    /// anything else to see; of a standard format, which nobody has picked fields of, only the first
    /// starts shown.
    pub(crate) fn add(
        &self,
        owner: &Owner<'_>,
        columns: &[decode::Series],
        standard: bool,
    ) -> Vec<Track> {
        let mut lanes = self.lanes();
        let plain = columns.iter().any(|column| column.role.is_none());
        let first = columns
            .iter()
            .find(|column| column.role.is_none())
            .map(|column| column.column);
        columns
            .iter()
            .map(|column| {
                let id = lanes.next;
                lanes.next += 1;
                let visible = if standard && plain {
                    Some(column.column) == first
                } else {
                    column.role.is_none() || !plain
                };
                // The smallest colour that is not worn, so that colours stay apart.
                let worn: Vec<u32> = lanes
                    .series
                    .iter()
                    .filter(|shown| shown.view.visible)
                    .map(|shown| {
                        u32::from(shown.view.colour) - 1 + COLOURS * u32::from(shown.view.dashed)
                    })
                    .collect();
                let turn = (0..2 * COLOURS)
                    .find(|turn| !worn.contains(turn))
                    .unwrap_or(id % COLOURS);
                let unit = column.unit.clone().unwrap_or_default();
                let data = Arc::new(Mutex::new(Series::default()));
                lanes.series.push(Shown {
                    view: SeriesView {
                        id,
                        device: owner.device.into(),
                        device_name: owner.device_name.into(),
                        attribute: owner.attribute.into(),
                        lane: format!("{}/{}/{unit}", owner.device, owner.attribute),
                        lane_name: owner.attribute_name.into(),
                        name: column.name.clone(),
                        unit,
                        colour: u8::try_from(turn % COLOURS).unwrap_or(0) + 1,
                        dashed: turn >= COLOURS,
                        visible,
                        live: true,
                    },
                    data: Arc::clone(&data),
                    close: None,
                    too_long: i64::MAX,
                });
                Track {
                    id,
                    column: column.column,
                    data,
                    news: Arc::clone(&self.news),
                }
            })
            .collect()
    }

    /// Names what an attribute gave anew: the device told its own name for it.
    pub(crate) fn rename(&self, device: &str, attribute: &str, name: &str) {
        for shown in self
            .lanes()
            .series
            .iter_mut()
            .filter(|shown| shown.view.device == device && shown.view.attribute == attribute)
        {
            shown.view.lane_name = name.into();
        }
    }

    /// Stops drawing what an attribute gave.
    pub(crate) fn remove(&self, device: &str, attribute: &str) {
        self.lanes()
            .series
            .retain(|shown| shown.view.device != device || shown.view.attribute != attribute);
        self.news.step();
    }

    /// Stops drawing one series. Says whose it was.
    pub(crate) fn remove_series(&self, id: u32) {
        self.lanes().series.retain(|shown| shown.view.id != id);
        self.news.step();
    }

    /// Stops drawing anything.
    pub(crate) fn clear(&self) {
        self.lanes().series.clear();
        self.news.step();
    }

    /// Shows or hides a series; what comes meanwhile is kept.
    pub(crate) fn set_visible(&self, id: u32, visible: bool) {
        if let Some(shown) = self
            .lanes()
            .series
            .iter_mut()
            .find(|shown| shown.view.id == id)
        {
            shown.view.visible = visible;
        }
        self.news.step();
    }

    /// Says whether values of a device can still come.
    pub(crate) fn set_live(&self, device: &str, live: bool) {
        for shown in self
            .lanes()
            .series
            .iter_mut()
            .filter(|shown| shown.view.device == device)
            .filter(|shown| !shown.view.attribute.starts_with(ADVERTISED))
        {
            shown.view.live = live;
        }
    }

    /// Every series.
    pub(crate) fn views(&self) -> Vec<SeriesView> {
        self.lanes()
            .series
            .iter()
            .map(|shown| shown.view.clone())
            .collect()
    }

    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.lanes().series.len()
    }

    /// The frame that `request` asks for, as soon as there is anything new in it, or when its
    /// patience ends.
    pub(crate) async fn pump(&self, request: &PumpRequest, now: impl Fn() -> Timestamp) -> Vec<u8> {
        let patience = std::time::Duration::from_millis(u64::from(request.patience_ms.min(5_000)));
        let changed = self.news.changed.notified();
        if self.news.now() == request.seen {
            // A frame is due either way: a picture that follows the time moves without values.
            let _ = tokio::time::timeout(patience, changed).await;
        }
        self.frame(request, now())
    }

    fn frame(&self, request: &PumpRequest, now: Timestamp) -> Vec<u8> {
        // Read before the data: what comes meanwhile is drawn now and once more.
        let revision = self.news.now();
        let (from, to) = range(request, now);
        let now = now.seconds();
        let mut writer = Writer::new(revision, now, from, to);
        let mut window = Window::default();
        let (mut xs, mut seen, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
        let wanted = self.data(&request.series, nanos(from), nanos(to));
        for (id, whole, data) in wanted {
            let (last, samples, lost) = {
                let whole = lock(&whole);
                (whole.last(), whole.len(), whole.lost())
            };
            let series = lock(&data);
            let pixels = usize::try_from(request.pixels.clamp(1, MAX_PIXELS)).unwrap_or(1);
            series.window(nanos(from), nanos(to), pixels, &mut window);
            xs.clear();
            xs.extend(window.xs.iter().map(|x| seconds(*x)));
            gaps.clear();
            series.gaps_seen(nanos(from), nanos(to), pixels, &mut seen);
            gaps.extend(seen.iter().map(|gap| frame::Gap {
                from: seconds(gap.from),
                to: seconds(gap.to),
                count: u32::try_from(gap.count).unwrap_or(u32::MAX),
                cause: match gap.cause {
                    Cause::DeviceSequence => 1,
                    Cause::HostQueue => 2,
                    Cause::Gattscope => 3,
                    Cause::LinkDown => 4,
                },
            }));
            let header = SeriesHeader {
                id,
                last: last.map(|(at, value)| (seconds(at), value)),
                samples,
                lost,
            };
            drop(series);
            writer.series(header, &xs, &window.ys, &gaps);
        }
        writer.finish()
    }

    /// Numbers of some series over a range of seconds.
    pub(crate) fn statistics(&self, series: &[u32], from: f64, to: f64) -> Vec<StatisticsView> {
        self.data(series, nanos(from), nanos(to))
            .into_iter()
            .map(|(id, _, data)| {
                let numbers = lock(&data).statistics(nanos(from), nanos(to));
                StatisticsView {
                    series: id,
                    count: numbers.count,
                    min: numbers.min,
                    mean: numbers.mean,
                    max: numbers.max,
                    rate: numbers.rate,
                    lost: numbers.lost,
                }
            })
            .collect()
    }

    /// The values of some series at a moment: each the last sample not after it.
    pub(crate) fn values_at(&self, series: &[u32], at: f64) -> Vec<Option<f64>> {
        self.data(series, nanos(at), nanos(at))
            .into_iter()
            .map(|(_, _, data)| lock(&data).value_at(nanos(at)))
            .collect()
    }

    /// Lines for a picture, each with whose it is.
    pub(crate) fn lines(
        &self,
        series: &[u32],
        from: f64,
        to: f64,
        pixels: usize,
    ) -> Vec<(SeriesView, Window, Vec<Gap>)> {
        let wanted: Vec<_> = self
            .lanes()
            .series
            .iter()
            .filter(|shown| series.contains(&shown.view.id))
            .map(|shown| (shown.view.clone(), shown.data(nanos(from), nanos(to))))
            .collect();
        wanted
            .into_iter()
            .map(|(view, data)| {
                let series = lock(&data);
                let mut window = Window::default();
                series.window(nanos(from), nanos(to), pixels, &mut window);
                let gaps = series.gaps(nanos(from), nanos(to)).collect();
                (view, window, gaps)
            })
            .collect()
    }

    /// For each device and attribute of these series of which the window shows less time than is
    /// remembered one by one, and that was not read again.
    pub(crate) fn coarse(
        &self,
        series: &[u32],
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<(String, String)> {
        let (from, to) = (from.nanos(), to.nanos());
        let mut coarse = Vec::new();
        for shown in &self.lanes().series {
            let read = |close: &Close| close.from <= from && close.to >= to;
            if series.contains(&shown.view.id)
                && to.saturating_sub(from) < shown.too_long
                && from < lock(&shown.data).one_by_one_since()
                && !shown.close.as_ref().is_some_and(read)
            {
                let place = (shown.view.device.clone(), shown.view.attribute.clone());
                if !coarse.contains(&place) {
                    coarse.push(place);
                }
            }
        }
        coarse
    }

    /// Says that windows of a series are not read again from `nanoseconds` on; 0 is none at all.
    pub(crate) fn set_too_long(&self, id: u32, nanoseconds: i64) {
        let mut lanes = self.lanes();
        if let Some(shown) = lanes.series.iter_mut().find(|shown| shown.view.id == id) {
            shown.too_long = nanoseconds;
        }
    }

    /// What was read again of a series is of no use any more.
    pub(crate) fn forget_close(&self, id: u32) {
        let mut lanes = self.lanes();
        if let Some(shown) = lanes.series.iter_mut().find(|shown| shown.view.id == id) {
            (shown.close, shown.too_long) = (None, i64::MAX);
        }
    }

    /// Takes a stretch of a series that was read again.
    pub(crate) fn set_close(&self, id: u32, from: i64, to: i64, draft: Track) {
        let close = Close {
            from,
            to,
            data: draft.data,
        };
        let mut lanes = self.lanes();
        if let Some(shown) = lanes.series.iter_mut().find(|shown| shown.view.id == id) {
            shown.close = Some(close);
        }
        drop(lanes);
        self.news.step();
    }

    /// Of each series, whole and as a window of it is drawn.
    fn data(&self, series: &[u32], from: i64, to: i64) -> Vec<Drawn> {
        let lanes = self.lanes();
        // Each once, whatever the page asks for.
        lanes
            .series
            .iter()
            .filter(|shown| series.contains(&shown.view.id))
            .map(|shown| (shown.view.id, Arc::clone(&shown.data), shown.data(from, to)))
            .collect()
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        lock(&self.lanes)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a request shows, in seconds: as much time as it asks for, up to now unless it says from when.
fn range(request: &PumpRequest, now: Timestamp) -> (f64, f64) {
    let span = if request.span.is_finite() {
        request.span.clamp(1e-6, 1e7)
    } else {
        10.0
    };
    let from = request.from.filter(|from| from.is_finite());
    let from = from.unwrap_or(now.seconds() - span);
    (from, from + span)
}

/// The same in stamps.
pub(crate) fn window(request: &PumpRequest, now: Timestamp) -> (Timestamp, Timestamp) {
    let (from, to) = range(request, now);
    (Timestamp(nanos(from)), Timestamp(nanos(to)))
}

/// Seconds to nanoseconds; what does not fit is cut at the ends of time.
fn nanos(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}

fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(column: usize, name: &str, role: Option<decode::Role>) -> decode::Series {
        decode::Series {
            column,
            name: name.into(),
            unit: None,
            role,
            repeats: false,
        }
    }

    fn owner() -> Owner<'static> {
        Owner {
            device: "d",
            device_name: "D",
            attribute: "a",
            attribute_name: "A",
        }
    }

    fn request(series: Vec<u32>, seen: u64) -> PumpRequest {
        PumpRequest {
            series,
            from: Some(0.0),
            span: 1.0,
            pixels: 100,
            seen,
            patience_ms: 50,
        }
    }

    #[test]
    fn a_counter_is_kept_but_hidden_beside_a_value() {
        let scope = Scope::default();
        scope.add(
            &owner(),
            &[
                column(0, "seq", Some(decode::Role::Count)),
                column(1, "x", None),
            ],
            false,
        );
        let visible: Vec<_> = scope.views().iter().map(|view| view.visible).collect();
        assert_eq!(visible, [false, true]);
        assert_eq!(scope.views()[1].colour, 1);
    }

    #[test]
    fn a_name_that_the_device_told_late_reaches_its_lane_alone() {
        let scope = Scope::default();
        scope.add(&owner(), &[column(0, "x", None)], false);
        scope.rename("d", "a", "Acceleration");
        scope.rename("d", "other", "Not this");
        assert_eq!(scope.views()[0].lane_name, "Acceleration");
    }

    #[test]
    fn the_ninth_series_wears_the_first_colour_dashed() {
        let scope = Scope::default();
        let columns: Vec<_> = (0..9).map(|index| column(index, "x", None)).collect();
        scope.add(&owner(), &columns, false);
        let last = &scope.views()[8];
        assert_eq!((last.colour, last.dashed), (1, true));
    }

    #[tokio::test(start_paused = true)]
    async fn the_pump_answers_at_once_when_there_is_news_and_after_its_patience_when_not() {
        let scope = Scope::default();
        let tracks = scope.add(&owner(), &[column(0, "x", None)], false);
        tracks[0].push(Timestamp(500_000_000), 4.0);
        let now = || Timestamp(900_000_000);
        let started = tokio::time::Instant::now();
        let frame = scope.pump(&request(vec![0], 0), now).await;
        assert_eq!(started.elapsed().as_millis(), 0);
        assert_eq!(
            u32::from_le_bytes(frame[52..56].try_into().unwrap()),
            1,
            "one point"
        );
        let revision = u64::from_le_bytes(frame[8..16].try_into().unwrap());
        scope.pump(&request(vec![0], revision), now).await;
        assert_eq!(started.elapsed().as_millis(), 50);
    }

    #[tokio::test]
    async fn hostile_requests_are_answered_with_something_harmless() {
        let scope = Scope::default();
        scope.add(&owner(), &[column(0, "x", None)], false);
        for (from, span, pixels) in [
            (Some(f64::NAN), f64::INFINITY, u32::MAX),
            (Some(-1e300), -5.0, 0),
            (None, f64::NAN, 1),
        ] {
            let request = PumpRequest {
                series: vec![0, 0, 77],
                from,
                span,
                pixels,
                seen: 0,
                patience_ms: 0,
            };
            let frame = scope.pump(&request, || Timestamp(0)).await;
            assert_eq!(&frame[..4], b"GSSF");
        }
    }
}
