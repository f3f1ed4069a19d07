//! Both charts: linted, and rendered with the values `up` passes, into objects with a kind and a name.

use anyhow::{Context, Result};

use crate::command;
use crate::failure::Failure;
use crate::images;
use crate::kube;
use crate::place::Place;
use crate::screen::Step;
use crate::tools::{self, list};
use crate::user;

const CHARTS: &[&str] = &["shop-operator-crds", "shop-operator"];

pub fn check(place: &Place, step: &Step<'_>) -> Result<((), String)> {
    let log = place.log("test-charts");
    let _ = std::fs::remove_file(&log);
    if !tools::missing(place, &[&list::HELM])?.is_empty() {
        step.say("building helm");
        tools::build(place, &list::HELM, &place.log("tools"))?;
    }
    let helm = tools::path(place, &list::HELM)?;
    let images: serde_json::Map<_, _> = images::names()
        .map(|name| (name.to_string(), format!("registry.example.com/shop/{name}:1").into()))
        .collect();
    let values = format!("images={}", serde_json::Value::Object(images));
    // A helm built from its module takes itself for a client of Kubernetes 1.20.
    let kubernetes = tools::version(place, &list::KUBECTL)?;
    let mut objects = 0;
    for chart in CHARTS {
        let folder = place.checkout.join("charts").join(chart);
        step.say(chart);
        let with_values = |verb: &[&str]| {
            let mut command = user::command(&helm);
            command.args(verb).arg(&folder).args(["--kube-version", &kubernetes]);
            if *chart == "shop-operator" {
                command.args(["--set-json", &values]);
            }
            command
        };
        command::logged(&mut with_values(&["lint", "--strict"]), &log)
            .map_err(|_| Failure::new(format!("helm lint refuses charts/{chart}")).log(&log))?;
        let rendered = command::output(&mut with_values(&["template", "test"]))?;
        objects += well_formed(&rendered).with_context(|| format!("charts/{chart} renders badly"))?;
    }
    Ok(((), format!("{} charts, {objects} objects", CHARTS.len())))
}

/// The number of objects, each with kind and name.
fn well_formed(rendered: &str) -> Result<usize> {
    let objects = kube::parse_documents(rendered)?;
    for object in &objects {
        anyhow::ensure!(
            object["kind"].is_string() && object["metadata"]["name"].is_string(),
            "an object without kind or name: {object}"
        );
    }
    anyhow::ensure!(!objects.is_empty(), "no object");
    Ok(objects.len())
}

#[cfg(test)]
mod tests {
    use super::well_formed;

    #[test]
    fn an_object_without_a_name_is_refused() {
        assert_eq!(
            well_formed("kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n").unwrap(),
            2
        );
        assert!(well_formed("kind: A\n").is_err());
        assert!(well_formed("").is_err());
    }
}
