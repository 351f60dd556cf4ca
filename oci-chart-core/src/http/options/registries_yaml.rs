use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{ClientCertificate, ConnectionOptions, HostOptions, Mirror};
use crate::{
    auth::{Credentials, StaticCredentials},
    error::{Error, ErrorKind, Reason, Result},
    name::Host,
    redact::Secret,
    yaml::{Bounds, Document, Kind, Node},
};

/// Where its credentials come from, as errors about them say.
const ORIGIN: &str = "registries.yaml";

/// What a `registries.yaml` of k3s and RKE2 says: mirrors, and how hosts are reached and logged in to.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{Client, store::{ConnectionOptions, RegistriesYaml}};
///
/// let file = RegistriesYaml::parse(br#"
/// mirrors:
///   registry.example:
///     endpoint: ["https://cache.example:5000"]
///     rewrite: {"^charts/(.*)": "mirror/$1"}
/// configs:
///   "cache.example:5000":
///     auth: {username: robot, password: hunter2}
///     tls: {insecure_skip_verify: true}
/// "#)?;
/// let client = Client::builder()
///     .connection(file.connection(ConnectionOptions::default())?)
///     .credentials(file.credentials())
///     .build()?;
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RegistriesYaml {
    /// `None` is every host without an entry.
    mirrors: Vec<(Option<Host>, Vec<Mirror>)>,
    configs: Vec<Config>,
}

#[derive(Debug, Clone)]
struct Config {
    host: Host,
    credentials: Option<Credentials>,
    ca_file: Option<String>,
    cert_file: Option<String>,
    key_file: Option<String>,
    insecure_skip_verify: bool,
}

impl RegistriesYaml {
    /// Reads a file's text. Fields that are not known are passed over, as k3s does.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field and its line, never a secret. A file without content says nothing; one
    /// that is a word or a list is none.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let document = Document::parse(text, &Bounds::default())
            .map_err(|error| bad("it is no YAML", "registries.yaml").with_source(error))?;
        let root = Fields::of(Some(document.root()), "registries.yaml")?;
        let mut file = Self::default();
        for (key, entry) in Fields::of(root.get("mirrors"), "mirrors")?.0 {
            let host = if key == "*" { None } else { Some(host(key)?) };
            file.mirrors.push((host, mirrors(key, &Fields::of(Some(entry), "mirrors")?)?));
        }
        for (key, entry) in Fields::of(root.get("configs"), "configs")?.0 {
            file.configs.push(Config::read(key, &Fields::of(Some(entry), "configs")?)?);
        }
        Ok(file)
    }

    /// Adds mirrors and TLS settings to `options`. The certificate files that are named are read now.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound), [`Io`](ErrorKind::Io) and [`InvalidInput`](ErrorKind::InvalidInput) for those files.
    pub fn connection(&self, mut options: ConnectionOptions) -> Result<ConnectionOptions> {
        for (host, mirrors) in &self.mirrors {
            // An entry without endpoints keeps the mirrors of all others away.
            if let Some(host) = host {
                options.mirrors.entry(host.clone()).or_default();
            }
            for mirror in mirrors {
                options = match host {
                    Some(host) => options.with_mirror(host.clone(), mirror.clone()),
                    None => options.with_mirror_of_all(mirror.clone()),
                };
            }
        }
        for config in &self.configs {
            let host = options.hosts.entry(config.host.clone()).or_default();
            config.apply(host)?;
        }
        Ok(options)
    }

    /// The logins.
    pub fn credentials(&self) -> StaticCredentials {
        self.configs.iter().fold(StaticCredentials::default(), |known, config| match &config.credentials {
            Some(credentials) => known.with(config.host.clone(), credentials.clone()),
            None => known,
        })
    }
}

impl Config {
    fn read(key: &str, entry: &Fields<'_>) -> Result<Self> {
        let (auth, tls) = (Fields::of(entry.get("auth"), "auth")?, Fields::of(entry.get("tls"), "tls")?);
        Ok(Self {
            host: host(key)?,
            credentials: credentials(&auth, key)?,
            ca_file: tls.text("ca_file", key)?,
            cert_file: tls.text("cert_file", key)?,
            key_file: tls.text("key_file", key)?,
            insecure_skip_verify: match tls.get("insecure_skip_verify") {
                None => false,
                Some(value) => value.as_bool().ok_or_else(|| wrong(value, "insecure_skip_verify", key))?,
            },
        })
    }

