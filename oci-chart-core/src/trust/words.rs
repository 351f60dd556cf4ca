use std::{borrow::Cow, collections::BTreeMap};

use super::{
    flaw::{Flaw, shown},
    strict_json::Json,
};
use crate::error::Reason;

/// What was signed beside the digest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Words<'a> {
    /// The repository in which it was signed, where one is named.
    pub(crate) identity: Option<Cow<'a, str>>,
    /// What the signer added.
    pub(crate) annotations: Option<Json<'a>>,
}

impl Words<'_> {
    /// What is other than a policy asks for.
    pub(crate) fn check(
        &self,
        identity: Option<&str>,
        annotations: &BTreeMap<String, String>,
    ) -> Result<(), Flaw> {
        if let Some(expected) = identity
            && self.identity.as_deref() != Some(expected)
        {
            let signed = self.identity.as_deref().map_or_else(|| "no repository".to_owned(), shown);
            let message = format!("signed for {signed} and not for {expected:?}");
            return Err(Flaw::new(Reason::IdentityMismatch, message));
        }
        for (name, expected) in annotations {
            let signed = self.annotations.and_then(|signed| signed.get(name)).and_then(Json::text);
            if signed.as_deref() != Some(expected) {
                let message = format!("not signed with {name:?} = {expected:?}");
                return Err(Flaw::new(Reason::AnnotationMismatch, message));
            }
        }
        Ok(())
    }
}
