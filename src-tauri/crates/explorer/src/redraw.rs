//! The lines of what is on the air, drawn anew: with another format, by another time, or for the first
//! time.
//!
//! What is remembered is drawn at once, so that there is a line to see. If that is not all, the recording
//! is read from its beginning in the background, one attribute after the other; then what came meanwhile is
//! drawn behind it, from the recording as long as that is too much to be remembered and at last from what
//! is remembered, and the whole line takes the place of the first one. So each value is drawn once: which
//! of the file's were drawn is known by their times and, among equal times, by their number. Where another
//! recording begins meanwhile, the last one is read to its end and the new one behind it.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use radio::Timestamp;
use session::{Recorder, Session, SessionTime};

use crate::attribute::{Attribute, Entry, Origin, Reached};
use crate::explorer::{Inner, Recording};
use crate::export::settle;
use crate::pencil::{Pencil, So};
use crate::view::Problem;

/// How often the window hears how much was read, and whether it is still wanted is asked.
const PACE: Duration = Duration::from_millis(100);
/// How long a value may be on its way from its stamp to being remembered, nanoseconds.
const ON_THE_WAY: i64 = 1_000_000_000;
/// Values that are drawn while the radio's task waits. More are drawn without it, and then what came
/// meanwhile.
const AT_ONCE: usize = 64;

/// The attributes that wait for being read again, and whether somebody reads.
#[derive(Debug, Default)]
pub(crate) struct Redraws(Mutex<(VecDeque<Arc<Attribute>>, bool)>);

impl Redraws {
    /// Adds one. Says whether somebody has to begin to read.
    fn add(&self, attribute: &Arc<Attribute>) -> bool {
        let mut redraws = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (waiting, reading) = &mut *redraws;
        if !waiting.iter().any(|other| Arc::ptr_eq(other, attribute)) {
            waiting.push_back(Arc::clone(attribute));
        }
        !std::mem::replace(reading, true)
    }

    /// The next one; without one, nobody reads any more.
    fn next(&self) -> Option<Arc<Attribute>> {
        let mut redraws = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = redraws.0.pop_front();
        redraws.1 = next.is_some();
        next
    }
}

impl Inner {
    /// Draws an attribute anew, whose tracks are fresh: see above.
    pub(crate) fn draw_all(self: &Arc<Self>, attribute: &Arc<Attribute>) {
        let so = {
            let mut memory = attribute.memory();
            memory.reread = None;
            memory.unwritten = false;
            match So::of_memory(&memory) {
                Some(so) if !so.tracks.is_empty() => so,
                _ => return,
            }
        };
        let from = loop {
            let from = attribute.memory().forgotten();
            let pencil = Pencil::new(&so, Vec::new(), 0);
            match joined(pencil, attribute, &so, from, &|| true) {
                Joined::Shown => break from,
                Joined::Unwanted => return,
                // More came than is remembered.
                Joined::Behind(..) => {}
            }
        };
        if from.kept() == 0 || matches!(&*self.recording(), Recording::Off(_)) {
            return;
        }
        {
            let mut memory = attribute.memory();
            if memory.drawing != so.drawing {
                return;
            }
            memory.reread = Some(0.0);
            memory.touch();
        }
        if self.redraws.add(attribute) {
            let inner = Arc::clone(self);
            self.runtime.spawn_blocking(move || {
                while let Some(attribute) = inner.redraws.next() {
                    inner.read_again(&attribute);
                }
            });
        }
    }

    /// Draws anew what was drawn while the disk took nothing, now that it does.
    pub(crate) fn draw_written(self: &Arc<Self>) {
        match &*self.recording() {
            Recording::On(recorder) if recorder.status().state == session::State::Recording => {}
            _ => return,
        }
        for connection in self.connections() {
            for attribute in connection.attributes().iter() {
                if attribute.memory().unwritten {
                    self.draw_all(attribute);
                }
            }
        }
    }

