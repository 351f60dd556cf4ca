//! Paths: the endpoint table of the spec, the grammar of names and tags.

use super::query::{Query, percent_decode};
use crate::log::Class;

/// An endpoint with the repository it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Ping,
    Catalog,
    /// Below Harbor's own API.
    Own(String),
    /// `blobs/uploads/`: where uploads begin.
    Uploads {
        repository: String,
    },
    Upload {
        repository: String,
        session: String,
    },
    Blob {
        repository: String,
        digest: String,
    },
    Manifest {
        repository: String,
        reference: String,
    },
    Tags {
        repository: String,
    },
    Referrers {
        repository: String,
        digest: String,
    },
    /// A known endpoint under a name outside the grammar.
    BadName(String),
    Unknown,
}

impl Route {
    pub(crate) fn parse(path: &str) -> Self {
        let path = percent_decode(path);
        match path.as_str() {
            "/v2/" | "/v2" => return Self::Ping,
            "/v2/_catalog" => return Self::Catalog,
            _ => {}
        }
        if let Some(own) = path.strip_prefix("/api/v2.0/") {
            return Self::Own(own.to_owned());
        }
        let Some((rest, last)) = path.strip_prefix("/v2/").and_then(|rest| rest.rsplit_once('/')) else {
            return Self::Unknown;
        };
        let Some((route, name)) = endpoint(rest, last) else { return Self::Unknown };
        if is_repository_name(&name) { route } else { Self::BadName(name) }
    }

    pub(crate) fn repository(&self) -> Option<&str> {
        match self {
            Self::Uploads { repository }
            | Self::Upload { repository, .. }
            | Self::Blob { repository, .. }
            | Self::Manifest { repository, .. }
            | Self::Tags { repository }
            | Self::Referrers { repository, .. } => Some(repository),
            Self::Ping | Self::Catalog | Self::Own(_) | Self::BadName(_) | Self::Unknown => None,
        }
    }

    pub(crate) fn class(&self, method: &str, query: &Query) -> Class {
        match (self, method) {
            (Self::Ping, _) => Class::Ping,
            (Self::Catalog, _) => Class::Catalog,
            (Self::Uploads { .. }, "POST") if query.first("mount").is_some() => Class::Mount,
            (Self::Uploads { .. }, "POST") => Class::UploadPost,
            (Self::Upload { .. }, "PATCH") => Class::UploadPatch,
            (Self::Upload { .. }, "PUT") => Class::UploadPut,
            (Self::Upload { .. }, "GET") => Class::UploadStatus,
            (Self::Upload { .. }, "DELETE") => Class::UploadCancel,
            (Self::Blob { .. }, "GET") => Class::BlobGet,
            (Self::Blob { .. }, "HEAD") => Class::BlobHead,
            (Self::Blob { .. }, "DELETE") => Class::BlobDelete,
            (Self::Manifest { .. }, "GET") => Class::ManifestGet,
            (Self::Manifest { .. }, "HEAD") => Class::ManifestHead,
            (Self::Manifest { .. }, "PUT") => Class::ManifestPut,
            (Self::Manifest { .. }, "DELETE") => Class::ManifestDelete,
            (Self::Tags { .. }, "GET") => Class::Tags,
            (Self::Referrers { .. }, "GET") => Class::Referrers,
            _ => Class::Other,
        }
    }
}

/// The endpoint and the repository name in front of it, not yet checked.
fn endpoint(rest: &str, last: &str) -> Option<(Route, String)> {
    let own = |name: &str| name.to_owned();
    if let Some(name) = rest.strip_suffix("/blobs/uploads") {
        let repository = own(name);
        let route = match last {
            "" => Route::Uploads { repository },
            session => Route::Upload { repository, session: own(session) },
        };
        return Some((route, own(name)));
    }
    let (name, kind) = rest.rsplit_once('/')?;
    let repository = own(name);
    let route = match (kind, last) {
        ("blobs", "uploads") => Route::Uploads { repository },
        ("blobs", digest) => Route::Blob { repository, digest: own(digest) },
        ("manifests", reference) => Route::Manifest { repository, reference: own(reference) },
        ("tags", "list") => Route::Tags { repository },
        ("referrers", digest) => Route::Referrers { repository, digest: own(digest) },
        _ => return None,
    };
    Some((route, own(name)))
}

/// The spec's grammar of `<name>`: slash-separated components of lower-case words joined by `.`, `_`, `__` or dashes.
pub(crate) fn is_repository_name(name: &str) -> bool {
    name.split('/').all(is_component)
}

fn is_component(component: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let edges = bytes.first().is_some_and(|b| word(*b)) && bytes.last().is_some_and(|b| word(*b));
    edges
        && bytes.split(|b| word(*b)).all(|separator| match separator {
            [] | [b'.'] | [b'_'] | [b'_', b'_'] => true,
            dashes => dashes.iter().all(|b| *b == b'-'),
        })
}

/// The spec's grammar of a tag: at most 128 of `[a-zA-Z0-9_.-]`, not beginning with `.` or `-`.
pub(crate) fn is_tag(tag: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    (1..=128).contains(&tag.len()) && tag.bytes().all(inner) && !tag.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_the_spec() {
        let repository = || "a/b".to_owned();
        let table = [
            ("/v2/", Route::Ping),
            ("/v2/_catalog", Route::Catalog),
            ("/v2/a/b/blobs/uploads/", Route::Uploads { repository: repository() }),
            ("/v2/a/b/blobs/uploads", Route::Uploads { repository: repository() }),
            ("/v2/a/b/blobs/uploads/1", Route::Upload { repository: repository(), session: "1".into() }),
            ("/v2/a/b/blobs/d", Route::Blob { repository: repository(), digest: "d".into() }),
            (
                "/v2/a/b/manifests/x%3Ay",
                Route::Manifest { repository: repository(), reference: "x:y".into() },
            ),
            ("/v2/a/b/tags/list", Route::Tags { repository: repository() }),
            ("/v2/a/b/referrers/d", Route::Referrers { repository: repository(), digest: "d".into() }),
            ("/v2/A/manifests/x", Route::BadName("A".into())),
            ("/v2/a/unknown/x", Route::Unknown),
            ("/v1/a/manifests/x", Route::Unknown),
        ];
        for (path, route) in table {
            assert_eq!(Route::parse(path), route, "{path}");
        }
    }

    #[test]
    fn name_and_tag_grammar() {
        for good in ["a", "a/b", "a.b", "a_b", "a__b", "a---b", "0/manifests"] {
            assert!(is_repository_name(good), "{good}");
        }
        for bad in ["", "A", "a/", "/a", "a//b", ".a", "a..b", "a___b", "a._b", "a-", "ä"] {
            assert!(!is_repository_name(bad), "{bad}");
        }
        for (tag, good) in
            [("1.0_x-Y", true), ("_", true), (".a", false), ("-a", false), ("", false), ("a+b", false)]
        {
            assert_eq!(is_tag(tag), good, "{tag}");
        }
        assert!(is_tag(&"a".repeat(128)) && !is_tag(&"a".repeat(129)));
    }
}
