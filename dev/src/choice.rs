//! What `up` was last asked for in this checkout, so that after `down` or a restart of the machine it means the same.
//! In: flags and what was kept. Out: nodes and size, or why that cannot be. Lies in `.shop`, beside the cluster it
//! describes, and goes with it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::place::Place;
use crate::verbs::up::Size;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub nodes: u8,
    pub size: Size,
}

const FIRST: Choice = Choice {
    nodes: 3,
    size: Size::Small,
};

impl Choice {
    /// What is asked for, else what was kept, else the usual.
    pub fn make(place: &Place, nodes: Option<u8>, size: Option<Size>) -> Result<Choice> {
        let kept = std::fs::read(file(place))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        Ok(choose(kept, nodes, size)?)
    }

    pub fn keep(&self, place: &Place) -> Result<()> {
        std::fs::write(file(place), serde_json::to_vec(self)?).context("cannot note nodes and size")
    }
}

fn file(place: &Place) -> PathBuf {
    place.state().join("choice.json")
}

fn choose(kept: Option<Choice>, nodes: Option<u8>, size: Option<Size>) -> Result<Choice, Failure> {
    let before = kept.unwrap_or(FIRST);
    let nodes = nodes.unwrap_or(before.nodes);
    // Pods and volumes belong to nodes, and the cluster remembers them while it is down.
    if let Some(kept) = kept.filter(|kept| nodes < kept.nodes) {
        return Err(Failure::new(format!(
            "this checkout's cluster has {} nodes, {nodes} were asked for",
            kept.nodes
        ))
        .way_out(format!(
            "./shop down --purge, then ./shop up --nodes {nodes}; that deletes the shops with their data, and the caches"
        )));
    }
    let size = size.unwrap_or(before.size);
    Ok(Choice { nodes, size })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Choice = Choice {
        nodes: 5,
        size: Size::Tiny,
    };

    #[test]
    fn what_is_not_asked_for_stays_as_it_was() {
        assert_eq!(choose(None, None, None).unwrap(), FIRST);
        assert_eq!(choose(Some(KEPT), None, None).unwrap(), KEPT);
        let grown = Choice {
            nodes: 6,
            size: Size::Small,
        };
        assert_eq!(choose(Some(KEPT), Some(6), Some(Size::Small)).unwrap(), grown);
    }

    #[test]
    fn a_cluster_does_not_lose_nodes() {
        let refused = choose(Some(KEPT), Some(4), None).unwrap_err();
        assert!(refused.way_out.unwrap().contains("--nodes 4"));
        assert_eq!(choose(None, Some(1), None).unwrap().nodes, 1);
    }

    #[test]
    fn a_choice_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            checkout: folder.path().to_path_buf(),
            cache: folder.path().join("cache"),
        };
        std::fs::create_dir(place.state()).unwrap();
        KEPT.keep(&place).unwrap();
        assert_eq!(Choice::make(&place, None, None).unwrap(), KEPT);
    }
}
