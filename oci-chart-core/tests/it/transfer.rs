//! Push and pull over every kind of store: modes, selectors, honest refusals.

mod bounds;
mod cancel;
mod lies;

use std::sync::Arc;

use oci_chart_core::{
    ChartArtifact, Context, Error, ErrorKind, Limits, Package, Reason,
    chart::{LoadOptions, Timestamp},
    name::{Selector, Tag},
    oci::{ArtifactOptions, Descriptor, Manifest, MediaType},
    store::{Blob, Layout, Memory, Store, TagMode},
    transfer::{self, Action, PullOptions, Pulled, PushOptions, PushOutcome},
};
use oci_chart_testkit::Registry;

use crate::{
    remote::{block, repository},
    support::tarball::{Entry, gzip, tar},
};

/// A package of `name` and `version`; `note` makes others of the same version.
pub(crate) fn package(version: &str, note: &str) -> Package {
    let chart = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    let tgz = gzip(&tar(
        &[Entry::file("web/Chart.yaml", chart), Entry::file("web/values.yaml", format!("note: {note}\n"))],
        2,
    ));
    Package::from_bytes(tgz, &LoadOptions::default()).unwrap()
}

pub(crate) fn artifact(package: &Package, created: u64) -> ChartArtifact {
    let options = ArtifactOptions::default().with_created(Timestamp::from_unix(created).unwrap());
    ChartArtifact::new(package.clone(), &options).unwrap()
}

fn push(store: &Arc<dyn Store>, artifact: &ChartArtifact, mode: TagMode) -> Result<PushOutcome, Error> {
    let options = PushOptions::default().with_mode(mode);
    block(transfer::push(&Context::default(), artifact, store, &options))
}

fn pull(store: &Arc<dyn Store>, selector: &Selector) -> Result<Pulled, Error> {
    block(transfer::pull(&Context::default(), store, selector, &PullOptions::without_verification()))
}

fn version(text: &str) -> Selector {
    Selector::for_version(text).unwrap()
}

/// Every store under one name each.
fn everywhere(check: impl Fn(&str, Arc<dyn Store>)) {
    check("memory", Arc::new(Memory::default()));
    let root = tempfile::tempdir().unwrap();
    check("layout", Arc::new(Layout::new(root.path().join("layout"))));
    let registry = Registry::start().unwrap();
    check("registry", Arc::new(repository(&registry, "charts/web")));
}

#[test]
fn what_goes_in_comes_out_by_tag_digest_and_range() {
    everywhere(|name, store| {
        let (old, new) = (package("1.0.0", "a"), package("1.2.0+build.1", "b"));
        push(&store, &artifact(&old, 1), TagMode::Create).unwrap();
        let pushed = push(&store, &artifact(&new, 2), TagMode::Create).unwrap();
        assert_eq!((pushed.action, pushed.tag.as_str()), (Action::Pushed, "1.2.0_build.1"), "{name}");
        for selector in
            [version("1.2.0+build.1"), version("^1"), version(""), pushed.descriptor.digest.into()]
        {
            let pulled = pull(&store, &selector).unwrap();
            assert_eq!(
                (pulled.package.digest(), &pulled.descriptor),
                (new.digest(), &pushed.descriptor),
                "{name} {selector}"
            );
            assert_eq!(pulled.package.metadata().unwrap().version, "1.2.0+build.1");
        }
        assert_eq!(pull(&store, &version("<1.2")).unwrap().package.digest(), old.digest(), "{name}");
    });
}

#[test]
fn a_version_that_exists_is_refused_and_both_digests_are_named() {
    everywhere(|name, store| {
        let (first, other) = (artifact(&package("1.0.0", "a"), 1), artifact(&package("1.0.0", "b"), 1));
        push(&store, &first, TagMode::Create).unwrap();
        for (artifact, mode) in
            [(&other, TagMode::Create), (&other, TagMode::Ensure), (&first, TagMode::Create)]
        {
            let error = push(&store, artifact, mode).unwrap_err();
            assert_eq!(
                (error.kind(), error.reason()),
                (ErrorKind::AlreadyExists, Some(Reason::TagExists)),
                "{name}"
            );
            assert_eq!(
                error.get("existing"),
                Some(first.manifest().descriptor().digest.to_string().as_str()),
                "{name}"
            );
            assert_eq!(
                error.get("new"),
                Some(artifact.manifest().descriptor().digest.to_string().as_str()),
                "{name}"
            );
            assert!(error.to_string().contains("push"), "{error}");
        }
        assert_eq!(
            pull(&store, &version("1.0.0")).unwrap().descriptor,
            *first.manifest().descriptor(),
            "{name}"
        );
    });
}

