use std::collections::BTreeMap;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use crate::redact::Secret;

/// Base64 as it is found in these files: some writers leave the padding out.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What docker's `config.json` says about logins. Podman's `auth.json` and Helm's `registry/config.json` have the same form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DockerConfig {
    /// Logins by key; an entry that cannot be read does not hurt the others.
    pub(crate) auths: BTreeMap<String, Result<StoredLogin, LoginFault>>,
    /// Names of credential helpers by key.
    pub(crate) helpers: BTreeMap<String, String>,
    /// The helper for all that have none of their own.
    pub(crate) store: Option<String>,
}

/// One login. All parts may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoredLogin {
    pub(crate) username: String,
    pub(crate) password: Option<Secret>,
    pub(crate) identity_token: Option<Secret>,
    pub(crate) registry_token: Option<Secret>,
}

/// Why a login cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginFault {
    /// It is no JSON object, or a field of it no text.
    Form,
    /// `auth` is no base64.
    Base64,
    /// `auth` is not `user:password`.
    Pair,
}

impl LoginFault {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Form => "the entry is not an object of texts",
            Self::Base64 => "its `auth` is not base64",
            Self::Pair => "its `auth` is not `user:password` in base64",
        }
    }
}

impl DockerConfig {
    /// Reads the whole file; `None` where it is no JSON object, or names helpers in no way that Go could read.
    #[cfg(feature = "registry")]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let file = whole(bytes)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        // A helper that is named wrongly is not passed over: its logins would be kept in the open instead.
        let helpers = object(&file, "credHelpers")?.into_iter().filter(|(_, name)| !name.is_null());
        let store = match field(&file, "credsStore").filter(|name| !name.is_null()) {
            Some(name) => Some(text(name)?).filter(|name| !name.is_empty()),
            None => None,
        };
        Some(Self {
            auths: entries(object(&file, "auths")?),
            helpers: helpers.map(|(key, name)| Some((key, text(&name)?))).collect::<Option<_>>()?,
            store,
        })
    }

    /// Reads the same out of a secret, where helpers are nobody's.
    pub(crate) fn parse_secret(bytes: &[u8]) -> Option<Self> {
        Some(Self { auths: entries(object(&whole(bytes)?, "auths")?), ..Self::default() })
    }

    /// Reads the older form (`.dockercfg`), which is the logins alone.
    pub(crate) fn parse_legacy(bytes: &[u8]) -> Option<Self> {
        Some(Self { auths: entries(whole(bytes)?), ..Self::default() })
    }
}

impl StoredLogin {
    /// Whether there is nothing to be shown to anybody.
    pub(crate) fn is_empty(&self) -> bool {
        let secrets = [&self.password, &self.identity_token, &self.registry_token];
        self.username.is_empty()
            && secrets.iter().all(|secret| secret.as_ref().is_none_or(|secret| secret.expose().is_empty()))
    }
}

impl StoredLogin {
    /// Without the zero bytes that old clients of docker's wrote behind passwords, and docker takes off.
    pub(crate) fn without_nul(mut self) -> Self {
        if let Some(password) = &self.password
            && password.expose().ends_with('\0')
        {
            self.password = Some(password.expose().trim_end_matches('\0').into());
        }
        self
    }
}

/// `user:password` in base64, as `auth` has it.
pub(crate) fn encode_pair(username: &str, password: &str) -> String {
    use base64::engine::general_purpose::STANDARD;
    let pair = Zeroizing::new(format!("{username}:{password}"));
    STANDARD.encode(pair.as_bytes())
}

fn whole(bytes: &[u8]) -> Option<Map<String, Value>> {
    if bytes.trim_ascii().is_empty() {
        return Some(Map::new());
    }
    match serde_json::from_slice(bytes).ok()? {
        Value::Object(file) => Some(file),
        _ => None,
    }
}

/// A field that is an object, or not there.
fn object(file: &Map<String, Value>, name: &str) -> Option<Map<String, Value>> {
    match field(file, name) {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(object)) => Some(object.clone()),
        Some(_) => None,
    }
}

fn entries(map: Map<String, Value>) -> BTreeMap<String, Result<StoredLogin, LoginFault>> {
    map.into_iter().map(|(key, value)| (key, entry(&value))).collect()
}

fn entry(value: &Value) -> Result<StoredLogin, LoginFault> {
    let empty = Map::new();
    let map = match value {
        Value::Object(map) => map,
        Value::Null => &empty,
        _ => return Err(LoginFault::Form),
    };
    let text = |name: &str| match field(map, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(LoginFault::Form),
    };
    let mut login = StoredLogin {
        username: text("username")?.unwrap_or_default().to_owned(),
        password: text("password")?.map(Secret::from),
        identity_token: text("identitytoken")?.map(Secret::from),
        registry_token: text("registrytoken")?.map(Secret::from),
    };
    if let Some(auth) = text("auth")? {
        // Go's decoder passes over line breaks, and files with them exist.
        let packed: Zeroizing<String> =
            Zeroizing::new(auth.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect());
        let bytes = LENIENT.decode(packed.as_bytes()).map_err(|_| LoginFault::Base64)?;
        let pair = String::from_utf8(bytes).map(Zeroizing::new).map_err(|error| {
            error.into_bytes().zeroize();
            LoginFault::Pair
        })?;
        let (username, password) = pair.split_once(':').ok_or(LoginFault::Pair)?;
        login.username = username.to_owned();
        login.password = Some(Secret::from(password)).filter(|password| !password.expose().is_empty());
    }
    Ok(login)
}

