//! What runs: one folder per component. Each turns the validated shop and what was seen into objects, tasks and a
//! health, through the [`Component`] trait; none knows another one's inside, and none does anything.

mod applied;
mod fragment;
mod gateway;
mod ground;
mod postgres;
mod rabbitmq;
mod redis;
mod service;
mod standing;
#[cfg(test)]
mod tests;
mod workload;

use crate::contract::Component;
use crate::shop::ValidatedShop;
pub use ground::ID as GROUND;
pub use redis::replicas_now as redis_replicas;
pub use workload::CLAIM;

/// Every component of a shop.
pub fn all(shop: &ValidatedShop) -> Vec<Box<dyn Component>> {
    let mut components: Vec<Box<dyn Component>> = vec![Box::new(ground::Ground)];
    for database in &shop.databases {
        components.push(Box::new(postgres::Postgres {
            database: database.name.clone(),
        }));
    }
    components.push(Box::new(redis::Redis));
    components.push(Box::new(rabbitmq::RabbitMq));
    for service in &shop.services {
        components.push(Box::new(service::Service {
            name: service.name.clone(),
            built_in: service.built_in,
        }));
    }
    components.push(Box::new(gateway::Gateway));
    components
}
