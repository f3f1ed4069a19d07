//! A kept mail → a message as mail servers take it. Its Message-ID follows from the fact alone, so a second copy after
//! a crash between sending and noting it is recognised as the same mail. Pure but for the date.

use super::words::words;
use crate::store::mail::Mail;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

/// What is wrong is told in words: such a mail can never be sent.
pub(super) fn message(shop: &str, from: &Mailbox, mail: &Mail) -> Result<Message, String> {
    let words = words(shop, &mail.name, &mail.kind, &mail.facts)
        .ok_or_else(|| format!("there are no words for {}", mail.kind))?;
    let address = mail
        .recipient
        .parse()
        .map_err(|error| format!("the address cannot be one: {error}"))?;
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(Some(mail.name.clone()), address))
        .subject(words.subject)
        .message_id(Some(message_id(from, mail)));
    // RFC 3834: nobody's holiday note shall answer it.
    if let Ok(name) = HeaderName::new_from_ascii("Auto-Submitted".to_owned()) {
        builder = builder.raw_header(HeaderValue::new(name, "auto-generated".to_owned()));
    }
    builder
        .multipart(MultiPart::alternative_plain_html(words.text, words.html))
        .map_err(|error| format!("the message cannot be made: {error}"))
}

fn message_id(from: &Mailbox, mail: &Mail) -> String {
    format!("<{}.{}@{}>", mail.kind, mail.object_id, from.email.domain())
}
