//! Failures of work on Postgres and Patroni: each names the host and the action.

use crate::Class;

#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error("{host} did not answer within {seconds} s while {action}")]
    Deadline {
        host: String,
        action: &'static str,
        seconds: u64,
    },
    #[error("{host} cannot be reached while {action}: {cause}")]
    Unreachable {
        host: String,
        action: &'static str,
        cause: String,
    },
    #[error("{host} refused the password of {user}")]
    WrongPassword { host: String, user: String },
    #[error("{host} refused the login of {user}: {cause}")]
    LoginRefused { host: String, user: String, cause: String },
    #[error("{host} refused {action} (SQLSTATE {code}): {cause}")]
    Refused {
        host: String,
        action: &'static str,
        code: String,
        cause: String,
    },
    #[error("{host} is not a primary: it is in recovery and takes no writes")]
    NotPrimary { host: String },
    #[error("{what} {value:?} cannot be used: {rule}")]
    Invalid {
        what: &'static str,
        value: String,
        rule: &'static str,
    },
    #[error("no Patroni of {hosts} answered while {action}: {cause}")]
    NoPatroni {
        hosts: String,
        action: &'static str,
        cause: String,
    },
    #[error("Patroni on {host} answered {status} while {action}: {body}")]
    Patroni {
        host: String,
        action: &'static str,
        status: u16,
        body: String,
    },
    #[error("{host} answered with something unreadable while {action}: {cause}")]
    Unreadable {
        host: String,
        action: &'static str,
        cause: String,
    },
    #[error("switchover from {from} to {to} did not finish within {seconds} s; last seen: {seen}")]
    Switchover {
        from: String,
        to: String,
        seconds: u64,
        seen: String,
    },
}

impl PostgresError {
    pub fn class(&self) -> Class {
        match self {
            Self::Deadline { .. }
            | Self::Unreachable { .. }
            | Self::NotPrimary { .. }
            | Self::NoPatroni { .. }
            | Self::Switchover { .. } => Class::Transient,
            // 08 connection, 40 serialisation, 53 resources, 55 object in use, 57 intervention (start-up, shutdown).
            Self::Refused { code, .. } if ["08", "40", "53", "55", "57", "25"].iter().any(|c| code.starts_with(c)) => {
                Class::Transient
            }
            Self::Patroni { status, .. } if *status >= 500 || *status == 412 || *status == 409 => Class::Transient,
            Self::WrongPassword { .. }
            | Self::LoginRefused { .. }
            | Self::Refused { .. }
            | Self::Patroni { .. }
            | Self::Unreadable { .. } => Class::Fatal,
            Self::Invalid { .. } => Class::Invalid,
        }
    }
}
