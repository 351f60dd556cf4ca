//! What others make of what we attach and attest, and we of theirs: cosign 3 and regctl, with the referrers API and without.

use std::{path::Path, sync::Arc};

use oci_chart_core::{
    Context, Limits, Secret,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress},
    oci::Descriptor,
    store::{ConnectionOptions, Registries, Store},
    trust::{
        AttachedKind, Attachment, Attestation, AttestationPolicy, PredicateType, SignOptions, Signer as _,
        SigningKey, VerifyOptions, attach, attest, fetch_attachment, sign, tree, verify_attestation,
    },
};
use serde_json::Value;

use super::{CYCLONEDX, SLSA, SPDX, by, push, version};
use crate::{
    remote::block,
    support::{
        process::{Finished, Sandbox},
        say,
        servers::{Guards, Kind, Server},
        tools,
    },
};

#[test]
fn regctl_lists_and_fetches_what_we_attach() {
    const TEST: &str = "regctl_lists_and_fetches_what_we_attach";
    let Some(regctl) = tools::judge(TEST, "regctl") else { return };
    for kind in [Kind::Distribution3, Kind::Referrers] {
        let Some(case) = Case::new(TEST, kind) else { return };
        let attached = case.attach();
        let run = |arguments: &[&str]| case.sandbox.run(&regctl, arguments);
        run(&["registry", "set", case.server.address(), "--tls", "disabled"]).success();
        let listed = run(&["artifact", "list", &case.reference(), "--format", "{{ json . }}"]).success();
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let digests: Vec<&str> = listed["descriptors"]
            .as_array()
            .unwrap_or_else(|| panic!("{listed}"))
            .iter()
            .map(|entry| entry["digest"].as_str().unwrap())
            .collect();
        for descriptor in &attached {
            assert!(digests.contains(&&*descriptor.digest.to_string()), "{kind:?}: {listed}");
        }
        let repository = format!("{}/charts/web", case.server.address());
        let got = run(&["artifact", "get", &format!("{repository}@{}", attached[0].digest)]).success();
        assert_eq!(got, CYCLONEDX, "{kind:?}");
        let drawn = run(&["artifact", "tree", &case.reference()]).success();
        for descriptor in &attached {
            assert!(drawn.contains(&descriptor.digest.to_string()), "{kind:?}: {drawn}");
        }
        say(&format!("{TEST}: {kind:?}: {} attachments", attached.len()));
    }
}

#[test]
fn oras_go_lists_and_copies_what_we_attach() {
    const TEST: &str = "oras_go_lists_and_copies_what_we_attach";
    let Some(oras) = tools::judge(TEST, "orasgo") else { return };
    for kind in [Kind::Distribution3, Kind::Referrers] {
        let Some(case) = Case::new(TEST, kind) else { return };
        let mut attached = case.attach();
        let slsa = Attestation::new(PredicateType::SLSA_PROVENANCE_V1, SLSA).unwrap();
        let options = SignOptions::default();
        attached
            .push(block(attest(&case.cx(), &case.store, &case.chart, &slsa, &case.key, &options)).unwrap());
        let listed = case.sandbox.run(&oras, ["referrers", &case.reference()]).success();
        for descriptor in &attached {
            assert!(listed.contains(&descriptor.digest.to_string()), "{kind:?}: {listed}");
        }
        assert_eq!(listed.lines().count(), attached.len(), "{kind:?}: {listed}");
        // The copy holds the same, bytes and all, and the attestation still counts.
        let copy = case.reference().replace("charts/web", "copies/web");
        case.sandbox.run(&oras, ["copy", &case.reference(), &copy]).success();
        let copied = case.open("copies/web");
        let policy = AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, by(&[&case.key]));
        let options = VerifyOptions::default();
        block(verify_attestation(&case.cx(), &copied, &version("1.2.3"), &policy, &options)).unwrap();
        let back = block(fetch_attachment(&case.cx(), &copied, &attached[0], &Limits::default())).unwrap();
        assert_eq!(back.content().read(1 << 20).unwrap(), CYCLONEDX, "{kind:?}");
        // And what oras attaches, we list.
        let theirs =
            case.sandbox.run(&oras, ["attach", &case.reference(), "application/x-scan", "text"]).success();
        let tree = block(tree(&case.cx(), &case.store, &version("1.2.3"), &Limits::default())).unwrap();
        assert!(tree.to_string().contains(theirs.trim()), "{kind:?}: {tree}");
        say(&format!("{TEST}: {kind:?}: {} listed and copied", attached.len()));
    }
}

