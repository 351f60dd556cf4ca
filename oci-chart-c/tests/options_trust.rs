//! What options of signing, checking, attaching, publishing and pulling say arrives: what is written says it, and what is looked for is found
//! there and nowhere else.

#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    ffi::{CStr, CString},
    path::{Path, PathBuf},
    ptr,
};

use oci_chart::*;
use serde_json::{Value, json};
use support::{Failure, Library, Package, Publication, Reader, Signer, c, checked, document};
use tempfile::TempDir;

// SAFETY, for all of this file: good arguments, and objects that live until they are freed.

/// A layout with the chart web 1.0.0 in it, an empty one, and a key.
struct World {
    library: Library,
    target: String,
    elsewhere: String,
    signer: Signer,
    policy: CString,
    _directories: [TempDir; 2],
}

impl World {
    fn new() -> Self {
        let directories = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [target, elsewhere] =
            directories.each_ref().map(|place| format!("oci-layout:{}", place.path().display()));
        let library = Library::plain("localhost");
        library.push(&library.package("1.0.0"), &target, None, None).unwrap();
        let mut signer = ptr::null_mut();
        checked(|err| unsafe { oci_chart_signer_generate(&raw mut signer, err) }).unwrap();
        let signer = Signer(signer);
        let key = unsafe { support::text(oci_chart_signer_get_public_key(signer.0)) };
        let policy = json!({ "keys": { "keys": [{ "key": key }], "tlog": "ignore-explicitly" } });
        Self { library, target, elsewhere, signer, policy: c(&policy.to_string()), _directories: directories }
    }

    fn sign(&self, options: &oci_chart_sign_options) -> Result<Value, Failure> {
        let (client, target, call) = (self.library.0, c(&self.target), ptr::null());
        document(|out, err| unsafe {
            let (target, version) = (target.as_ptr(), c"1.0.0".as_ptr());
            oci_chart_client_sign(client, target, version, self.signer.0, options, call, out, err)
        })
    }

    fn verify(&self, signatures: Option<&CStr>) -> Result<support::Verified, Failure> {
        let signatures = signatures.map_or(ptr::null(), CStr::as_ptr);
        let options = oci_chart_verify_options { signatures, ..Default::default() };
        self.library.verify(&self.target, Some("1.0.0"), &self.policy, Some(&options))
    }

    /// The first layer of a manifest.
    fn layer(&self, target: &str, version: &str) -> Value {
        let manifest = self.library.manifest(target, version).unwrap();
        let reader = self.library.open_blob(target, &manifest["layers"][0].to_string()).unwrap();
        serde_json::from_slice(&reader.read_to_end(1000).unwrap()).unwrap()
    }
}

#[test]
fn a_signature_says_what_it_is_told_and_lies_where_it_is_told() {
    let world = World::new();
    let elsewhere = c(&world.elsewhere);
    let options = oci_chart_sign_options {
        flags: OCI_CHART_SIGN_TAG,
        annotations: c"{\"team\": \"web\"}".as_ptr(),
        identity: c"registry.example/charts/web".as_ptr(),
        signatures: elsewhere.as_ptr(),
        ..Default::default()
    };
    let signed = world.sign(&options).unwrap();
    assert_eq!(world.verify(None).unwrap_err().status, oci_chart_status::NotSigned);
    world.verify(Some(&elsewhere)).unwrap();

    let digest = signed["signatureTag"]["manifest"]["digest"].as_str().unwrap();
    let payload = world.layer(&world.elsewhere, digest);
    assert_eq!(payload["optional"]["team"], "web", "{payload}");
    assert_eq!(payload["critical"]["identity"]["docker-reference"], "registry.example/charts/web");
}

#[test]
fn a_publication_is_signed_as_it_is_told() {
    let world = World::new();
    let (client, elsewhere) = (world.library.0, c(&world.elsewhere));
    let publication = Publication(oci_chart_publication_new());
    checked(|err| unsafe { oci_chart_publication_add_signer(publication.0, world.signer.0, err) }).unwrap();
    let options = oci_chart_sign_options { signatures: elsewhere.as_ptr(), ..Default::default() };
    checked(|err| unsafe { oci_chart_publication_set_sign_options(publication.0, &raw const options, err) })
        .unwrap();
    let push = oci_chart_push_options { mode: oci_chart_tag_mode::Ensure as i32, ..Default::default() };
    let (package, target) = (world.library.package("1.0.0"), c(&world.target));
    document(|out, err| unsafe {
        let (package, target, what) = (package.0, target.as_ptr(), publication.0);
        oci_chart_client_publish(client, package, target, what, &raw const push, ptr::null(), out, err)
    })
    .unwrap();
    assert_eq!(world.verify(None).unwrap_err().status, oci_chart_status::NotSigned);
    world.verify(Some(&elsewhere)).unwrap();
}

