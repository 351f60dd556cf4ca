//! Every provenance file and key ring of the corpus, with what Helm and gpg said.

use std::{collections::BTreeMap, path::PathBuf};

use oci_chart_core::{
    ChartArtifact, Context, Digest, ErrorKind, Package,
    chart::{LoadOptions, Provenance, Timestamp},
    name::Selector,
    oci::ArtifactOptions,
    transfer::{self, PullOptions},
    trust::{
        PgpPolicy, Policy, VerifyOptions,
        pgp::{Keyring, PgpFault, PgpVerifier},
    },
};
use oci_chart_testkit::Hostile;
use serde_json::Value;

use super::{NOW, any_key, at, reason, verify_package, verify_provenance};
use crate::{
    remote::block,
    support::{corpus::corpus, disagreements::Tally, say},
    threats::store_at,
};

/// What we say of each: of the file and the digest, and then of the package with its Chart.yaml.
const VERDICTS: [(&str, &str, &str); 49] = [
    ("bad-then-good-block", "provenance-malformed", ""),
    ("body-no-final-newline", "good", "good"),
    ("comment-header", "provenance-malformed", ""),
    ("crlf", "good", "good"),
    ("dash-escaped", "good", "good"),
    ("file-name-other", "other name", "metadata-mismatch"),
    ("files-duplicate-key", "provenance-malformed", ""),
    ("files-two", "good", "metadata-mismatch"),
    ("good-then-bad-block", "provenance-malformed", ""),
    ("gpg-dsa", "weak-algorithm", ""),
    ("gpg-ed", "good", "good"),
    ("gpg-rsa-ripemd160", "weak-algorithm", ""),
    ("gpg-rsa-sha1", "weak-algorithm", ""),
    ("gpg-rsa-sha224", "weak-algorithm", ""),
    ("gpg-rsa-sha256", "good", "good"),
    ("gpg-rsa-sha512", "good", "good"),
    ("gpg-subkey", "good", "good"),
    ("hash-header-lies", "provenance-malformed", ""),
    ("hash-header-missing", "provenance-malformed", ""),
    ("hash-no-prefix", "provenance-mismatch", ""),
    ("hash-sha512", "provenance-mismatch", ""),
    ("hash-upper", "provenance-mismatch", ""),
    ("helm4-dsa", "weak-algorithm", ""),
    ("helm4-ed", "good", "good"),
    ("helm4-p256", "good", "good"),
    ("helm4-p384", "good", "good"),
    ("helm4-rsa", "good", "good"),
    ("helm4-rsapass", "good", "good"),
    ("helm4-sub", "key-unusable", ""),
    ("helm4-weak", "weak-algorithm", ""),
    ("images-and-third-document", "provenance-malformed", ""),
    ("key-expired", "key-expired", ""),
    ("key-revoked-later", "key-revoked", ""),
    ("key-sha1-selfsig", "weak-algorithm", ""),
    ("meta-empty", "good", "metadata-mismatch"),
    ("meta-not-a-map", "provenance-malformed", ""),
    ("meta-other-chart", "good", "metadata-mismatch"),
    ("no-blank-before-dots", "good", "metadata-mismatch"),
    ("no-final-newline", "good", "good"),
    ("separator-wrong", "provenance-malformed", ""),
    ("sig-expired", "signature-time", ""),
    ("sig-from-future", "signature-time", ""),
    ("sig-older-than-key", "signature-time", ""),
    ("tampered", "signature-mismatch", ""),
    ("text-after", "provenance-malformed", ""),
    ("text-before", "provenance-malformed", ""),
    ("trailing-space-added", "good", "good"),
    ("trailing-space-signed", "good", "good"),
    ("two-signatures", "good", "good"),
];

/// Files that Helm accepts and that have another form than we read; of what is refused for its signature, the fault says so itself.
const STRICTER_FORM: [&str; 6] = [
    "good-then-bad-block",
    "files-duplicate-key",
    "images-and-third-document",
    "meta-not-a-map",
    "text-after",
    "text-before",
];

struct Demo {
    folder: PathBuf,
    package: Package,
}

impl Demo {
    fn open(test: &str) -> Option<Self> {
        let folder = corpus(test)?.join("signing/helm");
        let package = Package::from_file(folder.join("demo-1.2.3.tgz"), &LoadOptions::default()).unwrap();
        Some(Self { folder, package })
    }

    fn ring(&self, name: &str) -> Keyring {
        Keyring::from_file(self.folder.join("keyrings").join(name)).unwrap()
    }

    fn prov(&self, name: &str) -> Vec<u8> {
        fs_err::read(self.folder.join("prov").join(name)).unwrap()
    }

