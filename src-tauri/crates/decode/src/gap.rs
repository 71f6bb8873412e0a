//! What the flags of an advertisement say in words (Core Specification Supplement, Part A, 1.3).

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
}
