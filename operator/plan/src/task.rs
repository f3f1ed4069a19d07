//! Work on datastores and pods as data. The controller's executor runs each through a driver and records the outcome.

use crate::observed::ShardId;
use serde::{Deserialize, Serialize};

/// A key of a generated Secret, read by the executor just before use: passwords never enter a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRef {
    pub secret: String,
    pub key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// A role that may log in, and a database it owns, on the primary behind `host`.
    EnsureDatabase {
        shard: ShardId,
        host: String,
        superuser_password: SecretRef,
        role: String,
        role_password: SecretRef,
        database: String,
        max_connections: u32,
    },
    /// Patroni's dynamic configuration (`PATCH /config`): ttl, synchronous mode, parameters.
    EnsurePatroniConfig {
        shard: ShardId,
        pods: Vec<PodAddress>,
        config: serde_json::Value,
    },
    /// Hand the primary of a shard over before its pod is restarted.
    Switchover {
        shard: ShardId,
        pods: Vec<PodAddress>,
        from: String,
        to: String,
    },
    /// Form, join, heal: the driver compares these members with what the cluster says and takes the next steps.
    EnsureRedis {
        members: Vec<RedisPod>,
        shards: u16,
        replicas: u16,
        user: String,
        password: SecretRef,
    },
    /// Hand a Redis primary's slots over to a replica before its pod is restarted or goes.
    RedisFailover {
        primary: RedisPod,
        replica: RedisPod,
        user: String,
        password: SecretRef,
    },
    /// Virtual host, users, permissions, policies, exchanges, queues and bindings.
    EnsureRabbitMq {
        host: String,
        admin_user: String,
        admin_password: SecretRef,
        user: String,
        user_password: SecretRef,
        nodes: u16,
    },
    /// Delete one pod so that its StatefulSet makes it anew from the current template.
    RestartPod { pod: String, uid: String, reason: String },
    /// A synthetic customer in each shard of `orders` places an order through the gateway.
    Prove {
        gateway: String,
        synthetic_key: SecretRef,
        shards: Vec<u16>,
        generation: i64,
    },
}

/// The key of [`Task::Prove`].
pub const PROVE: &str = "prove";

impl Task {
    /// What [`crate::observed::Observed::done`] is keyed by: the same work on the same thing has the same key.
    pub fn key(&self) -> String {
        let of_shard = |verb: &str, shard: &ShardId| format!("{verb} {}/{}", shard.database, shard.index);
        match self {
            Task::EnsureDatabase { shard, .. } => of_shard("ensure-database", shard),
            Task::EnsurePatroniConfig { shard, .. } => of_shard("ensure-patroni-config", shard),
            Task::Switchover { shard, .. } => of_shard("switchover", shard),
            Task::EnsureRedis { .. } => "ensure-redis".into(),
            Task::RedisFailover { primary, .. } => format!("redis-failover {}", primary.pod),
            Task::EnsureRabbitMq { .. } => "ensure-rabbitmq".into(),
            Task::RestartPod { pod, uid, .. } => format!("restart-pod {pod} {uid}"),
            Task::Prove { .. } => PROVE.into(),
        }
    }

    /// Changes with anything it says: a changed task is run again.
    pub fn digest(&self) -> String {
        crate::digest::digest_of(self)
    }

    /// The keys of Secrets it reads.
    pub fn secrets(&self) -> Vec<&SecretRef> {
        match self {
            Task::EnsureDatabase {
                superuser_password,
                role_password,
                ..
            } => vec![superuser_password, role_password],
            Task::EnsureRabbitMq {
                admin_password,
                user_password,
                ..
            } => vec![admin_password, user_password],
            Task::EnsureRedis { password, .. } | Task::RedisFailover { password, .. } => vec![password],
            Task::Prove { synthetic_key, .. } => vec![synthetic_key],
            Task::EnsurePatroniConfig { .. } | Task::Switchover { .. } | Task::RestartPod { .. } => Vec::new(),
        }
    }

    /// Takes something away for a moment, so it is only planned from what is known.
    pub fn disturbs(&self) -> bool {
        match self {
            Task::Switchover { .. } | Task::RedisFailover { .. } | Task::RestartPod { .. } => true,
            Task::EnsureDatabase { .. }
            | Task::EnsurePatroniConfig { .. }
            | Task::EnsureRedis { .. }
            | Task::EnsureRabbitMq { .. }
            | Task::Prove { .. } => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodAddress {
    pub pod: String,
    pub ip: String,
    /// Of its Patroni.
    pub port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisPod {
    pub pod: String,
    pub ip: String,
    pub node: String,
}
