//! What a check of signatures costs, counted by the registry.

use std::sync::Arc;

use oci_chart_core::{
    Context, ErrorKind, Reason,
    store::Store,
    transfer::{self, PullOptions},
    trust::{Format, Policy, SignOptions, Signer as _, SigningKey},
};
use oci_chart_testkit::{Fault, Registry, Rule};

use super::support::{check, policy, push, selector, signed, trusting};
use crate::remote::{block, repository};

/// Requests of a pull under `policy` by a client that knows nothing yet.
fn pull(registry: &Registry, policy: Option<Policy>) -> usize {
    let store: Arc<dyn Store> = Arc::new(repository(registry, "charts/web"));
    let options = policy.map_or_else(PullOptions::without_verification, PullOptions::verified_by);
    registry.log().take();
    let pulled = block(transfer::pull(&Context::default(), &store, &selector("1.2.3"), &options)).unwrap();
    assert_eq!(pulled.package.metadata().unwrap().version, "1.2.3");
    registry.log().entries().len()
}

#[test]
fn two_for_a_signature_tag_and_three_for_a_bundle() {
    for (api, more) in [(true, 0), (false, 1)] {
        let registry = Registry::builder().referrers_api(api).start_blocking().unwrap();
        let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
        let chart = push(&store, "1.2.3");
        let key = SigningKey::generate().unwrap();
        let only = |format| Some(Policy::Keys(trusting(&[key.public_key()]).with_formats([format])));
        let plain = pull(&registry, None);

        signed(&store, &chart, &key, &SignOptions::default().with_formats([Format::SignatureTag])).unwrap();
        assert_eq!(pull(&registry, only(Format::SignatureTag)) - plain, 2);
        // The list of bundles is asked for too, and is empty.
        assert_eq!(pull(&registry, Some(policy(&[key.public_key()]))) - plain, 2 + 1 + more);

        signed(&store, &chart, &key, &SignOptions::default()).unwrap();
        assert_eq!(pull(&registry, only(Format::Bundle)) - plain, 3 + more);
        assert_eq!(pull(&registry, Some(policy(&[key.public_key()]))) - plain, 2 + 3 + more);

        // Two more for a further candidate.
        let other = SigningKey::generate().unwrap();
        signed(&store, &chart, &other, &SignOptions::default()).unwrap();
        assert_eq!(pull(&registry, only(Format::Bundle)) - plain, 3 + 2 + more);
        // The same payload again, by another key: one blob.
        signed(&store, &chart, &other, &SignOptions::default().with_formats([Format::SignatureTag])).unwrap();
        assert_eq!(pull(&registry, only(Format::SignatureTag)) - plain, 2);
    }
}

#[test]
fn what_is_no_list_of_referrers_is_no_empty_one() {
    let registry = Registry::start().unwrap();
    let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    let chart = push(&store, "1.2.3");
    let key = SigningKey::generate().unwrap();
    let both = SignOptions::default().with_formats(Format::COSIGN);
    signed(&store, &chart, &key, &both).unwrap();
    // Something in between answers with a page of its own.
    let page = Fault::Status {
        code: 200,
        headers: vec![("content-type".into(), "text/html".into())],
        body: "<html>Please log in</html>".into(),
    };
    registry.script().add(Rule::new("GET", "*/referrers/*", page).always());
    let fresh: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    let error = check(&fresh, "1.2.3", &policy(&[key.public_key()])).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::CouldNotCheck, Some(Reason::WrongMediaType)));
    registry.script().clear();
    // Nothing wrong was learnt from it.
    check(&fresh, "1.2.3", &policy(&[key.public_key()])).unwrap();

    // The tag that stands in for the API, full of rubbish.
    let registry = Registry::builder().referrers_api(false).start_blocking().unwrap();
    let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    let chart = push(&store, "1.2.3");
    signed(&store, &chart, &key, &both).unwrap();
    let index = "application/vnd.oci.image.index.v1+json";
    let tag = chart.digest.to_string().replace(':', "-");
    registry.put_manifest("charts/web", &tag, index, r#"{"schemaVersion":2,"manifests":3}"#).unwrap();
    let error = check(&store, "1.2.3", &policy(&[key.public_key()])).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::CouldNotCheck, Some(Reason::MalformedAnswer)));
}

#[test]
fn a_tag_that_gives_no_answer_is_not_passed_over() {
    let registry = Registry::start().unwrap();
    let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    let chart = push(&store, "1.2.3");
    let key = SigningKey::generate().unwrap();
    signed(&store, &chart, &key, &SignOptions::default()).unwrap();
    registry.script().add(Rule::new("GET", "*.sig", Fault::error(403, "DENIED")).always());
    let error = check(&store, "1.2.3", &policy(&[key.public_key()])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CouldNotCheck, "{error:?}");
    let bundles = trusting(&[key.public_key()]).with_formats([Format::Bundle]);
    check(&store, "1.2.3", &Policy::Keys(bundles)).unwrap();
}
