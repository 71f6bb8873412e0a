//! A session of the folder that plays as a radio, and its transport. What is received of it is recorded like everything
//! else, in a session of its own that says what it is.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use radio::Backend;
use serde::{Deserialize, Serialize};
use session::replay::{Pace, Replay, State, Transport};
use session::{Event as Recorded, Session, SessionTime, library};
use ts_rs::TS;

use crate::explorer::{Explorer, Inner};
use crate::export::settle;
use crate::files::blocking;
use crate::view::{Event, Problem};

/// Characters of a session's name that are shown.
const NAME: usize = 60;

/// Where a replay stands.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct ReplayView {
    /// The session's file.
    pub file: String,
    /// What the session is called.
    pub name: String,
    /// Up to where it has come, seconds of the session.
    pub position_s: f64,
    /// Where it ends, seconds of the session.
    pub length_s: f64,
    /// How many times as fast as it was recorded; `None` for as fast as it can.
    pub pace: Option<f64>,
    /// Whether it plays.
    pub playing: bool,
    /// Whether it stands at its end.
    pub ended: bool,
    /// Whether it begins anew at its end.
    pub looping: bool,
    /// How many events could not be read and were passed over.
    pub unreadable: u32,
    /// Why the rest cannot be played.
    pub damage: Option<String>,
}

/// What the transport is told.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, TS)]
#[serde(tag = "command", rename_all = "snake_case")]
#[ts(export)]
pub enum ReplayCommand {
    /// Goes on; at the end, begins anew.
    Play,
    /// Stands still.
    Pause,
    /// Pauses, and goes on to the next value.
    Step,
    /// Goes to a time.
    Seek {
        /// Seconds of the session.
        position_s: f64,
    },
    /// Plays at another pace.
    Pace {
        /// How many times as fast as it was recorded, 0.1 to 100; `None` for as fast as it can.
        factor: Option<f64>,
    },
    /// Begins anew at the end, or does not.
    Looping {
        /// Which of the two.
        on: bool,
    },
}

/// The replay that is in use, if one is.
#[derive(Default)]
pub(crate) struct Replaying(Mutex<Option<Playing>>);

struct Playing {
    replay: Arc<Replay>,
    transport: Transport,
    file: String,
    name: String,
    told: Option<ReplayView>,
}

impl Playing {
    fn view(&self) -> ReplayView {
        let State {
            position,
            length,
            pace,
            playing,
            ended,
            looping,
            unreadable,
            damage,
        } = self.transport.state();
        ReplayView {
            file: self.file.clone(),
            name: self.name.clone(),
            position_s: position.seconds(),
            length_s: length.seconds(),
            pace: pace.factor(),
            playing,
            ended,
            looping,
            unreadable: u32::try_from(unreadable).unwrap_or(u32::MAX),
            damage: damage.map(|damage| decode::clean::text(&damage, 300).into_owned()),
        }
    }
}

impl Replaying {
    fn playing(&self) -> MutexGuard<'_, Option<Playing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file that is played, if one is.
    pub(crate) fn file(&self) -> Option<String> {
        self.playing().as_ref().map(|playing| playing.file.clone())
    }
}

impl Inner {
    /// Every way to reach adapters that there is now.
    pub(crate) fn backends(&self) -> Vec<Arc<dyn Backend>> {
        let replay = self.replaying.playing();
        let replay = replay
            .as_ref()
            .map(|playing| Arc::clone(&playing.replay) as Arc<dyn Backend>);
        self.radios.backends.iter().cloned().chain(replay).collect()
    }

    /// Tells where the replay stands, if that is news, or `anyway`.
    pub(crate) fn tell_replay(&self, anyway: bool) {
        let _order = self.news.order();
        let mut playing = self.replaying.playing();
        let view = playing.as_ref().map(Playing::view);
        let news = match &mut *playing {
            Some(playing) if playing.told != view => {
                playing.told.clone_from(&view);
                true
            }
            _ => anyway,
        };
        drop(playing);
        if news {
            self.news.tell(Event::Replay { replay: view });
        }
    }

    /// Another radio is in use: what it gives goes to a session of its own again.
    pub(crate) async fn replay_over(self: &Arc<Self>) {
        let over = self.replaying.playing().take();
        if let Some(over) = over {
            self.end_replay(over).await;
        }
    }

    async fn end_replay(self: &Arc<Self>, over: Playing) {
        self.radios.list_replay(None);
        self.note(format!("The replay of {} ends", over.file));
        drop(over);
        self.tell_replay(true);
        if let Err(problem) = self.new_recording().await {
            self.notice("bad", "The recording goes on", problem, None, "");
        }
    }

    fn note(&self, text: String) {
        let now = self.now();
        self.record(|recorder| recorder.record(now, Recorded::Note { text: text.into() }));
    }

