//! The address of a school's server, as a person types it.

use network::Purpose;

use crate::error::Error;

/// What people copy along with the address; longest first.
const ENDINGS: &[&str] = &["/v1/chat/completions", "/v1/models", "/chat/completions", "/v1"];
/// Ports that speak TLS by custom, where no scheme says otherwise.
const SECURE_PORTS: &[&str] = &["443", "8443"];

/// Where a school's server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Scheme, host, port and path before `/v1`, without a slash at the end.
    base: String,
    host: String,
}

impl Address {
    /// Reads `aula.school.local:8000`, with or without `http://` or `https://` before it and `/v1` behind it. Without a
    /// scheme it is `http` where only the building's own network reaches and `https` everywhere else.
    ///
    /// # Errors
    /// If it is no address, would send words unprotected through the internet, or holds a name and password.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim().trim_end_matches('/');
        let text = ENDINGS.iter().find_map(|ending| text.strip_suffix(ending)).unwrap_or(text).trim_end_matches('/');
        if text.is_empty() || text.ends_with(':') {
            return Err(refused("there is no address"));
        }
        if text.contains(|character: char| character.is_whitespace() || matches!(character, '?' | '#' | '\\')) {
            return Err(refused("an address has no spaces, `?` or `#` in it"));
        }
        let base = match text.split_once("://") {
            Some((scheme, rest)) => format!("{}://{rest}", scheme.to_ascii_lowercase()),
            None => with_scheme(text),
        };
        let (scheme, rest) = base.split_once("://").unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        // Also behind a slash: a token that holds one would end up in what is taken for the path.
        if rest.contains('@') {
            return Err(refused("a token goes in its own field, not into the address"));
        }
        if path.contains(|character: char| !character.is_ascii_alphanumeric() && !"-._~/".contains(character)) {
            return Err(refused(
                "the part behind the server's name has only letters, digits, `-`, `.`, `_`, `~` and `/`",
            ));
        }
        match network::host_for(Purpose::SchoolServer, &base) {
            Ok(host) => Ok(Self { host, base }),
            Err(_)
                if scheme == "http" && network::host_for(Purpose::SchoolServer, &format!("https://{rest}")).is_ok() =>
            {
                Err(refused(&format!(
                    "what is asked would travel unprotected to `{authority}`: write https://, or use an address of this \
                     building's own network"
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The computer's name or number.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Scheme, host and port: what a token belongs to.
    pub fn origin(&self) -> &str {
        let after_scheme = self.base.find("://").map_or(0, |at| at + 3);
        let end = self.base[after_scheme..].find('/').map_or(self.base.len(), |at| after_scheme + at);
        &self.base[..end]
    }

    /// The address of `path`, which begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

fn with_scheme(text: &str) -> String {
    let (authority, _) = text.split_once('/').unwrap_or((text, ""));
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    let near = format!("http://{text}");
    let secure = port.is_some_and(|port| SECURE_PORTS.contains(&port));
    if !secure && network::host_for(Purpose::SchoolServer, &near).is_ok() { near } else { format!("https://{text}") }
}

fn refused(what: &str) -> Error {
    Error::Request { what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use errors::{ErrorCode, Explain};

    #[test]
    fn addresses_are_read_as_people_type_them() {
        for (text, models, host) in [
            ("aula.school.local:8000", "http://aula.school.local:8000/v1/models", "aula.school.local"),
            (" http://aula.school.local:8000/v1/ ", "http://aula.school.local:8000/v1/models", "aula.school.local"),
            ("192.168.1.20:8080/", "http://192.168.1.20:8080/v1/models", "192.168.1.20"),
            ("localhost:11434", "http://localhost:11434/v1/models", "localhost"),
            ("aula-server", "http://aula-server/v1/models", "aula-server"),
            ("[fd12::1]:8000", "http://[fd12::1]:8000/v1/models", "[fd12::1]"),
            ("llm.school.example", "https://llm.school.example/v1/models", "llm.school.example"),
            ("https://school.example/llm/v1", "https://school.example/llm/v1/models", "school.example"),
            ("HTTPS://school.example/v1/chat/completions", "https://school.example/v1/models", "school.example"),
            ("10.0.0.5:8443", "https://10.0.0.5:8443/v1/models", "10.0.0.5"),
            ("https://10.0.0.5:8000/v1/models", "https://10.0.0.5:8000/v1/models", "10.0.0.5"),
        ] {
            let address = Address::parse(text).expect(text);
            assert_eq!((address.at("/v1/models").as_str(), address.host()), (models, host), "{text}");
        }
    }

    #[test]
    fn a_token_belongs_to_an_origin() {
        let origin = |text| Address::parse(text).expect(text).origin().to_owned();
        assert_eq!(origin("https://school.example/llm/v1"), "https://school.example");
        assert_eq!(origin("aula.local:8000"), "http://aula.local:8000");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, words) in [
            ("", "no address"),
            ("  ", "no address"),
            ("aula local", "no spaces"),
            ("http://aula.local/?key=secret", "no spaces"),
            ("http://me:secret@192.168.1.2", "its own field"),
            ("http://secret+8/e2=%&\"@192.168.1.2", "its own field"),
            ("http://192.168.1.2/a?secret", "no spaces"),
            ("http://192.168.1.2/key=secret", "only letters"),
            ("http://school.example:8000", "unprotected to `school.example:8000`"),
            ("http://8.8.8.8", "unprotected"),
        ] {
            let error = Address::parse(text).expect_err(text);
            assert_eq!(error.code(), ErrorCode::InvalidRequest, "{text}");
            assert!(error.to_string().contains(words), "{text}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for text in ["ftp://aula.local", "file:///etc/passwd", "http://", "https://"] {
            assert_eq!(Address::parse(text).expect_err(text).code(), ErrorCode::InvalidRequest, "{text}");
        }
    }
}
