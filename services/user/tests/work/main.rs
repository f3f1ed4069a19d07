//! `user work` over real Postgres, RabbitMQ and SMTP servers.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod doors;
mod mails;
mod mailserver;
mod notifications;
mod place;
mod receiver;
mod webhooks;
