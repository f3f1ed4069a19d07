//! Asks the datastores how they are, in the background: all in parallel, each with a deadline; who does not answer is
//! Unknown, never absent. Reads only. The pass takes whatever was answered last.

use super::secrets;
use crate::cache::ShopKey;
use crate::context;
use crate::memory::{Shared, Views};
use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use shop_contract::port;
use shop_drivers::postgres::patroni;
use shop_drivers::{rabbitmq, redis};
use shop_plan::observed::{Observed, PatroniMember, PatroniView, RabbitView, RedisMember, RedisView, Seen, ShardId};
use shop_plan::shop::ValidatedShop;
use shop_plan::task::SecretRef;
use shop_plan::{names, pod, topology};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// One source may take this long; a slow one never delays the others.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long an answer counts while all is well, and while it is not.
pub const CALM: Duration = Duration::from_secs(30);
pub const TENSE: Duration = Duration::from_secs(8);

/// Whom to ask. Made from what the caches hold, without a request.
pub struct Targets {
    postgres: Vec<(ShardId, Vec<patroni::Address>)>,
    redis: Vec<redis::Member>,
    shape: redis::Shape,
    rabbitmq: Option<String>,
    nodes: u16,
    secret: String,
}

pub fn targets(shop: &ValidatedShop, seen: &Observed) -> Targets {
    let shards = shop.databases.iter().flat_map(topology::shards::ids);
    let postgres = shards
        .map(|shard| {
            let pods = addressed(seen, "postgres", Some(&names::shard_name(&shard)));
            let address = |(pod, ip): &(&Pod, String)| patroni::Address {
                name: pod::name(pod).to_owned(),
                host: ip.clone(),
                port: port::PATRONI,
            };
            (shard, pods.iter().map(address).collect())
        })
        .collect();
    let member = |(pod, ip): &(&Pod, String)| redis::Member {
        pod: pod::name(pod).to_owned(),
        ip: ip.clone(),
        port: port::REDIS,
        node: pod::node(pod).unwrap_or_default().to_owned(),
    };
    let rabbits = addressed(seen, "rabbitmq", None);
    let ready = rabbits.iter().find(|(pod, _)| pod::is_ready(pod));
    Targets {
        postgres,
        redis: addressed(seen, "redis", None).iter().map(member).collect(),
        shape: redis::Shape {
            shards: shop.redis.shards,
            replicas: shop.redis.replicas,
        },
        rabbitmq: ready.or(rabbits.first()).map(|(_, ip)| ip.clone()),
        nodes: shop.rabbitmq.nodes,
        secret: names::secret(&shop.name),
    }
}

/// Pods of a component that have an address and are not leaving.
fn addressed<'a>(seen: &'a Observed, component: &str, name: Option<&str>) -> Vec<(&'a Pod, String)> {
    let label = |pod: &Pod, key: &str| pod.metadata.labels.as_ref().and_then(|labels| labels.get(key)).cloned();
    let of = |pod: &&Pod| {
        label(pod, names::COMPONENT).as_deref() == Some(component)
            && name.is_none_or(|name| label(pod, names::NAME).as_deref() == Some(name))
            && !pod::is_leaving(pod)
    };
    let pods = seen.pods.known().into_iter().flatten().filter(of);
    pods.filter_map(|pod| Some((pod, pod::ip(pod)?.to_owned()))).collect()
}

/// Asks now, unless it is being done already or the last answers are fresh enough. Wakes the shop when something differs.
pub fn refresh(context: &context::Shared, key: &ShopKey, memory: &Shared, targets: Targets, calm: bool) {
    let interval = if calm { CALM } else { TENSE };
    {
        let mut memory = memory.lock();
        let due = memory.pods_changed || memory.views_read.is_none_or(|read| read.elapsed() >= interval);
        if memory.reading_views || !due {
            return;
        }
        memory.reading_views = true;
        memory.pods_changed = false;
    }
    let (context, key, memory) = (context.clone(), key.clone(), memory.clone());
    let tracker = context.tasks.clone();
    tracker.spawn(async move {
        let views = read(&targets, &memory).await;
        record_lag(&context, &key, &views);
        let changed = {
            let mut memory = memory.lock();
            let changed = differs(&memory.views, &views);
            memory.views = views;
            memory.views_read = Some(Instant::now());
            memory.reading_views = false;
            changed
        };
        if changed {
            context.queue.wake_now(key);
        } else {
            context.queue.wake_in(key, interval);
        }
    });
}

/// Lag changes all the time and is a metric; only what a decision may rest on wakes a shop.
fn differs(before: &Views, now: &Views) -> bool {
    let calm = |views: &Views| {
        let mut postgres = views.postgres.clone();
        for view in postgres.values_mut() {
            if let Seen::Known(view) = view {
                for member in &mut view.members {
                    member.lag_bytes = member.lag_bytes.map(|lag| lag >> 24);
                }
            }
        }
        (postgres, views.redis.clone(), views.rabbitmq.clone())
    };
    calm(before) != calm(now)
}

fn record_lag(context: &context::Context, key: &ShopKey, views: &Views) {
    for member in views
        .postgres
        .values()
        .filter_map(Seen::known)
        .flat_map(|view| &view.members)
    {
        let lag = member.lag_bytes.unwrap_or_default() as f64;
        context
            .metrics
            .postgres_lag_bytes
            .with_label_values(&[&key.namespace, &key.name, &member.name])
            .set(lag);
    }
}

async fn read(targets: &Targets, memory: &Shared) -> Views {
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
        user: crate::execute::REDIS_USER.to_owned(),
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
        user: crate::execute::RABBITMQ_ADMIN.to_owned(),
        password: admin,
    };
    let wanted = rabbitmq::Wanted {
        user: crate::execute::RABBITMQ_USER.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn views(lag: u64, role: &str) -> Views {
        let member = PatroniMember {
            name: "demo-orders-0-0".into(),
            role: role.into(),
            state: "streaming".into(),
            lag_bytes: Some(lag),
            timeline: Some(1),
        };
        let shard = ShardId {
            database: "orders".into(),
            index: 0,
        };
        let view = PatroniView {
            members: vec![member],
            paused: false,
        };
        Views {
            postgres: BTreeMap::from([(shard, Seen::Known(view))]),
            ..Views::default()
        }
    }

    #[test]
    fn a_little_lag_wakes_nobody_but_a_new_role_does() {
        assert!(!differs(&views(0, "replica"), &views(4096, "replica")));
        assert!(differs(&views(0, "replica"), &views(64 << 20, "replica")));
        assert!(differs(&views(0, "replica"), &views(0, "leader")));
    }
}
