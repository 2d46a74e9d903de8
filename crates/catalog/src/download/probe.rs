//! What a server says about the file before it is asked for it.

use std::collections::HashMap;

use network::{Client, Purpose, Redirects, Request, Response};

use super::answer::{Body, refusal};
use crate::hub::Error;
use crate::manifest::Manifest;

/// What is known of the file on one server.
#[derive(Debug)]
pub struct Source {
    /// The file's address there.
    pub address: String,
    /// The host that said what is known.
    pub host: String,
    /// Its size in bytes.
    pub total_bytes: u64,
    /// The checksum that it must have.
    pub sha256: String,
    /// Whether the server itself said that checksum just now.
    hub_said: bool,
    /// Its entity tag, where the server sends the file itself and says no checksum.
    pub etag: Option<String>,
    /// Where the server sent the last request on to; asked directly as long as that works.
    direct: Option<String>,
    /// The entity tag by host of whoever sent bytes.
    etags: HashMap<String, String>,
}

impl Source {
    /// Whether what the server has is the right file by its own words, so that a new entity tag means nothing.
    pub fn is_certain(&self) -> bool {
        self.hub_said
    }

    /// Asks for the bytes from `at` up to `end`, exclusive.
    pub async fn ask(&mut self, client: &Client, at: u64, end: u64) -> Result<Body, Error> {
        if let Some(direct) = self.direct.take() {
            let response = self.request(client, &direct, at, end).await?;
            // The address may have been good for a while only.
            if !matches!(response.status(), 401 | 403 | 404 | 410) {
                self.direct = Some(direct);
                return self.read_head(response, at, end);
            }
        }
        let response = self.request(client, &self.address, at, end).await?;
        let was_redirected = response.was_redirected().then(|| response.address().to_owned());
        let body = self.read_head(response, at, end)?;
        self.direct = was_redirected;
        Ok(body)
    }

    async fn request(&self, client: &Client, address: &str, at: u64, end: u64) -> Result<Response, Error> {
        let host = network::host_of(address)?;
        // Only a strong tag may stand in `If-Range`.
        let etag = self.etags.get(&host).map(String::as_str).filter(|etag| !etag.starts_with("W/"));
        let request = Request::get(address).range(at, end - 1).if_range(etag);
        Ok(client.send(Purpose::ModelDownload, &request).await?)
    }

    fn read_head(&mut self, response: Response, at: u64, end: u64) -> Result<Body, Error> {
        let known = self.etags.get(response.host()).map(String::as_str);
        let etag = response.header("etag").map(str::to_owned);
        let host = response.host().to_owned();
        let body = Body::new(response, at, end, self.total_bytes, known)?;
        if let Some(etag) = etag {
            self.etags.insert(host, etag);
        }
        Ok(body)
    }
}

/// Asks what the server at `address` says about the file, without following to where the bytes lie: there, addresses are
/// often signed for fetching only.
pub async fn probe(client: &Client, manifest: &Manifest, address: String) -> Result<Source, Error> {
    let head = Request::head(&address);
    let mut said = client.send(Purpose::ModelDownload, &head).await?;
    if is_redirect(said.status()) && hub_hash(&said).is_none() {
        // A mirror that sends everything on knows nothing itself.
        let follow = Request { redirects: Redirects::Follow, ..head };
        said = client.send(Purpose::ModelDownload, &follow).await?;
    }
    let host = said.host().to_owned();
    let status = said.status();
    let knows_nothing = matches!(status, 405 | 501) || (said.was_redirected() && matches!(status, 401 | 403));
    if !knows_nothing && !is_redirect(status) && status != 200 {
        return Err(refusal(&said));
    }
    let hub_hash = hub_hash(&said);
    let sha256 = match (&manifest.sha256, &hub_hash) {
        (Some(published), Some(reported)) if published != reported => {
            let problem = format!("its SHA-256 should be {published} and is {reported}");
            return Err(Error::OtherFile { host, problem });
        }
        (Some(published), _) => published.clone(),
        (None, Some(reported)) => reported.clone(),
        (None, None) => return Err(Error::NoChecksum { host }),
    };
    let own_length = || said.content_length().filter(|_| status == 200);
    let told = said.header_on_the_way("x-linked-size").and_then(|size| size.trim().parse().ok()).or_else(own_length);
    let published = Some(manifest.bytes).filter(|_| manifest.bytes_exact);
    let total_bytes = match (published, told) {
        (Some(published), Some(told)) if published != told => {
            return Err(Error::OtherFile { host, problem: format!("it should have {published} bytes and has {told}") });
        }
        (Some(bytes), _) | (None, Some(bytes)) => bytes,
        (None, None) => {
            return Err(Error::Answer { host, problem: "it does not say how large the model is".to_owned() });
        }
    };
    let etag = said.header("etag").filter(|_| status == 200 && hub_hash.is_none()).map(str::to_owned);
    let mut etags = HashMap::new();
    if let Some(etag) = &etag {
        etags.insert(host.clone(), etag.clone());
    }
    Ok(Source { address, host, total_bytes, sha256, hub_said: hub_hash.is_some(), etag, direct: None, etags })
}

fn is_redirect(status: u16) -> bool {
    (300..400).contains(&status)
}

/// The SHA-256 that the hub keeps for large files: the entity tag of the file itself, which it sends along.
fn hub_hash(said: &Response) -> Option<String> {
    sha256_of_tag(said.header_on_the_way("x-linked-etag")?)
}

fn sha256_of_tag(tag: &str) -> Option<String> {
    let hash = tag.trim().trim_start_matches("W/").trim_matches('"').to_ascii_lowercase();
    (hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_checksum_is_taken_for_one() {
        let hash = "AB".repeat(32);
        assert_eq!(sha256_of_tag(&format!("\"{hash}\"")), Some("ab".repeat(32)));
        assert_eq!(sha256_of_tag(&format!("W/\"{hash}\"")), Some("ab".repeat(32)));
        for other in ["", "\"\"", "\"0123456789012345678901234567890123456789\"", &"zz".repeat(32)] {
            assert_eq!(sha256_of_tag(other), None, "{other}");
        }
    }
}
