//! How much a host is asked at once, and in a second.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use oci_chart_core::{
    Chart, ChartArtifact, Context, Event, Package,
    auth::StaticCredentials,
    chart::{LoadOptions, PackageOptions},
    name::Selector,
    oci::ArtifactOptions,
    store::{Blob, ConnectionOptions, HostOptions, Pushed, Registries, Repository, Store, StoreExt as _},
    transfer::{self, PullOptions, PushOptions},
};
use oci_chart_testkit::{Bearer, Fault, Mounts, Registry};

use crate::{
    remote::{block, host, login, open},
    support::clock::Dial,
};

fn repository(registry: &Registry, limits: HostOptions, dial: &Dial, name: &str) -> Repository {
    let options = ConnectionOptions::default()
        .with_retry(dial.retry())
        .with_host(host(registry), limits.with_plain_http(true));
    open(&Registries::new(options, login(registry)).unwrap(), registry, name)
}

#[test]
fn requests_are_evenly_spaced() {
    // Waits that nobody would see are not told.
    for (rate, wait, tellings) in [(4.0, 250, 4), (20.0, 50, 0)] {
        let registry = Registry::start().unwrap();
        let dial = Dial::default();
        let limits = HostOptions::default().with_requests_per_second(rate);
        let store = repository(&registry, limits, &dial, "charts/web");
        let (sender, events) = std::sync::mpsc::channel();
        let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
        block(cx.run(async {
            for _ in 0..5 {
                store.exists(Blob::from_bytes("text/plain".into(), "x").descriptor()).await?;
            }
            Ok(())
        }))
        .unwrap();
        assert_eq!(dial.waits(), [Duration::from_millis(wait); 4]);
        let told: Vec<_> = events.try_iter().collect();
        assert_eq!(told.len(), tellings, "{told:?}");
        assert!(told.iter().all(|event| matches!(event, Event::Waiting { attempt: 0, .. })), "{told:?}");
    }
}

#[test]
fn a_host_that_asks_to_be_left_alone_is_left_alone_by_all() {
    let registry = Registry::start().unwrap();
    let options = ConnectionOptions::default().with_plain_http(host(&registry));
    let registries = Registries::new(options, StaticCredentials::default()).unwrap();
    let store = open(&registries, &registry, "charts/web");
    // The very first request is waited for by all in any case.
    block(store.exists(Blob::from_bytes("text/plain".into(), "first").descriptor())).unwrap();
    registry.log().take();
    registry.script().once("HEAD", "*", Fault::too_many_requests("1"));
    let (sender, events) = std::sync::mpsc::channel();
    let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
    let [one, other] = ["one", "other"].map(|text| Blob::from_bytes("text/plain".into(), text));
    let second = async {
        while registry.log().entries().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begun = std::time::Instant::now();
        let found = store.exists(other.descriptor()).await;
        found.map(|_| begun.elapsed())
    };
    let waited = block(cx.run(async {
        let (first, second) = tokio::join!(store.exists(one.descriptor()), second);
        first?;
        second
    }));
    assert!(waited.unwrap() > Duration::from_millis(500), "it was asked all the same");
    let told: Vec<_> = events.try_iter().collect();
    assert!(told.iter().any(|event| matches!(event, Event::Waiting { attempt: 0, .. })), "{told:?}");
}

#[test]
fn only_so_many_requests_are_under_way() {
    let registry = Registry::builder().latency(Duration::from_millis(30)).start_blocking().unwrap();
    let blobs: Vec<_> = (0..8).map(|n| Blob::from_bytes("text/plain".into(), format!("blob {n}"))).collect();
    for (limit, connections) in [(1, 1), (2, 2)] {
        let dial = Dial::default();
        let limits = HostOptions::default().with_concurrency(limit);
        let store = repository(&registry, limits, &dial, &format!("charts/{limit}"));
        registry.log().take();
        let before = registry.log().connections();
        block(async {
            for pushed in join_all(blobs.iter().map(|blob| store.push(blob, &[]))).await {
                pushed.unwrap();
            }
            for fetched in join_all(blobs.iter().map(|blob| store.fetch_bytes(blob.descriptor(), 100))).await
            {
                fetched.unwrap();
            }
        });
        assert_eq!(registry.log().connections() - before, connections);
    }
}

