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
    Payments,
    Redis,
    RabbitMq,
    TokenSeed,
    TokenPublicKey,
    Product,
    Inventory,
    WebhookSecret,
    Smtp,
}

pub const USER: BuiltIn = BuiltIn {
    name: "user",
    routes: &[
        "/api/v1/users",
        "/api/v1/sessions",
        "/api/v1/notifications",
        "/.well-known",
    ],
    uses: &[
        Uses::Orders,
        Uses::RabbitMq,
        Uses::TokenSeed,
        Uses::TokenPublicKey,
        Uses::Smtp,
    ],
    workers: &["work"],
};
pub const PRODUCT: BuiltIn = BuiltIn {
    name: "product",
    routes: &["/api/v1/products", "/api/v1/categories"],
    uses: &[Uses::Catalog, Uses::Redis, Uses::RabbitMq, Uses::TokenPublicKey],
    workers: &["work"],
};
pub const ORDER: BuiltIn = BuiltIn {
    name: "order",
    routes: &["/api/v1/orders", "/api/v1/cart"],
    uses: &[
        Uses::Orders,
        Uses::RabbitMq,
        Uses::TokenPublicKey,
        Uses::Product,
        Uses::Inventory,
    ],
    workers: &["work"],
};
pub const INVENTORY: BuiltIn = BuiltIn {
    name: "inventory",
    routes: &["/api/v1/stock"],
    uses: &[Uses::Catalog, Uses::RabbitMq, Uses::TokenPublicKey],
    workers: &["work"],
};
pub const PAYMENT: BuiltIn = BuiltIn {
    name: "payment",
    routes: &["/api/v1/payments"],
    uses: &[
        Uses::Payments,
        Uses::RabbitMq,
        Uses::TokenPublicKey,
        Uses::WebhookSecret,
    ],
    workers: &["work"],
};
pub const RECOMMENDATION: BuiltIn = BuiltIn {
    name: "recommendation",
    routes: &["/api/v1/recommendations", "/api/v1/analytics"],
    uses: &[Uses::Catalog, Uses::RabbitMq, Uses::TokenPublicKey],
    workers: &["work"],
};
/// Compares what the others have written.
pub const BOOKS: BuiltIn = BuiltIn {
    name: "books",
    routes: &["/api/v1/books"],
    uses: &[Uses::Orders, Uses::Catalog, Uses::Payments, Uses::TokenPublicKey],
    workers: &["work"],
};
pub const ALL: &[BuiltIn] = &[USER, PRODUCT, ORDER, INVENTORY, PAYMENT, RECOMMENDATION, BOOKS];
