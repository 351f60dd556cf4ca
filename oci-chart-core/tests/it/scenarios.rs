//! The parity scenarios (`testkit/scenarios`), through the blocking facade as every binding runs them.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use oci_chart_core::{
    Chart, ChartArtifact, Client, Digest, Error, Location, Package,
    auth::{Credentials, LoginOptions, LoginPlace, StaticCredentials},
    blocking,
    chart::{ChartFile, LoadOptions, PackageOptions, Timestamp},
    name::{ChartVersion, Host, Reference, RepositoryAddress, Selector, Tag, VersionReq},
    oci::{ArtifactOptions, Descriptor},
    store::TagMode,
    transfer::{PullOptions, Pulled, PushOptions},
    trust::{
        Attachment, Format, KeyPolicy, Policy, SignOptions, Signer as _, SigningKey, Tlog, TrustedKey,
        Verified, VerifyOptions,
    },
};
use oci_chart_testkit::{Bearer, Registry};
use serde_json::{Value, json};
use tempfile::TempDir;

#[test]
fn every_scenario_is_answered_as_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testkit/scenarios");
    let mut count = 0;
    for entry in fs_err::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let scenario: Value = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy();
            for store in list(&scenario["stores"]) {
                run(&format!("{name} ({store})"), &store, &scenario);
            }
            if scenario["stores"].is_null() {
                run(&name, "none", &scenario);
            }
            count += 1;
        }
    }
    assert!(count >= 14, "{count} scenarios");
}

fn run(name: &str, store: &str, scenario: &Value) {
    let mut world = World::new(store, scenario);
    for (at, step) in scenario["steps"].as_array().unwrap().iter().enumerate() {
        let at = format!("{name}, step {}: {}", at + 1, step["do"]);
        match (world.step(step), step.get("error")) {
            (Err(error), Some(expected)) => {
                let found = json!({ "kind": error.kind().name(), "reason": error.reason().map(|reason| reason.to_string()) });
                world.compare(&at, &found, expected);
            }
            (Err(error), None) => panic!("{at}: {error:?}"),
            (Ok(found), Some(error)) => panic!("{at}: {found} instead of {error}"),
            (Ok(found), None) => {
                world.compare(&at, &found, &step["expect"]);
                if let Some(name) = step["as"].as_str() {
                    world.results.insert(name.to_owned(), found);
                }
            }
        }
    }
}

/// One store, what steps have left, and the values behind it.
struct World {
    client: blocking::Client,
    location: Option<Location>,
    results: BTreeMap<String, Value>,
    charts: BTreeMap<String, Chart>,
    packages: BTreeMap<String, Package>,
    keys: BTreeMap<String, SigningKey>,
    verified: BTreeMap<String, Verified<Descriptor>>,
    scratch: TempDir,
    _registry: Option<Registry>,
}

impl World {
    fn new(store: &str, scenario: &Value) -> Self {
        let scratch = TempDir::new().unwrap();
        let mut builder = Client::builder();
        let (mut location, mut registry) = (None, None);
        match store {
            "layout" => {
                location =
                    Some(format!("oci-layout:{}", scratch.path().join("store").display()).parse().unwrap());
            }
            "registry" => {
                let started = start(&scenario["registry"]);
                let host = Host::parse(started.host()).unwrap();
                let mut credentials = StaticCredentials::default();
                if let Some(user) = scenario["login"]["user"].as_str() {
                    credentials = credentials
                        .with(host.clone(), Credentials::basic(user, text(&scenario["login"]["password"])));
                }
                builder = builder.plain_http(host).credentials(credentials);
                let address = format!("oci://{}/charts/web", started.host());
                location = Some(RepositoryAddress::parse(&address).unwrap().into());
                registry = Some(started);
            }
            _ => {}
        }
        Self {
            client: blocking::Client::new(builder.build().unwrap()),
            location,
            results: BTreeMap::new(),
            charts: BTreeMap::new(),
            packages: BTreeMap::new(),
            keys: BTreeMap::new(),
            verified: BTreeMap::new(),
            scratch,
            _registry: registry,
        }
    }

