use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{Audience, CredentialSource, Credentials};
use crate::{error::Result, name::Host, process::PerProcess};

/// Keeps the answers of a source whose answers last, until they end or are refused, and asks it once, however many wait.
pub(super) struct Kept {
    source: Arc<dyn CredentialSource>,
    known: PerProcess<Mutex<HashMap<Host, Option<Credentials>>>>,
    flight: PerProcess<tokio::sync::Mutex<()>>,
}

impl Kept {
    pub(super) fn new(source: Arc<dyn CredentialSource>) -> Self {
        Self { source, known: PerProcess::default(), flight: PerProcess::default() }
    }

    fn look(&self, host: &Host) -> Option<Option<Credentials>> {
        let known = self.known();
        known.get(host).filter(|found| !found.as_ref().is_some_and(Credentials::has_expired)).cloned()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Host, Option<Credentials>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CredentialSource for Kept {
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>> {
        if !self.source.is_lasting() {
            return self.source.credentials(audience).await;
        }
        if let Some(known) = self.look(audience.host()) {
            return Ok(known);
        }
        let _flight = self.flight.lock().await;
        if let Some(known) = self.look(audience.host()) {
            return Ok(known);
        }
        let found = self.source.credentials(audience).await?;
        self.known().insert(audience.host().clone(), found.clone());
        Ok(found)
    }

    fn refused(&self, audience: &Audience<'_>, credentials: &Credentials) {
        let mut known = self.known();
        // Somebody else may have been told something newer already.
        let same = match known.get(audience.host()) {
            Some(Some(kept)) => kept.kind() == credentials.kind(),
            Some(None) => credentials.is_anonymous(),
            None => false,
        };
        if same {
            known.remove(audience.host());
        }
        drop(known);
        self.source.refused(audience, credentials);
    }

    fn is_lasting(&self) -> bool {
        self.source.is_lasting()
    }

    fn places(&self) -> Vec<String> {
        self.source.places()
    }
}
