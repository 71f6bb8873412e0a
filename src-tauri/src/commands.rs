//! What the page may call, one file for each part of the screen. A command takes what it needs,
//! calls the explorer, and returns; its name is listed in `build.rs` and granted in
//! `capabilities/main.json`.

mod devices;
mod files;
mod gatt;
mod radio;
mod replay;
mod scope;
mod settings;

use tauri::{Builder, Wry};

/// Registers every command.
pub(crate) fn register(builder: Builder<Wry>) -> Builder<Wry> {
    builder.invoke_handler(tauri::generate_handler![
        settings::listen,
        radio::look_again,
        radio::choose_adapter,
        radio::set_power,
        radio::start_scan,
        radio::stop_scan,
        radio::set_passive_scan,
        devices::set_filter,
        devices::advert,
        devices::star,
        devices::set_alias,
        devices::connect,
        devices::connect_to,
        devices::cancel_connect,
        devices::request_parameters,
        devices::stop_seeking,
        devices::set_auto_reconnect,
        devices::disconnect,
        devices::close_device,
        devices::pair,
        devices::cancel_pair,
        devices::answer_pairing,
        devices::unpair,
        devices::forget,
        gatt::read,
        gatt::write,
        gatt::subscribe,
        gatt::unsubscribe,
        gatt::set_notify,
        gatt::inspect,
        gatt::encode,
        gatt::set_format,
        gatt::set_name,
        gatt::set_time_axis,
        gatt::set_counter,
        gatt::reconciliations,
        scope::plot,
        scope::set_visible,
        scope::remove_series,
        scope::clear_scope,
        scope::statistics,
        scope::values_at,
        scope::pump,
        files::export,
        files::export_contents,
        files::count_export,
        files::cancel_job,
        files::sessions,
        files::rename_session,
        files::annotate_session,
        files::keep_session,
        files::delete_session,
        files::import_session,
        files::open_session,
        files::open_session_file,
        files::close_session,
        replay::replay_session,
        replay::replay,
        replay::stop_replay,
        files::export_picture,
        files::mark,
        files::change_mark,
        files::show_session_folder,
        files::show_log_folder,
        files::new_recording,
        settings::set_log_level,
        settings::set_theme,
        settings::set_connect_timeout,
        settings::set_single_key_shortcuts,
        settings::set_sort,
        settings::set_panel,
        settings::set_retention,
        settings::sample_adverts,
    ])
}
