//! The kubelet's way to find a login (k8s.io/kubernetes, pkg/credentialprovider; go-containerregistry has the same for others).

/// Whether no login is found because a key is no URL at all: then the whole secret is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadKey(pub(super) String);

/// The key for `image` (`host[:port]/path`): the last by letters of those that fit.
pub(super) fn find<'a>(keys: impl Iterator<Item = &'a str>, image: &str) -> Result<Option<&'a str>, BadKey> {
    let mut best: Option<(String, &str)> = None;
    let (host, path) = split(image);
    for key in keys {
        let location = Location::parse(key).ok_or_else(|| BadKey(key.to_owned()))?;
        let effective = location.effective();
        if location.fits(host, path) && best.as_ref().is_none_or(|(other, _)| effective > *other) {
            best = Some((effective, key));
        }
    }
    Ok(best.map(|(_, key)| key))
}

struct Location<'a> {
    host: &'a str,
    path: &'a str,
}

impl<'a> Location<'a> {
    /// Reads a key as a URL, whose scheme may be missing.
    fn parse(key: &'a str) -> Option<Self> {
        let rest = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (host, path) = split(rest);
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let plausible = |letter: char| {
            !letter.is_whitespace() && !letter.is_control() && !"<>\"^`{}|\\%".contains(letter)
        };
        if !host.chars().all(plausible) || path.chars().any(char::is_control) {
            return None;
        }
        let port = match host.find(']') {
            Some(end) if host.starts_with('[') => host.get(end + 1..)?,
            Some(_) => return None,
            None if host.contains('[') => return None,
            None => host.find(':').and_then(|colon| host.get(colon..)).unwrap_or_default(),
        };
        let digits = port.strip_prefix(':');
        if !port.is_empty() && digits.is_none_or(|digits| !digits.bytes().all(|digit| digit.is_ascii_digit()))
        {
            return None;
        }
        // `/v1/` and `/v2/` mean the host.
        let versioned = path.starts_with("/v1/") || path.starts_with("/v2/");
        Some(Self { host, path: if versioned { path.get(3..)? } else { path } })
    }

    fn effective(&self) -> String {
        if self.path == "/" { self.host.to_owned() } else { format!("{}{}", self.host, self.path) }
    }

    fn fits(&self, host: &str, path: &str) -> bool {
        let ((own, own_port), (name, port)) = (port(self.host), port(host));
        let (own, name): (Vec<_>, Vec<_>) = (own.split('.').collect(), name.split('.').collect());
        let own_path = if self.path == "/" { "" } else { self.path };
        own_port == port
            && own.len() == name.len()
            && path.starts_with(own_path)
            && own.iter().zip(&name).all(|(pattern, part)| star(pattern.as_bytes(), part.as_bytes()))
    }
}

fn split(text: &str) -> (&str, &str) {
    text.find('/').and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

fn port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, digits)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => (name, digits),
        _ => (host, ""),
    }
}

/// Whether `text` is what `pattern` says, whose stars stand for anything. Linear in the product of both, without recursion.
fn star(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut back) = (0, 0, None);
    while let Some(letter) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(other) if other == letter => {
                p += 1;
                t += 1;
            }
            _ => match back {
                // The last star takes one more.
                Some((star, taken)) => {
                    back = Some((star, taken + 1));
                    (p, t) = (star + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_their_part() {
        let fits = |key: &str, image: &str| find([key].into_iter(), image).unwrap().is_some();
        for (key, image) in [
            ("*.io", "ghcr.io/a"),
            ("gh*", "ghcr/a"),
            ("*.*.com:5000", "reg.e.com:5000/a"),
            ("https://ghcr.io/v2/", "ghcr.io/a"),
            ("ghcr.io/my", "ghcr.io/my-org/a"),
        ] {
            assert!(fits(key, image), "{key} {image}");
        }
        for (key, image) in [
            ("*", "ghcr.io/a"),
            ("*.ghcr.io", "ghcr.io/a"),
            ("ghcr.io:443", "ghcr.io/a"),
            ("*.com:5000", "reg.e.com:5000/a"),
            ("GHCR.io", "ghcr.io/a"),
            ("gh?r.io", "ghcr.io/a"),
        ] {
            assert!(!fits(key, image), "{key} {image}");
        }
    }

    #[test]
    fn a_key_that_is_no_url_spoils_all() {
        for key in ["[g]hcr.io", "h:*", "a b", "h:5x", "x[::1]"] {
            assert_eq!(find(["ghcr.io", key].into_iter(), "ghcr.io/a"), Err(BadKey(key.to_owned())));
        }
    }

    #[test]
    fn many_stars_end() {
        assert!(!star("*a".repeat(2000).as_bytes(), "a".repeat(3000).replace("aa", "ab").as_bytes()));
    }
}
