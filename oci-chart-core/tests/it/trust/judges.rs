//! What both majors of cosign make of our signatures and keys, and we of theirs, with the referrers API and without.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use oci_chart_core::{
    Context, ErrorKind, Reason, Secret,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress, Selector},
    oci::Descriptor,
    store::{Blob, ConnectionOptions, Registries, Store, TagMode},
    trust::{
        Attachment, Format, KeyPolicy, Policy, PublicKey, SignOptions, Signer as _, SigningKey, Tlog,
        TrustedKey, VerifyOptions, attach, verify,
    },
};

use super::support::{check, policy, private, push, selector, signed, trusting};
use crate::{
    attest::CYCLONEDX,
    remote::block,
    support::{
        process::{Finished, Sandbox},
        say,
        servers::{Guards, Kind, Server},
        tools,
    },
};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(crate) const EMPTY_ROOT: &str = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[],"certificateAuthorities":[],"ctlogs":[],"timestampAuthorities":[]}"#;

/// One registry, one chart in it, and both cosigns.
struct Bench {
    cosigns: [(u32, PathBuf); 2],
    server: Server,
    sandbox: Sandbox,
}

impl Bench {
    fn new(test: &str, kind: Kind) -> Option<Self> {
        let cosigns = [(3, tools::judge(test, "cosign3")?), (2, tools::judge(test, "cosign2")?)];
        let server = Server::start(test, kind, Guards::default())?;
        let sandbox = Sandbox::new();
        fs_err::write(sandbox.path().join("root.json"), EMPTY_ROOT).unwrap();
        Some(Self { cosigns, server, sandbox })
    }

    /// A repository of its own.
    fn store(&self, name: &str) -> Arc<dyn Store> {
        let host = Host::parse(self.server.address()).unwrap();
        let options = ConnectionOptions::default().with_plain_http(host);
        let registries = Registries::new(options, StaticCredentials::default()).unwrap();
        let address = format!("oci://{}/{name}", self.server.address());
        Arc::new(registries.repository(&RepositoryAddress::parse(&address).unwrap()).unwrap())
    }

    fn reference(&self, name: &str, chart: &Descriptor) -> String {
        format!("{}/{name}@{}", self.server.address(), chart.digest)
    }

