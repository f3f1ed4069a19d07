//! Probes. Ready ones are asked often and forgive little, live ones seldom and forgive much: a slow answer takes a pod
//! out of a Service, but restarting it would only make a slow machine slower.

use k8s_openapi::api::core::v1::{ExecAction, HTTPGetAction, Probe, TCPSocketAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub enum Ask<'a> {
    Http(&'a str, u16),
    Tcp(u16),
    Exec(&'a [&'a str]),
}

pub fn ready(ask: &Ask<'_>) -> Probe {
    Probe {
        period_seconds: Some(3),
        timeout_seconds: Some(2),
        failure_threshold: Some(2),
        ..probe(ask)
    }
}

pub fn live(ask: &Ask<'_>) -> Probe {
    Probe {
        period_seconds: Some(15),
        timeout_seconds: Some(5),
        failure_threshold: Some(4),
        ..probe(ask)
    }
}

/// Holds the live probe back until the first success; `minutes` of patience.
pub fn startup(ask: &Ask<'_>, minutes: i32) -> Probe {
    Probe {
        period_seconds: Some(2),
        timeout_seconds: Some(2),
        failure_threshold: Some(minutes * 30),
        ..probe(ask)
    }
}

fn probe(ask: &Ask<'_>) -> Probe {
    let number = |port: &u16| IntOrString::Int(i32::from(*port));
    match ask {
        Ask::Http(path, port) => Probe {
            http_get: Some(HTTPGetAction {
                path: Some((*path).into()),
                port: number(port),
                ..HTTPGetAction::default()
            }),
            ..Probe::default()
        },
        Ask::Tcp(port) => Probe {
            tcp_socket: Some(TCPSocketAction {
                port: number(port),
                ..TCPSocketAction::default()
            }),
            ..Probe::default()
        },
        Ask::Exec(command) => {
            let command = command.iter().map(|word| (*word).to_owned()).collect();
            Probe {
                exec: Some(ExecAction { command: Some(command) }),
                ..Probe::default()
            }
        }
    }
}
