//! Events of one kind that travel together: one message, its payload a JSON text sequence (RFC 7464), their ids in a
//! header. RabbitMQ's work is by the message, and replicated, so what gathers in an outbox should not be many of them.
//! An event alone is a plain message.

use crate::Message;
use crate::backlog::Claimed;
use crate::headers::Past;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Events of one message at most: what fails together is handled again together.
pub(crate) const MOST: usize = 64;
/// Bytes of events in one message, when there are several.
const LARGEST: usize = 64 * 1024;
const SEQUENCE: &str = "application/json-seq";
/// Before each text of a sequence; JSON itself holds it nowhere.
const SEPARATOR: u8 = 0x1e;
pub(crate) const IDS: &str = "x-shop-events";

/// Rows for one message, at least one.
pub(crate) struct Bundle<'a>(Vec<&'a Claimed>);

/// Rows of one kind stay in their order.
pub(crate) fn bundles(rows: &[Claimed]) -> Vec<Bundle<'_>> {
    let mut kinds: BTreeMap<&str, (usize, Bundle<'_>)> = BTreeMap::new();
    let mut full = Vec::new();
    for row in rows {
        let (bytes, open) = kinds.entry(&row.kind).or_insert_with(|| (0, Bundle(Vec::new())));
        if open.0.len() == MOST || (*bytes + row.payload.len() > LARGEST && !open.0.is_empty()) {
            full.push(Bundle(std::mem::take(&mut open.0)));
            *bytes = 0;
        }
        *bytes += row.payload.len();
        open.0.push(row);
    }
    full.extend(kinds.into_values().map(|(_, open)| open));
    full
}

impl Bundle<'_> {
    pub fn ids(&self) -> impl Iterator<Item = Uuid> {
        self.0.iter().map(|row| row.id)
    }

    /// Also the routing key.
    pub fn kind(&self) -> &str {
        &self.0[0].kind
    }

    /// Properties and payload.
    pub fn message(&self) -> (BasicProperties, Vec<u8>) {
        let first = self.0[0];
        let properties = plain(first.id, &first.kind);
        if self.0.len() == 1 {
            return (properties, first.payload.clone().into_bytes());
        }
        let (mut ids, mut payload) = (Vec::new(), Vec::new());
        for row in &self.0 {
            ids.push(AMQPValue::LongString(row.id.to_string().into()));
            payload.push(SEPARATOR);
            payload.extend(row.payload.as_bytes());
            payload.push(b'\n');
        }
        let mut headers = FieldTable::default();
        headers.insert(IDS.into(), AMQPValue::FieldArray(ids.into()));
        let properties = properties.with_content_type(SEQUENCE.into()).with_headers(headers);
        (properties, payload)
    }
}

/// How many events a message carries.
pub(crate) fn count(properties: &BasicProperties) -> usize {
    ids(properties).map_or(1, <[AMQPValue]>::len)
}

/// The events of a message, or why it has none.
pub fn events(properties: &BasicProperties, routing_key: &str, payload: &[u8]) -> Result<Vec<Message>, String> {
    let kind = properties.kind().as_ref().map_or(routing_key, ShortString::as_str);
    let event = |id: Option<Uuid>, payload: &[u8], attempt: u32| {
        let id = id.ok_or("the message has no id that is a UUID, or one of its events has none")?;
        Ok(Message {
            id,
            kind: kind.to_owned(),
            payload: payload.to_vec(),
            attempt,
        })
    };
    let Some(ids) = ids(properties) else {
        let id = properties.message_id().as_ref();
        let id = id.and_then(|id| Uuid::try_parse(id.as_str()).ok());
        return event(id, payload, Past::of(properties).attempts + 1).map(|event| vec![event]);
    };
    let texts: Vec<&[u8]> = payload.split(|byte| *byte == SEPARATOR).skip(1).collect();
    if texts.len() != ids.len() || ids.is_empty() {
        return Err(format!("the message has {} events and {} ids", texts.len(), ids.len()));
    }
    let events = ids.iter().zip(texts).map(|(id, text)| {
        let id = match id {
            AMQPValue::LongString(id) => Uuid::try_parse_ascii(id.as_bytes()).ok(),
            _ => None,
        };
        event(id, text.trim_ascii_end(), 1)
    });
    events.collect()
}

