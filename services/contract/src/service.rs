//! The built-in services: their names, their programs and what the gateway sends to them.

/// One built-in service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    pub name: &'static str,
    /// Path prefixes the gateway routes here.
    pub routes: &'static [&'static str],
    pub uses: &'static [Uses],
    /// Background workers that run beside the API, as arguments of the same program: `order work`.
    pub workers: &'static [&'static str],
}

/// What a service talks to; decides the environment it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uses {
    Catalog,
    Orders,
    Redis,
    RabbitMq,
    TokenSeed,
    TokenPublicKey,
    Product,
}

pub const USER: BuiltIn = BuiltIn {
    name: "user",
    routes: &["/api/v1/users", "/api/v1/sessions"],
    uses: &[Uses::Orders, Uses::TokenSeed, Uses::TokenPublicKey],
    workers: &[],
};
pub const PRODUCT: BuiltIn = BuiltIn {
    name: "product",
    routes: &["/api/v1/products"],
    uses: &[Uses::Catalog, Uses::Redis],
    workers: &[],
};
pub const ORDER: BuiltIn = BuiltIn {
    name: "order",
    routes: &["/api/v1/orders"],
    uses: &[Uses::Orders, Uses::RabbitMq, Uses::TokenPublicKey, Uses::Product],
    workers: &["work"],
};
pub const ALL: &[BuiltIn] = &[USER, PRODUCT, ORDER];
