//! A service of the shop, built in or the user's own: its API behind the gateway and, for some, workers beside it.
//! Comes in: the validated service. Goes out: objects and health; it has no tasks.

mod databases;
mod environment;
mod objects;
mod pod;
#[cfg(test)]
mod tests;

use super::standing::{self, id, stateless, suspended};
use crate::contract::{Component, ComponentPlan, PlanError};
use crate::health::{Health, State};
use crate::names;
use crate::object::ComponentId;
use crate::observed::Observed;
use crate::shop::{self, Replicas, ValidatedShop};
use shop_contract::database;
use shop_contract::service::{BuiltIn, Uses};

/// Label value of everything here.
const COMPONENT: &str = "service";

pub struct Service {
    pub name: String,
    /// `None`: the user's own.
    pub built_in: Option<&'static BuiltIn>,
}

/// One Deployment of a service: the API (`worker: None`) or a worker.
#[derive(Clone, Copy)]
struct Program<'a> {
    shop: &'a ValidatedShop,
    service: &'a shop::Service,
    worker: Option<&'static str>,
}

impl Component for Service {
    fn id(&self) -> ComponentId {
        id(format!("{COMPONENT}/{}", self.name))
    }

    /// The datastores it uses: without them its first start would only fail and back off.
    fn needs(&self) -> Vec<ComponentId> {
        self.built_in
            .into_iter()
            .flat_map(|built_in| built_in.uses)
            .filter_map(|uses| datastore(*uses))
            .map(id)
            .collect()
    }

    fn plan(&self, shop: &ValidatedShop, _seen: &Observed) -> Result<ComponentPlan, PlanError> {
        let service = self.of(shop)?;
        let objects = programs(shop, service)
            .into_iter()
            .flat_map(|program| objects::objects(&program, self.id()));
        Ok(ComponentPlan {
            objects: objects.collect(),
            ..ComponentPlan::default()
        })
    }

    fn health(&self, shop: &ValidatedShop, seen: &Observed) -> Health {
        let service = match self.of(shop) {
            Ok(service) => service,
            Err(error) => return Health::unknown(error.reason),
        };
        suspended(shop).unwrap_or_else(|| health(&programs(shop, service), seen))
    }
}

impl Service {
    fn of<'a>(&self, shop: &'a ValidatedShop) -> Result<&'a shop::Service, PlanError> {
        let found = shop.services.iter().find(|service| service.name == self.name);
        found.ok_or_else(|| PlanError {
            component: self.id(),
            reason: format!("the shop has no service {}", self.name),
        })
    }
}

fn datastore(uses: Uses) -> Option<String> {
    match uses {
        Uses::Catalog => Some(format!("postgres/{}", database::CATALOG)),
        Uses::Orders => Some(format!("postgres/{}", database::ORDERS)),
        Uses::Payments => Some(format!("postgres/{}", database::PAYMENTS)),
        Uses::Redis => Some("redis".into()),
        Uses::RabbitMq => Some("rabbitmq".into()),
        Uses::TokenSeed | Uses::TokenPublicKey | Uses::Product | Uses::Inventory | Uses::WebhookSecret | Uses::Smtp => {
            None
        }
    }
}

fn programs<'a>(shop: &'a ValidatedShop, service: &'a shop::Service) -> Vec<Program<'a>> {
    let workers = service.built_in.map_or(&[][..], |built_in| built_in.workers);
    let worker = |worker: &&'static str| Program {
        shop,
        service,
        worker: Some(*worker),
    };
    std::iter::once(Program {
        shop,
        service,
        worker: None,
    })
    .chain(workers.iter().map(worker))
    .collect()
}

/// The API first: a service whose worker stands still is Degraded, its customers are still served.
fn health(programs: &[Program<'_>], seen: &Observed) -> Health {
    let mut sum = Health::new(State::Ready, "", 0, 0);
    for program in programs {
        let one = stateless(
            seen,
            COMPONENT,
            &program.label(),
            &program.object(),
            program.wanted(seen),
        );
        sum.ready += one.ready;
        sum.wanted += one.wanted;
        let state = match (program.worker, one.state) {
            (Some(_), State::Unavailable) if sum.serves() => State::Degraded,
            (_, state) => state,
        };
        if sum.state == State::Ready && state != State::Ready {
            (sum.state, sum.message) = (state, one.message);
        }
    }
    sum
}

impl Program<'_> {
    /// `order`, `order-work`.
    fn label(&self) -> String {
        self.worker.map_or(self.service.name.clone(), |worker| {
            format!("{}-{worker}", self.service.name)
        })
    }

    /// The name of its Deployment.
    fn object(&self) -> String {
        match self.worker {
            None => names::service(&self.shop.name, &self.service.name),
            Some(worker) => names::worker(&self.shop.name, &self.service.name, worker),
        }
    }

    fn replicas(&self) -> Replicas {
        self.worker
            .map_or(self.service.replicas, |_| Replicas::Fixed(self.service.worker_replicas))
    }

    /// Pods that should run now: an autoscaler's own wish is the Deployment's.
    fn wanted(&self, seen: &Observed) -> u32 {
        let minimum = u32::from(self.replicas().min());
        match self.replicas() {
            Replicas::Fixed(_) => minimum,
            Replicas::Auto {
                min: _,
                max: _,
                target_cpu_percent: _,
            } => {
                let scaled = standing::deployment(seen, &self.object()).and_then(|found| found.spec.as_ref()?.replicas);
                scaled
                    .and_then(|count| u32::try_from(count).ok())
                    .unwrap_or(minimum)
                    .max(1)
            }
        }
    }
}
