//! The books of one product, read behind the shop's walls: its orders in every shard, its shelf, its payments and what
//! the test provider really took. Two questions are asked of them: is everything settled, and does it all add up.

use anyhow::{Result, ensure};
use shop_contract::database::{CATALOG, PAYMENTS};
use sqlx::{Connection, FromRow};
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::Shop;
use crate::inside::{primary, shard_map};

/// An order of the product.
#[derive(Clone, Debug, FromRow)]
pub struct Sale {
    pub id: Uuid,
    pub status: String,
    pub total_cents: i64,
    pub quantity: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Shelf {
    /// Not sold; reserved ones are among them.
    pub on_hand: i64,
    pub reserved: i64,
}

/// What the provider did for one order.
#[derive(Clone, Debug, Default, FromRow)]
struct Taken {
    order_id: Uuid,
    captures: i64,
    captured_cents: i64,
    refunded_cents: i64,
}

const SALES: &str = "select o.id, o.status, o.total_cents, sum(l.quantity)::bigint as quantity \
    from orders o join order_lines l on l.order_id = o.id where l.product_id = $1 group by o.id, o.status, o.total_cents";
const SHELF: &str = "select coalesce(sum(on_hand), 0)::bigint as on_hand, coalesce(sum(reserved), 0)::bigint as reserved \
    from stock_slots where product_id = $1";
const TAKEN: &str = "select order_id, \
    count(*) filter (where operation = 'capture') as captures, \
    coalesce(sum(amount_cents) filter (where operation = 'capture'), 0)::bigint as captured_cents, \
    coalesce(sum(amount_cents) filter (where operation = 'refund'), 0)::bigint as refunded_cents \
    from provider_ledger where order_id = any($1) and outcome = 'done' and took_effect group by order_id";

/// All orders of a product, whoever was told of them.
pub async fn sales(shop: &Shop, product: Uuid) -> Result<Vec<Sale>> {
    let mut sales: Vec<Sale> = Vec::new();
    for shard in shard_map(shop).await?.shards {
        let mut session = primary(shop, shop_contract::database::ORDERS, shard.index).await?;
        sales.extend(sqlx::query_as(SALES).bind(product).fetch_all(&mut session).await?);
        session.close().await?;
    }
    Ok(sales)
}

pub async fn shelf(shop: &Shop, product: Uuid) -> Result<Shelf> {
    let mut session = primary(shop, CATALOG, 0).await?;
    let shelf = sqlx::query_as(SHELF).bind(product).fetch_one(&mut session).await?;
    session.close().await?;
    Ok(shelf)
}

async fn taken(shop: &Shop, orders: &[Uuid]) -> Result<BTreeMap<Uuid, Taken>> {
    let mut session = primary(shop, PAYMENTS, 0).await?;
    let taken: Vec<Taken> = sqlx::query_as(TAKEN).bind(orders).fetch_all(&mut session).await?;
    session.close().await?;
    Ok(taken.into_iter().map(|taken| (taken.order_id, taken)).collect())
}

/// `Ok` when every acknowledged order is confirmed or cancelled, no order is under way, and the books agree: what was
/// sold has left the shelf, what is confirmed was paid once, what is cancelled was given back.
pub async fn agree(shop: &Shop, product: Uuid, delivered: i64, acknowledged: &[Uuid]) -> Result<Vec<Sale>> {
    let sales = sales(shop, product).await?;
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|id| sales.iter().all(|sale| sale.id != **id))
        .collect();
    ensure!(lost.is_empty(), "acknowledged and not there: {lost:?}");
    let open: Vec<_> = sales
        .iter()
        .filter(|sale| sale.status == "placed")
        .map(|sale| sale.id)
        .collect();
    ensure!(
        open.is_empty(),
        "{} of {} orders are still placed: {open:?}",
        open.len(),
        sales.len()
    );
    let sold: i64 = sales
        .iter()
        .filter(|sale| sale.status == "confirmed")
        .map(|sale| sale.quantity)
        .sum();
    let shelf = shelf(shop, product).await?;
    ensure!(
        shelf.on_hand == delivered - sold,
        "{delivered} delivered, {sold} sold, {} on the shelf",
        shelf.on_hand
    );
    let ids: Vec<Uuid> = sales.iter().map(|sale| sale.id).collect();
    let taken = taken(shop, &ids).await?;
    let wrong: Vec<String> = sales
        .iter()
        .filter_map(|sale| wrong(sale, taken.get(&sale.id)))
        .collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(sales)
}

/// What is wrong with the money of one order.
fn wrong(sale: &Sale, taken: Option<&Taken>) -> Option<String> {
    let none = Taken::default();
    let taken = taken.unwrap_or(&none);
    let fine = match sale.status.as_str() {
        "confirmed" => taken.captures == 1 && taken.captured_cents == sale.total_cents && taken.refunded_cents == 0,
        _ => taken.captures <= 1 && taken.captured_cents == taken.refunded_cents,
    };
    (!fine).then(|| format!("{sale:?} and {taken:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale(status: &str) -> Sale {
        Sale {
            id: Uuid::nil(),
            status: status.into(),
            total_cents: 1250,
            quantity: 1,
        }
    }

    fn taken(captures: i64, refunded_cents: i64) -> Taken {
        Taken {
            order_id: Uuid::nil(),
            captures,
            captured_cents: captures * 1250,
            refunded_cents,
        }
    }

    #[test]
    fn a_confirmed_order_is_paid_exactly_once() {
        assert_eq!(wrong(&sale("confirmed"), Some(&taken(1, 0))), None);
        for bad in [None, Some(&taken(2, 0)), Some(&taken(1, 1250))] {
            assert!(wrong(&sale("confirmed"), bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn a_cancelled_order_keeps_no_money() {
        assert_eq!(wrong(&sale("cancelled"), None), None);
        assert_eq!(wrong(&sale("cancelled"), Some(&taken(1, 1250))), None);
        assert!(wrong(&sale("cancelled"), Some(&taken(1, 0))).is_some());
    }
}
