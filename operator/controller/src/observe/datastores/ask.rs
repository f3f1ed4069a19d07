//! Asks all datastores of a shop in parallel, each with a deadline. Reads only; who does not answer is Unknown.

use super::super::secrets;
use super::Targets;
use crate::execute::{RABBITMQ_ADMIN, RABBITMQ_USER, REDIS_USER};
use crate::memory::{Shared, Views};
use futures::future::join_all;
use shop_contract::port;
use shop_drivers::postgres::patroni;
use shop_drivers::{rabbitmq, redis};
use shop_plan::names;
use shop_plan::observed::{PatroniMember, PatroniView, RabbitView, RedisMember, RedisView, Seen};
use shop_plan::task::SecretRef;
use std::collections::BTreeMap;
use std::time::Duration;

/// One source may take this long; a slow one never delays the others.
const DEADLINE: Duration = Duration::from_secs(10);

pub async fn read(targets: &Targets, memory: &Shared) -> Views {
    let password = |key: &str| {
        secrets::value(
            memory,
            &SecretRef {
                secret: targets.secret.clone(),
                key: key.to_owned(),
            },
        )
    };
    let postgres = join_all(
        targets
            .postgres
            .iter()
            .map(|(shard, members)| async move { (shard.clone(), read_postgres(members).await) }),
    );
    let (postgres, redis, rabbitmq) = tokio::join!(
        postgres,
        read_redis(targets, password(names::key::REDIS_PASSWORD)),
        read_rabbitmq(
            targets,
            password(names::key::RABBITMQ_ADMIN),
            password(names::key::RABBITMQ_SHOP)
        ),
    );
    Views {
        postgres: BTreeMap::from_iter(postgres),
        redis,
        rabbitmq,
    }
}

/// Waits at most [`DEADLINE`]; a failure of any kind is Unknown and says why.
async fn asked<T, E: std::fmt::Display>(what: &str, asking: impl Future<Output = Result<T, E>>) -> Seen<T> {
    match tokio::time::timeout(DEADLINE, asking).await {
        Ok(Ok(answer)) => Seen::Known(answer),
        Ok(Err(error)) => Seen::Unknown(error.to_string()),
        Err(_) => Seen::Unknown(format!("{what} did not answer within {} s", DEADLINE.as_secs())),
    }
}

async fn read_postgres(members: &[patroni::Address]) -> Seen<PatroniView> {
    if members.is_empty() {
        return Seen::Absent;
    }
    let view = asked("Patroni", patroni::read_cluster(members)).await;
    map(view, |cluster| PatroniView {
        paused: cluster.paused,
        members: cluster.members.into_iter().map(patroni_member).collect(),
    })
}

fn patroni_member(member: patroni::Member) -> PatroniMember {
    let patroni::Member {
        name,
        role,
        state,
        lag_bytes,
        timeline,
    } = member;
    PatroniMember {
        name,
        role,
        state,
        lag_bytes,
        timeline,
    }
}

async fn read_redis(targets: &Targets, password: Result<String, String>) -> Seen<RedisView> {
    if targets.redis.is_empty() {
        return Seen::Absent;
    }
    let password = match password {
        Ok(password) => password,
        Err(why) => return Seen::Unknown(why),
    };
    let auth = redis::Auth {
        user: REDIS_USER.to_owned(),
        password,
    };
    let view = asked("Redis", redis::read(&targets.redis, targets.shape, &auth)).await;
    map(view, |view| RedisView {
        serving: view.serving,
        slots_assigned: view.slots_assigned,
        problems: view.problems,
        members: view.nodes.into_iter().map(redis_member).collect(),
    })
}

fn redis_member(node: redis::Node) -> RedisMember {
    let redis::Node {
        pod,
        id,
        primary,
        primary_id,
        slots,
        linked,
    } = node;
    RedisMember {
        pod,
        id,
        primary,
        primary_id,
        slots,
        linked,
    }
}

async fn read_rabbitmq(
    targets: &Targets,
    admin: Result<String, String>,
    shop: Result<String, String>,
) -> Seen<RabbitView> {
    let Some(host) = &targets.rabbitmq else {
        return Seen::Absent;
    };
    let (admin, shop) = match (admin, shop) {
        (Ok(admin), Ok(shop)) => (admin, shop),
        (Err(why), _) | (_, Err(why)) => return Seen::Unknown(why),
    };
    let admin = rabbitmq::Admin {
        host: host.clone(),
        port: port::RABBITMQ_MANAGEMENT,
        user: RABBITMQ_ADMIN.to_owned(),
        password: admin,
    };
    let wanted = rabbitmq::Wanted {
        user: RABBITMQ_USER.to_owned(),
        password: shop,
        nodes: targets.nodes,
    };
    let view = asked("RabbitMQ", rabbitmq::read(&admin, &wanted)).await;
    map(view, |view| {
        let rabbitmq::View {
            running_nodes,
            missing,
            leaderless,
        } = view;
        RabbitView {
            running_nodes,
            missing,
            leaderless,
        }
    })
}

fn map<A, B>(seen: Seen<A>, change: impl FnOnce(A) -> B) -> Seen<B> {
    match seen {
        Seen::Absent => Seen::Absent,
        Seen::Unknown(why) => Seen::Unknown(why),
        Seen::Known(value) => Seen::Known(change(value)),
    }
}
