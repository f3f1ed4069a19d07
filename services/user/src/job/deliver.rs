//! Calls one webhook: a signed POST that follows no redirect and reaches only addresses the rules allow, whatever the
//! name leads to. Anything but 2xx within the time limit is a failure, told in words.

use crate::store::webhook::Delivery;
use crate::webhook::WebhookRules;
use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use sha2::Sha256;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::vec::IntoIter;
use tower::Service;

/// Of a whole call.
const PATIENCE: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(10);
const PREFIX: &str = "whsec_";

/// Cloning shares the connections. (Not reqwest: its TLS features would hold for every client of the program.)
#[derive(Clone)]
pub struct Deliverer {
    client: Client<HttpsConnector<HttpConnector<Guarded>>, Body>,
    rules: WebhookRules,
}

impl Deliverer {
    pub fn new(rules: WebhookRules) -> anyhow::Result<Self> {
        let mut http = HttpConnector::new_with_resolver(Guarded(rules));
        http.enforce_http(false);
        http.set_connect_timeout(Some(PATIENCE));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .build(https);
        Ok(Self { client, rules })
    }

    /// The time of the call is part of the signature, so that a receiver can refuse old copies.
    pub async fn deliver(&self, delivery: &Delivery) -> Result<(), String> {
        let url = self.rules.check(&delivery.url)?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let id = delivery.event_id.to_string();
        let signature = sign(&delivery.secret, &id, now, &delivery.body)?;
        let request = Request::post(url.as_str())
            .header("content-type", "application/json")
            .header("user-agent", "shop-webhooks/1")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.to_string())
            .header("webhook-signature", signature)
            .body(Body::from(delivery.body.clone()))
            .map_err(|error| error.to_string())?;
        match tokio::time::timeout(PATIENCE, self.client.request(request)).await {
            Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
            Ok(Ok(answer)) => Err(format!("answered {}", answer.status())),
            Ok(Err(error)) => Err(causes(&error)),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }
}

fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// A new secret of 32 random bytes.
pub fn new_secret() -> String {
    format!("{PREFIX}{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}

/// As standardwebhooks.com describes.
fn sign(secret: &str, id: &str, timestamp: u64, body: &str) -> Result<String, String> {
    let key = STANDARD
        .decode(secret.trim_start_matches(PREFIX))
        .map_err(|error| format!("the kept secret is no base64: {error}"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

fn tls() -> anyhow::Result<rustls::ClientConfig> {
    let roots = rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// Looks names up and keeps only what the rules allow, so that the address that was checked is the one that is called.
#[derive(Clone)]
struct Guarded(WebhookRules);

type Found = Result<IntoIter<SocketAddr>, Box<dyn Error + Send + Sync>>;

impl Service<Name> for Guarded {
    type Response = IntoIter<SocketAddr>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Found> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let rules = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| rules.may_reach(address.ip())).collect();
            if allowed.is_empty() {
                return Err(format!("{} does not lead to a public address", name.as_str()).into());
            }
            Ok(allowed.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn a_signature_is_as_the_specification_says() {
        let body = r#"{"test": 2432232314}"#;
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_secret_is_another() {
        let (left, right) = (new_secret(), new_secret());
        assert!(left != right && left.starts_with(PREFIX) && left.len() == PREFIX.len() + 44);
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused() {
        let refused = Guarded(WebhookRules::default())
            .call("localhost".parse().unwrap())
            .await;
        assert!(refused.is_err_and(|error| error.to_string().contains("public address")));
        let allowed = Guarded(WebhookRules { private: true })
            .call("localhost".parse().unwrap())
            .await;
        assert!(allowed.is_ok_and(|found| found.count() > 0));
    }
}
