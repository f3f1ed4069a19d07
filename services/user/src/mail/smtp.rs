//! Hands one mail to the mail server and says what that means: taken, refused for good, or to be tried again. A server
//! that cannot be reached or does not let us in is nobody's mail's fault.

use super::message::message;
use super::settings::{MailServer, Tls};
use crate::store::mail::Mail;
use lettre::message::Mailbox;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls as Protection, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use std::time::Duration;

/// One mail, connecting included.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
const CONNECTIONS: u32 = 4;
/// Replies about this mail: mailbox unavailable, not local, too big, bad name, rejected, unknown parameters.
const REFUSED: [&str; 6] = ["550", "551", "552", "553", "554", "555"];
/// Replies to a log-in (RFC 4954): wanted, too weak, wrong, not without encryption; 454 says "not now".
const NOT_LET_IN: [&str; 5] = ["530", "534", "535", "538", "454"];

/// Cloning shares the connections.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    shop: String,
    /// Who it logs in as; for what is said when it may not.
    user: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Taken,
    Refused(String),
    /// For now, this mail only.
    NotNow(String),
    /// Any mail would have met this.
    NoServer(String),
}

impl Smtp {
    pub fn new(shop: &str, server: &MailServer) -> Result<Self, String> {
        let parameters = || {
            let mut parameters = TlsParameters::builder(server.host.clone());
            if let Some(authority) = &server.authority {
                parameters = parameters.add_root_certificate(authority.clone());
            }
            parameters.build().map_err(|error| format!("TLS: {error}"))
        };
        let protection = match server.tls {
            Tls::None => Protection::None,
            Tls::StartTls => Protection::Required(parameters()?),
            Tls::Tls => Protection::Wrapper(parameters()?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .tls(protection)
            .timeout(Some(PATIENCE))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS));
        if let Some((user, password)) = &server.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        Ok(Self {
            transport: builder.build(),
            from: server.from.clone(),
            shop: shop.to_owned(),
            user: server.login.as_ref().map(|(user, _)| user.clone()),
        })
    }

    pub(super) async fn send(&self, mail: &Mail) -> Answer {
        let message = match message(&self.shop, &self.from, mail) {
            Ok(message) => message,
            Err(detail) => return Answer::Refused(detail),
        };
        match tokio::time::timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Answer::Taken,
            Ok(Err(error)) => self.answer(&error),
            Err(_) => Answer::NoServer(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }

    fn answer(&self, error: &lettre::transport::smtp::Error) -> Answer {
        let code = error.status().map(|code| code.to_string()).unwrap_or_default();
        let detail = match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        if NOT_LET_IN.contains(&code.as_str()) {
            let user = self
                .user
                .as_deref()
                .map_or("nobody".to_owned(), |user| format!("user `{user}`"));
            Answer::NoServer(format!("it does not let {user} in, look at the Secret: {detail}"))
        } else if error.is_permanent() && REFUSED.contains(&code.as_str()) {
            Answer::Refused(detail)
        } else if error.is_transient() && code != "421" {
            Answer::NotNow(detail)
        } else {
            Answer::NoServer(detail)
        }
    }
}
