//! What comes back into the pool is fit for the next one who asks, over a real Postgres.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

use shop_kit_postgres::{Pool, StoreError};
use shop_kit_testshards::{OneDatabase, PATIENCE};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const MOMENT: Duration = Duration::from_millis(200);
/// Longer than a connection stays warm.
const COLD: Duration = Duration::from_millis(2_500);

async fn database() -> OneDatabase {
    OneDatabase::start(&[]).await.unwrap()
}

/// With one connection, so that every statement gets the one before's.
async fn one_connection() -> Pool {
    let mut database = database().await;
    database.timeouts.connections = 1;
    let pool = database.pool("postgres/test");
    run(&pool, "create table thing (id integer primary key)").await;
    pool
}

async fn run(pool: &Pool, statement: &'static str) {
    sqlx::query(statement).execute(pool.executor()).await.unwrap();
}

async fn number(pool: &Pool, statement: &'static str) -> i32 {
    let answer = sqlx::query_scalar(statement).fetch_one(pool.executor());
    tokio::time::timeout(PATIENCE, answer).await.unwrap().unwrap()
}

#[tokio::test]
async fn one_connection_serves_one_statement_after_the_other() {
    let pool = one_connection().await;
    let first = number(&pool, "select pg_backend_pid()").await;
    for _ in 0..20 {
        assert_eq!(number(&pool, "select pg_backend_pid()").await, first);
    }
    tokio::time::sleep(COLD).await;
    assert_eq!(number(&pool, "select pg_backend_pid()").await, first);
}

#[tokio::test]
async fn a_statement_on_a_warm_connection_is_one_round_trip() {
    let mut database = database().await;
    database.timeouts.connections = 1;
    let sent = count_on_the_way(&mut database).await;
    let pool = database.pool("postgres/test");
    number(&pool, "select 1").await;
    let before = sent.load(Ordering::SeqCst);
    for _ in 0..20 {
        number(&pool, "select 1").await;
    }
    assert_eq!(sent.load(Ordering::SeqCst) - before, 20);
}

/// Puts a wire between pools and the database, and counts how often something was sent to the database.
async fn count_on_the_way(database: &mut OneDatabase) -> Arc<AtomicU64> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    let there = (database.address.host.clone(), database.address.port);
    (database.address.host, database.address.port) = (here.ip().to_string(), here.port());
    let sent = Arc::new(AtomicU64::new(0));
    let count = sent.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(there.clone()).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let count = count.clone();
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
                    count.fetch_add(1, Ordering::SeqCst);
                    to_server.write_all(&bytes[..length]).await.unwrap();
                }
            });
        }
    });
    sent
}

#[tokio::test]
async fn a_statement_nobody_waits_for_any_more_answers_nobody_else() {
    let pool = one_connection().await;
    let slow = sqlx::query("select pg_sleep(1), 1").execute(pool.executor());
    assert!(tokio::time::timeout(MOMENT, slow).await.is_err());
    assert_eq!(number(&pool, "select 2").await, 2);
}

#[tokio::test]
async fn a_transaction_nobody_finished_is_undone() {
    let pool = one_connection().await;
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("insert into thing values (1)")
        .execute(&mut *transaction)
        .await
        .unwrap();
    drop(transaction);
    assert_eq!(number(&pool, "select count(*)::integer from thing").await, 0);

    // Also one that was left in the middle of a statement, or of its beginning.
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("insert into thing values (1)")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let slow = sqlx::query("select pg_sleep(1)").execute(&mut *transaction);
    assert!(tokio::time::timeout(MOMENT, slow).await.is_err());
    drop(transaction);
    assert!(tokio::time::timeout(Duration::ZERO, pool.begin()).await.is_err());
    assert_eq!(number(&pool, "select count(*)::integer from thing").await, 0);
    run(&pool, "insert into thing values (2)").await;

    let transaction = pool.begin_fleeting().await.unwrap();
    pool.commit(transaction).await.unwrap();
    assert_eq!(number(&pool, "select count(*)::integer from thing").await, 1);
}

#[tokio::test]
async fn a_fleeting_transaction_is_one_alone() {
    let mut database = database().await;
    database.timeouts.connections = 1;
    // The server of the tests waits for no disk at all.
    let wait =
        "do $$ begin execute format('alter database %I set synchronous_commit = on', current_database()); end $$";
    run(&database.pool("postgres/test"), wait).await;
    let (pool, setting) = (
        database.pool("postgres/test"),
        "select current_setting('synchronous_commit')",
    );
    let mut transaction = pool.begin_fleeting().await.unwrap();
    let inside: String = sqlx::query_scalar(setting).fetch_one(&mut *transaction).await.unwrap();
    pool.commit(transaction).await.unwrap();
    let after: String = sqlx::query_scalar(setting).fetch_one(pool.executor()).await.unwrap();
    assert_eq!((inside.as_str(), after.as_str()), ("off", "on"));
}

#[tokio::test]
async fn a_refused_statement_leaves_a_connection_behind() {
    let pool = one_connection().await;
    run(&pool, "insert into thing values (1)").await;
    for _ in 0..3 {
        let again = sqlx::query("insert into thing values (1)")
            .execute(pool.executor())
            .await;
        assert!(again.unwrap_err().as_database_error().unwrap().is_unique_violation());
    }
    assert_eq!(number(&pool, "select count(*)::integer from thing").await, 1);
}

#[tokio::test]
async fn a_connection_that_was_lost_while_it_was_cold_troubles_nobody() {
    let database = database().await;
    let (pool, other) = (database.pool("postgres/test"), database.pool("postgres/test"));
    let lost = number(&pool, "select pg_backend_pid()").await;
    tokio::time::sleep(COLD).await;
    sqlx::query("select pg_terminate_backend($1, 60000)")
        .bind(lost)
        .execute(other.executor())
        .await
        .unwrap();
    assert_ne!(number(&pool, "select pg_backend_pid()").await, lost);
}

#[tokio::test]
async fn who_finds_no_connection_in_time_is_told_so_and_many_wait_their_turn() {
    let mut database = database().await;
    database.timeouts.connections = 2;
    let pool = database.pool("postgres/test");
    let all = (0..50).map(|_| number(&pool, "select 1"));
    assert_eq!(futures::future::join_all(all).await.len(), 50);

    database.timeouts.acquire = MOMENT;
    let hurried = database.pool("postgres/test");
    let held = (hurried.begin().await.unwrap(), hurried.begin().await.unwrap());
    let error = hurried.begin().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    drop(held);
    tokio::time::timeout(PATIENCE, async { while hurried.begin().await.is_err() {} })
        .await
        .unwrap();
}
