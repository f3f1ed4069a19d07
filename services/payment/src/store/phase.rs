//! What phases are called in the database.

use crate::machine::Phase;

const NAMES: [(Phase, &str); 11] = [
    (Phase::New, "new"),
    (Phase::Authorizing, "authorizing"),
    (Phase::Authorized, "authorized"),
    (Phase::Declined, "declined"),
    (Phase::Capturing, "capturing"),
    (Phase::Captured, "captured"),
    (Phase::Voiding, "voiding"),
    (Phase::Voided, "voided"),
    (Phase::Refunding, "refunding"),
    (Phase::Refunded, "refunded"),
    (Phase::Tombstone, "tombstone"),
];

pub fn name(phase: Phase) -> &'static str {
    let found = NAMES.iter().find(|(named, _)| *named == phase);
    found
        .map(|(_, name)| *name)
        .expect("the table names every phase, a test counts them")
}

/// `None` for a state only a later version knows.
pub fn phase(text: &str) -> Option<Phase> {
    NAMES.iter().find(|(_, name)| *name == text).map(|(phase, _)| *phase)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The match makes the compiler ask for this table when a phase is added.
    #[test]
    fn every_phase_has_a_name() {
        for (known, text) in NAMES {
            match known {
                Phase::New | Phase::Authorizing | Phase::Authorized | Phase::Declined => {}
                Phase::Capturing | Phase::Captured | Phase::Voiding | Phase::Voided => {}
                Phase::Refunding | Phase::Refunded | Phase::Tombstone => {}
            }
            assert_eq!((name(known), phase(text)), (text, Some(known)));
        }
        assert_eq!(phase("paid"), None);
    }
}
