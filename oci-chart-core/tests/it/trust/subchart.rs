//! Charts inside charts are held against what their makers released.

use std::sync::Arc;

use oci_chart_core::{
    Chart, Context, ErrorKind, Reason, Result,
    chart::{LoadOptions, PackageOptions},
    oci::Descriptor,
    store::{Memory, Store},
    trust::{Policy, SignOptions, Signer as _, SigningKey, Verified, VerifyOptions, verify_subchart},
};

use super::support::{policy, signed};
use crate::{attest, remote::block, transfer::package};

/// A chart with `charts/web.tgz`, loaded from a directory, and from its package, where the chart inside is unpacked.
fn around(version: &str, note: &str) -> [Chart; 2] {
    let directory = tempfile::tempdir().unwrap();
    let file = |path: &str, content: &[u8]| fs_err::write(directory.path().join(path), content).unwrap();
    fs_err::create_dir(directory.path().join("charts")).unwrap();
    file("Chart.yaml", b"apiVersion: v2\nname: shop\nversion: 4.5.6\n");
    let inside = package(version, note);
    file("charts/web.tgz", &inside.content().read(1 << 20).unwrap());
    let chart = Chart::from_dir(directory.path(), &LoadOptions::default()).unwrap();
    let packed = chart.package(&PackageOptions::default()).unwrap().chart().unwrap();
    [chart.dependencies()[0].clone(), packed.dependencies()[0].clone()]
}

#[test]
fn what_is_inside_is_what_was_released() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let key = SigningKey::generate().unwrap();
    let released = attest::push(&store, "1.2.3");
    let policy = policy(&[key.public_key()]);
    let check = |chart: &Chart, policy: &Policy| -> Result<Verified<Descriptor>> {
        let options = VerifyOptions::default();
        block(verify_subchart(&Context::default(), chart, &store, policy, &options))
    };
    let [same, unpacked] = around("1.2.3", "a");
    assert_eq!(check(&same, &policy).unwrap_err().kind(), ErrorKind::NotSigned);
    signed(&store, &released, &key, &SignOptions::default()).unwrap();
    for chart in [&same, &unpacked] {
        assert_eq!(check(chart, &policy).unwrap().get(), &released);
    }
    for chart in &around("1.2.3", "something else") {
        let error = check(chart, &policy).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason(), error.get("chart")),
            (ErrorKind::PolicyDenied, Some(Reason::OtherSubject), Some("web")),
            "{error}"
        );
    }
    let [unknown, _] = around("9.9.9", "a");
    assert_eq!(check(&unknown, &policy).unwrap_err().kind(), ErrorKind::NotFound);
    let stranger = SigningKey::generate().unwrap();
    let theirs = super::support::policy(&[stranger.public_key()]);
    assert_eq!(check(&same, &theirs).unwrap_err().kind(), ErrorKind::SignatureInvalid);
}
