//! Starts everything in its order: folders, log, settings, radio, explorer, window; and ends it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use explorer::{Config, Explorer};
use radio::btleplug::Btleplug;
use radio::simulated::Simulated;
use radio::{Backend, Clock};
use tauri::{AppHandle, Manager, RunEvent, WebviewUrl, WebviewWindowBuilder};

use crate::{Arguments, commands, demo, logging, settings};

/// The smallest window that holds all panels.
const MIN_SIZE: (f64, f64) = (1024.0, 640.0);
/// What a first window takes.
const SIZE: (f64, f64) = (1440.0, 900.0);
/// How long links and the recording get to end well.
const ENDING: Duration = Duration::from_secs(8);

/// Runs the program until its window is closed.
#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    let radio_runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("radio")
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("gattscope: no threads for the radio: {error}");
            return ExitCode::FAILURE;
        }
    };
    let handle = radio_runtime.handle().clone();
    let app = commands::register(tauri::Builder::default())
        .plugin(tauri_plugin_single_instance::init(|app, _, _| show(app)))
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::init())
        .plugin(tauri_plugin_store::Builder::default().build())
        .plugin(
            tauri_plugin_window_state::Builder::default()
                .with_state_flags(
                    tauri_plugin_window_state::StateFlags::POSITION
                        | tauri_plugin_window_state::StateFlags::SIZE
                        | tauri_plugin_window_state::StateFlags::MAXIMIZED,
                )
                .build(),
        )
        .setup(move |app| {
            start(app.handle(), &arguments, handle)?;
            Ok(())
        })
        .build(tauri::generate_context!());
    let app = match app {
        Ok(app) => app,
        Err(error) => {
            eprintln!("gattscope: the window cannot be opened: {error}");
            return ExitCode::FAILURE;
        }
    };
    let runtime = radio_runtime.handle().clone();
    app.run(move |app, event| {
        if let RunEvent::Exit = event
            && let Some(explorer) = app.try_state::<Explorer>()
        {
            let explorer = explorer.inner().clone();
            let ended =
                runtime.block_on(async { tokio::time::timeout(ENDING, explorer.close()).await });
            if ended.is_err() {
                tracing::error!("links or the recording did not end in time");
            }
        }
    });
    ExitCode::SUCCESS
}

fn start(
    app: &AppHandle,
    arguments: &Arguments,
    runtime: tokio::runtime::Handle,
) -> Result<(), Box<dyn std::error::Error>> {
    let data = app.path().app_data_dir()?;
    let logs = app.path().app_log_dir()?;
    let mut preferences = settings::load(app);
    let log = logging::start(&logs, &preferences.log_level);
    if let Some(theme) = &arguments.theme {
        preferences.theme.clone_from(theme);
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        os = std::env::consts::OS,
        "started"
    );

    let clock = Clock::monotonic();
    let simulated = Arc::new(Simulated::new(clock.clone(), seed()));
    let mut backends: Vec<Arc<dyn Backend>> = Vec::new();
    if !arguments.simulated {
        // The first that has an adapter is used, unless another was chosen.
        #[cfg(target_os = "linux")]
        backends.push(Arc::new(radio::bluez::Bluez::new(clock.clone())));
        backends.push(Arc::new(Btleplug::new(clock.clone())));
    }
    backends.push(Arc::clone(&simulated) as Arc<dyn Backend>);
    let explorer = Explorer::start(
        Config {
            backends,
            session_folder: session_folder(data),
            log_folder: logs,
            preferences,
            clock,
        },
        runtime.clone(),
    );
    log.show_in(explorer.clone());
    if !arguments.passing() {
        settings::keep(app.clone(), explorer.clone(), &runtime);
    }
    app.manage(explorer.clone());
    app.manage(log);

    let (width, height) = fitting(app);
    let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
        .title("Gattscope")
        .inner_size(width, height)
        .min_inner_size(MIN_SIZE.0, MIN_SIZE.1)
        .build()?;
    window.set_focus()?;

    runtime.spawn(end_when_asked(app.clone()));
    let demo = arguments.demo;
    runtime.spawn(async move {
        if let Err(problem) = begin(&explorer).await {
            tracing::warn!(%problem, "no scan");
        }
        if demo && let Err(problem) = demo::run(&explorer, &simulated).await {
            tracing::error!(%problem, "the demonstration stopped");
        }
        announce();
    });
    Ok(())
}

/// Ends the program as the closing of its window does when the system asks it to end: links and the
/// recording end well.
async fn end_when_asked(app: AppHandle) {
    match asked_to_end().await {
        Ok(()) => app.exit(0),
        Err(error) => tracing::warn!(%error, "the system cannot ask this program to end"),
    }
}

#[cfg(unix)]
async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn asked_to_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// What a first window takes of a screen that may be smaller, in logical pixels.
fn fitting(app: &AppHandle) -> (f64, f64) {
    let Ok(Some(monitor)) = app.primary_monitor() else {
        return SIZE;
    };
    let screen = monitor.size().to_logical::<f64>(monitor.scale_factor());
    (
        SIZE.0.min(screen.width).max(MIN_SIZE.0),
        SIZE.1.min(screen.height).max(MIN_SIZE.1),
    )
}

/// Chooses a radio and scans, so that what is on the air is seen at once.
async fn begin(explorer: &Explorer) -> Result<(), explorer::view::Problem> {
    explorer.look_again().await?;
    explorer.start_scan().await
}

/// Tells whoever started the program that there is something to see.
fn announce() {
    println!("gattscope: ready");
}

fn session_folder(data: PathBuf) -> PathBuf {
    data.join("sessions")
}

/// The simulated lab is another one each time, unless `GATTSCOPE_SEED` says which.
fn seed() -> u64 {
    std::env::var("GATTSCOPE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| u64::from(std::process::id()))
}

/// A second start brings the first window forward: two programs would fight over the adapter.
fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window("main") {
        let _ = window.unminimize();
        let _ = window.set_focus();
    }
}
