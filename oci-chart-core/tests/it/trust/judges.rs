//! What both majors of cosign make of our signatures and keys, and we of theirs, with the referrers API and without.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use oci_chart_core::{
    Secret,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress},
    oci::Descriptor,
    store::{ConnectionOptions, Registries, Store},
    trust::{Format, Policy, PublicKey, SignOptions, Signer as _, SigningKey},
};

use super::support::{check, policy, private, push, signed, trusting};
use crate::support::{
    process::{Finished, Sandbox},
    say,
    servers::{Guards, Kind, Server},
    tools,
};

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
