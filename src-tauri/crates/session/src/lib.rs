//! placeholder
mod error;
mod event;
pub mod export;
mod reader;
mod recorder;
mod schema;
mod time;

pub use error::{Error, Result};
pub use event::{Cause, DeviceKey, Direction, Event, Failure, Kind, LinkKey};
pub use reader::{
    Attribute, Count, Device, Events, Filter, Gap, Info, Link, Recorded, Session,
};
pub use recorder::{Losses, Options, Recorder, SUFFIX, State, Status};
pub use schema::{APPLICATION_ID, SCHEMA, SCHEMA_VERSION};
pub use time::{Anchor, Anchors, SessionTime, WallClock, WallTime};
