//! How many requests things cost, counted by the registry.

use std::{sync::Arc, time::Duration};

use futures_util::{TryStreamExt as _, future::join_all};
use oci_chart_core::{
    Chart, ChartArtifact, Content, Context, Limits,
    auth::{Credentials, StaticCredentials},
    chart::{LoadOptions, PackageOptions},
    name::{Selector, Tag},
    oci::{ArtifactOptions, Descriptor, MediaType},
    store::{Blob, Cache, Cached, Pushed, Store, TagMode},
    transfer::{self, Action, PullOptions, PushOptions},
};
use oci_chart_testkit::{Bearer, Builder, Class, Mounts, Registry};

use crate::remote::{block, login, open, registries, repository};

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// A chart called `web`, different for each `n`.
pub(crate) fn artifact(n: u32) -> ChartArtifact {
    let directory = tempfile::tempdir().unwrap();
    let metadata = format!("apiVersion: v2\nname: web\nversion: {n}.0.0\n");
    fs_err::write(directory.path().join("Chart.yaml"), metadata).unwrap();
    let chart = Chart::from_path(directory.path(), &LoadOptions::default()).unwrap();
    let package = chart.package(&PackageOptions::default()).unwrap();
    ChartArtifact::new(package, &ArtifactOptions::default()).unwrap()
}

fn push(store: &Arc<dyn Store>, n: u32, mode: TagMode) -> Action {
    let options = PushOptions::default().with_mode(mode);
    block(transfer::push(&Context::default(), &artifact(n), store, &options)).unwrap().action
}

fn pull(store: &Arc<dyn Store>, n: u32) {
    let selector = Selector::Tag(tag(&format!("{n}.0.0")));
    let options = PullOptions::without_verification();
    let pulled = block(transfer::pull(&Context::default(), store, &selector, &options)).unwrap();
    assert_eq!(pulled.package.digest(), artifact(n).package().digest());
}

/// A client of its own for each step, as each step of a pipeline has one.
fn fresh(registry: &Registry) -> Arc<dyn Store> {
    Arc::new(open(&registries(registry, login(registry)), registry, "charts/web"))
}

fn start(build: impl Fn(Builder) -> Builder) -> Registry {
    build(Registry::builder().latency(Duration::from_millis(20))).start_blocking().unwrap()
}

/// How callers may have to show who they are, and how many requests that costs a client that knows nothing yet.
const LOGINS: [(&str, usize); 5] =
    [("no login", 0), ("basic", 1), ("bearer", 2), ("identity token", 2), ("anonymous token", 2)];

fn guarded(login: &str) -> Registry {
    let bearer = || Bearer::new("robot", "hunter2").identity("long-lived");
    start(|builder| match login {
        "no login" => builder,
        "basic" => builder.basic_auth("robot", "hunter2"),
        "anonymous token" => builder.bearer_auth(bearer().permit(|_| true)),
        _ => builder.bearer_auth(bearer()),
    })
}

/// A client of its own for each step, with the credentials of that kind.
fn fresh_with(registry: &Registry, login: &str) -> Arc<dyn Store> {
    let credentials = match login {
        "identity token" => Credentials::identity("long-lived"),
        "no login" | "anonymous token" => Credentials::ANONYMOUS,
        _ => Credentials::basic("robot", "hunter2"),
    };
    let source = StaticCredentials::default().with(crate::remote::host(registry), credentials);
    Arc::new(open(&registries(registry, source), registry, "charts/web"))
}

