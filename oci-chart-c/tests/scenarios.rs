//! The parity scenarios (oci-chart-core/testkit/scenarios) through the C functions: what every language answers alike.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{collections::BTreeMap, path::Path, ptr};

use oci_chart::*;
use oci_chart_testkit::{Bearer, Registry};
use serde_json::{Value, json};
use support::{
    Chart, Failure, Library, Package, Pulled, Signer, Verified, bytes, c, checked, document, given,
};
use tempfile::TempDir;

#[test]
fn every_scenario_is_answered_as_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../oci-chart-core/testkit/scenarios");
    let mut count = 0;
    for entry in fs_err::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let scenario: Value = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy();
        let stores = scenario["stores"].as_array().cloned().unwrap_or_else(|| vec!["none".into()]);
        for store in &stores {
            run(&format!("{name} ({store})"), store.as_str().unwrap(), &scenario);
            count += 1;
        }
    }
    assert!(count >= 12, "{count} scenarios");
}

fn run(name: &str, store: &str, scenario: &Value) {
    let mut world = World::new(store, scenario);
    for (at, step) in scenario["steps"].as_array().unwrap().iter().enumerate() {
        let at = format!("{name}, step {}: {}", at + 1, step["do"]);
        match (world.step(step), step.get("error")) {
            (Err(failure), Some(expected)) => {
                let found: Value = serde_json::from_str(&failure.json).unwrap();
                world.compare(&at, &found, expected);
            }
            (Err(failure), None) => panic!("{at}: {failure:?}"),
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

struct World {
    library: Library,
    /// What a push is given, and what everything else is.
    base: String,
    target: String,
    host: String,
    results: BTreeMap<String, Value>,
    charts: BTreeMap<String, Chart>,
    packages: BTreeMap<String, Package>,
    keys: BTreeMap<String, Signer>,
    verified: BTreeMap<String, Verified>,
    scratch: TempDir,
    _registry: Option<Registry>,
}

impl World {
    fn new(store: &str, scenario: &Value) -> Self {
        let scratch = TempDir::new().unwrap();
        let (mut base, mut target, mut registry, mut host) = Default::default();
        match store {
            "layout" => {
                base = format!("oci-layout:{}", scratch.path().join("store").display());
                target = base.clone();
            }
            "registry" => {
                let started = start(&scenario["registry"]);
                host = started.host().to_owned();
                base = format!("oci://{host}/charts");
                target = format!("{base}/web");
                registry = Some(started);
            }
            _ => {}
        }
        let library = Library::new(|options| {
            if registry.is_none() {
                return;
            }
            support::plain_http(options, &host);
            if let Some(user) = scenario["login"]["user"].as_str() {
                let (host, user, password) = (c(&host), c(user), c(text(&scenario["login"]["password"])));
                // SAFETY: good arguments.
                checked(|err| unsafe {
                    let (user, password) = (user.as_ptr(), password.as_ptr());
                    oci_chart_client_options_add_login(options, host.as_ptr(), user, password, err)
                })
                .unwrap();
            }
        });
        let (results, charts, packages, keys, verified) = Default::default();
        Self {
            library,
            base,
            target,
            host,
            results,
            charts,
            packages,
            keys,
            verified,
            scratch,
            _registry: registry,
        }
    }

    fn step(&mut self, step: &Value) -> Result<Value, Failure> {
        let kept = text(&step["as"]).to_owned();
        let client = self.library.0;
        let (none, nobody) = (ptr::null(), ptr::null());
        match text(&step["do"]) {
            "load" => {
                let chart = Chart::load(&self.files(step))?;
                // SAFETY: good arguments, here and below.
                let metadata = unsafe { support::text(oci_chart_chart_get_metadata(chart.0)) };
                let metadata: Value = serde_json::from_str(&metadata).unwrap();
                let readme = bytes(|out, err| unsafe { oci_chart_chart_get_readme(chart.0, out, err) })?;
                let names = metadata["dependencies"].as_array().cloned().unwrap_or_default();
                let names: Vec<_> = names.iter().map(|dependency| dependency["name"].clone()).collect();
                self.charts.insert(kept, chart);
                Ok(json!({
                    "name": metadata["name"], "version": metadata["version"], "app_version": metadata["appVersion"],
                    "api_version": metadata["apiVersion"], "dependencies": names, "readme": readme.map(utf8),
                }))
            }
            "package" => {
                let texts = ["version", "app_version"].map(|name| step[name].as_str().map(c));
                let [version, app_version] = texts.each_ref().map(support::text_or_null);
                let mut options = oci_chart_package_options { version, app_version, ..Default::default() };
                if let Some(time) = step["time"].as_u64() {
                    (options.time, options.flags) = (time, OCI_CHART_PACKAGE_TIME);
                }
                let package = self.charts[name(&step["chart"])].package(&options)?;
                let file = given(|out, err| unsafe { oci_chart_package_get_file_name(package.0, out, err) })?;
                let size = unsafe { oci_chart_package_get_size(package.0) };
                let found = json!({ "digest": package.digest(), "size": size, "file": file });
                self.packages.insert(kept, package);
                Ok(found)
            }
            "push" => {
                let options = oci_chart_push_options {
                    mode: mode(step),
                    flags: OCI_CHART_PUSH_CREATED,
                    created: step["created"].as_u64().unwrap(),
                    ..Default::default()
                };
                let pushed = self.library.push(
                    &self.packages[name(&step["package"])],
                    &self.base,
                    Some(&options),
                    None,
                )?;
                Ok(
                    json!({ "digest": pushed["descriptor"]["digest"], "tag": pushed["tag"], "action": pushed["action"] }),
                )
            }
            "pull" | "show" => {
                let flags = OCI_CHART_PULL_WITHOUT_VERIFICATION;
                let options = oci_chart_pull_options { flags, ..Default::default() };
                let (target, version) = self.meant(step, "selector");
                let pulled = self.library.pull(&target, version.as_deref(), &raw const options)?;
                if text(&step["do"]) == "show" { show(&pulled.package()) } else { about(&pulled) }
            }
            "metadata" => {
                let (target, version) = self.c_meant(step, "selector");
                let version = support::text_or_null(&version);
                document(|out, err| unsafe {
                    oci_chart_client_fetch_metadata(client, target.as_ptr(), version, nobody, out, err)
                })
            }
            "resolve" => {
                let (target, version) = self.c_meant(step, "selector");
                let version = support::text_or_null(&version);
                document(|out, err| unsafe {
                    oci_chart_client_resolve(client, target.as_ptr(), version, nobody, out, err)
                })
            }
            "tags" => {
                let tags: Value = serde_json::from_str(&self.library.tags(&self.target, None)?).unwrap();
                Ok(json!({ "tags": tags }))
            }
            "tag" => {
                let ((target, _), tag) = (self.c_meant(step, "digest"), c(text(&step["tag"])));
                checked(|err| unsafe {
                    oci_chart_client_tag(
                        client,
                        target.as_ptr(),
                        none,
                        tag.as_ptr(),
                        mode(step),
                        none,
                        nobody,
                        err,
                    )
                })?;
                Ok(json!({}))
            }
            "exists" => {
                let (target, _) = self.c_meant(step, "digest");
                let mut out = -1;
                checked(|err| unsafe {
                    oci_chart_client_exists(client, target.as_ptr(), none, nobody, &raw mut out, err)
                })?;
                Ok(json!({ "exists": out == 1 }))
            }
            "delete" => {
                let (target, version) = self.c_meant(step, "selector");
                let version = support::text_or_null(&version);
                checked(|err| unsafe {
                    oci_chart_client_delete(client, target.as_ptr(), version, nobody, err)
                })?;
                Ok(json!({}))
            }
            "key" => {
                let mut signer = ptr::null_mut();
                checked(|err| unsafe { oci_chart_signer_generate(&raw mut signer, err) })?;
                let signer = Signer(signer);
                let algorithm = unsafe { support::text(oci_chart_signer_get_algorithm(signer.0)) };
                self.keys.insert(kept, signer);
                Ok(json!({ "algorithm": algorithm }))
            }
            "sign" => {
                let flags = match text(&step["format"]) {
                    "bundle" => OCI_CHART_SIGN_BUNDLE,
                    "signature-tag" => OCI_CHART_SIGN_TAG,
                    other => panic!("no such format: {other}"),
                };
                let identity = step["identity"].as_str().map(c);
                let identity = support::text_or_null(&identity);
                let options = oci_chart_sign_options { flags, identity, ..Default::default() };
                let ((target, _), key) = (self.c_meant(step, "digest"), self.keys[name(&step["key"])].0);
                let signed = document(|out, err| unsafe {
                    oci_chart_client_sign(
                        client,
                        target.as_ptr(),
                        none,
                        key,
                        &raw const options,
                        nobody,
                        out,
                        err,
                    )
                })?;
                Ok(json!({ "digest": signed["subject"]["digest"], "kept": signed["kept"] }))
            }
            "verify" => {
                let key = self.keys[name(&step["key"])].0;
                let key = unsafe { support::text(oci_chart_signer_get_public_key(key)) };
                let policy =
                    c(&json!({ "keys": { "keys": [{ "key": key }], "tlog": "ignore-explicitly" } })
                        .to_string());
                let (target, version) = self.meant(step, "selector");
                let verified = self.library.verify(&target, version.as_deref(), &policy, None)?;
                let found = json!({ "digest": verified.digest(), "outcome": verified.evidence()["outcome"] });
                self.verified.insert(kept, verified);
                Ok(found)
            }
            "verify-subchart" => {
                let key = self.keys[name(&step["key"])].0;
                let key = unsafe { support::text(oci_chart_signer_get_public_key(key)) };
                let secret = json!({ "kind": "Secret", "metadata": { "name": "mine" }, "stringData": { "mine.pub": key } });
                let secrets = c(&json!([secret.to_string()]).to_string());
                let policy = c(&given(|out, err| match step["policy"].as_str() {
                    None => {
                        let object = c(r#"{"spec": {"verify": {"secretRef": {"name": "mine"}}}}"#);
                        unsafe { oci_chart_policy_from_flux(object.as_ptr(), secrets.as_ptr(), out, err) }
                    }
                    Some("cluster-image-policy") => {
                        let object = c(
                            r#"{"kind": "ClusterImagePolicy", "spec": {"authorities": [{"key": {"secretRef": {"name": "mine"}}, "signatureFormat": "bundle"}]}}"#,
                        );
                        unsafe {
                            oci_chart_policy_from_cluster_image_policy(
                                object.as_ptr(),
                                secrets.as_ptr(),
                                out,
                                err,
                            )
                        }
                    }
                    Some(other) => panic!("no such policy: {other}"),
                })?);
                let chart = self.charts[name(&step["chart"])].0;
                let verified = self.library.verify_subchart(chart, &self.target, &policy)?;
                Ok(json!({ "digest": verified.digest(), "outcome": verified.evidence()["outcome"] }))
            }
            "pull-verified" => {
                let verified = &self.verified[name(&step["verified"])];
                let pulled = self.library.pull_verified(verified, None)?;
                let evidence = unsafe { support::text(oci_chart_pulled_get_evidence(pulled.0)) };
                let evidence: Value = serde_json::from_str(&evidence).unwrap();
                let mut found = about(&pulled)?;
                found["outcome"] = evidence["outcome"].clone();
                Ok(found)
            }
            "attach" => {
                let ((target, _), kind) = (self.c_meant(step, "digest"), c(text(&step["type"])));
                let content = text(&step["text"]).as_bytes();
                let found = document(|out, err| unsafe {
                    let (target, kind, data) = (target.as_ptr(), kind.as_ptr(), content.as_ptr());
                    let options = ptr::null();
                    oci_chart_client_attach(
                        client,
                        target,
                        none,
                        kind,
                        data,
                        content.len(),
                        options,
                        nobody,
                        out,
                        err,
                    )
                })?;
                Ok(json!({ "digest": found["descriptor"]["digest"] }))
            }
            "tree" => {
                let (target, version) = self.c_meant(step, "selector");
                let version = support::text_or_null(&version);
                let found = document(|out, err| unsafe {
                    oci_chart_client_tree(client, target.as_ptr(), version, nobody, out, err)
                })?;
                let all = found["attached"].as_array().unwrap();
                Ok(json!({ "kinds": all.iter().map(|one| one["kind"].clone()).collect::<Vec<_>>() }))
            }
            "login" => {
                let file = self.logins();
                let options = oci_chart_login_options { place: 3, file: file.as_ptr(), ..Default::default() };
                let [host, user, password] =
                    [&self.host, text(&step["user"]), text(&step["password"])].map(c);
                let found = document(|out, err| unsafe {
                    let (host, user, password) = (host.as_ptr(), user.as_ptr(), password.as_ptr());
                    oci_chart_client_login(client, host, user, password, &raw const options, nobody, out, err)
                })?;
                Ok(found)
            }
            "logout" => {
                let (file, host) = (self.logins(), c(&self.host));
                let options = oci_chart_login_options { place: 3, file: file.as_ptr(), ..Default::default() };
                let found = document(|out, err| unsafe {
                    oci_chart_client_logout(client, host.as_ptr(), &raw const options, nobody, out, err)
                })?;
                Ok(json!({ "removed": found["removed"].as_array().unwrap().len() }))
            }
            "diagnose" => {
                let found = self.library.diagnose(&self.target)?;
                let findings = found["findings"].as_array().unwrap();
                let mut states: serde_json::Map<String, Value> = findings
                    .iter()
                    .map(|finding| (text(&finding["check"]).to_owned(), finding["status"].clone()))
                    .collect();
                let is_bad = |finding: &&Value| finding["status"] == "failed";
                states.insert("ok".to_owned(), (!findings.iter().any(|finding| is_bad(&finding))).into());
                Ok(states.into())
            }
            "reference" => {
                let target = c(text(&step["text"]));
                document(|out, err| unsafe { oci_chart_target_parse(target.as_ptr(), out, err) })
            }
            "matches" => {
                let [constraint, version] =
                    [&step["constraint"], &step["version"]].map(|value| c(text(value)));
                let mut out = -1;
                checked(|err| unsafe {
                    oci_chart_version_matches(constraint.as_ptr(), version.as_ptr(), &raw mut out, err)
                })?;
                Ok(json!({ "matches": out == 1 }))
            }
            other => panic!("no such verb: {other}"),
        }
    }

    fn compare(&self, at: &str, found: &Value, expected: &Value) {
        for (member, wanted) in expected.as_object().into_iter().flatten() {
            let wanted = match wanted {
                Value::String(text) => self.resolved(text),
                other => other.clone(),
            };
            assert_eq!(found[member], wanted, "{at}: {member} of {found}");
        }
    }

    fn resolved(&self, text: &str) -> Value {
        match text.strip_prefix('$').and_then(|text| text.split_once('.')) {
            Some((name, member)) => self.results[name][member].clone(),
            None => text.into(),
        }
    }

    /// The target and the version that a selector means.
    fn meant(&self, step: &Value, key: &str) -> (String, Option<String>) {
        let wanted = self.resolved(text(&step[key]));
        let wanted = text(&wanted);
        if wanted.starts_with("sha256:") {
            return (format!("{}@{wanted}", self.target), None);
        }
        (self.target.clone(), Some(wanted.to_owned()))
    }

    fn c_meant(&self, step: &Value, key: &str) -> (std::ffi::CString, Option<std::ffi::CString>) {
        let (target, version) = self.meant(step, key);
        (c(&target), version.as_deref().map(c))
    }

    fn logins(&self) -> std::ffi::CString {
        c(self.scratch.path().join("logins.json").to_str().unwrap())
    }

    /// The directory with the files of a step.
    fn files(&self, step: &Value) -> String {
        let directory = tempfile::tempdir_in(self.scratch.path()).unwrap().keep();
        let directory = directory.join(step["directory"].as_str().unwrap_or("web"));
        for (path, content) in step["files"].as_object().unwrap() {
            let file = directory.join(path);
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
            fs_err::write(file, text(content)).unwrap();
        }
        directory.to_str().unwrap().to_owned()
    }
}

/// What was pulled.
fn about(pulled: &Pulled) -> Result<Value, Failure> {
    let package = pulled.package();
    let metadata = package.metadata()?;
    Ok(json!({
        "digest": pulled.digest(), "package": package.digest(), "name": metadata["name"], "version": metadata["version"],
    }))
}

/// What is in a package.
fn show(package: &Package) -> Result<Value, Failure> {
    let mut chart = ptr::null_mut();
    // SAFETY: good arguments, here and below.
    checked(|err| unsafe { oci_chart_package_get_chart(package.0, ptr::null(), &raw mut chart, err) })?;
    let chart = Chart(chart);
    let files = document(|out, err| unsafe { oci_chart_chart_get_files(chart.0, out, err) })?;
    let files: Vec<_> = files.as_array().unwrap().iter().map(|file| file["path"].clone()).collect();
    for path in &files {
        let path = c(text(path));
        let read = bytes(|out, err| unsafe { oci_chart_chart_read_file(chart.0, path.as_ptr(), out, err) })?;
        assert!(read.is_some());
    }
    Ok(json!({
        "name": package.metadata()?["name"],
        "values": bytes(|out, err| unsafe { oci_chart_chart_get_values(chart.0, out, err) })?.map(utf8),
        "readme": bytes(|out, err| unsafe { oci_chart_chart_get_readme(chart.0, out, err) })?.map(utf8),
        "crds": bytes(|out, err| unsafe { oci_chart_chart_get_crds(chart.0, out, err) })?.map(utf8),
        "files": files,
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

fn mode(step: &Value) -> i32 {
    match text(&step["mode"]) {
        "ensure" => oci_chart_tag_mode::Ensure as i32,
        "replace" => oci_chart_tag_mode::Replace as i32,
        _ => oci_chart_tag_mode::Create as i32,
    }
}

fn name(value: &Value) -> &str {
    text(value).trim_start_matches('$')
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
