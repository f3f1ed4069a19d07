//! Audience → sizes. A table; whatever the user writes wins over it in `validate`.
//! Sources: one Postgres shard did 2,800 orders/s at 8 connections on two slow cores (measured), so shards are chosen for
//! memory and failure domains rather than for writes; a quarter of each instance's memory is `shared_buffers`.

use crate::shop::Bytes;
use shop_api::spec::Audience;

/// How large a shop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Up to 10,000 daily users: one of everything.
    Tiny,
    /// Up to 100,000; the default.
    Small,
    /// Up to a million.
    Medium,
    /// Up to ten million.
    Large,
    /// Above.
    Huge,
}

/// Compute of one pod.
#[derive(Clone, Copy, Debug)]
pub struct Compute {
    /// Requested, in thousandths of a core. No limit: a throttled datastore fails over for no reason.
    pub cpu: u64,
    /// Requested.
    pub memory: Bytes,
    pub memory_limit: Bytes,
}

#[derive(Clone, Copy, Debug)]
pub struct DatabaseSize {
    pub shards: u16,
    pub replicas: u16,
    pub storage: Bytes,
    pub compute: Compute,
    pub max_connections: u32,
    pub poolers: u16,
}

#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub catalog: DatabaseSize,
    pub orders: DatabaseSize,
    pub payments: DatabaseSize,
    pub redis_shards: u16,
    pub redis_replicas: u16,
    pub redis: Compute,
    pub redis_storage: Bytes,
    pub rabbitmq_nodes: u16,
    pub rabbitmq: Compute,
    pub rabbitmq_storage: Bytes,
    pub pooler: Compute,
    pub gateway_replicas: u16,
    pub gateway: Compute,
    /// Services a page view or a checkout waits for, and workers an order's way leads through.
    pub service_replicas: u16,
    pub worker_replicas: u16,
    /// All others, which customers do not wait for.
    pub side_replicas: u16,
    pub side_worker_replicas: u16,
    pub service: Compute,
    /// All built-in services in one process, which then has the memory of `single`.
    pub one_process: bool,
    pub single: Compute,
    /// Connections of one service's API, or of one worker, to each shard and to each other database.
    pub pool_size: u32,
}

/// Pods of one service's API, and of each of its workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pods {
    pub api: u16,
    pub worker: u16,
}

impl Sizes {
    /// A service of the user's own counts as one that customers wait for.
    pub fn pods_of(&self, service: &str) -> Pods {
        let (front, saga) = (self.service_replicas, self.worker_replicas);
        let (side, side_worker) = (self.side_replicas, self.side_worker_replicas);
        let pods = |api, worker| Pods { api, worker };
        match service {
            "order" | "inventory" => pods(front, saga),
            "payment" => pods(side, saga),
            "recommendation" => pods(side, side_worker),
            // One is enough: it compares what the others wrote, and a second would find the same.
            "books" => pods(side, 1),
            _ => pods(front, side_worker),
        }
    }
}

const MI: u64 = 1 << 20;
const GI: u64 = 1 << 30;

/// The tier the numbers ask for: by daily users, raised by the busiest second (a hundredth of the daily users is typical).
pub fn tier(audience: &Audience) -> Tier {
    let users = audience.daily_active_users.map(|count| count.0);
    let peak = audience
        .peak_requests_per_second
        .map(|count| count.0.saturating_mul(100));
    match users.max(peak) {
        None => Tier::Small,
        Some(0..=10_000) => Tier::Tiny,
        Some(10_001..=100_000) => Tier::Small,
        Some(100_001..=1_000_000) => Tier::Medium,
        Some(1_000_001..=10_000_000) => Tier::Large,
        Some(_) => Tier::Huge,
    }
}

/// Everything the audience decides.
pub fn sizes(audience: &Audience) -> Sizes {
    let mut sizes = table(tier(audience));
    // 4 KiB an order with lines, indexes and outbox; kept two years; doubled so that vacuum and backups have room.
    if let Some(orders) = audience.orders_per_day {
        let all = orders.0.saturating_mul(4096 * 730 * 2);
        sizes.orders.storage = sizes.orders.storage.max(volume(all / u64::from(sizes.orders.shards)));
        sizes.payments.storage = sizes.payments.storage.max(volume(all / 4));
    }
    if let Some(products) = audience.products {
        sizes.catalog.storage = sizes.catalog.storage.max(volume(products.0.saturating_mul(8192 * 2)));
    }
    sizes
}

/// Whole GiB, at most 16 TiB: what common volumes offer.
fn volume(bytes: u64) -> Bytes {
    Bytes(bytes.div_ceil(GI).clamp(1, 16 * 1024) * GI)
}

fn compute(cpu: u64, memory_mi: u64, limit_mi: u64) -> Compute {
    Compute {
        cpu,
        memory: Bytes(memory_mi * MI),
        memory_limit: Bytes(limit_mi * MI),
    }
}

fn database(shards: u16, replicas: u16, gi: u64, compute: Compute, max_connections: u32, poolers: u16) -> DatabaseSize {
    DatabaseSize {
        shards,
        replicas,
        storage: Bytes(gi * GI),
        compute,
        max_connections,
        poolers,
    }
}

fn table(tier: Tier) -> Sizes {
    match tier {
        Tier::Tiny => tiny(),
        Tier::Small => small(),
        Tier::Medium => grown(Growth {
            shards: 4,
            readers: 3,
            redis: 3,
            redis_replicas: 1,
            rabbitmq: 3,
            pods: 3,
            scale: 1,
        }),
        Tier::Large => grown(Growth {
            shards: 16,
            readers: 4,
            redis: 6,
            redis_replicas: 1,
            rabbitmq: 5,
            pods: 12,
            scale: 4,
        }),
        Tier::Huge => grown(Growth {
            shards: 64,
            readers: 8,
            redis: 12,
            redis_replicas: 2,
            rabbitmq: 7,
            pods: 40,
            scale: 8,
        }),
    }
}

