//! What goes to files. Paths are chosen in the system's dialogs and never come from the page.

use std::path::{Path, PathBuf};

use explorer::view::{ExportView, Problem};
use explorer::{Explorer, PictureKind, PictureRequest};
use tauri::{AppHandle, Manager, State};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;

/// Saves the recording of one device, or of all, as CSV. `None` if the dialog was closed.
#[tauri::command]
pub(crate) async fn export_csv(
    app: AppHandle,
    explorer: State<'_, Explorer>,
    device: Option<String>,
) -> Result<Option<ExportView>, Problem> {
    let name = explorer.proposed_name("session", "csv");
    let Some(path) = save(&app, name, "CSV table", "csv").await else {
        return Ok(None);
    };
    explorer.export_csv(path, device).await.map(Some)
}

/// Saves the scope as a picture. `None` if the dialog was closed.
#[tauri::command]
pub(crate) async fn export_picture(
    app: AppHandle,
    explorer: State<'_, Explorer>,
    kind: String,
    request: PictureRequest,
) -> Result<Option<ExportView>, Problem> {
    let (kind, suffix, label) = match kind.as_str() {
        "png" => (PictureKind::Png, "png", "PNG picture"),
        "svg" => (PictureKind::Svg, "svg", "SVG picture"),
        _ => {
            return Err(Problem::new(
                "input",
                "There is no such kind of picture.",
                "Use png or svg.",
            ));
        }
    };
    let name = explorer.proposed_name("scope", suffix);
    let Some(path) = save(&app, name, label, suffix).await else {
        return Ok(None);
    };
    explorer.export_picture(path, kind, request).await.map(Some)
}

/// Asks where to save. `None` if the dialog was closed.
async fn save(app: &AppHandle, name: String, label: &str, suffix: &str) -> Option<PathBuf> {
    let (answer, asked) = tokio::sync::oneshot::channel();
    let mut dialog = app.dialog().file();
    // Where the system can, the dialog belongs to the window and goes before it.
    if let Some(window) = app.get_webview_window("main") {
        dialog = dialog.set_parent(&window);
    }
    dialog
        .set_file_name(name)
        .add_filter(label, &[suffix])
        .save_file(move |path| {
            let _ = answer.send(path);
        });
    asked.await.ok().flatten()?.into_path().ok()
}

/// Marks a moment in the recording, seconds of the session; without one, now.
#[tauri::command]
pub(crate) async fn mark(
    explorer: State<'_, Explorer>,
    text: String,
    at: Option<f64>,
) -> Result<(), Problem> {
    explorer.mark(&text, at);
    Ok(())
}

/// Calls a mark something else; without a text, takes it away.
#[tauri::command]
pub(crate) async fn change_mark(
    explorer: State<'_, Explorer>,
    id: u32,
    text: String,
) -> Result<(), Problem> {
    explorer.change_mark(id, &text)
}

/// Ends the recording and begins another.
#[tauri::command]
pub(crate) async fn new_recording(explorer: State<'_, Explorer>) -> Result<(), Problem> {
    explorer.new_recording().await
}

/// Shows the folder of the session files.
#[tauri::command]
pub(crate) async fn show_session_folder(
    app: AppHandle,
    explorer: State<'_, Explorer>,
) -> Result<(), Problem> {
    show(&app, explorer.session_folder())
}

/// Shows the folder of the log files.
#[tauri::command]
pub(crate) async fn show_log_folder(app: AppHandle) -> Result<(), Problem> {
    let folder = app
        .path()
        .app_log_dir()
        .map_err(|error| unshown(&error.to_string()))?;
    show(&app, &folder)
}

fn show(app: &AppHandle, folder: &Path) -> Result<(), Problem> {
    app.opener()
        .open_path(folder.to_string_lossy(), None::<&str>)
        .map_err(|error| unshown(&error.to_string()))
}

fn unshown(error: &str) -> Problem {
    Problem::new(
        "folder",
        format!("The folder cannot be shown: {error}."),
        "Its path is in the settings; open it in a file manager.",
    )
}
