//! Customers of a run: registered through the API, so that mails have somewhere to go. Their tokens are signed here when
//! the shop's seed is known, and come from logging in otherwise.

use crate::client::Client;
use anyhow::{Context, anyhow};
use futures::{StreamExt, TryStreamExt};
use reqwest::Method;
use shop_contract::api::{LogIn, RegisterUser, Role, SESSIONS, Session, USERS, User};
use shop_kit_token::{Claims, Signer};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use uuid::Uuid;

/// Password hashes are what they should be: slow.
const AT_A_TIME: usize = 4;
/// Faults may begin with the load: what does not answer yet is asked again.
pub const ATTEMPTS: u32 = 60;
pub const PAUSE: Duration = Duration::from_secs(1);
/// Of a token's fifteen minutes.
const RENEW: Duration = Duration::from_secs(600);
const PASSWORD: &str = "correct horse battery staple";

#[derive(Clone)]
pub struct Customer {
    pub id: Uuid,
    email: String,
    signer: Option<Arc<Signer>>,
    token: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Customer {
    pub async fn token(&self, client: &Client) -> anyhow::Result<String> {
        let mut kept = self.token.lock().await;
        if let Some((made, token)) = kept.as_ref().filter(|(made, _)| made.elapsed() < RENEW) {
            let _ = made;
            return Ok(token.clone());
        }
        let token = match &self.signer {
            Some(signer) => sign(signer, self.id, Role::Customer),
            None => log_in(client, &self.email).await?,
        };
        *kept = Some((Instant::now(), token.clone()));
        Ok(token)
    }
}

pub fn signer(seed: Option<&str>) -> anyhow::Result<Option<Arc<Signer>>> {
    let signer = seed.map(Signer::from_seed).transpose();
    Ok(signer
        .map_err(|error| anyhow!("SHOP_LOAD_TOKEN_SEED {error}"))?
        .map(Arc::new))
}

/// A token for whoever `signer` says it is.
pub fn sign(signer: &Signer, user: Uuid, role: Role) -> String {
    let now = jiff::Timestamp::now().as_second().unsigned_abs();
    signer.sign(&Claims::new(user, false, now).with_role(role))
}

/// Registers `count` customers nobody has been before.
pub async fn register(client: &Client, signer: Option<Arc<Signer>>, count: u32) -> anyhow::Result<Vec<Customer>> {
    let one = |number: u32| {
        let (client, signer) = (client.clone(), signer.clone());
        async move { register_one(&client, signer, number).await }
    };
    futures::stream::iter((0..count).map(one))
        .buffer_unordered(AT_A_TIME)
        .try_collect()
        .await
}

async fn register_one(client: &Client, signer: Option<Arc<Signer>>, number: u32) -> anyhow::Result<Customer> {
    let email = format!("load-{}@example.com", Uuid::now_v7().simple());
    let body = RegisterUser {
        email: email.clone(),
        password: PASSWORD.to_owned(),
        name: format!("Load {number}"),
        id: None,
    };
    let key = Uuid::now_v7();
    for _ in 0..ATTEMPTS {
        let answer = client.send(Method::POST, USERS, None, Some(key), Some(&body)).await;
        if answer.open() {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let user: User = serde_json::from_value(answer.expect("registering a customer")?)?;
        return Ok(Customer {
            id: user.id,
            email,
            signer,
            token: Arc::default(),
        });
    }
    Err(anyhow!("registering a customer: the shop does not answer"))
}

async fn log_in(client: &Client, email: &str) -> anyhow::Result<String> {
    let body = LogIn {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
    };
    let answer = client.send(Method::POST, SESSIONS, None, None, Some(&body)).await;
    let session: Session = serde_json::from_value(answer.expect("logging in")?).context("a session")?;
    Ok(session.access_token)
}