    fn step(&mut self, step: &Value) -> Result<Value, Error> {
        let kept = text(&step["as"]).to_owned();
        let (client, host) = (&self.client, &mut ());
        let location = || self.location.as_ref().unwrap();
        let selector = || Selector::parse(&self.resolved(&step["selector"]));
        Ok(match text(&step["do"]) {
            "load" => {
                let chart = Chart::from_dir(self.files(step), &LoadOptions::default())?;
                let metadata = chart.metadata();
                let dependencies: Vec<_> = metadata.dependencies.iter().map(|found| &found.name).collect();
                let readme = chart.readme().map(|file| file.read(1 << 20)).transpose()?;
                let found = json!({
                    "name": metadata.name, "version": metadata.version, "app_version": metadata.app_version,
                    "api_version": metadata.api_version, "dependencies": dependencies,
                    "readme": readme.map(|bytes| String::from_utf8(bytes.into()).unwrap()),
                });
                self.charts.insert(kept, chart);
                found
            }
            "package" => {
                let mut options = PackageOptions::default();
                if let Some(time) = step["time"].as_u64() {
                    options = options.with_time(Timestamp::from_unix(time)?);
                }
                if let Some(version) = step["version"].as_str() {
                    options = options.with_version(version);
                }
                if let Some(version) = step["app_version"].as_str() {
                    options = options.with_app_version(version);
                }
                let package = self.charts[&name(&step["chart"])].package(&options)?;
                let found = json!({ "digest": package.digest().to_string(), "size": package.size(), "file": package.file_name()? });
                self.packages.insert(kept, package);
                found
            }
            "push" => {
                let created = Timestamp::from_unix(step["created"].as_u64().unwrap())?;
                let package = self.packages[&name(&step["package"])].clone();
                let artifact =
                    ChartArtifact::new(package, &ArtifactOptions::default().with_created(created))?;
                let options = PushOptions::default().with_mode(mode(step));
                let pushed = client.push(&artifact, location(), &options, host)?;
                json!({ "digest": pushed.descriptor.digest.to_string(), "tag": pushed.tag.as_str(), "action": pushed.action.as_str() })
            }
            "pull" => {
                let options = PullOptions::without_verification();
                about(&client.pull(location(), &selector()?, &options, host)?)?
            }
            "metadata" => {
                let found = client.fetch_metadata(location(), &selector()?, host)?;
                json!({ "name": found.name, "version": found.version })
            }
            "show" => {
                let options = PullOptions::without_verification();
                let chart = client.pull(location(), &selector()?, &options, host)?.package.chart()?;
                let file = |file: Option<&ChartFile>| {
                    let bytes = file.map(|file| file.read(1 << 20)).transpose()?;
                    Ok::<_, Error>(bytes.map(|bytes| String::from_utf8(bytes.into()).unwrap()))
                };
                let all = chart.values().into_iter().chain(chart.schema());
                let files: Vec<_> = all
                    .chain(chart.templates())
                    .chain(chart.files())
                    .map(|file| file.path().as_str())
                    .collect();
                json!({
                    "name": chart.name(), "values": file(chart.values())?, "readme": file(chart.readme())?,
                    "crds": String::from_utf8(chart.crds_yaml()?).unwrap(), "files": files,
                })
            }
            "key" => {
                let key = SigningKey::generate()?;
                let found = json!({ "algorithm": key.public_key().algorithm() });
                self.keys.insert(kept, key);
                found
            }
            "sign" => {
                let format = match text(&step["format"]) {
                    "bundle" => Format::Bundle,
                    "signature-tag" => Format::SignatureTag,
                    other => panic!("no such format: {other}"),
                };
                let mut options = SignOptions::default().with_formats([format]);
                if let Some(identity) = step["identity"].as_str() {
                    options = options.with_identity(identity);
                }
                let subject = client.resolve(location(), &self.digest(step)?.into(), host)?;
                let key = Arc::new(self.keys[&name(&step["key"])].clone());
                let signed = client.sign(location(), &subject, key, &options, host)?;
                json!({ "digest": signed.subject.digest.to_string(), "kept": signed.kept })
            }
            "verify" => {
                let key = TrustedKey::new(self.keys[&name(&step["key"])].public_key().clone());
                let policy = Policy::Keys(KeyPolicy::new([key], Tlog::IgnoreExplicitly));
                let options = VerifyOptions::default();
                let verified = client.verify(location(), &selector()?, &policy, &options, host)?;
                let found = json!({ "digest": verified.get().digest.to_string(), "outcome": verified.evidence().outcome });
                self.verified.insert(kept, verified);
                found
            }
            "verify-subchart" => {
                let key = self.keys[&name(&step["key"])].public_key().to_pem();
                let secret = json!({ "kind": "Secret", "metadata": { "name": "mine" }, "stringData": { "mine.pub": key } });
                let (secret, name_of_it) = (secret.to_string(), json!({ "name": "mine" }));
                let policy = match step["policy"].as_str() {
                    None => {
                        let object = json!({ "spec": { "verify": { "secretRef": name_of_it } } }).to_string();
                        Policy::from_flux(object.as_bytes(), &[secret.as_bytes()])?
                    }
                    Some("cluster-image-policy") => {
                        let spec = json!({ "authorities": [{ "key": { "secretRef": name_of_it }, "signatureFormat": "bundle" }] });
                        let object = json!({ "kind": "ClusterImagePolicy", "spec": spec }).to_string();
                        Policy::from_cluster_image_policy(object.as_bytes(), &[secret.as_bytes()])?
                    }
                    Some(other) => panic!("no such policy: {other}"),
                };
                let (chart, options) = (&self.charts[&name(&step["chart"])], VerifyOptions::default());
                let verified = client.verify_subchart(chart, location(), &policy, &options, host)?;
                json!({ "digest": verified.get().digest.to_string(), "outcome": verified.evidence().outcome })
            }
            "pull-verified" => {
                let verified = &self.verified[&name(&step["verified"])];
                let pulled = client.pull_verified(location(), verified, client.client().limits(), host)?;
                let mut found = about(&pulled)?;
                found["outcome"] = json!(pulled.evidence.map(|evidence| evidence.outcome));
                found
            }
            "attach" => {
                let subject = client.resolve(location(), &self.digest(step)?.into(), host)?;
                let content = text(&step["text"]).as_bytes().to_vec();
                let attachment = Attachment::new(text(&step["type"]).into(), content);
                let attached = client.attach(location(), &subject, &attachment, host)?;
                json!({ "digest": attached.descriptor.digest.to_string() })
            }
            "tree" => {
                let limits = client.client().limits();
                let tree = client.tree(location(), &selector()?, limits, host)?;
                json!({ "kinds": tree.attached.iter().map(|attached| attached.kind).collect::<Vec<_>>() })
            }
            "login" => {
                let login = Credentials::basic(text(&step["user"]), text(&step["password"]));
                let options = LoginOptions::default().with_place(self.logins());
                json!({ "verified": client.login(&self.registry(), &login, &options, host)?.verified })
            }
            "logout" => {
                let options = LoginOptions::default().with_place(self.logins());
                json!({ "removed": client.logout(&self.registry(), &options, host)?.removed.len() })
            }
            "diagnose" => {
                let found = client.diagnose(location(), host)?;
                let mut states: serde_json::Map<String, Value> = found
                    .findings
                    .iter()
                    .map(|finding| (finding.check.to_string(), json!(finding.status)))
                    .collect();
                states.insert("ok".to_owned(), found.is_ok().into());
                states.into()
            }
            "resolve" => {
                json!({ "digest": client.resolve(location(), &selector()?, host)?.digest.to_string() })
            }
            "tags" => {
                let tags = client.tags(location(), host)?;
                json!({ "tags": tags.iter().map(Tag::as_str).collect::<Vec<_>>() })
            }
            "tag" => {
                let descriptor = client.resolve(location(), &self.digest(step)?.into(), host)?;
                let tag: Tag = text(&step["tag"]).parse()?;
                client.tag(location(), &descriptor, &tag, &mode(step), host)?;
                json!({})
            }
            "exists" => {
                let found = client.resolve(location(), &self.digest(step)?.into(), host);
                json!({ "exists": found.map(|_: Descriptor| true).or_else(absent)? })
            }
            "delete" => {
                client.delete(location(), &selector()?, host)?;
                json!({})
            }
            "reference" => {
                let found = Reference::parse(text(&step["text"]))?;
                let selector = Selector::from_reference(&found, None)?;
                let address = found.address();
                json!({
                    "host": address.host().to_string(), "repository": address.repository().to_string(),
                    "selector": selector.to_string(),
                })
            }
            "matches" => {
                let constraint = VersionReq::parse(text(&step["constraint"]))?;
                json!({ "matches": constraint.matches(&ChartVersion::parse(text(&step["version"]))?) })
            }
            verb => panic!("no such verb: {verb}"),
        })
    }

