//! Step 5: planned objects → objects in the cluster. One generic server-side apply for every kind, in waves; an object
//! that is there as wanted costs no request. Decides nothing: what is wanted, and who owns it, comes from the plan.

mod compare;
mod foreign;
mod generate;
mod locked;
mod object;
mod prune;
mod scale;
mod secret;
mod whose;

use crate::cache::ShopKey;
use crate::context::Context;
use crate::memory::Shared;
use futures::StreamExt;
use futures::stream;
use shop_api::ShopDeployment;
use shop_plan::object::{Body, ComponentId, Object, Plan, Wave};

/// Requests in flight for one shop.
const PARALLEL: usize = 8;
const WAVES: [Wave; 4] = [Wave::Ground, Wave::Network, Wave::Data, Wave::Work];

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Transient,
    /// The API server will say the same again until the spec, a quota or a policy changes.
    Invalid,
}

#[derive(Clone, Debug, thiserror::Error)]
#[error("{kind} {name}: {why}")]
pub struct ApplyError {
    pub component: ComponentId,
    pub kind: String,
    pub name: String,
    pub class: Class,
    pub why: String,
}

/// What a pass wrote, in words for the log, and what failed.
#[derive(Debug, Default)]
pub struct Applied {
    pub written: Vec<String>,
    pub failed: Vec<ApplyError>,
}

/// The surroundings of applying one shop's objects.
pub struct Target<'a> {
    pub context: &'a Context,
    pub key: &'a ShopKey,
    pub shop: &'a ShopDeployment,
    pub memory: &'a Shared,
}

impl Applied {
    /// What failed, in words.
    pub fn trouble(&self) -> Option<String> {
        let words: Vec<String> = self.failed.iter().map(ToString::to_string).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// The whole step: applies, then prunes unless something could not be applied.
pub async fn carry_out(target: &Target<'_>, plan: &Plan) -> Applied {
    let mut applied = apply(target, &plan.objects).await;
    if applied.failed.is_empty() {
        let (deleted, failed) = prune::prune(target, plan).await;
        applied.written.extend(deleted);
        applied.failed.extend(failed);
    }
    if !applied.written.is_empty() {
        tracing::info!(written = applied.written.join(", "), "applied");
    }
    for error in &applied.failed {
        tracing::warn!(%error, "not applied");
    }
    applied
}

/// Applies all objects, wave after wave. A failure is recorded; whether later waves may go on is said by [`ends_here`].
async fn apply(target: &Target<'_>, objects: &[Object]) -> Applied {
    let mut applied = Applied::default();
    for wave in WAVES {
        // Collected first: a lazy iterator over borrowed futures is more than the compiler proves `Send`.
        let mut of_wave = Vec::new();
        for object in objects.iter().filter(|object| object.wave == wave) {
            of_wave.push(apply_one(target, object));
        }
        let mut results = stream::iter(of_wave).buffer_unordered(PARALLEL);
        while let Some(result) = results.next().await {
            match result {
                Ok(Some(written)) => applied.written.push(written),
                Ok(None) => {}
                Err(error) => applied.failed.push(error),
            }
        }
        if applied.failed.iter().any(ends_here) {
            break;
        }
    }
    applied
}

/// What comes later may build on what is missing. Other objects need not wait for one that only an edit mends, but
/// whatever starts without the Secret would begin its data without its passwords.
fn ends_here(error: &ApplyError) -> bool {
    error.class == Class::Transient || error.kind == secret::KIND
}

async fn apply_one(target: &Target<'_>, object: &Object) -> Result<Option<String>, ApplyError> {
    match &object.body {
        Body::Applied(body) => object::apply(target, &object.component, body).await,
        Body::Generated { name, labels, keys } => {
            let wanted = secret::Wanted {
                component: &object.component,
                name,
                labels,
                keys,
            };
            secret::ensure(target, &wanted).await
        }
    }
}

/// Turns an answer of the API server into words and a class.
fn refused(component: &ComponentId, kind: &str, name: &str, error: &kube::Error) -> ApplyError {
    let (class, why) = match error {
        kube::Error::Api(status) if status.is_invalid() || status.code == 400 => {
            (Class::Invalid, format!("refused: {}", short(&status.message)))
        }
        kube::Error::Api(status) if status.is_forbidden() => {
            (Class::Invalid, format!("forbidden: {}", short(&status.message)))
        }
        kube::Error::Api(status) => (Class::Transient, short(&status.message)),
        other => (Class::Transient, short(&other.to_string())),
    };
    ApplyError {
        component: component.clone(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        class,
        why,
    }
}

/// A message fit for a condition: one line of at most 400 characters.
fn short(message: &str) -> String {
    message
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(400)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_starts_without_its_secret_and_nothing_waits_for_an_edit_of_another_object() {
        let of = |kind: &str, class| ApplyError {
            component: "shop".into(),
            kind: kind.into(),
            name: "demo".into(),
            class,
            why: "refused".into(),
        };
        assert!(ends_here(&of("Secret", Class::Invalid)));
        assert!(ends_here(&of("ConfigMap", Class::Transient)));
        assert!(!ends_here(&of("ConfigMap", Class::Invalid)));
    }
}