#[test]
fn an_attachment_is_what_it_is_told() {
    let world = World::new();
    let (client, target) = (world.library.0, c(&world.target));
    let options = oci_chart_attach_options {
        title: c"report.txt".as_ptr(),
        layer_type: c"text/plain".as_ptr(),
        annotations: c"{\"team\": \"web\"}".as_ptr(),
        ..Default::default()
    };
    let attached = document(|out, err| unsafe {
        let (target, version, kind) = (target.as_ptr(), c"1.0.0".as_ptr(), c"application/x.report".as_ptr());
        let (data, call) = (b"fine".as_ptr(), ptr::null());
        oci_chart_client_attach(client, target, version, kind, data, 4, &raw const options, call, out, err)
    })
    .unwrap();
    let (digest, mut reader) = (c(attached["descriptor"]["digest"].as_str().unwrap()), ptr::null_mut());
    let info = document(|out, err| unsafe {
        let (target, digest, call) = (target.as_ptr(), digest.as_ptr(), ptr::null());
        oci_chart_client_fetch_attachment(client, target, digest, call, &raw mut reader, out, err)
    })
    .unwrap();
    drop(Reader(reader));
    let wanted = json!({
        "artifactType": "application/x.report", "layerType": "text/plain", "title": "report.txt",
        "annotations": { "team": "web" }, "bytes": 4,
    });
    assert_eq!(info, wanted);

    // Referrers are those of one type, where one is asked for.
    world.sign(&oci_chart_sign_options::default()).unwrap();
    let count = |kind: Option<&CStr>| {
        let mut list = ptr::null_mut();
        checked(|err| unsafe {
            let (target, version) = (target.as_ptr(), c"1.0.0".as_ptr());
            let kind = kind.map_or(ptr::null(), CStr::as_ptr);
            oci_chart_client_list_referrers(client, target, version, kind, ptr::null(), &raw mut list, err)
        })
        .unwrap();
        let list = support::List(list);
        let page = document(|out, err| unsafe { oci_chart_list_next(list.0, ptr::null(), out, err) });
        page.unwrap().as_array().unwrap().len()
    };
    assert_eq!((count(None), count(Some(c"application/x.report"))), (2, 1));
}

#[test]
fn a_push_orders_layers_and_a_pull_brings_the_provenance_as_they_are_told() {
    let world = World::new();
    let package = provenance_before(&world.library.package("3.0.0"));
    let push = |flags| {
        let created = if flags & OCI_CHART_PUSH_CREATED != 0 { 10 } else { 0 };
        let mode = oci_chart_tag_mode::Replace as i32;
        let options = oci_chart_push_options { mode, flags, created, ..Default::default() };
        world.library.push(&package, &world.target, Some(&options), None).unwrap();
        world.library.manifest(&world.target, "3.0.0").unwrap()
    };
    let first = |manifest: &Value| manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
    let created = |manifest: &Value| manifest["annotations"]["org.opencontainers.image.created"].clone();
    let (ours, helms) = (push(OCI_CHART_PUSH_CREATED), push(OCI_CHART_PUSH_HELM_LAYER_ORDER));
    assert_eq!(first(&ours), package.digest());
    assert_ne!(first(&helms), package.digest());
    assert_eq!((created(&ours), created(&helms)), ("1970-01-01T00:00:10Z".into(), Value::Null));

    let pulled = |flags| {
        let flags = flags | OCI_CHART_PULL_WITHOUT_VERIFICATION;
        let options = oci_chart_pull_options { flags, ..Default::default() };
        let pulled = world.library.pull(&world.target, Some("3.0.0"), &raw const options).unwrap();
        assert_eq!(unsafe { oci_chart_pulled_is_legacy(pulled.0) }, 0);
        provenance_of(&pulled.package())
    };
    assert_eq!((pulled(0), pulled(OCI_CHART_PULL_PROVENANCE)), (None, provenance_of(&package)));
}

/// The package with a provenance file whose digest comes before its own.
fn provenance_before(package: &Package) -> Package {
    (0_u32..)
        .find_map(|n| {
            let (text, mut out) = (n.to_string(), ptr::null_mut());
            let digest = oci_chart_core::Digest::of(text.as_bytes()).to_string();
            if digest >= package.digest() {
                return None;
            }
            checked(|err| unsafe {
                let (data, len) = (text.as_ptr(), text.len());
                oci_chart_package_with_provenance(package.0, data, len, &raw mut out, err)
            })
            .unwrap();
            Some(Package(out))
        })
        .unwrap()
}

fn provenance_of(package: &Package) -> Option<Vec<u8>> {
    support::bytes(|out, err| unsafe { oci_chart_package_get_provenance(package.0, out, err) }).unwrap()
}

