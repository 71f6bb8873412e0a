//! The channel of events, and what is remembered between runs.

use explorer::Explorer;
use explorer::view::{Event, Problem, Welcome};
use tauri::State;
use tauri::ipc::Channel;

use crate::logging::Logging;

/// Binds the one channel of events; the whole state follows on it. A page that is loaded anew binds
/// it again.
#[tauri::command]
pub(crate) async fn listen(
    explorer: State<'_, Explorer>,
    channel: Channel<Event>,
) -> Result<Welcome, Problem> {
    Ok(explorer.listen(move |event| {
        // A page that is gone hears nothing; the next one binds its own channel.
        let _ = channel.send(event);
    }))
}

/// Switches the level of the log.
#[tauri::command]
pub(crate) async fn set_log_level(
    explorer: State<'_, Explorer>,
    logging: State<'_, Logging>,
    level: String,
) -> Result<(), Problem> {
    logging.set_level(&level)?;
    explorer.prefer(|preferences| preferences.log_level = level);
    Ok(())
}

/// Chooses a theme.
#[tauri::command]
pub(crate) async fn set_theme(explorer: State<'_, Explorer>, theme: String) -> Result<(), Problem> {
    if !["system", "light", "dark"].contains(&theme.as_str()) {
        return Err(Problem::new(
            "input",
            "There is no such theme.",
            "Use system, light or dark.",
        ));
    }
    explorer.prefer(|preferences| preferences.theme = theme);
    Ok(())
}

/// Chooses how long connecting may take.
#[tauri::command]
pub(crate) async fn set_connect_timeout(
    explorer: State<'_, Explorer>,
    seconds: u32,
) -> Result<(), Problem> {
    if !(1..=300).contains(&seconds) {
        return Err(Problem::new(
            "input",
            "Connecting can take 1 to 300 seconds.",
            "Type a number in that range.",
        ));
    }
    explorer.prefer(|preferences| preferences.connect_timeout_s = seconds);
    Ok(())
}

/// Chooses whether single letters act on a focused row or plot.
#[tauri::command]
pub(crate) async fn set_single_key_shortcuts(
    explorer: State<'_, Explorer>,
    on: bool,
) -> Result<(), Problem> {
    explorer.prefer(|preferences| preferences.single_key_shortcuts = on);
    Ok(())
}

/// Chooses what the device list is sorted by.
#[tauri::command]
pub(crate) async fn set_sort(explorer: State<'_, Explorer>, sort: String) -> Result<(), Problem> {
    if !["signal", "name", "last", "first"].contains(&sort.as_str()) {
        return Err(Problem::new(
            "input",
            "There is no such order.",
            "Use signal, name, last or first.",
        ));
    }
    explorer.prefer(|preferences| preferences.sort = sort);
    Ok(())
}

/// The panels whose size is remembered.
const PANELS: [&str; 3] = ["left", "right", "dock"];

/// Remembers the size of a panel, CSS pixels; 0 is collapsed.
#[tauri::command]
pub(crate) async fn set_panel(
    explorer: State<'_, Explorer>,
    panel: String,
    size: u32,
) -> Result<(), Problem> {
    if !PANELS.contains(&panel.as_str()) || size > 10_000 {
        return Err(Problem::new(
            "input",
            "There is no such panel, or it cannot be that large.",
            "Use left, right or dock.",
        ));
    }
    explorer.prefer(|preferences| {
        preferences.panels.insert(panel, size);
    });
    Ok(())
}

/// Chooses how many days, and how many gigabytes together, sessions are kept; 0 for no limit.
#[tauri::command]
pub(crate) async fn set_retention(
    explorer: State<'_, Explorer>,
    days: u32,
    gigabytes: u32,
) -> Result<(), Problem> {
    explorer.set_retention(days, gigabytes)
}

/// Chooses how often an advertisement of each device is recorded, seconds; 0 for every one.
#[tauri::command]
pub(crate) async fn sample_adverts(
    explorer: State<'_, Explorer>,
    seconds: u32,
) -> Result<(), Problem> {
    explorer.sample_adverts(seconds)
}
