use reqwest::Url;

use super::{Registries, Repository};
use crate::{
    auth::Authenticator,
    error::Result,
    http::{HttpClient, RetryOptions},
    name::RepositoryAddress,
};

/// A repository to be looked at, with what lies below it: opened apart, so that nothing that was learnt before hides anything.
pub(crate) struct Probe(Repository);

impl Registries {
    /// The repository at `address`, over a connection of its own that nothing is sent on twice.
    pub(crate) fn probe(&self, address: &RepositoryAddress) -> Result<Probe> {
        let options = self.http().options().clone().with_retry(RetryOptions::never());
        Ok(Probe(self.apart(HttpClient::watched(options)?).repository(address)?))
    }
}

impl Probe {
    pub(crate) fn repository(&self) -> &Repository {
        &self.0
    }

    /// `https://host/v2/`
    pub(crate) fn base(&self) -> &Url {
        self.0.registry().base()
    }

    pub(crate) fn http(&self) -> &HttpClient {
        self.0.registry().http()
    }

    pub(crate) fn auth(&self) -> &Authenticator {
        self.0.registry().auth()
    }
}
