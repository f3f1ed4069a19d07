//! A container's ports, by name.

use k8s_openapi::api::core::v1::ContainerPort;

pub fn ports(named: &[(&str, u16)]) -> Option<Vec<ContainerPort>> {
    let port = |(name, number): &(&str, u16)| ContainerPort {
        name: Some((*name).into()),
        container_port: i32::from(*number),
        protocol: Some("TCP".into()),
        ..ContainerPort::default()
    };
    Some(named.iter().map(port).collect())
}
