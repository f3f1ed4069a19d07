//! One key, one effect, over a real Postgres.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

use axum::body::to_bytes;
use axum::extract::FromRequestParts;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use shop_kit_http::ApiError;
use shop_kit_idempotency::{Begin, FinishError, IdempotencyKey, TABLE_SQL, Ticket, begin, fingerprint, once, purge};
use shop_kit_postgres::Pool;
use shop_kit_testshards::{OneDatabase, PATIENCE};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use uuid::Uuid;

const TABLE: &str = "idempotency";
const OWNER: Uuid = Uuid::from_u128(7);
const MOMENT: Duration = Duration::from_millis(500);

async fn pool() -> Pool {
    let pool = OneDatabase::start(&[]).await.unwrap().pool("postgres/test");
    sqlx::raw_sql(TABLE_SQL).execute(pool.executor()).await.unwrap();
    pool
}

async fn ticket(pool: &Pool, key: &str, body: &[u8]) -> Option<Ticket> {
    match begin(pool, TABLE, OWNER, key, body).await.unwrap() {
        Begin::Fresh(ticket) => Some(ticket),
        Begin::Replay(_) => None,
    }
}

async fn refused(pool: &Pool, key: &str, body: &[u8]) -> (u16, &'static str) {
    let error = begin(pool, TABLE, OWNER, key, body).await.err().unwrap();
    (error.status.as_u16(), error.kind)
}

async fn replayed(pool: &Pool, key: &str, body: &[u8]) -> Response {
    match begin(pool, TABLE, OWNER, key, body).await.unwrap() {
        Begin::Fresh(_) => panic!("the key was free"),
        Begin::Replay(response) => response,
    }
}

async fn finish(pool: &Pool, ticket: &Ticket) -> Result<(), FinishError> {
    let mut transaction = pool.begin().await.unwrap();
    ticket
        .finish(&mut transaction, StatusCode::CREATED, Some("/there"), "{\"a\":1}")
        .await?;
    pool.commit(transaction).await.unwrap();
    Ok(())
}

/// As if the process had been lost two minutes ago.
async fn age(pool: &Pool, by: &str) {
    sqlx::query("update idempotency set created_at = now() - $1::interval")
        .bind(by)
        .execute(pool.executor())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_repeated_request_gets_the_kept_answer() {
    let pool = pool().await;
    let first = ticket(&pool, "k", b"one").await.unwrap();
    assert_eq!(refused(&pool, "k", b"one").await, (409, "idempotency-key-in-use"));
    assert_eq!(refused(&pool, "k", b"two").await, (422, "idempotency-key-reused"));
    finish(&pool, &first).await.unwrap();
    let answer = replayed(&pool, "k", b"one").await;
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["location"], "/there");
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["idempotency-replayed"], "true");
    assert_eq!(to_bytes(answer.into_body(), 1024).await.unwrap(), "{\"a\":1}");
    assert_eq!(refused(&pool, "k", b"two").await, (422, "idempotency-key-reused"));
    // Somebody else's key of the same name is another key.
    let other = begin(&pool, TABLE, Uuid::from_u128(8), "k", b"two").await.unwrap();
    assert!(matches!(other, Begin::Fresh(_)));
}

#[tokio::test]
async fn only_the_answer_waits_until_it_is_durable() {
    let database = OneDatabase::start(&[]).await.unwrap();
    let pool = database.pool("postgres/test");
    sqlx::raw_sql(TABLE_SQL).execute(pool.executor()).await.unwrap();
    database.lose_standby().await.unwrap();
    let pool = database.pool("postgres/test");
    let first = timeout(PATIENCE, ticket(&pool, "k", b"one")).await.unwrap().unwrap();
    let answer = timeout(Duration::from_secs(1), finish(&pool, &first)).await;
    assert!(answer.is_err(), "an answer was kept that a failover can lose");
}

#[tokio::test]
async fn of_many_at_once_one_begins() {
    let pool = pool().await;
    let begun = futures::future::join_all((0..16).map(|_| begin(&pool, TABLE, OWNER, "k", b"one"))).await;
    let fresh = begun
        .iter()
        .filter(|begun| matches!(begun, Ok(Begin::Fresh(_))))
        .count();
    let refused = begun
        .iter()
        .filter(|begun| matches!(begun, Err(error) if error.status == 409))
        .count();
    assert_eq!((fresh, refused), (1, 15));
}

#[tokio::test]
async fn an_abandoned_key_is_free_again() {
    let pool = pool().await;
    ticket(&pool, "k", b"one").await.unwrap().abandon(&pool).await;
    let second = ticket(&pool, "k", b"two").await.unwrap();
    finish(&pool, &second).await.unwrap();
    assert_eq!(replayed(&pool, "k", b"two").await.status(), 201);
}

/// Creates something under the key `k`, in a moment, unless it fails.
async fn create(pool: &Pool, fails: bool) -> Result<Response, ApiError> {
    let own = pool.clone();
    let work = move |ticket: Arc<Ticket>| async move {
        tokio::time::sleep(MOMENT).await;
        finish(&own, &ticket).await?;
        match fails {
            true => Err(ApiError::unavailable("service/test", "after the commit")),
            false => Ok(StatusCode::CREATED.into_response()),
        }
    };
    once(pool, TABLE, OWNER, "k".to_owned(), b"one".to_vec(), work).await
}