    fn read_again(&self, attribute: &Attribute) {
        let so = {
            let memory = attribute.memory();
            // Nobody wants it any more, or it was read already.
            if memory.reread.is_none() {
                return;
            }
            So::of_memory(&memory)
        };
        let Some(so) = so else { return };
        let drawn = drawn(self, attribute, &so);
        {
            let mut memory = attribute.memory();
            // After another change, somebody else reads.
            if memory.drawing != so.drawing {
                return;
            }
            memory.reread = None;
            memory.unwritten = drawn == Ok(Written::InPart);
            memory.touch();
        }
        self.tell_values(false);
        if let Err(problem) = drawn {
            let title = format!("{} is not drawn from its beginning", attribute.name());
            self.notice("warn", title, problem, None, "");
        }
    }
}

/// How what is remembered was drawn behind what was drawn before.
enum Joined<'a> {
    Shown,
    /// Somebody wants it drawn otherwise.
    Unwanted,
    /// So far it was drawn; what follows is not all remembered, or not to be drawn from here.
    Behind(Box<Pencil<'a>>, Reached),
}

/// Draws what came after `drawn`, from what is remembered, and shows the line. Only the last of it is
/// drawn while the radio's task waits, and only if it `may` be shown then.
fn joined<'a>(
    mut pencil: Pencil<'a>,
    attribute: &Attribute,
    so: &So,
    mut drawn: Reached,
    may: &dyn Fn() -> bool,
) -> Joined<'a> {
    loop {
        let mut memory = attribute.memory();
        if memory.drawing != so.drawing {
            return Joined::Unwanted;
        }
        if !may() {
            return Joined::Behind(Box::new(pencil), drawn);
        }
        let Some(new) = memory.since(drawn) else {
            return Joined::Behind(Box::new(pencil), drawn);
        };
        let new: Vec<Entry> = new.cloned().collect();
        let outages: Vec<_> = memory.outages_since(pencil.previous()).collect();
        let last = new.len() <= AT_ONCE;
        if last {
            draw(&mut pencil, &new, outages);
            pencil.show_in(&mut memory, so);
            return Joined::Shown;
        }
        drawn = memory.reached();
        drop(memory);
        draw(&mut pencil, &new, outages);
    }
}

fn draw(pencil: &mut Pencil<'_>, entries: &[Entry], outages: Vec<(Timestamp, Timestamp)>) {
    let mut outages = outages.into_iter().peekable();
    for entry in entries {
        pencil.draw_remembered(entry, &mut outages);
    }
}

/// Whether all that was drawn is in the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Whole,
    /// Some of it waits for the disk.
    InPart,
}

/// A recording that is read.
struct File {
    recorder: Arc<Recorder>,
    session: Option<Session>,
    /// What the recordings before it have.
    before: Reached,
}

impl File {
    fn start(&self) -> i64 {
        -self.recorder.session_time(Timestamp(0)).nanos()
    }

    /// Whether values still come to it.
    fn is_open(&self, inner: &Inner) -> bool {
        matches!(&*inner.recording(), Recording::On(now) if Arc::ptr_eq(now, &self.recorder))
    }
}

