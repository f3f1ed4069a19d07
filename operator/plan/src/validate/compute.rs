//! Resources and volumes: what the user wrote over what the audience asks for.

use super::problem::{Problems, fixed};
use super::standing::Volume;
use crate::shop::{Bytes, Storage};
use crate::topology::sizing::Compute;
use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use shop_api::spec;
use std::collections::BTreeMap;

/// The container's resources, and the memory it may count on.
pub fn resources(
    field: &str,
    written: &spec::Resources,
    sized: Compute,
    problems: &mut Problems,
) -> (ResourceRequirements, Bytes) {
    let at = |part: &str| format!("{field}.{part}");
    let cpu = problems.millicores(&at("requests.cpu"), written.requests.cpu.as_ref());
    let cpu_limit = problems.millicores(&at("limits.cpu"), written.limits.cpu.as_ref());
    let memory = problems.bytes(&at("requests.memory"), written.requests.memory.as_ref());
    let memory_limit = problems.bytes(&at("limits.memory"), written.limits.memory.as_ref());
    if let (Some(request), Some(limit)) = (memory, memory_limit)
        && request > limit
    {
        problems.add(
            at("requests.memory"),
            request,
            format!("must not exceed limits.memory {limit}"),
        );
    }
    if let (Some(request), Some(limit)) = (cpu, cpu_limit)
        && request > limit
    {
        problems.add(
            at("requests.cpu"),
            format!("{request}m"),
            format!("must not exceed limits.cpu {limit}m"),
        );
    }
    let limit = memory_limit.unwrap_or_else(|| sized.memory_limit.max(memory.unwrap_or_default()));
    let memory = memory.unwrap_or(sized.memory.min(limit));
    let cpu = cpu.unwrap_or_else(|| sized.cpu.min(cpu_limit.unwrap_or(u64::MAX)));
    let list = |cpu: Option<u64>, memory: Bytes| {
        let cpu = cpu.map(|cpu| ("cpu".to_owned(), Quantity(cores(cpu))));
        let memory = ("memory".to_owned(), Quantity(memory.to_string()));
        cpu.into_iter().chain([memory]).collect::<BTreeMap<_, _>>()
    };
    let resources = ResourceRequirements {
        requests: Some(list(Some(cpu), memory)),
        limits: Some(list(cpu_limit, limit)),
        claims: None,
    };
    (resources, limit)
}

/// As Kubernetes prints it: `2`, `1500m`.
fn cores(millicores: u64) -> String {
    if millicores.is_multiple_of(1000) {
        (millicores / 1000).to_string()
    } else {
        format!("{millicores}m")
    }
}

pub fn storage(
    field: &str,
    written: &spec::Storage,
    sized: Bytes,
    standing: Option<&Volume>,
    problems: &mut Problems,
) -> Storage {
    let size_field = format!("{field}.size");
    let size = problems.bytes(&size_field, written.size.as_ref());
    let Some(standing) = standing else {
        return Storage {
            size: size.unwrap_or(sized),
            class_name: written.class_name.clone(),
        };
    };
    // A claim its owner has grown holds what is written, and more.
    let fits = |size: Bytes| size == standing.size || (standing.claimed && size < standing.size);
    if let Some(size) = size.filter(|size| !fits(*size)) {
        problems.add(size_field, size, fixed(standing.size));
    }
    if let Some(class) = &written.class_name
        && standing.class_name.as_ref() != Some(class)
    {
        let rule = match &standing.class_name {
            Some(standing) => fixed(standing),
            None => fixed("the cluster's default class"),
        };
        problems.add(format!("{field}.className"), class, rule);
    }
    if standing.claimed {
        // As when it was created: the StatefulSet may be there all the same and have lost only its labels.
        return Storage {
            size: size.unwrap_or(standing.size),
            class_name: written.class_name.clone(),
        };
    }
    Storage {
        size: standing.size,
        class_name: standing.class_name.clone(),
    }
}
