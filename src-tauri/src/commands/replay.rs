//! A session that plays as a radio, and its transport.

use explorer::view::Problem;
use explorer::{Explorer, ReplayCommand};
use tauri::State;

/// Uses a session of the folder as the radio, and plays it.
#[tauri::command]
pub(crate) async fn replay_session(
    explorer: State<'_, Explorer>,
    file: String,
) -> Result<(), Problem> {
    explorer.replay_session(file).await
}

/// Plays, pauses, steps, seeks.
#[tauri::command]
pub(crate) async fn replay(
    explorer: State<'_, Explorer>,
    command: ReplayCommand,
) -> Result<(), Problem> {
    explorer.replay(command)
}

/// Goes back to the radio.
#[tauri::command]
pub(crate) async fn stop_replay(explorer: State<'_, Explorer>) -> Result<(), Problem> {
    explorer.stop_replay().await
}
