//! What the program and its libraries say of themselves: into a file that rotates daily, and into
//! the window's log, both at a level that can be switched while it runs.
//!
//! `btleplug` speaks through `log`; those records come along.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use explorer::Explorer;
use explorer::log::entry;
use explorer::view::Problem;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_log::NormalizeEvent;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

/// Log files that are kept, one a day.
const FILES: usize = 7;
/// Longest line that the window gets, in characters.
const LINE: usize = 500;

/// The running log.
pub(crate) struct Logging {
    filter: reload::Handle<EnvFilter, Registry>,
    window: Arc<OnceLock<Explorer>>,
    /// Writes what is left when it is dropped.
    _file: Option<WorkerGuard>,
}

/// Starts logging. A folder that cannot be written costs the file and nothing else.
pub(crate) fn start(folder: &Path, level: &str) -> Logging {
    let (filter, handle) = reload::Layer::new(filter(level));
    let window = Arc::new(OnceLock::new());
    let appender = std::fs::create_dir_all(folder).ok().and_then(|()| {
        RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix("gattscope")
            .filename_suffix("log")
            .max_log_files(FILES)
            .build(folder)
            .ok()
    });
    let (file, guard) = appender.map_or((None, None), |appender| {
        let (writer, guard) = tracing_appender::non_blocking(appender);
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(writer)
            .with_ansi(false);
        (Some(layer), Some(guard))
    });
    let started = tracing_subscriber::registry()
        .with(filter)
        .with(file)
        .with(WindowLayer(Arc::clone(&window)))
        .try_init();
    if started.is_err() {
        eprintln!("gattscope: another log is running in this process; this one stays silent");
    }
    if guard.is_none() {
        tracing::warn!(folder = %folder.display(), "no log file: the folder cannot be written");
    }
    Logging {
        filter: handle,
        window,
        _file: guard,
    }
}

/// Our own crates and the radio libraries at `level`; everybody else warns.
fn filter(level: &str) -> EnvFilter {
    let level = level.parse().unwrap_or(LevelFilter::INFO);
    EnvFilter::new(format!(
        "warn,gattscope={level},gattscope_shell={level},explorer={level},radio={level},\
         session={level},btleplug={level},bluez_async={level}"
    ))
}

impl Logging {
    /// From now on the window sees it too.
    pub(crate) fn show_in(&self, explorer: Explorer) {
        let _ = self.window.set(explorer);
    }

    /// Switches the level.
    pub(crate) fn set_level(&self, level: &str) -> Result<(), Problem> {
        if level.parse::<LevelFilter>().is_err() {
            return Err(Problem::new(
                "input",
                "There is no such log level.",
                "Use error, warn, info, debug or trace.",
            ));
        }
        self.filter
            .reload(filter(level))
            .map_err(|error| Problem::new("log", format!("The log level stays: {error}."), ""))
    }
}

/// Hands records to the explorer's log.
struct WindowLayer(Arc<OnceLock<Explorer>>);

impl<S: Subscriber> Layer<S> for WindowLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let Some(explorer) = self.0.get() else { return };
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let mut line = Line::default();
        event.record(&mut line);
        let level = metadata.level().as_str().to_lowercase();
        let mut entry = entry(explorer.now_ms(), &level, "app", metadata.target());
        entry.detail = explorer::clean(&line.0, LINE);
        explorer.log(entry);
    }
}

/// A record as one line: its message, then its fields.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            // Where a record of `log` came from; the target says it.
            name if name.starts_with("log.") => Ok(()),
            name => write!(
                self.0,
                "{}{name}={value:?}",
                if self.0.is_empty() { "" } else { " " }
            ),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_not_known_is_the_default_and_others_stay_quiet() {
        assert!(filter("nonsense").to_string().contains("explorer=info"));
        let debug = filter("debug").to_string();
        assert!(
            debug.contains("btleplug=debug") && debug.contains("warn"),
            "{debug}"
        );
    }
}
