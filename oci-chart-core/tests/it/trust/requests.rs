//! What a check of signatures costs, counted by the registry.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use oci_chart_core::{
    Context, ErrorKind, Reason, Result,
    name::{Selector, Tag},
    oci::Descriptor,
    store::{Blob, BoxStream, ByteStream, Memory, Pushed, Store, TagMode, Traits},
    transfer::{self, PullOptions},
    trust::{Format, Policy, SignOptions, Signer as _, SigningKey, VerifyOptions, verify},
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

/// A store in which the signature tag is not found before the referrers were asked for, nor the other way round.
#[derive(Debug)]
struct Meeting {
    inner: Memory,
    tag: tokio::sync::Semaphore,
    referrers: tokio::sync::Semaphore,
}

impl fmt::Display for Meeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl Store for Meeting {
    async fn resolve(&self, selector: &Selector) -> Result<Descriptor> {
        self.inner.resolve(selector).await
    }

    async fn exists(&self, descriptor: &Descriptor) -> Result<bool> {
        self.inner.exists(descriptor).await
    }

    async fn fetch(&self, descriptor: &Descriptor) -> Result<ByteStream> {
        self.inner.fetch(descriptor).await
    }

    async fn fetch_manifest(&self, selector: &Selector) -> Result<(Descriptor, Bytes)> {
        if selector.to_string().ends_with(".sig") {
            self.referrers.add_permits(1);
            self.tag.acquire().await.unwrap().forget();
        }
        self.inner.fetch_manifest(selector).await
    }

    async fn push(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed> {
        self.inner.push(blob, tags).await
    }

    async fn tag(&self, descriptor: &Descriptor, tag: &Tag, mode: &TagMode) -> Result<()> {
        self.inner.tag(descriptor, tag, mode).await
    }

    async fn delete(&self, selector: &Selector) -> Result<()> {
        self.inner.delete(selector).await
    }

    fn tags(&self) -> BoxStream<'_, Tag> {
        self.inner.tags()
    }

    fn referrers<'a>(&'a self, subject: &'a Descriptor) -> BoxStream<'a, Descriptor> {
        let met = async {
            self.tag.add_permits(1);
            self.referrers.acquire().await.unwrap().forget();
            self.inner.referrers(subject)
        };
        Box::pin(futures_util::stream::once(met).flatten())
    }

    fn traits(&self) -> Traits<'_> {
        self.inner.traits()
    }
}

#[test]
fn both_forms_are_looked_for_side_by_side() {
    let inner = Memory::default();
    let plain: Arc<dyn Store> = Arc::new(inner.clone());
    let chart = push(&plain, "1.2.3");
    let key = SigningKey::generate().unwrap();
    let both = SignOptions::default().with_formats(Format::COSIGN).with_identity("registry.example/web");
    signed(&plain, &chart, &key, &both).unwrap();
    let none = || tokio::sync::Semaphore::new(0);
    let store: Arc<dyn Store> = Arc::new(Meeting { inner, tag: none(), referrers: none() });
    let cx = Context::default().with_timeout(Duration::from_secs(20));
    let policy = policy(&[key.public_key()]);
    let verified =
        block(verify(&cx, &store, &selector("1.2.3"), &policy, &VerifyOptions::default())).unwrap();
    assert_eq!(verified.evidence().candidates().len(), 2);
}

#[cfg(not(feature = "keyless"))]
#[test]
fn a_build_without_identities_says_so_and_trusts_nobody() {
    use oci_chart_core::trust::{
        BundleArtifact, BundleSigner, Identity, KeylessPolicy, Tlog, TrustRoot, verify_bundle,
    };
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let chart = push(&store, "1.2.3");
    let key = SigningKey::generate().unwrap();
    signed(&store, &chart, &key, &SignOptions::default()).unwrap();
    let identity = Identity::exact("https://issuer.example", "a@example.com").unwrap();
    let mut logged = trusting(&[key.public_key()]);
    logged.tlog = Tlog::Require(TrustRoot::embedded());
    for policy in
        [Policy::Keyless(KeylessPolicy::new([identity.clone()], TrustRoot::embedded())), Policy::Keys(logged)]
    {
        let error = check(&store, "1.2.3", &policy).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::CouldNotCheck, Some(Reason::FeatureMissing)));
    }
    let error = verify_bundle(
        b"{}",
        BundleArtifact::Bytes(b""),
        &BundleSigner::Identities(vec![identity]),
        &TrustRoot::embedded(),
    );
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unsupported, Some(Reason::FeatureMissing)));
}
