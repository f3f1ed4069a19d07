//! Reads a shop's status: one condition, or all of it in a few lines for a failure message.

use shop_api::ShopDeployment;
use shop_api::condition::Condition;

pub fn condition<'a>(shop: &'a ShopDeployment, kind: &str) -> Option<&'a Condition> {
    shop.status.as_ref()?.conditions.iter().find(|one| one.kind == kind)
}

/// The status in a few lines, for failure messages.
pub fn story(shop: &ShopDeployment) -> String {
    let Some(status) = &shop.status else {
        return "no status yet".into();
    };
    let mut lines = vec![format!(
        "generation {:?}, status of {:?}",
        shop.metadata.generation, status.observed_generation
    )];
    lines.extend(
        status
            .conditions
            .iter()
            .map(|one| format!("{}={} {}: {}", one.kind, one.status, one.reason, one.message)),
    );
    let unwell = status
        .components
        .iter()
        .filter(|one| one.ready < one.wanted || !one.message.is_empty());
    lines.extend(unwell.map(|one| {
        format!(
            "{} {:?} {}/{}: {}",
            one.name, one.state, one.ready, one.wanted, one.message
        )
    }));
    lines.join("\n    ")
}
