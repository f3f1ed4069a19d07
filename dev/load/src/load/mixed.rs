//! The open loop: every journey begins at its time, whatever became of those before it.

use super::Run;
use super::journey::travel;
use super::report::Outcome;
use crate::arguments::Load;
use crate::schedule::arrivals;
use anyhow::bail;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Journeys under way at a time; one that arrives beyond it waits, and its waiting counts.
const MOST_AT_A_TIME: usize = 5_000;
/// After the last arrival, for those still under way.
const FINISH: Duration = Duration::from_secs(120);

pub async fn run(run: &Arc<Run>, seed: u64, load: &Load) -> anyhow::Result<Outcome> {
    let arrivals = arrivals(seed, load.rate, load.lasting, run.customers.len());
    let (planned, begun) = (arrivals.len(), Instant::now());
    let (mut under_way, mut broken) = (JoinSet::new(), Vec::new());
    for arrival in arrivals {
        let due = begun + arrival.at;
        tokio::time::sleep_until(due).await;
        while under_way.len() >= MOST_AT_A_TIME {
            note(under_way.join_next().await, &mut broken);
        }
        while let Some(done) = under_way.try_join_next() {
            note(Some(done), &mut broken);
        }
        let run = run.clone();
        under_way.spawn(async move { travel(&run, arrival, due).await });
    }
    let deadline = Instant::now() + FINISH;
    while !under_way.is_empty() {
        match tokio::time::timeout_at(deadline, under_way.join_next()).await {
            Ok(done) => note(done, &mut broken),
            Err(_) => {
                // What they had intended is in the log, and open.
                broken.push(format!(
                    "{} journeys were not done after {} s",
                    under_way.len(),
                    FINISH.as_secs()
                ));
                under_way.abort_all();
                break;
            }
        }
    }
    if broken.len() > planned / 2 && planned > 0 {
        bail!("most journeys could not be made: {}", broken[0]);
    }
    Ok(Outcome {
        holds: true,
        journeys: planned,
        seconds: begun.elapsed().as_secs_f64(),
        notes: broken,
        hot: None,
    })
}

fn note(done: Option<Result<anyhow::Result<()>, tokio::task::JoinError>>, broken: &mut Vec<String>) {
    match done {
        Some(Ok(Err(error))) => broken.push(format!("{error:#}")),
        Some(Err(error)) => broken.push(error.to_string()),
        Some(Ok(Ok(()))) | None => {}
    }
}
