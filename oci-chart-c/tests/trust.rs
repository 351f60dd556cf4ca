//! Signatures, attestations, attachments and provenance through the C functions.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{
    ffi::{c_char, c_void},
    path::Path,
    ptr,
    thread::{self, ThreadId},
};

use oci_chart::*;
use oci_chart_core::trust::{Signer as _, SigningKey};
use serde_json::{Value, json};
use support::{Failure, Library, Package, Publication, Signer, Verified, c, checked, document, given};

/// A layout with one chart in it.
struct World {
    library: Library,
    target: String,
    _directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (library, target) =
            (Library::plain("localhost"), format!("oci-layout:{}", directory.path().display()));
        library.push(&library.package("1.0.0"), &target, None, None).unwrap();
        Self { library, target, _directory: directory }
    }

    fn sign(&self, signer: &Signer, flags: u32, call: Option<&oci_chart_call>) -> Result<Value, Failure> {
        let (target, version) = (c(&self.target), c("1.0.0"));
        let identity = c"registry.example/charts/web".as_ptr();
        let options = oci_chart_sign_options { flags, identity, ..Default::default() };
        // SAFETY: good arguments, here and below.
        document(|out, err| unsafe {
            let (target, version, call) = (target.as_ptr(), version.as_ptr(), support::or_null(call));
            oci_chart_client_sign(
                self.library.0,
                target,
                version,
                signer.0,
                &raw const options,
                call,
                out,
                err,
            )
        })
    }

    fn verify(&self, policy: &Value) -> Result<Verified, Failure> {
        self.library.verify(&self.target, Some("1.0.0"), &c(&policy.to_string()), None)
    }
}

fn generated() -> Signer {
    let mut signer = ptr::null_mut();
    checked(|err| unsafe { oci_chart_signer_generate(&raw mut signer, err) }).unwrap();
    Signer(signer)
}

fn public_key(signer: &Signer) -> String {
    unsafe { support::text(oci_chart_signer_get_public_key(signer.0)) }
}

fn policy(signer: &Signer) -> Value {
    json!({ "keys": { "keys": [{ "key": public_key(signer) }], "tlog": "ignore-explicitly" } })
}

#[test]
fn both_forms_are_made_and_checked() {
    for flags in [0, OCI_CHART_SIGN_BUNDLE, OCI_CHART_SIGN_BUNDLE | OCI_CHART_SIGN_TAG] {
        let (world, signer) = (World::new(), generated());
        let failure = world.verify(&policy(&signer)).unwrap_err();
        assert_eq!(failure.status, oci_chart_status::NotSigned);
        let evidence: Value = serde_json::from_str(&failure.evidence.unwrap()).unwrap();
        assert_eq!(evidence["outcome"], "not-verified");

        let signed = world.sign(&signer, flags, None).unwrap();
        assert_eq!(signed["signatureTag"].is_object(), flags & OCI_CHART_SIGN_TAG != 0, "{signed}");
        let verified = world.verify(&policy(&signer)).unwrap();
        assert_eq!(verified.digest(), signed["subject"]["digest"]);
        assert_eq!(verified.descriptor(), signed["subject"]);
        assert_eq!(verified.evidence()["outcome"], "verified");
        let failure = world.verify(&policy(&generated())).unwrap_err();
        assert_eq!(failure.status, oci_chart_status::SignatureInvalid, "{failure:?}");
        assert_eq!(
            world.sign(&signer, flags, None).unwrap()["kept"].as_array().unwrap().len(),
            1 + usize::from(flags == 3)
        );
    }
}

