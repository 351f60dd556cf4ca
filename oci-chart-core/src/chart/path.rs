//! Paths of files inside a chart.

use std::{borrow::Borrow, fmt, path, path::Path, path::PathBuf, str::FromStr, sync::Arc};

use crate::error::{Error, ErrorKind, Reason};

/// The place of a file inside a chart: relative, `/` between its components, and safe to join to any directory.
///
/// A value of this type has no empty, `.` or `..` component, does not begin with `/`, with `..` or with a drive letter and a
/// slash, has neither `\` nor NUL, is Unicode and at most [`ChartPath::MAX_BYTES`] long. Helm reads `\` in an archive as a
/// separator and refuses whatever begins with `..`, so a chart with such names would not come back as it was packed.
///
/// Paths are ordered by their bytes. Cloning is cheap.
///
/// # Examples
///
/// ```
/// use oci_chart_core::chart::{ChartPath, ParsePathError};
///
/// let path: ChartPath = "templates/service.yaml".parse()?;
/// assert_eq!(path.file_name(), "service.yaml");
/// assert_eq!(path.components().next(), Some("templates"));
///
/// assert_eq!(ChartPath::new("/etc/passwd"), Err(ParsePathError::Absolute));
/// assert_eq!(ChartPath::new("a/../../b"), Err(ParsePathError::Parent));
/// assert_eq!(ChartPath::new("c:/b"), Err(ParsePathError::DriveLetter));
/// assert_eq!(ChartPath::new("a//b"), Err(ParsePathError::EmptyComponent));
/// assert_eq!(ChartPath::new("a\\b"), Err(ParsePathError::Backslash));
/// # Ok::<(), ParsePathError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChartPath(Arc<str>);

impl ChartPath {
    /// The longest path, in bytes: what Linux can open.
    pub const MAX_BYTES: usize = 4096;

    /// Checks `text`; nothing is cleaned or resolved.
    ///
    /// # Errors
    ///
    /// [`ParsePathError`], which says what is unsafe about it.
    pub fn new(text: &str) -> Result<Self, ParsePathError> {
        check(text)?;
        Ok(Self(text.into()))
    }

    /// The chart path of a relative path of the operating system, whose separators become `/`.
    ///
    /// # Errors
    ///
    /// [`ParsePathError`]: absolute paths, paths that climb, and names that are not Unicode.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    /// use oci_chart_core::chart::ChartPath;
    ///
    /// let path = ChartPath::from_os(&Path::new("charts").join("web").join("Chart.yaml"))?;
    /// assert_eq!(path.as_str(), "charts/web/Chart.yaml");
    /// # Ok::<(), oci_chart_core::chart::ParsePathError>(())
    /// ```
    pub fn from_os(relative: &Path) -> Result<Self, ParsePathError> {
        let mut text = String::with_capacity(relative.as_os_str().len());
        for component in relative.components() {
            let name = match component {
                path::Component::Normal(name) => name.to_str().ok_or(ParsePathError::NotUnicode)?,
                path::Component::CurDir => return Err(ParsePathError::DotComponent),
                path::Component::ParentDir => return Err(ParsePathError::Parent),
                path::Component::RootDir | path::Component::Prefix(_) => {
                    return Err(ParsePathError::Absolute);
                }
            };
            if !text.is_empty() {
                text.push('/');
            }
            text.push_str(name);
        }
        Self::new(&text)
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names between the slashes, from the top.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// Everything above the last component; none for a file at the top.
    pub fn parent(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(parent, _)| parent)
    }

    /// The path seen from `directory`, where it lies below it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use oci_chart_core::chart::ChartPath;
    /// let path: ChartPath = "charts/web/Chart.yaml".parse()?;
    /// assert_eq!(path.strip_prefix("charts/web").unwrap().as_str(), "Chart.yaml");
    /// assert_eq!(path.strip_prefix("charts/we"), None);
    /// # Ok::<(), oci_chart_core::chart::ParsePathError>(())
    /// ```
    pub fn strip_prefix(&self, directory: &str) -> Option<Self> {
        let rest = self.0.strip_prefix(directory)?.strip_prefix('/')?;
        Self::new(rest).ok()
    }

    /// The path below the directory `root`, with the separators of this operating system.
    ///
    /// # Errors
    ///
    /// On Windows [`ParsePathError::NotOnThisSystem`] for names that Windows reads as something else (`a:b`, `CON`, a final dot).
    pub fn below(&self, root: &Path) -> Result<PathBuf, ParsePathError> {
        if cfg!(windows) && !self.components().all(is_plain_on_windows) {
            return Err(ParsePathError::NotOnThisSystem);
        }
        let mut full = PathBuf::with_capacity(root.as_os_str().len() + self.0.len() + 1);
        full.push(root);
        full.extend(self.components());
        Ok(full)
    }
}

impl FromStr for ChartPath {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Self, ParsePathError> {
        Self::new(text)
    }
}

