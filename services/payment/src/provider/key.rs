//! Idempotency keys. In: what is asked for. Out: the same text each time it is asked, and the way back, by which a
//! webhook finds its payment. The key of an authorisation is the payment's id.

use crate::machine::Operation;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Authorise(Uuid),
    Capture(Uuid),
    Void(Uuid),
    Refund { payment: Uuid, refund: Uuid },
}

impl Key {
    pub fn payment(self) -> Uuid {
        match self {
            Self::Authorise(payment) | Self::Capture(payment) | Self::Void(payment) => payment,
            Self::Refund { payment, refund: _ } => payment,
        }
    }

    pub fn operation(self) -> Operation {
        match self {
            Self::Authorise(_) => Operation::Authorise,
            Self::Capture(_) => Operation::Capture,
            Self::Void(_) => Operation::Void,
            Self::Refund { .. } => Operation::Refund,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorise(payment) => write!(formatter, "{payment}"),
            Self::Capture(payment) => write!(formatter, "{payment}/capture"),
            Self::Void(payment) => write!(formatter, "{payment}/void"),
            Self::Refund { payment, refund } => write!(formatter, "{payment}/refund/{refund}"),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no key of this service");
        let id = |part: &str| Uuid::parse_str(part).map_err(|_| wrong());
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [payment] => Ok(Self::Authorise(id(payment)?)),
            [payment, "capture"] => Ok(Self::Capture(id(payment)?)),
            [payment, "void"] => Ok(Self::Void(id(payment)?)),
            [payment, "refund", refund] => Ok(Self::Refund {
                payment: id(payment)?,
                refund: id(refund)?,
            }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_back() {
        let (payment, refund) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let keys = [
            Key::Authorise(payment),
            Key::Capture(payment),
            Key::Void(payment),
            Key::Refund { payment, refund },
        ];
        for key in keys {
            assert_eq!(key.to_string().parse(), Ok(key));
            assert_eq!(key.payment(), payment);
        }
        let prefix = payment.to_string();
        for wrong in [
            "",
            "/",
            "seven",
            "seven/capture",
            &format!("{prefix}/steal"),
            &format!("{prefix}/refund"),
        ] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
    }
}
