//! A whole client under a policy.

use oci_chart_core::{
    Client, ErrorKind, Limits, Location, blocking,
    store::{Blob, TagMode},
    transfer::{PullOptions, fetch_metadata},
    trust::{Policy, SignOptions, Signer as _, SigningKey},
};

use super::support::{artifact, policy, push, selector, signed};
use crate::remote::block;

#[test]
fn a_client_with_a_policy_lets_nothing_unsigned_out() {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::layout(directory.path().join("charts"));
    let plain = Client::builder().build().unwrap();
    let store = plain.open(&location).unwrap();
    let (signed_chart, _unsigned) = (push(&store, "1.0.0"), push(&store, "2.0.0"));
    let key = SigningKey::generate().unwrap();
    signed(&store, &signed_chart, &key, &SignOptions::default()).unwrap();

    let strict = Client::builder().policy(policy(&[key.public_key()])).build().unwrap();
    let client = blocking::Client::new(strict.clone());
    // Whatever a single pull asks for.
    for options in
        [PullOptions::without_verification(), PullOptions::verified_by(policy(&[key.public_key()]))]
    {
        let pull = |version| client.pull(&location, &selector(version), &options, &mut ());
        assert_eq!(pull("1.0.0").unwrap().descriptor, signed_chart);
        assert_eq!(pull("2.0.0").unwrap_err().kind(), ErrorKind::NotSigned);
    }
    let guarded = strict.open(&location).unwrap();
    let cx = oci_chart_core::Context::default();
    let limits = Limits::default();
    block(fetch_metadata(&cx, &guarded, &selector("1.0.0"), &limits)).unwrap();
    let error = block(fetch_metadata(&cx, &guarded, &selector("2.0.0"), &limits)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSigned);
    let unsigned = artifact("2.0.0");
    let error = block(guarded.fetch(unsigned.manifest().descriptor())).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSigned, "also by digest");

    // The old chart under a new version is another version, though its manifest was checked a moment ago.
    let moved = "3.0.0".parse().unwrap();
    block(store.tag(&signed_chart, &moved, &TagMode::Create)).unwrap();
    let options = PullOptions::without_verification();
    let error = client.pull(&location, &selector("3.0.0"), &options, &mut ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PolicyDenied, "{error:?}");
    block(guarded.fetch_manifest(&selector("1.0.0"))).unwrap();
    let error = block(guarded.fetch_manifest(&selector("3.0.0"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PolicyDenied, "{error:?}");
    // A channel may point anywhere.
    block(store.tag(&signed_chart, &"stable".parse().unwrap(), &TagMode::Create)).unwrap();
    let channel = oci_chart_core::name::Selector::Tag("stable".parse().unwrap());
    client.pull(&location, &channel, &options, &mut ()).unwrap();

    // A list is checked as a whole.
    let list = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","size":{},"digest":"{}"}}]}}"#,
        unsigned.manifest().descriptor().media_type,
        unsigned.manifest().descriptor().size,
        unsigned.manifest().descriptor().digest
    );
    let list = Blob::from_bytes("application/vnd.oci.image.index.v1+json".into(), list);
    block(store.push(&list, &[("list".parse().unwrap(), TagMode::Create)])).unwrap();
    let tag = oci_chart_core::name::Selector::Tag("list".parse().unwrap());
    let error = client.pull(&location, &tag, &options, &mut ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSigned);
    signed(&store, list.descriptor(), &key, &SignOptions::default()).unwrap();
    client.pull(&location, &tag, &options, &mut ()).unwrap();
}

#[test]
fn a_policy_that_nothing_or_anything_satisfies_is_refused() {
    let key = SigningKey::generate().unwrap();
    let once = super::support::trusting(&[key.public_key()]);
    let twice = super::support::trusting(&[key.public_key(), key.public_key()]);
    for policy in [
        Policy::All(Vec::new()),
        Policy::Any(Vec::new()),
        Policy::All(vec![Policy::Any(Vec::new())]),
        Policy::Keys(super::support::trusting(&[])),
        Policy::Keys(once.clone().with_threshold(0)),
        Policy::Keys(twice.with_threshold(2)),
        Policy::Keys(once.clone().with_formats([])),
        (0..20).fold(Policy::Keys(once.clone()), |inner, _| Policy::All(vec![inner])),
    ] {
        assert_eq!(policy.validate().unwrap_err().kind(), ErrorKind::InvalidInput, "{policy:?}");
        let error = Client::builder().policy(policy.clone()).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(Policy::from_json(&policy.to_json()).is_err());
    }
    let nested = Policy::Any(vec![Policy::Keys(once.clone()), Policy::All(vec![Policy::Keys(once)])]);
    assert_eq!(Policy::from_json(&nested.to_json()).unwrap(), nested);
    for text in ["", "{}", r#"{"keys":{"keys":[]}}"#, r#"{"anything":[]}"#] {
        assert_eq!(Policy::from_json(text).unwrap_err().kind(), ErrorKind::InvalidInput, "{text}");
    }
}
