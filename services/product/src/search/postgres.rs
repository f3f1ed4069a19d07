//! Search in Postgres: the generated column `search` under its GIN index, ranked by `ts_rank` (name before brand and
//! category before description before attributes, damped by length), and pages that begin after a key instead of
//! skipping rows.

use super::{Filter, Found, Position, Question, Search, Sort, facets, filter};
use crate::http::TIER;
use crate::store::product::{COLUMNS, read};
use futures::FutureExt;
use futures::future::BoxFuture;
use shop_contract::api::product::{CatalogProduct, Facets};
use shop_kit_postgres::{Pool, Reads, StoreError};
use sqlx::{Postgres, QueryBuilder, Row};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

/// After which the server ends a search: less than it gives other statements, because anybody may ask for anything.
pub(super) const LIMIT: Duration = Duration::from_secs(3);
/// How long a search waits for others to end.
const TURN: Duration = Duration::from_secs(1);

pub struct PostgresSearch {
    reads: Reads,
    places: Arc<Semaphore>,
}

impl PostgresSearch {
    /// `connections` to each server: searches take no more than half of them, others read prices through the same.
    pub fn new(reads: Reads, connections: u32) -> Self {
        let places = (connections as usize / 2).max(1);
        Self {
            reads,
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// Runs to the end also when nobody waits for the answer any more: the server goes on too, so the place is not free.
    async fn ask<T, R, F>(&self, read: R) -> Result<T, StoreError>
    where
        T: Send + 'static,
        R: Fn(Pool) -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let (place, reads) = (self.place().await?, self.reads.clone());
        let asked = async move {
            let answer = reads.run(read).await;
            drop(place);
            answer
        };
        let asked = tokio::spawn(asked.in_current_span()).await;
        asked.unwrap_or_else(|error| {
            Err(StoreError::Failed {
                tier: TIER.into(),
                detail: format!("a search ended early: {error}"),
            })
        })
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let place = tokio::time::timeout(TURN, self.places.clone().acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or_else(|| StoreError::Late {
            tier: TIER.into(),
            detail: "others search longer than this one waits".to_owned(),
        })
    }
}

impl Search for PostgresSearch {
    fn find(&self, question: Question) -> BoxFuture<'_, Result<Found, StoreError>> {
        self.ask(move |pool| find(pool, question.clone())).boxed()
    }

    fn count(&self, filter: Filter) -> BoxFuture<'_, Result<Facets, StoreError>> {
        self.ask(move |pool| facets::count(pool, filter.clone())).boxed()
    }
}

async fn find(pool: Pool, question: Question) -> Result<Found, StoreError> {
    let mut transaction = pool.begin_brief(LIMIT).await?;
    let rows = statement(&question).build().fetch_all(&mut *transaction).await;
    let ranked = rows.and_then(|rows| {
        let ranked = rows.iter().map(|row| Ok((read(row)?, row.try_get("rank")?)));
        ranked.collect::<Result<Vec<(CatalogProduct, f32)>, sqlx::Error>>()
    });
    let mut ranked = ranked.map_err(|error| pool.error(&error))?;
    let limit = usize::try_from(question.limit).unwrap_or_default();
    let more = ranked.len() > limit;
    ranked.truncate(limit);
    let last = ranked.last().filter(|_| more);
    let next = last.map(|(product, rank)| match question.sort {
        Sort::Relevance => Position::Relevance(rank.to_bits(), product.id),
        Sort::Newest => Position::Newest(product.id),
        Sort::PriceAsc => Position::PriceAsc(product.price_cents, product.id),
        Sort::PriceDesc => Position::PriceDesc(product.price_cents, product.id),
    });
    Ok(Found {
        products: ranked.into_iter().map(|(product, _)| product).collect(),
        next,
    })
}

/// One row more than the limit tells whether there is another page.
fn statement(question: &Question) -> QueryBuilder<Postgres> {
    let mut statement = QueryBuilder::new(format!("select * from (select {COLUMNS}, "));
    match (&question.filter.text, question.sort) {
        (Some(text), Sort::Relevance) => {
            statement.push("ts_rank(search, ");
            filter::push_text(&mut statement, text);
            statement.push(", 1)");
        }
        // Nobody is a better match than another.
        (None, _) | (_, Sort::Newest | Sort::PriceAsc | Sort::PriceDesc) => {
            statement.push("0::real");
        }
    }
    statement.push(" as rank from products");
    filter::push(&mut statement, &question.filter);
    statement.push(") as found");
    push_after(&mut statement, question.after);
    statement.push(match question.sort {
        Sort::Relevance => " order by rank desc, id desc",
        Sort::Newest => " order by id desc",
        Sort::PriceAsc => " order by price_cents, id",
        Sort::PriceDesc => " order by price_cents desc, id desc",
    });
    statement.push(" limit ").push_bind(question.limit + 1);
    statement
}

fn push_after(statement: &mut QueryBuilder<Postgres>, after: Option<Position>) {
    let Some(after) = after else { return };
    let id = match after {
        Position::Relevance(bits, id) => {
            statement
                .push(" where (rank, id) < (")
                .push_bind(f32::from_bits(bits))
                .push(", ");
            id
        }
        Position::Newest(id) => {
            statement.push(" where (id) < (");
            id
        }
        Position::PriceAsc(price, id) => {
            statement
                .push(" where (price_cents, id) > (")
                .push_bind(price)
                .push(", ");
            id
        }
        Position::PriceDesc(price, id) => {
            statement
                .push(" where (price_cents, id) < (")
                .push_bind(price)
                .push(", ");
            id
        }
    };
    statement.push_bind(id).push(")");
}
