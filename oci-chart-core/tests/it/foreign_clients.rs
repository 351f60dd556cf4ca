//! Charts to and from clients that nobody here wrote: crane, regctl, skopeo and a program over oras-go, in both directions, over
//! our own registry and over three real ones.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::TryStreamExt as _;
use oci_chart_core::{
    Chart, ChartArtifact, Client, Location, blocking,
    chart::{LoadOptions, PackageOptions},
    name::{Host, Selector, Tag},
    oci::{ArtifactOptions, Descriptor, MediaType},
    store::{Blob, Store, TagMode},
    transfer::{PullOptions, PushOptions},
};
use oci_chart_testkit::{Bearer, Registry};

use crate::{
    remote::block,
    support::{
        process::Sandbox,
        say,
        servers::{Guards, Kind, Server},
        tools::judge,
    },
};

const VERSION: &str = "1.2.3";
const THING: &str = "application/vnd.example.thing";

/// The programs, and a place for their files.
struct Clients {
    crane: PathBuf,
    regctl: PathBuf,
    skopeo: PathBuf,
    orasgo: PathBuf,
    sandbox: Sandbox,
}

impl Clients {
    fn find(test: &str) -> Option<Self> {
        let (crane, regctl) = (judge(test, "crane")?, judge(test, "regctl")?);
        let (skopeo, orasgo) = (judge(test, "skopeo")?, judge(test, "orasgo")?);
        Some(Self { crane, regctl, skopeo, orasgo, sandbox: Sandbox::new() })
    }

    fn run<A: AsRef<OsStr>>(&self, program: &Path, arguments: impl IntoIterator<Item = A>) -> String {
        self.sandbox.run(program, arguments).success()
    }

    fn crane(&self, arguments: &[&str]) -> String {
        self.run(&self.crane, ["--insecure"].iter().chain(arguments))
    }

    fn regctl(&self, arguments: &[&str]) -> String {
        self.run(&self.regctl, arguments)
    }

    fn skopeo(&self, arguments: &[&str]) -> String {
        self.run(&self.skopeo, ["--insecure-policy"].iter().chain(arguments))
    }

    fn orasgo(&self, arguments: &[&str]) -> String {
        self.run(&self.orasgo, arguments).trim_end().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.sandbox.path().join(name).to_str().unwrap().to_owned()
    }
}

/// A registry under one name.
struct Home<'a> {
    name: &'a str,
    address: &'a str,
    client: blocking::Client,
    async_client: Client,
}

impl<'a> Home<'a> {
    fn new(name: &'a str, address: &'a str) -> Self {
        let client = Client::builder().plain_http(Host::parse(address).unwrap()).build().unwrap();
        Self { name, address, client: blocking::Client::new(client.clone()), async_client: client }
    }

    fn location(&self, folder: &str) -> Location {
        format!("oci://{}/{folder}/web", self.address).parse().unwrap()
    }

    /// As the others write it.
    fn image(&self, folder: &str) -> String {
        format!("{}/{folder}/web:{VERSION}", self.address)
    }

    fn store(&self, folder: &str) -> Arc<dyn Store> {
        self.async_client.open(&self.location(folder)).unwrap()
    }

    /// The manifest's and the package's digest of what we pull.
    fn pulled(&self, folder: &str) -> (String, String) {
        let selector = Selector::for_version(VERSION).unwrap();
        let options = PullOptions::without_verification();
        let pulled = self.client.pull(&self.location(folder), &selector, &options, &mut ());
        let pulled = pulled.unwrap_or_else(|error| panic!("{}, {folder}: {error:?}", self.name));
        (pulled.descriptor.digest.to_string(), pulled.package.digest().to_string())
    }

