//! Sessions as documents: what lies in the session folder, and what a user does with it. A session is named by its file's
//! name in that folder, so that no path ever comes from the page.

use std::path::PathBuf;
use std::sync::Arc;

use session::library::{self, End, Entry, Match};

use crate::explorer::{Explorer, Inner, Recording};
use crate::export::settle;
use crate::files::blocking;
use crate::view::{Problem, SessionView, SessionsView};

/// Characters of a name or a comment that are shown.
const TEXT: usize = 200;

impl Inner {
    /// The file of a session of the folder.
    pub(crate) fn session_file(&self, name: &str) -> Result<PathBuf, Problem> {
        let path = self.session_folder.join(name);
        let inside = path.file_name().is_some_and(|file| file == name);
        let session = path.extension().is_some_and(|e| e == session::SUFFIX);
        if inside && session && path.is_file() {
            Ok(path)
        } else {
            Err(Problem::new(
                "no_session",
                format!("There is no session {}.", decode::clean::text(name, TEXT)),
                "Look at the list again; it may have been deleted or moved.",
            ))
        }
    }

    pub(crate) fn session_view(&self, entry: &Entry, found: &[Match]) -> SessionView {
        let file = entry.path.file_name().unwrap_or_default();
        let current = match &*self.recording() {
            Recording::On(recorder) => recorder.path() == entry.path,
            Recording::Off(_) => false,
        };
        let text = |text: &str| decode::clean::text(text, TEXT).into_owned();
        SessionView {
            file: file.to_string_lossy().into_owned(),
            name: text(&entry.name()),
            comment: entry.comment.as_deref().map(text).unwrap_or_default(),
            kept: entry.kept,
            source: entry.source.as_deref().map(text),
            state: match entry.end {
                _ if current => "recording",
                End::Running => "in_use",
                End::Closed => "closed",
                End::Interrupted => "interrupted",
                End::CutOff => "cut_off",
            }
            .into(),
            started_ms: entry.started.unix_ns as f64 / 1e6,
            duration_s: entry.duration.as_secs_f64(),
            devices: entry.devices,
            device_names: entry.device_names.iter().map(|name| text(name)).collect(),
            events: entry.events,
            values: entry.values,
            lost: entry.lost.total(),
            bytes: entry.bytes,
            found: found.iter().map(where_found).collect(),
        }
    }
}

fn where_found(found: &Match) -> String {
    let text = |text: &str| decode::clean::text(text, TEXT).into_owned();
    match found {
        Match::Name => "name".into(),
        Match::Comment => "comment".into(),
        Match::Device(name) => format!("device {}", text(name)),
        Match::Uuid(uuid) => format!("UUID {uuid}"),
        Match::Note { text: note, .. } => format!("note \"{}\"", text(note)),
    }
}

impl Explorer {
    /// The sessions of the folder, the latest first; those that have `query` in their name, comment, devices, UUIDs or
    /// notes, if it is not empty.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the folder cannot be read.
    pub async fn sessions(&self, query: String) -> Result<SessionsView, Problem> {
        let inner = Arc::clone(&self.0);
        let list = move || {
            // What is in memory is counted too, if it can be written.
            if let Ok(recorder) = inner.recorder() {
                settle(&recorder)?;
            }
            let query = query.trim();
            if !query.is_empty() {
                let found = library::search(&inner.session_folder, query)?;
                return Ok(SessionsView {
                    sessions: found
                        .iter()
                        .map(|(entry, found)| inner.session_view(entry, found))
                        .collect(),
                    refused: Vec::new(),
                });
            }
            let listing = library::list(&inner.session_folder)?;
            Ok(SessionsView {
                sessions: listing
                    .sessions
                    .iter()
                    .map(|entry| inner.session_view(entry, &[]))
                    .collect(),
                refused: listing.refused.into_iter().map(Problem::from).collect(),
            })
        };
        blocking(&self.0, list).await
    }

    /// Does something with the file of a session.
    async fn with_session<T: Send + 'static>(
        &self,
        file: String,
        work: impl FnOnce(&std::path::Path) -> session::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let inner = Arc::clone(&self.0);
        let work = move || {
            let path = inner.session_file(&file)?;
            Ok(work(&path)?)
        };
        blocking(&self.0, work).await
    }

    /// Calls a session something else; the file keeps its name.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the file cannot be changed.
    pub async fn rename_session(&self, file: String, title: String) -> Result<(), Problem> {
        self.with_session(file, move |path| library::rename(path, &title))
            .await
    }

    /// Says something of a session, in place of what was said before.
    ///
    /// # Errors
    ///
    /// As [`rename_session`](Self::rename_session).
    pub async fn annotate_session(&self, file: String, comment: String) -> Result<(), Problem> {
        self.with_session(file, move |path| library::annotate(path, &comment))
            .await
    }

    /// Keeps a session from being deleted by age or size, or does so no more.
    ///
    /// # Errors
    ///
    /// As [`rename_session`](Self::rename_session).
    pub async fn keep_session(&self, file: String, on: bool) -> Result<(), Problem> {
        self.with_session(file, move |path| library::keep(path, on))
            .await
    }

    /// Deletes a session for good.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if it is being recorded, or another program has it open.
    pub async fn delete_session(&self, file: String) -> Result<(), Problem> {
        let name = file.clone();
        if self
            .0
            .session_file(&file)
            .is_ok_and(|path| self.0.is_open(&path))
        {
            return Err(Problem::new(
                "open",
                "The session is open in this window.",
                "Close it, then delete it.",
            ));
        }
        self.with_session(file, library::delete).await?;
        self.0.log_done("app", "Session deleted", None, None, name);
        Ok(())
    }
}
