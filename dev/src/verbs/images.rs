//! `./shop images`: builds all images, pushes them to the running registry if there is one, lists them.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::images::{self, Built, Request};
use crate::place::Place;
use crate::screen::{self, Screen};

#[derive(clap::Args, Debug)]
pub struct Images {
    /// Push to this registry instead of the embedded cluster's, e.g. registry.example.com/team
    #[arg(long)]
    pub registry: Option<String>,
    /// Write the references to this file, as values of the chart shop-operator
    #[arg(long)]
    pub values: Option<PathBuf>,
}

pub fn run(place: &Place, flags: &Images) -> Result<()> {
    let embedded = crate::owner::running(place).is_ok();
    let own = crate::cluster::address::REGISTRY;
    let registry = flags.registry.as_deref().or(embedded.then_some(own));
    let built = Screen::new(1).step("images", |step| {
        let built = build(place, registry, &|text| step.say(text))?;
        let text = format!("{} images, {}", built.references.len(), screen::size(built.bytes));
        Ok((built, text))
    })?;
    for (name, reference) in &built.references {
        screen_line!("{name:<16} {reference}");
    }
    if let Some(file) = &flags.values {
        let values = serde_saphyr::to_string(&BTreeMap::from([("images", &built.references)]))?;
        std::fs::write(file, values).with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}

/// The log starts anew, so that its end belongs to this run.
pub fn build(place: &Place, registry: Option<&str>, progress: &dyn Fn(&str)) -> Result<Built> {
    let log = place.log("images");
    let _ = std::fs::remove_file(&log);
    let own = crate::cluster::address::REGISTRY;
    let request = Request {
        checkout: &place.checkout,
        cache: &place.cache,
        registry,
        plain_http: registry.is_some_and(|registry| registry == own || registry.starts_with(&format!("{own}/"))),
        log: &log,
        progress,
    };
    images::build_and_push(&request).map_err(|error| {
        if error.downcast_ref::<crate::failure::Failure>().is_some() {
            return error;
        }
        crate::failure::Failure::new(format!("{error:#}"))
            .log(&log)
            .way_out("the whole log says more; ./shop images tries again")
            .into()
    })
}