#[test]
fn a_pull_and_a_client_hold_charts_against_a_policy() {
    let (world, signer) = (World::new(), generated());
    let text = c(&policy(&signer).to_string());
    let options = oci_chart_pull_options { policy: text.as_ptr(), ..Default::default() };
    let refused = world.library.pull(&world.target, Some("1.0.0"), &raw const options).unwrap_err();
    assert_eq!(refused.status, oci_chart_status::NotSigned);
    world.sign(&signer, 0, None).unwrap();
    let pulled = world.library.pull(&world.target, Some("1.0.0"), &raw const options).unwrap();
    let evidence = unsafe { support::text(oci_chart_pulled_get_evidence(pulled.0)) };
    let evidence: Value = serde_json::from_str(&evidence).unwrap();
    assert_eq!(evidence["outcome"], "verified");

    let guarded = |signer: &Signer| {
        let policy = c(&policy(signer).to_string());
        Library::new(|options| {
            checked(|err| unsafe { oci_chart_client_options_set_policy(options, policy.as_ptr(), err) })
                .unwrap();
        })
    };
    let flags = OCI_CHART_PULL_WITHOUT_VERIFICATION;
    let open = oci_chart_pull_options { flags, ..Default::default() };
    guarded(&signer).pull(&world.target, Some("1.0.0"), &raw const open).unwrap();
    let refused = guarded(&generated()).pull(&world.target, Some("1.0.0"), &raw const open).unwrap_err();
    assert_eq!(refused.status, oci_chart_status::SignatureInvalid);
}

#[test]
fn what_was_verified_is_pulled_whatever_became_of_its_tag() {
    let (world, signer) = (World::new(), generated());
    world.sign(&signer, 0, None).unwrap();
    let verified = world.verify(&policy(&signer)).unwrap();
    let replace = oci_chart_push_options {
        mode: oci_chart_tag_mode::Replace as i32,
        flags: OCI_CHART_PUSH_CREATED,
        ..Default::default()
    };
    world.library.push(&world.library.package("1.0.0"), &world.target, Some(&replace), None).unwrap();
    assert_eq!(world.verify(&policy(&signer)).unwrap_err().status, oci_chart_status::NotSigned);

    let pulled = world.library.pull_verified(&verified, None).unwrap();
    assert_eq!(
        (pulled.digest(), pulled.package().metadata().unwrap()["version"].as_str()),
        (verified.digest(), Some("1.0.0"))
    );
    let evidence = unsafe { support::text(oci_chart_pulled_get_evidence(pulled.0)) };
    assert_eq!(serde_json::from_str::<Value>(&evidence).unwrap(), verified.evidence());

    // From elsewhere too, where it is there; and of a place without tag and digest.
    let empty = tempfile::tempdir().unwrap();
    let elsewhere = format!("oci-layout:{}", empty.path().display());
    let failure = world.library.pull_verified(&verified, Some(&elsewhere)).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::NotFound, "{failure:?}");
    world.library.pull_verified(&verified, Some(&world.target)).unwrap();
    let tagged = format!("{}:1.0.0", world.target);
    let failure = world.library.pull_verified(&verified, Some(&tagged)).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::InvalidInput);
    // The bounds are the client's.
    let bounded = Library::new(|options| {
        checked(|err| unsafe {
            oci_chart_client_options_set_limit(options, c"package_bytes".as_ptr(), 10, err)
        })
        .unwrap();
    });
    let failure = bounded.pull_verified(&verified, None).unwrap_err();
    assert_eq!(failure.status, oci_chart_status::LimitExceeded);
}

struct Vault {
    key: SigningKey,
    threads: Vec<ThreadId>,
}

unsafe extern "C" fn sign(
    data: *mut c_void,
    _: *const c_char,
    message: *const u8,
    len: usize,
    answer: *mut oci_chart_answer,
) -> i32 {
    // SAFETY: what the test gave, and what the library gave.
    unsafe {
        let vault = &mut *data.cast::<Vault>();
        vault.threads.push(thread::current().id());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let signature = runtime.block_on(vault.key.sign(std::slice::from_raw_parts(message, len))).unwrap();
        let given = oci_chart_answer_set_bytes(answer, signature.as_ptr(), signature.len(), ptr::null_mut());
        i32::from(given != oci_chart_status::Ok)
    }
}

