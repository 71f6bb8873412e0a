//! The tree and the inspector.

use explorer::view::{
    EncodedView, FormatView, InspectView, PreviewView, Problem, SuggestionView, WriteInput,
};
use explorer::{BlankView, CounterChoice, Explorer, FilledView, GivenField, ReconciledView};
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

/// What a write form asks for.
#[tauri::command]
pub(crate) async fn blanks(
    explorer: State<'_, Explorer>,
    attribute: u64,
) -> Result<Vec<BlankView>, Problem> {
    explorer.shown().blanks(attribute)
}

/// What bytes say in the words of the form.
#[tauri::command]
pub(crate) async fn fill_in(
    explorer: State<'_, Explorer>,
    attribute: u64,
    bytes: String,
) -> Result<FilledView, Problem> {
    explorer.shown().fill_in(attribute, &bytes)
}

/// What the form would send.
#[tauri::command]
pub(crate) async fn encode_fields(
    explorer: State<'_, Explorer>,
    attribute: u64,
    fields: Vec<GivenField>,
) -> Result<EncodedView, Problem> {
    explorer.shown().encode_fields(attribute, &fields)
}

/// Decodes with another format, for devices of its model or for every device. Answers with the one in force then.
#[tauri::command]
pub(crate) async fn set_format(
    explorer: State<'_, Explorer>,
    attribute: u64,
    format: String,
    for_model: bool,
) -> Result<FormatView, Problem> {
    match for_model {
        true => explorer.shown().set_model_format(attribute, &format),
        false => explorer.shown().set_format(attribute, &format),
    }
}

/// What a layout would make of the newest value.
#[tauri::command]
pub(crate) async fn preview_format(
    explorer: State<'_, Explorer>,
    attribute: u64,
    format: String,
) -> Result<PreviewView, Problem> {
    explorer.shown().preview_format(attribute, &format)
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

/// Proposes layouts for the values that came.
#[tauri::command]
pub(crate) async fn suggest_formats(
    explorer: State<'_, Explorer>,
    attribute: u64,
) -> Result<Vec<SuggestionView>, Problem> {
    explorer.shown().suggest_formats(attribute).await
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
