//! The mail server.

use super::Ask;
use super::problem::Problems;
use crate::shop::Email;
use shop_api::spec::EmailTls;

const FIELD: &str = "spec.email";

pub fn email(ask: &Ask, problems: &mut Problems) -> Option<Email> {
    let spec = ask.spec.email.as_ref()?;
    let (tls, usual_port) = match spec.tls {
        EmailTls::None => ("none", 25),
        EmailTls::Starttls => ("starttls", 587),
        EmailTls::Tls => ("tls", 465),
    };
    let plain = |text: &str| !text.is_empty() && !text.contains(['\r', '\n']);
    if !plain(&spec.host) || spec.host.contains(char::is_whitespace) {
        problems.add(format!("{FIELD}.host"), &spec.host, "must be a host name or address");
    }
    if !plain(&spec.from) || !spec.from.contains('@') {
        problems.add(
            format!("{FIELD}.from"),
            &spec.from,
            "must be a sender, such as orders@example.com",
        );
    }
    if spec.secret_ref.is_some() && spec.tls == EmailTls::None {
        let rule = "needs tls starttls or tls: a password is not sent in clear text";
        problems.add(format!("{FIELD}.secretRef"), tls, rule);
    }
    Some(Email {
        host: spec.host.clone(),
        port: problems.between(&format!("{FIELD}.port"), spec.port, usual_port, (1, 65535)),
        tls,
        from: spec.from.clone(),
        secret: spec.secret_ref.as_ref().map(|secret| secret.name.clone()),
    })
}