    fn apply(&self, host: &mut HostOptions) -> Result<()> {
        let explain = |error: Error| error.with_context("registry", &self.host);
        if let Some(file) = &self.ca_file {
            host.roots.push(fs_err::read(file).map_err(|error| explain(error.into()))?);
        }
        match (&self.cert_file, &self.key_file) {
            (Some(certificate), Some(key)) => {
                host.client_certificate =
                    Some(ClientCertificate::from_files(certificate, key).map_err(explain)?);
            }
            (None, None) => {}
            _ => return Err(explain(bad("cert_file and key_file belong together", "tls"))),
        }
        host.unchecked_certificate |= self.insecure_skip_verify;
        Ok(())
    }
}

fn mirrors(key: &str, entry: &Fields<'_>) -> Result<Vec<Mirror>> {
    let mut rewrites = Vec::new();
    for (pattern, text) in Fields::of(entry.get("rewrite"), "rewrite")?.0 {
        rewrites.push((pattern, text.as_str().ok_or_else(|| wrong(text, "rewrite", key))?));
    }
    let mut mirrors = Vec::new();
    for endpoint in sequence(entry.get("endpoint"), "endpoint", key)? {
        let text = endpoint.as_str().ok_or_else(|| wrong(endpoint, "endpoint", key))?;
        let explain = |error: Error| error.with_context("line", endpoint.position().line);
        let mut mirror = Mirror::parse(text).map_err(explain)?;
        for (pattern, text) in &rewrites {
            mirror = mirror.with_rewrite(pattern, text).map_err(explain)?;
        }
        mirrors.push(mirror);
    }
    Ok(mirrors)
}

fn credentials(auth: &Fields<'_>, key: &str) -> Result<Option<Credentials>> {
    let text = |name| auth.text(name, key);
    if let Some(token) = text("identity_token")? {
        return Ok(Some(Credentials::identity(token).with_origin(ORIGIN)));
    }
    if let (Some(username), password) = (text("username")?, text("password")?) {
        return Ok(Some(Credentials::basic(username, password.unwrap_or_default()).with_origin(ORIGIN)));
    }
    let Some(auth) = text("auth")? else { return Ok(None) };
    let decoded = zeroize::Zeroizing::new(STANDARD.decode(auth.trim()).unwrap_or_default());
    match std::str::from_utf8(&decoded).ok().and_then(|pair| pair.split_once(':')) {
        Some((username, password)) => {
            Ok(Some(Credentials::basic(username, Secret::new(password)).with_origin(ORIGIN)))
        }
        None => Err(bad("`auth` is not user and password in Base64", "auth").with_context("registry", key)),
    }
}

fn host(key: &str) -> Result<Host> {
    Host::parse(key).map_err(|error| {
        bad("a key is no host", "registries.yaml").with_context("registry", key).with_source(error)
    })
}

/// The fields of a mapping; none where there is nothing.
struct Fields<'a>(Vec<(&'a str, Node<'a>)>);

impl<'a> Fields<'a> {
    fn of(node: Option<Node<'a>>, field: &'static str) -> Result<Self> {
        match node.filter(|node| !node.is_null()) {
            None => Ok(Self(Vec::new())),
            Some(node) if node.kind() == Kind::Mapping => Ok(Self(node.entries().collect())),
            Some(node) => {
                Err(bad("it is no mapping where one is wanted", field)
                    .with_context("line", node.position().line))
            }
        }
    }

    fn get(&self, name: &str) -> Option<Node<'a>> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, node)| *node).filter(|node| !node.is_null())
    }

    fn text(&self, name: &'static str, key: &str) -> Result<Option<String>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| wrong(value, name, key))?;
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }
}

fn sequence<'a>(node: Option<Node<'a>>, name: &'static str, key: &str) -> Result<Vec<Node<'a>>> {
    match node.filter(|node| !node.is_null()) {
        None => Ok(Vec::new()),
        Some(node) if node.kind() == Kind::Sequence => Ok(node.items().collect()),
        Some(node) => Err(wrong(node, name, key)),
    }
}

fn wrong(node: Node<'_>, field: &'static str, key: &str) -> Error {
    bad("a field has a value of the wrong type", field)
        .with_reason(Reason::FieldType)
        .with_context("registry", key)
        .with_context("line", node.position().line)
}