    fn verdicts(&self, list: &str) -> Vec<BTreeMap<String, String>> {
        let text = fs_err::read_to_string(self.folder.join("verdicts.json")).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        serde_json::from_value(all[list].clone()).unwrap()
    }
}

#[test]
fn every_file_has_one_verdict_and_a_reason_where_helm_s_is_another() {
    const TEST: &str = "every_file_has_one_verdict_and_a_reason_where_helm_s_is_another";
    let Some(demo) = Demo::open(TEST) else { return };
    let ours: BTreeMap<_, _> =
        VERDICTS.iter().map(|(name, file, package)| (*name, (*file, *package))).collect();
    let theirs = demo.verdicts("prov");
    assert_eq!(theirs.len(), fs_err::read_dir(demo.folder.join("prov")).unwrap().count());
    let mut tally = Tally::default();
    for row in &theirs {
        let name = row["prov"].strip_suffix(".prov").unwrap();
        let (of_file, of_package) = ours[name];
        let (prov, policy) = (demo.prov(&row["prov"]), PgpVerifier::any_key(demo.ring(&row["keyring"])));
        let verified = verify_provenance(&prov, &demo.package.digest(), "demo-1.2.3.tgz", &policy, at(NOW));
        let helm_accepts = row["helm4"] == "accept";
        match &verified {
            Ok(evidence) => {
                let said = if evidence.signed_file.is_some() { "other name" } else { "good" };
                assert_eq!(said, of_file, "{name}: {evidence:?}");
                assert_eq!(helm_accepts, said == "good", "{name}");
                if !helm_accepts {
                    tally.allow("provenance-renamed", &name);
                }
            }
            Err(error) => {
                assert_eq!(reason(error), of_file, "{name}: {error:?}");
                assert!(error.hint().is_some(), "{name}");
                let fault =
                    std::error::Error::source(error).and_then(|source| source.downcast_ref::<PgpFault>());
                let expected = fault.map_or(STRICTER_FORM.contains(&name), PgpFault::helm_accepts);
                assert_eq!(helm_accepts, expected, "{name}: {error:?}");
                if helm_accepts {
                    let form = reason(error) == "provenance-malformed";
                    tally.allow(if form { "provenance-form" } else { "provenance-weak" }, &name);
                }
            }
        }
        let signed = demo.package.with_provenance(prov);
        match verify_package(&signed, &policy, at(NOW)) {
            Ok(mut evidence) => {
                // One file describes its chart in other words.
                let differs = name == "dash-escaped";
                assert_eq!((of_package, evidence.metadata_differs), ("good", Some(differs)), "{name}");
                evidence.metadata_differs = None;
                assert_eq!(&evidence, verified.as_ref().unwrap(), "{name}");
            }
            Err(error) if verified.is_ok() => {
                assert_eq!(reason(&error), of_package, "{name}: {error:?}");
                if helm_accepts {
                    tally.allow("provenance-other-chart", &name);
                }
            }
            Err(error) => assert_eq!(reason(&error), of_file, "{name}: {error:?}"),
        }
    }
    say(&format!("{TEST}: {} files, {tally}", theirs.len()));
}

#[test]
fn a_hostile_registry_gets_no_file_past_that_is_not_good() {
    const TEST: &str = "a_hostile_registry_gets_no_file_past_that_is_not_good";
    let Some(demo) = Demo::open(TEST) else { return };
    let now = VerifyOptions::default().with_now(Timestamp::from_unix(NOW).unwrap());
    let mut refused = 0;
    for row in &demo.verdicts("prov") {
        let name = row["prov"].strip_suffix(".prov").unwrap();
        let (_, of_file, of_package) = VERDICTS.into_iter().find(|(known, ..)| *known == name).unwrap();
        let registry = Hostile::start().unwrap();
        let signed = demo.package.with_provenance(demo.prov(&row["prov"]));
        let artifact = ChartArtifact::new(signed, &ArtifactOptions::default()).unwrap();
        for (_, content) in artifact.blobs() {
            registry.blob(content.read(1 << 20).unwrap());
        }
        let (manifest, bytes) = (artifact.manifest().descriptor(), artifact.manifest().bytes().clone());
        registry.tag("1.2.3", &registry.manifest(manifest.media_type.as_str(), bytes));
        let ring = fs_err::read(demo.folder.join("keyrings").join(&row["keyring"])).unwrap();
        let policy = Policy::Pgp(PgpPolicy::any_key(ring));
        let options = PullOptions::verified_by(policy).with_verify_options(now.clone());
        let store = store_at(&registry.host());
        let selector = Selector::for_version("1.2.3").unwrap();
        match block(transfer::pull(&Context::default(), &store, &selector, &options)) {
            Ok(_) => assert_eq!((of_file, of_package), ("good", "good"), "{name}"),
            Err(error) => {
                // Another chart's version is told first where a version was asked for.
                let expected = match of_package {
                    "" => of_file,
                    "metadata-mismatch" if reason(&error) == "version-mismatch" => "version-mismatch",
                    of_package => of_package,
                };
                assert_eq!(reason(&error), expected, "{name}: {error:?}");
                // What strangers wrote does not reach a terminal as it is.
                assert!(!format!("{error} {error:?}").contains('\u{1b}'), "{name}");
                refused += 1;
            }
        }
    }
    assert!(refused > 25, "{refused}");
    say(&format!("{TEST}: {refused} files refused"));
}

