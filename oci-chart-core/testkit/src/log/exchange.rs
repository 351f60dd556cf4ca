//! One request and its answer.

use std::time::Duration;

/// Which listener of the registry took a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The registry itself.
    Registry,
    /// The second origin that blob downloads may be redirected to.
    Storage,
    /// The token server, when it has a port of its own.
    Token,
}

/// What a request asked for, by method and endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each name says the method and the endpoint")]
pub enum Class {
    Ping,
    Catalog,
    ManifestGet,
    ManifestHead,
    ManifestPut,
    ManifestDelete,
    BlobGet,
    BlobHead,
    BlobDelete,
    UploadPost,
    UploadPatch,
    UploadPut,
    UploadStatus,
    UploadCancel,
    Mount,
    Tags,
    Referrers,
    Token,
    Storage,
    Other,
}

/// One request and its answer, as the log shows it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// The listener.
    pub origin: Origin,
    /// Number of the TCP connection, from 1.
    pub connection: u64,
    /// Method and endpoint.
    pub class: Class,
    /// HTTP method.
    pub method: String,
    /// Path with query, as sent.
    pub target: String,
    /// Status of the answer; `None` when there was none, or not yet.
    pub status: Option<u16>,
    /// Body bytes received.
    pub bytes_in: u64,
    /// Body bytes handed to the connection.
    pub bytes_out: u64,
    /// Scheme of the `Authorization` header (`Basic`, `Bearer`), never what follows it.
    pub authorization: Option<String>,
    /// Request headers in the order sent, names in lower case; values of secret headers are replaced.
    pub headers: Vec<(String, String)>,
    /// When the head of the request was read, since the registry started.
    pub started: Duration,
    /// When the head of the answer was ready.
    pub answered: Option<Duration>,
    /// Whether a rule of the fault script applied.
    pub faulted: bool,
}

impl Exchange {
    /// First value of a request header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Method, path and status in one line, handy in failed assertions.
    #[must_use]
    pub fn line(&self) -> String {
        let status = self.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        format!("{} {} {status}", self.method, self.target)
    }
}
