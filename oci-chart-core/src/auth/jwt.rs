use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::Scope;
use crate::json::{self, Object};

/// Tokens above this are not looked into, in bytes.
const MOST: usize = 64 << 10;

/// What a JSON Web Token (RFC 7519) says about itself. Nobody has checked its signature: this serves to explain and to be early,
/// never to decide who may do what.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    exp: Option<f64>,
    /// Whom the token is for: empty, or missing, where that is nobody.
    sub: Option<serde_json::Value>,
    /// Rights in the form of distribution's tokens ("Docker Registry v2 Bearer token specification").
    access: Option<Vec<Object<Access>>>,
}

#[derive(Debug, Deserialize)]
struct Access {
    r#type: String,
    name: String,
    actions: Vec<String>,
}

impl Claims {
    /// The claims of `token`, if it is of this form.
    pub(crate) fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (header, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
            return None;
        };
        if token.len() > MOST || !header.starts_with("ey") {
            return None;
        }
        json::object(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    /// When the token ends.
    pub(super) fn expiry(&self) -> Option<SystemTime> {
        let since = Duration::try_from_secs_f64(self.exp?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(since)
    }

    /// Whether it is a registry's token for callers without a name.
    pub(super) fn is_nobodys(&self) -> bool {
        self.access.is_some() && !self.is_somebodys()
    }

    /// Whether it says whose it is.
    pub(super) fn is_somebodys(&self) -> bool {
        self.sub.as_ref().is_some_and(|sub| sub.as_str().is_none_or(|sub| !sub.is_empty()) && !sub.is_null())
    }

    /// What of `scope` the token does not allow; none where it does not say what it allows.
    pub(super) fn missing(&self, scope: &Scope) -> Option<Scope> {
        let granted = self.access.as_ref()?.iter();
        let granted =
            granted.map(|Object(one)| format!("{}:{}:{}", one.r#type, one.name, one.actions.join(",")));
        let granted = Scope::parse(&granted.collect::<Vec<_>>().join(" "));
        Some(scope.without(&granted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("eyJhbGciOiJub25lIn0.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_says_when_it_ends() {
        let expiry = |text: &str| Claims::of(text).and_then(|claims| claims.expiry());
        let second = |n| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(n));
        assert_eq!(expiry(&token(r#"{"exp":1784111777}"#)), second(1_784_111_777));
        assert_eq!(expiry(&token(r#"{"exp":1.0,"x":[]}"#)), second(1));
        for claims in
            ["{}", r#"{"exp":"1"}"#, r#"{"exp":-1}"#, r#"{"exp":1e300}"#, "[]", "[1,null,null]", "no json"]
        {
            assert_eq!(expiry(&token(claims)), None, "{claims}");
        }
        for text in ["", "a.b", "a.b.c", "ey.!!.c", "ghp_abc", "eyJ.e30.x.y"] {
            assert_eq!(expiry(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_says_whose_it_is() {
        let whose = |claims: &str| {
            let claims = Claims::of(&token(claims)).unwrap();
            (claims.is_somebodys(), claims.is_nobodys())
        };
        assert_eq!(whose(r#"{"sub":"robot$a+ci","access":[]}"#), (true, false));
        assert_eq!(whose(r#"{"sub":7,"access":[]}"#), (true, false));
        for claims in [r#"{"access":[]}"#, r#"{"sub":"","access":[]}"#, r#"{"sub":null,"access":[]}"#] {
            assert_eq!(whose(claims), (false, true), "{claims}");
        }
        assert_eq!(whose("{}"), (false, false), "no registry's token");
    }

    #[test]
    fn a_token_says_what_it_does_not_allow() {
        let missing = |claims: &str, scope: &str| {
            let missing = Claims::of(&token(claims)).unwrap().missing(&Scope::parse(scope));
            missing.map(|scope| scope.to_string())
        };
        let pull = r#"{"access":[{"type":"repository","name":"a/b","actions":["pull"]}]}"#;
        assert_eq!(missing(pull, "repository:a/b:pull").as_deref(), Some(""));
        assert_eq!(missing(pull, "repository:a/b:pull,push").as_deref(), Some("repository:a/b:push"));
        assert_eq!(missing(r#"{"access":[]}"#, "repository:a:pull").as_deref(), Some("repository:a:pull"));
        assert_eq!(missing("{}", "repository:a:pull"), None);
    }
}
