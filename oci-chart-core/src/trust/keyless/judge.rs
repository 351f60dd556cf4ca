use std::collections::BTreeMap;

use sigstore_verify::types::{Artifact, ArtifactDigest, HashAlgorithm};

use super::{
    super::{
        Format, KeylessPolicy, PolicyKind, PublicKey, Requirement, Tlog,
        bundle::Bundle,
        discover::Found,
        dsse::Envelope,
        evidence::Trouble,
        examination::{Examination, Judgement, Objection},
        flaw::Flaw,
        simple_signing::Payload,
        statement::Statement,
        strict_json,
        words::Words,
    },
    Identity, TrustRoot,
    identity::Certified,
    machine::{Machine, Proof, Refused},
    transcode,
};
use crate::{
    chart::Timestamp,
    digest::{Algorithm, Digest},
    error::{Error, Reason},
};

/// How often a bundle is held while its certificate is checked, in this form or another.
const COPIES: usize = 4;

/// Judges every candidate that comes with a certificate.
pub(in crate::trust) fn check(examination: &Examination<'_>, policy: &KeylessPolicy) -> Requirement {
    let machine = match Machine::new(&policy.trust_root) {
        Ok(machine) => machine,
        Err(error) => return Requirement::unchecked(PolicyKind::Keyless, error),
    };
    let case = Case { examination, policy, machine };
    let mut requirement =
        examination.judge_signatures(PolicyKind::Keyless, &policy.formats, 1, |found, content| {
            match (found.format, examination.demand.is_signature()) {
                (Format::SignatureTag, true) => case.signature_tag(found, content),
                (Format::SignatureTag, false) => case.attestation_tag(found, content),
                _ => case.bundle(content),
            }
        });
    requirement.trust_root = Some(policy.trust_root.age(examination.now));
    requirement
}

struct Case<'a> {
    examination: &'a Examination<'a>,
    policy: &'a KeylessPolicy,
    machine: Machine,
}

impl Case<'_> {
    fn bundle(&self, bytes: &[u8]) -> Judgement {
        let bundle = Bundle::parse(bytes, self.examination.limits)?;
        bundle.envelope.signature()?;
        self.check_size(bytes, &bundle.envelope)?;
        let proof = self.machine.certificate(bytes, self.subject())?;
        self.statement(proof, &bundle.envelope)
    }

    /// A layer behind the signature tag.
    fn signature_tag(&self, found: &Found, payload: &[u8]) -> Judgement {
        let bundle = transcode::signature(payload, &found.annotations, None)?;
        let proof = self.machine.certificate(bundle.as_bytes(), Artifact::from_blob(payload))?;
        let payload = Payload::parse(payload)?;
        if payload.digest != self.examination.subject.descriptor.digest {
            return Err(Flaw::new(Reason::OtherSubject, "the signature is for another manifest").into());
        }
        self.demand(proof, &payload.words)
    }

    /// A layer behind the attestation tag.
    fn attestation_tag(&self, found: &Found, envelope: &[u8]) -> Judgement {
        let json = strict_json::parse(envelope)?;
        let parsed = Envelope::read(json)?;
        parsed.signature()?;
        self.check_size(envelope, &parsed)?;
        let bundle = transcode::attestation(json, &found.annotations, None)?;
        let proof = self.machine.certificate(bundle.as_bytes(), self.subject())?;
        self.statement(proof, &parsed)
    }

    fn statement(&self, proof: Proof, envelope: &Envelope) -> Judgement {
        let statement = Statement::parse(envelope.payload(), self.examination.limits)?;
        self.examination.demand.check_type(&statement)?;
        let subject = statement.about(&self.examination.subject.descriptor.digest)?;
        let signer = self.demand(proof, &subject.words)?;
        match self.examination.demand.check_fields(&statement) {
            Ok(()) => Ok(signer),
            Err(flaw) => Err(Objection::Denied(signer, flaw)),
        }
    }

    /// What the policy asks of a good signature.
    fn demand(&self, proof: Proof, words: &Words<'_>) -> Judgement {
        let Some(certified) = proof.certified else {
            return Err(Flaw::new(Reason::CertificateUntrusted, "nobody is certified").into());
        };
        let signer = certified.to_string();
        let KeylessPolicy { identities, expect_identity, annotations, .. } = self.policy;
        if let Some(objection) = nobody(identities, &certified) {
            return Err(Objection::Denied(signer, Flaw::new(Reason::IdentityMismatch, objection)));
        }
        match words.check(expect_identity.as_deref(), annotations) {
            Ok(()) => Ok(signer),
            Err(flaw) => Err(Objection::Denied(signer, flaw)),
        }
    }

    /// Anybody can have a certificate, so what is held several times is bounded before anything is known of it.
    fn check_size(&self, bytes: &[u8], envelope: &Envelope) -> Result<(), Objection> {
        let memory = COPIES * bytes.len() + strict_json::tree_bytes(envelope.payload());
        let most = self.examination.limits.keyless_memory;
        if memory as u64 <= most {
            return Ok(());
        }
        let error = Error::limit(
            "keyless_memory",
            most,
            "the statement is too large to be checked with its certificate",
        );
        Err(Objection::Unread(error.with_context("bytes", memory).into()))
    }

    fn subject(&self) -> Artifact<'static> {
        artifact(&self.examination.subject.descriptor.digest)
    }
}

