use super::{
    Candidate, Format, Outcome, PolicyKind, Requirement, Verdict,
    attest::Demand,
    discover::{Found, Unread},
    evidence::Trouble,
    flaw::Flaw,
    verify::Subject,
};
use crate::{chart::Timestamp, limits::Limits};
use bytes::Bytes;

/// All that a leaf of a policy judges. Everything was fetched; no leaf does I/O.
#[derive(Debug)]
pub(crate) struct Examination<'a> {
    /// The manifest, and what was asked for.
    pub(crate) subject: &'a Subject,
    /// What claims to be a cosign signature, in the forms that the policy takes.
    pub(crate) found: &'a [Found],
    /// The places that gave no answer.
    pub(crate) unread: &'a [Unread],
    /// The provenance file: nothing where the chart has none, or where no policy asks for it.
    pub(crate) provenance: Option<&'a Result<Bytes, Trouble>>,
    /// What a statement has to say.
    pub(crate) demand: Demand<'a>,
    /// The time of the check.
    pub(crate) now: Timestamp,
    /// The bounds.
    pub(crate) limits: &'a Limits,
}

/// What a leaf says of one candidate: who made a signature that counts, or why it does not.
pub(crate) type Judgement = Result<String, Objection>;

/// Why a candidate does not count.
#[derive(Debug)]
pub(crate) enum Objection {
    /// No good signature of this chart by anybody who is trusted.
    Refused(Flaw),
    /// A good one by this signer, which the policy does not take.
    Denied(String, Flaw),
    /// It cannot be judged.
    Unread(Trouble),
}

impl From<Flaw> for Objection {
    fn from(flaw: Flaw) -> Self {
        Self::Refused(flaw)
    }
}

impl Examination<'_> {
    /// Puts every candidate of the accepted `formats` to `judge` and counts the different signers. A place that gave no answer makes the whole
    /// requirement unanswered, whatever else was found; a single candidate that cannot be read only where the others do not suffice.
    pub(crate) fn judge_signatures(
        &self,
        policy: PolicyKind,
        formats: &[Format],
        threshold: usize,
        judge: impl Fn(&Found, &Bytes) -> Judgement,
    ) -> Requirement {
        let mut candidates = Vec::new();
        let mut signers: Vec<String> = Vec::new();
        let (mut place, mut single) = (None, None);
        for unread in self.unread.iter().filter(|unread| formats.contains(&unread.format)) {
            candidates.push(unread.candidate());
            // What is beyond a bound counts only where the rest does not suffice.
            let slot = if unread.whole { &mut place } else { &mut single };
            slot.get_or_insert_with(|| unread.trouble.clone());
        }
        for found in self.found.iter().filter(|found| formats.contains(&found.format)) {
            let judgement = match &found.content {
                Ok(content) => judge(found, content),
                Err(objection) => Err(objection.clone().into()),
            };
            let mut candidate = found.candidate();
            match judgement {
                Ok(signer) => {
                    candidate.verdict = Verdict::Verified;
                    candidate.signer = Some(signer.clone());
                    if !signers.contains(&signer) {
                        signers.push(signer);
                    }
                }
                Err(Objection::Refused(flaw)) => object(&mut candidate, Verdict::Refused, flaw),
                Err(Objection::Denied(signer, flaw)) => {
                    candidate.signer = Some(signer);
                    object(&mut candidate, Verdict::Denied, flaw);
                }
                Err(Objection::Unread(trouble)) => {
                    candidate.verdict = Verdict::Unread;
                    candidate.reason = trouble.error().reason();
                    candidate.message = Some(trouble.error().to_string());
                    single.get_or_insert(trouble);
                }
            }
            candidates.push(candidate);
        }
        let enough = signers.len() >= threshold;
        let trouble = if enough { place } else { place.or(single) };
        let mut requirement = match trouble {
            Some(trouble) => Requirement::unchecked(policy, trouble),
            None if enough => Requirement::new(policy, Outcome::Verified),
            None => Requirement::new(policy, Outcome::NotVerified),
        };
        if requirement.outcome == Outcome::NotVerified && !signers.is_empty() {
            requirement.reason = Some(crate::error::Reason::ThresholdNotMet);
            requirement.message =
                Some(format!("{} of {threshold} signers that are asked for", signers.len()));
        }
        requirement.signers = signers;
        requirement.candidates = candidates;
        requirement
    }
}

fn object(candidate: &mut Candidate, verdict: Verdict, flaw: Flaw) {
    candidate.verdict = verdict;
    candidate.reason = Some(flaw.reason);
    candidate.message = Some(flaw.message.into_owned());
}
