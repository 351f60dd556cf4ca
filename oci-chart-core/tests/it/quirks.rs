//! Real registries by their quirks: each bites who does the naive thing, and does not bite us.

mod hub;
mod lists;
mod login;
mod reading;
mod recorded;
mod rules;
mod uploads;

use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt as _;
use oci_chart_core::{
    Chart, ChartArtifact, Context, Error, Result,
    auth::{Credentials, StaticCredentials},
    chart::{LoadOptions, PackageOptions},
    name::{Host, Selector, Tag},
    oci::{ArtifactOptions, Descriptor, MediaType},
    store::{Blob, ConnectionOptions, Registries, Repository, RepositoryOptions, Store, TagMode},
    transfer::{self, Action, PullOptions, Pulled, PushOptions},
};
use oci_chart_testkit::{Bearer, Bite, Builder, Profile, Quirk, Registry, raw};

use crate::{
    contract,
    remote::{block, host, open},
};

const REPOSITORY: &str = "charts/web";

/// A registry that behaves as this one does, and a client of it.
struct Stage {
    profile: Profile,
    registry: Registry,
}

impl Stage {
    fn of(profile: Profile) -> Self {
        Self::with(profile, |builder| builder)
    }

    fn with(profile: Profile, more: impl FnOnce(Builder) -> Builder) -> Self {
        let registry = more(Registry::builder().profile(profile)).start_blocking().unwrap();
        Self { profile, registry }
    }

    /// A client that has learnt nothing yet.
    fn client(&self) -> Registries {
        self.client_as(self.login())
    }

    fn login(&self) -> Option<Credentials> {
        self.profile.login().map(|(user, password)| Credentials::basic(user, password))
    }

    fn client_as(&self, who: Option<Credentials>) -> Registries {
        self.client_of(who, RepositoryOptions::default())
    }

    fn client_of(&self, who: Option<Credentials>, repositories: RepositoryOptions) -> Registries {
        let mut credentials = StaticCredentials::default();
        if let Some(who) = who {
            credentials = credentials.with(self.host(), who);
        }
        let options = ConnectionOptions::default().with_plain_http(self.host());
        Registries::with_options(options, repositories, credentials).unwrap()
    }

    fn host(&self) -> Host {
        host(&self.registry)
    }

    fn repository(&self, name: &str) -> Repository {
        open(&self.client(), &self.registry, name)
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.repository(REPOSITORY))
    }

    /// The naive request, with the right credentials and nothing else.
    fn send(&self, ask: raw::Ask<'_>) -> raw::Answer {
        let ask = match self.token("pull,push") {
            Some(header) => ask.header("authorization", header),
            None => ask,
        };
        ask.send(self.registry.host())
    }

    /// What `Authorization` has to say for these actions.
    fn token(&self, actions: &str) -> Option<String> {
        let (user, password) = self.profile.login()?;
        let challenge = raw::ask("GET", "/v2/").send(self.registry.host());
        let challenge = challenge.header("www-authenticate").unwrap().to_owned();
        let realm = challenge.split('"').nth(1).unwrap();
        if challenge.starts_with("Basic") {
            return Some(raw::basic(user, password));
        }
        let target = format!("{realm}?scope=repository:{REPOSITORY}:{actions}");
        let answer = raw::ask("GET", target).login(user, password).send("");
        let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let token = ["token", "access_token"].iter().find_map(|name| answer[name].as_str());
        Some(format!("Bearer {}", token.unwrap()))
    }

    fn bites(&self) -> Vec<Quirk> {
        self.registry.bites().iter().map(|bite| bite.quirk).collect()
    }

    /// That this registry has the quirk, and that it bites who does `naive`.
    fn bites_who(&self, quirk: Quirk, naive: impl FnOnce()) {
        assert!(self.profile.quirks().contains(&quirk), "{} has no {quirk:?}", self.profile);
        let before = self.bites();
        naive();
        assert_eq!(self.bites()[before.len()..], [quirk], "{}: not the naive thing", self.profile);
    }

    /// That nothing has bitten since `before`.
    fn unbitten(&self, before: &[Bite]) {
        assert_eq!(self.registry.bites(), before, "{}", self.profile);
    }
}

/// The chart `web` in this version.
fn artifact(version: &str) -> ChartArtifact {
    let directory = tempfile::tempdir().unwrap();
    let metadata = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    fs_err::write(directory.path().join("Chart.yaml"), metadata).unwrap();
    let chart = Chart::from_path(directory.path(), &LoadOptions::default()).unwrap();
    let package = chart.package(&PackageOptions::default()).unwrap();
    ChartArtifact::new(package, &ArtifactOptions::default()).unwrap()
}

fn push(store: &Arc<dyn Store>, version: &str) -> Result<Action> {
    push_with(store, version, TagMode::Ensure)
}

fn push_with(store: &Arc<dyn Store>, version: &str, mode: TagMode) -> Result<Action> {
    let options = PushOptions::default().with_mode(mode);
    let pushed = block(transfer::push(&Context::default(), &artifact(version), store, &options))?;
    Ok(pushed.action)
}

