//! One process at a time acts, by a Lease in the operator's namespace. The decision is a pure function of the lease, the
//! clock and our name; the loop around it reads and writes. Whoever loses the lease ends the process: nothing that was
//! started under it may go on.

use anyhow::Context as _;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A holder that has not renewed for this long is gone.
const DURATION: Duration = Duration::from_secs(30);
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// A holder that could not renew for this long stops, well before another may start.
const GIVE_UP_AFTER: Duration = Duration::from_secs(22);
/// Who stands by looks this often.
const LOOK_EVERY: Duration = Duration::from_secs(4);
const RETRY_EVERY: Duration = Duration::from_secs(2);
const REQUEST: Duration = Duration::from_secs(5);

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// There is no lease yet.
    Create,
    /// It is ours, free, or left by a holder that is gone.
    Take,
    /// Somebody holds it and renewed within its duration.
    Wait,
}

/// What is known about another holder: its last renewal and when *we* first saw that, so that no two clocks are compared.
#[derive(Clone, Debug)]
struct Sighting {
    renewed: Option<MicroTime>,
    at: Instant,
}

fn decide(lease: Option<&Lease>, me: &str, sighting: Option<&Sighting>, now: Instant) -> Decision {
    let Some(spec) = lease.map(|lease| lease.spec.clone().unwrap_or_default()) else {
        return Decision::Create;
    };
    let holder = spec.holder_identity.unwrap_or_default();
    if holder.is_empty() || holder == me {
        return Decision::Take;
    }
    let duration = spec
        .lease_duration_seconds
        .map_or(DURATION, |seconds| Duration::from_secs(seconds.max(1) as u64));
    match sighting {
        Some(seen) if seen.renewed == spec.renew_time && now >= seen.at + duration => Decision::Take,
        _ => Decision::Wait,
    }
}

pub struct Leadership {
    api: Api<Lease>,
    name: String,
    identity: String,
    held: Option<Lease>,
}

impl Leadership {
    pub fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            identity: identity.to_owned(),
            held: None,
        }
    }

    /// Waits until the lease is ours; false when told to stop first.
    pub async fn acquire(&mut self, stop: &CancellationToken) -> bool {
        let mut sighting: Option<Sighting> = None;
        let mut told = false;
        loop {
            match self.attempt(&mut sighting).await {
                Ok(true) => return true,
                Ok(false) if !told => {
                    tracing::info!(lease = self.name, "another process leads, waiting");
                    told = true;
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(lease = self.name, error = format!("{error:#}"), "lease not read"),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => return false,
            }
        }
    }

    async fn attempt(&mut self, sighting: &mut Option<Sighting>) -> anyhow::Result<bool> {
        let lease = within(self.api.get_opt(&self.name)).await?;
        let now = Instant::now();
        let renewed = lease
            .as_ref()
            .and_then(|lease| lease.spec.as_ref())
            .and_then(|spec| spec.renew_time.clone());
        if sighting.as_ref().is_none_or(|seen| seen.renewed != renewed) {
            *sighting = Some(Sighting { renewed, at: now });
        }
        match decide(lease.as_ref(), &self.identity, sighting.as_ref(), now) {
            Decision::Wait => Ok(false),
            Decision::Create => {
                let lease = Lease {
                    metadata: ObjectMeta {
                        name: Some(self.name.clone()),
                        ..Default::default()
                    },
                    spec: None,
                };
                let lease = claimed(lease, &self.identity);
                self.held = Some(within(self.api.create(&PostParams::default(), &lease)).await?);
                Ok(true)
            }
            Decision::Take => {
                let lease = claimed(lease.context("a lease to take")?, &self.identity);
                self.held = Some(within(self.api.replace(&self.name, &PostParams::default(), &lease)).await?);
                Ok(true)
            }
        }
    }

    /// Renews until told to stop (then releases) or until the lease is lost (then says why).
    pub async fn keep(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut renewed = Instant::now();
        let mut pause = RENEW_EVERY;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return Ok(()),
            }
            match self.renew().await {
                Ok(()) => {
                    renewed = Instant::now();
                    pause = RENEW_EVERY;
                }
                Err(error) if renewed.elapsed() >= GIVE_UP_AFTER => {
                    return Err(error.context(format!(
                        "lease {} lost: not renewed for {} s",
                        self.name,
                        GIVE_UP_AFTER.as_secs()
                    )));
                }
                Err(error) => {
                    tracing::warn!(
                        lease = self.name,
                        error = format!("{error:#}"),
                        "lease not renewed, trying again"
                    );
                    self.check_holder().await?;
                    pause = RETRY_EVERY;
                }
            }
        }
    }

    async fn renew(&mut self) -> anyhow::Result<()> {
        let lease = claimed(self.held.clone().context("a lease that is held")?, &self.identity);
        self.held = Some(within(self.api.replace(&self.name, &PostParams::default(), &lease)).await?);
        Ok(())
    }

    /// After a conflict: take over the newer version when it is still ours, fail when it is another's.
    async fn check_holder(&mut self) -> anyhow::Result<()> {
        let Ok(lease) = within(self.api.get(&self.name)).await else {
            return Ok(());
        };
        let holder = lease
            .spec
            .as_ref()
            .and_then(|spec| spec.holder_identity.clone())
            .unwrap_or_default();
        anyhow::ensure!(
            holder.is_empty() || holder == self.identity,
            "lease {} lost to {holder}",
            self.name
        );
        self.held = Some(lease);
        Ok(())
    }

    /// Gives the lease back, so that a successor need not wait for it to run out.
    pub async fn release(&mut self) {
        let Some(mut lease) = self.held.take() else { return };
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = None;
        }
        if let Err(error) = within(self.api.replace(&self.name, &PostParams::default(), &lease)).await {
            tracing::warn!(
                lease = self.name,
                error = format!("{error:#}"),
                "lease not released, it will run out"
            );
        }
    }
}

fn claimed(mut lease: Lease, me: &str) -> Lease {
    let before = lease.spec.take().unwrap_or_default();
    let now = MicroTime(Timestamp::now());
    let same = before.holder_identity.as_deref() == Some(me);
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: Some(DURATION.as_secs() as i32),
        acquire_time: if same { before.acquire_time } else { Some(now.clone()) },
        renew_time: Some(now),
        lease_transitions: Some(before.lease_transitions.unwrap_or(0) + i32::from(!same)),
        ..LeaseSpec::default()
    });
    lease
}

async fn within<T>(request: impl Future<Output = kube::Result<T>>) -> anyhow::Result<T> {
    let answer = tokio::time::timeout(REQUEST, request).await;
    Ok(answer.with_context(|| format!("the API server did not answer within {} s", REQUEST.as_secs()))??)
}

#[cfg(test)]
mod tests;