#[tokio::test]
async fn a_request_goes_to_its_end_without_its_client() {
    let pool = pool().await;
    let left = timeout(MOMENT / 2, create(&pool, false)).await;
    assert!(left.is_err(), "{left:?}");
    let begun = Instant::now();
    let answer = loop {
        match create(&pool, false).await {
            Ok(answer) => break answer,
            Err(error) => assert!(error.status == 409 && begun.elapsed() < PATIENCE, "{error:?}"),
        }
    };
    assert_eq!(answer.headers()["idempotency-replayed"], "true");
}

#[tokio::test]
async fn a_request_that_failed_leaves_its_key_free() {
    let pool = pool().await;
    let fail = |_| async { Err(ApiError::unavailable("service/test", "not now")) };
    let failed = once(&pool, TABLE, OWNER, "k".to_owned(), b"one".to_vec(), fail).await;
    assert_eq!(failed.unwrap_err().status, 503);
    // One that was committed all the same keeps its answer.
    assert_eq!(create(&pool, true).await.unwrap_err().status, 503);
    let answer = create(&pool, true).await.unwrap();
    assert_eq!(answer.headers()["idempotency-replayed"], "true");
}

#[tokio::test]
async fn a_rolled_back_effect_leaves_no_answer() {
    let pool = pool().await;
    let first = ticket(&pool, "k", b"one").await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    first
        .finish(&mut transaction, StatusCode::CREATED, None, "{}")
        .await
        .unwrap();
    drop(transaction);
    assert_eq!(refused(&pool, "k", b"one").await, (409, "idempotency-key-in-use"));
}

#[tokio::test]
async fn a_lost_request_is_taken_over_and_can_no_longer_finish() {
    let pool = pool().await;
    let lost = ticket(&pool, "k", b"one").await.unwrap();
    age(&pool, "59 seconds").await;
    assert_eq!(refused(&pool, "k", b"one").await, (409, "idempotency-key-in-use"));
    age(&pool, "61 seconds").await;
    assert_eq!(refused(&pool, "k", b"two").await, (422, "idempotency-key-reused"));
    let second = ticket(&pool, "k", b"one").await.unwrap();
    assert!(matches!(finish(&pool, &lost).await, Err(FinishError::TakenOver)));
    lost.abandon(&pool).await;
    finish(&pool, &second).await.unwrap();
    assert!(matches!(finish(&pool, &second).await, Err(FinishError::TakenOver)));
    assert_eq!(replayed(&pool, "k", b"one").await.status(), 201);
}

#[tokio::test]
async fn answers_are_kept_for_two_days() {
    let pool = pool().await;
    let first = ticket(&pool, "k", b"one").await.unwrap();
    finish(&pool, &first).await.unwrap();
    age(&pool, "47 hours").await;
    assert_eq!(purge(&pool, TABLE).await.unwrap(), 0);
    assert_eq!(replayed(&pool, "k", b"one").await.status(), 201);
    age(&pool, "49 hours").await;
    assert_eq!(purge(&pool, TABLE).await.unwrap(), 1);
    assert!(ticket(&pool, "k", b"two").await.is_some());
}

#[tokio::test]
async fn whatever_is_too_old_is_removed_at_once() {
    let pool = pool().await;
    let fill = "insert into idempotency (owner, key, fingerprint, token, created_at) \
                select $1, number::text, '', $1, now() - interval '49 hours' from generate_series(1, 12000) as number";
    sqlx::query(fill).bind(OWNER).execute(pool.executor()).await.unwrap();
    assert_eq!(purge(&pool, TABLE).await.unwrap(), 12_000);
}

#[tokio::test]
async fn a_malformed_key_is_400() {
    let read = async |values: &[&[u8]]| {
        let mut request = Request::builder();
        for value in values {
            request = request.header("idempotency-key", *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        IdempotencyKey::from_request_parts(&mut parts, &()).await
    };
    let long = [b'a'; 256];
    assert_eq!(read(&[]).await.unwrap(), IdempotencyKey(None));
    assert_eq!(read(&[b"k-1"]).await.unwrap(), IdempotencyKey(Some("k-1".to_owned())));
    assert!(read(&[&long[..255]]).await.is_ok());
    let bad: [&[&[u8]]; 5] = [&[b""], &[&long], &[b"a b"], &["ä".as_bytes()], &[b"a", b"b"]];
    for values in bad {
        assert_eq!(read(values).await.unwrap_err().status, 400, "{values:?}");
    }
}

#[test]
fn a_fingerprint_tells_routes_and_bodies_apart() {
    let of = |route, body| fingerprint(route, &body).unwrap();
    assert_eq!(of("POST /a", "x"), of("POST /a", "x"));
    assert_ne!(of("POST /a", "x"), of("POST /b", "x"));
    assert_ne!(of("POST /a", "x"), of("POST /a", "y"));
}
