//! The scope as a picture, the marks, and the recording that begins anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plot::picture::{Chart, Lane, Line, Mark, Size, Theme};
use radio::Timestamp;
use session::Event as Recorded;

use crate::explorer::{Explorer, Inner, Recording};
use crate::link::begin_link;
use crate::view::{ExportView, MarkView, Problem, SeriesView};

/// The widest and highest picture, in pixels.
const MAX_SIDE: u32 = 8192;

/// The kind of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureKind {
    /// Pixels.
    Png,
    /// Lines and letters.
    Svg,
}

/// What a picture shows.
#[derive(Clone, Debug, serde::Deserialize, ts_rs::TS)]
#[ts(export)]
pub struct PictureRequest {
    /// Series, in the order in which their lanes are stacked.
    pub series: Vec<u32>,
    /// Start, seconds of the session.
    pub from: f64,
    /// End, seconds of the session.
    pub to: f64,
    /// `light` or `dark`.
    pub theme: String,
    /// Width, pixels before scaling.
    pub width: u32,
    /// Height, pixels before scaling.
    pub height: u32,
}

impl Inner {
    pub(crate) fn recorder(&self) -> Result<Arc<session::Recorder>, Problem> {
        match &*self.recording() {
            Recording::On(recorder) => Ok(Arc::clone(recorder)),
            Recording::Off(problem) => Err(problem.clone()),
        }
    }

    /// See [`Explorer::new_recording`].
    pub(crate) async fn new_recording(self: &Arc<Self>) -> Result<(), Problem> {
        let inner = Arc::clone(self);
        blocking(self, move || inner.begin_anew()).await
    }

    /// A name for a new file beside the others: when, and what.
    fn file_name(&self, what: &str, suffix: &str) -> String {
        let now = jiff::Zoned::now().strftime("%Y-%m-%d %H.%M.%S");
        format!("Gattscope {what} {now}.{suffix}")
    }
}

impl Inner {
    fn begin_anew(&self) -> Result<(), Problem> {
        let next = match Recording::start(&self.session_folder, &self.clock) {
            Recording::Off(problem) => return Err(problem),
            Recording::On(recorder) => recorder,
        };
        let _same = self.beginning();
        let now = self.now();
        // Nobody else has it yet: what is told here stands before everything that happens.
        let present = self.devices().present(now);
        if let Recording::On(last) = &*self.recording() {
            next.know(last, |device| present.contains(device));
        }
        let mut links = Vec::new();
        for connection in self.connections() {
            if let Ok(link) = connection.link() {
                let key = begin_link(&next, now, &connection.device, &*link);
                links.push((connection, link, key));
            }
        }
        // What is missing now is the last recording's.
        self.settle_all(None);
        self.record(|last| self.sampling.tell(last, now));
        self.sampling.begin(&next, now);
        let last = std::mem::replace(
            &mut *self
                .recording
                .write()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
            Recording::On(next),
        );
        for (connection, link, key) in links {
            if let Some(up) = &mut connection.state().up
                && Arc::ptr_eq(&up.link, &link)
            {
                up.key = Some(key);
            }
            for attribute in connection.attributes().iter() {
                attribute.memory().begin_anew();
            }
        }
        self.outages.store(0, std::sync::atomic::Ordering::Relaxed);
        self.ledger.clear();
        self.tell_losses();
        self.marks().clear();
        self.tell_marks();
        self.tidying.notify_one();
        if let Recording::On(last) = last {
            last.close()?;
        }
        Ok(())
    }
}

impl Explorer {
    /// A name to propose for an export.
    #[must_use]
    pub fn proposed_name(&self, what: &str, suffix: &str) -> String {
        self.0.file_name(what, suffix)
    }

    /// Draws series as a picture.
    ///
    /// # Errors
    ///
    /// A [`Problem`]; then nothing stands under that name, or what stood there before.
    pub async fn export_picture(
        &self,
        path: PathBuf,
        kind: PictureKind,
        request: PictureRequest,
    ) -> Result<ExportView, Problem> {
        let inner = Arc::clone(&self.0);
        let export = move || {
            let (from, to) = (request.from, request.to);
            if !(from.is_finite() && to.is_finite() && from < to) {
                return Err(Problem::new(
                    "input",
                    "The range to draw is empty.",
                    "Choose another range.",
                ));
            }
            let size = Size {
                width: request.width.clamp(320, MAX_SIDE),
                height: request.height.clamp(200, MAX_SIDE),
                scale: 2.0,
            };
            let lines = inner
                .scope
                .lines(&request.series, from, to, size.width as usize * 2);
            if lines.is_empty() {
                return Err(Problem::new(
                    "input",
                    "There is nothing to draw: no series is shown.",
                    "Plot a characteristic first.",
                ));
            }
            let mut chart = chart(lines, &request, inner.wall.0);
            chart.marks.extend(inner.marks().iter().map(|mark| Mark {
                from: (mark.at * 1e9) as i64,
                to: (mark.at * 1e9) as i64,
                what: mark.text.clone(),
                count: 0,
                loss: false,
            }));
            let bytes = match kind {
                PictureKind::Png => plot::picture::png(&chart, size, &path),
                PictureKind::Svg => plot::picture::svg(&chart, size, &path),
            }
            .map_err(|error| picture_problem(&error, &path))?;
            Ok(ExportView {
                path: path.display().to_string(),
                rows: 0,
                bytes,
                damaged: false,
                waiting: 0,
            })
        };
        blocking(&self.0, export).await
    }

