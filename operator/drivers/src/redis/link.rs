//! One connection to one server: logs in, asks, and puts server and action to every failure. Each call has a deadline.

use super::seen::{self, Sighting, Told};
use super::{Auth, Member, RedisError};
use futures::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo, RedisConnectionInfo,
};
use std::time::Duration;
use tokio::time::timeout;

const CONNECT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(5);

pub(super) struct Link<'a> {
    member: &'a Member,
    connection: MultiplexedConnection,
}

impl<'a> Link<'a> {
    pub async fn open(member: &'a Member, auth: &Auth) -> Result<Self, RedisError> {
        let action = "connecting";
        let named = |error| named(member, action, &error);
        let info = ConnectionAddr::Tcp(member.ip.clone(), member.port)
            .into_connection_info()
            .map_err(named)?
            .set_redis_settings(
                RedisConnectionInfo::default()
                    .set_username(&auth.user)
                    .set_password(&auth.password)
                    .set_skip_set_lib_name(),
            );
        let client = Client::open(info).map_err(named)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        match timeout(CONNECT, client.get_multiplexed_async_connection_with_config(&config)).await {
            Ok(opened) => Ok(Self {
                member,
                connection: opened.map_err(named)?,
            }),
            Err(_) => Err(late(member, action, CONNECT)),
        }
    }

    /// Sends one command, given as its words.
    pub async fn ask<T: FromRedisValue>(&mut self, words: &[&str]) -> Result<T, RedisError> {
        let mut command = Cmd::new();
        words.iter().for_each(|word| {
            command.arg(*word);
        });
        // The first two words say what is done without the arguments.
        let action = words[..words.len().min(2)].join(" ");
        match timeout(ANSWER, command.query_async(&mut self.connection)).await {
            Ok(answer) => answer.map_err(|error| named(self.member, &action, &error)),
            Err(_) => Err(late(self.member, &action, ANSWER)),
        }
    }

    pub async fn told(&mut self) -> Result<Told, RedisError> {
        let info: String = self.ask(&["CLUSTER", "INFO"]).await?;
        let keys: u64 = self.ask(&["DBSIZE"]).await?;
        let replication: String = self.ask(&["INFO", "replication"]).await?;
        let nodes: String = self.ask(&["CLUSTER", "NODES"]).await?;
        seen::told(&nodes, &info, &replication, keys).map_err(|cause| RedisError::Unreadable {
            pod: self.member.pod.clone(),
            address: address(self.member),
            action: "CLUSTER NODES".to_owned(),
            cause,
        })
    }
}

/// Asks all members at once. A refused login is an error: it is wrong everywhere and does not mend itself.
pub(super) async fn look(members: &[Member], auth: &Auth) -> Result<Vec<Sighting>, RedisError> {
    let asked = members
        .iter()
        .map(|member| async move { Link::open(member, auth).await?.told().await });
    let mut seen = Vec::new();
    for (member, told) in members.iter().zip(join_all(asked).await) {
        match told {
            Err(refused @ RedisError::LoginRefused { .. }) => return Err(refused),
            told => seen.push(Sighting {
                member: member.clone(),
                told: told.map_err(|error| error.to_string()),
            }),
        }
    }
    Ok(seen)
}

pub(super) fn address(member: &Member) -> String {
    format!("{}:{}", member.ip, member.port)
}

fn late(member: &Member, action: &str, limit: Duration) -> RedisError {
    RedisError::Deadline {
        pod: member.pod.clone(),
        address: address(member),
        action: action.to_owned(),
        seconds: limit.as_secs(),
    }
}

fn named(member: &Member, action: &str, error: &redis::RedisError) -> RedisError {
    let (pod, address, action, cause) = (
        member.pod.clone(),
        address(member),
        action.to_owned(),
        error.to_string(),
    );
    match error.code() {
        Some("WRONGPASS" | "NOAUTH" | "NOPERM") => RedisError::LoginRefused { pod, address, cause },
        _ if error.kind() == redis::ErrorKind::AuthenticationFailed => RedisError::LoginRefused { pod, address, cause },
        Some(_) => RedisError::Refused {
            pod,
            address,
            action,
            cause,
        },
        None => RedisError::Unreachable {
            pod,
            address,
            action,
            cause,
        },
    }
}
