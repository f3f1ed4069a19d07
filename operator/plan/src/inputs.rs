//! Everything a plan is made of, besides the spec: read once, at the edge, by the controller or the offline CLI.

use serde::{Deserialize, Serialize};

/// The images the operator was installed with (chart values); a spec may replace each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    pub postgres: String,
    pub redis: String,
    pub rabbitmq: String,
    pub gateway: String,
    pub user: String,
    pub product: String,
    pub order: String,
    pub inventory: String,
    pub payment: String,
    pub recommendation: String,
    pub books: String,
    /// All of them in one process.
    pub single: String,
}

impl Images {
    /// That of a built-in service.
    pub fn of_service(&self, name: &str) -> Option<&String> {
        Some(match name {
            "user" => &self.user,
            "product" => &self.product,
            "order" => &self.order,
            "inventory" => &self.inventory,
            "payment" => &self.payment,
            "recommendation" => &self.recommendation,
            "books" => &self.books,
            _ => return None,
        })
    }
}

/// The surroundings of one decision.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub images: Images,
    /// Names of the Secrets pods pull images with (a chart value).
    pub image_pull_secrets: Vec<String>,
    /// The operator's own version.
    pub version: String,
    /// Namespace of the operator's own pod, so that network rules and RBAC can name it.
    pub operator_namespace: String,
    /// The clock, read once.
    pub now: jiff::Timestamp,
}