    /// Marks a moment that has been, seconds of the session, in the recording; without one, now.
    /// Without a text it is called by a number.
    pub fn mark(&self, text: &str, at: Option<f64>) {
        let now = self.0.now();
        let at = at
            .filter(|at| at.is_finite())
            .map_or(now, |at| Timestamp((at.max(0.0) * 1e9) as i64).min(now));
        let mut label = decode::clean::text(text.trim(), 200).into_owned();
        {
            let mut marks = self.0.marks();
            let id = marks.iter().map(|mark| mark.id).max().unwrap_or(0) + 1;
            if label.is_empty() {
                label = format!("Mark {id}");
            }
            let place = marks.partition_point(|mark| mark.at <= at.seconds());
            let mark = MarkView {
                id,
                at: at.seconds(),
                text: label.clone(),
            };
            marks.insert(place, mark);
        }
        self.0.tell_marks();
        self.0.log_done("app", "Mark", None, None, label.clone());
        self.0.record(|recorder| {
            recorder.record(
                at,
                Recorded::Marker {
                    label: label.into(),
                },
            )
        });
    }

    /// Calls a mark something else; without a text, takes it away. What was recorded is never changed:
    /// a note in the recording says it.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is no such mark.
    pub fn change_mark(&self, id: u32, text: &str) -> Result<(), Problem> {
        let label = decode::clean::text(text.trim(), 200).into_owned();
        let said = {
            let mut marks = self.0.marks();
            let place = marks.iter().position(|mark| mark.id == id).ok_or_else(|| {
                Problem::new(
                    "input",
                    "There is no such mark.",
                    "A new recording begins without marks.",
                )
            })?;
            if label.is_empty() {
                format!("The mark \"{}\" was taken away", marks.remove(place).text)
            } else {
                let before = std::mem::replace(&mut marks[place].text, label.clone());
                format!("The mark \"{before}\" is called \"{label}\" now")
            }
        };
        self.0.tell_marks();
        self.0.log_done("app", "Mark", None, None, said.clone());
        let now = self.0.now();
        self.0
            .record(|recorder| recorder.record(now, Recorded::Note { text: said.into() }));
        Ok(())
    }

    /// Ends the recording and begins another, which knows the devices that are here, the links that are
    /// up and their attributes from its first moment.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if none can begin; then the last one goes on.
    pub async fn new_recording(&self) -> Result<(), Problem> {
        self.0.new_recording().await
    }

    /// Where the session files are.
    #[must_use]
    pub fn session_folder(&self) -> &Path {
        &self.0.session_folder
    }
}

/// Runs work that waits for the disk where waiting harms nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    inner: &Inner,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    inner
        .runtime
        .spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            tracing::error!(%error, "a file operation ended abnormally");
            Err(Problem::new(
                "internal",
                "Gattscope made a mistake and gave the file up.",
                "Try again. The log says more, and a report of it helps.",
            ))
        })
}

fn picture_problem(error: &plot::picture::Error, path: &Path) -> Problem {
    Problem::new(
        "picture",
        format!(
            "The picture could not be written to {}: {error}.",
            path.display()
        ),
        "Choose another folder, or make room, then export again.",
    )
}

fn chart(
    lines: Vec<(SeriesView, plot::Window, Vec<plot::Gap>)>,
    request: &PictureRequest,
    zero_ms: f64,
) -> Chart {
    let mut lanes: Vec<(String, Lane)> = Vec::new();
    let mut marks = Vec::new();
    for (view, window, gaps) in lines {
        marks.extend(gaps.iter().map(|gap| Mark::from(*gap)));
        let line = Line {
            name: view.name,
            colour: view.colour,
            dashed: view.dashed,
            xs: window.xs,
            ys: window.ys,
        };
        match lanes.iter_mut().find(|(lane, _)| *lane == view.lane) {
            Some((_, lane)) => lane.lines.push(line),
            None => lanes.push((
                view.lane,
                Lane {
                    name: format!("{}, {}", view.lane_name, view.device_name),
                    unit: view.unit,
                    lines: vec![line],
                },
            )),
        }
    }
    Chart {
        title: "Gattscope".into(),
        lanes: lanes.into_iter().map(|(_, lane)| lane).collect(),
        marks,
        from: (request.from * 1e9) as i64,
        to: (request.to * 1e9) as i64,
        time: Box::new(move |nanos| clock_time(zero_ms, nanos)),
        theme: if request.theme == "light" {
            Theme::Light
        } else {
            Theme::Dark
        },
    }
}

/// Local time of day with milliseconds.
fn clock_time(zero_ms: f64, nanos: i64) -> String {
    let ms = zero_ms + nanos as f64 / 1e6;
    jiff::Timestamp::from_millisecond(ms as i64).map_or_else(
        |_| String::new(),
        |at| {
            at.to_zoned(jiff::tz::TimeZone::system())
                .strftime("%H:%M:%S%.3f")
                .to_string()
        },
    )
}
