//! The fault script: rules that make chosen requests go wrong in a chosen way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use crate::log::locked;

/// How a request goes wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// This status, headers and body instead of an answer; nothing is stored.
    Status {
        /// HTTP status code; one outside 100..=999 becomes 500.
        code: u16,
        /// Extra headers; one that is named twice comes twice.
        headers: Vec<(String, String)>,
        /// The whole body.
        body: Bytes,
    },
    /// The request is handled only after this time.
    Delay(Duration),
    /// The connection ends before anything is read or answered.
    Drop,
    /// The connection ends after this many body bytes of the request were read.
    CutRequest(u64),
    /// The request is handled in full, then the connection ends without an answer.
    LoseAnswer,
    /// The head announces the true length, the connection ends after this many body bytes.
    CutResponse(u64),
    /// The answer ends properly after this many body bytes, and announces that length.
    Truncate(u64),
    /// The head announces this length, whatever the body has; the connection ends when the body does.
    AnnounceLength(u64),
    /// Other body bytes of any length, all headers but `Content-Length` as they were.
    Body(Bytes),
    /// One bit is wrong in the body byte at this position.
    FlipByte(u64),
    /// The body never ends; no length is announced.
    Endless,
    /// The body comes in parts of this many bytes with a pause before each.
    Drip(usize, Duration),
    /// A response header is set to this value (`Content-Type`, `Docker-Content-Digest`, `Location`, `Link`, ...).
    SetHeader(String, String),
    /// A response header is left out.
    RemoveHeader(String),
    /// The request is handled as if it had asked for everything: without its `Range`.
    IgnoreRange,
    /// 307 to the same path and query at this origin, a URL without a slash at the end.
    Redirect(String),
}

impl Fault {
    /// An error answer with one registry error code.
    #[must_use]
    pub fn error(code: u16, registry_code: &str) -> Self {
        let body = serde_json::json!({ "errors": [{ "code": registry_code, "message": "by script" }] });
        Self::Status {
            code,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from(body.to_string()),
        }
    }

    /// 429 with a `Retry-After` header as given: seconds or an HTTP date.
    #[must_use]
    pub fn too_many_requests(retry_after: &str) -> Self {
        let mut fault = Self::error(429, "TOOMANYREQUESTS");
        if let Self::Status { headers, .. } = &mut fault {
            headers.push(("retry-after".to_owned(), retry_after.to_owned()));
        }
        fault
    }

    /// Another digest in `Docker-Content-Digest` than the content has.
    #[must_use]
    pub fn wrong_digest() -> Self {
        Self::SetHeader("docker-content-digest".to_owned(), format!("sha256:{}", "0".repeat(64)))
    }

    /// Another `Content-Type`.
    #[must_use]
    pub fn content_type(value: &str) -> Self {
        Self::SetHeader("content-type".to_owned(), value.to_owned())
    }
}

/// Which requests a fault applies to.
#[derive(Clone, Debug)]
pub struct Rule {
    method: String,
    target: String,
    skip: u64,
    times: u64,
    fault: Fault,
}

impl Rule {
    /// The first request with this method (`*` is any) whose path and query match `target`, in which `*` stands for
    /// any run of characters, slashes included.
    #[must_use]
    pub fn new(method: &str, target: &str, fault: Fault) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), skip: 0, times: 1, fault }
    }

    /// Begins with the nth matching request, counted from 1.
    #[must_use]
    pub const fn nth(mut self, nth: u64) -> Self {
        self.skip = nth.saturating_sub(1);
        self
    }

    /// Applies to so many matching requests in a row.
    #[must_use]
    pub const fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// Applies to all matching requests from the nth on.
    #[must_use]
    pub const fn always(mut self) -> Self {
        self.times = u64::MAX;
        self
    }
}

/// The rules of one registry. Cheap to clone; clones share the rules.
#[derive(Clone, Debug, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    fired: u64,
}

impl Script {
    /// Adds a rule. Of several rules that match a request the oldest applies; all of them count it.
    pub fn add(&self, rule: Rule) {
        locked(&self.0).rules.push(rule);
    }

    /// Shorthand for [`Script::add`] with a [`Rule::new`].
    pub fn once(&self, method: &str, target: &str, fault: Fault) {
        self.add(Rule::new(method, target, fault));
    }

    /// Forgets all rules.
    pub fn clear(&self) {
        locked(&self.0).rules.clear();
    }

    /// How many requests met a fault so far.
    #[must_use]
    pub fn fired(&self) -> u64 {
        locked(&self.0).fired
    }

    /// Rules that still wait for a request; a test that expects its faults to happen asserts zero.
    #[must_use]
    pub fn pending(&self) -> usize {
        locked(&self.0).rules.iter().filter(|rule| rule.times > 0 && rule.times < u64::MAX).count()
    }

    /// The fault for this request, if any.
    pub(crate) fn judge(&self, method: &str, target: &str) -> Option<Fault> {
        let mut state = locked(&self.0);
        let mut verdict = None;
        for rule in &mut state.rules {
            if (rule.method != "*" && rule.method != method) || !matches(&rule.target, target) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.times > 0 && verdict.is_none() {
                rule.times = if rule.times == u64::MAX { u64::MAX } else { rule.times - 1 };
                verdict = Some(rule.fault.clone());
            }
        }
        state.fired += u64::from(verdict.is_some());
        verdict
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let table = [
            ("/v2/", "/v2/", true),
            ("/v2/", "/v2/a", false),
            ("*", "", true),
            ("/v2/*/blobs/*", "/v2/a/b/blobs/x", true),
            ("/v2/*/blobs/*", "/v2/a/b/tags/x", false),
            ("*list", "/v2/a/tags/list", true),
            ("*list", "/v2/a/tags/list?n=1", false),
            ("a*a", "a", false),
        ];
        for (pattern, text, fits) in table {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn rules_count_their_own_requests() {
        let script = Script::default();
        script.add(Rule::new("GET", "/a*", Fault::Drop).nth(2).times(2));
        script.add(Rule::new("*", "/b", Fault::Endless).always());
        let met: Vec<_> =
            ["/a", "/b", "/a1", "/a", "/a"].iter().map(|t| script.judge("GET", t).is_some()).collect();
        assert_eq!(met, [false, true, true, true, false]);
        assert!(script.judge("PUT", "/a").is_none());
        assert!(script.judge("PUT", "/b").is_some());
        assert_eq!((script.fired(), script.pending()), (4, 0));
    }
}
