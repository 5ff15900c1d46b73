//! Which texts may be shown to a member or passed on.

/// Whether all of `text` can be seen: no control characters, and none that hide or reorder what
/// stands around them on the page that a member approves.
pub(crate) fn is_printable(text: &str) -> bool {
    text.chars().all(|character| {
        !character.is_control()
            && !matches!(character,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}')
    })
}

/// The characters that every payment system of SEPA carries (EPC217-08): identifiers must not
/// change on their way, so nothing else is accepted in them.
pub(crate) fn is_sepa_identifier(text: &str) -> bool {
    let carried = |byte: u8| byte.is_ascii_alphanumeric() || b"/-?:().,'+ ".contains(&byte);
    text.bytes().all(carried)
        && text.trim() == text
        && !text.starts_with('/')
        && !text.ends_with('/')
        && !text.contains("//")
}

/// Whether `text` has 1 to `max` characters and is not blank.
pub(crate) fn has_length(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.chars().nth(max).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_all_people_are_printable_and_tricks_are_not() {
        for text in ["Zoë Müller", "Wanjikũ", "株式会社", "O'Neil & Sons"] {
            assert!(is_printable(text), "{text}");
        }
        for text in ["a\nb", "a\u{202e}b", "a\u{200b}b", "a\0", "\u{feff}a"] {
            assert!(!is_printable(text), "{text:?}");
        }
    }

    #[test]
    fn an_identifier_has_only_what_sepa_carries() {
        assert!(is_sepa_identifier("INV-2026/11 (A)"));
        for text in ["ä", "a_b", "a//b", "/a", "a/", " a", "a#b"] {
            assert!(!is_sepa_identifier(text), "{text}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(has_length(&"ä".repeat(70), 70));
        assert!(!has_length(&"ä".repeat(71), 70));
        assert!(!has_length("", 70) && !has_length("  ", 70));
    }
}
