use serde_json::Value;

const MOST_ERRORS: usize = 8;
const LONGEST_TEXT: usize = 500;

/// One entry of the `errors` list of a registry's answer (distribution spec, "Error Codes").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegistryError {
    /// The code as it came, known or not; empty where there was none.
    pub(crate) code: String,
    /// What the registry says to people, with the detail behind it.
    pub(crate) message: String,
}

/// What the body of a refused request tells, whatever its form. Texts are cut and free of control characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ErrorBody {
    pub(crate) errors: Vec<RegistryError>,
}

impl ErrorBody {
    /// Reads `errors` lists, the single objects that token services and proxies send, and plain text. Pages of HTML tell
    /// nothing.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let errors = match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => match value.get("errors").and_then(Value::as_array) {
                Some(list) => list.iter().take(MOST_ERRORS).filter_map(entry).collect(),
                None => entry(&value).into_iter().collect(),
            },
            Err(_) => plain(bytes).into_iter().collect(),
        };
        Self { errors }
    }

    /// Whether one of the codes is `code`.
    pub(crate) fn has(&self, code: &str) -> bool {
        self.errors.iter().any(|error| error.code.eq_ignore_ascii_case(code))
    }

    /// Whether one of the messages has all of these words, in their order, in whatever case.
    pub(crate) fn says(&self, words: &[&str]) -> bool {
        self.errors.iter().any(|error| {
            let text = error.message.to_ascii_lowercase();
            let mut rest = text.as_str();
            words.iter().all(|word| match rest.split_once(word) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            })
        })
    }

    /// The codes, joined by commas.
    pub(crate) fn codes(&self) -> String {
        let codes: Vec<_> =
            self.errors.iter().map(|error| error.code.as_str()).filter(|code| !code.is_empty()).collect();
        codes.join(", ")
    }
}

fn entry(value: &Value) -> Option<RegistryError> {
    let first = |keys: &[&str]| keys.iter().find_map(|key| value.get(key)).map(shown).unwrap_or_default();
    let code = first(&["code", "error"]);
    let mut message = first(&["message", "error_description", "details"]);
    let detail = first(&["detail"]);
    if !detail.is_empty() && detail != "null" && detail != "{}" && detail != message {
        message = if message.is_empty() { detail } else { clean(&format!("{message}: {detail}")) };
    }
    (!code.is_empty() || !message.is_empty()).then_some(RegistryError { code, message })
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => clean(text),
        other => clean(&other.to_string()),
    }
}

fn plain(bytes: &[u8]) -> Option<RegistryError> {
    let message = clean(&String::from_utf8_lossy(bytes.get(..4 * LONGEST_TEXT).unwrap_or(bytes)));
    (!message.is_empty() && !message.starts_with('<')).then(|| RegistryError { code: String::new(), message })
}

/// What a terminal may show: one line, no control characters (they could move the cursor), not too long.
fn clean(text: &str) -> String {
    let mut shown = String::new();
    for word in text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()) {
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(word);
        if let Some((cut, _)) = shown.char_indices().nth(LONGEST_TEXT) {
            shown.truncate(cut);
            shown.push('…');
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_all_kinds() {
        for (body, expected) in [
            (r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no repo"}]}"#, "NAME_UNKNOWN<no repo>"),
            (r#"{"errors":[{"code":"ARTIFACT_LOCKED","detail":{"x":1}}]}"#, r#"ARTIFACT_LOCKED<{"x":1}>"#),
            (
                r#"{"errors":[{"code":"A","message":"m","detail":"d"},{"code":"B","detail":null}]}"#,
                "A<m: d> B<>",
            ),
            (r#"{"errors":[{"code":"A","message":"m","detail":{}}, 7, {}]}"#, "A<m>"),
            (r#"{"errors":[]}"#, ""),
            (r#"{"errors":"no list","message":"m"}"#, "<m>"),
            (r#"{"details":"incorrect username or password"}"#, "<incorrect username or password>"),
            (r#"{"error":"invalid_client","error_description":"bad"}"#, "invalid_client<bad>"),
            (r#"{"token":"secret"}"#, ""),
            ("null", ""),
            ("Service \u{1b}[31m down\n\n today", "<Service [31m down today>"),
            ("<html><body>502</body></html>", ""),
            ("", ""),
        ] {
            let shown: Vec<_> = ErrorBody::parse(body.as_bytes())
                .errors
                .iter()
                .map(|error| format!("{}<{}>", error.code, error.message))
                .collect();
            assert_eq!(shown.join(" "), expected, "{body}");
        }
    }

    #[test]
    fn words_are_found_in_their_order() {
        let told = ErrorBody::parse(
            br#"{"errors":[{"code":"A","message":"Project x not found"},{"message":"other"}]}"#,
        );
        assert!(told.says(&["project ", " not found"]) && told.says(&["other"]) && told.says(&[]));
        assert!(!told.says(&["not found", "project"]) && !told.says(&["project", "other"]));
    }

    #[test]
    fn texts_and_lists_are_cut() {
        let long = ErrorBody::parse("é".repeat(100_000).as_bytes());
        assert_eq!(long.errors[0].message.chars().count(), LONGEST_TEXT + 1);
        let many = format!(r#"{{"errors":[{}]}}"#, vec![r#"{"code":"A"}"#; 50].join(","));
        assert_eq!(ErrorBody::parse(many.as_bytes()).errors.len(), MOST_ERRORS);
        assert_eq!(ErrorBody::parse(b"\xff\xfe").codes(), "");
    }
}
