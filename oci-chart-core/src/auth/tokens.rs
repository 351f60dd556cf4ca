use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::HeaderValue;

use super::{
    Credentials, Scope,
    plan::Service,
    token::{self, Token},
};
use crate::{error::Result, http::HttpClient};

/// Kept sets of scopes; a mirror of thousands of repositories must not collect tokens without end.
const MOST_SLOTS: usize = 256;

/// Tokens of one registry by service and scopes. Each is fetched once, however many requests wait for it.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Vec<Arc<Slot>>>);

struct Slot {
    service: Service,
    scope: Scope,
    token: tokio::sync::Mutex<Option<Token>>,
}

impl Tokens {
    /// A token that serves `scope`: one that is there, or one asked for now.
    pub(super) async fn get(
        &self,
        http: &HttpClient,
        service: &Service,
        scope: &Scope,
        who: &Credentials,
    ) -> Result<Token> {
        let slot = self.slot(service, scope);
        let mut held = slot.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| token.is_fresh()) {
            return Ok(token.clone());
        }
        let token = token::fetch(http, service, &slot.scope, who).await?;
        *held = Some(token.clone());
        Ok(token)
    }

    /// Forgets a token that was refused.
    pub(super) fn forget(&self, header: &HeaderValue) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A slot that is locked is getting a new token already.
        slots.retain(|slot| {
            slot.token.try_lock().map_or(true, |held| held.as_ref().is_none_or(|held| held.header != *header))
        });
    }

    fn slot(&self, service: &Service, scope: &Scope) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |slot: &&Arc<Slot>| slot.service == *service && slot.scope == *scope;
        let serves = |slot: &&Arc<Slot>| {
            slot.service == *service
                && slot.scope.covers(scope)
                && slot.token.try_lock().is_ok_and(|held| held.as_ref().is_some_and(Token::is_fresh))
        };
        if let Some(slot) = slots.iter().find(same).or_else(|| slots.iter().find(serves)) {
            return Arc::clone(slot);
        }
        if slots.len() >= MOST_SLOTS {
            slots.remove(0);
        }
        let slot = Arc::new(Slot {
            service: service.clone(),
            scope: scope.clone(),
            token: tokio::sync::Mutex::new(None),
        });
        slots.push(Arc::clone(&slot));
        slot
    }
}
