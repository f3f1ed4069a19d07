//! Failures of work on Redis: each names the server and the action.

use crate::Class;

#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    #[error("{pod} ({address}) did not answer within {seconds} s while {action}")]
    Deadline {
        pod: String,
        address: String,
        action: String,
        seconds: u64,
    },
    #[error("{pod} ({address}) cannot be reached while {action}: {cause}")]
    Unreachable {
        pod: String,
        address: String,
        action: String,
        cause: String,
    },
    #[error("{pod} ({address}) refused the login: {cause}")]
    LoginRefused {
        pod: String,
        address: String,
        cause: String,
    },
    #[error("{pod} ({address}) refused {action}: {cause}")]
    Refused {
        pod: String,
        address: String,
        action: String,
        cause: String,
    },
    #[error("{pod} ({address}) answered {action} with something unreadable: {cause}")]
    Unreadable {
        pod: String,
        address: String,
        action: String,
        cause: String,
    },
    #[error("none of {members} servers answered: {cause}")]
    NoneAnswered { members: usize, cause: String },
    #[error("the cluster did not settle within {seconds} s; last seen: {seen}")]
    NotSettled { seconds: u64, seen: String },
    #[error("{value} {what} is not possible: {rule}")]
    Invalid {
        what: &'static str,
        value: String,
        rule: String,
    },
}

impl RedisError {
    pub fn class(&self) -> Class {
        match self {
            Self::Deadline { .. } | Self::Unreachable { .. } | Self::NoneAnswered { .. } | Self::NotSettled { .. } => {
                Class::Transient
            }
            // A server that still loads its data refuses for a while; so does one that was just restarted.
            Self::Refused { cause, .. } if cause.contains("LOADING") || cause.contains("CLUSTERDOWN") => {
                Class::Transient
            }
            Self::LoginRefused { .. } | Self::Refused { .. } | Self::Unreadable { .. } => Class::Fatal,
            Self::Invalid { .. } => Class::Invalid,
        }
    }
}
