use crate::json;

/// One entry of `import-values`: the name of an export, or a path in the dependency and one in the parent.
///
/// Helm keeps whatever stands there, so the JSON text is the value and [`spec`](Self::spec) is a view of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportValue(String);

/// What an [`ImportValue`] means.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportSpec {
    /// Everything below `exports.<name>` of the dependency.
    Export(String),
    /// What the dependency has at `child`, put at `parent`.
    Mapping {
        /// A path in the dependency's values.
        child: String,
        /// A path in the parent's values.
        parent: String,
    },
    /// Something that Helm carries along and then warns about.
    Other,
}

impl ImportValue {
    /// Takes over everything below `exports.<name>`.
    pub fn export(name: &str) -> Self {
        let mut text = String::new();
        json::string(&mut text, name);
        Self(text)
    }

    /// Takes over what the dependency has at `child`, to `parent`.
    pub fn mapping(child: &str, parent: &str) -> Self {
        let mut text = String::from("{\"child\":");
        json::string(&mut text, child);
        text.push_str(",\"parent\":");
        json::string(&mut text, parent);
        text.push('}');
        Self(text)
    }

    /// `json` must be what Go writes.
    pub(in crate::chart) fn from_json(json: String) -> Self {
        Self(json)
    }

    /// The value as JSON, as it stands in a configuration blob.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// What it means.
    pub fn spec(&self) -> ImportSpec {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Form {
            Export(String),
            Mapping { child: String, parent: String },
        }
        match serde_json::from_str(&self.0) {
            Ok(Form::Export(name)) => ImportSpec::Export(name),
            Ok(Form::Mapping { child, parent }) => ImportSpec::Mapping { child, parent },
            Err(_) => ImportSpec::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_of_the_text() {
        assert_eq!(ImportValue::export("a<b").as_json(), r#""a\u003cb""#);
        assert_eq!(ImportValue::export("a<b").spec(), ImportSpec::Export("a<b".into()));
        let mapping = ImportValue::mapping("a.b", "c");
        assert_eq!(mapping.as_json(), r#"{"child":"a.b","parent":"c"}"#);
        assert_eq!(mapping.spec(), ImportSpec::Mapping { child: "a.b".into(), parent: "c".into() });
        for other in ["1", "null", "[]", r#"{"child":1,"parent":"x"}"#] {
            assert_eq!(ImportValue::from_json(other.into()).spec(), ImportSpec::Other);
        }
    }
}