/// Why none of `identities` is the one that is certified; none if one is.
pub(super) fn nobody(identities: &[Identity], certified: &Certified) -> Option<String> {
    let objections: Vec<String> =
        identities.iter().map_while(|identity| identity.objection(certified)).collect();
    (objections.len() == identities.len()).then(|| objections.join("; "))
}

/// A digest as the machine takes it. Its length fits its algorithm, so that it always is one.
pub(super) fn artifact(digest: &Digest) -> Artifact<'static> {
    let algorithm = match digest.algorithm() {
        Algorithm::Sha512 => HashAlgorithm::Sha2512,
        _ => HashAlgorithm::Sha2256,
    };
    match ArtifactDigest::new(algorithm, digest.as_bytes().to_vec()) {
        Ok(digest) => Artifact::Digest(digest),
        // Bytes that no digest in a statement can equal.
        Err(_) => Artifact::Blob(b"not a digest"),
    }
}

/// What a policy of keys asks of the transparency log, ready to be asked.
pub(in crate::trust) enum Log {
    Ignored,
    Asked(Box<Machine>, TrustRoot),
    Broken(Trouble),
}

impl Log {
    pub(in crate::trust) fn new(tlog: &Tlog) -> Self {
        match tlog {
            Tlog::IgnoreExplicitly => Self::Ignored,
            Tlog::Require(root) => match Machine::new(root) {
                Ok(machine) => Self::Asked(Box::new(machine), root.clone()),
                Err(error) => Self::Broken(error.into()),
            },
        }
    }

    /// The root that is asked, where one is.
    pub(in crate::trust) fn root(&self) -> Option<&TrustRoot> {
        match self {
            Self::Asked(_, root) => Some(root),
            Self::Ignored | Self::Broken(_) => None,
        }
    }

    /// When the log saw a bundle's signature of `subject` by `key`, as every witness says; nothing where nobody asks.
    pub(in crate::trust) fn times_of_bundle(
        &self,
        bundle: &[u8],
        key: &PublicKey,
        subject: &Digest,
    ) -> Result<Vec<Timestamp>, Objection> {
        self.ask(|machine| machine.key(bundle, key.to_der(), artifact(subject)))
    }

    /// When the log saw the signature of a layer behind a signature tag.
    pub(in crate::trust) fn times_of_layer(
        &self,
        payload: &[u8],
        annotations: &BTreeMap<String, String>,
        key: &PublicKey,
    ) -> Result<Vec<Timestamp>, Objection> {
        self.ask(|machine| {
            let bundle = transcode::signature(payload, annotations, Some(&key.hint()))?;
            machine.key(bundle.as_bytes(), key.to_der(), Artifact::from_blob(payload))
        })
    }

    /// When the log saw the statement of a layer behind an attestation tag.
    pub(in crate::trust) fn times_of_envelope(
        &self,
        envelope: &[u8],
        annotations: &BTreeMap<String, String>,
        key: &PublicKey,
        subject: &Digest,
    ) -> Result<Vec<Timestamp>, Objection> {
        self.ask(|machine| {
            let envelope = strict_json::parse(envelope)?;
            let bundle = transcode::attestation(envelope, annotations, Some(&key.hint()))?;
            machine.key(bundle.as_bytes(), key.to_der(), artifact(subject))
        })
    }

    fn ask(
        &self,
        question: impl FnOnce(&Machine) -> Result<Proof, Refused>,
    ) -> Result<Vec<Timestamp>, Objection> {
        match self {
            Self::Ignored => Ok(Vec::new()),
            Self::Broken(trouble) => Err(Objection::Unread(trouble.clone())),
            Self::Asked(machine, _) => Ok(question(machine)?.times),
        }
    }
}
