//! Prices hold from the moment they are answered, whatever loads are under way and whatever Redis does.

use crate::catalogue::{Catalogue, PATIENCE, until};
use prometheus::Registry;
use serde_json::json;
use shop_contract::api::Role;
use shop_kit_config::HostPort;
use shop_kit_events::{HandleError, Handler, Message};
use shop_kit_testbed::Redis;
use shop_product::cache::{Cache, CacheMetrics, Entry, Kind, NEAR_LIFE};
use shop_product::job::refresh::Refresh;
use shop_product::store::product::{Known, find};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;
use uuid::Uuid;

fn price(cents: i64) -> serde_json::Value {
    json!({"price_cents": cents, "currency": "EUR"})
}

async fn load(shop: &Catalogue, id: Uuid) -> Entry {
    let known = find(&shop.pool, &[id]).await.unwrap().remove(0);
    let Known::Product(product) = known else {
        panic!("{known:?}")
    };
    Entry::found(product.version, serde_json::to_vec(&product).unwrap())
}

/// A reader sees the old price in the database, the merchant changes it, and only then the reader fills the cache.
#[tokio::test]
async fn a_late_fill_does_not_bring_an_old_price_back() {
    let shop = Catalogue::cached().await;
    let id = shop.create(json!({})).await;
    let old = load(&shop, id).await;
    // As if it had been evicted: otherwise nobody would load.
    let key = Uuid::now_v7().to_string();
    let (open, mut gate) = tokio::sync::watch::channel(false);
    let late = {
        let (cache, key, old) = (shop.cache.clone(), key.clone(), old.clone());
        tokio::spawn(async move {
            let load = async move {
                let _ = gate.wait_for(|open| *open).await;
                Ok(old)
            };
            cache.get(Kind::Product, &key, load).await
        })
    };
    let loading = || shop.counter("shop_database_reads_total", &[("cache", "product")]) > 0.0;
    until("the load is under way", loading).await;
    assert_eq!(
        shop.send("PUT", &format!("/api/v1/products/{id}/price"), price(250))
            .await
            .status,
        200
    );
    let new = load(&shop, id).await;
    assert!(new.version > old.version);
    shop.cache.put(Kind::Product, &key, &new).await.unwrap();
    open.send(true).unwrap();
    assert_eq!(
        late.await.unwrap().unwrap(),
        new,
        "even the late reader gets the new price"
    );
    let held = shop.cache.known(Kind::Product, &[key]).await.remove(0);
    assert_eq!(held, Some(new));
}

/// Many readers miss the cache while the price rises: nobody who asks after an answer sees less than what was answered.
#[tokio::test]
async fn nobody_reads_a_price_from_before_the_last_answer() {
    let shop = Arc::new(Catalogue::cached().await);
    let mut connection = redis_connection().await;
    for _ in 0..10 {
        let id = shop.create(json!({"price_cents": 0})).await;
        let key = format!("shop:product:product:{id}");
        redis::cmd("DEL")
            .arg(key)
            .query_async::<()>(&mut connection)
            .await
            .unwrap();
        let answered = Arc::new(AtomicI64::new(0));
        let readers: Vec<_> = (0..4)
            .map(|reader| tokio::spawn(read_on(shop.clone(), id, reader % 2 == 0, answered.clone())))
            .collect();
        for cents in 1..=LAST {
            let put = shop
                .send("PUT", &format!("/api/v1/products/{id}/price"), price(cents))
                .await;
            assert_eq!(put.status, 200, "{}", put.body);
            answered.store(cents, Ordering::SeqCst);
        }
        for reader in readers {
            reader.await.unwrap();
        }
    }
}

const LAST: i64 = 6;

async fn read_on(shop: Arc<Catalogue>, id: Uuid, alone: bool, answered: Arc<AtomicI64>) {
    loop {
        let least = answered.load(Ordering::SeqCst);
        let path = match alone {
            true => format!("/api/v1/products/{id}"),
            false => format!("/api/v1/products?ids={id}"),
        };
        let (status, body) = shop.get(&path).await;
        let product = if alone { &body } else { &body["items"][0] };
        let seen = product["price_cents"].as_i64();
        assert!(status == 200 && seen >= Some(least), "{path}: {body} after {least}");
        if least == LAST {
            return;
        }
        // What this process remembers is answered without a wait, and there is one thread for all.
        tokio::task::yield_now().await;
    }
}

