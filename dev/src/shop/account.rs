//! Accounts with a role in the demo shop, each made once and logged in whenever a token is asked for. In: the gateway, a
//! role's word. Out: access tokens. Roles come from the user service's own `grant`: the first admin has nobody to ask.

use anyhow::{Context, Result};
use serde_json::json;

use super::{demo, http};
use crate::kube::Kube;

pub const CUSTOMER: &str = "customer";
const PASSWORD: &str = "correct horse battery staple";

pub struct Account {
    email: String,
}

impl Account {
    pub fn new(kube: &Kube, gateway: &str, role: &str) -> Result<Account> {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/uuid").context("no random id")?;
        let email = format!("{role}-{}@example.com", id.trim());
        let body = json!({"email": email, "password": PASSWORD, "name": "Fuzz"});
        http::post(&format!("{gateway}/api/v1/users"), &[], &body)?.ok("register")?;
        if role != CUSTOMER {
            let (service, program) = match demo::is_one_process(kube)? {
                true => ("single", "/usr/bin/shop-single"),
                false => ("user", "/usr/bin/user"),
            };
            let pod = format!("deployment/{}-{service}", demo::NAME);
            let exec = ["-n", demo::NAMESPACE, "exec", &pod, "-c", service, "--"];
            let grant = [program, "grant", "--email", &email, "--role", role];
            kube.run(&[&exec[..], &grant].concat())
                .with_context(|| format!("no {role} could be made"))?;
        }
        Ok(Account { email })
    }

    /// Good for fifteen minutes.
    pub fn token(&self, gateway: &str) -> Result<String> {
        let body = json!({"email": self.email, "password": PASSWORD});
        let session = http::post(&format!("{gateway}/api/v1/sessions"), &[], &body)?.ok("log in")?;
        let token = session["access_token"].as_str().context("the session has no token")?;
        Ok(token.to_string())
    }
}

/// The header that carries a token.
pub fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}
