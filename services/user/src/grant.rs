//! `grant`: gives an account its role from outside the API, because the first admin has nobody to ask.

use crate::email::Email;
use crate::store::{directory, role};
use anyhow::{anyhow, bail};
use shop_contract::api::Role;
use shop_kit_postgres::ShardedPool;

/// A role by its word in the API.
pub fn role_of(word: &str) -> anyhow::Result<Role> {
    match serde_json::from_value(word.into()) {
        Ok(role) => Ok(role),
        Err(_) => bail!("must be customer, merchant, support or admin"),
    }
}

pub async fn grant(shards: &ShardedPool, email: &str, role: Role) -> anyhow::Result<()> {
    let parsed = Email::parse(email).map_err(|error| anyhow!("`{email}` {error}"))?;
    let found = directory::find(shards, &parsed).await?;
    let Some(user) = found else {
        bail!("no account has the address {email}: register it first");
    };
    if !role::set(shards, user, role).await? {
        bail!("the registration of {email} was cut short: register again first");
    }
    Ok(())
}
