//! The Kubernetes objects of one program of a service.

use super::{COMPONENT, Program, pod};
use crate::component::applied::{Backends, Owner, port};
use crate::component::workload::deployment;
use crate::object::{ComponentId, Object, Wave};
use crate::shop::Replicas;
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget,
    ResourceMetricSource,
};

pub fn objects(program: &Program<'_>, component: ComponentId) -> Vec<Object> {
    let owner = Owner {
        shop: program.shop,
        id: component,
        component: COMPONENT,
        name: program.label(),
    };
    let name = program.object();
    let mut objects = vec![owner.account(&name)];
    if program.worker.is_none() {
        objects.push(owner.service(
            &name,
            Backends::Pods([].into()),
            vec![port("http", program.service.port)],
        ));
    }
    if program.replicas().max() > 1 {
        objects.push(owner.budget(&name));
    }
    let pod = pod::pod(program, &owner);
    match program.replicas() {
        Replicas::Fixed(count) => objects.push(deployment(&owner, &name, Some(count), pod)),
        Replicas::Auto {
            min,
            max,
            target_cpu_percent,
        } => {
            objects.push(deployment(&owner, &name, None, pod));
            objects.push(autoscaler(&owner, &name, min, max, target_cpu_percent));
        }
    }
    objects
}

fn autoscaler(owner: &Owner<'_>, name: &str, min: u16, max: u16, cpu_percent: u16) -> Object {
    let target = MetricTarget {
        type_: "Utilization".into(),
        average_utilization: Some(i32::from(cpu_percent)),
        ..MetricTarget::default()
    };
    let spec = HorizontalPodAutoscalerSpec {
        min_replicas: Some(i32::from(min)),
        max_replicas: i32::from(max),
        metrics: Some(vec![MetricSpec {
            type_: "Resource".into(),
            resource: Some(ResourceMetricSource {
                name: "cpu".into(),
                target,
            }),
            ..MetricSpec::default()
        }]),
        scale_target_ref: CrossVersionObjectReference {
            api_version: Some("apps/v1".into()),
            kind: "Deployment".into(),
            name: name.into(),
        },
        behavior: None,
    };
    let autoscaler = HorizontalPodAutoscaler {
        metadata: owner.meta(name),
        spec: Some(spec),
        ..HorizontalPodAutoscaler::default()
    };
    owner.object(Wave::Work, &autoscaler)
}
