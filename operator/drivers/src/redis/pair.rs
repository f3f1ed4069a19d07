//! Which replica follows which primary: never on its primary's machine when that can be had, moving as few as possible.
//! Pure; a bipartite matching by augmenting paths (Kuhn), with the present pairs as its start.

#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub name: &'a str,
    pub machine: &'a str,
    /// Id of the primary it follows now.
    pub now: Option<&'a str>,
}

/// A primary and how many replicas it should have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub id: &'a str,
    pub machine: &'a str,
    pub free: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pairing<'a> {
    /// Candidate's name and the id of the primary it has to follow from now on.
    pub moves: Vec<(&'a str, &'a str)>,
    /// Pairs on one machine although there are several machines.
    pub together: Vec<(&'a str, &'a str)>,
}

/// With `movable == false` whoever follows somebody keeps doing so.
pub(super) fn pair<'a>(candidates: &[Candidate<'a>], places: &[Place<'a>], movable: bool) -> Pairing<'a> {
    let mut matching = Matching {
        candidates,
        places,
        chosen: vec![None; candidates.len()],
        movable,
    };
    for index in 0..candidates.len() {
        if let Some(place) = matching.present(index)
            && (!movable || (matching.apart(index, place) && matching.room(place)))
        {
            matching.chosen[index] = Some(place);
        }
    }
    for index in 0..candidates.len() {
        if matching.chosen[index].is_none() {
            matching.augment(index, &mut vec![false; places.len()]);
        }
    }
    for index in 0..candidates.len() {
        if matching.chosen[index].is_none() {
            matching.chosen[index] = matching.anywhere(index);
        }
    }
    matching.result()
}

struct Matching<'a, 'b> {
    candidates: &'b [Candidate<'a>],
    places: &'b [Place<'a>],
    chosen: Vec<Option<usize>>,
    movable: bool,
}

impl<'a> Matching<'a, '_> {
    fn present(&self, candidate: usize) -> Option<usize> {
        let now = self.candidates[candidate].now?;
        self.places.iter().position(|place| place.id == now)
    }

    fn apart(&self, candidate: usize, place: usize) -> bool {
        self.candidates[candidate].machine != self.places[place].machine
    }

    fn taken(&self, place: usize) -> usize {
        self.chosen.iter().filter(|chosen| **chosen == Some(place)).count()
    }

    fn room(&self, place: usize) -> bool {
        self.taken(place) < self.places[place].free
    }

    /// Finds a place on another machine, if need be by moving others on.
    fn augment(&mut self, candidate: usize, tried: &mut [bool]) -> bool {
        let mut order: Vec<usize> = (0..self.places.len())
            .filter(|place| self.apart(candidate, *place))
            .collect();
        order.sort_by_key(|place| self.taken(*place));
        for place in order {
            if std::mem::replace(&mut tried[place], true) {
                continue;
            }
            if self.room(place) {
                self.chosen[candidate] = Some(place);
                return true;
            }
            for other in 0..self.candidates.len() {
                let fixed = !self.movable && self.candidates[other].now.is_some();
                if self.chosen[other] == Some(place) && !fixed && self.augment(other, tried) {
                    self.chosen[candidate] = Some(place);
                    return true;
                }
            }
        }
        false
    }

    /// No place apart is left: the present one, else the emptiest, so that no primary is without a replica.
    fn anywhere(&self, candidate: usize) -> Option<usize> {
        let present = self.present(candidate).filter(|place| self.room(*place));
        let emptiest = || {
            (0..self.places.len())
                .filter(|p| self.room(*p))
                .min_by_key(|p| self.taken(*p))
        };
        present.or_else(emptiest)
    }

    fn result(&self) -> Pairing<'a> {
        let first = self.places.first().map(|place| place.machine);
        let machines = self
            .candidates
            .iter()
            .map(|c| c.machine)
            .chain(self.places.iter().map(|place| place.machine));
        let several = machines.into_iter().any(|machine| Some(machine) != first);
        let mut pairing = Pairing::default();
        for (index, candidate) in self.candidates.iter().enumerate() {
            let Some(place) = self.chosen[index] else { continue };
            let id = self.places[place].id;
            if candidate.now != Some(id) {
                pairing.moves.push((candidate.name, id));
            }
            if several && !self.apart(index, place) {
                pairing.together.push((candidate.name, id));
            }
        }
        pairing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate<'a>(name: &'a str, machine: &'a str, now: Option<&'a str>) -> Candidate<'a> {
        Candidate { name, machine, now }
    }

    fn place<'a>(id: &'a str, machine: &'a str) -> Place<'a> {
        Place { id, machine, free: 1 }
    }

    #[test]
    fn every_pair_is_on_two_machines() {
        let places = [place("a", "n1"), place("b", "n2"), place("c", "n3")];
        let candidates = [
            candidate("x", "n1", None),
            candidate("y", "n2", None),
            candidate("z", "n3", None),
        ];
        let pairing = pair(&candidates, &places, true);
        assert_eq!((pairing.moves.len(), pairing.together.len()), (3, 0));
        for (name, id) in pairing.moves {
            let machine = candidates.iter().find(|c| c.name == name).map(|c| c.machine);
            assert_ne!(machine, places.iter().find(|p| p.id == id).map(|p| p.machine));
        }
    }

    #[test]
    fn good_pairs_stay_and_others_move_on_when_they_must() {
        let places = [place("a", "n1"), place("b", "n2")];
        let good = [candidate("x", "n2", Some("a")), candidate("y", "n1", Some("b"))];
        assert_eq!(pair(&good, &places, true), Pairing::default());
        // y can only follow b, which x holds: x moves on to a.
        let places = [place("a", "n1"), place("b", "n2")];
        let blocked = [candidate("x", "n3", Some("b")), candidate("y", "n1", None)];
        assert_eq!(pair(&blocked, &places, true).moves, [("x", "a"), ("y", "b")]);
        assert_eq!(pair(&blocked, &places, false).moves, [("y", "a")]);
    }

    #[test]
    fn one_machine_is_no_reason_to_go_without_a_replica_or_to_warn() {
        let pairing = pair(&[candidate("x", "n1", None)], &[place("a", "n1")], true);
        assert_eq!((pairing.moves, pairing.together), (vec![("x", "a")], vec![]));
        let pairing = pair(
            &[candidate("x", "n1", None), candidate("y", "n1", None)],
            &[place("a", "n1"), place("b", "n2")],
            true,
        );
        assert_eq!((pairing.moves.len(), pairing.together.len()), (2, 1));
    }
}
