//! Text from the air made fit to be shown.
//!
//! Anybody can advertise any name. What hides, reorders, breaks lines or piles up becomes visible
//! here; nothing is dropped without a mark, and the raw bytes stay where they were recorded.
//!
//! - White space of every kind, line and paragraph separators: one ordinary space each.
//! - Controls, bidirectional overrides and isolates, zero-width and other format characters,
//!   invisible fillers, private use, unassigned: U+FFFD, once per run.
//! - More than four combining marks on one letter: the rest is one U+FFFD. A mark without a letter
//!   gets a dotted circle, so that it cannot settle on its neighbour.
//! - Joiners stay where a script or an emoji needs one: a single one between two such characters.
//! - Trailing NULs (fixed-size buffers) and white space at both ends: removed.
//! - Longer than the cap: cut, with an ellipsis.
//!
//! Letters of right-to-left scripts are letters. Whoever shows the text isolates it (`<bdi>`), and
//! it is never markup, a file name, a formula or a link.

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Combining marks that one base character may carry: Hebrew with cantillation needs four.
const MARKS: usize = 4;

const REPLACEMENT: char = '\u{FFFD}';
const DOTTED_CIRCLE: char = '\u{25CC}';
const ELLIPSIS: char = '…';

/// `text` fit to be shown, at most `max` characters long, the ellipsis included.
///
/// Borrows when nothing had to change but the ends.
///
/// ```
/// assert_eq!(decode::clean::text("Lamp\0\0", 32), "Lamp");
/// assert_eq!(decode::clean::text("evil\u{202E}gpj.exe", 32), "evil\u{FFFD}gpj.exe");
/// assert_eq!(decode::clean::text("Heart rate strap", 6), "Heart…");
/// ```
#[must_use]
pub fn text(text: &str, max: usize) -> Cow<'_, str> {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if trimmed.len() <= max && trimmed.bytes().all(plain) {
        return Cow::Borrowed(trimmed);
    }
    let cleaned = rebuild(trimmed, max);
    if cleaned == trimmed {
        Cow::Borrowed(trimmed)
    } else {
        Cow::Owned(cleaned)
    }
}

/// `bytes` as UTF-8 fit to be shown, at most `max` characters long; what is not UTF-8 becomes
/// U+FFFD.
#[must_use]
pub fn bytes(bytes: &[u8], max: usize) -> Cow<'_, str> {
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(valid) => text(valid, max),
        Cow::Owned(mended) => Cow::Owned(text(&mended, max).into_owned()),
    }
}

/// What becomes of one character.
#[derive(PartialEq)]
enum Kind {
    Keep,
    Space,
    Mark,
    Joiner,
    Hide,
}

fn kind(c: char) -> Kind {
    use GeneralCategory as G;
    match c {
        // Assigned letters, marks and symbols that show nothing (Default_Ignorable_Code_Point and
        // the blank Braille pattern).
        '\u{034F}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' => {
            return Kind::Hide;
        }
        '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}' => return Kind::Hide,
        // Variation selectors of emoji are marks; the others choose glyphs that nobody would miss.
        '\u{FE00}'..='\u{FE0D}' => return Kind::Hide,
        '\u{200C}' | '\u{200D}' => return Kind::Joiner,
        REPLACEMENT => return Kind::Hide,
        _ => {}
    }
    match c.general_category() {
        G::SpaceSeparator | G::LineSeparator | G::ParagraphSeparator => Kind::Space,
        G::Control if c.is_whitespace() => Kind::Space,
        G::Control | G::Format | G::PrivateUse | G::Surrogate | G::Unassigned => Kind::Hide,
        G::NonspacingMark | G::EnclosingMark => Kind::Mark,
        _ => Kind::Keep,
    }
}

/// Whether a joiner may stand beside `c`: scripts without case need it for spelling, emoji for
/// sequences. Between Latin letters it only hides.
fn joins(c: char) -> bool {
    use GeneralCategory as G;
    matches!(
        c.general_category(),
        G::OtherLetter | G::SpacingMark | G::NonspacingMark | G::OtherSymbol | G::ModifierSymbol
    ) && !c.is_ascii()
}

fn rebuild(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max.saturating_mul(4)));
    let mut written = 0_usize;
    let mut marks = 0_usize;
    let mut last = None;
    let mut rest = text.chars().peekable();
    // One more than fits is made, so that the end knows whether to cut.
    while written <= max
        && let Some(c) = rest.next()
    {
        let next = match kind(c) {
            Kind::Keep => {
                marks = 0;
                c
            }
            Kind::Space => {
                marks = 0;
                ' '
            }
            Kind::Mark => {
                marks += 1;
                if last.is_none_or(|before| before == ' ' || before == REPLACEMENT) && marks == 1 {
                    out.push(DOTTED_CIRCLE);
                    written += 1;
                }
                if marks > MARKS { REPLACEMENT } else { c }
            }
            Kind::Joiner
                if last.is_some_and(joins) && rest.peek().is_some_and(|&next| joins(next)) =>
            {
                c
            }
            Kind::Joiner | Kind::Hide => {
                marks = 0;
                REPLACEMENT
            }
        };
        if next == REPLACEMENT && last == Some(REPLACEMENT) {
            continue;
        }
        out.push(next);
        written += 1;
        last = Some(next);
    }
    if written > max {
        cut(&mut out, max);
    }
    out
}

