//! A session that is open to be looked at: an explorer of its own, whose devices, values and lines come
//! from the file. What is on the air goes on behind it.
//!
//! Nothing is loaded whole. Opening reads a few rows of each table; then the file is read through once, in
//! the background, for what only all of it tells (counts, the log). Values are read when somebody looks
//! at them: the last of them first, so that there is a line to see at once.

mod lines;
mod log;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use radio::{AttrId, DeviceId, Timestamp};
use session::{DeviceKey, Filter, Kind, Session, SessionTime, library};

use crate::attribute::Attribute;
use crate::connection::{Connection, Phase};
use crate::explorer::{Explorer, Inner, tell};
use crate::export::settle;
use crate::files::blocking;
use crate::view::{DocumentView, Event, MarkView, Problem, SessionView};

/// Advertisements that are read at once, from the last backwards.
const ADVERTISEMENTS: usize = 4096;
/// How often they are, before a device that was heard long ago is left with its name alone.
const PAGES: usize = 25;
/// Values of an attribute that the inspector lists.
const LISTED: usize = 200;
/// How often the window hears how much was read.
const PACE: Duration = Duration::from_millis(250);

/// The file behind an explorer that shows one.
pub(crate) struct Source {
    session: Mutex<Session>,
    number: u32,
    view: SessionView,
    end: Timestamp,
    read: Mutex<(f64, Option<Problem>)>,
    /// Values are being read again for a window.
    looking: AtomicBool,
}

impl Source {
    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session once more, for somebody who reads for long.
    pub(crate) fn again(&self) -> Result<Session, Problem> {
        Ok(self.session().again()?)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.session().path().to_owned()
    }

    pub(crate) fn view(&self) -> DocumentView {
        let (part, problem) = self
            .read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        DocumentView {
            number: self.number,
            session: self.view.clone(),
            end_ms: self.view.started_ms + self.end.seconds() * 1e3,
            part,
            problem,
        }
    }

    fn set_read(&self, part: f64, problem: Option<Problem>) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.0 = part;
        // What was wrong from the beginning stays wrong.
        read.1 = read.1.take().or(problem);
    }
}

/// When something happened, on the clock of an explorer that shows a session: it began at its zero.
fn at(time: SessionTime) -> Timestamp {
    Timestamp(time.nanos())
}

impl Explorer {
    /// Opens a session of the folder, to be looked at. Another that is open is closed.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if it cannot be read; then everything stays as it was.
    pub async fn open_session(&self, file: String) -> Result<(), Problem> {
        let path = self.0.session_file(&file)?;
        self.open_file(path).await
    }

    /// Opens a session file from anywhere.
    ///
    /// # Errors
    ///
    /// As [`open_session`](Self::open_session).
    pub async fn open_file(&self, path: PathBuf) -> Result<(), Problem> {
        let live = Arc::clone(&self.0);
        let _turn = live.opening.lock().await;
        let asked = Arc::clone(&live);
        let document = blocking(&live, move || opened(&asked, &path)).await?;
        let name = document
            .0
            .source
            .as_ref()
            .map(|source| source.view.name.clone());
        self.0.log_done(
            "app",
            "Session opened",
            None,
            None,
            name.unwrap_or_default(),
        );
        {
            let _order = self.0.news.order();
            self.0.news.set_behind(true);
            let last = self.0.document().replace(document.clone());
            if let Some(last) = last {
                last.0.end_document();
            }
        }
        document.0.tell_document();
        document.tell_everything();
        self.0.runtime.spawn(tell(Arc::clone(&document.0)));
        let inner = Arc::clone(&document.0);
        self.0.runtime.spawn_blocking(move || read_through(&inner));
        Ok(())
    }

    /// Shows what is on the air again.
    pub fn close_session(&self) {
        {
            let _order = self.0.news.order();
            let Some(document) = self.0.document().take() else {
                return;
            };
            document.0.end_document();
            self.0.news.set_behind(false);
            self.0.news.tell(Event::Document { document: None });
        }
        // Formats and names may have been chosen meanwhile.
        self.0.take_over_preferences();
        self.tell_everything();
    }

    /// Which opening of a session the window shows; none if it shows what is on the air.
    #[must_use]
    pub fn document_number(&self) -> Option<u32> {
        let document = self.0.document();
        let source = document.as_ref()?.0.source.as_ref()?;
        Some(source.number)
    }

    /// What the window shows: the session that is open, else this.
    #[must_use]
    pub fn shown(&self) -> Explorer {
        self.0.document().clone().unwrap_or_else(|| self.clone())
    }
}

