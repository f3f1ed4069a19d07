//! What the outside sees of the user service, over two real shards.
#![allow(clippy::unwrap_used)] // Test code may stop at the first surprise.

mod accounts;
mod addresses;
mod input;
mod notifications;
mod registration;
mod roles;
mod sessions;
mod shop;
mod tokens;

use std::path::Path;

#[test]
fn the_committed_description_is_the_code_s() {
    let committed = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json"));
    shop_user::router::document().compare(committed).unwrap();
}
