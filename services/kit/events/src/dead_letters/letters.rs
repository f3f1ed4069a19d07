//! Takes dead letters one after another and decides each: left where it was, sent back, or removed.

use crate::bundle::count;
use crate::copies::{Copies, Copy};
use crate::headers::{Death, Past, bare};
use crate::{Broker, BrokerError};
use lapin::Channel;
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use serde::Serialize;
use shop_contract::event::{DELAYS, Queue};
use std::sync::Arc;
use uuid::Uuid;

/// A message no consumer could handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// None for a message that was published without one.
    pub id: Option<Uuid>,
    /// The work queue it came from.
    pub queue: &'static str,
    pub kind: String,
    pub reason: String,
    pub attempts: u32,
    /// How many events it holds: more than one when RabbitMQ gave up a message that nobody lived to open.
    pub events: usize,
    /// RFC 3339; unknown when RabbitMQ itself gave it up.
    pub died_at: Option<String>,
    pub payload: String,
}

/// Those that are there, at most `limit` of each queue. They stay.
pub async fn list(broker: &Broker, queues: &[Queue], limit: u32) -> Result<Vec<DeadLetter>, BrokerError> {
    let mut found = Vec::new();
    let (connection, _) = broker.open("dead letters").await?;
    for queue in queues {
        let failed = |error: lapin::Error| at(queue, &error);
        // What a channel holds goes back to the queue when the channel ends.
        let channel = connection.create_channel().await.map_err(failed)?;
        for _ in 0..limit {
            let Some(message) = take(&channel, queue).await? else {
                break;
            };
            found.push(letter(queue, &message));
        }
        channel.close(200, "done".into()).await.map_err(failed)?;
    }
    let _ = connection.close(200, "done".into()).await;
    Ok(found)
}

/// Sends back the one with this id, or all that are there now. Returns how many.
pub async fn replay(broker: &Broker, queues: &[Queue], id: Option<Uuid>) -> Result<usize, BrokerError> {
    act(broker, queues, id, Act::Replay).await
}

/// Removes the one with this id, or all that are there now. Returns how many.
pub async fn drop_letters(broker: &Broker, queues: &[Queue], id: Option<Uuid>) -> Result<usize, BrokerError> {
    act(broker, queues, id, Act::Drop).await
}

#[derive(Clone, Copy)]
enum Act {
    Replay,
    Drop,
}

async fn act(broker: &Broker, queues: &[Queue], id: Option<Uuid>, act: Act) -> Result<usize, BrokerError> {
    let mut done = 0;
    let (connection, _) = broker.open("dead letters").await?;
    let connection = Arc::new(connection);
    let copies = Copies::new(connection.clone());
    for queue in queues {
        let channel = connection.create_channel().await.map_err(|error| at(queue, &error))?;
        // Of now: what fails again while this runs is not taken again.
        let mut left = None;
        while left != Some(0) {
            let Some(message) = take(&channel, queue).await? else {
                break;
            };
            left = Some(left.unwrap_or(message.message_count + 1) - 1);
            if id.is_some() && id_of(&message) != id {
                continue;
            }
            if matches!(act, Act::Replay) {
                send_back(&copies, queue, &message).await?;
            }
            message
                .ack(BasicAckOptions::default())
                .await
                .map_err(|error| at(queue, &error))?;
            done += 1;
        }
        channel
            .close(200, "done".into())
            .await
            .map_err(|error| at(queue, &error))?;
    }
    let _ = connection.close(200, "done".into()).await;
    Ok(done)
}

async fn take(channel: &Channel, queue: &Queue) -> Result<Option<BasicGetMessage>, BrokerError> {
    channel
        .basic_get(queue.dead_letters.into(), BasicGetOptions::default())
        .await
        .map_err(|error| at(queue, &error))
}

async fn send_back(copies: &Copies, queue: &Queue, message: &BasicGetMessage) -> Result<(), BrokerError> {
    let Some(delay) = DELAYS.first() else {
        return Err(BrokerError {
            at: queue.name.to_owned(),
            detail: "no delay leads back to it".to_owned(),
        });
    };
    let copy = Copy {
        exchange: delay.name,
        routing_key: queue.name,
        payload: &message.data,
        properties: bare(&message.properties),
    };
    copies.send(copy).await
}

fn letter(queue: &Queue, message: &BasicGetMessage) -> DeadLetter {
    let properties = &message.properties;
    let kind = properties.kind().as_ref().map(ToString::to_string);
    let died_at = properties.timestamp().and_then(|seconds| {
        let seconds = i64::try_from(seconds).ok()?;
        jiff::Timestamp::from_second(seconds).ok()
    });
    DeadLetter {
        id: id_of(message),
        queue: queue.name,
        kind: kind.unwrap_or_default(),
        reason: Death::of(properties).reason,
        attempts: Past::of(properties).attempts,
        events: count(properties),
        died_at: died_at.map(|time| time.to_string()),
        payload: String::from_utf8_lossy(&message.data).into_owned(),
    }
}

fn id_of(message: &BasicGetMessage) -> Option<Uuid> {
    Uuid::try_parse(message.properties.message_id().as_ref()?.as_str()).ok()
}

fn at(queue: &Queue, error: &lapin::Error) -> BrokerError {
    BrokerError {
        at: queue.dead_letters.to_owned(),
        detail: error.to_string(),
    }
}