#[test]
fn ensure_is_a_no_op_for_the_same_chart() {
    everywhere(|name, store| {
        let package = package("1.0.0", "a");
        let (first, later) = (artifact(&package, 1), artifact(&package, 2));
        push(&store, &first, TagMode::Ensure).unwrap();
        let again = push(&store, &first, TagMode::Ensure).unwrap();
        assert_eq!(
            (again.action, &again.descriptor),
            (Action::Unchanged, first.manifest().descriptor()),
            "{name}"
        );
        let drifted = push(&store, &later, TagMode::Ensure).unwrap();
        assert_eq!(
            (drifted.action, &drifted.descriptor),
            (Action::SameChart, first.manifest().descriptor()),
            "{name}"
        );
    });
}

#[test]
fn replace_and_expect_move_a_version() {
    everywhere(|name, store| {
        let all = ["a", "b", "c"].map(|note| artifact(&package("1.0.0", note), 1));
        let [a, b, c] = all.each_ref().map(|artifact| artifact.manifest().descriptor().digest);
        push(&store, &all[0], TagMode::Create).unwrap();
        push(&store, &all[1], TagMode::Replace).unwrap();
        let error = push(&store, &all[2], TagMode::Expect(a)).unwrap_err();
        assert_eq!(
            (error.kind(), error.get("actual")),
            (ErrorKind::Conflict, Some(b.to_string().as_str())),
            "{name}"
        );
        push(&store, &all[2], TagMode::Expect(b)).unwrap();
        assert_eq!(pull(&store, &version("1.0.0")).unwrap().descriptor.digest, c, "{name}");
    });
}

#[test]
fn channels_point_at_the_version() {
    everywhere(|name, store| {
        let stable: Tag = "stable".parse().unwrap();
        let options = PushOptions::default().with_mode(TagMode::Ensure).with_channel(stable.clone());
        for _ in 0..2 {
            let artifact = artifact(&package("1.0.0", "a"), 1);
            block(transfer::push(&Context::default(), &artifact, &store, &options)).unwrap();
            let found = block(store.resolve(&stable.clone().into())).unwrap();
            assert_eq!(found, *artifact.manifest().descriptor(), "{name}");
            block(store.delete(&stable.clone().into())).unwrap();
        }
    });
}

#[test]
fn a_version_that_is_not_there_tells_the_nearest() {
    everywhere(|name, store| {
        for version in ["1.0.0", "1.1.0", "3.0.0"] {
            push(&store, &artifact(&package(version, ""), 1), TagMode::Create).unwrap();
        }
        let error = pull(&store, &version("^2")).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::NotFound, Some(Reason::VersionNotFound)),
            "{name} {error:?}"
        );
        let told = format!("{error:?}");
        assert!(told.contains("1.1.0") && told.contains("3.0.0"), "{name}: {told}");
        let error = pull(&store, &version("2.0.0")).unwrap_err();
        assert_eq!((error.kind(), error.get("selector")), (ErrorKind::NotFound, Some("2.0.0")), "{name}");
    });
}

#[test]
fn a_tag_beside_a_digest_must_agree_or_be_gone() {
    everywhere(|name, store| {
        let (a, b) = (artifact(&package("1.0.0", "a"), 1), artifact(&package("1.0.0", "b"), 1));
        push(&store, &a, TagMode::Create).unwrap();
        let pin = |tag: &str| Selector::Pinned {
            tag: tag.parse().unwrap(),
            digest: a.manifest().descriptor().digest,
        };
        for tag in ["1.0.0", "never-there"] {
            assert_eq!(pull(&store, &pin(tag)).unwrap().descriptor, *a.manifest().descriptor(), "{name}");
        }
        push(&store, &b, TagMode::Replace).unwrap();
        let error = pull(&store, &pin("1.0.0")).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, Some(Reason::TagMoved)), "{name}");
    });
}

#[test]
fn provenance_travels_with_the_chart_when_asked_for() {
    everywhere(|name, store| {
        let signed = package("1.0.0", "a").with_provenance("signed");
        push(&store, &artifact(&signed, 1), TagMode::Create).unwrap();
        let options = PullOptions::without_verification();
        for (options, expected) in [(options.clone(), None), (options.with_provenance(true), Some("signed"))]
        {
            let pulled =
                block(transfer::pull(&Context::default(), &store, &version("1.0.0"), &options)).unwrap();
            assert_eq!(
                pulled.package.provenance().map(|bytes| &bytes[..]),
                expected.map(str::as_bytes),
                "{name}"
            );
        }
    });
}

#[test]
fn metadata_comes_from_the_configuration_alone() {
    everywhere(|name, store| {
        let package = package("1.0.0", "a");
        push(&store, &artifact(&package, 1), TagMode::Create).unwrap();
        block(store.delete(&package.digest().into())).unwrap();
        let metadata = block(transfer::fetch_metadata(
            &Context::default(),
            &store,
            &version("1.0.0"),
            &Limits::default(),
        ))
        .unwrap();
        assert_eq!((metadata.name.as_str(), metadata.version.as_str()), ("web", "1.0.0"), "{name}");
    });
}

