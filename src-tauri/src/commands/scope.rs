//! The scope, and the pump that the page pulls frames from.

use explorer::Explorer;
use explorer::view::{Problem, PumpRequest, StatisticsView};
use tauri::State;
use tauri::ipc::Response;

/// Draws an attribute's numbers, or stops.
#[tauri::command]
pub(crate) async fn plot(
    explorer: State<'_, Explorer>,
    attribute: u64,
    on: bool,
) -> Result<(), Problem> {
    explorer.shown().plot(attribute, on)
}

/// Shows or hides a series.
#[tauri::command]
pub(crate) async fn set_visible(
    explorer: State<'_, Explorer>,
    series: u32,
    visible: bool,
) -> Result<(), Problem> {
    explorer.shown().set_visible(series, visible);
    Ok(())
}

/// Stops drawing a series.
#[tauri::command]
pub(crate) async fn remove_series(
    explorer: State<'_, Explorer>,
    series: u32,
) -> Result<(), Problem> {
    explorer.shown().remove_series(series);
    Ok(())
}

/// Stops drawing anything.
#[tauri::command]
pub(crate) async fn clear_scope(explorer: State<'_, Explorer>) -> Result<(), Problem> {
    explorer.shown().clear_scope();
    Ok(())
}

/// Numbers of series over a range.
#[tauri::command]
pub(crate) async fn statistics(
    explorer: State<'_, Explorer>,
    series: Vec<u32>,
    from: f64,
    to: f64,
) -> Result<Vec<StatisticsView>, Problem> {
    Ok(explorer.shown().statistics(&series, from, to))
}

/// Values of series at a moment.
#[tauri::command]
pub(crate) async fn values_at(
    explorer: State<'_, Explorer>,
    series: Vec<u32>,
    t: f64,
) -> Result<Vec<Option<f64>>, Problem> {
    Ok(explorer.shown().values_at(&series, t))
}

/// The next frame. The page asks for one at a time: that is the back-pressure, and a page that
/// stalls costs its own frames and nothing else.
#[tauri::command]
pub(crate) async fn pump(
    explorer: State<'_, Explorer>,
    request: PumpRequest,
) -> Result<Response, Problem> {
    Ok(Response::new(explorer.shown().pump(&request).await))
}
