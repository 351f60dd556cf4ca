use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::Pattern;
use crate::error::{Error, ErrorKind, Reason, Result};

/// Who may have signed: a subject and who vouched for it, both out of the same certificate, and what else the certificate has to say.
///
/// # Examples
///
/// ```
/// use oci_chart_core::trust::{Claim, Identity};
///
/// let issuer = "https://token.actions.githubusercontent.com";
/// let release = Identity::exact(
///     issuer,
///     "https://github.com/org/charts/.github/workflows/release.yml@refs/heads/main",
/// )?;
/// let any_tag = Identity::matching(issuer, "https://github.com/org/*/.github/workflows/release.yml@refs/tags/**".parse()?)?
///     .with_claim(Claim::SourceRepositoryOwner, "https://github.com/org".parse()?)
///     .with_claim(Claim::RunnerEnvironment, "github-hosted".parse()?);
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Identity {
    /// The issuer of the signer's OpenID token, a URL, compared whole.
    pub issuer: String,
    /// The subject: an e-mail address, or the URL of a workload.
    pub subject: Pattern,
    /// What the certificate must say of the build. A claim that it does not have matches nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<Claim, Pattern>,
}

impl Identity {
    /// This very subject of this very issuer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] where either is empty or has control characters.
    pub fn exact(issuer: impl Into<String>, subject: impl Into<String>) -> Result<Self> {
        Self::matching(issuer, Pattern::exact(subject)?)
    }

    /// Subjects of this issuer that fit a pattern.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] where the issuer is empty or has control characters.
    pub fn matching(issuer: impl Into<String>, subject: Pattern) -> Result<Self> {
        let identity = Self { issuer: issuer.into(), subject, claims: BTreeMap::new() };
        identity.validate()?;
        Ok(identity)
    }

    /// The same where the certificate also says this of the build.
    #[must_use]
    pub fn with_claim(mut self, claim: Claim, pattern: Pattern) -> Self {
        self.claims.insert(claim, pattern);
        self
    }

    /// Whether it could be anybody's.
    pub(in crate::trust) fn validate(&self) -> Result<()> {
        if Pattern::exact(self.issuer.as_str()).is_ok() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::InvalidInput, "an identity has no issuer")
            .with_reason(Reason::FieldMissing)
            .with_context("field", "issuer")
            .with_hint("name the URL that the signer's token comes from, such as https://token.actions.githubusercontent.com"))
    }

    /// The first thing about `certified` that is other than asked for, if there is one.
    #[cfg(any(feature = "keyless", test))]
    pub(super) fn objection(&self, certified: &Certified) -> Option<String> {
        if certified.issuer != self.issuer {
            return Some(format!("the issuer is {:?}", certified.issuer));
        }
        if !self.subject.matches(&certified.subject) {
            return Some(format!("the subject is {:?}", certified.subject));
        }
        self.claims.iter().find_map(|(claim, pattern)| match certified.claims.get(claim) {
            Some(value) if pattern.matches(value) => None,
            Some(value) => Some(format!("{claim} is {value:?}")),
            None => Some(format!("the certificate does not tell {claim}")),
        })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.subject, self.issuer)
    }
}

/// What a certificate that chains to the root says of its holder.
#[cfg(any(feature = "keyless", test))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certified {
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) claims: BTreeMap<Claim, String>,
}

#[cfg(any(feature = "keyless", test))]
impl fmt::Display for Certified {
    /// As [`Identity`] is shown, control characters escaped: a certificate authority may be anybody's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.subject.escape_debug(), self.issuer.escape_debug())
    }
}

