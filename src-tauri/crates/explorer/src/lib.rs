//! The application without a window: the radio that is in use, the device table, connections and
//! their attributes, the recording, the scope, the log.
//!
//! [`Explorer`] is what the shell calls and what tests call: one method for each thing that a person
//! can do. It owns the tasks and wires radio to recording to scope. It does not draw, open dialogs,
//! or keep settings on disk.
//!
//! ```
//! use std::sync::Arc;
//! use explorer::{Config, Explorer, Preferences};
//! use radio::{Clock, simulated::Simulated};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), explorer::view::Problem> {
//! # let folder = tempfile::tempdir().unwrap();
//! let clock = Clock::monotonic();
//! let config = Config {
//!     backends: vec![Arc::new(Simulated::new(clock.clone(), 1))],
//!     session_folder: folder.path().into(),
//!     log_folder: folder.path().into(),
//!     preferences: Preferences::default(),
//!     clock,
//! };
//! let explorer = Explorer::start(config, tokio::runtime::Handle::current());
//! explorer.listen(|event| { let _ = event; });
//! explorer.look_again().await?;
//! explorer.start_scan().await?;
//! # explorer.close().await;
//! # Ok(())
//! # }
//! ```

mod advert;
mod adverts;
mod attribute;
mod connection;
mod counter;
mod device;
mod device_time;
mod document;
mod explorer;
mod export;
mod fields;
mod files;
mod format_files;
mod formats;
mod gatt;
mod jobs;
mod ledger;
mod link;
mod naming;
mod news;
mod pairing;
mod pencil;
mod preferences;
mod problem;
mod radios;
mod reconnect;
mod redraw;
mod replay;
mod retention;
mod sampling;
mod scope;
mod seek;
mod sessions;
mod suggestions;
mod writing;

pub mod filter;
pub mod frame;
pub mod log;
pub mod view;

pub use crate::explorer::{Config, Explorer};
pub use counter::{CounterChoice, CounterView, ReconciledView};
pub use device::{DeviceTable, WallOffset};
pub use files::{PictureKind, PictureRequest};
pub use formats::Models;
pub use ledger::{LossView, LossesView};
pub use naming::NameView;
pub use preferences::Preferences;
pub use replay::{ReplayCommand, ReplayView};
pub use writing::{BlankView, FilledView, GivenField};

/// Text of unknown origin made fit to be shown, at most `max` characters; see [`decode::clean`].
#[must_use]
pub fn clean(text: &str, max: usize) -> String {
    decode::clean::text(text, max).into_owned()
}
