//! A whole order: reserved, authorised, claimed, captured, confirmed; and its ways back: declined, cancelled, sold out.

use shop_contract::api::CancelReason;
use shop_e2e::customer::{DECLINED, PAYS};
use shop_e2e::stage::{alone, with_demo_shop};
use shop_e2e::{Customer, PATIENCE, SOON, Shop, Storefront, books, eventually, inside};
use uuid::Uuid;

/// Customers at once, and what there is for them.
const CROWD: usize = 60;
const PIECES: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_confirmed_order_is_paid_and_has_left_the_shelf() {
    with_demo_shop(|demo| async move {
        let (product, customer) = shop_for(&demo, 5).await;
        let order = customer.order_of(product, PAYS).await.expect("an order is placed");
        eventually(SOON, "it is confirmed", || customer.was_confirmed(order.id)).await;
        let orders = [order.id];
        let agreed = || books::agree(&demo, product, 5, &orders);
        let sales = eventually(SOON, "the books agree", agreed).await;
        assert_eq!(sales.len(), 1);
        let shelf = books::shelf(&demo, product).await.expect("the shelf");
        assert_eq!((shelf.on_hand, shelf.reserved), (4, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_declined_card_cancels_and_gives_the_stock_back() {
    with_demo_shop(|demo| async move {
        let (product, customer) = shop_for(&demo, 1).await;
        let order = customer.order_of(product, DECLINED).await.expect("an order is placed");
        let order = eventually(SOON, "it is cancelled", || customer.was_cancelled(order.id)).await;
        assert_eq!(order.cancel_reason, Some(CancelReason::PaymentDeclined));
        is_sold_again(&demo, &customer, product, order.id).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn a_cancelled_order_is_refunded_and_its_stock_given_back() {
    with_demo_shop(|demo| async move {
        let (product, customer) = shop_for(&demo, 1).await;
        let order = customer.order_of(product, PAYS).await.expect("an order is placed");
        eventually(SOON, "it is confirmed", || customer.was_confirmed(order.id)).await;
        customer
            .cancel(order.id)
            .await
            .expect("it can be cancelled before it is shipped");
        let order = eventually(SOON, "it is cancelled", || customer.was_cancelled(order.id)).await;
        assert_eq!(order.cancel_reason, Some(CancelReason::Customer));
        is_sold_again(&demo, &customer, product, order.id).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster"]
async fn sixty_customers_for_twenty_pieces_buy_exactly_twenty() {
    // A crowd fills the machine: beside another promise some would rightly be told that the shop is busy.
    alone::with_demo_shop(|demo| async move {
        let storefront = demo.storefront().await;
        let product = Uuid::now_v7();
        inside::stock(&demo, product, PIECES).await.expect("stock");
        let crowd = crowd(&storefront).await;
        let buying = crowd.iter().map(|customer| customer.order_if_there_is_one(product));
        let bought = futures::future::join_all(buying).await;
        let orders: Vec<Uuid> = bought
            .into_iter()
            .filter_map(|order| {
                order
                    .expect("an order, or sold out: nothing else")
                    .map(|order| order.id)
            })
            .collect();
        assert_eq!(orders.len(), PIECES as usize, "acknowledged orders");
        let agreed = || books::agree(&demo, product, PIECES.into(), &orders);
        let sales = eventually(PATIENCE, "all are confirmed and the books agree", agreed).await;
        assert!(sales.iter().all(|sale| sale.status == "confirmed"), "{sales:?}");
        let shelf = books::shelf(&demo, product).await.expect("the shelf");
        assert_eq!((shelf.on_hand, shelf.reserved), (0, 0));
    })
    .await;
}

async fn crowd(storefront: &Storefront) -> Vec<Customer> {
    let mut crowd = Vec::new();
    while crowd.len() < CROWD {
        crowd.push(eventually(SOON, "a customer registers", || storefront.register()).await);
    }
    crowd
}

/// A product of its own with so many pieces, and a customer.
async fn shop_for(demo: &Shop, pieces: u32) -> (Uuid, Customer) {
    let storefront = demo.storefront().await;
    let product = Uuid::now_v7();
    inside::stock(demo, product, pieces).await.expect("stock");
    let customer = eventually(SOON, "a customer registers", || storefront.register()).await;
    (product, customer)
}

/// The one piece that came back can be bought, and then the books agree.
async fn is_sold_again(demo: &Shop, customer: &Customer, product: Uuid, cancelled: Uuid) {
    let next = eventually(SOON, "the piece is for sale again", || customer.order_of(product, PAYS)).await;
    eventually(SOON, "it is sold to the next", || customer.was_confirmed(next.id)).await;
    let orders = [cancelled, next.id];
    eventually(SOON, "the books agree", || books::agree(demo, product, 1, &orders)).await;
}
