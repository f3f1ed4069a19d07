//! Reads pods: which belong to what, whether one is ready, and in plain words what is wrong with it.
//! Must not decide what to do about it.

use crate::names;
use crate::observed::{Observed, Seen};
use crate::task::PodAddress;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

/// Pods with these `component` and `name` labels that are not [`is_over`], in order of their names.
pub fn pods_of<'a>(seen: &'a Observed, component: &str, name: &str) -> Seen<Vec<&'a Pod>> {
    let has = |pod: &Pod, key: &str, value: &str| {
        pod.metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(key))
            .is_some_and(|found| found == value)
    };
    match &seen.pods {
        Seen::Absent => Seen::Absent,
        Seen::Unknown(why) => Seen::Unknown(why.clone()),
        Seen::Known(pods) => {
            let of = |pod: &&Pod| has(pod, names::COMPONENT, component) && has(pod, names::NAME, name) && !is_over(pod);
            let mut found: Vec<&Pod> = pods.iter().filter(of).collect();
            found.sort_by_key(|pod| ordinal(pod));
            Seen::Known(found)
        }
    }
}

pub fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}
pub fn uid(pod: &Pod) -> &str {
    pod.metadata.uid.as_deref().unwrap_or_default()
}
pub fn ip(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.pod_ip.as_deref().filter(|ip| !ip.is_empty())
}
/// Where its Patroni answers.
pub fn patroni(pod: &Pod) -> Option<PodAddress> {
    Some(PodAddress {
        pod: name(pod).to_owned(),
        ip: ip(pod)?.to_owned(),
        port: port(pod, "patroni")?,
    })
}

/// The port a container of it has under this name.
fn port(pod: &Pod, name: &str) -> Option<u16> {
    let containers = &pod.spec.as_ref()?.containers;
    let mut ports = containers
        .iter()
        .filter_map(|container| container.ports.as_ref())
        .flatten();
    let found = ports.find(|port| port.name.as_deref() == Some(name))?;
    u16::try_from(found.container_port).ok()
}

pub fn node(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}
pub fn is_leaving(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// It has ended and another was made in its place: Kubernetes leaves an evicted pod of a Deployment lying about. A pod of a
/// StatefulSet keeps its name, so it has no successor while it is there.
pub fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    let replaced = owners
        .iter()
        .any(|owner| owner.controller == Some(true) && owner.kind == "ReplicaSet");
    replaced && matches!(phase, Some("Failed" | "Succeeded"))
}

/// `demo-redis-10` after `demo-redis-9`; pods of a Deployment by name.
fn ordinal(pod: &Pod) -> (String, u32, String) {
    let name = name(pod);
    match name
        .rsplit_once('-')
        .and_then(|(set, number)| Some((set, number.parse().ok()?)))
    {
        Some((set, number)) => (set.to_owned(), number, String::new()),
        None => (name.to_owned(), 0, name.to_owned()),
    }
}

/// Ready, and not on its way out.
pub fn is_ready(pod: &Pod) -> bool {
    !is_leaving(pod) && condition(pod, "Ready").is_some_and(|(status, _)| status == "True")
}

fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<(&'a str, &'a str)> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|condition| condition.type_ == kind)?;
    Some((&found.status, found.message.as_deref().unwrap_or_default()))
}

/// Why a pod will not become ready by waiting, in words that name it: an image that cannot be pulled, a crash loop,
/// no node that fits. `None` for a pod that is fine or merely starting.
pub fn problem_of(pod: &Pod) -> Option<String> {
    let name = name(pod);
    if let Some(("False", message)) = condition(pod, "PodScheduled") {
        return Some(format!("pod {name} fits on no node: {}", short(message)));
    }
    let status = pod.status.as_ref()?;
    if status.phase.as_deref() == Some("Failed") {
        let why = status
            .message
            .as_deref()
            .or(status.reason.as_deref())
            .unwrap_or("it ended");
        return Some(format!("pod {name} failed: {}", short(why)));
    }
    let containers = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses)
        .flatten();
    containers
        .filter_map(container_problem)
        .map(|problem| format!("pod {name}: {problem}"))
        .next()
}

fn container_problem(container: &ContainerStatus) -> Option<String> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let message = waiting.message.as_deref().unwrap_or_default();
    match waiting.reason.as_deref()? {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => {
            Some(format!("image {} cannot be pulled", container.image))
        }
        "CrashLoopBackOff" => {
            let end = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
            let code = end.map_or(String::new(), |end| format!(" with exit code {}", end.exit_code));
            let words = end.and_then(|end| end.message.as_deref()).and_then(last_line);
            let words = words.unwrap_or_else(|| format!("kubectl logs -c {} --previous tells why", container.name));
            Some(format!(
                "container {} ends again and again{code} ({} restarts): {words}",
                container.name, container.restart_count
            ))
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            Some(format!("container {} cannot start: {}", container.name, short(message)))
        }
        _ => None,
    }
}

/// The end of a log, on one line.
fn last_line(log: &str) -> Option<String> {
    let line = log.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    // Services log JSON.
    let logged: Option<serde_json::Value> = serde_json::from_str(line).ok();
    let message = logged.as_ref().and_then(|logged| logged["message"].as_str());
    Some(message.unwrap_or(line).chars().take(160).collect())
}

/// The first sentence, at most 160 characters: conditions are read on one line.
fn short(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(last: &serde_json::Value) -> String {
        let status = json!({"containerStatuses": [{"name": "order", "image": "i", "imageID": "", "ready": false,
            "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": last}}]});
        let pod = json!({"metadata": {"name": "demo-order-x"}, "status": status});
        problem_of(&serde_json::from_value(pod).expect("a pod")).expect("it does not run")
    }

    #[test]
    fn a_crash_loop_is_told_with_the_last_words() {
        let begin = "pod demo-order-x: container order ends again and again with exit code";
        for (log, words) in [
            (
                "one\nSHOP_ORDERS_PASSWORD is not set\n\n",
                "SHOP_ORDERS_PASSWORD is not set",
            ),
            (r#"{"level":"ERROR","message":"no room"}"#, "no room"),
        ] {
            let last = json!({"exitCode": 1, "message": log});
            assert_eq!(told(&last), format!("{begin} 1 (4 restarts): {words}"));
        }
        let silent = format!("{begin} 0 (4 restarts): kubectl logs -c order --previous tells why");
        assert_eq!(told(&json!({"exitCode": 0})), silent);
        let long = told(&json!({"exitCode": 1, "message": "x".repeat(500)}));
        assert!(long.ends_with(&"x".repeat(160)) && !long.ends_with(&"x".repeat(161)));
    }
}
