//! All services fit into one process: no two routes clash, no two metrics do, and each API answers.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use prometheus::Registry;
use shop_contract::env;
use shop_contract::service::ALL;
use shop_contract::shard_map::{Address, ShardMap};
use shop_kit_config::Env;
use shop_single::all::{Apis, Schemas, Workers};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The environment the operator gives it; nothing listens there, and nothing is asked.
fn environment(map: &std::path::Path) -> Vec<(&'static str, String)> {
    let nobody = || "127.0.0.1:9".to_owned();
    let seed = [7; 32];
    let public = SigningKey::from_bytes(&seed).verifying_key();
    let mut pairs = vec![
        (env::SHARD_MAP, map.display().to_string()),
        (env::REDIS_ADDRESSES, nobody()),
        (env::REDIS_MODE, "single".into()),
        (env::RABBITMQ_ADDRESSES, nobody()),
        (env::RABBITMQ_VHOST, "shop".into()),
        (env::PRODUCT_URL, "http://127.0.0.1:9".into()),
        (env::INVENTORY_URL, "http://127.0.0.1:9".into()),
        (env::TOKEN_SEED, STANDARD.encode(seed)),
        (env::TOKEN_PUBLIC_KEY, STANDARD.encode(public.as_bytes())),
        (env::WEBHOOK_SECRET, "w".repeat(32)),
        (env::SYNTHETIC_KEY, "s".repeat(32)),
    ];
    for name in [
        env::CATALOG_HOST,
        env::CATALOG_PRIMARY_HOST,
        env::PAYMENTS_HOST,
        env::PAYMENTS_PRIMARY_HOST,
    ] {
        pairs.push((name, "127.0.0.1".into()));
    }
    for name in [
        env::CATALOG_PORT,
        env::CATALOG_PRIMARY_PORT,
        env::PAYMENTS_PORT,
        env::PAYMENTS_PRIMARY_PORT,
    ] {
        pairs.push((name, "9".into()));
    }
    for name in [
        env::ORDERS_USER,
        env::CATALOG_USER,
        env::PAYMENTS_USER,
        env::REDIS_USER,
        env::RABBITMQ_USER,
    ] {
        pairs.push((name, "shop".into()));
    }
    for name in [
        env::ORDERS_PASSWORD,
        env::CATALOG_PASSWORD,
        env::PAYMENTS_PASSWORD,
        env::REDIS_PASSWORD,
        env::RABBITMQ_PASSWORD,
    ] {
        pairs.push((name, "secret".into()));
    }
    pairs
}

#[tokio::test]
async fn every_api_answers_and_every_metric_is_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shard-map.json");
    let at = || Address {
        host: "127.0.0.1".into(),
        port: 9,
    };
    let map = ShardMap::even(1, 1, |_| (at(), at()));
    std::fs::write(&file, serde_json::to_vec(&map).expect("a map is JSON")).expect("the map is written");
    let env = Env::of(environment(&file));
    let read = (Apis::read(&env), Workers::read(&env), Schemas::read(&env));
    let (Some(apis), Some(workers), Some(_)) = read else {
        panic!("the operator's environment is enough: {:?}", env.finish::<()>(None));
    };
    let (registry, stop) = (Registry::new(), CancellationToken::new());
    let router = apis.start(&registry, &stop).await.expect("all APIs start");
    for service in ALL {
        let path = format!("{}/openapi.json", service.routes[0]);
        let request = Request::get(&path).body(Body::empty()).expect("a request");
        let answer = router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    stop.cancel();
    workers
        .run(&registry, &stop)
        .await
        .expect("workers that are told to stop end well");
}