#[test]
fn one_request_at_a_time_is_enough_for_a_login() {
    // The refusal that asks for a token is still being read when the same host is asked for one.
    let registry = Registry::builder().bearer_auth(Bearer::new("robot", "hunter2")).start_blocking().unwrap();
    registry.put_blob("charts/web", b"content").unwrap();
    let blob = Blob::from_bytes("text/plain".into(), "content");
    let store =
        repository(&registry, HostOptions::default().with_concurrency(1), &Dial::default(), "charts/web");
    block(async {
        let fetch = store.fetch_bytes(blob.descriptor(), 100);
        tokio::time::timeout(Duration::from_secs(20), fetch).await.expect("it waits for itself").unwrap();
    });
}

#[test]
fn a_copy_within_one_host_does_not_wait_for_itself() {
    // Without the right to mount, the bytes go through here: each upload is fed by a download.
    let registry = Registry::builder().mounts(Mounts::Never).start_blocking().unwrap();
    let contents =
        [1, 2, 3].map(|seed: u32| -> Vec<u8> { (0..300_000u32).map(|n| (n * seed % 251) as u8).collect() });
    let options = ConnectionOptions::default()
        .with_host(host(&registry), HostOptions::default().with_plain_http(true).with_concurrency(1));
    let registries = Registries::new(options, StaticCredentials::default()).unwrap();
    let source: Arc<dyn Store> = Arc::new(open(&registries, &registry, "charts/source"));
    let target = open(&registries, &registry, "charts/target");
    let copies = contents.map(|bytes| {
        registry.put_blob("charts/source", &bytes).unwrap();
        let descriptor = Blob::from_bytes("text/plain".into(), bytes).descriptor().clone();
        let (blob, target) = (Blob::from_store(descriptor, Arc::clone(&source)), target.clone());
        async move { target.push(&blob, &[]).await }
    });
    block(async {
        let all = tokio::time::timeout(Duration::from_secs(20), join_all(copies));
        for pushed in all.await.expect("they wait for each other") {
            assert_eq!(pushed.unwrap(), Pushed::Written);
        }
    });
}

#[test]
fn a_chart_with_provenance_takes_two_connections_in_either_direction() {
    let registry = Registry::builder().latency(Duration::from_millis(20)).start_blocking().unwrap();
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .unwrap();
    let chart = Chart::from_path(directory.path(), &LoadOptions::default()).unwrap();
    let file = directory.path().join("web-1.0.0.tgz");
    chart.package(&PackageOptions::default()).unwrap().write_to_dir(directory.path()).unwrap();
    fs_err::write(directory.path().join("web-1.0.0.tgz.prov"), "signed").unwrap();
    let package = Package::from_file(&file, &LoadOptions::default()).unwrap();
    let artifact = ChartArtifact::new(package, &ArtifactOptions::default()).unwrap();
    assert_eq!(artifact.blobs().count(), 3, "configuration, chart and provenance");
    let (cx, options) = (Context::default(), PullOptions::without_verification().with_provenance(true));
    let fresh = || -> Arc<dyn Store> {
        Arc::new(repository(&registry, HostOptions::default(), &Dial::default(), "charts/web"))
    };
    let connections = |work: &dyn Fn()| {
        let before = registry.log().connections();
        work();
        registry.log().connections() - before
    };
    let pushed = connections(&|| {
        block(transfer::push(&cx, &artifact, &fresh(), &PushOptions::default())).unwrap();
    });
    let pulled = connections(&|| {
        let selector = Selector::Tag("1.0.0".parse().unwrap());
        block(transfer::pull(&cx, &fresh(), &selector, &options)).unwrap();
    });
    assert!(pushed <= 2 && pulled <= 2, "{pushed} to push, {pulled} to pull");
}