    /// Begins a session that says that it is made of another.
    async fn record_replay(self: &Arc<Self>, file: &str, name: &str) -> Result<(), Problem> {
        self.new_recording().await?;
        let title = format!("Replay of {name}");
        let recorder = self.recorder()?;
        let called = blocking(self, move || Ok(library::rename(recorder.path(), &title)?));
        if let Err(problem) = called.await {
            tracing::warn!(%problem, "the session of a replay has no title");
        }
        self.note(format!("Replay of {file}: nothing here came from the air"));
        Ok(())
    }
}

/// Opens a session to be played.
fn opened(inner: &Inner, path: &Path) -> Result<(Replay, String), Problem> {
    if let Ok(recorder) = inner.recorder()
        && recorder.path() == path
    {
        // What is in memory is played too, if it can be written.
        settle(&recorder)?;
    }
    let name = library::entry(path)?.name();
    let name = decode::clean::text(&name, NAME).into_owned();
    let session = Session::open(path)?;
    let replay = Replay::new(inner.clock.clone(), session, &name)?;
    Ok((replay, name))
}

impl Explorer {
    /// Uses a session of the folder as the radio: its devices advertise, are connected and send as they did. It plays
    /// from the start, and a new recording begins, which says that it is a replay. Connections of the last radio end.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the session cannot be opened; then the last radio stays in use.
    pub async fn replay_session(&self, file: String) -> Result<(), Problem> {
        self.run(|inner| async move {
            let turn = inner.radios.turn.lock().await;
            let path = inner.session_file(&file)?;
            let asked = Arc::clone(&inner);
            let (replay, name) = blocking(&inner, move || opened(&asked, &path)).await?;
            let replay = Arc::new(replay);
            let backend = Arc::clone(&replay) as Arc<dyn Backend>;
            let Some(info) = replay.adapters().await?.into_iter().next() else {
                return Err(radio::Error::NoAdapter { id: file }.into());
            };
            inner.open(&backend, &info.id, None).await?;
            inner.radios.list_replay(Some((backend, info)));
            let transport = replay.transport();
            let playing = Playing {
                replay,
                transport: transport.clone(),
                file: file.clone(),
                name: name.clone(),
                told: None,
            };
            let last = inner.replaying.playing().replace(playing);
            if let Some(last) = &last {
                inner.note(format!("The replay of {} ends", last.file));
            }
            drop((last, turn));
            // What did not come from the air must not stand among what did.
            if let Err(problem) = inner.record_replay(&file, &name).await {
                drop(inner.replaying.playing().take());
                inner.radios.list_replay(None);
                inner.look().await?;
                inner.tell_replay(true);
                return Err(problem);
            }
            inner.tell_radio();
            transport.play();
            inner.tell_replay(true);
            inner.scan().await
        })
        .await?;
        // It is on the air now; a session that is open in front of it would hide it.
        self.close_session();
        Ok(())
    }

    /// Tells the transport of the replay something.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if no replay is in use, or there is no such pace or time.
    pub fn replay(&self, command: ReplayCommand) -> Result<(), Problem> {
        let inner = &self.0;
        let transport = inner
            .replaying
            .playing()
            .as_ref()
            .map(|playing| playing.transport.clone())
            .ok_or_else(|| {
                Problem::new(
                    "no_replay",
                    "No session is played.",
                    "Choose one in the view Sessions, and play it.",
                )
            })?;
        match command {
            ReplayCommand::Play => transport.play(),
            ReplayCommand::Pause => transport.pause(),
            ReplayCommand::Step => transport.step(),
            ReplayCommand::Seek { position_s } if position_s.is_finite() => {
                transport.seek(SessionTime((position_s * 1e9) as i64));
            }
            ReplayCommand::Seek { .. } => {
                return Err(Problem::new(
                    "input",
                    "That is no time of the session.",
                    "Give its seconds.",
                ));
            }
            ReplayCommand::Pace { factor } => {
                let pace = match factor {
                    None => Some(Pace::UNBOUNDED),
                    Some(factor) => Pace::times(factor),
                };
                transport.set_pace(pace.ok_or_else(|| {
                    Problem::new(
                        "input",
                        "A replay has no such pace.",
                        "Use 0.1 to 100 times, or as fast as it can.",
                    )
                })?);
            }
            ReplayCommand::Looping { on } => transport.set_looping(on),
        }
        inner.tell_replay(false);
        Ok(())
    }

    /// Goes back to the radio that would have been chosen without the replay; does nothing where none is in use. Its
    /// connections end, and a new recording begins.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if there is no radio; then the replay goes on.
    pub async fn stop_replay(&self) -> Result<(), Problem> {
        self.run(|inner| async move {
            let Some(over) = inner.replaying.playing().take() else {
                return Ok(());
            };
            // Without it, what is looked for is another.
            if let Err(problem) = inner.look().await {
                let backend = Arc::clone(&over.replay) as Arc<dyn Backend>;
                let info = backend.adapters().await?.into_iter().next();
                *inner.replaying.playing() = Some(over);
                inner.radios.list_replay(info.map(|info| (backend, info)));
                inner.tell_radio();
                return Err(problem);
            }
            inner.end_replay(over).await;
            inner.scan().await
        })
        .await
    }
}
