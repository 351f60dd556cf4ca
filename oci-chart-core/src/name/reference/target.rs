//! What a person writes to say where a chart is and which one is meant.

use std::{fmt, str::FromStr};

use super::{BaseAddress, LAYOUT_SCHEME, Location, ParseReferenceError, Reference, Tag, parse_digest};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, ErrorKind},
    name::{Selector, SelectorError},
};

/// A location with a tag, a digest, both or neither behind it: the one text a command line or another language needs.
///
/// `oci://HOST/REPOSITORY[:TAG][@DIGEST]` is a [`Reference`], `oci-layout:PATH[:TAG][@DIGEST]` says the same of an image layout. In
/// the second form a tag is only looked for behind the last `/`, so a directory whose own name has a colon is written with a `/` at its end.
///
/// # Examples
///
/// ```
/// use oci_chart_core::name::Target;
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let target: Target = "oci-layout:./mirror:1.2.0".parse()?;
/// assert_eq!(target.location().to_string(), "oci-layout:./mirror");
/// assert_eq!(target.selector(None)?.to_string(), "1.2.0");
///
/// let any: Target = "oci://registry.example/charts/web".parse()?;
/// assert_eq!(any.selector(Some("^1.2"))?.to_string(), "^1.2");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    location: Location,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl Target {
    /// Reads a target. Without a scheme it is a reference into a registry.
    ///
    /// # Errors
    ///
    /// [`ParseTargetError`], which becomes [`ErrorKind::InvalidReference`].
    pub fn parse(text: &str) -> Result<Self, ParseTargetError> {
        let Some(rest) = text.strip_prefix(LAYOUT_SCHEME) else {
            return Ok(Reference::parse(text)?.into());
        };
        let (rest, digest) = match rest.rsplit_once('@') {
            Some((path, digest)) if is_like_a_digest(digest) => (path, Some(parse_digest(digest)?)),
            _ => (rest, None),
        };
        let (path, tag) =
            match rest.rsplit_once(':').map(|(path, tag)| (path, Tag::parse(&tag.replace('+', "_")))) {
                Some((path, Ok(tag))) => (path, Some(tag)),
                _ => (rest, None),
            };
        if path.is_empty() {
            return Err(ParseTargetError::NoPath);
        }
        Ok(Self { location: Location::layout(path), tag, digest })
    }

    /// Where a push of a chart called `name` to `text` goes: below the registry path of `oci://HOST[/PATH]`, as `helm push` has it, or into
    /// the image layout of `oci-layout:PATH`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`], also when a tag or digest is given: the chart brings its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use oci_chart_core::name::Target;
    ///
    /// # fn main() -> Result<(), oci_chart_core::Error> {
    /// let place = Target::of_push("oci://registry.example/charts", "web")?;
    /// assert_eq!(place.to_string(), "oci://registry.example/charts/web");
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_push(text: &str, name: &str) -> Result<Location, Error> {
        if !text.starts_with(LAYOUT_SCHEME) {
            return Ok(text.parse::<BaseAddress>()?.repository(name)?.into());
        }
        let target = Self::parse(text)?;
        match (&target.tag, &target.digest) {
            (None, None) => Ok(target.location),
            _ => Err(ParseTargetError::NotALocation { target: text.to_owned() }.into()),
        }
    }

    /// The location alone.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The location alone.
    pub fn into_location(self) -> Location {
        self.location
    }

    /// The tag, if one is given.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, if one is given.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// What is meant, together with a wanted version beside the target (empty is none): see [`Selector::from_parts`].
    ///
    /// # Errors
    ///
    /// [`SelectorError`], which becomes [`ErrorKind::InvalidVersion`] or [`ErrorKind::InvalidReference`].
    pub fn selector(&self, version: Option<&str>) -> Result<Selector, SelectorError> {
        Selector::from_parts(self.tag.as_ref(), self.digest, version)
    }
}

/// A path may have an `@`; what begins like a digest was meant as one.
fn is_like_a_digest(text: &str) -> bool {
    [Algorithm::Sha256, Algorithm::Sha512]
        .iter()
        .any(|algorithm| text.strip_prefix(algorithm.name()).is_some_and(|rest| rest.starts_with(':')))
}

