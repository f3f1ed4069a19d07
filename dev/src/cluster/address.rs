//! Every address, name and port of the embedded cluster, once. Pure.

pub const BRIDGE: &str = "shopbr0";
pub const HOST: &str = "198.18.0.1";
pub const RANGE: &str = "198.18.0.0/15";
pub const PODS: &str = "198.18.0.0/16";
pub const SERVICES: &str = "198.19.0.0/16";
pub const API_SERVICE: &str = "198.19.0.1";
pub const DNS: &str = "198.19.0.10";
pub const API_PORT: u16 = 6443;
pub const REGISTRY: &str = "198.18.0.1:5000";
pub const REGISTRY_PORT: u16 = 5000;
pub const ETCD_CLIENT: &str = "http://127.0.0.1:12379";
pub const ETCD_PORT: u16 = 12379;
pub const ETCD_PEER: &str = "http://127.0.0.1:12380";
pub const CONTROLLER_MANAGER_PORT: u16 = 10257;
pub const SCHEDULER_PORT: u16 = 10259;
/// Most nodes that the address plan has room for.
pub const MOST_NODES: u8 = 9;

/// One node; numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node(pub u8);

impl Node {
    pub fn all(count: u8) -> impl Iterator<Item = Node> {
        (1..=count).map(Node)
    }

    pub fn named(name: &str, count: u8) -> Option<Node> {
        Node::all(count).find(|node| node.name() == name)
    }

    pub fn name(self) -> String {
        format!("node{}", self.0)
    }

    pub fn address(self) -> String {
        format!("198.18.0.1{}", self.0)
    }

    pub fn pods(self) -> String {
        format!("198.18.11{}.0/24", self.0)
    }

    /// The network namespace, the host's end of its cable and its cgroup all bear this name.
    pub fn handle(self) -> String {
        format!("shop-{}", self.name())
    }
}

pub fn api_server() -> String {
    format!("https://{HOST}:{API_PORT}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_the_same_by_itself_and_in_an_address() {
        assert!(REGISTRY.ends_with(&format!(":{REGISTRY_PORT}")));
        assert!(ETCD_CLIENT.ends_with(&format!(":{ETCD_PORT}")));
    }

    #[test]
    fn nodes_have_fixed_addresses() {
        let node = Node::named("node3", 3).unwrap();
        assert_eq!(
            (node.address(), node.pods()),
            ("198.18.0.13".into(), "198.18.113.0/24".into())
        );
        assert!(Node::named("node4", 3).is_none());
        assert!(
            Node(MOST_NODES).handle().len() <= 15,
            "interface names have at most 15 letters"
        );
    }
}