#[test]
fn a_signature_from_the_future_waits_for_its_day() {
    let Some(demo) = Demo::open("a_signature_from_the_future_waits_for_its_day") else { return };
    let (prov, policy) = (demo.prov("sig-from-future.prov"), PgpVerifier::any_key(demo.ring("rsa.gpg")));
    let verify = |now| verify_provenance(&prov, &demo.package.digest(), "demo-1.2.3.tgz", &policy, at(now));
    assert!(matches!(verify(NOW), Err(error) if error.kind() == ErrorKind::PolicyDenied));
    let signed = verify(1_820_000_000).unwrap().signed_at;
    assert_eq!(&signed.to_string()[..10], "2027-06-01");
    assert!(verify(signed.unix()).is_ok() && verify(signed.unix() - 1).is_err());
}

#[test]
fn every_key_ring_is_read_whatever_its_form() {
    const TEST: &str = "every_key_ring_is_read_whatever_its_form";
    let Some(demo) = Demo::open(TEST) else { return };
    let has_the_key = [
        "rsa.gpg",
        "rsa.asc",
        "rsa.secring.gpg",
        "two.gpg",
        "two-blocks.asc",
        "two-in-one.asc",
        "pubring.kbx",
    ];
    let several = ["two.gpg", "two-blocks.asc", "two-in-one.asc", "pubring.kbx"];
    let prov = demo.prov("helm4-rsa.prov");
    let rows = demo.verdicts("keyrings");
    for row in &rows {
        let name = row["keyring"].as_str();
        let ring = demo.ring(name);
        assert_eq!(ring.keys().len(), if several.contains(&name) { 2 } else { 1 }, "{name}");
        assert_eq!(ring.keys().any(|key| key.secret), name.contains("secring"), "{name}");
        let policy = PgpVerifier::any_key(ring);
        let verified = verify_provenance(&prov, &demo.package.digest(), "demo-1.2.3.tgz", &policy, at(NOW));
        match verified {
            Ok(evidence) => {
                assert!(has_the_key.contains(&name), "{name}");
                assert_eq!(evidence.user_ids, ["RSA Test <rsa@example.com>"], "{name}");
            }
            Err(error) => {
                assert!(!has_the_key.contains(&name), "{name}: {error:?}");
                assert_eq!(reason(&error), "no-trusted-key");
                assert!(error.message().contains("6417B7650C4899E5"), "{error}");
            }
        }
    }
    say(&format!("{TEST}: {} rings", rows.len()));
}

#[test]
fn only_the_keys_that_are_named_may_sign() {
    let Some(demo) = Demo::open("only_the_keys_that_are_named_may_sign") else { return };
    let ring = demo.ring("two.gpg").join(&demo.ring("sub.gpg"));
    let keys: Vec<_> = ring.keys().collect();
    let verify = |prov: &str, fingerprint: &str| {
        let policy = PgpVerifier::new(ring.clone(), [fingerprint.parse().unwrap()]).unwrap();
        verify_provenance(&demo.prov(prov), &demo.package.digest(), "demo-1.2.3.tgz", &policy, at(NOW))
    };
    let rsa = "3FDA391570198E39B64FDACB6417B7650C4899E5";
    let ed = "279F16298BC57E58F3D1739972F741368C33A7B7";
    assert_eq!(verify("helm4-rsa.prov", rsa).unwrap().signer.as_str(), rsa);
    let refused = verify("helm4-rsa.prov", ed).unwrap_err();
    assert_eq!((refused.kind(), reason(&refused)), (ErrorKind::SignatureInvalid, "no-trusted-key"));
    assert!(
        refused.message().contains(rsa) && refused.hint().unwrap().contains("Helm would accept"),
        "{refused:?}"
    );
    // A file with two signatures has both signers.
    assert_eq!(verify("two-signatures.prov", rsa).unwrap().algorithm, "RSA-2048");
    assert_eq!(verify("two-signatures.prov", ed).unwrap().algorithm, "Ed25519");

    // A subkey signs for its key; named alone it is the only one.
    let sub = keys.iter().find(|key| !key.subkeys.is_empty()).unwrap();
    for named in [&sub.fingerprint, &sub.subkeys[0]] {
        let evidence = verify("gpg-subkey.prov", named.as_str()).unwrap();
        assert_eq!((&evidence.primary, &evidence.signer), (&sub.fingerprint, &sub.subkeys[0]));
    }
    assert!(PgpVerifier::new(ring.clone(), []).is_err());
    let stranger = PgpVerifier::new(ring.clone(), ["A".repeat(40).parse().unwrap()]).unwrap_err();
    assert_eq!((stranger.kind(), reason(&stranger)), (ErrorKind::InvalidInput, "no-trusted-key"));
}

