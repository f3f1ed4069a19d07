use super::*;
use crate::fixtures::{deployment, empty_world, inputs, shop, shop_of, tiny_shop};
use crate::observed::{Observed, Seen};
use crate::topology::shards::even_map;
use crate::validate::standing::Volume;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use serde_json::json;

fn problems(spec: &str) -> Vec<String> {
    let problems = validate(&deployment(spec), &inputs(), &Standing::default()).expect_err("the spec is wrong");
    problems.iter().map(Problem::to_string).collect()
}

#[test]
fn the_small_shop_is_the_default() {
    let shop = shop();
    let databases: Vec<_> = shop
        .databases
        .iter()
        .map(|d| (d.name.as_str(), d.shards, d.replicas, d.synchronous))
        .collect();
    assert_eq!(
        databases,
        [
            ("catalog", 1, 0, false),
            ("orders", 2, 1, true),
            ("payments", 1, 0, false)
        ]
    );
    assert_eq!(
        (
            shop.redis.shards,
            shop.redis.replicas,
            shop.rabbitmq.nodes,
            shop.gateway.replicas
        ),
        (3, 1, 3, 2)
    );
    let pods = |service: &crate::shop::Service| (service.name.clone(), service.replicas.max(), service.worker_replicas);
    let pods: Vec<_> = shop.services.iter().map(pods).collect();
    let wanted = [
        ("user", 2, 1),
        ("product", 2, 1),
        ("order", 2, 2),
        ("inventory", 2, 2),
        ("payment", 1, 2),
        ("recommendation", 1, 1),
        ("books", 1, 1),
    ];
    assert_eq!(pods, wanted.map(|(name, api, worker)| (name.to_owned(), api, worker)));
}

#[test]
fn the_tiny_shop_has_one_of_everything() {
    let shop = tiny_shop();
    assert!(
        shop.databases
            .iter()
            .all(|database| (database.shards, database.replicas) == (1, 0))
    );
    assert_eq!(
        (
            shop.redis.shards,
            shop.redis.replicas,
            shop.rabbitmq.nodes,
            shop.gateway.replicas
        ),
        (1, 0, 1, 1)
    );
}

#[test]
fn everything_wrong_is_said_at_once_with_field_value_and_rule() {
    let spec = "
        postgres: {orders: {shards: 2000, resources: {limits: {memory: lots}}}, payments: {parameters: {port: '1'}}}
        redis: {shards: 2}
        rabbitmq: {nodes: 4}
        gateway: {nodePort: 30080}
        email: {host: 'smtp example', port: 0, tls: none, from: nobody, secretRef: {name: mail}}
        services:
          user: {port: 9000}
          order: {replicas: 2, autoscaling: {minReplicas: 5, maxReplicas: 3}}
          reviews: {route: /api/v1/users/1, env: {SHOP_NAME: mine}}
          inside: {image: a, port: 8080, route: /internal/v1/reservations}
          orders-0: {image: a, port: 80}";
    insta::assert_snapshot!(problems(spec).join("\n"));
}

#[test]
fn every_size_fits_its_own_connection_budget() {
    for users in ["10k", "100k", "1M", "10M", "100M"] {
        let spec = format!("audience: {{dailyActiveUsers: {users}}}");
        let result = validate(&deployment(&spec), &inputs(), &Standing::default());
        assert!(result.is_ok(), "{users}: {:?}", result.err());
    }
}

#[test]
fn an_overdrawn_connection_budget_is_refused_with_the_way_out() {
    let found = problems("services: {order: {autoscaling: {minReplicas: 2, maxReplicas: 1000}}}");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("lower replicas or autoscaling.maxReplicas"),
        "{found:?}"
    );
}

