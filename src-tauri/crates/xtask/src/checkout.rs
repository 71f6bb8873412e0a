//! Where things are: the checkout and what cargo builds in it.

use std::env;
use std::path::{Path, PathBuf};

use crate::process;

/// The top folder of the checkout.
pub(crate) fn root() -> PathBuf {
    // Three folders above this crate's own: src-tauri/crates/xtask.
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(3).unwrap_or(manifest).to_owned()
}

/// Cargo's target folder, as `CARGO_TARGET_DIR` moves it.
pub(crate) fn target() -> PathBuf {
    let folder =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    // Cargo takes a relative one from where it is called, and `process` calls it in the root.
    root().join(folder)
}

/// The application's binary once `cargo build` has made it.
pub(crate) fn application(release: bool) -> PathBuf {
    let name = format!("gattscope{}", env::consts::EXE_SUFFIX);
    target()
        .join(if release { "release" } else { "debug" })
        .join(name)
}

/// The cargo that runs this, working in the checkout's root.
pub(crate) fn cargo() -> std::process::Command {
    process::command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