impl fmt::Display for ChartPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ChartPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl AsRef<str> for ChartPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ChartPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for ChartPath {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for ChartPath {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

/// Why a text is no path inside a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParsePathError {
    /// There is no path.
    Empty,
    /// It begins at the root.
    Absolute,
    /// It has `..` as a component, or begins with `..`.
    Parent,
    /// It begins with a drive letter (`c:/`).
    DriveLetter,
    /// Two slashes follow each other, or it ends in one.
    EmptyComponent,
    /// A component is `.`.
    DotComponent,
    /// It has a `\`, which Helm takes for a separator.
    Backslash,
    /// It has a NUL character.
    Nul,
    /// It is longer than [`ChartPath::MAX_BYTES`].
    TooLong,
    /// It is not Unicode.
    NotUnicode,
    /// This operating system reads the name as something else.
    NotOnThisSystem,
}

impl fmt::Display for ParsePathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the path is empty",
            Self::Absolute => "the path is absolute",
            Self::Parent => "the path leads out of the chart, or begins with \"..\"",
            Self::DriveLetter => "the path begins with a drive letter",
            Self::EmptyComponent => "the path has an empty component",
            Self::DotComponent => "the path has a \".\" component",
            Self::Backslash => "the path has a backslash, which Helm reads as a separator",
            Self::Nul => "the path has a NUL character",
            Self::TooLong => "the path is longer than 4096 bytes",
            Self::NotUnicode => "the path is not Unicode",
            Self::NotOnThisSystem => "the path has a name that this operating system cannot hold",
        })
    }
}

impl std::error::Error for ParsePathError {}

impl From<ParsePathError> for Error {
    fn from(error: ParsePathError) -> Self {
        Self::new(ErrorKind::InvalidChart, error.to_string())
            .with_reason(Reason::UnsafePath)
            .with_source(error)
            .with_hint("rename the file, or leave it out with .helmignore")
    }
}

fn check(text: &str) -> Result<(), ParsePathError> {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return Err(ParsePathError::Empty);
    }
    if bytes.len() > ChartPath::MAX_BYTES {
        return Err(ParsePathError::TooLong);
    }
    if bytes.starts_with(b"/") {
        return Err(ParsePathError::Absolute);
    }
    if bytes.starts_with(b"..") {
        return Err(ParsePathError::Parent);
    }
    if let [letter, b':', b'/', ..] = bytes
        && letter.is_ascii_alphabetic()
    {
        return Err(ParsePathError::DriveLetter);
    }
    let (mut begin, mut strange) = (0, None);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'/' => {
                check_component(&bytes[begin..at])?;
                begin = at + 1;
            }
            b'\\' | 0 => strange = strange.or(Some(*byte)),
            _ => {}
        }
    }
    check_component(&bytes[begin..])?;
    match strange {
        Some(b'\\') => Err(ParsePathError::Backslash),
        Some(_) => Err(ParsePathError::Nul),
        None => Ok(()),
    }
}

fn check_component(name: &[u8]) -> Result<(), ParsePathError> {
    match name {
        b"" => Err(ParsePathError::EmptyComponent),
        b"." => Err(ParsePathError::DotComponent),
        b".." => Err(ParsePathError::Parent),
        _ => Ok(()),
    }
}

/// Windows opens a device for `CON` and `con.txt`, a stream for `a:b`, and drops final dots and blanks.
fn is_plain_on_windows(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    let numbered = stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT"));
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || (numbered && stem.ends_with(|c: char| c.is_ascii_digit()));
    let reserved = |c: char| c < ' ' || matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*');
    !device && !name.ends_with(['.', ' ']) && !name.contains(reserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_error() {
        let long = "a".repeat(4097);
        for (text, expected) in [
            ("", ParsePathError::Empty),
            ("/", ParsePathError::Absolute),
            ("//server/share", ParsePathError::Absolute),
            ("..", ParsePathError::Parent),
            ("..data/x", ParsePathError::Parent),
            ("a/..", ParsePathError::Parent),
            ("Z:/x", ParsePathError::DriveLetter),
            ("a/", ParsePathError::EmptyComponent),
            (".", ParsePathError::DotComponent),
            ("a/./b", ParsePathError::DotComponent),
            ("..\\x", ParsePathError::Parent),
            ("a\\..\\x", ParsePathError::Backslash),
            ("a\0b", ParsePathError::Nul),
            ("a\0b\\c", ParsePathError::Nul),
            ("a\\b\0/c", ParsePathError::Backslash),
            ("a\\b/../c", ParsePathError::Parent),
            (&long, ParsePathError::TooLong),
        ] {
            assert_eq!(ChartPath::new(text), Err(expected), "{text:?}");
        }
        for text in ["a", ".helmignore", "a/..b", "a/...", "c:x", "templates/ü", " ", "\u{1}", &long[1..]] {
            assert_eq!(ChartPath::new(text).as_ref().map(ChartPath::as_str), Ok(text));
        }
    }

    #[test]
    fn order_is_that_of_the_bytes() {
        let mut paths = ["a/b", "a-b", "a.b", "B", "ä", "z"].map(|text| ChartPath::new(text).unwrap());
        paths.sort();
        assert_eq!(paths.each_ref().map(ChartPath::as_str), ["B", "a-b", "a.b", "a/b", "z", "ä"]);
    }

    #[test]
    fn windows_names() {
        for name in ["a:b", "con", "CON.txt", "Lpt1", "a.", "a ", "a?", "\u{1}"] {
            assert!(!is_plain_on_windows(name), "{name:?}");
        }
        for name in ["Chart.yaml", "console", ".helmignore", "com", "com10", "ü"] {
            assert!(is_plain_on_windows(name), "{name:?}");
        }
    }
}
