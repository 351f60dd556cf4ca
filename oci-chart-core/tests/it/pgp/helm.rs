//! Both Helms beside us: theirs on ours, ours on theirs, also over a registry.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use oci_chart_core::{
    ChartArtifact, Client, Package, blocking,
    chart::{LoadOptions, Provenance},
    name::{Host, Selector},
    oci::ArtifactOptions,
    store::TagMode,
    transfer::{PullOptions, PushOptions},
    trust::pgp::{Keyring, Passphrase, PgpSigner, PgpVerifier},
};

use super::{any_key, reason, tiny, verify_package};
use crate::support::{
    corpus::complete_charts,
    gpg::Gpg,
    process::Sandbox,
    say,
    servers::{Guards, Kind, Server},
    tools::judge,
};

const USER: &str = "Signer <signer@example.com>";

/// Both Helms, gpg with one key, and that key as Helm reads it.
struct Stage {
    helms: [PathBuf; 2],
    gpg: Gpg,
    sandbox: Sandbox,
    public: PathBuf,
    secret: PathBuf,
}

impl Stage {
    fn set(test: &str, algorithm: &str, passphrase: &str) -> Option<Self> {
        let helms = [judge(test, "helm4")?, judge(test, "helm3")?];
        let gpg = Gpg::start(test)?;
        let protected = ["--passphrase", passphrase];
        let generate = ["--quick-generate-key", USER, algorithm, "sign", "never"];
        assert_eq!(gpg.run(&[&protected[..], &generate].concat()).code, Some(0));
        let sandbox = Sandbox::new();
        let [public, secret] = ["public.gpg", "secret.gpg"].map(|name| sandbox.path().join(name));
        fs_err::write(&public, gpg.public(USER)).unwrap();
        fs_err::write(&secret, gpg.secret(USER, &protected)).unwrap();
        Some(Self { helms, gpg, sandbox, public, secret })
    }

    /// What `helm package --sign` makes of a chart's directory.
    fn helm_signs(&self, helm: &Path, chart: &Path, passphrase: Option<&Path>) -> PathBuf {
        let folder = self.sandbox.path().join(helm.file_name().unwrap());
        let mut arguments = vec![
            "package".as_ref(),
            chart.as_os_str(),
            "--sign".as_ref(),
            "--key".as_ref(),
            "signer@example.com".as_ref(),
        ];
        arguments.extend(["--keyring".as_ref(), self.secret.as_os_str(), "-d".as_ref(), folder.as_os_str()]);
        if let Some(file) = passphrase {
            arguments.extend(["--passphrase-file".as_ref(), file.as_os_str()]);
        }
        let said = self.sandbox.run(helm, arguments).success();
        said.lines().find_map(|line| line.split_once("saved it to: ")).unwrap().1.trim().into()
    }

    fn helm_verifies(&self, helm: &Path, package: &Path) -> bool {
        let said = self.sandbox.run(
            helm,
            ["verify".as_ref(), package.as_os_str(), "--keyring".as_ref(), self.public.as_os_str()],
        );
        assert!(said.code == Some(0) || said.stderr.contains("rror"), "{said:?}");
        said.code == Some(0)
    }

    fn signer(&self, passphrase: Passphrase) -> PgpSigner {
        PgpSigner::from_keyring(&Keyring::from_file(&self.secret).unwrap(), None, passphrase).unwrap()
    }

    fn policy(&self) -> PgpVerifier {
        let fingerprint = self.gpg.fingerprint(USER).parse().unwrap();
        PgpVerifier::new(Keyring::from_file(&self.public).unwrap(), [fingerprint]).unwrap()
    }
}

/// Everything above the signature.
fn signed_part(prov: &[u8]) -> &str {
    std::str::from_utf8(prov).unwrap().split("-----BEGIN PGP SIGNATURE-----").next().unwrap()
}

#[test]
fn the_text_is_helm_s_on_every_chart_and_both_accept_both() {
    const TEST: &str = "the_text_is_helm_s_on_every_chart_and_both_accept_both";
    let (Some(stage), Some((_kept, charts))) = (Stage::set(TEST, "ed25519", ""), complete_charts(TEST))
    else {
        return;
    };
    let (signer, policy) = (stage.signer(Passphrase::none()), stage.policy());
    let mut files = 0;
    for chart in &charts {
        for helm in &stage.helms {
            let path = stage.helm_signs(helm, chart, None);
            let theirs = Package::from_file(&path, &LoadOptions::default()).unwrap();
            let prov = theirs.provenance().unwrap().clone();
            let evidence = verify_package(&theirs, &policy, SystemTime::now()).unwrap();
            assert_eq!(
                (evidence.signed_file, evidence.metadata_differs),
                (None, Some(false)),
                "{}",
                path.display()
            );

            let ours = signer.sign(&theirs, SystemTime::now()).unwrap();
            assert_eq!(signed_part(ours.provenance().unwrap()), signed_part(&prov), "{}", path.display());
            ours.write_to(&path).unwrap();
            assert!(stage.helm_verifies(helm, &path), "{}", path.display());
            files += 1;
        }
    }
    say(&format!("{TEST}: {} charts, {files} files", charts.len()));
}

