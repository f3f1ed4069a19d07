//! The objects several components have the same of: config map, Service, budget, service account. Comes in: whose they
//! are and what is special. Goes out: a plan's object. Must not know what runs in a pod.

use crate::names;
use crate::object::{Body, ComponentId, Object, Wave};
use crate::shop::ValidatedShop;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceAccount, ServicePort, ServiceSpec};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;
use std::collections::BTreeMap;

/// Whose an object is: its component, and the labels that select its pods.
pub struct Owner<'a> {
    pub shop: &'a ValidatedShop,
    pub id: ComponentId,
    /// `postgres`, `redis`, `rabbitmq`, `gateway`, `service`.
    pub component: &'static str,
    /// `orders-0`, `order`, …
    pub name: String,
}

/// How a Service finds its pods.
pub enum Backends {
    /// Pods with the owner's labels and these.
    Pods(BTreeMap<String, String>),
    /// Somebody else writes the Endpoints (Patroni).
    None,
}

impl Owner<'_> {
    pub fn selector(&self) -> BTreeMap<String, String> {
        names::selector(&self.shop.name, self.component, &self.name)
    }

    pub fn labels(&self) -> BTreeMap<String, String> {
        names::labels(&self.shop.name, self.component, &self.name)
    }

    pub fn meta(&self, name: &str) -> ObjectMeta {
        ObjectMeta {
            name: Some(name.into()),
            labels: Some(self.labels()),
            ..ObjectMeta::default()
        }
    }

    pub fn object(&self, wave: Wave, object: &impl Serialize) -> Object {
        let body = serde_json::to_value(object).expect("Kubernetes objects are JSON");
        Object {
            component: self.id.clone(),
            wave,
            body: Body::Applied(body),
        }
    }

    pub fn config_map(&self, name: &str, files: &[(&str, String)]) -> Object {
        let data = files
            .iter()
            .map(|(file, text)| ((*file).to_owned(), text.clone()))
            .collect();
        let map = ConfigMap {
            metadata: self.meta(name),
            data: Some(data),
            ..ConfigMap::default()
        };
        self.object(Wave::Ground, &map)
    }

    /// An account for pods that ask the API server nothing.
    pub fn account(&self, name: &str) -> Object {
        let account = ServiceAccount {
            metadata: self.meta(name),
            automount_service_account_token: Some(false),
            ..ServiceAccount::default()
        };
        self.object(Wave::Ground, &account)
    }

    /// A Service with an address of its own.
    pub fn service(&self, name: &str, backends: Backends, ports: Vec<ServicePort>) -> Object {
        self.service_of(name, self.service_spec(backends, ports))
    }

    /// A Service that resolves to the pods themselves, ready or not: members must find each other before they are.
    pub fn headless(&self, name: &str, backends: Backends, ports: Vec<ServicePort>) -> Object {
        let spec = ServiceSpec {
            cluster_ip: Some("None".into()),
            publish_not_ready_addresses: Some(true),
            ..self.service_spec(backends, ports)
        };
        self.service_of(name, spec)
    }

    pub fn service_spec(&self, backends: Backends, ports: Vec<ServicePort>) -> ServiceSpec {
        let selector = match backends {
            Backends::Pods(more) => Some(self.selector().into_iter().chain(more).collect()),
            Backends::None => None,
        };
        ServiceSpec {
            selector,
            ports: (!ports.is_empty()).then_some(ports),
            ..ServiceSpec::default()
        }
    }

    pub fn service_of(&self, name: &str, spec: ServiceSpec) -> Object {
        let service = Service {
            metadata: self.meta(name),
            spec: Some(spec),
            ..Service::default()
        };
        self.object(Wave::Network, &service)
    }

    /// One pod at a time may be taken away. Pods that are not ready may always go: a drain must not wait for a broken one.
    pub fn budget(&self, name: &str) -> Object {
        let spec = PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(self.label_selector()),
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".into()),
            ..PodDisruptionBudgetSpec::default()
        };
        let budget = PodDisruptionBudget {
            metadata: self.meta(name),
            spec: Some(spec),
            ..PodDisruptionBudget::default()
        };
        self.object(Wave::Network, &budget)
    }

    pub fn label_selector(&self) -> LabelSelector {
        LabelSelector {
            match_labels: Some(self.selector()),
            match_expressions: None,
        }
    }
}

/// A named TCP port that reaches the container's port of the same number.
pub fn port(name: &str, port: u16) -> ServicePort {
    ServicePort {
        name: Some(name.into()),
        port: i32::from(port),
        protocol: Some("TCP".into()),
        target_port: Some(IntOrString::Int(i32::from(port))),
        ..ServicePort::default()
    }
}

/// One that reaches whichever port each pod has under that name.
pub fn port_named(name: &str, number: u16) -> ServicePort {
    ServicePort {
        target_port: Some(IntOrString::String(name.into())),
        ..port(name, number)
    }
}
