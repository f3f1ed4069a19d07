//! The metrics of one part (a service's API, or its workers) within the process's own. Several parts have metrics of the
//! same name, so each keeps a registry, whose every metric says whose it is.

use anyhow::Context;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Registry, labels};
use std::collections::HashMap;

struct Part {
    registry: Registry,
    /// Tells this part from the others when it is registered; never printed.
    desc: Desc,
}

impl Collector for Part {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}

/// A new registry that `whole` prints among its own.
pub fn registry(whole: &Registry, service: &str, verb: &str) -> anyhow::Result<Registry> {
    let labels: HashMap<String, String> =
        labels! {"program".to_owned() => service.to_owned(), "verb".to_owned() => verb.to_owned()};
    let registry = Registry::new_custom(None, Some(labels.clone()))?;
    let desc = Desc::new("shop_part".into(), "A part of this process".into(), Vec::new(), labels)?;
    let part = Part {
        registry: registry.clone(),
        desc,
    };
    whole
        .register(Box::new(part))
        .with_context(|| format!("metrics of {service} {verb}"))?;
    Ok(registry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::{IntGauge, TextEncoder};

    #[test]
    fn two_parts_may_have_a_metric_of_the_same_name() {
        let whole = Registry::new();
        for verb in ["serve", "work"] {
            let gauge = IntGauge::new("shop_rows", "Rows").unwrap();
            registry(&whole, "order", verb)
                .unwrap()
                .register(Box::new(gauge))
                .unwrap();
        }
        let text = TextEncoder::new().encode_to_string(&whole.gather()).unwrap();
        assert_eq!(text.matches("# TYPE shop_rows").count(), 1, "{text}");
        // The order of labels is nobody's promise.
        let of = |verb: &str| {
            text.lines()
                .any(|line| line.starts_with("shop_rows{") && line.contains(verb))
        };
        assert!(
            of(r#"verb="serve""#) && of(r#"verb="work""#) && text.contains(r#"program="order""#),
            "{text}"
        );
    }
}