#[test]
fn both_accept_both_with_every_key() {
    const TEST: &str = "both_accept_both_with_every_key";
    let folder = tempfile::tempdir().unwrap();
    let chart = folder.path().join("web");
    fs_err::create_dir_all(chart.join("templates")).unwrap();
    fs_err::write(
        chart.join("Chart.yaml"),
        "apiVersion: v2\nname: web\nversion: 1.2.3+b\nkeywords: [a, '- b']\n",
    )
    .unwrap();
    for (algorithm, passphrase) in [("rsa2048", ""), ("ed25519", "secret"), ("nistp256", "")] {
        let Some(stage) = Stage::set(TEST, algorithm, passphrase) else { return };
        let file = stage.sandbox.path().join("passphrase");
        fs_err::write(&file, format!("{passphrase}\n")).unwrap();
        let protected = (!passphrase.is_empty()).then_some(file.as_path());
        let signer = stage.signer(protected.map_or_else(Passphrase::none, Passphrase::from_file));
        for helm in &stage.helms {
            let path = stage.helm_signs(helm, &chart, protected);
            let theirs = Package::from_file(&path, &LoadOptions::default()).unwrap();
            assert!(verify_package(&theirs, &stage.policy(), SystemTime::now()).is_ok(), "{algorithm}");
            let ours = signer.sign(&theirs, SystemTime::now()).unwrap();
            ours.write_to(&path).unwrap();
            assert!(stage.helm_verifies(helm, &path), "{algorithm}");

            // One byte of the package, and nobody accepts it any more.
            let mut bytes = fs_err::read(&path).unwrap();
            let last = bytes.len() - 20;
            bytes[last] ^= 1;
            fs_err::write(&path, bytes).unwrap();
            assert!(!stage.helm_verifies(helm, &path));
            if let Ok(changed) = Package::from_file(&path, &LoadOptions::default()) {
                assert_eq!(
                    reason(&verify_package(&changed, &stage.policy(), SystemTime::now()).unwrap_err()),
                    "provenance-mismatch"
                );
            }
        }
    }
}

#[test]
fn provenance_travels_through_a_registry_both_ways() {
    const TEST: &str = "provenance_travels_through_a_registry_both_ways";
    let Some(stage) = Stage::set(TEST, "ed25519", "") else { return };
    let Some(server) = Server::start(TEST, Kind::Distribution3, Guards::default()) else { return };
    let client = Client::builder().plain_http(Host::parse(server.address()).unwrap()).build().unwrap();
    let client = blocking::Client::new(client);
    let location = |path: &str| format!("oci://{}/{path}", server.address()).parse().unwrap();
    let (signer, policy) = (stage.signer(Passphrase::none()), stage.policy());

    let package = signer.sign(&tiny("web", "1.2.3"), SystemTime::now()).unwrap();
    let artifact = ChartArtifact::new(package.clone(), &ArtifactOptions::default()).unwrap();
    assert!(artifact.provenance().is_some());
    let push = PushOptions::default().with_mode(TagMode::Create);
    let pushed = client.push(&artifact, &location("ours/web"), &push, &mut ()).unwrap();

    // Helm pulls and verifies ours.
    for (n, helm) in stage.helms.iter().enumerate() {
        let folder = stage.sandbox.path().join(format!("pulled-{n}"));
        fs_err::create_dir(&folder).unwrap();
        let reference = format!("oci://{}/ours/web", server.address());
        let arguments = [
            "pull",
            &reference,
            "--version",
            "1.2.3",
            "--verify",
            "--plain-http",
            "--keyring",
            stage.public.to_str().unwrap(),
            "-d",
            folder.to_str().unwrap(),
        ];
        stage.sandbox.run(helm, arguments).success();
        assert_eq!(fs_err::read(folder.join("web-1.2.3.tgz.prov")).unwrap(), *package.provenance().unwrap());
    }

    // We pull and verify what Helm pushes, by tag and by digest, and under a tag that is none of its versions.
    let path = stage.sandbox.path().join("web-1.2.3.tgz");
    package.write_to(&path).unwrap();
    for (helm, folder) in stage.helms.iter().zip(["helm4", "helm3"]) {
        let target = format!("oci://{}/{folder}", server.address());
        stage.sandbox.run(helm, ["push", path.to_str().unwrap(), &target, "--plain-http"]).success();
        let place = location(&format!("{folder}/web"));
        let options = PullOptions::without_verification().with_provenance(true);
        let by_tag =
            client.pull(&place, &Selector::for_version("1.2.3").unwrap(), &options, &mut ()).unwrap();
        let by_digest =
            client.pull(&place, &Selector::Digest(by_tag.descriptor.digest), &options, &mut ()).unwrap();
        for pulled in [by_tag, by_digest] {
            let evidence = verify_package(&pulled.package, &policy, SystemTime::now()).unwrap();
            assert_eq!((evidence.chart.as_deref(), evidence.signed_file), (Some("web"), None));
        }
    }

    // Helm cannot verify what it pulls by digest; we do.
    let by_digest = format!("oci://{}/ours/web@{}", server.address(), pushed.descriptor.digest);
    for helm in &stage.helms {
        let folder = stage.sandbox.path().to_str().unwrap();
        let arguments = [
            "pull",
            &by_digest,
            "--verify",
            "--plain-http",
            "--keyring",
            stage.public.to_str().unwrap(),
            "-d",
            folder,
        ];
        let said = stage.sandbox.run(helm, arguments).failure();
        assert!(said.contains("does not contain a SHA"), "{said}");
    }
}

#[test]
fn a_renamed_package_is_verified_with_a_note() {
    const TEST: &str = "a_renamed_package_is_verified_with_a_note";
    let Some(gpg) = Gpg::start(TEST) else { return };
    gpg.key(USER, "ed25519", "sign", &[]);
    let package = tiny("web", "1.2.3");
    let message = Provenance::message(&package).unwrap().replace("web-1.2.3.tgz", "web-v1.2.3.tgz");
    let signed = package.with_provenance(gpg.clearsign(&message, &[]));
    let evidence = verify_package(&signed, &any_key(&gpg.public(USER)), SystemTime::now()).unwrap();
    assert_eq!(evidence.file.as_deref(), Some("web-1.2.3.tgz"));
    assert_eq!(evidence.signed_file.as_deref(), Some("web-v1.2.3.tgz"));
}
