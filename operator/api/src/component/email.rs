//! The section `spec.email`.

use crate::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The mail server that takes the shop's mails. A change replaces the pods of the service `user` gradually.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [rule::a_password_is_not_sent_in_clear()]))]
pub struct Email {
    /// Its name or address, such as `smtp.example.com`.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$")
    )]
    pub host: String,
    /// 1 to 65535; default: 587 with `starttls`, 465 with `tls`, 25 with `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [rule::between(1, 65535)]))]
    pub port: Option<u16>,
    /// `starttls` (default): begins in clear text and must become encrypted before anything is said; `tls`: encrypted from
    /// the first byte; `none`: in clear text, for a server inside the cluster.
    #[serde(default)]
    pub tls: EmailTls,
    /// The sender of every mail, such as `Shop <orders@example.com>`.
    #[schemars(length(min = 3, max = 320), regex(pattern = r"^[^@\r\n]*[^@\s<]@[^@\s]+$"))]
    pub from: String,
    /// A Secret of the shop's namespace with the keys `user` and `password`; default: the server asks for none. Its key
    /// `ca.crt`, if there, names the authorities (PEM) the server's certificate may be from, besides the public ones. New
    /// values in it are read when pods of `user` start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<EmailSecretRef>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EmailTls {
    None,
    #[default]
    Starttls,
    Tls,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmailSecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub name: String,
}
