//! Publishes one message and waits until RabbitMQ has confirmed it, on a channel apart from the deliveries: an exchange
//! somebody deleted closes this channel only, and the next copy opens another.

use crate::BrokerError;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

const CONFIRM: Duration = Duration::from_secs(10);

pub(crate) struct Copies {
    connection: Arc<Connection>,
    channel: Mutex<Option<Channel>>,
}

/// Where a message goes and what it is.
pub(crate) struct Copy<'a> {
    pub exchange: &'a str,
    pub routing_key: &'a str,
    pub payload: &'a [u8],
    pub properties: BasicProperties,
}

impl Copies {
    pub fn new(connection: Arc<Connection>) -> Self {
        Self {
            connection,
            channel: Mutex::new(None),
        }
    }

    /// `Ok` only when a queue has it for good.
    pub async fn send(&self, copy: Copy<'_>) -> Result<(), BrokerError> {
        let at = copy.exchange.to_owned();
        let failed = |detail: String| BrokerError { at: at.clone(), detail };
        match tokio::time::timeout(CONFIRM, self.publish(copy)).await {
            Ok(Ok(Confirmation::Ack(None))) => Ok(()),
            Ok(Ok(Confirmation::Ack(Some(_)))) => Err(failed("no queue is bound for this message".to_owned())),
            Ok(Ok(Confirmation::Nack(_) | Confirmation::NotRequested)) => Err(failed("refused".to_owned())),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("no confirm within {} s", CONFIRM.as_secs()))),
        }
    }

    async fn publish(&self, copy: Copy<'_>) -> lapin::Result<Confirmation> {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let (exchange, key) = (copy.exchange.into(), copy.routing_key.into());
        let channel = self.open().await?;
        channel
            .basic_publish(exchange, key, options, copy.payload, copy.properties)
            .await?
            .await
    }

    async fn open(&self) -> lapin::Result<Channel> {
        let mut held = self.channel.lock().await;
        if let Some(channel) = held.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        *held = Some(channel.clone());
        Ok(channel)
    }
}
