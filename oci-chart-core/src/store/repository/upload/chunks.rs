use reqwest::{
    Method, StatusCode,
    header::{CONTENT_RANGE, CONTENT_TYPE, HeaderValue, RANGE},
};

use super::{
    Failure, LEAST_CHUNK, Session, Source,
    session::{CORRECTIONS, range},
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    http::{Request, Response, Retry, wire},
};

/// An upload in pieces on its way.
struct Pieces<'a> {
    source: &'a Source,
    retry: Retry,
    /// How many bytes the registry has.
    at: u64,
    /// How many go with one request.
    chunk: u64,
    /// The largest piece that was taken.
    taken: u64,
    /// Whether the last request broke off.
    again: bool,
    corrections: u32,
    /// Whether a piece was answered as if it were the end.
    created: bool,
}

impl Session {
    /// Sends the blob in pieces of about `chunk` bytes, and tells the largest that was taken.
    pub(super) async fn send_chunks(&mut self, source: &Source, chunk: u64) -> Result<u64, Failure> {
        let mut pieces = Pieces {
            source,
            retry: self.retry(),
            at: 0,
            chunk: chunk.max(self.least_chunk).max(1),
            taken: 0,
            again: false,
            corrections: 0,
            created: false,
        };
        while pieces.at < source.size() {
            let len = pieces.chunk.min(source.size() - pieces.at);
            let error = match self.patch(&pieces, len).await {
                Ok(response) if response.status().is_success() => {
                    self.advance(&mut pieces, len, response).await?;
                    continue;
                }
                Ok(response) => match self.correct(&mut pieces, len, response).await? {
                    Some(error) => error,
                    None => continue,
                },
                Err(error) => error,
            };
            pieces.retry.again(error).await.map_err(Failure::Final)?;
            let Some(now) = self.standing(source).await? else { return Ok(pieces.taken) };
            pieces.go_to(now);
            pieces.again = true;
        }
        self.end(&mut pieces).await.map(|()| pieces.taken)
    }

    async fn patch(&self, pieces: &Pieces<'_>, len: u64) -> Result<Response> {
        let Some(location) = self.location.clone() else { return Err(super::lost()) };
        let make = || {
            let request = Request::new(Method::PATCH, location.clone())
                .with_header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
                .with_body(pieces.source.body(pieces.at, len, pieces.again));
            Ok(match range(pieces.at, len) {
                Some(range) => request.with_header(CONTENT_RANGE, range),
                None => request,
            })
        };
        self.repository.send(self.repository.writing(), &make).await
    }

    /// A piece was taken. Of how much there is now, the registry's word counts: some take less than they were sent.
    async fn advance(
        &mut self,
        pieces: &mut Pieces<'_>,
        len: u64,
        response: Response,
    ) -> Result<(), Failure> {
        let end = pieces.at + len;
        // ECR; the spec has 202.
        pieces.created |= response.status() == StatusCode::CREATED;
        self.follow(&response).map_err(Failure::Final)?;
        let told = response.header(RANGE).and_then(wire::received);
        let disorder =
            response.broken("the registry counts the upload's bytes wrongly", Reason::MalformedAnswer);
        response.drain().await;
        let now = match told {
            Some(0) if end == 1 => end,
            Some(now) => now,
            None => end,
        };
        if now <= pieces.at || now > end {
            return Err(Failure::NotInChunks(disorder));
        }
        pieces.taken = pieces.taken.max(len);
        pieces.go_to(now);
        pieces.again = false;
        Ok(())
    }

    /// A piece was refused: it was too large, or not the one that the registry waits for. What may pass comes back as an error to wait out.
    async fn correct(
        &mut self,
        pieces: &mut Pieces<'_>,
        len: u64,
        response: Response,
    ) -> Result<Option<Error>, Failure> {
        let status = response.status();
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            let told = response.header(RANGE).and_then(wire::received);
            self.follow(&response).map_err(Failure::Final)?;
            let error = response.refused().await;
            let now = match told {
                Some(now) => now,
                None => match self.standing(pieces.source).await? {
                    Some(now) => now,
                    None => return Ok(None),
                },
            };
            if now != pieces.at && now <= pieces.source.size() {
                pieces.corrections += 1;
                pieces.go_to(now);
                return if pieces.corrections > CORRECTIONS { Err(Failure::Lost(error)) } else { Ok(None) };
            }
            // It stands where we do: then the piece is too large (GitHub's registry, above 4 MiB).
            return pieces.halve(len, self.least_chunk, error).map(|()| None);
        }
        let error = response.refused().await;
        match status.as_u16() {
            413 => pieces.halve(len, self.least_chunk, error).map(|()| None),
            _ if error.is_retryable() => Ok(Some(error)),
            400 | 404 | 405 | 415 | 501 if pieces.taken == 0 && error.kind() != ErrorKind::RateLimited => {
                Err(Failure::NotInChunks(error))
            }
            404 => Err(Failure::Lost(error)),
            _ => Err(Failure::Final(error)),
        }
    }

    async fn end(&mut self, pieces: &mut Pieces<'_>) -> Result<(), Failure> {
        loop {
            let error = match self.put(pieces.source, pieces.source.size(), false).await {
                Ok(response) if response.status().is_success() => {
                    response.drain().await;
                    return Ok(());
                }
                Ok(response) => {
                    let status = response.status();
                    let error = response.refused().await;
                    match status.as_u16() {
                        _ if error.is_retryable() => error,
                        // ECR takes the first piece for the whole.
                        400 if pieces.created => return Err(Failure::NotInChunks(error)),
                        404 | 416 => return Err(Failure::Lost(error)),
                        _ => return Err(Failure::Final(error)),
                    }
                }
                Err(error) => error,
            };
            pieces.retry.again(error).await.map_err(Failure::Final)?;
            match self.standing(pieces.source).await? {
                None => return Ok(()),
                Some(now) if now == pieces.source.size() => {}
                Some(_) => return Err(Failure::Lost(super::lost())),
            }
        }
    }
}

impl Pieces<'_> {
    fn go_to(&mut self, now: u64) {
        if now > self.at {
            self.retry.progress();
        }
        self.at = now;
    }

    /// Goes on with pieces of half the size.
    fn halve(&mut self, len: u64, least: u64, error: Error) -> Result<(), Failure> {
        if len <= LEAST_CHUNK.max(least) {
            return Err(Failure::Final(error));
        }
        self.chunk = (len / 2).max(LEAST_CHUNK).max(least);
        Ok(())
    }
}
