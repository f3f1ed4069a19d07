//! The Kubernetes objects of one shard, besides its pooler.

use super::{Shard, config, pod};
use crate::component::applied::{Backends, port_named};
use crate::component::workload::{Stateful, stateful_set};
use crate::names;
use crate::object::Object;
use crate::observed::Observed;
use shop_contract::port::{PATRONI, POSTGRES};

pub fn objects(shard: &Shard<'_>, instances: u32, seen: &Observed) -> Vec<Object> {
    let (owner, shop, scope) = (shard.owner(), &shard.shop.name, shard.scope());
    let replica = [(config::ROLE_LABEL.to_owned(), "replica".to_owned())].into();
    let postgres = || vec![port_named("postgres", POSTGRES)];
    let mut objects = vec![
        owner.config_map(
            &names::patroni_config(shop, &shard.id),
            &[
                (config::FILE, config::file(shard)),
                (config::START_FILE, config::START.to_owned()),
            ],
        ),
        owner.service(&scope, Backends::None, postgres()),
        owner.service(
            &names::postgres_replicas(shop, &shard.id),
            Backends::Pods(replica),
            postgres(),
        ),
        owner.headless(
            &names::postgres_pods(shop, &shard.id),
            Backends::Pods([].into()),
            vec![port_named("postgres", POSTGRES), port_named("patroni", PATRONI)],
        ),
    ];
    // Endpoints without a Service of their name are swept away by Kubernetes, and with one they go when the shop goes.
    let state = names::patroni_state(shop, &shard.id);
    objects.extend(
        state
            .iter()
            .map(|name| owner.headless(name, Backends::None, Vec::new())),
    );
    if instances > 1 {
        objects.push(owner.budget(&scope));
    }
    let wanted = Stateful {
        name: &scope,
        pods_service: names::postgres_pods(shop, &shard.id),
        replicas: instances,
        storage: &shard.database.storage,
        notes: [].into(),
    };
    objects.push(stateful_set(&owner, &wanted, pod::pod(shard), seen));
    objects
}
