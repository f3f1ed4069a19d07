//! Mails of one shard that were kept while there was no mail server, once there is one: what still says something new is
//! sent, what is too old is not, and is told apart from what may yet be sent.

use shop_kit_postgres::{Pool, StoreError};
use std::time::Duration;

/// A mail about an order that is older than this confuses more than it tells.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// Mails looked at by one statement.
const AT_A_TIME: i64 = 1_000;

/// What became of kept mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revived {
    /// They wait to be sent now.
    pub waiting: u64,
    pub expired: u64,
}

/// Only for a program that has a mail server. Writes nothing when no mail is kept.
pub async fn revive(pool: &Pool) -> Result<Revived, StoreError> {
    let mut all = Revived::default();
    loop {
        let some = revive_some(pool).await?;
        all.waiting += some.waiting;
        all.expired += some.expired;
        if some.waiting + some.expired < AT_A_TIME.unsigned_abs() {
            return Ok(all);
        }
    }
}

async fn revive_some(pool: &Pool) -> Result<Revived, StoreError> {
    let states: Result<Vec<String>, sqlx::Error> = sqlx::query_scalar(
        "with kept as (select object_id, kind, created_at > now() - $1 * interval '1 second' as fresh from user_mails \
         where state = 'unsent' order by created_at limit $2 for update skip locked) \
         update user_mails as mail set due_at = now(), \
         state = case when kept.fresh then 'waiting' else 'expired' end, \
         settled_at = case when kept.fresh then null else now() end \
         from kept where mail.object_id = kept.object_id and mail.kind = kept.kind returning mail.state",
    )
    .bind(FRESH.as_secs_f64())
    .bind(AT_A_TIME)
    .fetch_all(pool.executor())
    .await;
    let states = states.map_err(|error| pool.error(&error))?;
    let of = |state: &str| states.iter().filter(|found| *found == state).count() as u64;
    Ok(Revived {
        waiting: of("waiting"),
        expired: of("expired"),
    })
}