#[test]
fn a_key_that_only_the_caller_has_signs_on_the_callers_thread() {
    let (world, mut vault) =
        (World::new(), Vault { key: SigningKey::generate().unwrap(), threads: Vec::new() });
    let public = c(&vault.key.public_key().to_pem());
    let mut signer = ptr::null_mut();
    checked(|err| unsafe { oci_chart_signer_new_callback(public.as_ptr(), &raw mut signer, err) }).unwrap();
    let signer = Signer(signer);
    assert_eq!(world.sign(&signer, 0, None).unwrap_err().status, oci_chart_status::Unsupported);
    let call =
        oci_chart_call { user_data: (&raw mut vault).cast(), on_sign: Some(sign), ..Default::default() };
    world.sign(&signer, OCI_CHART_SIGN_BUNDLE | OCI_CHART_SIGN_TAG, Some(&call)).unwrap();
    world.verify(&policy(&signer)).unwrap();
    assert!(
        !vault.threads.is_empty() && vault.threads.iter().all(|thread| *thread == thread::current().id())
    );
    let none =
        given(|out, err| unsafe { oci_chart_signer_get_private_key(signer.0, c"x".as_ptr(), out, err) });
    assert_eq!(none.unwrap_err().status, oci_chart_status::InvalidInput);
}

#[test]
fn keys_come_out_encrypted_and_go_in_with_their_password() {
    let signer = generated();
    let pem = given(|out, err| unsafe {
        oci_chart_signer_get_private_key(signer.0, c"open sesame".as_ptr(), out, err)
    });
    let pem = c(&pem.unwrap());
    let read = |password: *const c_char| {
        let mut out = ptr::null_mut();
        checked(|err| unsafe { oci_chart_signer_new_key(pem.as_ptr(), password, &raw mut out, err) })?;
        Ok::<_, Failure>(Signer(out))
    };
    assert_eq!(public_key(&read(c"open sesame".as_ptr()).unwrap()), public_key(&signer));
    for password in [c"closed".as_ptr(), ptr::null()] {
        let failure = read(password).unwrap_err();
        assert_eq!(
            (failure.status, failure.reason.as_str()),
            (oci_chart_status::InvalidInput, "wrong-passphrase")
        );
        assert!(!failure.json.contains("closed"), "{}", failure.json);
    }
}

const SBOM: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#;

#[test]
fn what_is_attached_and_attested_is_found() {
    let (world, signer) = (World::new(), generated());
    let (target, version, sbom) = (c(&world.target), c("1.0.0"), c(SBOM));
    let client = world.library.0;
    let title = oci_chart_attach_options { title: c"sbom.json".as_ptr(), ..Default::default() };
    let attached = document(|out, err| unsafe {
        let (target, version, kind) = (target.as_ptr(), version.as_ptr(), ptr::null());
        let (data, len) = (sbom.as_ptr().cast(), SBOM.len());
        oci_chart_client_attach(
            client,
            target,
            version,
            kind,
            data,
            len,
            &raw const title,
            ptr::null(),
            out,
            err,
        )
    })
    .unwrap();
    document(|out, err| unsafe {
        let (target, version, none) = (target.as_ptr(), version.as_ptr(), ptr::null());
        oci_chart_client_attest(
            client,
            target,
            version,
            none,
            sbom.as_ptr(),
            signer.0,
            ptr::null(),
            ptr::null(),
            out,
            err,
        )
    })
    .unwrap();

    let tree = document(|out, err| unsafe {
        oci_chart_client_tree(client, target.as_ptr(), version.as_ptr(), ptr::null(), out, err)
    })
    .unwrap();
    assert_eq!(tree["attached"].as_array().unwrap().len(), 2, "{tree}");

    let digest = c(attached["descriptor"]["digest"].as_str().unwrap());
    let mut reader = ptr::null_mut();
    let info = document(|out, err| unsafe {
        oci_chart_client_fetch_attachment(
            client,
            target.as_ptr(),
            digest.as_ptr(),
            ptr::null(),
            &raw mut reader,
            out,
            err,
        )
    })
    .unwrap();
    assert_eq!((&info["title"], &info["bytes"]), (&"sbom.json".into(), &SBOM.len().into()));
    assert_eq!(support::Reader(reader).read_to_end(9).unwrap(), SBOM.as_bytes());

    let policy = |kind: &str| c(&json!({ "predicateType": kind, "signers": policy(&signer) }).to_string());
    let check = |policy: std::ffi::CString| {
        document(|out, err| unsafe {
            let (target, version, policy) = (target.as_ptr(), version.as_ptr(), policy.as_ptr());
            oci_chart_client_verify_attestation(
                client,
                target,
                version,
                policy,
                ptr::null(),
                ptr::null(),
                out,
                err,
            )
        })
    };
    assert_eq!(check(policy("cyclonedx")).unwrap()["value"].as_array().unwrap().len(), 1);
    check(policy("slsaprovenance1")).unwrap_err();

    let mut list = ptr::null_mut();
    checked(|err| unsafe {
        let (target, version, all) = (target.as_ptr(), version.as_ptr(), ptr::null());
        oci_chart_client_list_referrers(client, target, version, all, ptr::null(), &raw mut list, err)
    })
    .unwrap();
    let list = support::List(list);
    let page = document(|out, err| unsafe { oci_chart_list_next(list.0, ptr::null(), out, err) }).unwrap();
    assert_eq!(page.as_array().unwrap().len(), 2);
    let mut end = ptr::dangling_mut::<c_char>();
    checked(|err| unsafe { oci_chart_list_next(list.0, ptr::null(), &raw mut end, err) }).unwrap();
    assert!(end.is_null());
}

