//! Numbers over time: kept for drawing, summed up exactly, exported as pictures.
//!
//! A [`Series`] takes numbers as they come and answers any [window](Series::window) of them with at
//! most two points for each pixel, however many samples there are; lines never cross a [`Gap`].
//! [`picture`] draws charts as PNG and SVG. A [`DeviceClock`] places what a device stamped itself on the
//! clock of arrivals.
//!
//! Times are nanoseconds on any clock, as `i64`. This crate knows no radio, no recording, no window
//! and no task; whoever shares a series between threads puts a lock around it.
//!
//! ```
//! use plot::{Series, Window};
//!
//! let mut series = Series::default();
//! for n in 0..1_000_000_i64 {
//!     series.push(n * 1_000_000, (n as f64 / 1e4).sin());
//! }
//! let mut window = Window::default();
//! series.window(0, 1_000_000_000_000, 800, &mut window);
//! assert!(window.xs.len() <= 2 * 802);
//! assert_eq!(series.statistics(0, i64::MAX).count, 1_000_000);
//! ```

mod device_clock;
pub mod picture;
mod pyramid;
mod series;

pub use device_clock::{DeviceClock, Fit, InOrder, Moment, Residual, Tick};
pub use series::{Cause, Gap, Series, Statistics, Window};
