//! Which addresses Aula connects to, and where it follows a request that is sent on.

use reqwest::Url;

use crate::error::Error;

/// An address that Aula connects to: `https`, or plain `http` to this very computer.
///
/// # Errors
/// If `text` is no such address.
pub fn parse(text: &str) -> Result<Url, Error> {
    let refused = || Error::Address { address: shown(text) };
    let url = Url::parse(text).map_err(|_| refused())?;
    if url.host_str().is_none() || !(url.scheme() == "https" || (url.scheme() == "http" && is_this_computer(&url))) {
        return Err(refused());
    }
    Ok(url)
}

/// The host of an address that Aula connects to.
///
/// # Errors
/// If `address` is no such address: `https`, or plain `http` to this very computer.
pub fn host_of(address: &str) -> Result<String, Error> {
    parse(address).map(|url| host(&url))
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
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in
            ["http://huggingface.co/a", "ftp://a/b", "file:///etc/passwd", "data:text/plain,x", "hub", "https://"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let error = parse("http://me:secret@host/path?signature=1").expect_err("plain http").to_string();
        assert_eq!(error, "`http://host/path` is not an address that Aula connects to");
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
