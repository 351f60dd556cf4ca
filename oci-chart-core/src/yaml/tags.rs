//! The tags that mean something to go-yaml.

/// A scalar's tag, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    None,
    /// `!`: not a tag of its own, but a plain scalar with it is text.
    NonSpecific,
    String,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
    Binary,
    Merge,
    /// Any other: the scalar is text.
    Other,
}

impl Tag {
    pub(super) const COMMON_PREFIX: &'static [u8] = b"tag:yaml.org,2002:";

    /// The tag whose text is `prefix` and `suffix` together. Long ones are not put together: all that matter are short.
    pub(super) fn from_parts(prefix: &[u8], suffix: &[u8]) -> Self {
        const LONGEST: usize = b"tag:yaml.org,2002:timestamp".len();
        if prefix.len() + suffix.len() > LONGEST {
            return Self::Other;
        }
        let whole = [prefix, suffix].concat();
        if whole == b"!" {
            return Self::NonSpecific;
        }
        match whole.strip_prefix(Self::COMMON_PREFIX) {
            Some(b"str") => Self::String,
            Some(b"bool") => Self::Bool,
            Some(b"int") => Self::Int,
            Some(b"float") => Self::Float,
            Some(b"null") => Self::Null,
            Some(b"timestamp") => Self::Timestamp,
            Some(b"binary") => Self::Binary,
            Some(b"merge") => Self::Merge,
            _ => Self::Other,
        }
    }
}
