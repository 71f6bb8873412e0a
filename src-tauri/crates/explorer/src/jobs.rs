//! What takes long and goes on beside everything else: exports, copies, imports. Each tells how far it is and can be
//! cancelled; what is cancelled or fails leaves nothing under the final name.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use session::export::{Csv, Export, Fields, Jsonl, Pcapng, Profile, Progress, Summary, to_file};
use session::library;
use tokio_util::sync::CancellationToken;

use crate::explorer::{Explorer, Inner};
use crate::export::{Meant, Plan};
use crate::files::blocking;
use crate::view::{Event, ExportRequest, ExportView, JobView, Problem};

/// How often a job says how far it is.
const PACE: Duration = Duration::from_millis(200);

/// The jobs that are under way.
#[derive(Default)]
pub(crate) struct Jobs(Mutex<State>);

#[derive(Default)]
struct State {
    last: u32,
    under_way: BTreeMap<u32, (JobView, CancellationToken)>,
}

impl Jobs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that is under way; it is over when this is dropped.
struct Job {
    inner: Arc<Inner>,
    id: u32,
    cancel: CancellationToken,
    told: Option<Instant>,
}

impl Job {
    fn begin(inner: &Arc<Inner>, what: &str, path: &std::path::Path) -> Self {
        let cancel = CancellationToken::new();
        let id = {
            let mut state = inner.jobs.state();
            state.last += 1;
            let id = state.last;
            let view = JobView {
                id,
                what: what.into(),
                path: path.display().to_string(),
                rows: 0,
                part: 0.0,
                per_second: None,
                left_s: None,
            };
            state.under_way.insert(id, (view, cancel.clone()));
            id
        };
        inner.tell_jobs();
        Self {
            inner: Arc::clone(inner),
            id,
            cancel,
            told: None,
        }
    }

    fn at(&mut self, progress: Progress) -> ControlFlow<()> {
        if self.cancel.is_cancelled() {
            return ControlFlow::Break(());
        }
        if self.told.is_none_or(|told| told.elapsed() >= PACE) {
            self.told = Some(Instant::now());
            if let Some((view, _)) = self.inner.jobs.state().under_way.get_mut(&self.id) {
                view.rows = progress.rows;
                view.part = progress.done as f64 / progress.total.max(1) as f64;
                view.per_second = progress.rate();
                view.left_s = progress.remaining().map(|left| left.as_secs_f64());
            }
            self.inner.tell_jobs();
        }
        ControlFlow::Continue(())
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.inner.jobs.state().under_way.remove(&self.id);
        self.inner.tell_jobs();
    }
}

impl Inner {
    pub(crate) fn tell_jobs(&self) {
        let _order = self.news.order();
        let jobs = {
            let state = self.jobs.state();
            state
                .under_way
                .values()
                .map(|(view, _)| view.clone())
                .collect()
        };
        self.news.tell(Event::Jobs { jobs });
    }
}

/// A value in words with the minus that programs read, where one stands before a number.
fn for_machines(text: &str) -> String {
    let mut ready = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let number = |c: &char| c.is_ascii_digit() || *c == '∞';
        let minus = c == '\u{2212}' && rest.peek().is_some_and(number);
        ready.push(if minus { '-' } else { c });
    }
    ready
}

impl Explorer {
    /// Writes a session, or what the request asks for of it, into a file.
    ///
    /// # Errors
    ///
    /// A [`Problem`]: it cannot be read or written, was cancelled, or has nothing that was asked for. Then nothing stands
    /// under that name, or what stood there before.
    pub async fn export(
        &self,
        request: ExportRequest,
        path: PathBuf,
    ) -> Result<ExportView, Problem> {
        let inner = Arc::clone(&self.0);
        let export = move || {
            let Meant { session, waiting } = inner.meant(request.session.as_deref())?;
            let Plan { filter, columns } = inner.plan(&session, &request)?;
            let mut job = Job::begin(&inner, "export", &path);
            let mut at = |progress| job.at(progress);
            let formats = inner.recorded_formats(&session)?;
            let decode = |attribute: &session::Attribute, bytes: &[u8]| {
                let format = formats.get(&attribute.id)?;
                Some(for_machines(&format.summary(bytes)))
            };
            let name = |uuid| {
                let known = || {
                    decode::names::service(uuid)
                        .or_else(|| decode::names::characteristic(uuid))
                        .or_else(|| decode::names::descriptor(uuid))
                };
                inner.own_name(uuid).or_else(|| known().map(Into::into))
            };
            let decoder = Some(&decode as _);
            let read = |attribute: &_, value: &[u8], number: &mut dyn FnMut(usize, f64)| {
                columns.read(attribute, value, number);
            };
            let what: Option<Box<dyn Export + '_>> = match request.format.as_str() {
                "csv" => Some(Box::new(Csv {
                    filter,
                    decode: decoder,
                })),
                "fields" => Some(Box::new(Fields {
                    filter,
                    columns: &columns.names,
                    read: &read,
                    hold: request.hold,
                })),
                "jsonl" => Some(Box::new(Jsonl {
                    filter,
                    decode: decoder,
                })),
                "pcapng" => Some(Box::new(Pcapng { filter })),
                "markdown" => {
                    let [device] = filter.devices[..] else {
                        return Err(Problem::new(
                            "input",
                            "A profile is of one device.",
                            "Choose the device.",
                        ));
                    };
                    Some(Box::new(Profile {
                        device,
                        name: Some(&name),
                        decode: decoder,
                    }))
                }
                "gattscope" => None,
                other => {
                    let text = format!("Sessions are not exported as \"{other}\".");
                    return Err(Problem::input(text, 0));
                }
            };
            let summary = match what {
                Some(what) => to_file(&session, &*what, &path, &mut at)?,
                None => Summary {
                    bytes: library::save_as(session.path(), &path, &mut at)?,
                    ..Summary::default()
                },
            };
            drop(job);
            let file = path.display();
            let detail = format!("{} rows to {file}", summary.rows);
            inner.log_done("app", "Exported", None, None, detail);
            Ok(ExportView {
                path: file.to_string(),
                rows: summary.rows,
                bytes: summary.bytes,
                damaged: summary.damaged,
                waiting,
            })
        };
        blocking(&self.0, export).await
    }

    /// Makes a session of the folder out of a CSV of ours, a btsnoop or a pcapng file. Gives its file's name.
    ///
    /// # Errors
    ///
    /// A [`Problem`]: it is no such file, cannot be read, or was cancelled. Then nothing new is in the folder.
    pub async fn import_session(&self, source: PathBuf) -> Result<String, Problem> {
        let inner = Arc::clone(&self.0);
        let import = move || {
            let stem = source.file_stem().unwrap_or_default().to_string_lossy();
            let stem = decode::clean::text(&stem, 80).replace(['/', '\\', ':'], "_");
            let target = library::vacant(&inner.session_folder, &stem)?;
            let mut job = Job::begin(&inner, "import", &source);
            let new = session::export::Target::new_name(&target);
            let made = session::import(&source, new, &mut |progress| job.at(progress))?;
            drop(job);
            let detail = format!("{} events of {}", made.events, source.display());
            inner.log_done("app", "Imported", None, None, detail);
            Ok(target
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned())
        };
        blocking(&self.0, import).await
    }

    /// Gives a job up.
    pub fn cancel_job(&self, id: u32) {
        if let Some((_, cancel)) = self.0.jobs.state().under_way.get(&id) {
            cancel.cancel();
        }
    }
}
