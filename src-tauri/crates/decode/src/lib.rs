//! Bytes to meaning.
//!
//! This crate knows what numbers are called ([`names`]), what standard values say ([`Sig`]), what a
//! device's own descriptors say of its values ([`Presented`]), what a user's own layout says
//! ([`Layout`]) and which layouts would fit values that nobody has described ([`suggest`](mod@suggest)),
//! what is in an advertisement ([`advertisement`]), how a
//! person's input becomes bytes ([`encode`]), and how untrusted text becomes fit to be shown
//! ([`clean`]).
//!
//! It does no input or output, keeps no state, knows no radio, no recording and no window, and
//! spawns nothing. Decoding a value allocates nothing, refuses nothing and never panics: what
//! cannot be read is a field that says so.
//!
//! ```
//! use decode::{Format, Value, names};
//!
//! let format = Format::default_for(names::uuid16(0x2A37)).unwrap();
//! let rest = format.decode(&[0x00, 72], |field| {
//!     if field.name == "Heart rate" {
//!         assert_eq!(field.value, Value::Int(72));
//!         assert_eq!((field.range.clone(), field.unit), (1..2, Some("bpm")));
//!         assert_eq!(field.to_string(), "72 bpm");
//!     }
//! });
//! assert!(rest.extra.is_empty() && rest.missing == 0);
//! ```
//!
//! The same table writes a value from what a person fills in; flags follow from what is given:
//!
//! ```
//! use decode::encode::Given;
//! use decode::{Format, names};
//!
//! let format = Format::default_for(names::uuid16(0x2A37)).unwrap();
//! let given = |name, text| Given { name, element: None, text };
//! let bytes = format.encode(&[given("Heart rate", "72"), given("RR interval", "793")]);
//! assert_eq!(bytes, Ok(vec![0x10, 0x48, 0x2C, 0x03]));
//! ```

mod field;
mod format;
mod layout;
mod medical;
mod number;
mod presentation;
mod sig;

pub mod advertisement;
pub mod clean;
pub mod encode;
pub mod gap;
pub mod names;
pub mod suggest;
pub mod units;

pub use field::{Bare, DateTime, Fault, Field, Label, Rest, Role, Series, Value};
pub use format::{Format, FormatError};
pub use layout::{Clock, Counter, Layout, LayoutError, LayoutErrorKind};
pub use number::{Class, Decimal, DecimalError, Endian, NumberType, NumberTypeError};
pub use presentation::{Presentation, PresentationError, Presented};
pub use sig::Sig;
