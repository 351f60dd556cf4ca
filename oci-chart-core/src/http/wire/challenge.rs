use std::fmt;

/// One authentication challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1): how a server wants to be shown who is asking.
///
/// # Examples
///
/// ```
/// use oci_chart_core::auth::Challenge;
///
/// let challenges = Challenge::parse(br#"Negotiate, BEARER realm = https://auth.example/token ,service="registry, the""#);
/// assert_eq!(challenges[1].scheme(), "bearer");
/// assert_eq!(challenges[1].get("service"), Some("registry, the"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// In lower case.
    pub(crate) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Every challenge of one header value, in its order. Servers send many forms (values without quotes, blanks around the signs, missing
    /// and doubled commas, bytes that are no ASCII); all are read as far as they mean something, and none is an error.
    pub fn parse(header: &[u8]) -> Vec<Self> {
        let mut scan = Scan { rest: header };
        let mut challenges: Vec<Self> = Vec::new();
        loop {
            scan.skip(|byte| byte == b',' || byte.is_ascii_whitespace());
            let word = scan.take(is_token);
            if word.is_empty() {
                // A byte that starts nothing is passed over; the end is the end.
                if scan.rest.is_empty() {
                    return challenges;
                }
                scan.advance(1);
                continue;
            }
            match (scan.parameter_follows(), challenges.last_mut()) {
                (true, Some(challenge)) => {
                    scan.skip(|byte| byte == b'=' || byte.is_ascii_whitespace());
                    let key = lower(word);
                    let value = scan.value(key == "scope");
                    if challenge.get(&key).is_none() {
                        challenge.parameters.push((key, value));
                    }
                }
                (true, None) => {}
                (false, Some(_)) if scan.rest.first() == Some(&b'=') => {
                    // The end of a token68, as `Negotiate` has them: not for us.
                    scan.skip(|byte| byte == b'=');
                }
                (false, _) => challenges.push(Self { scheme: lower(word), parameters: Vec::new() }),
            }
        }
    }

    /// The scheme in lower case: `basic`, `bearer`, ...
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The first parameter of that name, which is in lower case.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// As a header has it.
impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        for (n, (key, value)) in self.parameters.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            write!(f, "{} {key}=\"{value}\"", if n == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    fn advance(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn take(&mut self, keep: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !keep(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip(&mut self, over: impl Fn(u8) -> bool) {
        self.take(over);
    }

    /// Whether `= value` follows, and not the padding of a token68.
    fn parameter_follows(&self) -> bool {
        let rest = self.rest.trim_ascii_start();
        let Some(value) = rest.strip_prefix(b"=") else { return false };
        let blanks_around =
            rest.len() != self.rest.len() || value.first().is_some_and(u8::is_ascii_whitespace);
        let value = value.trim_ascii_start();
        match value.first() {
            None => false,
            Some(b'=') => false,
            Some(b',') => !blanks_around,
            Some(_) => true,
        }
    }

    fn value(&mut self, is_scope: bool) -> String {
        if self.rest.first() == Some(&b'"') {
            self.advance(1);
            return self.quoted();
        }
        let start = self.rest;
        loop {
            self.skip(|byte| byte != b',' && !byte.is_ascii_whitespace());
            // An unquoted scope has commas between its actions: `repository:a/b:pull,push`.
            let actions = is_scope
                && self.rest.strip_prefix(b",").is_some_and(|after| {
                    let word = after.iter().take_while(|byte| is_token(**byte)).count();
                    word > 0 && matches!(after.get(word), None | Some(b',' | b' '))
                });
            if !actions {
                break;
            }
            self.advance(1);
        }
        text(start.get(..start.len() - self.rest.len()).unwrap_or_default())
    }

    fn quoted(&mut self) -> String {
        let mut value = Vec::new();
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            match byte {
                b'"' => break,
                b'\\' => {
                    if let Some((&escaped, rest)) = rest.split_first() {
                        value.push(escaped);
                        self.rest = rest;
                    }
                }
                _ => value.push(byte),
            }
        }
        text(&value)
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~/".contains(&byte)
}

fn lower(word: &[u8]) -> String {
    text(word).to_ascii_lowercase()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(header: &str) -> String {
        let one = |challenge: &Challenge| {
            let parameters: Vec<_> =
                challenge.parameters.iter().map(|(key, value)| format!("{key}<{value}>")).collect();
            format!("{}({})", challenge.scheme, parameters.join(" "))
        };
        Challenge::parse(header.as_bytes()).iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn forms_that_servers_send() {
        for (header, expected) in [
            ("", ""),
            (" , ,", ""),
            ("Basic", "basic()"),
            (r#"Basic realm="a b""#, "basic(realm<a b>)"),
            (r#"BEARER Realm="https://a/t",SERVICE="s""#, "bearer(realm<https://a/t> service<s>)"),
            // Commas and escapes inside quotes.
            (
                r#"Bearer scope="repository:a:pull,push",realm="x\"y\\z""#,
                r#"bearer(scope<repository:a:pull,push> realm<x"y\z>)"#,
            ),
            // No quotes, even around an address with a query.
            ("Bearer realm=https://a/t?x=1&y=2,service=s", "bearer(realm<https://a/t?x=1&y=2> service<s>)"),
            (
                "Bearer scope=repository:a/b:pull,push,service=s",
                "bearer(scope<repository:a/b:pull,push> service<s>)",
            ),
            ("Bearer scope=repository:a/b:pull,push", "bearer(scope<repository:a/b:pull,push>)"),
            // Blanks around the signs, missing and trailing commas.
            (r#"Bearer realm = "x" , service = "y" ,"#, "bearer(realm<x> service<y>)"),
            (r#"Bearer realm="x" service="y""#, "bearer(realm<x> service<y>)"),
            // Several challenges in one header.
            (r#"Negotiate, Basic realm="b""#, "negotiate() basic(realm<b>)"),
            (
                r#"Bearer realm="x",service="y", Basic realm="b""#,
                "bearer(realm<x> service<y>) basic(realm<b>)",
            ),
            (r#"Basic realm="b" Bearer realm="x""#, "basic(realm<b>) bearer(realm<x>)"),
            ("Negotiate abc==, Basic realm=b", "negotiate() basic(realm<b>)"),
            ("Negotiate abc=, Basic realm=b", "negotiate(abc<>) basic(realm<b>)"),
            // The first of a doubled parameter counts; empty values are values.
            (r#"Bearer realm="x",realm="y",service="""#, "bearer(realm<x> service<>)"),
            ("Bearer service=,realm=x", "bearer(service<> realm<x>)"),
            // Not ASCII, not closed, not a challenge.
            (r#"Basic realm="Zürich""#, "basic(realm<Zürich>)"),
            (r#"Basic realm="open"#, "basic(realm<open>)"),
            (r#"Basic realm="open\"#, "basic(realm<open>)"),
            (r#"="x", realm="y""#, "x(realm<y>)"),
        ] {
            assert_eq!(shown(header), expected, "{header}");
        }
    }

    #[test]
    fn long_and_broken_headers_end() {
        for unit in ["=", ",", "\"", "a=", "a ", "scope=a,", "\\", "\u{ff}"] {
            Challenge::parse(unit.repeat(20_000).as_bytes());
        }
    }
}
