//! What may come as a payment token: what the provider's form gave the client, never a card number. In: the text. Out:
//! the rule it breaks. Pure; never repeats the text, because it may be a card number after all.

const PREFIX: &str = "tok_";
const LONGEST: usize = 60;
/// A card number has 12 to 19 digits (ISO/IEC 7812-1).
const CARD_DIGITS: (usize, usize) = (12, 19);

pub const CARD: &str = "card numbers are refused: send the token the payment provider's form gave you";
pub const NO_CARD: &str = "looks like a card number: those are refused everywhere";
pub const FORM: &str = "must be `tok_` and then 1 to 60 of a-z, 0-9 and _, as the payment provider's form gave it";

pub fn broken_rule(token: &str) -> Option<&'static str> {
    if looks_like_card(token) {
        return Some(CARD);
    }
    let rest = token.strip_prefix(PREFIX).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let sound = (1..=LONGEST).contains(&rest.len()) && rest.bytes().all(plain);
    (!sound).then_some(FORM)
}

/// Twelve digits in a row, or digits that are a card number by their check digit when what stands between them (spaces,
/// dashes, underscores, dots) is left out.
pub fn looks_like_card(text: &str) -> bool {
    let row = text.split(|letter: char| !letter.is_ascii_digit());
    if row.into_iter().any(|digits| digits.len() >= CARD_DIGITS.0) {
        return true;
    }
    let between = |letter: char| letter.is_ascii_digit() || " -_.".contains(letter);
    text.split(|letter| !between(letter)).any(|group| {
        let digits: Vec<u32> = group.chars().filter_map(|letter| letter.to_digit(10)).collect();
        (CARD_DIGITS.0..=CARD_DIGITS.1).contains(&digits.len()) && luhn(&digits)
    })
}

/// ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_pass() {
        let longest = format!("tok_{}", "a".repeat(60));
        for token in [
            "tok_ok",
            "tok_1",
            "tok_a_b_9",
            "tok_12345678901",
            "tok_1234_5678_901a",
            &longest,
        ] {
            assert_eq!(broken_rule(token), None, "{token}");
        }
    }

    #[test]
    fn other_texts_do_not() {
        let long = format!("tok_{}", "a".repeat(61));
        for token in [
            "", "tok_", "tok", "ok", "TOK_OK", "tok_Ok", "tok_o k", "tok_ö", " tok_ok", "tok_ok\n", &long,
        ] {
            assert_eq!(broken_rule(token), Some(FORM), "{token}");
        }
    }

    #[test]
    fn card_numbers_do_not_pass_in_any_dress() {
        for token in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "tok_4111111111111111",
            "tok_4111_1111_1111_1111",
            "tok_4111-1111-1111-1111",
            "378282246310005",
            "tok_123456789012",
            "tok_6304_0000_0000",
        ] {
            assert_eq!(broken_rule(token), Some(CARD), "{token}");
        }
        assert!(!looks_like_card("tok_4111_1111_1111_1112"));
        assert!(!luhn(&[4, 1, 1, 2]) && luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]));
    }
}
