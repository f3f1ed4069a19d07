//! Findings that are kept: when each was first seen decides whether it lasts.

use crate::check::Finding;
use crate::invariant::Invariant;
use shop_contract::api::books;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::BTreeMap;

/// A finding younger than this may be work under way.
pub const LASTING_SECONDS: i64 = 60;
/// Between two repairs of one finding; doubles with every one.
const REPAIR_PAUSE_SECONDS: f64 = 120.0;
const REPAIRS: i32 = 6;

/// What a look changed.
pub struct Recorded {
    /// Invariant and object of findings that were not open before.
    pub opened: Vec<(String, String)>,
    /// Objects some finding of which is gone.
    pub closed: Vec<String>,
}

/// Writes what was found about these objects, and closes what is no longer true of them.
pub async fn record(pool: &Pool, objects: &[String], found: &[Finding]) -> Result<Recorded, StoreError> {
    let store = |error: sqlx::Error| pool.error(&error);
    let column = |of: fn(&Finding) -> &str| {
        found
            .iter()
            .map(|finding| of(finding).to_owned())
            .collect::<Vec<String>>()
    };
    let names = column(|finding| finding.invariant.name());
    let (of_objects, details) = (column(|finding| &finding.object), column(|finding| &finding.detail));
    let mut transaction = pool.begin().await?;
    let opened: Vec<(String, String, bool)> = sqlx::query_as(
        "insert into books_findings as kept (invariant, object, detail) \
         select distinct on (invariant, object) invariant, object, detail \
         from unnest($1::text[], $2::text[], $3::text[]) as found (invariant, object, detail) \
         on conflict (invariant, object) do update set detail = excluded.detail, last_seen = now(), resolved_at = null, \
           first_seen = case when kept.resolved_at is null then kept.first_seen else now() end, \
           repairs = case when kept.resolved_at is null then kept.repairs else 0 end, \
           repair_at = case when kept.resolved_at is null then kept.repair_at else now() end \
         returning invariant, object, first_seen = now() as opened",
    )
    .bind(&names)
    .bind(&of_objects)
    .bind(&details)
    .fetch_all(&mut *transaction)
    .await
    .map_err(store)?;
    let closed = sqlx::query_scalar(
        "update books_findings set resolved_at = now() where resolved_at is null and object = any($1) \
         and not exists (select from unnest($2::text[], $3::text[]) as found (invariant, object) \
           where found.invariant = books_findings.invariant and found.object = books_findings.object) \
         returning object",
    )
    .bind(objects)
    .bind(&names)
    .bind(&of_objects)
    .fetch_all(&mut *transaction)
    .await
    .map_err(store)?;
    pool.commit(transaction).await?;
    let opened = opened.into_iter().filter(|(.., opened)| *opened);
    Ok(Recorded {
        opened: opened.map(|(invariant, object, _)| (invariant, object)).collect(),
        closed,
    })
}

/// Notes that these were looked at, whether or not anything was found.
pub async fn checked(pool: &Pool, invariants: &[Invariant]) -> Result<(), StoreError> {
    let names: Vec<&str> = invariants.iter().map(|invariant| invariant.name()).collect();
    sqlx::query(
        "insert into books_checks (invariant, checked_at) select name, now() from unnest($1::text[]) as name \
         on conflict (invariant) do update set checked_at = now()",
    )
    .bind(names)
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(())
}

/// Objects with an open finding, those looked at longest ago first.
pub async fn open_objects(pool: &Pool, prefix: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar(
        "select object from books_findings where resolved_at is null and starts_with(object, $1) \
         group by object order by min(last_seen) limit $2",
    )
    .bind(prefix)
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))
}

/// Takes the turn to repair a finding: true when it lasts, is due, and has not been tried too often.
pub async fn take_repair(pool: &Pool, finding: &Finding) -> Result<bool, StoreError> {
    let taken = sqlx::query(
        "update books_findings set repairs = repairs + 1, \
           repair_at = now() + $3 * power(2, repairs) * interval '1 second' \
         where invariant = $1 and object = $2 and resolved_at is null and repair_at <= now() and repairs < $4 \
           and first_seen < now() - $5 * interval '1 second'",
    )
    .bind(finding.invariant.name())
    .bind(&finding.object)
    .bind(REPAIR_PAUSE_SECONDS)
    .bind(REPAIRS)
    .bind(LASTING_SECONDS as f64)
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(taken.rows_affected() == 1)
}

/// Open findings, oldest first.
pub async fn open(pool: &Pool, limit: i64) -> Result<Vec<books::Finding>, StoreError> {
    let rows = sqlx::query(
        "select invariant, object, detail, first_seen < now() - $2 * interval '1 second' as lasting, \
           to_char(first_seen at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as first_seen, \
           to_char(last_seen at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as last_seen \
         from books_findings where resolved_at is null order by books_findings.first_seen, object limit $1",
    )
    .bind(limit)
    .bind(LASTING_SECONDS as f64)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let read = |row: &PgRow| {
        Ok(books::Finding {
            invariant: row.try_get("invariant")?,
            object: row.try_get("object")?,
            detail: row.try_get("detail")?,
            lasting: row.try_get("lasting")?,
            first_seen: row.try_get("first_seen")?,
            last_seen: row.try_get("last_seen")?,
        })
    };
    let findings: Result<Vec<books::Finding>, sqlx::Error> = rows.iter().map(read).collect();
    findings.map_err(|error| pool.error(&error))
}

/// Every invariant with its lasting findings and its last look.
pub async fn states(pool: &Pool) -> Result<Vec<(Invariant, u64, Option<i64>)>, StoreError> {
    let store = |error: sqlx::Error| pool.error(&error);
    let counts: Vec<(String, i64)> = sqlx::query_as(
        "select invariant, count(*) from books_findings where resolved_at is null \
         and first_seen < now() - $1 * interval '1 second' group by invariant",
    )
    .bind(LASTING_SECONDS as f64)
    .fetch_all(pool.executor())
    .await
    .map_err(store)?;
    let looks: Vec<(String, i64)> =
        sqlx::query_as("select invariant, extract(epoch from checked_at)::bigint from books_checks")
            .fetch_all(pool.executor())
            .await
            .map_err(store)?;
    let (counts, looks): (BTreeMap<_, _>, BTreeMap<_, _>) = (counts.into_iter().collect(), looks.into_iter().collect());
    let state = |invariant: Invariant| {
        let count = counts.get(invariant.name()).copied().unwrap_or(0);
        (invariant, count.unsigned_abs(), looks.get(invariant.name()).copied())
    };
    Ok(Invariant::ALL.into_iter().map(state).collect())
}

/// Removes findings that have been gone for a week.
pub async fn purge(pool: &Pool) -> Result<(), StoreError> {
    sqlx::query("delete from books_findings where resolved_at < now() - interval '7 days'")
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(())
}
