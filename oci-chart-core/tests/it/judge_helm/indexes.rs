//! Tags that point to an image index.

use oci_chart_core::{
    Digest, Reason,
    chart::{Chart, LoadOptions, PackageOptions},
    name::Selector,
    oci::{Descriptor, Manifest, MediaType},
    store::{Blob, TagMode},
    transfer::PullOptions,
};

use super::{Stage, examples};
use crate::support::say;

/// How often Helm is asked where its answer is a matter of chance.
const REPEATS: usize = 24;

#[test]
fn a_chart_in_an_index_is_the_one_that_helm_finds() {
    const TEST: &str = "a_chart_in_an_index_is_the_one_that_helm_finds";
    let Some(stage) = Stage::set(TEST) else { return };
    let (one, two) = (chart(&stage, "0.9.0"), chart(&stage, "0.8.0"));
    let image = image(&stage);
    let inner = index(&stage, "0.1.0", &[&image, &one]);
    let cases: [(&str, &[&Descriptor], Option<&Descriptor>); 7] = [
        ("1.0.0", &[&one], Some(&one)),
        ("1.0.1", &[&image, &one, &image], Some(&one)),
        ("1.0.2", &[&one, &one], Some(&one)),
        ("1.0.3", &[&image, &inner], Some(&one)),
        ("1.0.4", &[&inner, &one], Some(&one)),
        ("1.0.5", &[&image], None),
        ("1.0.6", &[], None),
    ];
    for (tag, listed, wanted) in cases {
        index(&stage, tag, listed);
        let ours = pull(&stage, tag);
        assert_eq!(ours.as_ref().ok(), wanted.map(|wanted| &wanted.digest), "{tag}");
        for helm in 0..stage.helms.len() {
            let theirs = helm_pull(&stage, helm, tag);
            assert_eq!(theirs.is_some(), wanted.is_some(), "{tag}, {}", stage.helms[helm].display());
            if let Some(theirs) = theirs {
                assert_eq!(theirs, "0.9.0", "{tag}");
            }
        }
    }

    // Of two, Helm takes whichever comes last over its connections; ours says so and names both.
    index(&stage, "2.0.0", &[&one, &two]);
    assert_eq!(pull(&stage, "2.0.0"), Err(Some(Reason::SeveralCharts)));
    let mut answers: Vec<_> = (0..REPEATS).filter_map(|n| helm_pull(&stage, n % 2, "2.0.0")).collect();
    answers.sort();
    answers.dedup();
    assert!(answers.iter().all(|version| ["0.9.0", "0.8.0"].contains(&version.as_str())), "{answers:?}");
    say(&format!("{TEST}: {} indexes alike; of one with two charts Helm took {answers:?}", cases.len()));
}

fn pull(stage: &Stage, tag: &str) -> Result<Digest, Option<Reason>> {
    let selector = Selector::Tag(tag.parse().unwrap());
    let options = PullOptions::without_verification();
    let pulled = stage.client.pull(&stage.location("many/web"), &selector, &options, &mut ());
    pulled.map(|pulled| pulled.descriptor.digest).map_err(|error| error.reason())
}

/// The version of the chart that Helm has pulled, if it has.
fn helm_pull(stage: &Stage, helm: usize, tag: &str) -> Option<String> {
    let folder = tempfile::tempdir_in(stage.sandbox.path()).unwrap();
    let reference = format!("oci://{}/many/web", stage.server.address());
    let to = folder.path().to_str().unwrap();
    let arguments = ["pull", &reference, "--version", tag, "-d", to, "--plain-http"];
    if stage.sandbox.run(&stage.helms[helm], arguments).code != Some(0) {
        return None;
    }
    let file = fs_err::read_dir(to).unwrap().next().unwrap().unwrap().path();
    let chart = Chart::from_path(file, &LoadOptions::default()).unwrap();
    Some(chart.metadata().version.clone())
}

fn chart(stage: &Stage, version: &str) -> Descriptor {
    let chart = Chart::from_path(&examples()[0], &LoadOptions::default()).unwrap();
    let package = chart.package(&PackageOptions::default().with_version(version)).unwrap();
    stage.push(&package, "many/web", TagMode::Create);
    Stage::artifact(&package).manifest().descriptor().clone()
}

fn image(stage: &Stage) -> Descriptor {
    let config = Blob::from_bytes(MediaType::OCI_CONFIG, "{}");
    let image = Manifest::write(config.descriptor(), &[], &Default::default());
    let image = Blob::from_content(image.descriptor().clone(), image.bytes().clone().into());
    for blob in [&config, &image] {
        stage.client.store_blob(&stage.location("many/web"), blob, &[], &mut ()).unwrap();
    }
    image.descriptor().clone()
}

fn index(stage: &Stage, tag: &str, listed: &[&Descriptor]) -> Descriptor {
    let entry = |descriptor: &&Descriptor| {
        let Descriptor { media_type, digest, size, .. } = descriptor;
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
    };
    let listed: Vec<_> = listed.iter().map(entry).collect();
    let (kind, listed) = (MediaType::OCI_INDEX, listed.join(","));
    let text = format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[{listed}]}}"#);
    let index = Blob::from_bytes(MediaType::OCI_INDEX, text);
    let tags = [(tag.parse().unwrap(), TagMode::Create)];
    stage.client.store_blob(&stage.location("many/web"), &index, &tags, &mut ()).unwrap();
    index.descriptor().clone()
}
