//! Who says so: signatures made when a chart is published, and checked before one is taken.
//!
//! [`verify`] resolves once and gives a [`Verified<Descriptor>`]: a value that only this module can make, so that whoever holds one holds
//! proof. [`PullOptions::verified_by`](crate::transfer::PullOptions::verified_by) does the same inside a pull. What is asked for is a
//! [`Policy`], which is data; what was found is [`Evidence`], which is data too.
//!
//! # Three outcomes
//!
//! - **Verified**: the policy is satisfied.
//! - **Not verified**: everything could be looked at and does not satisfy it. The error is
//!   [`NotSigned`](crate::ErrorKind::NotSigned), [`SignatureInvalid`](crate::ErrorKind::SignatureInvalid) or
//!   [`PolicyDenied`](crate::ErrorKind::PolicyDenied) (a good signature, but not one that the policy takes).
//! - **Could not check**: [`CouldNotCheck`](crate::ErrorKind::CouldNotCheck). A place where signatures lie gave no usable answer (401, 429, 5xx,
//!   rubbish), a signature that is announced cannot be had, or a bound was passed. That is never taken for "no signature".
//!
//! Each error carries its evidence, candidate by candidate: [`Evidence::of`] takes it out.
//!
//! # Where signatures lie
//!
//! Beside the chart, under the digest of its manifest: layers of the manifest tagged `sha256-HEX.sig` (cosign 1 and 2), and Sigstore bundles as
//! referrers of the manifest (cosign 3), listed by the referrers API or by the tag that stands in for it. Both are looked at, always and side
//! by side, unless the policy takes one [`Format`] only: a bundle of a stranger hides no good signature, and what looks
//! like a missing bundle is no reason to be content with less.
//!
//! # How a check is made
//!
//! 1. `verify` resolves the selector and fetches the manifest, whose bytes give the digest that everything hangs on.
//! 2. `discover` fetches what claims to be a signature of that digest, under the bounds of [`Limits`](crate::Limits).
//! 3. Each leaf of the policy judges all that was found: `keys`, `keyless`, `pgp`. A leaf takes an `Examination` and gives a
//!    [`Requirement`]; it does no I/O. All and any are combined in `verify`.
//!
//! Nothing ends early: a policy that is satisfied already has the rest looked at too, so that the evidence of one state of a registry is always the same,
//! and nobody who may push can choose what is seen. Candidates are fetched eight at a time, side by side.
//!
//! Decisions rest on signed bytes alone; annotations, media types and the order of lists are hints for where to look first.
#![doc = include_str!("trust/json.md")]

mod attach;
mod attest;
mod budget;
mod bundle;
mod discover;
mod dsse;
mod evidence;
mod examination;
mod flaw;
mod format;
mod guarded;
mod import;
mod key;
mod keyless;
mod keys;
mod log_entry;
pub mod pgp;
mod policy;
mod publish;
mod sign;
mod signer;
mod simple_signing;
mod statement;
mod strict_json;
mod subchart;
mod text;
mod verified;
mod verify;
mod words;

pub use attach::{
    AttachOutcome, Attached, AttachedKind, Attachment, Place, Tree, attach, fetch_attachment, tree,
};
pub use attest::{
    Attestation, AttestationPolicy, PredicateType, VerifiedAttestation, attest, verify_attestation,
};
pub use evidence::{Candidate, Evidence, Outcome, PolicyKind, Requirement, Unverified, Verdict};
pub use format::Format;
pub use guarded::Guarded;
pub use key::{KeyAlgorithm, PublicKey, SigningKey};
pub use keyless::{
    BundleArtifact, BundleProof, BundleSigner, Claim, Identity, KeylessPolicy, Pattern, PatternError,
    RootAge, TrustRoot, verify_bundle,
};
pub use pgp::PgpPolicy;
pub use policy::{KeyPolicy, Policy, Tlog, TrustedKey};
pub use publish::{PublishOptions, Published, publish};
pub use sign::{SignOptions, SignatureTag, Signed, sign};
pub use signer::{CallbackSigner, Signer};
pub use subchart::verify_subchart;
pub use verified::Verified;
pub use verify::{VerifyOptions, examine, verify};

pub(crate) use verify::{Subject, same_version, verify_subject};
