//! A release in one piece: whoever looks at the tag sees it signed, or sees nothing.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use oci_chart_core::{
    Context, ErrorKind, Limits, Reason, Result,
    name::{Selector, Tag},
    oci::Descriptor,
    store::{Blob, BoxStream, ByteStream, Memory, Pushed, Repository, Store, TagMode, Traits},
    transfer::{self, Action, PushOptions},
    trust::{
        Attachment, Attestation, AttestationPolicy, CallbackSigner, Format, PredicateType, PublishOptions,
        Published, SignOptions, Signer as _, SigningKey, VerifyOptions, publish, tree, verify,
        verify_attestation,
    },
};
use oci_chart_testkit::{Fault, Registry, Rule};

use crate::{
    attest::{CYCLONEDX, SLSA, by, push, version, why},
    remote::{block, repository},
    transfer::{artifact, package},
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const BLANK: &str = r#"{"schemaVersion":2,"layers":[]}"#;

fn full(key: &SigningKey) -> PublishOptions {
    let channel: Tag = "stable".parse().unwrap();
    PublishOptions::default()
        .with_push(PushOptions::default().with_mode(TagMode::Ensure).with_channel(channel))
        .with_signer(key.clone())
        .with_attachment(Attachment::sbom(CYCLONEDX).unwrap())
        .with_attestation(Attestation::new(PredicateType::SLSA_PROVENANCE_V1, SLSA).unwrap())
}

fn release(store: &Arc<dyn Store>, options: &PublishOptions) -> Result<Published> {
    let artifact = artifact(&package("1.2.3", "a"), 1_700_000_000);
    block(publish(&Context::default(), &artifact, store, options))
}

#[test]
fn whoever_polls_the_tag_never_sees_it_unsigned() {
    for api in [true, false] {
        let registry = Registry::builder()
            .referrers_api(api)
            .latency(Duration::from_millis(5))
            .start_blocking()
            .unwrap();
        let key = SigningKey::generate().unwrap();
        let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
        let (done, looks, hits) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
        let policy = by(&[&key]);
        let slsa = AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, policy.clone());
        thread::scope(|scope| {
            for tag in ["1.2.3", "stable"] {
                let (policy, slsa, done, looks, hits, registry) =
                    (&policy, &slsa, &done, &looks, &hits, &registry);
                scope.spawn(move || {
                    // As strangers would: a client of its own.
                    let store: Arc<dyn Store> = Arc::new(repository(registry, "charts/web"));
                    let cx = Context::default();
                    loop {
                        let last = done.load(Ordering::SeqCst);
                        looks.fetch_add(1, Ordering::SeqCst);
                        let options = VerifyOptions::default();
                        match block(verify(&cx, &store, &version(tag), policy, &options)) {
                            Ok(_) => {
                                hits.fetch_add(1, Ordering::SeqCst);
                                block(verify_attestation(&cx, &store, &version(tag), slsa, &options))
                                    .unwrap();
                            }
                            Err(error) => {
                                assert_eq!(
                                    why(error),
                                    (ErrorKind::NotFound, Some(Reason::TagMissing)),
                                    "{tag}"
                                );
                                assert!(!last, "{tag} was never there");
                            }
                        }
                        if last {
                            return;
                        }
                    }
                });
            }
            let published = release(&store, &full(&key));
            done.store(true, Ordering::SeqCst);
            let published = published.unwrap();
            assert_eq!(published.chart.action, Action::Pushed);
            assert_eq!(
                (published.signatures.len(), published.attachments.len(), published.attestations.len()),
                (1, 1, 1)
            );
        });
        assert!(
            looks.into_inner() > 4 && hits.into_inner() >= 2,
            "the readers looked while it was published"
        );
        // In the order of the log: no tag before the last manifest that belongs to it.
        let lines: Vec<String> = registry
            .log()
            .entries()
            .iter()
            .filter(|exchange| exchange.method == "PUT" && exchange.target.contains("/manifests/"))
            .map(|exchange| exchange.target.rsplit('/').next().unwrap().to_owned())
            .collect();
        let first_tag = lines.iter().position(|name| name == "1.2.3").unwrap();
        let last_digest = lines.iter().rposition(|name| name.contains("sha256")).unwrap();
        assert!(last_digest < first_tag, "{lines:?}");
        assert_eq!(lines.last().unwrap(), "stable");
    }
}

#[test]
fn a_signer_changes_nothing_about_the_chart() {
    let key = SigningKey::generate().unwrap();
    let [with, without, pushed]: [Arc<dyn Store>; 3] =
        std::array::from_fn(|_| Arc::new(Memory::default()) as _);
    let signed = release(&with, &full(&key)).unwrap();
    let plain = release(&without, &PublishOptions::default()).unwrap();
    let push = push(&pushed, "1.2.3");
    assert_eq!(signed.chart.descriptor, plain.chart.descriptor);
    assert_eq!(push.digest, plain.chart.descriptor.digest);
}

