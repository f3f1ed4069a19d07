//! The smallest size runs every built-in service in one process. For everything after validation that process is a
//! service like any other, which has all routes and uses all that any of them uses.

use super::Ask;
use super::problem::Problems;
use super::services::common;
use crate::shop::Service;
use shop_api::spec;
use shop_contract::port;
use shop_contract::service::{ALL, BuiltIn, Uses};
use std::sync::LazyLock;

pub const NAME: &str = "single";

/// Its workers run inside it.
static ALL_IN_ONE: LazyLock<BuiltIn> = LazyLock::new(|| {
    let routes: Vec<&'static str> = ALL.iter().flat_map(|known| known.routes).copied().collect();
    let mut uses: Vec<Uses> = Vec::new();
    for used in ALL.iter().flat_map(|known| known.uses) {
        if !uses.contains(used) {
            uses.push(*used);
        }
    }
    // Made once per process, for as long as it lives.
    BuiltIn {
        name: NAME,
        routes: routes.leak(),
        uses: uses.leak(),
        workers: &[],
    }
});

/// Naming a built-in service in the spec asks for services of their own.
pub fn wanted(ask: &Ask) -> bool {
    ask.sizes.one_process && ALL.iter().all(|known| !ask.spec.services.contains_key(known.name))
}

pub fn service(ask: &Ask, problems: &mut Problems) -> Service {
    let known: &'static BuiltIn = &ALL_IN_ONE;
    let routes = known.routes.iter().map(|route| (*route).to_owned()).collect();
    Service {
        built_in: Some(known),
        image: ask.inputs.images.single.clone(),
        port: port::SERVICE,
        routes,
        ..common(ask, NAME, &spec::Service::default(), ask.sizes.single, problems)
    }
}
