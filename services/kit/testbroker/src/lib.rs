//! A virtual host of a real RabbitMQ for one test: exchanges, queues and delays as the operator makes them (the delays
//! shorter), reached through a wire the test can cut or mute. Knows no service.

mod topology;
mod wire;

use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::protocol::basic::AMQPProperties;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};
use shop_contract::event::{EXCHANGE, QUEUES, Queue};
use shop_kit_config::Secret;
use shop_kit_events::{Broker, Message, events};
use shop_kit_testbed::RabbitMq;
use shop_kit_testshards::PATIENCE;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;

pub use wire::Wire;

/// Its methods stop the test at the first surprise.
pub struct TestBroker {
    /// Through the wire.
    pub broker: Broker,
    /// Straight to the server, past the wire.
    pub channel: Channel,
    wire: watch::Sender<Wire>,
    _connection: Connection,
}

/// A message taken from a queue.
#[derive(Debug)]
pub struct Taken {
    pub payload: Vec<u8>,
    pub properties: AMQPProperties,
}

impl Taken {
    /// What it holds.
    pub fn events(&self) -> Vec<Message> {
        events(&self.properties, "", &self.payload).expect("a message of events")
    }
}

impl TestBroker {
    /// With all queues and delays.
    pub async fn start() -> Self {
        Self::start_with(QUEUES).await
    }

    /// With the delays and these queues only, which is quicker.
    pub async fn start_with(queues: &[Queue]) -> Self {
        let this = Self::bare().await;
        this.make_queues(queues).await;
        this
    }

    /// With the exchanges only: nothing takes events yet.
    pub async fn bare() -> Self {
        let server = RabbitMq::shared().await.expect("RabbitMQ starts");
        let vhost = format!("test-{}", Uuid::now_v7());
        topology::make_vhost(server, &vhost).await;
        let url = server.amqp_url(server.admin(), server.password(), &vhost);
        let connection = Connection::connect(&url, ConnectionProperties::default())
            .await
            .expect("a connection past the wire");
        let channel = connection.create_channel().await.expect("a channel");
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .expect("confirms");
        topology::make_exchanges(&channel).await;
        let (wire, state) = watch::channel(Wire::Open);
        let address = wire::lay(&server.host(), server.amqp_port(), state).await;
        let mut broker = Broker::new(vec![address], &vhost, server.admin(), Secret::new(server.password()));
        broker.patience = PATIENCE;
        Self {
            broker,
            channel,
            wire,
            _connection: connection,
        }
    }

    pub async fn make_queues(&self, queues: &[Queue]) {
        topology::make_queues(&self.channel, queues).await;
    }

    pub fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }

    /// Publishes as the relay does, past the wire; returns when RabbitMQ has it.
    pub async fn publish(&self, kind: &str, id: Uuid, payload: &[u8]) {
        self.send(kind, id, payload, None).await;
    }

    async fn send(&self, kind: &str, id: Uuid, payload: &[u8], headers: Option<FieldTable>) {
        let mut properties = AMQPProperties::default()
            .with_delivery_mode(2)
            .with_message_id(id.to_string().into())
            .with_type(kind.into());
        if let Some(headers) = headers {
            properties = properties.with_headers(headers);
        }
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let sent = self
            .channel
            .basic_publish(EXCHANGE.into(), kind.into(), options, payload, properties)
            .await
            .expect("the event is sent");
        let confirmed = sent.await.expect("the event is confirmed");
        assert!(confirmed.is_ack(), "{kind} was refused: {confirmed:?}");
        assert!(confirmed.take_message().is_none(), "no queue is bound for {kind}");
    }

    /// Publishes several events as one message, as the relay does with what gathered.
    pub async fn publish_together(&self, kind: &str, events: &[(Uuid, &[u8])]) {
        let (mut ids, mut payload) = (Vec::new(), Vec::new());
        for (id, event) in events {
            ids.push(AMQPValue::LongString(id.to_string().into()));
            payload.push(0x1e);
            payload.extend_from_slice(event);
            payload.push(b'\n');
        }
        let mut headers = FieldTable::default();
        headers.insert("x-shop-events".into(), AMQPValue::FieldArray(ids.into()));
        self.send(kind, events[0].0, &payload, Some(headers)).await;
    }

    /// Takes a message for good, waiting for one to come.
    pub async fn take(&self, queue: &str) -> Taken {
        let begun = Instant::now();
        loop {
            let options = BasicGetOptions { no_ack: true };
            let got = self.channel.basic_get(queue.into(), options).await;
            if let Some(message) = got.expect("the queue is there") {
                let lapin::message::Delivery { properties, data, .. } = message.delivery;
                return Taken {
                    payload: data,
                    properties,
                };
            }
            assert!(begun.elapsed() < PATIENCE, "no message came to {queue}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Messages ready in a queue.
    pub async fn waiting_in(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions {
            passive: true,
            durable: true,
            ..QueueDeclareOptions::default()
        };
        self.channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await
            .expect("the queue is there")
            .message_count()
    }

    /// Waits until a queue holds so many.
    pub async fn until_waiting(&self, queue: &str, count: u32) {
        let begun = Instant::now();
        loop {
            let now = self.waiting_in(queue).await;
            if now == count {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{queue} holds {now} messages, not {count}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