#[test]
fn an_image_is_no_chart_and_an_old_layer_type_is_one() {
    everywhere(|name, store| {
        let chart = package("1.0.0", "a");
        let put = |tag: &str, config_type: MediaType, layer_type: MediaType| {
            let config =
                Blob::from_bytes(config_type, r#"{"name":"web","version":"1.0.0","apiVersion":"v2"}"#);
            let layer = Descriptor::new(layer_type, chart.digest(), chart.size());
            let layer = Blob::from_content(layer, chart.content().clone());
            let manifest =
                Manifest::write(config.descriptor(), &[layer.descriptor().clone()], &Default::default());
            let manifest = Blob::from_content(manifest.descriptor().clone(), manifest.bytes().clone().into());
            block(async {
                store.push(&config, &[]).await?;
                store.push(&layer, &[]).await?;
                store.push(&manifest, &[(tag.parse().unwrap(), TagMode::Create)]).await
            })
            .unwrap();
        };
        put("1.0.0", MediaType::OCI_CONFIG, "application/vnd.oci.image.layer.v1.tar+gzip".into());
        put("2.0.0", MediaType::HELM_CONFIG, MediaType::HELM_CHART_LEGACY);
        let error = pull(&store, &version("1.0.0")).unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::InvalidManifest, Some(Reason::NotAChart)),
            "{name}"
        );
        let old = pull(&store, &version("2.0.0")).unwrap();
        assert!(old.legacy, "{name}");
        assert_eq!(old.package.digest(), chart.digest(), "{name}");
    });
}

#[test]
fn a_chart_in_an_index_is_found_beside_images() {
    everywhere(|name, store| {
        let chart = artifact(&package("1.0.0", "a"), 1);
        let pushed = push(&store, &chart, TagMode::Create).unwrap();
        let config = Blob::from_bytes(MediaType::OCI_CONFIG, "{}");
        let image = Manifest::write(config.descriptor(), &[], &Default::default());
        let mention = |descriptor: &Descriptor| {
            let Descriptor { media_type, digest, size, .. } = descriptor;
            format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
        };
        let index = |manifests: &[&Descriptor]| {
            let list: Vec<_> = manifests.iter().map(|descriptor| mention(descriptor)).collect();
            Blob::from_bytes(
                MediaType::OCI_INDEX,
                format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, list.join(",")),
            )
        };
        let images = index(&[image.descriptor()]);
        let nested = index(&[image.descriptor(), &pushed.descriptor]);
        let outer = index(&[images.descriptor(), nested.descriptor(), &pushed.descriptor]);
        let other = push(&store, &artifact(&package("2.0.0", "b"), 1), TagMode::Create).unwrap();
        let several = index(&[nested.descriptor(), &other.descriptor]);
        // Docker's manifests are not looked into, whatever they are.
        let docker = "application/vnd.docker.distribution.manifest.v2+json";
        let dockers = Descriptor::new(docker.into(), other.descriptor.digest, other.descriptor.size);
        let dockers = index(&[&dockers, &pushed.descriptor]);
        let image = Blob::from_content(image.descriptor().clone(), image.bytes().clone().into());
        block(async {
            store.push(&config, &[]).await.unwrap();
            store.push(&image, &[]).await.unwrap();
            for (index, tag) in [
                (&images, "images"),
                (&nested, "both"),
                (&outer, "nested"),
                (&several, "several"),
                (&dockers, "dockers"),
            ] {
                store.push(index, &[(tag.parse().unwrap(), TagMode::Create)]).await.unwrap();
            }
        });
        for tag in ["both", "nested", "dockers"] {
            let pulled = pull(&store, &Selector::Tag(tag.parse().unwrap())).unwrap();
            assert_eq!(pulled.descriptor, pushed.descriptor, "{name} {tag}");
        }
        let error = pull(&store, &Selector::Tag("images".parse().unwrap())).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::NotAChart), "{name}");
        let error = pull(&store, &Selector::Tag("several".parse().unwrap())).unwrap_err();
        assert_eq!(error.reason(), Some(Reason::SeveralCharts), "{name}");
        for chart in [&pushed, &other] {
            assert!(error.message().contains(&chart.descriptor.digest.to_string()), "{error}");
        }
    });
}

#[test]
fn a_pulled_chart_is_written_whole_or_not_at_all() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    push(&store, &artifact(&package("1.0.0", "a"), 1), TagMode::Create).unwrap();
    let pulled = pull(&store, &version("1.0.0")).unwrap();
    let place = tempfile::tempdir().unwrap();
    let unpacked = pulled.package.unpack(place.path()).unwrap();
    assert_eq!(fs_err::read_to_string(unpacked.path.join("values.yaml")).unwrap(), "note: a\n");
    let error = pulled.package.unpack(place.path()).unwrap_err();
    assert_eq!(error.reason(), Some(Reason::DestinationExists));
    let file = pulled.package.write_to_dir(place.path().join("packages")).unwrap();
    assert_eq!(fs_err::read(file).unwrap(), pulled.package.content().read(1 << 20).unwrap());
    assert_eq!(fs_err::read_dir(place.path()).unwrap().count(), 2);
}
