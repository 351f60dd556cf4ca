//! Where charts live: hosts, repositories, tags, and the references made of them.

mod base;
mod host;
mod location;
mod repository;
mod tag;
mod target;

use std::{fmt, str::FromStr};

pub use base::{BaseAddress, ParseBaseAddressError};
pub use host::{Host, ParseHostError};
pub use location::{Location, ParseLocationError};
pub use repository::{ParseRepositoryNameError, RepositoryAddress, RepositoryName};
pub use tag::{ParseTagError, Tag};
pub use target::{ParseTargetError, Target};

use crate::{
    digest::{Digest, ParseDigestError},
    error::{Error, ErrorKind},
};

/// The scheme of charts in registries.
const SCHEME: &str = "oci://";

/// The scheme of charts in image layouts.
const LAYOUT_SCHEME: &str = "oci-layout:";

/// A chart in a registry: `[oci://]host[:port]/path[:tag][@digest]`.
///
/// The scheme may be left out, as in Helm's own parser. Nothing is ever invented: no default host, no `library/`, no tag `latest`.
/// A `+` in the tag is stored as `_`, so a chart version can be written as it is. `Display` gives the text without the scheme.
///
/// Helm 4.2 takes some texts that are refused here, because what it makes of them is not what their writer meant:
///
/// - An empty tag or digest (`host/a:`, `host/a@`): mostly an unset variable in a script; Helm pulls the newest version.
/// - A digest that is none behind a tag (`host/a:1@sha256:abc`, `host/a@DIGEST@c`): Helm throws it away, and with it the pin.
/// - A `+` in the path that also stands in the tag (`host/a1+x/b:1+x`): Helm's replacement runs over the whole text
///   and goes to another repository (`a1_x/b`).
/// - User, query, fragment and percent signs, which Helm refuses one step later.
/// - Hosts that cannot exist: see [`Host`].
///
/// # Examples
///
/// ```
/// use oci_chart_core::name::Reference;
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let reference: Reference = "oci://registry.example:5000/charts/web:1.2.3+build".parse()?;
/// assert_eq!(reference.repository().as_str(), "charts/web");
/// assert_eq!(reference.tag().map(|tag| tag.as_str()), Some("1.2.3_build"));
/// assert_eq!(reference.to_string(), "registry.example:5000/charts/web:1.2.3_build");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    address: RepositoryAddress,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl Reference {
    /// A reference made of its parts.
    pub fn new(address: RepositoryAddress, tag: Option<Tag>, digest: Option<Digest>) -> Self {
        Self { address, tag, digest }
    }

    /// Reads a reference.
    ///
    /// # Errors
    ///
    /// [`ParseReferenceError`], which becomes [`ErrorKind::InvalidReference`].
    pub fn parse(text: &str) -> Result<Self, ParseReferenceError> {
        let rest = strip_scheme(text)?;
        let (host, path) = rest.split_once('/').ok_or(ParseReferenceError::NoRepository)?;
        if host.contains('@') {
            return Err(ParseReferenceError::UserInfo);
        }
        let (path, digest) = match path.split_once('@') {
            Some((path, digest)) => (path, Some(parse_digest(digest)?)),
            None => (path, None),
        };
        let (path, tag) = match path.split_once(':') {
            Some((path, tag)) => (path, Some(Tag::parse(&tag.replace('+', "_"))?)),
            None => (path, None),
        };
        let address = RepositoryAddress::new(Host::parse(host)?, RepositoryName::parse(path)?);
        Ok(Self { address, tag, digest })
    }

    /// Host and repository.
    pub fn address(&self) -> &RepositoryAddress {
        &self.address
    }

    /// The host.
    pub fn host(&self) -> &Host {
        self.address.host()
    }

    /// The repository in the host.
    pub fn repository(&self) -> &RepositoryName {
        self.address.repository()
    }

    /// The tag, if one is given.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, if one is given.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

/// The text behind `oci://`, or all of it if there is no scheme.
fn strip_scheme(text: &str) -> Result<&str, ParseReferenceError> {
    match (text.strip_prefix(SCHEME), text.split_once("://")) {
        (Some(rest), _) => Ok(rest),
        (None, Some((scheme, _))) => Err(ParseReferenceError::Scheme { scheme: scheme.to_owned() }),
        (None, None) => Ok(text),
    }
}

