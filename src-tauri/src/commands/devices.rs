//! The device list, its tabs, their connections.

use explorer::Explorer;
use explorer::view::{AdvertView, PreviewView, Problem};
use tauri::State;

/// Shows only devices that pass a filter.
#[tauri::command]
pub(crate) async fn set_filter(explorer: State<'_, Explorer>, text: String) -> Result<(), Problem> {
    explorer.shown().set_filter(&text)
}

/// What a device advertises; of a part, the newest values too.
#[tauri::command]
pub(crate) async fn advert(
    explorer: State<'_, Explorer>,
    device: String,
    part: Option<String>,
) -> Result<AdvertView, Problem> {
    explorer.shown().advert(&device.into(), part.as_deref())
}

/// Stars a device or takes the star away.
#[tauri::command]
pub(crate) async fn star(
    explorer: State<'_, Explorer>,
    device: String,
    on: bool,
) -> Result<(), Problem> {
    explorer.shown().star(&device.into(), on);
    Ok(())
}

/// Gives a device a name of the user's.
#[tauri::command]
pub(crate) async fn set_alias(
    explorer: State<'_, Explorer>,
    device: String,
    alias: Option<String>,
) -> Result<(), Problem> {
    explorer.shown().set_alias(&device.into(), alias);
    Ok(())
}

/// Connects.
#[tauri::command]
pub(crate) async fn connect(explorer: State<'_, Explorer>, device: String) -> Result<(), Problem> {
    explorer.connect(device.into()).await
}

/// Connects to the device that a name, an address or an identifier stands for.
#[tauri::command]
pub(crate) async fn connect_to(explorer: State<'_, Explorer>, text: String) -> Result<(), Problem> {
    explorer.connect_to(text).await
}

/// Asks for other connection parameters.
#[tauri::command]
pub(crate) async fn request_parameters(
    explorer: State<'_, Explorer>,
    device: String,
    preset: String,
) -> Result<(), Problem> {
    explorer.request_parameters(device.into(), preset).await
}

/// Gives up the search for a device.
#[tauri::command]
pub(crate) async fn stop_seeking(explorer: State<'_, Explorer>) -> Result<(), Problem> {
    explorer.stop_seeking();
    Ok(())
}

/// Gives an attempt to connect up.
#[tauri::command]
pub(crate) async fn cancel_connect(
    explorer: State<'_, Explorer>,
    device: String,
) -> Result<(), Problem> {
    explorer.cancel_connect(&device.into());
    Ok(())
}

/// Chooses whether a device is come back to when its link ends by itself.
#[tauri::command]
pub(crate) async fn set_auto_reconnect(
    explorer: State<'_, Explorer>,
    device: String,
    on: bool,
) -> Result<(), Problem> {
    explorer.set_auto_reconnect(&device.into(), on);
    Ok(())
}

/// Disconnects.
#[tauri::command]
pub(crate) async fn disconnect(
    explorer: State<'_, Explorer>,
    device: String,
) -> Result<(), Problem> {
    explorer.disconnect(device.into()).await
}

/// Disconnects and forgets the tab.
#[tauri::command]
pub(crate) async fn close_device(
    explorer: State<'_, Explorer>,
    device: String,
) -> Result<(), Problem> {
    explorer.close_device(device.into()).await
}

/// Pairs. What the system asks meanwhile comes as an event.
#[tauri::command]
pub(crate) async fn pair(explorer: State<'_, Explorer>, device: String) -> Result<(), Problem> {
    explorer.pair(device.into()).await
}

/// Gives a pairing up.
#[tauri::command]
pub(crate) async fn cancel_pair(
    explorer: State<'_, Explorer>,
    device: String,
) -> Result<(), Problem> {
    explorer.cancel_pair(&device.into());
    Ok(())
}

/// Answers a question of pairing.
#[tauri::command]
pub(crate) async fn answer_pairing(
    explorer: State<'_, Explorer>,
    id: u32,
    accept: bool,
    passkey: Option<String>,
) -> Result<(), Problem> {
    explorer.answer_pairing(id, accept, passkey.as_deref())
}

/// Forgets the keys of a device.
#[tauri::command]
pub(crate) async fn unpair(explorer: State<'_, Explorer>, device: String) -> Result<(), Problem> {
    explorer.unpair(device.into()).await
}

/// Makes the system forget all that it remembers of a device.
#[tauri::command]
pub(crate) async fn forget(explorer: State<'_, Explorer>, device: String) -> Result<(), Problem> {
    explorer.forget(device.into()).await
}

/// Draws the numbers of a part of what a device advertises, or stops.
#[tauri::command]
pub(crate) async fn plot_advert(
    explorer: State<'_, Explorer>,
    device: String,
    part: String,
    on: bool,
) -> Result<(), Problem> {
    explorer.shown().plot_advert(&device.into(), &part, on)
}

/// Reads what a company or a service advertises by a layout.
#[tauri::command]
pub(crate) async fn set_advert_format(
    explorer: State<'_, Explorer>,
    part: String,
    format: String,
) -> Result<(), Problem> {
    explorer.shown().set_advert_format(&part, &format)
}

/// What a layout would make of the newest payload.
#[tauri::command]
pub(crate) async fn preview_advert_format(
    explorer: State<'_, Explorer>,
    device: String,
    part: String,
    format: String,
) -> Result<PreviewView, Problem> {
    let shown = explorer.shown();
    shown.preview_advert_format(&device.into(), &part, &format)
}