#[test]
fn cosign_takes_our_attestations() {
    const TEST: &str = "cosign_takes_our_attestations";
    let Some(cosign) = tools::judge(TEST, "cosign3") else { return };
    let Some(cosign2) = tools::judge(TEST, "cosign2") else { return };
    for kind in [Kind::Distribution3, Kind::Referrers] {
        let Some(case) = Case::new(TEST, kind) else { return };
        let attached = case.attach();
        for (name, attestation) in [
            ("slsaprovenance1", Attestation::new(PredicateType::SLSA_PROVENANCE_V1, SLSA).unwrap()),
            ("cyclonedx", Attestation::sbom(CYCLONEDX).unwrap()),
            ("spdxjson", Attestation::sbom(SPDX).unwrap()),
        ] {
            block(attest(
                &case.cx(),
                &case.store,
                &case.chart,
                &attestation,
                &case.key,
                &SignOptions::default(),
            ))
            .unwrap();
            let said = case.cosign(&cosign, "verify-attestation", &["--type", name]).success();
            let payload = payload(&said);
            assert_eq!(payload["predicateType"], attestation.predicate_type().as_str(), "{kind:?}");
            let predicate: Value = serde_json::from_str(attestation.predicate()).unwrap();
            assert_eq!(payload["predicate"], predicate, "{kind:?} {name}");
            let said = case.cosign2(&cosign2, &["--type", name]).success();
            assert_eq!(self::payload(&said)["predicate"], predicate, "{kind:?} {name}, cosign 2");
        }
        assert_ne!(case.cosign2(&cosign2, &["--type", "openvex"]).code, Some(0), "{kind:?}, cosign 2");
        let refused = case.cosign(&cosign, "verify-attestation", &["--type", "openvex"]);
        assert_ne!(refused.code, Some(0), "{kind:?}");
        block(sign(&case.cx(), &case.store, &case.chart, &case.key, &SignOptions::default())).unwrap();
        case.cosign(&cosign, "verify", &[]).success();
        let drawn = case.sandbox.run(&cosign, ["tree", "--allow-http-registry", &case.reference()]).success();
        for word in [
            "https://slsa.dev/provenance/v1",
            "https://cyclonedx.org/bom",
            "https://sigstore.dev/cosign/sign/v1",
        ] {
            assert!(drawn.contains(word), "{kind:?}: {drawn}");
        }
        for descriptor in &attached {
            assert!(drawn.contains(&descriptor.digest.to_string()), "{kind:?}: {drawn}");
        }
        say(&format!("{TEST}: {kind:?}: three attestations, a signature and the tree"));
    }
}

#[test]
fn we_take_what_cosign_attests() {
    const TEST: &str = "we_take_what_cosign_attests";
    let Some(cosign3) = tools::judge(TEST, "cosign3") else { return };
    let Some(cosign2) = tools::judge(TEST, "cosign2") else { return };
    for (kind, major, form) in [
        (Kind::Distribution3, 3, "--new-bundle-format=true"),
        (Kind::Referrers, 3, "--new-bundle-format=true"),
        (Kind::Distribution3, 3, "--new-bundle-format=false"),
        (Kind::Distribution3, 2, "--new-bundle-format=true"),
        (Kind::Referrers, 2, "--new-bundle-format=true"),
        (Kind::Distribution3, 2, "--new-bundle-format=false"),
    ] {
        let cosign = if major == 3 { &cosign3 } else { &cosign2 };
        let Some(case) = Case::new(TEST, kind) else { return };
        let predicate = case.sandbox.path().join("predicate.json");
        fs_err::write(&predicate, CYCLONEDX).unwrap();
        let key = case.sandbox.path().join("cosign.key");
        fs_err::write(&key, case.key.to_encrypted_pem(&Secret::new("pw")).unwrap().expose()).unwrap();
        let mut command = case.sandbox.command(cosign);
        command.env("COSIGN_PASSWORD", "pw").args(["attest", "-y", form]);
        if major == 3 {
            command.arg("--use-signing-config=false");
        }
        command.args(["--tlog-upload=false", "--allow-http-registry", "--type", "cyclonedx", "--key"]);
        command.arg(&key).arg("--predicate").arg(&predicate).arg(case.digest_reference());
        let finished = command.output().unwrap();
        assert!(finished.status.success(), "{}", String::from_utf8_lossy(&finished.stderr));
        let policy = AttestationPolicy::new(PredicateType::CYCLONEDX, by(&[&case.key]));
        let options = VerifyOptions::default();
        let verified =
            block(verify_attestation(&case.cx(), &case.store, &version("1.2.3"), &policy, &options)).unwrap();
        let predicate: Value = serde_json::from_str(&verified.get()[0].predicate).unwrap();
        assert_eq!(predicate, serde_json::from_str::<Value>(CYCLONEDX).unwrap(), "{kind:?} {form}");
        let tree = block(tree(&case.cx(), &case.store, &version("1.2.3"), &Limits::default())).unwrap();
        assert_eq!(tree.attached[0].kind, AttachedKind::Attestation, "{tree}");
        say(&format!("{TEST}: {kind:?} cosign {major} {form}"));
    }
}

