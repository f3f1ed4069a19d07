//! What a run came to, in words or as JSON.

use super::Run;
use crate::arguments::Output;
use crate::latency::Summary;
use serde_json::json;

pub struct Outcome {
    pub holds: bool,
    pub journeys: usize,
    pub seconds: f64,
    pub notes: Vec<String>,
    /// Acknowledged of units.
    pub hot: Option<(u32, u32)>,
}

/// Notes shown in words; JSON has all.
const SHOWN: usize = 10;

pub fn print(run: &Run, outcome: &Outcome, seed: u64, output: Output) {
    let steps = run.latencies.summaries();
    match output {
        Output::Json => {
            let body = json!({
                "holds": outcome.holds, "seed": seed, "journeys": outcome.journeys, "seconds": outcome.seconds,
                "log": run.log.path, "steps": steps, "notes": outcome.notes, "hot": outcome.hot,
            });
            println!("{body:#}");
        }
        Output::Text => {
            println!("{} journeys in {:.1} s, seed {seed}", outcome.journeys, outcome.seconds);
            println!("{}", Summary::HEADING);
            steps.iter().for_each(|step| println!("{}", step.line()));
            outcome.notes.iter().take(SHOWN).for_each(|note| println!("{note}"));
            if let Some((placed, units)) = outcome.hot {
                let verdict = if outcome.holds {
                    "exactly"
                } else {
                    "NOT what was to be seen:"
                };
                println!("{verdict} {placed} of {units} units sold");
            }
            println!("log {}", run.log.path.display());
        }
    }
}