    fn files(&self, step: &Value) -> std::path::PathBuf {
        let parent = TempDir::new_in(self.scratch.path()).unwrap().keep();
        let chart = parent.join(step["directory"].as_str().unwrap_or("web"));
        for (path, content) in step["files"].as_object().unwrap() {
            let path = chart.join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text(content)).unwrap();
        }
        chart
    }

    /// Where logins are kept.
    fn logins(&self) -> LoginPlace {
        LoginPlace::File(self.scratch.path().join("logins.json"))
    }

    fn registry(&self) -> Host {
        let Some(Location::Registry(address)) = &self.location else { panic!("no registry") };
        address.host().clone()
    }

    fn digest(&self, step: &Value) -> Result<Digest, Error> {
        Ok(self.resolved(&step["digest"]).parse()?)
    }

    /// A member of an earlier result, or the text itself.
    fn resolved(&self, value: &Value) -> String {
        let plain = text(value);
        let Some((kept, member)) = plain.strip_prefix('$').and_then(|rest| rest.split_once('.')) else {
            return plain.to_owned();
        };
        text(&self.results[kept][member]).to_owned()
    }

    fn compare(&self, at: &str, found: &Value, expected: &Value) {
        for (member, expected) in expected.as_object().into_iter().flatten() {
            let expected =
                if expected.is_string() { Value::from(self.resolved(expected)) } else { expected.clone() };
            assert_eq!(found[member], expected, "{at}: {member} of {found}");
        }
    }
}

/// What was pulled.
fn about(pulled: &Pulled) -> Result<Value, Error> {
    let metadata = pulled.package.metadata()?;
    Ok(json!({
        "digest": pulled.descriptor.digest.to_string(), "package": pulled.package.digest().to_string(),
        "name": metadata.name, "version": metadata.version,
    }))
}

fn start(options: &Value) -> Registry {
    let (user, password) = (text(&options["user"]), text(&options["password"]));
    let builder = match text(&options["auth"]) {
        "basic" => Registry::builder().basic_auth(user, password),
        "bearer" => Registry::builder().bearer_auth(Bearer::new(user, password)),
        _ => Registry::builder(),
    };
    builder.start_blocking().unwrap()
}

fn mode(step: &Value) -> TagMode {
    match text(&step["mode"]) {
        "ensure" => TagMode::Ensure,
        "replace" => TagMode::Replace,
        _ => TagMode::Create,
    }
}

fn absent(error: Error) -> Result<bool, Error> {
    if error.kind() == oci_chart_core::ErrorKind::NotFound { Ok(false) } else { Err(error) }
}

fn name(value: &Value) -> String {
    text(value).trim_start_matches('$').to_owned()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|entry| text(entry).to_owned()).collect()
}