/// A chart in a registry of others, and a key.
struct Case {
    server: Server,
    sandbox: Sandbox,
    store: Arc<dyn Store>,
    chart: Descriptor,
    key: SigningKey,
}

impl Case {
    fn new(test: &str, kind: Kind) -> Option<Self> {
        let server = Server::start(test, kind, Guards::default())?;
        let store = open(&server, "charts/web");
        let chart = push(&store, "1.2.3");
        let (sandbox, key) = (Sandbox::new(), SigningKey::generate().unwrap());
        fs_err::write(sandbox.path().join("cosign.pub"), key.public_key().to_pem()).unwrap();
        Some(Self { server, sandbox, store, chart, key })
    }

    fn open(&self, repository: &str) -> Arc<dyn Store> {
        open(&self.server, repository)
    }

    fn attach(&self) -> Vec<Descriptor> {
        [CYCLONEDX, SPDX]
            .map(|document| {
                let sbom = Attachment::sbom(document).unwrap().with_title("sbom.json");
                block(attach(&self.cx(), &self.store, &self.chart, &sbom)).unwrap().descriptor
            })
            .to_vec()
    }

    fn cosign(&self, cosign: &Path, verb: &str, more: &[&str]) -> Finished {
        let reference = self.digest_reference();
        let common = [
            verb,
            "--key",
            "cosign.pub",
            "--insecure-ignore-tlog",
            "--allow-http-registry",
            "--output",
            "json",
        ];
        self.sandbox.run(cosign, common.iter().chain(more).chain([&&*reference]))
    }

    /// The older one reads bundles only with a root, which may be empty.
    fn cosign2(&self, cosign: &Path, more: &[&str]) -> Finished {
        let root = self.sandbox.path().join("root.json");
        fs_err::write(&root, crate::trust::judges::EMPTY_ROOT).unwrap();
        let bundles = ["--new-bundle-format", "--trusted-root", root.to_str().unwrap()];
        self.cosign(cosign, "verify-attestation", &[&bundles, more].concat())
    }

    fn reference(&self) -> String {
        format!("{}/charts/web:1.2.3", self.server.address())
    }

    fn digest_reference(&self) -> String {
        format!("{}/charts/web@{}", self.server.address(), self.chart.digest)
    }

    fn cx(&self) -> Context {
        Context::default()
    }
}

fn open(server: &Server, repository: &str) -> Arc<dyn Store> {
    let host = Host::parse(server.address()).unwrap();
    let address = RepositoryAddress::parse(&format!("{host}/{repository}")).unwrap();
    let options = ConnectionOptions::default().with_plain_http(host);
    Arc::new(Registries::new(options, StaticCredentials::default()).unwrap().repository(&address).unwrap())
}

/// The statement in what cosign prints: an envelope, or a list of them.
fn payload(said: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let line = said.lines().find(|line| line.starts_with(['{', '['])).unwrap_or_else(|| panic!("{said}"));
    let envelope: Value = serde_json::from_str(line).unwrap();
    let envelope = envelope.get(0).unwrap_or(&envelope).clone();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}