#[test]
fn a_larger_audience_never_moves_what_is_fixed() {
    let volume = Volume {
        size: Bytes(5 << 30),
        class_name: None,
        claimed: false,
    };
    let standing = Standing {
        orders_shards: Some(2),
        redis_shards: Some(3),
        rabbitmq_nodes: Some(3),
        volumes: [("demo-orders-0".to_owned(), volume)].into(),
    };
    let shop = validate(&deployment("audience: {dailyActiveUsers: 10M}"), &inputs(), &standing).expect("it is valid");
    assert_eq!(
        (shop.orders().shards, shop.redis.shards, shop.rabbitmq.nodes),
        (2, 3, 3)
    );
    assert_eq!(shop.orders().storage.size, Bytes(5 << 30));
    assert_eq!(shop.orders().replicas, 2);
}

#[test]
fn asking_for_another_number_of_shards_is_refused() {
    let standing = Standing {
        orders_shards: Some(2),
        ..Standing::default()
    };
    let found =
        validate(&deployment("postgres: {orders: {shards: 4}}"), &inputs(), &standing).expect_err("shards are fixed");
    let wanted = "spec.postgres.orders.shards: Invalid value: 4: cannot be changed after creation: it is 2; leave it out \
                  to go on with that";
    assert_eq!(found.iter().map(Problem::to_string).collect::<Vec<_>>(), [wanted]);
}

#[test]
fn a_long_name_is_refused() {
    let mut shop = deployment("{}");
    shop.metadata.name = Some("a".repeat(31));
    let found = validate(&shop, &inputs(), &Standing::default()).expect_err("the name is too long");
    assert_eq!(found[0].field, "metadata.name");
}

fn claim(name: &str, size: &str) -> PersistentVolumeClaim {
    let claim = json!({"metadata": {"name": name}, "spec": {
        "storageClassName": "fast", "resources": {"requests": {"storage": size}},
    }});
    serde_json::from_value(claim).expect("a claim")
}

/// What is left when StatefulSets are lost: the volumes, which nothing but their owner takes away.
fn claims(claims: &[PersistentVolumeClaim]) -> Observed {
    Observed {
        claims: Seen::Known(claims.to_vec()),
        ..empty_world()
    }
}

#[test]
fn a_lost_stateful_set_moves_no_customer() {
    let set =
        json!({"metadata": {"name": "demo-orders-0"}, "spec": {"serviceName": "s", "selector": {}, "template": {}}});
    let seen = Observed {
        stateful_sets: Seen::Known(vec![serde_json::from_value(set).expect("a set")]),
        ..claims(&[
            claim("data-demo-orders-0-0", "1Gi"),
            claim("data-demo-orders-1-0", "1Gi"),
        ])
    };
    assert_eq!(
        Standing::of("demo", &seen).map(|standing| standing.orders_shards),
        Ok(Some(2))
    );
}

#[test]
fn claims_of_an_earlier_shop_do_not_reshape_the_one_that_runs() {
    let set = |name: &str, key: &str| {
        let set = json!({"metadata": {"name": name, "annotations": {key: "3"}},
            "spec": {"serviceName": "s", "selector": {}, "template": {}}});
        serde_json::from_value(set).expect("a set")
    };
    let seen = Observed {
        stateful_sets: Seen::Known(vec![set("demo-rabbitmq", names::REPLICAS_ANNOTATION)]),
        shard_map: Seen::Known(even_map(&shop_of("postgres: {orders: {shards: 2}}"))),
        ..claims(&[
            claim("data-demo-orders-3-0", "1Gi"),
            claim("data-demo-rabbitmq-4", "1Gi"),
        ])
    };
    let standing = Standing::of("demo", &seen).expect("it is known");
    assert_eq!((standing.orders_shards, standing.rabbitmq_nodes), (Some(2), Some(3)));
}

#[test]
fn the_published_map_tells_the_shards_of_a_shop_whose_creation_stopped_half_way() {
    let seen = Observed {
        shard_map: Seen::Known(even_map(&shop_of("postgres: {orders: {shards: 3}}"))),
        ..claims(&[claim("data-demo-orders-0-0", "1Gi")])
    };
    assert_eq!(
        Standing::of("demo", &seen).map(|standing| standing.orders_shards),
        Ok(Some(3))
    );
}