fn bad(why: &'static str, field: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("registries.yaml cannot be used: {why}"))
        .with_context("field", field)
        .with_hint("the file is described in the k3s documentation under \"Private Registry Configuration\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
mirrors:
  docker.io:
    endpoint:
      - "https://registry.example.com:5000"
      - "http://10.0.0.7/v2/hub"
    rewrite:
      "^rancher/(.*)": "mirrorproject/rancher-images/$1"
  "*":
    endpoint: ["https://cache.example"]
  empty.example:
configs:
  "registry.example.com:5000":
    auth:
      username: robot
      password: hunter2
    tls:
      insecure_skip_verify: true
  other.example:
    auth: {auth: cm9ib3Q6aHVudGVyMg==}
"#;

    #[test]
    fn the_file_of_k3s_is_read() {
        let file = RegistriesYaml::parse(FILE.as_bytes()).unwrap();
        let options = file.connection(ConnectionOptions::default()).unwrap();
        let names = |host: &str| {
            let mirrors = options.mirrors_of(&Host::parse(host).unwrap());
            mirrors.iter().map(|mirror| format!("{}{}", mirror.host(), mirror.path())).collect::<Vec<_>>()
        };
        assert_eq!(names("docker.io"), ["registry.example.com:5000/v2/", "10.0.0.7/v2/hub/"]);
        assert_eq!(names("any.example"), ["cache.example/v2/"]);
        assert_eq!(names("cache.example"), Vec::<String>::new(), "a cache is no mirror of itself");
        let hub = &options.mirrors_of(&Host::parse("docker.io").unwrap())[0];
        assert_eq!(hub.repository("rancher/web"), "mirrorproject/rancher-images/web");
        assert!(options.is_plain_http(&Host::parse("10.0.0.7").unwrap()));
        let own = &options.hosts[&Host::parse("registry.example.com:5000").unwrap()];
        assert!(own.unchecked_certificate);
        assert_eq!(file.configs.iter().filter(|config| config.credentials.is_some()).count(), 2);
        assert!(!format!("{file:?} {:?}", file.credentials()).contains("hunter2"));
    }

    #[test]
    fn what_is_wrong_is_named_without_secrets() {
        for (text, field) in [
            ("mirrors: [a]", "mirrors"),
            ("mirrors: {h: {endpoint: x}}", "endpoint"),
            ("mirrors: {h: {endpoint: [7]}}", "endpoint"),
            ("mirrors: {'a b': {}}", "registries.yaml"),
            ("configs: {h: {auth: {auth: hunter2}}}", "auth"),
            ("configs: {h: {auth: {username: [hunter2]}}}", "username"),
            ("configs: {h: {tls: {insecure_skip_verify: hunter2}}}", "insecure_skip_verify"),
            ("configs: [", "registries.yaml"),
            ("hunter2", "registries.yaml"),
            ("[hunter2]", "registries.yaml"),
            ("enabled", "registries.yaml"),
            ("- mirrors", "registries.yaml"),
            ("7", "registries.yaml"),
            ("mirrors: word", "mirrors"),
            ("mirrors: {h: word}", "mirrors"),
            ("mirrors: {h: {rewrite: word}}", "rewrite"),
            ("mirrors: {h: [https://m]}", "mirrors"),
            ("configs: {h: word}", "configs"),
            ("configs: {h: {auth: hunter2}}", "auth"),
            ("configs: {h: {tls: true}}", "tls"),
        ] {
            let error = RegistriesYaml::parse(text.as_bytes()).unwrap_err();
            assert_eq!((error.kind(), error.get("field")), (ErrorKind::InvalidInput, Some(field)), "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
        for text in ["", "---\n", "~", "# nothing\n", "mirrors:\nconfigs:\n", "configs: {h: {auth: , tls: }}"]
        {
            let file = RegistriesYaml::parse(text.as_bytes()).unwrap();
            let options = file.connection(ConnectionOptions::default()).unwrap();
            assert!(options.mirrors_of_all.is_empty() && options.mirrors.is_empty(), "{text}");
        }
        let half = RegistriesYaml::parse(b"configs: {h: {tls: {cert_file: /a}}}").unwrap();
        assert_eq!(
            half.connection(ConnectionOptions::default()).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
    }
}
