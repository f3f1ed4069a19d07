//! What a mail says: the same sentences as plain text and as HTML. Pure. Everything that comes from outside is escaped.

use serde::{Deserialize, Serialize};
use shop_contract::api::{CancelReason, PricedLine};
use shop_contract::event::{ORDER_CANCELLED, ORDER_CONFIRMED, ORDER_SHIPPED, PAYMENT_REFUNDED, USER_REGISTERED};
use uuid::Uuid;

/// What an event told, kept until its mail is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    #[serde(default)]
    pub order_id: Option<Uuid>,
    #[serde(default)]
    pub amount_cents: i64,
    #[serde(default)]
    pub currency: String,
    #[serde(default)]
    pub lines: Vec<PricedLine>,
    #[serde(default)]
    pub cancel_reason: Option<CancelReason>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// `None` for a kind nobody has words for.
pub(super) fn words(shop: &str, name: &str, kind: &str, facts: &Facts) -> Option<Words> {
    let (subject, sentences) = sentences(shop, kind, facts)?;
    let greeting = format!("Hello {name},");
    let table = if kind == ORDER_CONFIRMED {
        lines(facts)
    } else {
        Vec::new()
    };
    Some(Words {
        subject,
        text: text(shop, &greeting, &sentences, &table),
        html: html(shop, &greeting, &sentences, &table),
    })
}

fn sentences(shop: &str, kind: &str, facts: &Facts) -> Option<(String, Vec<String>)> {
    let order = facts.order_id.map(short).unwrap_or_default();
    let amount = money(facts.amount_cents, &facts.currency);
    Some(match kind {
        USER_REGISTERED => (
            format!("Welcome to {shop}"),
            vec![format!(
                "your account at {shop} is ready. You can log in with this e-mail address."
            )],
        ),
        ORDER_CONFIRMED => (
            format!("Your order {order} is confirmed"),
            vec![
                format!("thank you for your order {order}. It is paid, and we are packing it."),
                format!("Total: {amount}"),
            ],
        ),
        ORDER_SHIPPED => (
            format!("Your order {order} is on its way"),
            vec![format!("your order {order} has left our warehouse.")],
        ),
        ORDER_CANCELLED => (
            format!("Your order {order} is cancelled"),
            vec![
                format!("your order {order} is cancelled: {}.", because(facts.cancel_reason)),
                "If it was paid already, you get your money back and another mail from us.".to_owned(),
            ],
        ),
        PAYMENT_REFUNDED => (
            format!("Your money for order {order} is on its way back"),
            vec![format!(
                "we have sent back {amount} for your order {order}. Your bank may need some days."
            )],
        ),
        _ => return None,
    })
}

fn because(reason: Option<CancelReason>) -> &'static str {
    match reason {
        Some(CancelReason::Customer) | None => "as you wished",
        Some(CancelReason::Support) => "by our support",
        Some(CancelReason::PaymentDeclined) => "the payment was declined",
        Some(CancelReason::OutOfStock) => "something in it is sold out",
    }
}

fn lines(facts: &Facts) -> Vec<String> {
    let line = |line: &PricedLine| {
        let price = money(line.price_cents, &facts.currency);
        format!("{} × item {} at {price}", line.quantity, short(line.product_id))
    };
    facts.lines.iter().map(line).collect()
}

/// The end of an id: its beginning is the time and the same for all of a day.
fn short(id: Uuid) -> String {
    let text = id.simple().to_string();
    text[text.len() - 8..].to_uppercase()
}

fn money(cents: i64, currency: &str) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02} {currency}", cents / 100, cents % 100)
}

fn text(shop: &str, greeting: &str, sentences: &[String], table: &[String]) -> String {
    let mut parts = vec![greeting.to_owned()];
    parts.extend(sentences.iter().cloned());
    if !table.is_empty() {
        parts.push(
            table
                .iter()
                .map(|line| format!("- {line}"))
                .collect::<Vec<_>>()
                .join("\n"),
        );
    }
    parts.push(format!("-- \n{shop}"));
    parts.join("\n\n")
}

fn html(shop: &str, greeting: &str, sentences: &[String], table: &[String]) -> String {
    let paragraph = |text: &str| format!("<p>{}</p>\n", escaped(text));
    let mut body = paragraph(greeting);
    body.extend(sentences.iter().map(|sentence| paragraph(sentence)));
    if !table.is_empty() {
        let items: String = table
            .iter()
            .map(|line| format!("<li>{}</li>\n", escaped(line)))
            .collect();
        body += &format!("<ul>\n{items}</ul>\n");
    }
    let shop = escaped(shop);
    format!("<!doctype html>\n<html lang=\"en\">\n<body>\n{body}<hr>\n<p>{shop}</p>\n</body>\n</html>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            order_id: Some(Uuid::from_u128(0xabcdef12)),
            amount_cents: 1290,
            currency: "EUR".to_owned(),
            lines: vec![PricedLine {
                product_id: Uuid::from_u128(7),
                quantity: 2,
                price_cents: 645,
            }],
            cancel_reason: Some(CancelReason::OutOfStock),
        }
    }

    #[test]
    fn every_kind_of_the_queue_has_words() {
        for kind in shop_contract::event::EMAIL_WORK.routing_keys {
            let words = words("Tea & Co", "Ada <b>", kind, &facts()).unwrap();
            assert!(
                !words.subject.contains('\n') && words.text.contains("Hello Ada <b>,"),
                "{words:?}"
            );
            assert!(
                words.html.contains("Hello Ada &lt;b&gt;,") && words.html.contains("Tea &amp; Co"),
                "{words:?}"
            );
        }
        assert_eq!(words("Tea", "Ada", "product.changed", &facts()), None);
    }

    #[test]
    fn a_confirmation_tells_lines_and_total() {
        let words = words("Tea", "Ada", ORDER_CONFIRMED, &facts()).unwrap();
        assert_eq!(words.subject, "Your order ABCDEF12 is confirmed");
        assert!(words.text.contains("Total: 12.90 EUR") && words.text.contains("- 2 × item 00000007 at 6.45 EUR"));
        assert!(words.html.contains("<li>2 × item 00000007 at 6.45 EUR</li>"));
    }

    #[test]
    fn money_is_told_to_the_cent() {
        assert_eq!(
            (money(5, "EUR"), money(-1201, "EUR")),
            ("0.05 EUR".into(), "-12.01 EUR".into())
        );
    }
}