#[test]
fn a_layer_of_very_old_clients_is_told() {
    let world = World::new();
    let manifest = world.library.manifest(&world.target, "1.0.0").unwrap();
    let mut old = manifest;
    old["layers"][0]["mediaType"] = "application/tar+gzip".into();
    let (target, text) = (c(&world.target), old.to_string());
    document(|out, err| unsafe {
        let kind = c"application/vnd.oci.image.manifest.v1+json".as_ptr();
        let (client, target, data, len) = (world.library.0, target.as_ptr(), text.as_ptr(), text.len());
        let (tag, none, call) = (c"0.1.0".as_ptr(), ptr::null(), ptr::null());
        oci_chart_client_store_blob(client, target, kind, data, len, tag, 0, none, call, out, err)
    })
    .unwrap();
    let flags = OCI_CHART_PULL_WITHOUT_VERIFICATION;
    let options = oci_chart_pull_options { flags, ..Default::default() };
    let pulled = world.library.pull(&format!("{}:0.1.0", world.target), None, &raw const options).unwrap();
    assert_eq!(unsafe { oci_chart_pulled_is_legacy(pulled.0) }, 1);
}

#[test]
fn provenance_is_of_the_key_and_the_time_that_are_told() {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/keys");
    let ring = fs_err::read(keys.join("signer.secret.asc")).unwrap();
    let public = fs_err::read_to_string(keys.join("signer.asc")).unwrap();
    let package = Library::plain("localhost").package("1.0.0");
    let sign = |key: &CStr, time| signed(&package, &ring, key, None, time);
    const LATER: u64 = 1_900_000_000;
    let late = sign(c"signer@example.com", LATER).unwrap();
    // The same key, package and time give the same text.
    assert_eq!(provenance_of(&late), provenance_of(&sign(c"signer@example.com", LATER).unwrap()));
    assert_ne!(provenance_of(&late), provenance_of(&sign(c"signer@example.com", LATER + 1).unwrap()));
    assert_eq!(sign(c"nobody@example.com", LATER).unwrap_err().status, oci_chart_status::InvalidInput);
    let policy = c(&json!({ "pgp": { "keyring": public, "anyKey": true, "expiry": "strict" } }).to_string());
    let check = |time| {
        document(|out, err| unsafe {
            oci_chart_package_verify_provenance(late.0, policy.as_ptr(), time, out, err)
        })
    };
    check(LATER + 1).unwrap();
    // Made after the time of the check.
    assert_eq!(check(LATER - 100_000).unwrap_err().status, oci_chart_status::PolicyDenied);
}

#[test]
fn a_passphrase_opens_the_key() {
    let Some(corpus) = corpus("a_passphrase_opens_the_key") else { return };
    let ring = fs_err::read(corpus.join("helm/provenance/helm-password-key.secret")).unwrap();
    let package = Library::plain("localhost").package("1.0.0");
    signed(&package, &ring, c"fake@helm.sh", Some(c"secret"), 0).unwrap();
    for wrong in [None, Some(c"Secret")] {
        let failure = signed(&package, &ring, c"fake@helm.sh", wrong, 0).unwrap_err();
        assert_eq!(failure.reason, "wrong-passphrase", "{failure:?}");
        assert!(!failure.json.contains("Secret"), "{}", failure.json);
    }
}

fn signed(
    package: &Package,
    ring: &[u8],
    key: &CStr,
    passphrase: Option<&CStr>,
    time: u64,
) -> Result<Package, Failure> {
    let mut out = ptr::null_mut();
    checked(|err| unsafe {
        let (ring, len, key) = (ring.as_ptr(), ring.len(), key.as_ptr());
        let passphrase = passphrase.map_or(ptr::null(), CStr::as_ptr);
        oci_chart_package_sign_provenance(package.0, ring, len, key, passphrase, time, &raw mut out, err)
    })?;
    Ok(Package(out))
}

fn corpus(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("OCI_CHART_CORPUS").map(PathBuf::from);
    if found.is_none() {
        eprintln!("SKIPPED: {test} wants OCI_CHART_CORPUS");
        assert!(std::env::var_os("CI").is_none(), "nothing may be missing in CI");
    }
    found
}

#[test]
fn a_bundle_is_held_against_the_root_that_is_given() {
    let failure = document(|out, err| unsafe {
        let (bundle, data, none) = (b"{}".as_ptr(), b"x".as_ptr(), ptr::null());
        let (signer, root) = (c"{\"identities\": []}".as_ptr(), c"no root".as_ptr());
        oci_chart_verify_bundle(bundle, 2, data, 1, none, signer, root, out, err)
    })
    .unwrap_err();
    assert!(failure.message.contains("trust"), "{failure:?}");
}
