//! Pages: the parameters `n` and `last`, and the `Link` to the next page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::LINK;

use super::answer::{ApiError, Reply, bad_request};
use super::exchange::Call;
use super::query::query_encode;
use crate::quirk::Quirk;

/// The entries of one page, and whether more follow.
pub(crate) struct Page<T> {
    pub(crate) entries: Vec<T>,
    more: bool,
    limit: Option<usize>,
}

impl<T> Page<T> {
    /// The page that the call asks for out of `all`, which is sorted by `key`.
    pub(crate) fn of(
        call: &Call<'_>,
        all: impl Iterator<Item = T>,
        key: impl Fn(&T) -> &str,
    ) -> Result<Self, ApiError> {
        let asked = match call.query.first("n") {
            None => None,
            Some(text) => Some(text.parse::<usize>().map_err(|_| {
                bad_request("PAGINATION_NUMBER_INVALID", format!("n={text:?} is not a number of entries"))
            })?),
        };
        let limit = [asked, call.state.options.page_size].into_iter().flatten().min();
        let limit = limit.filter(|_| !call.state.has(Quirk::PageSizeIgnored));
        let mut last = call.query.first("last").map(str::to_owned);
        if call.state.has(Quirk::OpaquePages) {
            if last.is_some() {
                call.bite(Quirk::OpaquePages);
            }
            last = call.query.first("next_page").and_then(opened);
        }
        let mut rest = all.filter(|entry| last.as_ref().is_none_or(|last| key(entry) > last.as_str()));
        let entries: Vec<T> = rest.by_ref().take(limit.unwrap_or(usize::MAX)).collect();
        // Without entries there is nothing to go on from.
        let more = !entries.is_empty() && rest.next().is_some();
        Ok(Self { entries, more, limit })
    }

    /// Adds `Link` when more follows. `path` may have a query of its own; `last` is the key of the last entry.
    pub(crate) fn link(&self, call: &Call<'_>, reply: Reply, path: &str, last: Option<&str>) -> Reply {
        let (true, Some(last), Some(limit)) = (self.more, last, self.limit) else { return reply };
        let joint = if path.contains('?') { '&' } else { '?' };
        let next = if call.state.has(Quirk::OpaquePages) {
            format!("next_page={}", query_encode(&STANDARD.encode(last)))
        } else {
            format!("last={}", query_encode(last))
        };
        let url = call.url(&format!("{path}{joint}n={limit}&{next}"));
        reply.header(LINK, format!("<{url}>; rel=\"next\""))
    }
}

/// What a page's token says.
fn opened(token: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(token).ok()?).ok()
}
