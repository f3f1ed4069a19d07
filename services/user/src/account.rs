//! The rules of an account's fields. In: what was sent. Out: all problems at once, or what is written. Pure.

use crate::email::Email;
use shop_contract::api::RegisterUser;
use shop_contract::problem::{FieldError, text};
use uuid::Uuid;

/// Characters (NIST SP 800-63B: at least 8, long ones welcome); Argon2 reads all of them.
const PASSWORD: (usize, usize) = (8, 128);
const NAME: usize = 100;

/// A registration that may be written.
pub struct Wanted {
    pub email: Email,
    pub name: String,
    pub password: String,
    pub id: Option<Uuid>,
}

/// Every field at once.
pub fn check(body: RegisterUser, synthetic: bool) -> Result<Wanted, Vec<FieldError>> {
    let mut errors = Vec::new();
    let email = Email::parse(&body.email)
        .map_err(|error| errors.push(FieldError::new("/email", error)))
        .ok();
    let name = text("/name", &body.name, NAME, &mut errors);
    errors.extend(password("/password", &body.password));
    if body.id.is_some() && !synthetic {
        errors.push(FieldError::new("/id", "is chosen by the shop"));
    }
    match email {
        Some(email) if errors.is_empty() => Ok(Wanted {
            email,
            name,
            password: body.password,
            id: body.id,
        }),
        _ => Err(errors),
    }
}

/// A name as it is written, trimmed.
pub fn name(given: &str) -> Result<String, Vec<FieldError>> {
    let mut errors = Vec::new();
    let name = text("/name", given, NAME, &mut errors);
    if errors.is_empty() { Ok(name) } else { Err(errors) }
}

pub fn password(pointer: &str, given: &str) -> Option<FieldError> {
    let (least, most) = PASSWORD;
    let right = (least..=most).contains(&given.chars().count());
    (!right).then(|| FieldError::new(pointer, format!("must have {least} to {most} characters")))
}
