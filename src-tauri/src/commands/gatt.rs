//! The tree and the inspector.

use explorer::Explorer;
use explorer::view::{EncodedView, InspectView, Problem, WriteInput};
use tauri::State;

/// Reads an attribute.
#[tauri::command]
pub(crate) async fn read(explorer: State<'_, Explorer>, attribute: u64) -> Result<(), Problem> {
    explorer.read(attribute).await
}

/// Writes what was typed.
#[tauri::command]
pub(crate) async fn write(
    explorer: State<'_, Explorer>,
    attribute: u64,
    input: WriteInput,
    with_response: bool,
) -> Result<(), Problem> {
    explorer.write(attribute, input, with_response).await
}

/// Subscribes.
#[tauri::command]
pub(crate) async fn subscribe(
    explorer: State<'_, Explorer>,
    attribute: u64,
) -> Result<(), Problem> {
    explorer.subscribe(attribute).await
}

/// Chooses how an attribute is subscribed from the next time on.
#[tauri::command]
pub(crate) async fn set_notify(
    explorer: State<'_, Explorer>,
    attribute: u64,
    mode: String,
    route: String,
) -> Result<(), Problem> {
    explorer.set_notify(attribute, &mode, &route)
}

/// Ends a subscription.
#[tauri::command]
pub(crate) async fn unsubscribe(
    explorer: State<'_, Explorer>,
    attribute: u64,
) -> Result<(), Problem> {
    explorer.unsubscribe(attribute).await
}

/// What the inspector shows.
#[tauri::command]
pub(crate) async fn inspect(
    explorer: State<'_, Explorer>,
    attribute: u64,
) -> Result<InspectView, Problem> {
    explorer.inspect(attribute)
}

/// What typing would send.
#[tauri::command]
pub(crate) async fn encode(
    explorer: State<'_, Explorer>,
    input: WriteInput,
) -> Result<EncodedView, Problem> {
    Ok(explorer.encode(&input))
}

/// Decodes with another format.
#[tauri::command]
pub(crate) async fn set_format(
    explorer: State<'_, Explorer>,
    attribute: u64,
    format: String,
) -> Result<(), Problem> {
    explorer.set_format(attribute, &format)
}

/// Draws values by when they arrived or by when the device took them.
#[tauri::command]
pub(crate) async fn set_time_axis(
    explorer: State<'_, Explorer>,
    attribute: u64,
    axis: String,
) -> Result<(), Problem> {
    explorer.set_time_axis(attribute, &axis)
}

/// What another format would show.
#[tauri::command]
pub(crate) async fn preview_format(
    explorer: State<'_, Explorer>,
    attribute: u64,
    format: String,
) -> Result<InspectView, Problem> {
    explorer.preview_format(attribute, &format)
}
