//! Where mails go to, read from the environment the operator sets. Without a host there is no mail server.

use lettre::message::Mailbox;
use lettre::transport::smtp::client::Certificate;
use shop_contract::env;
use shop_kit_config::{Env, Secret};
use std::str::FromStr;

#[derive(Clone)]
pub struct MailSettings {
    /// How the shop calls itself.
    pub shop: String,
    pub server: Option<MailServer>,
}

#[derive(Clone)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub login: Option<(String, Secret)>,
    /// Of an authority of one's own, trusted beside the public ones.
    pub authority: Option<Certificate>,
    pub from: Mailbox,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// In the clear: only to a server on the same machine or in a trusted network.
    None,
    StartTls,
    Tls,
}

impl Tls {
    /// RFC 6409 and RFC 8314.
    fn port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Tls => 465,
        }
    }
}

impl FromStr for Tls {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "starttls" => Ok(Self::StartTls),
            "tls" => Ok(Self::Tls),
            _ => Err("must be none, starttls or tls"),
        }
    }
}

impl MailSettings {
    pub fn read(env: &Env) -> Option<Self> {
        let shop = env.optional(env::SHOP).unwrap_or_else(|| "shop".to_owned());
        let server = match env.optional(env::SMTP_HOST) {
            None => None,
            Some(host) => Some(MailServer::read(env, host)?),
        };
        Some(Self { shop, server })
    }
}

impl MailServer {
    fn read(env: &Env, host: String) -> Option<Self> {
        let tls = env.parsed_or(env::SMTP_TLS, Tls::StartTls);
        let port = env.parsed_or(env::SMTP_PORT, tls.unwrap_or(Tls::StartTls).port());
        let login = match env.optional(env::SMTP_USER) {
            None => Some(None),
            Some(user) => env.secret(env::SMTP_PASSWORD).map(|password| Some((user, password))),
        };
        let (authority, from) = (authority(env), env.parsed(env::SMTP_FROM));
        Some(Self {
            host,
            port: port?,
            tls: tls?,
            login: login?,
            authority: authority?,
            from: from?,
        })
    }
}

/// `None` is a problem, `Some(None)` only public authorities.
fn authority(env: &Env) -> Option<Option<Certificate>> {
    let Some(text) = env.optional(env::SMTP_AUTHORITY) else {
        return Some(None);
    };
    match Certificate::from_pem(text.as_bytes()) {
        // What holds no certificate at all reads as an empty list.
        Ok(certificate) if text.contains("-----BEGIN CERTIFICATE-----") => Some(Some(certificate)),
        Ok(_) | Err(_) => {
            env.problem(env::SMTP_AUTHORITY, "holds no certificate: must be PEM");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<MailSettings, String> {
        let env = Env::of(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let settings = MailSettings::read(&env);
        env.finish(settings).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_host_there_is_no_server() {
        assert!(read(&[]).unwrap().server.is_none());
    }

    #[test]
    fn a_server_needs_a_sender_and_a_password_for_its_user() {
        let error = read(&[
            ("SHOP_SMTP_HOST", "mail"),
            ("SHOP_SMTP_USER", "shop"),
            ("SHOP_SMTP_TLS", "ssl"),
            ("SHOP_SMTP_AUTHORITY", "mail.example.com"),
        ]);
        let error = error.err().unwrap();
        for name in [
            "SHOP_SMTP_FROM is not set",
            "SHOP_SMTP_PASSWORD is not set",
            "SHOP_SMTP_TLS is `ssl`",
            "SHOP_SMTP_AUTHORITY holds no certificate",
        ] {
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn the_port_follows_from_the_protection() {
        let from = ("SHOP_SMTP_FROM", "Shop <shop@example.com>");
        let server = |tls| read(&[("SHOP_SMTP_HOST", "mail"), ("SHOP_SMTP_TLS", tls), from]);
        let port = |tls| server(tls).unwrap().server.unwrap().port;
        assert_eq!((port("none"), port("starttls"), port("tls")), (25, 587, 465));
    }
}