fn parse_digest(text: &str) -> Result<Digest, ParseReferenceError> {
    text.parse().map_err(|error| ParseReferenceError::Digest { digest: text.to_owned(), error })
}

impl FromStr for Reference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, ParseReferenceError> {
        Self::parse(text)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host(), self.repository())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseReferenceError {
    /// Another scheme than `oci`, in lower case.
    Scheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// There is no `/` behind the host.
    NoRepository,
    /// A user, perhaps with a password, stands before the host. The text is not repeated here.
    UserInfo,
    /// A repository was asked for, and a tag or digest came with it.
    NotARepository {
        /// What came.
        reference: String,
    },
    /// The host is none.
    Host(ParseHostError),
    /// The repository name is none.
    Repository(ParseRepositoryNameError),
    /// The tag is none.
    Tag(ParseTagError),
    /// The digest is none.
    Digest {
        /// The text behind the `@`.
        digest: String,
        /// What is wrong with it.
        error: ParseDigestError,
    },
}

impl From<ParseHostError> for ParseReferenceError {
    fn from(error: ParseHostError) -> Self {
        Self::Host(error)
    }
}

impl From<ParseRepositoryNameError> for ParseReferenceError {
    fn from(error: ParseRepositoryNameError) -> Self {
        Self::Repository(error)
    }
}

impl From<ParseTagError> for ParseReferenceError {
    fn from(error: ParseTagError) -> Self {
        Self::Tag(error)
    }
}

impl ParseReferenceError {
    fn hint(&self) -> &'static str {
        match self {
            Self::Scheme { .. } => "the scheme is oci://, in lower case",
            Self::NoRepository => {
                "a reference has the form oci://HOST/REPOSITORY:TAG; nothing is filled in by itself"
            }
            Self::UserInfo => "log in to the registry instead of writing the user into the reference",
            Self::NotARepository { .. } => "leave out the tag and the digest",
            Self::Host(error) => error.hint(),
            Self::Repository(error) => error.hint(),
            Self::Tag(error) => error.hint(),
            Self::Digest { .. } => "a digest is sha256: and 64 lower-case hexadecimal digits",
        }
    }
}

impl fmt::Display for ParseReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid reference: ")?;
        match self {
            Self::Scheme { scheme } => write!(f, "scheme {scheme:?} not supported"),
            Self::NoRepository => f.write_str("missing registry or repository"),
            Self::UserInfo => f.write_str("a user stands before the host"),
            Self::NotARepository { reference } => write!(f, "{reference} names more than a repository"),
            Self::Host(error) => error.fmt(f),
            Self::Repository(error) => error.fmt(f),
            Self::Tag(error) => error.fmt(f),
            Self::Digest { digest, error } => write!(f, "invalid digest {digest:?}: {error}"),
        }
    }
}

impl std::error::Error for ParseReferenceError {}

impl From<ParseReferenceError> for Error {
    fn from(error: ParseReferenceError) -> Self {
        let hint = error.hint();
        Self::new(ErrorKind::InvalidReference, error.to_string()).with_source(error).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_prints_as_it_was_read() {
        let digest = Digest::of("x");
        for text in ["h/a", "h:1/a/b:x", "[::1]:5000/a:1.0.0_x", "docker.io/a"] {
            for text in [text.to_owned(), format!("{text}@{digest}")] {
                assert_eq!(Reference::parse(&text).map(|reference| reference.to_string()), Ok(text));
            }
        }
    }

    #[test]
    fn errors_name_the_part() {
        let words = |text: &str| Reference::parse(text).unwrap_err().to_string();
        assert_eq!(words("http://h/a:1"), "invalid reference: scheme \"http\" not supported");
        assert_eq!(words("h"), "invalid reference: missing registry or repository");
        assert_eq!(
            words("h/a:1@c"),
            "invalid reference: invalid digest \"c\": a digest has the form ALGORITHM:HEX"
        );
        assert!(words("h/A:1").starts_with("invalid reference: invalid repository \"A\""));
        assert!(words("h/a:-x").starts_with("invalid reference: invalid tag \"-x\""));
        assert_eq!(words("u:secret@h/a"), "invalid reference: a user stands before the host");
        assert!(words("oci:/h/a").starts_with("invalid reference: invalid registry \"oci:\""));
    }
}
