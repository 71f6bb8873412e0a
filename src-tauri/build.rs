//! Lists the commands that the page may ever be granted. A command that is not here, or not in a
//! capability, is denied by the permission system.

/// Every command of `src/commands`, by name.
const COMMANDS: &[&str] = &[
    "listen",
    "look_again",
    "choose_adapter",
    "set_power",
    "start_scan",
    "stop_scan",
    "set_passive_scan",
    "set_filter",
    "advert",
    "star",
    "set_alias",
    "connect",
    "connect_to",
    "cancel_connect",
    "request_parameters",
    "stop_seeking",
    "set_auto_reconnect",
    "disconnect",
    "close_device",
    "pair",
    "cancel_pair",
    "answer_pairing",
    "unpair",
    "forget",
    "read",
    "write",
    "subscribe",
    "unsubscribe",
    "set_notify",
    "inspect",
    "encode",
    "set_format",
    "set_time_axis",
    "preview_format",
    "plot",
    "set_visible",
    "remove_series",
    "clear_scope",
    "statistics",
    "values_at",
    "pump",
    "export",
    "cancel_job",
    "sessions",
    "rename_session",
    "annotate_session",
    "keep_session",
    "delete_session",
    "import_session",
    "export_picture",
    "mark",
    "change_mark",
    "show_session_folder",
    "new_recording",
    "set_log_level",
    "set_theme",
    "set_connect_timeout",
    "set_single_key_shortcuts",
    "set_sort",
    "set_panel",
    "show_log_folder",
];

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    let attributes = tauri_build::Attributes::new().app_manifest(manifest);
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error={error:#}");
        std::process::exit(1);
    }
}
