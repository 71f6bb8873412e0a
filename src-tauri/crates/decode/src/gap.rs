//! What two fields of an advertisement say in words: its flags and the kind of device it names
//! (Core Specification Supplement, Part A, 1.3; Assigned Numbers, 2.6.2).

use crate::advertisement::{AdPart, AdType, parts};

const FLAGS: AdType = AdType(0x01);

/// The flags in the bytes of an advertisement.
pub fn flags(raw: &[u8]) -> Option<u8> {
    parts(raw).find_map(|part| match part {
        AdPart::Structure {
            kind: FLAGS, data, ..
        } => raw.get(data)?.first().copied(),
        _ => None,
    })
}

/// Flags in words.
pub fn flags_text(flags: u8) -> String {
    const BITS: [(u8, &str); 5] = [
        (0x01, "limited discoverable"),
        (0x02, "general discoverable"),
        (0x04, "no BR/EDR"),
        (0x08, "BR/EDR and LE at once, controller"),
        (0x10, "BR/EDR and LE at once, host"),
    ];
    let set: Vec<&str> = BITS
        .iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, name)| *name)
        .collect();
    if set.is_empty() {
        "none set".into()
    } else {
        set.join(", ")
    }
}

/// The kind of device that an appearance names: its category, the upper ten bits.
pub const fn category(appearance: u16) -> Option<&'static str> {
    Some(match appearance >> 6 {
        0x001 => "Phone",
        0x002 => "Computer",
        0x003 => "Watch",
        0x004 => "Clock",
        0x005 => "Display",
        0x006 => "Remote control",
        0x007 => "Eye-glasses",
        0x008 => "Tag",
        0x009 => "Keyring",
        0x00A => "Media player",
        0x00B => "Barcode scanner",
        0x00C => "Thermometer",
        0x00D => "Heart rate sensor",
        0x00E => "Blood pressure",
        0x00F => "Human interface device",
        0x010 => "Glucose meter",
        0x011 => "Running walking sensor",
        0x012 => "Cycling",
        0x013 => "Control device",
        0x014 => "Network device",
        0x015 => "Sensor",
        0x016 => "Light fixture",
        0x017 => "Fan",
        0x018 => "HVAC",
        0x019 => "Air conditioning",
        0x01A => "Humidifier",
        0x01B => "Heating",
        0x01C => "Access control",
        0x01D => "Motorized device",
        0x01E => "Power device",
        0x01F => "Light source",
        0x020 => "Window covering",
        0x021 => "Audio sink",
        0x022 => "Audio source",
        0x023 => "Motorized vehicle",
        0x024 => "Domestic appliance",
        0x025 => "Wearable audio device",
        0x026 => "Aircraft",
        0x027 => "AV equipment",
        0x028 => "Display equipment",
        0x029 => "Hearing aid",
        0x02A => "Gaming",
        0x02B => "Signage",
        0x031 => "Pulse oximeter",
        0x032 => "Weight scale",
        0x033 => "Personal mobility device",
        0x034 => "Continuous glucose monitor",
        0x035 => "Insulin pump",
        0x036 => "Medication delivery",
        0x037 => "Spirometer",
        0x051 => "Outdoor sports activity",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_found_among_the_bytes_and_told_in_words() {
        let raw = [5, 0x09, b'L', b'a', b'm', b'p', 2, 0x01, 0x06];
        assert_eq!(flags(&raw), Some(0x06));
        assert_eq!(flags_text(0x06), "general discoverable, no BR/EDR");
        assert_eq!(flags_text(0), "none set");
        // Cut short, or not there at all.
        assert_eq!(flags(&[2, 0x01]), None);
        assert_eq!(flags(&[1, 0x01]), None);
        assert_eq!(flags(&[]), None);
    }

    #[test]
    fn an_appearance_tells_its_category() {
        assert_eq!(category(0x0341), Some("Heart rate sensor"));
        assert_eq!(category(0x00C1), Some("Watch"));
        assert_eq!(category(0), None);
    }
}
