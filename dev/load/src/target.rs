//! Where load may go: loopback and the embedded cluster's own range, which nobody else's machine has (RFC 2544). A name
//! is refused, because it may lead anywhere tomorrow.

use anyhow::{Context, bail};
use std::net::IpAddr;

const CLUSTER: [u8; 2] = [198, 18];

/// The URL without its last slash, when its host is allowed.
pub fn url(text: &str) -> anyhow::Result<String> {
    if text.is_empty() {
        bail!("no gateway: pass --gateway http://ADDRESS:PORT, or use ./shop load");
    }
    let rest = text
        .strip_prefix("http://")
        .with_context(|| format!("`{text}` must begin with http://"))?;
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    self::host(host)?;
    Ok(text.trim_end_matches('/').to_owned())
}

pub fn host(text: &str) -> anyhow::Result<()> {
    let refused = || format!("`{text}` is no target: only loopback and 198.18.0.0/15 addresses are, by number");
    if text == "localhost" {
        return Ok(());
    }
    let address: IpAddr = text.parse().with_context(refused)?;
    let allowed = match address {
        IpAddr::V4(four) => {
            four.is_loopback() || (four.octets()[0] == CLUSTER[0] && four.octets()[1] & 0xfe == CLUSTER[1])
        }
        IpAddr::V6(six) => six.is_loopback(),
    };
    if !allowed {
        bail!(refused());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_a_target() {
        for good in [
            "http://127.0.0.1:8080",
            "http://198.18.0.11:30080/",
            "http://198.19.3.4",
            "http://[::1]:80",
            "http://localhost:1",
        ] {
            assert!(url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "https://127.0.0.1",
            "http://10.0.0.1:80",
            "http://example.com",
            "http://198.20.0.1",
            "http://198.17.0.1:80",
            "http://127.0.0.1.example.com",
            "http://user@10.0.0.1:80",
            "http://0.0.0.0:80",
            "http://[::2]:80",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
        let told = format!("{:#}", url("http://example.com").unwrap_err());
        assert!(told.contains("198.18.0.0/15") && told.contains("example.com"), "{told}");
    }
}
