//! A virtual host of a real RabbitMQ for one test, behind a wire the test can cut or mute.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use shop_contract::event::{DEAD_LETTER_EXCHANGE, EXCHANGE, ORDER_WORK};
use shop_kit_config::{HostPort, Secret};
use shop_kit_events::Broker;
use shop_kit_testbed::RabbitMq;
use shop_kit_testshards::PATIENCE;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

/// What the wire does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Open,
    /// Drops every connection and takes no new one.
    Cut,
    /// Carries what the client says and swallows the answers.
    Muted,
}

pub struct TestBroker {
    pub broker: Broker,
    /// Straight to the server, past the wire.
    pub channel: Channel,
    wire: watch::Sender<Wire>,
    _connection: Connection,
}

impl TestBroker {
    /// With the exchange only: nothing takes events yet.
    pub async fn bare() -> Self {
        let server = RabbitMq::shared().await.unwrap();
        let vhost = format!("test-{}", Uuid::now_v7());
        make_vhost(server, &vhost).await;
        let url = server.amqp_url(server.admin(), server.password(), &vhost);
        let connection = Connection::connect(&url, ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        for (name, kind) in [
            (EXCHANGE, ExchangeKind::Topic),
            (DEAD_LETTER_EXCHANGE, ExchangeKind::Topic),
        ] {
            let options = ExchangeDeclareOptions {
                durable: true,
                ..ExchangeDeclareOptions::default()
            };
            channel
                .exchange_declare(name.into(), kind, options, FieldTable::default())
                .await
                .unwrap();
        }
        let (wire, state) = watch::channel(Wire::Open);
        let server_at: SocketAddr = format!("{}:{}", server.host(), server.amqp_port()).parse().unwrap();
        let at = lay_wire(server_at, state).await;
        let addresses = vec![HostPort {
            host: at.ip().to_string(),
            port: at.port(),
        }];
        let mut broker = Broker::new(addresses, &vhost, server.admin(), Secret::new(server.password()));
        broker.patience = PATIENCE;
        Self {
            broker,
            channel,
            wire,
            _connection: connection,
        }
    }

    /// With the queues, as the operator makes them.
    pub async fn start() -> Self {
        let this = Self::bare().await;
        this.make_queues().await;
        this
    }

    pub async fn make_queues(&self) {
        let text = |text: &str| AMQPValue::LongString(text.into());
        let mut work = FieldTable::default();
        work.insert("x-queue-type".into(), text("quorum"));
        work.insert("x-dead-letter-exchange".into(), text(DEAD_LETTER_EXCHANGE));
        work.insert(
            "x-delivery-limit".into(),
            AMQPValue::LongInt(ORDER_WORK.delivery_limit as i32),
        );
        self.queue(ORDER_WORK.name, EXCHANGE, ORDER_WORK.routing_key, work)
            .await;
        let mut dead = FieldTable::default();
        dead.insert("x-queue-type".into(), text("quorum"));
        self.queue(
            ORDER_WORK.dead_letters,
            DEAD_LETTER_EXCHANGE,
            ORDER_WORK.routing_key,
            dead,
        )
        .await;
    }

    pub fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
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
            .unwrap()
            .message_count()
    }

    /// Waits until a queue holds so many.
    pub async fn until_waiting(&self, queue: &str, count: u32) {
        let begun = std::time::Instant::now();
        loop {
            let now = self.waiting_in(queue).await;
            if now == count {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{queue} holds {now} messages, not {count}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    async fn queue(&self, name: &str, exchange: &str, key: &str, arguments: FieldTable) {
        let options = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        self.channel
            .queue_declare(name.into(), options, arguments)
            .await
            .unwrap();
        let options = QueueBindOptions::default();
        self.channel
            .queue_bind(name.into(), exchange.into(), key.into(), options, FieldTable::default())
            .await
            .unwrap();
    }
}

async fn make_vhost(server: &RabbitMq, vhost: &str) {
    let base = format!("http://{}:{}/api", server.host(), server.management_port());
    let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
    let put = |path: String, body: serde_json::Value| {
        let request = client
            .put(format!("{base}{path}"))
            .basic_auth(server.admin(), Some(server.password()));
        async move { request.json(&body).send().await.unwrap().error_for_status().unwrap() }
    };
    put(format!("/vhosts/{vhost}"), serde_json::json!({})).await;
    let all = serde_json::json!({"configure": ".*", "write": ".*", "read": ".*"});
    put(format!("/permissions/{vhost}/{}", server.admin()), all).await;
}

/// Returns the address the wire begins at; it listens already.
async fn lay_wire(server: SocketAddr, state: watch::Receiver<Wire>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            if *state.borrow() == Wire::Cut {
                continue;
            }
            let Ok(server) = TcpStream::connect(server).await else {
                continue;
            };
            tokio::spawn(carry(client, server, state.clone()));
        }
    });
    at
}

async fn carry(client: TcpStream, server: TcpStream, mut state: watch::Receiver<Wire>) {
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let answers = state.clone();
    tokio::select! {
        _ = state.wait_for(|wire| *wire == Wire::Cut) => {}
        () = copy(from_client, to_server, None) => {}
        () = copy(from_server, to_client, Some(answers)) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mute: Option<watch::Receiver<Wire>>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        let muted = mute.as_ref().is_some_and(|state| *state.borrow() == Wire::Muted);
        if read == 0 || (!muted && to.write_all(&buffer[..read]).await.is_err()) {
            return;
        }
    }
}
