//! E-mail addresses: one spelling per mailbox, as far as that can be known without asking the mail server. Pure.

/// Longest address SMTP can carry (RFC 5321, 4.5.3.1.3).
const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;

/// A trimmed, lower-cased address that could exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim().to_lowercase();
        if text.len() > LONGEST {
            return Err("is longer than 254 bytes");
        }
        let (local, domain) = text.rsplit_once('@').ok_or("must look like name@example.com")?;
        let strange = |c: char| c.is_whitespace() || c.is_control() || c == '@';
        if text.chars().filter(|c| *c == '@').count() != 1 || local.chars().chain(domain.chars()).any(strange) {
            return Err("must look like name@example.com");
        }
        if local.is_empty() || local.len() > LONGEST_LOCAL {
            return Err("must have 1 to 64 bytes before the @");
        }
        let labels_are_right = domain.contains('.') && domain.split('.').all(|label| !label.is_empty());
        if !labels_are_right {
            return Err("must have a domain such as example.com after the @");
        }
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_mailbox_are_one() {
        assert_eq!(Email::parse("  Ada@Example.COM ").unwrap().as_str(), "ada@example.com");
        assert_eq!(
            Email::parse("synthetic-0@shop.invalid").unwrap().as_str(),
            "synthetic-0@shop.invalid"
        );
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(300));
        let long_local = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a@b@c.d",
            "a b@c.d",
            "a@c",
            "a@.d",
            "a@c..d",
            "a\n@c.d",
            &long,
            &long_local,
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }
}
