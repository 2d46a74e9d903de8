//! What was asked and what was sent.

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GET` or `HEAD`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// First and last byte, inclusive.
    pub range: Option<(u64, u64)>,
    /// The entity tag that the range is meant for.
    pub if_range: Option<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Host` header.
    pub host: String,
    /// Number of the connection, from 1.
    pub connection: u64,
}

/// Everything since the server started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Connections that came in.
    pub connections: u64,
    /// Requests in the order of their coming.
    pub asked: Vec<Asked>,
    /// Runs of the file that were handed to the system for sending: first byte and length.
    pub sent: Vec<(u64, u64)>,
}

impl Record {
    /// Bytes of the file that were sent, each time counted.
    pub fn sent_bytes(&self) -> u64 {
        self.sent.iter().map(|(_, length)| length).sum()
    }

    /// Bytes of the file that were sent at least once.
    pub fn covered_bytes(&self) -> u64 {
        let mut runs = self.sent.clone();
        runs.sort_unstable();
        let (mut covered, mut end) = (0, 0);
        for (start, length) in runs {
            let run_end = start + length;
            covered += run_end.saturating_sub(start.max(end));
            end = end.max(run_end);
        }
        covered
    }

    /// Bytes that were sent although they had been sent before.
    pub fn repeated_bytes(&self) -> u64 {
        self.sent_bytes() - self.covered_bytes()
    }

    /// Requests for the file itself.
    pub fn gets(&self) -> usize {
        self.asked.iter().filter(|asked| asked.method == "GET").count()
    }
}

/// `bytes=FIRST-LAST`; other forms are not served.
pub(crate) fn parse_range(text: &str) -> Option<(u64, u64)> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    Some((start.parse().ok()?, end.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_sent_twice_are_counted_once_too_often() {
        let record = |sent: &[(u64, u64)]| Record { sent: sent.to_vec(), ..Record::default() };
        assert_eq!(record(&[(0, 10), (10, 10)]).repeated_bytes(), 0);
        assert_eq!(record(&[(0, 10), (5, 10)]).repeated_bytes(), 5);
        assert_eq!(record(&[(20, 5), (0, 10), (0, 10), (2, 3)]).repeated_bytes(), 13);
        assert_eq!(record(&[(20, 5), (0, 10), (0, 10), (2, 3)]).covered_bytes(), 15);
    }
}
