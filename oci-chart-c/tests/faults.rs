//! Every request of every verb fails in turn, in several ways: the call ends with an error that is whole, or works all the same, and writes nothing
//! where it fails. Run under valgrind it shows that no path forgets anything.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::ptr;

use oci_chart::*;
use oci_chart_testkit::{Fault, Registry, Rule};
use support::{Failure, Library, Package, Publication, Signer, c, checked, given};

/// More requests than any verb makes.
const MOST: u64 = 60;

struct World {
    registry: Registry,
    library: Library,
    package: Package,
    signer: Signer,
    publication: Publication,
    policy: std::ffi::CString,
    base: std::ffi::CString,
    target: std::ffi::CString,
}

type Verb = (&'static str, fn(&World) -> Result<(), Failure>);

// SAFETY, for all of this file: good arguments, and objects that live until they are freed.

const VERBS: &[Verb] = &[
    ("push", |world| {
        let options = oci_chart_push_options { mode: 2, ..Default::default() };
        world.library.push(&world.package, world.base.to_str().unwrap(), Some(&options), None).map(drop)
    }),
    ("pull", |world| {
        let options = oci_chart_pull_options { flags: 3, ..Default::default() };
        world.library.pull(world.target.to_str().unwrap(), Some("^1"), &raw const options).map(drop)
    }),
    ("pull under a policy", |world| {
        let options = oci_chart_pull_options { policy: world.policy.as_ptr(), ..Default::default() };
        world.library.pull(world.target.to_str().unwrap(), Some("1.0.0"), &raw const options).map(drop)
    }),
    ("tags", |world| world.library.tags(world.target.to_str().unwrap(), None).map(drop)),
    ("metadata", |world| {
        given(|out, err| unsafe {
            let (target, version) = (world.target.as_ptr(), c"^1".as_ptr());
            oci_chart_client_fetch_metadata(world.library.0, target, version, ptr::null(), out, err)
        })
        .map(drop)
    }),
    ("read", |world| {
        let target = world.target.to_str().unwrap();
        let manifest = world.library.manifest(target, "1.0.0")?;
        let reader = world.library.open_blob(target, &manifest["layers"][0].to_string())?;
        reader.read_to_end(100).map(drop)
    }),
    ("sign", |world| {
        let options = oci_chart_sign_options {
            flags: OCI_CHART_SIGN_BUNDLE | OCI_CHART_SIGN_TAG | OCI_CHART_SIGN_ANYWAY,
            ..Default::default()
        };
        given(|out, err| unsafe {
            let (target, version, call) = (world.target.as_ptr(), c"1.0.0".as_ptr(), ptr::null());
            oci_chart_client_sign(
                world.library.0,
                target,
                version,
                world.signer.0,
                &raw const options,
                call,
                out,
                err,
            )
        })
        .map(drop)
    }),
    ("verify and pull", |world| {
        let target = world.target.to_str().unwrap();
        let verified = world.library.verify(target, Some("1.0.0"), &world.policy, None)?;
        world.library.pull_verified(&verified, None).map(drop)
    }),
    ("tree", |world| {
        given(|out, err| unsafe {
            let (target, version) = (world.target.as_ptr(), c"1.0.0".as_ptr());
            oci_chart_client_tree(world.library.0, target, version, ptr::null(), out, err)
        })
        .map(drop)
    }),
    ("publish", |world| {
        let options = oci_chart_push_options { mode: 2, ..Default::default() };
        given(|out, err| unsafe {
            let (base, publication) = (world.base.as_ptr(), world.publication.0);
            let (package, call) = (world.package.0, ptr::null());
            oci_chart_client_publish(
                world.library.0,
                package,
                base,
                publication,
                &raw const options,
                call,
                out,
                err,
            )
        })
        .map(drop)
    }),
    ("diagnose", |world| world.library.diagnose(world.target.to_str().unwrap()).map(drop)),
    ("tag and delete", |world| {
        checked(|err| unsafe {
            let (target, version, tag) = (world.target.as_ptr(), c"1.0.0".as_ptr(), c"stable".as_ptr());
            oci_chart_client_tag(world.library.0, target, version, tag, 2, ptr::null(), ptr::null(), err)
        })?;
        // A tag that is no version is part of the target.
        let target = c(&format!("{}:stable", world.target.to_str().unwrap()));
        checked(|err| unsafe {
            oci_chart_client_delete(world.library.0, target.as_ptr(), ptr::null(), ptr::null(), err)
        })
    }),
];

#[test]
fn every_request_of_every_verb_fails_in_turn() {
    let (mut failed, mut survived) = (0, 0);
    for (name, verb) in VERBS {
        // Of its own: what others have signed would be read here.
        let world = World::new();
        verb(&world).unwrap_or_else(|failure| panic!("{name} without a fault: {failure:?}"));
        for fault in [Fault::error(500, "UNKNOWN"), Fault::Drop, Fault::CutResponse(1)] {
            for nth in 1..=MOST {
                let script = world.registry.script();
                script.clear();
                script.add(Rule::new("*", "*", fault.clone()).nth(nth));
                let ended = verb(&world);
                let was_met = script.pending() == 0;
                script.clear();
                let at = format!("{name}, request {nth}, {fault:?}");
                match ended {
                    Err(failure) => {
                        assert!(was_met, "{at}: {failure:?}");
                        assert_ne!(failure.status, oci_chart_status::Internal, "{at}: {failure:?}");
                        assert!(failure.json.contains("\"operation\""), "{at}: {}", failure.json);
                        failed += 1;
                    }
                    Ok(()) => survived += 1,
                }
                if !was_met {
                    break;
                }
                assert!(nth < MOST, "{name} makes more than {MOST} requests");
            }
        }
    }
    assert!(failed > 60 && survived > 20, "{failed} failed, {survived} survived");
}

impl World {
    fn new() -> Self {
        let registry = Registry::builder().start_blocking().unwrap();
        let library = Library::plain(registry.host());
        let mut signer = ptr::null_mut();
        checked(|err| unsafe { oci_chart_signer_generate(&raw mut signer, err) }).unwrap();
        let signer = Signer(signer);
        // SAFETY: a signer.
        let key = unsafe { support::text(oci_chart_signer_get_public_key(signer.0)) };
        let policy = serde_json::json!({ "keys": { "keys": [{ "key": key }], "tlog": "ignore-explicitly" } });
        let publication = Publication(oci_chart_publication_new());
        checked(|err| unsafe { oci_chart_publication_add_signer(publication.0, signer.0, err) }).unwrap();
        let base = format!("oci://{}/charts", registry.host());
        let world = Self {
            package: library.package("1.0.0"),
            policy: c(&policy.to_string()),
            target: c(&format!("{base}/web")),
            base: c(&base),
            registry,
            library,
            signer,
            publication,
        };
        // Signed, so that there is something to verify.
        let options = oci_chart_push_options::default();
        given(|out, err| unsafe {
            let (base, publication, call) = (world.base.as_ptr(), world.publication.0, ptr::null());
            let (client, package) = (world.library.0, world.package.0);
            oci_chart_client_publish(client, package, base, publication, &raw const options, call, out, err)
        })
        .unwrap();
        world
    }
}
