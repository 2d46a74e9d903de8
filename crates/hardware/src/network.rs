//! Whether this computer is connected to any network, seen without using one.

use std::net::IpAddr;
use sysinfo::Networks;

/// Whether an interface other than loopback has an address that others could reach. It says nothing about what lies
/// behind, and nothing is sent to find out. Takes about a millisecond.
pub fn is_connected() -> bool {
    let Ok(interfaces) = Networks::new_with_refreshed_list() else { return false };
    interfaces.values().flat_map(|interface| interface.ip_networks()).any(|network| is_reachable(network.addr))
}

/// Every interface gives itself a link-local IPv6 address, also where nothing is plugged in.
fn is_reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !address.is_loopback() && !address.is_unspecified(),
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unspecified() && !address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_addresses_that_cost_nothing_do_not_count() {
        let reachable = |text: &str| is_reachable(text.parse().expect("an address"));
        for (address, expected) in [
            ("127.0.0.1", false),
            ("127.8.8.8", false),
            ("0.0.0.0", false),
            ("::1", false),
            ("fe80::1", false),
            ("192.168.1.7", true),
            ("169.254.3.4", true),
            ("2001:db8::7", true),
            ("fd00::7", true),
        ] {
            assert_eq!(reachable(address), expected, "{address}");
        }
    }

    #[test]
    fn this_machine_can_be_asked() {
        // Either answer is right; what matters is that there is one.
        let _ = is_connected();
    }
}
