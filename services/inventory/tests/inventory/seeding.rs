//! `inventory seed`.

use crate::books::check;
use crate::shop::Shop;
use shop_contract::seed::product_id;
use shop_inventory::job::seed::{seed_catalogue, seed_numbers, set_products};
use uuid::Uuid;

#[tokio::test]
async fn seeding_again_adds_only_what_is_missing() {
    let shop = Shop::start().await;
    assert_eq!(seed_numbers(&shop.pool, 20, 130).await.unwrap(), 20);
    assert_eq!(seed_numbers(&shop.pool, 5_030, 130).await.unwrap(), 5_010);
    assert_eq!(shop.level(product_id(5_029)).await, (130, 0));
    assert_eq!(shop.count("select count(*) from stock_slots").await, 3 * 5_030);
    check(&shop.pool).await;
}

#[tokio::test]
async fn named_products_are_set_and_the_catalogue_gets_what_it_lacks() {
    let shop = Shop::start().await;
    let (known, new, listed, hidden) = (
        shop.product(10, 1).await,
        Uuid::now_v7(),
        Uuid::now_v7(),
        Uuid::now_v7(),
    );
    set_products(&shop.pool, &[known, new], 500).await.unwrap();
    set_products(&shop.pool, &[known, new], 500).await.unwrap();
    assert_eq!((shop.level(known).await, shop.level(new).await), ((500, 0), (500, 0)));
    shop.reserve(Uuid::now_v7(), &[(new, 300)]).await;
    set_products(&shop.pool, &[known], 7).await.unwrap();
    let refused = set_products(&shop.pool, &[new], 299).await.unwrap_err();
    assert!(refused.to_string().contains("only 200 are free"), "{refused}");
    assert_eq!((shop.level(known).await, shop.level(new).await), ((7, 0), (500, 300)));
    // As the catalogue's own migrations make it, as far as it is read here.
    sqlx::query("create table products (id uuid primary key, listed boolean not null)")
        .execute(shop.pool.executor())
        .await
        .unwrap();
    sqlx::query("insert into products values ($1, true), ($2, true), ($3, false)")
        .bind(known)
        .bind(listed)
        .bind(hidden)
        .execute(shop.pool.executor())
        .await
        .unwrap();
    assert_eq!(seed_catalogue(&shop.pool, 50).await.unwrap(), 1);
    assert_eq!((shop.level(known).await, shop.level(listed).await), ((7, 0), (50, 0)));
    check(&shop.pool).await;
}
