//! The user's choices on disk, by the store plugin, from Rust only.
//!
//! The store's save is not atomic, so a damaged file is expected: it gives the defaults and is
//! replaced with the next choice. The format is versioned by tolerance: unknown fields are ignored,
//! missing ones have defaults.

use explorer::{Explorer, Preferences};
use tauri::AppHandle;
use tauri_plugin_store::StoreExt;

const FILE: &str = "settings.json";
const KEY: &str = "preferences";

/// What was kept last, or the defaults.
pub(crate) fn load(app: &AppHandle) -> Preferences {
    let Ok(store) = app.store(FILE) else {
        return Preferences::default();
    };
    store
        .get(KEY)
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default()
}

/// Keeps every change from now on.
pub(crate) fn keep(app: AppHandle, explorer: Explorer, runtime: &tokio::runtime::Handle) {
    let mut preferences = explorer.preferences();
    runtime.spawn(async move {
        while preferences.changed().await.is_ok() {
            let now = preferences.borrow_and_update().clone();
            let saved = app
                .store(FILE)
                .map_err(|error| error.to_string())
                .and_then(|store| {
                    let value = serde_json::to_value(now).map_err(|error| error.to_string())?;
                    store.set(KEY, value);
                    store.save().map_err(|error| error.to_string())
                });
            if let Err(error) = saved {
                tracing::warn!(error, "settings could not be saved");
            }
        }
    });
}
