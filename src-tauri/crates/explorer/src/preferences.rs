//! What is remembered between runs. The shell keeps it in a file; here it is only data.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::counter::CounterChoice;
use crate::formats::Models;

/// The user's choices. Unknown fields of a newer version are ignored, missing ones get defaults, so
/// that a file of another version never stops the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// Level of the log view and the log file.
    pub log_level: String,
    /// The adapter that was chosen last.
    pub adapter: Option<String>,
    /// How long connecting may take, seconds.
    pub connect_timeout_s: u32,
    /// Whether single letters act on a focused row or plot.
    pub single_key_shortcuts: bool,
    /// Whether to scan without asking for scan responses, where the system can.
    pub passive_scan: bool,
    /// What the device list is sorted by: `signal`, `name`, `last` or `first`.
    pub sort: String,
    /// Sizes of panels that the user moved the edge of, by name, CSS pixels; 0 is collapsed.
    pub panels: BTreeMap<String, u32>,
    /// Starred devices, by identifier.
    pub favourites: BTreeSet<String>,
    /// Devices that are not come back to when their link ends by itself.
    pub no_reconnect: BTreeSet<String>,
    /// The user's names for devices, by identifier.
    pub aliases: BTreeMap<String, String>,
    /// Formats of values for every device, by characteristic UUID: a layout, `sig`, `0x2904` or `bytes`.
    pub formats: BTreeMap<String, String>,
    /// Layouts of advertised payloads, by where these come from: `company:0499`, `service:` and a UUID.
    pub advert_formats: BTreeMap<String, String>,
    /// Formats for one model of device, by characteristic UUID, then by the model's name.
    pub model_formats: BTreeMap<String, BTreeMap<String, String>>,
    /// What devices said of their models.
    pub models: Models,
    /// What was noted beside formats that came with a file, by UUID, with the model after a space if it is
    /// for one.
    pub format_notes: BTreeMap<String, String>,
    /// The user's names for services, characteristics and descriptors, by UUID.
    pub names: BTreeMap<String, String>,
    /// What counts a device's values, by characteristic UUID.
    pub counters: BTreeMap<String, CounterChoice>,
    /// For how many days after its end a session is kept that the user did not save; 0 for ever.
    pub keep_days: u32,
    /// How many gigabytes such sessions may have together; 0 for any number.
    pub keep_gigabytes: u32,
    /// At most one advertisement of each device is recorded in so many seconds; 0 records every one.
    pub sample_adverts_s: u32,
    /// Characteristics, by UUID, that are drawn on the time of their device.
    pub device_time: BTreeSet<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: "system".into(),
            log_level: "info".into(),
            adapter: None,
            connect_timeout_s: 30,
            single_key_shortcuts: true,
            passive_scan: false,
            sort: "signal".into(),
            panels: BTreeMap::new(),
            favourites: BTreeSet::new(),
            no_reconnect: BTreeSet::new(),
            aliases: BTreeMap::new(),
            formats: BTreeMap::new(),
            advert_formats: BTreeMap::new(),
            model_formats: BTreeMap::new(),
            models: Models::default(),
            format_notes: BTreeMap::new(),
            names: BTreeMap::new(),
            counters: BTreeMap::new(),
            keep_days: 30,
            keep_gigabytes: 10,
            sample_adverts_s: 0,
            device_time: BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_version_gives_what_it_has() {
        let read: Preferences =
            serde_json::from_str(r#"{"theme":"dark","from_the_future":1}"#).unwrap();
        assert_eq!(
            read,
            Preferences {
                theme: "dark".into(),
                ..Preferences::default()
            }
        );
    }
}
