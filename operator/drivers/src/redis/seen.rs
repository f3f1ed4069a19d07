//! What each member says: the text of CLUSTER NODES, CLUSTER INFO and INFO as plain values. Pure.

use std::collections::BTreeMap;

/// Slots of a Redis Cluster.
pub(super) const SLOTS: u16 = 16_384;

/// One member and what it told, or why it told nothing.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    pub member: super::Member,
    pub told: Result<Told, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub id: String,
    /// `cluster_state:ok`.
    pub ok: bool,
    pub keys: u64,
    /// The link to its primary is up; true for a primary.
    pub synced: bool,
    /// The address a replica copies from.
    pub copies_from: Option<(String, u16)>,
    /// Every node it knows, itself too.
    pub lines: BTreeMap<String, Line>,
}

/// A node as another (or itself) sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub ip: String,
    pub port: u16,
    pub primary: bool,
    pub primary_id: Option<String>,
    /// Introduced, and not known yet.
    pub handshake: bool,
    /// Others agree that it is gone, or this one suspects it, or its address is not known.
    pub failing: bool,
    /// The bus connection to it stands; true for itself.
    pub linked: bool,
    /// Ranges, both ends included.
    pub slots: Vec<(u16, u16)>,
}

impl Line {
    pub fn slot_count(&self) -> u16 {
        self.slots.iter().map(|(first, last)| last - first + 1).sum()
    }
}

impl Told {
    pub fn own(&self) -> Option<&Line> {
        self.lines.get(&self.id)
    }

    /// Holds nothing and knows nobody: may be given any part.
    pub fn blank(&self) -> bool {
        let alone = self.lines.iter().all(|(id, line)| *id == self.id || line.handshake);
        alone && self.keys == 0 && self.own().is_some_and(|own| own.slots.is_empty())
    }
}

/// Reads the answers of one member. The error says which line could not be understood.
pub(super) fn told(nodes: &str, info: &str, replication: &str, keys: u64) -> Result<Told, String> {
    let mut lines = BTreeMap::new();
    let mut own = None;
    for text in nodes.lines().filter(|text| !text.trim().is_empty()) {
        let (id, line, myself) = line(text).ok_or_else(|| format!("CLUSTER NODES has the line {text:?}"))?;
        if myself {
            own = Some(id.clone());
        }
        lines.insert(id, line);
    }
    let id = own.ok_or_else(|| "CLUSTER NODES has no line of the server itself".to_owned())?;
    let ok = field(info, "cluster_state") == Some("ok");
    let synced = field(replication, "role") != Some("slave") || field(replication, "master_link_status") == Some("up");
    let port = field(replication, "master_port").and_then(|port| port.parse().ok());
    let copies_from = field(replication, "master_host").map(str::to_owned).zip(port);
    Ok(Told {
        id,
        ok,
        keys,
        synced,
        copies_from,
        lines,
    })
}

/// `key:value` of an INFO-like text.
pub(super) fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
        .map(str::trim)
}

/// `<id> <ip:port@bus,…> <flags> <primary> <ping> <pong> <epoch> <link> <slots>…`
fn line(text: &str) -> Option<(String, Line, bool)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [id, address, flags, primary, _ping, _pong, _epoch, link, slots @ ..] = words.as_slice() else {
        return None;
    };
    let (ip, port) = address.split(['@', ',']).next()?.rsplit_once(':')?;
    let has = |flag: &str| flags.split(',').any(|have| have == flag);
    let slots = slots
        .iter()
        .filter(|word| !word.starts_with('['))
        .map(|word| range(word))
        .collect::<Option<_>>()?;
    let line = Line {
        ip: ip.to_owned(),
        port: port.parse().ok()?,
        primary: has("master"),
        primary_id: (*primary != "-").then(|| (*primary).to_owned()),
        handshake: has("handshake"),
        failing: has("fail") || has("fail?") || has("noaddr"),
        linked: *link == "connected",
        slots,
    };
    Some(((*id).to_owned(), line, has("myself")))
}

fn range(word: &str) -> Option<(u16, u16)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && last < SLOTS).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "\
07c3 127.0.0.1:7001@17001,host,shard-id=1 slave,fail? e7d1 0 1426238317239 4 disconnected
e7d1 10.0.0.2:6379@16379 myself,master - 0 0 2 connected 0-5460 5462 [5461->-07c3]
aaaa :0@0 master,noaddr - 0 0 1 disconnected
";

    #[test]
    fn reads_roles_failures_and_slots() {
        let told = told(NODES, "cluster_enabled:1\r\ncluster_state:ok\r\n", "role:master\r\n", 3).expect("readable");
        assert_eq!(
            (told.id.as_str(), told.ok, told.keys, told.synced),
            ("e7d1", true, 3, true)
        );
        assert_eq!(told.own().expect("own line").slots, [(0, 5460), (5462, 5462)]);
        assert_eq!(told.own().expect("own line").slot_count(), 5462);
        let replica = &told.lines["07c3"];
        assert!(!replica.primary && replica.failing && !replica.linked);
        assert_eq!(replica.primary_id.as_deref(), Some("e7d1"));
        assert!(told.lines["aaaa"].failing && !told.blank());
    }

    #[test]
    fn names_the_line_it_cannot_read() {
        let error = told("nonsense", "", "", 0).expect_err("unreadable");
        assert!(error.contains("nonsense"), "{error}");
    }
}