#[test]
fn a_publication_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let target = c(&format!("oci-layout:{}", directory.path().display()));
    let (library, signer) = (Library::plain("localhost"), generated());
    let publication = Publication(oci_chart_publication_new());
    checked(|err| unsafe { oci_chart_publication_add_signer(publication.0, signer.0, err) }).unwrap();
    checked(|err| unsafe {
        let (data, len) = (SBOM.as_ptr(), SBOM.len());
        oci_chart_publication_add_attachment(publication.0, ptr::null(), data, len, ptr::null(), err)
    })
    .unwrap();
    let predicate = c("{}");
    checked(|err| unsafe {
        let kind = c"https://example.com/v1".as_ptr();
        oci_chart_publication_add_attestation(publication.0, kind, predicate.as_ptr(), err)
    })
    .unwrap();
    let package = library.package("1.0.0");
    let publish = || {
        document(|out, err| unsafe {
            let (push, call) = (&oci_chart_push_options { mode: 1, ..Default::default() }, ptr::null());
            oci_chart_client_publish(
                library.0,
                package.0,
                target.as_ptr(),
                publication.0,
                push,
                call,
                out,
                err,
            )
        })
    };
    let done = publish().unwrap();
    assert_eq!(done["chart"]["tag"], "1.0.0");
    let count = |name: &str| done[name].as_array().map(Vec::len);
    assert_eq!([count("signatures"), count("attachments"), count("attestations")], [Some(1); 3], "{done}");
    assert_eq!(publish().unwrap()["chart"]["action"], "unchanged");
}

#[test]
fn provenance_is_signed_and_checked() {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/keys");
    let ring = fs_err::read(keys.join("signer.secret.asc")).unwrap();
    let public = fs_err::read_to_string(keys.join("signer.asc")).unwrap();
    let package = Library::plain("localhost").package("1.0.0");
    let mut signed = ptr::null_mut();
    checked(|err| unsafe {
        let key = c"signer@example.com".as_ptr();
        let (ring, len, none) = (ring.as_ptr(), ring.len(), ptr::null());
        oci_chart_package_sign_provenance(package.0, ring, len, key, none, 0, &raw mut signed, err)
    })
    .unwrap();
    let signed = Package(signed);
    let prov =
        support::bytes(|out, err| unsafe { oci_chart_package_get_provenance(signed.0, out, err) }).unwrap();
    assert!(String::from_utf8(prov.unwrap()).unwrap().contains("web-1.0.0.tgz"));
    let policy = c(&json!({ "pgp": { "keyring": public, "anyKey": true, "expiry": "strict" } }).to_string());
    let check = |package: &Package| {
        document(|out, err| unsafe {
            oci_chart_package_verify_provenance(package.0, policy.as_ptr(), 0, out, err)
        })
    };
    assert_eq!(check(&signed).unwrap()["file"], "web-1.0.0.tgz");
    assert_eq!(check(&package).unwrap_err().status, oci_chart_status::NotSigned);
    let other = c(&self::policy(&generated()).to_string());
    let wrong = given(|out, err| unsafe {
        oci_chart_package_verify_provenance(signed.0, other.as_ptr(), 0, out, err)
    });
    assert_eq!(wrong.unwrap_err().status, oci_chart_status::InvalidInput);
}
