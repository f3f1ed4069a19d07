//! The ids of seeded products: the same in the catalogue and in the stock, so that either can be seeded alone.

use uuid::Uuid;

/// The product with this number, from 0. A version 8 UUID; numbers in order give ids in order.
pub fn product_id(number: u32) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_8000_8000_0000_0000_0000 | (u128::from(number) + 0x1000))
}