#[test]
fn the_budget_of_a_push_and_a_pull() {
    for (kind, extra) in LOGINS {
        let registry = guarded(kind);
        let count = |wanted: usize, step: &str| {
            let lines: Vec<_> = registry.log().take().iter().map(|exchange| exchange.line()).collect();
            assert_eq!(lines.len(), wanted + extra, "{kind}, {step}: {lines:#?}");
        };
        let fresh = || fresh_with(&registry, kind);
        assert_eq!(push(&fresh(), 1, TagMode::Ensure), Action::Pushed);
        assert_eq!(registry.log().depth(), 4 + extra, "{kind}: {:#?}", registry.log().lines());
        let connections = registry.log().connections();
        assert!(connections <= 2, "{kind}: {connections} connections");
        count(6, "push");
        assert_eq!(push(&fresh(), 1, TagMode::Ensure), Action::Unchanged);
        count(1, "the same push again");
        pull(&fresh(), 1);
        count(2, "pull by tag");
        assert_eq!(push(&fresh(), 2, TagMode::Replace), Action::Pushed);
        count(5, "push without a look");
        let selector = Selector::Tag(tag("1.0.0"));
        let descriptor = block(fresh().resolve(&selector)).unwrap();
        count(1, "tag to digest");
        let by_digest = Selector::Digest(descriptor.digest);
        let options = PullOptions::without_verification();
        block(transfer::pull(&Context::default(), &fresh(), &by_digest, &options)).unwrap();
        count(2, "pull by digest");
        assert_eq!(block(fresh().tags().try_collect::<Vec<_>>()).unwrap().len(), 2);
        count(1, "list tags");
        let range = Selector::for_version("^1.0").unwrap();
        block(transfer::pull(&Context::default(), &fresh(), &range, &options)).unwrap();
        count(1 + 2, "version range to pull");
        with_provenance(&registry);
        let signed = Selector::Tag(tag("3.0.0"));
        let options = options.with_provenance(true);
        registry.log().take();
        let pulled = block(transfer::pull(&Context::default(), &fresh(), &signed, &options)).unwrap();
        assert_eq!(pulled.package.provenance().map(|bytes| &bytes[..]), Some(&b"a signature"[..]));
        count(3, "pull with provenance");
        // By digest, and all there already: not even a login is needed.
        let directory = tempfile::tempdir().unwrap();
        let cached = || -> Arc<dyn Store> { Arc::new(Cached::new(fresh(), Cache::new(directory.path()))) };
        let options = PullOptions::without_verification();
        block(transfer::pull(&Context::default(), &cached(), &by_digest, &options)).unwrap();
        count(2, "pull by digest into a cache");
        block(transfer::pull(&Context::default(), &cached(), &by_digest, &options)).unwrap();
        let lines = registry.log().lines();
        assert!(lines.is_empty(), "{kind}, all cached: {lines:#?}");
        assert_eq!(registry.open_uploads(), 0);
    }
}

#[test]
fn the_budget_of_what_is_only_read() {
    let registry = start(|builder| builder);
    let store = fresh(&registry);
    for n in 1..=3 {
        push(&store, n, TagMode::Create);
    }
    let count = || registry.log().take().len();
    count();
    // A tag's digest.
    block(fresh(&registry).resolve(&Selector::Tag(tag("1.0.0")))).unwrap();
    assert_eq!(count(), 1);
    // A range: the list, then what it came to.
    let range = Selector::for_version("^2.0.0").unwrap();
    let options = PullOptions::without_verification();
    let pulled = block(transfer::pull(&Context::default(), &fresh(&registry), &range, &options)).unwrap();
    assert_eq!(pulled.descriptor.digest, artifact(2).manifest().descriptor().digest);
    assert_eq!(count(), 3);
    // A version that is not there: the look for it, and for what there is.
    let missing = Selector::Tag(tag("9.0.0"));
    block(transfer::pull(&Context::default(), &fresh(&registry), &missing, &options)).unwrap_err();
    assert_eq!(count(), 2);
}

#[test]
fn who_polls_sees_each_change_once() {
    let registry = start(|builder| builder);
    push(&fresh(&registry), 1, TagMode::Create);
    let (store, wanted) = (fresh(&registry), Selector::for_version(">=1").unwrap());
    // The version that the range comes to now, and what it is: two requests, and no content.
    let poll = || {
        let (cx, limits) = (Context::default(), Limits::default());
        let version = block(transfer::select(&cx, &*store, &wanted, &limits)).unwrap();
        let found = block(store.resolve(&version)).unwrap();
        assert_eq!(registry.log().take().len(), 2);
        (version, found.digest)
    };
    registry.log().take();
    let mut seen = vec![poll(), poll()];
    push(&fresh(&registry), 2, TagMode::Create);
    registry.log().take();
    seen.extend([poll(), poll()]);
    // The same version with other content.
    registry.put_manifest("charts/web", "2.0.0", MediaType::OCI_MANIFEST.as_str(), "{}").unwrap();
    seen.extend([poll(), poll()]);
    seen.dedup();
    let versions: Vec<_> = seen.iter().map(|(version, _)| version.to_string()).collect();
    assert_eq!(versions, ["1.0.0", "2.0.0", "2.0.0"]);
    let digests: std::collections::BTreeSet<_> = seen.iter().map(|(_, digest)| digest.to_string()).collect();
    assert_eq!(digests.len(), 3);
}