/// A field by its name, in any case: Go's reader takes both, the exact one first.
fn field<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name)
        .or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(entry: &str) -> Result<StoredLogin, LoginFault> {
        let file = format!(r#"{{"auths":{{"k":{entry}}}}}"#);
        DockerConfig::parse_secret(file.as_bytes()).unwrap().auths.remove("k").unwrap()
    }

    fn basic(username: &str, password: &str) -> Result<StoredLogin, LoginFault> {
        Ok(StoredLogin {
            username: username.into(),
            password: Some(password.into()),
            ..StoredLogin::default()
        })
    }

    #[test]
    fn all_forms_of_an_entry() {
        assert_eq!(one(r#"{"auth":"dTpwOnE="}"#), basic("u", "p:q"));
        assert_eq!(one(r#"{"auth":"dXNlcjpwYXM"}"#), basic("user", "pas"), "padding may be missing");
        assert_eq!(one(r#"{"auth":"dTpw\r\n"}"#), basic("u", "p"));
        assert_eq!(one(r#"{"auth":"dTpw","username":"x","password":"y"}"#), basic("u", "p"), "auth wins");
        assert_eq!(one(r#"{"username":"robot$p+n","password":"p","email":1}"#), basic("robot$p+n", "p"));
        assert_eq!(one(r#"{"Username":"u","PASSWORD":"p"}"#), basic("u", "p"));
        let token = one(r#"{"auth":"MDAwOg==","identitytoken":"t"}"#).unwrap();
        assert_eq!((token.username.as_str(), token.password), ("000", None), "an empty password is none");
        assert_eq!(token.identity_token, Some("t".into()));
        assert_eq!(one(r#"{"registrytoken":"t"}"#).unwrap().registry_token, Some("t".into()));
        assert!(one("{}").unwrap().is_empty() && one("null").unwrap().is_empty());
        for (entry, fault) in [
            (r#"{"auth":"!!"}"#, LoginFault::Base64),
            (r#"{"auth":"dXA="}"#, LoginFault::Pair),
            (r#"{"auth":"/zpw"}"#, LoginFault::Pair),
            (r#"{"auth":1}"#, LoginFault::Form),
            ("[]", LoginFault::Form),
        ] {
            assert_eq!(one(entry), Err(fault), "{entry}");
        }
    }

    #[cfg(feature = "registry")]
    #[test]
    fn a_file_that_cannot_be_used_is_told_from_an_empty_one() {
        for text in ["", " \n", "{}", r#"{"auths":null,"credsStore":"","credHelpers":{"h":null}}"#] {
            assert_eq!(DockerConfig::parse(text.as_bytes()), Some(DockerConfig::default()), "{text}");
        }
        for text in [
            "[]",
            "x",
            "\"word\"",
            "7",
            "null",
            r#"{"auths":[]}"#,
            r#"{"auths":"word"}"#,
            r#"{"auths":{}} x"#,
            r#"{"credHelpers":["pass"]}"#,
            r#"{"credHelpers":"pass"}"#,
            r#"{"credHelpers":{"h":["pass"]}}"#,
            r#"{"credHelpers":{"h":1}}"#,
            r#"{"credsStore":["pass"]}"#,
            r#"{"credsStore":{"name":"pass"}}"#,
            "\u{feff}{}",
        ] {
            assert_eq!(DockerConfig::parse(text.as_bytes()), None, "{text}");
        }
        for text in ["[]", "x", "\"word\"", "7", "null", "{} x"] {
            assert_eq!(DockerConfig::parse_legacy(text.as_bytes()), None, "{text}");
            assert_eq!(DockerConfig::parse_secret(text.as_bytes()), None, "{text}");
        }
        let secret = br#"{"auths":{"a":{"auth":"dTpw"}},"credsStore":[]}"#;
        assert_eq!(DockerConfig::parse_secret(secret).unwrap().auths.len(), 1, "no cluster looks at helpers");
        let file =
            br#"{"auths":{"a":{},"b":{"auth":"!"}},"credHelpers":{"c":"pass"},"credsStore":"desktop"}"#;
        let config = DockerConfig::parse(file).unwrap();
        assert_eq!((config.auths.len(), config.store.as_deref()), (2, Some("desktop")));
        assert_eq!(config.helpers, BTreeMap::from([("c".to_owned(), "pass".to_owned())]));
    }
}
