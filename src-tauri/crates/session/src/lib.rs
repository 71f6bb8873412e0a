//! What happened, kept byte for byte.
//!
//! A [`Recorder`] takes events from the radio's threads without ever holding them up and keeps them
//! in a session file; a [`Session`] reads such a file, also while it grows; [`export`] gives it to
//! other programs, and [`import`](import()) takes theirs; [`library`] treats files as documents;
//! [`replay`] plays one as a radio. What could not be kept is counted, in the file and in [`Status`]; what a device's own counter says is
//! missing, a [`Reconciler`] finds.
//!
//! It does not interpret values, draw them, or talk to a device; it knows the radio's words and
//! nothing of a window.
//!
//! ```
//! use std::ops::ControlFlow;
//! use bytes::Bytes;
//! use radio::{AttrKind, Clock, DeviceId, GattDb, Handle, Properties, Sample, SampleKind};
//! use session::{Options, Recorder, Session, export};
//! use uuid::uuid;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let clock = Clock::monotonic();
//! let recorder = Recorder::create(folder, clock.clone(), Options::default())?;
//!
//! // What events refer to is told once.
//! let device = recorder.device(&DeviceId::from("C4:7C:8D:6A:11:02"), Some("HR strap"));
//! let link = recorder.link_up(clock.now(), device);
//! let mut gatt = GattDb::new();
//! let service = gatt.push(AttrKind::Service, uuid!("0000180d-0000-1000-8000-00805f9b34fb"),
//!     Some(Handle(1)), None, Properties::default())?;
//! let rate = gatt.push(AttrKind::Characteristic, uuid!("00002a37-0000-1000-8000-00805f9b34fb"),
//!     Some(Handle(3)), Some(service), Properties::NOTIFY)?;
//! recorder.attributes(clock.now(), link, &gatt);
//!
//! // Then every value is one call that returns at once.
//! recorder.sample(&Sample { attribute: rate, at: clock.now(), lost_before: 0,
//!     kind: SampleKind::Notification, bytes: Bytes::from_static(&[0, 60]) });
//! recorder.flush()?;
//!
//! let session = Session::open(recorder.path())?;
//! assert_eq!(session.values(rate, 10)?[0].value.as_deref(), Some(&[0, 60][..]));
//! let summary = export::to_file(&session, &export::Csv::default(), &folder.join("hr.csv"),
//!     &mut |_| ControlFlow::Continue(()))?;
//! assert_eq!(summary.rows, 3); // connected, discovered, notification
//! # Ok(())
//! # }
//! ```
//!
//! # The session file
//!
//! One SQLite database per session, suffix `.gattscope`, `application_id` 1195463764 ("GATT"),
//! `user_version` 2. The whole of it, column by column, is [`SCHEMA`]. While it is recorded, the
//! last second or so may be in the file's `-wal` companion; SQLite reads both as one.
//!
//! | table | one row for | columns |
//! |---|---|---|
//! | `session` | the session | `writer` (program and version), `title`, `ended_ns`, `comment`, `kept` (the user saved it), `source` (what it was imported from) |
//! | `anchor` | the start, and each jump of the wall clock | `t_ns`, `unix_ns`, `utc_offset_s` |
//! | `device` | a device | `identifier`, `name`, `first_seen_ns` |
//! | `link` | a connection | `device`, `up_ns`, `down_ns` |
//! | `attribute` | an attribute of one discovery | `link`, `kind` (1 service, 2 characteristic, 3 descriptor), `uuid`, `handle`, `parent`, `properties`, `service`, `characteristic`, `path` (the same in every discovery) |
//! | `event` | anything that happened | `t_ns`, `kind`, `device`, `link`, `attribute`, `value` (the bytes), `status` (0, ATT error code, -1), `number`, `detail` |
//! | `advertisement` | what an advertisement contained | `event`, `address`, `address_kind`, `local_name`, `tx_power`, `appearance`, `connectable`, `services`, `manufacturer`, `service_data` (JSON), `raw` |
//! | `gap` | what is missing | `event`, `cause`, `count`, `from_ns`, `to_ns` |
//! | `kind`, `cause` | what the numbers in `event.kind` and `gap.cause` mean | `name`, .., `cause.lost` (how many in all) |
//! | `tally` | a kind of event of a device | `device` (0 for none), `kind`, `events` (how many) |
//! | `batch` | events that were committed together | `first`, `last`, `min_t_ns`, `max_t_ns` |
//!
//! Times are integers: nanoseconds since the session's start. The views do the joins: `log` (every
//! event with names, wall-clock time and hexadecimal bytes), `value` (those that carry bytes),
//! `loss` (what is missing), `note` (what the user wrote down).
//!
//! A commit survives the end of the program, however it ends; the last 100 ms may not. If the
//! computer itself loses power, the last ten seconds or so may be missing, and the file stays whole.

mod advertisement;
mod copy;
mod counter;
mod error;
mod event;
pub mod export;
mod gatt;
mod import;
pub mod library;
mod reader;
mod recorder;
pub mod replay;
mod schema;
mod tally;
mod time;
mod values;

pub use counter::{Counter, Ledger, Reconciler, Reconciliation, Step};
pub use error::{Error, Result};
pub use event::{Cause, DeviceKey, Direction, Event, Failure, Kind, LinkKey};
pub use gatt::Discovery;
pub use import::{Imported, import};
pub use reader::{
    Attribute, Count, Device, Events, Filter, Gap, Info, Link, Reckoned, Recorded, Session,
};
pub use recorder::{Losses, Options, Overflow, Overflows, Recorder, SUFFIX, State, Status};
pub use schema::{APPLICATION_ID, SCHEMA, SCHEMA_VERSION};
pub use time::{Anchor, Anchors, SessionTime, WallClock, WallTime};
pub use values::Value;