    /// Artifact types and digests of what refers to the chart.
    fn referrers(&self, folder: &str) -> Vec<(String, String)> {
        let store = self.store(folder);
        let found: Vec<Descriptor> = block(async {
            let subject = store.resolve(&Selector::for_version(VERSION).unwrap()).await.unwrap();
            store.referrers(&subject).try_collect().await.unwrap()
        });
        let mut found: Vec<_> = found
            .into_iter()
            .map(|found| {
                (
                    found.artifact_type.map(|kind| kind.to_string()).unwrap_or_default(),
                    found.digest.to_string(),
                )
            })
            .collect();
        found.sort();
        found
    }
}

/// Every registry in turn, by name and address.
fn everywhere(test: &str, work: impl Fn(&Clients, &Home<'_>)) {
    let Some(clients) = Clients::find(test) else { return };
    let ours = Registry::start().unwrap();
    let at = |name: &str, address: &str| {
        clients.regctl(&["registry", "set", address, "--tls", "disabled"]);
        work(&clients, &Home::new(name, address));
        say(&format!("{test}: {name}"));
    };
    at("testkit", ours.host());
    for kind in Kind::ALL {
        let Some(server) = Server::start(test, kind, Guards::default()) else { return };
        at(&format!("{kind:?}"), server.address());
    }
}

fn artifact(directory: &Path) -> ChartArtifact {
    let chart = directory.join("web");
    fs_err::create_dir_all(chart.join("templates")).unwrap();
    let metadata = format!("apiVersion: v2\nname: web\nversion: {VERSION}\ndescription: a < b & c\n");
    fs_err::write(chart.join("Chart.yaml"), metadata).unwrap();
    fs_err::write(chart.join("templates/a.yaml"), "a: 1\n").unwrap();
    let chart = Chart::from_dir(&chart, &LoadOptions::default()).unwrap();
    let package = chart.package(&PackageOptions::default()).unwrap();
    ChartArtifact::new(package, &ArtifactOptions::default()).unwrap()
}

#[test]
fn others_read_what_we_push() {
    everywhere("others_read_what_we_push", |clients, home| {
        let artifact = artifact(clients.sandbox.path());
        let package = artifact.package().content().read(u64::MAX).unwrap();
        let pushed =
            home.client.push(&artifact, &home.location("ours"), &PushOptions::default(), &mut ()).unwrap();
        let digest = pushed.descriptor.digest.to_string();
        let image = home.image("ours");
        let repository = format!("{}/ours/web", home.address);
        let layer = format!("{repository}@{}", artifact.package().digest());

        for (who, tags) in [
            ("crane", clients.crane(&["ls", &repository])),
            ("regctl", clients.regctl(&["tag", "ls", &repository])),
            ("orasgo", clients.orasgo(&["list", &repository])),
        ] {
            assert_eq!(tags.trim(), VERSION, "{} {who}", home.name);
        }
        let listed = clients.skopeo(&["list-tags", "--tls-verify=false", &format!("docker://{repository}")]);
        assert!(listed.contains(&format!("\"{VERSION}\"")), "{}: {listed}", home.name);

        // What these print is bytes, which the sandbox reads as text: the manifest's digest stands for those that are none.
        assert_eq!(clients.crane(&["digest", &image]).trim(), digest);
        assert_eq!(clients.regctl(&["image", "digest", &image]).trim(), digest);
        let raw = clients.skopeo(&["inspect", "--raw", "--tls-verify=false", &format!("docker://{image}")]);
        assert_eq!(raw.as_bytes(), artifact.manifest().bytes(), "{}", home.name);

        let file = clients.path("pulled.tgz");
        assert_eq!(clients.orasgo(&["pull", &image, &file]), digest);
        assert_eq!(fs_err::read(&file).unwrap(), package, "{}", home.name);
        let shell = judge_shell(
            clients,
            &[clients.crane.to_str().unwrap(), "--insecure", "blob", &layer],
            "crane.tgz",
        );
        assert_eq!(shell, package, "{} crane", home.name);
        let shell = judge_shell(
            clients,
            &[clients.regctl.to_str().unwrap(), "artifact", "get", &image],
            "regctl.tgz",
        );
        assert_eq!(shell, package, "{} regctl", home.name);

        let layout = clients.path(&format!("skopeo-{}", home.name));
        let (from, to) = (format!("docker://{image}"), format!("oci:{layout}:{VERSION}"));
        clients.skopeo(&["copy", "--src-tls-verify=false", &from, &to]);
        let location: Location = format!("oci-layout:{layout}").parse().unwrap();
        let selector = Selector::for_version(VERSION).unwrap();
        let pulled =
            home.client.pull(&location, &selector, &PullOptions::without_verification(), &mut ()).unwrap();
        assert_eq!(pulled.descriptor.digest.to_string(), digest, "{} skopeo", home.name);
    });
}

/// Runs a program with its output in a file, since it is no text.
fn judge_shell(clients: &Clients, arguments: &[&str], file: &str) -> Vec<u8> {
    let (program, arguments) = arguments.split_first().unwrap();
    let place = clients.sandbox.path().join(file);
    let output = fs_err::File::create(&place).unwrap().into_parts().0;
    let mut command = clients.sandbox.command(Path::new(program));
    assert!(command.args(arguments).stdout(output).status().unwrap().success(), "{program} {arguments:?}");
    fs_err::read(place).unwrap()
}

#[test]
fn we_read_what_others_push() {
    everywhere("we_read_what_others_push", |clients, home| {
        let artifact = artifact(clients.sandbox.path());
        let package = artifact.package().digest().to_string();
        let layout = clients.path(&format!("layout-{}", home.name));
        let location: Location = format!("oci-layout:{layout}").parse().unwrap();
        let pushed = home.client.push(&artifact, &location, &PushOptions::default(), &mut ()).unwrap();
        let expected = (pushed.descriptor.digest.to_string(), package.clone());

        clients.crane(&["push", &layout, &home.image("crane")]);
        clients.regctl(&["image", "copy", &format!("ocidir://{layout}:{VERSION}"), &home.image("regctl")]);
        let (from, to) = (format!("oci:{layout}:{VERSION}"), format!("docker://{}", home.image("skopeo")));
        clients.skopeo(&["copy", "--dest-tls-verify=false", &from, &to]);
        for folder in ["crane", "regctl", "skopeo"] {
            assert_eq!(home.pulled(folder), expected, "{} {folder}", home.name);
        }

        // These write a manifest of their own over our content.
        let (chart, config) = (clients.path("chart.tgz"), clients.path("config.json"));
        fs_err::write(&chart, artifact.package().content().read(u64::MAX).unwrap()).unwrap();
        fs_err::write(&config, artifact.config().1).unwrap();
        let digest = clients.orasgo(&["push", &home.image("orasgo"), &chart, &config]);
        assert_eq!(home.pulled("orasgo"), (digest.clone(), package.clone()), "{} orasgo", home.name);
        let arguments = [
            "artifact",
            "put",
            &home.image("artifact"),
            "--config-type",
            MediaType::HELM_CONFIG.as_str(),
            "--config-file",
            &config,
            "--file-media-type",
            MediaType::HELM_CHART.as_str(),
            "--file",
            &chart,
        ];
        clients.regctl(&arguments);
        assert_eq!(home.pulled("artifact").1, package, "{} regctl artifact", home.name);
        // And what is there is known to be.
        let options = PushOptions::default().with_mode(TagMode::Ensure);
        let again = home.client.push(&artifact, &home.location("crane"), &options, &mut ()).unwrap();
        assert_eq!(again.action, oci_chart_core::transfer::Action::Unchanged, "{}", home.name);
    });
}

#[test]
fn what_is_attached_is_found_by_all() {
    everywhere("what_is_attached_is_found_by_all", |clients, home| {
        let artifact = artifact(clients.sandbox.path());
        home.client.push(&artifact, &home.location("ours"), &PushOptions::default(), &mut ()).unwrap();
        let ours = attach(home, "ours");
        let theirs = clients.orasgo(&["attach", &home.image("ours"), THING, "theirs"]);
        clients.regctl(&[
            "artifact",
            "put",
            "--subject",
            &home.image("ours"),
            "--artifact-type",
            "application/vnd.example.other",
            "--file",
            &small_file(clients),
        ]);
        let found = home.referrers("ours");
        assert_eq!(found.len(), 3, "{}: {found:?}", home.name);
        for (digest, who) in [(&ours, "ours"), (&theirs, "orasgo's")] {
            // go-containerregistry's registry names the type of the configuration, as an older text of the specification had it.
            let kind = |kind: &str| kind == THING || home.name == "Referrers";
            assert!(
                found.iter().any(|(own, found)| kind(own) && found == digest),
                "{} {who}: {found:?}",
                home.name
            );
        }
        let listed = clients.orasgo(&["referrers", &home.image("ours")]);
        let regctl = clients.regctl(&["artifact", "list", &home.image("ours"), "--format", "{{json .}}"]);
        for (_, digest) in &found {
            assert!(listed.contains(digest) && regctl.contains(digest), "{}: {listed}\n{regctl}", home.name);
        }

        clients.orasgo(&["copy", &home.image("ours"), &home.image("copy")]);
        assert_eq!(home.pulled("copy"), home.pulled("ours"), "{}", home.name);
        assert_eq!(home.referrers("copy"), found, "{}", home.name);
    });
}

fn small_file(clients: &Clients) -> String {
    let file = clients.path("small.txt");
    fs_err::write(&file, "regctl's").unwrap();
    file
}

/// Attaches a manifest of ours to the chart.
fn attach(home: &Home<'_>, folder: &str) -> String {
    let store = home.store(folder);
    let config = Blob::from_bytes(MediaType::EMPTY_JSON, "{}");
    block(async {
        let subject = store.resolve(&Selector::for_version(VERSION).unwrap()).await.unwrap();
        store.push(&config, &[]).await.unwrap();
        let mention = |descriptor: &Descriptor| {
            let Descriptor { media_type, digest, size, .. } = descriptor;
            format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
        };
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","artifactType":"{THING}","config":{},"layers":[],"subject":{}}}"#,
            MediaType::OCI_MANIFEST,
            mention(config.descriptor()),
            mention(&subject),
        );
        let blob = Blob::from_bytes(MediaType::OCI_MANIFEST, text);
        store.push(&blob, &[]).await.unwrap();
        blob.descriptor().digest.to_string()
    })
}