/// Draws all of it from the recording, unless somebody changes meanwhile how.
fn drawn(inner: &Inner, attribute: &Attribute, so: &So) -> Result<Written, Problem> {
    let mut file = File {
        recorder: inner.recorder()?,
        session: None,
        before: Reached::default(),
    };
    let mut pencil = Pencil::new(so, Vec::new(), file.start());
    let (remembered, outages, mut until) = {
        let memory = attribute.memory();
        let entries: Vec<Entry> = memory.entries().cloned().collect();
        let outages: Vec<_> = memory.outages_since(None).collect();
        (entries, outages, memory.reached())
    };
    let mut earlier = Some((remembered, outages));
    let mut since = Reached::default();
    let mut told = Instant::now();
    loop {
        // What has ended is read to its end, whatever was remembered then.
        let ended = !file.is_open(inner);
        let (waiting, start) = (settle(&file.recorder)?, file.start());
        let session = match &mut file.session {
            Some(session) => session,
            none => none.insert(Session::open(file.recorder.path())?),
        };
        // Another recording may have begun: of what came before it, what is remembered is left.
        if let Some((mut remembered, outages)) = earlier.take() {
            let before = match first(session, attribute, start)? {
                Some((at, many)) => {
                    let up_to = remembered.partition_point(|one| one.at <= at);
                    let same = remembered[..up_to].iter().rev();
                    let same = same.take_while(|one| one.at == at).count();
                    up_to - many.min(same)
                }
                None if waiting > 0 => remembered.partition_point(|one| one.at.nanos() < start),
                None => remembered.len(),
            };
            remembered.truncate(before);
            draw(&mut pencil, &remembered, outages);
        }
        pencil.set_gaps(session.gaps(&session.generations(attribute.id)?)?);
        let all = until.kept().saturating_sub(since.kept()).max(1);
        let (mut walked, mut drawn) = (file.before, since);
        let from = since.since().map_or(i64::MIN, |at| {
            (at.nanos() - start).saturating_sub(ON_THE_WAY)
        });
        let (mut read, mut given_up) = (0_u64, false);
        session.values_between(attribute.id, SessionTime(from).., usize::MAX, |value| {
            let at = pencil.at(value.at);
            if let Some(origin) = Origin::recorded(value.kind) {
                let bound = if ended { Reached::ALL } else { until };
                if walked.passes(since, bound, at, origin) {
                    pencil.draw_recorded(&value);
                    drawn = walked;
                }
            }
            read += 1;
            if read.is_multiple_of(256) && told.elapsed() >= PACE {
                told = Instant::now();
                let mut memory = attribute.memory();
                given_up = inner.closing.is_cancelled() || memory.drawing != so.drawing;
                if given_up {
                    return ControlFlow::Break(());
                }
                memory.reread = Some((read as f64 / all as f64).min(1.0));
                memory.touch();
            }
            ControlFlow::Continue(())
        })?;
        if given_up {
            return Ok(Written::Whole);
        }
        if waiting > 0 {
            behind_the_disk(pencil, attribute, so, drawn);
            return Ok(Written::InPart);
        }
        if ended {
            file = File {
                recorder: inner.recorder()?,
                session: None,
                before: walked,
            };
            pencil.set_start(file.start());
            since = walked;
            until = attribute.memory().reached();
            continue;
        }
        match joined(pencil, attribute, so, until, &|| file.is_open(inner)) {
            Joined::Shown | Joined::Unwanted => return Ok(Written::Whole),
            // More came while this was read than is remembered, or another recording has begun.
            Joined::Behind(so_far, reached) => {
                pencil = *so_far;
                (since, until) = (reached, attribute.memory().reached());
            }
        }
    }
}

/// When the first value of an attribute came that a recording has, and how many at that time.
fn first(
    session: &Session,
    attribute: &Attribute,
    start: i64,
) -> Result<Option<(Timestamp, usize)>, Problem> {
    let mut first = None;
    session.values_between(attribute.id, .., usize::MAX, |value| {
        let at = Timestamp(value.at.nanos().saturating_add(start));
        let (time, many) = first.get_or_insert((at, 0));
        if *time != at {
            return ControlFlow::Break(());
        }
        *many += 1;
        ControlFlow::Continue(())
    })?;
    Ok(first)
}

