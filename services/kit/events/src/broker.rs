//! Connections to RabbitMQ. In: the nodes' addresses. Out: a connection to one that answers; each attempt begins at
//! the next node, so a lost node costs one attempt.

use lapin::options::ConfirmSelectOptions;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties};
use shop_contract::env;
use shop_kit_config::{Env, HostPort, Secret};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(5);
/// A peer that says nothing for twice this long is lost.
const HEARTBEAT_SECONDS: u16 = 10;
/// Bytes. The client keeps room for 64 frames of each connection, which with the server's 128 KiB are 8 MiB.
const FRAME: u32 = 16 * 1024;

#[derive(Debug, thiserror::Error)]
#[error("rabbitmq {at}: {detail}")]
pub struct BrokerError {
    pub at: String,
    pub detail: String,
}

/// Where RabbitMQ is. Cloning shares the turn of the nodes.
#[derive(Clone, Debug)]
pub struct Broker {
    pub addresses: Vec<HostPort>,
    pub vhost: String,
    pub user: String,
    pub password: Secret,
    /// For one attempt to connect.
    pub patience: Duration,
    turn: Arc<AtomicUsize>,
}

impl Broker {
    pub fn new(addresses: Vec<HostPort>, vhost: &str, user: &str, password: Secret) -> Self {
        Self {
            addresses,
            vhost: vhost.to_owned(),
            user: user.to_owned(),
            password,
            patience: CONNECT,
            turn: Arc::default(),
        }
    }

    pub fn read(env: &Env) -> Option<Self> {
        let (addresses, user) = (env.host_ports(env::RABBITMQ_ADDRESSES), env.text(env::RABBITMQ_USER));
        let password = env.secret(env::RABBITMQ_PASSWORD);
        let vhost = env
            .optional(env::RABBITMQ_VHOST)
            .unwrap_or_else(|| shop_contract::event::VHOST.to_owned());
        Some(Self::new(addresses?, &vhost, &user?, password?))
    }

    /// A connection to the node whose turn it is, with one channel in confirm mode.
    pub async fn open(&self, name: &str) -> Result<(Connection, Channel), BrokerError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.addresses.len().max(1);
        let Some(at) = self.addresses.get(turn % count) else {
            return Err(BrokerError {
                at: "(no address)".to_owned(),
                detail: "no node is configured".to_owned(),
            });
        };
        let failed = |detail: String| BrokerError {
            at: at.to_string(),
            detail,
        };
        match tokio::time::timeout(self.patience, self.dial(at, name)).await {
            Ok(opened) => opened.map_err(|error| failed(error.to_string())),
            Err(_) => Err(failed(format!("no answer within {} s", self.patience.as_secs()))),
        }
    }

    async fn dial(&self, at: &HostPort, name: &str) -> lapin::Result<(Connection, Channel)> {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connection = Connection::connect_uri(self.uri(at), properties).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok((connection, channel))
    }

    fn uri(&self, at: &HostPort) -> AMQPUri {
        let userinfo = AMQPUserInfo {
            username: self.user.clone(),
            password: self.password.expose().to_owned(),
        };
        AMQPUri {
            scheme: AMQPScheme::AMQP,
            authority: AMQPAuthority {
                userinfo,
                host: at.host.clone(),
                port: at.port,
            },
            vhost: self.vhost.clone(),
            query: AMQPQueryString {
                heartbeat: Some(HEARTBEAT_SECONDS),
                frame_max: Some(FRAME),
                ..AMQPQueryString::default()
            },
        }
    }
}
