//! RabbitMQ through its management API: users, permissions, exchanges, queues, policies and bindings of the shop.
//!
//! `api` asks, `seen` holds the answers, `layout` says what is wanted and `topology` what is missing, both without any
//! input or output; this file holds the verbs. Repairs only what is missing or different; never deletes or purges a queue.

mod api;
mod error;
mod layout;
mod password;
mod seen;
mod topology;

pub use error::RabbitError;

use crate::Report;
use api::Api;
use std::time::Duration;
use tokio::time::timeout;
use topology::Step;

const READ: Duration = Duration::from_secs(10);
const ENSURE: Duration = Duration::from_secs(60);

/// The management interface and who logs in there, an administrator.
#[derive(Clone)]
pub struct Admin {
    pub host: String,
    /// 15672 by default.
    pub port: u16,
    pub user: String,
    pub password: String,
}

/// The services' user; virtual host, exchanges and queues come from shop-contract.
#[derive(Clone)]
pub struct Wanted {
    pub user: String,
    pub password: String,
    /// Nodes the cluster should have; a quorum queue gets one replica on each.
    pub nodes: u16,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub running_nodes: Vec<String>,
    /// What of the topology is missing or different, each in words; empty when all is there.
    pub missing: Vec<String>,
    /// Queues without a leader: nothing can be published to or taken from them.
    pub leaderless: Vec<String>,
}

/// What is there and what is missing, within 10 s.
pub async fn read(admin: &Admin, wanted: &Wanted) -> Result<View, RabbitError> {
    let api = Api::new(admin)?;
    let seen = within(READ, admin, "reading the topology", seen::read(&api, wanted)).await?;
    let steps = topology::steps(&seen, admin, wanted);
    Ok(View {
        missing: steps
            .iter()
            .map(|step| step.words.clone())
            .chain(topology::mismatches(&seen))
            .collect(),
        leaderless: topology::leaderless(&seen),
        running_nodes: seen.running_nodes,
    })
}

/// Makes what is missing and repairs what differs, within 60 s. Queues are first made when all nodes run, because they
/// get their replicas then; until that the report's `waiting` says so.
pub async fn ensure_topology(admin: &Admin, wanted: &Wanted) -> Result<Report, RabbitError> {
    let api = Api::new(admin)?;
    within(ENSURE, admin, "making the topology", ensure(&api, admin, wanted)).await
}

async fn ensure(api: &Api<'_>, admin: &Admin, wanted: &Wanted) -> Result<Report, RabbitError> {
    let seen = seen::read(api, wanted).await?;
    if let Some(difference) = topology::mismatches(&seen).into_iter().next() {
        return Err(RabbitError::QueueDiffers {
            host: admin.host.clone(),
            difference,
        });
    }
    let mut report = Report::default();
    let complete = seen.running_nodes.len() >= usize::from(wanted.nodes);
    for Step {
        words,
        needs_all_nodes,
        request,
    } in topology::steps(&seen, admin, wanted)
    {
        if needs_all_nodes && !complete {
            let running = seen.running_nodes.len();
            report.waiting = Some(format!(
                "{running} of {} nodes run; queues are made when all do",
                wanted.nodes
            ));
            continue;
        }
        api.send(&request, &words).await?;
        report.wrote(words);
    }
    Ok(report)
}

async fn within<T>(
    limit: Duration,
    admin: &Admin,
    action: &str,
    work: impl Future<Output = Result<T, RabbitError>>,
) -> Result<T, RabbitError> {
    match timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(RabbitError::Deadline {
            host: admin.host.clone(),
            action: action.to_owned(),
            seconds: limit.as_secs(),
        }),
    }
}