/// The disk takes nothing: what is remembered is drawn behind what is in the file. What is in neither is a
/// gap until it is written.
fn behind_the_disk(mut pencil: Pencil<'_>, attribute: &Attribute, so: &So, file: Reached) {
    let (new, outages, reached) = {
        let memory = attribute.memory();
        let mut seen = Reached::default();
        let forgotten = memory.forgotten().kept() > 0;
        let mut new: Vec<Entry> = Vec::new();
        let (mut first, mut apart) = (true, false);
        for entry in memory.entries() {
            if seen.passes(file, Reached::ALL, entry.at, entry.origin) {
                // The oldest that is remembered is no neighbour of what the file has.
                apart |= first && forgotten;
                new.push(entry.clone());
            }
            first = false;
        }
        if let (true, Some(from), Some(first)) = (apart, pencil.previous(), new.first()) {
            pencil.gap(from, first.at, plot::Cause::Gattscope, 0);
        }
        let outages: Vec<_> = memory.outages_since(pencil.previous()).collect();
        (new, outages, memory.reached())
    };
    draw(&mut pencil, &new, outages);
    // Values that come faster than this draws stay out of the line until it is drawn anew.
    let _ = joined(pencil, attribute, so, reached, &|| true);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use bytes::Bytes;
    use radio::simulated::{Lab, Simulated, VirtualDevice, uuids};
    use radio::{Clock, Sample, SampleKind};

    use super::*;
    use crate::connection::Connection;
    use crate::{Config, Explorer, Preferences};

    /// How long anything may take.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A session in which values are handed in by hand, as fast as it goes.
    struct Bench {
        explorer: Explorer,
        connection: Arc<Connection>,
        stream: Arc<Attribute>,
        _folder: tempfile::TempDir,
    }

    impl Bench {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let clock = Clock::monotonic();
            let lab = Arc::new(Simulated::with_lab(clock.clone(), 7, Lab::contract()));
            let config = Config {
                backends: vec![Arc::clone(&lab) as Arc<dyn radio::Backend>],
                session_folder: folder.path().join("sessions"),
                log_folder: folder.path().into(),
                preferences: Preferences::default(),
                clock,
            };
            let explorer = Explorer::start(config, tokio::runtime::Handle::current());
            explorer.look_again().await.unwrap();
            let device = lab.device(VirtualDevice::VirtualHr).unwrap();
            explorer.connect(device.clone()).await.unwrap();
            let connection = explorer.0.connections().remove(0);
            let attributes = connection.attributes();
            let stream = attributes.iter().find(|a| a.uuid == uuids::STREAM);
            Self {
                stream: Arc::clone(stream.unwrap()),
                connection,
                explorer,
                _folder: folder,
            }
        }

        fn set_format(&self, format: &str) {
            let stream = self.stream.id.to_u64();
            self.explorer.set_format(stream, format).unwrap();
        }

        /// The next value says its number; some after another have the same time.
        fn push(&self, number: u32) {
            let inner = &self.explorer.0;
            let sample = Sample {
                attribute: self.stream.id,
                at: Timestamp(inner.now().nanos() / 10_000 * 10_000),
                lost_before: 0,
                kind: SampleKind::Notification,
                bytes: Bytes::copy_from_slice(&number.to_le_bytes()),
            };
            inner.arrived(&self.connection, &self.stream, &sample);
        }

        /// The numbers that are drawn, once nothing is read any more, and the gaps between them.
        async fn drawn_with_gaps(&self) -> (Vec<f64>, Vec<plot::Gap>) {
            let read = async {
                while self.stream.memory().reread.is_some() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(PATIENCE, read)
                .await
                .expect("the recording is read in time");
            let id = self.stream.memory().tracks[0].id;
            let lines = self.explorer.0.scope.lines(&[id], 0.0, 1e6, 4_000_000);
            let (_, window, gaps) = lines.into_iter().next().unwrap();
            (window.ys, gaps)
        }

        async fn drawn(&self) -> Vec<f64> {
            let (drawn, gaps) = self.drawn_with_gaps().await;
            assert!(gaps.is_empty(), "{gaps:?}");
            drawn
        }

        fn plot(&self, on: bool) {
            self.explorer.0.plot(self.stream.id, on).unwrap();
        }

        fn reread(&self) -> Option<f64> {
            self.stream.memory().reread
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn another_format_draws_every_value_of_the_recording_once_while_new_ones_come() {
        const ALL: u32 = 200_000;
        let bench = Arc::new(Bench::new().await);
        bench.set_format("x:u32le");
        let inner = &bench.explorer.0;
        inner.plot(bench.stream.id, true).unwrap();
        let pushed = Arc::new(AtomicU32::new(0));
        let pushing = {
            let (bench, pushed) = (Arc::clone(&bench), Arc::clone(&pushed));
            std::thread::spawn(move || {
                for number in 0..ALL {
                    bench.push(number);
                    pushed.store(number + 1, Ordering::Release);
                    // Values come in bursts, more in one than are remembered.
                    if number > 120_000 && number % 12_000 == 0 {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                }
            })
        };
        let many = async {
            while pushed.load(Ordering::Acquire) < 120_000 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, many).await.unwrap();
        // One change after the other: the last one holds.
        bench.set_format("y:u32le*2");
        bench.set_format("z:u32le*3");
        tokio::task::spawn_blocking(move || pushing.join().unwrap())
            .await
            .unwrap();
        let drawn = bench.drawn().await;
        let expected: Vec<f64> = (0..ALL).map(|number| f64::from(number) * 3.0).collect();
        assert_eq!(drawn.len(), expected.len());
        assert!(
            drawn == expected,
            "a value is drawn twice, or another for it"
        );
        // And a characteristic that was not drawn before is drawn from its beginning.
        let inner = &bench.explorer.0;
        inner.plot(bench.stream.id, false).unwrap();
        inner.plot(bench.stream.id, true).unwrap();
        assert_eq!(bench.drawn().await.len(), ALL as usize);
        bench.explorer.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_a_new_recording_does_not_have_is_drawn_as_far_as_it_is_remembered() {
        let bench = Bench::new().await;
        bench.set_format("x:u32le");
        (0..30_000).for_each(|number| bench.push(number));
        bench.explorer.new_recording().await.unwrap();
        (30_000..35_000).for_each(|number| bench.push(number));
        let inner = &bench.explorer.0;
        inner.plot(bench.stream.id, true).unwrap();
        let drawn = bench.drawn().await;
        assert_eq!(drawn.last(), Some(&34_999.0));
        assert!(drawn.windows(2).all(|two| two[1] == two[0] + 1.0));
        assert!(drawn.len() >= 10_000, "{}", drawn.len());
        bench.explorer.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_recording_that_begins_while_the_last_is_read_is_drawn_behind_it() {
        const BEFORE: u32 = 120_000;
        const ALL: u32 = 150_000;
        let bench = Bench::new().await;
        bench.set_format("x:u32le");
        bench.plot(true);
        (0..BEFORE).for_each(|number| bench.push(number));
        bench.set_format("y:u32le");
        bench.explorer.new_recording().await.unwrap();
        assert!(bench.reread().is_some(), "it is read still");
        // More than is remembered.
        (BEFORE..ALL).for_each(|number| bench.push(number));
        let drawn = bench.drawn().await;
        let expected: Vec<f64> = (0..ALL).map(f64::from).collect();
        assert_eq!(
            (drawn.len(), drawn.last()),
            (expected.len(), expected.last())
        );
        assert!(drawn == expected, "in order, and each once");
        bench.explorer.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_paused_recording_breaks_the_line_only_where_values_are_out_of_reach_until_it_goes_on()
     {
        let bench = Bench::new().await;
        bench.set_format("x:u32le");
        let recorder = bench.explorer.0.recorder().unwrap();
        (0..30_000).for_each(|number| bench.push(number));
        recorder.flush().unwrap();
        recorder.set_size_limit(Some(1));
        let pause = async {
            let mut next = 30_000;
            while recorder.status().state == session::State::Recording {
                bench.push(next);
                next += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            next
        };
        let next = tokio::time::timeout(PATIENCE, pause).await.unwrap();
        (next..35_000).for_each(|number| bench.push(number));
        // What waits is remembered: the line is whole.
        bench.plot(true);
        let drawn = bench.drawn().await;
        assert_eq!(drawn.len(), 35_000);
        // More waits than is remembered.
        (35_000..60_000).for_each(|number| bench.push(number));
        bench.plot(true);
        let (drawn, gaps) = bench.drawn_with_gaps().await;
        assert!(drawn.len() < 60_000, "{}", drawn.len());
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert_eq!(gaps[0].cause, plot::Cause::Gattscope);
        // The disk is back, and nobody has to ask.
        recorder.set_size_limit(None);
        let whole = async {
            while bench.drawn_with_gaps().await.0.len() < 60_000 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, whole).await.unwrap();
        let expected: Vec<f64> = (0..60_000).map(f64::from).collect();
        assert!(bench.drawn().await == expected);
        bench.explorer.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_not_drawn_any_more_is_not_read_any_more() {
        let bench = Bench::new().await;
        bench.set_format("x:u32le");
        (0..50_000).for_each(|number| bench.push(number));
        bench.plot(true);
        assert!(bench.reread().is_some());
        let drawing = bench.stream.memory().drawing;
        bench.plot(false);
        assert_eq!(bench.reread(), None);
        assert_ne!(bench.stream.memory().drawing, drawing);
        bench.plot(true);
        let drawing = bench.stream.memory().drawing;
        let series = bench.stream.memory().tracks[0].id;
        bench.explorer.remove_series(series);
        assert_eq!(bench.reread(), None);
        assert_ne!(bench.stream.memory().drawing, drawing);
        bench.explorer.close().await;
    }
}
