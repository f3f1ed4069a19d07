//! One task → one call of a driver (or of the API server, for a pod). Reads passwords just before use; decides nothing.

use super::prove::{Wanted, prove};
use super::{Ended, RABBITMQ_USER};
use crate::cache::ShopKey;
use crate::context::Context;
use crate::memory::Shared;
use crate::observe::secrets;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, Preconditions};
use shop_contract::port;
use shop_contract::shard_map::ShardMap;
use shop_drivers::postgres::{self, patroni};
use shop_drivers::{Report, rabbitmq, redis};
use shop_plan::task::{PodAddress, RedisPod, SecretRef, Task};

const SUPERUSER: &str = "postgres";
/// The database a superuser logs in to before any other exists.
const FIRST_DATABASE: &str = "postgres";

/// Runs a task to its end.
pub async fn run(context: &Context, key: &ShopKey, memory: &Shared, task: &Task, map: Option<&ShardMap>) -> Ended {
    let secret = |wanted: &SecretRef| secrets::value(memory, wanted);
    let result = match task {
        Task::EnsureDatabase {
            shard: _,
            host,
            superuser_password,
            role,
            role_password,
            database,
            max_connections,
        } => {
            ensure_database(
                host,
                secret(superuser_password),
                postgres_database(role, secret(role_password), database, *max_connections),
            )
            .await
        }
        Task::EnsurePatroniConfig { shard: _, pods, config } => {
            let wrote = patroni::ensure_config(&addresses(pods), config).await;
            wrote
                .map(|wrote| {
                    if wrote {
                        "configuration written".into()
                    } else {
                        String::new()
                    }
                })
                .map_err(words)
        }
        Task::Switchover {
            shard: _,
            pods,
            from,
            to,
        } => {
            let done = patroni::switchover(&addresses(pods), from, to).await;
            done.map(|()| format!("{to} leads")).map_err(words)
        }
        Task::EnsureRedis {
            members,
            shards,
            replicas,
            user,
            password,
        } => {
            let shape = redis::Shape {
                shards: *shards,
                replicas: *replicas,
            };
            ensure_redis(members, shape, auth(user, secret(password))).await
        }
        Task::RedisFailover {
            primary,
            replica,
            user,
            password,
        } => match auth(user, secret(password)) {
            Ok(auth) => redis::failover(&member(primary), &member(replica), &auth)
                .await
                .map(|()| format!("{} took over", replica.pod))
                .map_err(words),
            Err(why) => Err(why),
        },
        Task::EnsureRabbitMq {
            host,
            admin_user,
            admin_password,
            user,
            user_password,
            nodes,
        } => {
            ensure_rabbitmq(
                host,
                admin_user,
                secret(admin_password),
                user,
                secret(user_password),
                *nodes,
            )
            .await
        }
        Task::RestartPod { pod, uid, reason } => restart(context, key, pod, uid, reason).await,
        Task::Prove {
            gateway,
            synthetic_key,
            shards,
            generation,
        } => match secret(synthetic_key) {
            Ok(synthetic) => {
                let wanted = Wanted {
                    gateway,
                    key: synthetic,
                    shards,
                    generation: *generation,
                };
                prove(context, key, memory, wanted, map).await
            }
            Err(why) => Err(why),
        },
    };
    match result {
        Ok(message) => Ended {
            succeeded: true,
            message,
        },
        Err(message) => Ended {
            succeeded: false,
            message,
        },
    }
}

/// A word for metrics.
pub fn word(task: &Task) -> &'static str {
    match task {
        Task::EnsureDatabase { .. } => "ensure_database",
        Task::EnsurePatroniConfig { .. } => "ensure_patroni_config",
        Task::Switchover { .. } => "switchover",
        Task::EnsureRedis { .. } => "ensure_redis",
        Task::RedisFailover { .. } => "redis_failover",
        Task::EnsureRabbitMq { .. } => "ensure_rabbitmq",
        Task::RestartPod { .. } => "restart_pod",
        Task::Prove { .. } => "prove",
    }
}

type Outcome = Result<String, String>;

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn steps(report: Report) -> String {
    report.steps.join("; ")
}

fn addresses(pods: &[PodAddress]) -> Vec<patroni::Address> {
    let address = |pod: &PodAddress| patroni::Address {
        name: pod.pod.clone(),
        host: pod.ip.clone(),
        port: pod.port,
    };
    pods.iter().map(address).collect()
}

fn member(pod: &RedisPod) -> redis::Member {
    redis::Member {
        pod: pod.pod.clone(),
        ip: pod.ip.clone(),
        port: port::REDIS,
        node: pod.node.clone(),
    }
}

fn auth(user: &str, password: Result<String, String>) -> Result<redis::Auth, String> {
    Ok(redis::Auth {
        user: user.to_owned(),
        password: password?,
    })
}

fn postgres_database(
    role: &str,
    password: Result<String, String>,
    database: &str,
    max_connections: u32,
) -> Result<postgres::Database, String> {
    let (role, database) = (role.to_owned(), database.to_owned());
    Ok(postgres::Database {
        role,
        role_password: password?,
        database,
        max_connections,
    })
}

async fn ensure_database(
    host: &str,
    password: Result<String, String>,
    wanted: Result<postgres::Database, String>,
) -> Outcome {
    let login = postgres::Login {
        host: host.to_owned(),
        port: port::POSTGRES,
        user: SUPERUSER.to_owned(),
        password: password?,
        database: FIRST_DATABASE.to_owned(),
    };
    postgres::ensure_database(&login, &wanted?)
        .await
        .map(steps)
        .map_err(words)
}

async fn ensure_redis(members: &[RedisPod], shape: redis::Shape, auth: Result<redis::Auth, String>) -> Outcome {
    let members: Vec<_> = members.iter().map(member).collect();
    redis::ensure(&members, shape, &auth?).await.map(steps).map_err(words)
}

async fn ensure_rabbitmq(
    host: &str,
    admin_user: &str,
    admin_password: Result<String, String>,
    user: &str,
    password: Result<String, String>,
    nodes: u16,
) -> Outcome {
    let admin = rabbitmq::Admin {
        host: host.to_owned(),
        port: port::RABBITMQ_MANAGEMENT,
        user: admin_user.to_owned(),
        password: admin_password?,
    };
    let user = if user.is_empty() { RABBITMQ_USER } else { user };
    let wanted = rabbitmq::Wanted {
        user: user.to_owned(),
        password: password?,
        nodes,
    };
    rabbitmq::ensure_topology(&admin, &wanted)
        .await
        .map(steps)
        .map_err(words)
}

/// Only this very pod: its successor of the same name has another uid.
async fn restart(context: &Context, key: &ShopKey, pod: &str, uid: &str, reason: &str) -> Outcome {
    let api: Api<Pod> = Api::namespaced(context.client.clone(), &key.namespace);
    let preconditions = Preconditions {
        uid: Some(uid.to_owned()),
        resource_version: None,
    };
    let params = DeleteParams {
        preconditions: Some(preconditions),
        ..DeleteParams::default()
    };
    match api.delete(pod, &params).await {
        Ok(_) => {
            tracing::info!(shop = %key, pod, reason, "pod restarts");
            Ok(format!("restarted: {reason}"))
        }
        Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok("already gone".into()),
        Err(error) => Err(words(error)),
    }
}