/// The properties of a message that holds one of several events that came together.
pub(crate) fn alone(event: &Message) -> BasicProperties {
    plain(event.id, &event.kind)
}

fn ids(properties: &BasicProperties) -> Option<&[AMQPValue]> {
    match properties.headers().as_ref()?.inner().get(IDS)? {
        AMQPValue::FieldArray(ids) => Some(ids.as_slice()),
        _ => None,
    }
}

/// Of an event alone.
fn plain(id: Uuid, kind: &str) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/json".into())
        .with_message_id(id.to_string().into())
        .with_type(kind.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(kinds: &[&str], payload: &str) -> Vec<Claimed> {
        let row = |kind: &&str| Claimed {
            id: Uuid::now_v7(),
            kind: (*kind).to_owned(),
            payload: payload.to_owned(),
        };
        kinds.iter().map(row).collect()
    }

    fn sizes(rows: &[Claimed]) -> Vec<(&str, usize)> {
        let bundles = bundles(rows).into_iter();
        bundles.map(|bundle| (&*bundle.0[0].kind, bundle.0.len())).collect()
    }

    #[test]
    fn one_message_has_one_kind_and_a_bounded_size() {
        let mixed = rows(&["b", "a", "b", "a", "a"], "{}");
        assert_eq!(sizes(&mixed), [("a", 3), ("b", 2)]);
        let many = rows(&["a"; MOST * 2 + 1], "{}");
        assert_eq!(sizes(&many), [("a", MOST), ("a", MOST), ("a", 1)]);
        let large = rows(&["a", "a", "a"], &"x".repeat(LARGEST / 2));
        assert_eq!(sizes(&large), [("a", 2), ("a", 1)]);
        let huge = rows(&["a", "a"], &"x".repeat(LARGEST + 1));
        assert_eq!(sizes(&huge), [("a", 1), ("a", 1)]);
        assert!(bundles(&[]).is_empty());
    }

    #[test]
    fn what_was_put_together_comes_apart_again() {
        for payload in [r#"{"text":"\u001e\n ü"}"#, "\"x\"", "[1,\n 2]"] {
            for number in [1, 2, MOST] {
                let rows = rows(&vec!["a.b"; number], payload);
                let (properties, bytes) = bundles(&rows)[0].message();
                assert_eq!(count(&properties), number);
                let events = events(&properties, "other", &bytes).unwrap();
                assert_eq!(events.len(), number);
                for (row, event) in rows.iter().zip(&events) {
                    let read = (event.id, &*event.kind, &*event.payload, event.attempt);
                    assert_eq!(read, (row.id, "a.b", payload.as_bytes(), 1));
                }
            }
        }
    }

    #[test]
    fn a_message_that_is_no_sequence_of_its_ids_is_refused() {
        let rows = rows(&["a", "a"], "{}");
        let (properties, bytes) = bundles(&rows)[0].message();
        let refused = |properties: &BasicProperties, bytes: &[u8]| events(properties, "a", bytes).unwrap_err();
        assert_eq!(refused(&properties, &bytes[..3]), "the message has 1 events and 2 ids");
        for id in [AMQPValue::LongString("x".into()), AMQPValue::Boolean(true)] {
            let mut headers = FieldTable::default();
            headers.insert(IDS.into(), AMQPValue::FieldArray(vec![id.clone(), id].into()));
            assert!(refused(&properties.clone().with_headers(headers), &bytes).contains("id that is a UUID"));
        }
        assert!(refused(&BasicProperties::default(), b"{}").contains("id that is a UUID"));
    }
}
