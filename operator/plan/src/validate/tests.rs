use super::*;
use crate::fixtures::{deployment, inputs, shop, tiny_shop};
use crate::validate::standing::Volume;

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
    let wanted = "spec.postgres.orders.shards: Invalid value: 4: cannot be changed after creation: it is 2";
    assert_eq!(found.iter().map(Problem::to_string).collect::<Vec<_>>(), [wanted]);
}

#[test]
fn a_long_name_is_refused() {
    let mut shop = deployment("{}");
    shop.metadata.name = Some("a".repeat(31));
    let found = validate(&shop, &inputs(), &Standing::default()).expect_err("the name is too long");
    assert_eq!(found[0].field, "metadata.name");
}
