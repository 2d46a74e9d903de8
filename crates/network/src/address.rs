//! Which addresses Aula connects to, and where it follows a request that is sent on.

use reqwest::Url;

use crate::error::Error;
use crate::gate::Purpose;
use crate::nearby;

/// An address that Aula connects to for `purpose`: `https`, or plain `http` to this very computer; for a school's server
/// also plain `http` to where only the same building's network reaches ([`nearby`]).
///
/// # Errors
/// If `text` is no such address, or carries a name and a password although words are sent there.
pub fn parse(purpose: Purpose, text: &str) -> Result<Url, Error> {
    let refused = || Error::Address { address: shown(text) };
    let url = Url::parse(text).map_err(|_| refused())?;
    let protected = match url.scheme() {
        "https" => true,
        "http" => is_this_computer(&url) || (purpose == Purpose::SchoolServer && nearby::host(&url)),
        _ => false,
    };
    let carries_secret = !url.username().is_empty() || url.password().is_some();
    if url.host_str().is_none() || !protected || (carries_secret && purpose.sends_words()) {
        return Err(refused());
    }
    Ok(url)
}

/// The host of an address that Aula downloads from.
///
/// # Errors
/// If `address` is no such address: `https`, or plain `http` to this very computer.
pub fn host_of(address: &str) -> Result<String, Error> {
    host_for(Purpose::ModelDownload, address)
}

/// The host of an address that Aula connects to for `purpose`.
///
/// # Errors
/// If `address` is no such address: `https`, or plain `http` to this very computer; for [`Purpose::SchoolServer`] also
/// plain `http` to a private or link-local address, a name in `.local`, `.lan` or `.home.arpa`, or a name without a dot.
pub fn host_for(purpose: Purpose, address: &str) -> Result<String, Error> {
    parse(purpose, address).map(|url| host(&url))
}

/// Where `from` sends a request on to.
///
/// # Errors
/// If that is no address, or a connection less safe than the one before.
pub fn redirected(from: &Url, location: Option<&str>) -> Result<Url, Error> {
    let refused = |problem| Error::Redirect { host: host(from), problem };
    let location = location.ok_or(refused("without saying where"))?;
    let to = from.join(location).map_err(|_| refused("to no address"))?;
    match (from.scheme(), to.scheme()) {
        _ if to.host_str().is_none() => Err(refused("to no address")),
        (_, "https") => Ok(to),
        ("http", "http") if is_this_computer(from) && is_this_computer(&to) => Ok(to),
        _ => Err(refused("over an unprotected connection")),
    }
}

/// The host for people and for the record.
pub fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Scheme, host and port: what one pool of connections serves.
pub fn origin(url: &Url) -> String {
    format!("{}://{}:{}", url.scheme(), host(url), url.port_or_known_default().unwrap_or_default())
}

fn is_this_computer(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// `text` without what may be secret in it.
fn shown(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let text = &text[..end];
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &text[..scheme + 3], &text[at + 1..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_protected_addresses_and_this_computer() {
        for good in ["https://huggingface.co/a/b", "http://127.0.0.1:8080/x", "http://[::1]:1/", "http://localhost/"] {
            assert!(parse(Purpose::ModelDownload, good).is_ok(), "{good}");
        }
        for bad in
            ["http://huggingface.co/a", "ftp://a/b", "file:///etc/passwd", "data:text/plain,x", "hub", "https://"]
        {
            assert!(parse(Purpose::ModelDownload, bad).is_err(), "{bad}");
        }
        let address = "http://me:secret@host/path?signature=1";
        let error = parse(Purpose::ModelDownload, address).expect_err("plain http").to_string();
        assert_eq!(error, "`http://host/path` is not an address that Aula connects to");
    }

    #[test]
    fn plain_http_reaches_a_school_server_nearby_and_nothing_else() {
        let near = [
            "http://192.168.1.20:8000/v1",
            "http://10.0.0.1",
            "http://172.31.255.255",
            "http://100.64.0.7",
            "http://169.254.1.1",
            "http://127.9.9.9",
            "http://[fd12::1]:8000",
            "http://[fe80::1]",
            "http://[::ffff:192.168.1.1]",
            "http://aula.local",
            "http://aula.LOCAL.:80/",
            "http://server.lan",
            "http://box.home.arpa",
            "http://aula-server:8000",
            "https://llm.school.example/v1",
        ];
        for address in near {
            assert!(parse(Purpose::SchoolServer, address).is_ok(), "{address}");
            let everywhere = address.starts_with("https");
            assert_eq!(parse(Purpose::CloudBoost, address).is_ok(), everywhere, "{address}");
            assert_eq!(parse(Purpose::ModelDownload, address).is_ok(), everywhere, "{address}");
        }
        let far = [
            "http://8.8.8.8",
            "http://172.32.0.1",
            "http://100.128.0.1",
            "http://192.169.0.1",
            "http://134744072",
            "http://[2001:db8::1]",
            "http://[::ffff:8.8.8.8]",
            "http://school.example",
            "http://evil.local.example",
            "http://.local",
            "http://me:secret@192.168.1.1",
            "https://me@school.example",
            "ws://192.168.1.1",
            "192.168.1.1:8000",
        ];
        for address in far {
            assert!(parse(Purpose::SchoolServer, address).is_err(), "{address}");
        }
    }

    #[test]
    fn a_redirect_never_leads_to_less_protection() {
        let from = |text| Url::parse(text).expect("an address");
        let hub = from("https://hub.example/a/b");
        assert_eq!(
            redirected(&hub, Some("https://cdn.example/x?y")).expect("fine").as_str(),
            "https://cdn.example/x?y"
        );
        assert_eq!(redirected(&hub, Some("/c")).expect("fine").as_str(), "https://hub.example/c");
        for bad in [None, Some("http://hub.example/a"), Some("http://127.0.0.1/a"), Some("ftp://x/"), Some("https://")]
        {
            assert!(redirected(&hub, bad).is_err(), "{bad:?}");
        }
        let test = from("http://127.0.0.1:1/a");
        assert!(redirected(&test, Some("http://localhost:2/b")).is_ok());
        assert!(redirected(&test, Some("http://cdn.example/b")).is_err());
    }
}
