//! The names of a service's two tables of events. Names cannot be bound parameters; these are constants of the program,
//! so that nothing a client sent ever reaches the text of a statement.

/// For example `payment_outbox` and `payment_inbox`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    pub outbox: &'static str,
    pub inbox: &'static str,
}
