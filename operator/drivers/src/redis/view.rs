//! What was seen of a Redis: pure data.

/// The whole, as its members report it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Every slot is served and a majority of the members says `cluster_state:ok`; a single server answers.
    pub serving: bool,
    /// Of 16384; a single server counts as 16384.
    pub slots_assigned: u16,
    pub nodes: Vec<Node>,
    /// Why it is not as it should be, in words; empty when all is well.
    pub problems: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The pod's name, when a member answered with this id or has this address.
    pub pod: Option<String>,
    pub id: String,
    pub primary: bool,
    pub primary_id: Option<String>,
    pub slots: u16,
    /// Others reach it over the cluster bus.
    pub linked: bool,
}
