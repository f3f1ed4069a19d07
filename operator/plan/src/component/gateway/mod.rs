//! The gateway: Envoy with a static configuration, the one door customers come in by.
//! Comes in: the services and their routes. Goes out: objects and health; it has no tasks.

mod cluster;
mod config;
mod host;
mod pod;
mod reply;
mod route;
#[cfg(test)]
mod tests;

use super::applied::{Backends, Owner};
use super::standing::{id, stateless, suspended};
use super::workload::deployment;
use crate::contract::{Component, ComponentPlan, PlanError};
use crate::health::Health;
use crate::names;
use crate::object::{ComponentId, Object};
use crate::observed::Observed;
use crate::shop::ValidatedShop;
use k8s_openapi::api::core::v1::{ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use shop_api::spec::GatewayServiceType;
use shop_contract::port::GATEWAY;

const NAME: &str = "gateway";
/// The port of its Service.
const PUBLIC_PORT: i32 = 80;

pub struct Gateway;

impl Component for Gateway {
    fn id(&self) -> ComponentId {
        id(NAME)
    }

    /// It answers for services that are not there yet, with 503 and their names.
    fn needs(&self) -> Vec<ComponentId> {
        Vec::new()
    }

    fn plan(&self, shop: &ValidatedShop, _seen: &Observed) -> Result<ComponentPlan, PlanError> {
        let owner = Owner {
            shop,
            id: self.id(),
            component: NAME,
            name: NAME.into(),
        };
        Ok(ComponentPlan {
            objects: objects(&owner),
            ..ComponentPlan::default()
        })
    }

    fn health(&self, shop: &ValidatedShop, seen: &Observed) -> Health {
        let wanted = u32::from(shop.gateway.replicas);
        suspended(shop).unwrap_or_else(|| stateless(seen, NAME, NAME, &names::gateway(&shop.name), wanted))
    }
}

fn objects(owner: &Owner<'_>) -> Vec<Object> {
    let (shop, name) = (owner.shop, names::gateway(&owner.shop.name));
    let file = config::file(shop);
    let pod = pod::pod(owner, &file);
    let mut objects = vec![
        owner.account(&name),
        owner.config_map(&name, &[(config::FILE, file)]),
        owner.service_of(&name, service(owner)),
    ];
    if shop.gateway.replicas > 1 {
        objects.push(owner.budget(&name));
    }
    objects.push(deployment(owner, &name, Some(shop.gateway.replicas), pod));
    objects
}

fn service(owner: &Owner<'_>) -> ServiceSpec {
    let gateway = &owner.shop.gateway;
    let kind = match gateway.service_type {
        GatewayServiceType::ClusterIP => "ClusterIP",
        GatewayServiceType::NodePort => "NodePort",
        GatewayServiceType::LoadBalancer => "LoadBalancer",
    };
    let port = ServicePort {
        name: Some("http".into()),
        port: PUBLIC_PORT,
        protocol: Some("TCP".into()),
        target_port: Some(IntOrString::Int(i32::from(GATEWAY))),
        node_port: gateway.node_port.map(i32::from),
        ..ServicePort::default()
    };
    ServiceSpec {
        type_: Some(kind.into()),
        ..owner.service_spec(Backends::Pods([].into()), vec![port])
    }
}