/// Adds the chart's third version, with a provenance file.
fn with_provenance(registry: &Registry) {
    let chart = artifact(3);
    for (_, content) in chart.blobs() {
        registry.put_blob("charts/web", content.read(u64::MAX).unwrap()).unwrap();
    }
    let digest = registry.put_blob("charts/web", "a signature").unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(chart.manifest().bytes()).unwrap();
    let layer =
        serde_json::json!({ "mediaType": MediaType::HELM_PROVENANCE.as_str(), "digest": digest, "size": 11 });
    value["layers"].as_array_mut().unwrap().push(layer);
    registry
        .put_manifest("charts/web", "3.0.0", MediaType::OCI_MANIFEST.as_str(), value.to_string())
        .unwrap();
}

#[test]
fn every_request_is_told_to_who_wants_to_know() {
    use oci_chart_core::store::{ConnectionOptions, LoggedRequest, Registries};

    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let (sender, told) = std::sync::mpsc::channel();
    let options = ConnectionOptions::default()
        .with_plain_http(crate::remote::host(&registry))
        .with_log(move |request: &LoggedRequest| sender.send(request.clone()).unwrap());
    let registries = Registries::new(options, login(&registry)).unwrap();
    let store: Arc<dyn Store> = Arc::new(open(&registries, &registry, "charts/web"));
    push(&store, 1, TagMode::Create);
    let told: Vec<_> = told.try_iter().collect();
    let shown = told.iter().map(|request| format!("{request} {request:?}")).collect::<Vec<_>>().join("\n");
    for entry in registry.log().entries() {
        let path = entry.target.split('?').next().unwrap().to_owned();
        let found = told.iter().filter(|request| {
            request.method == entry.method
                && request.status == entry.status
                && request.url.to_string().contains(&path)
        });
        assert!(found.count() > 0, "{} {} is not in {shown}", entry.method, entry.target);
    }
    assert_eq!(told.len(), registry.log().entries().len());
    let entries = registry.log().entries();
    let states = entries.iter().filter_map(|entry| entry.target.split("_state=").nth(1)?.split('&').next());
    for secret in states.chain(["hunter2", "Bearer ", "Basic "]) {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_client_that_goes_on_pays_for_its_login_once() {
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let store = fresh(&registry);
    push(&store, 1, TagMode::Create);
    registry.log().take();
    // A runtime of its own for each call; what was learnt stays.
    push(&store, 2, TagMode::Create);
    pull(&store, 2);
    let lines = registry.log().lines();
    assert_eq!(lines.len(), 6 + 2, "{lines:#?}");
    assert_eq!(registry.tokens().requests().len(), 1);
}

#[test]
fn requests_side_by_side_share_challenge_and_token() {
    let registry = start(|builder| builder.bearer_auth(Bearer::new("robot", "hunter2")));
    let store = fresh(&registry);
    let blobs: Vec<_> = (0..8).map(|n| Blob::from_bytes("text/plain".into(), format!("blob {n}"))).collect();
    block(async {
        for pushed in join_all(blobs.iter().map(|blob| store.push(blob, &[]))).await {
            assert_eq!(pushed.unwrap(), Pushed::Written);
        }
    });
    assert_eq!(registry.log().count_class(Class::Token), 1);
    assert_eq!(registry.log().count(|exchange| exchange.status == Some(401)), 1);
    assert_eq!(registry.log().entries().len(), 8 * 2 + 2);
}

#[test]
fn a_blob_that_is_there_costs_one_request_and_no_bytes() {
    let registry = start(|builder| builder);
    let store = repository(&registry, "charts/web");
    let blob = Blob::from_bytes("text/plain".into(), vec![7; 100_000]);
    assert_eq!(block(store.push(&blob, &[])).unwrap(), Pushed::Written);
    registry.log().take();
    assert_eq!(block(store.push(&blob, &[])).unwrap(), Pushed::Existing);
    let entries = registry.log().entries();
    assert_eq!((entries.len(), entries[0].bytes_in), (1, 0));
}

#[test]
fn a_refused_mount_is_remembered() {
    let registry = start(|builder| builder.mounts(Mounts::Refused(400)));
    let store = repository(&registry, "charts/web");
    let pushed = |n: u32| {
        let blob = Blob::from_bytes("text/plain".into(), format!("blob {n}"));
        block(store.push(&blob, &[])).unwrap();
        registry.log().take().len()
    };
    // POST refused, HEAD, POST, PUT; from then on without the first.
    assert_eq!([pushed(1), pushed(2), pushed(1)], [4, 3, 1]);
}

#[test]
fn a_blob_of_another_repository_is_mounted() {
    for bearer in [false, true] {
        let registry =
            start(
                |builder| {
                    if bearer { builder.bearer_auth(Bearer::new("robot", "hunter2")) } else { builder }
                },
            );
        let registries = registries(&registry, login(&registry));
        let source: Arc<dyn Store> = Arc::new(open(&registries, &registry, "charts/source"));
        let target = open(&registries, &registry, "charts/target");
        let blob = Blob::from_bytes("text/plain".into(), vec![7; 100_000]);
        block(source.push(&blob, &[])).unwrap();
        registry.log().take();
        let again = Blob::from_store(blob.descriptor().clone(), Arc::clone(&source));
        assert_eq!(block(target.push(&again, &[])).unwrap(), Pushed::Mounted);
        let entries = registry.log().entries();
        let uploaded: u64 = entries.iter().map(|exchange| exchange.bytes_in).sum();
        assert_eq!(
            (entries.len(), uploaded),
            (if bearer { 2 } else { 1 }, 0),
            "{:#?}",
            registry.log().lines()
        );
    }
}

#[test]
fn a_mount_that_needs_too_much_goes_without() {
    // Who pushes may not read the source; who reads may.
    let bearer = Bearer::new("robot", "hunter2")
        .permit(|access| access.user.is_some() || access.name != "charts/source");
    let registry = Registry::builder().bearer_auth(bearer).start_blocking().unwrap();
    let source = open(&registries(&registry, login(&registry)), &registry, "charts/source");
    let blob = Blob::from_bytes("text/plain".into(), "content");
    block(source.push(&blob, &[])).unwrap();
    let again = Blob::from_store(blob.descriptor().clone(), Arc::new(source));
    let target = repository(&registry, "charts/target");
    assert_eq!(block(target.push(&again, &[])).unwrap(), Pushed::Written);
    assert_eq!(registry.open_uploads(), 0);
}

#[test]
fn a_file_is_sent_with_its_length() {
    let registry = start(|builder| builder);
    let store = repository(&registry, "charts/web");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), vec![1; 600_000]).unwrap();
    let descriptor = Descriptor::of("text/plain".into(), vec![1; 600_000]);
    let blob = Blob::from_content(descriptor, Content::from_path(file.path()).unwrap());
    block(store.push(&blob, &[])).unwrap();
    let entries = registry.log().entries();
    let put = entries.iter().find(|exchange| exchange.class == Class::UploadPut).unwrap();
    assert_eq!((put.header("content-length"), put.bytes_in), (Some("600000"), 600_000));
    assert!(put.header("transfer-encoding").is_none());
    assert_eq!(put.header("content-type"), Some("application/octet-stream"));
    let post = entries.iter().find(|exchange| exchange.class == Class::Mount).unwrap();
    assert_eq!(post.header("content-length"), Some("0"));
}

