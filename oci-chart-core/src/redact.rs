//! Values that cannot be printed by accident.

use std::{fmt, io::Read};

use zeroize::{Zeroize as _, Zeroizing};

use crate::error::{Error, ErrorKind, Result};

/// A password or token. `Debug` and `Display` show that there is one, never what it is, and its memory is overwritten when it
/// is dropped.
///
/// # Examples
///
/// ```
/// let secret = oci_chart_core::Secret::new("hunter2");
/// assert_eq!(format!("{secret:?} {secret}"), "Secret(***) ***");
/// assert_eq!(secret.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Hides `value`.
    pub fn new(value: impl Into<Box<str>>) -> Self {
        Self(value.into())
    }

    /// Reads a secret to its end: from standard input, or a file that a secret store has put there. One line break at the end is the
    /// writer's, not the secret's.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) where it cannot be read; [`InvalidInput`](crate::ErrorKind::InvalidInput) where it is empty, no
    /// text, or above 64 KiB.
    ///
    /// # Examples
    ///
    /// ```
    /// let secret = oci_chart_core::Secret::read(&b"hunter2\n"[..])?;
    /// assert_eq!(secret.expose(), "hunter2");
    /// # Ok::<(), oci_chart_core::Error>(())
    /// ```
    pub fn read(reader: impl Read) -> Result<Self> {
        const MOST: u64 = 64 << 10;
        let wrong = |message| {
            Error::new(ErrorKind::InvalidInput, message)
                .with_hint("a secret is one line of text, not above 64 KiB")
        };
        let mut bytes = Zeroizing::new(Vec::new());
        reader.take(MOST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST {
            return Err(wrong("the secret is too long"));
        }
        let text = str::from_utf8(&bytes).map_err(|_| wrong("the secret is no text"))?;
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        if text.is_empty() { Err(wrong("the secret is empty")) } else { Ok(Self::new(text)) }
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

/// A URL as errors and logs may show it: no user, no password, no query values, no fragment.
///
/// # Examples
///
/// ```
/// use oci_chart_core::RedactedUrl;
///
/// let url = RedactedUrl::new("https://user:pw@host/v2/?scope=pull&token=abc#x");
/// assert_eq!(url.to_string(), "https://host/v2/?scope=***&token=***");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RedactedUrl(String);

impl RedactedUrl {
    /// Keeps of `url` what may be shown.
    pub fn new(url: &str) -> Self {
        let url = url.split('#').next().unwrap_or_default();
        let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query)));
        let mut shown = match base.split_once("://") {
            Some((scheme, rest)) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at(end);
                let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
                format!("{scheme}://{host}{path}")
            }
            None => base.to_owned(),
        };
        for (n, pair) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
            shown.push(if n == 0 { '?' } else { '&' });
            shown.push_str(pair.split('=').next().unwrap_or_default());
            if pair.contains('=') {
                shown.push_str("=***");
            }
        }
        Self(shown)
    }
}

impl fmt::Display for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_without_its_line_break() {
        let read = |text: &[u8]| Secret::read(text).map(|secret| secret.expose().to_owned()).ok();
        for (text, secret) in [("a b", "a b"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a ")]
        {
            assert_eq!(read(text.as_bytes()).as_deref(), Some(secret));
        }
        assert!(read(b"").is_none() && read(b"\n").is_none() && read(b"\xff").is_none());
        assert!(read(&[b'a'; 64 << 10]).is_some() && read(&[b'a'; (64 << 10) + 1]).is_none());
    }

    #[test]
    fn nothing_secret_survives() {
        for (url, shown) in [
            ("https://u:p%40@h:1/a/b", "https://h:1/a/b"),
            ("https://u@p@h/a@b", "https://h/a@b"),
            ("/v2/a/blobs/uploads/x?_state=SECRET", "/v2/a/blobs/uploads/x?_state=***"),
            ("https://h?SECRET=SECRET2", "https://h?SECRET=***"),
            ("", ""),
        ] {
            assert_eq!(RedactedUrl::new(url).to_string(), shown);
        }
    }
}