#[test]
fn oras_go_logs_in_where_we_do() {
    const TEST: &str = "oras_go_logs_in_where_we_do";
    let Some(clients) = Clients::find(TEST) else { return };
    for bearer in [false, true] {
        let builder = Registry::builder();
        let builder = if bearer {
            builder.bearer_auth(Bearer::new("robot", "hunter2"))
        } else {
            builder.basic_auth("robot", "hunter2")
        };
        let registry = builder.start_blocking().unwrap();
        let login = crate::remote::login(&registry);
        let client =
            Client::builder().plain_http(crate::remote::host(&registry)).credentials(login).build().unwrap();
        let client = blocking::Client::new(client);
        let artifact = artifact(clients.sandbox.path());
        let location: Location = format!("oci://{}/ours/web", registry.host()).parse().unwrap();
        let pushed = client.push(&artifact, &location, &PushOptions::default(), &mut ()).unwrap();
        let mut orasgo = clients.sandbox.command(&clients.orasgo);
        orasgo.env("ORASGO_USER", "robot").env("ORASGO_PASSWORD", "hunter2");
        let image = format!("{}/ours/web:{VERSION}", registry.host());
        let output = orasgo.args(["pull", &image, &clients.path("login.tgz")]).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            pushed.descriptor.digest.to_string(),
            "{output:?}"
        );
        let tags: Vec<Tag> = block(
            crate::remote::open(
                &crate::remote::registries(&registry, crate::remote::login(&registry)),
                &registry,
                "ours/web",
            )
            .tags()
            .try_collect(),
        )
        .unwrap();
        assert_eq!(tags.len(), 1);
    }
}
