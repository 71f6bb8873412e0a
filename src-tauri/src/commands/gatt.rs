//! The tree and the inspector.

use explorer::view::{EncodedView, InspectView, Problem, WriteInput};
use explorer::{CounterChoice, Explorer, ReconciledView};
use tauri::State;

/// Reads an attribute.
#[tauri::command]
pub(crate) async fn read(explorer: State<'_, Explorer>, attribute: u64) -> Result<(), Problem> {
    explorer.shown().read(attribute).await
}

/// Writes what was typed.
#[tauri::command]
pub(crate) async fn write(
    explorer: State<'_, Explorer>,
    attribute: u64,
    input: WriteInput,
    with_response: bool,
) -> Result<(), Problem> {
    explorer
        .shown()
        .write(attribute, input, with_response)
        .await
}

/// Subscribes.
#[tauri::command]
pub(crate) async fn subscribe(
    explorer: State<'_, Explorer>,
    attribute: u64,
) -> Result<(), Problem> {
    explorer.shown().subscribe(attribute).await
}

/// Chooses how an attribute is subscribed from the next time on.
#[tauri::command]
pub(crate) async fn set_notify(
    explorer: State<'_, Explorer>,
    attribute: u64,
    mode: String,
    route: String,
) -> Result<(), Problem> {
    explorer.shown().set_notify(attribute, &mode, &route)
}

/// Ends a subscription.
#[tauri::command]
pub(crate) async fn unsubscribe(
    explorer: State<'_, Explorer>,
    attribute: u64,
) -> Result<(), Problem> {
    explorer.shown().unsubscribe(attribute).await
}

/// What the inspector shows.
#[tauri::command]
pub(crate) async fn inspect(
    explorer: State<'_, Explorer>,
    attribute: u64,
) -> Result<InspectView, Problem> {
    explorer.shown().inspect(attribute)
}

/// What typing would send.
#[tauri::command]
pub(crate) async fn encode(
    explorer: State<'_, Explorer>,
    input: WriteInput,
) -> Result<EncodedView, Problem> {
    Ok(explorer.shown().encode(&input))
}

/// Decodes with another format.
#[tauri::command]
pub(crate) async fn set_format(
    explorer: State<'_, Explorer>,
    attribute: u64,
    format: String,
) -> Result<(), Problem> {
    explorer.shown().set_format(attribute, &format)
}

/// Gives the UUID of an attribute a name of the user's, or takes it away.
#[tauri::command]
pub(crate) async fn set_name(
    explorer: State<'_, Explorer>,
    attribute: u64,
    name: String,
) -> Result<(), Problem> {
    explorer.shown().set_name(attribute, &name)
}

/// Draws values by when they arrived or by when the device took them.
#[tauri::command]
pub(crate) async fn set_time_axis(
    explorer: State<'_, Explorer>,
    attribute: u64,
    axis: String,
) -> Result<(), Problem> {
    explorer.shown().set_time_axis(attribute, &axis)
}

/// Chooses which bytes count the values; without a choice the format says so.
#[tauri::command]
pub(crate) async fn set_counter(
    explorer: State<'_, Explorer>,
    attribute: u64,
    choice: Option<CounterChoice>,
) -> Result<(), Problem> {
    explorer.set_counter(attribute, choice)
}

/// What the counters of all characteristics have found.
#[tauri::command]
pub(crate) async fn reconciliations(
    explorer: State<'_, Explorer>,
) -> Result<Vec<ReconciledView>, Problem> {
    Ok(explorer.reconciliations())
}