#[test]
fn a_failure_before_the_tag_leaves_no_tag_and_the_next_run_does_the_rest() {
    let registry = Registry::start().unwrap();
    let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    let key = SigningKey::generate().unwrap();
    let mut stages = Vec::new();
    for nth in 1.. {
        registry.script().add(Rule::new("PUT", "*/manifests/*", Fault::error(403, "DENIED")).nth(nth));
        let outcome = release(&store, &full(&key));
        let met = registry.script().pending() == 0;
        registry.script().clear();
        if !met {
            outcome.unwrap();
            break;
        }
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
        let stage = error.get("stage").unwrap().to_owned();
        let tags = registry.tags("charts/web");
        assert!(stage == "tag" || tags.is_empty(), "{stage}: {tags:?}");
        stages.push(stage);
        assert!(nth < 20);
    }
    assert!(
        ["content", "evidence", "tag"].iter().all(|stage| stages.iter().any(|other| other == stage)),
        "{stages:?}"
    );
    // Nothing was signed twice on the way.
    let tree = block(tree(&Context::default(), &store, &version("1.2.3"), &Limits::default())).unwrap();
    assert_eq!(tree.attached.len(), 3, "{tree}");
    // And once more there is nothing to do.
    let again = release(&store, &full(&key)).unwrap();
    assert_eq!(
        (again.chart.action, again.signatures[0].kept.as_slice()),
        (Action::Unchanged, &[Format::Bundle][..])
    );
}

#[test]
fn what_others_undo_in_the_list_is_written_again() {
    // Without the referrers API the list is a tag, and two writers can undo each other.
    for (times, outcome) in [(2, None), (100, Some(ErrorKind::Conflict))] {
        let registry = Arc::new(Registry::builder().referrers_api(false).start_blocking().unwrap());
        let inner = repository(&registry, "charts/web");
        let mischief = Mischief::EmptyLists(AtomicU32::new(times));
        let store: Arc<dyn Store> = Arc::new(Vandal { inner, registry: Arc::clone(&registry), mischief });
        let key = SigningKey::generate().unwrap();
        let published = release(&store, &PublishOptions::default().with_signer(key.clone()));
        if let Some(kind) = outcome {
            let error = published.unwrap_err();
            assert_eq!((error.kind(), error.get("stage")), (kind, Some("evidence")), "{error:?}");
            assert!(
                !registry.tags("charts/web").iter().any(|(tag, _)| tag == "1.2.3"),
                "nobody sees it unsigned"
            );
            continue;
        }
        published.unwrap();
        let options = VerifyOptions::default();
        block(verify(&Context::default(), &store, &version("1.2.3"), &by(&[&key]), &options)).unwrap();
    }
}

#[test]
fn what_others_do_once_the_tag_is_there_is_noticed() {
    let registry = Arc::new(Registry::builder().referrers_api(false).start_blocking().unwrap());
    let key = SigningKey::generate().unwrap();
    let tagged = SignOptions::default().with_formats([Format::SignatureTag]);
    for (place, sign, mischief, outcome) in [
        // Its list of referrers is lost, and written again.
        ("one", SignOptions::default(), Mischief::EmptyListOnceTagged(AtomicU32::new(0)), None),
        ("two", SignOptions::default(), Mischief::MoveTag, Some((ErrorKind::Conflict, Reason::TagMoved))),
        ("three", tagged, Mischief::DropSignatureTag, Some((ErrorKind::NotFound, Reason::TagMissing))),
    ] {
        let inner = repository(&registry, place);
        let store: Arc<dyn Store> = Arc::new(Vandal { inner, registry: Arc::clone(&registry), mischief });
        let published = release(&store, &PublishOptions::default().with_signer(key.clone()).with_sign(sign));
        if let Some(outcome) = outcome {
            let error = published.unwrap_err();
            assert_eq!(error.get("stage"), Some("check"), "{place}: {error:?}");
            assert_eq!((error.kind(), error.reason()), (outcome.0, Some(outcome.1)), "{place}");
            continue;
        }
        published.unwrap();
        let store: Arc<dyn Store> = Arc::new(repository(&registry, place));
        let options = VerifyOptions::default();
        block(verify(&Context::default(), &store, &version("1.2.3"), &by(&[&key]), &options)).unwrap();
    }
}

#[test]
fn a_release_made_while_this_one_was_signed_is_not_overwritten() {
    let registry = Registry::start().unwrap();
    let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    let key = SigningKey::generate().unwrap();
    let other = artifact(&package("1.2.3", "b"), 1_700_000_000);
    let (kind, bytes) = (other.manifest().descriptor().media_type.clone(), other.manifest().bytes().clone());
    let digest = other.manifest().descriptor().digest;
    let signer = key.clone();
    let slow = CallbackSigner::new(key.public_key().clone(), move |message| {
        registry.put_manifest("charts/web", "1.2.3", kind.as_str(), bytes.clone()).unwrap();
        block(signer.sign(message))
    });
    for mode in [TagMode::Create, TagMode::Ensure] {
        let push = PushOptions::default().with_mode(mode);
        let sign = SignOptions::default().with_keep_existing(false);
        let options = PublishOptions::default().with_push(push).with_signer(slow.clone()).with_sign(sign);
        let error = release(&store, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error:?}");
        assert_eq!(block(store.resolve(&version("1.2.3"))).unwrap().digest, digest);
        block(store.delete(&version("1.2.3"))).unwrap();
    }
}

