//! Kept mails of one shard. A mail is claimed with a lease before it is sent, so that two workers never send the same
//! one at a time; only the holder of the claim may note what became of it.

use crate::mail::Facts;
use crate::store::remove_old;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::time::Duration;
use uuid::Uuid;

/// Of one fact, to be kept.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// The order, the customer of a welcome, the event of a refund.
    pub object_id: Uuid,
    pub kind: String,
    pub user_id: Uuid,
    pub facts: Facts,
}

/// A claimed mail.
#[derive(Clone, Debug)]
pub struct Mail {
    pub object_id: Uuid,
    pub kind: String,
    pub recipient: String,
    pub name: String,
    pub facts: Facts,
    /// This one included.
    pub attempts: i32,
    pub claim: Uuid,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Sent,
    /// Tried again after a while; `counted` when it was the mail's own attempt that failed.
    Later {
        detail: String,
        after: Duration,
        counted: bool,
    },
    /// The server refuses it for good.
    Failed {
        detail: String,
    },
}

/// Keeps mails of customers of this shard: one per fact, none for a customer who is unknown, deleted or a test. Without
/// a mail server they are `unsent` from the start. Returns how many are new.
pub async fn add(transaction: &mut PgConnection, mails: &[NewMail], to_be_sent: bool) -> Result<u64, sqlx::Error> {
    let mut facts = Vec::with_capacity(mails.len());
    for mail in mails {
        facts.push(serde_json::to_string(&mail.facts).map_err(|error| sqlx::Error::Encode(error.into()))?);
    }
    let added = sqlx::query(
        "insert into user_mails (object_id, kind, user_id, recipient, name, facts, state, settled_at) \
         select new.object_id, new.kind, new.user_id, users.email, users.name, new.facts, \
         case when $5 then 'waiting' else 'unsent' end, case when $5 then null else now() end \
         from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[]) as new (object_id, kind, user_id, facts) \
         join users on users.id = new.user_id where users.deleted_at is null and not users.synthetic \
         order by new.object_id, new.kind on conflict do nothing",
    )
    .bind(mails.iter().map(|mail| mail.object_id).collect::<Vec<_>>())
    .bind(mails.iter().map(|mail| mail.kind.as_str()).collect::<Vec<_>>())
    .bind(mails.iter().map(|mail| mail.user_id).collect::<Vec<_>>())
    .bind(facts)
    .bind(to_be_sent)
    .execute(transaction)
    .await?;
    Ok(added.rows_affected())
}

/// Claims due mails, oldest first. Nobody else gets them before the lease ends.
pub async fn claim(pool: &Pool, limit: i64, lease: Duration) -> Result<Vec<Mail>, StoreError> {
    let claim = Uuid::now_v7();
    let rows = sqlx::query(
        "update user_mails set claim = $1, attempts = attempts + 1, due_at = now() + $2 * interval '1 second' \
         where (object_id, kind) in (select object_id, kind from user_mails \
         where state = 'waiting' and due_at <= now() order by due_at limit $3 for update skip locked) \
         returning object_id, kind, recipient, name, facts, attempts",
    )
    .bind(claim)
    .bind(lease.as_secs_f64())
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let read: Result<Vec<Mail>, sqlx::Error> = rows.iter().map(|row| read(row, claim)).collect();
    read.map_err(|error| pool.error(&error))
}

fn read(row: &PgRow, claim: Uuid) -> Result<Mail, sqlx::Error> {
    let facts: String = row.try_get("facts")?;
    Ok(Mail {
        object_id: row.try_get("object_id")?,
        kind: row.try_get("kind")?,
        recipient: row.try_get("recipient")?,
        name: row.try_get("name")?,
        facts: serde_json::from_str(&facts).map_err(|error| sqlx::Error::Decode(error.into()))?,
        attempts: row.try_get("attempts")?,
        claim,
    })
}

/// Notes what became of it, unless somebody else has claimed it since.
pub async fn settle(pool: &Pool, mail: &Mail, outcome: &Outcome) -> Result<(), StoreError> {
    let (state, detail, after, counted) = match outcome {
        Outcome::Sent => ("sent", None, Duration::ZERO, true),
        Outcome::Later { detail, after, counted } => ("waiting", Some(detail), *after, *counted),
        Outcome::Failed { detail } => ("failed", Some(detail), Duration::ZERO, true),
    };
    sqlx::query(
        "update user_mails set state = $4, detail = $5, claim = null, due_at = now() + $6 * interval '1 second', \
         attempts = attempts - case when $7 then 0 else 1 end, settled_at = case when $4 = 'waiting' then null else now() end \
         where object_id = $1 and kind = $2 and claim = $3",
    )
    .bind(mail.object_id)
    .bind(&mail.kind)
    .bind(mail.claim)
    .bind(state)
    .bind(detail)
    .bind(after.as_secs_f64())
    .bind(counted)
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(())
}

/// Of a customer who leaves: kept mails hold the address.
pub async fn remove_all(transaction: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("delete from user_mails where user_id = $1")
        .bind(user)
        .execute(transaction)
        .await?;
    Ok(())
}

/// Removes what was settled a quarter of a year ago, as no event comes again that late, and what was kept for a customer
/// in the moment of leaving.
pub async fn sweep(pool: &Pool) -> Result<(), StoreError> {
    let of_those_who_left = "user_id in (select id from users where deleted_at > now() - interval '1 day')";
    remove_old(pool, "user_mails", "settled_at < now() - interval '90 days'").await?;
    remove_old(pool, "user_mails", of_those_who_left).await
}
