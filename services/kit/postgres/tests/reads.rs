//! Which server is asked, over a real Postgres that plays both.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

use shop_kit_postgres::{Pool, Reads, StoreError};
use shop_kit_testshards::OneDatabase;
use std::time::Duration;
use tokio::net::TcpListener;

const BRIEF: Duration = Duration::from_millis(200);

async fn database() -> OneDatabase {
    OneDatabase::start(&[]).await.unwrap()
}

/// The tier that answered.
async fn asked(reads: &Reads) -> String {
    let read = |pool: Pool| async move {
        let one = sqlx::query("select 1").execute(pool.executor()).await;
        one.map_err(|error| pool.error(&error))?;
        Ok(pool.tier().to_string())
    };
    reads.run(read).await.unwrap()
}

async fn sleep(pool: Pool) -> Result<(), StoreError> {
    let mut transaction = pool.begin_brief(BRIEF).await?;
    let slept = sqlx::query("select pg_sleep(60)").execute(&mut *transaction).await;
    slept.map(drop).map_err(|error| pool.error(&error))
}

#[tokio::test]
async fn a_read_that_takes_too_long_fails_and_the_replica_stays_in_use() {
    let database = database().await;
    let reads = Reads::new(database.pool("primary"), Some(database.pool("replica")));
    let late = reads.run(sleep).await.unwrap_err();
    assert!(
        matches!(&late, StoreError::Late { tier, .. } if **tier == *"replica"),
        "{late}"
    );
    assert_eq!(asked(&reads).await, "replica");
}

#[tokio::test]
async fn a_limit_ends_with_its_transaction() {
    let mut database = database().await;
    database.timeouts.connections = 1;
    let pool = database.pool("primary");
    assert!(sleep(pool.clone()).await.is_err());
    let longer = sqlx::query("select pg_sleep(0.5)").execute(pool.executor()).await;
    assert!(longer.is_ok(), "{longer:?}");
}

#[tokio::test]
async fn the_primary_is_read_while_the_replica_is_lost() {
    let database = database().await;
    let replica = database.pool("replica");
    replica.close().await;
    let reads = Reads::new(database.pool("primary"), Some(replica));
    assert_eq!(asked(&reads).await, "primary");
}

#[tokio::test]
async fn a_replica_that_says_nothing_is_lost() {
    let database = database().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut silent = database.clone();
    silent.address.port = listener.local_addr().unwrap().port();
    silent.address.host = "127.0.0.1".to_owned();
    let reads = Reads::new(database.pool("primary"), Some(silent.pool("replica")));
    assert_eq!(asked(&reads).await, "primary");
}