/// A repository in which somebody else is at work.
#[derive(Debug)]
struct Vandal {
    inner: Repository,
    registry: Arc<Registry>,
    mischief: Mischief,
}

#[derive(Debug)]
enum Mischief {
    /// An empty list of referrers is written right before we look at it, so many times.
    EmptyLists(AtomicU32),
    /// The same once the version's tag is there.
    EmptyListOnceTagged(AtomicU32),
    /// The version's tag is moved as soon as it is there, to a blank manifest.
    MoveTag,
    /// The signature tag is removed as soon as the version's tag is there.
    DropSignatureTag,
}

impl Vandal {
    fn put(&self, reference: &str, kind: &str, text: &str) {
        let address = self.inner.traits().address.unwrap().repository().to_string();
        self.registry.put_manifest(&address, reference, kind, text.to_owned()).unwrap();
    }
}

impl fmt::Display for Vandal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl Store for Vandal {
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
        self.inner.fetch_manifest(selector).await
    }

    async fn push(&self, blob: &Blob, tags: &[(Tag, TagMode)]) -> Result<Pushed> {
        self.inner.push(blob, tags).await
    }

    async fn tag(&self, descriptor: &Descriptor, tag: &Tag, mode: &TagMode) -> Result<()> {
        self.inner.tag(descriptor, tag, mode).await?;
        match &self.mischief {
            Mischief::EmptyListOnceTagged(left) => left.store(1, Ordering::SeqCst),
            Mischief::MoveTag => self.put(tag.as_str(), MANIFEST, BLANK),
            Mischief::DropSignatureTag => {
                let tag = format!("sha256-{}.sig", descriptor.digest.hex());
                self.inner.delete(&Selector::Tag(tag.parse().unwrap())).await?;
            }
            Mischief::EmptyLists(_) => {}
        }
        Ok(())
    }

    async fn delete(&self, selector: &Selector) -> Result<()> {
        self.inner.delete(selector).await
    }

    fn tags(&self) -> BoxStream<'_, Tag> {
        self.inner.tags()
    }

    fn referrers<'a>(&'a self, subject: &'a Descriptor) -> BoxStream<'a, Descriptor> {
        if let Mischief::EmptyLists(left) | Mischief::EmptyListOnceTagged(left) = &self.mischief
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        {
            let empty = r#"{"schemaVersion":2,"manifests":[]}"#;
            self.put(&format!("sha256-{}", subject.digest.hex()), INDEX, empty);
        }
        self.inner.referrers(subject)
    }

    fn traits(&self) -> Traits<'_> {
        self.inner.traits()
    }
}

#[test]
fn both_forms_two_signers_and_nobody_to_sign() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let (one, two) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let sign = SignOptions::default()
        .with_formats([Format::Bundle, Format::SignatureTag])
        .with_identity("registry.example/charts/web");
    let options = PublishOptions::default().with_signer(one.clone()).with_signer(two.clone()).with_sign(sign);
    let published = release(&store, &options).unwrap();
    assert_eq!(published.signatures.len(), 2);
    for format in [Format::Bundle, Format::SignatureTag] {
        let oci_chart_core::trust::Policy::Keys(policy) = by(&[&one, &two]) else { unreachable!() };
        let policy = oci_chart_core::trust::Policy::Keys(policy.with_threshold(2).with_formats([format]));
        block(verify(&Context::default(), &store, &version("1.2.3"), &policy, &VerifyOptions::default()))
            .unwrap();
    }
    let nobody = PublishOptions::default().with_attestation(Attestation::sbom(CYCLONEDX).unwrap());
    assert_eq!(release(&store, &nobody).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn another_release_of_the_version_is_not_overwritten() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let key = SigningKey::generate().unwrap();
    let other = artifact(&package("1.2.3", "b"), 1_700_000_000);
    let there = block(transfer::push(&Context::default(), &other, &store, &PushOptions::default())).unwrap();
    let error = release(&store, &full(&key)).unwrap_err();
    assert_eq!((error.kind(), error.get("stage")), (ErrorKind::AlreadyExists, Some("content")));
    assert_eq!(block(store.resolve(&version("1.2.3"))).unwrap().digest, there.descriptor.digest);
    // A blob of anything else in the store does no harm.
    let blob = Blob::from_bytes("application/json".into(), "{}");
    block(store.push(&blob, &[])).unwrap();
}