#[test]
fn a_shop_made_again_over_its_volumes_gets_its_old_shape() {
    let mut redis = claim("data-demo-redis-0", "2Gi");
    redis.metadata.annotations = Some([(names::SHARDS_ANNOTATION.to_owned(), "6".to_owned())].into());
    let seen = claims(&[
        claim("data-demo-orders-1-0", "3Gi"),
        claim("data-demo-orders-0-0", "3Gi"),
        claim("data-demo-orders-0-1", "4Gi"),
        redis,
        // The last of three was not made yet when its set was lost.
        claim("data-demo-rabbitmq-1", "1Gi"),
        claim("data-demo-rabbitmq-0", "1Gi"),
        claim("somebody-elses", "1Gi"),
    ]);
    let standing = Standing::of("demo", &seen).expect("it is known");
    let shop = validate(&deployment("audience: {dailyActiveUsers: 10k}"), &inputs(), &standing).expect("it is valid");
    assert_eq!(
        (shop.orders().shards, shop.redis.shards, shop.rabbitmq.nodes),
        (2, 6, 3)
    );
    assert_eq!(shop.orders().storage.size, Bytes(3 << 30));
    let other = "postgres: {orders: {storage: {className: slow}}}";
    let found = validate(&deployment(other), &inputs(), &standing).expect_err("the volumes are of another class");
    assert!(found[0].to_string().contains("it is fast"), "{}", found[0]);
}

#[test]
fn while_the_volumes_are_not_known_nothing_is_decided() {
    let seen = Observed {
        claims: Seen::Unknown("the first list is not complete".into()),
        ..empty_world()
    };
    let why = Standing::of("demo", &seen).expect_err("it could be the wrong shape");
    assert!(why.contains("the first list is not complete"), "{why}");
}

#[test]
fn a_volume_its_owner_has_grown_does_not_contradict_the_spec() {
    let standing = Standing::of("demo", &claims(&[claim("data-demo-orders-0-0", "9Gi")])).expect("it is known");
    let sized = |size: &str| {
        let spec = format!("postgres: {{orders: {{storage: {{size: {size}}}}}}}");
        validate(&deployment(&spec), &inputs(), &standing)
    };
    assert_eq!(
        sized("5Gi").expect("the volume holds that").orders().storage.size,
        Bytes(5 << 30)
    );
    let found = sized("20Gi").expect_err("the volume holds less");
    assert!(
        found[0].to_string().contains("storage.size: Invalid value: 20Gi"),
        "{}",
        found[0]
    );
}

#[test]
fn a_fixed_field_that_is_taken_out_again_goes_on_with_what_stands() {
    let standing = Standing {
        orders_shards: Some(2),
        redis_shards: Some(3),
        rabbitmq_nodes: Some(3),
        ..Standing::default()
    };
    let of = |spec: &str| validate(&deployment(spec), &inputs(), &standing);
    assert!(of("{postgres: {orders: {shards: 4}}, redis: {shards: 6}, rabbitmq: {nodes: 5}}").is_err());
    let shop = of("audience: {dailyActiveUsers: 10M}").expect("nothing contradicts");
    assert_eq!(
        (shop.orders().shards, shop.redis.shards, shop.rabbitmq.nodes),
        (2, 3, 3)
    );
}

#[test]
fn a_parameter_is_known_by_one_spelling_only() {
    let of = |name: &str| format!("postgres: {{orders: {{parameters: {{{name}: x}}}}}}");
    let refused = [
        "Synchronous_Commit",
        "\"work mem\"",
        "\"\"",
        "9lives",
        "superuser_reserved_connections",
    ];
    for name in refused {
        let found = problems(&of(name));
        assert!(
            found[0].starts_with("spec.postgres.orders.parameters: Invalid value: "),
            "{found:?}"
        );
    }
    for name in ["work_mem", "pg_stat_statements.max", "_mine.level2"] {
        let result = validate(&deployment(&of(name)), &inputs(), &Standing::default());
        assert!(result.is_ok(), "{name}: {:?}", result.err());
    }
}