fn pull(store: &Arc<dyn Store>, version: &str) -> Result<Pulled> {
    let options = PullOptions::without_verification();
    block(transfer::pull(&Context::default(), store, &tag(version), &options))
}

fn tag(text: &str) -> Selector {
    Selector::Tag(text.parse().unwrap())
}

fn tags(store: &dyn Store) -> Result<Vec<Tag>> {
    block(store.tags().try_collect())
}

fn blob(bytes: impl Into<bytes::Bytes>) -> Blob {
    Blob::from_bytes("application/octet-stream".into(), bytes)
}

/// A manifest that refers to `subject`; its only blob is pushed first.
fn referrer(store: &dyn Store, subject: &Descriptor) -> Result<Descriptor, Error> {
    let config = Blob::from_bytes(MediaType::EMPTY_JSON, "{}");
    block(store.push(&config, &[]))?;
    let mention = |descriptor: &Descriptor| {
        let Descriptor { media_type, digest, size, .. } = descriptor;
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
    };
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","artifactType":"application/vnd.example.thing","config":{},"layers":[],"subject":{}}}"#,
        MediaType::OCI_MANIFEST,
        mention(config.descriptor()),
        mention(subject),
    );
    let blob = Blob::from_bytes(MediaType::OCI_MANIFEST, text);
    block(store.push(&blob, &[]))?;
    Ok(blob.descriptor().clone())
}

#[test]
fn every_registry_takes_a_chart_and_gives_it_back() {
    for profile in Profile::ALL {
        let stage = Stage::of(*profile);
        let step = |what: &str| format!("{profile}, {what}");
        assert_eq!(push(&stage.store(), "1.0.0").expect(&step("push")), Action::Pushed);
        assert_eq!(push(&stage.store(), "1.0.0").expect(&step("again")), Action::Unchanged);
        let pulled = pull(&stage.store(), "1.0.0").expect(&step("pull"));
        assert_eq!(pulled.package.digest(), artifact("1.0.0").package().digest(), "{profile}");
        let store = stage.store();
        assert_eq!(tags(&*store).expect(&step("tags")), ["1.0.0".parse::<Tag>().unwrap()], "{profile}");
        let attached = referrer(&*store, &pulled.descriptor).expect(&step("attach"));
        let found: Vec<Descriptor> =
            block(store.referrers(&pulled.descriptor).try_collect()).expect(&step("referrers"));
        assert_eq!(
            found.iter().map(|found| &found.digest).collect::<Vec<_>>(),
            [&attached.digest],
            "{profile}"
        );

        stage.unbitten(&[]);
        assert_eq!((stage.registry.open_uploads(), stage.registry.leaked_credentials()), (0, 0), "{profile}");
        for exchange in stage.registry.log().entries() {
            assert!(exchange.header("cookie").is_none(), "{profile}: {}", exchange.line());
        }
    }
}

#[test]
fn the_contract_holds_on_every_registry() {
    // Of those that delete no tags, that mount nothing, and that know no blob without bytes.
    for profile in Profile::ALL {
        let cannot: &[&str] = match profile {
            Profile::Harbor | Profile::Registry2 => {
                &["tags_are_deleted", "deleting_what_is_not_there_is_not_found"]
            }
            Profile::Ecr | Profile::EcrPublic => &["pushing_again_sends_nothing"],
            Profile::Gar => &["an_empty_blob_is_content"],
            _ => &[],
        };
        let kept = Mutex::new(Vec::new());
        contract::run(profile.name(), cannot, |behaviour| {
            // Of a manifest whose length nobody knows before it is there, no descriptor can be told.
            let stage = Stage::with(*profile, |builder| match profile {
                // With the right to delete.
                Profile::Harbor => builder
                    .without_quirk(Quirk::HeadLengthDiffers)
                    .bearer_auth(Bearer::new("robot$charts+ci", "hunter2")),
                _ => builder,
            });
            let store: Arc<dyn Store> =
                Arc::new(stage.repository(&format!("charts/{}", behaviour.replace('_', "-"))));
            kept.lock().unwrap().push(stage);
            store
        });
        for stage in kept.into_inner().unwrap() {
            let bites: Vec<_> =
                stage.bites().into_iter().filter(|quirk| *quirk != Quirk::NoEmptyBlobs).collect();
            assert_eq!(bites, [], "{profile}: {:#?}", stage.registry.bites());
        }
    }
}

#[test]
fn every_quirk_of_every_registry_has_a_test() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/quirks");
    let files = fs_err::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    let text: String = files.map(|file| fs_err::read_to_string(file).unwrap()).collect();
    for quirk in Quirk::ALL {
        assert!(text.contains(&format!("Quirk::{quirk:?}")), "no test names {quirk:?}");
        let someone = Profile::ALL.iter().any(|profile| profile.quirks().contains(quirk));
        assert!(someone, "no registry does {quirk:?}");
    }
}