#[test]
fn helm_s_own_test_files_verify() {
    const TEST: &str = "helm_s_own_test_files_verify";
    let Some(helm) = corpus(TEST).map(|corpus| corpus.join("helm")) else { return };
    let mixed = Keyring::from_file(helm.join("provenance/helm-mixed-keyring.pub")).unwrap();
    assert_eq!(mixed.keys().len(), 2);
    let public = Keyring::from_file(helm.join("provenance/helm-test-key.pub")).unwrap();
    let secret = Keyring::from_file(helm.join("provenance/helm-test-key.secret")).unwrap();
    let other = Keyring::from_file(helm.join("provenance/helm-password-key.secret")).unwrap();
    for file in ["provenance/hashtest-1.2.3.tgz", "downloader/signtest-0.1.0.tgz"] {
        let package = Package::from_file(helm.join(file), &LoadOptions::default()).unwrap();
        for ring in [&public, &secret, &mixed] {
            let evidence = verify_package(&package, &PgpVerifier::any_key(ring.clone()), at(NOW)).unwrap();
            assert_eq!(evidence.signer.as_str(), "5E615389B53CA37F0EE60BD3843BBF981FC18762");
            assert_eq!((evidence.signed_file, evidence.metadata_differs), (None, Some(false)));
        }
        let error = verify_package(&package, &PgpVerifier::any_key(other.clone()), at(NOW)).unwrap_err();
        assert_eq!(reason(&error), "no-trusted-key");
        // The text is the one that we would sign, but for the line break that newer Helms add.
        let prov = Provenance::parse(package.provenance().unwrap()).unwrap();
        assert_eq!(format!("{}\n", prov.text()), Provenance::message(&package).unwrap());
    }

    // The message alone, signed by gpg, with and without a change.
    let folder = helm.join("provenance");
    let block = fs_err::read(folder.join("msgblock.yaml.asc")).unwrap();
    let text = fs_err::read_to_string(folder.join("msgblock.yaml")).unwrap();
    let prov = Provenance::parse(&block).unwrap();
    assert_eq!(format!("{}\n", prov.text()), text);
    let digest: Digest = prov.files().next().unwrap().1.parse().unwrap();
    let verify = |bytes: &[u8]| {
        let public = fs_err::read(folder.join("helm-test-key.pub")).unwrap();
        verify_provenance(bytes, &digest, "hashtest-1.2.3.tgz", &any_key(&public), at(NOW))
    };
    assert!(verify(&block).is_ok());
    let tampered = verify(&fs_err::read(folder.join("msgblock.yaml.tampered")).unwrap()).unwrap_err();
    assert!(["signature-mismatch", "provenance-malformed"].contains(&reason(&tampered)), "{tampered:?}");
}

#[test]
fn evidence_is_data() {
    let Some(demo) = Demo::open("evidence_is_data") else { return };
    let policy = PgpVerifier::any_key(demo.ring("ed.gpg"));
    let signed = demo.package.with_provenance(demo.prov("helm4-ed.prov"));
    let evidence = verify_package(&signed, &policy, at(NOW)).unwrap();
    let want = serde_json::json!({
        "primary": "279F16298BC57E58F3D1739972F741368C33A7B7",
        "signer": "279F16298BC57E58F3D1739972F741368C33A7B7",
        "userIds": ["Ed Test <ed@example.com>"],
        "algorithm": "Ed25519",
        "hash": "SHA512",
        "signedAt": evidence.signed_at.to_string(),
        "expiresAt": null,
        "digest": "sha256:bc60d495e45a8a242c7fab9c0aa45af49c77b8dd761e566020be95dcf3b407f2",
        "file": "demo-1.2.3.tgz",
        "signedFile": null,
        "chart": "demo",
        "version": "1.2.3",
        "metadataDiffers": false,
    });
    assert_eq!(serde_json::to_value(&evidence).unwrap(), want);
}
