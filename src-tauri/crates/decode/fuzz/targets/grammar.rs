//! Any text as a layout: it is read, and then its own text is read as the same, or it is refused at one of its characters.
#![no_main]

use decode::{Format, Layout};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Layout::parse(text) {
        Ok(layout) => {
            let own = layout.to_string();
            assert_eq!(Layout::parse(&own).as_ref(), Ok(&layout), "{own}");
            let format = Format::Layout(layout);
            assert_eq!(format.to_string().parse().as_ref(), Ok(&format));
        }
        Err(error) => {
            assert!(error.at <= text.chars().count(), "{error:?}");
            assert!(!error.to_string().is_empty());
        }
    }
    if let Ok(format) = text.parse::<Format>() {
        assert_eq!(format.to_string().parse().as_ref(), Ok(&format));
    }
});
