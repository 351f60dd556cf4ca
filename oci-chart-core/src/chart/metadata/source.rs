//! The two texts that metadata is read from, seen alike: YAML of a chart, JSON of a configuration blob.

use std::borrow::Cow;

use crate::yaml::Position;

/// What stands at one place of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chart) enum Kind {
    Null,
    Bool,
    Number,
    String,
    List,
    Map,
}

impl Kind {
    /// The word of Go's JSON decoder, which Helm's messages use.
    pub(in crate::chart) const fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Number => "number",
            Self::String => "string",
            Self::List => "array",
            Self::Map => "object",
        }
    }
}

/// One place of a document that a chart's metadata or lock is read from.
pub(in crate::chart) trait Source<'a>: Copy {
    fn kind(self) -> Kind;

    /// Where it stands, if that is known.
    fn position(self) -> Option<Position>;

    /// The entries of a map in the order in which Helm takes them over, each key once.
    fn entries(self) -> Vec<(Cow<'a, str>, Self)>;

    /// The items of a list.
    fn items(self) -> Vec<Self>;

    fn as_bool(self) -> Option<bool>;

    /// A scalar as it goes into a text field; `None` for what cannot go there.
    fn text(self) -> Option<Cow<'a, str>>;

    /// The value as Go writes it after reading it into `any`: sorted keys, numbers through `float64`. `None` for a value that
    /// JSON cannot hold (infinities).
    fn json(self) -> Option<String>;
}

/// Whether `key` names `field`, which is given in lower case, as Go's JSON decoder sees it: any case, the long s, the Kelvin sign.
pub(in crate::chart) fn names(field: &str, key: &str) -> bool {
    let folded = key.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => c.to_ascii_lowercase(),
    });
    folded.eq(field.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_fold_as_in_go() {
        assert!(names("apiversion", "apiVer\u{17f}ion") && names("keywords", "\u{212a}EYWORDS"));
        assert!(!names("name", "nam") && !names("name", "names") && !names("name", "nämé"));
        assert!(!names("import-values", "ImportValues"));
    }
}