impl From<Reference> for Target {
    fn from(reference: Reference) -> Self {
        let (tag, digest) = (reference.tag().cloned(), reference.digest().copied());
        Self { location: reference.address().clone().into(), tag, digest }
    }
}

impl From<Location> for Target {
    fn from(location: Location) -> Self {
        Self { location, tag: None, digest: None }
    }
}

impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, ParseTargetError> {
        Self::parse(text)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.location.fmt(f)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseTargetError {
    /// There is no path behind `oci-layout:`.
    NoPath,
    /// A place to push to was asked for, and a tag or digest came with it.
    NotALocation {
        /// What came.
        target: String,
    },
    /// No reference, or no digest behind the `@`.
    Reference(ParseReferenceError),
}

impl From<ParseReferenceError> for ParseTargetError {
    fn from(error: ParseReferenceError) -> Self {
        Self::Reference(error)
    }
}

impl fmt::Display for ParseTargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPath => write!(f, "invalid location: no path behind {LAYOUT_SCHEME}"),
            Self::NotALocation { target } => {
                write!(f, "invalid location {target:?}: it has a tag or a digest")
            }
            Self::Reference(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ParseTargetError {}

impl From<ParseTargetError> for Error {
    fn from(error: ParseTargetError) -> Self {
        let hint = match &error {
            ParseTargetError::NoPath => "write oci-layout:PATH, the path of a directory",
            ParseTargetError::NotALocation { .. } => {
                "leave out the tag and the digest; the chart brings its own"
            }
            ParseTargetError::Reference(error) => error.hint(),
        };
        Self::new(ErrorKind::InvalidReference, error.to_string()).with_source(error).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parts(text: &str) -> (String, Option<String>, bool) {
        let target = Target::parse(text).unwrap();
        (target.location().to_string(), target.tag().map(Tag::to_string), target.digest().is_some())
    }

    #[test]
    fn a_layout_takes_tag_and_digest_as_a_registry_does() {
        for place in ["oci-layout:a/b", "oci://h:1/a"] {
            let tag = || Some("1.0_x".to_owned());
            assert_eq!(parts(place), (place.to_owned(), None, false));
            assert_eq!(parts(&format!("{place}:1.0+x")), (place.to_owned(), tag(), false));
            assert_eq!(parts(&format!("{place}@{DIGEST}")), (place.to_owned(), None, true));
            assert_eq!(parts(&format!("{place}:1.0_x@{DIGEST}")), (place.to_owned(), tag(), true));
        }
    }

    #[test]
    fn colons_and_at_signs_of_directories_stay_theirs() {
        for path in [
            "oci-layout:a:b/c",
            "oci-layout:C:\\charts",
            "oci-layout:a:b/",
            "oci-layout:team@home/x",
            "oci-layout:a: b",
        ] {
            assert_eq!(parts(path), (path.to_owned(), None, false));
        }
    }

    #[test]
    fn half_a_digest_is_no_part_of_a_path() {
        assert!(matches!(
            Target::parse("oci-layout:a@sha256:12"),
            Err(ParseTargetError::Reference(ParseReferenceError::Digest { .. }))
        ));
        for text in ["oci-layout:", "oci-layout::1.0", &format!("oci-layout:@{DIGEST}")] {
            assert_eq!(Target::parse(text), Err(ParseTargetError::NoPath), "{text}");
        }
    }

    #[test]
    fn a_chart_pushed_brings_its_own_tag() {
        assert_eq!(Target::of_push("oci-layout:a/b", "web").ok(), Some(Location::layout("a/b")));
        for text in ["oci-layout:a/b:1.0", "oci://h/a:1.0", "oci://h/a@sha256:12"] {
            assert_eq!(
                Target::of_push(text, "web").map_err(|error| error.kind()),
                Err(ErrorKind::InvalidReference)
            );
        }
    }

    #[test]
    fn a_target_prints_as_it_was_read() {
        for text in ["oci-layout:a/b:1.0", "oci://h:1/a:1.0"] {
            let text = format!("{text}@{DIGEST}");
            assert_eq!(Target::parse(&text).map(|target| target.to_string()), Ok(text));
        }
    }
}