/// Shortens to `max` characters, of which the last says that there was more.
fn cut(out: &mut String, max: usize) {
    let keep = max.saturating_sub(1);
    if let Some((at, _)) = out.char_indices().nth(keep) {
        out.truncate(at);
    }
    let dangling = |c: char| c == ' ' || kind(c) == Kind::Joiner;
    out.truncate(out.trim_end_matches(dangling).len());
    if max > 0 {
        out.push(ELLIPSIS);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_names_are_borrowed_unchanged() {
        for name in [
            "Polar H10 A1B2C3D4",
            "Küche – Süd",
            "温度センサー",
            "חיישן",
            "مستشعر",
            "❤️ strap",
            "👩‍💻",
            "می‌شود",
            "क्‍ष",
        ] {
            let cleaned = text(name, 64);
            assert_eq!(cleaned, name);
            assert!(matches!(cleaned, Cow::Borrowed(_)), "{name} was copied");
        }
    }

    #[test]
    fn overrides_and_isolates_cannot_reorder_the_page() {
        for hostile in [
            '\u{202A}', '\u{202B}', '\u{202C}', '\u{202D}', '\u{202E}', '\u{2066}', '\u{2067}',
            '\u{2068}', '\u{2069}', '\u{200E}', '\u{200F}', '\u{061C}',
        ] {
            assert_eq!(text(&format!("a{hostile}b"), 9), "a\u{FFFD}b");
        }
    }

    #[test]
    fn what_cannot_be_seen_becomes_visible() {
        for hidden in [
            '\0',
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{ad}',
            '\u{200B}',
            '\u{2060}',
            '\u{FEFF}',
            '\u{3164}',
            '\u{2800}',
            '\u{E000}',
            '\u{10FFFF}',
            '\u{0378}',
            '\u{E0041}',
        ] {
            assert_eq!(
                text(&format!("a{hidden}b"), 9),
                "a\u{FFFD}b",
                "{:04x}",
                u32::from(hidden)
            );
        }
        assert_eq!(text("Sen\u{200D}sor", 9), "Sen\u{FFFD}sor");
        assert_eq!(text("a\u{200D}👩", 9), "a\u{FFFD}👩");
        assert_eq!(text("👩\u{200D}a", 9), "👩\u{FFFD}a");
    }

    #[test]
    fn a_run_of_hidden_characters_is_one_mark() {
        assert_eq!(text("a\u{200B}\u{202E}\u{1}b", 9), "a\u{FFFD}b");
    }

    #[test]
    fn no_name_breaks_a_line() {
        assert_eq!(
            text("a\nb\rc\u{2028}d\u{2029}e\u{85}f\tg\u{A0}h", 32),
            "a b c d e f g h"
        );
    }

    #[test]
    fn padding_at_the_ends_is_removed() {
        assert_eq!(text("  Lamp \0\0\0", 9), "Lamp");
        assert_eq!(text("\0\0", 9), "");
    }

    #[test]
    fn marks_do_not_pile_up() {
        let flood = format!("Z{}algo", "\u{0300}".repeat(200));
        let expected = format!("Z{}\u{FFFD}algo", "\u{0300}".repeat(4));
        assert_eq!(text(&flood, 64), expected);
    }

    #[test]
    fn a_mark_without_a_letter_cannot_settle_on_its_neighbour() {
        assert_eq!(text("\u{0301}x", 9), "\u{25CC}\u{0301}x");
    }

    #[test]
    fn the_cap_counts_characters_and_says_that_there_was_more() {
        assert_eq!(text("äöüäöü", 6), "äöüäöü");
        assert_eq!(text("äöüäöü!", 6), "äöüäö…");
        assert_eq!(text("two words", 5), "two…");
        assert_eq!(text("abc", 1), "…");
        assert_eq!(text("abc", 0), "");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_marked() {
        assert_eq!(bytes(b"ok\xff\xfe!", 9), "ok\u{FFFD}!");
        assert_eq!(bytes(b"plain", 9), "plain");
        assert_eq!(bytes(&[0xC3], 9), "\u{FFFD}");
    }

    proptest! {
        #[test]
        fn the_result_is_short_clean_and_stable(
            input in prop::collection::vec(any::<char>(), 0..80),
            max in 0_usize..40,
        ) {
            let input: String = input.into_iter().collect();
            let once = text(&input, max).into_owned();
            prop_assert!(once.chars().count() <= max);
            let mut left = once.chars().filter(|c| *c != REPLACEMENT);
            let obeyed = |c: char| matches!(kind(c), Kind::Hide) || (kind(c) == Kind::Space && c != ' ');
            prop_assert!(!left.any(obeyed), "{once:?}");
            let marks = "\u{FFFD}\u{FFFD}";
            prop_assert!(!once.contains(marks));
            prop_assert_eq!(text(&once, max), once.as_str());
        }

        #[test]
        fn any_bytes_are_taken(input in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(bytes(&input, 16).chars().count() <= 16);
        }
    }
}