macro_rules! claims {
    ($($(#[doc = $doc:literal])* $claim:ident = $field:ident, $word:literal;)*) => {
        /// What a Fulcio certificate says of the build that asked for it (fulcio, `docs/oid-info.md`, 1.3.6.1.4.1.57264.1.9 to .24). The
        /// issuer of the token vouches for it; which of these there are depends on the issuer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Claim { $($(#[doc = $doc])* #[serde(rename = $word)] $claim,)* }

        impl Claim {
            /// Every claim.
            pub const ALL: &'static [Self] = &[$(Self::$claim,)*];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$claim => $word,)* }
            }

            #[cfg(feature = "keyless")]
            pub(super) fn of(self, claims: &sigstore_verify::crypto::FulcioCiClaims) -> Option<&str> {
                match self { $(Self::$claim => claims.$field.as_deref(),)* }
            }
        }
    };
}

claims! {
    /// The workflow that signed, with its ref (.9).
    BuildSigner = build_signer_uri, "build-signer";
    /// The commit of that workflow (.10).
    BuildSignerDigest = build_signer_digest, "build-signer-digest";
    /// Whose machine it ran on, such as `github-hosted` (.11).
    RunnerEnvironment = runner_environment, "runner-environment";
    /// The repository that was built, as a URL (.12).
    SourceRepository = source_repository_uri, "source-repository";
    /// The commit that was built (.13).
    SourceRepositoryDigest = source_repository_digest, "source-repository-digest";
    /// The ref that was built, such as `refs/tags/v1.2.3` (.14).
    SourceRepositoryRef = source_repository_ref, "source-repository-ref";
    /// The repository's number, which survives a change of its name (.15).
    SourceRepositoryId = source_repository_identifier, "source-repository-id";
    /// The repository's owner, as a URL (.16).
    SourceRepositoryOwner = source_repository_owner_uri, "source-repository-owner";
    /// The owner's number (.17).
    SourceRepositoryOwnerId = source_repository_owner_identifier, "source-repository-owner-id";
    /// The workflow at the top (.18).
    BuildConfig = build_config_uri, "build-config";
    /// The commit of that workflow (.19).
    BuildConfigDigest = build_config_digest, "build-config-digest";
    /// What started the build, such as `push` or `release` (.20).
    BuildTrigger = build_trigger, "build-trigger";
    /// The run, as a URL (.21).
    RunInvocation = run_invocation_uri, "run-invocation";
    /// Whether the repository was public when it was built (.22).
    SourceRepositoryVisibility = source_repository_visibility_at_signing, "source-repository-visibility";
    /// The deployment environment, and so the rules that guard it (.23).
    DeploymentEnvironment = deployment_environment, "deployment-environment";
    /// The `sub` of the token (.24).
    TokenSubject = token_subject, "token-subject";
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certified() -> Certified {
        Certified {
            subject: "https://github.com/org/web/.github/workflows/release.yml@refs/tags/v1".into(),
            issuer: "https://token.actions.githubusercontent.com".into(),
            claims: [(Claim::RunnerEnvironment, "github-hosted".to_owned())].into(),
        }
    }

    #[test]
    fn issuer_subject_and_claims_all_have_to_fit() {
        let certified = certified();
        let exact = Identity::exact(certified.issuer.as_str(), certified.subject.as_str()).unwrap();
        let objection = |identity: Identity| identity.objection(&certified);
        assert_eq!(objection(exact.clone()), None);
        let hosted =
            |text: &str| exact.clone().with_claim(Claim::RunnerEnvironment, Pattern::exact(text).unwrap());
        assert_eq!(objection(hosted("github-hosted")), None);
        assert!(
            objection(hosted("self-hosted")).unwrap().contains("runner-environment is \"github-hosted\"")
        );
        let missing = exact.clone().with_claim(Claim::BuildTrigger, Pattern::exact("push").unwrap());
        assert_eq!(objection(missing).unwrap(), "the certificate does not tell build-trigger");
        // The right subject, vouched for by somebody else.
        let issuer = Identity { issuer: "https://accounts.example".into(), ..exact.clone() };
        assert!(objection(issuer).unwrap().starts_with("the issuer is"));
        let subject = Identity { subject: "https://github.com/org/*".parse().unwrap(), ..exact };
        assert!(objection(subject).unwrap().starts_with("the subject is"));
    }

    #[test]
    fn an_identity_without_an_issuer_is_none() {
        for issuer in ["", "a\n"] {
            let error = Identity::exact(issuer, "a@example.com").unwrap_err();
            assert_eq!(error.get("field"), Some("issuer"));
        }
        assert!(Identity::exact("https://i", "").is_err());
    }

    #[test]
    fn identities_survive_json() {
        let identity = Identity::matching("https://i", "*@example.com".parse().unwrap())
            .unwrap()
            .with_claim(Claim::BuildTrigger, Pattern::exact("push").unwrap());
        let text = serde_json::to_string(&identity).unwrap();
        assert_eq!(
            text,
            r#"{"issuer":"https://i","subject":{"pattern":"*@example.com"},"claims":{"build-trigger":{"exact":"push"}}}"#
        );
        assert_eq!(serde_json::from_str::<Identity>(&text).unwrap(), identity);
        assert!(serde_json::from_str::<Identity>(r#"{"subject":{"exact":"a"}}"#).is_err());
    }
}