fn tiny() -> Sizes {
    let postgres = compute(25, 160, 384);
    Sizes {
        catalog: database(1, 0, 1, postgres, 100, 1),
        orders: database(1, 0, 2, postgres, 100, 1),
        payments: database(1, 0, 1, postgres, 100, 1),
        redis_shards: 1,
        redis_replicas: 0,
        redis: compute(10, 32, 128),
        redis_storage: Bytes(GI),
        rabbitmq_nodes: 1,
        rabbitmq: compute(10, 192, 512),
        rabbitmq_storage: Bytes(GI),
        pooler: compute(10, 16, 64),
        gateway_replicas: 1,
        gateway: compute(10, 48, 256),
        service_replicas: 1,
        worker_replicas: 1,
        side_replicas: 1,
        side_worker_replicas: 1,
        service: compute(10, 24, 256),
        one_process: true,
        single: compute(25, 96, 384),
        pool_size: 5,
    }
}

fn small() -> Sizes {
    let postgres = compute(25, 192, 512);
    Sizes {
        catalog: database(1, 0, 2, postgres, 100, 1),
        orders: database(2, 1, 5, postgres, 100, 1),
        payments: database(1, 0, 2, postgres, 100, 1),
        redis_shards: 3,
        redis_replicas: 1,
        rabbitmq_nodes: 3,
        gateway_replicas: 2,
        service_replicas: 2,
        worker_replicas: 2,
        one_process: false,
        ..tiny()
    }
}

/// How the sizes above small differ from each other.
struct Growth {
    shards: u16,
    readers: u16,
    redis: u16,
    redis_replicas: u16,
    rabbitmq: u16,
    pods: u16,
    /// Factor on memory, CPU and volumes.
    scale: u64,
}

fn grown(growth: Growth) -> Sizes {
    let Growth {
        shards,
        readers,
        redis,
        redis_replicas,
        rabbitmq,
        pods,
        scale,
    } = growth;
    let postgres = compute(500 * scale, 2048 * scale, 2048 * scale);
    Sizes {
        catalog: database(1, readers, 20 * scale, postgres, 400, 2),
        orders: database(shards, 2, 100 * scale, postgres, 400, 2),
        payments: database(1, if scale > 1 { 2 } else { 1 }, 50 * scale, postgres, 400, 2),
        redis_shards: redis,
        redis_replicas,
        redis: compute(100 * scale, 1024 * scale, 1536 * scale),
        redis_storage: Bytes(4 * scale * GI),
        rabbitmq_nodes: rabbitmq,
        rabbitmq: compute(250 * scale, 1024 * scale, 1024 * scale),
        rabbitmq_storage: Bytes(20 * scale * GI),
        pooler: compute(100, 64, 256),
        gateway_replicas: pods,
        gateway: compute(250, 256, 512),
        service_replicas: pods,
        worker_replicas: pods.div_ceil(2),
        side_replicas: pods.div_ceil(4).max(2),
        side_worker_replicas: pods.div_ceil(6),
        service: compute(250, 128, 512),
        one_process: false,
        single: compute(250, 256, 512),
        pool_size: 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shop_api::spec::Count;
    use shop_contract::service::{ALL, BuiltIn};

    fn audience(users: u64) -> Audience {
        Audience {
            daily_active_users: Some(Count(users)),
            ..Audience::default()
        }
    }

    #[test]
    fn the_edges_belong_to_the_lower_tier() {
        let tiers = [
            (10_000, Tier::Tiny),
            (10_001, Tier::Small),
            (1_000_000, Tier::Medium),
            (10_000_001, Tier::Huge),
        ];
        for (users, wanted) in tiers {
            assert_eq!(tier(&audience(users)), wanted, "{users} users");
        }
        assert_eq!(tier(&Audience::default()), Tier::Small);
    }

    #[test]
    fn a_busy_second_raises_the_tier() {
        let busy = Audience {
            peak_requests_per_second: Some(Count(5_000)),
            ..audience(5_000)
        };
        assert_eq!(tier(&busy), Tier::Medium);
    }

    #[test]
    fn the_small_shop_fits_two_cores_and_six_gibibytes() {
        let s = sizes(&Audience::default());
        let databases = [s.catalog, s.orders, s.payments];
        let pods = |d: &DatabaseSize| u64::from(d.shards) * u64::from(1 + d.replicas);
        let poolers = |d: &DatabaseSize| u64::from(d.shards) * u64::from(d.poolers);
        let pods_of = |known: &BuiltIn| {
            let pods = s.pods_of(known.name);
            u64::from(pods.api) + u64::from(pods.worker) * known.workers.len() as u64
        };
        let service_pods: u64 = ALL.iter().map(pods_of).sum();
        let sum = |of: fn(&Compute) -> u64| {
            databases
                .iter()
                .map(|d| pods(d) * of(&d.compute) + poolers(d) * of(&s.pooler))
                .sum::<u64>()
                + u64::from(s.redis_shards * (1 + s.redis_replicas)) * of(&s.redis)
                + u64::from(s.rabbitmq_nodes) * of(&s.rabbitmq)
                + u64::from(s.gateway_replicas) * of(&s.gateway)
                + service_pods * of(&s.service)
        };
        assert!(sum(|c| c.cpu) <= 600, "{} m of CPU requested", sum(|c| c.cpu));
        assert!(
            sum(|c| c.memory.0) <= 3 * GI,
            "{} requested",
            Bytes(sum(|c| c.memory.0))
        );
    }
}
