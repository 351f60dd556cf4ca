use std::time::SystemTime;

use pgp::packet::{Signature, SignatureType};

use super::{
    algorithm,
    certificate::parse_signature,
    evidence::PgpEvidence,
    fault::PgpFault,
    fingerprint::Fingerprint,
    keyring::Keyring,
    packet::{Packets, tag},
    validity::{self, Judge, Signer, timestamp},
    verifier::PgpVerifier,
};
use crate::{
    chart::{FileMatch, MetadataMatch, Package, Provenance},
    digest::Digest,
    error::{Error, ErrorKind, Result},
};

/// Signatures that one file may have. Helm writes one.
const MOST_SIGNATURES: usize = 16;

impl PgpVerifier {
    /// Says who signed a package: its provenance file names the digest, a key that is trusted signed the file, and the signed text is about the
    /// chart in the package.
    ///
    /// One good signature is enough, whatever others say. A package under another file name is verified as well, with
    /// [`PgpEvidence::signed_file`] as a note, so that what was pulled by digest or tagged anew can be verified.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotSigned`] for a package without a provenance file; [`ErrorKind::SignatureInvalid`] and [`ErrorKind::PolicyDenied`] with
    /// the reasons of [`PgpFault`] and [`ProvenanceError`](crate::chart::ProvenanceError), one of which is the source; what
    /// [`Package::metadata`] says of a broken package.
    pub fn verify_package(&self, package: &Package, now: SystemTime) -> Result<PgpEvidence> {
        let verify = || {
            let prov = package.provenance().ok_or_else(|| {
                Error::new(ErrorKind::NotSigned, "the package has no provenance file").with_hint(
                    "sign it with `helm package --sign`, or take it from where its `.prov` file is",
                )
            })?;
            // Nobody looks into an archive before its digest is vouched for.
            let prov = Provenance::parse(prov)?;
            let mut evidence = self.signed_by(&prov, package.digest(), now)?;
            prov.check_digest(&package.digest())?;
            find(&mut evidence, &prov, &package.file_name()?)?;
            let compared = prov.compare(package.metadata()?)?;
            evidence.metadata_differs = Some(compared != MetadataMatch::Same);
            Ok(evidence)
        };
        verify().map_err(|error: Error| error.with_operation("verify provenance"))
    }

    /// Says who signed a provenance file that is about the package with this digest. The file name is what Helm would look for, such as
    /// `web-1.2.3.tgz`; without one the digest is looked for alone. What the signed text says of the chart is left to the caller: see
    /// [`Provenance::compare`].
    ///
    /// # Errors
    ///
    /// As [`verify_package`](Self::verify_package).
    pub fn verify_provenance(
        &self,
        prov: &[u8],
        digest: &Digest,
        file: Option<&str>,
        now: SystemTime,
    ) -> Result<PgpEvidence> {
        let verify = || {
            let prov = Provenance::parse(prov)?;
            let mut evidence = self.signed_by(&prov, *digest, now)?;
            match file {
                Some(file) => find(&mut evidence, &prov, file)?,
                None => prov.check_digest(digest)?,
            }
            Ok(evidence)
        };
        verify().map_err(|error: Error| error.with_operation("verify provenance"))
    }

    fn signed_by(&self, prov: &Provenance, digest: Digest, now: SystemTime) -> Result<PgpEvidence> {
        let now = seconds(now)?;
        let signatures = signatures(prov.signature())?;
        check_headers(prov, &signatures)?;
        let mut faults = Vec::new();
        for signature in &signatures {
            match self.check(prov, signature, digest, now) {
                Ok(evidence) => return Ok(evidence),
                Err(fault) => faults.push(fault),
            }
        }
        // A fault of a known key says more than that there are strangers.
        let unknown = |fault: &PgpFault| matches!(fault, PgpFault::UnknownKey { .. });
        let told = faults.iter().position(|fault| !unknown(fault)).unwrap_or(0);
        let count = faults.len();
        let error = Error::from(faults.into_iter().nth(told).unwrap_or(PgpFault::NoSignature));
        Err(if count > 1 { error.with_context("signatures", count) } else { error })
    }

