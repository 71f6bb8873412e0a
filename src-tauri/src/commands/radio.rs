//! The radio bar: adapter, power, scan.

use explorer::Explorer;
use explorer::view::Problem;
use tauri::State;

/// Looks for adapters again.
#[tauri::command]
pub(crate) async fn look_again(explorer: State<'_, Explorer>) -> Result<(), Problem> {
    explorer.look_again().await
}

/// Uses another adapter.
#[tauri::command]
pub(crate) async fn choose_adapter(
    explorer: State<'_, Explorer>,
    id: String,
) -> Result<(), Problem> {
    explorer.choose_adapter(id).await
}

/// Switches the adapter on or off.
#[tauri::command]
pub(crate) async fn set_power(explorer: State<'_, Explorer>, on: bool) -> Result<(), Problem> {
    explorer.set_power(on).await
}

/// Starts scanning.
#[tauri::command]
pub(crate) async fn start_scan(explorer: State<'_, Explorer>) -> Result<(), Problem> {
    explorer.start_scan().await
}

/// Stops scanning.
#[tauri::command]
pub(crate) async fn stop_scan(explorer: State<'_, Explorer>) -> Result<(), Problem> {
    explorer.stop_scan().await
}

/// Chooses whether scans ask for scan responses.
#[tauri::command]
pub(crate) async fn set_passive_scan(
    explorer: State<'_, Explorer>,
    on: bool,
) -> Result<(), Problem> {
    explorer.set_passive_scan(on).await
}
