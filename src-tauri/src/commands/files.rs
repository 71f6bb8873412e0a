//! What goes to files. Paths are chosen in the system's dialogs and never come from the page.

use std::path::{Path, PathBuf};

use explorer::view::{
    ContentsView, CountView, ExportRequest, ExportView, FormatsFileView, Problem, SessionsView,
};
use explorer::{Explorer, PictureKind, PictureRequest};
use tauri::{AppHandle, Manager, State};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;

/// Exports the recording or another session. `None` if the dialog was closed.
#[tauri::command]
pub(crate) async fn export(
    app: AppHandle,
    explorer: State<'_, Explorer>,
    request: ExportRequest,
) -> Result<Option<ExportView>, Problem> {
    let (what, suffix, label) = match request.format.as_str() {
        "csv" => ("session", "csv", "CSV table"),
        "fields" => ("fields", "csv", "CSV table"),
        "jsonl" => ("session", "jsonl", "JSON Lines"),
        "pcapng" => ("session", "pcapng", "Capture for Wireshark"),
        "markdown" => ("profile", "md", "GATT profile"),
        "gattscope" => ("session", "gattscope", "Session"),
        other => {
            let text = format!("Sessions are not exported as \"{other}\".");
            return Err(Problem::input(text, 0));
        }
    };
    let name = match &request.session {
        Some(file) => format!("{}.{suffix}", file.trim_end_matches(".gattscope")),
        None => explorer.proposed_name(what, suffix),
    };
    // What is meant is what the window showed when it was asked for.
    let shown = explorer.document_number();
    let Some(path) = save(&app, name, label, suffix).await else {
        return Ok(None);
    };
    if request.session.is_none() && explorer.document_number() != shown {
        return Err(Problem::new(
            "other_session",
            "Another session is shown by now than the one that was to be exported. Nothing was written.",
            "Open it again, then export.",
        ));
    }
    // GTK leaves it to the user to write the suffix.
    let path = match path.extension() {
        Some(_) => path,
        None => path.with_extension(suffix),
    };
    explorer.export(request, path).await.map(Some)
}

/// What a session, the recording if none is named, has that an export can choose from.
#[tauri::command]
pub(crate) async fn export_contents(
    explorer: State<'_, Explorer>,
    session: Option<String>,
) -> Result<ContentsView, Problem> {
    explorer.export_contents(session).await
}

/// How many events an export goes through.
#[tauri::command]
pub(crate) async fn count_export(
    explorer: State<'_, Explorer>,
    request: ExportRequest,
) -> Result<CountView, Problem> {
    explorer.count_export(request).await
}

/// Gives a job up.
#[tauri::command]
pub(crate) async fn cancel_job(explorer: State<'_, Explorer>, id: u32) -> Result<(), Problem> {
    explorer.cancel_job(id);
    Ok(())
}

/// The sessions of the folder.
#[tauri::command]
pub(crate) async fn sessions(
    explorer: State<'_, Explorer>,
    query: String,
) -> Result<SessionsView, Problem> {
    explorer.sessions(query).await
}

/// Calls a session something else.
#[tauri::command]
pub(crate) async fn rename_session(
    explorer: State<'_, Explorer>,
    file: String,
    title: String,
) -> Result<(), Problem> {
    explorer.rename_session(file, title).await
}

/// Says something of a session.
#[tauri::command]
pub(crate) async fn annotate_session(
    explorer: State<'_, Explorer>,
    file: String,
    comment: String,
) -> Result<(), Problem> {
    explorer.annotate_session(file, comment).await
}

/// Keeps a session from being deleted by age or size, or does so no more.
#[tauri::command]
pub(crate) async fn keep_session(
    explorer: State<'_, Explorer>,
    file: String,
    on: bool,
) -> Result<(), Problem> {
    explorer.keep_session(file, on).await
}

/// Deletes a session.
#[tauri::command]
pub(crate) async fn delete_session(
    explorer: State<'_, Explorer>,
    file: String,
) -> Result<(), Problem> {
    explorer.delete_session(file).await
}

/// Opens a session of the folder, to be looked at.
#[tauri::command]
pub(crate) async fn open_session(
    explorer: State<'_, Explorer>,
    file: String,
) -> Result<(), Problem> {
    explorer.open_session(file).await
}

/// Opens a session file from anywhere. `false` if the dialog was closed.
#[tauri::command]
pub(crate) async fn open_session_file(
    app: AppHandle,
    explorer: State<'_, Explorer>,
) -> Result<bool, Problem> {
    let Some(path) = pick(&app, &[("Sessions", &["gattscope"])]).await else {
        return Ok(false);
    };
    explorer.open_file(path).await.map(|()| true)
}

/// Shows what is on the air again.
#[tauri::command]
pub(crate) async fn close_session(explorer: State<'_, Explorer>) -> Result<(), Problem> {
    explorer.close_session();
    Ok(())
}

/// Makes a session out of another file. `None` if the dialog was closed, else its file's name.
#[tauri::command]
pub(crate) async fn import_session(
    app: AppHandle,
    explorer: State<'_, Explorer>,
) -> Result<Option<String>, Problem> {
    let captures = ["csv", "btsnoop", "log", "pcapng"];
    let Some(path) = pick(&app, &[("CSV, btsnoop, pcapng", &captures)]).await else {
        return Ok(None);
    };
    explorer.import_session(path).await.map(Some)
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
    explorer
        .shown()
        .export_picture(path, kind, request)
        .await
        .map(Some)
}

/// Writes the user's formats and names for UUIDs into a file. `None` if the dialog was closed.
#[tauri::command]
pub(crate) async fn export_formats(
    app: AppHandle,
    explorer: State<'_, Explorer>,
) -> Result<Option<ExportView>, Problem> {
    let name = explorer.proposed_name("formats", "json");
    let Some(path) = save(&app, name, "Formats", "json").await else {
        return Ok(None);
    };
    // GTK leaves it to the user to write the suffix.
    let path = match path.extension() {
        Some(_) => path,
        None => path.with_extension("json"),
    };
    explorer.export_formats(path).await.map(Some)
}

/// Reads a file of formats, and says what it would change. `None` if the dialog was closed.
#[tauri::command]
pub(crate) async fn read_formats(
    app: AppHandle,
    explorer: State<'_, Explorer>,
) -> Result<Option<FormatsFileView>, Problem> {
    let Some(path) = pick(&app, &[("Formats", &["json"])]).await else {
        return Ok(None);
    };
    explorer.read_formats(path).await.map(Some)
}

/// Takes the formats that were read.
#[tauri::command]
pub(crate) async fn take_formats(
    explorer: State<'_, Explorer>,
    number: u32,
    replace: bool,
) -> Result<u32, Problem> {
    explorer.take_formats(number, replace)
}

/// Asks which file to read. `None` if the dialog was closed.
async fn pick(app: &AppHandle, kinds: &[(&str, &[&str])]) -> Option<PathBuf> {
    let (answer, asked) = tokio::sync::oneshot::channel();
    let mut dialog = app.dialog().file();
    if let Some(window) = app.get_webview_window("main") {
        dialog = dialog.set_parent(&window);
    }
    for (label, suffixes) in kinds {
        dialog = dialog.add_filter(*label, suffixes);
    }
    dialog
        .add_filter("Every file", &["*"])
        .pick_file(move |path| {
            let _ = answer.send(path);
        });
    asked.await.ok().flatten()?.into_path().ok()
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