    fn check(
        &self,
        prov: &Provenance,
        signature: &Signature,
        digest: Digest,
        now: u64,
    ) -> Result<PgpEvidence, PgpFault> {
        let hash = signature.hash_alg().filter(|hash| algorithm::is_strong(*hash));
        let hash = hash.ok_or_else(|| {
            PgpFault::WeakHash(signature.hash_alg().map_or_else(|| "none".to_owned(), algorithm::hash_name))
        })?;
        if signature.typ() != Some(SignatureType::Text) {
            return Err(PgpFault::Type(signature.typ().map_or(u8::MAX, u8::from)));
        }
        let signed =
            validity::created(signature).ok_or(PgpFault::Unusable("does not say when it was made"))?;
        if validity::has_unknown_condition(signature) {
            return Err(PgpFault::Unusable("depends on a condition that nobody here knows"));
        }
        let signer = signer(&self.keyring, signature)?;
        if !self.allows(&signer.primary(), &signer.fingerprint()) {
            return Err(PgpFault::NotAllowed(signer.fingerprint()));
        }
        let bytes = prov.signed_bytes();
        let verified = match signer.subkey {
            Some(subkey) => {
                validity::check_support(&subkey.key)?;
                signature.verify(&subkey.key, bytes.as_slice())
            }
            None => {
                validity::check_support(&signer.certificate.key)?;
                signature.verify(&signer.certificate.key, bytes.as_slice())
            }
        };
        verified.map_err(|_| PgpFault::Bad(signer.fingerprint()))?;

        if signed > now {
            return Err(PgpFault::FromFuture(timestamp(signed)));
        }
        let ends = validity::ends(signature);
        if let Some(end) = ends.filter(|end| now >= *end) {
            return Err(PgpFault::Expired(timestamp(end)));
        }
        let judge = Judge {
            keyring: &self.keyring,
            expiry: self.expiry,
            sha1_self_signatures: self.sha1_self_signatures,
            signed,
            now,
        };
        judge.check(signer)?;
        let (algorithm, _) = match signer.subkey {
            Some(subkey) => algorithm::describe(&subkey.key),
            None => algorithm::describe(&signer.certificate.key),
        };
        Ok(PgpEvidence {
            primary: signer.primary(),
            signer: signer.fingerprint(),
            user_ids: judge.user_ids(signer.certificate),
            algorithm,
            hash: algorithm::hash_name(hash),
            signed_at: timestamp(signed),
            expires_at: ends.map(timestamp),
            digest,
            file: None,
            signed_file: None,
            chart: prov.name().map(str::to_owned),
            version: prov.version().map(str::to_owned),
            metadata_differs: None,
        })
    }
}

/// Adds under which name the package was signed.
fn find(evidence: &mut PgpEvidence, prov: &Provenance, file: &str) -> Result<()> {
    evidence.signed_file = match prov.find(&evidence.digest, file)? {
        FileMatch::Named => None,
        FileMatch::OtherName { signed } => Some(signed),
    };
    evidence.file = Some(file.to_owned());
    Ok(())
}

/// The signatures of a file; none of them can be anything else.
fn signatures(bytes: &[u8]) -> Result<Vec<Signature>, PgpFault> {
    let mut found = Vec::new();
    for packet in Packets::new(bytes) {
        let packet = packet.map_err(|_| PgpFault::Packets)?;
        if packet.tag != tag::SIGNATURE || found.len() == MOST_SIGNATURES {
            return Err(PgpFault::Packets);
        }
        let version = packet.body.first().copied().unwrap_or(0);
        if !matches!(version, 4 | 6) {
            return Err(PgpFault::Version(version));
        }
        found.push(parse_signature(packet.body).ok_or(PgpFault::Packets)?);
    }
    if found.is_empty() { Err(PgpFault::NoSignature) } else { Ok(found) }
}

/// The headers announce what is used, and nothing else.
fn check_headers(prov: &Provenance, signatures: &[Signature]) -> Result<(), PgpFault> {
    let used: Vec<String> =
        signatures.iter().filter_map(Signature::hash_alg).map(algorithm::hash_name).collect();
    let announced = prov.hashes();
    let agree = used.iter().all(|hash| announced.contains(&hash.as_str()))
        && announced.iter().all(|hash| used.iter().any(|used| used == hash));
    if agree {
        return Ok(());
    }
    let announced = if announced.is_empty() { "of no header".to_owned() } else { announced.join(", ") };
    Err(PgpFault::HashHeader { used: used.join(", "), announced })
}

/// The key of the ring that a signature names.
fn signer<'a>(keyring: &'a Keyring, signature: &Signature) -> Result<Signer<'a>, PgpFault> {
    let issuers = validity::issuers(signature);
    // A fingerprint ends with the key id, but in version 6, where there is no id.
    let is_issuer = |key: &Fingerprint| {
        !issuers.is_empty() && issuers.iter().all(|issuer| key.as_str().ends_with(issuer))
    };
    for certificate in keyring.certificates() {
        if is_issuer(&Fingerprint::of(&certificate.key)) {
            return Ok(Signer { certificate, subkey: None });
        }
        if let Some(subkey) =
            certificate.subkeys.iter().find(|subkey| is_issuer(&Fingerprint::of(&subkey.key)))
        {
            return Ok(Signer { certificate, subkey: Some(subkey) });
        }
    }
    let issuer = if issuers.is_empty() { "it names none".to_owned() } else { issuers.join(", ") };
    Err(PgpFault::UnknownKey { issuer })
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> Result<u64> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, "the time lies before 1970")
            .with_hint("set the clock of this machine")
    })?;
    Ok(since.as_secs())
}
