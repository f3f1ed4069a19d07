//! The proof of `up`: a new customer's order through the gateway, in its shard, paid with a test token and confirmed.
//! In: the gateway's address. Out: one line. Each part is asked again until its deadline, as a shop just started may
//! still be connecting.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{demo, http, stock};
use crate::failure::Failure;
use crate::kube::Kube;
use crate::screen;
use crate::wait::{self, Look};

const PATIENCE: Duration = Duration::from_secs(90);
/// What a newcomer finds in the shop.
const PRODUCTS: u32 = 200;
const QUANTITY: u32 = 1000;

pub fn run(kube: &Kube, gateway: &str) -> Result<String> {
    patiently("seed catalogue and stock", || stock::seed(kube, PRODUCTS, QUANTITY))?;
    let token = format!("authorization: Bearer {}", customer(gateway)?);
    let (order, took) = patiently("the order", || {
        // Chosen anew each time: others may buy the last piece meanwhile.
        let product = in_stock(gateway)?;
        let body = json!({"lines": [{"product_id": product, "quantity": 1}], "payment_token": "tok_ok"});
        let headers = [token.clone(), format!("idempotency-key: {}", unique())];
        let begun = Instant::now();
        let order = http::post(&format!("{gateway}/api/v1/orders"), &headers, &body)?.ok("place an order")?;
        Ok((order, begun.elapsed()))
    })?;
    let placed = Instant::now();
    let id = order["id"].as_str().context("the order has no id")?.to_string();
    wait_until_confirmed(gateway, &[token], &id)?;
    Ok(sentence(&order, took, placed.elapsed()))
}

/// The first product of the catalogue that is not sold out.
fn in_stock(gateway: &str) -> Result<String> {
    let page = http::get(&format!("{gateway}/api/v1/products?limit=50"), &[])?.ok("list products")?;
    for item in page["items"].as_array().into_iter().flatten() {
        let id = item["id"].as_str().context("a product has no id")?;
        let stock = http::get(&format!("{gateway}/api/v1/stock/{id}"), &[])?;
        if stock.status == 200 && stock.ok("read the stock")?["available"] == true {
            return Ok(id.to_string());
        }
    }
    anyhow::bail!("none of the first products is in stock; `./shop seed --products N` adds new ones")
}

fn sentence(order: &Value, took: Duration, confirmed: Duration) -> String {
    let id: String = order["id"].as_str().unwrap_or("?").chars().take(13).collect();
    let (took, confirmed) = (took.as_millis(), confirmed.as_millis());
    format!(
        "order {id}… by a new customer: {took} ms, shard {}, paid and confirmed after {confirmed} ms",
        order["shard"]
    )
}

fn customer(gateway: &str) -> Result<String> {
    let email = format!("proof-{}@example.com", unique());
    let password = format!("secret-{}", unique());
    patiently("a new customer", || {
        let body = json!({"email": email, "password": password, "name": "Proof"});
        let answer = http::post(&format!("{gateway}/api/v1/users"), &[], &body)?;
        // The first try may have succeeded with its answer lost.
        if answer.status == 409 {
            Ok(Value::Null)
        } else {
            answer.ok("register")
        }
    })?;
    patiently("log in", || {
        let body = json!({"email": email, "password": password});
        let session = http::post(&format!("{gateway}/api/v1/sessions"), &[], &body)?.ok("log in")?;
        Ok(session["access_token"]
            .as_str()
            .context("the session has no token")?
            .to_string())
    })
}

fn wait_until_confirmed(gateway: &str, headers: &[String], id: &str) -> Result<()> {
    let url = format!("{gateway}/api/v1/orders/{id}");
    wait::until("the order", PATIENCE, Duration::from_millis(50), || {
        let state = match http::get(&url, headers).and_then(|answer| answer.ok("read the order")) {
            Ok(order) if order["status"] == "confirmed" => return Ok(Look::Ready(())),
            Ok(order) => format!("the order is {}", order["status"]),
            Err(error) => error.to_string(),
        };
        Ok(Look::NotYet(state))
    })
}

/// Tries until it works or patience ends; the last error is told.
fn patiently<T>(what: &str, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let look = || {
        Ok(match attempt() {
            Ok(value) => Look::Ready(value),
            Err(error) => Look::NotYet(format!("{error:#}")),
        })
    };
    wait::until(what, PATIENCE, Duration::from_millis(500), look).map_err(|error| {
        let way_out = "kubectl get shop -o wide names the part that fails";
        Failure::of(&error).way_out(way_out).into()
    })
}

fn unique() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/uuid")
        .unwrap_or_default()
        .trim()
        .to_string()
}

/// How long everything took, for the last line.
pub fn closing(total: Duration) -> String {
    format!("shop {} is Ready ({}).  Try:", demo::NAME, screen::human(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_shard_and_times() {
        let order = json!({"id": "0192f3aa-1111-7000", "shard": 1});
        let text = sentence(&order, Duration::from_millis(38), Duration::from_millis(210));
        assert_eq!(
            text,
            "order 0192f3aa-1111… by a new customer: 38 ms, shard 1, paid and confirmed after 210 ms"
        );
    }
}
