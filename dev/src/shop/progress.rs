//! What a ShopDeployment's status says, for a person who waits. Pure: status in, words out.

use serde_json::Value;
use std::collections::BTreeMap;

use crate::kube;
use crate::screen;

/// Ready, and for the spec as it is now.
pub fn is_ready(shop: &Value) -> bool {
    let ready = kube::condition_of(shop, "Ready");
    let observed = ready
        .and_then(|ready| ready["observedGeneration"].as_i64())
        .or(shop["status"]["observedGeneration"].as_i64());
    kube::is_true(shop, "Ready") && observed == shop["metadata"]["generation"].as_i64()
}

/// How many pods run an image that was one of ours and is none any more.
pub fn with_old_images(pods: &[Value], images: &BTreeMap<String, String>) -> usize {
    let ours = |image: &str| {
        let repository = |image: &str| image.rsplit_once(':').map(|(repository, _)| repository.to_owned());
        images.values().any(|known| repository(known) == repository(image))
    };
    let old = |image: &str| ours(image) && !images.values().any(|known| known == image);
    let has_old = |pod: &&Value| {
        let containers = ["initContainers", "containers"].map(|list| pod["spec"][list].as_array());
        let images = containers.into_iter().flatten().flatten();
        images.filter_map(|container| container["image"].as_str()).any(old)
    };
    pods.iter().filter(has_old).count()
}

/// One line: a bar over all parts, then each part's count.
pub fn line(shop: &Value) -> String {
    let components = components(shop);
    if components.is_empty() {
        let message = shop["status"]["message"].as_str().unwrap_or_default();
        return if message.is_empty() {
            "waiting for the operator".into()
        } else {
            message.to_string()
        };
    }
    let sum = |field: &str| {
        components
            .iter()
            .filter_map(|component| component[field].as_u64())
            .sum::<u64>()
    };
    let parts: Vec<String> = groups(components)
        .iter()
        .filter(|(_, _, wanted)| *wanted > 0)
        .map(|(name, ready, wanted)| format!("{name} {ready}/{wanted}"))
        .collect();
    format!("{} {}", screen::bar(sum("ready"), sum("wanted")), parts.join(" · "))
}

/// What was still wrong when patience ended.
pub fn problems(shop: &Value) -> Vec<String> {
    let mut found: Vec<String> = ["Valid", "Ready"]
        .iter()
        .filter_map(|kind| kube::condition_of(shop, kind).filter(|condition| condition["status"] != "True"))
        .map(|condition| {
            let text = |field: &str| condition[field].as_str().unwrap_or_default();
            format!(
                "{}={}: {}: {}",
                text("type"),
                text("status"),
                text("reason"),
                text("message")
            )
        })
        .collect();
    found.extend(
        components(shop)
            .iter()
            .filter(|component| component["state"] != "Ready")
            .map(|component| {
                let text = |field: &str| component[field].as_str().unwrap_or_default();
                format!("{} {}: {}", text("name"), text("state").to_lowercase(), text("message"))
            }),
    );
    found
}

fn components(shop: &Value) -> &[Value] {
    shop["status"]["components"].as_array().map_or(&[], Vec::as_slice)
}

/// Services count as one part, databases one each: (name, ready, wanted) in order of appearance.
fn groups(components: &[Value]) -> Vec<(String, u64, u64)> {
    let mut groups: Vec<(String, u64, u64)> = Vec::new();
    for component in components {
        let name = component["name"].as_str().unwrap_or("?");
        let name = match name.split_once('/') {
            Some(("service", _)) => "services",
            Some((_, rest)) => rest,
            None => name,
        };
        let figure = |field: &str| component[field].as_u64().unwrap_or(0);
        let (ready, wanted) = (figure("ready"), figure("wanted"));
        match groups.iter_mut().find(|(known, _, _)| known == name) {
            Some(group) => {
                group.1 += ready;
                group.2 += wanted;
            }
            None => groups.push((name.to_string(), ready, wanted)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_with_yesterdays_image_is_found_and_somebody_elses_image_is_not() {
        let pod = |init: &str, image: &str| json!({"spec": {"initContainers": [{"image": init}], "containers": [{"image": image}]}});
        let images = BTreeMap::from([("user".to_owned(), "registry:5000/shop/user:2".to_owned())]);
        let pods = [
            pod("registry:5000/shop/user:2", "registry:5000/shop/user:2"),
            pod("registry:5000/shop/user:2", "registry:5000/shop/user:1"),
            pod("registry:5000/shop/user:1", "registry:5000/shop/user:2"),
            pod("else:5000/mine:1", "registry:5000/mine:1"),
        ];
        assert_eq!(with_old_images(&pods, &images), 2);
    }

    fn shop() -> Value {
        json!({
            "metadata": {"generation": 2},
            "status": {
                "observedGeneration": 2,
                "conditions": [{"type": "Ready", "status": "False", "reason": "Progressing", "message": "redis forms"}],
                "components": [
                    {"name": "postgres/orders", "state": "Ready", "ready": 2, "wanted": 2},
                    {"name": "redis", "state": "Progressing", "message": "forms", "ready": 1, "wanted": 6},
                    {"name": "service/user", "state": "Ready", "ready": 1, "wanted": 1},
                    {"name": "service/order", "state": "Ready", "ready": 1, "wanted": 1}]}
        })
    }

    #[test]
    fn the_line_counts_every_part() {
        assert_eq!(line(&shop()), "█████░░░░░ orders 2/2 · redis 1/6 · services 2/2");
        assert_eq!(line(&json!({})), "waiting for the operator");
    }

    #[test]
    fn ready_must_speak_of_the_present_spec() {
        let mut shop = shop();
        assert!(!is_ready(&shop));
        shop["status"]["conditions"][0]["status"] = json!("True");
        assert!(is_ready(&shop));
        shop["metadata"]["generation"] = json!(3);
        assert!(!is_ready(&shop));
    }

    #[test]
    fn problems_name_condition_and_part() {
        assert_eq!(
            problems(&shop()),
            ["Ready=False: Progressing: redis forms", "redis progressing: forms"]
        );
    }
}
