//! Stock: reserve, claim, release; never more than there is.
