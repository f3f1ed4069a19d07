//! Orders from checkout to their end, through every service: the code the separate programs run, on real servers.

use crate::shop::Shop;
use anyhow::Result;
use reqwest::{Method, StatusCode};
use shop_contract::probe::SYNTHETIC_PRODUCT;

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_confirmed_declined_cancelled_and_sold_again() -> Result<()> {
    let shop = Shop::open().await?;
    let customer = shop.customer(false).await?;
    let product = shop.sell(1).await?;

    let declined = customer.order(product, "tok_declined").await?;
    let order = customer
        .until(&format!("/api/v1/orders/{declined}"), "/status", "cancelled")
        .await?;
    assert_eq!(order["cancel_reason"], "payment_declined");
    customer
        .until(&format!("/api/v1/stock/{product}"), "/level", "low")
        .await?;

    let confirmed = customer.order(product, "tok_ok").await?;
    customer
        .until(&format!("/api/v1/orders/{confirmed}"), "/status", "confirmed")
        .await?;
    let (status, text) = customer.refused(product).await?;
    assert!(
        status == StatusCode::CONFLICT && text.contains("out-of-stock"),
        "{status} {text}"
    );

    customer
        .ask(Method::POST, &format!("/api/v1/orders/{confirmed}/cancel"), None)
        .await?;
    let payment = format!("/api/v1/payments?order_id={confirmed}");
    customer.until(&payment, "/items/0/status", "refunded").await?;
    customer
        .until(&format!("/api/v1/stock/{product}"), "/level", "low")
        .await?;
    let again = customer.order(product, "tok_flaky").await?;
    customer
        .until(&format!("/api/v1/orders/{again}"), "/status", "confirmed")
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_test_order_goes_the_whole_way() -> Result<()> {
    let shop = Shop::open().await?;
    let operator = shop.customer(true).await?;
    let order = operator.order(SYNTHETIC_PRODUCT, "tok_ok").await?;
    operator
        .until(&format!("/api/v1/orders/{order}"), "/status", "confirmed")
        .await?;
    let payment = format!("/api/v1/payments?order_id={order}");
    operator.until(&payment, "/items/0/status", "captured").await?;
    Ok(())
}
