use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::{Instant, SystemTime},
};

use reqwest::header::HeaderValue;

use super::{
    Credentials, Scope,
    plan::Service,
    token::{self, Token},
};
use crate::{
    error::{Error, Result},
    http::HttpClient,
};

/// Kept sets of scopes; a mirror of thousands of repositories must not collect tokens without end.
const MOST_SLOTS: usize = 256;

/// Tokens of one registry by service, scopes, and who they were given to. Each is fetched once, however many requests wait for it.
#[derive(Default)]
pub(super) struct Tokens {
    slots: Mutex<Vec<Arc<Slot>>>,
    /// The service knows no OAuth2.
    no_oauth: AtomicBool,
}

struct Slot {
    service: Service,
    scope: Scope,
    who: Credentials,
    held: tokio::sync::Mutex<Held>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    /// Why the last one was not given, and when.
    refusal: Option<(Instant, Error)>,
}

impl Tokens {
    /// A token that serves `scope`, and whether it was asked for just now.
    pub(super) async fn get(
        &self,
        http: &HttpClient,
        service: &Service,
        scope: &Scope,
        who: &Credentials,
    ) -> Result<(Token, bool)> {
        let wanted = Instant::now();
        let slot = self.slot(service, scope, who);
        let mut held = slot.held.lock().await;
        if let Some(token) = held.token.as_ref().filter(|token| token.is_fresh()) {
            return Ok((token.clone(), false));
        }
        // Who waited for somebody else's question has its answer, also where that is no: asking on in a row may lock an account.
        if let Some((_, refusal)) = held.refusal.as_ref().filter(|(at, _)| *at >= wanted) {
            return Err(again(refusal));
        }
        match token::fetch(http, service, &slot.scope, who, &self.no_oauth).await {
            Ok(token) => {
                *held = Held { token: Some(token.clone()), refusal: None };
                Ok((token, true))
            }
            Err(error) => {
                held.refusal = Some((Instant::now(), again(&error)));
                Err(error)
            }
        }
    }

    /// Forgets a token that was refused.
    pub(super) fn forget(&self, header: &HeaderValue) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        // A slot that is locked is getting a new token already.
        slots.retain(|slot| {
            slot.held
                .try_lock()
                .map_or(true, |held| held.token.as_ref().is_none_or(|token| token.header != *header))
        });
    }

    /// When the last of the tokens that are there ends.
    pub(super) fn expiry(&self) -> Option<SystemTime> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = slots.iter().filter_map(|slot| slot.held.try_lock().ok()?.token.clone());
        tokens.filter(Token::is_fresh).map(|token| token.expiry()).max()
    }

    fn slot(&self, service: &Service, scope: &Scope, who: &Credentials) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = |slot: &&Arc<Slot>| slot.service == *service && slot.who.kind() == who.kind();
        let serves = |slot: &&Arc<Slot>| {
            slot.scope.covers(scope)
                && slot.held.try_lock().is_ok_and(|held| held.token.as_ref().is_some_and(Token::is_fresh))
        };
        let same = slots.iter().filter(ours).find(|slot| slot.scope == *scope);
        if let Some(slot) = same.or_else(|| slots.iter().filter(ours).find(serves)) {
            return Arc::clone(slot);
        }
        if slots.len() >= MOST_SLOTS {
            slots.remove(0);
        }
        let slot = Arc::new(Slot {
            service: service.clone(),
            scope: scope.clone(),
            who: who.clone(),
            held: tokio::sync::Mutex::default(),
        });
        slots.push(Arc::clone(&slot));
        slot
    }
}

/// The same error for one more who waited.
fn again(error: &Error) -> Error {
    let mut copy = Error::new(error.kind(), error.message().to_owned()).with_retryable(error.is_retryable());
    if let Some(reason) = error.reason() {
        copy = copy.with_reason(reason);
    }
    if let Some(hint) = error.hint() {
        copy = copy.with_hint(hint.to_owned());
    }
    if let Some(wait) = error.retry_after() {
        copy = copy.with_retry_after(wait);
    }
    error.context().fold(copy, |copy, (key, value)| copy.with_context(key, value))
}
