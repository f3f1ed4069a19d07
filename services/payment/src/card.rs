//! What must never be stored. Pure.

/// Digits of a card number (ISO/IEC 7812), with room for older ones.
const DIGITS: std::ops::RangeInclusive<usize> = 12..=19;

/// Nothing but digits, perhaps in groups, and as many as a card number has.
pub fn looks_like_a_card(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || b" -.".contains(&byte);
    text.bytes().all(plain) && DIGITS.contains(&text.bytes().filter(u8::is_ascii_digit).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_seen_and_tokens_are_not() {
        for card in ["4242424242424242", "4242 4242 4242 4242", "3782-822463-10005"] {
            assert!(looks_like_a_card(card), "{card}");
        }
        for token in [
            "tok_ok",
            "tok_4242424242424242",
            "",
            "12345",
            "0193f2a1-7c00-7abc-8def-0123456789ab",
        ] {
            assert!(!looks_like_a_card(token), "{token}");
        }
    }
}
