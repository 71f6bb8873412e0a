//! The lines of what is on the air, drawn anew: with another format, by another time, or for the first
//! time.
//!
//! What is remembered is drawn at once, so that there is a line to see. If that is not all, the recording
//! is read from its beginning in the background, as far as values had come; then what came meanwhile is
//! drawn behind it, from the recording as long as that is too much to be remembered and at last from what
//! is remembered, and the whole line takes the place of the first one. So each value is drawn once: which
//! of the file's were drawn is known by their times and, among equal times, by their number.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use session::{Session, SessionTime};

use crate::attribute::{Attribute, Entry, Memory, Origin, Reached};
use crate::explorer::{Inner, Recording};
use crate::export::settle;
use crate::pencil::{Pencil, So};
use crate::view::Problem;

/// How often the window hears how much was read, and whether it is still wanted is asked.
const PACE: Duration = Duration::from_millis(100);
/// How long a value may be on its way from its stamp to being remembered, nanoseconds.
const ON_THE_WAY: i64 = 1_000_000_000;

impl Inner {
    /// Draws an attribute anew, whose tracks are fresh: see above.
    pub(crate) fn draw_all(self: &Arc<Self>, attribute: &Arc<Attribute>) {
        {
            let mut memory = attribute.memory();
            memory.reread = None;
            let Some(so) = So::of_memory(&memory) else {
                return;
            };
            if so.tracks.is_empty() {
                return;
            }
            let pencil = remembered(Pencil::new(&so, Vec::new(), 0), &memory);
            pencil.show_in(&mut memory, &so);
            let all = memory.entries().count() as u64 == memory.reached().kept();
            if all || matches!(&*self.recording(), Recording::Off(_)) {
                return;
            }
            memory.reread = Some(0.0);
            memory.touch();
        }
        let (inner, attribute) = (Arc::clone(self), Arc::clone(attribute));
        self.runtime.spawn_blocking(move || {
            let drawn = drawn(&inner, &attribute);
            {
                let mut memory = attribute.memory();
                // After another change, somebody else reads.
                if drawn != Ok(false) {
                    memory.reread = None;
                    memory.touch();
                }
            }
            inner.tell_values(false);
            if let Err(problem) = drawn {
                let title = format!("{} is not drawn from its beginning", attribute.name());
                inner.notice("warn", title, problem, None, "");
            }
        });
    }
}

/// Draws what is remembered.
fn remembered<'a>(mut pencil: Pencil<'a>, memory: &Memory) -> Pencil<'a> {
    let mut outages = memory.outages_since(None).peekable();
    for entry in memory.entries() {
        pencil.draw_remembered(entry, &mut outages);
    }
    pencil
}

/// Draws all of it from the recording. False if somebody changed meanwhile how.
fn drawn(inner: &Inner, attribute: &Attribute) -> Result<bool, Problem> {
    let recorder = inner.recorder()?;
    let start = -recorder.session_time(radio::Timestamp(0)).nanos();
    let (so, mut until) = {
        let memory = attribute.memory();
        let Some(so) = So::of_memory(&memory) else {
            return Ok(false);
        };
        (so, memory.reached())
    };
    let mut since = Reached::default();
    let mut session: Option<Session> = None;
    let mut pencil = Pencil::new(&so, Vec::new(), start);
    // Another recording may have begun: of what came before it, what is remembered is left.
    {
        let memory = attribute.memory();
        let mut outages = memory.outages_since(None).peekable();
        for entry in memory.entries().filter(|entry| entry.at.nanos() < start) {
            pencil.draw_remembered(entry, &mut outages);
        }
    }
    let mut told = Instant::now();
    loop {
        let waiting = settle(&recorder)?;
        let session = match &mut session {
            Some(session) => session,
            none => none.insert(Session::open(recorder.path())?),
        };
        pencil.set_gaps(session.gaps(&session.generations(attribute.id)?)?);
        let all = until.kept().saturating_sub(since.kept()).max(1);
        let mut walked = Reached::default();
        let from = since
            .since()
            .map_or(i64::MIN, |at| at.nanos() - start - ON_THE_WAY);
        let (mut read, mut given_up) = (0_u64, false);
        session.values_between(attribute.id, SessionTime(from).., usize::MAX, |value| {
            let at = pencil.at(value.at);
            if let Some(origin) = Origin::recorded(value.kind)
                && walked.passes(since, until, at, origin)
            {
                pencil.draw_recorded(&value);
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
        let mut memory = attribute.memory();
        if given_up || memory.drawing != so.drawing {
            return Ok(false);
        }
        if waiting > 0 {
            // The disk takes nothing: what is remembered is drawn behind what is in the file, and what
            // is between them is not, until it is written.
            let last = pencil.previous();
            let new = |entry: &&Entry| last.is_none_or(|last| entry.at > last);
            if let (Some(from), Some(first)) = (last, memory.entries().find(new)) {
                pencil.gap(from, first.at, plot::Cause::Gattscope, 0);
            }
            let mut outages = memory.outages_since(last).peekable();
            for entry in memory.entries().filter(new) {
                pencil.draw_remembered(entry, &mut outages);
            }
        } else if let Some(new) = memory.since(until) {
            let mut outages = memory.outages_since(pencil.previous()).peekable();
            for entry in new {
                pencil.draw_remembered(entry, &mut outages);
            }
        } else {
            // More came while this was read than is remembered.
            (since, until) = (until, memory.reached());
            continue;
        }
        return Ok(pencil.show_in(&mut memory, &so));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use bytes::Bytes;
    use radio::simulated::{Lab, Simulated, VirtualDevice, uuids};
    use radio::{Clock, Sample, SampleKind, Timestamp};

    use super::*;
    use crate::connection::Connection;
    use crate::{Config, Explorer, Preferences};

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

        /// The numbers that are drawn, once nothing is read any more.
        async fn drawn(&self) -> Vec<f64> {
            while self.stream.memory().reread.is_some() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let id = self.stream.memory().tracks[0].id;
            let lines = self.explorer.0.scope.lines(&[id], 0.0, 1e6, 4_000_000);
            let (_, window, gaps) = lines.into_iter().next().unwrap();
            assert!(gaps.is_empty(), "{gaps:?}");
            window.ys
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
        while pushed.load(Ordering::Acquire) < 120_000 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
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
}