#[test]
fn tags_come_page_by_page_and_only_as_far_as_they_are_read() {
    let registry = Registry::builder().page_size(100).start_blocking().unwrap();
    for n in 0..1100 {
        registry
            .put_manifest("charts/web", &format!("1.0.{n}"), MediaType::OCI_MANIFEST.as_str(), "{}")
            .unwrap();
    }
    let store = repository(&registry, "charts/web");
    let tags: Vec<Tag> = block(store.tags().try_collect()).unwrap();
    assert_eq!(tags.len(), 1100);
    let lines: Vec<_> = registry.log().take().iter().map(|exchange| exchange.line()).collect();
    assert_eq!(lines.len(), 11);
    assert!(lines[0].contains("n=1000"), "no page is smaller than it has to be: {}", lines[0]);
    block(async { store.tags().try_next().await.unwrap() });
    assert!(registry.log().take().len() <= 2);
}

#[test]
fn every_request_says_who_sends_it() {
    let registry = Registry::builder().start_blocking().unwrap();
    let options = oci_chart_core::store::ConnectionOptions::default()
        .with_plain_http(crate::remote::host(&registry))
        .with_user_agent("release-bot/2.1");
    let registries = oci_chart_core::store::Registries::new(options, StaticCredentials::default()).unwrap();
    let store: Arc<dyn Store> = Arc::new(open(&registries, &registry, "charts/web"));
    push(&store, 1, TagMode::Create);
    for exchange in registry.log().entries() {
        let agent = exchange.header("user-agent").unwrap_or_default();
        assert!(agent.starts_with("oci-chart/") && agent.ends_with(" release-bot/2.1"), "{agent}");
        assert!(exchange.header("cookie").is_none() && exchange.header("accept-encoding").is_none());
    }
}
