//! One good value for every parameter of every function, by its type and name.

use std::{
    ffi::{CStr, CString, c_void},
    path::Path,
    ptr,
};

use oci_chart::*;
use tempfile::TempDir;

use super::c_header::{Function, Parameter};

/// Objects and texts that functions are called with. Nothing here is ever freed by a call.
pub(crate) struct World {
    _scratch: TempDir,
    texts: Vec<(&'static str, CString)>,
    client: *mut oci_chart_client,
    client_options: *mut oci_chart_client_options,
    chart: *mut oci_chart_chart,
    package: *mut oci_chart_package,
    pulled: *mut oci_chart_pulled,
    verified: *mut oci_chart_verified,
    signer: *mut oci_chart_signer,
    publication: *mut oci_chart_publication,
    list: *mut oci_chart_list,
    reader: *mut oci_chart_reader,
    secret: *mut oci_chart_pull_secret,
    error: *mut oci_chart_error,
    bytes: *mut oci_chart_bytes,
    token: *mut oci_chart_cancel_token,
    answer: oci_chart_answer,
    call: oci_chart_call,
    load: oci_chart_load_options,
    pack: oci_chart_package_options,
    push: oci_chart_push_options,
    pull: oci_chart_pull_options,
    sign: oci_chart_sign_options,
    verify: oci_chart_verify_options,
    attach: oci_chart_attach_options,
    login: oci_chart_login_options,
    buffer: [u8; 64],
}

/// What out-parameters hold before a call, and after one that fails.
pub(crate) const POISON: usize = 0x5AA5_5AA5_5AA5_5AA5;

impl World {
    pub(crate) fn new() -> Self {
        let scratch = TempDir::new().unwrap();
        let chart_dir = scratch.path().join("web");
        fs_err::create_dir_all(&chart_dir).unwrap();
        fs_err::write(chart_dir.join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n").unwrap();
        fs_err::write(chart_dir.join("values.yaml"), "a: 1\n").unwrap();
        let mut world = Self {
            texts: texts(scratch.path()),
            _scratch: scratch,
            client: ptr::null_mut(),
            client_options: oci_chart_client_options_new(),
            chart: ptr::null_mut(),
            package: ptr::null_mut(),
            pulled: ptr::null_mut(),
            verified: ptr::null_mut(),
            signer: ptr::null_mut(),
            publication: oci_chart_publication_new(),
            list: ptr::null_mut(),
            reader: ptr::null_mut(),
            secret: oci_chart_pull_secret_new(),
            error: ptr::null_mut(),
            bytes: ptr::null_mut(),
            token: oci_chart_cancel_token_new(),
            answer: oci_chart_answer::default(),
            call: oci_chart_call::default(),
            load: oci_chart_load_options::default(),
            pack: oci_chart_package_options::default(),
            push: oci_chart_push_options { mode: 1, ..Default::default() },
            pull: oci_chart_pull_options { flags: OCI_CHART_PULL_WITHOUT_VERIFICATION, ..Default::default() },
            sign: oci_chart_sign_options::default(),
            verify: oci_chart_verify_options::default(),
            attach: oci_chart_attach_options::default(),
            login: oci_chart_login_options::default(),
            buffer: [0; 64],
        };
        world.fill();
        world
    }

    /// Makes the objects, and puts a chart into the layout.
    fn fill(&mut self) {
        let (none, err) = (ptr::null(), ptr::null_mut());
        let text = |name| self.text(name).as_ptr();
        let (path, target) = (text("path"), text("target"));
        let good = |status| assert_eq!(status, oci_chart_status::Ok);
        // SAFETY: good arguments.
        unsafe {
            good(oci_chart_client_options_set_retry(self.client_options, 1, 0, 0, err));
            good(oci_chart_client_new(self.client_options, &raw mut self.client, err));
            good(oci_chart_chart_load(path, ptr::null(), ptr::null(), &raw mut self.chart, err));
            good(oci_chart_chart_package(self.chart, ptr::null(), ptr::null(), &raw mut self.package, err));
            good(oci_chart_client_push(
                self.client,
                self.package,
                target,
                ptr::null(),
                ptr::null(),
                ptr::null_mut(),
                err,
            ));
            good(oci_chart_client_pull(
                self.client,
                target,
                none,
                &raw const self.pull,
                ptr::null(),
                &raw mut self.pulled,
                err,
            ));
            good(oci_chart_signer_generate(&raw mut self.signer, err));
            good(oci_chart_client_list_tags(self.client, target, &raw mut self.list, err));
            good(oci_chart_package_open(self.package, &raw mut self.reader, err));
            good(oci_chart_pulled_get_manifest(self.pulled, &raw mut self.bytes, err));
            let failed = oci_chart_chart_load(
                c"/nowhere".as_ptr(),
                ptr::null(),
                ptr::null(),
                ptr::null_mut(),
                &raw mut self.error,
            );
            assert_ne!(failed, oci_chart_status::Ok);
        }
        self.verify();
    }

    /// Signs the chart and verifies that.
    fn verify(&mut self) {
        let (none, call, err) = (ptr::null(), ptr::null(), ptr::null_mut());
        let (client, target) = (self.client, self.text("target").as_ptr());
        let good = |status| assert_eq!(status, oci_chart_status::Ok);
        // SAFETY: good arguments.
        unsafe {
            let key = CStr::from_ptr(oci_chart_signer_get_public_key(self.signer)).to_str().unwrap();
            let keys = serde_json::json!({ "keys": [{ "key": key }], "tlog": "ignore-explicitly" });
            let policy = CString::new(serde_json::json!({ "keys": keys }).to_string()).unwrap();
            let (options, nobody) = (ptr::null(), ptr::null_mut());
            good(oci_chart_client_sign(client, target, none, self.signer, options, call, nobody, err));
            let (policy, options, out) = (policy.as_ptr(), ptr::null(), &raw mut self.verified);
            good(oci_chart_client_verify(client, target, none, policy, options, call, out, err));
        }
    }

    fn text(&self, name: &str) -> &CString {
        let found = self.texts.iter().find(|(known, _)| *known == name);
        &found.unwrap_or_else(|| panic!("no good text for `{name}`: add one")).1
    }

    /// A good value, as the register that it goes in; out-parameters point into `places`.
    pub(crate) fn good(
        &mut self,
        function: &Function,
        parameter: &Parameter,
        places: &mut [usize],
        at: usize,
    ) -> usize {
        let kind = parameter.kind.trim_start_matches("const ").trim_end_matches(" *");
        if function.name == "oci_chart_package_load" && parameter.name == "path" {
            return self.text("package").as_ptr() as usize;
        }
        match kind {
            _ if parameter.kind.ends_with("**") => (&raw mut places[at]) as usize,
            "int32_t" if parameter.kind.ends_with('*') => (&raw mut places[at]) as usize,
            "size_t" if parameter.kind.ends_with('*') => (&raw mut places[at]) as usize,
            "char" => self.text(text_of(function, &parameter.name)).as_ptr() as usize,
            "uint8_t" if parameter.name == "buffer" => self.buffer.as_mut_ptr() as usize,
            "uint8_t" => self.text(bytes_of(function, &parameter.name)).as_ptr() as usize,
            "size_t" if parameter.name == "buffer_len" => self.buffer.len(),
            "size_t" => {
                self.text(bytes_of(function, parameter.name.trim_end_matches("_len"))).as_bytes().len()
            }
            "int32_t" | "uint32_t" | "uint64_t" => 0,
            "void" => 0,
            "oci_chart_read_callback" => nothing as *const () as usize,
            "oci_chart_client" => self.client as usize,
            "oci_chart_client_options" => self.client_options as usize,
            "oci_chart_chart" => self.chart as usize,
            "oci_chart_package" => self.package as usize,
            "oci_chart_pulled" => self.pulled as usize,
            "oci_chart_verified" => self.verified as usize,
            "oci_chart_signer" => self.signer as usize,
            "oci_chart_publication" => self.publication as usize,
            "oci_chart_list" => self.list as usize,
            "oci_chart_reader" => self.reader as usize,
            "oci_chart_pull_secret" => self.secret as usize,
            "oci_chart_error" => self.error as usize,
            "oci_chart_bytes" => self.bytes as usize,
            "oci_chart_cancel_token" => self.token as usize,
            "oci_chart_answer" => (&raw mut self.answer) as usize,
            "oci_chart_call" => (&raw const self.call) as usize,
            "oci_chart_load_options" => (&raw const self.load) as usize,
            "oci_chart_package_options" => (&raw const self.pack) as usize,
            "oci_chart_push_options" => (&raw const self.push) as usize,
            "oci_chart_pull_options" => (&raw const self.pull) as usize,
            "oci_chart_sign_options" => (&raw const self.sign) as usize,
            "oci_chart_verify_options" => (&raw const self.verify) as usize,
            "oci_chart_attach_options" => (&raw const self.attach) as usize,
            "oci_chart_login_options" => (&raw const self.login) as usize,
            other => panic!("no good value for `{other} {}` of {}: add one", parameter.name, function.name),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // SAFETY: nobody uses them any more.
        unsafe {
            oci_chart_error_free(self.error);
            oci_chart_bytes_free(self.bytes);
            oci_chart_list_free(self.list);
            oci_chart_reader_free(self.reader);
            oci_chart_pulled_free(self.pulled);
            oci_chart_verified_free(self.verified);
            oci_chart_signer_free(self.signer);
            oci_chart_publication_free(self.publication);
            oci_chart_pull_secret_free(self.secret);
            oci_chart_package_free(self.package);
            oci_chart_chart_free(self.chart);
            oci_chart_client_free(self.client);
            oci_chart_client_options_free(self.client_options);
            oci_chart_cancel_token_free(self.token);
        }
    }
}

fn texts(scratch: &Path) -> Vec<(&'static str, CString)> {
    let place = |name: &str| scratch.join(name).to_str().unwrap().to_owned();
    [
        ("path", place("web")),
        ("package", place("web-1.0.0.tgz")),
        ("directory", place("made")),
        ("target", format!("oci-layout:{}", place("store"))),
        ("version", "1.0.0".into()),
        ("host", "127.0.0.1:9".into()),
        ("endpoint", "https://mirror.example".into()),
        ("proxy", "http://proxy.example:3128".into()),
        ("no_proxy", "localhost".into()),
        ("user", "robot".into()),
        ("password", "secret".into()),
        ("token", "secret".into()),
        ("suffix", "sweep/1".into()),
        ("limit", "depth".into()),
        ("name", "pull-secret".into()),
        ("in_namespace", "default".into()),
        ("repository", "charts/web".into()),
        ("tag", "stable".into()),
        ("digest", format!("sha256:{}", "0".repeat(64))),
        ("descriptor", format!(r#"{{"mediaType":"a/b","digest":"sha256:{}","size":1}}"#, "0".repeat(64))),
        ("media_type", "text/plain".into()),
        ("artifact_type", "text/plain".into()),
        ("predicate_type", "https://example.com/v1".into()),
        ("predicate", "{}".into()),
        ("policy", "{}".into()),
        ("object", "{}".into()),
        ("secrets", "[]".into()),
        ("constraint", "^1".into()),
        ("message", "no".into()),
        ("pem", "no key".into()),
        ("public_key", "no key".into()),
        ("keyring", "no keys".into()),
        ("key", "signer@example.com".into()),
        ("passphrase", "secret".into()),
        ("data", "hello".into()),
        ("yaml", "mirrors: {}\n".into()),
        ("manifest", "kind: Secret\nstringData: {username: a, password: b}\n".into()),
        ("signer", "{}".into()),
        ("trust_root", "{}".into()),
        ("bundle", "{}".into()),
    ]
    .into_iter()
    .map(|(name, text)| (name, CString::new(text).unwrap()))
    .collect()
}

/// What a text parameter is called in the list above.
fn text_of<'a>(function: &Function, name: &'a str) -> &'a str {
    match (function.name.as_str(), name) {
        ("oci_chart_client_options_set_limit", "name") => "limit",
        (_, "expected_digest") => "digest",
        (_, name) => name,
    }
}

/// The same for bytes.
fn bytes_of<'a>(function: &Function, name: &'a str) -> &'a str {
    match (function.name.as_str(), name) {
        ("oci_chart_client_options_add_registries_yaml", "data") => "yaml",
        (_, "chain") => "pem",
        (_, name) => name,
    }
}

/// A stream without bytes.
unsafe extern "C" fn nothing(_: *mut c_void, _: *mut u8, _: usize, read: *mut usize) -> i32 {
    // SAFETY: a place for a number.
    unsafe { read.write(0) };
    0
}