pub async fn redis_connection() -> redis::aio::MultiplexedConnection {
    let server = Redis::shared().await.unwrap();
    let client = redis::Client::open(server.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Another process changes the price: this one may show its own answer of before for a second, and never to a checkout.
#[tokio::test]
async fn a_price_another_process_set_is_seen_within_a_second_and_charged_at_once() {
    let shop = Catalogue::cached().await;
    let id = shop.create(json!({})).await;
    let path = format!("/api/v1/products/{id}");
    let known = || shop.counter("shop_cache_reads_total", &[("cache", "product"), ("outcome", "near")]);
    let begun = Instant::now();
    while known() == 0.0 {
        assert!(begun.elapsed() < PATIENCE, "nothing is remembered by the process");
        assert_eq!(shop.get(&path).await.1["price_cents"], json!(100));
    }
    sqlx::query("update products set price_cents = 300, version = version + 1 where id = $1")
        .bind(id)
        .execute(shop.pool.executor())
        .await
        .unwrap();
    let other = Cache::new(Some(shop.redis.clone()), CacheMetrics::new(&Registry::new()).unwrap());
    let new = load(&shop, id).await;
    other.put(Kind::Product, &id.to_string(), &new).await.unwrap();
    let changed = Instant::now();
    let charged = shop.get(&format!("/api/v1/products?ids={id}")).await.1;
    assert_eq!(charged["items"][0]["price_cents"], json!(300));
    loop {
        let late = changed.elapsed() > NEAR_LIFE;
        match shop.get(&path).await.1["price_cents"].as_i64() {
            Some(300) => return,
            seen => assert!(seen == Some(100) && !late, "{seen:?} after {:?}", changed.elapsed()),
        }
    }
}

/// Redis fails over before its replica has the new price: what it tells then is older than what was answered.
#[tokio::test]
async fn a_price_redis_lost_is_charged_all_the_same() {
    let shop = Catalogue::cached().await;
    let id = shop.create(json!({})).await;
    let (mut connection, key) = (redis_connection().await, format!("shop:product:product:{id}"));
    let old: Vec<u8> = redis::cmd("GET").arg(&key).query_async(&mut connection).await.unwrap();
    let path = format!("/api/v1/products/{id}");
    assert_eq!(shop.send("PUT", &format!("{path}/price"), price(300)).await.status, 200);
    for lost in [old, b"0:".to_vec()] {
        redis::cmd("SET")
            .arg(&key)
            .arg(&lost)
            .query_async::<()>(&mut connection)
            .await
            .unwrap();
        let charged = shop.get(&format!("/api/v1/products?ids={id}")).await.1;
        assert_eq!(charged["items"][0]["price_cents"], json!(300), "{lost:?}");
        assert_eq!(shop.held(id).await.map(|entry| entry.version), Some(2), "it is mended");
    }
    assert_eq!(
        shop.ask("DELETE", &path, Some(Role::Merchant), None, &[]).await.status,
        204
    );
    redis::cmd("SET")
        .arg(&key)
        .arg("2:{}")
        .query_async::<()>(&mut connection)
        .await
        .unwrap();
    let sold = shop.get(&format!("/api/v1/products?ids={id}")).await.1;
    assert_eq!(sold["items"], json!([]), "it was removed");
}

/// Redis is away during the change and comes back with the old price: the event mends it.
#[tokio::test]
async fn the_event_brings_a_change_redis_missed() {
    let shop = Catalogue::cached().await;
    let id = shop.create(json!({})).await;
    let path = format!("/api/v1/products/{id}");
    assert_eq!(shop.get(&path).await.1["price_cents"], json!(100));
    sqlx::query("update products set price_cents = 300, version = version + 1 where id = $1")
        .bind(id)
        .execute(shop.pool.executor())
        .await
        .unwrap();
    assert_eq!(shop.get(&path).await.1["price_cents"], json!(100));
    let refresh = Refresh {
        pool: shop.pool.clone(),
        cache: shop.cache.clone(),
    };
    let message = changed(id);
    refresh.handle(&[message.clone(), message]).await.unwrap();
    assert_eq!(shop.get(&path).await.1["price_cents"], json!(300));
}

#[tokio::test]
async fn an_event_waits_for_redis() {
    let server = Redis::start().await.unwrap();
    let at = HostPort {
        host: server.host(),
        port: server.port(),
    };
    let shop = Catalogue::start(&at, server.password()).await;
    until("Redis is in use", || shop.redis.is_good()).await;
    let id = shop.create(json!({})).await;
    drop(server);
    let refresh = Refresh {
        pool: shop.pool.clone(),
        cache: shop.cache.clone(),
    };
    let waits = refresh.handle(&[changed(id)]).await;
    assert!(matches!(waits, Err(HandleError::Unavailable(_))), "{waits:?}");
    // The shop goes on meanwhile.
    let answer = shop
        .send("PUT", &format!("/api/v1/products/{id}/price"), price(250))
        .await;
    assert_eq!((answer.status, &answer.body["price_cents"]), (200, &json!(250)));
    assert_eq!(
        shop.get(&format!("/api/v1/products/{id}")).await.1["price_cents"],
        json!(250)
    );
}

fn changed(id: Uuid) -> Message {
    let event = Uuid::now_v7();
    Message {
        id: event,
        kind: "product.changed".to_owned(),
        payload: json!({"event_id": event, "product_id": id}).to_string().into_bytes(),
        attempt: 1,
    }
}