    fn run(&self, cosign: &Path, arguments: &[&str]) -> Finished {
        let mut command =
            vec!["-c".to_owned(), r#"COSIGN_PASSWORD=pw exec "$@""#.to_owned(), "sh".to_owned()];
        command.push(cosign.to_str().unwrap().to_owned());
        command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self.sandbox.run(Path::new("/bin/sh"), command)
    }

    fn sign(&self, (major, cosign): &(u32, PathBuf), key: &str, format: Format, reference: &str) {
        let mut arguments =
            vec!["sign", "--key", key, "--yes", "--tlog-upload=false", "--allow-http-registry"];
        match (major, format) {
            (3, Format::SignatureTag) => {
                arguments.extend(["--use-signing-config=false", "--new-bundle-format=false"]);
            }
            (3, _) => arguments.push("--use-signing-config=false"),
            (_, Format::Bundle) => arguments.push("--new-bundle-format"),
            _ => {}
        }
        arguments.push(reference);
        self.run(cosign, &arguments).success();
    }

    fn verify(&self, (major, cosign): &(u32, PathBuf), key: &PublicKey, reference: &str) -> Finished {
        let file = self.sandbox.path().join("verify.pub");
        fs_err::write(&file, key.to_pem()).unwrap();
        let root = self.sandbox.path().join("root.json");
        let mut arguments = vec![
            "verify",
            "--key",
            file.to_str().unwrap(),
            "--insecure-ignore-tlog",
            "--allow-http-registry",
        ];
        if *major == 2 {
            arguments.extend(["--trusted-root", root.to_str().unwrap()]);
        }
        arguments.push(reference);
        self.run(cosign, &arguments)
    }
}

fn in_form(format: Format) -> SignOptions {
    SignOptions::default().with_formats([format])
}

#[test]
fn both_cosigns_take_what_we_sign() {
    const TEST: &str = "both_cosigns_take_what_we_sign";
    for kind in [Kind::Referrers, Kind::Distribution3] {
        let Some(bench) = Bench::new(TEST, kind) else { return };
        let mut keys = vec![("p256", SigningKey::generate().unwrap())];
        for name in ["rsa2048", "p384", "p521", "ed25519"] {
            keys.extend(private(TEST, &format!("{name}.key")).map(|key| (name, key)));
        }
        for (name, key) in &keys {
            for format in Format::COSIGN {
                let place = format!("{name}/{format}");
                let store = bench.store(&place);
                let chart = push(&store, "1.2.3");
                signed(&store, &chart, key, &in_form(format)).unwrap();
                let reference = bench.reference(&place, &chart);
                for cosign in &bench.cosigns {
                    bench.verify(cosign, key.public_key(), &reference).success();
                    let stranger = SigningKey::generate().unwrap();
                    bench.verify(cosign, stranger.public_key(), &reference).failure();
                }
                let (_, cosign3) = &bench.cosigns[0];
                let drawn = bench.run(cosign3, &["tree", "--allow-http-registry", &reference]).success();
                let mark = if format == Format::Bundle { "sigstore.dev/cosign/sign/v1" } else { ".sig" };
                assert!(drawn.contains(mark), "{drawn}");
            }
        }
        say(&format!("{TEST}: {kind:?}: {} kinds of keys, both forms, both majors", keys.len()));
    }
}

#[test]
fn we_take_what_both_cosigns_sign_and_append_to_each_other() {
    const TEST: &str = "we_take_what_both_cosigns_sign_and_append_to_each_other";
    for kind in [Kind::Referrers, Kind::Distribution3] {
        let Some(bench) = Bench::new(TEST, kind) else { return };
        let (_, cosign3) = &bench.cosigns[0];
        bench.run(cosign3, &["generate-key-pair"]).success();
        let pem = fs_err::read_to_string(bench.sandbox.path().join("cosign.pub")).unwrap();
        let theirs: PublicKey = pem.parse().unwrap();
        let ours = SigningKey::generate().unwrap();
        for cosign in &bench.cosigns {
            for format in Format::COSIGN {
                for ours_first in [true, false] {
                    let place = format!("append/{}-{format}-{ours_first}", cosign.0);
                    let store = bench.store(&place);
                    let chart = push(&store, "1.2.3");
                    let reference = bench.reference(&place, &chart);
                    if ours_first {
                        signed(&store, &chart, &ours, &in_form(format)).unwrap();
                    }
                    bench.sign(cosign, "cosign.key", format, &reference);
                    if !ours_first {
                        signed(&store, &chart, &ours, &in_form(format)).unwrap();
                    }
                    for key in [&theirs, ours.public_key()] {
                        let only = Policy::Keys(trusting(&[key]).with_formats([format]));
                        check(&store, "1.2.3", &only).unwrap_or_else(|error| panic!("{place}: {error:?}"));
                        check(&store, "1.2.3", &policy(&[key])).unwrap();
                        bench.verify(cosign, key, &reference).success();
                    }
                }
            }
        }
        say(&format!("{TEST}: {kind:?}"));
    }
}

#[test]
fn what_strangers_do_with_cosign_means_the_same_to_us() {
    const TEST: &str = "what_strangers_do_with_cosign_means_the_same_to_us";
    let Some(bench) = Bench::new(TEST, Kind::Referrers) else { return };
    let keys = ["one", "two"].map(|name| {
        let arguments = ["generate-key-pair", "--output-key-prefix", name];
        bench.run(&bench.cosigns[0].1, &arguments).success();
        let pem = fs_err::read_to_string(bench.sandbox.path().join(format!("{name}.pub"))).unwrap();
        TrustedKey::new(pem.parse().unwrap())
    });
    let asked = |keys: &[TrustedKey]| KeyPolicy::new(keys.iter().cloned(), Tlog::IgnoreExplicitly);
    for (major, cosign) in &bench.cosigns {
        let (place, mut more) = (format!("strangers/{major}"), vec!["--yes", "--tlog-upload=false"]);
        more.extend((*major == 3).then_some("--use-signing-config=false"));
        let run = |verb: &str, words: &[&str], reference: &str| {
            let arguments = [&[verb, "--allow-http-registry"], &more[..], words, &[reference]].concat();
            bench.run(cosign, &arguments).success();
        };
        let store = bench.store(&place);
        let chart = push(&store, "1.2.3");
        // A list of it, signed with all that it lists, and with annotations.
        let entry = format!(
            r#"{{"mediaType":"{}","size":{},"digest":"{}"}}"#,
            chart.media_type, chart.size, chart.digest
        );
        let list = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{entry}]}}"#);
        let list = Blob::from_bytes(INDEX.into(), list);
        block(store.push(&list, &[("list".parse().unwrap(), TagMode::Create)])).unwrap();
        let signing = ["--key", "one.key", "--recursive", "-a", "env=prod", "-a", "note=<a&b>"];
        run("sign", &signing, &bench.reference(&place, list.descriptor()));
        let one = asked(&keys[..1]).with_annotation("env", "prod").with_annotation("note", "<a&b>");
        let listed = Selector::Tag("list".parse().unwrap());
        for selector in [&listed, &selector("1.2.3")] {
            let verify = |policy: KeyPolicy| {
                let (cx, options) = (Context::default(), VerifyOptions::default());
                block(verify(&cx, &store, selector, &Policy::Keys(policy), &options)).map(drop)
            };
            verify(one.clone()).unwrap_or_else(|error| panic!("cosign {major}, {selector}: {error:?}"));
            let error = verify(one.clone().with_annotation("env", "dev")).unwrap_err();
            assert_eq!(error.reason(), Some(Reason::AnnotationMismatch), "cosign {major}");
        }
        // A second key attests first, which signs nothing, and signs then.
        let reference = bench.reference(&place, &chart);
        let both = Policy::Keys(asked(&keys).with_threshold(2));
        fs_err::write(bench.sandbox.path().join("sbom.json"), CYCLONEDX).unwrap();
        run("attest", &["--key", "two.key", "--predicate", "sbom.json", "--type", "cyclonedx"], &reference);
        assert_eq!(check(&store, "1.2.3", &both).unwrap_err().reason(), Some(Reason::ThresholdNotMet));
        run("sign", &["--key", "two.key"], &reference);
        check(&store, "1.2.3", &both).unwrap_or_else(|error| panic!("cosign {major}: {error:?}"));
        // A signature over the bytes of a file is none of a chart, wherever it is put.
        let (manifest, place) = (bench.sandbox.path().join("manifest.json"), format!("blobs/{major}"));
        let store = bench.store(&place);
        let chart = push(&store, "1.2.3");
        let (_, bytes) = block(store.fetch_manifest(&selector("1.2.3"))).unwrap();
        fs_err::write(&manifest, bytes).unwrap();
        let bundle = bench.sandbox.path().join(format!("blob{major}.json"));
        let mut words = vec!["sign-blob", "--key", "one.key", "--bundle", bundle.to_str().unwrap()];
        words.extend((*major == 2).then_some("--new-bundle-format"));
        words.extend(&more);
        words.push(manifest.to_str().unwrap());
        bench.run(cosign, &words).success();
        let blob = fs_err::read(&bundle).unwrap();
        let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let attachment = Attachment::new(kind.into(), blob);
        block(attach(&Context::default(), &store, &chart, &attachment)).unwrap();
        let error = check(&store, "1.2.3", &Policy::Keys(asked(&keys[..1]))).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::NotSigned, Some(Reason::NotASignature)),
            "cosign {major}"
        );
        assert!(error.get("because").unwrap().contains("signs bytes"), "{error:?}");
    }
}

#[test]
fn encrypted_keys_open_on_the_other_side() {
    const TEST: &str = "encrypted_keys_open_on_the_other_side";
    let Some(bench) = Bench::new(TEST, Kind::Referrers) else { return };
    let ours = SigningKey::generate().unwrap();
    let file = ours.to_encrypted_pem(&Secret::new("pw")).unwrap();
    fs_err::write(bench.sandbox.path().join("ours.key"), file.expose()).unwrap();
    for (major, cosign) in &bench.cosigns {
        let shown = bench.run(cosign, &["public-key", "--key", "ours.key"]).success();
        assert_eq!(shown.trim(), ours.public_key().to_pem().trim(), "cosign {major}");
        let prefix = format!("theirs{major}");
        bench.run(cosign, &["generate-key-pair", "--output-key-prefix", &prefix]).success();
        let read = |kind: &str| {
            fs_err::read_to_string(bench.sandbox.path().join(format!("{prefix}.{kind}"))).unwrap()
        };
        let theirs = SigningKey::from_pem(&read("key"), || Ok(Secret::new("pw"))).unwrap();
        assert_eq!(theirs.public_key().to_pem(), read("pub"), "cosign {major}");
    }
}
