//! Takes the steps that `decide` names, and hands slots over on request. Decides nothing itself.

use super::decide::Step;
use super::link::{Link, address};
use super::seen::{Line, field};
use super::{Auth, Member, RedisError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const FAILOVER: Duration = Duration::from_secs(60);
/// Redis gives up a handover after five seconds; then it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(200);

pub(super) async fn take(step: &Step, member: &Member, auth: &Auth) -> Result<(), RedisError> {
    let mut link = Link::open(member, auth).await?;
    match step {
        Step::Meet { ip, port, .. } => link.ask(&["CLUSTER", "MEET", ip, &port.to_string()]).await,
        Step::TakeOver { .. } => link.ask(&["CLUSTER", "FAILOVER", "TAKEOVER"]).await,
        Step::Forget { id, .. } => link.ask(&["CLUSTER", "FORGET", id]).await,
        Step::Replicate { primary_id, .. } => link.ask(&["CLUSTER", "REPLICATE", primary_id]).await,
        Step::AddSlots { ranges, .. } => {
            let ends: Vec<String> = ranges
                .iter()
                .flat_map(|(first, last)| [first, last])
                .map(u16::to_string)
                .collect();
            let words: Vec<&str> = ["CLUSTER", "ADDSLOTSRANGE"]
                .into_iter()
                .chain(ends.iter().map(String::as_str))
                .collect();
            link.ask(&words).await
        }
    }
}

/// The graceful CLUSTER FAILOVER: the primary stops taking writes until the replica has them all. A replica of another
/// primary copies this one first.
pub(super) async fn hand_over(primary: &Member, replica: &Member, auth: &Auth) -> Result<(), RedisError> {
    let end = Instant::now() + FAILOVER;
    let mut link = Link::open(replica, auth).await?;
    let told = link.told().await?;
    if told.own().is_some_and(leads) {
        return Ok(());
    }
    let other = Link::open(primary, auth).await?.told().await?;
    if !other.own().is_some_and(leads) {
        return Err(RedisError::Refused {
            pod: primary.pod.clone(),
            address: address(primary),
            action: "CLUSTER FAILOVER".to_owned(),
            cause: format!("it leads nothing that {} could take over", replica.pod),
        });
    }
    follow(&mut link, &other.id, end).await?;
    let mut asked: Option<Instant> = None;
    let mut seen = String::from("nothing");
    while Instant::now() < end {
        if asked.is_none_or(|at| at.elapsed() > ASK_AGAIN) {
            link.ask::<()>(&["CLUSTER", "FAILOVER"]).await?;
            asked = Some(Instant::now());
        }
        let mine = role(&mut link).await;
        let theirs = match Link::open(primary, auth).await {
            Ok(mut link) => role(&mut link).await,
            Err(error) => Err(error),
        };
        match (&mine, &theirs) {
            (Ok(new), Ok(old)) if new == "master" && old == "slave" => return Ok(()),
            _ => {
                seen = format!(
                    "{} is {}, {} is {}",
                    replica.pod,
                    words(&mine),
                    primary.pod,
                    words(&theirs)
                )
            }
        }
        sleep(PAUSE).await;
    }
    Err(RedisError::NotSettled {
        seconds: FAILOVER.as_secs(),
        seen,
    })
}

fn leads(own: &Line) -> bool {
    own.primary && own.slot_count() > 0
}

/// Makes it a replica of this primary, unless it is, and waits until it has copied the data.
async fn follow(link: &mut Link<'_>, primary: &str, end: Instant) -> Result<(), RedisError> {
    loop {
        let told = link.told().await?;
        let follows = told.own().and_then(|own| own.primary_id.as_deref()) == Some(primary);
        if follows && told.synced {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(RedisError::NotSettled {
                seconds: FAILOVER.as_secs(),
                seen: format!("it copies the data of {primary:.8}"),
            });
        }
        if !follows {
            link.ask::<()>(&["CLUSTER", "REPLICATE", primary]).await?;
        }
        sleep(PAUSE).await;
    }
}

async fn role(link: &mut Link<'_>) -> Result<String, RedisError> {
    let text: String = link.ask(&["INFO", "replication"]).await?;
    Ok(field(&text, "role").unwrap_or("of no known role").to_owned())
}

fn words(role: &Result<String, RedisError>) -> String {
    match role {
        Ok(role) => role.clone(),
        Err(error) => format!("unknown ({error})"),
    }
}
