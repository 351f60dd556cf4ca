use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt,
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::process::{self, Bounds, Said};
use crate::{
    error::{Error, ErrorKind, Reason},
    json,
    kube::StoredLogin,
    redact::Secret,
};

/// The name of a user whose secret is an identity token (docker/docker-credential-helpers).
pub(super) const TOKEN_USER: &str = "<token>";

/// Finds and runs programs that keep logins (docker/docker-credential-helpers). Secrets go through their pipes, never through
/// arguments or variables.
#[derive(Debug, Clone)]
pub(super) struct Helpers {
    /// Where programs are looked for.
    pub(super) path: Option<OsString>,
    pub(super) bounds: Bounds,
}

/// Why a helper does not do what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HelperFault {
    /// Its name is none that a program could have.
    Name,
    /// There is no such program.
    Missing,
    /// It did not end in this time.
    TimedOut(Duration),
    /// It said more than this, in bytes.
    TooMuch(u64),
    /// It said something else than it should.
    Malformed,
    /// It failed, and said this.
    Failed(String),
    /// It could not be run or heard.
    Io(String),
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Entry {
    #[serde(rename = "ServerURL")]
    server_url: String,
    username: String,
    secret: Zeroizing<String>,
}

impl Default for Helpers {
    fn default() -> Self {
        // Some wait for a person who unlocks a key.
        Self { path: None, bounds: Bounds { time: Duration::from_secs(60), bytes: 1 << 20 } }
    }
}

impl Helpers {
    /// The login for `server`, if the helper has one.
    pub(super) async fn get(&self, helper: &str, server: &str) -> Result<Option<StoredLogin>, HelperFault> {
        let said = self.run(helper, "get", server.as_bytes().to_vec().into()).await?;
        if !said.success {
            let text = String::from_utf8_lossy(&said.text);
            let known = ["credentials not found", "no credentials", "no basic auth"];
            return if known.iter().any(|words| text.to_ascii_lowercase().contains(words)) {
                Ok(None)
            } else {
                Err(failed(&text))
            };
        }
        if said.text.trim_ascii().is_empty() {
            return Ok(None);
        }
        let entry: Entry = json::object(&said.text).map_err(|_| HelperFault::Malformed)?;
        let secret = Some(Secret::from(entry.secret.as_str())).filter(|secret| !secret.expose().is_empty());
        let login = StoredLogin { username: entry.username, password: secret, ..StoredLogin::default() };
        Ok(Some(login).filter(|login| !login.is_empty()))
    }

    /// Lets the helper keep a login.
    pub(super) async fn store(
        &self,
        helper: &str,
        server: &str,
        username: &str,
        secret: &Secret,
    ) -> Result<(), HelperFault> {
        let entry = Entry {
            server_url: server.to_owned(),
            username: username.to_owned(),
            secret: Zeroizing::new(secret.expose().to_owned()),
        };
        let text = serde_json::to_vec(&entry).map_err(|_| HelperFault::Malformed)?;
        done(&self.run(helper, "store", text.into()).await?)
    }

    /// Lets the helper forget a login; one that it does not have is forgotten already.
    pub(super) async fn erase(&self, helper: &str, server: &str) -> Result<(), HelperFault> {
        match done(&self.run(helper, "erase", server.as_bytes().to_vec().into()).await?) {
            Err(HelperFault::Failed(text)) if text.to_ascii_lowercase().contains("not found") => Ok(()),
            result => result,
        }
    }

    /// The names of users by server.
    pub(super) async fn list(&self, helper: &str) -> Result<BTreeMap<String, String>, HelperFault> {
        let said = self.run(helper, "list", Zeroizing::default()).await?;
        if !said.success {
            return Err(failed(&String::from_utf8_lossy(&said.text)));
        }
        serde_json::from_slice(&said.text).map_err(|_| HelperFault::Malformed)
    }

    async fn run(
        &self,
        helper: &str,
        verb: &'static str,
        input: Zeroizing<Vec<u8>>,
    ) -> Result<Said, HelperFault> {
        let program = self.program(helper)?;
        process::run(&program, verb, input, self.bounds).await
    }

    /// The program itself. It is looked for in the path alone: a name with a slash in it would run something else, and so
    /// might the system's own search.
    fn program(&self, helper: &str) -> Result<PathBuf, HelperFault> {
        let plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
        if helper.is_empty() || !helper.chars().all(plain) {
            return Err(HelperFault::Name);
        }
        let name = format!("{}{}", program_name(helper), std::env::consts::EXE_SUFFIX);
        let path = self.path.as_deref().unwrap_or(OsStr::new(""));
        let found = std::env::split_paths(path)
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join(&name))
            .find(|program| fs_err::metadata(program).is_ok_and(|metadata| metadata.is_file()));
        found.ok_or(HelperFault::Missing)
    }
}

fn done(said: &Said) -> Result<(), HelperFault> {
    if said.success { Ok(()) } else { Err(failed(&String::from_utf8_lossy(&said.text))) }
}

/// The program of a helper.
pub(super) fn program_name(helper: &str) -> String {
    format!("docker-credential-{helper}")
}

/// What a helper says when it fails is a sentence for people. It is shown, unless it might be more than that.
fn failed(text: &str) -> HelperFault {
    let text = text.trim();
    let sentence: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(200).collect();
    let secretive = text.contains('{') || text.contains("Secret");
    HelperFault::Failed(if secretive { "(not shown)".to_owned() } else { sentence })
}

impl fmt::Display for HelperFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("its name is none of a program"),
            Self::Missing => f.write_str("it is not installed, or not in PATH"),
            Self::TimedOut(time) => write!(f, "it gave no answer within {} s", time.as_secs_f32()),
            Self::TooMuch(bytes) => write!(f, "it said more than {bytes} bytes"),
            Self::Malformed => f.write_str("its answer is not what the protocol says"),
            Self::Failed(text) if text.is_empty() => f.write_str("it failed without a word"),
            Self::Failed(text) => write!(f, "it failed: {text}"),
            Self::Io(text) => write!(f, "it could not be run: {text}"),
        }
    }
}

impl std::error::Error for HelperFault {}

impl From<HelperFault> for Error {
    fn from(fault: HelperFault) -> Self {
        let kind = match fault {
            HelperFault::Name => ErrorKind::InvalidInput,
            HelperFault::Missing => ErrorKind::NotFound,
            HelperFault::TimedOut(_) => ErrorKind::Timeout,
            HelperFault::TooMuch(_) => ErrorKind::LimitExceeded,
            HelperFault::Malformed => ErrorKind::Protocol,
            HelperFault::Failed(_) => ErrorKind::Unavailable,
            HelperFault::Io(_) => ErrorKind::Io,
        };
        Self::new(kind, format!("the credential helper does not do its work: {fault}"))
            .with_reason(Reason::CredentialHelper)
            .with_hint(
                "run the helper by hand to see what it wants, or name another one in the configuration",
            )
            .with_source(fault)
    }
}