impl Inner {
    pub(crate) fn document(&self) -> MutexGuard<'_, Option<Explorer>> {
        self.document.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this file is looked at or played here.
    pub(crate) fn is_open(&self, path: &Path) -> bool {
        let source = |document: &Explorer| document.0.source.clone();
        let source = self.document().as_ref().and_then(source);
        let played = self.replaying.file();
        let same = |other: PathBuf| match (other.canonicalize(), path.canonicalize()) {
            (Ok(other), Ok(path)) => other == path,
            _ => other == path,
        };
        source.is_some_and(|source| same(source.path()))
            || played.is_some_and(|file| same(self.session_folder.join(file)))
    }

    /// Nothing more is told of it, and what reads it ends. Called under the order of news.
    fn end_document(&self) {
        self.news.set_behind(true);
        self.closing.cancel();
    }

    pub(crate) fn tell_document(&self) {
        let _order = self.news.order();
        if let Some(source) = &self.source {
            self.news.tell(Event::Document {
                document: Some(source.view()),
            });
        }
    }

    /// The last values of an attribute in the session that this shows, if it shows one.
    pub(crate) fn recorded_values(
        &self,
        attribute: AttrId,
        latest: usize,
    ) -> Result<Option<Vec<session::Recorded>>, Problem> {
        let Some(source) = &self.source else {
            return Ok(None);
        };
        Ok(Some(source.again()?.values(attribute, latest)?))
    }

    /// What the inspector lists of an attribute, from the file.
    pub(crate) fn recall(&self, attribute: &Attribute) {
        let Some(source) = &self.source else { return };
        if attribute.memory().is_recalled(LISTED) {
            return;
        }
        let values = source.session().values(attribute.id, LISTED);
        let mut memory = attribute.memory();
        match values {
            Ok(values) => memory.recall(&values, LISTED),
            // Told once: it will not read better the next time.
            Err(error) => {
                memory.recall(&[], LISTED);
                memory.problem = Some(error.into());
            }
        }
    }
}

/// Opens a file as an explorer of its own.
fn opened(live: &Arc<Inner>, path: &Path) -> Result<Explorer, Problem> {
    static OPENINGS: AtomicU32 = AtomicU32::new(1);
    // What is in memory of the recording is a part of it too.
    if let Ok(recorder) = live.recorder()
        && recorder.path() == path
    {
        settle(&recorder)?;
    }
    let session = Session::open(path)?;
    let mut view = live.session_view(&library::entry(path)?, &[]);
    let problem = session.is_cut_off().then(|| {
        Problem::new(
            "cut_off",
            "The end of this file is missing. What is left of it is shown.",
            "If there is another copy of the file, open that.",
        )
    });
    if session.is_cut_off() {
        // How long it is, only what can be reached tells.
        let info = session.info()?;
        view.duration_s = info.last.unwrap_or_default().seconds();
        view.events = info.events;
    }
    let end = Timestamp((view.duration_s * 1e9) as i64);
    let source = Arc::new(Source {
        number: OPENINGS.fetch_add(1, Ordering::Relaxed),
        view,
        end,
        read: Mutex::new((0.0, problem)),
        looking: AtomicBool::new(false),
        session: Mutex::new(session),
    });
    let inner = live.of_recorded(Arc::clone(&source));
    {
        let session = source.session();
        let heard = heard(&session)?;
        let links = session.links()?;
        let discoveries = session.discovered()?;
        for device in session.devices()? {
            let id = DeviceId::from(device.identifier.as_str());
            let (starred, alias) = inner.chosen(id.as_str());
            let mut table = inner.devices();
            table.note(
                &id,
                device.name.as_deref(),
                at(device.first_seen),
                starred,
                alias,
            );
            table.set_heard(&id, heard.get(&device.key).copied().unwrap_or(0));
            drop(table);
            let Some(link) = links.iter().rev().find(|link| link.device == device.key) else {
                continue;
            };
            let connection = Connection::new(id.clone(), link.down.map_or(source.end, at));
            let of_device = |found: &&session::Discovery| found.device == device.key;
            if let Some(last) = discoveries.iter().rev().find(of_device) {
                let found = session.gatt_as_recorded(last.generation)?;
                connection.recorded(&found, inner.formats_of(&connection));
            }
            connection.state().phase = Phase::Recorded;
            inner.devices().set_link(&id, Phase::Recorded.name());
            inner.add_connection(connection);
        }
        let marks = session.words()?.into_iter();
        let marks = marks.filter(|word| word.kind == Kind::Marker).zip(1..);
        inner.marks().extend(marks.map(|(word, id)| MarkView {
            id,
            at: word.at.seconds(),
            text: crate::clean(word.detail.as_deref().unwrap_or_default(), 200),
        }));
        for connection in inner.connections() {
            inner.give_names(&connection);
            for attribute in connection.attributes().iter() {
                let newest = session.values(attribute.id, 1)?;
                if let Some(bytes) = newest.first().and_then(|value| value.value.clone()) {
                    attribute.memory().recall(&newest, 1);
                    inner.described(&connection, attribute, &bytes);
                }
            }
            // What devices said of themselves is known now.
            inner.choose_all(&connection);
        }
    }
    Ok(Explorer(Arc::new(inner)))
}

