//! What the operator makes, made here with the arguments of the queues themselves.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};
use shop_contract::event::{DEAD_LETTER_EXCHANGE, DELAYS, EXCHANGE, Queue};
use shop_kit_testbed::RabbitMq;
use shop_kit_testshards::PATIENCE;

/// The first delay; each further one is twice as long, so that a test sees all of them.
const DELAY_MILLISECONDS: i32 = 100;

pub(crate) async fn make_exchanges(channel: &Channel) {
    exchange(channel, EXCHANGE, ExchangeKind::Topic).await;
    exchange(channel, DEAD_LETTER_EXCHANGE, ExchangeKind::Direct).await;
}

pub(crate) async fn make_queues(channel: &Channel, queues: &[Queue]) {
    for wanted in queues {
        let mut arguments = quorum();
        arguments.insert("x-dead-letter-exchange".into(), text(DEAD_LETTER_EXCHANGE));
        arguments.insert("x-dead-letter-routing-key".into(), text(wanted.dead_letters));
        arguments.insert(
            "x-delivery-limit".into(),
            AMQPValue::LongInt(i32::try_from(wanted.delivery_limit).unwrap_or(i32::MAX)),
        );
        reliable(&mut arguments);
        queue(channel, wanted.dead_letters, quorum()).await;
        bind(channel, wanted.dead_letters, DEAD_LETTER_EXCHANGE, wanted.dead_letters).await;
        queue(channel, wanted.name, arguments).await;
        for key in wanted.routing_keys {
            bind(channel, wanted.name, EXCHANGE, key).await;
        }
    }
    make_delays(channel).await;
}

async fn make_delays(channel: &Channel) {
    let mut milliseconds = DELAY_MILLISECONDS;
    for delay in DELAYS {
        let mut arguments = quorum();
        arguments.insert("x-dead-letter-exchange".into(), text(""));
        arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(milliseconds));
        reliable(&mut arguments);
        exchange(channel, delay.name, ExchangeKind::Fanout).await;
        queue(channel, delay.name, arguments).await;
        bind(channel, delay.name, delay.name, "").await;
        milliseconds *= 2;
    }
}

pub(crate) async fn make_vhost(server: &RabbitMq, vhost: &str) {
    let base = format!("http://{}:{}/api", server.host(), server.management_port());
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
    let client = client.expect("an HTTP client");
    let put = |path: String, body: serde_json::Value| {
        let request = client
            .put(format!("{base}{path}"))
            .basic_auth(server.admin(), Some(server.password()));
        async move {
            let answer = request.json(&body).send().await;
            answer
                .and_then(reqwest::Response::error_for_status)
                .expect("the virtual host is made")
        }
    };
    put(format!("/vhosts/{vhost}"), serde_json::json!({})).await;
    let all = serde_json::json!({"configure": ".*", "write": ".*", "read": ".*"});
    put(format!("/permissions/{vhost}/{}", server.admin()), all).await;
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

/// Dead letters leave the queue only when they have arrived.
fn reliable(arguments: &mut FieldTable) {
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind) {
    let options = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let made = channel.exchange_declare(name.into(), kind, options, FieldTable::default());
    made.await.expect("the exchange is made");
}

async fn queue(channel: &Channel, name: &str, arguments: FieldTable) {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let made = channel.queue_declare(name.into(), options, arguments);
    made.await.expect("the queue is made");
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) {
    let options = QueueBindOptions::default();
    let bound = channel.queue_bind(
        queue.into(),
        exchange.into(),
        key.into(),
        options,
        FieldTable::default(),
    );
    bound.await.expect("the queue is bound");
}
