//! A fault of the script at work on one exchange.

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue, RANGE};
use hyper::{HeaderMap, StatusCode};

use super::answer::{Content, Refusal, Reply};
use super::body::{Bend, BrokenOff};
use crate::log::Entry;
use crate::script::Fault;

/// The fault of one exchange, if there is one.
pub(crate) struct Faults(Option<Fault>);

impl Faults {
    pub(crate) fn from(fault: Option<Fault>, entry: &Entry) -> Self {
        if fault.is_some() {
            entry.faulted();
        }
        Self(fault)
    }

    pub(crate) const fn cut_request(&self) -> Option<u64> {
        match self.0 {
            Some(Fault::CutRequest(after)) => Some(after),
            _ => None,
        }
    }

    /// What happens instead of the request, or before it.
    pub(crate) async fn before(
        &self,
        target: &str,
        headers: &mut HeaderMap,
    ) -> Result<Option<Reply>, Refusal> {
        match &self.0 {
            Some(Fault::IgnoreRange) => {
                headers.remove(RANGE);
                Ok(None)
            }
            Some(Fault::Redirect(origin)) => {
                let location = format!("{origin}{target}");
                Ok(Some(Reply::new(StatusCode::TEMPORARY_REDIRECT).location(&location)))
            }
            Some(Fault::Drop) => Err(Refusal::HangUp),
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(*time).await;
                Ok(None)
            }
            Some(Fault::Status { code, headers, body }) => {
                let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut reply = Reply::new(status).content(Content::Bytes(body.clone()));
                for (name, _) in headers {
                    reply.headers.remove(name.as_str());
                }
                for (name, value) in headers {
                    add(&mut reply, name, value);
                }
                Ok(Some(reply))
            }
            _ => Ok(None),
        }
    }

    /// Changes the finished reply, and says how its body is to be bent.
    pub(crate) fn after(&self, reply: &mut Reply) -> Result<Bend, BrokenOff> {
        let mut bend = Bend::default();
        match &self.0 {
            Some(Fault::LoseAnswer) => return Err(BrokenOff),
            Some(Fault::CutResponse(after)) => bend.cut = Some(*after),
            Some(Fault::Truncate(length)) => truncate(reply, *length),
            Some(Fault::AnnounceLength(length)) => {
                bend.lies = true;
                reply.headers.insert(CONTENT_LENGTH, HeaderValue::from(*length));
            }
            Some(Fault::Body(bytes)) => replace(reply, Content::Bytes(bytes.clone())),
            Some(Fault::FlipByte(position)) => bend.flip = Some(*position),
            Some(Fault::Endless) => replace(reply, Content::Endless(Bytes::from(vec![b' '; 16 << 10]))),
            Some(Fault::Drip(size, pause)) => bend.drip = Some((*size, *pause)),
            Some(Fault::SetHeader(name, value)) => {
                reply.headers.remove(name.as_str());
                add(reply, name, value);
            }
            Some(Fault::RemoveHeader(name)) => drop(reply.headers.remove(name.as_str())),
            Some(
                Fault::Status { .. }
                | Fault::Delay(_)
                | Fault::Drop
                | Fault::CutRequest(_)
                | Fault::IgnoreRange
                | Fault::Redirect(_),
            )
            | None => {}
        }
        Ok(bend)
    }
}

fn add(reply: &mut Reply, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
        reply.headers.append(name, value);
    }
}

fn replace(reply: &mut Reply, content: Content) {
    reply.headers.remove(CONTENT_LENGTH);
    reply.content = content;
    reply.announce_length();
}

fn truncate(reply: &mut Reply, to: u64) {
    let content = match reply.content.clone() {
        Content::Bytes(bytes) => {
            let end = usize::try_from(to).unwrap_or(usize::MAX).min(bytes.len());
            Content::Bytes(bytes.slice(..end))
        }
        Content::Blob { blob, start, length } => Content::Blob { blob, start, length: length.min(to) },
        Content::Endless(block) => Content::Endless(block),
    };
    replace(reply, content);
}
