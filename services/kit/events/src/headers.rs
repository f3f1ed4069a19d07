//! What a message carries besides its payload: how often it failed by itself, how often it waited for a tier, and why
//! it was given up. Copies keep id, type and payload; nothing else of an earlier life.

use crate::bundle::IDS;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

const ATTEMPTS: &str = "x-shop-attempts";
const WAITS: &str = "x-shop-waits";
const REASON: &str = "x-shop-reason";
const QUEUE: &str = "x-shop-queue";
/// Longest reason kept, in characters.
const LONGEST_REASON: usize = 500;

/// Of a message that goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    /// Attempts that failed by themselves.
    pub attempts: u32,
    /// Times it was put off because a tier did not answer.
    pub waits: u32,
}

/// Of a message that was given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Death {
    pub reason: String,
    pub queue: String,
}

impl Past {
    pub fn of(properties: &BasicProperties) -> Self {
        Self {
            attempts: number(properties, ATTEMPTS),
            waits: number(properties, WAITS),
        }
    }

    /// The properties of a copy that is tried again.
    pub fn onto(self, properties: &BasicProperties) -> BasicProperties {
        let mut table = FieldTable::default();
        table.insert(ATTEMPTS.into(), AMQPValue::LongUInt(self.attempts));
        table.insert(WAITS.into(), AMQPValue::LongUInt(self.waits));
        bare(properties).with_headers(table)
    }
}

impl Death {
    /// As it stands in a dead letter; RabbitMQ's own words for one that it gave up itself.
    pub fn of(properties: &BasicProperties) -> Self {
        let found = |name| text(properties, name);
        Self {
            reason: found(REASON)
                .or_else(|| found("x-first-death-reason"))
                .unwrap_or_default(),
            queue: found(QUEUE)
                .or_else(|| found("x-first-death-queue"))
                .unwrap_or_default(),
        }
    }

    /// The properties of a dead letter; `now` in seconds since 1970.
    pub fn onto(&self, properties: &BasicProperties, past: Past, now: u64) -> BasicProperties {
        let reason: String = self.reason.chars().take(LONGEST_REASON).collect();
        let mut table = FieldTable::default();
        table.insert(ATTEMPTS.into(), AMQPValue::LongUInt(past.attempts));
        table.insert(REASON.into(), AMQPValue::LongString(reason.into()));
        table.insert(QUEUE.into(), AMQPValue::LongString(self.queue.as_str().into()));
        bare(properties).with_headers(table).with_timestamp(now)
    }
}

/// As it was first published.
pub(crate) fn bare(properties: &BasicProperties) -> BasicProperties {
    let mut bare = BasicProperties::default().with_delivery_mode(2);
    let ids = properties.headers().as_ref().and_then(|table| table.inner().get(IDS));
    if let Some(ids) = ids {
        let mut table = FieldTable::default();
        table.insert(IDS.into(), ids.clone());
        bare = bare.with_headers(table);
    }
    if let Some(id) = properties.message_id() {
        bare = bare.with_message_id(id.clone());
    }
    if let Some(kind) = properties.kind() {
        bare = bare.with_type(kind.clone());
    }
    if let Some(content) = properties.content_type() {
        bare = bare.with_content_type(content.clone());
    }
    bare
}

fn number(properties: &BasicProperties, name: &str) -> u32 {
    match properties.headers().as_ref().and_then(|table| table.inner().get(name)) {
        Some(AMQPValue::LongUInt(number)) => *number,
        // RabbitMQ hands unsigned numbers on as signed, long ones.
        Some(AMQPValue::LongLongInt(number)) => u32::try_from(*number).unwrap_or_default(),
        Some(AMQPValue::LongInt(number)) => u32::try_from(*number).unwrap_or_default(),
        _ => 0,
    }
}

fn text(properties: &BasicProperties, name: &str) -> Option<String> {
    match properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}
