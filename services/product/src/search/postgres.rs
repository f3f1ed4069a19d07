//! Search in Postgres: the generated column `search` under its GIN index, ranked by `ts_rank` (name before brand and
//! category before description before attributes, damped by length), and pages that begin after a key instead of
//! skipping rows.

use super::{Filter, Found, Position, Question, Search, Sort, facets, filter};
use crate::store::product::{COLUMNS, read};
use crate::store::reads::Reads;
use futures::FutureExt;
use futures::future::BoxFuture;
use shop_contract::api::product::{CatalogProduct, Facets};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::{Postgres, QueryBuilder, Row};

pub struct PostgresSearch {
    reads: Reads,
}

impl PostgresSearch {
    pub fn new(reads: Reads) -> Self {
        Self { reads }
    }
}

impl Search for PostgresSearch {
    fn find(&self, question: Question) -> BoxFuture<'_, Result<Found, StoreError>> {
        async move { self.reads.run(|pool| find(pool, question.clone())).await }.boxed()
    }

    fn count(&self, filter: Filter) -> BoxFuture<'_, Result<Facets, StoreError>> {
        async move { self.reads.run(|pool| facets::count(pool, filter.clone())).await }.boxed()
    }
}

async fn find(pool: Pool, question: Question) -> Result<Found, StoreError> {
    let rows = statement(&question).build().fetch_all(pool.executor()).await;
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
    statement.push(" as rank");
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