/// How many advertisements of each device there are.
fn heard(session: &Session) -> Result<HashMap<DeviceKey, u64>, Problem> {
    let adverts = session.counts()?.into_iter();
    let adverts = adverts.filter(|count| count.kind == Kind::Advertisement);
    Ok(adverts
        .filter_map(|count| Some((count.device?, count.events)))
        .collect())
}

/// Reads what only the whole file tells. It ends early when the session is closed.
fn read_through(inner: &Arc<Inner>) {
    let Some(source) = &inner.source else { return };
    let problem = hear(inner, source)
        .and_then(|()| count(inner, source))
        .err();
    if inner.closing.is_cancelled() {
        return;
    }
    if let Some(problem) = &problem
        && source.view().problem.is_none()
    {
        let title = "Not all of the session can be read";
        inner.notice("warn", title, problem.clone(), None, "");
    }
    source.set_read(1.0, problem);
    inner.tell_document();
    inner.tell_values(false);
}

/// What devices said of themselves, the last of it.
fn hear(inner: &Inner, source: &Source) -> Result<(), Problem> {
    let session = source.again()?;
    let mut unheard: Vec<DeviceId> = {
        let heard = heard(&session)?;
        let devices = session.devices()?.into_iter();
        let devices = devices.filter(|device| heard.contains_key(&device.key));
        devices
            .map(|device| DeviceId::from(device.identifier.as_str()))
            .collect()
    };
    let mut before = i64::MAX;
    let mut pages = Vec::new();
    while pages.len() < PAGES && !unheard.is_empty() && !inner.closing.is_cancelled() {
        let page = session.advertisements(before, ADVERTISEMENTS)?;
        let Some((first, _)) = page.first() else {
            break;
        };
        before = *first;
        unheard.retain(|id| !page.iter().any(|(_, report)| report.device == *id));
        pages.push(page);
    }
    let mut table = inner.devices();
    for (_, report) in pages.iter().rev().flatten() {
        table.recall(report);
    }
    Ok(())
}

/// How many values each attribute has, how many are missing, and what happened.
fn count(inner: &Arc<Inner>, source: &Source) -> Result<(), Problem> {
    let session = source.again()?;
    let mut log = log::Reader::new(inner, &session)?;
    let everything_else = Kind::ALL.iter().copied();
    let filter = Filter {
        kinds: everything_else
            .filter(|kind| *kind != Kind::Advertisement)
            .collect(),
        ..Filter::default()
    };
    let mut told = Instant::now();
    let mut events = session.events(&filter)?;
    while let Some(event) = events.next() {
        log.event(&event?)?;
        if told.elapsed() >= PACE {
            if inner.closing.is_cancelled() {
                return Ok(());
            }
            told = Instant::now();
            let part = events.position() as f64 / events.span().max(1) as f64;
            source.set_read(part, None);
            inner.tell_document();
        }
    }
    log.finish();
    Ok(())
}

/// The attribute of the tree that each attribute of a recording is, in whichever discovery.
fn places(inner: &Inner, session: &Session) -> Result<HashMap<AttrId, Arc<Attribute>>, Problem> {
    let attributes = session.attributes()?;
    // Of one device and path, the last is the one in the tree.
    let mut shown = HashMap::new();
    for attribute in &attributes {
        shown.insert((attribute.device, attribute.path.as_str()), attribute.id);
    }
    let trees: HashMap<AttrId, Arc<Attribute>> = inner
        .connections()
        .iter()
        .flat_map(|connection| connection.attributes().to_vec())
        .map(|attribute| (attribute.id, attribute))
        .collect();
    Ok(attributes
        .iter()
        .filter_map(|attribute| {
            let shown = shown.get(&(attribute.device, attribute.path.as_str()))?;
            Some((attribute.id, Arc::clone(trees.get(shown)?)))
        })
        .collect())
}
