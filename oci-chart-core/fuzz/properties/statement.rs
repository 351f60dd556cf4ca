//! Documents that are signed, attached or trusted: whatever is read is read the same again, and a pattern never fits more than itself.

use oci_chart_core::trust::{
    Attachment, Attestation, AttestationPolicy, Identity, Pattern, PredicateType, TrustRoot,
};

pub(crate) fn check(bytes: &[u8]) {
    let attached = Attachment::sbom(bytes.to_vec());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(attestation) = Attestation::sbom(text) {
        // What can be signed can be attached; XML and other encodings only the latter.
        assert!(attached.is_ok());
        let subject = oci_chart_core::Digest::of(bytes);
        let statement = attestation.statement(&subject);
        // The statement holds nothing twice, so it can be said again.
        assert!(Attestation::new(PredicateType::CUSTOM, statement).is_ok());
    }
    if let Ok(pattern) = text.parse::<Pattern>() {
        assert_eq!(pattern.to_string(), text);
        if pattern.as_exact().is_some() {
            assert!(pattern.matches(text));
        }
        assert!(!pattern.matches(&format!("x{text}")) || text.starts_with('*'));
    }
    if let Ok(kind) = text.parse::<PredicateType>() {
        assert_eq!(kind.as_str().parse::<PredicateType>().as_ref().ok(), Some(&kind));
    }
    if let Ok(root) = TrustRoot::from_json(text) {
        assert!(!root.is_embedded());
    }
    if let Ok(policy) = serde_json::from_str::<AttestationPolicy>(text) {
        let again = serde_json::to_string(&policy).unwrap_or_default();
        assert_eq!(serde_json::from_str::<AttestationPolicy>(&again).ok(), Some(policy));
    }
    if let Ok(identity) = serde_json::from_str::<Identity>(text) {
        let again = serde_json::to_string(&identity).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Identity>(&again).ok(), Some(identity));
    }
}
