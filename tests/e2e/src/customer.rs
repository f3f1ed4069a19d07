//! A customer at the shop's door: registers, logs in, orders, looks at the orders, cancels. Speaks HTTP to the gateway only.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use shop_contract::api::{
    LogIn, ORDERS, Order, OrderLine, OrderStatus, PRODUCTS, Page, PlaceOrder, Product, RegisterUser, SESSIONS, Session,
    USERS, User,
};
use std::time::Duration;
use uuid::Uuid;

/// Cards of the test payment provider.
pub const PAYS: &str = "tok_ok";
pub const DECLINED: &str = "tok_declined";

/// Where a shop's gateway answers.
#[derive(Clone, Debug)]
pub struct Storefront {
    base: String,
    http: Client,
}

#[derive(Clone, Debug)]
pub struct Customer {
    pub id: Uuid,
    token: String,
    storefront: Storefront,
}

impl Storefront {
    pub fn at(base: String) -> Self {
        let http = Client::builder()
            .timeout(Duration::from_secs(10))
            .build()
            .expect("an HTTP client");
        Self { base, http }
    }

    pub async fn products(&self) -> Result<Vec<Product>> {
        let url = format!("{}{PRODUCTS}?limit=3", self.base);
        let page: Page<Product> = answer(self.http.get(url)).await?;
        Ok(page.items)
    }

    /// Status and body of any path.
    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        let response = self.http.get(format!("{}{path}", self.base)).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// A new customer, logged in.
    pub async fn register(&self) -> Result<Customer> {
        let email = format!("{}@e2e.invalid", Uuid::new_v4());
        let password = "correct horse battery staple".to_owned();
        let wish = RegisterUser {
            email: email.clone(),
            password: password.clone(),
            name: "End To End".into(),
            id: None,
        };
        let user: User = answer(self.http.post(format!("{}{USERS}", self.base)).json(&wish)).await?;
        let log_in = LogIn { email, password };
        let session: Session = answer(self.http.post(format!("{}{SESSIONS}", self.base)).json(&log_in)).await?;
        ensure!(
            session.user_id == user.id,
            "registered as {}, logged in as {}",
            user.id,
            session.user_id
        );
        Ok(Customer {
            id: user.id,
            token: session.access_token,
            storefront: self.clone(),
        })
    }
}

impl Customer {
    /// The same customer at another door, after the gateway moved.
    pub fn at(self, storefront: &Storefront) -> Self {
        Self {
            storefront: storefront.clone(),
            ..self
        }
    }

    /// Orders one of the product the tests put there, with a card that pays.
    pub async fn order(&self) -> Result<Order> {
        self.order_of(crate::inside::PRODUCT, PAYS).await
    }

    /// Orders one of any product, with any card.
    pub async fn order_of(&self, product: Uuid, card: &str) -> Result<Order> {
        answer(self.checkout(product, card)).await
    }

    /// `None` when the shop says that it is sold out.
    pub async fn order_if_there_is_one(&self, product: Uuid) -> Result<Option<Order>> {
        let response = self.checkout(product, PAYS).send().await?;
        let (status, body) = (response.status(), response.text().await?);
        match status {
            StatusCode::CONFLICT if body.contains("out-of-stock") => Ok(None),
            status if status.is_success() => Ok(Some(serde_json::from_str(&body)?)),
            status => bail!("checkout answered {status}: {body}"),
        }
    }

    fn checkout(&self, product: Uuid, card: &str) -> RequestBuilder {
        let line = OrderLine {
            product_id: product,
            quantity: 1,
        };
        let wish = PlaceOrder {
            lines: Some(vec![line]),
            payment_token: card.into(),
            ship_to: None,
        };
        let request = self.storefront.http.post(format!("{}{ORDERS}", self.storefront.base));
        let request = request.header("idempotency-key", Uuid::new_v4().to_string());
        request.bearer_auth(&self.token).json(&wish)
    }

    pub async fn cancel(&self, order: Uuid) -> Result<Order> {
        let url = format!("{}{ORDERS}/{order}/cancel", self.storefront.base);
        answer(self.storefront.http.post(url).bearer_auth(&self.token)).await
    }

    pub async fn look_at(&self, order: Uuid) -> Result<Order> {
        let url = format!("{}{ORDERS}/{order}", self.storefront.base);
        answer(self.storefront.http.get(url).bearer_auth(&self.token)).await
    }

    pub async fn orders(&self) -> Result<Vec<Order>> {
        let request = self
            .storefront
            .http
            .get(format!("{}{ORDERS}", self.storefront.base))
            .bearer_auth(&self.token);
        let page: Page<Order> = answer(request).await?;
        Ok(page.items)
    }

    /// `Ok` once this order is paid and its stock claimed.
    pub async fn was_confirmed(&self, order: Uuid) -> Result<Order> {
        self.is(order, OrderStatus::Confirmed).await
    }

    pub async fn was_cancelled(&self, order: Uuid) -> Result<Order> {
        self.is(order, OrderStatus::Cancelled).await
    }

    async fn is(&self, order: Uuid, wanted: OrderStatus) -> Result<Order> {
        let order = self.look_at(order).await?;
        ensure!(order.status == wanted, "order {} is {:?}", order.id, order.status);
        Ok(order)
    }
}

/// Sends, and reads a success; anything else becomes an error that carries the body.
async fn answer<T: serde::de::DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    let response = request.send().await?;
    let (status, url) = (response.status(), response.url().clone());
    let body = response.text().await?;
    if !status.is_success() {
        bail!("{url} answered {status}: {body}");
    }
    let value: Value = serde_json::from_str(&body).with_context(|| format!("{url} answered no JSON: {body}"))?;
    serde_json::from_value(value).with_context(|| format!("{url} answered something unexpected: {body}"))
}
