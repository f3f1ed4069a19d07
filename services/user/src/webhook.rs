//! Which addresses a customer's webhook may have. A shop that calls any address would let strangers knock at its inner
//! doors, so only http and https to public addresses are taken: refused when the webhook is set, and again, after the
//! name was looked up, at every delivery.

use reqwest::Url;
use shop_kit_config::Env;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// `allow` lets webhooks reach private addresses, for shops whose customers are in the same network.
pub const WEBHOOKS_PRIVATE: &str = "SHOP_WEBHOOKS_PRIVATE";
const LONGEST: usize = 2000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookRules {
    pub private: bool,
}

struct Allow(bool);

impl FromStr for Allow {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "allow" => Ok(Self(true)),
            "refuse" => Ok(Self(false)),
            _ => Err("must be allow or refuse"),
        }
    }
}

impl WebhookRules {
    pub fn read(env: &Env) -> Option<Self> {
        let Allow(private) = env.parsed_or(WEBHOOKS_PRIVATE, Allow(false))?;
        Some(Self { private })
    }

    /// The address, or what is wrong with it. Names are not looked up here.
    pub fn check(self, text: &str) -> Result<Url, &'static str> {
        if text.len() > LONGEST {
            return Err("must be at most 2000 bytes");
        }
        let url = Url::parse(text).map_err(|_| "must be an absolute URL")?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err("must begin with https:// or http://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user or a password");
        }
        let host = url.host_str().ok_or("must name a host")?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let allowed = match bare.parse::<IpAddr>() {
            Ok(address) => self.may_reach(address),
            Err(_) => self.private || !inner_name(host),
        };
        allowed.then_some(url).ok_or("must lead to a public address")
    }

    pub fn may_reach(self, address: IpAddr) -> bool {
        self.private || public(address)
    }
}

/// Names that cannot be public: without a dot, or of a domain that is reserved for inside (RFC 6761, RFC 6762, RFC 9476).
fn inner_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let ends = [
        "localhost",
        "local",
        "internal",
        "home.arpa",
        "alt",
        "test",
        "invalid",
        "onion",
        "svc",
    ];
    !host.contains('.')
        || ends
            .iter()
            .any(|end| host == *end || host.ends_with(&format!(".{end}")))
}

fn public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(inner) => public_v4(inner),
            None => public_v6(address),
        },
    }
}

/// IANA IPv4 Special-Purpose Address Registry: whatever is not globally reachable, and multicast.
fn public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !special
}

/// Only what is handed out as global unicast (2000::/3), without documentation and what carries IPv4 inside (6to4,
/// Teredo).
fn public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let global = first & 0xe000 == 0x2000;
    let documentation = (first == 0x2001 && second == 0x0db8) || first == 0x3fff;
    let carries_v4 = first == 0x2002 || (first == 0x2001 && second == 0);
    global && !documentation && !carries_v4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_taken() {
        for url in [
            "https://example.com/hook?x=1",
            "http://93.184.216.34:8080/",
            "https://[2606:2800:220:1::1]/",
        ] {
            assert!(WebhookRules::default().check(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn inner_and_strange_addresses_are_refused() {
        for url in [
            "ftp://example.com/",
            "example.com",
            "https://user:secret@example.com/",
            "http://localhost/",
            "http://shop-order:8080/",
            "http://kubernetes.default.svc.cluster.local/",
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://10.0.0.1/",
            "http://172.16.0.1/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest",
            "http://100.64.0.1/",
            "http://198.18.0.1/",
            "http://0.0.0.0/",
            "http://224.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "http://[2002:7f00:1::]/",
        ] {
            assert!(WebhookRules::default().check(url).is_err(), "{url}");
        }
        let long = format!("https://example.com/{}", "a".repeat(2000));
        assert!(WebhookRules::default().check(&long).is_err());
    }

    #[test]
    fn private_addresses_can_be_allowed() {
        let rules = WebhookRules { private: true };
        assert!(rules.check("http://127.0.0.1:9000/").is_ok() && rules.check("http://hooks/").is_ok());
        assert!(rules.check("ftp://127.0.0.1/").is_err());
    }
}
