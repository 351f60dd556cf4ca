//! Bundles of any kind, as they come: no bytes prove that anybody signed what nobody has, and none panic.

use std::sync::OnceLock;

use oci_chart_core::{
    Digest,
    trust::{BundleArtifact, BundleSigner, Identity, PublicKey, TrustRoot, verify_bundle},
};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "https://github.com/org/charts/.github/workflows/release.yml@refs/tags/v1.2.3";

pub(crate) fn check(bytes: &[u8]) {
    // What is no JSON is refused before anything else, and reading the root takes time.
    if serde_json::from_slice::<serde_json::Value>(bytes).is_err() && !bytes.len().is_multiple_of(64) {
        return;
    }
    static KNOWN: OnceLock<(TrustRoot, [BundleSigner; 2])> = OnceLock::new();
    let (root, signers) = KNOWN.get_or_init(|| {
        let root = include_str!("../../testkit/fixtures/keyless/trusted_root.json");
        let key: PublicKey =
            include_str!("../../testkit/fixtures/keyless/key.pub").parse().expect("the fixtures' key");
        let workflow = Identity::exact(ISSUER, SUBJECT).expect("an identity");
        (
            TrustRoot::from_json(root).expect("the fixtures' root"),
            [BundleSigner::Key(key), BundleSigner::Identities(vec![workflow])],
        )
    });
    let nothing = Digest::of("nobody signed this");
    for signer in signers {
        let artifact = BundleArtifact::Digest(&nothing);
        let error = verify_bundle(bytes, artifact, signer, root).expect_err("nobody signed that");
        assert!(!error.to_string().contains(|letter: char| letter.is_control()), "{error:?}");
    }
}
