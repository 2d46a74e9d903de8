//! What counts as near: addresses and names that only computers of the same network reach.
//!
//! A school's server often has no certificate. Its words may cross the building's own network unprotected, never the
//! internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Endings of names that no public name service answers.
const PRIVATE_ENDINGS: [&str; 3] = [".local", ".lan", ".home.arpa"];

/// Whether the host of `url` is near: a near address, a name in a private zone, or a name without a dot.
pub fn host(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return self::address(address);
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let in_private_zone = |ending: &str| name.strip_suffix(ending).is_some_and(|rest| !rest.is_empty());
    !name.is_empty() && (!name.contains('.') || PRIVATE_ENDINGS.iter().any(|ending| in_private_zone(ending)))
}

/// Whether `address` is this computer, private (RFC 1918, RFC 6598, RFC 4193) or link-local.
pub fn address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

fn v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    address.is_loopback() || address.is_private() || address.is_link_local() || is_shared
}

fn v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return v4(inner);
    }
    address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
}
