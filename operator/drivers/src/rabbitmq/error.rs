//! Failures of work on RabbitMQ: each names the host and the action.

use crate::Class;

#[derive(Debug, thiserror::Error)]
pub enum RabbitError {
    #[error("{host} did not answer within {seconds} s while {action}")]
    Deadline { host: String, action: String, seconds: u64 },
    #[error("{host} cannot be reached while {action}: {cause}")]
    Unreachable {
        host: String,
        action: String,
        cause: String,
    },
    #[error("{host} refused the login of {user}")]
    LoginRefused { host: String, user: String },
    #[error("{host} answered {status} while {action}: {body}")]
    Refused {
        host: String,
        action: String,
        status: u16,
        body: String,
    },
    #[error("{host} answered with something unreadable while {action}: {cause}")]
    Unreadable {
        host: String,
        action: String,
        cause: String,
    },
    #[error("{host}: {difference}, which cannot be changed in place; drain and delete it, and it is made anew")]
    QueueDiffers { host: String, difference: String },
}

impl RabbitError {
    pub fn class(&self) -> Class {
        match self {
            Self::Deadline { .. } | Self::Unreachable { .. } => Class::Transient,
            Self::Refused { status, .. } if *status >= 500 || *status == 429 || *status == 404 => Class::Transient,
            Self::LoginRefused { .. } | Self::Refused { .. } | Self::Unreadable { .. } | Self::QueueDiffers { .. } => {
                Class::Fatal
            }
        }
    }
}
